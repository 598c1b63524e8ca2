//! What the readers of pages, PDF and word processing files hand on: canonical Markdown.

use super::{Suspect, Warning};

/// A document turned into canonical Markdown, which the Markdown reader then reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Converted {
    /// The canonical Markdown.
    pub markdown: String,
    /// The title that the container states (`<title>`, document properties), for want of a better.
    pub title: Option<String>,
    /// The language that the container declares, as a BCP 47 tag.
    pub language: Option<String>,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// Why this is probably not the policy.
    pub suspect: Option<Suspect>,
}
