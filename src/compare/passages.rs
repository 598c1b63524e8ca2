//! Sentences that moved from one block into another, or within one: long runs of equal words
//! between what was deleted and what was inserted.

use crate::read::Span;

use super::{
    token::{Token, TokenKind},
    unit::Text,
};

/// A run of words that stands elsewhere now.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub old: Span,
    pub new: Span,
    pub left: Vec<Token>,
    pub right: Vec<Token>,
}

impl Passage {
    /// The same seen from the other side.
    pub(super) fn mirrored(self) -> Self {
        Self {
            old: self.new,
            new: self.old,
            left: self.right,
            right: self.left,
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
    let mut known = vec![0_u64; 1 << 12];
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
                seeds.push((key, index as u32, at as u32));
            }
        }
    }
    seeds.sort_unstable();
    let mut found: Vec<(std::cmp::Reverse<usize>, usize, usize, usize, usize, usize)> = Vec::new();
    for (l, stretch) in deleted.iter().enumerate() {
        let tokens = stretch.as_slice();
        for (at, window) in tokens.windows(SEED).enumerate() {
            let key = seed(window);
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
                let (skip, len) = trim(left, tokens, at, len);
                if words(&tokens[at + skip..at + skip + len]) >= FEWEST {
                    found.push((std::cmp::Reverse(len), l, at + skip, r, to + skip, len));
                }
            }
        }
    }
    found.sort_unstable();
    let mut used_left: Vec<Vec<bool>> = deleted.iter().map(|s| vec![false; s.len()]).collect();
    let mut used_right: Vec<Vec<bool>> = inserted.iter().map(|s| vec![false; s.len()]).collect();
    let mut passages = Vec::new();
    for (_, l, at, r, to, len) in found {
        if used_left[l][at..at + len].contains(&true) || used_right[r][to..to + len].contains(&true)
        {
            continue;
        }
        used_left[l][at..at + len].fill(true);
        used_right[r][to..to + len].fill(true);
        let (a, b) = (&deleted[l][at..at + len], &inserted[r][to..to + len]);
        if let (Some(old), Some(new)) = (span(a), span(b)) {
            passages.push(Passage {
                old,
                new,
                left: a.to_vec(),
                right: b.to_vec(),
            });
        }
    }
    passages.sort_by_key(|p| p.new.start);
    passages
}

fn words(tokens: &[Token]) -> usize {
    tokens.iter().filter(|t| t.is_word()).count()
}

fn span(tokens: &[Token]) -> Option<Span> {
    Some(tokens.first()?.start..tokens.last()?.end)
}

/// Cuts a run back to whole sentences or clauses: how many tokens to skip, and how many to take.
fn trim(text: &Text<'_>, tokens: &[Token], at: usize, len: usize) -> (usize, usize) {
    let is_border = |token: &Token| {
        token.kind == TokenKind::Punctuation
            && matches!(
                text.slice(token.start..token.end),
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
    if end > skip && words(&run[skip..end]) >= FEWEST {
        (skip, end - skip)
    } else {
        (0, 0)
    }
}
