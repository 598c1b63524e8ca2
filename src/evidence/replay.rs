//! The state of a campaign is what its ledger's entries add up to; nothing else is kept.
//!
//! ```text
//! pending -> sending -> accepted | deferred(until) | refused | uncertain
//!               uncertain -> accepted | pending   (a verdict, itself an entry)
//! ```
//! Always holds: the numbers of the five states add up to the length of the frozen list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BounceClass, Entry, Event, Hash, Verdict};

/// Where one recipient's message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Delivery {
    /// Not tried yet, or to be tried anew.
    Pending = 0,
    /// An attempt is under way; without a sender at work this is uncertain.
    Sending = 1,
    /// Will be tried again.
    Deferred = 2,
    /// Accepted by the relay.
    Accepted = 3,
    /// Refused for good; another channel is needed.
    Refused = 4,
    /// Sent without a reply seen.
    Uncertain = 5,
}

/// A byte a recipient: the state, and whether it was ever uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cell(u8);

impl Cell {
    const EVER_UNCERTAIN: u8 = 0x80;
    const POSSIBLY_TWICE: u8 = 0x40;

    fn state(self) -> Delivery {
        match self.0 & 0x0f {
            1 => Delivery::Sending,
            2 => Delivery::Deferred,
            3 => Delivery::Accepted,
            4 => Delivery::Refused,
            5 => Delivery::Uncertain,
            _ => Delivery::Pending,
        }
    }
}

/// How many recipients are in each state; the first five add up to `recipients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Length of the frozen list.
    pub recipients: u32,
    /// Not tried yet.
    pub pending: u32,
    /// To be tried again.
    pub deferred: u32,
    /// Accepted by the relay.
    pub accepted: u32,
    /// Refused for good.
    pub refused: u32,
    /// Sent without a reply seen.
    pub uncertain: u32,
    /// How many were uncertain at some time.
    pub ever_uncertain: u32,
}

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CampaignState {
    /// Not approved, or the approval fell.
    Draft,
    /// Approved, not started.
    Approved,
    /// Approved, and the window has not begun.
    Scheduled,
    /// Started and not at an end.
    Sending,
    /// Stopped for now.
    Paused,
    /// Everybody has a final state.
    Finished,
    /// The window ended first.
    Expired,
    /// Given up.
    Cancelled,
}

impl std::fmt::Display for CampaignState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        })
    }
}

/// A person's approval of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Hash of the definition.
    pub definition: Hash,
}

/// Why an entry cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A number is missing, or comes twice.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Sequence {
        /// The number that must come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The ledger does not begin with the campaign's making.
    #[error("the ledger does not begin with the making of the campaign")]
    Beginning,
    /// The format is of a later version.
    #[error("the ledger has format {0}, which this version cannot read")]
    Format(u32),
    /// A recipient that is not in the list.
    #[error("entry {seq} speaks of recipient {n}, and the list has {recipients}")]
    Recipient {
        /// The entry.
        seq: u64,
        /// The recipient.
        n: u32,
        /// Length of the list.
        recipients: u32,
    },
    /// A step that the states do not allow.
    #[error("entry {seq}: {what} for recipient {n}, who was {was:?}")]
    Step {
        /// The entry.
        seq: u64,
        /// The recipient.
        n: u32,
        /// The step.
        what: &'static str,
        /// The state before.
        was: Delivery,
    },
    /// `Finished` with recipients that have no final state.
    #[error("entry {0} says finished, and not every recipient has a final state")]
    NotFinished(u64),
}

/// Number of the ledger's format that this version writes.
pub const LEDGER_FORMAT: u32 = 1;

/// What the entries of a ledger add up to.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    cells: Vec<Cell>,
    counts: [u32; 6],
    ever_uncertain: u32,
    next: u64,
    campaign: String,
    definition: Hash,
    state: Option<CampaignState>,
    approvals: Vec<Approved>,
    /// First attempt, number of attempts and earliest next one, of those without a final state.
    open: BTreeMap<u32, Attempts>,
    machine: Option<Hash>,
    why: Option<String>,
    bounced: BTreeMap<u32, BounceClass>,
    bound: Vec<(Hash, String, Timestamp)>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// What was tried for a recipient without a final state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// When the first attempt was made; the message's Date.
    pub first: Timestamp,
    /// How many were made.
    pub count: u32,
    /// Not before this.
    pub until: Timestamp,
}

impl Replay {
    /// Takes the next entry.
    ///
    /// # Errors
    /// When the entry cannot follow; the state is then as before it.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        if entry.seq != self.next {
            return Err(ReplayError::Sequence {
                expected: self.next,
                found: entry.seq,
            });
        }
        if (entry.seq == 0) != matches!(entry.event, Event::Created { .. }) {
            return Err(ReplayError::Beginning);
        }
        self.event(entry)?;
        self.next += 1;
        Ok(())
    }

    fn event(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        let seq = entry.seq;
        match &entry.event {
            Event::Created {
                campaign,
                format,
                definition,
                recipients,
            } => {
                if *format > LEDGER_FORMAT {
                    return Err(ReplayError::Format(*format));
                }
                self.cells = vec![Cell::default(); *recipients as usize];
                self.counts = [*recipients, 0, 0, 0, 0, 0];
                self.campaign.clone_from(campaign);
                self.definition = *definition;
                self.state = Some(CampaignState::Draft);
            }
            Event::Changed { definition, .. } => {
                self.definition = *definition;
                if self.state == Some(CampaignState::Approved) {
                    self.state = Some(CampaignState::Draft);
                }
            }
            Event::Approved { by, definition } => {
                self.approvals.push(Approved {
                    by: by.clone(),
                    at: entry.at,
                    definition: *definition,
                });
                if self.state == Some(CampaignState::Draft) && *definition == self.definition {
                    self.state = Some(CampaignState::Approved);
                }
            }
            Event::Started { machine, .. } => {
                self.machine = Some(*machine);
                self.started.get_or_insert(entry.at);
                self.state = Some(CampaignState::Sending);
            }
            Event::Sending {
                n, attempt, date, ..
            } => {
                self.step(seq, *n, "an attempt", Delivery::Sending, |was| {
                    matches!(was, Delivery::Pending | Delivery::Deferred)
                })?;
                let open = self.open.entry(*n).or_insert(Attempts {
                    first: *date,
                    count: 0,
                    until: entry.at,
                });
                open.count = *attempt;
            }
            Event::Accepted { n, .. } => {
                self.step(seq, *n, "accepted", Delivery::Accepted, sending)?;
                self.open.remove(n);
            }
            Event::Refused { n, .. } => {
                self.step(seq, *n, "refused", Delivery::Refused, |was| {
                    !matches!(was, Delivery::Accepted | Delivery::Refused)
                })?;
                self.open.remove(n);
            }
            Event::Deferred { n, until, .. } => {
                self.step(seq, *n, "deferred", Delivery::Deferred, |was| {
                    matches!(
                        was,
                        Delivery::Sending | Delivery::Pending | Delivery::Deferred
                    )
                })?;
                let open = self.open.entry(*n).or_insert(Attempts {
                    first: entry.at,
                    count: 0,
                    until: *until,
                });
                open.until = *until;
            }
            Event::Uncertain { n, .. } => {
                self.step(seq, *n, "uncertain", Delivery::Uncertain, sending)?;
            }
            Event::Verdict { n, verdict, .. } => {
                let to = match verdict {
                    Verdict::Accepted => Delivery::Accepted,
                    Verdict::NotTaken | Verdict::Resend => Delivery::Pending,
                    Verdict::Hold => Delivery::Uncertain,
                };
                self.step(seq, *n, "a verdict", to, |was| was == Delivery::Uncertain)?;
                match verdict {
                    Verdict::Accepted => {
                        self.open.remove(n);
                    }
                    Verdict::Resend => {
                        if let Some(cell) = self.cells.get_mut(*n as usize) {
                            cell.0 |= Cell::POSSIBLY_TWICE;
                        }
                    }
                    _ => {}
                }
                if to == Delivery::Pending && self.state == Some(CampaignState::Finished) {
                    self.state = Some(CampaignState::Sending);
                }
            }
            Event::Bounced { n, class, .. } => {
                if *n as usize >= self.cells.len() {
                    return Err(self.no_recipient(seq, *n));
                }
                let worst = self.bounced.entry(*n).or_insert(*class);
                *worst = (*worst).min(*class);
            }
            Event::Paused { why, .. } => {
                self.state = Some(CampaignState::Paused);
                self.why = Some(why.clone());
            }
            Event::Resumed { .. } => {
                self.state = Some(if self.started.is_some() {
                    CampaignState::Sending
                } else if self.is_approved() {
                    CampaignState::Approved
                } else {
                    CampaignState::Draft
                });
                self.why = None;
            }
            Event::Cancelled { why, .. } => {
                self.state = Some(CampaignState::Cancelled);
                self.why = Some(why.clone());
                self.ended = Some(entry.at);
            }
            Event::Expired => {
                self.state = Some(CampaignState::Expired);
                self.ended = Some(entry.at);
            }
            Event::Finished => {
                let counts = self.counts();
                if counts.pending + counts.deferred + counts.uncertain > 0 {
                    return Err(ReplayError::NotFinished(seq));
                }
                self.state = Some(CampaignState::Finished);
                self.ended = Some(entry.at);
            }
            Event::Recovered { unsent, .. } => {
                for n in unsent {
                    self.step(seq, *n, "not sent", Delivery::Pending, sending)?;
                }
                self.interrupted();
            }
            Event::Bound { head, to } => self.bound.push((*head, to.clone(), entry.at)),
        }
        Ok(())
    }

    /// Every attempt left without a result becomes uncertain, as a start after a crash must see it.
    fn interrupted(&mut self) {
        for n in self.numbers(Delivery::Sending) {
            self.set(n, Delivery::Uncertain);
        }
    }

    fn step(
        &mut self,
        seq: u64,
        n: u32,
        what: &'static str,
        to: Delivery,
        allowed: impl Fn(Delivery) -> bool,
    ) -> Result<(), ReplayError> {
        let Some(cell) = self.cells.get(n as usize) else {
            return Err(self.no_recipient(seq, n));
        };
        let was = cell.state();
        if !allowed(was) {
            return Err(ReplayError::Step { seq, n, what, was });
        }
        self.set(n, to);
        Ok(())
    }

    fn set(&mut self, n: u32, to: Delivery) {
        let Some(cell) = self.cells.get_mut(n as usize) else {
            return;
        };
        let was = cell.state();
        cell.0 = (cell.0 & 0xf0) | to as u8;
        if to == Delivery::Uncertain && cell.0 & Cell::EVER_UNCERTAIN == 0 {
            cell.0 |= Cell::EVER_UNCERTAIN;
            self.ever_uncertain += 1;
        }
        if let Some(count) = self.counts.get_mut(was as usize) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.counts.get_mut(to as usize) {
            *count += 1;
        }
    }

    fn no_recipient(&self, seq: u64, n: u32) -> ReplayError {
        ReplayError::Recipient {
            seq,
            n,
            recipients: u32::try_from(self.cells.len()).unwrap_or(u32::MAX),
        }
    }

    /// The numbers in each state. An attempt under way counts as pending.
    pub fn counts(&self) -> Counts {
        let [pending, sending, deferred, accepted, refused, uncertain] = self.counts;
        Counts {
            recipients: u32::try_from(self.cells.len()).unwrap_or(u32::MAX),
            pending: pending + sending,
            deferred,
            accepted,
            refused,
            uncertain,
            ever_uncertain: self.ever_uncertain,
        }
    }

    /// Whether the states add up to the list, counted anew.
    pub fn adds_up(&self) -> bool {
        let mut counted = [0u32; 6];
        for cell in &self.cells {
            if let Some(count) = counted.get_mut(cell.state() as usize) {
                *count += 1;
            }
        }
        counted == self.counts && counted.iter().sum::<u32>() as usize == self.cells.len()
    }

    /// Where a recipient stands; `None` for one that is not in the list.
    pub fn delivery(&self, n: u32) -> Option<Delivery> {
        self.cells.get(n as usize).map(|cell| cell.state())
    }

    /// Whether a second copy was sent on somebody's decision.
    pub fn possibly_twice(&self, n: u32) -> bool {
        self.cells
            .get(n as usize)
            .is_some_and(|cell| cell.0 & Cell::POSSIBLY_TWICE != 0)
    }

    /// The recipients in a state, ascending.
    pub fn numbers(&self, state: Delivery) -> Vec<u32> {
        (0u32..)
            .zip(&self.cells)
            .filter(|(_, cell)| cell.state() == state)
            .map(|(n, _)| n)
            .collect()
    }

    /// The recipients that were uncertain at some time, ascending.
    pub fn ever_uncertain(&self) -> Vec<u32> {
        (0u32..)
            .zip(&self.cells)
            .filter(|(_, cell)| cell.0 & Cell::EVER_UNCERTAIN != 0)
            .map(|(n, _)| n)
            .collect()
    }

    /// What was tried for a recipient without a final state.
    pub fn attempts(&self, n: u32) -> Option<Attempts> {
        self.open.get(&n).copied()
    }

    /// Number of the next entry.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Id of the campaign.
    pub fn campaign(&self) -> &str {
        &self.campaign
    }

    /// Hash of the definition in force.
    pub fn definition(&self) -> Hash {
        self.definition
    }

    /// Where the campaign stands; draft where there is no entry yet.
    pub fn state(&self) -> CampaignState {
        self.state.unwrap_or(CampaignState::Draft)
    }

    /// Why it is paused or cancelled.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// All approvals, also of definitions no longer in force.
    pub fn approvals(&self) -> &[Approved] {
        &self.approvals
    }

    /// Whether somebody approved the definition in force.
    pub fn is_approved(&self) -> bool {
        self.approvals
            .iter()
            .any(|approval| approval.definition == self.definition)
    }

    /// The different people who approved the definition in force.
    pub fn approvers(&self) -> Vec<&str> {
        let mut people: Vec<&str> = Vec::new();
        for approval in &self.approvals {
            if approval.definition == self.definition && !people.contains(&approval.by.as_str()) {
                people.push(&approval.by);
            }
        }
        people
    }

    /// The machine that sent last.
    pub fn machine(&self) -> Option<Hash> {
        self.machine
    }

    /// Delivery reports by recipient, the gravest of each.
    pub fn bounced(&self) -> &BTreeMap<u32, BounceClass> {
        &self.bounced
    }

    /// Heads that were given out of the house: hash, where, when.
    pub fn bound(&self) -> &[(Hash, String, Timestamp)] {
        &self.bound
    }

    /// When sending began and ended.
    pub fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.started, self.ended)
    }
}

fn sending(was: Delivery) -> bool {
    was == Delivery::Sending
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(seq: u64, event: Event) -> Entry {
        Entry {
            seq,
            at: Timestamp::from_second(1_800_000_000 + seq as i64).unwrap(),
            event,
        }
    }

    fn created(recipients: u32) -> Entry {
        entry(
            0,
            Event::Created {
                campaign: "c-1".into(),
                format: LEDGER_FORMAT,
                definition: Hash::of(b"d"),
                recipients,
            },
        )
    }

    fn attempt(n: u32) -> Event {
        Event::Sending {
            n,
            attempt: 1,
            date: Timestamp::UNIX_EPOCH,
            message: Hash::default(),
        }
    }

    #[test]
    fn a_killed_sender_leaves_its_attempts_uncertain_and_nobody_else() {
        let mut replay = Replay::default();
        replay.apply(&created(4)).unwrap();
        replay.apply(&entry(1, attempt(0))).unwrap();
        let accepted = Event::Accepted {
            n: 0,
            reply: "250 ok".into(),
        };
        replay.apply(&entry(2, accepted)).unwrap();
        replay.apply(&entry(3, attempt(1))).unwrap();
        replay.apply(&entry(4, attempt(2))).unwrap();
        let recovered = |unsent| Event::Recovered {
            torn: 0,
            uncertain: 1,
            unsent,
        };
        assert!(
            replay.clone().apply(&entry(5, recovered(vec![0]))).is_err(),
            "who was accepted is not open again"
        );
        replay.apply(&entry(5, recovered(vec![2]))).unwrap();
        let counts = replay.counts();
        assert_eq!(
            (counts.pending, counts.accepted, counts.uncertain),
            (2, 1, 1)
        );
        assert!(replay.adds_up());
        assert!(replay.apply(&entry(6, Event::Finished)).is_err());
        let verdict = Event::Verdict {
            n: 1,
            verdict: Verdict::NotTaken,
            because: "the relay's log".into(),
            by: "ann".into(),
        };
        replay.apply(&entry(6, verdict)).unwrap();
        assert_eq!(replay.delivery(1), Some(Delivery::Pending));
        assert_eq!(replay.counts().ever_uncertain, 1);
    }

    #[test]
    fn an_approval_falls_with_a_change() {
        let mut replay = Replay::default();
        replay.apply(&created(1)).unwrap();
        let approve = |hash: Hash| Event::Approved {
            by: "ann".into(),
            definition: hash,
        };
        replay.apply(&entry(1, approve(Hash::of(b"d")))).unwrap();
        assert_eq!(replay.state(), CampaignState::Approved);
        let changed = Event::Changed {
            definition: Hash::of(b"e"),
            what: "the window".into(),
            by: "ann".into(),
        };
        replay.apply(&entry(2, changed)).unwrap();
        assert_eq!(replay.state(), CampaignState::Draft);
        assert!(!replay.is_approved());
        replay.apply(&entry(3, approve(Hash::of(b"d")))).unwrap();
        assert_eq!(replay.state(), CampaignState::Draft);
    }

    proptest! {
        #[test]
        fn the_states_always_add_up(steps in prop::collection::vec((0u8..9, 0u32..6), 0..80)) {
            let mut replay = Replay::default();
            replay.apply(&created(5)).unwrap();
            for (kind, n) in steps {
                let reply = String::new();
                let event = match kind {
                    0 | 1 => attempt(n),
                    2 => Event::Accepted { n, reply },
                    3 => Event::Refused { n, reply },
                    4 => Event::Deferred { n, until: Timestamp::UNIX_EPOCH, reply },
                    5 => Event::Uncertain { n, reply },
                    6 => Event::Verdict { n, verdict: Verdict::Resend, because: reply, by: String::new() },
                    7 => Event::Recovered { torn: 0, uncertain: 0, unsent: Vec::new() },
                    _ => Event::Finished,
                };
                let before = replay.counts();
                if replay.apply(&entry(replay.next(), event)).is_err() {
                    prop_assert_eq!(before, replay.counts());
                }
                prop_assert!(replay.adds_up());
                let c = replay.counts();
                prop_assert_eq!(c.pending + c.deferred + c.accepted + c.refused + c.uncertain, 5);
            }
        }
    }
}
