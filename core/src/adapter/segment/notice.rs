//! A few words that one process shows to the others, never seen half-written.
//!
//! There are two copies and a version; the version says which copy is the newer one. A writer fills the
//! other copy and then raises the version, so a writer that dies half-way leaves the newer copy as it was, and a
//! reader never waits for anybody. Each copy carries a checksum: two writers at once may spoil one copy, and
//! then the reader takes the other.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// Writers and readers give up after so many meetings with a writer that is faster.
const TRIES: usize = 1000;
/// Words of a copy before its data: checksum and length.
const HEAD: usize = 2;

/// The words: version, first copy, second copy.
pub(super) struct Notice<'a> {
    version: Option<&'a AtomicU64>,
    copies: [&'a [AtomicU64]; 2],
}

impl<'a> Notice<'a> {
    pub(super) fn new(words: &'a [AtomicU64]) -> Notice<'a> {
        let (version, rest) =
            words.split_first().map_or((None, words), |(v, rest)| (Some(v), rest));
        let (first, rest) = rest.split_at(rest.len() / 2);
        Notice { version, copies: [first, rest.get(..first.len()).unwrap_or_default()] }
    }

    /// Shows `data`. False when it does not fit, or when other writers were always faster: theirs stands then.
    pub(super) fn write(&self, data: &[u64]) -> bool {
        let Some(counter) = self.version else { return false };
        for _ in 0..TRIES {
            let version = counter.load(Acquire);
            let Some((head, body)) = self.copy(version.wrapping_add(1)).split_at_checked(HEAD)
            else {
                return false;
            };
            if data.len() > body.len() {
                return false;
            }
            // A reader that sees one of the words below must also see the version above.
            fence(Release);
            for (word, value) in head.iter().zip([0, data.len() as u64]) {
                word.store(value, Relaxed);
            }
            for (word, value) in body.iter().zip(data) {
                word.store(*value, Relaxed);
            }
            if let Some(check) = head.first() {
                check.store(checksum(data), Relaxed);
            }
            let next = version.wrapping_add(1);
            if counter.compare_exchange(version, next, AcqRel, Acquire).is_ok() {
                return true;
            }
        }
        false
    }

    /// What was shown last; `None` before the first time, and while writers are always faster.
    pub(super) fn read(&self) -> Option<Vec<u64>> {
        let counter = self.version?;
        for _ in 0..TRIES {
            let version = counter.load(Acquire);
            if version == 0 {
                return None;
            }
            for newer_first in [version, version.wrapping_sub(1)] {
                let data = read_copy(self.copy(newer_first));
                fence(Acquire);
                if counter.load(Relaxed) != version {
                    break;
                }
                if data.is_some() {
                    return data;
                }
            }
        }
        None
    }

    fn copy(&self, version: u64) -> &'a [AtomicU64] {
        let [first, second] = self.copies;
        if version & 1 == 0 { first } else { second }
    }
}

fn read_copy(copy: &[AtomicU64]) -> Option<Vec<u64>> {
    let (head, body) = copy.split_at_checked(HEAD)?;
    let [check, length] = head else { return None };
    let length = usize::try_from(length.load(Relaxed)).ok()?;
    let check = check.load(Relaxed);
    let data: Vec<u64> = body.get(..length)?.iter().map(|word| word.load(Relaxed)).collect();
    (check == checksum(&data)).then_some(data)
}

/// Never zero, so that memory nobody wrote to holds no notice.
fn checksum(data: &[u64]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(data.len() as u64).to_ne_bytes());
    data.iter().for_each(|word| hasher.update(&word.to_ne_bytes()));
    1 << 32 | u64::from(hasher.finalize())
}
