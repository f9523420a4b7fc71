//! The driver: the loop that feeds the engine and carries out its commands.

use super::{
    catalog::Catalog,
    effects::{self, Product},
    mailbox::Request,
    notifier::Notifier,
    report::{FlushReport, SeatState, ShutdownReport},
    shared::Shared,
};
use crate::{
    error::Result,
    machine::{command::Command, engine::Engine, input::Input, metering::Metering, plan::Plan},
    model::{
        ids::LeaseId,
        license::{License, Reason, Verdict},
        time::Timestamp,
        usage::Account,
    },
    port::{clock::Clock, cloud::Cloud, counters::Counters, ledger::Ledger, parts::Connected},
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
    counters: Box<dyn Counters + Send>,
    ledger: Box<dyn Ledger + Send>,
    engine: Engine,
    product: Product,
    catalog: Arc<Catalog>,
    /// Counters that the engine knows of.
    series_told: usize,
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
    reply: SyncSender<ShutdownReport>,
}

impl Driver {
    #[expect(clippy::too_many_arguments, reason = "one maker, one caller, all parts named there")]
    pub(crate) fn new(
        connected: Connected,
        mut counters: Box<dyn Counters + Send>,
        ledger: Box<dyn Ledger + Send>,
        seed: [u8; 32],
        plan: Plan,
        product: Product,
        catalog: Arc<Catalog>,
        shared: Arc<Shared>,
        notifier: Arc<Notifier>,
        mailbox: UnboundedReceiver<Request>,
    ) -> Driver {
        let Connected { clock, cloud } = connected;
        let now = clock.now();
        counters.label(now.hour());
        Driver {
            engine: Engine::new(plan, seed, now),
            clock,
            cloud,
            counters,
            ledger,
            product,
            catalog,
            series_told: 0,
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

    pub(crate) async fn run(mut self) {
        self.hear(Input::Start { hour: self.counters.hour() });
        self.shared.started();
        while !self.finished {
            self.answer_flushes();
            let due = self.engine.due(self.clock.now());
            if self.calls.is_empty() && due.is_none_or(|due| due > self.clock.now()) {
                self.clock.at_rest();
            }
            let patience = self.patience();
            tokio::select! {
                biased;
                request = self.mailbox.recv() => match request {
                    Some(request) => self.asked(request),
                    None => self.finished = true, // every handle is gone: nobody is left to end us
                },
                Some(done) = self.calls.join_next() => if let Ok(input) = done {
                    if effects::failed(&input) {
                        self.shared.count_failure();
                    }
                    self.hear(input);
                },
                () = self.clock.wait(due) => self.hear(Input::Tick),
                () = tokio::time::sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => {
                    if self.ending.as_ref().is_some_and(|ending| ending.until <= Instant::now()) {
                        self.hear(Input::Deadline);
                    }
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
                self.ending = Some(Ending { until, delivered, reply });
                self.hear(Input::ShutDown);
            }
        }
    }

    /// Feeds one input, and whatever its commands bring at once.
    fn hear(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.clock.now();
            let mut unwritten = None;
            for command in self.engine.step(input, now) {
                self.carry_out(command, now, &mut unwritten, &mut inputs);
            }
        }
    }

    fn carry_out(
        &mut self,
        command: Command,
        now: Timestamp,
        unwritten: &mut Option<String>,
        inputs: &mut VecDeque<Input>,
    ) {
        if let Some(why) = unwritten
            && let Some(input) = effects::unwritten(&command, why)
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
            Command::Commit(entries) => {
                if let Err(why) = self.ledger.commit(&entries) {
                    *unwritten = Some(why.0);
                }
            }
            Command::Rotate { next } => {
                let hour = self.counters.hour();
                let values = self.counters.rotate(next);
                self.tell_series(inputs);
                inputs.push_back(Input::Captured { hour, next, values });
            }
            Command::CloseCounters => {
                let hour = self.counters.hour();
                let values = self.counters.close();
                self.tell_series(inputs);
                inputs.push_back(Input::Captured { hour, next: hour.next(), values });
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

    fn tell_series(&mut self, inputs: &mut VecDeque<Input>) {
        let new = self.catalog.since(self.series_told);
        if !new.is_empty() {
            self.series_told += new.len();
            inputs.push_back(Input::Series(new));
        }
    }

    fn accounts(&mut self) -> Vec<Account> {
        let mut accounts = self.engine.accounts();
        let adder = self.counters.adder();
        if self.engine.metering().is_some_and(|metering| !metering.closed()) {
            for (id, series) in self.catalog.since(0) {
                if let Some(account) = accounts.get_mut(series.dimension) {
                    let open = adder.peek(id);
                    account.open += open;
                    account.added += open;
                }
            }
        }
        accounts
    }

    fn delivered(&self) -> u64 {
        self.engine.accounts().iter().map(|account| account.delivered).sum()
    }

    fn answer_flushes(&mut self) {
        let now = self.clock.now();
        let sending =
            self.engine.metering().is_some_and(|metering: &Metering| metering.sending(now));
        let accounts = self.engine.accounts();
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
        let report = ShutdownReport {
            recorded: delivered
                .saturating_sub(ending.as_ref().map_or(0, |ending| ending.delivered)),
            pending,
            disputed,
            seats_returned: self.engine.seats_returned(),
            may_be_lost: pending > 0 && self.ledger.storage() == "memory",
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

fn after(deadline: Duration) -> Instant {
    // A deadline beyond the clock's range is none: a year is as good.
    let now = Instant::now();
    now.checked_add(deadline).unwrap_or(now + Duration::from_secs(365 * 86_400))
}
