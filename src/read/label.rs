//! Printed labels at the start of a text: `4.2`, `IV.`, `(a)`, `Article 5`, `§ 3`, `第五条`.

use std::ops::Range;

/// A label as it stands at the start of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Printed {
    /// The label without word, dot and bracket.
    pub text: Range<usize>,
    /// Where the text after label, delimiter and white space starts.
    pub rest: usize,
    /// How it is numbered.
    pub style: Style,
    /// Its value: one number per component of a decimal label.
    pub values: Vec<u32>,
    /// The value when a letter is taken for a Roman numeral, or a Roman numeral for a letter.
    pub other: Option<(Style, u32)>,
    /// What follows it.
    pub delimiter: Delimiter,
    /// A word such as Article stands before it.
    pub word: Option<Rank>,
    /// Only believed with a neighbour that counts along: `1 You may`, `A. `.
    pub weak: bool,
    /// White space stands between the label and the text; `1.2.1Log` has none.
    pub spaced: bool,
}

/// Numbering styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Style {
    /// 1, 1.2, 1.2.3
    Decimal,
    /// I, II, III
    UpperRoman,
    /// i, ii, iii
    LowerRoman,
    /// A, B, C
    UpperLetter,
    /// a, b, c
    LowerLetter,
    /// 一, 二, 三
    Cjk,
    /// ①, ②
    Circled,
}

/// What closes a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Delimiter {
    /// Nothing but white space or the end.
    None,
    /// `1.`, `1、`, `1:`, `1 -`
    Dot,
    /// `1)`
    Close,
    /// `(1)`
    Both,
}

/// The rank of a word before a label, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Part, Title, Book, Annex, Schedule, Appendix
    Part,
    /// Chapter
    Chapter,
    /// Section
    Section,
    /// Article, Clause, §
    Article,
}

/// Words that stand before a label, lower case, in the languages in which policies use them.
const WORDS: &[(&str, Rank)] = &[
    ("annex", Rank::Part),
    ("annexe", Rank::Part),
    ("anhang", Rank::Part),
    ("anexo", Rank::Part),
    ("appendix", Rank::Part),
    ("exhibit", Rank::Part),
    ("schedule", Rank::Part),
    ("part", Rank::Part),
    ("partie", Rank::Part),
    ("parte", Rank::Part),
    ("teil", Rank::Part),
    ("title", Rank::Part),
    ("titre", Rank::Part),
    ("chapter", Rank::Chapter),
    ("chapitre", Rank::Chapter),
    ("capítulo", Rank::Chapter),
    ("capitolo", Rank::Chapter),
    ("kapitel", Rank::Chapter),
    ("глава", Rank::Chapter),
    ("section", Rank::Section),
    ("sección", Rank::Section),
    ("seção", Rank::Section),
    ("sezione", Rank::Section),
    ("abschnitt", Rank::Section),
    ("раздел", Rank::Section),
    ("article", Rank::Article),
    ("artikel", Rank::Article),
    ("artículo", Rank::Article),
    ("artigo", Rank::Article),
    ("articolo", Rank::Article),
    ("clause", Rank::Article),
    ("cláusula", Rank::Article),
    ("статья", Rank::Article),
    ("§", Rank::Article),
];

const CJK_DIGITS: &str = "〇一二三四五六七八九";
const CJK_UNITS: &[(char, u32)] = &[('十', 10), ('百', 100)];
const CIRCLED: &str = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳";

/// Space of any kind, line ends left out.
fn is_space(c: char) -> bool {
    c != '\n' && c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}')
}

/// The label at the start of `text` (white space before it allowed), if there is one.
pub(super) fn parse(text: &str) -> Option<Printed> {
    let start = skip(text, 0);
    let first = text.get(start..)?.chars().next()?;
    match first {
        '(' | '（' | '[' => bracketed(text, start, first),
        '第' | '제' => ordinal(text, start, first),
        '0'..='9' => number(text, start, None),
        'a'..='z' | 'A'..='Z' => worded(text, start).or_else(|| letter(text, start, None)),
        c if CIRCLED.contains(c) => {
            let value = CIRCLED.chars().position(|d| d == c)? as u32 + 1;
            let end = start + c.len_utf8();
            finish(text, start..end, end, Style::Circled, vec![value])
        }
        c if is_cjk_number(c) => {
            let (end, value) = cjk_number(text, start)?;
            let mark = text.get(end..)?.chars().next()?;
            if !matches!(mark, '、' | '．' | '.' | '，' | ')' | '）') {
                return None;
            }
            let mut printed = finish(
                text,
                start..end,
                end + mark.len_utf8(),
                Style::Cjk,
                vec![value],
            )?;
            printed.delimiter = if matches!(mark, ')' | '）') {
                Delimiter::Close
            } else {
                Delimiter::Dot
            };
            Some(printed)
        }
        '§' => worded(text, start),
        c if c.is_alphabetic() => worded(text, start).or_else(|| letter(text, start, None)),
        _ => None,
    }
}

fn skip(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + (rest.len() - rest.trim_start_matches(is_space).len())
}

fn finish(
    text: &str,
    label: Range<usize>,
    end: usize,
    style: Style,
    values: Vec<u32>,
) -> Option<Printed> {
    let rest = skip(text, end);
    Some(Printed {
        text: label,
        rest,
        style,
        values,
        other: None,
        delimiter: Delimiter::None,
        word: None,
        weak: false,
        spaced: rest > end || rest >= text.len(),
    })
}

/// `(1)`, `(a)`, `(iv)`, `（一）`, `[2]`
fn bracketed(text: &str, start: usize, open: char) -> Option<Printed> {
    let inner = start + open.len_utf8();
    let rest = text.get(inner..)?;
    let (at, close) = rest
        .char_indices()
        .take(9)
        .find(|(_, c)| matches!(c, ')' | '）' | ']'))?;
    let raw = rest.get(..at)?;
    let lead = raw.len() - raw.trim_start().len();
    let body = raw.trim();
    let label = inner + lead..inner + lead + body.len();
    let end = inner + at + close.len_utf8();
    let (style, values, other) = reading(body)?;
    let mut printed = finish(text, label, end, style, values)?;
    printed.other = other;
    printed.delimiter = Delimiter::Both;
    // "(a)" glued to a word is a label whose space was lost, "(s)he" is none.
    if !printed.spaced && style != Style::Cjk {
        let next = text.get(end..)?.chars().next()?;
        if next.is_lowercase() && !body.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    Some(printed)
}

/// What a bare label says: style, values, and the other reading of a letter.
type Reading = (Style, Vec<u32>, Option<(Style, u32)>);

fn reading(label: &str) -> Option<Reading> {
    if label.is_empty() {
        return None;
    }
    if label.bytes().all(|b| b.is_ascii_digit()) {
        return (label.len() <= 3)
            .then(|| Some((Style::Decimal, vec![label.parse().ok()?], None)))?;
    }
    if !label.is_ascii()
        && let Some((end, value)) = cjk_number(label, 0)
    {
        return (end == label.len()).then_some((Style::Cjk, vec![value], None));
    }
    let upper = label.bytes().all(|b| b.is_ascii_uppercase());
    let lower = label.bytes().all(|b| b.is_ascii_lowercase());
    if !upper && !lower {
        return None;
    }
    let roman_style = if upper {
        Style::UpperRoman
    } else {
        Style::LowerRoman
    };
    let letter_style = if upper {
        Style::UpperLetter
    } else {
        Style::LowerLetter
    };
    let roman = roman(label);
    let bytes = label.as_bytes();
    let letter = match bytes {
        [b] => Some(u32::from(b.to_ascii_uppercase() - b'A') + 1),
        [a, b] if a == b => Some(u32::from(a.to_ascii_uppercase() - b'A') + 27),
        _ => None,
    };
    match (roman, letter) {
        // i, v, x start more Roman lists than they continue lettered ones.
        (Some(r), Some(l)) if matches!(bytes, [b] if b"iIvVxX".contains(b)) || bytes.len() == 2 => {
            Some((roman_style, vec![r], Some((letter_style, l))))
        }
        (Some(r), Some(l)) => Some((letter_style, vec![l], Some((roman_style, r)))),
        (Some(r), None) => Some((roman_style, vec![r], None)),
        (None, Some(l)) => Some((letter_style, vec![l], None)),
        (None, None) => None,
    }
}

/// The value of a well-formed Roman numeral up to 89.
fn roman(label: &str) -> Option<u32> {
    if label.len() > 7 {
        return None;
    }
    let digit = |b: u8| match b.to_ascii_uppercase() {
        b'I' => Some(1),
        b'V' => Some(5),
        b'X' => Some(10),
        b'L' => Some(50),
        _ => None,
    };
    let values: Option<Vec<u32>> = label.bytes().map(digit).collect();
    let values = values?;
    let mut total = 0;
    for (i, value) in values.iter().enumerate() {
        if values.get(i + 1).is_some_and(|next| next > value) {
            total += i64::from(*value).wrapping_neg();
        } else {
            total += i64::from(*value);
        }
    }
    let total = u32::try_from(total).ok()?;
    (roman_of(total).eq_ignore_ascii_case(label)).then_some(total)
}

fn roman_of(mut value: u32) -> String {
    let mut text = String::new();
    for (digits, amount) in [
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ] {
        while value >= amount && text.len() < 8 {
            text += digits;
            value -= amount;
        }
    }
    text
}

fn is_cjk_number(c: char) -> bool {
    CJK_DIGITS.contains(c) || CJK_UNITS.iter().any(|(unit, _)| *unit == c)
}

/// A Chinese numeral up to 999 and where it ends.
fn cjk_number(text: &str, start: usize) -> Option<(usize, u32)> {
    let (mut total, mut digit, mut end) = (0_u32, None, start);
    for (i, c) in text.get(start..)?.char_indices().take(6) {
        if let Some(value) = CJK_DIGITS.chars().position(|d| d == c) {
            digit = Some(value as u32);
        } else if let Some((_, unit)) = CJK_UNITS.iter().find(|(u, _)| *u == c) {
            total += digit.take().unwrap_or(1) * unit;
        } else {
            break;
        }
        end = start + i + c.len_utf8();
    }
    total += digit.unwrap_or(0);
    (end > start && total > 0).then_some((end, total))
}

/// `第五条`, `第 3 章`, `제3조`
fn ordinal(text: &str, start: usize, first: char) -> Option<Printed> {
    let at = skip(text, start + first.len_utf8());
    let (end, value) = cjk_number(text, at).or_else(|| {
        let digits = text
            .get(at..)?
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let value = text.get(at..at + digits)?.parse().ok()?;
        (digits > 0 && digits <= 3).then_some((at + digits, value))
    })?;
    let unit_at = skip(text, end);
    let unit = text.get(unit_at..)?.chars().next()?;
    let rank = match unit {
        '编' | '編' | '部' | '篇' | '편' => Rank::Part,
        '章' | '장' => Rank::Chapter,
        '节' | '節' | '절' => Rank::Section,
        '条' | '條' | '조' | '款' | '项' | '項' => Rank::Article,
        _ => return None,
    };
    let mut after = unit_at + unit.len_utf8();
    let mark = text.get(after..)?.chars().next();
    if let Some(c) = mark.filter(|c| matches!(c, '、' | '：' | ':' | '.' | '．')) {
        after += c.len_utf8();
    }
    let style = if text.get(at..end)?.is_ascii() {
        Style::Decimal
    } else {
        Style::Cjk
    };
    let mut printed = finish(text, at..end, after, style, vec![value])?;
    printed.word = Some(rank);
    printed.delimiter = Delimiter::Dot;
    Some(printed)
}

/// `Article 5`, `SECTION II:`, `§ 3`, `Part A`
fn worded(text: &str, start: usize) -> Option<Printed> {
    let rest = text.get(start..)?;
    // Most paragraphs start with another word: its first letter tells.
    let first = rest.as_bytes().first()?.to_ascii_lowercase();
    if first.is_ascii() && !b"aekpstc".contains(&first) {
        return None;
    }
    let word_end = rest
        .char_indices()
        .take(12)
        .find(|(_, c)| !c.is_alphabetic() && *c != '§')
        .map(|(i, _)| i)?;
    let word = rest.get(..word_end)?;
    let (_, rank) = if word.is_ascii() {
        WORDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))?
    } else {
        let lower = word.to_lowercase();
        WORDS.iter().find(|(known, _)| *known == lower)?
    };
    let at = skip(text, start + word_end);
    if at == start + word_end && word != "§" && !rest.get(word_end..)?.starts_with('.') {
        return None;
    }
    let at = if rest.get(word_end..)?.starts_with('.') {
        skip(text, start + word_end + 1)
    } else {
        at
    };
    let next = text.get(at..)?.chars().next()?;
    let mut printed = if next.is_ascii_digit() {
        number(text, at, Some(*rank))?
    } else {
        letter(text, at, Some(*rank))?
    };
    printed.word = Some(*rank);
    // "Section 5 of these terms applies": a reference, not a label.
    printed.weak = printed.delimiter == Delimiter::None
        && text
            .get(printed.rest..)?
            .chars()
            .next()
            .is_some_and(|c| !c.is_uppercase() && !matches!(c, '-' | '–' | '—' | '"' | '“'));
    (!printed.weak || rank == &Rank::Article && word == "§").then_some(printed)
}

/// `1.`, `1)`, `1.2.3`, `1 You`
fn number(text: &str, start: usize, word: Option<Rank>) -> Option<Printed> {
    let bytes = text.as_bytes();
    let mut values = Vec::new();
    let mut at = start;
    let mut end;
    loop {
        let digits = bytes
            .get(at..)?
            .iter()
            .take(5)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits == 0 || digits > 3 {
            return None;
        }
        values.push(text.get(at..at + digits)?.parse::<u32>().ok()?);
        end = at + digits;
        let dot = bytes.get(end) == Some(&b'.');
        if dot && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) && values.len() < 8 {
            at = end + 1;
        } else {
            break;
        }
    }
    let after = text.get(end..)?;
    let mut chars = after.chars();
    let next = chars.next();
    let (delimiter, mut closed) = match next {
        Some(c @ ('.' | '．' | '、' | ':' | '：')) => (Delimiter::Dot, end + c.len_utf8()),
        Some(c @ (')' | '）')) => (Delimiter::Close, end + c.len_utf8()),
        _ => (Delimiter::None, end),
    };
    // "1.)" and "1 - Title" and "1 . Title"
    if delimiter == Delimiter::Dot && text.get(closed..)?.starts_with(')') {
        closed += 1;
    }
    let mut delimiter = delimiter;
    let gap = skip(text, closed);
    if delimiter == Delimiter::None {
        let mut tail = text.get(gap..)?.chars();
        let mark = tail.next();
        let spaced = tail.next().is_none_or(is_space);
        if matches!(mark, Some('-' | '–' | '—' | '.' | ':' | '|')) && spaced && gap > closed {
            delimiter = Delimiter::Dot;
            closed = gap + mark.map_or(0, char::len_utf8);
        }
    }
    let mut printed = finish(text, start..end, closed, Style::Decimal, values)?;
    printed.delimiter = delimiter;
    let following = text.get(printed.rest..)?.chars().next();
    let single = printed.values.len() == 1;
    match delimiter {
        Delimiter::None => {
            let Some(c) = following else {
                // A number alone on its line.
                printed.weak = word.is_none() && single;
                return Some(printed);
            };
            if single {
                if !printed.spaced && word.is_none() && !is_cjk(c) {
                    return None;
                }
                printed.weak = word.is_none();
                if printed.weak && (printed.values == [0] || !c.is_alphabetic() && !is_quote(c)) {
                    return None;
                }
            } else if !(c.is_alphabetic() || is_quote(c) || matches!(c, '(' | '[')) {
                return None;
            } else if !printed.spaced && !c.is_uppercase() && !is_cjk(c) {
                return None;
            } else if c.is_lowercase() && printed.values.len() == 2 {
                // "2.5 million users"
                printed.weak = true;
            }
        }
        _ if !printed.spaced => {
            // "1.Log", "1、收集" but not "3.x" or "10:30".
            let c = following?;
            if !(c.is_uppercase() || is_cjk(c) || is_quote(c) || c == '(') {
                return None;
            }
        }
        _ => {}
    }
    if printed.values.iter().any(|v| *v > 200) && word.is_none() {
        return None;
    }
    Some(printed)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '„' | '«' | '‘' | '\'' | '「')
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}')
}

/// `A.`, `b)`, `IV.`, `xi.`
fn letter(text: &str, start: usize, word: Option<Rank>) -> Option<Printed> {
    let letters = text
        .as_bytes()
        .get(start..)?
        .iter()
        .take(8)
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    if letters == 0 || letters > 7 {
        return None;
    }
    let end = start + letters;
    let (style, values, other) = reading(text.get(start..end)?)?;
    let (delimiter, mut closed) = match text.get(end..)?.chars().next() {
        Some(c @ ('.' | '．' | '、' | ':')) => (Delimiter::Dot, end + c.len_utf8()),
        Some(c @ (')' | '）')) => (Delimiter::Close, end + c.len_utf8()),
        _ => (Delimiter::None, end),
    };
    if delimiter == Delimiter::Dot && text.get(closed..)?.starts_with(')') {
        closed += 1;
    }
    let mut delimiter = delimiter;
    let gap = skip(text, closed);
    if delimiter == Delimiter::None {
        let mut tail = text.get(gap..)?.chars();
        let mark = tail.next();
        if matches!(mark, Some('-' | '–' | '—' | ':'))
            && tail.next().is_none_or(is_space)
            && gap > closed
        {
            delimiter = Delimiter::Dot;
            closed = gap + mark.map_or(0, char::len_utf8);
        }
    }
    let mut printed = finish(text, start..end, closed, style, values)?;
    printed.other = other;
    printed.delimiter = delimiter;
    if word.is_some() {
        return Some(printed);
    }
    if delimiter == Delimiter::None {
        return None;
    }
    if !printed.spaced && delimiter == Delimiter::Dot {
        // "I.Introduction" but not "e.g." or "U.S."
        let mut tail = text.get(printed.rest..)?.chars();
        let capital = tail.next().is_some_and(char::is_uppercase);
        let word = tail.next().is_some_and(char::is_lowercase);
        if !(capital && word && style != Style::LowerLetter) {
            return None;
        }
    }
    // "I. Scope" can be nothing else; "A. Smith" and "C. Smith" can.
    let one = printed.style == Style::UpperRoman && printed.values == [1] && printed.spaced;
    printed.weak = letters == 1 && delimiter == Delimiter::Dot && !one;
    Some(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(&str, &str)> {
        parse(text).map(|p| {
            (
                text.get(p.text.clone()).unwrap(),
                text.get(p.rest..).unwrap(),
            )
        })
    }

    #[test]
    fn labels_of_all_kinds() {
        assert_eq!(told("4.2 Retention"), Some(("4.2", "Retention")));
        assert_eq!(told("1. 1. What we do"), Some(("1", "1. What we do")));
        assert_eq!(told("1.2.1 Log"), Some(("1.2.1", "Log")));
        assert_eq!(told("2.5. Sharing"), Some(("2.5", "Sharing")));
        assert_eq!(told("IV. Scope"), Some(("IV", "Scope")));
        assert_eq!(told("I. Scope"), Some(("I", "Scope")));
        assert_eq!(told("(iv) scope"), Some(("iv", "scope")));
        assert_eq!(told("(a) scope"), Some(("a", "scope")));
        assert_eq!(told("b) scope"), Some(("b", "scope")));
        assert_eq!(told("Article 5: Scope"), Some(("5", "Scope")));
        assert_eq!(told("SECTION II - Scope"), Some(("II", "Scope")));
        assert_eq!(told("Part A"), Some(("A", "")));
        assert_eq!(told("§ 3 Umfang"), Some(("3", "Umfang")));
        assert_eq!(told("第五条 范围"), Some(("五", "范围")));
        assert_eq!(told("第 3 章 范围"), Some(("3", "范围")));
        assert_eq!(told("一、范围"), Some(("一", "范围")));
        assert_eq!(told("（二）范围"), Some(("二", "范围")));
        assert_eq!(told("① eins"), Some(("①", "eins")));
        assert_eq!(
            told("\u{a0}1)  in connection"),
            Some(("1", "in connection"))
        );
        assert_eq!(told("1 You may"), Some(("1", "You may")));
        assert_eq!(told("7 – Scope"), Some(("7", "Scope")));
    }

    #[test]
    fn what_only_looks_like_a_label() {
        for text in [
            "30.5.2020 is",
            "2020",
            "3.x",
            "10:30 in the morning",
            "e.g. this",
            "U.S. law",
            "Section 5 of these terms applies",
            "(s)he may",
            "Partners 5",
            "A user",
            "I agree",
            "1,000 users",
            "24/7 support",
            "100% of users",
            "civil. Law",
            "1234. Street",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn romans() {
        assert_eq!(roman("XIV"), Some(14));
        assert_eq!(roman("IIX"), None);
        assert_eq!(roman("mix"), None);
        assert_eq!(roman_of(49), "XLIX");
    }
}
