//! The model that every renderer reads.

use jiff::Timestamp;

use crate::{
    assess::{Assessment, Finding, Severity, Verdict},
    compare::{Change, Comparison},
    duty::{Duty, PromiseChange},
    read::Document,
};

/// Everything a redline can say.
#[derive(Debug, Clone, Copy)]
pub struct Redline<'a> {
    /// The old document.
    pub old: &'a Document,
    /// The new document.
    pub new: &'a Document,
    /// What differs.
    pub comparison: &'a Comparison,
    /// What it means; `None` when only the comparison was asked for.
    pub assessment: Option<&'a Assessment>,
    /// Duties of the old text, and the findings that trigger them.
    pub duties: &'a [TriggeredDuty],
    /// How promises about telling users changed.
    pub promises: &'a [PromiseChange],
    /// Names, versions, hashes, times.
    pub head: &'a Head,
}

/// A promise of the old text with the findings that trigger it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggeredDuty {
    /// The promise.
    pub duty: Duty,
    /// Ids of the findings that trigger it; empty when this change does not.
    pub because: Vec<String>,
}

/// What the files don't say about themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The old side.
    pub old: VersionHead,
    /// The new side.
    pub new: VersionHead,
    /// Name put on tracked changes; `fairnotice` when empty.
    pub author: String,
    /// When the redline was made; left out where unknown.
    pub made: Option<Timestamp>,
}

/// One side's file or stored version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionHead {
    /// Path or `DOC@VERSION`, as given.
    pub name: String,
    /// Id of the stored version.
    pub version: Option<String>,
    /// SHA-256 of the bytes read, in hexadecimal.
    pub sha256: Option<String>,
    /// When the version was first seen.
    pub seen: Option<Timestamp>,
}

impl<'a> Redline<'a> {
    /// The title of the new document, else of the old one, else the new side's file name.
    pub fn title(&self) -> &'a str {
        let name = &self.head.new.name;
        self.new
            .title
            .as_deref()
            .or(self.old.title.as_deref())
            .unwrap_or_else(|| name.rsplit(['/', '\\']).next().unwrap_or(name))
    }

    /// The verdict, when the change was judged.
    pub fn verdict(&self) -> Option<Verdict> {
        self.assessment.map(|assessment| assessment.verdict)
    }

    /// All findings, gravest first.
    pub fn findings(&self) -> &'a [Finding] {
        self.assessment
            .map_or(&[], |assessment| assessment.findings.as_slice())
    }

    /// The findings seen in a change.
    pub fn findings_of(&self, change: &Change) -> impl Iterator<Item = &'a Finding> {
        let id = change.id.clone();
        self.findings()
            .iter()
            .filter(move |finding| finding.change == id || finding.also.contains(&id))
    }

    /// The gravest severity seen in a change.
    pub fn severity_of(&self, change: &Change) -> Option<Severity> {
        self.findings_of(change)
            .map(|finding| finding.severity)
            .max()
    }

    /// The name on tracked changes.
    pub fn author(&self) -> &'a str {
        if self.head.author.is_empty() {
            "fairnotice"
        } else {
            &self.head.author
        }
    }
}
