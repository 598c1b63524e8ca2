//! Counting time for notices.
//!
//! A lead is counted in full days of the recipient: a notice sent in the course of a day does not
//! use that day, and with a lead of 30 days there are 30 whole days between the day of sending and
//! the day of effect. Where recipients live in several time zones, the one where the day begins
//! earliest counts. A month is a calendar month: from 31 January to the last day of February.
//! Business days leave out Saturdays, Sundays and the holidays that are given.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::{Lead, LeadUnit};

/// Days that are no business days, beside Saturdays and Sundays.
pub type Holidays = BTreeSet<Date>;

/// The last day on which a notice may go out for an effect at the start of `effective`.
///
/// Days, weeks and business days are full days between sending and effect; months are calendar
/// months back from the day of effect (the last day of the month where there is no such day);
/// hours become the full days that hold them. `None` when the calendar ends before.
pub fn last_day_to_send(effective: Date, lead: Lead, holidays: &Holidays) -> Option<Date> {
    let count = i64::from(lead.count);
    match lead.unit {
        LeadUnit::Hours => back(effective, i64::from(lead.days()) + 1),
        LeadUnit::Days => back(effective, count + 1),
        LeadUnit::Weeks => back(effective, count.checked_mul(7)? + 1),
        LeadUnit::Months => {
            let day = effective.checked_sub(count.months()).ok()?;
            back(day, 1)
        }
        LeadUnit::Years => {
            let day = effective.checked_sub(count.years()).ok()?;
            back(day, 1)
        }
        LeadUnit::BusinessDays => {
            let mut day = effective;
            let mut left = count;
            while left > 0 {
                day = back(day, 1)?;
                if is_business_day(day, holidays) {
                    left -= 1;
                }
            }
            back(day, 1)
        }
    }
}

fn back(day: Date, days: i64) -> Option<Date> {
    day.checked_sub(days.days()).ok()
}

/// The earliest day of effect for a notice that goes out in the course of `sent`.
///
/// It is the first day for which [`last_day_to_send`] is not before `sent`.
pub fn earliest_effective(sent: Date, lead: Lead, holidays: &Holidays) -> Option<Date> {
    let guess = match lead.unit {
        LeadUnit::Months => sent.checked_add(i64::from(lead.count).months()).ok()?,
        LeadUnit::Years => sent.checked_add(i64::from(lead.count).years()).ok()?,
        _ => sent.checked_add(i64::from(lead.days()).days()).ok()?,
    };
    let mut day = guess;
    // Month ends move the answer by a few days, business days by weekends and holidays.
    for _ in 0..4_000 {
        if last_day_to_send(day, lead, holidays).is_some_and(|last| last >= sent) {
            return Some(day);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// The last day of a period that starts after an event on `from` (HIPAA's 60 days, a right of
/// withdrawal): the day of the event does not count.
pub fn end_of_period(from: Date, period: Lead, holidays: &Holidays) -> Option<Date> {
    let count = i64::from(period.count);
    match period.unit {
        LeadUnit::Hours => from.checked_add(i64::from(period.days()).days()).ok(),
        LeadUnit::Days => from.checked_add(count.days()).ok(),
        LeadUnit::Weeks => from.checked_add(count.weeks()).ok(),
        LeadUnit::Months => from.checked_add(count.months()).ok(),
        LeadUnit::Years => from.checked_add(count.years()).ok(),
        LeadUnit::BusinessDays => {
            let mut day = from;
            let mut left = count;
            while left > 0 {
                day = day.tomorrow().ok()?;
                if is_business_day(day, holidays) {
                    left -= 1;
                }
            }
            Some(day)
        }
    }
}

/// Whether a day is neither weekend nor holiday.
pub fn is_business_day(day: Date, holidays: &Holidays) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(&day)
}

/// The zone among several where a day begins (and ends) first; UTC when none is named.
pub fn earliest_zone(day: Date, zones: &[TimeZone]) -> TimeZone {
    zones
        .iter()
        .filter_map(|zone| {
            day.to_zoned(zone.clone())
                .ok()
                .map(|start| (start.timestamp(), zone.clone()))
        })
        .min_by_key(|(start, _)| *start)
        .map_or(TimeZone::UTC, |(_, zone)| zone)
}

/// The instant at which a day ends in the earliest of the zones concerned: the last message of
/// that day must be out before it. Days of daylight saving have 23 or 25 hours and end like others.
pub fn end_of_day(day: Date, zones: &[TimeZone]) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    let start = next.to_zoned(earliest_zone(next, zones)).ok()?;
    start.timestamp().checked_sub(1.second()).ok()
}

/// The day that it is at an instant where days begin first: sending counts from the latest day
/// that any recipient has.
pub fn day_of_sending(now: Timestamp, zones: &[TimeZone]) -> Date {
    zones
        .iter()
        .map(|zone| now.to_zoned(zone.clone()).date())
        .max()
        .unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date())
}

/// The rule of counting, for people.
pub fn rule(lead: Lead) -> String {
    match lead.unit {
        LeadUnit::Months => format!(
            "{lead}: counted back from the day of effect (the month's last day where there is no such day), the day of sending not counted"
        ),
        LeadUnit::Years => {
            format!("{lead}: counted back from the day of effect, the day of sending not counted")
        }
        LeadUnit::BusinessDays => format!(
            "{lead}: full days between sending and effect, without Saturdays, Sundays and the holidays given"
        ),
        LeadUnit::Hours => {
            format!("{lead}: as the full days that hold them, between sending and effect")
        }
        LeadUnit::Days | LeadUnit::Weeks => format!(
            "{lead}: full days between the day of sending and the day of effect, neither counted"
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn lead(count: u32, unit: LeadUnit) -> Lead {
        Lead { count, unit }
    }

    #[test]
    fn table_of_last_days_to_send() {
        use LeadUnit::{BusinessDays, Days, Hours, Months, Weeks, Years};
        let holidays: Holidays = [date(2026, 12, 25)].into();
        for (effective, count, unit, last) in [
            // Full days: 1..=30 January lie between.
            (date(2027, 1, 31), 30, Days, date(2026, 12, 31)),
            (date(2027, 3, 2), 30, Days, date(2027, 1, 30)),
            // Over the leap day: February 2028 has 29 days.
            (date(2028, 3, 2), 30, Days, date(2028, 1, 31)),
            (date(2027, 3, 2), 7, Days, date(2027, 2, 22)),
            (date(2027, 3, 2), 0, Days, date(2027, 3, 1)),
            (date(2027, 3, 16), 2, Weeks, date(2027, 3, 1)),
            // One month is not thirty days.
            (date(2027, 3, 31), 1, Months, date(2027, 2, 27)),
            (date(2028, 3, 31), 1, Months, date(2028, 2, 28)),
            (date(2027, 3, 1), 1, Months, date(2027, 1, 31)),
            (date(2027, 5, 1), 2, Months, date(2027, 2, 28)),
            (date(2027, 7, 31), 1, Months, date(2027, 6, 29)),
            (date(2028, 2, 29), 1, Years, date(2027, 2, 27)),
            // Ten business days before Monday 4 January 2027, Christmas left out.
            (date(2027, 1, 4), 10, BusinessDays, date(2026, 12, 17)),
            (date(2027, 1, 4), 1, BusinessDays, date(2026, 12, 31)),
            (date(2027, 3, 2), 72, Hours, date(2027, 2, 26)),
            (date(2027, 3, 2), 30, Hours, date(2027, 2, 27)),
        ] {
            assert_eq!(
                last_day_to_send(effective, lead(count, unit), &holidays),
                Some(last),
                "{effective} {count} {unit:?}"
            );
        }
    }

    #[test]
    fn table_of_earliest_days_of_effect() {
        use LeadUnit::{BusinessDays, Days, Months};
        for (sent, count, unit, first) in [
            (date(2026, 12, 31), 30, Days, date(2027, 1, 31)),
            (date(2027, 1, 31), 1, Months, date(2027, 3, 1)),
            (date(2028, 1, 31), 1, Months, date(2028, 3, 1)),
            (date(2027, 1, 30), 1, Months, date(2027, 3, 1)),
            (date(2027, 1, 15), 1, Months, date(2027, 2, 16)),
            (date(2027, 1, 1), 5, BusinessDays, date(2027, 1, 9)),
        ] {
            assert_eq!(
                earliest_effective(sent, lead(count, unit), &Holidays::new()),
                Some(first),
                "{sent} {count} {unit:?}"
            );
        }
    }

    #[test]
    fn a_day_ends_first_in_the_east_and_whatever_the_clocks_do() {
        let zone = |name: &str| TimeZone::get(name).unwrap();
        let zones = [zone("America/Los_Angeles"), zone("Asia/Seoul")];
        assert_eq!(
            end_of_day(date(2027, 1, 29), &zones).unwrap().to_string(),
            "2027-01-29T14:59:59Z"
        );
        // Clocks go forward in Berlin on 28 March 2027: the day has 23 hours.
        assert_eq!(
            end_of_day(date(2027, 3, 28), &[zone("Europe/Berlin")])
                .unwrap()
                .to_string(),
            "2027-03-28T21:59:59Z"
        );
        assert_eq!(
            end_of_day(date(2027, 3, 27), &[zone("Europe/Berlin")])
                .unwrap()
                .to_string(),
            "2027-03-27T22:59:59Z"
        );
        assert_eq!(
            end_of_day(date(2027, 1, 1), &[]).unwrap().to_string(),
            "2027-01-01T23:59:59Z"
        );
        let now: Timestamp = "2027-01-01T20:00:00Z".parse().unwrap();
        assert_eq!(day_of_sending(now, &zones), date(2027, 1, 2));
    }

    #[test]
    fn periods_after_an_event() {
        let none = Holidays::new();
        assert_eq!(
            end_of_period(date(2027, 1, 1), lead(60, LeadUnit::Days), &none),
            Some(date(2027, 3, 2))
        );
        assert_eq!(
            end_of_period(date(2027, 1, 31), lead(1, LeadUnit::Months), &none),
            Some(date(2027, 2, 28))
        );
        assert_eq!(
            end_of_period(date(2027, 1, 1), lead(72, LeadUnit::Hours), &none),
            Some(date(2027, 1, 4))
        );
    }

    proptest! {
        #[test]
        fn the_earliest_effect_can_be_sent_for_and_no_earlier(day in 0i64..3_000, count in 0u32..100, unit in 0usize..4) {
            let unit = [LeadUnit::Days, LeadUnit::Weeks, LeadUnit::Months, LeadUnit::BusinessDays][unit];
            let count = if unit == LeadUnit::Months { count % 13 } else { count };
            let sent = date(2026, 1, 1).checked_add(day.days()).unwrap();
            let none = Holidays::new();
            let effect = earliest_effective(sent, lead(count, unit), &none).unwrap();
            prop_assert!(last_day_to_send(effect, lead(count, unit), &none).unwrap() >= sent);
            prop_assert!(effect > sent);
        }
    }
}
