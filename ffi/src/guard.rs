//! The live object: `mpguard_t`.

use crate::{
    config::{ConfigObject, duration, mpguard_config_t},
    error::mpguard_error_t,
    event::{self, CListener, mpguard_event_callback_t, mpguard_event_t, mpguard_user_data_free_t},
    fence,
    handle::{self, Kind, Object},
    license::{LicenseObject, mpguard_license_t},
    metering::{MeterObject, mpguard_meter_t},
    number::{self, MPGUARD_FOREVER},
    report::{
        AccountObject, ReportObject, StatsObject, mpguard_account_t, mpguard_report_t,
        mpguard_stats_t,
    },
    seat::{SeatObject, mpguard_seat_t},
    text,
};
use mpguard_core::{Code, Error, Guard, fork::Own};
use std::{
    collections::HashMap,
    ffi::{c_char, c_void},
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

/// The live object. Any thread may use it.
#[allow(non_camel_case_types)]
pub struct mpguard_t {
    _opaque: (),
}

/// A dimension and its tags, sorted.
type SeriesKey = (String, Vec<(String, String)>);

pub(crate) struct GuardObject {
    guard: Guard,
    /// The meters that this process asked for; see the top of `metering.rs`. A forked child begins anew: what it
    /// makes ends with its own shutdown, and its parent's lock may be held for ever.
    meters: Own<Mutex<HashMap<SeriesKey, &'static MeterObject>>>,
}

impl Object for GuardObject {
    type Opaque = mpguard_t;
    const KIND: Kind = Kind::Guard;
}

impl GuardObject {
    fn meter(&self, dimension: &str, tags: &[(&str, &str)]) -> Result<&'static MeterObject, Error> {
        // The core decides first, so that what it refuses is never remembered.
        let meter = self.guard.meter(dimension, tags)?;
        let mut sorted: Vec<_> =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        sorted.sort();
        let mut meters = self.meters.get().lock().unwrap_or_else(PoisonError::into_inner);
        Ok(meters
            .entry((dimension.to_owned(), sorted))
            .or_insert_with(|| MeterObject::forever(meter)))
    }
}

/// Starts a guard and waits for the first verdict, at most `startup_timeout_ms`.
///
/// A guard whose verdict is still pending after that time is a success, unless `startup_pending` is
/// `fail`: AWS says that throttling must not stop a product.
///
/// Thread:  any; it waits.
/// Owns:    `*guard_out` is yours; end it with `mpguard_shutdown` and `mpguard_free`. `config` stays
///          yours and may be freed or used again.
/// Errors:  MPGUARD_ERROR_INVALID_CONFIG; a definite denial with what the buyer must do (3xx);
///          MPGUARD_ERROR_PENDING; MPGUARD_ERROR_THREAD; MPGUARD_ERROR_INVALID_ARGUMENT;
///          MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS Marketplace Metering, RegisterUsage; AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_init(
    config: *const mpguard_config_t,
    guard_out: *mut *mut mpguard_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::quiet();
    fence::status(error_out, || {
        let out = text::out(guard_out, "guard_out")?;
        let draft = handle::pin::<ConfigObject>(config)?.draft();
        let guard = match draft.listener {
            Some(listener) => Guard::init_with(&draft.config, listener)?,
            None => Guard::init(&draft.config)?,
        };
        let handle = handle::issue(Box::new(GuardObject { guard, meters: Own::default() }))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(handle) };
        Ok(())
    })
}

/// May the product run? Never waits.
///
/// `*verdict_out` is one of `MPGUARD_VERDICT_*`; only LICENSED and GRACE mean yes.
///
/// Thread:  any. The first call in a forked child starts the child's threads, as that of any function
///          with a guard does; it then sends when its parent is gone.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_verdict(
    guard: *const mpguard_t,
    verdict_out: *mut i32,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(verdict_out, "verdict_out")?;
        // SAFETY: the caller gives a place for a number.
        unsafe { out.write(number::verdict(guard.guard.verdict())) };
        Ok(())
    })
}

/// Verdict, reason and entitlements at this moment. Never waits.
///
/// Thread:  any.
/// Owns:    `*license_out` is yours; end it with `mpguard_license_free`.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_license(
    guard: *const mpguard_t,
    license_out: *mut *mut mpguard_license_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(license_out, "license_out")?;
        let license = handle::issue(LicenseObject::new(guard.guard.license()))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(license) };
        Ok(())
    })
}

/// Succeeds when the product may run now. Never waits.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_PENDING, or the denial with what the buyer must do (3xx);
///          MPGUARD_ERROR_SHUT_DOWN; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_require(
    guard: *const mpguard_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || handle::pin::<GuardObject>(guard)?.guard.require())
}

/// True when the product may run now and its contract has the entitlement `feature`. Never waits.
///
/// Thread:  any.
/// Owns:    nothing; the text is copied.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_has(
    guard: *const mpguard_t,
    feature: *const c_char,
    has_out: *mut bool,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        // SAFETY: the caller gives a string.
        let feature = unsafe { text::read(feature, "feature")? };
        let out = text::out(has_out, "has_out")?;
        // SAFETY: the caller gives a place for a bool.
        unsafe { out.write(guard.guard.has(feature)) };
        Ok(())
    })
}

/// Gives the counter of one dimension and tag set. Make it once, keep it, and add to it.
///
/// `tags` holds `tag_count` pairs, so twice as many texts: key, value, key, value. It may be NULL when
/// `tag_count` is 0. The same arguments give a handle to the same counter.
///
/// Thread:  any.
/// Owns:    `*meter_out` is yours; end it with `mpguard_meter_free`. It may be freed after the guard.
/// Errors:  MPGUARD_ERROR_UNKNOWN_DIMENSION, MPGUARD_ERROR_INVALID_TAG, MPGUARD_ERROR_SHUT_DOWN,
///          MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS Marketplace Metering, MeterUsage, members `UsageDimension` and `UsageAllocations`.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_meter(
    guard: *const mpguard_t,
    dimension: *const c_char,
    tags: *const *const c_char,
    tag_count: usize,
    meter_out: *mut *mut mpguard_meter_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        // SAFETY: the caller gives a string, and as many as `tag_count` says.
        let (dimension, tags) =
            unsafe { (text::read(dimension, "dimension")?, text::pairs(tags, tag_count, "tags")?) };
        let out = text::out(meter_out, "meter_out")?;
        let meter = handle::issue_static(guard.meter(dimension, &tags)?)?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(meter) };
        Ok(())
    })
}

/// Takes `count` seats of a floating entitlement; waits at most `timeout_ms`.
///
/// While every seat of the contract is taken it waits for one to come free, in the order of the calls. The seats
/// are kept by extending until they are checked in or the handle is freed.
///
/// Thread:  any; it waits, so not from an event loop.
/// Owns:    `*seat_out` is yours; end it with `mpguard_seat_check_in` and `mpguard_seat_free`.
/// Errors:  MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, MPGUARD_ERROR_NOT_ENTITLED; MPGUARD_ERROR_NO_SEAT when none
///          came free in time;
///          MPGUARD_ERROR_TIMED_OUT, MPGUARD_ERROR_UNAVAILABLE, MPGUARD_ERROR_SHUT_DOWN;
///          MPGUARD_ERROR_INVALID_ARGUMENT, also for a count under 1 or a negative time;
///          MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_check_out(
    guard: *const mpguard_t,
    entitlement: *const c_char,
    count: i64,
    timeout_ms: i64,
    seat_out: *mut *mut mpguard_seat_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        // SAFETY: the caller gives a string.
        let entitlement = unsafe { text::read(entitlement, "entitlement")? };
        let out = text::out(seat_out, "seat_out")?;
        let timeout = duration(timeout_ms, "timeout_ms")?;
        let count = at_least_one(count, "check out", entitlement)?;
        let seat =
            handle::issue(SeatObject::new(guard.guard.check_out(entitlement, count, timeout)?))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(seat) };
        Ok(())
    })
}

/// Books `quantity` prepaid units of a drawdown entitlement; waits at most `timeout_ms`. Start the work
/// after MPGUARD_OK.
///
/// Units are drawn from the contract exactly once, whatever answers, processes or networks are lost on the way.
/// When the time is over while AWS has not answered, nothing is booked; units that AWS gives later serve the next
/// call. `mpguard_account` shows drawn, booked and disputed units.
///
/// Thread:  any; it waits, so not from an event loop.
/// Owns:    nothing; the text is copied.
/// Errors:  MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, MPGUARD_ERROR_EXHAUSTED, MPGUARD_ERROR_NOT_ENTITLED,
///          MPGUARD_ERROR_TIMED_OUT, MPGUARD_ERROR_UNAVAILABLE, MPGUARD_ERROR_SHUT_DOWN;
///          MPGUARD_ERROR_INVALID_ARGUMENT, also for a quantity under 1 or a negative time;
///          MPGUARD_ERROR_STALE_HANDLE. Nothing is booked then.
/// Source:  AWS License Manager, CheckoutLicense, checkout type `PERPETUAL`.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_draw_down(
    guard: *const mpguard_t,
    entitlement: *const c_char,
    quantity: i64,
    timeout_ms: i64,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        // SAFETY: the caller gives a string.
        let entitlement = unsafe { text::read(entitlement, "entitlement")? };
        let timeout = duration(timeout_ms, "timeout_ms")?;
        let quantity = at_least_one(quantity, "draw down", entitlement)?;
        guard.guard.draw_down(entitlement, quantity, timeout)
    })
}

/// Adds a callback; it hears the current state first, then every event.
///
/// `*subscription_out` is the number for `mpguard_unsubscribe`. `user_data_free` may be NULL; else it is
/// called once with `user_data`, on any thread, when the last call of `callback` has returned.
///
/// Thread:  any. `callback` may run before this returns.
/// Owns:    takes `user_data` on success, if `user_data_free` is given; else it stays yours.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE. Nothing was taken then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_subscribe(
    guard: *const mpguard_t,
    callback: mpguard_event_callback_t,
    user_data: *mut c_void,
    user_data_free: mpguard_user_data_free_t,
    subscription_out: *mut u64,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let callback = callback.ok_or_else(|| text::null("callback"))?;
        let out = text::out(subscription_out, "subscription_out")?;
        let listener = Arc::new(CListener::new(callback, user_data, user_data_free));
        // SAFETY: the caller gives a place for a number.
        unsafe { out.write(guard.guard.subscribe(listener)) };
        Ok(())
    })
}

/// Removes a callback. A number that is not subscribed is no error.
///
/// When this has returned on another thread than the callback's, the callback runs no more.
///
/// Thread:  any, also from inside a callback.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_unsubscribe(
    guard: *const mpguard_t,
    subscription: u64,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        handle::pin::<GuardObject>(guard)?.guard.unsubscribe(subscription);
        Ok(())
    })
}

/// Takes the next event of the guard's own queue; waits at most `timeout_ms`, MPGUARD_FOREVER for ever.
///
/// For hosts that would rather ask than be called. The queue starts with the first call of this or of
/// `mpguard_event_fd`, and keeps the newest event of each topic.
///
/// Thread:  any; it waits unless `timeout_ms` is 0.
/// Owns:    `*event_out` is yours; end it with `mpguard_event_free`.
/// Errors:  MPGUARD_ERROR_TIMED_OUT when there was none in time; MPGUARD_ERROR_SHUT_DOWN when the queue
///          is empty for good; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_next_event(
    guard: *const mpguard_t,
    timeout_ms: i64,
    event_out: *mut *mut mpguard_event_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(event_out, "event_out")?;
        let timeout = match timeout_ms {
            MPGUARD_FOREVER => None,
            ms => Some(duration(ms, "timeout_ms")?),
        };
        let event = guard.guard.next_event(timeout).ok_or_else(|| guard.no_event(timeout_ms))?;
        let event = event::issue(event)?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(event) };
        Ok(())
    })
}

/// Gives a file descriptor that is readable while `mpguard_next_event` has something to give.
///
/// Thread:  any.
/// Owns:    nothing; the descriptor belongs to the guard: wait on it, never read or close it.
/// Errors:  MPGUARD_ERROR_STORAGE when the system gives none; MPGUARD_ERROR_INVALID_ARGUMENT;
///          MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_event_fd(
    guard: *const mpguard_t,
    fd_out: *mut i32,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(fd_out, "fd_out")?;
        let fd = guard.guard.event_fd()?;
        // SAFETY: the caller gives a place for a number.
        unsafe { out.write(fd) };
        Ok(())
    })
}

/// Tells where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown
/// entitlement: drawn and not booked is open, being drawn is pending, booked is delivered.
///
/// Thread:  any.
/// Owns:    `*account_out` is yours; end it with `mpguard_account_free`.
/// Errors:  MPGUARD_ERROR_SHUT_DOWN, MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_account(
    guard: *const mpguard_t,
    account_out: *mut *mut mpguard_account_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(account_out, "account_out")?;
        let account = handle::issue(AccountObject::new(guard.guard.account()?))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(account) };
        Ok(())
    })
}

/// Counts calls, failures and events since `mpguard_init`. Never waits.
///
/// Thread:  any.
/// Owns:    `*stats_out` is yours; end it with `mpguard_stats_free`.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_stats(
    guard: *const mpguard_t,
    stats_out: *mut *mut mpguard_stats_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let out = text::out(stats_out, "stats_out")?;
        let stats = handle::issue(StatsObject::new(guard.guard.stats()))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(stats) };
        Ok(())
    })
}

/// Sends the usage of all ended hours now instead of at its time; waits at most `deadline_ms`.
///
/// The running hour is not touched: a record sent early would lock it.
///
/// Thread:  any; it waits.
/// Owns:    `*report_out` is yours; end it with `mpguard_report_free`. `report_out` may be NULL.
/// Errors:  MPGUARD_ERROR_SHUT_DOWN, MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_flush(
    guard: *const mpguard_t,
    deadline_ms: i64,
    report_out: *mut *mut mpguard_report_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let report = guard.guard.flush(duration(deadline_ms, "deadline_ms")?)?;
        // SAFETY: the caller gives a place for a handle, or NULL.
        unsafe { hand_over(ReportObject::of_flush(&report), report_out) }
    })
}

/// Ends the guard in this process: sends what is counted, returns seats, reports what is left; waits at
/// most `deadline_ms`.
///
/// The running hour is sent by the last process of the task that ends; a worker that is replaced by
/// another one sends nothing early.
///
/// After it has returned on another thread than the callbacks', no callback runs. The handle stays
/// yours: `mpguard_account`, `mpguard_license` and `mpguard_stats` still answer.
///
/// Thread:  any; it waits. From inside a callback it returns MPGUARD_ERROR_DEFERRED at once and completes
///          when the callback has returned.
/// Owns:    `*report_out` is yours; end it with `mpguard_report_free`. `report_out` may be NULL.
/// Errors:  MPGUARD_ERROR_SHUT_DOWN for a second call; MPGUARD_ERROR_DEFERRED;
///          MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS Marketplace Metering, MeterUsage; AWS License Manager, CheckInLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_shutdown(
    guard: *const mpguard_t,
    deadline_ms: i64,
    report_out: *mut *mut mpguard_report_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let guard = handle::pin::<GuardObject>(guard)?;
        let report = guard.guard.shutdown(duration(deadline_ms, "deadline_ms")?)?;
        // SAFETY: the caller gives a place for a handle, or NULL.
        unsafe { hand_over(ReportObject::of_shutdown(report), report_out) }
    })
}

/// Frees a guard. NULL is fine.
///
/// A guard that was not shut down, and of which no seat is left, is shut down now with a deadline of
/// five seconds. In a forked child that made no call of it yet, nothing is left to end.
///
/// Thread:  any, also from inside a callback.
/// Owns:    takes `guard`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no guard; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_free(guard: *mut mpguard_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<GuardObject>(guard))
}

impl GuardObject {
    #[cold]
    fn no_event(&self, timeout_ms: i64) -> Error {
        if self.guard.license().reason == mpguard_core::model::license::Reason::ShutDown
            || timeout_ms == MPGUARD_FOREVER
        {
            return Error::new(
                Code::ShutDown,
                "no more events: the guard was shut down; leave the loop that asks for them",
            );
        }
        Error::new(
            Code::TimedOut,
            format!("no event within {timeout_ms} ms; ask again, or wait longer"),
        )
    }
}

/// An amount of an entitlement as the core takes it, which refuses 0 by itself.
fn at_least_one(amount: i64, verb: &str, entitlement: &str) -> Result<u64, Error> {
    u64::try_from(amount).map_err(|_| {
        Error::new(
            Code::InvalidArgument,
            format!("cannot {verb} `{amount}` of `{entitlement}`; ask for at least 1"),
        )
    })
}

/// Gives a report to a caller who wants it.
unsafe fn hand_over(
    report: Box<ReportObject>,
    report_out: *mut *mut mpguard_report_t,
) -> Result<(), Error> {
    if !report_out.is_null() {
        let report = handle::issue(report)?;
        // SAFETY: not null; the rest is the caller's promise.
        unsafe { report_out.write(report) };
    }
    Ok(())
}
