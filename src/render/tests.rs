//! One pair of versions, judged by hand, in each form of text.

use crate::{
    assess::{Assessment, Direction, Finding, Quote, Reason, SectionRef, Severity, Topic, Verdict},
    compare::compare,
    duty::{
        Acceptance, Channel, Duty, Lead, LeadUnit, Mode, MustState, PromiseChange,
        PromiseChangeKind, Source, Timing, Trigger,
    },
    read::{Document, Format, Input, read},
    render::{Head, Redline, TerminalStyle, TriggeredDuty, VersionHead, markdown, terminal},
};

const OLD: &str = "# Heron Terms\n\nEffective January 1, 2026\n\n## 1. Data\n\nWe keep logs for ten days. We never sell your data.\n\n## 2. Changes\n\nWe tell you by e-mail 30 days before a material change.\n";
const NEW: &str = "# Heron Terms\n\nEffective March 1, 2026\n\n## 1. Data\n\nWe keep logs for ninety days. We never sell your data.\n\n## 2. Fees\n\nThe service costs 3 EUR a month.\n\n## 3. Changes\n\nWe tell you by e-mail 30 days before a material change.\n";

fn document(text: &str) -> Document {
    read(&Input {
        bytes: text.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
    .unwrap()
}

fn quote(document: &Document, words: &str) -> Quote {
    let start = document.text.find(words).unwrap();
    let span = start..start + words.len();
    Quote {
        lines: document.lines_of(&span),
        text: words.to_owned(),
        span,
    }
}

fn duty(document: &Document) -> Duty {
    let words = "We tell you by e-mail 30 days before a material change.";
    Duty {
        id: "d1".to_owned(),
        source: Source::Policy,
        trigger: Trigger::MaterialChange,
        channels: vec![Channel::Email],
        mode: Mode::Any,
        timing: Timing::Before,
        lead_days: Some(30),
        lead: Some(Lead {
            count: 30,
            unit: LeadUnit::Days,
        }),
        acceptance: Acceptance::ContinuedUse,
        must_state: vec![MustState::EffectiveDate],
        hedged: false,
        lines: quote(document, words).lines,
        quote: words.to_owned(),
        section: vec!["2".to_owned()],
        addressee: None,
        judge: None,
        fallback: Vec::new(),
        follow_up: None,
        opt_out: None,
        exceptions: Vec::new(),
        conflicts: Vec::new(),
    }
}

fn with<T>(show: impl Fn(&Redline<'_>) -> T) -> T {
    let (old, new) = (document(OLD), document(NEW));
    let comparison = compare(&old, &new);
    let change = comparison
        .changes
        .iter()
        .find(|c| {
            c.new
                .as_ref()
                .is_some_and(|s| new.slice(&s.span).contains("ninety"))
        })
        .unwrap();
    let assessment = Assessment {
        verdict: Verdict::Material,
        findings: vec![Finding {
            proposed: None,
            id: "f1".to_owned(),
            change: change.id.clone(),
            also: Vec::new(),
            topic: Topic::Retention,
            direction: Direction::Adverse,
            severity: Severity::Material,
            section: SectionRef {
                old: vec!["1".to_owned()],
                new: vec!["1".to_owned()],
                title: "Data".to_owned(),
            },
            old: Some(quote(&old, "We keep logs for ten days.")),
            new: Some(quote(&new, "We keep logs for ninety days.")),
            reasons: vec![Reason {
                code: "period-longer".to_owned(),
                evidence: "ten days → ninety days".to_owned(),
            }],
            confidence: 0.9,
            summary: Some("Logs are kept for ninety days instead of ten.".to_owned()),
        }],
        ..Assessment::default()
    };
    let duties = vec![TriggeredDuty {
        duty: duty(&old),
        because: vec!["f1".to_owned()],
    }];
    let promises = vec![PromiseChange {
        change: PromiseChangeKind::Dropped,
        old: Some(duty(&old)),
        new: None,
    }];
    let head = Head {
        old: VersionHead {
            name: "heron@old".to_owned(),
            sha256: Some("0f".repeat(32)),
            ..VersionHead::default()
        },
        new: VersionHead {
            name: "heron@new".to_owned(),
            version: Some("abc".to_owned()),
            ..VersionHead::default()
        },
        ..Head::default()
    };
    show(&Redline {
        old: &old,
        new: &new,
        comparison: &comparison,
        assessment: Some(&assessment),
        duties: &duties,
        promises: &promises,
        head: &head,
    })
}

#[test]
fn terminal_form() {
    let text = with(|redline| {
        terminal(
            redline,
            &TerminalStyle {
                colour: false,
                width: 80,
                everything: false,
            },
        )
    });
    insta::assert_snapshot!(text);
}

#[test]
fn terminal_form_in_colour_and_narrow() {
    let text = with(|redline| {
        terminal(
            redline,
            &TerminalStyle {
                colour: true,
                width: 44,
                everything: true,
            },
        )
    });
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
}

#[test]
fn markdown_form() {
    insta::assert_snapshot!(with(markdown));
}

#[test]
fn the_page_puts_findings_beside_the_text() {
    let page = with(|redline| super::html(redline).unwrap());
    assert!(
        page.contains("<aside class=\"note\"><p class=\"f s-material d-adverse\"><a href=\"#f1\">")
    );
    assert!(page.contains("<li id=\"f1\""));
    assert!(page.contains("<strong>dropped</strong>"));
    assert!(page.contains("v-material"));
}

#[test]
fn findings_are_comments_in_the_document() {
    use std::io::Read as _;
    let docx = with(|redline| super::docx(redline).unwrap());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(docx)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    };
    assert!(read("word/comments.xml").contains("Logs are kept for ninety days instead of ten."));
    assert!(read("word/document.xml").contains("<w:commentReference "));
}

#[test]
fn quotes_are_shown_as_a_page_shows_them() {
    let text = "# Heron Terms\n\n**Contact:** write to [help@heron.example](https://heron.example/help \"Help\"). We reply.\n\n- We keep 2 \\* 3 logs.\n- We share them.\n";
    let document = document(text);
    let shown = |words: &str| super::readable::quoted(&document, &quote(&document, words));
    assert_eq!(
        shown("**Contact:** write to [help@heron.example](https://heron.example/help \"Help\")."),
        "Contact: write to help@heron.example."
    );
    assert_eq!(
        shown("We keep 2 \\* 3 logs.\n- We share them."),
        "We keep 2 * 3 logs. We share them."
    );
    // Words that somebody added by hand stand in no text.
    let added = Quote {
        span: 0..9,
        lines: (1, 1),
        text: "We **may** share.".to_owned(),
    };
    assert_eq!(super::readable::quoted(&document, &added), "We may share.");
}

#[test]
fn changed_passages_are_short_enough_for_a_mail() {
    let long = "We keep what you write to us in our archive, and whoever asks for it gets a copy. "
        .repeat(8);
    let old = document(&format!(
        "# Heron Terms\n\n## 1. Data\n\n{long}We keep logs for ten days. {long}\n\n- We delete drafts.\n\n## 2. Contact\n\nWrite to us & wait < 3 days.\n"
    ));
    let new = document(&format!(
        "# Heron Terms\n\n## 1. Data\n\n{long}We keep logs for ninety days. {long}\n\n- We delete drafts.\n- We read drafts.\n\n## 2. Contact\n\nWrite to us & wait < 5 days.\n"
    ));
    let comparison = compare(&old, &new);
    let head = Head::default();
    let shown = super::passages(&Redline {
        old: &old,
        new: &new,
        comparison: &comparison,
        assessment: None,
        duties: &[],
        promises: &[],
        head: &head,
    });
    let text: String = shown
        .iter()
        .map(|passage| format!("{}\n{}", passage.heading(), passage.text()))
        .collect();
    insta::assert_snapshot!(text, @r"
    Changed: 1 Data
    … for it gets a copy. We keep what you write to us in our archive, and whoever asks for it gets a copy. We keep logs for [-ten-]{+ninety+} days. We keep what you write to us in our archive, and whoever asks for it gets a copy. We keep what you write to us …
    Added: 1 Data
    {+We read drafts.+}
    Changed: 2 Contact
    Write to us & wait < [-3-]{+5+} days.
    ");
    let page: String = shown.iter().map(super::Passage::html).collect();
    assert!(page.contains("<del style=") && page.contains("<ins style="));
    assert!(page.contains("us &amp; wait &lt; <del"), "{page}");
}
