//! Campaigns: approved e-mail notices, sent as one mail to a frozen list, provably.
//!
//! ```text
//! create ─► draft ─► approve ─► approved ─► send ─► sending ─► finished | expired
//!              ▲                   │                 │  ▲
//!              └── any change ─────┘          paused ◄──┘ resume      cancelled
//! ```
//! All of a campaign is in its own folder, with its own lock: nothing else waits while it sends.

mod carried;
mod change;
mod create;
mod joiners;
mod letters;
mod send;
mod settle;
mod signing;
mod told;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use carried::{carrying, check_notices};
pub use change::{approve, cancel, pause, reschedule, resume};
pub use create::{Create, Created, Rejected, create};
pub use joiners::{Joiners, joiners};
pub use letters::{Picked, dry_run, preview, test_mail};
pub(crate) use letters::{find as find_person, transport};
pub use send::{SendOptions, Sent, send};
pub use settle::{Settled, Settlement, settle};
pub use signing::{mail_problems, signers};
pub use told::tell;

use crate::{
    deliver::{
        DkimError, Identities, MessageError, Sender, SourceError, SuppressionError, Template,
        UrlError, finish_time,
    },
    evidence::{CampaignState, Counts, Delivery, Hash, Replay},
    notice::Notice,
    store::{
        CampaignFolder, Ledger, LedgerError, List, ListInfo, Standing, StoreError, read_ledger,
    },
};

/// When a campaign may send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Not before.
    pub earliest: Option<Timestamp>,
    /// Nothing leaves after this.
    pub latest: Option<Timestamp>,
}

/// What a campaign is; its hash is what people approve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Always `fairnotice/campaign-definition/1`.
    pub schema: String,
    /// Id of the campaign.
    pub id: String,
    /// Ids of the notices that it carries.
    pub notices: Vec<String>,
    /// Hash of `texts.json`.
    pub texts: Hash,
    /// The frozen list.
    pub list: ListInfo,
    /// When it may send.
    pub window: Window,
    /// Who sends.
    pub sender: Sender,
    /// Most messages a second.
    pub rate: Option<f64>,
    /// Most messages a second to one receiving domain.
    pub domain_rate: Option<f64>,
    /// How many different people must approve.
    pub approvals: u8,
    /// The campaign that this one corrects or recalls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// The definition's schema.
pub const DEFINITION_SCHEMA: &str = "fairnotice/campaign-definition/1";

impl Definition {
    /// Its bytes, as they are kept and hashed.
    pub fn bytes(&self) -> Vec<u8> {
        // Strings, numbers and times: nothing here can fail to serialise.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What people approve.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.bytes())
    }

    /// When the last message would be out, sending from `now` on.
    pub fn finish(&self, now: Timestamp, left: u32, rate: Option<f64>) -> Timestamp {
        let start = self
            .window
            .earliest
            .map_or(now, |earliest| earliest.max(now));
        match rate.or(self.rate) {
            Some(rate) => finish_time(start, u64::from(left), rate),
            None => start,
        }
    }

    /// Checks that everybody can be served within the window.
    ///
    /// # Errors
    /// When the allowed rate is too low, or the window is over.
    pub fn check_schedule(
        &self,
        now: Timestamp,
        left: u32,
        rate: Option<f64>,
    ) -> Result<(), CampaignError> {
        let Some(latest) = self.window.latest.filter(|_| left > 0) else {
            return Ok(());
        };
        if now >= latest {
            return Err(CampaignError::TooLate { latest });
        }
        let finish = self.finish(now, left, rate);
        if finish > latest {
            let start = self
                .window
                .earliest
                .map_or(now, |earliest| earliest.max(now));
            let seconds = latest.duration_since(start).as_secs_f64().max(1.0);
            return Err(CampaignError::TooSlow {
                left,
                rate: rate.or(self.rate).unwrap_or_default(),
                finish,
                latest,
                needed: (f64::from(left) * 1.1 / seconds).ceil(),
            });
        }
        Ok(())
    }
}

/// What goes out: the mail, and the notices it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    /// The mail.
    pub mail: Notice,
    /// The notices that it carries.
    pub notices: Vec<Notice>,
}

/// Why something could not be done with a campaign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// No such campaign.
    #[error("there is no campaign `{id}`")]
    Unknown {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] super::WorkspaceError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recipients.
    #[error("{name}: {error}")]
    Source {
        /// Name of the list.
        name: String,
        /// What is wrong.
        error: SourceError,
    },
    /// The texts or the sender.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The DKIM key.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// The relay's address.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The list of addresses that do not work.
    #[error("the suppression list cannot be used: {0}")]
    Suppression(#[from] SuppressionError),
    /// A notice that may not be sent.
    #[error("the notice `{id}` {why}")]
    Notice {
        /// The notice.
        id: String,
        /// Why.
        why: String,
    },
    /// Nobody to write to.
    #[error("the list has no usable recipient; {rejected} lines were rejected, the first: {first}")]
    Nobody {
        /// Rejected lines.
        rejected: u64,
        /// Why the first was rejected.
        first: String,
    },
    /// Everybody of the present list was on an earlier one.
    #[error(
        "nobody joined: all {told} people of this list are on an earlier list of these notices"
    )]
    NobodyJoined {
        /// How many they are.
        told: u64,
    },
    /// What was approved is not what is there.
    #[error("{what} of campaign {id} changed since it was frozen: nothing may be sent")]
    Altered {
        /// The campaign.
        id: String,
        /// What differs.
        what: &'static str,
    },
    /// Not the right moment.
    #[error("campaign {id} is {state}: {why}")]
    State {
        /// The campaign.
        id: String,
        /// Where it stands.
        state: CampaignState,
        /// What is missing.
        why: String,
    },
    /// Approval by the same person.
    #[error("{by} has approved it already; another person must")]
    SamePerson {
        /// Who.
        by: String,
    },
    /// Not in time.
    #[error(
        "at {rate} messages a second the last of {left} would be out at {finish}, after the latest time {latest}; {needed} a second are needed"
    )]
    TooSlow {
        /// Messages to send.
        left: u32,
        /// The allowed rate.
        rate: f64,
        /// When the last would be out.
        finish: Timestamp,
        /// When it must be out.
        latest: Timestamp,
        /// The rate that would do.
        needed: f64,
    },
    /// Over.
    #[error("the latest time, {latest}, is over: the promised date cannot be kept any more")]
    TooLate {
        /// When the last message had to be out.
        latest: Timestamp,
    },
    /// Too early.
    #[error("the window begins at {earliest}")]
    TooEarly {
        /// When.
        earliest: Timestamp,
    },
    /// A ledger that came from elsewhere.
    #[error(
        "campaign {id} was sent from another machine before: is that one still sending, or is this a copy?"
    )]
    Moved {
        /// The campaign.
        id: String,
    },
    /// The numbers do not add up.
    #[error("the states of campaign {id} do not add up to its list: {detail}")]
    Invariant {
        /// The campaign.
        id: String,
        /// The numbers.
        detail: String,
    },
    /// The relay.
    #[error("{0}")]
    Relay(String),
    /// Something said by the user that makes no sense.
    #[error("{0}")]
    Asked(String),
    /// The program's own machinery.
    #[error("{0}")]
    Internal(String),
}

/// The clock of a run: it goes on from the instant that was given.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Timestamp,
    since: std::time::Instant,
}

impl Clock {
    /// Goes on from this instant.
    pub fn from(base: Timestamp) -> Self {
        Self {
            base,
            since: std::time::Instant::now(),
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        self.base.checked_add(passed).unwrap_or(self.base)
    }
}

/// A campaign, as its files say.
#[derive(Debug)]
pub struct Campaign {
    /// Its folder.
    pub folder: CampaignFolder,
    /// What it is.
    pub definition: Definition,
}

/// A changed definition, before it takes the place of the one that was.
const NEXT: &str = "campaign.next.json";

/// Folder of the workspace's state.
pub fn state_folder(root: &Path) -> PathBuf {
    root.join(crate::run::workspace::STATE_FOLDER)
}

impl Campaign {
    /// Finds a campaign.
    ///
    /// # Errors
    /// When there is none of that id, or its definition is damaged.
    pub fn find(root: &Path, id: &str) -> Result<Self, CampaignError> {
        let state = state_folder(root);
        let folder = CampaignFolder::find(&state, id).ok_or_else(|| CampaignError::Unknown {
            id: id.to_owned(),
            known: CampaignFolder::all(&state)
                .iter()
                .map(|folder| folder.id().to_owned())
                .collect(),
        })?;
        let definition: Definition = folder.read_json("campaign.json")?;
        // A crash while it was changed left the definition that the ledger knows beside it.
        if folder.file(NEXT).exists()
            && let Ok(next) = folder.read_json::<Definition>(NEXT)
            && next.hash() != definition.hash()
            && read_ledger(&folder.ledger())?.replay.definition() == next.hash()
        {
            folder.write("campaign.json", &next.bytes())?;
            folder.remove(NEXT);
            return Ok(Self {
                folder,
                definition: next,
            });
        }
        Ok(Self { folder, definition })
    }

    /// What stands in its ledger, whoever is writing it.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub fn standing(&self) -> Result<Standing, CampaignError> {
        Ok(read_ledger(&self.folder.ledger())?)
    }

    /// Opens its ledger for writing; the caller holds the lock.
    ///
    /// # Errors
    /// When the ledger is damaged, or is not this campaign's.
    pub fn ledger(&self, now: Timestamp) -> Result<Ledger, CampaignError> {
        let ledger = Ledger::open(&self.folder.ledger(), now)?;
        ledger.with(|replay, _| self.check(replay))?;
        Ok(ledger)
    }

    /// Checks that definition, ledger and list are of one campaign, and the numbers add up.
    fn check(&self, replay: &Replay) -> Result<(), CampaignError> {
        let id = self.folder.id().to_owned();
        if self.definition.hash() != replay.definition() {
            return Err(CampaignError::Altered {
                id,
                what: "the definition",
            });
        }
        let counts = replay.counts();
        if counts.recipients != self.definition.list.recipients || !replay.adds_up() {
            return Err(CampaignError::Invariant {
                id,
                detail: format!("{counts:?}"),
            });
        }
        Ok(())
    }

    /// Checks that texts and list are those that were frozen.
    ///
    /// # Errors
    /// Says which of them is not.
    pub fn check_frozen(&self) -> Result<(), CampaignError> {
        let altered = |what| CampaignError::Altered {
            id: self.folder.id().to_owned(),
            what,
        };
        if Hash::of(&self.folder.read("texts.json")?) != self.definition.texts {
            return Err(altered("the texts"));
        }
        if self.list()?.hash()? != self.definition.list.hash {
            return Err(altered("the list"));
        }
        Ok(())
    }

    /// What goes out.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn texts(&self) -> Result<Texts, CampaignError> {
        Ok(self.folder.read_json("texts.json")?)
    }

    /// The frozen list.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn list(&self) -> Result<List, CampaignError> {
        Ok(List::open(&self.folder, self.definition.list.recipients)?)
    }

    /// The prepared texts.
    ///
    /// # Errors
    /// When they cannot be a mail.
    pub fn template(&self) -> Result<Template, CampaignError> {
        Ok(Template::new(&self.texts()?.mail, &self.definition.sender)?)
    }

    /// Names of its messages.
    ///
    /// # Errors
    /// When the key is missing.
    pub fn identities(&self) -> Result<Identities, CampaignError> {
        Ok(Identities::new(
            self.folder.key()?,
            self.folder.id(),
            &self.definition.sender.domain()?,
        ))
    }

    /// The state for people and scripts: what the ledger says, and what the clock and the number
    /// of approvals make of it.
    pub fn state(&self, replay: &Replay, now: Timestamp) -> CampaignState {
        match replay.state() {
            CampaignState::Approved => {
                if replay.approvers().len() < usize::from(self.definition.approvals) {
                    CampaignState::Draft
                } else if self.definition.window.earliest.is_some_and(|at| at > now) {
                    CampaignState::Scheduled
                } else {
                    CampaignState::Approved
                }
            }
            other => other,
        }
    }
}

/// `fairnotice/delivery/1`: where a campaign stands.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryReport {
    /// `fairnotice/delivery/1`.
    pub schema: &'static str,
    /// Id.
    pub campaign: String,
    /// Where it stands.
    pub state: CampaignState,
    /// The numbers.
    #[serde(flatten)]
    pub counts: Counts,
    /// Delivery reports that came back, hard ones, after the relay had accepted.
    pub bounced: u32,
    /// Why it is paused or cancelled.
    pub why: Option<String>,
    /// When it may send.
    pub window: Window,
    /// When the last message would be out at the allowed rate.
    pub finish: Option<Timestamp>,
    /// Hash of the ledger's last line.
    pub head: Hash,
}

/// Where a campaign stands.
///
/// # Errors
/// When there is none of that id, or its files are damaged.
pub fn status(root: &Path, id: &str, now: Timestamp) -> Result<DeliveryReport, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    let standing = campaign.standing()?;
    Ok(report(&campaign, &standing.replay, standing.head, now))
}

fn report(campaign: &Campaign, replay: &Replay, head: Hash, now: Timestamp) -> DeliveryReport {
    let counts = replay.counts();
    let left = counts.pending + counts.deferred;
    let hard = replay
        .bounced()
        .values()
        .filter(|class| **class == crate::evidence::BounceClass::Hard)
        .count();
    DeliveryReport {
        schema: "fairnotice/delivery/1",
        campaign: campaign.folder.id().to_owned(),
        state: campaign.state(replay, now),
        counts,
        bounced: u32::try_from(hard).unwrap_or(u32::MAX),
        why: replay.why().map(str::to_owned),
        window: campaign.definition.window,
        finish: (left > 0 && campaign.definition.rate.is_some())
            .then(|| campaign.definition.finish(now, left, None)),
        head,
    }
}

/// One line of a list of people who were not reached, or whose delivery is uncertain.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// Number in the list.
    pub n: u32,
    /// The address; none for a person who was erased.
    pub email: Option<String>,
    /// The company's own name for the person.
    pub user_id: Option<String>,
    /// Where the message stands.
    pub state: Delivery,
    /// Whether a hard delivery report came back.
    pub bounced: bool,
    /// Message-ID of the copy.
    pub message_id: String,
    /// Whether a second copy may have been sent.
    pub possibly_twice: bool,
}

/// Those in a state; `Delivery::Refused` also lists those whose mail bounced for good.
///
/// # Errors
/// When files are damaged.
pub fn people(root: &Path, id: &str, state: Delivery) -> Result<Vec<Person>, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    let replay = campaign.standing()?.replay;
    let ids = campaign.identities()?;
    let hard = |n: &u32| replay.bounced().get(n) == Some(&crate::evidence::BounceClass::Hard);
    let mut numbers = replay.numbers(state);
    match state {
        Delivery::Refused => {
            numbers.extend(replay.bounced().keys().filter(|n| hard(n)));
        }
        Delivery::Uncertain => numbers.extend(replay.numbers(Delivery::Sending)),
        _ => {}
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    numbers
        .into_iter()
        .map(|n| {
            list.line(n, &mut line)?;
            let recipient: Option<crate::deliver::Recipient> = serde_json::from_slice(&line).ok();
            Ok(Person {
                n,
                email: recipient.as_ref().map(|r| r.email.clone()),
                user_id: recipient.and_then(|r| r.user_id),
                state: replay.delivery(n).unwrap_or(Delivery::Pending),
                bounced: hard(&n),
                message_id: ids.message_id(n),
                possibly_twice: replay.possibly_twice(n),
            })
        })
        .collect()
}

/// All campaigns of a workspace, by id.
///
/// # Errors
/// When files are damaged.
pub fn all(root: &Path, now: Timestamp) -> Result<Vec<DeliveryReport>, CampaignError> {
    CampaignFolder::all(&state_folder(root))
        .iter()
        .map(|folder| status(root, folder.id(), now))
        .collect()
}
