//! `kill -9` at random moments of `check`, then `check` again: every alert that is due arrives, and
//! none twice but those that a server had taken when the run was killed before it could record
//! that.
//!
//! `FAIRNOTICE_ALERT_KILLS=200 cargo test --release --test it alerts_kill:: -- --nocapture` is the
//! big run; `FAIRNOTICE_ALERT_SEED` chooses other moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::{Duration, Instant},
};

use super::{
    bench::{Answer, Bench, Server},
    sink::{Script, Sink},
};

const DOCUMENTS: usize = 4;

fn number(name: &str, otherwise: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how big the run is")]
    let text = std::env::var(name);
    text.ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }
}

fn text(document: usize, round: u32) -> String {
    let retention = if round == 0 {
        "We delete your data 30 days after you close your account.".to_owned()
    } else {
        // Never nearly the same number as in the round before: that would be no finding.
        let years = 1 + round * 7 % 13;
        format!(
            "We keep your data for {years} years after you close your account, mark{round}x{document}."
        )
    };
    format!(
        "# Brook {document} Privacy Policy\n\n## 1. Data\n\nWe collect your name and your e-mail address.\n\n\
         ## 2. Retention\n\n{retention}\n"
    )
}

struct Place {
    bench: Bench,
    server: Server,
    sink: Sink,
}

impl Place {
    fn new() -> Self {
        let (server, sink) = (Server::start(), Sink::start(Script::default()));
        server.answer("/hook", Answer::status(204));
        let mut configuration = format!(
            "[organisation]\nname = \"Brook\"\n\
             [mail]\nsmtp = \"{}\"\nfrom = \"watch@brook.example\"\n\
             [alerts.hook]\nkind = \"webhook\"\nto = [\"{}\"]\nat_least = \"editorial\"\n\
             [alerts.mail]\nkind = \"email\"\nto = [\"legal@brook.example\"]\nat_least = \"editorial\"\n",
            sink.url(),
            server.url("/hook")
        );
        for document in 0..DOCUMENTS {
            configuration +=
                &format!("[[document]]\nid = \"d{document}\"\nsource = \"d{document}.md\"\n");
        }
        let bench = Bench::with(&configuration);
        let place = Self {
            bench,
            server,
            sink,
        };
        place.put(0);
        place.bench.run_at(&now(0, 0), &["check"]).exits(0);
        place
    }

    fn put(&self, round: u32) {
        for document in 0..DOCUMENTS {
            self.bench
                .write(&format!("d{document}.md"), text(document, round));
        }
    }

    /// Alerts that the journal says are due, and those that it says went out, by name of alert.
    fn journal(&self) -> (BTreeMap<String, String>, BTreeSet<String>) {
        let (mut due, mut done) = (BTreeMap::new(), BTreeSet::new());
        for line in self.bench.read(".fairnotice/journal.jsonl").lines() {
            // A line that a kill has cut was never acknowledged.
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            let event = &line["entry"]["event"];
            let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            match event["type"].as_str() {
                Some("alert-due") => {
                    due.insert(word("id"), word("alert"));
                }
                Some("alert-done") => {
                    done.insert(word("id"));
                }
                _ => {}
            }
        }
        (due, done)
    }

    /// The mails that were taken: Message-ID and text, soft line ends undone.
    fn mails(&self) -> Vec<(String, String)> {
        self.sink
            .seen()
            .iter()
            .map(|mail| {
                let text = String::from_utf8_lossy(&mail.content).replace("=\r\n", "");
                (mail.message_id(), text)
            })
            .collect()
    }

    /// How often each alert was taken by the webhook's server.
    fn hooked(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for asked in self.server.asked("/hook") {
            *times
                .entry(asked.headers["idempotency-key"].clone())
                .or_default() += 1;
        }
        times
    }
}

/// Each run has its own instant, as in life.
fn now(round: u32, run: u32) -> String {
    let start: jiff::Timestamp = "2027-01-01T03:00:00Z".parse().unwrap();
    let hours = i64::from(round) * 24 + i64::from(run);
    (start + jiff::SignedDuration::from_hours(hours)).to_string()
}

#[test]
fn killed_at_any_moment_every_alert_arrives_and_none_twice_but_in_the_instant_of_acceptance() {
    let kills = number("FAIRNOTICE_ALERT_KILLS", 24);
    let place = Place::new();
    let seed = number("FAIRNOTICE_ALERT_SEED", 1);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d ^ u64::from(seed) << 20);
    let (mut done, mut round) = (0, 0);
    // Messages that a server had taken when the run was killed, without a record of it.
    let (mut window, mut mail_windows) = (BTreeSet::new(), 0usize);
    let mut whole = Duration::from_millis(400);
    while done < kills {
        round += 1;
        place.put(round);
        let lives = 1 + dice.roll(3) as u32;
        for life in 0..lives.min(kills - done) {
            let mails_before = place.mails().len();
            let mut run = place
                .bench
                .command(&["check"])
                .env("FAIRNOTICE_NOW", now(round, life))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_micros(dice.roll(whole.as_micros() as u64)));
            let ended = run.try_wait().unwrap().is_some();
            run.kill().unwrap();
            run.wait().unwrap();
            place.server.settle();
            place.sink.settle();
            done += 1;
            let (_, recorded) = place.journal();
            let taken = place.hooked();
            window.extend(taken.into_keys().filter(|id| !recorded.contains(id)));
            if !ended && place.mails().len() > mails_before {
                mail_windows += 1;
            }
        }
        let began = Instant::now();
        place.bench.run_at(&now(round, lives), &["check"]).exits(0);
        if round == 1 {
            whole = began.elapsed().max(Duration::from_millis(20));
        }
    }
    place.bench.run_at(&now(round + 1, 0), &["check"]).exits(0);

    let changes = round as usize * DOCUMENTS;
    let (due, recorded) = place.journal();
    let named = |name: &str| due.values().filter(|alert| *alert == name).count();
    assert_eq!(
        (named("hook"), named("mail")),
        (changes, changes),
        "one alert for each change"
    );
    assert!(due.keys().all(|id| recorded.contains(id)), "nothing waits");

    let hooked = place.hooked();
    assert_eq!(hooked.len(), changes, "each change reached the webhook");
    let twice: Vec<&String> = hooked
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|(id, _)| id)
        .collect();
    assert!(
        twice.iter().all(|id| window.contains(*id)),
        "{twice:?} were recorded and sent again"
    );

    // Mails: each change stands in one message; a message that came twice has one Message-ID.
    let mails = place.mails();
    let distinct: BTreeMap<&String, &String> = mails.iter().map(|(id, text)| (id, text)).collect();
    for round in 1..=round {
        for document in 0..DOCUMENTS {
            let mark = format!("mark{round}x{document}.");
            let holding = distinct
                .values()
                .filter(|text| text.contains(&mark))
                .count();
            assert!(holding >= 1, "{mark} is in no mail");
        }
    }
    let copies = mails.len() - distinct.len();
    assert!(
        copies <= mail_windows,
        "{copies} copies for {mail_windows} instants"
    );
    println!(
        "alerts kill harness: {done} kills over {changes} changes, 0 lost; webhook: {} sent again, all of them \
         taken but not recorded when the run was killed; mail: {copies} sent again with the same Message-ID",
        twice.len()
    );
}
