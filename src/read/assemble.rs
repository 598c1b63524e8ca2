//! Leaves into blocks: markers and labels told apart from the body, headings put into a tree.

use std::collections::BTreeMap;

use super::{
    Block, BlockKind, Dates, Document, Format, Label, Section, Span, Warning,
    label::{self, Delimiter, Printed},
    line_starts, numbering,
};

pub(super) use super::leaf::Piece;

/// Longest start of a leaf that is searched for a label, in bytes.
const LABEL_REACH: usize = 64;

/// Bullets, also those that are no list markers in Markdown.
const BULLETS: &[char] = &[
    '•', '·', '◦', '▪', '●', '○', '■', '∙', '➢', '►', '✓', '❖', '\u{f0b7}',
];

/// Tells marker, label and body of every leaf.
pub(super) fn pieces(text: &str, mut pieces: Vec<Piece>) -> Vec<Piece> {
    let mut start = String::new();
    for piece in &mut pieces {
        tell(text, piece, &mut start);
    }
    settle(text, &mut pieces);
    pieces
}

/// Tells marker, label and body of a leaf; `joined` is room for its start where that is in parts.
fn tell(text: &str, piece: &mut Piece, joined: &mut String) {
    let leaf = &piece.leaf;
    let mut bullet = leaf.kind == BlockKind::ListItem && leaf.number.is_none();
    piece.body = leaf.content.clone();
    piece.bullet = bullet;
    if matches!(
        leaf.kind,
        BlockKind::Code | BlockKind::Markup | BlockKind::TableHead
    ) {
        return;
    }
    // The readable start. Mostly it is that of the first run.
    let first = leaf.runs.first().cloned().unwrap_or_default();
    let first = text.get(first).unwrap_or_default();
    let start = if leaf.runs.len() == 1 || first.len() >= LABEL_REACH {
        let cut = first.floor_char_boundary(LABEL_REACH);
        first.get(..cut).unwrap_or_default()
    } else {
        joined.clear();
        for run in &leaf.runs {
            let slice = text.get(run.clone()).unwrap_or_default();
            let cut = slice.floor_char_boundary(LABEL_REACH - joined.len());
            joined.push_str(slice.get(..cut).unwrap_or_default());
            if cut < slice.len() {
                break;
            }
        }
        joined.as_str()
    };
    // Where a byte of it stands in the text.
    let place = |at: usize| {
        let within = |mut at: usize| {
            leaf.runs.iter().find_map(|run| {
                let found = (at < run.len()).then_some(run.start + at);
                at = at.saturating_sub(run.len());
                found
            })
        };
        if at < start.len() {
            within(at)
        } else {
            start
                .len()
                .checked_sub(1)
                .and_then(within)
                .map(|last| last + 1)
        }
        .unwrap_or(leaf.content.end)
    };
    let mut from = 0;
    // Bullets and dashes that the markup does not know.
    loop {
        let rest = start.get(from..).unwrap_or_default();
        let trimmed = rest.trim_start();
        let lead = rest.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            break;
        };
        let after = trimmed.get(first.len_utf8()..).unwrap_or_default();
        let spaced = after.starts_with(char::is_whitespace);
        let is_bullet = BULLETS.contains(&first)
            || spaced && matches!(first, '-' | '–' | '—' | '*' | '+')
            || spaced && first == 'o' && leaf.depth > 0;
        if !is_bullet {
            break;
        }
        bullet = true;
        from += lead + first.len_utf8();
    }
    let rest = start.get(from..).unwrap_or_default();
    let lead = rest.len() - rest.trim_start().len();
    let mut body_at = from + lead;
    if let Some(mut printed) = label::parse(rest) {
        // "1. 1. What": a list's own number before the printed one.
        if let Some(again) = rest.get(printed.rest..).and_then(label::parse)
            && again.values == printed.values
            && again.style == printed.style
        {
            let shift = printed.rest;
            printed = Printed {
                text: again.text.start + shift..again.text.end + shift,
                rest: again.rest + shift,
                ..again
            };
        }
        let fits = printed.text.end + from < start.len() || printed.rest >= rest.len();
        if fits {
            body_at = from + printed.rest;
            printed.text = place(from + printed.text.start)..place(from + printed.text.end - 1) + 1;
            printed.rest = place(body_at);
            piece.label = Some(Box::new(printed));
        }
    }
    piece.bullet = bullet;
    if body_at > 0 {
        piece.body.start = place(body_at).min(piece.body.end);
    } else if let Some(first) = piece.leaf.runs.first() {
        piece.body.start = piece.body.start.min(first.start);
    }
    if piece.label.is_none() {
        piece.label = number(text, piece);
    }
}

/// The label that the number of a list item is.
fn number(text: &str, piece: &Piece) -> Option<Box<Printed>> {
    let number = piece.leaf.number.clone()?;
    let value = text.get(number.clone()).and_then(|n| n.parse().ok());
    Some(Box::new(Printed {
        text: number,
        rest: piece.body.start,
        style: label::Style::Decimal,
        values: vec![value.unwrap_or(0)],
        other: None,
        delimiter: Delimiter::Dot,
        word: None,
        weak: false,
        spaced: true,
    }))
}

/// How many labels further on are searched for the one that counts on.
const COUNTS_ON: usize = 24;

/// Settles what a letter means (`i` after `h`, `i` before `ii`, `C` after `B` with numbers between
/// them) and drops labels that only a neighbour could have made believable.
fn settle(text: &str, pieces: &mut [Piece]) {
    // The last label of each delimiter, and the last value of each delimiter and style.
    let mut last: [Option<(label::Style, u32)>; 4] = [None; 4];
    let mut counted: BTreeMap<(usize, label::Style), u32> = BTreeMap::new();
    let keys: Vec<(usize, Key)> = pieces
        .iter()
        .enumerate()
        .filter_map(|(i, p)| {
            let l = p.label.as_ref()?;
            Some((i, (l.style, *l.values.last()?, l.delimiter, l.other)))
        })
        .collect();
    // The keys after the current piece start here.
    let mut after = 0;
    for (i, piece) in pieces.iter_mut().enumerate() {
        while keys.get(after).is_some_and(|(k, _)| *k <= i) {
            after += 1;
        }
        let Some(printed) = &mut piece.label else {
            continue;
        };
        let Some(value) = printed.values.last().copied() else {
            continue;
        };
        let delimiter = printed.delimiter;
        let slot = delimiter as usize;
        let before = last.get(slot).copied().flatten();
        let next = |style: label::Style, value: u32| {
            keys.iter()
                .skip(after)
                .take(COUNTS_ON)
                .any(|(_, (s, v, d, other))| {
                    *d == delimiter
                        && (*s == style && *v == value + 1 || *other == Some((style, value + 1)))
                })
        };
        if let Some((style, other)) = printed.other {
            let speaks = |style: label::Style, value: u32| {
                let wanted = value.wrapping_sub(1);
                u8::from(before == Some((style, wanted)))
                    + 2 * u8::from(counted.get(&(slot, style)) == Some(&wanted))
                    + 2 * u8::from(next(style, value))
            };
            if speaks(style, other) > speaks(printed.style, value) {
                printed.style = style;
                printed.values = vec![other];
            }
        }
        let value = printed.values.last().copied().unwrap_or(value);
        if printed.weak {
            let follows = counted.get(&(slot, printed.style)) == Some(&value.wrapping_sub(1));
            let next = next(printed.style, value);
            // The first of a series needs its second, any other its predecessor.
            let believed = follows || value <= 1 && next || printed.values.len() > 1 && next;
            if !believed {
                piece.body.start = piece.body.start.min(printed.text.start);
                piece.label = number(text, piece);
                continue;
            }
            printed.weak = false;
        }
        if let Some(entry) = last.get_mut(slot) {
            *entry = Some((printed.style, value));
        }
        counted.insert((slot, printed.style), value);
    }
}

/// Style, value, delimiter of a label, and what else it may mean.
type Key = (label::Style, u32, Delimiter, Option<(label::Style, u32)>);

/// A heading that was found.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    /// Index of its piece.
    pub piece: usize,
    /// Depth, 1 is the outermost.
    pub level: u8,
    /// Where its title ends, for a heading that runs on into its text.
    pub end: Option<usize>,
}

/// What was found out about the pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// The piece that is the document's title.
    pub title: Option<usize>,
    /// The headings, in order.
    pub headings: Vec<Heading>,
    /// Pieces that are entries of a list of contents.
    pub contents: Vec<usize>,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

/// Builds the document.
pub(super) fn document(
    format: Format,
    text: String,
    pieces: Vec<Piece>,
    findings: Findings,
) -> Document {
    let line_starts = line_starts(&text);
    let mut document = Document {
        format,
        text,
        title: None,
        language: None,
        dates: Dates::default(),
        sections: Vec::new(),
        blocks: Vec::with_capacity(pieces.len() + findings.headings.len()),
        warnings: findings.warnings,
        suspect: None,
        line_starts,
    };
    let mut headings = findings.headings.into_iter().peekable();
    let mut contents = findings.contents.into_iter().peekable();
    let mut stack: Vec<usize> = Vec::new();
    let mut end = 0;
    for (i, piece) in pieces.into_iter().enumerate() {
        let heading = headings.next_if(|h| h.piece == i);
        let is_contents = contents.next_if(|c| *c == i).is_some();
        let mut block = block(&document.text, piece);
        block.span.start = block.span.start.max(end);
        block.span.end = block.span.end.max(block.span.start);
        end = block.span.end;
        if is_contents {
            block.kind = BlockKind::Contents;
        } else if findings.title == Some(i) {
            block.kind = BlockKind::Title;
        } else if block.kind == BlockKind::Heading && heading.is_none() {
            block.kind = BlockKind::Paragraph;
            block.depth = 0;
        }
        let mut rest = None;
        if let Some(heading) = heading {
            if let Some(at) = heading.end {
                rest = split(&mut block, at);
            }
            block.kind = BlockKind::Heading;
            while stack
                .last()
                .and_then(|s| document.sections.get(*s))
                .is_some_and(|s| s.level >= heading.level)
            {
                stack.pop();
            }
            let parent = stack.last().copied();
            let level = u8::try_from(stack.len() + 1)
                .unwrap_or(u8::MAX)
                .min(heading.level.max(1));
            block.depth = level;
            stack.push(document.sections.len());
            document.sections.push(Section {
                level: heading.level,
                label: block.label.as_ref().map(|l| l.text.clone()),
                title: String::new(),
                path: Vec::new(),
                parent,
                heading: document.blocks.len(),
                span: block.span.clone(),
                lines: (0, 0),
            });
        }
        block.section = stack.last().copied();
        let section = block.section;
        document.blocks.push(block);
        if let Some(mut rest) = rest {
            rest.section = section;
            document.blocks.push(rest);
        }
    }
    finish_sections(&mut document);
    numbering::check(&mut document);
    if let Some(title) = findings.title {
        document.title = document
            .blocks
            .iter()
            .find(|b| b.kind == BlockKind::Title)
            .map(|b| words(&document, b))
            .filter(|_| title < usize::MAX);
    }
    document
}

/// The words of a heading on one line, without label.
fn words(document: &Document, block: &Block) -> String {
    let plain = document.plain(block);
    let mut title = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !title.is_empty() {
            title.push(' ');
        }
        title += word;
    }
    title
}

fn finish_sections(document: &mut Document) {
    // A section ends where the next one that is not inside it starts.
    let mut end = document.text.len();
    let mut ends = vec![end; document.sections.len()];
    let mut open: Vec<usize> = Vec::new();
    for (i, section) in document.sections.iter().enumerate() {
        let start = section.span.start;
        while let Some(last) = open.last().copied() {
            if document
                .sections
                .get(last)
                .is_some_and(|s| s.level >= section.level)
            {
                open.pop();
                if let Some(e) = ends.get_mut(last) {
                    *e = start;
                }
            } else {
                break;
            }
        }
        open.push(i);
    }
    for i in 0..document.sections.len() {
        let Some(section) = document.sections.get(i) else {
            continue;
        };
        let title = document
            .blocks
            .get(section.heading)
            .map(|block| words(document, block))
            .unwrap_or_default();
        end = ends.get(i).copied().unwrap_or(end);
        let span = section.span.start..end.max(section.span.end);
        let lines = (
            document.line_of(span.start),
            document.line_of(span.end.saturating_sub(1).max(span.start)),
        );
        if let Some(section) = document.sections.get_mut(i) {
            section.title = title;
            section.span = span;
            section.lines = lines;
        }
    }
}

/// Cuts a run-on heading at `at`; the text after it becomes a paragraph of its own.
fn split(block: &mut Block, at: usize) -> Option<Block> {
    if at <= block.body.start || at >= block.body.end {
        return None;
    }
    let mut rest = Block {
        kind: BlockKind::Paragraph,
        span: at..block.span.end,
        label: None,
        body: at..block.body.end,
        runs: clip(&block.runs, &(at..block.body.end)),
        targets: clip(&block.targets, &(at..block.body.end)),
        section: None,
        depth: 0,
        cells: Vec::new(),
    };
    block.span.end = at;
    block.body.end = at;
    block.runs = clip(&block.runs, &block.body);
    block.targets = clip(&block.targets, &block.body);
    if let Some(first) = rest.runs.first() {
        rest.body.start = first.start.max(at);
    }
    Some(rest)
}

fn block(text: &str, piece: Piece) -> Block {
    let label = piece.label.map(|printed| Label {
        text: text
            .get(printed.text.clone())
            .unwrap_or_default()
            // Markdown writes `1\.1` where a list is not meant.
            .replace('\\', ""),
        span: printed.text,
    });
    let leaf = piece.leaf;
    let kind = match leaf.kind {
        BlockKind::Paragraph if piece.bullet || leaf.indent > 0 && label.is_some() => {
            BlockKind::ListItem
        }
        kind => kind,
    };
    let runs = if leaf
        .runs
        .first()
        .is_some_and(|r| r.start >= piece.body.start)
    {
        leaf.runs
    } else {
        clip(&leaf.runs, &piece.body)
    };
    Block {
        kind,
        span: leaf.span,
        label,
        body: piece.body,
        runs,
        targets: leaf.targets,
        section: None,
        depth: leaf.depth,
        cells: leaf.cells,
    }
}

/// The parts of spans that lie within another.
fn clip(spans: &[Span], within: &Span) -> Vec<Span> {
    spans
        .iter()
        .map(|s| s.start.max(within.start)..s.end.min(within.end))
        .filter(|s| s.start < s.end)
        .collect()
}
