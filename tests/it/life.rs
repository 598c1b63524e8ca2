//! A campaign's life in a configured workspace: several people and documents, other windows,
//! crashes in between, retention.

use fairnotice::notice::{Approval, Notice};

use super::{
    campaign::{Place, notice, people},
    sink::{Script, Sink},
};

fn write(place: &Place, file: &str, notice: &Notice) {
    place.write(file, &serde_json::to_string(notice).unwrap());
}

#[test]
fn two_people_must_approve_and_the_journal_tells_what_happened() {
    let place = Place::new();
    place.write(
        "fairnotice.toml",
        "[notice]\napprovals = 2\n[mail]\nkeep_lists_days = 30\n",
    );
    place.write("list.csv", &people(3));
    assert_eq!(place.create(&["notice.json"], &[], 1)["code"], "notice");
    let mut twice = notice();
    twice.approvals.push(Approval {
        by: "cy".to_owned(),
        ..twice.approvals[0].clone()
    });
    write(&place, "notice.json", &twice);
    let id = place.create(&["notice.json"], &[], 0)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let sink = Sink::start(Script::default());
    let approved = place.json(&["campaign", "approve", &id, "--by", "bea"], 0);
    assert_eq!(approved["state"], "draft");
    place.json(&["campaign", "approve", &id, "--by", " Bea "], 1);
    assert_eq!(place.send(&id, &sink, &[], 1)["code"], "state");
    let approved = place.json(&["campaign", "approve", &id, "--by", "dan"], 0);
    assert_eq!(approved["state"], "approved");
    place.send(&id, &sink, &[], 0);
    let journal = place.folder.path().join(".fairnotice/journal.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap();
    let said: Vec<&str> = ["created", "approved", "finished"]
        .into_iter()
        .filter(|action| {
            journal.lines().any(|line| {
                line.contains(&format!("\"action\":\"{action}\""))
                    && line.contains(&id)
                    && line.contains("terms-email")
            })
        })
        .collect();
    assert_eq!(said, ["created", "approved", "finished"], "{journal}");
    // Retention: the configured days after the end the people are gone, and the proof stays.
    let none = place.json(&["prune"], 0);
    assert_eq!(none["campaigns"].as_array().unwrap().len(), 0);
    let later = ["prune", "--now", "2099-01-01T00:00:00Z"];
    assert_eq!(place.json(&later, 0)["campaigns"][0], id.as_str());
    assert_eq!(
        place.json(&later, 0)["campaigns"].as_array().unwrap().len(),
        0
    );
    let list = std::fs::read_to_string(place.state(&id).join("list.jsonl")).unwrap();
    assert!(!list.contains("example"), "{list}");
    place.json(&["evidence", "export", &id, "--output", "proof.zip"], 0);
    place.json(&["evidence", "verify", "proof.zip"], 0);
    place.write("fairnotice.toml", "");
    assert_eq!(place.json(&["prune"], 2)["code"], "no-retention");
}

#[test]
fn a_crash_while_a_window_changes_leaves_a_campaign_that_goes_on() {
    let place = Place::new();
    let id = place.campaign(&people(3), &[]);
    let path = place.state(&id).join("campaign.json");
    let before = std::fs::read(&path).unwrap();
    let change = [
        "campaign",
        "reschedule",
        &id,
        "--latest",
        "2999-01-01T00:00:00Z",
        "--by",
        "bea",
    ];
    place.json(&change, 0);
    let after = std::fs::read(&path).unwrap();
    // As if the machine had stopped between the ledger and the file.
    std::fs::write(&path, &before).unwrap();
    let next = place.state(&id).join("campaign.next.json");
    std::fs::write(&next, &after).unwrap();
    let status = place.json(&["campaign", "approve", &id, "--by", "bea"], 0);
    assert_eq!(status["window"]["latest"], "2999-01-01T00:00:00Z");
    assert_eq!(std::fs::read(&path).unwrap(), after);
    // As if it had stopped before the ledger: what was approved holds.
    std::fs::write(&next, &before).unwrap();
    let sink = Sink::start(Script::default());
    place.send(&id, &sink, &[], 0);
}

#[test]
fn documents_that_change_together_make_one_mail() {
    let place = Place::new();
    let mut other = notice();
    (other.id, other.document, other.document_title) = (
        "privacy-email".to_owned(),
        "privacy".to_owned(),
        "Privacy Policy".to_owned(),
    );
    for text in other.texts.values_mut() {
        text.text = text.text.replace("Section 4 changes", "Section 9 changes");
    }
    super::campaign::approve(&mut other);
    write(&place, "other.json", &other);
    place.write("list.csv", &people(2));
    let id = place.create(&["notice.json", "other.json"], &[], 1);
    // There are no words for German: such a mail is not made half.
    assert!(id["message"].as_str().unwrap().contains("de"), "{id}");
    let mut first = notice();
    for notice in [&mut first, &mut other] {
        notice.texts.remove("de");
        super::campaign::approve(notice);
    }
    write(&place, "notice.json", &first);
    write(&place, "other.json", &other);
    let id = place.create(&["notice.json", "other.json"], &[], 0)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    place.json(&["campaign", "approve", &id, "--by", "bea"], 0);
    let sink = Sink::start(Script::default());
    place.send(&id, &sink, &[], 0);
    let seen = sink.seen();
    assert_eq!(seen.len(), 2);
    let mail = mail_parser::MessageParser::default()
        .parse(&seen[0].content)
        .unwrap();
    let text = mail.body_text(0).unwrap();
    assert!(
        text.contains("Section 4 changes") && text.contains("Section 9 changes"),
        "{text}"
    );
    let subject = mail.subject().unwrap();
    assert!(
        subject.contains("Terms") && subject.contains("Privacy"),
        "{subject}"
    );
}

#[test]
fn a_correction_is_a_campaign_of_its_own_and_its_window_is_kept() {
    let place = Place::new();
    let id = place.campaign(&people(2), &[]);
    place.write("list.csv", &people(2));
    let more = [
        "--corrects",
        id.as_str(),
        "--earliest",
        "2998-01-01T00:00:00Z",
    ];
    let second = place.create(&["notice.json"], &more, 0)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let definition = std::fs::read_to_string(place.state(&second).join("campaign.json")).unwrap();
    assert!(
        definition.contains(&format!("\"corrects\": \"{id}\"")),
        "{definition}"
    );
    let status = place.json(&["campaign", "approve", &second, "--by", "bea"], 0);
    assert_eq!(status["state"], "scheduled");
    let sink = Sink::start(Script::default());
    assert_eq!(place.send(&second, &sink, &[], 1)["code"], "too-early");
}

#[test]
fn a_field_of_ten_megabytes_and_a_name_from_right_to_left() {
    let place = Place::new();
    let huge = "x".repeat(10 << 20);
    place.write(
        "list.csv",
        &format!("email,name\nann@example.org,{huge}\neve@example.org,\u{202e}Eve\nbob@example.org,\u{5e9}\u{5dc}\u{5d5}\u{5dd}\ncy@example.org,Cy\n"),
    );
    let created = place.create(&["notice.json"], &[], 0);
    assert_eq!(created["recipients"], 2, "{created}");
    let reason = created["rejected"][0]["reason"].as_str().unwrap();
    assert!(
        reason.len() < 200 && reason.contains("at most 4096"),
        "{reason}"
    );
    // A character that turns the text around could show another name than the one that is there.
    let reason = created["rejected"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("control character"), "{reason}");
    let id = created["id"].as_str().unwrap();
    let shown = place.json(&["campaign", "preview", id, "bob@example.org"], 0);
    let message = shown["messages"][0]["message"].as_str().unwrap();
    let mail = mail_parser::MessageParser::default()
        .parse(message.as_bytes())
        .unwrap();
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some("bob@example.org")
    );
    assert!(
        mail.body_text(0)
            .unwrap()
            .contains("\u{5e9}\u{5dc}\u{5d5}\u{5dd}")
    );
}

#[test]
fn a_domain_gets_no_more_than_it_is_allowed() {
    let place = Place::new();
    let id = place.campaign(&people(20), &["--domain-rate", "4"]);
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    // Five domains, four people each: the first goes at once, three wait a quarter of a second.
    let begin = std::time::Instant::now();
    place.send(&id, &sink, &[], 0);
    assert!(begin.elapsed().as_secs_f64() > 0.7);
    assert!(sink.taken().values().all(|n| *n == 1) && sink.count() == 20);
}
