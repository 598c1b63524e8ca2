//! Sentences that moved from one block into another, or within one: long runs of equal words
//! between what was deleted and what was inserted, and sentences that were edited on the way.

use std::{cmp::Reverse, collections::BTreeSet, ops::Range};

use crate::read::Span;

use super::{
    cleanup,
    token::{Token, TokenKind},
    unit::Text,
    words::{self, Hunk},
};

/// A run of words, or an edited sentence, that stands elsewhere now.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub old: Span,
    pub new: Span,
    pub left: Vec<Token>,
    pub right: Vec<Token>,
    /// Where the tokens differ.
    pub hunks: Vec<Hunk>,
}

impl Passage {
    /// The same seen from the other side.
    pub(super) fn mirrored(self) -> Self {
        Self {
            old: self.new,
            new: self.old,
            left: self.right,
            right: self.left,
            hunks: self
                .hunks
                .into_iter()
                .map(|hunk| Hunk {
                    left: hunk.right,
                    right: hunk.left,
                })
                .collect(),
        }
    }
}

/// Fewest words of a passage.
pub(super) const FEWEST: usize = 8;
/// Tokens that a search starts from.
const SEED: usize = 5;
/// Places with the same seed that are looked at; what is more frequent is boilerplate.
const MOST_PLACES: usize = 16;

/// Passages that are among the deleted and among the inserted stretches, sorted by their new
/// place.
pub(super) fn find(
    left: &Text<'_>,
    right: &Text<'_>,
    deleted: &[Vec<Token>],
    inserted: &[Vec<Token>],
) -> Vec<Passage> {
    if deleted.is_empty() || inserted.is_empty() {
        return Vec::new();
    }
    let seed = |tokens: &[Token]| {
        tokens.iter().fold(0_u64, |hash, t| {
            (hash.rotate_left(7) ^ t.id).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    };
    // Most seeds are on one side only; a bit for each hash of the other side keeps them out.
    let (mut known, mut told) = (vec![0_u64; 1 << 12], vec![0_u64; 1 << 12]);
    let bit = |key: u64| ((key >> 52) as usize, 1_u64 << (key >> 46 & 63));
    for window in deleted.iter().flat_map(|stretch| stretch.windows(SEED)) {
        let (word, bit) = bit(seed(window));
        known[word] |= bit;
    }
    let mut seeds: Vec<(u64, u32, u32)> = Vec::new();
    for (index, stretch) in inserted.iter().enumerate() {
        for (at, window) in stretch.windows(SEED).enumerate() {
            let key = seed(window);
            let (word, bit) = bit(key);
            if known[word] & bit != 0 {
                told[word] |= bit;
                seeds.push((key, index as u32, at as u32));
            }
        }
    }
    seeds.sort_unstable();
    let sentences_left: Vec<Vec<usize>> = deleted.iter().map(|s| ends(left, s)).collect();
    let sentences_right: Vec<Vec<usize>> = inserted.iter().map(|s| ends(right, s)).collect();
    let mut found: Vec<Candidate> = Vec::new();
    let mut asked: BTreeSet<(usize, usize, usize, usize)> = BTreeSet::new();
    for (l, stretch) in deleted.iter().enumerate() {
        let tokens = stretch.as_slice();
        for (at, window) in tokens.windows(SEED).enumerate() {
            let key = seed(window);
            let (word, bit) = bit(key);
            if told[word] & bit == 0 {
                continue;
            }
            let first = seeds.partition_point(|s| s.0 < key);
            let places = seeds
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(|s| s.0 == key);
            if places.clone().take(MOST_PLACES + 1).count() > MOST_PLACES {
                continue;
            }
            for &(_, r, to) in places {
                let (r, to) = (r as usize, to as usize);
                let other = inserted[r].as_slice();
                let earlier = at > 0 && to > 0 && tokens[at - 1].id == other[to - 1].id;
                if earlier {
                    continue; // Found already, from its beginning.
                }
                let len = tokens[at..]
                    .iter()
                    .zip(&other[to..])
                    .take_while(|(a, b)| a.id == b.id)
                    .count();
                let (skip, whole) = trim(left, tokens, at, len);
                if count(&tokens[at + skip..at + skip + whole]) >= FEWEST {
                    found.push(Candidate {
                        same: Reverse(whole),
                        edited: false,
                        left: (l, at + skip, at + skip + whole),
                        right: (r, to + skip, to + skip + whole),
                    });
                }
                let (a, b) = (
                    around(&sentences_left[l], at),
                    around(&sentences_right[r], to),
                );
                let ended = |text: &Text<'_>, tokens: &[Token]| {
                    tokens
                        .last()
                        .is_some_and(|t| cleanup::ends_sentence(text, t))
                };
                if asked.insert((l, a.start, r, b.start))
                    && ended(left, &tokens[a.clone()])
                    && ended(right, &other[b.clone()])
                    && let Some(same) = alike(&tokens[a.clone()], &other[b.clone()])
                {
                    found.push(Candidate {
                        same: Reverse(same),
                        edited: true,
                        left: (l, a.start, a.end),
                        right: (r, b.start, b.end),
                    });
                }
            }
        }
    }
    found.sort_unstable();
    let mut used_left: Vec<Vec<bool>> = deleted.iter().map(|s| vec![false; s.len()]).collect();
    let mut used_right: Vec<Vec<bool>> = inserted.iter().map(|s| vec![false; s.len()]).collect();
    let mut passages = Vec::new();
    for candidate in found {
        let ((l, at, at_end), (r, to, to_end)) = (candidate.left, candidate.right);
        if used_left[l][at..at_end].contains(&true) || used_right[r][to..to_end].contains(&true) {
            continue;
        }
        let (a, b) = (&deleted[l][at..at_end], &inserted[r][to..to_end]);
        let (Some(old), Some(new)) = (span(a), span(b)) else {
            continue;
        };
        let hunks = if candidate.edited {
            let sides = cleanup::Sides::new((left, a), (right, b));
            let ids = |tokens: &[Token]| tokens.iter().map(|t| t.id).collect::<Vec<u64>>();
            cleanup::tidy(&sides, words::hunks(&ids(a), &ids(b)))
        } else {
            Vec::new()
        };
        used_left[l][at..at_end].fill(true);
        used_right[r][to..to_end].fill(true);
        passages.push(Passage {
            old,
            new,
            left: a.to_vec(),
            right: b.to_vec(),
            hunks,
        });
    }
    passages.sort_by_key(|p| p.new.start);
    passages
}

/// A stretch that may have moved; the more is the same, the sooner it is taken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Tokens that are the same on both sides.
    same: Reverse<usize>,
    /// Whether others are not.
    edited: bool,
    /// Stretch, first token, token behind the last.
    left: (usize, usize, usize),
    right: (usize, usize, usize),
}

/// Where the sentences of a stretch end: positions behind their last tokens.
fn ends(text: &Text<'_>, tokens: &[Token]) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..)
        .zip(tokens)
        .filter(|(_, token)| cleanup::ends_sentence(text, token))
        .map(|(end, _)| end)
        .collect();
    if ends.last() != Some(&tokens.len()) {
        ends.push(tokens.len());
    }
    ends
}

/// The sentence that holds a token.
fn around(ends: &[usize], at: usize) -> Range<usize> {
    let index = ends.partition_point(|end| *end <= at);
    let start = index
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied()
        .unwrap_or(0);
    start..ends.get(index).copied().unwrap_or(at + 1)
}

/// How many tokens two sentences share, when they are the same sentence edited: at least six of
/// ten words in the same order. `None` too for sentences that are all the same: they are runs.
fn alike(left: &[Token], right: &[Token]) -> Option<usize> {
    let ids = |tokens: &[Token]| -> Vec<u64> {
        tokens
            .iter()
            .filter(|t| t.is_word())
            .map(|t| t.id)
            .collect()
    };
    let (l, r) = (ids(left), ids(right));
    if l.len().min(r.len()) < FEWEST {
        return None;
    }
    let same = words::common(&l, &r);
    (2 * same * 10 >= 6 * (l.len() + r.len()) && (same < l.len() || same < r.len())).then_some(same)
}

fn count(tokens: &[Token]) -> usize {
    tokens.iter().filter(|t| t.is_word()).count()
}

fn span(tokens: &[Token]) -> Option<Span> {
    Some(tokens.first()?.start..tokens.last()?.end())
}

/// Cuts a run back to whole sentences or clauses: how many tokens to skip, and how many to take.
fn trim(text: &Text<'_>, tokens: &[Token], at: usize, len: usize) -> (usize, usize) {
    let is_border = |token: &Token| {
        token.kind == TokenKind::Punctuation
            && matches!(
                text.slice(token.start..token.end()),
                "." | "!" | "?" | ";" | ":" | "。" | "！" | "？" | "；"
            )
    };
    let run = &tokens[at..at + len];
    let starts_clean = at == 0 || is_border(&tokens[at - 1]);
    let skip = if starts_clean {
        0
    } else {
        run.iter().position(is_border).map_or(0, |p| p + 1)
    };
    let ends_clean = at + len == tokens.len();
    let end = if ends_clean {
        len
    } else {
        run.iter().rposition(is_border).map_or(len, |p| p + 1)
    };
    if end > skip && count(&run[skip..end]) >= FEWEST {
        (skip, end - skip)
    } else {
        (0, 0)
    }
}
