//! A change of a fictional service's policy, for the tests of this room.

use jiff::{Timestamp, civil::date};

use super::{Ground, House, Versions, model::sha256};
use crate::{
    assess::{Assessment, Direction, Finding, Quote, Reason, SectionRef, Severity, Topic, Verdict},
    compare::{Comparison, compare},
    duty::{
        Acceptance, Channel as Way, Duty, Lead, LeadUnit, Mode, MustState, Plan, PlannedDuty,
        Source, Timing, Trigger,
    },
    read::{Document, Format, Input, read},
};

const OLD: &str = "\
# Lindenfels Privacy Policy

Effective date: 1 March 2025

## 1. What we collect

We collect your name, your e-mail address and the routes that you save.

## 2. How long we keep it

We delete your saved routes 30 days after you close your account. Backups are kept for one week.

## 3. Who receives it

We do not give your data to advertisers. Our hosting partner stores it for us.

## 4. Your rights

You can ask for a copy of your data. We answer within 30 days.

## 5. Changes of this policy

We will tell you by e-mail at least 30 days before a material change takes effect.
";

const NEW: &str = "\
# Lindenfels Privacy Policy

Effective date: 1 March 2027

## 1. What we collect

We collect your name, your e-mail address and the routes that you save.

## 2. How long we keep it

We delete your saved routes two years after you close your account. Backups are kept for one week.

## 3. Who receives it

We may give the routes that you save to **advertising partners** {{ so-called }}. Our hosting partner stores it for us.

## 4. Your rights

You can ask for a copy of your data. We answer within 15 days.

## 5. Changes of this policy

We will tell you by email at least 30 days before a material change takes effect.
";

/// The sample's parts, owned.
pub(crate) struct Sample {
    pub(crate) old: Document,
    pub(crate) new: Document,
    pub(crate) comparison: Comparison,
    pub(crate) assessment: Assessment,
    pub(crate) plan: Plan,
    pub(crate) versions: Versions,
}

pub(crate) fn now() -> Timestamp {
    "2027-01-04T09:00:00Z".parse().unwrap()
}

pub(crate) fn document(text: &str) -> Document {
    read(&Input {
        bytes: text.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
    .unwrap()
}

/// Makes a finding of the sentences that hold these words.
pub(crate) fn finding(
    sample: &Sample,
    id: &str,
    topic: Topic,
    direction: Direction,
    severity: Severity,
    words: (Option<&str>, Option<&str>),
    summary: Option<&str>,
) -> Finding {
    let quote = |document: &Document, words: &str| {
        let start = document.text.find(words).unwrap();
        let span = start..start + words.len();
        Quote {
            lines: document.lines_of(&span),
            text: words.to_owned(),
            span,
        }
    };
    let old = words.0.map(|w| quote(&sample.old, w));
    let new = words.1.map(|w| quote(&sample.new, w));
    let place = new.as_ref().or(old.as_ref()).unwrap();
    let side = if new.is_some() {
        &sample.new
    } else {
        &sample.old
    };
    let section = side
        .sections
        .iter()
        .rfind(|s| s.span.contains(&place.span.start));
    let change = sample
        .comparison
        .changes
        .iter()
        .find(|c| {
            let touches = |span: &std::ops::Range<usize>, q: &Option<Quote>| {
                q.as_ref()
                    .is_some_and(|q| span.start < q.span.end && q.span.start < span.end)
            };
            c.new.as_ref().is_some_and(|s| touches(&s.span, &new))
                || c.old.as_ref().is_some_and(|s| touches(&s.span, &old))
        })
        .map_or("c0", |c| c.id.as_str());
    Finding {
        proposed: None,
        id: id.to_owned(),
        change: change.to_owned(),
        also: vec![],
        topic,
        direction,
        severity,
        section: section.map_or(SectionRef::default(), |s| SectionRef {
            old: s.path.clone(),
            new: s.path.clone(),
            title: s.title.clone(),
        }),
        reasons: vec![Reason {
            code: "sample".into(),
            evidence: place.text.clone(),
        }],
        old,
        new,
        confidence: 0.9,
        summary: summary.map(str::to_owned),
    }
}

pub(crate) fn duty() -> Duty {
    Duty {
        id: "d1".into(),
        source: Source::Policy,
        trigger: Trigger::MaterialChange,
        channels: vec![Way::Email],
        mode: Mode::Any,
        timing: Timing::Before,
        lead_days: Some(30),
        lead: Some(Lead {
            count: 30,
            unit: LeadUnit::Days,
        }),
        acceptance: Acceptance::ContinuedUse,
        must_state: vec![MustState::EffectiveDate],
        hedged: false,
        lines: (25, 25),
        quote: "We will tell you by e-mail at least 30 days before a material change takes effect."
            .into(),
        section: vec!["5".into()],
        addressee: None,
        judge: None,
        fallback: vec![],
        follow_up: None,
        opt_out: None,
        exceptions: vec![],
        conflicts: vec![],
    }
}

impl Sample {
    pub(crate) fn of(old: &str, new: &str) -> Self {
        let (old, new) = (document(old), document(new));
        let comparison = compare(&old, &new);
        let send_by: Timestamp = "2027-01-28T10:00:00Z".parse().unwrap();
        Self {
            versions: Versions {
                old: sha256(old.text.as_bytes()),
                new: sha256(new.text.as_bytes()),
            },
            plan: Plan {
                duties: vec![PlannedDuty {
                    duty: duty(),
                    because: vec!["f1".into(), "f2".into()],
                    lead: duty().lead,
                    rule: "30 full days before the day of effect (promised)".into(),
                    send_by: Some(send_by),
                    due_after: None,
                    fulfilled_by: vec![Way::Email],
                    consent_needed: false,
                }],
                effective: Some(date(2027, 3, 1)),
                earliest_effective: Some(date(2027, 2, 4)),
                send_by: Some(send_by),
                channels: vec![
                    Way::Email,
                    Way::Website,
                    Way::InProduct,
                    Way::Push,
                    Way::Sms,
                    Way::Post,
                    Way::Posting,
                ],
                ..Plan::default()
            },
            old,
            new,
            comparison,
            assessment: Assessment::default(),
        }
    }

    pub(crate) fn new() -> Self {
        let mut sample = Self::of(OLD, NEW);
        let findings = vec![
            finding(
                &sample,
                "f1",
                Topic::Sharing,
                Direction::Adverse,
                Severity::Material,
                (
                    Some("We do not give your data to advertisers."),
                    Some(
                        "We may give the routes that you save to **advertising partners** {{ so-called }}.",
                    ),
                ),
                Some("Advertising partners may now receive the routes that you save."),
            ),
            finding(
                &sample,
                "f2",
                Topic::Retention,
                Direction::Adverse,
                Severity::Material,
                (
                    Some("We delete your saved routes 30 days after you close your account."),
                    Some("We delete your saved routes two years after you close your account."),
                ),
                Some("Saved routes are kept for two years instead of 30 days after you leave."),
            ),
            finding(
                &sample,
                "f3",
                Topic::Rights,
                Direction::Favourable,
                Severity::Substantive,
                (
                    Some("We answer within 30 days."),
                    Some("We answer within 15 days."),
                ),
                Some("You get an answer within 15 days instead of 30."),
            ),
        ];
        sample.assessment = Assessment {
            verdict: Verdict::Material,
            findings,
            rules: sha256(b"rules"),
            ..Assessment::default()
        };
        sample
    }

    pub(crate) fn ground(&self) -> Ground<'_> {
        Ground {
            document: "privacy",
            title: Some("Privacy Policy"),
            versions: &self.versions,
            old: &self.old,
            new: &self.new,
            comparison: &self.comparison,
            assessment: &self.assessment,
            plan: &self.plan,
            variants: &[],
        }
    }
}

pub(crate) fn house() -> House {
    House {
        company: "Lindenfels Maps".into(),
        address: Some("1 Harbour Road, 20000 Lindenfels".into()),
        languages: vec!["en".into(), "zh".into()],
        fields: [
            ("reason", "We pay for the free plan with advertising from spring on."),
            ("reason.zh", "自春季起，我们用广告支付免费版的费用。"),
            ("contact", "Our privacy officer answers at privacy@lindenfels.example."),
            ("contact.zh", "隐私专员：privacy@lindenfels.example。"),
            ("choices", "You can turn this off at https://lindenfels.example/ads before that day. You can also close your account and export your routes."),
            ("choices.zh", "您可以在该日之前在 https://lindenfels.example/ads 关闭此功能，也可以导出路线并注销账户。"),
            ("old_data", "no"),
            ("new_url", "https://lindenfels.example/privacy/2027"),
            ("old_url", "https://lindenfels.example/privacy/2025"),
            ("redline_url", "https://lindenfels.example/privacy/compare"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect(),
        approvals: 1,
        ..House::default()
    }
}
