//! Any bytes, first as a whole word processing file, then as the main part of one.

#![no_main]

use std::io::{Cursor, Write as _};

use fairnotice::read::{Format, Input, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input {
        bytes,
        format: Some(Format::Docx),
        ..Input::default()
    };
    let _ = read(&input);
    // A ZIP that holds the bytes uncompressed: the fuzzer cannot guess checksums.
    let Some(file) = pack(bytes) else { return };
    input.bytes = &file;
    let _ = read(&input);
});

/// The smallest archive with one part, stored.
fn pack(part: &[u8]) -> Option<Vec<u8>> {
    let name = b"word/document.xml";
    let size = u32::try_from(part.len()).ok()?.to_le_bytes();
    let sum = crc32(part).to_le_bytes();
    let mut fields = vec![0, 0, 0, 0, 0, 0, 0, 0];
    fields.extend(sum);
    fields.extend(size);
    fields.extend(size);
    fields.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
    fields.extend([0, 0]);
    let mut file = Cursor::new(Vec::new());
    file.write_all(b"PK\x03\x04\x14\x00").ok()?;
    file.write_all(&fields).ok()?;
    file.write_all(name).ok()?;
    file.write_all(part).ok()?;
    let directory = u32::try_from(file.position()).ok()?;
    file.write_all(b"PK\x01\x02\x14\x00\x14\x00").ok()?;
    file.write_all(&fields).ok()?;
    file.write_all(&[0; 14]).ok()?;
    file.write_all(name).ok()?;
    let length = u32::try_from(file.position()).ok()? - directory;
    file.write_all(b"PK\x05\x06\0\0\0\0\x01\0\x01\0").ok()?;
    file.write_all(&length.to_le_bytes()).ok()?;
    file.write_all(&directory.to_le_bytes()).ok()?;
    file.write_all(&[0, 0]).ok()?;
    Some(file.into_inner())
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    })
}
