//! Any bytes with any declared encoding: text or a refusal.

#![no_main]

use fairnotice::read::{Format, Input, read};
use libfuzzer_sys::fuzz_target;

const CHARSETS: &[&str] = &[
    "utf-8",
    "iso-8859-1",
    "windows-1251",
    "shift_jis",
    "gb18030",
    "utf-16le",
    "iso-2022-jp",
    "euc-kr",
    "big5",
    "koi8-r",
    "x-user-defined",
    "nonsense",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let charset = CHARSETS[usize::from(*first) % CHARSETS.len()];
    let media_type = format!("text/plain; charset={charset}");
    let _ = read(&Input {
        bytes,
        format: Some(if *first > 127 {
            Format::Html
        } else {
            Format::Text
        }),
        media_type: Some(&media_type),
        ..Input::default()
    });
});
