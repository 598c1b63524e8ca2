//! One connection to a relay.
//!
//! ```text
//! content 1 . MAIL 2 RCPT 2 DATA  ─►         one write
//!      250        250    250    354  ◄─      one round trip
//! ```
//! Where PIPELINING is offered, the content of a message and the envelope of the next travel
//! together (RFC 2920); elsewhere each command waits for its reply.

use std::{io, time::Duration};

use base64::Engine as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Relay, Reply, Security, stream::Stream};

/// Why no session came about.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The network, or a server that is busy: worth another attempt.
    #[error("the relay {relay} cannot be reached: {why}")]
    Unreachable {
        /// The relay.
        relay: String,
        /// Why.
        why: String,
    },
    /// No TLS where it is demanded, or a certificate that proves nothing.
    #[error("no protected connection to {relay}: {why}")]
    NotProtected {
        /// The relay.
        relay: String,
        /// Why.
        why: String,
    },
    /// The login was refused.
    #[error("{relay} refused the login: {reply}")]
    Login {
        /// The relay.
        relay: String,
        /// What it said.
        reply: String,
    },
    /// The server wants nothing of us.
    #[error("{relay} refused the session: {reply}")]
    Refused {
        /// The relay.
        relay: String,
        /// What it said.
        reply: String,
    },
}

impl OpenError {
    /// Whether another attempt may help without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// A connection that is of no more use.
#[derive(Debug)]
pub(in crate::deliver) struct Broken {
    /// Why, for people.
    pub why: String,
    /// Bytes that the system took before it broke, where a write failed.
    pub written: usize,
}

impl Broken {
    fn read(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            written: usize::MAX,
        }
    }
}

/// The envelope of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliver) struct Mail<'a> {
    pub from: &'a str,
    pub to: &'a str,
    /// Stable name of the delivery, for delivery reports.
    pub token: &'a str,
    pub utf8: bool,
    pub size: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Offers {
    pipelining: bool,
    dsn: bool,
    size: bool,
    utf8: bool,
    eight_bit: bool,
    starttls: bool,
    auth_plain: bool,
    auth_login: bool,
}

/// One session with a relay.
pub struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
    at: usize,
    offers: Offers,
    relay: Relay,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("relay", &self.relay)
            .field("offers", &self.offers)
            .finish_non_exhaustive()
    }
}

/// A reply has at most so many lines, and a line so many bytes.
const MOST_LINES: usize = 200;
const LONGEST_LINE: usize = 8192;

impl Connection {
    /// Connects, greets, protects the session and logs in.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn open(relay: &Relay) -> Result<Self, OpenError> {
        let unreachable = |why: String| OpenError::Unreachable {
            relay: relay.to_string(),
            why,
        };
        let unprotected = |why: String| OpenError::NotProtected {
            relay: relay.to_string(),
            why,
        };
        let place = (relay.host.as_str(), relay.port);
        let tcp = timeout(relay.timeouts.connect, TcpStream::connect(place))
            .await
            .map_err(|_| unreachable("no answer".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        // Without this, each message waits 40 ms for an acknowledgement (Nagle's algorithm).
        tcp.set_nodelay(true)
            .map_err(|error| unreachable(error.to_string()))?;
        let stream = if relay.security == Security::Tls {
            protect(tcp, relay).await?
        } else {
            Stream::Plain(tcp)
        };
        let mut connection = Self {
            stream,
            buffer: Vec::with_capacity(1024),
            at: 0,
            offers: Offers::default(),
            relay: relay.clone(),
        };
        let limit = relay.timeouts.command;
        let greeting = connection.reply(limit).await;
        connection.expect(greeting)?;
        connection.hello().await?;
        if relay.security == Security::StartTls {
            if !connection.offers.starttls {
                return Err(unprotected(
                    "it does not offer STARTTLS; use smtps://, or ?tls=none where that is really meant"
                        .to_owned(),
                ));
            }
            let reply = connection.command("STARTTLS", limit).await;
            connection.expect(reply)?;
            // What came before the protection must not count as said under it.
            if connection.at < connection.buffer.len() {
                return Err(unprotected("it spoke before TLS began".to_owned()));
            }
            let Stream::Plain(tcp) = connection.stream else {
                return Err(unprotected("TLS within TLS".to_owned()));
            };
            connection = Self {
                stream: protect(tcp, relay).await?,
                buffer: Vec::with_capacity(1024),
                at: 0,
                offers: Offers::default(),
                relay: relay.clone(),
            };
            connection.hello().await?;
        }
        if let Some(user) = &relay.user {
            connection.login(user).await?;
        }
        Ok(connection)
    }

    async fn hello(&mut self) -> Result<(), OpenError> {
        let limit = self.relay.timeouts.command;
        let reply = self
            .command(&format!("EHLO {}", self.relay.hello), limit)
            .await;
        let reply = match reply {
            Ok(reply) if (500..600).contains(&reply.code) => {
                self.command(&format!("HELO {}", self.relay.hello), limit)
                    .await
            }
            other => other,
        };
        let reply = self.expect(reply)?;
        let mut offers = Offers::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("DSN") => offers.dsn = true,
                Some("SIZE") => offers.size = true,
                Some("SMTPUTF8") => offers.utf8 = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("AUTH") => {
                    for word in words {
                        offers.auth_plain |= word == "PLAIN";
                        offers.auth_login |= word == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        self.offers = offers;
        Ok(())
    }

    async fn login(&mut self, user: &str) -> Result<(), OpenError> {
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let relay = self.relay.to_string();
        let refused = |reply: String| OpenError::Login {
            relay: relay.clone(),
            reply,
        };
        let Some(password) = self.relay.password.clone() else {
            return Err(refused(
                "there is no password; put it into FAIRNOTICE_SMTP_PASSWORD or a file".to_owned(),
            ));
        };
        let limit = self.relay.timeouts.command;
        let result = if self.offers.auth_plain {
            let secret = base64(format!("\0{user}\0{password}").as_bytes());
            self.command(&format!("AUTH PLAIN {secret}"), limit).await
        } else if self.offers.auth_login {
            match self.command("AUTH LOGIN", limit).await {
                Ok(reply) if reply.code == 334 => {
                    match self.command(&base64(user.as_bytes()), limit).await {
                        Ok(reply) if reply.code == 334 => {
                            self.command(&base64(password.as_bytes()), limit).await
                        }
                        other => other,
                    }
                }
                other => other,
            }
        } else {
            return Err(refused("it offers neither PLAIN nor LOGIN".to_owned()));
        };
        match result {
            Ok(reply) if reply.is_positive() => Ok(()),
            Ok(reply) if reply.is_transient() => Err(OpenError::Unreachable {
                relay,
                why: reply.to_string(),
            }),
            Ok(reply) => Err(refused(reply.to_string())),
            Err(broken) => Err(OpenError::Unreachable {
                relay,
                why: broken.why,
            }),
        }
    }

    fn expect(&self, reply: Result<Reply, Broken>) -> Result<Reply, OpenError> {
        let relay = self.relay.to_string();
        match reply {
            Ok(reply) if reply.is_positive() => Ok(reply),
            Ok(reply) if reply.is_transient() => Err(OpenError::Unreachable {
                relay,
                why: reply.to_string(),
            }),
            Ok(reply) => Err(OpenError::Refused {
                relay,
                reply: reply.to_string(),
            }),
            Err(broken) => Err(OpenError::Unreachable {
                relay,
                why: broken.why,
            }),
        }
    }

    /// Whether envelopes may travel with contents.
    pub(in crate::deliver) fn pipelines(&self) -> bool {
        self.offers.pipelining
    }

    /// Whether a local part outside ASCII can be given.
    pub(in crate::deliver) fn takes_utf8(&self) -> bool {
        self.offers.utf8
    }

    /// Appends MAIL, RCPT and DATA of a message.
    pub(in crate::deliver) fn put_envelope(&self, mail: &Mail<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.mail_command(mail).as_bytes());
        out.extend_from_slice(self.rcpt_command(mail).as_bytes());
        out.extend_from_slice(b"DATA\r\n");
    }

    fn mail_command(&self, mail: &Mail<'_>) -> String {
        let mut line = format!("MAIL FROM:<{}>", mail.from);
        if self.offers.size {
            line += &format!(" SIZE={}", mail.size);
        }
        if self.offers.dsn {
            line += &format!(" RET=HDRS ENVID={}", mail.token);
        }
        if mail.utf8 {
            line += " SMTPUTF8";
            if self.offers.eight_bit {
                line += " BODY=8BITMIME";
            }
        }
        line + "\r\n"
    }

    fn rcpt_command(&self, mail: &Mail<'_>) -> String {
        let mut line = format!("RCPT TO:<{}>", mail.to);
        if self.offers.dsn {
            line += " NOTIFY=FAILURE,DELAY";
            // RFC 6533 has a form for other letters; the address in RCPT says the same.
            if mail.to.is_ascii() {
                line += " ORCPT=rfc822;";
                line.extend(mail.to.bytes().map(xtext));
            }
        }
        line + "\r\n"
    }

    /// Reads the replies to an envelope that was written in one piece: MAIL, RCPT, DATA.
    pub(in crate::deliver) async fn envelope_replies(&mut self) -> Result<[Reply; 3], Broken> {
        let limit = self.relay.timeouts.command;
        let mail = self.reply(limit).await?;
        if mail.closes() {
            return Ok([mail.clone(), mail.clone(), mail]);
        }
        let rcpt = self.reply(limit).await?;
        if rcpt.closes() {
            return Ok([mail, rcpt.clone(), rcpt]);
        }
        let data = self.reply(limit).await?;
        Ok([mail, rcpt, data])
    }

    /// Gives an envelope command by command; after the first refusal the rest is not said.
    pub(in crate::deliver) async fn envelope(
        &mut self,
        mail: &Mail<'_>,
    ) -> Result<[Reply; 3], Broken> {
        if self.offers.pipelining {
            let mut out = Vec::with_capacity(256);
            self.put_envelope(mail, &mut out);
            self.write(&out).await?;
            return self.envelope_replies().await;
        }
        let limit = self.relay.timeouts.command;
        let skipped = Reply {
            code: 503,
            lines: vec!["not said".to_owned()],
        };
        let line = self.mail_command(mail);
        let first = self.command(line.trim_end(), limit).await?;
        if !first.is_positive() {
            return Ok([first, skipped.clone(), skipped]);
        }
        let line = self.rcpt_command(mail);
        let second = self.command(line.trim_end(), limit).await?;
        if !second.is_positive() {
            return Ok([first, second, skipped]);
        }
        let third = self.command("DATA", limit).await?;
        Ok([first, second, third])
    }

    /// Writes bytes; on failure says how many the system took.
    pub(in crate::deliver) async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut written = 0;
        let limit = self.relay.timeouts.content;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match timeout(limit, self.stream.write(rest)).await {
                Ok(Ok(0)) => {
                    return Err(Broken {
                        why: "the connection was closed".to_owned(),
                        written,
                    });
                }
                Ok(Ok(count)) => written += count,
                Ok(Err(error)) => {
                    return Err(Broken {
                        why: error.to_string(),
                        written,
                    });
                }
                Err(_) => {
                    return Err(Broken {
                        why: format!("the server took no bytes for {} s", limit.as_secs()),
                        written,
                    });
                }
            }
        }
        timeout(limit, self.stream.flush())
            .await
            .map_err(|_| Broken::read("the server took no bytes"))?
            .map_err(|error| Broken::read(error.to_string()))
    }

    /// Reads the reply after a content.
    pub(in crate::deliver) async fn done_reply(&mut self) -> Result<Reply, Broken> {
        self.reply(self.relay.timeouts.done).await
    }

    /// Says a command and reads its reply.
    pub(in crate::deliver) async fn command(
        &mut self,
        line: &str,
        limit: Duration,
    ) -> Result<Reply, Broken> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply(limit).await
    }

    /// Takes a transaction back.
    pub(in crate::deliver) async fn reset(&mut self) -> Result<(), Broken> {
        let limit = self.relay.timeouts.command;
        let reply = self.command("RSET", limit).await?;
        if reply.is_positive() {
            Ok(())
        } else {
            Err(Broken::read(reply.to_string()))
        }
    }

    /// Says goodbye, without insisting on an answer.
    pub async fn quit(mut self) {
        let _gone = self.command("QUIT", Duration::from_secs(2)).await;
        let _gone = timeout(Duration::from_secs(1), self.stream.shutdown()).await;
    }

    async fn reply(&mut self, limit: Duration) -> Result<Reply, Broken> {
        match timeout(limit, self.read_reply()).await {
            Ok(result) => result.map_err(|error| Broken::read(error.to_string())),
            Err(_) => Err(Broken::read(format!(
                "no answer within {} s",
                limit.as_secs_f32()
            ))),
        }
    }

    async fn read_reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::with_capacity(1);
        loop {
            let line = self.line().await?;
            let (code, words, more) = Reply::parse_line(&line).map_err(io::Error::other)?;
            lines.push(words);
            if !more {
                return Ok(Reply { code, lines });
            }
            if lines.len() >= MOST_LINES {
                return Err(io::Error::other("the server's answer has no end"));
            }
        }
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let line = rest.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.at += end + 1;
                if self.at >= self.buffer.len() {
                    self.buffer.clear();
                    self.at = 0;
                }
                return Ok(line);
            }
            if rest.len() > LONGEST_LINE {
                return Err(io::Error::other("the server's answer has no line end"));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server closed the connection",
                ));
            }
        }
    }
}

async fn protect(tcp: TcpStream, relay: &Relay) -> Result<Stream, OpenError> {
    let limit = relay.timeouts.command;
    let unreachable = |why: String| OpenError::Unreachable {
        relay: relay.to_string(),
        why,
    };
    match timeout(limit, Stream::protect(tcp, relay)).await {
        Err(_) => Err(unreachable("no answer to TLS".to_owned())),
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error))
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
            ) =>
        {
            Err(OpenError::NotProtected {
                relay: relay.to_string(),
                why: error.to_string(),
            })
        }
        Ok(Err(error)) => Err(unreachable(error.to_string())),
    }
}

/// A byte as RFC 3461, section 4, writes it.
fn xtext(byte: u8) -> String {
    match byte {
        b'+' | b'=' => format!("+{byte:02X}"),
        b'!'..=b'~' => char::from(byte).to_string(),
        _ => format!("+{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::xtext;

    #[test]
    fn an_original_recipient_is_written_without_what_would_end_it() {
        let written: String = "a+b=c d@example.org".bytes().map(xtext).collect();
        assert_eq!(written, "a+2Bb+3Dc+20d@example.org");
    }
}
