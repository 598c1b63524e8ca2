//! Promises held against the record: for each past version, what had been promised, what the
//! change triggered, what notices there were, and whether each promise was kept.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    Channel, Duty, Lead, Timing,
    calendar::{self, Holidays},
};

/// A version of the past and what led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastVersion {
    /// Its id.
    pub version: String,
    /// When it was put up (or first seen).
    pub published: Timestamp,
    /// The day on which it took effect, if one is known; else it was the day of publication.
    pub effective: Option<Date>,
    /// Whether the effect was withdrawn.
    pub withdrawn: bool,
    /// The promises of the version before that its changes triggered, with their findings.
    pub triggered: Vec<(Duty, Vec<String>)>,
    /// The notices on record for it.
    pub notices: Vec<NoticeRecord>,
}

/// A notice on record.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRecord {
    /// Its id.
    pub id: String,
    /// Where it was made.
    pub channel: Channel,
    /// When the last message went out, or the text was put up; `None` when it never was.
    pub at: Option<Timestamp>,
    /// For a text that was put up: whether looks at the place confirm it.
    pub confirmed: Option<bool>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The company itself: what is not on record was not done.
    Owner,
    /// Somebody outside: mail to users cannot be seen.
    Watcher,
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Kept.
    Kept,
    /// A notice was made, too late.
    Late,
    /// No notice was made, and its time has passed.
    Broken,
    /// It cannot be told.
    Unknown,
    /// Its time has not come.
    Open,
}

/// A promise and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// The promise.
    pub duty: Duty,
    /// Findings that triggered it.
    pub because: Vec<String>,
    /// What became of it.
    pub state: State,
    /// By how many days it was late.
    pub late_days: Option<i32>,
    /// The notices that count for it.
    pub notices: Vec<String>,
    /// Why this state, for people.
    pub why: String,
}

/// A version with its promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditedVersion {
    /// Its id.
    pub version: String,
    /// When it was put up.
    pub published: Timestamp,
    /// The day on which it took effect.
    pub effective: Option<Date>,
    /// Its promises.
    pub duties: Vec<Audited>,
}

/// Holds a history against its promises.
pub fn audit(
    history: &[PastVersion],
    side: Side,
    house_lead_days: Option<u32>,
    zones: &[TimeZone],
    holidays: &Holidays,
    now: Timestamp,
) -> Vec<AuditedVersion> {
    history
        .iter()
        .map(|version| AuditedVersion {
            version: version.version.clone(),
            published: version.published,
            effective: version.effective,
            duties: version
                .triggered
                .iter()
                .map(|(duty, because)| {
                    let mut one = judge(version, duty, side, house_lead_days, zones, holidays, now);
                    one.because.clone_from(because);
                    one
                })
                .collect(),
        })
        .collect()
}

fn judge(
    version: &PastVersion,
    duty: &Duty,
    side: Side,
    house: Option<u32>,
    zones: &[TimeZone],
    holidays: &Holidays,
    now: Timestamp,
) -> Audited {
    let put_up = version.published.to_zoned(calendar::earliest_zone(
        version.published.to_zoned(TimeZone::UTC).date(),
        zones,
    ));
    let effective = version.effective.unwrap_or(put_up.date());
    let answer = |state, late_days, notices, why: String| Audited {
        duty: duty.clone(),
        because: Vec::new(),
        state,
        late_days,
        notices,
        why,
    };
    if version.withdrawn {
        return answer(
            State::Kept,
            None,
            Vec::new(),
            "the change was withdrawn before its effect".to_owned(),
        );
    }
    let last = match duty.timing {
        Timing::Before => {
            // A promise without a number is kept by any notice before the effect; the house
            // minimum is the house's own measure.
            let lead = duty.lead.unwrap_or(Lead {
                count: if side == Side::Owner {
                    house.unwrap_or(0)
                } else {
                    0
                },
                unit: super::LeadUnit::Days,
            });
            calendar::last_day_to_send(effective, lead, holidays)
        }
        Timing::At => Some(effective),
        Timing::Unspecified => effective.yesterday().ok().max(Some(put_up.date())),
        Timing::After => calendar::end_of_period(
            effective,
            duty.lead.unwrap_or(Lead {
                count: 14,
                unit: super::LeadUnit::Days,
            }),
            holidays,
        ),
    };
    let Some(limit) = last.and_then(|day| calendar::end_of_day(day, zones)) else {
        return answer(
            State::Unknown,
            None,
            Vec::new(),
            "the date is out of the calendar".to_owned(),
        );
    };
    let mut made: Vec<(String, Timestamp, Option<bool>)> = version
        .notices
        .iter()
        .filter(|notice| serves(notice.channel, duty))
        .filter_map(|notice| Some((notice.id.clone(), notice.at?, notice.confirmed)))
        .collect();
    if duty.channels.contains(&Channel::Posting) {
        made.push(("the posted text".to_owned(), version.published, Some(true)));
    }
    made.sort_by_key(|(_, at, _)| *at);
    let ids = |made: &[(String, Timestamp, Option<bool>)]| {
        made.iter().map(|(id, _, _)| id.clone()).collect()
    };
    if let Some((id, at, confirmed)) = made.first() {
        if *confirmed == Some(false) {
            return answer(
                State::Unknown,
                None,
                ids(&made),
                format!("{id} is on record, and looks at the place do not show it"),
            );
        }
        if *at <= limit {
            return answer(
                State::Kept,
                None,
                ids(&made),
                format!("{id}: {}, in time (limit {})", day(*at), day(limit)),
            );
        }
        let late = (day(*at) - day(limit)).get_days().max(1);
        return answer(
            State::Late,
            Some(late),
            ids(&made),
            format!(
                "{id}: {}, {late} days after the limit of {}",
                day(*at),
                day(limit)
            ),
        );
    }
    if limit >= now {
        return answer(
            State::Open,
            None,
            Vec::new(),
            format!("until {}", day(limit)),
        );
    }
    match side {
        Side::Owner => answer(
            State::Broken,
            None,
            Vec::new(),
            format!("no notice on record by {}", day(limit)),
        ),
        Side::Watcher if duty.timing == Timing::Before && version.published > limit => answer(
            State::Unknown,
            None,
            Vec::new(),
            format!(
                "the text was put up on {} and applied from {effective}, without the promised time in advance; a message to users cannot be seen from outside",
                day(version.published)
            ),
        ),
        Side::Watcher => answer(
            State::Unknown,
            None,
            Vec::new(),
            "a message to users cannot be seen from outside".to_owned(),
        ),
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn serves(channel: Channel, duty: &Duty) -> bool {
    duty.channels.iter().any(|wanted| match wanted {
        Channel::Direct => matches!(
            channel,
            Channel::Email
                | Channel::InProduct
                | Channel::Push
                | Channel::Sms
                | Channel::Phone
                | Channel::Post
        ),
        Channel::Other => channel != Channel::Posting,
        exact => *exact == channel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{duty::find, read};

    fn promise() -> Duty {
        let text = "# Terms of Use\n\n## Changes to these terms\n\nIf we make material changes to these terms, we will notify you by email at least 30 days before they take effect.\n";
        find(
            &read::read(&read::Input {
                bytes: text.as_bytes(),
                format: Some(read::Format::Markdown),
                ..read::Input::default()
            })
            .unwrap(),
        )
        .duties
        .remove(0)
    }

    fn state(sent: Option<&str>, side: Side, now: &str) -> (State, Option<i32>) {
        let version = PastVersion {
            version: "v2".to_owned(),
            published: "2027-03-01T00:00:00Z".parse().unwrap(),
            effective: Some("2027-03-03".parse().unwrap()),
            withdrawn: false,
            triggered: vec![(promise(), vec!["f1".to_owned()])],
            notices: sent
                .map(|at| NoticeRecord {
                    id: "n1".to_owned(),
                    channel: Channel::Email,
                    at: Some(at.parse().unwrap()),
                    confirmed: None,
                })
                .into_iter()
                .collect(),
        };
        let audited = audit(
            &[version],
            side,
            None,
            &[],
            &Holidays::new(),
            now.parse().unwrap(),
        );
        (audited[0].duties[0].state, audited[0].duties[0].late_days)
    }

    #[test]
    fn kept_late_broken_unknown_open() {
        let later = "2027-06-01T00:00:00Z";
        assert_eq!(
            state(Some("2027-01-31T12:00:00Z"), Side::Owner, later),
            (State::Kept, None)
        );
        assert_eq!(
            state(Some("2027-02-03T12:00:00Z"), Side::Owner, later),
            (State::Late, Some(3))
        );
        assert_eq!(state(None, Side::Owner, later), (State::Broken, None));
        assert_eq!(state(None, Side::Watcher, later), (State::Unknown, None));
        assert_eq!(
            state(None, Side::Owner, "2027-01-15T00:00:00Z"),
            (State::Open, None)
        );
    }
}
