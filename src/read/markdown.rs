//! Markdown into leaves. CommonMark decides where blocks are; where its structure depends on
//! accidents (a list interrupts a paragraph only if it starts at 1, indentation turns items into
//! code), leaves are split further, so that the same words make the same leaves in every version.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{
    BlockKind, Span,
    leaf::{Leaf, Piece, trimmed},
    markup,
};

/// How often indented text may be read again as Markdown of its own.
const MAX_REREAD: u8 = 2;

/// The leaves of a Markdown text, in order, with spans of `text`.
pub(super) fn leaves(text: &str) -> Vec<Piece> {
    let mut reader = Reader::new(text, 0, 0);
    // Seldom too few. Room that is not needed is never touched, growing would touch it twice.
    reader.leaves.reserve(text.len() / 96);
    reader.read(text);
    reader.leaves
}

struct Item {
    start: usize,
    ordered: bool,
    fresh: bool,
}

struct Reader<'a> {
    whole: &'a str,
    /// Offset of the parsed part in `whole`.
    base: usize,
    reread: u8,
    leaves: Vec<Piece>,
    open: Option<Leaf>,
    /// Whether the open leaf was opened by its own start event.
    items: Vec<Item>,
    quotes: usize,
    strong: usize,
    bold_seen: bool,
    plain_seen: bool,
    /// Where the bold words end that the open leaf starts with.
    lead: Option<usize>,
    images: usize,
    last_child_end: usize,
    code: Option<(Span, bool)>,
    html: Option<Span>,
    in_table: bool,
    blank: bool,
}

impl<'a> Reader<'a> {
    fn new(whole: &'a str, base: usize, reread: u8) -> Self {
        Self {
            whole,
            base,
            reread,
            leaves: Vec::new(),
            open: None,
            items: Vec::new(),
            quotes: 0,
            strong: 0,
            bold_seen: false,
            plain_seen: false,
            lead: None,
            images: 0,
            last_child_end: 0,
            code: None,
            html: None,
            in_table: false,
            blank: true,
        }
    }

    fn read(&mut self, part: &str) {
        for (event, range) in Parser::new_ext(part, Options::ENABLE_TABLES).into_offset_iter() {
            let range = range.start + self.base..range.end + self.base;
            self.event(event, range);
        }
        self.close(None);
    }

    fn event(&mut self, event: Event<'_>, range: Span) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(said) => {
                if said.trim().is_empty() && !said.is_empty() && self.is_named_space(&range) {
                    self.blank_start(&range);
                } else if self.code.is_some() {
                    if let (Some((_, false)), Some(leaf)) = (&self.code, &mut self.open) {
                        push_run(&mut leaf.runs, range);
                    }
                } else {
                    self.text(range);
                }
            }
            Event::Code(_) => {
                let ticks = |c: char| c == '`' || c == ' ';
                let slice = self.whole.get(range.clone()).unwrap_or_default();
                let start = range.start + (slice.len() - slice.trim_start_matches(ticks).len());
                let end = range.end - (slice.len() - slice.trim_end_matches(ticks).len());
                self.text(start..end.max(start));
                self.last_child_end = range.end;
            }
            Event::SoftBreak => self.soft_break(range),
            Event::HardBreak => self.hard_break(range),
            Event::Html(_) => {}
            Event::InlineHtml(tag) => {
                if markup::breaks_line(&tag) {
                    self.hard_break(range);
                } else {
                    self.inline(&range);
                    self.last_child_end = range.end;
                }
            }
            Event::Rule => {
                self.close(None);
                let leaf = Leaf::new(BlockKind::Markup, trimmed(self.whole, range));
                self.leaves.push(leaf.into());
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Span) {
        match tag {
            Tag::Paragraph => {
                self.close(None);
                let kind = if self.quotes > 0 {
                    BlockKind::Quote
                } else {
                    BlockKind::Paragraph
                };
                self.open(kind, range);
            }
            Tag::Heading { level, .. } => {
                self.close(None);
                self.open(BlockKind::Heading, trimmed(self.whole, range));
                if let Some(leaf) = &mut self.open {
                    leaf.kind = BlockKind::Heading;
                    leaf.heading = Some(level as u8);
                    leaf.content.start = leaf.content.end;
                }
            }
            Tag::BlockQuote(_) => {
                self.close(None);
                self.quotes += 1;
            }
            Tag::List(_) => self.close(None),
            Tag::Item => {
                self.close(None);
                let ordered = self
                    .whole
                    .get(range.start..)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
                self.items.push(Item {
                    start: range.start,
                    ordered,
                    fresh: true,
                });
            }
            Tag::CodeBlock(kind) => {
                self.close(None);
                let indented = matches!(kind, CodeBlockKind::Indented);
                if !indented {
                    self.open(BlockKind::Code, trimmed(self.whole, range.clone()));
                }
                self.code = Some((range, indented));
            }
            Tag::HtmlBlock => {
                self.close(None);
                self.html = Some(range);
            }
            Tag::Table(_) => {
                self.close(None);
                self.in_table = true;
            }
            Tag::TableHead => self.open(BlockKind::TableHead, trimmed(self.whole, range)),
            Tag::TableRow => self.open(BlockKind::TableRow, trimmed(self.whole, range)),
            Tag::TableCell => {
                let cell = trimmed(self.whole, range);
                if let Some(leaf) = &mut self.open {
                    if !leaf.runs.is_empty() {
                        // A space between the words of two cells.
                        let gap = cell.start.saturating_sub(1);
                        if self
                            .whole
                            .as_bytes()
                            .get(gap)
                            .is_some_and(u8::is_ascii_whitespace)
                        {
                            push_run(&mut leaf.runs, gap..gap + 1);
                        }
                    }
                    leaf.cells.push(cell);
                }
            }
            Tag::Strong => {
                self.inline(&range);
                self.strong += 1;
            }
            Tag::Image { .. } => {
                self.inline(&range);
                self.images += 1;
            }
            Tag::Emphasis | Tag::Strikethrough | Tag::Link { .. } => {
                self.inline(&range);
                self.last_child_end = range.start;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Span) {
        match tag {
            TagEnd::Paragraph => self.close(None),
            TagEnd::Heading(_) => {
                // Closing marks and underlines are no content.
                let end = self.last_child_end;
                if let Some(leaf) = &mut self.open {
                    leaf.content.end = end.clamp(leaf.content.start, leaf.span.end);
                }
                self.close(Some(trimmed(self.whole, range).end));
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                self.close(Some(trimmed(self.whole, range).end));
            }
            TagEnd::Table => self.in_table = false,
            TagEnd::BlockQuote(_) => {
                self.close(None);
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::Item => {
                self.close(None);
                if let Some(item) = self.items.pop()
                    && item.fresh
                {
                    // An item without words of its own.
                    let end = line_end(self.whole, item.start).min(range.end);
                    let mut leaf = Leaf::new(
                        BlockKind::Markup,
                        trimmed(self.whole, item.start..end.max(item.start)),
                    );
                    leaf.content = leaf.span.end..leaf.span.end;
                    if !leaf.span.is_empty()
                        && self
                            .leaves
                            .last()
                            .is_none_or(|last| last.leaf.span.end <= leaf.span.start)
                    {
                        self.leaves.push(leaf.into());
                    }
                }
            }
            TagEnd::CodeBlock => match self.code.take() {
                Some((span, true)) => self.indented(span),
                _ => self.close(Some(trimmed(self.whole, range).end)),
            },
            TagEnd::HtmlBlock => {
                if let Some(span) = self.html.take() {
                    markup::leaves(self.whole, span, &mut self.leaves);
                }
            }
            TagEnd::Strong => {
                self.strong = self.strong.saturating_sub(1);
                self.last_child_end = range.end;
                if self.strong == 0 && self.bold_seen && !self.plain_seen {
                    self.lead = Some(range.end);
                }
                self.extend(range.end);
            }
            TagEnd::Image => {
                self.images = self.images.saturating_sub(1);
                self.target(&range);
            }
            TagEnd::Link => self.target(&range),
            TagEnd::Emphasis | TagEnd::Strikethrough => {
                self.last_child_end = range.end;
                self.extend(range.end);
            }
            _ => {}
        }
    }

    /// Opens a leaf; the first one in an item takes the item's marker.
    fn open(&mut self, kind: BlockKind, range: Span) {
        let mut leaf = Leaf::new(kind, range.clone());
        leaf.after_blank = self.blank_before(range.start);
        leaf.depth = u8::try_from(self.items.len().saturating_sub(1)).unwrap_or(u8::MAX);
        leaf.listed = !self.items.is_empty();
        let last = self.leaves.last().map_or(0, |last| last.leaf.span.end);
        if let Some(item) = self.items.last_mut()
            && item.fresh
            // An empty item inside has its marker already.
            && item.start >= last
        {
            item.fresh = false;
            if kind == BlockKind::Paragraph || kind == BlockKind::Quote {
                leaf.kind = BlockKind::ListItem;
            }
            leaf.span.start = item.start;
            leaf.after_blank = false;
            if item.ordered {
                let digits = self
                    .whole
                    .as_bytes()
                    .get(item.start..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                leaf.number = Some(item.start..item.start + digits);
            }
        }
        self.bold_seen = false;
        self.plain_seen = false;
        self.lead = None;
        self.open = Some(leaf);
        self.last_child_end = range.start;
    }

    fn blank_before(&self, at: usize) -> bool {
        let before = self.whole.get(..at).unwrap_or_default();
        let lines = before.trim_end_matches([' ', '\t', '>', '\u{a0}']);
        let Some(rest) = lines.strip_suffix('\n') else {
            return lines.is_empty();
        };
        let rest = rest.trim_end_matches([' ', '\t', '\r', '>', '\u{a0}']);
        rest.is_empty() || rest.ends_with('\n')
    }

    /// Opens a leaf for text that stands in a tight item.
    fn inline(&mut self, range: &Span) {
        if self.open.is_none() {
            self.open(BlockKind::Paragraph, range.clone());
        }
        if let Some(leaf) = &mut self.open
            && leaf.content.start == leaf.content.end
        {
            leaf.content.start = range.start.min(leaf.content.end);
        }
        self.extend(range.end);
    }

    fn extend(&mut self, end: usize) {
        if let Some(leaf) = &mut self.open {
            leaf.span.end = leaf.span.end.max(end);
            leaf.content.end = leaf.content.end.max(end);
        }
    }

    /// Whether white space is written by its name (`&nbsp;`) where a leaf has no words yet.
    fn is_named_space(&self, range: &Span) -> bool {
        self.whole
            .get(range.clone())
            .is_some_and(|t| t.starts_with('&'))
            && self.code.is_none()
            && self.images == 0
            && self.open.as_ref().is_some_and(|leaf| leaf.runs.is_empty())
    }

    /// Such white space indents, or fills an empty paragraph: it is no word.
    fn blank_start(&mut self, range: &Span) {
        self.last_child_end = range.end;
        self.extend(range.end);
        if let Some(leaf) = &mut self.open {
            leaf.content.start = range.end.min(leaf.content.end);
        }
    }

    fn text(&mut self, range: Span) {
        self.inline(&range);
        self.last_child_end = range.end;
        if self.images > 0 {
            return;
        }
        let said = self.whole.get(range.clone()).unwrap_or_default();
        if said.chars().any(char::is_alphanumeric) {
            // The number of a heading often stands outside of its bold words.
            let number = !self.bold_seen && !said.chars().any(char::is_alphabetic);
            if self.strong > 0 {
                self.bold_seen = true;
            } else if !number {
                self.plain_seen = true;
            }
        }
        if let Some(leaf) = &mut self.open {
            push_run(&mut leaf.runs, range);
        }
    }

    /// A line end inside a paragraph: a new leaf where the next line starts as a list item does.
    fn soft_break(&mut self, range: Span) {
        let next = self.whole.get(range.end..).unwrap_or_default();
        let next = next.trim_start_matches([' ', '\t', '>']);
        if !self.in_table && self.code.is_none() && starts_item(next) {
            self.split(&range);
        } else if let Some(leaf) = &mut self.open {
            push_run(&mut leaf.runs, range.clone());
            self.last_child_end = range.end;
        }
    }

    fn hard_break(&mut self, range: Span) {
        let splits = !self.in_table
            && self
                .open
                .as_ref()
                .is_some_and(|leaf| leaf.kind != BlockKind::Heading);
        if splits {
            self.split(&range);
            return;
        }
        // White space must stay between the words on both sides.
        let slice = self.whole.get(range.clone()).unwrap_or_default();
        let space = slice.find(|c: char| c.is_whitespace());
        if let Some(leaf) = &mut self.open {
            match space {
                Some(at) => push_run(&mut leaf.runs, range.start + at..range.start + at + 1),
                None => push_run(&mut leaf.runs, range.end..range.end),
            }
            leaf.span.end = leaf.span.end.max(range.end);
        }
        self.last_child_end = range.end;
    }

    fn split(&mut self, range: &Span) {
        let Some(leaf) = &self.open else { return };
        let kind = match leaf.kind {
            BlockKind::ListItem => BlockKind::Paragraph,
            kind => kind,
        };
        self.close(Some(range.start));
        let start = self.whole.get(range.end..).map_or(range.end, |rest| {
            range.end + rest.len() - rest.trim_start().len()
        });
        self.open(kind, start..start);
    }

    fn close(&mut self, end: Option<usize>) {
        let Some(mut leaf) = self.open.take() else {
            return;
        };
        if let Some(end) = end {
            leaf.span.end = end.max(leaf.span.start);
        }
        leaf.content.end = leaf.content.end.min(leaf.span.end);
        leaf.content.start = leaf.content.start.min(leaf.content.end);
        self.blank_end(&mut leaf);
        leaf.span = trimmed(self.whole, leaf.span);
        if leaf.span.is_empty() {
            return;
        }
        leaf.bold = self.bold_seen && !self.plain_seen;
        leaf.lead = self.lead.filter(|_| self.plain_seen);
        if leaf.runs.is_empty() {
            leaf.kind = BlockKind::Markup;
            leaf.heading = None;
        }
        self.leaves.push(leaf.into());
    }

    /// White space by name at the end of a leaf is no word either.
    fn blank_end(&self, leaf: &mut Leaf) {
        let bare = |span: &Span| {
            let slice = self.whole.get(span.clone()).unwrap_or_default();
            let mut bare = slice.trim_end();
            while let Some(less) = bare.strip_suffix("&nbsp;") {
                bare = less.trim_end();
            }
            (bare.len() < slice.trim_end().len()).then_some(span.start + bare.len())
        };
        while let Some(last) = leaf.runs.last_mut() {
            let Some(end) = bare(last) else { break };
            last.end = end;
            if last.start >= last.end {
                leaf.runs.pop();
            }
        }
        if let Some(end) = bare(&leaf.content) {
            leaf.content.end = end.max(leaf.content.start);
        }
    }

    /// The address in `[text](address "title")`.
    fn target(&mut self, range: &Span) {
        self.inline(range);
        let from = self.last_child_end.clamp(range.start, range.end);
        let tail = self.whole.get(from..range.end).unwrap_or_default();
        if let Some(open) = tail.find("](") {
            let inner = tail.get(open + 2..).unwrap_or_default();
            let lead = inner.len() - inner.trim_start_matches([' ', '\n', '<']).len();
            let rest = inner.get(lead..).unwrap_or_default();
            let length = rest
                .find([' ', '\n', '>', '"'])
                .unwrap_or_else(|| rest.strip_suffix(')').unwrap_or(rest).len());
            let length =
                if rest.get(..length).is_some_and(|r| r.ends_with(')')) && length == rest.len() {
                    length - 1
                } else {
                    length
                };
            let start = from + open + 2 + lead;
            if let Some(leaf) = &mut self.open
                && length > 0
            {
                leaf.targets.push(start..start + length);
            }
        }
        self.last_child_end = range.end;
        self.extend(range.end);
    }

    /// Indented text is not code in a policy: each of its lines is read as Markdown of its own.
    fn indented(&mut self, span: Span) {
        let Some(slice) = self.whole.get(span.clone()) else {
            return;
        };
        let depth = self.items.len();
        let listed = depth > 0;
        let mut at = span.start;
        for line in slice.split_inclusive('\n') {
            let part = trimmed(self.whole, at..at + line.len());
            at += line.len();
            if part.is_empty() {
                continue;
            }
            if self.reread >= MAX_REREAD {
                let mut leaf = Leaf::new(BlockKind::Paragraph, part.clone());
                leaf.runs.push(part);
                self.leaves.push(leaf.into());
                continue;
            }
            let mut inner = Reader::new(self.whole, part.start, self.reread + 1);
            let text = self.whole.get(part.clone()).unwrap_or_default();
            inner.read(text);
            for mut piece in inner.leaves {
                let leaf = &mut piece.leaf;
                leaf.listed |= listed;
                leaf.depth = leaf
                    .depth
                    .saturating_add(u8::try_from(depth).unwrap_or(u8::MAX));
                if let Some(item) = self.items.last_mut()
                    && item.fresh
                {
                    item.fresh = false;
                    leaf.span.start = item.start;
                }
                self.leaves.push(piece);
            }
        }
        self.blank = true;
    }
}

/// Adds a readable part; neighbours melt into one.
fn push_run(runs: &mut Vec<Span>, range: Span) {
    match runs.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        Some(_) => runs.push(range),
        None => {
            // Most leaves have one.
            runs.reserve_exact(1);
            runs.push(range);
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| from + at)
}

/// Whether a line starts as an item of a list does: `- `, `12. `, `3) `, `(a) `, `• `.
pub(super) fn starts_item(line: &str) -> bool {
    let bytes = line.as_bytes();
    let blank = |at: usize| bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\t'));
    match bytes.first() {
        Some(b'-' | b'*' | b'+') => blank(1),
        Some(b'0'..=b'9') => {
            let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            digits <= 3
                && match bytes.get(digits) {
                    Some(b'.' | b')') => blank(digits + 1),
                    Some(b'\\') => {
                        matches!(bytes.get(digits + 1), Some(b'.' | b')')) && blank(digits + 2)
                    }
                    _ => false,
                }
        }
        Some(b'(') => {
            let inner = bytes
                .iter()
                .skip(1)
                .take(5)
                .take_while(|b| b.is_ascii_alphanumeric())
                .count();
            inner > 0 && inner < 5 && bytes.get(inner + 1) == Some(&b')') && blank(inner + 2)
        }
        _ => {
            line.starts_with(['•', '·', '◦', '▪', '●', '○', '■', '–']) && {
                let mut chars = line.chars();
                chars.next();
                chars.next().is_some_and(char::is_whitespace)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read::{Format, Input, canonical, read};

    fn shown(text: &str) -> String {
        canonical(
            &read(&Input {
                bytes: text.as_bytes(),
                format: Some(Format::Markdown),
                ..Input::default()
            })
            .unwrap(),
        )
    }

    #[test]
    fn white_space_by_name_is_white_space() {
        let text = "# Moss Terms\n\n&nbsp;\n\n**&nbsp;**\n\n&nbsp;&nbsp; We [keep](/k) it.&nbsp;\n\n\
            &nbsp;&nbsp;&nbsp;(a) names;\n\n&nbsp;&nbsp;&nbsp;(b) addresses, and a&nbsp;name.\n";
        let want =
            "# Moss Terms\n\nWe [keep](/k) it.\n\n(a) names;\n\n(b) addresses, and a&nbsp;name.\n";
        assert_eq!(shown(text), want);
    }

    #[test]
    fn paragraphs_in_bold_are_headings_whatever_their_label() {
        let body = "We keep your name and your address for as long as you have an account with us.";
        for labels in [
            ["I.", "II.", "III."],
            ["1.", "2.", "3."],
            ["1\\.", "2\\.", "3\\."],
            ["A.", "B.", "C."],
            ["Article 1", "Article 2", "Article 3"],
            ["", "", ""],
        ] {
            let mut text = "# Moss Privacy Policy\n\n".to_owned();
            for (label, title) in labels.iter().zip(["Data", "Sharing of data", "Our law"]) {
                text += &format!("**{}**\n\n{body}\n\n", format!("{label} {title}").trim());
            }
            let shown = shown(&text);
            assert_eq!(shown.matches("\n## ").count(), 3, "{shown}");
        }
    }

    #[test]
    fn a_sentence_in_bold_and_a_bold_item_are_no_headings() {
        let body = "You agree to these terms when you use the service, and to all that they say.";
        let text = format!(
            "# Moss Terms\n\n{body}\n\n**We may close your account at any time, as the law of \
             Norland lets us, and we say so here and in each letter.**\n\n{body}\n\nWe keep:\n\n\
             - **names**\n- **addresses**\n\n{body}\n"
        );
        let shown = shown(&text);
        assert!(!shown.contains("##"), "{shown}");
    }
}
