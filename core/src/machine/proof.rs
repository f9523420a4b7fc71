//! One proof of the right to run: asked once at start, and again until AWS has answered.
//!
//! `RegisterUsage` and the dry run of `MeterUsage` are both of this kind. After a first yes nothing that
//! AWS says about the subscription later revokes it. Source: RegisterUsage API reference.

use super::{draw::Draw, retry, verdict::Part};
use crate::model::{
    license::Reason,
    outcome::{Failure, FailureClass, Refusal, RefusalReason},
    time::Timestamp,
};

/// Where the asking stands.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    state: State,
    attempt: u32,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Idle,
    Asking(Option<Failure>),
    Waiting {
        at: Timestamp,
        failure: Failure,
    },
    Yes,
    No(Refusal),
}

/// An answer, whatever the call was.
#[derive(Clone, Debug)]
pub enum Answer {
    /// AWS said yes.
    Yes,
    /// AWS said no.
    No(Refusal),
    /// No answer to decide on.
    Failed(Failure),
}

impl Proof {
    /// A proof that was had before.
    #[must_use]
    pub fn proved() -> Proof {
        Proof { state: State::Yes, attempt: 0 }
    }

    /// True when AWS has answered.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(self.state, State::Yes | State::No(_))
    }

    /// True when the call should be made now; it then counts as made.
    pub fn ask(&mut self, now: Timestamp) -> bool {
        let failure = match &self.state {
            State::Idle => None,
            State::Waiting { at, failure } if *at <= now => Some(failure.clone()),
            _ => return false,
        };
        self.state = State::Asking(failure);
        true
    }

    /// Takes the answer.
    pub fn answered(&mut self, answer: Answer, now: Timestamp, draw: &mut Draw) {
        self.state = match answer {
            Answer::Yes => State::Yes,
            Answer::No(refusal) => State::No(refusal),
            Answer::Failed(failure) => {
                let delay = retry::start_delay(failure.class, self.attempt, draw);
                self.attempt = self.attempt.saturating_add(1);
                State::Waiting { at: now.after(delay), failure }
            }
        };
    }

    /// The clock has jumped by this much.
    pub fn shift(&mut self, ms: i64) {
        if let State::Waiting { at, .. } = &mut self.state {
            *at = at.shifted(ms);
        }
    }

    /// When to ask again.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// What this proof says of the verdict.
    #[must_use]
    pub fn part(&self) -> Part {
        match &self.state {
            State::Idle | State::Asking(None) => Part::starting(),
            State::Asking(Some(failure)) | State::Waiting { failure, .. } => Part::pending(failure),
            State::Yes => Part::licensed(None),
            State::No(refusal) => Part::refused(refusal),
        }
    }
}

/// Why AWS said no, as a reason.
#[must_use]
pub fn reason(why: RefusalReason) -> Reason {
    match why {
        RefusalReason::NotEntitled => Reason::NotEntitled,
        RefusalReason::AccessDenied => Reason::AccessDenied,
        RefusalReason::PlatformNotSupported => Reason::PlatformNotSupported,
        RefusalReason::InvalidRegion => Reason::InvalidRegion,
        RefusalReason::InvalidProduct => Reason::InvalidProduct,
        RefusalReason::SignatureInvalid => Reason::SignatureInvalid,
    }
}

/// Why there is no answer yet, as a reason.
#[must_use]
pub fn pending_reason(class: FailureClass) -> Reason {
    match class {
        FailureClass::Throttled => Reason::Throttled,
        FailureClass::AccessDenied => Reason::AccessDenied,
        FailureClass::NotSent | FailureClass::Unknown => Reason::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::license::Verdict;

    fn failure(class: FailureClass) -> Failure {
        Failure { class, text: "no route".into() }
    }

    fn asked() -> (Proof, Draw) {
        let mut proof = Proof::default();
        assert!(proof.ask(Timestamp(0)), "the first question is asked at once");
        (proof, Draw::new([1; 32]))
    }

    #[test]
    fn no_failure_ever_makes_a_verdict() {
        for class in [
            FailureClass::NotSent,
            FailureClass::Throttled,
            FailureClass::AccessDenied,
            FailureClass::Unknown,
        ] {
            let (mut proof, mut draw) = asked();
            let mut now = Timestamp(0);
            for _ in 0..100 {
                proof.answered(Answer::Failed(failure(class)), now, &mut draw);
                assert_eq!(proof.part().verdict, Verdict::Pending);
                assert_eq!(proof.part().reason, pending_reason(class));
                now = proof.due().expect("it asks again");
                assert!(proof.ask(now));
                assert_eq!(proof.part().verdict, Verdict::Pending);
            }
        }
    }

    #[test]
    fn one_question_is_open_at_a_time() {
        let (mut proof, mut draw) = asked();
        assert!(!proof.ask(Timestamp(1 << 40)));
        proof.answered(Answer::Failed(failure(FailureClass::Throttled)), Timestamp(0), &mut draw);
        let due = proof.due().expect("it asks again");
        assert!(due <= Timestamp(1000), "full jitter within the first second");
        assert!(!proof.ask(Timestamp(due.0 - 1)));
        assert!(proof.ask(due));
    }

    #[test]
    fn an_answer_ends_the_asking() {
        let (mut proof, mut draw) = asked();
        proof.answered(Answer::Yes, Timestamp(0), &mut draw);
        assert_eq!(proof.part().verdict, Verdict::Licensed);
        assert_eq!(proof.due(), None);
        let (mut proof, mut draw) = asked();
        let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
        proof.answered(Answer::No(refusal), Timestamp(0), &mut draw);
        assert_eq!(
            (proof.part().verdict, proof.part().reason),
            (Verdict::Denied, Reason::NotEntitled)
        );
        assert!(!proof.ask(Timestamp(1 << 40)));
    }
}
