//! What the processes counted, by their own tallies. `tests/torture/README.md` has the format.

use crate::run::Done;
use std::{fs, path::Path};

/// Dimension and tags of each series, in the adders' order.
pub(super) const SERIES: [(&str, &[(&str, &str)]); 6] = [
    ("requests", &[]),
    ("requests", &[("tenant", "a")]),
    ("requests", &[("tenant", "b")]),
    ("gigabytes", &[]),
    ("gigabytes", &[("region", "x")]),
    ("jobs", &[("tenant", "a"), ("tier", "gold")]),
];

/// Dimensions, and how many raw counts are one unit of each.
pub(super) const DIMENSIONS: [(&str, u64); 3] = [("requests", 1), ("gigabytes", 1000), ("jobs", 1)];

const NUMBERS: usize = 80;
const KIND: usize = 2;
const REFUSED: usize = 3;
const FIRST: usize = 16;
const ROWS: usize = 4;
const ROW: usize = 8;

/// All tallies of a run, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// By series: `add` was about to be called.
    pub(super) started: [u64; SERIES.len()],
    /// By series: `add` has returned.
    pub(super) counted: [u64; SERIES.len()],
    /// Processes that were forked, workers of a cluster included.
    pub(super) forks: u64,
    pub(super) processes: u64,
    /// Adds that failed.
    pub(super) refused: u64,
}

impl Tally {
    pub(super) fn read(folder: &Path) -> Done<Tally> {
        let told =
            |e: std::io::Error| format!("cannot read tallies in `{}`: {e}", folder.display());
        let mut sum = Tally::default();
        for entry in fs::read_dir(folder).map_err(told)? {
            sum.add(&fs::read(entry.map_err(told)?.path()).map_err(told)?);
        }
        Ok(sum)
    }

    /// A file that its process had no time to fill counts nothing.
    fn add(&mut self, bytes: &[u8]) {
        let numbers: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap_or_default()))
            .collect();
        if numbers.len() != NUMBERS {
            return;
        }
        self.processes += 1;
        self.refused += numbers[REFUSED];
        self.forks += u64::from(numbers[KIND] > 1);
        for row in 0..ROWS {
            for series in 0..SERIES.len() {
                let at = FIRST + 2 * (ROW * row + series);
                self.started[series] += numbers[at];
                self.counted[series] += numbers[at + 1];
            }
        }
    }

    /// Started and counted of a dimension.
    pub(super) fn of(&self, dimension: &str) -> (u64, u64) {
        let of = |all: &[u64]| {
            let pairs = SERIES.iter().zip(all).filter(|((name, _), _)| *name == dimension);
            pairs.map(|(_, n)| n).sum()
        };
        (of(&self.started), of(&self.counted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_processes_are_added_up_by_dimension() {
        let mut numbers = [0_u64; NUMBERS];
        numbers[KIND] = 2;
        numbers[REFUSED] = 1;
        (numbers[16], numbers[17]) = (10, 9); // row 0, requests
        (numbers[16 + 16 + 2], numbers[16 + 16 + 3]) = (5, 5); // row 1, requests of tenant a
        (numbers[16 + 48 + 10], numbers[16 + 48 + 11]) = (7, 6); // row 3, jobs
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
        let mut tally = Tally::default();
        tally.add(&bytes);
        tally.add(&bytes[..100]);
        tally.add(&bytes);
        assert_eq!((tally.of("requests"), tally.of("jobs")), ((30, 28), (14, 12)));
        assert_eq!((tally.of("gigabytes"), tally.forks, tally.processes), ((0, 0), 2, 2));
        assert_eq!(tally.refused, 2);
    }
}
