//! One function per use case over the edges, given a clock. `run` is the only room that knows all
//! others.

pub mod add;
pub mod alarm;
pub mod alerts;
pub mod assist;
pub mod audit;
pub mod binding;
pub mod bounces;
pub mod campaign;
pub mod capture;
pub mod check;
pub mod confirm;
pub mod draft;
pub mod evidence;
pub mod gather;
mod git;
pub mod history;
pub mod import;
pub mod judge;
mod keep;
pub mod notices;
pub mod owed;
mod parallel;
pub mod plan;
pub mod print;
pub mod prune;
pub mod recipients;
pub mod redline;
mod reread;
pub mod review;
pub mod rewrite;
pub mod rules;
pub mod workspace;

pub use judge::{Judged, judge, judge_reviewed};
pub use workspace::{Workspace, WorkspaceError};
