//! What happens outside of the task: AWS fails, and time passes.

use super::Chance;
use crate::run::Done;
use mpguard_tests::sandbox::Control;
use serde_json::{Value, json};

/// Virtual seconds in a real one: an hour each second, so a takeover lasts an hour or two and a window six seconds.
///
/// It never changes while somebody counts: a process that stood still would go on by the old rate for a moment, and
/// be ahead of the sandbox, as no process can be ahead of AWS.
pub(super) const RATE: u64 = 3600;

pub(super) const HOUR_MS: u64 = 3_600_000;

/// Lets one thing go wrong at AWS, and says what. Nothing of it denies: what is refused for good would be held.
pub(super) fn fail(control: &Control, chance: &mut Chance) -> Done<Value> {
    let times = chance.between(1, 6);
    let kinds: [Value; 12] = [
        json!({"kind": "throttle", "times": times * 3}),
        json!({"kind": "throttle", "times": -1}),
        json!({"kind": "error", "status": 500, "times": times}),
        json!({"kind": "error", "status": 503, "times": -1}),
        json!({"kind": "reset", "times": times}),
        json!({"kind": "lost_answer", "times": times}),
        json!({"kind": "lost_answer", "times": -1}),
        json!({"kind": "delay", "delay_ms": chance.between(20, 1500), "times": times}),
        json!({"kind": "garbage", "done": chance.one_in(2), "times": times}),
        json!({"kind": "html", "done": chance.one_in(2), "times": times}),
        json!({"kind": "empty", "done": chance.one_in(2), "times": times}),
        json!({"kind": "slow_drip", "delay_ms": 3, "times": 1}),
    ];
    let mut fault = kinds.get(chance.between(0, 11) as usize).cloned().unwrap_or_default();
    fault["operation"] = json!("MeterUsage");
    if chance.one_in(8) {
        // The surroundings of a container fail too, for a moment.
        let places = ["TaskMetadata", "TaskCredentials"];
        let place = places[chance.between(0, 1) as usize];
        fault = json!({"operation": place, "kind": "reset", "times": chance.between(1, 2)});
    }
    control.post("/_sandbox/faults", &fault)?;
    Ok(fault)
}

pub(super) fn heal(control: &Control) -> Done {
    control.ask("DELETE", "/_sandbox/faults", &Value::Null).map(drop)
}

/// Many hours at once. Waits for nobody: some are stopped, and whoever works finds it later.
pub(super) fn jump(control: &Control, hours: u64) -> Done {
    let by_ms = hours * HOUR_MS;
    let body = json!({"by_ms": by_ms, "step_ms": by_ms, "settle_ms": 1});
    control.post("/_sandbox/clock/advance", &body).map(drop)
}

pub(super) fn run_clock(control: &Control, rate: u64) -> Done {
    control.post("/_sandbox/clock", &json!({"rate": rate})).map(drop)
}

/// The dead follow no clock. Who was killed between two polls would be waited for once more.
pub(super) fn forget_followers(control: &Control) -> Done {
    let known = control.get("/_sandbox/clock/followers")?;
    for follower in known["followers"].as_array().into_iter().flatten() {
        let name = follower["name"].as_str().unwrap_or_default();
        control.call("DELETE", &format!("/_sandbox/clock/followers/{name}"), &Value::Null)?;
    }
    Ok(())
}

pub(super) fn now_ms(control: &Control) -> Done<i64> {
    let clock = control.get("/_sandbox/clock")?;
    clock["now_ms"].as_i64().ok_or_else(|| format!("the sandbox's clock has no `now_ms`: {clock}"))
}
