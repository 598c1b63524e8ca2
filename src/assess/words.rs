//! Words as judging sees them: lower case, straight quotes, no punctuation, contractions opened,
//! each with its place in the text.

use crate::read::{Block, Document, Span};

/// One word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Normalised form.
    pub(super) text: String,
    /// Bytes in the document (or in the string it was taken from).
    pub(super) span: Span,
    /// Whether it was written with a capital.
    pub(super) capital: bool,
}

/// The words of a string.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    push_words(text, 0, &mut found);
    found
}

/// The readable words of a block that lie inside `within`.
pub(super) fn block_words(document: &Document, block: &Block, within: &Span) -> Vec<Word> {
    let mut found = Vec::new();
    for run in &block.runs {
        let (start, end) = (run.start.max(within.start), run.end.min(within.end));
        if let Some(text) = document.text.get(start..end.max(start)) {
            push_words(text, start, &mut found);
        }
    }
    found
}

/// Appends the words of `text`, which begins at byte `offset` of the document.
fn push_words(text: &str, offset: usize, found: &mut Vec<Word>) {
    let mut start = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let inside = start.is_some();
        if is_ideograph(c) {
            close(text, &mut start, at, offset, found);
            found.push(Word {
                text: c.to_string(),
                span: offset + at..offset + at + c.len_utf8(),
                capital: false,
            });
        } else if c.is_alphanumeric()
            || (inside
                && (is_apostrophe(c) || c.is_ascii_punctuation())
                && joins(text, start, at, c, next))
        {
            start.get_or_insert(at);
        } else {
            close(text, &mut start, at, offset, found);
            if matches!(c, '%' | '$' | '€' | '£' | '¥' | '₹') {
                found.push(Word {
                    text: c.to_string(),
                    span: offset + at..offset + at + c.len_utf8(),
                    capital: false,
                });
            }
        }
    }
    close(text, &mut start, text.len(), offset, found);
}

/// Whether a mark stands inside a word: `user's`, `1,000`, `2.5`, `a@b.example`.
fn joins(text: &str, start: Option<usize>, at: usize, mark: char, next: Option<char>) -> bool {
    let Some(next) = next else { return false };
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let so_far = start.and_then(|s| text.get(s..at)).unwrap_or_default();
    // An address of a page is one word.
    if matches!(
        mark,
        '/' | '?' | '=' | '&' | '#' | '%' | '-' | '+' | '~' | ':'
    ) && (so_far.starts_with("http") || so_far.contains('.') && before != Some('.'))
    {
        return next.is_alphanumeric() || next == '/' || so_far.starts_with("http");
    }
    match mark {
        ',' => before.is_some_and(|c| c.is_ascii_digit()) && next.is_ascii_digit(),
        '.' => {
            before.is_some_and(char::is_alphanumeric)
                && next.is_alphanumeric()
                && (next.is_ascii_digit() && before.is_some_and(|c| c.is_ascii_digit())
                    || next.is_lowercase()
                        && (so_far.len() > 1
                            || text.get(at..).is_some_and(|rest| {
                                rest.split_whitespace()
                                    .next()
                                    .is_some_and(|word| word.contains('@'))
                            })))
        }
        '@' | '_' | '\'' | '`' => next.is_alphanumeric() && !is_ideograph(next),
        _ if is_apostrophe(mark) => next.is_alphanumeric() && !is_ideograph(next),
        _ => false,
    }
}

fn close(text: &str, start: &mut Option<usize>, end: usize, offset: usize, found: &mut Vec<Word>) {
    let Some(from) = start.take() else { return };
    let raw = text.get(from..end).unwrap_or_default();
    let span = offset + from..offset + end;
    let capital = raw.chars().next().is_some_and(char::is_uppercase);
    let mut word = if raw.is_ascii() {
        raw.to_ascii_lowercase()
    } else {
        raw.to_lowercase()
    };
    if word.contains(is_apostrophe) {
        word = word.replace(is_apostrophe, "'");
    }
    if word.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        word.retain(|c| c != ',');
    }
    let mut push = |text: &str| {
        found.push(Word {
            text: text.to_owned(),
            span: span.clone(),
            capital,
        });
    };
    match word.as_str() {
        "cannot" | "can't" => {
            push("can");
            push("not");
        }
        "won't" => {
            push("will");
            push("not");
        }
        "we'll" | "you'll" | "we've" | "you've" | "we're" | "you're" => {
            let (subject, verb) = word.split_at(word.find('\'').unwrap_or(word.len()));
            push(subject);
            push(match verb {
                "'ll" => "will",
                "'ve" => "have",
                _ => "are",
            });
        }
        _ if word.ends_with("n't") => {
            push(word.trim_end_matches("n't"));
            push("not");
        }
        _ => {
            if word.ends_with("'s") {
                word.truncate(word.len() - 2);
            }
            found.push(Word {
                text: word,
                span,
                capital,
            });
        }
    }
}

/// Whether a character is a word of its own (Han, kana).
pub(super) fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`')
}

/// Letters and digits only, so that lost or added spaces and marks do not matter.
pub(super) fn letters(words: &[Word]) -> String {
    words
        .iter()
        .flat_map(|word| word.text.chars())
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn words_are_lower_case_without_marks() {
        assert_eq!(
            texts("We “Won’t” sell it."),
            ["we", "will", "not", "sell", "it"]
        );
        assert_eq!(
            texts("opt-out, third-party"),
            ["opt", "out", "third", "party"]
        );
        assert_eq!(texts("$1,000.50 or 5%"), ["$", "1000.50", "or", "5", "%"]);
        assert_eq!(
            texts("mail a.b@c.example now."),
            ["mail", "a.b@c.example", "now"]
        );
        assert_eq!(texts("我们会"), ["我", "们", "会"]);
        assert_eq!(
            texts("see https://a.example/b-c?d=1, and/or more"),
            ["see", "https://a.example/b-c?d=1", "and", "or", "more"]
        );
        assert_eq!(
            texts("at moss.example/terms-of-use."),
            ["at", "moss.example/terms-of-use"]
        );
    }

    #[test]
    fn spans_point_at_the_text() {
        let text = "The user’s data";
        let found = words(text);
        assert_eq!(&text[found[1].span.clone()], "user’s");
        assert_eq!(found[1].text, "user");
    }
}
