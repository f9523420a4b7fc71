//! What stands where in `usage.seg`, in words of eight bytes. Version 1; every number here is part of the format.
//!
//! Words are in the computer's own byte order: a file of another one has another magic.

use crate::model::time::Hour;
use std::ops::Range;

/// Slabs in the ring: an adder would have to stall for 16 hours to meet its own slab again.
pub(super) const SLABS: usize = 16;
/// Counters in a slab.
pub const SERIES: usize = 4096;
/// The version of this layout.
pub(super) const VERSION: u32 = 1;

/// Words of a page: control page and slab headers have one each.
const PAGE: usize = 512;
const SLAB: usize = PAGE + SERIES;
const SLABS_END: usize = PAGE + SLABS * SLAB;

/// Number of the current slab.
pub(super) const CURRENT: usize = 32;
/// Newest captured slab, a hint: the ledger knows better.
pub(super) const CAPTURED: usize = 48;
/// Last beat of the leader.
pub(super) const BEAT: usize = 64;
/// AWS's time.
pub(super) const ANCHOR: Range<usize> = 80..96;
/// What the leader shows.
pub(super) const BOARD: Range<usize> = SLABS_END..SLABS_END + 8 * PAGE;

/// Words of the whole file.
pub(super) const WORDS: usize = BOARD.end;
/// Bytes of the whole file.
pub(super) const BYTES: usize = WORDS * 8;
/// Bytes of the control page.
pub(super) const CONTROL_BYTES: usize = PAGE * 8;

const _: () = assert!(SLABS.is_power_of_two(), "a place is found by a mask");
const _: () = assert!(SLABS_END < WORDS && CURRENT >= IMMUTABLE && ANCHOR.end <= PAGE);

const MAGIC: u64 = u64::from_be_bytes(*b"mpguardu");
/// Words of the control page that never change: magic, version, three sizes, two ids, and their checksum.
const IMMUTABLE: usize = 10;

/// Index of the first word of the header of slab `sequence`: its number, then its label.
#[inline]
pub(super) fn header(sequence: u64) -> usize {
    PAGE + place(sequence) * SLAB
}

/// Index of one counter. `series` must be below [`SERIES`].
#[inline]
pub(super) fn slot(sequence: u64, series: usize) -> usize {
    header(sequence) + PAGE + (series & (SERIES - 1))
}

#[inline]
fn place(sequence: u64) -> usize {
    (sequence & (SLABS as u64 - 1)) as usize
}

/// Hour of a slab, and whether AWS's time was known when it was given. One word, so that it is never half-written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) hour: Hour,
    pub(super) provisional: bool,
}

impl Label {
    pub(super) fn encode(self) -> u64 {
        ((self.hour.0 << 1) | i64::from(self.provisional)).cast_unsigned()
    }

    pub(super) fn decode(word: u64) -> Label {
        Label { hour: Hour(word.cast_signed() >> 1), provisional: word & 1 != 0 }
    }
}

/// Whose counts a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) ledger_id: [u8; 16],
    pub(super) identity_hash: [u8; 16],
}

/// Why a control page is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Broken(&'static str),
    Version(u32),
}

/// A new control page.
pub(super) fn control(ledger_id: [u8; 16], identity_hash: [u8; 16]) -> Vec<u8> {
    let sizes = [BYTES as u64, SLABS as u64, SERIES as u64];
    let mut page: Vec<u8> = [MAGIC, VERSION.into()]
        .into_iter()
        .chain(sizes)
        .flat_map(u64::to_ne_bytes)
        .chain(ledger_id)
        .chain(identity_hash)
        .collect();
    let check = crc32fast::hash(&page);
    page.extend(u64::from(check).to_ne_bytes());
    page.resize(CONTROL_BYTES, 0);
    page
}

/// Slabs that no task ever reaches: one an hour, for longer than there are calendars.
const SEQUENCE_MAX: u64 = 1 << 48;

/// True when the running slab has a number that a leader can have given.
pub(super) fn is_current_sound(page: &[u8; CONTROL_BYTES]) -> bool {
    u64::from_ne_bytes(bytes(page, CURRENT * 8)) <= SEQUENCE_MAX
}

/// Reads the part of a control page that never changes.
pub(super) fn read_control(page: &[u8; CONTROL_BYTES]) -> Result<Owner, Unreadable> {
    let word = |at: usize| u64::from_ne_bytes(bytes(page, at * 8));
    if word(0) != MAGIC {
        return Err(Unreadable::Broken("its first bytes are not those of a segment"));
    }
    // Magic, version and checksum stand where they stand in every version.
    let immutable = page.get(..(IMMUTABLE - 1) * 8).unwrap_or_default();
    if word(IMMUTABLE - 1) != u64::from(crc32fast::hash(immutable)) {
        return Err(Unreadable::Broken("the checksum of its first page is wrong"));
    }
    if word(1) != u64::from(VERSION) {
        return Err(Unreadable::Version(u32::try_from(word(1)).unwrap_or(u32::MAX)));
    }
    if [word(2), word(3), word(4)] != [BYTES as u64, SLABS as u64, SERIES as u64] {
        return Err(Unreadable::Broken("its sizes are not those of this version"));
    }
    Ok(Owner { ledger_id: bytes(page, 40), identity_hash: bytes(page, 56) })
}

/// So many bytes from `at` on; zeros beyond the page.
fn bytes<const N: usize>(page: &[u8; CONTROL_BYTES], at: usize) -> [u8; N] {
    page.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_one_of_version_1() {
        assert_eq!(BYTES, 4096 + 16 * 36_864 + 32_768);
        assert_eq!(header(0) * 8, 4096);
        assert_eq!(slot(0, 0) * 8, 8192);
        assert_eq!(slot(17, 4095) * 8, 4096 + 36_864 + 4096 + 4095 * 8);
        assert_eq!(slot(15, 4095) + 1, BOARD.start);
        assert_eq!(slot(u64::MAX, usize::MAX), slot(15, 4095), "no index leaves the slabs");
    }

    #[test]
    fn a_label_keeps_hours_before_and_after_1970() {
        for (hour, provisional) in [(0, false), (490_000, true), (-1, true), (-490_000, false)] {
            let label = Label { hour: Hour(hour), provisional };
            assert_eq!(Label::decode(label.encode()), label);
        }
    }
}
