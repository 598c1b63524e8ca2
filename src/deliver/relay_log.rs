//! The relay's own log, in which uncertain messages are looked up by their Message-ID.
//!
//! Read are: Postfix's log (`cleanup` lines name the Message-ID and the queue, others show what
//! became of it), and any other text in which each Message-ID that was taken over stands on a
//! line (a list, CSV or JSON of a provider, the record of a test sink).

use std::{collections::BTreeSet, io::BufRead};

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It cannot be read.
    #[error("cannot read the log: {0}")]
    Io(#[from] std::io::Error),
    /// No Message-ID in it at all: most likely the wrong file.
    #[error(
        "the log names no Message-ID at all: is it the relay's log, and does it record Message-IDs?"
    )]
    NoMessageIds,
}

/// What a log shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of the Message-IDs that were looked for, those the relay took over.
    pub found: BTreeSet<String>,
    /// Lines that name a Message-ID.
    pub lines: u64,
}

/// Looks Message-IDs (without angle brackets) up in a log.
///
/// # Errors
/// When it cannot be read, or names no Message-ID.
pub fn scan(log: impl BufRead, wanted: &BTreeSet<String>) -> Result<Seen, LogError> {
    let mut seen = Seen::default();
    let domains: BTreeSet<&str> = wanted
        .iter()
        .filter_map(|id| id.rsplit_once('@').map(|(_, domain)| domain))
        .collect();
    for line in log.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let mut named = false;
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || "@.-_+$".contains(c))) {
            let Some((_, domain)) = word.rsplit_once('@') else {
                continue;
            };
            named |= domains.contains(domain) || line.to_ascii_lowercase().contains("message-id");
            if wanted.contains(word) {
                // A message that was refused after its header was read is in the log, too.
                if !line.contains("milter-reject") && !line.contains(": reject: ") {
                    seen.found.insert(word.to_owned());
                }
            }
        }
        seen.lines += u64::from(named);
    }
    if seen.lines == 0 {
        return Err(LogError::NoMessageIds);
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_found_in_any_log() {
        let wanted: BTreeSet<String> = ["aa11@m.example", "bb22@m.example", "cc33@m.example"]
            .map(String::from)
            .into();
        for log in [
            "Nov 22 mx postfix/cleanup[7]: 4F2: message-id=<aa11@m.example>\nNov 22 mx postfix/qmgr[1]: 4F2: from=<b@m.example>\n",
            "aa11@m.example\nzz@m.example\n",
            "time,id\n1,<aa11@m.example>\n",
            "{\"message_id\":\"<aa11@m.example>\"}\n",
        ] {
            let seen = scan(log.as_bytes(), &wanted).unwrap();
            assert_eq!(seen.found, BTreeSet::from(["aa11@m.example".to_owned()]));
        }
        assert!(scan("nothing here\n".as_bytes(), &wanted).is_err());
    }
}
