//! What is it? Values only: no I/O, no clock, no randomness.

pub mod books;
pub mod entry;
pub mod finding;
pub mod holdings;
pub mod ids;
pub mod key;
pub mod license;
pub mod outcome;
pub mod proxy;
pub mod quantity;
pub mod secret;
pub mod storage;
pub mod tags;
pub mod time;
pub mod usage;
