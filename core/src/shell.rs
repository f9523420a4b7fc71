//! When does it run? Two threads, a mailbox, and the loop that turns machines.
#![allow(
    clippy::disallowed_methods,
    reason = "a host waits by its own clock: deadlines of calls are no business of billing time"
)]

pub(crate) mod backlog;
pub(crate) mod catalog;
pub(crate) mod driver;
pub(crate) mod effects;
pub(crate) mod mailbox;
pub(crate) mod notifier;
pub(crate) mod report;
pub(crate) mod running;
pub(crate) mod share;
pub(crate) mod shared;
pub(crate) mod thread;

use crate::error::{Code, Error};

pub(crate) use running::start;

/// The error for a guard whose driver has ended.
pub(crate) fn gone(what: &str) -> Error {
    Error::new(Code::ShutDown, format!("cannot {what}: the guard was shut down; init a new guard"))
}
