//! Log-ins and log-outs a second: seats with linger, without, and one call to AWS for each as sellers write it.
//!
//! One Python program does all of it in turns against one sandbox, so that what boto3 and the sandbox cost is in every
//! row that calls them. The guard's calls are counted by the guard itself.

use super::{measure::median, scene::Scene, stage::Stage};
use crate::run::Done;
use mpguard_tests::lines::Lines;
use serde_json::{Value, json};
use std::time::Duration;

/// Turns of each row.
const ROUNDS: usize = 15;
const PATIENCE: Duration = Duration::from_secs(60);

/// One way to take seats.
struct Row {
    name: String,
    per_second: Vec<f64>,
    log_ins: f64,
    calls: f64,
}

pub(super) fn run(stage: &Stage, scene: &Scene) -> Done<Value> {
    let mut command = stage.seats();
    scene.tell_seats(&mut command);
    let mut lines = Lines::start("the bench of seats", &mut command)?;
    let read = |said: &str| {
        serde_json::from_str::<Value>(said)
            .map_err(|e| format!("the bench of seats said `{said}`: {e}"))
    };
    let names = read(&lines.hear(PATIENCE)?)?;
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut rows: Vec<Row> = names
        .map(|name| Row { name: name.to_owned(), per_second: Vec::new(), log_ins: 0.0, calls: 0.0 })
        .collect();
    for round in 0..=ROUNDS {
        for row in &mut rows {
            lines.say(&row.name)?;
            let turn = read(&lines.hear(PATIENCE)?)?;
            let number = |name: &str| turn[name].as_f64().unwrap_or(f64::NAN);
            if round > 0 {
                row.per_second.push(number("log_ins") / number("seconds"));
                row.log_ins += number("log_ins");
                row.calls += number("calls");
            }
        }
    }
    println!("\nlog-ins and log-outs{:>38} {:>20}", "a second", "calls for 1000");
    let mut told = Vec::new();
    for row in &mut rows {
        let (rate, calls) = (median(&mut row.per_second), 1000.0 * row.calls / row.log_ins);
        println!("{:<46} {rate:>11.0} {calls:>20.1}", row.name);
        told.push(json!({"row": row.name, "per_second": rate, "calls_for_1000": calls}));
    }
    let rate = |name: &str| {
        let row = told.iter().find(|row| row["row"] == name);
        row.and_then(|row| row["per_second"].as_f64()).unwrap_or(f64::NAN)
    };
    let ratio = rate("mpguard, linger") / rate("boto3");
    println!("linger / one check out and one check in by boto3 {ratio:>20.1} x");
    Ok(json!({"rounds": ROUNDS, "rows": told, "linger_over_boto3": ratio}))
}
