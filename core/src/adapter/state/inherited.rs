//! What a forked child does with the locks that it inherits: at once, inside `fork`.
//!
//! A copy of the leader's lock would keep everybody else from leading after the leader's death, so the child closes
//! it. A copy of the mark on `use.lock` would vanish with the parent's change of it, and the parent could not tell
//! whether children live; so the child puts a mark of its own in its place. The table holds plain words and paths
//! that are never moved: the child handler may only do what a signal handler may.

use super::{super::fork, lock::Place};
use std::{
    ffi::CString,
    os::{fd::RawFd, unix::ffi::OsStrExt},
    path::Path,
    ptr::null_mut,
    sync::atomic::{
        AtomicBool, AtomicI32, AtomicPtr, AtomicU64,
        Ordering::{AcqRel, Acquire, Release},
    },
};

/// What a child does with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Belongs to one process: closed.
    Alone,
    /// Every process has its own: opened anew.
    Shared,
}

#[derive(Debug)]
struct Slot {
    fd: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
    /// Path to open anew; null for what is closed.
    path: AtomicPtr<libc::c_char>,
    generation: AtomicU64,
}

const FREE: i32 = -1;
/// Being filled.
const TAKEN: i32 = -2;
/// Directories and orphans that one process holds at once, with room to spare. Beyond it a child keeps its copies.
const SLOTS: usize = 128;

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        fd: AtomicI32::new(FREE),
        device: AtomicU64::new(0),
        inode: AtomicU64::new(0),
        path: AtomicPtr::new(null_mut()),
        generation: AtomicU64::new(0),
    }
}; SLOTS];

/// An entry of the table, until this is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    slot: Option<&'static Slot>,
    generation: u64,
}

impl Entry {
    /// Enters a descriptor. `path` is for what a child opens anew.
    pub(super) fn new(kind: Kind, path: &Path, fd: RawFd, place: Place) -> Entry {
        install();
        let generation = fork::generation();
        if kind == Kind::Shared {
            release(path, generation, fd);
        }
        let free = |slot: &&Slot| slot.fd.compare_exchange(FREE, TAKEN, AcqRel, Acquire).is_ok();
        let slot = TABLE.iter().find(free);
        if let Some(slot) = slot {
            let path = match (kind, CString::new(path.as_os_str().as_bytes())) {
                (Kind::Shared, Ok(path)) => path.into_raw(),
                _ => null_mut(),
            };
            slot.device.store(place.device, Release);
            slot.inode.store(place.inode, Release);
            slot.generation.store(generation, Release);
            slot.path.store(path, Release);
            slot.fd.store(fd, Release);
        }
        Entry { slot, generation }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // In a child the slot may have another meaning already.
        if self.generation == fork::generation()
            && let Some(slot) = self.slot
        {
            free(slot);
        }
    }
}

fn free(slot: &Slot) {
    slot.fd.store(TAKEN, Release);
    let path = slot.path.swap(null_mut(), AcqRel);
    if !path.is_null() {
        // SAFETY: made by `into_raw` in `Entry::of`, and swapped out by us alone.
        drop(unsafe { CString::from_raw(path) });
    }
    slot.fd.store(FREE, Release);
}

/// Takes back the mark that the handler made in this child: whoever attaches for himself needs it no more.
///
/// A host that closed all its descriptors, as a daemon does, has closed the mark too. Then its number may be `new`,
/// the descriptor that was opened to attach by.
fn release(path: &Path, generation: u64, new: RawFd) {
    for slot in &TABLE {
        let there = slot.path.load(Acquire);
        if there.is_null() || slot.generation.load(Acquire) == generation {
            continue;
        }
        // SAFETY: a string of the table; entries of other generations are freed here only, under the gate.
        let same =
            unsafe { std::ffi::CStr::from_ptr(there) }.to_bytes() == path.as_os_str().as_bytes();
        if same {
            if slot.fd.load(Acquire) != new {
                close_ours(slot);
            }
            free(slot);
        }
    }
}

/// True when handlers are there. Registered once.
fn install() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, AcqRel) && !fork::on_fork(nothing, nothing, child) {
        DONE.store(false, Release);
    }
}

fn nothing() {}

/// In the child, before `fork` returns.
fn child() {
    for slot in &TABLE {
        if slot.fd.load(Acquire) < 0 {
            continue;
        }
        let path = slot.path.load(Acquire);
        if path.is_null() {
            close_ours(slot);
            slot.fd.store(FREE, Release);
        } else if let Some((fd, place)) = mark(path) {
            close_ours(slot);
            slot.device.store(place.device, Release);
            slot.inode.store(place.inode, Release);
            slot.fd.store(fd, Release);
        }
    }
}

/// A mark of this process's own on the file at `path`. None: the copy of the parent's is better than nothing.
fn mark(path: *const libc::c_char) -> Option<(RawFd, Place)> {
    // SAFETY: a string of the table; `open`, `flock`, `fcntl` and `close` are what a signal handler may call.
    unsafe {
        let fd = libc::open(path, libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOFOLLOW);
        if fd < 0 {
            return None;
        }
        if libc::flock(fd, libc::LOCK_SH | libc::LOCK_NB) != 0 {
            libc::close(fd);
            return None;
        }
        let high = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100);
        let fd = if high >= 0 {
            libc::close(fd);
            high
        } else {
            fd
        };
        Some((fd, place(fd)?))
    }
}

/// Closes the descriptor of a slot, unless the host did and its number is another file's now.
fn close_ours(slot: &Slot) {
    let fd = slot.fd.load(Acquire);
    let ours = Place { device: slot.device.load(Acquire), inode: slot.inode.load(Acquire) };
    if fd >= 0 && place(fd) == Some(ours) {
        // SAFETY: our own descriptor in this child; the parent's copy is another one.
        unsafe { libc::close(fd) };
    }
}

/// Which file a descriptor is.
pub(super) fn place(fd: RawFd) -> Option<Place> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: writes one `stat`, read only when the call says that it did.
    unsafe {
        if libc::fstat(fd, stat.as_mut_ptr()) != 0 {
            return None;
        }
        let stat = stat.assume_init();
        #[allow(clippy::unnecessary_cast, reason = "narrower on other systems")]
        Some(Place { device: stat.st_dev as u64, inode: stat.st_ino as u64 })
    }
}
