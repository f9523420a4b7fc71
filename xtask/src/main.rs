//! Builds, checks, demonstrates and measures mpguard: `cargo xtask VERB`.
//!
//! One verb a file. xtask never links the core, so that it builds in seconds; it starts cargo, pip, npm
//! and the built programs as a person would.

mod place;
mod run;
mod stamp;
mod tools;

mod attack;
mod bench;
mod build;
mod check;
mod crashpoints;
mod demo;
mod deny;
mod fuzz;
mod generate;
mod install;
mod installation;
mod setup;
mod simulate;
mod test;
mod torture;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, checks, demonstrates and measures mpguard.",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the commands
    Help,
    /// Install what the Python and Node parts need into a virtual environment and node_modules
    Setup,
    /// Build everything and put the Python and Node modules in their places
    Build,
    /// Run every test: Rust, C, C++, Python, Node, conformance, outside clients
    Test(test::Options),
    /// Play every conformance scenario in Rust, C, C++, Python and Node
    Conformance,
    /// Run one small product in each language for 26 virtual hours and compare the bill
    Demo(demo::Options),
    /// Let processes, disks, clocks, networks and AWS fail for simulated years
    Simulate(simulate::Options),
    /// Let every durable step of short scenarios go wrong in every way, and look for every count
    Crashpoints(crashpoints::Options),
    /// Feed what a fuzzer invents to everything that reads bytes from outside
    Fuzz(fuzz::Options),
    /// Check licenses, versions, origins and known faults of what we build on
    Deny(deny::Options),
    /// Measure size, memory, start times, counting and idling beside what they are compared with
    Bench(bench::Options),
    /// Kill, stop and fork real processes that count, and look for every count
    Torture(torture::Options),
    /// Start products where every variable, file and proxy lies, and see that none is fooled
    Attack(attack::Options),
    /// Install the C and C++ library
    Install(installation::Options),
    /// Check formatting, lints and generated files
    Check,
    /// Write the generated files again
    Generate,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Help => help(),
        Verb::Setup => setup::run(),
        Verb::Build => build::run_verb(),
        Verb::Test(options) => test::run(&options),
        Verb::Conformance => test::run(&test::Options { sections: vec!["conformance".into()] }),
        Verb::Demo(options) => demo::run_verb(&options),
        Verb::Simulate(options) => simulate::run_verb(&options),
        Verb::Crashpoints(options) => crashpoints::run_verb(&options),
        Verb::Fuzz(options) => fuzz::run_verb(&options),
        Verb::Deny(options) => deny::run_verb(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Torture(options) => torture::run_verb(&options),
        Verb::Attack(options) => attack::run_verb(&options),
        Verb::Install(options) => installation::run_verb(&options),
        Verb::Check => check::run_verb(),
        Verb::Generate => generate::run_verb(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("xtask: {trouble}");
            ExitCode::FAILURE
        }
    }
}

const HELP: &str = "\
make demo      run one small product in C, C++, Python and Node for 26 virtual hours and compare the bill
make test      run every test
make check     formatting, lints, generated files
make bench     size, memory, start times, counting and idling, beside what they are compared with
make install   install the C and C++ library; PREFIX=/usr/local DESTDIR=

`cargo xtask --help` lists the smaller verbs behind them.";

fn help() -> run::Done {
    println!("{HELP}");
    Ok(())
}
