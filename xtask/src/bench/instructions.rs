//! Instructions by callgrind: a figure that no neighbour on the machine can disturb.
//!
//! `add`: callgrind collects inside the function alone. An idle hour: two runs of the same program, one hour and
//! many hours long; what the start costs is in both and falls out of the difference. A guard in a sandbox asks for
//! the virtual clock at each step, so the hour's figure has one HTTP exchange in it that a real guard has not.

use super::{peers, scene::Scene, stage::Stage};
use crate::{place, run::Done, tools};
use mpguard_tests::{lines::Lines, place::Place, sandbox::Sandbox};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command, time::Duration};

/// Calls that are counted.
const CALLS: u64 = 1000;
/// Idle hours in the long run.
const HOURS: u64 = 24;
const HOUR: Duration = Duration::from_secs(3600);
/// Valgrind is slow.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(stage: &Stage, scene: &Scene, place: &Place) -> Done<Value> {
    if !tools::there("valgrind") {
        println!(
            "\ninstructions: skipped, for want of valgrind; on Debian and Ubuntu `apt-get install valgrind`"
        );
        return Ok(Value::Null);
    }
    let c = add(&stage.add_c(), "mpguard_meter_add", ("c", "add"), scene)?;
    let rust = add(&peers::rust(), "bench_add_once", ("rust", "add once"), scene)?;
    let start = idle(stage, place, 1)?;
    let hour = idle(stage, place, 1 + HOURS)?.saturating_sub(start) / HOURS;
    println!();
    println!("instructions of one add, C {c:>35.1}");
    println!("instructions of one add, Rust {rust:>32.1}");
    println!("instructions of one idle hour {hour:>30}     (start and end {start})");
    Ok(json!({"add_c": c, "add_rust": rust, "idle_hour": hour, "start": start}))
}

/// Instructions of one call of `function` in the program of the `add` table.
fn add(program: &Path, function: &str, (dimension, row): (&str, &str), scene: &Scene) -> Done<f64> {
    let mut command = callgrind(dimension);
    command.arg("--collect-atstart=no").arg(format!("--toggle-collect={function}")).arg(program);
    scene.tell_counting(&mut command, dimension);
    let mut lines = Lines::start(&format!("callgrind of `{function}`"), &mut command)?;
    lines.hear(PATIENCE)?;
    lines.say(&format!("{row}\t1\t{CALLS}"))?;
    lines.hear(PATIENCE)?;
    lines.finish(PATIENCE)?;
    Ok(collected(dimension)? as f64 / CALLS as f64)
}

/// Instructions of a whole process that sleeps through `hours`.
fn idle(stage: &Stage, place: &Place, hours: u64) -> Done<u64> {
    let sandbox = Sandbox::start(place)?;
    let scene = Scene::set(&sandbox)?;
    let mut command = callgrind("idle");
    command.arg(stage.idle().get_program());
    scene.tell_resting(&mut command, "idle1");
    let mut lines = Lines::start("callgrind of a guard at rest", &mut command)?;
    lines.hear(PATIENCE)?;
    for _ in 0..hours {
        sandbox.control().advance(HOUR, HOUR)?;
    }
    lines.finish(PATIENCE)?;
    collected("idle")
}

fn output(name: &str) -> std::path::PathBuf {
    place::target().join(format!("bench/callgrind.{name}"))
}

fn callgrind(name: &str) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]);
    let mut file = std::ffi::OsString::from("--callgrind-out-file=");
    file.push(output(name));
    command.arg(file);
    command
}

/// What callgrind counted in all.
fn collected(name: &str) -> Done<u64> {
    let file = output(name);
    let text =
        fs::read_to_string(&file).map_err(|e| format!("cannot read `{}`: {e}", file.display()))?;
    let line = ["totals: ", "summary: "]
        .iter()
        .find_map(|key| text.lines().rev().find_map(|line| line.strip_prefix(key)));
    line.and_then(|count| count.trim().parse().ok())
        .ok_or_else(|| format!("`{}` has no total; is this valgrind's callgrind?", file.display()))
}
