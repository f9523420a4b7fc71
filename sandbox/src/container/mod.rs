//! What a container finds around itself: task metadata, credentials, instance metadata.

mod ec2;
mod ecs;
mod reply;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, put};

use crate::store::World;
use crate::store::credentials::{Credential, Source};
use crate::store::switches::CredentialsClock;

/// Ten years: for clients that compare with another clock than ours.
const FAR_MS: i64 = 3_650 * 86_400_000;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/t/{task}/v4", get(ecs::container))
        .route("/t/{task}/v4/task", get(ecs::task))
        .route("/t/{task}/credentials", get(ecs::credentials))
        .route("/latest/api/token", put(ec2::token))
        .route("/latest/{*path}", get(ec2::read))
        .route("/t/{task}/latest/api/token", put(ec2::token_of_task))
        .route("/t/{task}/latest/{*path}", get(ec2::read_of_task))
}

/// The keys that this task holds, and the `Expiration` to print.
fn keys(world: &World, task: &str, source: Source) -> (Credential, i64) {
    let now_ms = world.clock.now_ms();
    let mut state = world.state();
    let ttl_ms = state.switches.credentials_ttl_ms;
    let credential = state.credentials.current(task, source, now_ms, ttl_ms);
    let expires_ms = match state.switches.credentials_clock {
        _ if source == Source::LongTerm => now_ms + FAR_MS,
        CredentialsClock::Virtual => credential.expires_ms,
        CredentialsClock::Never => now_ms.max(crate::clock::real_now_ms()) + FAR_MS,
    };
    (credential, expires_ms)
}
