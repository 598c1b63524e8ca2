//! Word lists of the checklist, from `rules/notice/LANG.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use serde::Deserialize;

/// A list of phrases, compiled.
#[derive(Debug)]
pub(super) struct List {
    pattern: Regex,
}

/// The lists of one language.
#[derive(Debug)]
pub(super) struct Wording {
    lists: BTreeMap<String, List>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "ids, reasons and examples are read by people and tests"
    )
)]
struct Source {
    id: String,
    reason: String,
    #[serde(default)]
    source: Option<String>,
    phrases: Vec<String>,
    hit: Vec<String>,
    miss: Vec<String>,
}

const EN: &str = include_str!("../../../rules/notice/en.toml");
const ZH: &str = include_str!("../../../rules/notice/zh.toml");

static ENGLISH: LazyLock<Wording> = LazyLock::new(|| Wording::parse(EN));
static CHINESE: LazyLock<Wording> = LazyLock::new(|| Wording::parse(ZH));

impl Wording {
    /// The lists of a language; `None` where there are none.
    pub(super) fn of(language: &str) -> Option<&'static Self> {
        match super::super::context::primary(language).as_str() {
            "en" => Some(&ENGLISH),
            "zh" => Some(&CHINESE),
            _ => None,
        }
    }

    fn parse(source: &str) -> Self {
        // The sources are built in, and the tests parse both.
        let tables: BTreeMap<String, Source> = toml::from_str(source).unwrap_or_default();
        let lists = tables
            .into_iter()
            .filter_map(|(name, table)| Some((name, List::of(&table.phrases)?)))
            .collect();
        Self { lists }
    }

    /// The first phrase of a list that a text holds.
    pub(super) fn find<'t>(&self, list: &str, text: &'t str) -> Option<&'t str> {
        self.lists
            .get(list)?
            .pattern
            .find(text)
            .map(|found| found.as_str())
    }
}

impl List {
    fn of(phrases: &[String]) -> Option<Self> {
        let alternatives: Vec<String> = phrases
            .iter()
            .map(|phrase| {
                let parts: Vec<String> = phrase
                    .split(' ')
                    .map(|word| match word.strip_suffix('*') {
                        Some(stem) => format!(r"{}\w*", regex::escape(stem)),
                        None => regex::escape(word),
                    })
                    .collect();
                let pattern = parts.join(r"\s+");
                // Chinese has no word boundaries, nor has a phrase that starts with a sign.
                if phrase.is_ascii() && phrase.starts_with(|c: char| c.is_alphanumeric()) {
                    format!(r"\b{pattern}\b")
                } else {
                    pattern
                }
            })
            .collect();
        Regex::new(&format!("(?i)(?:{})", alternatives.join("|")))
            .ok()
            .map(|pattern| Self { pattern })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_list_finds_its_examples_and_no_others() {
        let mut ids = BTreeSet::new();
        for source in [EN, ZH] {
            let tables: BTreeMap<String, Source> = toml::from_str(source).unwrap();
            assert_eq!(tables.len(), 9);
            for (name, table) in tables {
                let list = List::of(&table.phrases).unwrap();
                assert!(ids.insert(table.id.clone()), "{} twice", table.id);
                assert!(!table.reason.is_empty());
                assert!(table.source.is_none_or(|s| !s.is_empty()));
                assert!(table.hit.len() >= 2 && table.miss.len() >= 2, "{name}");
                for text in &table.hit {
                    assert!(list.pattern.is_match(text), "{name} misses {text}");
                }
                for text in &table.miss {
                    assert!(!list.pattern.is_match(text), "{name} finds {text}");
                }
            }
        }
    }
}
