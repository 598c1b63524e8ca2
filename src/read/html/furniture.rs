//! What of a page falls away wherever it stands: menus, banners, dialogs, hidden text, share
//! buttons, skip links. Nothing that holds much of the page's text ever does.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use scraper::node::Element;

use super::{
    page::{Kind, Measure, Page, Tag},
    vocabulary::Vocabulary,
};

/// Why a part of the page was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// A menu or another list of links through the site.
    Navigation,
    /// The head of every page of the site.
    Header,
    /// The foot of every page of the site.
    Footer,
    /// Something beside the text.
    Aside,
    /// A form, a search box, a button.
    Control,
    /// A dialog, a pop-up, a message over the page.
    Dialog,
    /// A banner about cookies or consent to them.
    CookieBanner,
    /// Not shown, and no folded part of the text.
    Hidden,
    /// Share buttons, newsletters, feedback and the like.
    Widget,
    /// A line that belongs to the page: "Skip to content", "Back to top".
    PageLine,
    /// A box that repeats the page's headings.
    ContentsBox,
    /// It stands beside the policy and is none of it.
    BesidePolicy,
    /// A hand-written selector removed it.
    Removed,
}

impl Reason {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::Header => "the site's header",
            Self::Footer => "the site's footer",
            Self::Aside => "beside the text",
            Self::Control => "a form or a button",
            Self::Dialog => "a dialog over the page",
            Self::CookieBanner => "a cookie or consent banner",
            Self::Hidden => "hidden, and no folded part of the text",
            Self::Widget => "a widget: sharing, feedback, newsletter or the like",
            Self::PageLine => "a line of the page, not of the policy",
            Self::ContentsBox => "a box that repeats the headings",
            Self::BesidePolicy => "beside the policy, without its words",
            Self::Removed => "removed by a selector",
        }
    }
}

/// What was left out: index of the node and why.
pub(super) type Dropped = BTreeMap<usize, Reason>;

/// Finds what falls away in the whole page.
pub(super) fn find(page: &Page<'_>, measures: &[Measure], words: &Vocabulary) -> Dropped {
    let total = measures.get(page.body).copied().unwrap_or_default();
    let finder = Finder {
        page,
        measures,
        words,
        prose: total.prose().max(1),
        headed: headed_outside_headers(page),
        controlled: controlled(page),
    };
    let mut dropped = Dropped::new();
    let end = page.node(page.body).map_or(0, |n| n.end);
    let mut at = page.body + 1;
    // Ranges of what shapes the rules inside: the main part, and headings.
    let (mut main_end, mut heading_end) = (0, 0);
    while at < end {
        let Some(node) = page.node(at) else { break };
        let Kind::Element(tag, element) = node.kind else {
            at += 1;
            continue;
        };
        let place = Place {
            main: at < main_end,
            heading: at < heading_end,
        };
        if let Some(reason) = finder.reason(at, tag, element, place) {
            dropped.insert(at, reason);
            at = node.end;
            continue;
        }
        if matches!(tag, Tag::Main | Tag::Article) || role(element) == "main" {
            main_end = main_end.max(node.end);
        }
        if matches!(tag, Tag::Heading(_) | Tag::Summary) {
            heading_end = heading_end.max(node.end);
        }
        at += 1;
    }
    contents_boxes(page, measures, words, &mut dropped);
    dropped
}

struct Finder<'a, 'b> {
    page: &'b Page<'a>,
    measures: &'b [Measure],
    words: &'b Vocabulary,
    prose: u32,
    headed: bool,
    controlled: BTreeSet<&'a str>,
}

#[derive(Clone, Copy)]
struct Place {
    main: bool,
    heading: bool,
}

impl Finder<'_, '_> {
    fn reason(&self, at: usize, tag: Tag, element: &Element, place: Place) -> Option<Reason> {
        let measure = self.measures.get(at).copied().unwrap_or_default();
        if measure.text == 0 {
            return None;
        }
        // What holds much of the text is no furniture, whatever it is called.
        let much = u64::from(measure.prose()) * 5 >= u64::from(self.prose) * 2;
        if much || measure.has_main {
            return None;
        }
        let names = Names::of(element);
        let role = role(element);
        let rich = measure.hits >= 2 && measure.prose() >= 150 && !measure.linked_over(50);
        if is_hidden(element, &names) && !self.folded(element, &names, &measure) {
            return Some(Reason::Hidden);
        }
        if names.skip_link && measure.text < 120 {
            return Some(Reason::PageLine);
        }
        match role {
            "navigation" | "menu" | "menubar" => return Some(Reason::Navigation),
            "banner" if !place.main => {
                return (self.headed || measure.h1 == 0).then_some(Reason::Header);
            }
            "contentinfo" => return Some(Reason::Footer),
            "dialog" | "alertdialog" => return Some(Reason::Dialog),
            "search" | "combobox" | "listbox" | "toolbar" | "switch" | "slider" | "progressbar" => {
                return Some(Reason::Control);
            }
            "tooltip" | "status" | "timer" if !rich => return Some(Reason::Widget),
            "complementary" if !place.main || !rich => return Some(Reason::Aside),
            "tab" | "button" if self.opens(element, place) => return None,
            "button" if !place.heading && !rich => return Some(Reason::Control),
            _ => {}
        }
        match tag {
            Tag::Nav => return Some(Reason::Navigation),
            Tag::Header if !place.main && (self.headed || measure.h1 == 0) => {
                return Some(Reason::Header);
            }
            Tag::Footer if !rich && !self.dated(at, &measure) => return Some(Reason::Footer),
            Tag::Footer if !place.main && measure.prose() * 10 < self.prose => {
                return Some(Reason::Footer);
            }
            Tag::Aside if !(place.main && (rich || names.note)) => return Some(Reason::Aside),
            Tag::Form if !rich => return Some(Reason::Control),
            Tag::Dialog => return Some(Reason::Dialog),
            Tag::Button if !place.heading && !self.opens(element, place) => {
                return Some(Reason::Control);
            }
            // A heading is judged by its words, never by its name.
            Tag::Heading(_) => return None,
            _ => {}
        }
        self.by_name(at, tag, &names, &measure, rich)
            .or_else(|| self.by_words(at, tag, &measure))
    }

    /// By class and id: names that sites give to what is not the text.
    fn by_name(
        &self,
        at: usize,
        tag: Tag,
        names: &Names,
        measure: &Measure,
        rich: bool,
    ) -> Option<Reason> {
        if names.cookie_banner && measure.prose() < 2500 && measure.headings < 4 {
            return Some(Reason::CookieBanner);
        }
        if rich || tag == Tag::Section && measure.headings > 0 && measure.hits > 0 {
            return None;
        }
        let linked = measure.linked_over(50);
        if names.navigation && (linked || measure.prose() < 60) {
            return Some(Reason::Navigation);
        }
        if names.site_header && measure.h1 == 0 && (linked || measure.prose() < 60) {
            return Some(Reason::Header);
        }
        if names.footer && !self.dated(at, measure) {
            return Some(Reason::Footer);
        }
        if names.dialog {
            return Some(Reason::Dialog);
        }
        if names.sidebar {
            return Some(Reason::Aside);
        }
        (names.widget && measure.h1 == 0 && !self.dated(at, measure)).then_some(Reason::Widget)
    }

    /// By its words: a short line of the page.
    fn by_words(&self, at: usize, tag: Tag, measure: &Measure) -> Option<Reason> {
        let candidate = matches!(
            tag,
            Tag::Link
                | Tag::Paragraph
                | Tag::Div
                | Tag::Li
                | Tag::Inline
                | Tag::Block
                | Tag::Button
        );
        if !candidate || measure.text > 60 || !self.alone(at, tag) {
            return None;
        }
        let text = self.page.words(at);
        self.words.is_page_line(&text).then_some(Reason::PageLine)
    }

    /// Whether an inline element is the whole of its line: the words of a sentence are no line.
    fn alone(&self, at: usize, tag: Tag) -> bool {
        if tag.is_block() {
            return true;
        }
        let Some(parent) = self.page.node(at).map(|n| n.parent) else {
            return false;
        };
        let own = self.measures.get(at).map_or(0, |m| m.text);
        let Some(holder) = self.page.tag(parent) else {
            return false;
        };
        // Marks beside a heading ("#", "Permalink") are lines of their own.
        if matches!(holder, Tag::Heading(_)) {
            return tag == Tag::Link;
        }
        let all = self.measures.get(parent).map_or(0, |m| m.text);
        all == own
            || matches!(
                holder,
                Tag::Body | Tag::Div | Tag::Section | Tag::Main | Tag::Article
            ) && self.page.children(parent).all(|sibling| {
                match self.page.node(sibling).map(|n| &n.kind) {
                    Some(Kind::Text(text)) => text.trim().is_empty(),
                    _ => true,
                }
            })
    }

    /// Hidden, but a folded part of the text: a panel that a click opens, or plain policy.
    fn folded(&self, element: &Element, names: &Names, measure: &Measure) -> bool {
        if names.cookie_banner || names.dialog || names.reader_only {
            return false;
        }
        let role = role(element);
        let panel = names.panel
            || matches!(role, "tabpanel" | "region")
            || element.id().is_some_and(|id| self.controlled.contains(id));
        if panel {
            return !measure.linked_over(70) || measure.hits > 0;
        }
        measure.prose() >= 120 && measure.hits >= 1 && !measure.linked_over(40)
    }

    /// Whether a button or tab opens a part of the text.
    fn opens(&self, element: &Element, place: Place) -> bool {
        let names_target = ["aria-controls", "data-target", "data-bs-target", "href"]
            .iter()
            .filter_map(|name| element.attr(name))
            .any(|id| self.controlled.contains(id.trim_start_matches('#')));
        let names = Names::of(element);
        names_target && (place.main || names.panel || element.attr("aria-expanded").is_some())
            || names.panel && element.attr("aria-expanded").is_some()
    }

    /// Whether a part states the policy's dates in few words.
    fn dated(&self, at: usize, measure: &Measure) -> bool {
        measure.text < 160 && {
            let text = self.page.words(at);
            self.words.is_date_line(&text) && !text.contains('©')
        }
    }
}

/// A box that repeats the headings: its label and the list of places on the page after it.
fn contents_boxes(
    page: &Page<'_>,
    measures: &[Measure],
    words: &Vocabulary,
    dropped: &mut Dropped,
) {
    let mut found = Vec::new();
    let mut at = page.body;
    while let Some(node) = page.node(at) {
        if dropped.contains_key(&at) {
            at = node.end;
            continue;
        }
        let short = measures.get(at).is_some_and(|m| m.text > 0 && m.text < 40);
        let blockish = node.tag().is_some_and(|tag| {
            tag.is_block() || matches!(tag, Tag::Inline | Tag::Strong | Tag::Button)
        });
        if short && blockish && words.is_contents_label(&page.words(at)) {
            // The box: the nearest ancestor that holds links to places on this page and little else.
            let mut holder = at;
            for _ in 0..4 {
                let Some(parent) = page.node(holder).map(|n| n.parent) else {
                    break;
                };
                let Some(measure) = measures.get(parent) else {
                    break;
                };
                if measure.links >= 2 {
                    if measure.prose() < 80 && measure.links > 0 {
                        found.push((parent, page.node(parent).map_or(0, |n| n.end)));
                    } else if let Some(list) = following_list(page, measures, holder) {
                        found.push((holder, page.node(holder).map_or(0, |n| n.end)));
                        found.push((list, page.node(list).map_or(0, |n| n.end)));
                    }
                    break;
                }
                holder = parent;
            }
            at = found
                .last()
                .map_or(node.end, |(_, end)| (*end).max(node.end));
            continue;
        }
        at += 1;
    }
    for (node, _) in found {
        dropped.insert(node, Reason::ContentsBox);
    }
}

/// Labels of what fell away fall with it: the heading over a menu, the visible line of a folded
/// one.
pub(super) fn orphaned_labels(
    page: &Page<'_>,
    all: &[Measure],
    kept: &[Measure],
    words: &Vocabulary,
    dropped: &mut Dropped,
) {
    let gone: Vec<(usize, Reason)> = dropped.iter().map(|(at, reason)| (*at, *reason)).collect();
    for (at, reason) in gone {
        if reason == Reason::Removed || all.get(at).is_none_or(|m| m.links < 2) {
            continue;
        }
        let mut orphan = None;
        let mut next = at;
        for _ in 0..4 {
            let Some(parent) = page.node(next).map(|n| n.parent) else {
                break;
            };
            let left = kept.get(parent).copied().unwrap_or_default();
            let holds = matches!(
                page.tag(parent),
                Some(Tag::Body | Tag::Main | Tag::Html) | None
            );
            if holds || left.text > 60 || left.h1 > 0 || left.has_main {
                break;
            }
            if left.text > 0 && !words.is_date_line(&page.words(parent)) {
                orphan = Some(parent);
            }
            next = parent;
        }
        if let Some(orphan) = orphan {
            dropped.insert(orphan, reason);
        }
    }
}

/// The next sibling with words, when it is a list of places on this page.
fn following_list(page: &Page<'_>, measures: &[Measure], at: usize) -> Option<usize> {
    let parent = page.node(at)?.parent;
    let next = page
        .children(parent)
        .find(|child| *child > at && measures.get(*child).is_some_and(|m| m.text > 0))?;
    let measure = measures.get(next)?;
    (measure.links >= 2 && measure.linked_over(80)).then_some(next)
}

fn role(element: &Element) -> &str {
    element.attr("role").unwrap_or_default().trim()
}

/// Whether a heading of the first level stands outside all headers of the page.
fn headed_outside_headers(page: &Page<'_>) -> bool {
    let mut header_end = 0;
    let mut main_end = 0;
    page.nodes.iter().enumerate().any(|(at, node)| {
        match node.tag() {
            Some(Tag::Main | Tag::Article) => main_end = main_end.max(node.end),
            Some(Tag::Header) if at >= main_end => header_end = header_end.max(node.end),
            Some(Tag::Heading(1)) if at >= header_end => return true,
            Some(_) if node.attr("role") == Some("banner") => header_end = header_end.max(node.end),
            _ => {}
        }
        false
    })
}

/// Ids of what buttons and links on the page open.
fn controlled<'a>(page: &Page<'a>) -> BTreeSet<&'a str> {
    let mut targets = BTreeSet::new();
    for node in &page.nodes {
        let Some(element) = node.element() else {
            continue;
        };
        if let Some(ids) = element.attr("aria-controls") {
            targets.extend(ids.split_whitespace());
        }
        let toggles = matches!(node.tag(), Some(Tag::Link | Tag::Button))
            && (element.attr("data-toggle").is_some()
                || element.attr("data-bs-toggle").is_some()
                || element.attr("aria-expanded").is_some()
                || role(element) == "tab");
        if toggles {
            for name in ["href", "data-target", "data-bs-target"] {
                if let Some(id) = element.attr(name).and_then(|v| v.strip_prefix('#')) {
                    targets.insert(id);
                }
            }
        }
    }
    targets.remove("");
    targets
}

fn is_hidden(element: &Element, names: &Names) -> bool {
    if element
        .attr("hidden")
        .is_some_and(|v| !v.eq_ignore_ascii_case("until-found"))
        || element.attr("aria-hidden") == Some("true")
        || names.hidden
        || names.reader_only
    {
        return true;
    }
    element.attr("style").is_some_and(|style| {
        let style: String = style
            .chars()
            .filter(|c| !c.is_whitespace())
            .flat_map(char::to_lowercase)
            .take(400)
            .collect();
        style.contains("display:none") || style.contains("visibility:hidden")
    })
}

/// What class and id say about an element.
#[derive(Default)]
struct Names {
    navigation: bool,
    site_header: bool,
    footer: bool,
    sidebar: bool,
    dialog: bool,
    cookie_banner: bool,
    widget: bool,
    hidden: bool,
    reader_only: bool,
    skip_link: bool,
    panel: bool,
    note: bool,
}

impl Names {
    fn of(element: &Element) -> Self {
        let mut names = Self::default();
        let (mut cookie, mut over, mut responsive) = (false, false, false);
        for class in element.classes().take(40) {
            let bare = class.rsplit(':').next().unwrap_or(class);
            // `md:block` shows on some screens what `hidden` hides on others.
            if class.contains(':') {
                responsive |= matches!(
                    bare,
                    "block" | "flex" | "inline" | "grid" | "inline-block" | "inline-flex" | "table"
                ) || bare == "not-sr-only";
                if class.contains("-module--") || class.contains("__") {
                    // A name made by a build, after its source.
                } else if matches!(bare, "hidden" | "sr-only") {
                    // Hidden on some screens only.
                    if !class.ends_with(":sr-only") || class.matches(':').count() > 1 {
                        continue;
                    }
                }
            }
            match bare {
                "hidden"
                | "is-hidden"
                | "d-none"
                | "hide"
                | "hid"
                | "invisible"
                | "uk-hidden"
                | "u-hidden"
                | "display-none"
                | "visually-hidden-all" => names.hidden = true,
                "sr-only" | "sr_only" | "sronly" | "visually-hidden" | "visuallyhidden"
                | "visuallyHidden" | "screen-reader-text" | "screen-reader-only"
                | "screen-reader" | "screenreader" | "a11y-hidden" | "assistive-text"
                | "u-visually-hidden" | "element-invisible" => names.reader_only = true,
                _ => {}
            }
            names.read(class, true, &mut cookie, &mut over);
        }
        if let Some(id) = element.id() {
            names.read(id, false, &mut cookie, &mut over);
        }
        names.cookie_banner |= cookie && over;
        if responsive {
            names.hidden = false;
            names.reader_only = false;
        }
        names
    }

    fn read(&mut self, name: &str, class: bool, cookie: &mut bool, over: &mut bool) {
        let mut previous = Cow::Borrowed("");
        for word in words(name) {
            match word.as_ref() {
                "nav" | "navbar" | "navigation" | "menu" | "menus" | "submenu" | "megamenu"
                | "breadcrumb" | "breadcrumbs" | "pagination" | "pager" | "sidenav" | "subnav"
                | "topnav" | "langswitch" | "switcher" | "tagcloud" => {
                    if word == "nav" && previous == "skip" {
                        self.skip_link = true;
                    } else {
                        self.navigation = true;
                    }
                }
                "locale" | "language" | "languages" | "lang" if class => self.navigation = true,
                "masthead" | "topbar" => self.site_header = true,
                "header" if matches!(previous.as_ref(), "site" | "page" | "main" | "global") => {
                    self.site_header = true;
                }
                "footer" | "colophon" | "copyright" if class || word == "footer" => {
                    self.footer = true;
                }
                "sidebar" => self.sidebar = true,
                "modal" | "popup" | "lightbox" | "overlay" | "dialog" | "snackbar" | "toast"
                | "drawer" | "offcanvas" | "popover" => {
                    self.dialog = true;
                    *over = true;
                }
                "cookie" | "cookies" | "gdpr" | "ccpa" | "consent" | "cookieconsent" | "ck" => {
                    if matches!(word.as_ref(), "consent") && *cookie {
                        *over = true;
                    }
                    *over |= word == "cookieconsent";
                    *cookie = true;
                }
                "onetrust" | "cookiebot" | "didomi" | "usercentrics" | "cookielaw" | "trustarc"
                | "truste" | "osano" | "iubenda" | "termly" | "klaro" | "quantcast"
                | "cookieyes" | "complianz" | "cmplz" | "borlabs" => {
                    // Tools of that name also show policies: only their banners go.
                    *cookie = true;
                }
                "banner" | "bar" | "notice" | "prompt" | "wall" | "manager" | "widget"
                | "preferences" | "message" | "alert" => {
                    *over = true;
                    if class && matches!(word.as_ref(), "banner" | "widget") {
                        self.widget |= previous != "hero";
                    }
                }
                "share" | "sharing" | "social" | "socials" | "sharebar" | "addthis"
                | "addtoany" | "newsletter" | "related" | "recommended" | "recommendations"
                | "promo" | "promotion" | "advert" | "advertisement" | "ads" | "adsbygoogle"
                | "feedback" | "helpful" | "comments" | "disqus" | "announcement"
                | "announcements" | "livechat" | "chatbot" | "intercom" | "cta" | "backtotop"
                | "permalink" | "headerlink" | "contributors" | "byline" | "hiring"
                | "searchbox" | "marquee" | "ticker" | "survey"
                    if class =>
                {
                    self.widget = true;
                }
                "top" if previous == "to" && class => self.widget = true,
                "anchor" if class && previous == "heading" => {}
                "skiplink" | "skipnav" => self.skip_link = true,
                "link" | "content" if previous == "skip" => self.skip_link = true,
                "accordion" | "accordions" | "collapse" | "collapsible" | "collapsed" | "panel"
                | "tab" | "tabs" | "expand" | "expandable" | "expander" | "toggle" | "toggler"
                | "faq" | "details" | "folded" | "disclosure" | "pane" => {
                    self.panel = true;
                }
                "note" | "callout" | "admonition" | "info" | "tip" | "warning" | "summary"
                | "important" | "highlight" | "box" => self.note = true,
                _ => {}
            }
            previous = word;
        }
    }
}

/// The words of a class name or id, in lower case: `cookieBanner`, `cookie-banner`, `cookie_banner`.
fn words(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .take(12)
        .flat_map(|part| {
            let mut rest = part;
            std::iter::from_fn(move || {
                if rest.is_empty() {
                    return None;
                }
                let bytes = rest.as_bytes();
                let end = bytes
                    .windows(2)
                    .position(|pair| {
                        matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase())
                    })
                    .map_or(rest.len(), |at| at + 1);
                let (word, after) = rest.split_at_checked(end)?;
                rest = after;
                Some(if word.bytes().any(|b| b.is_ascii_uppercase()) {
                    Cow::Owned(word.to_ascii_lowercase())
                } else {
                    Cow::Borrowed(word)
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        let all = |name| words(name).collect::<Vec<_>>();
        assert_eq!(all("cookieBanner__root"), ["cookie", "banner", "root"]);
        assert_eq!(all("site-header2"), ["site", "header2"]);
    }
}
