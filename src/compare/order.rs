//! What kept its order and what moved: the heaviest increasing subsequence stays in place.

/// Marks which pairs are in place. `pairs` are `(left, right, weight)` sorted by left; no left or
/// right occurs twice. Cost: n log n.
pub(super) fn in_place(pairs: &[(usize, usize, u64)], right_len: usize) -> Vec<bool> {
    // Runs of neighbours on both sides hang together, and make the sequence short.
    let mut runs: Vec<Run> = Vec::new();
    for (at, &(left, right, weight)) in pairs.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.left_end == left && run.right_end == right => {
                run.left_end += 1;
                run.right_end += 1;
                run.weight += weight;
                run.pairs.end = at + 1;
            }
            _ => runs.push(Run {
                left_end: left + 1,
                right_start: right,
                right_end: right + 1,
                weight,
                pairs: at..at + 1,
            }),
        }
    }
    let mut best = Prefixes::new(right_len + 1);
    let mut before: Vec<Option<usize>> = Vec::with_capacity(runs.len());
    let mut last: Option<(u64, usize)> = None;
    for (at, run) in runs.iter().enumerate() {
        let previous = best.best_before(run.right_start);
        let total = run.weight + previous.map_or(0, |(weight, _)| weight);
        before.push(previous.map(|(_, run)| run));
        best.raise(run.right_start, (total, at));
        if last.is_none_or(|(weight, _)| total > weight) {
            last = Some((total, at));
        }
    }
    let mut kept = vec![false; pairs.len()];
    let mut at = last.map(|(_, run)| run);
    while let Some(run) = at {
        for pair in runs[run].pairs.clone() {
            kept[pair] = true;
        }
        at = before[run];
    }
    kept
}

struct Run {
    left_end: usize,
    right_start: usize,
    right_end: usize,
    weight: u64,
    pairs: std::ops::Range<usize>,
}

/// A Fenwick tree of maxima.
struct Prefixes {
    tree: Vec<Option<(u64, usize)>>,
}

impl Prefixes {
    fn new(len: usize) -> Self {
        Self {
            tree: vec![None; len + 1],
        }
    }

    fn best_before(&self, end: usize) -> Option<(u64, usize)> {
        let mut at = end;
        let mut best: Option<(u64, usize)> = None;
        while at > 0 {
            if let Some(here) = self.tree[at]
                && best.is_none_or(|(weight, _)| here.0 > weight)
            {
                best = Some(here);
            }
            at &= at - 1;
        }
        best
    }

    fn raise(&mut self, index: usize, value: (u64, usize)) {
        let mut at = index + 1;
        while at < self.tree.len() {
            if self.tree[at].is_none_or(|(weight, _)| value.0 > weight) {
                self.tree[at] = Some(value);
            }
            at += at & at.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_place;

    #[test]
    fn the_lighter_one_moved() {
        let pairs = [(0, 2, 5), (1, 0, 10), (2, 1, 10)];
        assert_eq!(in_place(&pairs, 3), [false, true, true]);
    }

    #[test]
    fn everything_in_order_stays() {
        let pairs: Vec<_> = (0..100).map(|n| (n, n, 1)).collect();
        assert!(in_place(&pairs, 100).iter().all(|kept| *kept));
    }
}
