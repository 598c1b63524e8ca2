//! The findings, as a notice tells them: those that rest on the same words are one item.

use serde::Serialize;

use super::{
    ground::Variant,
    quote::{ShortQuote, plain, shorten},
    words::{Words, direction_id, topic_id},
};
use crate::{
    assess::{Direction, Finding, SectionRef, Severity},
    compare::{Change, Kind, Side},
    read::Document,
};

/// A change as a notice tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Ids of the findings.
    pub findings: Vec<String>,
    /// Ids of their topics.
    pub topics: Vec<String>,
    /// Names of their topics in the notice's language, joined.
    pub topic: String,
    /// `adverse`, `favourable` or `neutral`: the worst of them.
    pub direction: &'static str,
    /// The direction's name in the notice's language.
    pub direction_name: String,
    /// Whether any of them is material.
    pub material: bool,
    /// Number and title of the section, as printed: `4.2 Sharing`; empty where there is none.
    pub section: String,
    /// Other sections with the same change.
    pub also: Vec<String>,
    /// The old words; `None` where the passage is new.
    pub before: Option<ShortQuote>,
    /// The new words; `None` where the passage was removed.
    pub after: Option<ShortQuote>,
    /// What it means for the reader, one sentence each.
    pub means: Vec<String>,
    /// Codes of the reasons with their evidence, for memos.
    pub reasons: Vec<ItemReason>,
    /// The lowest confidence, in per cent.
    pub confidence: u8,
}

/// Why a finding was made, for memos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemReason {
    /// Id of the finding.
    pub finding: String,
    /// Code of the reason.
    pub code: String,
    /// The words it rests on.
    pub evidence: String,
}

/// A changed passage in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Number and title of the section.
    pub section: String,
    /// The old words in full; `None` where the passage is new.
    pub before: Option<String>,
    /// The new words in full; `None` where it was removed.
    pub after: Option<String>,
}

/// Makes items of all findings: material first, adverse first, then in the order of the text.
pub(crate) fn items(ground: &Variant<'_>, words: &Words, same_language: bool) -> Vec<Item> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in &ground.assessment.findings {
        let same = |other: &Finding| {
            other.old.as_ref().map(|q| &q.span) == finding.old.as_ref().map(|q| &q.span)
                && other.new.as_ref().map(|q| &q.span) == finding.new.as_ref().map(|q| &q.span)
        };
        match groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| same(first)))
        {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let mut items: Vec<Item> = groups
        .iter()
        .filter_map(|group| item(group, ground, words, same_language))
        .collect();
    items.sort_by_key(|item| {
        (
            !item.material,
            match item.direction {
                "adverse" => 0,
                "neutral" => 1,
                _ => 2,
            },
        )
    });
    items
}

fn item(
    group: &[&Finding],
    ground: &Variant<'_>,
    words: &Words,
    same_language: bool,
) -> Option<Item> {
    let first = group.first()?;
    let mut direction = Direction::Favourable;
    for finding in group {
        direction = match (direction, finding.direction) {
            (Direction::Adverse, _) | (_, Direction::Adverse) => Direction::Adverse,
            (Direction::Neutral, _) | (_, Direction::Neutral) => Direction::Neutral,
            (Direction::Favourable, Direction::Favourable) => Direction::Favourable,
        };
    }
    let mut topics: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut means: Vec<String> = Vec::new();
    let mut also: Vec<String> = Vec::new();
    for finding in group {
        let id = topic_id(finding.topic);
        if !topics.contains(&id) {
            topics.push(id);
            names.push(words.topic(finding.topic).to_owned());
        }
        // A summary is in the language of the document it was built from.
        let sentence = match &finding.summary {
            Some(summary) if same_language && !summary.trim().is_empty() => summary.trim(),
            _ => words.effect(finding.topic, finding.direction),
        };
        if !means.iter().any(|known| known == sentence) {
            means.push(sentence.to_owned());
        }
        for other in &finding.also {
            let section = ground
                .comparison
                .changes
                .iter()
                .find(|change| change.id == *other)
                .map(|change| change_section(ground, change))
                .unwrap_or_default();
            if !section.is_empty() && !also.contains(&section) {
                also.push(section);
            }
        }
    }
    let section = section_name(&first.section, ground);
    also.retain(|other| *other != section);
    let quote = |quote: &Option<crate::assess::Quote>, document: &Document, is_old: bool| {
        quote
            .as_ref()
            .map(|q| shorten(document, ground.comparison, &first.change, &q.span, is_old))
            .filter(|q| !q.text.is_empty())
    };
    Some(Item {
        findings: group.iter().map(|f| f.id.clone()).collect(),
        topics,
        topic: words.list(&names),
        direction: direction_id(direction),
        direction_name: words.direction(direction).to_owned(),
        material: group.iter().any(|f| f.severity == Severity::Material),
        section,
        also,
        before: quote(&first.old, ground.old, true),
        after: quote(&first.new, ground.new, false),
        means,
        reasons: group
            .iter()
            .flat_map(|finding| {
                finding.reasons.iter().map(|reason| ItemReason {
                    finding: finding.id.clone(),
                    code: reason.code.clone(),
                    evidence: reason.evidence.clone(),
                })
            })
            .collect(),
        confidence: group
            .iter()
            .map(|f| (f.confidence.clamp(0.0, 1.0) * 100.0).round() as u8)
            .min()
            .unwrap_or_default(),
    })
}

/// Every changed passage in full, in the order of the text: what differs in words.
pub(crate) fn passages(ground: &Variant<'_>) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    for change in &ground.comparison.changes {
        match change.kind {
            Kind::Technical | Kind::Renumbered => continue,
            Kind::Moved
                if change
                    .edits
                    .iter()
                    .all(|edit| edit.op == crate::compare::Op::Equal) =>
            {
                continue;
            }
            _ => {}
        }
        let passage = Passage {
            section: change_section(ground, change),
            before: change.old.as_ref().map(|side| whole(ground.old, side)),
            after: change.new.as_ref().map(|side| whole(ground.new, side)),
        };
        let is_empty = |side: &Option<String>| side.as_ref().is_none_or(String::is_empty);
        // Two changes of one paragraph give the same passage.
        if found.contains(&passage) || is_empty(&passage.before) && is_empty(&passage.after) {
            continue;
        }
        found.push(passage);
    }
    found
}

/// All blocks that a change touches, in full.
fn whole(document: &Document, side: &Side) -> String {
    let blocks = document.blocks.get(side.blocks.clone()).unwrap_or_default();
    let span = match (blocks.first(), blocks.last()) {
        (Some(first), Some(last)) => {
            first.span.start.min(side.span.start)..last.span.end.max(side.span.end)
        }
        _ => side.span.clone(),
    };
    plain(document, &span)
}

fn change_section(ground: &Variant<'_>, change: &Change) -> String {
    let name = |document: &Document, side: &Option<Side>| {
        side.as_ref()
            .and_then(|side| side.section)
            .and_then(|index| document.sections.get(index))
            .map(|section| numbered(section.label.as_deref(), &section.title))
    };
    name(ground.new, &change.new)
        .or_else(|| name(ground.old, &change.old))
        .unwrap_or_default()
}

/// The section of a finding as printed: the new one where there is one.
fn section_name(section: &SectionRef, ground: &Variant<'_>) -> String {
    let (path, document) = if section.new.is_empty() {
        (&section.old, ground.old)
    } else {
        (&section.new, ground.new)
    };
    if let Some(found) = document.sections.iter().find(|s| s.path == *path) {
        return numbered(found.label.as_deref(), &found.title);
    }
    match path.last() {
        Some(label) if *label != section.title => numbered(Some(label), &section.title),
        _ => section.title.clone(),
    }
}

fn numbered(label: Option<&str>, title: &str) -> String {
    match label {
        Some(label) if title.is_empty() => label.to_owned(),
        Some(label) => format!("{label} {title}"),
        None => title.to_owned(),
    }
}
