//! Versions of one document walk in, oldest first; for each sentence of the last it is told since
//! which version it stands there.

use crate::read::{BlockKind, Document, Span, sentences};

use super::{Comparison, Op, Segment, SegmentOp, compare};

/// A sentence of the last version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlameLine {
    /// Its bytes in the last version's text.
    pub span: Span,
    /// Index of the version in which its words first stood as they do now. A sentence that only
    /// moved, or changed in formatting, links or numbering, keeps its age.
    pub since: usize,
}

/// Since when each sentence of the last version stands there, in document order.
pub fn blame(versions: &[&Document]) -> Vec<BlameLine> {
    let Some((first, rest)) = versions.split_first() else {
        return Vec::new();
    };
    let mut lines = lines_of(first);
    let mut before = *first;
    for (index, version) in (1..).zip(rest) {
        let comparison = compare(before, version);
        lines = carried_over(&lines, before, version, &comparison, index);
        before = version;
    }
    lines
}

/// All sentences of a document, as if they were of its first version.
fn lines_of(document: &Document) -> Vec<BlameLine> {
    document
        .blocks
        .iter()
        .filter(|b| !matches!(b.kind, BlockKind::Markup | BlockKind::Contents))
        .flat_map(|block| sentences(document, block))
        .map(|span| BlameLine { span, since: 0 })
        .collect()
}

fn carried_over(
    lines: &[BlameLine],
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    index: usize,
) -> Vec<BlameLine> {
    let touched = Touched::new(old, comparison);
    let mut kept = Vec::new();
    collect_kept(&comparison.segments, &mut kept);
    kept.sort_by_key(|(new, _)| new.start);
    let mut made = lines_of(new);
    for line in &mut made {
        line.since = if touched.changes(new, &line.span) {
            index
        } else {
            origin(lines, &kept, &line.span).unwrap_or(index)
        };
    }
    made
}

/// The age of the sentences that a sentence was made of: the youngest counts.
fn origin(lines: &[BlameLine], kept: &[(Span, usize)], span: &Span) -> Option<usize> {
    let first = kept.partition_point(|(new, _)| new.end <= span.start);
    kept.get(first..)?
        .iter()
        .take_while(|(new, _)| new.start < span.end)
        .flat_map(|(new, old_start)| {
            let from = new.start.max(span.start) - new.start + old_start;
            let to = new.end.min(span.end) - new.start + old_start;
            let first = lines.partition_point(|l| l.span.end <= from);
            lines
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(move |l| l.span.start < to)
        })
        .map(|line| line.since)
        .max()
}

/// New ranges that are the same bytes in the old text, with their old start.
fn collect_kept(segments: &[Segment], kept: &mut Vec<(Span, usize)>) {
    for segment in segments {
        if !segment.within.is_empty() {
            collect_kept(&segment.within, kept);
        } else if matches!(segment.op, SegmentOp::Equal | SegmentOp::Move)
            && let (Some(old), Some(new)) = (&segment.old, &segment.new)
        {
            kept.push((new.clone(), old.start));
        }
    }
}

/// Where words of the new text differ from the old.
struct Touched {
    /// Inserted words, sorted.
    inserted: Vec<Span>,
    /// Places in the new text where words are gone, with whether what is gone ended a sentence.
    gone: Vec<(usize, bool)>,
}

impl Touched {
    fn new(old: &Document, comparison: &Comparison) -> Self {
        let mut inserted = Vec::new();
        let mut gone = Vec::new();
        for change in comparison.changes.iter().filter(|c| c.new.is_some()) {
            for edit in change.edits.iter().filter(|e| e.detail.is_none()) {
                match edit.op {
                    Op::Equal => {}
                    Op::Insert => inserted.push(edit.new.clone()),
                    Op::Delete => gone.push((edit.new.start, whole(old.slice(&edit.old)))),
                }
            }
        }
        inserted.sort_by_key(|span| span.start);
        gone.sort_unstable();
        Self { inserted, gone }
    }

    fn changes(&self, new: &Document, span: &Span) -> bool {
        let at = self.inserted.partition_point(|i| i.end <= span.start);
        if self.inserted.get(at).is_some_and(|i| i.start < span.end) {
            return true;
        }
        let first = self.gone.partition_point(|(at, _)| *at < span.start);
        let ended = whole(new.slice(span));
        self.gone
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(|(at, _)| *at <= span.end)
            .any(|&(at, sentence)| match at {
                at if at == span.start => !sentence,
                at if at == span.end => !ended,
                _ => true,
            })
    }
}

/// Whether a text ends where a sentence ends.
fn whole(text: &str) -> bool {
    text.trim_end()
        .ends_with(['.', '!', '?', ';', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, Input, read};

    fn document(text: &str) -> Document {
        read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        })
        .unwrap()
    }

    fn ages(versions: &[&str]) -> Vec<(String, usize)> {
        let documents: Vec<Document> = versions.iter().map(|v| document(v)).collect();
        let last = documents.last().unwrap();
        blame(&documents.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|l| (last.slice(&l.span).to_owned(), l.since))
            .collect()
    }

    const FIRST: &str = "# Lantern terms\n\n## 1. Posts\n\nYou own what you post on Lantern. We show it to people you pick.\n\n## 2. Fees\n\nThe basic plan is free. The lamp plan costs five coins a month.\n";

    #[test]
    fn nothing_given() {
        assert_eq!(blame(&[]), []);
    }

    #[test]
    fn one_version_is_the_first() {
        assert!(ages(&[FIRST]).iter().all(|(_, since)| *since == 0));
    }

    #[test]
    fn only_the_changed_sentence_is_young() {
        let second = FIRST.replace("five coins", "seven coins");
        let third = second.replace("You own", "You alone own");
        for (sentence, since) in ages(&[FIRST, &second, &third]) {
            let expected = if sentence.contains("seven") {
                1
            } else if sentence.contains("alone") {
                2
            } else {
                0
            };
            assert_eq!(since, expected, "{sentence}");
        }
    }

    #[test]
    fn an_added_sentence_leaves_its_neighbours_old() {
        let second = FIRST.replace(
            "The basic plan is free.",
            "The basic plan is free. It shows advertisements of local shops.",
        );
        for (sentence, since) in ages(&[FIRST, &second]) {
            assert_eq!(since, usize::from(sentence.contains("shops")), "{sentence}");
        }
    }

    #[test]
    fn a_removed_sentence_leaves_its_neighbours_old() {
        let second = FIRST.replace(" We show it to people you pick.", "");
        assert!(ages(&[FIRST, &second]).iter().all(|(_, since)| *since == 0));
    }

    #[test]
    fn a_moved_section_keeps_its_age() {
        let second = "# Lantern terms\n\n## 1. Fees\n\nThe basic plan is free. The lamp plan costs five coins a month.\n\n## 2. Posts\n\nYou own what you post on Lantern. We show it to people you pick.\n";
        for (sentence, since) in ages(&[FIRST, second]) {
            assert_eq!(since, 0, "{sentence}");
        }
    }
}
