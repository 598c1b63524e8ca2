//! Promises, law packs, the plan and the audit, through the binary.

use std::{fs, path::Path, path::PathBuf};

use assert_cmd::Command;
use serde_json::Value;

fn fairnotice(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("fairnotice")
        .unwrap()
        .args(arguments)
        .env_remove("FAIRNOTICE_NOW")
        .assert()
}

fn json(arguments: &[&str], code: i32) -> Value {
    let output = fairnotice(arguments).code(code).get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

/// The folder of real policies, where it is at hand.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FAIRNOTICE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = folder.join("policies").is_dir();
    if !found {
        println!("skipped: {} is not there", folder.display());
    }
    found.then_some(folder)
}

/// One promise of a real policy: line, trigger, timing, channels that must be among those found.
type Row = (usize, &'static str, &'static str, &'static [&'static str]);

const REAL: &[(&str, &[Row])] = &[
    (
        "tencent-music-privacy-policy.txt",
        &[(154, "new-purpose", "before", &["direct"])],
    ),
    (
        "tencent-privacy-policy.md",
        &[
            (
                26,
                "material-change",
                "before",
                &["website", "direct", "other"],
            ),
            (28, "any-change", "unspecified", &["posting"]),
            (112, "transfer", "unspecified", &["direct"]),
        ],
    ),
    (
        "unnamed-app-privacy-policy.txt",
        &[
            (39, "new-purpose", "before", &["direct"]),
            (66, "transfer", "unspecified", &["push", "website", "other"]),
            (
                87,
                "service-ends",
                "unspecified",
                &["push", "website", "other"],
            ),
            (93, "incident", "unspecified", &["push", "website", "other"]),
            (
                102,
                "rights-reduced",
                "before",
                &["website", "email", "other"],
            ),
        ],
    ),
    (
        "tencent-meeting-privacy-protection-guidelines.txt",
        &[
            (33, "new-purpose", "before", &["direct"]),
            (
                104,
                "new-purpose",
                "before",
                &["in-product", "website", "other"],
            ),
            (108, "new-purpose", "before", &["direct"]),
            (
                124,
                "service-ends",
                "unspecified",
                &["push", "website", "other"],
            ),
            (142, "incident", "after", &["push", "phone"]),
            (
                160,
                "transfer",
                "unspecified",
                &["push", "website", "other"],
            ),
            (278, "any-change", "at", &["other"]),
        ],
    ),
];

#[test]
fn the_promises_of_real_policies() {
    let Some(shared) = shared() else { return };
    let mut missed = Vec::new();
    let mut rows = 0;
    for (file, wanted) in REAL {
        let path = shared.join("policies").join(file);
        let found = json(&["duties", path.to_str().unwrap(), "--format", "json"], 0);
        for (line, trigger, timing, channels) in *wanted {
            rows += 1;
            let fits = found["duties"].as_array().unwrap().iter().any(|duty| {
                let lines = duty["lines"].as_array().unwrap();
                let (first, last) = (lines[0].as_u64().unwrap(), lines[1].as_u64().unwrap());
                let line = u64::try_from(*line).unwrap();
                first <= line
                    && line <= last
                    && duty["trigger"] == *trigger
                    && duty["timing"] == *timing
                    && channels.iter().all(|channel| {
                        duty["channels"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .any(|c| c == channel)
                    })
            });
            if !fits {
                missed.push(format!("{file}:{line} {trigger} {timing} {channels:?}"));
            }
        }
    }
    println!("{} of {rows} rows", rows - missed.len());
    assert!(
        missed.len() * 100 <= rows * 15,
        "{} of {rows} rows missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
    let warned = |file: &str, code: &str| {
        let path = shared.join("policies").join(file);
        json(&["duties", path.to_str().unwrap(), "--format", "json"], 0)["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|warning| warning["code"] == code)
    };
    assert!(warned("tencent-music-privacy-policy.txt", "clause-cut-off"));
    assert!(warned("tencent-privacy-policy.md", "conflict"));
    assert!(warned("tencent-privacy-policy.md", "incorporated-document"));
    assert!(warned("tencent-data-privacy-page.txt", "no-change-clause"));
}

#[test]
fn law_packs_are_listed_with_their_standing() {
    let all = json(&["law", "list", "--format", "json"], 0);
    assert_eq!(all["schema"], "fairnotice/law/1");
    assert!(all["entries"].as_array().unwrap().len() > 30);
    let text = fairnotice(&["law", "show", "eu-psd2-54"]).success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(
        text.contains("2 calendar months") && text.contains("not legal advice"),
        "{text}"
    );
    fairnotice(&["law", "show", "eu-nothing"]).code(2);
}

const OLD: &str = "# Larch Terms\n\n## 1. The service\n\nWe keep your notes. We do not share your notes with third parties. We delete your notes after 30 days.\n\n## 2. Changes to these terms\n\nWe may change these terms. If we make material changes, we will notify you by email at least 30 days before they take effect.\n";
const NEW: &str = "# Larch Terms\n\n## 1. The service\n\nWe keep your notes. We may share your notes with advertising partners. We delete your notes after 90 days.\n\n## 2. Changes to these terms\n\nWe may change these terms. If we make material changes, we will notify you by email at least 30 days before they take effect.\n";

/// A workspace in which the terms changed, first seen on 1 January 2027, changed on 5 January.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(
        root.join("fairnotice.toml"),
        "[organisation]\nname = \"Larch\"\n\n[notice]\ntime_zones = [\"UTC\"]\n\n[[document]]\nid = \"terms\"\nsource = \"terms.md\"\nside = \"owner\"\nkind = \"consumer-terms\"\njurisdictions = [\"eu\"]\n",
    )
    .unwrap();
    let root = root.to_str().unwrap().to_owned();
    fs::write(folder.path().join("terms.md"), OLD).unwrap();
    fairnotice(&["-C", &root, "--now", "2027-01-01T10:00:00Z", "check"]).success();
    fs::write(folder.path().join("terms.md"), NEW).unwrap();
    fairnotice(&["-C", &root, "--now", "2027-01-05T10:00:00Z", "check"]).success();
    folder
}

#[test]
fn a_plan_an_effective_date_and_an_audit() {
    let folder = workspace();
    let root = folder.path().to_str().unwrap();
    let base = ["-C", root, "--now", "2027-01-05T11:00:00Z"];
    let with = |more: &[&str]| -> Vec<String> {
        base.iter().chain(more).map(|s| (*s).to_owned()).collect()
    };
    let run = |more: &[&str], code: i32| {
        let arguments = with(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        json(&arguments, code)
    };
    let early = run(
        &[
            "plan",
            "terms",
            "--effective",
            "2027-01-20",
            "--exit-code",
            "--format",
            "json",
        ],
        30,
    );
    assert_eq!(early["too_early"], true);
    assert_eq!(early["earliest_effective"], "2027-02-05");
    let calendar = folder.path().join("deadlines.ics");
    let fine = run(
        &[
            "plan",
            "terms",
            "--effective",
            "2027-03-01",
            "--exit-code",
            "--format",
            "json",
            "--ical",
            calendar.to_str().unwrap(),
        ],
        20,
    );
    assert_eq!(fine["too_early"], false);
    assert_eq!(fine["send_by"], "2027-01-29T23:59:59Z");
    assert!(
        fine["channels"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c == "email")
    );
    assert!(
        fs::read_to_string(calendar)
            .unwrap()
            .contains("BEGIN:VEVENT")
    );

    run(
        &[
            "effective",
            "terms",
            "latest",
            "2027-03-01",
            "--by",
            "Ada",
            "--format",
            "json",
        ],
        0,
    );
    let kept = run(&["plan", "terms", "--format", "json"], 0);
    assert_eq!(kept["effective"], "2027-03-01");

    let audit = run(&["audit", "terms", "--format", "json"], 0);
    let states: Vec<&str> = audit["versions"][0]["duties"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|d| d["state"].as_str())
        .collect();
    assert!(states.contains(&"open"), "{audit}");
    let later = json(
        &[
            "-C",
            root,
            "--now",
            "2027-04-01T00:00:00Z",
            "audit",
            "terms",
            "--format",
            "json",
        ],
        0,
    );
    assert!(
        later["versions"][0]["duties"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["state"] == "broken"),
        "{later}"
    );
}

/// The plan and the audit as a person reads them.
#[test]
fn the_plan_and_the_audit_on_a_page() {
    let folder = workspace();
    let root = folder.path().to_str().unwrap();
    let page = |now: &str, more: &[&str]| {
        let mut arguments = vec!["-C", root, "--now", now];
        arguments.extend(more);
        let out = fairnotice(&arguments).success().get_output().stdout.clone();
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!(
        "plan",
        page(
            "2027-01-05T11:00:00Z",
            &["plan", "terms", "--effective", "2027-01-20"]
        )
    );
    insta::assert_snapshot!("audit", page("2027-04-01T00:00:00Z", &["audit", "terms"]));
}

/// Business days leave out the holidays of the configuration.
#[test]
fn business_days_know_the_holidays_of_the_configuration() {
    let send_by = |holidays: &str| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap().to_owned();
        let policy = |use_of_notes: &str| {
            format!(
                "# Larch Terms\n\n## 1. The service\n\nWe keep your notes. {use_of_notes}\n\n## 2. Changes to these terms\n\nIf we make material changes, we will notify you by email at least five business days before they take effect.\n"
            )
        };
        fs::write(
            folder.path().join("fairnotice.toml"),
            format!(
                "[organisation]\nname = \"Larch\"\n\n[notice]\ntime_zones = [\"UTC\"]\n{holidays}\n[[document]]\nid = \"terms\"\nsource = \"terms.md\"\nside = \"owner\"\nkind = \"consumer-terms\"\n"
            ),
        )
        .unwrap();
        let check = |now: &str| {
            fairnotice(&["-C", &root, "--now", now, "check"]).success();
        };
        let file = folder.path().join("terms.md");
        fs::write(
            &file,
            policy("We do not share your notes with third parties."),
        )
        .unwrap();
        check("2027-01-01T10:00:00Z");
        fs::write(
            &file,
            policy("We may share your notes with advertising partners."),
        )
        .unwrap();
        check("2027-01-05T10:00:00Z");
        let plan = json(
            &[
                "-C",
                &root,
                "--now",
                "2027-01-05T11:00:00Z",
                "plan",
                "terms",
                "--effective",
                "2027-03-15",
                "--format",
                "json",
            ],
            0,
        );
        plan["send_by"].as_str().unwrap().to_owned()
    };
    // Monday 15 March: the five business days before are 8 to 12 March.
    assert_eq!(send_by(""), "2027-03-07T23:59:59Z");
    // With the 8th and the 10th off they are 4, 5, 9, 11 and 12 March.
    assert_eq!(
        send_by("holidays = [\"2027-03-08\", \"2027-03-10\"]\n"),
        "2027-03-03T23:59:59Z"
    );
}
