//! Seats of a floating entitlement.

use crate::{
    error,
    guard::{GuardHandle, millis},
    wait::wait,
};
use mpguard_core::{Seat, SeatsAsked};
use napi::{
    Env,
    bindgen_prelude::{External, Object},
};
use napi_derive::napi;
use std::sync::Arc;

/// What JavaScript holds of a seat. Dropping it checks the seat in without waiting.
pub struct SeatHandle(Arc<Seat>);

/// What JavaScript holds of seats that were asked for.
pub struct SeatsWish(Arc<SeatsAsked>);

/// Asks for seats; the wait is at most `timeout_ms`.
#[napi(catch_unwind, ts_return_type = "ExternalObject<SeatsWish>")]
pub fn ask_seats(
    env: &Env,
    handle: &External<GuardHandle>,
    entitlement: String,
    count: f64,
    timeout_ms: f64,
) -> napi::Result<External<SeatsWish>> {
    let asked = handle.guard.ask_seats(&entitlement, count as u64, millis(timeout_ms));
    let asked = asked.map_err(|why| error::to_js(env, &why))?;
    Ok(External::new(SeatsWish(Arc::new(asked))))
}

/// Waits for the seats that were asked for.
#[napi(catch_unwind, ts_return_type = "Promise<ExternalObject<SeatHandle>>")]
pub fn take_seats<'env>(env: &'env Env, wish: &External<SeatsWish>) -> napi::Result<Object<'env>> {
    let asked = wish.0.clone();
    wait(env, move || asked.wait(), |seat| External::new(SeatHandle(Arc::new(seat))))
}

/// Waits for seats no more; what comes all the same is returned.
#[napi(catch_unwind)]
pub fn give_up_seats(wish: &External<SeatsWish>) {
    wish.0.give_up();
}

/// Number of the seat in its guard.
#[napi(catch_unwind)]
pub fn seat_number(seat: &External<SeatHandle>) -> f64 {
    seat.0.number() as f64
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

/// Returns the seats.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn check_in<'env>(env: &'env Env, seat: &External<SeatHandle>) -> napi::Result<Object<'env>> {
    let seat = seat.0.clone();
    wait(env, move || seat.check_in(), |()| ())
}
