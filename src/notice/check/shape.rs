//! The outer form: parts, languages, lengths, placeholders.

use super::super::{
    Part,
    draft::{self, IN_PRODUCT_ROOM, MAIL_ROOM, PUSH_ROOM, PUSH_TITLE_ROOM, sms_segments},
    lifecycle::part_of,
    placeholder::{Segment, segments},
};
use super::{Channel, Outcome, seen::Seen, seen::filled};

pub(super) fn text_part(seen: &Seen<'_>) -> Outcome {
    let text = seen.text.text.trim();
    if text.chars().count() < 40 {
        return Err("the plain text is empty".to_owned());
    }
    if text.contains("</") || text.contains("<br") {
        return Err("the plain text holds markup".to_owned());
    }
    match &seen.text.html {
        Some(html) if !html.trim().is_empty() => Ok(String::new()),
        _ => Err("there is no HTML".to_owned()),
    }
}

pub(super) fn languages(seen: &Seen<'_>) -> Outcome {
    if seen.text.text.trim().is_empty() {
        return Err(format!("there is no text in `{}`", seen.language));
    }
    if matches!(
        seen.notice.channel,
        Channel::Push | Channel::Sms | Channel::InProduct | Channel::Website | Channel::Memo
    ) || seen.is_recall()
    {
        return Ok(String::new());
    }
    let primary = super::super::context::primary;
    let quoted = seen.words.language_name(seen.quoted);
    if primary(seen.quoted) != primary(seen.language) && !seen.holds(quoted) {
        return Err(format!("it does not say that the quotes are {quoted}"));
    }
    let authentic = seen.notice.authentic.as_deref().unwrap_or(seen.language);
    let name = seen.words.language_name(authentic);
    let must = matches!(
        seen.notice.channel,
        Channel::Email | Channel::Announcement | Channel::Letter
    );
    if must && primary(authentic) != primary(seen.language) && !seen.holds(name) {
        return Err(format!("it does not say that the {name} text is authentic"));
    }
    Ok(String::new())
}

pub(super) fn channel_length(seen: &Seen<'_>) -> Outcome {
    let text = filled(&seen.text.text);
    let length = text.chars().count();
    let title = seen
        .text
        .subject
        .as_deref()
        .map_or(0, |title| title.chars().count());
    let over = |what: &str, is: usize, room: usize| {
        (is > room).then(|| format!("the {what} has {is} characters, {room} fit"))
    };
    let wrong = match seen.notice.channel {
        Channel::Push => {
            over("text", length, PUSH_ROOM).or_else(|| over("title", title, PUSH_TITLE_ROOM))
        }
        Channel::InProduct => over("text", length, IN_PRODUCT_ROOM),
        Channel::Sms => {
            let parts = sms_segments(&text);
            (parts > 2).then(|| format!("the text takes {parts} messages, 2 are allowed"))
        }
        _ => None,
    };
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(format!("{length} characters")),
    }
}

pub(super) fn mail_size(seen: &Seen<'_>) -> Outcome {
    let size = draft::mail_size(seen.text);
    let said = format!("{} KB", size.div_ceil(1000));
    if size > MAIL_ROOM {
        Err(format!(
            "{said}; beyond {} KB mail programs clip a message",
            MAIL_ROOM / 1000
        ))
    } else {
        Ok(said)
    }
}

pub(super) fn placeholders(seen: &Seen<'_>) -> Outcome {
    let mut fields: Vec<String> = Vec::new();
    for part in [Part::Subject, Part::Text, Part::Html] {
        let Some(words) = part_of(seen.text, part) else {
            continue;
        };
        let found = segments(words).map_err(|error| format!("{part:?}: {error}"))?;
        for segment in found {
            if let Segment::Recipient { field, .. } = segment
                && !fields.contains(&field)
            {
                fields.push(field);
            }
        }
    }
    let is_public_page = matches!(
        seen.notice.channel,
        Channel::Website | Channel::Announcement | Channel::Changelog
    );
    if is_public_page && let Some(field) = fields.first() {
        return Err(format!(
            "a public page has no recipient, but uses recipient.{field}"
        ));
    }
    Ok(if fields.is_empty() {
        "the same for everybody".to_owned()
    } else {
        format!("recipient.{}", fields.join(", recipient."))
    })
}

pub(super) fn fallback_text(seen: &Seen<'_>) -> Outcome {
    let reaches = seen.basis.siblings.iter().any(|channel| {
        matches!(
            channel,
            Channel::Announcement | Channel::Website | Channel::Letter
        )
    });
    if reaches {
        Ok(String::new())
    } else {
        Err(
            "no announcement, banner or letter is drafted for those whom no mail reaches"
                .to_owned(),
        )
    }
}
