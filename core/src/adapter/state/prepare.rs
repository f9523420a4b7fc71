//! What a new leader does before it leads: opens ledger and counters, and sees that they belong together.
//!
//! Both files can be lost alone, and both can come from elsewhere: a restored copy, a deleted file. The rule is that
//! nothing is billed twice, and that nothing is forgotten silently:
//!
//! | what is found | what is done |
//! | --- | --- |
//! | counters broken or gone | set aside; new ones go on behind the newest captured slab |
//! | ledger broken or gone | set aside; `lost.rs` disputes what it may have sent, the rest is billed |
//! | counters of another ledger | their counts are taken over into ours, then they are set aside |
//! | made by a newer mpguard | left alone; this process uses memory |

use super::{
    about::About,
    aside,
    lock::Led,
    lost::{self, salvage},
    quarantined,
    segment::{Ring, Segment, SegmentError},
    series_file::SeriesFile,
    sqlite_ledger::{Fence, OpenError, Opened, SqliteLedger, Who},
    virtual_time,
};
use crate::{
    model::{
        books::{Books, UNKNOWN},
        ids::{Dimension, Identity},
        time::Timestamp,
        usage::{Series, Tags},
    },
    port::{ledger::Ledger, state::Note},
};
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

/// A directory, and whose it is.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) dir: PathBuf,
    /// It ends with the last process that is attached.
    pub(super) private: bool,
    pub(super) hash: [u8; 16],
    pub(super) about: About,
    pub(super) identity: Option<Identity>,
    pub(super) dimensions: Vec<Dimension>,
}

impl Site {
    pub(super) fn leader_lock(&self) -> PathBuf {
        self.dir.join("leader.lock")
    }

    pub(super) fn use_lock(&self) -> PathBuf {
        self.dir.join("use.lock")
    }

    pub(super) fn segment(&self) -> PathBuf {
        self.dir.join("usage.seg")
    }

    pub(super) fn series(&self) -> PathBuf {
        self.dir.join("series")
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.db")
    }

    pub(super) fn open_ledger(&self, fence: Fence) -> Result<Opened, OpenError> {
        let who =
            Who { product_code: self.about.product_code.clone(), identity: self.identity.clone() };
        let ledger = self.ledger();
        let opened =
            SqliteLedger::open(&ledger, &who, fence, super::sqlite_ledger::Place::default())?;
        // SQLite makes it readable for all; its journal follows it. The directory is closed to others already.
        #[cfg(unix)]
        let _ = fs::set_permissions(&ledger, fs::Permissions::from_mode(0o600));
        Ok(opened)
    }
}

/// Why a directory cannot be led.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A newer mpguard made it.
    Newer(String),
    /// The place does not let us.
    Place(String),
}

impl Trouble {
    pub(super) fn text(self) -> String {
        match self {
            Trouble::Newer(why) | Trouble::Place(why) => why,
        }
    }
}

/// A directory that can be led. Nothing in it has changed for those who count.
pub(super) struct Prepared {
    pub(super) ledger: SqliteLedger,
    pub(super) books: Books,
    pub(super) ledger_id: String,
    pub(super) newest: Timestamp,
    pub(super) segment: Arc<Segment>,
    pub(super) list: Arc<SeriesFile>,
    /// Name of the ledger file that was set aside.
    pub(super) set_aside: Option<String>,
}

/// A directory that is led.
pub(super) struct Ready {
    pub(super) ledger: SqliteLedger,
    pub(super) books: Books,
    pub(super) ledger_id: String,
    pub(super) segment: Arc<Segment>,
    pub(super) list: Arc<SeriesFile>,
}

impl Ready {
    pub(super) fn ring(&self, private: bool) -> Ring {
        Segment::counters(&self.segment, private)
    }
}

/// The lock is still ours, asked before every step of the ledger. Holds nothing: who resigns frees the lock.
fn fence(led: &Arc<Led>, renamed: bool) -> Fence {
    let led: Weak<Led> = Arc::downgrade(led);
    Box::new(move || {
        led.upgrade().is_some_and(|led| if renamed { led.holds_anywhere() } else { led.holds() })
    })
}

/// Opens everything. `mapped` is what this process counts in already; `renamed`: the lock was opened by another name
/// of the directory.
pub(super) fn prepare(
    site: &Site,
    led: &Arc<Led>,
    renamed: bool,
    mapped: Option<&Arc<Segment>>,
    list: Arc<SeriesFile>,
    notes: &mut Vec<Note>,
) -> Result<Prepared, Trouble> {
    let mut found = counters(site, mapped, notes)?;
    let (mut opened, set_aside) = ledger(site, led, renamed, found.segment.is_some(), notes)?;
    let id = id_bytes(&opened.ledger_id);
    if let Some(foreign) = found
        .segment
        .take_if(|segment| !belongs(segment, id, &opened.books) && !is_blank(&opened.books))
    {
        take_over(site, &foreign, &mut opened, &list, notes)?;
        found.lost = true;
    }
    list.heal(&opened.books.series).map_err(Trouble::Place).and_then(|repaired| {
        if repaired && found.segment.is_some() {
            notes.push(quarantined(format!(
                "the list of counters `{}` was not whole; it is written anew from the ledger",
                list.path().display()
            )));
        }
        name_the_lost(site, &list, &opened.books)
    })?;
    let segment = match found.segment {
        Some(segment) => segment,
        None => {
            if found.lost || opened.books.captured > 0 {
                notes.push(quarantined(format!(
                    "the counters of the running hour in `{}` are lost: what was counted since slab {} was captured is \
                     not billed; the ledger is whole and counting goes on; find out what removes files there",
                    site.dir.display(),
                    opened.books.captured
                )));
            }
            make_counters(site, id)?
        }
    };
    let about = About { ledger: opened.ledger_id.clone(), ..site.about.clone() };
    about.write(&site.dir).map_err(|error| place(&site.dir, &error))?;
    let Opened { ledger, books, ledger_id, newest, .. } = opened;
    Ok(Prepared { ledger, books, ledger_id, newest, segment, list, set_aside })
}

impl Prepared {
    /// Makes the counters agree with the ledger, and a slab take values. `now` labels it.
    pub(super) fn lead(
        mut self,
        site: &Site,
        led: &Arc<Led>,
        renamed: bool,
        (now, provisional): (Timestamp, bool),
        notes: &mut Vec<Note>,
    ) -> Result<Ready, Trouble> {
        // In production the time is AWS's, and a ledger of the future would mean that AWS has erred.
        let behind = |now: Timestamp| now.0.saturating_add(3_600_000) < self.newest.0;
        // But it may be only this process that is behind, so the sandbox itself is asked.
        let told = || virtual_time::now(&site.about.sandbox).unwrap_or(now);
        if !site.about.sandbox.is_empty() && behind(now) && behind(told()) {
            self =
                lost::begin_anew(self, site, || site.open_ledger(fence(led, renamed)), now, notes)?;
        }
        lost::dispute(&mut self, site, now, notes)?;
        let damaged = self.segment.recover(self.books.captured, now.hour(), provisional);
        if !damaged.is_empty() {
            notes.push(quarantined(format!(
                "slabs {damaged:?} of the counters in `{}` are damaged: what they held is not billed; counting goes on",
                site.dir.display()
            )));
        }
        self.segment.beat(super::boot_ms());
        let Prepared { ledger, books, ledger_id, segment, list, .. } = self;
        Ok(Ready { ledger, books, ledger_id, segment, list })
    }
}

/// What `usage.seg` turned out to be.
struct Found {
    segment: Option<Arc<Segment>>,
    /// There was one, and it is set aside.
    lost: bool,
}

fn counters(
    site: &Site,
    mapped: Option<&Arc<Segment>>,
    notes: &mut Vec<Note>,
) -> Result<Found, Trouble> {
    let path = site.segment();
    let opened = match mapped {
        Some(mapped) if mapped.is_at(&path) => Ok(mapped.clone()),
        _ => Segment::open(&path),
    };
    let broken = match opened {
        Ok(segment) if segment.identity_hash() == site.hash => {
            // Who comes now waits until it is led: it may yet be set aside.
            segment.beat(0);
            return Ok(Found { segment: Some(segment), lost: false });
        }
        Ok(_) => "it belongs to another identity".to_owned(),
        Err(SegmentError::Missing) => {
            // Where no slab is open, somebody has taken the whole directory over.
            let Some(mapped) = mapped.filter(|mapped| mapped.ready()) else {
                return Ok(Found { segment: None, lost: false });
            };
            notes.push(quarantined(format!(
                "the counters `{}` were removed while the product runs: its processes go on counting in memory; \
                 restart the product before new processes join it",
                path.display()
            )));
            return Ok(Found { segment: Some(mapped.clone()), lost: false });
        }
        Err(SegmentError::Broken(why)) => why,
        Err(error @ SegmentError::Version { .. }) => return Err(Trouble::Newer(error.to_string())),
        Err(SegmentError::Io(error)) => return Err(place(&path, &error)),
    };
    let aside = aside::file(&path, "broken").map_err(|error| place(&path, &error))?;
    notes.push(quarantined(format!(
        "the counters `{}` are set aside as `{}`: {broken}; new ones are made",
        path.display(),
        aside.display()
    )));
    Ok(Found { segment: None, lost: true })
}

fn make_counters(site: &Site, ledger: [u8; 16]) -> Result<Arc<Segment>, Trouble> {
    let path = site.segment();
    Segment::create(&path, ledger, site.hash).map_err(|error| place(&path, &error))?;
    Segment::open(&path).map_err(|error| Trouble::Place(format!("`{}`: {error}", path.display())))
}

/// The ledger, and the name under which a broken one was set aside.
fn ledger(
    site: &Site,
    led: &Arc<Led>,
    renamed: bool,
    counted: bool,
    notes: &mut Vec<Note>,
) -> Result<(Opened, Option<String>), Trouble> {
    let path = site.ledger();
    let mut aside = None;
    if counted && fs::symlink_metadata(&path).is_ok_and(|there| there.len() == 0) {
        aside = Some(set_aside(&path, "it is empty", notes)?);
    }
    for _ in 0..2 {
        match site.open_ledger(fence(led, renamed)) {
            Ok(opened) => {
                let with_path = |text: &String| format!("`{}`: {text}", path.display());
                notes.extend(opened.notes.iter().map(with_path).map(quarantined));
                return Ok((opened, aside));
            }
            Err(OpenError::Broken(why)) => aside = Some(set_aside(&path, &why, notes)?),
            Err(OpenError::Newer(version)) => {
                return Err(Trouble::Newer(format!(
                    "the ledger `{}` has version {version}, made by a newer mpguard; use one version of mpguard in all \
                     processes of the task",
                    path.display()
                )));
            }
            Err(OpenError::Unwritable(why)) => {
                return Err(Trouble::Place(format!("the ledger `{}`: {why}", path.display())));
            }
        }
    }
    Err(Trouble::Place(format!("the ledger `{}` is broken as soon as it is made", path.display())))
}

fn set_aside(path: &Path, why: &str, notes: &mut Vec<Note>) -> Result<String, Trouble> {
    let aside = aside::ledger(path, "broken").map_err(|error| place(path, &error))?;
    notes.push(quarantined(format!(
        "the ledger `{}` is set aside as `{}`: {why}; a new one begins, and what the old one may have sent is disputed; \
         keep the file for `mpguard ledger show`",
        path.display(),
        aside.display()
    )));
    Ok(aside.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Counters of another ledger: their counts go into ours before they are set aside.
fn take_over(
    site: &Site,
    foreign: &Arc<Segment>,
    opened: &mut Opened,
    list: &Arc<SeriesFile>,
    notes: &mut Vec<Note>,
) -> Result<(), Trouble> {
    let path = site.segment();
    let entries = salvage(foreign, site, list, &opened.books);
    // The time that the ledger knows already: nothing in it gets newer by this.
    opened
        .ledger
        .commit(&entries, opened.newest)
        .map_err(|error| Trouble::Place(format!("{error:?}")))?;
    entries.iter().for_each(|entry| opened.books.apply(entry));
    let aside = aside::file(&path, "foreign").map_err(|error| place(&path, &error))?;
    notes.push(quarantined(format!(
        "the counters `{}` belong to another ledger than the one beside them and are set aside as `{}`: what they held \
         is billed from this ledger, what may have been sent is disputed; never restore one of the two files alone",
        path.display(),
        aside.display()
    )));
    Ok(())
}

/// True when the counters are those of the ledger, or the ledger has taken over from the one that they were made for.
fn belongs(segment: &Segment, ledger: [u8; 16], books: &Books) -> bool {
    let of = format!("{}/", super::hex(&segment.ledger_id()));
    let taken = |name: &String| name.starts_with(&of) && !name.ends_with(lost::SET_ASIDE);
    segment.ledger_id() == ledger || books.taken_over.iter().any(taken)
}

/// True for a ledger that has held nothing yet.
pub(super) fn is_blank(books: &Books) -> bool {
    books.captured == 0 && books.totals.is_empty() && books.taken_over.is_empty()
}

/// Ids are 32 hexadecimal digits; another text is named by its content.
pub(super) fn id_bytes(ledger_id: &str) -> [u8; 16] {
    super::unhex(ledger_id).unwrap_or_else(|| super::digest(ledger_id.as_bytes()))
}

/// A product with one dimension has no counter of another.
fn name_the_lost(site: &Site, list: &SeriesFile, books: &Books) -> Result<(), Trouble> {
    let [only] = site.dimensions.as_slice() else { return Ok(()) };
    let mut known = books.series.clone();
    for (id, series) in lost::names(list) {
        if series.dimension.as_str() == UNKNOWN {
            known.insert(id, Series { dimension: only.clone(), tags: Tags::new() });
        }
    }
    if known == books.series {
        return Ok(());
    }
    list.heal(&known).map(drop).map_err(Trouble::Place)
}

pub(super) fn place(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::Place(format!("`{}`: {error}", path.display()))
}
