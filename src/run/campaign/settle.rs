//! What becomes of uncertain messages: the relay's log tells, or somebody decides. The verdict is
//! itself written to the ledger.

use std::{collections::BTreeSet, io::BufRead, path::Path};

use jiff::Timestamp;
use serde::Serialize;

use super::{Campaign, CampaignError, change::MOMENT};
use crate::{
    deliver::scan_relay_log,
    evidence::{Counts, Delivery, Event, Verdict},
    store::Ledger,
};

/// How uncertain messages are settled.
pub enum Settlement<'a> {
    /// By the relay's log: what stands in it was taken over, the rest is sent again.
    Reconcile {
        /// The log.
        log: Box<dyn BufRead + 'a>,
        /// Its name, kept in the ledger.
        name: String,
    },
    /// Sent again; a person may get a second copy.
    Resend,
    /// Left as they are.
    Hold,
}

/// What was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// `fairnotice/settled/1`.
    pub schema: &'static str,
    /// The campaign.
    pub campaign: String,
    /// Found in the log.
    pub found: u32,
    /// Not found in the log, to be sent again.
    pub not_found: u32,
    /// To be sent again by decision.
    pub resend: u32,
    /// Left uncertain.
    pub held: u32,
    /// The numbers after it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Settles the uncertain messages of a campaign; `send` then goes on.
///
/// # Errors
/// When somebody is sending, or the log cannot be read.
pub fn settle(
    root: &Path,
    id: &str,
    how: Settlement<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Settled, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    let lock = campaign.folder.lock("reconcile", now, MOMENT)?;
    let ledger = campaign.ledger(now)?;
    let settled = settle_open(&campaign, &ledger, how, by, now)?;
    drop(ledger);
    drop(lock);
    Ok(settled)
}

/// The same with a ledger that is open already.
pub(super) fn settle_open(
    campaign: &Campaign,
    ledger: &Ledger,
    how: Settlement<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Settled, CampaignError> {
    let uncertain = ledger.with(|replay, _| replay.numbers(Delivery::Uncertain));
    let ids = campaign.identities()?;
    let mut settled = Settled {
        schema: "fairnotice/settled/1",
        campaign: campaign.folder.id().to_owned(),
        found: 0,
        not_found: 0,
        resend: 0,
        held: 0,
        counts: Counts::default(),
    };
    let (found, because) = match how {
        Settlement::Reconcile { log, name } if !uncertain.is_empty() => {
            let wanted: BTreeSet<String> = uncertain.iter().map(|n| ids.message_id(*n)).collect();
            let seen = scan_relay_log(log, &wanted)
                .map_err(|error| CampaignError::Asked(format!("{name}: {error}")))?;
            (Some(seen.found), format!("the relay's log {name}"))
        }
        Settlement::Reconcile { name, .. } => (Some(BTreeSet::new()), name),
        Settlement::Resend => (None, "a decision: sent again, possibly twice".to_owned()),
        Settlement::Hold => {
            settled.held = u32::try_from(uncertain.len()).unwrap_or(u32::MAX);
            settled.counts = ledger.with(|replay, _| replay.counts());
            return Ok(settled);
        }
    };
    for n in uncertain {
        let verdict = match &found {
            None => {
                settled.resend += 1;
                Verdict::Resend
            }
            Some(found) if found.contains(&ids.message_id(n)) => {
                settled.found += 1;
                Verdict::Accepted
            }
            Some(_) => {
                settled.not_found += 1;
                Verdict::NotTaken
            }
        };
        ledger.note(
            now,
            Event::Verdict {
                n,
                verdict,
                because: because.clone(),
                by: by.to_owned(),
            },
        );
    }
    ledger.flush()?;
    settled.counts = ledger.with(|replay, _| replay.counts());
    Ok(settled)
}
