//! The word behind `generation`: zero in a fresh child, by the kernel's own hand where it can.
//!
//! A drawn number holds the process id in its upper 22 bits, which is all that Linux gives out, and the time
//! since the computer started in the others. So it differs from the parent's at least by the process, and from
//! that of an earlier process with the same id by the time.

use super::super::boot_time;
use std::{
    ptr::null_mut,
    sync::atomic::{
        AtomicPtr, AtomicU64,
        Ordering::{AcqRel, Acquire},
    },
};

const TIME_BITS: u32 = 42;

/// Where the word is; null before the first call.
static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());
/// Stands in where the kernel wipes no page for us: then each look compares the process id as well.
static UNWIPED: AtomicU64 = AtomicU64::new(0);

#[inline]
pub(super) fn generation() -> u64 {
    // SAFETY: null, or a word that is never freed.
    let word = unsafe { WORD.load(Acquire).as_ref() };
    number_in(word.unwrap_or_else(first))
}

#[inline]
fn number_in(word: &AtomicU64) -> u64 {
    let number = word.load(Acquire);
    if number == 0 || (std::ptr::eq(word, &UNWIPED) && is_strange(number)) {
        return draw(word, number);
    }
    number
}

/// True when another process has drawn it.
fn is_strange(number: u64) -> bool {
    number >> TIME_BITS != process()
}

#[cold]
fn draw(word: &AtomicU64, seen: u64) -> u64 {
    let number = process() << TIME_BITS | (micros() & ((1 << TIME_BITS) - 1)).max(1);
    match word.compare_exchange(seen, number, AcqRel, Acquire) {
        Ok(_) => number,
        Err(faster) => faster,
    }
}

#[cold]
fn first() -> &'static AtomicU64 {
    let page = wiped_page();
    let mine = page.unwrap_or((&raw const UNWIPED).cast_mut());
    let word = match WORD.compare_exchange(null_mut(), mine, AcqRel, Acquire) {
        Ok(_) => mine,
        // Another thread was faster. Our page is left: a page once is cheaper than a race about its end.
        Err(theirs) => theirs,
    };
    // SAFETY: a static, or a page that is never unmapped; atomics only.
    unsafe { &*word }
}

/// A page that reads zero in every child.
#[cfg(target_os = "linux")]
fn wiped_page() -> Option<*mut AtomicU64> {
    const PAGE: usize = 4096;
    // SAFETY: new private memory, asked for at no address; given back when the kernel cannot wipe it.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(null_mut(), PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if page == libc::MAP_FAILED {
            return None;
        }
        if libc::madvise(page, PAGE, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, PAGE);
            return None;
        }
        Some(page.cast())
    }
}

/// A page that reads zero in every child: other systems have none.
#[cfg(not(target_os = "linux"))]
fn wiped_page() -> Option<*mut AtomicU64> {
    None
}

fn process() -> u64 {
    u64::from(std::process::id()) & ((1 << (64 - TIME_BITS)) - 1)
}

/// Microseconds since the computer started.
fn micros() -> u64 {
    // Where the system does not tell, the process id still differs.
    let since = boot_time::since_boot().unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) fn is_wiped() -> bool {
    generation();
    !std::ptr::eq(WORD.load(Acquire), &UNWIPED)
}

/// The number where the kernel wipes no page.
#[cfg(test)]
pub(super) fn unwiped() -> u64 {
    number_in(&UNWIPED)
}
