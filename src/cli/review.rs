//! `fairnotice review DOC [VERSION]`

use std::{io::Write as _, time::Duration};

use fairnotice::{
    assess::{
        Direction, Severity, Topic,
        review::{Review, Reviewed, Word},
    },
    notice::Effect,
    run::{self, Workspace},
    store::Version,
};
use serde::Serialize;

use super::{CliError, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document.
    document: String,
    /// The version whose changes are reviewed.
    #[arg(default_value = "latest")]
    version: String,
    /// The version it is compared with; without it the one stored before.
    #[arg(long, value_name = "VERSION")]
    against: Option<String>,
    /// Say that a finding is right.
    #[arg(long, value_name = "FINDING", group = "word")]
    confirm: Option<String>,
    /// Say that a finding is otherwise: with --severity, --direction, --topic, or --no-finding.
    #[arg(long, value_name = "FINDING", group = "word")]
    overrule: Option<String>,
    /// Add a remark to a finding.
    #[arg(long, value_name = "FINDING", group = "word")]
    annotate: Option<String>,
    /// Another severity: material or substantive.
    #[arg(long, requires = "overrule")]
    severity: Option<String>,
    /// Another direction: adverse, favourable or neutral.
    #[arg(long, requires = "overrule")]
    direction: Option<String>,
    /// Another topic.
    #[arg(long, requires = "overrule")]
    topic: Option<String>,
    /// It is no finding at all.
    #[arg(long, requires = "overrule", conflicts_with_all = ["severity", "direction", "topic"])]
    no_finding: bool,
    /// Who says so.
    #[arg(long, requires = "word")]
    by: Option<String>,
    /// Why.
    #[arg(long, requires = "word")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    document: &'a str,
    old: String,
    new: String,
    verdict: fairnotice::assess::Verdict,
    findings: &'a [Reviewed],
    remarks: &'a [String],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    match spoken(args)? {
        None => {
            let workspace = Workspace::read(&globals.workspace)?;
            list(args, globals, &workspace)
        }
        Some((finding, word)) => {
            let (Some(by), Some(reason)) = (&args.by, &args.reason) else {
                return Err(
                    CliError::usage("review", "a review needs a name and a reason")
                        .hint("add --by NAME --reason TEXT"),
                );
            };
            let now = globals.now();
            let mut workspace =
                Workspace::write(&globals.workspace, "review", now, Duration::from_secs(30))?;
            let (old, new) = versions(args, &workspace)?;
            let standing = run::review::standing(&workspace, &args.document, old, new)?;
            let mark = find(&standing.findings, &finding)?;
            let review = Review {
                finding: mark,
                word,
                reason: reason.clone(),
                by: by.clone(),
                at: now,
            };
            run::review::keep(&mut workspace, &args.document, &standing.new, &review, now)?;
            let annotated = matches!(review.word, Word::Annotated);
            if !annotated {
                for done in run::notices::after_review(&mut workspace, &args.document, by, now)? {
                    tell(&done, globals);
                }
            }
            list(args, globals, &workspace)
        }
    }
}

/// Says on standard error which notice changed with the word, and whose approval fell.
fn tell(done: &run::notices::Done, globals: &Globals) {
    if globals.quiet {
        return;
    }
    let fell: Vec<String> = done
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ApprovalsFell(who) => Some(who.join(", ")),
            _ => None,
        })
        .collect();
    let fell = if fell.is_empty() {
        String::new()
    } else {
        let who = fell.join(", ");
        format!("; the approval by {who} rested on the old word and fell")
    };
    let _closed = writeln!(
        anstream::stderr(),
        "notice {} was written anew{fell}",
        done.notice.id
    );
}

/// What is said, and of which finding.
fn spoken(args: &Args) -> Result<Option<(String, Word)>, CliError> {
    if let Some(finding) = &args.confirm {
        return Ok(Some((finding.clone(), Word::Confirmed)));
    }
    if let Some(finding) = &args.annotate {
        return Ok(Some((finding.clone(), Word::Annotated)));
    }
    let Some(finding) = &args.overrule else {
        return Ok(None);
    };
    let word = Word::Overruled {
        severity: named::<Severity>("severity", args.severity.as_deref())?,
        direction: named::<Direction>("direction", args.direction.as_deref())?,
        topic: named::<Topic>("topic", args.topic.as_deref())?,
    };
    let nothing = Word::Overruled {
        severity: None,
        direction: None,
        topic: None,
    };
    if word == nothing && !args.no_finding {
        return Err(
            CliError::usage("review", "it is not said what the finding should be").hint(
                "add --severity, --direction or --topic, or --no-finding if it is none at all",
            ),
        );
    }
    Ok(Some((finding.clone(), word)))
}

fn named<T: serde::de::DeserializeOwned>(
    what: &str,
    value: Option<&str>,
) -> Result<Option<T>, CliError> {
    value
        .map(|value| {
            serde_json::from_value(serde_json::Value::String(value.to_owned()))
                .map_err(|error| CliError::usage("review", format!("--{what} {value}: {error}")))
        })
        .transpose()
}

fn versions(args: &Args, workspace: &Workspace) -> Result<(Version, Version), CliError> {
    workspace.document(&args.document)?;
    let new = workspace.resolve(&args.document, &args.version)?;
    if let Some(spec) = &args.against {
        return Ok((workspace.resolve(&args.document, spec)?, new));
    }
    let all = workspace.index().versions(&args.document)?;
    let before = all
        .iter()
        .position(|version| version.id == new.id)
        .and_then(|at| at.checked_sub(1))
        .and_then(|at| all.get(at));
    match before {
        Some(old) => Ok((old.clone(), new)),
        None => Err(CliError::usage(
            "review",
            format!(
                "`{}` has no version before {}",
                args.document,
                new.id.short()
            ),
        )
        .hint("name the version to compare with: --against VERSION")),
    }
}

/// The mark of a finding that is named by its id or by the beginning of its mark.
fn find(findings: &[Reviewed], name: &str) -> Result<String, CliError> {
    findings
        .iter()
        .find(|one| one.finding.id == name || name.len() >= 6 && one.mark.starts_with(name))
        .map(|one| one.mark.clone())
        .ok_or_else(|| {
            CliError::usage("unknown-finding", format!("there is no finding `{name}`"))
                .hint("`fairnotice review DOC` lists them")
        })
}

fn list(args: &Args, globals: &Globals, workspace: &Workspace) -> Outcome {
    let (old, new) = versions(args, workspace)?;
    let standing = run::review::standing(workspace, &args.document, old, new)?;
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/review/1",
            document: &args.document,
            old: standing.old.id.to_string(),
            new: standing.new.id.to_string(),
            verdict: standing.assessment.verdict,
            findings: &standing.findings,
            remarks: &standing.assessment.remarks,
        });
    }
    let mut text = format!(
        "{} {} -> {}: {}\n",
        args.document,
        standing.old.id.short(),
        standing.new.id.short(),
        lower(&standing.assessment.verdict)
    );
    for one in &standing.findings {
        text += &entry(one);
    }
    print_text(&text)
}

fn entry(one: &Reviewed) -> String {
    let finding = &one.finding;
    let state = if one.dismissed { " (no finding)" } else { "" };
    let mut text = format!(
        "\n{} {} {} {}{state}  [{}]\n",
        finding.id,
        lower(&finding.severity),
        lower(&finding.direction),
        lower(&finding.topic),
        one.mark.get(..8).unwrap_or(&one.mark)
    );
    if let Some(summary) = &finding.summary {
        text += &format!("    {summary}\n");
    }
    for (sign, quote) in [("-", &finding.old), ("+", &finding.new)] {
        if let Some(quote) = quote {
            let line: String = quote.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let short: String = line.chars().take(160).collect();
            text += &format!("  {sign} line {}: {short}\n", quote.lines.0);
        }
    }
    for reason in &finding.reasons {
        text += &format!("    {}: “{}”\n", reason.code, reason.evidence);
    }
    if !one.reviews.is_empty() {
        text += &format!(
            "    the machine says: {} {} {}\n",
            lower(&one.machine.severity),
            lower(&one.machine.direction),
            lower(&one.machine.topic)
        );
    }
    for review in &one.reviews {
        let word = match review.word {
            Word::Confirmed => "confirmed",
            Word::Overruled { .. } => "overruled",
            Word::Annotated => "annotated",
        };
        text += &format!(
            "    {word} by {} at {}: {}\n",
            review.by, review.at, review.reason
        );
    }
    text
}

fn lower(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}
