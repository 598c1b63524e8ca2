//! From passages to candidates: neighbours that make one change together, topics kept apart.

use super::{
    Topic,
    language::LanguageRules,
    passage::{Act, Passage},
    rules::{Class, Detector, Gravity},
    signal::{self, Signal},
    topic::{self, Scores},
};
use crate::read::BlockKind;

/// A passage that is not quiet, with what the rules say of it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The passage.
    pub(super) passage: Passage,
    /// Points of each topic.
    pub(super) scores: Scores,
    /// What speaks.
    pub(super) signals: Vec<Signal>,
    /// Who bore the clause.
    pub(super) old_class: Class,
    /// Who bears it.
    pub(super) new_class: Class,
    /// 0 when the words stand elsewhere in the other text, 1 when they are all new there.
    pub(super) novelty: f64,
}

/// Passages that make one change together.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// What it is about.
    pub(super) topic: Topic,
    /// How clearly: points of the topic against those of the next.
    pub(super) margin: f64,
    /// Its passages, in order.
    pub(super) told: Vec<Told>,
    /// Ids of changes elsewhere that say the same.
    pub(super) also: Vec<usize>,
}

/// Applies the rules to a passage.
pub(super) fn tell(passage: Passage, novelty: f64, rules: &LanguageRules) -> Told {
    let mut scores = topic::scores(&passage.texts, &passage.titles, &passage.intro, rules);
    let signals = signal::find(&passage.texts, rules);
    for signal in &signals {
        if let Some(rule) = rules.signals.get(signal.rule) {
            for topic in &rule.topics {
                let points = match (rule.gravity, rule.detect) {
                    (_, Some(Detector::Entity)) => 3.0,
                    (Gravity::Grave, _) => 2.0,
                    _ => 1.2,
                };
                scores.give(*topic, points);
            }
        }
    }
    Told {
        old_class: rules.class_of(&passage.texts.old),
        new_class: rules.class_of(&passage.texts.new),
        scores,
        signals,
        novelty,
        passage,
    }
}

/// Puts neighbours together.
pub(super) fn groups(mut told: Vec<Told>, rules: &LanguageRules) -> Vec<Group> {
    smooth(&mut told);
    let mut groups: Vec<Group> = Vec::new();
    for one in told {
        let topic = one.scores.best().unwrap_or(Topic::Scope);
        let key = key(&one);
        if let Some(key) = &key
            && let Some(same) = groups.iter_mut().find(|group| {
                group.told.len() == 1
                    && group
                        .told
                        .iter()
                        .any(|t| self::key(t).as_ref() == Some(key))
            })
        {
            same.also.push(one.passage.change);
            continue;
        }
        let joins = groups.last().is_some_and(|group| {
            group.told.last().is_some_and(|last| {
                let akin = group.topic == topic
                    || one.scores.of(group.topic) >= 0.9 * one.scores.of(topic);
                let close = near(&last.passage, &one.passage) && akin
                    || together(group, &one.passage, group.topic == topic);
                close && !distinct(group, &one, rules) || one_section(group, &one, rules)
            })
        });
        match groups.last_mut().filter(|_| joins) {
            Some(group) => group.told.push(one),
            None => groups.push(Group {
                topic,
                margin: 0.0,
                told: vec![one],
                also: Vec::new(),
            }),
        }
    }
    for group in &mut groups {
        settle(group);
    }
    groups
}

/// The words that changed, when a passage is a change and not an addition: the same change in
/// another place has the same key.
fn key(told: &Told) -> Option<String> {
    (told.passage.act == Act::Changed).then(|| {
        let side = |half: &super::texts::Half| -> String {
            half.fresh()
                .map(|w| w.text.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!(
            "{}\u{0}{}",
            side(&told.passage.texts.old),
            side(&told.passage.texts.new)
        )
    })
}

/// Blocks added or removed together lend each other their topics, so that one new section is not
/// torn into many findings.
fn smooth(told: &mut [Told]) {
    let mut start = 0;
    while start < told.len() {
        let mut end = start + 1;
        while end < told.len()
            && told.get(end - 1).zip(told.get(end)).is_some_and(|(a, b)| {
                a.passage.act == b.passage.act
                    && a.passage.act != Act::Changed
                    && section(&a.passage) == section(&b.passage)
                    && near(&a.passage, &b.passage)
            })
        {
            end += 1;
        }
        if end - start > 1
            && let Some(run) = told.get_mut(start..end)
        {
            let mut sum = Scores::default();
            for one in run.iter() {
                sum.add(&one.scores, 1.0 / (end - start) as f64);
            }
            for one in run {
                one.scores.add(&sum, 0.5);
            }
        }
        start = end;
    }
}

fn section(passage: &Passage) -> (Option<usize>, bool) {
    match (&passage.new, &passage.old) {
        (Some(place), _) => (place.section, true),
        (None, Some(place)) => (place.section, false),
        (None, None) => (None, false),
    }
}

/// Whether a passage belongs to the change before it in the same section although its words point
/// to another topic or it stands further off: they share a line; one clause gave way to another on
/// the same subject; both were reworded or both taken out side by side.
fn together(group: &Group, one: &Passage, same_topic: bool) -> bool {
    let Some(last) = group.told.last().map(|told| &told.passage) else {
        return false;
    };
    if last.titles.last() != one.titles.last() {
        return false;
    }
    let closest = group
        .told
        .iter()
        .filter_map(|told| apart(&told.passage, one))
        .min();
    match (closest, last.act == one.act) {
        (Some(0), _) => true,
        (Some(gap), true) if one.act != Act::Added && gap <= 2 && group.told.len() <= 2 => true,
        (Some(gap), true) => same_topic && gap <= 6,
        (Some(_), false) => false,
        // One stands only in the old text and one only in the new.
        (None, _) => same_topic,
    }
}

/// Whether two passages stand so close that a reader takes them as one change.
fn near(a: &Passage, b: &Passage) -> bool {
    apart(a, b).is_some_and(|gap| gap <= 2)
}

/// Whether two reworded sentences, of which rules speak plainly, have no topic in common: what is
/// shared and how long it is kept are two changes also when they stand in one paragraph.
fn distinct(group: &Group, one: &Told, rules: &LanguageRules) -> bool {
    let spoken = |told: &Told, topic: Topic| -> Vec<Topic> {
        told.signals
            .iter()
            .filter_map(|signal| rules.signals.get(signal.rule))
            .filter(|rule| rule.gravity >= Gravity::Plain)
            .flat_map(|rule| {
                // A rule of no topic, such as a lost negation, speaks for that of its passage.
                let own = rule.topics.is_empty().then_some(topic);
                rule.topics.iter().copied().chain(own)
            })
            .collect()
    };
    let reworded = |told: &Told| told.passage.act == Act::Changed;
    if !reworded(one) || !group.told.iter().all(reworded) {
        return false;
    }
    let here = spoken(one, one.scores.best().unwrap_or(group.topic));
    let there: Vec<Topic> = group
        .told
        .iter()
        .flat_map(|told| spoken(told, group.topic))
        .collect();
    !here.is_empty() && !there.is_empty() && here.iter().all(|topic| !there.contains(topic))
}

/// Most lines of a new list that are taken as one change whatever its items speak of.
const LIST: usize = 14;
/// Most lines of new paragraphs that are taken so.
const PARAGRAPHS: usize = 5;

/// Whether a new block goes on with what the new blocks right above it in the same section say: a
/// new section is one change, not one for each of its paragraphs and items.
fn one_section(group: &Group, one: &Told, rules: &LanguageRules) -> bool {
    let new = |passage: &Passage| {
        (passage.act == Act::Added)
            .then(|| passage.new.clone())
            .flatten()
    };
    let Some(place) = new(&one.passage) else {
        return false;
    };
    let places: Option<Vec<_>> = group.told.iter().map(|told| new(&told.passage)).collect();
    let Some(places) = places else { return false };
    let first = places.iter().map(|p| p.lines.0).min();
    let spoken = |told: &Told| {
        told.signals
            .iter()
            .filter_map(|signal| rules.signals.get(signal.rule))
            .any(|rule| rule.gravity >= Gravity::Plain)
    };
    let item = place.kind == BlockKind::ListItem;
    let most = if item { LIST } else { PARAGRAPHS };
    !place.led
        && (item || !spoken(one) || !group.told.iter().any(spoken))
        && place.kind != BlockKind::Heading
        && places
            .last()
            .is_some_and(|last| last.section == place.section)
        && group
            .told
            .last()
            .is_some_and(|last| near(&last.passage, &one.passage))
        && first.is_some_and(|first| place.lines.1.saturating_sub(first) < most)
}

/// How many lines lie between two passages, on the side where they are closer; `None` where they
/// have no side in common.
fn apart(a: &Passage, b: &Passage) -> Option<usize> {
    let gap = |a: Option<(usize, usize)>, b: Option<(usize, usize)>| match (a, b) {
        (Some(a), Some(b)) => Some(b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1))),
        _ => None,
    };
    let lines = |place: &Option<super::passage::Place>| place.as_ref().map(|p| p.lines);
    [
        gap(lines(&a.new), lines(&b.new)),
        gap(lines(&a.old), lines(&b.old)),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// The topic of a group: all passages' points, longer ones counting more.
fn settle(group: &mut Group) {
    let mut sum = Scores::default();
    for told in &group.told {
        sum.add(
            &told.scores,
            (1.0 + told.passage.texts.changed() as f64).ln(),
        );
    }
    if let Some(best) = sum.best() {
        group.topic = best;
        let next = topic::TOPICS
            .iter()
            .filter(|t| **t != best)
            .map(|t| sum.of(*t))
            .fold(0.0, f64::max);
        let top = sum.of(best);
        group.margin = if top > 0.0 {
            ((top - next) / top).clamp(0.0, 1.0)
        } else {
            0.0
        };
    }
}
