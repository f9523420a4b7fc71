//! `cargo xtask attack`: products in production mode where every variable, file and proxy lies, and nothing can leave.
//!
//! The work is done by `tests/attack`, in Python, because its victims are sellers' programs with plain boto3. It
//! becomes itself in a network namespace with loopback only; where a machine does not permit that, it fails.

use crate::{
    build, place,
    run::{Done, cargo, program, run},
    tools,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only attacks whose name has one of these words
    words: Vec<String>,
    /// Take what is built already
    #[arg(long)]
    built: bool,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    tools::need(&["cc", "openssl", "unshare", "mount"])?;
    if !options.built {
        run(cargo().args(["build", "--quiet", "--workspace"]))?;
    }
    build::modules()?;
    let mut attack = program(place::python());
    attack
        .arg(place::root().join("tests/attack/attack.py"))
        .args(&options.words)
        .env("MPGUARD_BIN", place::built("mpguard"))
        .env("MPGUARD_LIB_DIR", place::target().join("debug"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut attack)
}
