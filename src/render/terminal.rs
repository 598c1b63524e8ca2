//! The redline for a terminal, or for a pipe: the verdict first, what hurts users next, then each
//! changed passage.

use anstyle::{AnsiColor, Effects, Style};

use crate::{
    assess::{Direction, Finding, Quote, Severity, Verdict},
    compare::Kind,
    read::Document,
};

use super::{
    Entry, Flow, Mark, Redline, Row, entries, hidden, readable,
    wording::{self, count, shorten},
};

/// How wide, and with which means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Whether escape sequences may be used. Without them deletions stand in `[-…-]`, insertions
    /// in `{+…+}`, moved passages in `[<…<]` where they were and `{>…>}` where they are.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// Whether technical changes and renumberings are shown too.
    pub everything: bool,
}

/// Writes the whole redline.
pub fn terminal(redline: &Redline<'_>, style: &TerminalStyle) -> String {
    let mut page = Page {
        style: *style,
        width: style.width.clamp(40, 100),
        out: String::new(),
    };
    let entries = entries(redline);
    page.head(redline);
    page.verdict(redline, &entries);
    page.findings(redline);
    page.promises(redline);
    page.duties(redline);
    page.changes(redline, &entries);
    page.out
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const DELETED: Style = AnsiColor::Red.on_default().effects(Effects::STRIKETHROUGH);
const INSERTED: Style = AnsiColor::Green.on_default().effects(Effects::UNDERLINE);
const MOVED: Style = AnsiColor::Cyan.on_default();
const ALARM: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const CARE: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);

struct Page {
    style: TerminalStyle,
    width: usize,
    out: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.style.colour && style != PLAIN && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        let text = self.paint(BOLD, text);
        self.line(&text);
    }

    /// Wraps words with their styles; lines begin with `first`, then with `rest`.
    fn wrap(&mut self, first: &str, rest: &str, words: &[(Style, String)]) {
        let mut line = first.to_owned();
        let mut column = first.chars().count();
        let mut open = PLAIN;
        let mut fresh = true;
        let mut glue = true;
        for (style, text) in words {
            for part in text.split_inclusive(' ') {
                let word = part.trim_end_matches(' ');
                let length = columns(word);
                if !fresh && !glue && column + 1 + length > self.width {
                    self.close(&mut line, &mut open);
                    self.line(&line.clone());
                    rest.clone_into(&mut line);
                    column = rest.chars().count();
                    fresh = true;
                } else if !fresh && !glue {
                    if open != *style {
                        self.close(&mut line, &mut open);
                    }
                    line.push(' ');
                    column += 1;
                }
                if !word.is_empty() {
                    if open != *style {
                        self.close(&mut line, &mut open);
                        if self.style.colour && *style != PLAIN {
                            line.push_str(&style.to_string());
                        }
                        open = *style;
                    }
                    line.push_str(word);
                    column += length;
                    fresh = false;
                }
                glue = !part.ends_with(' ');
            }
        }
        self.close(&mut line, &mut open);
        self.line(&line);
    }

    fn close(&self, line: &mut String, open: &mut Style) {
        if self.style.colour && *open != PLAIN {
            line.push_str(&format!("{open:#}"));
        }
        *open = PLAIN;
    }

    fn prose(&mut self, first: &str, rest: &str, text: &str) {
        self.wrap(first, rest, &[(PLAIN, one_line(text))]);
    }

    fn head(&mut self, redline: &Redline<'_>) {
        let title = self.paint(BOLD, &one_line(redline.title()));
        self.line(&title);
        for (side, head, document) in [
            ("old", &redline.head.old, redline.old),
            ("new", &redline.head.new, redline.new),
        ] {
            let mut parts = vec![one_line(&head.name)];
            parts.extend(head.version.iter().map(|v| format!("version {v}")));
            let dates = &document.dates;
            parts.extend(dates.effective.map(|date| format!("effective {date}")));
            parts.extend(dates.updated.map(|date| format!("updated {date}")));
            parts.extend(head.seen.map(|time| format!("seen {time}")));
            let sha = head.sha256.as_ref().and_then(|sha| sha.get(..12));
            parts.extend(sha.map(|sha| format!("sha256 {sha}…")));
            self.wrap(
                &format!("  {side}  "),
                "       ",
                &[(QUIET, parts.join(" · "))],
            );
            if let Some(suspect) = &document.suspect {
                let warning = format!("this may not be the policy: {}", suspect.detail);
                self.wrap("       ", "       ", &[(CARE, warning)]);
            }
        }
    }

    fn verdict(&mut self, redline: &Redline<'_>, entries: &[Entry<'_>]) {
        self.out.push('\n');
        if let Some(verdict) = redline.verdict() {
            let (name, meaning) = wording::verdict(verdict);
            let style = match verdict {
                Verdict::Material => ALARM,
                Verdict::Substantive => CARE,
                Verdict::Editorial | Verdict::Technical | Verdict::None => GOOD,
            };
            let name = name.to_uppercase();
            self.wrap(
                "",
                "  ",
                &[(style, format!("{name} ")), (PLAIN, meaning.to_owned())],
            );
        }
        self.prose("", "  ", &summary(redline, entries));
        for remark in redline.assessment.iter().flat_map(|a| &a.remarks) {
            self.prose("note: ", "  ", remark);
        }
    }

    fn findings(&mut self, redline: &Redline<'_>) {
        let findings = redline.findings();
        if findings.is_empty() {
            return;
        }
        let title = format!(
            "What it means for users ({})",
            count(findings.len(), "finding")
        );
        self.heading(&title);
        for finding in findings {
            self.finding(redline, finding);
        }
    }

    fn finding(&mut self, redline: &Redline<'_>, finding: &Finding) {
        let style = match (finding.severity, finding.direction) {
            (_, Direction::Favourable) => GOOD,
            (Severity::Material, _) => ALARM,
            (Severity::Substantive, _) => CARE,
        };
        let place = wording::place(&finding.section);
        let what = format!(
            "{}, {}",
            wording::severity(finding.severity),
            wording::direction(finding.direction)
        );
        let rest = format!(
            " · {} · {}",
            wording::topic(finding.topic),
            one_line(&place)
        );
        self.wrap(
            &format!("  {:<4}", finding.id),
            "      ",
            &[(style, what), (PLAIN, rest)],
        );
        if let Some(text) = &finding.summary {
            self.prose("      ", "      ", text);
        }
        if let Some(text) = &finding.proposed {
            self.prose(
                "      ",
                "      ",
                &format!("proposed, not approved: {text}"),
            );
        }
        self.quote("before", DELETED, redline.old, finding.old.as_ref());
        self.quote("after ", INSERTED, redline.new, finding.new.as_ref());
        let why: Vec<String> = finding
            .reasons
            .iter()
            .map(|reason| format!("{} “{}”", reason.code, shorten(&reason.evidence, 60)))
            .collect();
        if !why.is_empty() {
            self.wrap(
                "      why     ",
                "              ",
                &[(QUIET, why.join(", "))],
            );
        }
    }

    fn quote(&mut self, side: &str, style: Style, document: &Document, quote: Option<&Quote>) {
        let Some(quote) = quote else { return };
        // Long passages are struck through in full below; here they must be readable.
        let style = Style::new().fg_color(style.get_fg_color());
        self.wrap(
            &format!("      {side}  "),
            "              ",
            &[
                (QUIET, format!("line {}: ", quote.lines.0)),
                (
                    style,
                    format!("“{}”", shorten(&readable::quoted(document, quote), 400)),
                ),
            ],
        );
    }

    fn promises(&mut self, redline: &Redline<'_>) {
        if redline.promises.is_empty() {
            return;
        }
        self.heading("What changed in the promises about telling users");
        for promise in redline.promises {
            let name = wording::promise(promise.change);
            if let Some(old) = &promise.old {
                self.prose(&format!("  {name}: was  "), "      ", &wording::duty(old));
            }
            if let Some(new) = &promise.new {
                self.prose(&format!("  {name}: now  "), "      ", &wording::duty(new));
            }
        }
    }

    fn duties(&mut self, redline: &Redline<'_>) {
        let due: Vec<_> = redline
            .duties
            .iter()
            .filter(|d| !d.because.is_empty())
            .collect();
        if due.is_empty() {
            return;
        }
        self.heading("What the old text promised to do about such a change");
        for duty in due {
            let lines = duty.duty.lines;
            self.prose("  ", "    ", &wording::duty(&duty.duty));
            self.wrap(
                "    ",
                "    ",
                &[(
                    QUIET,
                    format!(
                        "because of {}; line {}: “{}”",
                        duty.because.join(", "),
                        lines.0,
                        shorten(&one_line(&duty.duty.quote), 300)
                    ),
                )],
            );
        }
    }

    fn changes(&mut self, redline: &Redline<'_>, entries: &[Entry<'_>]) {
        let shown: Vec<&Entry<'_>> = entries
            .iter()
            .filter(|entry| (self.style.everything || !entry.quiet()) && !entry.follows)
            .collect();
        if shown.is_empty() {
            return;
        }
        self.heading("Changes");
        let flow = Flow::new(redline.old, redline.new, redline.comparison);
        let mut drawn = vec![false; flow.rows.len()];
        let mut rows_of = vec![Vec::new(); entries.len()];
        for (index, row) in flow.rows.iter().enumerate() {
            for change in &row.changes {
                if let Some(rows) = rows_of.get_mut(*change) {
                    rows.push(index);
                }
            }
        }
        for entry in shown {
            let head = [
                entry.ids(),
                wording::kind(entry.change.kind).to_owned(),
                one_line(&entry.place()),
                entry.lines.clone(),
            ]
            .join(" · ");
            self.wrap("  ", "    ", &[(BOLD, head)]);
            for detail in &entry.details {
                self.wrap("    ", "    ", &[(QUIET, one_line(detail))]);
            }
            let moved = entry.change.kind == Kind::Moved;
            let run = if moved { 0 } else { entry.followers };
            for index in rows_of.iter().skip(entry.index).take(run + 1).flatten() {
                let (Some(row), Some(done)) = (flow.rows.get(*index), drawn.get_mut(*index)) else {
                    continue;
                };
                let leaves = row.pieces().any(|p| p.mark == Mark::MovedFrom)
                    && !row
                        .pieces()
                        .any(|p| matches!(p.mark, Mark::Inserted | Mark::MovedTo));
                // A passage that moved is shown once, where it stands now.
                let elsewhere = leaves && rows_of.get(entry.index).is_some_and(|r| r.len() > 1);
                if elsewhere || std::mem::replace(done, true) || !row.marked() {
                    continue;
                }
                self.row(row);
            }
            if moved && entry.followers > 0 {
                let text = format!("and {} behind it", count(entry.followers, "passage"));
                self.wrap("    ", "    ", &[(QUIET, text)]);
            }
        }
        let hidden = hidden(redline);
        if !self.style.everything && hidden.total() > 0 {
            let text = format!("  Not shown: {}. Say --all to see them.", hidden.words());
            let text = self.paint(QUIET, &text);
            self.line(&text);
        }
    }

    fn row(&mut self, row: &Row) {
        let mut words = Vec::new();
        for paragraph in &row.paragraphs {
            for piece in &paragraph.pieces {
                words.push(self.piece(piece.mark, &piece.text));
            }
            words.push((PLAIN, " ".to_owned()));
        }
        let words = with_context(words);
        self.wrap("    ", "    ", &words);
    }

    fn piece(&self, mark: Mark, text: &str) -> (Style, String) {
        if self.style.colour {
            let style = match mark {
                Mark::Same => PLAIN,
                Mark::Deleted | Mark::Ghost => DELETED,
                Mark::Inserted => INSERTED,
                Mark::MovedFrom => MOVED.effects(Effects::STRIKETHROUGH),
                Mark::MovedTo => MOVED.effects(Effects::UNDERLINE),
            };
            return (style, text.to_owned());
        }
        (PLAIN, bracketed(mark, text))
    }
}

/// A piece in brackets, white space outside them.
pub(super) fn bracketed(mark: Mark, text: &str) -> String {
    let (open, close) = match mark {
        Mark::Same => return text.to_owned(),
        Mark::Deleted | Mark::Ghost => ("[-", "-]"),
        Mark::Inserted => ("{+", "+}"),
        Mark::MovedFrom => ("[<", "<]"),
        Mark::MovedTo => ("{>", ">}"),
    };
    let core = text.trim();
    if core.is_empty() {
        return text.to_owned();
    }
    let lead = text.len() - text.trim_start().len();
    let tail = text.trim_end().len();
    format!(
        "{}{open}{core}{close}{}",
        text.get(..lead).unwrap_or_default(),
        text.get(tail..).unwrap_or_default()
    )
}

/// Long unchanged stretches are cut to the words around a difference.
fn with_context(words: Vec<(Style, String)>) -> Vec<(Style, String)> {
    const AROUND: usize = 160;
    let last = words.len().saturating_sub(1);
    words
        .into_iter()
        .enumerate()
        .map(|(index, (style, text))| {
            let length = text.chars().count();
            let moved = style.get_fg_color() == MOVED.get_fg_color() && style != PLAIN;
            let kept = style != PLAIN && !moved || text.contains("[-") || text.contains("{+");
            if kept || length <= 2 * AROUND {
                return (style, text);
            }
            let chars: Vec<char> = text.chars().collect();
            let head: String = chars.iter().take(AROUND).collect();
            let tail: String = chars.iter().skip(length - AROUND).collect();
            let head = head.rsplit_once(' ').map_or("", |(head, _)| head);
            let tail = tail.split_once(' ').map_or("", |(_, tail)| tail);
            let text = match index {
                _ if moved || text.contains("{>") => format!("{head} … {tail}"),
                0 => format!("… {tail}"),
                i if i == last => format!("{head} …"),
                _ => format!("{head} … {tail}"),
            };
            (style, text)
        })
        .collect()
}

/// The counts in one sentence.
pub(super) fn summary(redline: &Redline<'_>, entries: &[Entry<'_>]) -> String {
    if entries.is_empty() {
        return "The two texts do not differ.".to_owned();
    }
    let of = |kind| entries.iter().filter(|e| e.change.kind == kind).count();
    let parts: Vec<String> = [
        Kind::Added,
        Kind::Removed,
        Kind::Modified,
        Kind::Moved,
        Kind::Renamed,
        Kind::Renumbered,
        Kind::Technical,
    ]
    .into_iter()
    .filter(|kind| of(*kind) > 0)
    .map(|kind| format!("{} {}", of(kind), wording::kind(kind)))
    .collect();
    let words = &redline.comparison.counts.words;
    let wording = if words.added + words.removed == 0 {
        "no change of wording".to_owned()
    } else {
        format!(
            "{} added, {} removed",
            count(words.added, "word"),
            count(words.removed, "word")
        )
    };
    format!(
        "{}: {}; {wording}.",
        count(entries.len(), "change"),
        parts.join(", ")
    )
}

/// Columns a word takes: wide characters take two.
fn columns(word: &str) -> usize {
    word.chars()
        .map(|c| match u32::from(c) {
            0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe4f
            | 0xff00..=0xff60
            | 0x1f300..=0x1faff
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// Foreign text on one line, without control characters that a terminal would obey.
fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
