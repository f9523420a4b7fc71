//! Simulated years of metering: `simulate --seeds N --days D [--start S] [--jobs J] [--limit SECONDS]`, and of
//! contracts: `simulate contracts --seeds N …`, whose world is in `contract/`.
//!
//! The engine, the books and the entries are the product's own files. Around them are simulated: processes of
//! several tasks, their shared counters, a ledger, disks, clocks, a network, and an AWS whose open questions are
//! switches. One seed makes one history, the same each time. After each step the invariants are looked at
//! (`check.rs`); the first one that is broken ends the run with the seed, the step and a short trace.

#[macro_use]
mod figures;

mod agenda;
mod aws;
mod chaos;
mod check;
mod contract;
mod driver;
mod end;
mod history;
mod ring;
mod rng;
mod scenario;
mod send;
mod task;
mod world;

use history::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (contracts, arguments) = match arguments() {
        Ok(arguments) => arguments,
        Err(text) => {
            eprintln!(
                "simulate: {text}; use [contracts] --seeds N --days D [--start S] [--jobs J] [--limit SECONDS]"
            );
            return ExitCode::from(2);
        }
    };
    if contracts {
        return history::run::<contract::world::World>(&arguments);
    }
    history::run::<world::World>(&arguments)
}

/// Whether contracts are simulated instead of usage, and the numbers.
fn arguments() -> Result<(bool, Arguments), String> {
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut arguments = Arguments { seeds: 100, days: 20, start: 0, jobs, limit: u64::MAX };
    let mut words = std::env::args().skip(1).peekable();
    let contracts = words.next_if(|word| word == "contracts").is_some();
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
    Ok((contracts, arguments))
}
