//! The driver of a process, by the rules of the product's own: commands in order, holdings durable before what
//! follows them, files of dead processes taken once.

use super::{
    check::Marks,
    pod::{File, Host},
    scenario::{DAY, MINUTE, SECOND},
    world::{Event, Process, World},
};
use mpguard_handless::{
    machine::{command::Command, engine::Engine, input::Input},
    model::{
        holdings::Holdings,
        ids::{Identity, Platform},
        outcome::{Failure, FailureClass},
        time::Timestamp,
    },
};
use std::collections::VecDeque;

/// How long a shutdown may last.
const ENDING: i64 = 8 * SECOND;
/// A leader looks for files of dead processes, and a follower for a dead leader.
const WATCH: i64 = 20 * SECOND;

/// What becomes of the rest of a step.
#[derive(PartialEq, Eq)]
enum Rest {
    Goes,
    /// The process has died.
    Falls,
}

impl World {
    /// A process of `pod` starts.
    pub(crate) fn spawn(&mut self, pod: usize) {
        self.figures.processes += 1;
        let (p, seed) = (self.processes.len(), self.rng.seed());
        let ahead = self.pods[pod].clock;
        let now = Timestamp(self.now + ahead);
        self.processes.push(Process {
            pod,
            engine: Engine::new(self.scenario.plan.clone(), seed, now),
            dead: false,
            opened: false,
            file: None,
            absorbing: Vec::new(),
            kept: None,
            stopped: false,
            waiting: Vec::new(),
            known: false,
            ahead,
            ending: false,
            wake: i64::MAX,
            host: Host::default(),
            marks: Marks::new(self.now),
        });
        self.count_run(pod);
        self.pods[pod].starts += 1;
        self.pods[pod].alive.push(p);
        self.note(|| format!("process {p} of pod {pod} starts, its clock ahead by {ahead}"));
        self.hear(p, Input::Start { inherited: None });
        let first = self.rng.between(SECOND, MINUTE);
        self.after(first, Event::Host(p));
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

    pub(crate) fn hear_all(&mut self, p: usize, mut inputs: VecDeque<Input>) {
        while let Some(input) = inputs.pop_front() {
            if self.processes[p].dead {
                return;
            }
            let now = self.clock(p);
            self.figures.steps += 1;
            let before = self.processes[p].engine.license().clone();
            let commands = self.processes[p].engine.step(input, now);
            self.check_verdict(p, &before);
            for command in commands {
                if self.execute(p, command, &mut inputs) == Rest::Falls {
                    return;
                }
            }
        }
        self.look(p);
        self.sleep(p);
    }

    fn execute(&mut self, p: usize, command: Command, inputs: &mut VecDeque<Input>) -> Rest {
        match command {
            Command::Identify => self.identify(p),
            Command::Open(_) => self.open(p, inputs),
            Command::KeepHoldings => return self.keep(p, inputs),
            Command::Remember(remembered) => {
                let full = self.disk_full(p);
                let pod = &mut self.pods[self.processes[p].pod];
                if pod.leader == Some(p) && !full {
                    pod.remembered = Some(*remembered);
                } else {
                    pod.unwritten |= full;
                }
            }
            Command::Publish(_) => {}
            Command::Announce(notice) => self.told(p, &notice),
            Command::SeatAnswer { seat, answer } => self.seat_answer(p, seat, answer),
            Command::SeatState { seat, expires } => self.seat_state(p, seat, expires),
            Command::SeatReturned { seat, .. } => drop(self.processes[p].host.seats.remove(&seat)),
            Command::UnitsAnswer { draw, answer } => self.units_answer(p, draw, answer),
            Command::Finished => {
                self.finished(p);
                return Rest::Falls;
            }
            call @ (Command::AskTiers { .. }
            | Command::AskDetails { .. }
            | Command::AskConsumption { .. }
            | Command::CheckOut { .. }
            | Command::Extend { .. }
            | Command::CheckIn { .. }
            | Command::DrawDown { .. }) => {
                self.check_call(p, &call);
                if !self.call(p, call) {
                    return Rest::Falls;
                }
            }
            other => self.violate(|| format!("nobody asked for {other:?}")),
        }
        if self.crashes(p) { Rest::Falls } else { Rest::Goes }
    }

    fn identify(&mut self, p: usize) {
        let known = self.healing || self.rng.mille(900);
        let identity = Identity {
            platform: Platform::Ecs,
            name: format!("pod-{}", self.processes[p].pod),
            region: "us-east-1".into(),
        };
        let failure = Failure { class: FailureClass::NotSent, text: "no metadata".into() };
        let input = Box::new(Input::Identified(if known { Ok(identity) } else { Err(failure) }));
        let delay = self.rng.between(1, SECOND);
        self.after(delay, Event::Answer { process: p, input, from_aws: false });
    }

    /// The state of the pod opens: the file of a dead process is ours, and so is what was remembered.
    fn open(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        let pod = self.processes[p].pod;
        self.processes[p].opened = true;
        if self.pods[pod].anchor == Some(self.pods[pod].boot) {
            self.know_time(p, inputs);
        }
        let leading = self.lead(p);
        inputs.push_back(Input::Opened { entitled: false, leading });
        self.take(p, inputs);
        if let Some(remembered) = self.pods[pod].remembered.clone() {
            let yes_at = self.pods[pod].yes_at;
            let heard_no = self.pods[pod].heard_no;
            self.processes[p].marks.remembered(&remembered, yes_at, heard_no);
            inputs.push_back(Input::Remembered(Box::new(remembered)));
        }
        if leading {
            self.take_abandoned(p, inputs);
        }
        self.after(WATCH, Event::Watch(p));
    }

    fn lead(&mut self, p: usize) -> bool {
        let pod = &mut self.pods[self.processes[p].pod];
        *pod.leader.get_or_insert(p) == p
    }

    /// The first file of a dead process is this one's from now on.
    fn take(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        let pod = self.processes[p].pod;
        for f in self.dead_files(pod) {
            if self.named(pod, f, None) {
                self.remove(pod, f);
                continue;
            }
            let files = &mut self.pods[pod].files;
            files[f].owner = Some(p);
            let mut holdings = files[f].holdings.clone();
            holdings.absorbed.retain(|id| files.iter().any(|file| file.id == *id));
            self.processes[p].file = Some(f);
            self.figures.took += 1;
            self.mark_taken(p, &holdings);
            self.note(|| format!("process {p} takes {holdings:?}"));
            if holdings != Holdings::default() {
                inputs.push_back(Input::Took { id: None, holdings: Box::new(holdings) });
            }
            return;
        }
    }

    /// The leader takes what other dead processes held.
    fn take_abandoned(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        let pod = self.processes[p].pod;
        let there: Vec<String> = self.pods[pod].files.iter().map(|file| file.id.clone()).collect();
        for f in self.dead_files(pod) {
            if self.named(pod, f, self.processes[p].file) {
                self.remove(pod, f);
                continue;
            }
            let file = &mut self.pods[pod].files[f];
            // First those go that are in these.
            if file.holdings.absorbed.iter().any(|id| there.contains(id)) {
                continue;
            }
            file.owner = Some(p);
            let (id, holdings) = (file.id.clone(), file.holdings.clone());
            self.figures.absorbed += 1;
            self.mark_taken(p, &holdings);
            self.note(|| format!("process {p} absorbs {id}: {holdings:?}"));
            self.processes[p].absorbing.push(id.clone());
            inputs.push_back(Input::Took { id: Some(id), holdings: Box::new(holdings) });
        }
    }

    fn dead_files(&self, pod: usize) -> Vec<usize> {
        let files = self.pods[pod].files.iter().enumerate();
        let dead = files.filter(|(_, file)| file.owner.is_none());
        dead.filter(|(_, file)| file.holdings != Holdings::default()).map(|(f, _)| f).collect()
    }

    /// Another file has this one's content, and its process died before it could remove this one. The process that
    /// asks knows that of its own file.
    fn named(&self, pod: usize, f: usize, own: Option<usize>) -> bool {
        let files = &self.pods[pod].files;
        let mut others = (0..files.len()).filter(|other| *other != f && Some(*other) != own);
        others.any(|other| files[other].holdings.absorbed.contains(&files[f].id))
    }

    /// An emptied file of another id is as good as none.
    fn remove(&mut self, pod: usize, f: usize) {
        self.files += 1;
        let file = &mut self.pods[pod].files[f];
        *file =
            File { id: format!("file-{}", self.files), holdings: Holdings::default(), owner: None };
    }

    pub(crate) fn watch(&mut self, p: usize) {
        self.after(WATCH, Event::Watch(p));
        if self.processes[p].ending || !self.lead(p) {
            return;
        }
        let mut inputs = VecDeque::new();
        self.take_abandoned(p, &mut inputs);
        if !inputs.is_empty() {
            self.hear_all(p, inputs);
        }
    }

    /// Makes the holdings durable. Files of dead processes that are in them go.
    fn keep(&mut self, p: usize, inputs: &mut VecDeque<Input>) -> Rest {
        if !self.processes[p].opened {
            inputs.push_back(Input::Kept(Ok(())));
            return Rest::Goes;
        }
        let holdings = self.processes[p].engine.holdings();
        let nothing = self.processes[p].file.is_none() && holdings == Holdings::default();
        if self.processes[p].kept.as_ref() != Some(&holdings) && !nothing {
            self.processes[p].kept = None;
            if self.disk_full(p) {
                inputs.push_back(Input::Kept(Err("no space left on device".into())));
                return Rest::Goes;
            }
            self.write(p, holdings.clone());
        }
        if self.crashes(p) {
            return Rest::Falls;
        }
        let pod = self.processes[p].pod;
        for id in std::mem::take(&mut self.processes[p].absorbing) {
            if !holdings.absorbed.contains(&id) {
                self.processes[p].absorbing.push(id);
                continue;
            }
            if let Some(f) = self.pods[pod].files.iter().position(|file| file.id == id) {
                self.remove(pod, f);
            }
            inputs.push_back(Input::Absorbed(id));
        }
        inputs.push_back(Input::Kept(Ok(())));
        Rest::Goes
    }

    fn write(&mut self, p: usize, holdings: Holdings) {
        let pod = self.processes[p].pod;
        let f = match self.processes[p].file {
            Some(f) => f,
            None => self.fresh(p),
        };
        self.processes[p].file = Some(f);
        self.pods[pod].files[f].holdings = holdings.clone();
        self.processes[p].kept = Some(holdings);
    }

    /// A number that has no file, and whose lock is free.
    fn fresh(&mut self, p: usize) -> usize {
        let files = &mut self.pods[self.processes[p].pod].files;
        let none = Holdings::default();
        if let Some(f) = files.iter().position(|f| f.owner.is_none() && f.holdings == none) {
            files[f].owner = Some(p);
            return f;
        }
        self.files += 1;
        files.push(File { id: format!("file-{}", self.files), holdings: none, owner: Some(p) });
        files.len() - 1
    }

    fn disk_full(&self, p: usize) -> bool {
        self.pods[self.processes[p].pod].disk_full_until > self.now
    }

    /// The process hears from AWS for the first time.
    pub(crate) fn learn_time(&mut self, p: usize) {
        let pod = self.processes[p].pod;
        self.pods[pod].anchor = Some(self.pods[pod].boot);
        let mut inputs = VecDeque::new();
        self.know_time(p, &mut inputs);
        if !inputs.is_empty() {
            self.hear_all(p, inputs);
        }
    }

    fn know_time(&mut self, p: usize, inputs: &mut VecDeque<Input>) {
        if !std::mem::replace(&mut self.processes[p].known, true) {
            let behind_ms = -self.processes[p].ahead;
            self.note(|| {
                format!("process {p} knows the time, its guess was behind by {behind_ms}")
            });
            inputs.push_back(Input::TimeKnown { behind_ms, guess_behind_ms: behind_ms });
        }
    }

    pub(crate) fn wake(&mut self, p: usize) {
        if self.processes[p].wake <= self.now {
            self.processes[p].wake = i64::MAX;
            self.hear(p, Input::Tick);
        }
    }

    /// Wakes when the engine is due.
    fn sleep(&mut self, p: usize) {
        if self.processes[p].dead {
            return;
        }
        let clock = self.clock(p);
        let Some(due) = self.processes[p].engine.due(clock) else { return };
        // What is due already is due again in a moment: the product's loop does not sleep then.
        let delay = due.0.saturating_sub(clock.0).clamp(1, 30 * DAY);
        let at = self.now.saturating_add(delay);
        if at < self.processes[p].wake || self.processes[p].wake <= self.now {
            self.processes[p].wake = at;
            self.after(delay, Event::Wake(p));
        }
    }

    pub(crate) fn shut_down(&mut self, p: usize) {
        if self.processes[p].ending {
            return;
        }
        self.figures.ends += 1;
        self.note(|| format!("process {p} is shut down"));
        self.processes[p].ending = true;
        self.after(ENDING, Event::Deadline(p));
        self.hear(p, Input::ShutDown { last: true });
    }

    fn finished(&mut self, p: usize) {
        self.note(|| format!("process {p} has ended"));
        if !self.processes[p].ending {
            self.violate(|| format!("process {p} ends by itself"));
        }
        self.leave(p);
    }

    /// SIGKILL, at any moment.
    pub(crate) fn kill(&mut self, p: usize) {
        if self.processes[p].dead {
            return;
        }
        self.figures.crashes += 1;
        self.note(|| format!("process {p} is killed"));
        self.leave(p);
    }

    /// The process is no more: the kernel lets go of its locks.
    fn leave(&mut self, p: usize) {
        let pod = self.processes[p].pod;
        self.count_run(pod);
        self.processes[p].dead = true;
        for draw in self.processes[p].host.draws.values() {
            *self.pods[pod].untold.entry(draw.name.clone()).or_default() += draw.quantity;
        }
        let place = &mut self.pods[pod];
        place.alive.retain(|q| *q != p);
        for file in place.files.iter_mut().filter(|file| file.owner == Some(p)) {
            file.owner = None;
        }
        if place.leader == Some(p) {
            place.leader = None;
        }
        self.check_left(p);
        let delay = self.rng.pick(&[SECOND, 5 * SECOND, MINUTE, 10 * MINUTE, 90 * MINUTE]);
        self.pods_restart_after(pod, delay);
    }

    /// A crash between two commands of a step.
    pub(crate) fn crashes(&mut self, p: usize) -> bool {
        if self.processes[p].dead {
            return true;
        }
        let dies = !self.healing && self.rng.below(10_000) < self.scenario.crash;
        if dies {
            self.processes[p].marks.mid_step = true;
            self.kill(p);
        }
        dies
    }

    pub(crate) fn pods_restart_after(&mut self, pod: usize, delay: i64) {
        if !std::mem::replace(&mut self.pods[pod].restart_due, true) {
            self.after(delay, Event::Restart(pod));
        }
    }

    pub(crate) fn restart(&mut self, pod: usize) {
        self.pods[pod].restart_due = false;
        if self.quiet {
            return;
        }
        for _ in self.pods[pod].alive.len()..self.pods[pod].size {
            self.spawn(pod);
        }
    }

    /// Counts the time in which some process of the pod was alive.
    pub(crate) fn count_run(&mut self, pod: usize) {
        let place = &mut self.pods[pod];
        if !place.alive.is_empty() {
            place.ran += self.now - place.ran_until;
        }
        place.ran_until = self.now;
    }
}
