//! What is kept of a version: its text with its provenance, and the bytes it came from.

use jiff::Timestamp;

use super::capture::{self, READER, Text};
use crate::{
    config,
    evidence::Hash,
    fetch::Capture,
    read,
    store::{Archive, FrontMatter, Origin, StoreError, Version},
};

/// Where a text comes from, as it stands above the text.
pub(super) struct Provenance {
    /// How it came.
    pub(super) origin: Origin,
    /// When it was fetched, or dated.
    pub(super) fetched: Timestamp,
    /// Addresses, media types and requests, of each capture in turn.
    pub(super) requests: Vec<(String, String)>,
    /// Files of the bytes, relative to the workspace, each with the hash of the bytes.
    pub(super) raw: Vec<(String, Hash)>,
    /// What only some versions say: which text it takes the place of, or its number in a history
    /// that has several in one second.
    pub(super) place: Option<(&'static str, String)>,
}

impl Provenance {
    /// Keeps the bytes of captures, and says where they come from.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn of(
        archive: &Archive,
        document: &config::Document,
        captures: &[Capture],
        origin: Origin,
        fetched: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut requests = Vec::new();
        let mut raw = Vec::new();
        for capture in captures {
            let file = archive.keep_raw(&document.id, fetched, &capture.bytes)?;
            raw.push((file, Hash::of(&capture.bytes)));
            let media_type = capture.media_type.as_deref().unwrap_or(UNKNOWN);
            let hops: Vec<String> = capture
                .hops
                .iter()
                .map(|hop| format!("{} {}", hop.status, hop.url))
                .collect();
            for (key, value) in [
                ("url", capture.url.as_str()),
                ("media_type", media_type),
                ("requests", &hops.join(", ")),
            ] {
                requests.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(Self {
            origin,
            fetched,
            requests,
            raw,
            place: None,
        })
    }
}

/// The media type of a capture that came without one.
pub(super) const UNKNOWN: &str = "unknown";
/// Key of the version that a text takes the place of, read again from the same bytes.
pub(super) const REREADS: &str = "rereads";
/// Key of a version's number among those of its document, in an imported history.
pub(super) const SEQUENCE: &str = "sequence";

/// Keeps a text and the bytes it came from.
///
/// # Errors
/// When the disk refuses.
pub(super) fn keep(
    archive: &Archive,
    document: &config::Document,
    text: &Text,
    captures: &[Capture],
    origin: Origin,
    now: Timestamp,
) -> Result<Version, StoreError> {
    let provenance = Provenance::of(archive, document, captures, origin, now)?;
    keep_text(archive, document, text, provenance)
}

/// Keeps a text whose bytes are kept.
///
/// # Errors
/// When the disk refuses.
pub(super) fn keep_text(
    archive: &Archive,
    document: &config::Document,
    text: &Text,
    from: Provenance,
) -> Result<Version, StoreError> {
    let words = text.document.word_count();
    let reading = capture::reading(document);
    let mut front = FrontMatter::default();
    front.add("format", 1);
    front.add("document", &document.id);
    front.add("version", text.id);
    front.add("origin", origin_word(from.origin));
    front.add("fetched", from.fetched);
    if let Some((key, value)) = &from.place {
        front.add(key, value);
    }
    let sources: Vec<String> = document
        .source
        .iter()
        .map(|s| without_password(s))
        .collect();
    front.add("source", sources.join(" "));
    for (key, value) in &from.requests {
        front.add(key, value);
    }
    for (file, hash) in &from.raw {
        front.add("raw", file);
        front.add("raw_sha256", hash);
    }
    front.add("reader", READER);
    front.add("reading", reading);
    front.add("equivalence", format!("{}:{}", read::EQUIVALENCE, text.key));
    if let Some(title) = &text.document.title {
        front.add("title", title);
    }
    if let Some(date) = text.document.dates.effective {
        front.add("effective", date);
    }
    if let Some(date) = text.document.dates.updated {
        front.add("updated", date);
    }
    if let Some(language) = &text.document.language {
        front.add("language", language);
    }
    front.add("words", words);
    let file = archive.keep_text(&document.id, from.fetched, &front, text.id, &text.canonical)?;
    Ok(Version {
        document: document.id.clone(),
        id: text.id,
        key: text.key,
        key_rule: read::EQUIVALENCE,
        reader: READER,
        reading: Some(reading),
        file,
        raw: from.raw.into_iter().map(|(file, _)| file).collect(),
        fetched: from.fetched,
        origin: from.origin,
        title: text.document.title.clone(),
        dates: text.document.dates.clone(),
        language: text.document.language.clone(),
        words,
    })
}

/// Snapshots are for everybody to read.
fn without_password(source: &str) -> String {
    match url::Url::parse(source) {
        Ok(mut url) if url.password().is_some() => {
            // A URL that had a password can have another one.
            let _had_one = url.set_password(Some("***"));
            url.to_string()
        }
        _ => source.to_owned(),
    }
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Fetched => "fetched",
        Origin::Draft => "draft",
        Origin::Imported => "imported",
        Origin::Reread => "reread",
    }
}
