//! Glyphs on pages into lines, lines into paragraphs, items and headings.

use std::collections::{BTreeMap, BTreeSet};

use super::super::markdown_line::{Line as Words, Place};

/// A glyph; lengths are in points, the origin is the top left corner of the page.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub(super) x: f64,
    /// Of the baseline.
    pub(super) y: f64,
    pub(super) size: f64,
    pub(super) width: f64,
    pub(super) bold: bool,
    pub(super) text: String,
}

/// A page.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    pub(super) height: f64,
    pub(super) glyphs: Vec<Glyph>,
    /// Glyphs of which the font does not tell the character.
    pub(super) unreadable: usize,
}

/// A line of text.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    page: usize,
    x: f64,
    end: f64,
    y: f64,
    size: f64,
    bold: bool,
    /// Share of the page's height at which it stands.
    at: f64,
}

/// The pages as Markdown.
pub(super) fn markdown(sheets: &[Sheet]) -> String {
    let mut lines: Vec<Line> = sheets
        .iter()
        .enumerate()
        .flat_map(|(page, sheet)| lines(page, sheet))
        .collect();
    drop_running(&mut lines, sheets.len());
    let style = Style::of(&lines);
    let words = vocabulary(&lines);
    write(&paragraphs(lines, &style, &words), &style)
}

/// Glyphs into lines, in the order in which they were drawn.
fn lines(page: usize, sheet: &Sheet) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut open: Option<(Line, BTreeMap<u32, usize>, usize)> = None;
    let mut close = |open: &mut Option<(Line, BTreeMap<u32, usize>, usize)>| {
        if let Some((mut line, sizes, bold)) = open.take() {
            let count: usize = sizes.values().sum();
            line.bold = bold * 10 >= count * 9;
            line.size = sizes
                .iter()
                .max_by_key(|(_, n)| **n)
                .map_or(line.size, |(size, _)| f64::from(*size) / 4.0);
            line.text = line.text.trim().to_owned();
            if !line.text.is_empty() {
                lines.push(line);
            }
        }
    };
    for glyph in &sheet.glyphs {
        let fits = open.as_ref().is_some_and(|(line, _, _)| {
            let size = line.size.max(glyph.size);
            // Raised and lowered small glyphs stay on their line.
            (glyph.y - line.y).abs() < 0.45 * size && glyph.x > line.end - 1.5 * size
        });
        if !fits {
            close(&mut open);
        }
        let (line, sizes, bold) = open.get_or_insert_with(|| {
            (
                Line {
                    text: String::new(),
                    page,
                    x: glyph.x,
                    end: glyph.x,
                    y: glyph.y,
                    size: glyph.size,
                    bold: false,
                    at: if sheet.height > 0.0 {
                        glyph.y / sheet.height
                    } else {
                        0.5
                    },
                },
                BTreeMap::new(),
                0,
            )
        });
        let gap = glyph.x - line.end;
        if gap > 0.18 * glyph.size && !line.text.is_empty() && !line.text.ends_with(' ') {
            line.text.push(' ');
        }
        push_folded(&mut line.text, &glyph.text);
        line.end = line.end.max(glyph.x + glyph.width);
        if glyph.text.chars().any(|c| !c.is_whitespace()) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the size is finite and not negative; quarters of a point are enough"
            )]
            let quarter = (glyph.size.min(1000.0) * 4.0).round() as u32;
            *sizes.entry(quarter).or_insert(0) += 1;
            *bold += usize::from(glyph.bold);
        }
    }
    close(&mut open);
    lines
}

/// Ligatures become their letters; bullets of symbol fonts become bullets.
fn push_folded(out: &mut String, text: &str) {
    use unicode_normalization::UnicodeNormalization as _;
    for c in text.chars() {
        match c {
            '\u{FB00}'..='\u{FB4F}' => out.extend(std::iter::once(c).nfkc()),
            '\u{F0B7}' | '\u{F0A7}' | '\u{F076}' | '\u{F0D8}' | '\u{F0FC}' => out.push('•'),
            '\u{0}' => {}
            c => out.push(c),
        }
    }
}

/// Drops what stands on page after page at the top or at the bottom, and page numbers.
fn drop_running(lines: &mut Vec<Line>, pages: usize) {
    let edge = |line: &Line| line.at < 0.12 || line.at > 0.88;
    let shape = |line: &Line| {
        let digits: String = line
            .text
            .chars()
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect();
        let mut shape = String::new();
        for c in digits.chars() {
            if !(c == '#' && shape.ends_with('#')) {
                shape.push(c);
            }
        }
        (shape, line.at > 0.5)
    };
    let mut seen: BTreeMap<(String, bool), BTreeSet<usize>> = BTreeMap::new();
    for line in lines.iter().filter(|line| edge(line)) {
        seen.entry(shape(line)).or_default().insert(line.page);
    }
    lines.retain(|line| {
        if !edge(line) {
            return true;
        }
        let shape = shape(line);
        let on = seen.get(&shape).map_or(0, BTreeSet::len);
        let number = shape
            .0
            .chars()
            .all(|c| matches!(c, '#' | ' ' | '-' | '–' | '/' | '|'));
        // What browsers print around a page: the time, the address.
        let stamped = (line.at < 0.06 || line.at > 0.94)
            && (line.text.contains("://") || shape.0.contains("#:#"));
        let page_of = {
            let lower = shape.0.to_lowercase();
            [
                "page #",
                "seite #",
                "page # of #",
                "p. #",
                "第#页",
                "# of #",
            ]
            .iter()
            .any(|p| lower == *p || lower.trim_matches(['-', ' ', '–']) == *p)
        };
        // On half of the pages at least, or on two of few.
        let running = on >= 2 && on * 2 >= pages.saturating_sub(1).max(2);
        !(running || page_of || stamped || number && pages > 1)
    });
}

/// The document's usual measures.
struct Style {
    body: f64,
    /// Sizes of headings, greatest first.
    headings: Vec<f64>,
    leading: f64,
    right: f64,
    left: f64,
}

impl Style {
    fn of(lines: &[Line]) -> Self {
        let key = |size: f64| (size * 2.0).round();
        let mut letters: Vec<(f64, usize)> = Vec::new();
        for line in lines {
            let size = key(line.size);
            match letters.iter_mut().find(|(s, _)| *s == size) {
                Some((_, n)) => *n += line.text.len(),
                None => letters.push((size, line.text.len())),
            }
        }
        let body = letters
            .iter()
            .max_by_key(|(_, n)| *n)
            .map_or(12.0, |(size, _)| size / 2.0);
        let mut headings: Vec<f64> = letters
            .iter()
            .map(|(size, _)| size / 2.0)
            .filter(|size| *size > body * 1.08 + 0.3)
            .collect();
        headings.sort_by(|a, b| b.total_cmp(a));
        let mut gaps: Vec<f64> = lines
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if a.page == b.page && (a.size - body).abs() < 1.0 => Some(b.y - a.y),
                _ => None,
            })
            .filter(|gap| *gap > 0.5 * body && *gap < 3.0 * body)
            .collect();
        gaps.sort_by(f64::total_cmp);
        // Lines within paragraphs are the nearer ones.
        let leading = gaps.get(gaps.len() / 3).copied().unwrap_or(body * 1.25);
        let mut ends: Vec<f64> = lines.iter().map(|line| line.end).collect();
        ends.sort_by(f64::total_cmp);
        let mut starts: Vec<f64> = lines.iter().map(|line| line.x).collect();
        starts.sort_by(f64::total_cmp);
        Self {
            body,
            headings,
            leading,
            right: ends.get(ends.len() * 9 / 10).copied().unwrap_or(0.0),
            left: starts.get(starts.len() / 10).copied().unwrap_or(0.0),
        }
    }

    fn heading(&self, line: &Line) -> Option<usize> {
        self.headings
            .iter()
            .position(|size| (size - line.size).abs() <= 0.26)
    }
}

/// A paragraph, item or heading.
struct Block {
    text: String,
    heading: Option<usize>,
    bold: bool,
    x: f64,
}

fn paragraphs(lines: Vec<Line>, style: &Style, words: &BTreeSet<String>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut last: Option<Line> = None;
    for line in lines {
        let heading = style.heading(&line);
        let goes_on = last
            .as_ref()
            .zip(blocks.last())
            .is_some_and(|(last, block)| goes_on(last, &line, block, heading, style));
        match blocks.last_mut() {
            Some(block) if goes_on => {
                join(&mut block.text, &line.text, words);
                block.bold &= line.bold;
            }
            _ => blocks.push(Block {
                text: line.text.clone(),
                heading,
                bold: line.bold,
                x: line.x,
            }),
        }
        last = Some(line);
    }
    blocks
}

/// Whether a line goes on with the block of the line before.
fn goes_on(last: &Line, line: &Line, block: &Block, heading: Option<usize>, style: &Style) -> bool {
    if heading != block.heading || starts_item(&line.text) {
        return false;
    }
    let ended = last
        .text
        .ends_with(['.', '!', '?', ':', ';', '。', '”', '"']);
    let lower = line.text.starts_with(|c: char| c.is_lowercase());
    if last.page != line.page {
        // Over the page's end only where a sentence goes on.
        return heading.is_none() && (lower || !ended && last.end > style.right - 6.0 * style.body);
    }
    let gap = line.y - last.y;
    if gap.abs() < 0.5 * line.size {
        // The same line, after a gap: cells of a table, a number and its heading.
        return line.x >= last.end - line.size;
    }
    let leading = if heading.is_some() {
        line.size * 1.6
    } else {
        style.leading * 1.28 + 0.5
    };
    if gap < 0.0 || gap > leading {
        return false;
    }
    if heading.is_some() {
        return true;
    }
    if last.bold && !line.bold && block.bold && block.text.len() < 120 {
        return false;
    }
    // A line that ends early ends its paragraph.
    let room = style.right - last.end;
    let short = room > 0.3 * (style.right - style.left);
    // A line that ends before the middle ends its item, also where no sentence ends.
    if room > 0.45 * (style.right - style.left)
        || line.x > last.x + 0.8 * line.size && block.x == last.x
    {
        return false;
    }
    if short && !lower && (ended || !line.text.starts_with(|c: char| c.is_alphabetic())) {
        return false;
    }
    !(short && last.bold != line.bold)
}

/// Adds a line; a hyphen at the end of a line goes where the whole word is known.
fn join(text: &mut String, line: &str, words: &BTreeSet<String>) {
    if text.ends_with('\u{AD}') {
        text.pop();
        *text += line;
        return;
    }
    let hyphen = text.ends_with('-') && line.starts_with(char::is_lowercase);
    if hyphen {
        let before: String = text
            .trim_end_matches('-')
            .rsplit(|c: char| !c.is_alphabetic())
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let after: String = line
            .chars()
            .take_while(|c| c.is_alphabetic())
            .collect::<String>()
            .to_lowercase();
        if words.contains(&format!("{before}{after}")) {
            text.pop();
        }
        *text += line;
        return;
    }
    let wide = |c: Option<char>| {
        c.is_some_and(|c| {
            ('\u{2E80}'..='\u{FAFF}').contains(&c) || ('\u{FF00}'..='\u{FFEF}').contains(&c)
        })
    };
    if !(wide(text.chars().next_back()) && wide(line.chars().next())) {
        text.push(' ');
    }
    *text += line;
}

/// All words that stand unbroken somewhere.
fn vocabulary(lines: &[Line]) -> BTreeSet<String> {
    lines
        .iter()
        .flat_map(|line| line.text.split(|c: char| !c.is_alphabetic()))
        .filter(|word| word.len() > 4)
        .map(str::to_lowercase)
        .collect()
}

const BULLETS: &[char] = &['•', '·', '▪', '●', '◦', '‣', '○', '■', '–', '∙'];

fn starts_item(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix(BULLETS) {
        return rest.starts_with(' ') || rest.is_empty() || !text.starts_with('–');
    }
    super::super::markdown::starts_item(text) || {
        // "1.2 Title", "a) item", "iv. item"
        let head: String = text.chars().take_while(|c| !c.is_whitespace()).collect();
        let core = head.trim_matches(['(', ')', '.']);
        head.len() <= 8
            && head.len() < text.len()
            && !core.is_empty()
            && (core
                .split('.')
                .all(|p| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()))
                && (head.ends_with('.') || core.contains('.') || head.ends_with(')'))
                || head.ends_with([')', '.']) && core.len() == 1 && core.is_ascii() && head != "I.")
    }
}

fn write(blocks: &[Block], style: &Style) -> String {
    let mut out = String::new();
    // Left edges of the bullets that are open.
    let mut edges: Vec<f64> = Vec::new();
    let mut after_item = false;
    for block in blocks {
        let mut words = Words::default();
        let item = block
            .text
            .strip_prefix(BULLETS)
            .filter(|rest| !rest.trim().is_empty());
        let text = item.unwrap_or(&block.text).trim();
        let strong = block.heading.is_none() && item.is_none() && block.bold && text.len() < 160;
        if strong {
            words.strong_start();
        }
        words.push(text);
        if strong {
            words.strong_end();
        }
        let is_heading = block.heading.is_some() && text.chars().any(char::is_alphanumeric);
        let line = words.take(if is_heading {
            Place::Heading
        } else {
            Place::Block
        });
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out += if item.is_some() && after_item {
                "\n"
            } else {
                "\n\n"
            };
        }
        after_item = item.is_some();
        if let Some(level) = block.heading.filter(|_| is_heading) {
            edges.clear();
            out += &"#".repeat(level.min(5) + 1);
            out.push(' ');
            out += &line;
        } else if item.is_some() {
            edges.retain(|edge| *edge < block.x - 0.5 * style.body);
            edges.push(block.x);
            out += &"  ".repeat((edges.len() - 1).min(8));
            out += "- ";
            out += &line;
        } else {
            edges.clear();
            out += &line;
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
