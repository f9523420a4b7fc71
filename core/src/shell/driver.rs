//! The driver: the loop that feeds the engine and carries out its commands.

use super::{
    backlog::Written,
    catalog::Catalog,
    effects::{self, Product},
    mailbox::Request,
    notifier::Notifier,
    report::{FlushReport, SeatState, ShutdownReport},
    share::Share,
    shared::{Attached, Shared},
    thread::Cargo,
};
use crate::{
    error::{Code, Error, Result},
    machine::{
        command::Command,
        drawdown,
        engine::Engine,
        input::{Inherited, Input},
        metering::Metering,
        plan::ContractPlan,
    },
    model::{
        entry::Entry,
        holdings::KeptUnits,
        ids::{DrawId, EntitlementName, Identity, SeatId},
        license::{License, Reason, Verdict, marked},
        time::Timestamp,
        usage::{Account, DimensionSpec},
    },
    port::{clock::Clock, cloud::Cloud, parts::Connected, state::Open},
};
use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet, time::Instant};

/// One guard's loop. It lives on its own thread and shares nothing but `Shared`, `Catalog` and `Notifier`.
pub(crate) struct Driver {
    clock: Rc<dyn Clock>,
    cloud: Rc<dyn Cloud>,
    open: Open,
    dimensions: Vec<DimensionSpec>,
    /// Entitlements of prepaid units.
    drawdown: Vec<EntitlementName>,
    /// The pricing has custom metering, so there is a state to open.
    meters: bool,
    /// When `init` waits no longer for an identity.
    hurry: Option<Instant>,
    /// Once the state of the task is open.
    share: Option<Share>,
    /// What the engine was told of this computer's clock.
    behind_ms: Option<i64>,
    engine: Engine,
    product: Product,
    shared: Arc<Shared>,
    notifier: Arc<Notifier>,
    mailbox: UnboundedReceiver<Request>,
    calls: JoinSet<Input>,
    seats: HashMap<SeatId, Waiting>,
    draws: HashMap<DrawId, Drawing>,
    flushes: Vec<Flush>,
    ending: Option<Ending>,
    finished: bool,
}

#[derive(Default)]
struct Waiting {
    out: Option<(Instant, SyncSender<Result<Arc<SeatState>>>)>,
    back: Option<SyncSender<Result<()>>>,
    state: Option<Arc<SeatState>>,
}

/// Somebody who waits for prepaid units.
struct Drawing {
    until: Instant,
    reply: SyncSender<Result<()>>,
}

struct Flush {
    until: Instant,
    delivered: u64,
    reply: SyncSender<FlushReport>,
}

struct Ending {
    until: Instant,
    delivered: u64,
    /// No other process of the task is attached.
    last: bool,
    reply: SyncSender<ShutdownReport>,
}

impl Driver {
    pub(crate) fn new(cargo: Cargo, connected: Connected) -> Driver {
        let Connected { clock, cloud } = connected;
        let now = clock.now();
        let Cargo { open, seed, plan, product, shared, notifier, mailbox, startup_timeout, .. } =
            cargo;
        Driver {
            dimensions: plan.dimensions.clone(),
            drawdown: plan.contract.iter().flat_map(ContractPlan::drawdown).collect(),
            meters: plan.usage,
            hurry: plan.usage.then(|| after(startup_timeout)),
            engine: Engine::new(plan, seed, now),
            clock,
            cloud,
            open,
            share: None,
            behind_ms: None,
            product,
            shared,
            notifier,
            mailbox,
            calls: JoinSet::new(),
            seats: HashMap::new(),
            draws: HashMap::new(),
            flushes: Vec::new(),
            ending: None,
            finished: false,
        }
    }

    pub(crate) async fn run(mut self, inherited: Option<Inherited>) {
        self.hear(Input::Start { inherited });
        if !self.meters {
            self.shared.started();
        }
        while !self.finished {
            self.tell_time();
            self.answer_flushes();
            let due = self.engine.due(self.clock.now());
            if self.calls.is_empty() && due.is_none_or(|due| due > self.clock.now()) {
                self.clock.at_rest();
            }
            let patience = self.patience();
            // Whoever ends does not begin to lead.
            let stays = |share: &&Share| self.ending.is_none() || share.leads();
            let watch = self.share.as_ref().filter(stays).map(Share::watch_at);
            tokio::select! {
                biased;
                request = self.mailbox.recv() => match request {
                    Some(request) => self.asked(request),
                    None => self.finished = true, // every handle is gone: nobody is left to end us
                },
                // Before all that may be due again and again: a deadline holds whatever else goes on.
                () = until(patience) => {
                    self.give_up();
                    if self.ending.as_ref().is_some_and(|ending| ending.until <= Instant::now()) {
                        self.hear(Input::Deadline);
                    }
                }
                Some(done) = self.calls.join_next() => if let Ok(input) = done {
                    if effects::failed(&input) {
                        self.shared.count_failure();
                    }
                    self.hear(input);
                },
                () = self.clock.wait(due) => self.hear(Input::Tick),
                () = until(watch) => self.watch(),
                () = until(self.hurry) => {
                    self.hurry = None;
                    self.hear(Input::Unidentified);
                }
            }
        }
        self.end();
    }

    /// The first moment, by the host's own clock, at which somebody stops waiting.
    fn patience(&self) -> Option<Instant> {
        let flushes = self.flushes.iter().map(|flush| flush.until);
        let seats = self.seats.values().filter_map(|seat| Some(seat.out.as_ref()?.0));
        let draws = self.draws.values().map(|draw| draw.until);
        let ending = self.ending.as_ref().map(|ending| ending.until);
        flushes.chain(seats).chain(draws).chain(ending).min()
    }

    /// Answers those whose time is over.
    fn give_up(&mut self) {
        let now = Instant::now();
        let over = |(until, _): &(Instant, SyncSender<_>)| *until <= now;
        let seats: Vec<SeatId> = self
            .seats
            .iter()
            .filter(|(_, waiting)| waiting.out.as_ref().is_some_and(over))
            .map(|(seat, _)| *seat)
            .collect();
        for seat in seats {
            let why = self.engine.seats().why_waiting(seat);
            if let Some((_, reply)) = self.seats.remove(&seat).and_then(|waiting| waiting.out) {
                let _ = reply.send(Err(why.unwrap_or_else(|| late("check out seats"))));
            }
            self.hear(Input::SeatReleased(seat));
        }
        let draws: Vec<(DrawId, Drawing)> =
            self.draws.extract_if(|_, draw| draw.until <= now).collect();
        for (id, draw) in draws {
            let why = self.engine.units().why_waiting(id);
            let _ = draw.reply.send(Err(why.unwrap_or_else(|| late("draw down units"))));
            self.hear(Input::UnitsGivenUp(id));
        }
    }

    fn asked(&mut self, request: Request) {
        match request {
            Request::CheckOut { seat, spec, count, timeout, reply } => {
                let out = Some((after(timeout), reply));
                self.seats.insert(seat, Waiting { out, ..Waiting::default() });
                self.hear(Input::SeatWanted { seat, spec, count });
            }
            Request::DrawDown { draw, entitlement, quantity, timeout, reply } => {
                self.draws.insert(draw, Drawing { until: after(timeout), reply });
                self.hear(Input::UnitsWanted { draw, entitlement, quantity });
            }
            Request::GiveUpUnits { draw } => {
                if self.draws.remove(&draw).is_some() {
                    self.hear(Input::UnitsGivenUp(draw));
                }
            }
            Request::GiveBackUnits { entitlement, quantity } => {
                self.hear(Input::UnitsGivenBack { entitlement, quantity });
            }
            Request::CheckIn { seat, reply } => match self.seats.get_mut(&seat) {
                Some(waiting) => {
                    waiting.out = None;
                    waiting.back = reply;
                    self.hear(Input::SeatReleased(seat));
                }
                None => {
                    // Lost before: nothing is left to return.
                    if let Some(reply) = reply {
                        let _ = reply.send(Ok(()));
                    }
                }
            },
            Request::Account { reply } => {
                let _ = reply.send(self.accounts());
            }
            Request::Flush { deadline, reply } => {
                let (until, (delivered, _)) = (after(deadline), self.delivered_and_pending());
                self.flushes.push(Flush { until, delivered, reply });
                self.hear(Input::Flush);
            }
            Request::ShutDown { deadline, reply } => {
                let (until, (delivered, _)) = (after(deadline), self.delivered_and_pending());
                self.ending = Some(Ending { until, delivered, last: true, reply });
                self.shut_down();
            }
        }
    }

    /// Ends this process's share. Whoever is last of the task freezes what the running hour has.
    fn shut_down(&mut self) {
        let Some(share) = &self.share else { return self.hear(Input::ShutDown { last: true }) };
        share.counting.adder.end();
        if !share.leads() {
            self.watch(); // a leader that died a moment ago has left it to us
        }
        let last = self.share.as_mut().is_some_and(Share::last);
        if let Some(ending) = &mut self.ending {
            ending.last = last;
        }
        self.hear(Input::ShutDown { last });
    }

    /// Opens the state of the task, and leads it when nobody does.
    fn open(&mut self, identity: Option<&Identity>, inputs: &mut VecDeque<Input>) {
        let state = (self.open)(identity);
        let counting = state.counting();
        let catalog = Arc::new(Catalog::new(self.dimensions.clone(), counting.series.clone()));
        let mut share = Share::new(state, catalog.clone(), counting.clone());
        if let Some(anchor) = share.anchor() {
            self.clock.adopt(anchor);
        }
        // First what our own file has: nothing may be written in its place before the engine has it.
        share.holdings(inputs);
        let mut led = VecDeque::new();
        share.watch(self.clock.now(), self.clock.anchor().is_none(), &mut led);
        inputs.push_back(Input::Opened { entitled: share.entitled(), leading: share.leads() });
        inputs.append(&mut led);
        self.shared.attach(Attached {
            adder: counting.adder,
            catalog,
            storage: share.storage(),
            heirloom: share.heirloom(),
            identity: identity.cloned(),
        });
        self.share = Some(share);
    }

    /// Half a second of a process that does not lead, or a while of one that does.
    fn watch(&mut self) {
        let mut inputs = VecDeque::new();
        let (now, provisional) = (self.clock.now(), self.clock.anchor().is_none());
        if let Some(share) = &mut self.share {
            share.watch(now, provisional, &mut inputs);
        }
        self.hear_all(inputs);
    }

    /// Tells the engine when AWS's time becomes known, and when this computer's clock is moved against it.
    fn tell_time(&mut self) {
        let Some(anchor) = self.clock.anchor() else { return };
        if let Some(share) = &mut self.share {
            share.set_anchor(anchor);
        }
        let behind_ms = self.clock.behind_ms();
        let told = self.behind_ms.is_some_and(|told| (told - behind_ms).abs() < CLOCK_MOVED_MS);
        if !told {
            self.behind_ms = Some(behind_ms);
            let guess_behind_ms = self.clock.guess_behind_ms();
            self.hear(Input::TimeKnown { behind_ms, guess_behind_ms });
        }
    }

    /// Feeds one input, and whatever its commands bring at once.
    fn hear(&mut self, input: Input) {
        self.hear_all(VecDeque::from([input]));
    }

    fn hear_all(&mut self, mut inputs: VecDeque<Input>) {
        let mut opened = false;
        while let Some(input) = inputs.pop_front() {
            opened |= matches!(input, Input::Opened { .. });
            let now = self.clock.now();
            for command in self.engine.step(input, now) {
                self.carry_out(command, now, &mut inputs);
            }
        }
        if let Some(share) = &mut self.share {
            share.show(&self.engine);
        }
        if opened {
            self.shared.started();
        }
    }

    /// Makes entries durable. Says why not, when they are kept for the next try.
    fn commit(
        &mut self,
        entries: Vec<Entry>,
        now: Timestamp,
        inputs: &mut VecDeque<Input>,
    ) -> Option<String> {
        let Some(share) = &mut self.share else { return None };
        match share.commit(entries, now) {
            Written::Yes => None,
            Written::No(why) => Some(why),
            Written::Deposed => {
                if self.engine.metering().is_some() {
                    inputs.push_back(Input::Deposed);
                }
                Some("another process of the task leads".to_owned())
            }
        }
    }

    fn carry_out(&mut self, command: Command, now: Timestamp, inputs: &mut VecDeque<Input>) {
        // What rests on entries that are not durable must not happen.
        if let Command::Send(record) = &command
            && let Some(why) = self.commit(Vec::new(), now, inputs)
        {
            inputs.push_back(effects::unwritten(record, &why));
            return;
        }
        if let Some(call) = effects::call(&command, &self.product, &self.cloud, now) {
            self.shared.count_call();
            self.calls.spawn_local(call);
            return;
        }
        match command {
            Command::Commit(entries) => drop(self.commit(entries, now, inputs)),
            Command::Open(identity) => self.open(identity.as_ref(), inputs),
            Command::Rotate { next, provisional } => {
                if let Some(share) = &mut self.share {
                    share.rotate(next, provisional, inputs);
                }
            }
            Command::Label { hour } => {
                if let Some(share) = &mut self.share {
                    share.label(hour);
                }
            }
            Command::CloseCounters => {
                if let Some(share) = &mut self.share {
                    share.close(inputs);
                }
            }
            Command::KeepHoldings => {
                // Before the state is open there is nothing to keep them in. Seats go on without; draws wait for it.
                let kept = match &mut self.share {
                    Some(share) => share.keep(&self.engine, inputs),
                    None => Err("it is not known yet which task or pod this is".into()),
                };
                inputs.push_back(Input::Kept(kept));
            }
            Command::Remember(remembered) => {
                if let Some(share) = &mut self.share {
                    share.remember(&remembered);
                }
            }
            Command::UnitsAnswer { draw, answer } => {
                if let Some(draw) = self.draws.remove(&draw) {
                    let _ = draw.reply.send(answer);
                }
            }
            Command::SeatAnswer { seat, answer } => self.seat_answer(seat, answer),
            Command::SeatState { seat, expires } => {
                if let Some(state) =
                    self.seats.get(&seat).and_then(|waiting| waiting.state.as_ref())
                {
                    match expires {
                        Some(expires) => state.extended(expires.0),
                        None => state.end(),
                    }
                }
            }
            Command::SeatReturned { seat, answer } => {
                if let Some(reply) = self.seats.remove(&seat).and_then(|waiting| waiting.back) {
                    let _ = reply.send(answer);
                }
            }
            Command::Publish(license) => self.shared.publish(license),
            Command::Announce(notice) => self.notifier.announce(notice, now),
            Command::Finished => self.finish(inputs),
            _ => {} // a call whose settings are missing: the configuration was checked, so there is none
        }
    }

    /// Nothing is left to wait for, or nobody waits any more. Of several processes that end at once each one may have
    /// left the running hour to the others: whoever goes last takes the lead, and sends it.
    fn finish(&mut self, inputs: &mut VecDeque<Input>) {
        self.finished = true;
        let Some(ending) = self.ending.as_mut().filter(|ending| !ending.last) else { return };
        let Some(share) = self.share.as_mut().filter(|_| Instant::now() < ending.until) else {
            return;
        };
        if share.leave() {
            (ending.last, self.finished) = (true, false);
            inputs.push_back(Input::Deposed);
            share.watch(self.clock.now(), self.clock.anchor().is_none(), inputs);
            inputs.push_back(Input::ShutDown { last: true });
        }
    }

    fn seat_answer(&mut self, seat: SeatId, answer: Result<Timestamp>) {
        let Some(waiting) = self.seats.get_mut(&seat) else { return };
        let reply = waiting.out.take();
        let answer = answer.map(|expires| Arc::new(SeatState::new(expires.0)));
        match &answer {
            Ok(state) => waiting.state = Some(state.clone()),
            Err(_) => drop(self.seats.remove(&seat)),
        }
        if let Some((_, reply)) = reply {
            let _ = reply.send(answer);
        }
    }

    /// Usage, then prepaid units: one entry a dimension or entitlement, over all processes of the task.
    fn accounts(&self) -> Vec<Account> {
        let mut accounts = self.usage();
        let mut holdings = vec![self.engine.holdings()];
        holdings.extend(self.share.as_ref().map_or_else(Vec::new, Share::held_by_others));
        for name in &self.drawdown {
            let kept = holdings.iter().filter_map(|holdings| holdings.units.get(name));
            accounts.push(kept.fold(
                drawdown::account(name, &KeptUnits::default()),
                |mut sum, units| {
                    sum.add(&drawdown::account(name, units));
                    sum
                },
            ));
        }
        accounts
    }

    fn usage(&self) -> Vec<Account> {
        let mut found =
            self.share.as_ref().map_or_else(Vec::new, |share| share.accounts(&self.engine));
        // In the order of the configuration, those that nothing was counted for too.
        let mut accounts: Vec<Account> = self
            .dimensions
            .iter()
            .map(|spec| {
                let name = spec.name.as_str();
                match found.iter().position(|account| account.dimension == name) {
                    Some(place) => found.swap_remove(place),
                    None => Account { dimension: name.to_owned(), ..Account::default() },
                }
            })
            .collect();
        accounts.append(&mut found);
        accounts
    }

    /// Of all dimensions: recorded by AWS, and waiting for it. The running hour has no part in either.
    fn delivered_and_pending(&self) -> (u64, u64) {
        let accounts = self
            .share
            .as_ref()
            .map_or_else(Vec::new, |share| share.captured_accounts(&self.engine));
        let sum = |part: fn(&Account) -> u64| accounts.iter().map(part).sum::<u64>();
        (sum(|a| a.delivered), sum(|a| a.pending))
    }

    fn answer_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let now = self.clock.now();
        let sending =
            self.engine.metering().is_some_and(|metering: &Metering| metering.sending(now));
        let (delivered, pending) = self.delivered_and_pending();
        self.flushes.retain(|flush| {
            let done = !sending || flush.until <= Instant::now();
            if done {
                let recorded = delivered.saturating_sub(flush.delivered);
                let _ = flush.reply.send(FlushReport { recorded, pending });
            }
            !done
        });
    }

    fn end(mut self) {
        let (accounts, usage) = (self.accounts(), self.usage());
        let sum = |part: fn(&Account) -> u64| usage.iter().map(part).sum::<u64>();
        let (delivered, pending, disputed) =
            (sum(|a| a.delivered), sum(|a| a.pending) + sum(|a| a.open), sum(|a| a.disputed));
        let ending = self.ending.take();
        let last = ending.as_ref().is_none_or(|ending| ending.last);
        let outlives = self.share.as_ref().is_some_and(|share| share.storage().outlives_task);
        // Given back before anybody hears that we have ended: the next process may start at once.
        self.share = None;
        let report = ShutdownReport {
            recorded: delivered
                .saturating_sub(ending.as_ref().map_or(0, |ending| ending.delivered)),
            pending,
            disputed,
            seats_returned: self.engine.seats_returned(),
            may_be_lost: pending > 0 && last && !outlives,
            accounts,
        };
        for waiting in self.seats.values() {
            if let Some(state) = &waiting.state {
                state.end();
            }
        }
        let license = (**self.engine.license()).clone();
        let license = License {
            verdict: Verdict::Pending,
            reason: Reason::ShutDown,
            text: marked(license.sandbox, "the guard was shut down; init a new guard".into()),
            until: None,
            ..license
        };
        self.shared.publish(Arc::new(license));
        self.shared.set_report(&report);
        if let Some(ending) = ending {
            let _ = ending.reply.send(report);
        }
    }
}

/// A smaller move of this computer's clock against AWS's changes nothing.
const CLOCK_MOVED_MS: i64 = 60_000;

/// For whoever waited and of whom the engine knows nothing more.
fn late(what: &str) -> Error {
    Error::new(Code::TimedOut, format!("cannot {what} within the time given; try again"))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn after(deadline: Duration) -> Instant {
    // A deadline beyond the clock's range is none: a year is as good.
    let now = Instant::now();
    now.checked_add(deadline).unwrap_or(now + Duration::from_secs(365 * 86_400))
}
