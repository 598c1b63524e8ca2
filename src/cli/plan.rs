//! `fairnotice plan DOC`

use std::path::PathBuf;

use fairnotice::{
    assess::Verdict,
    duty::{self, Plan, PlannedDuty},
    run::{self, Workspace},
};
use jiff::civil::Date;
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
    now: jiff::Timestamp,
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

fn for_people(document: &str, planned: &run::plan::Planned, now: jiff::Timestamp) -> String {
    let plan = &planned.plan;
    let mut text = format!(
        "Plan for {document}: from {} (in force) to {}, {}\n\n",
        planned.from.short(),
        planned.to.short(),
        word(&planned.judged.assessment.verdict)
    );
    match (plan.effective, plan.earliest_effective) {
        (Some(day), Some(first)) if plan.too_early => {
            text += &format!(
                "The planned day of effect, {day}, is too early: sent now, the first possible day is {first}.\n"
            );
        }
        (Some(day), _) => text += &format!("Planned day of effect: {day}.\n"),
        (None, Some(first)) => {
            text +=
                &format!("No day of effect is set. Sent now, the first possible day is {first}.\n");
        }
        (None, None) => text += "No day of effect is set, and no duty asks for time in advance.\n",
    }
    if let Some(limit) = plan.send_by {
        text += &format!("The last message must be out by {limit}.\n");
    }
    if !plan.channels.is_empty() {
        let names: Vec<String> = plan.channels.iter().map(word).collect();
        text += &format!("Notices to make: {}.\n", names.join(", "));
    }
    if !plan.duties.is_empty() {
        text += &format!("\n{}\n", table(&plan.duties));
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
        for remark in &plan.remarks {
            text += &format!("  - {remark}\n");
        }
    }
    text
}

fn table(duties: &[PlannedDuty]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(["duty", "whose", "due on", "by", "fulfilled by", "because"]);
    if !super::page::Screen::of_stdout().terminal {
        table.set_width(110);
    }
    for planned in duties {
        let whose = match &planned.duty.source {
            duty::Source::Policy => format!("policy, line {}", planned.duty.lines.0),
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
            (Some(limit), _) => format!("{limit}\n{}", planned.rule),
            (None, Some(day)) => format!("{day}\n{}", planned.rule),
            (None, None) => planned.rule.clone(),
        };
        let mut done: Vec<String> = planned.fulfilled_by.iter().map(word).collect();
        if done.is_empty() {
            done.push("stays open".to_owned());
        }
        if planned.consent_needed {
            done.push("and consent".to_owned());
        }
        table.add_row([
            planned.duty.id.clone(),
            whose,
            word(&planned.duty.trigger),
            by,
            done.join(", "),
            planned.because.join(", "),
        ]);
    }
    table
}

fn timeline(plan: &Plan, now: jiff::Timestamp) -> String {
    let mut points = vec![(now, "now".to_owned())];
    for planned in &plan.duties {
        if let Some(limit) = planned.send_by {
            points.push((limit, format!("last message for {}", planned.duty.id)));
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
    let mut text = String::new();
    for (at, what) in points {
        text += &format!("  {}  {what}\n", at.strftime("%Y-%m-%d %H:%M UTC"));
    }
    text
}
