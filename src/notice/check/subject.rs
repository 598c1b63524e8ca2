//! Subjects of mails.

use super::super::draft::{SUBJECT_AIM, SUBJECT_ROOM};
use super::{Outcome, seen::Seen, seen::filled};

fn subject(seen: &Seen<'_>) -> String {
    filled(seen.text.subject.as_deref().unwrap_or_default())
}

pub(super) fn complete(seen: &Seen<'_>) -> Outcome {
    let subject = subject(seen);
    let lower = subject.to_lowercase();
    let mut missing = Vec::new();
    if !names(&lower, &seen.notice.company) {
        missing.push("the company".to_owned());
    }
    if !names(&lower, &seen.notice.document_title) {
        missing.push("the document".to_owned());
    }
    if seen
        .wording
        .is_some_and(|wording| wording.find("change", &subject).is_none())
    {
        missing.push("that it changes".to_owned());
    }
    if !seen.is_recall()
        && let Some(effective) = seen.notice.effective
        && !subject.contains(&seen.words.date(effective))
    {
        missing.push(format!("the day ({})", seen.words.date(effective)));
    }
    if missing.is_empty() {
        Ok(String::new())
    } else {
        Err(format!(
            "the subject `{subject}` does not say: {}",
            missing.join(", ")
        ))
    }
}

/// Whether a name stands in a text, whole or cut off behind its first words with an ellipsis.
pub(super) fn names(lower: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    if name.is_empty() {
        return false;
    }
    if lower.contains(&name) {
        return true;
    }
    lower.split('…').any(|part| {
        let part = part.trim_end();
        // The longest end of this part that begins the name.
        part.char_indices()
            .filter_map(|(at, _)| part.get(at..))
            .any(|end| end.chars().count() >= 8 && name.starts_with(end))
    })
}

pub(super) fn length(seen: &Seen<'_>) -> Outcome {
    within(seen, SUBJECT_ROOM)
}

pub(super) fn aim(seen: &Seen<'_>) -> Outcome {
    within(seen, SUBJECT_AIM)
}

fn within(seen: &Seen<'_>, room: usize) -> Outcome {
    let subject = subject(seen);
    let length = subject.chars().count();
    if subject.trim().is_empty() {
        Err("there is no subject".to_owned())
    } else if length > room {
        Err(format!(
            "the subject has {length} characters, {room} are wanted"
        ))
    } else {
        Ok(format!("{length} characters"))
    }
}

pub(super) fn calm(seen: &Seen<'_>) -> Outcome {
    let subject = subject(seen);
    // Names may be loud; the rest of the subject may not.
    let rest = subject
        .replace(&seen.notice.company, " ")
        .replace(&seen.notice.document_title, " ");
    if subject.contains(['!', '！']) {
        return Err("the subject has an exclamation mark".to_owned());
    }
    let shouted = rest
        .split(|c: char| !c.is_alphabetic())
        .find(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase()));
    if let Some(word) = shouted {
        return Err(format!("the subject shouts `{word}`"));
    }
    if let Some(wording) = seen.wording {
        for list in ["alarm", "advertising", "praise"] {
            if let Some(found) = wording.find(list, &rest) {
                return Err(format!("the subject says `{found}` ({list})"));
            }
        }
    }
    Ok(String::new())
}
