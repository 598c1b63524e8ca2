//! The parsed page as one row of nodes in document order: a subtree is a range, so every walk is
//! a loop and no depth can exhaust the stack.

use scraper::{Html, Node as Dom, node::Element};

use super::vocabulary::Vocabulary;

/// What an element is, as far as reading cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Html,
    Head,
    Title,
    Body,
    Main,
    Article,
    Section,
    Nav,
    Header,
    Footer,
    Aside,
    Form,
    Div,
    Heading(u8),
    Paragraph,
    Ul,
    Ol,
    Li,
    Dl,
    Dt,
    Dd,
    Table,
    Caption,
    /// `thead`, `tbody`, `tfoot`.
    RowGroup,
    Tr,
    Td,
    Th,
    Details,
    Summary,
    Quote,
    Pre,
    Figure,
    Dialog,
    Button,
    Link,
    Strong,
    Br,
    Hr,
    Wbr,
    /// Other elements that make a block of their own.
    Block,
    /// Elements without words of the policy.
    Void,
    /// Everything else stands within a line.
    Inline,
}

impl Tag {
    fn of(name: &str) -> Self {
        match name {
            "html" => Self::Html,
            "head" => Self::Head,
            "title" => Self::Title,
            "body" => Self::Body,
            "main" => Self::Main,
            "article" => Self::Article,
            "section" | "fieldset" => Self::Section,
            "nav" => Self::Nav,
            "header" => Self::Header,
            "footer" => Self::Footer,
            "aside" => Self::Aside,
            "form" => Self::Form,
            "div" => Self::Div,
            "h1" => Self::Heading(1),
            "h2" => Self::Heading(2),
            "h3" => Self::Heading(3),
            "h4" => Self::Heading(4),
            "h5" => Self::Heading(5),
            "h6" => Self::Heading(6),
            "p" => Self::Paragraph,
            "ul" | "menu" | "dir" => Self::Ul,
            "ol" => Self::Ol,
            "li" => Self::Li,
            "dl" => Self::Dl,
            "dt" => Self::Dt,
            "dd" => Self::Dd,
            "table" => Self::Table,
            "caption" => Self::Caption,
            "thead" | "tbody" | "tfoot" => Self::RowGroup,
            "tr" => Self::Tr,
            "td" => Self::Td,
            "th" => Self::Th,
            "details" => Self::Details,
            "summary" => Self::Summary,
            "blockquote" => Self::Quote,
            "pre" | "listing" => Self::Pre,
            "figure" => Self::Figure,
            "dialog" => Self::Dialog,
            "button" => Self::Button,
            "a" => Self::Link,
            "b" | "strong" => Self::Strong,
            "br" => Self::Br,
            "hr" => Self::Hr,
            "wbr" => Self::Wbr,
            "address" | "center" | "figcaption" | "hgroup" | "legend" | "search" | "optgroup" => {
                Self::Block
            }
            "script" | "style" | "noscript" | "template" | "svg" | "math" | "iframe" | "object"
            | "embed" | "canvas" | "video" | "audio" | "map" | "datalist" | "meter"
            | "progress" | "input" | "select" | "option" | "textarea" | "img" | "picture"
            | "link" | "meta" | "base" | "source" | "track" | "param" | "frame" | "frameset"
            | "noframes" | "noembed" | "area" | "col" | "colgroup" | "applet" | "rp" => Self::Void,
            _ => Self::Inline,
        }
    }

    /// Whether the element starts on a line of its own.
    pub(super) fn is_block(self) -> bool {
        !matches!(
            self,
            Self::Link
                | Self::Strong
                | Self::Br
                | Self::Wbr
                | Self::Inline
                | Self::Void
                | Self::Button
        )
    }
}

/// One node.
pub(super) struct Node<'a> {
    pub(super) parent: usize,
    /// Index after the last node of its subtree.
    pub(super) end: usize,
    pub(super) kind: Kind<'a>,
}

/// An element or a text.
pub(super) enum Kind<'a> {
    Text(&'a str),
    Element(Tag, &'a Element),
}

impl<'a> Node<'a> {
    pub(super) fn tag(&self) -> Option<Tag> {
        match self.kind {
            Kind::Text(_) => None,
            Kind::Element(tag, _) => Some(tag),
        }
    }

    pub(super) fn element(&self) -> Option<&'a Element> {
        match self.kind {
            Kind::Text(_) => None,
            Kind::Element(_, element) => Some(element),
        }
    }

    pub(super) fn attr(&self, name: &str) -> Option<&'a str> {
        self.element()?.attr(name)
    }
}

/// How much text a subtree holds; characters that are not white space.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measure {
    pub(super) text: u32,
    /// Of these, within links.
    pub(super) linked: u32,
    pub(super) links: u32,
    /// Words of the policies' vocabulary outside links.
    pub(super) hits: u32,
    pub(super) headings: u32,
    pub(super) h1: u32,
    /// Ends of sentences outside links.
    pub(super) sentences: u32,
    pub(super) has_main: bool,
}

impl Measure {
    /// Characters outside links.
    pub(super) fn prose(&self) -> u32 {
        self.text - self.linked.min(self.text)
    }

    /// Whether more than this share of the text stands in links, in hundredths.
    pub(super) fn linked_over(&self, percent: u32) -> bool {
        u64::from(self.linked) * 100 > u64::from(self.text) * u64::from(percent)
    }

    fn add(&mut self, other: &Self) {
        self.text += other.text;
        self.linked += other.linked;
        self.links += other.links;
        self.hits += other.hits;
        self.headings += other.headings;
        self.h1 += other.h1;
        self.sentences += other.sentences;
        self.has_main |= other.has_main;
    }
}

/// A page.
pub(super) struct Page<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) body: usize,
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    pub(super) base: Option<&'a str>,
    /// The address that the page says is its own.
    pub(super) canonical: Option<&'a str>,
    /// The page sends the reader on at once.
    pub(super) refresh: bool,
    /// Somewhere a password is asked for.
    pub(super) password: bool,
}

impl<'a> Page<'a> {
    /// Lays out a parsed page.
    pub(super) fn new(html: &'a Html) -> Self {
        let mut page = Self {
            nodes: Vec::new(),
            body: 0,
            title: None,
            language: None,
            base: None,
            canonical: None,
            refresh: false,
            password: false,
        };
        // Walked by its links: no depth can exhaust the stack.
        let mut open = 0_usize;
        let mut next = html.tree.root().first_child();
        while let Some(node) = next {
            let entered = page.enter(node.value(), open);
            if entered && node.has_children() {
                open = page.nodes.len() - 1;
                next = node.first_child();
                continue;
            }
            let mut last = node;
            next = loop {
                if let Some(sibling) = last.next_sibling() {
                    break Some(sibling);
                }
                let Some(parent) = last.parent() else {
                    break None;
                };
                if parent.value().is_document() {
                    break None;
                }
                open = page.leave(open);
                last = parent;
            };
        }
        page.title = page
            .nodes
            .iter()
            .position(|n| n.tag() == Some(Tag::Title))
            .map(|at| page.words(at))
            .filter(|title| !title.is_empty());
        page
    }

    /// Adds a node; false when nothing inside it is to be read.
    fn enter(&mut self, dom: &'a Dom, parent: usize) -> bool {
        let at = self.nodes.len();
        let kind = match dom {
            Dom::Text(text) => Kind::Text(text),
            Dom::Element(element) => {
                let tag = Tag::of(element.name());
                match tag {
                    Tag::Void => {
                        self.note(element);
                        return false;
                    }
                    Tag::Html => self.language = language(element),
                    Tag::Body if self.body == 0 => {
                        self.body = at;
                        self.language = language(element).or(self.language.take());
                    }
                    _ => {}
                }
                Kind::Element(tag, element)
            }
            _ => return false,
        };
        self.nodes.push(Node {
            parent,
            end: at + 1,
            kind,
        });
        true
    }

    /// Closes the open node; gives its parent.
    fn leave(&mut self, open: usize) -> usize {
        let end = self.nodes.len();
        let Some(node) = self.nodes.get_mut(open) else {
            return 0;
        };
        node.end = end;
        node.parent
    }

    /// Facts that elements without words tell.
    fn note(&mut self, element: &'a Element) {
        match element.name() {
            "base" if self.base.is_none() => self.base = element.attr("href"),
            "link" if self.canonical.is_none() => {
                self.canonical = element
                    .attr("rel")
                    .filter(|rel| rel.eq_ignore_ascii_case("canonical"))
                    .and_then(|_| element.attr("href"));
            }
            "meta" => {
                let refresh = element
                    .attr("http-equiv")
                    .is_some_and(|v| v.eq_ignore_ascii_case("refresh"));
                self.refresh |= refresh
                    && element
                        .attr("content")
                        .is_some_and(|c| c.to_ascii_lowercase().contains("url"));
            }
            "input" => {
                self.password |= element
                    .attr("type")
                    .is_some_and(|v| v.eq_ignore_ascii_case("password"));
            }
            _ => {}
        }
    }

    pub(super) fn node(&self, at: usize) -> Option<&Node<'a>> {
        self.nodes.get(at)
    }

    pub(super) fn tag(&self, at: usize) -> Option<Tag> {
        self.nodes.get(at)?.tag()
    }

    /// Indices of the children of a node.
    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |n| n.end);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = next;
            next = self.nodes.get(child)?.end;
            Some(child)
        })
    }

    /// The texts of a subtree, white space made single.
    pub(super) fn words(&self, at: usize) -> String {
        let mut words = String::new();
        let end = self.nodes.get(at).map_or(0, |n| n.end);
        for node in self.nodes.get(at..end).unwrap_or_default() {
            match node.kind {
                Kind::Text(text) => {
                    if text.starts_with(char::is_whitespace) && !words.is_empty() {
                        words.push(' ');
                    }
                    for word in text.split_whitespace() {
                        words += word;
                        words.push(' ');
                    }
                    if !text.ends_with(char::is_whitespace) {
                        words.pop();
                    }
                }
                Kind::Element(tag, _) if tag.is_block() || tag == Tag::Br => words.push(' '),
                Kind::Element(..) => {}
            }
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What each node adds to the measure of its subtree; nodes for which `skip` holds add nothing.
    pub(super) fn own_measures(
        &self,
        vocabulary: &Vocabulary,
        skip: impl Fn(usize) -> bool,
    ) -> Vec<Measure> {
        let mut measures = vec![Measure::default(); self.nodes.len()];
        // Links and what is skipped cover ranges in document order.
        let mut link_end = 0;
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            if skip(at) {
                at = node.end;
                continue;
            }
            let mut own = Measure::default();
            match node.kind {
                Kind::Text(text) => {
                    own.text = weight(text);
                    if at < link_end {
                        own.linked = own.text;
                    } else if own.text > 2 {
                        own.hits = vocabulary.hits(text);
                        own.sentences = sentence_ends(text);
                    }
                }
                Kind::Element(Tag::Link, element) if element.attr("href").is_some() => {
                    own.links = 1;
                    link_end = link_end.max(node.end);
                }
                Kind::Element(Tag::Heading(level), _) => {
                    own.headings = 1;
                    own.h1 = u32::from(level == 1);
                }
                Kind::Element(tag, element) => {
                    own.has_main = tag == Tag::Main || element.attr("role") == Some("main");
                }
            }
            if let Some(measure) = measures.get_mut(at) {
                *measure = own;
            }
            at += 1;
        }
        measures
    }

    /// The measures of all subtrees, of what their nodes add; those for which `skip` holds count
    /// nothing.
    pub(super) fn measures(&self, own: &[Measure], skip: impl Fn(usize) -> bool) -> Vec<Measure> {
        let mut measures = own.to_vec();
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            if skip(at) {
                let whole = at..node.end;
                measures
                    .get_mut(whole)
                    .unwrap_or_default()
                    .fill(Measure::default());
                at = node.end;
            } else {
                at += 1;
            }
        }
        for at in (1..self.nodes.len()).rev() {
            let (Some(node), Some(own)) = (self.nodes.get(at), measures.get(at).copied()) else {
                continue;
            };
            if node.parent < at
                && let Some(parent) = measures.get_mut(node.parent)
            {
                parent.add(&own);
            }
        }
        measures
    }
}

/// Characters that are not white space; those of scripts without spaces between words weigh three.
fn weight(text: &str) -> u32 {
    let weight: usize = if text.is_ascii() {
        // Added up, which runs on many bytes at once.
        text.bytes()
            .map(|b| usize::from(!b.is_ascii_whitespace()))
            .sum()
    } else {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| {
                if ('\u{2E80}'..='\u{FAFF}').contains(&c) {
                    3
                } else {
                    1
                }
            })
            .sum()
    };
    u32::try_from(weight).unwrap_or(u32::MAX / 4)
}

fn sentence_ends(text: &str) -> u32 {
    let closed = text.bytes().enumerate().filter(|(at, b)| {
        matches!(b, b'.' | b'?' | b'!')
            && text
                .get(at + 1..)
                .is_none_or(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    });
    let wide = if text.is_ascii() {
        0
    } else {
        text.matches(['。', '？', '！']).count()
    };
    u32::try_from(closed.count() + wide).unwrap_or(u32::MAX / 4)
}

fn language(element: &Element) -> Option<String> {
    element
        .attr("lang")
        .or_else(|| element.attr("xml:lang"))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
}
