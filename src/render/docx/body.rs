//! The text with its tracked changes, and the comments.

use std::collections::BTreeMap;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use crate::read::BlockKind;

use super::{
    super::{Entry, Flow, Mark, Paragraph, Piece, Redline, Row, wording},
    DocxError,
};

const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

/// The two parts that come from the redline.
pub(super) struct Parts {
    pub(super) document: Vec<u8>,
    pub(super) comments: Vec<u8>,
}

pub(super) fn write(
    redline: &Redline<'_>,
    flow: &Flow,
    entries: &[Entry<'_>],
) -> Result<Parts, DocxError> {
    let mut body = Body {
        xml: Xml::new()?,
        author: clean(redline.author()),
        date: redline.head.made.map(|time| format!("{time:.0}")),
        next_id: 0,
        moves: Moves::find(flow),
        comments: BTreeMap::new(),
    };
    for entry in entries {
        if !entry.findings.is_empty() {
            body.comments.insert(entry.index, false);
        }
    }
    body.xml.open("w:document", &[("xmlns:w", W)])?;
    body.xml.open("w:body", &[])?;
    let mut rows = flow.rows.iter().enumerate().peekable();
    while let Some((index, row)) = rows.next() {
        if tabular(row) {
            let mut table = vec![row];
            while let Some((_, row)) = rows.next_if(|(_, row)| tabular(row)) {
                table.push(row);
            }
            body.table(&table)?;
        } else {
            body.row(index, row)?;
        }
    }
    body.xml.open("w:sectPr", &[])?;
    body.xml
        .empty("w:pgSz", &[("w:w", "11906"), ("w:h", "16838")])?;
    let margin = [
        ("w:top", "1418"),
        ("w:right", "1418"),
        ("w:bottom", "1418"),
        ("w:left", "1418"),
        ("w:header", "709"),
        ("w:footer", "709"),
        ("w:gutter", "0"),
    ];
    body.xml.empty("w:pgMar", &margin)?;
    body.xml.close("w:sectPr")?;
    body.xml.close("w:body")?;
    body.xml.close("w:document")?;
    let comments = comments(&body, entries)?;
    Ok(Parts {
        document: body.xml.finish(),
        comments,
    })
}

fn tabular(row: &Row) -> bool {
    matches!(row.kind, BlockKind::TableRow | BlockKind::TableHead)
}

/// Characters that XML does not allow are dropped.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(u32::from(*c), 0xfffe | 0xffff))
        .collect()
}

/// A thin hand over the XML writer.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn new() -> Result<Self, DocxError> {
        let mut writer = Writer::new(Vec::new());
        writer.write_event(Event::Decl(BytesDecl::new(
            "1.0",
            Some("UTF-8"),
            Some("yes"),
        )))?;
        Ok(Self(writer))
    }

    fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) -> Result<(), DocxError> {
        let start = BytesStart::new(tag).with_attributes(attributes.iter().copied());
        Ok(self.0.write_event(Event::Start(start))?)
    }

    fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) -> Result<(), DocxError> {
        let start = BytesStart::new(tag).with_attributes(attributes.iter().copied());
        Ok(self.0.write_event(Event::Empty(start))?)
    }

    fn close(&mut self, tag: &str) -> Result<(), DocxError> {
        Ok(self.0.write_event(Event::End(BytesEnd::new(tag)))?)
    }

    fn text(&mut self, tag: &str, text: &str) -> Result<(), DocxError> {
        self.open(tag, &[("xml:space", "preserve")])?;
        self.0.write_event(Event::Text(BytesText::new(text)))?;
        self.close(tag)
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner()
    }
}

/// Where the two containers of each move begin and end: (row, paragraph, piece).
type Place = (usize, usize, usize);

#[derive(Default)]
struct Moves {
    from: BTreeMap<usize, (Place, Place)>,
    to: BTreeMap<usize, (Place, Place)>,
}

impl Moves {
    fn find(flow: &Flow) -> Self {
        let mut moves = Self::default();
        for (r, row) in flow.rows.iter().enumerate() {
            // Word has no moves inside table rows: they are deletions and insertions there.
            if tabular(row) {
                continue;
            }
            for (p, paragraph) in row.paragraphs.iter().enumerate() {
                for (i, piece) in paragraph.pieces.iter().enumerate() {
                    let side = match piece.mark {
                        Mark::MovedFrom => &mut moves.from,
                        Mark::MovedTo => &mut moves.to,
                        _ => continue,
                    };
                    if let Some(change) = piece.change {
                        let place = (r, p, i);
                        side.entry(change).or_insert((place, place)).1 = place;
                    }
                }
            }
        }
        let both: Vec<usize> = moves
            .from
            .keys()
            .filter(|change| moves.to.contains_key(change))
            .copied()
            .collect();
        moves.from.retain(|change, _| both.contains(change));
        moves.to.retain(|change, _| both.contains(change));
        moves
    }

    /// The mark as it is written: a move whose other half is not a move is none.
    fn mark(&self, piece: &Piece) -> Mark {
        let known = piece
            .change
            .is_some_and(|change| self.from.contains_key(&change));
        match piece.mark {
            Mark::MovedFrom if !known => Mark::Deleted,
            Mark::MovedTo if !known => Mark::Inserted,
            mark => mark,
        }
    }
}

struct Body {
    xml: Xml,
    author: String,
    date: Option<String>,
    next_id: usize,
    moves: Moves,
    /// Changes with findings, and whether their comment is placed already.
    comments: BTreeMap<usize, bool>,
}

impl Body {
    /// A fresh `w:id`.
    fn id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }

    /// Opens or writes a revision element with id, author and date.
    fn revision(
        &mut self,
        tag: &str,
        name: Option<&str>,
        empty: bool,
    ) -> Result<String, DocxError> {
        let id = self.id();
        let (author, date) = (self.author.clone(), self.date.clone());
        let mut attributes = vec![("w:id", id.as_str()), ("w:author", author.as_str())];
        attributes.extend(date.as_deref().map(|date| ("w:date", date)));
        attributes.extend(name.map(|name| ("w:name", name)));
        if empty {
            self.xml.empty(tag, &attributes)?;
        } else {
            self.xml.open(tag, &attributes)?;
        }
        Ok(id)
    }

    fn row(&mut self, index: usize, row: &Row) -> Result<(), DocxError> {
        let comment = row
            .changes
            .iter()
            .copied()
            .find(|change| self.comments.get(change) == Some(&false));
        let mut open: Option<usize> = None;
        let last = row.paragraphs.len().saturating_sub(1);
        for (p, paragraph) in row.paragraphs.iter().enumerate() {
            self.xml.open("w:p", &[])?;
            self.properties(row, paragraph)?;
            if let Some(change) = comment.filter(|_| p == 0) {
                self.comments.insert(change, true);
                open = Some(change);
                self.xml
                    .empty("w:commentRangeStart", &[("w:id", &change.to_string())])?;
            }
            for (i, piece) in paragraph.pieces.iter().enumerate() {
                self.move_start((index, p, i), piece)?;
                self.piece(self.moves.mark(piece), &piece.text)?;
                self.move_end((index, p, i), piece)?;
            }
            if p == last
                && let Some(change) = open.take()
            {
                let id = change.to_string();
                self.xml.empty("w:commentRangeEnd", &[("w:id", &id)])?;
                self.xml.open("w:r", &[])?;
                self.xml.empty("w:commentReference", &[("w:id", &id)])?;
                self.xml.close("w:r")?;
            }
            self.xml.close("w:p")?;
        }
        Ok(())
    }

    fn properties(&mut self, row: &Row, paragraph: &Paragraph) -> Result<(), DocxError> {
        self.xml.open("w:pPr", &[])?;
        let style = match row.kind {
            BlockKind::Title => Some("Title".to_owned()),
            BlockKind::Heading => Some(format!("Heading{}", row.depth.clamp(1, 6))),
            BlockKind::ListItem => Some("ListParagraph".to_owned()),
            BlockKind::Quote => Some("Quote".to_owned()),
            _ => None,
        };
        if let Some(style) = style {
            self.xml.empty("w:pStyle", &[("w:val", &style)])?;
        }
        if row.kind == BlockKind::ListItem {
            let depth = row.depth.min(4);
            if row.numbered {
                let left = (284 + 567 * u32::from(depth)).to_string();
                self.xml.empty("w:ind", &[("w:left", &left)])?;
            } else {
                self.xml.open("w:numPr", &[])?;
                self.xml.empty("w:ilvl", &[("w:val", &depth.to_string())])?;
                self.xml.empty("w:numId", &[("w:val", "1")])?;
                self.xml.close("w:numPr")?;
            }
        }
        self.paragraph_mark(paragraph)?;
        self.xml.close("w:pPr")
    }

    /// Whether the end of the paragraph itself came or went.
    fn paragraph_mark(&mut self, paragraph: &Paragraph) -> Result<(), DocxError> {
        let moves = |mark| {
            paragraph
                .pieces
                .iter()
                .any(|piece| piece.mark == mark && self.moves.mark(piece) == mark)
        };
        let tag = match paragraph.end {
            Mark::Same | Mark::Ghost => return Ok(()),
            Mark::MovedFrom if moves(Mark::MovedFrom) => "w:moveFrom",
            Mark::MovedTo if moves(Mark::MovedTo) => "w:moveTo",
            Mark::Deleted | Mark::MovedFrom => "w:del",
            Mark::Inserted | Mark::MovedTo => "w:ins",
        };
        self.xml.open("w:rPr", &[])?;
        self.revision(tag, None, true)?;
        self.xml.close("w:rPr")
    }

    fn piece(&mut self, mark: Mark, text: &str) -> Result<(), DocxError> {
        let text = clean(text);
        if text.is_empty() || mark == Mark::Ghost {
            return Ok(());
        }
        let (revision, tag) = match mark {
            Mark::Same | Mark::Ghost => (None, "w:t"),
            Mark::Deleted => (Some("w:del"), "w:delText"),
            Mark::Inserted => (Some("w:ins"), "w:t"),
            Mark::MovedFrom => (Some("w:moveFrom"), "w:t"),
            Mark::MovedTo => (Some("w:moveTo"), "w:t"),
        };
        if let Some(revision) = revision {
            self.revision(revision, None, false)?;
        }
        self.xml.open("w:r", &[])?;
        self.xml.text(tag, &text)?;
        self.xml.close("w:r")?;
        if let Some(revision) = revision {
            self.xml.close(revision)?;
        }
        Ok(())
    }

    fn container(&self, piece: &Piece) -> Option<(usize, Place, Place, &'static str)> {
        let change = piece.change?;
        let (side, word) = match self.moves.mark(piece) {
            Mark::MovedFrom => (&self.moves.from, "From"),
            Mark::MovedTo => (&self.moves.to, "To"),
            _ => return None,
        };
        let (first, last) = side.get(&change)?;
        Some((change, *first, *last, word))
    }

    fn move_start(&mut self, at: Place, piece: &Piece) -> Result<(), DocxError> {
        let Some((change, first, _, word)) = self.container(piece) else {
            return Ok(());
        };
        if first == at {
            let id = container_id(change, word);
            let name = format!("move{}", change + 1);
            let tag = format!("w:move{word}RangeStart");
            let (author, date) = (self.author.clone(), self.date.clone());
            let mut attributes = vec![("w:id", id.as_str()), ("w:author", author.as_str())];
            attributes.extend(date.as_deref().map(|date| ("w:date", date)));
            attributes.push(("w:name", &name));
            self.xml.empty(&tag, &attributes)?;
        }
        Ok(())
    }

    fn move_end(&mut self, at: Place, piece: &Piece) -> Result<(), DocxError> {
        let Some((change, _, last, word)) = self.container(piece) else {
            return Ok(());
        };
        if last == at {
            let id = container_id(change, word);
            let tag = format!("w:move{word}RangeEnd");
            self.xml.empty(&tag, &[("w:id", &id)])?;
        }
        Ok(())
    }

    fn table(&mut self, rows: &[&Row]) -> Result<(), DocxError> {
        let columns = rows
            .iter()
            .flat_map(|row| row.pieces())
            .map(|piece| piece.cell + 1)
            .max()
            .unwrap_or(1);
        self.xml.open("w:tbl", &[])?;
        self.xml.open("w:tblPr", &[])?;
        self.xml.empty("w:tblStyle", &[("w:val", "TableGrid")])?;
        self.xml
            .empty("w:tblW", &[("w:w", "5000"), ("w:type", "pct")])?;
        self.xml.close("w:tblPr")?;
        self.xml.open("w:tblGrid", &[])?;
        let width = (9070 / columns.max(1)).to_string();
        for _ in 0..columns {
            self.xml.empty("w:gridCol", &[("w:w", &width)])?;
        }
        self.xml.close("w:tblGrid")?;
        for row in rows {
            for paragraph in &row.paragraphs {
                self.table_row(paragraph, columns, row.kind == BlockKind::TableHead)?;
            }
        }
        self.xml.close("w:tbl")?;
        // A table must be followed by a paragraph.
        self.xml.empty("w:p", &[])
    }

    fn table_row(
        &mut self,
        paragraph: &Paragraph,
        columns: usize,
        head: bool,
    ) -> Result<(), DocxError> {
        let whole = |side: fn(Mark) -> bool| {
            paragraph
                .pieces
                .iter()
                .filter(|piece| !piece.text.trim().is_empty() && piece.mark != Mark::Ghost)
                .all(|piece| !side(piece.mark))
        };
        let revision = match paragraph.end {
            Mark::Deleted | Mark::MovedFrom if whole(Mark::is_new) => Some("w:del"),
            Mark::Inserted | Mark::MovedTo if whole(Mark::is_old) => Some("w:ins"),
            _ => None,
        };
        self.xml.open("w:tr", &[])?;
        if head || revision.is_some() {
            self.xml.open("w:trPr", &[])?;
            if head {
                self.xml.empty("w:tblHeader", &[])?;
            }
            if let Some(tag) = revision {
                self.revision(tag, None, true)?;
            }
            self.xml.close("w:trPr")?;
        }
        for column in 0..columns {
            self.xml.open("w:tc", &[])?;
            self.xml.open("w:tcPr", &[])?;
            self.xml
                .empty("w:tcW", &[("w:w", "0"), ("w:type", "auto")])?;
            self.xml.close("w:tcPr")?;
            self.xml.open("w:p", &[])?;
            if let Some(tag) = revision {
                self.xml.open("w:pPr", &[])?;
                self.xml.open("w:rPr", &[])?;
                self.revision(tag, None, true)?;
                self.xml.close("w:rPr")?;
                self.xml.close("w:pPr")?;
            }
            for piece in paragraph.pieces.iter().filter(|p| p.cell == column) {
                let mark = match piece.mark {
                    Mark::MovedFrom => Mark::Deleted,
                    Mark::MovedTo => Mark::Inserted,
                    mark => mark,
                };
                self.piece(mark, &piece.text)?;
            }
            self.xml.close("w:p")?;
            self.xml.close("w:tc")?;
        }
        self.xml.close("w:tr")
    }
}

/// Ids of containers live above those of revisions.
fn container_id(change: usize, word: &str) -> String {
    let side = usize::from(word == "To");
    (1_000_000 + 2 * change + side).to_string()
}

fn comments(body: &Body, entries: &[Entry<'_>]) -> Result<Vec<u8>, DocxError> {
    let mut xml = Xml::new()?;
    xml.open("w:comments", &[("xmlns:w", W)])?;
    for entry in entries
        .iter()
        .filter(|entry| body.comments.get(&entry.index) == Some(&true))
    {
        let id = entry.index.to_string();
        let mut attributes = vec![
            ("w:id", id.as_str()),
            ("w:author", body.author.as_str()),
            ("w:initials", "fn"),
        ];
        attributes.extend(body.date.as_deref().map(|date| ("w:date", date)));
        xml.open("w:comment", &attributes)?;
        for finding in &entry.findings {
            let mut text = format!(
                "{}: {}, {}, {}.",
                finding.id,
                wording::severity(finding.severity),
                wording::direction(finding.direction),
                wording::topic(finding.topic)
            );
            if let Some(summary) = &finding.summary {
                text.push(' ');
                text.push_str(summary);
            }
            let codes: Vec<&str> = finding.reasons.iter().map(|r| r.code.as_str()).collect();
            if !codes.is_empty() {
                text.push_str(&format!(" ({})", codes.join(", ")));
            }
            xml.open("w:p", &[])?;
            xml.open("w:pPr", &[])?;
            xml.empty("w:pStyle", &[("w:val", "CommentText")])?;
            xml.close("w:pPr")?;
            xml.open("w:r", &[])?;
            xml.text("w:t", &clean(&text))?;
            xml.close("w:r")?;
            xml.close("w:p")?;
        }
        xml.close("w:comment")?;
    }
    xml.close("w:comments")?;
    Ok(xml.finish())
}
