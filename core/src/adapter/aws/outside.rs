//! What is fed with bytes from outside: see `crate::outside`.

pub(crate) mod answers;
pub(crate) mod beside;
pub(crate) mod jwt;
mod served;
