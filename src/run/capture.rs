//! From captures to the document that is stored: read, joined, canonical.

use crate::{
    config,
    evidence::Hash,
    fetch::Capture,
    read::{self, Document, Format, Input, ReadError, Selectors},
};

/// Number of the reader: it grows when reading changes what stored captures read to, and then
/// texts are read again from the captures.
pub const READER: u32 = 1;

/// A capture, read.
#[derive(Debug)]
pub struct Text {
    /// The document, as it reads from its canonical text.
    pub document: Document,
    /// The canonical text.
    pub canonical: String,
    /// SHA-256 of the canonical text: the version's id.
    pub id: Hash,
    /// SHA-256 of the equivalence key.
    pub key: Hash,
}

/// The selectors that a document's configuration gives.
pub fn selectors(document: &config::Document) -> Selectors {
    Selectors {
        include: document.include.iter().map(|s| s.0.clone()).collect(),
        remove: document.remove.iter().map(|s| s.0.clone()).collect(),
    }
}

/// What tells one way of reading a document's captures from another: a hash of its selectors.
pub fn reading(document: &config::Document) -> Hash {
    Hash::of(format!("{:?}\0{:?}", document.include, document.remove).as_bytes())
}

/// Reads the captures of a document and joins them, in order.
///
/// # Errors
/// When one of them cannot be read.
pub fn read_captures(captures: &[Capture], selectors: &Selectors) -> Result<Text, ReadError> {
    let parts = captures
        .iter()
        .map(|capture| {
            read::read(&Input {
                bytes: &capture.bytes,
                format: None,
                media_type: capture.media_type.as_deref(),
                name: Some(name_of(&capture.url)),
                url: Some(&capture.url),
                selectors: selectors.clone(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    text_of(parts)
}

/// The stored form of documents that make one.
///
/// # Errors
/// When their canonical text does not read back.
pub fn text_of(parts: Vec<Document>) -> Result<Text, ReadError> {
    if parts.is_empty() {
        return Err(ReadError::Empty);
    }
    let whole = read::combine(parts);
    let canonical = read::canonical(&whole);
    let input = Input {
        bytes: canonical.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    };
    let mut document = match read::read(&input) {
        // A page without a word is suspect, not unreadable: its capture is kept with the reason.
        Err(ReadError::Empty) if whole.suspect.is_some() => read::combine(Vec::new()),
        read => read?,
    };
    // What only the page said (its title element, its lang attribute, a date in its metadata).
    document.title = document.title.or(whole.title);
    document.language = document.language.or(whole.language);
    document.dates.effective = document.dates.effective.or(whole.dates.effective);
    document.dates.updated = document.dates.updated.or(whole.dates.updated);
    document.suspect = whole.suspect;
    document.warnings = whole.warnings;
    let key = Hash::of(read::equivalence_key(&document).as_bytes());
    let id = Hash::of(canonical.as_bytes());
    Ok(Text {
        document,
        canonical,
        id,
        key,
    })
}

fn name_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
