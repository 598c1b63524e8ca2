//! The notices that a campaign carries, held against what they are now.

use std::path::Path;

use jiff::Timestamp;

use super::{Campaign, CampaignError, state_folder, status};
use crate::{config, evidence::CampaignState, run::Workspace, store::CampaignFolder};

/// That the notices of a campaign are still what was frozen into it: approved, and with the same
/// words, dates and versions.
///
/// # Errors
/// When one of them changed since, or its approval fell: the campaign carries an old text.
pub fn check_notices(root: &Path, id: &str) -> Result<(), CampaignError> {
    let campaign = Campaign::find(root, id)?;
    // A folder that only sends what was approved elsewhere has no notices of its own.
    if !root.join(config::FILE).exists() {
        return Ok(());
    }
    let workspace = Workspace::read(root)?;
    for frozen in campaign.texts()?.notices {
        // A workspace that was cloned without its journal knows nothing of notices.
        let Some(now) = workspace.index().notice(&frozen.id)? else {
            continue;
        };
        let approved = now.is_approved(usize::from(campaign.definition.approvals));
        if !approved || now.hash() != frozen.hash() {
            return Err(CampaignError::Notice {
                id: frozen.id,
                why: format!(
                    "was changed after campaign {id} was made, which carries the old text; give \
                     it up (`fairnotice campaign cancel {id}`) and make one of the new text"
                ),
            });
        }
    }
    Ok(())
}

/// Campaigns that carry a notice: id, and whether anybody was written to.
///
/// # Errors
/// When a campaign cannot be read.
pub fn carrying(
    root: &Path,
    notice: &str,
    now: Timestamp,
) -> Result<Vec<(String, bool)>, CampaignError> {
    let mut found = Vec::new();
    for folder in CampaignFolder::all(&state_folder(root)) {
        let campaign = Campaign::find(root, folder.id())?;
        if !campaign.definition.notices.iter().any(|id| id == notice) {
            continue;
        }
        let report = status(root, folder.id(), now)?;
        if report.state != CampaignState::Cancelled {
            let sent = report.counts.pending < report.counts.recipients;
            found.push((folder.id().to_owned(), sent));
        }
    }
    Ok(found)
}
