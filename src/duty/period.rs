//! Periods in words and figures: `thirty (30) days`, `two weeks`, `三十日`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Lead, LeadUnit};

impl Lead {
    /// The period in days: two weeks 14, one month 30, a year 365; hours rounded up.
    pub fn days(self) -> u32 {
        match self.unit {
            LeadUnit::Hours => self.count.div_ceil(24),
            LeadUnit::Days | LeadUnit::BusinessDays => self.count,
            LeadUnit::Weeks => self.count.saturating_mul(7),
            LeadUnit::Months => self.count.saturating_mul(30),
            LeadUnit::Years => self.count.saturating_mul(365),
        }
    }
}

impl std::fmt::Display for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            LeadUnit::Hours => "hour",
            LeadUnit::Days => "day",
            LeadUnit::BusinessDays => "business day",
            LeadUnit::Weeks => "week",
            LeadUnit::Months => "calendar month",
            LeadUnit::Years => "year",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.count)
    }
}

const WORDS: &[(&str, u32)] = &[
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("twelve", 12),
    ("fourteen", 14),
    ("fifteen", 15),
    ("twenty", 20),
    ("twenty-one", 21),
    ("thirty", 30),
    ("forty-five", 45),
    ("sixty", 60),
    ("ninety", 90),
    ("a", 1),
];

#[expect(clippy::unwrap_used, reason = "constant patterns, run by the tests")]
static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u:\b)(?:(\d{1,3})|(one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty-one|twenty|thirty|forty-five|sixty|ninety|a))(?:[ -]?\((\d{1,3})\))?(?:\+| or more)?[ -]((?:full|calendar|business|working|banking|consecutive)[ -])?(hour|day|week|month|year)(?-u:\b|s\b)",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "constant patterns, run by the tests")]
static CHINESE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:(\d{1,3})|([一二三四五六七八九十]{1,3})) ?(?:个)?(工作日|小时|日|天|周|星期|月|年)",
    )
    .unwrap()
});

/// The periods that stand in a cleaned text, each with its place.
pub(super) fn periods(text: &str) -> Vec<(std::ops::Range<usize>, Lead)> {
    let mut out = Vec::new();
    for found in ENGLISH.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let count = found
            .get(3)
            .or_else(|| found.get(1))
            .and_then(|digits| digits.as_str().parse().ok())
            .or_else(|| {
                let word = found.get(2)?.as_str();
                WORDS.iter().find(|(w, _)| *w == word).map(|(_, n)| *n)
            });
        let Some(count) = count.filter(|&count| count > 0) else {
            continue;
        };
        let business = found.get(4).is_some_and(|kind| {
            ["business", "working", "banking"].contains(&kind.as_str().trim_matches([' ', '-']))
        });
        let unit = match found.get(5).map_or("", |unit| unit.as_str()) {
            "hour" => LeadUnit::Hours,
            "week" => LeadUnit::Weeks,
            "month" => LeadUnit::Months,
            "year" => LeadUnit::Years,
            _ if business => LeadUnit::BusinessDays,
            _ => LeadUnit::Days,
        };
        out.push((whole.range(), Lead { count, unit }));
    }
    for found in CHINESE.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let count = found
            .get(1)
            .and_then(|digits| digits.as_str().parse().ok())
            .or_else(|| found.get(2).and_then(|word| chinese(word.as_str())));
        let Some(count) = count.filter(|&count| count > 0) else {
            continue;
        };
        let unit = match found.get(3).map_or("", |unit| unit.as_str()) {
            "小时" => LeadUnit::Hours,
            "工作日" => LeadUnit::BusinessDays,
            "周" | "星期" => LeadUnit::Weeks,
            // A month without a counter is a date ("3月"), not a period.
            "月" if !whole.as_str().contains('个') => continue,
            "月" => LeadUnit::Months,
            "年" => continue,
            // A day after a month is a date as well ("3月1日").
            "日" if text
                .get(..whole.start())
                .is_some_and(|t| t.trim_end().ends_with('月')) =>
            {
                continue;
            }
            _ => LeadUnit::Days,
        };
        out.push((whole.range(), Lead { count, unit }));
    }
    out.sort_by_key(|(range, _)| range.start);
    out
}

/// A Chinese numeral up to ninety-nine.
fn chinese(word: &str) -> Option<u32> {
    let digit = |c: char| {
        "一二三四五六七八九"
            .chars()
            .position(|d| d == c)
            .and_then(|at| u32::try_from(at + 1).ok())
    };
    match word.split_once('十') {
        Some((tens, ones)) => {
            let tens = tens.chars().next().map_or(Some(1), digit)?;
            let ones = ones.chars().next().map_or(Some(0), digit)?;
            Some(tens * 10 + ones)
        }
        None => digit(word.chars().next()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(u32, LeadUnit)> {
        periods(text).first().map(|(_, l)| (l.count, l.unit))
    }

    #[test]
    fn periods_in_words_and_figures() {
        assert_eq!(
            first("at least thirty (30) days before"),
            Some((30, LeadUnit::Days))
        );
        assert_eq!(
            first("ten business days' notice"),
            Some((10, LeadUnit::BusinessDays))
        );
        assert_eq!(first("a 30-day notice period"), Some((30, LeadUnit::Days)));
        assert_eq!(first("two weeks ahead"), Some((2, LeadUnit::Weeks)));
        assert_eq!(first("one month in advance"), Some((1, LeadUnit::Months)));
        assert_eq!(first("within 72 hours"), Some((72, LeadUnit::Hours)));
        assert_eq!(first("提前三十日公告"), Some((30, LeadUnit::Days)));
        assert_eq!(first("提前15个工作日"), Some((15, LeadUnit::BusinessDays)));
        assert_eq!(first("2026年3月1日"), None);
        assert_eq!(first("no period"), None);
        assert_eq!(
            Lead {
                count: 36,
                unit: LeadUnit::Hours
            }
            .days(),
            2
        );
    }
}
