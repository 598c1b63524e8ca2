//! A [`Document`] and rules walk in, the [`Duty`]s that it promises walk out; with findings and
//! law packs, the [`Plan`]: who must be told, how, by when, with what content and consent.

mod model;

pub use model::*;

use crate::read::Document;

/// Finds what a document promises about telling its users.
pub fn find(document: &Document) -> Duties {
    let _ = document;
    Duties::default()
}
