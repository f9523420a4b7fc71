//! Locks that are tried, never waited for, and what is done to a file under one.

use std::{
    fs::File,
    io,
    mem::ManuallyDrop,
    ops::Deref,
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::Path,
    sync::{Mutex, MutexGuard, TryLockError},
    time::Duration,
};

/// Between two tries.
pub(super) const NAP: Duration = Duration::from_micros(200);

pub(super) type Turn<'a, T> = MutexGuard<'a, T>;

/// The lock, if it is free. What a panic left behind is whole: every change under it is one assignment at its end.
pub(super) fn turn<T>(mutex: &Mutex<T>) -> Option<Turn<'_, T>> {
    match mutex.try_lock() {
        Ok(held) => Some(held),
        Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A file that stays open between calls. A host that turns itself into a daemon closes every descriptor, and its
/// next file gets the number of ours: so a descriptor that is another file by now is neither used nor closed.
pub(super) struct Own {
    file: ManuallyDrop<File>,
    place: (u64, u64),
}

impl Own {
    pub(super) fn new(file: File) -> io::Result<Own> {
        let place = place(&file)?;
        Ok(Own { file: ManuallyDrop::new(file), place })
    }

    pub(super) fn is_open(&self) -> bool {
        place(&self.file).is_ok_and(|found| found == self.place)
    }
}

impl Deref for Own {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.is_open() {
            // SAFETY: dropped once, here; the descriptor is still ours.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}

fn place(file: &File) -> io::Result<(u64, u64)> {
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}

/// A file under `flock`, until this is dropped.
pub(super) struct Locked(File);

impl Locked {
    /// `None` while another description of the file holds the lock, in this process or in another one.
    pub(super) fn try_new(file: &File) -> io::Result<Option<Locked>> {
        let file = file.try_clone()?;
        // SAFETY: an open descriptor of our own.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(Some(Locked(file)));
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        }
    }

    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    /// The bytes from `start` to `end`.
    pub(super) fn read(&self, start: u64, end: u64, most: u64) -> Result<Vec<u8>, String> {
        let length = end.saturating_sub(start);
        if length > most {
            return Err(format!("it has {end} bytes, which no list of counters has"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.0.read_exact_at(&mut bytes, start).map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    /// Puts `text` at `end`, cuts off what stood behind, and waits for the disk.
    pub(super) fn append(&self, end: u64, text: &str) -> io::Result<()> {
        self.cut(end)?;
        self.0.write_all_at(text.as_bytes(), end)?;
        self.0.sync_data()
    }

    pub(super) fn cut(&self, end: u64) -> io::Result<()> {
        if self.length()? > end { self.0.set_len(end) } else { Ok(()) }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // By name, not by closing: a child that was forked meanwhile has a copy of the descriptor.
        // SAFETY: an open descriptor of our own.
        unsafe { libc::flock(self.0.as_raw_fd(), libc::LOCK_UN) };
    }
}

/// Makes a new name durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
