//! `fairnotice audit DOC`

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use fairnotice::{
    duty::{
        Source,
        audit::{AuditedVersion, Side, State},
        consent::{self, Rejected, Tally},
    },
    run::{Workspace, audit},
};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, duties::word, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document.
    document: String,
    /// First import acceptances and refusals: a CSV with person, version, time, answer.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Who was asked, one person a line: counts who is still open.
    #[arg(long, value_name = "FILE")]
    asked: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    document: &'a str,
    side: Side,
    versions: &'a [AuditedVersion],
    answers: &'a BTreeMap<String, Tally>,
    rejected: &'a [Rejected],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let now = globals.now();
    let mut rejected = Vec::new();
    if let Some(file) = &args.import {
        let (responses, bad) = consent::parse(&read(file)?).map_err(|error| {
            CliError::usage("acceptances", error).place(file.display().to_string())
        })?;
        rejected = bad;
        let mut workspace =
            Workspace::write(&globals.workspace, "audit", now, Duration::from_secs(10))?;
        audit::import(&mut workspace, &args.document, &responses, now)?;
    }
    let asked: Option<Vec<String>> =
        args.asked
            .as_ref()
            .map(|file| read(file))
            .transpose()?
            .map(|text| {
                text.lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .map(consent::normal)
                    .collect()
            });
    let workspace = Workspace::read(&globals.workspace)?;
    let audit = audit::audit(&workspace, &args.document, asked.as_deref(), now)?;
    if globals.json() {
        print_json(&Report {
            schema: "fairnotice/audit/1",
            document: &args.document,
            side: audit.side,
            versions: &audit.versions,
            answers: &audit.answers,
            rejected: &rejected,
        })?;
    } else {
        print_text(&for_people(&args.document, &audit, &rejected))?;
    }
    Ok(if rejected.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    })
}

fn read(file: &std::path::Path) -> Result<String, CliError> {
    std::fs::read_to_string(file).map_err(|error| {
        CliError::failed(
            "unreadable",
            format!("cannot read {}: {error}", file.display()),
        )
    })
}

fn for_people(document: &str, audit: &audit::Audit, rejected: &[Rejected]) -> String {
    let mut text = format!("Audit of {document}\n");
    if audit.versions.is_empty() {
        text += "\nThere is no change on record yet.\n";
    }
    for version in &audit.versions {
        let short: String = version.version.chars().take(12).collect();
        let effect = version
            .effective
            .map(|day| format!(", takes effect {day}"))
            .unwrap_or_default();
        let seen = match audit.side {
            Side::Owner => "published",
            Side::Watcher => "first seen",
        };
        text += &format!(
            "\n{short} {seen} {}{effect}\n",
            version.published.strftime("%Y-%m-%d %H:%M UTC")
        );
        if let Some(short) = version.duties.iter().filter_map(|one| one.short_days).max() {
            text += &format!(
                "  ! The text changed without the time in advance that it promised: {short} days short.\n"
            );
        }
        if version.duties.is_empty() {
            text += "  no promise was triggered\n";
        }
        for one in &version.duties {
            let state = match (one.state, one.late_days) {
                (State::Late, Some(days)) => format!("late by {days} day(s)"),
                (state, _) => word(&state),
            };
            let quote: String = one
                .duty
                .quote
                .split_whitespace()
                .take(24)
                .collect::<Vec<_>>()
                .join(" ");
            let whose = match &one.duty.source {
                Source::Policy => format!("promised in line {}", one.duty.lines.0),
                Source::Law {
                    provision,
                    verified,
                    ..
                } => {
                    let standing = if *verified { "" } else { ", unverified" };
                    format!("law: {provision}{standing}")
                }
                Source::House => "house minimum".to_owned(),
            };
            text += &format!(
                "  {state}: {} ({}; {whose}): {}\n      \u{201c}{quote}\u{201d}\n",
                one.duty.id,
                word(&one.duty.trigger),
                one.why
            );
        }
    }
    text += &sum(audit);
    for (version, tally) in &audit.answers {
        let short: String = version.chars().take(12).collect();
        let open = tally
            .open
            .map(|open| format!(", {open} open"))
            .unwrap_or_default();
        text += &format!(
            "\n{short}: {} accepted, {} refused{open}\n",
            tally.accepted, tally.refused
        );
    }
    for line in rejected {
        text += &format!("line {} was not imported: {}\n", line.line, line.reason);
    }
    text
}

/// How many promises are in each state, over all versions.
fn sum(audit: &audit::Audit) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in audit.versions.iter().flat_map(|version| &version.duties) {
        *counts.entry(word(&one.state)).or_default() += 1;
    }
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    format!("\nIn all: {}.\n", parts.join(", "))
}
