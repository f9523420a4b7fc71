//! `cargo xtask generate`: writes the generated files again.
//!
//! The tests that compare them also write them, so that there is one recipe for both.

use crate::run::{Done, cargo, run};

/// The tests that write with `MPGUARD_UPDATE=1`, in every crate that has one of these names: `generated` is in `tests`
/// (what the table of keys makes) and in `cli` (what the table of meanings makes).
pub(crate) const TESTS: &[&str] = &["generated", "header"];

pub(crate) fn run_verb() -> Done {
    run(compare().env("MPGUARD_UPDATE", "1"))
}

/// Runs the comparing tests.
pub(crate) fn compare() -> std::process::Command {
    let mut command = cargo();
    command.args(["test", "--quiet", "--workspace"]);
    for test in TESTS {
        command.args(["--test", test]);
    }
    command
}
