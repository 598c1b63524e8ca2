//! More than two versions: redlines in a row, and since when each sentence stands there.

use super::bench::Bench;

const VERSIONS: &[(&str, &str)] = &[
    (
        "2026-01-10T09:00:00Z",
        "# Otter Privacy Policy\n\n## 1. Logs\n\nWe keep logs of your visits for ten days. Nobody else reads them.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change of this policy takes effect.\n",
    ),
    (
        "2026-02-10T09:00:00Z",
        "# Otter Privacy Policy\n\n## 1. Logs\n\nWe keep logs of your visits for ninety days. Nobody else reads them.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change of this policy takes effect.\n",
    ),
    (
        "2026-03-10T09:00:00Z",
        "# Otter Privacy Policy\n\n## 1. Logs\n\nWe keep logs of your visits for ninety days. Nobody else reads them. We sell them to advertisers.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change of this policy takes effect.\n",
    ),
];

/// A workspace that has seen three versions.
fn history() -> Bench {
    let bench = Bench::with("[[document]]\nid = \"otter\"\nsource = \"otter.md\"\n");
    for (now, text) in VERSIONS {
        bench.write("otter.md", text);
        bench.run_at(now, &["check"]);
    }
    bench
}

/// The three versions as files.
fn files() -> Bench {
    let bench = Bench::new();
    for (name, (_, text)) in ["one.md", "two.md", "three.md"].iter().zip(VERSIONS) {
        bench.write(name, text);
    }
    bench
}

#[test]
fn blame_names_version_and_day_of_each_sentence() {
    let bench = history();
    let said = bench.run(&["blame", "otter"]).exits(0).out;
    let line = |words: &str| {
        said.lines()
            .find(|line| line.contains(words))
            .unwrap_or_else(|| panic!("{words} is not in:\n{said}"))
            .to_owned()
    };
    assert!(line("Nobody else").contains("2026-01-10"), "{said}");
    assert!(line("ninety days").contains("2026-02-10"), "{said}");
    assert!(line("advertisers").contains("2026-03-10"), "{said}");
    assert!(line("by e-mail").contains("2026-01-10"), "{said}");
    let answer = bench
        .run(&["blame", "otter", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(answer["schema"], "fairnotice/blame/1");
    assert_eq!(answer["document"], "otter");
    assert_eq!(answer["versions"].as_array().unwrap().len(), 3);
    let sold = answer["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["text"].as_str().unwrap().contains("sell"))
        .unwrap();
    assert_eq!(sold["since"], 2);
    assert_eq!(sold["date"], "2026-03-10");
    assert_eq!(sold["version"], answer["versions"][2]["version"]);
    assert_eq!(sold["lines"][0], 5);
    assert_eq!(sold["section"][0], "1");
}

#[test]
fn blame_of_an_older_version_knows_nothing_of_later_ones() {
    let bench = history();
    let said = bench.run(&["blame", "otter@previous"]).exits(0).out;
    assert!(said.contains("ninety days"), "{said}");
    assert!(!said.contains("2026-03-10"), "{said}");
    let unknown = bench.run(&["blame", "heron"]).exits(2);
    assert!(unknown.err.contains("heron"), "{}", unknown.err);
}

#[test]
fn blame_takes_files_too() {
    let bench = files();
    let said = bench
        .run(&["blame", "one.md", "two.md", "three.md"])
        .exits(0)
        .out;
    let of = |words: &str| said.lines().find(|l| l.contains(words)).unwrap().to_owned();
    assert!(of("Nobody else").starts_with("one.md"), "{said}");
    assert!(of("ninety days").starts_with("two.md"), "{said}");
    assert!(of("advertisers").starts_with("three.md"), "{said}");
}

#[test]
fn three_files_in_a_row_are_two_redlines() {
    let bench = files();
    let said = bench
        .run(&["diff", "one.md", "two.md", "three.md"])
        .exits(0)
        .out;
    assert!(said.contains("[-ten-]{+ninety+}"), "{said}");
    assert!(said.contains("{+"), "{said}");
    assert_eq!(said.matches("Otter Privacy Policy\n").count(), 2, "{said}");
    let answer = bench
        .run(&["diff", "one.md", "two.md", "three.md", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(answer["schema"], "fairnotice/diffs/1");
    assert_eq!(answer["redlines"].as_array().unwrap().len(), 2);
    assert_eq!(answer["redlines"][1]["schema"], "fairnotice/diff/1");
    let refused = bench
        .run(&["diff", "one.md", "two.md", "three.md", "-o", "all.docx"])
        .exits(2);
    assert!(refused.err.contains("two documents"), "{}", refused.err);
}

#[test]
fn log_prints_the_redline_of_each_step() {
    let bench = history();
    let said = bench.run(&["log", "otter", "--redline"]).exits(0).out;
    let (ten, sold) = (said.find("[-ten-]{+ninety+}"), said.find("advertisers"));
    assert!(ten.is_some() && ten < sold, "{said}");
    let answer = bench
        .run(&["log", "otter", "--redline", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(answer["redlines"].as_array().unwrap().len(), 2);
    assert_eq!(answer["redlines"][0]["verdict"], "material");
}

#[test]
fn a_stored_version_is_judged_by_the_workspace() {
    let bench = history();
    let before = bench
        .run(&["diff", "otter@previous", "otter", "--format", "json"])
        .exits(0)
        .json();
    let finding = before["findings"][0]["id"].as_str().unwrap().to_owned();
    bench
        .run(&[
            "review",
            "otter",
            "--overrule",
            &finding,
            "--severity",
            "substantive",
            "--reason",
            "A test of the house's word.",
            "--by",
            "Ada",
        ])
        .exits(0);
    let after = bench
        .run(&["diff", "otter@previous", "otter", "--format", "json"])
        .exits(0)
        .json();
    assert_ne!(before["findings"][0], after["findings"][0]);
    // A draft against the published text is judged by the same rules.
    bench.write("draft.md", VERSIONS[1].1);
    bench
        .run(&["diff", "otter", "draft.md", "--format", "json"])
        .exits(0);
}
