//! `check` from end to end: files and pages, what is new, what changed, what failed.

use super::bench::{Answer, Bench, NOW, Server};

const OLD: &str = "\
# Harbour Notes Privacy Policy

Last updated: 1 June 2026

## 1. What we collect

We collect your name and your e-mail address when you open an account.

## 2. Sharing

We will not share your personal data with third parties without your consent.

## 3. Retention

We delete your data 30 days after you close your account.

## 4. Changes

We will notify you by e-mail at least 30 days before a material change takes effect.
";

/// The same policy after a change that every user would want to be told of.
fn new() -> String {
    OLD.replace(
        "We will not share your personal data with third parties without your consent.",
        "We may share your personal data with advertising partners.",
    )
    .replace("1 June 2026", "11 January 2027")
}

fn page(policy: &str, build: &str) -> String {
    let mut html = String::new();
    for block in policy.split("\n\n") {
        let block = block.trim();
        html += &match block.split_once(' ') {
            Some(("#", title)) => format!("<h1>{title}</h1>"),
            Some(("##", title)) => format!("<h2>{title}</h2>"),
            _ => format!("<p>{block}</p>"),
        };
    }
    format!(
        "<!doctype html><html lang=en><head><title>Privacy</title>\
         <script src=\"/app.{build}.js\"></script></head><body>\
         <nav><a href=/>Home</a> <a href=/jobs?{build}>Jobs</a></nav>\
         <main>{html}</main><footer>Build {build}</footer></body></html>"
    )
}

fn local(server: &Server, more: &str) -> Bench {
    Bench::with(&format!(
        "[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\nretries = 0\n\
         timeout_seconds = 60\nmax_megabytes = 20\n{more}\n\
         [[document]]\nid = \"notes\"\nsource = \"{}\"\n",
        server.url("/privacy")
    ))
}

fn owned() -> Bench {
    let bench = Bench::with(
        "[organisation]\nname = \"Harbour\"\n\
         [[document]]\nid = \"notes\"\nsource = \"policy.md\"\nside = \"owner\"\n",
    );
    bench.write("policy.md", OLD);
    bench
}

#[test]
fn a_change_is_stored_judged_and_reported_once() {
    let bench = owned();
    let first = bench.check("2026-06-01T00:00:00Z");
    assert_eq!(first["notes"]["state"], "new");
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    bench.write("policy.md", new());
    let changed = bench.check(NOW);
    let notes = &changed["notes"];
    assert_eq!(notes["state"], "changed");
    assert_eq!(notes["verdict"], "material");
    assert_eq!(notes["previous"], first["notes"]["version"]);
    assert!(notes["findings"].as_u64().unwrap() > 0);
    assert!(bench.file(notes["redline"].as_str().unwrap()).exists());
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    let log = bench
        .run(&["log", "notes", "--format", "json"])
        .exits(0)
        .json();
    let versions = log["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[1]["verdict"], "material");
    let snapshot = bench.read(versions[1]["file"].as_str().unwrap());
    assert!(
        snapshot.starts_with("---\nformat: 1\ndocument: notes\n"),
        "{snapshot}"
    );
    assert!(snapshot.contains("We may share your personal data"));
}

#[test]
fn the_report_says_what_changes_and_where_the_redline_is() {
    let bench = owned();
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    bench.write("policy.md", new());
    let report = bench.run(&["check"]).exits(0).out;
    for words in [
        "MATERIAL change",
        "ADVERSE",
        "before: “",
        "after:  “",
        "Redline: out/redlines/",
    ] {
        assert!(report.contains(words), "{words} is not in:\n{report}");
    }
}

#[test]
fn exit_codes_tell_the_gravest_verdict() {
    let bench = owned();
    bench
        .run_at("2026-06-01T00:00:00Z", &["check", "--exit-code"])
        .exits(0);
    bench.write("policy.md", new());
    bench.run(&["check", "--exit-code"]).exits(20);
    bench.run(&["check", "--exit-code"]).exits(0);
}

#[test]
fn a_draft_is_checked_before_it_is_published() {
    let bench = owned();
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    bench.write("draft.md", new());
    let draft = [
        "check",
        "--draft",
        "notes=draft.md",
        "--exit-code",
        "--effective",
    ];
    let too_early = bench
        .run(&[&draft[..], &["2027-01-20", "--format", "json"]].concat())
        .exits(30);
    let said = &too_early.json()["documents"][0];
    assert_eq!(said["too_early"], true);
    assert!(
        said["earliest_effective"].as_str().unwrap() >= "2027-02-14",
        "{said}"
    );
    bench.run(&[&draft[..], &["2027-03-31"]].concat()).exits(20);
    // The published text is still the old one.
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    // Once the draft is published, it is a change like any other.
    bench.write("policy.md", new());
    assert_eq!(bench.check(NOW)["notes"]["state"], "changed");
}

#[test]
fn a_draft_of_something_unknown_is_refused() {
    let bench = owned();
    bench.write("draft.md", new());
    let ran = bench.run(&["check", "--draft", "notes=draft.md"]).exits(1);
    assert!(ran.err.contains("no published version"), "{}", ran.err);
    bench.run(&["check", "--draft", "nobody=draft.md"]).exits(2);
    bench.run(&["check", "--draft", "notes=absent.md"]).exits(1);
    bench.run(&["check", "--draft", "notes"]).exits(2);
}

#[test]
fn a_page_that_differs_only_around_the_policy_is_unchanged() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer("/privacy", Answer::page(page(OLD, "a1")));
    assert_eq!(bench.check(NOW)["notes"]["state"], "new");
    server.answer("/privacy", Answer::page(page(OLD, "b2")));
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    server.answer("/privacy", Answer::page(page(&new(), "b2")));
    assert_eq!(bench.check(NOW)["notes"]["verdict"], "material");
}

#[test]
fn validators_are_sent_back_also_after_a_redirect() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer(
        "/privacy",
        Answer::status(302).header("Location", "/legal/privacy"),
    );
    server.answer(
        "/legal/privacy",
        Answer::page(page(OLD, "a")).header("ETag", "\"v1\""),
    );
    assert_eq!(bench.check(NOW)["notes"]["state"], "new");
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    let asked = server.asked("/legal/privacy");
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[1].headers.get("if-none-match").map(String::as_str),
        Some("\"v1\"")
    );
    assert!(asked[0].headers["user-agent"].starts_with("fairnotice/"));
}

#[test]
fn a_failed_look_is_a_state_of_its_own_and_never_no_change() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    bench.check("2027-01-01T03:00:00Z");
    let failures = [
        (Answer::status(404), "http-404"),
        (Answer::status(500), "http-500"),
        (
            Answer {
                hangs: true,
                ..Answer::page("x")
            }
            .header("Content-Length", "9"),
            "timeout",
        ),
        (Answer::page(vec![b'x'; 30 << 20]), "too-large"),
        (
            Answer::status(302).header("Location", "/privacy"),
            "redirects",
        ),
        (
            Answer::status(302).header("Location", "ftp://example.com/"),
            "scheme",
        ),
        (
            Answer::status(302).header("Location", "http://10.0.0.1/"),
            "private-address",
        ),
    ];
    let patient = bench.read("fairnotice.toml");
    for (answer, code) in failures {
        let patience = if answer.hangs { "= 1\n" } else { "= 60\n" };
        bench.write("fairnotice.toml", patient.replace("= 60\n", patience));
        server.answer("/privacy", answer);
        let ran = bench
            .run_at("2027-01-02T03:00:00Z", &["check", "--format", "json"])
            .exits(1);
        let said = ran.json()["documents"][0].clone();
        assert_eq!(said["state"], "failed", "{said}");
        assert!(
            said["error"].as_str().unwrap().starts_with(code),
            "{code}: {said}"
        );
    }
    bench.write("fairnotice.toml", patient);
    let status = bench.run(&["status", "--format", "json"]).exits(3).json();
    assert_eq!(status["documents"][0]["state"], "failing");
    assert_eq!(status["documents"][0]["last_good"], "2027-01-01T03:00:00Z");
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    bench.run(&["status"]).exits(0);
}

#[test]
fn what_is_not_the_policy_is_suspect_and_never_a_version() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    bench.check("2027-01-01T03:00:00Z");
    let suspects = [
        "",
        "<html><body><div id=root></div><script>boot()</script></body></html>",
        "<html><title>Sign in</title><body><form action=/login><h1>Sign in</h1>\
         <input name=user><input type=password name=password></form></body></html>",
        "<html><body><h1>Just a moment...</h1><p>Checking your browser before accessing the site. \
         Please enable JavaScript and cookies to continue.</p></body></html>",
    ];
    for body in suspects {
        server.answer("/privacy", Answer::page(body));
        let ran = bench
            .run_at("2027-01-02T03:00:00Z", &["check", "--format", "json"])
            .exits(1);
        assert_eq!(
            ran.json()["documents"][0]["state"],
            "suspect",
            "{body}: {}",
            ran.out
        );
    }
    let log = bench.run(&["log", "notes", "--format", "json"]).json();
    assert_eq!(log["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_text_that_shrank_to_a_fraction_waits_for_a_person() {
    let bench = owned();
    let long = OLD.to_owned() + &"\nWe keep a record of each request that we answer.\n".repeat(60);
    bench.write("policy.md", long);
    bench.check("2027-01-01T03:00:00Z");
    bench.write("policy.md", OLD);
    let ran = bench.run(&["check", "--format", "json"]).exits(1);
    assert_eq!(ran.json()["documents"][0]["state"], "suspect");
    assert!(ran.out.contains("shrank"), "{}", ran.out);
    let ran = bench
        .run(&["check", "notes", "--accept", "--format", "json"])
        .exits(0);
    assert_eq!(ran.json()["documents"][0]["state"], "changed");
}

#[test]
fn one_failure_does_not_keep_the_others_from_being_checked() {
    let server = Server::start();
    let bench = local(
        &server,
        "[[document]]\nid = \"file\"\nsource = \"policy.md\"\n\
         [[document]]\nid = \"absent\"\nsource = \"absent.md\"\n",
    );
    bench.write("policy.md", OLD);
    let ran = bench.run(&["check", "--format", "json"]).exits(3);
    let states: Vec<_> = ran.json()["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["new", "failed", "failed"]);
}

#[test]
fn a_private_address_is_refused_unless_it_is_named() {
    let server = Server::start();
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    let bench = Bench::with(&format!(
        "[[document]]\nid = \"notes\"\nsource = \"{}\"\n",
        server.url("/privacy").replace("127.0.0.1", "localhost")
    ));
    let ran = bench.run(&["check", "--format", "json"]).exits(1);
    assert!(ran.out.contains("private-address"), "{}", ran.out);
    assert!(server.asked("/privacy").is_empty());
}

#[test]
fn robots_txt_is_obeyed_and_reported() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    server.answer(
        "/robots.txt",
        Answer::page("User-agent: *\nDisallow: /privacy\n"),
    );
    let ran = bench.run(&["check", "--format", "json"]).exits(1);
    assert!(ran.out.contains("forbidden to robots"), "{}", ran.out);
    assert!(server.asked("/privacy").is_empty());
}

#[test]
fn a_page_that_flaps_is_said_to_flap_once() {
    let server = Server::start();
    let bench = local(&server, "");
    let (a, b) = (
        Answer::page(page(OLD, "a")),
        Answer::page(page(&new(), "b")),
    );
    let mut states = Vec::new();
    for night in 1..=8 {
        server.answer(
            "/privacy",
            if night % 2 == 1 { a.clone() } else { b.clone() },
        );
        let said = bench.check(&format!("2027-01-0{night}T03:00:00Z"));
        states.push(said["notes"]["state"].as_str().unwrap().to_owned());
    }
    let quiet = "unchanged";
    assert_eq!(
        states,
        [
            "new", "changed", "flapping", quiet, quiet, quiet, quiet, quiet
        ]
    );
}

#[test]
fn a_return_to_an_old_text_that_lasts_is_a_change() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    bench.check("2026-01-01T03:00:00Z");
    server.answer("/privacy", Answer::page(page(&new(), "a")));
    assert_eq!(
        bench.check("2026-06-01T03:00:00Z")["notes"]["state"],
        "changed"
    );
    server.answer("/privacy", Answer::page(page(OLD, "a")));
    let back = bench.check("2026-12-01T03:00:00Z");
    assert_eq!(back["notes"]["state"], "changed");
    assert_eq!(back["notes"]["verdict"], "material");
}

#[test]
fn the_index_can_be_deleted_and_the_journal_tells_what_was_altered() {
    let bench = owned();
    bench.check("2026-06-01T00:00:00Z");
    bench.write("policy.md", new());
    bench.check(NOW);
    std::fs::remove_dir_all(bench.file(".fairnotice/store")).unwrap();
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    let ran = bench.run(&["reindex"]).exits(0);
    assert!(ran.out.contains("The journal verifies"), "{}", ran.out);
    let journal =
        bench
            .read(".fairnotice/journal.jsonl")
            .replacen("Harbour Notes", "Harbour Voles", 1);
    bench.write(".fairnotice/journal.jsonl", journal);
    let ran = bench.run(&["reindex"]).exits(1);
    assert!(ran.err.contains("was altered"), "{}", ran.err);
}

#[test]
fn a_fresh_clone_knows_its_history_from_the_snapshot_files() {
    let bench = owned();
    bench.check("2026-06-01T00:00:00Z");
    std::fs::remove_dir_all(bench.file(".fairnotice")).unwrap();
    assert_eq!(bench.check(NOW)["notes"]["state"], "unchanged");
    bench.write("policy.md", new());
    assert_eq!(bench.check(NOW)["notes"]["verdict"], "material");
}

#[test]
fn two_runs_at_once_the_second_says_who_the_first_is() {
    let server = Server::start();
    let bench = local(&server, "");
    server.answer(
        "/privacy",
        Answer {
            hangs: true,
            ..Answer::page(page(OLD, "a"))
        },
    );
    let mut first = bench.command(&["check"]).spawn().unwrap();
    while server.asked("/privacy").is_empty() {
        std::thread::yield_now();
    }
    let second = bench.run(&["check"]).exits(1);
    assert!(
        second.err.contains("another run is at work"),
        "{}",
        second.err
    );
    assert!(second.err.contains("check, process"), "{}", second.err);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_run_that_was_killed_after_storing_is_made_up_for() {
    let bench = owned();
    bench.check("2026-06-01T00:00:00Z");
    bench.write("policy.md", new());
    let before = bench.read(".fairnotice/journal.jsonl").lines().count();
    bench.check(NOW);
    // As if the run had died between storing the version and judging it.
    let journal = bench.read(".fairnotice/journal.jsonl");
    let cut: String = journal
        .lines()
        .enumerate()
        .take_while(|(n, line)| *n < before || !line.contains("\"type\":\"judged\""))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    assert!(cut.len() < journal.len());
    bench.write(".fairnotice/journal.jsonl", cut);
    let again = bench.check(NOW);
    assert_eq!(again["notes"]["state"], "changed");
    assert_eq!(again["notes"]["verdict"], "material");
}

#[test]
fn the_old_text_governs_until_the_new_one_takes_effect() {
    let bench = owned();
    bench.check("2026-06-01T00:00:00Z");
    bench.write("policy.md", new());
    bench.run(&["check", "--effective", "2027-03-01"]).exits(0);
    let title = |spec: &str| {
        let ran = bench.run(&["show", spec]).exits(0);
        ran.out.contains("advertising partners")
    };
    assert!(!title("notes@2027-02-28"));
    assert!(title("notes@2027-03-01"));
    assert!(title("notes@latest") && !title("notes@previous"));
    bench.run(&["show", "notes@1999-01-01"]).exits(2);
    bench.run(&["show", "notes@zzz"]).exits(2);
}

#[test]
fn versions_are_committed_to_git_where_asked() {
    let bench = Bench::with(
        "[snapshots]\ngit = true\n[[document]]\nid = \"notes\"\nsource = \"policy.md\"\n",
    );
    bench.write("policy.md", OLD);
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .current_dir(bench.path())
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(args)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["init", "--quiet"]);
    git(&["config", "user.name", "Test"]);
    git(&["config", "user.email", "test@example.com"]);
    bench.run_at("2026-06-01T00:00:00Z", &["check"]).exits(0);
    bench.write("policy.md", new());
    bench.run(&["check"]).exits(0);
    bench.run(&["check"]).exits(0);
    assert_eq!(
        git(&["log", "--format=%s"]),
        "notes: material change\nnotes: first seen\n"
    );
    assert!(!git(&["status", "--porcelain"]).contains("snapshots"));
}

#[test]
fn old_encodings_and_broken_bytes_are_read_and_what_is_no_text_is_refused() {
    let bench = owned();
    let german =
        "# Datenschutzerklärung\n\nWir löschen Ihre Daten nach dreißig Tagen, wenn Sie kündigen.\n";
    let latin: Vec<u8> = german.chars().map(|c| c as u32 as u8).collect();
    let wide: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(german.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let mut broken = german.repeat(20).into_bytes();
    broken.insert(3, 0xFF);
    for (name, bytes, wanted) in [
        ("latin.txt", latin, "löschen Ihre Daten nach dreißig"),
        ("wide.txt", wide, "löschen Ihre Daten nach dreißig"),
        ("broken.txt", broken, "löschen Ihre Daten nach dreißig"),
    ] {
        bench.write(name, &bytes);
        let shown = bench.run(&["show", name]).exits(0).out;
        assert!(shown.contains(wanted), "{name}: {shown}");
    }
    bench.check("2027-01-01T03:00:00Z");
    let noise: Vec<u8> = (0u8..=255).cycle().take(40_000).collect();
    bench.write("policy.md", &noise);
    let ran = bench.run(&["check", "--format", "json"]).exits(1);
    let said = &ran.json()["documents"][0];
    assert!(
        matches!(said["state"].as_str(), Some("suspect" | "failed")),
        "{said}"
    );
    let log = bench.run(&["log", "notes", "--format", "json"]).json();
    assert_eq!(log["versions"].as_array().unwrap().len(), 1);
}
