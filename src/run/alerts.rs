//! Alerts to the team: which are due. They are recorded together with what they are about, so that
//! an alert is never lost; they go out afterwards.

use jiff::{Timestamp, Unit};

use super::{
    Workspace, WorkspaceError,
    check::{Change, Report},
};
use crate::{
    assess::{Finding, Severity, Verdict},
    config::{self, Alert, Threshold},
    evidence::Hash,
    render::wording,
    store::{AlertRecord, DocumentState, Event, ProblemSeen},
};

/// The alerts that concern a document, by name.
fn concerning<'a>(
    workspace: &'a Workspace,
    document: &'a config::Document,
) -> impl Iterator<Item = (&'a String, &'a Alert)> {
    workspace.config.alerts.iter().filter(|(name, _)| {
        document
            .alerts
            .as_ref()
            .is_none_or(|names| names.contains(name))
    })
}

fn threshold(alert: &Alert) -> Verdict {
    match alert.at_least {
        Some(Threshold::Editorial) => Verdict::Editorial,
        Some(Threshold::Material) => Verdict::Material,
        Some(Threshold::Substantive) | None => Verdict::Substantive,
    }
}

/// Alerts due because of a change.
///
/// # Errors
/// When the index is damaged.
pub fn due(
    workspace: &Workspace,
    document: &config::Document,
    state: &DocumentState,
    report: &Report,
    change: &Change,
    now: Timestamp,
) -> Result<Vec<Event>, WorkspaceError> {
    let assessment = &change.judged.assessment;
    let mut events = Vec::new();
    for (name, alert) in concerning(workspace, document) {
        let on_topic = |finding: &&Finding| {
            let topic = serde_json::to_value(finding.topic).unwrap_or_default();
            let named = |wanted: &String| topic.as_str() == Some(wanted);
            alert.topics.iter().any(named)
        };
        // With topics, what counts is the gravest finding on one of them.
        let verdict = if alert.topics.is_empty() {
            Some(assessment.verdict)
        } else {
            let severities = assessment.findings.iter().filter(on_topic);
            severities
                .map(|finding| match finding.severity {
                    Severity::Material => Verdict::Material,
                    Severity::Substantive => Verdict::Substantive,
                })
                .max()
        };
        if verdict.is_none_or(|verdict| verdict < threshold(alert)) {
            continue;
        }
        let detail = format!(
            "{}: {} change, {}",
            report.title,
            wording::code(&assessment.verdict),
            wording::count(assessment.findings.len(), "finding")
        );
        // The number of the publication tells a return to an old text from the first time.
        let about = format!(
            "{name}\0{}\0changed\0{:?}\0{:?}\0{}",
            document.id,
            report.version,
            report.previous,
            state.published.len()
        );
        events.push(Event::AlertDue(AlertRecord {
            id: Hash::of(about.as_bytes()).short(),
            alert: name.clone(),
            document: document.id.clone(),
            what: "changed".to_owned(),
            version: report.version,
            against: report.previous,
            verdict: Some(assessment.verdict),
            detail,
            due: now,
        }));
    }
    Ok(events)
}

/// Alerts due because a page was found to alternate between known versions.
pub fn flapping(
    workspace: &Workspace,
    document: &config::Document,
    state: &DocumentState,
    detail: &str,
    now: Timestamp,
) -> Vec<Event> {
    let since = format!("{}\0{:?}", state.published.len(), state.seen_since);
    oddity(workspace, document, state, "flapping", &since, detail, now)
}

/// An alert to all that want to hear of what goes wrong; `since` tells one time from the next.
fn oddity(
    workspace: &Workspace,
    document: &config::Document,
    state: &DocumentState,
    what: &str,
    since: &str,
    detail: &str,
    now: Timestamp,
) -> Vec<Event> {
    concerning(workspace, document)
        .filter(|(_, alert)| alert.failures.unwrap_or(true))
        .map(|(name, _)| {
            let about = format!("{name}\0{}\0{what}\0{since}", document.id);
            Event::AlertDue(AlertRecord {
                id: Hash::of(about.as_bytes()).short(),
                alert: name.clone(),
                document: document.id.clone(),
                what: what.to_owned(),
                version: state.latest(),
                against: None,
                verdict: None,
                detail: detail.to_owned(),
                due: now,
            })
        })
        .collect()
}

/// Hours after which a lasting failure is said again: a day, a week, then every four weeks.
const AGAIN: [i32; 2] = [24, 7 * 24];
const FOUR_WEEKS: i32 = 28 * 24;

/// Alerts due because a look failed: at once, and again when it lasts.
pub fn failing(
    workspace: &Workspace,
    document: &config::Document,
    state: &DocumentState,
    problem: &ProblemSeen,
    now: Timestamp,
) -> Vec<Event> {
    if !says_again(state, now) {
        return Vec::new();
    }
    let since = state.failing.as_ref().map_or(now, |failing| failing.since);
    let what = if problem.suspect {
        "suspect"
    } else {
        "failing"
    };
    // What went well last and how long it has lasted name the occasion, not the hour of this run:
    // a run that repeats one that was cut off says it once.
    let occasion = format!("{:?}\0{}", state.last_good, occasion(state, now));
    let detail = format!("{} (since {since})", problem.detail);
    oddity(workspace, document, state, what, &occasion, &detail, now)
}

/// How many times a lasting failure has been news by now.
fn occasion(state: &DocumentState, now: Timestamp) -> i32 {
    let Some(failing) = &state.failing else {
        return 0;
    };
    let lasting = hours(failing.since, now);
    let passed = AGAIN.iter().filter(|limit| lasting >= **limit).count();
    1 + i32::try_from(passed).unwrap_or_default() + lasting / FOUR_WEEKS
}

fn hours(since: Timestamp, until: Timestamp) -> i32 {
    until
        .since((Unit::Hour, since))
        .map_or(0, |span| span.get_hours())
}

/// Whether a failure at `now` is news: the first one, or the first after a threshold was passed.
pub fn says_again(state: &DocumentState, now: Timestamp) -> bool {
    let Some(failing) = &state.failing else {
        return true;
    };
    let (before, lasting) = (
        hours(failing.since, failing.last),
        hours(failing.since, now),
    );
    AGAIN
        .iter()
        .any(|limit| before < *limit && lasting >= *limit)
        || before / FOUR_WEEKS != lasting / FOUR_WEEKS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Failing;

    fn failing_since(hours_before_last: i64, last: Timestamp) -> DocumentState {
        DocumentState {
            failing: Some(Failing {
                since: last - jiff::SignedDuration::from_hours(hours_before_last),
                last,
                looks: 1,
                problem: ProblemSeen {
                    code: "http-500".to_owned(),
                    detail: String::new(),
                    suspect: false,
                },
            }),
            ..DocumentState::default()
        }
    }

    #[test]
    fn a_nightly_failure_is_said_at_once_after_a_day_a_week_and_every_four_weeks() {
        let start: Timestamp = "2027-01-01T03:00:00Z".parse().unwrap();
        let mut said = vec![];
        for night in 0..100 {
            let now = start + jiff::SignedDuration::from_hours(24 * night);
            let state = if night == 0 {
                DocumentState::default()
            } else {
                failing_since(24 * (night - 1), now - jiff::SignedDuration::from_hours(24))
            };
            if says_again(&state, now) {
                said.push(night);
            }
        }
        assert_eq!(said, [0, 1, 7, 28, 56, 84]);
    }
}
