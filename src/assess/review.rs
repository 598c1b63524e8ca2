//! People decide: a word over a finding is kept beside the machine's own and holds for later runs
//! as long as the same texts stand against each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Assessment, Direction, Finding, Severity, Topic, Verdict, words::words};

/// What a person says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "lowercase")]
pub enum Word {
    /// It is so.
    Confirmed,
    /// It is otherwise; what is `None` stays as the machine says. Nothing given: it is no finding.
    Overruled {
        /// Another severity.
        #[serde(default)]
        severity: Option<Severity>,
        /// Another direction.
        #[serde(default)]
        direction: Option<Direction>,
        /// Another topic.
        #[serde(default)]
        topic: Option<Topic>,
    },
    /// A remark; the judgement stands.
    Annotated,
}

/// A person's word on the texts that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The finding's [`mark`].
    pub finding: String,
    /// What is said.
    #[serde(flatten)]
    pub word: Word,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A finding as it stands after review, with the machine's own word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reviewed {
    /// As people decided; as the machine said where nobody spoke.
    pub finding: Finding,
    /// What identifies the finding in later runs.
    pub mark: String,
    /// What the machine says.
    pub machine: MachineWord,
    /// Whether a person says that it is no finding at all.
    pub dismissed: bool,
    /// All words spoken on it, oldest first; the last that confirms or overrules holds.
    pub reviews: Vec<Review>,
}

/// The machine's own word, which no review removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MachineWord {
    /// Its topic.
    pub topic: Topic,
    /// Its direction.
    pub direction: Direction,
    /// Its severity.
    pub severity: Severity,
}

/// What identifies a finding in later runs: a hash of the words of both quotes, without
/// formatting, numbering and place. The topic is no part of it, since a person may change it; a
/// second finding on the same words differs in `nth`, its position among them.
pub fn mark(finding: &Finding, nth: usize) -> String {
    let mut digest = Sha256::new();
    for quote in [&finding.old, &finding.new] {
        if let Some(quote) = quote {
            for word in words(&quote.text) {
                digest.update(word.text.as_bytes());
                digest.update(b" ");
            }
        }
        digest.update([0]);
    }
    if nth > 0 {
        digest.update(nth.to_string().as_bytes());
    }
    digest
        .finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Lays people's words over an assessment. Gives the findings with both words, and the assessment
/// as it stands then: its verdict is drawn anew, but never below what the unreviewed part says.
pub fn apply(assessment: &Assessment, reviews: &[Review]) -> (Vec<Reviewed>, Assessment) {
    let mut seen: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for finding in &assessment.findings {
        let first = mark(finding, 0);
        let nth = seen.iter().filter(|m| **m == first).count();
        seen.push(first);
        all.push(reviewed(finding, mark(finding, nth), reviews));
    }
    let mut standing = assessment.clone();
    standing.findings = all
        .iter()
        .filter(|one| !one.dismissed)
        .map(|one| one.finding.clone())
        .collect();
    let gravest = standing.findings.iter().map(|f| f.severity).max();
    standing.verdict = match gravest {
        Some(Severity::Material) => Verdict::Material,
        Some(Severity::Substantive) => Verdict::Substantive,
        // Words changed, but people say that nothing new is said.
        None if !assessment.findings.is_empty() => Verdict::Editorial,
        None => assessment.verdict,
    };
    (all, standing)
}

fn reviewed(finding: &Finding, mark: String, reviews: &[Review]) -> Reviewed {
    let mut said: Vec<Review> = reviews
        .iter()
        .filter(|review| review.finding == mark)
        .cloned()
        .collect();
    said.sort_by_key(|review| review.at);
    let mut standing = finding.clone();
    let mut dismissed = false;
    let last = said
        .iter()
        .rev()
        .find(|review| !matches!(review.word, Word::Annotated));
    if let Some(Review {
        word:
            Word::Overruled {
                severity,
                direction,
                topic,
            },
        ..
    }) = last
    {
        dismissed = severity.is_none() && direction.is_none() && topic.is_none();
        standing.severity = severity.unwrap_or(standing.severity);
        standing.direction = direction.unwrap_or(standing.direction);
        standing.topic = topic.unwrap_or(standing.topic);
    }
    if last.is_some() {
        standing.confidence = 1.0;
    }
    Reviewed {
        machine: MachineWord {
            topic: finding.topic,
            direction: finding.direction,
            severity: finding.severity,
        },
        finding: standing,
        mark,
        dismissed,
        reviews: said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::{Quote, SectionRef};

    fn finding(text: &str) -> Finding {
        Finding {
            proposed: None,
            id: "f1".to_owned(),
            change: "c1".to_owned(),
            also: Vec::new(),
            topic: Topic::Sharing,
            direction: Direction::Adverse,
            severity: Severity::Material,
            section: SectionRef::default(),
            old: None,
            new: Some(Quote {
                span: 0..text.len(),
                lines: (1, 1),
                text: text.to_owned(),
            }),
            reasons: Vec::new(),
            confidence: 0.7,
            summary: None,
        }
    }

    fn assessment() -> Assessment {
        Assessment {
            verdict: Verdict::Material,
            findings: vec![finding("We share it with kites.")],
            ..Assessment::default()
        }
    }

    fn review(word: Word, second: i64) -> Review {
        Review {
            finding: mark(&finding("We share it with kites."), 0),
            word,
            reason: "kites get no data".to_owned(),
            by: "Ada".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn the_mark_ignores_formatting_and_place() {
        assert_eq!(
            mark(&finding("We share it with kites."), 0),
            mark(&finding("**We** share it   with kites"), 0)
        );
        assert_ne!(
            mark(&finding("We share it with kites."), 0),
            mark(&finding("We share it with boats."), 0)
        );
    }

    #[test]
    fn overruling_keeps_the_machines_word_beside_it() {
        let word = Word::Overruled {
            severity: Some(Severity::Substantive),
            direction: None,
            topic: Some(Topic::Scope),
        };
        let (all, standing) = apply(&assessment(), &[review(word, 5)]);
        assert_eq!(all[0].machine.severity, Severity::Material);
        assert_eq!(all[0].finding.severity, Severity::Substantive);
        assert_eq!(all[0].finding.topic, Topic::Scope);
        assert_eq!(standing.verdict, Verdict::Substantive);
    }

    #[test]
    fn the_last_word_holds_and_remarks_change_nothing() {
        let none = Word::Overruled {
            severity: None,
            direction: None,
            topic: None,
        };
        let (all, standing) = apply(&assessment(), &[review(none.clone(), 5)]);
        assert!(all[0].dismissed);
        assert_eq!(standing.verdict, Verdict::Editorial);
        let (all, standing) = apply(
            &assessment(),
            &[
                review(Word::Annotated, 9),
                review(Word::Confirmed, 7),
                review(none, 5),
            ],
        );
        assert!(!all[0].dismissed);
        assert_eq!(standing.verdict, Verdict::Material);
        assert_eq!(all[0].reviews.len(), 3);
    }

    #[test]
    fn a_word_on_other_texts_does_not_count() {
        let mut other = review(Word::Confirmed, 5);
        other.finding = mark(&finding("We share it with boats."), 0);
        let (all, standing) = apply(&assessment(), &[other]);
        assert!(all[0].reviews.is_empty());
        assert_eq!(standing, assessment());
    }
}
