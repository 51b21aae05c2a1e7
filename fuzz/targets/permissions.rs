//! `permissions` of `control`, given to libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| control::fuzz::permissions(data));
