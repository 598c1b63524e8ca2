//! The one reading order of a redline: rows of paragraphs of pieces, made of the partition of
//! both texts, so that no difference can be left out.
//!
//! Old bytes come in the old order, new bytes in the new one. A moved passage stands twice: where
//! it was and where it is.

use std::collections::BTreeMap;

use crate::{
    compare::{Comparison, Kind, Segment, SegmentOp},
    read::{BlockKind, Document, Span},
};

use super::readable::{self, Readable};

/// To which side a piece belongs, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// On both sides.
    Same,
    /// Only in the old text.
    Deleted,
    /// Only in the new text.
    Inserted,
    /// In the old text, at the place from which it was moved.
    MovedFrom,
    /// In the new text, at the place to which it was moved.
    MovedTo,
    /// Words deleted inside a moved passage, shown at its new place; they belong to the old text
    /// at the old place, where they are shown as deleted too.
    Ghost,
}

impl Mark {
    /// Whether the piece is part of the old text at this place.
    pub fn is_old(self) -> bool {
        matches!(self, Self::Same | Self::Deleted | Self::MovedFrom)
    }

    /// Whether the piece is part of the new text at this place.
    pub fn is_new(self) -> bool {
        matches!(self, Self::Same | Self::Inserted | Self::MovedTo)
    }
}

/// A run of characters with one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// To which side it belongs.
    pub mark: Mark,
    /// The characters, as people read them.
    pub text: String,
    /// The change it belongs to, as an index of [`Comparison::changes`].
    pub change: Option<usize>,
    /// Number of the cell of a table row; 0 elsewhere.
    pub cell: usize,
}

/// Pieces up to the end of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// In reading order.
    pub pieces: Vec<Piece>,
    /// Whether the end of the paragraph itself is old, new or both.
    pub end: Mark,
}

/// One block, or blocks that were split, joined or rewritten together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is (on the new side where there is one).
    pub kind: BlockKind,
    /// Depth of a list item, level of a heading.
    pub depth: u8,
    /// The paragraphs; more than one where a block was split or joined.
    pub paragraphs: Vec<Paragraph>,
    /// Changes that touch it, as indices of [`Comparison::changes`], in order.
    pub changes: Vec<usize>,
    /// Whether a number is printed before it.
    pub numbered: bool,
    /// First block on the old side.
    pub old: Option<usize>,
    /// First block on the new side.
    pub new: Option<usize>,
}

impl Row {
    /// All pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.paragraphs.iter().flat_map(|p| &p.pieces)
    }

    /// Whether a reader sees a difference of characters in it.
    pub fn marked(&self) -> bool {
        self.pieces().any(|piece| piece.mark != Mark::Same)
    }
}

/// The whole redline in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// In the order of the new text, removed rows at their old place.
    pub rows: Vec<Row>,
}

impl Flow {
    /// Lays out a comparison.
    pub fn new(old: &Document, new: &Document, comparison: &Comparison) -> Self {
        let mut layout = Layout::new(old, new, comparison);
        for (mark, atom) in atoms(&comparison.segments) {
            layout.push(mark, &atom);
        }
        layout.finish()
    }
}

/// A stretch of one side or of both.
struct Atom {
    old: Option<Span>,
    new: Option<Span>,
}

/// The partition in reading order, each move split into where it was and where it is.
///
/// A moved block may have lost a passage that moved elsewhere, or taken one in: so what leaves is
/// sorted by its own old place, stretch by stretch, whichever move it belongs to.
fn atoms(segments: &[Segment]) -> Vec<(Mark, Atom)> {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for segment in segments.iter().filter(|s| s.op == SegmentOp::Move) {
        leave(segment, &mut from);
        arrive(segment, &mut to);
    }
    from.sort_by_key(|(span, _)| (span.start, span.end));
    // What arrives together stays together, words that were deleted on the way among them.
    to.sort_by_key(|(start, _)| *start);
    from.reverse();
    to.reverse();
    let mut out = Vec::new();
    let (mut at_old, mut at_new) = (0, 0);
    let mut still = segments.iter().filter(|s| s.op != SegmentOp::Move);
    loop {
        if let Some((span, mark)) = from.pop_if(|(span, _)| span.start <= at_old) {
            at_old = at_old.max(span.end);
            let old = Some(span);
            out.push((mark, Atom { old, new: None }));
        } else if let Some((_, arrived)) = to.pop_if(|(start, _)| *start <= at_new) {
            for (_, atom) in &arrived {
                at_new = atom.new.as_ref().map_or(at_new, |s| at_new.max(s.end));
            }
            out.extend(arrived);
        } else if let Some(segment) = still.next() {
            at_old = segment.old.as_ref().map_or(at_old, |s| at_old.max(s.end));
            at_new = segment.new.as_ref().map_or(at_new, |s| at_new.max(s.end));
            let mark = match segment.op {
                SegmentOp::Delete => Mark::Deleted,
                SegmentOp::Insert => Mark::Inserted,
                SegmentOp::Equal | SegmentOp::Move => Mark::Same,
            };
            out.push((mark, atom(segment)));
        } else if from.is_empty() && to.is_empty() {
            return out;
        } else {
            // A partition without holes never comes here; a hole must not hide what follows it.
            at_old = from
                .last()
                .map_or(at_old, |(span, _)| at_old.max(span.start));
            at_new = to.last().map_or(at_new, |(start, _)| at_new.max(*start));
        }
    }
}

fn atom(segment: &Segment) -> Atom {
    Atom {
        old: segment.old.clone(),
        new: segment.new.clone(),
    }
}

/// The old places of a move and of the moves inside it.
fn leave(segment: &Segment, out: &mut Vec<(Span, Mark)>) {
    if segment.within.is_empty() {
        out.extend(segment.old.clone().map(|old| (old, Mark::MovedFrom)));
    }
    for inner in &segment.within {
        match inner.op {
            SegmentOp::Insert => {}
            SegmentOp::Delete => out.extend(inner.old.clone().map(|old| (old, Mark::Deleted))),
            SegmentOp::Equal => out.extend(inner.old.clone().map(|old| (old, Mark::MovedFrom))),
            SegmentOp::Move => leave(inner, out),
        }
    }
}

/// The new place of a move: its start, and what stands there.
fn arrive(segment: &Segment, out: &mut Vec<(usize, Vec<(Mark, Atom)>)>) {
    let start = segment.new.as_ref().map_or(0, |new| new.start);
    let mut arrived = Vec::new();
    settle(segment, start, &mut arrived);
    out.push((start, arrived));
}

fn settle(segment: &Segment, mut at: usize, out: &mut Vec<(Mark, Atom)>) {
    if segment.within.is_empty() {
        let new = segment.new.clone();
        out.push((Mark::MovedTo, Atom { old: None, new }));
    }
    for inner in &segment.within {
        let atom = atom(inner);
        let start = at;
        at = inner.new.as_ref().map_or(at, |new| new.end);
        match inner.op {
            SegmentOp::Insert => out.push((Mark::Inserted, atom)),
            SegmentOp::Delete => out.push((
                Mark::Ghost,
                Atom {
                    old: atom.old,
                    new: Some(at..at),
                },
            )),
            SegmentOp::Equal => out.push((
                Mark::MovedTo,
                Atom {
                    old: None,
                    new: atom.new,
                },
            )),
            SegmentOp::Move => settle(inner, start, out),
        }
    }
}

/// A piece that still knows its blocks.
struct Placed {
    piece: Piece,
    old: Option<usize>,
    new: Option<usize>,
}

struct Layout<'a> {
    old: &'a Document,
    new: &'a Document,
    comparison: &'a Comparison,
    read_old: Vec<Readable>,
    read_new: Vec<Readable>,
    owners_old: Vec<(Span, usize)>,
    owners_new: Vec<(Span, usize)>,
    placed: Vec<Placed>,
    /// The block of the new side that was last written to, for ghosts at the end of a passage.
    last_new: Option<usize>,
}

impl<'a> Layout<'a> {
    fn new(old: &'a Document, new: &'a Document, comparison: &'a Comparison) -> Self {
        Self {
            old,
            new,
            comparison,
            read_old: readable::readable(old),
            read_new: readable::readable(new),
            owners_old: owners(comparison, true),
            owners_new: owners(comparison, false),
            placed: Vec::new(),
            last_new: None,
        }
    }

    fn push(&mut self, mark: Mark, atom: &Atom) {
        match (&atom.old, &atom.new) {
            (Some(old), Some(new)) if mark == Mark::Ghost => self.push_ghost(old, new.start),
            (Some(old), Some(new)) => self.push_same(old, new),
            (Some(old), None) => self.push_side(mark, old, true),
            (None, Some(new)) => self.push_side(mark, new, false),
            (None, None) => {}
        }
    }

    fn push_side(&mut self, mark: Mark, span: &Span, old: bool) {
        let list = if old { &self.read_old } else { &self.read_new };
        let parts: Vec<(Span, Readable)> = overlapping(list, span);
        for (part, readable) in parts {
            self.place(mark, part, &readable, old);
        }
    }

    /// Words deleted inside a moved passage, shown where they would stand in the new text: in the
    /// block that ends there, else in the one that begins.
    fn push_ghost(&mut self, old: &Span, at: usize) {
        let next = self.read_new.partition_point(|r| r.span.end < at);
        let here = self
            .read_new
            .get(next)
            .filter(|r| Some(r.block) == self.last_new || r.span.end > at)
            .or_else(|| self.read_new.get(next + 1))
            .map(|r| r.block);
        let before = self.last_new;
        self.last_new = here.or(before);
        self.push_side(Mark::Ghost, old, true);
        self.last_new = before;
    }

    fn place(&mut self, mark: Mark, part: Span, readable: &Readable, old: bool) {
        let (document, owners) = if old {
            (self.old, &self.owners_old)
        } else {
            (self.new, &self.owners_new)
        };
        let text = characters(document, &part, readable);
        let change = owner(owners, part.start);
        let (old_block, new_block) = match (old, mark) {
            (true, Mark::Ghost) => (None, self.last_new),
            (true, _) => (Some(readable.block), None),
            (false, _) => (None, Some(readable.block)),
        };
        if !old {
            self.last_new = Some(readable.block);
        }
        self.placed.push(Placed {
            piece: Piece {
                mark,
                text,
                change,
                cell: readable.cell,
            },
            old: old_block,
            new: new_block,
        });
    }

    /// The same bytes may be read on one side and be markup on the other: cut at both.
    fn push_same(&mut self, old: &Span, new: &Span) {
        let ours = overlapping(&self.read_new, new);
        let theirs = overlapping(&self.read_old, old);
        let shift = |at: usize| at - old.start + new.start;
        let mut cuts: Vec<usize> = ours
            .iter()
            .flat_map(|(part, _)| [part.start, part.end])
            .chain(
                theirs
                    .iter()
                    .flat_map(|(part, _)| [shift(part.start), shift(part.end)]),
            )
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let (mut o, mut n) = (0, 0);
        for pair in cuts.windows(2) {
            let &[start, end] = pair else { continue };
            while theirs
                .get(o)
                .is_some_and(|(part, _)| shift(part.end) <= start)
            {
                o += 1;
            }
            while ours.get(n).is_some_and(|(part, _)| part.end <= start) {
                n += 1;
            }
            let before = theirs.get(o).filter(|(part, _)| shift(part.start) <= start);
            let after = ours.get(n).filter(|(part, _)| part.start <= start);
            let back = start - new.start + old.start..end - new.start + old.start;
            match (before, after) {
                (Some((_, theirs)), Some((_, ours))) => {
                    self.last_new = Some(ours.block);
                    self.placed.push(Placed {
                        piece: Piece {
                            mark: Mark::Same,
                            text: characters(self.new, &(start..end), ours),
                            change: None,
                            cell: ours.cell,
                        },
                        old: Some(theirs.block),
                        new: Some(ours.block),
                    });
                }
                (Some((_, theirs)), None) => {
                    let theirs = theirs.clone();
                    self.place(Mark::Deleted, back, &theirs, true);
                }
                (None, Some((_, ours))) => {
                    let ours = ours.clone();
                    self.place(Mark::Inserted, start..end, &ours, false);
                }
                (None, None) => {}
            }
        }
    }

    /// Which blocks of both sides make one row: those that share words, those that became each
    /// other, and what stands between two blocks of a row.
    fn groups(&self) -> Groups {
        let (olds, news) = (self.old.blocks.len(), self.new.blocks.len());
        let mut links: Vec<(usize, usize)> = self
            .placed
            .iter()
            .filter_map(|placed| placed.old.zip(placed.new))
            .collect();
        links.dedup();
        let mut wished = Vec::new();
        for change in &self.comparison.changes {
            let (Some(old), Some(new)) = (&change.old, &change.new) else {
                continue;
            };
            if change.kind != Kind::Moved && old.blocks.len() <= 3 && new.blocks.len() <= 3 {
                for o in old.blocks.clone().filter(|o| *o < olds) {
                    wished.extend(new.blocks.clone().filter(|n| *n < news).map(|n| (o, n)));
                }
            }
        }
        let wished = uncrossed(&links, wished);
        links.extend(wished);
        let mut groups = Groups::new(olds + news);
        links.sort_unstable();
        for run in links.chunk_by(|a, b| a.0 == b.0) {
            if let (Some((old, first)), Some((_, last))) = (run.first(), run.last()) {
                (*first..=*last).for_each(|new| groups.join(*old, olds + new));
            }
        }
        links.sort_unstable_by_key(|(old, new)| (*new, *old));
        for run in links.chunk_by(|a, b| a.1 == b.1) {
            if let (Some((first, new)), Some((last, _))) = (run.first(), run.last()) {
                (*first..=*last).for_each(|old| groups.join(old, olds + new));
            }
        }
        groups
    }

    fn finish(self) -> Flow {
        let old_count = self.old.blocks.len();
        let mut groups = self.groups();
        let mut rows: Vec<(RowBuilder, Vec<usize>)> = Vec::new();
        let mut row_of: BTreeMap<usize, usize> = BTreeMap::new();
        for placed in self.placed {
            let Some(node) = placed.new.map(|n| old_count + n).or(placed.old) else {
                continue;
            };
            let group = groups.find(node);
            let row = *row_of.entry(group).or_insert_with(|| {
                rows.push((RowBuilder::default(), Vec::new()));
                rows.len() - 1
            });
            if let Some((builder, changes)) = rows.get_mut(row) {
                changes.extend(placed.piece.change);
                builder.push(placed);
            }
        }
        for (index, change) in self.comparison.changes.iter().enumerate() {
            let olds = change.old.iter().flat_map(|s| s.blocks.clone());
            let news = change
                .new
                .iter()
                .flat_map(|s| s.blocks.clone())
                .map(|n| old_count + n);
            for node in olds.filter(|o| *o < old_count).chain(news) {
                let row = groups
                    .known(node)
                    .and_then(|group| row_of.get(&group))
                    .and_then(|row| rows.get_mut(*row));
                if let Some((_, changes)) = row {
                    changes.push(index);
                }
            }
        }
        let rows = rows
            .into_iter()
            .map(|(builder, changes)| builder.finish(self.old, self.new, changes))
            .collect();
        Flow {
            rows: in_both_orders(rows),
        }
    }
}

/// Those of the wished links that cross no firm one and none that was kept before, so that rows of
/// both sides stand in the order of both. Both lists are (old block, new block).
fn uncrossed(firm: &[(usize, usize)], mut wished: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut firm = firm.to_vec();
    firm.sort_unstable();
    // The least new block of the firm links from each place on.
    let mut least: Vec<usize> = firm.iter().map(|(_, new)| *new).collect();
    for at in (1..least.len()).rev() {
        if let Some(&next) = least.get(at)
            && let Some(slot) = least.get_mut(at - 1)
        {
            *slot = next.min(*slot);
        }
    }
    wished.sort_unstable();
    let (mut before, mut furthest) = (0, 0);
    // Links of the same old block do not cross each other.
    let (mut last_old, mut furthest_here) = (None, 0);
    wished.retain(|(old, new)| {
        if last_old != Some(*old) {
            last_old = Some(*old);
            furthest = furthest.max(furthest_here);
        }
        while let Some((_, passed)) = firm.get(before).filter(|(o, _)| o < old) {
            furthest = furthest.max(*passed);
            before += 1;
        }
        let after = before
            + firm
                .iter()
                .skip(before)
                .take_while(|(o, _)| o == old)
                .count();
        let kept = *new >= furthest && least.get(after).is_none_or(|least| new <= least);
        if kept {
            furthest_here = furthest_here.max(*new);
        }
        kept
    });
    wished
}

/// Rows in an order that is right for both sides. A row of both sides may begin with words that
/// moved there, or that left, before the rows in front of it were seen: those that only one side
/// has go in front of the first row of both sides that follows them there.
fn in_both_orders(rows: Vec<Row>) -> Vec<Row> {
    let (mut olds, mut news) = (Vec::new(), Vec::new());
    for row in &rows {
        if let (Some(old), Some(new)) = (row.old, row.new) {
            olds.push(olds.last().copied().unwrap_or(0).max(old));
            news.push(news.last().copied().unwrap_or(0).max(new));
        }
    }
    let mut seen = 0;
    let places: Vec<(usize, bool)> = rows
        .iter()
        .map(|row| match (row.old, row.new) {
            (Some(_), Some(_)) => {
                seen += 1;
                (seen - 1, true)
            }
            (Some(old), None) => (olds.partition_point(|o| *o < old), false),
            (None, Some(new)) => (news.partition_point(|n| *n < new), false),
            (None, None) => (seen, false),
        })
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| places.get(*at).copied());
    for run in order.chunk_by_mut(|a, b| places.get(*a) == places.get(*b)) {
        in_order(run, |at| rows.get(at).filter(|r| r.new.is_none())?.old);
        in_order(run, |at| rows.get(at).filter(|r| r.old.is_none())?.new);
    }
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| rows.get_mut(at)?.take())
        .collect()
}

/// Sorts those that have a key among themselves; all others keep their positions.
fn in_order(run: &mut [usize], key: impl Fn(usize) -> Option<usize>) {
    let mut keyed: Vec<usize> = run
        .iter()
        .copied()
        .filter(|at| key(*at).is_some())
        .collect();
    keyed.sort_by_key(|at| key(*at));
    let mut next = keyed.into_iter();
    for at in run.iter_mut().filter(|at| key(**at).is_some()) {
        *at = next.next().unwrap_or(*at);
    }
}

fn characters(document: &Document, part: &Span, readable: &Readable) -> String {
    if readable.space {
        " ".to_owned()
    } else {
        readable::characters(document, part)
    }
}

/// The parts of a span that are read.
fn overlapping(list: &[Readable], span: &Span) -> Vec<(Span, Readable)> {
    let first = list.partition_point(|r| r.span.end <= span.start);
    list.iter()
        .skip(first)
        .take_while(|r| r.span.start < span.end)
        .map(|r| {
            (
                r.span.start.max(span.start)..r.span.end.min(span.end),
                r.clone(),
            )
        })
        .collect()
}

/// Which change each differing byte of one side belongs to; the narrowest claim wins.
fn owners(comparison: &Comparison, old: bool) -> Vec<(Span, usize)> {
    let mut claims: Vec<(Span, usize)> = Vec::new();
    for (index, change) in comparison.changes.iter().enumerate() {
        let side = if old { &change.old } else { &change.new };
        if let Some(side) = side.as_ref().filter(|_| change.kind == Kind::Moved) {
            claims.push((side.span.clone(), index));
        }
        claims.extend(
            change
                .edits
                .iter()
                .map(|edit| if old { &edit.old } else { &edit.new })
                .zip(&change.edits)
                .filter(|(span, edit)| {
                    edit.op != crate::compare::Op::Equal && span.start < span.end
                })
                .map(|(span, _)| (span.clone(), index)),
        );
    }
    // Wide claims first, so that narrow ones cut pieces out of them.
    claims.sort_by_key(|(span, index)| (std::cmp::Reverse(span.end - span.start), *index));
    let mut cuts: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (span, index) in claims {
        let inside: Vec<usize> = cuts.range(span.clone()).map(|(at, _)| *at).collect();
        let mut tail = None;
        if let Some((_, (end, owner))) = cuts.range_mut(..span.start).next_back()
            && *end > span.start
        {
            if *end > span.end {
                tail = Some((span.end, (*end, *owner)));
            }
            *end = span.start;
        }
        for at in inside {
            if let Some((end, owner)) = cuts.remove(&at)
                && end > span.end
            {
                tail = Some((span.end, (end, owner)));
            }
        }
        cuts.insert(span.start, (span.end, index));
        if let Some((at, rest)) = tail {
            cuts.insert(at, rest);
        }
    }
    cuts.into_iter()
        .map(|(start, (end, index))| (start..end, index))
        .collect()
}

fn owner(owners: &[(Span, usize)], at: usize) -> Option<usize> {
    let next = owners.partition_point(|(span, _)| span.end <= at);
    owners
        .get(next)
        .filter(|(span, _)| span.start <= at)
        .map(|(_, index)| *index)
}

/// Blocks of both sides that make one row.
struct Groups(Vec<usize>);

impl Groups {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn known(&mut self, node: usize) -> Option<usize> {
        (node < self.0.len()).then(|| self.find(node))
    }

    fn find(&mut self, node: usize) -> usize {
        let mut root = node;
        while let Some(&parent) = self.0.get(root).filter(|parent| **parent != root) {
            root = parent;
        }
        let mut at = node;
        while at != root {
            let Some(slot) = self.0.get_mut(at) else {
                break;
            };
            at = std::mem::replace(slot, root);
        }
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}

#[derive(Default)]
struct RowBuilder {
    paragraphs: Vec<Paragraph>,
    pieces: Vec<Piece>,
    first_old: Option<usize>,
    first_new: Option<usize>,
    old: Option<usize>,
    new: Option<usize>,
    cell: usize,
}

impl RowBuilder {
    fn push(&mut self, mut placed: Placed) {
        let turned = |last: Option<usize>, now: Option<usize>| matches!((last, now), (Some(last), Some(now)) if last != now);
        let mark = placed.piece.mark;
        let (old, new) = match mark {
            Mark::Ghost => (None, None),
            _ => (placed.old, placed.new),
        };
        match (turned(self.old, old), turned(self.new, new)) {
            (true, true) => self.end(Mark::Same),
            (true, false) if mark == Mark::MovedFrom => self.end(Mark::MovedFrom),
            (true, false) => self.end(Mark::Deleted),
            (false, true) if mark == Mark::MovedTo => self.end(Mark::MovedTo),
            (false, true) => self.end(Mark::Inserted),
            (false, false) => {}
        }
        // Where columns came or went the sides count cells differently; reading order decides.
        placed.piece.cell = placed.piece.cell.max(self.cell);
        self.cell = placed.piece.cell;
        self.old = old.or(self.old);
        self.new = new.or(self.new);
        self.first_old = self.first_old.or(old);
        self.first_new = self.first_new.or(new);
        match self.pieces.last_mut() {
            Some(last)
                if last.mark == mark
                    && last.change == placed.piece.change
                    && last.cell == placed.piece.cell =>
            {
                last.text.push_str(&placed.piece.text);
            }
            _ => self.pieces.push(placed.piece),
        }
    }

    fn end(&mut self, end: Mark) {
        let pieces = std::mem::take(&mut self.pieces);
        self.cell = 0;
        self.paragraphs.push(Paragraph { pieces, end });
    }

    fn finish(mut self, old: &Document, new: &Document, mut changes: Vec<usize>) -> Row {
        let moved = |mark| self.pieces.iter().any(|piece| piece.mark == mark);
        let end = match (self.first_old, self.first_new) {
            (Some(_), None) if moved(Mark::MovedFrom) => Mark::MovedFrom,
            (Some(_), None) => Mark::Deleted,
            (None, Some(_)) if moved(Mark::MovedTo) => Mark::MovedTo,
            (None, Some(_)) => Mark::Inserted,
            _ => Mark::Same,
        };
        self.end(end);
        changes.sort_unstable();
        changes.dedup();
        let block = self
            .new
            .and_then(|n| new.blocks.get(n))
            .or_else(|| self.old.and_then(|o| old.blocks.get(o)));
        Row {
            kind: block.map_or(BlockKind::Paragraph, |block| block.kind),
            depth: block.map_or(0, |block| block.depth),
            numbered: block.is_some_and(|block| block.label.is_some()),
            paragraphs: self.paragraphs,
            changes,
            old: self.first_old,
            new: self.first_new,
        }
    }
}
