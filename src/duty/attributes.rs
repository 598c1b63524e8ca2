//! What a clause says about the how and when of a notice.

use super::{Channel, Lead, LeadUnit, Mode, MustState, Timing, period::periods, phrases::Lexicon};

/// The channels that a clause names, in the order of [`Channel`].
pub(super) fn channels(lexicon: &Lexicon, clause: &str) -> Vec<Channel> {
    let clause = &lexicon.blank("not-a-way", clause);
    let mut found: Vec<Channel> = lexicon
        .values("channel", clause)
        .into_iter()
        .filter_map(channel)
        .collect();
    // "A notice on the service": inside it, where no page of the web is named.
    if lexicon.language() == "en"
        && found.contains(&Channel::InProduct)
        && !lexicon.has("site-word", clause)
    {
        found.retain(|c| *c != Channel::Website);
    }
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
            let head_of_clause = clause.get(..range.start).unwrap_or_default();
            let before = tail(head_of_clause, 110);
            let after = head(clause.get(range.end..).unwrap_or_default(), 240);
            // Years are laws', ages or storage, unless notice is spoken of at once.
            if lead.unit == LeadUnit::Years && !lexicon.has("lead:after", head(after, 24)) {
                return false;
            }
            if lexicon.has("lead:given", before) && lexicon.has("lead:notice", after) {
                return true;
            }
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
                || lexicon.has("lead:at-least", before)
                    && lexicon.has("lead:near", head(after, 110))
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

/// When the promise does not hold, in the words of the passage: from the word of exception to the
/// end of its clause.
pub(super) fn exceptions(lexicon: &Lexicon, passage: &str) -> Vec<String> {
    // Lower case in ASCII only, so that places stay the same.
    let plain = passage.to_ascii_lowercase();
    let mut out: Vec<String> = Vec::new();
    let mut end = 0;
    for range in lexicon.find("exception", &plain) {
        if range.start < end {
            continue;
        }
        let Some(rest) = passage.get(range.start..) else {
            continue;
        };
        // A Chinese exception stands before its word ("法律另有规定的除外"): the whole clause.
        let before = passage.get(..range.start).unwrap_or_default();
        let start = if rest.is_ascii() || lexicon.language() == "en" {
            range.start
        } else {
            before.rfind(['，', '。', '；', ',']).map_or(0, |at| {
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            })
        };
        let length = rest
            .char_indices()
            .skip(1)
            .find(|(at, c)| {
                matches!(c, ';' | '。' | '；' | '\n')
                    || *c == '.'
                        && rest
                            .get(at + 1..)
                            .is_none_or(|r| !r.starts_with(char::is_alphanumeric))
                    || *c == ','
                        && (*at > 200 || goes_on_without(rest.get(at + 1..).unwrap_or_default()))
                    || *c == ')'
            })
            .map_or(rest.len(), |(at, _)| at);
        end = range.start + length;
        let words = passage.get(start..end).unwrap_or_default().trim();
        if words.split_whitespace().count() > 2 || lexicon.language() != "en" {
            out.push(words.to_owned());
        }
    }
    out.dedup();
    out
}

/// Whether words after a comma begin the main clause, or a clause of their own, after an exception:
/// "unless the law forbids it, we tell you first". An enumeration ("in an emergency, a lawsuit or
/// a search") goes on.
fn goes_on_without(rest: &str) -> bool {
    const MAIN: &[&str] = &[
        "we",
        "you",
        "they",
        "it",
        "our",
        "your",
        "users",
        "customers",
        "members",
        "but",
        "which",
        "however",
        "then",
        "the",
        "this",
        "these",
        "such",
        "any",
        "all",
        "notice",
        "changes",
    ];
    let mut words = rest.split_whitespace().map(|word| {
        word.trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase()
    });
    match (words.next(), words.next()) {
        // "such as" gives examples of the exception.
        (Some(first), Some(second)) if first == "such" && second == "as" => false,
        (Some(first), Some(second)) if first == "and" || first == "in" => {
            MAIN.contains(&second.as_str()) && second != "the" && second != "any"
                || second == "which"
        }
        (Some(first), _) => MAIN.contains(&first.as_str()),
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn first(clause: &str) -> Option<u32> {
        lead(Lexicon::of("en").unwrap(), clause, false).map(Lead::days)
    }

    #[test]
    fn a_period_is_a_lead_only_where_it_is_one_of_notice() {
        for (clause, days) in [
            (
                "we will notify you at least thirty (30) days before they take effect",
                Some(30),
            ),
            (
                "we give 60 days' (or longer, if the law says so) advance notice",
                Some(60),
            ),
            (
                "changes take effect on the thirtieth day after posting",
                Some(30),
            ),
            (
                "you are bound after the new terms have been posted on the site for 14 days",
                Some(14),
            ),
            (
                "we may end the service on not less than ten business days' notice",
                Some(10),
            ),
            ("we will tell you two weeks ahead of time", Some(14)),
            // Time that the user has.
            (
                "after notice you may cancel within 30 days of receipt of the notice",
                None,
            ),
            (
                "if you do not object within thirty days after notice you accept",
                None,
            ),
            (
                "please cancel your plan at least 24 hours before the change applies",
                None,
            ),
            // Periods of other things.
            (
                "we notify you of deletions; logs are kept for at least 90 days",
                None,
            ),
            (
                "in the last 12 months we have not changed this policy without notice",
                None,
            ),
            ("the free 14-day trial ends before the notice", None),
        ] {
            assert_eq!(first(clause), days, "{clause}");
        }
        let incident = "we will notify you within 72 hours of becoming aware of it";
        let lexicon = Lexicon::of("en").unwrap();
        assert_eq!(lead(lexicon, incident, true).map(Lead::days), Some(3));
        assert_eq!(lead(lexicon, incident, false), None);
    }

    #[test]
    fn exceptions_are_the_words_of_the_passage() {
        let lexicon = Lexicon::of("en").unwrap();
        let passage = "We give 30 days' notice, except for changes that address an emergency or a legal requirement. Otherwise nothing.";
        assert_eq!(
            exceptions(lexicon, passage),
            ["except for changes that address an emergency or a legal requirement"]
        );
        for (passage, said) in [
            (
                "Unless the law forbids it, we tell you before we hand data over.",
                "Unless the law forbids it",
            ),
            (
                "We give notice, except in urgent situations such as an attack, a court order or a leak, and we publish it.",
                "except in urgent situations such as an attack, a court order or a leak",
            ),
            (
                "We ask first unless you are a business, in which case we write to you.",
                "unless you are a business",
            ),
        ] {
            assert_eq!(exceptions(lexicon, passage), [said]);
        }
        assert!(exceptions(lexicon, "We give notice in all cases.").is_empty());
        let chinese = Lexicon::of("zh").unwrap();
        let passage = "我们会提前三十日通知您，法律另有规定的除外。";
        for exception in exceptions(chinese, passage) {
            assert!(passage.contains(&exception), "{exception}");
        }
    }
}
