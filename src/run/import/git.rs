//! All versions of a file in a Git repository, through the git program: what stood on the main line
//! (first parents only, a merge as what it changed there), also under earlier names.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Component, Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use jiff::Timestamp;

use super::{Dated, ImportError, Imported};
use crate::run::git;

/// One version in the history of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Hash of the commit.
    pub commit: String,
    /// When it was put up.
    pub time: Timestamp,
    /// Hash of the bytes.
    pub blob: String,
    /// The file's name at that time, from the top of the repository.
    pub path: String,
}

/// The history of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Oldest first.
    pub versions: Vec<Listed>,
    /// How many had a date that cannot be, before those before them or after those after them, and
    /// were given another one.
    pub redated: usize,
    /// The repository is a shallow clone: what is older may be missing.
    pub shallow: bool,
    /// The commit that may have given the file its earliest name here: contents that would show it
    /// are missing.
    pub unsought: Option<String>,
}

/// Largest number of files on each side of a commit among which renames with changes are sought.
const RENAMES: &str = "-l2000";

fn output(
    repository: &Path,
    action: &'static str,
    arguments: &[&str],
) -> Result<Vec<u8>, ImportError> {
    let output = git::plain(repository)
        .arg(action)
        .args(arguments)
        .output()
        .map_err(ImportError::NoGit)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(ImportError::Git {
            action,
            repository: repository.display().to_string(),
            detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

/// Whether a repository has no files beside its history.
///
/// # Errors
/// When git cannot be run or refuses.
pub fn is_bare(repository: &Path) -> Result<bool, ImportError> {
    Ok(Place::of(repository)?.bare)
}

/// The files that a repository holds now.
///
/// # Errors
/// When git cannot be run or refuses.
pub fn files(repository: &Path) -> Result<Vec<String>, ImportError> {
    let out = output(repository, "ls-tree", &["-r", "-z", "HEAD"])?;
    Ok(String::from_utf8_lossy(&out)
        .split('\0')
        .filter_map(|entry| entry.split_once('\t'))
        .filter(|(kind, _)| is_file(kind))
        .map(|(_, name)| name.to_owned())
        .collect())
}

/// Whether a mode is that of a file, not of a link or another repository.
fn is_file(mode: &str) -> bool {
    mode.starts_with("100")
}

/// Where a repository is.
struct Place {
    /// Its topmost folder.
    root: PathBuf,
    /// From there to the folder that was named: empty, or with a slash at its end.
    prefix: String,
    bare: bool,
    shallow: bool,
}

impl Place {
    fn of(repository: &Path) -> Result<Self, ImportError> {
        let out = output(
            repository,
            "rev-parse",
            &[
                "--is-bare-repository",
                "--is-shallow-repository",
                "--show-prefix",
            ],
        )?;
        let out = String::from_utf8_lossy(&out);
        let mut lines = out.split('\n');
        let bare = lines.next() == Some("true");
        let shallow = lines.next() == Some("true");
        let prefix = lines.next().unwrap_or_default().to_owned();
        let root = if prefix.is_empty() {
            repository.to_owned()
        } else {
            let top = output(repository, "rev-parse", &["--show-toplevel"])?;
            PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches('\n'))
        };
        Ok(Self {
            root,
            prefix,
            bare,
            shallow,
        })
    }

    /// A path from the top of the repository; `None` when it leads out.
    fn whole_path(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        let (start, path) = if path.is_absolute() {
            let top = std::path::absolute(&self.root).ok()?;
            let inside = path.strip_prefix(top).map(Path::to_owned);
            let real = || path.strip_prefix(self.root.canonicalize().ok()?).ok();
            let inside = inside.ok().or_else(|| real().map(Path::to_owned));
            ("", inside?)
        } else {
            (self.prefix.as_str(), path.to_owned())
        };
        let mut names: Vec<String> = start.split_terminator('/').map(str::to_owned).collect();
        for component in path.components() {
            match component {
                Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
                Component::CurDir => {}
                Component::ParentDir => {
                    names.pop()?;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(names.join("/"))
    }

    /// Refuses what is a folder or a link now; what is no longer there may have a history.
    fn must_be_file(&self, path: &str) -> Result<(), ImportError> {
        let refused = |what| ImportError::NotAFile {
            repository: self.root.display().to_string(),
            path: path.to_owned(),
            what,
        };
        if path.is_empty() {
            return Err(refused("the topmost folder"));
        }
        let entry = output(
            &self.root,
            "ls-tree",
            &["-z", "--full-tree", "HEAD", "--", path],
        )?;
        match String::from_utf8_lossy(&entry).split(' ').next() {
            Some("040000") => Err(refused("a folder")),
            Some("160000") => Err(refused("a submodule")),
            Some("120000") => Err(refused("a symbolic link")),
            _ => Ok(()),
        }
    }
}

/// Lists the versions of a file on the main line of a repository, oldest first, also under its
/// earlier names; of a file that began as a copy, only its own. A date that cannot be (a clock that
/// was wrong, a commit that was moved) is replaced by that of a version beside it.
///
/// # Errors
/// When git cannot be run or refuses, the path is no file, or there is no version.
pub fn list(repository: &Path, path: &str, now: Timestamp) -> Result<History, ImportError> {
    let nothing = || ImportError::NoHistory {
        repository: repository.display().to_string(),
        path: path.to_owned(),
    };
    let place = Place::of(repository)?;
    let mut name = place.whole_path(path).ok_or_else(nothing)?;
    place.must_be_file(&name)?;
    let mut history = History::default();
    let mut start = "HEAD".to_owned();
    'names: loop {
        for (head, change) in log(&place.root, &start, &name)? {
            let born = change.status == 'A';
            if let (false, Some((commit, time))) = (change.gone, head.dated()) {
                history.versions.push(Listed {
                    commit: commit.to_owned(),
                    time,
                    blob: change.blob,
                    path: name.clone(),
                });
            }
            if !born {
                continue;
            }
            match renamed(&place.root, &head.first, &name)? {
                Renamed::From(parent, old) => {
                    (start, name) = (parent, old);
                    continue 'names;
                }
                Renamed::No => {}
                Renamed::Unknown => history.unsought = Some(head.first),
            }
        }
        break;
    }
    let versions = &mut history.versions;
    versions.reverse();
    versions.dedup_by(|later, earlier| later.blob == earlier.blob);
    if versions.is_empty() {
        return Err(nothing());
    }
    let mut dates: Vec<Timestamp> = versions.iter().map(|version| version.time).collect();
    history.redated = put_in_order(&mut dates, now);
    for (version, date) in versions.iter_mut().zip(dates) {
        version.time = date;
    }
    history.shallow = place.shallow;
    Ok(history)
}

/// Keeps the dates of a longest row in which none is before the one before it, the earliest such
/// row; the others get the date of the kept one before them, or after them at the start. Dates that
/// are still to come are never kept. Gives how many were replaced.
fn put_in_order(dates: &mut [Timestamp], now: Timestamp) -> usize {
    // For each date the length of the longest row that begins with it, from the last one on:
    // `ends` holds for each length the latest first date of such a row.
    let mut ends: Vec<Timestamp> = Vec::new();
    let mut lengths = vec![0; dates.len()];
    for (date, length) in dates.iter().zip(&mut lengths).rev() {
        if *date > now {
            continue;
        }
        let longer = ends.partition_point(|end| end >= date);
        match ends.get_mut(longer) {
            Some(end) => *end = *date,
            None => ends.push(*date),
        }
        *length = longer + 1;
    }
    let mut wanted = ends.len();
    let mut kept: Option<Timestamp> = None;
    let mut before_all = 0;
    let mut replaced = 0;
    for (date, length) in dates.iter_mut().zip(lengths) {
        if wanted > 0 && length == wanted && kept.is_none_or(|kept| kept <= *date) {
            kept = Some(*date);
            wanted -= 1;
            continue;
        }
        replaced += 1;
        match kept {
            Some(kept) => *date = kept,
            None => before_all += 1,
        }
    }
    let first = dates.get(before_all).copied().unwrap_or(now);
    for date in dates.iter_mut().take(before_all) {
        *date = first;
    }
    replaced
}

/// What git says of a commit: two words that were asked for.
struct Head {
    first: String,
    second: String,
}

impl Head {
    /// The words as hash and seconds.
    fn dated(&self) -> Option<(&str, Timestamp)> {
        let time = Timestamp::from_second(self.second.parse().ok()?).ok()?;
        Some((&self.first, time))
    }
}

/// What a commit did to a file.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    status: char,
    /// There is no file of this name any more, or something that is no file.
    gone: bool,
    blob: String,
    old: String,
    new: String,
}

/// The changes of one file, newest first, under the name that it has at `start`.
fn log(root: &Path, start: &str, path: &str) -> Result<Vec<(Head, Change)>, ImportError> {
    let out = output(
        root,
        "log",
        &[
            "--first-parent",
            "-m",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "-O/dev/null",
            "--format=%x01%H %ct",
            start,
            "--",
            path,
        ],
    )?;
    Ok(entries(&String::from_utf8_lossy(&out))
        // Where the name was a folder once, its files come too.
        .filter_map(|(head, changes)| Some((head, changes.into_iter().find(|c| c.new == path)?)))
        .collect())
}

/// Whether a commit gave a file another name.
enum Renamed {
    /// The commit before, and the name there.
    From(String, String),
    No,
    /// Git cannot compare what is missing.
    Unknown,
}

/// The name that a file had before a commit gave it another. A copy is no rename: the file that it
/// was taken from goes on under its own name.
fn renamed(root: &Path, commit: &str, path: &str) -> Result<Renamed, ImportError> {
    let ask = |how: &str| {
        output(
            root,
            "log",
            &[
                "--no-walk",
                "--first-parent",
                "-m",
                "--raw",
                "-z",
                "--no-abbrev",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
                "-O/dev/null",
                how,
                RENAMES,
                "--diff-filter=R",
                "--format=%x01%P",
                commit,
                "--",
            ],
        )
    };
    // Where bytes are missing, names under which the same bytes stood are still found.
    let (out, missing) = match ask("-M") {
        Ok(out) => (out, Renamed::No),
        Err(_) => (ask("-M100%")?, Renamed::Unknown),
    };
    let found = entries(&String::from_utf8_lossy(&out)).find_map(|(head, changes)| {
        let change = changes.into_iter().find(|change| change.new == path)?;
        Some(Renamed::From(head.first, change.old))
    });
    Ok(found.unwrap_or(missing))
}

/// `WORD WORD…\0\n:100644 100644 OLD NEW M\0path\0:…`; a rename has two paths, the new one last.
fn entries(text: &str) -> impl Iterator<Item = (Head, Vec<Change>)> {
    text.split('\u{1}').filter_map(|text| {
        let mut fields = text
            .split('\0')
            .map(|field| field.trim_start_matches('\n'))
            .filter(|field| !field.is_empty());
        let mut words = fields.next()?.trim().split(' ').map(str::to_owned);
        let head = Head {
            first: words.next()?,
            second: words.next().unwrap_or_default(),
        };
        let mut changes = Vec::new();
        while let Some(change) = change(&mut fields) {
            changes.push(change);
        }
        Some((head, changes))
    })
}

fn change<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<Change> {
    let mut raw = fields.next()?.strip_prefix(':')?.split(' ');
    let (_, mode, _, blob) = (raw.next()?, raw.next()?, raw.next()?, raw.next()?);
    let status = raw.next()?.chars().next()?;
    let old = fields.next()?.to_owned();
    let new = match status {
        'R' | 'C' => fields.next()?.to_owned(),
        _ => old.clone(),
    };
    Some(Change {
        status,
        gone: !is_file(mode),
        blob: blob.to_owned(),
        old,
        new,
    })
}

/// A version whose bytes the repository does not give.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lost {
    time: Timestamp,
    line: String,
}

/// The versions whose bytes could not be had, known when all were asked for.
#[derive(Debug, Clone, Default)]
pub struct Missing(Arc<Mutex<Vec<Lost>>>);

impl Missing {
    /// Counts them as read and unreadable; those that are not newer than what the workspace has
    /// are wanted no more.
    pub fn count(&self, imported: &mut Imported, newest: Option<Timestamp>) {
        // Whoever panicked while holding it left whole entries.
        let lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lost in lost.iter() {
            imported.read += 1;
            if newest.is_some_and(|newest| lost.time <= newest) {
                imported.older += 1;
            } else {
                imported.unreadable.push(lost.line.clone());
            }
        }
    }

    fn push(&self, lost: Lost) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(lost);
    }
}

/// The versions with their bytes, one after the other.
#[derive(Debug)]
pub struct Versions {
    repository: PathBuf,
    listed: std::vec::IntoIter<Listed>,
    running: Option<Batch>,
    missing: Missing,
}

impl Versions {
    /// Nothing is run before the first one is asked for.
    pub fn new(repository: &Path, listed: Vec<Listed>) -> Self {
        Self {
            repository: repository.to_owned(),
            listed: listed.into_iter(),
            running: None,
            missing: Missing::default(),
        }
    }

    /// Those that are left out because their bytes cannot be had.
    pub fn missing(&self) -> Missing {
        self.missing.clone()
    }
}

impl Iterator for Versions {
    type Item = Result<Dated, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let listed = self.listed.next()?;
            let batch = match &mut self.running {
                Some(batch) => batch,
                none => {
                    let wanted = std::iter::once(&listed).chain(self.listed.as_slice());
                    match Batch::start(&self.repository, wanted) {
                        Ok(batch) => none.insert(batch),
                        Err(error) => return Some(Err(error)),
                    }
                }
            };
            let reference = format!("git:{}:{}", listed.commit, listed.path);
            let why = match batch.read() {
                Ok(Some(bytes)) => {
                    return Some(Ok(Dated {
                        time: listed.time,
                        bytes,
                        reference,
                    }));
                }
                Ok(None) => "is missing".to_owned(),
                Err(error) => {
                    // What git ended at is left out; another one goes on behind it.
                    self.running = None;
                    format!("cannot be read ({error})")
                }
            };
            self.missing.push(Lost {
                time: listed.time,
                line: format!(
                    "{reference} of {}: its content {} {why} in {}; `git fsck` there says more",
                    listed.time,
                    listed.blob,
                    self.repository.display()
                ),
            });
        }
    }
}

/// A process that hands out the bytes.
#[derive(Debug)]
struct Batch {
    child: Child,
    stdout: BufReader<ChildStdout>,
    asker: Option<thread::JoinHandle<()>>,
}

impl Batch {
    fn start<'a>(
        repository: &Path,
        wanted: impl Iterator<Item = &'a Listed>,
    ) -> Result<Self, ImportError> {
        let mut child = git::plain(repository)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(ImportError::NoGit)?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ImportError::Git {
                action: "cat-file",
                repository: repository.display().to_string(),
                detail: "no pipe".to_owned(),
            });
        };
        let wanted: String = wanted.map(|v| format!("{}\n", v.blob)).collect();
        // Another thread asks while this one reads: neither pipe can fill up.
        let asker = thread::spawn(move || {
            // When git ends early, reading says so.
            let _gone = stdin.write_all(wanted.as_bytes());
        });
        Ok(Self {
            child,
            stdout: BufReader::new(stdout),
            asker: Some(asker),
        })
    }

    /// The next bytes; `None` where the repository does not have them.
    fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut head = String::new();
        self.stdout.read_line(&mut head)?;
        let head = head.trim_end();
        if head.is_empty() {
            return Err(std::io::Error::other("git ended"));
        }
        if head.ends_with(" missing") {
            return Ok(None);
        }
        let size: usize = head
            .rsplit_once(' ')
            .filter(|(rest, _)| rest.ends_with(" blob"))
            .and_then(|(_, size)| size.parse().ok())
            .ok_or_else(|| std::io::Error::other(head.to_owned()))?;
        let mut bytes = vec![0; size + 1];
        self.stdout.read_exact(&mut bytes)?;
        bytes.pop();
        Ok(Some(bytes))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Whoever stops early wants neither the rest nor a zombie.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(asker) = self.asker.take() {
            let _ended = asker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{entries, put_in_order};

    #[test]
    fn raw_log_lines_are_read() {
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        let none = "0".repeat(40);
        let text = format!(
            "\u{1}c0ffee 1700000000\0\n:100644 100644 {old} {new} M\0a b.md\0\
             \u{1}c0ffed 1600000000\0\n:100644 000000 {new} {none} D\0gone.md\0\
             :100644 100644 {new} {new} R100\0old.md\0new.md\0:000000 120000 {none} {new} A\0link\0"
        );
        let read: Vec<_> = entries(&text).collect();
        let [(first, one), (second, three)] = read.as_slice() else {
            panic!("two commits");
        };
        assert_eq!(first.dated().unwrap().1.as_second(), 1_700_000_000);
        assert_eq!(
            (one[0].blob.as_str(), one[0].new.as_str()),
            (new.as_str(), "a b.md")
        );
        assert_eq!(second.first, "c0ffed");
        assert!(three[0].gone && three[2].gone && !three[1].gone);
        assert_eq!(
            (three[1].old.as_str(), three[1].new.as_str()),
            ("old.md", "new.md")
        );
    }

    #[test]
    fn a_wrong_clock_moves_no_other_version() {
        let ordered = |seconds: &[i64]| {
            let at = |s: &i64| Timestamp::from_second(*s).unwrap();
            let mut dates: Vec<Timestamp> = seconds.iter().map(at).collect();
            let replaced = put_in_order(&mut dates, at(&1000));
            let dates: Vec<i64> = dates.iter().map(|date| date.as_second()).collect();
            (dates, replaced)
        };
        assert_eq!(ordered(&[1, 2, 2, 3]), (vec![1, 2, 2, 3], 0));
        // Ahead of those after it, still to come, behind those before it.
        assert_eq!(ordered(&[1, 9, 3, 4]), (vec![1, 1, 3, 4], 1));
        assert_eq!(ordered(&[1, 9000, 3]), (vec![1, 1, 3], 1));
        assert_eq!(ordered(&[1, 2, 9000]), (vec![1, 2, 2], 1));
        assert_eq!(ordered(&[5, 6, 2, 7]), (vec![5, 6, 6, 7], 1));
        // At the start there is nothing before it.
        assert_eq!(ordered(&[900, 3, 4]), (vec![3, 3, 4], 1));
        // Two rows as long as each other: the earlier one.
        assert_eq!(ordered(&[9, 3]), (vec![9, 9], 1));
        assert_eq!(ordered(&[9000, 9001]), (vec![1000, 1000], 2));
        assert_eq!(ordered(&[]), (Vec::new(), 0));
    }
}
