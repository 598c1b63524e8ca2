//! The entries of a campaign's ledger, and how a line is chained to the one before it.
//!
//! ```text
//! {"hash":"<64 digits>","entry":{"seq":7,"at":"2027-01-01T10:00:00.000Z","event":"sending","n":4,"try":1,"date":"2027-01-01T10:00:00Z","message":"<64 digits>"}}
//! ```
//! The hash is SHA-256 over the 32 bytes of the hash of the line before (zeros for the first) and
//! the bytes of the entry: the same rule as the journal's.
//!
//! Recipients appear by their number in the frozen list only; the replies of servers are kept
//! without addresses (see [`redact`](super::redact)).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hash;

/// One line of a ledger, without its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the entry, from 0 and without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a campaign. Variants and fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The campaign was made. Always the first entry.
    Created {
        /// Id of the campaign.
        campaign: String,
        /// Number of the ledger's format.
        format: u32,
        /// Hash of the definition (texts, list, window, sender).
        definition: Hash,
        /// Number of recipients in the frozen list.
        recipients: u32,
    },
    /// The definition was changed; approvals before this count no more.
    Changed {
        /// Hash of the definition from now on.
        definition: Hash,
        /// What was changed, for people.
        what: String,
        /// Who changed it.
        by: String,
    },
    /// A person approved the definition.
    Approved {
        /// Who.
        by: String,
        /// Hash of the definition that was approved.
        definition: Hash,
    },
    /// A sender started, or went on.
    Started {
        /// The relay, without user and password.
        relay: String,
        /// Sessions at once.
        connections: u32,
        /// Hash of what identifies the machine.
        machine: Hash,
    },
    /// Written before a message's content is sent.
    Sending {
        /// Number of the recipient in the frozen list, from 0.
        n: u32,
        /// Number of this attempt, from 1.
        #[serde(rename = "try")]
        attempt: u32,
        /// The message's Date: the second of the first attempt, the same at each.
        date: Timestamp,
        /// Hash of the recipient's salt and the message's bytes.
        message: Hash,
    },
    /// The relay answered 250 after the content: it has taken the message over.
    Accepted {
        /// The recipient.
        n: u32,
        /// What the relay said.
        reply: String,
    },
    /// The message was not taken over, and will be tried again.
    Deferred {
        /// The recipient.
        n: u32,
        /// Not before this.
        until: Timestamp,
        /// What the relay said, or what broke.
        reply: String,
    },
    /// The message was refused for good.
    Refused {
        /// The recipient.
        n: u32,
        /// What the relay said, or why it was not tried.
        reply: String,
    },
    /// The content was sent and no reply was seen.
    Uncertain {
        /// The recipient.
        n: u32,
        /// What happened.
        reply: String,
    },
    /// What became of an uncertain message, by somebody's word.
    Verdict {
        /// The recipient.
        n: u32,
        /// What it is from now on.
        verdict: Verdict,
        /// What it rests on: the relay's log, a decision.
        because: String,
        /// Who decided.
        by: String,
    },
    /// A delivery report came back, after the relay had accepted the message.
    Bounced {
        /// The recipient.
        n: u32,
        /// How grave.
        class: BounceClass,
        /// The enhanced status code, such as `5.1.1`.
        status: String,
        /// What the far server said.
        reply: String,
    },
    /// Sending was stopped for now.
    Paused {
        /// Why.
        why: String,
        /// Who, or `fairnotice` where the error budget was used up.
        by: String,
    },
    /// Sending may go on.
    Resumed {
        /// Who.
        by: String,
    },
    /// Sending was given up for good.
    Cancelled {
        /// Why.
        why: String,
        /// Who.
        by: String,
    },
    /// The window ended before everybody was served.
    Expired,
    /// Every recipient has a final state.
    Finished,
    /// Found at a start: the process before was killed.
    Recovered {
        /// Bytes of an unfinished last write that were set aside.
        torn: u64,
        /// Attempts without a result, uncertain from now on.
        uncertain: u32,
        /// Recipients of attempts whose content certainly never began to leave: open again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unsent: Vec<u32>,
    },
    /// The head of the chain was given out of the house.
    Bound {
        /// Hash of the entry before this one.
        head: Hash,
        /// Where it went, for people.
        to: String,
    },
}

/// What an uncertain message is from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The relay's log shows that it was taken over.
    Accepted,
    /// The relay's log does not show it: it is sent again, and cannot be a double.
    NotTaken,
    /// It is sent again, and may be a double.
    Resend,
    /// It stays uncertain; nothing is sent.
    Hold,
}

/// How grave a delivery report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BounceClass {
    /// The address does not work; the person needs another channel.
    Hard,
    /// It did not work this time.
    Soft,
    /// The far server still tries.
    Delayed,
}

const PREFIX: &str = "{\"hash\":\"";
const MIDDLE: &str = "\",\"entry\":";

impl Entry {
    /// Appends the line, with its line end, to `out`; gives the new head of the chain.
    pub fn write(&self, previous: Hash, out: &mut Vec<u8>) -> Hash {
        let start = out.len();
        out.extend_from_slice(PREFIX.as_bytes());
        out.extend_from_slice(&[b'0'; 64]);
        out.extend_from_slice(MIDDLE.as_bytes());
        let body = out.len();
        // Numbers, strings and times: nothing here can fail to serialise into memory.
        let _infallible = serde_json::to_writer(&mut *out, self);
        let hash = previous.link(out.get(body..).unwrap_or_default());
        out.extend_from_slice(b"}\n");
        let at = start + PREFIX.len();
        if let Some(place) = out.get_mut(at..at + 64) {
            hash.write_hex(place);
        }
        hash
    }
}

/// Why a line does not belong where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not of the form of a ledger line.
    #[error("is no ledger line")]
    Form,
    /// The stored hash is not that of the line before and this entry.
    #[error("does not fit the chain: it, or what stood before it, was altered, dropped or moved")]
    Chain,
    /// The entry cannot be read.
    #[error("holds an entry that this version cannot read: {0}")]
    Entry(String),
}

/// The parts of a line: its hash and the bytes of its entry.
///
/// # Errors
/// When it has not the form of a ledger line.
pub fn split_line(line: &[u8]) -> Result<(Hash, &[u8]), LineError> {
    let rest = line
        .strip_prefix(PREFIX.as_bytes())
        .ok_or(LineError::Form)?;
    let (hash, rest) = rest.split_at_checked(64).ok_or(LineError::Form)?;
    let hash = std::str::from_utf8(hash)
        .ok()
        .and_then(|hash| hash.parse().ok())
        .ok_or(LineError::Form)?;
    let body = rest
        .strip_prefix(MIDDLE.as_bytes())
        .and_then(|rest| rest.strip_suffix(b"}"))
        .ok_or(LineError::Form)?;
    Ok((hash, body))
}

/// Reads a line (without its end) that must follow `previous`.
///
/// # Errors
/// When the line has another form, does not follow, or holds something unknown.
pub fn read_line(previous: Hash, line: &[u8]) -> Result<(Hash, Entry), LineError> {
    let (hash, body) = split_line(line)?;
    if previous.link(body) != hash {
        return Err(LineError::Chain);
    }
    let entry = serde_json::from_slice(body).map_err(|e| LineError::Entry(e.to_string()))?;
    Ok((hash, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> Entry {
        Entry {
            seq,
            at: "2027-01-01T10:00:00Z".parse().unwrap(),
            event: Event::Accepted {
                n: 3,
                reply: "250 2.0.0 Ok: queued as 4F2".into(),
            },
        }
    }

    #[test]
    fn a_line_reads_back_only_where_it_stood() {
        let mut bytes = Vec::new();
        let first = entry(0).write(Hash::default(), &mut bytes);
        let second = entry(1).write(first, &mut bytes);
        let lines: Vec<&[u8]> = bytes
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(
            read_line(Hash::default(), lines[0]).unwrap(),
            (first, entry(0))
        );
        assert_eq!(read_line(first, lines[1]).unwrap(), (second, entry(1)));
        assert_eq!(
            read_line(Hash::default(), lines[1]).unwrap_err(),
            LineError::Chain
        );
        let altered = String::from_utf8(lines[0].to_vec())
            .unwrap()
            .replace("4F2", "4F3");
        assert_eq!(
            read_line(Hash::default(), altered.as_bytes()).unwrap_err(),
            LineError::Chain
        );
        assert_eq!(read_line(first, b"garbage").unwrap_err(), LineError::Form);
    }

    #[test]
    fn the_first_format_is_read_forever() {
        let line = r#"{"seq":7,"at":"2027-01-01T10:00:00Z","event":"sending","n":4,"try":1,"date":"2027-01-01T10:00:00Z","message":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
        let entry: Entry = serde_json::from_str(line).unwrap();
        assert_eq!(
            entry.event,
            Event::Sending {
                n: 4,
                attempt: 1,
                date: "2027-01-01T10:00:00Z".parse().unwrap(),
                message: Hash::of(b"")
            }
        );
        assert_eq!(serde_json::to_string(&entry).unwrap(), line);
    }
}
