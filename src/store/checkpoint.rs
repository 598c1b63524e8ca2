//! A copy of the index in one file, so that whoever only reads need not replay years of journal:
//! `.fairnotice/checkpoint`. It can be deleted at any time.
//!
//! ```text
//! fairnotice checkpoint 1\n
//! u32 format · u64 offset in the journal · 64 digits: hash of the line that ends there
//! for each record: u8 table · u32 length, key · u32 length, value
//! 64 digits: SHA-256 of all that
//! ```
//! Numbers are little-endian. A file that is cut, altered, of another format or of another journal
//! is as good as none.

use std::{
    io::{BufWriter, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::{INDEX_FORMAT, Journal, MemoryStore, Store, StoreError, Table, Write};
use crate::evidence::Hash;

const HEAD: &[u8] = b"fairnotice checkpoint 1\n";

/// Writes a copy of an index that is up to date with the journal up to `offset`, where the line
/// with the hash `head` ends.
///
/// # Errors
/// When the store cannot be read or the disk refuses.
pub fn save(path: &Path, store: &dyn Store, offset: u64, head: Hash) -> Result<u64, StoreError> {
    let beside = path.with_extension("part");
    let io = |e| StoreError::io("write", &beside, e);
    let file = std::fs::File::create(&beside).map_err(io)?;
    let mut copy = Copy {
        file: BufWriter::new(file),
        sum: Sha256::new(),
        size: 0,
    };
    copy.add(HEAD).map_err(io)?;
    copy.add(&INDEX_FORMAT.to_le_bytes()).map_err(io)?;
    copy.add(&offset.to_le_bytes()).map_err(io)?;
    copy.add(head.to_string().as_bytes()).map_err(io)?;
    for (number, table) in (0u8..).zip(Table::ALL) {
        store.visit(table, &mut |key, value| {
            copy.add(&[number]).map_err(io)?;
            for part in [key.as_bytes(), value] {
                let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
                copy.add(&length.to_le_bytes()).map_err(io)?;
                copy.add(part).map_err(io)?;
            }
            Ok(())
        })?;
    }
    let size = copy.finish().map_err(io)?;
    std::fs::rename(&beside, path).map_err(|e| StoreError::io("write", path, e))?;
    Ok(size)
}

/// A copy that is being written, record by record: an index is not held in memory for it.
struct Copy {
    file: BufWriter<std::fs::File>,
    sum: Sha256,
    size: u64,
}

impl Copy {
    fn add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sum.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn finish(mut self) -> std::io::Result<u64> {
        let sum: String = self
            .sum
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        self.file.write_all(sum.as_bytes())?;
        self.file.flush()?;
        Ok(self.size + sum.len() as u64)
    }
}

/// Reads a copy into memory, where it is whole and belongs to this journal.
///
/// # Errors
/// When the journal cannot be read.
pub fn load(path: &Path, journal: &Path) -> Result<Option<MemoryStore>, StoreError> {
    let Ok(bytes) = std::fs::read(path) else {
        return Ok(None);
    };
    let Some((offset, head, writes)) = parse(&bytes) else {
        return Ok(None);
    };
    if Journal::head_at(journal, offset)? != Some(head) {
        return Ok(None);
    }
    let mut store = MemoryStore::default();
    store.commit(writes)?;
    Ok(Some(store))
}

/// Offset in the journal and size in bytes of the copy that is there, without reading it.
pub fn made_at(path: &Path) -> Option<(u64, u64)> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut start = vec![0; HEAD.len() + 12];
    file.read_exact(&mut start).ok()?;
    let offset = start.strip_prefix(HEAD)?.get(4..)?.try_into().ok()?;
    Some((u64::from_le_bytes(offset), size))
}

fn parse(bytes: &[u8]) -> Option<(u64, Hash, Vec<Write>)> {
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(64)?)?;
    if hash(sum)? != Hash::of(body) {
        return None;
    }
    let mut rest = body.strip_prefix(HEAD)?;
    if u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?) != INDEX_FORMAT {
        return None;
    }
    let offset = u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?);
    let head = hash(take(&mut rest, 64)?)?;
    let mut writes = Vec::new();
    while !rest.is_empty() {
        let number = usize::from(*take(&mut rest, 1)?.first()?);
        let table = *Table::ALL.get(number)?;
        let mut part = || {
            let length = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
            take(&mut rest, usize::try_from(length).ok()?)
        };
        let key = String::from_utf8(part()?.to_vec()).ok()?;
        let value = part()?.to_vec();
        writes.push((table, key, Some(value)));
    }
    Some((offset, head, writes))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn hash(digits: &[u8]) -> Option<Hash> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Event;

    #[test]
    fn a_copy_reads_back_and_a_damaged_or_foreign_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let journal_file = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&journal_file).unwrap();
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        let event = Event::AlertDone { id: "a".to_owned() };
        journal.append(now, "w", event.clone()).unwrap();
        journal.sync().unwrap();
        let mut store = MemoryStore::default();
        let record = (
            Table::Keys,
            "notes\0n1".to_owned(),
            Some(b"\0value".to_vec()),
        );
        store.commit(vec![record]).unwrap();
        save(&path, &store, journal.offset(), journal.head()).unwrap();
        assert_eq!(made_at(&path).unwrap().0, journal.offset());
        let read = load(&path, &journal_file).unwrap().unwrap();
        assert_eq!(
            read.get(Table::Keys, "notes\0n1").unwrap().unwrap(),
            b"\0value"
        );
        // The journal goes on: the copy is still right up to where it was made.
        journal.append(now, "w", event.clone()).unwrap();
        journal.sync().unwrap();
        assert!(load(&path, &journal_file).unwrap().is_some());
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 30, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(load(&path, &journal_file).unwrap().is_none(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(load(&path, &journal_file).unwrap().is_none(), "cut {at}");
        }
        std::fs::write(&path, &whole).unwrap();
        std::fs::remove_file(&journal_file).unwrap();
        assert!(load(&path, &journal_file).unwrap().is_none());
        let mut other = Journal::open(&journal_file).unwrap();
        other.append(now, "another", event).unwrap();
        other.sync().unwrap();
        assert!(load(&path, &journal_file).unwrap().is_none());
    }
}
