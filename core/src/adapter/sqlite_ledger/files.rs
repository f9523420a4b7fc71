//! The few things about files that SQLite does not do for us.
//!
//! A trait, because the proofs run the ledger on a disk of their own.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
};

/// Files beside the database.
pub trait Files: Send {
    /// Bytes in it; `None` when there is no such file.
    ///
    /// # Errors
    /// The directory cannot be read.
    fn size(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Writes the content of `from` into a new file `to` and waits until the disk has it.
    ///
    /// # Errors
    /// There may be half a file `to`.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes an empty file, whose name says everything.
    ///
    /// # Errors
    /// There is none.
    fn mark(&self, path: &Path) -> io::Result<()>;

    /// Waits until the disk has the content of `path`.
    ///
    /// # Errors
    /// The disk may not have it.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Puts `from` in the place of `to`.
    ///
    /// # Errors
    /// Nothing was changed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// It may still be there.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Waits until the disk has the names in the directory of `path`.
    ///
    /// # Errors
    /// The disk may not have them.
    fn sync_names(&self, path: &Path) -> io::Result<()>;
}

/// Files of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsFiles;

impl Files for OsFiles {
    fn size(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut source = File::open(from)?;
        let mut copy = OpenOptions::new().write(true).create(true).truncate(true).open(to)?;
        io::copy(&mut source, &mut copy)?;
        copy.sync_all()
    }

    fn mark(&self, path: &Path) -> io::Result<()> {
        File::create(path).map(drop)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_names(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}
