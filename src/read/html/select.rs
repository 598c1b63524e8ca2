//! Hand-written selectors, with the meaning of Open Terms Archive's declarations: first what
//! `remove` names goes, then what `include` names is taken, in the order given.

use std::collections::BTreeMap;

use scraper::{Html, Selector};

use super::{
    super::{Part, ReadError, Selectors},
    furniture::{Dropped, Reason},
    page::{Page, Tag},
};

/// A stretch of nodes that was taken, in document order: `start..end`.
pub(super) type Taken = Vec<std::ops::Range<usize>>;

/// Applies the selectors; `None` when no selector says what to take.
///
/// # Errors
/// When a selector is not valid CSS.
pub(super) fn apply(
    html: &Html,
    page: &Page<'_>,
    selectors: &Selectors,
    dropped: &mut Dropped,
) -> Result<Option<Taken>, ReadError> {
    if selectors.include.is_empty() && selectors.remove.is_empty() {
        return Ok(None);
    }
    let places: BTreeMap<*const scraper::node::Element, usize> = page
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(at, node)| Some((std::ptr::from_ref(node.element()?), at)))
        .collect();
    let finder = Finder { html, page, places };
    for part in &selectors.remove {
        for range in finder.part(part)? {
            let mut at = range.start;
            // Whole subtrees that lie in the range; an element that sticks out stays, its inside goes.
            while at < range.end {
                let Some(node) = page.node(at) else { break };
                if node.end <= range.end {
                    dropped.insert(at, Reason::Removed);
                    at = node.end;
                } else {
                    at += 1;
                }
            }
        }
    }
    if selectors.include.is_empty() {
        return Ok(None);
    }
    let mut taken = Taken::new();
    for part in &selectors.include {
        let mut end = 0;
        for range in finder.part(part)? {
            // An element inside one that was taken already is not taken twice.
            if range.start >= end {
                end = range.end;
                taken.push(range);
            }
        }
    }
    Ok(Some(taken))
}

struct Finder<'a, 'b> {
    html: &'b Html,
    page: &'b Page<'a>,
    places: BTreeMap<*const scraper::node::Element, usize>,
}

impl Finder<'_, '_> {
    fn part(&self, part: &Part) -> Result<Taken, ReadError> {
        match part {
            Part::Css(css) => Ok(self
                .all(css)?
                .into_iter()
                .filter_map(|at| Some(at..self.page.node(at)?.end))
                .collect()),
            Part::Range {
                start,
                start_after,
                end,
                end_after,
            } => {
                let first = self.all(start)?.into_iter().next();
                let ends = self.all(end)?;
                let Some(first) = first else {
                    return Ok(Taken::new());
                };
                let from = if *start_after {
                    self.page.node(first).map_or(first, |n| n.end)
                } else {
                    first
                };
                let Some(last) = ends.into_iter().find(|at| *at >= from) else {
                    return Ok(Taken::new());
                };
                let to = if *end_after {
                    self.page.node(last).map_or(last, |n| n.end)
                } else {
                    last
                };
                Ok(vec![from..to.max(from)])
            }
        }
    }

    fn all(&self, css: &str) -> Result<Vec<usize>, ReadError> {
        let selector = parse(css)?;
        let mut found: Vec<usize> = self
            .html
            .select(&selector)
            .filter_map(|element| {
                self.places
                    .get(&std::ptr::from_ref(element.value()))
                    .copied()
            })
            .collect();
        found.sort_unstable();
        Ok(found)
    }
}

/// Says of CSS selectors which of them, if any, is none.
///
/// # Errors
/// With the first one that is no selector.
pub(in crate::read) fn check(part: &Part) -> Result<(), ReadError> {
    let selectors = match part {
        Part::Css(css) => vec![css],
        Part::Range { start, end, .. } => vec![start, end],
    };
    selectors
        .into_iter()
        .try_for_each(|css| parse(css).map(|_selector| ()))
}

fn parse(css: &str) -> Result<Selector, ReadError> {
    Selector::parse(css).map_err(|error| ReadError::Selector {
        selector: css.to_owned(),
        detail: error.to_string(),
    })
}

/// A readable CSS path to a node.
pub(super) fn path(page: &Page<'_>, at: usize) -> String {
    let mut steps = Vec::new();
    let mut next = at;
    while let Some(node) = page.node(next) {
        if let Some(element) = node.element() {
            let name = element.name();
            match element.id().filter(|id| is_name(id)) {
                Some(id) => {
                    steps.push(format!("{name}#{id}"));
                    break;
                }
                None if matches!(node.tag(), Some(Tag::Html | Tag::Body)) => {
                    steps.push(name.to_owned());
                }
                None => steps.push(step(page, next, name)),
            }
        }
        if next == 0 || node.parent == next || node.tag() == Some(Tag::Html) {
            break;
        }
        next = node.parent;
        if steps.len() >= 24 {
            break;
        }
    }
    steps.reverse();
    steps.join(" > ")
}

fn step(page: &Page<'_>, at: usize, name: &str) -> String {
    let parent = page.node(at).map_or(0, |n| n.parent);
    let same: Vec<usize> = page
        .children(parent)
        .filter(|child| {
            page.node(*child)
                .and_then(super::page::Node::element)
                .is_some_and(|e| e.name() == name)
        })
        .collect();
    if same.len() < 2 {
        return name.to_owned();
    }
    let nth = same.iter().position(|child| *child == at).unwrap_or(0) + 1;
    format!("{name}:nth-of-type({nth})")
}

/// Whether an id can stand in a selector as it is.
fn is_name(id: &str) -> bool {
    id.chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
