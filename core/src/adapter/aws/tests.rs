//! The calls as a guard makes them, against bytes that AWS might send.

mod hostile;
mod licensing;
mod metering;
mod redirects;
mod startup;
mod trust;
mod units;
