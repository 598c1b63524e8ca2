//! What an alert says, in the forms that the ways need.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// What happened to one document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertMessage {
    /// Stable id.
    pub id: String,
    /// The document's id.
    pub document: String,
    /// Its title.
    pub title: String,
    /// Where it is published.
    pub source: String,
    /// `changed`, `failing`, `suspect`, `flapping`.
    pub what: String,
    /// The verdict of a change: `material`, ….
    pub verdict: Option<String>,
    /// For people.
    pub detail: String,
    /// The version concerned.
    pub version: Option<String>,
    /// The version it was compared with.
    pub against: Option<String>,
    /// When it became due.
    pub due: Timestamp,
    /// Material first, adverse first.
    pub findings: Vec<AlertFinding>,
    /// The redline's file, as an absolute path.
    pub redline: Option<String>,
    /// The redline itself, for mails.
    #[serde(skip)]
    pub redline_page: Option<String>,
    /// Changed passages in which nothing was found, for mails and feeds.
    #[serde(skip)]
    pub passages: Vec<Excerpt>,
    /// Changed passages that are too many to show.
    #[serde(skip)]
    pub untold: usize,
}

/// A passage of the redline, ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// What happened, and where: `Changed: 4.2 Sharing`.
    pub heading: String,
    /// As plain text, marked with brackets; a paragraph a line.
    pub text: String,
    /// As paragraphs of HTML, escaped.
    pub html: String,
}

/// A finding, short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertFinding {
    /// `material` or `substantive`.
    pub severity: String,
    /// `adverse`, `favourable` or `neutral`.
    pub direction: String,
    /// The topic.
    pub topic: String,
    /// The section, for people.
    pub section: String,
    /// One sentence, where an honest one could be built.
    pub summary: Option<String>,
    /// The old words.
    pub before: Option<String>,
    /// The new words.
    pub after: Option<String>,
    /// The passages that it is about, as the redline shows them.
    #[serde(skip)]
    pub passages: Vec<Excerpt>,
}

/// Findings named in a chat message.
const NAMED: usize = 5;
/// Characters of a quote.
const QUOTE: usize = 300;
/// Characters of a section of a Slack message, of the 3,000 that Slack takes.
const SLACK: usize = 2_900;

impl AlertMessage {
    /// One line: `Larkspur Privacy Policy: material change (3 findings)`.
    pub fn headline(&self) -> String {
        let title = short(&self.title);
        match (&self.verdict, self.what.as_str()) {
            (Some(verdict), "changed") => {
                let found = match self.findings.len() {
                    0 => String::new(),
                    1 => " (1 finding)".to_owned(),
                    more => format!(" ({more} findings)"),
                };
                format!("{title}: {verdict} change{found}")
            }
            (_, what) => format!("{title}: {what}"),
        }
    }

    /// The document that webhooks and programs get.
    pub fn json(&self) -> Value {
        json!({ "schema": "fairnotice/alert/1", "alert": self })
    }

    /// GitHub-style Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "## {}\n\n{}\n\n",
            inert(&self.headline()),
            inert(&self.source)
        );
        if self.findings.is_empty() {
            text += &format!("{}\n", inert(&self.detail));
        }
        for finding in &self.findings {
            text += &format!("- {}\n", finding.line(inert));
            if let Some(before) = &finding.before {
                text += &format!("  > before: {}\n", inert(&short(before)));
            }
            if let Some(after) = &finding.after {
                text += &format!("  >\n  > after: {}\n", inert(&short(after)));
            }
        }
        if let Some(redline) = &self.redline {
            text += &format!("\nRedline: `{}`\n", redline.replace('`', "'"));
        }
        text
    }

    /// Plain text.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.headline(), self.source);
        if self.findings.is_empty() {
            text += &format!("{}\n", self.detail);
        }
        for finding in &self.findings {
            text += &format!("\n* {}\n", finding.line(str::to_owned));
            if !finding.passages.is_empty() {
                for passage in &finding.passages {
                    text += &indented(&passage.text);
                }
                continue;
            }
            if let Some(before) = &finding.before {
                text += &format!("  before: {}\n", short(before));
            }
            if let Some(after) = &finding.after {
                text += &format!("  after:  {}\n", short(after));
            }
        }
        let mut heading = "";
        for passage in &self.passages {
            if passage.heading != heading {
                heading = &passage.heading;
                text += &format!("\n* {heading}\n");
            }
            text += &indented(&passage.text);
        }
        if self.untold > 0 {
            text += &format!("\n{}\n", self.rest());
        }
        if let Some(redline) = &self.redline {
            text += &format!("\nRedline: {redline}\n");
        }
        text
    }

    /// The part of a mail that shows what changed: inline styles only, struck and underlined
    /// besides colour, foreign words without power.
    pub fn html(&self) -> String {
        let mut page = format!(
            "<h2>{}</h2><p>{}</p>",
            escaped(&self.headline()),
            escaped(&self.source)
        );
        if self.findings.is_empty() {
            page += &format!("<p>{}</p>", escaped(&self.detail));
        }
        for finding in &self.findings {
            page += &format!("<h3>{}</h3>", finding.name(escaped));
            if let Some(summary) = &finding.summary {
                page += &format!("<p>{}</p>", escaped(&short(summary)));
            }
            if !finding.passages.is_empty() {
                page.extend(finding.passages.iter().map(|passage| passage.html.as_str()));
                continue;
            }
            if let Some(before) = &finding.before {
                page += &format!(
                    "<p style=\"color:#82071e;background:#ffebe9;text-decoration:line-through\">{}</p>",
                    escaped(&short(before))
                );
            }
            if let Some(after) = &finding.after {
                page += &format!(
                    "<p style=\"color:#116329;background:#dafbe1;text-decoration:underline\">{}</p>",
                    escaped(&short(after))
                );
            }
        }
        let mut heading = "";
        for passage in &self.passages {
            if passage.heading != heading {
                heading = &passage.heading;
                page += &format!("<h3>{}</h3>", escaped(heading));
            }
            page += &passage.html;
        }
        if self.untold > 0 {
            page += &format!("<p>{}</p>", escaped(&self.rest()));
        }
        if self.redline_page.is_some() {
            page += "<p>The whole redline is attached.</p>";
        } else if let Some(redline) = &self.redline {
            page += &format!("<p>Redline: <code>{}</code></p>", escaped(redline));
        }
        page
    }

    fn rest(&self) -> String {
        let (number, plural) = (self.untold, if self.untold == 1 { "" } else { "s" });
        format!("{number} more changed passage{plural}: see the whole redline.")
    }

    /// An incoming webhook of Slack.
    pub fn slack(&self) -> Value {
        let escape = |text: &str| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        };
        let mut lines = vec![
            format!("*{}*", escape(&self.headline())),
            escape(&self.source),
        ];
        lines.extend(self.named(escape));
        let mut room = SLACK;
        // A section that is too long is refused as a whole, however often it is sent.
        lines.retain(|line| {
            let length = line.chars().count() + 1;
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            fits
        });
        json!({ "text": escape(&self.headline()), "blocks": [
            { "type": "section", "text": { "type": "mrkdwn", "text": lines.join("\n") } }
        ]})
    }

    /// A workflow webhook of Microsoft Teams: an adaptive card.
    pub fn teams(&self) -> Value {
        let mut body = vec![
            json!({ "type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": true,
                    "text": inert(&self.headline()) }),
            json!({ "type": "TextBlock", "wrap": true, "isSubtle": true, "text": inert(&self.source) }),
        ];
        body.extend(
            self.named(inert)
                .map(|line| json!({ "type": "TextBlock", "wrap": true, "text": line })),
        );
        json!({ "type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4", "body": body,
            },
        }]})
    }

    fn named<'a>(
        &'a self,
        escape: impl Fn(&str) -> String + Copy + 'a,
    ) -> impl Iterator<Item = String> + 'a {
        let detail = self.findings.is_empty().then(|| escape(&self.detail));
        let more = self.findings.len().saturating_sub(NAMED);
        detail
            .into_iter()
            .chain(
                self.findings
                    .iter()
                    .take(NAMED)
                    .map(move |f| format!("• {}", f.line(escape))),
            )
            .chain((more > 0).then(|| format!("… and {more} more")))
    }
}

impl AlertFinding {
    /// How grave, for whom, about what, where.
    fn name(&self, escape: impl Fn(&str) -> String) -> String {
        format!(
            "{} {} {}, {}",
            self.severity,
            self.direction,
            self.topic,
            escape(&self.section)
        )
    }

    /// The same with one sentence; with the words themselves where they do not follow anyway.
    fn line(&self, escape: impl Fn(&str) -> String) -> String {
        let words = || {
            let words = self.after.as_deref().or(self.before.as_deref());
            words.filter(|_| self.passages.is_empty())
        };
        let name = self.name(&escape);
        match self.summary.as_deref().or_else(words) {
            Some(said) => format!("{name}: {}", escape(&short(said))),
            None => name,
        }
    }
}

/// Each line two columns in.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= QUOTE {
        return text;
    }
    let cut: String = text.chars().take(QUOTE).collect();
    format!(
        "{}…",
        cut.rsplit_once(' ')
            .map_or(cut.as_str(), |(start, _)| start)
    )
}

/// Foreign words without power in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Foreign words without power in Markdown: no markup, no HTML, no mention of people.
fn inert(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("@\u{200b}"),
            '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '|' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(super) fn sample() -> AlertMessage {
    AlertMessage {
        id: "a1b2c3".to_owned(),
        document: "moss".to_owned(),
        title: "Moss <Privacy> Policy".to_owned(),
        source: "https://moss.example/privacy".to_owned(),
        what: "changed".to_owned(),
        verdict: Some("material".to_owned()),
        detail: "1 finding".to_owned(),
        version: Some("22".to_owned()),
        against: Some("11".to_owned()),
        due: Timestamp::UNIX_EPOCH,
        findings: vec![AlertFinding {
            severity: "material".to_owned(),
            direction: "adverse".to_owned(),
            topic: "sharing".to_owned(),
            section: "3 Sharing".to_owned(),
            summary: None,
            before: Some("We share nothing.".to_owned()),
            after: Some("We share [everything](x) <script>alert(1)</script> @channel".to_owned()),
            passages: Vec::new(),
        }],
        redline: Some("/w/out/redlines/r.html".to_owned()),
        redline_page: None,
        passages: Vec::new(),
        untold: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_have_no_power() {
        let message = sample();
        let slack = message.slack().to_string();
        assert!(
            !slack.contains("<script>") && slack.contains("&lt;script&gt;"),
            "{slack}"
        );
        for text in [message.markdown(), message.teams().to_string()] {
            assert!(!text.contains("<script>"), "{text}");
            assert!(!text.contains("[everything](x)"), "{text}");
            assert!(!text.contains("@channel"), "{text}");
        }
    }

    #[test]
    fn slack_takes_the_longest_message() {
        let mut message = sample();
        message.source = vec!["https://moss.example/a-very-long-address/".repeat(20); 3].join(", ");
        message.findings = vec![
            AlertFinding {
                summary: Some("<".repeat(400)),
                ..message.findings[0].clone()
            };
            9
        ];
        let slack = message.slack();
        let text = slack["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() <= 3000, "{}", text.chars().count());
        assert!(
            text.contains("material change") && text.contains("4 more"),
            "{text}"
        );
    }

    #[test]
    fn the_text_names_before_and_after() {
        insta::assert_snapshot!(sample().text(), @r"
        Moss <Privacy> Policy: material change (1 finding)
        https://moss.example/privacy

        * material adverse sharing, 3 Sharing: We share [everything](x) <script>alert(1)</script> @channel
          before: We share nothing.
          after:  We share [everything](x) <script>alert(1)</script> @channel

        Redline: /w/out/redlines/r.html
        ");
    }
}
