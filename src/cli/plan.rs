//! `fairnotice plan DOC`

use std::path::PathBuf;

use fairnotice::{
    assess::{Finding, Verdict},
    duty::{self, Plan, PlannedDuty},
    run::{self, Workspace},
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, duties::word, page, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document.
    document: String,
    /// The planned day of effect; else the day on record, else the one that the text states.
    #[arg(long, value_name = "DATE")]
    effective: Option<Date>,
    /// Jurisdictions of recipients, beside the document's own (eu, us-ca, …).
    #[arg(long, short)]
    jurisdiction: Vec<String>,
    /// Write the deadlines as an iCalendar file.
    #[arg(long, value_name = "FILE")]
    ical: Option<PathBuf>,
    /// Exit with 30 when the planned day is too early, 20 on material and 10 on substantive changes.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    document: &'a str,
    from: String,
    to: String,
    verdict: Verdict,
    now: Timestamp,
    #[serde(flatten)]
    plan: &'a Plan,
    promises: &'a [duty::PromiseChange],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let workspace = Workspace::read(&globals.workspace)?;
    let now = globals.now();
    let Some(planned) = run::plan::plan(
        &workspace,
        &args.document,
        args.effective,
        &args.jurisdiction,
        now,
    )?
    else {
        return Err(CliError::failed(
            "no-change",
            format!(
                "`{}` has fewer than two published versions: there is nothing to plan",
                args.document
            ),
        )
        .hint("`fairnotice check` looks for a new version"));
    };
    if let Some(file) = &args.ical {
        page::write(
            Some(file),
            duty::ical(&planned.plan, &args.document, now).as_bytes(),
        )?;
    }
    let verdict = planned.judged.assessment.verdict;
    if globals.json() {
        print_json(&Report {
            schema: "fairnotice/plan/1",
            document: &args.document,
            from: planned.from.to_string(),
            to: planned.to.to_string(),
            verdict,
            now,
            plan: &planned.plan,
            promises: &planned.judged.promises,
        })?;
    } else {
        print_text(&for_people(&args.document, &planned, now))?;
    }
    Ok(match verdict {
        _ if !args.exit_code => Exit::Done,
        _ if planned.plan.too_early => Exit::TooEarly,
        Verdict::Material => Exit::Material,
        Verdict::Substantive => Exit::Substantive,
        _ => Exit::Done,
    })
}

fn for_people(document: &str, planned: &run::plan::Planned, now: Timestamp) -> String {
    let plan = &planned.plan;
    let mut text = format!(
        "Plan for {document}: from {} (in force) to {}, {}\n",
        planned.from.short(),
        planned.to.short(),
        word(&planned.judged.assessment.verdict)
    );
    text += &changes(&planned.judged.assessment.findings);
    text.push('\n');
    match (plan.effective, plan.earliest_effective) {
        (Some(day), Some(first)) if plan.too_early => {
            text += &format!(
                "The planned day of effect, {day}, is too early: if all notices go out today, the first possible day is {first}.\n"
            );
        }
        (Some(day), _) => text += &format!("Planned day of effect: {day}.\n"),
        (None, Some(first)) => {
            text += &format!(
                "No day of effect is set. If all notices go out today, the first possible day is {first}.\n"
            );
        }
        (None, None) => text += "No day of effect is set, and no duty asks for time in advance.\n",
    }
    if let Some(limit) = plan.send_by {
        let standing = if limit < now {
            ": that time has passed"
        } else {
            ""
        };
        text += &format!(
            "The last message must be out by {}{standing}.\n",
            instant(limit)
        );
    }
    if !plan.channels.is_empty() {
        let names: Vec<String> = plan.channels.iter().map(word).collect();
        text += &format!("Notices to make: {}.\n", names.join(", "));
    }
    if !plan.duties.is_empty() {
        text += &format!("\n{}\n", table(&plan.duties, now));
        text += "\nHow the days are counted\n";
        text += &rules(&plan.duties);
    }
    let timeline = timeline(plan, now);
    if !timeline.is_empty() {
        text += &format!("\nTimeline\n{timeline}");
    }
    if !plan.tasks.is_empty() {
        text += "\nTo be done by people\n";
        for task in &plan.tasks {
            text += &format!("  [ ] {task}\n");
        }
    }
    if !plan.remarks.is_empty() {
        text += "\nAssumptions and limits\n";
        for remark in grouped(&plan.remarks) {
            text += &format!("  - {remark}\n");
        }
    }
    text
}

/// Remarks that say the same of several duties, as one: "d1, d2: “in advance” without a number".
fn grouped(remarks: &[String]) -> Vec<String> {
    let mut out: Vec<(Vec<&str>, &str)> = Vec::new();
    for remark in remarks {
        let (ids, said) = match remark.split_once(" says ") {
            Some((id, said)) if !id.contains(' ') => (vec![id], said),
            _ => (Vec::new(), remark.as_str()),
        };
        match out
            .iter_mut()
            .find(|(known, same)| !known.is_empty() && !ids.is_empty() && *same == said)
        {
            Some((known, _)) => known.extend(ids),
            None => out.push((ids, said)),
        }
    }
    out.into_iter()
        .map(|(ids, said)| match ids.as_slice() {
            [] => said.to_owned(),
            [one] => format!("{one} says {said}"),
            several => format!("{} say {said}", several.join(", ")),
        })
        .collect()
}

/// What the ids in the column `because` stand for.
fn changes(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let passage = finding.new.as_ref().or(finding.old.as_ref());
        let quote: String = passage
            .map(|p| p.text.split_whitespace().collect::<Vec<_>>().join(" "))
            .unwrap_or_default();
        let mut short: String = quote.chars().take(90).collect();
        if short.len() < quote.len() {
            short.push('…');
        }
        let gone = if finding.new.is_none() {
            " (removed)"
        } else {
            ""
        };
        text += &format!(
            "  {}  {}, {}, {}: \u{201c}{short}\u{201d}{gone}\n",
            finding.id,
            word(&finding.topic),
            word(&finding.direction),
            word(&finding.severity),
        );
    }
    text
}

fn table(duties: &[PlannedDuty], now: Timestamp) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header([
            "duty",
            "whose",
            "asks for",
            "last moment",
            "done by",
            "because",
        ]);
    if !super::page::Screen::of_stdout().terminal {
        table.set_width(118);
    }
    for planned in duties {
        let whose = match &planned.duty.source {
            duty::Source::Policy => format!("your text, line {}", planned.duty.lines.0),
            duty::Source::Law {
                provision,
                verified,
                ..
            } => {
                let standing = if *verified { "" } else { " (unverified)" };
                format!("{provision}{standing}")
            }
            duty::Source::House => "house minimum".to_owned(),
        };
        let by = match (planned.send_by, planned.due_after) {
            (Some(limit), _) if limit < now => format!("{}, passed", instant(limit)),
            (Some(limit), _) => instant(limit),
            (None, Some(day)) => format!("{day}, after the effect"),
            (None, None) => "depends on the day of effect".to_owned(),
        };
        let mut done: Vec<String> = planned.fulfilled_by.iter().map(word).collect();
        if done.is_empty() {
            done.push("nothing yet: stays open".to_owned());
        }
        if planned.consent_needed {
            done.push("and consent".to_owned());
        }
        table.add_row([
            planned.duty.id.clone(),
            whose,
            asks(planned),
            by,
            done.join(", "),
            planned.because.join(", "),
        ]);
    }
    table
}

/// What a duty asks for, in a few words: the ways and the time.
fn asks(planned: &PlannedDuty) -> String {
    let duty = &planned.duty;
    let ways: Vec<String> = duty
        .channels
        .iter()
        .map(|channel| match channel {
            duty::Channel::Direct => "a message to each person".to_owned(),
            duty::Channel::Other if duty_is_open(duty) => "any means".to_owned(),
            duty::Channel::Other => "other means".to_owned(),
            duty::Channel::Posting => "the text put up".to_owned(),
            named => word(named),
        })
        .collect();
    let ways = match (ways.is_empty(), duty.mode) {
        (true, _) => "notice".to_owned(),
        (false, duty::Mode::Any) => ways.join(" or "),
        (false, duty::Mode::All) => ways.join(" and "),
    };
    let time = match (duty.timing, duty.lead, planned.lead) {
        (duty::Timing::Before, Some(lead), _) => format!("{lead} before"),
        (duty::Timing::Before, None, Some(lead)) => format!("before (no number: {lead} taken)"),
        (duty::Timing::Before, None, None) => "before".to_owned(),
        (duty::Timing::At, ..) => "on the day of effect".to_owned(),
        (duty::Timing::After, Some(lead), _) => format!("within {lead} after"),
        (duty::Timing::After, None, _) => "after, without delay".to_owned(),
        (duty::Timing::Unspecified, ..) => "no time said".to_owned(),
    };
    let hedge = if duty.hedged {
        "; not a firm promise"
    } else {
        ""
    };
    format!("{ways}, {time}{hedge}")
}

/// Whether no way is named.
fn duty_is_open(duty: &duty::Duty) -> bool {
    duty.channels == [duty::Channel::Other]
}

/// The rules of counting, each once, with the duties it holds for.
fn rules(duties: &[PlannedDuty]) -> String {
    let mut rules: Vec<(&str, Vec<&str>)> = Vec::new();
    for planned in duties {
        let rule = planned.rule.trim_end_matches("; this time has passed");
        match rules.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, ids)) => ids.push(&planned.duty.id),
            None => rules.push((rule, vec![&planned.duty.id])),
        }
    }
    rules
        .into_iter()
        .map(|(rule, ids)| format!("  - {}: {rule}\n", ids.join(", ")))
        .collect()
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How a point of the timeline begins that is the last moment of a duty.
const LAST_MESSAGE: &str = "last message for ";

fn timeline(plan: &Plan, now: Timestamp) -> String {
    let mut points = vec![(now, "now".to_owned())];
    for planned in &plan.duties {
        if let Some(limit) = planned.send_by {
            points.push((limit, format!("{LAST_MESSAGE}{}", planned.duty.id)));
        }
        if let Some(day) = planned.due_after
            && let Some(end) = duty::calendar::end_of_day(day, &[])
        {
            points.push((end, format!("{} due", planned.duty.id)));
        }
    }
    let start_of = |day: Date| {
        day.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|z| z.timestamp())
    };
    if let Some(at) = plan.effective.and_then(start_of) {
        points.push((at, "the change takes effect".to_owned()));
    }
    if let Some(at) = plan.earliest_effective.and_then(start_of)
        && plan.effective != plan.earliest_effective
    {
        points.push((at, "first possible day of effect, if sent now".to_owned()));
    }
    if points.len() == 1 {
        return String::new();
    }
    points.sort();
    // What falls on one moment stands on one line: "last message for d2, house".
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    for (at, what) in points {
        match (lines.last_mut(), what.strip_prefix(LAST_MESSAGE)) {
            (Some((moment, said)), Some(duty))
                if *moment == at && said.starts_with(LAST_MESSAGE) =>
            {
                *said += &format!(", {duty}");
            }
            _ => lines.push((at, what)),
        }
    }
    lines
        .into_iter()
        .map(|(at, what)| format!("  {}  {what}\n", instant(at)))
        .collect()
}
