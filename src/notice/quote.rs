//! Short, exact quotes: the words around what changed, cut at the ends of clauses, never altered.

use serde::{Deserialize, Serialize};

use crate::{
    compare::{Comparison, Op},
    read::{Document, Span},
};

/// Characters of a quote in a notice, about three lines of a mail.
const LONGEST: usize = 280;

/// Words of one version, as readers see them: exact but for markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortQuote {
    /// The words: an exact substring of the version's plain words.
    pub text: String,
    /// Whether words were left out before it.
    pub cut_before: bool,
    /// Whether words were left out behind it.
    pub cut_after: bool,
}

/// The readable words of a part of a document: without markup, link targets and list markers.
/// Blocks are parted by a line break.
pub fn plain(document: &Document, span: &Span) -> String {
    let first = document
        .blocks
        .partition_point(|b| b.span.end <= span.start);
    let mut out = String::new();
    for block in document.blocks.iter().skip(first) {
        if block.span.start >= span.end {
            break;
        }
        let mut words = String::new();
        if let Some(label) = &block.label
            && span.start <= label.span.start
            && label.span.end <= span.end
        {
            // The printed number with the stop or bracket behind it.
            let printed = label.span.start..block.body.start.max(label.span.end);
            let shown = document.slice(&printed).trim_end();
            words.push_str(shown);
            words.push(' ');
        }
        let label = words.len();
        for run in &block.runs {
            let part = run.start.max(span.start)..run.end.min(span.end);
            if part.start < part.end {
                words.push_str(document.slice(&part));
            }
        }
        if words.len() == label || words.trim().is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(words.trim());
    }
    out
}

/// Chooses what to quote of one side of a finding: all of it where it is short, else the words
/// around the edits, cut at the ends of clauses where there are some, else at spaces.
pub fn shorten(
    document: &Document,
    comparison: &Comparison,
    change: &str,
    span: &Span,
    is_old: bool,
) -> ShortQuote {
    let text = document.slice(span);
    if text.chars().count() <= LONGEST {
        return ShortQuote {
            text: plain(document, span),
            cut_before: false,
            cut_after: false,
        };
    }
    let touched = edits_within(comparison, change, span, is_old)
        .unwrap_or(span.start..span.start.saturating_add(1));
    let window = window(text, touched.start - span.start, touched.end - span.start);
    let chosen = span.start + window.start..span.start + window.end;
    let shown = plain(document, &chosen);
    if shown.is_empty() {
        // Only markup stands there; better all of it than nothing.
        return ShortQuote {
            text: plain(document, span),
            cut_before: false,
            cut_after: false,
        };
    }
    ShortQuote {
        text: shown,
        cut_before: window.start > 0,
        cut_after: window.end < text.len(),
    }
}

/// From the first to the last edited byte of a span; where only the other side has words, the
/// place where they would stand.
fn edits_within(comparison: &Comparison, change: &str, span: &Span, is_old: bool) -> Option<Span> {
    let change = comparison.changes.iter().find(|c| c.id == change)?;
    let mut touched: Option<Span> = None;
    for edit in change.edits.iter().filter(|edit| edit.op != Op::Equal) {
        let side = if is_old { &edit.old } else { &edit.new };
        if side.end < span.start || side.start > span.end {
            continue;
        }
        let part = side.start.max(span.start)..side.end.min(span.end);
        touched = Some(match touched {
            None => part,
            Some(so_far) => so_far.start.min(part.start)..so_far.end.max(part.end),
        });
    }
    touched
}

/// A part of `text` of at most [`LONGEST`] characters that holds as much of `start..end` as fits,
/// with the clause around it.
fn window(text: &str, start: usize, end: usize) -> Span {
    let ends = |clause: bool| -> Vec<usize> {
        let mut found = vec![0];
        let mut before: Option<char> = None;
        for (at, c) in text.char_indices() {
            let is_end = if clause {
                matches!(
                    before,
                    Some('.' | ';' | ':' | '\n' | '。' | '；' | '，' | ',')
                ) && (c.is_whitespace() || !c.is_ascii())
                    || matches!(before, Some('。' | '；' | '，'))
            } else {
                c.is_whitespace() && before.is_some_and(|b| !b.is_whitespace()) || !c.is_ascii()
            };
            if is_end {
                found.push(at);
            }
            before = Some(c);
        }
        found.push(text.len());
        found
    };
    let length = |span: &Span| {
        text.get(span.clone())
            .map_or(usize::MAX, |t| t.chars().count())
    };
    let grow = |points: &[usize]| -> Option<Span> {
        let mut from = points.iter().rposition(|p| *p <= start)?;
        let mut to = points.iter().position(|p| *p >= end.max(start + 1))?;
        let at = |i: usize| points.get(i).copied().unwrap_or_default();
        if length(&(at(from)..at(to))) > LONGEST {
            return None;
        }
        loop {
            let wider_to = (to + 1 < points.len()).then_some(to + 1);
            let wider_from = from.checked_sub(1);
            if let Some(wider) = wider_from
                && length(&(at(wider)..at(to))) <= LONGEST
            {
                from = wider;
            } else if let Some(wider) = wider_to
                && length(&(at(from)..at(wider))) <= LONGEST
            {
                to = wider;
            } else {
                return Some(at(from)..at(to));
            }
        }
    };
    if let Some(found) = grow(&ends(true)).or_else(|| grow(&ends(false))) {
        return found;
    }
    // The edits themselves are longer: their beginning, up to a space.
    let spaces = ends(false);
    let from = spaces
        .iter()
        .rev()
        .copied()
        .find(|p| *p <= start)
        .unwrap_or_default();
    let to = spaces
        .iter()
        .rev()
        .copied()
        .find(|p| *p > from && length(&(from..*p)) <= LONGEST)
        .unwrap_or_else(|| {
            text.char_indices()
                .map(|(at, _)| at)
                .filter(|at| *at >= from)
                .nth(LONGEST)
                .unwrap_or(text.len())
        });
    from..to
}

/// A text without any white space, for asking whether a quote stands in it however lines were
/// wrapped.
pub(crate) fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The words of a whole document, squashed, twice: as written and without markup.
pub(crate) fn squashed(document: &Document) -> [String; 2] {
    [
        squash(&document.text),
        squash(&plain(document, &(0..document.text.len()))),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_sentence_is_cut_at_a_clause_around_the_edit() {
        let text = format!(
            "We keep your maps, {} and your search history for two years. {}",
            "your routes, ".repeat(30),
            "Nothing else is kept. ".repeat(20)
        );
        let at = text.find("two years").unwrap();
        let found = window(&text, at, at + 9);
        let quote = text.get(found.clone()).unwrap();
        assert!(quote.contains("two years"), "{quote}");
        assert!(quote.chars().count() <= LONGEST);
        assert!(found.start > 0 && found.end < text.len());
    }

    #[test]
    fn chinese_is_cut_between_characters() {
        let text = "我们会保存您的地图和路线信息。".repeat(40);
        let found = window(&text, 600, 615);
        let quote = text.get(found).unwrap();
        assert!(
            quote.chars().count() <= LONGEST,
            "{}",
            quote.chars().count()
        );
        assert!(quote.ends_with('。'));
    }

    proptest! {
        #[test]
        fn a_window_is_always_a_part_of_the_text(
            text in "[a-z ,.。，我们\n]{0,700}", a in 0usize..900, b in 0usize..900
        ) {
            let (start, end) = (a.min(b), a.max(b));
            let found = window(&text, start.min(text.len()), end.min(text.len()));
            prop_assert!(text.get(found.clone()).is_some(), "{found:?}");
            prop_assert!(text.get(found).unwrap().chars().count() <= LONGEST);
        }
    }
}
