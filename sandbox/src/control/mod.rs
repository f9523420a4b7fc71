//! The control API under `/_sandbox/`: see `sandbox/README.md`.

mod clock;
mod faults;
mod license_token;
mod licenses;
mod looking;
mod products;
pub(crate) mod reply;
mod seed;
mod switches;
mod tasks;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, post};

use crate::store::World;
use reply::Reply;

pub(crate) use seed::plant;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/tasks", get(tasks::list).post(tasks::put))
        .route("/_sandbox/clock", get(clock::read_clock).post(clock::set))
        .route("/_sandbox/clock/followers", get(clock::followers))
        .route("/_sandbox/clock/followers/{name}", delete(clock::forget))
        .route("/_sandbox/clock/advance", post(clock::advance))
        .route("/_sandbox/clock/settle", post(clock::settle_now))
        .route("/_sandbox/products", get(products::list).post(products::put))
        .route("/_sandbox/subscriptions", post(products::subscribe))
        .route("/_sandbox/licenses", get(licenses::list).post(licenses::create))
        .route("/_sandbox/licenses/{id}/{deed}", post(licenses::change))
        .route("/_sandbox/seats", get(looking::seats))
        .route("/_sandbox/tasks/{task}/web_identity_token", post(tokens::web_identity_token))
        .route(
            "/_sandbox/tasks/{task}/license_token",
            get(license_token::mounted).post(license_token::mount).delete(license_token::unmount),
        )
        .route("/_sandbox/faults", get(faults::list).post(faults::arm).delete(faults::clear))
        .route("/_sandbox/faults/{id}", delete(faults::remove))
        .route("/_sandbox/switches", get(switches::list).post(switches::set))
        .route("/_sandbox/requests", get(looking::requests).delete(looking::forget_requests))
        .route("/_sandbox/bill", get(looking::bill))
        .route("/_sandbox/reset", post(reset))
}

async fn reset(State(world): State<Arc<World>>) -> Reply {
    world.reset();
    reply::done(serde_json::json!({}))
}
