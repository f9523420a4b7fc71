//! The sandbox, the programs in it, and what is done to them.

use super::{
    Chance,
    compare::{self, Books, Outcome},
    figures,
    process::{Mark, Process, Signal},
    program::{Found, LANGUAGES, Orders, Program, READY, logs, strange},
    sky,
    tally::{DIMENSIONS, Tally},
};
use crate::run::Done;
use mpguard_tests::{lines::Lines, place::Place, player::Language, sandbox::Sandbox};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    os::unix::fs::FileExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Name of the task, and code of its product.
const NAME: &str = "torture";
/// Between a cluster worker's last add and its end, all included, at the end of a run.
const LAST_ENDS: Duration = Duration::from_secs(60);
/// Every window is over after these hours, so nothing may be pending then.
const HOURS_TO_DRAIN: u64 = 24;
/// How the process that closes the books begins an account.
const ACCOUNT: &str = "account: ";
/// Lines of one hour, at most.
const LINES_MAX: usize = 10_000;
const STEP: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(60);
/// For the end of all processes of a task; then it goes on whoever is left.
const QUIET_MAX: Duration = Duration::from_secs(8);
/// Between two lines that say that we are at work.
const TELL: Duration = Duration::from_secs(30);

pub(super) struct Stage {
    place: Place,
    sandbox: Sandbox,
    orders: Orders,
    mark: Mark,
    pulse: File,
    beats: u64,
    chance: Chance,
    programs: Vec<Program>,
    /// Process groups of all programs that were ever started.
    groups: BTreeSet<u32>,
    /// Nobody is started before, so that the last process of the task may end, and be the last.
    quiet_until: Option<Instant>,
    /// Stopped processes, and when they go on.
    stopped: Vec<(Process, Instant)>,
    began: Instant,
    began_ms: i64,
    /// What was done to whom and when, for whoever has to find out why.
    diary: File,
    done: figures::Done,
    wrong: Vec<String>,
}

impl Stage {
    pub(super) fn set(place: &Place, folder: &Path, seed: u64) -> Done<Stage> {
        let sandbox = Sandbox::start(place)?;
        let control = sandbox.control();
        let dimensions: Vec<&str> = DIMENSIONS.iter().map(|(name, _)| *name).collect();
        control
            .post("/_sandbox/products", &json!({"product_code": NAME, "dimensions": dimensions}))?;
        let config = json!({
            "pricing": "usage",
            "product_code": NAME,
            "dimensions": [
                {"name": "requests"},
                {"name": "gigabytes", "per_unit": 1000, "fraction_digits": 3},
                {"name": "jobs"},
            ],
            "sandbox": format!("{}/t/{NAME}", control.address()),
            "state_dir": folder.join("state"),
        });
        let began_ms = sky::now_ms(control)?;
        let orders = Orders { config: config.to_string(), folder: folder.to_owned() };
        let mark = Mark::new(&orders.tally());
        let pulse =
            File::create(orders.pulse()).map_err(|e| format!("cannot make the pulse: {e}"))?;
        let diary = File::create(folder.join("diary"))
            .map_err(|e| format!("cannot make the diary: {e}"))?;
        let mut stage = Stage {
            place: place.clone(),
            sandbox,
            orders,
            mark,
            pulse,
            beats: 0,
            chance: Chance::new(seed),
            programs: Vec::new(),
            groups: BTreeSet::new(),
            quiet_until: None,
            stopped: Vec::new(),
            began: Instant::now(),
            began_ms,
            diary,
            done: figures::Done::default(),
            wrong: Vec::new(),
        };
        stage.beat()?;
        Ok(stage)
    }

    /// Torments the programs for this time.
    pub(super) fn go(&mut self, time: Duration) -> Done {
        self.fill_up()?;
        self.wait_for_first_bill()?;
        let (start, mut told) = (Instant::now(), Instant::now());
        while start.elapsed() < time {
            self.beat()?;
            self.go_on(false)?;
            self.look();
            if !self.is_quiet()? {
                self.fill_up()?;
                self.act()?;
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                let figures::Done { kills, stops, starts, .. } = self.done;
                println!(
                    "  {} s: {kills} kills, {stops} stops, {starts} starts",
                    start.elapsed().as_secs()
                );
            }
            thread::sleep(Duration::from_millis(self.chance.between(10, 250)));
        }
        Ok(())
    }

    /// Nothing fails until AWS has once taken a record: then whoever starts is known to be entitled, and comes up
    /// whatever AWS does.
    fn wait_for_first_bill(&mut self) -> Done {
        let start = Instant::now();
        sky::run_clock(self.sandbox.control(), sky::RATE)?;
        loop {
            self.beat()?;
            self.look();
            let bill = self.sandbox.control().get("/_sandbox/bill")?;
            if bill["records"].as_array().is_some_and(|records| !records.is_empty()) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE || !self.wrong.is_empty() {
                let wrong = self.wrong.join("; ");
                return Err(format!("nothing was billed after {:?}: {wrong}", start.elapsed()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A number that goes up: without it, whatever we started ends.
    fn beat(&mut self) -> Done {
        self.beats += 1;
        let wrote = self.pulse.write_all_at(&self.beats.to_ne_bytes(), 0);
        wrote.map_err(|e| format!("cannot write the pulse: {e}"))
    }

    /// A diary that cannot be written is no reason to stop.
    fn note(&mut self, what: &str) {
        let _ = writeln!(self.diary, "{:>8} ms {what}", self.began.elapsed().as_millis());
    }

    /// Starts a program for each language of which none works.
    fn fill_up(&mut self) -> Done {
        for language in LANGUAGES {
            if self.programs.iter().any(|program| program.language == language && program.works()) {
                continue;
            }
            self.done.starts += 1;
            let (number, seed) = (self.done.starts, self.chance.draw());
            let program = Program::start(&self.place, &self.orders, language, number, seed)?;
            self.groups.insert(program.process().group);
            self.note(&format!("start {} as {}", program.name, program.process().pid));
            self.programs.push(program);
        }
        Ok(())
    }

    /// Hears of programs that ended.
    fn look(&mut self) {
        for program in &mut self.programs {
            match program.look(&self.orders) {
                Found::Runs | Found::Killed => {}
                Found::Ended => self.done.ends += 1,
                Found::Wrong(why) => {
                    self.wrong.push(why);
                    program.is_killed();
                    let _ = self.mark.send(program.process(), Signal::Kill);
                }
            }
        }
    }

    /// Ends the stops whose time has come.
    fn go_on(&mut self, all: bool) -> Done {
        let due = |(_, until): &(Process, Instant)| all || *until <= Instant::now();
        let due: Vec<(Process, Instant)> = self.stopped.extract_if(.., |stop| due(stop)).collect();
        for (process, _) in due {
            self.note(&format!("continue {}", process.pid));
            self.mark.send(process, Signal::Continue)?;
        }
        Ok(())
    }

    /// One thing that happens to the task.
    fn act(&mut self) -> Done {
        let alive = self.mark.alive(&self.groups);
        let mains: Vec<Process> = alive.iter().copied().filter(|p| !p.is_child()).collect();
        let children: Vec<Process> = alive.iter().copied().filter(|p| p.is_child()).collect();
        match self.chance.between(0, 99) {
            0..20 => self.kill_one(&mains),
            20..35 => self.kill_one(&children),
            35..39 => {
                let Some(process) = self.chance.one_of(&alive).copied() else { return Ok(()) };
                let program: Vec<Process> =
                    alive.into_iter().filter(|p| p.group == process.group).collect();
                self.kill(&program)
            }
            39..41 => self.cut_power(&alive),
            41..58 => self.stop_one(&alive),
            58..60 => self.stop_all(&alive),
            60..68 => self.end_one(),
            68..70 => self.end_task(&alive),
            70..74 => self.end_child(&children),
            74..80 => self.make_handlers_add(&mains),
            80..90 => {
                self.done.faults += 1;
                let fault = sky::fail(self.sandbox.control(), &mut self.chance)?;
                self.note(&format!("fault {fault}"));
                Ok(())
            }
            90..97 => {
                self.note("heal");
                sky::heal(self.sandbox.control())
            }
            _ => self.jump(3),
        }
    }

    fn kill_one(&mut self, processes: &[Process]) -> Done {
        match self.chance.one_of(processes).copied() {
            Some(process) => self.kill(&[process]),
            None => Ok(()),
        }
    }

    fn kill(&mut self, processes: &[Process]) -> Done {
        for process in processes {
            for program in self.programs.iter_mut().filter(|p| p.process() == *process) {
                program.is_killed();
            }
            self.note(&format!("kill {} of {}", process.pid, process.group));
            self.done.kills += u64::from(self.mark.send(*process, Signal::Kill)?);
            self.stopped.retain(|(stopped, _)| stopped != process);
        }
        Ok(())
    }

    /// Nobody is left, and mostly nobody leads for hours.
    fn cut_power(&mut self, alive: &[Process]) -> Done {
        self.kill(alive)?;
        if self.chance.one_in(3) { Ok(()) } else { self.jump(9) }
    }

    fn jump(&mut self, hours_max: u64) -> Done {
        self.done.jumps += 1;
        let hours = self.chance.between(1, hours_max);
        self.note(&format!("jump {hours} hours"));
        sky::jump(self.sandbox.control(), hours)
    }

    fn stop(&mut self, process: Process, time: Duration) -> Done {
        if self.stopped.iter().any(|(stopped, _)| *stopped == process) {
            return Ok(());
        }
        if self.mark.send(process, Signal::Stop)? {
            self.done.stops += 1;
            self.note(&format!("stop {} of {} for {time:?}", process.pid, process.group));
            self.stopped.push((process, Instant::now() + time));
            for program in self.programs.iter_mut().filter(|p| p.process() == process) {
                program.was_stopped(time);
            }
        }
        Ok(())
    }

    fn stop_one(&mut self, alive: &[Process]) -> Done {
        let Some(process) = self.chance.one_of(alive).copied() else { return Ok(()) };
        let time = Duration::from_millis(self.chance.between(20, 3000));
        self.stop(process, time)?;
        // Perhaps the leader: it wakes hours later and knows nothing of them.
        if self.chance.one_in(5) { self.jump(9) } else { Ok(()) }
    }

    fn stop_all(&mut self, alive: &[Process]) -> Done {
        for process in alive {
            let time = Duration::from_millis(self.chance.between(50, 500));
            self.stop(*process, time)?;
        }
        self.jump(9)
    }

    /// Asks a program to end, as an orchestrator does.
    fn end_one(&mut self) -> Done {
        let working: Vec<usize> = (0..self.programs.len())
            .filter(|at| self.programs.get(*at).is_some_and(Program::works))
            .collect();
        let at = self.chance.one_of(&working).copied();
        let Some(program) = at.and_then(|at| self.programs.get_mut(at)) else { return Ok(()) };
        if !program.is_ready(&self.orders) {
            return Ok(());
        }
        program.is_told_to_end();
        let process = program.process();
        self.note(&format!("end {}", process.pid));
        self.mark.send(process, Signal::End).map(drop)
    }

    /// Asks everybody to end, as when a task is replaced: the last one sends the running hour. The next ones come up
    /// at once, mostly in the same hour, whose record is taken then.
    fn end_task(&mut self, alive: &[Process]) -> Done {
        self.note("end the task");
        self.go_on(true)?;
        for process in alive {
            let mut ready = true; // a forked child is
            for program in self.programs.iter_mut().filter(|p| p.process() == *process) {
                ready = program.is_ready(&self.orders);
                if ready {
                    program.is_told_to_end();
                }
            }
            // Before it has a handler, SIGTERM is no clean end.
            if ready {
                self.mark.send(*process, Signal::End)?;
            } else {
                self.kill(&[*process])?;
            }
        }
        self.quiet_until = Some(Instant::now() + QUIET_MAX);
        Ok(())
    }

    /// True while the task ends.
    fn is_quiet(&mut self) -> Done<bool> {
        let Some(until) = self.quiet_until else { return Ok(false) };
        let ended = self.mark.alive(&self.groups).is_empty();
        if !ended && until > Instant::now() {
            return Ok(true);
        }
        self.quiet_until = None;
        self.note(if ended { "the task has ended" } else { "the task did not end in time" });
        Ok(false)
    }

    /// A worker that is recycled.
    fn end_child(&mut self, children: &[Process]) -> Done {
        match self.chance.one_of(children).copied() {
            Some(child) => {
                self.note(&format!("end child {} of {}", child.pid, child.group));
                self.mark.send(child, Signal::End).map(drop)
            }
            None => Ok(()),
        }
    }

    fn make_handlers_add(&mut self, mains: &[Process]) -> Done {
        for program in &mut self.programs {
            let listens = program.language == Language::C && program.works();
            if listens && mains.contains(&program.process()) && program.is_ready(&self.orders) {
                for _ in 0..10 {
                    self.mark.send(program.process(), Signal::Add)?;
                }
            }
        }
        Ok(())
    }

    /// Ends everything, brings everything out, and compares.
    pub(super) fn close(mut self) -> Done<Outcome> {
        sky::heal(self.sandbox.control())?;
        self.end_all()?;
        sky::run_clock(self.sandbox.control(), 0)?;
        sky::forget_followers(self.sandbox.control())?;
        let account = self.bring_out()?;
        let control = self.sandbox.control();
        let hours = (sky::now_ms(control)? - self.began_ms) / sky::HOUR_MS as i64;
        let books = Books {
            tally: Tally::read(&self.orders.tally())?,
            account,
            bill: control.get("/_sandbox/bill")?,
            requests: control.get("/_sandbox/requests?operation=MeterUsage")?,
        };
        self.wrong.extend(logs(&self.orders.folder)?);
        let restarts = self.done.starts.saturating_sub(LANGUAGES.len() as u64);
        Ok(compare::compare(&books, std::mem::take(&mut self.wrong), self.done, restarts, hours))
    }

    /// The last ones: half are asked, half are killed.
    fn end_all(&mut self) -> Done {
        self.go_on(true)?;
        for program in &mut self.programs {
            if program.works() && program.is_ready(&self.orders) && self.chance.one_in(2) {
                program.is_told_to_end();
                self.mark.send(program.process(), Signal::End)?;
            }
        }
        let start = Instant::now();
        while self.programs.iter().any(|p| p.runs() && !p.works()) && start.elapsed() < LAST_ENDS {
            self.beat()?;
            self.look();
            thread::sleep(Duration::from_millis(10));
        }
        self.kill_until_none()?;
        self.look();
        Ok(())
    }

    /// A child may be forked by a process that we are about to kill, so once is not enough.
    fn kill_until_none(&mut self) -> Done {
        for _ in 0..200 {
            let alive = self.mark.alive(&self.groups);
            if alive.is_empty() {
                return Ok(());
            }
            self.kill(&alive)?;
            thread::sleep(Duration::from_millis(10));
        }
        Err("processes of the torture cannot be killed; look for adders with `ps`".to_owned())
    }

    /// One process that adds nothing leads until nothing is pending. Gives the account that its shutdown reports.
    fn bring_out(&mut self) -> Done<Value> {
        let mut command = Language::C.command(&self.place, "tests/torture", "adder")?;
        command.arg("close").env("TORTURE_CONFIG", &self.orders.config);
        let mut closer = Lines::start("the process that closes the books", &mut command)?;
        let ready = self.hear(&mut closer, READY)?;
        if ready == "memory" {
            return Err("the process that closes the books found only memory".to_owned());
        }
        for _ in 0..HOURS_TO_DRAIN {
            closer.say("account")?;
            let account = read_account(&self.hear(&mut closer, ACCOUNT)?)?;
            let left = |place: &str| compare::sum(&account, place);
            if left("open") + left("pending") == 0 {
                break;
            }
            let control = self.sandbox.control();
            control.advance(Duration::from_millis(sky::HOUR_MS), STEP).map_err(|why| {
                let followers = control.get("/_sandbox/clock/followers").unwrap_or_default();
                format!("{why}; followers: {followers}; account: {account}")
            })?;
        }
        let last = closer.finish(PATIENCE)?;
        let account = last.iter().rev().find_map(|line| line.strip_prefix(ACCOUNT));
        read_account(account.unwrap_or_default())
    }

    /// The rest of the next line that begins with `wanted`. Its events are kept with the logs.
    fn hear(&mut self, closer: &mut Lines, wanted: &str) -> Done<String> {
        for _ in 0..LINES_MAX {
            let line = closer.hear(PATIENCE)?;
            if let Some(rest) = line.strip_prefix(wanted) {
                return Ok(rest.to_owned());
            }
            self.note(&line);
            self.wrong.extend(strange(&line).map(|why| format!("at the end: {why}")));
        }
        Err(format!("the process that closes the books never says `{wanted}`"))
    }
}

fn read_account(text: &str) -> Done<Value> {
    serde_json::from_str(text).map_err(|e| format!("`{text}` is no account: {e}"))
}

impl Drop for Stage {
    /// Nothing of ours goes on without us, whatever failed.
    fn drop(&mut self) {
        let _ = self.kill_until_none();
        for program in &mut self.programs {
            program.look(&self.orders); // so that none stays as a zombie
        }
        let _ = fs::remove_file(self.orders.pulse());
    }
}
