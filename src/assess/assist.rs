//! A sentence that somebody else proposes for a finding is taken only when everything checkable in
//! it stands in the evidence.

use serde::{Deserialize, Serialize};

use super::{Finding, words::words};

/// A proposed sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Id of the finding.
    pub finding: String,
    /// The sentence.
    pub summary: String,
}

/// Why a proposal is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such finding.
    #[error("there is no finding `{0}`")]
    Unknown(String),
    /// It says nothing.
    #[error("the sentence is empty")]
    Empty,
    /// It is no single short sentence.
    #[error("the text has {0} characters; at most {MOST} are taken")]
    TooLong(usize),
    /// A number, date, amount, name or address that is nowhere in the evidence.
    #[error("`{0}` stands in neither text; nothing may be added to what they say")]
    NotInEvidence(String),
}

/// Longest sentence that is taken, in characters.
pub const MOST: usize = 400;

/// Checks a proposal against the finding it is for: every number, date, amount, address and name
/// (a word with a capital that does not begin a sentence) must stand in one of the quotes.
///
/// # Errors
/// When the finding is unknown, or the sentence empty, too long, or adds something.
pub fn check(findings: &[Finding], proposal: &Proposal) -> Result<String, Refusal> {
    let finding = findings
        .iter()
        .find(|finding| finding.id == proposal.finding)
        .ok_or_else(|| Refusal::Unknown(proposal.finding.clone()))?;
    let sentence = proposal.summary.trim();
    if sentence.is_empty() {
        return Err(Refusal::Empty);
    }
    let length = sentence.chars().count();
    if length > MOST {
        return Err(Refusal::TooLong(length));
    }
    let evidence: Vec<String> = [&finding.old, &finding.new]
        .into_iter()
        .flatten()
        .map(|quote| quote.text.as_str())
        .chain([finding.section.title.as_str()])
        .flat_map(words)
        .map(|word| word.text)
        .collect();
    for word in words(sentence) {
        let begins = begins_sentence(sentence, word.span.start);
        let number = word.text.chars().any(char::is_numeric);
        let place = word.text.contains('@') || word.text.contains('.');
        let money = matches!(word.text.as_str(), "$" | "€" | "£" | "¥" | "₹" | "%");
        let name = word.capital && !begins && word.text != "i";
        if (number || place || money || name) && !evidence.contains(&word.text) {
            return Err(Refusal::NotInEvidence(
                sentence.get(word.span).unwrap_or_default().to_owned(),
            ));
        }
    }
    Ok(sentence.to_owned())
}

/// Whether a word is the first of a sentence.
fn begins_sentence(text: &str, at: usize) -> bool {
    text.get(..at)
        .unwrap_or_default()
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '(' | '\''))
        .chars()
        .next_back()
        .is_none_or(|c| matches!(c, '.' | '!' | '?' | ':' | '。'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::{Direction, Quote, SectionRef, Severity, Topic};

    fn findings() -> Vec<Finding> {
        let quote = |text: &str| {
            Some(Quote {
                span: 0..text.len(),
                lines: (1, 1),
                text: text.to_owned(),
            })
        };
        vec![Finding {
            proposed: None,
            id: "f1".to_owned(),
            change: "c1".to_owned(),
            also: Vec::new(),
            topic: Topic::Retention,
            direction: Direction::Adverse,
            severity: Severity::Material,
            section: SectionRef::default(),
            old: quote("Harbour Cloud keeps logs for 30 days."),
            new: quote("Harbour Cloud keeps logs for 12 months."),
            reasons: Vec::new(),
            confidence: 0.9,
            summary: None,
        }]
    }

    fn said(summary: &str) -> Result<String, Refusal> {
        check(
            &findings(),
            &Proposal {
                finding: "f1".to_owned(),
                summary: summary.to_owned(),
            },
        )
    }

    #[test]
    fn what_the_texts_say_is_taken() {
        assert!(
            said("Logs were kept for 30 days; now Harbour Cloud keeps them for 12 months.").is_ok()
        );
    }

    #[test]
    fn what_is_added_is_refused() {
        assert_eq!(
            said("Logs are kept for 24 months."),
            Err(Refusal::NotInEvidence("24".to_owned()))
        );
        assert_eq!(
            said("Logs go to Meadow Ltd."),
            Err(Refusal::NotInEvidence("Meadow".to_owned()))
        );
        assert_eq!(said("  "), Err(Refusal::Empty));
        assert!(matches!(said(&"a".repeat(401)), Err(Refusal::TooLong(401))));
    }
}
