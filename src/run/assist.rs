//! A program of the user's own proposes wording for findings (`[assist] command`).
//!
//! The findings go in as JSON on its standard input, sentences come out. Each is checked against
//! the quotes and marked as proposed; the built sentences stay beside them. A program that fails or
//! takes too long is a warning and changes nothing.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::Judged;
use crate::{
    assess::{
        Finding,
        assist::{Proposal, check},
    },
    config::Assist,
    deliver::alert::run_program,
};

/// What the program gets.
#[derive(Serialize)]
struct Asked<'a> {
    schema: &'static str,
    document: &'a str,
    findings: &'a [Finding],
}

/// What it answers.
#[derive(Deserialize)]
struct Answered {
    proposals: Vec<Proposal>,
}

/// Lets the configured program propose wording. Gives warnings for people; without a program, or
/// without findings, nothing happens.
pub fn propose(assist: &Assist, root: &Path, document: &str, judged: &mut Judged) -> Vec<String> {
    let findings = &mut judged.assessment.findings;
    if assist.command.is_empty() || findings.is_empty() {
        return Vec::new();
    }
    let answered = match ask(assist, root, document, findings) {
        Ok(answered) => answered,
        Err(error) => {
            return vec![format!(
                "the program of [assist] proposes nothing: {error}; the built sentences stand"
            )];
        }
    };
    let mut warnings = Vec::new();
    for proposal in answered.proposals {
        match check(findings, &proposal) {
            Ok(sentence) => {
                for finding in findings.iter_mut().filter(|f| f.id == proposal.finding) {
                    finding.proposed = Some(sentence.clone());
                }
            }
            Err(refusal) => warnings.push(format!(
                "what the program of [assist] proposes for {} is not taken: {refusal}",
                proposal.finding
            )),
        }
    }
    warnings
}

fn ask(
    assist: &Assist,
    root: &Path,
    document: &str,
    findings: &[Finding],
) -> Result<Answered, String> {
    let asked = Asked {
        schema: "fairnotice/assist/1",
        document,
        findings,
    };
    let input = serde_json::to_vec(&asked).map_err(|error| error.to_string())?;
    let limit = Duration::from_secs(assist.timeout_seconds.unwrap_or(60));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let output = runtime
        .block_on(run_program(&assist.command, root, &input, limit))
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&output).map_err(|error| {
        format!("its answer is no JSON of the form {{\"proposals\": [{{\"finding\", \"summary\"}}]}}: {error}")
    })
}
