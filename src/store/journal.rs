//! The journal: one line for each thing that happened, each line chained to the one before it.
//!
//! ```text
//! {"hash":"<64 digits>","entry":{"n":1,"time":"…","writer":"…","event":{…}}}
//! ```
//! The hash is SHA-256 over the hash of the line before and the bytes of the entry, so that people
//! can check the chain with `sha256sum` and nothing else.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Event, StoreError};
use crate::evidence::Hash;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number, from 1.
    pub n: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Who wrote it: one id for each workspace copy.
    pub writer: String,
    /// The writer's own number.
    pub writer_n: u64,
    /// Token of the lease under which it was written; grows with each taking of the lock.
    pub lease: u64,
    /// What happened.
    pub event: Event,
}

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    head: Hash,
    last: Option<Entry>,
    lease: u64,
    offset: u64,
}

/// What a check of the whole journal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalReport {
    /// Number of entries.
    pub entries: u64,
    /// Hash of the last line.
    pub head: Hash,
}

const PREFIX: &str = "{\"hash\":\"";
const MIDDLE: &str = "\",\"entry\":";

impl Journal {
    /// Opens or makes the journal. A last line that was cut off by a crash is set aside in a file
    /// beside it: it was never acknowledged.
    ///
    /// # Errors
    /// When the file cannot be read or written, or its last whole line is damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |action| move |e| StoreError::io(action, path, e);
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(io("open"))?;
        let length = file.metadata().map_err(io("read"))?.len();
        let tail = tail(&mut file, length).map_err(io("read"))?;
        let whole = tail
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let torn = tail.get(whole..).unwrap_or_default();
        let mut offset = length;
        if !torn.is_empty() {
            offset = length - torn.len() as u64;
            let aside = path.with_extension("torn");
            std::fs::write(&aside, torn).map_err(|e| StoreError::io("write", &aside, e))?;
            file.set_len(offset).map_err(io("truncate"))?;
            tracing::warn!(
                "the journal's last line was cut off; it is kept in {}",
                aside.display()
            );
        }
        let lines = tail.get(..whole).unwrap_or_default();
        let last = lines.strip_suffix(b"\n").unwrap_or(lines);
        let last = last.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let (head, last) = if last.is_empty() {
            (Hash::default(), None)
        } else {
            let (hash, body) = split(last).ok_or_else(|| damaged(path, 0, "the last line"))?;
            let entry: Entry = serde_json::from_slice(body)
                .map_err(|e| damaged(path, 0, &format!("the last line: {e}")))?;
            (hash, Some(entry))
        };
        let lease = last.as_ref().map_or(1, |entry| entry.lease + 1);
        Ok(Self {
            path: path.to_owned(),
            // What is recorded together goes to the disk in one write.
            file: BufWriter::with_capacity(1 << 20, file),
            head,
            last,
            lease,
            offset,
        })
    }

    /// Adds an entry; it is durable after [`Journal::sync`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(
        &mut self,
        time: Timestamp,
        writer: &str,
        event: Event,
    ) -> Result<Entry, StoreError> {
        let entry = Entry {
            n: self.last.as_ref().map_or(0, |entry| entry.n) + 1,
            time,
            writer: writer.to_owned(),
            writer_n: self.last.as_ref().map_or(0, |entry| entry.writer_n) + 1,
            lease: self.lease,
            event,
        };
        let body = serde_json::to_string(&entry).map_err(|e| StoreError::Record {
            key: format!("journal entry {}", entry.n),
            detail: e.to_string(),
        })?;
        let head = self.head.link(body.as_bytes());
        let line = format!("{PREFIX}{head}{MIDDLE}{body}}}\n");
        self.file
            .write_all(line.as_bytes())
            .map_err(|e| StoreError::io("write", &self.path, e))?;
        self.offset += line.len() as u64;
        self.head = head;
        self.last = Some(Entry {
            event: Event::AlertDone { id: String::new() },
            ..entry.clone()
        });
        Ok(entry)
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_data())
            .map_err(|e| StoreError::io("write", &self.path, e))
    }

    /// Hash of the last line.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// Hash of the line that ends at a byte offset; `None` when none does, or the file is shorter.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head_at(path: &Path, offset: u64) -> Result<Option<Hash>, StoreError> {
        let io = |e| StoreError::io("read", path, e);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        if offset == 0 || file.metadata().map_err(io)?.len() < offset {
            return Ok(None);
        }
        let bytes = tail(&mut file, offset).map_err(io)?;
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let last = lines.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        Ok(split(last).map(|(hash, _)| hash))
    }

    /// Where the next line will start, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Calls `each` with every entry from a byte offset on and the offset after it.
    ///
    /// # Errors
    /// When the file cannot be read, a line is damaged, or `each` fails.
    pub fn replay(
        path: &Path,
        from: u64,
        mut each: impl FnMut(Entry, u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let io = |e| StoreError::io("read", path, e);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io(error)),
        };
        file.seek(SeekFrom::Start(from)).map_err(io)?;
        let mut reader = BufReader::new(file);
        let (mut line, mut number, mut offset) = (Vec::new(), 0, from);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(io)?;
            if read == 0 || line.last() != Some(&b'\n') {
                return Ok(());
            }
            number += 1;
            offset += read as u64;
            line.pop();
            let (_, body) =
                split(&line).ok_or_else(|| damaged(path, number, "not a journal line"))?;
            let entry =
                serde_json::from_slice(body).map_err(|e| damaged(path, number, &e.to_string()))?;
            each(entry, offset)?;
        }
    }

    /// Checks the whole chain: every hash and every number.
    ///
    /// # Errors
    /// Naming the first line that was altered, dropped or reordered.
    pub fn verify(path: &Path) -> Result<JournalReport, StoreError> {
        let io = |e| StoreError::io("read", path, e);
        let mut reader = BufReader::new(File::open(path).map_err(io)?);
        let (mut head, mut entries, mut line) = (Hash::default(), 0u64, Vec::new());
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
                return Ok(JournalReport { entries, head });
            }
            let number = usize::try_from(entries)
                .unwrap_or(usize::MAX)
                .saturating_add(1);
            let bytes = line
                .strip_suffix(b"\n")
                .ok_or_else(|| damaged(path, number, "cut off"))?;
            let (hash, body) =
                split(bytes).ok_or_else(|| damaged(path, number, "not a journal line"))?;
            if head.link(body) != hash {
                return Err(damaged(
                    path,
                    number,
                    "its hash does not follow from the line before: something was altered, \
                     dropped or reordered here",
                ));
            }
            let entry: Entry =
                serde_json::from_slice(body).map_err(|e| damaged(path, number, &e.to_string()))?;
            if entry.n != entries + 1 {
                return Err(damaged(
                    path,
                    number,
                    &format!("it carries the number {}", entry.n),
                ));
            }
            (head, entries) = (hash, entry.n);
        }
    }
}

/// The hash and the entry's bytes of a line without its end.
fn split(line: &[u8]) -> Option<(Hash, &[u8])> {
    let rest = line.strip_prefix(PREFIX.as_bytes())?;
    let (hash, rest) = rest.split_at_checked(64)?;
    let body = rest.strip_prefix(MIDDLE.as_bytes())?.strip_suffix(b"}")?;
    Some((std::str::from_utf8(hash).ok()?.parse().ok()?, body))
}

fn damaged(path: &Path, line: usize, detail: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        line,
        detail: detail.to_owned(),
    }
}

/// Enough of the end of the file to hold the last whole line and a torn one.
fn tail(file: &mut File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut size: u64 = 64 << 10;
    loop {
        let start = length.saturating_sub(size);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        std::io::Read::by_ref(file)
            .take(length - start)
            .read_to_end(&mut bytes)?;
        // Two line ends: one before the last whole line, one after it.
        if start == 0 || bytes.iter().filter(|b| **b == b'\n').count() >= 2 {
            return Ok(bytes);
        }
        size *= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Event {
        Event::AlertDone { id: id.to_owned() }
    }

    fn now() -> Timestamp {
        "2027-01-01T00:00:00Z".parse().unwrap()
    }

    fn filled(path: &Path, count: usize) {
        let mut journal = Journal::open(path).unwrap();
        for i in 0..count {
            journal.append(now(), "w", event(&format!("a{i}"))).unwrap();
        }
        journal.sync().unwrap();
    }

    #[test]
    fn the_chain_goes_on_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        filled(&path, 2);
        filled(&path, 3);
        let report = Journal::verify(&path).unwrap();
        assert_eq!(report.entries, 5);
        let mut leases = Vec::new();
        Journal::replay(&path, 0, |entry, _| {
            leases.push(entry.lease);
            Ok(())
        })
        .unwrap();
        assert_eq!(leases, [1, 1, 2, 2, 2]);
    }

    #[test]
    fn a_torn_line_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        filled(&path, 2);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"hash\":\"12"].concat()).unwrap();
        filled(&path, 1);
        assert_eq!(Journal::verify(&path).unwrap().entries, 3);
        assert_eq!(
            std::fs::read(path.with_extension("torn")).unwrap(),
            b"{\"hash\":\"12"
        );
    }

    #[test]
    fn an_altered_dropped_or_reordered_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        filled(&path, 4);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let cases = [
            (text.replace("\"a1\"", "\"x1\""), 2),
            ([lines[0], lines[2], lines[3], ""].join("\n"), 2),
            ([lines[0], lines[1], lines[3], lines[2], ""].join("\n"), 3),
        ];
        for (damaged, line) in cases {
            std::fs::write(&path, damaged).unwrap();
            let error = Journal::verify(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("at line {line}:")), "{error}");
        }
    }

    #[test]
    fn replay_goes_on_from_an_offset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        filled(&path, 3);
        let mut offsets = Vec::new();
        Journal::replay(&path, 0, |_, offset| {
            offsets.push(offset);
            Ok(())
        })
        .unwrap();
        let mut seen = 0;
        Journal::replay(&path, offsets[1], |_, _| {
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 1);
    }
}
