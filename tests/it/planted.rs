//! Changes planted into real policies and into a fictional one: each material one must alarm, no
//! harmless one may.

use std::{fs, path::PathBuf};

use fairnotice::{
    assess::{self, Verdict},
    compare, read,
};

fn judged(old: &str, new: &str, name: &str) -> assess::Assessment {
    let read = |text: &str| {
        read::read(&read::Input {
            bytes: text.as_bytes(),
            name: Some(name),
            ..read::Input::default()
        })
        .unwrap()
    };
    let (old, new) = (read(old), read(new));
    let comparison = compare::compare(&old, &new);
    assess::assess(&old, &new, &comparison)
}

/// One edit: kind, file, line (from 1), which occurrence on it (from 1), words to find, words to
/// put there.
struct Edit<'a> {
    material: bool,
    file: &'a str,
    line: usize,
    nth: usize,
    find: &'a str,
    put: &'a str,
}

fn edits(list: &str) -> Vec<Edit<'_>> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Edit {
                material: fields[0] == "material",
                file: fields[1],
                line: fields[2].parse().unwrap(),
                nth: fields[3].parse().unwrap(),
                find: fields[4],
                put: fields[5],
            }
        })
        .collect()
}

fn planted(text: &str, edit: &Edit<'_>) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let line = &mut lines[edit.line - 1];
    let (at, _) = line
        .match_indices(edit.find)
        .nth(edit.nth - 1)
        .unwrap_or_else(|| panic!("{}:{}: no `{}`", edit.file, edit.line, edit.find));
    line.replace_range(at..at + edit.find.len(), edit.put);
    lines.join("\n")
}

/// Share of material edits found, harmless edits that alarmed, and what went wrong.
fn run(list: &str, text_of: impl Fn(&str) -> String) -> (f64, usize, Vec<String>) {
    let (mut material, mut found, mut alarms, mut wrong) = (0, 0, 0, Vec::new());
    for edit in edits(list) {
        let text = text_of(edit.file);
        let verdict = judged(&text, &planted(&text, &edit), edit.file).verdict;
        let alarmed = verdict == Verdict::Material;
        material += usize::from(edit.material);
        found += usize::from(edit.material && alarmed);
        alarms += usize::from(!edit.material && alarmed);
        if edit.material != alarmed {
            wrong.push(format!(
                "{}:{} `{}` -> `{}`: {verdict:?}",
                edit.file, edit.line, edit.find, edit.put
            ));
        }
    }
    (
        f64::from(u32::try_from(found).unwrap()) / f64::from(u32::try_from(material).unwrap()),
        alarms,
        wrong,
    )
}

#[test]
fn planted_changes_of_real_policies() {
    let folder = std::env::var_os("FAIRNOTICE_SHARED")
        .map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
            PathBuf::from,
        )
        .join("policies");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let (found, alarms, wrong) = run(include_str!("../data/planted.tsv"), |file| {
        fs::read_to_string(folder.join(file)).unwrap()
    });
    println!("found as material {found:.3}, harmless called material {alarms}");
    assert!(found >= 0.95 && alarms == 0, "{}", wrong.join("\n"));
}

#[test]
fn planted_changes_of_a_fictional_policy() {
    let policy = include_str!("../data/kite-club.md");
    let (found, alarms, wrong) = run(include_str!("../data/kite-club.tsv"), |_| policy.to_owned());
    assert!(
        (found - 1.0).abs() < 1e-9 && alarms == 0,
        "{}",
        wrong.join("\n")
    );
}

#[test]
fn planted_changes_of_a_fictional_chinese_policy() {
    let policy = include_str!("../data/firefly-library.md");
    let list = include_str!("../data/firefly-library.tsv");
    let (found, alarms, wrong) = run(list, |_| policy.to_owned());
    assert!(
        (found - 1.0).abs() < 1e-9 && alarms == 0,
        "{}",
        wrong.join("\n")
    );
    let of = |material: bool| {
        edits(list)
            .iter()
            .filter(|e| e.material == material)
            .count()
    };
    assert!(of(true) >= 30 && of(false) >= 30);
}

#[test]
fn quotes_and_evidence_are_exact_and_the_verdict_covers_all_findings() {
    let policy = include_str!("../data/kite-club.md");
    for edit in edits(include_str!("../data/kite-club.tsv")) {
        let new = planted(policy, &edit);
        let assessment = judged(policy, &new, "kite-club.md");
        for finding in &assessment.findings {
            for (quote, text) in [(&finding.old, policy), (&finding.new, new.as_str())] {
                if let Some(quote) = quote {
                    assert_eq!(text.get(quote.span.clone()), Some(quote.text.as_str()));
                }
            }
            assert!(!finding.reasons.is_empty());
            for reason in &finding.reasons {
                assert!(
                    policy.contains(&reason.evidence) || new.contains(&reason.evidence),
                    "{reason:?}"
                );
            }
        }
    }
}

#[test]
fn every_rule_passes_its_examples() {
    let failed = assess::RuleSet::standard().test();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn another_language_is_technical_and_an_unknown_one_is_said() {
    let english = "# Kite Club Privacy Policy\n\nWe collect your name and your address when you join the club. We keep them for one year.\n";
    let chinese = "# 风筝俱乐部隐私政策\n\n您加入俱乐部时，我们会收集您的姓名和地址。我们会保存一年。如有疑问，请联系我们的客服。\n";
    let served = judged(english, chinese, "policy.md");
    assert_eq!(served.verdict, Verdict::Technical);
    assert!(served.remarks[0].starts_with("another-language"));
    let weaker = judged(
        chinese,
        &chinese.replace("会保存一年", "会保存三年"),
        "policy.md",
    );
    assert_eq!(weaker.verdict, Verdict::Material, "{weaker:#?}");
    let french = "# Politique de confidentialité du club\n\nNous recueillons votre nom et votre adresse lorsque vous rejoignez le club de cerf-volant. Nous les conservons pendant une année entière.\n";
    let unknown = judged(
        french,
        &french.replace("une année entière", "trois années entières"),
        "policy.md",
    );
    assert_eq!(unknown.verdict, Verdict::Substantive, "{unknown:#?}");
    assert!(unknown.remarks[0].starts_with("no-rules-for-language"));
}

#[test]
fn a_workspace_adds_and_silences_rules() {
    let silence =
        |text: &str| assess::RuleSet::with(&[("rules/judging.toml".to_owned(), text.to_owned())]);
    let rules = silence("silence = [\"modal-weakened\"]").unwrap();
    let read = |text: &str| {
        read::read(&read::Input {
            bytes: text.as_bytes(),
            name: Some("policy.md"),
            ..read::Input::default()
        })
        .unwrap()
    };
    let old = read("# Policy of the club\n\nWe will tell you in advance of each change.\n");
    let new = read("# Policy of the club\n\nWe may tell you in advance of each change.\n");
    let comparison = compare::compare(&old, &new);
    let assessment =
        assess::assess_with(&old, &new, &comparison, &rules, &assess::Memory::default());
    assert_eq!(assessment.silenced, ["modal-weakened"]);
    assert_ne!(assessment.rules, assess::RuleSet::standard().hash());
    for (text, message) in [
        ("silence = [\"nothing\"]", "there is no rule `nothing`"),
        ("sillence = []", "unknown field"),
        (
            "[[signal]]\nid = \"mine\"\nreason = \"x\"\ngained = [\"kite\"]\neffect = \"adverse\"\ngravity = \"grave\"\nhit = []\nmiss = []",
            "at least two",
        ),
    ] {
        let error = silence(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
