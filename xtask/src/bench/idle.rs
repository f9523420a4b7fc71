//! How often a guard at rest wakes up.
//!
//! Two processes of one task, so that one leads and the other follows where they share one ledger. The kernel
//! counts how often each thread gave up its processor to wait. The sandbox's clock is the only guest: a guard
//! asks for it by a long poll, which AWS's clock has not.

use super::{scene::Scene, stage::Stage};
use crate::run::Done;
use mpguard_tests::lines::Lines;
use serde_json::{Value, json};
use std::{fs, thread, time::Duration};

/// How long the guards are watched.
const WATCHED: Duration = Duration::from_secs(10);

pub(super) fn run(stage: &Stage, scene: &Scene) -> Done<Value> {
    let mut guards = Vec::new();
    for dimension in ["idle1", "idle2"] {
        let mut command = stage.idle();
        scene.tell_resting(&mut command, dimension);
        let mut lines = Lines::start("a guard at rest", &mut command)?;
        lines.hear(Duration::from_secs(20))?;
        guards.push(lines);
    }
    // What came with the start is over by then.
    thread::sleep(Duration::from_secs(2));
    let mut before = Vec::new();
    for guard in &guards {
        before.push(switches(guard.pid())?);
    }
    thread::sleep(WATCHED);
    println!();
    let mut rates = Vec::new();
    for ((guard, before), who) in guards.iter().zip(before).zip(["first", "second"]) {
        let woken = switches(guard.pid())?.saturating_sub(before);
        let rate = woken as f64 / WATCHED.as_secs_f64();
        println!("wake-ups a second, {who} process of a task {rate:>22.1}   (at most 2)");
        rates.push(json!(rate));
    }
    Ok(json!({"wake_ups_a_second": rates, "seconds": WATCHED.as_secs()}))
}

/// How often all threads of a process have waited. A thread that ends in between is not counted further.
fn switches(pid: u32) -> Done<u64> {
    let folder = format!("/proc/{pid}/task");
    let told = |e| format!("cannot read `{folder}`: {e}");
    let mut all = 0;
    for thread in fs::read_dir(&folder).map_err(told)? {
        let Ok(text) = fs::read_to_string(thread.map_err(told)?.path().join("status")) else {
            continue;
        };
        let of = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        all += of.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(all)
}
