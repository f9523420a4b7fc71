//! The way of a call to AWS and back.

use super::{
    scenario::{DAY, HOUR, MINUTE, SECOND},
    service::failed,
    world::{Event, World},
};
use mpguard_handless::{
    machine::{command::Command, input::Input},
    model::outcome::FailureClass,
};

/// After this long an attempt has failed.
const ATTEMPT: i64 = 10 * SECOND;

/// How the way to AWS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Good,
    /// No connection.
    Cut,
    Throttled,
    /// Every outcome there is.
    Flaky,
    /// Requests arrive, answers do not.
    Deaf,
    /// The service answers 5xx to everything, and does nothing.
    Down,
    /// The role has lost its permissions.
    Denied,
}

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
}

impl World {
    fn way(&mut self) -> Way {
        use Way::{Lost, NotSent, Throttled, Through, Unanswered};
        let flaky = [Through, Through, NotSent, Throttled, Lost, Unanswered, Way::Late];
        match self.network {
            _ if self.healing => Through,
            Network::Good if self.rng.mille(20) => self.rng.pick(&flaky),
            Network::Good => Through,
            Network::Cut => NotSent,
            Network::Throttled if self.rng.mille(100) => Through,
            Network::Throttled => Throttled,
            Network::Flaky => self.rng.pick(&flaky),
            Network::Deaf => self.rng.pick(&[Unanswered, Way::Late]),
            Network::Down => Lost,
            Network::Denied => Way::Denied,
        }
    }

    /// One call. False when the process has died over it.
    pub(crate) fn call(&mut self, p: usize, call: Command) -> bool {
        if self.crashes(p) {
            return false;
        }
        self.figures.calls += 1;
        let way = self.way();
        let back = self.rng.between(20, 2 * SECOND);
        let boxed = Box::new(call.clone());
        match way {
            Way::Through => {
                self.after(back, Event::Arrive { call: boxed, answer: Some(p), from: p });
            }
            Way::Unanswered => {
                self.after(back, Event::Arrive { call: boxed, answer: None, from: p });
            }
            Way::Late => {
                let late = ATTEMPT + self.rng.between(0, 20 * SECOND);
                self.after(late, Event::Arrive { call: boxed, answer: None, from: p });
            }
            _ => {}
        }
        let (class, from_aws) = match way {
            Way::Through => return !self.crashes(p),
            Way::NotSent => (FailureClass::NotSent, false),
            Way::Throttled => (FailureClass::Throttled, true),
            Way::Denied => (FailureClass::AccessDenied, true),
            Way::Lost | Way::Unanswered | Way::Late => (FailureClass::Unknown, false),
        };
        let unknown = class == FailureClass::Unknown;
        self.figures.lost += u64::from(unknown);
        if let Some(input) = failed(&call, class, "no answer") {
            let delay = if unknown { ATTEMPT } else { back };
            let input = Box::new(input);
            self.after(delay, Event::Answer { process: p, input, from_aws });
        }
        !self.crashes(p)
    }

    /// A call has come to AWS.
    pub(crate) fn arrive(&mut self, call: &Command, answer: Option<usize>, from: usize) {
        let answered = self.service.answer(call, self.now);
        if let Some(text) = self.service.broken.take() {
            self.violate(|| text);
        }
        self.note(|| format!("AWS hears {call:?} of process {from} and says {answered:?}"));
        self.check_taken(call, from);
        if let (Some(p), Some(input)) = (answer, answered) {
            let delay = self.rng.between(10, 2 * SECOND);
            self.after(delay, Event::Answer { process: p, input: Box::new(input), from_aws: true });
        }
    }

    /// An answer, or what stands for one, has come to a process.
    pub(crate) fn answered(&mut self, p: usize, input: Input, from_aws: bool) {
        if from_aws {
            self.learn_time(p);
        }
        if !self.processes[p].dead {
            self.note(|| format!("process {p} hears {input:?}"));
            self.mark_answer(p, &input);
            self.hear(p, input);
        }
    }

    pub(crate) fn change_network(&mut self) {
        if self.healing {
            return;
        }
        let good = self.network != Network::Good || self.rng.mille(300);
        self.network = if good {
            Network::Good
        } else {
            self.figures.outages += 1;
            self.rng.pick(&[
                Network::Cut,
                Network::Throttled,
                Network::Flaky,
                Network::Flaky,
                Network::Deaf,
                Network::Down,
                Network::Denied,
            ])
        };
        let network = self.network;
        self.note(|| format!("the network is {network:?}"));
        let lasts = match network {
            Network::Good => self.rng.between(10 * MINUTE, 30 * HOUR),
            // Twenty minutes, two hours, three days.
            _ => {
                let most = self.rng.pick(&[3 * MINUTE, 20 * MINUTE, 2 * HOUR, 12 * HOUR, 3 * DAY]);
                self.rng.between(most / 3, most)
            }
        };
        self.after(lasts, Event::Network);
    }
}
