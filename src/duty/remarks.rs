//! What is odd about a document's promises: none at all, some that contradict each other, a clause
//! that was announced and is not there, other documents that become part of this one.

use std::sync::Arc;

use super::{
    Channel, Duty, Timing, Trigger,
    passage::{Cut, Facts},
    phrases::{Lexicon, clean},
};
use crate::read::{Block, BlockKind, Document, Warning};

fn warning(code: &str, detail: impl Into<String>) -> Warning {
    Warning {
        code: code.to_owned(),
        detail: detail.into(),
    }
}

/// There are no phrase rules for the document's language.
pub(super) fn language_not_covered(language: &str) -> Warning {
    warning(
        "language-not-covered",
        format!(
            "there are no phrase rules for `{language}`: promises in this document must be read by a person"
        ),
    )
}

/// All warnings; marks the duties that contradict each other.
pub(super) fn warnings(
    document: &Document,
    lexicon: &Lexicon,
    facts: &[Arc<Facts>],
    duties: &mut [Duty],
) -> Vec<Warning> {
    let mut out = Vec::new();
    absent(document, lexicon, duties, &mut out);
    conflicts(document, facts, duties, &mut out);
    incorporated(document, facts, &mut out);
    out
}

fn absent(document: &Document, lexicon: &Lexicon, duties: &[Duty], out: &mut Vec<Warning>) {
    let about_changes = duties.iter().any(|duty| {
        matches!(
            duty.trigger,
            Trigger::AnyChange | Trigger::MaterialChange | Trigger::RightsReduced
        )
    });
    if about_changes {
        return;
    }
    let announced = document
        .blocks
        .iter()
        // A contents list may not have been recognised as one: short items before the first body.
        .enumerate()
        .filter(|(index, block)| {
            block.kind == BlockKind::Contents || block.kind == BlockKind::ListItem && *index < 60
        })
        .map(|(_, block)| document.plain(block))
        .filter(|entry| entry.len() < 80)
        .find(|entry| lexicon.has("change-heading", &clean(entry, lexicon.language())));
    match announced {
        Some(entry) => out.push(warning(
            "clause-cut-off",
            format!(
                "the contents announce \u{201c}{}\u{201d}, and the text does not have it: what it promises is unknown",
                entry.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
        )),
        None => out.push(warning(
            "no-change-clause",
            "the document does not say how it changes or how users are told",
        )),
    }
}

/// "With or without notice" against a promise of notice.
fn conflicts(
    document: &Document,
    facts: &[Arc<Facts>],
    duties: &mut [Duty],
    out: &mut Vec<Warning>,
) {
    let told: Vec<usize> = duties
        .iter()
        .enumerate()
        .filter(|(_, d)| {
            matches!(
                d.trigger,
                Trigger::AnyChange | Trigger::MaterialChange | Trigger::RightsReduced
            ) && d.channels != [Channel::Posting]
                && d.timing == Timing::Before
        })
        .map(|(index, _)| index)
        .collect();
    if told.is_empty() {
        return;
    }
    let silent: Vec<(usize, usize)> = cuts(document, facts)
        .filter(|(_, cut)| cut.silent)
        .map(|(block, cut)| document.lines_of(&cut.span(block)))
        .collect();
    for lines in silent {
        let others: Vec<String> = duties
            .iter()
            .filter(|d| d.lines.0 <= lines.1 && lines.0 <= d.lines.1)
            .map(|d| d.id.clone())
            .collect();
        for &index in &told {
            let Some(duty) = duties.get_mut(index) else {
                continue;
            };
            if duty.lines.0 <= lines.0 && lines.1 <= duty.lines.1 && lines.0 != lines.1 {
                continue;
            }
            duty.conflicts
                .extend(others.iter().filter(|id| **id != duty.id).cloned());
            duty.conflicts.dedup();
            out.push(warning(
                "conflict",
                format!(
                    "line {} lets the document change without notice, and {} (line {}) promises notice in advance; the promise counts",
                    lines.0, duty.id, duty.lines.0
                ),
            ));
        }
    }
}

/// All sentences of a document with their blocks.
fn cuts<'a>(
    document: &'a Document,
    facts: &'a [Arc<Facts>],
) -> impl Iterator<Item = (&'a Block, &'a Cut)> {
    document
        .blocks
        .iter()
        .zip(facts)
        .flat_map(|(block, known)| known.sentences.iter().map(move |cut| (block, cut)))
}

/// Documents that become part of this one.
fn incorporated(document: &Document, facts: &[Arc<Facts>], out: &mut Vec<Warning>) {
    for (block, cut) in cuts(document, facts).filter(|(_, cut)| cut.incorporates) {
        let span = cut.span(block);
        let (line, _) = document.lines_of(&span);
        let quote: String = document
            .slice(&span)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let short: String = quote.chars().take(160).collect();
        out.push(warning(
            "incorporated-document",
            format!("line {line}: another document is part of this one and should be tracked too: \u{201c}{short}\u{201d}"),
        ));
    }
    out.dedup();
}
