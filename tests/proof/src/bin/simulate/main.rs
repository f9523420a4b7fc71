//! Simulated years of metering: `simulate --seeds N --days D [--start S] [--jobs J] [--limit SECONDS]`.
//!
//! The engine, the books and the entries are the product's own files. Around them are simulated: processes of
//! several tasks, their shared counters, a ledger, disks, clocks, a network, and an AWS whose open questions are
//! switches. One seed makes one history, the same each time. After each step the invariants are looked at
//! (`check.rs`); the first one that is broken ends the run with the seed, the step and a short trace.

mod aws;
mod chaos;
mod check;
mod driver;
mod end;
mod figures;
mod ring;
mod rng;
mod scenario;
mod send;
mod task;
mod world;

use figures::Figures;
use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};
use world::World;

/// What the command line says.
struct Arguments {
    seeds: u64,
    days: u64,
    start: u64,
    jobs: u64,
    /// Most seconds; histories that do not fit into them are a failure.
    limit: u64,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(text) => {
            eprintln!(
                "simulate: {text}; use --seeds N --days D [--start S] [--jobs J] [--limit SECONDS]"
            );
            return ExitCode::from(2);
        }
    };
    let begin = Instant::now();
    let (figures, broken) = run(&arguments, begin);
    if let Some((seed, text)) = broken {
        // The same history once more, now with its trace.
        let mut world = World::new(seed, arguments.days, true);
        world.run();
        println!("seed {seed}: {text}");
        for line in world.trace() {
            println!("  {line}");
        }
        println!("{figures}, {} s, violations 1", begin.elapsed().as_secs());
        return ExitCode::FAILURE;
    }
    if begin.elapsed().as_secs() >= arguments.limit {
        println!("not all histories fit into {} s; {figures}", arguments.limit);
        return ExitCode::FAILURE;
    }
    println!("{figures}, {} s, violations 0", begin.elapsed().as_secs());
    ExitCode::SUCCESS
}

fn run(arguments: &Arguments, begin: Instant) -> (Figures, Option<(u64, String)>) {
    let next = AtomicU64::new(arguments.start);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new((Figures::default(), None));
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = begin.elapsed().as_secs() >= arguments.limit;
                    if over || seed >= arguments.start + arguments.seeds {
                        return;
                    }
                    let mut world = World::new(seed, arguments.days, false);
                    let broken = world.run();
                    let mut sum = sum.lock().expect("no job panics with the lock");
                    sum.0.add(&world.figures);
                    if let Some(text) = broken {
                        stop.store(true, Ordering::Relaxed);
                        sum.1 = Some((seed, text));
                    }
                }
            });
        }
    });
    sum.into_inner().expect("no job panics with the lock")
}

fn arguments() -> Result<Arguments, String> {
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut arguments = Arguments { seeds: 100, days: 20, start: 0, jobs, limit: u64::MAX };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
        let value = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        match word.as_str() {
            "--seeds" => arguments.seeds = value,
            "--days" => arguments.days = value,
            "--start" => arguments.start = value,
            "--limit" => arguments.limit = value,
            "--jobs" => arguments.jobs = value.max(1),
            _ => return Err(format!("`{word}` is unknown")),
        }
    }
    Ok(arguments)
}
