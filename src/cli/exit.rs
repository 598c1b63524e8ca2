//! Exit codes: scripts rely on them.

use std::process::ExitCode;

/// Shown at the end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0   done, whatever was found
  1   an error: nothing was done, or all of it failed
  2   bad arguments or configuration
  3   done in part; what failed is listed
  10  only with --exit-code: substantive changes found
  20  only with --exit-code: material changes found
  30  only with --exit-code: the planned date leaves less time than the duties demand";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, whatever was found.
    Done = 0,
    /// An error: nothing was done, or all of it failed.
    Failed = 1,
    /// Bad arguments or configuration.
    Usage = 2,
    /// Done in part.
    Partly = 3,
    /// Substantive changes found.
    Substantive = 10,
    /// Material changes found.
    Material = 20,
    /// The planned date leaves less time than the duties demand.
    TooEarly = 30,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
