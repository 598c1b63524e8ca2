//! Where returned mail lies: a Maildir, an mbox file, a single message, or a pipe. Nothing is
//! ever deleted or moved; reading a message twice does no harm.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::Path,
};

/// Why a mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The disk.
    #[error("cannot read {place}: {source}")]
    Io {
        /// Where.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that is none.
    #[error("{0} is no Maildir: it has neither `new` nor `cur`")]
    NoMaildir(String),
    /// What the caller does failed.
    #[error("{0}")]
    Stopped(String),
}

/// No message is read beyond this; a report says what matters at its beginning.
const LONGEST: usize = 4 << 20;

/// Gives each message of a mailbox with a name for it: a Maildir folder, an mbox file, a file
/// with one message, or `-` for standard input.
///
/// # Errors
/// When the mailbox cannot be read, or `each` gives an error.
pub fn each_message(
    place: &Path,
    mut each: impl FnMut(&str, &[u8]) -> Result<(), String>,
) -> Result<u64, MailboxError> {
    let name = place.display().to_string();
    let io = |source| MailboxError::Io {
        place: name.clone(),
        source,
    };
    if place == Path::new("-") {
        return from_stream("standard input", std::io::stdin().lock(), &mut each);
    }
    if !place.is_dir() {
        let file = File::open(place).map_err(io)?;
        return from_stream(&name, BufReader::new(file), &mut each);
    }
    let mut files = Vec::new();
    let mut any = false;
    for part in ["new", "cur"] {
        let folder = place.join(part);
        if !folder.is_dir() {
            continue;
        }
        any = true;
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.is_file() {
                files.push(path);
            }
        }
    }
    if !any {
        return Err(MailboxError::NoMaildir(name));
    }
    files.sort();
    let mut count = 0;
    for path in files {
        let mut bytes = Vec::new();
        let file = match File::open(&path) {
            Ok(file) => file,
            // Another program may have moved it from `new` to `cur` just now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io(error)),
        };
        file.take(LONGEST as u64)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        each(&path.display().to_string(), &bytes).map_err(MailboxError::Stopped)?;
        count += 1;
    }
    Ok(count)
}

fn from_stream(
    name: &str,
    mut input: impl BufRead,
    each: &mut impl FnMut(&str, &[u8]) -> Result<(), String>,
) -> Result<u64, MailboxError> {
    let io = |source| MailboxError::Io {
        place: name.to_owned(),
        source,
    };
    let mbox = input.fill_buf().map_err(io)?.starts_with(b"From ");
    let mut message = Vec::new();
    let mut line = Vec::new();
    let mut count = 0;
    let mut blank = true;
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(io)?;
        let starts = mbox && blank && line.starts_with(b"From ");
        if (read == 0 || starts) && !message.is_empty() {
            count += 1;
            let label = if mbox {
                format!("{name}, message {count}")
            } else {
                name.to_owned()
            };
            each(&label, &message).map_err(MailboxError::Stopped)?;
            message.clear();
        }
        if read == 0 {
            return Ok(count);
        }
        blank = matches!(line.as_slice(), b"\n" | b"\r\n");
        if starts {
            continue;
        }
        let unquoted = if mbox && line.starts_with(b">") && quoted_from(&line) {
            line.get(1..).unwrap_or_default()
        } else {
            &line
        };
        if message.len() < LONGEST {
            message.extend_from_slice(unquoted);
        }
    }
}

fn quoted_from(line: &[u8]) -> bool {
    let rest = line.iter().position(|b| *b != b'>').unwrap_or(0);
    line.get(rest..)
        .is_some_and(|rest| rest.starts_with(b"From "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(place: &Path) -> Vec<String> {
        let mut found = Vec::new();
        each_message(place, |_, bytes| {
            found.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn mailboxes_of_each_kind_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mbox = folder.path().join("mbox");
        std::fs::write(
            &mbox,
            "From a Mon\nA: 1\n\n>From x\n\nFrom b Mon\nB: 2\n\nFrom the start\n",
        )
        .unwrap();
        assert_eq!(
            all(&mbox),
            ["A: 1\n\nFrom x\n\n", "B: 2\n\n"]
                .map(String::from)
                .into_iter()
                .chain([String::new()])
                .filter(|m| !m.is_empty())
                .collect::<Vec<_>>()
        );
        let one = folder.path().join("one.eml");
        std::fs::write(&one, "A: 1\n\nFrom x\n").unwrap();
        assert_eq!(all(&one), ["A: 1\n\nFrom x\n"]);
        let maildir = folder.path().join("Maildir");
        std::fs::create_dir_all(maildir.join("new")).unwrap();
        std::fs::create_dir_all(maildir.join("cur")).unwrap();
        std::fs::write(maildir.join("new/1"), "one").unwrap();
        std::fs::write(maildir.join("cur/2:2,S"), "two").unwrap();
        assert_eq!(all(&maildir), ["two", "one"]);
        assert!(each_message(folder.path(), |_, _| Ok(())).is_err());
        assert!(each_message(&folder.path().join("absent"), |_, _| Ok(())).is_err());
    }
}
