//! Locks of a state directory, by `flock`, on descriptors that stay out of the host's way.
//!
//! `flock` and not `fcntl`: it separates two copies of this library in one process, and a stray open and close of
//! the file does not drop it. A forked child shares the lock through its copy of the descriptor, so a child only
//! ever closes it: an unlock would unlock the parent.

use super::{
    super::fork,
    inherited::{self, Kind},
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    mem::ManuallyDrop,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

/// Hosts that close or hand out descriptors by number mean small numbers.
const FD_MIN: i32 = 100;

/// A file whose only use is to be locked.
#[derive(Debug)]
pub(super) struct LockFile {
    file: ManuallyDrop<File>,
    place: Place,
    path: PathBuf,
    /// From the opening on: a child's copy of a descriptor that is locked later is locked as well.
    _registered: inherited::Entry,
}

/// Device and inode: which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Place {
    pub(super) fn of(metadata: &fs::Metadata) -> Place {
        Place { device: metadata.dev(), inode: metadata.ino() }
    }

    /// What stands at `path`, links not followed.
    pub(super) fn at(path: &Path) -> Option<Place> {
        fs::symlink_metadata(path).ok().map(|metadata| Place::of(&metadata))
    }
}

impl LockFile {
    /// Opens the file, and makes it when there is none. `kind` says what forked children do with it.
    pub(super) fn open(path: &Path, kind: Kind) -> io::Result<LockFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        LockFile::new(&options, path, kind)
    }

    /// Opens a folder, which takes a lock as a file does.
    pub(super) fn folder(path: &Path) -> io::Result<LockFile> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW);
        LockFile::new(&options, path, Kind::Alone)
    }

    fn new(options: &OpenOptions, path: &Path, kind: Kind) -> io::Result<LockFile> {
        let _busy = fork::gate::busy(); // no fork between the opening and the entry
        let file = out_of_the_way(options.open(path)?);
        let place = Place::of(&file.metadata()?);
        let registered = inherited::Entry::new(kind, path, file.as_raw_fd(), place);
        let file = ManuallyDrop::new(file);
        Ok(LockFile { file, place, path: path.to_owned(), _registered: registered })
    }

    fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Takes the lock for this one alone. False when anybody else holds it.
    ///
    /// One that is held shared is given up first: after `false` nothing is held.
    pub(super) fn try_exclusive(&self) -> io::Result<bool> {
        self.lock(libc::LOCK_EX)
    }

    /// Takes the lock with others. False when somebody holds it alone.
    pub(super) fn try_shared(&self) -> io::Result<bool> {
        self.lock(libc::LOCK_SH)
    }

    fn lock(&self, how: i32) -> io::Result<bool> {
        // SAFETY: a number that is no descriptor any more is an error of the call.
        if unsafe { libc::flock(self.fd(), how | libc::LOCK_NB) } == 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(false),
            _ => Err(error),
        }
    }

    /// Gives the lock up for every process that shares this descriptor. Never for a lock that children share.
    fn unlock(&self) {
        // SAFETY: as in `lock`.
        unsafe { libc::flock(self.fd(), libc::LOCK_UN) };
    }

    /// True while the descriptor is the file that was opened: a host that turns itself into a daemon may have closed
    /// it, and its number may be another file's by now.
    pub(super) fn is_open(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| Place::of(&metadata) == self.place)
    }

    /// True while it is open, and the file at the path is still this one.
    pub(super) fn is_current(&self) -> bool {
        self.is_open() && Place::at(&self.path) == Some(self.place)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if self.is_open() {
            // SAFETY: dropped once, here; the descriptor is still ours.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}

/// Moves a descriptor to a high number. It stays where it is when the system has no such number.
fn out_of_the_way(file: File) -> File {
    // SAFETY: a descriptor that is open; the copy is a new one that nobody else owns.
    unsafe {
        match libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FD_MIN) {
            copy if copy >= 0 => File::from(OwnedFd::from_raw_fd(copy)),
            _ => file,
        }
    }
}

/// The door of a state directory: held while somebody comes in, goes out, or looks whether he is alone.
///
/// Without it two processes that both look whether they are alone could each see the other's lock in the moment
/// between, and both stay, or both go.
pub(super) struct Door(LockFile);

impl Door {
    /// Waits for the door, bounded: whoever was stopped in it must not stop everybody.
    ///
    /// # Errors
    /// There is no such directory.
    pub(super) fn of(folder: &Path) -> io::Result<Door> {
        const TRIES: u32 = 200;
        let door = LockFile::folder(folder)?;
        for _ in 0..TRIES {
            if door.try_exclusive()? {
                break;
            }
            super::nap();
        }
        Ok(Door(door))
    }

    /// True while the path leads through this door.
    pub(super) fn is_current(&self) -> bool {
        self.0.is_current()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // A child that was forked meanwhile has a copy of the descriptor and would keep the door shut.
        self.0.unlock();
    }
}

/// This process's mark on `use.lock`. Forked children count as attached too: see `inherited`.
pub(super) struct Attached(LockFile);

impl Attached {
    /// `None` while somebody holds the file alone, who is about to take the directory away.
    pub(super) fn try_new(path: &Path) -> io::Result<Option<Attached>> {
        let file = LockFile::open(path, Kind::Shared)?;
        Ok(file.try_shared()?.then_some(Attached(file)))
    }

    pub(super) fn is_current(&self) -> bool {
        self.0.is_current()
    }

    /// True when no other process is attached. For whoever holds the door.
    pub(super) fn alone(&self) -> bool {
        let alone = self.leave();
        if !alone {
            self.stay();
        }
        alone
    }

    /// As `alone`, but the mark is gone when there are others: `flock` gives up a shared lock that it cannot turn into
    /// one for this process alone.
    pub(super) fn leave(&self) -> bool {
        let alone = self.0.try_exclusive().unwrap_or(false);
        if alone {
            self.stay();
        }
        alone
    }

    fn stay(&self) {
        for _ in 0..super::TRIES {
            if self.0.try_shared().unwrap_or(true) {
                break;
            }
            super::nap();
        }
    }
}

/// The lock of the leader, or one of holdings: held by this process alone.
pub(super) struct Led {
    file: LockFile,
    /// A child that this process forks holds nothing.
    generation: u64,
}

impl Led {
    /// The lock, when it is free. `file` is given back when it is not.
    pub(super) fn try_new(file: LockFile) -> io::Result<Result<Led, LockFile>> {
        if !file.try_exclusive()? {
            return Ok(Err(file));
        }
        Ok(Ok(Led { file, generation: fork::generation() }))
    }

    /// True while this process holds the lock: the file at the path is still the locked one, and it locks again.
    pub(super) fn holds(&self) -> bool {
        self.holds_anywhere() && self.file.is_current()
    }

    /// As `holds`, for a directory that was renamed under its lock.
    pub(super) fn holds_anywhere(&self) -> bool {
        self.generation == fork::generation()
            && self.file.is_open()
            && self.file.try_exclusive().unwrap_or(false)
    }
}
