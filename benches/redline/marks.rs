//! What a reader sees marked: words, runs, words marked in part; and the least that any
//! comparison without moves can mark.

use std::collections::BTreeMap;

use fairnotice::compare::{Comparison, Op, Segment};

/// Counts over both sides.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub words: usize,
    pub runs: usize,
    /// Runs when those with only white space between them count as one: blocks in a row.
    pub joined: usize,
    pub split: usize,
    pub confetti: usize,
}

/// Segments without those that only hold others.
pub(crate) fn leaves(segments: &[Segment], visit: &mut impl FnMut(&Segment)) {
    for segment in segments {
        if segment.within.is_empty() {
            visit(segment);
        } else {
            leaves(&segment.within, visit);
        }
    }
}

/// Words of a text: letters and digits with inner apostrophes; one character each where a script
/// has no spaces. As byte ranges.
pub(crate) fn words(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut open: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let wide = matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff);
        let inner = matches!(c, '\'' | '\u{2019}')
            && open.is_some()
            && chars.peek().is_some_and(|(_, n)| n.is_alphanumeric());
        if c.is_alphanumeric() && !wide || inner {
            open.get_or_insert(at);
            continue;
        }
        if let Some(start) = open.take() {
            found.push((start, at));
        }
        if wide {
            found.push((at, at + c.len_utf8()));
        }
    }
    if let Some(start) = open {
        found.push((start, text.len()));
    }
    found
}

/// What is marked as a difference of words.
pub(crate) fn measure(comparison: &Comparison, old: &str, new: &str) -> Marks {
    let mut sides = (Vec::new(), Vec::new());
    for edit in comparison.changes.iter().flat_map(|c| &c.edits) {
        match edit.op {
            _ if edit.detail.is_some() => {}
            Op::Equal => {}
            Op::Delete => sides.0.push((edit.old.start, edit.old.end)),
            Op::Insert => sides.1.push((edit.new.start, edit.new.end)),
        }
    }
    let mut marks = Marks::default();
    side(old, sides.0, &mut marks);
    side(new, sides.1, &mut marks);
    marks
}

fn side(text: &str, mut ranges: Vec<(usize, usize)>, marks: &mut Marks) {
    ranges.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.1 >= range.0 => last.1 = last.1.max(range.1),
            _ => merged.push(range),
        }
    }
    let words = words(text);
    let mut at = 0;
    for (start, end) in words.iter().copied() {
        while merged.get(at).is_some_and(|m| m.1 <= start) {
            at += 1;
        }
        if let Some(mark) = merged.get(at).filter(|m| m.0 < end) {
            marks.words += 1;
            marks.split += usize::from(mark.0 > start || mark.1 < end);
        }
    }
    marks.runs += merged.len();
    marks.joined += usize::from(!merged.is_empty());
    for pair in merged.windows(2) {
        let between = text.get(pair[0].1..pair[1].0).unwrap_or_default();
        marks.joined += usize::from(!between.trim().is_empty());
        if between.contains('\n') {
            continue;
        }
        let inside = self::words(between).len();
        marks.confetti += usize::from((1..=2).contains(&inside));
    }
}

/// Words of both sides that are in no longest common subsequence.
pub(crate) fn least(old: &str, new: &str) -> usize {
    let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
    let mut number = |text: &'static str| -> Vec<u32> {
        words(text)
            .into_iter()
            .map(|(start, end)| {
                let next = ids.len() as u32;
                *ids.entry(&text[start..end]).or_insert(next)
            })
            .collect()
    };
    // The texts live as long as the program.
    let a = number(Box::leak(old.to_owned().into_boxed_str()));
    let b = number(Box::leak(new.to_owned().into_boxed_str()));
    let distinct = ids.len();
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    a.len() + b.len() - 2 * common(a, b, distinct)
}

/// Length of the longest common subsequence, 64 rows at a time (Hyyrö 2004).
fn common(a: &[u32], b: &[u32], distinct: usize) -> usize {
    let (a, b) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if a.is_empty() {
        return 0;
    }
    let rows = a.len().div_ceil(64);
    let mut places: Vec<Vec<(usize, u64)>> = vec![Vec::new(); distinct];
    for (at, word) in a.iter().enumerate() {
        let list = &mut places[*word as usize];
        match list.last_mut() {
            Some(last) if last.0 == at / 64 => last.1 |= 1 << (at % 64),
            _ => list.push((at / 64, 1 << (at % 64))),
        }
    }
    let mut state = vec![u64::MAX; rows];
    for word in b {
        let list = &places[*word as usize];
        if list.is_empty() {
            continue;
        }
        let mut next = list.iter().peekable();
        let mut carry = false;
        for (row, value) in state.iter_mut().enumerate() {
            let hits = match next.next_if(|(at, _)| *at == row) {
                Some((_, bits)) => *bits,
                None if !carry && next.peek().is_none() => break,
                None => 0,
            };
            let kept = *value & hits;
            let (sum, over) = value.overflowing_add(kept);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *value = sum | (*value & !hits);
        }
    }
    let zeros: usize = state.iter().map(|s| s.count_zeros() as usize).sum();
    zeros
}
