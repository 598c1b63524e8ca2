//! A campaign's own folder: what is sent, to whom, and its ledger.
//!
//! ```text
//! .fairnotice/campaigns/c-1a2b3c4d/
//!   campaign.json    the definition: texts, list, window, sender, by their hashes
//!   texts.json       the notices, frozen
//!   list.jsonl       the people, one a line, in their final order
//!   list.idx         where every 64th line begins
//!   salts.bin        16 random bytes for each person; thrown away when a person is erased
//!   erased.jsonl     commitments of people who were erased
//!   key              secret behind Message-IDs and bounce addresses
//!   rejected.jsonl   lines of the source that were not used, and why
//!   ledger.jsonl     what happened
//!   begun            whose content began to leave, while a sender is at work
//!   request          what another process asks of the sender: pause, cancel
//!   lock             who is sending
//! ```
//! All files are for their owner only.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::{
    Lock, StoreError,
    ledger::{owner_only, sync_folder},
};
use crate::evidence::Hash;

/// Random bytes that keep a commitment from being guessed.
pub type Salt = [u8; 16];

/// What another process asks of the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Request {
    /// Stop for now.
    Pause {
        /// Who asks.
        by: String,
    },
    /// Give up.
    Cancel {
        /// Who asks.
        by: String,
        /// Why.
        why: String,
    },
}

/// A campaign's folder.
#[derive(Debug, Clone)]
pub struct CampaignFolder {
    path: PathBuf,
    id: String,
}

impl CampaignFolder {
    /// Where campaigns are, below a workspace's state folder.
    pub fn root(state_folder: &Path) -> PathBuf {
        state_folder.join("campaigns")
    }

    /// Makes the folder of a new campaign, under an id that nobody has.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(state_folder: &Path) -> Result<Self, StoreError> {
        let root = Self::root(state_folder);
        std::fs::create_dir_all(&root).map_err(|e| StoreError::io("make", &root, e))?;
        let mut random = [0; 4];
        fill(&mut random)?;
        let id = format!("c-{:08x}", u32::from_be_bytes(random));
        let path = root.join(&id);
        std::fs::create_dir(&path).map_err(|e| StoreError::io("make", &path, e))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| StoreError::io("protect", &path, e))?;
        }
        Ok(Self { path, id })
    }

    /// The folder of a campaign that is there; an unambiguous beginning of its id is enough.
    pub fn find(state_folder: &Path, id: &str) -> Option<Self> {
        let all = Self::all(state_folder);
        if let Some(exact) = all.iter().find(|folder| folder.id == id) {
            return Some(exact.clone());
        }
        let mut begin = all.into_iter().filter(|folder| folder.id.starts_with(id));
        let first = begin.next().filter(|_| !id.is_empty())?;
        begin.next().is_none().then_some(first)
    }

    /// All campaigns, by id.
    pub fn all(state_folder: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(Self::root(state_folder)) else {
            return Vec::new();
        };
        let mut all: Vec<Self> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("ledger.jsonl").exists())
            .map(|entry| Self {
                id: entry.file_name().to_string_lossy().into_owned(),
                path: entry.path(),
            })
            .collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger.jsonl")
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a whole file: all of it or nothing, for its owner only, durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_whole(&self.file(name), bytes)
    }

    /// Removes a file; not there is as good as removed.
    pub fn remove(&self, name: &str) {
        let _absent = std::fs::remove_file(self.file(name));
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.file(name);
        std::fs::read(&path).map_err(|e| StoreError::io("read", &path, e))
    }

    /// Reads a JSON file.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let bytes = self.read(name)?;
        serde_json::from_slice(&bytes).map_err(|e| StoreError::Record {
            key: self.file(name).display().to_string(),
            detail: e.to_string(),
        })
    }

    /// Takes the campaign's lock.
    ///
    /// # Errors
    /// When another process holds it, and who.
    pub fn lock(&self, what: &str, now: Timestamp, wait: Duration) -> Result<Lock, StoreError> {
        Lock::take(&self.file("lock"), what, now, wait)
    }

    /// Leaves a request for the process that holds the lock.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn ask(&self, request: &Request) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(request).map_err(|e| StoreError::Record {
            key: "request".to_owned(),
            detail: e.to_string(),
        })?;
        self.write("request", &bytes)
    }

    /// The request that was left, if any.
    pub fn asked(&self) -> Option<Request> {
        let bytes = std::fs::read(self.file("request")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Forgets the request.
    pub fn answered(&self) {
        // Not there is as good as removed.
        let _absent = std::fs::remove_file(self.file("request"));
    }

    /// The secret behind Message-IDs and bounce addresses.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn key(&self) -> Result<[u8; 32], StoreError> {
        let bytes = self.read("key")?;
        bytes.try_into().map_err(|_| StoreError::Record {
            key: self.file("key").display().to_string(),
            detail: "it has not 32 bytes".to_owned(),
        })
    }

    /// Makes the secret.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make_key(&self) -> Result<(), StoreError> {
        let mut key = [0; 32];
        fill(&mut key)?;
        self.write("key", &key)
    }
}

/// Writes a whole file: all of it or nothing, for its owner only, durable.
///
/// # Errors
/// When the disk refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let io = |e| StoreError::io("write", path, e);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    owner_only(&mut options);
    let mut file = options.open(&fresh).map_err(io)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_data())
        .map_err(io)?;
    std::fs::rename(&fresh, path).map_err(io)?;
    sync_folder(path).map_err(|e| StoreError::Record {
        key: path.display().to_string(),
        detail: e.to_string(),
    })
}

fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| StoreError::Record {
            key: "random bytes".to_owned(),
            detail: "the system gives none".to_owned(),
        })
}

/// Lines between two marks of the index.
const STRIDE: u32 = 64;

/// What stands for a person in the evidence: nobody can guess who it is without the salt.
pub fn commitment(salt: &Salt, line: &[u8]) -> Hash {
    let mut digest = Sha256::new();
    digest.update(salt);
    digest.update(line);
    Hash(digest.finalize().into())
}

/// Length and hash of a frozen list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListInfo {
    /// Number of people.
    pub recipients: u32,
    /// SHA-256 over the commitments, in order.
    pub hash: Hash,
}

/// Writes a list, person by person.
pub struct ListWriter {
    rows: BufWriter<File>,
    salts: BufWriter<File>,
    index: BufWriter<File>,
    random: Vec<u8>,
    digest: Sha256,
    count: u32,
    offset: u64,
    path: PathBuf,
}

impl std::fmt::Debug for ListWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListWriter")
            .field("path", &self.path)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl ListWriter {
    /// Begins a list in a campaign's folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn new(folder: &CampaignFolder) -> Result<Self, StoreError> {
        let open = |name: &str| {
            let path = folder.file(name);
            let mut options = File::options();
            options.write(true).create(true).truncate(true);
            owner_only(&mut options);
            options
                .open(&path)
                .map(BufWriter::new)
                .map_err(|e| StoreError::io("make", &path, e))
        };
        Ok(Self {
            rows: open("list.jsonl")?,
            salts: open("salts.bin")?,
            index: open("list.idx")?,
            random: Vec::new(),
            digest: Sha256::new(),
            count: 0,
            offset: 0,
            path: folder.file("list.jsonl"),
        })
    }

    /// Adds a person: one line of JSON, without its line end.
    ///
    /// # Errors
    /// When the disk refuses, or the list is longer than a number can say.
    pub fn push(&mut self, line: &[u8]) -> Result<(), StoreError> {
        let io = |e| StoreError::io("write", &self.path, e);
        if self.random.len() < 16 {
            self.random = vec![0; 16 * 4096];
            fill(&mut self.random)?;
        }
        let at = self.random.len() - 16;
        let salt: Salt = self.random.split_off(at).try_into().unwrap_or_default();
        if self.count.is_multiple_of(STRIDE) {
            self.index
                .write_all(&self.offset.to_le_bytes())
                .map_err(io)?;
        }
        self.rows
            .write_all(line)
            .and_then(|()| self.rows.write_all(b"\n"))
            .and_then(|()| self.salts.write_all(&salt))
            .map_err(io)?;
        self.digest.update(commitment(&salt, line).0);
        self.offset += line.len() as u64 + 1;
        self.count = self.count.checked_add(1).ok_or_else(|| {
            io(std::io::Error::other(
                "a list has at most 4,294,967,295 people",
            ))
        })?;
        Ok(())
    }

    /// Ends the list; it is durable then.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self) -> Result<ListInfo, StoreError> {
        let path = self.path.clone();
        let io = |e| StoreError::io("write", &path, e);
        for writer in [self.rows, self.salts, self.index] {
            let file = writer.into_inner().map_err(|e| io(e.into_error()))?;
            file.sync_data().map_err(io)?;
        }
        Ok(ListInfo {
            recipients: self.count,
            hash: Hash(self.digest.finalize().into()),
        })
    }
}

/// A person who was erased, as the list remembers them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Erased {
    n: u32,
    commitment: Hash,
}

/// A frozen list, read by number; reading in order is quick.
#[derive(Debug)]
pub struct List {
    rows: BufReader<File>,
    salts: BufReader<File>,
    index: Vec<u64>,
    recipients: u32,
    next: u32,
    next_salt: u32,
    path: PathBuf,
    erased: BTreeMap<u32, Hash>,
}

impl List {
    /// Opens the list of a campaign.
    ///
    /// # Errors
    /// When a file is missing or of the wrong length.
    pub fn open(folder: &CampaignFolder, recipients: u32) -> Result<Self, StoreError> {
        let open = |name: &str| {
            let path = folder.file(name);
            File::open(&path).map_err(|e| StoreError::io("open", &path, e))
        };
        let index: Vec<u64> = folder
            .read("list.idx")?
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
            .collect();
        if index.len() != recipients.div_ceil(STRIDE) as usize {
            return Err(StoreError::Record {
                key: folder.file("list.idx").display().to_string(),
                detail: format!("it does not fit a list of {recipients} people"),
            });
        }
        let mut erased = BTreeMap::new();
        if let Ok(bytes) = std::fs::read(folder.file("erased.jsonl")) {
            for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                if let Ok(entry) = serde_json::from_slice::<Erased>(line) {
                    erased.insert(entry.n, entry.commitment);
                }
            }
        }
        Ok(Self {
            rows: BufReader::with_capacity(1 << 16, open("list.jsonl")?),
            salts: BufReader::with_capacity(1 << 14, open("salts.bin")?),
            index,
            recipients,
            next: 0,
            next_salt: 0,
            path: folder.file("list.jsonl"),
            erased,
        })
    }

    /// Number of people.
    pub fn recipients(&self) -> u32 {
        self.recipients
    }

    /// Whether a person was erased.
    pub fn is_erased(&self, n: u32) -> bool {
        self.erased.contains_key(&n)
    }

    /// A person's line (without its end) and salt.
    ///
    /// # Errors
    /// When there is no such person, or the list is damaged.
    pub fn line(&mut self, n: u32, line: &mut Vec<u8>) -> Result<Salt, StoreError> {
        let path = self.path.clone();
        let io = |e| StoreError::io("read", &path, e);
        let wrong = |what: &str| StoreError::Record {
            key: path.display().to_string(),
            detail: format!("person {n}: {what}"),
        };
        if n != self.next || n == 0 {
            let block = n / STRIDE;
            let offset = self
                .index
                .get(block as usize)
                .ok_or_else(|| wrong("is not in the list"))?;
            self.rows.seek(SeekFrom::Start(*offset)).map_err(io)?;
            for _ in 0..n % STRIDE {
                line.clear();
                self.rows.read_until(b'\n', line).map_err(io)?;
            }
        }
        line.clear();
        self.rows.read_until(b'\n', line).map_err(io)?;
        if line.pop() != Some(b'\n') {
            return Err(wrong("the list is cut off"));
        }
        self.next = n + 1;
        if n != self.next_salt || n == 0 {
            self.salts
                .seek(SeekFrom::Start(u64::from(n) * 16))
                .map_err(io)?;
        }
        let mut salt = Salt::default();
        self.salts
            .read_exact(&mut salt)
            .map_err(|_| wrong("its salt is missing"))?;
        self.next_salt = n + 1;
        Ok(salt)
    }

    /// What stands for a person in the evidence.
    ///
    /// # Errors
    /// When the list is damaged.
    pub fn commitment(&mut self, n: u32, line: &mut Vec<u8>) -> Result<Hash, StoreError> {
        let salt = self.line(n, line)?;
        Ok(match self.erased.get(&n) {
            Some(hash) => *hash,
            None => commitment(&salt, line),
        })
    }

    /// Hash over all commitments, computed anew.
    ///
    /// # Errors
    /// When the list is damaged.
    pub fn hash(&mut self) -> Result<Hash, StoreError> {
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        for n in 0..self.recipients {
            digest.update(self.commitment(n, &mut line)?.0);
        }
        // A list that is longer than it says is not the list that was frozen.
        if self.recipients > 0 && self.rows.read(&mut [0]).unwrap_or(0) > 0 {
            return Err(StoreError::Record {
                key: self.path.display().to_string(),
                detail: format!("it has more than {} lines", self.recipients),
            });
        }
        Ok(Hash(digest.finalize().into()))
    }
}

/// Makes people unreadable: their lines become blanks, their salts zeros, and only the
/// commitments stay, which nobody can open any more. The list's hash stays as it was.
///
/// # Errors
/// When the disk refuses.
pub fn erase(folder: &CampaignFolder, list: &mut List, people: &[u32]) -> Result<(), StoreError> {
    let mut line = Vec::new();
    let mut kept = Vec::new();
    let mut places = Vec::new();
    for n in people {
        if list.is_erased(*n) {
            continue;
        }
        let commitment = list.commitment(*n, &mut line)?;
        let path = &list.path;
        let end = list
            .rows
            .stream_position()
            .map_err(|e| StoreError::io("read", path, e))?;
        places.push((*n, end - line.len() as u64 - 1, line.len()));
        list.erased.insert(*n, commitment);
        let entry = Erased { n: *n, commitment };
        kept.extend(serde_json::to_vec(&entry).unwrap_or_default());
        kept.push(b'\n');
    }
    // First the commitments, durable; then what they were made of goes.
    let mut all = std::fs::read(folder.file("erased.jsonl")).unwrap_or_default();
    all.extend(kept);
    folder.write("erased.jsonl", &all)?;
    let overwrite = |name: &str, places: &[(u64, Vec<u8>)]| {
        let path = folder.file(name);
        let io = |e| StoreError::io("erase in", &path, e);
        let mut file = File::options().write(true).open(&path).map_err(io)?;
        for (at, bytes) in places {
            file.seek(SeekFrom::Start(*at)).map_err(io)?;
            file.write_all(bytes).map_err(io)?;
        }
        file.sync_data().map_err(io)
    };
    let salts: Vec<_> = places
        .iter()
        .map(|(n, _, _)| (u64::from(*n) * 16, vec![0; 16]))
        .collect();
    let rows: Vec<_> = places
        .iter()
        .map(|(_, at, length)| (*at, vec![b' '; *length]))
        .collect();
    overwrite("salts.bin", &salts)?;
    overwrite("list.jsonl", &rows)?;
    list.next = u32::MAX;
    list.next_salt = u32::MAX;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_by_number_and_its_hash_survives_erasure() {
        let state = tempfile::tempdir().unwrap();
        let folder = CampaignFolder::create(state.path()).unwrap();
        let mut writer = ListWriter::new(&folder).unwrap();
        let row = |n: u32| format!("{{\"email\":\"p{n}@example.org\"}}");
        for n in 0..300 {
            writer.push(row(n).as_bytes()).unwrap();
        }
        let info = writer.finish().unwrap();
        assert_eq!(info.recipients, 300);
        let mut list = List::open(&folder, 300).unwrap();
        let mut line = Vec::new();
        for n in [0, 1, 2, 70, 71, 299, 64, 63, 0] {
            list.line(n, &mut line).unwrap();
            assert_eq!(line, row(n).as_bytes());
        }
        assert_eq!(list.hash().unwrap(), info.hash);
        erase(&folder, &mut list, &[70, 299]).unwrap();
        let mut list = List::open(&folder, 300).unwrap();
        assert_eq!(list.hash().unwrap(), info.hash);
        let salt = list.line(70, &mut line).unwrap();
        assert_eq!((salt, line.iter().all(|b| *b == b' ')), ([0; 16], true));
        assert!(list.line(300, &mut line).is_err());
        let text = std::fs::read_to_string(folder.file("list.jsonl")).unwrap();
        assert!(!text.contains("p299@") && text.contains("p298@"));
        std::fs::write(folder.file("list.jsonl"), text.replace("p7@", "q7@")).unwrap();
        let mut list = List::open(&folder, 300).unwrap();
        assert_ne!(list.hash().unwrap(), info.hash);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        let folder = CampaignFolder::create(state.path()).unwrap();
        folder.make_key().unwrap();
        ListWriter::new(&folder).unwrap().finish().unwrap();
        for name in ["key", "list.jsonl", "salts.bin", "list.idx"] {
            let mode = std::fs::metadata(folder.file(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(folder.key().unwrap().len(), 32);
    }
}
