//! Which unit of the old text stands for which of the new, and the stages that need no
//! likeness: equal bytes, then equal words.

use super::unit::Text;

/// Pairs of units, known from both sides.
#[derive(Debug, Clone)]
pub(super) struct Matching {
    right_of: Vec<Option<usize>>,
    left_of: Vec<Option<usize>>,
}

impl Matching {
    pub(super) fn new(left: usize, right: usize) -> Self {
        Self {
            right_of: vec![None; left],
            left_of: vec![None; right],
        }
    }

    pub(super) fn pair(&mut self, left: usize, right: usize) {
        self.right_of[left] = Some(right);
        self.left_of[right] = Some(left);
    }

    pub(super) fn part(&mut self, left: usize) {
        if let Some(right) = self.right_of[left].take() {
            self.left_of[right] = None;
        }
    }

    pub(super) fn right_of(&self, left: usize) -> Option<usize> {
        self.right_of.get(left).copied().flatten()
    }

    pub(super) fn left_of(&self, right: usize) -> Option<usize> {
        self.left_of.get(right).copied().flatten()
    }

    fn free(&self, left: usize, right: usize) -> bool {
        self.right_of.get(left) == Some(&None) && self.left_of.get(right) == Some(&None)
    }

    pub(super) fn free_left(&self) -> Vec<usize> {
        (0..self.right_of.len())
            .filter(|&l| self.right_of[l].is_none())
            .collect()
    }

    pub(super) fn free_right(&self) -> Vec<usize> {
        (0..self.left_of.len())
            .filter(|&r| self.left_of[r].is_none())
            .collect()
    }

    /// All pairs in the order of the left side.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.right_of
            .iter()
            .enumerate()
            .filter_map(|(left, right)| Some((left, (*right)?)))
    }

    /// For each left unit, where on the right side it would stand if nothing but its
    /// neighbourhood counted: as far behind the nearest paired unit before it as it is itself.
    pub(super) fn expected(&self) -> Vec<usize> {
        let last = self.left_of.len();
        let mut at = 0;
        self.right_of
            .iter()
            .map(|right| {
                let here = right.unwrap_or(at);
                at = (here + 1).min(last);
                here
            })
            .collect()
    }
}

/// Pairs units whose bodies are the same bytes, then those whose words are the same.
pub(super) fn equal_units(left: &mut Text<'_>, right: &mut Text<'_>) -> Matching {
    let mut matching = Matching::new(left.units.len(), right.units.len());
    let left_keys: Vec<u64> = left.units.iter().map(|u| u.key).collect();
    let right_keys: Vec<u64> = right.units.iter().map(|u| u.key).collect();
    ends(&mut matching, &left_keys, &right_keys);
    unique(&mut matching, &left_keys, &right_keys);
    duplicates(&mut matching, &left_keys, &right_keys);

    let mut left_keys = left_keys;
    let mut right_keys = right_keys;
    for unit in matching.free_left() {
        left.prepare(unit);
        left_keys[unit] = left.folded_key(unit);
    }
    for unit in matching.free_right() {
        right.prepare(unit);
        right_keys[unit] = right.folded_key(unit);
    }
    unique(&mut matching, &left_keys, &right_keys);
    duplicates(&mut matching, &left_keys, &right_keys);
    matching
}

/// The common beginning and the common end.
fn ends(matching: &mut Matching, left: &[u64], right: &[u64]) {
    let start = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let most = left.len().min(right.len()) - start;
    let end = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take(most)
        .take_while(|(l, r)| l == r)
        .count();
    for at in 0..start {
        matching.pair(at, at);
    }
    for back in 1..=end {
        matching.pair(left.len() - back, right.len() - back);
    }
}

/// Free units of both sides with the same key, as runs of a sorted list.
fn groups(matching: &Matching, left: &[u64], right: &[u64]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut all: Vec<(u64, bool, usize)> = Vec::new();
    all.extend(
        matching
            .free_left()
            .into_iter()
            .map(|l| (left[l], false, l)),
    );
    all.extend(
        matching
            .free_right()
            .into_iter()
            .map(|r| (right[r], true, r)),
    );
    all.sort_unstable();
    all.chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.first().is_some_and(|g| !g.1) && group.last().is_some_and(|g| g.1))
        .map(|group| {
            let side = |wanted: bool| {
                group
                    .iter()
                    .filter(|g| g.1 == wanted)
                    .map(|g| g.2)
                    .collect()
            };
            (side(false), side(true))
        })
        .collect()
}

/// Pairs what is unique on both sides, and equal neighbours of such pairs.
fn unique(matching: &mut Matching, left: &[u64], right: &[u64]) {
    let mut found: Vec<(usize, usize)> = groups(matching, left, right)
        .into_iter()
        .filter_map(|(l, r)| match (l.as_slice(), r.as_slice()) {
            ([l], [r]) => Some((*l, *r)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    for &(l, r) in &found {
        if matching.free(l, r) {
            matching.pair(l, r);
        }
    }
    let all: Vec<(usize, usize)> = matching.pairs().collect();
    for &(l, r) in &all {
        let (mut l, mut r) = (l + 1, r + 1);
        while matching.free(l, r) && left[l] == right[r] {
            matching.pair(l, r);
            (l, r) = (l + 1, r + 1);
        }
    }
    for &(l, r) in all.iter().rev() {
        let (mut l, mut r) = (l, r);
        while l > 0 && r > 0 && matching.free(l - 1, r - 1) && left[l - 1] == right[r - 1] {
            (l, r) = (l - 1, r - 1);
            matching.pair(l, r);
        }
    }
}

/// More combinations of one group than this are paired in document order.
const MOST_COMBINATIONS: usize = 4_000;

/// Pairs what occurs several times by the distance from where it would be expected.
fn duplicates(matching: &mut Matching, left: &[u64], right: &[u64]) {
    let expected = matching.expected();
    let mut chosen = Vec::new();
    for (lefts, rights) in groups(matching, left, right) {
        if lefts.len() * rights.len() > MOST_COMBINATIONS {
            chosen.extend(lefts.into_iter().zip(rights).map(|(l, r)| (0, l, r)));
            continue;
        }
        for &l in &lefts {
            chosen.extend(rights.iter().map(|&r| (expected[l].abs_diff(r), l, r)));
        }
    }
    chosen.sort_unstable();
    for (_, l, r) in chosen {
        if matching.free(l, r) {
            matching.pair(l, r);
        }
    }
}
