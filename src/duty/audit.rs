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
    /// For a text that was put up: what looks at the place showed.
    pub looks: Looks,
}

/// What looks at a place where a text was put up showed, from the day it was put up to the effect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// Days on which it stood there.
    pub shown: Vec<Date>,
    /// Days on which something else, or nothing, stood there.
    pub missing: Vec<Date>,
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
    /// What looks at the places of these notices showed, all together.
    #[serde(default)]
    pub looks: Looks,
    /// For a promise of time in advance: by how many days less the text was public before its
    /// effect. From outside, that is all that can be seen.
    #[serde(default)]
    pub short_days: Option<i32>,
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
        looks: Looks::default(),
        short_days: None,
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
    let mut made: Vec<(String, Timestamp, Looks)> = version
        .notices
        .iter()
        .filter(|notice| serves(notice.channel, duty))
        .filter_map(|notice| {
            let at = notice.at?;
            let looks = notice.looks.between(day(at), effective);
            Some((notice.id.clone(), at, looks))
        })
        .collect();
    if duty.channels.contains(&Channel::Posting) {
        let posted = "the posted text".to_owned();
        made.push((posted, version.published, Looks::default()));
    }
    // One that stood there all the time proves more than one that came earlier and did not.
    made.sort_by_key(|(_, at, looks)| (*at > limit, !looks.missing.is_empty(), *at));
    let ids = |made: &[(String, Timestamp, Looks)]| made.iter().map(|m| m.0.clone()).collect();
    if let Some((id, at, looks)) = made.first() {
        let with_looks = |mut audited: Audited| {
            audited.looks.clone_from(looks);
            audited
        };
        if let (true, Some(first)) = (*at <= limit, looks.missing.first()) {
            return with_looks(answer(
                State::Unknown,
                None,
                ids(&made),
                format!(
                    "{id} was put up on {}, and {} of {} looks before the effect did not find it there (first on {first})",
                    day(*at),
                    looks.missing.len(),
                    looks.missing.len() + looks.shown.len()
                ),
            ));
        }
        if *at <= limit {
            let seen = match looks.shown.len() {
                0 => String::new(),
                1 => ", seen there on 1 day".to_owned(),
                days => format!(", seen there on {days} days"),
            };
            return with_looks(answer(
                State::Kept,
                None,
                ids(&made),
                format!("{id}: {}, in time (limit {}){seen}", day(*at), day(limit)),
            ));
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
        Side::Watcher if duty.timing == Timing::Before && version.published > limit => {
            let short = (day(version.published) - day(limit)).get_days().max(1);
            let mut one = answer(
                State::Unknown,
                None,
                Vec::new(),
                format!(
                    "the text was first seen on {} and applied from {effective}: {short} days short of the promised time in advance; whether users were written to before cannot be seen from outside",
                    day(version.published)
                ),
            );
            one.short_days = Some(short);
            one
        }
        Side::Watcher => answer(
            State::Unknown,
            None,
            Vec::new(),
            "a message to users cannot be seen from outside".to_owned(),
        ),
    }
}

impl Looks {
    /// Those of a stretch of days; the last day does not count.
    fn between(&self, from: Date, to: Date) -> Self {
        let within = |days: &[Date]| {
            days.iter()
                .copied()
                .filter(|day| (from..to).contains(day))
                .collect()
        };
        Self {
            shown: within(&self.shown),
            missing: within(&self.missing),
        }
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
                    looks: Looks::default(),
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

    #[test]
    fn a_text_that_did_not_stand_where_it_was_put_proves_nothing() {
        let mut duty = promise();
        duty.channels = vec![Channel::Website];
        let made = |missing: &[&str]| {
            let version = PastVersion {
                version: "v2".to_owned(),
                published: "2027-01-20T00:00:00Z".parse().unwrap(),
                effective: Some("2027-03-03".parse().unwrap()),
                withdrawn: false,
                triggered: vec![(duty.clone(), Vec::new())],
                notices: vec![NoticeRecord {
                    id: "n1".to_owned(),
                    channel: Channel::Website,
                    at: Some("2027-01-20T00:00:00Z".parse().unwrap()),
                    looks: Looks {
                        shown: vec!["2027-01-21".parse().unwrap()],
                        missing: missing.iter().map(|day| day.parse().unwrap()).collect(),
                    },
                }],
            };
            let now = "2027-06-01T00:00:00Z".parse().unwrap();
            let mut done = audit(&[version], Side::Owner, None, &[], &Holidays::new(), now);
            done.remove(0).duties.remove(0)
        };
        let kept = made(&[]);
        assert_eq!(kept.state, State::Kept);
        assert!(kept.why.contains("seen there on 1 day"), "{}", kept.why);
        let gone = made(&["2027-01-25"]);
        assert_eq!(gone.state, State::Unknown);
        assert!(gone.why.contains("first on 2027-01-25"), "{}", gone.why);
        // After the effect it may be taken down.
        assert_eq!(made(&["2027-03-03"]).state, State::Kept);
    }

    #[test]
    fn from_outside_a_lead_that_was_not_given_is_said_in_days() {
        let version = PastVersion {
            version: "v2".to_owned(),
            published: "2027-03-01T00:00:00Z".parse().unwrap(),
            effective: None,
            withdrawn: false,
            triggered: vec![(promise(), Vec::new())],
            notices: Vec::new(),
        };
        let now = "2027-06-01T00:00:00Z".parse().unwrap();
        let done = audit(&[version], Side::Watcher, None, &[], &Holidays::new(), now);
        // Thirty full days and the day of sending itself.
        assert_eq!(done[0].duties[0].short_days, Some(31));
        assert_eq!(done[0].duties[0].state, State::Unknown);
    }
}
