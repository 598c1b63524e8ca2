//! The words of a whole document, for telling what is new to it from what only moved.

use std::{cell::OnceCell, collections::BTreeSet, hash::BuildHasherDefault, sync::Arc};

use super::{
    language::LanguageRules,
    words::{Word, block_words},
};
use crate::{
    compare::Ready,
    read::{Block, BlockKind, Document, Remembered},
};

/// What was found in blocks that were seen before, so that of a row of versions, and of the two
/// sides of a comparison, only what differs is taken apart. It holds for one set of rules.
#[derive(Debug, Default)]
pub struct Memory {
    /// The words of each block, as hashes.
    words: Remembered<Vec<u64>>,
    /// The items of rules that each block names.
    items: Remembered<Vec<usize>>,
}

/// The items that rules list, such as categories of data, that a document names anywhere.
pub(super) fn items(
    document: &Document,
    rules: &LanguageRules,
    memory: &Memory,
) -> BTreeSet<usize> {
    let items = memory.items.of(document, |block| {
        if silent(block) {
            return Vec::new();
        }
        let words = block_words(document, block, &block.span);
        let found = rules.items.find(&words).into_iter();
        found.map(|found| found.owner).collect()
    });
    items.iter().flat_map(|of| of.iter().copied()).collect()
}

/// Whether a block says nothing that is not said elsewhere in the document.
fn silent(block: &Block) -> bool {
    matches!(block.kind, BlockKind::Contents | BlockKind::Markup)
}

/// Words and rows of words of a document, by their hashes.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// The words of each block.
    blocks: Vec<Arc<Vec<u64>>>,
    words: OnceCell<Hashes>,
    /// Rows of five words.
    fives: OnceCell<Hashes>,
    /// Rows of three words.
    threes: OnceCell<Hashes>,
}

#[expect(
    clippy::disallowed_types,
    reason = "thousands of words of each text go in; its order is never seen"
)]
type Hashes = std::collections::HashSet<u64, BuildHasherDefault<Ready>>;

impl Vocabulary {
    /// Reads a document.
    pub(super) fn new(document: &Document, memory: &Memory) -> Self {
        let blocks = memory.words.of(document, |block| {
            if silent(block) {
                return Vec::new();
            }
            hashes(&block_words(document, block, &block.span))
        });
        Self {
            blocks,
            ..Self::default()
        }
    }

    /// Whether a word stands in the document.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words
            .get_or_init(|| self.gathered(|words| words.iter().copied()))
            .contains(&hash(word))
    }

    /// Which part of the rows of words stands nowhere in the document, 0 to 1.
    pub(super) fn novelty(&self, words: &[Word]) -> f64 {
        let hashes = hashes(words);
        let (length, known) = match hashes.len() {
            0..=2 => return 1.0,
            3..=7 => (3, &self.threes),
            _ => (5, &self.fives),
        };
        let known = known.get_or_init(|| self.gathered(|words| rows(words, length)));
        let rows: Vec<u64> = rows(&hashes, length).collect();
        let new = rows.iter().filter(|row| !known.contains(row)).count();
        new as f64 / rows.len().max(1) as f64
    }

    fn gathered<'a, I: Iterator<Item = u64>>(&'a self, each: impl Fn(&'a [u64]) -> I) -> Hashes {
        let most = self.blocks.iter().map(|words| words.len()).sum();
        let mut all = Hashes::with_capacity_and_hasher(most, BuildHasherDefault::default());
        all.extend(self.blocks.iter().flat_map(|words| each(words)));
        all
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
