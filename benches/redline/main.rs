//! Measures the comparison on real pairs of policy versions and on planted moves and renumberings.
//!
//! `cargo bench --bench redline` prints one table; `-- --pairs` adds a line for each pair and
//! `-- --no-time` leaves out the runs of whole processes beside `git`. The pairs are looked for in
//! `$FAIRNOTICE_SHARED/eval/redline` or `../shared/eval/redline`; without them nothing is measured.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

mod marks;
mod plant;
mod time;

use std::path::{Path, PathBuf};

use fairnotice::{
    compare::{Comparison, Kind, compare},
    read::{Document, Format, Input, read},
};

fn main() {
    let Some(folder) = folder() else {
        println!("skipped: no folder with pairs; set FAIRNOTICE_SHARED");
        return;
    };
    let asked = |flag: &str| std::env::args().any(|a| a == flag);
    let pairs = pairs(&folder);
    real(&pairs, asked("--pairs"));
    plant::report(&pairs);
    if !asked("--no-time") {
        time::report(&folder, &pairs);
    }
}

/// A pair of versions.
pub(crate) struct Pair {
    pub name: String,
    pub kind: String,
    pub old: String,
    pub new: String,
}

fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench has no command line for it"
    )]
    let shared = std::env::var("FAIRNOTICE_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    Some(shared.join("eval/redline")).filter(|f| f.is_dir())
}

fn pairs(folder: &Path) -> Vec<Pair> {
    let table = std::fs::read_to_string(folder.join("pairs.tsv")).unwrap();
    table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let side = |name: &str| {
                String::from_utf8_lossy(&std::fs::read(folder.join(cells[0]).join(name)).unwrap())
                    .into_owned()
            };
            Pair {
                name: cells[0].to_owned(),
                kind: cells[4].to_owned(),
                old: side("before.md"),
                new: side("after.md"),
            }
        })
        .collect()
}

pub(crate) fn document(text: &str) -> Document {
    read(&Input {
        bytes: text.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
    .unwrap()
}

/// Whether the partition gives back both texts.
fn rebuilds(comparison: &Comparison, old: &str, new: &str) -> bool {
    let mut sides = (Vec::new(), Vec::new());
    marks::leaves(&comparison.segments, &mut |segment| {
        sides
            .0
            .extend(segment.old.clone().map(|s| (s.start, s.end)));
        sides
            .1
            .extend(segment.new.clone().map(|s| (s.start, s.end)));
    });
    let covers = |mut spans: Vec<(usize, usize)>, len: usize| {
        spans.sort_unstable();
        let end = spans
            .iter()
            .try_fold(0, |at, (start, end)| (*start == at).then_some(*end));
        end == Some(len)
    };
    covers(sides.0, old.len()) && covers(sides.1, new.len())
}

fn real(pairs: &[Pair], each: bool) {
    let (mut opt, mut marked, mut runs, mut split, mut confetti) = (0, 0, 0, 0, 0);
    let mut joined = 0;
    let (mut renumbered, mut quiet, mut rebuilt, mut worst) = (0, 0, 0, (0.0, String::new()));
    for pair in pairs {
        let (old, new) = (document(&pair.old), document(&pair.new));
        let comparison = compare(&old, &new);
        rebuilt += usize::from(rebuilds(&comparison, &pair.old, &pair.new));
        let said = marks::measure(&comparison, &pair.old, &pair.new);
        let least = marks::least(&pair.old, &pair.new);
        if each {
            println!(
                "{} {:<16} least {:>6} marked {:>6} runs {:>5} split {:>2} confetti {:>3} moves {:>4}",
                pair.name,
                pair.kind,
                least,
                said.words,
                said.runs,
                said.split,
                said.confetti,
                comparison
                    .changes
                    .iter()
                    .filter(|c| c.kind == Kind::Moved)
                    .count(),
            );
        }
        split += said.split;
        if !["p75", "p76"].contains(&pair.name.as_str()) {
            opt += least;
            marked += said.words;
            runs += said.runs;
            joined += said.joined;
            confetti += said.confetti;
            let ratio = said.words as f64 / least.max(1) as f64;
            if least >= 20 && ratio > worst.0 {
                worst = (ratio, pair.name.clone());
            }
        }
        if ["p28", "p33", "p35", "p40", "p46"].contains(&pair.name.as_str()) {
            renumbered += said.runs;
        }
        if pair.kind.starts_with("link-only") || pair.kind.starts_with("format-only") {
            quiet += said.runs;
        }
    }
    println!(
        "pairs rebuilt from the partition        {rebuilt} of {}",
        pairs.len()
    );
    println!(
        "words marked / least without moves (79) {marked} / {opt} = {:.3} (worst {:.2} {})",
        marked as f64 / opt as f64,
        worst.0,
        worst.1
    );
    println!("marked runs (79)                        {runs}");
    println!("the same, blocks in a row as one (79)   {joined}");
    println!("islands of one or two words (79)        {confetti}");
    println!("words marked in part                    {split}");
    println!("runs marked as text, renumbering pairs  {renumbered}");
    println!("runs marked as text, link and format    {quiet}");
}
