//! Another day of effect: the notices that name the old one are written anew, and whoever has been
//! told already is counted.

use jiff::{Timestamp, civil::Date};

use super::{
    Workspace,
    notices::{Desk, NoticesError, list, set_day},
};
use crate::{
    evidence::Hash,
    notice::{Effect, Notice, State},
};

/// What another day of effect means for the notices of a version.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// Written anew; their approvals fell.
    pub anew: Vec<Notice>,
    /// Of those, the ones that had been approved.
    pub fallen: Vec<String>,
    /// Put up already, with the old day in them: they need a correction.
    pub out: Vec<Notice>,
    /// A person set another day on them, which stays.
    pub by_hand: Vec<Notice>,
    /// Campaigns that have sent nothing yet and carry an old text: they cannot be sent any more.
    pub campaigns: Vec<String>,
}

/// Writes the notices of a version anew that name another day of effect than `day`; what people
/// edited in them is kept.
///
/// # Errors
/// When a text cannot be read, or a template is wrong.
pub fn rewrite(
    workspace: &mut Workspace,
    document: &str,
    version: Hash,
    day: Option<Date>,
    now: Timestamp,
) -> Result<Rewritten, NoticesError> {
    let version = version.to_string();
    let mut result = Rewritten::default();
    for notice in list(workspace, Some(document))? {
        if notice.versions.new != version || notice.effective == day {
            continue;
        }
        match notice.state {
            State::Cancelled => {}
            State::Published => result.out.push(notice),
            State::Drafted | State::Approved if set_day(&notice).is_some() => {
                result.by_hand.push(notice);
            }
            State::Approved if sent(workspace, &notice, &mut result, now)? => {
                result.out.push(notice);
            }
            State::Drafted | State::Approved => {
                let approved = notice.state == State::Approved;
                let mut desk = Desk::at(workspace, notice, day, now)?;
                let mut effects = desk.anew(now)?;
                effects.retain(|effect| !matches!(effect, Effect::Write | Effect::Check));
                let done = desk.save(workspace, "written anew", "fairnotice", effects, now)?;
                if approved {
                    result.fallen.push(done.notice.id.clone());
                }
                result.anew.push(done.notice);
            }
        }
    }
    Ok(result)
}

/// Whether a campaign has written to anybody with a notice; campaigns that have not are noted.
fn sent(
    workspace: &Workspace,
    notice: &Notice,
    result: &mut Rewritten,
    now: Timestamp,
) -> Result<bool, NoticesError> {
    let mut any = false;
    let carrying = super::campaign::carrying(workspace.root(), &notice.id, now);
    for (campaign, sent) in carrying.map_err(Box::new)? {
        any |= sent;
        if !sent && !result.campaigns.contains(&campaign) {
            result.campaigns.push(campaign);
        }
    }
    Ok(any)
}
