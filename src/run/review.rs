//! People's words over findings: laid over what the machine says, kept in the journal.

use jiff::Timestamp;

use super::{Workspace, WorkspaceError};
use crate::{
    assess::{
        Assessment,
        review::{self, Reviewed, Word},
    },
    store::{self, Event, Journal, Version},
};

/// Two versions of a document, judged, with people's words laid over.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The older version.
    pub old: Version,
    /// The newer version.
    pub new: Version,
    /// The findings, each with the machine's word and people's.
    pub findings: Vec<Reviewed>,
    /// The assessment as it stands after review.
    pub assessment: Assessment,
}

/// Judges two versions and lays all words of the document's reviews over the findings.
///
/// # Errors
/// When the rules, a version or the journal cannot be read.
pub fn standing(
    workspace: &Workspace,
    document: &str,
    old: Version,
    new: Version,
) -> Result<Standing, WorkspaceError> {
    let rules = super::rules::rules(workspace.root(), &workspace.config.rules)?;
    let (before, after) = (workspace.document_of(&old)?, workspace.document_of(&new)?);
    let assessment = super::judge::judge_by(&before, &after, &rules).assessment;
    let (findings, assessment) = review::apply(&assessment, &reviews(workspace, document)?);
    Ok(Standing {
        old,
        new,
        findings,
        assessment,
    })
}

/// All words ever spoken on a document's findings, oldest first.
///
/// # Errors
/// When the journal is damaged.
pub fn reviews(
    workspace: &Workspace,
    document: &str,
) -> Result<Vec<review::Review>, WorkspaceError> {
    let mut found = Vec::new();
    if workspace.index().reviews(document)?.is_empty() {
        // Nobody spoke: the journal, which may be years long, need not be read for it.
        return Ok(found);
    }
    Journal::replay(&workspace.journal_file(), 0, |entry, _| {
        if let Event::Reviewed(kept) = entry.event
            && kept.document == document
        {
            found.push(spoken(kept));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Keeps a word on a finding.
///
/// # Errors
/// When the journal cannot be written.
pub fn keep(
    workspace: &mut Workspace,
    document: &str,
    version: &Version,
    review: &review::Review,
    now: Timestamp,
) -> Result<(), WorkspaceError> {
    let (word, severity, direction, topic) = match &review.word {
        Word::Confirmed => ("confirmed", None, None, None),
        Word::Annotated => ("annotated", None, None, None),
        Word::Overruled {
            severity,
            direction,
            topic,
        } => ("overruled", *severity, *direction, *topic),
    };
    let kept = store::Review {
        document: document.to_owned(),
        version: version.id,
        finding: review.finding.clone(),
        word: word.to_owned(),
        severity,
        direction,
        topic,
        reason: review.reason.clone(),
        by: review.by.clone(),
        at: review.at,
    };
    workspace.record(now, vec![Event::Reviewed(kept)])
}

fn spoken(kept: store::Review) -> review::Review {
    review::Review {
        word: match kept.word.as_str() {
            "confirmed" => Word::Confirmed,
            "overruled" => Word::Overruled {
                severity: kept.severity,
                direction: kept.direction,
                topic: kept.topic,
            },
            _ => Word::Annotated,
        },
        finding: kept.finding,
        reason: kept.reason,
        by: kept.by,
        at: kept.at,
    }
}
