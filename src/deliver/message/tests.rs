use std::collections::BTreeMap;

use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;

use super::*;
use crate::notice::{Attachment, Channel, FORMAT, State, Text, Versions};

pub(crate) fn notice(subject: &str, text: &str, html: Option<&str>) -> Notice {
    let text = Text {
        subject: Some(subject.to_owned()),
        text: text.to_owned(),
        html: html.map(str::to_owned),
    };
    Notice {
        format: FORMAT,
        id: "terms-1-email".to_owned(),
        document: "terms".to_owned(),
        document_title: "Terms".to_owned(),
        company: "Example Rooms".to_owned(),
        versions: Versions::default(),
        channel: Channel::Email,
        state: State::Approved,
        texts: BTreeMap::from([("en".to_owned(), text)]),
        authentic: None,
        fallback: "en".to_owned(),
        attachments: Vec::new(),
        effective: None,
        send_by: None,
        fields: BTreeMap::new(),
        findings: Vec::new(),
        duties: Vec::new(),
        consent_needed: false,
        checks: Vec::new(),
        edits: Vec::new(),
        approvals: Vec::new(),
        publications: Vec::new(),
        corrects: None,
        created: "2027-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn sender() -> Sender {
    Sender {
        from: "Example Rooms Notices <notices@mail.example>".to_owned(),
        reply_to: Some("privacy@example.org".to_owned()),
        bounce: None,
    }
}

fn ids() -> Identities {
    Identities::new([1; 32], "c-1", "mail.example")
}

fn person(name: &str) -> Recipient {
    Recipient {
        email: "ann@example.org".to_owned(),
        name: Some(name.to_owned()),
        ..Recipient::default()
    }
}

fn date() -> Timestamp {
    "2027-01-01T10:00:00Z".parse().unwrap()
}

fn build(notice: &Notice, recipient: &Recipient) -> Vec<u8> {
    let template = Template::new(notice, &sender()).unwrap();
    template
        .message(recipient, &ids(), 4, date())
        .unwrap()
        .bytes
}

#[test]
fn a_message_has_exactly_what_a_notice_needs() {
    let notice = notice(
        "New terms from 1 March 2027",
        "Dear {{ recipient.name }},\n\n.Something changes.\nFrom now on.\n",
        Some("<!doctype html><html lang=\"en\"><p>Dear {{ recipient.name }}</p></html>"),
    );
    let bytes = build(&notice, &person("Ann <b>"));
    let text = String::from_utf8(bytes.clone()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap();
    insta::assert_snapshot!(head.replace("\r\n", "\n"), @r#"
    From: "Example Rooms Notices" <notices@mail.example>
    Reply-To: privacy@example.org
    Auto-Submitted: auto-generated
    X-Auto-Response-Suppress: All
    MIME-Version: 1.0
    To: "Ann <b>" <ann@example.org>
    Subject: New terms from 1 March 2027
    Date: Fri, 1 Jan 2027 10:00:00 +0000
    Message-ID: <923e507f4d25a0df2892f518745db511@mail.example>
    Feedback-ID: c-1:notice:mail:620168559e6a
    Content-Language: en
    Content-Type: multipart/alternative;
     boundary="=_alt_f9983834a653f25b7517559e"
    "#);
    assert!(!text.contains("List-Unsubscribe") && !text.contains("Precedence"));
    assert!(text.is_ascii());
    for line in text.split("\r\n") {
        assert!(line.len() <= 78 && !line.starts_with('.') && !line.contains(['\r', '\n']));
    }
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        parsed.body_text(0).unwrap().replace("\r\n", "\n"),
        "Dear Ann <b>,\n\n.Something changes.\nFrom now on.\n"
    );
    assert!(parsed.body_html(0).unwrap().contains("Ann &lt;b&gt;"));
    assert_eq!(
        parsed.parts[0].content_type().unwrap().subtype(),
        Some("alternative")
    );
}

#[test]
fn attachments_and_languages() {
    let mut notice = notice("Terms", "Hello", None);
    notice.texts.insert(
        "zh".to_owned(),
        Text {
            subject: Some("条款变更通知".to_owned()),
            text: "您好 {{ recipient.name | default(\"用户\") }}".to_owned(),
            html: Some("<p>您好</p>".to_owned()),
        },
    );
    notice.attachments.push(Attachment::of_bytes(
        "变更.pdf",
        "application/pdf",
        &[0, 255, 46, 13, 10, 46],
    ));
    let recipient = Recipient {
        locale: Some("zh-CN".to_owned()),
        name: None,
        ..person("x")
    };
    let bytes = build(&notice, &recipient);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject(), Some("条款变更通知"));
    assert_eq!(parsed.body_text(0).unwrap(), "您好 用户");
    let attachment = parsed.attachment(0).unwrap();
    assert_eq!(attachment.attachment_name(), Some("变更.pdf"));
    assert_eq!(attachment.contents(), [0, 255, 46, 13, 10, 46]);
}

#[test]
fn what_cannot_be_a_mail_is_refused() {
    let text = |subject: &str, text: &str| Template::new(&notice(subject, text, None), &sender());
    assert!(text("a\r\nBcc: b", "x").is_err());
    assert!(text("a", " ").is_err());
    let error = text("a", "line\n{{ 7 * 7 }}").unwrap_err().to_string();
    assert!(error.contains("language en, text: line 2"), "{error}");
    let template = text("a", "{{ recipient.plan }}").unwrap();
    assert_eq!(template.needed(), ["plan"]);
    let missing = template.message(&person("x"), &ids(), 0, date());
    assert!(missing.unwrap_err().to_string().contains("`plan`"));
    let big = text("a", &"x".repeat(LARGEST)).unwrap();
    assert!(big.message(&person("x"), &ids(), 0, date()).is_err());
    let bad = Sender {
        from: "not an address".to_owned(),
        ..sender()
    };
    assert!(Template::new(&notice("a", "b", None), &bad).is_err());
}

/// The slow path: the same mail, built by lettre from texts filled in by the notice room.
fn by_the_book(template: &Template, recipient: &Recipient) -> Vec<u8> {
    use lettre::message::{MultiPart, SinglePart};
    let (subject, text, html) = template.plain_texts(recipient).unwrap();
    let to = Mailbox::new(recipient.name.clone(), recipient.email.parse().unwrap());
    lettre::Message::builder()
        .from(sender().mailbox().unwrap())
        .to(to)
        .subject(subject)
        .multipart(
            MultiPart::alternative()
                .singlepart(SinglePart::plain(text))
                .singlepart(SinglePart::html(html.unwrap_or_default())),
        )
        .unwrap()
        .formatted()
}

proptest! {
    #[test]
    fn the_quick_way_says_what_the_slow_way_says(
        name in "[\\PC&&[^\\p{Cf}]]{1,40}",
        plan in "\\PC{0,120}",
        before in "(\\PC|\n){0,200}",
        after in "(\\PC|\n){0,200}",
    ) {
        let name = name.trim().to_owned();
        prop_assume!(!name.is_empty() && !name.contains("=?") && !before.ends_with('{'));
        let before = notice::literal(&before).into_owned();
        let after = notice::literal(&after).into_owned();
        let text = format!("A{before}{{{{ recipient.plan | default(\"none\") }}}}{after}Z");
        let html = format!("<p>{before}{{{{ recipient.name }}}}{after}</p>");
        let mut recipient = person(&name);
        recipient.extra.insert("plan".to_owned(), plan);
        let notice = notice("Hello {{ recipient.name }}", &text, Some(&html));
        let template = Template::new(&notice, &sender()).unwrap();
        let quick = template.message(&recipient, &ids(), 1, date()).unwrap().bytes;
        let slow = by_the_book(&template, &recipient);
        let (quick, slow) = (
            MessageParser::default().parse(&quick).unwrap(),
            MessageParser::default().parse(&slow).unwrap(),
        );
        let unix = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned();
        prop_assert_eq!(unix(&quick.body_text(0).unwrap()), unix(&slow.body_text(0).unwrap()));
        prop_assert_eq!(unix(&quick.body_html(0).unwrap()), unix(&slow.body_html(0).unwrap()));
        prop_assert_eq!(quick.subject(), slow.subject());
        let to = |m: &mail_parser::Message<'_>| m.to().and_then(|a| a.first().cloned()).map(|a| (
            a.name().map(str::to_owned), a.address().map(str::to_owned)));
        prop_assert_eq!(to(&quick), to(&slow));
    }
}
