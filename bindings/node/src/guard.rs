//! The guard: init, verdict, license, account, flush, shutdown.

use crate::{
    config, error,
    event::{Door, OnEvent},
    plain::{Numbers, Plain},
    room::{self, Room},
    wait::wait,
};
use mpguard_core::{Config, Guard, Result};
use napi::{
    Env,
    bindgen_prelude::{External, Object},
};
use napi_derive::napi;
use std::{sync::Arc, time::Duration};

/// What JavaScript holds of a guard. Dropping it ends nothing: its room keeps the guard.
#[derive(Clone)]
pub struct GuardHandle {
    pub(crate) guard: Guard,
    key: u64,
    room: Arc<Room>,
    door: Arc<Door>,
}

/// Starts a guard; `options` is JSON with keys in camelCase, or, when `shared`, spelled as in the other languages.
#[napi(
    catch_unwind,
    ts_args_type = "options: string, shared: boolean, onEvent: (event: Event) => void",
    ts_return_type = "Promise<ExternalObject<GuardHandle>>"
)]
pub fn init<'env>(
    env: &'env Env,
    options: String,
    shared: bool,
    on_event: OnEvent<'_>,
) -> napi::Result<Object<'env>> {
    let read = if shared { Config::from_json(&options) } else { config::read(&options) };
    let config = read.map_err(|why| error::to_js(env, &why))?;
    let room = room::of(env)?;
    let door = Arc::new(Door::new(&on_event, room.clone())?);
    let start = move || {
        let started = Guard::init_with(&config, door.clone());
        let guard = if shared { started? } else { started.map_err(|why| config::spelled(&why))? };
        let key = room.keep(&guard);
        Ok(GuardHandle { guard, key, room, door })
    };
    wait(env, start, External::new)
}

/// May the product run?
#[napi(catch_unwind, ts_return_type = "Verdict")]
pub fn verdict(handle: &External<GuardHandle>) -> &'static str {
    handle.guard.verdict().as_str()
}

/// Verdict, reason and entitlements at this moment.
#[napi(catch_unwind, ts_return_type = "License")]
pub fn license(handle: &External<GuardHandle>) -> Plain {
    Plain::json(handle.guard.license().to_json())
}

/// Throws unless the product may run now.
#[napi(catch_unwind, js_name = "require")]
pub fn require_now(env: &Env, handle: &External<GuardHandle>) -> napi::Result<()> {
    handle.guard.require().map_err(|why| error::to_js(env, &why))
}

/// Has the contract this entitlement, and may the product run?
#[napi(catch_unwind)]
pub fn has(handle: &External<GuardHandle>, feature: String) -> bool {
    handle.guard.has(&feature)
}

/// Counts of calls, failures and events.
#[napi(catch_unwind, ts_return_type = "Stats")]
pub fn stats(handle: &External<GuardHandle>) -> Plain {
    Plain::of(&handle.guard.stats(), Numbers::Double)
}

/// Where every raw count is.
#[napi(catch_unwind, ts_return_type = "Promise<Account<any>[]>")]
pub fn account<'env>(
    env: &'env Env,
    handle: &External<GuardHandle>,
    bigint: bool,
) -> napi::Result<Object<'env>> {
    let numbers = Numbers::exact_if(bigint);
    on(env, handle, |handle| handle.guard.account(), move |accounts| Plain::of(&accounts, numbers))
}

/// Sends the usage of ended hours now.
#[napi(catch_unwind, ts_return_type = "Promise<FlushReport<any>>")]
pub fn flush<'env>(
    env: &'env Env,
    handle: &External<GuardHandle>,
    deadline_ms: f64,
    bigint: bool,
) -> napi::Result<Object<'env>> {
    let (deadline, numbers) = (millis(deadline_ms), Numbers::exact_if(bigint));
    on(
        env,
        handle,
        move |handle| handle.guard.flush(deadline),
        move |report| Plain::of(&report, numbers),
    )
}

/// Ends the guard.
#[napi(catch_unwind, ts_return_type = "Promise<ShutdownReport<any>>")]
pub fn shutdown<'env>(
    env: &'env Env,
    handle: &External<GuardHandle>,
    deadline_ms: f64,
    bigint: bool,
) -> napi::Result<Object<'env>> {
    let (deadline, numbers) = (millis(deadline_ms), Numbers::exact_if(bigint));
    let end = move |handle: GuardHandle| {
        let report = handle.guard.shutdown(deadline);
        handle.room.forget(handle.key);
        handle.door.shut();
        report
    };
    on(env, handle, end, move |report| Plain::of(&report, numbers))
}

/// A time given in JavaScript; the JavaScript half has checked that it is a number from 0 on.
pub(crate) fn millis(ms: f64) -> Duration {
    Duration::from_millis(ms as u64)
}

/// Runs `work` with a copy of the handle on a thread of its own.
pub(crate) fn on<'env, T: Send + 'static, V: napi::bindgen_prelude::ToNapiValue + 'static>(
    env: &'env Env,
    handle: &External<GuardHandle>,
    work: impl FnOnce(GuardHandle) -> Result<T> + Send + 'static,
    finish: impl FnOnce(T) -> V + Send + 'static,
) -> napi::Result<Object<'env>> {
    let handle = GuardHandle::clone(handle);
    wait(env, move || work(handle), finish)
}
