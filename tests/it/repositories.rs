//! Git repositories as they are (merges, copies, wrong clocks, missing bytes, an outer git), and the
//! commits of a workspace's own snapshots.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::history::{VERSIONS, git, json, repository, workspace};

/// An empty repository.
fn bare_start() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"], VERSIONS[0].0);
    folder
}

/// Writes a file and commits all.
fn put(folder: &Path, path: &str, text: &str, date: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    commit(folder, date);
}

fn commit(folder: &Path, date: &str) {
    git(folder, &["add", "-A"], date);
    git(folder, &["commit", "-q", "-m", "change"], date);
}

/// A policy of which the words in the middle differ.
fn policy(words: &str) -> String {
    VERSIONS[0].1.replace("ten days", words)
}

/// Runs the program and gives exit code, standard output and standard error.
fn run(
    workspace: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String, String) {
    let output = Command::cargo_bin("fairnotice")
        .unwrap()
        .current_dir(workspace)
        .args(["--now", "2026-03-01T09:00:00Z"])
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Imports a file of a repository as `p` and gives the report.
fn imported(workspace: &Path, repository: &Path, path: &str) -> Value {
    let repository = repository.display().to_string();
    json(
        workspace,
        &["import", "git", &repository, path, "--id", "p"],
        true,
    )
}

fn latest(workspace: &Path) -> String {
    run(workspace, &["show", "p@latest"], &[]).1
}

fn config(workspace: &Path) -> String {
    fs::read_to_string(workspace.join("fairnotice.toml")).unwrap()
}

#[test]
fn no_variable_of_an_outer_git_leads_to_another_repository() {
    let repository = repository("terms.md");
    let other = bare_start();
    put(other.path(), "terms.md", &policy("no day"), VERSIONS[0].0);
    let before = git(
        other.path(),
        &["log", "--all", "--format=%H"],
        VERSIONS[0].0,
    );
    let workspace = workspace();
    let from = repository.path().display().to_string();
    let foreign = other.path().join(".git").display().to_string();
    let outer = [
        ("GIT_DIR", foreign.as_str()),
        ("GIT_WORK_TREE", other.path().to_str().unwrap()),
        ("GIT_ICASE_PATHSPECS", "1"),
    ];
    let arguments = ["import", "git", &from, "terms.md", "--id", "p"];
    let (code, out, err) = run(workspace.path(), &arguments, &outer);
    assert_eq!(code, 0, "{out}{err}");
    assert!(latest(workspace.path()).contains("three euros"));
    let (code, out, err) = run(workspace.path(), &["export", "ota", "out"], &outer);
    assert_eq!(code, 0, "{out}{err}");
    assert!(workspace.path().join("out/.git").is_dir());
    assert_eq!(
        git(
            other.path(),
            &["log", "--all", "--format=%H"],
            VERSIONS[0].0
        ),
        before
    );
    assert_eq!(
        git(other.path(), &["status", "--porcelain"], VERSIONS[0].0),
        ""
    );
}

#[test]
fn a_merge_is_what_it_changed_on_the_main_line() {
    let folder = bare_start();
    let root = folder.path();
    put(root, "old.md", &policy("ten days"), "2024-01-01T00:00:00Z");
    git(root, &["checkout", "-q", "-b", "draft"], VERSIONS[0].0);
    put(
        root,
        "old.md",
        &policy("a draft of days"),
        "2024-02-01T00:00:00Z",
    );
    git(root, &["mv", "old.md", "new.md"], VERSIONS[0].0);
    commit(root, "2024-04-01T00:00:00Z");
    git(root, &["checkout", "-q", "main"], VERSIONS[0].0);
    let live = policy("ten days").replace("30 days", "14 days");
    put(root, "old.md", &live, "2024-03-01T00:00:00Z");
    let date = "2024-05-01T00:00:00Z";
    git(root, &["merge", "-q", "--no-ff", "-m", "m", "draft"], date);
    let workspace = workspace();
    let report = imported(workspace.path(), root, "new.md");
    assert_eq!(report["imported"][0]["read"], 3, "{report}");
    assert_eq!(report["imported"][0]["until"], date);
    let latest = latest(workspace.path());
    assert!(
        latest.contains("a draft of days") && latest.contains("14 days"),
        "{latest}"
    );
    let (_, march, _) = run(workspace.path(), &["show", "p@2024-04-15"], &[]);
    assert!(
        march.contains("ten days") && march.contains("14 days"),
        "{march}"
    );
}

#[test]
fn a_versions_file_that_only_a_merge_added_is_imported() {
    let folder = bare_start();
    let root = folder.path();
    put(root, "README.md", "x", "2024-01-01T00:00:00Z");
    git(root, &["checkout", "-q", "-b", "side"], VERSIONS[0].0);
    put(root, "other.md", "x", "2024-01-02T00:00:00Z");
    git(root, &["checkout", "-q", "main"], VERSIONS[0].0);
    git(
        root,
        &["merge", "-q", "--no-ff", "--no-commit", "side"],
        VERSIONS[0].0,
    );
    fs::create_dir(root.join("Kelp")).unwrap();
    fs::write(root.join("Kelp/Terms.md"), policy("ten days")).unwrap();
    commit(root, "2024-02-01T00:00:00Z");
    let workspace = workspace();
    let from = root.display().to_string();
    let report = json(
        workspace.path(),
        &["import", "ota", "--versions", &from],
        true,
    );
    assert_eq!(report["imported"][0]["stored"], 1, "{report}");
}

#[test]
fn a_history_that_cannot_be_listed_refuses_everything() {
    let repository = repository("Kelp/Terms.md");
    let at = VERSIONS[0].0;
    let tree = git(repository.path(), &["rev-parse", "HEAD~1^{tree}"], at);
    let (start, rest) = tree.trim().split_at(2);
    fs::remove_file(
        repository
            .path()
            .join(".git/objects")
            .join(start)
            .join(rest),
    )
    .unwrap();
    let workspace = workspace();
    let before = config(workspace.path());
    let from = repository.path().display().to_string();
    let (code, out, err) = run(
        workspace.path(),
        &["import", "ota", "--versions", &from],
        &[],
    );
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(config(workspace.path()), before);
}

#[test]
fn the_history_of_a_copy_begins_with_the_copy() {
    let folder = bare_start();
    let root = folder.path();
    for (month, words) in [(1, "one day"), (2, "two days"), (3, "three days")] {
        put(
            root,
            "us.md",
            &policy(words),
            &format!("2024-0{month}-01T00:00:00Z"),
        );
    }
    put(root, "eu.md", &policy("four days"), "2024-04-01T00:00:00Z");
    let workspace = workspace();
    let report = imported(workspace.path(), root, "eu.md");
    assert_eq!(report["imported"][0]["read"], 1, "{report}");
    assert_eq!(report["imported"][0]["from"], "2024-04-01T00:00:00Z");
}

#[test]
fn what_a_user_set_for_his_terminal_changes_no_history() {
    let plain = repository("legal/terms.md");
    let settings = tempfile::tempdir().unwrap();
    let file = settings.path().join("gitconfig");
    fs::write(
        &file,
        "[log]\nshowRoot = false\nfollow = true\nshowSignature = true\ndiffMerges = combined\n\
         [diff]\nrenames = false\nrenameLimit = 1\norderFile = /nowhere\nrelative = true\n\
         [color]\nui = always\n[core]\nquotePath = true\n",
    )
    .unwrap();
    let workspace = workspace();
    let from = plain.path().display().to_string();
    let arguments = [
        "import",
        "git",
        &from,
        "legal/terms.md",
        "--id",
        "p",
        "--format",
        "json",
    ];
    let (code, out, err) = run(
        workspace.path(),
        &arguments,
        &[("GIT_CONFIG_GLOBAL", file.to_str().unwrap())],
    );
    assert_eq!(code, 0, "{out}{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["imported"][0]["read"], 3, "{report}");
}

#[test]
fn a_path_is_one_file_word_for_word() {
    let folder = bare_start();
    let root = folder.path();
    put(
        root,
        "legal/terms [ab].md",
        &policy("ten days"),
        "2024-01-01T00:00:00Z",
    );
    put(
        root,
        "legal/terms a.md",
        &policy("other days"),
        "2024-02-01T00:00:00Z",
    );
    put(
        root,
        "legal/terms [ab].md",
        &policy("two days"),
        "2024-03-01T00:00:00Z",
    );
    let workspace = workspace();
    let before = config(workspace.path());
    let from = root.display().to_string();
    for (path, said) in [
        ("legal", "a folder"),
        (".", "topmost folder"),
        ("legal/*.md", "no version"),
    ] {
        let (code, out, err) = run(
            workspace.path(),
            &["import", "git", &from, path, "--id", "p"],
            &[],
        );
        assert_eq!(code, 1, "{path}: {out}{err}");
        assert!(err.contains(said), "{path}: {err}");
    }
    assert_eq!(config(workspace.path()), before);
    let whole = root.join("legal/terms a.md").display().to_string();
    let (code, out, err) = run(
        workspace.path(),
        &["import", "git", &from, &whole, "--id", "whole"],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 versions read"), "{out}");
    // From a folder within the repository too, and written in a roundabout way.
    let report = imported(workspace.path(), &root.join("legal"), "./terms [ab].md");
    assert_eq!(report["imported"][0]["read"], 2, "{report}");
    assert!(latest(workspace.path()).contains("two days"));
}

#[test]
fn a_wrong_clock_is_told_and_moves_one_version_only() {
    let folder = bare_start();
    let root = folder.path();
    put(root, "p.md", &policy("one day"), "2024-01-01T00:00:00Z");
    put(root, "p.md", &policy("two days"), "2040-01-01T00:00:00Z");
    put(root, "p.md", &policy("three days"), "2024-03-01T00:00:00Z");
    let workspace = workspace();
    let report = imported(workspace.path(), root, "p.md");
    assert_eq!(
        report["imported"][0]["until"], "2024-03-01T00:00:00Z",
        "{report}"
    );
    assert_eq!(report["imported"][0]["redated"], 1);
    // What comes later is not older than what was stored.
    put(root, "p.md", &policy("four days"), "2025-01-01T00:00:00Z");
    let from = root.display().to_string();
    let (code, out, err) = run(
        workspace.path(),
        &["import", "git", &from, "p.md", "--id", "p"],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("1 texts stored") && out.contains("dates: 1 version(s)"),
        "{out}"
    );
}

#[test]
fn bytes_that_are_missing_are_one_version_less() {
    let folder = bare_start();
    let root = folder.path();
    for day in 1..=4 {
        put(
            root,
            "p.md",
            &policy(&format!("{day} days")),
            &format!("2024-01-0{day}T00:00:00Z"),
        );
    }
    let blob = git(root, &["rev-parse", "HEAD~1:p.md"], VERSIONS[0].0);
    let third = git(root, &["rev-parse", "HEAD~1"], VERSIONS[0].0);
    let second = git(root, &["rev-parse", "HEAD~2:p.md"], VERSIONS[0].0);
    let object = |hash: &str| {
        let (start, rest) = hash.trim().split_at(2);
        root.join(".git/objects").join(start).join(rest)
    };
    fs::remove_file(object(&blob)).unwrap();
    // One is gone, one is cut short.
    let bytes = fs::read(object(&second)).unwrap();
    fs::remove_file(object(&second)).unwrap();
    fs::write(object(&second), &bytes[..bytes.len() / 2]).unwrap();
    let workspace = workspace();
    let from = root.display().to_string();
    let arguments = [
        "import", "git", &from, "p.md", "--id", "p", "--format", "json",
    ];
    let (code, out, err) = run(workspace.path(), &arguments, &[]);
    assert_eq!(code, 3, "{out}{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let done = &report["imported"][0];
    assert_eq!(
        (&done["read"], &done["stored"]),
        (&4.into(), &2.into()),
        "{report}"
    );
    let lines: Vec<&str> = done["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{report}");
    for part in [third.trim(), "p.md", "2024-01-03", "missing"] {
        assert!(lines[1].contains(part), "{part}: {lines:?}");
    }
    assert!(latest(workspace.path()).contains("4 days"));
    // What is wanted no more is missed no more.
    let (code, out, err) = run(workspace.path(), &arguments, &[]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_rename_that_missing_bytes_hide_is_told() {
    let folder = bare_start();
    let root = folder.path();
    put(root, "old.md", &policy("ten days"), "2024-01-01T00:00:00Z");
    git(root, &["mv", "old.md", "p.md"], VERSIONS[0].0);
    put(root, "p.md", &policy("two days"), "2024-02-01T00:00:00Z");
    let (objects, at) = (root.join(".git/objects"), VERSIONS[0].0);
    let lose = |what: &str| {
        let hash = git(root, &["rev-parse", what], at);
        let (start, rest) = hash.trim().split_at(2);
        fs::remove_file(objects.join(start).join(rest)).unwrap();
    };
    lose("HEAD~1:old.md");
    let workspace = workspace();
    let from = root.display().to_string();
    let (code, _, err) = run(
        workspace.path(),
        &["import", "git", &from, "p.md", "--id", "p"],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("earlier names may be left out"), "{err}");
    // Where nothing is left to be read, all of it failed.
    lose("HEAD:p.md");
    let (code, out, _) = run(
        workspace.path(),
        &["import", "git", &from, "p.md", "--id", "q"],
        &[],
    );
    assert_eq!(code, 1, "{out}");
}

#[test]
fn a_document_that_is_there_gets_its_history_and_keeps_its_declaration() {
    let repository = repository("terms.md");
    let workspace = workspace();
    let root = workspace.path();
    fs::write(root.join("x.md"), policy("ten days")).unwrap();
    assert_eq!(run(root, &["add", "x.md", "--id", "p", "--yes"], &[]).0, 0);
    let before = config(root);
    let from = repository.path().display().to_string();
    let arguments = ["import", "git", &from, "terms.md", "--id", "p"];
    for more in [&["--owner"][..], &["--source", "https://kelp.example/p"]] {
        let (code, _, err) = run(root, &[&arguments, more].concat(), &[]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("tracked already"), "{err}");
    }
    let (code, out, err) = run(root, &arguments, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("p is tracked already; its history is added"),
        "{out}"
    );
    assert!(!out.contains("skipped"), "{out}");
    assert_eq!(config(root), before);
}

#[test]
fn a_shallow_clone_is_told_and_a_bare_one_needs_a_source() {
    let repository = repository("Kelp/Terms.md");
    let clones = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    let at = VERSIONS[0].0;
    git(
        clones.path(),
        &["clone", "-q", "--depth", "1", &url, "shallow"],
        at,
    );
    git(
        clones.path(),
        &["clone", "-q", "--bare", &url, "bare.git"],
        at,
    );
    let workspace = workspace();
    let root = workspace.path();
    let from = clones.path().join("shallow").display().to_string();
    let (code, _, err) = run(
        root,
        &["import", "git", &from, "Kelp/Terms.md", "--id", "s"],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("fetch --unshallow"), "{err}");
    let before = config(root);
    let from = clones.path().join("bare.git").display().to_string();
    let arguments = ["import", "git", &from, "Kelp/Terms.md", "--id", "b"];
    let (code, _, err) = run(root, &arguments, &[]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("bare") && err.contains("--source"), "{err}");
    assert_eq!(config(root), before);
    let more = ["--source", "https://kelp.example/b"];
    let (code, out, err) = run(root, &[&arguments[..], &more].concat(), &[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("3 versions read"), "{out}");
    let (code, _, err) = run(root, &["import", "ota", "--versions", &from], &[]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("bare") && err.contains("--declarations"),
        "{err}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_is_no_policy() {
    let folder = bare_start();
    let root = folder.path();
    std::os::unix::fs::symlink("terms.md", root.join("link.md")).unwrap();
    put(
        root,
        "terms.md",
        &policy("ten days"),
        "2024-01-01T00:00:00Z",
    );
    let workspace = workspace();
    let from = root.display().to_string();
    let arguments = ["import", "git", &from, "link.md", "--id", "p"];
    let (code, _, err) = run(workspace.path(), &arguments, &[]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("a symbolic link"), "{err}");
}

/// A repository with the same file under two names, titled as said, one title a year from 2021.
fn titled(titles: &[&str]) -> TempDir {
    let folder = bare_start();
    for (year, title) in (2021..).zip(titles) {
        let text = policy(&format!("{year} days")).replace("Lantern Terms", title);
        fs::write(folder.path().join("a.md"), &text).unwrap();
        let date = format!("{year}-01-01T00:00:00Z");
        put(
            folder.path(),
            "b.md",
            &text.replace("logs", "records"),
            &date,
        );
    }
    folder
}

#[test]
fn a_document_goes_out_as_one_file_whatever_its_titles_were() {
    let repository = titled(&["Kelp Policy", "Kelp Notice", "Kelp Privacy"]);
    let workspace = workspace();
    let root = workspace.path();
    imported(root, repository.path(), "a.md");
    let mut text = config(root);
    text = text.replacen(
        "[organisation]\n",
        "[organisation]\nservice = \"Kelpland\"\n",
        1,
    );
    fs::write(root.join("fairnotice.toml"), text).unwrap();
    json(root, &["export", "ota", "out"], true);
    let out = root.join("out");
    let at = VERSIONS[0].0;
    assert_eq!(git(&out, &["ls-files"], at), "Kelpland/Kelp Privacy.md\n");
    let log = git(
        &out,
        &["log", "--format=%cI", "--", "Kelpland/Kelp Privacy.md"],
        at,
    );
    assert_eq!(log.lines().count(), 3, "{log}");
}

#[test]
fn an_export_that_is_refused_writes_nothing() {
    let repository = titled(&["Kelp Policy"]);
    let workspace = workspace();
    let root = workspace.path();
    let from = repository.path().display().to_string();
    for id in ["a", "b"] {
        json(
            root,
            &["import", "git", &from, &format!("{id}.md"), "--id", id],
            false,
        );
    }
    let (code, _, err) = run(root, &["export", "ota", "out"], &[]);
    assert_eq!(code, 1, "{err}");
    for part in ["`a` and `b`", "Kelp Policy.md", "--id"] {
        assert!(err.contains(part), "{part}: {err}");
    }
    assert!(!root.join("out").exists());
    assert_ne!(
        run(root, &["export", "ota", "out", "--id", "nope"], &[]).0,
        0
    );
    assert!(!root.join("out").exists());
    let (_, _, err) = run(
        root,
        &["export", "ota", "fairnotice.toml/out", "--id", "a"],
        &[],
    );
    assert!(err.contains("cannot write"), "{err}");
    // One by one they go, into an empty folder too.
    fs::create_dir(root.join("out")).unwrap();
    json(root, &["export", "ota", "out", "--id", "a"], false);
}

/// A workspace that commits its snapshots, with one document that is a file.
fn committing() -> TempDir {
    let folder = workspace();
    let root = folder.path();
    let text = config(root) + "\n[snapshots]\ngit = true\n";
    fs::write(root.join("fairnotice.toml"), text).unwrap();
    fs::write(root.join("x.md"), policy("ten days")).unwrap();
    assert_eq!(run(root, &["add", "x.md", "--id", "x", "--yes"], &[]).0, 0);
    let at = VERSIONS[0].0;
    git(root, &["init", "-q", "-b", "main"], at);
    git(root, &["config", "user.name", "Ada"], at);
    git(root, &["config", "user.email", "ada@kelp.example"], at);
    folder
}

fn subjects(root: &Path) -> String {
    git(root, &["log", "--format=%s"], VERSIONS[0].0)
}

#[cfg(unix)]
#[test]
fn a_commit_that_fails_is_told_at_every_run_until_it_works() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = committing();
    let root = workspace.path();
    let hook = root.join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    for _ in 0..2 {
        let (code, _, err) = run(root, &["check", "--quiet"], &[]);
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("not committed: git commit"), "{err}");
    }
    let (code, out, _) = run(root, &["check", "--format", "json"], &[]);
    assert_eq!(code, 3);
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert!(printed["not_committed"].is_string(), "{printed}");
    fs::remove_file(&hook).unwrap();
    let (code, _, err) = run(root, &["check", "--quiet"], &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(subjects(root), "x: snapshots\n");
}

#[test]
fn snapshots_that_git_ignores_or_cannot_hold_are_told() {
    let workspace = committing();
    let root = workspace.path();
    let ignore = |lines: &str| fs::write(root.join(".gitignore"), lines).unwrap();
    ignore("snapshots\n");
    let (code, _, err) = run(root, &["check", "--quiet"], &[]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("told to ignore snapshots/"), "{err}");
    // Who does without the bytes still has the texts.
    ignore("*.gz\n");
    let (code, _, err) = run(root, &["check"], &[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 file(s) of fetched bytes"), "{err}");
    assert_eq!(subjects(root), "x: snapshots\n");
    fs::remove_dir_all(root.join(".git")).unwrap();
    let nowhere = [(
        "GIT_CEILING_DIRECTORIES",
        root.parent().unwrap().to_str().unwrap(),
    )];
    let (code, _, err) = run(root, &["check", "--quiet"], &nowhere);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("not committed"), "{err}");
}

#[test]
fn snapshots_are_committed_where_they_are_whatever_git_runs_outside() {
    let workspace = committing();
    let root = workspace.path();
    let other = repository("terms.md");
    let before = subjects(other.path());
    let foreign = other.path().join(".git").display().to_string();
    let outer = [
        ("GIT_DIR", foreign.as_str()),
        ("GIT_INDEX_FILE", "/nowhere/index"),
    ];
    let (code, _, err) = run(root, &["check", "--quiet"], &outer);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(subjects(root), "x: first seen\n");
    assert_eq!(subjects(other.path()), before);
}

#[test]
fn an_import_is_one_commit_and_what_is_pruned_another() {
    let workspace = committing();
    let root = workspace.path();
    let past = repository("terms.md");
    imported(root, past.path(), "terms.md");
    let line = "p: 3 versions imported, 2024-01-10 to 2025-02-01\n";
    assert_eq!(subjects(root), line);
    assert_eq!(run(root, &["prune", "--raw", "30"], &[]).0, 0);
    assert_eq!(subjects(root), format!("p: 2 raw files pruned\n{line}"));
    let versions = titled(&["Kelp Policy"]);
    let at = VERSIONS[0].0;
    fs::create_dir(versions.path().join("Kelp")).unwrap();
    git(versions.path(), &["mv", "a.md", "b.md", "Kelp"], at);
    commit(versions.path(), "2022-01-01T00:00:00Z");
    let from = versions.path().display().to_string();
    json(root, &["import", "ota", "--versions", &from], true);
    let all = subjects(root);
    assert_eq!(
        all.lines().next(),
        Some("2 documents: histories imported"),
        "{all}"
    );
    assert_eq!(all.lines().count(), 3, "{all}");
    let status = git(root, &["status", "--porcelain", "--", "snapshots"], at);
    assert_eq!(status, "");
}
