//! Judging, per pair: `cargo bench --bench judge`.
//!
//! Over the labelled pairs in `$FAIRNOTICE_SHARED/eval/changes` or `../shared/eval/changes`; without
//! them nothing is measured. Both texts are read and compared before the clock runs.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fairnotice::{
    assess::assess,
    compare::compare,
    read::{Document, Input, read},
};

fn main() {
    let shared = std::env::var_os("FAIRNOTICE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let pairs = pairs(&shared.join("eval/changes"));
    let Some((old, new)) = pairs.first() else {
        println!("skipped: no folder with pairs; set FAIRNOTICE_SHARED");
        return;
    };
    let comparison = compare(old, new);
    let start = Instant::now();
    assess(old, new, &comparison);
    println!(
        "first pair, the rules being compiled: {:?}",
        start.elapsed()
    );
    let mut times: Vec<Duration> = pairs
        .iter()
        .map(|(old, new)| {
            let comparison = compare(old, new);
            let start = Instant::now();
            assess(old, new, &comparison);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(u32::MAX);
    println!(
        "{} pairs: mean {mean:?}, median {:?}, 95 of 100 under {:?}, at most {:?}",
        times.len(),
        at(50),
        at(95),
        times.last().copied().unwrap_or_default()
    );
}

/// The pairs of a folder: in each of its folders a text before and one after.
fn pairs(folder: &Path) -> Vec<(Document, Document)> {
    let text = |folder: &Path, side: &str| {
        let file = std::fs::read_dir(folder).ok()?.flatten().find(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with(side)
        })?;
        let bytes = std::fs::read(file.path()).ok()?;
        read(&Input {
            bytes: &bytes,
            ..Input::default()
        })
        .ok()
    };
    let Ok(folders) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = folders.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders
        .iter()
        .filter_map(|folder| Some((text(folder, "before")?, text(folder, "after")?)))
        .collect()
}
