//! One side of a comparison: the blocks of a document as units that never overlap, with hashes
//! of their bytes, and their tokens where something asks for them.

use crate::read::{BlockKind, Document, Span};

use super::token::{Token, tokenise};

/// Blocks of different classes rarely stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Heading,
    Text,
    Row,
    Contents,
    /// No words: rules, raw markup, and what stands outside of all blocks.
    Markup,
}

/// A block, cut so that units are in order and never overlap.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub span: Span,
    /// After marker and label.
    pub body: Span,
    /// Index in the document's blocks; `None` for markup outside of all blocks.
    pub block: Option<usize>,
    pub class: Class,
    /// Hash of the body's bytes.
    pub key: u64,
}

/// One side.
pub(super) struct Text<'a> {
    pub document: &'a Document,
    pub units: Vec<Unit>,
    tokens: Vec<Token>,
    token_ranges: Vec<(usize, usize)>,
}

const ABSENT: (usize, usize) = (usize::MAX, usize::MAX);

impl<'a> Text<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let text = document.text.as_str();
        let mut units = Vec::with_capacity(document.blocks.len());
        let mut end = 0;
        for (index, block) in document.blocks.iter().enumerate() {
            let start = boundary(text, block.span.start.max(end));
            let stop = boundary(text, block.span.end);
            if stop <= start {
                continue;
            }
            loose(text, end..start, &mut units);
            let body_start = boundary(text, block.body.start.clamp(start, stop));
            let body_end = boundary(text, block.body.end.clamp(body_start, stop));
            let class = match block.kind {
                BlockKind::Heading | BlockKind::Title => Class::Heading,
                BlockKind::TableRow | BlockKind::TableHead => Class::Row,
                BlockKind::Contents => Class::Contents,
                BlockKind::Markup => Class::Markup,
                _ => Class::Text,
            };
            units.push(Unit {
                span: start..stop,
                body: body_start..body_end,
                block: Some(index),
                class,
                key: hash_bytes(
                    text.as_bytes()
                        .get(body_start..body_end)
                        .unwrap_or_default(),
                ),
            });
            end = stop;
        }
        loose(text, end..text.len(), &mut units);
        let token_ranges = vec![ABSENT; units.len()];
        Self {
            document,
            units,
            tokens: Vec::new(),
            token_ranges,
        }
    }

    /// Makes the tokens of a unit, once.
    pub(super) fn prepare(&mut self, unit: usize) {
        if self.token_ranges.get(unit) != Some(&ABSENT) {
            return;
        }
        if self.tokens.is_empty() {
            // Room that is not needed is never touched, growing would touch it twice.
            self.tokens.reserve(self.document.text.len() / 5);
        }
        let start = self.tokens.len();
        if let Some(block) = self.units[unit]
            .block
            .and_then(|b| self.document.blocks.get(b))
            && self.units[unit].class != Class::Markup
        {
            let span = self.units[unit].body.clone();
            if block
                .runs
                .iter()
                .all(|r| r.start >= span.start && r.end <= span.end)
            {
                tokenise(&self.document.text, &block.runs, &mut self.tokens);
            } else {
                let runs: Vec<Span> = block
                    .runs
                    .iter()
                    .map(|r| r.start.max(span.start)..r.end.min(span.end))
                    .filter(|r| r.start < r.end)
                    .collect();
                tokenise(&self.document.text, &runs, &mut self.tokens);
            }
        }
        self.token_ranges[unit] = (start, self.tokens.len());
    }

    /// The tokens of a unit that was prepared.
    pub(super) fn tokens(&self, unit: usize) -> &[Token] {
        let (start, end) = self.token_ranges.get(unit).copied().unwrap_or(ABSENT);
        self.tokens.get(start..end).unwrap_or_default()
    }

    /// Number of words of a prepared unit.
    pub(super) fn words(&self, unit: usize) -> usize {
        self.tokens(unit).iter().filter(|t| t.is_word()).count()
    }

    /// Number of words that start in a span.
    pub(super) fn words_in(&mut self, span: &Span) -> usize {
        let mut count = 0;
        let mut unit = self.units.partition_point(|u| u.span.end <= span.start);
        while self
            .units
            .get(unit)
            .is_some_and(|u| u.span.start < span.end)
        {
            self.prepare(unit);
            let tokens = self.tokens(unit);
            let first = tokens.partition_point(|t| t.start < span.start);
            count += tokens
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(|t| t.start < span.end)
                .filter(|t| t.is_word())
                .count();
            unit += 1;
        }
        count
    }

    /// A weight that grows with the words of a unit, without counting them.
    pub(super) fn weight(&self, unit: usize) -> u64 {
        let unit = &self.units[unit];
        let bytes = (unit.body.end - unit.body.start) as u64;
        match unit.class {
            Class::Markup => 1,
            Class::Heading => 25 + bytes,
            _ => 4 + bytes,
        }
    }

    /// The bytes of a span.
    pub(super) fn bytes(&self, span: &Span) -> &[u8] {
        self.document
            .text
            .as_bytes()
            .get(span.clone())
            .unwrap_or_default()
    }

    /// The characters of a span.
    pub(super) fn slice(&self, span: Span) -> &str {
        self.document.text.get(span).unwrap_or_default()
    }

    /// The innermost section that holds a unit.
    pub(super) fn section(&self, unit: usize) -> Option<usize> {
        let block = self.units.get(unit)?.block?;
        self.document.blocks.get(block)?.section
    }

    /// The printed label of a unit.
    pub(super) fn label(&self, unit: usize) -> Option<&'a str> {
        let block = self.units.get(unit)?.block?;
        Some(
            self.document
                .blocks
                .get(block)?
                .label
                .as_ref()?
                .text
                .as_str(),
        )
    }

    /// Hash of the folded words of a prepared unit, and of its bytes when it has none.
    pub(super) fn folded_key(&self, unit: usize) -> u64 {
        let mut hash = self.units[unit].class as u64 + 1;
        let mut words = 0;
        for token in self.tokens(unit).iter().filter(|t| t.is_word()) {
            hash = mix(hash, token.id);
            words += 1;
        }
        if words == 0 {
            return self.units[unit].key;
        }
        hash
    }
}

/// A unit for what stands between two blocks and is more than white space.
fn loose(text: &str, gap: Span, units: &mut Vec<Unit>) {
    let Some(between) = text.get(gap.clone()) else {
        return;
    };
    let trimmed = between.trim();
    if trimmed.is_empty() {
        return;
    }
    let start = gap.start + (between.len() - between.trim_start().len());
    let span = start..start + trimmed.len();
    units.push(Unit {
        body: span.clone(),
        span,
        block: None,
        class: Class::Markup,
        key: hash_bytes(trimmed.as_bytes()),
    });
}

/// The nearest character boundary at or before an offset.
fn boundary(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn mix(hash: u64, value: u64) -> u64 {
    let product =
        u128::from(hash ^ value ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xa076_1d64_78bd_642f_u128);
    (product as u64) ^ ((product >> 64) as u64) ^ value.rotate_left(17)
}

/// Hash of bytes, eight at a time, white space at both ends left out.
fn hash_bytes(bytes: &[u8]) -> u64 {
    let bytes = bytes.trim_ascii();
    let mut chunks = bytes.chunks_exact(8);
    let mut hash = bytes.len() as u64;
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(chunks.remainder()) {
        *to = *from;
    }
    mix(hash, u64::from_le_bytes(last))
}
