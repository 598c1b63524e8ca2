//! Processor time of whole processes beside `git diff --word-diff`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Pair;

const ROUNDS: usize = 5;

pub(crate) fn report(folder: &Path, pairs: &[Pair]) {
    if Command::new("git").arg("--version").output().is_err() {
        println!("processor time                          skipped: no git");
        return;
    }
    let sides: Vec<(PathBuf, PathBuf)> = pairs
        .iter()
        .map(|p| {
            let pair = folder.join(&p.name);
            (pair.join("before.md"), pair.join("after.md"))
        })
        .collect();
    line("processor time, 81 pairs", &sides);

    let temporary = std::env::temp_dir().join(format!("fairnotice-redline-{}", std::process::id()));
    std::fs::create_dir_all(&temporary).unwrap();
    let (mut old, mut new) = (String::new(), String::new());
    while old.len() < 10_000_000 {
        for pair in pairs.iter().filter(|p| !p.kind.contains("rewrite")) {
            if old.len() < 10_000_000 {
                old.push_str(&pair.old);
                old.push_str("\n\n");
                new.push_str(&pair.new);
                new.push_str("\n\n");
            }
        }
    }
    let big = (temporary.join("old.md"), temporary.join("new.md"));
    std::fs::write(&big.0, old).unwrap();
    std::fs::write(&big.1, new).unwrap();
    line("processor time, 10 MB with real revisions", &[big]);
    std::fs::remove_dir_all(&temporary).unwrap();
}

fn line(name: &str, sides: &[(PathBuf, PathBuf)]) {
    let (mut ours, mut gits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(spent(|| {
            for (old, new) in sides {
                Command::new(env!("CARGO_BIN_EXE_fairnotice"))
                    .args(["diff", "--only", "compare", "--format", "json"])
                    .args([old, new])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .unwrap();
            }
        }));
        gits.push(spent(|| {
            for (old, new) in sides {
                Command::new("git")
                    .args(["diff", "--no-index", "--word-diff=porcelain", "--histogram"])
                    .args([old, new])
                    .stdout(Stdio::null())
                    .status()
                    .unwrap();
            }
        }));
    }
    let mut ratios: Vec<f64> = ours.iter().zip(&gits).map(|(o, g)| o / g).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let least = |times: &[f64]| times.iter().copied().fold(f64::MAX, f64::min);
    println!(
        "{name:<40}{:.2} s, git {:.2} s, ratio {:.2} (median of {ROUNDS} alternating runs)",
        least(&ours),
        least(&gits),
        ratios[ROUNDS / 2]
    );
}

/// Processor seconds of the children that ended while `work` ran.
fn spent(work: impl FnOnce()) -> f64 {
    let before = children();
    work();
    children() - before
}

/// User and system time of all children so far, from `/proc`.
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // Fields 16 and 17 of proc(5), in ticks of 10 ms; two stand before the bracket.
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(16) + ticks(17)) / 100.0
}
