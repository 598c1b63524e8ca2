//! Rate limits: in total and for each receiving domain.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// A limit by the generic cell rate algorithm: evenly spaced, with a small burst.
#[derive(Debug, Clone)]
pub struct Gcra {
    /// Nanoseconds between two messages.
    step: i128,
    /// How far ahead of the even spacing messages may come.
    burst: i128,
    /// When the next one is due by the even spacing, in nanoseconds of the epoch.
    due: i128,
}

impl Gcra {
    /// At most this many a second, over any time; up to a tenth of a second's worth at once.
    pub fn per_second(rate: f64) -> Self {
        let step = (1e9 / rate.max(1e-6)) as i128;
        Self {
            step,
            burst: (100_000_000 / step.max(1)) * step,
            due: 0,
        }
    }

    /// When the next message may go; nothing is taken yet.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let at = (self.due - self.burst).max(now.as_nanosecond());
        Timestamp::from_nanosecond(at).unwrap_or(now)
    }

    /// Takes the next place, and says when it is.
    pub fn take(&mut self, now: Timestamp) -> Timestamp {
        let at = self.next(now);
        self.due = self.due.max(now.as_nanosecond()) + self.step;
        at
    }
}

/// All limits of a run.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    total: Option<Gcra>,
    per_domain: Option<f64>,
    domains: BTreeMap<String, Gcra>,
}

/// More domains than this are not kept: their limits have long been idle.
const KEPT_DOMAINS: usize = 50_000;

impl Limits {
    /// Messages a second in total and to one receiving domain.
    pub fn new(total: Option<f64>, per_domain: Option<f64>) -> Self {
        Self {
            total: total.map(Gcra::per_second),
            per_domain,
            domains: BTreeMap::new(),
        }
    }

    /// Whether receiving domains matter.
    pub fn by_domain(&self) -> bool {
        self.per_domain.is_some()
    }

    /// Takes a place for a message to a domain: `Ok` when it may go, at that time; `Err` when its
    /// domain is at its limit until then, and nothing was taken.
    ///
    /// # Errors
    /// The time from which the domain may be asked again.
    pub fn take(&mut self, domain: &str, now: Timestamp) -> Result<Timestamp, Timestamp> {
        let mut at = now;
        if let Some(rate) = self.per_domain {
            if self.domains.len() > KEPT_DOMAINS {
                self.domains
                    .retain(|_, limit| limit.due > now.as_nanosecond());
            }
            let limit = self
                .domains
                .entry(provider(domain).to_owned())
                .or_insert_with(|| Gcra::per_second(rate));
            at = limit.next(now);
            if at.duration_since(now) > SignedDuration::from_millis(20) {
                return Err(at);
            }
            limit.take(now);
        }
        Ok(match &mut self.total {
            Some(total) => total.take(now).max(at),
            None => at,
        })
    }
}

/// Domains that are one receiver count together.
fn provider(domain: &str) -> &str {
    match domain {
        "googlemail.com" => "gmail.com",
        "hotmail.com" | "live.com" | "msn.com" => "outlook.com",
        "ymail.com" | "rocketmail.com" | "aol.com" => "yahoo.com",
        "me.com" | "mac.com" => "icloud.com",
        "foxmail.com" => "qq.com",
        other => other,
    }
}

/// When so many messages would be out at that rate, with a reserve of a tenth for retries.
pub fn finish_time(start: Timestamp, messages: u64, rate: f64) -> Timestamp {
    let seconds = messages as f64 / rate.max(1e-6) * 1.1;
    let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
    start.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_above_the_rate_over_a_minute(rate in 1.0f64..2000.0, hurry in 0i64..50) {
            let mut limit = Gcra::per_second(rate);
            let start = Timestamp::from_second(1_800_000_000).unwrap();
            let mut now = start;
            let mut sent = 0u32;
            let end = start + SignedDuration::from_secs(60);
            loop {
                let at = limit.take(now);
                if at >= end { break; }
                prop_assert!(at >= now);
                sent += 1;
                now = at + SignedDuration::from_micros(hurry);
            }
            let most = rate * 60.0 + rate * 0.1 + 2.0;
            prop_assert!(f64::from(sent) <= most * 1.01, "{} of {}", sent, most);
            prop_assert!(f64::from(sent) >= rate * 60.0 * 0.97 - 2.0, "{} at {}", sent, rate);
        }
    }

    #[test]
    fn a_domain_at_its_limit_does_not_hold_up_others() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut limits = Limits::new(None, Some(1.0));
        assert_eq!(limits.take("gmail.com", now), Ok(now));
        let until = limits.take("googlemail.com", now).unwrap_err();
        assert_eq!(until, now + SignedDuration::from_secs(1));
        assert_eq!(limits.take("example.org", now), Ok(now));
        assert_eq!(limits.take("gmail.com", until), Ok(until));
    }

    #[test]
    fn a_million_at_a_hundred_a_second_take_three_hours() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let hours = finish_time(start, 1_000_000, 100.0)
            .duration_since(start)
            .as_hours();
        assert_eq!(hours, 3);
    }
}
