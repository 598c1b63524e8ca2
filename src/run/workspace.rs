//! A user's workspace: configuration, archive, journal and index, opened together.
//!
//! Reading needs no lock; whoever writes takes the lock first ([`Workspace::write`]), so that two
//! runs never write at once. What is recorded is in the journal, durable, before the index knows
//! it; an index that lags behind (a crash in between) is brought up to date at the next start.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::keep;
use crate::{
    assess::Verdict,
    config::{self, Config, ConfigError},
    evidence::Hash,
    read::{self, Document, ReadError},
    store::{
        Applied, Archive, DocumentState, Entry, Event, Fold, INDEX_FORMAT, Journal, Judgement,
        Lock, MemoryStore, Origin, Reader, SledStore, Snapshot, Store, StoreError, Table, Version,
        checkpoint,
    },
};

/// Why a workspace cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// A law pack of the workspace is wrong.
    #[error(transparent)]
    Law(#[from] crate::duty::law::LawError),
    /// The configuration is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something kept cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored text cannot be read as a document.
    #[error("{file} cannot be read: {source}")]
    Text {
        /// The snapshot file.
        file: String,
        /// Why.
        source: ReadError,
    },
    /// A rule of the workspace is wrong.
    #[error("{0}")]
    Rules(String),
    /// There is no such document.
    #[error("there is no document `{id}` in fairnotice.toml")]
    UnknownDocument {
        /// What was asked for.
        id: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// There is no such version.
    #[error("`{document}` has no version `{spec}`")]
    UnknownVersion {
        /// The document.
        document: String,
        /// What was asked for.
        spec: String,
        /// What there is.
        hint: String,
    },
}

/// A workspace, open for reading.
pub struct Workspace {
    root: PathBuf,
    /// What `fairnotice.toml` says.
    pub config: Arc<Config>,
    /// The snapshot files.
    pub archive: Archive,
    store: Box<dyn Store>,
    writer: Option<Writer>,
}

struct Writer {
    journal: Journal,
    id: String,
    /// In the journal's buffer, but neither durable nor in the index yet.
    waiting: Vec<(Entry, u64)>,
    /// Journal offset at which the next copy of the index is due.
    copy_at: u64,
    _lock: Lock,
}

/// Folder of the journal, the index and the locks.
pub const STATE_FOLDER: &str = ".fairnotice";

/// Events that wait to be written together, at most.
const TOGETHER: usize = 64;
/// Bytes of journal after which a new copy of the index is made for those who only read; a copy
/// is never made before the journal has grown by its own size.
const COPY_EVERY: u64 = 2 << 20;

impl Workspace {
    /// Opens a workspace for writing, waiting for another run for up to `wait`. `what` names this
    /// run to whoever finds the lock taken.
    ///
    /// # Errors
    /// When the configuration is wrong, another run holds the lock, or the disk refuses.
    pub fn write(
        root: &Path,
        what: &str,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Self, WorkspaceError> {
        let config = Arc::new(config::load(root)?);
        let folder = make_state_folder(root)?;
        let lock = Lock::take(&folder.join("lock"), what, now, wait)?;
        let journal = Journal::open(&folder.join("journal.jsonl"))?;
        let id = writer_id(&folder, now)?;
        let store = open_store(root, &config)?;
        let mut workspace = Self {
            root: root.to_owned(),
            config,
            archive: Archive::new(root),
            store,
            writer: Some(Writer {
                copy_at: match checkpoint::made_at(&folder.join("checkpoint")) {
                    Some((offset, size)) => offset + size.max(COPY_EVERY),
                    None => COPY_EVERY,
                },
                journal,
                id,
                waiting: Vec::new(),
                _lock: lock,
            }),
        };
        workspace.catch_up()?;
        workspace.adopt(now)?;
        Ok(workspace)
    }

    /// Takes the snapshot files of a workspace without a journal (a fresh clone) for its history:
    /// each was seen, and was public, when its provenance says.
    fn adopt(&mut self, now: Timestamp) -> Result<(), WorkspaceError> {
        let events = self.adoptable()?;
        if events.is_empty() {
            Ok(())
        } else {
            self.record(now, events)
        }
    }

    /// The events that a workspace's snapshot files amount to, while it has no journal.
    fn adoptable(&self) -> Result<Vec<Event>, WorkspaceError> {
        let mut events = Vec::new();
        if self.applied()?.n > 0 {
            return Ok(events);
        }
        for document in &self.config.documents {
            let mut versions = Vec::new();
            let mut reread = Vec::new();
            for file in self.archive.texts(&document.id)? {
                let snapshot = self.archive.text(&file)?;
                let version = adopted(&document.id, &file, &snapshot)?;
                let number = |key: &str| snapshot.front.get(key).and_then(|n| n.parse().ok());
                let place: u64 = number(keep::SEQUENCE).unwrap_or_default();
                match snapshot.front.get(keep::REREADS).map(str::parse) {
                    Some(Ok(from)) => reread.push((from, version)),
                    _ => versions.push((version.fetched, place, version)),
                }
            }
            // Those of one second follow each other as they did in the history that they are of.
            versions.sort_by_key(|(fetched, place, _)| (*fetched, *place));
            let mut there: Vec<Hash> = versions.iter().map(|(_, _, version)| version.id).collect();
            let reread = chained(reread, &mut there, &mut versions);
            for (_, _, version) in versions {
                let draft = version.origin == Origin::Draft;
                let published = Event::Published {
                    document: document.id.clone(),
                    version: version.id,
                    at: Some(version.fetched),
                };
                let judged = Event::Judged(Judgement {
                    document: document.id.clone(),
                    version: version.id,
                    against: version.id,
                    verdict: Verdict::None,
                    findings: 0,
                    redline: None,
                    rules: String::new(),
                });
                events.push(Event::VersionStored(version));
                if !draft {
                    // What stood in the history when it was cloned was reported where it was made.
                    events.extend([published, judged]);
                }
            }
            for (from, version) in reread {
                let event = Event::Reread {
                    document: document.id.clone(),
                    from,
                    to: version.id,
                    reader: version.reader,
                };
                events.extend([Event::VersionStored(version), event]);
            }
        }
        Ok(events)
    }

    /// Opens a workspace for reading: the index is rebuilt in memory from the journal, so that
    /// nobody who writes is disturbed.
    ///
    /// # Errors
    /// When the configuration is wrong or the journal is damaged.
    pub fn read(root: &Path) -> Result<Self, WorkspaceError> {
        let config = Arc::new(config::load(root)?);
        let mut workspace = Self {
            root: root.to_owned(),
            config,
            archive: Archive::new(root),
            store: Box::<MemoryStore>::default(),
            writer: None,
        };
        let copy = workspace.state_folder().join("checkpoint");
        if let Some(store) = checkpoint::load(&copy, &workspace.journal_file())? {
            workspace.store = Box::new(store);
        }
        workspace.catch_up()?;
        let adopted = workspace.adoptable()?;
        let mut fold = Fold::over(workspace.store.as_ref());
        for event in adopted {
            let entry = Entry {
                n: 0,
                time: Timestamp::UNIX_EPOCH,
                writer: String::new(),
                writer_n: 0,
                lease: 0,
                event,
            };
            fold.apply(&entry, 0)?;
        }
        let writes = fold.writes()?;
        workspace.store.commit(writes)?;
        Ok(workspace)
    }

    /// The workspace's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of journal, index and locks.
    pub fn state_folder(&self) -> PathBuf {
        self.root.join(STATE_FOLDER)
    }

    /// The journal's file.
    pub fn journal_file(&self) -> PathBuf {
        self.state_folder().join("journal.jsonl")
    }

    /// Typed records of the index.
    pub fn index(&self) -> Reader<'_> {
        Reader(self.store.as_ref())
    }

    /// Records events: durable in the journal first, then in the index.
    ///
    /// # Errors
    /// When the workspace is open for reading only, or the disk refuses.
    pub fn record(&mut self, now: Timestamp, events: Vec<Event>) -> Result<(), WorkspaceError> {
        let Some(writer) = &mut self.writer else {
            return Err(StoreError::Io {
                action: "write",
                path: self.root.join(STATE_FOLDER),
                source: std::io::Error::other("the workspace was opened for reading"),
            }
            .into());
        };
        for event in events {
            let entry = writer.journal.append(now, &writer.id, event)?;
            let offset = writer.journal.offset();
            writer.waiting.push((entry, offset));
        }
        self.settle()
    }

    /// Records what nothing else follows from, such as a look that showed what was known: it is
    /// durable, and the index knows it, with the next [`Workspace::record`] or
    /// [`Workspace::settle`], or when enough has come together.
    ///
    /// # Errors
    /// When the workspace is open for reading only, or the disk refuses.
    pub fn note(&mut self, now: Timestamp, event: Event) -> Result<(), WorkspaceError> {
        match &mut self.writer {
            Some(writer) if writer.waiting.len() < TOGETHER => {
                let entry = writer.journal.append(now, &writer.id, event)?;
                let offset = writer.journal.offset();
                writer.waiting.push((entry, offset));
                Ok(())
            }
            _ => self.record(now, vec![event]),
        }
    }

    /// Makes durable what was noted, and tells the index.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle(&mut self) -> Result<(), WorkspaceError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        if writer.waiting.is_empty() {
            return Ok(());
        }
        // What is recorded to be there is there first.
        self.archive.settle()?;
        writer.journal.sync()?;
        let mut fold = Fold::over(self.store.as_ref());
        for (entry, offset) in writer.waiting.drain(..) {
            fold.apply(&entry, offset)?;
        }
        let writes = fold.writes()?;
        self.store.commit(writes)?;
        if writer.journal.offset() >= writer.copy_at {
            let path = self.root.join(STATE_FOLDER).join("checkpoint");
            let (offset, head) = (writer.journal.offset(), writer.journal.head());
            let size = checkpoint::save(&path, self.store.as_ref(), offset, head)?;
            writer.copy_at = offset + size.max(COPY_EVERY);
        }
        Ok(())
    }

    /// Throws the index away and builds it again from the journal.
    ///
    /// # Errors
    /// When the journal is damaged or the store cannot write.
    pub fn reindex(&mut self) -> Result<u64, WorkspaceError> {
        self.store.clear()?;
        self.catch_up()?;
        Ok(self.applied()?.n)
    }

    /// Reads every snapshot file that the index names, and gives those that are missing or were
    /// altered, each with what is wrong. Bytes that are gone were pruned, and are not missed.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn damaged_snapshots(&self) -> Result<Vec<String>, WorkspaceError> {
        let mut damaged = Vec::new();
        for document in &self.config.documents {
            for version in self.index().versions(&document.id)? {
                if let Err(error) = self.snapshot_of(&version) {
                    damaged.push(error.to_string());
                }
                let raw = version.raw.iter().map(|file| self.archive.raw(file));
                damaged.extend(
                    raw.filter_map(Result::err)
                        .filter(|error| !error.is_not_found())
                        .map(|error| error.to_string()),
                );
            }
        }
        damaged.dedup();
        Ok(damaged)
    }

    /// Hash of the last line of the journal, when open for writing.
    pub fn journal_head(&self) -> Option<Hash> {
        self.writer.as_ref().map(|writer| writer.journal.head())
    }

    fn applied(&self) -> Result<Applied, StoreError> {
        Ok(self
            .index()
            .get(Table::Meta, "applied")?
            .unwrap_or_default())
    }

    fn catch_up(&mut self) -> Result<(), StoreError> {
        let applied = self.applied()?;
        let mut from = applied.offset;
        let length = std::fs::metadata(self.journal_file()).map_or(0, |meta| meta.len());
        if applied.n > 0 && (applied.format != INDEX_FORMAT || applied.offset > length) {
            // Another format, or another journal than the one that was indexed.
            self.store.clear()?;
            from = 0;
        }
        let store = &mut self.store;
        let mut waiting = Vec::new();
        let mut apply = |waiting: &mut Vec<(crate::store::Entry, u64)>| -> Result<(), StoreError> {
            let mut fold = Fold::over(store.as_ref());
            for (entry, offset) in waiting.drain(..) {
                fold.apply(&entry, offset)?;
            }
            let writes = fold.writes()?;
            if writes.is_empty() {
                Ok(())
            } else {
                store.commit(writes)
            }
        };
        let journal = self.root.join(STATE_FOLDER).join("journal.jsonl");
        Journal::replay(&journal, from, |entry, offset| {
            waiting.push((entry, offset));
            if waiting.len() >= 200 {
                apply(&mut waiting)
            } else {
                Ok(())
            }
        })?;
        apply(&mut waiting)
    }

    /// The configuration of a document.
    ///
    /// # Errors
    /// When there is none with this id.
    pub fn document(&self, id: &str) -> Result<&config::Document, WorkspaceError> {
        self.config
            .document(id)
            .ok_or_else(|| WorkspaceError::UnknownDocument {
                id: id.to_owned(),
                known: self.config.documents.iter().map(|d| d.id.clone()).collect(),
            })
    }

    /// What is known of a document.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn state(&self, id: &str) -> Result<DocumentState, WorkspaceError> {
        Ok(self.index().document(id)?)
    }

    /// The document behind a stored version, read from its canonical text.
    ///
    /// # Errors
    /// When the version is unknown or its snapshot cannot be read.
    pub fn text_of(&self, document: &str, version: Hash) -> Result<Document, WorkspaceError> {
        let version = self.version(document, version)?;
        self.document_of(&version)
    }

    /// A stored version.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn version(&self, document: &str, id: Hash) -> Result<Version, WorkspaceError> {
        self.index()
            .version(document, id)?
            .ok_or_else(|| WorkspaceError::UnknownVersion {
                document: document.to_owned(),
                spec: id.short(),
                hint: "see `fairnotice log`".to_owned(),
            })
    }

    /// Reads the canonical text of a version.
    ///
    /// # Errors
    /// When its snapshot cannot be read.
    pub fn document_of(&self, version: &Version) -> Result<Document, WorkspaceError> {
        let snapshot = self.snapshot_of(version)?;
        let input = read::Input {
            bytes: snapshot.text.as_bytes(),
            format: Some(read::Format::Markdown),
            ..read::Input::default()
        };
        read::read(&input).map_err(|source| WorkspaceError::Text {
            file: version.file.clone(),
            source,
        })
    }

    /// The snapshot of a version, seen to be the one that the journal names.
    fn snapshot_of(&self, version: &Version) -> Result<Snapshot, WorkspaceError> {
        let snapshot = self.archive.text(&version.file)?;
        // That the text has the hash that its provenance names was seen when it was read.
        let named = snapshot.front.get("version").unwrap_or_default();
        if named != version.id.to_string() {
            return Err(WorkspaceError::Store(StoreError::Damaged {
                path: self.root.join(&version.file),
                line: 1,
                detail: format!(
                    "it is version `{named}`, and the journal says {}: it was altered",
                    version.id.short()
                ),
            }));
        }
        Ok(snapshot)
    }

    /// The version that a `DOC@SPEC` names: `latest`, `previous`, a day (`2026-03-01`: in force at
    /// its end, UTC), `published:DAY`, `seen:DAY`, or the start of a version's id.
    ///
    /// # Errors
    /// When nothing fits, or several versions do.
    pub fn resolve(&self, document: &str, spec: &str) -> Result<Version, WorkspaceError> {
        self.document(document)?;
        let state = self.state(document)?;
        let unknown = |hint: &str| WorkspaceError::UnknownVersion {
            document: document.to_owned(),
            spec: spec.to_owned(),
            hint: hint.to_owned(),
        };
        let found = match spec.split_once(':') {
            Some(("published", day)) => {
                let end = end_of_day(day).ok_or_else(|| unknown("a day is written 2026-03-01"))?;
                state
                    .published
                    .iter()
                    .rev()
                    .find(|p| p.at <= end)
                    .map(|p| p.version)
            }
            Some(("seen", day)) => {
                let end = end_of_day(day).ok_or_else(|| unknown("a day is written 2026-03-01"))?;
                let versions = self.index().versions(document)?;
                versions
                    .iter()
                    .rev()
                    .find(|v| v.fetched <= end)
                    .map(|v| v.id)
            }
            _ => match spec {
                "latest" => state.latest(),
                "previous" => {
                    let latest = state.latest();
                    state
                        .published
                        .iter()
                        .rev()
                        .map(|p| p.version)
                        .find(|v| Some(*v) != latest)
                }
                _ => match end_of_day(spec) {
                    Some(end) if state.published.first().is_some_and(|p| p.at <= end) => {
                        state.in_force(end).map(|p| p.version)
                    }
                    Some(_) => None,
                    None => return self.by_prefix(document, spec),
                },
            },
        };
        match found {
            Some(id) => self.version(document, id),
            None => Err(unknown("nothing was stored by then; see `fairnotice log`")),
        }
    }

    fn by_prefix(&self, document: &str, prefix: &str) -> Result<Version, WorkspaceError> {
        let unknown = |hint: String| WorkspaceError::UnknownVersion {
            document: document.to_owned(),
            spec: prefix.to_owned(),
            hint,
        };
        let versions = self.index().versions(document)?;
        let prefix = prefix.to_lowercase();
        let mut fitting: Vec<Version> = versions
            .into_iter()
            .filter(|version| prefix.len() >= 4 && version.id.to_string().starts_with(&prefix))
            .collect();
        match fitting.len() {
            1 => Ok(fitting.remove(0)),
            0 => Err(unknown(
                "latest, previous, 2026-03-01, published:2026-03-01, seen:2026-03-01, or at least \
                 four digits of an id from `fairnotice log`"
                    .to_owned(),
            )),
            n => Err(unknown(format!(
                "{n} versions start with it; give more digits"
            ))),
        }
    }
}

/// Texts that take the place of others, each after the one whose place it takes; one whose
/// forerunner is not there is a version of its own.
fn chained(
    mut reread: Vec<(Hash, Version)>,
    there: &mut Vec<Hash>,
    versions: &mut Vec<(Timestamp, u64, Version)>,
) -> Vec<(Hash, Version)> {
    let mut chain = Vec::new();
    loop {
        let (next, rest): (Vec<_>, Vec<_>) = reread
            .into_iter()
            .partition(|(from, _)| there.contains(from));
        if next.is_empty() {
            let left = rest.into_iter();
            versions.extend(left.map(|(_, version)| (version.fetched, 0, version)));
            versions.sort_by_key(|(fetched, place, _)| (*fetched, *place));
            return chain;
        }
        there.extend(next.iter().map(|(_, version)| version.id));
        chain.extend(next);
        reread = rest;
    }
}

/// The version that a snapshot file's provenance describes.
fn adopted(document: &str, file: &str, snapshot: &Snapshot) -> Result<Version, StoreError> {
    let wrong = |detail: String| StoreError::Damaged {
        path: file.into(),
        line: 1,
        detail,
    };
    let field = |key: &str| {
        snapshot
            .front
            .get(key)
            .ok_or_else(|| wrong(format!("its provenance lacks `{key}`")))
    };
    let number = |key: &str| {
        field(key)?
            .parse()
            .map_err(|_| wrong(format!("`{key}` is not a number")))
    };
    let id = Hash::of(snapshot.text.as_bytes());
    // That it is the hash of the text was seen when the file was read.
    field("version")?;
    let (rule, key) = field("equivalence")?
        .split_once(':')
        .ok_or_else(|| wrong("`equivalence` is written NUMBER:HASH".to_owned()))?;
    let date = |key: &str| snapshot.front.get(key).and_then(|text| text.parse().ok());
    Ok(Version {
        document: document.to_owned(),
        id,
        key: key.parse().map_err(|e| wrong(format!("{e}")))?,
        key_rule: rule
            .parse()
            .map_err(|_| wrong("`equivalence` has no number".to_owned()))?,
        reader: number("reader")?,
        reading: snapshot.front.get("reading").and_then(|by| by.parse().ok()),
        file: file.to_owned(),
        raw: snapshot
            .front
            .0
            .iter()
            .filter(|(key, _)| key == "raw")
            .map(|(_, file)| file.clone())
            .collect(),
        fetched: field("fetched")?
            .parse()
            .map_err(|_| wrong("`fetched` is not an instant".to_owned()))?,
        origin: match snapshot.front.get("origin") {
            Some("draft") => Origin::Draft,
            Some("imported") => Origin::Imported,
            Some("reread") => Origin::Reread,
            _ => Origin::Fetched,
        },
        title: snapshot.front.get("title").map(str::to_owned),
        dates: read::Dates {
            effective: date("effective"),
            updated: date("updated"),
        },
        language: snapshot.front.get("language").map(str::to_owned),
        words: snapshot
            .front
            .get("words")
            .and_then(|w| w.parse().ok())
            .unwrap_or_default(),
    })
}

fn end_of_day(day: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let next = date
        .tomorrow()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    next.timestamp().checked_sub(Duration::from_nanos(1)).ok()
}

fn make_state_folder(root: &Path) -> Result<PathBuf, StoreError> {
    let folder = root.join(STATE_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|e| StoreError::io("make", &folder, e))?;
    // Lists and ledgers are people's data.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| StoreError::io("protect", &folder, e))?;
    }
    Ok(folder)
}

fn writer_id(folder: &Path, now: Timestamp) -> Result<String, StoreError> {
    let path = folder.join("writer");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        _ => {
            let seed = format!("{now} {} {}", std::process::id(), folder.display());
            let id = Hash::of(seed.as_bytes()).short();
            std::fs::write(&path, format!("{id}\n"))
                .map_err(|e| StoreError::io("write", &path, e))?;
            Ok(id)
        }
    }
}

fn open_store(root: &Path, config: &Config) -> Result<Box<dyn Store>, StoreError> {
    match config.store.url.strip_prefix("sled:") {
        Some(path) => {
            let path = root.join(path);
            match SledStore::open(&path) {
                Ok(store) => Ok(Box::new(store)),
                Err(StoreError::Index { detail, .. }) if detail.contains("orruption") => {
                    // The journal is the truth: a damaged index is set aside and rebuilt.
                    let aside = path.with_extension("damaged");
                    tracing::warn!(
                        "the index was damaged ({detail}); it is rebuilt from the journal"
                    );
                    if aside.exists() {
                        std::fs::remove_dir_all(&aside)
                            .map_err(|e| StoreError::io("remove", &aside, e))?;
                    }
                    std::fs::rename(&path, &aside).map_err(|e| StoreError::io("move", &path, e))?;
                    Ok(Box::new(SledStore::open(&path)?))
                }
                Err(error) => Err(error),
            }
        }
        None => Ok(Box::<MemoryStore>::default()),
    }
}
