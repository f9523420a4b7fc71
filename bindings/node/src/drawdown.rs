//! Prepaid units.

use crate::{
    error,
    guard::{GuardHandle, millis},
    wait::wait,
};
use mpguard_core::UnitsAsked;
use napi::{
    Env,
    bindgen_prelude::{External, Object},
};
use napi_derive::napi;
use std::sync::Arc;

/// What JavaScript holds of units that were asked for.
pub struct UnitsWish(Arc<UnitsAsked>);

/// Asks for prepaid units; the wait is at most `timeout_ms`.
#[napi(catch_unwind, ts_return_type = "ExternalObject<UnitsWish>")]
pub fn ask_units(
    env: &Env,
    handle: &External<GuardHandle>,
    entitlement: String,
    quantity: f64,
    timeout_ms: f64,
) -> napi::Result<External<UnitsWish>> {
    let asked = handle.guard.ask_units(&entitlement, quantity as u64, millis(timeout_ms));
    let asked = asked.map_err(|why| error::to_js(env, &why))?;
    Ok(External::new(UnitsWish(Arc::new(asked))))
}

/// Waits for the units that were asked for.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn take_units<'env>(env: &'env Env, wish: &External<UnitsWish>) -> napi::Result<Object<'env>> {
    let asked = wish.0.clone();
    wait(env, move || asked.wait(), |()| ())
}

/// Waits for units no more; nothing is booked, also when the answer has come.
#[napi(catch_unwind)]
pub fn give_up_units(wish: &External<UnitsWish>) {
    wish.0.give_up();
}
