//! A campaign's ledger on disk: lines that are only ever added, each chained to the one before.
//!
//! Two threads share the work. The first writes what it is given to the file at once; the second
//! waits for the disk (fdatasync) again and again, each time for everything that was written till
//! then, and says "done" to whoever waits for it. So a process that is killed leaves nearly all
//! results it saw in the file, and a busy disk makes the groups larger, not the sender slower.
//!
//! What a crash can leave behind is an unfinished last group: it is cut off, set aside in a file
//! beside the ledger, and said in a `recovered` entry. Anything else that does not fit the chain
//! is damage, and refused.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::begun::{self, Begun};
use crate::evidence::{Delivery, Entry, Event, Hash, LineError, Replay, ReplayError, read_line};

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
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
    /// A line that does not belong there.
    #[error("{}, line {line}: {error}", path.display())]
    Line {
        /// The ledger.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        error: LineError,
    },
    /// An entry that cannot follow.
    #[error("{}: {error}", path.display())]
    Replay {
        /// The ledger.
        path: PathBuf,
        /// What is wrong.
        error: ReplayError,
    },
    /// The writing thread ended.
    #[error("the ledger {} cannot be written any more: {why}", path.display())]
    Stopped {
        /// The ledger.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl LedgerError {
    fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// What stands in a ledger.
#[derive(Debug, Default)]
pub struct Standing {
    /// What the entries add up to.
    pub replay: Replay,
    /// Hash of the last line.
    pub head: Hash,
    /// Bytes of whole, fitting lines.
    pub length: u64,
    /// Bytes after them, left by a crash.
    pub torn: u64,
}

/// The unfinished last group of a crash is never longer than this.
const LONGEST_TAIL: u64 = 4 << 20;

/// Reads a ledger without changing it; also while a sender writes it.
///
/// # Errors
/// When it cannot be read, or is damaged before its last group.
pub fn read_ledger(path: &Path) -> Result<Standing, LedgerError> {
    let file = File::open(path).map_err(|e| LedgerError::io("open", path, e))?;
    let length = file
        .metadata()
        .map_err(|e| LedgerError::io("read", path, e))?
        .len();
    let mut reader = BufReader::with_capacity(1 << 18, file.take(length));
    let mut standing = Standing::default();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let count = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| LedgerError::io("read", path, e))?;
        if count == 0 {
            return Ok(standing);
        }
        let read = match line.strip_suffix(b"\n") {
            Some(whole) => read_line(standing.head, whole),
            None => Err(LineError::Form),
        };
        let (hash, entry) = match read {
            Ok(read) => read,
            Err(error) => {
                let rest = length - standing.length;
                if rest <= LONGEST_TAIL && is_last_of_its_kind(&mut reader, path)? {
                    standing.torn = rest;
                    return Ok(standing);
                }
                return Err(LedgerError::Line {
                    path: path.to_owned(),
                    line: number,
                    error,
                });
            }
        };
        standing
            .replay
            .apply(&entry)
            .map_err(|error| LedgerError::Replay {
                path: path.to_owned(),
                error,
            })?;
        standing.head = hash;
        standing.length += count as u64;
    }
}

/// Whether nothing that looks like a whole line follows: else it is damage, not a torn tail.
fn is_last_of_its_kind(
    reader: &mut BufReader<std::io::Take<File>>,
    path: &Path,
) -> Result<bool, LedgerError> {
    let mut rest = Vec::new();
    reader
        .read_to_end(&mut rest)
        .map_err(|e| LedgerError::io("read", path, e))?;
    Ok(rest
        .split_inclusive(|b| *b == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
        .all(|line| crate::evidence::split_line(line).is_err()))
}

enum Order {
    Write(Event, Timestamp, Option<oneshot::Sender<()>>),
    Flush(mpsc::Sender<()>),
}

/// Somebody who waits until an entry is durable.
#[derive(Debug)]
enum Waiter {
    Entry(oneshot::Sender<()>),
    Flush(mpsc::Sender<()>),
}

impl Waiter {
    fn tell(self) {
        match self {
            // Nobody may be waiting any more.
            Self::Entry(done) => drop(done.send(())),
            Self::Flush(done) => drop(done.send(())),
        }
    }
}

/// What was written, and not waited for at the disk.
#[derive(Debug, Default)]
struct Unsynced {
    any: bool,
    waiting: Vec<Waiter>,
    /// The writer ended: what is here is the last.
    ended: bool,
    /// The disk failed: nothing is durable any more.
    failed: bool,
}

#[derive(Debug)]
struct Shared {
    standing: Mutex<Standing>,
    unsynced: Mutex<Unsynced>,
    written: Condvar,
    failure: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A ledger open for writing.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    orders: Option<mpsc::SyncSender<Order>>,
    threads: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
    begun: Option<Begun>,
}

impl Ledger {
    /// Makes a ledger with its first entry.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn create(path: &Path, now: Timestamp, created: Event) -> Result<Self, LedgerError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        owner_only(&mut options);
        options
            .open(path)
            .map_err(|e| LedgerError::io("make", path, e))?;
        let ledger = Self::start(path, Standing::default())?;
        ledger.append(now, created)?;
        sync_folder(path)?;
        Ok(ledger)
    }

    /// Opens a ledger for writing, sets a torn tail aside, and settles attempts without a result:
    /// those whose content did not begin to leave are open again, the others uncertain. The
    /// caller holds the campaign's lock.
    ///
    /// # Errors
    /// When it cannot be read or written, or is damaged.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, LedgerError> {
        let standing = read_ledger(path)?;
        let torn = standing.torn;
        if torn > 0 {
            set_aside(path, standing.length)?;
        }
        let without: Vec<(u32, u32)> = standing
            .replay
            .numbers(Delivery::Sending)
            .into_iter()
            .map(|n| {
                let attempts = standing.replay.attempts(n);
                (n, attempts.map_or(0, |attempts| attempts.count))
            })
            .collect();
        let unsent = begun::unsent(path, &without);
        let ledger = Self::start(path, standing)?;
        if torn > 0 || !without.is_empty() {
            ledger.append(
                now,
                Event::Recovered {
                    torn,
                    uncertain: u32::try_from(without.len() - unsent.len()).unwrap_or(u32::MAX),
                    unsent,
                },
            )?;
        }
        Ok(ledger)
    }

    fn start(path: &Path, standing: Standing) -> Result<Self, LedgerError> {
        let file = File::options()
            .append(true)
            .open(path)
            .map_err(|e| LedgerError::io("open", path, e))?;
        let disk = file
            .try_clone()
            .map_err(|e| LedgerError::io("open", path, e))?;
        let shared = Arc::new(Shared {
            standing: Mutex::new(standing),
            unsynced: Mutex::default(),
            written: Condvar::new(),
            failure: Mutex::new(None),
        });
        let (orders, inbox) = mpsc::sync_channel(MOST_UNWRITTEN);
        let mut ledger = Self {
            path: path.to_owned(),
            orders: Some(orders),
            threads: Vec::new(),
            shared: Arc::clone(&shared),
            begun: None,
        };
        let write = {
            let shared = Arc::clone(&shared);
            move || {
                write_entries(file, &inbox, &shared);
                lock(&shared.unsynced).ended = true;
                shared.written.notify_one();
            }
        };
        ledger.thread("ledger", write)?;
        ledger.thread("ledger-disk", move || sync_entries(&disk, &shared))?;
        Ok(ledger)
    }

    fn thread(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), LedgerError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|e| LedgerError::io("write", &self.path, e))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Prepares for contents to be sent; see [`begin`](Self::begin).
    ///
    /// # Errors
    /// When the file beside the ledger cannot be written.
    pub fn prepare_to_send(&mut self) -> Result<(), LedgerError> {
        let recipients = self.with(|replay, _| replay.counts().recipients);
        self.begun = Begun::start(&self.path, recipients)
            .map_err(|e| LedgerError::io("write beside", &self.path, e))?;
        Ok(())
    }

    /// Says that the content of a durable `sending` entry is about to leave, so that a process
    /// killed before this leaves no doubt about it. `false` when that cannot be written: then it
    /// must not leave.
    #[must_use]
    pub fn begin(&self, n: u32, attempt: u32) -> bool {
        let Some(begun) = &self.begun else {
            return true;
        };
        match begun.mark(n, attempt) {
            Ok(()) => true,
            Err(error) => {
                lock(&self.shared.failure).get_or_insert(error.to_string());
                false
            }
        }
    }

    /// Nobody is left to be sent to: removes what [`begin`](Self::begin) wrote.
    pub fn end_of_sending(&self) {
        begun::remove(&self.path);
    }

    /// Hands an entry to the writer; the receiver tells when it is durable, and fails when it
    /// never will be.
    pub fn record(&self, now: Timestamp, event: Event) -> oneshot::Receiver<()> {
        let (done, receiver) = oneshot::channel();
        self.order(Order::Write(event, now, Some(done)));
        receiver
    }

    /// Hands an entry to the writer; it is durable with the next group.
    pub fn note(&self, now: Timestamp, event: Event) {
        self.order(Order::Write(event, now, None));
    }

    /// Writes an entry and waits until it is durable.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn append(&self, now: Timestamp, event: Event) -> Result<(), LedgerError> {
        self.note(now, event);
        self.flush()
    }

    /// Waits until all entries so far are durable.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn flush(&self) -> Result<(), LedgerError> {
        let (done, wait) = mpsc::channel();
        self.order(Order::Flush(done));
        wait.recv().map_err(|_| self.stopped())
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // A writer that ended drops the order, which tells whoever waits for it.
            let _ended = orders.send(order);
        }
    }

    fn stopped(&self) -> LedgerError {
        LedgerError::Stopped {
            path: self.path.clone(),
            why: lock(&self.shared.failure)
                .clone()
                .unwrap_or_else(|| "the writer ended".to_owned()),
        }
    }

    /// Looks at what stands in the ledger; after [`flush`](Self::flush) all of it is durable.
    pub fn with<T>(&self, look: impl FnOnce(&Replay, Hash) -> T) -> T {
        let standing = lock(&self.shared.standing);
        look(&standing.replay, standing.head)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.orders = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to say.
            let _ended = thread.join();
        }
    }
}

/// So many entries wait for the writer, and then who hands in more waits for it: what is not in
/// the file is lost when the process is killed.
const MOST_UNWRITTEN: usize = 256;

/// Most entries that one write carries.
const LARGEST_WRITE: usize = 256;

/// Entries that nobody waits for wait so long for company at the disk.
const NOBODY_WAITS: Duration = Duration::from_millis(20);

fn write_entries(mut file: File, inbox: &mpsc::Receiver<Order>, shared: &Shared) {
    let mut bytes = Vec::with_capacity(1 << 16);
    let mut waiting = Vec::new();
    while let Ok(first) = inbox.recv() {
        let mut standing = lock(&shared.standing);
        let mut order = Some(first);
        let mut count = 0;
        while let Some(next) = order.take() {
            match next {
                Order::Write(event, at, done) => {
                    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
                    let seq = standing.replay.next();
                    let entry = Entry { seq, at, event };
                    if let Err(error) = standing.replay.apply(&entry) {
                        *lock(&shared.failure) = Some(error.to_string());
                        return;
                    }
                    standing.head = entry.write(standing.head, &mut bytes);
                    waiting.extend(done.map(Waiter::Entry));
                    count += 1;
                }
                Order::Flush(done) => waiting.push(Waiter::Flush(done)),
            }
            if count < LARGEST_WRITE {
                order = inbox.try_recv().ok();
            }
        }
        drop(standing);
        if let Err(error) = file.write_all(&bytes) {
            *lock(&shared.failure) = Some(error.to_string());
            return;
        }
        let mut unsynced = lock(&shared.unsynced);
        if unsynced.failed {
            return;
        }
        unsynced.any |= !bytes.is_empty();
        unsynced.waiting.append(&mut waiting);
        drop(unsynced);
        shared.written.notify_one();
        bytes.clear();
    }
}

fn sync_entries(file: &File, shared: &Shared) {
    let mut unsynced = lock(&shared.unsynced);
    loop {
        unsynced = shared
            .written
            .wait_while(unsynced, |u| !u.any && u.waiting.is_empty() && !u.ended)
            .unwrap_or_else(PoisonError::into_inner);
        (unsynced, _) = shared
            .written
            .wait_timeout_while(unsynced, NOBODY_WAITS, |u| u.waiting.is_empty() && !u.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut unsynced.waiting);
        let any = std::mem::take(&mut unsynced.any);
        if !any && waiting.is_empty() {
            return;
        }
        drop(unsynced);
        if any && let Err(error) = file.sync_data() {
            *lock(&shared.failure) = Some(error.to_string());
            let mut unsynced = lock(&shared.unsynced);
            unsynced.failed = true;
            unsynced.waiting.clear();
            return;
        }
        for waiter in waiting {
            waiter.tell();
        }
        unsynced = lock(&shared.unsynced);
    }
}

/// Cuts a ledger at `length`; what stood after it is kept beside it.
fn set_aside(path: &Path, length: u64) -> Result<(), LedgerError> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| LedgerError::io("open", path, e))?;
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(length))
        .and_then(|_| file.read_to_end(&mut rest))
        .map_err(|e| LedgerError::io("read", path, e))?;
    let aside = path.with_extension("torn");
    let mut options = File::options();
    options.append(true).create(true);
    owner_only(&mut options);
    options
        .open(&aside)
        .and_then(|mut file| file.write_all(&rest))
        .map_err(|e| LedgerError::io("write", &aside, e))?;
    file.set_len(length)
        .and_then(|()| file.sync_data())
        .map_err(|e| LedgerError::io("cut", path, e))
}

/// Files with people's data are for their owner only.
pub(crate) fn owner_only(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes a new file's name as durable as its bytes.
pub(super) fn sync_folder(path: &Path) -> Result<(), LedgerError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| LedgerError::io("write", folder, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::LEDGER_FORMAT;

    fn now() -> Timestamp {
        "2027-01-01T10:00:00Z".parse().unwrap()
    }

    fn created(recipients: u32) -> Event {
        Event::Created {
            campaign: "c-1".into(),
            format: LEDGER_FORMAT,
            definition: Hash::default(),
            recipients,
        }
    }

    fn attempt(n: u32) -> Event {
        Event::Sending {
            n,
            attempt: 1,
            date: now(),
            message: Hash::default(),
        }
    }

    fn some(path: &Path) -> Ledger {
        let ledger = Ledger::create(path, now(), created(3)).unwrap();
        ledger.note(now(), attempt(0));
        let accepted = Event::Accepted {
            n: 0,
            reply: "250 ok".into(),
        };
        ledger.note(now(), accepted);
        ledger.append(now(), attempt(1)).unwrap();
        ledger
    }

    #[test]
    fn a_torn_tail_is_set_aside_and_open_attempts_become_uncertain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        drop(some(&path));
        let whole = std::fs::read(&path).unwrap();
        // Whatever is left of the last line.
        let last = whole[..whole.len() - 1]
            .iter()
            .rposition(|b| *b == b'\n')
            .unwrap()
            + 1;
        for cut in last..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let ledger = Ledger::open(&path, now()).unwrap();
            let counts = ledger.with(|replay, _| replay.counts());
            assert_eq!((counts.accepted, counts.uncertain), (1, 0), "{cut}");
            drop(ledger);
            assert_eq!(read_ledger(&path).unwrap().torn, 0);
        }
        std::fs::write(&path, &whole).unwrap();
        let ledger = Ledger::open(&path, now()).unwrap();
        let counts = ledger.with(|replay, _| replay.counts());
        assert_eq!((counts.pending, counts.uncertain), (1, 1));
        drop(ledger);
        assert_eq!(
            read_ledger(&path)
                .unwrap()
                .replay
                .numbers(Delivery::Uncertain),
            [1]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_attempt_that_was_only_marked_is_open_again_and_one_that_began_is_uncertain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::create(&path, now(), created(3)).unwrap();
        ledger.prepare_to_send().unwrap();
        ledger.note(now(), attempt(0));
        ledger.append(now(), attempt(1)).unwrap();
        assert!(ledger.begin(1, 1));
        drop(ledger);
        let state = |ledger: &Ledger| {
            let states = ledger.with(|replay, _| [0, 1, 2].map(|n| replay.delivery(n).unwrap()));
            (
                states,
                ledger.with(|replay, _| replay.counts().ever_uncertain),
            )
        };
        let expected = (
            [Delivery::Pending, Delivery::Uncertain, Delivery::Pending],
            1,
        );
        let ledger = Ledger::open(&path, now()).unwrap();
        assert_eq!(state(&ledger), expected);
        drop(ledger);
        // Opened once more, the verdict stands.
        assert_eq!(state(&Ledger::open(&path, now()).unwrap()), expected);
        assert_eq!(
            read_ledger(&path)
                .unwrap()
                .replay
                .attempts(0)
                .unwrap()
                .count,
            1,
            "the attempt is counted, so that the next one has a number of its own"
        );
    }

    #[test]
    fn damage_in_the_middle_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        drop(some(&path));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("250 ok", "250 no")).unwrap();
        let error = read_ledger(&path).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        let lines: Vec<&str> = text.lines().collect();
        std::fs::write(&path, [lines[0], lines[2], lines[3], ""].join("\n")).unwrap();
        let error = read_ledger(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_step_that_cannot_be_stops_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let ledger = some(&path);
        let accepted = Event::Accepted {
            n: 2,
            reply: String::new(),
        };
        assert!(ledger.append(now(), accepted).is_err());
        assert!(ledger.append(now(), attempt(2)).is_err());
        drop(ledger);
        assert!(read_ledger(&path).is_ok());
    }
}
