//! Versions in the Git repository that holds the workspace, where the configuration asks for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::Path,
    process::Stdio,
};

use super::{
    Workspace,
    check::{Report, State},
    git,
    import::Imported,
    prune::{Prunable, What},
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

    /// The message for what was erased of a document.
    fn pruned(id: &str, files: &[&Prunable]) -> Self {
        let kinds: Vec<String> = [
            (What::Raw, "raw"),
            (What::Unread, "unread"),
            (What::Unfinished, "unfinished"),
        ]
        .into_iter()
        .filter_map(|(what, word)| {
            let count = files.iter().filter(|file| file.what == what).count();
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect();
        let noun = if files.len() == 1 { "file" } else { "files" };
        Self {
            id: id.to_owned(),
            subject: format!("{id}: {} {noun} pruned", kinds.join(" and ")),
            body: String::new(),
        }
    }

    /// The messages for what was erased, one for each document.
    pub fn of_pruned(files: &[Prunable]) -> Vec<Self> {
        let mut groups: BTreeMap<&str, Vec<&Prunable>> = BTreeMap::new();
        for file in files {
            groups.entry(&file.document).or_default().push(file);
        }
        groups
            .iter()
            .map(|(id, files)| Self::pruned(id, files))
            .collect()
    }
}

/// What became of new snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Files that Git is told to ignore, so that they are in no commit: fetched bytes, of which
    /// the texts are committed.
    pub ignored: Vec<String>,
}

/// Commits what is new in the snapshots, one commit for each document, with a message that says
/// what changed; also what an earlier run stored and was cut off before it could commit. Nothing
/// else that is staged or changed in the repository is touched. A document that cannot be committed
/// keeps no other back.
///
/// # Errors
/// With what Git says; or when texts are ignored, because they would never be committed.
pub fn commit<'a>(
    workspace: &Workspace,
    messages: impl Iterator<Item = &'a Message>,
) -> Result<Committed, String> {
    let Some(fresh) = fresh(workspace)? else {
        return Ok(Committed::default());
    };
    let messages: BTreeMap<&str, &Message> = messages.map(|m| (m.id.as_str(), m)).collect();
    let mut failed: Vec<String> = Vec::new();
    for id in &fresh.ids {
        let subject = format!("{id}: snapshots");
        let (subject, body) = messages
            .get(id.as_str())
            .map_or((subject.as_str(), ""), |m| (&m.subject, &m.body));
        if let Err(said) = one_commit(workspace.root(), &[id], subject, body)
            && !failed.contains(&said)
        {
            failed.push(said);
        }
    }
    fresh.done(failed)
}

/// Commits imported histories, all in one commit.
///
/// # Errors
/// As [`commit`].
pub fn commit_imported(workspace: &Workspace, imported: &[&Imported]) -> Result<Committed, String> {
    let Some(fresh) = fresh(workspace)? else {
        return Ok(Committed::default());
    };
    let imported: Vec<&Imported> = imported
        .iter()
        .copied()
        .filter(|done| fresh.ids.contains(&done.id))
        .collect();
    let mut failed = Vec::new();
    if !imported.is_empty() {
        let lines: Vec<String> = imported.iter().map(|done| imported_line(done)).collect();
        let (subject, body) = match lines.as_slice() {
            [line] => (line.clone(), String::new()),
            lines => (
                format!("{} documents: histories imported", lines.len()),
                lines.join("\n"),
            ),
        };
        let ids: Vec<&String> = imported.iter().map(|done| &done.id).collect();
        failed.extend(one_commit(workspace.root(), &ids, &subject, &body).err());
    }
    fresh.done(failed)
}

/// `meadow: 1000 versions imported, 2017-07-14 to 2020-04-08`
fn imported_line(done: &Imported) -> String {
    let day = |time: jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let noun = if done.stored == 1 {
        "version"
    } else {
        "versions"
    };
    let span = match (done.from, done.until) {
        (Some(from), Some(until)) => format!(", {} to {}", day(from), day(until)),
        _ => String::new(),
    };
    format!("{}: {} {noun} imported{span}", done.id, done.stored)
}

/// What is not committed yet.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fresh {
    /// Documents with new, changed or erased files.
    ids: BTreeSet<String>,
    /// Ignored files and folders.
    ignored: Vec<String>,
}

impl Fresh {
    /// What `git status --porcelain -z` says of the snapshots, which begin with `start`.
    fn of(status: &str, start: &str) -> Self {
        let mut fresh = Self::default();
        for entry in status.split('\0') {
            let (Some(state), Some(path)) = (entry.get(..2), entry.get(3..)) else {
                continue;
            };
            // What a killed run left unfinished is nobody's loss.
            let unfinished = Path::new(path).extension().is_some_and(|e| e == "part");
            if state == "!!" {
                if !unfinished {
                    fresh.ignored.push(path.to_owned());
                }
                continue;
            }
            let id = path
                .strip_prefix(start)
                .and_then(|name| name.split_once('/'));
            fresh.ids.extend(id.map(|(id, _)| id.to_owned()));
        }
        fresh
    }

    fn done(self, mut failed: Vec<String>) -> Result<Committed, String> {
        let (bytes, texts): (Vec<String>, Vec<String>) = self
            .ignored
            .into_iter()
            .partition(|path| path.ends_with(".raw.gz"));
        if let Some(first) = texts.first() {
            failed.push(format!(
                "Git is told to ignore {first}{}; `git check-ignore -v {first}` says by which line",
                match texts.len() {
                    1 => String::new(),
                    more => format!(" and {} more", more - 1),
                }
            ));
        }
        if failed.is_empty() {
            Ok(Committed { ignored: bytes })
        } else {
            Err(failed.join("; "))
        }
    }
}

/// What is not committed yet; `None` where nothing is to be committed.
fn fresh(workspace: &Workspace) -> Result<Option<Fresh>, String> {
    let root = workspace.root();
    if !workspace.config.snapshots.git || !root.join("snapshots").exists() {
        return Ok(None);
    }
    let asked = [
        "status",
        "--porcelain",
        "-z",
        "-uall",
        "--no-renames",
        "--ignored=matching",
        "--",
        "snapshots",
    ];
    let status = run(root, &asked, &[])?;
    let inside = run(root, &["rev-parse", "--show-prefix"], &[])?;
    let start = format!("{}snapshots/", inside.trim_end_matches('\n'));
    Ok(Some(Fresh::of(&status, &start)))
}

/// Commits the folders of documents.
fn one_commit(
    root: &Path,
    ids: &[impl std::fmt::Display],
    subject: &str,
    body: &str,
) -> Result<(), String> {
    // On standard input, because a command line may be too short for the folders of an archive.
    let folders: String = ids.iter().map(|id| format!("snapshots/{id}\0")).collect();
    let listed = ["--pathspec-from-file=-", "--pathspec-file-nul"];
    let mut add = vec!["add", "--all"];
    add.extend(listed);
    run(root, &add, folders.as_bytes())?;
    let mut commit = vec!["commit", "--quiet", "-m", subject, "-m", body];
    commit.extend(listed);
    run(root, &commit, folders.as_bytes()).map(drop)
}

fn run(root: &Path, args: &[&str], input: &[u8]) -> Result<String, String> {
    let unstarted = |e: std::io::Error| format!("git cannot be started: {e}");
    let mut child = git::command(root)
        .args(args)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(unstarted)?;
    if let Some(mut stdin) = child.stdin.take() {
        // When git ends early, its status says why.
        let _gone = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(unstarted)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let action = args.first().unwrap_or(&"");
    let said = String::from_utf8_lossy(&output.stderr);
    // Git's hints are for whoever typed its command.
    let said: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("hint:"))
        .collect();
    Err(match said.join("\n").trim() {
        // A hook may refuse without a word.
        "" => format!("git {action} ended with {} and said nothing", output.status),
        said => format!("git {action}: {said}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_files_become_documents_to_commit() {
        let status = "?? law/snapshots/a/1.md\0 D law/snapshots/b c/2.raw.gz\0?? law/snapshots/x\0\
                      !! law/snapshots/a/3.raw.gz\0!! law/snapshots/a/3.part\0";
        let fresh = Fresh::of(status, "law/snapshots/");
        let ids: Vec<&str> = fresh.ids.iter().map(String::as_str).collect();
        assert_eq!(ids, ["a", "b c"]);
        assert_eq!(fresh.ignored, ["law/snapshots/a/3.raw.gz"]);
    }

    #[test]
    fn an_ignored_text_is_a_failure_and_ignored_bytes_are_told() {
        let of = |status: &str| Fresh::of(status, "snapshots/").done(Vec::new());
        let said = of("!! snapshots/\0").unwrap_err();
        assert!(said.contains("ignore snapshots/"), "{said}");
        let said = of("!! snapshots/a/1.md\0!! snapshots/a/2.md\0").unwrap_err();
        assert!(said.contains("and 1 more"), "{said}");
        let bytes = of("!! snapshots/a/1.raw.gz\0").unwrap();
        assert_eq!(bytes.ignored, ["snapshots/a/1.raw.gz"]);
    }

    #[test]
    fn what_was_erased_is_counted_by_kind() {
        let file = |document: &str, what| Prunable {
            document: document.to_owned(),
            file: String::new(),
            bytes: 1,
            what,
        };
        let files = [
            file("a", What::Raw),
            file("b", What::Raw),
            file("a", What::Unread),
            file("a", What::Raw),
        ];
        let subjects: Vec<String> = Message::of_pruned(&files)
            .into_iter()
            .map(|message| message.subject)
            .collect();
        assert_eq!(
            subjects,
            ["a: 2 raw and 1 unread files pruned", "b: 1 raw file pruned"]
        );
    }
}
