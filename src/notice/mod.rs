//! A comparison, its findings, the plan and templates walk in; [`Notice`]s walk out: one text for
//! each channel that the plan needs, the checklist that each must pass, and the pure state
//! machine of a notice's life.
//!
//! Always holds: every quote in a draft is an exact substring of its version; every material
//! finding appears; a text that was quoted can never become a placeholder; a notice that is
//! approved is approved over the hash of exactly what will be sent.
//!
//! ```text
//!  Ground (comparison, findings, plan) ─┐
//!  House (who tells it, defaults)      ─┼─► draft ─► Notice ─► check ─► step(Approve) ─► sent
//!  Templates (built in + workspace)    ─┘               ▲        │
//!                                                       └─ set, edit
//! ```

mod check;
mod compose;
mod context;
mod docx;
mod draft;
mod feed;
mod ground;
mod item;
mod lifecycle;
mod markdown;
mod model;
mod placeholder;
mod quote;
#[cfg(test)]
mod sample;
mod templates;
mod words;
mod wrap;

pub use check::{Basis, CHECKLIST, Check, check, shows};
pub use compose::compose;
pub use context::Context;
pub use draft::{channels_for, draft, draft_one, effective_day, write};
pub use ground::{Ground, House, Variant};
pub use item::{Item, Passage};
pub use lifecycle::{Effect, Event, LifecycleError, part_of, step};
pub use model::*;
pub use placeholder::{PlaceholderError, Segment, fill, literal, segments};
pub use quote::ShortQuote;
pub use templates::{BUILT_IN, TemplateError, Templates};
pub use words::Words;
