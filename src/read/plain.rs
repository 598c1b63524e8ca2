//! Plain text, and text whose markup was lost, into leaves: one for every line, or for every
//! paragraph where lines were wrapped at a fixed width.

use super::{
    BlockKind,
    leaf::{Leaf, Piece, trimmed},
    markdown::starts_item,
};

/// Texts whose lines are longer than this were not wrapped.
const WIDEST_WRAP: usize = 120;

/// The leaves of a plain text, in order.
pub(super) fn leaves(text: &str) -> Vec<Piece> {
    let wrap = wrap_width(text);
    let mut leaves: Vec<Piece> = Vec::new();
    let mut after_blank = true;
    let mut last_line = (0, 0);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let span = trimmed(text, at..at + line.len());
        let start = at;
        at += line.len();
        let Some(words) = text.get(span.clone()).filter(|w| !w.is_empty()) else {
            after_blank = true;
            continue;
        };
        let indent = indent(text.get(start..span.start).unwrap_or_default());
        let goes_on = wrap.is_some_and(|width| {
            !after_blank
                && last_line.1 * 10 >= width * 7
                && !starts_item(words)
                && super::label::parse(words).is_none_or(|l| l.weak || !words.contains(' '))
        });
        last_line = (start, line.trim_end().chars().count());
        if goes_on && let Some(Piece { leaf, .. }) = leaves.last_mut() {
            leaf.span.end = span.end;
            leaf.content.end = span.end;
            if let Some(run) = leaf.runs.last_mut() {
                run.end = span.end;
            }
            continue;
        }
        let mut leaf = Leaf::new(BlockKind::Paragraph, span.clone());
        leaf.after_blank = after_blank;
        leaf.indent = u8::try_from(indent).unwrap_or(u8::MAX);
        leaf.depth = u8::try_from(indent.saturating_sub(1) / 2).unwrap_or(u8::MAX);
        if !words.chars().any(char::is_alphanumeric) {
            leaf.kind = BlockKind::Markup;
            leaf.content = span.end..span.end;
        } else {
            leaf.runs.push(span.clone());
        }
        leaves.push(leaf.into());
        after_blank = false;
    }
    leaves
}

/// Columns of white space before a line.
fn indent(lead: &str) -> usize {
    lead.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// The width at which lines were wrapped, if most long lines end near the same column.
fn wrap_width(text: &str) -> Option<usize> {
    let (mut longest, mut lines, mut near) = (0, 0_usize, 0_usize);
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let length = line.len().min(4 * WIDEST_WRAP);
        longest = longest.max(length);
        if longest > 3 * WIDEST_WRAP {
            return None;
        }
    }
    let width = text
        .lines()
        .map(|l| l.trim_end().chars().count())
        .max()
        .filter(|w| (50..=WIDEST_WRAP).contains(w))?;
    let mut run = 0_usize;
    for line in text.lines() {
        let length = line.trim_end().chars().count();
        if length == 0 {
            run = 0;
            continue;
        }
        lines += 1;
        run += 1;
        if run > 1 && length * 10 >= width * 7 {
            near += 1;
        }
    }
    (near * 4 >= lines).then_some(width)
}
