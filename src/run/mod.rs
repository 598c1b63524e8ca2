//! One function per use case over the edges, given a clock. `run` is the only room that knows all
//! others.

pub mod workspace;

pub use workspace::Workspace;
