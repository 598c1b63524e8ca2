//! History in from Git, Open Terms Archive and urlwatch, and out again.

use std::{fs, path::Path, process::Command as Program};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

pub(super) const VERSIONS: &[(&str, &str)] = &[
    (
        "2024-01-10T08:00:00Z",
        "# Lantern Terms\n\n## 1. Logs\n\nWe keep logs of your visits for ten days and then erase them.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change of these terms takes effect.\n",
    ),
    (
        "2024-06-01T08:00:00Z",
        "# Lantern Terms\n\n## 1. Logs\n\nWe keep logs of your visits for ninety days and then erase them.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change of these terms takes effect.\n",
    ),
    (
        "2025-02-01T08:00:00Z",
        "# Lantern Terms\n\n## 1. Logs\n\nWe keep logs of your visits for ninety days and then erase them.\n\n## 2. Fees\n\nThe service costs three euros a month, which you pay in advance.\n\n## 3. Changes\n\nWe tell you by e-mail 30 days before a material change of these terms takes effect.\n",
    ),
];

pub(super) fn git(folder: &Path, arguments: &[&str], date: &str) -> String {
    let status = Program::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@lantern.example",
        ])
        .args(["-c", "commit.gpgsign=false"])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", date)
        .env("GIT_COMMITTER_DATE", date)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "{arguments:?}: {status:?}");
    String::from_utf8(status.stdout).unwrap()
}

/// A repository with three versions of one file, renamed after the first.
pub(super) fn repository(path: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"], VERSIONS[0].0);
    let file = folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for (number, (date, text)) in VERSIONS.iter().enumerate() {
        if number == 0 {
            fs::write(folder.path().join("draft name.md"), text).unwrap();
        } else {
            if number == 1 {
                git(folder.path(), &["mv", "draft name.md", path], date);
            }
            fs::write(&file, text).unwrap();
        }
        git(folder.path(), &["add", "-A"], date);
        git(folder.path(), &["commit", "-q", "-m", "change"], date);
    }
    folder
}

pub(super) fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    json(folder.path(), &["init", "."], false);
    folder
}

pub(super) fn json(workspace: &Path, arguments: &[&str], json: bool) -> Value {
    let output = Command::cargo_bin("fairnotice")
        .unwrap()
        .current_dir(workspace)
        .args(["--now", "2026-03-01T09:00:00Z"])
        .args(arguments)
        .args(if json { &["--format", "json"][..] } else { &[] })
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    if json {
        serde_json::from_slice(&output.stdout).unwrap()
    } else {
        Value::Null
    }
}

#[test]
fn a_git_history_is_stored_dated_and_judged() {
    let repository = repository("legal/terms.md");
    let workspace = workspace();
    let path = repository.path().display().to_string();
    let arguments = ["import", "git", &path, "legal/terms.md", "--id", "lantern"];
    let report = json(workspace.path(), &arguments, true);
    let imported = &report["imported"][0];
    assert_eq!(imported["read"], 3, "{report}");
    assert_eq!(imported["stored"], 3);
    assert_eq!(imported["from"], VERSIONS[0].0);
    assert_eq!(imported["until"], VERSIONS[2].0);
    let log = json(workspace.path(), &["log", "lantern"], true);
    assert_eq!(log["versions"].as_array().unwrap().len(), 3, "{log}");
    // Each date names the version that stood there then.
    let changed = json(
        workspace.path(),
        &[
            "diff",
            "lantern@2024-03-01",
            "lantern@2024-07-01",
            "--only",
            "compare",
        ],
        true,
    );
    assert_eq!(changed["changes"].as_array().unwrap().len(), 1, "{changed}");
    // Once more: nothing new, nothing twice.
    let again = json(workspace.path(), &arguments, true);
    assert_eq!(again["imported"][0]["older"], 3, "{again}");
    assert_eq!(again["imported"][0]["stored"], 0);
    assert_eq!(again["added"].as_array().unwrap().len(), 0);
    // The past is no news: the file itself is watched, and is as it was.
    let check = json(workspace.path(), &["check"], true);
    assert_eq!(check["documents"][0]["state"], "unchanged", "{check}");
}

#[test]
fn a_file_without_history_is_an_error() {
    let repository = repository("legal/terms.md");
    let workspace = workspace();
    let output = Command::cargo_bin("fairnotice")
        .unwrap()
        .current_dir(workspace.path())
        .args(["import", "git"])
        .arg(repository.path())
        .args(["nothing.md", "--id", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing.md"));
    let config = fs::read_to_string(workspace.path().join("fairnotice.toml")).unwrap();
    assert!(!config.contains("\"x\""), "nothing was added");
}

#[test]
fn declarations_and_versions_come_together_and_go_out_again() {
    let versions = repository("Lantern/Terms of Service.md");
    let declarations = tempfile::tempdir().unwrap();
    fs::create_dir(declarations.path().join("declarations")).unwrap();
    fs::write(
        declarations.path().join("declarations/Lantern.json"),
        r##"{"name": "Lantern", "terms": {"Terms of Service": {
            "fetch": "https://lantern.example/terms", "select": "main",
            "remove": [{"startBefore": "#a", "endBefore": "#b"}], "filter": ["clean"]}}}"##,
    )
    .unwrap();
    let workspace = workspace();
    let (from, with) = (
        declarations.path().display().to_string(),
        versions.path().display().to_string(),
    );
    let report = json(
        workspace.path(),
        &[
            "import",
            "ota",
            "--declarations",
            &from,
            "--versions",
            &with,
        ],
        true,
    );
    assert_eq!(report["added"][0]["id"], "lantern-terms-of-service");
    assert!(
        report["added"][0]["left_out"][0]
            .as_str()
            .unwrap()
            .contains("clean")
    );
    assert_eq!(report["imported"][0]["stored"], 3, "{report}");
    let config = fs::read_to_string(workspace.path().join("fairnotice.toml")).unwrap();
    assert!(config.contains("https://lantern.example/terms"), "{config}");
    assert!(config.contains("startBefore"), "{config}");
    let out = workspace.path().join("versions");
    let exported = json(
        workspace.path(),
        &["export", "ota", "versions", "--service", "Lantern"],
        true,
    );
    assert_eq!(exported["versions"], 3);
    let file = out.join("Lantern/Lantern Terms of Service.md");
    assert!(fs::read_to_string(file).unwrap().contains("three euros"));
    let log = Program::new("git")
        .arg("-C")
        .arg(&out)
        .args(["log", "--format=%cI %s"])
        .output()
        .unwrap();
    let log = String::from_utf8(log.stdout).unwrap();
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(log.starts_with("2025-02-01T08:00:00"), "{log}");
    assert!(log.contains("First record of Lantern"), "{log}");
}

#[test]
fn urlwatch_jobs_become_documents() {
    let workspace = workspace();
    fs::write(
        workspace.path().join("urls.yaml"),
        "name: Heron privacy\nurl: https://heron.example/privacy\nfilter:\n  - css: main\n  - grep: x\n---\ncommand: df\n",
    )
    .unwrap();
    let report = json(workspace.path(), &["import", "urlwatch", "urls.yaml"], true);
    assert_eq!(report["added"][0]["id"], "heron-privacy");
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    let config = fs::read_to_string(workspace.path().join("fairnotice.toml")).unwrap();
    assert!(config.contains("include"), "{config}");
}
