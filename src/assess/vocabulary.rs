//! The words of a whole document, for telling what is new to it from what only moved.

use std::collections::BTreeSet;

use super::{
    language::LanguageRules,
    words::{Word, block_words},
};
use crate::read::{BlockKind, Document};

/// The items that rules list, such as categories of data, that a document names anywhere.
pub(super) fn items(document: &Document, rules: &LanguageRules) -> BTreeSet<usize> {
    document
        .blocks
        .iter()
        .filter(|block| !matches!(block.kind, BlockKind::Contents | BlockKind::Markup))
        .flat_map(|block| rules.items.find(&block_words(document, block, &block.span)))
        .map(|found| found.owner)
        .collect()
}

/// Words and rows of words of a document, as sorted hashes.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    words: Vec<u64>,
    /// Rows of five words.
    fives: Vec<u64>,
    /// Rows of three words.
    threes: Vec<u64>,
}

impl Vocabulary {
    /// Reads a document.
    pub(super) fn new(document: &Document) -> Self {
        let (mut words, mut fives, mut threes) = (Vec::new(), Vec::new(), Vec::new());
        for block in &document.blocks {
            if matches!(block.kind, BlockKind::Contents | BlockKind::Markup) {
                continue;
            }
            let hashes = hashes(&block_words(document, block, &block.span));
            fives.extend(rows(&hashes, 5));
            threes.extend(rows(&hashes, 3));
            words.extend(hashes);
        }
        for list in [&mut words, &mut fives, &mut threes] {
            list.sort_unstable();
            list.dedup();
        }
        Self {
            words,
            fives,
            threes,
        }
    }

    /// Whether a word stands in the document.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.binary_search(&hash(word)).is_ok()
    }

    /// Which part of the rows of words stands nowhere in the document, 0 to 1.
    pub(super) fn novelty(&self, words: &[Word]) -> f64 {
        let hashes = hashes(words);
        let (length, known) = match hashes.len() {
            0..=2 => return 1.0,
            3..=7 => (3, &self.threes),
            _ => (5, &self.fives),
        };
        let rows: Vec<u64> = rows(&hashes, length).collect();
        let new = rows
            .iter()
            .filter(|row| known.binary_search(row).is_err())
            .count();
        new as f64 / rows.len().max(1) as f64
    }
}

fn hashes(words: &[Word]) -> Vec<u64> {
    words.iter().map(|word| hash(&word.text)).collect()
}

fn rows(hashes: &[u64], length: usize) -> impl Iterator<Item = u64> {
    hashes.windows(length).map(|row| {
        row.iter().fold(0, |sum: u64, hash| {
            sum.wrapping_mul(0x0100_0000_01b3).rotate_left(5) ^ hash
        })
    })
}

/// FNV-1a: the same on every machine.
fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
