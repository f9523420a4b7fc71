//! Time since this computer started, which nobody can set.

use std::time::Duration;

/// Suspended time included, where the system counts it. `None` when it does not tell.
///
/// Source: clock_gettime(2): `CLOCK_BOOTTIME` "includes any time that the system is suspended". Elsewhere the
/// monotonic clock must do.
pub(super) fn since_boot() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec` to the pointer, which is valid for that during the call.
    let done = unsafe { libc::clock_gettime(CLOCK, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    (done == 0).then(|| Duration::new(seconds, nanos))
}
