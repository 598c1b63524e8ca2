//! A [`Document`] and rules walk in, the [`Duty`]s that it promises walk out; with findings and
//! law packs, the [`Plan`]: who must be told, how, by when, with what content and consent.
//!
//! ```text
//! "If we make material changes, we will e-mail you 30 days before they take effect."
//!   └► material-change · email · before · 30 days
//! ```
//!
//! Rules of language are data (`rules/duty`), law packs too (`rules/law`). A quote is always an
//! exact part of the document's text.

mod attributes;
pub mod audit;
pub mod calendar;
pub mod consent;
mod find;
#[cfg(test)]
mod forms;
mod ical;
pub mod law;
mod model;
mod passage;
mod period;
mod phrases;
mod plan;
mod promise;
mod remarks;
mod settle;
mod signs;
mod trigger;

pub use ical::ical;
pub use model::*;
pub use phrases::PhraseError;
pub use plan::{ASSUMED_LEAD_DAYS, PlanInput, plan};
pub use promise::{promise_changes, promise_findings};
pub use trigger::{makes_due, triggered};

use crate::read::{Document, Remembered};
use phrases::Lexicon;

/// Finds what a document promises about telling its users.
pub fn find(document: &Document) -> Duties {
    Memory::default().find(document)
}

/// The sentences of blocks that were seen before, so that of a row of versions, and of the two
/// sides of a comparison, only what differs is searched for promises.
#[derive(Debug, Default)]
pub struct Memory(Remembered<passage::Facts>);

impl Memory {
    /// The same as [`find`].
    pub fn find(&self, document: &Document) -> Duties {
        let language = document.language.as_deref().unwrap_or("en");
        let Some(lexicon) = Lexicon::of(language) else {
            return Duties {
                duties: Vec::new(),
                warnings: vec![remarks::language_not_covered(language)],
            };
        };
        let facts = self
            .0
            .of(document, |block| passage::facts(document, lexicon, block));
        let mut duties = find::duties(document, lexicon, &facts);
        let warnings = remarks::warnings(document, lexicon, &facts, &mut duties);
        Duties { duties, warnings }
    }
}
