//! The report of a check, as a lawyer reads it: from the top, adverse first.

use fairnotice::{
    assess::{Direction, Finding, Severity, Verdict},
    duty::{Plan, Source},
    render::wording,
    run::{
        Workspace,
        check::{Change, Draft, Report, State},
    },
};
use jiff::Timestamp;

/// Characters of a quote that are shown.
const QUOTE: usize = 240;
/// Findings shown in full; the rest is counted and stands in the redline.
const SHOWN: usize = 6;

/// The whole report.
pub(crate) fn check(
    workspace: &Workspace,
    reports: &[Report],
    draft: Option<&Draft>,
    now: Timestamp,
) -> String {
    let mut text = String::new();
    let quiet: Vec<&Report> = reports
        .iter()
        .filter(|r| r.state == State::Unchanged && r.change.is_none())
        .collect();
    for report in reports {
        if quiet.iter().any(|q| std::ptr::eq(*q, report)) {
            continue;
        }
        text += &one(report, draft, now);
        text.push('\n');
    }
    if !quiet.is_empty() {
        let ids: Vec<&str> = quiet.iter().map(|r| r.id.as_str()).collect();
        text += &format!("Unchanged: {}\n", ids.join(", "));
    }
    if reports.is_empty() {
        text += "No documents are tracked yet: `fairnotice add SOURCE` adds one.\n";
    }
    let failed = reports
        .iter()
        .filter(|r| matches!(r.state, State::Failed | State::Suspect));
    let failed: Vec<&str> = failed.map(|r| r.id.as_str()).collect();
    if !failed.is_empty() {
        text += &format!("Not read: {} (see above)\n", failed.join(", "));
    }
    let notices: usize = reports.iter().map(|r| r.notices.len()).sum();
    if notices > 0 {
        text += &format!(
            "{notices} notice(s) drafted. Nothing is sent without approval.\n\
             Next: fairnotice notice list\n"
        );
    }
    let _ = workspace;
    text
}

fn one(report: &Report, draft: Option<&Draft>, now: Timestamp) -> String {
    let what = match report.state {
        State::New => "first seen".to_owned(),
        State::Unchanged => "unchanged".to_owned(),
        State::Changed => report.verdict.map_or_else(
            || "changed".to_owned(),
            |verdict| match verdict {
                Verdict::Material => "MATERIAL change".to_owned(),
                other => format!("{} change", wording::verdict(other).0.to_lowercase()),
            },
        ),
        State::Flapping => "flapping".to_owned(),
        State::Suspect => "SUSPECT: not taken for a version".to_owned(),
        State::Failed => "FAILED".to_owned(),
    };
    let draft = if draft.is_some() { " (draft)" } else { "" };
    let heading = format!("{} [{}]{draft}: {what}", report.title, report.id);
    let mut text = format!(
        "{heading}\n{}\n",
        "─".repeat(heading.chars().count().min(78))
    );
    if let Some(error) = &report.error {
        text += &format!("  {error}\n");
    }
    if let Some(duties) = &report.duties {
        text += &first_seen(report, duties);
    }
    if let Some(change) = &report.change {
        text += &changed(report, change, now);
    }
    text
}

fn first_seen(report: &Report, duties: &fairnotice::duty::Duties) -> String {
    let mut text = format!(
        "  Stored as version {}. What it promises about telling users:\n",
        report
            .version
            .map(fairnotice::evidence::Hash::short)
            .unwrap_or_default()
    );
    for duty in &duties.duties {
        text += &format!("  • {}\n", wording::duty(duty));
    }
    if duties.duties.is_empty() {
        text += "  • nothing\n";
    }
    for warning in &duties.warnings {
        text += &format!("  ! {}\n", warning.detail);
    }
    text
}

fn changed(report: &Report, change: &Change, _now: Timestamp) -> String {
    let assessment = &change.judged.assessment;
    let counts = &change.judged.comparison.counts;
    let count = |severity, direction| {
        assessment
            .findings
            .iter()
            .filter(|f: &&Finding| f.severity == severity && f.direction == direction)
            .count()
    };
    let material = |direction| count(Severity::Material, direction);
    let mut text = format!(
        "  Verdict: {} ({} adverse, {} favourable, {} other material finding(s); {} substantive)\n",
        wording::verdict(assessment.verdict).0,
        material(Direction::Adverse),
        material(Direction::Favourable),
        material(Direction::Neutral),
        assessment
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Substantive)
            .count(),
    );
    text += &format!(
        "  Version {} → {}; {} words added, {} removed\n",
        report
            .previous
            .map(fairnotice::evidence::Hash::short)
            .unwrap_or_default(),
        report
            .version
            .map(fairnotice::evidence::Hash::short)
            .unwrap_or_default(),
        counts.words.added,
        counts.words.removed
    );
    for remark in &assessment.remarks {
        text += &format!("  ! {remark}\n");
    }
    if !assessment.silenced.is_empty() {
        text += &format!("  ! silenced rules: {}\n", assessment.silenced.join(", "));
    }
    if !assessment.findings.is_empty() {
        text += "\n  What changes for the user\n";
        for (number, finding) in assessment.findings.iter().take(SHOWN).enumerate() {
            text += &self::finding(number + 1, finding);
        }
        if let Some(more) = assessment
            .findings
            .len()
            .checked_sub(SHOWN)
            .filter(|n| *n > 0)
        {
            text += &format!("  … and {more} more in the redline\n");
        }
    }
    text += &promised(change);
    if let Some(plan) = &change.plan {
        text += &self::plan(plan);
    }
    if let Some(redline) = &report.redline {
        text += &format!("\n  Redline: {redline}\n");
    }
    for notice in &report.notices {
        text += &format!("  Draft:   {notice} (fairnotice notice show {notice})\n");
    }
    text
}

fn finding(number: usize, finding: &Finding) -> String {
    let section = match (&finding.section.new.last(), &finding.section.old.last()) {
        (Some(label), _) | (None, Some(label)) if **label == finding.section.title => {
            format!("“{label}”")
        }
        (Some(label), _) | (None, Some(label)) => format!("{label} “{}”", finding.section.title),
        _ => "no section".to_owned(),
    };
    let mut text = format!(
        "  {number}. {} · {} · {} · section {section}\n",
        wording::code(&finding.direction).to_uppercase(),
        wording::code(&finding.severity),
        wording::code(&finding.topic),
    );
    if let Some(summary) = &finding.summary {
        text += &format!("     {summary}\n");
    }
    let quote = |words: &str| {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        wording::shorten(&words, QUOTE)
    };
    if let Some(old) = &finding.old {
        text += &format!("     before: “{}”\n", quote(&old.text));
    }
    if let Some(new) = &finding.new {
        text += &format!("     after:  “{}”\n", quote(&new.text));
    }
    let codes: Vec<&str> = finding.reasons.iter().map(|r| r.code.as_str()).collect();
    if !codes.is_empty() {
        text += &format!("     why:    {}\n", codes.join(", "));
    }
    text
}

fn promised(change: &Change) -> String {
    let duties = &change.judged.duties;
    if duties.duties.is_empty() && duties.warnings.is_empty() {
        return String::new();
    }
    let mut text = "\n  What the old text promises about telling users\n".to_owned();
    for duty in change
        .judged
        .triggered()
        .iter()
        .filter(|d| !d.because.is_empty())
    {
        text += &format!(
            "  • {} (lines {}–{}; because of {})\n",
            wording::duty(&duty.duty),
            duty.duty.lines.0,
            duty.duty.lines.1,
            duty.because.join(", ")
        );
    }
    let idle = change
        .judged
        .triggered()
        .iter()
        .filter(|d| d.because.is_empty())
        .count();
    if idle > 0 {
        text += &format!("  • {idle} promise(s) that this change does not trigger\n");
    }
    for promise in &change.judged.promises {
        let words = promise
            .new
            .as_ref()
            .or(promise.old.as_ref())
            .map(wording::duty);
        text += &format!(
            "  ! promise {}: {}\n",
            wording::promise(promise.change),
            words.unwrap_or_default()
        );
    }
    for warning in &duties.warnings {
        text += &format!("  ! {}\n", warning.detail);
    }
    text
}

fn plan(plan: &Plan) -> String {
    let mut text = "\n  What must be done\n".to_owned();
    if plan.duties.is_empty() {
        text += "  • nothing: no duty is triggered\n";
        return text;
    }
    for planned in &plan.duties {
        let from = match &planned.duty.source {
            Source::Policy => "promised".to_owned(),
            Source::Law {
                provision,
                verified,
                ..
            } => {
                let mark = if *verified { "" } else { ", UNVERIFIED" };
                format!("{provision}{mark}")
            }
            Source::House => "house minimum".to_owned(),
        };
        let by = match (&planned.send_by, &planned.due_after) {
            (Some(by), _) => by.strftime("by %F %H:%MZ").to_string(),
            (None, Some(day)) => format!("until {day}"),
            (None, None) => "in time".to_owned(),
        };
        text += &format!("  • {by}: {} ({from})\n", wording::duty(&planned.duty));
    }
    match (plan.effective, plan.earliest_effective) {
        (Some(effective), Some(earliest)) if plan.too_early => {
            text += &format!(
                "  ! effective {effective} is TOO EARLY: the first possible date is {earliest}\n"
            );
        }
        (Some(effective), _) => text += &format!("  • takes effect {effective}\n"),
        (None, Some(earliest)) => {
            text += &format!("  • no date is planned; sent today, it can take effect {earliest}\n");
        }
        _ => {}
    }
    if let Some(by) = plan.send_by {
        text += &format!("  • the last message must be out by {by}\n");
    }
    if plan.consent_needed {
        text += "  ! consent is needed: a notice alone will not do\n";
    }
    for task in &plan.tasks {
        text += &format!("  □ {task}\n");
    }
    // Each remark in full, with the way of counting, stands in the plan itself.
    text + "  How the days were counted, and what rests on assumptions: fairnotice plan DOC\n"
}
