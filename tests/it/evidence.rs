//! Evidence through the binary: a bundle proves true, and no tampering goes unnamed.

use std::{
    io::{Cursor, Read as _, Write as _},
    path::Path,
};

use super::{
    campaign::{Place, people},
    sink::{Script, Sink},
};

fn sent() -> (Place, String) {
    let sink = Sink::start(Script {
        pipelining: true,
        rcpt: vec![("p2@", "550 5.1.1 no such user")],
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(12), &[]);
    place.send(&id, &sink, &[], 3);
    (place, id)
}

fn export(place: &Place, id: &str) -> Vec<u8> {
    place.json(&["evidence", "export", id, "--output", "proof.zip"], 0);
    std::fs::read(place.folder.path().join("proof.zip")).unwrap()
}

/// The bundle with one file changed (or removed).
fn with(bundle: &[u8], name: &str, change: impl Fn(String) -> Option<String>) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let path = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let text = if path == name {
            change(text)
        } else {
            Some(text)
        };
        if let Some(text) = text {
            out.start_file(path, zip::write::SimpleFileOptions::default())
                .unwrap();
            out.write_all(text.as_bytes()).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

#[track_caller]
fn refused(place: &Place, bundle: &[u8], words: &str) {
    std::fs::write(place.folder.path().join("bad.zip"), bundle).unwrap();
    let found = place.json(&["evidence", "verify", "bad.zip"], 1);
    let problems = found["problems"].to_string();
    assert!(problems.contains(words), "{words}: {problems}");
}

#[test]
fn a_bundle_proves_true_and_names_what_was_tampered_with() {
    let (place, id) = sent();
    let bundle = export(&place, &id);
    let found = place.json(&["evidence", "verify", "proof.zip"], 0);
    assert_eq!(found["true"], true);
    let mut zip = zip::ZipArchive::new(Cursor::new(&bundle)).unwrap();
    for at in 0..zip.len() {
        let mut text = String::new();
        zip.by_index(at).unwrap().read_to_string(&mut text).unwrap();
        assert!(
            !text.contains("p2@") && !text.contains("Person 2"),
            "people are not named"
        );
        assert!(!text.contains("delivered to"), "the words are exact");
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let join = |lines: Vec<String>| Some(lines.join("\n") + "\n");
    let ledger = "ledger.jsonl";
    refused(
        &place,
        &with(&bundle, ledger, |t| {
            Some(t.replacen("no such user", "a such user", 1))
        }),
        "was altered",
    );
    refused(
        &place,
        &with(&bundle, ledger, |t| {
            let mut l = lines(&t);
            l.remove(6);
            join(l)
        }),
        "entry 6 is missing",
    );
    refused(
        &place,
        &with(&bundle, ledger, |t| {
            let mut l = lines(&t);
            l.swap(6, 7);
            join(l)
        }),
        "out of order",
    );
    refused(
        &place,
        &with(&bundle, ledger, |t| {
            let mut l = lines(&t);
            l.truncate(10);
            join(l)
        }),
        "its end is not that of the manifest",
    );
    refused(
        &place,
        &with(&bundle, "texts.json", |t| {
            Some(t.replacen("1 March", "2 March", 1))
        }),
        "texts.json",
    );
    refused(
        &place,
        &with(&bundle, "summary.html", |t| Some(t.replacen("12", "13", 1))),
        "summary.html",
    );
    refused(&place, &with(&bundle, "plan.json", |_| None), "is missing");
    refused(
        &place,
        &with(&bundle, "manifest.json", |t| {
            Some(t.replacen("\"accepted\": 11", "\"accepted\": 12", 1))
        }),
        "the numbers of the manifest",
    );
    refused(
        &place,
        &with(&bundle, "commitments.txt", |t| {
            let mut l = lines(&t);
            l.swap(0, 1);
            join(l)
        }),
        "the commitments are the frozen list",
    );
    std::fs::write(place.folder.path().join("bad.zip"), b"PK rubbish").unwrap();
    place.json(&["evidence", "verify", "bad.zip"], 1);
}

#[test]
fn a_tail_that_was_cut_is_found_by_the_head_kept_elsewhere() {
    let (place, id) = sent();
    let head = place.json(&["evidence", "head", &id, "--to", "the auditor"], 0);
    let head = head["head"].as_str().unwrap().to_owned();
    export(&place, &id);
    place.json(&["evidence", "verify", "proof.zip", "--head", &head], 0);
    // Somebody rewrites the ledger from its beginning, with everything that hangs on it.
    let path = place.state(&id).join("ledger.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let cut: String = text
        .lines()
        .take(9)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, cut).unwrap();
    export(&place, &id);
    place.json(&["evidence", "verify", "proof.zip"], 0);
    let found = place.json(&["evidence", "verify", "proof.zip", "--head", &head], 1);
    assert!(
        found["problems"]
            .to_string()
            .contains("known from elsewhere")
    );
}

#[test]
fn a_signature_is_made_and_demanded() {
    let (place, id) = sent();
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    place.write("key", &keys.sk.to_box(None).unwrap().to_string());
    let public = keys.pk.to_base64();
    place.json(
        &[
            "evidence",
            "export",
            &id,
            "--output",
            "proof.zip",
            "--key",
            "key",
        ],
        0,
    );
    place.json(
        &["evidence", "verify", "proof.zip", "--public-key", &public],
        0,
    );
    let other = minisign::KeyPair::generate_unencrypted_keypair()
        .unwrap()
        .pk
        .to_base64();
    place.json(
        &["evidence", "verify", "proof.zip", "--public-key", &other],
        1,
    );
    place.json(&["evidence", "export", &id, "--output", "plain.zip"], 0);
    place.json(
        &["evidence", "verify", "plain.zip", "--public-key", &public],
        1,
    );
}

#[test]
fn a_person_can_be_shown_and_can_be_erased() {
    let (place, id) = sent();
    let opened = place.run(&["evidence", "open", &id, "u5"]);
    std::fs::write(place.folder.path().join("opened.json"), &opened.stdout).unwrap();
    export(&place, &id);
    let found = place.json(
        &["evidence", "verify", "proof.zip", "--opened", "opened.json"],
        0,
    );
    assert!(found["proven"].to_string().contains("p5@example0.org"));
    let wrong = String::from_utf8(opened.stdout)
        .unwrap()
        .replace("p5@", "p6@");
    place.write("wrong.json", &wrong);
    place.json(
        &["evidence", "verify", "proof.zip", "--opened", "wrong.json"],
        1,
    );
    let erased = place.json(&["recipients", "erase", "p5@example0.org"], 0);
    assert_eq!(erased["campaigns"][0], id.as_str());
    for file in std::fs::read_dir(place.state(&id)).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("p5@example0"));
    }
    export(&place, &id);
    place.json(&["evidence", "verify", "proof.zip"], 0);
    place.json(&["evidence", "open", &id, "u5"], 1);
    assert!(Path::new(&place.state(&id)).join("erased.jsonl").exists());
}

#[test]
fn returned_mail_is_matched_once_and_suppresses() {
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(4), &["--bounce-address", "bounce@mail.example"]);
    place.send(&id, &sink, &[], 0);
    let seen = sink.seen();
    let one = seen.iter().find(|seen| seen.to.starts_with("p1@")).unwrap();
    assert!(one.from.starts_with("bounce+"));
    let report = |to: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nTo: {to}\nSubject: Undelivered\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nSorry.\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
         Final-Recipient: rfc822; p1@example1.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 <p1@example1.org> unknown\n\n--b--\n"
        )
    };
    let forged = one.from.replace("-1-", "-2-");
    place.write("mbox", &format!("From x\n{}\nFrom x\n{}\nFrom x\nFrom: a@example.org\nSubject: Out of office\n\nAway.\n", report(&one.from), report(&forged)));
    let found = place.json(&["bounces", "mbox"], 0);
    assert_eq!(
        (
            found["hard"].as_u64(),
            found["unmatched"].as_u64(),
            found["auto_replies"].as_u64()
        ),
        (Some(1), Some(1), Some(1)),
        "{found}"
    );
    let again = place.json(&["bounces", "mbox"], 0);
    assert_eq!(
        (again["hard"].as_u64(), again["known"].as_u64()),
        (Some(0), Some(1))
    );
    let status = place.json(&["campaign", "status", &id], 0);
    assert_eq!(
        (status["accepted"].as_u64(), status["bounced"].as_u64()),
        (Some(4), Some(1))
    );
    let next = place.draft(&people(4), &[]);
    assert_eq!(
        (next["recipients"].as_u64(), next["other_channel"].as_u64()),
        (Some(3), Some(1))
    );
    let csv = place.run(&["recipients", "suppressed", "export"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(
        csv.contains("p1@example1.org") && !csv.contains("<p1@"),
        "{csv}"
    );
    // By the user id too, a person leaves no address behind.
    let erased = place.json(&["recipients", "erase", "u1"], 0);
    assert_eq!(
        (
            erased["campaigns"].as_array().map(Vec::len),
            &erased["suppressed"]
        ),
        (Some(1), &true.into()),
        "{erased}"
    );
    for file in ["suppressed.jsonl", "journal.jsonl"] {
        let text = std::fs::read_to_string(place.folder.path().join(".fairnotice").join(file));
        assert!(!text.unwrap_or_default().contains("p1@"), "{file}");
    }
}

#[test]
fn who_is_erased_before_the_turn_gets_nothing_and_the_numbers_add_up() {
    let sink = Sink::start(Script::default());
    let place = Place::new();
    let id = place.campaign(&people(4), &[]);
    place.json(&["recipients", "erase", "u2"], 0);
    // One person was not served, which a script must see.
    let sent = place.send(&id, &sink, &[], 3);
    assert_eq!(
        ["accepted", "refused", "pending"].map(|name| sent[name].as_u64()),
        [Some(3), Some(1), Some(0)],
        "{sent}"
    );
    assert!(sink.seen().iter().all(|seen| !seen.to.starts_with("p2@")));
    assert_eq!(
        place.json(&["campaign", "status", &id], 0)["state"],
        "finished"
    );
    export(&place, &id);
    place.json(&["evidence", "verify", "proof.zip"], 0);
}
