//! What this computer says about time: a wall clock that anybody may set, and a count since its start.
//!
//! Hours follow the count, because nobody can set it and it goes on while the computer is suspended.

use super::boot_time::since_boot;
use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
    time::{Instant, SystemTime},
};

/// The two clocks of a computer, as a value so that tests can be one.
pub(crate) trait Computer: Send + Sync {
    /// The wall clock, in milliseconds since 1970.
    fn wall_ms(&self) -> i64;

    /// Milliseconds since the computer started, suspended time included. It never goes back.
    fn boot_ms(&self) -> i64;

    /// Which start of the computer this is, never 0: counts of two starts have nothing to do with each other.
    fn boot(&self) -> u64;
}

/// The one that this process runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThisComputer;

impl Computer for ThisComputer {
    fn wall_ms(&self) -> i64 {
        // A clock before 1970 is as wrong as one at 1970.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn boot_ms(&self) -> i64 {
        let since = since_boot().unwrap_or_else(|| {
            static FIRST: OnceLock<Instant> = OnceLock::new();
            FIRST.get_or_init(Instant::now).elapsed()
        });
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn boot(&self) -> u64 {
        static BOOT: OnceLock<u64> = OnceLock::new();
        *BOOT.get_or_init(|| {
            std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .ok()
                .and_then(|id| folded(&id))
                // Without one, a number of this process and its forks alone: what another process noted is
                // then not adopted, because nobody knows of which start it is.
                .unwrap_or_else(|| RandomState::new().hash_one(std::process::id()).max(1))
        })
    }
}

/// A UUID as 64 bits, the same in every process and version.
fn folded(uuid: &str) -> Option<u64> {
    let digits: String = uuid.trim().chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u128::from_str_radix(&digits, 16).ok()?;
    let half = |shift: u32| u64::try_from((value >> shift) & u128::from(u64::MAX)).ok();
    Some((half(64)? ^ half(0)?).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_goes_on_and_the_wall_clock_is_of_this_century() {
        let before = ThisComputer.boot_ms();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(ThisComputer.boot_ms() >= before + 20);
        assert!(ThisComputer.wall_ms() > 1_700_000_000_000);
    }

    #[test]
    fn a_start_has_one_number_and_another_start_another() {
        assert_eq!(ThisComputer.boot(), ThisComputer.boot());
        let one = folded("6f0b6a7e-4a1e-4c55-9c39-5f9a6b4f4a11\n");
        assert_eq!(one, Some(0x6f0b_6a7e_4a1e_4c55 ^ 0x9c39_5f9a_6b4f_4a11));
        assert_ne!(one, folded("6f0b6a7e-4a1e-4c55-9c39-5f9a6b4f4a12"));
        for none in [
            "",
            "0",
            "not-a-uuid",
            "6f0b6a7e4a1e4c559c395f9a6b4f4a1",
            "+f0b6a7e4a1e4c559c395f9a6b4f4a11",
        ] {
            assert_eq!(folded(none), None, "{none}");
        }
    }
}
