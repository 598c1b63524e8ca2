//! `check`: look at every document, store what is new, judge what changed, draft what is owed.
//!
//! What is new is recorded before it is judged; a run that is cut off in between is made up for by
//! the next one, because a publication without a judgement is known as such.

use std::{path::Path, sync::Arc};

use jiff::{Timestamp, Unit, civil::Date};

use super::{
    Judged, Workspace, WorkspaceError,
    capture::{self, Text},
    gather::{self, Gathered},
    keep::keep,
    reread::upgraded,
};
use crate::{
    assess::Verdict,
    config,
    duty::Plan,
    evidence::Hash,
    fetch::{Capture, FetchError},
    notice,
    read::{self, Document},
    store::{
        Archive, DocumentState, Event, Judgement, Observation, Origin, ProblemSeen, StoreError,
        Validators, Version,
    },
};

/// How a document was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Seen for the first time.
    New,
    /// As it was.
    Unchanged,
    /// Another text than the last one that was published.
    Changed,
    /// Alternating between known versions.
    Flapping,
    /// Something came that is not the policy.
    Suspect,
    /// Nothing came.
    Failed,
}

/// What a check says of one document.
#[derive(Debug)]
pub struct Report {
    /// The document.
    pub id: String,
    /// How it was found.
    pub state: State,
    /// The verdict, when it was compared.
    pub verdict: Option<Verdict>,
    /// The version it shows.
    pub version: Option<Hash>,
    /// The version it was compared with.
    pub previous: Option<Hash>,
    /// The redline, relative to the workspace.
    pub redline: Option<String>,
    /// Ids of the notices that were drafted.
    pub notices: Vec<String>,
    /// Why it failed or is suspect.
    pub error: Option<String>,
    /// The whole judgement of a change, for the report.
    pub change: Option<Box<Change>>,
    /// What the document promises about telling its users, when it is new.
    pub duties: Option<crate::duty::Duties>,
    /// What is odd about its text, when it is new.
    pub warnings: Vec<read::Warning>,
    /// What went wrong when the program of `[assist]` was asked for wording.
    pub assist: Vec<String>,
    /// The title to print.
    pub title: String,
}

/// A change, judged.
#[derive(Debug)]
pub struct Change {
    /// The text before.
    pub old: Document,
    /// The text now.
    pub new: Document,
    /// From the last published text to this one.
    pub judged: Judged,
    /// What must happen, from the text in force to this one.
    pub plan: Option<Plan>,
    /// The version in force, where that is not the last published one.
    pub in_force: Option<Hash>,
}

impl Change {
    /// Compares and judges two stored texts; the report takes the verdict, and what was proposed.
    pub(super) fn judge(
        workspace: &Workspace,
        document: &str,
        old: Hash,
        new: Hash,
        report: &mut Report,
    ) -> Result<Self, CheckError> {
        let old = workspace.text_of(document, old)?;
        let new = workspace.text_of(document, new)?;
        let mut judged = super::judge_reviewed(workspace, document, &old, &new)?;
        report.assist = super::assist::propose(
            &workspace.config.assist,
            workspace.root(),
            document,
            &mut judged,
        );
        report.verdict = Some(judged.assessment.verdict);
        Ok(Self {
            old,
            new,
            judged,
            plan: None,
            in_force: None,
        })
    }
}

/// Why a check could not be made at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The client cannot be set up.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A notice cannot be drafted.
    #[error(transparent)]
    Notice(#[from] super::notices::NoticesError),
    /// A draft cannot be read.
    #[error("{name} cannot be read: {source}")]
    Draft {
        /// The file.
        name: String,
        /// Why.
        source: read::ReadError,
    },
    /// A draft for a document that was never seen.
    #[error("`{0}` has no published version yet to compare a draft with")]
    NothingInForce(String),
    /// The redline cannot be written.
    #[error("cannot write {path}: {detail}")]
    Output {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
}

impl From<crate::store::StoreError> for CheckError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Workspace(error.into())
    }
}

/// Settings of one check.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Only these documents; all when empty.
    pub only: Vec<String>,
    /// Take a text that looks suspect for the new version all the same.
    pub accept: bool,
    /// The planned effective date of what is new.
    pub effective: Option<Date>,
}

/// A text of fewer than this share of the words before is suspect.
const SHRUNK: f64 = 0.4;
/// Texts shorter than this may shrink as they like.
const SHRUNK_FROM: usize = 200;
/// Days after which a return to an old text is a publication, not a flap.
const FLAP_DAYS: i32 = 7;

/// Looks at the documents of a workspace and calls `each` with a report as each is done.
///
/// # Errors
/// When the workspace cannot be used or written; a document that fails is a report.
pub fn check(
    workspace: &mut Workspace,
    settings: &Settings,
    now: Timestamp,
    mut each: impl FnMut(&Workspace, Report),
) -> Result<(), CheckError> {
    for id in &settings.only {
        workspace.document(id)?;
    }
    let (root, config) = (workspace.root().to_owned(), Arc::clone(&workspace.config));
    let wanted: Vec<&config::Document> = config
        .documents
        .iter()
        .filter(|document| settings.only.is_empty() || settings.only.contains(&document.id))
        .collect();
    let gathered = gather::gather::<_, CheckError>(
        workspace,
        &root,
        &config.fetch,
        &wanted,
        |workspace, document| {
            let state = workspace.state(&document.id)?;
            Ok(state
                .validators
                .into_iter()
                .next()
                // Of other sources, or asked for with other headers, it says nothing.
                .filter(|known| state.failing.is_none() && known.asked == Some(asked(document))))
        },
        |workspace, document, outcome| {
            let report = match one(workspace, settings, now, document, outcome) {
                Ok(report) => report,
                // One altered file of one document does not keep the others from being looked at.
                Err(error) => match damaged(&workspace.archive, &error) {
                    Some(problem) => {
                        let state = workspace.state(&document.id)?;
                        failed(workspace, document, &state, problem, &[], now)?
                    }
                    None => return Err(error),
                },
            };
            each(workspace, report);
            Ok(())
        },
    );
    workspace.settle()?;
    gathered
}

/// What is said of a document one of whose snapshot files is missing or was altered.
fn damaged(archive: &Archive, error: &CheckError) -> Option<ProblemSeen> {
    let CheckError::Workspace(error) = error else {
        return None;
    };
    let own = match error {
        WorkspaceError::Store(
            StoreError::Damaged { path, .. }
            | StoreError::Io {
                action: "read" | "decompress",
                path,
                ..
            },
        ) => archive.holds(path),
        WorkspaceError::Text { .. } => true,
        _ => false,
    };
    own.then(|| ProblemSeen {
        code: "snapshot-damaged".to_owned(),
        detail: format!("{error}; restore the file from a copy"),
        suspect: false,
    })
}

fn one(
    workspace: &mut Workspace,
    settings: &Settings,
    now: Timestamp,
    document: &config::Document,
    outcome: gather::Outcome,
) -> Result<Report, CheckError> {
    let state = upgraded(workspace, document, now)?;
    let captures = match outcome {
        Ok(Gathered::Captures(captures)) => captures,
        Ok(Gathered::NotModified) => return seen_again(workspace, document, &state, None, now),
        Err(error) => {
            let problem = ProblemSeen {
                code: error.code(),
                detail: error.to_string(),
                suspect: false,
            };
            return failed(workspace, document, &state, problem, &[], now);
        }
    };
    let bytes_hash = hash_of(&captures);
    if state.capture == Some(bytes_hash) && state.failing.is_none() && state.seen.is_some() {
        return seen_again(
            workspace,
            document,
            &state,
            Some((bytes_hash, &captures)),
            now,
        );
    }
    let unreadable = |error: read::ReadError| ProblemSeen {
        code: "unreadable".to_owned(),
        detail: error.to_string(),
        suspect: true,
    };
    let observed = observation(document, Some((bytes_hash, &captures)));
    let sound = state.failing.is_none() && state.seen.is_some();
    let opened = match capture::Opened::of(&captures, &capture::selectors(document)) {
        Ok(opened) => opened,
        Err(error) => {
            let problem = unreadable(error);
            return failed(workspace, document, &state, problem, &captures, now);
        }
    };
    let imprint = opened.imprint();
    if sound && imprint.is_some() && state.imprint == imprint {
        let observed = Observation {
            glance: state.glance,
            imprint,
            ..observed
        };
        return seen_as_before(workspace, document, &state, observed, now);
    }
    let parts = match opened.read() {
        Ok(parts) => parts,
        Err(error) => {
            let problem = unreadable(error);
            return failed(workspace, document, &state, problem, &captures, now);
        }
    };
    let glance = capture::glance(&parts);
    let trusted = parts.iter().all(|part| part.suspect.is_none());
    let observed = Observation {
        glance: Some(glance),
        imprint: imprint.filter(|_| trusted),
        ..observed
    };
    if state.glance == Some(glance) && sound && trusted {
        return seen_as_before(workspace, document, &state, observed, now);
    }
    let text = match capture::text_of(parts) {
        Ok(text) => text,
        Err(error) => {
            let problem = unreadable(error);
            return failed(workspace, document, &state, problem, &captures, now);
        }
    };
    if !settings.accept
        && let Some(problem) = suspicion(workspace, document, &state, &text)?
    {
        return failed(workspace, document, &state, problem, &captures, now);
    }
    let known = workspace
        .index()
        .by_key(&document.id, read::EQUIVALENCE, text.key)?;
    let public = |id: Hash| state.published.iter().any(|p| p.version == id);
    match known {
        Some(version) if state.latest() == Some(version.id) => {
            let observed = Observation {
                version: Some(version.id),
                ..observed
            };
            still(workspace, document, &state, observed, now, settings)
        }
        Some(version) if public(version.id) && !returned(document, &state, version.id, now) => {
            let observed = Observation {
                version: Some(version.id),
                flapping: true,
                ..observed
            };
            let mut report = plain(document, State::Flapping, Some(version.id));
            report.previous = state.latest();
            if state.flapping {
                workspace.note(now, Event::Observed(observed))?;
                report.state = State::Unchanged;
                return Ok(report);
            }
            let detail = format!(
                "the page alternates between version {} and {}",
                version.id.short(),
                state.latest().map(Hash::short).unwrap_or_default()
            );
            let mut events = super::alerts::flapping(workspace, document, &state, &detail, now);
            events.push(Event::Observed(observed));
            workspace.record(now, events)?;
            report.error = Some(detail);
            Ok(report)
        }
        Some(version) => {
            let observed = Observation {
                version: Some(version.id),
                ..observed
            };
            let published = Event::Published {
                document: document.id.clone(),
                version: version.id,
                at: None,
            };
            let mut events = vec![published, Event::Observed(observed)];
            if !workspace.archive.all_there(&version.raw) {
                // Pruned when it was no longer the last one, which it is again.
                let mut raw = Vec::new();
                for capture in &captures {
                    let archive = &workspace.archive;
                    raw.push(archive.keep_raw(&document.id, now, &capture.bytes)?);
                }
                let again = Version {
                    raw,
                    ..version.clone()
                };
                events.insert(0, Event::VersionStored(again));
            }
            let named = named_day(workspace, document, version.id)?;
            events.extend(effect(document, version.id, settings).or(named));
            workspace.record(now, events)?;
            let news = if state.published.is_empty() {
                State::New
            } else {
                State::Changed
            };
            pending(workspace, document, news, now, settings)
        }
        None => {
            let archive = &workspace.archive;
            let version = keep(archive, document, &text, &captures, Origin::Fetched, now)?;
            let observed = Observation {
                version: Some(version.id),
                ..observed
            };
            let id = version.id;
            let published = Event::Published {
                document: document.id.clone(),
                version: id,
                at: None,
            };
            let mut events = vec![
                Event::VersionStored(version),
                published,
                Event::Observed(observed),
            ];
            events.extend(effect(document, id, settings));
            workspace.record(now, events)?;
            let news = if state.published.is_empty() {
                State::New
            } else {
                State::Changed
            };
            pending(workspace, document, news, now, settings)
        }
    }
}

/// The day that an approved notice of a draft has named for it: who approved that has decided.
fn named_day(
    workspace: &Workspace,
    document: &config::Document,
    version: Hash,
) -> Result<Option<Event>, CheckError> {
    let named = super::notices::list(workspace, Some(&document.id))?
        .into_iter()
        .filter(|notice| notice.versions.new == version.to_string())
        .filter(|notice| {
            matches!(
                notice.state,
                notice::State::Approved | notice::State::Published
            )
        })
        .find_map(|notice| notice.effective.map(|day| (day, notice.id)));
    Ok(named.map(|(date, notice)| Event::EffectSet {
        document: document.id.clone(),
        version,
        date: Some(date),
        by: format!("the approved notice {notice}"),
    }))
}

fn effect(document: &config::Document, version: Hash, settings: &Settings) -> Option<Event> {
    settings.effective.map(|date| Event::EffectSet {
        document: document.id.clone(),
        version,
        date: Some(date),
        by: "check --effective".to_owned(),
    })
}

/// Judges what was published and not judged yet; says how the document was found.
fn pending(
    workspace: &mut Workspace,
    document: &config::Document,
    found: State,
    now: Timestamp,
    settings: &Settings,
) -> Result<Report, CheckError> {
    let state = workspace.state(&document.id)?;
    let mut report = plain(document, found, state.latest());
    if let Some(title) = title_of(workspace, document, state.latest())? {
        report.title = title;
    }
    if found == State::New {
        if let Some(version) = state.latest() {
            let text = workspace.text_of(&document.id, version)?;
            report.duties = Some(crate::duty::find(&text));
            report.warnings = text.warnings;
        }
        return Ok(report);
    }
    // What an import that was cut off left is of the past, and no news.
    super::import::judge_rest(workspace, &document.id, now)?;
    let state = workspace.state(&document.id)?;
    let Some((version, _)) = state.unjudged.last().copied() else {
        return Ok(report);
    };
    // From the first text that was not judged on: nothing in between is lost.
    let against = state
        .unjudged
        .first()
        .map_or(version, |(_, before)| *before);
    report.state = State::Changed;
    report.previous = Some(against);
    if version == against {
        let judgement = judgement(document, version, against, Verdict::None, 0, None, "");
        workspace.record(now, vec![Event::Judged(judgement)])?;
        report.state = State::Unchanged;
        return Ok(report);
    }
    let mut change = Change::judge(workspace, &document.id, against, version, &mut report)?;
    let in_force = governing(&state, version, now);
    let mut events = Vec::new();
    if document.side == config::Side::Owner {
        let from = in_force.unwrap_or(against);
        change.in_force = (from != against).then_some(from);
        let on_record = state.published.iter().rfind(|p| p.version == version);
        let day = settings
            .effective
            .or_else(|| on_record.and_then(|publication| publication.effective));
        let owed = super::owed::owed(workspace, document, from, version, day, &change, now)?;
        report.notices = owed
            .notices
            .iter()
            .map(|notice| notice.id.clone())
            .collect();
        events.extend(owed.notices.into_iter().map(|notice| Event::NoticeSaved {
            action: "drafted".to_owned(),
            by: "fairnotice".to_owned(),
            notice: Box::new(notice),
        }));
        change.plan = Some(owed.plan);
    }
    report.redline = Some(super::redline::write(
        workspace, document, against, version, &change, now,
    )?);
    // A run that is cut off after the alert and before the judgement judges again, and the alert,
    // having the same id, is due once.
    events.extend(super::alerts::due(
        workspace, document, &state, &report, &change, now,
    )?);
    for (unjudged, _) in &state.unjudged {
        events.push(Event::Judged(judgement(
            document,
            *unjudged,
            against,
            change.judged.assessment.verdict,
            change.judged.assessment.findings.len(),
            report.redline.clone(),
            &change.judged.assessment.rules,
        )));
    }
    workspace.record(now, events)?;
    if let Some(day) = change.plan.as_ref().and_then(|plan| plan.effective) {
        // Notices of the draft that this text was, before it was put up, may name another day.
        let again = super::rewrite::rewrite(workspace, &document.id, version, Some(day), now)?;
        let anew = again.anew.into_iter().map(|notice| notice.id);
        report.notices.extend(anew);
    }
    report.change = Some(Box::new(change));
    Ok(report)
}

/// The version whose promises count for a change to `next`: the one in force without it.
fn governing(state: &DocumentState, next: Hash, now: Timestamp) -> Option<Hash> {
    let mut before = state.clone();
    while before.published.last().is_some_and(|p| p.version == next) {
        before.published.pop();
    }
    before.in_force(now).map(|publication| publication.version)
}

fn judgement(
    document: &config::Document,
    version: Hash,
    against: Hash,
    verdict: Verdict,
    findings: usize,
    redline: Option<String>,
    rules: &str,
) -> Judgement {
    Judgement {
        document: document.id.clone(),
        version,
        against,
        verdict,
        findings,
        redline,
        rules: rules.to_owned(),
    }
}

fn seen_again(
    workspace: &mut Workspace,
    document: &config::Document,
    state: &DocumentState,
    captures: Option<(Hash, &[Capture])>,
    now: Timestamp,
) -> Result<Report, CheckError> {
    seen_as_before(
        workspace,
        document,
        state,
        observation(document, captures),
        now,
    )
}

/// A look that showed what the last good one showed.
fn seen_as_before(
    workspace: &mut Workspace,
    document: &config::Document,
    state: &DocumentState,
    observed: Observation,
    now: Timestamp,
) -> Result<Report, CheckError> {
    let observed = Observation {
        version: state.seen,
        ..observed
    };
    if state.seen != state.latest()
        && state
            .seen
            .is_some_and(|seen| returned(document, state, seen, now))
    {
        // The old text has stood long enough to be a publication again.
        let version = state.seen.unwrap_or_default();
        let published = Event::Published {
            document: document.id.clone(),
            version,
            at: None,
        };
        workspace.record(now, vec![published, Event::Observed(observed)])?;
        return pending(
            workspace,
            document,
            State::Changed,
            now,
            &Settings::default(),
        );
    }
    let settings = Settings::default();
    still(workspace, document, state, observed, now, &settings)
}

/// A look that showed the text that was known: nothing follows from it, unless an earlier run was
/// cut off.
fn still(
    workspace: &mut Workspace,
    document: &config::Document,
    state: &DocumentState,
    observed: Observation,
    now: Timestamp,
    settings: &Settings,
) -> Result<Report, CheckError> {
    if state.unjudged.is_empty() {
        workspace.note(now, Event::Observed(observed))?;
        let mut report = plain(document, State::Unchanged, state.latest());
        if let Some(title) = title_of(workspace, document, state.latest())? {
            report.title = title;
        }
        return Ok(report);
    }
    workspace.record(now, vec![Event::Observed(observed)])?;
    pending(workspace, document, State::Unchanged, now, settings)
}

/// Whether seeing an old text again is a publication: at once for a file, which is its owner's
/// own; for a page only when it has stood for some days.
fn returned(
    document: &config::Document,
    state: &DocumentState,
    seen: Hash,
    now: Timestamp,
) -> bool {
    if !document.source.iter().any(|source| gather::is_page(source)) {
        return true;
    }
    let stood = |since: Timestamp| {
        now.since((Unit::Hour, since))
            .is_ok_and(|span| span.get_hours() >= FLAP_DAYS * 24)
    };
    let latest_stood = state.published.last().is_some_and(|p| stood(p.at)) && !state.flapping;
    let this_stood = state.seen == Some(seen) && state.seen_since.is_some_and(stood);
    latest_stood || this_stood
}

fn failed(
    workspace: &mut Workspace,
    document: &config::Document,
    state: &DocumentState,
    problem: ProblemSeen,
    captures: &[Capture],
    now: Timestamp,
) -> Result<Report, CheckError> {
    let mut observed = observation(document, None);
    if !captures.is_empty() {
        let hash = hash_of(captures);
        observed.capture = Some(hash);
        let joined: Vec<u8> = captures
            .iter()
            .flat_map(|c| c.bytes.iter().copied())
            .collect();
        // The same unreadable page night after night is kept once.
        let again = state.failing.as_ref().is_some_and(|f| f.problem == problem);
        if !again && !joined.is_empty() {
            observed.raw = Some(workspace.archive.keep_raw(&document.id, now, &joined)?);
        }
    }
    observed.problem = Some(problem.clone());
    // The alert first: a record that is cut off after it is made up for, one before it is not.
    let mut events = super::alerts::failing(workspace, document, state, &problem, now);
    events.push(Event::Observed(observed));
    workspace.record(now, events)?;
    let found = if problem.suspect {
        State::Suspect
    } else {
        State::Failed
    };
    let mut report = plain(document, found, state.latest());
    report.error = Some(format!("{}: {}", problem.code, problem.detail));
    Ok(report)
}

fn suspicion(
    workspace: &Workspace,
    document: &config::Document,
    state: &DocumentState,
    text: &Text,
) -> Result<Option<ProblemSeen>, CheckError> {
    let suspect = |code: &str, detail: String| {
        Some(ProblemSeen {
            code: code.to_owned(),
            detail,
            suspect: true,
        })
    };
    if let Some(found) = &text.document.suspect {
        return Ok(suspect(&found.code, found.detail.clone()));
    }
    let Some(latest) = state.latest() else {
        return Ok(None);
    };
    let before = workspace.version(&document.id, latest)?.words;
    let now = text.document.word_count();
    #[expect(clippy::cast_precision_loss, reason = "word counts are far below 2^52")]
    let share = now as f64 / before.max(1) as f64;
    if before >= SHRUNK_FROM && share < SHRUNK {
        let detail = format!(
            "the text shrank from {before} to {now} words; if that is right, run \
             `fairnotice check {} --accept`",
            document.id
        );
        return Ok(suspect("shrunk", detail));
    }
    Ok(None)
}

pub(super) fn plain(document: &config::Document, state: State, version: Option<Hash>) -> Report {
    Report {
        id: document.id.clone(),
        state,
        verdict: None,
        version,
        previous: None,
        redline: None,
        notices: Vec::new(),
        error: None,
        change: None,
        duties: None,
        warnings: Vec::new(),
        assist: Vec::new(),
        title: document
            .title
            .clone()
            .unwrap_or_else(|| document.id.clone()),
    }
}

pub(super) fn title_of(
    workspace: &Workspace,
    document: &config::Document,
    version: Option<Hash>,
) -> Result<Option<String>, CheckError> {
    if document.title.is_some() {
        return Ok(document.title.clone());
    }
    let Some(version) = version else {
        return Ok(None);
    };
    Ok(workspace.version(&document.id, version)?.title)
}

fn observation(document: &config::Document, captures: Option<(Hash, &[Capture])>) -> Observation {
    let validators = captures.map_or_else(Vec::new, |(_, captures)| {
        captures
            .iter()
            .filter(|c| c.etag.is_some() || c.last_modified.is_some())
            .map(|c| Validators {
                url: c.url.clone(),
                etag: c.etag.clone(),
                last_modified: c.last_modified.clone(),
                asked: Some(asked(document)),
            })
            .collect()
    });
    Observation {
        document: document.id.clone(),
        version: None,
        problem: None,
        capture: captures.map(|(hash, _)| hash),
        glance: None,
        imprint: None,
        raw: None,
        flapping: false,
        validators,
    }
}

/// What tells one way of asking for a document from another.
fn asked(document: &config::Document) -> Hash {
    let (source, headers) = (&document.source, &document.headers);
    Hash::of(format!("{source:?}\0{headers:?}\0{:?}", document.render).as_bytes())
}

fn hash_of(captures: &[Capture]) -> Hash {
    captures
        .iter()
        .fold(Hash::default(), |hash, capture| hash.link(&capture.bytes))
}

/// The folder of redlines, relative to the workspace.
pub(super) fn output_folder(kind: &str) -> std::path::PathBuf {
    Path::new("out").join(kind)
}
