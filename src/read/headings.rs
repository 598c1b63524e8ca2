//! Which pieces are headings, and what they are headings of.

use std::collections::BTreeMap;

use super::{
    BlockKind, Format,
    assemble::{Findings, Piece},
    contents::{self, Contents},
    keys::Keys,
    nesting, runon,
    series::{self, AllSeries},
    shape::{self, Feature, Habits, Line, Shape, Surroundings},
};

/// What must speak for a heading at least, in hundredths of a logit: a heading that is missed harms
/// more than a short line that is taken for one.
const BAR: i32 = -80;
/// The same for a paragraph that is bold as a whole; the texts behind the weights have no bold.
const BOLD_BAR: i32 = -400;

/// What was seen of a text before headings are chosen.
pub(super) struct Seen {
    /// Each piece without its neighbours.
    pub lines: Vec<Line>,
    /// Each piece with its neighbours.
    pub shapes: Vec<Shape>,
    /// Series of labels.
    pub series: AllSeries,
    /// Lists of contents.
    pub contents: Vec<Contents>,
    /// Keys of short pieces, by which entries of contents and headings are compared.
    pub keys: Keys,
}

/// How many lines behind one are asked whether they repeat.
const BEHIND: usize = 3;

#[expect(clippy::disallowed_types, reason = "its order is never seen")]
type Counts<'a> = std::collections::HashMap<&'a str, u32, foldhash::fast::FixedState>;

/// Looks at all pieces.
///
/// Where the markup says what is a heading (`marked`), only the first lines are looked at closely,
/// for the title.
pub(super) fn look(text: &str, pieces: &[Piece], marked: bool) -> Seen {
    let lines: Vec<Line> = pieces
        .iter()
        .enumerate()
        .map(|(i, p)| {
            // Where the markup tells, only bold lines can still become headings further down.
            if marked && i > TITLE_NEIGHBOURHOOD && !p.leaf.bold {
                return Line::default();
            }
            shape::line(text, p, !marked || i <= TITLE_REACH)
        })
        .collect();
    let series = if marked {
        AllSeries::default()
    } else {
        series::find(pieces, &|i| lines.get(i).is_some_and(|l| l.open))
    };
    let keys = Keys::new(text, pieces);
    let contents = contents::find(pieces, &keys);
    let close = if marked {
        pieces.len().min(TITLE_REACH)
    } else {
        pieces.len()
    };
    // How often the keys of the lines that are looked at closely, and of those right behind them,
    // stand in the text.
    let mut counts: Counts<'_> = (0..close + BEHIND)
        .map(|i| keys.of(i))
        .filter(|key| !key.is_empty())
        .map(|key| (key, 0))
        .collect();
    for key in keys.iter() {
        if let Some(count) = counts.get_mut(key) {
            *count += 1;
        }
    }
    // Keys that a list of contents names, and where that list ends.
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for list in &contents {
        let end = list.entries.last().copied().unwrap_or(0);
        for entry in &list.entries {
            named.entry(keys.of(*entry)).or_insert(end);
        }
    }
    let announced = |i: usize| named.get(keys.of(i)).is_some_and(|end| i > *end);
    let repeated = |i: usize| counts.get(keys.of(i)).is_some_and(|n| *n > 2);
    let blanks = pieces.iter().filter(|p| p.leaf.after_blank).count();
    let dense = blanks * 10 >= pieces.len() * 7;
    let around = Surroundings {
        habits: Habits::of(&lines, &series, dense),
        lines: &lines,
        series: &series,
        announced: &announced,
        repeated: &repeated,
        dense,
    };
    let mut shapes: Vec<Shape> = (0..close).map(|i| shape::shape(&around, i)).collect();
    shape::company(&mut shapes, &series);
    Seen {
        shapes,
        series,
        contents,
        lines,
        keys,
    }
}

/// Finds title and headings.
pub(super) fn find(text: &str, format: Format, pieces: &[Piece]) -> Findings {
    let mut findings = Findings::default();
    let stated = pieces.iter().filter(|p| p.leaf.heading.is_some()).count();
    // One heading alone is a title: it says nothing of how the others are set.
    let marked = format != Format::Text && stated > 1;
    let seen = look(text, pieces, marked);
    let mut listed: Vec<usize> = seen
        .contents
        .iter()
        .flat_map(|c| c.entries.iter().copied())
        .collect();
    listed.sort_unstable();
    let can = |i: usize| {
        listed.binary_search(&i).is_err()
            && pieces.get(i).is_some_and(|p| {
                matches!(
                    p.leaf.kind,
                    BlockKind::Paragraph | BlockKind::ListItem | BlockKind::Heading
                )
            })
    };
    let mut heads: Vec<bool> = pieces
        .iter()
        .enumerate()
        .map(|(i, piece)| {
            let open = seen.lines.get(i).is_some_and(|l| l.open);
            can(i)
                && if piece.leaf.heading.is_some() {
                    true
                } else if marked {
                    in_bold(piece, seen.shapes.get(i)) && open
                } else {
                    // What stands first and points elsewhere belongs to the page, not to the text.
                    let skip = |s: &Shape| s.has(Feature::Top) && s.has(Feature::Pointer);
                    // Whoever sets a whole short paragraph in bold means a heading.
                    let bold = format != Format::Text && in_bold(piece, seen.shapes.get(i));
                    let bar = if bold && open { BOLD_BAR } else { BAR };
                    seen.shapes
                        .get(i)
                        .is_some_and(|s| s.second() > bar && !skip(s))
                        || known(&seen, i)
                }
        })
        .collect();
    let ends = if marked {
        BTreeMap::new()
    } else {
        even_out(&seen, &mut heads, &can);
        questions(text, pieces, &seen, &mut heads, &can);
        lists_in_a_line(text, pieces, &mut heads);
        stack(&seen, &mut heads, &can);
        let mut ends = run_on(text, pieces, &mut heads, &can);
        if format != Format::Text {
            bold_leads(text, pieces, &mut heads, &mut ends, &can);
        }
        ends
    };
    let title = title(pieces, &seen, &heads, &can);
    if let Some(title) = title
        && let Some(head) = heads.get_mut(title)
    {
        *head = false;
    }
    findings.title = title;
    let chosen: Vec<usize> = (0..pieces.len())
        .filter(|i| heads.get(*i) == Some(&true))
        .collect();
    findings.contents = listed;
    findings.headings = nesting::levels(pieces, &seen, &chosen, marked);
    for heading in &mut findings.headings {
        heading.end = ends.get(&heading.piece).copied();
    }
    if !seen.contents.is_empty() {
        let names: Vec<usize> = chosen.iter().copied().chain(title).collect();
        let names = contents::Headings::new(&seen.keys, &names);
        for list in &seen.contents {
            findings
                .warnings
                .extend(contents::absent(text, pieces, &seen.keys, list, &names));
        }
    }
    findings
}

/// Whether a whole paragraph is bold and may be a heading for that: a date or an address is set off
/// by bold type too. Shapes are known of the first lines only where the text marks its headings.
fn in_bold(piece: &Piece, shape: Option<&Shape>) -> bool {
    piece.leaf.bold
        && !piece.leaf.listed
        && shape.is_none_or(|s| {
            ![
                Feature::Year,
                Feature::Dated,
                Feature::Address,
                Feature::Digits,
            ]
            .into_iter()
            .any(|f| s.has(f))
        })
}

/// Headings that run on into their text, and where each ends.
fn run_on(
    text: &str,
    pieces: &[Piece],
    heads: &mut [bool],
    can: &dyn Fn(usize) -> bool,
) -> BTreeMap<usize, usize> {
    let mut ends = BTreeMap::new();
    for (i, piece) in pieces.iter().enumerate() {
        let Some(head) = heads.get_mut(i).filter(|h| !**h) else {
            continue;
        };
        if can(i)
            && let Some(end) = runon::end(text, piece)
        {
            ends.insert(i, end);
            *head = true;
        }
    }
    ends
}

/// Longest title that is set in bold at the start of its own text, in characters.
const LONGEST_LEAD: usize = 90;

/// Labelled paragraphs that start with their title in bold: `**4. Courts.** The courts of …`.
fn bold_leads(
    text: &str,
    pieces: &[Piece],
    heads: &mut [bool],
    ends: &mut BTreeMap<usize, usize>,
    can: &dyn Fn(usize) -> bool,
) {
    let leads: Vec<(usize, usize)> = pieces
        .iter()
        .enumerate()
        .filter_map(|(i, piece)| {
            let end = piece.leaf.lead?;
            let title = text.get(piece.body.start..end)?;
            let length = title.chars().count();
            let fits = can(i)
                && !piece.leaf.listed
                && !piece.bullet
                && piece.label.is_some()
                && (1..=LONGEST_LEAD).contains(&length)
                && title.chars().any(char::is_alphabetic);
            fits.then_some((i, end))
        })
        .collect();
    if leads.len() < FEWEST_LEADS {
        return;
    }
    for (i, end) in leads {
        ends.insert(i, end);
        if let Some(head) = heads.get_mut(i) {
            *head = true;
        }
    }
}

/// Fewer paragraphs with a bold start are emphasis.
const FEWEST_LEADS: usize = 2;

/// Where most members of a series of labels are headings, the others are too, if they can be.
fn even_out(seen: &Seen, heads: &mut [bool], can: &dyn Fn(usize) -> bool) {
    for series in &seen.series.series {
        let count = series.members.len();
        let yes = series
            .members
            .iter()
            .filter(|m| heads.get(**m) == Some(&true))
            .count();
        if count >= 3 && yes * 10 < count * 4 && !series.heads() {
            // One of many items that happens to be short.
            for member in &series.members {
                if let Some(head) = heads.get_mut(*member) {
                    *head = false;
                }
            }
        }
        if count < 3 || yes * 10 < count * 6 {
            continue;
        }
        for member in &series.members {
            let open = seen.lines.get(*member).is_some_and(|l| l.open);
            if let Some(head) = heads.get_mut(*member) {
                *head |= open && can(*member);
            }
        }
    }
}

/// Fewer questions that are headings do not make a text of questions and answers.
const FEWEST_QUESTIONS: usize = 5;

/// In a text of questions and answers the long questions are headings as the short ones are.
fn questions(
    text: &str,
    pieces: &[Piece],
    seen: &Seen,
    heads: &mut [bool],
    can: &dyn Fn(usize) -> bool,
) {
    let asks = |i: usize| {
        seen.shapes
            .get(i)
            .is_some_and(|s| s.has(Feature::EndsQuestion))
    };
    let asked = (0..heads.len()).filter(|i| asks(*i));
    let (all, taken) = asked.fold((0, 0), |(all, taken), i| {
        (all + 1, taken + usize::from(heads.get(i) == Some(&true)))
    });
    if taken < FEWEST_QUESTIONS || taken * 3 < all * 2 {
        return;
    }
    for (i, piece) in pieces.iter().enumerate() {
        let length = text
            .get(piece.body.clone())
            .map_or(0, |body| body.chars().count());
        if asks(i)
            && can(i)
            && !piece.bullet
            && piece.leaf.after_blank
            && length <= 200
            && seen.lines.get(i + 1).is_some_and(|l| l.running)
            && let Some(head) = heads.get_mut(i)
        {
            *head = true;
        }
    }
}

/// A line that counts on inside (`1. Scope 2. Data 3. Law`) is a list of contents that lost its line
/// ends.
fn lists_in_a_line(text: &str, pieces: &[Piece], heads: &mut [bool]) {
    for (piece, head) in pieces.iter().zip(heads).filter(|(_, head)| **head) {
        let Some(printed) = piece.label.as_ref().filter(|l| l.values.len() == 1) else {
            continue;
        };
        let first = printed.values.first().copied().unwrap_or(0);
        let mut rest = text.get(piece.body.clone()).unwrap_or_default();
        let counts_on = (1..=3).all(|more| {
            let label = format!(" {}. ", u64::from(first) + more);
            match rest.split_once(&label) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            }
        });
        *head = !counts_on;
    }
}

/// A short line between running text and a heading is a heading too: that of an empty section, or
/// one that is divided at once.
fn stack(seen: &Seen, heads: &mut [bool], can: &dyn Fn(usize) -> bool) {
    for i in 1..heads.len() {
        let is = |i: usize| heads.get(i) == Some(&true);
        let line = |i: usize| seen.lines.get(i);
        let fits = !is(i)
            && is(i + 1)
            && can(i)
            && line(i).is_some_and(|l| l.open)
            && line(i - 1).is_some_and(|l| l.running)
            && line(i + 2).is_some_and(|l| l.running)
            && seen.series.get(i).is_none()
            && seen.series.get(i + 1).is_none()
            && seen.shapes.get(i).is_some_and(|s| {
                (s.has(Feature::Short) || s.has(Feature::OneWord) || s.has(Feature::TitleCase))
                    && !s.has(Feature::EndsColon)
                    && !s.has(Feature::Year)
                    && !s.has(Feature::Address)
                    && !s.has(Feature::RareNoBlankBefore)
            });
        if fits && let Some(head) = heads.get_mut(i) {
            *head = true;
        }
    }
}

/// Lines that a list of contents names, and those that open every other policy, are headings if they
/// can be.
fn known(seen: &Seen, i: usize) -> bool {
    let Some((shape, line)) = seen.shapes.get(i).zip(seen.lines.get(i)) else {
        return false;
    };
    let opener = OPENERS.contains(&seen.keys.of(i));
    line.open
        && !shape.has(Feature::Crowd)
        && (shape.has(Feature::Announced) && !shape.has(Feature::Repeated) || opener)
}

/// The title: among the first lines, the one that is set as one and named as policies are.
fn title(
    pieces: &[Piece],
    seen: &Seen,
    heads: &[bool],
    can: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let first = heads.iter().position(|h| *h);
    let limit = pieces.len().min(TITLE_REACH);
    let fits = |i: &usize| {
        can(*i)
            && pieces
                .get(*i)
                .is_some_and(|p| p.label.is_none() && !p.bullet)
            && seen.lines.get(*i).is_some_and(|l| l.open)
            && seen.shapes.get(*i).is_some_and(|s| {
                !s.has(Feature::Year)
                    && !s.has(Feature::EndsColon)
                    && !s.has(Feature::Verb)
                    && !s.has(Feature::Pointer)
            })
    };
    let marked = |i: &usize| pieces.get(*i).is_some_and(|p| p.leaf.heading.is_some());
    let named = |i: &usize| seen.shapes.get(*i).is_some_and(|s| s.has(Feature::Name));
    let part = |i: &usize| OPENERS.contains(&seen.keys.of(*i));
    // Nothing but a few short lines may stand before it.
    let top = || {
        (0..limit)
            .take_while(|i| *i == 0 || seen.lines.get(i - 1).is_none_or(|l| !l.running))
            .filter(fits)
            .filter(|i| !part(i))
    };
    let highest = top()
        .filter(marked)
        .min_by_key(|i| pieces.get(*i).and_then(|p| p.leaf.heading));
    if let Some(highest) = highest {
        return Some(highest);
    }
    top()
        .find(named)
        .or_else(|| top().find(|i| first == Some(*i)))
}

/// How many pieces may stand before the title.
const TITLE_REACH: usize = 6;

/// Up to which piece a line may be looked at as a neighbour of one that may be the title.
const TITLE_NEIGHBOURHOOD: usize = TITLE_REACH + 8;

/// Keys of headings that open a text and are no titles.
const OPENERS: &[&str] = &[
    "introduction",
    "overview",
    "summary",
    "preamble",
    "foreword",
    "general",
    "scope",
    "definitions",
    "welcome",
    "contents",
    "tableofcontents",
    "einleitung",
    "präambel",
    "préambule",
    "introducción",
    "引言",
    "前言",
    "概述",
];

#[cfg(test)]
mod tests {
    use crate::read::{Format, Input, canonical, read};

    fn titles(text: &str) -> Vec<String> {
        let document = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Text),
            ..Input::default()
        })
        .unwrap();
        document.sections.into_iter().map(|s| s.title).collect()
    }

    const BODY: &str = "We keep your name and your address for as long as you have an account with \
                        us, and we delete both of them when you close it.";

    #[test]
    fn long_questions_among_short_ones_are_headings() {
        let long = "I lost my lamp in the garden and a neighbour says that he has found it there. \
                    Whom do I ask to have it back, and what does it cost me?";
        let questions = [
            "What do we collect?",
            "Who sees it?",
            "How long do we keep it?",
            long,
            "Can I see it?",
            "Can I delete it?",
        ];
        let mut text = "Moss Privacy Policy\n\n".to_owned();
        for question in questions {
            text += &format!("{question}\n\n{BODY}\n\n");
        }
        assert_eq!(titles(&text), questions);
        // Alone it is a question in the text.
        let text = format!("Moss Privacy Policy\n\nOur data\n\n{BODY}\n\n{long}\n\n{BODY}\n");
        assert!(!titles(&text).iter().any(|t| t == long));
    }

    #[test]
    fn titles_in_bold_before_their_own_text_are_headings() {
        let mut text = "# Moss Terms\n\n**Last updated: 1 May 2031**\n\n".to_owned();
        for (i, title) in ["Scope", "Our data", "Law and courts"].iter().enumerate() {
            text += &format!("**{}. {title}.** {BODY}\n\n{BODY}\n\n", i + 1);
        }
        let document = read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        })
        .unwrap();
        let titles: Vec<&str> = document.sections.iter().map(|s| &*s.title).collect();
        assert_eq!(titles, ["Scope.", "Our data.", "Law and courts."]);
        let shown = canonical(&document);
        assert!(
            shown.contains(&format!("## 1. Scope.\n\n{BODY}\n\n{BODY}\n")),
            "{shown}"
        );
        let again = read(&Input {
            bytes: shown.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        });
        assert_eq!(canonical(&again.unwrap()), shown);
        assert_eq!(document.sections[2].lines.0, 13);
    }

    #[test]
    fn headings_that_count_once_through_the_text_stand_on_one_level() {
        let levels = |marks: [&str; 4]| -> Vec<u8> {
            let titles = ["1. Scope", "1.1 Lamps", "2. Data", "3. Law"];
            let mut text = "# Moss Terms\n\n## Preface\n\n".to_owned();
            for (mark, title) in marks.iter().zip(titles) {
                let end = if *mark == "**" { "**" } else { "" };
                text += &format!("{BODY}\n\n{mark}{title}{end}\n\n");
            }
            let document = read(&Input {
                bytes: format!("{text}{BODY}\n").as_bytes(),
                format: Some(Format::Markdown),
                ..Input::default()
            })
            .unwrap();
            document.sections.iter().map(|s| s.level).collect()
        };
        assert_eq!(levels(["**", "**", "## ", "#### "]), [1, 1, 2, 1, 1]);
        assert_eq!(levels(["## ", "### ", "## ", "### "]), [1, 1, 2, 1, 1]);
        assert_eq!(levels(["### ", "#### ", "### ", "### "]), [1, 2, 3, 2, 2]);
    }

    #[test]
    fn a_list_of_contents_in_one_line_is_no_heading() {
        let mut text = "1. Scope 2. Data we collect 3. Sharing 4. Law\n\nMoss Terms\n\n".to_owned();
        for title in ["1. Scope", "2. Data we collect", "3. Sharing", "4. Law"] {
            text += &format!("{title}\n\n{BODY}\n\n");
        }
        assert_eq!(
            titles(&text),
            ["Scope", "Data we collect", "Sharing", "Law"]
        );
    }
}
