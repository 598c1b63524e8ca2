//! Two documents walk in, a [`Comparison`] walks out: each difference once, as what it is.
//!
//! Always holds: the edits of every change give back the bytes of both sides; the segments
//! partition both texts; comparing a document with itself gives no change.

mod align;
mod assemble;
mod blame;
mod cleanup;
mod edits;
mod likeness;
mod matching;
mod order;
mod passages;
mod references;
mod sections;
mod token;
mod unit;
mod words;

pub use blame::{BlameLine, blame};
pub(crate) use likeness::Ready;

use serde::{Deserialize, Serialize};

use crate::read::{Document, Section, Span};
use align::Pair;
use assemble::Aligned;
use passages::Passage;
use token::Token;
use unit::{Class, Text};
use words::Hunk;

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Only the new text has it.
    Added,
    /// Only the old text has it.
    Removed,
    /// Words differ.
    Modified,
    /// It stands elsewhere; words may differ too.
    Moved,
    /// Only its number, or references that follow a renumbering, differ.
    Renumbered,
    /// The heading of a section that otherwise stayed differs in words.
    Renamed,
    /// No word differs: formatting, link targets, white space, quote style, letter case.
    Technical,
}

/// One aligned difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `c1`, `c2`, … in the order of the new text (removals at their old place).
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the old text; `None` when added.
    pub old: Option<Side>,
    /// Where it stands in the new text; `None` when removed.
    pub new: Option<Side>,
    /// Word edits, covering `old.span` and `new.span` to the byte.
    pub edits: Vec<Edit>,
    /// What a technical or renumbered change consists of (`link-target`, `formatting`,
    /// `white-space`, `typography`, `case`, `label`, `cross-reference`), sorted.
    pub details: Vec<&'static str>,
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The bytes in that side's text.
    pub span: Span,
    /// First and last line, 1-based and inclusive.
    pub lines: (usize, usize),
    /// The blocks touched, as a range of indices of that side's `blocks`.
    pub blocks: std::ops::Range<usize>,
    /// The innermost section, as an index of that side's `sections`.
    pub section: Option<usize>,
}

/// What an edit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// The same bytes on both sides.
    Equal,
    /// Only in the old text.
    Delete,
    /// Only in the new text.
    Insert,
}

/// A run of words kept, deleted or inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What it does.
    pub op: Op,
    /// Bytes of the old text; empty for an insert (at the place where it happens).
    pub old: Span,
    /// Bytes of the new text; empty for a delete.
    pub new: Span,
    /// What the edit is when no word differs in it: one of [`Change::details`], or `moved` for a
    /// passage that has a change of its own at its new place. `None` for a difference of words.
    pub detail: Option<&'static str>,
}

/// A part of the partition of both texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What it is.
    pub op: SegmentOp,
    /// Bytes of the old text.
    pub old: Option<Span>,
    /// Bytes of the new text.
    pub new: Option<Span>,
    /// Edits inside a move.
    pub within: Vec<Segment>,
}

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegmentOp {
    /// The same bytes on both sides.
    Equal,
    /// Only in the old text.
    Delete,
    /// Only in the new text.
    Insert,
    /// Moved; both sides are given, edits are inside.
    Move,
}

/// A pair of aligned sections; one side is `None` when a section was added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionMatch {
    /// Index in the old document's sections.
    pub old: Option<usize>,
    /// Index in the new document's sections.
    pub new: Option<usize>,
}

/// How much changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sections by kind of change.
    pub sections: SectionCounts,
    /// Words added and removed (moved words are neither).
    pub words: WordCounts,
    /// Edits that are not `equal`, over all changes but technical and renumbered ones.
    pub edits: usize,
}

/// Sections by kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionCounts {
    /// Only in the new text.
    pub added: usize,
    /// Only in the old text.
    pub removed: usize,
    /// In both, with changed words in their own blocks.
    pub modified: usize,
    /// In both, at another place.
    pub moved: usize,
    /// In both, with another number.
    pub renumbered: usize,
    /// In both, with another title.
    pub renamed: usize,
}

/// Words added and removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCounts {
    /// Words only in the new text.
    pub added: usize,
    /// Words only in the old text.
    pub removed: usize,
}

/// Two documents, compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every difference, once.
    pub changes: Vec<Change>,
    /// Aligned sections.
    pub sections: Vec<SectionMatch>,
    /// How much changed.
    pub counts: Counts,
    /// The partition of both texts.
    pub segments: Vec<Segment>,
}

/// Compares two documents.
pub fn compare(old: &Document, new: &Document) -> Comparison {
    // The work is done in one direction, whichever way the two are given: so the comparison of
    // (a, b) is the mirror image of that of (b, a).
    let swapped = (new.text.len(), &new.text) < (old.text.len(), &old.text);
    let (first, second) = if swapped { (new, old) } else { (old, new) };
    let mut left = Text::new(first);
    let mut right = Text::new(second);
    let pairs = align::align(&mut left, &mut right);
    let mut sections = sections::pair(&left, &right, &pairs);
    let mut aligned = word_by_word(&mut left, &mut right, pairs, &sections);
    let mut passages = moved_passages(&mut left, &mut right, &aligned);
    if swapped {
        std::mem::swap(&mut left, &mut right);
        for item in &mut aligned {
            std::mem::swap(&mut item.pair.left, &mut item.pair.right);
            for hunk in &mut item.hunks {
                std::mem::swap(&mut hunk.left, &mut hunk.right);
            }
        }
        for pair in &mut sections {
            std::mem::swap(&mut pair.0, &mut pair.1);
        }
        passages = passages.into_iter().map(Passage::mirrored).collect();
        sections.sort_unstable();
        passages.sort_by_key(|p| p.new.start);
    }
    aligned.sort_by_key(|a| a.pair.right.start);
    let made = assemble::assemble(&left, &right, &aligned, &passages);
    let counts = Counts {
        sections: sections::count(old, new, &sections, &made.changes),
        words: count_words(&mut left, &mut right, &made.changes),
        edits: made
            .changes
            .iter()
            .filter(|c| !matches!(c.kind, Kind::Technical | Kind::Renumbered))
            .flat_map(|c| &c.edits)
            .filter(|e| e.op != Op::Equal && e.detail.is_none())
            .count(),
    };
    Comparison {
        sections: sections::list(old, new, &sections),
        changes: made.changes,
        segments: made.segments,
        counts,
    }
}

/// Compares the tokens of each pair; pairs that turn out to have next to nothing in common are
/// left out, so that one side is removed and the other added.
fn word_by_word(
    left: &mut Text<'_>,
    right: &mut Text<'_>,
    pairs: Vec<Pair>,
    sections: &[(usize, usize, bool)],
) -> Vec<Aligned> {
    let labels: Vec<(&str, &str)> = pairs
        .iter()
        .filter_map(|p| Some((left.label(p.left.start)?, right.label(p.right.start)?)))
        .collect();
    let sections: Vec<(usize, usize)> = sections.iter().map(|s| (s.0, s.1)).collect();
    let renumbering = references::Renumbering::new(
        &left.document.sections,
        &right.document.sections,
        &sections,
        &labels,
    );
    let mut aligned = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let body = |text: &Text<'_>, units: &std::ops::Range<usize>| -> Span {
            let start = text.units[units.start].body.start;
            start..text.units[units.end - 1].span.end
        };
        let same = left.bytes(&body(left, &pair.left)) == right.bytes(&body(right, &pair.right));
        if same {
            aligned.push(Aligned {
                pair,
                hunks: Vec::new(),
            });
            continue;
        }
        pair.left.clone().for_each(|unit| left.prepare(unit));
        pair.right.clone().for_each(|unit| right.prepare(unit));
        let left_tokens = assemble::tokens(left, &pair.left);
        let right_tokens = assemble::tokens(right, &pair.right);
        let left_ids = renumbering.follow(left, &left_tokens);
        let right_ids: Vec<u64> = right_tokens.iter().map(|t| t.id).collect();
        let sides = cleanup::Sides::new((left, &left_tokens), (right, &right_tokens));
        let mut hunks = words::hunks(&left_ids, &right_ids);
        hunks.retain(|hunk| !unchanged(&sides, hunk));
        let heading = left.units[pair.left.start].class == Class::Heading;
        let hunks = if heading || !cleanup::beyond_recognition(&sides, &hunks) {
            cleanup::tidy(&sides, hunks)
        } else if pair.left.len() == 1
            && pair.right.len() == 1
            && let Some((l, r)) = likeness::same_key(left, right, pair.left.start, pair.right.start)
        {
            // The same row or definition, and all that is said in it is new.
            vec![Hunk {
                left: l..left_tokens.len(),
                right: r..right_tokens.len(),
            }]
        } else {
            continue;
        };
        aligned.push(Aligned { pair, hunks });
    }
    aligned
}

/// Whether a hunk is one token with the same id on both sides: a number that others would expect
/// to follow a renumbering, and that did not.
fn unchanged(sides: &cleanup::Sides<'_>, hunk: &Hunk) -> bool {
    let (left, right) = (
        sides.left.get(hunk.left.clone()),
        sides.right.get(hunk.right.clone()),
    );
    match (left, right) {
        (Some([l]), Some([r])) => l.id == r.id,
        _ => false,
    }
}

/// Passages that moved out of one block into another, or to another place in it.
fn moved_passages(left: &mut Text<'_>, right: &mut Text<'_>, aligned: &[Aligned]) -> Vec<Passage> {
    let mut left_paired = vec![false; left.units.len()];
    let mut right_paired = vec![false; right.units.len()];
    for item in aligned {
        left_paired[item.pair.left.clone()].fill(true);
        right_paired[item.pair.right.clone()].fill(true);
    }
    let free = |paired: &[bool]| -> Vec<usize> {
        (0..paired.len()).filter(|&unit| !paired[unit]).collect()
    };
    // No passage reaches over the border of a cell, as no edit does.
    let mut deleted: Vec<Vec<Token>> = Vec::new();
    let mut inserted: Vec<Vec<Token>> = Vec::new();
    let add = |stretches: &mut Vec<Vec<Token>>, text: &Text<'_>, tokens: &[Token]| {
        if tokens.len() >= passages::FEWEST {
            let runs = edits::by_cell(text, tokens).into_iter();
            stretches.extend(
                runs.filter(|(_, run)| run.len() >= passages::FEWEST)
                    .map(|(_, run)| run.to_vec()),
            );
        }
    };
    for unit in free(&left_paired) {
        left.prepare(unit);
        add(&mut deleted, left, left.tokens(unit));
    }
    for unit in free(&right_paired) {
        right.prepare(unit);
        add(&mut inserted, right, right.tokens(unit));
    }
    for item in aligned.iter().filter(|a| !a.hunks.is_empty()) {
        let left_tokens = assemble::tokens(left, &item.pair.left);
        let right_tokens = assemble::tokens(right, &item.pair.right);
        for hunk in &item.hunks {
            let lost = left_tokens.get(hunk.left.clone()).unwrap_or_default();
            let gained = right_tokens.get(hunk.right.clone()).unwrap_or_default();
            add(&mut deleted, left, lost);
            add(&mut inserted, right, gained);
        }
    }
    passages::find(left, right, &deleted, &inserted)
}

/// Words in edits that are differences of words.
fn count_words(old: &mut Text<'_>, new: &mut Text<'_>, changes: &[Change]) -> WordCounts {
    let mut counts = WordCounts::default();
    for edit in changes
        .iter()
        .flat_map(|c| &c.edits)
        .filter(|e| e.detail.is_none())
    {
        match edit.op {
            Op::Equal => {}
            Op::Delete => counts.removed += old.words_in(&edit.old),
            Op::Insert => counts.added += new.words_in(&edit.new),
        }
    }
    counts
}

#[cfg(test)]
mod tests;
