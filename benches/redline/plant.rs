//! Moves and renumberings that are planted into real texts, so that the truth is known.

use fairnotice::{
    compare::{Change, Comparison, Kind, Op, compare},
    read::{BlockKind, Document, Span},
};

use super::{Pair, document, marks};

/// A generator of numbers that is the same everywhere (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

#[derive(Default)]
struct Score {
    planted: usize,
    found: usize,
    said: usize,
    right: usize,
}

impl Score {
    fn line(&self, name: &str) {
        println!(
            "{name:<40}{} of {} = {:.3}, precision {:.3}",
            self.found,
            self.planted,
            self.found as f64 / self.planted.max(1) as f64,
            self.right as f64 / self.said.max(1) as f64
        );
    }
}

pub(crate) fn report(pairs: &[Pair]) {
    let mut all = Score::default();
    for share in [0, 10, 25, 40] {
        let score = paragraphs(pairs, share);
        score.line(&format!("planted moves, {share} % of words replaced"));
        all.said += score.said;
        all.right += score.right;
    }
    let score = sentences(pairs);
    score.line("planted moves of single sentences");
    all.said += score.said;
    all.right += score.right;
    println!(
        "precision over all planted moves        {:.3}",
        all.right as f64 / all.said.max(1) as f64
    );
    for share in [0, 20] {
        revised(pairs, share).line(&format!("planted in heavy real revisions, {share} %"));
    }
    renumbered(pairs).line("planted renumberings with references");
}

/// Lone paragraphs of one line that can be taken out and put elsewhere without touching others.
fn paragraphs_of(document: &Document, words: std::ops::Range<usize>) -> Vec<Span> {
    document
        .blocks
        .iter()
        .filter(|b| b.kind == BlockKind::Paragraph && b.label.is_none())
        .map(|b| b.span.clone())
        .filter(|span| {
            let (text, at) = (&document.text, span);
            let lone = text[..at.start].ends_with("\n\n") && text[at.end..].starts_with("\n\n");
            let inner = document.slice(at);
            lone && !inner.trim_end().contains('\n')
                && !inner.starts_with([' ', '\t'])
                && words.contains(&marks::words(inner).len())
        })
        .collect()
}

/// Replaces a share of the words by words from elsewhere in the text.
fn edit(passage: &str, from: &[&str], share: usize, numbers: &mut Numbers) -> String {
    let mut made = String::new();
    let mut at = 0;
    for (start, end) in marks::words(passage) {
        made.push_str(&passage[at..start]);
        if numbers.below(100) < share {
            made.push_str(from[numbers.below(from.len())]);
        } else {
            made.push_str(&passage[start..end]);
        }
        at = end;
    }
    made.push_str(&passage[at..]);
    made
}

/// A text with one paragraph elsewhere; where it stood and where it stands now.
fn move_one(text: &str, from: &Span, to: usize, put: &str) -> (String, Span) {
    // `to` is the start of another lone paragraph; the blank line travels along.
    let cut = from.start..(from.end + 2).min(text.len());
    let mut made = String::new();
    let start;
    if to < from.start {
        made.push_str(&text[..to]);
        start = made.len();
        made.push_str(put);
        made.push_str("\n\n");
        made.push_str(&text[to..cut.start]);
        made.push_str(&text[cut.end..]);
    } else {
        made.push_str(&text[..cut.start]);
        made.push_str(&text[cut.end..to]);
        start = made.len();
        made.push_str(put);
        made.push_str("\n\n");
        made.push_str(&text[to..]);
    }
    (made, start..start + put.len())
}

fn overlaps(a: &Span, b: &Span) -> bool {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    shared * 2 > (b.end - b.start)
}

fn is_move(change: &Change, old: &Span, new: &Span) -> bool {
    change.kind == Kind::Moved
        && change.old.as_ref().is_some_and(|s| overlaps(&s.span, old))
        && change.new.as_ref().is_some_and(|s| overlaps(&s.span, new))
}

fn paragraphs(pairs: &[Pair], share: usize) -> Score {
    let mut score = Score::default();
    let mut numbers = Numbers(1 + share as u64);
    for pair in pairs.iter().filter(|p| p.old.len() < 150_000) {
        let old = document(&pair.old);
        let all = paragraphs_of(&old, 25..151);
        let vocabulary: Vec<&str> = marks::words(&pair.old)
            .into_iter()
            .map(|(s, e)| &pair.old[s..e])
            .collect();
        for _ in 0..2 {
            if all.len() < 12 {
                continue;
            }
            let (from, to) = (numbers.below(all.len()), numbers.below(all.len()));
            if from.abs_diff(to) < 4 {
                continue;
            }
            let put = edit(old.slice(&all[from]), &vocabulary, share, &mut numbers);
            let (text, place) = move_one(&pair.old, &all[from], all[to].start, &put);
            tally(
                &mut score,
                &compare(&old, &document(&text)),
                &all[from],
                &place,
            );
        }
    }
    score
}

fn tally(score: &mut Score, comparison: &Comparison, old: &Span, new: &Span) {
    score.planted += 1;
    let moves = comparison.changes.iter().filter(|c| c.kind == Kind::Moved);
    let right = moves.clone().filter(|c| is_move(c, old, new)).count();
    score.said += moves.count();
    score.right += right;
    score.found += usize::from(right > 0);
}

/// The end of the first sentence of a paragraph with several.
fn first_sentence(text: &str) -> Option<usize> {
    let end = text.find(". ")? + 1;
    let words = marks::words(&text[..end]).len();
    ((10..60).contains(&words)
        && marks::words(&text[end..]).len() > 10
        && !text[..end].contains("](")
        && !text[..end].contains(['*', '_', '<', ':']))
    .then_some(end)
}

fn sentences(pairs: &[Pair]) -> Score {
    let mut score = Score::default();
    let mut numbers = Numbers(77);
    for pair in pairs.iter().filter(|p| p.old.len() < 150_000) {
        let old = document(&pair.old);
        let all = paragraphs_of(&old, 25..250);
        let sources: Vec<(Span, usize)> = all
            .iter()
            .filter_map(|s| Some((s.clone(), first_sentence(old.slice(s))?)))
            .collect();
        if sources.is_empty() || all.len() < 8 {
            continue;
        }
        let (source, len) = &sources[numbers.below(sources.len())];
        let target = &all[numbers.below(all.len())];
        let sentence = &pair.old[source.start..source.start + len];
        let ends_well = old.slice(target).trim_end().ends_with('.');
        let repeated = pair.old.matches(sentence).count() > 1;
        if target == source || !ends_well || repeated {
            continue;
        }
        let at = target.start + old.slice(target).trim_end().len();
        let cut = source.start..source.start + len + 1;
        let mut text = pair.old.clone();
        let put = format!(" {sentence}");
        let place = if at < cut.start {
            text.replace_range(cut, "");
            text.insert_str(at, &put);
            at + 1..at + put.len()
        } else {
            text.insert_str(at, &put);
            text.replace_range(cut.clone(), "");
            at + 1 - cut.len()..at + put.len() - cut.len()
        };
        let gone = source.start..source.start + len;
        tally(&mut score, &compare(&old, &document(&text)), &gone, &place);
    }
    score
}

/// Paragraphs that a heavy real revision kept, moved within its new text.
fn revised(pairs: &[Pair], share: usize) -> Score {
    let mut score = Score::default();
    let mut numbers = Numbers(500 + share as u64);
    for pair in pairs.iter().filter(|p| p.new.len() < 250_000) {
        let (old, new) = (document(&pair.old), document(&pair.new));
        let base = compare(&old, &new);
        let changed = base
            .changes
            .iter()
            .filter(|c| !matches!(c.kind, Kind::Technical))
            .count();
        if changed < 60 {
            continue;
        }
        let before = base
            .changes
            .iter()
            .filter(|c| c.kind == Kind::Moved)
            .count();
        let all = paragraphs_of(&new, 25..151);
        let kept: Vec<(usize, Span)> = all
            .iter()
            .enumerate()
            .filter_map(|(at, span)| {
                let text = new.slice(span);
                (pair.old.matches(text).count() == 1 && pair.new.matches(text).count() == 1)
                    .then(|| pair.old.find(text).map(|o| (at, o..o + text.len())))?
            })
            .collect();
        let vocabulary: Vec<&str> = marks::words(&pair.new)
            .into_iter()
            .map(|(s, e)| &pair.new[s..e])
            .collect();
        for _ in 0..4 {
            if kept.len() < 3 {
                continue;
            }
            let (at, place) = &kept[numbers.below(kept.len())];
            let to = numbers.below(all.len());
            if at.abs_diff(to) < 5 {
                continue;
            }
            let put = edit(new.slice(&all[*at]), &vocabulary, share, &mut numbers);
            let (text, now) = move_one(&pair.new, &all[*at], all[to].start, &put);
            let said = compare(&old, &document(&text));
            let moves = said.changes.iter().filter(|c| c.kind == Kind::Moved);
            let right = moves.clone().filter(|c| is_move(c, place, &now)).count();
            score.planted += 1;
            score.found += usize::from(right > 0);
            // What the revision itself moved is neither right nor wrong.
            score.said += right + moves.count().saturating_sub(before + right);
            score.right += right;
        }
    }
    score
}

/// A numbered heading of the outermost kind on a line, as the place of its number.
fn heading_number(line: &str) -> Option<(usize, usize, usize)> {
    let start = line.len() - line.trim_start_matches(['#', ' ', '*']).len();
    if start == 0 || !line.starts_with(['#', '*']) {
        return None;
    }
    let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
    let number: usize = line.get(start..start + digits)?.parse().ok()?;
    line[start + digits..]
        .starts_with(". ")
        .then_some((start, start + digits, number))
}

/// Inserts a section into texts with numbered headings and lets headings and references follow.
fn renumbered(pairs: &[Pair]) -> Score {
    let mut score = Score::default();
    let reference =
        regex::Regex::new(r"\b([Ss]ections?|[Cc]lauses?|[Aa]rticles?) (\d+)(\.\d+)*").unwrap();
    let label = regex::Regex::new(r"(?m)^([#* ]*)(\d+)((?:\.\d+)*)\.? ").unwrap();
    for pair in pairs {
        let text = &pair.old;
        let mut heads = Vec::new();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            if let Some((_, _, number)) = heading_number(line) {
                heads.push((number, offset));
            }
            offset += line.len();
        }
        let running = heads.len() >= 5 && heads.iter().enumerate().all(|(at, h)| h.0 == at + 1);
        if !running || reference.find_iter(text).count() == 0 {
            continue;
        }
        for at in [1, heads.len() / 2] {
            let (first, place) = heads[at];
            let mut planted = Vec::new();
            let mut made = String::new();
            let mut done = 0;
            // Labels of the outermost headings and of what is numbered below them, and references.
            let mut places: Vec<(usize, usize)> = Vec::new();
            for found in label.captures_iter(text) {
                let number = found.get(2).unwrap();
                let whole = found.get(0).unwrap();
                let top = heads.iter().any(|h| h.1 == whole.start());
                if top || !found[3].is_empty() {
                    places.push((number.start(), number.end()));
                }
            }
            for found in reference.captures_iter(text) {
                let number = found.get(2).unwrap();
                places.push((number.start(), number.end()));
            }
            places.sort_unstable();
            places.dedup();
            let mut inserted = false;
            for (start, end) in places {
                if !inserted && start >= place {
                    made.push_str(&text[done..place]);
                    let mark: String = text[place..]
                        .chars()
                        .take_while(|c| "#* ".contains(*c))
                        .collect();
                    let close = if mark.contains('*') { "**" } else { "" };
                    made.push_str(&format!(
                        "{mark}{first}. Weather stations{close}\n\nOur roof carries a small weather station that records wind and rain.\n\n"
                    ));
                    done = place;
                    inserted = true;
                }
                let number: usize = text[start..end].parse().unwrap();
                if number < first || number > heads.len() {
                    continue;
                }
                made.push_str(&text[done..start]);
                made.push_str(&(number + 1).to_string());
                done = end;
                planted.push(start);
            }
            made.push_str(&text[done..]);
            let (old, new) = (document(text), document(&made));
            let comparison = compare(&old, &new);
            for start in planted {
                score.planted += 1;
                let quiet = comparison.changes.iter().flat_map(|c| &c.edits).any(|e| {
                    e.op == Op::Delete
                        && e.old.contains(&start)
                        && matches!(e.detail, Some("label" | "cross-reference"))
                });
                score.found += usize::from(quiet);
            }
            let said = comparison
                .changes
                .iter()
                .flat_map(|c| &c.edits)
                .filter(|e| {
                    e.op == Op::Delete && matches!(e.detail, Some("label" | "cross-reference"))
                });
            score.said += said.count();
        }
    }
    score.right = score.found;
    score
}
