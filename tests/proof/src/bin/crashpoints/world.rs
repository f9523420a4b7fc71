//! One task: a process that can die, a disk that can fail, and AWS.
//!
//! The ring lives in memory that outlives every process. What a power cut may take from it is a limit that is
//! declared elsewhere; here it loses nothing, so every count that is missing is the ledger's or the engine's fault.

use super::{
    aws::{Aws, Request},
    end::{self, LEDGER},
    scenarios::{Ends, HOSTS, REQUESTS, Says, Scenario, Then},
    task::{dimensions, identity, meaning, series},
    vfs::{CrashKind, Disk, Fault},
};
use mpguard_handless::{
    adapter::{
        segment::Segment,
        sqlite_ledger::{OpenError, SqliteLedger},
    },
    machine::{
        command::Command,
        engine::Engine,
        input::Input,
        metering::{Metering, Policy},
        plan::Plan,
    },
    model::{
        ids::Dimension,
        outcome::{Permitted, Sent},
        quantity::Raw,
        time::{Hour, Timestamp},
        usage::{Account, Lot, Lots, Record},
    },
    port::counters::Counters,
    shell::backlog::{Backlog, Written},
};
use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::Arc,
    time::Duration,
};

const START: Hour = Hour(490_000);
/// Long enough for everything that waits to find an hour, and for every window to close.
const HOURS_TO_SETTLE: u64 = 24;
/// More rounds than a story has records, so that a record that never ends does not keep us.
const ROUNDS: u64 = 32;

/// What goes wrong in one run.
#[derive(Clone, Copy)]
pub(crate) struct Mishaps<'a> {
    pub(crate) faults: &'a [(u64, Fault)],
    /// What the first crash leaves, and what later ones leave.
    pub(crate) kinds: [CrashKind; 2],
    /// What is torn where, and which requests arrive.
    pub(crate) seed: u64,
    /// Syncs report success and do nothing.
    pub(crate) lying_disk: bool,
}

/// What one run came to.
pub(crate) struct Ran {
    pub(crate) end: Result<(), String>,
    /// Steps of the disk until the story ended.
    pub(crate) steps: u64,
    /// Planned faults that have happened.
    pub(crate) faults: u64,
    /// Sends that did not happen because entries waited for the disk.
    pub(crate) unwritten: u64,
    pub(crate) recovery: Recovery,
    /// Where counts have ended that AWS does not have.
    pub(crate) ends: Ends,
}

/// The first recovery from a crash.
#[derive(Clone, Copy, Default)]
pub(crate) struct Recovery {
    /// Steps of the disk before and after it.
    pub(crate) steps: (u64, u64),
    /// The world that it began with. From the same world it goes the same way.
    pub(crate) world: u64,
}

pub(crate) struct World<'a> {
    disk: Disk,
    mishaps: Mishaps<'a>,
    segment: Arc<Segment>,
    now: Timestamp,
    /// Milliseconds that the computer's clock is behind, while AWS's time is unknown.
    behind: Option<i64>,
    process: Option<Process>,
    /// Processes so far.
    processes: u64,
    aws: Aws,
    added: BTreeMap<Dimension, Raw>,
    /// A dead task's ledger is there. It goes when its counts are durable in ours.
    orphan: bool,
    /// Passes of time; now and then somebody makes room on a full disk.
    passes: u64,
    steps: u64,
    crashes: u64,
    unwritten: u64,
    recovery: Option<Recovery>,
    ends: Ends,
}

struct Process {
    engine: Engine,
    lead: Option<Lead>,
}

struct Lead {
    ledger: SqliteLedger,
    counters: Box<dyn Counters>,
    backlog: Backlog,
    /// The engine has heard of the dead task's ledger.
    adopts: bool,
    /// A sync of the file had failed before this process opened it, which no process can know.
    poisoned_before: bool,
}

impl<'a> World<'a> {
    /// Plays `scenario` with these mishaps, and settles it on a well disk.
    pub(crate) fn play(scenario: &Scenario, mishaps: Mishaps<'a>) -> Ran {
        let behind = scenario.steps.iter().find_map(|then| match then {
            Then::Time(minutes) => Some(minutes * 60_000),
            _ => None,
        });
        let mut world = World {
            disk: if scenario.fresh { Disk::new() } else { end::fresh_ledger() },
            mishaps,
            segment: Segment::anonymous().expect("the system gives memory"),
            now: START.start().after(Duration::from_secs(60)),
            behind,
            process: None,
            processes: 0,
            aws: Aws::default(),
            added: BTreeMap::new(),
            orphan: false,
            passes: 0,
            steps: 0,
            crashes: 0,
            unwritten: 0,
            recovery: None,
            ends: Ends::default(),
        };
        if mishaps.lying_disk {
            world.disk.lie();
        }
        world.plan_faults();
        let end = world.tell(scenario).and_then(|()| world.settle());
        Ran {
            end,
            steps: world.steps,
            faults: world.disk.faults(),
            unwritten: world.unwritten,
            recovery: world.recovery.unwrap_or_default(),
            ends: world.ends,
        }
    }

    /// The faults that are still to come. A crash makes a disk forget them.
    fn plan_faults(&self) {
        let done = self.disk.steps();
        for (step, fault) in self.mishaps.faults.iter().filter(|(step, _)| *step > done) {
            self.disk.plan(*step, *fault);
        }
    }

    fn tell(&mut self, scenario: &Scenario) -> Result<(), String> {
        self.start()?;
        for (number, then) in scenario.steps.iter().enumerate() {
            self.then(*then).map_err(|why| format!("{then:?} (number {number}): {why}"))?;
        }
        self.steps = self.disk.steps();
        Ok(())
    }

    fn then(&mut self, then: Then) -> Result<(), String> {
        match then {
            Then::Add(series, raw) => {
                let (dimension, kind) = meaning(series);
                // Before the first process has led no slab is open, and nobody has a meter.
                if Segment::adder(&self.segment).put(series, kind, raw).is_ok() {
                    *self.added.entry(dimension).or_default() += raw;
                }
            }
            Then::Hour => self.hour()?,
            Then::Pass(seconds) => self.pass(Duration::from_secs(seconds))?,
            Then::Aws(says) => self.answer(says)?,
            Then::Restart => {
                self.hear(Input::ShutDown { last: true })?;
                self.answer_all()?;
                self.start()?;
            }
            Then::Recycle => {
                self.hear(Input::ShutDown { last: false })?;
                self.start()?;
            }
            Then::Kill => self.start()?,
            Then::Time(_) => self.time_known()?,
            Then::TakeOver => {
                self.orphan = true;
                let (waiting, disputed) = orphan();
                for (lot, raw) in waiting.iter().chain(&disputed) {
                    *self.added.entry(meaning(lot.series).0).or_default() += raw;
                }
            }
        }
        self.look_for_the_ledger()
    }

    /// A process without a ledger tries to lead again.
    fn look_for_the_ledger(&mut self) -> Result<(), String> {
        if self.process.as_ref().is_some_and(|process| process.lead.is_some()) {
            return Ok(());
        }
        let mut inputs = VecDeque::new();
        self.lead(&mut inputs)?;
        if self.disk.is_dead() { self.bury() } else { self.hear_all(inputs) }
    }

    fn clock(&self) -> Timestamp {
        Timestamp(self.now.0 - self.behind.unwrap_or(0))
    }

    /// The running hour ends, and the time to send comes.
    fn hour(&mut self) -> Result<(), String> {
        let end = self.clock().hour().end();
        self.pass(end.since(self.clock()))?;
        self.pass(Duration::from_secs(16 * 60))
    }

    fn pass(&mut self, time: Duration) -> Result<(), String> {
        self.now = self.now.after(time);
        self.passes += 1;
        if self.passes.is_multiple_of(3) {
            self.disk.make_room();
        }
        self.hear(Input::Tick)
    }

    fn time_known(&mut self) -> Result<(), String> {
        let Some(behind) = self.behind.take() else { return Ok(()) };
        self.hear(Input::TimeKnown { behind_ms: behind, guess_behind_ms: behind })
    }

    /// A process begins; the one before is gone.
    fn start(&mut self) -> Result<(), String> {
        self.process = None;
        self.processes += 1;
        let plan = Plan {
            usage: true,
            dimensions: dimensions(),
            metering: Policy { outage_stop: Duration::from_secs(7200), zero_records: false },
            ..Plan::default()
        };
        let seed = [u8::try_from(self.processes % 251).unwrap_or(0); 32];
        let mut engine = Engine::new(plan, seed, self.clock());
        if self.behind.is_none() {
            engine.step(Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 }, self.clock());
        }
        self.process = Some(Process { engine, lead: None });
        self.hear(Input::Start { inherited: None })
    }

    /// Takes the lead: opens the ledger, and brings what was not captured.
    fn lead(&mut self, inputs: &mut VecDeque<Input>) -> Result<(), String> {
        let fence = Box::new(|| true);
        let opened =
            match SqliteLedger::open(Path::new(LEDGER), &end::who(), fence, self.disk.place()) {
                Ok(opened) => opened,
                Err(_) if self.disk.is_dead() => return Ok(()),
                Err(OpenError::Unwritable(_)) => return Ok(()), // it is tried again
                Err(why) => return Err(format!("the ledger is not what it was: {why:?}")),
            };
        let (hour, guess) = (self.clock().hour(), self.behind.is_some());
        let damaged = self.segment.recover(opened.books.captured, hour, guess);
        if !damaged.is_empty() {
            return Err(format!("slabs {damaged:?} are damaged"));
        }
        let mut counters: Box<dyn Counters> = Box::new(Segment::counters(&self.segment, false));
        let hour = counters.hour();
        inputs.push_back(Input::Led { books: Box::new(opened.books), hour });
        inputs.push_back(Input::Series(series()));
        inputs.extend(
            counters.uncaptured().into_iter().map(|slab| Input::Captured { slab, next: hour }),
        );
        let (ledger, backlog) = (opened.ledger, Backlog::default());
        let poisoned_before = self.disk.is_poisoned(LEDGER);
        if let Some(process) = &mut self.process {
            let lead = Lead { ledger, counters, backlog, adopts: false, poisoned_before };
            process.lead = Some(lead);
        }
        self.adopt(inputs);
        Ok(())
    }

    /// Looks for the ledger of a dead task, as a leader does first and after each hour.
    fn adopt(&mut self, inputs: &mut VecDeque<Input>) {
        let lead = self.process.as_mut().and_then(|process| process.lead.as_mut());
        if let Some(lead) = lead.filter(|_| self.orphan) {
            lead.adopts = true;
            let ((waiting, disputed), ledger) = (orphan(), "other".to_owned());
            let why = "a dead task".to_owned();
            inputs.push_back(Input::TakenOver { ledger, waiting, disputed, why });
        }
    }

    fn hear(&mut self, input: Input) -> Result<(), String> {
        self.hear_all(VecDeque::from([input]))
    }

    fn hear_all(&mut self, mut inputs: VecDeque<Input>) -> Result<(), String> {
        while let Some(input) = inputs.pop_front() {
            let now = self.clock();
            let Some(process) = &mut self.process else { return Ok(()) };
            for command in process.engine.step(input, now) {
                self.carry_out(command, now, &mut inputs)?;
                if self.disk.is_dead() {
                    return self.bury();
                }
            }
            if let Some(fault) = self.metering().and_then(|metering| metering.books().fault()) {
                return Err(fault);
            }
        }
        let lead = self.process.as_ref().and_then(|process| process.lead.as_ref());
        if lead.is_some_and(|lead| lead.adopts && lead.backlog.is_empty()) {
            self.orphan = false;
        }
        Ok(())
    }

    /// The power is gone: another process starts from what the disk holds.
    fn bury(&mut self) -> Result<(), String> {
        self.process = None;
        let from = self.disk.steps();
        let seed = self.mishaps.seed.wrapping_add(from * 31);
        let [first, later] = self.mishaps.kinds;
        self.aws.lose_senders(seed);
        self.disk.crash(if self.crashes == 0 { first } else { later }, seed);
        self.crashes += 1;
        self.plan_faults();
        let world = self.fingerprint();
        self.start()?;
        self.recovery.get_or_insert(Recovery { steps: (from, self.disk.steps()), world });
        Ok(())
    }

    /// Of everything that outlives a crash.
    fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let sequence = Segment::adder(&self.segment).sequence();
        (self.now.0, self.segment.captured(), sequence, self.orphan).hash(&mut hash);
        (&self.added, self.aws.fingerprint()).hash(&mut hash);
        self.disk.fingerprint(&mut hash);
        hash.finish()
    }

    fn carry_out(
        &mut self,
        command: Command,
        now: Timestamp,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        match command {
            Command::Identify => inputs.push_back(Input::Identified(Ok(identity()))),
            Command::Open(_) => {
                let mut led = VecDeque::new();
                self.lead(&mut led)?;
                let leading = !led.is_empty();
                inputs.push_back(Input::Opened { entitled: false, leading });
                inputs.append(&mut led);
            }
            Command::CheckUsage => inputs.push_back(Input::Permitted(Permitted::Yes)),
            _ => return self.carry_out_leading(command, now, inputs),
        }
        Ok(())
    }

    fn carry_out_leading(
        &mut self,
        command: Command,
        now: Timestamp,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        let lead = self.process.as_mut().and_then(|process| process.lead.as_mut());
        let Some(Lead { ledger, counters, backlog, poisoned_before, .. }) = lead else {
            return Ok(());
        };
        match command {
            Command::Commit(entries) => {
                let written = backlog.write(entries, ledger, &mut **counters, now);
                if written == Written::Deposed {
                    return Err("nobody else leads, but the ledger says so".to_owned());
                }
                // I10: after a failed sync a fresh file takes its place.
                let fresh = *poisoned_before || !self.disk.is_poisoned(LEDGER);
                if written == Written::Yes && !fresh {
                    return Err("it is written to a file whose sync has failed".to_owned());
                }
            }
            Command::Send(record) => {
                match backlog.write(Vec::new(), ledger, &mut **counters, now) {
                    Written::Yes => self.send(record)?,
                    Written::No(_) if self.disk.is_dead() => {}
                    Written::No(why) => {
                        self.unwritten += 1;
                        let (record, outcome) = (record.id, Sent::Unwritten(why));
                        inputs.push_back(Input::Sent { record, outcome });
                    }
                    Written::Deposed => return Err("the ledger has another leader".to_owned()),
                }
            }
            Command::Rotate { next, provisional } => match counters.rotate(next, provisional) {
                Some(slab) => {
                    inputs.push_back(Input::Captured { slab, next });
                    self.adopt(inputs);
                }
                None => inputs.push_back(Input::Unrotated),
            },
            Command::Label { hour } => counters.label(hour, false),
            Command::CloseCounters => {
                let hour = counters.hour();
                inputs.push_back(
                    counters
                        .close()
                        .map_or(Input::Unrotated, |slab| Input::Captured { slab, next: hour }),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, record: Record) -> Result<(), String> {
        if self.behind.is_some() {
            return Err(format!("{record:?} left before AWS's time was known"));
        }
        end::begun_before_sent(&self.disk, &record)?;
        self.aws.receive(self.processes, record)
    }

    /// AWS answers what is on its way. Nobody hears an answer to a process that is gone.
    fn answer(&mut self, says: Says) -> Result<(), String> {
        for Request { process, record } in self.aws.take_requests() {
            let outcome = self.aws.answer(&record, says);
            if process == self.processes {
                self.hear(Input::Sent { record: record.id, outcome })?;
            }
        }
        Ok(())
    }

    fn answer_all(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            if !self.aws.has_requests() {
                break;
            }
            self.answer(Says::Recorded)?;
        }
        Ok(())
    }

    /// The disk is well again and AWS answers: everything finds its end.
    fn settle(&mut self) -> Result<(), String> {
        self.disk.heal();
        self.then(Then::Time(0))?;
        for _ in 0..HOURS_TO_SETTLE {
            self.then(Then::Hour)?;
            self.answer_all()?;
            if self.is_settled() {
                break;
            }
        }
        let lead = self.process.as_ref().and_then(|process| process.lead.as_ref());
        if lead.is_none_or(|lead| !lead.backlog.is_empty()) {
            return Err("the disk is well, and entries still wait for it".to_owned());
        }
        let accounts = self.accounts();
        for Account { disputed, held, missed, .. } in &accounts {
            self.ends.disputed += disputed;
            self.ends.held += held;
            self.ends.missed += missed;
        }
        self.process = None;
        end::all_settled(&self.disk, &accounts, &self.added, &self.aws)
    }

    fn is_settled(&self) -> bool {
        let adder = Segment::adder(&self.segment);
        let open = series().iter().any(|(id, _)| adder.peek(*id) > 0);
        let busy = self.metering().is_none_or(|metering| !metering.books().records.is_empty());
        let accounts = self.accounts();
        let found = |name: &str| accounts.iter().find(|account| account.dimension == name);
        let waits = |name: &str, most| found(name).is_some_and(|account| account.pending >= most);
        let waits = dimensions().iter().any(|spec| waits(spec.name.as_str(), spec.scale().raw));
        !open && !busy && !waits && !self.orphan
    }

    fn accounts(&self) -> Vec<Account> {
        self.metering().map(Metering::accounts).unwrap_or_default()
    }

    fn metering(&self) -> Option<&Metering> {
        self.process.as_ref().and_then(|process| process.engine.metering())
    }
}

/// What the dead task's ledger holds: waiting, disputed.
fn orphan() -> (Lots, Lots) {
    let lot = |series| Lot { hour: Hour(START.0 - 2), series };
    (Lots::from([(lot(REQUESTS), 11), (lot(HOSTS), 4)]), Lots::from([(lot(REQUESTS), 3)]))
}
