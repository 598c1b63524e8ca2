//! Phrase rules: what a sentence about telling users can look like, as data.
//!
//! A phrase has a role (`notify`, `channel:email`, `timing:before`, …). A [`Lexicon`] answers which
//! roles a sentence plays; it holds the rules of one language and compiles each role when it is
//! first asked for.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

/// The built-in rules and where they stand, for messages.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "rules/duty/en.toml",
        include_str!("../../rules/duty/en.toml"),
    ),
    (
        "rules/duty/zh.toml",
        include_str!("../../rules/duty/zh.toml"),
    ),
];

/// A file of phrase rules could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PhraseError {
    /// It is not valid TOML or holds an unknown key.
    #[error("{file}: {detail}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        detail: String,
    },
    /// A pattern does not compile.
    #[error("{file}: the pattern of `{id}` is not valid: {detail}")]
    Pattern {
        /// The file.
        file: String,
        /// The phrase.
        id: String,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    #[serde(default)]
    fragments: BTreeMap<String, String>,
    phrase: Vec<Phrase>,
}

/// One phrase rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrase {
    pub(super) id: String,
    pub(super) role: String,
    /// Why the rule is as it is; for readers of the file.
    #[expect(
        dead_code,
        reason = "demanded of every rule, read by people in the file"
    )]
    reason: String,
    pattern: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "run by the tests"))]
    matches: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "run by the tests"))]
    rejects: Vec<String>,
}

/// The phrase rules of one language.
#[derive(Debug)]
pub(super) struct Lexicon {
    language: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are run by the tests"))]
    phrases: Vec<Phrase>,
    /// Role → pattern, expanded; several phrases of a role are alternatives.
    roles: BTreeMap<String, Role>,
}

#[derive(Debug)]
struct Role {
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Lexicon {
    /// Reads a file of rules; with `strict` every pattern is compiled at once.
    fn parse(file: &str, text: &str, strict: bool) -> Result<Self, PhraseError> {
        let File {
            language,
            fragments,
            phrase,
        } = toml::from_str(text).map_err(|error| PhraseError::Syntax {
            file: file.to_owned(),
            detail: error.to_string(),
        })?;
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for one in &phrase {
            let pattern = format!("(?:{})", expand(&one.pattern, &fragments));
            if strict {
                compile(&pattern, &language).map_err(|error| PhraseError::Pattern {
                    file: file.to_owned(),
                    id: one.id.clone(),
                    detail: error.to_string(),
                })?;
            }
            roles
                .entry(one.role.clone())
                .and_modify(|role| {
                    role.pattern.push('|');
                    role.pattern.push_str(&pattern);
                })
                .or_insert(Role {
                    pattern,
                    compiled: OnceLock::new(),
                });
        }
        Ok(Self {
            language,
            phrases: phrase,
            roles,
        })
    }

    /// The rules of the built-in file of a language.
    pub(super) fn of(language: &str) -> Option<&'static Self> {
        static LEXICONS: LazyLock<Vec<OnceLock<Option<Lexicon>>>> =
            LazyLock::new(|| BUILT_IN.iter().map(|_| OnceLock::new()).collect());
        BUILT_IN
            .iter()
            .zip(LEXICONS.iter())
            .find(|((file, _), _)| file.ends_with(&format!("/{language}.toml")))
            .and_then(
                |((file, text), cell)| // The tests have compiled every pattern of the built-in files.
                cell.get_or_init(|| Self::parse(file, text, false).ok())
                    .as_ref(),
            )
    }

    pub(super) fn language(&self) -> &str {
        &self.language
    }

    fn role(&self, role: &str) -> Option<&Regex> {
        let role = self.roles.get(role)?;
        role.compiled
            .get_or_init(|| compile(&role.pattern, &self.language).ok())
            .as_ref()
    }

    /// Whether a cleaned text plays a role.
    pub(super) fn has(&self, role: &str, text: &str) -> bool {
        self.role(role)
            .is_some_and(|regex| regex.is_match(text.as_bytes()))
    }

    /// Where a role is played in a cleaned text.
    pub(super) fn find(&self, role: &str, text: &str) -> Vec<std::ops::Range<usize>> {
        self.role(role)
            .map(|regex| {
                regex
                    .find_iter(text.as_bytes())
                    .map(|found| found.range())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The values that a text shows of an attribute: of `channel`, each `x` of a role `channel:x`.
    pub(super) fn values(&self, attribute: &str, text: &str) -> Vec<&str> {
        let prefix = format!("{attribute}:");
        self.roles
            .keys()
            .filter_map(|role| role.strip_prefix(&prefix).map(|value| (role, value)))
            .filter(|(role, _)| self.has(role, text))
            .map(|(_, value)| value)
            .collect()
    }

    /// The text with what a role covers blanked out, of the same length.
    pub(super) fn blank(&self, role: &str, text: &str) -> String {
        let mut out = text.to_owned();
        for range in self.find(role, text).into_iter().rev() {
            let blanks = " ".repeat(range.len());
            if out.is_char_boundary(range.start) && out.is_char_boundary(range.end) {
                out.replace_range(range, &blanks);
            }
        }
        out
    }
}

fn expand(pattern: &str, fragments: &BTreeMap<String, String>) -> String {
    let mut out = pattern.to_owned();
    // Fragments may use fragments; the files nest them twice at most.
    for _ in 0..3 {
        for (name, fragment) in fragments {
            out = out.replace(&format!("{{{name}}}"), fragment);
        }
    }
    out
}

fn compile(pattern: &str, language: &str) -> Result<Regex, regex::Error> {
    // English is matched in ASCII (`clean` sees to that), which keeps the automata small.
    RegexBuilder::new(pattern)
        .unicode(language != "en")
        .size_limit(64 << 20)
        // Of each thread for each pattern, while texts are new: more would be a little quicker.
        .dfa_size_limit(4 << 20)
        .build()
}

/// A text as phrases are matched against: lower case, one space between words, straight quotes,
/// no markup; for English, every other character outside ASCII becomes a space.
pub(super) fn clean(text: &str, language: &str) -> String {
    let ascii = language == "en";
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Nearly all of it, so that it is worth a way of its own.
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        let c = match c {
            '\u{2018}' | '\u{2019}' | '\u{02BC}' => '\'',
            '\u{201C}' | '\u{201D}' | '\u{00AB}' | '\u{00BB}' => '"',
            '\u{2010}' | '\u{2011}' => '-',
            '\u{2013}' | '\u{2014}' => ',',
            '*' | '_' | '\\' | '`' | '\u{200B}' | '\u{FEFF}' | '\u{AD}' => continue,
            c if c.is_whitespace() => ' ',
            c if ascii && !c.is_ascii() => ' ',
            c => c,
        };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_phrase_matches_its_examples_and_only_those() {
        for (file, text) in BUILT_IN {
            let lexicon = Lexicon::parse(file, text, true).unwrap();
            let raw: File = toml::from_str(text).unwrap();
            let mut ids = BTreeSet::new();
            let mut wrong = Vec::new();
            for phrase in &lexicon.phrases {
                assert!(
                    ids.insert(&phrase.id),
                    "{file}: {} is there twice",
                    phrase.id
                );
                assert!(
                    phrase.matches.len() >= 2 && phrase.rejects.len() >= 2,
                    "{}: at least two examples of each kind",
                    phrase.id
                );
                let regex =
                    compile(&expand(&phrase.pattern, &raw.fragments), &lexicon.language).unwrap();
                for (examples, wanted) in [(&phrase.matches, true), (&phrase.rejects, false)] {
                    for example in examples {
                        let text = clean(example, &lexicon.language);
                        if regex.is_match(text.as_bytes()) != wanted {
                            let verb = if wanted { "must" } else { "must not" };
                            wrong.push(format!("{} {verb} match: {example}", phrase.id));
                        }
                    }
                }
            }
            assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let error = Lexicon::parse(
            "x.toml",
            "language = \"en\"\nphrase = []\ncolour = 1\n",
            true,
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("x.toml") && error.contains("line 3"),
            "{error}"
        );
    }

    #[test]
    fn clean_text_is_plain_lower_case() {
        assert_eq!(
            clean("We\u{a0}**will**  tell “you”\n— soon", "en"),
            "we will tell \"you\" , soon"
        );
    }
}
