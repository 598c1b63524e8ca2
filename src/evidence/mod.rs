//! Records walk in; a hash chain, a manifest and their verification walk out.

mod chain;

pub use chain::*;
