//! Telling the format: by content, then by name.

use super::{Format, Input};

/// The format of an input: what the caller says, what the first bytes say, what server and file
/// name say, what the text looks like.
pub(super) fn tell(input: &Input<'_>) -> Format {
    if let Some(format) = input.format {
        return format;
    }
    by_signature(input.bytes)
        .or_else(|| by_media_type(input.media_type?))
        .or_else(|| by_name(input.name?))
        .unwrap_or_else(|| by_marks(input.bytes))
}

/// Signatures that no policy in another format starts with.
fn by_signature(bytes: &[u8]) -> Option<Format> {
    // PDF allows some bytes before its header.
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if find(head, b"%PDF-").is_some() {
        return Some(Format::Pdf);
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some(Format::Docx);
    }
    // UTF-16 pages show a zero byte between the letters.
    let letters: Vec<u8> = head
        .iter()
        .copied()
        .filter(|b| !matches!(b, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF))
        .skip_while(u8::is_ascii_whitespace)
        .map(|b| b.to_ascii_lowercase())
        .collect();
    let mut rest = letters.as_slice();
    // Comments may stand before the doctype.
    while let Some(after) = rest.strip_prefix(b"<!--") {
        let Some(end) = find(after, b"-->") else {
            break;
        };
        rest = after.get(end + 3..).unwrap_or_default().trim_ascii_start();
    }
    let starts = [
        b"<!doctype html".as_slice(),
        b"<html",
        b"<head",
        b"<body",
        b"<?xml",
        b"<meta",
        b"<title",
        b"<script",
    ];
    starts
        .iter()
        .any(|start| rest.starts_with(start))
        .then_some(Format::Html)
}

fn by_media_type(media_type: &str) -> Option<Format> {
    let essence = media_type.split(';').next()?.trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        "text/markdown" | "text/x-markdown" => Some(Format::Markdown),
        "application/pdf" => Some(Format::Pdf),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            Some(Format::Docx)
        }
        // Servers send Markdown as text/plain: its marks decide.
        _ => None,
    }
}

fn by_name(name: &str) -> Option<Format> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "md" | "markdown" | "mdown" | "mkd" => Some(Format::Markdown),
        "txt" | "text" => Some(Format::Text),
        "pdf" => Some(Format::Pdf),
        "docx" => Some(Format::Docx),
        _ => None,
    }
}

/// Markdown shows headings, strong text, links or escapes on a good share of its lines.
fn by_marks(bytes: &[u8]) -> Format {
    let head = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let (mut lines, mut marks, mut tags) = (0_usize, 0_usize, 0_usize);
    for line in head.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        lines += 1;
        let heading = line.starts_with(b"#")
            && line.trim_ascii_start().iter().find(|b| **b != b'#') == Some(&b' ');
        if heading || find(line, b"**").is_some() || find(line, b"](").is_some() {
            marks += 1;
        }
        if line.starts_with(b"<") && line.ends_with(b">") {
            tags += 1;
        }
    }
    if tags * 2 > lines {
        Format::Html
    } else if marks * 20 > lines {
        Format::Markdown
    } else {
        Format::Text
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8], name: Option<&str>) -> Format {
        tell(&Input {
            bytes,
            name,
            ..Input::default()
        })
    }

    #[test]
    fn content_wins_over_name() {
        assert_eq!(
            told(b"%PDF-1.7\n...", Some("policy.html")),
            Format::Pdf,
            "signature"
        );
        assert_eq!(
            told(b"\xEF\xBB\xBF <!-- x --> <!DOCTYPE html><p>", Some("a.txt")),
            Format::Html
        );
        assert_eq!(told(b"PK\x03\x04....", None), Format::Docx);
        assert_eq!(told(b"\xFF\xFE<\0h\0t\0m\0l\0>\0", None), Format::Html);
    }

    #[test]
    fn name_then_marks() {
        assert_eq!(told(b"# Terms\n\nBe kind.", Some("a.txt")), Format::Text);
        assert_eq!(told(b"Terms\n\nBe kind.", Some("a.md")), Format::Markdown);
        assert_eq!(told(b"# Terms\n\nBe kind.", None), Format::Markdown);
        assert_eq!(told(b"Terms\n\n1. Be kind.", None), Format::Text);
        assert_eq!(told(b"", None), Format::Text);
    }
}
