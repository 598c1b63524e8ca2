//! Which bytes of a document a reader sees, and as what characters.

use super::wording;
use crate::{
    assess::Quote,
    read::{Block, BlockKind, Document, Format, Span},
};

/// A stretch of bytes that is read, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Readable {
    /// Bytes of the document's text.
    pub(super) span: Span,
    /// Index of the block.
    pub(super) block: usize,
    /// Number of the cell in a table row; 0 elsewhere.
    pub(super) cell: usize,
    /// Whether it only separates: it reads as one space, whatever markup stands in it.
    pub(super) space: bool,
}

/// All readable stretches of a document in the order of its text, not overlapping: the printed
/// numbers, the words, and the line ends between them.
pub(super) fn readable(document: &Document) -> Vec<Readable> {
    let mut found = Vec::new();
    for (index, block) in document.blocks.iter().enumerate() {
        if block.kind == BlockKind::Markup {
            continue;
        }
        let mut spans: Vec<(Span, bool)> = prefix(document, block)
            .into_iter()
            .map(|span| (span, false))
            .collect();
        for run in &block.runs {
            if let Some(last) = spans.last().map(|(span, _)| span.end) {
                spans.extend(separator(document, last..run.start).map(|gap| (gap, true)));
            }
            spans.push((run.clone(), false));
        }
        found.extend(
            spans
                .into_iter()
                .filter(|(span, _)| span.start < span.end)
                .map(|(span, space)| Readable {
                    cell: cell(block, &span),
                    block: index,
                    span,
                    space,
                }),
        );
    }
    found.sort_by_key(|r| (r.span.start, r.span.end));
    let mut end = 0;
    // A range that a neighbour has already covered would be read twice.
    for r in &mut found {
        r.span.start = r.span.start.max(end).min(r.span.end);
        end = end.max(r.span.end);
    }
    found.retain(|r| r.span.start < r.span.end);
    found
}

/// The words of a span that a reader sees, on one line; `blocks` are those that it lies in.
pub(super) fn excerpt(document: &Document, blocks: std::ops::Range<usize>, span: &Span) -> String {
    let mut out = String::new();
    for block in document.blocks.get(blocks).unwrap_or_default() {
        if block.kind == BlockKind::Markup {
            continue;
        }
        let mut last: Option<usize> = None;
        for part in prefix(document, block).iter().chain(&block.runs) {
            let part = part.start.max(span.start)..part.end.min(span.end);
            if part.start >= part.end {
                continue;
            }
            let apart =
                last.is_none_or(|end| separator(document, end..part.start.max(end)).is_some());
            if apart && !out.is_empty() {
                out.push(' ');
            }
            out += &characters(document, &part);
            last = Some(part.end);
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a finding as a reader of the page sees them: a link's text without its address. The
/// exact bytes stay in the finding.
pub fn quoted(document: &Document, quote: &Quote) -> String {
    let blocks = &document.blocks;
    let first = blocks.partition_point(|block| block.span.end <= quote.span.start);
    let end = blocks.partition_point(|block| block.span.start < quote.span.end);
    // Of another document, such as the words that somebody added by hand.
    if document.text.get(quote.span.clone()) != Some(quote.text.as_str()) {
        return wording::shown(&quote.text);
    }
    let read = excerpt(document, first..end.max(first), &quote.span);
    if read.is_empty() {
        wording::shown(&quote.text)
    } else {
        read
    }
}

/// The printed number and a word before it (`Article 5.`), without the marks of Markdown.
fn prefix(document: &Document, block: &Block) -> Vec<Span> {
    if block.label.is_none() || block.body.start <= block.span.start {
        return Vec::new();
    }
    let whole = block.span.start..block.body.start;
    let text = document.slice(&whole);
    let lead = text.len()
        - text
            .trim_start_matches(|c: char| c.is_whitespace() || "#>*-+_|\\".contains(c))
            .len();
    let mut spans = Vec::new();
    let mut start = whole.start + lead;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < lead) {
        if matches!(c, '\\' | '*' | '_') {
            spans.push(start..whole.start + at);
            start = whole.start + at + c.len_utf8();
        }
    }
    spans.push(start..whole.end);
    spans
}

/// What separates two runs: a line end or a forced break reads as a space, markup as nothing.
fn separator(document: &Document, gap: Span) -> Option<Span> {
    let text = document.slice(&gap);
    let breaks = text.contains("<br")
        || text.contains('\n')
        || (!text.is_empty() && text.chars().all(char::is_whitespace));
    breaks.then_some(gap)
}

fn cell(block: &Block, span: &Span) -> usize {
    block
        .cells
        .iter()
        .rposition(|cell| cell.start <= span.start)
        .unwrap_or(0)
}

/// The characters of a readable stretch: white space as single spaces, entities and escapes of
/// Markdown resolved, control characters dropped.
pub(super) fn characters(document: &Document, span: &Span) -> String {
    let text = document.slice(span);
    let text = if document.format == Format::Text || !text.contains('&') {
        text.to_owned()
    } else {
        entities(text)
    };
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() && c != '\u{a0}' {
            if !space {
                out.push(' ');
            }
            space = true;
        } else if !c.is_control() {
            out.push(c);
            space = false;
        }
    }
    out
}

/// Resolves character references; an unknown one stays as it is.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at..).unwrap_or_default();
        let resolved = tail
            .find(';')
            .filter(|end| *end <= 10)
            .and_then(|end| Some((end, reference(tail.get(1..end)?)?)));
        if let Some((end, c)) = resolved {
            out.push(c);
            rest = tail.get(end + 1..).unwrap_or_default();
        } else {
            out.push('&');
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    out + rest
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "hellip" => '…',
        "bull" => '•',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "sect" => '§',
        "middot" => '·',
        "euro" => '€',
        "shy" => '\u{ad}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::entities;

    #[test]
    fn references_become_characters() {
        assert_eq!(
            entities("a &amp; b&nbsp;&#x41;&#66; &nope; &"),
            "a & b\u{a0}AB &nope; &"
        );
    }
}
