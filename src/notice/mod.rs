//! A comparison, its findings, the plan and templates walk in; [`Notice`]s walk out: one text for
//! each channel that the plan needs, the checklist that each must pass, and the pure state
//! machine of a notice's life.
//!
//! Always holds: every quote in a draft is an exact substring of its version; every material
//! finding appears; a text that was quoted can never become a placeholder; a notice that is
//! approved is approved over the hash of exactly what will be sent.

mod model;
mod placeholder;

pub use model::*;
pub use placeholder::{PlaceholderError, Segment, fill, literal, segments};
