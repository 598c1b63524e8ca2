//! What a sentence says for itself, wherever it stands: whether it opens a passage about changes,
//! and whether it tells people something.

use super::{attributes, phrases::Lexicon};

/// What a sentence says for itself.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    /// Cleaned text, what is no notice blanked out.
    pub(super) text: String,
    /// Whether it speaks of a change of this document.
    pub(super) document_change: bool,
    /// Whether it opens a passage about changes of this document, wherever it stands.
    pub(super) opens: bool,
    /// Whether it does so under a heading that announces changes.
    pub(super) opens_there: bool,
    /// What it tells outside such a passage.
    pub(super) tells: Option<Tells>,
}

impl Signs {
    /// Reads a cleaned sentence.
    pub(super) fn of(lexicon: &Lexicon, text: &str) -> Self {
        let text = lexicon.blank("ignore", text);
        let document_change = changes_document(lexicon, &text);
        let changes = !lexicon.has("software-update", &text)
            && (!lexicon.has("entire-agreement", &text) || lexicon.has("notify", &text))
            && !says_purpose(lexicon, &text);
        Self {
            document_change,
            opens: changes && document_change && lexicon.has("future", &text),
            opens_there: changes
                && lexicon.has("change-word", &text)
                && !lexicon.has("own-exception", &text),
            tells: Tells::of(lexicon, &text),
            text,
        }
    }
}

/// What a sentence outside the clauses about changes tells, before it is known of which event.
#[derive(Debug, Clone)]
pub(super) struct Tells {
    /// Cleaned text, without names of documents and clauses that exclude a notice.
    pub(super) text: String,
    /// "Not without notice".
    pub(super) never_without: bool,
    /// A price is put up for a while before it counts.
    pub(super) posted: bool,
    /// A list of processors is kept up to date.
    pub(super) listed: bool,
    /// Somebody is told.
    pub(super) notify: bool,
    /// Somebody is asked.
    pub(super) explicit: bool,
}

impl Tells {
    fn of(lexicon: &Lexicon, text: &str) -> Option<Self> {
        let text = lexicon.blank("document-name", text);
        let never_without = lexicon.has("never-without", &text);
        let text = if never_without {
            text
        } else {
            lexicon.blank("no-notice", &text)
        };
        // What is put up for a while before it counts, and a list of processors that is kept, tell
        // too.
        let posted = lexicon.has("trigger:price-change", &text)
            && lexicon.has("posting", &text)
            && attributes::lead(lexicon, &text, false).is_some();
        let listed = lexicon.has("sub-processors", &text) && lexicon.has("list-update", &text);
        let asked_first =
            lexicon.has("explicit", &text) && lexicon.has("not-without-consent", &text);
        if !never_without && !posted && !listed && !asked_first && !lexicon.has("promise", &text) {
            return None;
        }
        let notify = never_without
            || posted
            || listed
            || lexicon.has("notify", &text)
            || lexicon.has("posting-notice", &text) && lexicon.has("trigger:price-change", &text);
        let explicit = lexicon.has("explicit", &text);
        if !notify && !explicit
            || says_purpose(lexicon, &text)
            || lexicon.has("not-a-promise", &text)
        {
            return None;
        }
        Some(Self {
            text,
            never_without,
            posted,
            listed,
            notify,
            explicit,
        })
    }
}

/// Whether a cleaned sentence speaks of a change of this document: not of what is described in it,
/// and not of a change of something else, with this document in the clause after.
fn changes_document(lexicon: &Lexicon, text: &str) -> bool {
    let text = lexicon.blank("own-reference", text);
    lexicon
        .find("document-change", &text)
        .into_iter()
        .any(|range| {
            text.get(range)
                .is_none_or(|words| !lexicon.has("new-clause", words))
        })
}

/// Whether a text says what data is used for rather than what will be told. Words that belong to
/// a clause of its own ("if we use it otherwise, we will tell you") say no purpose.
fn says_purpose(lexicon: &Lexicon, text: &str) -> bool {
    lexicon.has("purpose-item", text)
        || lexicon.find("purpose", text).into_iter().any(|range| {
            text.get(range)
                .is_none_or(|words| !lexicon.has("own-will", words))
        })
}
