//! Repair of the list from what the ledger knows.

use super::{BYTES_MAX, SERIES, SeriesFile, line, lock, lock::Locked};
use crate::model::{
    books::UNKNOWN,
    ids::{Dimension, SeriesId},
    usage::{Series, Tags},
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

impl SeriesFile {
    /// Makes the file hold all that the ledger knows and all good lines that it has itself. True when it was
    /// written anew: another file took its place, and every list of every process reads that one next.
    ///
    /// Counts in the ledger stand under the ledger's numbers, so where both know a number, the ledger is right. A
    /// number that neither knows any more keeps its place under a name that no listing has.
    ///
    /// # Errors
    /// The file could not be read or written; it is as it was.
    pub fn heal(&self, known: &BTreeMap<SeriesId, Series>) -> Result<bool, String> {
        self.locked(|held, locked| {
            let text = locked
                .length()
                .map_err(|e| e.to_string())
                .and_then(|length| locked.read(0, length, BYTES_MAX))
                .map_err(|why| format!("cannot read `{}`: {why}", self.path.display()))?;
            let mut list = good_lines(&text);
            list.extend(known.iter().map(|(id, series)| (id.0 as usize, series.clone())));
            list.retain(|number, _| *number < SERIES);
            let whole = whole(list).map_err(|e| self.cannot("repair", &e))?;
            if whole.as_bytes() == text {
                return Ok(false);
            }
            replace(&self.path, &whole, locked).map_err(|e| self.cannot("repair", &e))?;
            *held = super::Held::default();
            Ok(true)
        })
    }
}

/// Every line that is good under some number: a lost line break must not shift those behind it.
fn good_lines(text: &[u8]) -> BTreeMap<usize, Series> {
    let mut list = BTreeMap::new();
    let mut next = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { continue };
        let mut numbers = (next..SERIES).chain(0..next);
        let found = numbers.find_map(|number| line::parse(number, line).map(|it| (number, it)));
        next = found.as_ref().map_or(next, |(number, _)| *number) + 1;
        list.extend(found);
    }
    list
}

/// The text of a file with these counters.
fn whole(list: BTreeMap<usize, Series>) -> io::Result<String> {
    let length = list.last_key_value().map_or(0, |(number, _)| number + 1);
    let lost = Series { dimension: Dimension::from(UNKNOWN), tags: Tags::new() };
    (0..length).map(|number| line::write(number, list.get(&number).unwrap_or(&lost))).collect()
}

/// Puts a file with `text` in the place of the locked one.
fn replace(path: &Path, text: &str, _locked: &Locked) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let _ = fs::remove_file(&new); // left from somebody who died here: whoever writes it holds the lock
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        lock::sync_folder(path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}
