//! The repository as a workspace: the first command of the README.

use std::{fs, path::Path};

use super::bench::{Ran, ran};

/// Copies what the repository holds; what an earlier run of its first command wrote stays behind.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else if !name.to_string_lossy().starts_with("20270115T") {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

fn sample() -> tempfile::TempDir {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    for part in ["snapshots", "templates", "examples/policies"] {
        copy(&repository.join(part), &folder.path().join(part));
    }
    fs::copy(
        repository.join("fairnotice.toml"),
        folder.path().join("fairnotice.toml"),
    )
    .unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fairnotice"));
    command
        .args(args)
        .current_dir(folder)
        .env_remove("FAIRNOTICE_NOW");
    ran(command.output().unwrap())
}

#[test]
fn the_first_command_shows_everything_once() {
    let folder = sample();
    let first = run(folder.path(), &["check"]).exits(0);
    for part in [
        "[larkspur-privacy]: MATERIAL change",
        "from “30 days” to “12 months”",
        "before: “We delete your data within 30 days after you close your account.”",
        "tell users by e-mail, 30 days before it takes effect (line 47; because of",
        "sent by 2027-01-29 10:59 UTC",
        "! consent is needed",
        "[tidepool-terms]: editorial change",
        "Unchanged: orchard-guidelines",
    ] {
        assert!(first.out.contains(part), "{part}: {}", first.out);
    }
    assert!(
        first.out.lines().count() <= 75,
        "a screen and a half: {}",
        first.out
    );
    for line in first.out.lines() {
        if let Some(redline) = line.trim().strip_prefix("Redline: ") {
            let page = fs::read_to_string(folder.path().join(redline)).unwrap();
            assert!(page.contains("<ins") && page.contains("<del"), "{redline}");
        }
        if let Some(notice) = line.trim().strip_prefix("Draft: ") {
            run(folder.path(), &["notice", "show", notice.trim()]).exits(0);
        }
    }
    let second = run(folder.path(), &["check"]).exits(0);
    assert_eq!(
        second.out,
        "Unchanged: larkspur-privacy, tidepool-terms, orchard-guidelines\n"
    );
    assert_eq!(second.err, "");
}

#[test]
fn the_sample_is_worked_with_to_the_mailbox() {
    let folder = sample();
    let fair = |args: &[&str]| run(folder.path(), args);
    fair(&["check"]).exits(0);
    let email = "larkspur-privacy-8fc323ef-email";
    fair(&["notice", "approve", email, "--by", "Dana Counsel"]).exits(0);
    fs::write(
        folder.path().join("people.csv"),
        "email,name,locale\nada@customers.example,Ada,en\nno address,Bo,en\n",
    )
    .unwrap();
    let made = fair(&["campaign", "create", email, "--recipients", "people.csv"]).exits(0);
    assert!(
        made.out.contains("line 3: the address has no @"),
        "{}",
        made.out
    );
    let id = made
        .out
        .split_whitespace()
        .find(|word| word.starts_with("c-"))
        .unwrap();
    let early = fair(&[
        "campaign",
        "send",
        id,
        "--smtp",
        "smtp://127.0.0.1:1",
        "--yes",
    ])
    .exits(1);
    assert!(early.err.contains("approval"), "{}", early.err);
    fair(&["campaign", "approve", id, "--by", "Sam Second"]).exits(0);
    fair(&["campaign", "send", id, "--dry-run", "--sample", "1"]).exits(0);
    let mail = fs::read_to_string(folder.path().join("out").join(id).join("00000000.eml")).unwrap();
    assert!(
        mail.contains("Larkspur Mail Privacy Policy changes"),
        "{mail}"
    );
}

#[test]
fn every_report_can_be_had_as_json() {
    let folder = sample();
    let fair = |args: &[&str]| run(folder.path(), args);
    fair(&["check"]).exits(0);
    let email = "larkspur-privacy-8fc323ef-email";
    let reports: &[&[&str]] = &[
        &["check"],
        &["status"],
        &["log", "larkspur-privacy"],
        &["show", "larkspur-privacy"],
        &["outline", "larkspur-privacy"],
        &[
            "diff",
            "larkspur-privacy@previous",
            "larkspur-privacy@latest",
        ],
        &["review", "larkspur-privacy"],
        &["duties", "larkspur-privacy"],
        &["plan", "larkspur-privacy"],
        &["audit", "larkspur-privacy"],
        &["notice", "list"],
        &["notice", "show", email],
        &["notice", "template", "list"],
        &["notice", "template", "check"],
        &["campaign", "status"],
        &["law", "list"],
        &["law", "show", "eu"],
        &["rules", "list"],
        &["rules", "explain", "sale-gained"],
        &["config", "check"],
        &["reindex"],
    ];
    for report in reports {
        let args = [*report, &["--format", "json"]].concat();
        let json = fair(&args).exits(0).json();
        let schema = json["schema"].as_str().unwrap_or_default();
        assert!(schema.starts_with("fairnotice/"), "{report:?}: {json}");
    }
    let error = fair(&["notice", "show", "nothing", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(error.err.trim()).unwrap();
    assert_eq!(line["schema"], "fairnotice/error/1");
}
