//! What was found out about blocks that were seen before: of a row of versions, and of the two
//! sides of a comparison, only what differs is looked at anew.

#[expect(
    clippy::disallowed_types,
    reason = "looked up by every block of every version; its order is never seen"
)]
use std::collections::HashMap;
use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Block, Document};

/// Bytes of blocks that are remembered at most; then all is forgotten. Ten long policies.
const MOST: usize = 4 << 20;

/// Facts about blocks, each found out once. A fact may depend on everything that the block itself
/// says (its kind, its text, where its parts are) and on the language of its document, and on
/// nothing around it.
#[derive(Debug)]
pub struct Remembered<T> {
    known: Mutex<Known<T>>,
}

#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "looked up by every block of every version; its order is never seen"
)]
struct Known<T> {
    facts: HashMap<Box<[u8]>, Arc<T>, BuildHasherDefault<DefaultHasher>>,
    bytes: usize,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            known: Mutex::new(Known {
                facts: Default::default(),
                bytes: 0,
            }),
        }
    }
}

impl<T> Remembered<T> {
    /// The facts about each block of a document, in order; those that are not known are found out.
    pub fn of(&self, document: &Document, find: impl Fn(&Block) -> T) -> Vec<Arc<T>> {
        let mut imprints = Vec::with_capacity(document.text.len() * 2);
        let mut ends = Vec::with_capacity(document.blocks.len());
        for block in &document.blocks {
            imprint(document, block, &mut imprints);
            ends.push(imprints.len());
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let imprints: Vec<&[u8]> = starts
            .zip(&ends)
            .map(|(start, &end)| imprints.get(start..end).unwrap_or_default())
            .collect();
        let seen: Vec<Option<Arc<T>>> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            imprints
                .iter()
                .map(|imprint| known.facts.get(*imprint).cloned())
                .collect()
        };
        // Others may look things up while this is found out.
        let mut fresh = Vec::new();
        let facts = document
            .blocks
            .iter()
            .zip(&imprints)
            .zip(seen)
            .map(|((block, imprint), seen)| {
                seen.unwrap_or_else(|| {
                    let fact = Arc::new(find(block));
                    fresh.push((*imprint, Arc::clone(&fact)));
                    fact
                })
            })
            .collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (imprint, fact) in fresh {
            if known.bytes > MOST {
                known.facts.clear();
                known.bytes = 0;
            }
            known.bytes += imprint.len();
            known.facts.insert(imprint.into(), fact);
        }
        facts
    }
}

/// Everything that a block says, wherever it stands: two blocks with the same imprint read alike.
fn imprint(document: &Document, block: &Block, out: &mut Vec<u8>) {
    let spans = || {
        [&block.span, &block.body]
            .into_iter()
            .chain(&block.runs)
            .chain(&block.cells)
    };
    let start = spans().map(|span| span.start).min().unwrap_or_default();
    let end = spans().map(|span| span.end).max().unwrap_or_default();
    out.push(block.kind as u8);
    for count in [block.runs.len(), block.cells.len()] {
        out.extend((count as u32).to_le_bytes());
    }
    for span in spans() {
        for at in [span.start, span.end] {
            out.extend(((at - start) as u32).to_le_bytes());
        }
    }
    out.extend(document.language.as_deref().unwrap_or_default().as_bytes());
    out.push(0);
    out.extend(document.slice(&(start..end)).as_bytes());
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::read::{Format, Input, read};

    fn document(text: &str) -> Document {
        let read = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        });
        Document {
            // It cannot be told of so few words.
            language: Some("en".to_owned()),
            ..read.unwrap()
        }
    }

    #[test]
    fn a_block_that_was_seen_is_not_looked_at_again_wherever_it_stands() {
        let looked = Cell::new(0);
        let known = Remembered::default();
        let words = |document: &Document| -> Vec<String> {
            let facts = known.of(document, |block| {
                looked.set(looked.get() + 1);
                document.plain(block)
            });
            facts.iter().map(|fact| fact.as_ref().clone()).collect()
        };
        let kept = "We keep **logs** of what you do, and we erase them in May.";
        let old = document(&format!("{kept}\n\nWe never sell them.\n"));
        let new = document(&format!(
            "This is new here.\n\n{kept}\n\nWe never sell them.\n"
        ));
        assert_eq!(words(&old).len(), 2);
        assert_eq!(looked.get(), 2);
        assert_eq!(
            words(&new),
            [
                "This is new here.",
                "We keep logs of what you do, and we erase them in May.",
                "We never sell them."
            ]
        );
        assert_eq!(looked.get(), 3);
    }

    #[test]
    fn the_same_words_with_other_marks_or_as_another_block_are_looked_at() {
        let known = Remembered::default();
        for (text, seen) in [
            ("Moss **is** green.", true),
            ("Moss is green.", true),
            ("- Moss is green.", true),
            ("- Moss is green.", false),
        ] {
            let document = document(text);
            let looked = Cell::new(false);
            known.of(&document, |_| looked.set(true));
            assert_eq!(looked.get(), seen, "{text}");
        }
    }
}
