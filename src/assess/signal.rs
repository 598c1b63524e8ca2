//! What a change of words means: phrases gained or lost, and what only code can tell.

use super::{
    language::{LanguageRules, Owner, Slot},
    phrase::Found,
    quantity, quiet,
    rules::{Class, Detector, Effect, SignalRule},
    texts::{Half, Texts},
    words::Word,
};
use crate::read::Span;

/// A rule that speaks, and the words it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signal {
    /// Index of the rule.
    pub(super) rule: usize,
    /// Where the words stand in the old text.
    pub(super) old: Option<Span>,
    /// Where the words stand in the new text.
    pub(super) new: Option<Span>,
    /// What it says, where the rule leaves that open.
    pub(super) effect: Effect,
    /// For rules that list items: each phrase gained or lost, and where it stands on its side.
    pub(super) items: Vec<(usize, Span)>,
    /// Whether the document that the items are new to, or gone from, has them all elsewhere.
    pub(super) known: bool,
}

/// All rules that speak of a clause.
pub(super) fn find(texts: &Texts, rules: &LanguageRules) -> Vec<Signal> {
    let old = slots(&texts.old, rules);
    let new = slots(&texts.new, rules);
    rules
        .signals
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| one(index, rule, texts, &old, &new, rules))
        .collect()
}

/// Phrases found, by rule and list.
struct Slots<'a> {
    found: std::collections::BTreeMap<(usize, u8), Vec<&'a Found>>,
}

impl<'a> Slots<'a> {
    fn of(&self, rule: usize, slot: Slot) -> &[&'a Found] {
        self.found
            .get(&(rule, slot as u8))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

fn slots<'a>(text: &'a Half, rules: &LanguageRules) -> Slots<'a> {
    let mut slots: std::collections::BTreeMap<(usize, u8), Vec<&'a Found>> =
        std::collections::BTreeMap::new();
    for found in &text.found {
        if let Some(Owner::Signal(rule, slot)) = rules.owner(found.owner) {
            slots.entry((rule, slot as u8)).or_default().push(found);
        }
    }
    Slots { found: slots }
}

fn one(
    index: usize,
    rule: &SignalRule,
    texts: &Texts,
    old: &Slots<'_>,
    new: &Slots<'_>,
    rules: &LanguageRules,
) -> Option<Signal> {
    let unless = |slots: &Slots<'_>, text: &Half| {
        slots
            .of(index, Slot::Unless)
            .iter()
            .any(|f| text.touches(f))
    };
    if unless(old, &texts.old) || unless(new, &texts.new) {
        return None;
    }
    if !rule.within.is_empty()
        && old.of(index, Slot::Within).is_empty()
        && new.of(index, Slot::Within).is_empty()
    {
        return None;
    }
    if !rule.class.is_empty() && !rule.class.contains(&class(texts, rules)) {
        return None;
    }
    let gained = fresh(
        rule,
        (&texts.new, new.of(index, Slot::Gained)),
        old.of(index, Slot::Gained),
    );
    let lost = fresh(
        rule,
        (&texts.old, old.of(index, Slot::Lost)),
        new.of(index, Slot::Lost),
    );
    if let Some(detector) = rule.detect {
        let mut signal = detect(detector, rule, texts, rules)?;
        if detector == Detector::Vaguer && gained.is_none() {
            return None;
        }
        signal.rule = index;
        if !matches!(
            detector,
            Detector::Quantity | Detector::NegationGained | Detector::NegationLost
        ) {
            signal.effect = rule.effect;
        }
        return Some(signal);
    }
    if (!rule.gained.is_empty() && gained.is_none()) || (!rule.lost.is_empty() && lost.is_none()) {
        return None;
    }
    let items = if rule.each {
        let side = if rule.gained.is_empty() {
            (
                &texts.old,
                old.of(index, Slot::Lost),
                new.of(index, Slot::Lost),
            )
        } else {
            (
                &texts.new,
                new.of(index, Slot::Gained),
                old.of(index, Slot::Gained),
            )
        };
        items((side.0, side.1), side.2)
    } else {
        Vec::new()
    };
    Some(Signal {
        rule: index,
        old: lost,
        new: gained,
        effect: rule.effect,
        items,
        known: false,
    })
}

/// The class of the clause: the new one where there is one.
fn class(texts: &Texts, rules: &LanguageRules) -> Class {
    if texts.new.words.is_empty() {
        rules.class_of(&texts.old)
    } else {
        rules.class_of(&texts.new)
    }
}

/// Where a phrase stands that this side has and the other has not, or less often.
fn fresh(rule: &SignalRule, this: (&Half, &[&Found]), other: &[&Found]) -> Option<Span> {
    let (text, found) = this;
    let touched = |f: &&&Found| text.touches(f);
    if rule.each {
        return items(this, other).into_iter().next().map(|(_, span)| span);
    }
    if places(found) <= places(other) {
        return None;
    }
    found.iter().find(touched).and_then(|f| text.span(f))
}

/// The phrases that this side has in changed words and the other has not, and where.
fn items((text, found): (&Half, &[&Found]), other: &[&Found]) -> Vec<(usize, Span)> {
    found
        .iter()
        .filter(|f| text.touches(f) && other.iter().all(|o| o.phrase != f.phrase))
        .filter_map(|f| Some((f.phrase, text.span(f)?)))
        .collect()
}

/// Number of places at which one or more phrases stand.
fn places(found: &[&Found]) -> usize {
    let (mut end, mut count) = (0, 0);
    for one in found {
        if one.first >= end {
            count += 1;
        }
        end = end.max(one.first + one.length);
    }
    count
}

fn detect(
    detector: Detector,
    rule: &SignalRule,
    texts: &Texts,
    rules: &LanguageRules,
) -> Option<Signal> {
    let signal = |old, new, effect| Signal {
        rule: 0,
        old,
        new,
        effect,
        items: Vec::new(),
        known: false,
    };
    match detector {
        Detector::Quantity => quantity::changed(texts, rules)
            .filter(|change| rule.family.as_ref().is_none_or(|f| *f == change.family))
            .map(|change| {
                let effect = match (rule.up, change.up) {
                    (Some(Effect::Adverse), true) | (Some(Effect::Favourable), false) => {
                        Effect::Adverse
                    }
                    (Some(Effect::Favourable), true) | (Some(Effect::Adverse), false) => {
                        Effect::Favourable
                    }
                    _ => Effect::Neutral,
                };
                signal(Some(change.old), Some(change.new), effect)
            }),
        Detector::Vaguer => {
            let (old, new) = (
                quantity::find(&texts.old, rules),
                quantity::find(&texts.new, rules),
            );
            let gone = old
                .iter()
                .find(|q| q.fresh && !new.iter().any(|n| n.family == q.family))?;
            Some(signal(Some(gone.span.clone()), None, Effect::Adverse))
        }
        Detector::NegationGained => {
            let (old, new) = (negations(&texts.old), negations(&texts.new));
            if new.len() <= old.len() || !both(texts) {
                return None;
            }
            let word = new.into_iter().find(|w| fresh_word(&texts.new, w))?;
            Some(signal(
                None,
                Some(word.span.clone()),
                negated(class_without(&texts.old, rules)),
            ))
        }
        Detector::NegationLost => {
            let (old, new) = (negations(&texts.old), negations(&texts.new));
            if old.len() <= new.len() || !both(texts) {
                return None;
            }
            let word = old.into_iter().find(|w| fresh_word(&texts.old, w))?;
            Some(signal(
                Some(word.span.clone()),
                None,
                restored(class_without(&texts.new, rules)),
            ))
        }
        Detector::Entity => {
            entity(texts, rules).map(|(old, new)| signal(Some(old), Some(new), Effect::Neutral))
        }
        Detector::NameChanged => {
            let old = names(&texts.old).into_iter().next()?;
            let new = names(&texts.new).into_iter().next()?;
            Some(signal(Some(old), Some(new), Effect::Adverse))
        }
        Detector::Reach => {
            reach(texts, rules).map(|(old, new)| signal(Some(old), Some(new), Effect::Neutral))
        }
        Detector::NameReplaced => {
            replaced(texts, rules).map(|(old, new)| signal(Some(old), Some(new), Effect::Neutral))
        }
        Detector::Contact => contact(texts, rules).then(|| {
            let span = |half: &Half| half.fresh().next().map(|w| w.span.clone());
            signal(span(&texts.old), span(&texts.new), Effect::Neutral)
        }),
    }
}

fn both(texts: &Texts) -> bool {
    !texts.old.words.is_empty() && !texts.new.words.is_empty()
}

fn fresh_word(text: &Half, word: &Word) -> bool {
    text.fresh().any(|fresh| fresh == word)
}

/// Who bears a clause that holds no negation.
fn class_without(text: &Half, rules: &LanguageRules) -> Class {
    rules.class_of(text)
}

/// What a new negation does to a clause: it ends a power, a duty, a right.
fn negated(class: Class) -> Effect {
    match class {
        Class::ProviderPower | Class::UserDuty => Effect::Favourable,
        Class::ProviderDuty | Class::UserRight | Class::Prohibition => Effect::Adverse,
        Class::Fact => Effect::Neutral,
    }
}

/// What a negation gone does: the clause that remains holds.
fn restored(class: Class) -> Effect {
    match class {
        Class::ProviderPower | Class::UserDuty => Effect::Adverse,
        Class::ProviderDuty | Class::UserRight => Effect::Favourable,
        Class::Prohibition | Class::Fact => Effect::Neutral,
    }
}

/// Negations whose scope is a verb: not those of `not limited to` or `do not hesitate`.
fn negations(text: &Half) -> Vec<&Word> {
    const NEGATIONS: [&str; 8] = ["not", "never", "no", "neither", "nor", "don", "不", "未"];
    text.words
        .iter()
        .enumerate()
        .filter(|(at, word)| {
            let next = |n: usize| text.words.get(at + n).map(|w| w.text.as_str());
            NEGATIONS.contains(&word.text.as_str())
                && !matches!(
                    next(1),
                    Some(
                        "limited"
                            | "hesitate"
                            | "only"
                            | "necessarily"
                            | "later"
                            | "restricted"
                            | "限"
                            | "同"
                    )
                )
                && !(word.text == "no" && next(1) == Some("event"))
        })
        .map(|(_, word)| word)
        .collect()
}

/// A company's name that was replaced: the spans of both.
fn entity(texts: &Texts, rules: &LanguageRules) -> Option<(Span, Span)> {
    let company = |text: &Half| -> Option<Span> {
        text.words
            .iter()
            .enumerate()
            .find(|(at, word)| {
                rules.marks.is_company(&word.text)
                    && word.capital
                    && (at.saturating_sub(4)..=*at).any(|i| {
                        text.changed.get(i).copied().unwrap_or(false)
                            && text.words.get(i).is_some_and(|w| w.capital)
                    })
            })
            .map(|(at, word)| {
                let start = (at.saturating_sub(4)..at)
                    .rev()
                    .take_while(|i| text.words.get(*i).is_some_and(|w| w.capital))
                    .last()
                    .unwrap_or(at);
                let first = text
                    .words
                    .get(start)
                    .map_or(word.span.start, |w| w.span.start);
                first..word.span.end
            })
    };
    let named = |text: &Half| company(text).or_else(|| han_company(text, rules));
    let (old, new) = (named(&texts.old)?, named(&texts.new)?);
    let letters = |text: &Half, span: &Span| -> String {
        text.words
            .iter()
            .filter(|w| w.span.start >= span.start && w.span.end <= span.end)
            .flat_map(|w| w.text.chars())
            .filter(|c| c.is_alphanumeric())
            .collect()
    };
    (letters(&texts.old, &old) != letters(&texts.new, &new)).then_some((old, new))
}

/// A company's name in Han characters, one of which changed: what stands without a gap and without
/// a word that carries no content before `公司`.
fn han_company(text: &Half, rules: &LanguageRules) -> Option<Span> {
    const LONGEST: usize = 24;
    let word = |at: usize| text.words.get(at);
    let is = |at: usize, character: &str| word(at).is_some_and(|w| w.text == character);
    (0..text.words.len())
        .filter(|at| is(*at, "公") && is(at + 1, "司"))
        .find_map(|at| {
            let start = (at.saturating_sub(LONGEST)..at)
                .rev()
                .take_while(|i| {
                    word(*i).zip(word(i + 1)).is_some_and(|(this, next)| {
                        this.span.end == next.span.start && rules.marks.is_content(&this.text)
                    })
                })
                .last()?;
            let changed = text.changed.get(start..at)?.iter().any(|changed| *changed);
            changed.then(|| Some(word(start)?.span.start..word(at + 1)?.span.end))?
        })
}

/// Names (words with a capital inside a clause) that one side has and the other not.
fn names(text: &Half) -> Vec<Span> {
    text.words
        .iter()
        .zip(&text.changed)
        .enumerate()
        .filter(|(at, (word, changed))| *at > 0 && **changed && word.capital && word.text.len() > 2)
        .map(|(_, (word, _))| word.span.clone())
        .collect()
}

/// Whether nothing but addresses, mail addresses and numbers without a unit changed.
fn contact(texts: &Texts, rules: &LanguageRules) -> bool {
    let changed: Vec<(&Half, usize)> = [&texts.old, &texts.new]
        .into_iter()
        .flat_map(|half| {
            half.changed
                .iter()
                .enumerate()
                .filter(|(_, changed)| **changed)
                .map(move |(at, _)| (half, at))
        })
        .collect();
    let mut seen = false;
    let only = changed.iter().all(|(half, at)| {
        let Some(word) = half.words.get(*at) else {
            return true;
        };
        let text = word.text.as_str();
        let place = text.contains('@')
            || text.bytes().any(|b| b.is_ascii_digit()) && !unit_follows(half, *at, rules)
            || rules.marks.is_address(text)
            || text.contains('.');
        seen |= place;
        place || (word.capital && !rules.marks.is_company(text)) || !rules.marks.is_content(text)
    });
    only && seen
}

fn unit_follows(half: &Half, at: usize, rules: &LanguageRules) -> bool {
    half.words
        .get(at + 1)
        .is_some_and(|next| rules.units.contains_key(&next.text))
}

/// A mail address, or the number and name of a street, that gave way to another.
fn reach(texts: &Texts, rules: &LanguageRules) -> Option<(Span, Span)> {
    let mail = |half: &Half| {
        half.fresh()
            .find(|word| word.text.contains('@'))
            .map(|word| word.span.clone())
    };
    if let (Some(old), Some(new)) = (mail(&texts.old), mail(&texts.new)) {
        return Some((old, new));
    }
    let street = |half: &Half| {
        let named = half.words.iter().any(|w| rules.marks.is_address(&w.text));
        let proper = half.fresh().any(|w| w.capital && w.text.len() > 2);
        half.fresh()
            .find(|w| named && proper && w.text.bytes().all(|b| b.is_ascii_digit()))
            .map(|word| word.span.clone())
    };
    contact(texts, rules)
        .then(|| street(&texts.old).zip(street(&texts.new)))
        .flatten()
}

/// A name that gave way to another one while nearly all other words stayed.
fn replaced(texts: &Texts, rules: &LanguageRules) -> Option<(Span, Span)> {
    // The words that a name takes the place of, without those of addresses and those without content.
    let fresh = |half: &Half| -> (Vec<Word>, usize) {
        let (mut names, mut others) = (Vec::new(), 0);
        for (at, word) in half.words.iter().enumerate() {
            let fresh = half.changed.get(at).copied().unwrap_or(false);
            if !fresh || !rules.marks.is_content(&word.text) {
                continue;
            }
            // Every sentence begins with a capital; an entry of a list begins with its name.
            let entry = at > 0
                || half
                    .words
                    .get(1)
                    .is_some_and(|next| matches!(next.text.as_str(), "for" | "is" | "as" | "to"));
            let letters = word.text.chars().filter(|c| c.is_alphabetic()).count();
            if word.capital
                && entry
                && letters > 2
                && !rules.marks.is_company(&word.text)
                && !rules.marks.is_month(&word.text)
            {
                names.push(word.clone());
            } else if !word.text.contains('.') && !word.text.starts_with("http") {
                others += 1;
            }
        }
        (names, others)
    };
    let ((old, lost), (new, gained)) = (fresh(&texts.old), fresh(&texts.new));
    let few = |names: &[Word]| (1..=3).contains(&names.len());
    if lost > 1 || gained > 1 || !few(&old) || !few(&new) {
        return None;
    }
    let akin = |a: &str, b: &str| {
        a.starts_with(b) || b.starts_with(a) || quiet::distance(a, b) <= 2 || rules.synonyms(a, b)
    };
    let before = old
        .iter()
        .find(|a| new.iter().all(|b| !akin(&a.text, &b.text)))?;
    let after = new
        .iter()
        .find(|b| old.iter().all(|a| !akin(&a.text, &b.text)))?;
    Some((before.span.clone(), after.span.clone()))
}
