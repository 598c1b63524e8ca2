//! What templates see. `docs/notices.md` documents each field; names are stable.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    Correction, Notice,
    ground::{Ground, House},
    item::{Item, Passage, items, passages},
    words::Words,
};
use crate::{
    assess::Verdict,
    duty::{Acceptance, Channel as Way, MustState, Source},
};

/// Everything a template can show.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    /// Language of the text, BCP 47.
    pub lang: String,
    /// Labels of the language, from `words/LANG.toml`.
    pub label: std::collections::BTreeMap<String, String>,
    /// What stands around quotes.
    pub quote: Quotes,
    /// Id of the notice.
    pub notice: String,
    /// Who tells it.
    pub company: Company,
    /// What changes.
    pub document: About,
    /// The day of effect.
    pub effective: Option<Day>,
    /// The label of new words: `From 1 March 2027`, or `From now on` without a day.
    pub since: String,
    /// The day on which the notice was drafted.
    pub drafted: Day,
    /// Material changes, adverse ones first.
    pub changes: Vec<Item>,
    /// All other changes of content.
    pub others: Vec<Item>,
    /// How many changes are of wording, numbering or layout only.
    pub cosmetic: usize,
    /// Names of the topics of the material changes, each once, in the same order.
    pub topics: Vec<String>,
    /// Those of the adverse ones.
    pub adverse_topics: Vec<String>,
    /// Changed passages in full; empty where they are attached or not wanted.
    pub passages: Vec<Passage>,
    /// Name of the attached file that holds the passages in full.
    pub attached: Option<String>,
    /// Whether quotes were moved to the attachment because the mail would be too long.
    pub brief: bool,
    /// What the company said: `None` where it has not.
    pub reason: Option<String>,
    /// How to reach somebody.
    pub contact: Option<String>,
    /// What the reader can do.
    pub choices: Option<String>,
    /// Whether data already collected is concerned, as a sentence.
    pub old_data: Option<String>,
    /// Address of the new text.
    pub new_url: Option<String>,
    /// Address of the old text.
    pub old_url: Option<String>,
    /// Address of the comparison.
    pub redline_url: Option<String>,
    /// Whether consent must be asked for.
    pub consent_needed: bool,
    /// Whether going on using the service makes the change binding, by a duty of the plan.
    pub continued_use: bool,
    /// Whether the document itself promised this notice.
    pub promised: bool,
    /// Whether a law demands it.
    pub by_law: bool,
    /// Name of the authentic text's language, where it is not this text's.
    pub authentic: Option<String>,
    /// Name of the language of the quotes, where it is not this text's.
    pub quotes_in: Option<String>,
    /// Tag of the language of the quotes.
    pub quotes_lang: String,
    /// What this notice corrects or recalls.
    pub correction: Option<Corrected>,
    /// For memos: duties with their deadlines.
    pub duties: Vec<DutyLine>,
    /// For memos: what the judgement rests on and where it ends.
    pub evidence: Evidence,
}

/// Marks of quotation.
#[derive(Debug, Clone, Serialize)]
pub struct Quotes {
    /// Before a quote.
    pub open: String,
    /// Behind a quote.
    pub close: String,
    /// For words left out.
    pub left_out: String,
}

/// The sender.
#[derive(Debug, Clone, Serialize)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// Its postal address, in lines.
    pub address: Option<String>,
}

/// The document.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Hash of the text in force.
    pub old_version: String,
    /// Hash of the text that takes effect.
    pub new_version: String,
}

/// A day.
#[derive(Debug, Clone, Serialize)]
pub struct Day {
    /// As in `2027-03-01`.
    pub iso: String,
    /// In full, as people of the language write it.
    pub long: String,
}

/// The notice that is corrected.
#[derive(Debug, Clone, Serialize)]
pub struct Corrected {
    /// Its id.
    pub notice: String,
    /// Its subject.
    pub subject: String,
    /// When it went out.
    pub sent: Option<Day>,
    /// What was wrong.
    pub what: String,
    /// Whether the change is given up.
    pub recall: bool,
}

/// A duty, for memos.
#[derive(Debug, Clone, Serialize)]
pub struct DutyLine {
    /// Its id.
    pub id: String,
    /// `policy`, the provision of a law, or `house minimum`.
    pub source: String,
    /// The passage.
    pub quote: String,
    /// Lines of the passage.
    pub lines: String,
    /// Channels that fulfil it.
    pub channels: Vec<String>,
    /// How the deadline was counted.
    pub rule: String,
    /// The last instant to send.
    pub send_by: Option<String>,
    /// Findings that trigger it.
    pub because: Vec<String>,
    /// Whether it asks for options to be stated.
    pub options: bool,
}

/// What a judgement rests on, for memos.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// The verdict.
    pub verdict: String,
    /// Hash of the rules.
    pub rules: String,
    /// Limits of the judgement and of the plan.
    pub remarks: Vec<String>,
    /// Rules that were silenced.
    pub silenced: Vec<String>,
    /// Things only people can do.
    pub tasks: Vec<String>,
    /// Earliest day of effect if the notices go out today.
    pub earliest_effective: Option<Day>,
    /// The last instant to send for the planned day.
    pub send_by: Option<String>,
    /// Whether the planned day leaves too little time.
    pub too_early: bool,
}

/// How much of the change the text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Items with quotes, and all passages in full.
    Full,
    /// Items with quotes; passages are attached.
    Quotes,
    /// Items without quotes; quotes and passages are attached.
    Brief,
}

/// Makes the context of a notice in one language.
pub(crate) fn context(
    notice: &Notice,
    ground: &Ground<'_>,
    house: &House,
    words: &Words,
    language: &str,
    extent: Extent,
) -> Context {
    let variant = ground.for_language(language);
    let same_language = primary(variant.language) == primary(language);
    let all = items(&variant, words, same_language);
    let (changes, others): (Vec<Item>, Vec<Item>) = all.into_iter().partition(|i| i.material);
    let told: std::collections::BTreeSet<&str> = variant
        .assessment
        .findings
        .iter()
        .flat_map(|f| std::iter::once(&f.change).chain(&f.also))
        .map(String::as_str)
        .collect();
    let cosmetic = variant
        .comparison
        .changes
        .iter()
        .filter(|change| !told.contains(change.id.as_str()))
        .count();
    let names = |adverse_only: bool| {
        let mut names: Vec<String> = Vec::new();
        for item in changes
            .iter()
            .filter(|i| !adverse_only || i.direction == "adverse")
        {
            for topic in &item.topics {
                let name = words.topic.get(topic).cloned().unwrap_or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    };
    let day = |date: Date| Day {
        iso: date.to_string(),
        long: words.date(date),
    };
    let field = |name: &str| notice.field(name, language).map(str::to_owned);
    let plan = ground.plan;
    let authentic = notice.authentic.as_deref().unwrap_or(ground.language());
    Context {
        lang: language.to_owned(),
        label: words.label.clone(),
        quote: Quotes {
            open: words.quote_open.clone(),
            close: words.quote_close.clone(),
            left_out: words.left_out.clone(),
        },
        notice: notice.id.clone(),
        company: Company {
            name: notice.company.clone(),
            address: house.address.clone(),
        },
        document: About {
            id: notice.document.clone(),
            title: notice.document_title.clone(),
            old_version: notice.versions.old.clone(),
            new_version: notice.versions.new.clone(),
        },
        effective: notice.effective.map(day),
        since: match notice.effective {
            Some(date) => words
                .label("after_dated")
                .replace("{date}", &words.date(date)),
            None => words.label("after").to_owned(),
        },
        drafted: day(utc_day(notice.created)),
        topics: names(false),
        adverse_topics: names(true),
        cosmetic,
        passages: if extent == Extent::Full {
            passages(&variant)
        } else {
            Vec::new()
        },
        attached: (extent > Extent::Full).then(|| attachment_name(notice, language)),
        brief: extent == Extent::Brief,
        reason: field("reason"),
        contact: field("contact"),
        choices: field("choices"),
        old_data: field("old_data").map(|said| match said.to_lowercase().as_str() {
            "yes" | "true" | "是" => words.answer.get("old_data_yes").cloned().unwrap_or(said),
            "no" | "false" | "否" => words.answer.get("old_data_no").cloned().unwrap_or(said),
            _ => said,
        }),
        new_url: field("new_url"),
        old_url: field("old_url"),
        redline_url: field("redline_url"),
        consent_needed: notice.consent_needed,
        continued_use: plan
            .duties
            .iter()
            .any(|d| d.duty.acceptance == Acceptance::ContinuedUse),
        promised: plan.duties.iter().any(|d| d.duty.source == Source::Policy),
        by_law: plan
            .duties
            .iter()
            .any(|d| matches!(d.duty.source, Source::Law { .. })),
        authentic: (primary(authentic) != primary(language))
            .then(|| words.language_name(authentic).to_owned()),
        quotes_in: (!same_language).then(|| words.language_name(variant.language).to_owned()),
        quotes_lang: variant.language.to_owned(),
        correction: notice.corrects.as_ref().map(|c: &Correction| Corrected {
            notice: c.notice.clone(),
            subject: c.subject.clone(),
            sent: c.sent.map(day),
            what: c.what.clone(),
            recall: c.recall,
        }),
        duties: plan.duties.iter().map(duty_line).collect(),
        evidence: Evidence {
            verdict: verdict(ground.assessment.verdict).to_owned(),
            rules: ground.assessment.rules.clone(),
            remarks: ground
                .assessment
                .remarks
                .iter()
                .chain(&plan.remarks)
                .cloned()
                .collect(),
            silenced: ground.assessment.silenced.clone(),
            tasks: plan.tasks.clone(),
            earliest_effective: plan.earliest_effective.map(day),
            send_by: notice.send_by.map(|at| at.to_string()),
            too_early: plan.too_early,
        },
        changes,
        others,
    }
}

fn duty_line(planned: &crate::duty::PlannedDuty) -> DutyLine {
    let duty = &planned.duty;
    DutyLine {
        id: duty.id.clone(),
        source: match &duty.source {
            Source::Policy => "policy".to_owned(),
            Source::Law {
                provision,
                verified,
                ..
            } if *verified => provision.clone(),
            Source::Law { provision, .. } => format!("{provision} (not verified in a source)"),
            Source::House => "house minimum".to_owned(),
        },
        quote: duty.quote.clone(),
        lines: format!("{}-{}", duty.lines.0, duty.lines.1),
        channels: planned.fulfilled_by.iter().map(|w| way(*w)).collect(),
        rule: planned.rule.clone(),
        send_by: planned.send_by.map(|at| at.to_string()),
        because: planned.because.clone(),
        options: duty.must_state.contains(&MustState::Options),
    }
}

fn way(way: Way) -> String {
    serde_json::to_value(way)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "none",
        Verdict::Technical => "technical",
        Verdict::Editorial => "editorial",
        Verdict::Substantive => "substantive",
        Verdict::Material => "material",
    }
}

/// Name of the file with the changed passages.
pub(crate) fn attachment_name(notice: &Notice, language: &str) -> String {
    format!("{}-changes-{language}.txt", notice.document)
}

pub(crate) fn primary(tag: &str) -> String {
    tag.split('-')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn utc_day(at: Timestamp) -> Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}
