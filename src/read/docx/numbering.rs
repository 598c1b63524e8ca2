//! Numbers that the program prints before paragraphs: they are not in the text and must be counted.

use std::collections::BTreeMap;

use super::{
    super::ReadError,
    xml::{Step, walk},
};

/// Levels of a list.
const LEVELS: usize = 9;

#[derive(Debug, Clone, Default)]
struct Level {
    start: Option<i64>,
    format: String,
    text: String,
    /// All numbers of the label are printed as decimals.
    legal: bool,
}

#[derive(Debug, Clone, Default)]
struct Instance {
    of: String,
    starts: BTreeMap<usize, i64>,
}

/// The lists of a file and how far they are counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    lists: BTreeMap<String, BTreeMap<usize, Level>>,
    instances: BTreeMap<String, Instance>,
    counts: BTreeMap<String, [Option<i64>; LEVELS]>,
    begun: BTreeMap<String, [bool; LEVELS]>,
}

/// What is printed before a paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// A bullet.
    Bullet,
    /// A number, with what stands around it: `1.`, `(a)`, `Article 4`.
    Number(String),
    /// Nothing.
    None,
}

impl Numbering {
    pub(super) fn read(part: &str) -> Result<Self, ReadError> {
        let mut numbering = Self::default();
        let mut list: Option<(String, BTreeMap<usize, Level>)> = None;
        let mut instance: Option<(String, Instance)> = None;
        let mut level: Option<usize> = None;
        let mut replaced: Option<usize> = None;
        walk(part, |step| match step {
            Step::Start(element) => {
                let value = || element.attr("val").unwrap_or_default();
                let level_of = || {
                    element
                        .attr("ilvl")
                        .and_then(|v| v.parse::<usize>().ok())
                        .filter(|l| *l < LEVELS)
                };
                match element.name {
                    "abstractNum" => {
                        list = Some((
                            element.attr("abstractNumId").unwrap_or_default(),
                            BTreeMap::new(),
                        ));
                    }
                    "num" => {
                        instance = Some((
                            element.attr("numId").unwrap_or_default(),
                            Instance::default(),
                        ));
                    }
                    "abstractNumId" => {
                        if let Some((_, instance)) = &mut instance {
                            instance.of = value();
                        }
                    }
                    "lvlOverride" => replaced = level_of(),
                    "startOverride" => {
                        if let (Some((_, instance)), Some(level)) = (&mut instance, replaced)
                            && let Ok(start) = value().parse()
                        {
                            instance.starts.insert(level, start);
                        }
                    }
                    "lvl" => {
                        level = level_of();
                        if let (Some((_, levels)), Some(level)) = (&mut list, level) {
                            levels.insert(level, Level::default());
                        }
                    }
                    name => {
                        let Some(level) = level.and_then(|level| list.as_mut()?.1.get_mut(&level))
                        else {
                            return;
                        };
                        match name {
                            "start" => level.start = value().parse().ok(),
                            "numFmt" => level.format = value(),
                            "lvlText" => level.text = value(),
                            "isLgl" => level.legal = element.on(),
                            _ => {}
                        }
                    }
                }
            }
            Step::End("abstractNum") => {
                if let Some((id, levels)) = list.take() {
                    numbering.lists.insert(id, levels);
                }
            }
            Step::End("num") => {
                if let Some((id, instance)) = instance.take() {
                    numbering.instances.insert(id, instance);
                }
            }
            Step::End("lvl") => level = None,
            Step::End("lvlOverride") => replaced = None,
            _ => {}
        })?;
        Ok(numbering)
    }

    /// Counts a paragraph of a list and tells what is printed before it.
    pub(super) fn next(&mut self, id: &str, level: usize) -> Label {
        let level = level.min(LEVELS - 1);
        let Some(instance) = self.instances.get(id) else {
            return Label::None;
        };
        let Some(levels) = self.lists.get(&instance.of) else {
            return Label::None;
        };
        let Some(own) = levels.get(&level) else {
            return Label::None;
        };
        let counts = self.counts.entry(instance.of.clone()).or_default();
        let begun = self.begun.entry(id.to_owned()).or_default();
        // A list that starts anew counts anew, once.
        if let (Some(start), Some(false)) = (instance.starts.get(&level), begun.get(level))
            && let Some(count) = counts.get_mut(level)
        {
            *count = Some(start - 1);
        }
        if let Some(begun) = begun.get_mut(level) {
            *begun = true;
        }
        let start = |level: usize| levels.get(&level).and_then(|l| l.start).unwrap_or(1);
        for (at, count) in counts.iter_mut().enumerate() {
            if at == level {
                *count = Some(count.map_or(start(at), |n| n.saturating_add(1)));
            } else if at < level {
                // Levels that were jumped over count as begun.
                count.get_or_insert(start(at));
            } else {
                *count = None;
            }
        }
        match own.format.as_str() {
            "bullet" => return Label::Bullet,
            "none" => return Label::None,
            _ => {}
        }
        let mut label = String::new();
        let mut chars = own.text.chars().peekable();
        while let Some(c) = chars.next() {
            let digit = chars
                .peek()
                .and_then(|d| d.to_digit(10))
                .and_then(|d| usize::try_from(d).ok())
                .filter(|d| (1..=LEVELS).contains(d));
            match digit {
                Some(digit) if c == '%' => {
                    chars.next();
                    let number = counts
                        .get(digit - 1)
                        .copied()
                        .flatten()
                        .unwrap_or_else(|| start(digit - 1));
                    let format = levels
                        .get(&(digit - 1))
                        .map_or("decimal", |l| l.format.as_str());
                    label += &printed(number, if own.legal { "decimal" } else { format });
                }
                _ => label.push(c),
            }
        }
        let label = label.trim();
        if label.is_empty() {
            Label::None
        } else {
            Label::Number(label.to_owned())
        }
    }
}

/// A number as a list prints it.
fn printed(number: i64, format: &str) -> String {
    let letters = |base: char| -> String {
        // a, b, …, z, aa, bb, …
        let Ok(n) = u32::try_from(number - 1) else {
            return number.to_string();
        };
        let letter = char::from_u32(base as u32 + n % 26).unwrap_or(base);
        std::iter::repeat_n(letter, (n / 26 + 1).min(20) as usize).collect()
    };
    match format {
        "lowerLetter" => letters('a'),
        "upperLetter" => letters('A'),
        "lowerRoman" if (1..4000).contains(&number) => roman(number),
        "upperRoman" if (1..4000).contains(&number) => roman(number).to_uppercase(),
        "decimalZero" => format!("{number:02}"),
        "ordinal" => format!("{number}."),
        _ => number.to_string(),
    }
}

/// Roman numbers up to 3999, in lower case.
fn roman(number: i64) -> String {
    const ONES: [&str; 10] = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"];
    let map = |text: &str, one: char, five: char, ten: char| -> String {
        text.chars()
            .map(|c| match c {
                'i' => one,
                'v' => five,
                _ => ten,
            })
            .collect()
    };
    let digit = |power: i64| {
        usize::try_from(number / power % 10)
            .ok()
            .and_then(|d| ONES.get(d))
            .copied()
            .unwrap_or("")
    };
    map(digit(1000), 'm', 'm', 'm')
        + &map(digit(100), 'c', 'd', 'm')
        + &map(digit(10), 'x', 'l', 'c')
        + digit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_in_their_format() {
        assert_eq!(roman(1994), "mcmxciv");
        assert_eq!(roman(3999), "mmmcmxcix");
        assert_eq!(printed(28, "lowerLetter"), "bb");
        assert_eq!(printed(4, "upperRoman"), "IV");
    }
}
