//! Day by day: whether the texts that were put up still stand where they were put.
//!
//! A person says with `notice publish` that a text was put up. From then to the day of effect each
//! check looks at the place, an address or a file, and records what it saw: the first look of each
//! day, and each one that shows something else than the look before. The audit counts the days.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    Workspace, WorkspaceError, gather,
    notices::{self, NoticesError},
};
use crate::{
    config::Config,
    evidence::Hash,
    fetch::{self, FetchError, Fetched, Request},
    notice::{self, Notice, State, Templates},
    store::{Event, Journal},
};

/// What is noted of a look, under the notice's id.
pub const LOOKED_AT: &str = "publication-looked-at";

/// One look at the place of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The place.
    pub at: String,
    /// Whether the notice stands there; `None` when the place could not be looked at.
    pub stands: Option<bool>,
    /// SHA-256 of what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// What was wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A notice and the look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// The notice.
    pub notice: String,
    /// Its document.
    pub document: String,
    /// What was seen.
    #[serde(flatten)]
    pub look: Look,
}

/// Looks at the places of all published notices of these documents (of all when empty) whose
/// change is not yet in effect, and records what is new.
///
/// # Errors
/// When the workspace cannot be read or written; a place that cannot be reached is a look.
pub fn confirm(
    workspace: &mut Workspace,
    only: &[String],
    now: Timestamp,
) -> Result<Vec<Confirmation>, NoticesError> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let standing: Vec<Notice> = workspace
        .index()
        .notices()
        .map_err(WorkspaceError::from)?
        .into_iter()
        .filter(|notice| notice.state == State::Published)
        .filter(|notice| only.is_empty() || only.contains(&notice.document))
        .filter(|notice| notice.effective.is_none_or(|day| today < day))
        .collect();
    if standing.is_empty() {
        return Ok(Vec::new());
    }
    let templates = notices::templates(workspace.root())?;
    let before = last_looks(workspace)?;
    let mut out = Vec::new();
    let mut events = Vec::new();
    for notice in standing {
        for publication in notice.publications.iter().filter(|p| p.from <= now) {
            let place = &publication.at;
            let known = before.get(&(notice.id.clone(), place.clone()));
            let Some(bytes) = bytes_at(workspace, place, known.is_some()) else {
                continue;
            };
            let look = look(&notice, &templates, place, bytes)?;
            let news = known.is_none_or(|(day, stands)| *day != today || *stands != look.stands);
            if news {
                events.push(Event::Noted {
                    subject: notice.id.clone(),
                    what: LOOKED_AT.to_owned(),
                    data: serde_json::to_value(&look).unwrap_or_default(),
                });
            }
            out.push(Confirmation {
                notice: notice.id.clone(),
                document: notice.document.clone(),
                look,
            });
        }
    }
    if !events.is_empty() {
        workspace.record(now, events)?;
    }
    Ok(out)
}

/// Whether bytes that came from a place show a notice, in any of its languages.
///
/// # Errors
/// When a template is wrong.
pub(super) fn shows(
    notice: &Notice,
    templates: &Templates,
    bytes: &[u8],
) -> Result<bool, NoticesError> {
    let page = String::from_utf8_lossy(bytes);
    for language in notice.texts.keys() {
        if notice::shows(notice, language, templates, &page)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn look(
    notice: &Notice,
    templates: &Templates,
    place: &str,
    bytes: Result<Vec<u8>, FetchError>,
) -> Result<Look, NoticesError> {
    let at = place.to_owned();
    Ok(match bytes {
        Ok(bytes) => {
            let stands = shows(notice, templates, &bytes)?;
            Look {
                at,
                stands: Some(stands),
                proof: Some(Hash::of(&bytes).to_string()),
                detail: (!stands).then(|| {
                    format!(
                        "the page answers, and does not say {} with the day of effect",
                        notice.document_title
                    )
                }),
            }
        }
        // Gone is an answer, no answer is none.
        Err(FetchError::Status {
            status: status @ (404 | 410),
            ..
        }) => Look {
            at,
            stands: Some(false),
            proof: None,
            detail: Some(format!("the address answers {status}: nothing is there")),
        },
        Err(error @ FetchError::File { .. }) => Look {
            at,
            stands: Some(false),
            proof: None,
            detail: Some(error.to_string()),
        },
        Err(error) => Look {
            at,
            stands: None,
            proof: None,
            detail: Some(error.to_string()),
        },
    })
}

/// What is at a place now; `None` for a place that a program cannot look at, such as a shop window.
/// A file that was there before is looked for again.
fn bytes_at(
    workspace: &Workspace,
    place: &str,
    known: bool,
) -> Option<Result<Vec<u8>, FetchError>> {
    let (root, config) = (workspace.root(), &workspace.config);
    if gather::is_page(place) {
        return Some(page(config, place));
    }
    let path = place.strip_prefix("file://").unwrap_or(place);
    (known || place.starts_with("file://") || root.join(path).is_file())
        .then(|| fetch::read_file(root, place, config.fetch.max_megabytes.max(1)).map(|c| c.bytes))
}

/// Fetches the company's own page.
///
/// # Errors
/// When it cannot be had.
pub(super) fn page(config: &Config, url: &str) -> Result<Vec<u8>, FetchError> {
    let fetcher = gather::fetcher(&config.fetch)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| FetchError::Setup(format!("cannot start the network runtime: {e}")))?;
    let request = Request {
        url: url.to_owned(),
        headers: BTreeMap::new(),
        validators_for: None,
        etag: None,
        last_modified: None,
        // It is the company's own page.
        ignore_robots: true,
    };
    Ok(match runtime.block_on(fetcher.fetch(&request))? {
        Fetched::New(capture) => capture.bytes,
        Fetched::NotModified => Vec::new(),
    })
}

/// Notice and place, with the day and the outcome of the last look.
type Last = BTreeMap<(String, String), (jiff::civil::Date, Option<bool>)>;

fn last_looks(workspace: &Workspace) -> Result<Last, WorkspaceError> {
    let mut last = BTreeMap::new();
    Journal::replay(&workspace.journal_file(), 0, |entry, _| {
        if let Event::Noted {
            subject,
            what,
            data,
        } = entry.event
            && what == LOOKED_AT
            && let Ok(look) = serde_json::from_value::<Look>(data)
        {
            let day = entry.time.to_zoned(TimeZone::UTC).date();
            last.insert((subject, look.at), (day, look.stands));
        }
        Ok(())
    })?;
    Ok(last)
}
