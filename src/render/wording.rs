//! The words for codes: what a reader sees instead of `in-product`.

use crate::{
    assess::{Direction, SectionRef, Severity, Topic, Verdict},
    compare::Kind,
    duty::{
        Acceptance, Channel, Duty, Lead, LeadUnit, Mode, MustState, PromiseChangeKind, Timing,
        Trigger,
    },
};

/// The value of an enum as JSON writes it: `in-product`.
pub fn code(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A verdict with what it means.
pub fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::None => ("No change", "No difference was found that means anything."),
        Verdict::Technical => (
            "Technical",
            "No change of the policy: no word of it differs in meaning or wording that counts.",
        ),
        Verdict::Editorial => ("Editorial", "The same content, said differently."),
        Verdict::Substantive => (
            "Substantive",
            "The content is new or different, but not enough that users must be told before it takes effect.",
        ),
        Verdict::Material => (
            "Material",
            "At least one change that users would want to be told of before it takes effect.",
        ),
    }
}

/// A kind of change.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Modified => "modified",
        Kind::Moved => "moved",
        Kind::Renumbered => "renumbered",
        Kind::Renamed => "renamed",
        Kind::Technical => "technical",
    }
}

/// A severity.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Substantive => "substantive",
        Severity::Material => "material",
    }
}

/// For whom a change is good.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Adverse => "adverse to users",
        Direction::Favourable => "favourable to users",
        Direction::Neutral => "neutral",
    }
}

/// A topic.
pub fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Collection => "data collected",
        Topic::Use => "use of data",
        Topic::Sharing => "sharing",
        Topic::Choice => "choice and consent",
        Topic::Rights => "rights",
        Topic::Retention => "retention",
        Topic::Security => "security",
        Topic::Transfer => "international transfer",
        Topic::Minors => "children and minors",
        Topic::Tracking => "cookies and tracking",
        Topic::Automation => "automated decisions and AI",
        Topic::Notice => "notice of changes",
        Topic::Dispute => "disputes",
        Topic::Liability => "liability",
        Topic::Content => "user content",
        Topic::Termination => "termination",
        Topic::Payment => "payment",
        Topic::Conduct => "conduct",
        Topic::Scope => "scope",
        Topic::Identity => "provider and contact",
    }
}

/// A detail of a technical or renumbered change.
pub fn detail(code: &str) -> &str {
    match code {
        "link-target" => "link target",
        "white-space" => "white space",
        "typography" => "typography",
        "case" => "letter case",
        "label" => "number",
        "cross-reference" => "cross-reference follows the renumbering",
        other => other,
    }
}

/// What happened to a promise.
pub fn promise(kind: PromiseChangeKind) -> &'static str {
    match kind {
        PromiseChangeKind::Weakened => "weakened",
        PromiseChangeKind::Strengthened => "strengthened",
        PromiseChangeKind::Dropped => "dropped",
        PromiseChangeKind::Added => "added",
    }
}

/// One promise in a line: `material change: tell users by e-mail, 30 days before it takes effect`.
pub fn duty(duty: &Duty) -> String {
    let mut line = format!("{}: tell", trigger(duty.trigger));
    line.push(' ');
    line.push_str(duty.addressee.as_deref().unwrap_or("users"));
    let channels: Vec<&str> = duty.channels.iter().map(|c| channel(*c)).collect();
    if !channels.is_empty() {
        let joint = if duty.mode == Mode::Any {
            " or "
        } else {
            " and "
        };
        line.push(' ');
        line.push_str(&channels.join(joint));
    }
    let period = duty.lead.map(lead).or_else(|| {
        duty.lead_days
            .map(|days| format!("{days} {}", if days == 1 { "day" } else { "days" }))
    });
    match (period, duty.timing) {
        (Some(period), Timing::After) => line.push_str(&format!(", within {period} after it")),
        (Some(period), _) => line.push_str(&format!(", {period} before it takes effect")),
        (None, Timing::Before) => line.push_str(", before it takes effect"),
        (None, Timing::At) => line.push_str(", when it takes effect"),
        (None, Timing::After) => line.push_str(", afterwards"),
        (None, Timing::Unspecified) => {}
    }
    match duty.acceptance {
        Acceptance::ContinuedUse => line.push_str("; continued use counts as agreement"),
        Acceptance::Explicit => line.push_str("; users must agree"),
        Acceptance::None => {}
    }
    if !duty.must_state.is_empty() {
        let states: Vec<&str> = duty.must_state.iter().map(|m| must_state(*m)).collect();
        line.push_str(&format!("; it must state {}", states.join(", ")));
    }
    if duty.hedged {
        line.push_str(" (no firm promise)");
    }
    line
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::AnyChange => "any change",
        Trigger::MaterialChange => "material change",
        Trigger::RightsReduced => "rights reduced",
        Trigger::NewPurpose => "new purpose",
        Trigger::PriceChange => "price change",
        Trigger::Transfer => "transfer of the business",
        Trigger::ServiceEnds => "end of the service",
        Trigger::Incident => "incident",
        Trigger::Other => "other event",
    }
}

fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "by e-mail",
        Channel::Website => "on the website",
        Channel::InProduct => "in the product",
        Channel::Push => "by push message",
        Channel::Sms => "by text message",
        Channel::Phone => "by phone",
        Channel::Post => "by post",
        Channel::Posting => "by putting up the new text",
        Channel::Direct => "directly",
        Channel::Other => "by other means",
    }
}

fn must_state(state: MustState) -> &'static str {
    match state {
        MustState::EffectiveDate => "the effective date",
        MustState::Summary => "what changed",
        MustState::DateLine => "the new date line",
        MustState::Options => "what users can do",
    }
}

fn lead(lead: Lead) -> String {
    let unit = match lead.unit {
        LeadUnit::Hours => "hour",
        LeadUnit::Days => "day",
        LeadUnit::BusinessDays => "business day",
        LeadUnit::Weeks => "week",
        LeadUnit::Months => "month",
        LeadUnit::Years => "year",
    };
    let plural = if lead.count == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", lead.count)
}

/// `1 change`, `2 changes`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// The way from one section path to the other: `4.2`, `4.2 → 5.2`.
pub fn way(old: &[String], new: &[String]) -> String {
    let label = |path: &[String]| path.last().cloned().unwrap_or_default();
    match (label(old), label(new)) {
        (old, new) if new.is_empty() => old,
        (old, new) if old.is_empty() || old == new => new,
        (old, new) => format!("{old} → {new}"),
    }
}

/// Clause and title of a section, once where a section without a number is named by its title.
pub fn place(section: &SectionRef) -> String {
    let clause = way(&section.old, &section.new);
    let title = section.title.trim();
    if clause.ends_with(title) {
        clause
    } else {
        format!("{clause} {title}").trim().to_owned()
    }
}

/// A quotation as it is read: without the marks of bold type and without escapes.
pub fn shown(text: &str) -> String {
    let text = text.replace("**", "");
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' || !chars.peek().is_some_and(char::is_ascii_punctuation) {
            out.push(c);
        }
    }
    out
}

/// At most `limit` characters, cut at a word, with an ellipsis.
pub fn shorten(text: &str, limit: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= limit {
        return text;
    }
    let cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    let end = cut
        .rfind(' ')
        .filter(|at| at * 3 > cut.len() * 2)
        .unwrap_or(cut.len());
    format!("{}…", cut.get(..end).unwrap_or(&cut).trim_end())
}
