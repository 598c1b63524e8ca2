//! One function per use case over the edges, given a clock. `run` is the only room that knows all
//! others.

pub mod print;
pub mod workspace;

pub use workspace::Workspace;
