//! The checklist: what makes a notice complete, exact, neutral, plain and accessible.
//!
//! Each check has a stable id. It sees the finished texts, not how they were made, so that a
//! person's edit is held to the same list as a draft. `docs/notices.md` lists all of them.

mod consent;
mod content;
mod html;
mod links;
mod plain;
mod quotes;
mod seen;
mod shape;
mod subject;
mod timing;
mod wording;

use jiff::Timestamp;

use super::{Channel, CheckResult, Ground, Notice, TemplateError, Templates};
use seen::Seen;

/// What a check sees beside the notice.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The change and what is owed because of it.
    pub ground: Ground<'a>,
    /// For the words of the languages.
    pub templates: &'a Templates,
    /// Channels of the other notices of the same change.
    pub siblings: &'a [Channel],
    /// Now.
    pub now: Timestamp,
}

/// Met, with what was seen; or not, with what is wrong.
type Outcome = Result<String, String>;

/// One item of the checklist.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable id, never reused.
    pub id: &'static str,
    /// What is demanded, for people.
    pub demand: &'static str,
    /// Channels it applies to.
    pub channels: &'static [Channel],
    /// Whether it is only advice.
    pub advice: bool,
    run: fn(&Seen<'_>) -> Outcome,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

use Channel::{Announcement, Changelog, Email, InProduct, Letter, Memo, Push, Sms, Website};

/// Texts that tell everything.
const WHOLE: &[Channel] = &[Email, Announcement, Letter];
/// Texts that list what changes with quotes.
const LISTS: &[Channel] = &[Email, Announcement, Letter, Changelog, Memo];
/// Texts that reach users.
const PUBLIC: &[Channel] = &[
    Email,
    Website,
    InProduct,
    Push,
    Sms,
    Announcement,
    Changelog,
    Letter,
];
const ALL: &[Channel] = &Channel::ALL;
const PAGES: &[Channel] = &[Email, Website, Announcement, Changelog, Letter, Memo];

const fn must(
    id: &'static str,
    channels: &'static [Channel],
    demand: &'static str,
    run: fn(&Seen<'_>) -> Outcome,
) -> Check {
    Check {
        id,
        demand,
        channels,
        advice: false,
        run,
    }
}

const fn advice(
    id: &'static str,
    channels: &'static [Channel],
    demand: &'static str,
    run: fn(&Seen<'_>) -> Outcome,
) -> Check {
    Check {
        id,
        demand,
        channels,
        advice: true,
        run,
    }
}

/// Every check, in the order in which results are listed.
#[rustfmt::skip]
pub const CHECKLIST: &[Check] = &[
    must("subject-complete", &[Email], "The subject says who, which document, that it changes, and from when.", subject::complete),
    must("subject-length", &[Email], "The subject has at most 78 characters.", subject::length),
    advice("subject-aim", &[Email], "The subject has at most 60 characters.", subject::aim),
    must("subject-calm", &[Email], "The subject has no alarm, no advertising, no capitals for effect.", subject::calm),
    must("sender-named", PUBLIC, "The text names the company.", content::sender_named),
    must("contact-given", WHOLE, "The text says whom to ask.", content::contact_given),
    must("first-screen", &[Email, Announcement, Letter, Website, InProduct], "The beginning says that something changes, from when, and what the reader must do.", content::first_screen),
    must("date-given", PUBLIC, "The day of effect is given in full, with the year.", timing::date_given),
    must("date-leaves-lead", PUBLIC, "The day of effect leaves the time that promise, law and house ask for.", timing::date_leaves_lead),
    must("material-listed", ALL, "Every material finding appears: topic, before, after, meaning, section.", content::material_listed),
    must("adverse-first", &[Email, Announcement, Letter, Changelog, Website, InProduct, Memo], "What is worse for the reader comes first.", content::adverse_first),
    must("others-summarised", LISTS, "Other changes of content are summed up.", content::others_summarised),
    must("nothing-invented", ALL, "Nothing is told that has no change behind it.", content::nothing_invented),
    must("quotes-exact", ALL, "Every quote is an exact part of a stored version.", quotes::exact),
    must("versions-bound", ALL, "The notice holds the hashes of both versions.", content::versions_bound),
    must("reason-given", &[Email, Announcement, Letter, Changelog], "The company's reason is given.", content::reason_given),
    must("choices-given", WHOLE, "The text says what the reader can do.", content::choices_given),
    must("consequence-said", &[Email, Announcement, Letter, Website, InProduct], "The text says what happens if nothing is done.", consent::consequence_said),
    must("consent-asked", PUBLIC, "Where consent is needed, it is asked for, and use is not taken for it.", consent::asked),
    must("old-data-said", WHOLE, "The text says whether data already held is concerned.", content::old_data_said),
    must("links-given", &[Email, Website, InProduct, Sms, Announcement, Changelog, Letter], "Links lead to the new text, the old text and the comparison.", links::given),
    must("links-clean", PUBLIC, "Links are encrypted, whole, the same for everybody, and track nobody.", links::clean),
    must("durable", &[Email, Letter], "The changed passages are in the text or attached, in full.", content::durable),
    must("text-part", &[Email], "There is a plain text beside the HTML, and it stands alone.", shape::text_part),
    must("wording-neutral", PUBLIC, "Changes that are worse for the reader are not praised.", plain::neutral),
    must("plain-language", PUBLIC, "Our own sentences have at most 20 words in the mean.", plain::sentences),
    advice("reading-grade", PUBLIC, "Our own words read at grade 9 or below (Flesch-Kincaid).", plain::grade),
    must("html-accessible", PAGES, "The HTML has a language, a title, ordered headings, marked tables, and no words in images.", html::accessible),
    must("html-contrast", PAGES, "Text and background differ by 4.5 to 1, in light and in dark.", html::contrast),
    must("html-self-contained", PAGES, "The HTML loads nothing and runs nothing: no script, form, frame, remote image or font.", html::self_contained),
    must("languages", ALL, "There is a text in every language; the authentic one and the language of the quotes are named.", shape::languages),
    must("no-advertising", PUBLIC, "There is no advertising.", plain::no_advertising),
    must("no-unsubscribe", PUBLIC, "There is no way to unsubscribe from what must be told.", plain::no_unsubscribe),
    must("why-received", &[Email], "The mail says why the reader gets it.", plain::why_received),
    must("channel-length", &[InProduct, Push, Sms], "The text fits the channel.", shape::channel_length),
    must("mail-size", &[Email], "The mail's bodies stay under 100 KB.", shape::mail_size),
    must("placeholders", PUBLIC, "Only recipients' fields stand between braces.", shape::placeholders),
    must("correction-names-first", PUBLIC, "A correction names the notice that it corrects.", content::correction_names_first),
    advice("fallback-text", &[Email], "A text exists for those whom no mail reaches.", shape::fallback_text),
    advice("guardians", &[Email, Letter], "Where children's terms change, guardians are told apart.", content::guardians),
];

/// Runs the checklist over a notice.
///
/// # Errors
/// When the words of one of its languages are missing or wrong.
pub fn check(notice: &Notice, basis: &Basis<'_>) -> Result<Vec<CheckResult>, TemplateError> {
    let seen = notice
        .texts
        .iter()
        .map(|(language, text)| Seen::new(notice, basis, language, text))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(CHECKLIST
        .iter()
        .filter(|check| check.channels.contains(&notice.channel))
        .map(|check| {
            let outcomes: Vec<(&str, Outcome)> = seen
                .iter()
                .map(|seen| (seen.language, (check.run)(seen)))
                .collect();
            result(check, &outcomes)
        })
        .collect())
}

/// Whether a web page shows a notice in one of its languages: its words are on the page, or at
/// least the document's name and the day of effect in full.
///
/// # Errors
/// When the words of the language are missing or wrong.
pub fn shows(
    notice: &Notice,
    language: &str,
    templates: &Templates,
    page: &str,
) -> Result<bool, TemplateError> {
    let words = templates.words(language)?;
    let page = super::quote::squash(&html::words(page));
    let day = notice.effective.map(|day| words.date(day));
    let named = [Some(notice.document_title.clone()), day];
    let has_names = named
        .iter()
        .flatten()
        .all(|name| page.contains(&super::quote::squash(name)));
    let text = notice.texts.get(language).map(|text| text.text.as_str());
    let has_words = text.is_some_and(|text| {
        let text = super::quote::squash(text);
        !text.is_empty() && page.contains(&text)
    });
    Ok(has_names || has_words)
}

fn result(check: &Check, outcomes: &[(&str, Outcome)]) -> CheckResult {
    let met = outcomes.iter().all(|(_, outcome)| outcome.is_ok());
    let mut details: Vec<String> = Vec::new();
    for (language, outcome) in outcomes {
        let detail = match outcome {
            Err(detail) => detail,
            Ok(detail) if met => detail,
            Ok(_) => continue,
        };
        if detail.is_empty() {
            continue;
        }
        let same = outcomes
            .iter()
            .all(|(_, other)| other.as_ref().unwrap_or_else(|e| e) == detail);
        let line = if same || outcomes.len() == 1 {
            detail.clone()
        } else {
            format!("{language}: {detail}")
        };
        if !details.contains(&line) {
            details.push(line);
        }
    }
    CheckResult {
        id: check.id.to_owned(),
        met,
        detail: if details.is_empty() {
            check.demand.to_owned()
        } else {
            details.join("; ")
        },
        advice: check.advice,
        overruled: None,
    }
}

#[cfg(test)]
mod tests;
