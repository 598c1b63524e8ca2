//! What a clause says about the how and when of a notice.

use super::{Channel, Lead, LeadUnit, Mode, MustState, Timing, period::periods, phrases::Lexicon};

/// The channels that a clause names, in the order of [`Channel`].
pub(super) fn channels(lexicon: &Lexicon, clause: &str) -> Vec<Channel> {
    let mut found: Vec<Channel> = lexicon
        .values("channel", clause)
        .into_iter()
        .filter_map(channel)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A channel by its name in rules and JSON.
pub(super) fn channel(name: &str) -> Option<Channel> {
    Some(match name {
        "email" => Channel::Email,
        "website" => Channel::Website,
        "in-product" => Channel::InProduct,
        "push" => Channel::Push,
        "sms" => Channel::Sms,
        "phone" => Channel::Phone,
        "post" => Channel::Post,
        "posting" => Channel::Posting,
        "direct" => Channel::Direct,
        "other" => Channel::Other,
        _ => return None,
    })
}

/// Whether one of the channels is enough: it is wherever the clause leaves a choice.
pub(super) fn mode(clause: &str, channels: &[Channel]) -> Mode {
    if channels.len() < 2 {
        return Mode::All;
    }
    let choice = [
        " or ",
        "such as",
        "for example",
        "and/or",
        "e.g",
        "either",
        "any of",
        "at our",
        "或",
        "等",
    ];
    if channels.contains(&Channel::Other) || choice.iter().any(|word| clause.contains(word)) {
        Mode::Any
    } else {
        Mode::All
    }
}

/// When the notice comes, as a clause says it; before wins over after, after over at.
pub(super) fn timing(lexicon: &Lexicon, clause: &str) -> Timing {
    if lexicon.has("timing:before", clause) {
        Timing::Before
    } else if lexicon.has("timing:after", clause) {
        Timing::After
    } else if lexicon.has("timing:at", clause) {
        Timing::At
    } else {
        Timing::Unspecified
    }
}

/// The stated period of notice: a period that stands with a word of notice or of effect.
///
/// `within` allows "within 72 hours" to be one: it is for an incident, told of afterwards; where a
/// document changes it is the time that the user has.
pub(super) fn lead(lexicon: &Lexicon, clause: &str, within: bool) -> Option<Lead> {
    periods(clause)
        .into_iter()
        .filter(|(range, lead)| {
            if lead.unit == LeadUnit::Years {
                return false;
            }
            let head_of_clause = clause.get(..range.start).unwrap_or_default();
            let before = tail(head_of_clause, 110);
            let after = head(clause.get(range.end..).unwrap_or_default(), 240);
            if lexicon.has("lead:within", before) {
                return within
                    && lexicon.has("told-word", head_of_clause)
                    && !lexicon.has("not-lead:before", before);
            }
            // Time that the user has, or that something lasts, is no notice.
            if lexicon.has("not-lead:before", before) || lexicon.has("not-lead:after", after) {
                return false;
            }
            lexicon.has("lead:after", after)
                || lexicon.has("lead:before", before)
                || lexicon.has("lead:at-least", before) && lexicon.has("lead:near", head(after, 110))
        })
        .map(|(_, lead)| lead)
        .next()
}

fn tail(text: &str, length: usize) -> &str {
    let mut at = text.len().saturating_sub(length);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    text.get(at..).unwrap_or_default()
}

fn head(text: &str, length: usize) -> &str {
    let mut at = length.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or_default()
}

/// What the notice must say.
pub(super) fn must_state(lexicon: &Lexicon, text: &str) -> Vec<MustState> {
    lexicon
        .values("must", text)
        .into_iter()
        .filter_map(|name| match name {
            "effective-date" => Some(MustState::EffectiveDate),
            "summary" => Some(MustState::Summary),
            "options" => Some(MustState::Options),
            _ => None,
        })
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}
