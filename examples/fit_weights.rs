//! Fits `rules/weights.toml` on labelled version pairs and tells how well it does on services it
//! was not fitted on.
//!
//! ```sh
//! cargo run --release --example fit_weights -- FOLDER LABELS.jsonl > rules/weights.toml
//! ```
//!
//! `FOLDER/NNN/before.md` and `after.md` are the pairs; each line of the labels names a pair
//! (`n`, `id`), its `verdict` and its `findings`. Three logistic regressions with an L2 penalty,
//! full batches, fixed steps: the same input gives the same weights. Figures of the parts left out
//! (five folds, by service) are printed on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use fairnotice::{
    assess::{Candidate, Direction, RuleSet, Severity, Topic, Verdict, candidates},
    compare, read,
};
use serde::Deserialize;

type Lines = Option<(usize, usize)>;

#[derive(Deserialize)]
struct Label {
    n: usize,
    id: String,
    verdict: Verdict,
    findings: Vec<Gold>,
}

#[derive(Deserialize)]
struct Gold {
    topic: Topic,
    direction: Direction,
    severity: Severity,
    before: Lines,
    after: Lines,
}

struct Pair {
    label: Label,
    fold: usize,
    candidates: Vec<Candidate>,
    /// Gold finding matched to each candidate; `None` where none is, or another has it.
    matched: Vec<Option<usize>>,
    /// Whether a candidate lies on a labelled finding that another candidate has.
    beside: Vec<bool>,
}

const FOLDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, labels, ..] = arguments.as_slice() else {
        return Err("usage: fit_weights FOLDER LABELS.jsonl".into());
    };
    let mut pairs = Vec::new();
    for line in fs::read_to_string(labels)?.lines() {
        pairs.push(pair(Path::new(folder), serde_json::from_str(line)?)?);
    }
    let penalty = arguments.get(3).and_then(|p| p.parse().ok()).unwrap_or(8.0);
    let without = arguments.get(4).cloned().unwrap_or_default();
    let names = names(&pairs, &without);
    let mut held = vec![Vec::new(); pairs.len()];
    let mut fitted = vec![Vec::new(); pairs.len()];
    for fold in 0..FOLDS {
        let models = fit(&pairs, &names, |p| p.fold != fold, penalty);
        for (index, pair) in pairs.iter().enumerate().filter(|(_, p)| p.fold == fold) {
            held[index] = said(pair, &models);
        }
    }
    let models = fit(&pairs, &names, |_| true, penalty);
    for (index, pair) in pairs.iter().enumerate() {
        fitted[index] = said(pair, &models);
    }
    for material in [-0.6, -0.5, -0.4, -0.3, -0.2] {
        for (name, sums) in [("left out", &held), ("  fitted", &fitted)] {
            let said = figures(&pairs, sums, (1.2, -1.5), material);
            eprintln!("{name} {said}");
        }
    }
    if arguments.iter().any(|a| a == "show") {
        show(&pairs, &held);
    }
    let at = |n: usize| arguments.get(n).and_then(|p| p.parse().ok());
    print_weights(
        &names,
        &models,
        (at(5).unwrap_or(1.2), at(6).unwrap_or(-1.5)),
        at(7).unwrap_or(-0.3),
    );
    Ok(())
}

fn pair(folder: &Path, label: Label) -> Result<Pair, Box<dyn Error>> {
    let document = |name: &str| -> Result<read::Document, Box<dyn Error>> {
        let bytes = fs::read(folder.join(format!("{:03}", label.n)).join(name))?;
        Ok(read::read(&read::Input {
            bytes: &bytes,
            name: Some(name),
            ..read::Input::default()
        })?)
    };
    let (old, new) = (document("before.md")?, document("after.md")?);
    let comparison = compare::compare(&old, &new);
    let candidates = candidates(&old, &new, &comparison, RuleSet::standard());
    let pairs: Vec<Vec<Option<f64>>> = label
        .findings
        .iter()
        .map(|gold| {
            candidates
                .iter()
                .map(|c| {
                    likeness(
                        gold,
                        c.old,
                        c.new,
                        (c.topic == gold.topic, gold.severity == Severity::Material),
                    )
                })
                .collect()
        })
        .collect();
    let taken = pair_up(&pairs);
    let matched: Vec<Option<usize>> = (0..candidates.len())
        .map(|c| {
            taken
                .iter()
                .find(|(_, said)| **said == c)
                .map(|(gold, _)| *gold)
        })
        .collect();
    let beside = (0..candidates.len())
        .map(|c| matched[c].is_none() && pairs.iter().any(|row| row[c].is_some()))
        .collect();
    let service: u64 = label
        .id
        .split(['-', '_', '.'])
        .next()
        .unwrap_or_default()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| {
            (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
    Ok(Pair {
        fold: usize::try_from(service % FOLDS as u64)?,
        label,
        candidates,
        matched,
        beside,
    })
}

fn tight(gold: (usize, usize), said: (usize, usize)) -> bool {
    gold.0 <= said.1 && said.0 <= gold.1 && said.1 - said.0 <= 2 * (gold.1 - gold.0) + 4
}

/// Higher is a better match; `None` when it stands elsewhere.
fn likeness(gold: &Gold, old: Lines, new: Lines, bonus: (bool, bool)) -> Option<f64> {
    let near = [(gold.before, old), (gold.after, new)]
        .iter()
        .filter(|(gold, said)| matches!((gold, said), (Some(g), Some(s)) if tight(*g, *s)))
        .count();
    (near > 0).then(|| {
        8.0 * f64::from(u8::from(bonus.0)) + 4.0 * f64::from(u8::from(bonus.1)) + near as f64
    })
}

/// One-to-one matching, best first: gold to said.
fn pair_up(scores: &[Vec<Option<f64>>]) -> BTreeMap<usize, usize> {
    let mut all: Vec<(f64, usize, usize)> = scores
        .iter()
        .enumerate()
        .flat_map(|(gold, row)| {
            row.iter()
                .enumerate()
                .filter_map(move |(said, score)| score.map(|s| (s, gold, said)))
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut pairs = BTreeMap::new();
    for (_, gold, said) in all {
        if !pairs.contains_key(&gold) && !pairs.values().any(|s| *s == said) {
            pairs.insert(gold, said);
        }
    }
    pairs
}

/// Features that occur often enough to be weighed.
fn names(pairs: &[Pair], without: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for candidate in pairs.iter().flat_map(|p| &p.candidates) {
        for name in candidate.features.keys() {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(name, count)| {
            *count >= 4
                && !without
                    .split(',')
                    .any(|w| !w.is_empty() && name.starts_with(w))
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

struct Models {
    names: BTreeMap<String, usize>,
    report: Vec<f64>,
    material: Vec<f64>,
    direction: Vec<f64>,
}

/// What only tells for whom a change is good.
fn is_direction(name: &str) -> bool {
    ["added:", "removed:", "changed:", "more:"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

type Example = (Vec<(usize, f64)>, f64, f64);

fn fit(pairs: &[Pair], names: &[String], used: impl Fn(&Pair) -> bool, penalty: f64) -> Models {
    let index: BTreeMap<String, usize> = names
        .iter()
        .enumerate()
        .map(|(i, n)| (n.clone(), i))
        .collect();
    let (mut report, mut material, mut direction): (Vec<Example>, Vec<Example>, Vec<Example>) =
        Default::default();
    for pair in pairs.iter().filter(|p| used(p)) {
        for (c, candidate) in pair.candidates.iter().enumerate() {
            let row: Vec<(usize, f64)> = candidate
                .features
                .iter()
                .filter_map(|(name, value)| index.get(name).map(|i| (*i, *value)))
                .collect();
            let gold = pair.matched[c].map(|g| &pair.label.findings[g]);
            let weight = if pair.beside[c] { 0.2 } else { 1.0 };
            let is = f64::from(u8::from(gold.is_some()));
            let grave = gold.is_some_and(|g| g.severity == Severity::Material);
            // What is worth reporting stands nearer to what is material than what is not.
            let near = match (gold, grave) {
                (_, true) => 1.0,
                (Some(_), false) => 0.3,
                (None, false) => 0.0,
            };
            let plain: Vec<(usize, f64)> = row
                .iter()
                .filter(|(i, _)| !is_direction(&names[*i]))
                .copied()
                .collect();
            material.push((plain.clone(), near, weight));
            report.push((plain, is, weight));
            if let Some(gold) = gold
                && gold.direction != Direction::Neutral
            {
                let bad = f64::from(u8::from(gold.direction == Direction::Adverse));
                direction.push((row, bad, if grave { 1.0 } else { 0.6 }));
            }
        }
    }
    // What a rule says is trusted more than what happens to be the topic of these pairs.
    let penalties: Vec<f64> = names
        .iter()
        .map(|name| match name.split(':').next() {
            Some("signal") => penalty / 2.0,
            Some("topic") => penalty * 3.75,
            _ => penalty,
        })
        .collect();
    let even = vec![penalty; names.len()];
    Models {
        names: index,
        report: logistic(&report, &penalties),
        material: logistic(&material, &penalties),
        direction: logistic(&direction, &even),
    }
}

/// Full-batch gradient descent with momentum per weight (Adam), fixed number of steps.
fn logistic(examples: &[Example], penalties: &[f64]) -> Vec<f64> {
    let size = penalties.len();
    let mut weights = vec![0.0; size];
    let (mut first, mut second) = (vec![0.0; size], vec![0.0; size]);
    for step in 1..=1500 {
        let mut gradient: Vec<f64> = weights.iter().zip(penalties).map(|(w, p)| p * w).collect();
        for (row, wanted, weight) in examples {
            let sum: f64 = row.iter().map(|(i, v)| weights[*i] * v).sum();
            let error = weight * (1.0 / (1.0 + (-sum).exp()) - wanted);
            for (i, value) in row {
                gradient[*i] += error * value;
            }
        }
        for i in 0..size {
            first[i] = 0.9 * first[i] + 0.1 * gradient[i];
            second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
            let (m, v): (f64, f64) = (
                first[i] / (1.0 - 0.9f64.powi(step)),
                second[i] / (1.0 - 0.999f64.powi(step)),
            );
            weights[i] -= 0.02 * m / (v.sqrt() + 1e-8);
        }
    }
    weights
}

/// Sums of the three models for each candidate.
fn said(pair: &Pair, models: &Models) -> Vec<[f64; 3]> {
    pair.candidates
        .iter()
        .map(|candidate| {
            let sum = |weights: &[f64]| -> f64 {
                candidate
                    .features
                    .iter()
                    .filter_map(|(name, v)| models.names.get(name).map(|i| weights[*i] * v))
                    .sum()
            };
            [
                sum(&models.report),
                sum(&models.material),
                sum(&models.direction),
            ]
        })
        .collect()
}

/// Pairs that come out wrong when they are left out, with their candidates and sums.
fn show(pairs: &[Pair], held: &[Vec<[f64; 3]>]) {
    for (pair, sums) in pairs.iter().zip(held) {
        let says = sums.iter().any(|s| s[1] >= -0.6);
        let loud = says || sums.iter().any(|s| s[0] >= -0.5);
        let quiet = pair.label.verdict <= Verdict::Editorial;
        if (pair.label.verdict == Verdict::Material) == says && !(quiet && loud) {
            continue;
        }
        eprintln!(
            "{} {} {:?}",
            pair.label.n, pair.label.id, pair.label.verdict
        );
        for (candidate, sums) in pair.candidates.iter().zip(sums) {
            let names: Vec<&str> = candidate
                .features
                .keys()
                .map(String::as_str)
                .filter(|n| n.starts_with("signal:"))
                .collect();
            eprintln!(
                "    report {:+.2} material {:+.2} {:?} {:?} {:?} {}",
                sums[0],
                sums[1],
                candidate.topic,
                candidate.old,
                candidate.new,
                names.join(" ")
            );
        }
    }
}

/// The figures of the scorer.
fn figures(
    pairs: &[Pair],
    said: &[Vec<[f64; 3]>],
    (speak, report): (f64, f64),
    material: f64,
) -> String {
    let (mut gold_pairs, mut said_pairs, mut right_pairs, mut quiet, mut kept) = (0, 0, 0, 0, 0);
    let (mut golds, mut found, mut called, mut topic, mut directed, mut direction) =
        (0, 0, 0, 0, 0, 0);
    let (mut said_material, mut right) = (0, 0);
    for (pair, sums) in pairs.iter().zip(said) {
        let loud = sums
            .iter()
            .zip(&pair.candidates)
            .any(|(s, c)| c.always || c.decisive || s[0] >= speak || s[1] >= material);
        let shown: Vec<usize> = (0..sums.len())
            .filter(|&c| {
                let candidate = &pair.candidates[c];
                candidate.always
                    || candidate.decisive
                    || loud && (sums[c][0] >= report || sums[c][1] >= material)
            })
            .collect();
        let is = |c: usize| pair.candidates[c].decisive || sums[c][1] >= material;
        let is_material = pair.label.verdict == Verdict::Material;
        let says = shown.iter().any(|c| is(*c));
        gold_pairs += usize::from(is_material);
        said_pairs += usize::from(says);
        right_pairs += usize::from(is_material && says);
        if pair.label.verdict <= Verdict::Editorial {
            quiet += 1;
            kept += usize::from(shown.is_empty());
        }
        let way = |c: usize| {
            if sums[c][2] > 0.0 {
                Direction::Adverse
            } else {
                Direction::Favourable
            }
        };
        let scores: Vec<Vec<Option<f64>>> = pair
            .label
            .findings
            .iter()
            .map(|gold| {
                shown
                    .iter()
                    .map(|&c| {
                        let candidate = &pair.candidates[c];
                        let grave = is(c);
                        likeness(
                            gold,
                            candidate.old,
                            candidate.new,
                            (
                                candidate.topic == gold.topic,
                                grave == (gold.severity == Severity::Material),
                            ),
                        )
                        .map(|s| s + 2.0 * f64::from(u8::from(way(c) == gold.direction)))
                        .map(|s| {
                            s + if gold.severity == Severity::Material {
                                1e-6
                            } else {
                                0.0
                            }
                        })
                    })
                    .collect()
            })
            .collect();
        let matched = pair_up(&scores);
        for (g, gold) in pair.label.findings.iter().enumerate() {
            if gold.severity != Severity::Material {
                continue;
            }
            golds += 1;
            directed += usize::from(gold.direction != Direction::Neutral);
            if let Some(c) = matched.get(&g).map(|s| shown[*s]) {
                found += 1;
                called += usize::from(is(c));
                topic += usize::from(pair.candidates[c].topic == gold.topic);
                direction +=
                    usize::from(gold.direction != Direction::Neutral && way(c) == gold.direction);
            }
        }
        for (s, c) in shown.iter().enumerate() {
            if is(*c) {
                said_material += 1;
                right += usize::from(matched.iter().any(|(g, said)| {
                    *said == s && pair.label.findings[*g].severity == Severity::Material
                }));
            }
        }
    }
    let ratio = |a: usize, b: usize| a as f64 / b.max(1) as f64;
    format!(
        "speak {speak:+.1} report {report:+.1} material {material:+.1}: pairs recall {:.3} precision {:.3} quiet {:.3} | located {:.3} called {:.3} precision {:.3} topic {:.3} direction {:.3}",
        ratio(right_pairs, gold_pairs),
        ratio(right_pairs, said_pairs),
        ratio(kept, quiet),
        ratio(found, golds),
        ratio(called, golds),
        ratio(right, said_material),
        ratio(topic, golds),
        ratio(direction, directed),
    )
}

fn print_weights(names: &[String], models: &Models, (speak, report): (f64, f64), material: f64) {
    println!("# Weights of what is seen in a change, hundredths; fitted, see docs/rules.md.");
    println!(
        "# `report`: is it worth reporting; `material`: would users want to be told of it before;"
    );
    println!("# `direction`: adverse above nothing, favourable below.");
    println!("[weights]");
    println!("speak_at = {:.0}", speak * 100.0);
    println!("report_at = {:.0}", report * 100.0);
    println!("material_at = {:.0}", material * 100.0);
    for (title, weights) in [
        ("report", &models.report),
        ("material", &models.material),
        ("direction", &models.direction),
    ] {
        println!("\n[weights.{title}]");
        for (name, weight) in names.iter().zip(weights) {
            let hundredths = (weight * 100.0).round();
            if hundredths != 0.0 {
                println!("\"{name}\" = {hundredths:.0}");
            }
        }
    }
}
