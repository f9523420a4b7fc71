//! The file of a segment: made whole or not at all, checked before it is mapped.

use super::{
    layout::{self, BYTES, CONTROL_BYTES, Owner, Unreadable, VERSION},
    map::Map,
};
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Why a segment cannot be mapped.
#[derive(Debug)]
pub enum SegmentError {
    /// There is no such file.
    Missing,
    /// It is no segment, or not a whole one: set it aside, and make a new one.
    Broken(String),
    /// Another version of this library made it: leave it alone.
    Version {
        /// Version of its layout.
        found: u32,
    },
    /// The system refuses.
    Io(io::Error),
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SegmentError::Missing => f.write_str("there is no segment of counters"),
            SegmentError::Broken(why) => write!(f, "the segment of counters is broken: {why}"),
            SegmentError::Version { found } => write!(
                f,
                "the segment of counters has layout version {found} and this library knows {VERSION}; use one version of \
                 mpguard in all processes of the task"
            ),
            SegmentError::Io(why) => write!(f, "cannot map the segment of counters: {why}"),
        }
    }
}

impl std::error::Error for SegmentError {}

impl From<io::Error> for SegmentError {
    fn from(error: io::Error) -> SegmentError {
        match error.kind() {
            io::ErrorKind::NotFound => SegmentError::Missing,
            _ => SegmentError::Io(error),
        }
    }
}

/// A checked file, mapped.
pub(super) struct Opened {
    pub(super) map: Map,
    pub(super) place: (u64, u64),
    pub(super) owner: Owner,
}

/// Checks the file by ordinary reads, which unlike mapped ones survive a short file, then maps it.
pub(super) fn open(path: &Path) -> Result<Opened, SegmentError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(SegmentError::Broken("it is not an ordinary file".to_owned()));
    }
    let short = || SegmentError::Broken(format!("it has {} bytes of {BYTES}", found.len()));
    if found.len() < CONTROL_BYTES as u64 {
        return Err(short());
    }
    let mut page = [0; CONTROL_BYTES];
    file.read_exact(&mut page)?;
    let owner = layout::read_control(&page).map_err(|why| match why {
        Unreadable::Broken(why) => SegmentError::Broken(why.to_owned()),
        Unreadable::Version(found) => SegmentError::Version { found },
    })?;
    if found.len() != BYTES as u64 {
        return Err(short());
    }
    if !layout::is_current_sound(&page) {
        return Err(SegmentError::Broken("its running slab has no possible number".to_owned()));
    }
    Ok(Opened { map: Map::file(&file)?, place: (found.dev(), found.ino()), owner })
}

/// Device and inode of a file that has its full size.
pub(super) fn place(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    if found.len() == BYTES as u64 {
        Ok((found.dev(), found.ino()))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Writes every byte under another name, syncs, and renames.
pub(super) fn create(path: &Path, control: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let new = beside(path);
    // The leader alone makes files: what stands there is left from one that died here.
    let _ = fs::remove_file(&new);
    let made = write(&new, control).and_then(|()| fs::rename(&new, path));
    if let Err(error) = made {
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(path).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

fn write(path: &Path, control: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(control)?;
    // Written, not only allocated: a block that was never written may still need room for its first byte.
    let zeros = vec![0; BYTES.saturating_sub(control.len())];
    file.write_all(&zeros)?;
    file.sync_all()
}

/// The name under which a file is made before it is renamed.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Makes a new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
