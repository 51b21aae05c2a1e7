//! `templates` of `template`, given to libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| template::fuzz::templates(data));
