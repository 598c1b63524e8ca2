//! History and declarations from other programs: each importer yields documents, or versions with
//! their dates and bytes; [`keep`] stores and judges them.

pub mod export;
pub mod git;
pub mod ota;
pub mod urlwatch;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
};

use jiff::Timestamp;
use serde::Serialize;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::{
    Judged, Workspace, WorkspaceError, capture, check,
    keep::{self, Provenance},
    parallel,
};
use crate::{
    assess::{self, RuleSet, Verdict, review::Review},
    config,
    duty::{self, Duties},
    evidence::Hash,
    fetch::{Capture, Hop},
    read::{self, Document, ReadError},
    store::{Archive, Event, Judgement, Origin, Publication, StoreError},
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
    /// What was named is no file in the repository.
    #[error("{path} is {what} in {repository}, not a file")]
    NotAFile {
        /// Where.
        repository: String,
        /// What was named.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {path}: {detail}")]
    Unwritable {
        /// The file or folder.
        path: String,
        /// Why.
        detail: String,
    },
    /// Two documents would be written to one file.
    #[error("`{first}` and `{second}` would both be written to {path}")]
    SamePath {
        /// A document.
        first: String,
        /// Another one.
        second: String,
        /// The file.
        path: String,
    },
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

/// How many versions are worked on, and then recorded, at once.
const GROUP: usize = 48;

/// Stores versions, oldest first, as published at their dates, and judges each against the one
/// before it. Versions not newer than the last publication are left out, so that an import can be
/// repeated or carried on.
///
/// The versions of a group are read by all processors at once, then judged so, each against its
/// forerunner; what is stored and recorded is the same, in the same order, as one by one.
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
    judge_rest(workspace, &document.id, now)?;
    let state = workspace.state(&document.id)?;
    let newest = state.published.last().map(|publication| publication.at);
    let before = match state.latest() {
        Some(id) => {
            let text = workspace.text_of(&document.id, id)?;
            let promises = OnceLock::from(duty::find(&text));
            Some(Arc::new(Shown {
                id,
                text: Arc::new(text),
                promises,
            }))
        }
        None => None,
    };
    let there = workspace
        .index()
        .versions(&document.id)
        .map_err(WorkspaceError::from)?;
    let known = there
        .iter()
        .rev()
        .map(|version| (version.key, version.id))
        .collect();
    let mut row = Row {
        document,
        archive: workspace.archive.clone(),
        selectors: capture::selectors(document),
        newest,
        again: Again::of(&state.published),
        stored: there.len(),
        // Once for all versions: the rules compile slowly, the journal may be long.
        rules: super::rules::rules(workspace.root(), &workspace.config.rules)?,
        reviews: super::review::reviews(workspace, &document.id)?,
        before,
        known,
        memory: Memory::default(),
        sum: Imported {
            id: document.id.clone(),
            ..Imported::default()
        },
    };
    std::thread::scope(|scope| {
        // The bytes are fetched while the versions before them are worked on.
        let (sender, receiver) = mpsc::sync_channel(GROUP);
        scope.spawn(move || {
            for version in versions {
                // Nobody listens any more when the workspace refuses.
                if sender.send(version).is_err() {
                    return;
                }
            }
        });
        let mut written: Option<Written<'_>> = None;
        loop {
            let mut broken = None;
            let mut group = Vec::new();
            for version in receiver.iter().take(GROUP) {
                match version {
                    Ok(version) => group.push(version),
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                }
            }
            let last = group.len() < GROUP;
            let events = row.take(group);
            // The files of the group before have become durable in the meantime.
            if let Some(written) = written.take() {
                written.record(workspace, now)?;
            }
            let archive = row.archive.clone();
            let group = Written {
                events: events?,
                durable: scope.spawn(move || archive.settle()),
            };
            if last {
                // What came before the source broke off is kept.
                group.record(workspace, now)?;
                return broken.map_or(Ok(()), Err);
            }
            written = Some(group);
        }
    })?;
    let mut sum = row.sum;
    sum.verdicts
        .sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
    Ok(sum)
}

/// A group whose files are written, and are being made durable.
struct Written<'a> {
    events: Vec<Event>,
    durable: std::thread::ScopedJoinHandle<'a, Result<(), StoreError>>,
}

impl Written<'_> {
    fn record(self, workspace: &mut Workspace, now: Timestamp) -> Result<(), ImportError> {
        match self.durable.join() {
            Ok(durable) => durable.map_err(WorkspaceError::from)?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(workspace.record(now, self.events)?)
    }
}

/// A row of versions on its way into a workspace.
struct Row<'a> {
    document: &'a config::Document,
    archive: Archive,
    selectors: read::Selectors,
    newest: Option<Timestamp>,
    /// What was published at that time: versions of the same second are taken from where an
    /// earlier import left off.
    again: Again,
    /// How many versions of the document are stored.
    stored: usize,
    rules: Arc<RuleSet>,
    reviews: Vec<Review>,
    /// What was published last.
    before: Option<Arc<Shown>>,
    /// Equivalence keys and the versions that show them.
    known: BTreeMap<Hash, Hash>,
    memory: Memory,
    sum: Imported,
}

/// What is remembered of the versions before, for those that say mostly the same.
#[derive(Default)]
struct Memory {
    promises: duty::Memory,
    words: assess::Memory,
    /// What a first glance at a page saw, before and after it was read, and the equivalence key
    /// that a closer look came to.
    glances: Mutex<BTreeMap<Hash, Hash>>,
    /// What pages read to.
    texts: Mutex<Texts>,
}

/// Texts of pages by the imprint of the page.
#[derive(Default)]
struct Texts {
    known: BTreeMap<Hash, Arc<capture::Text>>,
    bytes: usize,
}

/// Bytes of canonical texts that are remembered.
const REMEMBERED: usize = 4 << 20;

impl Texts {
    fn get(&self, imprint: &Hash) -> Option<&Arc<capture::Text>> {
        self.known.get(imprint)
    }

    fn keep(&mut self, imprint: Hash, text: &Arc<capture::Text>) {
        self.bytes += text.canonical.len();
        if self.bytes > REMEMBERED {
            self.known.clear();
            self.bytes = text.canonical.len();
        }
        self.known.insert(imprint, Arc::clone(text));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it left whole entries.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was published in the second up to which a history is there, in order.
#[derive(Default)]
struct Again {
    expected: VecDeque<Hash>,
    /// What stood there last.
    stands: Option<Hash>,
}

impl Again {
    fn of(published: &[Publication]) -> Self {
        let Some(newest) = published.last().map(|publication| publication.at) else {
            return Self::default();
        };
        let (before, in_it): (Vec<&Publication>, Vec<_>) =
            published.iter().partition(|p| p.at != newest);
        Self {
            expected: in_it.iter().map(|p| p.version).collect(),
            stands: before.last().map(|p| p.version),
        }
    }

    /// Whether a text is the next of those that are there; `None`: one that is not known.
    fn has(&mut self, version: Option<Hash>) -> bool {
        let Some(version) = version else {
            return false;
        };
        if self.stands == Some(version) {
            return true;
        }
        match self.expected.iter().position(|id| *id == version) {
            Some(at) => {
                self.expected.drain(..=at);
                self.stands = Some(version);
                true
            }
            None => false,
        }
    }
}

/// A text that was published.
struct Shown {
    id: Hash,
    text: Arc<Document>,
    /// Found when it is judged: of versions that show nothing new nobody asks.
    promises: OnceLock<Duties>,
}

/// One version with its place in the row.
struct Step {
    time: Timestamp,
    /// Its number among the versions of the document, where it is new.
    number: usize,
    /// What is to be stored, where its text is new.
    new: Option<(Arc<capture::Text>, [Capture; 1])>,
    /// Where its text is not the one that stood there before.
    published: Option<Published>,
}

/// A publication.
struct Published {
    shown: Arc<Shown>,
    /// The one that it follows.
    follows: Option<Arc<Shown>>,
}

impl Row<'_> {
    /// Reads, judges and writes a group of versions; gives what is to be recorded of them.
    fn take(&mut self, group: Vec<Dated>) -> Result<Vec<Event>, ImportError> {
        let read = parallel::map(group, |version| self.read(version));
        let mut steps = Vec::new();
        // What is to be recorded before the step of a place.
        let mut unread: VecDeque<(usize, Event)> = VecDeque::new();
        for version in read {
            self.sum.read += 1;
            match version {
                Read::Older => self.sum.older += 1,
                Read::Unreadable(one) => unread.push_back((steps.len(), self.unread(*one)?)),
                Read::Text(read) => match self.place(*read) {
                    Ok(Some(step)) => steps.push(step),
                    Ok(None) => self.sum.older += 1,
                    Err(one) => unread.push_back((steps.len(), self.unread(*one)?)),
                },
            }
        }
        let mut events = Vec::new();
        for (place, done) in parallel::map(steps, |step| self.finish(&step))
            .into_iter()
            .enumerate()
        {
            while let Some((_, event)) = unread.pop_front_if(|(before, _)| *before <= place) {
                events.push(event);
            }
            let (more, verdict) = done?;
            events.extend(more);
            if let Some(verdict) = verdict {
                count(&mut self.sum.verdicts, verdict);
            }
        }
        events.extend(unread.into_iter().map(|(_, event)| event));
        Ok(events)
    }

    fn read(&self, version: Dated) -> Read {
        if self.newest.is_some_and(|newest| version.time < newest) {
            return Read::Older;
        }
        let time = version.time;
        let captures = [capture_of(version)];
        match self.shows(&captures) {
            Ok(shows) => Read::Text(Box::new(ReadVersion {
                time,
                captures,
                shows,
            })),
            Err(error) => Read::Unreadable(unreadable(captures, time, &error)),
        }
    }

    /// Keeps the bytes of a version that cannot be read, and gives what is to be recorded of it.
    fn unread(&mut self, unread: Unread) -> Result<Event, ImportError> {
        let Unread {
            time,
            captures: [capture],
            reason,
        } = unread;
        let raw = self
            .archive
            .keep_raw(&self.document.id, time, &capture.bytes)
            .map_err(WorkspaceError::from)?;
        self.sum
            .unreadable
            .push(format!("{} of {time}: {reason}", capture.url));
        Ok(Event::Noted {
            subject: self.document.id.clone(),
            what: UNREADABLE.to_owned(),
            data: serde_json::json!({
                "at": time, "reference": capture.url, "reason": reason, "raw": raw,
            }),
        })
    }

    fn shows(&self, captures: &[Capture; 1]) -> Result<Shows, ReadError> {
        let opened = capture::Opened::of(captures, &self.selectors)?;
        // A page changes around its policy all the time; where the policy is written out anyway, a
        // glance spares nothing.
        let Some(imprint) = opened.imprint() else {
            return Ok(Shows::Text(Arc::new(capture::text_of(opened.read()?)?)));
        };
        if let Some(text) = locked(&self.memory.texts).get(&imprint) {
            return Ok(Shows::Text(Arc::clone(text)));
        }
        if let Some(key) = locked(&self.memory.glances).get(&imprint).copied() {
            return Ok(Shows::Again { key, parts: None });
        }
        let parts = opened.read()?;
        let glance = capture::glance(&parts);
        let known = locked(&self.memory.glances).get(&glance).copied();
        if let Some(key) = known {
            locked(&self.memory.glances).insert(imprint, key);
            let parts = Some(parts);
            return Ok(Shows::Again { key, parts });
        }
        let text = Arc::new(capture::text_of(parts)?);
        let mut glances = locked(&self.memory.glances);
        glances.insert(glance, text.key);
        glances.insert(imprint, text.key);
        drop(glances);
        locked(&self.memory.texts).keep(imprint, &text);
        Ok(Shows::Text(text))
    }

    /// Says which version of the document a text is, and what it follows; nothing where an earlier
    /// import had it; or why it cannot be read.
    fn place(&mut self, read: ReadVersion) -> Result<Option<Step>, Box<Unread>> {
        let ReadVersion {
            time,
            captures,
            shows,
        } = read;
        let key = shows.key();
        let known = self.known.get(&key).copied();
        if self.newest == Some(time) && self.again.has(known) {
            return Ok(None);
        }
        let stands = |id: Hash| self.before.as_ref().is_some_and(|last| last.id == id);
        let text = match shows {
            Shows::Text(text) => Some(text),
            Shows::Again { .. } if known.is_some_and(stands) => None,
            Shows::Again { parts, .. } => Some(
                match parts {
                    Some(parts) => capture::text_of(parts),
                    None => capture::read_captures(&captures, &self.selectors),
                }
                .map(Arc::new)
                .map_err(|error| unreadable(captures.clone(), time, &error))?,
            ),
        };
        if let (None, Some(suspect)) = (
            known,
            text.as_ref().and_then(|t| t.document.suspect.as_ref()),
        ) {
            let reason = format!("{}: {}", suspect.code, suspect.detail);
            return Err(Box::new(Unread {
                time,
                captures,
                reason,
            }));
        }
        self.sum.from = self.sum.from.or(Some(time));
        self.sum.until = Some(time);
        match known {
            Some(_) => self.sum.known += 1,
            None => {
                self.sum.stored += 1;
                self.stored += 1;
            }
        }
        let number = self.stored;
        let Some(text) = text else {
            return Ok(Some(Step {
                time,
                number,
                new: None,
                published: None,
            }));
        };
        let id = known.unwrap_or(text.id);
        let published = (!stands(id)).then(|| {
            let shown = Arc::new(Shown {
                id,
                text: Arc::clone(&text.document),
                promises: OnceLock::new(),
            });
            let follows = self.before.replace(Arc::clone(&shown));
            Published { shown, follows }
        });
        self.known.entry(key).or_insert(id);
        Ok(Some(Step {
            time,
            number,
            new: known.is_none().then_some((text, captures)),
            published,
        }))
    }

    fn promises<'a>(&self, shown: &'a Shown) -> &'a Duties {
        shown
            .promises
            .get_or_init(|| self.memory.promises.find(&shown.text))
    }

    /// Stores and judges one version; gives what is to be recorded, and the verdict on a change.
    fn finish(&self, step: &Step) -> Result<(Vec<Event>, Option<Verdict>), ImportError> {
        let document = self.document;
        let mut events = Vec::new();
        if let Some((text, captures)) = &step.new {
            let (archive, origin) = (&self.archive, Origin::Imported);
            let stored = Provenance::of(archive, document, captures, origin, step.time)
                .and_then(|provenance| {
                    let place = Some((keep::SEQUENCE, step.number.to_string()));
                    let provenance = Provenance {
                        place,
                        ..provenance
                    };
                    keep::keep_text(archive, document, text, provenance)
                })
                .map_err(WorkspaceError::from)?;
            events.push(Event::VersionStored(stored));
        }
        let Some(Published { shown, follows }) = &step.published else {
            return Ok((events, None));
        };
        let id = shown.id;
        events.push(Event::Published {
            document: document.id.clone(),
            version: id,
            at: Some(step.time),
        });
        let Some(old) = follows else {
            events.push(Event::Judged(Judgement {
                document: document.id.clone(),
                version: id,
                against: id,
                verdict: Verdict::None,
                findings: 0,
                redline: None,
                rules: String::new(),
            }));
            return Ok((events, None));
        };
        let laid = super::judge::judge_row(
            &old.text,
            &shown.text,
            &self.rules,
            &self.reviews,
            (self.promises(old), self.promises(shown)),
            &self.memory.words,
        );
        events.push(Event::Judged(judged(&document.id, old.id, id, &laid)));
        Ok((events, Some(laid.assessment.verdict)))
    }
}

/// What became of one version before its place in the row is known.
enum Read {
    /// Not newer than what the workspace has.
    Older,
    /// It cannot be read.
    Unreadable(Box<Unread>),
    /// Its text.
    Text(Box<ReadVersion>),
}

/// A version that cannot be read.
struct Unread {
    time: Timestamp,
    captures: [Capture; 1],
    reason: String,
}

struct ReadVersion {
    time: Timestamp,
    captures: [Capture; 1],
    shows: Shows,
}

/// What the captures of a version show.
enum Shows {
    Text(Arc<capture::Text>),
    /// At a glance, a text that was read before; with what was read now.
    Again {
        key: Hash,
        parts: Option<Vec<Document>>,
    },
}

impl Shows {
    fn key(&self) -> Hash {
        match self {
            Self::Text(text) => text.key,
            Self::Again { key, .. } => *key,
        }
    }
}

fn unreadable(captures: [Capture; 1], time: Timestamp, error: &ReadError) -> Box<Unread> {
    Box::new(Unread {
        time,
        captures,
        reason: error.to_string(),
    })
}

/// What the journal calls a version of an imported history that could not be read.
pub const UNREADABLE: &str = "imported-unreadable";

/// Judges the versions of an imported history that were recorded and not judged, because a run was
/// cut off in between: each against the one before it, without an alert.
///
/// # Errors
/// When a stored text cannot be read, or the workspace cannot be written.
pub(super) fn judge_rest(
    workspace: &mut Workspace,
    document: &str,
    now: Timestamp,
) -> Result<(), WorkspaceError> {
    let mut events = Vec::new();
    for (version, before) in workspace.state(document)?.unjudged {
        if workspace.version(document, version)?.origin != Origin::Imported {
            continue;
        }
        let old = workspace.text_of(document, before)?;
        let new = workspace.text_of(document, version)?;
        let laid = super::judge_reviewed(workspace, document, &old, &new)?;
        events.push(Event::Judged(judged(document, before, version, &laid)));
    }
    if events.is_empty() {
        return Ok(());
    }
    workspace.record(now, events)
}

fn judged(document: &str, old: Hash, new: Hash, judged: &Judged) -> Judgement {
    Judgement {
        document: document.to_owned(),
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

fn capture_of(version: Dated) -> Capture {
    Capture {
        bytes: version.bytes,
        media_type: None,
        hops: vec![Hop {
            url: version.reference.clone(),
            status: 0,
            location: None,
            address: None,
        }],
        url: version.reference,
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

/// A plain id of a name: lower case, digits and dashes, letters without their accents. A name with
/// letters of other scripts gets a piece of its hash, so that two such names keep apart.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    let mut lost = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).take(80) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
            continue;
        }
        lost |= c.is_alphanumeric();
        if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    match (slug, lost) {
        ("", _) => format!("document-{}", Hash::of(text.as_bytes()).short()),
        (slug, true) => marked(slug, text),
        (slug, false) => slug.to_owned(),
    }
}

/// An id that keeps apart from the same id of another name.
fn marked(slug: &str, name: &str) -> String {
    let hash = Hash::of(name.as_bytes()).short();
    format!("{slug}-{}", hash.get(..6).unwrap_or(&hash))
}

/// Gives those whose id another one before them has an id of their own, made of what `name` says
/// of them; the same names give the same ids.
fn keep_apart(declared: &mut [Declared], name: impl Fn(&Declared) -> String) {
    let mut ids = BTreeSet::new();
    for one in declared {
        if !ids.insert(one.document.id.clone()) {
            one.document.id = marked(&one.document.id, &name(one));
            let base = one.document.id.clone();
            let mut number = 2;
            while !ids.insert(one.document.id.clone()) {
                one.document.id = format!("{base}-{number}");
                number += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
