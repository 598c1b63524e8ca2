//! Sources that are files.

use std::path::Path;

use super::{Capture, FetchError, Hop};

/// Reads a file as a capture; `path` is relative to `root` unless absolute.
///
/// # Errors
/// When it cannot be read or is larger than `max_megabytes`.
pub fn read_file(root: &Path, path: &str, max_megabytes: u64) -> Result<Capture, FetchError> {
    let plain = path.strip_prefix("file://").unwrap_or(path);
    let mut full = root.join(plain);
    if !full.exists()
        && plain != path
        && let Some(named) = url::Url::parse(path)
            .ok()
            .and_then(|url| url.to_file_path().ok())
    {
        // As programs write it: with percent signs, or `file://localhost/…`.
        full = named;
    }
    let error = |detail: String| FetchError::File {
        path: full.display().to_string(),
        detail,
    };
    let meta = std::fs::metadata(&full).map_err(|e| error(e.to_string()))?;
    if !meta.is_file() {
        return Err(error("it is not a file".to_owned()));
    }
    if meta.len() > max_megabytes << 20 {
        return Err(FetchError::TooLarge {
            url: full.display().to_string(),
            megabytes: max_megabytes,
        });
    }
    let bytes = std::fs::read(&full).map_err(|e| error(e.to_string()))?;
    Ok(Capture {
        bytes,
        media_type: None,
        hops: vec![Hop {
            url: plain.to_owned(),
            status: 0,
            location: None,
            address: None,
        }],
        url: plain.to_owned(),
        etag: None,
        last_modified: None,
        rendered: false,
    })
}
