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

/// Above this product of lengths only the common beginning and end are kept: a budget of work,
/// not of time, so that the same input gives the same output on every machine.
const MOST_WORK: usize = 2_000_000_000;

/// Where `left` and `right` differ.
pub(super) fn hunks(left: &[u64], right: &[u64]) -> Vec<Hunk> {
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
