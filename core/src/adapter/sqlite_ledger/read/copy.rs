//! A private copy of a database.

use super::{DATABASE, ReadError};
use crate::adapter::sqlite_ledger::{OpenError, beside, check, connect, schema};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A connection to a copy, which is removed with it.
pub(super) struct Copy {
    pub(super) conn: Connection,
    /// Bytes of the database as it was found: an upgrade fills up a page that is cut short.
    pub(super) size: u64,
    _folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is in the system's place for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies taken before one that is torn counts as damage: a running guard writes a few times an hour.
const TRIES: u32 = 4;

impl Copy {
    /// Copies the ledger of `dir`, and checks that its pages make sense.
    pub(super) fn of(dir: &Path) -> Result<Copy, ReadError> {
        let source = dir.join(DATABASE);
        Copy::taken(&source).map_err(|why| ReadError::at(&source, why))
    }

    /// The same, with nothing but the reason where it fails.
    pub(super) fn taken(source: &Path) -> Result<Copy, String> {
        let mut why = String::new();
        for _ in 0..TRIES {
            let (folder, copy) = duplicate(source).map_err(|why| why.to_string())?;
            match look(&copy) {
                Ok((conn, size)) => return Ok(Copy { conn, size, _folder: folder }),
                Err(OpenError::Newer(version)) => {
                    return Err(format!("a newer mpguard wrote it (version {version})"));
                }
                Err(OpenError::Broken(what) | OpenError::Unwritable(what)) => why = what,
            }
        }
        Err(why)
    }
}

fn look(copy: &Path) -> Result<(Connection, u64), OpenError> {
    let conn = connect(copy, None, false).map_err(super::super::trouble::at_open)?;
    match schema::look(&conn, schema::STEPS)? {
        schema::Found::Nothing => Err(OpenError::Broken("it is empty".to_owned())),
        schema::Found::Version(version) => {
            check(&conn)?;
            // A journal was played back by now.
            let size = fs::metadata(copy).map_or(0, |file| file.len());
            // In the copy: so one program reads every version.
            schema::upgrade(&conn, version, schema::STEPS)
                .map_err(super::super::trouble::at_open)?;
            Ok((conn, size))
        }
    }
}

fn duplicate(source: &Path) -> std::io::Result<(Folder, PathBuf)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("mpguard-{}-{number}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    private_folder(&folder.0)?;
    let copy = folder.0.join(DATABASE);
    // The journal first: one that appears or goes in between makes a torn copy, and never a wrong one, unless
    // the database was written meanwhile as well, which shows in its pages and sums.
    match fs::copy(beside(source, "-journal"), beside(&copy, "-journal")) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    fs::copy(source, &copy)?;
    Ok((folder, copy))
}

/// For our eyes only: a ledger names buyers.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
