//! From duties and findings to the plan: what must be said, where, by when, and what stays open.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Acceptance, Channel, Duties, Duty, Lead, LeadUnit, Mode, Plan, PlannedDuty, Source, Timing,
    Trigger,
    calendar::{self, Holidays},
    law, trigger,
};
use crate::assess::{Finding, Severity};

/// The lead in days that is assumed where a promise says "in advance" without a number and the
/// configuration has no house minimum.
pub const ASSUMED_LEAD_DAYS: u32 = 30;

/// All that a plan is made of.
#[derive(Debug, Clone)]
pub struct PlanInput<'a> {
    /// What the version in force promises.
    pub duties: &'a Duties,
    /// What changes.
    pub findings: &'a [Finding],
    /// Law packs of the document and of its recipients.
    pub packs: &'a [&'a law::Entry],
    /// The least lead that the house gives, in days.
    pub house_lead_days: Option<u32>,
    /// The planned day of effect.
    pub effective: Option<Date>,
    /// Now.
    pub now: Timestamp,
    /// Time zones of the recipients; UTC when empty.
    pub zones: &'a [TimeZone],
    /// Holidays, for leads in business days.
    pub holidays: &'a Holidays,
}

/// Makes the plan.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut plan = Plan {
        effective: input.effective,
        ..Plan::default()
    };
    let mut due = trigger::triggered(&input.duties.duties, input.findings);
    for entry in input.packs {
        let because: Vec<String> = input
            .findings
            .iter()
            .filter(|finding| entry.triggered_by(finding))
            .map(|finding| finding.id.clone())
            .collect();
        if !because.is_empty() {
            due.push((entry.duty(), because));
            pack_remarks(entry, &mut plan.remarks);
        }
    }
    if let Some(days) = input.house_lead_days {
        let material: Vec<String> = input
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Material)
            .map(|f| f.id.clone())
            .collect();
        if !material.is_empty() {
            due.push((house(days), material));
        }
    }
    if due.is_empty() {
        plan.remarks.push(if input.findings.is_empty() {
            "nothing of substance changes: no duty is triggered".to_owned()
        } else {
            "no promise and no law pack of this document is triggered by these changes; telling users all the same is good practice".to_owned()
        });
    }
    let chosen = channels(&due);
    let today = calendar::day_of_sending(input.now, input.zones);
    for (duty, because) in due {
        let planned = planned(input, duty, because, &chosen, &mut plan.remarks);
        if let Some(lead) = binding_lead(&planned) {
            let first = calendar::earliest_effective(today, lead, input.holidays);
            plan.earliest_effective = plan.earliest_effective.max(first);
        }
        plan.send_by = match (plan.send_by, planned.send_by) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        plan.consent_needed |= planned.consent_needed;
        tasks(&planned, &mut plan.tasks);
        plan.duties.push(planned);
    }
    plan.duties.sort_by_key(|planned| {
        (
            planned.send_by.is_none(),
            planned.send_by,
            planned.lead.map(|l| std::cmp::Reverse(l.days())),
            planned.due_after,
        )
    });
    plan.channels = chosen;
    plan.too_early = matches!(
        (plan.effective, plan.earliest_effective),
        (Some(wanted), Some(first)) if wanted < first
    );
    if plan.consent_needed {
        plan.remarks.push(
            "consent is needed: a notice alone, or continued use, will not do for the people and changes concerned".to_owned(),
        );
    }
    if !input.packs.is_empty() {
        plan.remarks.push(law::NO_ADVICE.to_owned());
    }
    if input.zones.is_empty() {
        plan.remarks.push(
            "no time zone of the recipients is configured: days are counted in UTC".to_owned(),
        );
    }
    plan.remarks.dedup();
    plan
}

/// The house minimum as a duty of its own.
fn house(days: u32) -> Duty {
    let lead = Lead {
        count: days,
        unit: LeadUnit::Days,
    };
    Duty {
        id: "house".to_owned(),
        source: Source::House,
        trigger: Trigger::MaterialChange,
        channels: vec![Channel::Direct],
        mode: Mode::All,
        timing: Timing::Before,
        lead_days: Some(days),
        lead: Some(lead),
        acceptance: Acceptance::None,
        must_state: Vec::new(),
        hedged: false,
        lines: (0, 0),
        quote: format!("house minimum: {lead} for material changes"),
        section: Vec::new(),
        addressee: None,
        judge: None,
        fallback: Vec::new(),
        follow_up: None,
        opt_out: None,
        exceptions: Vec::new(),
        conflicts: Vec::new(),
    }
}

fn planned(
    input: &PlanInput<'_>,
    duty: Duty,
    because: Vec<String>,
    chosen: &[Channel],
    remarks: &mut Vec<String>,
) -> PlannedDuty {
    let (lead, mut rule) = match (duty.timing, duty.lead) {
        (Timing::Before, Some(lead)) => (Some(lead), calendar::rule(lead)),
        (Timing::Before, None) => {
            let days = input.house_lead_days.unwrap_or(ASSUMED_LEAD_DAYS);
            let lead = Lead {
                count: days,
                unit: LeadUnit::Days,
            };
            let whose = if input.house_lead_days.is_some() {
                "the house minimum is assumed"
            } else {
                "assumed, because no house minimum is configured (notice.house_lead_days)"
            };
            remarks.push(format!(
                "{} says \u{201c}in advance\u{201d} without a number: {lead}, {whose}",
                duty.id
            ));
            (
                Some(lead),
                format!(
                    "\u{201c}in advance\u{201d} without a number, {whose}; {}",
                    calendar::rule(lead)
                ),
            )
        }
        (Timing::At, _) => (None, "on the day of effect".to_owned()),
        (Timing::After, Some(period)) => (
            None,
            format!("{period} after the effect; the day of effect is not counted"),
        ),
        (Timing::After, None) => (None, "after the effect, without delay".to_owned()),
        (Timing::Unspecified, _) => (
            None,
            "no time is said; before the effect, as a matter of care".to_owned(),
        ),
    };
    let send_by = input.effective.and_then(|effective| {
        let day = match duty.timing {
            Timing::Before => calendar::last_day_to_send(effective, lead?, input.holidays)?,
            Timing::At => effective,
            Timing::Unspecified => effective.yesterday().ok()?,
            Timing::After => return None,
        };
        calendar::end_of_day(day, input.zones)
    });
    let due_after = (duty.timing == Timing::After)
        .then_some(input.effective)
        .flatten()
        .and_then(|effective| {
            calendar::end_of_period(
                effective,
                duty.lead.unwrap_or(Lead {
                    count: 0,
                    unit: LeadUnit::Days,
                }),
                input.holidays,
            )
        });
    if send_by.is_some_and(|limit| limit < input.now) {
        rule.push_str("; this time has passed");
    }
    let consent_needed = duty.acceptance == Acceptance::Explicit;
    let fulfilled_by = fulfilled_by(&duty, chosen);
    PlannedDuty {
        duty,
        because,
        lead,
        rule,
        send_by,
        due_after,
        fulfilled_by,
        consent_needed,
    }
}

/// The lead that holds the effect back.
fn binding_lead(planned: &PlannedDuty) -> Option<Lead> {
    (planned.duty.timing == Timing::Before)
        .then_some(planned.lead)
        .flatten()
}

/// Channels on which the program can make a text.
fn sendable(channel: Channel) -> bool {
    !matches!(channel, Channel::Phone | Channel::Direct | Channel::Other)
}

/// The fewest channels that serve every duty, e-mail before all others where there is a choice.
fn channels(due: &[(Duty, Vec<String>)]) -> Vec<Channel> {
    let mut chosen = BTreeSet::new();
    for (duty, _) in due {
        if duty.mode == Mode::All {
            chosen.extend(duty.channels.iter().copied().filter(|c| sendable(*c)));
        }
    }
    for (duty, _) in due {
        if fulfilled_by(duty, &chosen.iter().copied().collect::<Vec<_>>()).is_empty() {
            let pick = if duty.channels.contains(&Channel::Email)
                || duty
                    .channels
                    .iter()
                    .all(|c| matches!(c, Channel::Direct | Channel::Other))
            {
                Some(Channel::Email)
            } else {
                duty.channels.iter().copied().find(|c| sendable(*c))
            };
            chosen.extend(pick);
        }
    }
    chosen.into_iter().collect()
}

/// Which of the chosen channels fulfil a duty; empty when none does, or one that is needed is
/// missing.
fn fulfilled_by(duty: &Duty, chosen: &[Channel]) -> Vec<Channel> {
    let personal = |c: &Channel| {
        matches!(
            c,
            Channel::Email | Channel::InProduct | Channel::Push | Channel::Sms | Channel::Post
        )
    };
    let serves = |wanted: Channel| -> Vec<Channel> {
        match wanted {
            Channel::Direct => chosen.iter().copied().filter(personal).collect(),
            Channel::Other => chosen
                .iter()
                .copied()
                .filter(|c| *c != Channel::Posting)
                .collect(),
            exact => chosen.iter().copied().filter(|c| *c == exact).collect(),
        }
    };
    let mut out = BTreeSet::new();
    for &wanted in &duty.channels {
        let found = serves(wanted);
        if found.is_empty() && duty.mode == Mode::All {
            return Vec::new();
        }
        out.extend(found);
    }
    out.into_iter().collect()
}

/// What only people can do.
fn tasks(planned: &PlannedDuty, tasks: &mut Vec<String>) {
    let duty = &planned.duty;
    let mut add = |task: String| {
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    };
    if duty.mode == Mode::All {
        for channel in &duty.channels {
            match channel {
                Channel::Phone => add(format!("call the people concerned ({})", duty.id)),
                Channel::Post => add(format!("print and post letters ({})", duty.id)),
                _ => {}
            }
        }
    }
    if planned.consent_needed {
        let who = duty.addressee.as_deref().unwrap_or("the people concerned");
        add(format!(
            "ask {who} for consent and record acceptances and refusals ({})",
            duty.id
        ));
    }
    if planned.fulfilled_by.is_empty() {
        add(format!("fulfil {} by hand and note how", duty.id));
    }
    if let Some(day) = planned.due_after {
        add(format!("by {day}: {} ({})", duty.quote, duty.id));
    }
}

fn pack_remarks(entry: &law::Entry, remarks: &mut Vec<String>) {
    if !entry.verified {
        remarks.push(format!(
            "{} ({}) is unverified: check the provision before relying on it",
            entry.id, entry.provision
        ));
    }
    if let Some(condition) = &entry.applies_if {
        remarks.push(format!("{} applies only to {condition}", entry.id));
    }
    if !entry.exceptions.is_empty() {
        remarks.push(format!(
            "{} does not apply where the change is: {}",
            entry.id,
            entry.exceptions.join("; ")
        ));
    }
    if entry.medium == law::Medium::Durable {
        remarks.push(format!(
            "{} asks for a durable medium: the full text in the mail or attached; a bare link does not do",
            entry.id
        ));
    }
    match entry.consent {
        law::Consent::Deemed => remarks.push(format!(
            "{}: silence counts as acceptance only where that was agreed, and the notice must say so",
            entry.id
        )),
        law::Consent::OptOut => remarks.push(format!("{}: the notice must offer the opt-out", entry.id)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        assess::{Direction, SectionRef, Topic},
        duty::find,
        read,
    };

    fn duties(text: &str) -> Duties {
        find(
            &read::read(&read::Input {
                bytes: text.as_bytes(),
                format: Some(read::Format::Markdown),
                ..read::Input::default()
            })
            .unwrap(),
        )
    }

    fn finding(id: &str, topic: Topic, severity: Severity) -> Finding {
        Finding {
            proposed: None,
            id: id.to_owned(),
            change: "c1".to_owned(),
            also: Vec::new(),
            topic,
            direction: Direction::Adverse,
            severity,
            section: SectionRef::default(),
            old: None,
            new: None,
            reasons: Vec::new(),
            confidence: 1.0,
            summary: None,
        }
    }

    const POLICY: &str = "# Privacy Policy\n\n## Changes to this policy\n\nWe may update this policy. If we make material changes, we will notify you by email before they take effect.\n";

    fn make(
        house: Option<u32>,
        effective: Option<Date>,
        packs: &[&law::Entry],
        findings: &[Finding],
    ) -> Plan {
        plan(&PlanInput {
            duties: &duties(POLICY),
            findings,
            packs,
            house_lead_days: house,
            effective,
            now: "2027-01-01T10:00:00Z".parse().unwrap(),
            zones: &[TimeZone::UTC],
            holidays: &Holidays::new(),
        })
    }

    #[test]
    fn in_advance_takes_the_house_minimum_and_says_so() {
        let findings = [finding("f1", Topic::Sharing, Severity::Material)];
        let plan = make(Some(20), Some(date(2027, 1, 15)), &[], &findings);
        assert_eq!(plan.earliest_effective, Some(date(2027, 1, 22)));
        assert!(plan.too_early);
        assert!(
            plan.remarks
                .iter()
                .any(|r| r.contains("house minimum is assumed"))
        );
        let plan = make(None, Some(date(2027, 3, 1)), &[], &findings);
        assert_eq!(plan.earliest_effective, Some(date(2027, 2, 1)));
        assert!(!plan.too_early);
        assert_eq!(plan.send_by.unwrap().to_string(), "2027-01-29T23:59:59Z");
        assert_eq!(plan.channels, [Channel::Email]);
        assert_eq!(plan.duties[0].because, ["f1"]);
    }

    #[test]
    fn a_small_change_triggers_no_promise_about_material_ones() {
        let plan = make(
            None,
            None,
            &[],
            &[finding("f1", Topic::Identity, Severity::Substantive)],
        );
        assert!(plan.duties.is_empty(), "{plan:?}");
    }

    #[test]
    fn the_longest_lead_wins_and_packs_are_named() {
        let entry = law::packs().iter().find(|e| e.id == "eu-psd2-54").unwrap();
        let findings = [finding("f1", Topic::Payment, Severity::Material)];
        let plan = make(Some(14), Some(date(2027, 2, 15)), &[entry], &findings);
        assert_eq!(plan.earliest_effective, Some(date(2027, 3, 2)));
        assert!(plan.too_early);
        assert!(plan.remarks.iter().any(|r| r.contains("durable medium")));
        assert!(plan.remarks.iter().any(|r| r.contains("not legal advice")));
    }

    #[test]
    fn a_duty_after_the_effect_is_a_deadline_of_its_own() {
        let entry = law::packs()
            .iter()
            .find(|e| e.id == "us-hipaa-164-520")
            .unwrap();
        let plan = make(
            None,
            Some(date(2027, 3, 1)),
            &[entry],
            &[finding("f1", Topic::Use, Severity::Material)],
        );
        let hipaa = plan.duties.iter().find(|d| d.duty.id == entry.id).unwrap();
        assert_eq!(hipaa.due_after, Some(date(2027, 4, 30)));
        assert_eq!(hipaa.send_by, None);
    }

    #[test]
    fn consent_is_a_task_and_notice_alone_will_not_do() {
        let entry = law::packs()
            .iter()
            .find(|e| e.id == "us-ftc-retroactive")
            .unwrap();
        let plan = make(
            None,
            None,
            &[entry],
            &[finding("f1", Topic::Sharing, Severity::Material)],
        );
        assert!(plan.consent_needed);
        assert!(
            plan.tasks.iter().any(|t| t.contains("consent")),
            "{:?}",
            plan.tasks
        );
        assert!(plan.remarks.iter().any(|r| r.contains("applies only to")));
    }
}
