//! Lists of contents: runs of short entries that name what stands further down.

#[expect(clippy::disallowed_types, reason = "its order is never seen")]
use std::collections::HashMap;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::FixedState;

use super::{BlockKind, Warning, assemble::Piece, keys::Keys};

/// A list of contents.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    /// Its entries, indices of pieces.
    pub entries: Vec<usize>,
}

/// Words that announce a list of contents; lower case, letters only.
const WORDS: &[&str] = &[
    "contents",
    "tableofcontents",
    "content",
    "index",
    "onthispage",
    "inthisarticle",
    "inthispolicy",
    "inthisdocument",
    "quicklinks",
    "jumpto",
    "summaryofcontents",
    "inhalt",
    "inhaltsverzeichnis",
    "sommaire",
    "tabledesmatières",
    "índice",
    "indice",
    "contenido",
    "sumário",
    "inhoud",
    "inhoudsopgave",
    "spistreści",
    "содержание",
    "目录",
    "目錄",
    "目次",
    "목차",
    "overview",
];

/// Longest entry, in bytes.
const LONGEST_ENTRY: usize = 140;
/// Most entries of one list; a longer one is read as several, so that the same line again and again
/// costs no more than its length.
const MOST: usize = 150;
/// Fewest entries of a list that nothing announces.
const FEWEST: usize = 4;

/// Finds the lists of contents. `keys` holds the key of each short piece, empty for others.
pub(super) fn find(pieces: &[Piece], keys: &Keys) -> Vec<Contents> {
    let mut lists = direct(pieces, keys);
    if let Some(list) = summary(pieces, keys) {
        let taken: BTreeSet<usize> = lists
            .iter()
            .flat_map(|l: &Contents| l.entries.iter().copied())
            .collect();
        if !list.entries.iter().any(|i| taken.contains(i)) {
            lists.push(list);
        }
    }
    lists
}

/// Fewest entries of a summary.
const FEWEST_SUMMARISED: usize = 5;

/// A summary: labelled lines from the first label on, each with a remark, that all stand again
/// further down in the same order, when the last of them has been passed.
fn summary(pieces: &[Piece], keys: &Keys) -> Option<Contents> {
    let key = |i: usize| Some(keys.of(i)).filter(|k| k.len() > 3);
    let first = |i: &usize| {
        pieces.get(*i).is_some_and(|p| {
            p.leaf.heading.is_none()
                && p.body.len() <= LONGEST_ENTRY
                && p.label.as_ref().is_some_and(|l| l.values == [1])
        })
    };
    let start = (0..pieces.len().min(SUMMARY_REACH)).find(first)?;
    let opening = pieces.get(start)?.label.as_ref()?;
    let again = (start + 1..pieces.len()).find(|i| key(*i).is_some() && key(*i) == key(start))?;
    let alike = |i: &usize| {
        pieces.get(*i).is_some_and(|p| {
            p.label
                .as_ref()
                .is_some_and(|l| l.style == opening.style && l.delimiter == opening.delimiter)
        })
    };
    let entries: Vec<usize> = (start..again).filter(alike).collect();
    let mut at = again;
    for entry in &entries {
        at = (at..pieces.len()).find(|i| key(*i).is_some() && key(*i) == key(*entry))? + 1;
    }
    let last = pieces.get(*entries.last()?)?.label.as_ref()?;
    let complete = last.values.first().copied() == u32::try_from(entries.len()).ok();
    (complete && entries.len() >= FEWEST_SUMMARISED).then_some(Contents { entries })
}

/// How many pieces may stand before a summary.
const SUMMARY_REACH: usize = 40;

/// Runs of entries with nothing between them.
fn direct(pieces: &[Piece], keys: &Keys) -> Vec<Contents> {
    #[expect(clippy::disallowed_types, reason = "its order is never seen")]
    let mut last: HashMap<&str, usize, FixedState> =
        HashMap::with_capacity_and_hasher(keys.len(), FixedState::default());
    for (i, key) in keys.iter().enumerate() {
        if !key.is_empty() {
            last.insert(key, i);
        }
    }
    let entry = |i: usize| {
        pieces.get(i).is_some_and(|p| {
            p.leaf.kind != BlockKind::Markup
                && p.leaf.heading.is_none()
                && p.body.len() <= LONGEST_ENTRY
        })
    };
    let later = |i: usize| {
        Some(keys.of(i))
            .filter(|k| !k.is_empty())
            .and_then(|k| last.get(k))
            .copied()
            .filter(|at| *at > i)
    };
    let mut lists = Vec::new();
    let mut i = 0;
    while i < pieces.len() {
        let announced = WORDS.contains(&keys.of(i));
        let start = if announced { i + 1 } else { i };
        let list = run(pieces, start, announced, &entry, &later);
        if let Some(entries) = list {
            i = entries.last().copied().unwrap_or(i) + 1;
            lists.push(Contents { entries });
        } else {
            i += 1;
        }
    }
    lists
}

fn run(
    pieces: &[Piece],
    start: usize,
    announced: bool,
    entry: &dyn Fn(usize) -> bool,
    later: &dyn Fn(usize) -> Option<usize>,
) -> Option<Vec<usize>> {
    if !announced && later(start).is_none() {
        return None;
    }
    let labelled = |i: usize| pieces.get(i).is_some_and(|p| p.label.is_some() || p.bullet);
    // A numbered list whose first entries are both met again is one, however little of the rest is
    // there: the text may be cut off.
    let numbered = |i: usize| pieces.get(i).is_some_and(|p| p.label.is_some());
    let sure = numbered(start)
        && numbered(start + 1)
        && later(start).is_some()
        && later(start + 1).is_some();
    let mut entries = Vec::new();
    // A line that merely repeats itself announces nothing: each entry must meet its own heading.
    let mut met = BTreeSet::new();
    let mut missed_in_row = 0;
    // The list ends where the first of its entries is met again, at the latest.
    let mut limit = pieces.len();
    let mut i = start;
    while i < limit && entries.len() < MOST && entry(i) {
        match later(i) {
            Some(at) => {
                limit = limit.min(at);
                met.insert(at);
                missed_in_row = 0;
            }
            None => {
                missed_in_row += 1;
                if sure && !numbered(i) || !announced && !sure && missed_in_row > 2 {
                    break;
                }
            }
        }
        entries.push(i);
        i += 1;
    }
    // Lines after the last entry that is met again belong to the text, unless all are labelled.
    let same = entries.iter().filter(|e| labelled(**e)).count() * 10 >= entries.len() * 8;
    while let Some(last) = entries.last().copied()
        && later(last).is_none()
        && !((announced || sure) && same && labelled(last))
    {
        entries.pop();
    }
    let matched = met.len();
    let enough = if sure && entries.len() > FEWEST {
        matched >= 2
    } else if announced {
        entries.len() >= 3 && (matched >= 2)
    } else {
        entries.len() >= FEWEST && matched * 10 >= entries.len() * 7
    };
    enough.then_some(entries)
}

/// The headings of a text by their keys, each with the last piece that has it.
pub(super) struct Headings<'a> {
    last: BTreeMap<&'a str, usize>,
}

impl<'a> Headings<'a> {
    /// `headings` are the pieces of all headings.
    pub(super) fn new(keys: &'a Keys, headings: &[usize]) -> Self {
        let mut last = BTreeMap::new();
        for &heading in headings {
            let key = keys.of(heading);
            let at = last.entry(key).or_insert(heading);
            *at = heading.max(*at);
        }
        Self { last }
    }

    /// Whether the key of a heading behind `first` is the beginning of another key, or the other
    /// way round; both longer than eight bytes.
    fn cut_off(&self, key: &str, first: usize) -> bool {
        let head = key.get(..key.floor_char_boundary(9)).unwrap_or_default();
        self.last
            .range(head..)
            .take_while(|(p, _)| p.starts_with(head))
            .any(|(p, at)| {
                *at > first && p.len() > 8 && (p.starts_with(key) || key.starts_with(*p))
            })
    }
}

/// Entries of a list of contents that no heading behind its first entry answers to.
pub(super) fn absent(
    text: &str,
    pieces: &[Piece],
    keys: &Keys,
    list: &Contents,
    headings: &Headings<'_>,
) -> Vec<Warning> {
    let first = list.entries.first().copied().unwrap_or(0);
    let key = |i: usize| keys.of(i);
    // A list of pages elsewhere names nothing that is here.
    let answers = |i: usize| {
        let wanted = key(i);
        wanted.is_empty()
            || headings.last.get(wanted).is_some_and(|at| *at > first)
            || wanted.len() > 8 && headings.cut_off(wanted, first)
    };
    let missing: Vec<usize> = list
        .entries
        .iter()
        .copied()
        .filter(|i| !answers(*i))
        .collect();
    if missing.len() == list.entries.len() {
        return Vec::new();
    }
    missing
        .iter()
        .map(|i| {
            let piece = pieces.get(*i);
            let words = piece
                .and_then(|p| text.get(p.leaf.span.clone()))
                .unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            Warning {
                code: "announced-but-absent".to_owned(),
                detail: format!(
                    "the list of contents announces \"{words}\", but no section has that title ({} of {} entries are absent)",
                    missing.len(),
                    list.entries.len()
                ),
            }
        })
        .collect()
}
