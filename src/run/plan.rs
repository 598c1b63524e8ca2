//! The plan of a document: what its newest text owes to users, by the promises of the text in
//! force and the law packs of its jurisdictions.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Judged, Workspace, WorkspaceError, judge_reviewed};
use crate::{
    config,
    duty::{self, Plan, PlanInput, law},
    evidence::Hash,
    store::DocumentState,
};

/// A plan with what it was made of.
#[derive(Debug)]
pub struct Planned {
    /// The version in force, whose promises count.
    pub from: Hash,
    /// The version that is to take effect.
    pub to: Hash,
    /// The way from one to the other.
    pub judged: Judged,
    /// What must happen.
    pub plan: Plan,
}

/// The law packs of a workspace: the built-in ones, and those of its own `rules/law/*.toml`, which
/// win where an id is the same.
///
/// # Errors
/// When a file cannot be read or is wrong.
pub fn packs(workspace: &Workspace) -> Result<Vec<law::Entry>, WorkspaceError> {
    let mut entries = law::packs().to_vec();
    let folder = workspace.root().join("rules").join("law");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return Ok(entries);
    };
    let files: BTreeSet<_> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| law::LawError::Syntax {
            file: name.clone(),
            detail: error.to_string(),
        })?;
        for entry in law::parse(&name, &text)? {
            entries.retain(|other| other.id != entry.id);
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// The time zones of the configuration.
pub fn zones(config: &config::Config) -> Vec<TimeZone> {
    config
        .notice
        .time_zones
        .iter()
        .filter_map(|name| TimeZone::get(name).ok())
        .collect()
}

/// The days of the configuration that are no business days.
pub fn holidays(config: &config::Config) -> duty::calendar::Holidays {
    config.notice.holidays.iter().copied().collect()
}

/// Plans for findings and promises that are known already.
///
/// # Errors
/// When a law pack of the workspace is wrong.
pub fn of_judged(
    workspace: &Workspace,
    document: &config::Document,
    judged: &Judged,
    effective: Option<Date>,
    further: &[String],
    now: Timestamp,
) -> Result<Plan, WorkspaceError> {
    let entries = packs(workspace)?;
    let mut names = document.jurisdictions.clone();
    names.extend(further.iter().map(|name| name.to_lowercase()));
    let selected = law::select(&entries, &names, document.kind.as_str());
    let zones = zones(&workspace.config);
    let mut plan = duty::plan(&PlanInput {
        duties: &judged.duties,
        findings: &judged.assessment.findings,
        packs: &selected,
        house_lead_days: workspace.config.notice.house_lead_days,
        effective,
        now,
        zones: &zones,
        holidays: &holidays(&workspace.config),
    });
    let known = law::jurisdictions(&entries);
    for name in &names {
        let covered = known
            .iter()
            .any(|known| name == known || name.starts_with(&format!("{known}-")));
        if !covered {
            plan.remarks.push(format!(
                "there is no law pack for `{name}`: what the law there demands is not in this plan"
            ));
        }
    }
    Ok(plan)
}

/// The version whose promises count for the newest one, and the newest one.
pub fn way(state: &DocumentState, now: Timestamp) -> Option<(Hash, Hash)> {
    let to = state.latest()?;
    let mut before = state.clone();
    while before.published.last().is_some_and(|p| p.version == to) {
        before.published.pop();
    }
    let from = before
        .in_force(now)
        .or(before.published.last())
        .map(|publication| publication.version)?;
    Some((from, to))
}

/// Plans for the newest version of a document. The day of effect is the one given, else the one
/// on record, else the one that the text states.
///
/// # Errors
/// When the document is unknown, a text cannot be read, or there is only one version.
pub fn plan(
    workspace: &Workspace,
    id: &str,
    effective: Option<Date>,
    further: &[String],
    now: Timestamp,
) -> Result<Option<Planned>, WorkspaceError> {
    let document = workspace.document(id)?;
    let state = workspace.state(id)?;
    let Some((from, to)) = way(&state, now) else {
        return Ok(None);
    };
    let (old, new) = (workspace.text_of(id, from)?, workspace.text_of(id, to)?);
    let judged = judge_reviewed(workspace, id, &old, &new)?;
    let on_record = state.published.last();
    let withdrawn = on_record.is_some_and(|p| p.withdrawn);
    let effective = effective
        .or_else(|| on_record.and_then(|p| p.effective))
        .or(new
            .dates
            .effective
            .filter(|_| new.dates.effective != old.dates.effective));
    let mut plan = of_judged(workspace, document, &judged, effective, further, now)?;
    if withdrawn {
        plan.remarks.insert(
            0,
            "this version was withdrawn: nothing is owed unless a new date is set".to_owned(),
        );
    }
    Ok(Some(Planned {
        from,
        to,
        judged,
        plan,
    }))
}
