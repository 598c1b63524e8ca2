//! Input that means harm: read in bounded time and memory, or refused with a reason.

use std::time::{Duration, Instant};

use fairnotice::read::{Document, Format, Input, ReadError, read};

/// No case takes seconds where nothing else runs; what grows with the square takes hours.
const PATIENCE: Duration = Duration::from_secs(240);

fn read_as(format: Format, text: &str) -> Result<Document, ReadError> {
    let start = Instant::now();
    let result = read(&Input {
        bytes: text.as_bytes(),
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
