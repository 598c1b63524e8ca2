//! Sentences of a block: cut at full stops of any script, not at abbreviations, numbers, addresses.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;

use super::{Block, BlockKind, Document, Span, leaf::trimmed};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    inside: BTreeSet<String>,
    either: BTreeSet<String>,
    starters: BTreeSet<String>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a part of the program, read by a test")]
    toml::from_str(include_str!("../../rules/lang/sentences.toml")).expect("sentences.toml")
});

/// Longest word that can be an abbreviation, in bytes.
const LONGEST_ABBREVIATION: usize = 12;

/// The sentences of a block.
pub(super) fn of(document: &Document, block: &Block) -> Vec<Span> {
    let whole = trimmed(&document.text, block.body.clone());
    if whole.is_empty() {
        return Vec::new();
    }
    match block.kind {
        BlockKind::Heading | BlockKind::Title | BlockKind::Contents | BlockKind::Code => {
            return vec![whole];
        }
        BlockKind::Markup => return Vec::new(),
        BlockKind::TableRow | BlockKind::TableHead => {
            let mut spans = Vec::new();
            for cell in &block.cells {
                cut(
                    &document.text,
                    cell,
                    std::slice::from_ref(cell),
                    german(document),
                    &mut spans,
                );
            }
            return spans;
        }
        _ => {}
    }
    let mut spans = Vec::new();
    cut(
        &document.text,
        &whole,
        &block.runs,
        german(document),
        &mut spans,
    );
    spans
}

/// German and its neighbours write ordinals with a full stop.
fn german(document: &Document) -> bool {
    matches!(
        document.language.as_deref(),
        Some("de" | "da" | "nb" | "fi" | "cs" | "sk" | "pl" | "hu" | "et" | "sl" | "hr" | "sr")
    )
}

fn cut(text: &str, whole: &Span, runs: &[Span], ordinals: bool, out: &mut Vec<Span>) {
    let mut start = whole.start;
    let mut covered = whole.start;
    for (i, run) in runs.iter().enumerate() {
        let run = run.start.max(covered)..run.end.min(whole.end);
        let Some(slice) = text.get(run.clone()) else {
            continue;
        };
        covered = run.end;
        // A sentence may end where a run does, at the end of a link or of strong text.
        let next_run = runs
            .get(i + 1)
            .and_then(|next| text.get(next.clone()))
            .unwrap_or_default();
        let mut skip_to = 0;
        for (at, c) in slice.char_indices() {
            if at < skip_to || !is_end(c) {
                continue;
            }
            let mut after = at + c.len_utf8();
            let rest = |after: usize| slice.get(after..).unwrap_or_default();
            while let Some(next) = rest(after)
                .chars()
                .next()
                .filter(|n| is_end(*n) || closes(*n))
            {
                after += next.len_utf8();
            }
            skip_to = after;
            let following = if rest(after).is_empty() {
                next_run
            } else {
                rest(after)
            };
            let so_far = text.get(start..run.start + at).unwrap_or_default();
            if ends_here(c, so_far, following, ordinals) {
                let mut end = run.start + after;
                if rest(after).is_empty() {
                    end += markup_after(text, end, whole.end, runs.get(i + 1));
                }
                push(text, start..end, out);
                start = end;
            }
        }
    }
    push(text, start..whole.end, out);
}

fn push(text: &str, span: Span, out: &mut Vec<Span>) {
    let span = trimmed(text, span);
    if text
        .get(span.clone())
        .is_some_and(|s| s.chars().any(char::is_alphanumeric))
    {
        out.push(span);
    } else if let (Some(last), false) = (out.last_mut(), span.is_empty()) {
        last.end = span.end;
    }
}

/// Length of closing markup between the end of a run and the next one, such as `**`.
fn markup_after(text: &str, end: usize, limit: usize, next: Option<&Span>) -> usize {
    let limit = next.map_or(limit, |n| n.start.min(limit));
    let gap = text.get(end..limit).unwrap_or_default();
    if next.is_some_and(|n| {
        text.get(n.clone())
            .is_some_and(|t| t.starts_with(char::is_whitespace))
    }) {
        return gap.len();
    }
    gap.find(char::is_whitespace).unwrap_or(gap.len())
}

fn is_end(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | '…'
            | '。'
            | '！'
            | '？'
            | '｡'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '።'
            | '။'
            | '។'
            | '։'
    )
}

fn closes(c: char) -> bool {
    matches!(
        c,
        '"' | '”' | '’' | '\'' | '»' | ')' | ']' | '」' | '』' | '）' | '】' | '›'
    )
}

fn ends_here(mark: char, so_far: &str, following: &str, ordinals: bool) -> bool {
    if !matches!(mark, '.' | '!' | '?' | '…') {
        return true;
    }
    let Some(next) = following.chars().next() else {
        return true;
    };
    let spaced = next.is_whitespace();
    let first = following.trim_start().chars().next();
    let Some(first) = first else { return true };
    if mark != '.' {
        return spaced && !first.is_lowercase();
    }
    let word = last_word(so_far);
    if !spaced {
        return lost_space(word, following);
    }
    if first.is_lowercase() || matches!(first, ',' | ';' | ':' | ')' | ']') {
        return false;
    }
    if word.is_empty() {
        return !so_far.is_empty();
    }
    // A bare number or letter so far is a label.
    if so_far.trim().len() == word.len()
        && word.len() <= 5
        && !word
            .bytes()
            .all(|b| b.is_ascii_alphabetic() && word.len() > 2)
    {
        return false;
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return !(ordinals && word.len() <= 2);
    }
    if word.len() > LONGEST_ABBREVIATION {
        return true;
    }
    let lower = word
        .trim_start_matches(['(', '[', '"', '“', '‘', '\'', '/'])
        .to_lowercase();
    let mut letters = lower.chars();
    if let (Some(c), None) = (letters.next(), letters.next())
        && c.is_alphabetic()
        && word.chars().next_back().is_some_and(char::is_uppercase)
    {
        // An initial, unless it closes a list of one-letter names ("Schedule A.").
        return starts_sentence(following) && !lower.eq("i");
    }
    if RULES.inside.contains(&lower) && !(lower == "no" && starts_sentence(following)) {
        return first.is_uppercase()
            && matches!(lower.as_str(), "ed" | "gen" | "es" | "may")
            && starts_sentence(following);
    }
    if RULES.either.contains(&lower) {
        return starts_sentence(following);
    }
    true
}

fn starts_sentence(following: &str) -> bool {
    let word: String = following
        .trim_start()
        .chars()
        .take(16)
        .take_while(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    RULES.starters.contains(&word)
}

/// The characters before a full stop, back to white space.
fn last_word(so_far: &str) -> &str {
    let from = so_far
        .rfind(|c: char| c.is_whitespace() || matches!(c, '*' | '_'))
        .map_or(0, |at| {
            at + so_far
                .get(at..)
                .and_then(|s| s.chars().next())
                .map_or(1, char::len_utf8)
        });
    so_far.get(from..).unwrap_or_default()
}

/// "information.When you use": two sentences whose space was lost.
fn lost_space(word: &str, following: &str) -> bool {
    let lower = |c: char| c.is_lowercase();
    if word.contains(['/', '@', ':', '.']) || word.chars().count() < 3 {
        return false;
    }
    if !word.chars().rev().take(3).all(lower) {
        return false;
    }
    let mut next = following.chars();
    let capital = next.next().is_some_and(char::is_uppercase);
    let word: String = following
        .chars()
        .take(20)
        .take_while(|c| c.is_alphabetic())
        .collect();
    let ends = following
        .get(word.len()..)
        .and_then(|r| r.chars().next())
        .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '’' | '\''));
    capital && ends && (word.chars().skip(1).all(lower))
}

#[cfg(test)]
mod tests {
    use crate::read::{Format, Input, read, sentences};

    fn cut(text: &str) -> Vec<String> {
        let document = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        })
        .unwrap();
        document
            .blocks
            .iter()
            .flat_map(|b| sentences(&document, b))
            .map(|s| document.slice(&s).to_owned())
            .collect()
    }

    #[test]
    fn sentences_are_cut_where_people_cut_them() {
        for sentences in [
            &[
                "We use cookies, e.g. Session cookies, on our site.",
                "You may object.",
            ][..],
            &[
                "Acme Inc. Privacy Team reads mail.",
                "It answers within a week.",
            ],
            &["We are part of Acme Inc.", "We share data with it."],
            &[
                "See Art. 6(1) of the law and Section 5.",
                "You can read it.",
            ],
            &["Visit https://example.org/a.b?c=D. It helps."],
            &["It costs 5.5 percent.", "Really?", "Yes!"],
            &["Read 1.2.1 and 2.5.", "Then stop."],
            &["He said “stop.”", "We did."],
            &["Log information.", "When you use it, we store it."],
            &["我们收集信息。", "您可以拒绝！", "好的。"],
            &["**All is strong.**", "The rest is not."],
            &[
                "Write to J. Smith at the U.S. Department of Commerce.",
                "He answers.",
            ],
            &["Ends without a stop"],
        ] {
            let space = if sentences
                .iter()
                .any(|s| s.starts_with("Log") || s.starts_with('我'))
            {
                ""
            } else {
                " "
            };
            let text = sentences.join(space);
            let expected: Vec<String> = if text.contains("https") {
                vec![
                    "Visit https://example.org/a.b?c=D.".into(),
                    "It helps.".into(),
                ]
            } else {
                sentences.iter().map(|s| (*s).to_owned()).collect()
            };
            let text = format!("In short: {text}");
            let mut expected = expected;
            if let Some(first) = expected.first_mut() {
                *first = format!("In short: {first}");
            }
            assert_eq!(cut(&text), expected);
        }
    }

    #[test]
    fn german_ordinals_stay_whole() {
        let cut = cut(
            "Diese Erklärung gilt ab dem 1. Januar für alle Dienste, die wir anbieten und betreiben. Sie ersetzt die alte.",
        );
        assert_eq!(cut.len(), 2, "{cut:?}");
    }
}
