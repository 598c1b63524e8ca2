//! The life of a notice: `state, event, now → state, effects`, or why not.
//!
//! ```text
//!            set, edit, write                 edit, set, write (the approval falls)
//!             ┌──────┐                    ┌─────────────────────────┐
//!             ▼      │                    ▼                         │
//!  draft ─► drafted ─┴── approve ──► (enough people?) ── yes ──► approved ── publish ─► published
//!             │                                                     │                  (not mail)
//!             └───────────────────────► cancelled ◄─────────────────┘
//! ```
//!
//! Always holds: a notice in [`State::Approved`] or [`State::Published`] has, over its present
//! hash, the approvals of as many different people as the rules ask for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{
    Approval, Attachment, Channel, CheckResult, Edit, FIELDS, Notice, Overrule, Part, Publication,
    State, Text,
    model::{same_person, sha256},
};

/// Something that happens to a notice.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The company says something that only it can say; an empty value takes it back.
    SetField {
        /// One of [`FIELDS`], with `.LANG` behind it for one language only.
        name: String,
        /// What it says.
        value: String,
    },
    /// A person edits a text.
    Edit {
        /// Language of the text.
        language: String,
        /// Which part.
        part: Part,
        /// The new words.
        words: String,
        /// Who.
        by: String,
    },
    /// The templates wrote it anew (fields, dates or the plan changed).
    Written {
        /// The texts; edited parts are already kept in them.
        texts: BTreeMap<String, Text>,
        /// The attachments.
        attachments: Vec<Attachment>,
        /// The day of effect.
        effective: Option<Date>,
        /// The last instant to send.
        send_by: Option<Timestamp>,
        /// Whether consent must be asked for.
        consent_needed: bool,
        /// The findings that it tells now (a review may have changed them).
        findings: Vec<String>,
    },
    /// The checklist was run over the present text.
    Checked(Vec<CheckResult>),
    /// A person approves the text as it is.
    Approve {
        /// Who.
        by: String,
        /// The checklist, run just now.
        checks: Vec<CheckResult>,
        /// Checks accepted although they fail, with reasons.
        overrule: BTreeMap<String, String>,
    },
    /// The text was put up.
    Publish {
        /// Where and since when.
        publication: Publication,
    },
    /// It is given up.
    Cancel,
}

/// What must be done because of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write the unedited texts anew from the templates.
    Write,
    /// Run the checklist.
    Check,
    /// Tell these people that their approval does not count any more.
    ApprovalsFell(Vec<String>),
    /// It may be sent or put up now.
    Approved,
    /// So many more people must approve.
    ApprovalsMissing(usize),
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The state does not allow it.
    #[error("notice {notice} is {state}: {what} is not possible any more; {hint}")]
    State {
        /// Id.
        notice: String,
        /// Its state.
        state: State,
        /// What was asked.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// There is no such field.
    #[error(
        "there is no field `{0}`; the fields are {list}, each with .LANG behind it for one \
         language", list = FIELDS.join(", ")
    )]
    Field(String),
    /// A value does not fit its field.
    #[error("`{value}` does not fit the field {field}: {expected}")]
    Value {
        /// The field.
        field: String,
        /// What was given.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
    /// There is no text in that language.
    #[error("notice {notice} has no text in `{language}`; it has {known}")]
    Language {
        /// Id.
        notice: String,
        /// The language.
        language: String,
        /// Languages that are there.
        known: String,
    },
    /// Checks fail.
    #[error("notice {notice} cannot be approved: {list}", list = list(.unmet))]
    Unmet {
        /// Id.
        notice: String,
        /// Ids and details of the failing checks.
        unmet: Vec<(String, String)>,
    },
    /// An overruled check does not exist, or its reason is empty.
    #[error("the check `{check}` cannot be overruled: {why}")]
    Overrule {
        /// Id of the check.
        check: String,
        /// Why not.
        why: &'static str,
    },
    /// Nobody is named.
    #[error("an approval needs the name of the person who gives it")]
    Nobody,
    /// The same person approved before.
    #[error("{by} has approved this text already; a second, different person must")]
    Twice {
        /// Who.
        by: String,
    },
    /// Mail is not put up.
    #[error("notice {0} is a mail: a campaign sends it; only texts that are not mailed are put up")]
    Mail(String),
    /// A memo is not for the public.
    #[error("notice {0} is an internal memo and is never put up")]
    Memo(String),
    /// It is not approved.
    #[error("notice {0} is not approved as it is now; approve it first")]
    NotApproved(String),
}

fn list(unmet: &[(String, String)]) -> String {
    unmet
        .iter()
        .map(|(id, detail)| format!("{id} ({detail})"))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Takes one step. `approvals` is how many different people must approve; 0 counts as 1.
///
/// # Errors
/// When the state or the event's content does not allow it; the notice is then unchanged.
pub fn step(
    notice: &Notice,
    event: Event,
    approvals: usize,
    now: Timestamp,
) -> Result<(Notice, Vec<Effect>), LifecycleError> {
    let mut next = notice.clone();
    let mut effects = Vec::new();
    let open = |what| match notice.state {
        State::Drafted | State::Approved => Ok(()),
        State::Published => Err(LifecycleError::State {
            notice: notice.id.clone(),
            state: notice.state,
            what,
            hint: "draft a correction, which names this notice",
        }),
        State::Cancelled => Err(LifecycleError::State {
            notice: notice.id.clone(),
            state: notice.state,
            what,
            hint: "draft a new one",
        }),
    };
    match event {
        Event::SetField { name, value } => {
            open("setting a field")?;
            let value = field_value(&name, &value)?;
            match value {
                Some(value) => next.fields.insert(name, value),
                None => next.fields.remove(&name),
            };
            effects.push(Effect::Write);
        }
        Event::Edit {
            language,
            part,
            words,
            by,
        } => {
            open("an edit")?;
            let missing = || LifecycleError::Language {
                notice: notice.id.clone(),
                language: language.clone(),
                known: notice.texts.keys().cloned().collect::<Vec<_>>().join(", "),
            };
            let text = next.texts.get_mut(&language).ok_or_else(missing)?;
            let before = part_of(text, part).unwrap_or_default().to_owned();
            if before == words {
                return Ok((next, effects));
            }
            let edit = Edit {
                language: language.clone(),
                part,
                by,
                at: now,
                before: sha256(before.as_bytes()),
                after: sha256(words.as_bytes()),
            };
            match part {
                Part::Subject => text.subject = Some(words),
                Part::Text => text.text = words,
                Part::Html => text.html = Some(words),
            }
            next.edits.push(edit);
            effects.push(Effect::Check);
        }
        Event::Written {
            texts,
            attachments,
            effective,
            send_by,
            consent_needed,
            findings,
        } => {
            open("writing it anew")?;
            next.findings = findings;
            next.texts = texts;
            next.attachments = attachments;
            next.effective = effective;
            next.send_by = send_by;
            next.consent_needed = consent_needed;
            effects.push(Effect::Check);
        }
        Event::Checked(checks) => {
            next.checks = merged(&notice.checks, checks, true);
        }
        Event::Approve {
            by,
            checks,
            overrule,
        } => {
            open("an approval")?;
            approve(&mut next, &by, checks, overrule, now)?;
            let missing = approvals.max(1).saturating_sub(next.approved_by().len());
            if missing == 0 {
                next.state = State::Approved;
                effects.push(Effect::Approved);
            } else {
                effects.push(Effect::ApprovalsMissing(missing));
            }
        }
        Event::Publish { publication } => {
            match notice.channel {
                Channel::Email => return Err(LifecycleError::Mail(notice.id.clone())),
                Channel::Memo => return Err(LifecycleError::Memo(notice.id.clone())),
                _ => {}
            }
            let is_open = matches!(notice.state, State::Approved | State::Published);
            if !is_open || notice.approved_by().len() < approvals.max(1) {
                return Err(LifecycleError::NotApproved(notice.id.clone()));
            }
            next.publications.push(publication);
            next.state = State::Published;
        }
        Event::Cancel => {
            open("cancelling")?;
            next.state = State::Cancelled;
        }
    }
    // Whatever happened: an approval is over the bytes it was given for, and over no others.
    if next.hash() != notice.hash() {
        let fell: BTreeSet<String> = notice
            .approved_by()
            .into_iter()
            .map(str::to_owned)
            .collect();
        if !fell.is_empty() {
            effects.push(Effect::ApprovalsFell(fell.into_iter().collect()));
        }
        for check in &mut next.checks {
            check.overruled = None;
        }
        if next.state == State::Approved {
            next.state = State::Drafted;
        }
    }
    Ok((next, effects))
}

fn approve(
    next: &mut Notice,
    by: &str,
    checks: Vec<CheckResult>,
    overrule: BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), LifecycleError> {
    let by = by.trim();
    if by.is_empty() {
        return Err(LifecycleError::Nobody);
    }
    if next
        .approved_by()
        .iter()
        .any(|known| same_person(known, by))
    {
        return Err(LifecycleError::Twice { by: by.to_owned() });
    }
    let mut checks = merged(&next.checks, checks, !next.approved_by().is_empty());
    for (id, reason) in overrule {
        let Some(check) = checks.iter_mut().find(|check| check.id == id) else {
            return Err(LifecycleError::Overrule {
                check: id,
                why: "there is no such check for this notice",
            });
        };
        if reason.trim().is_empty() {
            return Err(LifecycleError::Overrule {
                check: id,
                why: "a reason is needed",
            });
        }
        if !check.met {
            check.overruled = Some(Overrule {
                reason,
                by: by.to_owned(),
                at: now,
            });
        }
    }
    let unmet: Vec<(String, String)> = checks
        .iter()
        .filter(|check| check.blocks())
        .map(|check| (check.id.clone(), check.detail.clone()))
        .collect();
    if !unmet.is_empty() {
        return Err(LifecycleError::Unmet {
            notice: next.id.clone(),
            unmet,
        });
    }
    next.checks = checks;
    next.approvals.push(Approval {
        by: by.to_owned(),
        at: now,
        hash: next.hash(),
    });
    Ok(())
}

/// New results; a failure that was overruled stays so while the very same thing is said of it.
fn merged(old: &[CheckResult], new: Vec<CheckResult>, keep: bool) -> Vec<CheckResult> {
    new.into_iter()
        .map(|mut check| {
            if keep && !check.met && check.overruled.is_none() {
                check.overruled = old
                    .iter()
                    .find(|o| o.id == check.id && o.detail == check.detail)
                    .and_then(|o| o.overruled.clone());
            }
            check
        })
        .collect()
}

/// The words of a part.
pub fn part_of(text: &Text, part: Part) -> Option<&str> {
    match part {
        Part::Subject => text.subject.as_deref(),
        Part::Text => Some(&text.text),
        Part::Html => text.html.as_deref(),
    }
}

/// Checks a field's name and value; `None` takes the field back.
fn field_value(name: &str, value: &str) -> Result<Option<String>, LifecycleError> {
    let (field, language) = name.split_once('.').unwrap_or((name, "en"));
    let is_tag = !language.is_empty()
        && language
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !FIELDS.contains(&field) || !is_tag {
        return Err(LifecycleError::Field(name.to_owned()));
    }
    let value = value.trim();
    if value.is_empty() {
        return Ok(None);
    }
    let wrong = |expected| LifecycleError::Value {
        field: name.to_owned(),
        value: value.to_owned(),
        expected,
    };
    match field {
        "effective" => {
            if name != "effective" {
                return Err(wrong("the day of effect is the same in all languages"));
            }
            value
                .parse::<Date>()
                .map_err(|_| wrong("a day such as 2027-03-01"))?;
        }
        "new_url" | "old_url" | "redline_url" => {
            let rest = value
                .strip_prefix("https://")
                .or_else(|| value.strip_prefix("http://"))
                .unwrap_or_default();
            let is_address = !rest.is_empty()
                && !value
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control() || "<>\"{}".contains(c));
            if !is_address {
                return Err(wrong("a web address that starts with https://"));
            }
        }
        _ => {}
    }
    Ok(Some(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notice::model::tests::sample;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn met(id: &str, met: bool) -> CheckResult {
        CheckResult {
            id: id.into(),
            met,
            detail: "seen".into(),
            advice: false,
            overruled: None,
        }
    }

    fn approve(by: &str) -> Event {
        Event::Approve {
            by: by.into(),
            checks: vec![met("reason-given", true)],
            overrule: BTreeMap::new(),
        }
    }

    fn edit(words: &str) -> Event {
        Event::Edit {
            language: "en".into(),
            part: Part::Text,
            words: words.into(),
            by: "Eva".into(),
        }
    }

    #[test]
    fn an_edit_fells_the_approval() {
        let (approved, effects) = step(&sample(), approve("Ada"), 1, NOW).unwrap();
        assert_eq!(effects, [Effect::Approved]);
        assert!(approved.is_approved(1));
        let (edited, effects) = step(&approved, edit("New words"), 1, NOW).unwrap();
        assert_eq!(edited.state, State::Drafted);
        assert!(effects.contains(&Effect::ApprovalsFell(vec!["Ada".into()])));
        assert!(!edited.is_approved(1));
        // The very same edit again changes nothing.
        let (same, effects) = step(&edited, edit("New words"), 1, NOW).unwrap();
        assert_eq!((same, effects), (edited, vec![]));
    }

    #[test]
    fn a_second_person_is_another_person() {
        let (once, effects) = step(&sample(), approve("Ada"), 2, NOW).unwrap();
        assert_eq!(effects, [Effect::ApprovalsMissing(1)]);
        assert_eq!(once.state, State::Drafted);
        let error = step(&once, approve(" ADA "), 2, NOW).unwrap_err();
        assert!(matches!(error, LifecycleError::Twice { .. }));
        let (twice, _) = step(&once, approve("Bea"), 2, NOW).unwrap();
        assert!(twice.is_approved(2));
    }

    #[test]
    fn a_failing_check_stops_it_unless_overruled_with_a_reason() {
        let failing = |overrule: &[(&str, &str)]| Event::Approve {
            by: "Ada".into(),
            checks: vec![met("reason-given", false)],
            overrule: overrule
                .iter()
                .map(|(id, reason)| ((*id).to_owned(), (*reason).to_owned()))
                .collect(),
        };
        let error = step(&sample(), failing(&[]), 1, NOW).unwrap_err();
        assert!(error.to_string().contains("reason-given"), "{error}");
        assert!(step(&sample(), failing(&[("reason-given", " ")]), 1, NOW).is_err());
        assert!(step(&sample(), failing(&[("no-such", "x")]), 1, NOW).is_err());
        let fine = failing(&[("reason-given", "counsel says none is needed")]);
        let (approved, _) = step(&sample(), fine, 1, NOW).unwrap();
        assert!(approved.is_approved(1));
        assert_eq!(approved.checks[0].overruled.as_ref().unwrap().by, "Ada");
    }

    #[test]
    fn mail_is_not_put_up_and_an_unapproved_text_neither() {
        let publication = || Event::Publish {
            publication: Publication {
                at: "https://maps.example/".into(),
                from: NOW,
                by: None,
                proof: None,
            },
        };
        assert!(matches!(
            step(&sample(), publication(), 1, NOW),
            Err(LifecycleError::Mail(_))
        ));
        let mut banner = sample();
        banner.channel = Channel::Website;
        assert!(matches!(
            step(&banner, publication(), 1, NOW),
            Err(LifecycleError::NotApproved(_))
        ));
        let (banner, _) = step(&banner, approve("Ada"), 1, NOW).unwrap();
        let (banner, _) = step(&banner, publication(), 1, NOW).unwrap();
        assert_eq!(banner.state, State::Published);
        let error = step(&banner, edit("x"), 1, NOW).unwrap_err();
        assert!(error.to_string().contains("correction"), "{error}");
    }

    #[test]
    fn fields_are_checked() {
        let set = |name: &str, value: &str| {
            step(
                &sample(),
                Event::SetField {
                    name: name.into(),
                    value: value.into(),
                },
                1,
                NOW,
            )
        };
        assert!(set("reason", "A law").is_ok());
        assert!(set("reason.zh", "法律").is_ok());
        assert!(set("resaon", "A law").is_err());
        assert!(set("effective", "tomorrow").is_err());
        assert!(set("effective", "2027-02-01").is_ok());
        assert!(set("new_url", "javascript:alert(1)").is_err());
        assert!(set("new_url", "https://maps.example/terms").is_ok());
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            "[a-c]{0,2}".prop_map(|words| edit(&words)),
            ("[a-b]", any::<bool>(), any::<bool>()).prop_map(|(by, fine, over)| Event::Approve {
                by,
                checks: vec![met("x", fine)],
                overrule: if over {
                    BTreeMap::from([("x".to_owned(), "because".to_owned())])
                } else {
                    BTreeMap::new()
                },
            }),
            "[a-c]{0,2}".prop_map(|value| Event::SetField {
                name: "reason".into(),
                value
            }),
            (0i8..3).prop_map(|day| Event::Written {
                texts: sample().texts,
                attachments: vec![],
                effective: Some(jiff::civil::date(2027, 1, day + 1)),
                send_by: None,
                consent_needed: false,
                findings: vec![],
            }),
            any::<bool>().prop_map(|fine| Event::Checked(vec![met("x", fine)])),
            Just(Event::Publish {
                publication: Publication {
                    at: "the front page".into(),
                    from: NOW,
                    by: None,
                    proof: None
                }
            }),
            Just(Event::Cancel),
        ]
    }

    proptest! {
        #[test]
        fn it_is_never_sendable_without_valid_approvals_of_the_present_hash(
            events in prop::collection::vec(event(), 0..24), needed in 1usize..3, mail: bool
        ) {
            let mut notice = sample();
            if !mail {
                notice.channel = Channel::Website;
            }
            for event in events {
                if let Ok((next, _)) = step(&notice, event, needed, NOW) {
                    notice = next;
                }
                if matches!(notice.state, State::Approved | State::Published) {
                    let hash = notice.hash();
                    let people: BTreeSet<&str> = notice
                        .approvals
                        .iter()
                        .filter(|a| a.hash == hash)
                        .map(|a| a.by.as_str())
                        .collect();
                    prop_assert!(people.len() >= needed);
                    prop_assert!(notice.channel != Channel::Email || notice.state != State::Published);
                }
                prop_assert!(notice.is_approved(needed) == (notice.state == State::Approved));
            }
        }
    }
}
