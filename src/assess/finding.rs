//! The vocabulary of judgements.

use serde::{Deserialize, Serialize};

use crate::read::Span;

/// What a clause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// Which personal data is collected, from whom, by what means.
    Collection,
    /// Purposes and legal bases of using it, combining it, marketing.
    Use,
    /// Recipients and disclosure, sale, affiliates, authorities, transfer of business.
    Sharing,
    /// Opt-in, opt-out, consent and its withdrawal, settings.
    Choice,
    /// Access, copy, correction, deletion, portability, objection, account closing, complaints.
    Rights,
    /// How long data is kept and when it is erased or anonymised.
    Retention,
    /// Safeguards, and what is promised when an incident happens.
    Security,
    /// Where data is stored or processed, cross-border transfer and its safeguards.
    Transfer,
    /// Children, age limits, parental consent.
    Minors,
    /// Cookies, beacons, SDKs, advertising identifiers, Do Not Track.
    Tracking,
    /// Profiling, automated decisions, training of models on user data.
    Automation,
    /// How and when the policy itself changes and how users are told.
    Notice,
    /// Governing law, courts, arbitration, class waiver, limitation periods.
    Dispute,
    /// Warranties, disclaimers, caps, indemnity.
    Liability,
    /// Licences to user content, ownership, intellectual property, removal of content.
    Content,
    /// Suspension, termination, discontinuation of the service by the provider.
    Termination,
    /// Price, billing, renewal, refund, tax.
    Payment,
    /// What users must or must not do, eligibility, account duties.
    Conduct,
    /// Which services, users or regions are covered, precedence, definitions.
    Scope,
    /// Who the provider or controller is, contact points, representatives.
    Identity,
}

impl Topic {
    /// All topics, in the order of the vocabulary.
    pub const ALL: [Self; 20] = [
        Self::Collection,
        Self::Use,
        Self::Sharing,
        Self::Choice,
        Self::Rights,
        Self::Retention,
        Self::Security,
        Self::Transfer,
        Self::Minors,
        Self::Tracking,
        Self::Automation,
        Self::Notice,
        Self::Dispute,
        Self::Liability,
        Self::Content,
        Self::Termination,
        Self::Payment,
        Self::Conduct,
        Self::Scope,
        Self::Identity,
    ];
}

/// For whom the change is good, from the user's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less protection, fewer rights, more duties, data, recipients, purposes or time.
    Adverse,
    /// The other way.
    Favourable,
    /// Neither, both, or not clear.
    Neutral,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something new or different is said, but not enough to be told of before it takes effect.
    Substantive,
    /// A reasonable user would want to be told of it before it takes effect.
    Material,
}

/// The gravest thing that can be said of a pair of texts.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The same text.
    #[default]
    None,
    /// No change of the policy at all.
    Technical,
    /// The same content, said differently.
    Editorial,
    /// New or different content.
    Substantive,
    /// At least one change that users would want to be told of.
    Material,
}

/// Where a finding stands, on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRef {
    /// Path of labels in the old text.
    pub old: Vec<String>,
    /// Path of labels in the new text.
    pub new: Vec<String>,
    /// Title of the section (the new one where there is one).
    pub title: String,
}

/// Words of one side: an exact substring of its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Where the words stand.
    pub span: Span,
    /// First and last line, 1-based and inclusive.
    pub lines: (usize, usize),
    /// The words, exactly.
    pub text: String,
}

/// Why a finding was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code of the rule or signal, such as `recipient-added`.
    pub code: String,
    /// The exact words it rests on.
    pub evidence: String,
}

/// A legal meaning seen in one or more changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `f1`, `f2`, … in the order in which they are reported.
    pub id: String,
    /// The change it was seen in.
    pub change: String,
    /// Further changes that say the same in other places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What it is about.
    pub topic: Topic,
    /// For whom it is good.
    pub direction: Direction,
    /// How grave it is.
    pub severity: Severity,
    /// Where it stands.
    pub section: SectionRef,
    /// The old words; `None` when added.
    pub old: Option<Quote>,
    /// The new words; `None` when removed.
    pub new: Option<Quote>,
    /// Rules and signals with their evidence.
    pub reasons: Vec<Reason>,
    /// 0 to 1: how sure the program is.
    pub confidence: f64,
    /// One sentence that a user understands, built from the evidence; `None` where no honest one
    /// can be built.
    #[serde(default)]
    pub summary: Option<String>,
    /// A sentence that a program of the user's own proposes instead: what can be checked in it
    /// stands in the quotes. Nobody approved it, and it goes into no notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
}

/// What was judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// At least as grave as the gravest finding.
    pub verdict: Verdict,
    /// Material before substantive, adverse before neutral before favourable, then by place.
    pub findings: Vec<Finding>,
    /// Rules of the workspace that were silenced and would have spoken.
    #[serde(default)]
    pub silenced: Vec<String>,
    /// What limits this judgement (no rules for the language, another language served, …).
    #[serde(default)]
    pub remarks: Vec<String>,
    /// SHA-256 of the rules that judged, in hexadecimal.
    #[serde(default)]
    pub rules: String,
}
