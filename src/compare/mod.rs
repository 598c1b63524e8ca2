//! Two documents walk in, a [`Comparison`] walks out: each difference once, as what it is.
//!
//! Always holds: the edits of every change give back the bytes of both sides; the segments
//! partition both texts; comparing a document with itself gives no change.

use serde::{Deserialize, Serialize};

use crate::read::{Document, Span};

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
    let _ = (old, new);
    Comparison::default()
}
