//! Out to the layout of Open Terms Archive's versions: a Git repository with
//! `Service/Terms Type.md`, one commit a version, dated as it was put up.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use jiff::Timestamp;

use super::{ImportError, Workspace};
use crate::{read, run::git};

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
/// repository, in the order in which they were put up. Each document is one file, named after its
/// configured title, else the newest one.
///
/// # Errors
/// When the folder is not empty, two documents have one name, git cannot be run, or a version
/// cannot be read; nothing is written before all is read.
pub fn ota(
    workspace: &Workspace,
    ids: &[String],
    service: &str,
    folder: &Path,
) -> Result<Exported, ImportError> {
    for id in ids {
        workspace.document(id)?;
    }
    let mut sum = Exported::default();
    let mut commits = Vec::new();
    // Some file systems know no difference between upper and lower case.
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for document in &workspace.config.documents {
        if !ids.is_empty() && !ids.contains(&document.id) {
            continue;
        }
        let state = workspace.state(&document.id)?;
        let Some(newest) = state.published.last() else {
            continue;
        };
        let title = match &document.title {
            Some(title) => Some(title.clone()),
            None => workspace.text_of(&document.id, newest.version)?.title,
        };
        let kind = name(title.as_deref().unwrap_or(&document.id));
        let path = format!("{}/{kind}.md", name(service));
        if let Some(first) = taken.insert(path.to_lowercase(), &document.id) {
            return Err(ImportError::SamePath {
                first: first.to_owned(),
                second: document.id.clone(),
                path,
            });
        }
        for (number, publication) in state.published.iter().enumerate() {
            let text = workspace.text_of(&document.id, publication.version)?;
            commits.push(Commit {
                time: publication.at,
                path: path.clone(),
                text: read::canonical(&text),
                first: number == 0,
            });
        }
        sum.documents += 1;
    }
    commits.sort_by_key(|commit| commit.time);
    sum.versions = commits.len();
    let made = empty(folder)?;
    write(folder, &commits).inspect_err(|_| {
        if made {
            // Only a folder in which nothing was written goes.
            let _kept = fs::remove_dir(folder);
        }
    })?;
    Ok(sum)
}

/// Makes sure that a folder is there and empty; whether it was made.
fn empty(folder: &Path) -> Result<bool, ImportError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(false),
            Some(_) => Err(ImportError::NotEmpty(folder.display().to_string())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
            Ok(true)
        }
        Err(error) => Err(unwritable(folder, &error)),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> ImportError {
    ImportError::Unwritable {
        path: path.display().to_string(),
        detail: error.to_string(),
    }
}

fn write(folder: &Path, commits: &[Commit]) -> Result<(), ImportError> {
    let mut init = git::plain(folder);
    // A template's hooks and settings are for repositories that somebody works in.
    init.args(["init", "-q", "-b", "main", "--template="]);
    run(folder, "init", init, &[])?;
    // What was made just now, whatever else might be found from here.
    let own = || {
        let folder = std::path::absolute(folder).map_err(|error| unwritable(folder, &error))?;
        let mut git = git::plain(&folder);
        git.arg("--git-dir").arg(folder.join(".git"));
        git.arg("--work-tree").arg(&folder);
        Ok::<_, ImportError>(git)
    };
    let mut import = own()?;
    import.args(["fast-import", "--quiet"]);
    run(folder, "fast-import", import, &stream(commits))?;
    if !commits.is_empty() {
        let mut files = own()?;
        files.args(["reset", "-q", "--hard", "main"]);
        run(folder, "reset", files, &[])?;
    }
    Ok(())
}

/// Bytes of a name, at most; file systems allow 255.
const LONGEST: usize = 200;

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
    let name = name.trim().trim_start_matches('.');
    let end = name.floor_char_boundary(LONGEST);
    match name.get(..end).unwrap_or_default().trim_end() {
        "" => "-".to_owned(),
        name => name.to_owned(),
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

fn run(
    folder: &Path,
    action: &'static str,
    mut command: Command,
    input: &[u8],
) -> Result<(), ImportError> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
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
        action,
        repository: folder.display().to_string(),
        detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_such_that_every_system_has_files_of_them() {
        assert_eq!(name("Terms / Privacy: \"us\""), "Terms - Privacy- -us-");
        assert_eq!(name(" ../x"), "-x");
        assert_eq!(name("..."), "-");
        let long = name(&"é".repeat(300));
        assert_eq!(long, "é".repeat(100));
    }
}
