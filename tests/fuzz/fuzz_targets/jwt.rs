//! See `outside::jwt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mpguard_core::outside::jwt(bytes));
