//! Which findings make which duties due.

use super::{Duty, Source, Trigger, law};
use crate::assess::{Direction, Finding, Severity, Topic};

/// The duties that findings make due, each with the ids of those findings. Duties of events that
/// no comparison can show (an incident, the end of the service) are never among them.
pub fn triggered(duties: &[Duty], findings: &[Finding]) -> Vec<(Duty, Vec<String>)> {
    duties
        .iter()
        .filter_map(|duty| {
            let because: Vec<String> = findings
                .iter()
                .filter(|finding| makes_due(duty, finding))
                .map(|finding| finding.id.clone())
                .collect();
            (!because.is_empty()).then(|| (duty.clone(), because))
        })
        .collect()
}

/// Whether a finding makes a duty due.
pub fn makes_due(duty: &Duty, finding: &Finding) -> bool {
    if let Source::Law { id, .. } = &duty.source {
        return law::packs()
            .iter()
            .find(|entry| entry.id == *id)
            .is_some_and(|entry| entry.triggered_by(finding));
    }
    let material = finding.severity == Severity::Material;
    let adverse = finding.direction == Direction::Adverse;
    match duty.trigger {
        Trigger::AnyChange => true,
        Trigger::MaterialChange => material,
        Trigger::RightsReduced => material && adverse,
        Trigger::NewPurpose => {
            matches!(
                finding.topic,
                Topic::Use | Topic::Collection | Topic::Tracking | Topic::Automation
            ) && finding.new.is_some()
                && finding.direction != Direction::Favourable
        }
        Trigger::PriceChange => finding.topic == Topic::Payment,
        Trigger::Transfer | Trigger::ServiceEnds | Trigger::Incident | Trigger::Other => false,
    }
}
