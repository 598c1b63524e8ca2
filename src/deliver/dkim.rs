//! DKIM signatures (RFC 6376) by this program, for relays that do not sign themselves:
//! `rsa-sha256` and `ed25519-sha256` (RFC 8463), relaxed/relaxed, without a body length.
//!
//! The same message, key and date give the same signature, so that a message can be rebuilt.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

/// Why nothing can be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    /// The key's file.
    #[error("the DKIM key {} cannot be used: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The domain or the selector.
    #[error("`{0}` is no domain name for a DKIM signature")]
    Name(String),
    /// The signing itself.
    #[error("the message could not be signed")]
    Signing,
}

/// Headers that are signed where they are there. `From` is named once more than it occurs, so
/// that nobody can add a second one (RFC 6376, section 8.15).
const SIGNED: &[&str] = &[
    "From",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Subject",
    "Date",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "Auto-Submitted",
    "Feedback-ID",
];

/// Names that may be signed although they are absent: that none is added later is part of what
/// the signature says.
const ABSENT_TOO: &[&str] = &["From", "Subject", "Date"];

/// Signs messages with one key.
#[derive(Debug)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// Reads the private key from a PEM file: PKCS#8 (RSA of 2,048 bits and more, or Ed25519) or
    /// PKCS#1.
    ///
    /// # Errors
    /// When domain, selector or key cannot be used, and why.
    pub fn open(domain: &str, selector: &str, path: &Path) -> Result<Self, DkimError> {
        let pem = std::fs::read(path).map_err(|error| DkimError::Key {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        Self::new(domain, selector, &pem).map_err(|error| match error {
            DkimError::Key { why, .. } => DkimError::Key {
                path: path.to_owned(),
                why,
            },
            other => other,
        })
    }

    /// With a private key in PEM form.
    ///
    /// # Errors
    /// When domain, selector or key cannot be used.
    pub fn new(domain: &str, selector: &str, pem: &[u8]) -> Result<Self, DkimError> {
        for name in [domain, selector] {
            let label = |part: &str| {
                !part.is_empty()
                    && part.len() < 64
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            };
            if !name.split('.').all(label) {
                return Err(DkimError::Name(name.to_owned()));
            }
        }
        let wrong = |why: &str| DkimError::Key {
            path: PathBuf::new(),
            why: why.to_owned(),
        };
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
            wrong("it holds no private key in PEM form (make one with `openssl genpkey`)")
        })?;
        let rejected = |error: ring::error::KeyRejected| {
            let hint = if error.to_string() == "TooSmall" {
                ": RSA keys must have 2048 bits at least"
            } else {
                ""
            };
            wrong(&format!("{error}{hint}"))
        };
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => Key::Rsa(Box::new(
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(rejected)?,
            )),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Key::Ed25519(key),
                    Err(_) => Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(rejected)?)),
                }
            }
            _ => return Err(wrong("it is neither an RSA nor an Ed25519 key")),
        };
        Ok(Self {
            domain: domain.to_ascii_lowercase(),
            selector: selector.to_owned(),
            key,
        })
    }

    /// The signing domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether the signature counts for a From address of this domain (DMARC, relaxed): the
    /// domain itself, or one below it.
    pub fn aligned(&self, from: &str) -> bool {
        let from = from.to_ascii_lowercase();
        from == self.domain
            || from
                .strip_suffix(&self.domain)
                .is_some_and(|rest| rest.ends_with('.'))
    }

    /// The whole `DKIM-Signature` header of a message, with its line end; it goes before the
    /// message.
    ///
    /// # Errors
    /// When the signing fails.
    pub fn header(&self, message: &[u8], at: Timestamp) -> Result<Vec<u8>, DkimError> {
        let (head, body) = split(message);
        let fields = fields(head);
        let mut names: Vec<&str> = Vec::new();
        let mut hashed = Vec::with_capacity(1024);
        for name in SIGNED {
            let before = names.iter().filter(|known| *known == name).count();
            // Of several of a name the last one counts first (RFC 6376, section 5.4.2).
            let field = fields
                .iter()
                .rev()
                .filter(|field| field.0.eq_ignore_ascii_case(name.as_bytes()))
                .nth(before);
            match field {
                Some((name, value)) => relaxed_field(name, value, &mut hashed),
                None if ABSENT_TOO.contains(name) => {}
                None => continue,
            }
            names.push(name);
        }
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let body_hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let mut header = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={body_hash};\r\n b=",
            self.domain,
            self.selector,
            at.as_second().max(0),
            folded(&names),
        )
        .into_bytes();
        let (name, value) = header.split_at("DKIM-Signature".len());
        relaxed_field(name, value.get(1..).unwrap_or_default(), &mut hashed);
        // The signature's own header is hashed without its line end.
        hashed.truncate(hashed.len().saturating_sub(2));
        let code = STANDARD.encode(self.sign(&hashed)?);
        for (at, part) in code.as_bytes().chunks(72).enumerate() {
            if at > 0 {
                header.extend_from_slice(b"\r\n ");
            }
            header.extend_from_slice(part);
        }
        header.extend_from_slice(b"\r\n");
        Ok(header)
    }

    fn sign(&self, hashed: &[u8]) -> Result<Vec<u8>, DkimError> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    hashed,
                    &mut signature,
                )
                .map_err(|_| DkimError::Signing)?;
                Ok(signature)
            }
            // RFC 8463, section 3: the SHA-256 of the data is what is signed.
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(hashed)).as_ref().to_vec()),
        }
    }
}

fn folded(names: &[&str]) -> String {
    let mut line = 3;
    let mut list = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            list.push(':');
            if line + name.len() > 70 {
                list.push_str("\r\n ");
                line = 0;
            }
        }
        list.push_str(name);
        line += name.len() + 1;
    }
    list
}

/// Header and body of a message with CRLF line ends.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    match message.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => (
            message.get(..at + 2).unwrap_or_default(),
            message.get(at + 4..).unwrap_or_default(),
        ),
        None => (message, &[]),
    }
}

/// Names and values of a header, folding and all.
fn fields(head: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < head.len() {
        let rest = head.get(at..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(head.len(), |line| at + line + 1);
        at = end;
        if matches!(head.get(end), Some(b' ' | b'\t')) {
            continue;
        }
        let field = head.get(start..end).unwrap_or_default();
        if let Some(colon) = field.iter().position(|b| *b == b':') {
            let (name, value) = field.split_at(colon);
            fields.push((name, value.get(1..).unwrap_or_default()));
        }
        start = end;
    }
    fields
}

/// RFC 6376, section 3.4.2.
fn relaxed_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.trim_ascii().to_ascii_lowercase());
    out.push(b':');
    let start = out.len();
    for byte in value {
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => {
                if out.len() > start && out.last() != Some(&b' ') {
                    out.push(b' ');
                }
            }
            byte => out.push(*byte),
        }
    }
    if out.len() > start && out.last() == Some(&b' ') {
        out.pop();
    }
    out.extend_from_slice(b"\r\n");
}

/// RFC 6376, section 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut whole = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.trim_ascii_end();
        let mut space = false;
        for byte in line {
            match byte {
                b' ' | b'\t' => space = true,
                byte => {
                    if space {
                        out.push(b' ');
                        space = false;
                    }
                    out.push(*byte);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
        if !line.is_empty() {
            whole = out.len();
        }
    }
    out.truncate(whole);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_bodies_are_relaxed_as_the_standard_shows() {
        // RFC 6376, section 3.4.5.
        let mut out = Vec::new();
        for (name, value) in fields(b"A: X\r\nB : Y\t\r\n\tZ  \r\n") {
            relaxed_field(name, value, &mut out);
        }
        assert_eq!(out, b"a:X\r\nb:Y Z\r\n");
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"x"), b"x\r\n");
    }

    #[test]
    fn names_and_keys_that_cannot_be_are_told() {
        for (domain, selector) in [
            ("", "s"),
            ("a..b", "s"),
            ("a.example", "s s"),
            ("a;d=b", "s"),
        ] {
            assert!(matches!(
                Signer::new(domain, selector, b""),
                Err(DkimError::Name(_))
            ));
        }
        let error = Signer::new("a.example", "s", b"no key").unwrap_err();
        assert!(error.to_string().contains("openssl genpkey"), "{error}");
    }

    #[test]
    fn alignment_is_by_domain_and_not_by_ending() {
        let pem = ring_key();
        let signer = Signer::new("mail.example", "s1", pem.as_bytes()).unwrap();
        assert!(signer.aligned("mail.example") && signer.aligned("notices.mail.example"));
        assert!(!signer.aligned("example") && !signer.aligned("evilmail.example"));
    }

    #[test]
    fn an_ed25519_signature_verifies_over_what_it_says_and_not_over_less() {
        use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};
        let pem = ring_key();
        let signer = Signer::new("mail.example", "s1", pem.as_bytes()).unwrap();
        let message =
            b"From: a@mail.example\r\nTo: b@example.org\r\nSubject: Terms\r\n\r\nText.\r\n";
        let header = signer.header(message, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            header,
            signer.header(message, Timestamp::UNIX_EPOCH).unwrap()
        );
        let text = String::from_utf8(header).unwrap();
        assert!(
            text.contains("h=From:From:To:Subject:Subject:Date:Date;"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        let (unsigned, code) = text.rsplit_once("b=").unwrap();
        let signature = STANDARD
            .decode(code.split_whitespace().collect::<String>())
            .unwrap();
        let mut hashed = b"from:a@mail.example\r\nto:b@example.org\r\nsubject:Terms\r\n".to_vec();
        let own = format!("{unsigned}b=");
        relaxed_field(
            b"DKIM-Signature",
            own.split_once(':').unwrap().1.as_bytes(),
            &mut hashed,
        );
        hashed.truncate(hashed.len() - 2);
        let Key::Ed25519(key) = &signer.key else {
            unreachable!()
        };
        let public = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref());
        public.verify(&Sha256::digest(&hashed), &signature).unwrap();
        hashed.push(b'x');
        assert!(public.verify(&Sha256::digest(&hashed), &signature).is_err());
    }

    fn ring_key() -> String {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        )
    }
}
