//! `cargo xtask test`: every test of every language, section by section, with one table at the end.

mod count;
mod sections;

use crate::{
    build,
    run::{Done, tee},
    setup,
};
use count::Count;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these sections: rust, simulate, crashpoints, c, python, node, conformance, outside, processes, torture, attack
    pub(crate) sections: Vec<String>,
}

/// What one section came to.
struct Outcome {
    title: &'static str,
    count: Count,
    succeeded: bool,
    seconds: u64,
}

impl Outcome {
    /// A section that ran no test has not passed, whatever its exit code says.
    fn passed(&self) -> bool {
        self.succeeded && self.count.failed == 0 && self.count.passed > 0
    }
}

pub(crate) fn run(options: &Options) -> Done {
    let wanted = sections::chosen(&options.sections)?;
    setup::run()?;
    println!("== build");
    build::all()?;
    let mut outcomes = Vec::new();
    for section in wanted {
        println!("\n== {}", section.title);
        let start = Instant::now();
        let (mut count, mut succeeded) = (Count::default(), true);
        for mut command in (section.commands)()? {
            let (done, text) = tee(&mut command)?;
            count.add(&text);
            succeeded &= done;
        }
        let seconds = start.elapsed().as_secs();
        outcomes.push(Outcome { title: section.title, count, succeeded, seconds });
    }
    close(&outcomes)
}

fn close(outcomes: &[Outcome]) -> Done {
    println!("\n{:<20} {:>7} {:>7} {:>8}", "", "passed", "failed", "seconds");
    for outcome in outcomes {
        let Outcome { title, count, seconds, .. } = outcome;
        let note = match (outcome.passed(), count.passed + count.failed) {
            (true, _) => "",
            (false, 0) => "  ran no test",
            (false, _) => "  FAILED",
        };
        println!("{title:<20} {:>7} {:>7} {seconds:>8}{note}", count.passed, count.failed);
    }
    // A section can fail without a failed test, by a crash or by running none: that is one failure too.
    let silent = outcomes.iter().filter(|o| !o.passed() && o.count.failed == 0).count() as u64;
    let passed: u64 = outcomes.iter().map(|o| o.count.passed).sum();
    let failed: u64 = silent + outcomes.iter().map(|o| o.count.failed).sum::<u64>();
    println!("\n{passed} passed, {failed} failed");
    let names: Vec<_> = outcomes.iter().filter(|o| !o.passed()).map(|o| o.title).collect();
    if names.is_empty() { Ok(()) } else { Err(format!("failed: {}", names.join(", "))) }
}
