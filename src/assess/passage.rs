//! From changes to passages: the sentences, items and rows that a change touches, each with the
//! words before and after, the titles above and the words that introduce it.

use super::{
    language::LanguageRules,
    texts::Texts,
    words::{Word, block_words, words},
};
use crate::{
    compare::{Change, Comparison, Kind, Op, Side},
    read::{self, Block, BlockKind, Document, Span},
};

/// What happened to a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Only the new text has it.
    Added,
    /// Only the old text has it.
    Removed,
    /// Words differ.
    Changed,
}

/// Where one side of a passage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its bytes.
    pub(super) span: Span,
    /// First and last line.
    pub(super) lines: (usize, usize),
    /// Innermost section.
    pub(super) section: Option<usize>,
    /// Index of its first block.
    pub(super) block: usize,
    /// What that block is.
    pub(super) kind: BlockKind,
    /// Whether it opens with a number or with words set in bold, as clauses with a title of their
    /// own do.
    pub(super) led: bool,
}

/// A sentence, item or row that was touched.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Index of the change in the comparison.
    pub(super) change: usize,
    /// What happened.
    pub(super) act: Act,
    /// Where it stood.
    pub(super) old: Option<Place>,
    /// Where it stands.
    pub(super) new: Option<Place>,
    /// Its words, aligned.
    pub(super) texts: Texts,
    /// Titles above it, outermost first.
    pub(super) titles: Vec<Vec<Word>>,
    /// Words of the paragraph that introduces a list item.
    pub(super) intro: Vec<Word>,
    /// Whether the whole block is new or gone, not only a sentence of it.
    pub(super) whole: bool,
}

/// All passages of a comparison, in the order of its changes.
pub(super) fn passages(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    rules: &LanguageRules,
) -> Vec<Passage> {
    let maker = Maker { old, new, rules };
    comparison
        .changes
        .iter()
        .enumerate()
        .filter(|(_, change)| !matches!(change.kind, Kind::Technical | Kind::Renumbered))
        .flat_map(|(index, change)| maker.of(index, change))
        .collect()
}

struct Maker<'a> {
    old: &'a Document,
    new: &'a Document,
    rules: &'a LanguageRules,
}

/// A sentence of one side.
struct Piece {
    place: Place,
    words: Vec<Word>,
    first_of_block: bool,
}

impl Maker<'_> {
    fn of(&self, index: usize, change: &Change) -> Vec<Passage> {
        match (&change.old, &change.new) {
            (None, Some(side)) => self.whole(index, self.new, side, Act::Added),
            (Some(side), None) => self.whole(index, self.old, side, Act::Removed),
            (Some(before), Some(after)) => self.modified(index, change, before, after),
            (None, None) => Vec::new(),
        }
    }

    /// Each block of a side that the other has not.
    fn whole(&self, index: usize, document: &Document, side: &Side, act: Act) -> Vec<Passage> {
        blocks(document, side)
            .filter_map(|(at, block)| {
                let span = clip(&block.span, &side.span)?;
                let words = block_words(document, block, &span);
                if words.is_empty() {
                    return None;
                }
                let place = place(document, span, at, block);
                let (old_words, new_words) = match act {
                    Act::Removed => (words, Vec::new()),
                    _ => (Vec::new(), words),
                };
                let whole =
                    place.span.start <= block.body.start && place.span.end >= block.body.end;
                let (old, new) = match act {
                    Act::Removed => (Some(place), None),
                    _ => (None, Some(place)),
                };
                Some(self.passage(index, act, (old, old_words), (new, new_words), whole))
            })
            .collect()
    }

    /// The sentences of a change that has both sides, those that share words put together.
    fn modified(&self, index: usize, change: &Change, before: &Side, after: &Side) -> Vec<Passage> {
        let old = pieces(self.old, before);
        let new = pieces(self.new, after);
        let mut groups: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for (o, piece) in old.iter().enumerate() {
            let partners: Vec<usize> = (0..new.len())
                .filter(|n| {
                    new.get(*n)
                        .is_some_and(|other| related(change, &piece.place.span, &other.place.span))
                })
                .collect();
            let (mut olds, mut news) = (vec![o], partners);
            groups.retain(|(group_old, group_new)| {
                let joined = group_new.iter().any(|n| news.contains(n));
                if joined {
                    olds.extend(group_old);
                    news.extend(group_new);
                }
                !joined
            });
            olds.sort_unstable();
            news.sort_unstable();
            news.dedup();
            groups.push((olds, news));
        }
        for n in 0..new.len() {
            if !groups.iter().any(|(_, news)| news.contains(&n)) {
                groups.push((Vec::new(), vec![n]));
            }
        }
        let mut found = Vec::new();
        for (olds, news) in groups {
            let (old_place, old_words, old_first) = join(self.old, &old, &olds);
            let (new_place, new_words, new_first) = join(self.new, &new, &news);
            let act = match (&old_place, &new_place) {
                (Some(_), Some(_)) => Act::Changed,
                (Some(_), None) => Act::Removed,
                _ => Act::Added,
            };
            if old_words.is_empty() && new_words.is_empty() {
                continue;
            }
            let texts_equal = old_words.len() == new_words.len()
                && old_words
                    .iter()
                    .zip(&new_words)
                    .all(|(a, b)| a.text == b.text);
            if texts_equal {
                continue;
            }
            let whole = (old_first || new_first) && (olds.is_empty() || news.is_empty());
            found.push(self.passage(
                index,
                act,
                (old_place, old_words),
                (new_place, new_words),
                whole,
            ));
        }
        found
    }

    fn passage(
        &self,
        change: usize,
        act: Act,
        old: (Option<Place>, Vec<Word>),
        new: (Option<Place>, Vec<Word>),
        whole: bool,
    ) -> Passage {
        let (titles, intro) = match (&new.0, &old.0) {
            (Some(place), _) => (titles(self.new, place), intro(self.new, place)),
            (None, Some(place)) => (titles(self.old, place), intro(self.old, place)),
            (None, None) => (Vec::new(), Vec::new()),
        };
        Passage {
            change,
            act,
            texts: Texts::new(old.1, new.1, self.rules),
            old: old.0,
            new: new.0,
            titles,
            intro,
            whole,
        }
    }
}

fn blocks<'a>(
    document: &'a Document,
    side: &Side,
) -> impl Iterator<Item = (usize, &'a Block)> + use<'a> {
    let range = side.blocks.clone();
    document
        .blocks
        .get(range.clone())
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(move |(at, block)| (range.start + at, block))
        .filter(|(_, block)| !matches!(block.kind, BlockKind::Contents | BlockKind::Markup))
}

fn clip(span: &Span, within: &Span) -> Option<Span> {
    let (start, end) = (span.start.max(within.start), span.end.min(within.end));
    (start < end).then_some(start..end)
}

fn place(document: &Document, span: Span, at: usize, block: &Block) -> Place {
    let text = document.slice(&block.body);
    Place {
        led: text.starts_with("**")
            || text.starts_with("__")
            || block.kind == BlockKind::Paragraph && numbered(document, block),
        lines: document.lines_of(&span),
        span,
        section: block.section,
        block: at,
        kind: block.kind,
    }
}

/// Whether a paragraph has a number such as `4` or `5.8.1`; `(2)` and `(b)` are items.
fn numbered(document: &Document, block: &Block) -> bool {
    block.label.as_ref().is_some_and(|label| {
        label.text.starts_with(|c: char| c.is_ascii_digit())
            && !document
                .slice(&(block.span.start..label.span.start))
                .ends_with('(')
    })
}

fn pieces(document: &Document, side: &Side) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, block) in blocks(document, side) {
        let sentences = match block.kind {
            BlockKind::TableRow | BlockKind::TableHead => vec![block.body.clone()],
            _ => read::sentences(document, block),
        };
        let mut first = true;
        for sentence in sentences {
            let Some(span) = clip(&sentence, &side.span) else {
                continue;
            };
            let words = block_words(document, block, &span);
            if words.is_empty() {
                continue;
            }
            pieces.push(Piece {
                place: place(document, span, at, block),
                words,
                first_of_block: first,
            });
            first = false;
        }
    }
    pieces
}

/// Whether two sentences share enough bytes to be one sentence before and after.
fn related(change: &Change, old: &Span, new: &Span) -> bool {
    let shared: usize = change
        .edits
        .iter()
        .filter(|edit| edit.op == Op::Equal)
        .filter_map(|edit| {
            let kept = clip(&edit.old, old)?;
            let shift = kept.start - edit.old.start;
            let moved = edit.new.start + shift..edit.new.start + shift + (kept.end - kept.start);
            clip(&moved, new).map(|span| span.end - span.start)
        })
        .sum();
    let shorter = (old.end - old.start).min(new.end - new.start).max(1);
    shared * 100 >= shorter * 34
}

fn join(
    document: &Document,
    pieces: &[Piece],
    picked: &[usize],
) -> (Option<Place>, Vec<Word>, bool) {
    let picked: Vec<&Piece> = picked.iter().filter_map(|i| pieces.get(*i)).collect();
    let Some(first) = picked.first() else {
        return (None, Vec::new(), false);
    };
    let end = picked.iter().map(|p| p.place.span.end).max();
    let span = first.place.span.start..end.unwrap_or(first.place.span.end);
    let place = Place {
        lines: document.lines_of(&span),
        span,
        ..first.place.clone()
    };
    let words = picked
        .iter()
        .flat_map(|p| p.words.iter().cloned())
        .collect();
    (Some(place), words, first.first_of_block)
}

/// Titles of the sections a place stands in, outermost first, the document's title before them.
fn titles(document: &Document, place: &Place) -> Vec<Vec<Word>> {
    let mut titles = Vec::new();
    let mut section = place.section;
    while let Some(found) = section.and_then(|index| document.sections.get(index)) {
        titles.push(words(&found.title));
        if titles.len() > 12 {
            break;
        }
        section = found.parent;
    }
    titles.reverse();
    titles
}

/// Words of the nearest block before a list item or row that is neither.
fn intro(document: &Document, place: &Place) -> Vec<Word> {
    if !matches!(place.kind, BlockKind::ListItem | BlockKind::TableRow) {
        return Vec::new();
    }
    document
        .blocks
        .get(..place.block)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(40)
        .find(|block| {
            matches!(
                block.kind,
                BlockKind::Paragraph | BlockKind::Heading | BlockKind::TableHead
            )
        })
        .filter(|block| block.section == place.section && block.kind != BlockKind::Heading)
        .map(|block| {
            let mut found = block_words(document, block, &block.span);
            let keep = found.len().saturating_sub(40);
            found.drain(..keep);
            found
        })
        .unwrap_or_default()
}
