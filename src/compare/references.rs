//! Numbers of sections that other sections refer to: "see Section 5.2" that became 5.3 because a
//! section was inserted follows a renumbering and changes nothing.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::{
    Section,
    token::{Token, without_possessive, word_id},
    unit::Text,
};

/// Words that stand before the number of a section, and words between such numbers.
#[derive(Debug, Deserialize)]
struct Rules {
    language: Vec<Language>,
}

#[derive(Debug, Deserialize)]
struct Language {
    before: Vec<String>,
    between: Vec<String>,
}

/// The same as hashes of tokens, sorted.
struct Vocabulary {
    before: Vec<u64>,
    between: Vec<u64>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let rules: Rules =
        toml::from_str(include_str!("../../rules/references.toml")).unwrap_or(Rules {
            language: Vec::new(),
        });
    let sorted = |pick: fn(&Language) -> &Vec<String>| {
        let mut ids: Vec<u64> = rules
            .language
            .iter()
            .flat_map(pick)
            .map(|word| word_id(word))
            .collect();
        ids.sort_unstable();
        ids
    };
    Vocabulary {
        before: sorted(|l| &l.before),
        between: sorted(|l| &l.between),
    }
});

/// Old numbers and what they became; only those that differ.
#[derive(Debug, Default)]
pub(super) struct Renumbering {
    new_of: BTreeMap<String, String>,
}

impl Renumbering {
    /// From pairs of sections and pairs of labels of other blocks.
    pub(super) fn new(
        left: &[Section],
        right: &[Section],
        sections: &[(usize, usize)],
        labels: &[(&str, &str)],
    ) -> Self {
        let mut all: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut learn = |old: String, new: String| {
            all.entry(old)
                .and_modify(|known| {
                    if known.as_ref() != Some(&new) {
                        *known = None;
                    }
                })
                .or_insert(Some(new));
        };
        for &(l, r) in sections {
            if let (Some(old), Some(new)) = (number(left, l), number(right, r)) {
                learn(old, new);
            }
        }
        for (old, new) in labels {
            // Only numbers that say where they stand; a bare "3." occurs in many lists.
            if old.contains('.') && new.contains('.') {
                learn(plain(old), plain(new));
            }
        }
        Self {
            new_of: all
                .into_iter()
                .filter_map(|(old, new)| new.filter(|n| *n != old).map(|new| (old, new)))
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.new_of.is_empty()
    }

    /// The ids of tokens, with numbers that refer to a renumbered section as what they became.
    pub(super) fn follow(&self, text: &Text<'_>, tokens: &[Token]) -> Vec<u64> {
        let mut ids: Vec<u64> = tokens.iter().map(|t| t.id).collect();
        if self.is_empty() {
            return ids;
        }
        for at in references(text, tokens) {
            let slice = text.slice(tokens[at].start..tokens[at].end());
            let (number, owns) = without_possessive(slice);
            if let Some(new) = self.new_of.get(&plain(number)) {
                ids[at] = word_id(&format!("{new}{owns}"));
            }
        }
        ids
    }
}

/// Positions of the tokens that are numbers of a section referred to.
fn references(text: &Text<'_>, tokens: &[Token]) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut after_word, mut in_list) = (false, false);
    for (at, token) in tokens.iter().enumerate() {
        let slice = || text.slice(token.start..token.end());
        if VOCABULARY.before.binary_search(&token.id).is_ok() {
            (after_word, in_list) = (true, false);
            continue;
        }
        let digits = slice().starts_with(|c: char| c.is_ascii_digit());
        let letters = after_word && slice().len() <= 6 && slice().is_ascii();
        if (digits && (after_word || in_list)) || (letters && token.is_word()) {
            found.push(at);
            (after_word, in_list) = (false, true);
            continue;
        }
        let joins = VOCABULARY.between.binary_search(&token.id).is_ok()
            || (token.is_word() && slice().len() == 1)
            || matches!(slice(), "," | "-" | "(" | ")" | "&" | "/");
        in_list = in_list && joins;
        after_word = after_word && matches!(slice(), "." | "\u{a7}");
    }
    found
}

/// A number as it is compared: without brackets and a dot at the end, lower case.
fn plain(label: &str) -> String {
    label
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

/// The number by which others refer to a section.
fn number(sections: &[Section], index: usize) -> Option<String> {
    let section = sections.get(index)?;
    let own = plain(section.label.as_deref()?);
    if own.contains('.') {
        return Some(own);
    }
    match section.parent {
        None => Some(own),
        Some(parent) => {
            let above = number(sections, parent)?;
            (above.starts_with(|c: char| c.is_ascii_digit())
                && own.starts_with(|c: char| c.is_ascii_digit()))
            .then(|| format!("{above}.{own}"))
        }
    }
}
