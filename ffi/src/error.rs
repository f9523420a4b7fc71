//! The owned error: `mpguard_error_t`.

use crate::{
    fence,
    handle::{self, Kind, Object},
    number::{MPGUARD_ERROR_STALE_HANDLE, MPGUARD_OK},
    text,
};
use mpguard_core::{Code, Error, fork};
use std::{
    ffi::{CString, c_char},
    ptr,
    sync::OnceLock,
};

/// What went wrong in one call: a number to branch on and a text for people. Yours to free.
#[allow(non_camel_case_types)]
pub struct mpguard_error_t {
    _opaque: (),
}

pub(crate) struct ErrorObject {
    code: i32,
    retryable: bool,
    name: CString,
    kind: CString,
    text: CString,
}

impl ErrorObject {
    pub(crate) fn new(error: &Error) -> Box<ErrorObject> {
        Box::new(ErrorObject {
            code: fence::number_of(error.code()),
            retryable: error.retryable(),
            name: text::owned(error.code().as_str()),
            kind: text::owned(error.kind().as_str()),
            text: text::owned(error.text()),
        })
    }
}

impl Object for ErrorObject {
    type Opaque = mpguard_error_t;
    const KIND: Kind = Kind::Error;
}

/// The status that the failed call returned.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  0 when `error` is NULL, MPGUARD_ERROR_STALE_HANDLE when it is no live error.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_code(error: *const mpguard_error_t) -> i32 {
    if error.is_null() {
        return 0;
    }
    fence::value(MPGUARD_ERROR_STALE_HANDLE, || Ok(handle::pin::<ErrorObject>(error)?.code))
}

/// The status as a word, such as `NOT_ENTITLED`.
///
/// Thread:  any.
/// Owns:    nothing; the text lives until the error is freed.
/// Errors:  NULL when `error` is no live error.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_name(error: *const mpguard_error_t) -> *const c_char {
    fence::value(ptr::null(), || Ok(handle::pin::<ErrorObject>(error)?.name.as_ptr()))
}

/// What to do about it, as a word.
///
/// `usage`: fix the call. `retry`: wait and try again. `entitlement`: show the text to the buyer.
/// `environment`: repair the place. `internal`: report a bug in mpguard.
///
/// Thread:  any.
/// Owns:    nothing; the text lives until the error is freed.
/// Errors:  NULL when `error` is no live error.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_kind(error: *const mpguard_error_t) -> *const c_char {
    fence::value(ptr::null(), || Ok(handle::pin::<ErrorObject>(error)?.kind.as_ptr()))
}

/// True when the same call may succeed later.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  false when `error` is no live error.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_retryable(error: *const mpguard_error_t) -> bool {
    fence::value(false, || Ok(handle::pin::<ErrorObject>(error)?.retryable))
}

/// What failed, on which thing, and the next step. For people: the wording may change.
///
/// Thread:  any.
/// Owns:    nothing; the text lives until the error is freed.
/// Errors:  NULL when `error` is no live error.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_text(error: *const mpguard_error_t) -> *const c_char {
    fence::value(ptr::null(), || Ok(handle::pin::<ErrorObject>(error)?.text.as_ptr()))
}

/// The word for a status, such as `NOT_ENTITLED`; `OK` for 0.
///
/// Thread:  any.
/// Owns:    nothing; the text lives for ever.
/// Errors:  NULL when this version has no such status.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_status_name(status: i32) -> *const c_char {
    static NAMES: OnceLock<Vec<(i32, CString)>> = OnceLock::new();
    if status == MPGUARD_OK {
        return c"OK".as_ptr();
    }
    fence::value(ptr::null(), || {
        let _busy = NAMES.get().is_none().then(fork::busy); // see `text::once`
        let names = NAMES.get_or_init(|| {
            let name = |code: &Code| (fence::number_of(*code), text::owned(code.as_str()));
            Code::ALL.iter().map(name).collect()
        });
        let found = names.iter().find(|(number, _)| *number == status);
        Ok(text::pointer(found.map(|(_, name)| name)))
    })
}

/// Frees an error. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `error`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no error; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_error_free(error: *mut mpguard_error_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<ErrorObject>(error))
}
