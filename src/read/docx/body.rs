//! The text of a word processing file, paragraph by paragraph, as Markdown.

use std::collections::BTreeMap;

use super::{
    super::{
        ReadError,
        markdown_line::{Line, Place},
    },
    numbering::{Label, Numbering},
    styles::Styles,
    xml::{Element, Step, walk},
};

/// Elements whose content is not part of the accepted text.
const SKIPPED: &[&str] = &[
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "delText",
    "delInstrText",
    "pPrChange",
    "rPrChange",
    "tblPrChange",
    "tcPrChange",
    "trPrChange",
    "sectPrChange",
    "numberingChange",
    "sdtPr",
    "fldData",
    "binData",
    "cellDel",
];
/// Longest cell of a table, in bytes of text.
const LONGEST_CELL: usize = 3000;

/// A block of the result.
struct Block {
    text: String,
    /// Level of a heading; 0 is the title.
    heading: Option<u8>,
    item: bool,
}

#[derive(Default)]
struct Paragraph {
    line: Line,
    style: Option<String>,
    list: Option<String>,
    level: Option<usize>,
    outline: Option<u8>,
    /// Its mark was deleted: the next paragraph goes on with it.
    joined: bool,
    in_properties: bool,
    in_run_properties: bool,
    bold: bool,
    strong: bool,
    hidden: bool,
    link: Option<String>,
    /// Blocks that line breaks have already cut off.
    breaks: usize,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<Cell>>,
    row_deleted: bool,
    /// The cell is the lower part of one above.
    continued: bool,
    span: usize,
}

#[derive(Default)]
struct Cell {
    text: String,
    blocks: Vec<Block>,
}

/// The reader of the main part.
pub(super) struct Body {
    styles: Styles,
    numbering: Numbering,
    links: BTreeMap<String, String>,
    blocks: Vec<Block>,
    paragraphs: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Start of a paragraph whose mark was deleted.
    carried: Option<Paragraph>,
    skip: usize,
    text: bool,
    notes: Vec<(bool, String)>,
    titled: bool,
}

impl Body {
    pub(super) fn new(
        styles: Styles,
        numbering: Numbering,
        links: BTreeMap<String, String>,
    ) -> Self {
        Self {
            styles,
            numbering,
            links,
            blocks: Vec::new(),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            carried: None,
            skip: 0,
            text: false,
            notes: Vec::new(),
            titled: false,
        }
    }

    /// Reads the main part.
    pub(super) fn read(&mut self, part: &str) -> Result<(), ReadError> {
        walk(part, |step| match step {
            Step::Start(element) => self.start(element),
            Step::End(name) => self.end(name),
            Step::Text(text) => {
                if self.skip == 0
                    && self.text
                    && let Some(paragraph) = self.paragraphs.last_mut()
                    && !paragraph.hidden
                {
                    paragraph.line.push(text);
                }
            }
        })?;
        // A part that is cut off loses nothing that was read.
        while !self.paragraphs.is_empty() {
            self.end_paragraph();
        }
        while !self.tables.is_empty() {
            self.end_table();
        }
        if let Some(carried) = self.carried.take() {
            self.paragraphs.push(carried);
            self.end_paragraph();
        }
        Ok(())
    }

    fn start(&mut self, element: &Element<'_>) {
        if self.skip > 0 {
            self.skip += 1;
            return;
        }
        let name = element.name;
        if SKIPPED.contains(&name) {
            match name {
                "del" => self.deleted_mark(),
                "cellDel" => {}
                _ => {}
            }
            self.skip = 1;
            return;
        }
        match name {
            "p" => {
                let paragraph = self.carried.take().unwrap_or_default();
                self.paragraphs.push(paragraph);
            }
            "tbl" => self.tables.push(Table::default()),
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.row_deleted = false;
                    table.rows.push(Vec::new());
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    table.span = 1;
                    table.continued = false;
                    if let Some(row) = table.rows.last_mut() {
                        row.push(Cell::default());
                    }
                }
            }
            "gridSpan" => {
                if let Some(table) = self.tables.last_mut() {
                    table.span = element
                        .attr("val")
                        .and_then(|v| v.parse::<usize>().ok())
                        .unwrap_or(1)
                        .clamp(1, 40);
                }
            }
            "vMerge" => {
                if let Some(table) = self.tables.last_mut() {
                    table.continued = element.attr("val").as_deref() != Some("restart");
                }
            }
            "footnoteReference" | "endnoteReference" => {
                if let Some(id) = element.attr("id")
                    && let Some(paragraph) = self.paragraphs.last_mut()
                {
                    self.notes.push((name == "footnoteReference", id));
                    paragraph.line.push(&format!("[{}]", self.notes.len()));
                }
            }
            _ => self.start_in_paragraph(element),
        }
    }

    fn start_in_paragraph(&mut self, element: &Element<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        let value = || element.attr("val");
        match element.name {
            "pPr" => paragraph.in_properties = true,
            "pStyle" => paragraph.style = value(),
            "numId" if paragraph.in_properties => paragraph.list = value(),
            "ilvl" if paragraph.in_properties => {
                paragraph.level = value().and_then(|v| v.parse().ok());
            }
            "outlineLvl" if paragraph.in_properties => {
                paragraph.outline = value().and_then(|v| v.parse().ok());
            }
            "r" => {
                paragraph.bold = false;
                paragraph.hidden = false;
            }
            "rPr" => paragraph.in_run_properties = true,
            "b" if paragraph.in_run_properties && !paragraph.in_properties => {
                paragraph.bold = element.on();
            }
            "vanish" if paragraph.in_run_properties && !paragraph.in_properties => {
                paragraph.hidden = element.on();
            }
            "t" => {
                self.text = true;
                if paragraph.bold && !paragraph.strong {
                    paragraph.line.strong_start();
                    paragraph.strong = true;
                } else if !paragraph.bold && paragraph.strong {
                    paragraph.line.strong_end();
                    paragraph.strong = false;
                }
            }
            "tab" if !paragraph.in_properties => paragraph.line.push("\t"),
            "noBreakHyphen" => paragraph.line.push("-"),
            "br" | "cr" => {
                let kind = element.attr("type");
                if kind.as_deref().is_none_or(|k| k == "textWrapping") {
                    paragraph.breaks += 1;
                    paragraph.line.space();
                }
            }
            "hyperlink" => {
                paragraph.link = element
                    .attr("id")
                    .and_then(|id| self.links.get(&id))
                    .filter(|target| {
                        ["http://", "https://", "mailto:", "tel:"]
                            .iter()
                            .any(|scheme| target.starts_with(scheme))
                    })
                    .map(|target| target_text(target));
                if paragraph.link.is_some() {
                    paragraph.line.link_start();
                }
            }
            _ => {}
        }
    }

    /// `w:del` as a property: the paragraph's mark or the table's row is deleted.
    fn deleted_mark(&mut self) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            if paragraph.in_properties {
                paragraph.joined = true;
            }
        } else if let Some(table) = self.tables.last_mut() {
            table.row_deleted = true;
        }
    }

    fn end(&mut self, name: &str) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        match name {
            "p" => self.end_paragraph(),
            "tbl" => self.end_table(),
            "tr" => {
                if let Some(table) = self.tables.last_mut()
                    && std::mem::take(&mut table.row_deleted)
                {
                    table.rows.pop();
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    let span = table.span.max(1);
                    if let Some(row) = table.rows.last_mut() {
                        for _ in 1..span {
                            row.push(Cell::default());
                        }
                    }
                }
            }
            "pPr" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.in_properties = false;
                }
            }
            "rPr" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.in_run_properties = false;
                }
            }
            "t" => self.text = false,
            "hyperlink" => {
                if let Some(paragraph) = self.paragraphs.last_mut()
                    && let Some(target) = paragraph.link.take()
                {
                    paragraph.line.link_end(&target);
                }
            }
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let Some(mut paragraph) = self.paragraphs.pop() else {
            return;
        };
        if paragraph.joined && self.tables.is_empty() {
            paragraph.joined = false;
            paragraph.in_properties = false;
            self.carried = Some(paragraph);
            return;
        }
        if paragraph.strong {
            paragraph.line.strong_end();
        }
        if paragraph.line.is_empty() {
            return;
        }
        let style = self.styles.resolve(paragraph.style.as_deref());
        let outline = paragraph.outline.filter(|o| *o < 9).or(style.outline);
        let list = paragraph.list.clone().or_else(|| style.list.clone());
        let level = paragraph.level.or(style.level).unwrap_or(0);
        let label = match list.as_deref() {
            Some("0") | None => Label::None,
            Some(id) => self.numbering.next(id, level),
        };
        if let Some(cell) = self
            .tables
            .last_mut()
            .and_then(|table| table.rows.last_mut())
            .and_then(|row| row.last_mut())
        {
            let number = match &label {
                Label::Number(number) => format!("{number} "),
                _ => String::new(),
            };
            let words = paragraph.line.clone().take(Place::Cell);
            if !cell.text.is_empty() {
                cell.text.push(' ');
            }
            cell.text += &number;
            cell.text += &words;
        }
        let heading = if style.title {
            self.titled = true;
            Some(0)
        } else {
            outline.map(|level| level + 1)
        };
        let block = if heading.is_some() {
            let words = paragraph.line.take(Place::Heading);
            let number = match label {
                Label::Number(number) => number + " ",
                _ => String::new(),
            };
            Block {
                text: number + &words,
                heading,
                item: false,
            }
        } else {
            let mut words = paragraph.line.take(Place::Block);
            if style.contents {
                words = without_page_number(&words);
            }
            listed(words, &label, level)
        };
        self.push(block);
    }

    fn push(&mut self, block: Block) {
        let cell = self
            .tables
            .last_mut()
            .and_then(|table| table.rows.last_mut())
            .and_then(|row| row.last_mut());
        match cell {
            Some(cell) => cell.blocks.push(block),
            None => self.blocks.push(block),
        }
    }

    fn end_table(&mut self) {
        let Some(table) = self.tables.pop() else {
            return;
        };
        let rows: Vec<Vec<Cell>> = table
            .rows
            .into_iter()
            .filter(|row| row.iter().any(|cell| !cell.text.is_empty()))
            .collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let facts = rows.len() > 1
            && width > 1
            && rows.iter().flatten().all(|cell| {
                cell.text.len() <= LONGEST_CELL
                    && cell.blocks.iter().all(|block| block.heading.is_none())
            });
        // A table in a cell is text of that cell; facts within facts have no form in Markdown.
        if !facts || !self.tables.is_empty() {
            for block in rows.into_iter().flatten().flat_map(|cell| cell.blocks) {
                if let Some(outer) = self
                    .tables
                    .last_mut()
                    .and_then(|table| table.rows.last_mut())
                    .and_then(|row| row.last_mut())
                {
                    outer.text.push(' ');
                    outer.text += &block.text.replace('|', "\\|").replace('\n', " ");
                }
                self.push(block);
            }
            return;
        }
        let mut text = String::new();
        for (i, row) in rows.iter().enumerate() {
            text.push('|');
            for column in 0..width {
                let words = row.get(column).map_or("", |cell| cell.text.as_str());
                text.push(' ');
                text += words;
                if !words.is_empty() {
                    text.push(' ');
                }
                text.push('|');
            }
            text.push('\n');
            if i == 0 {
                text.push('|');
                text += &" --- |".repeat(width);
                text.push('\n');
            }
        }
        text.truncate(text.trim_end().len());
        self.push(Block {
            text,
            heading: None,
            item: false,
        });
    }

    /// The Markdown, with the notes that the text refers to at its end.
    pub(super) fn finish(mut self, footnotes: &str, endnotes: &str) -> Result<String, ReadError> {
        let references = std::mem::take(&mut self.notes);
        let footnotes = notes(footnotes, "footnote")?;
        let endnotes = notes(endnotes, "endnote")?;
        for (i, (foot, id)) in references.iter().enumerate() {
            let words = if *foot { &footnotes } else { &endnotes }.get(id);
            if let Some(words) = words.filter(|words| !words.is_empty()) {
                let mut line = Line::default();
                line.push(&format!("[{}] {words}", i + 1));
                self.blocks.push(Block {
                    text: line.take(Place::Block),
                    heading: None,
                    item: false,
                });
            }
        }
        let below_title = u8::from(self.titled);
        let mut out = String::new();
        let mut after_item = false;
        for block in &self.blocks {
            if !out.is_empty() {
                out += if block.item && after_item {
                    "\n"
                } else {
                    "\n\n"
                };
            }
            after_item = block.item;
            if let Some(level) = block.heading {
                let level = if level == 0 { 1 } else { level + below_title };
                out += &"#".repeat(usize::from(level.clamp(1, 6)));
                out.push(' ');
            }
            out += &block.text;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        Ok(out)
    }
}

/// A paragraph with its label: bullets and plain decimals are list items of Markdown.
fn listed(words: String, label: &Label, level: usize) -> Block {
    let indent = "  ".repeat(level.min(8));
    let (text, item) = match label {
        Label::None => {
            let bullet = words
                .strip_prefix("• ")
                .or_else(|| words.strip_prefix("· "));
            match bullet {
                Some(rest) => (format!("- {rest}"), true),
                None => (words, false),
            }
        }
        Label::Bullet => (format!("{indent}- {words}"), true),
        Label::Number(number) => {
            let decimal = number.strip_suffix(['.', ')']).is_some_and(|n| {
                !n.is_empty() && n.len() < 9 && n.bytes().all(|b| b.is_ascii_digit())
            });
            // Deeper numbers stand as printed: `1.1`, `(a)`, `Article 4`.
            if decimal && level == 0 {
                (format!("{number} {words}"), true)
            } else if level == 0 || number.contains('.') && number.len() > 2 {
                (format!("{number} {words}"), false)
            } else {
                (format!("{indent}- {number} {words}"), true)
            }
        }
    };
    Block {
        text,
        heading: None,
        item,
    }
}

/// An entry of a list of contents without the number of its page.
fn without_page_number(words: &str) -> String {
    let trimmed = words.trim_end_matches(|c: char| c.is_ascii_digit());
    let cut = trimmed.len() < words.len() && trimmed.ends_with([' ', '.', '\t']);
    if cut {
        trimmed.trim_end_matches([' ', '.', '\t']).to_owned()
    } else {
        words.to_owned()
    }
}

/// A link target without characters that would end it.
fn target_text(target: &str) -> String {
    target
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '(' => "%28".to_owned(),
            ')' => "%29".to_owned(),
            c if c.is_whitespace() => "%20".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

/// The notes of a part, by id.
fn notes(part: &str, element: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let mut notes = BTreeMap::new();
    let mut open: Option<(String, String)> = None;
    let (mut text, mut skip) = (false, 0_usize);
    walk(part, |step| match step {
        Step::Start(start) => {
            if skip > 0 {
                skip += 1;
            } else if SKIPPED.contains(&start.name) {
                skip = 1;
            } else if start.name == element {
                open = Some((start.attr("id").unwrap_or_default(), String::new()));
            } else if start.name == "t" {
                text = true;
            } else if matches!(start.name, "p" | "tab" | "br")
                && let Some((_, words)) = &mut open
            {
                words.push(' ');
            }
        }
        Step::End(name) => {
            if skip > 0 {
                skip -= 1;
            } else if name == element {
                if let Some((id, words)) = open.take() {
                    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                    notes.insert(id, words);
                }
            } else if name == "t" {
                text = false;
            }
        }
        Step::Text(more) => {
            if text
                && skip == 0
                && let Some((_, words)) = &mut open
            {
                *words += more;
            }
        }
    })?;
    Ok(notes)
}
