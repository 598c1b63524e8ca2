//! `fairnotice notice`, through the binary: from a change to an approved notice.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its workspace has failed"
)]

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::Value;

const OLD: &str = "\
# Brackwater Privacy Policy

Effective date: 1 March 2025

## 1. What we collect

We collect your name, your e-mail address and the tide tables that you save.

## 2. How long we keep it

We delete your saved tables 30 days after you close your account.

## 3. Who receives it

We do not share your personal data with advertisers. Our hosting partner stores it for us.

## 4. Changes of this policy

If we make material changes to this policy, we will notify you by email at least 30 days before they take effect.
";

const CONFIG: &str = r#"
[organisation]
name = "Brackwater Tides"

[notice]
languages = ["en", "zh"]

[[document]]
id = "privacy"
source = "privacy.md"
side = "owner"
title = "Privacy Policy"
"#;

pub(super) const COMPLETE: &[&str] = &[
    "reason=We pay for the free plan with advertising from spring on.",
    "contact=Our privacy officer answers at privacy@brackwater.example.",
    "choices=You can turn this off in the settings, or close your account, before that day.",
    "old_data=no",
    "new_url=https://brackwater.example/privacy",
    "old_url=https://brackwater.example/privacy/2025",
    "redline_url=https://brackwater.example/privacy/compare",
];

pub(super) fn fairnotice(root: &Path, now: &str, args: &[&str]) -> std::process::Output {
    Command::cargo_bin("fairnotice")
        .unwrap()
        .arg("-C")
        .arg(root)
        .args(["--now", now])
        .args(args)
        .output()
        .unwrap()
}

pub(super) fn out(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A workspace whose own policy changed, with the notices drafted for it.
fn changed() -> tempfile::TempDir {
    approvable("notify you by email")
}

/// The same, with another promise of how people are told.
pub(super) fn approvable(promise: &str) -> tempfile::TempDir {
    let old = OLD.replace("notify you by email", promise);
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("fairnotice.toml"), CONFIG).unwrap();
    let policy = root.path().join("privacy.md");
    fs::write(&policy, &old).unwrap();
    let first = fairnotice(root.path(), "2026-12-01T09:00:00Z", &["check"]);
    assert!(first.status.success(), "{}", err(&first));
    let new = old
        .replace("1 March 2025", "1 March 2027")
        .replace("30 days after you close", "five years after you close")
        .replace(
            "We do not share your personal data with advertisers.",
            "We may share your personal data with advertisers and sell it to data brokers.",
        );
    fs::write(&policy, new).unwrap();
    let second = fairnotice(root.path(), NOW, &["check"]);
    assert!(second.status.success(), "{}", err(&second));
    root
}

pub(super) const NOW: &str = "2027-01-04T09:00:00Z";

pub(super) fn notices(root: &Path) -> Vec<Value> {
    let listed = fairnotice(root, NOW, &["notice", "list", "--format", "json"]);
    assert!(listed.status.success(), "{}", err(&listed));
    let json: Value = serde_json::from_str(&out(&listed)).unwrap();
    assert_eq!(json["schema"], "fairnotice/notices/1");
    json["notices"].as_array().unwrap().clone()
}

fn of_channel(root: &Path, channel: &str) -> Value {
    notices(root)
        .into_iter()
        .find(|notice| notice["channel"] == channel)
        .unwrap_or_else(|| panic!("no {channel} notice"))
}

fn id(notice: &Value) -> String {
    notice["id"].as_str().unwrap().to_owned()
}

fn unmet(notice: &Value) -> Vec<String> {
    notice["unmet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_change_becomes_an_approved_mail() {
    let root = changed();
    let root = root.path();
    let email = of_channel(root, "email");
    let name = id(&email);
    assert_eq!(email["state"], "drafted");
    assert_eq!(email["effective"], "2027-03-01");
    assert!(
        unmet(&email).contains(&"reason-given".to_owned()),
        "{email}"
    );

    // What is missing stops it, by name, and nothing is invented.
    let refused = fairnotice(root, NOW, &["notice", "approve", &name, "--by", "Ada"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("reason-given"), "{}", err(&refused));

    let mut set = vec!["notice", "set", name.as_str()];
    set.extend(COMPLETE);
    let done = fairnotice(root, NOW, &set);
    assert!(done.status.success(), "{}", err(&done));
    let email = of_channel(root, "email");
    assert_eq!(
        unmet(&email),
        Vec::<String>::new(),
        "{}",
        out(&fairnotice(root, NOW, &["notice", "check", &name]))
    );

    let approved = fairnotice(
        root,
        NOW,
        &[
            "notice", "approve", &name, "--by", "Ada", "--format", "json",
        ],
    );
    assert!(approved.status.success(), "{}", err(&approved));
    let email = of_channel(root, "email");
    assert_eq!(email["state"], "approved");
    assert_eq!(email["approved_by"][0], "Ada");

    let text = out(&fairnotice(
        root,
        NOW,
        &["notice", "show", &name, "--part", "text"],
    ));
    assert!(text.contains("1 March 2027"));
    assert!(text.contains("We pay for the free plan with advertising"));
    assert!(
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("“We do not share your personal data with advertisers."),
        "{text}"
    );
    let chinese = out(&fairnotice(
        root,
        NOW,
        &[
            "notice",
            "show",
            &name,
            "--part",
            "subject",
            "--language",
            "zh",
        ],
    ));
    assert!(chinese.contains("2027年3月1日"), "{chinese}");
}

#[test]
fn an_edit_is_kept_and_fells_the_approval() {
    let root = changed();
    let root = root.path();
    let name = id(&of_channel(root, "email"));
    let mut set = vec!["notice", "set", name.as_str()];
    set.extend(COMPLETE);
    assert!(fairnotice(root, NOW, &set).status.success());
    assert!(
        fairnotice(root, NOW, &["notice", "approve", &name, "--by", "Ada"])
            .status
            .success()
    );

    let text = out(&fairnotice(
        root,
        NOW,
        &["notice", "show", &name, "--part", "text"],
    ));
    let file = root.join("edited.txt");
    fs::write(&file, text.replace("WHAT CHANGES", "WHAT IS NEW")).unwrap();
    let file = file.to_str().unwrap();
    let edited = fairnotice(
        root,
        NOW,
        &["notice", "edit", &name, "--file", file, "--by", "Eva"],
    );
    assert!(edited.status.success(), "{}", err(&edited));
    assert!(out(&edited).contains("Ada"), "{}", out(&edited));
    assert_eq!(of_channel(root, "email")["state"], "drafted");

    // The templates write anew, and the edit stays.
    let again = fairnotice(root, NOW, &["notice", "set", &name, "reason.zh=新的理由。"]);
    assert!(again.status.success(), "{}", err(&again));
    let text = out(&fairnotice(
        root,
        NOW,
        &["notice", "show", &name, "--part", "text"],
    ));
    assert!(text.contains("WHAT IS NEW"));

    // An edit that bends a quote is found.
    fs::write(
        root.join("edited.txt"),
        text.replace("“We do not share", "“We never share"),
    )
    .unwrap();
    assert!(
        fairnotice(
            root,
            NOW,
            &["notice", "edit", &name, "--file", file, "--by", "Eva"]
        )
        .status
        .success()
    );
    let found = unmet(&of_channel(root, "email"));
    assert!(found.contains(&"quotes-exact".to_owned()), "{found:?}");
    let overruled = fairnotice(
        root,
        NOW,
        &[
            "notice",
            "approve",
            &name,
            "--by",
            "Ada",
            "--overrule",
            "quotes-exact=a test",
            "--overrule",
            "material-listed=a test",
            "--overrule",
            "durable=a test",
        ],
    );
    assert!(overruled.status.success(), "{}", err(&overruled));
}

#[test]
fn what_is_not_mailed_is_put_up_and_the_mail_is_not() {
    let root = changed();
    let root = root.path();
    let page = id(&of_channel(root, "announcement"));
    let mail = id(&of_channel(root, "email"));
    let publish = |name: &str| {
        fairnotice(
            root,
            NOW,
            &[
                "notice",
                "publish",
                name,
                "--at",
                "the front page",
                "--from",
                NOW,
            ],
        )
    };
    let early = publish(&page);
    assert_eq!(early.status.code(), Some(1));
    assert!(err(&early).contains("not approved"), "{}", err(&early));
    let mut set = vec!["notice", "set", page.as_str()];
    set.extend(COMPLETE);
    assert!(fairnotice(root, NOW, &set).status.success());
    let approved = fairnotice(root, NOW, &["notice", "approve", &page, "--by", "Ada"]);
    assert!(approved.status.success(), "{}", err(&approved));
    let up = publish(&page);
    assert!(up.status.success(), "{}", err(&up));
    assert_eq!(of_channel(root, "announcement")["state"], "published");
    assert!(
        err(&publish(&mail)).contains("campaign"),
        "{}",
        err(&publish(&mail))
    );
    // Nothing stands there, so nothing is recorded.
    let nowhere = fairnotice(
        root,
        NOW,
        &[
            "notice",
            "publish",
            &page,
            "--at",
            "http://127.0.0.1:9/x",
            "--from",
            NOW,
        ],
    );
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(err(&nowhere).contains("proves"), "{}", err(&nowhere));
}

#[test]
fn a_correction_names_the_first_notice() {
    let root = changed();
    let root = root.path();
    let name = id(&of_channel(root, "email"));
    let corrected = fairnotice(
        root,
        NOW,
        &[
            "notice",
            "correct",
            &name,
            "--what",
            "The first mail named the wrong day.",
            "--sent",
            "2027-01-02",
        ],
    );
    assert!(corrected.status.success(), "{}", err(&corrected));
    let text = out(&fairnotice(
        root,
        NOW,
        &[
            "notice",
            "show",
            &format!("{name}-correction"),
            "--part",
            "text",
        ],
    ));
    assert!(text.contains("corrects the notice"), "{text}");
    assert!(text.contains("2 January 2027"), "{text}");
    let twice = fairnotice(root, NOW, &["notice", "correct", &name, "--what", "Again."]);
    assert_eq!(twice.status.code(), Some(1));
}

#[test]
fn mistakes_are_explained() {
    let root = changed();
    let root = root.path();
    let name = id(&of_channel(root, "email"));
    for (args, code, words) in [
        (vec!["notice", "show", "nothing"], 2, "there is no notice"),
        (vec!["notice", "set", &name, "resaon=x"], 2, "reason"),
        (
            vec!["notice", "set", &name, "effective=soon"],
            2,
            "2027-03-01",
        ),
        (vec!["notice", "set", &name, "reason"], 2, "FIELD=VALUE"),
        (vec!["notice", "approve", &name, "--by", " "], 1, "name"),
        (
            vec![
                "notice",
                "show",
                &name,
                "--part",
                "text",
                "--language",
                "fr",
            ],
            2,
            "it has en, zh",
        ),
        (
            vec!["notice", "edit", &name, "--file", "/nowhere", "--by", "Eva"],
            1,
            "cannot read",
        ),
    ] {
        let output = fairnotice(root, NOW, &args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?} {}",
            err(&output)
        );
        assert!(err(&output).contains(words), "{args:?} {}", err(&output));
    }
}

#[test]
fn a_workspace_overrides_templates_file_by_file() {
    let root = changed();
    let root = root.path();
    let ejected = fairnotice(
        root,
        NOW,
        &["notice", "template", "eject", "email/en/subject.txt"],
    );
    assert!(ejected.status.success(), "{}", err(&ejected));
    let file = root.join("templates/email/en/subject.txt");
    fs::write(
        &file,
        "{{ company.name }} has changed {{ document.title }}, from {{ effective.long }}\n",
    )
    .unwrap();
    let name = id(&of_channel(root, "email"));
    let set = fairnotice(root, NOW, &["notice", "set", &name, "old_data=yes"]);
    assert!(set.status.success(), "{}", err(&set));
    let subject = out(&fairnotice(
        root,
        NOW,
        &["notice", "show", &name, "--part", "subject"],
    ));
    assert_eq!(
        subject,
        "Brackwater Tides has changed Privacy Policy, from 1 March 2027\n"
    );
    let list = out(&fairnotice(root, NOW, &["notice", "template", "list"]));
    assert!(list.contains("email/en/subject.txt  workspace"), "{list}");

    // A second copy does not write over the changed file.
    let again = fairnotice(root, NOW, &["notice", "template", "eject", "email/en"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(fs::read_to_string(&file).unwrap().contains("has changed"));

    fs::write(&file, "{{ company.nmae }}\n").unwrap();
    let wrong = fairnotice(root, NOW, &["notice", "set", &name, "old_data=no"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        err(&wrong).contains("templates/email/en/subject.txt:1"),
        "{}",
        err(&wrong)
    );
    fs::write(&file, "{% if %}\n").unwrap();
    let wrong = fairnotice(root, NOW, &["notice", "template", "check"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("subject.txt:1"), "{}", err(&wrong));
}
