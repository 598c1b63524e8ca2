//! How grave a group is and for whom it is good: a sum of weights for what is seen in it.
//!
//! The weights stand in `rules/weights.toml`; `examples/fit_weights.rs` fits them.

use std::collections::BTreeMap;

use super::{
    Direction, Topic,
    group::{Group, Told},
    language::{LanguageRules, Owner},
    passage::Act,
    rules::{Class, Detector, Effect, Gravity, Weights},
    texts::Half,
    topic,
    vocabulary::Vocabulary,
};

/// What is seen in a group, by name.
pub(super) type Features = BTreeMap<String, f64>;

/// What a signal says in the clause it stands in.
pub(super) fn effect(told: &Told, effect: Effect) -> Direction {
    let stronger = |class: Class| class.when_stronger();
    let class = if told.new_class == Class::Fact {
        told.old_class
    } else {
        told.new_class
    };
    match effect {
        Effect::Adverse => Direction::Adverse,
        Effect::Favourable => Direction::Favourable,
        Effect::Neutral => Direction::Neutral,
        Effect::Strengthened => stronger(class),
        Effect::Weakened => match stronger(if told.old_class == Class::Fact {
            class
        } else {
            told.old_class
        }) {
            Direction::Adverse => Direction::Favourable,
            Direction::Favourable => Direction::Adverse,
            Direction::Neutral => Direction::Neutral,
        },
    }
}

/// Whether few words of a clause that stayed were changed, and one of them decides: a modal verb, a
/// negation, a number, an opt-in, a recipient. Such a change is material whatever else is seen.
pub(super) fn decisive(group: &Group, rules: &LanguageRules) -> bool {
    group.told.iter().any(|told| {
        let texts = &told.passage.texts;
        if told.passage.act != Act::Changed {
            return false;
        }
        // Another company in the provider's place is named as often as the clause names it.
        let provider = told.signals.iter().any(|signal| {
            rules.signals.get(signal.rule).is_some_and(|rule| {
                rule.detect == Some(Detector::Entity) && rule.gravity == Gravity::Grave
            })
        });
        if provider {
            return true;
        }
        if texts.changed() > 8 {
            return false;
        }
        let few = texts.changed() <= 4 && !exemplary(&texts.new, rules);
        told.signals.iter().any(|signal| {
            rules.signals.get(signal.rule).is_some_and(|rule| {
                let told_which = effect(told, signal.effect) != Direction::Neutral;
                match rule.gravity {
                    Gravity::Grave => told_which || few || rule.detect.is_some(),
                    Gravity::Plain => few && told_which,
                    Gravity::Slight | Gravity::None => false,
                }
            })
        })
    })
}

/// What is seen in a group.
pub(super) fn features(
    group: &Group,
    total: usize,
    old: &Vocabulary,
    new: &Vocabulary,
    rules: &LanguageRules,
) -> Features {
    let mut features = Features::new();
    let mut give = |name: &str, value: f64| {
        if value != 0.0 {
            *features.entry(name.to_owned()).or_default() += value;
        }
    };
    give("bias", 1.0);
    give(&format!("topic:{}", topic::name(group.topic)), 1.0);
    give("groups", (total.max(1) as f64).ln());
    give("repeated", (1.0 + group.also.len() as f64).ln());
    let (mut inserted, mut deleted, mut unheard, mut forgotten) = (0.0, 0.0, 0.0, 0.0);
    let mut acts = [false; 3];
    let mut counts = [0usize; 4];
    let mut effects: [f64; 2] = [0.0; 2];
    let mut ids = std::collections::BTreeSet::new();
    let (mut names, mut plain) = (0usize, 0usize);
    let mut open = true;
    let mut illustrates = false;
    let (mut named_already, mut new_items) = (false, false);
    for told in &group.told {
        let texts = &told.passage.texts;
        match told.passage.act {
            Act::Added => acts[0] = true,
            Act::Removed => acts[1] = true,
            Act::Changed => acts[2] = true,
        }
        let content = |half: &Half| {
            half.fresh()
                .filter(|w| rules.marks.is_content(&w.text))
                .count() as f64
        };
        let fresh_in = |half: &Half, other: &Vocabulary| {
            half.fresh()
                .filter(|w| rules.marks.is_content(&w.text) && !other.has(&w.text))
                .count() as f64
        };
        let weight = if told.passage.act == Act::Changed {
            1.0
        } else {
            told.novelty
        };
        inserted += content(&texts.new) * weight;
        deleted += content(&texts.old) * weight;
        unheard += fresh_in(&texts.new, old);
        forgotten += fresh_in(&texts.old, new);
        for half in [&texts.old, &texts.new] {
            for word in half.fresh().filter(|w| rules.marks.is_content(&w.text)) {
                if word.capital || word.text.bytes().any(|b| b.is_ascii_digit()) {
                    names += 1;
                } else {
                    plain += 1;
                }
            }
        }
        open &= told.passage.act == Act::Changed && exemplary(&texts.new, rules);
        illustrates |= told.passage.act != Act::Changed
            && opens_with_example(&texts.new, rules)
            && group.told.len() == 1;
        for signal in &told.signals {
            let Some(rule) = rules.signals.get(signal.rule) else {
                continue;
            };
            ids.insert(rule.id.clone());
            let gravity = if signal.known {
                rule.gravity.min(Gravity::Slight)
            } else {
                rule.gravity
            };
            counts[gravity as usize] += 1;
            if !signal.items.is_empty() && rule.gravity >= Gravity::Plain {
                if signal.known {
                    named_already = true;
                } else {
                    new_items = true;
                }
            }
            match effect(told, signal.effect) {
                Direction::Adverse => effects[0] += 1.0,
                Direction::Favourable => effects[1] += 1.0,
                Direction::Neutral => {}
            }
        }
        let class = match told.passage.act {
            Act::Removed => format!("removed:{}", told.old_class.name()),
            Act::Added => format!("added:{}", told.new_class.name()),
            Act::Changed => format!("changed:{}", told.new_class.name()),
        };
        give(&class, 1.0 / group.told.len() as f64);
        if told.passage.whole {
            give("whole", 1.0 / group.told.len() as f64);
        }
        give("novelty", told.novelty / group.told.len() as f64);
    }
    for (name, seen) in ["act:added", "act:removed", "act:changed"].iter().zip(acts) {
        give(name, f64::from(u8::from(seen)));
    }
    give("inserted", (1.0 + inserted).ln());
    give("deleted", (1.0 + deleted).ln());
    give("unheard", (1.0 + unheard).ln());
    give("forgotten", (1.0 + forgotten).ln());
    for (gravity, name) in [
        (Gravity::None, "gravity:none"),
        (Gravity::Slight, "gravity:slight"),
        (Gravity::Plain, "gravity:plain"),
        (Gravity::Grave, "gravity:grave"),
    ] {
        give(name, (counts[gravity as usize] as f64).min(3.0));
    }
    give("effect:adverse", effects[0].min(4.0));
    give("effect:favourable", effects[1].min(4.0));
    let data = matches!(
        group.topic,
        Topic::Collection
            | Topic::Use
            | Topic::Sharing
            | Topic::Tracking
            | Topic::Transfer
            | Topic::Automation
    );
    if data {
        give("unheard-data", (1.0 + unheard).ln());
    }
    let said = |gravity: Gravity| counts[gravity as usize] > 0;
    give(
        "contact-only",
        f64::from(u8::from(
            said(Gravity::None) && !said(Gravity::Grave) && !said(Gravity::Plain),
        )),
    );
    if acts == [false, false, true] {
        give("grave-words", f64::from(u8::from(said(Gravity::Grave))));
        give("few-words", f64::from(u8::from(inserted + deleted < 5.0)));
        give("inserted-words", (1.0 + inserted).ln());
    }
    if acts[0] && !acts[1] && !acts[2] {
        give("added-grave", f64::from(u8::from(said(Gravity::Grave))));
        give("added-plain", f64::from(u8::from(said(Gravity::Plain))));
    }
    give(
        "mixed",
        f64::from(u8::from(effects[0] > 0.0 && effects[1] > 0.0)),
    );
    give("names", names as f64 / (names + plain).max(1) as f64);
    give("names-only", f64::from(u8::from(plain == 0)));
    give("example", f64::from(u8::from(open)));
    give(
        "known-category",
        f64::from(u8::from(named_already && !new_items)),
    );
    give("new-category", f64::from(u8::from(new_items)));
    give("illustrates", f64::from(u8::from(illustrates)));
    give("silent", f64::from(u8::from(ids.is_empty())));
    for id in ids {
        give(&format!("signal:{id}"), 1.0);
    }
    // What is added and what is removed of a topic point in opposite directions.
    let sign = match (inserted > deleted, acts) {
        (_, [true, false, false]) => 1.0,
        (_, [false, true, false]) => -1.0,
        (true, _) => 0.5,
        (false, _) => -0.5,
    };
    give(&format!("more:{}", topic::name(group.topic)), sign);
    features
}

/// Whether all that changed stands behind `such as` and its like.
fn exemplary(half: &Half, rules: &LanguageRules) -> bool {
    let opener = half
        .found
        .iter()
        .filter(|f| rules.owner(f.owner) == Some(Owner::Illustrative) && f.first > 2)
        .map(|f| f.first)
        .min();
    let first = half.changed.iter().position(|changed| *changed);
    matches!((opener, first), (Some(opener), Some(first)) if opener < first)
}

/// Whether a new sentence only illustrates what stands before it: it opens with `for example`.
fn opens_with_example(half: &Half, rules: &LanguageRules) -> bool {
    half.found
        .iter()
        .any(|f| rules.owner(f.owner) == Some(Owner::Illustrative) && f.first < 2)
}

/// The sum of a model's weights for what is seen, in hundredths.
pub(super) fn sum(features: &Features, weights: &BTreeMap<String, i64>) -> f64 {
    features
        .iter()
        .filter_map(|(name, value)| weights.get(name).map(|weight| *weight as f64 * value))
        .sum()
}

/// For whom a group is good.
pub(super) fn direction(group: &Group, features: &Features, weights: &Weights) -> Direction {
    let sum = sum(features, &weights.direction);
    let named = matches!(group.topic, Topic::Identity | Topic::Scope);
    let told =
        features.contains_key("effect:adverse") || features.contains_key("effect:favourable");
    if named && !told || sum.abs() < 1.0 {
        Direction::Neutral
    } else if sum > 0.0 {
        Direction::Adverse
    } else {
        Direction::Favourable
    }
}
