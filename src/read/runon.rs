//! Headings that run on into their text: "1.2.1 Log information.When you use …".

use super::{assemble::Piece, label::Delimiter};

/// Longest title of a run-on heading, in words.
const MOST_WORDS: usize = 8;

/// Words that open a sentence and stand in no title with a capital after a word without a mark.
const OPENERS: &[&str] = &[
    "We",
    "You",
    "When",
    "If",
    "Generally",
    "Unless",
    "Although",
    "While",
    "Please",
    "They",
    "Once",
];

/// Where the title of a labelled piece ends, if its text runs on after it.
pub(super) fn end(text: &str, piece: &Piece) -> Option<usize> {
    let label = piece.label.as_ref()?;
    if piece.bullet || matches!(label.delimiter, Delimiter::Both | Delimiter::Close) {
        return None;
    }
    let body = text.get(piece.body.clone())?;
    if label.values.len() > 2
        && let Some(end) = stopped(body)
    {
        return Some(piece.body.start + end);
    }
    if label.delimiter == Delimiter::None
        && let Some(end) = unmarked(body)
    {
        return Some(piece.body.start + end);
    }
    None
}

/// "Log information.When you use": a few words with a full stop, then a sentence.
fn stopped(body: &str) -> Option<usize> {
    let at = body
        .char_indices()
        .take(80)
        .find(|(_, c)| *c == '.')
        .map(|(i, _)| i)?;
    let title = body.get(..at)?;
    let rest = body.get(at + 1..)?;
    let words = title.split_whitespace().count();
    let starts = rest.trim_start().chars().next()?.is_uppercase();
    let plain = title.chars().all(|c| {
        c.is_alphanumeric() || c.is_whitespace() || matches!(c, '-' | '/' | '&' | '\'' | '’')
    });
    let title_like = title.chars().next()?.is_uppercase() && !has_verb(title);
    let sentence = rest.split_whitespace().count() >= 4;
    (words <= 4 && starts && plain && title_like && sentence).then_some(at + 1)
}

/// "Duration of Storage Generally, we keep": capitalised words, then a sentence without a mark
/// between them.
fn unmarked(body: &str) -> Option<usize> {
    let mut words = 0;
    let mut capital = 0;
    let mut at = 0;
    for word in body.split_inclusive(char::is_whitespace) {
        let bare = word.trim();
        let name = bare.trim_end_matches(',');
        if words >= 2 && OPENERS.contains(&name) {
            let rest = body.get(at + word.len()..)?;
            let next = rest.chars().next()?;
            return (next.is_lowercase() && capital * 2 >= words).then_some(at);
        }
        if words >= MOST_WORDS || bare.ends_with(['.', ',', ';', ':', '?', '!']) {
            return None;
        }
        if !bare.is_empty() {
            words += 1;
            capital += usize::from(bare.chars().next().is_some_and(char::is_uppercase));
        }
        at += word.len();
    }
    None
}

fn has_verb(title: &str) -> bool {
    title.split_whitespace().any(|word| {
        matches!(
            word.to_lowercase().as_str(),
            "is" | "are"
                | "will"
                | "may"
                | "must"
                | "can"
                | "have"
                | "has"
                | "shall"
                | "do"
                | "we"
                | "you"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_end_where_sentences_start() {
        let title = |body: &str| {
            stopped(body)
                .or_else(|| unmarked(body))
                .and_then(|e| body.get(..e).map(str::to_owned))
        };
        assert_eq!(
            title("Log data.When you visit, we keep a log.").as_deref(),
            Some("Log data.")
        );
        assert_eq!(
            title("Location data. We may ask for it first.").as_deref(),
            Some("Location data.")
        );
        assert_eq!(
            title("Length of Storage Generally, we keep it briefly.").as_deref(),
            Some("Length of Storage ")
        );
        assert_eq!(
            title("News Letters When you sign up, we write.").as_deref(),
            Some("News Letters ")
        );
        assert_eq!(title("Data shared by others may hold yours."), None);
        assert_eq!(title("You may object. Then we stop using it."), None);
        assert_eq!(title("We keep it."), None);
    }
}
