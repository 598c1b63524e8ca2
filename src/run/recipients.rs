//! People across campaigns: addresses that do not work, erasure, retention.

use std::{collections::BTreeSet, io::BufReader, path::Path};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::campaign::{Campaign, CampaignError, find_person, state_folder};
use crate::{
    deliver::{Address, Recipient, Suppression},
    evidence::{CampaignState, Delivery, Event},
    store::{CampaignFolder, List, StoreError, erase, write_whole},
};

const SUPPRESSED: &str = "suppressed.jsonl";

/// The addresses that do not work.
///
/// # Errors
/// When their file is damaged.
pub fn suppression(root: &Path) -> Result<Suppression, CampaignError> {
    let path = state_folder(root).join(SUPPRESSED);
    if !path.exists() {
        return Ok(Suppression::default());
    }
    let file = std::fs::File::open(&path).map_err(|e| StoreError::io("read", &path, e))?;
    Ok(Suppression::read(BufReader::new(file))?)
}

/// Keeps the addresses that do not work.
///
/// # Errors
/// When the disk refuses.
pub fn keep_suppression(root: &Path, all: &Suppression) -> Result<(), CampaignError> {
    let state = state_folder(root);
    std::fs::create_dir_all(&state).map_err(|e| StoreError::io("make", &state, e))?;
    let mut bytes = Vec::new();
    all.write(&mut bytes)?;
    Ok(write_whole(&state.join(SUPPRESSED), &bytes)?)
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedPerson {
    /// `fairnotice/erased/1`.
    pub schema: &'static str,
    /// Campaigns in whose lists the person was.
    pub campaigns: Vec<String>,
    /// Whether the address was on the list of those that do not work.
    pub suppressed: bool,
}

/// Makes a person unreadable in all campaigns: line and salt are thrown away, the commitment
/// stays, so that the chain and the list's hash still verify. Somebody who was not written to yet
/// is not written to any more.
///
/// # Errors
/// When a campaign is being sent, or the disk refuses.
pub fn erase_person(
    root: &Path,
    person: &str,
    now: Timestamp,
) -> Result<ErasedPerson, CampaignError> {
    let mut done = ErasedPerson {
        schema: "fairnotice/erased/1",
        campaigns: Vec::new(),
        suppressed: false,
    };
    let mut addresses: BTreeSet<String> = Address::parse(person)
        .iter()
        .map(Address::normalised)
        .collect();
    for folder in CampaignFolder::all(&state_folder(root)) {
        if !folder.file("list.jsonl").exists() {
            continue;
        }
        let campaign = Campaign::find(root, folder.id())?;
        let lock = folder.lock("erase a person", now, std::time::Duration::from_secs(2))?;
        let people = find_person(&campaign, person)?;
        if !people.is_empty() {
            let ledger = campaign.ledger(now)?;
            for n in &people {
                let state = ledger.with(|replay, _| replay.delivery(*n));
                if matches!(state, Some(Delivery::Pending | Delivery::Deferred)) {
                    ledger.note(
                        now,
                        Event::Refused {
                            n: *n,
                            reply: "the person was erased at their request".to_owned(),
                        },
                    );
                }
            }
            ledger.flush()?;
            let mut list = campaign.list()?;
            addresses.extend(people.iter().filter_map(|n| address_of(&mut list, *n)));
            erase(&folder, &mut list, &people)?;
            forget_rejected(&folder, person)?;
            done.campaigns.push(folder.id().to_owned());
        }
        drop(lock);
    }
    let mut all = suppression(root)?;
    for address in addresses {
        done.suppressed |= all.remove(&address);
    }
    if done.suppressed {
        keep_suppression(root, &all)?;
    }
    Ok(done)
}

/// A person's address as the list of those that do not work has it; nothing for one already erased.
fn address_of(list: &mut List, n: u32) -> Option<String> {
    let mut line = Vec::new();
    list.line(n, &mut line).ok()?;
    let recipient: Recipient = serde_json::from_slice(&line).ok()?;
    Some(Address::parse(&recipient.email).ok()?.normalised())
}

/// Reasons for rejected lines hold no names, but a domain may: lines that speak of it go.
fn forget_rejected(folder: &CampaignFolder, person: &str) -> Result<(), CampaignError> {
    let Ok(text) = folder.read("rejected.jsonl") else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&text);
    if text.contains(person) {
        let kept: String = text
            .lines()
            .filter(|line| !line.contains(person))
            .map(|line| format!("{line}\n"))
            .collect();
        folder.write("rejected.jsonl", kept.as_bytes())?;
    }
    Ok(())
}

/// What was thrown away because its time was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// `fairnotice/pruned/1`.
    pub schema: &'static str,
    /// Campaigns whose lists are gone.
    pub campaigns: Vec<String>,
}

/// Erases everybody in lists of campaigns that ended more than `days` ago; a dry run only says
/// which. Ledgers, commitments and texts stay.
///
/// # Errors
/// When the disk refuses.
pub fn prune(
    root: &Path,
    days: u32,
    now: Timestamp,
    dry_run: bool,
) -> Result<Pruned, CampaignError> {
    let mut pruned = Pruned {
        schema: "fairnotice/pruned/1",
        campaigns: Vec::new(),
    };
    let keep = SignedDuration::from_hours(24 * i64::from(days));
    for folder in CampaignFolder::all(&state_folder(root)) {
        if folder.file("pruned").exists() {
            continue;
        }
        let campaign = Campaign::find(root, folder.id())?;
        let replay = campaign.standing()?.replay;
        let at_end = matches!(
            replay.state(),
            CampaignState::Finished | CampaignState::Expired | CampaignState::Cancelled
        );
        let (_, ended) = replay.span();
        if !at_end || !ended.is_some_and(|ended| now.duration_since(ended) > keep) {
            continue;
        }
        if dry_run {
            pruned.campaigns.push(folder.id().to_owned());
            continue;
        }
        let lock = folder.lock("prune", now, std::time::Duration::from_secs(2))?;
        let everybody: Vec<u32> = (0..campaign.definition.list.recipients).collect();
        let mut list = campaign.list()?;
        for block in everybody.chunks(100_000) {
            erase(&folder, &mut list, block)?;
            list = campaign.list()?;
        }
        folder.write("pruned", now.to_string().as_bytes())?;
        folder.write("rejected.jsonl", b"")?;
        drop(lock);
        pruned.campaigns.push(folder.id().to_owned());
    }
    Ok(pruned)
}
