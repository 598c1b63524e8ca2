//! Long output on a terminal goes through a pager; files and pipes get it as it is.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use super::{CliError, Exit, Outcome, print_text};

/// How the standard output wants its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Whether escape sequences may be used (a terminal, and `NO_COLOR` is not set).
    pub(crate) colour: bool,
    /// Columns.
    pub(crate) width: usize,
    /// Whether it is a terminal.
    pub(crate) terminal: bool,
}

impl Screen {
    /// Looks at the standard output.
    pub(crate) fn of_stdout() -> Self {
        let stdout = io::stdout();
        Self {
            colour: anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never,
            width: terminal_size::terminal_size_of(&stdout).map_or(80, |(width, _)| width.0.into()),
            terminal: stdout.is_terminal(),
        }
    }
}

/// Which pager is used.
#[derive(Debug, clap::Args)]
pub(crate) struct Pager {
    /// Pager for long output on a terminal.
    #[arg(long, value_name = "COMMAND", env = "PAGER", hide_env_values = true)]
    pager: Option<String>,
    /// Use no pager.
    #[arg(long)]
    no_pager: bool,
}

/// Shows text through the pager when standard output is a terminal.
pub(crate) fn show(text: &str, screen: Screen, pager: &Pager) -> Outcome {
    let pager = match (pager.no_pager, pager.pager.as_deref()) {
        (true, _) => "",
        (false, named) => named.unwrap_or("less -FRX"),
    };
    let mut words = pager.split_whitespace();
    let Some(program) = words.next().filter(|_| screen.terminal) else {
        return print_text(text);
    };
    let started = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        // No pager is no reason to show nothing.
        return print_text(text);
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever closes the pager has seen enough.
        let _closed = stdin.write_all(text.as_bytes());
    }
    let _ended = child.wait();
    Ok(Exit::Done)
}

/// Writes a file whole or not at all, or bytes to standard output where no file is named.
pub(crate) fn write(output: Option<&Path>, bytes: &[u8]) -> Outcome {
    let Some(path) = output.filter(|path| *path != Path::new("-")) else {
        return match io::stdout().lock().write_all(bytes) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::failed(
                "output",
                format!("cannot write to standard output: {error}"),
            )),
            _ => Ok(Exit::Done),
        };
    };
    let failed = |error: io::Error| {
        CliError::failed(
            "output",
            format!("cannot write {}: {error}", path.display()),
        )
        .hint("check that the folder exists and can be written to")
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    std::fs::write(&part, bytes)
        .and_then(|()| std::fs::rename(&part, path))
        .map_err(|error| {
            let _removed = std::fs::remove_file(&part);
            failed(error)
        })?;
    Ok(Exit::Done)
}
