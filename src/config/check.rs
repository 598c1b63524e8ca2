//! Reading the configuration strictly: every mistake is named with its place and, where a word
//! was mistyped, with the word that was probably meant.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{AlertKind, Config};
use crate::evidence::hidden;

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("there is no {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It has mistakes.
    #[error("{} has {} mistake(s); the first: {}", path.display(), problems.len(), problems.first().map(|p| p.message.as_str()).unwrap_or_default())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Each mistake.
        problems: Vec<Problem>,
    },
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// The bytes concerned.
    pub span: std::ops::Range<usize>,
}

/// Checks the text of a configuration.
///
/// # Errors
/// With every mistake, when there is one.
pub fn check(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let wrong = |problems| ConfigError::Wrong {
        path: path.to_owned(),
        problems,
    };
    let config: Config = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        wrong(vec![problem(
            text,
            span,
            error.message().to_owned(),
            suggestion(error.message()),
        )])
    })?;
    let problems = contradictions(text, &config);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(wrong(problems))
    }
}

/// A mistake that the checks of another room found, at the first place where `needle` stands.
pub fn problem_at(text: &str, needle: &str, message: String) -> Problem {
    let at = text.find(needle).unwrap_or(0);
    problem(text, at..(at + needle.len()).min(text.len()), message, None)
}

fn problem(
    text: &str,
    span: std::ops::Range<usize>,
    message: String,
    hint: Option<String>,
) -> Problem {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Problem {
        message: message.lines().next().unwrap_or_default().to_owned(),
        hint,
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        span,
    }
}

/// `unknown field `tilte`, expected one of `id`, `title`` → did you mean `title`?
fn suggestion(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown ") {
        return None;
    }
    let wrong = words.next()?;
    let known: Vec<&str> = words.collect();
    let near = known
        .iter()
        .map(|word| (distance(wrong, word), *word))
        .filter(|(d, word)| *d <= 1 + word.len() / 3)
        .min();
    match near {
        Some((_, word)) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to another.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a.get(i - 1) == b.get(j - 1);
            let at = |r: usize, c: usize| {
                rows.get(r)
                    .and_then(|row| row.get(c))
                    .copied()
                    .unwrap_or(usize::MAX / 2)
            };
            let mut least = (at(i - 1, j) + 1)
                .min(row.get(j - 1).copied().unwrap_or(usize::MAX / 2) + 1)
                .min(at(i - 1, j - 1) + usize::from(!same));
            if i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1) {
                least = least.min(at(i - 2, j - 2) + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last()
        .and_then(|row| row.last())
        .copied()
        .unwrap_or_default()
}

/// What TOML and types allow but makes no sense.
/// Why a source that looks like a URL is none that can be fetched.
fn bad_source(source: &str) -> Option<&'static str> {
    let (scheme, _) = source.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "file" => None,
        "http" | "https" => match url::Url::parse(source) {
            Ok(url) if url.has_host() => None,
            _ => Some("is not a URL"),
        },
        _ => Some("is neither an http or https URL nor a file"),
    }
}

/// Whether a proxy's address can be used: `http://proxy.example:8080`, or without the scheme.
fn check_proxy(proxy: &str) -> Result<(), String> {
    let whole = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    match url::Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(format!(
            "[fetch] proxy `{}` cannot be used: it is written http://HOST:PORT",
            hidden(proxy)
        )),
    }
}

fn contradictions(text: &str, config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |needle: &str, message: String, hint: Option<String>| {
        let at = text.find(needle).unwrap_or(0);
        problems.push(problem(
            text,
            at..at + needle.len().min(text.len()),
            message,
            hint,
        ));
    };
    let mut ids = BTreeSet::new();
    for document in &config.documents {
        let id = &document.id;
        let quoted = format!("\"{id}\"");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || !id.chars().all(plain) || id.starts_with('.') {
            say(
                &quoted,
                format!("`{id}` cannot be a document's id"),
                Some("letters, digits, `-`, `_` and `.`, not starting with a dot".to_owned()),
            );
        }
        if !ids.insert(id.to_lowercase()) {
            say(&quoted, format!("two documents have the id `{id}`"), None);
        }
        for source in &document.source {
            let (shown, wrong) = (hidden(source), bad_source(source));
            if let Some(why) = wrong {
                say(&format!("\"{source}\""), format!("`{shown}` {why}"), None);
            }
        }
        for name in document.alerts.iter().flatten() {
            if !config.alerts.contains_key(name) {
                say(
                    &format!("\"{name}\""),
                    format!("document `{id}` names the alert `{name}`, which is not defined"),
                    Some(format!("add a table [alerts.{name}]")),
                );
            }
        }
    }
    for (name, alert) in &config.alerts {
        let table = format!("[alerts.{name}]");
        match alert.kind {
            AlertKind::Command if alert.command.is_empty() => {
                say(&table, format!("alert `{name}` needs a `command`"), None);
            }
            AlertKind::Command => {}
            _ if alert.to.is_empty() => {
                say(&table, format!("alert `{name}` needs `to`"), None);
            }
            _ => {}
        }
    }
    if let Some(Err(message)) = config.fetch.proxy.as_deref().map(check_proxy) {
        say("proxy", message, None);
    }
    let contact = config.fetch.contact.as_deref().unwrap_or_default();
    if contact.chars().any(char::is_control) {
        let message = "[fetch] contact stands in a header: it is one line".to_owned();
        say("contact", message, None);
    }
    for zone in &config.notice.time_zones {
        if jiff::tz::TimeZone::get(zone).is_err() {
            say(
                &format!("\"{zone}\""),
                format!("`{zone}` is no time zone"),
                Some("IANA names, such as Europe/Paris".to_owned()),
            );
        }
    }
    let store = &config.store.url;
    if store != "memory:" && !store.starts_with("sled:") {
        say(
            store,
            format!("`{store}` is no store"),
            Some("sled:PATH or memory:".to_owned()),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<Problem> {
        match check(Path::new("fairnotice.toml"), text) {
            Err(ConfigError::Wrong { problems, .. }) => problems,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mistyped_key_is_pointed_at_with_the_word_that_was_meant() {
        let found = problems("[[document]]\nid = \"a\"\nsource = \"a.md\"\ntilte = \"A\"\n");
        assert_eq!((found[0].line, found[0].column), (4, 1));
        assert_eq!(found[0].hint.as_deref(), Some("did you mean `title`?"));
    }

    #[test]
    fn a_selector_that_is_none_is_pointed_at() {
        let found = problems(
            "[[document]]\nid = \"a\"\nsource = \"a.html\"\nremove = [\".ad\", \"main[\"]\n",
        );
        assert_eq!(found[0].line, 4);
        assert!(found[0].message.contains("main["), "{found:?}");
    }

    #[test]
    fn every_contradiction_is_listed() {
        let text = "[[document]]\nid = \"a\"\nsource = \"a.md\"\nalerts = [\"team\"]\n\
                    [[document]]\nid = \"A\"\nsource = \"b.md\"\n[alerts.x]\nkind = \"command\"\n";
        let found: Vec<_> = problems(text).into_iter().map(|p| p.message).collect();
        assert_eq!(
            found,
            [
                "document `a` names the alert `team`, which is not defined",
                "two documents have the id `A`",
                "alert `x` needs a `command`",
            ]
        );
    }

    #[test]
    fn broken_toml_has_a_place() {
        let found = problems("[fetch]\ntimeout_seconds = \n");
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn the_commented_starter_is_accepted() {
        let config = check(Path::new("fairnotice.toml"), super::super::STARTER).unwrap();
        assert_eq!(
            config,
            Config {
                notice: config.notice.clone(),
                organisation: config.organisation.clone(),
                ..Config::default()
            }
        );
    }

    #[test]
    fn neighbours_swapped_are_one_edit() {
        assert_eq!(distance("tilte", "title"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
