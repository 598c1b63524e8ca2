//! Versions in the Git repository that holds the workspace, where the configuration asks for it.

use std::{path::Path, process::Command};

use super::{
    Workspace,
    check::{Report, State},
};

/// Commits the snapshots of a document that is new or changed, with a message that says what
/// changed. Nothing else that is staged or changed in the repository is touched.
///
/// # Errors
/// With what Git says.
pub fn commit(workspace: &Workspace, report: &Report) -> Result<(), String> {
    let new = matches!(report.state, State::New | State::Changed);
    if !workspace.config.snapshots.git || !new {
        return Ok(());
    }
    let folder = format!("snapshots/{}", report.id);
    git(workspace.root(), &["add", "--", &folder])?;
    let version = report
        .version
        .map(crate::evidence::Hash::short)
        .unwrap_or_default();
    let subject = match report.verdict {
        Some(verdict) => {
            let verdict = crate::render::wording::code(&verdict);
            format!("{}: {verdict} change", report.id)
        }
        None => format!("{}: first seen", report.id),
    };
    let body = format!("{}\n\nVersion: {version}\n", report.title);
    git(
        workspace.root(),
        &[
            "commit", "--quiet", "-m", &subject, "-m", &body, "--", &folder,
        ],
    )
}

fn git(root: &Path, args: &[&str]) -> Result<(), String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(args)
        .output()
        .map_err(|e| format!("git cannot be started: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "git {}: {}",
        args.first().unwrap_or(&""),
        said.trim()
    ))
}
