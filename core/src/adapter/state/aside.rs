//! Sets files aside: they keep their bytes for the seller, under a name that nothing reads.

use crate::model::time::Timestamp;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The database, and the journal that goes with it: each without the other would be read wrongly.
const LEDGER_PARTS: [&str; 2] = ["", "-journal"];

/// Sets the ledger aside. Brings its new name.
pub(super) fn ledger(path: &Path, why: &str) -> io::Result<PathBuf> {
    all(path, &LEDGER_PARTS, why)
}

/// Sets one file aside. Brings its new name.
pub(super) fn file(path: &Path, why: &str) -> io::Result<PathBuf> {
    all(path, &[""], why)
}

fn all(path: &Path, parts: &[&str], why: &str) -> io::Result<PathBuf> {
    let new = free_name(path, why)?;
    for part in parts.iter().rev() {
        match fs::rename(with(path, part), with(&new, part)) {
            Err(error) if part.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            _ => {}
        }
    }
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(new)
}

/// `<name>.<why>-<time>`, with a number behind it when that is taken.
pub(super) fn free_name(path: &Path, why: &str) -> io::Result<PathBuf> {
    const NAMES_MAX: u32 = 1000;
    let plain = with(path, &format!(".{why}-{}", stamp()));
    let numbered = (2..NAMES_MAX).map(|number| with(&plain, &format!("-{number}")));
    std::iter::once(plain.clone())
        .chain(numbered)
        .find(|name| fs::symlink_metadata(name).is_err())
        .ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The time of this computer, for names: `20260101T100000Z`.
fn stamp() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = Timestamp(i64::try_from(since.as_millis()).unwrap_or_default()).to_string();
    text.replace(['-', ':'], "")
}
