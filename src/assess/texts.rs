//! The words of one clause before and after, aligned, with every phrase of the rules found in them.

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::{
    language::LanguageRules,
    phrase::Found,
    words::{Word, letters},
};

/// One side of a clause.
#[derive(Debug, Clone, Default)]
pub(super) struct Half {
    /// Its words.
    pub(super) words: Vec<Word>,
    /// Which of them the other side has not.
    pub(super) changed: Vec<bool>,
    /// Phrases of the rules in them.
    pub(super) found: Vec<Found>,
}

impl Half {
    fn new(words: Vec<Word>, changed: Vec<bool>, rules: &LanguageRules) -> Self {
        let found = rules.phrases.find(&words);
        Self {
            words,
            changed,
            found,
        }
    }

    /// The changed words.
    pub(super) fn fresh(&self) -> impl Iterator<Item = &Word> {
        self.words
            .iter()
            .zip(&self.changed)
            .filter(|(_, changed)| **changed)
            .map(|(word, _)| word)
    }

    /// Whether a found phrase holds a changed word.
    pub(super) fn touches(&self, found: &Found) -> bool {
        self.changed
            .get(found.first..found.first + found.length)
            .is_some_and(|range| range.iter().any(|changed| *changed))
    }

    /// Bytes from the first to the last word of a found phrase.
    pub(super) fn span(&self, found: &Found) -> Option<std::ops::Range<usize>> {
        let first = self.words.get(found.first)?;
        let last = self
            .words
            .get((found.first + found.length).checked_sub(1)?)?;
        Some(first.span.start..last.span.end.max(first.span.end))
    }
}

/// Both sides of a clause; one is empty when it was added or removed.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// Before.
    pub(super) old: Half,
    /// After.
    pub(super) new: Half,
}

impl Texts {
    /// Aligns the words of both sides and looks for phrases.
    pub(super) fn new(old: Vec<Word>, new: Vec<Word>, rules: &LanguageRules) -> Self {
        let (old_changed, new_changed) = align(&old, &new);
        Self {
            old: Half::new(old, old_changed, rules),
            new: Half::new(new, new_changed, rules),
        }
    }

    /// Whether both sides have the same letters in the same order.
    pub(super) fn same_letters(&self) -> bool {
        letters(&self.old.words) == letters(&self.new.words)
    }

    /// Number of changed words on both sides.
    pub(super) fn changed(&self) -> usize {
        self.old.fresh().count() + self.new.fresh().count()
    }
}

/// Which words of each side the other has not.
fn align(old: &[Word], new: &[Word]) -> (Vec<bool>, Vec<bool>) {
    let (mut old_changed, mut new_changed) = (vec![false; old.len()], vec![false; new.len()]);
    let texts = |words: &[Word]| -> Vec<String> { words.iter().map(|w| w.text.clone()).collect() };
    let (old_texts, new_texts) = (texts(old), texts(new));
    for op in capture_diff_slices(Algorithm::Myers, &old_texts, &new_texts) {
        if op.tag() == DiffTag::Equal {
            continue;
        }
        let (from, to) = (op.old_range(), op.new_range());
        // Words that were only split or joined are the same words.
        let (Some(deleted), Some(inserted)) = (old.get(from.clone()), new.get(to.clone())) else {
            continue;
        };
        if letters(deleted) == letters(inserted) {
            continue;
        }
        for changed in old_changed.get_mut(from).into_iter().flatten() {
            *changed = true;
        }
        for changed in new_changed.get_mut(to).into_iter().flatten() {
            *changed = true;
        }
    }
    (old_changed, new_changed)
}
