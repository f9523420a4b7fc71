//! What a guard costs before it counts: size, memory, threads, and the time from start to licensed.

use super::{
    measure::{Row, interleaved, median},
    scene::Scene,
    stage::Stage,
};
use crate::run::Done;
use serde_json::{Value, json};
use std::{fs, process::Command};

/// Runs of each program.
const ROUNDS: usize = 15;

pub(super) fn run(stage: &Stage, scene: &Scene) -> Done<Value> {
    let bytes = fs::metadata(&stage.library)
        .map_err(|e| format!("cannot read `{}`: {e}", stage.library.display()))?
        .len();
    let (memory, threads) = footprint(stage, scene)?;
    let rows = starts(stage, scene)?;

    let at = |name: &str| rows.iter().find(|row| row.name == name).map_or(0.0, |row| row.median_ms);
    let bare = at("node, nothing");
    let (node, sdk) = (at("Node, mpguard") - bare, at("Node, AWS SDK") - bare);
    println!("libmpguard.so, stripped        {:>8.2} MB     (goal 6)", bytes as f64 / 1e6);
    println!(
        "memory of load, init, answer   {:>8.2} MB     (goal 8)",
        memory as f64 * 1024.0 / 1e6
    );
    println!("threads of a guard at rest     {threads:>8}        (exactly 2)");
    println!("\nwhole process, start to licensed, medians of {ROUNDS} interleaved runs");
    for row in &rows {
        println!(
            "{:<30} {:>8.1} ms     ({:.1} to {:.1})",
            row.name, row.median_ms, row.least_ms, row.most_ms
        );
    }
    let boto = at("Python, boto3");
    println!("\nboto3 / C                      {:>8.1} x", boto / at("C, mpguard"));
    println!(
        "boto3 / Python                 {:>8.1} x      (goal 10)",
        boto / at("Python, mpguard")
    );
    println!(
        "Node over bare / SDK over bare {:>8.2}        (goal 0.25: {node:.1} of {sdk:.1} ms)",
        node / sdk
    );
    Ok(json!({
        "library_bytes": bytes, "memory_kb": memory, "threads": threads, "rounds": ROUNDS,
        "starts": rows.iter().map(Row::json).collect::<Vec<Value>>(),
        "ratios": {"boto3_c": boto / at("C, mpguard"), "boto3_python": boto / at("Python, mpguard"), "node_sdk": node / sdk},
    }))
}
/// Kilobytes and threads that a guard adds to a C program, each the median of five runs.
fn footprint(stage: &Stage, scene: &Scene) -> Done<(u64, u64)> {
    let (mut memory, mut threads) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut command = Command::new(&stage.c);
        command.arg(&stage.library);
        scene.tell(&mut command);
        let output = command.output().map_err(|e| format!("cannot start the C program: {e}"))?;
        let said: Value = serde_json::from_slice(&output.stdout).map_err(|e| {
            format!("the C program failed: {e}: {}", String::from_utf8_lossy(&output.stderr))
        })?;
        memory.push(said["memory_kb"].as_f64().unwrap_or(f64::NAN));
        threads.push(said["threads"].as_f64().unwrap_or(f64::NAN));
    }
    Ok((median(&mut memory) as u64, median(&mut threads) as u64))
}

fn starts(stage: &Stage, scene: &Scene) -> Done<Vec<Row>> {
    let programs = stage.programs();
    let named = programs.iter().map(|(name, make)| {
        let command = || {
            let mut command = make();
            scene.tell(&mut command);
            command
        };
        (*name, command)
    });
    interleaved(&named.collect::<Vec<_>>(), ROUNDS)
}
