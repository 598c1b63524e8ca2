//! Whether a text speaks as a policy does: names itself, has a date, binds somebody.

use super::{Document, Warning};

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 32 * 1024;
/// A text with fewer words is judged by those who fetch it.
const FEWEST_WORDS: usize = 40;

/// Names that policies give themselves; lower case.
const NAMES: &[&str] = &[
    "policy",
    "policies",
    "terms",
    "agreement",
    "notice",
    "statement",
    "conditions",
    "guidelines",
    "rules",
    "contract",
    "license",
    "licence",
    "addendum",
    "code",
    "charter",
    "eula",
    "document",
    "disclaimer",
    "declaration",
    "commitments",
    "standards",
    "principles",
];

/// A warning when nothing in an English text is what policies have.
pub(super) fn doubt(document: &Document) -> Option<Warning> {
    if document.language.as_deref() != Some("en")
        || document.dates.effective.is_some()
        || document.dates.updated.is_some()
        || document.title.as_deref().is_some_and(named)
        || document.sections.iter().any(|s| named(&s.title))
    {
        return None;
    }
    let end = (0..=document.text.len().min(LOOKED_AT))
        .rev()
        .find(|i| document.text.is_char_boundary(*i))?;
    let text = document.text.get(..end)?;
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.len() < FEWEST_WORDS {
        return None;
    }
    for (i, word) in words.iter().enumerate() {
        let next = |k: usize| words.get(i + k).map_or("", String::as_str);
        let speaks = match word.as_str() {
            "this" | "these" | "the" => (1..=3).any(|k| NAMES.contains(&next(k))) && word != "the",
            "you" => matches!(next(1), "agree" | "must" | "shall" | "consent" | "accept"),
            "we" => {
                matches!(
                    next(1),
                    "collect" | "process" | "share" | "disclose" | "retain"
                ) || next(1) == "may"
                    && matches!(next(2), "collect" | "use" | "share" | "change" | "update")
            }
            _ => false,
        };
        if speaks {
            return None;
        }
    }
    Some(Warning {
        code: "not-a-policy".to_owned(),
        detail: "the text names no policy, states no date and binds nobody".to_owned(),
    })
}

fn named(title: &str) -> bool {
    title
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| NAMES.contains(&word.to_ascii_lowercase().as_str()))
}
