//! How alike two units are: Dice of their words weighted by rarity, or how much of the smaller
//! one the larger contains; and which units to ask about, from an inverted index.
//!
//! All figures are integers (parts of [`ONE`]), so that an order never hangs on rounding.

#[expect(clippy::disallowed_types, reason = "its order is never seen")]
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::{
    matching::Matching,
    token::{Token, TokenKind},
    unit::{Class, Text},
};

/// The likeness of equal units.
pub(super) const ONE: u64 = 1_000_000;
/// What a pair needs to be taken, wherever it stands.
const ENOUGH: u64 = 550_000;
/// What a pair of very short units needs.
const ENOUGH_SHORT: u64 = 600_000;
/// What a pair of long units needs; where it stands elsewhere, word order has its say too.
const ENOUGH_LONG: u64 = 350_000;
/// Words from which a unit counts as long.
pub(super) const LONG: usize = 15;
/// Rarest words of a unit that are looked up.
const LOOKED_UP: usize = 24;
/// Entries of the index that are read for one unit.
const BUDGET: usize = 2_000;
/// Candidates by the index that are scored.
const BEST: usize = 6;

/// Takes a hash for what it is: ids of tokens are hashes already.
#[derive(Debug, Default)]
pub(crate) struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }
}

/// Small numbers for ids of tokens, in the order in which they are met.
#[expect(clippy::disallowed_types, reason = "its order is never seen")]
type Numbers = HashMap<u64, u32, BuildHasherDefault<Ready>>;

/// The words of one unit with their counts, sorted by word.
struct Bag {
    words: Vec<(u32, u32)>,
    weight: u64,
    total: usize,
}

/// The words of all free units of both sides.
pub(super) struct Bags {
    left: Vec<(usize, Bag)>,
    right: Vec<(usize, Bag)>,
    rarity: Vec<u64>,
    holders: Vec<u32>,
}

impl Bags {
    /// Bags of prepared units; both lists are sorted.
    pub(super) fn new(
        left: &Text<'_>,
        right: &Text<'_>,
        free_left: &[usize],
        free_right: &[usize],
    ) -> Self {
        let mut numbers = Numbers::default();
        let mut holders: Vec<u32> = Vec::new();
        let mut scratch: Vec<u32> = Vec::new();
        let mut fill = |text: &Text<'_>, free: &[usize]| -> Vec<(usize, Bag)> {
            free.iter()
                .map(|&unit| {
                    scratch.clear();
                    for token in text.tokens(unit).iter().filter(|t| t.is_word()) {
                        let next = holders.len() as u32;
                        let word = *numbers.entry(token.id).or_insert(next);
                        if word == next {
                            holders.push(0);
                        }
                        scratch.push(word);
                    }
                    scratch.sort_unstable();
                    let words: Vec<(u32, u32)> = scratch
                        .chunk_by(|a, b| a == b)
                        .map(|run| (run[0], run.len() as u32))
                        .collect();
                    for (word, _) in &words {
                        holders[*word as usize] += 1;
                    }
                    let bag = Bag {
                        words,
                        weight: 0,
                        total: scratch.len(),
                    };
                    (unit, bag)
                })
                .collect()
        };
        let mut left = fill(left, free_left);
        let mut right = fill(right, free_right);
        let units = (free_left.len() + free_right.len()) as u64;
        let rarity: Vec<u64> = holders
            .iter()
            .map(|&n| log2(1024 + 1024 * units / u64::from(n.max(1))))
            .collect();
        for (_, bag) in left.iter_mut().chain(&mut right) {
            bag.weight = bag
                .words
                .iter()
                .map(|(w, n)| rarity[*w as usize] * u64::from(*n))
                .sum();
        }
        Self {
            left,
            right,
            rarity,
            holders,
        }
    }

    /// Likeness of a left and a right unit, in parts of [`ONE`].
    pub(super) fn likeness(&self, left: usize, right: usize) -> u64 {
        self.likeness_from(left, right, 8)
    }

    /// The same for two units between the same neighbours, where a few words that are all
    /// contained say enough.
    pub(super) fn likeness_between(&self, left: usize, right: usize) -> u64 {
        self.likeness_from(left, right, 3)
    }

    /// `fewest`: words from which being contained in the other counts.
    fn likeness_from(&self, left: usize, right: usize, fewest: usize) -> u64 {
        let (Some(l), Some(r)) = (bag(&self.left, left), bag(&self.right, right)) else {
            return 0;
        };
        let shared = shared(&l.words, &r.words, &self.rarity);
        let dice = 2 * shared * ONE / (l.weight + r.weight).max(1);
        if l.total < fewest || r.total < fewest {
            return dice;
        }
        let contained = shared * ONE / l.weight.min(r.weight).max(1);
        dice.max(contained * 3 / 4)
    }

    /// The rarest words of a left unit, rarest first.
    fn rarest(&self, left: usize) -> Vec<u32> {
        let Some(bag) = bag(&self.left, left) else {
            return Vec::new();
        };
        let mut words: Vec<u32> = bag.words.iter().map(|(w, _)| *w).collect();
        words.sort_unstable_by_key(|w| (self.holders[*w as usize], *w));
        words.truncate(LOOKED_UP);
        words
    }
}

/// The bag of a unit in a list sorted by unit.
fn bag(bags: &[(usize, Bag)], unit: usize) -> Option<&Bag> {
    let at = bags.binary_search_by_key(&unit, |b| b.0).ok()?;
    Some(&bags.get(at)?.1)
}

fn shared(left: &[(u32, u32)], right: &[(u32, u32)], rarity: &[u64]) -> u64 {
    let (mut l, mut r, mut sum) = (0, 0, 0);
    while let (Some(a), Some(b)) = (left.get(l), right.get(r)) {
        match a.0.cmp(&b.0) {
            std::cmp::Ordering::Less => l += 1,
            std::cmp::Ordering::Greater => r += 1,
            std::cmp::Ordering::Equal => {
                sum += rarity[a.0 as usize] * u64::from(a.1.min(b.1));
                l += 1;
                r += 1;
            }
        }
    }
    sum
}

/// 256 times the base-2 logarithm of `n / 1024`, for `n >= 1024`; the same on every machine.
fn log2(n: u64) -> u64 {
    let whole = u64::from(n.max(1024).ilog2());
    let fraction = (n << 8 >> whole) & 0xff;
    (whole - 10) * 256 + fraction
}

/// Pairs alike units, best first.
pub(super) fn alike_units(left: &Text<'_>, right: &Text<'_>, matching: &mut Matching) {
    let worded = |text: &Text<'_>, units: Vec<usize>| -> Vec<usize> {
        units
            .into_iter()
            .filter(|&u| text.tokens(u).iter().any(Token::is_word))
            .collect()
    };
    let free_left = worded(left, matching.free_left());
    let free_right = worded(right, matching.free_right());
    if free_left.is_empty() || free_right.is_empty() {
        return;
    }
    let bags = Bags::new(left, right, &free_left, &free_right);
    let expected = matching.expected();
    let index = Index::new(&bags);
    let mut sums = vec![0_u64; free_right.len()];
    let mut scored: Vec<(std::cmp::Reverse<u64>, usize, usize, usize)> = Vec::new();
    for &l in &free_left {
        let mut asked = index.best(&bags, l, expected[l], &free_right, &mut sums);
        let near = free_right.partition_point(|&r| r < expected[l]);
        asked.extend(near.saturating_sub(1)..(near + 2).min(free_right.len()));
        asked.sort_unstable();
        asked.dedup();
        for r in asked.into_iter().map(|at| free_right[at]) {
            let score = in_context(left, right, l, r, expected[l], bags.likeness(l, r));
            let enough = match left.words(l).min(right.words(r)) {
                0..=3 => ENOUGH_SHORT,
                ..LONG => ENOUGH,
                _ => ENOUGH_LONG,
            };
            if score >= enough {
                scored.push((std::cmp::Reverse(score), expected[l].abs_diff(r), l, r));
            }
        }
    }
    scored.sort_unstable();
    for (_, _, l, r) in scored {
        if matching.right_of(l).is_none() && matching.left_of(r).is_none() {
            matching.pair(l, r);
        }
    }
}

/// Likeness with what the neighbourhood says for or against a pair.
fn in_context(
    left: &Text<'_>,
    right: &Text<'_>,
    l: usize,
    r: usize,
    expected: usize,
    likeness: u64,
) -> u64 {
    let mut score = likeness;
    score += match expected.abs_diff(r) {
        0..=1 => 80_000,
        2..=4 => 30_000,
        _ => 0,
    };
    if defines_the_same(left, right, l, r) {
        score += 100_000;
    }
    let class = (left.units[l].class, right.units[r].class);
    if class.0 != class.1 {
        let apart = matches!(class, (Class::Heading, _) | (_, Class::Heading))
            || matches!(class, (Class::Contents, _) | (_, Class::Contents));
        score = score.saturating_sub(if apart { 150_000 } else { 20_000 });
    }
    score
}

/// Whether two units begin with the same key: the first cell of a row, or the quoted or bold term
/// before a definition.
fn defines_the_same(left: &Text<'_>, right: &Text<'_>, l: usize, r: usize) -> bool {
    match (key(left, l), key(right, r)) {
        (Some(a), Some(b)) => {
            let words = |token: &&Token| token.is_word();
            let (a, b) = (a.iter().filter(words), b.iter().filter(words));
            a.map(|t| t.id).eq(b.map(|t| t.id))
        }
        _ => false,
    }
}

/// The tokens of the key of a prepared unit: the first cell of a row, or the quoted or bold term
/// before a definition. Some of them are words.
pub(super) fn key<'a>(text: &'a Text<'_>, unit: usize) -> Option<&'a [Token]> {
    let end = key_end(text, unit)?;
    let tokens = text.tokens(unit);
    let key = tokens.get(..tokens.partition_point(|t| t.end() <= end))?;
    key.iter().any(Token::is_word).then_some(key)
}

/// How many tokens the keys of two units have, where these are the same words.
pub(super) fn same_key(
    left: &Text<'_>,
    right: &Text<'_>,
    l: usize,
    r: usize,
) -> Option<(usize, usize)> {
    let same = left.units[l].class == right.units[r].class && defines_the_same(left, right, l, r);
    same.then(|| Some((key(left, l)?.len(), key(right, r)?.len())))
        .flatten()
}

/// Pairs rows and definitions that are left when likeness has had its say, and of which only one
/// on each side has this key: what is said of a term may be new from end to end. Numbers are no
/// keys: they count, and what they count may have changed.
pub(super) fn by_key(left: &Text<'_>, right: &Text<'_>, matching: &mut Matching) {
    let mut keys: Vec<(u64, bool, usize)> = Vec::new();
    let mut collect = |text: &Text<'_>, units: Vec<usize>, side: bool| {
        for unit in units {
            let Some(tokens) = key(text, unit) else {
                continue;
            };
            if tokens.iter().any(|t| t.kind == TokenKind::Word) {
                let seed = text.units[unit].class as u64;
                let words = tokens.iter().filter(|t| t.is_word());
                let hash = words.fold(seed, |hash, token| {
                    (hash.rotate_left(9) ^ token.id).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                });
                keys.push((hash, side, unit));
            }
        }
    };
    collect(left, matching.free_left(), false);
    collect(right, matching.free_right(), true);
    keys.sort_unstable();
    for group in keys.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, false, l), (_, true, r)] = group
            && same_key(left, right, *l, *r).is_some()
        {
            matching.pair(*l, *r);
        }
    }
}

/// Where the key of a unit ends, if it has one.
fn key_end(text: &Text<'_>, unit: usize) -> Option<usize> {
    let block = text.document.blocks.get(text.units[unit].block?)?;
    if let [first, _, ..] = block.cells.as_slice() {
        return Some(first.end);
    }
    let body = text.slice(text.units[unit].body.clone());
    let start = text.units[unit].body.start;
    let close = match body.chars().next()? {
        '"' => '"',
        '\u{201c}' => '\u{201d}',
        '*' if body.starts_with("**") => {
            return Some(start + 2 + body.get(2..)?.find("**")?);
        }
        _ => return None,
    };
    let open = body.chars().next()?.len_utf8();
    Some(start + open + body.get(open..)?.find(close)?)
}

/// Which free right units hold a word.
struct Index {
    starts: Vec<usize>,
    units: Vec<u32>,
}

impl Index {
    fn new(bags: &Bags) -> Self {
        let mut starts = vec![0_usize; bags.rarity.len() + 1];
        for (_, bag) in &bags.right {
            for (word, _) in &bag.words {
                starts[*word as usize + 1] += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut fill = starts.clone();
        let mut units = vec![0; starts.last().copied().unwrap_or(0)];
        for (at, (_, bag)) in bags.right.iter().enumerate() {
            for (word, _) in &bag.words {
                let slot = &mut fill[*word as usize];
                units[*slot] = at as u32;
                *slot += 1;
            }
        }
        Self { starts, units }
    }

    /// Positions in `free_right` of the units that share most with a left unit. `sums` is all
    /// zero before and after.
    fn best(
        &self,
        bags: &Bags,
        left: usize,
        expected: usize,
        free_right: &[usize],
        sums: &mut [u64],
    ) -> Vec<usize> {
        let mut touched = Vec::new();
        let mut read = 0;
        for word in bags.rarest(left) {
            let word = word as usize;
            let holders = &self.units[self.starts[word]..self.starts[word + 1]];
            if read + holders.len() > BUDGET {
                break;
            }
            read += holders.len();
            for &at in holders {
                if sums[at as usize] == 0 {
                    touched.push(at as usize);
                }
                sums[at as usize] += bags.rarity[word].max(1);
            }
        }
        if touched.len() > BEST {
            touched.select_nth_unstable_by_key(BEST - 1, |&at| {
                (
                    std::cmp::Reverse(sums[at]),
                    expected.abs_diff(free_right[at]),
                    at,
                )
            });
        }
        for &at in &touched {
            sums[at] = 0;
        }
        touched.truncate(BEST);
        touched
    }
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn logarithm_in_integers() {
        assert_eq!(log2(1024), 0);
        assert_eq!(log2(2048), 256);
        assert_eq!(log2(3072), 256 + 128);
        assert_eq!(log2(1024 * 1024), 2560);
    }
}
