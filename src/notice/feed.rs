//! An entry of the public list of changes, as an Atom feed.

use atom_syndication::{Content, Entry, Feed, FixedDateTime, Link, Person, Text as AtomText};

use super::{Attachment, Notice, Text};

/// An Atom feed with the one entry of this notice; a site adds the entry to its own feed.
pub(crate) fn entry(notice: &Notice, language: &str, text: &Text) -> Attachment {
    // RFC 4287 wants a time with its offset; a timestamp is always one.
    let at: FixedDateTime = notice.created.to_string().parse().unwrap_or_default();
    let title = text.subject.clone().unwrap_or_default();
    let links: Vec<Link> = [("new_url", "alternate"), ("redline_url", "related")]
        .into_iter()
        .filter_map(|(field, relation)| {
            let mut link = Link::default();
            link.set_href(notice.field(field, language)?);
            link.set_rel(relation);
            Some(link)
        })
        .collect();
    let mut person = Person::default();
    person.set_name(notice.company.clone());

    let mut content = Content::default();
    content.set_content_type(Some("html".to_owned()));
    let body = text.html.as_deref().unwrap_or_default();
    content.set_value(Some(main_of(body).to_owned()));

    let mut entry = Entry::default();
    entry.set_id(format!("urn:fairnotice:{}:{language}", notice.id));
    entry.set_title(AtomText::plain(title));
    entry.set_updated(at);
    entry.set_authors(vec![person.clone()]);
    entry.set_links(links);
    entry.set_content(Some(content));

    let mut feed = Feed::default();
    feed.set_id(format!("urn:fairnotice:{}:{language}", notice.document));
    feed.set_title(AtomText::plain(notice.document_title.clone()));
    feed.set_lang(Some(language.to_owned()));
    feed.set_updated(at);
    feed.set_authors(vec![person]);
    feed.set_entries(vec![entry]);

    Attachment {
        name: format!("{}-changes-{language}.atom", notice.document),
        media_type: "application/atom+xml; charset=utf-8".to_owned(),
        text: feed.to_string(),
        base64: false,
        language: Some(language.to_owned()),
    }
}

/// What stands in the page's `<main>`.
fn main_of(page: &str) -> &str {
    page.split_once("<main>")
        .and_then(|(_, rest)| rest.split_once("</main>"))
        .map_or(page, |(main, _)| main.trim())
}
