//! One machine under a hand-moved clock, with the driver's way of keeping holdings.

use super::super::*;
use crate::{
    error::Code,
    event::EventKind,
    model::{
        ids::ClientToken,
        license::Entitlement,
        outcome::{Consumed, Failure, FailureClass},
    },
};
use std::{collections::VecDeque, time::Duration};

pub(super) const LICENSE: &str = "arn:aws:license-manager::294406891311:license:l-1";

pub(super) type Units = BTreeMap<EntitlementName, KeptUnits>;

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn spec(name: &str, batch: u64) -> EntitlementSpec {
    EntitlementSpec {
        name: name.into(),
        kind: EntitlementKind::Drawdown,
        unit: "Gigabytes".into(),
        batch,
        low: None,
    }
}

pub(super) fn failed(class: FailureClass) -> Drawn {
    Drawn::Failed(failure(class))
}

pub(super) fn failure(class: FailureClass) -> Failure {
    Failure { class, text: "no answer from AWS".into() }
}

pub(super) fn none() -> Drawn {
    Drawn::NoneAllowed("maximum count reached".into())
}

pub(super) fn yes() -> Drawn {
    Drawn::Yes { license_arn: Some(LICENSE.into()) }
}

/// A license that has been read in full, with so much of `Data`.
pub(super) fn contract(max_count: u64) -> Contract {
    Contract {
        license_arn: Some(LICENSE.into()),
        version: Some("1".into()),
        entitlements: vec![Entitlement {
            name: "Data".into(),
            unit: "Gigabytes".into(),
            value: None,
            max_count: Some(max_count),
            consumed: None,
        }],
        ..Contract::default()
    }
}

/// One machine and what came of it.
pub(super) struct Bench {
    pub(super) units: Drawdown,
    pub(super) random: Draw,
    pub(super) now: Timestamp,
    pub(super) contract: Option<Contract>,
    /// Why nothing can be written, if so.
    pub(super) disk: Result<(), String>,
    /// What a restart would find.
    pub(super) durable: Units,
    pub(super) keeps: usize,
    pub(super) calls: Vec<(ClientToken, u64)>,
    pub(super) asks: Vec<String>,
    pub(super) answers: Vec<(u64, Result<(), Error>)>,
    pub(super) news: Vec<News>,
    pub(super) proved: usize,
    /// The process dies after so many commands.
    pub(super) dies_after: Option<usize>,
}

impl Bench {
    pub(super) fn new(batch: u64) -> Bench {
        Bench::with(&[spec("Data", batch)])
    }

    pub(super) fn with(specs: &[EntitlementSpec]) -> Bench {
        Bench {
            units: Drawdown::new(specs),
            random: Draw::new([9; 32]),
            now: Timestamp(1_700_000_000_000),
            contract: None,
            disk: Ok(()),
            durable: Units::new(),
            keeps: 0,
            calls: Vec::new(),
            asks: Vec::new(),
            answers: Vec::new(),
            news: Vec::new(),
            proved: 0,
            dies_after: None,
        }
    }

    /// As engine and driver do it: a tick behind every input; each wish to keep is carried out after its step, and
    /// answered before the next input. Only the answer to the newest is passed on.
    pub(super) fn hear(&mut self, act: impl FnOnce(&mut Bench) -> Step) {
        let mut kept = VecDeque::new();
        let step = act(self);
        self.carry_out(step, &mut kept);
        while let Some(outcome) = kept.pop_front() {
            if kept.is_empty() && !self.dead() {
                let step = self.units.kept(&outcome, self.now, &mut self.random);
                self.carry_out(step, &mut kept);
            }
        }
    }

    fn carry_out(&mut self, step: Step, kept: &mut VecDeque<Result<(), String>>) {
        let tick = self.units.tick(self.now, &mut self.random);
        for step in [step, tick] {
            self.news.extend(step.news);
            self.proved += step.proved.len();
            for command in step.commands {
                if self.dead() {
                    return;
                }
                self.dies_after = self.dies_after.map(|left| left - 1);
                match command {
                    Command::KeepHoldings => {
                        self.keeps += 1;
                        if self.disk.is_ok() {
                            self.durable = self.units.units();
                        }
                        kept.push_back(self.disk.clone());
                    }
                    Command::DrawDown { want, token } => self.called(&want, token),
                    Command::AskConsumption { license_arn } => self.asks.push(license_arn),
                    Command::UnitsAnswer { draw, answer } => self.answers.push((draw.0, answer)),
                    other => panic!("unexpected: {other:?}"),
                }
            }
        }
    }

    pub(super) fn dead(&self) -> bool {
        self.dies_after == Some(0)
    }

    fn called(&mut self, want: &Entitlement, token: ClientToken) {
        assert_eq!(want.unit, "Gigabytes");
        let quantity = want.value.as_ref().expect("a quantity").parse().expect("a number");
        let durable =
            self.durable.get(&EntitlementName::from(want.name.as_str())).expect("an intent");
        let intent = durable.in_hand.iter().find(|draw| draw.client_token == token);
        assert_eq!(intent.map(|draw| draw.quantity), Some(quantity), "sent before it was durable");
        self.calls.push((token, quantity));
    }

    pub(super) fn want(&mut self, draw: u64, quantity: u64) {
        self.want_of("Data", draw, quantity);
    }

    pub(super) fn want_of(&mut self, name: &str, draw: u64, quantity: u64) {
        self.hear(|b| {
            let contract = b.contract.as_ref();
            b.units.want(DrawId(draw), name.into(), quantity, contract, b.now, &mut b.random)
        });
    }

    pub(super) fn give_up(&mut self, draw: u64) {
        self.hear(|b| b.units.give_up(DrawId(draw)));
    }

    pub(super) fn drawn(&mut self, outcome: Drawn) {
        self.drawn_of("Data", outcome);
    }

    pub(super) fn drawn_of(&mut self, name: &str, outcome: Drawn) {
        self.hear(|b| {
            let contract = b.contract.as_ref();
            b.units.drawn(&name.into(), outcome, contract, b.now, &mut b.random)
        });
    }

    pub(super) fn consumption(&mut self, outcome: &Consumption) {
        self.hear(|b| {
            let contract = b.contract.as_ref();
            b.units.consumption(LICENSE, contract, outcome, b.now, &mut b.random)
        });
    }

    pub(super) fn reads(&mut self, consumed: u64) {
        self.consumption(&Consumption::Read(vec![Consumed { name: "Data".into(), consumed }]));
    }

    pub(super) fn unread(&mut self, class: FailureClass) {
        self.consumption(&Consumption::Failed(failure(class)));
    }

    pub(super) fn take_over(&mut self, kept: Units) {
        self.hear(|b| {
            let mut step = b.units.took(kept, b.now);
            step.commands.push(Command::KeepHoldings); // the engine's
            step
        });
    }

    pub(super) fn close(&mut self) {
        self.hear(|b| b.units.close());
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.hear(|_| Step::default());
    }

    /// Moves to the next due time.
    pub(super) fn go_on(&mut self) {
        let due = self.units.due().expect("something is due");
        self.now = self.now.max(due);
        self.hear(|_| Step::default());
    }

    /// The process dies, and another one takes what is durable.
    pub(super) fn crash(&mut self, specs: &[EntitlementSpec]) {
        let left = self.durable.clone();
        self.dies_after = None;
        self.units = Drawdown::new(specs);
        if !left.is_empty() {
            self.take_over(left);
        }
    }

    pub(super) fn data(&self) -> KeptUnits {
        self.units.units().get(&"Data".into()).cloned().unwrap_or_default()
    }

    /// What a restart would find of `Data`.
    pub(super) fn written(&self) -> KeptUnits {
        self.durable.get(&"Data".into()).cloned().unwrap_or_default()
    }

    /// Drawn and booked.
    pub(super) fn sums(&self) -> (u64, u64) {
        (self.data().drawn, self.data().booked)
    }

    pub(super) fn quantities(&self) -> Vec<u64> {
        self.calls.iter().map(|(_, quantity)| *quantity).collect()
    }

    pub(super) fn tokens(&self) -> usize {
        self.calls.iter().map(|(token, _)| token).collect::<std::collections::BTreeSet<_>>().len()
    }

    pub(super) fn answered(&self) -> Vec<(u64, Result<(), Code>)> {
        let code = |(draw, answer): &(u64, Result<(), Error>)| {
            (*draw, answer.clone().map_err(|error| error.code()))
        };
        self.answers.iter().map(code).collect()
    }

    pub(super) fn told(&self) -> Vec<EventKind> {
        self.news.iter().map(|news| news.kind).collect()
    }

    pub(super) fn last_text(&self) -> String {
        let last = self.answers.last().and_then(|(_, answer)| answer.clone().err());
        last.map(|error| error.text().to_owned()).unwrap_or_default()
    }

    pub(super) fn why(&self, draw: u64) -> Option<(Code, String)> {
        let why = self.units.why_waiting(DrawId(draw));
        why.map(|error| (error.code(), error.text().to_owned()))
    }
}
