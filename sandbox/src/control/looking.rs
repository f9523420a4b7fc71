//! What has happened: requests, bill.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Asked, Reply, done};
use crate::store::World;
use crate::store::checkouts::Checkout;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    operation: Option<String>,
    task: Option<String>,
}

pub(super) async fn requests(
    State(world): State<Arc<World>>,
    Asked(wanted): Asked<Wanted>,
) -> Reply {
    let state = world.state();
    done(
        json!({"requests": state.requests.matching(wanted.operation.as_deref(), wanted.task.as_deref())}),
    )
}

pub(super) async fn forget_requests(State(world): State<Arc<World>>) -> Reply {
    world.state().requests.clear();
    done(json!({}))
}

pub(super) async fn seats(State(world): State<Arc<World>>) -> Reply {
    let now_ms = world.clock.now_ms();
    let state = world.state();
    let mut pools = Vec::new();
    for license in state.licenses.all() {
        for entitlement in
            license.terms().entitlements.iter().filter(|entitlement| entitlement.is_counted())
        {
            pools.push(json!({
                "license_id": license.id,
                "name": entitlement.name,
                "max_count": entitlement.max_count,
                "in_use": state.checkouts.in_use(&license.id, &entitlement.name, now_ms),
            }));
        }
    }
    let checkouts: Vec<Value> = state.checkouts.live(now_ms).map(checkout).collect();
    done(json!({"pools": pools, "checkouts": checkouts}))
}

fn checkout(checkout: &Checkout) -> Value {
    let taken = checkout.taken.iter();
    let entitlements: Vec<Value> = taken
        .map(|taken| json!({"name": taken.name, "unit": taken.unit, "count": taken.count}))
        .collect();
    json!({
        "token": checkout.token,
        "task": checkout.task,
        "license_id": checkout.license_id,
        "entitlements": entitlements,
        "issued_ms": checkout.issued_ms,
        "expires_ms": checkout.expires_ms,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Billed {
    task: Option<String>,
    product_code: Option<String>,
}

pub(super) async fn bill(State(world): State<Arc<World>>, Asked(billed): Asked<Billed>) -> Reply {
    let state = world.state();
    let mut bill = state.usage.bill(billed.task.as_deref(), billed.product_code.as_deref());
    bill["drawn"] = json!(state.licenses.drawn_view());
    done(bill)
}
