//! The C border: what `include/mpguard.h` declares.
//!
//! Nothing here decides. Each exported function is three moves: check what came in, call the core,
//! write what goes out. In reading order:
//!
//! | file | what |
//! | --- | --- |
//! | `handle` | tokens instead of pointers, so that a stale handle is an error |
//! | `fence` | where panics stop |
//! | `text` | strings across the border |
//! | `number` | status, event kinds and verdicts as numbers |
//! | `error` | the owned error |
//! | `config`, `guard`, `license`, `metering`, `seat`, `event`, `report`, `doctor` | one topic of the header each |
//! | `version` | version of the library, and of each symbol |

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]
// The functions are for C: their safety rules stand under Thread, Owns and Errors.
#![allow(clippy::missing_safety_doc)]

mod handle;

mod fence;
mod number;
mod text;

mod config;
mod doctor;
mod error;
mod event;
mod guard;
mod license;
mod metering;
mod report;
mod seat;
mod version;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod outside;

pub use config::*;
pub use doctor::*;
pub use error::*;
pub use event::*;
pub use guard::*;
pub use license::*;
pub use metering::*;
pub use number::*;
pub use report::*;
pub use seat::*;
pub use version::*;
