//! `cargo xtask crashpoints`: every durable step of short scenarios, gone wrong in every way.
//!
//! The program is `tests/proof/src/bin/crashpoints`. Its last line has the figures and ends `violations 0`.

use crate::{
    place,
    run::{Done, cargo, program, run},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// For the program: --every K, --second K, --seed N, --jobs N, --seconds S, --only NAME, --lie
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    run(cargo().args(["build", "--quiet", "--package", "mpguard-proof", "--bin", "crashpoints"]))?;
    run(program(place::built("crashpoints")).args(&options.options))
}
