//! Redlines in the workspace's `out` folder.

use jiff::Timestamp;

use super::{
    Judged, Workspace,
    check::{Change, CheckError, output_folder},
};
use crate::{
    config,
    evidence::Hash,
    read::Document,
    render::{self, Head, Redline, TriggeredDuty, VersionHead},
};

/// Writes the redline of a change; gives its file, relative to the workspace.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    workspace: &Workspace,
    document: &config::Document,
    old: Hash,
    new: Hash,
    change: &Change,
    now: Timestamp,
) -> Result<String, CheckError> {
    let file = output_folder("redlines").join(format!(
        "{}-{}-{}.html",
        document.id,
        old.short(),
        new.short()
    ));
    let path = workspace.root().join(&file);
    let error = |detail: String| CheckError::Output {
        path: path.display().to_string(),
        detail,
    };
    let head = Head {
        old: version_head(workspace, &document.id, old),
        new: version_head(workspace, &document.id, new),
        author: workspace.config.organisation.name.clone(),
        made: Some(now),
    };
    let page =
        html(&change.old, &change.new, &change.judged, &head).map_err(|e| error(e.to_string()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| error(e.to_string()))?;
    }
    std::fs::write(&path, page).map_err(|e| error(e.to_string()))?;
    Ok(file.display().to_string())
}

/// The redline of two judged texts as a web page.
///
/// # Errors
/// When the page's template is wrong.
pub fn html(
    old: &Document,
    new: &Document,
    judged: &Judged,
    head: &Head,
) -> Result<String, render::HtmlError> {
    let duties: Vec<TriggeredDuty> = judged.triggered();
    render::html(&laid_out(old, new, judged, &duties, head))
}

/// The changed passages of two judged texts, each short enough for a mail.
pub fn passages(
    old: &Document,
    new: &Document,
    judged: &Judged,
    head: &Head,
) -> Vec<render::Passage> {
    render::passages(&laid_out(old, new, judged, &[], head))
}

fn laid_out<'a>(
    old: &'a Document,
    new: &'a Document,
    judged: &'a Judged,
    duties: &'a [TriggeredDuty],
    head: &'a Head,
) -> Redline<'a> {
    Redline {
        old,
        new,
        comparison: &judged.comparison,
        assessment: Some(&judged.assessment),
        duties,
        promises: &judged.promises,
        head,
    }
}

fn version_head(workspace: &Workspace, document: &str, id: Hash) -> VersionHead {
    let seen = workspace
        .version(document, id)
        .ok()
        .map(|version| version.fetched);
    VersionHead {
        name: format!("{document}@{}", id.short()),
        version: Some(id.to_string()),
        sha256: Some(id.to_string()),
        seen,
    }
}
