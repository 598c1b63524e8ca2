//! The list of changes: each once, with its place, an excerpt and what was judged of it.

use crate::{
    assess::{Finding, Severity},
    compare::{Change, Kind, Op, Side},
    read::{Block, BlockKind, Document, Section, Span},
};

use super::{Redline, readable, wording};

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Index in the comparison's changes.
    pub index: usize,
    /// The change.
    pub change: &'a Change,
    /// `4.2`, `4.2 → 5.2`; empty where sections have no number.
    pub clause: String,
    /// Title of the section (the new one where there is one).
    pub title: &'a str,
    /// `line 10`, `lines 10–12 → 11–13`.
    pub lines: String,
    /// The words that went.
    pub deleted: String,
    /// The words that came.
    pub inserted: String,
    /// What a technical or renumbered change consists of, in words.
    pub details: Vec<String>,
    /// Findings seen in it.
    pub findings: Vec<&'a Finding>,
    /// The gravest of them.
    pub severity: Option<Severity>,
    /// Id of the last change of a run of neighbours that moved together without an edit, or that
    /// came or went together in one section; they are listed once.
    pub until: Option<&'a str>,
    /// How many changes the run holds after this one.
    pub followers: usize,
    /// Whether it is in a run that another entry lists.
    pub follows: bool,
}

impl Entry<'_> {
    /// Whether "substantive only" hides it.
    pub fn quiet(&self) -> bool {
        quiet(self.change)
    }

    /// `c6`, or `c6–c14` for passages that moved together.
    pub fn ids(&self) -> String {
        match self.until {
            Some(last) => format!("{}–{last}", self.change.id),
            None => self.change.id.clone(),
        }
    }

    /// Clause and title together: `4.2 → 5.2 Sharing`.
    pub fn place(&self) -> String {
        let parts = [self.clause.as_str(), self.title];
        let place = parts.map(str::trim).join(" ").trim().to_owned();
        if place.is_empty() {
            "before the first section".to_owned()
        } else {
            place
        }
    }
}

/// Whether "substantive only" hides a change.
fn quiet(change: &Change) -> bool {
    matches!(change.kind, Kind::Technical | Kind::Renumbered)
}

/// How many changes "substantive only" hides, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Formatting, link targets, white space, quote style, letter case.
    pub technical: usize,
    /// Numbers and the references that follow them.
    pub renumbered: usize,
}

impl Hidden {
    /// Both together.
    pub fn total(self) -> usize {
        self.technical + self.renumbered
    }

    /// `14 technical, 6 renumbered`; `none` when there is nothing to hide.
    pub fn words(self) -> String {
        match (self.technical, self.renumbered) {
            (0, 0) => "none".to_owned(),
            (technical, 0) => format!("{technical} technical"),
            (0, renumbered) => format!("{renumbered} renumbered"),
            (technical, renumbered) => format!("{technical} technical, {renumbered} renumbered"),
        }
    }
}

/// What "substantive only" hides.
pub fn hidden(redline: &Redline<'_>) -> Hidden {
    let of = |kind| {
        redline
            .comparison
            .changes
            .iter()
            .filter(|change| change.kind == kind)
            .count()
    };
    Hidden {
        technical: of(Kind::Technical),
        renumbered: of(Kind::Renumbered),
    }
}

/// All changes in order.
pub fn entries<'a>(redline: &Redline<'a>) -> Vec<Entry<'a>> {
    let changes = &redline.comparison.changes;
    let mut entries: Vec<Entry<'a>> = changes
        .iter()
        .enumerate()
        .map(|(index, change)| entry(redline, index, change))
        .collect();
    let mut first = 0;
    for index in 1..entries.len() {
        let together = changes
            .get(index - 1..=index)
            .is_some_and(|pair| matches!(pair, [a, b] if together(a, b)))
            && entries.get(index).is_some_and(|e| e.findings.is_empty());
        if together {
            if let Some(head) = entries.get_mut(first) {
                head.followers += 1;
                head.until = changes.get(index).map(|change| change.id.as_str());
            }
            if let Some(entry) = entries.get_mut(index) {
                entry.follows = true;
            }
        } else {
            first = index;
        }
    }
    entries
}

/// Whether the second change goes on where the first ends: both moved along, unedited, or both
/// came or went in the same section.
fn together(first: &Change, second: &Change) -> bool {
    // A block without words, such as a rule, may stand between them.
    let behind = |a: &Option<Side>, b: &Option<Side>| match (a, b) {
        (Some(a), Some(b)) => (a.blocks.end..=a.blocks.end + 1).contains(&b.blocks.start),
        (None, None) => true,
        _ => false,
    };
    let section = |change: &Change| {
        let side = change.new.as_ref().or(change.old.as_ref());
        side.and_then(|side| side.section)
    };
    first.kind == second.kind
        && behind(&first.old, &second.old)
        && behind(&first.new, &second.new)
        && match first.kind {
            Kind::Moved => {
                second.details.is_empty() && second.edits.iter().all(|edit| edit.op == Op::Equal)
            }
            Kind::Added | Kind::Removed => section(first) == section(second),
            _ => false,
        }
}

fn entry<'a>(redline: &Redline<'a>, index: usize, change: &'a Change) -> Entry<'a> {
    let old = section(redline.old, change.old.as_ref());
    let new = section(redline.new, change.new.as_ref());
    let label = |s: Option<&Section>| -> Vec<String> {
        s.and_then(|s| s.label.clone()).into_iter().collect()
    };
    let clause = wording::way(&label(old), &label(new));
    // The clause says it already.
    let numbered = clause.contains('→')
        && change.details == ["label"]
        && change.old.as_ref().is_some_and(|s| heading(redline.old, s));
    let (deleted, inserted) = if numbered {
        (String::new(), String::new())
    } else {
        words(redline, change)
    };
    Entry {
        index,
        change,
        clause,
        title: new.or(old).map_or("", |s| s.title.as_str()),
        lines: lines(change),
        deleted,
        inserted,
        details: if numbered {
            Vec::new()
        } else {
            details(redline, change)
        },
        findings: redline.findings_of(change).collect(),
        severity: redline.severity_of(change),
        until: None,
        followers: 0,
        follows: false,
    }
}

fn heading(document: &Document, side: &Side) -> bool {
    document
        .blocks
        .get(side.blocks.clone())
        .is_some_and(|blocks| blocks.iter().all(|b| b.kind == BlockKind::Heading))
}

fn section<'a>(document: &'a Document, side: Option<&Side>) -> Option<&'a Section> {
    side?.section.and_then(|index| document.sections.get(index))
}

fn lines(change: &Change) -> String {
    let range = |(first, last): (usize, usize)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    };
    match (&change.old, &change.new) {
        (Some(old), Some(new)) if old.lines == new.lines => format!("line {}", range(new.lines)),
        (Some(old), Some(new)) => format!("line {} → {}", range(old.lines), range(new.lines)),
        (Some(old), None) => format!("old line {}", range(old.lines)),
        (None, Some(new)) => format!("new line {}", range(new.lines)),
        (None, None) => String::new(),
    }
}

/// The words that went and came, each run once, joined by an ellipsis.
fn words(redline: &Redline<'_>, change: &Change) -> (String, String) {
    let (mut deleted, mut inserted) = (Vec::new(), Vec::new());
    for edit in &change.edits {
        // Beside differences of words, those of markup are told by their names.
        if edit.detail.is_some() && !quiet(change) {
            continue;
        }
        match edit.op {
            Op::Delete => deleted.push(shown(redline.old, change.old.as_ref(), &edit.old)),
            Op::Insert => inserted.push(shown(redline.new, change.new.as_ref(), &edit.new)),
            Op::Equal => {}
        }
    }
    if change.kind == Kind::Moved
        && let Some(side) = &change.new
        && deleted.is_empty()
        && inserted.is_empty()
    {
        inserted.push(shown(redline.new, Some(side), &side.span));
    }
    let join = |mut parts: Vec<String>| {
        parts.retain(|part| !part.is_empty());
        parts.join(" … ")
    };
    (join(deleted), join(inserted))
}

/// What a reader sees of a span; its bytes where that is nothing.
fn shown(document: &Document, side: Option<&Side>, span: &Span) -> String {
    let blocks = side.map_or(0..0, |side| side.blocks.clone());
    let read = readable::excerpt(document, blocks, span);
    if read.is_empty() {
        clean(document.slice(span))
    } else {
        read
    }
}

/// White space as single spaces, marks of headings and lists left out.
fn clean(text: &str) -> String {
    text.split_whitespace()
        .filter(|word| {
            !word.chars().all(|c| "#*>|-=_".contains(c)) || word.len() == 1 && *word != "#"
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn details(redline: &Redline<'_>, change: &Change) -> Vec<String> {
    change
        .details
        .iter()
        .map(|code| match *code {
            "link-target" => targets(redline, change),
            code => wording::detail(code).to_owned(),
        })
        .collect()
}

/// The first link target that differs, old and new.
fn targets(redline: &Redline<'_>, change: &Change) -> String {
    let all = |document: &Document, side: Option<&Side>| -> Vec<String> {
        let blocks = side.map_or(0..0, |s| s.blocks.clone());
        document
            .blocks
            .get(blocks)
            .unwrap_or_default()
            .iter()
            .flat_map(|block: &Block| &block.targets)
            .map(|span| document.slice(span).to_owned())
            .collect()
    };
    let old = all(redline.old, change.old.as_ref());
    let new = all(redline.new, change.new.as_ref());
    let differs = old.iter().zip(&new).find(|(a, b)| a != b);
    match differs {
        Some((a, b)) => format!("link target: {a} → {b}"),
        None if new.len() > old.len() => {
            format!(
                "link target added: {}",
                new.last().map_or("", String::as_str)
            )
        }
        None if new.len() < old.len() => {
            format!(
                "link target removed: {}",
                old.last().map_or("", String::as_str)
            )
        }
        None => "link target".to_owned(),
    }
}
