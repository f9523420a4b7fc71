//! `cargo xtask bench`: what a guard costs, beside what it is compared with.
//!
//! All rows of one table run in turn, A B C A B C …, and medians are printed: on a machine whose speed
//! drifts only figures of one interleaved run can be compared. Nothing is judged by a test.

mod add;
mod idle;
mod instructions;
mod measure;
mod peers;
mod scene;
mod seats;
mod stage;
mod start;

use crate::{place, run::Done, setup};
use clap::{Args, ValueEnum};
use mpguard_tests::{place::Place, sandbox::Sandbox};
use scene::Scene;
use serde_json::{Map, Value};
use stage::Stage;
use std::fs;

#[derive(Args)]
pub(crate) struct Options {
    /// Measure this part alone; may be given more than once
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// Measure what was built for the last bench
    #[arg(long)]
    built: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Size, memory, threads and start times
    Start,
    /// Calls of `add` in every language, beside peers
    Add,
    /// Log-ins and log-outs, beside one call to AWS for each
    Seats,
    /// Wake-ups of a guard at rest
    Idle,
    /// Instructions of one `add` and of one idle hour
    Instructions,
}

pub(crate) fn run(options: &Options) -> Done {
    setup::run()?;
    let wanted = |part| options.part.is_empty() || options.part.contains(&part);
    let stage = Stage::build(options.built)?;
    let place = Place::new(&place::root(), &place::target().join("release"));
    let sandbox = Sandbox::start_with(&place, &["--clock", "real"])?;
    let scene = Scene::set(&sandbox)?;
    let mut report = Map::new();
    if wanted(Part::Start)
        && let Value::Object(start) = start::run(&stage, &scene)?
    {
        report.extend(start);
    }
    if wanted(Part::Add) {
        report.insert("add".into(), add::run(&stage, &scene)?);
    }
    if wanted(Part::Seats) {
        report.insert("seats".into(), seats::run(&stage, &scene)?);
    }
    if wanted(Part::Idle) {
        report.insert("idle".into(), idle::run(&stage, &scene)?);
    }
    if wanted(Part::Instructions) {
        report.insert("instructions".into(), instructions::run(&stage, &scene, &place)?);
    }
    let file = place::target().join("bench.json");
    let text = format!("{:#}\n", Value::Object(report));
    fs::write(&file, text).map_err(|e| format!("cannot write `{}`: {e}", file.display()))
}
