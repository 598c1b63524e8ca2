//! The redline as Markdown, for issues, chats and mails, and as plain text with `[-old-] {+new+}`.

use crate::{assess::Finding, read::BlockKind};

use super::{
    Entry, Flow, Mark, Redline, Row, TerminalStyle, entries, hidden, readable, terminal,
    terminal::{bracketed, summary},
    wording::{self, shorten},
};

/// The redline as plain text, 80 columns wide.
pub fn plain(redline: &Redline<'_>) -> String {
    terminal(
        redline,
        &TerminalStyle {
            colour: false,
            width: 80,
            everything: false,
        },
    )
}

/// The redline as GitHub-style Markdown: summary, findings, then all changed passages with
/// deletions struck through and insertions in bold, and brackets so that no mark rests on
/// type style alone.
pub fn markdown(redline: &Redline<'_>) -> String {
    let entries = entries(redline);
    let mut out = format!("# Redline: {}\n\n", escape(redline.title()));
    out.push_str("| | old | new |\n| --- | --- | --- |\n");
    let (old, new) = (&redline.head.old, &redline.head.new);
    table_row(&mut out, "file", Some(&old.name), Some(&new.name));
    table_row(
        &mut out,
        "version",
        old.version.as_ref(),
        new.version.as_ref(),
    );
    let date = |date: Option<jiff::civil::Date>| date.map(|d| d.to_string());
    table_row(
        &mut out,
        "effective",
        date(redline.old.dates.effective).as_ref(),
        date(redline.new.dates.effective).as_ref(),
    );
    table_row(
        &mut out,
        "updated",
        date(redline.old.dates.updated).as_ref(),
        date(redline.new.dates.updated).as_ref(),
    );
    table_row(
        &mut out,
        "SHA-256",
        old.sha256.as_ref(),
        new.sha256.as_ref(),
    );
    out.push('\n');
    if let Some(verdict) = redline.verdict() {
        let (name, meaning) = wording::verdict(verdict);
        out.push_str(&format!("**Verdict: {name}.** {meaning}\n\n"));
    }
    out.push_str(&format!("{}\n", summary(redline, &entries)));
    for remark in redline.assessment.iter().flat_map(|a| &a.remarks) {
        out.push_str(&format!("\n_{}_\n", escape(remark)));
    }
    findings(&mut out, redline);
    promises(&mut out, redline);
    changes(&mut out, redline, &entries);
    out.push_str(
        "\n---\n[-~~deleted~~-] {+**inserted**+} [<~~moved from here~~<] {>**moved to here**>}\n",
    );
    out
}

fn table_row(out: &mut String, name: &str, old: Option<&String>, new: Option<&String>) {
    if old.is_some() || new.is_some() {
        let cell = |text: Option<&String>| text.map(|t| escape(t)).unwrap_or_default();
        out.push_str(&format!("| {name} | {} | {} |\n", cell(old), cell(new)));
    }
}

fn findings(out: &mut String, redline: &Redline<'_>) {
    if redline.findings().is_empty() {
        return;
    }
    out.push_str("\n## What it means for users\n");
    for finding in redline.findings() {
        out.push_str(&format!("\n### {}\n", heading(finding)));
        if let Some(text) = &finding.summary {
            out.push_str(&format!("\n{}\n", escape(text)));
        }
        if let Some(text) = &finding.proposed {
            out.push_str(&format!("\n*Proposed, not approved:* {}\n", escape(text)));
        }
        for (side, document, quote) in [
            ("Before", redline.old, &finding.old),
            ("After", redline.new, &finding.new),
        ] {
            if let Some(quote) = quote {
                let text = escape(&shorten(&readable::quoted(document, quote), 600));
                out.push_str(&format!("\n{side} (line {}):\n> {text}\n", quote.lines.0));
            }
        }
        let why: Vec<String> = finding
            .reasons
            .iter()
            .map(|r| format!("`{}` “{}”", r.code, escape(&shorten(&r.evidence, 80))))
            .collect();
        if !why.is_empty() {
            out.push_str(&format!("\nWhy: {}\n", why.join(", ")));
        }
    }
}

fn heading(finding: &Finding) -> String {
    format!(
        "{}: {}, {}, {} ({})",
        finding.id,
        wording::severity(finding.severity),
        wording::direction(finding.direction),
        wording::topic(finding.topic),
        escape(&wording::place(&finding.section)),
    )
}

fn promises(out: &mut String, redline: &Redline<'_>) {
    if !redline.promises.is_empty() {
        out.push_str("\n## Promises about telling users\n\n");
    }
    for promise in redline.promises {
        let side = |duty: &Option<crate::duty::Duty>| {
            duty.as_ref()
                .map_or_else(|| "nothing".to_owned(), |d| escape(&wording::duty(d)))
        };
        out.push_str(&format!(
            "- **{}**: was {}; now {}\n",
            wording::promise(promise.change),
            side(&promise.old),
            side(&promise.new)
        ));
    }
    let due: Vec<_> = redline
        .duties
        .iter()
        .filter(|d| !d.because.is_empty())
        .collect();
    if !due.is_empty() {
        out.push_str("\n## What the old text promised to do about such a change\n\n");
    }
    for duty in due {
        out.push_str(&format!(
            "- {} (because of {})\n  > {}\n",
            escape(&wording::duty(&duty.duty)),
            duty.because.join(", "),
            escape(&shorten(&duty.duty.quote, 400))
        ));
    }
}

fn changes(out: &mut String, redline: &Redline<'_>, entries: &[Entry<'_>]) {
    if entries.is_empty() {
        return;
    }
    out.push_str("\n## Changes\n");
    let flow = Flow::new(redline.old, redline.new, redline.comparison);
    let mut quiet = Vec::new();
    for row in flow.rows.iter().filter(|row| row.marked()) {
        let of: Vec<&Entry<'_>> = row
            .changes
            .iter()
            .filter_map(|index| entries.get(*index))
            .collect();
        if !of.is_empty() && of.iter().all(|entry| entry.quiet()) {
            continue;
        }
        let names: Vec<String> = of
            .iter()
            .filter(|entry| !entry.quiet())
            .map(|entry| format!("{} {}", entry.change.id, wording::kind(entry.change.kind)))
            .collect();
        let place = of.first().map(|entry| escape(&entry.place()));
        out.push_str(&format!(
            "\n**{}** {}\n\n{}\n",
            names.join(", "),
            place.unwrap_or_default(),
            passage(row)
        ));
    }
    for entry in entries.iter().filter(|entry| entry.quiet()) {
        let mut line = format!(
            "- {} {} {}, {}",
            entry.change.id,
            wording::kind(entry.change.kind),
            escape(&entry.place()),
            entry.lines
        );
        if !entry.details.is_empty() {
            line.push_str(&format!(": {}", escape(&entry.details.join("; "))));
        }
        quiet.push(line);
    }
    if !quiet.is_empty() {
        out.push_str(&format!(
            "\n<details><summary>Not changes of content: {}</summary>\n\n{}\n\n</details>\n",
            hidden(redline).words(),
            quiet.join("\n")
        ));
    }
}

fn passage(row: &Row) -> String {
    let mut out = match row.kind {
        BlockKind::ListItem => "> - ".to_owned(),
        _ => "> ".to_owned(),
    };
    let last = row.paragraphs.len().saturating_sub(1);
    for (index, paragraph) in row.paragraphs.iter().enumerate() {
        let mut cell = 0;
        for piece in &paragraph.pieces {
            if piece.cell != cell {
                out.push_str(" \\| ");
                cell = piece.cell;
            }
            let text = escape(&piece.text);
            let core = text.trim();
            let styled = match piece.mark {
                _ if core.is_empty() => text.clone(),
                Mark::Same => text.clone(),
                Mark::Deleted | Mark::Ghost | Mark::MovedFrom => {
                    text.replacen(core, &format!("~~{core}~~"), 1)
                }
                Mark::Inserted | Mark::MovedTo => text.replacen(core, &format!("**{core}**"), 1),
            };
            out.push_str(&bracketed(piece.mark, &styled));
        }
        if index != last {
            out.push_str("\n>\n> ");
        }
    }
    out
}

/// Foreign text must not become markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '@' => out.push_str("&#64;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
