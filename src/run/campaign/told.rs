//! What happens to a campaign is also a line in the workspace's journal, so that the history of
//! a document shows when its notices went out; the campaign's own ledger has the rest.

use std::{path::Path, time::Duration};

use jiff::Timestamp;

use super::{Campaign, CampaignError};
use crate::{config, run::Workspace, store::Event};

/// How long to wait for a run that holds the workspace.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes a line into the workspace's journal. A folder without a configuration has none.
///
/// # Errors
/// When the workspace cannot be written. The campaign is as it is all the same.
pub fn tell(
    root: &Path,
    id: &str,
    action: &str,
    by: &str,
    now: Timestamp,
) -> Result<(), CampaignError> {
    if !root.join(config::FILE).exists() {
        return Ok(());
    }
    let campaign = Campaign::find(root, id)?;
    let mut workspace = Workspace::write(root, "campaign", now, PATIENCE)?;
    let known = workspace.index().campaign(campaign.folder.id())?;
    if known.is_some_and(|known| known.action == action) {
        return Ok(());
    }
    let event = Event::Campaign {
        id: campaign.folder.id().to_owned(),
        action: action.to_owned(),
        by: by.to_owned(),
        notices: campaign.definition.notices.clone(),
    };
    Ok(workspace.record(now, vec![event])?)
}
