//! Strings across the border: UTF-8 in, NUL-terminated UTF-8 owned by an object out.

use mpguard_core::{Code, Error, fork};
use std::{
    ffi::{CStr, CString, c_char},
    ptr,
    sync::OnceLock,
};

/// Reads an argument.
///
/// # Errors
/// `InvalidArgument` for `NULL` and for what is not UTF-8.
///
/// # Safety
/// `argument` is `NULL` or a NUL-terminated string that stays unchanged while the result is used.
pub(crate) unsafe fn read<'a>(argument: *const c_char, name: &str) -> Result<&'a str, Error> {
    if argument.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null; the rest is the caller's promise.
    unsafe { CStr::from_ptr(argument) }.to_str().map_err(|bad| {
        Error::new(
            Code::InvalidArgument,
            format!("`{name}` is not UTF-8 from byte {} on; pass UTF-8 text", bad.valid_up_to()),
        )
    })
}

/// Reads an array of `count` pairs of texts: key, value, key, value.
///
/// # Errors
/// As [`read`].
///
/// # Safety
/// `pairs` is `NULL`, or points to twice `count` texts as [`read`] wants them.
pub(crate) unsafe fn pairs<'a>(
    pairs: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<(&'a str, &'a str)>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if pairs.is_null() {
        return Err(null(name));
    }
    let length = count.checked_mul(2).filter(|length| *length <= PAIRS_MAX).ok_or_else(|| {
        Error::new(
            Code::InvalidArgument,
            format!("`{name}` cannot hold {count} pairs; pass the number of pairs, not of bytes"),
        )
    })?;
    // SAFETY: not null; the rest is the caller's promise.
    let texts = unsafe { std::slice::from_raw_parts(pairs, length) };
    texts
        .chunks_exact(2)
        .map(|pair| match pair {
            // SAFETY: the caller's promise.
            [key, value] => unsafe { Ok((read(*key, name)?, read(*value, name)?)) },
            _ => Err(null(name)),
        })
        .collect()
}

/// Far more than AWS takes; a larger count is a mistake that must not be followed into memory.
const PAIRS_MAX: usize = 4096;

/// Checks that there is a place for a result.
///
/// # Errors
/// `InvalidArgument` for `NULL`.
pub(crate) fn out<T>(place: *mut T, name: &str) -> Result<Out<T>, Error> {
    if place.is_null() { Err(null(name)) } else { Ok(Out(place)) }
}

/// A place for one result, not null.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Writes the result.
    ///
    /// # Safety
    /// The caller of the exported function promises that the place holds one `T`.
    pub(crate) unsafe fn write(self, value: T) {
        // SAFETY: not null; the rest is the caller's promise.
        unsafe { self.0.write(value) };
    }
}

/// The error for a `NULL` where something must be.
#[cold]
pub(crate) fn null(name: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("`{name}` is NULL; pass a valid pointer"))
}

/// Text for C to read. A NUL inside, which C could not see past, becomes the replacement character.
pub(crate) fn owned(text: &str) -> CString {
    CString::new(text)
        .unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// A value as JSON for C to read.
pub(crate) fn json(value: &impl serde::Serialize) -> CString {
    owned(&serde_json::to_string(value).unwrap_or_default())
}

/// A text that is made when it is first asked for.
///
/// No fork happens in the middle: the child would wait for ever for a text that nobody makes.
pub(crate) fn once(place: &OnceLock<CString>, make: impl FnOnce() -> CString) -> *const c_char {
    if let Some(there) = place.get() {
        return there.as_ptr();
    }
    let _busy = fork::busy();
    place.get_or_init(make).as_ptr()
}

/// Text for C to read, or `NULL`.
pub(crate) fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_inside_a_text_does_not_cut_it() {
        assert_eq!(owned("a\0b").to_str(), Ok("a\u{fffd}b"));
    }

    #[test]
    fn bad_utf_8_is_named_with_its_place() {
        // SAFETY: a NUL-terminated literal.
        let error = unsafe { read(c"ab\xff".as_ptr(), "dimension") }.expect_err("not UTF-8");
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.text().contains("`dimension` is not UTF-8 from byte 2"), "{error}");
    }
}
