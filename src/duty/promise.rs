//! How the promises themselves changed between two versions.

use std::cmp::Ordering;

use super::{
    Acceptance, Channel, Duties, Duty, Lead, PromiseChange, PromiseChangeKind, Timing, Trigger,
};
use crate::{
    assess::{Direction, Finding, Quote, Reason, SectionRef, Severity, Topic},
    compare::Comparison,
    read::Document,
};

/// Compares what two versions promise. Promises that stayed the same in substance are not listed.
pub fn promise_changes(old: &Duties, new: &Duties) -> Vec<PromiseChange> {
    let mut pairs: Vec<(i32, usize, usize)> = Vec::new();
    for (i, a) in old.duties.iter().enumerate() {
        for (j, b) in new.duties.iter().enumerate() {
            if let Some(score) = likeness(a, b) {
                pairs.push((score, i, j));
            }
        }
    }
    pairs.sort_by_key(|&(score, i, j)| (-score, i, j));
    let mut partner = vec![None; old.duties.len()];
    let mut taken = vec![false; new.duties.len()];
    for (_, i, j) in pairs {
        if let (Some(slot), Some(used)) = (partner.get_mut(i), taken.get_mut(j))
            && slot.is_none()
            && !*used
        {
            *slot = Some(j);
            *used = true;
        }
    }
    let mut out = Vec::new();
    for (duty, partner) in old.duties.iter().zip(&partner) {
        match partner.and_then(|j| new.duties.get(j)) {
            Some(other) => {
                let kind = match strength(duty, other).0 {
                    Ordering::Less => PromiseChangeKind::Weakened,
                    Ordering::Greater => PromiseChangeKind::Strengthened,
                    Ordering::Equal => continue,
                };
                out.push(PromiseChange {
                    change: kind,
                    old: Some(duty.clone()),
                    new: Some(other.clone()),
                });
            }
            None => out.push(PromiseChange {
                change: PromiseChangeKind::Dropped,
                old: Some(duty.clone()),
                new: None,
            }),
        }
    }
    for (duty, _) in new.duties.iter().zip(&taken).filter(|(_, used)| !**used) {
        out.push(PromiseChange {
            change: PromiseChangeKind::Added,
            old: None,
            new: Some(duty.clone()),
        });
    }
    out
}

/// How well two promises can be the same one; `None` when they cannot.
fn likeness(a: &Duty, b: &Duty) -> Option<i32> {
    let changes = |t: Trigger| {
        matches!(
            t,
            Trigger::AnyChange | Trigger::MaterialChange | Trigger::RightsReduced
        )
    };
    let trigger = if a.trigger == b.trigger {
        10
    } else if changes(a.trigger)
        && changes(b.trigger)
        && reach(&a.channels) > 1
        && reach(&b.channels) > 1
    {
        // The same promise of notice with a narrower or wider trigger.
        2
    } else {
        return None;
    };
    let shared = a.channels.iter().filter(|c| b.channels.contains(c)).count();
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_lowercase)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (wa, wb) = (words(&a.quote), words(&b.quote));
    let common = wa.intersection(&wb).count() * 6 / wa.len().max(wb.len()).max(1);
    Some(
        trigger
            + i32::try_from(shared + common).unwrap_or(0)
            + i32::from(a.timing == b.timing)
            + i32::from(a.section == b.section),
    )
}

/// How near a set of channels comes to the person: 3 a message to the person, 2 a notice on the
/// site, 1 the document put up.
fn reach(channels: &[Channel]) -> u8 {
    channels
        .iter()
        .map(|channel| match channel {
            Channel::Email
            | Channel::InProduct
            | Channel::Push
            | Channel::Sms
            | Channel::Phone
            | Channel::Post
            | Channel::Direct => 3,
            Channel::Website => 2,
            Channel::Posting | Channel::Other => 1,
        })
        .max()
        .unwrap_or(0)
}

/// The least that a set of channels guarantees: with a choice, the company may take the weakest.
fn guaranteed(duty: &Duty) -> u8 {
    if duty.mode == super::Mode::Any {
        duty.channels
            .iter()
            .map(|c| reach(&[*c]))
            .min()
            .unwrap_or(0)
    } else {
        reach(&duty.channels)
    }
}

fn width(trigger: Trigger) -> u8 {
    match trigger {
        Trigger::AnyChange => 3,
        Trigger::MaterialChange => 2,
        _ => 1,
    }
}

fn timing(timing: Timing) -> u8 {
    match timing {
        Timing::Before => 3,
        Timing::At => 2,
        Timing::After | Timing::Unspecified => 1,
    }
}

fn acceptance(acceptance: Acceptance) -> u8 {
    match acceptance {
        Acceptance::Explicit => 3,
        Acceptance::None => 2,
        Acceptance::ContinuedUse => 1,
    }
}

/// Whether the new promise is weaker (`Less`), stronger or the same, and why. What got weaker
/// weighs more than what got stronger: a mixed change is a weakening.
fn strength(old: &Duty, new: &Duty) -> (Ordering, Vec<&'static str>) {
    let aspects = [
        ("trigger", width(new.trigger).cmp(&width(old.trigger))),
        ("channel", reach(&new.channels).cmp(&reach(&old.channels))),
        ("choice-of-channel", guaranteed(new).cmp(&guaranteed(old))),
        ("timing", timing(new.timing).cmp(&timing(old.timing))),
        (
            "lead",
            new.lead
                .map_or(0, Lead::days)
                .cmp(&old.lead.map_or(0, Lead::days)),
        ),
        ("hedge", old.hedged.cmp(&new.hedged)),
        (
            "acceptance",
            acceptance(new.acceptance).cmp(&acceptance(old.acceptance)),
        ),
        ("judge", old.judge.is_some().cmp(&new.judge.is_some())),
        ("contents", new.must_state.len().cmp(&old.must_state.len())),
    ];
    for wanted in [Ordering::Less, Ordering::Greater] {
        let why: Vec<&'static str> = aspects
            .iter()
            .filter(|(_, order)| *order == wanted)
            .map(|(name, _)| *name)
            .collect();
        if !why.is_empty() {
            return (wanted, why);
        }
    }
    (Ordering::Equal, Vec::new())
}

/// Changes of promises as findings on `notice`: weakened and dropped promises are adverse and
/// material, strengthened and new ones favourable and substantive. A change on whose lines a
/// finding on `notice` stands already gives none.
pub fn promise_findings(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    changes: &[PromiseChange],
    existing: &[Finding],
) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for change in changes {
        let sides = (
            change.old.as_ref().map(|d| d.lines),
            change.new.as_ref().map(|d| d.lines),
        );
        let touches = |said: Option<(usize, usize)>, wanted: Option<(usize, usize)>| matches!((said, wanted), (Some(a), Some(b)) if a.0 <= b.1 && b.0 <= a.1);
        let stands = existing.iter().chain(&out).any(|finding| {
            finding.topic == Topic::Notice
                && (touches(finding.old.as_ref().map(|q| q.lines), sides.0)
                    || touches(finding.new.as_ref().map(|q| q.lines), sides.1))
        });
        if stands {
            continue;
        }
        // Where the words did not change, what changed is the reading of them.
        let Some(place) = comparison.changes.iter().find(|c| {
            !matches!(
                c.kind,
                crate::compare::Kind::Technical
                    | crate::compare::Kind::Moved
                    | crate::compare::Kind::Renumbered
            ) && (touches(c.old.as_ref().map(|s| s.lines), sides.0)
                || touches(c.new.as_ref().map(|s| s.lines), sides.1))
        }) else {
            continue;
        };
        let weaker = matches!(
            change.change,
            PromiseChangeKind::Weakened | PromiseChangeKind::Dropped
        );
        let (code, why) = match change.change {
            PromiseChangeKind::Weakened => ("promise-weakened", aspects(change)),
            PromiseChangeKind::Strengthened => ("promise-strengthened", aspects(change)),
            PromiseChangeKind::Dropped => ("promise-dropped", String::new()),
            PromiseChangeKind::Added => ("promise-added", String::new()),
        };
        let quote = |document: &Document, duty: &Option<Duty>| {
            duty.as_ref().and_then(|duty| locate(document, duty))
        };
        let (before, after) = (quote(old, &change.old), quote(new, &change.new));
        let evidence = before
            .as_ref()
            .or(after.as_ref())
            .map(|q| q.text.clone())
            .unwrap_or_default();
        let mut reasons = vec![Reason {
            code: code.to_owned(),
            evidence,
        }];
        if !why.is_empty() {
            reasons.push(Reason {
                code: format!("promise-aspect-{why}"),
                evidence: after.as_ref().map(|q| q.text.clone()).unwrap_or_default(),
            });
        }
        out.push(Finding {
            proposed: None,
            id: format!("p{}", out.len() + 1),
            change: place.id.clone(),
            also: Vec::new(),
            topic: Topic::Notice,
            direction: if weaker {
                Direction::Adverse
            } else {
                Direction::Favourable
            },
            severity: if weaker {
                Severity::Material
            } else {
                Severity::Substantive
            },
            section: SectionRef {
                old: change
                    .old
                    .as_ref()
                    .map(|d| d.section.clone())
                    .unwrap_or_default(),
                new: change
                    .new
                    .as_ref()
                    .map(|d| d.section.clone())
                    .unwrap_or_default(),
                title: String::new(),
            },
            old: before,
            new: after,
            reasons,
            confidence: 0.75,
            summary: Some(summary(change.change).to_owned()),
        });
    }
    out
}

fn aspects(change: &PromiseChange) -> String {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => strength(old, new).1.join("-"),
        _ => String::new(),
    }
}

fn summary(kind: PromiseChangeKind) -> &'static str {
    match kind {
        PromiseChangeKind::Weakened => {
            "What is promised about telling you of changes is less than before."
        }
        PromiseChangeKind::Strengthened => {
            "What is promised about telling you of changes is more than before."
        }
        PromiseChangeKind::Dropped => "A promise to tell you is gone.",
        PromiseChangeKind::Added => "There is a new promise to tell you.",
    }
}

/// Finds a duty's passage again in its document.
fn locate(document: &Document, duty: &Duty) -> Option<Quote> {
    let from = document
        .line_starts
        .get(duty.lines.0.saturating_sub(1))
        .copied()?;
    let at = from + document.text.get(from..)?.find(&duty.quote)?;
    let span = at..at + duty.quote.len();
    Some(Quote {
        lines: document.lines_of(&span),
        text: duty.quote.clone(),
        span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{duty::find, read};

    fn duties(text: &str) -> Duties {
        let text = format!("# Privacy Policy\n\n## Changes to this policy\n\n{text}\n");
        find(
            &read::read(&read::Input {
                bytes: text.as_bytes(),
                format: Some(read::Format::Markdown),
                ..read::Input::default()
            })
            .unwrap(),
        )
    }

    fn kinds(old: &str, new: &str) -> Vec<PromiseChangeKind> {
        promise_changes(&duties(old), &duties(new))
            .iter()
            .map(|c| c.change)
            .collect()
    }

    const FIRM: &str = "If we make material changes to this policy, we will notify you by email at least 30 days before they take effect.";

    #[test]
    fn the_same_promise_is_no_change() {
        assert_eq!(kinds(FIRM, FIRM), []);
    }

    #[test]
    fn promises_that_get_weaker() {
        for weaker in [
            "If we make material changes to this policy, we will notify you by email at least 7 days before they take effect.",
            "If we make material changes to this policy, we may notify you by email at least 30 days before they take effect.",
            "If we make material changes to this policy, we will post a notice on our website at least 30 days before they take effect.",
            "If we make material changes to this policy, we will notify you by email.",
        ] {
            assert_eq!(
                kinds(FIRM, weaker),
                [PromiseChangeKind::Weakened],
                "{weaker}"
            );
            assert_eq!(
                kinds(weaker, FIRM),
                [PromiseChangeKind::Strengthened],
                "{weaker}"
            );
        }
    }

    #[test]
    fn a_narrower_trigger_is_weaker() {
        let any = "If we change this policy, we will notify you by email at least 30 days before the change takes effect.";
        assert_eq!(kinds(any, FIRM), [PromiseChangeKind::Weakened]);
    }

    #[test]
    fn dropped_and_added() {
        assert_eq!(
            kinds(FIRM, "This clause has no content."),
            [PromiseChangeKind::Dropped]
        );
        assert_eq!(
            kinds("This clause has no content.", FIRM),
            [PromiseChangeKind::Added]
        );
    }
}
