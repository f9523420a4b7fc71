//! Faults, from outside.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::json;

use super::reply::{Refusal, Reply, done, read};
use crate::model::Service;
use crate::store::World;
use crate::store::faults::Fault;

/// Requests that are no AWS API calls, but can be made to fail as well.
const SURROUNDINGS: [&str; 4] =
    ["TaskMetadata", "ContainerMetadata", "TaskCredentials", "InstanceMetadata"];

pub(super) async fn arm(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    arm_fault(&world, &body)
}

pub(super) fn arm_fault(world: &World, body: &Bytes) -> Reply {
    let fault: Fault = read(body)?;
    let known = fault.operation == "*"
        || SURROUNDINGS.contains(&fault.operation.as_str())
        || Service::ALL.into_iter().any(|service| service.model().has(&fault.operation));
    if !known {
        let served = Service::ALL.into_iter().flat_map(|service| service.model().operations());
        let allowed: Vec<&str> = served.chain(SURROUNDINGS).chain(["*"]).collect();
        let error =
            format!("no operation `{}`; use one of {}", fault.operation, allowed.join(", "));
        return Err(Refusal::bad_request(error));
    }
    if let Some(defect) = fault.defect() {
        return Err(Refusal::bad_request(format!(
            "cannot arm fault `{}`: {defect}",
            fault.kind.name()
        )));
    }
    done(json!({"id": world.state().faults.arm(fault)}))
}

pub(super) async fn list(State(world): State<Arc<World>>) -> Reply {
    done(json!({"faults": world.state().faults.all()}))
}

pub(super) async fn clear(State(world): State<Arc<World>>) -> Reply {
    world.state().faults.clear();
    done(json!({}))
}

pub(super) async fn remove(State(world): State<Arc<World>>, Path(id): Path<String>) -> Reply {
    if world.state().faults.remove(&id) {
        return done(json!({}));
    }
    Err(Refusal::not_found(format!(
        "no fault `{id}`: it was used up or never armed; see GET /_sandbox/faults"
    )))
}
