//! `cargo xtask check`: formatting, lints, generated files. Changes nothing.

use crate::{
    generate,
    run::{Done, cargo, run},
};

pub(crate) fn run_verb() -> Done {
    println!("== formatting");
    run(cargo().args(["fmt", "--all", "--check"]))
        .map_err(|why| format!("{why}; `cargo fmt --all` puts it right"))?;
    println!("== lints");
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    println!("== generated files");
    run(&mut generate::compare())
        .map_err(|why| format!("{why}; `cargo xtask generate` writes them again"))
}
