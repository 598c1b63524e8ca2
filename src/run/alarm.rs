//! Sends the alerts that are due. Which ones follows from the journal: an alert without a record
//! of its going out is due, whatever happened to the run that should have sent it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

use super::{Workspace, WorkspaceError, judge_reviewed, redline};
use crate::{
    config::{Alert, AlertKind},
    deliver::alert::{
        AlertError, AlertFinding, AlertMessage, Excerpt, MailSettings, atom, json_feed, mail,
        markdown_file, post, run_program,
    },
    evidence::Hash,
    read::Document,
    render::{Head, Passage, VersionHead, quoted, wording},
    store::{AlertRecord, AlertState, Event, Table},
};

/// Bytes of changed passages that one change shows in a mail or a feed.
const SHOWN: usize = 24_000;

/// Alerts that a target may refuse in one run before it is left alone until the next.
const REFUSALS: usize = 3;

/// How the alerts of one name went.
#[derive(Debug)]
pub struct Sent {
    /// Name of the alert.
    pub name: String,
    /// How many went out.
    pub count: usize,
    /// Why the others did not; they stay due.
    pub error: Option<String>,
}

/// Sends everything that is due, alert by alert: one digest for a mail, one message each for the
/// others. What went out is recorded at once, for each target: one that refuses neither holds up
/// the others nor has them told again.
///
/// # Errors
/// When the workspace cannot be read or written; an alert that fails is part of the answer.
pub fn send_due(
    workspace: &mut Workspace,
    now: Timestamp,
    smtp_password: Option<&str>,
) -> Result<Vec<Sent>, WorkspaceError> {
    let mut due: BTreeMap<String, Vec<AlertState>> = BTreeMap::new();
    for state in workspace.index().all::<AlertState>(Table::Alerts, "")? {
        if state.done.is_none() {
            due.entry(state.alert.alert.clone())
                .or_default()
                .push(state);
        }
    }
    if due.is_empty() {
        return Ok(Vec::new());
    }
    for states in due.values_mut() {
        states.sort_by(|a, b| (a.alert.due, &a.alert.id).cmp(&(b.alert.due, &b.alert.id)));
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return Ok(Vec::new());
    };
    // Another part of the program may have chosen the provider already; that is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let mut sent = Vec::new();
    for (name, states) in due {
        let Some(alert) = workspace.config.alerts.get(&name).cloned() else {
            sent.push(Sent {
                name: name.clone(),
                count: 0,
                error: Some(format!("[alerts.{name}] is no longer in fairnotice.toml")),
            });
            continue;
        };
        sent.push(send_all(
            workspace,
            now,
            &runtime,
            (&name, &alert),
            &states,
            smtp_password,
        )?);
    }
    Ok(sent)
}

/// Sends what is due of one alert, to each of its targets.
fn send_all(
    workspace: &mut Workspace,
    now: Timestamp,
    runtime: &tokio::runtime::Runtime,
    (name, alert): (&str, &Alert),
    states: &[AlertState],
    smtp_password: Option<&str>,
) -> Result<Sent, WorkspaceError> {
    let targets = targets(alert);
    let mut refused: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    let mut batches: VecDeque<&[AlertState]> = batches(alert, states).into();
    // In their order; once somebody has refused one, the newest first, so that an alert that is
    // refused every night does not keep those after it from being tried.
    while let Some(batch) = match refused.is_empty() {
        true => batches.pop_front(),
        false => batches.pop_back(),
    } {
        let given_up = |target: &Option<&str>| {
            let refusals = refused.get(target).map_or(0, Vec::len);
            refusals >= REFUSALS
        };
        let waiting: Vec<Option<&str>> = targets
            .iter()
            .copied()
            .filter(|target| !given_up(target) && !reached(batch, *target))
            .collect();
        // Whoever is left has refused too often in this run.
        let mut whole = !targets
            .iter()
            .any(|target| given_up(target) && !reached(batch, *target));
        if waiting.is_empty() && !whole {
            continue;
        }
        let mut messages = Vec::new();
        for state in batch {
            match message(workspace, &state.alert, alert) {
                Ok(message) => messages.push(message),
                // A snapshot that was taken away must not hold up all other alerts: what the
                // journal knows is said without it.
                Err(said) => {
                    tracing::warn!(
                        "an alert of [alerts.{name}] goes out without its findings: {said}"
                    );
                    messages.push(bare(workspace, &state.alert, &said.to_string()));
                }
            }
        }
        for target in waiting {
            let outcome = runtime.block_on(send(
                workspace,
                (name, alert),
                target,
                &messages,
                smtp_password,
            ));
            match outcome {
                Ok(()) if targets.len() > 1 => {
                    workspace.record(now, reaches(&messages, target))?;
                }
                Ok(()) => {}
                Err(error) => {
                    refused.entry(target).or_default().push(error.to_string());
                    whole = false;
                }
            }
        }
        if whole {
            let done = messages
                .iter()
                .map(|message| Event::AlertDone {
                    id: message.id.clone(),
                })
                .collect();
            workspace.record(now, done)?;
            count += messages.len();
        }
    }
    // A mistake in the configuration is the same for all.
    let refusals: BTreeSet<String> = refused.into_values().flatten().collect();
    Ok(Sent {
        name: name.to_owned(),
        count,
        error: (!refusals.is_empty()).then(|| refusals.into_iter().collect::<Vec<_>>().join("; ")),
    })
}

/// Each address or server that is told by itself; `None` for files and programs, which are told
/// all at once and of which an alert that they have changes nothing.
fn targets(alert: &Alert) -> Vec<Option<&str>> {
    match alert.kind {
        AlertKind::Email | AlertKind::Webhook | AlertKind::Slack | AlertKind::Teams => {
            alert.to.iter().map(|to| Some(to.as_str())).collect()
        }
        AlertKind::Atom | AlertKind::Jsonfeed | AlertKind::Markdown | AlertKind::Command => {
            vec![None]
        }
    }
}

fn imprint(target: Option<&str>) -> Hash {
    Hash::of(target.unwrap_or_default().as_bytes())
}

/// Whether a target has all of these alerts already.
fn reached(batch: &[AlertState], target: Option<&str>) -> bool {
    let imprint = imprint(target);
    batch.iter().all(|state| state.reached.contains(&imprint))
}

fn reaches(messages: &[AlertMessage], target: Option<&str>) -> Vec<Event> {
    messages
        .iter()
        .map(|message| Event::AlertReached {
            id: message.id.clone(),
            target: imprint(target),
        })
        .collect()
}

/// What goes out as one: a digest of what one run found, in a mail; everything, in a feed; else
/// each alert by itself. A digest that is sent again after a crash holds the same alerts, and so
/// has the same Message-ID.
fn batches<'a>(alert: &Alert, states: &'a [AlertState]) -> Vec<&'a [AlertState]> {
    match alert.kind {
        AlertKind::Email => states.chunk_by(|a, b| a.alert.due == b.alert.due).collect(),
        AlertKind::Atom | AlertKind::Jsonfeed | AlertKind::Markdown => vec![states],
        _ => states.chunks(1).collect(),
    }
}

async fn send(
    workspace: &Workspace,
    (name, alert): (&str, &Alert),
    target: Option<&str>,
    messages: &[AlertMessage],
    smtp_password: Option<&str>,
) -> Result<(), AlertError> {
    let root = workspace.root();
    let organisation = workspace.config.organisation.name.trim();
    let title = match organisation {
        "" => format!("Policy alerts: {name}"),
        organisation => format!("{organisation} policy alerts: {name}"),
    };
    let secret = match &alert.secret_file {
        Some(file) => {
            let text = std::fs::read_to_string(root.join(file)).map_err(|e| {
                AlertError::Setup(format!("[alerts.{name}] secret_file {file}: {e}"))
            })?;
            Some(text.trim().as_bytes().to_vec())
        }
        None => None,
    };
    // A file that cannot be written holds up no other; those that are written know what they have.
    let each = |write: &dyn Fn(&str) -> Result<(), AlertError>| {
        let all: Vec<_> = alert.to.iter().map(|file| write(file)).collect();
        all.into_iter().collect::<Result<(), _>>()
    };
    match alert.kind {
        AlertKind::Email => {
            let settings = &workspace.config.mail;
            let need = |key: &str, value: &Option<String>| {
                value.clone().ok_or_else(|| {
                    AlertError::Setup(format!("[mail] {key} is needed for alerts by mail"))
                })
            };
            let password = match (smtp_password, &settings.password_file) {
                (Some(password), _) => Some(password.to_owned()),
                (None, Some(file)) => std::fs::read_to_string(root.join(file))
                    .ok()
                    .map(|text| text.trim().to_owned()),
                (None, None) => None,
            };
            let settings = MailSettings {
                smtp: need("smtp", &settings.smtp)?,
                password,
                from: need("from", &settings.from)?,
                to: alert.to.clone(),
            };
            mail(&settings, target.unwrap_or_default(), messages).await
        }
        AlertKind::Webhook | AlertKind::Slack | AlertKind::Teams => {
            for message in messages {
                let body = match alert.kind {
                    AlertKind::Slack => message.slack(),
                    AlertKind::Teams => message.teams(),
                    _ => message.json(),
                };
                let body = body.to_string().into_bytes();
                let to = target.unwrap_or_default();
                post(to, body, &message.id, secret.as_deref()).await?;
            }
            Ok(())
        }
        AlertKind::Atom => each(&|file| atom(&root.join(file), &title, messages)),
        AlertKind::Jsonfeed => each(&|file| json_feed(&root.join(file), &title, messages)),
        AlertKind::Markdown => each(&|file| markdown_file(&root.join(file), messages)),
        AlertKind::Command => {
            for message in messages {
                let input = message.json().to_string();
                let limit = Duration::from_secs(60);
                run_program(&alert.command, root, input.as_bytes(), limit).await?;
            }
            Ok(())
        }
    }
}

/// What an alert says, from what is stored: the same whenever it is sent.
fn message(
    workspace: &Workspace,
    record: &AlertRecord,
    alert: &Alert,
) -> Result<AlertMessage, WorkspaceError> {
    let configured = workspace.config.document(&record.document);
    let source = configured.map(|d| d.source.join(", ")).unwrap_or_default();
    let mut title = configured.and_then(|d| d.title.clone());
    let mut findings = Vec::new();
    let (mut redline, mut page) = (None, None);
    let (mut passages, mut untold) = (Vec::new(), 0);
    if let (Some(version), Some(against)) = (record.version, record.against) {
        let new = workspace.text_of(&record.document, version)?;
        let old = workspace.text_of(&record.document, against)?;
        title = title.or_else(|| new.title.clone());
        let judged = judge_reviewed(workspace, &record.document, &old, &new)?;
        let found = judged.assessment.findings.iter();
        findings = found.map(|one| finding(one, &old, &new)).collect();
        let file = format!(
            "out/redlines/{}-{}-{}.html",
            record.document,
            against.short(),
            version.short()
        );
        redline = Some(workspace.root().join(file).display().to_string());
        let head = Head {
            old: VersionHead {
                name: against.short(),
                ..VersionHead::default()
            },
            new: VersionHead {
                name: version.short(),
                ..VersionHead::default()
            },
            author: workspace.config.organisation.name.clone(),
            made: Some(record.due),
        };
        if matches!(
            alert.kind,
            AlertKind::Email | AlertKind::Atom | AlertKind::Jsonfeed
        ) {
            let shown = redline::passages(&old, &new, &judged, &head);
            (passages, untold) = place(shown, &judged.assessment.findings, &mut findings);
        }
        if alert.kind == AlertKind::Email {
            page = redline::html(&old, &new, &judged, &head).ok();
        }
    }
    Ok(AlertMessage {
        id: record.id.clone(),
        document: record.document.clone(),
        title: title.unwrap_or_else(|| record.document.clone()),
        source,
        what: record.what.clone(),
        verdict: record.verdict.as_ref().map(wording::code),
        detail: record.detail.clone(),
        version: record.version.map(|v| v.to_string()),
        against: record.against.map(|v| v.to_string()),
        due: record.due,
        findings,
        redline,
        redline_page: page,
        passages,
        untold,
    })
}

/// What is left to say when the texts cannot be read.
fn bare(workspace: &Workspace, record: &AlertRecord, why: &str) -> AlertMessage {
    let configured = workspace.config.document(&record.document);
    AlertMessage {
        id: record.id.clone(),
        document: record.document.clone(),
        title: configured
            .and_then(|d| d.title.clone())
            .unwrap_or_else(|| record.document.clone()),
        source: configured.map(|d| d.source.join(", ")).unwrap_or_default(),
        what: record.what.clone(),
        verdict: record.verdict.as_ref().map(wording::code),
        detail: format!("{} ({why})", record.detail),
        version: record.version.map(|v| v.to_string()),
        against: record.against.map(|v| v.to_string()),
        due: record.due,
        findings: Vec::new(),
        redline: None,
        redline_page: None,
        passages: Vec::new(),
        untold: 0,
    }
}

/// Puts each passage to the first finding that it holds; gives those without one, and how many are
/// left out because a mail must stay readable.
fn place(
    passages: Vec<Passage>,
    judged: &[crate::assess::Finding],
    findings: &mut [AlertFinding],
) -> (Vec<Excerpt>, usize) {
    let (mut others, mut untold, mut room) = (Vec::new(), 0, SHOWN);
    let (found, plain): (Vec<Passage>, Vec<Passage>) = passages
        .into_iter()
        .partition(|passage| !passage.findings.is_empty());
    // What was found comes first, and so has the room first.
    for passage in found.into_iter().chain(plain) {
        let excerpt = Excerpt {
            heading: passage.heading(),
            text: passage.text(),
            html: passage.html(),
        };
        if excerpt.text.is_empty() {
            continue;
        }
        if excerpt.text.len() > room {
            untold += 1;
            continue;
        }
        room -= excerpt.text.len();
        let of = judged
            .iter()
            .position(|finding| passage.findings.contains(&finding.id))
            .and_then(|index| findings.get_mut(index));
        match of {
            Some(finding) => finding.passages.push(excerpt),
            None => others.push(excerpt),
        }
    }
    (others, untold)
}

fn finding(finding: &crate::assess::Finding, old: &Document, new: &Document) -> AlertFinding {
    let path = if finding.section.new.is_empty() {
        &finding.section.old
    } else {
        &finding.section.new
    };
    AlertFinding {
        severity: wording::code(&finding.severity),
        direction: wording::code(&finding.direction),
        topic: wording::code(&finding.topic),
        section: match path.last() {
            Some(label) if *label != finding.section.title => {
                format!("{label} {}", finding.section.title)
            }
            _ if finding.section.title.is_empty() => "before the first section".to_owned(),
            _ => finding.section.title.clone(),
        },
        summary: finding.summary.clone(),
        before: finding.old.as_ref().map(|quote| quoted(old, quote)),
        after: finding.new.as_ref().map(|quote| quoted(new, quote)),
        passages: Vec::new(),
    }
}

/// Calls the heartbeat URL: a watcher of the watcher is told that a run was good.
///
/// # Errors
/// When the server does not accept it.
pub fn heartbeat(url: &str) -> Result<(), AlertError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| AlertError::Setup(format!("cannot start the network runtime: {e}")))?;
    // Another part of the program may have chosen the provider already; that is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(post(url, b"{}".to_vec(), "heartbeat", None))
}
