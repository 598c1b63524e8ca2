//! Consent, and what silence means.

use super::{Channel, Outcome, seen::Seen};

pub(super) fn consequence_said(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("nothing happens".to_owned());
    }
    match seen.wording {
        Some(wording) if wording.find("consequence", &seen.own).is_none() => {
            Err("the text does not say what happens if nothing is done".to_owned())
        }
        _ => Ok(String::new()),
    }
}

pub(super) fn asked(seen: &Seen<'_>) -> Outcome {
    if !seen.notice.consent_needed || seen.is_recall() {
        return Ok("no consent is needed".to_owned());
    }
    let Some(wording) = seen.wording else {
        return Ok("no words are known for this language".to_owned());
    };
    if let Some(found) = wording.find("deemed_consent", &seen.own) {
        return Err(format!(
            "consent is needed, and the text takes use for it: `{found}`"
        ));
    }
    // A list of changes records; it does not speak to one reader.
    let is_record = seen.notice.channel == Channel::Changelog;
    if !is_record && wording.find("ask_consent", &seen.own).is_none() {
        return Err("consent is needed, and the text does not ask for it".to_owned());
    }
    let whole = matches!(
        seen.notice.channel,
        Channel::Email | Channel::Announcement | Channel::Letter
    );
    if whole && seen.field("choices").is_none() {
        return Err(
            "consent is needed: the field choices must say how to give and to refuse it".to_owned(),
        );
    }
    Ok(String::new())
}
