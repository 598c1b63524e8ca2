//! Hunks of tokens walk in, pieces of bytes walk out: everything between, before and behind the
//! tokens is compared too, and each difference is called what it is.

use crate::read::Span;

use super::{
    Op,
    align::Pair,
    passages::Passage,
    token::{Token, letters},
    unit::Text,
    words::Hunk,
};

/// A run of bytes kept, deleted or inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub op: Op,
    pub old: Span,
    pub new: Span,
    /// What it is when it is no difference of words.
    pub detail: Option<&'static str>,
}

/// Appends pieces and joins neighbours that say the same.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub list: Vec<Piece>,
}

impl Pieces {
    pub(super) fn equal(&mut self, old: Span, new: Span) {
        self.push(Op::Equal, old, new, None);
    }

    pub(super) fn delete(&mut self, old: Span, at: usize, detail: Option<&'static str>) {
        self.push(Op::Delete, old, at..at, detail);
    }

    pub(super) fn insert(&mut self, at: usize, new: Span, detail: Option<&'static str>) {
        self.push(Op::Insert, at..at, new, detail);
    }

    fn push(&mut self, op: Op, old: Span, new: Span, detail: Option<&'static str>) {
        if old.is_empty() && new.is_empty() {
            return;
        }
        if let Some(last) = self.list.last_mut()
            && last.op == op
            && last.detail == detail
            && last.old.end == old.start
            && last.new.end == new.start
        {
            last.old.end = old.end;
            last.new.end = new.end;
            return;
        }
        self.list.push(Piece {
            op,
            old,
            new,
            detail,
        });
    }
}

/// Compares the bytes of a pair, given the hunks of its tokens.
pub(super) struct Emitter<'a> {
    pub left: &'a Text<'a>,
    pub right: &'a Text<'a>,
    pub out: Pieces,
}

impl Emitter<'_> {
    /// All bytes of a pair.
    pub(super) fn pair(
        &mut self,
        pair: &Pair,
        left_tokens: &[Token],
        right_tokens: &[Token],
        hunks: &[Hunk],
    ) {
        let span = |text: &Text<'_>, units: &std::ops::Range<usize>| -> (usize, usize, usize) {
            let first = text.units.get(units.start);
            let last = text.units.get(units.end.wrapping_sub(1));
            let start = first.map_or(0, |u| u.span.start);
            (
                start,
                first.map_or(start, |u| u.body.start),
                last.map_or(start, |u| u.span.end),
            )
        };
        let (left_start, left_body, left_end) = span(self.left, &pair.left);
        let (right_start, right_body, right_end) = span(self.right, &pair.right);
        self.gap(left_start..left_body, right_start..right_body);
        self.stretch(
            (left_body..left_end, right_body..right_end),
            (left_tokens, right_tokens),
            hunks,
        );
    }

    /// All bytes of two stretches, given their tokens and where these differ.
    fn stretch(
        &mut self,
        (left_span, right_span): (Span, Span),
        (left_tokens, right_tokens): (&[Token], &[Token]),
        hunks: &[Hunk],
    ) {
        let (mut l, mut r) = (left_span.start, right_span.start);
        let (left_end, right_end) = (left_span.end, right_span.end);
        let (mut at_l, mut at_r) = (0, 0);
        for hunk in hunks {
            self.kept(
                &mut l,
                &mut r,
                left_tokens.get(at_l..hunk.left.start).unwrap_or_default(),
                right_tokens.get(at_r..hunk.right.start).unwrap_or_default(),
            );
            let start =
                |tokens: &[Token], at: usize, end: usize| tokens.get(at).map_or(end, |t| t.start);
            let next_l = start(left_tokens, hunk.left.end, left_end);
            let next_r = start(right_tokens, hunk.right.end, right_end);
            let left = left_tokens.get(hunk.left.clone()).unwrap_or_default();
            let right = right_tokens.get(hunk.right.clone()).unwrap_or_default();
            let (left_cells, right_cells) = (by_cell(self.left, left), by_cell(self.right, right));
            if left_cells.len() > 1 && cells(&left_cells).eq(cells(&right_cells)) {
                // A replacement over several cells is one in each of them.
                for ((_, left), (_, right)) in left_cells.into_iter().zip(right_cells) {
                    self.hunk(&mut l, &mut r, left, right, (next_l, next_r));
                }
            } else {
                self.hunk(&mut l, &mut r, left, right, (next_l, next_r));
            }
            (at_l, at_r) = (hunk.left.end, hunk.right.end);
        }
        self.kept(
            &mut l,
            &mut r,
            left_tokens.get(at_l..).unwrap_or_default(),
            right_tokens.get(at_r..).unwrap_or_default(),
        );
        self.gap(l..left_end, r..right_end);
    }

    /// All bytes of a passage that moved.
    pub(super) fn passage(&mut self, passage: &Passage) {
        self.stretch(
            (passage.old.clone(), passage.new.clone()),
            (&passage.left, &passage.right),
            &passage.hunks,
        );
    }

    /// Tokens that are the same but for case, quotes or markup.
    fn kept(&mut self, l: &mut usize, r: &mut usize, left: &[Token], right: &[Token]) {
        for (a, b) in left.iter().zip(right) {
            self.gap(*l..a.start, *r..b.start);
            let (old, new) = (a.start..a.end(), b.start..b.end());
            if self.left.bytes(&old) == self.right.bytes(&new) {
                self.out.equal(old, new);
            } else {
                let detail = self.token_detail(&old, &new);
                self.out.delete(old, b.start, Some(detail));
                self.out.insert(a.end(), new, Some(detail));
            }
            (*l, *r) = (a.end(), b.end());
        }
    }

    fn token_detail(&self, old: &Span, new: &Span) -> &'static str {
        let (old, new) = (self.left.slice(old.clone()), self.right.slice(new.clone()));
        let lower = |text: &str| {
            text.chars()
                .flat_map(char::to_lowercase)
                .collect::<String>()
        };
        if lower(old) == lower(new) {
            "case"
        } else if letters(old).ne(letters(new)) {
            "cross-reference"
        } else if old.contains(['*', '_', '`', '~', '\\'])
            || new.contains(['*', '_', '`', '~', '\\'])
        {
            "formatting"
        } else {
            "typography"
        }
    }

    fn hunk(
        &mut self,
        l: &mut usize,
        r: &mut usize,
        left: &[Token],
        right: &[Token],
        (next_l, next_r): (usize, usize),
    ) {
        match (left, right) {
            ([], []) => {}
            ([first, .., last], []) | ([first @ last], []) => {
                let new_gap = *r..next_r;
                let (lead, trail) = (*l..first.start, last.end()..next_l);
                let detail = self.hunk_detail(left, right);
                let (keep, rest) = self.share(
                    self.left.bytes(&lead),
                    self.left.bytes(&trail),
                    self.right.bytes(&new_gap),
                );
                self.out.equal(*l..*l + keep, *r..*r + keep);
                self.out.delete(*l + keep..next_l - rest, *r + keep, detail);
                let over = *r + keep..next_r - rest;
                self.out.insert(next_l - rest, over, Some("white-space"));
                self.out.equal(next_l - rest..next_l, next_r - rest..next_r);
                (*l, *r) = (next_l, next_r);
            }
            ([], [first, .., last]) | ([], [first @ last]) => {
                let old_gap = *l..next_l;
                let (lead, trail) = (*r..first.start, last.end()..next_r);
                let detail = self.hunk_detail(left, right);
                let (keep, rest) = self.share(
                    self.right.bytes(&lead),
                    self.right.bytes(&trail),
                    self.left.bytes(&old_gap),
                );
                self.out.equal(*l..*l + keep, *r..*r + keep);
                let over = *l + keep..next_l - rest;
                self.out.delete(over, *r + keep, Some("white-space"));
                self.out
                    .insert(next_l - rest, *r + keep..next_r - rest, detail);
                self.out.equal(next_l - rest..next_l, next_r - rest..next_r);
                (*l, *r) = (next_l, next_r);
            }
            ([a, ..], [b, ..]) => {
                self.gap(*l..a.start, *r..b.start);
                let (old_end, new_end) = (
                    left.last().map_or(a.end(), |t| t.end()),
                    right.last().map_or(b.end(), |t| t.end()),
                );
                let detail = self.hunk_detail(left, right);
                let (old, new) = (a.start..old_end, b.start..new_end);
                if self.left.bytes(&old) == self.right.bytes(&new) {
                    self.out.equal(old, new);
                } else {
                    self.out.delete(old, b.start, detail);
                    self.out.insert(old_end, new, detail);
                }
                (*l, *r) = (old_end, new_end);
            }
        }
    }

    /// How much of `gap` (on the side without words) is the beginning of `lead`, and how much of
    /// what is then left is the end of `trail`; whole gaps are preferred to parts.
    fn share(&self, lead: &[u8], trail: &[u8], gap: &[u8]) -> (usize, usize) {
        if lead == gap {
            return (gap.len(), 0);
        }
        if trail == gap {
            return (0, gap.len());
        }
        let keep = common_prefix(lead, gap);
        let rest = common_suffix(trail, gap.get(keep..).unwrap_or_default());
        (keep, rest)
    }

    /// What a hunk is when no word differs in it.
    fn hunk_detail(&self, left: &[Token], right: &[Token]) -> Option<&'static str> {
        if !left.iter().chain(right).any(Token::is_word) {
            return Some("punctuation");
        }
        if left.is_empty() || right.is_empty() {
            return None;
        }
        glued(self.left, left)
            .eq(glued(self.right, right))
            .then_some("white-space")
    }

    /// Compares what stands between two tokens.
    pub(super) fn gap(&mut self, old: Span, new: Span) {
        if self.left.bytes(&old) == self.right.bytes(&new) {
            self.out.equal(old, new);
            return;
        }
        let (lefts, rights) = (parts(self.left, &old), parts(self.right, &new));
        let same_parts =
            lefts.len() == rights.len() && lefts.iter().zip(&rights).all(|(a, b)| a.1 == b.1);
        if same_parts {
            for ((old, detail), (new, _)) in lefts.into_iter().zip(rights) {
                if self.left.bytes(&old) == self.right.bytes(&new) {
                    self.out.equal(old, new);
                } else {
                    let (old_end, new_start) = (old.end, new.start);
                    self.out.delete(old, new_start, Some(detail));
                    self.out.insert(old_end, new, Some(detail));
                }
            }
            return;
        }
        let (a, b) = (self.left.bytes(&old), self.right.bytes(&new));
        let keep = common_prefix(a, b);
        let rest = common_suffix(
            a.get(keep..).unwrap_or_default(),
            b.get(keep..).unwrap_or_default(),
        );
        let (old_in, new_in) = (
            old.start + keep..old.end - rest,
            new.start + keep..new.end - rest,
        );
        let touched = |parts: &[(Span, &'static str)], inner: &Span| {
            parts
                .iter()
                .filter(|(part, _)| part.start < inner.end && inner.start < part.end)
                .map(|(_, detail)| *detail)
                .collect::<Vec<_>>()
        };
        let mut details = touched(&lefts, &old_in);
        details.extend(touched(&rights, &new_in));
        let detail = ["label", "link-target", "formatting"]
            .into_iter()
            .find(|wanted| details.contains(wanted))
            .unwrap_or("white-space");
        self.out
            .equal(old.start..old.start + keep, new.start..new.start + keep);
        self.out.delete(old_in.clone(), new_in.start, Some(detail));
        self.out.insert(old_in.end, new_in, Some(detail));
        self.out
            .equal(old.end - rest..old.end, new.end - rest..new.end);
    }
}

/// Tokens of a table row by cell; one run with no cell for all others.
pub(super) fn by_cell<'t>(text: &Text<'_>, tokens: &'t [Token]) -> Vec<(usize, &'t [Token])> {
    let blocks = &text.document.blocks;
    let first = tokens.first().map_or(0, |t| t.start);
    let block = blocks.get(blocks.partition_point(|b| b.span.end <= first));
    let Some(row) = block.filter(|b| b.cells.len() > 1) else {
        return vec![(0, tokens)];
    };
    let cell = |token: &Token| row.cells.partition_point(|c| c.end <= token.start);
    tokens
        .chunk_by(|a, b| cell(a) == cell(b))
        .map(|run| (run.first().map_or(0, cell), run))
        .collect()
}

fn cells<'t>(runs: &'t [(usize, &'t [Token])]) -> impl Iterator<Item = usize> + 't {
    runs.iter().map(|(cell, _)| *cell)
}

/// The parts of a gap and what a difference in each is called.
fn parts(text: &Text<'_>, gap: &Span) -> Vec<(Span, &'static str)> {
    let mut known: Vec<(Span, &'static str)> = Vec::new();
    let blocks = &text.document.blocks;
    let first = blocks.partition_point(|b| b.span.end <= gap.start);
    for block in blocks.get(first..).unwrap_or_default() {
        if block.span.start >= gap.end {
            break;
        }
        let label = block.label.iter().map(|l| (&l.span, "label"));
        let targets = block.targets.iter().map(|t| (t, "link-target"));
        known.extend(
            label
                .chain(targets)
                .filter(|(span, _)| span.start >= gap.start && span.end <= gap.end)
                .map(|(span, detail)| (span.clone(), detail)),
        );
    }
    known.sort_by_key(|(span, _)| span.start);
    let mut found = Vec::new();
    let mut at = gap.start;
    for (span, detail) in known {
        if span.start < at || span.is_empty() {
            continue;
        }
        plain_parts(text, at..span.start, &mut found);
        at = span.end;
        found.push((span, detail));
    }
    plain_parts(text, at..gap.end, &mut found);
    found
}

/// White space and markup, in turns.
fn plain_parts(text: &Text<'_>, gap: Span, found: &mut Vec<(Span, &'static str)>) {
    let mut at = gap.start;
    let between = text.slice(gap);
    let mut rest = between;
    while let Some(first) = rest.chars().next() {
        let white = first.is_whitespace();
        let len = rest
            .find(|c: char| c.is_whitespace() != white)
            .unwrap_or(rest.len());
        found.push((
            at..at + len,
            if white { "white-space" } else { "formatting" },
        ));
        at += len;
        rest = rest.get(len..).unwrap_or_default();
    }
}

/// Length of the common beginning, never inside a word or a character.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut len = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    while len > 0 && (inside(a, len) || inside(b, len)) {
        len -= 1;
    }
    len
}

/// The letters of tokens without anything between them.
fn glued<'a>(text: &'a Text<'_>, tokens: &'a [Token]) -> impl Iterator<Item = char> + 'a {
    tokens
        .iter()
        .flat_map(|t| letters(text.slice(t.start..t.end())))
}

/// Length of the common end, never inside a word or a character.
pub(super) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let mut len = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    while len > 0 && (inside(a, a.len() - len) || inside(b, b.len() - len)) {
        len -= 1;
    }
    len
}

/// Whether an offset is in the middle of a character or between two letters or digits.
fn inside(bytes: &[u8], at: usize) -> bool {
    let lettered = |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii();
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    bytes.get(at).is_some_and(lettered) && before.is_some_and(lettered)
}
