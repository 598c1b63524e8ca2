//! Messages: everything that is the same for everybody is encoded once, and only a recipient's
//! own values are encoded for each.
//!
//! ```text
//! "Dear {{ recipient.name }},"  ─►  [Dear=20=CRLF] [name, quoted-printable] [=CRLF ,]
//! ```
//! A soft line break stands on both sides of a value, so that the encoded text around it does not
//! depend on the value's length. Built like this a message costs a few microseconds; what a mail
//! program decodes is the same text, letter for letter.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use lettre::message::{Mailbox, header as headers};

use super::{
    Address, Identities, Recipient,
    mime::{self, QuotedPrintable},
};
use crate::{
    evidence::Hash,
    notice::{self, Notice, PlaceholderError, Segment},
};

/// Largest message, in bytes: beyond it mail programs clip what they show.
pub const LARGEST: usize = 100 * 1024;

/// Who sends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sender {
    /// `Acme Notices <notices@acme.example>`.
    pub from: String,
    /// Where replies go, where that is another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Envelope sender; a token is added to its local part. The From address where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounce: Option<String>,
}

impl Sender {
    /// Checks all addresses.
    ///
    /// # Errors
    /// Names the address that is wrong.
    pub fn check(&self) -> Result<(), MessageError> {
        self.mailbox()?;
        for address in self.reply_to.iter().chain(&self.bounce) {
            mailbox(address)?;
        }
        Ok(())
    }

    /// The domain for Message-IDs.
    ///
    /// # Errors
    /// When the From address is wrong.
    pub fn domain(&self) -> Result<String, MessageError> {
        Ok(self.mailbox()?.email.domain().to_owned())
    }

    /// The envelope sender without its token.
    ///
    /// # Errors
    /// When an address is wrong.
    pub fn bounce(&self) -> Result<String, MessageError> {
        match &self.bounce {
            Some(address) => Ok(mailbox(address)?.email.to_string()),
            None => Ok(self.mailbox()?.email.to_string()),
        }
    }

    fn mailbox(&self) -> Result<Mailbox, MessageError> {
        mailbox(&self.from)
    }
}

fn mailbox(text: &str) -> Result<Mailbox, MessageError> {
    let wrong = |why: String| MessageError::Sender {
        address: text.to_owned(),
        why,
    };
    let parsed: Mailbox = text
        .parse()
        .map_err(|e: lettre::address::AddressError| wrong(e.to_string()))?;
    // lettre knows no international domains in headers; ours are in ASCII.
    let address =
        Address::parse(parsed.email.as_ref()).map_err(|error| wrong(error.to_string()))?;
    if address.needs_utf8() {
        return Err(wrong("the part before the @ must be ASCII".to_owned()));
    }
    let email = address
        .to_string()
        .parse()
        .map_err(|e: lettre::address::AddressError| wrong(e.to_string()))?;
    Ok(Mailbox::new(parsed.name, email))
}

/// Why messages cannot be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessageError {
    /// An address of the sender's.
    #[error("`{address}` is no usable sender: {why}")]
    Sender {
        /// The address.
        address: String,
        /// Why.
        why: String,
    },
    /// A text without what a mail needs.
    #[error("notice `{notice}`, language {language}: it has no {what}")]
    Lacks {
        /// The notice.
        notice: String,
        /// The language.
        language: String,
        /// What is missing.
        what: &'static str,
    },
    /// A placeholder.
    #[error("notice `{notice}`, language {language}, {part}: {error}")]
    Placeholder {
        /// The notice.
        notice: String,
        /// The language.
        language: String,
        /// Subject, text or HTML.
        part: &'static str,
        /// What is wrong.
        error: PlaceholderError,
    },
    /// No text at all.
    #[error("the notice `{0}` has no text")]
    NoText(String),
    /// A recipient without a value that the text needs.
    #[error("the recipient has no `{0}`, and the text gives no default for it")]
    Missing(String),
    /// Too large.
    #[error(
        "the message has {bytes} bytes; at most {LARGEST} are allowed, since mail programs cut off what is longer"
    )]
    Large {
        /// Its size.
        bytes: usize,
    },
}

#[derive(Debug, Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Value {
        field: String,
        default: Option<String>,
        html: bool,
    },
}

/// The texts of a mail, prepared for filling in.
#[derive(Debug)]
pub struct Template {
    notice: Notice,
    languages: BTreeMap<String, Prepared>,
    fixed: Vec<u8>,
}

#[derive(Debug)]
struct Prepared {
    subject: Vec<Segment>,
    subject_done: Option<Vec<u8>>,
    head: Vec<u8>,
    body: Vec<Piece>,
}

/// A message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Header and body with CRLF line ends; no line begins with a dot.
    pub bytes: Vec<u8>,
    /// The language it is written in.
    pub language: String,
}

impl Template {
    /// Prepares a notice's texts.
    ///
    /// # Errors
    /// When a text lacks its subject, or holds something that is no placeholder.
    pub fn new(notice: &Notice, sender: &Sender) -> Result<Self, MessageError> {
        if notice.texts.is_empty() {
            return Err(MessageError::NoText(notice.id.clone()));
        }
        let languages = notice
            .texts
            .iter()
            .map(|(language, text)| Ok((language.clone(), prepare(notice, language, text)?)))
            .collect::<Result<_, MessageError>>()?;
        Ok(Self {
            notice: notice.clone(),
            languages,
            fixed: fixed_headers(sender)?,
        })
    }

    /// The fields that the texts need and give no default for.
    pub fn needed(&self) -> Vec<String> {
        let mut needed: Vec<String> = Vec::new();
        for prepared in self.languages.values() {
            let subject = prepared.subject.iter().filter_map(|s| match s {
                Segment::Recipient {
                    field,
                    default: None,
                } => Some(field),
                _ => None,
            });
            let body = prepared.body.iter().filter_map(|piece| match piece {
                Piece::Value {
                    field,
                    default: None,
                    ..
                } => Some(field),
                _ => None,
            });
            needed.extend(subject.chain(body).cloned());
        }
        needed.sort();
        needed.dedup();
        needed
    }

    /// Fills in a recipient's values.
    ///
    /// The same recipient, number and date give the same bytes, so that a message can be rebuilt
    /// from the evidence.
    ///
    /// # Errors
    /// When the recipient lacks a value, or the message becomes too large.
    pub fn message(
        &self,
        recipient: &Recipient,
        ids: &Identities,
        n: u32,
        date: Timestamp,
    ) -> Result<Message, MessageError> {
        let language = self
            .notice
            .language_for(recipient.locale.as_deref())
            .unwrap_or_default();
        let prepared = self
            .languages
            .get(language)
            .ok_or_else(|| MessageError::NoText(self.notice.id.clone()))?;
        let mut out = Vec::with_capacity(24 * 1024);
        out.extend_from_slice(&self.fixed);
        mime::mailbox("To", recipient.name.as_deref(), &recipient.email, &mut out);
        match &prepared.subject_done {
            Some(done) => out.extend_from_slice(done),
            None => mime::header("Subject", &plain(&prepared.subject, recipient)?, &mut out),
        }
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(rfc2822(date).as_bytes());
        out.extend_from_slice(b"\r\nMessage-ID: <");
        out.extend_from_slice(ids.message_id(n).as_bytes());
        out.extend_from_slice(b">\r\nFeedback-ID: ");
        out.extend_from_slice(ids.feedback_id().as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&prepared.head);
        let mut escaped = String::new();
        for piece in &prepared.body {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Value {
                    field,
                    default,
                    html,
                } => {
                    let value = value(recipient, field, default.as_deref())?;
                    let text = if *html {
                        escaped.clear();
                        escape_html(value, &mut escaped);
                        &escaped
                    } else {
                        value
                    };
                    let mut code = QuotedPrintable::default();
                    code.write(text, &mut out);
                    code.soft_break(&mut out);
                }
            }
        }
        if out.len() > LARGEST {
            return Err(MessageError::Large { bytes: out.len() });
        }
        Ok(Message {
            bytes: out,
            language: language.to_owned(),
        })
    }

    /// The texts as a reader sees them: subject, plain text, HTML.
    ///
    /// # Errors
    /// When the recipient lacks a value.
    pub fn plain_texts(
        &self,
        recipient: &Recipient,
    ) -> Result<(String, String, Option<String>), MessageError> {
        let language = self
            .notice
            .language_for(recipient.locale.as_deref())
            .unwrap_or_default();
        let text = self
            .notice
            .texts
            .get(language)
            .ok_or_else(|| MessageError::NoText(self.notice.id.clone()))?;
        let field = |name: &str| recipient.field(name).map(str::to_owned);
        let fill = |text: &str, html: bool| {
            notice::fill(text, html, field).map_err(|error| match error {
                PlaceholderError::Missing { field } => MessageError::Missing(field),
                error => MessageError::Placeholder {
                    notice: self.notice.id.clone(),
                    language: language.to_owned(),
                    part: "text",
                    error,
                },
            })
        };
        Ok((
            fill(text.subject.as_deref().unwrap_or_default(), false)?,
            fill(&text.text, false)?,
            text.html
                .as_deref()
                .map(|html| fill(html, true))
                .transpose()?,
        ))
    }
}

/// The headers that are the same for all languages and people.
fn fixed_headers(sender: &Sender) -> Result<Vec<u8>, MessageError> {
    let mut set = headers::Headers::new();
    set.set(headers::From::from(lettre::message::Mailboxes::from(
        sender.mailbox()?,
    )));
    if let Some(reply_to) = &sender.reply_to {
        set.set(headers::ReplyTo::from(lettre::message::Mailboxes::from(
            mailbox(reply_to)?,
        )));
    }
    let mut out = set.to_string().into_bytes();
    // A machine wrote it: no vacation replies, please.
    out.extend_from_slice(
        b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n",
    );
    Ok(out)
}

fn prepare(notice: &Notice, language: &str, text: &notice::Text) -> Result<Prepared, MessageError> {
    let lacks = |what| MessageError::Lacks {
        notice: notice.id.clone(),
        language: language.to_owned(),
        what,
    };
    let split = |part: &'static str, text: &str| {
        notice::segments(text).map_err(|error| MessageError::Placeholder {
            notice: notice.id.clone(),
            language: language.to_owned(),
            part,
            error,
        })
    };
    let subject = text.subject.as_deref().ok_or_else(|| lacks("subject"))?;
    if subject.trim().is_empty() || subject.contains(['\r', '\n']) {
        return Err(lacks("subject of one line"));
    }
    if text.text.trim().is_empty() {
        return Err(lacks("plain text"));
    }
    let subject = split("subject", subject.trim())?;
    let subject_done = match subject.as_slice() {
        [Segment::Literal(words)] => {
            let mut done = Vec::new();
            mime::header("Subject", words, &mut done);
            Some(done)
        }
        _ => None,
    };
    // Derived from the text, so that the same text makes the same bytes; no line of a text can
    // be it, since quoted-printable encodes the `=` in it.
    let seed = Hash::of(format!("{}{language}", notice.hash()).as_bytes()).to_string();
    let boundary = |part: &str| format!("=_{part}_{}", seed.get(..24).unwrap_or_default());
    let mut head = format!("Content-Language: {language}\r\n").into_bytes();
    let mut body = Body::default();
    let attachments: Vec<_> = notice.attachments_for(language).collect();
    let mixed = boundary("mixed");
    let alternative = boundary("alt");
    let multipart = |kind: &str, boundary: &str| {
        format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n")
    };
    if attachments.is_empty() {
        if text.html.is_some() {
            head.extend_from_slice(multipart("alternative", &alternative).as_bytes());
        }
    } else {
        head.extend_from_slice(multipart("mixed", &mixed).as_bytes());
        body.raw(&format!("--{mixed}\r\n"));
        if text.html.is_some() {
            body.raw(&multipart("alternative", &alternative));
        }
    }
    let part = |kind: &str| {
        format!(
            "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
    };
    match &text.html {
        Some(html) => {
            body.raw(&format!("--{alternative}\r\n{}", part("plain")));
            body.text(&split("text", &text.text)?, false);
            body.raw(&format!("\r\n--{alternative}\r\n{}", part("html")));
            body.text(&split("html", html)?, true);
            body.raw(&format!("\r\n--{alternative}--\r\n"));
        }
        None if attachments.is_empty() => {
            head.extend_from_slice(part("plain").as_bytes());
            body.text(&split("text", &text.text)?, false);
            body.raw("\r\n");
        }
        None => {
            body.raw(&part("plain"));
            body.text(&split("text", &text.text)?, false);
            body.raw("\r\n");
        }
    }
    for attachment in &attachments {
        body.raw(&format!(
            "--{mixed}\r\nContent-Type: {};\r\n {}\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n {}\r\n\r\n",
            clean(&attachment.media_type),
            mime::parameter("name", &clean(&attachment.name)),
            mime::parameter("filename", &clean(&attachment.name)),
        ));
        let mut code = Vec::new();
        mime::base64_lines(&attachment.bytes(), &mut code);
        body.bytes(&code);
    }
    if !attachments.is_empty() {
        body.raw(&format!("--{mixed}--\r\n"));
    }
    Ok(Prepared {
        subject,
        subject_done,
        head,
        body: body.pieces,
    })
}

#[derive(Default)]
struct Body {
    pieces: Vec<Piece>,
}

impl Body {
    fn raw(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(Piece::Bytes(last)) = self.pieces.last_mut() {
            last.extend_from_slice(bytes);
        } else {
            self.pieces.push(Piece::Bytes(bytes.to_vec()));
        }
    }

    fn text(&mut self, segments: &[Segment], html: bool) {
        for (at, segment) in segments.iter().enumerate() {
            match segment {
                Segment::Literal(words) => {
                    let mut code = Vec::new();
                    let mut encoder = QuotedPrintable::default();
                    encoder.write(words, &mut code);
                    if at + 1 < segments.len() {
                        encoder.soft_break(&mut code);
                    }
                    self.bytes(&code);
                }
                Segment::Recipient { field, default } => self.pieces.push(Piece::Value {
                    field: field.clone(),
                    default: default.clone(),
                    html,
                }),
            }
        }
    }
}

fn value<'a>(
    recipient: &'a Recipient,
    field: &str,
    default: Option<&'a str>,
) -> Result<&'a str, MessageError> {
    recipient
        .field(field)
        .filter(|value| !value.trim().is_empty())
        .or(default)
        .ok_or_else(|| MessageError::Missing(field.to_owned()))
}

fn plain(segments: &[Segment], recipient: &Recipient) -> Result<String, MessageError> {
    let mut out = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(words) => out.push_str(words),
            Segment::Recipient { field, default } => {
                out.push_str(value(recipient, field, default.as_deref())?);
            }
        }
    }
    Ok(out)
}

fn escape_html(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
}

/// A header's value without anything that could end it.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn rfc2822(date: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&date.to_zoned(TimeZone::UTC))
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 +0000".to_owned())
}

#[cfg(test)]
mod tests;
