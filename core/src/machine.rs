//! What happens next? Decisions only: state, input and time in, commands out.
//!
//! No machine has I/O, a clock, randomness or a thread. Time arrives in `now`, randomness as a seed,
//! wishes leave as [`command::Command`]s; so a simulator can run years of it in a second.

pub mod command;
pub mod draw;
pub mod drawdown;
pub mod engine;
pub mod input;
pub mod lease;
pub mod metering;
pub mod plan;
pub mod proof;
pub mod recheck;
pub mod retry;
pub mod seats;
pub mod startup;
pub mod verdict;
