//! The report of a check, as a lawyer reads it: from the top, adverse first.

use anstyle::{AnsiColor, Style};
use fairnotice::{
    assess::{Direction, Finding, Severity, Verdict},
    duty::{Plan, Source},
    render::{quoted, wording},
    run::check::{Change, Report, State},
};

/// Characters of a quote that are shown.
const QUOTE: usize = 240;
/// Findings shown in full; the rest is counted and stands in the redline.
const SHOWN: usize = 6;

/// What stays of one document's report until all are done: a run over thousands of documents must
/// not hold all their texts.
pub(crate) struct Shown {
    id: String,
    state: State,
    notices: usize,
    /// What is said of it; nothing of what is as it was.
    text: Option<String>,
}

/// The lines of one document.
pub(crate) fn shown(report: &Report, draft: bool) -> Shown {
    let quiet = report.state == State::Unchanged && report.change.is_none();
    Shown {
        id: report.id.clone(),
        state: report.state,
        notices: report.notices.len(),
        text: (!quiet).then(|| one(report, draft)),
    }
}

/// The whole report, in the order given.
pub(crate) fn check<'a>(reports: impl Iterator<Item = &'a Shown> + Clone) -> String {
    let mut text = String::new();
    for lines in reports.clone().filter_map(|r| r.text.as_ref()) {
        text += lines;
        text.push('\n');
    }
    let listed = |wanted: &dyn Fn(&Shown) -> bool| {
        let ids = reports.clone().filter(|r| wanted(r));
        ids.map(|r| r.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let quiet = listed(&|r| r.text.is_none());
    if !quiet.is_empty() {
        text += &format!("Unchanged: {quiet}\n");
    }
    if reports.clone().next().is_none() {
        text += "No documents are tracked yet: `fairnotice add SOURCE` adds one.\n";
    }
    let failed = listed(&|r| matches!(r.state, State::Failed | State::Suspect));
    if !failed.is_empty() {
        text += &format!("Not read: {failed} (see above)\n");
    }
    let notices: usize = reports.map(|r| r.notices).sum();
    if notices > 0 {
        text += &format!(
            "{} drafted: `fairnotice notice show ID` shows one, with its checks. \
             Nothing is sent without approval.\n",
            counted(notices, "notice")
        );
    }
    text
}

fn one(report: &Report, draft: bool) -> String {
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
    let draft = if draft { " (draft)" } else { "" };
    let heading = format!("{} [{}]{draft}: {what}", report.title, report.id);
    let mut text = format!(
        "{}\n{}\n",
        styled(Style::new().bold(), &heading),
        "─".repeat(heading.chars().count().min(78))
    );
    if let Some(error) = &report.error {
        text += &format!("  {error}\n");
    }
    if let Some(duties) = &report.duties {
        text += &first_seen(report, duties);
    }
    if let Some(change) = &report.change {
        text += &changed(report, change);
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
    // One line for each kind: `outline` has them all.
    let mut said: Vec<&str> = Vec::new();
    for warning in &report.warnings {
        let like = report.warnings.iter().filter(|w| w.code == warning.code);
        let more = match like.count() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more like it)"),
        };
        if !said.contains(&warning.code.as_str()) {
            text += &format!("  ! {}{more}\n", warning.detail);
            said.push(&warning.code);
        }
    }
    text
}

fn changed(report: &Report, change: &Change) -> String {
    let assessment = &change.judged.assessment;
    let counts = &change.judged.comparison.counts;
    let mut text = format!(
        "  {}\n  Version {} → {}: {} added, {} removed\n",
        tally(&assessment.findings),
        report
            .previous
            .map(fairnotice::evidence::Hash::short)
            .unwrap_or_default(),
        report
            .version
            .map(fairnotice::evidence::Hash::short)
            .unwrap_or_default(),
        counted(counts.words.added, "word"),
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
            text += &self::finding(number + 1, finding, change);
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
        text += &format!("  Draft:   {notice}\n");
    }
    text
}

/// The direction in capitals; on a terminal with colours, red is worse and green is better.
fn coloured(finding: &Finding) -> String {
    let word = wording::code(&finding.direction).to_uppercase();
    let colour = match finding.direction {
        Direction::Adverse => AnsiColor::Red,
        Direction::Favourable => AnsiColor::Green,
        Direction::Neutral => return word,
    };
    styled(Style::new().bold().fg_color(Some(colour.into())), &word)
}

/// Words in a style, which the writer takes out where there is no terminal or `NO_COLOR` is set.
fn styled(style: Style, words: &str) -> String {
    format!("{style}{words}{style:#}")
}

/// How many changes there are of which weight, in words.
fn tally(findings: &[Finding]) -> String {
    let count = |of: &dyn Fn(&Finding) -> bool| findings.iter().filter(|f| of(f)).count();
    let material = count(&|f| f.severity == Severity::Material);
    let lesser = findings.len() - material;
    if findings.is_empty() {
        return "Nothing that a user would need to know of.".to_owned();
    }
    let mut parts = Vec::new();
    if material > 0 {
        let of = |direction, words: &str| {
            let n = count(&|f| f.severity == Severity::Material && f.direction == direction);
            (n > 0).then(|| match n {
                1 if material == 1 => words.to_owned(),
                n if n == material => format!("all {words}"),
                n => format!("{n} {words}"),
            })
        };
        let split: Vec<String> = [
            of(Direction::Adverse, "worse"),
            of(Direction::Favourable, "better"),
            of(Direction::Neutral, "neither better nor worse"),
        ]
        .into_iter()
        .flatten()
        .collect();
        parts.push(format!(
            "{} for users ({})",
            counted(material, "material change"),
            split.join(", ")
        ));
    }
    if lesser > 0 {
        parts.push(counted(lesser, "change of lesser weight"));
    }
    parts.join(", ")
}

/// `1 change`, `2 changes`, `3 changes of lesser weight`.
fn counted(n: usize, what: &str) -> String {
    match (n, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some((noun @ "change", rest))) => format!("{n} {noun}s {rest}"),
        _ => format!("{n} {what}s"),
    }
}

fn finding(number: usize, finding: &Finding, change: &Change) -> String {
    let section = match (&finding.section.new.last(), &finding.section.old.last()) {
        (Some(label), _) | (None, Some(label)) if **label == finding.section.title => {
            format!("section “{label}”")
        }
        (Some(label), _) | (None, Some(label)) => {
            format!("section {label} “{}”", finding.section.title)
        }
        _ => "before the first section".to_owned(),
    };
    let mut text = format!(
        "  {number}. {} · {} · {} · {section}\n",
        coloured(finding),
        wording::code(&finding.severity),
        wording::code(&finding.topic),
    );
    if let Some(summary) = &finding.summary {
        text += &format!("     {summary}\n");
    }
    if let Some(proposed) = &finding.proposed {
        text += &format!("     proposed, not approved: {proposed}\n");
    }
    let quotes = [
        ("before: ", &change.old, &finding.old),
        ("after:  ", &change.new, &finding.new),
    ]
    .map(|(side, document, quote)| {
        let words = quote.as_ref().map(|quote| quoted(document, quote));
        words.map(|words| (side, words))
    });
    // Where the sentence for users holds all the words, the lawyer need not read them twice.
    let summary = finding.summary.as_deref().unwrap_or_default();
    let said = |quote: &Option<(_, String)>| {
        let words = quote
            .as_ref()
            .map(|(_, words)| words.trim_start_matches("- "));
        words.is_none_or(|words| summary.contains(words))
    };
    if !quotes.iter().all(said) {
        for (side, words) in quotes.iter().flatten() {
            text += &format!("     {side}“{}”\n", wording::shorten(words, QUOTE));
        }
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
    let due = change.judged.triggered();
    let idle = duties.duties.len().saturating_sub(due.len());
    for duty in &due {
        text += &format!(
            "  • {} ({}; because of {})\n",
            wording::duty(&duty.duty),
            lines(duty.duty.lines),
            duty.because.join(", ")
        );
    }
    if idle > 0 {
        text += &format!(
            "  • {} that this change does not trigger\n",
            counted(idle, "promise")
        );
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

fn lines((first, last): (usize, usize)) -> String {
    if first == last {
        format!("line {first}")
    } else {
        format!("lines {first}–{last}")
    }
}

fn plan(plan: &Plan) -> String {
    let mut text = "\n  What must be done\n".to_owned();
    if plan.duties.is_empty() {
        text += "  • nothing: no duty is triggered\n";
        return text;
    }
    let mut before = String::new();
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
            (Some(by), _) => by.strftime("sent by %F %H:%M UTC").to_string(),
            (None, Some(day)) => format!("until {day}, after the effect"),
            (None, None) => "as soon as a day of effect is known".to_owned(),
        };
        if by != before {
            text += &format!("  {by}\n");
            before = by;
        }
        text += &format!("  • {} ({from})\n", wording::duty(&planned.duty));
    }
    match (plan.effective, plan.earliest_effective) {
        (Some(effective), Some(earliest)) if plan.too_early => {
            text += &format!(
                "  ! effective {effective} is TOO EARLY: the first possible date is {earliest}\n"
            );
        }
        (Some(effective), _) => text += &format!("  Takes effect on {effective}.\n"),
        (None, Some(earliest)) => {
            text +=
                &format!("  No date is planned; sent today, it can take effect on {earliest}.\n");
        }
        _ => {}
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
