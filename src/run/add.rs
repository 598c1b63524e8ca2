//! `add`: read a source once, show what it reads as, and only then write it into the workspace.

use std::path::Path;

use super::{
    capture::{self, Text},
    gather::{self, Gathered},
};
use crate::{
    config::{self, Config},
    fetch::{Capture, FetchError},
    read::{Part, ReadError},
};

/// A source, looked at.
#[derive(Debug)]
pub struct Preview {
    /// The bytes.
    pub captures: Vec<Capture>,
    /// What they read as.
    pub text: Text,
}

/// Why a source cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It cannot be read.
    #[error("{source_name} cannot be read: {error}")]
    Read {
        /// The source.
        source_name: String,
        /// Why.
        error: ReadError,
    },
    /// The configuration cannot be written.
    #[error("cannot write {path}: {detail}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
}

/// Fetches and reads the sources of a document that is not tracked yet.
///
/// # Errors
/// When a source cannot be fetched or read.
pub fn preview(
    root: &Path,
    config: &Config,
    document: &config::Document,
) -> Result<Preview, AddError> {
    let mut outcome = None;
    gather::gather::<_, FetchError>(
        &mut outcome,
        root,
        &config.fetch,
        &[document],
        |_, _| Ok(None),
        |outcome, _, result| {
            *outcome = Some(result);
            Ok(())
        },
    )?;
    let captures = match outcome {
        Some(Ok(Gathered::Captures(captures))) => captures,
        Some(Err(error)) => return Err(error.into()),
        Some(Ok(Gathered::NotModified)) | None => Vec::new(),
    };
    let text =
        capture::read_captures(&captures, &capture::selectors(document)).map_err(|error| {
            AddError::Read {
                source_name: document.source.join(", "),
                error,
            }
        })?;
    Ok(Preview { captures, text })
}

/// An id that is free, made of a title or a source: `privacy-policy`.
pub fn free_id(config: &Config, title: Option<&str>, source: &str) -> String {
    let words = title.map(slug).filter(|slug| !slug.is_empty());
    let base =
        words.unwrap_or_else(|| slug(source.rsplit('/').find(|p| !p.is_empty()).unwrap_or(source)));
    let base = if base.is_empty() {
        "document".to_owned()
    } else {
        base
    };
    let mut id = base.clone();
    let mut number = 2;
    while config
        .documents
        .iter()
        .any(|d| d.id.eq_ignore_ascii_case(&id))
    {
        id = format!("{base}-{number}");
        number += 1;
    }
    id
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(60) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The table that `fairnotice.toml` gets for a document.
pub fn table(document: &config::Document) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut table = format!("\n[[document]]\nid = {}\n", quoted(&document.id));
    table += &match document.source.as_slice() {
        [one] => format!("source = {}\n", quoted(one)),
        many => {
            let many: Vec<String> = many.iter().map(|s| quoted(s)).collect();
            format!("source = [{}]\n", many.join(", "))
        }
    };
    if let Some(title) = &document.title {
        table += &format!("title = {}\n", quoted(title));
    }
    let side = match document.side {
        config::Side::Owner => "owner",
        config::Side::Watcher => "watcher",
    };
    table += &format!("side = \"{side}\"\nkind = \"{}\"\n", document.kind.as_str());
    for (key, parts) in [("include", &document.include), ("remove", &document.remove)] {
        if !parts.is_empty() {
            let parts: Vec<String> = parts.iter().map(|part| selector(&part.0)).collect();
            table += &format!("{key} = [{}]\n", parts.join(", "));
        }
    }
    if document.render == config::Render::Browser {
        table += "render = \"browser\"\n";
    }
    if let Some(css) = &document.wait_for {
        table += &format!("wait_for = {}\n", quoted(css));
    }
    if !document.headers.is_empty() {
        let headers: Vec<String> = document
            .headers
            .iter()
            .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
            .collect();
        table += &format!("headers = {{ {} }}\n", headers.join(", "));
    }
    table
}

fn selector(part: &Part) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    match part {
        Part::Css(css) => quoted(css),
        Part::Range {
            start,
            start_after,
            end,
            end_after,
        } => {
            let when = |after: bool| if after { "After" } else { "Before" };
            format!(
                "{{ start{} = {}, end{} = {} }}",
                when(*start_after),
                quoted(start),
                when(*end_after),
                quoted(end)
            )
        }
    }
}

/// Appends a document to `fairnotice.toml`, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn append(root: &Path, document: &config::Document) -> Result<(), AddError> {
    append_all(root, std::slice::from_ref(document))
}

/// Appends documents to `fairnotice.toml`, all or none.
///
/// # Errors
/// When the file cannot be written, or would not be valid.
pub fn append_all(root: &Path, documents: &[config::Document]) -> Result<(), AddError> {
    if documents.is_empty() {
        return Ok(());
    }
    let path = root.join(config::FILE);
    let error = |e: std::io::Error| AddError::Write {
        path: path.display().to_string(),
        detail: e.to_string(),
    };
    let mut text = std::fs::read_to_string(&path).map_err(error)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for document in documents {
        text += &table(document);
    }
    if let Err(wrong) = config::check(&path, &text) {
        return Err(AddError::Write {
            path: path.display().to_string(),
            detail: wrong.to_string(),
        });
    }
    let beside = path.with_extension("toml.part");
    std::fs::write(&beside, text).map_err(error)?;
    std::fs::rename(&beside, &path).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_and_free() {
        let mut config = Config::default();
        assert_eq!(
            free_id(&config, Some("Privacy Policy – Acme, Inc."), "x"),
            "privacy-policy-acme-inc"
        );
        assert_eq!(
            free_id(&config, None, "https://example.com/legal/terms/"),
            "terms"
        );
        assert_eq!(free_id(&config, Some("隐私政策"), "…"), "document");
        config = toml::from_str("[[document]]\nid = \"terms\"\nsource = \"x\"").unwrap();
        assert_eq!(free_id(&config, Some("Terms"), "x"), "terms-2");
    }
}
