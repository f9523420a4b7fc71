//! Comes into a state directory: marks it as used, then leads or waits until somebody does.

use super::{
    TRIES, fork,
    inherited::Kind,
    lock::{Attached, Door, Led, LockFile},
    nap, place,
    prepare::{self, Prepared, Site},
    segment::{Segment, SegmentError},
    series_file::SeriesFile,
};
use crate::port::state::Note;
use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A place in a directory.
pub(super) struct Place {
    pub(super) mark: Attached,
    pub(super) lock: Lock,
    pub(super) segment: Arc<Segment>,
    pub(super) list: Arc<SeriesFile>,
}

/// The lock of the leader, as this process has it.
pub(super) enum Lock {
    /// Nobody led: everything is ready to.
    Won(Arc<Led>, Box<Prepared>),
    /// Somebody else holds it; to be tried again.
    Lost(LockFile),
}

/// Comes in, and waits no longer than five seconds for the one that leads.
///
/// # Errors
/// The directory does not do; nothing half-made is left in it.
pub(super) fn attach(site: &Site, notes: &mut Vec<Note>) -> Result<Place, String> {
    let made = place::make(&site.dir)?;
    let entered = enter(site, notes);
    if entered.is_err() && made {
        remove_if_unused(site);
    }
    entered
}

fn enter(site: &Site, notes: &mut Vec<Note>) -> Result<Place, String> {
    let mark = mark(site)?;
    let cannot_lock =
        |error: io::Error| format!("cannot lock in `{}`: {error}", site.dir.display());
    let list = Arc::new(SeriesFile::new(site.series()));
    let mut lock = LockFile::open(&site.leader_lock(), Kind::Alone).map_err(cannot_lock)?;
    let mut found = None;
    for _ in 0..TRIES {
        match Led::try_new(lock).map_err(cannot_lock)? {
            Ok(led) => {
                let _busy = fork::gate::busy(); // a child must not inherit SQLite in its middle
                let led = Arc::new(led);
                let prepared = prepare::prepare(site, &led, false, None, list.clone(), notes)
                    .map_err(prepare::Trouble::text)?;
                let segment = prepared.segment.clone();
                let lock = Lock::Won(led, Box::new(prepared));
                return Ok(Place { mark, lock, segment, list });
            }
            Err(taken) => lock = taken,
        }
        match Segment::open(&site.segment()) {
            Ok(segment) if segment.identity_hash() == site.hash && segment.ready() => {
                if is_led(&segment) {
                    return Ok(Place { mark, lock: Lock::Lost(lock), segment, list });
                }
                found = Some(segment);
            }
            Err(error @ SegmentError::Version { .. }) => return Err(error.to_string()),
            _ => {}
        }
        nap();
    }
    match found.filter(|segment| segment.is_at(&site.segment())) {
        // The leader stands still. What is counted here is found by whoever leads next.
        Some(segment) => Ok(Place { mark, lock: Lock::Lost(lock), segment, list }),
        None => Err(format!(
            "the process that leads in `{}` does not get ready; see whether one of this task is stopped",
            site.dir.display()
        )),
    }
}

/// A leader stops the beat before it decides about the counters, and starts it when they are good.
fn is_led(segment: &Segment) -> bool {
    segment.beat_age(super::boot_ms()).is_some_and(|age| age < STALLED_MS)
}

/// A leader beats every 20 seconds.
pub(super) const STALLED_MS: u64 = 60_000;

/// Marks the directory as used. It may be taken away at the same moment, and is made again then.
pub(super) fn mark(site: &Site) -> Result<Attached, String> {
    let cannot = |error: io::Error| format!("cannot attach to `{}`: {error}", site.dir.display());
    for _ in 0..TRIES {
        place::make(&site.dir)?;
        match Door::of(&site.dir) {
            Ok(door) => match Attached::try_new(&site.use_lock()) {
                Ok(Some(mark)) if door.is_current() && mark.is_current() => return Ok(mark),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
                _ => {}
            },
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
            Err(_) => {}
        }
        nap();
    }
    Err(format!(
        "cannot attach to `{}`: another process holds `use.lock` alone; see whether it is stopped",
        site.dir.display()
    ))
}

/// Removes a directory that we made and that did not do. Somebody else may be in it by now.
fn remove_if_unused(site: &Site) {
    let Ok(_door) = Door::of(&site.dir) else { return };
    let unused = match Attached::try_new(&site.use_lock()) {
        Ok(Some(mark)) => mark.alone(),
        Ok(None) => false,
        // Not even this file could be made, so nobody else is in there.
        Err(_) => true,
    };
    if unused {
        let _ = fs::remove_dir_all(&site.dir);
    }
}

/// Goes out of a private directory. The last one takes it away.
pub(super) fn leave_private(site: &Site, mark: &Attached) {
    if let Ok(_door) = Door::of(&site.dir)
        && mark.alone()
    {
        let _ = fs::remove_dir_all(&site.dir);
    }
}

/// Removes private directories in `folder` that nobody has used for a day: their processes died all at once.
pub(super) fn sweep_private(folder: &Path) {
    const DAY: Duration = Duration::from_secs(86_400);
    const LOOKED_AT_MAX: usize = 4096;
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.take(LOOKED_AT_MAX).flatten().map(|entry| entry.path()) {
        if !place::is_private(&path) || place::check(&path).is_err() || !older(&path, DAY) {
            continue;
        }
        let Ok(_door) = Door::of(&path) else { continue };
        let lock = LockFile::open(&path.join("use.lock"), Kind::Alone);
        if lock.is_ok_and(|lock| lock.try_exclusive().unwrap_or(false)) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// True when `path` was not changed for so long.
pub(super) fn older(path: &Path, age: Duration) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|there| there.modified());
    changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|it| it > age))
}
