//! A page made safe and light before it is parsed: what holds no words is emptied, tags that nest
//! beyond any real page are dropped while their text stays, oversized tags lose their attributes,
//! and all tags those that nobody reads.
//!
//! The tree builder's work grows with depth times size, and with the square of the number of
//! attributes of one tag; both are bounded here.

use std::borrow::Cow;

use super::{
    super::ReadError,
    attributes::{self, Next, next},
};

/// Deepest nesting that is kept; browsers stop at 512 as well.
const MAX_DEPTH: usize = 512;
/// Most tags in a page; real pages hold thousands.
pub(super) const MAX_TAGS: usize = 1_500_000;
/// Longest tag that keeps its attributes, in bytes.
const MAX_TAG: usize = 32 * 1024;
/// Most attributes of a tag.
const MAX_ATTRIBUTES: usize = 256;

/// Elements whose content is no text of the page, or raw text that is no markup.
const RAW: &[&str] = &[
    "script", "style", "noscript", "iframe", "noembed", "noframes", "xmp",
];
/// Raw text of which the content counts.
const RCDATA: &[&str] = &["title", "textarea"];
/// Elements that never nest or close by themselves.
const FLAT: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup",
    "caption", "option", "optgroup", "rt", "rp", "html", "head", "body",
];
/// Elements that an end tag closes together with everything inside.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "button",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "main",
    "menu",
    "nav",
    "ol",
    "pre",
    "search",
    "section",
    "summary",
    "ul",
    "table",
    "template",
    "object",
    "marquee",
    "applet",
    "select",
];

/// The page without what holds no words, never nested deeper than [`MAX_DEPTH`]; with
/// `all_attributes` where selectors may ask for any.
///
/// # Errors
/// When there are more tags than fit into a bounded memory.
pub(super) fn flatten(page: &str, all_attributes: bool) -> Result<String, ReadError> {
    let push_tag = |out: &mut String, tag: &Tag<'_>, name: &str| {
        if all_attributes || tag.oversized {
            push_whole(out, tag, name);
        } else {
            attributes::push(out, tag.text, tag.name_end(), name);
        }
    };
    let mut out = String::with_capacity(page.len().min(1 << 20));
    let mut open: Vec<Cow<'_, str>> = Vec::new();
    let mut rest = page;
    let mut tags = 0_usize;
    while let Some(at) = rest.find('<') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = after_comment(comment);
            continue;
        }
        let second = rest.as_bytes().get(1).copied().unwrap_or(0);
        let (end_tag, name_at) = match second {
            b'/' => (true, 2),
            _ => (false, 1),
        };
        let first = rest.as_bytes().get(name_at).copied().unwrap_or(0);
        if !first.is_ascii_alphabetic() {
            if matches!(second, b'!' | b'?' | b'/') {
                // A doctype, a processing instruction or a bogus comment.
                let end = rest.find('>').map_or(rest.len(), |e| e + 1);
                if second == b'!' && end < 512 {
                    out.push_str(rest.get(..end).unwrap_or_default());
                }
                rest = rest.get(end..).unwrap_or_default();
            } else {
                out.push('<');
                rest = rest.get(1..).unwrap_or_default();
            }
            continue;
        }
        tags += 1;
        if tags > MAX_TAGS {
            return Err(ReadError::TooLarge(format!(
                "the page holds more than {MAX_TAGS} tags"
            )));
        }
        let tag = Tag::at(rest, name_at);
        let name = lower(tag.name);
        let after = rest.get(tag.length..).unwrap_or_default();
        if end_tag {
            rest = after;
            if close(&mut open, &name) {
                out.push_str("</");
                out.push_str(&name);
                out.push('>');
            }
            continue;
        }
        if RAW.contains(&name.as_ref()) {
            push_tag(&mut out, &tag, &name);
            out.push_str("</");
            out.push_str(&name);
            out.push('>');
            rest = after_end_tag(after, &name);
            continue;
        }
        if RCDATA.contains(&name.as_ref()) {
            let remaining = after_end_tag(after, &name);
            push_tag(&mut out, &tag, &name);
            let content = after.len() - remaining.len();
            out.push_str(after.get(..content).unwrap_or_default());
            if remaining.is_empty() {
                out.push_str("</");
                out.push_str(&name);
                out.push('>');
            }
            rest = remaining;
            continue;
        }
        if name == "svg" {
            rest = after_svg(after, &tag);
            continue;
        }
        if name == "plaintext" {
            // From here on there is no markup.
            out.push_str(&after.replace('&', "&amp;").replace('<', "&lt;"));
            return Ok(out);
        }
        rest = after;
        if FLAT.contains(&name.as_ref()) {
            push_tag(&mut out, &tag, &name);
        } else if open.len() < MAX_DEPTH {
            push_tag(&mut out, &tag, &name);
            open.push(name);
        } else {
            // The text stays, in a paragraph of its own.
            open.push(Cow::Borrowed(""));
            if open.len() > MAX_DEPTH * 4 {
                open.pop();
            }
            if BLOCKS.contains(&name.as_ref()) {
                out.push_str("<br>");
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Takes the end tag into account; false when its start tag was dropped.
fn close(open: &mut Vec<Cow<'_, str>>, name: &str) -> bool {
    if FLAT.contains(&name) {
        return true;
    }
    if open.last().is_some_and(|last| last.is_empty()) {
        open.pop();
        return false;
    }
    let block = BLOCKS.contains(&name);
    for i in (0..open.len()).rev() {
        let Some(candidate) = open.get(i) else { break };
        if candidate == name {
            open.truncate(i);
            return true;
        }
        let stops = if block {
            matches!(candidate.as_ref(), "table" | "template")
        } else {
            BLOCKS.contains(&candidate.as_ref())
        };
        if stops {
            break;
        }
    }
    true
}

struct Tag<'a> {
    name: &'a str,
    /// The whole tag.
    text: &'a str,
    length: usize,
    /// Too long, or too many attributes.
    oversized: bool,
    self_closing: bool,
}

impl<'a> Tag<'a> {
    /// The tag at the start of `rest`.
    fn at(rest: &'a str, name_at: usize) -> Self {
        let bytes = rest.as_bytes();
        let mut at = name_at;
        while bytes
            .get(at)
            .is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>'))
        {
            at += 1;
        }
        let name = rest.get(name_at..at).unwrap_or_default();
        let mut attributes = 0_usize;
        let end = loop {
            match next(bytes, at) {
                Next::Attribute { end, .. } => {
                    attributes += 1;
                    at = end;
                }
                Next::End { after, .. } => break after,
                Next::Broken => break bytes.len(),
            }
        };
        let text = rest.get(..end).unwrap_or_default();
        Self {
            name,
            text,
            length: end,
            oversized: end > MAX_TAG || attributes > MAX_ATTRIBUTES,
            self_closing: text.ends_with("/>"),
        }
    }

    /// Where the name of a start tag ends, behind `<`.
    fn name_end(&self) -> usize {
        1 + self.name.len()
    }
}

fn push_whole(out: &mut String, tag: &Tag<'_>, name: &str) {
    if tag.oversized {
        out.push('<');
        out.push_str(name);
        out.push('>');
    } else {
        out.push_str(tag.text);
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn after_comment(comment: &str) -> &str {
    // `<!-->` and `<!--->` are empty comments.
    for empty in [">", "->"] {
        if let Some(rest) = comment.strip_prefix(empty) {
            return rest;
        }
    }
    let end = comment
        .find("-->")
        .map(|at| at + 3)
        .or_else(|| comment.find("--!>").map(|at| at + 4))
        .unwrap_or(comment.len());
    comment.get(end..).unwrap_or_default()
}

/// What follows the end tag of a raw text element; nothing where there is none.
fn after_end_tag<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = rest.get(at + 2..).unwrap_or_default();
        let named = rest
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        let ends = rest
            .as_bytes()
            .get(name.len())
            .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'));
        if named && ends {
            let end = rest.find('>').map_or(rest.len(), |e| e + 1);
            return rest.get(end..).unwrap_or_default();
        }
    }
    ""
}

/// What follows a drawing; drawings may nest.
fn after_svg<'a>(after: &'a str, tag: &Tag<'_>) -> &'a str {
    if tag.self_closing {
        return after;
    }
    let mut depth = 1_usize;
    let mut rest = after;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..).unwrap_or_default();
        let lower: String = rest
            .chars()
            .take(5)
            .collect::<String>()
            .to_ascii_lowercase();
        if lower.starts_with("</svg") {
            let end = rest.find('>').map_or(rest.len(), |e| e + 1);
            rest = rest.get(end..).unwrap_or_default();
            depth -= 1;
            if depth == 0 {
                return rest;
            }
        } else if lower.starts_with("<svg") {
            let inner = Tag::at(rest, 1);
            if !inner.self_closing {
                depth += 1;
            }
            rest = rest.get(inner.length.max(1)..).unwrap_or_default();
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    // Never closed: the drawing is taken for empty, its text is not lost.
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(page: &str) -> String {
        flatten(page, true).unwrap()
    }

    #[test]
    fn what_holds_no_words_is_emptied() {
        assert_eq!(
            flat("<p>a<script>if (a<b) '</p>'</script><SVG x><path/></svg>b<!-- c > d -->e</P>"),
            "<p>a<script></script>be</p>"
        );
        assert_eq!(
            flat("<noscript><iframe src='x' /></noscript><p>kept</p>"),
            "<noscript></noscript><p>kept</p>"
        );
        assert_eq!(flat("<title>a <b> c</title>d"), "<title>a <b> c</title>d");
        assert_eq!(flat("3 < 4 <a title='>'>x</a>"), "3 < 4 <a title='>'>x</a>");
        assert_eq!(flat("<svg>never closed <p>text"), "never closed <p>text");
    }

    #[test]
    fn depth_is_bounded_and_text_stays() {
        let page = "<div>".repeat(100_000) + "deep" + &"</div>".repeat(100_000) + "<p>after</p>";
        let flat = flat(&page);
        assert_eq!(flat.matches("<div>").count(), MAX_DEPTH);
        assert!(flat.contains("deep") && flat.ends_with("<p>after</p>"));
        let page = "<b x=1><div>".repeat(100_000) + "deep";
        assert!(flatten(&page, true).unwrap().matches("<b ").count() <= MAX_DEPTH);
    }

    #[test]
    fn oversized_tags_lose_their_attributes() {
        let page = format!("<div {}>x</div>", "a ".repeat(1000));
        assert_eq!(flat(&page), "<div>x</div>");
    }
}
