//! Two texts, all the way: comparison, findings, promises, duties that are triggered.

use super::{Workspace, WorkspaceError};
use crate::{
    assess::{self, Assessment, Severity, Verdict},
    compare::{self, Comparison},
    duty::{self, Duties, PromiseChange},
    read::Document,
};

/// Everything that is said of a pair of texts.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The differences.
    pub comparison: Comparison,
    /// What they mean.
    pub assessment: Assessment,
    /// What the old text promises.
    pub duties: Duties,
    /// How the promises changed.
    pub promises: Vec<PromiseChange>,
}

/// Compares two versions of a document of a workspace and judges them by its rules; what people
/// said of the same texts before holds.
///
/// # Errors
/// When a rule of the workspace is wrong or the journal is damaged.
pub fn judge_reviewed(
    workspace: &Workspace,
    document: &str,
    old: &Document,
    new: &Document,
) -> Result<Judged, WorkspaceError> {
    let rules = super::rules::rules(workspace.root(), &workspace.config.rules)?;
    let reviews = super::review::reviews(workspace, document)?;
    Ok(judge_laid(old, new, &rules, &reviews))
}

/// Compares and judges two texts by given rules, people's words laid over.
pub(super) fn judge_laid(
    old: &Document,
    new: &Document,
    rules: &assess::RuleSet,
    reviews: &[assess::review::Review],
) -> Judged {
    let promises = duty::Memory::default();
    let (before, after) = (promises.find(old), promises.find(new));
    judge_row(
        old,
        new,
        rules,
        reviews,
        (&before, &after),
        &assess::Memory::default(),
    )
}

/// The same for one of a row of versions, whose promises were found when it was the new one.
pub(super) fn judge_row(
    old: &Document,
    new: &Document,
    rules: &assess::RuleSet,
    reviews: &[assess::review::Review],
    promises: (&Duties, &Duties),
    memory: &assess::Memory,
) -> Judged {
    let mut judged = judge_found(old, new, rules, promises, memory);
    if !reviews.is_empty() {
        judged.assessment = assess::review::apply(&judged.assessment, reviews).1;
    }
    judged
}

/// Compares and judges two texts by the built-in rules.
pub fn judge(old: &Document, new: &Document) -> Judged {
    judge_by(old, new, assess::RuleSet::standard())
}

/// Compares and judges two texts by given rules; changed promises become findings.
pub(super) fn judge_by(old: &Document, new: &Document, rules: &assess::RuleSet) -> Judged {
    let promises = duty::Memory::default();
    judge_found(
        old,
        new,
        rules,
        (&promises.find(old), &promises.find(new)),
        &assess::Memory::default(),
    )
}

fn judge_found(
    old: &Document,
    new: &Document,
    rules: &assess::RuleSet,
    (before, after): (&Duties, &Duties),
    memory: &assess::Memory,
) -> Judged {
    let comparison = compare::compare(old, new);
    let mut assessment = assess::assess_with(old, new, &comparison, rules, memory);
    let promises = duty::promise_changes(before, after);
    // Where the texts are no two versions of one policy, their promises are not comparable either.
    let apart = assessment.remarks.iter().any(|remark| {
        ["broken-off", "another-language", "not-the-policy"]
            .iter()
            .any(|code| remark.starts_with(code))
    });
    let mut further = if apart {
        Vec::new()
    } else {
        duty::promise_findings(old, new, &comparison, &promises, &assessment.findings)
    };
    let changed = !further.is_empty();
    for finding in &further {
        let graver = match finding.severity {
            Severity::Material => Verdict::Material,
            Severity::Substantive => Verdict::Substantive,
        };
        assessment.verdict = assessment.verdict.max(graver);
    }
    assessment.findings.append(&mut further);
    if changed {
        // The order of the assessment: grave before slight, adverse before all others.
        assessment
            .findings
            .sort_by_key(|f| (std::cmp::Reverse(f.severity), f.direction));
        for (index, finding) in assessment.findings.iter_mut().enumerate() {
            finding.id = format!("f{}", index + 1);
        }
    }
    Judged {
        comparison,
        assessment,
        duties: before.clone(),
        promises,
    }
}

impl Judged {
    /// The duties of the old text with the findings that trigger each.
    pub fn triggered(&self) -> Vec<crate::render::TriggeredDuty> {
        duty::triggered(&self.duties.duties, &self.assessment.findings)
            .into_iter()
            .map(|(duty, because)| crate::render::TriggeredDuty { duty, because })
            .collect()
    }
}
