//! The calls as a guard makes them, against bytes that AWS might send.

mod examine;
mod hostile;
mod licensing;
mod metering;
mod places;
mod proxies;
mod reach;
mod redirects;
mod secrets;
mod startup;
mod trust;
mod units;
mod wire;
