//! Nodes that were taken, written as canonical Markdown.

use url::Url;

use super::{
    super::markdown_line::{Line, Place},
    furniture::Dropped,
    link,
    page::{Kind, Page, Tag},
    table,
};

/// Deepest list that is shown by indentation.
const MAX_LISTS: usize = 12;

/// Writes stretches of nodes, one after the other.
pub(super) fn write(
    page: &Page<'_>,
    taken: &[std::ops::Range<usize>],
    dropped: &Dropped,
    base: Option<&Url>,
) -> String {
    let mut writer = Writer::new(page, dropped, base);
    for range in taken {
        writer.range(range.clone());
    }
    writer.out.truncate(writer.out.trim_end().len());
    if !writer.out.is_empty() {
        writer.out.push('\n');
    }
    writer.out
}

/// The words of a cell, in one line.
pub(super) fn cell(
    page: &Page<'_>,
    range: std::ops::Range<usize>,
    dropped: &Dropped,
    base: Option<&Url>,
) -> String {
    let mut writer = Writer::new(page, dropped, base);
    writer.in_cell = true;
    writer.range(range);
    writer.line.take(Place::Cell)
}

struct List {
    /// The next number; `None` for bullets.
    next: Option<i64>,
    step: i64,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Decimal,
    Letter { upper: bool },
    Roman { upper: bool },
}

/// An open item of a list.
struct Item {
    /// Its marker, until its first words are written.
    marker: Option<String>,
    /// Columns that its further paragraphs are indented by.
    indent: usize,
}

/// An open element and what its end closes.
struct Open {
    end: usize,
    closes: Closes,
}

enum Closes {
    Block,
    Heading,
    Strong,
    Link,
    List,
    Item,
    Quote,
    Quotation,
    Pre,
}

struct Writer<'a, 'b> {
    page: &'b Page<'a>,
    dropped: &'b Dropped,
    base: Option<&'b Url>,
    out: String,
    line: Line,
    open: Vec<Open>,
    lists: Vec<List>,
    items: Vec<Item>,
    heading: Option<u8>,
    /// Level of the last heading, for folded parts.
    level: u8,
    strong: usize,
    link: Option<String>,
    quotes: usize,
    pre: usize,
    breaks: usize,
    in_cell: bool,
    /// The last thing written was the first line of an item.
    after_item: bool,
}

impl<'a, 'b> Writer<'a, 'b> {
    fn new(page: &'b Page<'a>, dropped: &'b Dropped, base: Option<&'b Url>) -> Self {
        Self {
            page,
            dropped,
            base,
            out: String::new(),
            line: Line::default(),
            open: Vec::new(),
            lists: Vec::new(),
            items: Vec::new(),
            heading: None,
            level: 1,
            strong: 0,
            link: None,
            quotes: 0,
            pre: 0,
            breaks: 0,
            in_cell: false,
            after_item: false,
        }
    }

    fn range(&mut self, range: std::ops::Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            self.close_until(at);
            let Some(node) = self.page.node(at) else {
                break;
            };
            if self.dropped.contains_key(&at) {
                if node.tag().is_some_and(Tag::is_block) {
                    self.flush();
                }
                at = node.end;
                continue;
            }
            match node.kind {
                Kind::Text(text) => self.text(text),
                Kind::Element(tag, _) => {
                    if self.element(at, tag) {
                        at = node.end;
                        continue;
                    }
                }
            }
            at += 1;
        }
        self.close_until(usize::MAX);
        if !self.in_cell {
            self.flush();
        }
    }

    fn close_until(&mut self, at: usize) {
        while self.open.last().is_some_and(|open| open.end <= at) {
            let Some(open) = self.open.pop() else { return };
            match open.closes {
                Closes::Block => self.flush(),
                Closes::Heading => {
                    self.flush();
                    self.heading = None;
                }
                Closes::Strong => {
                    self.strong = self.strong.saturating_sub(1);
                    self.line.strong_end();
                }
                Closes::Link => {
                    if let Some(target) = self.link.take() {
                        self.line.link_end(&target);
                    }
                }
                Closes::List => {
                    self.flush();
                    self.lists.pop();
                }
                Closes::Item => {
                    self.flush();
                    self.items.pop();
                }
                Closes::Quote => {
                    self.flush();
                    self.quotes = self.quotes.saturating_sub(1);
                }
                Closes::Quotation => self.line.push("”"),
                Closes::Pre => {
                    self.flush();
                    self.pre = self.pre.saturating_sub(1);
                }
            }
        }
    }

    fn push_open(&mut self, at: usize, closes: Closes) {
        let end = self.page.node(at).map_or(at + 1, |n| n.end);
        self.open.push(Open { end, closes });
    }

    /// Begins an element; true when it was written as a whole.
    fn element(&mut self, at: usize, tag: Tag) -> bool {
        match tag {
            Tag::Heading(level) => {
                self.flush();
                self.heading = Some(level);
                self.push_open(at, Closes::Heading);
            }
            Tag::Summary => self.folded_heading(at),
            Tag::Button => {
                if self.heading.is_some() {
                    return false;
                }
                self.folded_heading(at);
            }
            Tag::Ul | Tag::Ol => {
                self.flush();
                self.begin_list(at, tag);
            }
            Tag::Dl => {
                self.flush();
                self.lists.push(List {
                    next: None,
                    step: 1,
                    style: Style::Decimal,
                });
                self.push_open(at, Closes::List);
            }
            Tag::Li => {
                self.flush();
                self.begin_item(at);
            }
            Tag::Dt => {
                self.flush();
                self.begin_term(at);
            }
            Tag::Quote => {
                self.flush();
                self.quotes += 1;
                self.push_open(at, Closes::Quote);
            }
            Tag::Pre => {
                self.flush();
                self.pre += 1;
                self.push_open(at, Closes::Pre);
            }
            Tag::Table => {
                self.flush();
                if !self.in_cell
                    && let Some(rows) = table::rows(self.page, at, self.dropped, self.base)
                {
                    self.block(&rows, false);
                    return true;
                }
                self.push_open(at, Closes::Block);
            }
            Tag::Br => self.breaks += 1,
            Tag::Hr => self.flush(),
            Tag::Wbr => {}
            Tag::Strong => self.begin_strong(at),
            Tag::Link => return self.begin_link(at),
            Tag::Inline => return self.inline(at),
            tag if tag.is_block() => {
                self.flush();
                self.push_open(at, Closes::Block);
            }
            _ => {}
        }
        false
    }

    fn inline(&mut self, at: usize) -> bool {
        let Some(element) = self.page.node(at).and_then(|n| n.element()) else {
            return false;
        };
        if let Some(address) = element.attr("data-cfemail").and_then(link::unmask_email) {
            self.text(&address);
            return true;
        }
        if element.name() == "q" {
            self.text("“");
            self.push_open(at, Closes::Quotation);
            return false;
        }
        let style = element.attr("style").unwrap_or_default();
        if is_bold(style) || element.classes().any(is_bold_class) {
            self.begin_strong(at);
        } else if style.contains("display:block") || style.contains("display: block") {
            self.flush();
            self.push_open(at, Closes::Block);
        }
        false
    }

    fn begin_strong(&mut self, at: usize) {
        self.settle_breaks("");
        self.strong += 1;
        self.line.strong_start();
        self.push_open(at, Closes::Strong);
    }

    fn begin_link(&mut self, at: usize) -> bool {
        let node = self.page.node(at);
        let href = node.and_then(|n| n.attr("href")).unwrap_or_default();
        if let Some((_, masked)) = href.split_once("/cdn-cgi/l/email-protection#")
            && let Some(address) = link::unmask_email(masked)
        {
            let words = self.page.words(at);
            self.settle_breaks(&words);
            self.line.link_start();
            let hidden = words.is_empty() || words.contains('[') && words.contains("protected");
            self.line.push(if hidden { &address } else { &words });
            self.line.link_end(&format!("mailto:{address}"));
            return true;
        }
        if self.link.is_none()
            && let Some(target) = link::target(href, self.base)
        {
            self.settle_breaks("");
            self.line.link_start();
            self.link = Some(target);
            self.push_open(at, Closes::Link);
        }
        false
    }

    /// The visible line of a folded part is its heading.
    fn folded_heading(&mut self, at: usize) {
        self.flush();
        let end = self.page.node(at).map_or(at, |n| n.end);
        let headed = (at..end).any(|i| matches!(self.page.tag(i), Some(Tag::Heading(_))));
        if headed || !self.items.is_empty() {
            self.push_open(at, Closes::Block);
        } else {
            self.heading = Some((self.level + 1).min(6) | 0x80);
            self.push_open(at, Closes::Heading);
        }
    }

    fn begin_list(&mut self, at: usize, tag: Tag) {
        // An item without words of its own before its list: the bullet says nothing.
        if let Some(item) = self.items.last_mut()
            && item.marker.as_deref() == Some("-")
        {
            item.marker = None;
            item.indent = 0;
        }
        let element = self.page.node(at).and_then(|n| n.element());
        let attr = |name: &str| element.and_then(|e| e.attr(name));
        let style = attr("style").unwrap_or_default();
        let unmarked = style.contains("list-style:none")
            || style.contains("list-style: none")
            || style.contains("list-style-type: none")
            || style.contains("list-style-type:none");
        let reversed = attr("reversed").is_some();
        let start = attr("start").and_then(|v| v.trim().parse::<i64>().ok());
        let count = || {
            self.page
                .children(at)
                .filter(|c| self.page.tag(*c) == Some(Tag::Li))
                .count()
        };
        let first = start.unwrap_or_else(|| {
            if reversed {
                i64::try_from(count()).unwrap_or(1)
            } else {
                1
            }
        });
        self.lists.push(List {
            next: (tag == Tag::Ol && !unmarked).then_some(first),
            step: if reversed { -1 } else { 1 },
            style: list_style(attr("type"), style),
        });
        self.push_open(at, Closes::List);
    }

    fn begin_item(&mut self, at: usize) {
        let value = self
            .page
            .node(at)
            .and_then(|n| n.attr("value"))
            .and_then(|v| v.trim().parse::<i64>().ok());
        let marker = match self.lists.last_mut() {
            Some(List {
                next: Some(next),
                step,
                style,
            }) => {
                if let Some(value) = value {
                    *next = value;
                }
                let number = *next;
                *next = next.saturating_add(*step);
                number_marker(number, *style)
            }
            _ => "-".to_owned(),
        };
        self.items.push(Item {
            indent: if self.items.len() < MAX_LISTS {
                marker.find(' ').unwrap_or(marker.len()) + 1
            } else {
                0
            },
            marker: Some(marker),
        });
        self.push_open(at, Closes::Item);
    }

    /// A term of a definition list is an item; its definitions, up to the next term, belong to it.
    fn begin_term(&mut self, at: usize) {
        let mut end = self.page.node(at).map_or(at + 1, |n| n.end);
        let holder = self.page.node(at).map_or(0, |n| n.parent);
        let mut previous_is_term = false;
        for sibling in self.page.children(holder) {
            if sibling < at {
                previous_is_term = match self.page.tag(sibling) {
                    Some(Tag::Dt) => true,
                    None => previous_is_term,
                    _ => false,
                };
                continue;
            }
            match self.page.tag(sibling) {
                Some(Tag::Dt) if sibling > at => break,
                _ => end = self.page.node(sibling).map_or(end, |n| n.end),
            }
        }
        let _ = previous_is_term;
        self.items.push(Item {
            marker: Some("-".to_owned()),
            indent: if self.items.len() < MAX_LISTS { 2 } else { 0 },
        });
        self.open.push(Open {
            end,
            closes: Closes::Item,
        });
        self.strong += 1;
        self.line.strong_start();
        self.push_open(at, Closes::Strong);
        self.push_open(at, Closes::Block);
    }

    fn text(&mut self, text: &str) {
        if self.pre > 0 && !self.in_cell {
            self.preformatted(text);
            return;
        }
        if self.breaks > 0 && text.chars().any(|c| !c.is_whitespace()) {
            self.settle_breaks(text);
        }
        self.line.push(text);
    }

    /// Line breaks before more words: a new paragraph, unless a sentence goes on.
    fn settle_breaks(&mut self, next: &str) {
        if self.breaks == 0 {
            return;
        }
        let breaks = std::mem::take(&mut self.breaks);
        let before = self.line.text().trim_end();
        let next = next.trim_start();
        // A sentence that goes on, or whole sentences on both sides: addresses and lists stay apart.
        let goes_on = breaks == 1
            && before.len() > 40
            && if next.starts_with(char::is_lowercase) {
                !before.ends_with(['.', ':', ';', '!', '?'])
            } else {
                before.len() > 60
                    && next.len() > 60
                    && before.ends_with(['.', '!', '?'])
                    && next.starts_with(char::is_uppercase)
                    && starts_with_label(next).is_none()
            };
        if self.in_cell || self.heading.is_some() || goes_on {
            self.line.space();
        } else {
            self.flush();
        }
    }

    /// Text that was set line by line: empty lines part paragraphs, other line ends are spaces
    /// unless an item or a number starts the next line.
    fn preformatted(&mut self, text: &str) {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                let starts = line
                    .trim_start()
                    .starts_with(|c: char| c.is_ascii_digit() || "-*•(".contains(c));
                if line.trim().is_empty() || starts {
                    self.flush();
                } else {
                    self.line.space();
                }
            }
            self.line.push(line);
        }
    }

    /// Ends the line: it becomes a block.
    fn flush(&mut self) {
        self.breaks = 0;
        if self.in_cell {
            self.line.space();
            return;
        }
        if self.line.is_empty() {
            return;
        }
        for _ in 0..self.strong {
            self.line.strong_end();
        }
        if let Some(target) = &self.link {
            self.line.link_end(target);
        }
        match self.heading {
            Some(level) => self.heading_block(level),
            None => self.paragraph(),
        }
        if self.link.is_some() {
            self.line.link_start();
        }
        for _ in 0..self.strong {
            self.line.strong_start();
        }
    }

    fn heading_block(&mut self, level: u8) {
        let words = self.line.take(Place::Heading);
        if words.is_empty() {
            return;
        }
        let folded = level & 0x80 != 0;
        let level = level & 0x7f;
        if !folded {
            self.level = level;
        }
        // An item that is a section: its number belongs to the heading, its text to the section.
        let mut number = String::new();
        for item in &mut self.items {
            if let Some(marker) = item.marker.take()
                && marker != "-"
            {
                number = marker.trim_start_matches("- ").to_owned() + " ";
            }
            item.indent = 0;
        }
        if starts_with_label(&words).is_some() {
            number.clear();
        }
        let marks = "#".repeat(usize::from(level.clamp(1, 6)));
        self.block(&format!("{marks} {number}{words}"), false);
    }

    fn paragraph(&mut self) {
        let mut words = self.line.take(Place::Block);
        if words.is_empty() {
            return;
        }
        // A bullet that the page prints as a letter.
        for bullet in ["• ", "· ", "▪ ", "● ", "◦ ", "‣ "] {
            if let Some(rest) = words.strip_prefix(bullet) {
                words = format!("- {}", rest.trim_start());
                break;
            }
        }
        let indent: usize = self
            .items
            .iter()
            .rev()
            .skip(1)
            .map(|item| item.indent)
            .sum();
        let Some(item) = self.items.last_mut() else {
            self.block(&words, words.starts_with("- "));
            return;
        };
        let Some(marker) = item.marker.take() else {
            let pad = " ".repeat(indent + item.indent);
            self.block(&(pad + &words), false);
            return;
        };
        let first = match starts_with_label(&words) {
            // The item prints its own number.
            Some(true) => {
                item.indent = words.find(' ').unwrap_or(1) + 1;
                words
            }
            Some(false) if marker != "-" => {
                item.indent = 2;
                format!("- {words}")
            }
            _ if words.starts_with("- ") => words,
            _ => format!("{marker} {words}"),
        };
        let pad = " ".repeat(indent);
        self.block(&(pad + &first), true);
    }

    /// Writes a block, parted from the one before.
    fn block(&mut self, text: &str, item: bool) {
        if !self.out.is_empty() {
            self.out += if item && self.after_item {
                "\n"
            } else {
                "\n\n"
            };
        }
        if self.quotes > 0 {
            let marks = "> ".repeat(self.quotes.min(4));
            for (i, line) in text.lines().enumerate() {
                if i > 0 {
                    self.out.push('\n');
                }
                self.out += &marks;
                self.out += line;
            }
        } else {
            self.out += text;
        }
        self.after_item = item && self.quotes == 0;
    }
}

/// Whether a line begins with a printed label: true for one that Markdown reads as a list number.
fn starts_with_label(words: &str) -> Option<bool> {
    let inner = words.strip_prefix('(').unwrap_or(words);
    let length = inner
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'.')
        .count();
    let label = inner.get(..length)?;
    let after = inner.get(length..)?;
    let core = label.trim_end_matches('.');
    let number = !core.is_empty()
        && core.len() <= 8
        && core.split('.').all(|part| {
            !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit())
        });
    let letter = core.len() == 1 && core.bytes().all(|b| b.is_ascii_alphabetic())
        || core.len() <= 4 && !core.is_empty() && core.bytes().all(|b| b"ivxIVX".contains(&b));
    if !number && !letter {
        return None;
    }
    let bracket = after.starts_with(')');
    let after = after.strip_prefix(')').unwrap_or(after);
    if !after.starts_with(' ') {
        return None;
    }
    let closed = bracket || label.ends_with('.') || number && core.contains('.');
    closed.then(|| {
        number
            && !core.contains('.')
            && !words.starts_with('(')
            && (label.ends_with('.') != bracket)
    })
}

fn list_style(kind: Option<&str>, style: &str) -> Style {
    let letter = |upper| Style::Letter { upper };
    let roman = |upper| Style::Roman { upper };
    match kind.map(str::trim) {
        Some("a") => return letter(false),
        Some("A") => return letter(true),
        Some("i") => return roman(false),
        Some("I") => return roman(true),
        _ => {}
    }
    let style = style.to_ascii_lowercase();
    if style.contains("lower-alpha") || style.contains("lower-latin") {
        letter(false)
    } else if style.contains("upper-alpha") || style.contains("upper-latin") {
        letter(true)
    } else if style.contains("lower-roman") {
        roman(false)
    } else if style.contains("upper-roman") {
        roman(true)
    } else {
        Style::Decimal
    }
}

/// The marker of a numbered item; letters and Roman numbers are no markers in Markdown, so they
/// stand behind a bullet.
fn number_marker(number: i64, style: Style) -> String {
    let cased = |text: String, upper: bool| if upper { text.to_uppercase() } else { text };
    match style {
        // Markdown knows no numbers beyond nine digits, and none below zero.
        Style::Decimal if (0..1_000_000_000).contains(&number) => format!("{number}."),
        Style::Letter { upper } if number > 0 => {
            format!("- {}.", cased(letters(number), upper))
        }
        Style::Roman { upper } if (1..4000).contains(&number) => {
            format!("- {}.", cased(roman(number), upper))
        }
        _ => format!("- {number}."),
    }
}

/// 1 is `a`, 27 is `aa`.
fn letters(number: i64) -> String {
    let mut rest = number;
    let mut text = Vec::new();
    while rest > 0 {
        let digit = (rest - 1) % 26;
        text.push(char::from(b'a' + u8::try_from(digit).unwrap_or(0)));
        rest = (rest - 1) / 26;
    }
    text.into_iter().rev().collect()
}

/// Roman numbers up to 3999, in lower case.
pub(crate) fn roman(number: i64) -> String {
    const PARTS: &[(i64, &str)] = &[
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut rest = number;
    let mut text = String::new();
    for (value, letters) in PARTS {
        while rest >= *value {
            text += letters;
            rest -= value;
        }
    }
    text
}

fn is_bold(style: &str) -> bool {
    let Some((_, after)) = style.split_once("font-weight") else {
        return false;
    };
    let value = after.trim_start_matches([':', ' ']);
    value.starts_with("bold") || value.starts_with(['6', '7', '8', '9'])
}

fn is_bold_class(class: &str) -> bool {
    matches!(
        class,
        "bold"
            | "font-bold"
            | "fw-bold"
            | "fw-bolder"
            | "font-weight-bold"
            | "font-semibold"
            | "text-bold"
            | "strong"
            | "fw-semibold"
    )
}
