//! The sections of `make test` and the commands behind each.

use crate::{
    place,
    run::{Done, cargo, program},
    simulate,
};
use std::{collections::BTreeSet, fs, process::Command};

pub(crate) struct Section {
    /// The word that chooses it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) commands: fn() -> Done<Vec<Command>>,
}

const SECTIONS: &[Section] = &[
    Section { name: "rust", title: "Rust", commands: rust },
    Section { name: "simulate", title: "simulated years", commands: simulate },
    Section { name: "crashpoints", title: "crash points", commands: crashpoints },
    Section { name: "c", title: "C and C++", commands: c_and_cpp },
    Section { name: "python", title: "Python", commands: python },
    Section { name: "node", title: "Node", commands: node },
    Section { name: "conformance", title: "conformance", commands: conformance },
    Section { name: "outside", title: "outside clients", commands: outside },
    Section { name: "processes", title: "processes", commands: processes },
    Section { name: "torture", title: "torture", commands: torture },
    Section { name: "attack", title: "attacks", commands: attack },
];

/// Test files of cargo that have a section of their own.
const C_AND_CPP: &[&str] = &["abi", "c", "cpp", "header", "install"];
const CONFORMANCE: &[&str] = &["conformance"];

/// Simulated histories, their days, and the most seconds that they may take.
const SEEDS: u64 = 1500;
const DAYS: u64 = 20;
const SIMULATE_SECONDS: u64 = 300;
/// The same of contracts.
const CONTRACT_SEEDS: u64 = 50;
const CONTRACT_DAYS: u64 = 4;

/// The sections of these names; all when there are none.
pub(crate) fn chosen(names: &[String]) -> Done<Vec<&'static Section>> {
    if let Some(unknown) = names.iter().find(|name| SECTIONS.iter().all(|s| s.name != **name)) {
        let known: Vec<_> = SECTIONS.iter().map(|s| s.name).collect();
        return Err(format!("no section is named `{unknown}`; there are `{}`", known.join("`, `")));
    }
    Ok(SECTIONS
        .iter()
        .filter(|s| names.is_empty() || names.iter().any(|name| name == s.name))
        .collect())
}

fn rust() -> Done<Vec<Command>> {
    let mut unit = cargo_test();
    unit.args(["--exclude", "mpguard-core", "--lib", "--bins"]);
    // tests/proof compiles the machines from the same files, optimised, and runs their tests: here they would take minutes.
    let mut core = cargo();
    core.args([
        "test",
        "--no-fail-fast",
        "-p",
        "mpguard-core",
        "--lib",
        "--",
        "--skip",
        "machine::",
    ]);
    let own: BTreeSet<_> = C_AND_CPP.iter().chain(CONFORMANCE).copied().collect();
    for name in test_files()?.iter().filter(|name| !own.contains(name.as_str())) {
        unit.args(["--test", name]);
    }
    let mut doc = cargo_test();
    doc.arg("--doc");
    Ok(vec![unit, with_paths(core), doc])
}

/// Built with the workspace. It ends by itself: when its time is over, that is a failure.
fn simulate() -> Done<Vec<Command>> {
    let mut command = simulate::simulation(SEEDS, DAYS);
    command.args(["--limit", &SIMULATE_SECONDS.to_string()]);
    let mut contracts = simulate::contracts(CONTRACT_SEEDS, CONTRACT_DAYS);
    contracts.args(["--limit", &SIMULATE_SECONDS.to_string()]);
    Ok(vec![command, contracts])
}

fn c_and_cpp() -> Done<Vec<Command>> {
    named(C_AND_CPP)
}

fn conformance() -> Done<Vec<Command>> {
    named(CONFORMANCE)
}

fn python() -> Done<Vec<Command>> {
    let mut pytest = program(place::python());
    pytest.args(["-m", "pytest", "-q"]).current_dir(place::root().join("bindings/python"));
    Ok(vec![with_paths(pytest)])
}

fn node() -> Done<Vec<Command>> {
    let mut npm = program("npm");
    npm.args(["--silent", "test"]).current_dir(place::root().join("bindings/node"));
    Ok(vec![with_paths(npm)])
}

fn outside() -> Done<Vec<Command>> {
    let folder = place::root().join("tests/outside");
    let mut boto3 = program(place::python());
    boto3.args(["-m", "pytest", "-q"]).current_dir(&folder);
    let mut sdk = program("npm");
    sdk.args(["--silent", "test"]).current_dir(&folder);
    Ok(vec![with_paths(boto3), with_paths(sdk)])
}

/// Forks, servers, containers that end: whole processes against a sandbox.
fn processes() -> Done<Vec<Command>> {
    let mut pytest = program(place::python());
    pytest.args(["-m", "pytest", "-q"]).current_dir(place::root().join("tests/process"));
    Ok(vec![with_paths(pytest)])
}

/// Some steps of every scenario, with every fault; `cargo xtask crashpoints` takes all steps.
fn crashpoints() -> Done<Vec<Command>> {
    let mut some = program(place::built("crashpoints"));
    some.args(["--every", "16", "--second", "12"]);
    Ok(vec![some])
}

/// A short run of the torture; `cargo xtask torture --seconds 600` is a long one.
fn torture() -> Done<Vec<Command>> {
    // Not the running program's own file: cargo has put a new one in its place.
    let mut torture = program(place::built("xtask"));
    torture.args(["torture", "--built", "--seconds", "20", "--seed", "3"]);
    Ok(vec![with_paths(torture)])
}

/// Fails where a machine does not permit namespaces: an attack that may reach the world is not run.
fn attack() -> Done<Vec<Command>> {
    let mut attack = program(place::built("xtask"));
    attack.args(["attack", "--built"]);
    Ok(vec![with_paths(attack)])
}

/// Always the whole workspace: a smaller selection has other features, and cargo would build again.
fn cargo_test() -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    with_paths(command)
}

fn named(tests: &[&str]) -> Done<Vec<Command>> {
    let there = test_files()?;
    let mut command = cargo_test();
    for name in tests {
        if !there.contains(*name) {
            return Err(format!(
                "tests/tests/{name}.rs is missing, and a section of the tests with it"
            ));
        }
        command.args(["--test", name]);
    }
    Ok(vec![command])
}

/// What tests ask for that they cannot know themselves.
fn with_paths(mut command: Command) -> Command {
    command
        .env("MPGUARD_BIN", place::built("mpguard"))
        .env("MPGUARD_LIB_DIR", place::target().join("debug"))
        .env("MPGUARD_PYTHON", place::python());
    command
}

/// Names of cargo's test files in all crates.
fn test_files() -> Done<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for folder in ["core", "ffi", "sandbox", "cli", "tests", "xtask"] {
        let Ok(entries) = fs::read_dir(place::root().join(folder).join("tests")) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            // A file, or a folder with a `main.rs`: cargo makes a test program of either.
            let program =
                path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").exists();
            if program && let Some(stem) = path.file_stem() {
                names.insert(stem.to_string_lossy().into_owned());
            }
        }
    }
    Ok(names)
}
