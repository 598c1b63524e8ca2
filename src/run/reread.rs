//! Texts are read again from the bytes that were kept when the program, or the document's
//! selectors, read otherwise than they did, so that a better reader never looks like a change of
//! the policy.

use jiff::Timestamp;

use super::{
    Workspace,
    capture::{self, READER},
    check::CheckError,
    keep::{self, Provenance},
};
use crate::{
    config,
    evidence::Hash,
    fetch::Capture,
    read,
    store::{DocumentState, Event, FrontMatter, Origin, Version},
};

/// Reads the published versions of a document again where that is due; gives what is then known
/// of it.
///
/// # Errors
/// When a text that is kept cannot be read, or the disk refuses.
pub(super) fn upgraded(
    workspace: &mut Workspace,
    document: &config::Document,
    now: Timestamp,
) -> Result<DocumentState, CheckError> {
    let state = workspace.state(&document.id)?;
    let Some(latest) = state.latest() else {
        return Ok(state);
    };
    let reading = capture::reading(document);
    let outdated = |version: &Version| {
        version.reader != READER
            || version.key_rule != read::EQUIVALENCE
            || version.reading.is_some_and(|by| by != reading)
    };
    if !outdated(&workspace.version(&document.id, latest)?) {
        return Ok(state);
    }
    let mut done = Vec::new();
    for publication in &state.published {
        let id = publication.version;
        if done.contains(&id) {
            continue;
        }
        done.push(id);
        let version = workspace.version(&document.id, id)?;
        if outdated(&version) {
            reread(workspace, document, &version, now)?;
        }
    }
    Ok(workspace.state(&document.id)?)
}

/// Reads a version again. Where its captures are gone, or cannot be read any more, it stays as it
/// is, and only its key is made anew from its text.
fn reread(
    workspace: &mut Workspace,
    document: &config::Document,
    version: &Version,
    now: Timestamp,
) -> Result<(), CheckError> {
    let snapshot = workspace.archive.text(&version.file)?;
    let captures = captures(workspace, version, &snapshot.front);
    let text = if captures.is_empty() {
        None
    } else {
        capture::read_captures(&captures, &capture::selectors(document))
            .inspect_err(|error| {
                tracing::warn!(
                    "{}: version {} cannot be read again from its bytes ({error}); it stays as it is",
                    document.id,
                    version.id.short()
                );
            })
            .ok()
    };
    let as_it_is = |version: &Version, key: Hash| Version {
        key,
        key_rule: read::EQUIVALENCE,
        reader: READER,
        reading: Some(capture::reading(document)),
        ..version.clone()
    };
    let Some(text) = text else {
        let text = workspace.document_of(version)?;
        let key = Hash::of(read::equivalence_key(&text).as_bytes());
        workspace.record(now, vec![Event::VersionStored(as_it_is(version, key))])?;
        return Ok(());
    };
    if text.id == version.id {
        workspace.record(now, vec![Event::VersionStored(as_it_is(version, text.key))])?;
        return Ok(());
    }
    // What reads as another version did is that version: its file, with its own provenance, stays.
    let again = match workspace.index().version(&document.id, text.id)? {
        Some(known) => as_it_is(&known, text.key),
        None => {
            let provenance = Provenance {
                origin: Origin::Reread,
                fetched: version.fetched,
                requests: requests(&snapshot.front),
                raw: version
                    .raw
                    .iter()
                    .zip(&captures)
                    .map(|(file, capture)| (file.clone(), Hash::of(&capture.bytes)))
                    .collect(),
                place: Some((keep::REREADS, version.id.to_string())),
            };
            keep::keep_text(&workspace.archive, document, &text, provenance)?
        }
    };
    let reread = Event::Reread {
        document: document.id.clone(),
        from: version.id,
        to: again.id,
        reader: READER,
    };
    workspace.record(now, vec![Event::VersionStored(again), reread])?;
    Ok(())
}

/// What a snapshot says of how its bytes were got.
fn requests(front: &FrontMatter) -> Vec<(String, String)> {
    let told = ["url", "media_type", "requests"];
    front
        .0
        .iter()
        .filter(|(key, _)| told.contains(&key.as_str()))
        .cloned()
        .collect()
}

/// The captures that a version was read from, as they came; none where one of them is gone or was
/// altered.
fn captures(workspace: &Workspace, version: &Version, front: &FrontMatter) -> Vec<Capture> {
    let values = |wanted: &str| -> Vec<&str> {
        let of = front.0.iter().filter(|(key, _)| key == wanted);
        of.map(|(_, value)| value.as_str()).collect()
    };
    let (urls, types) = (values("url"), values("media_type"));
    // Earlier versions of the program wrote down one for all.
    let of = |values: &[&str], place: usize| -> Option<String> {
        let one = values.get(place).or(values.last());
        one.map(|value| (*value).to_owned())
    };
    let mut captures = Vec::new();
    for (place, file) in version.raw.iter().enumerate() {
        match workspace.archive.raw(file) {
            Ok(bytes) => captures.push(Capture {
                bytes,
                media_type: of(&types, place).filter(|media_type| media_type != keep::UNKNOWN),
                hops: Vec::new(),
                url: of(&urls, place).unwrap_or_default(),
                etag: None,
                last_modified: None,
                rendered: false,
            }),
            Err(error) => {
                // What was pruned is known to be gone.
                if !error.is_not_found() {
                    tracing::warn!(
                        "{}: {error}; version {} is not read again. Restore the file from a copy",
                        version.document,
                        version.id.short()
                    );
                }
                return Vec::new();
            }
        }
    }
    captures
}
