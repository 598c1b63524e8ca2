//! A comparison walks in with what was made of it, a redline walks out, one file per form of
//! output over one model.
//!
//! ```text
//! Redline (both documents, comparison, assessment, duties, promises, head)
//!    │
//!    ├─► Flow: rows of pieces, each the same, deleted, inserted or moved
//!    │      └─► terminal, markdown, html, docx
//!    └─► json
//! ```
//!
//! Always holds: the pieces of the flow that belong to the old side are all readable words of the
//! old document, those of the new side all of the new one; the same input gives the same bytes.
//! The room has no clock: dates are arguments.

mod brief;
mod docx;
mod flow;
mod html;
mod json;
mod listing;
mod markdown;
mod readable;
mod redline;
mod terminal;
#[cfg(test)]
mod tests;
pub mod wording;

pub use brief::{Passage, passages};
pub use docx::{DocxError, docx};
pub use flow::{Flow, Mark, Paragraph, Piece, Row};
pub use html::{HtmlError, html};
pub use json::json;
pub use listing::{Entry, Hidden, entries, hidden};
pub use markdown::{markdown, plain};
pub use readable::quoted;
pub use redline::{Head, Redline, TriggeredDuty, VersionHead};
pub use terminal::{TerminalStyle, terminal};
