//! The page of a bundle that people read.

use std::fmt::Write as _;

use super::{Approved, CampaignState, Counts, Hash};

/// What the page tells.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// Id of the campaign.
    pub campaign: &'a str,
    /// Subjects of the mail by language.
    pub subjects: Vec<(String, String)>,
    /// Where the campaign stands.
    pub state: CampaignState,
    /// The numbers.
    pub counts: Counts,
    /// Hard delivery reports that came back.
    pub bounced: usize,
    /// Who approved.
    pub approvals: &'a [Approved],
    /// When sending began and ended.
    pub span: (String, String),
    /// The latest time that was promised.
    pub latest: String,
    /// Hash of the definition.
    pub definition: Hash,
    /// Hash of the ledger's last line.
    pub head: Hash,
}

/// Writes the page; it needs nothing but itself.
pub fn summary(summary: &Summary<'_>) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Evidence of a campaign</title>\n\
         <style>body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;\
         color-scheme:light dark}table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1rem .2rem 0;\
         vertical-align:top}code{overflow-wrap:anywhere}</style>\n</head>\n<body>\n",
    );
    let c = &summary.counts;
    // Writing into a string cannot fail.
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(name),
            escape(value)
        );
    };
    let mut rows: Vec<(String, String)> = vec![
        ("Campaign".into(), summary.campaign.into()),
        ("State".into(), summary.state.to_string()),
    ];
    for (language, subject) in &summary.subjects {
        rows.push((format!("Subject ({language})"), subject.clone()));
    }
    rows.extend([
        ("Recipients".to_owned(), c.recipients.to_string()),
        ("Accepted by the relay".to_owned(), c.accepted.to_string()),
        ("Refused for good".to_owned(), c.refused.to_string()),
        ("Uncertain".to_owned(), c.uncertain.to_string()),
        ("Not sent".to_owned(), (c.pending + c.deferred).to_string()),
        (
            "Uncertain at some time".to_owned(),
            c.ever_uncertain.to_string(),
        ),
        (
            "Returned for good afterwards".to_owned(),
            summary.bounced.to_string(),
        ),
        ("Sending began".to_owned(), summary.span.0.clone()),
        ("Sending ended".to_owned(), summary.span.1.clone()),
        ("Latest time".to_owned(), summary.latest.clone()),
    ]);
    for approval in summary.approvals {
        rows.push((
            "Approved".to_owned(),
            format!("by {} at {}", approval.by, approval.at),
        ));
    }
    rows.push(("Definition".to_owned(), summary.definition.to_string()));
    rows.push(("Head of the ledger".to_owned(), summary.head.to_string()));
    rows.iter().for_each(|(name, value)| row(name, value));
    let (start, table) = page.split_at(page.find("<body>\n").map_or(0, |at| at + 7));
    format!(
        "{start}<h1>Evidence of a campaign</h1>\n<table>\n{table}</table>\n\
         <p>“Accepted by the relay” means that the mail server to which the message was handed answered 250 \
         and so took responsibility for it. It does not say that the message reached a mailbox or was read.</p>\n\
         <p>Recipients appear as commitments: the SHA-256 of a secret salt and the person's line in the list. \
         <code>fairnotice evidence verify</code> checks every file, every entry of the ledger and the numbers on this page.</p>\n\
         </body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
