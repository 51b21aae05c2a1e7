//! `matchers` of `routing`, given to libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routing::fuzz::matchers(data));
