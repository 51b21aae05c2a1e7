//! `responses` of `transport`, given to libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| transport::fuzz::responses(data));
