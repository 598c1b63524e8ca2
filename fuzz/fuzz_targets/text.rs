//! Any bytes, read as Text: an error or a document, whose canonical text reads back to itself.

#![no_main]

use fairnotice::read::{Format, Input, canonical, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let input = Input {
        bytes,
        format: Some(Format::Text),
        url: Some("https://policy.example/terms"),
        ..Input::default()
    };
    let Ok(document) = read(&input) else { return };
    let first = canonical(&document);
    let again = Input {
        bytes: first.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    };
    if let Ok(again) = read(&again) {
        assert_eq!(canonical(&again), first);
    }
});
