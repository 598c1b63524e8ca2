//! The vocabulary of promises.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::read::Warning;

/// The event that makes a notice due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Any revision of this document.
    AnyChange,
    /// A significant, substantial, material or important change.
    MaterialChange,
    /// A change that lessens the user's rights or protection under the document.
    RightsReduced,
    /// Data used for a purpose, or collected in a way, that the document did not state.
    NewPurpose,
    /// Fees, plans, billing.
    PriceChange,
    /// Merger, acquisition, sale of the business or its data.
    Transfer,
    /// The service or a feature is discontinued.
    ServiceEnds,
    /// Security incident, breach.
    Incident,
    /// Anything else.
    Other,
}

/// A way of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Electronic mail.
    Email,
    /// A notice, banner or announcement on the site.
    Website,
    /// A pop-up, prompt or message inside the service, account or app.
    InProduct,
    /// Push notification.
    Push,
    /// Text message.
    Sms,
    /// Telephone call.
    Phone,
    /// Paper mail.
    Post,
    /// The revised document itself is put up, its date changed.
    Posting,
    /// Direct communication, not said how.
    Direct,
    /// Other means, an appropriate manner.
    Other,
}

/// Whether one of the channels is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The provider may choose among them.
    Any,
    /// Each of them.
    All,
}

/// When the notice comes, seen from the effect of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Before it takes effect.
    Before,
    /// When it takes effect or is put up.
    At,
    /// Afterwards.
    After,
    /// Not said.
    Unspecified,
}

/// What makes the change binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acceptance {
    /// Using the service after it means agreement.
    ContinuedUse,
    /// The user is asked to agree or consent anew.
    Explicit,
    /// Not said.
    None,
}

/// What the notice must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MustState {
    /// The day on which the change takes effect.
    EffectiveDate,
    /// What changed or why.
    Summary,
    /// The "last updated" line is changed.
    DateLine,
    /// What the user can do: object, cancel, delete.
    Options,
}

/// A stated period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: LeadUnit,
}

/// The unit of a stated period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeadUnit {
    /// Hours.
    Hours,
    /// Full calendar days.
    Days,
    /// Days that are neither weekend nor (where known) holiday.
    BusinessDays,
    /// Weeks of seven days.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// Where a duty comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The policy itself.
    Policy,
    /// A law pack: its id, the provision, and whether the provision was read in a source.
    Law {
        /// Id of the pack's entry, such as `eu-p2b-3-2`.
        id: String,
        /// The provision, as lawyers cite it.
        provision: String,
        /// Whether it was read in a source.
        verified: bool,
    },
    /// The house minimum of the configuration.
    House,
}

/// A promise about telling users, or a law's demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// `d1`, `d2`, … in document order; the entry's id for a law.
    pub id: String,
    /// Where it comes from.
    pub source: Source,
    /// What makes it due.
    pub trigger: Trigger,
    /// How users are told.
    pub channels: Vec<Channel>,
    /// Whether one channel is enough.
    pub mode: Mode,
    /// When.
    pub timing: Timing,
    /// The stated period in days (two weeks 14, one month 30), if any.
    pub lead_days: Option<u32>,
    /// The stated period in its own unit, if any.
    #[serde(default)]
    pub lead: Option<Lead>,
    /// What makes the change binding.
    pub acceptance: Acceptance,
    /// What the notice must say.
    pub must_state: Vec<MustState>,
    /// Not a firm promise.
    pub hedged: bool,
    /// First and last line of the passage, 1-based and inclusive.
    pub lines: (usize, usize),
    /// The passage, word for word.
    pub quote: String,
    /// Section path of the passage.
    #[serde(default)]
    pub section: Vec<String>,
    /// Who is told: `users`, `guardians`, `business-customers`, `administrators`, ….
    #[serde(default)]
    pub addressee: Option<String>,
    /// Who decides whether the change is material: `company` or nobody.
    #[serde(default)]
    pub judge: Option<String>,
    /// Channels to be used where the first ones fail.
    #[serde(default)]
    pub fallback: Vec<Channel>,
    /// What must follow: `delete-or-anonymise`, `same-standard`, `reply`, ….
    #[serde(default)]
    pub follow_up: Option<String>,
    /// Whether the recipient may opt out of the message, where said.
    #[serde(default)]
    pub opt_out: Option<bool>,
    /// Exceptions, word for word.
    #[serde(default)]
    pub exceptions: Vec<String>,
    /// Ids of duties that contradict this one.
    #[serde(default)]
    pub conflicts: Vec<String>,
}

/// What a document promises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duties {
    /// In document order.
    pub duties: Vec<Duty>,
    /// `no-change-clause`, `conflict`, `clause-cut-off`, `incorporated-document`, ….
    pub warnings: Vec<Warning>,
}

/// How a promise changed between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseChange {
    /// What happened to it.
    pub change: PromiseChangeKind,
    /// The old promise.
    pub old: Option<Duty>,
    /// The new one.
    pub new: Option<Duty>,
}

/// What happened to a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromiseChangeKind {
    /// It promises less.
    Weakened,
    /// It promises more.
    Strengthened,
    /// It is gone.
    Dropped,
    /// It is new.
    Added,
}

/// A duty that a change triggers, with what it demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDuty {
    /// The duty.
    pub duty: Duty,
    /// Ids of the findings that trigger it.
    pub because: Vec<String>,
    /// The lead that was used, and why (`promised`, `law`, `house minimum, assumed because …`).
    pub lead: Option<Lead>,
    /// Which rule of counting was used, for people.
    pub rule: String,
    /// The last instant at which the last message must be out, for the planned effective date.
    pub send_by: Option<Timestamp>,
    /// The deadline of a duty that falls after the effect.
    pub due_after: Option<Date>,
    /// Channels of the notices that fulfil it.
    pub fulfilled_by: Vec<Channel>,
    /// Whether notice alone will not do: consent is needed.
    pub consent_needed: bool,
}

/// What must happen because of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Duties triggered, most urgent first.
    pub duties: Vec<PlannedDuty>,
    /// The planned effective date, if one is known.
    pub effective: Option<Date>,
    /// The earliest lawful effective date if the notices go out today.
    pub earliest_effective: Option<Date>,
    /// The last instant to send for the planned effective date, in the earliest zone concerned.
    pub send_by: Option<Timestamp>,
    /// Whether the planned date leaves less time than the duties demand.
    pub too_early: bool,
    /// Channels on which a notice must be made.
    pub channels: Vec<Channel>,
    /// Whether any duty needs consent.
    pub consent_needed: bool,
    /// Things only people can do, such as a phone call.
    pub tasks: Vec<String>,
    /// Assumptions and limits, named.
    pub remarks: Vec<String>,
}
