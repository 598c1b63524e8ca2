//! Documents named on the command line: a path, or `-` for standard input.

use std::{io::Read as _, path::Path};

use clap::ValueEnum;
use fairnotice::read::{self, Document};

use super::CliError;

/// Format of standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// A web page.
    Html,
    /// Markdown.
    Markdown,
    /// Plain text.
    Text,
    /// PDF.
    Pdf,
    /// Word processing document.
    Docx,
}

impl From<InputFormat> for read::Format {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Html => Self::Html,
            InputFormat::Markdown => Self::Markdown,
            InputFormat::Text => Self::Text,
            InputFormat::Pdf => Self::Pdf,
            InputFormat::Docx => Self::Docx,
        }
    }
}

/// Reads the document behind a path or `-`.
pub(crate) fn document(file: &str, format: Option<InputFormat>) -> Result<Document, CliError> {
    let bytes = bytes(file, format)?;
    let input = read::Input {
        bytes: &bytes,
        format: format.map(Into::into),
        name: (file != "-").then_some(file),
        ..read::Input::default()
    };
    read::read(&input).map_err(|error| {
        CliError::failed("unreadable", error.to_string()).place(if file == "-" {
            "standard input"
        } else {
            file
        })
    })
}

fn bytes(file: &str, format: Option<InputFormat>) -> Result<Vec<u8>, CliError> {
    if file == "-" {
        if format.is_none() {
            return Err(
                CliError::usage("input-format", "the format of standard input is unknown")
                    .hint("say --input-format html, markdown, text, pdf or docx"),
            );
        }
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
            CliError::failed("unreadable", format!("cannot read standard input: {error}"))
        })?;
        return Ok(bytes);
    }
    std::fs::read(Path::new(file)).map_err(|error| {
        CliError::failed("unreadable", format!("cannot read {file}: {error}"))
            .hint("give the path of a policy, or - for standard input")
    })
}
