//! `cargo xtask demo`: four small products, one in each language, for a day and two hours of virtual time.
//!
//! Each registers, meters two dimensions, holds a tier and a seat, gives its customers seats, draws prepaid credits, is
//! upgraded in the middle and shuts down; AWS throttles for a while and once loses its answers, of records and of
//! draws. Then what the products metered and booked is compared with what the sandbox bills.

mod bill;
mod product;
mod stage;
mod timeline;

use crate::{
    build, place,
    run::{Done, cargo, run},
    tools,
};
use bill::Balance;
use mpguard_tests::place::Place;
use serde_json::{Value, json};
use stage::Stage;
use timeline::Timeline;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print one JSON document instead of the timeline
    #[arg(long)]
    json: bool,
}

/// Virtual hours that the products work.
const HOURS: u64 = 26;
/// When the buyers upgrade from Basic to Premium.
const UPGRADE_AT: u64 = 13;
/// When AWS throttles, and when it stores records without answering.
const THROTTLE_AT: u64 = 5;
const LOSE_ANSWERS_AT: u64 = 8;
/// When AWS gives seats and credits without answering.
const LOSE_CHECK_OUTS_AT: u64 = 10;

pub(crate) fn run_verb(options: &Options) -> Done {
    tools::need(&["cc", "c++", "python3", "node"])?;
    run(cargo().args(["build", "--quiet", "--workspace"]))?;
    build::modules()?;
    let place = Place::new(&place::root(), &place::target().join("debug"));
    let mut timeline = Timeline::new(!options.json);
    let balances = play(&place, &mut timeline)?;
    if options.json {
        println!("{}", document(&timeline, &balances));
    } else {
        println!("\n{}", bill::table(&balances));
    }
    let wrong: Vec<&str> =
        balances.iter().flat_map(|balance| &balance.wrong).map(String::as_str).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("the demo found:\n  {}", wrong.join("\n  ")))
    }
}

fn play(place: &Place, timeline: &mut Timeline) -> Done<Vec<Balance>> {
    let mut stage = Stage::set(place, timeline)?;
    for hour in 0..HOURS {
        if hour == LOSE_CHECK_OUTS_AT {
            stage.lose_check_outs(timeline)?;
        }
        stage.work(hour, timeline)?;
        match hour {
            THROTTLE_AT => stage.throttle(timeline)?,
            LOSE_ANSWERS_AT => stage.lose_answers(timeline)?,
            _ => {}
        }
        if hour == UPGRADE_AT {
            stage.upgrade(timeline)?;
        } else {
            stage.advance(timeline)?;
        }
    }
    stage.close(timeline)
}

fn document(timeline: &Timeline, balances: &[Balance]) -> Value {
    json!({
        "hours": HOURS,
        "languages": balances.iter().map(Balance::document).collect::<Vec<_>>(),
        "total": bill::total(balances),
        "timeline": timeline.entries(),
    })
}
