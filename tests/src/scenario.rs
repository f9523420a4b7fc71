//! The format of a scenario file; tests/conformance/README.md explains it.

use crate::Done;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{fs, path::Path, time::Duration};

/// One file of `tests/conformance/TOPIC`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence about behaviour.
    pub about: String,
    /// Numbers of the failures of others that this one would show.
    #[serde(default)]
    pub covers: Vec<String>,
    /// More for `POST /_sandbox/products`.
    #[serde(default)]
    pub product: Map<String, Value>,
    /// A license to make at the start, as for `POST /_sandbox/licenses`.
    #[serde(default)]
    pub license: Option<Map<String, Value>>,
    /// Configuration of the guard beside what every scenario has.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step: exactly one verb, and what goes with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Why, for the reader and for the failure text.
    pub note: Option<String>,

    /// Verb: the player makes a guard; members go over the scenario's `config`, `null` takes one out.
    pub init: Option<Map<String, Value>>,
    /// Verb: any command of the player, word by word; what is not text is said as JSON.
    #[serde(rename = "do")]
    pub say: Option<Vec<Value>>,
    /// Verb: waits for the answer of a step with `begin`.
    pub finish: Option<bool>,
    /// Verb: the player's process is killed.
    pub kill_player: Option<bool>,
    /// Verb: the sandbox is killed; nothing answers from then on.
    pub stop_sandbox: Option<bool>,
    /// Verb: `METHOD PATH` of the control API.
    pub sandbox: Option<String>,
    /// Verb: a fault, as for `POST /_sandbox/faults`.
    pub fault: Option<Value>,
    /// Verb: a byte of every file of this name under `${state_dir}` is changed.
    pub damage: Option<String>,
    /// Verb: the two files of this name under `${state_dir}` change places.
    pub swap: Option<String>,
    /// Verb: moves the clock by a duration such as `1h30m`.
    pub advance: Option<String>,
    /// Verb: what the product is billed in all, by dimension; nothing else may be billed.
    pub bill: Option<Map<String, Value>>,
    /// Verb: requests of this operation that the sandbox has received from the player.
    pub calls: Option<String>,

    /// Which player; the one without a name when it is left out. Each has a task of its own.
    #[serde(rename = "as")]
    pub player: Option<String>,
    /// Says the command and goes on; a later `finish` has the answer.
    pub begin: bool,
    /// For `finish`: moves the clock by this much until there is an answer.
    pub advancing: Option<String>,
    /// It is tried until `ok` holds, for five seconds: for what is on its way and moves no clock.
    pub soon: bool,
    /// For `advance`: the size of one step; 5 minutes when it is left out.
    pub step: Option<String>,
    /// For `sandbox`: the body.
    pub body: Option<Value>,
    /// For `calls`: a JSON pointer whose value must be the same in all of them.
    pub same: Option<String>,
    /// What the answer must hold.
    pub ok: Option<Value>,
    /// What the error must hold: `code`, `kind`, `retryable`, `text`; for `sandbox`: `error`.
    pub error: Option<Value>,
    /// Values of the answer to keep: name to JSON pointer.
    pub save: Map<String, Value>,
}

/// The verb of a step.
#[derive(Debug)]
pub enum Verb<'a> {
    /// See [`Step::init`].
    Init(&'a Map<String, Value>),
    /// See [`Step::say`].
    Say(&'a [Value]),
    /// See [`Step::finish`].
    Finish,
    /// See [`Step::kill_player`].
    KillPlayer,
    /// See [`Step::stop_sandbox`].
    StopSandbox,
    /// See [`Step::sandbox`].
    Sandbox(&'a str),
    /// See [`Step::fault`].
    Fault(&'a Value),
    /// See [`Step::damage`].
    Damage(&'a str),
    /// See [`Step::swap`].
    Swap(&'a str),
    /// See [`Step::advance`].
    Advance(&'a str),
    /// See [`Step::bill`].
    Bill(&'a Map<String, Value>),
    /// See [`Step::calls`].
    Calls(&'a str),
}

impl Step {
    /// Its one verb.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn verb(&self) -> Done<Verb<'_>> {
        let verbs = [
            self.init.as_ref().map(Verb::Init),
            self.say.as_deref().map(Verb::Say),
            self.finish.map(|_| Verb::Finish),
            self.kill_player.map(|_| Verb::KillPlayer),
            self.stop_sandbox.map(|_| Verb::StopSandbox),
            self.sandbox.as_deref().map(Verb::Sandbox),
            self.fault.as_ref().map(Verb::Fault),
            self.damage.as_deref().map(Verb::Damage),
            self.swap.as_deref().map(Verb::Swap),
            self.advance.as_deref().map(Verb::Advance),
            self.bill.as_ref().map(Verb::Bill),
            self.calls.as_deref().map(Verb::Calls),
        ];
        let mut verbs = verbs.into_iter().flatten();
        match (verbs.next(), verbs.next()) {
            (Some(verb), None) => Ok(verb),
            (None, _) => {
                Err("a step without a verb; tests/conformance/README.md lists them".into())
            }
            (Some(one), Some(two)) => Err(format!("a step with two verbs: {one:?} and {two:?}")),
        }
    }
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not a scenario; the text names line and column.
    pub fn read(file: &Path) -> Done<Scenario> {
        let text = fs::read_to_string(file).map_err(|e| format!("cannot read it: {e}"))?;
        let scenario: Scenario = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        for (index, step) in scenario.steps.iter().enumerate() {
            step.verb().map_err(|why| format!("step {}: {why}", index + 1))?;
        }
        Ok(scenario)
    }
}

/// `1h30m`, `45s`, `250ms`, `2d`.
///
/// # Errors
/// When it is not such a text.
pub fn duration(text: &str) -> Done<Duration> {
    let wrong = || format!("`{text}` is no duration; write it like `1h30m` or `250ms`");
    let (mut rest, mut ms) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end =
            rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        ms += number * unit;
        rest = &rest[unit_end..];
    }
    if ms == 0 { Err(wrong()) } else { Ok(Duration::from_millis(ms)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("1h30m").unwrap(), Duration::from_secs(5_400));
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("2d").unwrap(), Duration::from_secs(172_800));
        for wrong in ["", "5", "h", "5x", "1h-3m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_step_has_exactly_one_verb() {
        let step = |text: &str| serde_json::from_str::<Step>(text).unwrap();
        assert!(step(r#"{"do": ["verdict"], "ok": "licensed"}"#).verb().is_ok());
        assert!(step(r#"{"ok": "licensed"}"#).verb().is_err());
        assert!(step(r#"{"do": ["verdict"], "advance": "1h"}"#).verb().is_err());
        assert!(serde_json::from_str::<Step>(r#"{"advence": "1h"}"#).is_err());
    }
}
