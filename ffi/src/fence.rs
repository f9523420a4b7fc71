//! Where panics stop, and where an error leaves through `error_out`.
//!
//! A panic never crosses into C. It becomes `MPGUARD_ERROR_INTERNAL`, with message and place in the
//! error's text, and nothing is printed: [`quiet`] takes the place of the hook that would write to
//! stderr. Our copy of the standard library is our own, so the hook of a Rust host stays untouched.

use crate::{
    error::{ErrorObject, mpguard_error_t},
    handle,
    number::MPGUARD_OK,
};
use mpguard_core::{Code, Error, fork};
use std::{
    any::Any,
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::Once,
};

/// Runs an operation: 0, or the number of its error, whose owned form goes to `error_out` if it is given.
pub(crate) fn status(
    error_out: *mut *mut mpguard_error_t,
    body: impl FnOnce() -> Result<(), Error>,
) -> i32 {
    match guarded(body) {
        Ok(()) => MPGUARD_OK,
        Err(error) => fail(error_out, error),
    }
}

/// Lets an error out: its number, and its owned form to `error_out` if it is given.
#[cold]
pub(crate) fn fail(error_out: *mut *mut mpguard_error_t, error: Error) -> i32 {
    if !error_out.is_null() {
        let owned = guarded(|| handle::issue(ErrorObject::new(&error)));
        // SAFETY: not null, and the caller promises that it points to one handle.
        unsafe { error_out.write(owned.unwrap_or(ptr::null_mut())) };
    }
    number_of(error.code())
}

/// Runs an accessor: its value, or `fallback` for a handle that is none.
pub(crate) fn value<T>(fallback: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    guarded(body).unwrap_or(fallback)
}

/// Runs `body`; a panic becomes an error.
pub(crate) fn guarded<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Nothing of ours is left half-changed by a panic: objects are replaced whole, behind locks whose
    // poison is ignored on purpose.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(internal(payload)))
}

/// The number of `code` on this border; the core gives them explicitly.
#[expect(clippy::as_conversions, reason = "a fieldless enum has no other way to its number")]
pub(crate) fn number_of(code: Code) -> i32 {
    code as i32
}

/// Keeps panics of this library off stderr. Called by what a host must call before anything can go wrong.
pub(crate) fn quiet() {
    static HOOK: Once = Once::new();
    // In unit tests and fuzzers the standard library is shared with the runner, which needs its own hook.
    if !cfg!(any(test, fuzzing)) && !HOOK.is_completed() {
        let _busy = fork::busy(); // a fork in the middle would leave a child that waits for ever
        HOOK.call_once(|| {
            std::panic::set_hook(Box::new(|info| {
                let place = info.location().map(ToString::to_string);
                // A thread that is ending may have no thread-locals left.
                let _ = PLACE.try_with(|last| {
                    if let Ok(mut last) = last.try_borrow_mut() {
                        *last = place;
                    }
                });
            }));
        });
    }
}

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The error that a panic becomes.
#[cold]
pub(crate) fn internal(payload: Box<dyn Any + Send>) -> Error {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned();
    // Its destructor is unknown code that may panic again.
    std::mem::forget(payload);
    let place = PLACE
        .try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take()))
        .ok()
        .flatten()
        .unwrap_or_else(|| "an unknown place".into());
    Error::new(
        Code::Internal,
        format!("mpguard failed at {place}: {said}; this is a bug of mpguard, please report it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{mpguard_error_code, mpguard_error_free, mpguard_error_text};
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_an_internal_error_that_carries_its_message() {
        let mut error = ptr::null_mut();
        let status = status(&raw mut error, || panic!("the sky fell"));
        assert_eq!(status, 501);
        assert_eq!(mpguard_error_code(error), 501);
        // SAFETY: the error lives until it is freed below.
        let text = unsafe { CStr::from_ptr(mpguard_error_text(error)) };
        assert!(text.to_str().expect("UTF-8").contains("the sky fell"), "{text:?}");
        assert_eq!(mpguard_error_free(error), 0);
    }

    #[test]
    fn an_accessor_that_panics_gives_its_fallback() {
        assert_eq!(value(-1, || panic!("again")), -1);
    }

    #[test]
    fn an_error_without_a_place_for_it_is_still_a_status() {
        let status = status(ptr::null_mut(), || Err(Error::new(Code::NoSeat, "taken")));
        assert_eq!(status, 204);
    }
}
