//! Word processing files: text in its styles, with computed numbers and tracked changes accepted.
//!
//! A file is a ZIP of XML parts. Both can be made to explode; sizes and counts are bounded, and
//! entities other than the five of XML are not expanded.

mod body;
mod numbering;
mod styles;
mod xml;

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::{ReadError, converted::Converted};

/// Most entries of the ZIP.
const MAX_ENTRIES: usize = 10_000;
/// Largest part, unpacked, in bytes.
const MAX_PART: u64 = 96 * 1024 * 1024;

/// Turns a word processing file into Markdown.
///
/// # Errors
/// When the file is no word processing file, damaged, protected or too large.
pub(super) fn convert(bytes: &[u8]) -> Result<Converted, ReadError> {
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(ReadError::Protected("Word document"));
    }
    let mut parts = Parts::open(bytes)?;
    let main = parts.main()?;
    let Some(document) = parts.read(&main)? else {
        return Err(damaged(&format!("it holds no {main}")));
    };
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = main.rsplit('/').next().unwrap_or(&main);
    let beside = |part: &str| {
        if folder.is_empty() {
            part.to_owned()
        } else {
            format!("{folder}/{part}")
        }
    };
    let styles = parts.read(&beside("styles.xml"))?.unwrap_or_default();
    let numbering = parts.read(&beside("numbering.xml"))?.unwrap_or_default();
    let links = parts
        .read(&beside(&format!("_rels/{name}.rels")))?
        .unwrap_or_default();
    let footnotes = parts.read(&beside("footnotes.xml"))?.unwrap_or_default();
    let endnotes = parts.read(&beside("endnotes.xml"))?.unwrap_or_default();
    let properties = parts.read("docProps/core.xml")?.unwrap_or_default();
    let mut body = body::Body::new(
        styles::Styles::read(&styles)?,
        numbering::Numbering::read(&numbering)?,
        xml::relations(&links)?,
    );
    body.read(&document)?;
    let markdown = body.finish(&footnotes, &endnotes)?;
    if markdown.trim().is_empty() {
        return Err(ReadError::NoText("Word document"));
    }
    Ok(Converted {
        markdown,
        title: xml::text_of(&properties, "title")?.filter(|title| !title.is_empty()),
        language: None,
        warnings: Vec::new(),
        suspect: None,
    })
}

fn damaged(detail: &str) -> ReadError {
    ReadError::Damaged {
        format: "Word document",
        detail: detail.to_owned(),
    }
}

struct Parts<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// What may still be unpacked, in bytes.
    left: u64,
}

impl<'a> Parts<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| damaged(&format!("it is no whole ZIP archive ({error})")))?;
        if archive.len() > MAX_ENTRIES {
            return Err(ReadError::TooLarge(format!(
                "the Word document holds more than {MAX_ENTRIES} parts"
            )));
        }
        Ok(Self {
            archive,
            left: 2 * MAX_PART,
        })
    }

    /// Name of the part with the text.
    fn main(&mut self) -> Result<String, ReadError> {
        let relations = self.read("_rels/.rels")?.unwrap_or_default();
        let target = xml::main_part(&relations)?;
        let name = target.unwrap_or_else(|| "word/document.xml".to_owned());
        Ok(name.trim_start_matches('/').to_owned())
    }

    /// A part's text; nothing when there is no such part.
    fn read(&mut self, name: &str) -> Result<Option<String>, ReadError> {
        let Some(index) = self.archive.index_for_name(name) else {
            return Ok(None);
        };
        let limit = MAX_PART.min(self.left);
        let file = self
            .archive
            .by_index(index)
            .map_err(|error| damaged(&format!("{name} cannot be unpacked ({error})")))?;
        let mut bytes = Vec::new();
        // The size that the archive declares may lie: what is unpacked is counted.
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(&format!("{name} cannot be unpacked ({error})")))?;
        let size = bytes.len() as u64;
        if size > limit {
            return Err(ReadError::TooLarge(format!(
                "{name} unpacks to more than {} MB",
                MAX_PART / 1024 / 1024
            )));
        }
        self.left -= size;
        let text = match encoding_rs::Encoding::for_bom(&bytes) {
            Some((encoding, _)) => encoding.decode(&bytes).0.into_owned(),
            None => String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        };
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests;
