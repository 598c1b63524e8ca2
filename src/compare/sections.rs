//! Which section became which, and what happened to it.

use std::collections::BTreeSet;

use super::{
    Change, Document, Kind, Op, SectionCounts, SectionMatch, align::Pair, token::letters,
    unit::Text,
};

/// Sections that stand for each other, as `(left, right, moved)`, sorted by the left side: those
/// whose headings were paired, and those that hold most of each other's blocks.
pub(super) fn pair(left: &Text<'_>, right: &Text<'_>, pairs: &[Pair]) -> Vec<(usize, usize, bool)> {
    let headed = |text: &Text<'_>| -> Vec<Option<usize>> {
        let mut of_block = vec![None; text.document.blocks.len()];
        for (index, section) in text.document.sections.iter().enumerate() {
            if let Some(slot) = of_block.get_mut(section.heading) {
                *slot = Some(index);
            }
        }
        of_block
    };
    let (left_heads, right_heads) = (headed(left), headed(right));
    let mut left_taken = vec![false; left.document.sections.len()];
    let mut right_taken = vec![false; right.document.sections.len()];
    let mut found = Vec::new();
    let section = |text: &Text<'_>, heads: &[Option<usize>], unit: usize| -> Option<usize> {
        heads.get(text.units.get(unit)?.block?).copied().flatten()
    };
    for pair in pairs {
        let l = section(left, &left_heads, pair.left.start);
        let r = section(right, &right_heads, pair.right.start);
        if let (Some(l), Some(r)) = (l, r)
            && !left_taken[l]
            && !right_taken[r]
        {
            (left_taken[l], right_taken[r]) = (true, true);
            found.push((l, r, pair.moved));
        }
    }
    let mut votes: Vec<(usize, usize)> = pairs
        .iter()
        .filter_map(|p| Some((left.section(p.left.start)?, right.section(p.right.start)?)))
        .filter(|&(l, r)| left_taken.get(l) == Some(&false) && right_taken.get(r) == Some(&false))
        .collect();
    votes.sort_unstable();
    let own = |text: &Text<'_>| -> Vec<usize> {
        let mut counts = vec![0; text.document.sections.len()];
        for section in (0..text.units.len()).filter_map(|u| text.section(u)) {
            if let Some(count) = counts.get_mut(section) {
                *count += 1;
            }
        }
        counts
    };
    let (left_own, right_own) = (own(left), own(right));
    let mut scored: Vec<(usize, usize, usize)> = votes
        .chunk_by(|a, b| a == b)
        .map(|run| (run.len(), run[0].0, run[0].1))
        .collect();
    scored.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    for (shared, l, r) in scored {
        let smaller = left_own[l].min(right_own[r]).saturating_sub(1).max(1);
        if !left_taken[l] && !right_taken[r] && shared * 2 >= smaller {
            (left_taken[l], right_taken[r]) = (true, true);
            found.push((l, r, false));
        }
    }
    found.sort_unstable();
    found
}

/// All sections of both sides, in the order of the new text; removed ones behind the section that
/// they followed.
pub(super) fn list(
    old: &Document,
    new: &Document,
    pairs: &[(usize, usize, bool)],
) -> Vec<SectionMatch> {
    let mut new_of = vec![None; old.sections.len()];
    let mut old_of = vec![None; new.sections.len()];
    for &(l, r, _) in pairs {
        new_of[l] = Some(r);
        old_of[r] = Some(l);
    }
    let mut gone_after: Vec<(Option<usize>, usize)> = Vec::new();
    let mut last = None;
    for (l, r) in new_of.iter().enumerate() {
        match r {
            Some(r) => last = Some(*r),
            None => gone_after.push((last, l)),
        }
    }
    gone_after.sort_unstable();
    let mut gone = gone_after.into_iter().peekable();
    let mut matches = Vec::new();
    let mut take = |matches: &mut Vec<SectionMatch>, after: Option<usize>| {
        while let Some((_, l)) = gone.next_if(|(place, _)| *place == after) {
            matches.push(SectionMatch {
                old: Some(l),
                new: None,
            });
        }
    };
    take(&mut matches, None);
    for (r, l) in old_of.iter().enumerate() {
        matches.push(SectionMatch {
            old: *l,
            new: Some(r),
        });
        take(&mut matches, Some(r));
    }
    matches
}

/// Sections by kind of change.
pub(super) fn count(
    old: &Document,
    new: &Document,
    pairs: &[(usize, usize, bool)],
    changes: &[Change],
) -> SectionCounts {
    let mut touched_old = BTreeSet::new();
    let mut touched_new = BTreeSet::new();
    for change in changes {
        let words = change
            .edits
            .iter()
            .any(|e| e.op != Op::Equal && e.detail.is_none());
        if !words || change.kind == Kind::Renamed {
            continue;
        }
        touched_old.extend(change.old.as_ref().and_then(|s| s.section));
        touched_new.extend(change.new.as_ref().and_then(|s| s.section));
    }
    let moved: BTreeSet<usize> = pairs.iter().filter(|p| p.2).map(|p| p.0).collect();
    let mut counts = SectionCounts {
        added: new.sections.len() - pairs.len(),
        removed: old.sections.len() - pairs.len(),
        ..SectionCounts::default()
    };
    for &(l, r, has_moved) in pairs {
        let (before, after) = (&old.sections[l], &new.sections[r]);
        let went_along = before.parent.is_some_and(|p| moved.contains(&p));
        counts.moved += usize::from(has_moved && !went_along);
        counts.renumbered += usize::from(before.label != after.label);
        counts.renamed += usize::from(letters(&before.title).ne(letters(&after.title)));
        counts.modified += usize::from(touched_old.contains(&l) || touched_new.contains(&r));
    }
    counts
}
