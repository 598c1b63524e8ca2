//! People who joined after a list was frozen and before the change takes effect.
//!
//! They are on no list, so nobody tells them; and they agreed to a text that is about to change.
//! A follow-up campaign carries the same notices to those of the present list who are on no list
//! of a campaign with these notices.

use std::{collections::BTreeSet, path::Path};

use jiff::{Timestamp, civil::Date};

use super::{Campaign, CampaignError, carried, state_folder};
use crate::{
    deliver::Recipient,
    duty::calendar,
    evidence::CampaignState,
    notice::Notice,
    run::{Workspace, plan},
    store::{CampaignFolder, StoreError},
};

/// What a follow-up campaign for joiners starts from.
pub struct Joiners {
    /// The notices, as they were frozen.
    pub notices: Vec<Notice>,
    /// Hashes of the people who are on a list already.
    pub told: BTreeSet<u128>,
    /// The first campaign's sender.
    pub sender: crate::deliver::Sender,
    /// The last instant before the effect, in the earliest zone concerned.
    pub latest: Option<Timestamp>,
}

/// Looks at a campaign and those that followed it.
///
/// # Errors
/// When there is no such campaign, it was cancelled, its notices are not what was frozen, or the
/// change is in effect already: who joins then sees the new text at sign-up.
pub fn joiners(root: &Path, id: &str, now: Timestamp) -> Result<Joiners, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    if super::status(root, id, now)?.state == CampaignState::Cancelled {
        return Err(CampaignError::Asked(format!(
            "campaign {id} was cancelled: there is nothing to go on with"
        )));
    }
    carried::check_notices(root, id)?;
    let notices = campaign.texts()?.notices;
    let effective: Option<Date> = notices.iter().filter_map(|notice| notice.effective).min();
    let zones = Workspace::read(root)
        .map(|workspace| plan::zones(&workspace.config))
        .unwrap_or_default();
    let latest = effective
        .and_then(|day| day.yesterday().ok())
        .and_then(|day| calendar::end_of_day(day, &zones));
    if let (Some(day), Some(end)) = (effective, latest)
        && end <= now
    {
        return Err(CampaignError::Asked(format!(
            "the change takes effect on {day}: who joins now sees the new text at sign-up and needs no notice of it"
        )));
    }
    let mut told = BTreeSet::new();
    for folder in CampaignFolder::all(&state_folder(root)) {
        let other = Campaign::find(root, folder.id())?;
        let same = other
            .definition
            .notices
            .iter()
            .any(|notice| campaign.definition.notices.contains(notice));
        if !same || super::status(root, folder.id(), now)?.state == CampaignState::Cancelled {
            continue;
        }
        people(&other, &mut told)?;
    }
    Ok(Joiners {
        notices,
        told,
        sender: campaign.definition.sender,
        latest,
    })
}

fn people(campaign: &Campaign, told: &mut BTreeSet<u128>) -> Result<(), CampaignError> {
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    for n in 0..list.recipients() {
        if list.is_erased(n) {
            continue;
        }
        list.line(n, &mut line)?;
        let person: Recipient =
            serde_json::from_slice(&line).map_err(|error| StoreError::Record {
                key: format!("person {n} of campaign {}", campaign.definition.id),
                detail: error.to_string(),
            })?;
        told.insert(person.person_hash());
    }
    Ok(())
}
