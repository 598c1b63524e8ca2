//! A mail to the team: one for all that is due, the redlines attached.

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
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

/// Sends a digest.
///
/// # Errors
/// When an address is wrong or the relay refuses.
pub async fn mail(settings: &MailSettings, messages: &[AlertMessage]) -> Result<(), AlertError> {
    let message = build(settings, messages)?;
    let transport = transport(settings)?;
    transport
        .send(message)
        .await
        .map(|_| ())
        .map_err(|e| AlertError::Refused {
            to: url::Url::parse(&settings.smtp)
                .ok()
                .and_then(|u| u.host_str().map(str::to_owned))
                .unwrap_or_default(),
            detail: e.to_string(),
        })
}

fn build(settings: &MailSettings, messages: &[AlertMessage]) -> Result<Message, AlertError> {
    let address = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|e| AlertError::Setup(format!("`{text}` is no mail address: {e}")))
    };
    let from = address(&settings.from)?;
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
        builder = builder.to(address(to)?);
    }
    let text = messages
        .iter()
        .map(AlertMessage::text)
        .collect::<Vec<_>>()
        .join("\n———\n\n");
    let mut body = MultiPart::mixed().singlepart(SinglePart::plain(text));
    let mut room = ATTACHED;
    for message in messages {
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

fn gravest(messages: &[AlertMessage]) -> String {
    let rank = |m: &&AlertMessage| match m.verdict.as_deref() {
        Some("material") => 3,
        Some("substantive") => 2,
        _ => 1,
    };
    messages
        .iter()
        .max_by_key(rank)
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
