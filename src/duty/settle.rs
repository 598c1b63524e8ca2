//! From drafts to duties: what is said twice is said once, places and ids.

use super::{
    Acceptance, Channel, Duty, Timing, Trigger, attributes, find::Draft, phrases::Lexicon,
};
use crate::read::Document;

/// Consent that is asked for comes before the new purpose, unless the promise is hedged.
fn consent_comes_first(duty: &mut Duty) {
    if duty.acceptance == Acceptance::Explicit
        && duty.timing == Timing::Unspecified
        && !duty.hedged
        && matches!(duty.trigger, Trigger::NewPurpose | Trigger::RightsReduced)
    {
        duty.timing = Timing::Before;
    }
}

/// Drops what is said twice, fills in places and ids.
pub(super) fn settle(document: &Document, lexicon: &Lexicon, drafts: Vec<Draft>) -> Vec<Duty> {
    let said_change = drafts
        .iter()
        .any(|d| !d.bare && matches!(d.duty.trigger, Trigger::AnyChange | Trigger::MaterialChange));
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        if draft.bare && (said_change || kept.iter().any(|k| k.bare)) {
            continue;
        }
        let twin = kept.iter_mut().find(|other| same_promise(other, &draft));
        match twin {
            Some(other) => {
                let continued = other.duty.acceptance == Acceptance::ContinuedUse
                    || draft.duty.acceptance == Acceptance::ContinuedUse;
                // What says more stays; of two that say the same, the first.
                let richness = |d: &Draft| {
                    (
                        d.duty.lead.is_some(),
                        d.duty.channels.len(),
                        d.duty.must_state.len() + usize::from(d.duty.timing != Timing::Unspecified),
                        d.says,
                    )
                };
                if richness(&draft) > richness(other) {
                    *other = draft;
                }
                if continued && other.duty.acceptance == Acceptance::None {
                    other.duty.acceptance = Acceptance::ContinuedUse;
                }
            }
            None => kept.push(draft),
        }
    }
    kept.sort_by_key(|draft| (draft.span.start, draft.duty.trigger));
    kept.into_iter()
        .enumerate()
        .map(|(index, draft)| {
            let mut duty = draft.duty;
            consent_comes_first(&mut duty);
            duty.id = format!("d{}", index + 1);
            duty.lead_days = duty.lead.map(super::Lead::days);
            duty.lines = document.lines_of(&draft.span);
            duty.quote = document.slice(&draft.span).trim().to_owned();
            duty.exceptions = attributes::exceptions(lexicon, &duty.quote);
            duty.section = document
                .blocks
                .get(draft.block)
                .and_then(|block| block.section)
                .and_then(|section| document.sections.get(section))
                .map(|section| section.path.clone())
                .unwrap_or_default();
            duty
        })
        .collect()
}

/// Whether two drafts are one promise said twice.
fn same_promise(a: &Draft, b: &Draft) -> bool {
    if a.duty.trigger != b.duty.trigger || a.part != b.part {
        return false;
    }
    let posting = |d: &Draft| d.duty.channels == [Channel::Posting];
    if a.duty.trigger == Trigger::AnyChange && posting(a) && posting(b) {
        return a.duty.lead == b.duty.lead || a.duty.lead.is_none() || b.duty.lead.is_none();
    }
    // A summary names fewer channels than the clause it sums up.
    let sums_up = |short: &Draft, long: &Draft| {
        (short.duty.trigger == Trigger::MaterialChange
            || matches!(
                short.duty.trigger,
                Trigger::AnyChange | Trigger::PriceChange | Trigger::Transfer | Trigger::Incident
            ) && short.block != long.block
                && (short.duty.timing == long.duty.timing
                    || short.duty.timing == Timing::Unspecified))
            && short.duty.lead.is_none()
            && short
                .duty
                .channels
                .iter()
                .all(|c| *c == Channel::Direct || long.duty.channels.contains(c))
    };
    a.duty.channels == b.duty.channels
        && a.duty.lead == b.duty.lead
        && a.duty.timing == b.duty.timing
        || sums_up(a, b)
        || sums_up(b, a)
}
