//! `cargo xtask generate`: writes the generated files again.
//!
//! The tests that compare them also write them, so that there is one recipe for both.

use crate::run::{Done, cargo, run};

/// The tests that write with `MPGUARD_UPDATE=1`.
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
