//! A document's stored history held against its promises.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use super::{Workspace, WorkspaceError, confirm, judge_reviewed, plan};
use crate::{
    config,
    duty::{
        self, Channel,
        audit::{AuditedVersion, Looks, NoticeRecord, PastVersion, Side},
        consent::{self, Response, Tally},
    },
    notice::{self, Notice},
    store::{Event, Journal},
};

/// The audit of a document.
#[derive(Debug)]
pub struct Audit {
    /// Whose document it is.
    pub side: Side,
    /// Each publication but the first, oldest first.
    pub versions: Vec<AuditedVersion>,
    /// Acceptances and refusals for each version that has any.
    pub answers: BTreeMap<String, Tally>,
}

/// What was noted when acceptances were imported.
pub const ACCEPTANCES: &str = "acceptance-imported";

/// Audits a document; `asked` are the normalised persons whose consent was asked for.
///
/// # Errors
/// When the document is unknown or a text cannot be read.
pub fn audit(
    workspace: &Workspace,
    id: &str,
    asked: Option<&[String]>,
    now: Timestamp,
) -> Result<Audit, WorkspaceError> {
    let document = workspace.document(id)?;
    let side = match document.side {
        config::Side::Owner => Side::Owner,
        config::Side::Watcher => Side::Watcher,
    };
    let state = workspace.state(id)?;
    let notices: Vec<Notice> = workspace
        .index()
        .notices()?
        .into_iter()
        .filter(|notice| notice.document == id)
        .collect();
    let (sent, responses, looks) = recorded(workspace, id)?;
    let entries = plan::packs(workspace)?;
    let selected = if side == Side::Owner {
        duty::law::select(&entries, &document.jurisdictions, document.kind.as_str())
    } else {
        // Which law binds somebody else is not ours to say.
        Vec::new()
    };
    let mut history = Vec::new();
    for (index, publication) in state.published.iter().enumerate().skip(1) {
        let mut before = state.clone();
        before.published.truncate(index);
        let Some(from) = before
            .in_force(publication.at)
            .or(before.published.last())
            .map(|p| p.version)
        else {
            continue;
        };
        if from == publication.version {
            continue;
        }
        let (old, new) = (
            workspace.text_of(id, from)?,
            workspace.text_of(id, publication.version)?,
        );
        let judged = judge_reviewed(workspace, id, &old, &new)?;
        let mut triggered = duty::triggered(&judged.duties.duties, &judged.assessment.findings);
        for entry in &selected {
            let because: Vec<String> = judged
                .assessment
                .findings
                .iter()
                .filter(|finding| entry.triggered_by(finding))
                .map(|finding| finding.id.clone())
                .collect();
            if !because.is_empty() {
                triggered.push((entry.duty(), because));
            }
        }
        let version = publication.version.to_string();
        history.push(PastVersion {
            notices: notices
                .iter()
                .filter(|notice| notice.versions.new == version)
                .map(|notice| {
                    record(
                        notice,
                        sent.get(&notice.id).copied(),
                        looks.get(&notice.id).cloned().unwrap_or_default(),
                    )
                })
                .collect(),
            version,
            published: publication.at,
            effective: publication.effective,
            withdrawn: publication.withdrawn,
            triggered,
        });
    }
    let versions = duty::audit::audit(
        &history,
        side,
        workspace.config.notice.house_lead_days,
        &plan::zones(&workspace.config),
        &plan::holidays(&workspace.config),
        now,
    );
    let mut answers = BTreeMap::new();
    for publication in &state.published {
        let version = publication.version.to_string();
        let tally = consent::tally(&responses, &version, asked);
        if tally.accepted + tally.refused > 0 {
            answers.insert(version, tally);
        }
    }
    Ok(Audit {
        side,
        versions,
        answers,
    })
}

/// What the journal holds for an audit: when the campaigns of notices finished, the answers that
/// were imported, and what looks at the places of notices showed.
type Recorded = (
    BTreeMap<String, Timestamp>,
    Vec<Response>,
    BTreeMap<String, Looks>,
);

fn recorded(workspace: &Workspace, id: &str) -> Result<Recorded, WorkspaceError> {
    let mut sent: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut responses: Vec<Response> = Vec::new();
    let mut looks: BTreeMap<String, Looks> = BTreeMap::new();
    Journal::replay(&workspace.journal_file(), 0, |entry, _| {
        match entry.event {
            Event::Campaign {
                action, notices, ..
            } if action == "finished" => {
                for notice in notices {
                    sent.entry(notice).or_insert(entry.time);
                }
            }
            Event::Noted {
                subject,
                what,
                data,
            } if what == ACCEPTANCES && subject == id => {
                if let Ok(some) = serde_json::from_value::<Vec<Response>>(data) {
                    responses.extend(some);
                }
            }
            Event::Noted {
                subject,
                what,
                data,
            } if what == confirm::LOOKED_AT => {
                let seen = serde_json::from_value::<confirm::Look>(data).ok();
                if let Some(stands) = seen.and_then(|look| look.stands) {
                    let looks = looks.entry(subject).or_default();
                    let day = entry.time.to_zoned(TimeZone::UTC).date();
                    let days = if stands {
                        &mut looks.shown
                    } else {
                        &mut looks.missing
                    };
                    if !days.contains(&day) {
                        days.push(day);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok((sent, responses, looks))
}

fn record(notice: &Notice, mailed: Option<Timestamp>, looks: Looks) -> NoticeRecord {
    let channel = match notice.channel {
        notice::Channel::Email => Channel::Email,
        notice::Channel::InProduct => Channel::InProduct,
        notice::Channel::Push => Channel::Push,
        notice::Channel::Sms => Channel::Sms,
        notice::Channel::Letter => Channel::Post,
        notice::Channel::Website | notice::Channel::Announcement => Channel::Website,
        _ => Channel::Other,
    };
    let first = notice.publications.iter().min_by_key(|p| p.from);
    NoticeRecord {
        id: notice.id.clone(),
        channel,
        at: mailed.or(first.map(|p| p.from)),
        // A place that is no address cannot be looked at: the record is a person's word.
        looks,
    }
}

/// Records imported acceptances and refusals for a document.
///
/// # Errors
/// When the document is unknown or the journal cannot be written.
pub fn import(
    workspace: &mut Workspace,
    id: &str,
    responses: &[Response],
    now: Timestamp,
) -> Result<(), WorkspaceError> {
    workspace.document(id)?;
    let data = serde_json::to_value(responses).unwrap_or_default();
    workspace.record(
        now,
        vec![Event::Noted {
            subject: id.to_owned(),
            what: ACCEPTANCES.to_owned(),
            data,
        }],
    )
}
