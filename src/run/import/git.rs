//! All versions of a file in a Git repository, through the git program: one process lists them,
//! one hands out their bytes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
};

use jiff::Timestamp;

use super::{Dated, ImportError};

/// One version in the history of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Hash of the commit.
    pub commit: String,
    /// When it was committed.
    pub time: Timestamp,
    /// Hash of the bytes.
    pub blob: String,
    /// The file's name at that time.
    pub path: String,
}

fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(repository)
        .args(["-c", "core.quotePath=false"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn output(
    repository: &Path,
    action: &'static str,
    arguments: &[&str],
) -> Result<Vec<u8>, ImportError> {
    let output = git(repository)
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

/// The files that a repository holds now.
///
/// # Errors
/// When git cannot be run or refuses.
pub fn files(repository: &Path) -> Result<Vec<String>, ImportError> {
    let out = output(repository, "ls-tree", &["-r", "-z", "--name-only", "HEAD"])?;
    Ok(String::from_utf8_lossy(&out)
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Lists the versions of a file, oldest first, also under its earlier names. A version that was
/// committed before its forerunner (a clock that was wrong) gets its forerunner's time.
///
/// # Errors
/// When git cannot be run or refuses, or there is no version.
pub fn list(repository: &Path, path: &str) -> Result<Vec<Listed>, ImportError> {
    let arguments = [
        "-z",
        "--follow",
        "--raw",
        "--no-abbrev",
        "--format=%x01%H %ct",
        "--",
        path,
    ];
    let out = output(repository, "log", &arguments)?;
    let mut versions: Vec<Listed> = String::from_utf8_lossy(&out)
        .split('\u{1}')
        .filter_map(entry)
        .collect();
    versions.reverse();
    versions.dedup_by(|later, earlier| later.blob == earlier.blob);
    let mut latest = Timestamp::MIN;
    for version in &mut versions {
        latest = latest.max(version.time);
        version.time = latest;
    }
    if versions.is_empty() {
        return Err(ImportError::NoHistory {
            repository: repository.display().to_string(),
            path: path.to_owned(),
        });
    }
    Ok(versions)
}

/// `HASH SECONDS\0:100644 100644 OLD NEW M\0path\0`; a rename has two paths, the new one last.
fn entry(text: &str) -> Option<Listed> {
    let mut fields = text
        .split('\0')
        .map(|field| field.trim_start_matches('\n'))
        .filter(|field| !field.is_empty());
    let (commit, seconds) = fields.next()?.trim().split_once(' ')?;
    let time = Timestamp::from_second(seconds.trim().parse().ok()?).ok()?;
    let raw = fields.next()?.strip_prefix(':')?;
    let mut raw = raw.split(' ');
    let blob = raw.nth(3)?;
    let status = raw.next()?;
    let path = fields.next_back()?;
    let deleted = status.starts_with('D') || blob.bytes().all(|b| b == b'0');
    (!deleted).then(|| Listed {
        commit: commit.to_owned(),
        time,
        blob: blob.to_owned(),
        path: path.to_owned(),
    })
}

/// The versions with their bytes, one after the other.
///
/// # Errors
/// When git cannot be run or breaks off.
pub fn versions(
    repository: &Path,
    listed: Vec<Listed>,
) -> Result<impl Iterator<Item = Result<Dated, ImportError>>, ImportError> {
    let mut child = git(repository)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(ImportError::NoGit)?;
    let broken = |detail: &str| ImportError::Git {
        action: "cat-file",
        repository: repository.display().to_string(),
        detail: detail.to_owned(),
    };
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(broken("no pipe"));
    };
    let wanted: String = listed.iter().map(|v| format!("{}\n", v.blob)).collect();
    // Another thread asks while this one reads: neither pipe can fill up.
    let asker = thread::spawn(move || {
        // When git ends early, reading says so.
        let _gone = stdin.write_all(wanted.as_bytes());
    });
    Ok(Batch {
        repository: repository.display().to_string(),
        child,
        stdout: BufReader::new(stdout),
        listed: listed.into_iter(),
        asker: Some(asker),
    })
}

struct Batch {
    repository: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    listed: std::vec::IntoIter<Listed>,
    asker: Option<thread::JoinHandle<()>>,
}

impl Batch {
    fn read(&mut self, listed: &Listed) -> Result<Dated, ImportError> {
        let broken = |detail: String| ImportError::Git {
            action: "cat-file",
            repository: self.repository.clone(),
            detail,
        };
        let mut head = String::new();
        self.stdout
            .read_line(&mut head)
            .map_err(|error| broken(error.to_string()))?;
        let size: usize = head
            .trim_end()
            .rsplit_once(" ")
            .filter(|(rest, _)| rest.ends_with(" blob"))
            .and_then(|(_, size)| size.parse().ok())
            .ok_or_else(|| broken(format!("no bytes for {}: {}", listed.blob, head.trim())))?;
        let mut bytes = vec![0; size + 1];
        self.stdout
            .read_exact(&mut bytes)
            .map_err(|error| broken(error.to_string()))?;
        bytes.pop();
        Ok(Dated {
            time: listed.time,
            bytes,
            reference: format!("git:{}:{}", listed.commit, listed.path),
        })
    }
}

impl Iterator for Batch {
    type Item = Result<Dated, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let listed = self.listed.next()?;
        Some(self.read(&listed))
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
    use super::entry;

    #[test]
    fn raw_log_lines_are_read() {
        let new = "b".repeat(40);
        let line = format!(
            "c0ffee 1700000000\0\n:100644 100644 {} {new} M\0a b.md\0",
            "a".repeat(40)
        );
        let listed = entry(&line).unwrap();
        assert_eq!(
            (listed.blob.as_str(), listed.path.as_str()),
            (new.as_str(), "a b.md")
        );
        let renamed =
            format!("c0ffee 1700000000\0:100644 100644 {new} {new} R100\0old.md\0new.md\0");
        assert_eq!(entry(&renamed).unwrap().path, "new.md");
        let gone = format!(
            "c0ffee 1700000000\0:100644 000000 {new} {} D\0a.md\0",
            "0".repeat(40)
        );
        assert!(entry(&gone).is_none());
    }
}
