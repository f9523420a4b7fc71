//! What do we need from outside? Small traits, each with one real adapter and one for tests.

pub mod clock;
pub mod cloud;
pub mod counters;
pub mod entropy;
pub mod ledger;
pub mod listener;
pub mod parts;
pub mod state;
pub mod wake;
