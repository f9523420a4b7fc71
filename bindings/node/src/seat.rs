//! Seats of a floating entitlement.

use crate::{
    guard::{GuardHandle, millis, on},
    wait::wait,
};
use mpguard_core::Seat;
use napi::{
    Env,
    bindgen_prelude::{External, Object},
};
use napi_derive::napi;
use std::sync::Arc;

/// What JavaScript holds of a seat. Dropping it checks the seat in without waiting.
pub struct SeatHandle(Arc<Seat>);

/// Takes seats; waits at most `timeout_ms`.
#[napi(catch_unwind, ts_return_type = "Promise<ExternalObject<SeatHandle>>")]
pub fn check_out<'env>(
    env: &'env Env,
    handle: &External<GuardHandle>,
    entitlement: String,
    count: f64,
    timeout_ms: f64,
) -> napi::Result<Object<'env>> {
    let (count, timeout) = (count as u64, millis(timeout_ms));
    let take = move |handle: GuardHandle| handle.guard.check_out(&entitlement, count, timeout);
    on(env, handle, take, |seat| External::new(SeatHandle(Arc::new(seat))))
}

/// True while AWS holds the seats for us.
#[napi(catch_unwind)]
pub fn seat_held(seat: &External<SeatHandle>) -> bool {
    seat.0.held()
}

/// When the seats return by themselves, in epoch milliseconds.
#[napi(catch_unwind)]
pub fn seat_expires_ms(seat: &External<SeatHandle>) -> f64 {
    seat.0.expires_ms() as f64
}

/// Returns the seats and waits for the answer.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn check_in<'env>(env: &'env Env, seat: &External<SeatHandle>) -> napi::Result<Object<'env>> {
    let seat = seat.0.clone();
    wait(env, move || seat.check_in(), |()| ())
}
