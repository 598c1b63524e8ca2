//! A year of nights: what the pages show is made here, noise and all, and the alerts must be
//! exactly the real changes.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::bench::{Answer, Bench, Server};

const NIGHTS: i64 = 365;

/// Small numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn token(&mut self) -> String {
        format!("{:012x}", self.roll(1 << 47))
    }
}

/// A policy: headings and paragraphs, replaced as the year goes on.
#[derive(Clone)]
struct Policy {
    title: String,
    sections: Vec<(&'static str, Vec<String>)>,
}

fn policy(service: &str) -> Policy {
    let sections: [(&str, &[&str]); 7] = [
        (
            "Information we collect",
            &[
                "We collect your name, your e-mail address and your telephone number when you open an account with SERVICE.",
                "When you use SERVICE, we record the pages you open, the time of your visit and the type of your device.",
            ],
        ),
        (
            "How we use information",
            &[
                "We use your information to run SERVICE, to answer your questions and to keep your account secure.",
                "We do not use the content of your messages for advertising.",
            ],
        ),
        (
            "Sharing",
            &[
                "We will not share your personal data with third parties without your consent.",
                "Companies that host our servers process personal data on our behalf and under our instructions.",
            ],
        ),
        (
            "Retention",
            &[
                "We keep your account data for as long as your account is open and delete it 30 days after you close it.",
            ],
        ),
        (
            "Your rights",
            &[
                "You can ask us for a copy of your personal data, and ask us to correct or delete it, at any time and free of charge.",
                "Write to privacy@example.com; we answer within one month.",
            ],
        ),
        (
            "Children",
            &[
                "SERVICE is not directed to children under 13, and we do not knowingly collect their data.",
            ],
        ),
        (
            "Changes to this policy",
            &[
                "We will notify you by e-mail at least 30 days before a material change takes effect.",
            ],
        ),
    ];
    Policy {
        title: format!("{service} Privacy Policy"),
        sections: sections
            .iter()
            .map(|(title, texts)| {
                let texts = texts.iter().map(|t| t.replace("SERVICE", service));
                (*title, texts.collect())
            })
            .collect(),
    }
}

impl Policy {
    fn edit(&mut self, from: &str, to: &str) {
        let mut hits = 0;
        for text in self.sections.iter_mut().flat_map(|(_, texts)| texts) {
            if text.contains(from) {
                *text = text.replace(from, to);
                hits += 1;
            }
        }
        assert_eq!(hits, 1, "{from}");
    }

    /// The page of one night: the policy, and around it all that changes without meaning anything.
    fn page(&self, dice: &mut Dice, night: i64) -> String {
        let token = dice.token();
        let mut html = format!(
            "<!doctype html><html lang=\"en\"><head><title>{} | Help centre</title>\
             <meta name=\"csrf-token\" content=\"{token}\"><meta name=\"generated\" content=\"night {night}\">\
             <link rel=stylesheet href=\"/app.{}.css\"><script nonce=\"{}\">window.session='{}'</script>\
             </head><body class=\"theme-{}\">",
            self.title,
            dice.token(),
            dice.token(),
            dice.token(),
            dice.token(),
        );
        if dice.roll(4) == 0 {
            html += "<div id=\"cookie-banner\" role=\"dialog\"><p>We use cookies to make this site better.</p><button>Accept all</button></div>";
        }
        html += "<header><a href=\"/\">Home</a><nav><ul>";
        let menu = [
            "Pricing",
            "Blog",
            "Careers",
            "Support",
            "Winter sale",
            "What is new",
            "Partners",
        ];
        for _ in 0..5 {
            let entry = menu[dice.roll(menu.len() as u64) as usize];
            html += &format!(
                "<li><a href=\"/{}?s={}\">{entry}</a></li>",
                dice.roll(90),
                dice.token()
            );
        }
        html += &format!(
            "</ul></nav><form action=\"/search\"><input type=hidden name=_t value=\"{}\"><input name=q></form></header><main>",
            dice.token()
        );
        html += &format!(
            "<nav aria-label=\"breadcrumb\"><a href=\"/help?{token}\">Help</a> / <a href=\"/legal\">Legal</a></nav><h1>{}</h1>",
            self.title
        );
        // Another editor at work every other week: quotes, spaces and link targets, not words.
        let curly = (night / 11) % 2 == 1;
        for (number, (title, texts)) in self.sections.iter().enumerate() {
            html += &format!(
                "<h2 id=\"s-{}\">{}. {title}</h2>\n",
                dice.roll(1000),
                number + 1
            );
            for text in texts {
                let text = text.replace(
                    "privacy@example.com",
                    &format!(
                        "<a href=\"mailto:privacy@example.com?ref={}\">privacy@example.com</a>",
                        dice.token()
                    ),
                );
                let text = if curly {
                    text.replace(' ', "\n  ").replace('\'', "\u{2019}")
                } else {
                    text
                };
                html += &format!("<p class=\"c{}\">{text}</p>", dice.roll(99));
            }
        }
        html += &format!(
            "</main><aside><h3>Read next</h3><a href=\"/a/{}\">Ten tips, no. {}</a></aside>\
             <footer><p>{} people are online. Page made in {} ms on {token}.</p><p>© SERVICE</p></footer>\
             <script>track('{}')</script></body></html>",
            dice.roll(500),
            dice.roll(500),
            dice.roll(9000),
            dice.roll(300),
            dice.token(),
        );
        html
    }
}

const WALL: &str = "<html><head><title>Before you continue</title></head><body><h1>Before you continue</h1>\
    <p>We and our partners use cookies to store and access information on your device.</p>\
    <button>Accept all</button><button>Reject all</button><a href=/choices>Manage choices</a></body></html>";

/// An alert as it must come: night, document, what, and the least verdict of a change.
type Expected = (i64, &'static str, &'static str, Option<&'static str>);

/// What happens on which night, and what must be alerted.
fn script() -> Vec<Expected> {
    vec![
        // A new partner; longer retention; the promise of notice weakened.
        (60, "fern", "changed", Some("material")),
        (200, "fern", "changed", Some("material")),
        (300, "fern", "changed", Some("material")),
        (250, "moss", "changed", Some("material")),
        // Three nights of errors, a month of 404, a consent wall, and a change on the way back.
        (20, "reed", "failing", None),
        (21, "reed", "failing", None),
        (100, "reed", "failing", None),
        (101, "reed", "failing", None),
        (107, "reed", "failing", None),
        (128, "reed", "failing", None),
        (131, "reed", "changed", Some("material")),
        (180, "reed", "suspect", None),
        // A new text that is shown every other night for two months before it stays.
        (80, "pond", "changed", Some("material")),
        (81, "pond", "flapping", None),
        (310, "pond", "changed", Some("material")),
    ]
}

struct World {
    dice: Dice,
    policies: BTreeMap<&'static str, Policy>,
    pond_before: Option<Policy>,
}

impl World {
    fn new() -> Self {
        let names = [
            ("fern", "Fern Letters"),
            ("moss", "Moss Maps"),
            ("reed", "Reed Radio"),
            ("pond", "Pond Pay"),
            ("kelp", "Kelp Notes"),
        ];
        Self {
            dice: Dice(0x9e37_79b9_7f4a_7c15),
            policies: names.map(|(id, name)| (id, policy(name))).into(),
            pond_before: None,
        }
    }

    fn edit(&mut self, id: &str, from: &str, to: &str) {
        self.policies.get_mut(id).unwrap().edit(from, to);
    }

    /// What happens to the texts on a night.
    fn happen(&mut self, night: i64) {
        let no_sharing =
            "We will not share your personal data with third parties without your consent.";
        let sharing = "We may share your personal data with advertising partners.";
        match night {
            60 => self.edit("fern", no_sharing, sharing),
            200 => self.edit("fern", "delete it 30 days after you close it", "keep it for five years after you close it"),
            300 => self.edit(
                "fern",
                "We will notify you by e-mail at least 30 days before a material change takes effect.",
                "We may change this policy at any time without notice.",
            ),
            // Wording only: no change for anybody.
            45 => self.edit("moss", "to answer your questions and to keep", "to answer your questions, and to keep"),
            120 => self.edit("moss", "at any time and free of charge", "at any time, free of charge"),
            250 => self.edit(
                "moss",
                "We do not use the content of your messages for advertising.",
                "We use the content of your messages for advertising.",
            ),
            // Unseen until the page answers again.
            110 => self.edit("reed", no_sharing, "We may sell your personal data to third parties."),
            80 => {
                self.pond_before = self.policies.get("pond").cloned();
                self.edit("pond", no_sharing, sharing);
            }
            310 => self.edit("pond", "delete it 30 days after you close it", "keep it for ten years after you close it"),
            _ => {}
        }
    }

    fn answer(&mut self, id: &str, night: i64) -> Answer {
        let old = (80..140).contains(&night) && night % 2 == 1;
        let policy = match (id, &self.pond_before) {
            ("pond", Some(before)) if old => before.clone(),
            _ => self.policies[id].clone(),
        };
        let page = policy.page(&mut self.dice, night);
        match (id, night) {
            ("reed", 20..=22) => Answer::status(503),
            ("reed", 100..=130) => Answer::status(404),
            ("reed", 180) => Answer::page(WALL),
            // Some nights the server has nothing new to say, and says so.
            ("kelp", _) if night % 5 < 2 => {
                Answer::page(page).header("ETag", &format!("\"{}\"", night / 5))
            }
            _ => Answer::page(page),
        }
    }
}

#[test]
fn in_a_year_of_nights_the_alerts_are_exactly_the_real_changes() {
    let server = Server::start();
    let mut world = World::new();
    let mut configuration = "[organisation]\nname = \"Watch\"\n[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\n\
         delay_milliseconds = 0\nretries = 0\n\
         [alerts.legal]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat >> legal; echo >> legal\"]\n\
         at_least = \"substantive\"\n\
         [alerts.retention]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat >> retention; echo >> retention\"]\n\
         at_least = \"material\"\ntopics = [\"retention\"]\nfailures = false\n"
        .to_owned();
    for id in world.policies.keys() {
        configuration += &format!(
            "[[document]]\nid = \"{id}\"\nsource = \"{}\"\n",
            server.url(&format!("/{id}"))
        );
    }
    let bench = Bench::with(&configuration);
    let start: Timestamp = "2027-01-01T03:00:00Z".parse().unwrap();
    let expected = script();
    let mut came: Vec<(i64, String, String, Option<String>)> = Vec::new();
    let mut heard = 0;
    for night in 0..NIGHTS {
        world.happen(night);
        let ids: Vec<&str> = world.policies.keys().copied().collect();
        for id in ids {
            let answer = world.answer(id, night);
            server.answer(&format!("/{id}"), answer);
        }
        let now = start + (night * 24).hours();
        let ran = bench.run_at(&now.to_string(), &["check"]);
        let dark = matches!(night, 20..=22 | 100..=130 | 180);
        assert_eq!(
            ran.code,
            if dark { 3 } else { 0 },
            "night {night}: {}{}",
            ran.out,
            ran.err
        );
        let text = std::fs::read_to_string(bench.file("legal")).unwrap_or_default();
        for line in text.lines().skip(heard).filter(|line| !line.is_empty()) {
            let alert: Value = serde_json::from_str(line).unwrap();
            let word = |key: &str| alert["alert"][key].as_str().map(str::to_owned);
            came.push((
                night,
                word("document").unwrap(),
                word("what").unwrap(),
                word("verdict"),
            ));
        }
        heard = text.lines().count();
    }
    let mut expected: Vec<_> = expected
        .into_iter()
        .map(|(night, id, what, verdict)| {
            (
                night,
                id.to_owned(),
                what.to_owned(),
                verdict.map(str::to_owned),
            )
        })
        .collect();
    expected.sort();
    came.sort();
    assert_eq!(came, expected);
    // The colleague who only wants to hear of retention hears of two changes.
    let retention = bench.read("retention");
    let about: Vec<&str> = retention
        .lines()
        .filter(|line| {
            line.contains("\"document\":\"fern\"") || line.contains("\"document\":\"pond\"")
        })
        .collect();
    assert_eq!(
        (
            about.len(),
            retention.lines().filter(|l| !l.is_empty()).count()
        ),
        (2, 2)
    );
    bench.run(&["status"]).exits(0);
    bench.run(&["reindex"]).exits(0);
    let log = bench
        .run(&["log", "kelp", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(
        log["versions"].as_array().unwrap().len(),
        1,
        "noise is no version"
    );
    let log = bench
        .run(&["log", "fern", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(log["versions"].as_array().unwrap().len(), 4);
}
