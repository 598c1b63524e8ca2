//! `fairnotice diff OLD NEW`

use fairnotice::{
    assess, compare,
    compare::{Comparison, Op},
    duty,
    read::{Dates, Document, Span},
};
use serde::Serialize;

use super::{Exit, Globals, Outcome, input, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old document: a path, - for standard input, or DOC@VERSION.
    old: String,
    /// The new document.
    new: String,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
    /// Stop after this step.
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Add the partition of both texts to the JSON document.
    #[arg(long)]
    segments: bool,
    /// Exit with 10 when something substantive changed, 20 when something material did.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// The comparison: no verdict, findings, duties or promises.
    Compare,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<assess::Verdict>,
    old: Head<'a>,
    new: Head<'a>,
    counts: &'a compare::Counts,
    changes: Vec<Change<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a [assess::Finding]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duties: Option<Vec<duty::Duty>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promises: Option<Vec<duty::PromiseChange>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<Segment>>,
}

#[derive(Serialize)]
struct Head<'a> {
    title: Option<&'a str>,
    dates: &'a Dates,
    version: Option<String>,
    suspect: Option<String>,
}

#[derive(Serialize)]
struct Change<'a> {
    id: &'a str,
    kind: compare::Kind,
    section: assess::SectionRef,
    old: Option<Side<'a>>,
    new: Option<Side<'a>>,
    edits: Vec<Edit<'a>>,
    details: &'a [&'static str],
}

#[derive(Serialize)]
struct Side<'a> {
    lines: (usize, usize),
    text: &'a str,
}

#[derive(Serialize)]
struct Edit<'a> {
    op: Op,
    text: &'a str,
}

#[derive(Serialize)]
struct Segment {
    op: compare::SegmentOp,
    old: Option<(usize, usize)>,
    new: Option<(usize, usize)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<Segment>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let old = input::document(&args.old, args.input_format)?;
    let new = input::document(&args.new, args.input_format)?;
    let comparison = compare::compare(&old, &new);
    let judged = args
        .only
        .is_none()
        .then(|| assess::assess(&old, &new, &comparison));
    if globals.json() {
        print_json(&report(
            &old,
            &new,
            &comparison,
            judged.as_ref(),
            args.segments,
        ))?;
    } else {
        print_text(&format!("{} changes\n", comparison.changes.len()))?;
    }
    Ok(match judged.map(|j| j.verdict) {
        Some(assess::Verdict::Material) if args.exit_code => Exit::Material,
        Some(assess::Verdict::Substantive) if args.exit_code => Exit::Substantive,
        _ => Exit::Done,
    })
}

fn report<'a>(
    old: &'a Document,
    new: &'a Document,
    comparison: &'a Comparison,
    judged: Option<&'a assess::Assessment>,
    segments: bool,
) -> Report<'a> {
    Report {
        schema: "fairnotice/diff/1",
        verdict: judged.map(|j| j.verdict),
        old: head(old),
        new: head(new),
        counts: &comparison.counts,
        changes: comparison
            .changes
            .iter()
            .map(|change| self::change(old, new, change))
            .collect(),
        findings: judged.map(|j| j.findings.as_slice()),
        duties: judged.map(|_| duty::find(old).duties),
        promises: judged.map(|_| Vec::new()),
        segments: segments.then(|| comparison.segments.iter().map(segment).collect()),
    }
}

fn head(document: &Document) -> Head<'_> {
    Head {
        title: document.title.as_deref(),
        dates: &document.dates,
        version: None,
        suspect: document
            .suspect
            .as_ref()
            .map(|s| format!("{}: {}", s.code, s.detail)),
    }
}

fn change<'a>(old: &'a Document, new: &'a Document, change: &'a compare::Change) -> Change<'a> {
    let side = |document: &'a Document, side: &compare::Side| Side {
        lines: side.lines,
        text: document.slice(&side.span),
    };
    Change {
        id: &change.id,
        kind: change.kind,
        section: assess::SectionRef {
            old: path(old, change.old.as_ref()),
            new: path(new, change.new.as_ref()),
            title: title(new, change.new.as_ref())
                .or_else(|| title(old, change.old.as_ref()))
                .unwrap_or_default(),
        },
        old: change.old.as_ref().map(|s| side(old, s)),
        new: change.new.as_ref().map(|s| side(new, s)),
        edits: change
            .edits
            .iter()
            .map(|edit| Edit {
                op: edit.op,
                text: if edit.op == Op::Insert {
                    new.slice(&edit.new)
                } else {
                    old.slice(&edit.old)
                },
            })
            .collect(),
        details: &change.details,
    }
}

fn path(document: &Document, side: Option<&compare::Side>) -> Vec<String> {
    side.and_then(|s| s.section)
        .and_then(|index| document.sections.get(index))
        .map(|section| section.path.clone())
        .unwrap_or_default()
}

fn title(document: &Document, side: Option<&compare::Side>) -> Option<String> {
    side.and_then(|s| s.section)
        .and_then(|index| document.sections.get(index))
        .map(|section| section.title.clone())
}

fn segment(segment: &compare::Segment) -> Segment {
    let range = |span: &Span| (span.start, span.end);
    Segment {
        op: segment.op,
        old: segment.old.as_ref().map(range),
        new: segment.new.as_ref().map(range),
        segments: segment.within.iter().map(self::segment).collect(),
    }
}
