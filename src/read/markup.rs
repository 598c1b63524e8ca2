//! Raw HTML inside Markdown: its words are words, its tags are markup.

use super::{
    BlockKind, Span,
    leaf::{Leaf, Piece, trimmed},
};

/// Whether an inline tag ends a line: `<br>`, `</p>`, `</div>`, `</li>`.
pub(super) fn breaks_line(tag: &str) -> bool {
    let Some(name) = name(tag) else { return false };
    matches!(
        name.as_str(),
        "br" | "p" | "div" | "li" | "ul" | "ol" | "hr" | "tr" | "table" | "dd" | "dt"
    )
}

/// Lower-case name of a tag, without the slash.
fn name(tag: &str) -> Option<String> {
    let inner = tag.strip_prefix('<')?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner
        .chars()
        .take(12)
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Adds the leaves of a block of raw HTML: one for every stretch of words between two tags that
/// end a line, and one without words where there are none.
pub(super) fn leaves(text: &str, span: Span, out: &mut Vec<Piece>) {
    let Some(slice) = text.get(span.clone()) else {
        return;
    };
    let before = out.len();
    let mut open: Option<Leaf> = None;
    let mut heading = None;
    let mut at = 0;
    let mut close = |open: &mut Option<Leaf>| {
        if let Some(mut leaf) = open.take() {
            leaf.span = trimmed(text, leaf.span);
            leaf.content = leaf.span.clone();
            out.push(leaf.into());
        }
    };
    while at < slice.len() {
        let rest = slice.get(at..).unwrap_or_default();
        if rest.starts_with('<') {
            let length = tag_length(rest);
            let tag = rest.get(..length).unwrap_or(rest);
            let name = name(tag).unwrap_or_default();
            let level = match name.as_bytes() {
                [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
                _ => None,
            };
            if level.is_some() || breaks_line(tag) || matches!(name.as_str(), "summary" | "details")
            {
                close(&mut open);
                heading = level.filter(|_| !tag.starts_with("</"));
            }
            at += length;
            if matches!(name.as_str(), "script" | "style") && !tag.starts_with("</") {
                let end = slice
                    .get(at..)
                    .and_then(|s| s.find("</"))
                    .unwrap_or(slice.len() - at);
                at += end;
            }
        } else {
            let length = rest.find('<').unwrap_or(rest.len());
            let part = span.start + at..span.start + at + length;
            if !text.get(part.clone()).unwrap_or_default().trim().is_empty() {
                let leaf = open.get_or_insert_with(|| {
                    let mut leaf = Leaf::new(BlockKind::Paragraph, part.clone());
                    leaf.after_blank = true;
                    if heading.is_some() {
                        leaf.kind = BlockKind::Heading;
                        leaf.heading = heading;
                    }
                    leaf
                });
                leaf.span.end = part.end;
                leaf.runs.push(part);
            }
            at += length;
        }
    }
    close(&mut open);
    if out.len() == before {
        out.push(Leaf::new(BlockKind::Markup, trimmed(text, span)).into());
    }
}

/// Length of the tag or comment at the start of `rest`.
fn tag_length(rest: &str) -> usize {
    if let Some(inner) = rest.strip_prefix("<!--") {
        return inner.find("-->").map_or(rest.len(), |at| at + 7);
    }
    let named = rest
        .as_bytes()
        .get(1)
        .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'));
    if !named {
        return 1;
    }
    rest.find('>').map_or(rest.len(), |at| at + 1)
}
