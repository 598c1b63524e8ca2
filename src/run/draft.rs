//! A draft is compared with the text in force before it is published: what it changes, and what is
//! owed to whom.

use jiff::{Timestamp, civil::Date};

use super::{
    Workspace, capture,
    check::{Change, CheckError, Report, State, plain, title_of},
    keep::keep,
};
use crate::{
    fetch::Capture,
    read,
    store::{Event, Origin},
};

/// A draft that is checked before it is published.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The document.
    pub document: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The file's name.
    pub name: String,
    /// The planned effective date.
    pub effective: Option<Date>,
}

/// Checks a draft against the text in force; it is stored, but not published.
///
/// # Errors
/// When the draft cannot be read or nothing is in force yet.
pub fn check_draft(
    workspace: &mut Workspace,
    draft: &Draft,
    now: Timestamp,
) -> Result<Report, CheckError> {
    let document = workspace.document(&draft.document)?.clone();
    let state = workspace.state(&document.id)?;
    let Some(in_force) = state.in_force(now).map(|publication| publication.version) else {
        return Err(CheckError::NothingInForce(document.id));
    };
    let capture = Capture {
        bytes: draft.bytes.clone(),
        media_type: None,
        hops: Vec::new(),
        url: draft.name.clone(),
        etag: None,
        last_modified: None,
        rendered: false,
    };
    let text = capture::read_captures(
        std::slice::from_ref(&capture),
        &capture::selectors(&document),
    )
    .map_err(|source| CheckError::Draft {
        name: draft.name.clone(),
        source,
    })?;
    let known = workspace
        .index()
        .by_key(&document.id, read::EQUIVALENCE, text.key)?;
    let version = match known {
        Some(version) => version.id,
        None => {
            let version = keep(
                &workspace.archive,
                &document,
                &text,
                std::slice::from_ref(&capture),
                Origin::Draft,
                now,
            )?;
            let id = version.id;
            workspace.record(now, vec![Event::VersionStored(version)])?;
            id
        }
    };
    let mut report = plain(&document, State::Changed, Some(version));
    if let Some(title) = title_of(workspace, &document, Some(version))? {
        report.title = title;
    }
    report.previous = Some(in_force);
    if version == in_force {
        report.state = State::Unchanged;
        return Ok(report);
    }
    let mut change = Change::judge(workspace, &document.id, in_force, version, &mut report)?;
    let effective = draft.effective.or(change.new.dates.effective);
    let owed = super::owed::owed(
        workspace, &document, in_force, version, effective, &change, now,
    )?;
    report.notices = owed
        .notices
        .iter()
        .map(|notice| notice.id.clone())
        .collect();
    let events = owed
        .notices
        .into_iter()
        .map(|notice| Event::NoticeSaved {
            action: "drafted".to_owned(),
            by: "fairnotice".to_owned(),
            notice: Box::new(notice),
        })
        .collect();
    change.plan = Some(owed.plan);
    report.redline = Some(super::redline::write(
        workspace, &document, in_force, version, &change, now,
    )?);
    workspace.record(now, events)?;
    // A draft that is looked at again with another day has notices of the first look.
    let again = super::rewrite::rewrite(workspace, &document.id, version, effective, now)?;
    report
        .notices
        .extend(again.anew.into_iter().map(|notice| notice.id));
    report.change = Some(Box::new(change));
    Ok(report)
}
