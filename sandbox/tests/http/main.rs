//! The sandbox through real HTTP.

mod support;

mod anywhere;
mod clock;
mod container;
mod control;
mod faults;
mod licenses;
mod licensing;
mod metering;
mod readme;
mod registration;
mod signatures;
mod sts;
mod switches;
