//! The start-up check of custom metering: the strongest proof of entitlement that burns no billed hour.
//!
//! In this order: AWS has said so before, to this identity; usage that waits to be sent anyway, whose answer is
//! the verdict; a zero record of a dimension that the seller set apart; a dry run, which checks the permission
//! only (`CustomerNotEntitled` denies all the same). Never a zero record of a billed dimension: it burns the hour.

use super::{
    draw::Draw,
    plan::StartupCheck,
    proof::{Answer, Proof},
    verdict::Part,
};
use crate::model::{
    outcome::{Refusal, RefusalReason, Sent},
    time::Timestamp,
};

/// State of the check.
#[derive(Clone, Debug)]
pub struct Startup {
    how: StartupCheck,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The state of the task is not open.
    Closed,
    /// AWS has said it, now or before.
    Known,
    /// The next answer to a usage record is the verdict.
    ByRecord,
    Refused(Refusal),
    Asking(Proof),
}

/// What to ask AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A dry run.
    DryRun,
    /// A zero record of the probe dimension.
    Zero,
}

impl Startup {
    /// A check that waits for the state of the task.
    #[must_use]
    pub fn new(how: StartupCheck) -> Startup {
        Startup { how, state: State::Closed }
    }

    /// The state is open: decides how to ask. Returns true when usage that waits should be sent at once.
    pub fn opened(&mut self, entitled: bool, has_records: bool) -> bool {
        if !matches!(self.state, State::Closed) {
            return false;
        }
        self.state = match self.how {
            StartupCheck::DryRun => State::Asking(Proof::default()),
            _ if entitled => State::Known,
            _ if has_records => State::ByRecord,
            _ => State::Asking(Proof::default()),
        };
        matches!(self.state, State::ByRecord)
    }

    /// What should be asked now; it then counts as asked.
    pub fn ask(&mut self, now: Timestamp) -> Option<Question> {
        let State::Asking(proof) = &mut self.state else { return None };
        let question =
            if self.how == StartupCheck::Probe { Question::Zero } else { Question::DryRun };
        proof.ask(now).then_some(question)
    }

    /// True while it asks, or will ask.
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(&self.state, State::Asking(proof) if !proof.over())
    }

    /// Takes the answer to the question. True when it proves entitlement for good.
    pub fn answered(&mut self, answer: Answer, now: Timestamp, draw: &mut Draw) -> bool {
        let State::Asking(proof) = &mut self.state else { return false };
        if proof.over() {
            return false; // asked for the time only: a first yes stands
        }
        let proves = self.how == StartupCheck::Probe && matches!(answer, Answer::Yes);
        proof.answered(answer, now, draw);
        proves
    }

    /// Takes the answer to a usage record.
    pub fn sent(&mut self, outcome: &Sent) {
        if !matches!(self.state, State::ByRecord) {
            return;
        }
        self.state = match outcome {
            // Who holds the slot with a duplicate is another process of this task, so the buyer is entitled.
            Sent::Recorded { .. } | Sent::Duplicate(_) => State::Known,
            Sent::Refused(refusal) if refusal.reason == RefusalReason::NotEntitled => {
                State::Refused(refusal.clone())
            }
            // It decides nothing; the dry run has its own retries and texts.
            _ => State::Asking(Proof::default()),
        };
    }

    /// The clock has jumped by this much.
    pub fn shift(&mut self, ms: i64) {
        if let State::Asking(proof) = &mut self.state {
            proof.shift(ms);
        }
    }

    /// When to ask again.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Asking(proof) => proof.due(),
            _ => None,
        }
    }

    /// What this check says of the verdict.
    #[must_use]
    pub fn part(&self) -> Part {
        match &self.state {
            State::Closed | State::ByRecord => Part::starting(),
            State::Known => Part::licensed(None),
            State::Refused(refusal) => Part::refused(refusal),
            State::Asking(proof) => proof.part(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        license::Verdict,
        outcome::{Failure, FailureClass},
    };

    const NOW: Timestamp = Timestamp(0);

    fn recorded() -> Sent {
        Sent::Recorded { record_id: "r".into(), request_id: None }
    }

    #[test]
    fn nothing_is_asked_before_the_state_is_open() {
        let mut check = Startup::new(StartupCheck::Auto);
        assert_eq!(check.ask(NOW), None);
        assert_eq!(check.part().verdict, Verdict::Pending);
    }

    #[test]
    fn an_earlier_receipt_needs_no_call() {
        let mut check = Startup::new(StartupCheck::Auto);
        assert!(!check.opened(true, true));
        assert_eq!((check.ask(NOW), check.part().verdict), (None, Verdict::Licensed));
    }

    #[test]
    fn usage_that_waits_is_sent_and_its_answer_is_the_verdict() {
        let by_record = |outcome: &Sent| {
            let mut check = Startup::new(StartupCheck::Auto);
            assert!(check.opened(false, true));
            assert_eq!(check.ask(NOW), None);
            check.sent(outcome);
            check
        };
        assert_eq!(by_record(&recorded()).part().verdict, Verdict::Licensed);
        assert_eq!(by_record(&Sent::Duplicate("17".into())).part().verdict, Verdict::Licensed);
        let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
        assert_eq!(by_record(&Sent::Refused(refusal)).part().verdict, Verdict::Denied);
        let failure = Failure { class: FailureClass::Unknown, text: "no answer".into() };
        let mut unsure = by_record(&Sent::Failed(failure));
        assert_eq!(unsure.part().verdict, Verdict::Pending, "an error never decides");
        assert_eq!(unsure.ask(NOW), Some(Question::DryRun));
    }

    #[test]
    fn a_zero_record_needs_a_dimension_set_apart() {
        // T16
        for (how, question, proves) in [
            (StartupCheck::Auto, Question::DryRun, false),
            (StartupCheck::Probe, Question::Zero, true),
        ] {
            let mut check = Startup::new(how);
            assert!(!check.opened(false, false));
            assert_eq!(check.ask(NOW), Some(question));
            assert_eq!(check.answered(Answer::Yes, NOW, &mut Draw::new([1; 32])), proves);
            assert_eq!(check.part().verdict, Verdict::Licensed);
        }
    }

    #[test]
    fn the_dry_run_can_be_insisted_on() {
        let mut check = Startup::new(StartupCheck::DryRun);
        assert!(!check.opened(true, true));
        assert_eq!(check.ask(NOW), Some(Question::DryRun));
    }
}
