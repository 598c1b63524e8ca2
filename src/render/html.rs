//! The redline as one self-contained web page that can be read without a script.

use base64::Engine as _;
use minijinja::{Environment, context};
use sha2::{Digest as _, Sha256};

use crate::{
    assess::{Finding, Quote, Severity},
    compare::Kind,
    read::{BlockKind, Document},
};

use super::{
    Entry, Flow, Mark, Paragraph, Piece, Redline, Row, entries, hidden, readable,
    terminal::summary,
    wording::{self, shorten},
};

const PAGE: &str = include_str!("../../templates/redline/page.html");
const STYLE: &str = include_str!("../../templates/redline/style.css");
const SCRIPT: &str = include_str!("../../templates/redline/script.js");

/// Unchanged rows kept around a change when only changed passages are shown.
const AROUND: usize = 1;

/// The page's template is wrong.
#[derive(Debug, thiserror::Error)]
#[error("the template of the redline page fails: {0}")]
pub struct HtmlError(#[from] minijinja::Error);

/// Writes the whole page. Foreign text is escaped; scripts other than the page's own don't run.
///
/// # Errors
/// When the template is not valid.
pub fn html(redline: &Redline<'_>) -> Result<String, HtmlError> {
    let entries = entries(redline);
    let mut environment = Environment::new();
    environment.add_template("page.html", PAGE)?;
    let page = environment.get_template("page.html")?;
    let verdict = redline.verdict().map(|verdict| {
        let (name, meaning) = wording::verdict(verdict);
        context! { code => wording::code(&verdict), name, meaning }
    });
    let hidden = hidden(redline);
    Ok(page.render(context! {
        style => STYLE,
        script => SCRIPT,
        style_hash => hash(STYLE),
        script_hash => hash(SCRIPT),
        tool_version => env!("CARGO_PKG_VERSION"),
        title => redline.title(),
        verdict,
        summary => summary(redline, &entries),
        remarks => remarks(redline),
        files => files(redline),
        findings => redline.findings().iter().map(|f| finding(redline, f)).collect::<Vec<_>>(),
        promises => redline.promises.iter().map(|promise| context! {
            change => wording::promise(promise.change),
            old => promise.old.as_ref().map(wording::duty),
            new => promise.new.as_ref().map(wording::duty),
        }).collect::<Vec<_>>(),
        duties => redline.duties.iter().filter(|d| !d.because.is_empty()).map(|d| context! {
            words => wording::duty(&d.duty),
            because => d.because.clone(),
            quote => d.duty.quote.clone(),
        }).collect::<Vec<_>>(),
        hidden => hidden.words(),
        kinds => kinds(&entries),
        severities => severities(redline, &entries),
        changes => entries.len(),
        entries => entries.iter().filter(|e| !e.follows).map(line).collect::<Vec<_>>(),
        text => text(redline, &entries),
        foot => foot(redline),
    })?)
}

fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn remarks(redline: &Redline<'_>) -> Vec<String> {
    let suspects = [("old", redline.old), ("new", redline.new)]
        .into_iter()
        .filter_map(|(side, document)| Some((side, document.suspect.as_ref()?)))
        .map(|(side, suspect)| {
            format!(
                "The {side} text may not be the policy: {}.",
                suspect.detail.trim_end_matches('.')
            )
        });
    let judged = redline.assessment.iter().flat_map(|a| a.remarks.clone());
    suspects.chain(judged).collect()
}

fn files(redline: &Redline<'_>) -> Vec<minijinja::Value> {
    let (old, new) = (&redline.head.old, &redline.head.new);
    let dates = |d: &crate::read::Dates| {
        (
            d.effective.map(|date| date.to_string()),
            d.updated.map(|date| date.to_string()),
        )
    };
    let (old_dates, new_dates) = (dates(&redline.old.dates), dates(&redline.new.dates));
    let words = |d: &crate::read::Document| Some(d.word_count().to_string());
    let time = |t: Option<jiff::Timestamp>| t.map(|t| t.to_string());
    [
        (
            "File",
            Some(old.name.clone()),
            Some(new.name.clone()),
            false,
        ),
        ("Version", old.version.clone(), new.version.clone(), true),
        ("Seen", time(old.seen), time(new.seen), false),
        ("Effective", old_dates.0, new_dates.0, false),
        ("Updated", old_dates.1, new_dates.1, false),
        ("Words", words(redline.old), words(redline.new), false),
        ("SHA-256", old.sha256.clone(), new.sha256.clone(), true),
    ]
    .into_iter()
    .filter(|(_, old, new, _)| old.is_some() || new.is_some())
    .map(|(name, old, new, code)| {
        context! { name, old => old.unwrap_or_default(), new => new.unwrap_or_default(), code }
    })
    .collect()
}

fn finding(redline: &Redline<'_>, finding: &Finding) -> minijinja::Value {
    let quote = |document: &Document, quote: &Quote| {
        let text = shorten(&readable::quoted(document, quote), 1200);
        context! { line => quote.lines.0, text }
    };
    let place = wording::place(&finding.section);
    context! {
        id => finding.id.clone(),
        change => finding.change.clone(),
        severity => wording::severity(finding.severity),
        direction => wording::code(&finding.direction),
        direction_words => wording::direction(finding.direction),
        topic => wording::topic(finding.topic),
        place,
        summary => finding.summary.clone(),
        proposed => finding.proposed.clone(),
        old => finding.old.as_ref().map(|words| quote(redline.old, words)),
        new => finding.new.as_ref().map(|words| quote(redline.new, words)),
        why => finding.reasons.iter().map(|reason| context! {
            code => reason.code.clone(),
            evidence => shorten(&reason.evidence, 120),
        }).collect::<Vec<_>>(),
    }
}

fn kinds(entries: &[Entry<'_>]) -> Vec<minijinja::Value> {
    [
        Kind::Added,
        Kind::Removed,
        Kind::Modified,
        Kind::Moved,
        Kind::Renamed,
        Kind::Renumbered,
        Kind::Technical,
    ]
    .into_iter()
    .map(|kind| {
        let count = entries.iter().filter(|e| e.change.kind == kind).count();
        (kind, count)
    })
    .filter(|(_, count)| *count > 0)
    .map(|(kind, count)| context! { name => wording::kind(kind), count })
    .collect()
}

fn severities(redline: &Redline<'_>, entries: &[Entry<'_>]) -> Vec<minijinja::Value> {
    if redline.findings().is_empty() {
        return Vec::new();
    }
    let found = entries.iter().filter(|e| e.severity.is_some()).count();
    let material = entries
        .iter()
        .filter(|e| e.severity == Some(Severity::Material))
        .count();
    vec![
        context! { name => "found", label => "with findings", count => found },
        context! { name => "material", label => "material", count => material },
    ]
}

fn severity_class(severity: Option<Severity>) -> &'static str {
    severity.map_or("none", wording::severity)
}

fn line(entry: &Entry<'_>) -> minijinja::Value {
    context! {
        id => entry.change.id.clone(),
        ids => entry.ids(),
        more => (entry.followers > 0).then(|| wording::count(entry.followers, "passage")),
        kind => wording::kind(entry.change.kind),
        severity => severity_class(entry.severity),
        tag => entry.severity.map(wording::severity),
        place => entry.place(),
        deleted => shorten(&entry.deleted, 90),
        inserted => shorten(&entry.inserted, 90),
        details => entry.details.iter().map(|d| shorten(d, 120)).collect::<Vec<_>>(),
    }
}

fn foot(redline: &Redline<'_>) -> String {
    let made = redline
        .head
        .made
        .map(|time| format!(" on {time}"))
        .unwrap_or_default();
    let rules = redline
        .assessment
        .filter(|a| !a.rules.is_empty())
        .map(|a| format!(" Rules: {}.", a.rules))
        .unwrap_or_default();
    format!(
        "Made by fairnotice {}{made}. Compared by sections, blocks and words; every difference of words is marked.{rules} \
         Findings are made by rules and are no legal advice.",
        env!("CARGO_PKG_VERSION")
    )
}

/// The rows of the text.
fn text(redline: &Redline<'_>, entries: &[Entry<'_>]) -> String {
    let flow = Flow::new(redline.old, redline.new, redline.comparison);
    let mut near = vec![false; flow.rows.len()];
    for (index, row) in flow.rows.iter().enumerate() {
        if !row.changes.is_empty() || row.marked() {
            let from = index.saturating_sub(AROUND);
            for slot in near.iter_mut().skip(from).take(index + AROUND + 1 - from) {
                *slot = true;
            }
        }
    }
    let mut body = Body {
        entries,
        anchors: anchors(&flow, entries.len()),
        out: String::new(),
    };
    let mut far = 0;
    for (index, row) in flow.rows.iter().enumerate() {
        if near.get(index).copied().unwrap_or(true) {
            body.gap(&mut far);
            body.row(index, row, false);
        } else {
            far += 1;
            body.row(index, row, true);
        }
    }
    body.gap(&mut far);
    body.orphans();
    body.out
}

/// Where each change is shown: the row of its new side, else of its old one; and, for moves, the
/// row it was moved from.
#[derive(Clone, Copy, Default)]
struct Anchor {
    main: Option<usize>,
    from: Option<usize>,
}

fn anchors(flow: &Flow, changes: usize) -> Vec<Anchor> {
    let mut anchors = vec![Anchor::default(); changes];
    for (index, row) in flow.rows.iter().enumerate() {
        for change in &row.changes {
            let Some(anchor) = anchors.get_mut(*change) else {
                continue;
            };
            let of_change = |mark| {
                row.pieces()
                    .any(|p| p.mark == mark && p.change == Some(*change))
            };
            if of_change(Mark::MovedFrom) && !of_change(Mark::MovedTo) {
                anchor.from = anchor.from.or(Some(index));
            } else {
                anchor.main = anchor.main.or(Some(index));
            }
        }
    }
    for anchor in &mut anchors {
        anchor.main = anchor.main.or(anchor.from);
    }
    anchors
}

struct Body<'a> {
    entries: &'a [Entry<'a>],
    anchors: Vec<Anchor>,
    out: String,
}

impl Body<'_> {
    /// Says how many unchanged rows are left out when only changed passages are shown.
    fn gap(&mut self, far: &mut usize) {
        if *far > 0 {
            self.out.push_str(&format!(
                "<p class=\"gap\">{} not shown</p>\n",
                wording::count(*far, "unchanged paragraph")
            ));
            *far = 0;
        }
    }

    fn row(&mut self, index: usize, row: &Row, far: bool) {
        let of: Vec<&Entry<'_>> = row
            .changes
            .iter()
            .filter_map(|change| self.entries.get(*change))
            .collect();
        let mut class = String::from("row");
        if row.new.is_none() {
            class.push_str(" gone");
        }
        let mut label = String::new();
        if far {
            class.push_str(" far");
        }
        if !of.is_empty() {
            let loud = of.iter().any(|entry| !entry.quiet());
            class.push_str(if loud { " changed" } else { " quiet" });
            let names: Vec<String> = of
                .iter()
                .map(|e| format!("{} {}", e.change.id, wording::kind(e.change.kind)))
                .collect();
            label = format!(
                " role=\"group\" tabindex=\"-1\" aria-label=\"change {}\"",
                escape(&names.join(", "))
            );
        }
        let (mut ids, mut first) = (String::new(), String::new());
        let mut gutter = String::new();
        for entry in &of {
            let anchor = self.anchors.get(entry.index).copied().unwrap_or_default();
            let id = &entry.change.id;
            if anchor.main == Some(index) {
                gutter.push_str(&format!("<a href=\"#{id}\">{id}</a> "));
                if first.is_empty() {
                    first = format!(" id=\"{id}\"");
                } else {
                    ids.push_str(&format!("<span id=\"{id}\" tabindex=\"-1\"></span>"));
                }
            } else if anchor.from == Some(index) {
                ids.push_str(&format!("<span id=\"{id}-from\" tabindex=\"-1\"></span>"));
            }
        }
        self.out.push_str(&format!(
            "<div class=\"{class}\"{first}{label}><div class=\"gutter\">{ids}{}</div>",
            gutter.trim_end()
        ));
        self.out.push_str("<div class=\"old\">");
        self.side(row, true);
        self.out.push_str("</div><div class=\"new\">");
        self.side(row, false);
        self.out.push_str("</div>");
        self.notes(index, &of);
        self.out.push_str("</div>\n");
    }

    fn side(&mut self, row: &Row, old: bool) {
        let (tag, class) = element(row);
        let shown = |p: &Piece| !old || p.mark.is_old();
        if !row.pieces().any(|p| shown(p) && !p.text.is_empty()) {
            return;
        }
        self.out.push_str(&format!("<{tag}{class}>"));
        let table = matches!(row.kind, BlockKind::TableRow | BlockKind::TableHead);
        let last = row.paragraphs.len().saturating_sub(1);
        for (index, paragraph) in row.paragraphs.iter().enumerate() {
            if table {
                self.cells(paragraph, old);
            } else {
                for piece in paragraph.pieces.iter().filter(|p| shown(p)) {
                    self.piece(piece);
                }
            }
            if index != last && (!old || paragraph.end.is_old()) {
                self.out.push_str(match paragraph.end {
                    Mark::Inserted | Mark::MovedTo => {
                        "<ins class=\"pilcrow\"><span class=\"vh\">new paragraph</span><span aria-hidden=\"true\">¶</span></ins><br>"
                    }
                    Mark::Deleted | Mark::MovedFrom => {
                        "<del class=\"pilcrow\"><span class=\"vh\">paragraphs joined</span><span aria-hidden=\"true\">¶</span></del> "
                    }
                    Mark::Same | Mark::Ghost => "<br>",
                });
            }
        }
        self.out.push_str(&format!("</{tag}>"));
    }

    fn cells(&mut self, paragraph: &Paragraph, old: bool) {
        let mut pieces: Vec<&Piece> = paragraph
            .pieces
            .iter()
            .filter(|p| !old || p.mark.is_old())
            .collect();
        pieces.sort_by_key(|p| p.cell);
        let last = pieces.last().map_or(0, |p| p.cell);
        for cell in 0..=last {
            self.out.push_str("<span>");
            for piece in pieces.iter().filter(|p| p.cell == cell) {
                self.piece(piece);
            }
            self.out.push_str("</span>");
        }
    }

    fn piece(&mut self, piece: &Piece) {
        let text = escape(&piece.text);
        if text.is_empty() {
            return;
        }
        let entry = piece.change.and_then(|index| self.entries.get(index));
        let class = entry.map_or_else(String::new, |entry| {
            format!(
                "k-{} s-{}",
                wording::kind(entry.change.kind),
                severity_class(entry.severity)
            )
        });
        let (tag, class, before, after) = match piece.mark {
            Mark::Same => {
                self.out.push_str(&text);
                return;
            }
            Mark::Deleted | Mark::Ghost => ("del", class, "deleted: ", " end of deletion. "),
            Mark::Inserted => ("ins", class, "inserted: ", " end of insertion. "),
            Mark::MovedFrom => (
                "del",
                format!("moved {class}"),
                "moved away: ",
                " end of move. ",
            ),
            Mark::MovedTo => (
                "ins",
                format!("moved {class}"),
                "moved here: ",
                " end of move. ",
            ),
        };
        self.out.push_str(&format!(
            "<{tag} class=\"{}\"><span class=\"vh\">{before}</span>{text}<span class=\"vh\">{after}</span></{tag}>",
            class.trim()
        ));
    }

    fn notes(&mut self, index: usize, of: &[&Entry<'_>]) {
        let mut notes = String::new();
        for entry in of {
            let anchor = self.anchors.get(entry.index).copied().unwrap_or_default();
            let id = &entry.change.id;
            if entry.change.kind == Kind::Moved && !entry.follows {
                let away = anchor.from == Some(index) && anchor.main != Some(index);
                let line = |side: &Option<crate::compare::Side>| {
                    side.as_ref().map_or(0, |side| side.lines.0)
                };
                let ids = entry.ids();
                match (away, anchor.from) {
                    (true, _) => notes.push_str(&format!(
                        "<p>{ids}: moved <a href=\"#{id}\">to line {}</a></p>",
                        line(&entry.change.new)
                    )),
                    (false, Some(_)) if anchor.main == Some(index) => notes.push_str(&format!(
                        "<p>{ids}: moved <a href=\"#{id}-from\">from line {}</a></p>",
                        line(&entry.change.old)
                    )),
                    _ => {}
                }
            }
            if anchor.main != Some(index) {
                continue;
            }
            for detail in &entry.details {
                let quiet = if entry.quiet() { " class=\"q\"" } else { "" };
                notes.push_str(&format!(
                    "<p{quiet}>{id}: {}</p>",
                    escape(&shorten(detail, 200))
                ));
            }
            for finding in &entry.findings {
                notes.push_str(&format!(
                    "<p class=\"f s-{} d-{}\"><a href=\"#{}\">{}</a> {}, {}: {}</p>",
                    wording::severity(finding.severity),
                    wording::code(&finding.direction),
                    finding.id,
                    finding.id,
                    wording::severity(finding.severity),
                    wording::direction(finding.direction),
                    escape(
                        &finding
                            .summary
                            .clone()
                            .unwrap_or_else(|| wording::topic(finding.topic).to_owned())
                    )
                ));
            }
        }
        if !notes.is_empty() {
            self.out
                .push_str(&format!("<aside class=\"note\">{notes}</aside>"));
        }
    }

    /// Changes of bytes that no reader sees in any row, such as a rule between sections: their
    /// links in the list must lead somewhere.
    fn orphans(&mut self) {
        for (entry, anchor) in self.entries.iter().zip(&self.anchors) {
            if anchor.main.is_none() {
                let place = escape(&format!("{} {}", entry.place(), entry.lines));
                let words: Vec<String> = entry.details.iter().map(|d| escape(d)).collect();
                let id = &entry.change.id;
                self.out.push_str(&format!(
                    "<div class=\"row quiet\" id=\"{id}\" tabindex=\"-1\"><div class=\"gutter\">{id}</div><div class=\"new\"><p>{place}: {} without readable words</p></div></div>\n",
                    if words.is_empty() { wording::kind(entry.change.kind).to_owned() } else { words.join(", ") }
                ));
            }
        }
    }
}

fn element(row: &Row) -> (&'static str, String) {
    let class = |class: &str| format!(" class=\"{class}\"");
    match row.kind {
        BlockKind::Title => ("h3", String::new()),
        BlockKind::Heading => (
            match row.depth {
                0 | 1 => "h3",
                2 => "h4",
                3 => "h5",
                _ => "h6",
            },
            String::new(),
        ),
        BlockKind::ListItem => {
            let bullet = if row.numbered { "" } else { " bullet" };
            ("p", class(&format!("item{bullet} d{}", row.depth.min(3))))
        }
        BlockKind::TableRow => ("div", class("cells")),
        BlockKind::TableHead => ("div", class("cells head")),
        BlockKind::Contents => ("p", class("contents")),
        _ => ("p", String::new()),
    }
}

/// Text in a page: nothing of it is markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
