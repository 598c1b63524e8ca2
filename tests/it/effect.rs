//! The day of effect: planned with a draft, put off, and what becomes of the notices that name it.

use super::bench::Bench;

const OLD: &str = "# Harbour Privacy Policy\n\n\
    ## 1. Sharing\n\nWe do not share your personal data with advertisers.\n\n\
    ## 2. Changes\n\nWe will notify you by email at least 30 days before any material change \
    takes effect.\n";

fn draft() -> String {
    OLD.replace("do not share", "may share")
}

/// A workspace that has published [`OLD`] and looks at a draft that is to take effect on a day.
fn drafted(day: &str) -> Bench {
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
    bench.write("draft.md", draft());
    plan(&bench, day);
    bench
}

fn plan(bench: &Bench, day: &str) {
    let args = ["check", "--draft", "privacy=draft.md", "--effective", day];
    bench.run_at("2027-01-02T09:00:00Z", &args).exits(0);
}

/// The mail of the change, and the day that it names.
fn mail(bench: &Bench) -> (String, String, String) {
    let list = bench.run(&["notice", "list", "--format", "json"]).json();
    let mails: Vec<_> = list["notices"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|notice| notice["channel"] == "email")
        .collect();
    assert_eq!(mails.len(), 1, "{list}");
    let word = |name: &str| mails[0][name].as_str().unwrap_or_default().to_owned();
    (word("id"), word("effective"), word("state"))
}

#[test]
fn a_draft_looked_at_again_with_another_day_has_notices_that_name_it() {
    let bench = drafted("2027-03-20");
    assert_eq!(mail(&bench).1, "2027-03-20");
    plan(&bench, "2027-04-02");
    let (id, day, _) = mail(&bench);
    assert_eq!(day, "2027-04-02");
    let text = bench.run(&["notice", "show", &id]).exits(0).out;
    assert!(
        text.contains("2 April 2027") && !text.contains("20 March"),
        "{text}"
    );
    // What a person fills in later does not lose the day.
    bench
        .run(&["notice", "set", &id, "reason=We want to grow."])
        .exits(0);
    assert_eq!(mail(&bench).1, "2027-04-02");
}

#[test]
fn the_day_of_an_approved_notice_counts_when_its_text_is_put_up() {
    let bench = drafted("2027-03-20");
    let (id, _, _) = mail(&bench);
    bench
        .run(&["notice", "approve", &id, "--by", "Dana"])
        .exits(0);
    bench.write("policy.md", draft());
    let report = bench
        .run_at("2027-01-16T09:00:00Z", &["check"])
        .exits(0)
        .out;
    assert!(report.contains("Takes effect on 2027-03-20"), "{report}");
    assert_eq!(mail(&bench).2, "approved");
}

#[test]
fn a_day_that_is_put_off_fells_approvals_and_stops_the_campaign() {
    let bench = drafted("2027-03-20");
    let (id, _, _) = mail(&bench);
    bench
        .run(&["notice", "approve", &id, "--by", "Dana"])
        .exits(0);
    bench.write("people.csv", "email\nada@customers.example\n");
    let made = bench
        .run(&[
            "campaign",
            "create",
            &id,
            "--recipients",
            "people.csv",
            "--format",
            "json",
        ])
        .exits(0)
        .json();
    let campaign = made["id"].as_str().unwrap();
    bench
        .run(&["campaign", "approve", campaign, "--by", "Sam"])
        .exits(0);
    bench.write("policy.md", draft());
    bench.run_at("2027-01-16T09:00:00Z", &["check"]).exits(0);
    let told = bench
        .run_at(
            "2027-01-17T09:00:00Z",
            &["effective", "privacy", "latest", "2027-05-01"],
        )
        .exits(0)
        .out;
    assert!(told.contains(&format!("{id} (its approval fell")), "{told}");
    assert!(
        told.contains(&format!("campaign {campaign} carries the old text")),
        "{told}"
    );
    assert_eq!(
        mail(&bench),
        (id, "2027-05-01".to_owned(), "drafted".to_owned())
    );
    let sent = bench
        .run(&[
            "campaign",
            "send",
            campaign,
            "--smtp",
            "smtp://127.0.0.1:1",
            "--yes",
        ])
        .exits(1);
    assert!(
        sent.err.contains("was changed after campaign"),
        "{}",
        sent.err
    );
}

#[test]
fn a_withdrawn_text_leaves_the_old_one_in_force() {
    let bench = drafted("2027-03-20");
    bench.write("policy.md", draft());
    bench.run_at("2027-01-16T09:00:00Z", &["check"]).exits(0);
    bench
        .run_at(
            "2027-01-17T09:00:00Z",
            &["effective", "privacy", "latest", "withdrawn"],
        )
        .exits(0);
    let log = bench
        .run_at("2027-06-01T09:00:00Z", &["log", "privacy"])
        .exits(0)
        .out;
    let in_force = log
        .lines()
        .find(|line| line.contains("(in force)"))
        .unwrap();
    let first = log.lines().rfind(|line| !line.starts_with(' ')).unwrap();
    assert_eq!(in_force, first, "{log}");
}
