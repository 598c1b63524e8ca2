//! Law packs: what the law of a place demands beside a document's own promises.
//!
//! A pack adds duties and never removes one. An entry that was not read in a source says so
//! (`verified = false`) wherever it is shown. No entry is legal advice.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Acceptance, Channel, Duty, Lead, Mode, MustState, Source, Timing, Trigger};
use crate::assess::{Direction, Severity, Topic};

/// The sentence that stands wherever law packs are shown.
pub const NO_ADVICE: &str = "Law packs are an aid to memory, not legal advice; entries marked unverified were not read in a source.";

/// The built-in packs and where they stand, for messages.
const BUILT_IN: &[(&str, &str)] = &[
    ("rules/law/eu.toml", include_str!("../../rules/law/eu.toml")),
    ("rules/law/uk.toml", include_str!("../../rules/law/uk.toml")),
    ("rules/law/us.toml", include_str!("../../rules/law/us.toml")),
    (
        "rules/law/us-ca.toml",
        include_str!("../../rules/law/us-ca.toml"),
    ),
    (
        "rules/law/us-co.toml",
        include_str!("../../rules/law/us-co.toml"),
    ),
    ("rules/law/cn.toml", include_str!("../../rules/law/cn.toml")),
    ("rules/law/kr.toml", include_str!("../../rules/law/kr.toml")),
    ("rules/law/jp.toml", include_str!("../../rules/law/jp.toml")),
    ("rules/law/br.toml", include_str!("../../rules/law/br.toml")),
    ("rules/law/in.toml", include_str!("../../rules/law/in.toml")),
    ("rules/law/ca.toml", include_str!("../../rules/law/ca.toml")),
    ("rules/law/au.toml", include_str!("../../rules/law/au.toml")),
];

/// A file of law packs could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    /// It is not valid TOML, or holds an unknown key or value.
    #[error("{file}: {detail}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, with its line.
        detail: String,
    },
    /// Two entries have the same id.
    #[error("{file}: the id `{id}` is there twice; ids are never used again")]
    Twice {
        /// The file.
        file: String,
        /// The id.
        id: String,
    },
}

/// Where the notice has to be, in the words of the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// Paper, or something the person can keep and the sender cannot alter.
    Durable,
    /// To the person, in any form.
    Direct,
    /// To each person singly.
    Individual,
    /// A prompt where the matter comes up.
    Prompt,
    /// On the website or first screen.
    Website,
    /// As the policy itself promises.
    AsPromised,
    /// In the manner that is regularly used with these people.
    Regular,
    /// Not said.
    Any,
}

/// What consent the law asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// None.
    None,
    /// Silence counts, where that was agreed and is said.
    Deemed,
    /// A right to opt out.
    OptOut,
    /// An act of the person.
    Explicit,
    /// An act of the parent or guardian, verified.
    Guardian,
}

/// One entry of a law pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Never used again for anything else.
    pub id: String,
    /// `eu`, `us`, `us-ca`, ….
    pub jurisdiction: String,
    /// Kinds of document it concerns (`privacy`, `platform-terms`, `payment`, …).
    pub kinds: Vec<String>,
    /// What makes it due.
    pub trigger: Trigger,
    /// The demand in one sentence.
    pub summary: String,
    /// Whether an event outside the document makes it due (an incident), so that no comparison can.
    #[serde(default)]
    pub event: bool,
    /// Topics of findings that trigger it; all when empty.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Directions of findings that trigger it; all when empty.
    #[serde(default)]
    pub directions: Vec<Direction>,
    /// The least severity that triggers it.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// A condition that a program cannot see.
    #[serde(default)]
    pub applies_if: Option<String>,
    /// Where the notice has to be.
    pub medium: Medium,
    /// Channels that serve; those of the medium when empty.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Whether one of them is enough.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Who is told, where not the users.
    #[serde(default)]
    pub addressee: Option<String>,
    /// When.
    pub timing: Timing,
    /// The least lead, or the time allowed afterwards.
    #[serde(default)]
    pub lead: Option<Lead>,
    /// What the notice must say.
    #[serde(default)]
    pub contents: Vec<MustState>,
    /// The consent it asks for.
    pub consent: Consent,
    /// When it does not hold.
    #[serde(default)]
    pub exceptions: Vec<String>,
    /// What else there is to know.
    #[serde(default)]
    pub note: Option<String>,
    /// The provision, as lawyers cite it.
    pub provision: String,
    /// An official source.
    pub link: String,
    /// Whether the provision was read in a source.
    pub verified: bool,
    /// When it was last checked.
    pub checked: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entry: Vec<Entry>,
}

/// Reads a file of law packs.
///
/// # Errors
/// When it is not TOML, has an unknown key or value, or an id twice; the error names the place.
pub fn parse(file: &str, text: &str) -> Result<Vec<Entry>, LawError> {
    let File { entry } = toml::from_str(text).map_err(|error| LawError::Syntax {
        file: file.to_owned(),
        detail: error.to_string(),
    })?;
    let mut ids = std::collections::BTreeSet::new();
    for one in &entry {
        if !ids.insert(&one.id) {
            return Err(LawError::Twice {
                file: file.to_owned(),
                id: one.id.clone(),
            });
        }
    }
    Ok(entry)
}

/// All built-in entries.
pub fn packs() -> &'static [Entry] {
    static PACKS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        BUILT_IN
            .iter()
            .filter_map(|(file, text)| parse(file, text).ok())
            .flatten()
            .collect()
    });
    &PACKS
}

/// The names of the jurisdictions that some entry is for.
pub fn jurisdictions(entries: &[Entry]) -> Vec<&str> {
    let mut names: Vec<&str> = entries.iter().map(|e| e.jurisdiction.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The entries for a kind of document in some jurisdictions; `us-ca` brings those of `us` along.
pub fn select<'a>(entries: &'a [Entry], jurisdictions: &[String], kind: &str) -> Vec<&'a Entry> {
    entries
        .iter()
        .filter(|entry| entry.kinds.iter().any(|k| k == kind))
        .filter(|entry| {
            jurisdictions.iter().any(|name| {
                *name == entry.jurisdiction || name.starts_with(&format!("{}-", entry.jurisdiction))
            })
        })
        .collect()
}

impl Entry {
    /// The entry as a duty.
    pub fn duty(&self) -> Duty {
        let mut channels = self.channels.clone();
        if channels.is_empty() {
            channels = match self.medium {
                Medium::Durable => vec![Channel::Email, Channel::Post],
                Medium::Direct | Medium::Individual | Medium::Regular => vec![Channel::Direct],
                Medium::Prompt => vec![Channel::InProduct, Channel::Website],
                Medium::Website => vec![Channel::Website],
                Medium::AsPromised => vec![Channel::Posting],
                Medium::Any => vec![Channel::Other],
            };
        }
        channels.sort_unstable();
        Duty {
            id: self.id.clone(),
            source: Source::Law {
                id: self.id.clone(),
                provision: self.provision.clone(),
                verified: self.verified,
            },
            trigger: self.trigger,
            mode: self.mode.unwrap_or(if channels.len() > 1 {
                Mode::Any
            } else {
                Mode::All
            }),
            channels,
            timing: self.timing,
            lead_days: self.lead.map(Lead::days),
            lead: self.lead,
            acceptance: match self.consent {
                Consent::Explicit | Consent::Guardian => Acceptance::Explicit,
                Consent::None | Consent::Deemed | Consent::OptOut => Acceptance::None,
            },
            must_state: self.contents.clone(),
            hedged: false,
            lines: (0, 0),
            quote: self.summary.clone(),
            section: Vec::new(),
            addressee: self.addressee.clone(),
            judge: None,
            fallback: Vec::new(),
            follow_up: None,
            opt_out: None,
            exceptions: self.exceptions.clone(),
            conflicts: Vec::new(),
        }
    }

    /// Whether a finding makes it due.
    pub fn triggered_by(&self, finding: &crate::assess::Finding) -> bool {
        !self.event
            && (self.topics.is_empty() || self.topics.contains(&finding.topic))
            && (self.directions.is_empty() || self.directions.contains(&finding.direction))
            && self.severity.is_none_or(|least| finding.severity >= least)
    }

    /// `verified` or `unverified`, for people.
    pub fn standing(&self) -> &'static str {
        if self.verified {
            "verified"
        } else {
            "unverified"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_is_valid_and_says_where_it_comes_from() {
        let mut ids = std::collections::BTreeSet::new();
        let mut count = 0;
        for (file, text) in BUILT_IN {
            for entry in parse(file, text).unwrap() {
                count += 1;
                assert!(ids.insert(entry.id.clone()), "{} is there twice", entry.id);
                assert!(
                    entry
                        .id
                        .starts_with(entry.jurisdiction.split('-').next().unwrap())
                );
                assert!(entry.link.starts_with("http"), "{}", entry.id);
                assert!(!entry.kinds.is_empty() && !entry.provision.is_empty());
                if entry.lead.is_some() {
                    assert!(
                        matches!(entry.timing, Timing::Before | Timing::After),
                        "{}",
                        entry.id
                    );
                }
            }
        }
        assert_eq!(count, packs().len());
    }

    #[test]
    fn leads_are_the_laws() {
        let lead = |id: &str| {
            packs()
                .iter()
                .find(|e| e.id == id)
                .and_then(|e| e.lead)
                .map(|l| l.to_string())
        };
        assert_eq!(lead("eu-p2b-3-2").as_deref(), Some("15 days"));
        assert_eq!(lead("eu-eecc-105-4").as_deref(), Some("1 calendar month"));
        assert_eq!(lead("eu-psd2-54").as_deref(), Some("2 calendar months"));
        assert_eq!(lead("us-hipaa-164-520").as_deref(), Some("60 days"));
        assert_eq!(lead("kr-kftc-10023-3-adverse").as_deref(), Some("30 days"));
        assert_eq!(lead("eu-wp260-29"), None);
    }

    #[test]
    fn a_state_brings_its_federation_along() {
        let ids: Vec<&str> = select(packs(), &["us-ca".to_owned()], "privacy")
            .iter()
            .map(|e| e.id.as_str())
            .collect();
        assert!(ids.contains(&"us-ca-caloppa-22575") && ids.contains(&"us-ftc-retroactive"));
        assert!(!ids.iter().any(|id| id.starts_with("us-co")));
        assert!(
            select(packs(), &["eu".to_owned()], "platform-terms")
                .iter()
                .any(|e| e.id == "eu-p2b-3-2")
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let text = "[[entry]]\nid = \"x\"\ncolour = \"red\"\n";
        let error = parse("mine.toml", text).unwrap_err().to_string();
        assert!(
            error.starts_with("mine.toml") && error.contains("line"),
            "{error}"
        );
    }
}
