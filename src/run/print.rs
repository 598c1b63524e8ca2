//! A web page becomes a PDF by the hand of an installed browser, with its own profile, without
//! network, and never longer than a given time.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Programs that print pages, in order of preference.
pub const BROWSERS: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// How long a browser may take, seconds included for starting it.
pub const TIME_LIMIT: Duration = Duration::from_secs(90);

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// None of the known browsers is installed.
    #[error("no browser is installed that could print a PDF")]
    NoBrowser,
    /// The browser that was named cannot be started.
    #[error("the browser {program} cannot be started: {source}")]
    Start {
        /// What was tried.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It did not end in time and was killed.
    #[error("the browser {program} did not print the page within {seconds} seconds")]
    Slow {
        /// The program.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// It ended without a PDF.
    #[error("the browser {program} printed nothing ({status})")]
    Nothing {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Its working folder cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Prints a self-contained page. `browser` names the program; without it the known ones are tried.
///
/// # Errors
/// When no browser is found, or it fails, or takes longer than `limit`.
pub fn pdf(page: &str, browser: Option<&OsStr>, limit: Duration) -> Result<Vec<u8>, PrintError> {
    let folder = Folder::new()?;
    let failed = |source| PrintError::Folder {
        path: folder.0.clone(),
        source,
    };
    let source = folder.0.join("page.html");
    let target = folder.0.join("page.pdf");
    fs::write(&source, page).map_err(failed)?;
    let (program, child) = start(browser, &folder.0, &source, &target)?;
    let status = wait(child, limit).map_err(failed)?;
    let Some(status) = status else {
        return Err(PrintError::Slow {
            program,
            seconds: limit.as_secs(),
        });
    };
    match fs::read(&target) {
        Ok(bytes) if bytes.starts_with(b"%PDF") => Ok(bytes),
        _ => Err(PrintError::Nothing { program, status }),
    }
}

fn start(
    browser: Option<&OsStr>,
    folder: &Path,
    source: &Path,
    target: &Path,
) -> Result<(String, Child), PrintError> {
    let spawn = |program: &OsStr| command(program, folder, source, target).spawn();
    if let Some(program) = browser {
        let name = program.to_string_lossy().into_owned();
        return match spawn(program) {
            Ok(child) => Ok((name, child)),
            Err(source) => Err(PrintError::Start {
                program: name,
                source,
            }),
        };
    }
    for program in BROWSERS {
        match spawn(OsStr::new(program)) {
            Ok(child) => return Ok((program.to_owned(), child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(PrintError::Start {
                    program: program.to_owned(),
                    source,
                });
            }
        }
    }
    Err(PrintError::NoBrowser)
}

fn command(program: &OsStr, folder: &Path, source: &Path, target: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--no-pdf-header-footer",
        ])
        .arg(joined("--user-data-dir=", &folder.join("profile")))
        .arg(joined("--print-to-pdf=", target))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
        if root() {
            // Chromium's sandbox refuses to work for the superuser; the page is our own and its
            // policy forbids foreign scripts.
            command.arg("--no-sandbox");
        }
    }
    command.arg(joined("file://", source));
    command
}

fn joined(flag: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(flag);
    text.push(path);
    text
}

#[cfg(unix)]
fn root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

/// Waits at most `limit`, then kills the browser with all its children; `None` when it was killed.
fn wait(mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            kill(&mut child);
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(25));
    }
}

fn kill(child: &mut Child) {
    // Children of the browser are in its process group; failing to end them is no error of ours.
    #[cfg(unix)]
    let _ended = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status();
    let _killed = child.kill();
    let _reaped = child.wait();
}

/// A fresh folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, PrintError> {
        let base = std::env::temp_dir();
        for number in 0..1000_u32 {
            let path = base.join(format!("fairnotice-print-{}-{number}", std::process::id()));
            match create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(PrintError::Folder { path, source }),
            }
        }
        Err(PrintError::Folder {
            path: base,
            source: io::Error::from(io::ErrorKind::AlreadyExists),
        })
    }
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A helper process may still hold a file for a moment; what stays is in the temporary
        // folder.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_does_not_exist_is_named() {
        let error = pdf(
            "<p>a</p>",
            Some(OsStr::new("/nonexistent/browser")),
            TIME_LIMIT,
        )
        .expect_err("there is no such program");
        assert!(
            error.to_string().contains("/nonexistent/browser"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_browser_that_hangs_is_killed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("browser");
        fs::write(&program, "#!/bin/sh\nsleep 600\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let limit = Duration::from_millis(200);
        let error = pdf("<p>a</p>", Some(program.as_os_str()), limit).expect_err("it hangs");
        assert!(matches!(error, PrintError::Slow { .. }), "{error}");
    }
}
