//! The core without its hands: what decides, and the ledger that it decides on.
//!
//! Crate root of `mpguard-handless` (tests/proof), which the simulator builds on: the same files as the
//! core's, without AWS, threads and runtime. It builds in seconds, so that planted bugs can be compiled in.

pub mod error;
pub mod event;
pub mod machine;
pub mod model;
pub mod port;

/// How is it done: the part that the proofs run for real.
pub mod adapter {
    #![allow(
        clippy::disallowed_methods,
        reason = "this is the room that the forbidden calls are to be made in"
    )]

    mod boot_time;
    pub mod fork;
    pub mod memory_ledger;
    mod sandbox_address;
    pub mod segment;
    pub mod series_file;
    mod slab;
    pub mod sqlite_ledger;
    pub mod state;
}

/// When does it run: what comes between a decision and the disk.
pub mod shell {
    pub mod backlog;
}

/// A state directory of bytes from outside: see the core's `outside`.
#[cfg(test)]
pub fn outside(bytes: &[u8]) {
    adapter::state::outside::check(bytes);
}

pub use adapter::sqlite_ledger::read as ledger;
