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
    error::Result,
    machine::{
        command::Command,
        engine::Engine,
        input::{Inherited, Input},
        metering::Metering,
    },
    model::{
        entry::Entry,
        ids::{Identity, LeaseId},
        license::{License, Reason, Verdict},
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
    seats: HashMap<LeaseId, Waiting>,
    flushes: Vec<Flush>,
    ending: Option<Ending>,
    finished: bool,
}

#[derive(Default)]
struct Waiting {
    out: Option<SyncSender<Result<Arc<SeatState>>>>,
    back: Option<SyncSender<Result<()>>>,
    state: Option<Arc<SeatState>>,
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
        flushes.chain(self.ending.as_ref().map(|ending| ending.until)).min()
    }

    fn asked(&mut self, request: Request) {
        match request {
            Request::CheckOut { lease, spec, count, reply } => {
                self.seats.insert(lease, Waiting { out: Some(reply), ..Waiting::default() });
                self.hear(Input::SeatWanted { lease, spec, count });
            }
            Request::CheckIn { lease, reply } => match self.seats.get_mut(&lease) {
                Some(waiting) => {
                    waiting.out = None;
                    waiting.back = reply;
                    self.hear(Input::SeatReleased(lease));
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
                let (until, delivered) = (after(deadline), self.delivered());
                self.flushes.push(Flush { until, delivered, reply });
                self.hear(Input::Flush);
            }
            Request::ShutDown { deadline, reply } => {
                let (until, delivered) = (after(deadline), self.delivered());
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
        if effects::rests_on_entries(&command)
            && let Some(why) = self.commit(Vec::new(), now, inputs)
            && let Some(input) = effects::unwritten(&command, &why)
        {
            inputs.push_back(input);
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
            Command::SeatAnswer { lease, answer } => self.seat_answer(lease, answer),
            Command::SeatState { lease, expires } => {
                if let Some(state) =
                    self.seats.get(&lease).and_then(|waiting| waiting.state.as_ref())
                {
                    match expires {
                        Some(expires) => state.extended(expires.0),
                        None => state.end(),
                    }
                }
            }
            Command::SeatReturned { lease, answer } => {
                if let Some(reply) = self.seats.remove(&lease).and_then(|waiting| waiting.back) {
                    let _ = reply.send(answer);
                }
            }
            Command::Publish(license) => self.shared.publish(license),
            Command::Announce(notice) => self.notifier.announce(notice, now),
            Command::Finished => self.finished = true,
            _ => {} // a call whose settings are missing: the configuration was checked, so there is none
        }
    }

    fn seat_answer(&mut self, lease: LeaseId, answer: Result<Timestamp>) {
        let Some(waiting) = self.seats.get_mut(&lease) else { return };
        let answer = answer.map(|expires| Arc::new(SeatState::new(expires.0)));
        if let Ok(state) = &answer {
            waiting.state = Some(state.clone());
        }
        if let Some(reply) = waiting.out.take() {
            let _ = reply.send(answer);
        }
    }

    fn accounts(&self) -> Vec<Account> {
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

    fn delivered(&self) -> u64 {
        self.accounts().iter().map(|account| account.delivered).sum()
    }

    fn answer_flushes(&mut self) {
        let now = self.clock.now();
        if self.flushes.is_empty() {
            return;
        }
        let sending =
            self.engine.metering().is_some_and(|metering: &Metering| metering.sending(now));
        let accounts = self.accounts();
        let sum = |part: fn(&Account) -> u64| accounts.iter().map(part).sum::<u64>();
        let (delivered, pending) = (sum(|a| a.delivered), sum(|a| a.pending));
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
        let accounts = self.accounts();
        let sum = |part: fn(&Account) -> u64| accounts.iter().map(part).sum::<u64>();
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
        let license = License {
            verdict: Verdict::Pending,
            reason: Reason::ShutDown,
            text: "the guard was shut down; init a new guard".into(),
            until: None,
            ..(**self.engine.license()).clone()
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
