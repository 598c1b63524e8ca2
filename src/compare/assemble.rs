//! Pairs and pieces walk in, changes in reading order and the partition of both texts walk out.

use std::ops::Range;

use crate::read::{BlockKind, Span};

use super::{
    Change, Edit, Kind, Op, Segment, SegmentOp, Side,
    align::Pair,
    edits::{Emitter, Piece, Pieces, common_prefix, common_suffix},
    passages::Passage,
    token::Token,
    unit::{Class, Text},
    words::Hunk,
};

/// A pair with the hunks of its tokens.
#[derive(Debug, Clone)]
pub(super) struct Aligned {
    pub pair: Pair,
    pub hunks: Vec<Hunk>,
}

/// What [`assemble`] makes.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub changes: Vec<Change>,
    pub segments: Vec<Segment>,
}

/// Walks through both texts once.
pub(super) fn assemble(
    old: &Text<'_>,
    new: &Text<'_>,
    aligned: &[Aligned],
    passages: &[Passage],
) -> Assembled {
    let mut walk = Walk {
        old,
        new,
        passages,
        by_old: sorted_by_old(passages),
        made: Assembled::default(),
        old_end: 0,
        new_end: 0,
    };
    let mut moved_old = vec![false; old.units.len()];
    let mut moved_to: Vec<Option<usize>> = vec![None; new.units.len()];
    for (index, item) in aligned.iter().enumerate().filter(|(_, a)| a.pair.moved) {
        for unit in item.pair.left.clone() {
            moved_old[unit] = true;
        }
        if let Some(slot) = moved_to.get_mut(item.pair.right.start) {
            *slot = Some(index);
        }
    }
    let (mut at_old, mut at_new) = (0, 0);
    for item in aligned.iter().filter(|a| !a.pair.moved) {
        let region = (at_old..item.pair.left.start, at_new..item.pair.right.start);
        let next = (
            old.units[item.pair.left.start].span.start,
            new.units[item.pair.right.start].span.start,
        );
        walk.region(region, next, aligned, &moved_old, &moved_to);
        walk.pair(item);
        (at_old, at_new) = (item.pair.left.end, item.pair.right.end);
    }
    let end = (old.document.text.len(), new.document.text.len());
    let region = (at_old..old.units.len(), at_new..new.units.len());
    walk.region(region, end, aligned, &moved_old, &moved_to);
    let mut made = walk.made;
    for (index, change) in made.changes.iter_mut().enumerate() {
        change.id = format!("c{}", index + 1);
    }
    made
}

fn sorted_by_old(passages: &[Passage]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..passages.len()).collect();
    order.sort_by_key(|&p| passages[p].old.start);
    order
}

struct Walk<'a> {
    old: &'a Text<'a>,
    new: &'a Text<'a>,
    /// Moved passages, sorted by their new place.
    passages: &'a [Passage],
    by_old: Vec<usize>,
    made: Assembled,
    old_end: usize,
    new_end: usize,
}

impl Walk<'_> {
    /// What stands between two pairs that are in place: removed, added and moved units, and the
    /// gaps around them.
    fn region(
        &mut self,
        (olds, news): (Range<usize>, Range<usize>),
        (old_next, new_next): (usize, usize),
        aligned: &[Aligned],
        moved_old: &[bool],
        moved_to: &[Option<usize>],
    ) {
        let old_gap = self.old_end
            ..olds
                .clone()
                .next()
                .map_or(old_next, |u| self.old.units[u].span.start);
        let new_gap = self.new_end
            ..news
                .clone()
                .next()
                .map_or(new_next, |u| self.new.units[u].span.start);
        if olds.is_empty() && news.is_empty() {
            self.only_gap(old_gap, new_gap, (olds.start, news.start));
            (self.old_end, self.new_end) = (old_next, new_next);
            return;
        }
        let old_tail = olds.clone().last().map(|u| self.old.units[u].span.end);
        let new_tail = news.clone().last().map(|u| self.new.units[u].span.end);
        let old_trail = old_tail.map_or(old_gap.clone(), |end| end..old_next);
        let new_trail = new_tail.map_or(new_gap.clone(), |end| end..new_next);
        // The gap before the first and the gap behind the last are kept as far as they are the
        // same; a side without units has one gap only, which must not be used twice.
        let (old_lead, new_lead) = (self.old.bytes(&old_gap), self.new.bytes(&new_gap));
        let (old_back, new_back) = (self.old.bytes(&old_trail), self.new.bytes(&new_trail));
        let one_sided = olds.is_empty() || news.is_empty();
        let (keep, rest) = if one_sided && old_lead != new_lead && old_back == new_back {
            (0, old_back.len())
        } else {
            let keep = common_prefix(old_lead, new_lead);
            let room = |trail: &Span, lead: &Span, single: bool| {
                if single {
                    trail.start.max(lead.start + keep)..trail.end
                } else {
                    trail.clone()
                }
            };
            let a = room(&old_trail, &old_gap, olds.is_empty());
            let b = room(&new_trail, &new_gap, news.is_empty());
            (keep, common_suffix(self.old.bytes(&a), self.new.bytes(&b)))
        };
        self.segment_equal(
            old_gap.start..old_gap.start + keep,
            new_gap.start..new_gap.start + keep,
        );
        let mut at = old_gap.start + keep;
        for unit in olds {
            let span = self.old.units[unit].span.clone();
            self.segment_delete(at..span.start);
            at = span.end;
            if !moved_old[unit] {
                self.removed(unit);
            }
        }
        self.segment_delete(at..old_next - rest);
        let mut at = new_gap.start + keep;
        for unit in news {
            let span = self.new.units[unit].span.clone();
            if span.start < at {
                continue;
            }
            self.segment_insert(at..span.start);
            match moved_to[unit].and_then(|index| aligned.get(index)) {
                Some(item) => {
                    self.pair(item);
                    at = self.new.units[item.pair.right.end - 1].span.end;
                }
                None => {
                    self.added(unit);
                    at = span.end;
                }
            }
        }
        self.segment_insert(at..new_next - rest);
        self.segment_equal(old_next - rest..old_next, new_next - rest..new_next);
        (self.old_end, self.new_end) = (old_next, new_next);
    }

    /// White space or markup between two units that both stayed.
    fn only_gap(&mut self, old: Span, new: Span, (old_unit, new_unit): (usize, usize)) {
        if self.old.bytes(&old) == self.new.bytes(&new) {
            self.segment_equal(old, new);
            return;
        }
        let mut emitter = self.emitter();
        emitter.gap(old.clone(), new.clone());
        let pieces = emitter.out.list;
        self.segments(&pieces);
        self.made.changes.push(Change {
            id: String::new(),
            kind: Kind::Technical,
            old: Some(gap_side(self.old, old, old_unit)),
            new: Some(gap_side(self.new, new, new_unit)),
            details: details(&pieces),
            edits: pieces.into_iter().map(edit).collect(),
        });
    }

    fn emitter(&self) -> Emitter<'_> {
        Emitter {
            left: self.old,
            right: self.new,
            out: Pieces::default(),
        }
    }

    fn pair(&mut self, item: &Aligned) {
        let pair = &item.pair;
        let (old_span, new_span) = (
            units_span(self.old, &pair.left),
            units_span(self.new, &pair.right),
        );
        let same = self.old.bytes(&old_span) == self.new.bytes(&new_span);
        let pieces = if same {
            vec![Piece {
                op: Op::Equal,
                old: old_span.clone(),
                new: new_span.clone(),
                detail: None,
            }]
        } else {
            let left = tokens(self.old, &pair.left);
            let right = tokens(self.new, &pair.right);
            let mut emitter = self.emitter();
            emitter.pair(pair, &left, &right, &item.hunks);
            self.cut(emitter.out.list)
        };
        if !pair.moved {
            (self.old_end, self.new_end) = (old_span.end, new_span.end);
        }
        if pair.moved {
            let within = if same {
                Vec::new()
            } else {
                self.within(&pieces)
            };
            self.made.segments.push(Segment {
                op: SegmentOp::Move,
                old: Some(old_span),
                new: Some(new_span),
                within,
            });
        } else {
            self.segments(&pieces);
        }
        let arrived = self.arrived(&pieces);
        if !same || pair.moved {
            self.pair_change(pair, pieces);
        }
        self.made.changes.extend(arrived);
    }

    fn pair_change(&mut self, pair: &Pair, pieces: Vec<Piece>) {
        let real = |p: &&Piece| p.op != Op::Equal && p.detail != Some("moved");
        let words = pieces.iter().filter(real).any(|p| p.detail.is_none());
        let numbers = pieces
            .iter()
            .filter(real)
            .any(|p| matches!(p.detail, Some("label" | "cross-reference")));
        let passages = pieces.iter().any(|p| p.detail == Some("moved"));
        // Where passages came or went and nothing else differs, the moves say it all.
        let quiet = pieces
            .iter()
            .filter(real)
            .all(|p| p.detail == Some("white-space"));
        if !pair.moved && passages && quiet {
            return;
        }
        let heading =
            is_heading(self.old, pair.left.start) && is_heading(self.new, pair.right.start);
        let kind = match (pair.moved, words, numbers) {
            (true, _, _) => Kind::Moved,
            (_, true, _) if heading => Kind::Renamed,
            (_, true, _) => Kind::Modified,
            (_, _, true) => Kind::Renumbered,
            _ => Kind::Technical,
        };
        self.made.changes.push(Change {
            id: String::new(),
            kind,
            old: Some(units_side(self.old, &pair.left)),
            new: Some(units_side(self.new, &pair.right)),
            details: details(&pieces),
            edits: pieces.into_iter().map(edit).collect(),
        });
    }

    fn removed(&mut self, unit: usize) {
        let span = self.old.units[unit].span.clone();
        let pieces = self.cut(vec![Piece {
            op: Op::Delete,
            old: span,
            new: self.new_end..self.new_end,
            detail: None,
        }]);
        self.segments(&pieces);
        if !self.speaks(self.old, &pieces) {
            return;
        }
        let side = units_side(self.old, &(unit..unit + 1));
        self.one_sided(
            self.old.units[unit].class,
            Kind::Removed,
            Some(side),
            None,
            pieces,
        );
    }

    fn added(&mut self, unit: usize) {
        let span = self.new.units[unit].span.clone();
        let pieces = self.cut(vec![Piece {
            op: Op::Insert,
            old: self.old_end..self.old_end,
            new: span,
            detail: None,
        }]);
        self.segments(&pieces);
        let arrived = self.arrived(&pieces);
        if self.speaks(self.new, &pieces) {
            let side = units_side(self.new, &(unit..unit + 1));
            self.one_sided(
                self.new.units[unit].class,
                Kind::Added,
                None,
                Some(side),
                pieces,
            );
        }
        self.made.changes.extend(arrived);
    }

    /// Whether an added or removed unit holds more than passages that moved.
    fn speaks(&self, text: &Text<'_>, pieces: &[Piece]) -> bool {
        let moved = pieces.iter().any(|p| p.detail == Some("moved"));
        !moved
            || pieces
                .iter()
                .filter(|p| p.detail != Some("moved"))
                .any(|p| {
                    let span = if p.op == Op::Delete { &p.old } else { &p.new };
                    text.slice(span.clone()).chars().any(char::is_alphanumeric)
                })
    }

    fn one_sided(
        &mut self,
        class: Class,
        kind: Kind,
        old: Option<Side>,
        new: Option<Side>,
        mut pieces: Vec<Piece>,
    ) {
        let markup = class == Class::Markup;
        if markup {
            for piece in &mut pieces {
                piece.detail = Some("formatting");
            }
        }
        self.made.changes.push(Change {
            id: String::new(),
            kind: if markup { Kind::Technical } else { kind },
            old,
            new,
            details: details(&pieces),
            edits: pieces.into_iter().map(edit).collect(),
        });
    }

    /// Cuts moved passages out of deletions and insertions.
    fn cut(&self, pieces: Vec<Piece>) -> Vec<Piece> {
        if self.passages.is_empty() {
            return pieces;
        }
        let mut made = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let deleted = piece.op == Op::Delete;
            let span = if deleted { &piece.old } else { &piece.new };
            let inner: Vec<Span> = match piece.op {
                Op::Equal => Vec::new(),
                Op::Delete => {
                    let first = self
                        .by_old
                        .partition_point(|&p| self.passages[p].old.end <= span.start);
                    self.by_old[first..]
                        .iter()
                        .map(|&p| self.passages[p].old.clone())
                        .take_while(|p| p.end <= span.end)
                        .collect()
                }
                Op::Insert => {
                    let first = self.passages.partition_point(|p| p.new.end <= span.start);
                    self.passages[first..]
                        .iter()
                        .map(|p| p.new.clone())
                        .take_while(|p| p.end <= span.end)
                        .collect()
                }
            };
            let mut at = span.start;
            let end = span.end;
            let mut part = |range: Span, detail: Option<&'static str>| {
                if range.is_empty() {
                    return;
                }
                let mut cut = piece.clone();
                cut.detail = detail;
                if deleted {
                    cut.old = range;
                } else {
                    cut.new = range;
                }
                made.push(cut);
            };
            if inner.is_empty() {
                made.push(piece);
                continue;
            }
            for passage in inner {
                let text = if deleted { self.old } else { self.new };
                part(
                    at..passage.start,
                    rest_detail(text, at..passage.start, piece.detail),
                );
                at = passage.end;
                part(passage, Some("moved"));
            }
            let text = if deleted { self.old } else { self.new };
            part(at..end, rest_detail(text, at..end, piece.detail));
        }
        made
    }

    /// The changes for passages that arrive in these pieces.
    fn arrived(&self, pieces: &[Piece]) -> Vec<Change> {
        pieces
            .iter()
            .filter(|p| p.op == Op::Insert && p.detail == Some("moved"))
            .filter_map(|p| self.passage_at(p.new.start))
            .map(|passage| {
                let pieces = self.passage_pieces(passage);
                Change {
                    id: String::new(),
                    kind: Kind::Moved,
                    old: Some(part_side(self.old, passage.old.clone())),
                    new: Some(part_side(self.new, passage.new.clone())),
                    details: details(&pieces),
                    edits: pieces.into_iter().map(edit).collect(),
                }
            })
            .collect()
    }

    fn passage_at(&self, new_start: usize) -> Option<&Passage> {
        let at = self.passages.partition_point(|p| p.new.start < new_start);
        self.passages.get(at).filter(|p| p.new.start == new_start)
    }

    fn passage_pieces(&self, passage: &Passage) -> Vec<Piece> {
        let mut emitter = self.emitter();
        emitter.passage(passage);
        emitter.out.list
    }

    fn segments(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match (piece.op, piece.detail) {
                (Op::Equal, _) => self.segment_equal(piece.old.clone(), piece.new.clone()),
                (Op::Delete, Some("moved")) => {}
                (Op::Insert, Some("moved")) => {
                    let moved = self.passage_segment(piece.new.start);
                    self.made.segments.extend(moved);
                }
                (Op::Delete, _) => self.segment_delete(piece.old.clone()),
                (Op::Insert, _) => self.segment_insert(piece.new.clone()),
            }
        }
    }

    /// The edits inside a move.
    fn within(&self, pieces: &[Piece]) -> Vec<Segment> {
        let mut made = Vec::new();
        for piece in pieces {
            match (piece.op, piece.detail) {
                (Op::Delete, Some("moved")) => {}
                (Op::Insert, Some("moved")) => made.extend(self.passage_segment(piece.new.start)),
                _ => push(&mut made, segment(piece)),
            }
        }
        made
    }

    fn passage_segment(&self, new_start: usize) -> Option<Segment> {
        let passage = self.passage_at(new_start)?;
        let pieces = self.passage_pieces(passage);
        let mut within = Vec::new();
        if pieces.iter().any(|p| p.op != Op::Equal) {
            for piece in &pieces {
                push(&mut within, segment(piece));
            }
        }
        Some(Segment {
            op: SegmentOp::Move,
            old: Some(passage.old.clone()),
            new: Some(passage.new.clone()),
            within,
        })
    }

    fn segment_equal(&mut self, old: Span, new: Span) {
        if !old.is_empty() {
            push(
                &mut self.made.segments,
                Segment {
                    op: SegmentOp::Equal,
                    old: Some(old),
                    new: Some(new),
                    within: Vec::new(),
                },
            );
        }
    }

    fn segment_delete(&mut self, old: Span) {
        if !old.is_empty() {
            push(
                &mut self.made.segments,
                Segment {
                    op: SegmentOp::Delete,
                    old: Some(old),
                    new: None,
                    within: Vec::new(),
                },
            );
        }
    }

    fn segment_insert(&mut self, new: Span) {
        if !new.is_empty() {
            push(
                &mut self.made.segments,
                Segment {
                    op: SegmentOp::Insert,
                    old: None,
                    new: Some(new),
                    within: Vec::new(),
                },
            );
        }
    }
}

/// What is left beside a moved passage is white space or punctuation more often than words.
fn rest_detail(text: &Text<'_>, span: Span, detail: Option<&'static str>) -> Option<&'static str> {
    let rest = text.slice(span);
    if rest.chars().all(char::is_whitespace) {
        Some("white-space")
    } else if rest.chars().any(char::is_alphanumeric) {
        detail
    } else {
        Some("punctuation")
    }
}

fn segment(piece: &Piece) -> Segment {
    Segment {
        op: match piece.op {
            Op::Equal => SegmentOp::Equal,
            Op::Delete => SegmentOp::Delete,
            Op::Insert => SegmentOp::Insert,
        },
        old: (piece.op != Op::Insert).then(|| piece.old.clone()),
        new: (piece.op != Op::Delete).then(|| piece.new.clone()),
        within: Vec::new(),
    }
}

/// Appends a segment, or lets the last one grow.
fn push(segments: &mut Vec<Segment>, segment: Segment) {
    let grows = |a: &Option<Span>, b: &Option<Span>| match (a, b) {
        (Some(a), Some(b)) => a.end == b.start,
        (None, None) => true,
        _ => false,
    };
    if let Some(last) = segments.last_mut()
        && last.op == segment.op
        && last.op != SegmentOp::Move
        && grows(&last.old, &segment.old)
        && grows(&last.new, &segment.new)
    {
        if let (Some(last), Some(next)) = (&mut last.old, &segment.old) {
            last.end = next.end;
        }
        if let (Some(last), Some(next)) = (&mut last.new, &segment.new) {
            last.end = next.end;
        }
        return;
    }
    segments.push(segment);
}

fn edit(piece: Piece) -> Edit {
    Edit {
        op: piece.op,
        old: piece.old,
        new: piece.new,
        detail: piece.detail,
    }
}

fn details(pieces: &[Piece]) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = pieces
        .iter()
        .filter(|p| p.op != Op::Equal)
        .filter_map(|p| p.detail)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The tokens of several units in a row.
pub(super) fn tokens(text: &Text<'_>, units: &Range<usize>) -> Vec<Token> {
    units
        .clone()
        .flat_map(|unit| text.tokens(unit))
        .copied()
        .collect()
}

fn is_heading(text: &Text<'_>, unit: usize) -> bool {
    let block = text.units.get(unit).and_then(|u| u.block);
    let block = block.and_then(|b| text.document.blocks.get(b));
    block.is_some_and(|b| b.kind == BlockKind::Heading)
}

fn units_span(text: &Text<'_>, units: &Range<usize>) -> Span {
    let start = text.units.get(units.start).map_or(0, |u| u.span.start);
    let last = text.units.get(units.end.wrapping_sub(1));
    start..last.map_or(start, |u| u.span.end)
}

fn units_side(text: &Text<'_>, units: &Range<usize>) -> Side {
    let span = units_span(text, units);
    let blocks: Vec<usize> = units
        .clone()
        .filter_map(|u| text.units.get(u)?.block)
        .collect();
    let blocks = match (blocks.first(), blocks.last()) {
        (Some(first), Some(last)) => *first..*last + 1,
        _ => {
            let next = next_block(text, span.start);
            next..next
        }
    };
    Side {
        lines: text.document.lines_of(&span),
        blocks,
        section: text
            .section(units.start)
            .or_else(|| section_at(text, span.start)),
        span,
    }
}

/// A part of a unit.
fn part_side(text: &Text<'_>, span: Span) -> Side {
    let first = next_block(text, span.start);
    let last = next_block(text, span.end.saturating_sub(1));
    Side {
        lines: text.document.lines_of(&span),
        blocks: first..(last + 1).min(text.document.blocks.len()).max(first),
        section: text.document.blocks.get(first).and_then(|b| b.section),
        span,
    }
}

/// A gap before a unit.
fn gap_side(text: &Text<'_>, span: Span, unit: usize) -> Side {
    let line = match text.units.get(unit) {
        Some(unit) => text.document.line_of(unit.span.start),
        None => text.document.line_of(span.end.saturating_sub(1)),
    };
    let block = next_block(text, span.end);
    Side {
        lines: (line, line),
        blocks: block..block,
        section: text.section(unit).or_else(|| section_at(text, span.start)),
        span,
    }
}

/// The first block that ends behind an offset.
fn next_block(text: &Text<'_>, offset: usize) -> usize {
    text.document
        .blocks
        .partition_point(|b| b.span.end <= offset)
}

/// The section of the last block before an offset.
fn section_at(text: &Text<'_>, offset: usize) -> Option<usize> {
    let before = next_block(text, offset).checked_sub(1)?;
    text.document.blocks.get(before)?.section
}
