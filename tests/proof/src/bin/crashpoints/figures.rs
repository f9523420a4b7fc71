//! What was tried and what was found.

use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) scenarios: u64,
    pub(crate) steps: u64,
    /// Steps of all stories, tried or not.
    pub(crate) all_steps: u64,
    pub(crate) runs: u64,
    pub(crate) crashes: u64,
    pub(crate) second_crashes: u64,
    /// Steps that the disk refused: no room, or a failure.
    pub(crate) refusals: u64,
    /// Sends that waited, because what they rest on was not on the disk.
    pub(crate) unwritten: u64,
    /// Steps that nobody tried, because time was over.
    pub(crate) left_out: u64,
    pub(crate) violations: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Figures) {
        self.scenarios += other.scenarios;
        self.steps += other.steps;
        self.all_steps += other.all_steps;
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.second_crashes += other.second_crashes;
        self.refusals += other.refusals;
        self.unwritten += other.unwritten;
        self.left_out += other.left_out;
        self.violations += other.violations;
    }

    /// Counts and tells a violation.
    pub(crate) fn check(&mut self, scenario: &str, what: &str, end: Result<(), String>) -> bool {
        let Err(why) = end else { return true };
        self.violations += 1;
        eprintln!("{scenario}: {what}: {why}");
        false
    }

    /// Nothing was found, and there was something to look at.
    pub(crate) fn is_proof(&self) -> bool {
        self.violations == 0 && self.left_out == 0 && self.crashes > 0
    }

    pub(crate) fn line(&self, time: Duration) -> String {
        format!(
            "{} scenarios, {} of {} durable steps, {} runs, {} crashes, {} second crashes, {} refusals of the disk, \
             {} sends that waited, {} s, violations {}",
            self.scenarios,
            self.steps,
            self.all_steps,
            self.runs,
            self.crashes,
            self.second_crashes,
            self.refusals,
            self.unwritten,
            time.as_secs(),
            self.violations
        )
    }
}
