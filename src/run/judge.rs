//! Two texts, all the way: comparison, findings, promises, duties that are triggered.

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

/// Compares and judges two texts.
pub fn judge(old: &Document, new: &Document) -> Judged {
    let comparison = compare::compare(old, new);
    let mut assessment = assess::assess(old, new, &comparison);
    let duties = duty::find(old);
    let promises = duty::promise_changes(&duties, &duty::find(new));
    let mut further =
        duty::promise_findings(old, new, &comparison, &promises, &assessment.findings);
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
        duties,
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
