//! Blocks of two documents walk in, pairs of blocks walk out: in place, or moved.

use std::ops::Range;

use super::{
    likeness::{self, Bags, LONG},
    matching::{self, Matching},
    order,
    unit::{Class, Text},
    words,
};

/// Units that stand for each other. Both sides hold more than one unit only where a paragraph was
/// split or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub left: Range<usize>,
    pub right: Range<usize>,
    pub moved: bool,
}

/// Pairs of units, sorted by their right side; no unit is in two pairs, and those that did not
/// move are in the same order on both sides.
pub(super) fn align(left: &mut Text<'_>, right: &mut Text<'_>) -> Vec<Pair> {
    let mut matching = matching::equal_units(left, right);
    likeness::alike_units(left, right, &mut matching);
    likeness::by_key(left, right, &mut matching);
    let mut placed = place(left, right, &matching);
    refuse_unsure_moves(left, right, &mut matching, &placed);
    placed.retain(|&(l, _, _)| matching.right_of(l).is_some());
    let added = fill(left, right, &mut matching, &placed);
    placed.extend(added.iter().map(|&(l, r)| (l, r, true)));
    headings_by_content(left, right, &mut matching, &mut placed);
    let mut pairs: Vec<Pair> = placed
        .iter()
        .map(|&(l, r, stays)| Pair {
            left: l..l + 1,
            right: r..r + 1,
            moved: !stays,
        })
        .collect();
    pairs.sort_unstable_by_key(|p| p.right.start);
    absorb(left, right, &matching, &mut pairs);
    pairs
}

/// Every pair with whether it stays in place, sorted by the left side.
fn place(left: &Text<'_>, right: &Text<'_>, matching: &Matching) -> Vec<(usize, usize, bool)> {
    let weighted: Vec<(usize, usize, u64)> = matching
        .pairs()
        .map(|(l, r)| (l, r, left.weight(l).min(right.weight(r))))
        .collect();
    let kept = order::in_place(&weighted, right.units.len());
    weighted
        .into_iter()
        .zip(kept)
        .map(|((l, r, _), stays)| (l, r, stays))
        .collect()
}

/// Runs of moved units with fewer words than this are no move: such short texts repeat.
const FEWEST_MOVED_WORDS: usize = 4;

/// Parts pairs that are out of place and too short or too little alike to be called moved.
fn refuse_unsure_moves(
    left: &mut Text<'_>,
    right: &mut Text<'_>,
    matching: &mut Matching,
    placed: &[(usize, usize, bool)],
) {
    let moved: Vec<(usize, usize)> = placed.iter().filter(|p| !p.2).map(|p| (p.0, p.1)).collect();
    for &(l, r) in &moved {
        left.prepare(l);
        right.prepare(r);
    }
    for run in moved.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 + 1 == b.1) {
        let words: usize = run.iter().map(|&(l, _)| left.words(l)).sum();
        for &(l, r) in run {
            let same = left.units[l].key == right.units[r].key;
            if likeness::same_key(left, right, l, r).is_some() {
                continue;
            }
            if words < FEWEST_MOVED_WORDS || !(same || mostly_same_order(left, right, l, r)) {
                matching.part(l);
            }
        }
    }
}

/// Whether enough words of two units are the same in the same order: 60 % of short ones, 43 % of
/// long ones, where chance explains less.
fn mostly_same_order(left: &Text<'_>, right: &Text<'_>, l: usize, r: usize) -> bool {
    let ids = |text: &Text<'_>, unit: usize| -> Vec<u64> {
        text.tokens(unit)
            .iter()
            .filter(|t| t.is_word())
            .map(|t| t.id)
            .collect()
    };
    let (l, r) = (ids(left, l), ids(right, r));
    let share = if l.len().min(r.len()) >= LONG { 43 } else { 60 };
    2 * words::common(&l, &r) * 100 >= share * (l.len() + r.len())
}

/// Likeness that is enough for a pair between two neighbours that are in place.
const ENOUGH_BETWEEN: u64 = 330_000;
/// The same where nothing else is left between them.
const ENOUGH_ALONE: u64 = 250_000;
/// Regions with more combinations than this are left as they are.
const MOST_BETWEEN: usize = 2_500;

/// Pairs free units between two pairs that are in place.
fn fill(
    left: &mut Text<'_>,
    right: &mut Text<'_>,
    matching: &mut Matching,
    placed: &[(usize, usize, bool)],
) -> Vec<(usize, usize)> {
    let mut added = Vec::new();
    let mut from = (0, 0);
    let ends = placed
        .iter()
        .filter(|p| p.2)
        .map(|p| (p.0, p.1))
        .chain(std::iter::once((left.units.len(), right.units.len())))
        .collect::<Vec<_>>();
    for end in ends {
        let lefts: Vec<usize> = (from.0..end.0)
            .filter(|&l| matching.right_of(l).is_none())
            .collect();
        let rights: Vec<usize> = (from.1..end.1)
            .filter(|&r| matching.left_of(r).is_none())
            .collect();
        from = (end.0 + 1, end.1 + 1);
        if lefts.is_empty() || rights.is_empty() || lefts.len() * rights.len() > MOST_BETWEEN {
            continue;
        }
        for &l in &lefts {
            left.prepare(l);
        }
        for &r in &rights {
            right.prepare(r);
        }
        let bags = Bags::new(left, right, &lefts, &rights);
        let enough = if lefts.len() == 1 && rights.len() == 1 {
            ENOUGH_ALONE
        } else {
            ENOUGH_BETWEEN
        };
        let mut scored = Vec::new();
        for &l in &lefts {
            for &r in &rights {
                let class = left.units[l].class;
                if class != right.units[r].class {
                    continue;
                }
                let score = if class == Class::Markup {
                    likeness::ONE / 2
                } else {
                    bags.likeness_between(l, r)
                };
                if score >= enough {
                    scored.push((std::cmp::Reverse(score), l.abs_diff(r), l, r));
                }
            }
        }
        scored.sort_unstable();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (_, _, l, r) in scored {
            let fits = taken
                .iter()
                .all(|&(a, b)| a != l && b != r && (a < l) == (b < r));
            if fits {
                taken.push((l, r));
                matching.pair(l, r);
            }
        }
        added.extend(taken);
    }
    added
}

/// Pairs headings that share no words but head the same content: a renamed section.
fn headings_by_content(
    left: &mut Text<'_>,
    right: &mut Text<'_>,
    matching: &mut Matching,
    placed: &mut Vec<(usize, usize, bool)>,
) {
    let free: Vec<usize> = (0..left.units.len())
        .filter(|&l| left.units[l].class == Class::Heading && matching.right_of(l).is_none())
        .collect();
    if free.is_empty() {
        return;
    }
    let mut stays = vec![false; left.units.len()];
    for &(l, _, kept) in placed.iter() {
        stays[l] = kept;
    }
    for l in free {
        // The heading is the same section's when the unit behind it went with a free heading
        // before it, and all of that in place.
        let Some(r) = matching.right_of(l + 1).and_then(|r| r.checked_sub(1)) else {
            continue;
        };
        let heading = right
            .units
            .get(r)
            .is_some_and(|u| u.class == Class::Heading && matching.left_of(r).is_none());
        let level = |text: &Text<'_>, unit: usize| {
            text.units[unit]
                .block
                .and_then(|b| text.document.blocks.get(b))
                .map(|b| (b.kind, b.depth))
        };
        if heading && stays[l + 1] && level(left, l) == level(right, r) {
            left.prepare(l);
            right.prepare(r);
            matching.pair(l, r);
            placed.push((l, r, true));
        }
    }
}

/// Lets pairs that are in place take in a free neighbour whose words they hold: a paragraph that
/// was split or joined.
fn absorb(left: &mut Text<'_>, right: &mut Text<'_>, matching: &Matching, pairs: &mut [Pair]) {
    let mut taken_left: Vec<bool> = (0..left.units.len())
        .map(|l| matching.right_of(l).is_some())
        .collect();
    let mut taken_right: Vec<bool> = (0..right.units.len())
        .map(|r| matching.left_of(r).is_some())
        .collect();
    for pair in pairs.iter_mut().filter(|p| !p.moved) {
        for after in [true, false] {
            while let Some(unit) = neighbour(&pair.right, after, &taken_right) {
                if !holds(left, &pair.left, right, &pair.right, unit) {
                    break;
                }
                taken_right[unit] = true;
                extend(&mut pair.right, unit);
            }
            while let Some(unit) = neighbour(&pair.left, after, &taken_left) {
                if !holds(right, &pair.right, left, &pair.left, unit) {
                    break;
                }
                taken_left[unit] = true;
                extend(&mut pair.left, unit);
            }
        }
    }
}

fn extend(range: &mut Range<usize>, unit: usize) {
    range.start = range.start.min(unit);
    range.end = range.end.max(unit + 1);
}

/// The free unit directly after or before a range.
fn neighbour(range: &Range<usize>, after: bool, taken: &[bool]) -> Option<usize> {
    let unit = if after {
        range.end
    } else {
        range.start.checked_sub(1)?
    };
    (taken.get(unit) == Some(&false)).then_some(unit)
}

/// Whether the words of `unit` are, for the most part, those which `whole` has beyond `part`.
fn holds(
    whole_text: &mut Text<'_>,
    whole: &Range<usize>,
    part_text: &mut Text<'_>,
    part: &Range<usize>,
    unit: usize,
) -> bool {
    if !matches!(part_text.units[unit].class, Class::Text | Class::Row) {
        return false;
    }
    part_text.prepare(unit);
    let words = part_text.words(unit);
    let longest = |text: &Text<'_>, units: &Range<usize>| -> usize {
        units
            .clone()
            .map(|u| text.units[u].body.end - text.units[u].body.start)
            .sum()
    };
    // Cheap first: no room for it, nothing to look at.
    if words < 3 || longest(whole_text, whole) < longest(part_text, part) + 2 * words {
        return false;
    }
    let sorted = |text: &mut Text<'_>, units: &Range<usize>| -> Vec<u64> {
        let mut ids = Vec::new();
        for unit in units.clone() {
            text.prepare(unit);
            ids.extend(
                text.tokens(unit)
                    .iter()
                    .filter(|t| t.is_word())
                    .map(|t| t.id),
            );
        }
        ids.sort_unstable();
        ids
    };
    let rest = subtract(&sorted(whole_text, whole), &sorted(part_text, part));
    let wanted = sorted(part_text, &(unit..unit + 1));
    let missing = subtract(&wanted, &rest).len();
    missing * 4 <= wanted.len()
}

/// What a sorted list has beyond another.
fn subtract(from: &[u64], what: &[u64]) -> Vec<u64> {
    let mut at = 0;
    let mut rest = Vec::new();
    for &id in from {
        while what.get(at).is_some_and(|w| *w < id) {
            at += 1;
        }
        if what.get(at) == Some(&id) {
            at += 1;
        } else {
            rest.push(id);
        }
    }
    rest
}
