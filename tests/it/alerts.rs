//! Alerts: never lost, never twice.

use super::{
    bench::{Answer, Bench, NOW, Server},
    sink::{Script, Sink},
};

const OLD: &str = "# Reed Privacy Policy\n\nWe collect your name and your address.\n\nWe will not sell your personal data.\n";
const NEW: &str = "# Reed Privacy Policy\n\nWe collect your name and your address.\n\nWe may sell your personal data.\n";

fn bench(alerts: &str) -> Bench {
    let bench = Bench::with(&format!(
        "[organisation]\nname = \"Reed\"\n{alerts}\n\
         [[document]]\nid = \"reed\"\nsource = \"policy.md\"\n"
    ));
    bench.write("policy.md", OLD);
    bench.check("2027-01-01T03:00:00Z");
    bench.write("policy.md", NEW);
    bench
}

fn webhook(server: &Server) -> String {
    format!(
        "[alerts.team]\nkind = \"webhook\"\nto = [\"{}\"]\nat_least = \"editorial\"\n\
         secret_file = \"secret\"\n",
        server.url("/hook")
    )
}

#[test]
fn an_alert_that_was_refused_waits_and_goes_out_once() {
    let server = Server::start();
    let bench = bench(&webhook(&server));
    bench.write("secret", "hunter2\n");
    server.answer("/hook", Answer::status(410));
    let ran = bench.run(&["check"]).exits(3);
    assert!(ran.err.contains("alert team waits"), "{}", ran.err);
    assert!(
        bench
            .run(&["status"])
            .exits(3)
            .out
            .contains("1 alert(s) wait")
    );
    let before = server.asked("/hook").len();
    server.answer("/hook", Answer::status(204));
    bench.run(&["check"]).exits(0);
    bench.run(&["check"]).exits(0);
    let asked = server.asked("/hook");
    assert_eq!(asked.len(), before + 1);
    let last = asked.last().unwrap();
    assert!(last.headers["x-fairnotice-signature"].starts_with("sha256="));
    assert_eq!(
        last.headers["idempotency-key"],
        asked[0].headers["idempotency-key"]
    );
}

#[test]
fn an_alert_survives_the_run_that_should_have_sent_it() {
    let server = Server::start();
    let bench = bench(&webhook(&server));
    bench.write("secret", "hunter2\n");
    server.answer(
        "/hook",
        Answer {
            hangs: true,
            ..Answer::default()
        },
    );
    let mut first = bench.command(&["check"]).spawn().unwrap();
    while server.asked("/hook").is_empty() {
        std::thread::yield_now();
    }
    first.kill().unwrap();
    first.wait().unwrap();
    server.answer("/hook", Answer::status(200));
    assert_eq!(bench.check(NOW)["reed"]["state"], "unchanged");
    bench.check(NOW);
    assert_eq!(server.asked("/hook").len(), 2);
}

#[test]
fn feeds_files_and_programs_get_each_change_once() {
    let bench = bench(
        "[alerts.feed]\nkind = \"atom\"\nto = [\"out/feed.xml\"]\nat_least = \"editorial\"\n\
         [alerts.json]\nkind = \"jsonfeed\"\nto = [\"out/feed.json\"]\nat_least = \"editorial\"\n\
         [alerts.page]\nkind = \"markdown\"\nto = [\"out/alerts.md\"]\nat_least = \"editorial\"\n\
         [alerts.own]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat >> heard\"]\nat_least = \"editorial\"\n",
    );
    bench.run(&["check"]).exits(0);
    bench.run(&["check"]).exits(0);
    let heard: serde_json::Value = serde_json::from_str(&bench.read("heard")).unwrap();
    assert_eq!(heard["schema"], "fairnotice/alert/1");
    assert_eq!(heard["alert"]["what"], "changed");
    for (file, needle) in [
        ("out/feed.xml", "<entry>"),
        ("out/feed.json", "\"id\": \"urn:fairnotice:alert:"),
        ("out/alerts.md", "<!-- urn:fairnotice:alert:"),
    ] {
        assert_eq!(bench.read(file).matches(needle).count(), 1, "{file}");
    }
}

#[test]
fn a_failing_page_is_said_at_once_after_a_day_and_after_a_week() {
    let bench = bench(
        "[alerts.own]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"echo x >> heard\"]\nat_least = \"material\"\n",
    );
    std::fs::remove_file(bench.file("policy.md")).unwrap();
    let mut said = Vec::new();
    for night in 1..=20 {
        bench
            .run_at(&format!("2027-02-{night:02}T03:00:00Z"), &["check"])
            .exits(1);
        said.push(
            std::fs::read_to_string(bench.file("heard"))
                .unwrap_or_default()
                .lines()
                .count(),
        );
    }
    let news: Vec<usize> = (1..=20)
        .filter(|n| said[n - 1] > if *n > 1 { said[n - 2] } else { 0 })
        .collect();
    assert_eq!(news, [1, 2, 8]);
}

#[test]
fn thresholds_hold_back_what_is_too_small() {
    let bench = bench(
        "[alerts.own]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"echo x >> heard\"]\nat_least = \"material\"\n",
    );
    bench.write("policy.md", OLD.replace("your name and", "your name, and"));
    bench.run(&["check"]).exits(0);
    assert!(!bench.file("heard").exists());
}

#[test]
fn the_heartbeat_beats_only_after_a_good_run() {
    let server = Server::start();
    server.answer("/beat", Answer::status(200));
    let bench = Bench::with(&format!(
        "heartbeat = \"{}\"\n[[document]]\nid = \"reed\"\nsource = \"policy.md\"\n",
        server.url("/beat")
    ));
    bench.run(&["check"]).exits(1);
    assert_eq!(server.asked("/beat").len(), 0);
    bench.write("policy.md", OLD);
    bench.run(&["check"]).exits(0);
    assert_eq!(server.asked("/beat").len(), 1);
}

#[test]
fn a_mail_holds_the_changed_words_themselves() {
    let sink = Sink::start(Script::default());
    let bench = Bench::with(&format!(
        "[organisation]\nname = \"Reed\"\n[mail]\nsmtp = \"{}\"\nfrom = \"watch@reed.example\"\n\
         [alerts.mail]\nkind = \"email\"\nto = [\"legal@reed.example\"]\nat_least = \"editorial\"\n\
         [[document]]\nid = \"reed\"\nsource = \"policy.md\"\n",
        sink.url()
    ));
    let said = |mail: usize| {
        let content = String::from_utf8_lossy(&sink.seen()[mail].content).replace("=\r\n", "");
        // The attached redline is not the body.
        content.split("filename=").next().unwrap().to_owned()
    };
    bench.write("policy.md", OLD);
    bench.check("2027-01-01T03:00:00Z");
    let editorial = OLD.replace("name and your address", "address and your name");
    bench.write("policy.md", &editorial);
    bench.check("2027-01-02T03:00:00Z");
    let mail = said(0);
    for words in [
        "Reed Privacy Policy: editorial change\r\n",
        "{+",
        "<ins style",
    ] {
        assert!(mail.contains(words), "{words} is not in:\n{mail}");
    }
    bench.write("policy.md", editorial.replace("will not sell", "may sell"));
    bench.check("2027-01-03T03:00:00Z");
    let mail = said(1);
    for words in ["We [-will not-]{+may+} sell", "material change (1 finding)"] {
        assert!(mail.contains(words), "{words} is not in:\n{mail}");
    }
}

#[test]
fn a_target_that_refuses_neither_holds_up_the_others_nor_has_them_told_again() {
    let server = Server::start();
    server.answer("/well", Answer::status(204));
    server.answer("/ill", Answer::status(410));
    let relay = Sink::start(Script {
        rcpt: vec![("gone@", "550 5.1.1 nobody here")],
        ..Script::default()
    });
    let bench = Bench::with(&format!(
        "[organisation]\nname = \"Reed\"\n[mail]\nsmtp = \"{}\"\nfrom = \"watch@reed.example\"\n\
         [alerts.hooks]\nkind = \"webhook\"\nto = [\"{}\", \"{}\"]\n\
         [alerts.mails]\nkind = \"email\"\nto = [\"gone@reed.example\", \"legal@reed.example\"]\n\
         [[document]]\nid = \"reed\"\nsource = \"policy.md\"\n",
        relay.url(),
        server.url("/ill"),
        server.url("/well")
    ));
    bench.write("policy.md", OLD);
    bench.check("2027-01-01T03:00:00Z");
    bench.write("policy.md", NEW);
    let ran = bench.run_at("2027-01-02T03:00:00Z", &["check"]).exits(3);
    assert!(ran.err.contains("alert hooks waits"), "{}", ran.err);
    assert!(ran.err.contains("gone@reed.example"), "{}", ran.err);
    for night in 3..6 {
        let now = format!("2027-01-0{night}T03:00:00Z");
        bench.run_at(&now, &["check"]).exits(3);
    }
    let told = |relay: &Sink, to: &str| relay.seen().iter().filter(|mail| mail.to == to).count();
    assert_eq!(server.asked("/well").len(), 1);
    assert_eq!(told(&relay, "legal@reed.example"), 1);
    // Both are there again.
    server.answer("/ill", Answer::status(204));
    let refused = server.asked("/ill").len();
    let taking = Sink::start(Script::default());
    let moved = bench
        .read("fairnotice.toml")
        .replace(&relay.url(), &taking.url());
    bench.write("fairnotice.toml", moved);
    bench.run_at("2027-01-06T03:00:00Z", &["check"]).exits(0);
    bench.run_at("2027-01-07T03:00:00Z", &["check"]).exits(0);
    assert_eq!(server.asked("/ill").len(), refused + 1);
    assert_eq!(server.asked("/well").len(), 1);
    assert_eq!(told(&taking, "gone@reed.example"), 1);
    assert_eq!(told(&taking, "legal@reed.example"), 0);
    bench.run(&["status"]).exits(0);
}

#[test]
fn an_alert_that_is_refused_every_night_keeps_no_other_from_going_out() {
    let bench = bench(
        "[alerts.own]\nkind = \"command\"\nat_least = \"editorial\"\n\
         command = [\"sh\", \"-c\", \"cat > one; grep -q sell one && exit 1; cat one >> all; echo >> all\"]\n",
    );
    let ran = bench.run_at("2027-01-02T03:00:00Z", &["check"]).exits(3);
    assert!(ran.err.contains("alert own waits"), "{}", ran.err);
    for (day, years) in [
        ("03", "two"),
        ("04", "three"),
        ("05", "four"),
        ("06", "five"),
    ] {
        bench.write(
            "policy.md",
            format!("{NEW}\nWe keep your personal data for {years} years.\n"),
        );
        let now = format!("2027-01-{day}T03:00:00Z");
        bench.run_at(&now, &["check"]).exits(3);
        let all = bench.read("all");
        assert!(all.contains(&format!("\"due\":\"{now}\"")), "{day}: {all}");
    }
    assert_eq!(bench.read("all").lines().count(), 4);
    let status = bench.run(&["status"]).exits(3);
    assert!(status.out.contains("1 alert(s) wait"), "{}", status.out);
}

#[test]
fn alerts_quote_what_readers_of_the_page_see() {
    let bench = bench(
        "[alerts.own]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat > one\"]\n\
         [alerts.feed]\nkind = \"atom\"\nto = [\"feed.xml\"]\n",
    );
    bench.write(
        "policy.md",
        NEW.replace(
            "sell your",
            "sell *all* of your [personal](https://reed.example/p) \\<b>",
        ),
    );
    bench.run(&["check"]).exits(0);
    let one = bench.read("one");
    assert!(
        one.contains("We may sell all of your personal <b> personal data."),
        "{one}"
    );
    assert!(
        bench
            .read("feed.xml")
            .contains("<title>Reed policy alerts: feed</title>")
    );
}
