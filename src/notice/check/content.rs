//! What a notice must tell.

use super::super::{item::Item, quote::squash};
use super::{Channel, Outcome, seen::Seen};
use crate::assess::Topic;

pub(super) fn sender_named(seen: &Seen<'_>) -> Outcome {
    let company = seen.notice.company.trim();
    if company.is_empty() {
        return Err("no company is named in the configuration".to_owned());
    }
    let shown = match seen.notice.channel {
        Channel::Push | Channel::Sms => super::subject::names(&seen.plain.to_lowercase(), company),
        _ => seen.holds(company),
    };
    if shown {
        Ok(company.to_owned())
    } else {
        Err(format!("{} does not name {company}", seen.lacking(company)))
    }
}

/// A field that only the company can fill in: it must be there, and in the text.
fn field_told(seen: &Seen<'_>, field: &str, what: &str) -> Outcome {
    match seen.field(field) {
        None => Err(format!(
            "{what} is missing: set the field {field} (it is never invented)"
        )),
        Some(said) if said.lines().all(|line| seen.holds(line)) => Ok(String::new()),
        Some(said) if seen.is_edited() => {
            // A person may have put it in other words; that is theirs to answer for.
            Ok(format!(
                "the edited text does not quote the field: `{said}`"
            ))
        }
        Some(said) => Err(format!("{} lacks the {what}", seen.lacking(said))),
    }
}

pub(super) fn contact_given(seen: &Seen<'_>) -> Outcome {
    field_told(seen, "contact", "contact")
}

pub(super) fn reason_given(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("the recall says what was wrong".to_owned());
    }
    field_told(seen, "reason", "reason of the change")
}

pub(super) fn choices_given(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("there is nothing to choose".to_owned());
    }
    field_told(seen, "choices", "reader's choices")
}

pub(super) fn old_data_said(seen: &Seen<'_>) -> Outcome {
    let about_data = |topic: Topic| {
        matches!(
            topic,
            Topic::Collection
                | Topic::Use
                | Topic::Sharing
                | Topic::Retention
                | Topic::Security
                | Topic::Transfer
                | Topic::Tracking
                | Topic::Automation
                | Topic::Minors
        )
    };
    let concerned = seen
        .basis
        .ground
        .assessment
        .findings
        .iter()
        .any(|finding| about_data(finding.topic));
    if seen.is_recall() || !concerned {
        return Ok("no change is about data".to_owned());
    }
    match seen.field("old_data") {
        None => Err(
            "set the field old_data to yes, no or a sentence: does the change concern data that \
             is already held?"
                .to_owned(),
        ),
        Some(said) => {
            let answer = match said.to_lowercase().as_str() {
                "yes" | "true" | "是" => seen.words.answer.get("old_data_yes"),
                "no" | "false" | "否" => seen.words.answer.get("old_data_no"),
                _ => None,
            };
            let sentence = answer.map_or(said, String::as_str);
            if seen.holds(sentence) || seen.is_edited() {
                Ok(String::new())
            } else {
                Err(format!("{} does not say it", seen.lacking(sentence)))
            }
        }
    }
}

pub(super) fn first_screen(seen: &Seen<'_>) -> Outcome {
    let beginning: String = seen.plain.chars().take(900).collect();
    let Some(wording) = seen.wording else {
        return Ok("no words are known for this language".to_owned());
    };
    let mut missing = Vec::new();
    if wording.find("change", &beginning).is_none() {
        missing.push("that something changes");
    }
    if !seen.is_recall() {
        let day = seen.notice.effective.map(|day| seen.words.date(day));
        if day.is_none_or(|day| !squash(&beginning).contains(&squash(&day))) {
            missing.push("from when");
        }
        let list = if seen.notice.consent_needed {
            "ask_consent"
        } else {
            "consequence"
        };
        // Short texts say it at their end, which is on the first screen too.
        let all = matches!(seen.notice.channel, Channel::Website | Channel::InProduct);
        let where_to_look = if all { &seen.plain } else { &beginning };
        if wording.find(list, where_to_look).is_none() {
            missing.push("what the reader must do");
        }
    }
    if missing.is_empty() {
        Ok(String::new())
    } else {
        Err(format!(
            "the beginning does not say: {}",
            missing.join(", ")
        ))
    }
}

pub(super) fn material_listed(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall lists no change".to_owned());
    }
    let material: Vec<&Item> = seen.items.iter().filter(|item| item.material).collect();
    match seen.notice.channel {
        Channel::Push | Channel::Sms => {
            return Ok(format!(
                "too short to list {} material changes; it leads to the text that does",
                material.len()
            ));
        }
        Channel::Website | Channel::InProduct => {
            let missing: Vec<&str> = material
                .iter()
                .filter(|item| !seen.holds(&item.topic))
                .map(|item| item.topic.as_str())
                .collect();
            return told(material.len(), &missing);
        }
        _ => {}
    }
    let mut missing = Vec::new();
    for item in &material {
        let mut lacks = Vec::new();
        if !seen.holds(&item.topic) {
            lacks.push("its topic");
        }
        for (quote, name) in [
            (&item.before, "the old words"),
            (&item.after, "the new words"),
        ] {
            if quote
                .as_ref()
                .is_some_and(|quote| !seen.holds_or_attaches(&quote.text))
            {
                lacks.push(name);
            }
        }
        if !item.means.iter().all(|sentence| seen.holds(sentence)) && !seen.is_edited() {
            lacks.push("what it means");
        }
        if !item.section.is_empty() && !seen.holds(&item.section) {
            lacks.push("its section");
        }
        if !lacks.is_empty() {
            missing.push(format!(
                "{} ({}): {}",
                item.findings.join(", "),
                item.topic,
                lacks.join(", ")
            ));
        }
    }
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    told(material.len(), &missing)
}

fn told(all: usize, missing: &[&str]) -> Outcome {
    if missing.is_empty() {
        Ok(format!("{all} material changes"))
    } else {
        Err(format!("missing: {}", missing.join("; ")))
    }
}

pub(super) fn others_summarised(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall lists no change".to_owned());
    }
    let others: Vec<&Item> = seen.items.iter().filter(|item| !item.material).collect();
    let missing: Vec<&str> = others
        .iter()
        .filter(|item| !seen.holds(&item.topic))
        .map(|item| item.topic.as_str())
        .collect();
    if missing.is_empty() {
        Ok(format!("{} other changes", others.len()))
    } else {
        Err(format!("missing: {}", missing.join("; ")))
    }
}

pub(super) fn adverse_first(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall lists no change".to_owned());
    }
    // The place of each item: where its heading stands first.
    let mut last = 0;
    for item in seen.items.iter().filter(|item| item.material) {
        let Some(rest) = seen.plain_squashed.get(last..) else {
            break;
        };
        let topic = squash(&item.topic);
        match rest.find(&topic) {
            Some(at) => last += at,
            None if seen.plain_squashed.contains(&topic) => {
                return Err(format!(
                    "{} ({}) stands behind what is better for the reader",
                    item.topic, item.direction
                ));
            }
            None => {}
        }
    }
    Ok(String::new())
}

pub(super) fn nothing_invented(seen: &Seen<'_>) -> Outcome {
    let ground = &seen.basis.ground;
    let unknown: Vec<&str> = seen
        .notice
        .findings
        .iter()
        .filter(|id| {
            !ground
                .assessment
                .findings
                .iter()
                .any(|finding| finding.id == **id)
        })
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(format!(
            "the notice is about findings that the change does not have: {}; set a field, and it is written anew",
            unknown.join(", ")
        ));
    }
    let behind: Vec<&str> = ground
        .assessment
        .findings
        .iter()
        .filter(|finding| {
            !ground
                .comparison
                .changes
                .iter()
                .any(|change| change.id == finding.change)
        })
        .map(|finding| finding.id.as_str())
        .collect();
    if behind.is_empty() {
        Ok(String::new())
    } else {
        Err(format!("no change stands behind {}", behind.join(", ")))
    }
}

pub(super) fn versions_bound(seen: &Seen<'_>) -> Outcome {
    let versions = &seen.notice.versions;
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash(&versions.old) && is_hash(&versions.new) {
        Ok(String::new())
    } else {
        Err("the hash of a version is missing".to_owned())
    }
}

pub(super) fn durable(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall changes no text".to_owned());
    }
    let mut missing = 0;
    for passage in &seen.passages {
        for side in [&passage.before, &passage.after].into_iter().flatten() {
            if !seen.holds_or_attaches(side) {
                missing += 1;
            }
        }
    }
    if missing == 0 {
        Ok(format!("{} changed passages in full", seen.passages.len()))
    } else {
        Err(format!(
            "{missing} changed passages are neither in the text nor attached"
        ))
    }
}

pub(super) fn correction_names_first(seen: &Seen<'_>) -> Outcome {
    let Some(correction) = &seen.notice.corrects else {
        return Ok("it corrects no other notice".to_owned());
    };
    if matches!(seen.notice.channel, Channel::Push | Channel::Sms) {
        return Ok("too short to name it".to_owned());
    }
    if correction.what.trim().is_empty() {
        return Err("it does not say what was wrong".to_owned());
    }
    if seen.holds(&correction.subject) {
        Ok(correction.subject.clone())
    } else {
        Err(format!(
            "{} does not name the first notice, `{}`",
            seen.lacking(&correction.subject),
            correction.subject
        ))
    }
}

pub(super) fn guardians(seen: &Seen<'_>) -> Outcome {
    let minors = seen
        .items
        .iter()
        .any(|item| item.topics.iter().any(|topic| topic == "minors"));
    if minors {
        Err(
            "clauses about children change: write to guardians apart, in their own words"
                .to_owned(),
        )
    } else {
        Ok("no clause about children changes".to_owned())
    }
}
