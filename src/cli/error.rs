//! Errors as people and programs see them.

use std::process::ExitCode;

use serde::Serialize;

use super::Exit;

/// An error with what to do about it.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: Exit,
    code: &'static str,
    message: String,
    hint: Option<String>,
    place: Option<String>,
}

impl CliError {
    /// Something failed.
    pub(crate) fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            code,
            message: message.into(),
            hint: None,
            place: None,
        }
    }

    /// Arguments or configuration are wrong.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::failed(code, message)
        }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Where it is: `file:line:column`.
    #[must_use]
    pub(crate) fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Writes the error on standard error, as one JSON line when JSON was asked for.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        use std::io::Write as _;
        let mut stderr = anstream::stderr();
        // Nobody can be told that standard error is closed.
        let _closed = if json {
            let line = Line {
                schema: "fairnotice/error/1",
                code: self.code,
                message: &self.message,
                hint: self.hint.as_deref(),
                place: self.place.as_deref(),
            };
            writeln!(
                stderr,
                "{}",
                serde_json::to_string(&line).unwrap_or_default()
            )
        } else {
            let place = self
                .place
                .as_ref()
                .map(|p| format!("{p}: "))
                .unwrap_or_default();
            let hint = self
                .hint
                .as_ref()
                .map(|h| format!("\n  hint: {h}"))
                .unwrap_or_default();
            writeln!(stderr, "error: {place}{}{hint}", self.message)
        };
        self.exit.into()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    place: Option<&'a str>,
}
