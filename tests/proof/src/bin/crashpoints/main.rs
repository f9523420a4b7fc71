//! `cargo xtask crashpoints`: every durable step of short scenarios, gone wrong in every way.
//!
//! The engine, the ledger's rules, SQLite and the ring are the real ones; the disk is one that crashes, tears,
//! fills up and fails at a step of our choice. Each scenario is run once to count its steps, then once for each
//! step and fault. After a crash another process goes on from what the disk holds; then once more for every step
//! of that recovery. At the end every count must be in exactly one place, and AWS must have billed none twice.

#[path = "../../vfs/mod.rs"]
mod vfs;

mod aws;
mod end;
mod figures;
mod options;
mod scenarios;
mod task;
mod world;

use figures::Figures;
use options::Options;
use rusqlite::ffi;
use scenarios::{SCENARIOS, Scenario};
use std::{
    collections::HashSet,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};
use vfs::{CrashKind, Fault};
use world::{Mishaps, Ran, Recovery, World};

/// One way for a step to go wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Crash,
    Torn(u64),
    Full,
    Io,
}

const WRONGS: [Wrong; 5] = [Wrong::Crash, Wrong::Torn(1), Wrong::Torn(2), Wrong::Full, Wrong::Io];
/// Violations that are told one by one: the first few are what a person reads.
const TOLD: u64 = 20;
/// The same story takes the same steps. Where it does not, nobody knows what was tried.
const MISSED: &str = "a planned fault did not happen";

/// One step of one scenario.
struct Point {
    scenario: &'static Scenario,
    step: u64,
}

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    calm_sqlite();
    let start = Instant::now();
    let mut all = Figures::default();
    let (jobs, until) = (options.jobs, options.until);
    let search = Search { options, worlds: Mutex::default() };
    let points = search.points(&mut all);
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(all));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Relaxed)) {
                    let mut figures = Figures::default();
                    if until > Instant::now() {
                        search.run(point, &mut figures);
                    } else {
                        figures.left_out = 1;
                    }
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.add(figures);
                    if sum.violations > TOLD {
                        next.store(points.len(), Relaxed);
                    }
                }
            });
        }
    });
    let all = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    if all.left_out > 0 {
        eprintln!("time was over before {} steps were tried; give `--seconds` more", all.left_out);
    }
    println!("{}", all.line(start.elapsed()));
    if all.is_proof() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// SQLite counts its memory under one lock of all threads; nobody reads those counts here.
fn calm_sqlite() {
    // SAFETY: called before anything else of SQLite, on the only thread; the option takes one `int`.
    let done = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
    assert_eq!(done, ffi::SQLITE_OK, "SQLite is not in use yet");
}

/// What is tried, and what need not be tried again.
struct Search {
    options: Options,
    /// Scenarios, and worlds that a crash has left in them: many steps leave the same, and one recovery from each
    /// is crashed again.
    worlds: Mutex<HashSet<(&'static str, u64)>>,
}

impl Search {
    /// Plays every chosen scenario without a fault, and lists its steps.
    fn points(&self, figures: &mut Figures) -> Vec<Point> {
        let mut points = Vec::new();
        for scenario in SCENARIOS.iter().filter(|scenario| self.options.wants(scenario.name)) {
            figures.scenarios += 1;
            let calm = self.play(scenario, &[], [CrashKind::Clean; 2], 0, figures);
            let end = calm.end.and_then(|()| match calm.ends == scenario.ends {
                true => Ok(()),
                false => Err(format!("the story ends with {:?}", calm.ends)),
            });
            if !figures.check(scenario.name, "without a fault", end) {
                continue;
            }
            let steps = (1..=calm.steps).filter(|_| {
                figures.all_steps += 1;
                self.options.takes(figures.all_steps)
            });
            points.extend(steps.map(|step| Point { scenario, step }));
        }
        figures.steps = points.len() as u64;
        points
    }

    fn run(&self, point: &Point, figures: &mut Figures) {
        let Point { scenario, step } = *point;
        for wrong in WRONGS {
            let (fault, kind, seed) = match wrong {
                Wrong::Crash => (Fault::Crash, CrashKind::Clean, 0),
                Wrong::Torn(seed) => (Fault::Crash, CrashKind::Torn, seed),
                Wrong::Full => (Fault::Full, CrashKind::Clean, 0),
                Wrong::Io => (Fault::Io, CrashKind::Clean, 0),
            };
            let ran = self.play(scenario, &[(step, fault)], [kind; 2], seed, figures);
            match wrong {
                Wrong::Crash | Wrong::Torn(_) => figures.crashes += 1,
                Wrong::Full | Wrong::Io => figures.refusals += 1,
            }
            let happened = if ran.faults == 1 { ran.end } else { Err(MISSED.to_owned()) };
            figures.check(scenario.name, &format!("{wrong:?} at step {step}"), happened);
            if matches!(wrong, Wrong::Crash) {
                self.crash_again(scenario, step, ran.recovery, figures);
            }
        }
    }

    /// The recovery from a crash at `step` crashes too, at each of its own steps.
    fn crash_again(
        &self,
        scenario: &'static Scenario,
        step: u64,
        recovery: Recovery,
        figures: &mut Figures,
    ) {
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        if !worlds.insert((scenario.name, recovery.world)) {
            return;
        }
        drop(worlds);
        let (from, to) = recovery.steps;
        for again in (from + 1..=to).filter(|again| self.options.crashes_again(step + again)) {
            let faults = [(step, Fault::Crash), (again, Fault::Crash)];
            let kind = if again.is_multiple_of(2) { CrashKind::Torn } else { CrashKind::Clean };
            let ran = self.play(scenario, &faults, [CrashKind::Clean, kind], 0, figures);
            figures.second_crashes += 1;
            let happened = if ran.faults == 2 { ran.end } else { Err(MISSED.to_owned()) };
            let what = format!("crash at step {step}, again at {again}");
            figures.check(scenario.name, &what, happened);
        }
    }

    fn play(
        &self,
        scenario: &Scenario,
        faults: &[(u64, Fault)],
        kinds: [CrashKind; 2],
        seed: u64,
        figures: &mut Figures,
    ) -> Ran {
        let seed = seed.wrapping_add(self.options.seed);
        let lying_disk = self.options.lie;
        let ran = World::play(scenario, Mishaps { faults, kinds, seed, lying_disk });
        figures.runs += 1;
        figures.unwritten += ran.unwritten;
        ran
    }
}
