//! What a change owes to users: the plan, and the notices drafted for it.

use jiff::{Timestamp, civil::Date};

use super::{
    Workspace,
    check::{Change, CheckError},
    notices::Material,
};
use crate::{config, duty::Plan, evidence::Hash, notice::Notice};

/// The plan of a change and its notices.
#[derive(Debug, Default)]
pub struct Owed {
    /// What must happen.
    pub plan: Plan,
    /// Drafts for it that were not there yet.
    pub notices: Vec<Notice>,
}

/// Plans and drafts what is owed for the way from one version to another.
///
/// # Errors
/// When a text cannot be read, or a template is wrong.
pub fn owed(
    workspace: &Workspace,
    document: &config::Document,
    from: Hash,
    to: Hash,
    effective: Option<Date>,
    change: &Change,
    now: Timestamp,
) -> Result<Owed, CheckError> {
    // The promises that count are those of the text in force, which need not be the text that
    // the change was reported against.
    let material = if change.in_force.is_some() {
        Material::load(workspace, &document.id, from, to, effective, now)?
    } else {
        Material::of_change(workspace, document, from, to, effective, change, now)?
    };
    let notices = super::notices::drafts(workspace, &material, now)?;
    Ok(Owed {
        plan: material.into_plan(),
        notices,
    })
}
