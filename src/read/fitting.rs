//! Where the weights of the outline reader come from, and what they are worth on texts that they
//! have not seen: `cargo test --release --lib read::fitting -- --ignored --nocapture`.
//!
//! The texts are those of `structure` in the folder of the scorers, whose headings lost their marks,
//! and published policies in Markdown, from which the marks are taken here in the same two ways.
//! Texts that share many lines are of one kin, and a kin is never divided between the texts that
//! weights are fitted on and those that they are tried on.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use super::{
    BlockKind, Document, Format, assemble, headings, keys, markdown, plain, shape,
    shape::{FEATURES, FIRST_ONLY},
};

/// Into how many parts the kins are dealt.
const FOLDS: u64 = 5;
/// Hundredths of a logit by which the bar for a heading is tried higher or lower.
const BARS: &[i32] = &[0, 30, 60, 90];
/// How strongly weights are drawn to 0.
const RIDGE: f64 = 2.0;

struct Sample {
    name: String,
    text: String,
    /// Keys and levels of the true headings.
    truth: Vec<(String, u8)>,
    kin: usize,
    /// One of the texts that figures are given for.
    scored: bool,
    weight: f64,
}

/// One line: its traits, and whether it is a heading.
struct Row {
    bits: u128,
    heading: bool,
    weight: f64,
}

#[test]
#[ignore = "reads the scorers' texts and takes minutes"]
fn weights_and_what_they_are_worth_elsewhere() {
    let Some(shared) = shared() else {
        println!("skipped: no texts to fit on");
        return;
    };
    let samples = samples(&shared);
    let scored = samples.iter().filter(|s| s.scored).count();
    println!("{} texts, {scored} of them scored", samples.len());
    shape::set_weights(None);
    println!(
        "as built:  {}",
        Figures::of(samples.iter().filter(|s| s.scored))
    );
    println!(
        "others:    {}",
        Figures::of(samples.iter().filter(|s| !s.scored))
    );
    let mut held_out = vec![(Figures::default(), Figures::default()); BARS.len()];
    for fold in 0..FOLDS {
        let outside = |s: &&Sample| dealt(s.kin) != fold;
        let weights = fit(samples.iter().filter(outside));
        for (bar, (scored, others)) in BARS.iter().zip(&mut held_out) {
            let mut weights = weights.clone();
            weights.1[0] -= bar;
            shape::set_weights(Some(weights));
            scored.add(&Figures::of(
                samples.iter().filter(|s| s.scored && !outside(s)),
            ));
            others.add(&Figures::of(
                samples.iter().filter(|s| !s.scored && !outside(s)),
            ));
        }
    }
    for (bar, (scored, others)) in BARS.iter().zip(&held_out) {
        println!("held out, bar {bar:+}: {scored}");
        println!("others,   bar {bar:+}: {others}");
    }
    let all = fit(samples.iter());
    shape::set_weights(Some(all.clone()));
    println!(
        "fitted on all: {}",
        Figures::of(samples.iter().filter(|s| s.scored))
    );
    shape::set_weights(None);
    for (name, first, second) in FEATURES
        .iter()
        .zip(&all.0)
        .zip(&all.1)
        .map(|((n, a), b)| (n, a, b))
    {
        println!("    {name} = {first}, {second};");
    }
}

fn dealt(kin: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kin, 7).hash(&mut hasher);
    hasher.finish() % FOLDS
}

fn shared() -> Option<PathBuf> {
    let named = env::var_os("FAIRNOTICE_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    named
        .into_iter()
        .chain([beside])
        .map(|p| p.join("eval"))
        .find(|p| p.join("structure").is_dir())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(path)
        .map(|d| d.flatten().map(|e| e.path()).collect())
        .unwrap_or_default();
    all.sort();
    all
}

fn samples(eval: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in folders(&eval.join("structure")) {
        let (Ok(text), Ok(outline)) = (
            fs::read_to_string(folder.join("policy.txt")),
            fs::read_to_string(folder.join("outline.json")),
        ) else {
            continue;
        };
        let outline: serde_json::Value = serde_json::from_str(&outline).expect("outline.json");
        let truth = outline
            .as_array()
            .into_iter()
            .flatten()
            .map(|h| {
                let level = h["level"].as_u64().and_then(|l| u8::try_from(l).ok());
                (
                    keys::key(h["title"].as_str().unwrap_or_default()),
                    level.unwrap_or(1),
                )
            })
            .collect();
        samples.push(Sample {
            name: folder.display().to_string(),
            text,
            truth,
            kin: 0,
            scored: true,
            weight: 1.0,
        });
    }
    for (set, file) in [
        ("changes", "after.md"),
        ("redline", "after.md"),
        ("duties", "policy.md"),
    ] {
        for folder in folders(&eval.join(set)) {
            if let Ok(text) = fs::read_to_string(folder.join(file)) {
                samples.extend(unmarked(&folder.display().to_string(), &text));
            }
        }
    }
    kins(&mut samples);
    samples
}

/// A Markdown text without its marks: once with a blank line before every block, once only before
/// headings that follow running text.
fn unmarked(name: &str, text: &str) -> Vec<Sample> {
    let mut truth = Vec::new();
    let (mut dense, mut rare) = (String::new(), String::new());
    let mut after_text = false;
    let (mut lines, mut bold) = (0, 0);
    for super::leaf::Piece { leaf, .. } in markdown::leaves(text) {
        let words = |spans: &[super::Span]| {
            let all: String = spans.iter().filter_map(|r| text.get(r.clone())).collect();
            all.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let parts = match leaf.kind {
            BlockKind::Markup => continue,
            BlockKind::TableHead | BlockKind::TableRow => leaf
                .cells
                .iter()
                .map(|cell| {
                    let inside: Vec<super::Span> = leaf
                        .runs
                        .iter()
                        .filter(|r| r.start >= cell.start && r.end <= cell.end)
                        .cloned()
                        .collect();
                    words(&inside)
                })
                .collect(),
            _ => vec![words(&leaf.runs)],
        };
        let item = leaf.kind == BlockKind::ListItem;
        if leaf.bold && leaf.heading.is_none() && !leaf.listed && leaf.content.len() < 80 {
            bold += 1;
        }
        for part in parts.iter().filter(|p| !p.is_empty()) {
            lines += 1;
            let heading = leaf.heading.is_some();
            if heading {
                truth.push((keys::key(part), leaf.heading.unwrap_or(1)));
            }
            let lead = if item {
                let number = leaf.number.as_ref().and_then(|n| text.get(n.clone()));
                let indent = "  ".repeat(usize::from(leaf.depth) + 1);
                number.map_or_else(|| format!("{indent}• "), |n| format!("{indent}{n}. "))
            } else {
                String::new()
            };
            let _ = write!(dense, "{lead}{part}\n\n");
            if heading && after_text {
                rare.push('\n');
            }
            let _ = writeln!(rare, "{lead}{part}");
            after_text = !heading && !item;
        }
    }
    // Bold paragraphs are headings too, and it is not told which.
    let usual = truth.len() >= 5
        && bold * 5 < truth.len()
        && truth.len() * 5 < lines * 2
        && text.len() < 150_000;
    if !usual {
        return Vec::new();
    }
    [dense, rare]
        .into_iter()
        .map(|text| Sample {
            name: name.to_owned(),
            text,
            truth: truth.clone(),
            kin: 0,
            scored: false,
            weight: 0.5,
        })
        .collect()
}

/// Texts that share a third of their longer lines are of one kin. Of each kin only the scored
/// texts and one other are kept.
fn kins(samples: &mut Vec<Sample>) {
    let lines: Vec<BTreeSet<String>> = samples
        .iter()
        .map(|s| {
            s.text
                .lines()
                .map(keys::key)
                .filter(|k| k.len() > 30)
                .collect()
        })
        .collect();
    let mut kin: Vec<usize> = (0..samples.len()).collect();
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, set) in lines.iter().enumerate() {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for line in set {
            for other in seen.get(line.as_str()).into_iter().flatten() {
                *common.entry(*other).or_default() += 1;
            }
        }
        for (other, count) in common {
            let least = set.len().min(lines.get(other).map_or(0, BTreeSet::len));
            if count * 3 >= least {
                let (a, b) = (kin[i], kin[other]);
                for k in &mut kin {
                    if *k == a {
                        *k = b;
                    }
                }
            }
        }
        for line in set {
            seen.entry(line).or_default().push(i);
        }
    }
    let mut kept: BTreeMap<usize, String> = BTreeMap::new();
    for (sample, kin) in samples.iter_mut().zip(&kin) {
        sample.kin = *kin;
    }
    samples.retain(|s| s.scored || *kept.entry(s.kin).or_insert_with(|| s.name.clone()) == s.name);
}

/// Weights of both looks.
fn fit<'a>(samples: impl Iterator<Item = &'a Sample>) -> (Vec<i32>, Vec<i32>) {
    let samples: Vec<&Sample> = samples.collect();
    let first = regress(&rows(&samples, FIRST_ONLY));
    shape::set_weights(Some((first.clone(), first.clone())));
    let mut second = regress(&rows(&samples, u128::MAX));
    shape::set_weights(Some((first.clone(), second.clone())));
    second = regress(&rows(&samples, u128::MAX));
    (first, second)
}

fn rows(samples: &[&Sample], mask: u128) -> Vec<Row> {
    let mut rows = Vec::new();
    for sample in samples {
        let pieces = assemble::pieces(&sample.text, plain::leaves(&sample.text));
        let seen = headings::look(&sample.text, &pieces, false);
        let keys: Vec<String> = pieces
            .iter()
            .map(|p| keys::key(sample.text.get(p.leaf.span.clone()).unwrap_or_default()))
            .collect();
        let truth: Vec<&str> = sample.truth.iter().map(|t| t.0.as_str()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let heads: BTreeSet<usize> = common(&truth, &keys).into_iter().map(|p| p.1).collect();
        let listed: BTreeSet<usize> = seen
            .contents
            .iter()
            .flat_map(|c| c.entries.iter().copied())
            .collect();
        for (i, shape) in seen.shapes.iter().enumerate() {
            let words = pieces
                .get(i)
                .is_some_and(|p| p.leaf.kind != BlockKind::Markup);
            if words && !listed.contains(&i) {
                rows.push(Row {
                    bits: shape.0 & mask,
                    heading: heads.contains(&i),
                    weight: sample.weight,
                });
            }
        }
    }
    rows
}

/// Logistic regression with a ridge, by Newton's method; hundredths of a logit.
fn regress(rows: &[Row]) -> Vec<i32> {
    let n = FEATURES.len();
    let mut weights = vec![0.0_f64; n];
    for _ in 0..12 {
        let mut gradient: Vec<f64> = weights.iter().map(|w| -RIDGE * w).collect();
        let mut hessian = vec![vec![0.0_f64; n]; n];
        for (i, row) in hessian.iter_mut().enumerate() {
            row[i] = RIDGE;
        }
        for row in rows {
            let on: Vec<usize> = (0..n).filter(|i| row.bits & (1 << i) != 0).collect();
            let sum: f64 = on.iter().map(|i| weights[*i]).sum();
            let p = 1.0 / (1.0 + (-sum).exp());
            let error = row.weight * (f64::from(u8::from(row.heading)) - p);
            let curve = row.weight * p * (1.0 - p);
            for i in &on {
                gradient[*i] += error;
                for j in &on {
                    hessian[*i][*j] += curve;
                }
            }
        }
        let step = solve(hessian, gradient);
        for (w, s) in weights.iter_mut().zip(&step) {
            *w += s;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "weights are small")]
    weights.iter().map(|w| (w * 100.0).round() as i32).collect()
}

/// Gauss without pivots: the matrix is positive definite.
fn solve(mut m: Vec<Vec<f64>>, mut v: Vec<f64>) -> Vec<f64> {
    let n = v.len();
    for i in 0..n {
        let row = m[i].clone();
        for k in i + 1..n {
            let factor = m[k][i] / row[i];
            if factor != 0.0 {
                for (a, b) in m[k].iter_mut().zip(&row).skip(i) {
                    *a -= factor * b;
                }
                v[k] -= factor * v[i];
            }
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| m[i][k] * v[k]).sum();
        v[i] = (v[i] - known) / m[i][i];
    }
    v
}

/// A longest common subsequence, matched as late as can be: what a list of contents names stands
/// below it.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let mut table = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in 0..a.len() {
        for j in 0..b.len() {
            table[i + 1][j + 1] = if a[i] == b[j] {
                table[i][j] + 1
            } else {
                table[i][j + 1].max(table[i + 1][j])
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut pairs = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            pairs.push((i - 1, j - 1));
            (i, j) = (i - 1, j - 1);
        } else if table[i - 1][j] > table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    pairs.reverse();
    pairs
}

/// Counts of right headings and right steps between neighbours, as the scorer counts them.
#[derive(Debug, Clone, Default)]
struct Figures {
    truth: usize,
    said: usize,
    right: usize,
    steps: usize,
    right_steps: usize,
    /// What was missed, what was in excess, where nesting was wrong.
    odd: Vec<String>,
}

impl Figures {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let mut all = Self::default();
        for sample in samples {
            let document = super::text(Format::Text, sample.text.clone());
            let one = Self::one(sample, &document);
            if env::var_os("FITTING_SHOW").is_some() {
                println!("{} {one}", sample.name);
                for line in &one.odd {
                    println!("  {line}");
                }
            }
            all.add(&one);
        }
        all
    }

    fn one(sample: &Sample, document: &Document) -> Self {
        let mut said: Vec<(String, u8)> = document
            .sections
            .iter()
            .map(|s| {
                let label = s.label.as_deref().unwrap_or_default();
                (keys::key(&format!("{label} {}", s.title)), s.level)
            })
            .collect();
        if let Some(title) = document.title.as_deref().map(keys::key)
            && said.first().is_none_or(|s| s.0 != title)
        {
            said.insert(0, (title, 0));
        }
        let truth: Vec<(String, u8)> = sample.truth.iter().map(|(k, l)| (bare(k), *l)).collect();
        let keys = |all: &[(String, u8)]| all.iter().map(|t| t.0.clone()).collect::<Vec<_>>();
        let (a, b) = (keys(&truth), keys(&said));
        let pairs = common(
            &a.iter().map(String::as_str).collect::<Vec<_>>(),
            &b.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let mut odd = Vec::new();
        for (k, (key, _)) in truth.iter().enumerate() {
            if pairs.iter().all(|p| p.0 != k) {
                odd.push(format!("missed {key}"));
            }
        }
        for (k, (key, _)) in said.iter().enumerate() {
            if pairs.iter().all(|p| p.1 != k) {
                odd.push(format!("in excess {key}"));
            }
        }
        let steps: Vec<bool> = pairs
            .windows(2)
            .map(|w| truth[w[1].0].1.cmp(&truth[w[0].0].1) == said[w[1].1].1.cmp(&said[w[0].1].1))
            .collect();
        for (step, w) in steps.iter().zip(pairs.windows(2)).filter(|s| !s.0) {
            let place = |p: (usize, usize)| (truth[p.0].1, said[p.1].1, truth[p.0].0.as_str());
            odd.push(format!(
                "step {step}: {:?} to {:?}",
                place(w[0]),
                place(w[1])
            ));
        }
        Self {
            odd,
            truth: truth.len(),
            said: said.len(),
            right: pairs.len(),
            steps: steps.len(),
            right_steps: steps.iter().filter(|s| **s).count(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.truth += other.truth;
        self.said += other.said;
        self.right += other.right;
        self.steps += other.steps;
        self.right_steps += other.right_steps;
    }
}

/// A key without a word before its label.
fn bare(key: &str) -> String {
    [
        "article", "section", "part", "chapter", "clause", "annex", "schedule",
    ]
    .iter()
    .find_map(|w| key.strip_prefix(w))
    .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    .unwrap_or(key)
    .to_owned()
}

impl std::fmt::Display for Figures {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |a: usize, b: usize| a as f64 / b.max(1) as f64;
        write!(
            f,
            "precision {:.3}, recall {:.3}, F1 {:.3}, nesting {:.3} ({} headings)",
            share(self.right, self.said),
            share(self.right, self.truth),
            share(2 * self.right, self.said + self.truth),
            share(self.right_steps, self.steps),
            self.truth
        )
    }
}
