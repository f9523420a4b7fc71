//! The world of one seed: what is there, what is due, and the loop.

use super::{
    check::{Ask, Marks},
    figures::Figures,
    network::Network,
    pod::{Host, Pod},
    scenario::{DAY, HOUR, MINUTE, Scenario},
    service::Service,
};
use crate::{
    agenda::Agenda,
    history::{History, Trace},
    rng::Rng,
    scenario::wrong_clock,
};
use mpguard_handless::{
    machine::{command::Command, engine::Engine, input::Input},
    model::ids::SeatId,
};

use std::collections::{BTreeMap, BTreeSet};

/// Something that will happen.
pub(crate) enum Event {
    /// An engine's time.
    Wake(usize),
    /// A process looks whether it should lead, and what dead ones left.
    Watch(usize),
    /// What a process waits for; it came from AWS itself, or not.
    Answer { process: usize, input: Box<Input>, from_aws: bool },
    /// A call arrives at AWS; the answer goes back to this process.
    Arrive { call: Box<Command>, answer: Option<usize>, from: usize },
    /// The host of a process does something.
    Host(usize),
    /// A host gives seats back.
    Release(usize, SeatId),
    /// A host may have waited long enough.
    Patience(usize),
    /// The container of a pod starts again.
    Restart(usize),
    /// A shutdown has lasted as long as it may.
    Deadline(usize),
    /// A suspended process goes on.
    Continue(usize),
    /// The network gets better or worse.
    Network,
    /// A fault.
    Chaos,
    /// The buyer or AWS changes the license.
    License,
    /// Others of the account use the license.
    Crowd,
}

/// One process.
pub(crate) struct Process {
    pub(crate) pod: usize,
    pub(crate) engine: Engine,
    pub(crate) dead: bool,
    /// It has a part in the state of its pod.
    pub(crate) opened: bool,
    /// Its own holdings file.
    pub(crate) file: Option<usize>,
    /// Files of dead processes that it has in hand, by id.
    pub(crate) absorbing: Vec<String>,
    /// What it made durable last; `None` when the last try failed.
    pub(crate) kept: Option<mpguard_handless::model::holdings::Holdings>,
    pub(crate) stopped: bool,
    /// What came while it was stopped.
    pub(crate) waiting: Vec<Event>,
    /// It knows AWS's time.
    pub(crate) known: bool,
    /// Its guess of the time is ahead by this much.
    pub(crate) ahead: i64,
    pub(crate) ending: bool,
    pub(crate) wake: i64,
    pub(crate) host: Host,
    pub(crate) marks: Marks,
}

/// Everything.
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: i64,
    begin: i64,
    end: i64,
    pub(crate) scenario: Scenario,
    pub(crate) service: Service,
    pub(crate) pods: Vec<Pod>,
    pub(crate) processes: Vec<Process>,
    pub(crate) network: Network,
    /// Chaos is over: what is left must find its place.
    pub(crate) healing: bool,
    /// Hosts want nothing by themselves.
    pub(crate) quiet: bool,
    pub(crate) figures: Figures,
    pub(crate) files: u64,
    /// What became of client tokens.
    pub(crate) asks: BTreeMap<String, Ask>,
    /// Tokens that were checked in while nothing could be written down.
    pub(crate) unwritten: BTreeSet<String>,
    agenda: Agenda<Event>,
    broken: Option<String>,
    trace: Trace,
}

impl History for World {
    type Figures = Figures;

    fn new(seed: u64, days: u64, trace: Trace) -> World {
        let mut rng = Rng::new(seed ^ 0xc0_47ac);
        let begin = crate::world::BEGIN + rng.between(0, 60 * DAY);
        let scenario = Scenario::draw(&mut rng, begin);
        let service = Service::new(scenario.rules.clone(), scenario.license.clone());
        let mut world = World {
            rng,
            now: begin,
            begin,
            end: begin + days as i64 * DAY,
            service,
            pods: Vec::new(),
            processes: Vec::new(),
            network: Network::Good,
            healing: false,
            quiet: false,
            figures: Figures::default(),
            files: 0,
            asks: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            agenda: Agenda::default(),
            broken: None,
            trace,
            scenario,
        };
        world.begin();
        world
    }

    fn run(&mut self) -> Option<String> {
        self.live(self.end);
        self.finish();
        self.figures.hours = ((self.now - self.begin) / HOUR) as u64 * self.pods.len() as u64;
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
        for size in self.scenario.pods.clone() {
            let clock = wrong_clock(&mut self.rng);
            self.pods.push(Pod { size, clock, ran_until: self.now, ..Pod::default() });
            let at = self.rng.between(0, HOUR);
            self.pods_restart_after(self.pods.len() - 1, at);
        }
        self.after(HOUR, Event::Network);
        self.after(HOUR, Event::Chaos);
        let first = self.rng.between(HOUR, 3 * DAY);
        self.after(first, Event::License);
        if self.scenario.crowded {
            self.after(MINUTE, Event::Crowd);
        }
    }

    /// Lets time pass until then.
    pub(crate) fn live(&mut self, until: i64) {
        let most = 200_000 * (2 + (self.end - self.begin) / DAY) as u64;
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
            Event::Wake(p)
            | Event::Watch(p)
            | Event::Deadline(p)
            | Event::Host(p)
            | Event::Release(p, _)
            | Event::Patience(p) => Some(*p),
            Event::Answer { process, .. } => Some(*process),
            _ => None,
        };
        if let Some(p) = process {
            let process = &mut self.processes[p];
            if process.dead {
                return;
            }
            if process.stopped {
                process.waiting.push(event);
                return;
            }
        }
        match event {
            Event::Wake(p) => self.wake(p),
            Event::Watch(p) => self.watch(p),
            Event::Answer { process, input, from_aws } => self.answered(process, *input, from_aws),
            Event::Arrive { call, answer, from } => self.arrive(&call, answer, from),
            Event::Host(p) => self.act(p),
            Event::Release(p, seat) => self.release(p, seat),
            Event::Patience(p) => self.lose_patience(p),
            Event::Restart(pod) => self.restart(pod),
            Event::Deadline(p) => {
                if self.processes[p].ending {
                    self.hear(p, Input::Deadline);
                }
            }
            Event::Continue(p) => self.go_on(p),
            Event::Network => self.change_network(),
            Event::Chaos => self.fault(),
            Event::License => self.change_license(),
            Event::Crowd => self.crowd(),
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

    pub(crate) fn whole(&self) -> bool {
        self.broken.is_none()
    }

    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        self.trace.note(self.now, text);
    }
}
