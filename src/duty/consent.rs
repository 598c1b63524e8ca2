//! Acceptances and refusals, imported from elsewhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Agreed.
    Accepted,
    /// Did not agree.
    Refused,
}

/// One line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// User id, or normalised address.
    pub person: String,
    /// The version answered, its id or the start of it.
    pub version: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub answer: Answer,
}

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its number; the header is line 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Reads a CSV with the columns `person`, `version`, `time` (RFC 3339) and `answer` (`accepted`,
/// `refused`), in any order; other columns are left alone. Bad lines are listed, not fatal.
///
/// # Errors
/// When a column is missing; the message names it.
pub fn parse(text: &str) -> Result<(Vec<Response>, Vec<Rejected>), String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| format!("the header line cannot be read: {error}"))?
        .clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                format!("the column `{name}` is missing; needed are person, version, time, answer")
            })
    };
    let (person, version, time, answer) = (
        column("person")?,
        column("version")?,
        column("time")?,
        column("answer")?,
    );
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                bad.push(Rejected {
                    line: error.position().map_or(0, csv::Position::line),
                    reason: error.to_string(),
                });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        let answered = match field(answer).to_ascii_lowercase().as_str() {
            "accepted" | "accept" | "yes" => Some(Answer::Accepted),
            "refused" | "refuse" | "declined" | "no" => Some(Answer::Refused),
            _ => None,
        };
        match (field(person), field(time).parse::<Timestamp>(), answered) {
            ("", _, _) => bad.push(Rejected {
                line,
                reason: "no person".to_owned(),
            }),
            (_, Err(error), _) => bad.push(Rejected {
                line,
                reason: format!(
                    "`{}` is not a time such as 2027-01-31T12:00:00Z: {error}",
                    field(time)
                ),
            }),
            (_, _, None) => bad.push(Rejected {
                line,
                reason: format!("`{}` is neither accepted nor refused", field(answer)),
            }),
            (who, Ok(time), Some(answer)) => good.push(Response {
                person: normal(who),
                version: field(version).to_owned(),
                time,
                answer,
            }),
        }
    }
    Ok((good, bad))
}

/// A user id as it is, an address in lower case.
pub fn normal(person: &str) -> String {
    if person.contains('@') {
        person.to_lowercase()
    } else {
        person.to_owned()
    }
}

/// How many of the people asked agreed, refused, or are still open; the last answer counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Agreed.
    pub accepted: usize,
    /// Refused.
    pub refused: usize,
    /// Asked, no answer yet; `None` when it is not known who was asked.
    pub open: Option<usize>,
}

/// Counts the answers for a version; `asked` are the normalised persons, if they are known.
pub fn tally(responses: &[Response], version: &str, asked: Option<&[String]>) -> Tally {
    let mut last: BTreeMap<&str, (Timestamp, Answer)> = BTreeMap::new();
    for response in responses {
        let fits = !response.version.is_empty()
            && (version.starts_with(&response.version) || response.version == version);
        if fits
            && last
                .get(response.person.as_str())
                .is_none_or(|(time, _)| *time <= response.time)
        {
            last.insert(&response.person, (response.time, response.answer));
        }
    }
    let count = |wanted: Answer| {
        last.values()
            .filter(|(_, answer)| *answer == wanted)
            .count()
    };
    Tally {
        accepted: count(Answer::Accepted),
        refused: count(Answer::Refused),
        open: asked.map(|asked| {
            asked
                .iter()
                .filter(|person| !last.contains_key(person.as_str()))
                .count()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_counts_and_bad_lines_are_listed() {
        let text = "person,version,time,answer\nAnn@Example.org,abcd,2027-01-01T00:00:00Z,refused\nann@example.org,abcd,2027-01-02T00:00:00Z,accepted\nbob,abcd,yesterday,accepted\ncid,abcd,2027-01-02T00:00:00Z,perhaps\n";
        let (good, bad) = parse(text).unwrap();
        assert_eq!((good.len(), bad.len()), (2, 2));
        assert_eq!(bad[0].line, 4);
        let asked = ["ann@example.org".to_owned(), "bob".to_owned()];
        assert_eq!(
            tally(&good, "abcdef", Some(&asked)),
            Tally {
                accepted: 1,
                refused: 0,
                open: Some(1)
            }
        );
        assert!(parse("who,when\n").unwrap_err().contains("person"));
    }
}
