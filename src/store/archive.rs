//! The archive of snapshot files: canonical texts that people read and Git compares, and the bytes
//! that were fetched.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;

use super::StoreError;
use crate::evidence::Hash;

/// The folder of snapshots of a workspace.
#[derive(Debug, Clone)]
pub struct Archive {
    workspace: PathBuf,
    /// Files that were written and are not durable yet.
    unsettled: Arc<Mutex<Vec<(PathBuf, File)>>>,
    /// Held while files are made durable, so that who comes second waits for them too.
    settling: Arc<Mutex<()>>,
}

/// Provenance, written above a canonical text: keys and values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter(pub Vec<(String, String)>);

impl FrontMatter {
    /// Adds a key with a value.
    pub fn add(&mut self, key: &str, value: impl ToString) {
        self.0.push((key.to_owned(), value.to_string()));
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }
}

/// A snapshot file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its provenance.
    pub front: FrontMatter,
    /// The canonical text.
    pub text: String,
}

const FOLDER: &str = "snapshots";
/// Files that are left open for [`Archive::settle`], at most.
const MANY: usize = 200;
/// Files that are waited for at once.
const MANY_AT_ONCE: usize = 8;
/// Level of compression: a third of the time of the usual one, for a fifth more bytes.
const QUICK: u32 = 3;
const FENCE: &str = "---\n";

impl Archive {
    /// The archive of a workspace; the folder is made when something is kept.
    pub fn new(workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            unsettled: Arc::default(),
            settling: Arc::default(),
        }
    }

    /// Keeps a canonical text, whose hash is `id`; gives its file, relative to the workspace.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_text(
        &self,
        document: &str,
        time: Timestamp,
        front: &FrontMatter,
        id: Hash,
        text: &str,
    ) -> Result<String, StoreError> {
        let name = format!("{FOLDER}/{document}/{}-{}.md", stamp(time), id.short());
        let mut content = FENCE.to_owned();
        for (key, value) in &front.0 {
            content += &format!("{key}: {}\n", quoted(value));
        }
        content += FENCE;
        content += text;
        self.write(&name, content.as_bytes())?;
        Ok(name)
    }

    /// Keeps fetched bytes, compressed; gives their file, relative to the workspace.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_raw(
        &self,
        document: &str,
        time: Timestamp,
        bytes: &[u8],
    ) -> Result<String, StoreError> {
        let name = format!(
            "{FOLDER}/{document}/{}-{}.raw.gz",
            stamp(time),
            Hash::of(bytes).short()
        );
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(QUICK));
        let packed = encoder
            .write_all(bytes)
            .and_then(|()| encoder.finish())
            .map_err(|e| StoreError::io("compress", &self.workspace.join(&name), e))?;
        self.write(&name, &packed)?;
        Ok(name)
    }

    /// Reads a canonical text.
    ///
    /// # Errors
    /// When the file is missing, has no front matter, or its text is not the one whose hash that
    /// names.
    pub fn text(&self, file: &str) -> Result<Snapshot, StoreError> {
        let path = self.workspace.join(file);
        let content =
            std::fs::read_to_string(&path).map_err(|e| StoreError::io("read", &path, e))?;
        let wrong = |detail: String| StoreError::Damaged {
            path: path.clone(),
            line: 1,
            detail,
        };
        let snapshot = parse(&content).ok_or_else(|| {
            wrong("a snapshot starts with its provenance between two lines of ---".to_owned())
        })?;
        let id = Hash::of(snapshot.text.as_bytes());
        match snapshot.front.get("version") {
            Some(named) if named != id.to_string() => Err(wrong(format!(
                "its text has the hash {}, not the one its provenance names: it was altered",
                id.short()
            ))),
            _ => Ok(snapshot),
        }
    }

    /// Whether a path is one of the archive's.
    pub fn holds(&self, path: &Path) -> bool {
        path.starts_with(self.workspace.join(FOLDER))
    }

    /// Whether all of some files, named relative to the workspace, are there.
    pub fn all_there(&self, files: &[String]) -> bool {
        files.iter().all(|file| self.workspace.join(file).exists())
    }

    /// Reads fetched bytes.
    ///
    /// # Errors
    /// When the file is missing, damaged, or holds other bytes than those whose hash its name gives.
    pub fn raw(&self, file: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.workspace.join(file);
        let packed = std::fs::read(&path).map_err(|e| StoreError::io("read", &path, e))?;
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice())
            .read_to_end(&mut bytes)
            .map_err(|e| StoreError::io("decompress", &path, e))?;
        let short = Hash::of(&bytes).short();
        if file.ends_with(&format!("-{short}.raw.gz")) {
            Ok(bytes)
        } else {
            Err(StoreError::Damaged {
                path,
                line: 1,
                detail: format!(
                    "its bytes have the hash {short}, not the one in its name: it was altered"
                ),
            })
        }
    }

    /// All snapshot texts of a document, relative to the workspace, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn texts(&self, document: &str) -> Result<Vec<String>, StoreError> {
        let mut files = self.files(document)?;
        files.retain(|(file, _)| Path::new(file).extension().is_some_and(|e| e == "md"));
        Ok(files.into_iter().map(|(file, _)| file).collect())
    }

    /// All files of a document with their sizes in bytes, relative to the workspace, by name and
    /// so oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self, document: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let folder = self.workspace.join(FOLDER).join(document);
        let io = |e| StoreError::io("read", &folder, e);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = entry.metadata().map_err(io)?.len();
            files.push((format!("{FOLDER}/{document}/{name}"), size));
        }
        files.sort();
        Ok(files)
    }

    /// Documents that have a folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn documents(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.workspace.join(FOLDER);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &folder, error)),
        };
        let mut ids: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// Writes beside, then renames: a file is there whole or not at all. It is durable after
    /// [`Archive::settle`].
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.workspace.join(name);
        let folder = path.parent().unwrap_or(&self.workspace);
        std::fs::create_dir_all(folder).map_err(|e| StoreError::io("make", folder, e))?;
        let beside = path.with_extension("part");
        let mut file =
            std::fs::File::create(&beside).map_err(|e| StoreError::io("write", &beside, e))?;
        file.write_all(bytes)
            .map_err(|e| StoreError::io("write", &beside, e))?;
        std::fs::rename(&beside, &path).map_err(|e| StoreError::io("write", &path, e))?;
        let mut unsettled = self
            .unsettled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unsettled.push((path, file));
        if unsettled.len() < MANY {
            return Ok(());
        }
        drop(unsettled);
        self.settle()
    }

    /// Makes all files written so far durable; whoever records that they are there does it first.
    /// Several are waited for at once, so that the disk can take them together.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let files = std::mem::take(
            &mut *self
                .unsettled
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if files.len() < MANY_AT_ONCE {
            return sync(&files);
        }
        std::thread::scope(|scope| {
            let waiting: Vec<_> = files
                .chunks(files.len().div_ceil(MANY_AT_ONCE))
                .map(|some| scope.spawn(move || sync(some)))
                .collect();
            waiting.into_iter().try_for_each(|one| {
                one.join().unwrap_or_else(|_| {
                    let panicked = std::io::Error::other("the thread that waited for it failed");
                    Err(StoreError::io("write", &self.workspace, panicked))
                })
            })
        })
    }
}

fn sync(files: &[(PathBuf, File)]) -> Result<(), StoreError> {
    files.iter().try_for_each(|(path, file)| {
        file.sync_data()
            .map_err(|e| StoreError::io("write", path, e))
    })
}

/// `20270101T030000Z`: sorts by time and is a file name on every system.
fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn parse(content: &str) -> Option<Snapshot> {
    let rest = content.strip_prefix(FENCE)?;
    let end = if rest.starts_with(FENCE) {
        0
    } else {
        rest.find("\n---\n")? + 1
    };
    let mut front = FrontMatter::default();
    for line in rest.get(..end)?.lines() {
        let (key, value) = line.split_once(": ")?;
        front.add(key, unquoted(value));
    }
    Some(Snapshot {
        front,
        text: rest.get(end + FENCE.len()..)?.to_owned(),
    })
}

/// Values that YAML could take for something else stand in quotes.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        serde_json::Value::String(value.to_owned()).to_string()
    }
}

fn unquoted(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_with_its_provenance() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(folder.path());
        let mut front = FrontMatter::default();
        front.add("source", "https://example.com/a?b: c");
        front.add("title", "A \"quoted\"\nname");
        front.add("words", 12);
        let time = "2027-01-01T03:00:00Z".parse().unwrap();
        let text = "# Policy\n\n---\n\nBody\n";
        let id = Hash::of(text.as_bytes());
        let file = archive
            .keep_text("privacy", time, &front, id, text)
            .unwrap();
        assert!(
            file.starts_with("snapshots/privacy/20270101T030000Z-"),
            "{file}"
        );
        let snapshot = archive.text(&file).unwrap();
        assert_eq!(snapshot.text, text);
        assert_eq!(snapshot.front.get("title"), Some("A \"quoted\"\nname"));
        assert_eq!(snapshot.front.get("words"), Some("12"));
        assert_eq!(archive.texts("privacy").unwrap(), [file]);
        assert_eq!(archive.documents().unwrap(), ["privacy"]);
    }

    #[test]
    fn raw_bytes_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(folder.path());
        let bytes = [0u8, 159, 146, 150].repeat(1000);
        let file = archive
            .keep_raw("p", "2027-01-01T03:00:00Z".parse().unwrap(), &bytes)
            .unwrap();
        assert_eq!(archive.raw(&file).unwrap(), bytes);
    }

    #[test]
    fn a_file_without_provenance_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("snapshots/p")).unwrap();
        std::fs::write(folder.path().join("snapshots/p/x.md"), "text").unwrap();
        let error = Archive::new(folder.path())
            .text("snapshots/p/x.md")
            .unwrap_err();
        assert!(
            error.to_string().contains("x.md is damaged at line 1"),
            "{error}"
        );
    }
}
