//! A [`Comparison`](crate::compare::Comparison) and rules walk in; [`Finding`]s and the
//! [`Verdict`] walk out: what the change means for the user, and on which words that rests.
//!
//! ```text
//! changes ─► passages ─► quiet ones out ─► topics, classes, signals ─► groups ─► weights ─► findings
//! ```
//!
//! Always holds: the verdict is at least as grave as the gravest finding; every quote and every
//! piece of evidence is an exact substring of its side; the same input gives the same bytes.

pub mod assist;
mod finding;
mod group;
mod judge;
mod language;
mod passage;
mod phrase;
mod quantity;
mod quiet;
pub mod review;
mod rules;
mod signal;
mod summary;
mod texts;
mod topic;
mod vocabulary;
mod weigh;
mod words;

pub use finding::*;
pub use judge::{Candidate, assess_with, candidates};
pub use rules::{FailedExample, RuleError, RuleInfo, RuleSet};
pub use vocabulary::Memory;

use crate::{compare::Comparison, read::Document};

/// Judges a comparison by the built-in rules.
pub fn assess(old: &Document, new: &Document, comparison: &Comparison) -> Assessment {
    assess_with(
        old,
        new,
        comparison,
        RuleSet::standard(),
        &Memory::default(),
    )
}
