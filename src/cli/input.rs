//! Documents named on the command line: a path, `-` for standard input, or a stored version
//! (`DOC@VERSION`, or `DOC` for the latest).

use std::{io::Read as _, path::Path};

use clap::ValueEnum;
use fairnotice::{
    read::{self, Document},
    run::Workspace,
    store::Version,
};
use sha2::{Digest as _, Sha256};

use super::{CliError, Globals};

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

/// A document and where it came from.
pub(crate) struct Source {
    /// The document.
    pub(crate) document: Document,
    /// SHA-256 of the bytes, in hexadecimal, where it was asked for.
    pub(crate) sha256: Option<String>,
    /// Id of the tracked document that it is a stored version of.
    pub(crate) tracked: Option<String>,
    /// Id of the stored version, when it is one.
    pub(crate) version: Option<String>,
    /// When that version was first seen.
    pub(crate) seen: Option<jiff::Timestamp>,
}

/// Reads the document behind a path, `-` or a stored version.
pub(crate) fn document(
    name: &str,
    format: Option<InputFormat>,
    globals: &Globals,
) -> Result<Document, CliError> {
    Ok(source(name, format, globals, false)?.document)
}

/// Reads the document behind a path, `-` or a stored version, and says what the bytes were, with
/// their hash where `digest` asks for it. A file comes before a stored version of the same name.
pub(crate) fn source(
    name: &str,
    format: Option<InputFormat>,
    globals: &Globals,
    digest: bool,
) -> Result<Source, CliError> {
    if name != "-"
        && !Path::new(name).exists()
        && let Some(stored) = stored(name, globals)?
    {
        return Ok(stored);
    }
    read_bytes(name, format, digest)
}

/// The stored version that a name means; `None` when it looks like a path.
fn stored(name: &str, globals: &Globals) -> Result<Option<Source>, CliError> {
    let (id, spec) = match name.split_once('@') {
        Some((id, spec)) => (id, spec),
        None => (name, "latest"),
    };
    if !globals.workspace.join(fairnotice::config::FILE).exists() {
        return Ok(None);
    }
    let workspace = Workspace::read(&globals.workspace)?;
    if workspace.config.document(id).is_none() && !name.contains('@') {
        return Ok(None);
    }
    let version = workspace.resolve(id, spec)?;
    of_version(&workspace, id, &version).map(Some)
}

/// A stored version of a document.
pub(crate) fn of_version(
    workspace: &Workspace,
    document: &str,
    version: &Version,
) -> Result<Source, CliError> {
    Ok(Source {
        document: workspace.document_of(version)?,
        sha256: Some(version.id.to_string()),
        tracked: Some(document.to_owned()),
        version: Some(version.id.to_string()),
        seen: Some(version.fetched),
    })
}

fn read_bytes(file: &str, format: Option<InputFormat>, digest: bool) -> Result<Source, CliError> {
    let bytes = bytes(file, format)?;
    let input = read::Input {
        format: format.filter(|_| file == "-").map(Into::into),
        name: (file != "-").then_some(file),
        ..read::Input::default()
    };
    let sha256 = digest.then(|| hex(&Sha256::digest(&bytes)));
    let document = read::read_owned(bytes, &input).map_err(|error| {
        CliError::failed("unreadable", error.to_string()).place(if file == "-" {
            "standard input"
        } else {
            file
        })
    })?;
    Ok(Source {
        document,
        sha256,
        tracked: None,
        version: None,
        seen: None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            .hint("give the path of a policy, - for standard input, or DOC@VERSION of a workspace (-C DIR)")
    })
}
