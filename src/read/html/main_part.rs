//! Where on the page the policy stands: the part with most of the prose, down to the smallest
//! element that holds it, and of its neighbours those that speak the policy's language.

use super::{
    furniture::{Dropped, Reason},
    page::{Kind, Measure, Page, Tag},
    vocabulary::Vocabulary,
};

/// Share of the prose that makes an element the one to go down to, in hundredths.
const DOMINANT: u32 = 70;
/// Share of the page's prose that a main element must hold to be believed.
const MAIN: u32 = 30;

/// The part of the page that holds the policy; what stands beside it in that part goes to
/// `dropped`.
pub(super) fn find(
    page: &Page<'_>,
    measures: &[Measure],
    words: &Vocabulary,
    dropped: &mut Dropped,
) -> usize {
    let mut finder = Finder {
        page,
        measures,
        words,
        spoken: measures
            .get(page.body)
            .is_some_and(|body| body.hits >= 5 || body.hits >= 1 && body.prose() < 2000),
        dropped,
    };
    let root = finder.start();
    finder.descend(root);
    root
}

/// Why the policy is looked for in that part, for people.
pub(super) fn why(page: &Page<'_>, root: usize) -> &'static str {
    match page.tag(root) {
        _ if root == page.body => {
            "the whole page: no main element holds a third of its prose, and no one article most of it"
        }
        Some(Tag::Article) => {
            "the one article, with a heading, that holds most of the page's prose"
        }
        _ => "the main element, with a third of the page's prose or more",
    }
}

struct Finder<'a, 'b> {
    page: &'b Page<'a>,
    measures: &'b [Measure],
    words: &'b Vocabulary,
    /// Whether the page speaks a language of which the vocabulary is known.
    spoken: bool,
    dropped: &'b mut Dropped,
}

impl Finder<'_, '_> {
    fn measure(&self, at: usize) -> Measure {
        self.measures.get(at).copied().unwrap_or_default()
    }

    /// The main element, else the one article, else the body.
    fn start(&self) -> usize {
        let body = self.measure(self.page.body);
        let best = |wanted: &dyn Fn(usize) -> bool, share: u32| {
            let mut best: Option<usize> = None;
            let mut at = self.page.body;
            while let Some(node) = self.page.node(at) {
                if self.dropped.contains_key(&at) {
                    at = node.end;
                    continue;
                }
                if wanted(at)
                    && best.is_none_or(|b| self.measure(b).prose() < self.measure(at).prose())
                {
                    best = Some(at);
                }
                at += 1;
            }
            best.filter(|at| holds(self.measure(*at).prose(), body.prose(), share))
        };
        let is_main = |at: usize| {
            self.page.tag(at) == Some(Tag::Main)
                || self.page.node(at).and_then(|n| n.attr("role")) == Some("main")
        };
        let is_article = |at: usize| {
            self.page.tag(at) == Some(Tag::Article)
                || self.page.node(at).and_then(|n| n.attr("role")) == Some("article")
        };
        best(&is_main, MAIN)
            .or_else(|| best(&is_article, DOMINANT).filter(|at| self.measure(*at).h1 > 0))
            .unwrap_or(self.page.body)
    }

    /// Follows the prose down; on the way, neighbours that are none of the policy fall away.
    fn descend(&mut self, root: usize) {
        let mut at = root;
        loop {
            let whole = self.measure(at).prose();
            let children: Vec<usize> = self
                .page
                .children(at)
                .filter(|child| !self.dropped.contains_key(child) && self.measure(*child).text > 0)
                .collect();
            let dominant = children.iter().copied().find(|child| {
                self.page
                    .node(*child)
                    .is_some_and(|n| n.element().is_some())
                    && self.page.tag(*child).is_some_and(is_container)
                    && holds(self.measure(*child).prose(), whole, DOMINANT)
            });
            let Some(dominant) = dominant else {
                self.trim(&children);
                return;
            };
            for child in children {
                if child != dominant && !self.belongs(child, child < dominant) {
                    self.dropped.insert(child, Reason::BesidePolicy);
                }
            }
            at = dominant;
        }
    }

    /// At the bottom: containers at either end that are none of the policy fall away.
    fn trim(&mut self, children: &[usize]) {
        let own: Vec<usize> = children
            .iter()
            .copied()
            .filter(|child| self.belongs(*child, true))
            .collect();
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            return;
        };
        for child in children {
            let outside = child < first || child > last;
            if outside
                && !self.belongs(*child, child < first)
                && !self.one_of(*child, &own)
                && !(child > last && self.is_bare(*child))
            {
                self.dropped.insert(*child, Reason::BesidePolicy);
            }
        }
    }

    /// Whether what follows the policy is a few words with nothing to press in them: a last sentence,
    /// an address, a signature. What pages add of their own has a heading, or leads somewhere.
    fn is_bare(&self, at: usize) -> bool {
        let Some(node) = self.page.node(at) else {
            return false;
        };
        let leads = (at..node.end).any(|at| {
            matches!(
                self.page.tag(at),
                Some(Tag::Link | Tag::Button | Tag::Form | Tag::Dialog)
            )
        });
        let words = self.page.words(at);
        let owned = words.contains('©') || words.to_lowercase().contains("all rights reserved");
        let measure = self.measure(at);
        !leads && !owned && measure.headings == 0 && measure.text < 300
    }

    /// Whether an element is built as the policy's own are: under a heading of the same rank, with
    /// the same tag and class or both numbered. A section about opening hours is one of the
    /// policy's, whatever its words.
    fn one_of(&self, at: usize, own: &[usize]) -> bool {
        let built = |at: usize| {
            let node = self.page.node(at)?;
            let (heading, rank) = (at..node.end).find_map(|at| match self.page.tag(at) {
                Some(Tag::Heading(rank)) => Some((at, rank)),
                _ => None,
            })?;
            let words = self.page.words(heading);
            let numbered = words.trim_start().starts_with(|c: char| c.is_ascii_digit());
            Some((rank, self.page.tag(at)?, node.attr("class"), numbered))
        };
        let Some(here) = built(at) else {
            return false;
        };
        let alike = own
            .iter()
            .filter(|own| built(**own).as_ref() == Some(&here));
        alike.count() >= 2 && !self.measure(at).linked_over(60)
    }

    /// Whether a neighbour of the policy's greatest part is of the policy too.
    fn belongs(&self, at: usize, before: bool) -> bool {
        let measure = self.measure(at);
        if before && measure.h1 > 0 {
            return true;
        }
        let Some(node) = self.page.node(at) else {
            return false;
        };
        if measure.text < 200 && self.words.is_date_line(&self.page.words(at)) {
            return true;
        }
        let (Kind::Text(_)
        | Kind::Element(
            Tag::Paragraph
            | Tag::Heading(_)
            | Tag::Inline
            | Tag::Strong
            | Tag::Link
            | Tag::Table
            | Tag::Dl
            | Tag::Details
            | Tag::Li
            | Tag::Dt
            | Tag::Dd
            | Tag::Tr
            | Tag::RowGroup
            | Tag::Td
            | Tag::Th
            | Tag::Pre,
            _,
        )) = node.kind
        else {
            return self.container_belongs(&measure, before);
        };
        // In the flow of the text: only lines that are nothing but links fall away.
        !measure.linked_over(80) || measure.text > 200 && measure.links < 3
    }

    fn container_belongs(&self, measure: &Measure, before: bool) -> bool {
        let list = !measure.linked_over(60);
        if !self.spoken {
            return list && measure.prose() >= 120 && measure.sentences >= 1;
        }
        if !list {
            return false;
        }
        // A few words of the vocabulary for every thousand characters.
        let dense = u64::from(measure.hits) * 400 >= u64::from(measure.prose());
        let spoken = measure.hits >= 1 && dense;
        if before {
            spoken || measure.prose() >= 600 && measure.hits >= 2
        } else {
            spoken && (measure.sentences >= 1 || measure.prose() >= 60)
        }
    }
}

fn holds(part: u32, whole: u32, percent: u32) -> bool {
    part > 0 && u64::from(part) * 100 >= u64::from(whole) * u64::from(percent)
}

fn is_container(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Body
            | Tag::Main
            | Tag::Article
            | Tag::Section
            | Tag::Div
            | Tag::Form
            | Tag::Block
            | Tag::Header
            | Tag::Aside
            | Tag::Footer
            | Tag::Figure
            | Tag::Nav
            | Tag::Table
            | Tag::RowGroup
            | Tag::Tr
            | Tag::Td
            | Tag::Inline
            | Tag::Details
            | Tag::Ul
            | Tag::Li
    )
}
