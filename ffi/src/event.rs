//! Events and the callbacks that hear them: `mpguard_event_t`.

use crate::{
    error::mpguard_error_t,
    fence,
    handle::{self, Kind, Object},
    license::{LicenseObject, mpguard_license_t},
    number, text,
};
use mpguard_core::{Error, Event, port::listener::Listener};
use std::{
    ffi::{CString, c_char, c_void},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// What happened, with the whole new state.
#[allow(non_camel_case_types)]
pub struct mpguard_event_t {
    _opaque: (),
}

/// Hears events.
///
/// Called on the thread `mpguard-notify`, one event at a time, with no lock held. It may call anything,
/// `mpguard_shutdown` and `mpguard_free` included; `mpguard_shutdown` then returns
/// MPGUARD_ERROR_DEFERRED at once and completes when the callback has returned.
///
/// `event` lives until the callback returns; keep it longer with `mpguard_event_clone`. The last call
/// has returned when `mpguard_shutdown` or `mpguard_unsubscribe` returns on another thread.
///
/// It must return: no C++ exception, no `longjmp`, no `pthread_exit` may leave it. It must not wait for
/// something that waits for the next event.
#[allow(non_camel_case_types)]
pub type mpguard_event_callback_t =
    Option<unsafe extern "C" fn(event: *const mpguard_event_t, user_data: *mut c_void)>;

/// Frees what was given as user data; called once.
#[allow(non_camel_case_types)]
pub type mpguard_user_data_free_t = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// A callback with its user data.
pub(crate) struct CListener {
    callback: unsafe extern "C" fn(*const mpguard_event_t, *mut c_void),
    user_data: *mut c_void,
    user_data_free: mpguard_user_data_free_t,
}

// SAFETY: the header says that callbacks run on our thread and `user_data_free` on any; what
// `user_data` points to is the host's, and is handed over with that promise.
unsafe impl Send for CListener {}
// SAFETY: as above; the fields never change.
unsafe impl Sync for CListener {}

impl CListener {
    pub(crate) fn new(
        callback: unsafe extern "C" fn(*const mpguard_event_t, *mut c_void),
        user_data: *mut c_void,
        user_data_free: mpguard_user_data_free_t,
    ) -> CListener {
        CListener { callback, user_data, user_data_free }
    }
}

impl Drop for CListener {
    fn drop(&mut self) {
        if let Some(free) = self.user_data_free {
            // SAFETY: the host gave both for this one call.
            unsafe { free(self.user_data) };
        }
    }
}

impl Listener for CListener {
    fn on_event(&self, event: &Event) {
        // Without a handle there is nothing to show; the next event carries the whole state again.
        let Ok(handle) = handle::issue(EventObject::new(event.clone())) else {
            return;
        };
        // SAFETY: the host gave both for this; the handle lives until the call returns.
        unsafe { (self.callback)(handle, self.user_data) };
        let failed = handle::pin::<EventObject>(handle)
            .is_ok_and(|event| event.failed.load(Ordering::Acquire));
        let _ = handle::free::<EventObject>(handle);
        if failed {
            // The core counts listeners that panic; this is how a callback in another language says so.
            std::panic::resume_unwind(Box::new("the callback said that it failed"));
        }
    }
}

pub(crate) struct EventObject {
    event: Event,
    text: CString,
    kind: CString,
    topic: CString,
    details: OnceLock<CString>,
    json: OnceLock<CString>,
    failed: AtomicBool,
}

impl EventObject {
    pub(crate) fn new(event: Event) -> Box<EventObject> {
        Box::new(EventObject {
            text: text::owned(&event.text),
            kind: text::owned(event.kind.as_str()),
            topic: text::owned(event.kind.topic().as_str()),
            details: OnceLock::new(),
            json: OnceLock::new(),
            failed: AtomicBool::new(false),
            event,
        })
    }
}

impl Object for EventObject {
    type Opaque = mpguard_event_t;
    const KIND: Kind = Kind::Event;
}

fn ask<T>(event: *const mpguard_event_t, fallback: T, with: impl FnOnce(&EventObject) -> T) -> T {
    fence::value(fallback, || Ok(with(&*handle::pin::<EventObject>(event)?)))
}

/// What happened: one of `MPGUARD_EVENT_*`. Later versions may send numbers that are not here yet.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  0 when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_kind(event: *const mpguard_event_t) -> i32 {
    ask(event, 0, |event| number::event_kind(event.event.kind))
}

/// What happened, as a word such as `license_upgraded`.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the event.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_kind_name(event: *const mpguard_event_t) -> *const c_char {
    ask(event, ptr::null(), |event| event.kind.as_ptr())
}

/// What it is about: `verdict`, `license`, `seat`, `drawdown`, `metering`, `outage`, `setup` or `storage`.
///
/// A slow callback is given only the newest event of each topic.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the event.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_topic(event: *const mpguard_event_t) -> *const c_char {
    ask(event, ptr::null(), |event| event.topic.as_ptr())
}

/// What happened, on which thing, and the next step. For people: the wording may change.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the event.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_text(event: *const mpguard_event_t) -> *const c_char {
    ask(event, ptr::null(), |event| event.text.as_ptr())
}

/// When it happened, by the guard's clock, in epoch milliseconds.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_time_ms(event: *const mpguard_event_t) -> i64 {
    ask(event, -1, |event| event.event.time.0)
}

/// Number of the event; it grows with each event of a guard.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_sequence(event: *const mpguard_event_t) -> i64 {
    ask(event, -1, |event| i64::try_from(event.event.sequence).unwrap_or(i64::MAX))
}

/// True when it comes from a sandbox and proves nothing; its text then begins with `sandbox: `.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  true when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_sandbox(event: *const mpguard_event_t) -> bool {
    ask(event, true, |event| event.event.license.sandbox)
}

/// The license after it: the whole new state.
///
/// Thread:  any.
/// Owns:    the result is yours; end it with `mpguard_license_free`.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_license(event: *const mpguard_event_t) -> *mut mpguard_license_t {
    fence::value(ptr::null_mut(), || {
        let event = handle::pin::<EventObject>(event)?;
        handle::issue(LicenseObject::new(event.event.license.clone()))
    })
}

/// The license before it.
///
/// Thread:  any.
/// Owns:    the result is yours; end it with `mpguard_license_free`.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_old_license(
    event: *const mpguard_event_t,
) -> *mut mpguard_license_t {
    fence::value(ptr::null_mut(), || {
        let event = handle::pin::<EventObject>(event)?;
        handle::issue(LicenseObject::new(event.event.old.clone()))
    })
}

/// More facts of this kind of event as a JSON object: `dimension`, `hour_ms`, `units`, `seat` and others.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the event.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_details_json(event: *const mpguard_event_t) -> *const c_char {
    ask(event, ptr::null(), |object| {
        text::once(&object.details, || text::json(&object.event.details))
    })
}

/// The whole event as a JSON object, in the form that every language shares.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the event.
/// Errors:  NULL when `event` is no live event.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_json(event: *const mpguard_event_t) -> *const c_char {
    ask(event, ptr::null(), |object| {
        text::once(&object.json, || text::json(&object.event.to_json()))
    })
}

/// Makes a copy of an event that lives until you free it.
///
/// Thread:  any.
/// Owns:    `*event_out` is yours; end it with `mpguard_event_free`.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_event_clone(
    event: *const mpguard_event_t,
    event_out: *mut *mut mpguard_event_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let event = handle::pin::<EventObject>(event)?;
        let out = text::out(event_out, "event_out")?;
        let copy = handle::issue(EventObject::new(event.event.clone()))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(copy) };
        Ok(())
    })
}

/// Says from inside a callback that it failed, for example that it caught an exception.
///
/// It is counted in `mpguard_stats_listener_failures` when the callback returns; nothing else happens.
///
/// Thread:  any; of use only until the callback returns.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_callback_failed(event: *const mpguard_event_t) -> i32 {
    fence::status(ptr::null_mut(), || {
        handle::pin::<EventObject>(event)?.failed.store(true, Ordering::Release);
        Ok(())
    })
}

/// Frees an event that is yours. NULL is fine.
///
/// The event that a callback is given is not yours.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `event`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no event; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_event_free(event: *mut mpguard_event_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<EventObject>(event))
}

/// A kept event as a handle.
pub(crate) fn issue(event: Event) -> Result<*mut mpguard_event_t, Error> {
    handle::issue(EventObject::new(event))
}
