//! `kill -9` at random moments, then `send` again: nobody is skipped, and nobody gets two but
//! those who were listed as uncertain. The server is another process where Postfix's smtp-sink is
//! not wanted: it is this test, and the sender is killed.
//!
//! `FAIRNOTICE_KILLS=200 FAIRNOTICE_KILL_RECIPIENTS=100000 cargo test --release --test it kill:: -- --nocapture`
//! is the big run.

use std::{collections::BTreeSet, process::Stdio, time::Duration};

use serde_json::Value;

use super::{
    campaign::{Place, people},
    sink::{Script, Sink},
};

fn number(name: &str, otherwise: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how big the run is")]
    let text = std::env::var(name);
    text.ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

const KILLS: u32 = 12;

/// Small numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

struct Outcome {
    kills: u32,
    lost: usize,
    doubled: usize,
    doubled_unlisted: usize,
    ever_uncertain: usize,
}

fn harness(reconcile: bool) -> Outcome {
    let kills = number("FAIRNOTICE_KILLS", KILLS);
    let recipients = number("FAIRNOTICE_KILL_RECIPIENTS", 3000);
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(recipients), &[]);
    let url = sink.url();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ u64::from(reconcile));
    let mut done = 0;
    while done < kills {
        // Each life sends about half its share of what is left, so that the list is not at its
        // end before the last kill, however late that comes.
        let left = u64::from(recipients).saturating_sub(sink.taken().len() as u64);
        let share = (left / (2 * u64::from(kills - done) + 2)).max(1);
        let mut arguments = vec!["campaign", "send", &id, "--smtp", &url, "--yes"];
        if reconcile {
            let log: String = sink.taken().keys().map(|id| format!("{id}\n")).collect();
            place.write("sink.log", &(log + "none@mail.example\n"));
            arguments.extend(["--uncertain", "reconcile", "--log", "sink.log"]);
        }
        let before = sink.count() as u64;
        let mut sender = place
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = before + 1 + dice.roll(2 * share);
        loop {
            if sender.try_wait().unwrap().is_some() || sink.count() as u64 >= until {
                break;
            }
            std::thread::sleep(Duration::from_micros(200 + dice.roll(800)));
        }
        if sender.try_wait().unwrap().is_some() {
            break;
        }
        // Any moment: also before the first message, and in the middle of a group.
        std::thread::sleep(Duration::from_micros(dice.roll(3000)));
        sender.kill().unwrap();
        sender.wait().unwrap();
        done += 1;
        sink.settle();
    }
    let mut arguments = vec![];
    if reconcile {
        let log: String = sink.taken().keys().map(|id| format!("{id}\n")).collect();
        place.write("sink.log", &(log + "none@mail.example\n"));
        arguments.extend(["--uncertain", "reconcile", "--log", "sink.log"]);
    }
    let sent = place.send(&id, &sink, &arguments, 0);
    assert_eq!(
        sent["accepted"].as_u64(),
        Some(u64::from(recipients)),
        "{sent}"
    );
    let taken = sink.taken();
    let listed = listed(&place, &id);
    let doubled: Vec<&String> = taken
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|(id, _)| id)
        .collect();
    Outcome {
        kills: done,
        lost: recipients as usize - taken.len(),
        doubled: doubled.len(),
        doubled_unlisted: doubled.iter().filter(|id| !listed.contains(**id)).count(),
        ever_uncertain: listed.len(),
    }
}

/// Message-IDs of those who were uncertain at some time, from the ledger alone.
fn listed(place: &Place, id: &str) -> BTreeSet<String> {
    let standing = fairnotice::store::read_ledger(&place.state(id).join("ledger.jsonl")).unwrap();
    let numbers = standing.replay.ever_uncertain();
    let key: [u8; 32] = std::fs::read(place.state(id).join("key"))
        .unwrap()
        .try_into()
        .unwrap();
    let ids = fairnotice::deliver::Identities::new(key, id, "mail.example");
    numbers.into_iter().map(|n| ids.message_id(n)).collect()
}

fn report(policy: &str, outcome: &Outcome) {
    println!(
        "kill harness, {policy}: {} kills, {} lost, {} doubled ({} of them not listed as uncertain), {} ever uncertain",
        outcome.kills,
        outcome.lost,
        outcome.doubled,
        outcome.doubled_unlisted,
        outcome.ever_uncertain
    );
}

#[test]
fn killed_and_resent_loses_nobody_and_doubles_only_the_uncertain() {
    let outcome = harness(false);
    report("resend", &outcome);
    assert_eq!((outcome.lost, outcome.doubled_unlisted), (0, 0));
    assert_eq!(outcome.kills, number("FAIRNOTICE_KILLS", KILLS));
}

#[test]
fn killed_and_reconciled_doubles_nobody() {
    let outcome = harness(true);
    report("reconcile", &outcome);
    assert_eq!((outcome.lost, outcome.doubled), (0, 0));
    assert_eq!(outcome.kills, number("FAIRNOTICE_KILLS", KILLS));
}

#[test]
fn the_ledger_survives_being_cut_anywhere() {
    let sink = Sink::start(Script {
        pipelining: true,
        ..Script::default()
    });
    let place = Place::new();
    let id = place.campaign(&people(6), &[]);
    place.send(&id, &sink, &[], 0);
    let path = place.state(&id).join("ledger.jsonl");
    let whole = std::fs::read(&path).unwrap();
    let mut dice = Dice(7);
    for _ in 0..6 {
        let cut = whole.len() - 1 - dice.roll(whole.len() as u64 / 2) as usize;
        std::fs::write(&path, &whole[..cut]).unwrap();
        let calm = Sink::start(Script::default());
        let sent: Value = place.send(&id, &calm, &[], 0);
        assert_eq!(sent["accepted"].as_u64(), Some(6), "{sent}");
        assert!(place.json(&["campaign", "status", &id], 0)["state"] == "finished");
    }
}
