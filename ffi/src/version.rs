//! Versions: of the library, and of the symbols it exports.
//!
//! Each symbol carries the version that brought it (`mpguard_init@@MPGUARD_0.1`), so that a program that
//! needs a newer library than it finds is told so by the loader, by name. build.rs writes the directives
//! from `tests/abi/symbols-in-versions`.

use std::ffi::{CStr, c_char};

#[cfg(symbol_versions)]
include!(concat!(env!("OUT_DIR"), "/symbol_versions.rs"));

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library that is running, such as `0.1.0`; `MPGUARD_VERSION` is the header's.
///
/// Thread:  any.
/// Owns:    nothing; the text lives for ever.
/// Errors:  none.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_version() -> *const c_char {
    VERSION.as_ptr()
}
