//! `rules/page.toml`: the words that tell a policy from the page around it.

use std::{
    collections::BTreeMap,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    vocabulary: BTreeMap<String, Vec<String>>,
    dates: Dates,
    lines: Lines,
    suspect: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Dates {
    phrases: Vec<String>,
}

#[derive(Deserialize)]
struct Lines {
    whole: Vec<String>,
    contents: Vec<String>,
}

/// The words, ready for searching.
pub(crate) struct Vocabulary {
    words: Vec<String>,
    policy: AhoCorasick,
    /// The same, several times as quick, for runs that read many pages.
    quick: OnceLock<AhoCorasick>,
    /// Bytes that were searched so far.
    searched: AtomicUsize,
    /// Stems in another case than the lower one, for scripts that the search cannot fold.
    dates: Vec<String>,
    lines: Vec<(String, bool)>,
    contents: Vec<String>,
    suspect: BTreeMap<String, Vec<String>>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and read by the tests"
    )]
    let rules: Rules =
        toml::from_str(include_str!("../../../rules/page.toml")).expect("rules/page.toml");
    let mut words: Vec<String> = rules.vocabulary.into_values().flatten().collect();
    // The search folds only ASCII letters: a capital first letter of other alphabets is a word more.
    let capital: Vec<String> = words
        .iter()
        .filter(|word| !word.is_ascii())
        .filter_map(|word| {
            let mut chars = word.chars();
            let first = chars.next()?;
            let upper: String = first.to_uppercase().chain(chars).collect();
            (upper != *word).then_some(upper)
        })
        .collect();
    words.extend(capital);
    words.sort_unstable();
    words.dedup();
    Vocabulary {
        policy: automaton(&words, false),
        words,
        quick: OnceLock::new(),
        searched: AtomicUsize::new(0),
        dates: rules.dates.phrases,
        lines: rules
            .lines
            .whole
            .into_iter()
            .map(|line| match line.strip_suffix('*') {
                Some(start) => (start.to_owned(), true),
                None => (line, false),
            })
            .collect(),
        contents: rules.lines.contents,
        suspect: rules.suspect,
    }
});

/// A table of all states takes longer to build than a few pages to search.
fn automaton(words: &[String], quick: bool) -> AhoCorasick {
    #[expect(clippy::expect_used, reason = "a few hundred short words always build")]
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .kind(quick.then_some(AhoCorasickKind::DFA))
        .build(words)
        .expect("word list")
}

/// Bytes after which the quicker automaton is worth its building.
const WORTH: usize = 1 << 20;

impl Vocabulary {
    /// The built-in words.
    pub(crate) fn get() -> &'static Self {
        &VOCABULARY
    }

    /// How many words of the policies' vocabulary a text holds.
    pub(crate) fn hits(&self, text: &str) -> u32 {
        let policy = if self.searched.fetch_add(text.len(), Ordering::Relaxed) < WORTH {
            &self.policy
        } else {
            self.quick.get_or_init(|| automaton(&self.words, true))
        };
        u32::try_from(policy.find_iter(text).count()).unwrap_or(u32::MAX / 4)
    }

    /// Whether a text holds a word of the policies' vocabulary.
    pub(crate) fn any(&self, text: &str) -> bool {
        self.policy.is_match(text)
    }

    /// Whether a short text speaks of a policy's own dates: a phrase and a digit.
    pub(crate) fn is_date_line(&self, text: &str) -> bool {
        if text.len() > 200 || !text.chars().any(|c| c.is_numeric()) {
            return false;
        }
        let lower = text.to_lowercase();
        self.dates
            .iter()
            .any(|phrase| lower.contains(phrase.as_str()))
    }

    /// Whether a whole line belongs to the page, not to the policy.
    pub(crate) fn is_page_line(&self, line: &str) -> bool {
        if line.len() > 80 {
            return false;
        }
        let line = line
            .trim_matches(|c: char| c.is_whitespace() || c == '|')
            .to_lowercase();
        self.lines.iter().any(|(phrase, starts)| {
            if *starts {
                line.starts_with(phrase.as_str())
            } else {
                line == *phrase
            }
        })
    }

    /// Whether a line is the label of a box that repeats the page's headings.
    pub(crate) fn is_contents_label(&self, line: &str) -> bool {
        let line = line.trim().trim_end_matches([':', '…']).to_lowercase();
        self.contents.contains(&line)
    }

    /// The phrases of a kind of page that stands in a policy's place and that `lower` (lower case)
    /// holds.
    pub(crate) fn suspect<'a>(&'a self, kind: &str, lower: &str) -> Vec<&'a str> {
        self.suspect
            .get(kind)
            .into_iter()
            .flatten()
            .filter(|phrase| contains_word(lower, phrase))
            .map(String::as_str)
            .collect()
    }
}

/// Whether `phrase` stands in `text` as whole words.
fn contains_word(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + phrase.len()..).and_then(|t| t.chars().next());
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !inside(before) && !inside(after) || !phrase.is_ascii()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        let words = Vocabulary::get();
        assert_eq!(words.hits("Privacy: we collect PERSONAL DATA."), 3);
        assert_eq!(words.hits("Datenschutz und Einwilligung"), 2);
        assert_eq!(words.hits("Start your free trial"), 0);
        assert!(words.is_date_line("Last updated: 3 May 2031"));
        assert!(!words.is_date_line("Last updated"));
        assert!(words.is_page_line("Skip to content"));
        assert!(words.is_page_line("Back to top"));
        assert!(!words.is_page_line("Top secret"));
        assert!(words.is_contents_label("On this page:"));
        assert_eq!(words.suspect("error-page", "error 404: sorry"), ["404"]);
        assert!(words.suspect("error-page", "call 14045").is_empty());
    }
}
