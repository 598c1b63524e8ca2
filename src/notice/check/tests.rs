use super::*;
use crate::notice::{
    draft, draft_one,
    sample::{Sample, house, now},
};

fn run(sample: &Sample, notice: &Notice) -> Vec<CheckResult> {
    let templates = Templates::built_in();
    let basis = Basis {
        ground: sample.ground(),
        templates: &templates,
        siblings: &[Channel::Announcement],
        now: now(),
    };
    check(notice, &basis).unwrap()
}

fn email(sample: &Sample) -> Notice {
    let templates = Templates::built_in();
    draft_one(
        &sample.ground(),
        &house(),
        &templates,
        Channel::Email,
        None,
        now(),
    )
    .unwrap()
}

fn unmet(sample: &Sample, notice: &Notice) -> Vec<String> {
    run(sample, notice)
        .into_iter()
        .filter(|check| !check.met && !check.advice)
        .map(|check| format!("{}: {}", check.id, check.detail))
        .collect()
}

#[test]
fn a_complete_draft_meets_every_check_on_every_channel() {
    let sample = Sample::new();
    let templates = Templates::built_in();
    let notices = draft(&sample.ground(), &house(), &templates, now()).unwrap();
    assert_eq!(notices.len(), Channel::ALL.len());
    for notice in notices {
        assert_eq!(
            unmet(&sample, &notice),
            Vec::<String>::new(),
            "{}",
            notice.channel
        );
    }
}

#[test]
fn our_own_words_are_plain() {
    let sample = Sample::new();
    let checks = run(&sample, &email(&sample));
    let grade = checks.iter().find(|c| c.id == "reading-grade").unwrap();
    assert!(grade.met, "{}", grade.detail);
}

/// What is done to a mail, and the check that must fail.
#[test]
fn each_fault_is_found_by_its_check() {
    type Fault = fn(&mut Notice);
    fn en(notice: &mut Notice) -> &mut crate::notice::Text {
        notice.texts.get_mut("en").unwrap()
    }
    fn both(notice: &mut Notice, from: &str, to: &str) {
        let text = en(notice);
        assert!(text.text.contains(from), "{from}");
        text.text = text.text.replace(from, to);
        text.html = text.html.as_ref().map(|html| html.replace(from, to));
    }
    let faults: &[(&str, Fault)] = &[
        ("subject-complete", |n| {
            en(n).subject = Some("Lindenfels Maps: Privacy Policy changes".into())
        }),
        ("subject-length", |n| en(n).subject = Some("x".repeat(79))),
        ("subject-calm", |n| {
            en(n).subject =
                Some("Act now! Lindenfels Maps: Privacy Policy changes on 1 March 2027".into())
        }),
        ("sender-named", |n| n.company = "Another House".into()),
        ("contact-given", |n| {
            n.fields.remove("contact");
            n.fields.remove("contact.zh");
        }),
        ("first-screen", |n| {
            both(n, "You do not have to do anything.", "Read on.")
        }),
        ("date-given", |n| n.effective = None),
        ("date-leaves-lead", |n| {
            n.send_by = Some("2026-12-01T00:00:00Z".parse().unwrap())
        }),
        ("material-listed", |n| {
            both(
                n,
                "We delete your saved routes two years after you close",
                "We delete it when you close",
            )
        }),
        ("adverse-first", |n| {
            let text = en(n);
            text.text = text
                .text
                .replace("1. Who we share data with", "1. On sharing")
                + "\nWho we share data with\n";
        }),
        ("others-summarised", |n| {
            both(n, "Your rights", "Some rights")
        }),
        ("nothing-invented", |n| n.findings.push("f99".into())),
        ("quotes-exact", |n| {
            both(
                n,
                "You do not have to do anything.",
                "We say “we never sell data” here. You do not have to do anything.",
            )
        }),
        ("versions-bound", |n| n.versions.old.clear()),
        ("reason-given", |n| {
            n.fields.remove("reason");
            n.fields.remove("reason.zh");
        }),
        ("choices-given", |n| {
            n.fields.remove("choices");
            n.fields.remove("choices.zh");
        }),
        ("consequence-said", |n| {
            both(n, "You do not have to do anything.", "Read on.");
            let text = en(n);
            text.text = text
                .text
                .replace("If you do nothing and use", "Those who use")
                .replace("the new text\napplies to you", "it holds");
        }),
        ("consent-asked", |n| n.consent_needed = true),
        ("old-data-said", |n| {
            n.fields.remove("old_data");
        }),
        ("links-given", |n| {
            n.fields.remove("redline_url");
        }),
        ("links-clean", |n| {
            both(
                n,
                "https://lindenfels.example/privacy/2027",
                "https://lindenfels.example/privacy/2027?utm_source=mail",
            )
        }),
        ("durable", |n| both(n, "Backups are kept for one week.", "")),
        ("text-part", |n| en(n).html = None),
        ("wording-neutral", |n| {
            both(
                n,
                "You do not have to do anything.",
                "We improve your experience. You do not have to do anything.",
            )
        }),
        ("plain-language", |n| {
            let long = "and then and there and so and more ".repeat(300);
            en(n).text.push_str(&long);
        }),
        ("html-accessible", |n| {
            en(n).html =
                Some("<html lang=\"en\"><title>x</title><h1>a</h1><h3>b</h3></html>".into())
        }),
        ("html-contrast", |n| {
            let t = en(n);
            t.html = t
                .html
                .as_ref()
                .map(|h| h.replace("color: #1b1f23", "color: #cccccc"));
        }),
        ("html-self-contained", |n| {
            let t = en(n);
            t.html = t.html.as_ref().map(|h| {
                h.replace(
                    "</body>",
                    "<img alt=\"\" src=\"https://lindenfels.example/p.gif\"></body>",
                )
            });
        }),
        ("languages", |n| {
            let t = n.texts.get_mut("zh").unwrap();
            t.text = t.text.replace("英文", "");
        }),
        ("no-advertising", |n| {
            both(
                n,
                "You do not have to do anything.",
                "Get a discount. You do not have to do anything.",
            )
        }),
        ("no-unsubscribe", |n| {
            both(
                n,
                "You do not have to do anything.",
                "Unsubscribe below. You do not have to do anything.",
            )
        }),
        ("why-received", |n| {
            let t = en(n);
            t.text = t
                .text
                .replace("You get it because you use Lindenfels Maps.", "")
                .replace("WHY YOU GET THIS MESSAGE", "");
        }),
        ("mail-size", |n| en(n).text.push_str(&"x".repeat(100_000))),
        ("placeholders", |n| {
            both(
                n,
                "You do not have to do anything.",
                "{{ secret }} You do not have to do anything.",
            )
        }),
    ];
    let sample = Sample::new();
    for (id, fault) in faults {
        let mut notice = email(&sample);
        fault(&mut notice);
        let found = unmet(&sample, &notice);
        assert!(
            found.iter().any(|line| line.starts_with(&format!("{id}:"))),
            "{id} was not found, but {found:?}"
        );
    }
    let tested: Vec<&str> = faults.iter().map(|(id, _)| *id).collect();
    for check in CHECKLIST {
        let elsewhere = ["channel-length", "correction-names-first"];
        assert!(
            check.advice
                || !check.channels.contains(&Channel::Email)
                || tested.contains(&check.id)
                || elsewhere.contains(&check.id),
            "{} has no test",
            check.id
        );
    }
}

#[test]
fn ids_are_unique() {
    let mut ids: Vec<&str> = CHECKLIST.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CHECKLIST.len());
}

#[test]
fn a_title_that_names_the_company_is_not_said_twice() {
    let sample = Sample::new();
    let templates = Templates::built_in();
    let ground = crate::notice::Ground {
        title: Some("Lindenfels Maps Privacy Policy"),
        ..sample.ground()
    };
    let notice = draft_one(&ground, &house(), &templates, Channel::Email, None, now()).unwrap();
    let subject = notice.texts["en"].subject.as_deref().unwrap();
    assert_eq!(
        subject,
        "Lindenfels Maps Privacy Policy changes on 1 March 2027"
    );
    assert_eq!(unmet(&sample, &notice), Vec::<String>::new());
}

#[test]
fn consent_is_asked_for_and_never_deemed() {
    let mut sample = Sample::new();
    sample.plan.consent_needed = true;
    let notice = email(&sample);
    assert_eq!(unmet(&sample, &notice), Vec::<String>::new());
    let text = &notice.texts["en"].text;
    assert!(text.contains("We need your consent"));
    assert!(!text.contains("the new text\napplies to you"));
    let notices = draft(&sample.ground(), &house(), &Templates::built_in(), now()).unwrap();
    for notice in notices {
        assert_eq!(
            unmet(&sample, &notice),
            Vec::<String>::new(),
            "{}",
            notice.channel
        );
    }
}

#[test]
fn a_long_change_goes_into_an_attachment_that_says_the_same() {
    let clause = |n: usize, days: &str| {
        format!(
            "## {n}. Clause {n}\n\nWe keep the data of kind {n} for {days}. {}\n\n",
            "It is stored on our own machines in two places. ".repeat(20)
        )
    };
    let old: String = (1..60).map(|n| clause(n, "30 days")).collect();
    let new: String = (1..60).map(|n| clause(n, "two years")).collect();
    let mut sample = Sample::of(&format!("# Policy\n\n{old}"), &format!("# Policy\n\n{new}"));
    sample.assessment.findings = (1..60)
        .map(|n| {
            crate::notice::sample::finding(
                &sample,
                &format!("f{n}"),
                crate::assess::Topic::Retention,
                crate::assess::Direction::Adverse,
                crate::assess::Severity::Material,
                (
                    Some(&format!("We keep the data of kind {n} for 30 days.")),
                    Some(&format!("We keep the data of kind {n} for two years.")),
                ),
                None,
            )
        })
        .collect();
    let notice = email(&sample);
    assert_eq!(unmet(&sample, &notice), Vec::<String>::new());
    assert_eq!(notice.attachments.len(), 2);
    assert!(notice.texts["en"].text.contains("privacy-changes-en.txt"));
    assert!(notice.attachments[0].text.contains("kind 59 for two years"));
}

#[test]
fn corrections_and_recalls_name_the_first_notice() {
    let sample = Sample::new();
    let templates = Templates::built_in();
    for recall in [false, true] {
        let first = email(&sample);
        let correction = crate::notice::Correction {
            notice: first.id.clone(),
            subject: first.texts["en"].subject.clone().unwrap(),
            sent: Some(jiff::civil::date(2027, 1, 5)),
            what: "The first notice named the wrong day.".into(),
            recall,
        };
        for channel in Channel::ALL {
            let notice = draft_one(
                &sample.ground(),
                &house(),
                &templates,
                channel,
                Some(correction.clone()),
                now(),
            )
            .unwrap();
            assert_ne!(notice.id, first.id);
            assert_eq!(
                unmet(&sample, &notice),
                Vec::<String>::new(),
                "{channel} {recall}"
            );
        }
    }
}
