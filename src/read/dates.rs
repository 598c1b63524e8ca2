//! The dates that a document states about itself, told apart by the words around them.

use std::sync::LazyLock;

use jiff::civil::Date;

use super::{Block, BlockKind, Dates, Document, Warning};

#[derive(Default)]
#[cfg_attr(test, derive(serde::Serialize))]
struct Rules {
    months: Vec<Vec<&'static str>>,
    effective: Vec<&'static str>,
    updated: Vec<&'static str>,
    vague_effective: Vec<&'static str>,
    vague_updated: Vec<&'static str>,
    other: Vec<&'static str>,
}

const SOURCE: &str = include_str!("../../rules/lang/dates.toml");

/// Nearly every document needs these words, and reading them as TOML takes as long as reading a
/// short document. They are lists of strings and nothing else; a test holds this reading against
/// that of TOML.
static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::default();
    let mut name = "";
    for line in SOURCE.lines().filter(|l| !l.trim_start().starts_with('#')) {
        if let Some((key, _)) = line.split_once(" = ") {
            name = key;
        }
        // What stands between quotes: every other part.
        let mut parts = line.split('"');
        let words = std::iter::from_fn(|| parts.next().and_then(|_| parts.next()));
        match name {
            "months" if line.starts_with(' ') => rules.months.push(words.collect()),
            "effective" => rules.effective.extend(words),
            "updated" => rules.updated.extend(words),
            "vague_effective" => rules.vague_effective.extend(words),
            "vague_updated" => rules.vague_updated.extend(words),
            "other" => rules.other.extend(words),
            _ => {}
        }
    }
    rules
});

/// Bytes at the start and at the end of a document that are searched: dates of the document
/// itself stand there.
const HEAD: usize = 16 * 1024;
const TAIL: usize = 6 * 1024;
/// Characters before a date that may say what it is.
const REACH: usize = 90;

/// A date in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Sure(Date),
    /// Two numbers that can both be a month: as day first, as month first.
    Ambiguous(Date, Date),
}

/// What the words around a date say it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Class {
    effective: bool,
    updated: bool,
    other: bool,
}

struct Candidate {
    reading: Reading,
    class: Class,
    /// The lower, the better: short lines near the top first.
    cost: usize,
    words: String,
}

/// Finds the document's dates.
pub(super) fn find(document: &Document) -> (Dates, Vec<Warning>) {
    let mut candidates = Vec::new();
    let tail = document.text.len().saturating_sub(TAIL);
    // A short block may say what the date alone in the next one is.
    let mut carried: Option<&Block> = None;
    let mut day_first = None;
    for (index, block) in document.blocks.iter().enumerate() {
        if block.span.start > HEAD && block.span.start < tail
            || matches!(block.kind, BlockKind::Markup | BlockKind::Code)
        {
            continue;
        }
        let raw = document.slice(&block.span);
        // Years and the marks of CJK dates: everything else has no date in it.
        let has_year = has_digit(raw.as_bytes()) && raw
            .as_bytes()
            .windows(4)
            .any(|w| matches!(w, [b'1', b'9', c, d] | [b'2', b'0', c, d] if c.is_ascii_digit() && d.is_ascii_digit()));
        let short = raw.len() < 60;
        if !has_year {
            carried = short.then_some(block);
            continue;
        }
        let text = lowered(document, block);
        let found = scan(&text);
        if found.is_empty() {
            carried = short.then_some(block);
            continue;
        }
        let mut from = 0;
        for (i, date) in found.iter().enumerate() {
            let until = found.get(i + 1).map_or(text.len(), |next| next.start);
            let mut class = class_of(&text, from..date.start, date.end..until);
            let alone = text
                .get(..date.start)
                .is_some_and(|t| !t.chars().any(char::is_alphanumeric))
                && text
                    .get(date.end..)
                    .is_some_and(|t| t.chars().filter(|c| c.is_alphanumeric()).count() < 4);
            if alone && class == Class::default() {
                if let Some(said) = carried.map(|block| lowered(document, block)) {
                    class = class_of(&said, 0..said.len(), said.len()..said.len());
                }
                if class == Class::default() && (index < 12 || block.span.start >= tail) {
                    class.updated = true;
                }
            }
            if let Reading::Sure(_) = date.reading
                && let Some(first) =
                    numeric_order(text.get(date.start..date.end).unwrap_or_default())
            {
                day_first = Some(first);
            }
            if class.effective || class.updated {
                let mention = if text.len() < 160 { 0 } else { 2000 };
                let place = if block.span.start <= HEAD {
                    index
                } else {
                    500 + document.blocks.len() - index
                };
                let weak = if class.other { 4000 } else { 0 };
                candidates.push(Candidate {
                    reading: date.reading,
                    class,
                    cost: mention + place + weak,
                    words: text
                        .get(date.start..date.end)
                        .unwrap_or_default()
                        .to_owned(),
                });
            }
            from = date.end;
        }
        carried = None;
    }
    choose(document, &candidates, day_first)
}

/// The readable text of a block in lower case, with its label.
fn lowered(document: &Document, block: &Block) -> String {
    let mut text = String::new();
    if let Some(label) = &block.label {
        // "1 January 2027": the day may have been taken for a label.
        text += document
            .text
            .get(label.span.start..block.body.start)
            .unwrap_or_default();
    }
    text += &document.plain(block);
    text.to_lowercase()
}

/// Whether any byte is a digit; most blocks have none, and this looks at many bytes at once.
fn has_digit(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .any(|chunk| chunk.iter().fold(false, |any, b| any | b.is_ascii_digit()))
}

fn choose(
    document: &Document,
    candidates: &[Candidate],
    day_first: Option<bool>,
) -> (Dates, Vec<Warning>) {
    let mut dates = Dates::default();
    let mut warnings = Vec::new();
    let best = |wanted: fn(&Class) -> bool| {
        candidates
            .iter()
            .filter(|c| wanted(&c.class))
            .min_by_key(|c| c.cost)
    };
    let effective = best(|c| c.effective);
    let updated = best(|c| c.updated);
    // Americans write the month first, most others the day. A text too short to tell its language by
    // is taken for English where it has no other letters.
    let english = match document.language.as_deref() {
        Some(language) => language == "en",
        None => document.text.is_ascii(),
    };
    let order = day_first.unwrap_or(!english);
    let mut settle = |candidate: &Candidate| match candidate.reading {
        Reading::Sure(date) => date,
        Reading::Ambiguous(by_day, by_month) => {
            let (date, other) = if order {
                (by_day, by_month)
            } else {
                (by_month, by_day)
            };
            if day_first.is_none() && date != other {
                let warning = Warning {
                    code: "ambiguous-date".to_owned(),
                    detail: format!(
                        "\"{}\" is taken for {date}; it may mean {other}",
                        candidate.words
                    ),
                };
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
            date
        }
    };
    dates.effective = effective.map(&mut settle);
    dates.updated = updated.map(&mut settle);
    (dates, warnings)
}

/// What the words before a date (those nearest to it first) and right after it say.
fn class_of(text: &str, before: std::ops::Range<usize>, after: std::ops::Range<usize>) -> Class {
    let reach = |range: std::ops::Range<usize>, from_end: bool| {
        let slice = text.get(range).unwrap_or_default();
        if slice.len() <= REACH {
            return slice;
        }
        if from_end {
            let cut = (slice.len() - REACH..slice.len()).find(|i| slice.is_char_boundary(*i));
            slice.get(cut.unwrap_or(0)..).unwrap_or_default()
        } else {
            let cut = (0..=REACH / 2).rev().find(|i| slice.is_char_boundary(*i));
            slice.get(..cut.unwrap_or(0)).unwrap_or_default()
        }
    };
    let lead = reach(before, true);
    // Only the sentence that the date stands in.
    let lead = lead
        .rfind(". ")
        .filter(|at| {
            !lead
                .get(..*at)
                .is_some_and(|l| l.ends_with("no") || l.ends_with("rev"))
        })
        .map_or(lead, |at| lead.get(at + 2..).unwrap_or_default());
    let class = classes(lead);
    if class != Class::default() {
        return class;
    }
    let tail = reach(after, false);
    let tail = tail.split(". ").next().unwrap_or_default();
    classes(tail)
}

fn classes(text: &str) -> Class {
    if text.trim().is_empty() {
        return Class::default();
    }
    let any = |words: &[&str]| words.iter().any(|word| holds(text, word));
    let mut class = Class {
        effective: any(&RULES.effective),
        updated: any(&RULES.updated),
        other: any(&RULES.other),
    };
    if !class.effective && !class.updated && !class.other && text.len() < 60 {
        class.effective = any(&RULES.vague_effective);
        class.updated = !class.effective && any(&RULES.vague_updated);
    }
    class
}

/// Whether a text holds a word or phrase, as whole words where the script has spaces.
fn holds(text: &str, phrase: &str) -> bool {
    let spaceless = phrase.chars().next().is_some_and(|c| c > '\u{2E80}');
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|t| t.find(phrase)) {
        let start = from + at;
        let end = start + phrase.len();
        let letter = |c: char| c.is_alphabetic();
        let before = text.get(..start).and_then(|t| t.chars().next_back());
        let after = text.get(end..).and_then(|t| t.chars().next());
        if spaceless || !before.is_some_and(letter) && !after.is_some_and(letter) {
            return true;
        }
        from = end;
    }
    false
}

/// For 25/12/2026 or 12/25/2026: whether the day comes first.
fn numeric_order(text: &str) -> Option<bool> {
    let mut parts = text.split(['/', '-', '.']);
    let (first, second) = (
        parts.next()?.trim().parse::<u8>().ok()?,
        parts.next()?.trim().parse::<u8>().ok()?,
    );
    text.contains('/').then_some(())?;
    match (first > 12, second > 12) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// A word, number or sign of a text.
struct Token<'a> {
    text: &'a str,
    start: usize,
    number: Option<u32>,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let digit = c.is_ascii_digit();
        let word = c.is_alphabetic() && c < '\u{2E80}';
        let mut end = start + c.len_utf8();
        if digit || word {
            while let Some((i, n)) = chars.peek().copied() {
                let same = if digit {
                    n.is_ascii_digit()
                } else {
                    n.is_alphabetic() && n < '\u{2E80}'
                };
                if !same {
                    break;
                }
                end = i + n.len_utf8();
                chars.next();
            }
        }
        let slice = text.get(start..end).unwrap_or_default();
        tokens.push(Token {
            text: slice,
            start,
            number: digit.then(|| slice.parse().ok()).flatten(),
        });
    }
    tokens
}

fn month_of(word: &str) -> Option<u32> {
    RULES
        .months
        .iter()
        .position(|names| names.contains(&word))
        .map(|m| m as u32 + 1)
}

/// All dates of a lower-case text, in order.
fn scan(text: &str) -> Vec<Found> {
    let tokens = tokens(text);
    let mut found: Vec<Found> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let Some(year) = token
            .number
            .filter(|n| (1990..2100).contains(n) && token.text.len() == 4)
        else {
            continue;
        };
        if let Some((from, to, reading)) = around(&tokens, i, year) {
            let start = tokens.get(from).map_or(0, |t| t.start);
            let end = tokens
                .get(to)
                .map_or(text.len(), |t| t.start + t.text.len());
            if found.last().is_none_or(|last| last.end <= start) {
                found.push(Found {
                    start,
                    end,
                    reading,
                });
            }
        }
    }
    found
}

fn around(tokens: &[Token<'_>], at: usize, year: u32) -> Option<(usize, usize, Reading)> {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text);
    let number = |i: usize| tokens.get(i).and_then(|t| t.number).filter(|n| *n <= 31);
    let day = |month: u32, day: u32| {
        Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()
    };
    let sure = |from: usize, to: usize, month: u32, d: u32| {
        Some((from, to, Reading::Sure(day(month, d)?)))
    };
    // 2026-04-07, 2026/4/7, 2026.4.7
    if matches!(text(at + 1), "-" | "/" | ".")
        && text(at + 1) == text(at + 3)
        && let (Some(month), Some(d)) = (number(at + 2), number(at + 4))
    {
        return sure(at, at + 4, month, d);
    }
    // 2026年4月7日, 2026년 4월 7일
    if matches!(text(at + 1), "年" | "년")
        && matches!(text(at + 3), "月" | "월")
        && let (Some(month), Some(d)) = (number(at + 2), number(at + 4))
    {
        let last = if matches!(text(at + 5), "日" | "일") {
            at + 5
        } else {
            at + 4
        };
        return sure(at, last, month, d);
    }
    // 07.04.2026, 07/04/2026, 07-04-2026
    if let Some(first) = at.checked_sub(4) {
        let mark = text(at - 1);
        if matches!(mark, "." | "/" | "-")
            && text(at - 3) == mark
            && let (Some(one), Some(two)) = (number(first), number(at - 2))
        {
            let by_day = day(two, one);
            let by_month = day(one, two).filter(|_| mark != ".");
            return match (by_day, by_month) {
                (Some(a), Some(b)) if a != b => Some((first, at, Reading::Ambiguous(a, b))),
                (Some(a), _) | (None, Some(a)) => Some((first, at, Reading::Sure(a))),
                (None, None) => None,
            };
        }
    }
    // Backwards over commas and small words: what stands before the year.
    let before = |mut i: usize| loop {
        i = i.checked_sub(1)?;
        if !matches!(
            text(i),
            "," | "."
                | "de"
                | "del"
                | "of"
                | "day"
                | "th"
                | "st"
                | "nd"
                | "rd"
                | "º"
                | "ª"
                | "er"
                | "den"
                | "le"
        ) {
            return Some(i);
        }
    };
    let one = before(at)?;
    if let Some(month) = month_of(text(one)) {
        // 7 April 2026, 7. April 2026, 7 de abril de 2026
        let two = before(one)?;
        return sure(two, at, month, number(two)?);
    }
    if let Some(d) = number(one) {
        let two = one.checked_sub(1)?;
        // April 7, 2026
        if let Some(month) = month_of(text(two)).or_else(|| month_of(text(before(one)?))) {
            let from = if month_of(text(two)).is_some() {
                two
            } else {
                before(one)?
            };
            return sure(from, at, month, d);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{RULES, SOURCE};
    use crate::read::{Dates, Format, Input, read};

    #[test]
    fn the_words_are_read_as_toml_reads_them() {
        let rules: toml::Table = toml::from_str(SOURCE).unwrap();
        assert_eq!(toml::Table::try_from(&*RULES).unwrap(), rules);
        assert_eq!(RULES.months.len(), 12);
        assert!(!RULES.other.is_empty());
    }

    fn told(text: &str) -> (Dates, Vec<String>) {
        let document = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Text),
            ..Input::default()
        })
        .unwrap();
        let codes = document
            .warnings
            .iter()
            .filter(|w| w.code.contains("date"))
            .map(|w| w.detail.clone())
            .collect();
        (document.dates, codes)
    }

    fn policy(line: &str) -> String {
        format!("Privacy Policy\n\n{line}\n\n1. Scope\n\nWe collect the data that you give us.\n")
    }

    #[test]
    fn the_many_ways_of_writing_dates() {
        let (e, u) = (date(2027, 1, 2), date(2026, 5, 14));
        for (line, effective, updated) in [
            ("Effective: 2 Jan. 2027", Some(e), None),
            ("Effective date: January 2, 2027", Some(e), None),
            ("Effective Date\nJanuary 2nd, 2027", Some(e), None),
            ("Last modified May 14, 2026", None, Some(u)),
            ("Last Updated: 2026-05-14", None, Some(u)),
            ("(Last revised: 14th of May, 2026)", None, Some(u)),
            ("更新日期：2026年5月14日", None, Some(u)),
            ("生效日期：2027年1月2日", Some(e), None),
            ("本方針は2027年1月2日に施行されます。", Some(e), None),
            ("Stand: 14. Mai 2026", None, Some(u)),
            ("Dernière mise à jour : 14 mai 2026", None, Some(u)),
            ("Última actualización: 14 de mayo de 2026", None, Some(u)),
            ("Version as of January 2, 2027", Some(e), None),
            ("Last updated as of May 14, 2026", None, Some(u)),
            (
                "Last updated May 14, 2026, effective January 2, 2027.",
                Some(e),
                Some(u),
            ),
            (
                "Last Updated: May 14, 2026. Effective: January 2, 2027",
                Some(e),
                Some(u),
            ),
            ("This policy takes effect on 02.01.2027.", Some(e), None),
            ("May 14, 2026", None, Some(u)),
            (
                "These terms are effective as of the 2nd day of January, 2027.",
                Some(e),
                None,
            ),
            ("Последнее обновление: 14 мая 2026 г.", None, Some(u)),
            ("Laatste update: 14 mei 2026", None, Some(u)),
            ("Träder i kraft 2 januari 2027", Some(e), None),
            ("Updated: 14/05/2026", None, Some(u)),
            ("Updated: 05/14/2026", None, Some(u)),
            ("Founded in 1999, we run mills.", None, None),
            (
                "We follow Regulation (EU) 2016/679 of 27 April 2016.",
                None,
                None,
            ),
        ] {
            let (dates, warnings) = told(&policy(line));
            assert_eq!(
                (dates.effective, dates.updated),
                (effective, updated),
                "{line}"
            );
            assert!(warnings.is_empty(), "{line}: {warnings:?}");
        }
    }

    #[test]
    fn two_numbers_that_can_both_be_months_are_said() {
        let (dates, warnings) = told(&policy("Effective: 03/04/2026"));
        assert_eq!(dates.effective, Some(date(2026, 3, 4)));
        assert_eq!(warnings.len(), 1);
        let (dates, warnings) = told(&policy("Effective: 03/04/2026\nUpdated: 25/03/2026"));
        assert_eq!(dates.effective, Some(date(2026, 4, 3)));
        assert_eq!(warnings, Vec::<String>::new());
    }
}
