//! `cargo xtask torture`: real processes count, fork, are killed and stopped; then every count is looked for.
//!
//! One task with one state directory. Programs in C, Python and Node (`tests/torture`) add through guards of their
//! own and through forked children; whoever finds no leader leads. Meanwhile they are sent SIGKILL, SIGSTOP, SIGCONT
//! and SIGTERM, AWS fails in the ways that the sandbox knows, and hours pass, a second each and sometimes many at
//! once. Each process keeps a tally outside of mpguard. At the end one clean process brings everything out, and
//! [`compare`] sets the tallies, the account, the bill and the requests beside each other.
//!
//! The seed decides what happens when; how the kernel schedules it is its own, so a seed repeats the plan, not the
//! run. Everything is bounded, and what we started is ended one by one, also when something fails.

mod compare;
mod figures;
mod process;
mod program;
mod sky;
mod stage;
mod tally;

use crate::{
    build, place,
    run::{Done, cargo, run},
    tools,
};
use mpguard_tests::place::Place;
use stage::Stage;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long to go on, before everything is brought out
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Which plan to follow; another one each time when it is left out
    #[arg(long)]
    seed: Option<u64>,
    /// Take what is built already
    #[arg(long)]
    built: bool,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    tools::need(&["cc", "python3", "node"])?;
    if !options.built {
        run(cargo().args(["build", "--quiet", "--workspace"]))?;
    }
    build::modules()?;
    let seed = options.seed.unwrap_or_else(fresh_seed);
    let folder = fresh_folder(seed)?;
    let mut place = Place::new(&place::root(), &place::target().join("debug"));
    place.python = interpreter(&place.python)?;
    println!("torture: seed {seed}, {} s, in `{}`", options.seconds, folder.display());
    let start = Instant::now();
    let kept = |why: String| {
        format!("{why}\nseed {seed}; tallies, logs and state are kept in `{}`", folder.display())
    };
    let mut stage = Stage::set(&place, &folder, seed).map_err(kept)?;
    stage.go(Duration::from_secs(options.seconds)).map_err(kept)?;
    let outcome = stage.close().map_err(kept)?;
    for wrong in &outcome.wrong {
        println!("WRONG {wrong}");
    }
    // In the words of a test runner, for whoever counts.
    println!(
        "checks: {} passed, {} failed in {:.1} s",
        outcome.passed,
        outcome.wrong.len(),
        start.elapsed().as_secs_f32()
    );
    println!("{}", outcome.figures);
    if !outcome.wrong.is_empty() {
        return Err(kept(format!("the torture found {} faults", outcome.wrong.len())));
    }
    fs::remove_dir_all(&folder).map_err(|e| format!("cannot remove `{}`: {e}", folder.display()))
}

/// The program behind `python`: a wrapper that starts it would die of what we do to its child.
fn interpreter(python: &Path) -> Done<PathBuf> {
    let told = |why: &dyn std::fmt::Display| {
        format!("cannot ask `{}` for its program: {why}", python.display())
    };
    let mut ask = Command::new(python);
    let asked = ask.args(["-c", "import sys; print(sys.executable)"]).output();
    let answer = asked.map_err(|e| told(&e))?;
    if !answer.status.success() {
        return Err(told(&answer.status));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).trim().into())
}

fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()) ^ since.as_secs()
}

/// On the disk, as a state directory should be, and empty.
fn fresh_folder(seed: u64) -> Done<PathBuf> {
    let folder = place::target().join("torture").join(seed.to_string());
    let told = |e| format!("cannot make `{}`: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(told)?;
    }
    for name in ["tally", "log", "state"] {
        fs::create_dir_all(folder.join(name)).map_err(told)?;
    }
    Ok(folder)
}

/// Draws from one seed: splitmix64.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low + 1)
    }

    /// True once in `n`.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.draw().is_multiple_of(n)
    }

    /// One of these; `None` when there are none.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get((self.draw() % all.len() as u64) as usize) }
    }
}
