//! Switches, from outside.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value};

use super::reply::{Refusal, Reply, done, read};
use crate::store::World;
use crate::store::switches::Switches;

pub(super) async fn list(State(world): State<Arc<World>>) -> Reply {
    done(world.state().switches.clone())
}

pub(super) async fn set(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    set_switches(&world, &body)
}

/// Sets what the body names; the other switches keep their positions.
pub(super) fn set_switches(world: &World, body: &Bytes) -> Reply {
    let changes: Map<String, Value> = read(body)?;
    let mut state = world.state();
    let mut merged = serde_json::to_value(&state.switches).unwrap_or_default();
    for (name, position) in changes {
        merged[name] = position;
    }
    let switches: Switches = serde_json::from_value(merged).map_err(|error| {
        Refusal::bad_request(format!("cannot set switches: {error}; see GET /_sandbox/switches"))
    })?;
    state.switches = switches;
    done(state.switches.clone())
}
