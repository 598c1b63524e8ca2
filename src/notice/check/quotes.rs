//! Quotes: whatever stands between quotation marks, in quotations or among the full passages must
//! stand in a stored version, word for word.

use scraper::{Html, Selector};

use super::super::quote::squash;
use super::{Channel, Outcome, seen::Seen, seen::filled};

pub(super) fn exact(seen: &Seen<'_>) -> Outcome {
    let mut wrong: Vec<String> = Vec::new();
    let mut count = 0;
    for quote in quotes(seen) {
        count += 1;
        if !is_exact(seen, &quote) {
            let start: String = quote.chars().take(60).collect();
            wrong.push(format!("`{start}`"));
        }
    }
    if wrong.is_empty() {
        Ok(format!("{count} quotes"))
    } else {
        Err(format!(
            "not word for word in a stored version: {}",
            wrong.join("; ")
        ))
    }
}

fn is_exact(seen: &Seen<'_>, quote: &str) -> bool {
    let bare = squash(quote);
    bare.is_empty()
        || seen
            .versions_squashed
            .iter()
            .any(|version| version.contains(&bare))
        || is_name(seen, &bare)
}

/// Names that are put between quotation marks: the document, the first notice, a heading of this
/// very text.
fn is_name(seen: &Seen<'_>, bare: &str) -> bool {
    let bare = bare.to_lowercase();
    let is = |name: &str| squash(name).to_lowercase() == bare;
    let corrected = seen
        .notice
        .corrects
        .as_ref()
        .is_some_and(|correction| is(&correction.subject));
    corrected
        || is(&seen.notice.document_title)
        || is(&seen.notice.company)
        || seen
            .plain
            .lines()
            .any(|line| is(line.trim_matches(|c: char| c.is_whitespace() || "【】#".contains(c))))
        // A memo quotes the duty itself, the evidence of rules, and how time was counted.
        || seen.notice.channel == Channel::Memo && is_evidence(seen, &bare)
}

fn is_evidence(seen: &Seen<'_>, bare: &str) -> bool {
    let ground = &seen.basis.ground;
    let same = |text: &str| squash(text).to_lowercase() == *bare;
    let holds = |text: &str| squash(text).to_lowercase().contains(bare);
    ground
        .assessment
        .findings
        .iter()
        .flat_map(|finding| &finding.reasons)
        .any(|reason| same(&reason.evidence))
        || ground
            .plan
            .duties
            .iter()
            .any(|planned| same(&planned.duty.quote) || holds(&planned.rule))
        || ground
            .plan
            .remarks
            .iter()
            .chain(&ground.plan.tasks)
            .chain(&ground.assessment.remarks)
            .any(|remark| holds(remark))
}

/// All quotes of the text and of the HTML.
fn quotes(seen: &Seen<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let is_markdown = matches!(
        seen.notice.channel,
        Channel::Announcement | Channel::Changelog | Channel::Letter | Channel::Memo
    );
    marked(&seen.plain, seen, &mut found);
    if !is_markdown {
        // Passages in full are indented by four.
        let mut passage = String::new();
        let text = filled(&seen.text.text);
        for line in text.lines().chain(std::iter::once("")) {
            match line.strip_prefix("    ") {
                Some(words) => {
                    passage.push_str(words);
                    passage.push('\n');
                }
                None if passage.is_empty() => {}
                None => found.push(std::mem::take(&mut passage)),
            }
        }
    }
    if let Some(html) = &seen.text.html {
        let page = Html::parse_document(&filled(html));
        if let Ok(selector) = Selector::parse("blockquote") {
            for quote in page.select(&selector) {
                let words: String = quote.text().collect();
                found.push(bare(&words, seen));
            }
        }
        marked(&super::html::words(&filled(html)), seen, &mut found);
    }
    found.retain(|quote| !quote.trim().is_empty());
    found
}

/// A quotation without its marks and signs of omission.
fn bare(words: &str, seen: &Seen<'_>) -> String {
    let words = words.trim();
    let words = words
        .strip_prefix(&seen.words.left_out)
        .unwrap_or(words)
        .trim();
    let words = words
        .strip_suffix(&seen.words.left_out)
        .unwrap_or(words)
        .trim();
    match words
        .strip_prefix(&seen.words.quote_open)
        .and_then(|inner| inner.strip_suffix(&seen.words.quote_close))
    {
        Some(inner) => inner.to_owned(),
        None => words.to_owned(),
    }
}

/// What stands between quotation marks. Marks inside a quote belong to it: the longest run from
/// an opening mark that is exact counts, else the shortest is reported.
fn marked(text: &str, seen: &Seen<'_>, found: &mut Vec<String>) {
    let (open, close) = (&seen.words.quote_open, &seen.words.quote_close);
    let mut rest = text;
    while let Some((_, from)) = rest.split_once(open.as_str()) {
        let mut ends = from
            .match_indices(close.as_str())
            .map(|(at, _)| at)
            .take(12);
        let Some(first) = ends.next() else { break };
        let exact = std::iter::once(first)
            .chain(ends)
            .filter(|end| from.get(..*end).is_some_and(|quote| is_exact(seen, quote)))
            .last();
        let end = exact.unwrap_or(first);
        found.push(from.get(..end).unwrap_or_default().to_owned());
        rest = from.get(end + close.len()..).unwrap_or_default();
    }
}
