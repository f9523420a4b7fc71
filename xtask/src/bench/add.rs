//! What one count costs, in every language, beside an atomic addition, an empty call and other counters.
//!
//! The programs of all languages run at the same time and take turns: one turn of one row, then the next row.
//! Two threads add to one counter, the worst case; a figure is the time of one call as its thread sees it.
//! In Python and Node the loop around the call is part of the figure, for every row alike.
//!
//! Rows: `fetch_add` is a relaxed atomic addition on a mapped page (in Python and Node inside an otherwise empty
//! native function that reads its number), `nothing` an empty call over the same border, `add` the guard's. A peer's
//! `child` or `bound` is a labelled counter whose labels were looked up before; with `labels` or `attributes` it
//! looks them up at each call, as code does that has its label at hand then. The guard's meter has two tags. `has` asks
//! whether a tier of the contract was bought.

use super::{measure::median, scene::Scene, stage::Stage};
use crate::run::Done;
use mpguard_tests::lines::Lines;
use serde_json::{Value, json};
use std::{process::Command, time::Duration};

/// One dimension for each program, and in Node for each thread.
pub(super) const DIMENSIONS: &[&str] =
    &["c", "cpp", "rust", "python", "node", "node1", "node2", "idle1", "idle2"];

/// Turns of each row.
const ROUNDS: usize = 41;
/// Length of a turn: about what a scheduler gives a thread at once, so that on a busy machine too some turns are
/// nobody else's.
const TURN_NS: f64 = 4e6;
const PATIENCE: Duration = Duration::from_secs(20);

/// A ratio that somebody promised.
struct Goal {
    said: &'static str,
    of: (&'static str, &'static str),
    over: (&'static str, &'static str),
    limit: Limit,
}

enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// No goal: it shows how far away the floor is.
    Shown,
}

const fn goal(
    said: &'static str,
    of: (&'static str, &'static str),
    over: (&'static str, &'static str),
    limit: Limit,
) -> Goal {
    Goal { said, of, over, limit }
}

use Limit::{AtLeast, AtMost, Shown};

const GOALS: &[Goal] = &[
    goal("C / fetch_add", ("C", "add"), ("C", "fetch_add"), AtMost(2.5)),
    goal("C++ / fetch_add", ("C++", "add"), ("C", "fetch_add"), AtMost(2.5)),
    goal("Rust / fetch_add", ("Rust", "add"), ("Rust", "fetch_add"), AtMost(2.0)),
    goal("C, has / fetch_add", ("C", "has"), ("C", "fetch_add"), Shown),
    goal("Rust, has / fetch_add", ("Rust", "has"), ("Rust", "fetch_add"), Shown),
    goal("Python, has / empty method", ("Python", "has"), ("Python", "nothing"), Shown),
    goal("Node, has / empty function", ("Node", "has"), ("Node", "nothing"), Shown),
    goal("prometheus child / Rust", ("Rust", "prometheus, child"), ("Rust", "add"), Shown),
    goal("OpenTelemetry bound / Rust", ("Rust", "opentelemetry, bound"), ("Rust", "add"), Shown),
    goal("prometheus labels / Rust", ("Rust", "prometheus, labels"), ("Rust", "add"), AtLeast(1.0)),
    goal(
        "OpenTelemetry attributes / Rust",
        ("Rust", "opentelemetry, attributes"),
        ("Rust", "add"),
        AtLeast(1.0),
    ),
    goal("Python / empty method", ("Python", "add"), ("Python", "nothing"), AtMost(1.4)),
    goal("Python / fetch_add in a method", ("Python", "add"), ("Python", "fetch_add"), Shown),
    goal(
        "prometheus_client child / Python",
        ("Python", "prometheus_client, child"),
        ("Python", "add"),
        AtLeast(8.0),
    ),
    goal(
        "prometheus_client labels / Python",
        ("Python", "prometheus_client, labels"),
        ("Python", "add"),
        AtLeast(8.0),
    ),
    goal("Node / empty function", ("Node", "add"), ("Node", "nothing"), AtMost(1.4)),
    goal("Node / fetch_add in a function", ("Node", "add"), ("Node", "fetch_add"), Shown),
    goal(
        "prom-client labels / Node",
        ("Node", "prom-client, labels"),
        ("Node", "add"),
        AtLeast(3.0),
    ),
    goal(
        "OpenTelemetry attributes / Node",
        ("Node", "opentelemetry, attributes"),
        ("Node", "add"),
        AtLeast(3.0),
    ),
];

/// One row with one number of threads.
struct Row {
    language: &'static str,
    name: String,
    threads: usize,
    calls: u64,
    times: Vec<f64>,
}

pub(super) fn run(stage: &Stage, scene: &Scene) -> Done<Value> {
    let mut programs = Vec::new();
    for (language, dimension, mut command) in stage.counting() {
        scene.tell_counting(&mut command, dimension);
        programs.push(Program::start(language, &mut command)?);
    }
    for round in 0..=ROUNDS {
        for program in &mut programs {
            // The first round finds how many calls fill a turn, and warms up.
            if round == 0 { program.calibrate() } else { program.round() }?;
        }
    }
    let mut counted = 0;
    for program in &mut programs {
        counted += program.check()?;
    }
    let rows = programs.into_iter().flat_map(|program| program.rows);
    let mut rows: Vec<Measured> = rows.map(Measured::new).collect();
    rows.sort_by_key(|row| row.threads);
    Ok(print(&rows, counted))
}

/// The figures of one row.
struct Measured {
    language: &'static str,
    name: String,
    threads: usize,
    median_ns: f64,
    least_ns: f64,
}

impl Measured {
    fn new(mut row: Row) -> Measured {
        Measured {
            median_ns: median(&mut row.times),
            least_ns: row.times.first().copied().unwrap_or(f64::NAN),
            language: row.language,
            name: row.name,
            threads: row.threads,
        }
    }
}

fn print(rows: &[Measured], counted: u64) -> Value {
    let at = |(language, name): (&str, &str), threads| {
        let row = rows
            .iter()
            .find(|row| row.language == language && row.name == name && row.threads == threads);
        row.map_or([f64::NAN; 2], |row| [row.median_ns, row.least_ns])
    };
    println!(
        "\nns a call, {ROUNDS} interleaved turns{:>27} {:>9} {:>12}",
        "one thread", "least", "two threads"
    );
    for row in rows.iter().filter(|row| row.threads == 1) {
        let name = format!("{}, {}", row.language, row.name);
        let [two, _] = at((row.language, &row.name), 2);
        println!("{name:<46} {:>10.1} {:>9.1} {two:>12.1}", row.median_ns, row.least_ns);
    }
    println!("\nratios of the medians, of the least, and with two threads");
    let mut ratios = Vec::new();
    for goal in GOALS {
        let over = |threads| {
            let (of, over) = (at(goal.of, threads), at(goal.over, threads));
            [of[0] / over[0], of[1] / over[1]]
        };
        let ([one, least], [two, _]) = (over(1), over(2));
        let (met, limit) = match goal.limit {
            AtMost(limit) => (Some(one <= limit), format!("at most {limit}: ")),
            AtLeast(limit) => (Some(one >= limit), format!("at least {limit}: ")),
            Shown => (None, String::new()),
        };
        let word = met.map_or("no goal", |met| if met { "met" } else { "missed" });
        println!("{:<46} {one:>10.2} {least:>9.2} {two:>12.2}   ({limit}{word})", goal.said);
        let limit = limit.trim_end_matches(": ");
        ratios.push(json!({"ratio": goal.said, "one": one, "least": least, "two": two, "goal": limit, "met": met}));
    }
    println!("{counted} counts added, all of them in the accounts");
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({"language": row.language, "row": row.name, "threads": row.threads,
                   "median_ns": row.median_ns, "least_ns": row.least_ns})
        })
        .collect();
    json!({"rounds": ROUNDS, "rows": rows, "ratios": ratios, "counted": counted})
}

/// One program, with a running guard.
struct Program {
    language: &'static str,
    lines: Lines,
    rows: Vec<Row>,
}

impl Program {
    fn start(language: &'static str, command: &mut Command) -> Done<Program> {
        let mut lines = Lines::start(&format!("the bench of {language}"), command)?;
        let said = lines.hear(PATIENCE)?;
        let names: Vec<String> = serde_json::from_str::<Vec<Value>>(&said)
            .map_err(|e| format!("the bench of {language} said `{said}`: {e}"))?
            .into_iter()
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        let rows = [1, 2].into_iter().flat_map(|threads| {
            names.iter().map(move |name| Row {
                language,
                name: name.clone(),
                threads,
                calls: 1000,
                times: Vec::new(),
            })
        });
        Ok(Program { rows: rows.collect(), language, lines })
    }

    fn calibrate(&mut self) -> Done {
        for at in 0..self.rows.len() {
            // Twice: an engine that compiles on the way is slow at first.
            for _ in 0..2 {
                let ns = self.turn(at)?;
                self.rows[at].calls = ((TURN_NS / ns.max(0.1)) as u64).clamp(1000, 50_000_000);
            }
        }
        Ok(())
    }

    fn round(&mut self) -> Done {
        for at in 0..self.rows.len() {
            let ns = self.turn(at)?;
            self.rows[at].times.push(ns);
        }
        Ok(())
    }

    /// One turn of one row, in nanoseconds a call.
    fn turn(&mut self, at: usize) -> Done<f64> {
        let row = &self.rows[at];
        self.lines.say(&format!("{}\t{}\t{}", row.name, row.threads, row.calls))?;
        let said = self.lines.hear(PATIENCE)?;
        let ns: f64 = said.parse().map_err(|e| {
            format!("the bench of {} said `{said}` for `{}`: {e}", self.language, row.name)
        })?;
        Ok(ns / row.calls as f64)
    }

    /// Every call must be in the account, and every count of the account in one place.
    fn check(&mut self) -> Done<u64> {
        self.lines.say("account")?;
        let said = self.lines.hear(PATIENCE)?;
        let wrong = |why: &str| format!("the bench of {} counted wrongly: {why}", self.language);
        let told: Value =
            serde_json::from_str(&said).map_err(|e| wrong(&format!("no account: {e}")))?;
        let called = told["called"].as_object().ok_or_else(|| wrong("nothing was called"))?;
        let mut all = 0;
        for (dimension, calls) in called {
            let account = told["account"].as_array().and_then(|accounts| {
                accounts.iter().find(|account| account["dimension"] == json!(dimension))
            });
            let account = account.ok_or_else(|| wrong(&format!("no account of `{dimension}`")))?;
            let of = |place: &str| account[place].as_u64().unwrap_or(0);
            let places = ["open", "pending", "delivered", "disputed", "held", "missed"];
            let calls = calls.as_u64().unwrap_or(0);
            if calls == 0 || of("added") != calls || places.map(of).iter().sum::<u64>() != calls {
                return Err(wrong(&format!(
                    "{calls} calls for `{dimension}`, but the account is {account}"
                )));
            }
            all += calls;
        }
        Ok(all)
    }
}
