//! Questions to the DNS server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| discovery::fuzz::questions(data));
