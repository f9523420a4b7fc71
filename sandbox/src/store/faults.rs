//! Faults: what shall go wrong, for whom, how often.

use serde::{Deserialize, Serialize};

/// The ways in which an answer can go wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Throttle,
    Error,
    LostAnswer,
    Reset,
    Delay,
    Garbage,
    Html,
    Empty,
    Huge,
    SlowDrip,
    SkewedDate,
    BadSignature,
    WrongNonce,
    NoNonce,
    WrongProduct,
    WrongKeyVersion,
    AlgNone,
    AlgHs256,
    DuplicateClaims,
    BothCasings,
}

impl Kind {
    /// Whether the fault is in the signed answer of `RegisterUsage`, and means nothing elsewhere.
    fn spoils_the_token(self) -> bool {
        use Kind::*;
        matches!(
            self,
            BadSignature
                | WrongNonce
                | NoNonce
                | WrongProduct
                | WrongKeyVersion
                | AlgNone
                | AlgHs256
                | DuplicateClaims
                | BothCasings
        )
    }

    pub(crate) fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

fn once() -> i64 {
    1
}

/// One fault as the control API takes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(skip_deserializing)]
    pub(crate) id: String,
    pub(crate) operation: String,
    pub(crate) kind: Kind,
    /// How many more times; -1 for ever.
    #[serde(default = "once")]
    pub(crate) times: i64,
    /// How many matching requests pass first.
    #[serde(default)]
    pub(crate) skip: u64,
    #[serde(default)]
    pub(crate) task: Option<String>,
    #[serde(default)]
    pub(crate) delay_ms: Option<u64>,
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// `Location` of a `RedirectException`.
    #[serde(default)]
    pub(crate) location: Option<String>,
    #[serde(default)]
    pub(crate) skew_ms: Option<i64>,
    /// For answers that a box in the middle gives (`garbage`, `html`, `empty`, `huge`): whether AWS has
    /// done the operation all the same.
    #[serde(default)]
    pub(crate) done: bool,
}

impl Fault {
    /// What is missing or out of range, if anything.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Delay if self.delay_ms.is_none() => Some("`delay` needs `delay_ms`"),
            Kind::SkewedDate if self.skew_ms.is_none() => Some("`skewed_date` needs `skew_ms`"),
            _ if self.status.is_some_and(|status| !(400..=599).contains(&status)) => {
                Some("`status` must be from 400 to 599")
            }
            _ if self.times < -1 || self.times == 0 => {
                Some("`times` must be positive, or -1 for ever")
            }
            _ => None,
        }
    }

    fn concerns(&self, operation: &str, is_aws_api: bool, task: Option<&str>) -> bool {
        let named = self.operation == operation;
        let operation_fits = if self.kind.spoils_the_token() {
            operation == "RegisterUsage" && (named || self.operation == "*")
        } else {
            named || (self.operation == "*" && is_aws_api)
        };
        operation_fits && self.task.as_deref().is_none_or(|wanted| Some(wanted) == task)
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    armed: Vec<Fault>,
    count: u64,
}

impl Faults {
    pub(crate) fn arm(&mut self, mut fault: Fault) -> String {
        self.count += 1;
        fault.id = format!("fault-{}", self.count);
        let id = fault.id.clone();
        self.armed.push(fault);
        id
    }

    /// The fault for this request, the oldest first; counts it.
    pub(crate) fn take(
        &mut self,
        operation: &str,
        is_aws_api: bool,
        task: Option<&str>,
    ) -> Option<Fault> {
        let index = self.armed.iter_mut().position(|fault| {
            let concerns = fault.concerns(operation, is_aws_api, task);
            let passes = concerns && fault.skip > 0;
            fault.skip -= u64::from(passes);
            concerns && !passes
        })?;
        let fault = self.armed[index].clone();
        match fault.times {
            1 => drop(self.armed.remove(index)),
            times if times > 1 => self.armed[index].times -= 1,
            _ => {}
        }
        Some(fault)
    }

    pub(crate) fn all(&self) -> &[Fault] {
        &self.armed
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.armed.len();
        self.armed.retain(|fault| fault.id != id);
        self.armed.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).expect("a good fault")
    }

    #[test]
    fn a_fault_strikes_as_often_as_said_after_those_that_pass() {
        let mut faults = Faults::default();
        faults.arm(fault(
            r#"{"operation":"MeterUsage","kind":"throttle","times":2,"skip":1,"task":"a"}"#,
        ));
        let mut struck = |operation, task| faults.take(operation, true, Some(task)).is_some();
        assert!(!struck("RegisterUsage", "a"));
        assert!(!struck("MeterUsage", "b"));
        let strikes: Vec<bool> = (0..4).map(|_| struck("MeterUsage", "a")).collect();
        assert_eq!(strikes, [false, true, true, false]);
    }

    #[test]
    fn a_star_means_every_api_operation_but_spoils_tokens_only_where_there_are_any() {
        let mut faults = Faults::default();
        faults.arm(fault(r#"{"operation":"*","kind":"bad_signature","times":-1}"#));
        assert!(faults.take("MeterUsage", true, None).is_none());
        assert!(faults.take("RegisterUsage", true, None).is_some());
        faults.arm(fault(r#"{"operation":"*","kind":"reset","times":-1}"#));
        assert!(faults.take("MeterUsage", true, None).is_some());
        assert!(faults.take("TaskMetadata", false, None).is_none());
    }

    #[test]
    fn a_fault_without_what_it_needs_is_refused() {
        assert!(fault(r#"{"operation":"*","kind":"delay"}"#).defect().is_some());
        assert!(fault(r#"{"operation":"*","kind":"skewed_date"}"#).defect().is_some());
        assert!(fault(r#"{"operation":"*","kind":"throttle","times":0}"#).defect().is_some());
        assert!(fault(r#"{"operation":"*","kind":"error","status":200}"#).defect().is_some());
        assert!(fault(r#"{"operation":"*","kind":"error"}"#).defect().is_none());
    }
}
