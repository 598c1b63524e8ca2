//! Versions in the Git repository that holds the workspace, where the configuration asks for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Workspace,
    check::{Report, State},
};
use crate::evidence::Hash;

/// What a commit says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: String,
    subject: String,
    body: String,
}

impl Message {
    /// The message for what a check found.
    pub fn of(report: &Report) -> Self {
        let what = match (report.state, report.verdict) {
            (State::New, _) => "first seen".to_owned(),
            (State::Changed, Some(verdict)) => {
                format!("{} change", crate::render::wording::code(&verdict))
            }
            (State::Suspect, _) => "something that is not the policy".to_owned(),
            _ => "snapshots".to_owned(),
        };
        let mut body = report.title.clone();
        if let Some(version) = report.version {
            body += &format!("\n\nVersion: {version}");
        }
        let against = report.previous.filter(|_| report.state == State::Changed);
        if let Some(previous) = against {
            body += &format!("\nCompared with: {}", Hash::short(previous));
        }
        Self {
            id: report.id.clone(),
            subject: format!("{}: {what}", report.id),
            body,
        }
    }
}

/// Commits what is new in the snapshots, one commit for each document, with a message that says
/// what changed; also what an earlier run stored and was cut off before it could commit. Nothing
/// else that is staged or changed in the repository is touched.
///
/// # Errors
/// With what Git says.
pub fn commit<'a>(
    workspace: &Workspace,
    messages: impl Iterator<Item = &'a Message>,
) -> Result<(), String> {
    if !workspace.config.snapshots.git || !workspace.root().join("snapshots").exists() {
        return Ok(());
    }
    let root = workspace.root();
    let status = git(
        root,
        &["status", "--porcelain", "-z", "-uall", "--", "snapshots"],
    )?;
    let inside = git(root, &["rev-parse", "--show-prefix"])?;
    let start = format!("{}snapshots/", inside.trim_end());
    let mut fresh = BTreeSet::new();
    for entry in status.split('\0') {
        let name = entry.get(3..).and_then(|name| name.strip_prefix(&start));
        if let Some((id, _)) = name.and_then(|name| name.split_once('/')) {
            fresh.insert(id);
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    let messages: BTreeMap<&str, &Message> = messages.map(|m| (m.id.as_str(), m)).collect();
    for id in fresh {
        let folder = format!("snapshots/{id}");
        let subject = format!("{id}: snapshots");
        let (subject, body) = messages
            .get(id)
            .map_or((subject.as_str(), ""), |m| (&m.subject, &m.body));
        git(root, &["add", "--all", "--", &folder])?;
        git(
            root,
            &[
                "commit", "--quiet", "-m", subject, "-m", body, "--", &folder,
            ],
        )?;
    }
    Ok(())
}

fn git(root: &Path, args: &[&str]) -> Result<String, String> {
    let output = super::git::command(root)
        .args(args)
        .output()
        .map_err(|e| format!("git cannot be started: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "git {}: {}",
        args.first().unwrap_or(&""),
        said.trim()
    ))
}
