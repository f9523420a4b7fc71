//! The driver of a process, by the rules of the product's own: commands in order, one transaction a commit, a
//! backlog while the disk is full, nothing sent before it is written down.

use crate::{
    ring::Ring,
    scenario::{DAY, MINUTE, SECOND},
    world::{Event, Process, World},
};
use mpguard_handless::{
    machine::{
        command::Command,
        engine::Engine,
        input::{Inherited, Input},
        metering::Metering,
    },
    model::{
        entry::Entry,
        ids::{Identity, Platform},
        license::Verdict,
        outcome::{Failure, FailureClass, Sent},
        time::{Hour, Timestamp},
    },
};
use std::collections::VecDeque;

/// When entries wait for a full disk, the next try is after this long.
const DISK_AGAIN: i64 = 30 * SECOND;
/// Who does not know the time asks again after this long.
const TIME_AGAIN: i64 = 10 * MINUTE;
/// How long a shutdown may last.
const ENDING: i64 = 8 * SECOND;

/// What becomes of the rest of a step.
#[derive(PartialEq, Eq)]
enum Rest {
    Goes,
    /// The process has died, or leads no more.
    Falls,
}

impl World {
    /// A process of `task` starts; a forked one knows what its parent knew.
    pub(crate) fn spawn(&mut self, task: usize, inherited: Option<Inherited>) -> usize {
        let p = self.attach(task, false);
        self.give_engine(p, inherited);
        p
    }

    /// A process; one that `only_counts` has no engine.
    pub(crate) fn attach(&mut self, task: usize, only_counts: bool) -> usize {
        self.figures.processes += 1;
        let p = self.processes.len();
        self.processes.push(Process {
            task,
            engine: None,
            dead: false,
            opened: false,
            stopped: false,
            kept: Vec::new(),
            known: false,
            ahead: self.tasks[task].clock,
            leads: false,
            closing: false,
            ending: false,
            backlog: Vec::new(),
            adopting: None,
            wake: i64::MAX,
            refused: false,
            inherited_at: None,
        });
        self.tasks[task].alive.push(p);
        self.note(|| format!("process {p} of task {task} starts, counts only: {only_counts}"));
        p
    }

    fn give_engine(&mut self, p: usize, inherited: Option<Inherited>) {
        let task = self.processes[p].task;
        let less = self.scenario.plan_less.clone().filter(|_| self.tasks[task].less);
        let plan = less.unwrap_or_else(|| self.scenario.plan.clone());
        let seed = self.rng.seed();
        let now = self.clock(p);
        self.processes[p].inherited_at = inherited.as_ref().map(|_| self.now);
        self.processes[p].engine = Some(Engine::new(plan, seed, now));
        self.hear(p, Input::Start { inherited });
        self.after(SECOND, Event::AskTime(p));
    }

    /// What a process believes the time to be.
    pub(crate) fn clock(&self, p: usize) -> Timestamp {
        let process = &self.processes[p];
        Timestamp(if process.known { self.now } else { self.now + process.ahead })
    }

    /// One input, all that follows from it at once, and the next time to wake up.
    pub(crate) fn hear(&mut self, p: usize, input: Input) {
        self.hear_all(p, VecDeque::from([input]));
    }

    /// The same with more inputs: what follows from one is heard after the others.
    pub(crate) fn hear_all(&mut self, p: usize, mut inputs: VecDeque<Input>) {
        while let Some(input) = inputs.pop_front() {
            let now = self.clock(p);
            let process = &mut self.processes[p];
            let Some(engine) = process.engine.as_mut().filter(|_| !process.dead) else { return };
            self.figures.steps += 1;
            let before = engine.license().verdict;
            let commands = engine.step(input, now);
            let after = engine.license().verdict;
            let refused = process.refused;
            // Errors decide nothing. What was inherited ends with the first answer, or after a day.
            let inherited = process.inherited_at.is_some();
            let aged = process.inherited_at.is_some_and(|at| at + DAY <= self.now);
            let may = match (before, after) {
                (Verdict::Pending, Verdict::Licensed) => true,
                (Verdict::Pending, Verdict::Denied) => refused,
                (Verdict::Licensed, Verdict::Denied) => inherited && refused,
                (Verdict::Licensed, Verdict::Pending) => aged,
                _ => false,
            };
            if before != after && !may {
                self.violate(|| format!("verdict of process {p}: {before:?} -> {after:?}"));
            }
            for command in commands {
                if self.execute(p, command, &mut inputs) == Rest::Falls {
                    break;
                }
            }
            self.look(p);
        }
        self.sleep(p);
    }

    fn execute(&mut self, p: usize, command: Command, inputs: &mut VecDeque<Input>) -> Rest {
        let task = self.processes[p].task;
        match command {
            Command::Identify => self.identify(p),
            Command::Open(_) => self.open(p, inputs),
            Command::Commit(entries) => return self.commit(p, entries, inputs),
            Command::Rotate { next, provisional } => {
                return self.rotate(p, next, provisional, inputs);
            }
            Command::CloseCounters => {
                let Some(ring) = &self.tasks[task].ring else { return Rest::Goes };
                let (next, provisional) = (ring.hour(), ring.provisional());
                return self.rotate(p, next, provisional, inputs);
            }
            Command::Label { hour } => {
                if self.deposed(p, inputs) {
                    return Rest::Falls;
                }
                if let Some(ring) = &mut self.tasks[task].ring {
                    ring.label(hour);
                }
            }
            Command::Send(record) => {
                if !self.processes[p].backlog.is_empty() {
                    let outcome = Sent::Unwritten("the disk is full".into());
                    inputs.push_back(Input::Sent { record: record.id, outcome });
                    return Rest::Goes;
                }
                if !self.send(p, record) {
                    return Rest::Falls;
                }
            }
            Command::CheckUsage | Command::ProbeUsage => self.check_usage(p),
            Command::Finished => {
                self.flush(p, inputs);
                self.leave(p);
                return Rest::Falls;
            }
            Command::Publish(_) | Command::Announce(_) => {}
            other => self.violate(|| format!("nobody asked for {other:?}")),
        }
        Rest::Goes
    }

    fn identify(&mut self, p: usize) {
        let task = self.processes[p].task;
        let known = self.healing || self.rng.mille(900);
        let identity = Identity {
            platform: Platform::Ecs,
            name: format!("task-{task}-of-{}", self.seed),
            region: "us-east-1".into(),
        };
        let failure = Failure { class: FailureClass::NotSent, text: "no metadata".into() };
        let input = Box::new(Input::Identified(if known { Ok(identity) } else { Err(failure) }));
        let delay = self.rng.between(1, SECOND);
        self.after(delay, Event::Answer { process: p, input, from_aws: false });
    }

    /// The state of the task opens; who can, leads.
    fn open(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        self.processes[p].opened = true;
        let task = &self.tasks[self.processes[p].task];
        if task.anchor == Some(task.boot) && !self.processes[p].known {
            self.processes[p].known = true;
            inputs.push_back(Input::TimeKnown {
                behind_ms: -task.clock,
                guess_behind_ms: -self.processes[p].ahead,
            });
        }
        let entitled = task.ledger.books.entitled;
        let leading = task.lock.is_none();
        inputs.push_back(Input::Opened { entitled, leading });
        if leading {
            self.lead(p, inputs);
        }
    }

    fn lead(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        let now = self.clock(p);
        let known = self.processes[p].known;
        let task = &mut self.tasks[self.processes[p].task];
        task.lock = Some(p);
        self.processes[p].leads = true;
        self.processes[p].adopting = None;
        let ring = task.ring.get_or_insert_with(|| Ring::new(now.hour(), !known));
        let books = Box::new(task.ledger.books.clone());
        let (hour, found) = (ring.hour(), ring.uncaptured());
        inputs.push_back(Input::Led { books, hour });
        inputs.push_back(Input::Series(self.scenario.series.clone()));
        for closed in found {
            inputs.push_back(Input::Captured { slab: closed, next: hour });
        }
        self.note(|| format!("process {p} leads"));
    }

    /// The lock is gone or somebody else's: nothing may be done any more.
    fn deposed(&mut self, p: usize, inputs: &mut VecDeque<Input>) -> bool {
        let task = self.processes[p].task;
        let process = &mut self.processes[p];
        if self.tasks[task].lock == Some(p) {
            return false;
        }
        process.leads = false;
        process.backlog.clear();
        self.give_back_claim(p);
        inputs.clear();
        inputs.push_back(Input::Deposed);
        self.note(|| format!("process {p} is deposed"));
        let delay = self.rng.between(1, 2 * SECOND);
        self.after(delay, Event::Watch(p));
        true
    }

    fn rotate(
        &mut self,
        p: usize,
        next: Hour,
        provisional: bool,
        inputs: &mut VecDeque<Input>,
    ) -> Rest {
        if self.deposed(p, inputs) {
            return Rest::Falls;
        }
        let task = self.processes[p].task;
        let Some(ring) = &mut self.tasks[task].ring else { return Rest::Goes };
        if !ring.publish(next, provisional) {
            self.figures.unrotated += 1;
            inputs.push_back(Input::Unrotated);
            return Rest::Goes;
        }
        if !self.healing && self.rng.mille(300) {
            // Adders that had the old slab in hand, and one that has the new one.
            self.count(task, true);
            self.count(task, false);
        }
        if self.crashes(p) {
            return Rest::Falls;
        }
        let ring = self.tasks[task].ring.as_mut().expect("the ring was there above");
        if let Some(closed) = ring.close_before() {
            inputs.push_back(Input::Captured { slab: closed, next });
        }
        if self.crashes(p) { Rest::Falls } else { Rest::Goes }
    }

    /// One transaction; what the disk does not take waits before all that follows.
    fn commit(&mut self, p: usize, entries: Vec<Entry>, inputs: &mut VecDeque<Input>) -> Rest {
        self.processes[p].backlog.extend(entries);
        if self.crashes(p) {
            return Rest::Falls;
        }
        if !self.flush(p, inputs) {
            return Rest::Falls;
        }
        if self.crashes(p) { Rest::Falls } else { Rest::Goes }
    }

    /// Writes what waits. False when this process leads no more.
    pub(crate) fn flush(&mut self, p: usize, inputs: &mut VecDeque<Input>) -> bool {
        if self.processes[p].backlog.is_empty() {
            return true;
        }
        if self.deposed(p, inputs) {
            return false;
        }
        let task = self.processes[p].task;
        if self.tasks[task].disk_full_until > self.now {
            return true;
        }
        self.figures.commits += 1;
        let mut captured = 0;
        for entry in std::mem::take(&mut self.processes[p].backlog) {
            self.note(|| format!("process {p} writes {entry:?}"));
            self.check_entry(p, &entry);
            self.tasks[task].ledger.books.apply(&entry);
            if let Entry::Captured { sequence, .. } = entry {
                captured = captured.max(sequence);
            }
        }
        if captured > 0 {
            if self.crashes(p) {
                return false;
            }
            if let Some(ring) = &mut self.tasks[task].ring {
                ring.hint = ring.hint.max(captured);
            }
        }
        self.adopted(p);
        true
    }

    /// The next time that something is due, by the engine or by its driver.
    fn sleep(&mut self, p: usize) {
        let clock = self.clock(p);
        let process = &mut self.processes[p];
        let Some(engine) = process.engine.as_ref().filter(|_| !process.dead) else { return };
        let due = engine.due(clock).map(|due| self.now + (due.0 - clock.0).max(1));
        let again = (!process.backlog.is_empty()).then_some(self.now + DISK_AGAIN);
        let Some(at) = due.into_iter().chain(again).min() else {
            process.wake = i64::MAX;
            return;
        };
        if at != process.wake {
            process.wake = at;
            self.after(at - self.now, Event::Wake(p));
        }
    }

    pub(crate) fn wake(&mut self, p: usize) {
        if self.processes[p].wake > self.now {
            return; // this one was put off
        }
        self.processes[p].wake = i64::MAX;
        let mut inputs = VecDeque::new();
        if self.flush(p, &mut inputs) {
            inputs.push_back(Input::Tick);
        }
        self.hear_all(p, inputs);
    }

    pub(crate) fn watch(&mut self, p: usize) {
        let task = self.processes[p].task;
        if self.tasks[task].lock.is_some() || self.tasks[task].deleted || self.processes[p].ending {
            return;
        }
        if self.processes[p].engine.is_none() {
            // A forked child starts its engine with its first slow call; it inherits nothing here.
            return self.give_engine(p, None);
        }
        let mut inputs = VecDeque::new();
        if self.processes[p].leads || !self.processes[p].opened {
            return; // it has no part in its task yet, or does not know that it was deposed
        }
        self.lead(p, &mut inputs);
        self.hear_all(p, inputs);
    }

    /// Any answer of AWS tells its time.
    pub(crate) fn learn_time(&mut self, p: usize) {
        let task = self.processes[p].task;
        if self.processes[p].known || self.tasks[task].dark_until > self.now {
            return;
        }
        let behind_ms = -self.tasks[task].clock;
        self.processes[p].known = true;
        self.tasks[task].anchor = Some(self.tasks[task].boot);
        self.note(|| format!("process {p} learns that its clock is {behind_ms} ms behind"));
        let guess_behind_ms = -self.processes[p].ahead;
        self.hear(p, Input::TimeKnown { behind_ms, guess_behind_ms });
    }

    pub(crate) fn ask_time(&mut self, p: usize) {
        if self.processes[p].known {
            return;
        }
        self.after(TIME_AGAIN, Event::AskTime(p));
        let task = &self.tasks[self.processes[p].task];
        if task.anchor == Some(task.boot) || self.reachable() {
            self.learn_time(p);
        }
    }

    /// Shuts a process down.
    pub(crate) fn shut_down(&mut self, p: usize) {
        let task = self.processes[p].task;
        let last = self.tasks[task].alive.len() == 1;
        self.figures.ends += 1;
        self.note(|| format!("process {p} shuts down, last: {last}"));
        self.processes[p].ending = true;
        self.processes[p].closing = last;
        if self.processes[p].engine.is_none() {
            return self.leave(p);
        }
        self.after(ENDING, Event::Deadline(p));
        self.hear(p, Input::ShutDown { last });
    }

    /// The process is gone, by its own will or not.
    pub(crate) fn leave(&mut self, p: usize) {
        if std::mem::replace(&mut self.processes[p].dead, true) {
            return;
        }
        let process = &mut self.processes[p];
        (process.engine, process.kept) = (None, Vec::new());
        let t = process.task;
        self.give_back_claim(p);
        self.note(|| format!("process {p} is gone"));
        self.tasks[t].alive.retain(|other| *other != p);
        if self.tasks[t].lock == Some(p) {
            self.tasks[t].lock = None;
        }
        for other in self.tasks[t].alive.clone() {
            let delay = self.rng.between(500, 2 * SECOND);
            self.after(delay, Event::Watch(other));
        }
        if self.tasks[t].alive.is_empty() && !self.tasks[t].deleted && !self.tasks[t].restart_due {
            self.tasks[t].restart_due = true;
            let delay = self.rng.pick(&[SECOND, 5 * SECOND, 20 * MINUTE, 3 * 60 * MINUTE]);
            let delay = if self.healing { SECOND } else { delay };
            self.after(delay, Event::Restart(t));
        }
    }

    pub(crate) fn kill(&mut self, p: usize) {
        self.figures.crashes += 1;
        self.note(|| format!("process {p} is killed"));
        self.leave(p);
    }

    /// A crash at this very step, when the seed says so.
    pub(crate) fn crashes(&mut self, p: usize) -> bool {
        let crashes = !self.healing && self.rng.below(10_000) < self.scenario.crash;
        if crashes {
            self.kill(p);
        }
        crashes
    }

    pub(crate) fn metering(&self, p: usize) -> Option<&Metering> {
        self.processes[p].engine.as_ref().and_then(Engine::metering)
    }
}
