//! What holds for any bytes in any format: an error or a document, whose canonical text reads back
//! to itself.

use fairnotice::read::{Format, Input, canonical, read};

/// Reads `bytes` as `format` and the canonical text of it again.
pub fn round_trip(bytes: &[u8], format: Format) {
    let input = Input {
        bytes,
        format: Some(format),
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
}
