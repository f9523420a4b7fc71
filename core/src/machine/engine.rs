//! The engine: hears every input, asks its machines, and folds what they say into one license.

use super::{
    command::{Command, News, Notice},
    draw::Draw,
    input::Input,
    lease::{self, Lease},
    metering::{self, Metering},
    plan::Plan,
    proof::{Answer, Proof},
    recheck::{Question, Recheck},
    retry,
    verdict::{Part, fold},
};
use crate::{
    event::EventKind,
    model::{
        ids::LeaseId,
        license::License,
        outcome::{Failure, Permitted, Registered},
        time::Timestamp,
        usage::Account,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// State of one guard.
#[derive(Clone, Debug)]
pub struct Engine {
    plan: Plan,
    draw: Draw,
    identity: Identifying,
    registration: Option<Proof>,
    permission: Option<Proof>,
    recheck: Option<Recheck>,
    metering: Option<Metering>,
    leases: BTreeMap<LeaseId, Lease>,
    license: Arc<License>,
    closing: bool,
    finished: bool,
    seats_returned: u64,
}

#[derive(Clone, Debug)]
enum Identifying {
    Asking { failure: Option<Failure>, attempt: u32 },
    Waiting { at: Timestamp, failure: Failure, attempt: u32 },
    Known,
}

/// Commands and news of one step, in order.
#[derive(Default)]
struct Out {
    commands: Vec<Command>,
    news: Vec<News>,
}

impl Engine {
    /// An engine that has not started.
    #[must_use]
    pub fn new(plan: Plan, seed: [u8; 32], now: Timestamp) -> Engine {
        let license = Arc::new(License::starting(now, plan.sandbox));
        Engine {
            registration: plan.hourly.then(Proof::default),
            permission: plan.usage.then(Proof::default),
            recheck: plan.contract.clone().map(|contract| Recheck::new(contract, now)),
            metering: None,
            leases: BTreeMap::new(),
            identity: Identifying::Asking { failure: None, attempt: 0 },
            draw: Draw::new(seed),
            license,
            closing: false,
            finished: false,
            seats_returned: 0,
            plan,
        }
    }

    /// The license as it stands.
    #[must_use]
    pub fn license(&self) -> &Arc<License> {
        &self.license
    }

    /// Where every raw count is, without the running hour.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.metering.as_ref().map(Metering::accounts).unwrap_or_default()
    }

    /// The metering machine, when the pricing has one.
    #[must_use]
    pub fn metering(&self) -> Option<&Metering> {
        self.metering.as_ref()
    }

    /// Seats checked in since the end began.
    #[must_use]
    pub fn seats_returned(&self) -> u64 {
        self.seats_returned
    }

    /// When to send the next `Tick`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        if self.finished {
            return None;
        }
        let identity = match &self.identity {
            Identifying::Waiting { at, .. } => Some(*at),
            _ => None,
        };
        let asking = matches!(self.identity, Identifying::Known) && !self.closing;
        let proofs = [&self.registration, &self.permission];
        let proof = proofs.into_iter().flatten().filter(|_| asking).filter_map(Proof::due).min();
        let recheck = self.recheck.as_ref().filter(|_| asking);
        let look = recheck.and_then(Recheck::due);
        let turn = recheck.and_then(|recheck| recheck.turns_at(now));
        let metering = self.metering.as_ref().and_then(Metering::due);
        let lease = self.leases.values().filter_map(Lease::due).min();
        [identity, proof, look, turn, metering, lease].into_iter().flatten().min()
    }

    /// One step: hears `input` at `now` and says what to do.
    pub fn step(&mut self, input: Input, now: Timestamp) -> Vec<Command> {
        let mut out = Out::default();
        self.hear(input, now, &mut out);
        self.go_on(now, &mut out);
        self.publish(now, &mut out);
        if self.closing && !self.finished && self.idle() {
            self.finished = true;
            out.commands.push(Command::Finished);
        }
        out.commands
    }

    fn hear(&mut self, input: Input, now: Timestamp, out: &mut Out) {
        match input {
            Input::Start { hour } => {
                if self.plan.usage {
                    let plan = &self.plan;
                    self.metering =
                        Some(Metering::new(plan.dimensions.clone(), plan.outage_stop, hour));
                }
                out.commands.push(Command::Identify);
            }
            Input::Tick => {}
            Input::Identified(Ok(identity)) => {
                self.identity = Identifying::Known;
                if let Some(metering) = &mut self.metering {
                    metering.identified(&identity);
                }
            }
            Input::Identified(Err(failure)) => {
                let Identifying::Asking { attempt, .. } = self.identity else { return };
                let delay = retry::start_delay(failure.class, attempt, &mut self.draw);
                let attempt = attempt.saturating_add(1);
                self.identity = Identifying::Waiting { at: now.after(delay), failure, attempt };
            }
            Input::Registered(answer) => self.registered(answer, now, out),
            Input::Permitted(answer) => {
                let answer = match answer {
                    Permitted::Yes => Answer::Yes,
                    Permitted::No(refusal) => Answer::No(refusal),
                    Permitted::Failed(failure) => Answer::Failed(failure),
                };
                if let Some(proof) = &mut self.permission {
                    proof.answered(answer, now, &mut self.draw);
                }
            }
            Input::Tiers(answer) => {
                if let Some(recheck) = &mut self.recheck {
                    out.ask(recheck.tiers(answer, now, &mut self.draw));
                }
            }
            Input::Details(answer) => {
                if let Some(recheck) = &mut self.recheck {
                    out.news.extend(recheck.details(answer, now, &mut self.draw));
                }
            }
            Input::Series(series) => {
                if let Some(metering) = &mut self.metering {
                    metering.learn(series);
                }
            }
            Input::Captured { hour, next, values } => {
                self.meter(out, |m, draw| m.captured(hour, next, values, now, draw));
            }
            Input::Sent { record, outcome } => {
                self.meter(out, |m, draw| m.sent(record, outcome, now, draw));
            }
            Input::Flush => self.meter(out, |m, _| m.flush(now)),
            Input::SeatWanted { lease, spec, count } => {
                let (made, step) = Lease::want(lease, spec, count, now, &mut self.draw);
                self.leases.insert(lease, made);
                self.leased(lease, step, now, out);
            }
            Input::SeatReleased(id) => self.lease(id, now, out, |lease, _, _| lease.release(now)),
            Input::CheckedOut { lease, outcome } => {
                self.lease(lease, now, out, |lease, recheck, draw| {
                    lease.checked_out(outcome, recheck.and_then(Recheck::contract), now, draw)
                })
            }
            Input::Extended { lease, outcome } => {
                self.lease(lease, now, out, |lease, _, draw| lease.extended(outcome, now, draw));
            }
            Input::CheckedIn { lease, outcome } => {
                self.lease(lease, now, out, |lease, _, draw| lease.checked_in(outcome, now, draw));
            }
            Input::ShutDown => self.shut_down(now, out),
            Input::Deadline => {
                self.leases.clear();
                self.finished = true;
                out.commands.push(Command::Finished);
            }
        }
    }

    /// Whatever is due by now, whichever input brought us here.
    fn go_on(&mut self, now: Timestamp, out: &mut Out) {
        if self.finished {
            return;
        }
        if let Identifying::Waiting { at, failure, attempt } = &self.identity
            && *at <= now
        {
            self.identity =
                Identifying::Asking { failure: Some(failure.clone()), attempt: *attempt };
            out.commands.push(Command::Identify);
        }
        if matches!(self.identity, Identifying::Known) && !self.closing {
            if self.registration.as_mut().is_some_and(|proof| proof.ask(now)) {
                out.commands.push(Command::Register);
            }
            if self.permission.as_mut().is_some_and(|proof| proof.ask(now)) {
                out.commands.push(Command::CheckUsage);
            }
            if let Some(recheck) = &mut self.recheck {
                let (question, news) = recheck.tick(now, &mut self.draw);
                out.news.extend(news);
                out.ask(question);
            }
        }
        self.meter(out, |m, _| m.tick(now));
        for id in self.leases.keys().copied().collect::<Vec<_>>() {
            self.lease(id, now, out, |lease, _, _| lease.tick(now));
        }
    }

    fn registered(&mut self, answer: Registered, now: Timestamp, out: &mut Out) {
        let answer = match answer {
            Registered::Yes { key_rotation, weak_key } => {
                if let Some(at) = key_rotation {
                    let text = format!(
                        "the product's public key expired at {at}; rebuild the image with the new key from AWS Marketplace"
                    );
                    out.news.push(News::new(EventKind::KeyRotation, text).with("at_ms", at.0));
                }
                if weak_key {
                    let text = "the product's public key is shorter than 2048 bits; ask AWS Marketplace for a longer one";
                    out.news.push(News::new(EventKind::WeakKey, text));
                }
                Answer::Yes
            }
            Registered::No(refusal) => Answer::No(refusal),
            Registered::Failed(failure) => Answer::Failed(failure),
        };
        if let Some(proof) = &mut self.registration {
            proof.answered(answer, now, &mut self.draw);
        }
    }

    fn shut_down(&mut self, now: Timestamp, out: &mut Out) {
        if self.closing {
            return;
        }
        self.closing = true;
        for id in self.leases.keys().copied().collect::<Vec<_>>() {
            self.lease(id, now, out, |lease, _, _| lease.release(now));
        }
        self.meter(out, |m, _| m.close(now));
    }

    /// True when the end has nothing left to wait for.
    fn idle(&self) -> bool {
        self.leases.is_empty() && self.metering.as_ref().is_none_or(|m| m.closed() && !m.busy())
    }

    fn meter(
        &mut self,
        out: &mut Out,
        act: impl FnOnce(&mut Metering, &mut Draw) -> metering::Step,
    ) {
        if let Some(metering) = &mut self.metering {
            let step = act(metering, &mut self.draw);
            out.commands.extend(step.commands);
            out.news.extend(step.news);
        }
    }

    fn lease(
        &mut self,
        id: LeaseId,
        now: Timestamp,
        out: &mut Out,
        act: impl FnOnce(&mut Lease, Option<&Recheck>, &mut Draw) -> lease::Step,
    ) {
        if let Some(lease) = self.leases.get_mut(&id) {
            let step = act(lease, self.recheck.as_ref(), &mut self.draw);
            self.leased(id, step, now, out);
        }
    }

    fn leased(&mut self, id: LeaseId, step: lease::Step, now: Timestamp, out: &mut Out) {
        out.commands.extend(step.commands);
        if let (Some(entitlement), Some(recheck)) = (step.proved, &mut self.recheck) {
            recheck.proved_by_seat(entitlement, now);
        }
        if step.returned && self.closing {
            self.seats_returned += 1;
        }
        let Some(lease) = self.leases.get(&id) else { return };
        if let Some(text) = step.lost {
            let name = lease.entitlement().to_owned();
            out.news.push(
                News::new(EventKind::SeatLost, text).with("entitlement", name).with("lease", id.0),
            );
        }
        if lease.gone() {
            self.leases.remove(&id);
        }
    }

    /// Shows the license when it changed, then tells the news.
    fn publish(&mut self, now: Timestamp, out: &mut Out) {
        let old = self.license.clone();
        let new = self.fold(now);
        if new != *old {
            self.license = Arc::new(new);
            out.commands.push(Command::Publish(self.license.clone()));
        }
        if self.license.verdict != old.verdict {
            let text = format!(
                "{} -> {}: {}",
                old.verdict.as_str(),
                self.license.verdict.as_str(),
                self.license.text
            );
            out.news.insert(0, News::new(EventKind::VerdictChanged, text));
        }
        let license = &self.license;
        out.commands.extend(out.news.drain(..).map(|News { kind, text, details }| {
            Command::Announce(Notice {
                kind,
                old: old.clone(),
                license: license.clone(),
                text,
                details,
            })
        }));
    }

    fn fold(&self, now: Timestamp) -> License {
        let part = match &self.identity {
            Identifying::Asking { failure: Some(failure), .. }
            | Identifying::Waiting { failure, .. } => Part::pending(failure),
            Identifying::Asking { failure: None, .. } => Part::starting(),
            Identifying::Known => {
                let proofs = [&self.registration, &self.permission];
                let proofs = proofs.into_iter().flatten().map(Proof::part);
                fold(proofs.chain(self.recheck.as_ref().map(|recheck| recheck.part(now))).collect())
            }
        };
        let contract = self.recheck.as_ref().and_then(Recheck::contract);
        let same = part.verdict == self.license.verdict;
        License {
            verdict: part.verdict,
            reason: part.reason,
            text: part.text,
            since: if same { self.license.since } else { now },
            until: part.until,
            sandbox: self.plan.sandbox,
            entitlements: contract.map(|c| c.entitlements.clone()).unwrap_or_default(),
            license_arn: contract.and_then(|c| c.license_arn.clone()),
            license_version: contract.and_then(|c| c.version.clone()),
        }
    }
}

impl Out {
    fn ask(&mut self, question: Option<Question>) {
        self.commands.extend(question.map(|question| match question {
            Question::Tiers(want, token) => Command::AskTiers { want, token },
            Question::Details(license_arn) => Command::AskDetails { license_arn },
        }));
    }
}

#[cfg(test)]
mod tests;
