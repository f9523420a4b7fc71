//! Looking at a state directory from outside, while a guard may run there.
//!
//! Nothing in the directory changes: the database and its journal are copied first, and SQLite sees the copy,
//! where a journal left by a crash is rolled back. A copy taken in the middle of a write may come out torn; the
//! copy is then taken again. Never for the process that leads: opening and closing the file by other means than
//! SQLite's drops SQLite's locks on it.

mod copy;
mod findings;
mod holdings;
mod report;
mod rows;

pub use findings::{Finding, findings};
pub use holdings::{DisputeRow, Holder, SeatRow, UnitsRow, holdings};
pub use report::{AsideRow, OtherLedger, RecordRow, Report, report};
pub use rows::{export, records_csv};

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Name of the database in an identity's directory.
pub const DATABASE: &str = "ledger.db";
/// First letters of the name of an identity's directory.
pub const PREFIX: &str = "mpg1-";

/// Why a directory cannot be read: what failed, on which thing, and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError(pub String);

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    fn at(path: &Path, why: impl std::fmt::Display) -> ReadError {
        ReadError(format!(
            "cannot read the ledger `{}`: {why}; `mpguard ledger verify` on its directory says more",
            path.display()
        ))
    }
}

/// The identity directories in `dir`: itself where it holds a ledger or is named like one, else those inside.
///
/// # Errors
/// It cannot be listed, or there is none.
pub fn directories(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let named = |path: &Path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    };
    if dir.join(DATABASE).exists() || (named(dir) && dir.is_dir()) {
        return Ok(vec![dir.to_owned()]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if named(&path) && path.is_dir() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    };
    let found = list().map_err(|why| {
        let dir = dir.display();
        ReadError(format!("cannot list `{dir}`: {why}; name the state directory of the product"))
    })?;
    if found.is_empty() {
        let text = format!(
            "no ledger in `{}`: it holds neither `{DATABASE}` nor a directory `{PREFIX}…`; name the state \
             directory of the product",
            dir.display()
        );
        return Err(ReadError(text));
    }
    Ok(found)
}
