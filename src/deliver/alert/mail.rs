//! A mail to the team: one for all that is due, the redlines attached.

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    address::Envelope,
    message::{Attachment, Mailbox, MultiPart, header::ContentType},
    transport::smtp::authentication::Credentials,
};

use super::{AlertError, AlertMessage};

/// How the mail goes out.
#[derive(Clone, Default)]
pub struct MailSettings {
    /// The relay: `smtps://…` or `smtp://…`, the user in it.
    pub smtp: String,
    /// The password, when the relay wants one.
    pub password: Option<String>,
    /// From.
    pub from: String,
    /// To.
    pub to: Vec<String>,
}

/// Bytes of redlines that are attached at most.
const ATTACHED: usize = 8 << 20;

/// Sends a digest to one of its recipients: a relay refuses a mail as a whole when it refuses one
/// of them.
///
/// # Errors
/// When an address is wrong or the relay refuses.
pub async fn mail(
    settings: &MailSettings,
    to: &str,
    messages: &[AlertMessage],
) -> Result<(), AlertError> {
    let message = build(settings, messages)?;
    let envelope = Envelope::new(
        Some(mailbox(&settings.from)?.email),
        vec![mailbox(to)?.email],
    )
    .map_err(|e| AlertError::Setup(format!("cannot address the mail: {e}")))?;
    transport(settings)?
        .send_raw(&envelope, &message.formatted())
        .await
        .map(|_| ())
        .map_err(|e| {
            let relay = url::Url::parse(&settings.smtp)
                .ok()
                .and_then(|u| u.host_str().map(str::to_owned))
                .unwrap_or_default();
            AlertError::Refused {
                to: format!("{relay} ({to})"),
                detail: e.to_string(),
            }
        })
}

fn mailbox(text: &str) -> Result<Mailbox, AlertError> {
    text.parse()
        .map_err(|e| AlertError::Setup(format!("`{text}` is no mail address: {e}")))
}

fn build(settings: &MailSettings, messages: &[AlertMessage]) -> Result<Message, AlertError> {
    let from = mailbox(&settings.from)?;
    let ids: Vec<&str> = messages.iter().map(|m| m.id.as_str()).collect();
    let id = crate::evidence::Hash::of(ids.join(" ").as_bytes()).short();
    let subject = match messages {
        [one] => one.headline(),
        many => format!("{} policy alerts: {}", many.len(), gravest(many)),
    };
    let mut builder = Message::builder()
        .message_id(Some(format!("<alert-{id}@{}>", from.email.domain())))
        .from(from)
        .subject(subject);
    for to in &settings.to {
        builder = builder.to(mailbox(to)?);
    }
    let mut ordered: Vec<&AlertMessage> = messages.iter().collect();
    ordered.sort_by_key(|message| std::cmp::Reverse(rank(message)));
    let joined = |part: fn(&AlertMessage) -> String, between: &str| {
        let parts: Vec<String> = ordered.iter().map(|message| part(message)).collect();
        parts.join(between)
    };
    let text = joined(AlertMessage::text, "\n———\n\n");
    let page = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif\">{}</body></html>",
        joined(AlertMessage::html, "<hr>")
    );
    let mut body = MultiPart::mixed().multipart(MultiPart::alternative_plain_html(text, page));
    let mut room = ATTACHED;
    for message in ordered {
        let Some(page) = &message.redline_page else {
            continue;
        };
        if page.len() > room {
            continue;
        }
        room -= page.len();
        let name = format!("redline-{}.html", message.document);
        body = body.singlepart(Attachment::new(name).body(page.clone(), ContentType::TEXT_HTML));
    }
    builder
        .multipart(body)
        .map_err(|e| AlertError::Setup(format!("cannot build the mail: {e}")))
}

/// Material before substantive before the rest.
fn rank(message: &AlertMessage) -> u8 {
    match message.verdict.as_deref() {
        Some("material") => 3,
        Some("substantive") => 2,
        _ => 1,
    }
}

fn gravest(messages: &[AlertMessage]) -> String {
    messages
        .iter()
        .max_by_key(|message| rank(message))
        .map(AlertMessage::headline)
        .unwrap_or_default()
}

fn transport(settings: &MailSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, AlertError> {
    let wrong = |detail: String| AlertError::Setup(format!("[mail] smtp cannot be used: {detail}"));
    let url = url::Url::parse(&settings.smtp).map_err(|e| wrong(e.to_string()))?;
    let host = url
        .host_str()
        .ok_or_else(|| wrong("it names no host".to_owned()))?;
    let loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let plain = loopback || url.query_pairs().any(|(k, v)| k == "tls" && v == "none");
    let mut builder = match url.scheme() {
        "smtps" => {
            AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(|e| wrong(e.to_string()))?
        }
        "smtp" if plain => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        "smtp" => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host)
            .map_err(|e| wrong(e.to_string()))?,
        other => return Err(wrong(format!("`{other}` is neither smtp nor smtps"))),
    };
    if let Some(port) = url.port() {
        builder = builder.port(port);
    }
    if !url.username().is_empty() {
        let password = settings.password.clone().unwrap_or_default();
        builder = builder.credentials(Credentials::new(url.username().to_owned(), password));
    }
    Ok(builder
        .timeout(Some(std::time::Duration::from_secs(60)))
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::alert::message::sample;

    #[test]
    fn a_digest_names_the_gravest_and_attaches_the_redlines() {
        let settings = MailSettings {
            smtp: "smtp://127.0.0.1:2525".to_owned(),
            password: None,
            from: "Watch <watch@harbour.example>".to_owned(),
            to: vec!["legal@harbour.example".to_owned()],
        };
        let other = AlertMessage {
            id: "b".to_owned(),
            what: "failing".to_owned(),
            verdict: None,
            ..sample()
        };
        let first = AlertMessage {
            redline_page: Some("<p>redline</p>".to_owned()),
            ..sample()
        };
        let message = build(&settings, &[other, first]).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(
            text.contains("Subject: 2 policy alerts: Moss <Privacy> Policy: material change"),
            "{text}"
        );
        assert!(text.contains("filename=\"redline-moss.html\""), "{text}");
        let page = text.split("text/html").nth(1).unwrap();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("line-through"), "{page}");
        let (material, failing) = (text.find("material change"), text.rfind(": failing"));
        assert!(material < failing, "material first: {text}");
        assert!(text.contains("Message-ID: <alert-"), "{text}");
    }

    #[test]
    fn a_relay_without_tls_must_be_local_or_said() {
        let settings = |smtp: &str| MailSettings {
            smtp: smtp.to_owned(),
            ..MailSettings::default()
        };
        for smtp in [
            "smtp://127.0.0.1:25",
            "smtps://relay.example",
            "smtp://relay.example?tls=none",
        ] {
            assert!(transport(&settings(smtp)).is_ok(), "{smtp}");
        }
        for smtp in ["http://relay.example", "relay"] {
            assert!(transport(&settings(smtp)).is_err(), "{smtp}");
        }
    }
}
