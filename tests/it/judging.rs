//! Rules of judging that a workspace adds or silences, through the program.

use super::bench::{Bench, NOW};

const OLD: &str = "\
# Harbour Notes Privacy Policy

## 1. Mooring

We lend each berth to one boat, and boats are moored by their owners.

## 2. Changes

We will notify you by e-mail before we change this policy.
";

const OWN: &str = r#"
[[signal]]
id = "own-drones"
reason = "Drones over the harbour are what our users ask about."
topics = ["tracking"]
gained = ["drone|drones"]
effect = "adverse"
gravity = "grave"
always = true
hit = [["We look after boats.", "Drones look after boats."], ["A guard walks.", "A drone flies."]]
miss = [["We look after boats.", "We look after all boats."], ["Drones fly.", "Drones fly at night."]]
"#;

fn bench(configuration: &str) -> Bench {
    let bench = Bench::with(&format!(
        "[organisation]\nname = \"Harbour\"\n{configuration}\n\
         [[document]]\nid = \"notes\"\nsource = \"policy.md\"\nside = \"owner\"\n"
    ));
    bench.write("policy.md", OLD);
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    bench
}

fn codes(bench: &Bench) -> Vec<String> {
    let said = bench
        .run(&["review", "notes", "--format", "json"])
        .exits(0)
        .json();
    said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["finding"]["reasons"].as_array().unwrap().clone())
        .map(|reason| reason["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_rule_of_the_workspace_is_listed_and_speaks() {
    let bench = bench("");
    bench.write("rules/judging.toml", OWN);
    let listed = bench.run(&["rules", "list"]).exits(0);
    assert!(listed.out.contains("own-drones"), "{}", listed.out);
    let explained = bench.run(&["rules", "explain", "own-drones"]).exits(0);
    assert!(explained.out.contains("ask about"), "{}", explained.out);
    bench.run(&["rules", "test"]).exits(0);
    bench.write(
        "policy.md",
        OLD.replace("moored by their owners", "watched by drones"),
    );
    bench.run_at(NOW, &["check"]).exits(0);
    assert!(codes(&bench).contains(&"own-drones".to_owned()));
}

#[test]
fn a_wrong_rule_of_the_workspace_stops_the_run_and_is_named() {
    let bench = bench("");
    bench.write("rules/judging.toml", OWN.replace("gained", "gaind"));
    bench.write("policy.md", OLD.replace("one boat", "two boats"));
    let run = bench.run_at(NOW, &["check"]);
    assert_ne!(run.code, 0);
    assert!(
        run.err.contains("rules/judging.toml") && run.err.contains("gaind"),
        "{}",
        run.err
    );
}

#[test]
fn a_silenced_rule_is_quiet_and_named_in_the_report() {
    let change = |bench: &Bench| {
        bench.write("policy.md", OLD.replace("We will notify", "We may notify"));
        bench.run_at(NOW, &["check"]).exits(0)
    };
    let loud = bench("");
    let run = change(&loud);
    assert!(!run.out.contains("silenced rules"), "{}", run.out);
    assert!(codes(&loud).contains(&"modal-weakened".to_owned()));

    let silent = bench("[rules]\nsilence = [\"modal-weakened\"]");
    let run = change(&silent);
    assert!(
        run.out.contains("silenced rules: modal-weakened"),
        "{}",
        run.out
    );
    assert!(!codes(&silent).contains(&"modal-weakened".to_owned()));
    let listed = silent.run(&["rules", "list"]).exits(0);
    assert!(listed.out.contains("(silenced)"), "{}", listed.out);
}
