//! One copy for each person: lists of any length, in bounded memory.
//!
//! Hashes of people are sorted in 256 partitions, each small enough for memory, spilled to files
//! when they grow. The first line of a person stays.

use std::{
    fs::File,
    io::{BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// A line whose person was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// Place among the usable rows, from 0.
    pub row: u32,
    /// Its line in the source.
    pub line: u64,
    /// The line that stays.
    pub first_line: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    person: u128,
    row: u32,
    line: u64,
}

const RECORD: usize = 28;
const PARTITIONS: usize = 256;
/// Records of a partition that stay in memory before they are spilled.
const IN_MEMORY: usize = 2048;

/// Collects people, and says which of them came twice.
#[derive(Debug)]
pub struct Dedupe {
    folder: PathBuf,
    parts: Vec<Vec<u8>>,
    rows: u32,
}

impl Dedupe {
    /// Spills go to this folder, which must exist; [`Dedupe::finish`] removes them.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            parts: vec![Vec::new(); PARTITIONS],
            rows: 0,
        }
    }

    /// Takes the next usable row.
    ///
    /// # Errors
    /// When a spill file cannot be written.
    pub fn add(&mut self, person: u128, line: u64) -> std::io::Result<()> {
        let at = (person >> 120) as usize;
        let row = self.rows;
        self.rows += 1;
        let path = self.path(at);
        let Some(part) = self.parts.get_mut(at) else {
            return Ok(());
        };
        part.extend_from_slice(&person.to_be_bytes());
        part.extend_from_slice(&row.to_be_bytes());
        part.extend_from_slice(&line.to_be_bytes());
        if part.len() >= IN_MEMORY * RECORD {
            File::options()
                .append(true)
                .create(true)
                .open(path)?
                .write_all(part)?;
            part.clear();
        }
        Ok(())
    }

    /// The rows to leave out, ascending.
    ///
    /// # Errors
    /// When a spill file cannot be read.
    pub fn finish(mut self) -> std::io::Result<Vec<Duplicate>> {
        let mut duplicates = Vec::new();
        for at in 0..PARTITIONS {
            let path = self.path(at);
            let mut bytes = Vec::new();
            if path.exists() {
                BufReader::new(File::open(&path)?).read_to_end(&mut bytes)?;
                std::fs::remove_file(&path)?;
            }
            if let Some(part) = self.parts.get_mut(at) {
                bytes.append(part);
            }
            let mut seen: Vec<Seen> = bytes.chunks_exact(RECORD).map(decode).collect();
            seen.sort_unstable();
            let mut first: Option<Seen> = None;
            for next in seen {
                match first {
                    Some(first) if first.person == next.person => duplicates.push(Duplicate {
                        row: next.row,
                        line: next.line,
                        first_line: first.line,
                    }),
                    _ => first = Some(next),
                }
            }
        }
        duplicates.sort_unstable();
        Ok(duplicates)
    }

    fn path(&self, at: usize) -> PathBuf {
        self.folder.join(format!("people-{at:02x}.tmp"))
    }
}

fn decode(record: &[u8]) -> Seen {
    let number = |from: usize, to: usize| {
        record
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .fold(0u128, |n, b| (n << 8) | u128::from(*b))
    };
    Seen {
        person: number(0, 16),
        row: number(16, 20) as u32,
        line: number(20, 28) as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::evidence::Hash;

    #[test]
    fn the_first_of_each_person_stays_also_when_spilled() {
        let folder = tempfile::tempdir().unwrap();
        let mut dedupe = Dedupe::new(folder.path());
        let mut expected = Vec::new();
        let mut known = BTreeSet::new();
        let total = 1_200_000u32;
        for row in 0..total {
            let person = if row % 1000 == 999 { row - 500 } else { row };
            if !known.insert(person) {
                expected.push(row);
            }
            let hash = Hash::of(&person.to_be_bytes());
            let hash = u128::from_be_bytes(hash.0[..16].try_into().unwrap());
            dedupe.add(hash, u64::from(row) + 2).unwrap();
        }
        assert!(std::fs::read_dir(folder.path()).unwrap().count() > 0);
        let found = dedupe.finish().unwrap();
        let rows: Vec<u32> = found.iter().map(|d| d.row).collect();
        assert_eq!(rows, expected);
        assert!(found.iter().all(|d| d.line == d.first_line + 500));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
