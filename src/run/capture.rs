//! From captures to the document that is stored: read, joined, canonical.

use std::sync::Arc;

use crate::{
    config,
    evidence::Hash,
    fetch::Capture,
    read::{self, Document, Format, Input, Light, ReadError, Selectors},
};

/// Number of the reader: it grows when reading changes what stored captures read to, and then
/// texts are read again from the captures.
pub const READER: u32 = 1;

/// A capture, read.
#[derive(Debug)]
pub struct Text {
    /// The document, as it reads from its canonical text.
    pub document: Arc<Document>,
    /// The canonical text.
    pub canonical: String,
    /// SHA-256 of the canonical text: the version's id.
    pub id: Hash,
    /// SHA-256 of the equivalence key.
    pub key: Hash,
}

/// The selectors that a document's configuration gives.
pub fn selectors(document: &config::Document) -> Selectors {
    Selectors {
        include: document.include.iter().map(|s| s.0.clone()).collect(),
        remove: document.remove.iter().map(|s| s.0.clone()).collect(),
    }
}

/// What tells one way of reading a document's captures from another: a hash of its selectors.
pub fn reading(document: &config::Document) -> Hash {
    Hash::of(format!("{:?}\0{:?}", document.include, document.remove).as_bytes())
}

/// Reads the captures of a document and joins them, in order.
///
/// # Errors
/// When one of them cannot be read.
pub fn read_captures(captures: &[Capture], selectors: &Selectors) -> Result<Text, ReadError> {
    text_of(Opened::of(captures, selectors)?.read()?)
}

/// The captures of a document, made ready to be read.
#[derive(Debug)]
pub struct Opened<'a> {
    inputs: Vec<Input<'a>>,
    /// For those that are pages.
    lights: Vec<Option<Light>>,
}

impl<'a> Opened<'a> {
    /// Makes captures ready.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of(captures: &'a [Capture], selectors: &Selectors) -> Result<Self, ReadError> {
        let inputs: Vec<Input<'_>> = captures
            .iter()
            .map(|capture| input_of(capture, selectors))
            .collect();
        let lights = inputs.iter().map(read::lighten).collect::<Result<_, _>>()?;
        Ok(Self { inputs, lights })
    }

    /// What tells before they are read that captures read as others did; nothing where one of them
    /// is no page: of other formats reading costs little more than this.
    pub fn imprint(&self) -> Option<Hash> {
        let selectors = self.inputs.first().map(|input| &input.selectors);
        let about = format!("{READER} {} {selectors:?}", read::EQUIVALENCE);
        let mut hash = Hash::of(about.as_bytes());
        for (input, light) in self.inputs.iter().zip(&self.lights) {
            let (page, rest) = light.as_ref()?.imprint(input);
            hash = hash.link(rest.as_bytes()).link(page.as_bytes());
        }
        Some(hash)
    }

    /// Reads the captures, each for itself.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(self) -> Result<Vec<Document>, ReadError> {
        self.inputs
            .iter()
            .zip(self.lights)
            .map(|(input, light)| match light {
                Some(light) => light.read(input),
                None => read::read(input),
            })
            .collect()
    }
}

/// A capture as an input of the reader.
fn input_of<'a>(capture: &'a Capture, selectors: &Selectors) -> Input<'a> {
    Input {
        bytes: &capture.bytes,
        format: None,
        media_type: capture.media_type.as_deref(),
        name: Some(name_of(&capture.url)),
        url: Some(&capture.url),
        selectors: selectors.clone(),
    }
}

/// What tells at a first reading that captures show the words that other captures showed: a hash
/// over the equivalence keys of the parts, as they came. Two captures with the same glance are the
/// same version, and need no canonical text; two with different ones may still be.
pub fn glance(parts: &[Document]) -> Hash {
    parts.iter().fold(
        Hash::of(format!("{READER} {}", read::EQUIVALENCE).as_bytes()),
        |hash, part| hash.link(read::equivalence_key(part).as_bytes()),
    )
}

/// The stored form of documents that make one.
///
/// # Errors
/// When their canonical text does not read back.
pub fn text_of(parts: Vec<Document>) -> Result<Text, ReadError> {
    if parts.is_empty() {
        return Err(ReadError::Empty);
    }
    let several = parts.len() > 1;
    let whole = read::combine(parts);
    let (title, language, dates) = (
        whole.title.clone(),
        whole.language.clone(),
        whole.dates.clone(),
    );
    let (suspect, warnings) = (whole.suspect.clone(), whole.warnings.clone());
    let (canonical, read) = if several {
        let canonical = read::canonical(&whole);
        let input = Input {
            bytes: canonical.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        };
        let read = read::read(&input);
        (canonical, read)
    } else {
        read::canonical_read(whole)
    };
    let mut document = match read {
        // A page without a word is suspect, not unreadable: its capture is kept with the reason.
        Err(ReadError::Empty) if suspect.is_some() => read::combine(Vec::new()),
        read => read?,
    };
    // What only the page said (its title element, its lang attribute, a date in its metadata).
    document.title = document.title.or(title);
    document.language = document.language.or(language);
    document.dates.effective = document.dates.effective.or(dates.effective);
    document.dates.updated = document.dates.updated.or(dates.updated);
    document.suspect = suspect;
    document.warnings = warnings;
    let key = Hash::of(read::equivalence_key(&document).as_bytes());
    let id = Hash::of(canonical.as_bytes());
    Ok(Text {
        document: Arc::new(document),
        canonical,
        id,
        key,
    })
}

fn name_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(html: &str) -> [Capture; 1] {
        [Capture {
            bytes: format!("<html><body><main>{html}</main></body></html>").into_bytes(),
            media_type: Some("text/html".to_owned()),
            hops: Vec::new(),
            url: "https://meadow.example/privacy".to_owned(),
            etag: None,
            last_modified: None,
            rendered: false,
        }]
    }

    fn page(html: &str) -> Vec<Document> {
        Opened::of(&capture(html), &Selectors::default())
            .and_then(Opened::read)
            .unwrap_or_default()
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(200))]

        /// What a first glance takes for the same is the same version after the closer look.
        #[test]
        fn the_same_glance_is_the_same_version(
            lines in proptest::collection::vec(
                ("(p|li|h2|h3|td|blockquote|pre|div)", "[A-Za-z0-9 .:*_\\-()#]{1,40}", "[a-z]{1,6}"),
                1..12,
            ),
        ) {
            let write = |marked: bool| -> String {
                lines
                    .iter()
                    .map(|(tag, words, token)| {
                        let inner = if marked {
                            format!("<a href=\"/x?token={token}\">{words}</a>")
                        } else {
                            format!("<a href=\"/x?token=0\"><span class={token}>{words}</span></a>")
                        };
                        match tag.as_str() {
                            "li" => format!("<ul><li>{inner}</li></ul>"),
                            "td" => format!("<table><tr><td>{inner}</td><td>b</td></tr></table>"),
                            tag => format!("<{tag}>{inner}</{tag}>\n"),
                        }
                    })
                    .collect()
            };
            let (one, other) = (page(&write(true)), page(&write(false)));
            if glance(&one) == glance(&other)
                && let (Ok(one), Ok(other)) = (text_of(one), text_of(other))
            {
                proptest::prop_assert_eq!(one.key, other.key, "{}\n---\n{}", one.canonical, other.canonical);
            }
        }
    }

    #[test]
    fn a_glance_passes_over_links_and_white_space_and_sees_words() {
        let text = "<h1>Meadow Privacy Policy</h1><p>We keep <a href=\"/logs?t=1\">logs</a> for ten days, and then we erase them for good.</p>";
        let seen = glance(&page(text));
        assert_eq!(
            seen,
            glance(&page(
                &text.replace("t=1", "t=2").replace("<p>", "\n<p>\n ")
            ))
        );
        assert_ne!(seen, glance(&page(&text.replace("ten", "tin"))));
    }

    #[test]
    fn an_imprint_passes_over_scripts_and_tokens_and_sees_words_links_and_selectors() {
        let text = "<h1>Meadow</h1><script nonce=1>t=1</script><p data-t=1>We keep <a href=\"/logs\">logs</a>.</p>";
        let imprint = |html: &str, remove: &[&str]| {
            let selectors = Selectors {
                remove: remove
                    .iter()
                    .map(|css| read::Part::Css((*css).to_owned()))
                    .collect(),
                ..Selectors::default()
            };
            let capture = capture(html);
            let opened = Opened::of(&capture, &selectors).unwrap();
            opened.imprint().unwrap()
        };
        let seen = imprint(text, &[]);
        assert_eq!(seen, imprint(&text.replace("=1", "=2"), &[]));
        assert_ne!(seen, imprint(&text.replace("keep", "sell"), &[]));
        assert_ne!(seen, imprint(&text.replace("/logs", "/log"), &[]));
        assert_ne!(seen, imprint(text, &[".menu"]));
        // A selector may ask for what nobody else reads.
        assert_ne!(
            imprint(text, &["[data-t]"]),
            imprint(&text.replace("data-t=1", "data-t=2"), &["[data-t]"])
        );
    }
}
