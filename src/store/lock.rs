//! One writer at a time, and a word on who it is.

use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::StoreError;

/// The workspace's write lock; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Somebody else holds the lock.
#[derive(Debug, thiserror::Error)]
#[error("another run is at work in {}{}", path.display(), holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
pub struct LockError {
    /// The lock file.
    pub path: PathBuf,
    /// What the holder wrote about itself.
    pub holder: Option<String>,
}

impl Lock {
    /// Takes the lock, waiting for up to `wait`.
    ///
    /// # Errors
    /// When somebody else holds it for longer than that, or the file cannot be written.
    pub fn take(
        path: &Path,
        what: &str,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Self, StoreError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|e| StoreError::io("open", path, e))?;
        let step = Duration::from_millis(100);
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < wait => {
                    std::thread::sleep(step);
                    waited += step;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // A holder that cannot be read is a holder all the same.
                    let _unread = file.read_to_string(&mut holder);
                    let holder = Some(holder.trim().to_owned()).filter(|h| !h.is_empty());
                    return Err(LockError {
                        path: path.to_owned(),
                        holder,
                    }
                    .into());
                }
                Err(TryLockError::Error(source)) => {
                    return Err(StoreError::io("lock", path, source));
                }
            }
        }
        let word = format!("{what}, process {}, since {now}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(word.as_bytes()))
            .map_err(|e| StoreError::io("write", path, e))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        let first = Lock::take(&path, "check", now, Duration::ZERO).unwrap();
        let error = Lock::take(&path, "check", now, Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(error.contains("another run is at work"), "{error}");
        assert!(error.contains("(check, process "), "{error}");
        assert!(error.contains("since 2027-01-01T00:00:00Z"), "{error}");
        drop(first);
        Lock::take(&path, "check", now, Duration::ZERO).unwrap();
    }
}
