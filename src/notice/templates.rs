//! Templates: MiniJinja, built in, a workspace's copies file by file in their place.

use std::collections::BTreeMap;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, value::Kwargs,
};

use super::{Channel, placeholder, placeholder::escape_html, words::Words};

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It does not parse or does not render.
    #[error("templates/{name}{}: {detail}", line.map(|l| format!(":{l}")).unwrap_or_default())]
    Template {
        /// Path below `templates/`.
        name: String,
        /// 1-based line, where known.
        line: Option<usize>,
        /// What is wrong.
        detail: String,
    },
    /// There is none for this channel and language.
    #[error("there is no templates/{name}: {channel} has no texts in `{language}`")]
    Missing {
        /// Path below `templates/`.
        name: String,
        /// The channel.
        channel: Channel,
        /// The language.
        language: String,
    },
    /// A file of words is wrong.
    #[error("templates/{name}: {detail}")]
    Words {
        /// Path below `templates/`.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A file that no channel reads and no template includes: probably a mistyped name.
    #[error("templates/{name}: nothing uses this file; its folder has {known}")]
    Unused {
        /// Path below `templates/`.
        name: String,
        /// The names that would be used.
        known: String,
    },
    /// The style sheet of a mail cannot be inlined.
    #[error("templates/{name}: its style sheet cannot be inlined: {detail}")]
    Style {
        /// Path below `templates/`.
        name: String,
        /// What is wrong.
        detail: String,
    },
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// Every template that is built in: path below `templates/`, and its text.
        pub const BUILT_IN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../templates/", $name)))),*
        ];
    };
}

built_in![
    "announcement/en/page.md",
    "announcement/en/title.txt",
    "announcement/zh/page.md",
    "announcement/zh/title.txt",
    "changelog/en/entry.md",
    "changelog/en/title.txt",
    "changelog/zh/entry.md",
    "changelog/zh/title.txt",
    "email/en/attachment.txt",
    "email/en/html.html",
    "email/en/several.txt",
    "email/en/subject.txt",
    "email/en/text.txt",
    "email/zh/attachment.txt",
    "email/zh/html.html",
    "email/zh/several.txt",
    "email/zh/subject.txt",
    "email/zh/text.txt",
    "in-product/en/text.txt",
    "in-product/en/title.txt",
    "in-product/zh/text.txt",
    "in-product/zh/title.txt",
    "letter/en/letter.md",
    "letter/en/title.txt",
    "letter/zh/letter.md",
    "letter/zh/title.txt",
    "memo/en/memo.md",
    "memo/en/title.txt",
    "memo/zh/memo.md",
    "memo/zh/title.txt",
    "push/en/text.txt",
    "push/en/title.txt",
    "push/zh/text.txt",
    "push/zh/title.txt",
    "shared/changes.html",
    "shared/changes.md",
    "shared/changes.txt",
    "shared/mail.css",
    "shared/mail.html",
    "shared/page.css",
    "shared/page.html",
    "shared/passages.md",
    "sms/en/text.txt",
    "sms/zh/text.txt",
    "website/en/banner.html",
    "website/en/text.txt",
    "website/zh/banner.html",
    "website/zh/text.txt",
    "words/en.toml",
    "words/zh.toml",
];

/// A set of templates: the built-in ones, with a workspace's in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    sources: BTreeMap<String, String>,
}

/// Opens and closes a recipient's placeholder while a template renders; between them each ASCII
/// character stands `SHIFT` higher, so that nothing on the way (wrapping, Markdown, style sheets)
/// takes it for something else. No value can hold these characters.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';
const SHIFT: u32 = 0xE100;

impl Templates {
    /// The templates that are built in.
    pub fn built_in() -> Self {
        Self::with_overrides(&BTreeMap::new())
    }

    /// The built-in templates with a workspace's files, by path below `templates/`, in their place;
    /// files with new names (another language, an included part) are added.
    pub fn with_overrides(overrides: &BTreeMap<String, String>) -> Self {
        let mut sources: BTreeMap<String, String> = BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        sources.extend(overrides.clone());
        Self { sources }
    }

    /// All paths, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The text of one file.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(String::as_str)
    }

    /// Languages in which there are mails and words.
    pub fn languages(&self) -> Vec<String> {
        self.names()
            .filter_map(|name| name.strip_prefix("words/")?.strip_suffix(".toml"))
            .filter(|language| self.has(Channel::Email, language))
            .map(str::to_owned)
            .collect()
    }

    /// Whether there is a text for a channel in a language.
    pub fn has(&self, channel: Channel, language: &str) -> bool {
        let file = main_file(channel);
        self.sources
            .contains_key(&format!("{channel}/{language}/{file}"))
    }

    /// The words of a language.
    ///
    /// # Errors
    /// When there are none, or some are missing.
    pub fn words(&self, language: &str) -> Result<Words, TemplateError> {
        let name = format!("words/{language}.toml");
        match self.source(&name) {
            Some(source) => Words::parse(&name, source),
            None => Err(TemplateError::Words {
                name,
                detail: format!("there are no words for `{language}`"),
            }),
        }
    }

    /// Renders one file with a context. Placeholders of recipients stay in it, in the form that
    /// [`placeholder::segments`] reads; whatever else looks like one is escaped.
    ///
    /// # Errors
    /// When the template is missing, wrong, or uses something that the context does not have.
    pub fn render(
        &self,
        name: &str,
        context: &impl serde::Serialize,
    ) -> Result<String, TemplateError> {
        let rendered = self.render_raw(name, context)?;
        Ok(finish(&rendered))
    }

    /// As [`render`](Self::render), but with placeholders still in their inner form, for work on
    /// the text (wrapping, Markdown, style sheets) before [`finish`].
    pub(crate) fn render_raw(
        &self,
        name: &str,
        context: &impl serde::Serialize,
    ) -> Result<String, TemplateError> {
        let environment = self.environment();
        let wrong = |error: &Error| TemplateError::Template {
            name: error.name().unwrap_or(name).to_owned(),
            line: error.line(),
            detail: describe(error),
        };
        let context = serde_json::to_value(context).unwrap_or_default();
        environment
            .get_template(name)
            .and_then(|template| template.render(value(&context)))
            .map_err(|error| wrong(&error))
    }

    /// Files that take the place of nothing, belong to no other language of a channel, and are
    /// included nowhere.
    fn unused(&self) -> impl Iterator<Item = TemplateError> {
        let places: Vec<(&str, &str)> = BUILT_IN
            .iter()
            .filter_map(|(name, _)| name.split_once('/'))
            .collect();
        self.names().filter_map(move |name| {
            let (channel, rest) = name.split_once('/').unwrap_or(("", name));
            let file = rest.rsplit('/').next().unwrap_or(rest);
            let of_channel = |(of, known): &&(&str, &str)| {
                *of == channel && (known.rsplit('/').next() == Some(file) || channel == "words")
            };
            let included = || {
                let quoted = [format!("\"{name}\""), format!("'{name}'")];
                let mut sources = self.sources.values();
                sources.any(|source| quoted.iter().any(|name| source.contains(name)))
            };
            if places.iter().any(|place| of_channel(&place)) || included() {
                return None;
            }
            let mut known: Vec<&str> = places
                .iter()
                .filter(|(of, _)| *of == channel)
                .filter_map(|(_, known)| known.rsplit('/').next())
                .collect();
            known.sort_unstable();
            known.dedup();
            Some(TemplateError::Unused {
                name: name.to_owned(),
                known: if known.is_empty() {
                    "no templates".to_owned()
                } else {
                    known.join(", ")
                },
            })
        })
    }

    /// Parses every template and the words of every language, and names files that nothing uses.
    pub fn check(&self) -> Vec<TemplateError> {
        let environment = self.environment();
        let mut wrong: Vec<TemplateError> = self.unused().collect();
        for (name, source) in &self.sources {
            if name.ends_with(".toml") {
                if name.starts_with("words/") {
                    wrong.extend(Words::parse(name, source).err());
                }
                continue;
            }
            if let Err(error) = environment.get_template(name) {
                wrong.push(TemplateError::Template {
                    name: error.name().unwrap_or(name).to_owned(),
                    line: error.line(),
                    detail: describe(&error),
                });
            }
        }
        wrong
    }

    fn environment(&self) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = environment
            .syntax()
            .to_builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        // The delimiters are the default ones, so the syntax is always valid.
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
            Some("html") => AutoEscape::Html,
            Some("md") => AutoEscape::Custom("markdown".into()),
            _ => AutoEscape::None,
        });
        environment.set_formatter(|out, state, value| {
            if value.is_undefined() {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            let words = value.to_string();
            let escaped = match state.auto_escape() {
                _ if value.is_safe() => words,
                AutoEscape::Html => escape_html(&words),
                AutoEscape::Custom(_) => escape_markdown(&words),
                _ => words,
            };
            out.write_str(&escaped).map_err(Error::from)
        });
        environment.add_function("recipient", |field: String, kwargs: Kwargs| {
            let default: Option<String> = kwargs.get("default")?;
            kwargs.assert_all_used()?;
            let is_name = !field.is_empty()
                && field
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if !is_name {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("`{field}` is no name of a recipient's field"),
                ));
            }
            let inside = placeholder_words(&field, default.as_deref());
            Ok(Value::from_safe_string(hidden(&inside)))
        });
        environment.add_filter("oneline", |text: String| {
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        environment.add_filter("lines", |text: String| {
            text.lines()
                .map(str::trim_end)
                .filter(|line| !line.trim().is_empty())
                .map(Value::from)
                .collect::<Vec<_>>()
        });
        environment.add_filter("urls", |state: &minijinja::State<'_, '_>, text: String| {
            Value::from_safe_string(linked(&text, state.auto_escape()))
        });
        environment.add_filter("shorten", |text: String, longest: usize| {
            shorten(&text, longest)
        });
        let sources = self.sources.clone();
        environment.set_loader(move |name| Ok(sources.get(name).cloned()));
        environment
    }
}

/// The file without which a channel has no text.
fn main_file(channel: Channel) -> &'static str {
    match channel {
        Channel::Announcement => "page.md",
        Channel::Changelog => "entry.md",
        Channel::Letter => "letter.md",
        Channel::Memo => "memo.md",
        Channel::Email | Channel::Website | Channel::InProduct | Channel::Push | Channel::Sms => {
            "text.txt"
        }
    }
}

/// The inner form of what stands between the braces of a placeholder.
fn hidden(inside: &str) -> String {
    let shifted = inside.chars().map(|c| match c {
        ' '..='~' => char::from_u32(SHIFT + u32::from(c)).unwrap_or(c),
        c => c,
    });
    std::iter::once(OPEN)
        .chain(shifted)
        .chain(std::iter::once(CLOSE))
        .collect()
}

/// Whether a character belongs to the inner form.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xE001 | 0xE100..=0xE17F)
}

/// Turns the inner form of placeholders into the outer one, after escaping whatever else looks
/// like a placeholder.
pub(crate) fn finish(rendered: &str) -> String {
    let escaped = placeholder::literal(rendered);
    let mut out = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        match c {
            OPEN => out.push_str("{{ "),
            CLOSE => out.push_str(" }}"),
            c if is_hidden(c) => {
                out.push(char::from_u32(u32::from(c) - SHIFT).unwrap_or(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The other way: a finished text with its placeholders in the inner form.
pub(crate) fn unfinish(text: &str) -> Result<String, placeholder::PlaceholderError> {
    Ok(placeholder::segments(text)?
        .into_iter()
        .map(|segment| match segment {
            placeholder::Segment::Literal(words) => words,
            placeholder::Segment::Recipient { field, default } => {
                hidden(&placeholder_words(&field, default.as_deref()))
            }
        })
        .collect())
}

/// Splits the inner form: words, and names of recipients' fields.
pub(crate) fn hidden_parts(raw: &str) -> Vec<Result<String, String>> {
    let mut parts = Vec::new();
    let mut rest = raw;
    while let Some((before, from)) = rest.split_once(OPEN) {
        parts.push(Ok(before.to_owned()));
        let (inside, after) = from.split_once(CLOSE).unwrap_or((from, ""));
        let field: String = finish(inside)
            .trim_start_matches("recipient.")
            .chars()
            .take_while(|c| !c.is_whitespace())
            .collect();
        parts.push(Err(field));
        rest = after;
    }
    parts.push(Ok(rest.to_owned()));
    parts
}

fn placeholder_words(field: &str, default: Option<&str>) -> String {
    match default {
        Some(words) => {
            let words = words.replace('\\', "\\\\").replace('"', "\\\"");
            format!("recipient.{field} | default(\"{words}\")")
        }
        None => format!("recipient.{field}"),
    }
}

/// A text cut at a word, with an ellipsis, within a number of characters.
fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let room: String = text.chars().take(longest.saturating_sub(1)).collect();
    let cut = room
        .rfind(' ')
        .filter(|at| *at > room.len() / 2)
        .unwrap_or(room.len());
    format!("{}…", room.get(..cut).unwrap_or(&room).trim_end())
}

/// Escapes what means something in Markdown, so that a quote stays words.
pub(crate) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        for (at, c) in line.char_indices() {
            let special = match c {
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' => {
                    true
                }
                '-' | '+' | '=' => at == 0,
                '.' | ')' => digits > 0 && at == digits,
                _ => false,
            };
            if special {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// A text with its web addresses made links, escaped for the kind of file.
fn linked(text: &str, kind: &AutoEscape) -> String {
    let plain = |words: &str| match kind {
        AutoEscape::Html => escape_html(words),
        AutoEscape::Custom(_) => escape_markdown(words),
        _ => words.to_owned(),
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("https://").or_else(|| rest.find("http://")) {
        let (before, from) = rest.split_at(at);
        out.push_str(&plain(before));
        let end = from
            .find(|c: char| c.is_whitespace() || "<>\"“”，。；、（）《》".contains(c))
            .unwrap_or(from.len());
        let (address, _) = from.split_at(end);
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        rest = from.get(address.len()..).unwrap_or_default();
        match kind {
            AutoEscape::Html => {
                let safe = escape_html(address);
                out.push_str(&format!("<a href=\"{safe}\">{safe}</a>"));
            }
            AutoEscape::Custom(_) => out.push_str(&format!("<{address}>")),
            _ => out.push_str(address),
        }
    }
    out.push_str(&plain(rest));
    out
}

/// A JSON value for templates; private-use characters that stand for placeholders are taken out
/// of every string, so that no value can pass for one.
fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => n
            .as_i64()
            .map(Value::from)
            .unwrap_or_else(|| Value::from(n.as_f64().unwrap_or_default())),
        Json::String(s) if s.contains(is_hidden) => Value::from(s.replace(is_hidden, "\u{FFFD}")),
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Json::Object(map) => Value::from(
            map.iter()
                .map(|(key, item)| (key.clone(), value(item)))
                .collect::<BTreeMap<String, Value>>(),
        ),
    }
}

fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    if error.kind() == ErrorKind::UndefinedError {
        text.push_str(" (docs/notices.md lists what a template can use)");
    }
    text
}

/// A whole page around a body that is HTML already.
pub(crate) fn page(
    templates: &Templates,
    language: &str,
    title: &str,
    body: &str,
) -> Result<String, TemplateError> {
    let direction = if matches!(
        super::context::primary(language).as_str(),
        "ar" | "he" | "fa" | "ur"
    ) {
        "rtl"
    } else {
        "ltr"
    };
    let context = serde_json::json!({"lang": language, "dir": direction, "title": title});
    let rendered = templates.render_raw("shared/page.html", &context)?;
    // The body is put in behind the template, so that nothing in it is a template's business.
    Ok(rendered.replacen("<!-- body -->", body, 1))
}

/// Text of an HTML attribute or element.
pub(crate) fn html(text: &str) -> String {
    escape_html(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, source: &str) -> Templates {
        Templates::with_overrides(&BTreeMap::from([(name.to_owned(), source.to_owned())]))
    }

    #[test]
    fn the_built_in_templates_parse() {
        let wrong = Templates::built_in().check();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(Templates::built_in().languages(), ["en", "zh"]);
    }

    #[test]
    fn a_file_that_nothing_uses_is_named_and_another_language_is_not() {
        let said = |name: &str| {
            let wrong = with(name, "x").check();
            wrong.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            said("sms/en/body.txt.j2"),
            ["templates/sms/en/body.txt.j2: nothing uses this file; its folder has text.txt"]
        );
        assert_eq!(said("sms/fr/text.txt"), [""; 0]);
        let part = BTreeMap::from([
            ("parts/foot.txt".to_owned(), "x".to_owned()),
            (
                "sms/en/text.txt".to_owned(),
                "{% include \"parts/foot.txt\" %}".to_owned(),
            ),
        ]);
        assert!(Templates::with_overrides(&part).check().is_empty());
    }

    #[test]
    fn a_quote_never_becomes_a_placeholder_and_a_recipient_does() {
        let templates = with(
            "x.txt",
            "{{ recipient(\"name\", default=\"dear \\\"you\\\"\") }}: {{ q }}",
        );
        let text = templates
            .render(
                "x.txt",
                &serde_json::json!({"q": "a {{ recipient.email }} \u{E000}b\u{E001}"}),
            )
            .unwrap();
        let found = placeholder::segments(&text).unwrap();
        assert_eq!(
            found,
            [
                placeholder::Segment::Recipient {
                    field: "name".into(),
                    default: Some("dear \"you\"".into())
                },
                placeholder::Segment::Literal(": a {{ recipient.email }} \u{FFFD}b\u{FFFD}".into()),
            ]
        );
    }

    #[test]
    fn undefined_names_are_errors_with_their_place() {
        let error = with("x.txt", "one\n{{ typo }}")
            .render("x.txt", &serde_json::json!({}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("templates/x.txt:2"), "{error}");
    }

    #[test]
    fn values_are_escaped_by_the_kind_of_file() {
        let context = serde_json::json!({"q": "1. <b> & *x*"});
        let render = |name: &str| with(name, "{{ q }}").render(name, &context).unwrap();
        assert_eq!(render("x.html"), "1. &lt;b&gt; &amp; *x*");
        assert_eq!(render("x.md"), "1\\. \\<b\\> \\& \\*x\\*");
        assert_eq!(render("x.txt"), "1. <b> & *x*");
    }

    #[test]
    fn long_titles_are_cut_at_a_word() {
        assert_eq!(
            shorten("Privacy Protection Guidelines", 20),
            "Privacy Protection…"
        );
        assert_eq!(shorten("Terms", 20), "Terms");
    }
}
