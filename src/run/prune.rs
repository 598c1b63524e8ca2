//! What may be thrown away of the snapshots when somebody asks for it. Texts of versions are never
//! thrown away, and nothing is without being asked.

use std::{collections::BTreeSet, path::Path};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Workspace, WorkspaceError, import::UNREADABLE};
use crate::store::{Event, Journal, StoreError};

/// A file that may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prunable {
    /// The document.
    pub document: String,
    /// The file, relative to the workspace.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it is.
    pub what: What,
}

/// What a file that may go is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The bytes of a page that was not the policy, or could not be read.
    Unread,
    /// The bytes of a version that is no longer the last one; its text stays.
    Raw,
    /// A file that a killed run did not finish.
    Unfinished,
}

/// For how many days each kind is kept; `None`: for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Bytes of pages that could not be read.
    pub unread: Option<u32>,
    /// Bytes of versions but the last one.
    pub raw: Option<u32>,
}

/// Lists what may go.
///
/// # Errors
/// When the index or the snapshots cannot be read.
pub fn list(
    workspace: &Workspace,
    keep: Keep,
    now: Timestamp,
) -> Result<Vec<Prunable>, WorkspaceError> {
    let mut found = Vec::new();
    let unread = unread(workspace)?;
    for document in workspace.archive.documents()? {
        let state = workspace.state(&document)?;
        let (mut last, mut earlier) = (Vec::new(), Vec::new());
        for version in workspace.index().versions(&document)? {
            let shown = [state.latest(), state.seen].contains(&Some(version.id));
            if shown { &mut last } else { &mut earlier }.extend(version.raw);
        }
        for (file, bytes) in workspace.archive.files(&document)? {
            let what = if Path::new(&file).extension().is_some_and(|e| e == "part") {
                What::Unfinished
            } else if !file.ends_with(".raw.gz") || last.contains(&file) {
                continue;
            } else if earlier.contains(&file) {
                What::Raw
            } else if unread.contains(&file) {
                What::Unread
            } else {
                // Of a journal that is not here: nobody can say what it is, so it stays.
                continue;
            };
            let days = match what {
                What::Unread => keep.unread,
                What::Raw => keep.raw,
                What::Unfinished => Some(0),
            };
            let limit = days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
            let old = match (limit, dated(&file)) {
                (Some(limit), Some(dated)) => now.duration_since(dated) >= limit,
                _ => false,
            };
            if old {
                found.push(Prunable {
                    document: document.clone(),
                    file,
                    bytes,
                    what,
                });
            }
        }
    }
    Ok(found)
}

/// Files of bytes that the journal calls unreadable, or not the policy.
fn unread(workspace: &Workspace) -> Result<BTreeSet<String>, WorkspaceError> {
    let mut files = BTreeSet::new();
    Journal::replay(&workspace.journal_file(), 0, |entry, _| {
        match entry.event {
            Event::Observed(seen) => files.extend(seen.raw),
            Event::Noted { what, data, .. } if what == UNREADABLE => {
                let file = data.get("raw").and_then(serde_json::Value::as_str);
                files.extend(file.map(str::to_owned));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(files)
}

/// Removes files that [`list`] gave, and says so in the journal.
///
/// # Errors
/// When the disk refuses.
pub fn remove(
    workspace: &mut Workspace,
    files: &[Prunable],
    now: Timestamp,
) -> Result<(), WorkspaceError> {
    for group in files.chunk_by(|a, b| a.document == b.document) {
        let names: Vec<&str> = group.iter().map(|file| file.file.as_str()).collect();
        let noted = Event::Noted {
            subject: group
                .first()
                .map_or_else(String::new, |f| f.document.clone()),
            what: "pruned".to_owned(),
            data: serde_json::json!({ "files": names }),
        };
        workspace.record(now, vec![noted])?;
        for name in names {
            let path = workspace.root().join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path, error).into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// When a snapshot file was made, by its name: `…/20270101T030000Z-….raw.gz`.
fn dated(file: &str) -> Option<Timestamp> {
    let stamp = file.rsplit('/').next()?.get(..16)?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_has_its_date() {
        let at = dated("snapshots/fern/20270101T030000Z-91bc.raw.gz").unwrap();
        assert_eq!(at, "2027-01-01T03:00:00Z".parse().unwrap());
        assert_eq!(dated("snapshots/fern/notes.md"), None);
    }
}
