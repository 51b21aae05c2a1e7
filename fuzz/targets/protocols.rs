//! `protocols` of `wire`, given to libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzz::protocols(data));
