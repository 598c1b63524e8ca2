//! One line of canonical Markdown under construction: text with marks, white space made single,
//! escaped where Markdown would eat a character. Pages, PDF and word processing files share it.

/// What a mark at a place in the text means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    StrongStart,
    StrongEnd,
    LinkStart,
    LinkEnd(String),
}

/// The text of a paragraph, heading, item or cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    text: String,
    marks: Vec<(usize, Mark)>,
}

impl Line {
    /// Whether there are no words yet.
    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The words so far, without marks.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds text; white space of any kind becomes one space, invisible characters go.
    pub(super) fn push(&mut self, text: &str) {
        if text.is_ascii() {
            for (i, word) in text.split_ascii_whitespace().enumerate() {
                if i > 0 || text.starts_with(|c: char| c.is_ascii_whitespace()) {
                    self.space();
                }
                if word.bytes().any(|b| b.is_ascii_control()) {
                    self.text.extend(word.chars().filter(|c| !c.is_control()));
                } else {
                    self.text += word;
                }
            }
            if text.ends_with(|c: char| c.is_ascii_whitespace()) {
                self.space();
            }
            return;
        }
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                c if c.is_whitespace() => self.space(),
                '\u{AD}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
                | '\u{FFFC}' => {}
                // Joiners shape letters of some scripts and emoji; between Latin letters they are dirt.
                '\u{200C}' | '\u{200D}' => {
                    let foreign = |c: Option<char>| c.is_some_and(|c| !c.is_ascii());
                    if foreign(self.text.chars().next_back()) && foreign(chars.peek().copied()) {
                        self.text.push(c);
                    }
                }
                c if c.is_control() => {}
                c => self.text.push(c),
            }
        }
    }

    /// Adds one space, unless there is one or nothing stands before.
    pub(super) fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    pub(super) fn strong_start(&mut self) {
        self.marks.push((self.text.len(), Mark::StrongStart));
    }

    pub(super) fn strong_end(&mut self) {
        self.marks.push((self.text.len(), Mark::StrongEnd));
    }

    pub(super) fn link_start(&mut self) {
        self.marks.push((self.text.len(), Mark::LinkStart));
    }

    /// Ends a link; `target` must hold no white space and no brackets.
    pub(super) fn link_end(&mut self, target: &str) {
        self.marks
            .push((self.text.len(), Mark::LinkEnd(target.to_owned())));
    }

    /// The line as Markdown, and an empty line again.
    pub(super) fn take(&mut self, place: Place) -> String {
        let text = std::mem::take(&mut self.text);
        let marks = std::mem::take(&mut self.marks);
        let spans = spans(&text, marks);
        render(&text, &spans, place)
    }
}

/// Where a line stands: it decides what must be escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A paragraph or an item: the start of the line may be taken for a block.
    Block,
    /// A heading: no emphasis of its own.
    Heading,
    /// A cell of a table.
    Cell,
}

struct Spans {
    /// Ranges of strong text, disjoint, in order.
    strong: Vec<std::ops::Range<usize>>,
    links: Vec<(std::ops::Range<usize>, String)>,
}

/// Pairs marks, shrinks them to the words, melts neighbours.
fn spans(text: &str, marks: Vec<(usize, Mark)>) -> Spans {
    let mut strong: Vec<std::ops::Range<usize>> = Vec::new();
    let mut links: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let (mut depth, mut strong_at, mut link_at) = (0_usize, 0, None);
    let close = |strong: &mut Vec<std::ops::Range<usize>>, from: usize, to: usize| {
        let range = shrink(text, from..to);
        if range.is_empty() {
            return;
        }
        match strong.last_mut() {
            Some(last)
                if text
                    .get(last.end..range.start)
                    .is_some_and(|gap| gap.trim().is_empty()) =>
            {
                last.end = range.end;
            }
            _ => strong.push(range),
        }
    };
    for (at, mark) in marks {
        match mark {
            Mark::StrongStart => {
                if depth == 0 {
                    strong_at = at;
                }
                depth += 1;
            }
            Mark::StrongEnd => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    close(&mut strong, strong_at, at);
                }
            }
            Mark::LinkStart => link_at = Some(at),
            Mark::LinkEnd(target) => {
                if let Some(from) = link_at.take() {
                    let range = shrink(text, from..at);
                    let after = links.last().map_or(0, |(last, _)| last.end);
                    if !range.is_empty() && range.start >= after {
                        match links.last_mut() {
                            // One link written as several elements.
                            Some((last, same))
                                if *same == target
                                    && text
                                        .get(last.end..range.start)
                                        .is_some_and(|gap| gap.trim().is_empty()) =>
                            {
                                last.end = range.end;
                            }
                            _ => links.push((range, target)),
                        }
                    }
                }
            }
        }
    }
    if depth > 0 {
        close(&mut strong, strong_at, text.len());
    }
    for (range, _) in &mut links {
        // Whether the full stop is part of the link changes with whoever edited the page last.
        let words = text.get(range.clone()).unwrap_or_default();
        let bare = words.trim_end_matches(['.', ',', ';', ':']).trim_end();
        if !bare.is_empty() {
            range.end = range.start + bare.len();
        }
    }
    Spans { strong, links }
}

/// The range without white space at its ends.
fn shrink(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let slice = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (slice.len() - slice.trim_start().len());
    let end = range.start + slice.trim_end().len();
    start..end.max(start)
}

fn render(text: &str, spans: &Spans, place: Place) -> String {
    let whole = shrink(text, 0..text.len());
    let mut out = String::with_capacity(whole.len() + 16);
    let strong: Vec<_> = if place == Place::Heading {
        Vec::new()
    } else {
        spans
            .strong
            .iter()
            .filter(|range| can_be_strong(text, range, &spans.links))
            .collect()
    };
    let slice = text.get(whole.clone()).unwrap_or_default();
    let plain = strong.is_empty() && spans.links.is_empty() && !slice.bytes().any(is_special);
    if plain {
        // Most lines have nothing to mark and nothing to escape.
        out += slice;
    } else {
        marked(&mut out, slice, whole, spans, strong, place);
    }
    if place == Place::Block {
        protect_start(&mut out);
    }
    if place == Place::Heading && out.ends_with('#') {
        // A closing run of `#` would fall away.
        let at = out.trim_end_matches('#').len();
        out.insert(at, '\\');
    }
    out
}

/// Writes the words with their marks, escaped.
fn marked(
    out: &mut String,
    slice: &str,
    whole: std::ops::Range<usize>,
    spans: &Spans,
    strong: Vec<&std::ops::Range<usize>>,
    place: Place,
) {
    let mut strong = strong.into_iter().peekable();
    let mut links = spans.links.iter().peekable();
    let mut strong_end = None;
    let mut link_end: Option<(usize, &str)> = None;
    let mut previous = None;
    let mut chars = slice.char_indices().peekable();
    loop {
        let at = chars.peek().map_or(whole.end, |(i, _)| whole.start + i);
        if let Some((end, target)) = link_end
            && at >= end
        {
            *out += "](";
            *out += target;
            out.push(')');
            link_end = None;
            previous = None;
        }
        if strong_end.is_some_and(|end| at >= end) {
            *out += "**";
            strong_end = None;
            previous = None;
        }
        if let Some(range) = strong.peek()
            && at >= range.start
        {
            strong_end = Some(range.end);
            *out += "**";
            strong.next();
            previous = None;
        }
        if let Some((range, target)) = links.peek()
            && at >= range.start
        {
            if out.ends_with('!') {
                // `![` would make an image of the link.
                out.pop();
                *out += "\\!";
            }
            link_end = Some((range.end, target));
            out.push('[');
            links.next();
            previous = None;
        }
        let Some((_, c)) = chars.next() else { break };
        let next = chars.peek().map(|(_, c)| *c);
        escape(out, c, previous, next, place, link_end.is_some());
        previous = Some(c);
    }
}

/// Whether `**` around the range would be read as emphasis, and crosses no link.
fn can_be_strong(
    text: &str,
    range: &std::ops::Range<usize>,
    links: &[(std::ops::Range<usize>, String)],
) -> bool {
    let crosses = links.iter().any(|(link, _)| {
        (link.start < range.start && link.end > range.start)
            || (link.start < range.end && link.end > range.end)
    });
    if crosses {
        return false;
    }
    let before = text.get(..range.start).and_then(|t| t.chars().next_back());
    let first = text.get(range.start..).and_then(|t| t.chars().next());
    let last = text.get(..range.end).and_then(|t| t.chars().next_back());
    let after = text.get(range.end..).and_then(|t| t.chars().next());
    let outside = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || is_mark(c));
    // A link at the border puts a bracket there.
    let first_mark =
        first.is_some_and(is_mark) || links.iter().any(|(link, _)| link.start == range.start);
    let last_mark =
        last.is_some_and(is_mark) || links.iter().any(|(link, _)| link.end == range.end);
    (!first_mark || outside(before)) && (!last_mark || outside(after))
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// Bytes that [`escape`] may put a backslash before.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'\\' | b'`' | b'*' | b'_' | b'[' | b']' | b'<' | b'&' | b'|'
    )
}

fn escape(
    out: &mut String,
    c: char,
    previous: Option<char>,
    next: Option<char>,
    place: Place,
    in_link: bool,
) {
    let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let needs = match c {
        '\\' => next.is_none_or(|n| n.is_ascii_punctuation()),
        '`' => true,
        '*' => !(blank(previous) && blank(next)),
        '_' => !(word(previous) && word(next)) && !(blank(previous) && blank(next)),
        '[' => in_link,
        ']' => in_link || matches!(next, None | Some('(' | ':')),
        '<' => next.is_some_and(|n| n.is_ascii_alphabetic() || matches!(n, '/' | '!' | '?')),
        '&' => next.is_some_and(|n| n.is_ascii_alphabetic() || n == '#'),
        '|' => place == Place::Cell,
        _ => false,
    };
    if needs {
        out.push('\\');
    }
    out.push(c);
}

/// Escapes what would make a block of the start of a line.
fn protect_start(line: &mut String) {
    let bytes = line.as_bytes();
    let blank_after = |n: usize| bytes.get(n).is_none_or(|b| *b == b' ');
    let escape = match bytes.first() {
        Some(b'#') => {
            let run = bytes.iter().take_while(|b| **b == b'#').count();
            run <= 6 && blank_after(run)
        }
        Some(b'>') => true,
        Some(b'+') => blank_after(1),
        Some(b'*') => blank_after(1),
        // A dash that the page prints before an item is a bullet; alone it is nothing.
        Some(b'-') => blank_after(1) && bytes.len() < 3 || is_rule(bytes, b'-'),
        Some(b'=') => is_rule(bytes, b'='),
        Some(b'~') => bytes.starts_with(b"~~~"),
        _ => false,
    };
    if escape {
        line.insert(0, '\\');
    }
}

fn is_rule(line: &[u8], mark: u8) -> bool {
    line.iter().all(|b| *b == mark || *b == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(build: impl FnOnce(&mut Line)) -> String {
        let mut line = Line::default();
        build(&mut line);
        line.take(Place::Block)
    }

    #[test]
    fn white_space_is_single_and_invisible_characters_go() {
        assert_eq!(
            line(|l| {
                l.push("  We\u{a0}\n collect");
                l.push(" da\u{ad}ta\u{200b}. ");
            }),
            "We collect data."
        );
        assert_eq!(line(|l| l.push("می\u{200c}خواهم")), "می\u{200c}خواهم");
    }

    #[test]
    fn what_markdown_would_eat_is_escaped() {
        let plain = |text: &str| line(|l| l.push(text));
        assert_eq!(
            plain("2 * 3 *star* snake_case _x_"),
            "2 * 3 \\*star\\* snake_case \\_x\\_"
        );
        assert_eq!(plain("# no heading"), "\\# no heading");
        assert_eq!(plain("#1 choice"), "#1 choice");
        assert_eq!(plain("> a"), "\\> a");
        assert_eq!(plain("---"), "\\---");
        assert_eq!(plain("- item"), "- item");
        assert_eq!(plain("1. item"), "1. item");
        assert_eq!(plain("a <b> &amp; R&D < 3"), "a \\<b> \\&amp; R\\&D < 3");
        assert_eq!(plain("[Company] (us)"), "[Company] (us)");
        assert_eq!(plain("[x](y)"), "[x\\](y)");
    }

    #[test]
    fn marks_shrink_and_melt() {
        assert_eq!(
            line(|l| {
                l.strong_start();
                l.push("One ");
                l.strong_end();
                l.strong_start();
                l.push("two");
                l.strong_end();
                l.push(" three");
            }),
            "**One two** three"
        );
        assert_eq!(
            line(|l| {
                l.push("Read it now!");
                l.link_start();
                l.push(" [here] ");
                l.link_end("https://a.example/b");
                l.push(".");
            }),
            "Read it now! [\\[here\\]](https://a.example/b) ."
        );
        // `**(a)**b` would stay as it is.
        assert_eq!(
            line(|l| {
                l.strong_start();
                l.push("(a)");
                l.strong_end();
                l.push("b");
            }),
            "(a)b"
        );
    }
}
