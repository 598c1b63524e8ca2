//! History and declarations from other programs: each importer yields documents, or versions with
//! their dates and bytes; [`keep`] stores and judges them.

pub mod export;
pub mod git;
pub mod ota;
pub mod urlwatch;

use std::sync::mpsc;

use jiff::Timestamp;
use serde::Serialize;

use super::{Judged, Workspace, WorkspaceError, capture, check};
use crate::{
    assess::Verdict,
    config,
    duty::{self, Duties},
    evidence::Hash,
    fetch::{Capture, Hop},
    read::{self, Document},
    store::{Event, Judgement, Origin},
};

/// A version from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// When it was put up there.
    pub time: Timestamp,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where it is: `git:COMMIT:path`. Its ending helps to tell the format.
    pub reference: String,
}

/// A document that another program tracks, as this one would.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its configuration.
    pub document: config::Document,
    /// What could not be taken over, for people.
    pub left_out: Vec<String>,
    /// Where its history is in a versions repository, for Open Terms Archive.
    pub history: Option<String>,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The workspace refuses.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A version cannot be stored.
    #[error(transparent)]
    Check(#[from] check::CheckError),
    /// The git program cannot be run.
    #[error("cannot run git: {0}")]
    NoGit(std::io::Error),
    /// The git program refuses.
    #[error("git {action} failed in {repository}: {detail}")]
    Git {
        /// What was asked.
        action: &'static str,
        /// Where.
        repository: String,
        /// Its own words.
        detail: String,
    },
    /// The repository holds no version of the file.
    #[error("{repository} has no version of {path}")]
    NoHistory {
        /// Where.
        repository: String,
        /// The file asked for.
        path: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {detail}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// The folder to write to is not empty.
    #[error("{0} is not empty")]
    NotEmpty(String),
}

/// What became of an imported history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The document.
    pub id: String,
    /// Versions read.
    pub read: usize,
    /// New texts stored.
    pub stored: usize,
    /// Versions that show a text that was known already, such as a change of a token in a link.
    pub known: usize,
    /// Versions not newer than what the workspace has, left out.
    pub older: usize,
    /// Versions that could not be read, each with the reason.
    pub unreadable: Vec<String>,
    /// Changes by verdict, gravest first.
    pub verdicts: Vec<(Verdict, usize)>,
    /// First and last date.
    pub from: Option<Timestamp>,
    /// The last date.
    pub until: Option<Timestamp>,
}

/// How many versions are recorded at once.
const BATCH: usize = 64;

/// Stores versions, oldest first, as published at their dates, and judges each against the one
/// before it. Versions not newer than the last publication are left out, so that an import can be
/// repeated or carried on.
///
/// # Errors
/// When the source breaks off or the workspace cannot be written. Single versions that cannot be
/// read are listed instead.
pub fn keep(
    workspace: &mut Workspace,
    document: &config::Document,
    versions: impl IntoIterator<Item = Result<Dated, ImportError>> + Send,
    now: Timestamp,
) -> Result<Imported, ImportError> {
    let state = workspace.state(&document.id)?;
    let newest = state.published.last().map(|publication| publication.at);
    let mut before: Option<(Hash, Document, Duties)> = match state.latest() {
        Some(id) => {
            let text = workspace.text_of(&document.id, id)?;
            let promises = duty::find(&text);
            Some((id, text, promises))
        }
        None => None,
    };
    let mut known: Vec<(Hash, Hash)> = workspace
        .index()
        .versions(&document.id)
        .map_err(WorkspaceError::from)?
        .iter()
        .map(|version| (version.key, version.id))
        .collect();
    let mut sum = Imported {
        id: document.id.clone(),
        ..Imported::default()
    };
    let selectors = capture::selectors(document);
    // Once for all versions: the rules compile slowly, the journal may be long.
    let rules = super::rules::rules(workspace.root(), &workspace.config.rules)?;
    let reviews = super::review::reviews(workspace, &document.id)?;
    let mut events = Vec::new();
    // One thread reads ahead while this one judges and stores.
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(4);
        scope.spawn(move || {
            for version in versions {
                // Nobody listens any more when the workspace refuses.
                if sender
                    .send(read_ahead(version, newest, &selectors))
                    .is_err()
                {
                    return;
                }
            }
        });
        for version in receiver {
            let read = version?;
            sum.read += 1;
            let (time, captures, text) = match read {
                Read::Older => {
                    sum.older += 1;
                    continue;
                }
                Read::Unreadable(line) => {
                    sum.unreadable.push(line);
                    continue;
                }
                Read::Text(read) => (read.time, read.captures, read.text),
            };
            let id = match known.iter().find(|(key, _)| *key == text.key) {
                Some((_, id)) => {
                    sum.known += 1;
                    *id
                }
                None => {
                    let stored = check::keep(
                        workspace,
                        document,
                        &text,
                        &captures,
                        Origin::Imported,
                        time,
                    )?;
                    known.push((text.key, text.id));
                    sum.stored += 1;
                    events.push(Event::VersionStored(stored));
                    text.id
                }
            };
            sum.from = sum.from.or(Some(time));
            sum.until = Some(time);
            if before.as_ref().is_some_and(|(last, _, _)| *last == id) {
                continue;
            }
            events.push(Event::Published {
                document: document.id.clone(),
                version: id,
                at: Some(time),
            });
            let promises = duty::find(&text.document);
            let judgement = match &before {
                Some((last, old, made)) => {
                    let new = &text.document;
                    let laid = super::judge::judge_row(old, new, &rules, &reviews, made, &promises);
                    judged(document, *last, id, &laid)
                }
                None => Judgement {
                    document: document.id.clone(),
                    version: id,
                    against: id,
                    verdict: Verdict::None,
                    findings: 0,
                    redline: None,
                    rules: String::new(),
                },
            };
            if before.is_some() {
                count(&mut sum.verdicts, judgement.verdict);
            }
            events.push(Event::Judged(judgement));
            before = Some((id, text.document, promises));
            if events.len() >= BATCH * 3 {
                workspace.record(now, std::mem::take(&mut events))?;
            }
        }
        Ok::<(), ImportError>(())
    })?;
    workspace.record(now, events)?;
    sum.verdicts
        .sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
    Ok(sum)
}

/// What became of one version before it is stored.
enum Read {
    /// Not newer than what the workspace has.
    Older,
    /// Why it cannot be read.
    Unreadable(String),
    /// Its text.
    Text(Box<ReadVersion>),
}

struct ReadVersion {
    time: Timestamp,
    captures: [Capture; 1],
    text: capture::Text,
}

fn read_ahead(
    version: Result<Dated, ImportError>,
    newest: Option<Timestamp>,
    selectors: &read::Selectors,
) -> Result<Read, ImportError> {
    let version = version?;
    if newest.is_some_and(|newest| version.time <= newest) {
        return Ok(Read::Older);
    }
    let captures = [capture_of(&version)];
    Ok(match capture::read_captures(&captures, selectors) {
        Ok(text) => Read::Text(Box::new(ReadVersion {
            time: version.time,
            captures,
            text,
        })),
        Err(error) => Read::Unreadable(format!(
            "{} of {}: {error}",
            version.reference, version.time
        )),
    })
}

fn judged(document: &config::Document, old: Hash, new: Hash, judged: &Judged) -> Judgement {
    Judgement {
        document: document.id.clone(),
        version: new,
        against: old,
        verdict: judged.assessment.verdict,
        findings: judged.assessment.findings.len(),
        redline: None,
        rules: judged.assessment.rules.clone(),
    }
}

fn count(verdicts: &mut Vec<(Verdict, usize)>, verdict: Verdict) {
    match verdicts.iter_mut().find(|(v, _)| *v == verdict) {
        Some((_, count)) => *count += 1,
        None => verdicts.push((verdict, 1)),
    }
}

fn capture_of(version: &Dated) -> Capture {
    Capture {
        bytes: version.bytes.clone(),
        media_type: None,
        hops: vec![Hop {
            url: version.reference.clone(),
            status: 0,
            location: None,
            address: None,
        }],
        url: version.reference.clone(),
        etag: None,
        last_modified: None,
        rendered: false,
    }
}

/// A document of others, with nothing but its name and source.
pub fn tracked(id: String, source: Vec<String>) -> config::Document {
    config::Document {
        id,
        source,
        title: None,
        side: config::Side::Watcher,
        kind: config::Kind::default(),
        audience: None,
        jurisdictions: Vec::new(),
        alerts: None,
        include: Vec::new(),
        remove: Vec::new(),
        render: config::Render::No,
        wait_for: None,
        headers: std::collections::BTreeMap::new(),
        robots: None,
        notice: config::NoticeFields::default(),
    }
}

/// A plain id of a name: lower case, digits and dashes.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(80) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        format!("document-{}", Hash::of(text.as_bytes()).short())
    } else {
        slug.to_owned()
    }
}
