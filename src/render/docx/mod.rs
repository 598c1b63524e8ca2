//! The redline as a word processing document with tracked changes: accepting all gives the new
//! text, rejecting all the old one. Findings are comments.
//!
//! Numbers of clauses are printed as text, as the policy has them, because a word processor would
//! count by itself. The bytes depend on the arguments only.

mod body;
mod parts;

use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Flow, Redline, entries, terminal::summary};

/// The document cannot be packed.
#[derive(Debug, thiserror::Error)]
#[error("the word processing document cannot be written: {0}")]
pub struct DocxError(String);

impl From<std::io::Error> for DocxError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<zip::result::ZipError> for DocxError {
    fn from(error: zip::result::ZipError) -> Self {
        Self(error.to_string())
    }
}

/// Writes the whole document.
///
/// # Errors
/// When it grows beyond what the container format holds (4 GB).
pub fn docx(redline: &Redline<'_>) -> Result<Vec<u8>, DocxError> {
    let flow = Flow::new(redline.old, redline.new, redline.comparison);
    let entries = entries(redline);
    let body = body::write(redline, &flow, &entries)?;
    let core = parts::core(redline, &summary(redline, &entries))?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    let files: [(&str, &[u8]); 9] = [
        ("[Content_Types].xml", parts::CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", parts::RELATIONSHIPS.as_bytes()),
        ("docProps/core.xml", &core),
        ("word/document.xml", &body.document),
        ("word/comments.xml", &body.comments),
        ("word/styles.xml", parts::STYLES.as_bytes()),
        ("word/numbering.xml", parts::NUMBERING.as_bytes()),
        ("word/settings.xml", parts::SETTINGS.as_bytes()),
        (
            "word/_rels/document.xml.rels",
            parts::DOCUMENT_RELATIONSHIPS.as_bytes(),
        ),
    ];
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
