//! Which attempts' contents began to leave, a byte a recipient beside the ledger.
//!
//! A `sending` entry is on the disk some messages before its turn. When a sender is killed and the
//! system lives on, every byte it had written is still in its files: an attempt whose byte was
//! not written yet has sent nothing, and need not be uncertain. After a power cut nothing is known
//! of bytes that no fdatasync waited for, so the file counts only within the boot it was written in.
//!
//! ```text
//! 64 bytes   id of the boot, filled up with spaces
//! n-th byte  number of the last attempt whose content began, modulo 256
//! ```

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::ledger::owner_only;

const HEADER: usize = 64;

/// The file, open for a sender.
#[derive(Debug)]
pub(super) struct Begun {
    file: File,
}

impl Begun {
    /// Opens the file beside a ledger for a list of this length; `None` where the system does not
    /// tell its boots apart.
    pub(super) fn start(ledger: &Path, recipients: u32) -> io::Result<Option<Self>> {
        let Some(boot) = boot() else { return Ok(None) };
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        owner_only(&mut options);
        let mut file = options.open(beside(ledger))?;
        file.set_len(HEADER as u64 + u64::from(recipients))?;
        file.write_all(&header(&boot))?;
        Ok(Some(Self { file }))
    }

    /// Says that an attempt's content is about to leave.
    pub(super) fn mark(&self, n: u32, attempt: u32) -> io::Result<()> {
        write_at(&self.file, &[low(attempt)], place(n))
    }
}

/// Of attempts without a result (recipient, attempt), the recipients whose content certainly did
/// not begin to leave.
pub(super) fn unsent(ledger: &Path, attempts: &[(u32, u32)]) -> Vec<u32> {
    let (Some(boot), Ok(file)) = (boot(), File::open(beside(ledger))) else {
        return Vec::new();
    };
    let mut head = [0; HEADER];
    if read_at(&file, &mut head, 0).is_err() || head != header(&boot) {
        return Vec::new();
    }
    attempts
        .iter()
        .filter(|(n, attempt)| {
            let mut byte = [0];
            // What cannot be read may have been sent.
            read_at(&file, &mut byte, place(*n)).is_ok() && byte != [low(*attempt)]
        })
        .map(|(n, _)| *n)
        .collect()
}

/// Removes the file; nobody is left to be sent to.
pub(super) fn remove(ledger: &Path) {
    // It says nothing any more; where it cannot be removed, it does no harm.
    let _stays = std::fs::remove_file(beside(ledger));
}

fn beside(ledger: &Path) -> PathBuf {
    ledger.with_file_name("begun")
}

fn place(n: u32) -> u64 {
    HEADER as u64 + u64::from(n)
}

fn low(attempt: u32) -> u8 {
    attempt.to_le_bytes()[0]
}

fn header(boot: &str) -> [u8; HEADER] {
    let mut head = [b' '; HEADER];
    for (to, from) in head.iter_mut().zip(boot.bytes()) {
        *to = from;
    }
    head
}

/// What tells this boot of the system from others.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    (id.len() >= 16 && id.len() <= HEADER).then(|| id.to_owned())
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

// Where there is no boot id, neither is called.
#[cfg(not(unix))]
fn write_at(_: &File, _: &[u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_attempts_that_did_not_begin_in_this_boot_are_unsent() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.jsonl");
        assert!(unsent(&ledger, &[(0, 1)]).is_empty(), "no file");
        let begun = Begun::start(&ledger, 4).unwrap().unwrap();
        begun.mark(1, 1).unwrap();
        begun.mark(2, 1).unwrap();
        // The third was tried a second time, which did not begin; the list has four.
        assert_eq!(unsent(&ledger, &[(0, 1), (1, 1), (2, 2), (9, 1)]), [0, 2]);
        assert_eq!(unsent(&ledger, &[(0, 256)]), [0u32; 0], "in doubt, begun");
        let path = beside(&ledger);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] = b'z';
        std::fs::write(&path, &bytes).unwrap();
        assert!(unsent(&ledger, &[(0, 1)]).is_empty(), "another boot");
        let again = Begun::start(&ledger, 4).unwrap().unwrap();
        assert_eq!(unsent(&ledger, &[(1, 1), (1, 2)]), [1], "kept from before");
        again.mark(1, 2).unwrap();
        assert!(unsent(&ledger, &[(1, 2)]).is_empty());
        remove(&ledger);
        assert!(unsent(&ledger, &[(0, 1)]).is_empty());
    }
}
