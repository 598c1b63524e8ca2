//! A notice in one language, as the checks look at it.

use super::super::{
    Channel, Notice, Part, TemplateError, Text,
    context::primary,
    item::{Item, Passage, items, passages},
    markdown,
    placeholder::fill,
    quote::{squash, squashed},
    words::Words,
};
use super::{Basis, wording::Wording};

/// One language of a notice.
pub(super) struct Seen<'a> {
    pub(super) notice: &'a Notice,
    pub(super) basis: &'a Basis<'a>,
    pub(super) language: &'a str,
    pub(super) text: &'a Text,
    pub(super) words: Words,
    pub(super) wording: Option<&'static Wording>,
    /// What the findings must look like in this language.
    pub(super) items: Vec<Item>,
    pub(super) passages: Vec<Passage>,
    /// Language of the quotes.
    pub(super) quoted: &'a str,
    /// The words of the text part, placeholders filled in, without Markdown.
    pub(super) plain: String,
    /// The same without white space.
    pub(super) plain_squashed: String,
    /// The words of the HTML, without white space, where it is a text of its own.
    pub(super) html_squashed: Option<String>,
    /// The attached texts of this language, without white space.
    pub(super) attached_squashed: String,
    /// Our own words: without quotes, passages, names of sections and meanings of findings.
    pub(super) own: String,
    /// Old and new version without white space, as written and without markup.
    pub(super) versions_squashed: Vec<String>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(
        notice: &'a Notice,
        basis: &'a Basis<'a>,
        language: &'a str,
        text: &'a Text,
    ) -> Result<Self, TemplateError> {
        let words = basis.templates.words(language)?;
        let variant = basis.ground.for_language(language);
        let same = primary(variant.language) == primary(language);
        let items = items(&variant, &words, same);
        let filled = filled(&text.text);
        let is_markdown = matches!(
            notice.channel,
            Channel::Announcement | Channel::Changelog | Channel::Letter | Channel::Memo
        );
        let plain = if is_markdown {
            markdown::words(&filled)
        } else {
            filled.clone()
        };
        let without_quotes = if is_markdown {
            markdown::words(&without_lines(&filled, |line| {
                line.trim_start().starts_with('>')
            }))
        } else {
            without_lines(&filled, |line| line.starts_with("    "))
        };
        let own = own_words(&without_quotes, &words, &items);
        let html_squashed = text
            .html
            .as_deref()
            .map(|html| squash(&super::html::words(&filled_html(html))));
        let attached_squashed = notice
            .attachments_for(language)
            .filter(|attachment| !attachment.base64)
            .map(|attachment| squash(&attachment.text))
            .collect();
        let versions_squashed = squashed(variant.old)
            .into_iter()
            .chain(squashed(variant.new))
            .collect();
        Ok(Self {
            notice,
            basis,
            language,
            text,
            wording: Wording::of(language),
            passages: passages(&variant),
            items,
            quoted: variant.language,
            plain_squashed: squash(&plain),
            plain,
            html_squashed,
            attached_squashed,
            own,
            versions_squashed,
            words,
        })
    }

    /// Whether the notice takes a change back: then there is nothing to list and no day.
    pub(super) fn is_recall(&self) -> bool {
        self.notice.corrects.as_ref().is_some_and(|c| c.recall)
    }

    /// Whether these words stand in the text part, and in the HTML where there is one.
    pub(super) fn holds(&self, wanted: &str) -> bool {
        let wanted = squash(wanted);
        self.plain_squashed.contains(&wanted)
            && self
                .html_squashed
                .as_ref()
                .is_none_or(|html| html.contains(&wanted))
    }

    /// As [`holds`](Self::holds), or in an attached text.
    pub(super) fn holds_or_attaches(&self, wanted: &str) -> bool {
        self.holds(wanted) || self.attached_squashed.contains(&squash(wanted))
    }

    /// Which part lacks these words, for people.
    pub(super) fn lacking(&self, wanted: &str) -> &'static str {
        if self.plain_squashed.contains(&squash(wanted)) {
            "the HTML"
        } else {
            "the text"
        }
    }

    /// What the company said in a field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.notice.field(name, self.language)
    }

    /// Whether a person edited this text.
    pub(super) fn is_edited(&self) -> bool {
        self.notice.is_edited(self.language, Part::Text)
            || self.notice.is_edited(self.language, Part::Html)
    }
}

/// A text with a stand-in for each recipient's field; as it is where it cannot be split.
pub(super) fn filled(text: &str) -> String {
    fill(text, false, |_| Some("Alex".to_owned())).unwrap_or_else(|_| text.to_owned())
}

fn filled_html(text: &str) -> String {
    fill(text, true, |_| Some("Alex".to_owned())).unwrap_or_else(|_| text.to_owned())
}

fn without_lines(text: &str, drop: impl Fn(&str) -> bool) -> String {
    text.lines()
        .filter(|line| !drop(line))
        .fold(String::new(), |mut out, line| {
            out.push_str(line);
            out.push('\n');
            out
        })
}

/// Takes out of a text what is not our own: quotes, names of sections, what the findings mean.
fn own_words(text: &str, words: &Words, items: &[Item]) -> String {
    let mut own = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once(words.quote_open.as_str()) {
        own.push_str(before);
        match from.split_once(words.quote_close.as_str()) {
            Some((_, after)) => rest = after,
            None => {
                rest = from;
                break;
            }
        }
    }
    own.push_str(rest);
    let mut own = own.split_whitespace().collect::<Vec<_>>().join(" ");
    for item in items {
        let known = std::iter::once(&item.section)
            .chain(&item.also)
            .chain(&item.means);
        for known in known.filter(|known| known.chars().count() > 3) {
            let known = known.split_whitespace().collect::<Vec<_>>().join(" ");
            own = own.replace(&known, " ");
        }
    }
    own
}
