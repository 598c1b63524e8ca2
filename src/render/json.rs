//! The JSON document `fairnotice/diff/1`.

use serde::Serialize;

use crate::{
    assess::{Finding, SectionRef, Verdict},
    compare::{self, Op, SegmentOp},
    duty::{Duty, PromiseChange},
    read::{Dates, Document, Span},
};

use super::{Redline, TriggeredDuty, VersionHead};

/// The redline as a JSON document; `segments` adds the partition of both texts.
pub fn json<'a>(redline: &Redline<'a>, segments: bool) -> impl Serialize + use<'a> {
    let judged = redline.assessment;
    Report {
        schema: "fairnotice/diff/1",
        verdict: judged.map(|j| j.verdict),
        old: head(redline.old, &redline.head.old),
        new: head(redline.new, &redline.head.new),
        counts: &redline.comparison.counts,
        changes: redline
            .comparison
            .changes
            .iter()
            .map(|change| self::change(redline, change))
            .collect(),
        findings: judged.map(|j| j.findings.as_slice()),
        duties: judged.map(|_| redline.duties.iter().map(duty).collect()),
        promises: judged.map(|_| redline.promises),
        remarks: judged.map(|j| j.remarks.as_slice()).unwrap_or_default(),
        rules: judged.map(|j| j.rules.as_str()).unwrap_or_default(),
        segments: segments.then(|| redline.comparison.segments.iter().map(segment).collect()),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    old: Head<'a>,
    new: Head<'a>,
    counts: &'a compare::Counts,
    changes: Vec<Change<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a [Finding]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duties: Option<Vec<DutyLine<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promises: Option<&'a [PromiseChange]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    remarks: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    rules: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<Segment>>,
}

#[derive(Serialize)]
struct Head<'a> {
    title: Option<&'a str>,
    dates: &'a Dates,
    version: Option<&'a str>,
    suspect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

#[derive(Serialize)]
struct DutyLine<'a> {
    #[serde(flatten)]
    duty: &'a Duty,
    because: &'a [String],
}

#[derive(Serialize)]
struct Change<'a> {
    id: &'a str,
    kind: compare::Kind,
    section: SectionRef,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

#[derive(Serialize)]
struct Segment {
    op: SegmentOp,
    old: Option<(usize, usize)>,
    new: Option<(usize, usize)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<Segment>,
}

fn head<'a>(document: &'a Document, head: &'a VersionHead) -> Head<'a> {
    Head {
        title: document.title.as_deref(),
        dates: &document.dates,
        version: head.version.as_deref(),
        suspect: document
            .suspect
            .as_ref()
            .map(|s| format!("{}: {}", s.code, s.detail)),
        sha256: head.sha256.as_deref(),
    }
}

fn duty(duty: &TriggeredDuty) -> DutyLine<'_> {
    DutyLine {
        duty: &duty.duty,
        because: &duty.because,
    }
}

fn change<'a>(redline: &Redline<'a>, change: &'a compare::Change) -> Change<'a> {
    let (old, new) = (redline.old, redline.new);
    Change {
        id: &change.id,
        kind: change.kind,
        section: SectionRef {
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
                detail: edit.detail,
            })
            .collect(),
        details: &change.details,
    }
}

fn side<'a>(document: &'a Document, side: &compare::Side) -> Side<'a> {
    Side {
        lines: side.lines,
        text: document.slice(&side.span),
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
