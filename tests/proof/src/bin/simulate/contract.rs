//! Simulated years of contracts: several processes of one or two pods share a license of one AWS account.
//!
//! The engine is the product's own. Around it: hosts that check out, hold, release and draw; holdings on a disk that
//! may be full; a License Manager that is written from the contract of AWS (`service.rs`) and whose open questions are
//! switches; a network, clocks, crashes at any command of a step, suspended computers. Invariants are looked at after
//! each step (`check.rs`), and at the end everybody who can have a seat has one.

mod chaos;
mod check;
mod driver;
mod end;
mod figures;
mod host;
mod network;
mod pod;
mod scenario;
mod service;
pub(crate) mod world;
