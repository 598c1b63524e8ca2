//! How headings nest: by the levels that markup states, by their labels, and, where neither says
//! anything, by what follows them.

use std::collections::BTreeMap;

use super::{
    BlockKind,
    assemble::{Heading, Piece},
    headings::Seen,
    label::{Delimiter, Printed, Rank, Style},
    shape::Feature,
};

/// How a heading is set: headings of one style stand on one level.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    /// Marked as a heading of this level.
    Marked(u8),
    /// A decimal label of several parts.
    Deep(Vec<u32>),
    /// Any other label, with its value.
    Counted(Style, Delimiter, Option<Rank>, u32),
    /// No label; a list of contents names it.
    Announced,
    /// No label; what follows directly is another heading.
    Stacked,
    /// No label.
    Plain,
    /// A bold paragraph in a text that marks its headings.
    Bold,
}

struct Open {
    manner: Manner,
    level: u8,
    piece: usize,
}

/// Where unlabelled headings stood last: how many headings were open above them.
#[derive(Default)]
struct Memory {
    plain: Option<usize>,
    /// How many were open above lines that stand again and again over other headings.
    over: BTreeMap<String, usize>,
}

/// Fewer headings in a list of contents say nothing of the others.
const FEWEST_ANNOUNCED: usize = 3;

/// Deepest level that is told apart.
const DEEPEST: u8 = 12;

/// Gives each chosen piece its level. `marked` says whether the text marks its headings.
pub(super) fn levels(
    pieces: &[Piece],
    seen: &Seen,
    chosen: &[usize],
    marked: bool,
) -> Vec<Heading> {
    let manners: Vec<Manner> = chosen
        .iter()
        .enumerate()
        .filter_map(|(k, i)| {
            let piece = pieces.get(*i)?;
            let next = (i + 1..pieces.len()).find(|n| {
                pieces
                    .get(*n)
                    .is_some_and(|p| p.leaf.kind != BlockKind::Markup)
            });
            // Labels say for themselves what they stand under.
            let stacked = next.is_some()
                && next == chosen.get(k + 1).copied()
                && next.is_some_and(|n| pieces.get(n).is_some_and(|p| p.label.is_none()));
            Some(manner(piece, stacked, marked))
        })
        .collect();
    let manners = if marked {
        one_series(manners, pieces, chosen)
    } else {
        manners
    };
    let main = main_series(&manners);
    // Where nothing but bold type sets headings, they all stand on one level.
    let bold_alone = !marked
        && chosen.iter().all(|i| {
            pieces
                .get(*i)
                .is_some_and(|p| p.leaf.bold && p.label.is_none())
        });
    let manners = if bold_alone {
        vec![Manner::Announced; manners.len()]
    } else {
        announced(manners, seen, chosen)
    };
    let mut open: Vec<Open> = Vec::new();
    let mut memory = Memory::default();
    let mut headings = Vec::with_capacity(chosen.len());
    for (k, (i, manner)) in chosen.iter().zip(&manners).enumerate() {
        let before = k.checked_sub(1).and_then(|b| manners.get(b));
        let place = Place {
            manner,
            before,
            main: main.as_ref(),
            rank: k,
            piece: *i,
        };
        let keep = parent(&open, &place, &memory, seen);
        open.truncate(keep);
        if *manner == Manner::Stacked && repeats(seen, *i) {
            let key = seen.keys.of(*i).to_owned();
            memory.over.entry(key).or_insert(open.len());
        }
        if matches!(manner, Manner::Plain | Manner::Stacked) {
            memory.plain = Some(open.len());
        }
        let level = open
            .last()
            .map_or(1, |o| o.level.saturating_add(1))
            .min(DEEPEST);
        headings.push(Heading {
            piece: *i,
            level,
            end: None,
        });
        open.push(Open {
            manner: manner.clone(),
            level,
            piece: *i,
        });
        if open.len() > usize::from(DEEPEST) {
            open.remove(usize::from(DEEPEST) - 1);
        }
    }
    headings
}

/// Where the headings of a marked text count once through all of it, they stand on one level, however
/// each is marked: one folded, one in bold, one a level too deep.
fn one_series(mut manners: Vec<Manner>, pieces: &[Piece], chosen: &[usize]) -> Vec<Manner> {
    let mut series: BTreeMap<(Style, Option<Rank>), Vec<(usize, u32)>> = BTreeMap::new();
    for (k, i) in chosen.iter().enumerate() {
        if let Some(label) = pieces.get(*i).and_then(|p| p.label.as_ref())
            && let [value] = label.values.as_slice()
        {
            let key = (label.style, label.word);
            series.entry(key).or_default().push((k, *value));
        }
    }
    for members in series.values() {
        let counts = members
            .iter()
            .zip(1..)
            .all(|((_, value), wanted)| *value == wanted);
        let marks = members.iter().filter_map(|(k, _)| match manners.get(*k) {
            Some(Manner::Marked(level)) => Some(*level),
            _ => None,
        });
        let Some(highest) = marks.min().filter(|_| counts && members.len() >= 3) else {
            continue;
        };
        for (k, _) in members {
            if let Some(manner) = manners.get_mut(*k) {
                *manner = Manner::Marked(highest);
            }
        }
    }
    manners
}

/// A list of contents names the outermost headings: where it names several, those that it does not
/// name stand below them.
fn announced(manners: Vec<Manner>, seen: &Seen, chosen: &[usize]) -> Vec<Manner> {
    let named = |k: usize| {
        chosen
            .get(k)
            .and_then(|i| seen.shapes.get(*i))
            .is_some_and(|s| s.has(Feature::Announced))
    };
    let plain = |m: &Manner| matches!(m, Manner::Plain | Manner::Stacked);
    let count = manners
        .iter()
        .enumerate()
        .filter(|(k, m)| plain(m) && named(*k))
        .count();
    manners
        .into_iter()
        .enumerate()
        .map(|(k, m)| {
            if count >= FEWEST_ANNOUNCED && plain(&m) && named(k) {
                Manner::Announced
            } else {
                m
            }
        })
        .collect()
}

fn manner(piece: &Piece, stacked: bool, marked: bool) -> Manner {
    if let Some(level) = piece.leaf.heading {
        return Manner::Marked(level);
    }
    if let Some(label) = &piece.label
        && !(marked && piece.leaf.bold)
    {
        return labelled(label);
    }
    if marked {
        Manner::Bold
    } else if stacked {
        Manner::Stacked
    } else {
        Manner::Plain
    }
}

fn labelled(label: &Printed) -> Manner {
    let value = label.values.last().copied().unwrap_or(0);
    if label.values.len() > 1 {
        Manner::Deep(label.values.clone())
    } else {
        Manner::Counted(label.style, label.delimiter, label.word, value)
    }
}

/// The series of single labels that divides the whole text: where its first and last member stand
/// among the headings.
struct Main {
    style: Style,
    word: Option<Rank>,
    first: usize,
    last: usize,
}

fn main_series(manners: &[Manner]) -> Option<Main> {
    let mut candidates: Vec<(Main, usize, u32)> = Vec::new();
    for (k, manner) in manners.iter().enumerate() {
        let Manner::Counted(style, _, word, value) = manner else {
            continue;
        };
        let found = candidates.iter_mut().find(|(m, _, last)| {
            m.style == *style && m.word == *word && *value > *last && *value <= last + 2
        });
        if let Some((main, count, last)) = found {
            main.last = k;
            *count += 1;
            *last = *value;
        } else if *value <= 2 {
            candidates.push((
                Main {
                    style: *style,
                    word: *word,
                    first: k,
                    last: k,
                },
                1,
                *value,
            ));
        }
    }
    candidates
        .into_iter()
        .filter(|(_, count, _)| *count >= 3)
        // The one that does not start again, and spans most.
        .max_by_key(|(m, count, _)| {
            let starts = manners
                .get(m.first..=m.last)
                .unwrap_or_default()
                .iter()
                .filter(|o| {
                    matches!(o, Manner::Counted(style, _, word, 1)
                        if *style == m.style && *word == m.word)
                })
                .count();
            (starts < 3, m.last - m.first, *count)
        })
        .map(|(main, _, _)| main)
}

/// A heading that looks for its parent.
struct Place<'a> {
    manner: &'a Manner,
    /// The manner of the heading before it.
    before: Option<&'a Manner>,
    main: Option<&'a Main>,
    /// How many headings stand before it.
    rank: usize,
    piece: usize,
}

/// How many of the open headings stay open: the new one becomes a child of the last of them.
fn parent(open: &[Open], place: &Place<'_>, memory: &Memory, seen: &Seen) -> usize {
    let Place {
        manner,
        before,
        main,
        rank: k,
        piece,
    } = *place;
    match manner {
        Manner::Marked(level) => open
            .iter()
            .position(|o| match &o.manner {
                Manner::Marked(other) => other >= level,
                _ => true,
            })
            .unwrap_or(open.len()),
        Manner::Bold => open
            .iter()
            .position(|o| !matches!(o.manner, Manner::Marked(_)))
            .unwrap_or(open.len()),
        Manner::Deep(values) => deep(open, values),
        Manner::Counted(style, delimiter, word, value) => {
            let same = |o: &Open| match &o.manner {
                Manner::Counted(s, d, w, v) => {
                    s == style && w == word && (d == delimiter || w.is_some()) && v < value
                }
                _ => false,
            };
            if let Some(at) = open.iter().rposition(same) {
                return at;
            }
            // Words before labels have an order of their own.
            if let Some(rank) = word {
                return open
                    .iter()
                    .position(|o| match &o.manner {
                        Manner::Counted(_, _, Some(other), _) => other >= rank,
                        _ => true,
                    })
                    .unwrap_or(open.len());
            }
            // A series that restarts stands where it stood.
            let again = |o: &Open| matches!(&o.manner, Manner::Counted(s, d, None, _) if s == style && d == delimiter);
            if *value <= 1
                && let Some(at) = open.iter().rposition(again)
            {
                return at;
            }
            if main.is_some_and(|m| {
                m.style == *style && m.word == *word && k >= m.first && k <= m.last && k == m.first
            }) {
                // Few headings without label before the main series are its neighbours.
                let plain = open
                    .iter()
                    .take_while(|o| !matches!(o.manner, Manner::Plain))
                    .count();
                return if k <= 4 {
                    plain
                } else {
                    open.len().min(plain + 1)
                };
            }
            // A number on its own among unlabelled headings is one of them.
            let alone = seen.series.get(piece).is_none_or(|s| {
                s.members.first() == Some(&piece) && *value > 1 || s.members.len() < 2 && *value > 1
            });
            if alone
                && main.is_none()
                && let Some(plain) = memory.plain
            {
                return plain.min(open.len());
            }
            // Any other new series is inside what is open and counts otherwise.
            open.iter()
                .rposition(|o| !matches!(o.manner, Manner::Plain) || k > 6)
                .map_or(0, |at| at + 1)
        }
        Manner::Announced => open
            .iter()
            .position(|o| {
                matches!(
                    o.manner,
                    Manner::Announced
                        | Manner::Plain
                        | Manner::Stacked
                        | Manner::Counted(_, _, None, _)
                        | Manner::Deep(_)
                )
            })
            .unwrap_or(open.len()),
        Manner::Stacked | Manner::Plain => {
            // The same words again and again, under whatever stands before them.
            let again = |p: usize| repeats(seen, p);
            if *manner == Manner::Stacked
                && let Some(depth) = memory.over.get(seen.keys.of(piece))
            {
                return (*depth).min(open.len());
            }
            if again(piece) {
                return open
                    .iter()
                    .rposition(|o| !again(o.piece))
                    .map_or(0, |at| at + 1);
            }
            let stacked = *manner == Manner::Stacked;
            if let Some(main) = main
                && k > main.first
            {
                let inside = open.iter().position(|o| match &o.manner {
                    Manner::Counted(style, _, word, _) => {
                        *style == main.style && *word == main.word
                    }
                    _ => false,
                });
                if let Some(at) = inside {
                    let caps = seen
                        .shapes
                        .get(piece)
                        .is_some_and(|s| s.has(Feature::AllCaps));
                    if k > main.last && caps {
                        return at;
                    }
                    // Below the deepest label, beside other plain ones.
                    return open
                        .iter()
                        .rposition(|o| matches!(o.manner, Manner::Counted(..) | Manner::Deep(_)))
                        .map_or(at + 1, |l| {
                            let follows_label =
                                matches!(before, Some(Manner::Counted(..) | Manner::Deep(_)));
                            if follows_label {
                                l + 1
                            } else {
                                (l + 1).min(open.len())
                            }
                        });
                }
            }
            let under = open.iter().rposition(|o| o.manner == Manner::Announced);
            let base = open
                .iter()
                .position(|o| matches!(o.manner, Manner::Plain | Manner::Stacked))
                .or(under.map(|u| u + 1))
                .or_else(|| memory.plain.map(|p| p.min(open.len())))
                .unwrap_or(open.len());
            if matches!(before, Some(Manner::Stacked)) {
                return open.len();
            }
            if narrows(open, seen, piece) {
                return open.len();
            }
            // Set as the stacked one is, and not as its first child.
            let set = |p: usize| {
                seen.shapes
                    .get(p)
                    .map(|s| (s.has(Feature::AllCaps), s.has(Feature::Bold)))
            };
            if let Some(at) = open.iter().rposition(|o| o.manner == Manner::Stacked)
                && let Some(above) = open.get(at)
                && let Some(child) = open.get(at + 1)
                && set(above.piece) == set(piece)
                && set(child.piece) != set(piece)
            {
                return at;
            }
            if stacked {
                return base;
            }
            // Under the last stacked one; beside the last one that a heading above it named.
            open.iter()
                .rposition(|o| o.manner == Manner::Stacked)
                .map_or_else(
                    || {
                        if memory.plain.is_some_and(|p| p > base) {
                            memory.plain.unwrap_or(base).min(open.len())
                        } else {
                            base
                        }
                    },
                    |at| at + 1,
                )
        }
    }
}

/// Whether the same line stands three times or more.
fn repeats(seen: &Seen, piece: usize) -> bool {
    seen.shapes
        .get(piece)
        .is_some_and(|s| s.has(Feature::Repeated))
}

/// Whether a heading repeats the whole, single word of the one before it: "Storage", then "Secure
/// storage".
fn narrows(open: &[Open], seen: &Seen, piece: usize) -> bool {
    let Some(last) = open.last() else {
        return false;
    };
    if open.len() != 1 || last.manner != Manner::Plain {
        return false;
    }
    let key = |p: usize| seen.keys.of(p);
    let one_word = seen
        .shapes
        .get(last.piece)
        .is_some_and(|s| s.has(Feature::OneWord));
    one_word
        && key(last.piece).len() > 3
        && key(piece).len() > key(last.piece).len()
        && key(piece).ends_with(key(last.piece))
}

/// `2.1.3` stands under `2.1`, else under `2` in any style, else beside its like.
fn deep(open: &[Open], values: &[u32]) -> usize {
    let prefix = values
        .get(..values.len().saturating_sub(1))
        .unwrap_or_default();
    let exact = open.iter().rposition(|o| match &o.manner {
        Manner::Deep(other) => other == prefix,
        Manner::Counted(_, _, _, value) => prefix == [*value],
        _ => false,
    });
    if let Some(at) = exact {
        return at + 1;
    }
    // Beside labels of the same or a greater depth.
    let beside = open.iter().position(|o| match &o.manner {
        Manner::Deep(other) => other.len() >= values.len(),
        _ => false,
    });
    if let Some(at) = beside {
        return at;
    }
    // "8.2" after "1": beside it; "2.1" after a restarted "1": under it.
    if values.last() != Some(&1)
        && let Some(at) = open.iter().rposition(|o| {
            matches!(
                o.manner,
                Manner::Counted(Style::Decimal, Delimiter::None, ..)
            )
        })
    {
        return at;
    }
    // Under the last label that is shorter, or the last heading of any kind.
    open.iter()
        .rposition(|o| match &o.manner {
            Manner::Deep(other) => other.len() < values.len(),
            _ => true,
        })
        .map_or(0, |at| at + 1)
}
