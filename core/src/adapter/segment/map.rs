//! Mapped memory, as words. The only part of the segment that handles addresses.

use super::layout::{BYTES, WORDS};
use std::{
    fs::File,
    io,
    ops::Range,
    os::fd::{AsRawFd, RawFd},
    ptr::{NonNull, null_mut},
    slice,
    sync::atomic::AtomicU64,
};

/// `WORDS` words, shared with every process that maps the same file or was forked from this one.
pub(super) struct Map(NonNull<AtomicU64>);

// SAFETY: all access goes through atomics; the address stays valid until the last owner drops it.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    /// Maps a file that has its full size. The descriptor is not needed afterwards: a host that closes all
    /// descriptors takes nothing from us.
    pub(super) fn file(file: &File) -> io::Result<Map> {
        Map::new(libc::MAP_SHARED, file.as_raw_fd())
    }

    /// Zeros without a file.
    pub(super) fn anonymous() -> io::Result<Map> {
        Map::new(libc::MAP_SHARED | libc::MAP_ANON, -1)
    }

    fn new(flags: i32, fd: RawFd) -> io::Result<Map> {
        // SAFETY: no address is asked for; a bad descriptor is an error of the call.
        let start = unsafe {
            libc::mmap(null_mut(), BYTES, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start.cast()).map(Map).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// One word; an index beyond the end gives the last one.
    #[inline]
    pub(super) fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: the index is inside the mapping, which is aligned to pages and lives as long as `self`. Any
        // bytes are a valid word, and other processes change them by atomic instructions only.
        unsafe { self.0.add(at.min(WORDS - 1)).as_ref() }
    }

    /// Some words in a row.
    pub(super) fn words(&self, range: Range<usize>) -> &[AtomicU64] {
        // SAFETY: as for `word`, for every word of the mapping.
        let all = unsafe { slice::from_raw_parts(self.0.as_ptr(), WORDS) };
        all.get(range).unwrap_or_default()
    }

    /// Waits until the disk has what is mapped.
    pub(super) fn sync(&self) -> io::Result<()> {
        // SAFETY: the whole of our own mapping.
        match unsafe { libc::msync(self.0.as_ptr().cast(), BYTES, libc::MS_SYNC) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: our own mapping; every reference into it borrowed `self`.
        unsafe { libc::munmap(self.0.as_ptr().cast(), BYTES) };
    }
}
