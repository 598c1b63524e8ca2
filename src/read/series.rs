//! Series of labels that count along: 1, 2, 3; (a), (b); 2.1, 2.2. Whether a label announces a
//! heading or an item of a list shows in the company it keeps.

use std::collections::BTreeMap;

use super::{
    assemble::Piece,
    label::{Delimiter, Rank, Style},
};

/// One series.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    /// Its pieces, in order.
    pub members: Vec<usize>,
    /// Value of the last member.
    last: u32,
    /// How many members are short and end like no sentence.
    pub titles: usize,
    /// How many members have other pieces between them and the next one.
    pub spaced: usize,
}

impl Series {
    /// Whether most members look like headings: short, with text between them.
    pub fn heads(&self) -> bool {
        self.titles * 4 >= self.members.len() * 3
            && self.spaced * 2 >= self.members.len()
            && self.members.len() > 1
    }

    /// Whether most members follow each other directly, as items of a list do.
    pub fn tight(&self) -> bool {
        self.members.len() > 1 && self.spaced * 3 < self.members.len()
    }
}

/// All series, and which one each piece is in.
#[derive(Debug, Default)]
pub(super) struct AllSeries {
    /// The series, in order of their first members.
    pub series: Vec<Series>,
    /// Index of the series of each piece.
    pub of: Vec<Option<usize>>,
}

impl AllSeries {
    /// The series of a piece.
    pub fn get(&self, piece: usize) -> Option<&Series> {
        self.series.get((*self.of.get(piece)?)?)
    }
}

type Key = (Style, Delimiter, Option<Rank>, u8, bool, Vec<u32>);

/// Finds all series. `title_like` says whether a piece is short and ends like no sentence.
pub(super) fn find(pieces: &[Piece], title_like: &dyn Fn(usize) -> bool) -> AllSeries {
    let mut all = AllSeries {
        series: Vec::new(),
        of: vec![None; pieces.len()],
    };
    let mut open: BTreeMap<Key, usize> = BTreeMap::new();
    for (i, piece) in pieces.iter().enumerate() {
        let Some(label) = &piece.label else { continue };
        let Some((value, prefix)) = label.values.split_last() else {
            continue;
        };
        let delimiter = if prefix.is_empty() {
            label.delimiter
        } else {
            // "2.4" and "2.5." are one series.
            Delimiter::None
        };
        let depth = if prefix.is_empty() {
            piece.leaf.depth.max(piece.leaf.indent)
        } else {
            0
        };
        let key = (
            label.style,
            delimiter,
            label.word,
            depth,
            piece.bullet,
            prefix.to_vec(),
        );
        let current = open.get(&key).copied().filter(|s| {
            all.series
                .get(*s)
                .is_some_and(|s| *value > s.last && *value <= s.last + 3)
        });
        let index = current.unwrap_or_else(|| {
            all.series.push(Series::default());
            open.insert(key, all.series.len() - 1);
            all.series.len() - 1
        });
        if let Some(series) = all.series.get_mut(index) {
            if let Some(before) = series.members.last()
                && i - before > 1
            {
                series.spaced += 1;
            }
            series.members.push(i);
            series.last = *value;
            series.titles += usize::from(title_like(i));
        }
        if let Some(of) = all.of.get_mut(i) {
            *of = Some(index);
        }
    }
    for series in &mut all.series {
        // The last one counts like the one before it.
        if series.spaced + 1 == series.members.len() {
            series.spaced += 1;
        }
    }
    all
}
