//! See `outside::calls` of the C border.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mpguard_border::outside::calls(bytes));
