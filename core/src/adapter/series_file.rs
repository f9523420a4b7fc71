//! The list of counters of a task: a file that all its processes append to, and the same in memory.
//!
//! One line a counter, its number being the number of the line: the checksum in hexadecimal digits, a space, and
//! what it counts as JSON. The checksum covers the number too, so that a lost line break cannot shift the
//! numbers behind it. A line is appended under `flock` and synced before anybody counts under its number.
//!
//! No lock outlives a death, and none is inherited: `flock` is taken on a descriptor that this process opened, and
//! while it is held the fork gate is closed. A forked child opens a list of its own.
#![allow(
    unreachable_pub,
    reason = "the proofs build this very file below a crate root of their own"
)]

mod heal;
mod line;
mod lock;
mod memory;
#[cfg(test)]
mod tests;

pub use memory::MemoryList;

use super::{
    fork::gate::{self, Busy},
    segment::SERIES,
};
use crate::{model::usage::Series, port::counters::SeriesList};
use lock::{Locked, NAP, Own, Turn};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

/// No list of 4096 counters with five tags each is larger.
const BYTES_MAX: u64 = 64 << 20;
/// Nobody holds the lock for longer than one append; a process that was stopped in its middle may.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The list of a state directory.
pub struct SeriesFile {
    path: PathBuf,
    held: Mutex<Held>,
}

/// What this process knows of the file.
#[derive(Default)]
struct Held {
    file: Option<Own>,
    list: Vec<Series>,
    /// Bytes of the file that the list was read from.
    read: u64,
}

impl SeriesFile {
    /// The list at `path`. The file is made by the first append.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> SeriesFile {
        SeriesFile { path: path.into(), held: Mutex::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` with the file locked against every other process and every other list in this one.
    fn locked<T>(
        &self,
        work: impl FnOnce(&mut Held, &Locked) -> Result<T, String>,
    ) -> Result<T, String> {
        let start = Instant::now();
        loop {
            if let Some((mut held, _busy)) = self.turn()
                && let Some(locked) = held.lock(&self.path).map_err(|e| self.cannot("lock", &e))?
            {
                return work(&mut held, &locked);
            }
            if start.elapsed() > WAIT_MAX {
                return Err(format!(
                    "cannot lock the list of counters `{}`: another process of the task has held it for {} s; see \
                     whether one is stopped",
                    self.path.display(),
                    WAIT_MAX.as_secs()
                ));
            }
            std::thread::sleep(NAP);
        }
    }

    /// This list's own lock, never waited for: a child that was forked past the gate's deadline gets an error.
    fn turn(&self) -> Option<(Turn<'_, Held>, Busy)> {
        let busy = gate::busy();
        lock::turn(&self.held).map(|held| (held, busy))
    }

    fn cannot(&self, what: &str, why: &io::Error) -> String {
        format!("cannot {what} the list of counters `{}`: {why}", self.path.display())
    }
}

impl SeriesList for SeriesFile {
    fn with(&self, change: &mut dyn FnMut(&[Series]) -> Option<Series>) -> Result<(), String> {
        let appended = self.locked(|held, locked| {
            held.catch_up(locked).map_err(|why| {
                let path = self.path.display();
                format!("cannot read the list of counters `{path}`: {why}")
            })?;
            let Some(series) = change(&held.list) else { return Ok(false) };
            if held.list.len() >= SERIES {
                return Err(full(&series));
            }
            held.append(locked, series).map_err(|why| self.cannot("append to", &why))?;
            Ok(true)
        })?;
        if appended {
            // Whoever waits naps between two tries: one who appends in a row would never let them in.
            std::thread::sleep(2 * NAP);
        }
        Ok(())
    }
}

impl Held {
    /// The lock on the file that stands at `path` now; `None` while somebody else has it.
    fn lock(&mut self, path: &Path) -> io::Result<Option<Locked>> {
        let file = match self.file.take().filter(Own::is_open) {
            Some(file) => file,
            None => Own::new(open(path)?)?,
        };
        let Some(locked) = Locked::try_new(&file)? else {
            self.file = Some(file);
            return Ok(None);
        };
        if is_at(&file, path) {
            self.file = Some(file);
            return Ok(Some(locked));
        }
        // A healed file took its place: read that one, from its beginning.
        drop(locked);
        *self = Held::default();
        Ok(None)
    }

    /// Reads what others appended. A torn end stays out: its counter was given to nobody.
    fn catch_up(&mut self, locked: &Locked) -> Result<(), String> {
        let length = locked.length().map_err(|e| e.to_string())?;
        if length < self.read {
            (self.list, self.read) = (Vec::new(), 0);
        }
        let text = locked.read(self.read, length, BYTES_MAX)?;
        let (list, read) = line::read(&text, self.list.len())?;
        self.list.extend(list);
        self.read += read as u64;
        Ok(())
    }

    /// Appends and waits for the disk. On an error the file ends where it ended before.
    fn append(&mut self, locked: &Locked, series: Series) -> io::Result<()> {
        let text = line::write(self.list.len(), &series)?;
        let written = locked.append(self.read, &text);
        if written.is_err() {
            let _ = locked.cut(self.read);
        }
        written?;
        self.read += text.len() as u64;
        self.list.push(series);
        Ok(())
    }
}

fn full(series: &Series) -> String {
    format!(
        "cannot count `{}` by one more set of tags: this task has {SERIES} counters already; use fewer different tags",
        series.dimension
    )
}

fn open(path: &Path) -> io::Result<File> {
    let options = |new| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(new).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        options.open(path)
    };
    match options(false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match options(true) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options(false),
        Ok(file) => {
            lock::sync_folder(path)?;
            Ok(file)
        }
        failed => failed,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}
