//! `usage.seg`: the counters of a task, in one file that every process of it maps.
//!
//! The file is made whole or not at all, each block written, so that no later `add` can meet a full disk: a
//! mapped hole on a full disk ends the host by `SIGBUS`. Its size never changes. What it holds:
//!
//! | part | bytes | |
//! | --- | --- | --- |
//! | control page | 4096 | who owns it, sizes, a checksum; then the words that change, a cache line each |
//! | 16 slabs | 36,864 each | a page with number and label, then 4096 counters |
//! | board | 32,768 | two copies of what the leader shows to the other processes |
//!
//! `slab/protocol.rs` says how adders and the leader share the ring. Everything in here is a word that is read and
//! written as an atomic; no lock is kept in the mapping, so no death of a process leaves one taken. Dropping
//! the last handle unmaps, which in a forked child touches that child's own address space alone.
#![allow(
    unreachable_pub,
    reason = "the proofs build this very file below a crate root of their own"
)]

mod adder;
mod boards;
mod file;
mod layout;
mod map;
mod notice;
mod ring;
#[cfg(test)]
mod tests;

pub use file::SegmentError;
pub use layout::SERIES;
pub use ring::Ring;

use super::slab::protocol::{self, OPEN, Words};
use crate::{
    model::{
        ids::SeriesId,
        quantity::Raw,
        time::{Anchor, Hour},
        usage::Closed,
    },
    port::{counters::Add, state::Board},
};
use layout::{Label, SLABS};
use map::Map;
use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

/// Counters in mapped memory. Every process of a task holds one on the same file.
pub struct Segment {
    map: Map,
    /// Device and inode; `None` for memory without a file.
    place: Option<(u64, u64)>,
    ledger_id: [u8; 16],
    identity_hash: [u8; 16],
}

impl Segment {
    /// Makes the file whole: written under another name, synced, renamed. For the leader alone.
    ///
    /// # Errors
    /// The disk does not take it, or there is such a file already. Nothing is left behind.
    pub fn create(path: &Path, ledger_id: [u8; 16], identity_hash: [u8; 16]) -> io::Result<()> {
        file::create(path, &layout::control(ledger_id, identity_hash))
    }

    /// Maps the file at `path`.
    ///
    /// # Errors
    /// See [`SegmentError`]; nothing was changed.
    pub fn open(path: &Path) -> Result<Arc<Segment>, SegmentError> {
        let opened = file::open(path)?;
        Ok(Arc::new(Segment {
            map: opened.map,
            place: Some(opened.place),
            ledger_id: opened.owner.ledger_id,
            identity_hash: opened.owner.identity_hash,
        }))
    }

    /// Memory without a file, which forked children share all the same.
    ///
    /// # Errors
    /// The system gives no memory.
    pub fn anonymous() -> io::Result<Arc<Segment>> {
        Ok(Arc::new(Segment {
            map: Map::anonymous()?,
            place: None,
            ledger_id: [0; 16],
            identity_hash: [0; 16],
        }))
    }

    /// True while the file at `path` is the mapped one and has its full size.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        self.place.is_some() && file::place(path).is_ok_and(|found| Some(found) == self.place)
    }

    /// The ledger that the counts belong to; zeros without a file.
    #[must_use]
    pub fn ledger_id(&self) -> [u8; 16] {
        self.ledger_id
    }

    /// Hash of the identity that the counts belong to; zeros without a file.
    #[must_use]
    pub fn identity_hash(&self) -> [u8; 16] {
        self.identity_hash
    }

    /// True when a slab takes values. A new file is ready once its first leader has called [`Segment::recover`].
    #[must_use]
    pub fn ready(&self) -> bool {
        // The running slab may be closed between the two looks, but not many times in a row.
        (0..8).any(|_| {
            let slot = self.slot(self.current().load(Acquire), SERIES - 1);
            slot.is_some_and(|slot| slot.load(Acquire) & OPEN != 0)
        })
    }

    /// What this process's threads add with.
    #[must_use]
    pub fn adder(segment: &Arc<Segment>) -> Arc<dyn Add> {
        Arc::new(adder::Adder::new(segment.clone()))
    }

    /// The leader's half. When `private`, no other process can ever come: the last slab closes for good.
    #[must_use]
    pub fn counters(segment: &Arc<Segment>, private: bool) -> Ring {
        Ring::new(segment.clone(), private)
    }

    /// For a new leader, before anything else: makes the ring agree with the ledger, and a slab take values.
    ///
    /// `captured` is the newest slab that the ledger holds. `label` is for a slab that is opened here; one that
    /// was running keeps its label and its values. Numbers of slabs are given back that wait to be captured but
    /// whose header is damaged, so that nobody can tell what they held.
    pub fn recover(&self, captured: u64, label: Hour, provisional: bool) -> Vec<u64> {
        self.captured_word().store(captured, Release);
        let published = self.current().load(Acquire);
        let running = published.max(captured.saturating_add(1));
        if running == published && self.sequence_at(running) == running {
            // A leader that closed its last slab and died before the capture leaves it closed.
            protocol::reopen(self, running);
        } else {
            self.name(running, label, provisional);
            protocol::prepare(self, running);
            protocol::publish(self, running);
            if published < running {
                // It is in the ledger: what it would take now would be counted nowhere.
                protocol::close(self, published, |_, _| ());
            }
        }
        // A place with a damaged header would never be free again.
        for place in 0..SLABS as u64 {
            let there = self.sequence_at(place);
            if layout::header(there) != layout::header(place) || there > running.saturating_add(1) {
                self.map.word(layout::header(place)).store(0, Release);
            }
        }
        (self.oldest_kept().max(captured.saturating_add(1))..running)
            .filter(|sequence| self.sequence_at(*sequence) != *sequence)
            .collect()
    }

    /// The newest slab of which a leader said that its capture is durable: what a lost ledger held.
    #[must_use]
    pub fn captured(&self) -> u64 {
        // A slab that has not run yet was captured by a damaged word alone.
        self.captured_word().load(Acquire).min(self.current().load(Acquire))
    }

    /// Slabs up to [`Segment::captured`] whose places were not used again, the oldest first.
    ///
    /// When the ledger is lost, these are counts that may have been sent. To be called before `recover`.
    #[must_use]
    pub fn captured_slabs(&self) -> Vec<Closed> {
        let captured = self.captured();
        (captured.saturating_sub(SLABS as u64 - 1).max(1)..=captured)
            .filter(|sequence| self.sequence_at(*sequence) == *sequence)
            .map(|sequence| self.closed(sequence))
            .collect()
    }

    /// Shows a board to the other processes. False when something did not fit and was left out: more than 48
    /// accounts, or a name of more than 255 bytes.
    pub fn write_board(&self, board: &Board) -> bool {
        boards::write(&self.board(), board)
    }

    /// The newest board; the empty one before the first.
    #[must_use]
    pub fn read_board(&self) -> Board {
        boards::read(&self.board()).unwrap_or_default()
    }

    /// AWS's time as some process knew it last.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        boards::read_anchor(&self.anchor_notice())
    }

    /// Tells the other processes, and the next start, what AWS's time is. Any process may.
    pub fn set_anchor(&self, anchor: Anchor) {
        boards::write_anchor(&self.anchor_notice(), anchor);
    }

    /// The leader still moves, at this many milliseconds since the computer started.
    pub fn beat(&self, now_boot_ms: u64) {
        self.map.word(layout::BEAT).store(now_boot_ms.max(1), Release);
    }

    /// Milliseconds since the last beat; `None` when there was none since the computer started.
    #[must_use]
    pub fn beat_age(&self, now_boot_ms: u64) -> Option<u64> {
        let beat = self.map.word(layout::BEAT).load(Acquire);
        if beat == 0 { None } else { now_boot_ms.checked_sub(beat) }
    }

    /// Waits until the disk has what is mapped. Memory without a file has nothing to wait for.
    ///
    /// # Errors
    /// The disk did not take it; the counts in memory are as they were.
    pub fn sync(&self) -> io::Result<()> {
        if self.place.is_some() { self.map.sync() } else { Ok(()) }
    }

    fn captured_word(&self) -> &AtomicU64 {
        self.map.word(layout::CAPTURED)
    }

    fn board(&self) -> notice::Notice<'_> {
        notice::Notice::new(self.map.words(layout::BOARD))
    }

    fn anchor_notice(&self) -> notice::Notice<'_> {
        notice::Notice::new(self.map.words(layout::ANCHOR))
    }

    /// Number of the slab that stands, or stood last, in the place of slab `sequence`.
    fn sequence_at(&self, sequence: u64) -> u64 {
        self.map.word(layout::header(sequence)).load(Acquire)
    }

    fn label_at(&self, sequence: u64) -> Label {
        Label::decode(self.map.word(layout::header(sequence) + 1).load(Acquire))
    }

    fn label(&self, sequence: u64, hour: Hour, provisional: bool) {
        let label = Label { hour, provisional };
        self.map.word(layout::header(sequence) + 1).store(label.encode(), Release);
    }

    /// Gives the place of slab `sequence` to it.
    fn name(&self, sequence: u64, hour: Hour, provisional: bool) {
        self.label(sequence, hour, provisional);
        self.map.word(layout::header(sequence)).store(sequence, Release);
    }

    /// The oldest slab that can still stand in the ring.
    fn oldest_kept(&self) -> u64 {
        self.current().load(Relaxed).saturating_sub(SLABS as u64 - 1).max(1)
    }

    /// Closes slab `sequence`, and says what it holds.
    fn closed(&self, sequence: u64) -> Closed {
        let mut values = BTreeMap::new();
        protocol::close(self, sequence, |series, value| keep(&mut values, series, value));
        self.with_label(sequence, values)
    }

    fn with_label(&self, sequence: u64, values: BTreeMap<SeriesId, Raw>) -> Closed {
        let Label { hour, provisional } = self.label_at(sequence);
        Closed { sequence, hour, provisional, values }
    }
}

/// Notes the value of one slot under the counter's number.
fn keep(values: &mut BTreeMap<SeriesId, Raw>, series: usize, value: Raw) {
    values.insert(SeriesId(u32::try_from(series).unwrap_or(u32::MAX)), value);
}

impl Words for Segment {
    #[inline]
    fn current(&self) -> &AtomicU64 {
        self.map.word(layout::CURRENT)
    }

    #[inline]
    fn slot(&self, sequence: u64, series: usize) -> Option<&AtomicU64> {
        if series < SERIES { Some(self.map.word(layout::slot(sequence, series))) } else { None }
    }

    fn series(&self) -> usize {
        SERIES
    }
}
