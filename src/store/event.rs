//! What the journal holds: one variant for each thing that can happen.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    assess::{Direction, Severity, Topic, Verdict},
    evidence::Hash,
    notice::Notice,
    read::Dates,
};

/// One thing that happened. Variants and fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A source was looked at.
    Observed(Observation),
    /// A text that was not known before was stored.
    VersionStored(Version),
    /// A version was seen in public at its source (or declared to be).
    Published {
        /// The document.
        document: String,
        /// The version.
        version: Hash,
        /// When it was published, where that is not the time of the entry (an imported history).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Somebody said when a version takes effect, or that it never will.
    EffectSet {
        /// The document.
        document: String,
        /// The version.
        version: Hash,
        /// The day, or `None` when it was withdrawn.
        date: Option<Date>,
        /// Who said so.
        by: String,
    },
    /// A better reader read the same capture differently; no change of the policy.
    Reread {
        /// The document.
        document: String,
        /// The version before.
        from: Hash,
        /// The version that takes its place.
        to: Hash,
        /// Number of the reader.
        reader: u32,
    },
    /// A new version was compared and judged, and so reported.
    Judged(Judgement),
    /// A notice was drafted, edited, approved, published or cancelled; the record as it is now.
    NoticeSaved {
        /// What was done: `drafted`, `set`, `edited`, `approved`, `published`, `cancelled`.
        action: String,
        /// Who did it.
        by: String,
        /// The notice after it.
        notice: Box<Notice>,
    },
    /// A person's word on a finding.
    Reviewed(Review),
    /// An alert has to go out.
    AlertDue(AlertRecord),
    /// An alert reached one of several targets; it is due for the others.
    AlertReached {
        /// Its id.
        id: String,
        /// SHA-256 of the target: the address of a chat's webhook is its password.
        target: Hash,
    },
    /// An alert went out, to all its targets.
    AlertDone {
        /// Its id.
        id: String,
    },
    /// Something happened to a campaign; its own ledger has the rest.
    Campaign {
        /// Its id.
        id: String,
        /// What: `created`, `approved`, `sending`, `finished`, ….
        action: String,
        /// Who did it.
        by: String,
        /// Ids of the notices it carries.
        notices: Vec<String>,
    },
    /// Anything that a part of the program keeps for itself, under a name of its own.
    Noted {
        /// What it is about: a document, a notice, a campaign.
        subject: String,
        /// What was noted, such as `acceptance-imported`.
        what: String,
        /// Its data.
        data: serde_json::Value,
    },
}

/// One look at a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The document.
    pub document: String,
    /// The version that was seen; `None` when the look failed.
    pub version: Option<Hash>,
    /// Why no version was seen: a stable code and the detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemSeen>,
    /// SHA-256 of the bytes that came, where some came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Hash>,
    /// What their first reading showed: the same again is the same version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glance: Option<Hash>,
    /// What tells before they are read that pages read alike; only of pages that are not suspect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imprint: Option<Hash>,
    /// Where the bytes of a capture that could not be read are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Whether the page was found to alternate between known versions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
    /// Validators of the response, for the next conditional request, one for each source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validators: Vec<Validators>,
}

/// Why a look did not show a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemSeen {
    /// Stable code: `http-404`, `timeout`, `consent-wall`, `shrunk`, ….
    pub code: String,
    /// For people.
    pub detail: String,
    /// Whether something came that is not the policy, rather than nothing.
    pub suspect: bool,
}

/// What a server gave for conditional requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The address it belongs to (the configured one; redirects are followed anew each time).
    pub url: String,
    /// `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Hash of what was asked for: of all sources of the document, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Hash>,
}

/// A distinct canonical text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The document.
    pub document: String,
    /// SHA-256 of the canonical text.
    pub id: Hash,
    /// SHA-256 of the equivalence key: captures with the same key show the same version.
    pub key: Hash,
    /// Number of the rule by which the key was made.
    pub key_rule: u32,
    /// Number of the reader.
    pub reader: u32,
    /// Hash of the document's selectors by which it was read, where that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Hash>,
    /// Snapshot file, relative to the workspace.
    pub file: String,
    /// Files of the fetched bytes, one for each source, relative to the workspace.
    #[serde(default)]
    pub raw: Vec<String>,
    /// When it was fetched (or dated, for an imported history).
    pub fetched: Timestamp,
    /// How it came.
    pub origin: Origin,
    /// The document's own title.
    pub title: Option<String>,
    /// Its own dates.
    pub dates: Dates,
    /// Its language.
    pub language: Option<String>,
    /// Its length in words.
    pub words: usize,
}

/// How a version came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Seen at its source.
    Fetched,
    /// A draft that is not public.
    Draft,
    /// From another program's history.
    Imported,
    /// From an old capture, by a newer reader.
    Reread,
}

/// A version, compared with what was there before, and judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The document.
    pub document: String,
    /// The version that was judged.
    pub version: Hash,
    /// The version it was compared with.
    pub against: Hash,
    /// The verdict.
    pub verdict: Verdict,
    /// Number of findings.
    pub findings: usize,
    /// The redline, relative to the workspace.
    pub redline: Option<String>,
    /// Hash of the rules that judged.
    pub rules: String,
}

/// A person's word on a finding; the machine's own word stays beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The document.
    pub document: String,
    /// The version with the finding.
    pub version: Hash,
    /// What identifies the finding in later runs: a hash of topic and quotes.
    pub finding: String,
    /// What the person says: `confirmed`, `overruled`, `annotated`.
    pub word: String,
    /// Another severity; `None` with `word` `overruled` and nothing else means: no finding.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Another direction.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Another topic.
    #[serde(default)]
    pub topic: Option<Topic>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An alert that has to go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// Stable id: the same event and receiver make the same id.
    pub id: String,
    /// Name of the alert in the configuration.
    pub alert: String,
    /// The document.
    pub document: String,
    /// What happened: `changed`, `failing`, `suspect`, `flapping`.
    pub what: String,
    /// The version concerned.
    pub version: Option<Hash>,
    /// The version it was compared with.
    pub against: Option<Hash>,
    /// The verdict of a change.
    pub verdict: Option<Verdict>,
    /// For people.
    pub detail: String,
    /// When it became due.
    pub due: Timestamp,
}
