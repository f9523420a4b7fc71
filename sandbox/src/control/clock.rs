//! The virtual clock, from outside.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use super::reply::{Asked, Refusal, Reply, done, read};
use crate::clock::SETTLE_MS_DEFAULT;
use crate::store::World;

/// Steps of an advance, unless the caller names other ones: fine enough for every timer of a guard to be
/// due in its turn, coarse enough for a day in a second.
const STEP_MS_DEFAULT: i64 = 5 * 60_000;

/// More steps than this are a mistake in a unit.
const STEPS_MAX: i64 = 1_000_000;

/// The longest poll: long before any proxy or client gives up on a silent connection.
const WAIT_MS_MAX: u64 = 60_000;
const WAIT_MS_DEFAULT: u64 = 20_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Follow {
    follow: Option<String>,
    version: Option<u64>,
    wait_ms: Option<u64>,
}

pub(super) async fn read_clock(
    State(world): State<Arc<World>>,
    Asked(query): Asked<Follow>,
) -> Reply {
    let Some(name) = query.follow else {
        return done(world.clock.reading());
    };
    if name.is_empty() || name.len() > 128 {
        return Err(Refusal::bad_request(format!(
            "cannot follow as `{name}`: use 1 to 128 characters"
        )));
    }
    let wait = Duration::from_millis(query.wait_ms.unwrap_or(WAIT_MS_DEFAULT).min(WAIT_MS_MAX));
    // Without a version a follower has seen nothing yet: it is answered at once and counts as busy.
    done(world.clock.follow(&name, query.version.unwrap_or(0), wait).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    now_ms: Option<i64>,
    rate: Option<f64>,
}

pub(super) async fn set(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    let Set { now_ms, rate } = read(&body)?;
    if let Some(rate) = rate.filter(|rate| !rate.is_finite() || *rate < 0.0) {
        return Err(Refusal::bad_request(format!(
            "cannot set rate `{rate}`: use 0 to freeze, 1 for real time, or more"
        )));
    }
    if let Some(now_ms) = now_ms.filter(|now_ms| *now_ms < 0) {
        return Err(Refusal::bad_request(format!(
            "cannot set now_ms `{now_ms}`: use epoch milliseconds from 0 on"
        )));
    }
    done(world.clock.set(now_ms, rate))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by_ms: i64,
    step_ms: Option<i64>,
    settle_ms: Option<u64>,
}

pub(super) async fn advance(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    let Advance { by_ms, step_ms, settle_ms } = read(&body)?;
    let step_ms = step_ms.unwrap_or(STEP_MS_DEFAULT);
    if by_ms < 0 {
        return Err(Refusal::bad_request(format!(
            "cannot advance by `{by_ms}` ms: use 0 or more; set now_ms to go back"
        )));
    }
    if step_ms <= 0 || by_ms / step_ms > STEPS_MAX {
        let error = format!(
            "cannot advance by `{by_ms}` ms in steps of `{step_ms}` ms: use a longer step_ms"
        );
        return Err(Refusal::bad_request(error));
    }
    done(world.clock.advance(by_ms, step_ms, settle(settle_ms)).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    settle_ms: Option<u64>,
}

pub(super) async fn settle_now(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    let Settle { settle_ms } = read(&body)?;
    done(world.clock.settle(settle(settle_ms)).await)
}

pub(super) async fn followers(State(world): State<Arc<World>>) -> Reply {
    done(json!({"followers": world.clock.followers()}))
}

pub(super) async fn forget(State(world): State<Arc<World>>, Path(name): Path<String>) -> Reply {
    done(json!({"forgotten": world.clock.forget(&name)}))
}

fn settle(settle_ms: Option<u64>) -> Duration {
    Duration::from_millis(settle_ms.unwrap_or(SETTLE_MS_DEFAULT))
}
