//! The end of the host's process, when the seller asked for it.

/// Exit status for "not entitled" (77, `EX_NOPERM` of sysexits.h).
const DENIED: i32 = 77;

/// Ends the process at once, without handlers: none of the host's code runs half-way.
pub(crate) fn exit_denied() -> ! {
    #[cfg(unix)]
    // SAFETY: `_exit` takes any status and does not return.
    unsafe {
        libc::_exit(DENIED)
    }
    #[cfg(not(unix))]
    std::process::exit(DENIED)
}
