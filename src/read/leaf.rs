//! What the readers of the two text formats hand on: leaves in document order, with the hints that
//! the markup gives. Labels, headings and sections are found from them, the same way for both.

use super::{BlockKind, Span, label::Printed};

/// A leaf of the document before labels and headings are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// What the markup says it is: never `Title` or `Contents`.
    pub kind: BlockKind,
    /// All its bytes, marker and markup included, white space around it left out.
    pub span: Span,
    /// The bytes after the list marker or the heading marks.
    pub content: Span,
    /// Number of an ordered list's marker, as printed.
    pub number: Option<Span>,
    /// The readable parts, in order.
    pub runs: Vec<Span>,
    /// Targets of links and images.
    pub targets: Vec<Span>,
    /// Cells of a table row.
    pub cells: Vec<Span>,
    /// Nesting depth of a list item.
    pub depth: u8,
    /// Columns of white space before it, in plain text.
    pub indent: u8,
    /// Level of a heading that the markup states, 1 to 6.
    pub heading: Option<u8>,
    /// All its words are set in bold.
    pub bold: bool,
    /// Where bold words at its start end, when others follow.
    pub lead: Option<usize>,
    /// It stands inside an item of a list, be it the item itself or a further paragraph of it.
    pub listed: bool,
    /// A blank line stands before it.
    pub after_blank: bool,
}

impl Leaf {
    /// A leaf over `span` without any hint.
    pub(super) fn new(kind: BlockKind, span: Span) -> Self {
        Self {
            kind,
            content: span.clone(),
            span,
            number: None,
            runs: Vec::new(),
            targets: Vec::new(),
            cells: Vec::new(),
            depth: 0,
            indent: 0,
            heading: None,
            bold: false,
            lead: None,
            listed: false,
            after_blank: false,
        }
    }
}

/// A leaf with its label, once it is told.
///
/// The readers hand on pieces rather than leaves, so that telling the labels makes no second list
/// of the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What the reader told.
    pub leaf: Leaf,
    /// The label at its start, in offsets of the document's text.
    pub label: Option<Box<Printed>>,
    /// The bytes after marker and label.
    pub body: Span,
    /// A bullet stands before it.
    pub bullet: bool,
}

impl From<Leaf> for Piece {
    fn from(leaf: Leaf) -> Self {
        Self {
            body: leaf.content.clone(),
            leaf,
            label: None,
            bullet: false,
        }
    }
}

/// The part of a span without white space (also no-break spaces) at its ends.
pub(super) fn trimmed(text: &str, span: Span) -> Span {
    let Some(slice) = text.get(span.clone()) else {
        return span.start..span.start;
    };
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}' | '\u{2060}');
    let start = span.start + (slice.len() - slice.trim_start_matches(blank).len());
    let end = (span.end - (slice.len() - slice.trim_end_matches(blank).len())).max(start);
    start..end
}
