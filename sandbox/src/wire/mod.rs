//! How answers look on the wire: JSON and XML envelopes, error styles, dates, broken connections.

pub(crate) mod answer;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod time;
pub(crate) mod xml;
