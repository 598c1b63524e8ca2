//! `[assist]`: a program proposes wording, which is checked and marked, or fails without harm.

#![cfg(unix)]

use super::bench::{Bench, NOW};

const OLD: &str = "\
# Harbour Notes Privacy Policy

## 1. Retention

We delete your data 30 days after you close your account.
";

fn bench(script: &str) -> Bench {
    let bench = Bench::with(
        "[organisation]\nname = \"Harbour\"\n\
         [assist]\ncommand = [\"sh\", \"assist.sh\"]\ntimeout_seconds = 60\n\
         [[document]]\nid = \"notes\"\nsource = \"policy.md\"\nside = \"owner\"\n",
    );
    bench.write("assist.sh", script);
    bench.write("policy.md", OLD);
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    bench.write("policy.md", OLD.replace("30 days", "12 months"));
    bench
}

fn says(summary: &str) -> String {
    format!(
        "cat > asked.json\nprintf '%s' '{{\"proposals\": [{{\"finding\": \"f1\", \"summary\": \"{summary}\"}}]}}'\n"
    )
}

#[test]
fn a_proposal_that_the_texts_bear_out_is_shown_as_proposed() {
    let sentence = "Your data stays 12 months after you close your account, no longer 30 days.";
    let bench = bench(&says(sentence));
    let run = bench.run_at(NOW, &["check"]).exits(0);
    assert!(
        run.out
            .contains(&format!("proposed, not approved: {sentence}")),
        "{}",
        run.out
    );
    let asked: serde_json::Value = serde_json::from_str(&bench.read("asked.json")).unwrap();
    assert_eq!(asked["schema"], "fairnotice/assist/1");
    assert_eq!(asked["document"], "notes");
    assert_eq!(asked["findings"][0]["id"], "f1");
    // No notice carries it.
    let notices = bench.run(&["notice", "list", "--format", "json"]).exits(0);
    assert!(!notices.out.contains("no longer 30 days"));
}

#[test]
fn what_adds_to_the_texts_is_refused_and_the_built_sentence_stays() {
    let bench = bench(&says("Your data stays 24 months."));
    let run = bench.run_at(NOW, &["check"]).exits(0);
    assert!(!run.out.contains("proposed, not approved"), "{}", run.out);
    assert!(
        run.err.contains("`24` stands in neither text"),
        "{}",
        run.err
    );
    assert!(run.out.contains("12 months"), "{}", run.out);
}

#[test]
fn failure_nonsense_and_dawdling_are_warnings() {
    for (script, words) in [
        ("exit 3\n", "ended with"),
        ("echo nonsense\n", "is no JSON"),
        ("sleep 60\n", "took longer than 2 s"),
    ] {
        let bench = bench(script);
        if script.starts_with("sleep") {
            let configuration = bench.read("fairnotice.toml");
            bench.write(
                "fairnotice.toml",
                configuration.replace("timeout_seconds = 60", "timeout_seconds = 2"),
            );
        }
        let run = bench.run_at(NOW, &["check"]).exits(0);
        assert!(run.err.contains(words), "{script}: {}", run.err);
        assert!(run.out.contains("MATERIAL"), "{script}: {}", run.out);
    }
}
