//! `fairnotice check [ID…]`

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use fairnotice::{
    assess::Verdict,
    run::{
        Workspace, alarm,
        check::{self, Report, Settings, State},
        confirm,
        draft::{self, Draft},
        history,
    },
};
use jiff::civil::Date;
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, interrupt, print_json, print_text, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these documents.
    ids: Vec<String>,
    /// Check a draft that is not published yet: DOC=FILE.
    #[arg(long, value_name = "DOC=FILE", conflicts_with = "ids")]
    draft: Option<String>,
    /// The day on which what is new takes effect.
    #[arg(long, value_name = "DATE")]
    effective: Option<Date>,
    /// Take a text that looks suspect for the new version all the same.
    #[arg(long, requires = "ids")]
    accept: bool,
    /// Wait for another run, for so many seconds (ten minutes when no number is given).
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "600")]
    wait: Option<u64>,
    /// Exit with 10 when something substantive changed, 20 when something material did, 30 when
    /// the planned date leaves too little time.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    documents: Vec<&'a Line>,
    /// Looks at the places of published notices.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    publications: &'a [confirm::Confirmation],
    /// Why what was stored is not committed, where it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_committed: Option<&'a str>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    state: State,
    verdict: Option<Verdict>,
    version: Option<String>,
    previous: Option<String>,
    findings: usize,
    redline: Option<String>,
    notices: Vec<String>,
    error: Option<String>,
    effective: Option<Date>,
    earliest_effective: Option<Date>,
    send_by: Option<jiff::Timestamp>,
    too_early: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    interrupt::end_with_browsers();
    let now = globals.now();
    let wait = Duration::from_secs(args.wait.unwrap_or_default());
    let draft = args
        .draft
        .as_deref()
        .map(|text| read_draft(text, args.effective))
        .transpose()?;
    let mut workspace = Workspace::write(&globals.workspace, "check", now, wait)?;
    let mut kept: Vec<Kept> = Vec::new();
    if let Some(draft) = &draft {
        kept.push(keep(draft::check_draft(&mut workspace, draft, now)?, true));
    } else {
        let settings = Settings {
            only: args.ids.clone(),
            accept: args.accept,
            effective: args.effective,
        };
        let count = if args.ids.is_empty() {
            workspace.config.documents.len()
        } else {
            args.ids.len()
        };
        let progress = super::progress::bar(globals, count as u64, "documents");
        check::check(&mut workspace, &settings, now, |_, report| {
            progress.set_message(report.id.clone());
            progress.inc(1);
            kept.push(keep(report, false));
        })?;
        progress.finish_and_clear();
    }
    // A draft is no look at anything public.
    let standing = if draft.is_some() {
        Vec::new()
    } else {
        confirm::confirm(&mut workspace, &args.ids, now)?
    };
    let order: BTreeMap<&str, usize> = workspace
        .config
        .documents
        .iter()
        .enumerate()
        .map(|(place, document)| (document.id.as_str(), place))
        .collect();
    kept.sort_by_key(|kept| order.get(kept.line.id.as_str()).copied());
    let committed = history::commit(&workspace, kept.iter().map(|kept| &kept.message));
    let not_committed = super::committed(committed, globals);
    for warning in kept.iter().flat_map(|kept| &kept.warnings) {
        warn(globals, warning);
    }
    let lines: Vec<&Line> = kept.iter().map(|kept| &kept.line).collect();
    let bad = lines
        .iter()
        .any(|line| matches!(line.state, State::Failed | State::Suspect));
    let exit = exit(args, &lines);
    if globals.json() {
        print_json(&Printed {
            schema: "fairnotice/check/1",
            documents: lines,
            publications: &standing,
            not_committed: not_committed.as_deref(),
        })?;
    } else {
        print_text(&report::check(kept.iter().map(|kept| &kept.shown)))?;
    }
    for seen in standing
        .iter()
        .filter(|seen| seen.look.stands != Some(true))
    {
        let detail = seen.look.detail.as_deref().unwrap_or_default();
        warn(
            globals,
            &format!("notice {} at {}: {detail}", seen.notice, seen.look.at),
        );
    }
    let waiting = alarm(&mut workspace, globals, now)?;
    let owing = waiting || not_committed.is_some();
    if let (false, false, Some(url)) = (bad, owing, &workspace.config.heartbeat)
        && let Err(error) = alarm::heartbeat(url)
    {
        warn(globals, &format!("the heartbeat was not accepted: {error}"));
    }
    match exit {
        Exit::Failed => Ok(Exit::Failed),
        _ if owing => Ok(Exit::Partly),
        exit => Ok(exit),
    }
}

/// What is kept of a document's report until the end of the run.
struct Kept {
    line: Line,
    shown: report::Shown,
    message: history::Message,
    warnings: Vec<String>,
}

fn keep(report: Report, draft: bool) -> Kept {
    Kept {
        line: line(&report),
        shown: report::shown(&report, draft),
        message: history::Message::of(&report),
        warnings: report.assist,
    }
}

/// Sends what is due; whether something still waits.
fn alarm(
    workspace: &mut Workspace,
    globals: &Globals,
    now: jiff::Timestamp,
) -> Result<bool, CliError> {
    let password = super::environment("FAIRNOTICE_SMTP_PASSWORD");
    let mut waiting = false;
    for sent in alarm::send_due(workspace, now, password.as_deref())? {
        if let Some(error) = &sent.error {
            waiting = true;
            warn(globals, &format!("alert {} waits: {error}", sent.name));
        }
    }
    Ok(waiting)
}

pub(super) fn warn(globals: &Globals, message: &str) {
    use std::io::Write as _;
    if !globals.quiet {
        // Nobody can be told that standard error is closed.
        let _closed = writeln!(anstream::stderr(), "warning: {message}");
    }
}

fn read_draft(text: &str, effective: Option<Date>) -> Result<Draft, CliError> {
    let Some((document, file)) = text.split_once('=') else {
        return Err(
            CliError::usage("draft", format!("`{text}` does not name a draft"))
                .hint("write --draft DOC=FILE, such as --draft privacy=drafts/privacy.md"),
        );
    };
    let bytes = std::fs::read(PathBuf::from(file))
        .map_err(|e| CliError::failed("unreadable", format!("cannot read {file}: {e}")))?;
    Ok(Draft {
        document: document.to_owned(),
        bytes,
        name: file.to_owned(),
        effective,
    })
}

fn line(report: &Report) -> Line {
    let plan = report
        .change
        .as_ref()
        .and_then(|change| change.plan.as_ref());
    Line {
        id: report.id.clone(),
        state: report.state,
        verdict: report.verdict,
        version: report.version.map(|v| v.to_string()),
        previous: report.previous.map(|v| v.to_string()),
        findings: report
            .change
            .as_ref()
            .map_or(0, |change| change.judged.assessment.findings.len()),
        redline: report.redline.clone(),
        notices: report.notices.clone(),
        error: report.error.clone(),
        effective: plan.and_then(|plan| plan.effective),
        earliest_effective: plan.and_then(|plan| plan.earliest_effective),
        send_by: plan.and_then(|plan| plan.send_by),
        too_early: plan.is_some_and(|plan| plan.too_early),
    }
}

fn exit(args: &Args, lines: &[&Line]) -> Exit {
    let bad = lines
        .iter()
        .filter(|line| matches!(line.state, State::Failed | State::Suspect))
        .count();
    if bad > 0 {
        return if bad == lines.len() {
            Exit::Failed
        } else {
            Exit::Partly
        };
    }
    if !args.exit_code {
        return Exit::Done;
    }
    let too_early = lines.iter().any(|line| line.too_early);
    match lines.iter().filter_map(|line| line.verdict).max() {
        _ if too_early => Exit::TooEarly,
        Some(Verdict::Material) => Exit::Material,
        Some(Verdict::Substantive) => Exit::Substantive,
        _ => Exit::Done,
    }
}
