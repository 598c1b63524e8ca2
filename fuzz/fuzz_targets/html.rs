//! Any bytes, read as a web page.

#![no_main]

mod round_trip;

use fairnotice::read::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| round_trip::round_trip(bytes, Format::Html));
