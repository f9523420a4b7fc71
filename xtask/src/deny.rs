//! `cargo xtask deny`: licenses, versions, origins and known faults of what we build on. `deny.toml` has the rules.

use crate::{
    run::{Done, program, run},
    tools,
};
use std::{env, fs, path::PathBuf};

/// The version that the rules are written for.
const VERSION: &str = "0.20.2";

/// All workspaces of the repository.
const WORKSPACES: &[&str] = &["Cargo.toml", "tests/bench/rust/Cargo.toml", "tests/fuzz/Cargo.toml"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fetch the database of known faults first
    #[arg(long)]
    fetch: bool,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    let tool = tools::compiled("cargo-deny", VERSION)?;
    let known = options.fetch || has_database();
    for (turn, workspace) in WORKSPACES.iter().enumerate() {
        println!("== {workspace}");
        let mut command = program(&tool);
        command.args(["--locked", "--config", "deny.toml", "--manifest-path", workspace]);
        // One fetch serves all workspaces; the other checks need what cargo has fetched to build them.
        if known && (turn > 0 || !options.fetch) {
            command.arg("--offline");
        }
        command.args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
        if known {
            command.arg("advisories");
        }
        run(&mut command)?;
    }
    if !known {
        println!(
            "known faults were NOT looked for: their database is not on this computer; `cargo xtask deny --fetch` fetches it"
        );
    }
    Ok(())
}

/// True when cargo-deny has fetched the database before.
fn has_database() -> bool {
    let home = |name| env::var_os(name).map(PathBuf::from);
    let cargo = home("CARGO_HOME").or_else(|| Some(home("HOME")?.join(".cargo")));
    let listed = cargo.and_then(|cargo| fs::read_dir(cargo.join("advisory-dbs")).ok());
    listed
        .is_some_and(|mut there| there.any(|it| it.is_ok_and(|it| it.path().join(".git").exists())))
}
