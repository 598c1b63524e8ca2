//! `fairnotice.toml` walks in, a checked [`Config`] walks out, or errors that point at a place.

mod check;
mod model;
mod starter;

pub use check::{ConfigError, Problem, check, problem_at};
pub use model::*;
pub use starter::STARTER;

use std::path::{Path, PathBuf};

/// Name of the configuration file in a workspace.
pub const FILE: &str = "fairnotice.toml";

/// Reads and checks the configuration of a workspace.
///
/// # Errors
/// When the file cannot be read, is not TOML, has an unknown or mistyped key, or contradicts
/// itself; the error holds every problem found, each with its place.
pub fn load(workspace: &Path) -> Result<Config, ConfigError> {
    let path: PathBuf = workspace.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ConfigError::Missing { path: path.clone() },
        _ => ConfigError::Unreadable {
            path: path.clone(),
            source,
        },
    })?;
    check(&path, &text)
}
