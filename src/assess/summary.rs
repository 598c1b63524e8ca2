//! One plain sentence for a finding, from templates and the texts' own words; none where no honest
//! one can be built.

use super::{
    group::{Group, Told},
    language::LanguageRules,
    passage::{Act, Place},
    rules::Gravity,
};
use crate::read::{Document, Span};

/// Longest clause that is quoted in full, in characters.
const MOST: usize = 260;

/// The sentence.
pub(super) fn summary(
    old: &Document,
    new: &Document,
    group: &Group,
    rules: &LanguageRules,
) -> Option<String> {
    let told = group.told.iter().max_by_key(|told| {
        let gravest = told
            .signals
            .iter()
            .filter_map(|s| rules.signals.get(s.rule))
            .map(|rule| rule.gravity)
            .max();
        (
            gravest.unwrap_or(Gravity::None),
            std::cmp::Reverse(told.passage.change),
        )
    })?;
    let mut signals: Vec<_> = told
        .signals
        .iter()
        .filter_map(|signal| rules.signals.get(signal.rule).map(|rule| (signal, rule)))
        .collect();
    // The more telling rule first; of two that are alike the one that names a topic.
    signals.sort_by_key(|(_, rule)| {
        (
            rule.up.is_none(),
            std::cmp::Reverse(rule.gravity),
            rule.topics.is_empty(),
        )
    });
    let slots = |before: Option<&Span>, after: Option<&Span>| Slots {
        old: before.map(|span| plain(old, span)),
        new: after.map(|span| plain(new, span)),
        before: clause(old, told.passage.old.as_ref()),
        after: clause(new, told.passage.new.as_ref()),
    };
    signals
        .iter()
        .find_map(|(signal, rule)| {
            slots(signal.old.as_ref(), signal.new.as_ref()).fill(rules.say.get(&rule.id)?)
        })
        .or_else(|| slots(None, None).fill(rules.say.get(act(told))?))
}

fn act(told: &Told) -> &'static str {
    match told.passage.act {
        Act::Added => "added",
        Act::Removed => "removed",
        Act::Changed => "changed",
    }
}

struct Slots {
    old: Option<String>,
    new: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl Slots {
    /// The template with all its slots filled; `None` when one cannot be.
    fn fill(&self, template: &str) -> Option<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((head, tail)) = rest.split_once('{') {
            let (slot, tail) = tail.split_once('}')?;
            let words = match slot {
                "old" => &self.old,
                "new" => &self.new,
                "before" => &self.before,
                "after" => &self.after,
                _ => return None,
            };
            text.push_str(head);
            text.push_str(words.as_deref().filter(|words| !words.is_empty())?);
            rest = tail;
        }
        text.push_str(rest);
        Some(text)
    }
}

/// A clause in readable words, when it is short enough to quote.
fn clause(document: &Document, place: Option<&Place>) -> Option<String> {
    let text = plain(document, &place?.span);
    (!text.is_empty() && text.chars().count() <= MOST).then_some(text)
}

/// The readable words of a span on one line.
fn plain(document: &Document, span: &Span) -> String {
    let first = document
        .blocks
        .partition_point(|b| b.span.end <= span.start);
    let mut text = String::new();
    for block in document.blocks.iter().skip(first) {
        if block.span.start >= span.end {
            break;
        }
        for run in &block.runs {
            let (start, end) = (run.start.max(span.start), run.end.min(span.end));
            text.push_str(document.text.get(start..end.max(start)).unwrap_or_default());
        }
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
