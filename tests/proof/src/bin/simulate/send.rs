//! The way of a request to AWS and back.

use crate::{
    scenario::{MINUTE, SECOND},
    world::{Event, Network, World},
};
use mpguard_handless::{
    machine::input::Input,
    model::{
        outcome::{Failure, FailureClass, Permitted, Refusal, RefusalReason, Sent},
        usage::Record,
    },
};

/// After this long an attempt has failed.
const ATTEMPT: i64 = 10 * SECOND;

/// What happens to one request.
#[derive(Clone, Copy)]
enum Way {
    Through,
    NotSent,
    Throttled,
    /// Lost before AWS; nobody knows.
    Lost,
    /// It arrives; the answer does not, or is garbage.
    Unanswered,
    /// It arrives after its sender has given up.
    Late,
    Denied,
    Unsubscribed,
}

impl World {
    fn way(&mut self) -> Way {
        let flaky = [
            Way::Through,
            Way::Through,
            Way::NotSent,
            Way::Throttled,
            Way::Lost,
            Way::Unanswered,
            Way::Late,
        ];
        match self.network {
            _ if self.healing => Way::Through,
            Network::Good if self.rng.mille(15) => self.rng.pick(&flaky),
            Network::Good => Way::Through,
            Network::Cut => Way::NotSent,
            Network::Throttled if self.rng.mille(100) => Way::Through,
            Network::Throttled => Way::Throttled,
            Network::Flaky => self.rng.pick(&flaky),
            Network::Deaf => self.rng.pick(&[Way::Unanswered, Way::Late]),
            Network::Denied => Way::Denied,
            Network::Unsubscribed if self.scenario.answers.unsubscribe_told => Way::Unsubscribed,
            Network::Unsubscribed => Way::Through,
        }
    }

    /// Some answer of AWS comes back now.
    pub(crate) fn reachable(&mut self) -> bool {
        !matches!(self.way(), Way::NotSent | Way::Lost | Way::Unanswered | Way::Late)
    }

    /// One send. False when the process has died over it.
    pub(crate) fn send(&mut self, p: usize, record: Record) -> bool {
        self.check_send(p, &record);
        if self.crashes(p) {
            return false;
        }
        self.figures.sends += 1;
        let way = self.way();
        let (task, id) = (self.processes[p].task, record.id);
        let back = self.rng.between(20, 3 * SECOND);
        let arrives = |answer| Event::Arrive { task, record: Box::new(record), answer };
        match way {
            Way::Through => self.after(back, arrives(Some(p))),
            Way::Unanswered => self.after(back, arrives(None)),
            Way::Late => {
                let late = self.rng.between(ATTEMPT, 5 * MINUTE);
                self.after(late, arrives(None));
            }
            _ => {}
        }
        let failed = |class, text: &str| Sent::Failed(Failure { class, text: text.into() });
        let refused = |reason| Sent::Refused(Refusal { reason, text: "no".into() });
        let (outcome, from_aws) = match way {
            Way::Through => return !self.crashes(p),
            Way::NotSent => (failed(FailureClass::NotSent, "no connection"), false),
            Way::Throttled => (failed(FailureClass::Throttled, "wait"), true),
            Way::Lost | Way::Unanswered | Way::Late => {
                (failed(FailureClass::Unknown, "no answer"), false)
            }
            Way::Denied => (refused(RefusalReason::AccessDenied), true),
            Way::Unsubscribed => (refused(RefusalReason::NotEntitled), true),
        };
        self.processes[p].refused |= matches!(outcome, Sent::Refused(_));
        let unknown = matches!(way, Way::Lost | Way::Unanswered | Way::Late);
        let delay = if unknown { ATTEMPT } else { back };
        let input = Box::new(Input::Sent { record: id, outcome });
        self.after(delay, Event::Answer { process: p, input, from_aws });
        !self.crashes(p)
    }

    pub(crate) fn arrive(&mut self, task: usize, record: &Record, answer: Option<usize>) {
        if !self.healing && self.rng.mille(4) {
            // Another container of this task, with a directory of its own, was faster.
            let slot = (task, record.dimension.clone(), record.hour.0);
            self.aws.foreign(slot, 1_000_000_007 + self.rng.below(1000), record.units.digits);
        }
        let metered = self.aws.meter(task, record, self.now, &self.scenario.answers);
        if metered.stored {
            self.check_stored(task, record);
        }
        if let Some(p) = answer {
            let input = Box::new(Input::Sent { record: record.id, outcome: metered.answer });
            let delay = self.rng.between(10, 3 * SECOND);
            self.after(delay, Event::Answer { process: p, input, from_aws: true });
        }
    }

    /// The dry run, or the zero record of the probe dimension.
    pub(crate) fn check_usage(&mut self, p: usize) {
        let way = self.way();
        let failed = |class| Permitted::Failed(Failure { class, text: "no answer".into() });
        let refused = |reason| Permitted::No(Refusal { reason, text: "no".into() });
        let (answer, from_aws) = match way {
            Way::Through => (Permitted::Yes, true),
            Way::NotSent => (failed(FailureClass::NotSent), false),
            Way::Throttled => (failed(FailureClass::Throttled), true),
            Way::Denied => (refused(RefusalReason::AccessDenied), true),
            Way::Unsubscribed => (refused(RefusalReason::NotEntitled), true),
            Way::Lost | Way::Unanswered | Way::Late => (failed(FailureClass::Unknown), false),
        };
        self.processes[p].refused |= matches!(answer, Permitted::No(_));
        let delay = self.rng.between(20, 3 * SECOND);
        let input = Box::new(Input::Permitted(answer));
        self.after(delay, Event::Answer { process: p, input, from_aws });
    }
}
