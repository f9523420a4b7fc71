//! Random draws from one seed, so that the same seed gives the same run.

use crate::model::ids::ClientToken;
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{fmt::Write, time::Duration};

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draw(ChaCha12Rng);

impl Draw {
    /// The stream of this seed. In production the seed comes from the operating system.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Draw {
        Draw(ChaCha12Rng::from_seed(seed))
    }

    /// A whole number below `limit`, and 0 when `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The bias of the remainder is below 2^-30 for the limits used here.
        self.0.next_u64().checked_rem(limit).unwrap_or(0)
    }

    /// A time from zero up to `limit`.
    pub fn up_to(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(limit.saturating_add(1)))
    }

    /// `middle`, spread evenly by `percent` to both sides.
    pub fn around(&mut self, middle: Duration, percent: u32) -> Duration {
        let reach = middle / 100 * percent;
        middle.saturating_sub(reach) + self.up_to(reach * 2)
    }

    /// A fresh client token: 128 random bits in hex, well inside the 64 characters of `MeterUsage`.
    pub fn client_token(&mut self) -> ClientToken {
        let mut bytes = [0_u8; 16];
        self.0.fill_bytes(&mut bytes);
        let mut text = String::with_capacity(32);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        ClientToken(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_draws_and_another_seed_others() {
        let mut first = Draw::new([7; 32]);
        let mut again = Draw::new([7; 32]);
        let mut other = Draw::new([8; 32]);
        assert_eq!(first.client_token(), again.client_token());
        assert_ne!(first.client_token(), other.client_token());
    }

    #[test]
    fn a_spread_stays_within_its_percent() {
        let mut draw = Draw::new([1; 32]);
        let middle = Duration::from_secs(900);
        for _ in 0..1000 {
            let drawn = draw.around(middle, 10);
            assert!((810..=990).contains(&drawn.as_secs()), "{drawn:?}");
        }
        assert_eq!(draw.below(0), 0);
    }
}
