//! Hunks as an algorithm finds them walk in, hunks as people read them walk out: no confetti,
//! edits at the borders of sentences, a rewrite as a rewrite.

use super::{
    token::{Token, TokenKind},
    unit::Text,
    words::{Hunk, islands},
};

/// The tokens of both sides of a pair.
pub(super) struct Sides<'a> {
    pub left_text: &'a Text<'a>,
    pub right_text: &'a Text<'a>,
    pub left: &'a [Token],
    pub right: &'a [Token],
    left_words: Vec<usize>,
    right_words: Vec<usize>,
}

impl<'a> Sides<'a> {
    pub(super) fn new(
        (left_text, left): (&'a Text<'a>, &'a [Token]),
        (right_text, right): (&'a Text<'a>, &'a [Token]),
    ) -> Self {
        let sums = |tokens: &[Token]| {
            let mut sum = 0;
            let rest = tokens.iter().map(|t| {
                sum += usize::from(t.is_word());
                sum
            });
            std::iter::once(0).chain(rest).collect()
        };
        Self {
            left_text,
            right_text,
            left,
            right,
            left_words: sums(left),
            right_words: sums(right),
        }
    }

    /// Words of both sides of a hunk.
    fn words(&self, hunk: &Hunk) -> usize {
        self.left_words[hunk.left.end] - self.left_words[hunk.left.start]
            + self.right_words[hunk.right.end]
            - self.right_words[hunk.right.start]
    }
}

/// Joins, slides and widens hunks.
pub(super) fn tidy(sides: &Sides<'_>, mut hunks: Vec<Hunk>) -> Vec<Hunk> {
    for _ in 0..8 {
        let before = hunks.clone();
        slide(sides, &mut hunks);
        hunks = join(sides, hunks);
        if hunks == before {
            break;
        }
    }
    widen(sides, &mut hunks);
    hunks
}

/// Whether so little is kept that the two sides are no versions of each other.
pub(super) fn beyond_recognition(sides: &Sides<'_>, hunks: &[Hunk]) -> bool {
    let kept: usize = islands(hunks, sides.left.len())
        .map(|(at, _, len)| sides.left_words[at + len] - sides.left_words[at])
        .sum();
    let total = |sums: &[usize]| sums.last().copied().unwrap_or(0);
    let (left, right) = (total(&sides.left_words), total(&sides.right_words));
    left > 0 && right > 0 && kept * 5 < left.min(right)
}

/// Words so short that they say nothing by themselves; the same for all alphabets.
fn is_little(token: &Token) -> bool {
    token.kind == TokenKind::Word && token.end() - token.start <= 3
}

pub(super) fn ends_sentence(text: &Text<'_>, token: &Token) -> bool {
    token.kind == TokenKind::Punctuation
        && matches!(
            text.slice(token.start..token.end()),
            "." | "!" | "?" | ";" | "。" | "！" | "？" | "；"
        )
}

/// Joins hunks over islands that are too small to be read as kept.
fn join(sides: &Sides<'_>, hunks: Vec<Hunk>) -> Vec<Hunk> {
    let mut joined: Vec<Hunk> = Vec::with_capacity(hunks.len());
    for hunk in hunks {
        match joined.last_mut() {
            Some(last) if swallows(sides, last, &hunk) => {
                last.left.end = hunk.left.end;
                last.right.end = hunk.right.end;
            }
            _ => joined.push(hunk),
        }
    }
    joined
}

fn swallows(sides: &Sides<'_>, first: &Hunk, second: &Hunk) -> bool {
    let island = sides
        .left
        .get(first.left.end..second.left.start)
        .unwrap_or_default();
    let tokens = |hunk: &Hunk| hunk.left.len() + hunk.right.len();
    let kept = sides.left_words[second.left.start] - sides.left_words[first.left.end];
    let (a, b) = (sides.words(first), sides.words(second));
    let smaller = a.min(b);
    if island.is_empty() {
        return true;
    }
    let sentence_before = first
        .left
        .end
        .checked_sub(1)
        .and_then(|at| sides.left.get(at))
        .is_none_or(|t| ends_sentence(sides.left_text, t));
    let sentence_ends = island
        .last()
        .is_some_and(|t| ends_sentence(sides.left_text, t));
    if sentence_before && sentence_ends && kept > 0 {
        return false;
    }
    if kept == 0 {
        return tokens(first) > 1 || tokens(second) > 1;
    }
    let little = island.iter().all(|t| !t.is_word() || is_little(t));
    (kept <= 2 && little && smaller >= 2)
        || (kept <= 2 && 2 * kept <= smaller)
        || (kept <= 4 && 3 * kept <= smaller)
}

/// Moves pure insertions and deletions to the border of a sentence, else of a clause, else to
/// the left.
fn slide(sides: &Sides<'_>, hunks: &mut [Hunk]) {
    for at in 0..hunks.len() {
        let hunk = hunks[at].clone();
        let room_left = at
            .checked_sub(1)
            .map_or(hunk.left.start, |p| hunk.left.start - hunks[p].left.end);
        let room_right =
            hunks.get(at + 1).map_or(sides.left.len(), |n| n.left.start) - hunk.left.end;
        let (tokens, text, range) = if hunk.left.is_empty() && !hunk.right.is_empty() {
            (sides.right, sides.right_text, hunk.right.clone())
        } else if hunk.right.is_empty() && !hunk.left.is_empty() {
            (sides.left, sides.left_text, hunk.left.clone())
        } else {
            continue;
        };
        let shift = best_shift(text, tokens, &range, room_left, room_right);
        let moved = |range: &std::ops::Range<usize>| {
            range.start.saturating_add_signed(shift)..range.end.saturating_add_signed(shift)
        };
        hunks[at] = Hunk {
            left: moved(&hunk.left),
            right: moved(&hunk.right),
        };
    }
}

/// Furthest that an edit slides, in tokens.
const FURTHEST: usize = 200;

fn best_shift(
    text: &Text<'_>,
    tokens: &[Token],
    range: &std::ops::Range<usize>,
    room_left: usize,
    room_right: usize,
) -> isize {
    let same = |a: usize, b: usize| match (tokens.get(a), tokens.get(b)) {
        (Some(a), Some(b)) => a.id == b.id,
        _ => false,
    };
    let mut left = 0;
    while left < room_left.min(FURTHEST)
        && range.start > left
        && same(range.start - left - 1, range.end - left - 1)
    {
        left += 1;
    }
    let mut right = 0;
    while right < room_right.min(FURTHEST) && same(range.start + right, range.end + right) {
        right += 1;
    }
    if left == 0 && right == 0 {
        return 0;
    }
    let border = |at: usize| -> i32 {
        let Some(before) = at.checked_sub(1).and_then(|b| tokens.get(b)) else {
            return 4;
        };
        if ends_sentence(text, before) {
            4
        } else if at == tokens.len() {
            3
        } else if before.kind == TokenKind::Punctuation {
            2
        } else {
            0
        }
    };
    let mut best = (i32::MIN, 0_isize);
    let (left, right) = (left as isize, right as isize);
    for shift in -left..=right {
        let start = range.start.saturating_add_signed(shift);
        let end = range.end.saturating_add_signed(shift);
        let score = border(start) + border(end);
        if score > best.0 {
            best = (score, shift);
        }
    }
    best.1
}

/// Widens edits of numbers to the per cent sign or currency that stands beside them.
fn widen(sides: &Sides<'_>, hunks: &mut [Hunk]) {
    for at in 0..hunks.len() {
        let hunk = hunks[at].clone();
        let number = |tokens: &[Token], at: usize| {
            tokens.get(at).is_some_and(|t| t.kind == TokenKind::Number)
        };
        let next = hunks.get(at + 1).map_or(sides.left.len(), |n| n.left.start);
        let last_is_number = hunk
            .left
            .end
            .checked_sub(1)
            .is_some_and(|l| number(sides.left, l))
            || hunk
                .right
                .end
                .checked_sub(1)
                .is_some_and(|r| number(sides.right, r));
        let sign = |token: Option<&Token>| {
            token.is_some_and(|t| {
                matches!(
                    sides.left_text.slice(t.start..t.end()),
                    "%" | "\u{2030}" | "$" | "\u{20ac}" | "\u{a3}" | "\u{a5}"
                )
            })
        };
        if last_is_number && hunk.left.end < next && sign(sides.left.get(hunk.left.end)) {
            hunks[at].left.end += 1;
            hunks[at].right.end += 1;
        }
        let previous = at.checked_sub(1).map_or(0, |p| hunks[p].left.end);
        let first_is_number = number(sides.left, hunk.left.start) && !hunk.left.is_empty()
            || number(sides.right, hunk.right.start) && !hunk.right.is_empty();
        if first_is_number
            && hunk.left.start > previous
            && sign(sides.left.get(hunk.left.start - 1))
        {
            hunks[at].left.start -= 1;
            hunks[at].right.start -= 1;
        }
    }
}
