//! The words of a language that templates share: topics, labels, how a date is written.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::TemplateError;
use crate::assess::{Direction, Topic};

/// The words of one language, from `words/LANG.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The language's own name.
    pub language: String,
    /// Pattern of a date: `{d}`, `{m}`, `{month}`, `{y}`.
    pub date: String,
    /// Names of the twelve months.
    pub months: Vec<String>,
    /// Between the last two of a list.
    pub and: String,
    /// Between the others of a list.
    pub comma: String,
    /// Before a quote.
    pub quote_open: String,
    /// Behind a quote.
    pub quote_close: String,
    /// Stands for words left out around a quote.
    pub left_out: String,
    /// Names of languages, by tag; `other` for all that are not named.
    pub languages: BTreeMap<String, String>,
    /// Short labels.
    pub label: BTreeMap<String, String>,
    /// Names of directions.
    pub direction: BTreeMap<String, String>,
    /// Ready answers to questions that the company answers by yes or no.
    pub answer: BTreeMap<String, String>,
    /// Names of topics.
    pub topic: BTreeMap<String, String>,
    /// Sentences by direction and topic.
    pub effect: BTreeMap<String, BTreeMap<String, String>>,
}

const DIRECTIONS: [Direction; 3] = [
    Direction::Adverse,
    Direction::Favourable,
    Direction::Neutral,
];
const LABELS: [&str; 11] = [
    "colon",
    "aside",
    "before",
    "after",
    "after_dated",
    "added",
    "removed",
    "section",
    "also",
    "means",
    "was",
];

impl Words {
    /// Reads the words of a language and checks that nothing is missing.
    ///
    /// # Errors
    /// With the file's name and what is wrong or missing.
    pub fn parse(name: &str, source: &str) -> Result<Self, TemplateError> {
        let wrong = |detail: String| TemplateError::Words {
            name: name.to_owned(),
            detail,
        };
        let words: Self = toml::from_str(source).map_err(|error| wrong(error.to_string()))?;
        let mut missing = Vec::new();
        if words.months.len() != 12 {
            missing.push(format!("months has {} names, not 12", words.months.len()));
        }
        let mut need = |table: &str, map: &BTreeMap<String, String>, key: &str| {
            if !map.contains_key(key) {
                missing.push(format!("[{table}] {key}"));
            }
        };
        need("languages", &words.languages, "other");
        for label in LABELS {
            need("label", &words.label, label);
        }
        for answer in ["old_data_yes", "old_data_no"] {
            need("answer", &words.answer, answer);
        }
        let none = BTreeMap::new();
        for direction in DIRECTIONS {
            let direction = direction_id(direction);
            need("direction", &words.direction, direction);
            let effects = words.effect.get(direction).unwrap_or(&none);
            for topic in Topic::ALL {
                need(&format!("effect.{direction}"), effects, &topic_id(topic));
            }
        }
        for topic in Topic::ALL {
            need("topic", &words.topic, &topic_id(topic));
        }
        if missing.is_empty() {
            Ok(words)
        } else {
            Err(wrong(format!("missing: {}", missing.join(", "))))
        }
    }

    /// A date as people of this language write it, with the year.
    pub fn date(&self, date: Date) -> String {
        let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
        self.date
            .replace("{d}", &date.day().to_string())
            .replace("{m}", &date.month().to_string())
            .replace("{month}", self.months.get(month).map_or("", String::as_str))
            .replace("{y}", &date.year().to_string())
    }

    /// The name of a topic.
    pub fn topic(&self, topic: Topic) -> &str {
        self.topic.get(&topic_id(topic)).map_or("", String::as_str)
    }

    /// The name of a direction.
    pub fn direction(&self, direction: Direction) -> &str {
        self.direction
            .get(direction_id(direction))
            .map_or("", String::as_str)
    }

    /// What a change of that topic in that direction means, in general.
    pub fn effect(&self, topic: Topic, direction: Direction) -> &str {
        self.effect
            .get(direction_id(direction))
            .and_then(|effects| effects.get(&topic_id(topic)))
            .map_or("", String::as_str)
    }

    /// A short label.
    pub fn label(&self, name: &str) -> &str {
        self.label.get(name).map_or("", String::as_str)
    }

    /// The name of a language.
    pub fn language_name(&self, tag: &str) -> &str {
        let primary = tag.split('-').next().unwrap_or(tag);
        self.languages
            .get(primary)
            .or_else(|| self.languages.get("other"))
            .map_or("", String::as_str)
    }

    /// Several names in one line.
    pub fn list(&self, names: &[String]) -> String {
        match names {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => {
                let first: Vec<&str> = first.iter().map(String::as_str).collect();
                format!("{}{}{last}", first.join(&self.comma), self.and)
            }
        }
    }
}

/// The id of a topic, as in JSON.
pub(crate) fn topic_id(topic: Topic) -> String {
    format!("{topic:?}").to_lowercase()
}

/// The id of a direction, as in JSON.
pub(crate) fn direction_id(direction: Direction) -> &'static str {
    match direction {
        Direction::Adverse => "adverse",
        Direction::Favourable => "favourable",
        Direction::Neutral => "neutral",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: &str) -> Words {
        super::super::Templates::built_in().words(language).unwrap()
    }

    #[test]
    fn every_language_has_every_word() {
        for language in ["en", "zh"] {
            let words = words(language);
            for topic in Topic::ALL {
                assert!(!words.topic(topic).is_empty());
            }
        }
    }

    #[test]
    fn dates_are_written_in_full() {
        let date = jiff::civil::date(2027, 3, 2);
        assert_eq!(words("en").date(date), "2 March 2027");
        assert_eq!(words("zh").date(date), "2027年3月2日");
    }

    #[test]
    fn a_missing_word_is_named() {
        let source =
            include_str!("../../templates/words/en.toml").replace("minors = \"Children\"", "");
        let error = Words::parse("words/en.toml", &source).unwrap_err();
        assert!(error.to_string().contains("[topic] minors"), "{error}");
    }

    #[test]
    fn lists_read_as_people_write_them() {
        let names = ["A".to_owned(), "B".to_owned(), "C".to_owned()];
        assert_eq!(words("en").list(&names), "A, B and C");
        assert_eq!(words("zh").list(&names), "A、B和C");
    }
}
