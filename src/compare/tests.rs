//! The laws of a comparison, and one text for each kind of change.

use proptest::prelude::*;

use super::*;
use crate::read::{Format, Input, read};

fn document(text: &str) -> Document {
    read(&Input {
        bytes: text.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
    .unwrap()
}

const TERMS: &str = "# Harbour Cloud terms\n\nLast updated: 4 March 2026\n\n## 1. Accounts\n\nYou must be sixteen or older to open an account. Keep your password to yourself, and tell us when you lose it.\n\n## 2. Storage\n\nWe keep your files on servers in Norway. Each account has 50 GB of space. See Section 4 for what it costs.\n\n- Photos count at their full size.\n- Notes do not count at all.\n- Shared folders count for their owner.\n\n## 3. Sharing\n\nWe never sell your files. We hand them to the police only when a court orders it, and we tell you before we do.\n\n## 4. Fees\n\n| Plan | Price | Space |\n| --- | --- | --- |\n| Dinghy | free | 50 GB |\n| Ketch | $4 | 200 GB |\n| Schooner | $9 | 2 TB |\n\nWe bill you on the first day of each month. You can [cancel](https://harbour.example/cancel) at any time.\n\n## 5. Changes\n\nWe may change these terms. We will mail you 30 days before a change takes effect.\n";

fn said(old: &str, new: &str) -> Vec<(Kind, String, String)> {
    let (old, new) = (document(old), document(new));
    let comparison = compare(&old, &new);
    laws(&old, &new, &comparison);
    comparison
        .changes
        .iter()
        .map(|change| {
            let words = |op: Op, document: &Document| {
                change
                    .edits
                    .iter()
                    .filter(|e| e.op == op)
                    .map(|e| document.slice(if op == Op::Delete { &e.old } else { &e.new }))
                    .collect::<Vec<_>>()
                    .join("|")
            };
            (
                change.kind,
                words(Op::Delete, &old),
                words(Op::Insert, &new),
            )
        })
        .collect()
}

/// Everything that holds for every comparison.
fn laws(old: &Document, new: &Document, comparison: &Comparison) {
    let mut sides = (Vec::new(), Vec::new());
    leaves(&comparison.segments, &mut |segment| {
        if let (Some(o), Some(n)) = (&segment.old, &segment.new) {
            assert_eq!(old.slice(o), new.slice(n), "kept bytes differ");
        }
        sides.0.extend(segment.old.clone());
        sides.1.extend(segment.new.clone());
    });
    covers(sides.0, 0..old.text.len());
    covers(sides.1, 0..new.text.len());
    for change in &comparison.changes {
        let mut spans = (Vec::new(), Vec::new());
        for edit in &change.edits {
            match edit.op {
                Op::Equal => assert_eq!(old.slice(&edit.old), new.slice(&edit.new)),
                Op::Delete => assert!(edit.new.is_empty()),
                Op::Insert => assert!(edit.old.is_empty()),
            }
            spans.0.push(edit.old.clone());
            spans.1.push(edit.new.clone());
        }
        if let Some(side) = &change.old {
            covers(spans.0, side.span.clone());
        }
        if let Some(side) = &change.new {
            covers(spans.1, side.span.clone());
        }
        assert!(change.details.is_sorted());
        let differs = change.edits.iter().any(|e| e.op != Op::Equal);
        assert!(
            differs || change.kind == Kind::Moved,
            "a change without a difference"
        );
    }
    assert_eq!(comparison.changes.is_empty(), {
        let moved = comparison.segments.iter().any(|s| s.op == SegmentOp::Move);
        !moved && quiet(old, new, comparison)
    });
}

/// Whether no segment outside of the changes' reach differs in more than blank lines.
fn quiet(old: &Document, new: &Document, comparison: &Comparison) -> bool {
    comparison.segments.iter().all(|segment| match segment.op {
        SegmentOp::Equal => true,
        SegmentOp::Delete => blank(old, &segment.old),
        SegmentOp::Insert => blank(new, &segment.new),
        SegmentOp::Move => false,
    }) && comparison.changes.is_empty()
}

fn blank(document: &Document, span: &Option<Span>) -> bool {
    span.as_ref()
        .is_some_and(|span| document.slice(span).trim().is_empty())
}

fn leaves(segments: &[Segment], visit: &mut impl FnMut(&Segment)) {
    for segment in segments {
        if segment.within.is_empty() {
            visit(segment);
        } else {
            leaves(&segment.within, visit);
        }
    }
}

fn covers(mut spans: Vec<Span>, whole: Span) {
    spans.retain(|s| !s.is_empty());
    spans.sort_by_key(|s| s.start);
    let mut at = whole.start;
    for span in spans {
        assert_eq!(span.start, at, "a hole or an overlap");
        at = span.end;
    }
    assert_eq!(at, whole.end, "the end is missing");
}

/// Changes seen from the other side, in an order that does not depend on the side.
fn mirrored(comparison: &Comparison, swap: bool) -> Vec<String> {
    let mut seen: Vec<String> = comparison
        .changes
        .iter()
        .map(|change| {
            let side = |side: &Option<Side>| side.as_ref().map(|s| s.span.clone());
            let (mut old, mut new) = (side(&change.old), side(&change.new));
            let mut edits: Vec<(Op, Span, Span, Option<&str>)> = change
                .edits
                .iter()
                .filter(|e| e.op != Op::Equal)
                .map(|e| (e.op, e.old.clone(), e.new.clone(), e.detail))
                .collect();
            let mut kind = change.kind;
            if swap {
                std::mem::swap(&mut old, &mut new);
                for edit in &mut edits {
                    std::mem::swap(&mut edit.1, &mut edit.2);
                    edit.0 = if edit.0 == Op::Delete {
                        Op::Insert
                    } else {
                        Op::Delete
                    };
                }
                kind = match kind {
                    Kind::Added => Kind::Removed,
                    Kind::Removed => Kind::Added,
                    other => other,
                };
            }
            let mut edits: Vec<String> = edits
                .into_iter()
                .map(|(op, old, new, detail)| {
                    let span = if op == Op::Delete { old } else { new };
                    format!("{op:?} {span:?} {detail:?}")
                })
                .collect();
            edits.sort();
            format!("{kind:?} {old:?} {new:?} {edits:?}")
        })
        .collect();
    seen.sort();
    seen
}

#[test]
fn the_same_text_has_no_changes() {
    assert_eq!(said(TERMS, TERMS), []);
}

#[test]
fn a_word_is_replaced() {
    let new = TERMS.replace("sixteen", "eighteen");
    assert_eq!(
        said(TERMS, &new),
        [(Kind::Modified, "sixteen".into(), "eighteen".into())]
    );
}

#[test]
fn a_number_is_replaced_whole() {
    let new = TERMS.replace("30 days", "14 days");
    assert_eq!(
        said(TERMS, &new),
        [(Kind::Modified, "30".into(), "14".into())]
    );
    let new = TERMS.replace("$9", "$9.50");
    assert_eq!(
        said(TERMS, &new),
        [(Kind::Modified, "$9".into(), "$9.50".into())]
    );
}

#[test]
fn an_item_is_added_and_removed() {
    let new = TERMS.replace(
        "- Notes do not count at all.\n",
        "- Notes do not count at all.\n- Voice memos count twice their length.\n",
    );
    let added = said(TERMS, &new);
    assert_eq!(added.len(), 1);
    assert_eq!(added[0].0, Kind::Added);
    assert!(added[0].2.contains("Voice memos"));
    let removed = said(&new, TERMS);
    assert_eq!(removed[0].0, Kind::Removed);
    assert_eq!(removed[0].1, added[0].2);
}

#[test]
fn a_paragraph_moves_with_an_edit_inside() {
    let paragraph = "We never sell your files. We hand them to the police only when a court orders it, and we tell you before we do.\n\n";
    let without = TERMS.replace(paragraph, "");
    let new = without.replace(
        "We may change these terms.",
        &format!(
            "{}We may change these terms.",
            paragraph.replace("police", "authorities")
        ),
    );
    let changes = said(TERMS, &new);
    assert_eq!(
        changes,
        [(Kind::Moved, "police".into(), "authorities".into())]
    );
}

#[test]
fn a_sentence_moves_into_another_paragraph() {
    let sentence =
        " We hand them to the police only when a court orders it, and we tell you before we do.";
    let new = TERMS
        .replace(sentence, "")
        .replace("what it costs.", &format!("what it costs.{sentence}"));
    let (old, new) = (document(TERMS), document(&new));
    let comparison = compare(&old, &new);
    laws(&old, &new, &comparison);
    let moved: Vec<&Change> = comparison
        .changes
        .iter()
        .filter(|c| c.kind == Kind::Moved)
        .collect();
    assert_eq!(moved.len(), 1);
    assert_eq!(
        old.slice(&moved[0].old.as_ref().unwrap().span),
        sentence.trim()
    );
    assert_eq!(comparison.counts.words, WordCounts::default());
}

#[test]
fn an_inserted_section_renumbers_headings_and_references() {
    let mut new = TERMS.to_owned();
    for number in (2..=5).rev() {
        new = new.replace(&format!("## {number}. "), &format!("## {}. ", number + 1));
    }
    let new = new.replace("See Section 4", "See Section 5").replace(
        "## 3. Storage",
        "## 2. Devices\n\nYou may connect up to six devices to one account.\n\n## 3. Storage",
    );
    let (old, new) = (document(TERMS), document(&new));
    let comparison = compare(&old, &new);
    laws(&old, &new, &comparison);
    assert_eq!(comparison.counts.sections.renumbered, 4);
    assert_eq!(comparison.counts.sections.added, 1);
    let renumbered: Vec<&Change> = comparison
        .changes
        .iter()
        .filter(|c| c.kind == Kind::Renumbered)
        .collect();
    assert_eq!(renumbered.len(), 5);
    assert!(renumbered.iter().any(|c| c.details == ["cross-reference"]));
    assert!(comparison.changes.iter().all(|c| c.kind != Kind::Modified));
}

#[test]
fn a_reference_that_points_elsewhere_is_a_change() {
    let new = TERMS.replace("See Section 4", "See Section 3");
    assert_eq!(
        said(TERMS, &new),
        [(Kind::Modified, "4".into(), "3".into())]
    );
}

#[test]
fn a_heading_is_renamed() {
    let new = TERMS.replace("## 3. Sharing", "## 3. Sharing and disclosure");
    let changes = said(TERMS, &new);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].0, Kind::Renamed);
    assert!(changes[0].2.contains("and disclosure"));
}

#[test]
fn technical_changes_are_named() {
    for (from, to, detail) in [
        (
            "harbour.example/cancel",
            "harbour.example/stop",
            "link-target",
        ),
        ("We never sell", "We **never** sell", "formatting"),
        ("We never sell", "We  never sell", "white-space"),
        ("yourself, and", "yourself and", "punctuation"),
        ("We never sell", "We NEVER sell", "case"),
        ("- Notes do", "* Notes do", "formatting"),
    ] {
        let (old, new) = (document(TERMS), document(&TERMS.replace(from, to)));
        let comparison = compare(&old, &new);
        laws(&old, &new, &comparison);
        assert!(!comparison.changes.is_empty(), "{detail}");
        for change in &comparison.changes {
            assert_eq!(change.kind, Kind::Technical, "{detail}: {change:?}");
        }
        let details: Vec<&str> = comparison
            .changes
            .iter()
            .flat_map(|c| c.details.clone())
            .collect();
        assert!(details.contains(&detail), "{detail}: {details:?}");
        assert_eq!(comparison.counts.edits, 0);
    }
}

#[test]
fn curly_quotes_are_typography() {
    let old = "Don't use the \"Harbour\" name.\n";
    let new = "Don\u{2019}t use the \u{201c}Harbour\u{201d} name.\n";
    let (old, new) = (document(old), document(new));
    let comparison = compare(&old, &new);
    laws(&old, &new, &comparison);
    assert_eq!(comparison.changes.len(), 1);
    assert_eq!(comparison.changes[0].details, ["typography"]);
}

#[test]
fn a_rewrite_is_removed_and_added() {
    let new = TERMS.replace(
        "You must be sixteen or older to open an account. Keep your password to yourself, and tell us when you lose it.",
        "Registration needs proof of age issued by a public authority; credentials stay confidential.",
    );
    let kinds: Vec<Kind> = said(TERMS, &new).into_iter().map(|c| c.0).collect();
    assert_eq!(kinds, [Kind::Removed, Kind::Added]);
}

#[test]
fn a_split_paragraph_loses_no_word() {
    let new = TERMS.replace(
        "Each account has 50 GB of space. See",
        "Each account has 50 GB of space.\n\nSee",
    );
    let (old, new) = (document(TERMS), document(&new));
    let comparison = compare(&old, &new);
    laws(&old, &new, &comparison);
    assert_eq!(comparison.counts.words, WordCounts::default());
}

#[test]
fn a_table_row_aligns_by_its_key() {
    let new = TERMS.replace("| Ketch | $4 | 200 GB |", "| Ketch | $6 | 400 GB |");
    assert_eq!(
        said(TERMS, &new),
        [(Kind::Modified, "$4|200".into(), "$6|400".into())]
    );
}

#[test]
fn a_passage_stays_within_a_cell() {
    let cells = "We keep it for as long as the account is open | You may ask us to delete it whenever you like";
    let old = format!(
        "| A | B | C |\n| --- | --- | --- |\n| Mail | {cells} |\n| Name | on request | never |\n"
    );
    let new =
        format!("| A | B | C |\n| --- | --- | --- |\n| Mail | always | no |\n| Name | {cells} |\n");
    said(&old, &new);
    said(&new, &old);
}

#[test]
fn odd_bytes_are_kept() {
    for (old, new) in [
        ("One\r\n\r\nTwo words here\r\n", "One\n\nTwo words here\n"),
        ("\u{feff}One two three", "One two three"),
        ("One\rtwo\rthree four", "One\rtwo\rthree five"),
        ("One\u{0}two three", "One two three"),
        ("", "Something"),
        ("e\u{301}tat civil", "\u{e9}tat civil"),
    ] {
        let (Ok(old), Ok(new)) = (try_document(old), try_document(new)) else {
            continue;
        };
        laws(&old, &new, &compare(&old, &new));
        laws(&new, &old, &compare(&new, &old));
    }
}

fn try_document(text: &str) -> Result<Document, crate::read::ReadError> {
    read(&Input {
        bytes: text.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
}

#[test]
fn repeated_lines_cost_no_time() {
    let old = "The same line of words again.\n\n".repeat(4_000);
    let new = format!("{old}One more line at the end of it all.\n\n{old}");
    let (old, new) = (document(&old), document(&new));
    laws(&old, &new, &compare(&old, &new));
}

/// One edit of a text: where, how much, and what.
#[derive(Debug, Clone)]
struct Tweak {
    at: usize,
    len: usize,
    what: u8,
}

const INSERTED: &[&str] = &[
    "",
    " ",
    "\n\n",
    "new words ",
    "- item\n",
    "## 7. Heading\n\n",
    "**",
    "\r\n",
    "5.2",
    "第3条",
    "| a | b |\n",
    "](http://x.example/y)",
    "\u{feff}",
    "\u{301}",
];

fn tweaked(text: &str, tweaks: &[Tweak]) -> String {
    let mut text = text.to_owned();
    for tweak in tweaks {
        let boundary = |text: &str, mut at: usize| {
            at %= text.len() + 1;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(&text, tweak.at);
        let end = boundary(&text, start.saturating_add(tweak.len)).max(start);
        match tweak.what {
            0..=1 => {
                // Cut a piece out and put it elsewhere.
                let piece: String = text.drain(start..end).collect();
                let to = boundary(&text, tweak.at.wrapping_mul(31));
                text.insert_str(to, &piece);
            }
            2 => text.replace_range(start..end, ""),
            what => text.replace_range(
                start..if what % 2 == 0 { end } else { start },
                INSERTED[usize::from(what) % INSERTED.len()],
            ),
        }
    }
    text
}

fn tweaks() -> impl Strategy<Value = Vec<Tweak>> {
    let tweak = (0..4_000_usize, 0..200_usize, any::<u8>()).prop_map(|(at, len, what)| Tweak {
        at,
        len,
        what,
    });
    prop::collection::vec(tweak, 1..8)
}

fn all_laws(old: &str, new: &str) {
    let (Ok(old), Ok(new)) = (try_document(old), try_document(new)) else {
        return;
    };
    let there = compare(&old, &new);
    laws(&old, &new, &there);
    assert_eq!(there, compare(&old, &new), "not the same twice");
    let back = compare(&new, &old);
    laws(&new, &old, &back);
    assert_eq!(mirrored(&there, false), mirrored(&back, true));
    let none = compare(&new, &new);
    assert_eq!(none.changes, []);
    laws(&new, &new, &none);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn laws_hold_for_any_edits(first in tweaks(), second in tweaks()) {
        let old = tweaked(TERMS, &first);
        all_laws(&old, &tweaked(&old, &second));
    }

    #[test]
    fn laws_hold_for_any_texts(old in "[a-c \\n#*|.1-3-]{0,80}", new in "[a-c \\n#*|.1-3-]{0,80}") {
        all_laws(&old, &new);
    }
}

/// `cargo test --release --lib compare::tests::a_million -- --ignored`
#[test]
#[ignore = "takes minutes: a million random edits"]
fn a_million_random_edits() {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16) as usize
    };
    let mut done = 0;
    let mut old = TERMS.to_owned();
    while done < 1_000_000 {
        let edits: Vec<Tweak> = (0..1 + next() % 12)
            .map(|_| Tweak {
                at: next() % 4_000,
                len: next() % 200,
                what: next() as u8,
            })
            .collect();
        done += edits.len();
        let new = tweaked(&old, &edits);
        if let (Ok(a), Ok(b)) = (try_document(&old), try_document(&new)) {
            laws(&a, &b, &compare(&a, &b));
        }
        old = if new.len() > 6_000 || new.len() < 300 {
            TERMS.to_owned()
        } else {
            new
        };
    }
}

#[test]
fn an_edited_sentence_moves_with_its_edits_inside() {
    let old = "# P\n\n## 1. Data\n\nWe collect your name and your address. We may share the data that you give us with advertising partners in other countries, if you agreed to it before. We erase all of it when you ask.\n\n## 2. Rights\n\nYou may ask us what we know about you. You may object at any time.\n";
    let new = "# P\n\n## 1. Data\n\nWe collect your name and your address. We erase all of it when you ask.\n\n## 2. Rights\n\nYou may ask us what we know about you. We may share the data that you give us with marketing partners in other countries, if you agreed to it before. You may object at any time.\n";
    let (a, b) = (document(old), document(new));
    let comparison = compare(&a, &b);
    let moved: Vec<&Change> = comparison
        .changes
        .iter()
        .filter(|c| c.kind == Kind::Moved)
        .collect();
    assert_eq!(moved.len(), 1, "{:?}", comparison.changes);
    let words = |op: Op| -> String {
        moved[0]
            .edits
            .iter()
            .filter(|e| e.op == op)
            .map(|e| match op {
                Op::Insert => b.slice(&e.new),
                _ => a.slice(&e.old),
            })
            .collect()
    };
    assert_eq!(words(Op::Delete), "advertising");
    assert_eq!(words(Op::Insert), "marketing");
    assert_eq!(
        comparison.counts.words,
        WordCounts {
            added: 1,
            removed: 1
        }
    );
}

#[test]
fn rows_and_definitions_go_by_their_keys() {
    for (old, new, key) in [
        (
            "# T\n\n| Data | Purpose |\n| --- | --- |\n| Name | accounts |\n| Mail | newsletters |\n| Phone | support calls |\n",
            "# T\n\n| Data | Purpose |\n| --- | --- |\n| Phone | marketing and all that our partners want |\n| Name | accounts |\n| Mail | newsletters |\n",
            "Phone",
        ),
        (
            "# D\n\n- \"Account\" means the record that we keep of you.\n- \"Content\" means what you post.\n- \"Service\" means the site.\n",
            "# D\n\n- \"Content\" includes anything at all which users, partners or machines upload.\n- \"Account\" means the record that we keep of you.\n- \"Service\" means the site.\n",
            "Content",
        ),
    ] {
        let (a, b) = (document(old), document(new));
        let comparison = compare(&a, &b);
        assert_eq!(comparison.changes.len(), 1, "{:?}", comparison.changes);
        let change = &comparison.changes[0];
        assert_eq!(change.kind, Kind::Moved);
        let marked = change
            .edits
            .iter()
            .filter(|e| e.op != Op::Equal && e.detail.is_none());
        for edit in marked {
            assert!(!a.slice(&edit.old).contains(key) && !b.slice(&edit.new).contains(key));
        }
    }
}
