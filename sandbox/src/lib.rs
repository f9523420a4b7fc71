//! AWS's side of AWS Marketplace container metering and licensing, on one loopback port.
//!
//! A map, in reading order:
//!
//! - [`Options`], [`serve`], [`run`], [`Sandbox`]: starting it.
//! - `clock`: the virtual clock and those who live by it.
//! - `model`: AWS's own service models, against which requests and answers are checked.
//! - `sigv4`: signatures, verified from scratch.
//! - `wire`: envelopes, dates, connections that can be cut.
//! - `store`: what is remembered: tasks, keys, products, usage, faults, switches, requests.
//! - `service`: the AWS APIs.
//! - `fault`: how an answer goes wrong on its way.
//! - `container`: what a container finds around itself.
//! - `control`: the control API under `/_sandbox/`.
//!
//! It shares no code with the core: one misreading of AWS must not sit on both sides.

mod options;
mod server;
mod start;

mod clock;
mod container;
mod control;
mod fault;
mod model;
mod service;
mod sigv4;
mod store;
mod wire;

pub use options::{ClockMode, Options, parse_start};
pub use server::{Error, serve};
pub use start::{Sandbox, run};
