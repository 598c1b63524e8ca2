//! What people decide about a campaign: approve, pause, go on, give up, another window.

use std::{path::Path, time::Duration};

use jiff::Timestamp;

use super::{Campaign, CampaignError, DeliveryReport, Window, report};
use crate::{
    evidence::{CampaignState, Event},
    store::{Ledger, Request, StoreError},
};

/// How long to wait for somebody who holds the lock for a moment.
pub(super) const MOMENT: Duration = Duration::from_secs(2);

/// Approves a campaign as it is now.
///
/// # Errors
/// When texts or list are not as frozen, the window cannot be kept, or the person has approved
/// it before.
pub fn approve(
    root: &Path,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    let by = named(by)?;
    let campaign = Campaign::find(root, id)?;
    campaign.check_frozen()?;
    with_ledger(&campaign, "approve", now, |ledger| {
        let (state, known, left) = ledger.with(|replay, _| {
            let counts = replay.counts();
            let known = replay.approvers().iter().any(|who| same_person(who, by));
            (replay.state(), known, counts.pending + counts.deferred)
        });
        if !matches!(state, CampaignState::Draft | CampaignState::Approved) {
            return Err(state_error(&campaign, state, "it was approved and started"));
        }
        if known {
            return Err(CampaignError::SamePerson { by: by.to_owned() });
        }
        campaign.definition.check_schedule(now, left, None)?;
        let definition = campaign.definition.hash();
        ledger.append(
            now,
            Event::Approved {
                by: by.to_owned(),
                definition,
            },
        )?;
        Ok(())
    })
}

/// Stops a campaign for now; also one that another process is sending.
///
/// # Errors
/// When it is at its end.
pub fn pause(
    root: &Path,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    let by = named(by)?;
    let request = Request::Pause { by: by.to_owned() };
    decide(root, id, "pause", now, &request, |state| match state {
        CampaignState::Finished | CampaignState::Expired | CampaignState::Cancelled => None,
        CampaignState::Paused => Some(None),
        _ => Some(Some(Event::Paused {
            why: "asked for".to_owned(),
            by: by.to_owned(),
        })),
    })
}

/// Gives a campaign up for good.
///
/// # Errors
/// When it is at its end.
pub fn cancel(
    root: &Path,
    id: &str,
    by: &str,
    why: &str,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    let by = named(by)?;
    let request = Request::Cancel {
        by: by.to_owned(),
        why: why.to_owned(),
    };
    decide(root, id, "cancel", now, &request, |state| match state {
        CampaignState::Finished | CampaignState::Expired => None,
        CampaignState::Cancelled => Some(None),
        _ => Some(Some(Event::Cancelled {
            why: why.to_owned(),
            by: by.to_owned(),
        })),
    })
}

/// Lets a paused campaign go on; `send` does the sending.
///
/// # Errors
/// When it is not paused.
pub fn resume(
    root: &Path,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    let by = named(by)?;
    let campaign = Campaign::find(root, id)?;
    with_ledger(&campaign, "resume", now, |ledger| {
        let state = ledger.with(|replay, _| replay.state());
        if state != CampaignState::Paused {
            return Err(state_error(&campaign, state, "only a paused one can go on"));
        }
        ledger.append(now, Event::Resumed { by: by.to_owned() })?;
        Ok(())
    })
}

/// Gives a campaign another window or rate; its approvals fall.
///
/// # Errors
/// When it was started, or the window cannot be kept.
pub fn reschedule(
    root: &Path,
    id: &str,
    by: &str,
    window: Window,
    rate: Option<f64>,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    let by = named(by)?;
    let mut campaign = Campaign::find(root, id)?;
    let lock = campaign.folder.lock("reschedule", now, MOMENT)?;
    let ledger = campaign.ledger(now)?;
    let state = ledger.with(|replay, _| replay.state());
    if !matches!(state, CampaignState::Draft | CampaignState::Approved) {
        return Err(state_error(&campaign, state, "its window is fixed"));
    }
    let promised = campaign
        .texts()?
        .notices
        .iter()
        .filter_map(|notice| notice.send_by)
        .min();
    let old = campaign.definition.window;
    campaign.definition.window = Window {
        earliest: window.earliest.or(old.earliest),
        latest: match (window.latest.or(old.latest), promised) {
            (Some(asked), Some(promised)) => Some(asked.min(promised)),
            (asked, promised) => asked.or(promised),
        },
    };
    campaign.definition.rate = rate.or(campaign.definition.rate);
    let recipients = campaign.definition.list.recipients;
    campaign.definition.check_schedule(now, recipients, None)?;
    // The new definition is kept beside the old one before the ledger speaks of it: whatever a
    // crash leaves, the one that the ledger knows is found (`Campaign::find`).
    let bytes = campaign.definition.bytes();
    campaign.folder.write(super::NEXT, &bytes)?;
    ledger.append(
        now,
        Event::Changed {
            definition: campaign.definition.hash(),
            what: "window and rate".to_owned(),
            by: by.to_owned(),
        },
    )?;
    campaign.folder.write("campaign.json", &bytes)?;
    campaign.folder.remove(super::NEXT);
    let report = ledger.with(|replay, head| report(&campaign, replay, head, now));
    drop(ledger);
    drop(lock);
    Ok(report)
}

fn decide(
    root: &Path,
    id: &str,
    what: &'static str,
    now: Timestamp,
    request: &Request,
    event: impl Fn(CampaignState) -> Option<Option<Event>>,
) -> Result<DeliveryReport, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    let mut asked = false;
    // The sender looks for requests ten times a second, and finishes what is in the air.
    let patience = Duration::from_secs(60);
    let lock = match campaign.folder.lock(what, now, Duration::ZERO) {
        Ok(lock) => lock,
        Err(StoreError::Locked(_)) => {
            campaign.folder.ask(request)?;
            asked = true;
            campaign.folder.lock(what, now, patience)?
        }
        Err(error) => return Err(error.into()),
    };
    let ledger = campaign.ledger(now)?;
    let state = ledger.with(|replay, _| replay.state());
    match event(state) {
        None if !asked => return Err(state_error(&campaign, state, "it is at its end")),
        Some(Some(event)) => ledger.append(now, event)?,
        None | Some(None) => {}
    }
    campaign.folder.answered();
    let report = ledger.with(|replay, head| report(&campaign, replay, head, now));
    drop(ledger);
    drop(lock);
    Ok(report)
}

fn with_ledger(
    campaign: &Campaign,
    what: &str,
    now: Timestamp,
    act: impl FnOnce(&Ledger) -> Result<(), CampaignError>,
) -> Result<DeliveryReport, CampaignError> {
    let lock = campaign.folder.lock(what, now, MOMENT)?;
    let ledger = campaign.ledger(now)?;
    act(&ledger)?;
    let report = ledger.with(|replay, head| report(campaign, replay, head, now));
    drop(ledger);
    drop(lock);
    Ok(report)
}

pub(super) fn state_error(campaign: &Campaign, state: CampaignState, why: &str) -> CampaignError {
    CampaignError::State {
        id: campaign.folder.id().to_owned(),
        state,
        why: why.to_owned(),
    }
}

fn same_person(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn named(by: &str) -> Result<&str, CampaignError> {
    let by = by.trim();
    if by.is_empty() {
        return Err(CampaignError::Asked(
            "who decides must have a name".to_owned(),
        ));
    }
    Ok(by)
}
