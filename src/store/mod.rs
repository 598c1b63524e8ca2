//! What is kept. Three things are the truth, each a file that people can read: the snapshot files
//! ([`Archive`]), the [`Journal`], and one ledger per campaign. A [`Store`] is an index over the
//! first two that can be deleted and rebuilt.
//!
//! ```text
//! snapshots/privacy/20270101T030000Z-4f2a….md        canonical text with provenance
//! snapshots/privacy/20270101T030000Z-91bc….raw.gz    the bytes that were fetched
//! .fairnotice/journal.jsonl                          what happened, hash-chained
//! .fairnotice/store/                                 the index (sled)
//! .fairnotice/checkpoint                             a copy of it, for those who only read
//! .fairnotice/lock                                   who is writing
//! ```

mod archive;
mod begun;
mod campaign_files;
pub mod checkpoint;
mod event;
mod index;
mod journal;
mod ledger;
mod lock;
mod memory;
mod sled;

pub use self::sled::SledStore;
pub use archive::{Archive, FrontMatter, Snapshot};
pub use campaign_files::{
    CampaignFolder, List, ListInfo, ListWriter, Request, Salt, commitment, erase, write_whole,
};
pub use event::*;
pub use index::*;
pub use journal::{Entry, Journal, JournalReport};
pub(crate) use ledger::owner_only;
pub use ledger::{Ledger, LedgerError, Standing, read_ledger};
pub use lock::{Lock, LockError};
pub use memory::MemoryStore;

use std::path::{Path, PathBuf};

/// Why something could not be kept or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file does not hold what it must.
    #[error("{} is damaged at line {line}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// The embedded store cannot be opened or read.
    #[error("the index {} cannot be used: {detail}", path.display())]
    Index {
        /// The folder.
        path: PathBuf,
        /// What the store says.
        detail: String,
    },
    /// The index was written by a later version of the program.
    #[error("the index has format {found}, this program knows {known}")]
    TooNew {
        /// Format found.
        found: u32,
        /// Newest known.
        known: u32,
    },
    /// A record cannot be understood.
    #[error("the record {key} cannot be read: {detail}")]
    Record {
        /// Its key.
        key: String,
        /// Why.
        detail: String,
    },
    /// Somebody else is writing.
    #[error(transparent)]
    Locked(#[from] LockError),
}

impl StoreError {
    /// Whether a file was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// The tables of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Format number and how far the journal was applied.
    Meta,
    /// State of each document, by id.
    Documents,
    /// Versions, by document and number.
    Versions,
    /// Which version an equivalence key means, by document and key.
    Keys,
    /// Notices, by id.
    Notices,
    /// People's words over findings, by document and finding.
    Reviews,
    /// Alerts due and done, by id.
    Alerts,
    /// Campaigns that were made, by id.
    Campaigns,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 8] = [
        Self::Meta,
        Self::Documents,
        Self::Versions,
        Self::Keys,
        Self::Notices,
        Self::Reviews,
        Self::Alerts,
        Self::Campaigns,
    ];

    /// Its name in the embedded store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Documents => "documents",
            Self::Versions => "versions",
            Self::Keys => "keys",
            Self::Notices => "notices",
            Self::Reviews => "reviews",
            Self::Alerts => "alerts",
            Self::Campaigns => "campaigns",
        }
    }
}

/// One write: a record, or `None` to remove it.
pub type Write = (Table, String, Option<Vec<u8>>);

/// An index of records by table and key, in key order. All implementations pass the same
/// contract tests (`contract.rs`).
pub trait Store: Send {
    /// The record under a key.
    ///
    /// # Errors
    /// When the store is damaged.
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// All records whose key starts with a prefix, in key order.
    ///
    /// # Errors
    /// When the store is damaged.
    fn scan(&self, table: Table, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Shows all records of a table one after the other, in key order.
    ///
    /// # Errors
    /// When the store is damaged, or `show` fails.
    fn visit(
        &self,
        table: Table,
        show: &mut dyn FnMut(&str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Writes all or nothing; what was written is there after a crash of the process.
    ///
    /// # Errors
    /// When the store cannot write.
    fn commit(&mut self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// Removes every record.
    ///
    /// # Errors
    /// When the store cannot write.
    fn clear(&mut self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod contract;
