//! The bench's side of a Rust program: it takes turns with programs of other languages; turn.h has the lines.

use serde_json::{Value, json};
use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
    sync::Barrier,
    thread,
    time::Instant,
};

/// A name, and what runs a number of calls.
pub(crate) type Row<'a> = (&'static str, &'a (dyn Fn(u64) + Sync));

/// Answers lines until the input ends; the rows `add` and `add once` are those that the guard counts.
///
/// `add once` is for callgrind, which needs a function to look at; it is not among the rows that are timed.
pub(crate) fn take(
    rows: &[Row<'_>],
    dimension: &str,
    account: impl Fn() -> Result<Value, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut added = 0;
    say(&json!(
        rows.iter().map(|row| row.0).filter(|name| *name != "add once").collect::<Vec<_>>()
    ))?;
    for line in stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split('\t').collect();
        let [name, threads, calls] = words[..] else {
            say(&json!({"called": {dimension: added}, "account": account()?}))?;
            continue;
        };
        let (threads, calls): (usize, u64) = (threads.parse()?, calls.parse()?);
        let row = rows.iter().find(|row| row.0 == name).ok_or(format!("no row `{name}`"))?;
        if name.starts_with("add") {
            added += calls * threads as u64;
        }
        say(&json!(run(row.1, threads, calls)))?;
    }
    Ok(())
}

/// Nanoseconds from the moment when all threads stood ready.
fn run(row: &(dyn Fn(u64) + Sync), threads: usize, calls: u64) -> u64 {
    let mut begun = Instant::now();
    if threads == 1 {
        row(calls);
    } else {
        let start = Barrier::new(threads + 1);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    start.wait();
                    row(calls);
                });
            }
            // Before the wait: afterwards the threads may have run for a while before this one is let on.
            begun = Instant::now();
            start.wait();
        });
    }
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn say(value: &Value) -> std::io::Result<()> {
    println!("{value}");
    stdout().flush()
}
