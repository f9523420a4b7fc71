//! The world of one seed: what is there, what is due, and the loop.

use crate::{
    agenda::Agenda,
    aws::Aws,
    figures::Figures,
    history::{History, Trace},
    ring::SERIES,
    rng::Rng,
    scenario::{DAY, HOUR, MINUTE, SECOND, Scenario},
    task::Task,
};
use mpguard_handless::{
    machine::{engine::Engine, input::Input},
    model::{entry::Entry, usage::Record},
};

/// AWS's time at the beginning: 1 January 2026.
pub(crate) const BEGIN: i64 = 1_767_225_600_000;

/// Something that will happen.
pub(crate) enum Event {
    /// An engine's time, or its driver's.
    Wake(usize),
    /// A process looks whether it should lead.
    Watch(usize),
    /// What a process waits for; it came from AWS itself, or not.
    Answer { process: usize, input: Box<Input>, from_aws: bool },
    /// A record arrives at AWS; the answer goes back to this process.
    Arrive { task: usize, record: Box<Record>, answer: Option<usize> },
    /// Products of a task count.
    Add(usize),
    /// A process asks AWS for the time.
    AskTime(usize),
    /// The leader of a task looks for directories of dead ones.
    Adopt(usize),
    /// The container of a task starts again.
    Restart(usize),
    /// A shutdown has lasted as long as it may.
    Deadline(usize),
    /// The process goes on.
    Continue(usize),
    /// The network gets better or worse.
    Network,
    /// A fault.
    Chaos,
}

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
    /// The role has lost its permission.
    Denied,
    /// The buyer has unsubscribed.
    Unsubscribed,
}

/// One process.
pub(crate) struct Process {
    pub(crate) task: usize,
    /// `None` in a forked child that only counts.
    pub(crate) engine: Option<Engine>,
    pub(crate) dead: bool,
    /// It has a part in the state of its task.
    pub(crate) opened: bool,
    pub(crate) stopped: bool,
    /// What came while it was stopped.
    pub(crate) kept: Vec<Event>,
    /// It knows AWS's time.
    pub(crate) known: bool,
    /// Its guess of the time is ahead by this much.
    pub(crate) ahead: i64,
    /// It thinks that it leads.
    pub(crate) leads: bool,
    /// Its shutdown was the last one.
    pub(crate) closing: bool,
    pub(crate) ending: bool,
    /// Entries that the disk has not taken.
    pub(crate) backlog: Vec<Entry>,
    /// A directory that it is adopting: whose, and the ledger.
    pub(crate) adopting: Option<usize>,
    pub(crate) wake: i64,
    /// AWS has said no to it.
    pub(crate) refused: bool,
    /// When it was forked with its parent's license.
    pub(crate) inherited_at: Option<i64>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) rng: Rng,
    pub(crate) now: i64,
    pub(crate) end: i64,
    pub(crate) scenario: Scenario,
    pub(crate) tasks: Vec<Task>,
    pub(crate) processes: Vec<Process>,
    pub(crate) aws: Aws,
    pub(crate) network: Network,
    /// Chaos is over: what is left must find its place.
    pub(crate) healing: bool,
    pub(crate) figures: Figures,
    pub(crate) ledgers: u64,
    agenda: Agenda<Event>,
    broken: Option<String>,
    trace: Trace,
}

impl History for World {
    type Figures = Figures;

    fn new(seed: u64, days: u64, trace: Trace) -> World {
        let mut rng = Rng::new(seed);
        let scenario = Scenario::draw(&mut rng);
        let begin = BEGIN + rng.between(0, 60 * DAY);
        let tasks: Vec<Task> =
            scenario.clocks.iter().zip(1..).map(|(clock, id)| Task::new(id, *clock)).collect();
        let mut world = World {
            seed,
            rng,
            now: begin,
            end: begin + days as i64 * DAY,
            ledgers: tasks.len() as u64,
            scenario,
            tasks,
            processes: Vec::new(),
            aws: Aws::default(),
            network: Network::Good,
            healing: false,
            figures: Figures::default(),
            agenda: Agenda::default(),
            broken: None,
            trace,
        };
        world.begin();
        world
    }

    fn run(&mut self) -> Option<String> {
        let begin = self.now;
        self.live(self.end);
        self.heal();
        for _ in 0..self.healing_hours() {
            self.live(self.now + HOUR);
        }
        self.finish();
        self.figures.hours = ((self.now - begin) / HOUR) as u64 * self.tasks.len() as u64;
        self.broken.clone()
    }

    fn add_to(&self, sum: &mut Figures) {
        sum.add(&self.figures);
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }
}

impl World {
    fn begin(&mut self) {
        for task in 0..self.tasks.len() {
            let dark = self.rng.pick(&[0, 0, 0, 10 * MINUTE, 5 * HOUR, 30 * HOUR]);
            self.tasks[task].dark_until = self.now + dark;
            let at = self.rng.between(0, 2 * HOUR);
            self.after(at, Event::Restart(task));
            self.after(at + MINUTE, Event::Add(task));
            self.after(at + 40 * MINUTE, Event::Adopt(task));
        }
        self.after(HOUR, Event::Network);
        self.after(HOUR, Event::Chaos);
    }

    fn live(&mut self, until: i64) {
        let most = 20_000 * (1 + (self.end - BEGIN) / DAY) as u64;
        while self.broken.is_none() {
            let Some((at, event)) = self.agenda.take(until) else { break };
            self.now = self.now.max(at);
            self.happen(event);
            if self.agenda.number > most {
                self.violate(|| "it never rests".into());
            }
        }
        self.now = self.now.max(until);
    }

    pub(crate) fn after(&mut self, delay: i64, event: Event) {
        self.agenda.put(self.now + delay.max(0), event);
    }

    fn happen(&mut self, event: Event) {
        let process = match &event {
            Event::Wake(p) | Event::Watch(p) | Event::AskTime(p) | Event::Deadline(p) => Some(*p),
            Event::Answer { process, .. } => Some(*process),
            _ => None,
        };
        if let Some(p) = process {
            let process = &mut self.processes[p];
            if process.dead {
                return;
            }
            if process.stopped {
                process.kept.push(event);
                return;
            }
        }
        match event {
            Event::Wake(p) => self.wake(p),
            Event::Watch(p) => self.watch(p),
            Event::Answer { process, input, from_aws } => {
                if from_aws {
                    self.learn_time(process);
                }
                self.note(|| format!("process {process} hears {input:?}"));
                self.hear(process, *input);
            }
            Event::Arrive { task, record, answer } => self.arrive(task, &record, answer),
            Event::Add(task) => self.add(task),
            Event::AskTime(p) => self.ask_time(p),
            Event::Adopt(task) => self.adopt(task),
            Event::Restart(task) => self.restart(task),
            Event::Deadline(p) => {
                if self.processes[p].ending {
                    self.hear(p, Input::Deadline);
                }
            }
            Event::Continue(p) => self.go_on(p),
            Event::Network => self.change_network(),
            Event::Chaos => self.fault(),
        }
    }

    /// Some products of a task count something.
    fn add(&mut self, task: usize) {
        if self.healing {
            return;
        }
        let delay = self.rng.between(SECOND, 2 * self.scenario.adding);
        self.after(delay, Event::Add(task));
        for _ in 0..=self.rng.below(3) {
            self.count(task, false);
        }
    }

    /// One add, when somebody is there to add.
    pub(crate) fn count(&mut self, task: usize, late: bool) {
        let counts = |p: &&usize| !self.processes[**p].stopped && !self.processes[**p].ending;
        if self.tasks[task].alive.iter().find(counts).is_none() {
            return;
        }
        let series = self.rng.below(SERIES as u64) as usize;
        let kind = self.scenario.kinds[series];
        let value =
            if kind.is_level() { 1 + self.rng.below(500) } else { 1 + self.rng.below(5000) };
        let task = &mut self.tasks[task];
        let Some(ring) = &mut task.ring else { return };
        ring.put(series, kind, value, late);
        if !kind.is_level() {
            task.adds[series] += value;
            self.figures.added += value;
        }
    }

    /// An invariant is broken. The first one counts.
    pub(crate) fn violate(&mut self, text: impl FnOnce() -> String) {
        if self.broken.is_none() {
            let text = format!("step {}: {}", self.figures.steps, text());
            self.note(|| text.clone());
            self.broken = Some(text);
        }
    }

    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        self.trace.note(self.now, text);
    }
}
