//! After a failed read, write or sync: a fresh file instead of a poisoned one.
//!
//! When a sync fails, the kernel may mark the lost pages as written; a second sync then succeeds and proves
//! nothing ("fsyncgate"). So the file is never synced again: its content is copied, as reads give it, into a
//! spare file, checked there, and put in its place.
//!
//! The copy is byte by byte and not by `VACUUM INTO`. A journal that is still hot goes along and is rolled back
//! in the copy, so the poisoned file is not written even once. And if we die between the two last steps, the old
//! journal lies beside the new file: as page numbers are the same, playing it back gives the same state again.

use super::{
    Health, SqliteLedger, beside, check, connect, prepare, trouble, trusted_books, unwritten,
};
use crate::port::ledger::LedgerError;
use std::{io, path::Path};

impl SqliteLedger {
    /// Makes the ledger writable again. Called by the leader only; until it succeeds nothing is written.
    pub(super) fn repair(&mut self) -> Result<(), LedgerError> {
        // Closing may roll back in the old file; whatever it leaves there, the copy is checked.
        drop(self.conn.take());
        let spare = beside(&self.path, "-spare");
        match self.replace(&spare) {
            Ok(()) => Ok(()),
            Err(Obstacle::Later(why)) => {
                // It would only take room. Where it stays, the next try writes over it.
                let _ = self.place.files.remove(&spare);
                let _ = self.place.files.remove(&beside(&spare, "-journal"));
                let next =
                    "repair the volume or free space; the copy is tried again with the next write";
                Err(unwritten(
                    &self.path,
                    &format!("it cannot be copied to a fresh file: {why}"),
                    next,
                ))
            }
            Err(Obstacle::Broken(why)) => {
                self.mark_broken(why);
                Ok(())
            }
            Err(Obstacle::Deposed) => Err(self.depose("another process has led since".to_owned())),
        }
    }

    fn replace(&mut self, spare: &Path) -> Result<(), Obstacle> {
        let files = &self.place.files;
        let (journal, spare_journal) = (beside(&self.path, "-journal"), beside(spare, "-journal"));
        files.remove(&spare_journal)?;
        files.copy(&self.path, spare)?;
        if files.size(&journal)?.is_some_and(|size| size > 0) {
            files.copy(&journal, &spare_journal)?;
        }
        let vfs = self.place.vfs.as_deref();
        let copy = connect(spare, vfs, false)?;
        check(&copy)?;
        prepare(&copy)?;
        trusted_books(&copy)?;
        drop(copy);
        files.sync(spare)?;
        files.rename(spare, &self.path)?;
        files.sync_names(&self.path)?;
        // Only now: before the new name is on the disk, the old file still needs its journal.
        files.remove(&journal)?;
        files.sync_names(&self.path)?;
        let conn = connect(&self.path, vfs, false)?;
        prepare(&conn)?;
        let sql = "SELECT epoch, commits FROM state";
        let (epoch, commits): (i64, i64) =
            conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if epoch != self.epoch {
            return Err(Obstacle::Deposed);
        }
        (self.conn, self.commits, self.health) = (Some(conn), commits, Health::Well);
        Ok(())
    }
}

/// Why there is no fresh file.
enum Obstacle {
    Later(String),
    Broken(String),
    Deposed,
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Obstacle::Later(error.to_string())
    }
}

impl From<rusqlite::Error> for Obstacle {
    fn from(error: rusqlite::Error) -> Self {
        trouble::at_open(error).into()
    }
}

impl From<super::OpenError> for Obstacle {
    fn from(error: super::OpenError) -> Self {
        match error {
            super::OpenError::Broken(why) => Obstacle::Broken(why),
            super::OpenError::Unwritable(why) => Obstacle::Later(why),
            super::OpenError::Newer(_) => Obstacle::Deposed,
        }
    }
}
