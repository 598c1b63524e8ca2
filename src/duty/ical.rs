//! A plan's deadlines as an iCalendar file, the same bytes for the same plan.

use icalendar::{Calendar, Component, Event};
use jiff::{Timestamp, civil::Date};

use super::Plan;

/// The deadlines of a document's plan: last moments to send, deadlines after the effect, the
/// effect itself. `now` stamps the entries.
pub fn ical(plan: &Plan, document: &str, now: Timestamp) -> String {
    let mut calendar = Calendar::new();
    calendar.name(&format!("Notices: {document}"));
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut add = |key: &str, title: &str, text: &str, when: When| {
        let mut event = Event::new();
        event
            .summary(title)
            .description(text)
            .add_property("UID", format!("{document}-{key}@fairnotice"))
            .add_property("DTSTAMP", &stamp);
        match when {
            When::Instant(instant) => {
                event.add_property("DTSTART", instant.strftime("%Y%m%dT%H%M%SZ").to_string());
            }
            When::Day(day) => {
                let mut property =
                    icalendar::Property::new("DTSTART", day.strftime("%Y%m%d").to_string());
                property.add_parameter("VALUE", "DATE");
                event.append_property(property.done());
            }
        }
        calendar.push(event.done());
    };
    for planned in &plan.duties {
        if let Some(instant) = planned.send_by {
            add(
                &planned.duty.id,
                &format!("Last moment to send: {document} ({})", planned.duty.id),
                &format!("{}\n{}", planned.duty.quote, planned.rule),
                When::Instant(instant),
            );
        }
        if let Some(day) = planned.due_after {
            add(
                &format!("{}-after", planned.duty.id),
                &format!("Due after the change: {document} ({})", planned.duty.id),
                &planned.duty.quote,
                When::Day(day),
            );
        }
    }
    if let Some(day) = plan.effective {
        add(
            "effective",
            &format!("Change takes effect: {document}"),
            if plan.too_early {
                "This day leaves less time than the duties demand."
            } else {
                "Planned day of effect."
            },
            When::Day(day),
        );
    }
    calendar.to_string()
}

enum When {
    Instant(Timestamp),
    Day(Date),
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_same_plan_gives_the_same_bytes() {
        let plan = Plan {
            effective: Some(date(2027, 3, 1)),
            ..Plan::default()
        };
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        let text = ical(&plan, "terms", now);
        assert_eq!(text, ical(&plan, "terms", now));
        assert!(text.starts_with("BEGIN:VCALENDAR"));
        assert!(text.contains("DTSTART;VALUE=DATE:20270301"), "{text}");
        assert!(text.contains("DTSTAMP:20270101T000000Z"), "{text}");
        // RFC 5545: CRLF, lines of at most 75 octets, instants in UTC so that no zone is needed.
        assert!(text.ends_with("END:VCALENDAR\r\n"), "{text:?}");
        for line in text.split_terminator("\r\n") {
            assert!(line.len() <= 75 && !line.contains('\n'), "{line}");
        }
        for needed in ["VERSION:2.0", "PRODID:", "UID:terms-effective@fairnotice"] {
            assert!(text.contains(needed), "{needed}");
        }
    }
}
