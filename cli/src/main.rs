//! The `mpguard` command.

mod config_file;
mod doctor;
mod explain;
mod ledger;
mod output;
mod policy;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use mpguard_sandbox::{ClockMode, Options, parse_start};

/// License and meter a container product of AWS Marketplace.
#[derive(Parser)]
#[command(name = "mpguard", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve AWS's side of Marketplace metering and licensing on this machine.
    ///
    /// Prints one JSON line with the address when it is ready; runs until it is killed.
    Sandbox(Sandbox),
    /// Look at the ledger of a product: what was counted, billed, disputed and held.
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Say what an error, a verdict, a reason or an event means, and what to do.
    ///
    /// Exit status: 0, or 2 when nothing is known by that name.
    Explain(explain::Arguments),
    /// Look at everything that a product needs to be licensed and metered here, and say how to mend it.
    ///
    /// Changes nothing: no registration, no usage, no seat, no unit. Run it where the product runs.
    ///
    /// Exit status: 0 all is well, 1 something should be looked at, 2 something does not work.
    Doctor(doctor::Arguments),
    /// Write the smallest IAM policy that a product needs.
    ///
    /// Exit status: 0, or 2 when the configuration or an argument cannot be used.
    Policy(policy::Arguments),
}

#[derive(clap::Args)]
struct Sandbox {
    /// Loopback port; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Whether the virtual clock runs or stands.
    #[arg(long, value_enum, default_value_t = Clock::Real)]
    clock: Clock,
    /// First moment of the virtual clock, such as `2026-01-01T10:00:00Z`; else now.
    #[arg(long, value_parser = parse_start)]
    start: Option<i64>,
    /// Region of tasks that name none.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// A JSON file with what to set up first.
    #[arg(long, value_name = "FILE.json")]
    seed: Option<PathBuf>,
    /// Stop when standard input ends.
    #[arg(long)]
    exit_with_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Clock {
    Frozen,
    Real,
}

fn main() -> ExitCode {
    let sandbox = match Arguments::parse().command {
        Command::Ledger(verb) => return ledger::run(&verb),
        Command::Explain(arguments) => return explain::run(&arguments),
        Command::Doctor(arguments) => return doctor::run(&arguments),
        Command::Policy(arguments) => return policy::run(&arguments),
        Command::Sandbox(sandbox) => sandbox,
    };
    let options = Options {
        port: sandbox.port,
        clock: match sandbox.clock {
            Clock::Frozen => ClockMode::Frozen,
            Clock::Real => ClockMode::Real,
        },
        start_ms: sandbox.start,
        region: sandbox.region,
        seed: sandbox.seed,
        exit_with_stdin: sandbox.exit_with_stdin,
    };
    match mpguard_sandbox::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
