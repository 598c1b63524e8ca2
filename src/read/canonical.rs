//! Canonical text: one way of writing a document as Markdown, with every word and no more marks
//! than the structure needs.

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::{Block, BlockKind, Document, Format};

/// How often a text may be written and read again until it stays the same.
const ROUNDS: usize = 4;

/// The canonical text of a document.
pub(super) fn of(document: &Document) -> String {
    settled(document).0
}

/// The canonical text of a document, and the document that it reads back into, where that had to
/// be read; a document whose own text is canonical already is that document itself.
pub(super) fn settled(document: &Document) -> (String, Read) {
    let mut text = write(document);
    if document.format == Format::Markdown && text == document.text {
        return (text, Read::Itself);
    }
    for _ in 0..ROUNDS {
        let read = super::text(Format::Markdown, text.clone());
        let again = write(&read);
        if again == text {
            return (text, Read::Again(Box::new(read)));
        }
        text = again;
    }
    (text, Read::Not)
}

/// What is known of how a canonical text reads.
pub(super) enum Read {
    /// As the document that it was written from.
    Itself,
    /// As this.
    Again(Box<Document>),
    /// Nothing yet.
    Not,
}

fn write(document: &Document) -> String {
    let mut out = String::with_capacity(document.text.len() + 64);
    let mut before: Option<(BlockKind, u8, bool)> = None;
    for block in &document.blocks {
        if block.kind == BlockKind::Markup {
            continue;
        }
        let marker = Marker::of(document, block);
        let deepest = match before {
            Some((BlockKind::ListItem | BlockKind::Contents, depth, _)) => depth + 1,
            _ => 0,
        };
        let depth = if marker.is_item() {
            block.depth.min(deepest).min(8)
        } else {
            0
        };
        let line = line(document, block, &marker, depth);
        if line.trim().is_empty() {
            continue;
        }
        let kind = if marker.is_item() {
            BlockKind::ListItem
        } else {
            block.kind
        };
        let ordered = matches!(marker, Marker::Number(_));
        let tight = match (before, kind) {
            (Some((BlockKind::ListItem, old, was)), BlockKind::ListItem) => {
                // A number other than 1 cannot follow a line of another list.
                !ordered || was && old == depth || marker == Marker::Number("1.".to_owned())
            }
            (Some((BlockKind::TableHead | BlockKind::TableRow, ..)), BlockKind::TableRow) => true,
            _ => false,
        };
        if !out.is_empty() && !tight {
            out.push('\n');
        }
        out += &line;
        out.push('\n');
        before = Some((kind, depth, ordered));
    }
    out
}

/// The marker of a list item.
#[derive(Debug, PartialEq, Eq)]
enum Marker {
    None,
    Bullet,
    Number(String),
}

impl Marker {
    fn is_item(&self) -> bool {
        *self != Self::None
    }

    fn of(document: &Document, block: &Block) -> Self {
        if !matches!(block.kind, BlockKind::ListItem | BlockKind::Contents) {
            return Self::None;
        }
        let lead = lead(document, block);
        let digits = lead.bytes().take_while(u8::is_ascii_digit).count();
        let close = lead
            .get(digits..)
            .and_then(|r| r.chars().next())
            .filter(|c| matches!(c, '.' | ')'));
        let spaced = lead
            .get(digits + 1..)
            .is_some_and(|r| r.is_empty() || r.starts_with(char::is_whitespace));
        match close {
            Some(close) if (1..=3).contains(&digits) && spaced => {
                Self::Number(format!("{}{close}", lead.get(..digits).unwrap_or_default()))
            }
            _ if block.kind == BlockKind::ListItem || starts_bullet(lead) => Self::Bullet,
            _ => Self::None,
        }
    }
}

fn starts_bullet(lead: &str) -> bool {
    lead.starts_with(['-', '*', '+', '•', '·', '◦', '▪', '●', '○', '■'])
}

/// What stands before the body: marker and label as they are in the source.
fn lead<'a>(document: &'a Document, block: &Block) -> &'a str {
    document
        .text
        .get(block.span.start..block.body.start)
        .unwrap_or_default()
        .trim_start()
}

fn line(document: &Document, block: &Block, marker: &Marker, depth: u8) -> String {
    let words = words(document, block, marker);
    match block.kind {
        BlockKind::Title => format!("# {words}"),
        BlockKind::Heading => {
            let level = block
                .section
                .and_then(|s| document.sections.get(s))
                .map_or(1, |s| s.level);
            format!("{} {words}", "#".repeat(usize::from(level.min(5)) + 1))
        }
        BlockKind::Quote => format!("> {words}"),
        BlockKind::Code => {
            let raw = document.plain(block);
            format!("```\n{}\n```", raw.trim_end())
        }
        BlockKind::TableHead => {
            let rule = " --- |".repeat(block.cells.len());
            format!("{}\n|{rule}", row(document, block))
        }
        BlockKind::TableRow => row(document, block),
        _ => {
            let indent = "    ".repeat(usize::from(depth));
            match marker {
                Marker::None => words,
                Marker::Bullet => format!("{indent}- {words}"),
                Marker::Number(number) => format!("{indent}{number} {words}"),
            }
        }
    }
}

fn row(document: &Document, block: &Block) -> String {
    let mut row = String::from("|");
    for cell in &block.cells {
        row.push(' ');
        row += &collapse(document.slice(cell));
        row += " |";
    }
    row
}

/// Label and body on one line.
fn words(document: &Document, block: &Block, marker: &Marker) -> String {
    let label = printed_label(document, block, marker);
    let plain = collapse(&document.plain(block));
    if block.kind == BlockKind::Code {
        return plain;
    }
    let heading = matches!(block.kind, BlockKind::Heading | BlockKind::Title);
    let mut words = String::new();
    if document.format != Format::Text && !heading {
        let raw = collapse(document.slice(&block.body));
        if raw == plain && unmarked(&raw) || reads_as(&raw, &plain) {
            words = raw;
        }
    }
    if words.is_empty() {
        words = escape(&plain);
    }
    let whole = match (label.is_empty(), words.is_empty()) {
        (true, _) => words,
        (false, true) => label,
        (false, false) => format!("{label} {words}"),
    };
    if heading {
        // Closing marks are not part of a heading.
        return match whole.strip_suffix('#') {
            Some(rest) => format!("{rest}\\#"),
            None => whole,
        };
    }
    safe_start(&whole)
}

/// The label as printed, with the word before it and the mark after it, without list marker.
fn printed_label(document: &Document, block: &Block, marker: &Marker) -> String {
    if block.label.is_none() {
        return String::new();
    }
    let lead = lead(document, block);
    let rest = match marker {
        Marker::Number(number) => lead.get(number.len()..).unwrap_or_default(),
        _ => lead,
    };
    let plain: String = without_tags(rest)
        .replace("&nbsp;", " ")
        .chars()
        .filter(|c| !matches!(c, '*' | '_' | '\\' | '#' | '`' | '>'))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let trimmed = plain.trim_start_matches([
        ' ', '-', '+', '•', '·', '◦', '▪', '●', '○', '■', '∙', '➢', '►', '✓', '❖', '\u{f0b7}', '–',
        '—', '\u{200b}', '\u{feff}',
    ]);
    let trimmed = trimmed.strip_prefix("o ").unwrap_or(trimmed).trim();
    // "[1. Scope](#scope)": the bracket of a link.
    let trimmed = match trimmed.strip_prefix('[') {
        Some(inner) if !inner.contains(']') => inner,
        _ => trimmed,
    };
    escape(trimmed)
}

/// What stands between a label and its neighbours, without tags; a tag that does not end takes the
/// rest with it.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out += before;
        if tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        } else {
            return out;
        }
    }
    out + rest
}

/// Whether a line holds nothing that Markdown could take for markup: most do, and need not be
/// parsed to see that they read as they stand.
fn unmarked(line: &str) -> bool {
    line.starts_with(char::is_alphabetic)
        && !line.bytes().any(|b| {
            matches!(
                b,
                b'\\' | b'*' | b'_' | b'`' | b'[' | b']' | b'<' | b'&' | b'~' | b'|'
            )
        })
}

/// Whether raw Markdown, read alone, gives these words.
fn reads_as(raw: &str, plain: &str) -> bool {
    let mut text = String::with_capacity(plain.len());
    let mut paragraphs = 0;
    let mut images = 0_u32;
    for (event, range) in Parser::new_ext(raw, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Text(_) if images == 0 => {
                text += raw.get(range).unwrap_or_default();
            }
            Event::Code(code) => text += &code,
            Event::SoftBreak => text.push(' '),
            Event::Start(pulldown_cmark::Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => images = images.saturating_sub(1),
            Event::End(TagEnd::Paragraph) => paragraphs += 1,
            Event::HardBreak | Event::Html(_) | Event::InlineHtml(_) | Event::Rule => return false,
            _ => {}
        }
    }
    paragraphs <= 1 && collapse(&text) == plain
}

/// White space of any kind becomes single spaces; characters without width go.
fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Most of a text is words of ASCII with single spaces, which are taken over whole.
        let mut spaced = out.is_empty() || out.ends_with(' ');
        let same = rest
            .bytes()
            .position(|b| {
                let again = spaced && b == b' ';
                spaced = b == b' ';
                again || !(b == b' ' || b.is_ascii_graphic())
            })
            .unwrap_or(rest.len());
        let (same, after) = rest.split_at_checked(same).unwrap_or((rest, ""));
        out.push_str(same);
        let Some(c) = after.chars().next() else { break };
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !matches!(c, '\u{AD}' | '\u{200B}' | '\u{FEFF}' | '\u{2060}' | '\0') {
            out.push(c);
        }
        rest = after.get(c.len_utf8()..).unwrap_or_default();
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// Puts a backslash before what Markdown would take for markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let special = match c {
            '\\' | '*' | '`' | '[' | ']' => true,
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
            '&' => next.is_ascii_alphabetic() || next == '#',
            '~' => next == '~' || before == '~',
            '|' => true,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// Keeps the start of a line from being taken for a mark of a heading, list or quotation.
fn safe_start(text: &str) -> String {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let at = match bytes.first() {
        Some(b'#' | b'>' | b'+' | b'-' | b'=' | b'~') => Some(0),
        Some(b'*' | b'_') if bytes.get(1).is_none_or(|b| *b == b' ') => Some(0),
        _ if digits > 0 && matches!(bytes.get(digits), Some(b'.' | b')')) => Some(digits),
        _ => None,
    };
    match at {
        Some(at) => {
            let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
            format!("{head}\\{tail}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Input, equivalence_key, read};

    fn document(text: &str, format: Format) -> Document {
        read(&Input {
            bytes: text.as_bytes(),
            format: Some(format),
            ..Input::default()
        })
        .unwrap()
    }

    #[test]
    fn text_becomes_markdown() {
        let text = "Terms of Service\n\nLast updated: May 1, 2026\n\n1. Scope\n\nThese terms apply to all \
                    of the services that we offer to you.\n\n2. Your_account * here\n\nYou must keep your \
                    password secret, and you must not share it.\n\n  \u{2022} 1) with friends;\n  \u{2022} 2) with \
                    others.\n\n3. Changes\n\nWe may change these terms, and we will tell you by e-mail if so.\n";
        assert_eq!(
            of(&document(text, Format::Text)),
            "# Terms of Service\n\nLast updated: May 1, 2026\n\n## 1. Scope\n\nThese terms apply to all of \
             the services that we offer to you.\n\n## 2. Your_account \\* here\n\nYou must keep your \
             password secret, and you must not share it.\n\n- 1\\) with friends;\n- 2\\) with \
             others.\n\n## 3. Changes\n\nWe may change these terms, and we will tell you by e-mail if so.\n"
        );
    }

    #[test]
    fn markdown_keeps_links_and_loses_accidents() {
        let text = "Terms\n=====\n\n**1\\. Scope**\n\nRead [the *policy*](https://example.org/p?x=1)\nwith care.\n\n* one\n    * two\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n<div>raw <b>words</b></div>\n\n**2\\. Law**\n\nThe law of the land applies here.\n";
        let canonical = of(&document(text, Format::Markdown));
        assert_eq!(
            canonical,
            "# Terms\n\n## 1. Scope\n\nRead [the *policy*](https://example.org/p?x=1) with care.\n\n- one\n    - two\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\nraw words\n\n## 2. Law\n\nThe law of the land applies here.\n"
        );
    }

    #[test]
    fn a_label_with_nothing_but_markup_after_it_is_kept() {
        for text in ["> <A>a)**\n", "0. *\n    A\n"] {
            let first = document(text, Format::Markdown);
            let again = document(&of(&first), Format::Markdown);
            assert_eq!(equivalence_key(&again), equivalence_key(&first));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(300))]

        #[test]
        fn canonical_text_stays_the_same(
            lines in proptest::collection::vec(
                "(#{1,3} |[*-] |  - |[0-9]{1,2}[.)] |\\([a-c]\\) |> |\\*\\*|    |)[A-Za-z*_<>&\\[\\]()|. ]{0,30}(\\*\\*|:|\\.)?",
                0..14,
            ),
            blank in proptest::bool::ANY,
        ) {
            let text = lines.join(if blank { "\n\n" } else { "\n" });
            for format in [Format::Markdown, Format::Text] {
                let Ok(first) = read(&Input { bytes: text.as_bytes(), format: Some(format), ..Input::default() }) else {
                    continue;
                };
                let canonical = of(&first);
                if canonical.trim().is_empty() {
                    continue;
                }
                let again = document(&canonical, Format::Markdown);
                let (text, known) = crate::read::canonical_read(first.clone());
                proptest::prop_assert_eq!((text, known.unwrap()), (canonical.clone(), again.clone()));
                // A canonical text is its own, and need not be read again.
                let (text, known) = crate::read::canonical_read(again.clone());
                proptest::prop_assert_eq!((text, known.unwrap()), (canonical.clone(), again.clone()));
                proptest::prop_assert_eq!(of(&again), canonical.clone());
                // Every word is kept.
                let words = |d: &Document| -> String {
                    equivalence_key(d).chars().filter(|c| c.is_alphanumeric()).collect()
                };
                proptest::prop_assert_eq!(words(&first), words(&again), "{}", canonical);
            }
        }
    }
}
