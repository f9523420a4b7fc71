//! Takes over what a dead identity left on a shared volume.
//!
//! A directory is an orphan when both its locks are free and nobody has led in it for two minutes. It is claimed by
//! renaming, `<name>.adopting-<our ledger>`, so that of two adopters one wins; its last slabs go into its own ledger;
//! what is in there goes into ours. When that is durable it becomes `<name>.adopted`, which nobody reads again. An
//! adopter that dies between is followed by another one, which looks into the dead one's ledger first: what that
//! has taken over must not be taken over twice. No usage is deleted before 400 days have gone by.

use super::{
    about::About,
    aside, attach, holdings,
    inherited::Kind,
    lock::{Led, LockFile},
    lost, place,
    prepare::{self, Ready, Site, Trouble},
    segment::Segment,
    series_file::SeriesFile,
    weak,
};
use crate::{
    model::{
        books::Books,
        entry::Entry,
        ids::{Identity, Platform},
        time::Timestamp,
    },
    port::{
        counters::Counters,
        ledger::Ledger,
        state::{Note, Orphan},
    },
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// A restart in place is over by then.
const QUIET: Duration = Duration::from_secs(120);
/// As long as the ledger keeps its own records.
const KEPT: Duration = Duration::from_secs(400 * 86_400);
/// More directories than a volume has that one product's tasks share in 400 days of one deployment an hour.
const LOOKED_AT_MAX: usize = 10_000;
/// Taken over at one look; the others come an hour later.
const AT_ONCE_MAX: usize = 32;

const ADOPTING: &str = "adopting-";
const ADOPTED: &str = "adopted";

/// The leader that looks for orphans.
pub(super) struct Adopter<'a> {
    pub(super) site: &'a Site,
    pub(super) ledger_id: &'a str,
    pub(super) taken_over: Rc<RefCell<BTreeSet<String>>>,
    pub(super) now: Timestamp,
}

/// A directory beside ours.
struct Other {
    path: PathBuf,
    hash: [u8; 16],
    about: About,
    state: Claim,
}

#[derive(PartialEq, Eq)]
enum Claim {
    None,
    /// By the leader of this ledger.
    By(String),
    Done,
}

impl Adopter<'_> {
    /// Claims and captures what is left of dead identities.
    pub(super) fn adopt(&self) -> (Vec<Box<dyn Orphan>>, Vec<Note>) {
        let (mut orphans, mut notes) = (Vec::<Box<dyn Orphan>>::new(), Vec::new());
        let others = self.others();
        for other in &others {
            if other.state == Claim::Done {
                sweep(&other.path);
            } else if orphans.len() < AT_ONCE_MAX {
                match self.take(other, &others, &mut notes) {
                    Ok(Some(orphan)) => orphans.push(Box::new(orphan)),
                    Ok(None) => {}
                    Err(trouble) => notes.push(weak(format!(
                        "cannot take over what `{}` left in `{}`: {}; it is tried again in the next hour",
                        other.about.name,
                        other.path.display(),
                        trouble.text()
                    ))),
                }
            }
        }
        (orphans, notes)
    }

    /// Directories of the same product, user and world beside ours.
    fn others(&self) -> Vec<Other> {
        let root = self.site.dir.parent().unwrap_or(Path::new("/"));
        let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
        let paths = entries.take(LOOKED_AT_MAX).flatten().map(|entry| entry.path());
        let mut found: Vec<Other> = paths
            .filter(|path| *path != self.site.dir && is_ours(path))
            .filter_map(other)
            .filter(|other| {
                other.about.product_code == self.site.about.product_code
                    && other.about.sandbox == self.site.about.sandbox
            })
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    fn take(
        &self,
        other: &Other,
        others: &[Other],
        notes: &mut Vec<Note>,
    ) -> Result<Option<Adopted>, Trouble> {
        let Some(locks) = Locks::of(&other.path) else { return Ok(None) };
        if !is_quiet(&other.path) {
            return Ok(None);
        }
        holdings::adopt(&other.path, &self.site.dir)
            .map_err(|error| prepare::place(&other.path, &error))?;
        let done = match &other.state {
            Claim::By(adopter) if adopter == self.ledger_id => {
                self.taken_over.borrow().contains(&other.about.ledger)
            }
            Claim::By(adopter) => match has_taken_over(adopter, other, others) {
                Known::Yes => true,
                Known::No => false,
                Known::Later => return Ok(None),
                Known::Never => {
                    notes.push(weak(format!(
                        "`{}` was being taken over by ledger `{adopter}`, which cannot be read: it may be billed there; see \
                         whether it is, and otherwise remove the end of its name from `.{ADOPTING}` on",
                        other.path.display()
                    )));
                    return Ok(None);
                }
            },
            Claim::None | Claim::Done => false,
        };
        if done {
            return finish(&other.path).map(|()| None);
        }
        let plain = other.path.with_extension("");
        let path = plain.with_extension(format!("{ADOPTING}{}", self.ledger_id));
        if path != other.path {
            fs::rename(&other.path, &path).map_err(|e| prepare::place(&other.path, &e))?;
        }
        let site = Site {
            dir: path,
            private: false,
            hash: other.hash,
            about: other.about.clone(),
            identity: Some(identity(&other.about)),
            dimensions: self.site.dimensions.clone(),
        };
        let (ready, led) = capture(&site, locks.led, self.now, notes)?;
        Ok(Some(Adopted {
            path: site.dir,
            identity: other.about.name.clone(),
            ready,
            taken_over: self.taken_over.clone(),
            _led: led,
            _used: locks.used,
        }))
    }
}

/// Makes all that the directory holds final, in its own ledger.
fn capture(
    site: &Site,
    led: Led,
    now: Timestamp,
    notes: &mut Vec<Note>,
) -> Result<(Ready, Arc<Led>), Trouble> {
    let led = Arc::new(led);
    let list = Arc::new(SeriesFile::new(site.series()));
    let mut found = Vec::new();
    let prepared = prepare::prepare(site, &led, true, None, list, &mut found)?;
    // Its hours are over; where time went back since, its own newest entry is the better clock.
    let now = now.max(prepared.newest);
    let mut ready = prepared.lead(site, &led, true, (now, false), &mut found)?;
    // Notes of an orphan are told as what they are.
    let whose =
        |note: Note| Note { text: format!("left by `{}`: {}", site.about.name, note.text), ..note };
    notes.extend(found.into_iter().map(whose));
    let mut ring = ready.ring(true);
    let mut slabs = ring.uncaptured();
    slabs.extend(ring.close());
    let counted = slabs.iter().flat_map(|slab| slab.values.keys().copied()).collect();
    let names = lost::unknown_names(counted, site, &ready.list, &ready.books);
    let mut entries = Vec::new();
    if !names.is_empty() {
        entries.push(Entry::Named(names));
    }
    let newest = slabs.iter().map(|slab| slab.sequence).max();
    entries.extend(slabs.into_iter().map(|slab| Entry::Captured {
        sequence: slab.sequence,
        hour: slab.hour,
        provisional: slab.provisional,
        values: slab.values,
    }));
    ready.ledger.commit(&entries, now).map_err(|error| Trouble::Place(format!("{error:?}")))?;
    entries.iter().for_each(|entry| ready.books.apply(entry));
    if let Some(newest) = newest {
        ring.captured(newest);
    }
    Ok((ready, led))
}

/// What is left of a dead identity, locked.
struct Adopted {
    path: PathBuf,
    identity: String,
    // Before the locks: its ledger asks for them when it is closed.
    ready: Ready,
    taken_over: Rc<RefCell<BTreeSet<String>>>,
    _led: Arc<Led>,
    _used: LockFile,
}

impl Orphan for Adopted {
    fn ledger(&self) -> &str {
        &self.ready.ledger_id
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn books(&self) -> &Books {
        &self.ready.books
    }

    fn taken_over(self: Box<Self>) {
        self.taken_over.borrow_mut().insert(self.ready.ledger_id.clone());
        // Where it fails, the next look finds the name in our books and tries again.
        let _ = finish(&self.path);
    }
}

/// Both locks of a directory, taken alone.
struct Locks {
    led: Led,
    used: LockFile,
}

impl Locks {
    fn of(path: &Path) -> Option<Locks> {
        let used = LockFile::open(&path.join("use.lock"), Kind::Alone).ok()?;
        if !used.try_exclusive().ok()? {
            return None;
        }
        let led = LockFile::open(&path.join("leader.lock"), Kind::Alone).ok()?;
        let led = Led::try_new(led).ok()?.ok()?;
        // Somebody else may have renamed it between the two.
        (led.holds() && used.is_current()).then_some(Locks { led, used })
    }
}

/// Directories that we may trust: of our own user. A volume's owner may have opened them for a group.
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).is_ok_and(|there| there.is_dir() && there.uid() == place::user())
}

fn other(path: PathBuf) -> Option<Other> {
    let name = path.file_name()?.to_str()?.strip_prefix(place::PREFIX)?;
    let (hash, end) = name.split_once('.').unwrap_or((name, ""));
    let hash = super::unhex(hash)?;
    let state = match end.strip_prefix(ADOPTING) {
        Some(adopter) => Claim::By(adopter.to_owned()),
        None if end.is_empty() => Claim::None,
        None if end.starts_with(ADOPTED) => Claim::Done,
        None => return None,
    };
    let about = About::read(&path)?;
    Some(Other { path, hash, about, state })
}

/// Nobody has led there for a while, by beat and by file: the beat of another start of this computer says nothing.
fn is_quiet(path: &Path) -> bool {
    let beat = Segment::open(&path.join("usage.seg")).ok();
    let age = beat.and_then(|segment| segment.beat_age(super::boot_ms()));
    let quiet_ms = u64::try_from(QUIET.as_millis()).unwrap_or(u64::MAX);
    age.is_none_or(|age| age > quiet_ms)
        && [path.join(super::about::FILE), path.join("ledger.db")]
            .iter()
            .all(|file| !file.exists() || attach::older(file, QUIET))
}

enum Known {
    Yes,
    No,
    /// That leader lives, or another one looks.
    Later,
    /// Its ledger is not there, or broken.
    Never,
}

/// Whether the leader of ledger `adopter` has taken `other` over.
fn has_taken_over(adopter: &str, other: &Other, others: &[Other]) -> Known {
    let there = |it: &&Other| it.about.ledger == adopter && it.path != other.path;
    let Some(adopter) = others.iter().find(there) else { return Known::Never };
    let Some(locks) = Locks::of(&adopter.path) else { return Known::Later };
    let site = Site {
        dir: adopter.path.clone(),
        private: false,
        hash: adopter.hash,
        about: adopter.about.clone(),
        identity: Some(identity(&adopter.about)),
        dimensions: Vec::new(),
    };
    let led = Arc::new(locks.led);
    match site.open_ledger(Box::new(move || led.holds_anywhere())) {
        Ok(opened) if opened.books.taken_over.contains(&other.about.ledger) => Known::Yes,
        Ok(opened) if !opened.fresh => Known::No,
        _ => Known::Never,
    }
}

/// Nothing reads it from now on.
fn finish(path: &Path) -> Result<(), Trouble> {
    let plain = path.with_extension("");
    let mut name = plain.with_extension(ADOPTED);
    if fs::symlink_metadata(&name).is_ok() {
        name = aside::free_name(&plain, ADOPTED).map_err(|error| prepare::place(path, &error))?;
    }
    fs::rename(path, &name).map_err(|error| prepare::place(path, &error))
}

fn sweep(path: &Path) {
    if attach::older(path, KEPT) && attach::older(&path.join("ledger.db"), KEPT) {
        let _ = fs::remove_dir_all(path);
    }
}

fn identity(about: &About) -> Identity {
    Identity {
        platform: match about.platform.as_str() {
            "ecs" => Platform::Ecs,
            "eks" => Platform::Eks,
            "ec2" => Platform::Ec2,
            _ => Platform::Elsewhere,
        },
        name: about.name.clone(),
        region: about.region.clone(),
    }
}
