//! The engine: hears every input, asks its machines, and folds what they say into one license.

use super::{
    command::{Command, News, Notice},
    draw::Draw,
    drawdown::Drawdown,
    input::{Inherited, Input},
    metering::{self, Metering},
    plan::Plan,
    proof::{Answer, Proof},
    recheck::Recheck,
    retry,
    seats::Seats,
    startup::{self, Startup},
    verdict::{Part, fold},
};
use crate::{
    event::EventKind,
    model::{
        books::Books,
        holdings::Holdings,
        ids::{Identity, LeaseId},
        license::{License, Verdict, marked},
        outcome::{CheckedOut, Failure, FailureClass, Permitted, Registered},
        time::{Hour, Timestamp},
        usage::Account,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

mod clock;
mod contract;

/// State of one guard.
#[derive(Clone, Debug)]
pub struct Engine {
    plan: Plan,
    draw: Draw,
    identity: Identifying,
    /// Of the parent, in a forked child: it stands until our own answers are there.
    inherited: Option<Arc<License>>,
    registration: Option<Proof>,
    permission: Option<Startup>,
    /// A question whose answer brings AWS's time, when nothing else is asked.
    time: Proof,
    recheck: Option<Recheck>,
    /// In the process that leads the task.
    metering: Option<Metering>,
    /// The state of the task is open, or is being opened.
    opened: bool,
    /// The state of the task is there: what is kept is durable.
    durable: bool,
    /// `init` waits no longer for an identity.
    hurry: bool,
    start: Timestamp,
    /// The moment of the last step.
    last: Timestamp,
    /// How far this computer's clock is behind AWS's, as it was told last.
    behind_ms: i64,
    /// How far guessed labels are behind AWS's time; `None` while that is unknown.
    guess_behind_ms: Option<i64>,
    seats: Seats,
    units: Drawdown,
    /// The check out whose answer is the proof of the contract.
    proving: Option<LeaseId>,
    /// Holdings of dead processes that are in ours, until their files are gone.
    absorbed: BTreeSet<String>,
    /// Wishes to keep the holdings that have no answer yet.
    keeping: usize,
    license: Arc<License>,
    closing: bool,
    finished: bool,
    seats_returned: u64,
}

#[derive(Clone, Debug)]
enum Identifying {
    Asking { failure: Option<Failure>, attempt: u32 },
    Waiting { at: Timestamp, failure: Failure, attempt: u32 },
    Known(Identity),
}

/// A proof of entitlement outlives any outage; a fork inherits it as long as a contract's answer lives by default.
const INHERITED_STANDS: Duration = Duration::from_secs(86_400);

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
        let mut units = Drawdown::new(plan.contract.as_ref().map_or(&[], |c| &c.counted));
        units.guessing(true);
        Engine {
            registration: plan.hourly.then(Proof::default),
            permission: plan.usage.then(|| Startup::new(plan.startup_check)),
            recheck: plan.contract.clone().map(|contract| Recheck::new(contract, now)),
            time: Proof::default(),
            inherited: None,
            metering: None,
            opened: false,
            durable: false,
            hurry: false,
            start: now,
            last: now,
            behind_ms: 0,
            guess_behind_ms: None,
            seats: Seats::new(plan.contract.as_ref().map(|c| c.seat_linger).unwrap_or_default()),
            units,
            proving: None,
            absorbed: BTreeSet::new(),
            keeping: 0,
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
        let asking = matches!(self.identity, Identifying::Known(_)) && !self.closing;
        let registration = self.registration.as_ref().filter(|_| asking).and_then(Proof::due);
        let permission = self.permission.as_ref().filter(|_| asking).and_then(Startup::due);
        let recheck = self.recheck.as_ref().filter(|_| asking);
        let look = recheck.and_then(Recheck::due);
        let turn = recheck.and_then(|recheck| recheck.turns_at(now));
        let metering = self.metering.as_ref().and_then(Metering::due);
        let seat = self.seats.due();
        let units = self.units.due();
        let time = self.time.due().filter(|_| asking && self.needs_time());
        let due = [identity, registration, permission, time, look, turn, metering, seat, units];
        due.into_iter().flatten().min()
    }

    /// One step: hears `input` at `now` and says what to do.
    pub fn step(&mut self, input: Input, now: Timestamp) -> Vec<Command> {
        let mut out = Out::default();
        self.hear(input, now, &mut out);
        self.last = now;
        self.go_on(now, &mut out);
        self.publish(now, &mut out);
        if self.closing && !self.finished && self.idle() {
            self.finished = true;
            out.commands.push(Command::Finished);
        }
        let keeps = |command: &&Command| matches!(command, Command::KeepHoldings);
        self.keeping += out.commands.iter().filter(keeps).count();
        out.commands
    }

    fn hear(&mut self, input: Input, now: Timestamp, out: &mut Out) {
        match input {
            Input::Start { inherited } => self.begin(inherited, out),
            Input::Tick => {}
            Input::Identified(Ok(identity)) => {
                if let Some(metering) = &mut self.metering {
                    metering.identified(&identity);
                }
                self.open(Some(identity.clone()), out);
                self.identity = Identifying::Known(identity);
            }
            Input::Identified(Err(failure)) => {
                let Identifying::Asking { attempt, .. } = self.identity else { return };
                let delay = retry::start_delay(failure.class, attempt, &mut self.draw);
                let attempt = attempt.saturating_add(1);
                self.identity = Identifying::Waiting { at: now.after(delay), failure, attempt };
            }
            Input::Unidentified => self.hurry = true,
            Input::Opened { entitled, leading } => {
                self.durable = true;
                if self.holdings() != Holdings::default() {
                    out.commands.push(Command::KeepHoldings); // there was no place to keep them in until now
                }
                if let Some(check) = self.permission.as_mut().filter(|_| !leading) {
                    check.opened(entitled, false);
                }
            }
            Input::Led { books, hour } => self.lead(*books, hour, now, out),
            Input::Deposed => self.metering = None,
            Input::TimeKnown { behind_ms, guess_behind_ms } => {
                if self.guess_behind_ms.replace(guess_behind_ms).is_none() {
                    self.shift(guess_behind_ms, now);
                    self.meter(out, |m, draw| m.time_known(guess_behind_ms, now, draw));
                }
                if let Some(recheck) = &mut self.recheck {
                    recheck.trust();
                }
                self.units.guessing(false);
                self.tell_skew(behind_ms, out);
            }
            Input::Noted(news) => out.news.push(news),
            Input::Registered(answer) => self.registered(answer, now, out),
            Input::Permitted(answer) => {
                let answer = match answer {
                    Permitted::Yes => Answer::Yes,
                    Permitted::No(refusal) => Answer::No(refusal),
                    Permitted::Failed(failure) => Answer::Failed(failure),
                };
                if self.guess_behind_ms.is_none() {
                    // Whatever the answer was: it is asked again, slower and slower, until one has brought the time.
                    let text = "the answer told no time".into();
                    let failure = Failure { class: FailureClass::Throttled, text };
                    self.time.answered(Answer::Failed(failure), now, &mut self.draw);
                }
                let check = self.permission.as_mut();
                if check.is_some_and(|check| check.answered(answer, now, &mut self.draw)) {
                    self.meter(out, |m, _| m.entitled("zero record of the probe dimension"));
                }
            }
            Input::Tiers(answer) => {
                self.look(out, now, |recheck, draw| recheck.tiers(answer, now, draw));
            }
            Input::Details(answer) => {
                self.look(out, now, |recheck, draw| recheck.details(answer, now, draw));
            }
            Input::Series(series) => self.meter(out, |m, _| m.learn(series)),
            Input::Captured { slab, next } => {
                self.meter(out, |m, draw| m.captured(slab, next, now, draw));
            }
            Input::Unrotated => {
                if let Some(metering) = &mut self.metering {
                    metering.unrotated(now);
                }
            }
            Input::TakenOver { ledger, waiting, disputed, why } => {
                self.meter(out, |m, _| m.take_over(ledger, waiting, disputed, why));
            }
            Input::Sent { record, outcome } => {
                if let Some(check) = &mut self.permission {
                    check.sent(&outcome);
                }
                self.meter(out, |m, draw| m.sent(record, outcome, now, draw));
            }
            Input::Flush => self.meter(out, |m, draw| m.flush(now, draw)),
            Input::SeatWanted { seat, spec, count } => {
                self.seat(out, now, |seats, contract, draw| {
                    seats.want(seat, spec, count, contract, now, draw)
                });
            }
            Input::SeatReleased(seat) => {
                self.seat(out, now, |seats, _, draw| seats.release(seat, now, draw));
            }
            Input::CheckedOut { lease, outcome } => {
                let proof = self.proving.take_if(|proving| *proving == lease);
                let answer = proof.map(|_| outcome.clone());
                self.seat(out, now, |seats, contract, draw| {
                    seats.checked_out(lease, outcome, contract, now, draw)
                });
                if let Some(answer) = answer {
                    self.look(out, now, |recheck, draw| recheck.proof(&answer, now, draw));
                }
            }
            Input::Extended { lease, outcome } => {
                if let (CheckedOut::Held { .. }, Some(recheck)) = (&outcome, &mut self.recheck) {
                    recheck.extended(now);
                }
                self.seat(out, now, |seats, _, draw| seats.extended(lease, outcome, now, draw));
            }
            Input::CheckedIn { lease, outcome } => {
                self.seat(out, now, |seats, _, draw| seats.checked_in(lease, outcome, now, draw));
            }
            Input::Took { id, holdings } => self.took(id, *holdings, now, out),
            Input::Absorbed(id) => {
                self.absorbed.remove(&id);
            }
            Input::Kept(outcome) => {
                // Each snapshot replaces those before, so only the answer to the newest one says what is durable.
                self.keeping = self.keeping.saturating_sub(1);
                if self.keeping == 0 && (self.durable || outcome.is_err()) {
                    self.draw_down(out, now, |units, _, draw| units.kept(&outcome, now, draw));
                }
            }
            Input::Remembered(remembered) => {
                if let Some(recheck) = &mut self.recheck {
                    recheck.remembered(*remembered, now);
                }
            }
            Input::UnitsWanted { draw, entitlement, quantity } => {
                self.draw_down(out, now, |units, contract, random| {
                    units.want(draw, entitlement, quantity, contract, now, random)
                });
            }
            Input::UnitsGivenUp(draw) => {
                self.draw_down(out, now, |units, _, _| units.give_up(draw));
            }
            Input::UnitsGivenBack { entitlement, quantity } => {
                self.draw_down(out, now, |units, _, _| units.give_back(&entitlement, quantity));
            }
            Input::Drawn { entitlement, outcome } => {
                self.draw_down(out, now, |units, contract, draw| {
                    units.drawn(&entitlement, outcome, contract, now, draw)
                });
            }
            Input::Consumption { license_arn, outcome } => {
                if let Some(recheck) = &mut self.recheck {
                    out.news.extend(recheck.consumption(&license_arn, &outcome));
                }
                self.draw_down(out, now, |units, contract, draw| {
                    units.consumption(&license_arn, contract, &outcome, now, draw)
                });
            }
            Input::ShutDown { last } => self.shut_down(last, now, out),
            Input::Deadline => {
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
        if self.hurry && self.unidentified() {
            self.open(None, out);
        }
        if matches!(self.identity, Identifying::Known(_)) && !self.closing {
            if self.registration.as_mut().is_some_and(|proof| proof.ask(now)) {
                out.commands.push(Command::Register);
            }
            match self.permission.as_mut().and_then(|check| check.ask(now)) {
                Some(startup::Question::DryRun) => out.commands.push(Command::CheckUsage),
                Some(startup::Question::Zero) => out.commands.push(Command::ProbeUsage),
                None if self.needs_time() && self.time.ask(now) => {
                    out.commands.push(Command::CheckUsage);
                }
                None => {}
            }
            self.look(out, now, |recheck, draw| recheck.tick(now, draw));
        }
        self.meter(out, |m, draw| m.tick(now, draw));
        self.seat(out, now, |seats, _, draw| seats.tick(now, draw));
        self.draw_down(out, now, |units, _, draw| units.tick(now, draw));
    }

    /// True when usage waits for AWS's time and no question is on its way whose answer would bring it.
    fn needs_time(&self) -> bool {
        let asks = self.permission.as_ref().is_some_and(Startup::asks);
        self.plan.usage && self.metering.is_some() && self.guess_behind_ms.is_none() && !asks
    }

    fn begin(&mut self, inherited: Option<Inherited>, out: &mut Out) {
        let Some(Inherited { identity, license }) = inherited else {
            out.commands.push(Command::Identify);
            return;
        };
        // The parent's answers were about this task, and a fork makes no new one.
        if license.verdict == Verdict::Licensed {
            if let Some(proof) = &mut self.registration {
                *proof = Proof::proved();
            }
            self.inherited = Some(license.clone());
        }
        self.license = license;
        match identity {
            Some(identity) => {
                self.open(Some(identity.clone()), out);
                self.identity = Identifying::Known(identity);
            }
            None => out.commands.push(Command::Identify),
        }
    }

    /// True when somebody tried to find out who we are, and failed.
    fn unidentified(&self) -> bool {
        match &self.identity {
            Identifying::Asking { failure, .. } => failure.is_some(),
            Identifying::Waiting { .. } => true,
            Identifying::Known(_) => false,
        }
    }

    fn open(&mut self, identity: Option<Identity>, out: &mut Out) {
        if (self.plan.usage || self.plan.contract.is_some()) && !self.opened {
            self.opened = true;
            out.commands.push(Command::Open(identity));
        }
    }

    fn lead(&mut self, books: Books, open: Hour, now: Timestamp, out: &mut Out) {
        let plan = &self.plan;
        let (entitled, policy) = (books.entitled, plan.metering.clone());
        let mut metering = Metering::new(plan.dimensions.clone(), policy, books, open, now);
        if let Identifying::Known(identity) = &self.identity {
            metering.identified(identity);
        }
        if let Some(check) = &mut self.permission {
            check.opened(entitled, metering.busy());
        }
        self.metering = Some(metering);
        if let Some(behind_ms) = self.guess_behind_ms {
            self.meter(out, |m, draw| m.time_known(behind_ms, now, draw));
        }
    }

    fn registered(&mut self, answer: Registered, now: Timestamp, out: &mut Out) {
        let answer = match answer {
            Registered::Yes { key_rotation, weak_key } => {
                let version = self.plan.key_version.map(|v| format!(" `{v}`")).unwrap_or_default();
                if let Some(at) = key_rotation {
                    let text = format!(
                        "version{version} of the product's public key expired at {at}; the seller must rebuild the image with \
                         the newest version that AWS Marketplace shows for the product, listed in trusted_products"
                    );
                    out.news.push(News::new(EventKind::KeyRotation, text).with("at_ms", at.0));
                }
                if weak_key {
                    let text = format!(
                        "version{version} of the product's public key is shorter than 2048 bits; the seller should ask AWS \
                         Marketplace for a longer one"
                    );
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

    fn shut_down(&mut self, last: bool, now: Timestamp, out: &mut Out) {
        if !self.closing {
            self.closing = true;
            self.seat(out, now, |seats, _, draw| seats.close(now, draw));
            self.draw_down(out, now, |units, _, _| units.close());
        }
        self.finished = false;
        if last {
            self.meter(out, |m, _| m.close(now));
        } else if let Some(metering) = &mut self.metering {
            metering.leave();
        }
    }

    /// True when the end has nothing left to wait for.
    fn idle(&self) -> bool {
        self.seats.idle()
            && self.units.idle()
            && self.metering.as_ref().is_none_or(|m| m.closed() && !m.busy())
    }

    fn meter(
        &mut self,
        out: &mut Out,
        act: impl FnOnce(&mut Metering, &mut Draw) -> metering::Step,
    ) {
        if let Some(metering) = &mut self.metering {
            let step = act(metering, &mut self.draw);
            step.commands.into_iter().for_each(|command| out.command(command));
            out.news.extend(step.news);
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
                self.license.said()
            );
            out.news.insert(0, News::new(EventKind::VerdictChanged, text));
        }
        let (license, sandbox) = (&self.license, self.plan.sandbox);
        out.commands.extend(out.news.drain(..).map(|News { kind, text, details }| {
            Command::Announce(Notice {
                kind,
                old: old.clone(),
                license: license.clone(),
                text: marked(sandbox, text),
                details,
            })
        }));
    }

    /// How long what a parent knew stands in for our own answers.
    fn grace(&self) -> Duration {
        self.plan.contract.as_ref().map_or(INHERITED_STANDS, |contract| contract.grace)
    }

    fn fold(&self, now: Timestamp) -> License {
        let part = match &self.identity {
            Identifying::Asking { failure: Some(failure), .. }
            | Identifying::Waiting { failure, .. } => Part::pending(failure),
            Identifying::Asking { failure: None, .. } => Part::starting(),
            Identifying::Known(_) => {
                let registration = self.registration.as_ref().map(Proof::part);
                let permission = self.permission.as_ref().map(Startup::part);
                let contract = self.recheck.as_ref().map(|recheck| recheck.part(now));
                fold([registration, permission, contract].into_iter().flatten().collect())
            }
        };
        if let Some(inherited) = &self.inherited
            && part.verdict == Verdict::Pending
            && now < self.start.after(self.grace())
        {
            return (**inherited).clone();
        }
        let contract = self.contract();
        let same = part.verdict == self.license.verdict;
        License {
            verdict: part.verdict,
            reason: part.reason,
            text: marked(self.plan.sandbox, part.text),
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
    /// Entries that follow each other are one transaction.
    fn command(&mut self, command: Command) {
        match (self.commands.last_mut(), command) {
            (Some(Command::Commit(before)), Command::Commit(entries)) => before.extend(entries),
            (_, command) => self.commands.push(command),
        }
    }
}

#[cfg(test)]
mod tests;
