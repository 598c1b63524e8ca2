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

const ONES: &[(&str, u32)] = &[
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
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fourty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("a", 1),
    ("an", 1),
    // Ordinals: "on the thirtieth day after posting".
    ("third", 3),
    ("fifth", 5),
    ("seventh", 7),
    ("tenth", 10),
    ("fourteenth", 14),
    ("fifteenth", 15),
    ("thirtieth", 30),
    ("sixtieth", 60),
    ("ninetieth", 90),
];

/// A number in words: `thirty`, `forty-five`, `one hundred and eighty`.
fn number(words: &str) -> Option<u32> {
    let mut sum = 0;
    for word in words.split([' ', '-']).filter(|word| !word.is_empty()) {
        match word {
            "hundred" => sum = sum.max(1) * 100,
            "and" => {}
            _ => sum += ONES.iter().find(|(w, _)| *w == word).map(|(_, n)| *n)?,
        }
    }
    (sum > 0).then_some(sum)
}

#[expect(clippy::unwrap_used, reason = "constant patterns, run by the tests")]
static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    let small = "one|two|three|four|five|six|seven|eight|nine";
    let teen = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen";
    let tens = "twenty|thirty|fou?rty|fifty|sixty|seventy|eighty|ninety";
    let under = format!("(?:(?:{tens})(?:[ -](?:{small}))?|{teen}|{small})");
    let word = format!("(?:(?:one|a) hundred(?: and)?(?: {under})?|{under})");
    let ordinal = "third|fifth|seventh|tenth|fourteenth|fifteenth|thirtieth|sixtieth|ninetieth";
    Regex::new(&format!(
        // The first number of a range is the one that is promised; a figure in brackets repeats
        // (or corrects) the word before it.
        r"(?-u:\b)(?:(?P<digits>\d{{1,3}})(?:st|nd|rd|th)?|(?P<words>{word}|{ordinal}|an?))(?: ?\((?:(?P<again>\d{{1,3}})|{word})\))?(?: ?(?:\+|or more|to|-|or|and)(?: ?(?:\d{{1,3}}|{word})(?: ?\(\d{{1,3}}\))?)?)?[ -]*(?P<kind>(?:(?:full|whole|entire|clear|calendar|business|working|banking|trading|consecutive|natural|running|additional|further)[ -]){{0,2}})(?P<unit>hour|day|week|fortnight|month|quarter|year)s?(?-u:\b)"
    ))
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
            .name("again")
            .or_else(|| found.name("digits"))
            .and_then(|digits| digits.as_str().parse().ok())
            .or_else(|| number(found.name("words")?.as_str()));
        let Some(count) = count.filter(|&count: &u32| count > 0) else {
            continue;
        };
        let kind = found.name("kind").map_or("", |kind| kind.as_str());
        let business = ["business", "working", "banking", "trading"]
            .iter()
            .any(|word| kind.contains(word));
        let (count, unit) = match found.name("unit").map_or("", |unit| unit.as_str()) {
            "hour" => (count, LeadUnit::Hours),
            "week" => (count, LeadUnit::Weeks),
            "fortnight" => (count.saturating_mul(2), LeadUnit::Weeks),
            "month" => (count, LeadUnit::Months),
            "quarter" => (count.saturating_mul(3), LeadUnit::Months),
            "year" => (count, LeadUnit::Years),
            _ if business => (count, LeadUnit::BusinessDays),
            _ => (count, LeadUnit::Days),
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
        for (text, count, unit) in [
            ("1 (one) month's notice", 1, LeadUnit::Months),
            ("forty-five (45) days", 45, LeadUnit::Days),
            ("forty five days", 45, LeadUnit::Days),
            ("one hundred and eighty days", 180, LeadUnit::Days),
            ("a hundred twenty days", 120, LeadUnit::Days),
            ("twenty-one clear days", 21, LeadUnit::Days),
            ("five full working days", 5, LeadUnit::BusinessDays),
            ("a fortnight before", 2, LeadUnit::Weeks),
            ("30 to 60 days before", 30, LeadUnit::Days),
            ("between 7-30 days", 7, LeadUnit::Days),
            ("fourteen or more days", 14, LeadUnit::Days),
            ("30+ days", 30, LeadUnit::Days),
            ("sixty-calendar-day", 60, LeadUnit::Days),
            ("the 10th day after", 10, LeadUnit::Days),
            ("on the thirtieth day after posting", 30, LeadUnit::Days),
            ("a three-month period", 3, LeadUnit::Months),
        ] {
            assert_eq!(first(text), Some((count, unit)), "{text}");
        }
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
