//! Time stamps by RFC 3161: a service signs that a hash was there at a time. What is stamped here
//! is the head of a ledger's chain, and with it everything that stands before it.
//!
//! The request is built and the answer is read here; the service's own signature is checked with
//! `openssl ts -verify -digest HEAD -in FILE -CAfile CA`, which needs nothing of this program.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::Hash;

/// Why an answer is no time stamp of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// The service said no.
    #[error("the time stamping service refused: status {status}{words}")]
    Refused {
        /// RFC 3161, section 2.4.2: 2 and above are refusals.
        status: u64,
        /// Its words, where it gave any.
        words: String,
    },
    /// Not an answer at all.
    #[error("the answer is no time stamp: {0}")]
    Form(&'static str),
    /// The stamp of something else.
    #[error("the time stamp is not of this head")]
    OtherHash,
    /// The answer to another question.
    #[error("the time stamp answers another request")]
    OtherNonce,
}

/// What a time stamp says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The hash that was stamped.
    pub hash: Hash,
    /// When, by the service's clock.
    pub time: Timestamp,
    /// The number that the request carried.
    nonce: Option<Vec<u8>>,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const UTF8: u8 = 0x0c;
const CONTEXT_0: u8 = 0xa0;

/// 2.16.840.1.101.3.4.2.1
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];

/// The request for a stamp of a head (`application/timestamp-query`), which also asks for the
/// service's certificate. The nonce is a random number.
pub fn stamp_request(head: Hash, nonce: [u8; 8]) -> Vec<u8> {
    let algorithm = tlv(SEQUENCE, &[tlv(OID, SHA_256), vec![0x05, 0x00]].concat());
    let imprint = tlv(SEQUENCE, &[algorithm, tlv(OCTETS, &head.0)].concat());
    let parts = [
        tlv(INTEGER, &[1]),
        imprint,
        tlv(INTEGER, &integer(nonce)),
        tlv(BOOLEAN, &[0xff]),
    ];
    tlv(SEQUENCE, &parts.concat())
}

/// A positive number as DER has it: without superfluous zeros, and not negative.
fn integer(nonce: [u8; 8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = nonce.iter().copied().skip_while(|b| *b == 0).collect();
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    bytes
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 128 => out.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let length: Vec<u8> = length.into_iter().skip_while(|b| *b == 0).collect();
            out.push(0x80 | u8::try_from(length.len()).unwrap_or(8));
            out.extend_from_slice(&length);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Reads an answer (`application/timestamp-reply`) and checks that it stamps this head, for this
/// request where its nonce is given.
///
/// # Errors
/// When it is a refusal, no answer, or the stamp of something else.
pub fn read_stamp(answer: &[u8], head: Hash, nonce: Option<[u8; 8]>) -> Result<Stamp, StampError> {
    let stamp = read(answer)?;
    if stamp.hash != head {
        return Err(StampError::OtherHash);
    }
    if nonce.is_some_and(|nonce| stamp.nonce.as_deref() != Some(&integer(nonce))) {
        return Err(StampError::OtherNonce);
    }
    Ok(stamp)
}

fn read(answer: &[u8]) -> Result<Stamp, StampError> {
    let mut outer = Der(answer);
    let mut response = outer.enter(SEQUENCE, "it is no DER sequence")?;
    let mut status = response.enter(SEQUENCE, "it has no status")?;
    let code = status
        .enter(INTEGER, "its status is no number")?
        .0
        .iter()
        .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    if code > 1 {
        let mut words = String::new();
        if let Ok(mut texts) = status.enter(SEQUENCE, "") {
            while let Ok(text) = texts.enter(UTF8, "") {
                words += ": ";
                words += &String::from_utf8_lossy(text.0);
            }
        }
        words = words
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect();
        return Err(StampError::Refused {
            status: code,
            words,
        });
    }
    let mut token = response.enter(SEQUENCE, "it has no token")?;
    if token.enter(OID, "its token has no type")?.0 != SIGNED_DATA {
        return Err(StampError::Form("its token is not signed data"));
    }
    let mut wrapped = token.enter(CONTEXT_0, "its token is empty")?;
    let mut signed = wrapped.enter(SEQUENCE, "its token is empty")?;
    signed.enter(INTEGER, "its token has no version")?;
    signed.skip("its token has no algorithms")?;
    let mut content = signed.enter(SEQUENCE, "its token has no content")?;
    if content.enter(OID, "its content has no type")?.0 != TST_INFO {
        return Err(StampError::Form("its content is no time stamp"));
    }
    let mut wrapped = content.enter(CONTEXT_0, "its content is empty")?;
    let mut octets = wrapped.enter(OCTETS, "its content is empty")?;
    let mut info = octets.enter(SEQUENCE, "its content is no time stamp")?;
    info.enter(INTEGER, "its stamp has no version")?;
    info.enter(OID, "its stamp has no policy")?;
    let mut imprint = info.enter(SEQUENCE, "its stamp has no imprint")?;
    let mut algorithm = imprint.enter(SEQUENCE, "its imprint has no algorithm")?;
    if algorithm.enter(OID, "its imprint has no algorithm")?.0 != SHA_256 {
        return Err(StampError::Form("its imprint is no SHA-256"));
    }
    let hash: [u8; 32] = imprint
        .enter(OCTETS, "its imprint has no hash")?
        .0
        .try_into()
        .map_err(|_| StampError::Form("its imprint is no SHA-256"))?;
    info.enter(INTEGER, "its stamp has no number")?;
    let time = info.enter(GENERALIZED_TIME, "its stamp has no time")?;
    let time = generalized_time(time.0).ok_or(StampError::Form("its time cannot be read"))?;
    let mut nonce = None;
    // Accuracy and ordering may stand before the nonce.
    while let Some((tag, value)) = info.next() {
        if tag == INTEGER {
            nonce = Some(value.to_vec());
            break;
        }
    }
    Ok(Stamp {
        hash: Hash(hash),
        time,
        nonce,
    })
}

fn generalized_time(bytes: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('Z')?;
    let text = text.split('.').next()?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// What is left to read of some DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = if first & 0x80 == 0 {
            (usize::from(*first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (digits, rest) = rest.split_at_checked(count)?;
            let length = digits
                .iter()
                .fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }

    fn enter(&mut self, tag: u8, otherwise: &'static str) -> Result<Der<'a>, StampError> {
        match self.next() {
            Some((found, value)) if found == tag => Ok(Der(value)),
            _ => Err(StampError::Form(otherwise)),
        }
    }

    fn skip(&mut self, otherwise: &'static str) -> Result<(), StampError> {
        self.next().map(|_| ()).ok_or(StampError::Form(otherwise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_der_that_the_standard_asks_for() {
        let request = stamp_request(Hash([0xab; 32]), [0, 0, 0, 0, 0, 0, 0x90, 1]);
        let digits: String = request.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            digits,
            format!(
                "303e020101\
                 3031300d060960864801650304020105000420{}\
                 020300900101\
                 01ff",
                "ab".repeat(32)
            )
        );
    }

    #[test]
    fn lengths_of_more_than_a_byte_are_written_and_read() {
        let long = tlv(OCTETS, &[7; 300]);
        assert_eq!(long.get(..4), Some(&[OCTETS, 0x82, 0x01, 0x2c][..]));
        assert_eq!(Der(&long).next(), Some((OCTETS, &[7u8; 300][..])));
        assert_eq!(Der(&long[..200]).next(), None);
    }

    #[test]
    fn a_refusal_is_told_in_the_services_words() {
        let words = tlv(SEQUENCE, &tlv(UTF8, b"no such policy"));
        let status = tlv(SEQUENCE, &[tlv(INTEGER, &[2]), words].concat());
        let error = read_stamp(&tlv(SEQUENCE, &status), Hash::default(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the time stamping service refused: status 2: no such policy"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read_stamp(&bytes, Hash::default(), None);
            let _ = read_stamp(&tlv(SEQUENCE, &bytes), Hash::default(), None);
        }
    }
}
