//! Who is told and what stands: people who join between notice and effect, texts that were put up
//! and are looked at day by day, answers that come back.

use serde_json::Value;

use super::bench::{Answer, Bench, Server};

const OLD: &str = "# Harbour Privacy Policy\n\n\
    ## 1. Sharing\n\nWe do not share your personal data with advertisers.\n\n\
    ## 2. Changes\n\nWe will notify you by email and by a notice on our website at least 30 days \
    before any material change takes effect, unless the law asks for it sooner.\n";

/// A workspace with a draft that takes effect on 20 March 2027.
fn drafted() -> Bench {
    let bench = Bench::with(
        "[organisation]\nname = \"Harbour\"\n\
         [notice.defaults]\ncontact = \"privacy@harbour.example\"\n\
         reason = \"We need the money.\"\n\
         choices = \"You can close your account. If you do nothing, the new text counts.\"\n\
         old_data = \"no\"\nnew_url = \"https://harbour.example/p\"\n\
         old_url = \"https://harbour.example/p/1\"\n\
         redline_url = \"https://harbour.example/p/changes\"\n\
         [mail]\nfrom = \"Harbour <notices@harbour.example>\"\n\
         [[document]]\nid = \"privacy\"\nsource = \"policy.md\"\nside = \"owner\"\n",
    );
    bench.write("policy.md", OLD);
    bench.run_at("2027-01-01T09:00:00Z", &["check"]).exits(0);
    bench.write("draft.md", OLD.replace("do not share", "may share"));
    bench
        .run_at(
            "2027-01-02T09:00:00Z",
            &[
                "check",
                "--draft",
                "privacy=draft.md",
                "--effective",
                "2027-03-20",
            ],
        )
        .exits(0);
    bench
}

/// The id of the notice for a channel, approved.
fn approved(bench: &Bench, channel: &str) -> String {
    let list = bench.run(&["notice", "list", "--format", "json"]).json();
    let id = list["notices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|notice| notice["channel"] == channel)
        .unwrap_or_else(|| panic!("no {channel}: {list}"))["id"]
        .as_str()
        .unwrap()
        .to_owned();
    bench
        .run_at(
            "2027-01-03T09:00:00Z",
            &["notice", "approve", &id, "--by", "Dana"],
        )
        .exits(0);
    id
}

#[test]
fn who_joins_after_the_list_was_frozen_is_told_too() {
    let bench = drafted();
    let id = approved(&bench, "email");
    bench.write(
        "people.csv",
        "email,user_id\nada@customers.example,1\nbob@customers.example,2\n",
    );
    let made = bench
        .run_at(
            "2027-01-04T09:00:00Z",
            &[
                "campaign",
                "create",
                &id,
                "--recipients",
                "people.csv",
                "--format",
                "json",
            ],
        )
        .exits(0)
        .json();
    let first = made["id"].as_str().unwrap().to_owned();
    // Ada has another address now, and is the same person.
    bench.write(
        "now.csv",
        "email,user_id\nada@new.example,1\nbob@customers.example,2\ncid@customers.example,3\n",
    );
    let joiners = |at: &str| {
        bench.run_at(
            at,
            &[
                "campaign",
                "joiners",
                &first,
                "--recipients",
                "now.csv",
                "--format",
                "json",
            ],
        )
    };
    // Long after the last day of the promise: they are told before the effect all the same.
    let follow = joiners("2027-03-10T09:00:00Z").exits(0).json();
    assert_eq!(follow["recipients"], 1, "{follow}");
    assert_eq!(follow["already_told"], 2);
    assert_eq!(follow["window"]["latest"], "2027-03-19T23:59:59Z");
    let again = joiners("2027-03-11T09:00:00Z").exits(1);
    assert!(again.err.contains("nobody joined"), "{}", again.err);
    let late = joiners("2027-03-21T09:00:00Z");
    assert_ne!(late.code, 0);
    assert!(late.err.contains("new text at sign-up"), "{}", late.err);
}

#[test]
fn a_text_that_was_put_up_is_looked_at_day_by_day() {
    let bench = drafted();
    let id = approved(&bench, "website");
    let shown = bench
        .run(&["notice", "show", &id, "--format", "json"])
        .json();
    let text = &shown["notice"]["texts"]["en"];
    let page = text["html"].as_str().or(text["text"].as_str()).unwrap();
    bench.write("site/banner.html", page);
    bench
        .run_at(
            "2027-01-10T09:00:00Z",
            &[
                "notice",
                "publish",
                &id,
                "--at",
                "site/banner.html",
                "--from",
                "2027-01-10T08:00:00Z",
            ],
        )
        .exits(0);
    let looks = |at: &str| -> Value {
        bench.run_at(at, &["check", "--format", "json"]).json()["publications"][0].clone()
    };
    assert_eq!(looks("2027-01-10T10:00:00Z")["stands"], true);
    assert_eq!(looks("2027-01-10T11:00:00Z")["stands"], true);
    assert_eq!(looks("2027-01-11T10:00:00Z")["stands"], true);
    let audited = |at: &str| -> Value {
        let audit = bench
            .run_at(at, &["audit", "privacy", "--format", "json"])
            .json();
        audit["versions"][0]["duties"][0].clone()
    };
    bench.write("policy.md", OLD.replace("do not share", "may share"));
    looks("2027-01-12T10:00:00Z");
    let duty = audited("2027-04-01T09:00:00Z");
    assert_eq!(
        duty["looks"]["shown"].as_array().unwrap().len(),
        3,
        "{duty}"
    );
    assert!(
        duty["duty"]["exceptions"][0]
            .as_str()
            .unwrap()
            .starts_with("unless the law"),
        "{duty}"
    );
    bench.write("site/banner.html", "<p>Winter sale</p>");
    let gone = bench.run_at("2027-01-13T10:00:00Z", &["check"]).exits(0);
    assert!(gone.err.contains("does not say"), "{}", gone.err);
    let duty = audited("2027-04-01T09:00:00Z");
    assert_eq!(duty["looks"]["missing"][0], "2027-01-13", "{duty}");
    // After the effect nobody looks any more.
    let after = bench
        .run_at("2027-03-20T10:00:00Z", &["check", "--format", "json"])
        .json();
    assert!(after["publications"].is_null(), "{after}");
}

#[test]
fn a_page_that_shows_a_text_is_looked_at_day_by_day() {
    let bench = drafted();
    let server = Server::start();
    let configuration = bench.read("fairnotice.toml");
    bench.write(
        "fairnotice.toml",
        format!(
            "{configuration}\n[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\n\
             delay_milliseconds = 0\nretries = 0\n"
        ),
    );
    let id = approved(&bench, "website");
    let shown = bench
        .run(&["notice", "show", &id, "--format", "json"])
        .json();
    let text = &shown["notice"]["texts"]["en"];
    let notice = text["html"].as_str().or(text["text"].as_str()).unwrap();
    let at = server.url("/");
    let publish = || {
        bench.run_at(
            "2027-01-10T09:00:00Z",
            &[
                "notice",
                "publish",
                &id,
                "--at",
                &at,
                "--from",
                "2027-01-10T08:00:00Z",
            ],
        )
    };
    // What does not show it is no publication.
    assert_ne!(publish().code, 0, "nothing is there");
    server.answer("/", Answer::page("<p>Winter sale</p>"));
    let other = publish();
    assert_ne!(other.code, 0, "{}{}", other.out, other.err);
    let standing = format!("<nav><a href='/sale'>Sale</a></nav>{notice}<footer>2027</footer>");
    server.answer("/", Answer::page(standing));
    publish().exits(0);
    let look = |at: &str| -> Value {
        bench.run_at(at, &["check", "--format", "json"]).json()["publications"][0].clone()
    };
    assert_eq!(look("2027-01-11T10:00:00Z")["stands"], true);
    server.answer("/", Answer::status(500));
    let down = look("2027-01-12T10:00:00Z");
    assert!(
        down["stands"].is_null(),
        "not seen is not the same as gone: {down}"
    );
    assert!(down["detail"].as_str().unwrap().contains("500"), "{down}");
    server.answer("/", Answer::page("<p>Winter sale</p>"));
    assert_eq!(look("2027-01-13T10:00:00Z")["stands"], false);
}

#[test]
fn answers_are_imported_and_who_is_open_is_counted() {
    let bench = drafted();
    bench.write("policy.md", OLD.replace("do not share", "may share"));
    let seen = bench.check("2027-02-01T09:00:00Z");
    let version = seen["privacy"]["version"].as_str().unwrap();
    bench.write(
        "answers.csv",
        format!(
            "person,version,time,answer\nada@customers.example,{version},2027-02-02T09:00:00Z,accepted\n\
             Bob@Customers.example,{version},2027-02-03T09:00:00Z,accepted\n\
             bob@customers.example,{version},2027-02-04T09:00:00Z,refused\n\
             cid,{version},soon,accepted\n"
        ),
    );
    bench.write(
        "asked.txt",
        "ada@customers.example\nbob@customers.example\ncid@customers.example\ndee@customers.example\n",
    );
    let audit = bench
        .run_at(
            "2027-02-05T09:00:00Z",
            &[
                "audit",
                "privacy",
                "--import",
                "answers.csv",
                "--asked",
                "asked.txt",
                "--format",
                "json",
            ],
        )
        .exits(3)
        .json();
    let tally = &audit["answers"][version];
    assert_eq!(
        (&tally["accepted"], &tally["refused"], &tally["open"]),
        (&1.into(), &1.into(), &2.into()),
        "{audit}"
    );
    assert_eq!(audit["rejected"][0]["line"], 5);
}
