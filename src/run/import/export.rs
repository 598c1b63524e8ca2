//! Out to the layout of Open Terms Archive's versions: a Git repository with
//! `Service/Terms Type.md`, one commit a version, dated as it was put up.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use jiff::Timestamp;

use super::{ImportError, Workspace};
use crate::read;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// Documents.
    pub documents: usize,
    /// Commits.
    pub versions: usize,
}

struct Commit {
    time: Timestamp,
    path: String,
    text: String,
    first: bool,
}

/// Writes all published versions of the named documents (of all, when none is named) to a new
/// repository, in the order in which they were put up.
///
/// # Errors
/// When the folder is not empty, git cannot be run, or a version cannot be read.
pub fn ota(
    workspace: &Workspace,
    ids: &[String],
    service: &str,
    folder: &Path,
) -> Result<Exported, ImportError> {
    let unwritable = |error: std::io::Error| ImportError::Unreadable {
        path: folder.display().to_string(),
        detail: error.to_string(),
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
        return Err(ImportError::NotEmpty(folder.display().to_string()));
    }
    for id in ids {
        workspace.document(id)?;
    }
    let mut sum = Exported::default();
    let mut commits = Vec::new();
    for document in &workspace.config.documents {
        if !ids.is_empty() && !ids.contains(&document.id) {
            continue;
        }
        let state = workspace.state(&document.id)?;
        let mut first = true;
        for publication in &state.published {
            let text = workspace.text_of(&document.id, publication.version)?;
            let title = document.title.clone().or_else(|| text.title.clone());
            commits.push(Commit {
                time: publication.at,
                path: format!(
                    "{}/{}.md",
                    name(service),
                    name(title.as_deref().unwrap_or(&document.id))
                ),
                text: read::canonical(&text),
                first,
            });
            first = false;
        }
        sum.documents += usize::from(!first);
    }
    commits.sort_by_key(|commit| commit.time);
    sum.versions = commits.len();
    run(folder, &["init", "-q", "-b", "main"], &[])?;
    run(folder, &["fast-import", "--quiet"], &stream(&commits))?;
    if !commits.is_empty() {
        run(folder, &["reset", "-q", "--hard", "main"], &[])?;
    }
    Ok(sum)
}

/// A name of a file on every system.
fn name(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|c| {
            if c.is_control() || "/\\:*?\"<>|".contains(c) {
                '-'
            } else {
                c
            }
        })
        .collect();
    let name = name.trim().trim_start_matches('.').to_owned();
    if name.is_empty() {
        "-".to_owned()
    } else {
        name
    }
}

/// The commits as `git fast-import` reads them.
fn stream(commits: &[Commit]) -> Vec<u8> {
    let mut out = Vec::new();
    for commit in commits {
        let (service, kind) = commit.path.split_once('/').unwrap_or(("", &commit.path));
        let kind = kind.trim_end_matches(".md");
        let message = if commit.first {
            format!("First record of {service} {kind}\n")
        } else {
            format!("Record new changes of {service} {kind}\n")
        };
        let seconds = commit.time.as_second().max(0);
        let head = format!(
            "commit refs/heads/main\ncommitter fairnotice <fairnotice@localhost> {seconds} +0000\ndata {}\n{message}",
            message.len()
        );
        out.extend_from_slice(head.as_bytes());
        let file = format!(
            "M 100644 inline {}\ndata {}\n",
            commit.path,
            commit.text.len()
        );
        out.extend_from_slice(file.as_bytes());
        out.extend_from_slice(commit.text.as_bytes());
        out.extend_from_slice(b"\n\n");
    }
    out
}

fn run(folder: &Path, arguments: &[&'static str], input: &[u8]) -> Result<(), ImportError> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(ImportError::NoGit)?;
    if let Some(mut stdin) = child.stdin.take() {
        // When git ends early, its status says why.
        let _gone = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(ImportError::NoGit)?;
    if output.status.success() {
        return Ok(());
    }
    Err(ImportError::Git {
        action: arguments.first().copied().unwrap_or("git"),
        repository: folder.display().to_string(),
        detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
