//! `init`, `add`, `config check`, completions, manual pages, and how errors are told.

use super::bench::{Answer, Bench, Server};

#[test]
fn init_makes_a_workspace_once_and_keeps_what_is_there() {
    let bench = Bench::new();
    assert!(bench.read("fairnotice.toml").contains("[organisation]"));
    assert_eq!(bench.read(".gitignore"), "/.fairnotice/\n/out/\n");
    let again = bench.run(&["init"]).exits(1);
    assert!(again.err.contains("is there already"), "{}", again.err);
    bench.run(&["config", "check"]).exits(0);
    let report = bench.run(&["check"]).exits(0);
    assert!(
        report.out.contains("No documents are tracked yet"),
        "{}",
        report.out
    );
}

#[test]
fn add_shows_what_it_read_and_writes_only_when_told() {
    let bench = Bench::new();
    bench.write("p.md", "# Fern Privacy Policy\n\nEffective: 1 Jan. 2027\n\n## 1. Data\n\nWe collect personal data such as your name.\n");
    let shown = bench.run(&["add", "p.md"]).exits(0).out;
    for words in [
        "Fern Privacy Policy",
        "effective: 2027-01-01",
        "1 Data",
        "Nothing was written",
    ] {
        assert!(shown.contains(words), "{words} is not in:\n{shown}");
    }
    assert!(!bench.read("fairnotice.toml").contains("p.md"));
    bench
        .run(&["add", "p.md", "--id", "fern", "--yes"])
        .exits(0);
    assert!(bench.read("fairnotice.toml").ends_with(
        "\n[[document]]\nid = \"fern\"\nsource = \"p.md\"\nside = \"watcher\"\nkind = \"privacy\"\n"
    ));
    let twice = bench
        .run(&["add", "p.md", "--id", "fern", "--yes"])
        .exits(2);
    assert!(twice.err.contains("already"), "{}", twice.err);
    bench
        .run(&["add", "absent.md", "--id", "x", "--yes"])
        .exits(1);
}

#[test]
fn add_fetches_a_page() {
    let server = Server::start();
    server.answer("/p", Answer::page("<h1>Moss Privacy Policy</h1><p>We collect personal data such as your name, and we use it to run the service.</p>"));
    let bench = Bench::with("[fetch]\nallow_addresses = [\"127.0.0.1\"]\ndelay_milliseconds = 0\n");
    let said = bench
        .run(&["add", &server.url("/p"), "--yes", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(said["id"], "moss-privacy-policy");
    assert_eq!(said["added"], true);
    let refused = bench
        .run(&["add", &server.url("/absent"), "--yes"])
        .exits(1);
    assert!(refused.err.contains("answered 404"), "{}", refused.err);
}

#[test]
fn a_mistake_in_the_configuration_is_pointed_at() {
    let bench = Bench::with("[[document]]\nid = \"a\"\nsuorce = \"a.md\"\n");
    let ran = bench.run(&["config", "check"]).exits(2);
    assert!(ran.out.contains("fairnotice.toml:3:1"), "{}", ran.out);
    assert!(ran.out.contains("did you mean `source`?"), "{}", ran.out);
    let json = bench
        .run(&["config", "check", "--format", "json"])
        .exits(2)
        .json();
    assert_eq!(json["problems"][0]["line"], 3);
    let ran = bench.run(&["check", "--format", "json"]).exits(2);
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["schema"], "fairnotice/error/1");
    assert!(
        error["place"]
            .as_str()
            .unwrap()
            .ends_with("fairnotice.toml:3:1")
    );
    assert_eq!(error["hint"], "did you mean `source`?");
    assert_eq!(ran.out, "");
    bench.write("fairnotice.toml", "[[document]\nid=");
    bench.run(&["check"]).exits(2);
}

#[test]
fn where_there_is_no_workspace_the_hint_says_init() {
    let bench = Bench::new();
    std::fs::remove_file(bench.file("fairnotice.toml")).unwrap();
    let ran = bench.run(&["check"]).exits(2);
    assert!(ran.err.contains("fairnotice init"), "{}", ran.err);
}

#[test]
fn an_unknown_document_is_named_with_the_known_ones() {
    let bench = Bench::with("[[document]]\nid = \"a\"\nsource = \"a.md\"\n");
    for args in [&["check", "b"][..], &["log", "b"]] {
        let ran = bench.run(args).exits(2);
        assert!(
            ran.err.contains("`b`") && ran.err.contains("there are: a"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn completions_and_manual_pages_come_from_the_command_line_itself() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            bench
                .run(&["completions", shell])
                .exits(0)
                .out
                .contains("reindex"),
            "{shell}"
        );
    }
    bench.run(&["man", "man"]).exits(0);
    assert!(bench.read("man/fairnotice-check.1").contains("draft"));
}

#[test]
fn bad_arguments_exit_with_2() {
    let bench = Bench::new();
    bench.run(&["nonsense"]).exits(2);
    bench.run(&["check", "--now", "yesterday"]).exits(2);
    bench.run(&["outline", "-"]).exits(2);
    bench.run(&["--help"]).exits(0);
}

#[test]
fn every_command_has_its_page() {
    let bench = Bench::new();
    let help = bench.run(&["--help"]).exits(0).out;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(commands.len() > 20, "{help}");
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands");
    for command in commands {
        let page = pages.join(format!("{command}.md"));
        let text = std::fs::read_to_string(&page)
            .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(
            text.starts_with(&format!("# fairnotice {command}")),
            "{command}: {text}"
        );
    }
}

#[test]
fn requests_are_logged_when_asked_and_never_with_a_password() {
    let server = super::bench::Server::start();
    let bench =
        Bench::with("[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\n");
    server.answer("/terms", super::bench::Answer::status(404));
    let url = server.url("/terms").replace("http://", "http://me:secret@");
    let quiet = bench.run(&["add", &url, "--id", "t", "--yes"]);
    assert!(!quiet.err.contains("INFO"), "{}", quiet.err);
    let told = bench.run(&["-v", "add", &url, "--id", "t", "--yes"]);
    assert!(told.err.contains("/terms: 404"), "{}", told.err);
    for ran in [&quiet, &told] {
        assert!(!ran.err.contains("secret"), "{}", ran.err);
        assert!(!ran.out.contains("secret"), "{}", ran.out);
    }
    let json = bench.run(&["-v", "--format", "json", "add", &url, "--id", "t", "--yes"]);
    for line in json.err.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}
