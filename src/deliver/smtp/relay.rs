//! Where mail goes: an SMTP URL, taken apart.

use std::{net::IpAddr, path::PathBuf, time::Duration};

/// How a session is kept from being read and altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, without which nothing is sent.
    StartTls,
    /// None: only for this machine itself, or where somebody said so.
    None,
}

/// How long to wait for a server, by RFC 5321, section 4.5.3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the greeting and for replies to commands.
    pub command: Duration,
    /// For taking a message's bytes.
    pub content: Duration,
    /// For the reply after the content. Shorter is how doubles are made.
    pub done: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(300),
            content: Duration::from_secs(180),
            done: Duration::from_secs(600),
        }
    }
}

/// A relay and how to speak with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the session is protected.
    pub security: Security,
    /// Who logs in.
    pub user: Option<String>,
    /// The password, from the environment or a file.
    pub password: Option<String>,
    /// A file of certificates (PEM) to trust instead of the machine's.
    pub ca: Option<PathBuf>,
    /// How this machine calls itself.
    pub hello: String,
    /// Patience.
    pub timeouts: Timeouts,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({self})")
    }
}

impl std::fmt::Display for Relay {
    /// Without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.security {
            Security::Tls => "smtps",
            Security::StartTls | Security::None => "smtp",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Why a text is no SMTP URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL at all.
    #[error("`{0}` is no SMTP address; write smtps://host or smtp://host")]
    Form(String),
    /// The password is in it.
    #[error(
        "the password does not belong into the address: put it into FAIRNOTICE_SMTP_PASSWORD or a file"
    )]
    Password,
    /// An unknown word after the `?`.
    #[error(
        "`{0}` is unknown after the ?; known are tls=none, tls=starttls, tls=implicit and ca=FILE"
    )]
    Option(String),
    /// A user without protection.
    #[error("a login over an unprotected connection is only possible on this machine itself")]
    LoginInTheClear,
}

impl Relay {
    /// Reads `smtps://[user@]host[:port][?ca=FILE]` or `smtp://…[?tls=none]`.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let form = || UrlError::Form(text.to_owned());
        let url = url::Url::parse(text).map_err(|_| form())?;
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(form()),
        };
        if url.password().is_some() {
            return Err(UrlError::Password);
        }
        let host = url.host_str().filter(|h| !h.is_empty()).ok_or_else(form)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let local = is_local(&host);
        let mut security = match (implicit, local) {
            (true, _) => Security::Tls,
            (false, true) => Security::None,
            (false, false) => Security::StartTls,
        };
        let mut ca = None;
        for (name, value) in url.query_pairs() {
            match (name.as_ref(), value.as_ref()) {
                ("tls", "none") if !implicit => security = Security::None,
                ("tls", "starttls") if !implicit => security = Security::StartTls,
                ("tls", "implicit") => security = Security::Tls,
                ("ca", file) => ca = Some(PathBuf::from(file)),
                _ => return Err(UrlError::Option(format!("{name}={value}"))),
            }
        }
        let user = (!url.username().is_empty()).then(|| percent_decode(url.username()));
        if user.is_some() && security == Security::None && !local {
            return Err(UrlError::LoginInTheClear);
        }
        let port = url.port().unwrap_or(match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        });
        Ok(Self {
            host,
            port,
            security,
            user,
            password: None,
            ca,
            hello: "localhost".to_owned(),
            timeouts: Timeouts::default(),
        })
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(in crate::deliver) fn percent_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_is_the_rule_and_this_machine_the_exception() {
        for (text, security, port) in [
            ("smtps://mail.example", Security::Tls, 465),
            ("smtp://mail.example", Security::StartTls, 587),
            ("smtp://mail.example:25", Security::StartTls, 25),
            ("smtp://127.0.0.1:2525", Security::None, 2525),
            ("smtp://[::1]:2525", Security::None, 2525),
            ("smtp://localhost", Security::None, 25),
            ("smtp://localhost?tls=starttls", Security::StartTls, 587),
            ("smtp://mail.example:25?tls=none", Security::None, 25),
        ] {
            let relay = Relay::parse(text).unwrap();
            assert_eq!((relay.security, relay.port), (security, port), "{text}");
        }
        let relay = Relay::parse("smtps://ann%40x@mail.example").unwrap();
        assert_eq!(relay.user.as_deref(), Some("ann@x"));
        assert_eq!(relay.to_string(), "smtps://mail.example:465");
    }

    #[test]
    fn what_is_unsafe_or_unknown_is_refused() {
        for (text, part) in [
            ("mail.example", "no SMTP address"),
            ("http://mail.example", "no SMTP address"),
            ("smtps://ann:secret@mail.example", "does not belong"),
            ("smtp://mail.example?tls=maybe", "unknown"),
            ("smtps://mail.example?tls=none", "unknown"),
            ("smtp://ann@mail.example?tls=none", "only possible"),
        ] {
            let error = Relay::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("secret"));
        }
    }
}
