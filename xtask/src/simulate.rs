//! `cargo xtask simulate`: simulated years of metering and of contracts, and planted bugs that they must find.

pub(crate) mod mutants;

use crate::{
    place,
    run::{Done, cargo, program, quiet, run},
};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Histories of metering
    #[arg(long, default_value_t = 1500)]
    seeds: u64,
    /// Simulated days of each
    #[arg(long, default_value_t = 20)]
    days: u64,
    /// Histories of contracts
    #[arg(long, default_value_t = 300)]
    contract_seeds: u64,
    /// Simulated days of each
    #[arg(long, default_value_t = 4)]
    contract_days: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Plant bugs in copies of the core, and see that each is found
    #[arg(long)]
    mutants: bool,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    if options.mutants {
        return mutants::run(options.seeds, options.days);
    }
    quiet(cargo().args(["build", "-p", "mpguard-proof", "--bin", "simulate"]))?;
    let mut simulate = simulation(options.seeds, options.days);
    run(simulate.args(["--start", &options.start.to_string()]))?;
    let mut contracts = contracts(options.contract_seeds, options.contract_days);
    run(contracts.args(["--start", &options.start.to_string()]))
}

/// The same with the world of contracts.
pub(crate) fn contracts(seeds: u64, days: u64) -> Command {
    let mut command = program(place::built("simulate"));
    command.arg("contracts");
    command.args(["--seeds", &seeds.to_string(), "--days", &days.to_string()]);
    command
}

/// The simulator over the product's own files, already built.
pub(crate) fn simulation(seeds: u64, days: u64) -> Command {
    let mut command = program(place::built("simulate"));
    command.args(["--seeds", &seeds.to_string(), "--days", &days.to_string()]);
    command
}
