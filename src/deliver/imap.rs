//! Returned mail in an IMAP mailbox (RFC 3501): new messages are read without touching them, and
//! marked as seen afterwards, once what they say is written down. Nothing is deleted or moved.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::smtp::{self, Relay, Security, UrlError};

/// Why an IMAP mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// The address.
    #[error("{0}")]
    Place(String),
    /// The connection.
    #[error("{place}: {why}")]
    Connection {
        /// Where, without the user.
        place: String,
        /// Why.
        why: String,
    },
    /// The server said no.
    #[error("{place} refuses {what}: {reply}")]
    Refused {
        /// Where, without the user.
        place: String,
        /// What it was asked for.
        what: &'static str,
        /// Its words.
        reply: String,
    },
}

/// An IMAP mailbox: `imaps://user@host/INBOX`.
#[derive(Debug, Clone)]
pub struct ImapPlace {
    server: Relay,
    mailbox: String,
}

impl std::fmt::Display for ImapPlace {
    /// Without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.server.security {
            Security::Tls => "imaps",
            Security::StartTls | Security::None => "imap",
        };
        let (host, port) = (&self.server.host, self.server.port);
        write!(f, "{scheme}://{host}:{port}/{}", self.mailbox)
    }
}

/// No message is read beyond this; a report says what matters at its beginning.
const LONGEST: usize = 4 << 20;
/// A server's line has at most so many bytes: a search may give many numbers.
const LONGEST_LINE: u64 = 8 << 20;

impl ImapPlace {
    /// Whether a text is an IMAP address rather than a file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("imap://") || text.starts_with("imaps://")
    }

    /// Reads `imaps://user@host[:port]/MAILBOX[?ca=FILE]` or `imap://…`, which demands STARTTLS
    /// but on this machine itself.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(text: &str, password: Option<String>) -> Result<Self, ImapError> {
        let form = || {
            ImapError::Place(format!(
                "`{text}` is no IMAP address; write imaps://user@host/INBOX"
            ))
        };
        // The same form as a relay's address, but for the scheme.
        let rest = text.strip_prefix("imap").ok_or_else(form)?;
        let as_relay = format!("smtp{rest}");
        let mut server = Relay::parse(&as_relay).map_err(|error| match error {
            UrlError::Form(_) => form(),
            UrlError::Password => ImapError::Place(
                "the password does not belong into the address: put it into \
                 FAIRNOTICE_IMAP_PASSWORD or a file"
                    .to_owned(),
            ),
            other => ImapError::Place(other.to_string()),
        })?;
        let url = url::Url::parse(&as_relay).map_err(|_| form())?;
        if url.port().is_none() {
            server.port = if server.security == Security::Tls {
                993
            } else {
                143
            };
        }
        let mailbox = url.path().trim_matches('/');
        let mailbox = smtp::percent_decode(if mailbox.is_empty() { "INBOX" } else { mailbox });
        let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
        if !mailbox.chars().all(plain) || server.user.is_none() {
            return Err(form());
        }
        server.password = password;
        Ok(Self { server, mailbox })
    }
}

/// A session with a mailbox selected.
pub struct Imap {
    stream: BufReader<Wire>,
    place: String,
    next: u32,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// An answer of the server: its line with the literals taken out of it.
struct Answer {
    text: String,
    literals: Vec<Vec<u8>>,
}

impl Imap {
    /// Connects, protects the session, logs in and selects the mailbox.
    ///
    /// # Errors
    /// When any of it fails.
    pub fn open(place: &ImapPlace) -> Result<Self, ImapError> {
        let server = &place.server;
        let name = place.to_string();
        let failed = |why: String| ImapError::Connection {
            place: name.clone(),
            why,
        };
        let user = server.user.as_deref().unwrap_or_default();
        let password = server.password.as_deref().ok_or_else(|| {
            failed("there is no password; put it into FAIRNOTICE_IMAP_PASSWORD or a file".into())
        })?;
        let address = (server.host.as_str(), server.port)
            .to_socket_addrs()
            .map_err(|error| failed(error.to_string()))?
            .next()
            .ok_or_else(|| failed("the name has no address".to_owned()))?;
        let tcp = TcpStream::connect_timeout(&address, server.timeouts.connect)
            .map_err(|error| failed(error.to_string()))?;
        let patience = Some(Duration::from_secs(60));
        tcp.set_nodelay(true)
            .and_then(|()| tcp.set_read_timeout(patience))
            .and_then(|()| tcp.set_write_timeout(patience))
            .map_err(|error| failed(error.to_string()))?;
        let wire = if server.security == Security::Tls {
            protect(tcp, server).map_err(|error| failed(error.to_string()))?
        } else {
            Wire::Plain(tcp)
        };
        let mut session = Self {
            stream: BufReader::new(wire),
            place: name.clone(),
            next: 0,
        };
        let greeting = session.answer()?;
        if !greeting.text.to_ascii_uppercase().starts_with("* OK") {
            return Err(session.refused("the connection", &greeting.text));
        }
        if server.security == Security::StartTls {
            session.command("STARTTLS", "STARTTLS")?;
            // What came before the protection must not count as said under it.
            if !session.stream.buffer().is_empty() {
                return Err(failed("it spoke before TLS began".to_owned()));
            }
            let Wire::Plain(tcp) = session.stream.into_inner() else {
                return Err(failed("TLS within TLS".to_owned()));
            };
            let wire = protect(tcp, server).map_err(|error| failed(error.to_string()))?;
            session = Self {
                stream: BufReader::new(wire),
                place: name,
                next: session.next,
            };
        }
        session.login(user, password)?;
        session.command("the mailbox", &format!("SELECT {}", quoted(&place.mailbox)))?;
        Ok(session)
    }

    fn login(&mut self, user: &str, password: &str) -> Result<(), ImapError> {
        let tag = self.tag();
        let mut line = format!("{tag} LOGIN").into_bytes();
        for word in [user, password] {
            line.push(b' ');
            if word.bytes().all(|b| (32..127).contains(&b)) {
                line.extend_from_slice(quoted(word).as_bytes());
                continue;
            }
            // What is not ASCII goes as a literal, for which the server gives a sign.
            line.extend_from_slice(format!("{{{}}}\r\n", word.len()).as_bytes());
            self.write(&line)?;
            let sign = self.answer()?;
            if !sign.text.starts_with('+') {
                return Err(self.refused("the login", &sign.text));
            }
            line = word.as_bytes().to_vec();
        }
        line.extend_from_slice(b"\r\n");
        self.write(&line)?;
        self.until(&tag, "the login").map(|_| ())
    }

    /// The unique numbers of messages that nobody has seen.
    ///
    /// # Errors
    /// When the server refuses or the connection breaks.
    pub fn unseen(&mut self) -> Result<Vec<u32>, ImapError> {
        let answers = self.command("the search", "UID SEARCH UNSEEN")?;
        let mut found: Vec<u32> = answers
            .iter()
            .filter_map(|answer| answer.text.strip_prefix("* SEARCH"))
            .flat_map(str::split_whitespace)
            .filter_map(|word| word.parse().ok())
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    /// A message's bytes, which stays unseen; none where it is gone.
    ///
    /// # Errors
    /// When the server refuses or the connection breaks.
    pub fn message(&mut self, uid: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{LONGEST}>)");
        let answers = self.command("a message", &command)?;
        let mark = format!("UID {uid}");
        Ok(answers
            .into_iter()
            .filter(|answer| answer.text.contains(&mark))
            .find_map(|mut answer| answer.literals.pop()))
    }

    /// Marks messages as seen.
    ///
    /// # Errors
    /// When the server refuses or the connection breaks.
    pub fn mark_seen(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        for block in uids.chunks(200) {
            let set: Vec<String> = block.iter().map(u32::to_string).collect();
            let command = format!("UID STORE {} +FLAGS.SILENT (\\Seen)", set.join(","));
            self.command("marking messages as seen", &command)?;
        }
        Ok(())
    }

    /// Says goodbye, without insisting on an answer.
    pub fn close(mut self) {
        let _gone = self.command("a goodbye", "LOGOUT");
    }

    fn tag(&mut self) -> String {
        self.next += 1;
        format!("f{}", self.next)
    }

    fn command(&mut self, what: &'static str, words: &str) -> Result<Vec<Answer>, ImapError> {
        let tag = self.tag();
        self.write(format!("{tag} {words}\r\n").as_bytes())?;
        self.until(&tag, what)
    }

    fn until(&mut self, tag: &str, what: &'static str) -> Result<Vec<Answer>, ImapError> {
        let mut answers = Vec::new();
        loop {
            let answer = self.answer()?;
            let Some(rest) = answer.text.strip_prefix(tag) else {
                if answer.text.to_ascii_uppercase().starts_with("* BYE") && what != "a goodbye" {
                    return Err(self.refused(what, &answer.text));
                }
                answers.push(answer);
                continue;
            };
            if rest.trim_start().to_ascii_uppercase().starts_with("OK") {
                return Ok(answers);
            }
            return Err(self.refused(what, rest.trim()));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ImapError> {
        let wire = self.stream.get_mut();
        wire.write_all(bytes)
            .and_then(|()| wire.flush())
            .map_err(|error| self.broken(&error))
    }

    fn answer(&mut self) -> Result<Answer, ImapError> {
        let mut answer = Answer {
            text: String::new(),
            literals: Vec::new(),
        };
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            read.map_err(|error| self.broken(&error))?;
            if line.pop() != Some(b'\n') {
                let closed = io::Error::other("the server closed the connection");
                return Err(self.broken(&closed));
            }
            let line =
                String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            let length = line
                .strip_suffix('}')
                .and_then(|text| text.rsplit_once('{'))
                .and_then(|(_, digits)| digits.parse::<usize>().ok());
            answer.text.push_str(&line);
            let Some(length) = length else {
                return Ok(answer);
            };
            if length > LONGEST + 1024 {
                let long = io::Error::other("the server sends more than was asked for");
                return Err(self.broken(&long));
            }
            let mut literal = vec![0; length];
            let read = self.stream.read_exact(&mut literal);
            read.map_err(|error| self.broken(&error))?;
            answer.literals.push(literal);
        }
    }

    fn broken(&self, error: &io::Error) -> ImapError {
        let why = match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                "no answer within 60 s".to_owned()
            }
            _ => error.to_string(),
        };
        ImapError::Connection {
            place: self.place.clone(),
            why,
        }
    }

    fn refused(&self, what: &'static str, reply: &str) -> ImapError {
        ImapError::Refused {
            place: self.place.clone(),
            what,
            reply: reply.chars().take(200).collect(),
        }
    }
}

fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

fn protect(tcp: TcpStream, server: &Relay) -> io::Result<Wire> {
    let name = ServerName::try_from(server.host.clone())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let connection =
        ClientConnection::new(Arc::new(smtp::trust(server)?), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(Wire::Tls(Box::new(stream)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_mistakes_told() {
        let place = |text: &str| ImapPlace::parse(text, Some("p".to_owned()));
        let inbox = place("imaps://bounce%40mail.example@imap.example").unwrap();
        assert_eq!(inbox.to_string(), "imaps://imap.example:993/INBOX");
        assert_eq!(inbox.server.user.as_deref(), Some("bounce@mail.example"));
        let other = place("imap://u@imap.example/Returned%20mail").unwrap();
        assert_eq!(other.to_string(), "imap://imap.example:143/Returned mail");
        assert_eq!(other.server.security, Security::StartTls);
        for wrong in [
            "imaps://imap.example",
            "imaps://u:p@imap.example",
            "imap:/x",
            "imaps://u@imap.example/%0d%0aA1%20DELETE",
            "imap://u@imap.example?tls=none",
        ] {
            let error = place(wrong).unwrap_err().to_string();
            assert!(!error.contains("SMTP"), "{wrong}: {error}");
        }
        assert_eq!(quoted("a\"b\\"), "\"a\\\"b\\\\\"");
    }
}
