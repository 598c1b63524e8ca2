//! Markdown of notices to HTML and to plain words. Raw HTML in it is words, never markup.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn parser(text: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        event => event,
    })
}

/// The body of a page.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    pulldown_cmark::html::push_html(&mut out, parser(text));
    out
}

/// The words without markup; blocks are parted by line breaks, links are followed by their
/// address only where the text is another.
pub(crate) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for event in parser(text) {
        match event {
            Event::Text(words) | Event::Code(words) => out.push_str(&words),
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::TableRow
                | TagEnd::TableHead,
            ) => out.push('\n'),
            Event::End(TagEnd::TableCell) => out.push(' '),
            Event::Start(Tag::Link { dest_url, .. })
                if !text.contains(&format!("<{dest_url}>")) =>
            {
                out.push_str(&dest_url);
                out.push(' ');
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_stays_words() {
        let page = html("Say <script>alert(1)</script> & *so*.\n");
        assert_eq!(
            page,
            "<p>Say &lt;script&gt;alert(1)&lt;/script&gt; &amp; <em>so</em>.</p>\n"
        );
    }

    #[test]
    fn words_lose_marks_and_escapes() {
        assert_eq!(words("## A\n\n> “1\\. x \\*y\\*”\n"), "A\n“1. x *y*”\n");
    }
}
