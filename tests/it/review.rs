//! `fairnotice review`: a person's word is kept, holds for later runs, and reaches plan, notices,
//! alerts and audit.

use serde_json::Value;

use super::bench::{Bench, NOW};

const OLD: &str = "\
# Harbour Notes Privacy Policy

Last updated: 1 June 2026

## 1. What we collect

We collect your name and your e-mail address when you open an account.

## 2. Sharing

We will not share your personal data with third parties without your consent.

## 3. Changes

We will notify you by e-mail at least 30 days before a material change takes effect.
";

fn changed() -> Bench {
    let bench = Bench::with(
        "[organisation]\nname = \"Harbour\"\n\
         [[document]]\nid = \"notes\"\nsource = \"policy.md\"\nside = \"owner\"\n",
    );
    bench.write("policy.md", OLD);
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    let new = OLD
        .replace(
            "We will not share your personal data with third parties without your consent.",
            "We may share your personal data with advertising partners.",
        )
        .replace("1 June 2026", "11 January 2027");
    bench.write("policy.md", new);
    bench.run(&["check"]).exits(0);
    bench
}

fn review(bench: &Bench, more: &[&str]) -> Value {
    let mut args = vec!["review", "notes", "--format", "json"];
    args.extend(more);
    bench.run(&args).exits(0).json()
}

const WHO: [&str; 4] = [
    "--by",
    "Ada",
    "--reason",
    "the partners get no personal data",
];

#[test]
fn a_word_is_kept_with_who_and_when_beside_the_machines() {
    let bench = changed();
    let before = review(&bench, &[]);
    assert_eq!(before["verdict"], "material");
    let id = before["findings"][0]["finding"]["id"].as_str().unwrap();
    let machine = before["findings"][0]["machine"].clone();
    review(&bench, &[&["--annotate", id][..], &WHO].concat());
    review(&bench, &[&["--confirm", id][..], &WHO].concat());
    let mark = before["findings"][0]["mark"].as_str().unwrap();
    let mut other = vec!["--overrule", &mark[..8], "--severity", "substantive"];
    other.extend(["--direction", "neutral", "--topic", "scope"]);
    other.extend(WHO);
    let after = review(&bench, &other);
    let one = after["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["mark"] == mark)
        .unwrap();
    assert_eq!(one["machine"], machine);
    assert_eq!(one["finding"]["severity"], "substantive");
    assert_eq!(one["finding"]["direction"], "neutral");
    assert_eq!(one["finding"]["topic"], "scope");
    let said = one["reviews"].as_array().unwrap();
    let words: Vec<&str> = said.iter().map(|r| r["word"].as_str().unwrap()).collect();
    assert_eq!(words, ["annotated", "confirmed", "overruled"]);
    assert_eq!(said[2]["by"], "Ada");
    assert_eq!(said[2]["at"], NOW);
    // A run of tomorrow says the same.
    let later = bench
        .run_at(
            "2027-02-01T00:00:00Z",
            &["review", "notes", "--format", "json"],
        )
        .exits(0)
        .json();
    assert_eq!(later, after);
}

#[test]
fn an_overruled_finding_changes_plan_log_and_notices_and_fells_approvals() {
    let bench = changed();
    let duties = |bench: &Bench| {
        let plan = bench
            .run(&["plan", "notes", "--format", "json"])
            .exits(0)
            .json();
        plan["plan"]["duties"]
            .as_array()
            .or(plan["duties"].as_array())
            .map_or(0, Vec::len)
    };
    assert!(duties(&bench) > 0);
    let notices = || {
        bench
            .run(&["notice", "list", "--format", "json"])
            .exits(0)
            .json()["notices"]
            .as_array()
            .unwrap()
            .clone()
    };
    let first = notices();
    assert!(!first.is_empty());
    for one in review(&bench, &[])["findings"].as_array().unwrap() {
        let mark = one["mark"].as_str().unwrap();
        let mut args = vec!["--overrule", mark, "--no-finding"];
        args.extend(WHO);
        review(&bench, &args);
    }
    assert_eq!(review(&bench, &[])["verdict"], "editorial");
    assert_eq!(duties(&bench), 0);
    let later = notices();
    for (old, new) in first.iter().zip(&later) {
        assert_ne!(old["hash"], new["hash"], "{new}");
    }
    let log = bench
        .run(&["log", "notes", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(log["versions"][1]["verdict"], "material");
}

#[test]
fn what_is_missing_or_unknown_is_said() {
    let bench = changed();
    for (args, code, words) in [
        (&["review", "notes", "--confirm", "f1"][..], 2, "--by NAME"),
        (
            &[
                "review",
                "notes",
                "--overrule",
                "f1",
                "--by",
                "Ada",
                "--reason",
                "x",
            ],
            2,
            "--no-finding",
        ),
        (
            &[
                "review",
                "notes",
                "--confirm",
                "f99",
                "--by",
                "Ada",
                "--reason",
                "x",
            ],
            2,
            "there is no finding `f99`",
        ),
        (
            &[
                "review",
                "notes",
                "--overrule",
                "f1",
                "--severity",
                "dire",
                "--by",
                "Ada",
                "--reason",
                "x",
            ],
            2,
            "dire",
        ),
        (&["review", "other"], 2, "other"),
    ] {
        let run = bench.run(args);
        assert_eq!(run.code, code, "{args:?}: {}", run.err);
        assert!(run.err.contains(words), "{args:?}: {}", run.err);
    }
}
