//! The innermost step: two sequences of token ids walk in, the hunks in which they differ walk
//! out.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A place where two sequences differ; what lies between two hunks is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub left: Range<usize>,
    pub right: Range<usize>,
}

/// Above this product of lengths a sequence is first cut at what occurs once on both sides.
const CUT_FROM: usize = 60_000;
/// Pieces with a larger product of lengths keep only their common beginning and end: a budget of
/// work, not of time, so that the same input gives the same output on every machine.
const MOST_WORK: usize = 2_000_000_000;

/// Where `left` and `right` differ.
pub(super) fn hunks(left: &[u64], right: &[u64]) -> Vec<Hunk> {
    if left.len().saturating_mul(right.len()) <= CUT_FROM {
        return piece_hunks(left, right);
    }
    let mut found: Vec<Hunk> = Vec::new();
    let (mut l, mut r) = (0, 0);
    let mut cuts = unique_cuts(left, right);
    cuts.push((left.len(), right.len()));
    for (next_l, next_r) in cuts {
        for hunk in piece_hunks(&left[l..next_l], &right[r..next_r]) {
            let hunk = Hunk {
                left: hunk.left.start + l..hunk.left.end + l,
                right: hunk.right.start + r..hunk.right.end + r,
            };
            match found.last_mut() {
                Some(last)
                    if last.left.end == hunk.left.start && last.right.end == hunk.right.start =>
                {
                    last.left.end = hunk.left.end;
                    last.right.end = hunk.right.end;
                }
                _ => found.push(hunk),
            }
        }
        (l, r) = (next_l, next_r);
    }
    found
}

/// Items in a row that make a place that occurs only once.
const CUT: usize = 4;

/// Places that occur once on both sides and are in the same order.
fn unique_cuts(left: &[u64], right: &[u64]) -> Vec<(usize, usize)> {
    let mut places: Vec<(u64, bool, usize)> = Vec::new();
    for (side, items) in [(false, left), (true, right)] {
        for (at, window) in items.windows(CUT).enumerate() {
            let key = window.iter().fold(0_u64, |hash, item| {
                (hash.rotate_left(9) ^ item).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            places.push((key, side, at));
        }
    }
    places.sort_unstable();
    let mut pairs: Vec<(usize, usize, u64)> = places
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|group| match group {
            [(_, false, l), (_, true, r)] => Some((*l, *r, 1)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable();
    let kept = super::order::in_place(&pairs, right.len());
    pairs
        .iter()
        .zip(kept)
        .filter(|(_, kept)| *kept)
        .map(|(pair, _)| (pair.0, pair.1))
        .step_by(16)
        .collect()
}

fn piece_hunks(left: &[u64], right: &[u64]) -> Vec<Hunk> {
    let start = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (l, r) = (&left[start..], &right[start..]);
    let end = l
        .iter()
        .rev()
        .zip(r.iter().rev())
        .take_while(|(l, r)| l == r)
        .count();
    let (l, r) = (&l[..l.len() - end], &r[..r.len() - end]);
    if l.is_empty() && r.is_empty() {
        return Vec::new();
    }
    if l.is_empty() || r.is_empty() || l.len().saturating_mul(r.len()) > MOST_WORK {
        return vec![Hunk {
            left: start..start + l.len(),
            right: start..start + r.len(),
        }];
    }
    let mut found: Vec<Hunk> = Vec::new();
    for op in capture_diff_slices(Algorithm::Histogram, l, r) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (l, r) = (op.old_range(), op.new_range());
        let (l, r) = (
            l.start + start..l.end + start,
            r.start + start..r.end + start,
        );
        match found.last_mut() {
            Some(last) if last.left.end == l.start && last.right.end == r.start => {
                last.left.end = l.end;
                last.right.end = r.end;
            }
            _ => found.push(Hunk { left: l, right: r }),
        }
    }
    found
}

/// Length of the longest common subsequence, 64 items at a time (Hyyrö 2004).
pub(super) fn common(left: &[u64], right: &[u64]) -> usize {
    let start = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (left, right) = (&left[start..], &right[start..]);
    let mut places: Vec<(u64, usize)> = left.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let mut state = vec![u64::MAX; left.len().div_ceil(64)];
    let mut hits = vec![0_u64; state.len()];
    for item in right {
        let first = places.partition_point(|p| p.0 < *item);
        let same = places[first..].iter().take_while(|p| p.0 == *item);
        for (_, at) in same.clone() {
            hits[at / 64] |= 1 << (at % 64);
        }
        let mut carry = false;
        for (value, hits) in state.iter_mut().zip(&mut hits) {
            let (sum, over) = value.overflowing_add(*value & *hits);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *value = sum | (*value & !*hits);
            *hits = 0;
        }
    }
    start
        + state
            .iter()
            .map(|s| s.count_zeros() as usize)
            .sum::<usize>()
}

/// The equal stretches between hunks, as pairs of starts with their length.
pub(super) fn islands(
    hunks: &[Hunk],
    left_len: usize,
) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    let starts = std::iter::once((0, 0)).chain(hunks.iter().map(|h| (h.left.end, h.right.end)));
    let ends = hunks
        .iter()
        .map(|h| h.left.start)
        .chain(std::iter::once(left_len));
    starts
        .zip(ends)
        .map(|((left, right), end)| (left, right, end.saturating_sub(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs() {
        assert_eq!(hunks(&[1, 2, 3], &[1, 2, 3]), []);
        assert_eq!(
            hunks(&[1, 2, 3, 4], &[1, 5, 3, 4, 6]),
            [
                Hunk {
                    left: 1..2,
                    right: 1..2
                },
                Hunk {
                    left: 4..4,
                    right: 4..5
                }
            ]
        );
    }

    #[test]
    fn common_subsequence() {
        assert_eq!(common(&[1, 2, 3, 4, 5], &[2, 9, 4, 5]), 3);
        let long: Vec<u64> = (0..200).collect();
        assert_eq!(common(&long, &long[70..]), 130);
    }

    #[test]
    fn islands_are_the_rest() {
        let hunks = hunks(&[1, 2, 3, 4], &[1, 5, 3, 4, 6]);
        let islands: Vec<_> = islands(&hunks, 4).collect();
        assert_eq!(islands, [(0, 0, 1), (2, 2, 2), (4, 5, 0)]);
    }
}
