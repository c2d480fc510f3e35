//! The program that libFuzzer drives: one for all targets, so that they are built once.
//! `WARDWATCH_FUZZ_TARGET` says which; `cargo xtask fuzz` sets it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wardwatch_fuzz::run(input));
