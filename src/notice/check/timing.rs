//! Days and times.

use super::{Outcome, seen::Seen};

pub(super) fn date_given(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall has no day of effect".to_owned());
    }
    let Some(effective) = seen.notice.effective else {
        return Err(
            "no day of effect is known: set the field effective, or state it in the new text"
                .to_owned(),
        );
    };
    let long = seen.words.date(effective);
    if seen.holds(&long) {
        Ok(long)
    } else {
        Err(format!("{} does not say {long}", seen.lacking(&long)))
    }
}

pub(super) fn date_leaves_lead(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall has no day of effect".to_owned());
    }
    let plan = seen.basis.ground.plan;
    let mut rules: Vec<&str> = Vec::new();
    for duty in &plan.duties {
        if !duty.rule.is_empty() && !rules.contains(&duty.rule.as_str()) {
            rules.push(&duty.rule);
        }
    }
    let earliest = plan
        .earliest_effective
        .map(|day| format!("; the earliest day is {}", seen.words.date(day)))
        .unwrap_or_default();
    if plan.too_early {
        return Err(format!(
            "the day of effect leaves too little time{earliest}"
        ));
    }
    match seen.notice.send_by {
        Some(send_by) if send_by < seen.basis.now => Err(format!(
            "the last message had to be out by {send_by}{earliest}"
        )),
        Some(send_by) => Ok(format!("by {send_by} ({})", rules.join("; "))),
        None => match seen.notice.effective {
            Some(day) if day < seen.basis.now.to_zoned(jiff::tz::TimeZone::UTC).date() => {
                Err(format!("the day of effect, {day}, is past"))
            }
            _ => Ok("no duty asks for a time".to_owned()),
        },
    }
}
