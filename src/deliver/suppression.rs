//! Addresses that do not work: nobody mails them again, and their people need another channel.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Address;

/// An address that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The normalised address.
    pub address: String,
    /// Why: a status code and the far server's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The campaign whose bounce told it; none where it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
}

/// Why a list of suppressed addresses cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SuppressionError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line is wrong.
    #[error("line {line}: {why}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

/// All addresses that do not work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppression {
    entries: BTreeMap<String, Suppressed>,
}

impl Suppression {
    /// Reads JSON Lines, as they are kept.
    ///
    /// # Errors
    /// When a line is no entry.
    pub fn read(input: impl BufRead) -> Result<Self, SuppressionError> {
        let mut all = Self::default();
        for (at, line) in input.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let entry: Suppressed =
                serde_json::from_str(&line).map_err(|error| SuppressionError::Line {
                    line: at + 1,
                    why: error.to_string(),
                })?;
            all.entries.insert(entry.address.clone(), entry);
        }
        Ok(all)
    }

    /// Writes JSON Lines.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn write(&self, mut out: impl Write) -> Result<(), SuppressionError> {
        for entry in self.entries.values() {
            serde_json::to_writer(&mut out, entry).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Reads CSV with the columns `address` (or `email`), `reason`, `since`; gives how many were
    /// new.
    ///
    /// # Errors
    /// When a line cannot be used; nothing is taken then.
    pub fn import(
        &mut self,
        input: impl std::io::Read,
        now: Timestamp,
    ) -> Result<usize, SuppressionError> {
        let mut reader = csv::Reader::from_reader(input);
        let wrong = |line: usize, why: String| SuppressionError::Line { line, why };
        let header = reader
            .headers()
            .map_err(|error| wrong(1, error.to_string()))?
            .clone();
        let column = |names: &[&str]| header.iter().position(|h| names.contains(&h.trim()));
        let address = column(&["address", "email"])
            .ok_or_else(|| wrong(1, "the header has no column `address`".to_owned()))?;
        let (reason, since) = (column(&["reason"]), column(&["since"]));
        let mut fresh = Vec::new();
        for (at, record) in reader.records().enumerate() {
            let line = at + 2;
            let record = record.map_err(|error| wrong(line, error.to_string()))?;
            let text = |column: Option<usize>| {
                column
                    .and_then(|column| record.get(column))
                    .unwrap_or_default()
                    .trim()
            };
            let address = Address::parse(text(Some(address)))
                .map_err(|error| wrong(line, error.to_string()))?;
            let since = match text(since) {
                "" => now,
                text => text
                    .parse()
                    .map_err(|_| wrong(line, format!("`{text}` is no time")))?,
            };
            fresh.push(Suppressed {
                address: address.normalised(),
                reason: match text(reason) {
                    "" => "imported".to_owned(),
                    text => text.to_owned(),
                },
                since,
                campaign: None,
            });
        }
        Ok(fresh
            .into_iter()
            .filter(|entry| self.add(entry.clone()))
            .count())
    }

    /// Writes CSV.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn export(&self, out: impl Write) -> Result<(), SuppressionError> {
        let mut writer = csv::Writer::from_writer(out);
        let failed = |error: csv::Error| std::io::Error::other(error.to_string());
        writer
            .write_record(["address", "reason", "since", "campaign"])
            .map_err(failed)?;
        for entry in self.entries.values() {
            let since = entry.since.to_string();
            let campaign = entry.campaign.as_deref().unwrap_or_default();
            writer
                .write_record([&entry.address, &entry.reason, &since, campaign])
                .map_err(failed)?;
        }
        writer.flush()?;
        Ok(())
    }

    /// Adds an address; `false` when it was there.
    pub fn add(&mut self, entry: Suppressed) -> bool {
        let known = self.entries.contains_key(&entry.address);
        if !known {
            self.entries.insert(entry.address.clone(), entry);
        }
        !known
    }

    /// Takes an address out; `false` when it was not there.
    pub fn remove(&mut self, normalised: &str) -> bool {
        self.entries.remove(normalised).is_some()
    }

    /// Why an address is not mailed.
    pub fn get(&self, normalised: &str) -> Option<&Suppressed> {
        self.entries.get(normalised)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_can_be_imported() {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let mut all = Suppression::default();
        let list = "email,reason\nAnn@Example.org,5.1.1\nbob@example.org,\n";
        assert_eq!(all.import(list.as_bytes(), now).unwrap(), 2);
        assert!(all.get("ann@example.org").is_some());
        let mut csv = Vec::new();
        all.export(&mut csv).unwrap();
        let mut again = Suppression::default();
        assert_eq!(again.import(csv.as_slice(), now).unwrap(), 2);
        assert_eq!(again, all);
        let mut lines = Vec::new();
        all.write(&mut lines).unwrap();
        assert_eq!(Suppression::read(lines.as_slice()).unwrap(), all);
        let error = all.import("email\nnobody\n".as_bytes(), now).unwrap_err();
        assert!(error.to_string().starts_with("line 2"));
        assert!(all.remove("ann@example.org") && !all.remove("ann@example.org"));
    }
}
