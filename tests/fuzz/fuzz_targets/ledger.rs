//! See `outside::ledger`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mpguard_core::outside::ledger(bytes));
