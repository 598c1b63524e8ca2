//! Returned mail, matched to deliveries.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    campaign::{Campaign, CampaignError, state_folder},
    recipients::{keep_suppression, suppression},
};
use crate::{
    deliver::{
        Identities, Imap, ImapPlace, Recipient, ReportKind, Suppressed, classify, each_message,
    },
    evidence::{BounceClass, Delivery, Event, redact},
    store::CampaignFolder,
};

/// What a mailbox held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bounces {
    /// `fairnotice/bounces/1`.
    pub schema: &'static str,
    /// Messages that were read.
    pub messages: u64,
    /// New hard delivery reports.
    pub hard: u64,
    /// New soft ones.
    pub soft: u64,
    /// New reports of a delay.
    pub delayed: u64,
    /// Reports that were known already.
    pub known: u64,
    /// Delivery reports that belong to no delivery of ours, or whose token is forged.
    pub unmatched: u64,
    /// Automatic replies: no bounces.
    pub auto_replies: u64,
    /// Complaints.
    pub complaints: u64,
    /// Everything else, to be read by somebody.
    pub others: Vec<String>,
    /// Campaigns that are being sent: their reports are taken at the next reading.
    pub busy: Vec<String>,
    /// Addresses newly on the list of those that do not work.
    pub suppressed: u64,
}

/// Where returned mail lies.
pub enum Mailbox<'a> {
    /// A Maildir, an mbox file, a single message, or `-` for standard input.
    Path(&'a Path),
    /// An IMAP mailbox: new messages only, and those that were understood become seen.
    Imap(&'a ImapPlace),
}

struct Found {
    name: String,
    n: u32,
    class: BounceClass,
    status: String,
    said: String,
}

/// Reads a mailbox and writes what came back to the ledgers. Mail is never deleted or moved;
/// reading it again changes nothing. In an IMAP mailbox what was understood and written down is
/// marked as seen; what somebody should read stays unseen.
///
/// # Errors
/// When the mailbox cannot be read or a ledger is damaged.
pub fn read(root: &Path, mailbox: &Mailbox<'_>, now: Timestamp) -> Result<Bounces, CampaignError> {
    let folders = CampaignFolder::all(&state_folder(root));
    let campaigns: Vec<(Campaign, Identities)> = folders
        .iter()
        .map(|folder| {
            let campaign = Campaign::find(root, folder.id())?;
            let ids = campaign.identities()?;
            Ok((campaign, ids))
        })
        .collect::<Result<_, CampaignError>>()?;
    let mut found: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    let mut bounces = Bounces {
        schema: "fairnotice/bounces/1",
        ..Bounces::default()
    };
    let mut understood = BTreeSet::new();
    let mut look = |name: &str, bytes: &[u8]| {
        match classify(bytes).kind {
            ReportKind::Bounce {
                class,
                status,
                said,
            } => {
                // Quoted-printable may have broken a token in the returned part; the address the
                // report was sent to has it whole.
                let text = String::from_utf8_lossy(bytes)
                    .replace("=\r\n", "")
                    .replace("=\n", "");
                let place = campaigns
                    .iter()
                    .enumerate()
                    .find_map(|(at, (_, ids))| Some((at, ids.find_token(&text)?)));
                match place {
                    Some((at, n)) => found.entry(at).or_default().push(Found {
                        name: name.to_owned(),
                        n,
                        class,
                        status,
                        said,
                    }),
                    None => bounces.unmatched += 1,
                }
            }
            ReportKind::AutoReply => {
                bounces.auto_replies += 1;
                understood.insert(name.to_owned());
            }
            ReportKind::Complaint => bounces.complaints += 1,
            ReportKind::Success => {
                understood.insert(name.to_owned());
            }
            ReportKind::Other => bounces.others.push(name.to_owned()),
        }
        Ok(())
    };
    let mut session = None;
    let asked = |error: &dyn std::fmt::Display| CampaignError::Asked(error.to_string());
    let messages = match mailbox {
        Mailbox::Path(path) => each_message(path, &mut look).map_err(|error| asked(&error))?,
        Mailbox::Imap(place) => {
            let mut imap = Imap::open(place).map_err(|error| asked(&error))?;
            let mut count = 0;
            for uid in imap.unseen().map_err(|error| asked(&error))? {
                if let Some(bytes) = imap.message(uid).map_err(|error| asked(&error))? {
                    look(&format!("{place}, message {uid}"), &bytes)
                        .map_err(CampaignError::Asked)?;
                    count += 1;
                }
            }
            session = Some((imap, place));
            count
        }
    };
    bounces.messages = messages;
    let mut dead = Vec::new();
    for (at, reports) in found {
        let Some((campaign, _)) = campaigns.get(at) else {
            continue;
        };
        let Ok(lock) = campaign
            .folder
            .lock("read bounces", now, Duration::from_millis(500))
        else {
            bounces.busy.push(campaign.folder.id().to_owned());
            continue;
        };
        let names: Vec<String> = reports.iter().map(|report| report.name.clone()).collect();
        take(campaign, reports, now, &mut bounces, &mut dead)?;
        understood.extend(names);
        drop(lock);
    }
    if !dead.is_empty() {
        let mut all = suppression(root)?;
        bounces.suppressed = dead
            .into_iter()
            .filter(|entry| all.add(entry.clone()))
            .count() as u64;
        keep_suppression(root, &all)?;
    }
    if let Some((mut imap, place)) = session {
        let mark = format!("{place}, message ");
        let seen: Vec<u32> = understood
            .iter()
            .filter_map(|name| name.strip_prefix(&mark)?.parse().ok())
            .collect();
        imap.mark_seen(&seen).map_err(|error| asked(&error))?;
        imap.close();
    }
    Ok(bounces)
}

fn take(
    campaign: &Campaign,
    reports: Vec<Found>,
    now: Timestamp,
    bounces: &mut Bounces,
    dead: &mut Vec<Suppressed>,
) -> Result<(), CampaignError> {
    let ledger = campaign.ledger(now)?;
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    let mut fresh: BTreeMap<u32, BounceClass> = ledger.with(|replay, _| replay.bounced().clone());
    for report in reports {
        let n = report.n;
        let state = ledger.with(|replay, _| replay.delivery(n));
        if !matches!(state, Some(Delivery::Accepted | Delivery::Uncertain)) {
            bounces.unmatched += 1;
            continue;
        }
        if fresh.get(&n).is_some_and(|known| *known <= report.class) {
            bounces.known += 1;
            continue;
        }
        fresh.insert(n, report.class);
        list.line(n, &mut line)?;
        let person: Option<Recipient> = serde_json::from_slice(&line).ok();
        let address = person
            .as_ref()
            .map(Recipient::normalised)
            .unwrap_or_default();
        let said = redact(&report.said, &[&address]);
        match report.class {
            BounceClass::Hard => {
                bounces.hard += 1;
                if !address.is_empty() {
                    dead.push(Suppressed {
                        address,
                        reason: format!("{} {said}", report.status).trim().to_owned(),
                        since: now,
                        campaign: Some(campaign.folder.id().to_owned()),
                    });
                }
            }
            BounceClass::Soft => bounces.soft += 1,
            BounceClass::Delayed => bounces.delayed += 1,
        }
        ledger.note(
            now,
            Event::Bounced {
                n,
                class: report.class,
                status: report.status,
                reply: said,
            },
        );
    }
    Ok(ledger.flush()?)
}
