//! Records walk in; a hash chain, a manifest and their verification walk out.
//!
//! A campaign's ledger is a chain of [`Entry`] lines; what they add up to is a [`Replay`].

mod bundle;
mod chain;
mod entry;
mod redact;
mod replay;
mod summary;
mod timestamp;

pub use bundle::{
    Bound, BundleError, BundleWriter, Expect, FileFact, MANIFEST_SCHEMA, Manifest, Opened, Problem,
    Verification, verify,
};
pub use chain::*;
pub use entry::*;
pub use redact::{hidden, redact};
pub use replay::*;
pub use summary::{Summary, summary};
pub use timestamp::{Stamp, StampError, read_stamp, stamp_request};
