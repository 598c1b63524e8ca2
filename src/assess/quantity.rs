//! Quantities with units: periods, amounts of money, shares, ages.

use super::{
    language::LanguageRules,
    texts::{Half, Texts},
};
use crate::read::Span;

/// A number with its unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// `period`, `money`, `share`, `age`.
    pub(super) family: String,
    /// In days, in the currency's unit, in hundredths, in years.
    pub(super) value: f64,
    /// How many days, units of the currency or hundredths the unit that is written holds.
    pub(super) unit: f64,
    /// The words.
    pub(super) span: Span,
    /// Whether one of the words is changed.
    pub(super) fresh: bool,
}

/// A quantity that has another value now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changed {
    /// Where it stood.
    pub(super) old: Span,
    /// Where it stands.
    pub(super) new: Span,
    /// What it measures.
    pub(super) family: String,
    /// Whether the new value is the greater one.
    pub(super) up: bool,
}

/// All quantities of a side.
pub(super) fn find(text: &Half, rules: &LanguageRules) -> Vec<Quantity> {
    let mut found = Vec::new();
    for (at, word) in text.words.iter().enumerate() {
        let Some(value) = number(&word.text, rules) else {
            continue;
        };
        let at_word = |i: usize| text.words.get(i).map(|w| w.text.as_str());
        let changed = |range: std::ops::RangeInclusive<usize>| {
            text.changed
                .get(range)
                .is_some_and(|range| range.iter().any(|c| *c))
        };
        if let Some(money) = at
            .checked_sub(1)
            .filter(|i| at_word(*i).is_some_and(|w| matches!(w, "$" | "€" | "£" | "¥" | "₹")))
        {
            found.push(Quantity {
                family: "money".to_owned(),
                value,
                unit: 1.0,
                span: text
                    .words
                    .get(money)
                    .map_or(word.span.start, |w| w.span.start)..word.span.end,
                fresh: changed(money..=at),
            });
            continue;
        }
        if of_a_date(text, at) {
            continue;
        }
        // The unit follows, with an adjective at most between: `30 business days`, `30 (thirty) days`.
        let unit = (at + 1..=at + 3).find_map(|i| {
            let unit = at_word(i)?;
            if unit == "%" {
                return Some((i, ("share".to_owned(), 1.0)));
            }
            rules.units.get(unit).map(|unit| (i, unit.clone()))
        });
        let Some((end, (mut family, factor))) = unit else {
            continue;
        };
        if (at + 1..end).any(|i| {
            at_word(i).is_none_or(|w| {
                number(w, rules).is_none()
                    && !matches!(
                        w,
                        "business" | "calendar" | "working" | "full" | "个" | "consecutive"
                    )
            })
        }) {
            continue;
        }
        let next = at_word(end + 1);
        let mut value = value * factor;
        if family == "period"
            && (matches!(next, Some("old" | "of"))
                && (next == Some("old") || at_word(end + 2) == Some("age")))
        {
            family = "age".to_owned();
            value /= 365.0;
        }
        found.push(Quantity {
            family,
            value,
            unit: factor,
            span: word.span.start..text.words.get(end).map_or(word.span.end, |w| w.span.end),
            fresh: changed(at..=end),
        });
    }
    // `under 13`, `under the age of 16`: ages without a unit.
    for (at, word) in text.words.iter().enumerate() {
        let before = |n: usize| {
            at.checked_sub(n)
                .and_then(|i| text.words.get(i))
                .map(|w| w.text.as_str())
        };
        if let Some(value) = number(&word.text, rules)
            && (10.0..=21.0).contains(&value)
            && (matches!(before(1), Some("under" | "age" | "aged" | "least"))
                || (before(1) == Some("of") && before(2) == Some("age")))
            && !found.iter().any(|q| q.span.start == word.span.start)
        {
            found.push(Quantity {
                family: "age".to_owned(),
                value,
                unit: 365.0,
                span: word.span.clone(),
                fresh: text.changed.get(at).copied().unwrap_or(false),
            });
        }
    }
    found
}

/// Whether a number is the year, month or day of a date written `2024年5月1日`.
pub(super) fn of_a_date(text: &Half, at: usize) -> bool {
    let word = |at: Option<usize>| {
        at.and_then(|at| text.words.get(at))
            .map(|word| word.text.as_str())
    };
    let number = word(Some(at)).and_then(|word| word.parse::<u32>().ok());
    match (word(Some(at + 1)), word(at.checked_sub(1))) {
        (Some("年"), _) => number.is_some_and(|year| (1900..2200).contains(&year)),
        (Some("月"), Some("年")) | (Some("日" | "号"), Some("月")) => true,
        _ => false,
    }
}

/// The first quantity that changed its value, paired with the one of the same kind that it had.
pub(super) fn changed(texts: &Texts, rules: &LanguageRules) -> Option<Changed> {
    if texts.old.words.is_empty() || texts.new.words.is_empty() {
        return None;
    }
    let (old, new) = (find(&texts.old, rules), find(&texts.new, rules));
    let gone: Vec<&Quantity> = old
        .iter()
        .filter(|q| q.fresh && !new.iter().any(|n| same(n, q)))
        .collect();
    let come: Vec<&Quantity> = new
        .iter()
        .filter(|q| q.fresh && !old.iter().any(|o| same(o, q)))
        .collect();
    gone.iter().find_map(|before| {
        let after = come.iter().find(|after| after.family == before.family)?;
        Some(Changed {
            old: before.span.clone(),
            new: after.span.clone(),
            family: before.family.clone(),
            up: after.value > before.value,
        })
    })
}

fn same(a: &Quantity, b: &Quantity) -> bool {
    let apart = (a.value - b.value).abs();
    let most = a.value.abs().max(b.value.abs());
    // `12 months` are `one year`; but 50 days are not 49, and a price is a price.
    let slack = if (a.unit - b.unit).abs() < f64::EPSILON {
        1e-9
    } else {
        0.02
    };
    a.family == b.family && apart <= slack * most
}

fn number(word: &str, rules: &LanguageRules) -> Option<f64> {
    if word.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        return word.parse().ok();
    }
    rules.numbers.get(word).copied()
}
