//! Input that means harm: read in bounded time and memory, or refused with a reason.

use std::{
    io::{Cursor, Write as _},
    time::{Duration, Instant},
};

use fairnotice::read::{Document, Format, Input, ReadError, read};

/// No case takes seconds where nothing else runs; what grows with the square takes hours.
const PATIENCE: Duration = Duration::from_secs(240);

fn read_as(format: Format, text: &str) -> Result<Document, ReadError> {
    read_bytes(format, text.as_bytes())
}

fn read_bytes(format: Format, bytes: &[u8]) -> Result<Document, ReadError> {
    let start = Instant::now();
    let result = read(&Input {
        bytes,
        format: Some(format),
        ..Input::default()
    });
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    result
}

const SENTENCE: &str = "We may collect personal information about you when you use the services.";

#[test]
fn a_hundred_thousand_levels_of_tags() {
    for (tag, count) in [
        ("<div>", 100_000),
        ("<b><i>", 100_000),
        ("<blockquote>", 100_000),
        ("<ul><li>x ", 20_000),
        ("<table><tr><td>a", 20_000),
    ] {
        let page = format!(
            "<html><body><h1>Terms of Lantern</h1>{}<p>{SENTENCE}</p>",
            tag.repeat(count)
        );
        let document = read_as(Format::Html, &page).unwrap();
        assert!(document.text.contains("personal information"), "{tag}");
    }
}

#[test]
fn deep_marks_of_markdown() {
    for start in [">", "[", "*a ", "- ", "![", "<b>"] {
        let text = format!("{} {SENTENCE}\n", start.repeat(100_000));
        assert!(read_as(Format::Markdown, &text).is_ok(), "{start}");
    }
}

#[test]
fn the_same_line_again_and_again() {
    let text = format!("Your rights\n\n{SENTENCE}\n\n").repeat(20_000);
    assert!(read_as(Format::Text, &text).is_ok());
    assert!(read_as(Format::Markdown, &"- x\n".repeat(50_000)).is_ok());
}

#[test]
fn twenty_thousand_headings() {
    let text: String = (1..=20_000)
        .map(|i| format!("## {i}. Part\n\n{SENTENCE}\n\n"))
        .collect();
    let document = read_as(Format::Markdown, &text).unwrap();
    assert_eq!(document.sections.len(), 20_000);
}

#[test]
fn one_line_of_five_megabytes() {
    let line = format!("{SENTENCE} ").repeat(70_000);
    for format in [Format::Text, Format::Markdown, Format::Html] {
        assert!(read_as(format, &line).is_ok());
    }
}

/// A word processing file with this main part, packed.
fn docx(part: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("word/document.xml", options).unwrap();
    for bytes in part {
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_billion_entities_in_a_word_processing_file() {
    let mut part = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a0 \"ha\">".to_owned();
    for i in 1..10 {
        part += &format!("<!ENTITY a{i} \"{}\">", format!("&a{};", i - 1).repeat(10));
    }
    part += "]><w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>You agree to these &a9; terms of \
             Lantern.</w:t></w:r></w:p></w:body></w:document>";
    let file = docx(std::iter::once(part.into_bytes()));
    let document = read_bytes(Format::Docx, &file).unwrap();
    assert!(document.text.contains("terms of Lantern"));
    assert!(!document.text.contains("haha"));
}

#[test]
fn a_word_processing_file_that_unpacks_without_end() {
    let blanks = vec![b' '; 1024 * 1024];
    let file = docx((0..120).map(|_| blanks.clone()));
    assert!(file.len() < 1024 * 1024);
    let error = read_bytes(Format::Docx, &file).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}

#[test]
fn a_pdf_whose_objects_unpack_without_end() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"1 0 2 60           ").unwrap();
    for _ in 0..260 {
        packed.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut file = format!(
        "%PDF-1.5\n9 0 obj\n<< /Type /ObjStm /N 2 /First 20 /Length {} /Filter /FlateDecode >>\nstream\n",
        packed.len()
    )
    .into_bytes();
    file.extend(packed);
    file.extend(b"\nendstream\nendobj\ntrailer << /Size 10 /Root 1 0 R >>\n%%EOF");
    let error = read_bytes(Format::Pdf, &file).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}

#[test]
fn random_bytes_are_refused_or_read_in_every_format() {
    // A shift register: the same bytes each time.
    let mut state = 0x9E37_79B9_u32;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    for start in [
        "",
        "%PDF-1.7\n",
        "PK\u{3}\u{4}",
        "<!doctype html><html><body>",
        "# ",
    ] {
        let mut bytes = start.as_bytes().to_vec();
        bytes.extend((0..200_000).map(|_| noise()));
        for format in [
            Format::Html,
            Format::Markdown,
            Format::Text,
            Format::Pdf,
            Format::Docx,
        ] {
            let said = read_bytes(format, &bytes);
            assert!(said.is_err(), "{format:?} {start:?}");
        }
        // The same without bytes that no text holds.
        let text: String = bytes.iter().map(|b| char::from(b % 95 + 32)).collect();
        assert!(read_as(Format::Html, &text).is_ok());
        assert!(read_as(Format::Markdown, &text).is_ok());
        assert!(read_as(Format::Text, &text).is_ok());
    }
}
