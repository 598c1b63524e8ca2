//! The little language of phrases that rules are written in, and finding them in words.
//!
//! A phrase is a row of words as [`words`](super::words) sees them. `disclos*` is any word that
//! begins so, `a|b` either word, `_` any one word, `..` up to five words of any kind.

use std::collections::BTreeMap;

use super::words::{Word, words};

/// A phrase, ready to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    /// As written in the rule.
    pub(super) source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    Gap,
    Words(Vec<Choice>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Exact(String),
    Prefix(String),
}

impl Choice {
    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == word,
            Self::Prefix(prefix) => word.starts_with(prefix.as_str()),
        }
    }
}

impl Phrase {
    /// Reads a phrase.
    ///
    /// # Errors
    /// When it is empty or begins or ends with a gap.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for token in source.split_whitespace() {
            match token {
                "_" => parts.push(Part::Any),
                ".." => parts.push(Part::Gap),
                _ if token.contains(['|', '*']) => {
                    parts.push(Part::Words(token.split('|').map(choice).collect()));
                }
                _ => parts.extend(
                    words(token)
                        .into_iter()
                        .map(|word| Part::Words(vec![Choice::Exact(word.text)])),
                ),
            }
        }
        match (parts.first(), parts.last()) {
            (Some(Part::Words(_)), Some(Part::Words(_) | Part::Any)) => Ok(Self {
                source: source.to_owned(),
                parts,
            }),
            _ => Err(format!(
                "the phrase `{source}` must begin with a word and must not end with a gap"
            )),
        }
    }

    /// How many words it matches when it begins at the first of `words`.
    fn length(&self, words: &[Word]) -> Option<usize> {
        matched(&self.parts, words)
    }
}

fn choice(text: &str) -> Choice {
    let lower = text.to_lowercase();
    match lower.strip_suffix('*') {
        Some(prefix) => Choice::Prefix(prefix.to_owned()),
        None => Choice::Exact(lower),
    }
}

fn matched(parts: &[Part], words: &[Word]) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else {
        return Some(0);
    };
    match part {
        Part::Gap => (0..=5.min(words.len())).find_map(|skip| {
            words
                .get(skip..)
                .and_then(|tail| matched(rest, tail))
                .map(|n| n + skip)
        }),
        Part::Any => words
            .split_first()
            .and_then(|(_, tail)| matched(rest, tail))
            .map(|n| n + 1),
        Part::Words(choices) => {
            let (word, tail) = words.split_first()?;
            choices
                .iter()
                .any(|choice| choice.fits(&word.text))
                .then(|| matched(rest, tail))
                .flatten()
                .map(|n| n + 1)
        }
    }
}

/// Many phrases, found in one pass; each has the number that its owner gave it.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    all: Vec<(Phrase, usize)>,
    exact: BTreeMap<String, Vec<usize>>,
    prefix: BTreeMap<char, Vec<usize>>,
}

/// A phrase found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The number that the phrase's owner gave it.
    pub(super) owner: usize,
    /// Which phrase, for telling phrases of one owner apart.
    pub(super) phrase: usize,
    /// Index of the first word.
    pub(super) first: usize,
    /// Number of words.
    pub(super) length: usize,
}

impl Phrases {
    /// Adds a phrase for an owner.
    pub(super) fn add(&mut self, phrase: Phrase, owner: usize) {
        let index = self.all.len();
        if let Some(Part::Words(choices)) = phrase.parts.first() {
            for choice in choices {
                match choice {
                    Choice::Exact(word) => {
                        self.exact.entry(word.clone()).or_default().push(index);
                    }
                    Choice::Prefix(word) => {
                        if let Some(first) = word.chars().next() {
                            self.prefix.entry(first).or_default().push(index);
                        }
                    }
                }
            }
        }
        self.all.push((phrase, owner));
    }

    /// Number of phrases.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Every phrase at every place, in the order of the words.
    pub(super) fn find(&self, words: &[Word]) -> Vec<Found> {
        let mut found = Vec::new();
        for (first, word) in words.iter().enumerate() {
            let exact = self.exact.get(&word.text);
            let prefix = word
                .text
                .chars()
                .next()
                .and_then(|first| self.prefix.get(&first));
            for &index in exact.into_iter().chain(prefix).flatten() {
                let (Some((phrase, owner)), Some(tail)) = (self.all.get(index), words.get(first..))
                else {
                    continue;
                };
                if let Some(length) = phrase.length(tail) {
                    found.push(Found {
                        owner: *owner,
                        phrase: index,
                        first,
                        length,
                    });
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(phrase: &str, text: &str) -> usize {
        let mut phrases = Phrases::default();
        phrases.add(Phrase::parse(phrase).unwrap(), 0);
        phrases.find(&words(text)).len()
    }

    #[test]
    fn phrases_match_words_prefixes_choices_and_gaps() {
        assert_eq!(hits("opt out", "You may opt-out at any time"), 1);
        assert_eq!(hits("disclos*", "Disclosure: we disclose it"), 2);
        assert_eq!(hits("will|shall not", "We shall not"), 1);
        assert_eq!(
            hits("share .. with", "We share all of your data with them"),
            1
        );
        assert_eq!(
            hits(
                "share .. with",
                "We share. One two three four five six with"
            ),
            0
        );
        assert_eq!(hits("保存", "我们保存信息"), 1);
    }

    #[test]
    fn a_phrase_must_begin_and_end_with_a_word() {
        assert!(Phrase::parse("").is_err());
        assert!(Phrase::parse(".. share").is_err());
        assert!(Phrase::parse("share ..").is_err());
    }
}
