//! mpguard's core: everything that decides or acts.
//!
//! Five rooms, each with one question; ARCHITECTURE.md has the map and the arrows between them.
//!
//! | room | question |
//! | --- | --- |
//! | [`model`] | what is it? |
//! | [`machine`] | what happens next? |
//! | [`port`] | what do we need? |
//! | `shell` | when does it run? |
//! | `adapter` | how is it done? |
//!
//! The door is [`Guard`]: `init`, then callbacks.

pub mod config;
pub mod doctor;
pub mod error;
pub mod event;
pub mod guard;
pub mod machine;
pub mod model;
pub mod port;

mod adapter;
mod shell;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod outside;

pub use adapter::sqlite_ledger::read as ledger;
pub use config::Config;
pub use error::{Code, Error, ErrorKind, Result};
pub use event::{Event, EventKind, Topic};
pub use guard::{Guard, Meter, Seat, SeatsAsked, UnitsAsked};
pub use model::{
    license::{License, Verdict},
    usage::Account,
};
pub use shell::report::{FlushReport, SeatState, ShutdownReport, Stats};

/// What the bindings need to live through forks of their host. No part of the API.
#[doc(hidden)]
pub mod fork {
    pub use crate::adapter::fork::{
        gate::{Busy, busy},
        generation,
        own::Own,
    };

    /// Starts a thread that takes no signal of the host. False when the system gives none.
    pub fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> bool {
        crate::adapter::thread::spawn(name, run).is_ok()
    }
}
