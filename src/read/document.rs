//! The document model: what every later room works on.

use std::ops::Range;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A range of bytes in [`Document::text`].
pub type Span = Range<usize>;

/// The format a document came in, told by its content first and its name second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// A web page.
    Html,
    /// Markdown, also the canonical text.
    Markdown,
    /// Plain text, or text whose markup was lost.
    Text,
    /// PDF with a text layer.
    Pdf,
    /// Office Open XML word processing document.
    Docx,
}

/// A policy, read.
///
/// Every [`Span`] is a byte range of [`text`](Self::text), on character boundaries. For Markdown
/// and plain text `text` is the decoded input itself, byte for byte; for all other formats it is
/// the canonical Markdown that was made of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the input was.
    pub format: Format,
    /// The text that spans and lines refer to.
    pub text: String,
    /// The document's title, without markup; it is no section.
    pub title: Option<String>,
    /// BCP 47 primary language of the text (`en`, `zh`), when it could be told.
    pub language: Option<String>,
    /// The dates that the document states about itself.
    pub dates: Dates,
    /// The tree of sections in pre-order (document order).
    pub sections: Vec<Section>,
    /// All blocks in document order; together with the gaps between them they cover `text`.
    pub blocks: Vec<Block>,
    /// What was odd and how it was dealt with.
    pub warnings: Vec<Warning>,
    /// Why this is probably not the policy at all (a login page, an error page, …).
    pub suspect: Option<Suspect>,
    /// Byte offset at which each line starts; `line_starts[0] == 0`.
    pub line_starts: Vec<usize>,
}

/// Dates that a document states about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// The day on which this text takes effect.
    pub effective: Option<Date>,
    /// The day on which it was last updated, revised or published.
    pub updated: Option<Date>,
}

/// One section of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Depth; 1 is the outermost.
    pub level: u8,
    /// The number as printed, without a word before it, its dot or bracket: `4.2`, `IV`, `a`.
    pub label: Option<String>,
    /// The heading's words, without label and markup.
    pub title: String,
    /// Labels (or titles, where a section has no label) from the outermost section to this one.
    pub path: Vec<String>,
    /// Index of the parent in [`Document::sections`].
    pub parent: Option<usize>,
    /// Index of the heading in [`Document::blocks`].
    pub heading: usize,
    /// From the heading to the end of the last descendant.
    pub span: Span,
    /// First and last line of `span`, 1-based and inclusive.
    pub lines: (usize, usize),
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlockKind {
    /// The document's title.
    Title,
    /// The heading of a section.
    Heading,
    /// Running text.
    Paragraph,
    /// An item of a list (its own text only; nested items are blocks of their own).
    ListItem,
    /// A row of a table; the header row is `TableHead`.
    TableRow,
    /// The header row of a table.
    TableHead,
    /// A quotation.
    Quote,
    /// Preformatted text.
    Code,
    /// An entry of a list of contents.
    Contents,
    /// Raw markup or a rule: no words.
    Markup,
}

/// A leaf of the document: one heading, paragraph, list item or table row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// All its bytes: marker, label, body, markup.
    pub span: Span,
    /// The printed number or letter, when it has one, without dot and bracket. Bullets are none.
    pub label: Option<Label>,
    /// The bytes after marker and label.
    pub body: Span,
    /// The readable parts of the body, in order: what is not markup, not a link target.
    /// For plain text this is the body itself.
    pub runs: Vec<Span>,
    /// Targets of links and images in the body.
    pub targets: Vec<Span>,
    /// Index of the innermost section that holds it (a heading belongs to its own section).
    pub section: Option<usize>,
    /// Nesting depth of a list item (0 for the outermost) or the level of a heading.
    pub depth: u8,
    /// Cells of a table row, as ranges of the body; empty for all other kinds.
    pub cells: Vec<Span>,
}

/// A printed label and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The label without dot, bracket and any word before it.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// Something odd about the input that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code, such as `announced-but-absent`.
    pub code: String,
    /// What was found, for people.
    pub detail: String,
}

/// Why a text is probably not the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Stable code: `too-little-text`, `consent-wall`, `login`, `error-page`, `bot-check`,
    /// `not-a-policy`.
    pub code: String,
    /// The evidence, for people.
    pub detail: String,
}

impl Document {
    /// The 1-based line on which the byte at `offset` stands.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts
            .partition_point(|&start| start <= offset)
            .max(1)
    }

    /// First and last line of a span, 1-based and inclusive; surrounding white space is left out.
    pub fn lines_of(&self, span: &Span) -> (usize, usize) {
        let Some(text) = self.text.get(span.clone()) else {
            let first = self.line_of(span.start);
            return (first, first);
        };
        let start = span.start + (text.len() - text.trim_start().len());
        let end = (span.start + text.trim_end().len()).max(start + 1);
        (self.line_of(start), self.line_of(end - 1))
    }

    /// The text of a span; empty when the span is not one of this document.
    pub fn slice(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The readable words of a block, without markup and link targets, white space as it is.
    pub fn plain(&self, block: &Block) -> String {
        block.runs.iter().map(|run| self.slice(run)).collect()
    }

    /// Number of words of all blocks but contents lists.
    pub fn word_count(&self) -> usize {
        self.blocks
            .iter()
            .filter(|block| block.kind != BlockKind::Contents)
            .flat_map(|block| &block.runs)
            .map(|run| self.slice(run).split_whitespace().count())
            .sum()
    }
}

/// Byte offsets of the starts of all lines of a text.
pub fn line_starts(text: &str) -> Vec<usize> {
    let mut starts = Vec::with_capacity(text.len() / 64 + 1);
    starts.push(0);
    starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
    starts
}
