//! The changed passages of a redline, short enough to stand in a mail.

use crate::compare::Kind;

use super::{Entry, Flow, Mark, Redline, Row, entries, terminal::bracketed, wording};

/// A change with a few words around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What kind of change.
    pub kind: Kind,
    /// Where: `4.2 → 5.2 Sharing`.
    pub place: String,
    /// Ids of the findings in it.
    pub findings: Vec<String>,
    /// The words, paragraph by paragraph.
    pub paragraphs: Vec<Vec<(Mark, String)>>,
    /// Passages that moved along with it and are not shown.
    pub followers: usize,
}

impl Passage {
    /// `Changed: 4.2 Sharing`.
    pub fn heading(&self) -> String {
        let kind = match self.kind {
            Kind::Added => "Added",
            Kind::Removed => "Removed",
            Kind::Modified => "Changed",
            Kind::Moved => "Moved",
            Kind::Renumbered => "Renumbered",
            Kind::Renamed => "Renamed",
            Kind::Technical => "Technical",
        };
        let more = match self.followers {
            0 => String::new(),
            more => format!(", and {} behind it", wording::count(more, "passage")),
        };
        format!("{kind}{more}: {}", self.place)
    }

    /// A paragraph a line, `[-…-]` gone, `{+…+}` new, `{>…>}` moved here.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for paragraph in &self.paragraphs {
            for (mark, words) in paragraph {
                text += &bracketed(*mark, words);
            }
            text.push('\n');
        }
        text
    }

    /// Paragraphs for a mail: styles inline, struck and underlined besides colour, foreign words
    /// without power.
    pub fn html(&self) -> String {
        let mut page = String::new();
        for paragraph in &self.paragraphs {
            page.push_str("<p>");
            for (mark, words) in paragraph {
                let words = escaped(words);
                page += &match mark {
                    Mark::Same => words,
                    Mark::Deleted | Mark::Ghost | Mark::MovedFrom => {
                        format!("<del style=\"{DEL}\">{words}</del>")
                    }
                    Mark::Inserted => format!("<ins style=\"{INS}\">{words}</ins>"),
                    Mark::MovedTo => format!("<ins style=\"{MOVED}\">{words}</ins>"),
                };
            }
            page.push_str("</p>");
        }
        page
    }
}

const DEL: &str = "color:#82071e;background:#ffebe9;text-decoration:line-through";
const INS: &str = "color:#0b4a8f;background:#ddf1ff;text-decoration:underline";
const MOVED: &str = "color:#116329;background:#dafbe1;text-decoration:underline double";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Characters of unchanged text that are kept on each side of a difference.
const AROUND: usize = 120;
/// Characters of a run of changed words; what is longer is cut, and says so.
const RUN: usize = 900;

/// Every change that "substantive only" shows, in the order of the text, each once.
pub fn passages(redline: &Redline<'_>) -> Vec<Passage> {
    let rows = Flow::new(redline.old, redline.new, redline.comparison).rows;
    entries(redline)
        .iter()
        .filter(|entry| !entry.quiet())
        .filter(|entry| !(entry.follows && entry.change.kind == Kind::Moved))
        .map(|entry| Passage {
            kind: entry.change.kind,
            place: entry.place(),
            findings: entry.findings.iter().map(|f| f.id.clone()).collect(),
            paragraphs: paragraphs(entry, &rows),
            followers: match entry.change.kind {
                Kind::Moved => entry.followers,
                _ => 0,
            },
        })
        .collect()
}

fn paragraphs(entry: &Entry<'_>, rows: &[Row]) -> Vec<Vec<(Mark, String)>> {
    let mut shown: Vec<Vec<(Mark, String)>> = rows
        .iter()
        .filter(|row| row.changes.contains(&entry.index))
        // A moved passage is read where it stands now.
        .filter(|row| entry.change.kind != Kind::Moved || row.new.is_some())
        .flat_map(|row| &row.paragraphs)
        .map(|paragraph| {
            let mut runs: Vec<(Mark, String)> = Vec::new();
            let mut cell = paragraph.pieces.first().map_or(0, |piece| piece.cell);
            for piece in &paragraph.pieces {
                if std::mem::replace(&mut cell, piece.cell) != piece.cell {
                    runs.push((Mark::Same, " | ".to_owned()));
                }
                match runs.last_mut() {
                    Some((mark, text)) if *mark == piece.mark => text.push_str(&piece.text),
                    _ => runs.push((piece.mark, piece.text.clone())),
                }
            }
            shortened(runs)
        })
        .filter(|runs| runs.iter().any(|(mark, _)| *mark != Mark::Same))
        .collect();
    if shown.is_empty() && !entry.details.is_empty() {
        shown.push(vec![(Mark::Same, entry.details.join(", "))]);
    }
    shown
}

/// Unchanged words only near the changed ones; long changed runs cut at a word.
fn shortened(runs: Vec<(Mark, String)>) -> Vec<(Mark, String)> {
    let last = runs.len().saturating_sub(1);
    runs.into_iter()
        .enumerate()
        .map(|(at, (mark, text))| {
            let text = match mark {
                Mark::Same => around(&text, at > 0, at < last),
                _ => cut(&text),
            };
            (mark, text)
        })
        .collect()
}

/// The start of an unchanged run where a difference precedes it, its end where one follows.
fn around(text: &str, after: bool, before: bool) -> String {
    let (start, end) = (
        if after { AROUND } else { 0 },
        if before { AROUND } else { 0 },
    );
    let length = text.chars().count();
    if length <= start + end + AROUND / 4 {
        return text.to_owned();
    }
    let head: String = text.chars().take(start).collect();
    let tail: String = text.chars().skip(length - end).collect();
    let head = head.rsplit_once(' ').map_or(head.as_str(), |(h, _)| h);
    let tail = tail.split_once(' ').map_or(tail.as_str(), |(_, t)| t);
    match (after, before) {
        (true, true) => format!("{head} … {tail}"),
        (true, false) => format!("{head} …"),
        _ => format!("… {tail}"),
    }
}

fn cut(text: &str) -> String {
    let words = text.split_whitespace().count();
    if text.chars().count() <= RUN {
        return text.to_owned();
    }
    let head: String = text.chars().take(RUN).collect();
    let head = head.rsplit_once(' ').map_or(head.as_str(), |(h, _)| h);
    let rest = words - head.split_whitespace().count().min(words);
    format!("{head} … ({} more)", wording::count(rest, "word"))
}
