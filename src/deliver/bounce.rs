//! Delivery reports: what a returned mail says (RFC 3464), told apart from complaints (RFC 5965)
//! and from automatic replies, which are no bounces.

use mail_parser::{MessageParser, MimeHeaders as _};

use crate::evidence::BounceClass;

/// What a mail in the bounce mailbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportKind {
    /// A delivery report about a failure or a delay.
    Bounce {
        /// How grave.
        class: BounceClass,
        /// The enhanced status code, such as `5.1.1`; empty where there is none.
        status: String,
        /// What the far server said.
        said: String,
    },
    /// A delivery report that says it arrived, or was relayed on.
    Success,
    /// Somebody called the mail unwanted.
    Complaint,
    /// A vacation note or another automatic reply.
    AutoReply,
    /// A mail that somebody wrote, or nothing that can be told.
    Other,
}

/// A mail of the bounce mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is.
    pub kind: ReportKind,
}

/// Tells what a mail is.
pub fn classify(bytes: &[u8]) -> Report {
    Report { kind: kind(bytes) }
}

fn kind(bytes: &[u8]) -> ReportKind {
    let Some(message) = MessageParser::default().parse(bytes) else {
        return ReportKind::Other;
    };
    let mut fields = None;
    for part in &message.parts {
        let Some(kind) = part.content_type() else {
            continue;
        };
        let subtype = kind.subtype().unwrap_or_default().to_ascii_lowercase();
        match subtype.as_str() {
            "feedback-report" => return ReportKind::Complaint,
            "delivery-status" | "global-delivery-status" => {
                fields = Some(String::from_utf8_lossy(part.contents()).into_owned());
            }
            _ => {}
        }
    }
    if let Some(fields) = fields {
        return from_fields(&fields);
    }
    let head = header_text(bytes).to_ascii_lowercase();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let from = header("from").unwrap_or_default();
    let by_the_system = header("return-path") == Some("<>")
        || from.contains("mailer-daemon")
        || from.contains("postmaster@");
    let replied = header("auto-submitted").is_some_and(|value| value.starts_with("auto-replied"))
        || header("x-autoreply").is_some()
        || header("precedence") == Some("auto_reply")
        || [
            "out of office",
            "auto-reply",
            "autoreply",
            "abwesenheit",
            "自动回复",
            "vacation",
        ]
        .iter()
        .any(|words| subject.contains(words));
    if replied {
        return ReportKind::AutoReply;
    }
    if by_the_system {
        let body = message.body_text(0).unwrap_or_default().into_owned();
        return from_words(&body);
    }
    ReportKind::Other
}

/// The header block, folded lines joined.
fn header_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(1 << 16)).unwrap_or_default());
    let text = text.replace("\r\n", "\n");
    let head = text.split("\n\n").next().unwrap_or_default();
    head.replace("\n ", " ").replace("\n\t", " ")
}

/// Reads the machine-readable fields of a delivery report.
fn from_fields(fields: &str) -> ReportKind {
    let fields = fields
        .replace("\r\n", "\n")
        .replace("\n ", " ")
        .replace("\n\t", " ");
    let field = |name: &str| {
        fields.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let action = field("Action").unwrap_or_default().to_ascii_lowercase();
    let status = field("Status").unwrap_or_default();
    let status = status
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    let said = field("Diagnostic-Code").unwrap_or_default();
    let class = match action.as_str() {
        "failed" => class_of(&status, &said),
        "delayed" => BounceClass::Delayed,
        "delivered" | "relayed" | "expanded" => return ReportKind::Success,
        _ if status.starts_with('5') => class_of(&status, &said),
        _ if status.starts_with('4') => BounceClass::Soft,
        _ => return ReportKind::Other,
    };
    ReportKind::Bounce {
        class,
        status,
        said,
    }
}

/// Hard is an address or a domain that does not work; a full mailbox, a filter, a size or an
/// expired queue may work another time.
fn class_of(status: &str, said: &str) -> BounceClass {
    let mut parts = status.split('.');
    let class = parts.next().unwrap_or_default();
    let (subject, detail) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if class == "4" {
        return BounceClass::Soft;
    }
    match (subject, detail) {
        // RFC 3463: addressing, mailbox disabled, host not found or not reachable at all.
        ("1", "0" | "1" | "2" | "3" | "6" | "10") | ("2", "1") | ("4", "4") => BounceClass::Hard,
        // Over quota, too large, congestion, policy and content.
        ("2" | "3" | "4" | "6" | "7", _) => {
            if names_unknown_user(said) {
                BounceClass::Hard
            } else {
                BounceClass::Soft
            }
        }
        _ if names_unknown_user(said) => BounceClass::Hard,
        ("0", "0") | ("", _) => BounceClass::Soft,
        _ => BounceClass::Soft,
    }
}

fn names_unknown_user(said: &str) -> bool {
    let said = said.to_lowercase();
    [
        "user unknown",
        "unknown user",
        "no such user",
        "no such recipient",
        "does not exist",
        "doesn't exist",
        "no mailbox",
        "mailbox not found",
        "mailbox unavailable",
        "recipient not found",
        "address rejected: user",
        "invalid recipient",
        "invalid mailbox",
        "host not found",
        "domain not found",
        "account is disabled",
        "account has been disabled",
        "not a valid mailbox",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// A report in words only: the first enhanced status code, or words that name the reason.
fn from_words(body: &str) -> ReportKind {
    let line = body.lines().find_map(|line| {
        line.split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .find(|word| is_status(word))
            .map(|status| (status.to_owned(), line.trim().to_owned()))
    });
    match line {
        Some((status, said)) if status.starts_with('4') => ReportKind::Bounce {
            class: BounceClass::Soft,
            status,
            said,
        },
        Some((status, said)) => ReportKind::Bounce {
            class: class_of(&status, &said),
            status,
            said,
        },
        None if names_unknown_user(body) => ReportKind::Bounce {
            class: BounceClass::Hard,
            status: String::new(),
            said: "user unknown".to_owned(),
        },
        None => ReportKind::Other,
    }
}

fn is_status(word: &str) -> bool {
    let parts: Vec<&str> = word.trim_end_matches('.').split('.').collect();
    matches!(parts.as_slice(), ["4" | "5", subject, detail]
        if subject.len() == 1 && (1..=3).contains(&detail.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(action: &str, status: &str, said: &str) -> Vec<u8> {
        format!(
            "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nTo: bounce+c-1-4-00@mail.example\r\n\
             Subject: Undelivered\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; ann@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; {said}\r\n\r\n--b--\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn hard_and_soft_and_delayed_are_told_apart() {
        for (action, status, said, class) in [
            ("failed", "5.1.1", "550 no such user", BounceClass::Hard),
            ("failed", "5.2.1", "550 disabled", BounceClass::Hard),
            ("failed", "5.4.4", "host not found", BounceClass::Hard),
            ("failed", "5.2.2", "552 mailbox full", BounceClass::Soft),
            ("failed", "5.7.1", "550 looks like spam", BounceClass::Soft),
            ("failed", "5.7.1", "550 user unknown", BounceClass::Hard),
            ("failed", "4.4.7", "expired", BounceClass::Soft),
            ("delayed", "4.4.1", "no answer", BounceClass::Delayed),
        ] {
            let ReportKind::Bounce {
                class: found,
                status: code,
                ..
            } = classify(&report(action, status, said)).kind
            else {
                panic!("{action} {status}");
            };
            assert_eq!((found, code.as_str()), (class, status), "{said}");
        }
        assert_eq!(
            classify(&report("relayed", "2.0.0", "ok")).kind,
            ReportKind::Success
        );
    }

    #[test]
    fn replies_and_complaints_are_no_bounces() {
        for (mail, kind) in [
            (
                "From: ann@example.org\r\nAuto-Submitted: auto-replied\r\nSubject: Re: Terms\r\n\r\nI am away until 5.1.1.",
                ReportKind::AutoReply,
            ),
            (
                "From: ann@example.org\r\nSubject: Out of Office\r\n\r\nx",
                ReportKind::AutoReply,
            ),
            (
                "From: ann@example.org\r\nSubject: A question\r\n\r\nWhat is section 5.1.1?",
                ReportKind::Other,
            ),
            (
                "From: fbl@isp.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--b--\r\n",
                ReportKind::Complaint,
            ),
        ] {
            assert_eq!(classify(mail.as_bytes()).kind, kind);
        }
        let words = "From: MAILER-DAEMON@x.example\r\nReturn-Path: <>\r\nSubject: failure\r\n\r\n<ann@example.org>: 550 5.1.1 unknown\r\n";
        assert!(matches!(
            classify(words.as_bytes()).kind,
            ReportKind::Bounce {
                class: BounceClass::Hard,
                ..
            }
        ));
        assert_eq!(classify(b"").kind, ReportKind::Other);
    }
}
