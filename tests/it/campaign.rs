//! Campaigns through the binary, against a scripted mail server.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use fairnotice::notice::{Approval, Channel, FORMAT, Notice, State, Text, Versions};
use serde_json::Value;

use super::sink::{Script, Sink};

/// A workspace with an approved notice.
pub struct Place {
    pub folder: tempfile::TempDir,
}

pub fn notice() -> Notice {
    let text = |greeting: &str| Text {
        subject: Some("Our terms change on 1 March 2027".to_owned()),
        text: format!(
            "{greeting} {{{{ recipient.name | default(\"reader\") }}}},\n\nSection 4 changes.\n.\n.dots\n"
        ),
        html: Some(format!(
            "<!doctype html><html lang=\"en\"><title>Terms</title><p>{greeting} {{{{ recipient.name | default(\"reader\") }}}}</p></html>"
        )),
    };
    let mut notice = Notice {
        format: FORMAT,
        id: "terms-email".to_owned(),
        document: "terms".to_owned(),
        document_title: "Terms".to_owned(),
        company: "Example Rooms".to_owned(),
        versions: Versions::default(),
        channel: Channel::Email,
        state: State::Approved,
        texts: BTreeMap::from([
            ("en".to_owned(), text("Dear")),
            ("de".to_owned(), text("Liebe")),
        ]),
        authentic: None,
        fallback: "en".to_owned(),
        attachments: Vec::new(),
        effective: None,
        send_by: None,
        fields: BTreeMap::new(),
        findings: Vec::new(),
        duties: Vec::new(),
        consent_needed: false,
        checks: Vec::new(),
        edits: Vec::new(),
        approvals: Vec::new(),
        publications: Vec::new(),
        corrects: None,
        created: "2027-01-01T00:00:00Z".parse().unwrap(),
    };
    approve(&mut notice);
    notice
}

pub fn approve(notice: &mut Notice) {
    notice.approvals = vec![Approval {
        by: "ann".to_owned(),
        at: notice.created,
        hash: notice.hash(),
    }];
}

impl Place {
    pub fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        place.write("notice.json", &serde_json::to_string(&notice()).unwrap());
        place
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        // Another build of the program, such as the optimised one for the big runs.
        let other = std::env::var_os("FAIRNOTICE_PROGRAM");
        let program = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_fairnotice").into());
        let mut command = Command::new(program);
        command
            .arg("-C")
            .arg(self.folder.path())
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("FAIRNOTICE_NOW");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let output = self.run(&all);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{all:?}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if output.stdout.is_empty() {
            return serde_json::from_slice(&output.stderr).unwrap_or_default();
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A campaign to this list, approved.
    pub fn campaign(&self, list: &str, more: &[&str]) -> String {
        let id = self.draft(list, more)["id"].as_str().unwrap().to_owned();
        self.json(&["campaign", "approve", &id, "--by", "bea"], 0);
        id
    }

    pub fn draft(&self, list: &str, more: &[&str]) -> Value {
        self.write("list.csv", list);
        self.create(&["notice.json"], more, 0)
    }

    /// A campaign of these notices to the people of `list.csv`.
    pub fn create(&self, notices: &[&str], more: &[&str], code: i32) -> Value {
        let sender = "Example Rooms <notices@mail.example>";
        let mut arguments = vec!["campaign", "create"];
        arguments.extend(notices);
        arguments.extend(["--recipients", "list.csv", "--from", sender]);
        arguments.extend(more);
        self.json(&arguments, code)
    }

    pub fn send(&self, id: &str, sink: &Sink, more: &[&str], code: i32) -> Value {
        let url = sink.url();
        let mut arguments = vec!["campaign", "send", id, "--smtp", &url, "--yes"];
        arguments.extend(more);
        self.json(&arguments, code)
    }

    pub fn state(&self, id: &str) -> PathBuf {
        self.folder.path().join(".fairnotice/campaigns").join(id)
    }
}

pub fn people(count: u32) -> String {
    let mut list = "email,name,user_id\n".to_owned();
    for n in 0..count {
        list += &format!("p{n}@example{}.org,Person {n},u{n}\n", n % 5);
    }
    list
}

#[track_caller]
fn numbers(value: &Value, expected: [u64; 5]) {
    let found = ["pending", "deferred", "accepted", "refused", "uncertain"]
        .map(|name| value[name].as_u64().unwrap());
    assert_eq!(found, expected, "{value}");
    assert_eq!(
        found.iter().sum::<u64>(),
        value["recipients"].as_u64().unwrap()
    );
}

#[test]
fn everybody_gets_one_mail_with_and_without_pipelining() {
    for pipelining in [true, false] {
        let sink = Sink::start(Script {
            pipelining,
            ..Script::default()
        });
        let place = Place::new();
        let id = place.campaign(&people(120), &[]);
        let sent = place.send(&id, &sink, &["--connections", "4"], 0);
        numbers(&sent, [0, 0, 120, 0, 0]);
        assert_eq!(sent["state"], "finished");
        assert_eq!(sent["schema"], "fairnotice/delivery/1");
        let taken = sink.taken();
        assert!(taken.len() == 120 && taken.values().all(|n| *n == 1));
        for seen in sink.seen() {
            let text = String::from_utf8(seen.content.clone()).unwrap();
            assert!(text.contains(&format!("<{}>", seen.to)));
            assert!(seen.from.starts_with("notices+c-") && seen.from.ends_with("@mail.example"));
            let parsed = mail_parser::MessageParser::default()
                .parse(&seen.content)
                .unwrap();
            let body = parsed.body_text(0).unwrap().replace("\r\n", "\n");
            assert!(body.ends_with("Section 4 changes.\n.\n.dots\n"), "{body}");
        }
        // Again: nothing is left to do.
        numbers(&place.send(&id, &sink, &[], 0), [0, 0, 120, 0, 0]);
        assert_eq!(sink.count(), 120);
    }
}

#[test]
fn each_unusable_line_is_reported_and_the_same_person_written_to_once() {
    let place = Place::new();
    let list = "email,name,user_id,locale\n\
                ann@example.org,Ann,1,en\n\
                nobody,X,2,\n\
                ann@example.com,Ann again,1,\n\
                \"eve@example.org\r\nBcc: all@example.org\",Eve,3,\n\
                bob@example.org,\"Bob\nBcc: x@example.org\",4,\n\
                zoe@b\u{fc}cher.example,\u{5e9}\u{5dc}\u{5d5}\u{5dd},5,de-AT\n\
                short@example.org\n";
    let created = place.draft(list, &[]);
    assert_eq!(created["recipients"], 2);
    let rejected: Vec<u64> = created["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["line"].as_u64().unwrap())
        .collect();
    assert_eq!(rejected, [3, 4, 5, 7, 10], "{created}");
    let id = created["id"].as_str().unwrap();
    let shown = place.json(&["campaign", "preview", id, "5"], 0);
    let message = shown["messages"][0]["message"].as_str().unwrap();
    assert!(message.contains("<zoe@xn--bcher-kva.example>") && message.contains("Liebe"));
    assert_eq!(shown["messages"][0]["language"], "de");
}

#[test]
fn a_broken_list_makes_no_campaign() {
    let place = Place::new();
    for list in [
        "",
        "name\nx\n",
        "email,name\na@example.org,A\nb@exam",
        "email,name\na@example.org,\"A\nb@example.org,B\n",
        "email\nnobody\n",
        "email,name\n",
    ] {
        place.write("list.csv", list);
        let error = place.create(&["notice.json"], &[], 1);
        assert_eq!(error["code"], "recipients", "{error}");
    }
    let all = place.json(&["campaign", "status"], 0);
    assert_eq!(all["campaigns"].as_array().unwrap().len(), 0);
}

#[test]
fn nothing_is_sent_without_approval_and_confirmation() {
    let sink = Sink::start(Script::default());
    let place = Place::new();
    let id = place.draft(&people(3), &[])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let error = place.send(&id, &sink, &[], 1);
    assert_eq!(error["code"], "state");
    place.json(&["campaign", "approve", &id, "--by", "bea"], 0);
    let error = place.json(&["campaign", "send", &id, "--smtp", &sink.url()], 2);
    assert_eq!(error["code"], "not-confirmed");
    // Any change voids the approval.
    place.json(
        &[
            "campaign",
            "reschedule",
            &id,
            "--latest",
            "2999-01-01T00:00:00Z",
            "--by",
            "bea",
        ],
        0,
    );
    assert_eq!(place.send(&id, &sink, &[], 1)["code"], "state");
    place.json(&["campaign", "approve", &id, "--by", "bea"], 0);
    for file in ["list.jsonl", "texts.json", "campaign.json"] {
        let path = place.state(&id).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let altered = text
            .replacen("Person 1", "Person 7", 1)
            .replacen("1 March", "2 March", 1)
            .replacen("mail.example", "mail.exemple", 1);
        std::fs::write(&path, altered).unwrap();
        let error = place.send(&id, &sink, &[], 1);
        assert_eq!(error["code"], "altered", "{file}: {error}");
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(sink.count(), 0);
    numbers(&place.send(&id, &sink, &[], 0), [0, 0, 3, 0, 0]);
}

#[test]
fn a_notice_must_be_approved_as_it_is() {
    let place = Place::new();
    let mut notice = notice();
    notice.texts.get_mut("en").unwrap().text += "One word more.";
    place.write("notice.json", &serde_json::to_string(&notice).unwrap());
    place.write("list.csv", &people(1));
    let error = place.create(&["notice.json"], &[], 1);
    assert_eq!(error["code"], "notice");
}

#[test]
fn refusals_are_final_and_greylisting_is_not() {
    let sink = Sink::start(Script {
        pipelining: true,
        greylist: true,
        rcpt: vec![("p3@", "550 5.1.1 <p3@example3.org> user unknown")],
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(10), &[]);
    let sent = place.send(&id, &sink, &["--retry", "1"], 3);
    numbers(&sent, [0, 0, 9, 1, 0]);
    assert!(sink.taken().values().all(|n| *n == 1));
    let list = place.json(&["campaign", "status", &id, "--list", "refused"], 0);
    assert_eq!(list["people"][0]["email"], "p3@example3.org");
    let ledger = std::fs::read_to_string(place.state(&id).join("ledger.jsonl")).unwrap();
    assert!(!ledger.contains("p3@") && ledger.contains("user unknown"));
}

#[test]
fn a_lost_answer_is_uncertain_and_settled_by_the_relays_log() {
    for reconcile in [true, false] {
        let sink = Sink::start(Script {
            pipelining: true,
            drop_after_content: Some("p4@"),
            ..Script::default()
        });
        let place = Place::new();
        let id = place.campaign(&people(8), &[]);
        let sent = place.send(&id, &sink, &["--connections", "1"], 3);
        numbers(&sent, [0, 0, 7, 0, 1]);
        assert_eq!(sent["ever_uncertain"], 1);
        let uncertain = place.json(&["campaign", "status", &id, "--list", "uncertain"], 0);
        assert_eq!(uncertain["people"][0]["n"], 4);
        let calm = Sink::start(Script::default());
        if reconcile {
            let log: String = sink
                .taken()
                .keys()
                .map(|id| format!("message-id=<{id}>\n"))
                .collect();
            place.write("mail.log", &log);
            let settled = place.json(&["campaign", "reconcile", &id, "--log", "mail.log"], 0);
            assert_eq!(settled["found"], 1);
            let sent = place.send(&id, &calm, &[], 0);
            numbers(&sent, [0, 0, 8, 0, 0]);
            assert_eq!(
                (calm.count(), sent["state"].as_str()),
                (0, Some("finished"))
            );
        } else {
            let sent = place.send(&id, &calm, &["--uncertain", "hold"], 3);
            numbers(&sent, [0, 0, 7, 0, 1]);
            let sent = place.send(&id, &calm, &[], 0);
            numbers(&sent, [0, 0, 8, 0, 0]);
            assert_eq!(
                calm.seen()[0].message_id(),
                sink.seen()
                    .iter()
                    .find(|s| s.to.starts_with("p4@"))
                    .unwrap()
                    .message_id()
            );
        }
    }
}

#[test]
fn servers_that_misbehave_lose_nobody() {
    for (script, code, expected) in [
        (
            Script {
                pipelining: true,
                per_connection: Some(3),
                ..Script::default()
            },
            0,
            [0, 0, 30, 0, 0],
        ),
        (
            Script {
                delay: Duration::from_millis(2),
                ..Script::default()
            },
            0,
            [0, 0, 30, 0, 0],
        ),
        (
            Script {
                content: Some("554 5.7.1 we do not like it"),
                ..Script::default()
            },
            1,
            [0, 0, 0, 30, 0],
        ),
    ] {
        let sink = Sink::start(script);
        let place = Place::new();
        let id = place.campaign(&people(30), &[]);
        let sent = place.send(
            &id,
            &sink,
            &[
                "--connections",
                "3",
                "--canary",
                "0",
                "--max-refused",
                "100",
            ],
            code,
        );
        numbers(&sent, expected);
        assert!(sink.taken().values().all(|n| *n == 1));
    }
}

#[test]
fn a_budget_that_is_used_up_pauses() {
    let sink = Sink::start(Script {
        pipelining: true,
        content: Some("554 5.7.1 we do not like it"),
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(200), &[]);
    let sent = place.send(&id, &sink, &[], 1);
    assert_eq!(sent["state"], "paused", "{sent}");
    assert!(sink.count() <= 20 + 16, "the canary goes first");
    assert_eq!(place.send(&id, &sink, &[], 1)["code"], "state");
    place.json(&["campaign", "resume", &id, "--by", "bea"], 0);
    let other = Sink::start(Script {
        mail: Some("553 sender not owned"),
        ..Script::default()
    });
    let sent = place.send(&id, &other, &[], 1);
    assert!(
        sent["why"].as_str().unwrap().contains("refuses the sender"),
        "{sent}"
    );
}

#[test]
fn a_server_that_hangs_or_is_not_there_is_said() {
    let sink = Sink::start(Script {
        hang: true,
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(3), &[]);
    for url in [sink.url(), "smtp://127.0.0.1:1".to_owned()] {
        let output = place.run(&[
            "campaign",
            "send",
            &id,
            "--smtp",
            &url,
            "--yes",
            "--reply-timeout",
            "1",
            "--patience",
            "0",
        ]);
        assert_eq!(output.status.code(), Some(1));
    }
    // TLS is demanded, and this server has none.
    let plain = Sink::start(Script::default());
    let url = format!("smtp://127.0.0.1:{}?tls=starttls", plain.port);
    let output = place.run(&["campaign", "send", &id, "--smtp", &url, "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("STARTTLS"));
    assert_eq!(plain.count(), 0);
    let status = place.json(&["campaign", "status", &id], 0);
    numbers(&status, [3, 0, 0, 0, 0]);
}

#[test]
fn smtputf8_is_needed_only_for_the_local_part() {
    let list = "email\n\u{7528}\u{6237}@example.org\nann@example.org\n";
    let place = Place::new();
    let id = place.campaign(list, &[]);
    let without = Sink::start(Script::default());
    numbers(&place.send(&id, &without, &[], 3), [0, 0, 1, 1, 0]);
    let id = place.campaign(list, &[]);
    let with = Sink::start(Script {
        utf8: true,
        pipelining: true,
        ..Script::default()
    });
    numbers(&place.send(&id, &with, &[], 0), [0, 0, 2, 0, 0]);
    let commands = with.commands();
    assert_eq!(
        commands.iter().filter(|c| c.contains("SMTPUTF8")).count(),
        1
    );
}

#[test]
fn the_schedule_is_checked_before_and_the_window_kept() {
    let place = Place::new();
    place.write("list.csv", &people(1000));
    let minutes = [
        "--latest",
        "2027-01-01T00:10:00Z",
        "--now",
        "2027-01-01T00:00:00Z",
    ];
    let error = place.create(
        &["notice.json"],
        &[&minutes[..], &["--rate", "1"]].concat(),
        1,
    );
    assert_eq!(error["code"], "too-slow", "{error}");
    let id = place.draft(&people(1000), &minutes)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    place.json(
        &[
            "campaign",
            "approve",
            &id,
            "--by",
            "bea",
            "--now",
            "2027-01-01T00:00:00Z",
        ],
        0,
    );
    let sink = Sink::start(Script {
        delay: Duration::from_millis(20),
        ..Script::default()
    });
    let late = place.send(
        &id,
        &sink,
        &["--now", "2027-01-01T00:09:59Z", "--connections", "2"],
        3,
    );
    assert_eq!(late["state"], "expired", "{late}");
    assert_eq!(
        late["accepted"].as_u64().unwrap(),
        sink.taken().len() as u64
    );
    assert_eq!(
        place.send(&id, &sink, &["--now", "2027-01-01T00:20:00Z"], 1)["code"],
        "state"
    );
}

#[test]
fn the_rate_is_kept_and_a_pause_works_at_once() {
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(5000), &["--rate", "200"]);
    let begin = std::time::Instant::now();
    let url = sink.url();
    let mut sender = place
        .command(&["campaign", "send", &id, "--smtp", &url, "--yes"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while sink.count() < 200 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!(
        seconds > 0.8,
        "200 messages at 200 a second took {seconds} s"
    );
    let paused = place.json(&["campaign", "pause", &id, "--by", "bea"], 0);
    assert_eq!(paused["state"], "paused");
    assert!(sender.wait().unwrap().code().is_some());
    let count = sink.count();
    assert_eq!(paused["accepted"].as_u64().unwrap(), count as u64);
    let cancelled = place.json(
        &[
            "campaign",
            "cancel",
            &id,
            "--by",
            "bea",
            "--reason",
            "wrong date",
        ],
        0,
    );
    assert_eq!(cancelled["state"], "cancelled");
}

#[test]
fn a_rehearsal_writes_files_for_their_owner_only() {
    let place = Place::new();
    let id = place.campaign(&people(50), &[]);
    let done = place.json(&["campaign", "send", &id, "--dry-run", "--sample", "10"], 0);
    let files = done["files"].as_array().unwrap();
    assert_eq!(files.len(), 10);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = Path::new(files[0].as_str().unwrap());
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_test_mail_is_marked() {
    let sink = Sink::start(Script::default());
    let place = Place::new();
    let id = place.campaign(&people(3), &[]);
    let output = place.run(&[
        "campaign",
        "test",
        &id,
        "--to",
        "me@example.net",
        "--smtp",
        &sink.url(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seen = sink.seen();
    assert_eq!(seen[0].to, "me@example.net");
    assert!(String::from_utf8_lossy(&seen[0].content).contains("X-Fairnotice-Test: yes"));
}
