//! A web page walks in; the policy on it walks out as Markdown.
//!
//! The page is made light ([`flatten`]), parsed as a browser with scripts does, and laid out as one
//! row of nodes. What is no text of the policy wherever it stands falls away ([`furniture`]); where
//! the policy stands is found by its prose and its words ([`main_part`]); what is left is written
//! as Markdown. Hand-written selectors overrule all of it.

mod attributes;
mod flatten;
mod furniture;
mod leftovers;
mod link;
mod main_part;
mod page;
mod select;
mod table;
mod vocabulary;
mod write;

use scraper::Html;
use url::Url;

pub use furniture::Reason;
pub(super) use select::check as check_part;
pub(super) use vocabulary::Vocabulary;

use super::{Input, ReadError, Warning, converted::Converted, encoding, suspect};
use furniture::Dropped;
use page::Page;

/// Which part of a page was taken for the policy, and why the rest was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// CSS paths of the parts that were taken, with the number of words that are left in each.
    pub taken: Vec<(String, usize)>,
    /// Why those parts.
    pub why: &'static str,
    /// Words kept, of all words on the page.
    pub words: (usize, usize),
    /// What was left out, in the order of the page.
    pub left_out: Vec<LeftOut>,
}

/// A part of the page that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its CSS path.
    pub path: String,
    /// Why.
    pub reason: Reason,
    /// How many words it holds.
    pub words: usize,
    /// Its first words.
    pub start: String,
}

/// A page without what no reading looks at: scripts, drawings, comments, and the attributes that
/// say nothing about the text.
///
/// # Errors
/// When the page holds more tags than can be read.
pub(super) fn lighten(input: &Input<'_>, text: &str) -> Result<String, ReadError> {
    flatten::flatten(text, selected(input))
}

/// What of a page's address tells how it reads: what its links are relative to.
pub(super) fn address<'a>(input: &Input<'a>) -> Option<&'a str> {
    input
        .url
        .filter(|url| Url::parse(url.trim()).is_ok_and(|url| !url.cannot_be_a_base()))
}

/// Turns a page that was made light into Markdown.
///
/// # Errors
/// When a selector is not valid.
pub(super) fn convert(input: &Input<'_>, light: &str) -> Result<Converted, ReadError> {
    let html = Html::parse_document(light);
    let page = Page::new(&html);
    let reading = Reading::of(&html, &page, input)?;
    let base = base(&page, input.url);
    let markdown = write::write(&page, &reading.taken, &reading.dropped, base.as_ref());
    let markdown = leftovers::resolve(markdown);
    let suspect = suspect::judge(&suspect::Evidence {
        text: &markdown,
        title: page.title.as_deref(),
        redirects: page.refresh,
        password: page.password,
        whole_page: &|| page.words(page.body),
    });
    let mut warnings = Vec::new();
    if !input.selectors.include.is_empty() && markdown.is_empty() {
        warnings.push(Warning {
            code: "selector-without-match".to_owned(),
            detail: "the selectors match nothing with words on this page".to_owned(),
        });
    }
    Ok(Converted {
        markdown,
        title: page.title.clone(),
        language: page.language.clone(),
        warnings,
        suspect,
    })
}

/// Which part of a page is taken for the policy and why: what `fairnotice add --explain` shows.
/// Nothing for an input that is no page.
///
/// # Errors
/// As for [`super::read`].
pub fn explain(input: &Input<'_>) -> Result<Option<Explanation>, ReadError> {
    if super::format::tell(input) != super::Format::Html {
        return Ok(None);
    }
    let decoded = encoding::decode(input)?;
    let light = lighten(input, &decoded.text)?;
    let html = Html::parse_document(&light);
    let page = Page::new(&html);
    let reading = Reading::of(&html, &page, input)?;
    let count = |at: usize| page.words(at).split_whitespace().count();
    let all: usize = reading.taken.iter().map(|r| range_words(&page, r)).sum();
    // What lies outside of the part that was taken went with its surroundings.
    let out: usize = reading
        .dropped
        .keys()
        .filter(|at| reading.taken.iter().any(|r| r.contains(at)))
        .map(|at| count(*at))
        .sum();
    let left_out: Vec<LeftOut> = reading
        .dropped
        .iter()
        .map(|(at, reason)| LeftOut {
            path: select::path(&page, *at),
            reason: *reason,
            words: count(*at),
            start: page
                .words(*at)
                .split_whitespace()
                .take(8)
                .collect::<Vec<_>>()
                .join(" "),
        })
        .filter(|left| left.words > 0)
        .collect();
    let taken = reading
        .taken
        .iter()
        .map(|range| (select::path(&page, range.start), range_words(&page, range)))
        .collect();
    Ok(Some(Explanation {
        taken,
        why: reading.why,
        words: (all.saturating_sub(out), count(page.body)),
        left_out,
    }))
}

/// Whether selectors say which part counts: they may ask for any attribute.
fn selected(input: &Input<'_>) -> bool {
    !input.selectors.include.is_empty() || !input.selectors.remove.is_empty()
}

fn range_words(page: &Page<'_>, range: &std::ops::Range<usize>) -> usize {
    let mut words = 0;
    for node in page.nodes.get(range.clone()).unwrap_or_default() {
        if let page::Kind::Text(text) = node.kind {
            words += text.split_whitespace().count();
        }
    }
    words
}

/// What was taken and what was left out.
struct Reading {
    taken: select::Taken,
    why: &'static str,
    dropped: Dropped,
}

impl Reading {
    fn of(html: &Html, page: &Page<'_>, input: &Input<'_>) -> Result<Self, ReadError> {
        let words = Vocabulary::get();
        let mut removed = Dropped::new();
        if let Some(taken) = select::apply(html, page, &input.selectors, &mut removed)? {
            return Ok(Self {
                taken,
                why: "the selectors name it",
                dropped: removed,
            });
        }
        let own = page.own_measures(words, |at| removed.contains_key(&at));
        let measures = page.measures(&own, |_| false);
        let mut dropped = furniture::find(page, &measures, words);
        dropped.extend(removed);
        let kept = page.measures(&own, |at| dropped.contains_key(&at));
        furniture::orphaned_labels(page, &measures, &kept, words, &mut dropped);
        let measures = page.measures(&own, |at| dropped.contains_key(&at));
        let root = main_part::find(page, &measures, words, &mut dropped);
        let end = page.node(root).map_or(root, |n| n.end);
        Ok(Self {
            taken: vec![root..end],
            why: main_part::why(page, root),
            dropped,
        })
    }
}

/// What links on the page are relative to.
fn base(page: &Page<'_>, url: Option<&str>) -> Option<Url> {
    // A page read from a file often tells its own address.
    let own = url
        .or(page.canonical)
        .and_then(|url| Url::parse(url.trim()).ok());
    match (page.base, own) {
        (Some(base), Some(own)) => own.join(base).ok().or(Some(own)),
        (Some(base), None) => Url::parse(base).ok(),
        (None, own) => own,
    }
}

#[cfg(test)]
mod tests;
