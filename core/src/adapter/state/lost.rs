//! Counts whose ledger is lost, older than they are, or another one.
//!
//! A slab that was never captured was never part of a request: its counts are billed as always. One that was
//! captured may have been sent by a ledger that nobody can read any more, so its counts are disputed. What a ledger has
//! taken over is named by the id of the counters, so that it is taken over once.

use super::{
    aside,
    prepare::{self, Prepared, Site, Trouble, id_bytes},
    quarantined,
    segment::Segment,
    series_file::SeriesFile,
    sqlite_ledger::{OpenError, Opened},
};
use crate::{
    adapter::slab::protocol::Words,
    model::{
        books::{Books, UNKNOWN},
        entry::Entry,
        ids::{Dimension, SeriesId},
        time::{Hour, Timestamp},
        usage::{Closed, Lot, Lots, Series, Tags},
    },
    port::{
        counters::{Counters, SeriesList},
        ledger::Ledger,
        state::Note,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering::Acquire},
};

/// End of the name under which counters stand that are no longer in use.
pub(super) const SET_ASIDE: &str = "/usage.seg";

/// Disputes captured slabs that the ledger does not know, and says that the counters belong to it from now on.
pub(super) fn dispute(
    prepared: &mut Prepared,
    site: &Site,
    now: Timestamp,
    notes: &mut Vec<Note>,
) -> Result<(), Trouble> {
    let (segment, books) = (prepared.segment.clone(), &prepared.books);
    let hint = segment.captured();
    let blank = prepare::is_blank(books) && id_bytes(&prepared.ledger_id) != segment.ledger_id();
    if !blank && hint <= books.captured {
        return Ok(());
    }
    let slabs: Vec<Closed> = segment.captured_slabs();
    let unknown: Vec<Closed> =
        slabs.into_iter().filter(|slab| slab.sequence > books.captured).collect();
    let disputed = lots(&unknown);
    let source = prepared.set_aside.clone().unwrap_or_else(|| format!("slabs-to-{hint}"));
    let hour = unknown.last().map_or(now.hour(), |slab| slab.hour);
    let why = "its ledger is lost or older than the counters; AWS may have it".to_owned();
    let mut entries = named(&disputed, site, &prepared.list, books);
    entries.push(Entry::TakenOver {
        ledger: format!("{}/{source}", super::hex(&segment.ledger_id())),
        waiting: Lots::new(),
        disputed: disputed.clone(),
        missed: Lots::new(),
        why,
    });
    if hint > 0 {
        entries.push(nothing_of(hint, hour));
    }
    commit(prepared, &entries, now)?;
    let counts: u64 = disputed.values().sum();
    notes.push(quarantined(format!(
        "the ledger in `{}` does not know slabs up to {hint}, which may have been sent: {counts} raw counts are disputed \
         and not billed again; what was counted later is billed as always",
        site.dir.display()
    )));
    Ok(())
}

/// Everything that counters of another ledger hold. Afterwards they take no values: a process that still counts
/// there is told so.
pub(super) fn salvage(
    foreign: &Arc<Segment>,
    site: &Site,
    list: &SeriesFile,
    books: &Books,
) -> Vec<Entry> {
    let disputed = lots(&foreign.captured_slabs());
    let mut ring = Segment::counters(foreign, true);
    let mut slabs = ring.uncaptured();
    slabs.extend(ring.close());
    let waiting = lots(&slabs);
    let all: Lots = waiting.iter().chain(&disputed).map(|(lot, raw)| (*lot, *raw)).collect();
    let mut entries = named(&all, site, list, books);
    entries.push(Entry::TakenOver {
        ledger: format!("{}{SET_ASIDE}", super::hex(&foreign.ledger_id())),
        waiting,
        disputed,
        missed: Lots::new(),
        why: "it was counted beside another ledger".to_owned(),
    });
    entries
}

/// Begins a new ledger for another run of the sandbox: its clock went back, as only a sandbox's does.
pub(super) fn begin_anew(
    old: Prepared,
    site: &Site,
    open: impl Fn() -> Result<Opened, OpenError>,
    now: Timestamp,
    notes: &mut Vec<Note>,
) -> Result<Prepared, Trouble> {
    let Prepared { ledger, newest, segment, list, .. } = old;
    drop(ledger); // closed before it is renamed
    let path = site.ledger();
    let aside =
        aside::ledger(&path, "earlier-run").map_err(|error| prepare::place(&path, &error))?;
    notes.push(quarantined(format!(
        "the ledger `{}` is set aside as `{}`: its newest entry is of {newest}, and the sandbox says that it is {now}, so it \
         is of another run; a new one begins",
        path.display(),
        aside.display()
    )));
    let opened = open().map_err(|error| Trouble::Place(format!("{error:?}")))?;
    let Opened { ledger, books, ledger_id, newest, .. } = opened;
    let running = segment.current().load(Acquire);
    let owner = super::hex(&segment.ledger_id());
    let mut new = Prepared { ledger, books, ledger_id, newest, segment, list, set_aside: None };
    let entries = [
        Entry::TakenOver {
            ledger: format!("{owner}/earlier-run"),
            waiting: Lots::new(),
            disputed: Lots::new(),
            missed: Lots::new(),
            why: "the sandbox runs anew".to_owned(),
        },
        nothing_of(running, now.hour()),
    ];
    commit(&mut new, &entries, now)?;
    let about = super::about::About { ledger: new.ledger_id.clone(), ..site.about.clone() };
    about.write(&site.dir).map_err(|error| prepare::place(&site.dir, &error))?;
    Ok(new)
}

fn commit(prepared: &mut Prepared, entries: &[Entry], now: Timestamp) -> Result<(), Trouble> {
    prepared.ledger.commit(entries, now).map_err(|error| Trouble::Place(format!("{error:?}")))?;
    entries.iter().for_each(|entry| prepared.books.apply(entry));
    Ok(())
}

/// Slabs up to this one are done with.
fn nothing_of(sequence: u64, hour: Hour) -> Entry {
    Entry::Captured { sequence, hour, provisional: false, values: BTreeMap::new() }
}

/// What slabs hold.
fn lots(slabs: &[Closed]) -> Lots {
    let mut lots = Lots::new();
    for slab in slabs {
        for (series, raw) in &slab.values {
            *lots.entry(Lot { hour: slab.hour, series: *series }).or_default() += raw;
        }
    }
    lots
}

/// Names for those counters that the books do not know.
fn named(lots: &Lots, site: &Site, list: &SeriesFile, books: &Books) -> Vec<Entry> {
    let counted = lots.keys().map(|lot| lot.series).collect();
    let new = unknown_names(counted, site, list, books);
    if new.is_empty() { Vec::new() } else { vec![Entry::Named(new)] }
}

/// The counters of `counted` that the books do not know, with the names that the list has for them.
pub(super) fn unknown_names(
    counted: BTreeSet<SeriesId>,
    site: &Site,
    list: &SeriesFile,
    books: &Books,
) -> Vec<(SeriesId, Series)> {
    let names: BTreeMap<_, _> = names(list).into_iter().collect();
    let nameless = match site.dimensions.as_slice() {
        [only] => only.clone(),
        _ => Dimension::from(UNKNOWN),
    };
    let nameless = Series { dimension: nameless, tags: Tags::new() };
    counted
        .into_iter()
        .filter(|id| !books.series.contains_key(id))
        .map(|id| (id, names.get(&id).unwrap_or(&nameless).clone()))
        .collect()
}

/// The list, by number; empty when it cannot be read.
pub(super) fn names(list: &SeriesFile) -> Vec<(SeriesId, Series)> {
    let mut all = Vec::new();
    let read = list.with(&mut |series| {
        all = series.to_vec();
        None
    });
    if read.is_err() {
        all.clear();
    }
    (0..).map(SeriesId).zip(all).collect()
}
