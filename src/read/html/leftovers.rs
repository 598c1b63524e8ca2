//! Markdown that a site's own converter failed to convert shows on its pages as it is:
//! `[words][name]` in the text and `[name]: /target` on a line of its own. It is no text of the
//! policy, and comes and goes with the converter.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

#[expect(
    clippy::unwrap_used,
    reason = "the patterns are constant and read by the tests"
)]
static DEFINITION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\\?\[([^\[\]\\]{1,60})\\?\]: \S+$").unwrap());
#[expect(
    clippy::unwrap_used,
    reason = "the patterns are constant and read by the tests"
)]
static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([^\[\]\n]{1,300})\]\[([^\[\]\\\n]{1,60})\]").unwrap());

/// Drops definitions that were left over, and the names behind the words that refer to them.
pub(super) fn resolve(markdown: String) -> String {
    if !markdown.contains("]: ") {
        return markdown;
    }
    let names: BTreeSet<String> = markdown
        .lines()
        .filter_map(|line| Some(DEFINITION.captures(line)?.get(1)?.as_str().to_lowercase()))
        .collect();
    if names.is_empty() {
        return markdown;
    }
    let mut text = String::with_capacity(markdown.len());
    let mut blank = false;
    for line in markdown.lines() {
        if DEFINITION.is_match(line) {
            continue;
        }
        // The empty line before a dropped one goes too.
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        text += line;
        text.push('\n');
    }
    let text = REFERENCE.replace_all(&text, |found: &regex::Captures<'_>| {
        let part = |n| found.get(n).map_or("", |m| m.as_str());
        if names.contains(&part(2).to_lowercase()) {
            part(1).to_owned()
        } else {
            part(0).to_owned()
        }
    });
    let text = text.trim_end();
    if text.is_empty() {
        String::new()
    } else {
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_defined_names_go() {
        let text = "You [share it][your-content] with [us][them].\n\n[your-content\\]: /terms#c)\n";
        assert_eq!(resolve(text.to_owned()), "You share it with [us][them].\n");
        let text = "See [a](b).\n\nNote [1]: this stays.\n";
        assert_eq!(resolve(text.to_owned()), text);
    }
}
