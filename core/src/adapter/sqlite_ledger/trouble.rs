//! What an error of SQLite means for the ledger.

use super::OpenError;
use rusqlite::{Error, ffi};

/// Kinds of failure that are handled differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing was written and the file is as it was; the next try may do.
    Refused,
    /// A read, write or sync failed: what the disk holds is not known any more.
    Disk,
    /// The content makes no sense.
    Broken,
    /// A statement does not fit the rows: a bug of ours.
    Bug,
}

/// Sorts an error of SQLite.
pub(super) fn kind(error: &Error) -> Trouble {
    if let Error::ToSqlConversionFailure(_) = error {
        return Trouble::Bug;
    }
    let Error::SqliteFailure(code, _) = error else {
        // A row that is missing, or holds something else than its column should.
        return Trouble::Broken;
    };
    match code.extended_code & 0xff {
        ffi::SQLITE_IOERR => Trouble::Disk,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Trouble::Broken,
        ffi::SQLITE_FULL
        | ffi::SQLITE_BUSY
        | ffi::SQLITE_LOCKED
        | ffi::SQLITE_READONLY
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PERM
        | ffi::SQLITE_AUTH
        | ffi::SQLITE_NOMEM
        | ffi::SQLITE_INTERRUPT
        | ffi::SQLITE_PROTOCOL
        | ffi::SQLITE_NOLFS => Trouble::Refused,
        _ => Trouble::Bug,
    }
}

/// What to do about it, for a person.
pub(super) fn next_step(error: &Error) -> &'static str {
    let Error::SqliteFailure(code, _) = error else {
        return "it is set aside when the product starts next";
    };
    match code.extended_code & 0xff {
        ffi::SQLITE_FULL => {
            "free space on its volume; counting goes on and nothing is sent until then"
        }
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => {
            "end the program that holds the file open; `mpguard ledger` reads a copy"
        }
        ffi::SQLITE_READONLY if code.extended_code == ffi::SQLITE_READONLY_DBMOVED => {
            "the file was moved or removed while in use; restart the product"
        }
        ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM | ffi::SQLITE_AUTH => {
            "make its directory writable for the user of the product"
        }
        ffi::SQLITE_IOERR => {
            "look at the volume; the file is copied to a fresh one before the next write"
        }
        ffi::SQLITE_NOMEM => "give the container more memory",
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => "it is set aside when the product starts next",
        _ => "report this as a bug of mpguard",
    }
}

/// The same for a ledger that is being opened: whatever is wrong with the content makes it broken.
pub(super) fn at_open(error: Error) -> OpenError {
    match kind(&error) {
        Trouble::Refused | Trouble::Disk => {
            OpenError::Unwritable(format!("{error}; {}", next_step(&error)))
        }
        Trouble::Broken | Trouble::Bug => OpenError::Broken(error.to_string()),
    }
}
