//! Bytes and media type walk in, a [`Document`] walks out: title, dates, language, a tree of
//! numbered sections, blocks and sentences, each with its place in the source.

use std::borrow::Cow;

mod assemble;
mod canonical;
mod combine;
mod contents;
mod converted;
mod dates;
mod document;
mod docx;
mod encoding;
mod equivalence;
#[cfg(test)]
mod fitting;
mod format;
mod headings;
mod html;
mod keys;
mod label;
mod language;
mod leaf;
mod markdown;
mod markdown_line;
mod markup;
mod nesting;
mod numbering;
#[cfg(feature = "pdf")]
mod pdf;
mod plain;
mod policy;
mod remembered;
mod runon;
mod sentence;
mod series;
mod shape;
mod suspect;

pub use combine::combine;
pub use document::*;
pub use equivalence::{EQUIVALENCE, equivalence_key};
pub use html::{Explanation, LeftOut, Reason, explain};
pub use remembered::Remembered;

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct Input<'a> {
    /// The raw bytes.
    pub bytes: &'a [u8],
    /// The format, when the caller knows it better than the content does.
    pub format: Option<Format>,
    /// Media type as declared by the server, with parameters (`text/html; charset=utf-8`).
    pub media_type: Option<&'a str>,
    /// File name, for telling the format where the content does not.
    pub name: Option<&'a str>,
    /// Address of the page, for making links absolute.
    pub url: Option<&'a str>,
    /// Hand-written selectors for the odd page.
    pub selectors: Selectors,
}

/// Which parts of a page hold the policy; with the meaning of Open Terms Archive's declarations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// CSS selectors of the parts to take, in order; empty: found without help.
    pub include: Vec<Part>,
    /// CSS selectors of the parts to leave out.
    pub remove: Vec<Part>,
}

/// One selected part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All elements that match.
    Css(String),
    /// What stands between two elements, each boundary included or not.
    Range {
        /// Selector of the element where the range starts.
        start: String,
        /// Whether the range starts after that element (`startAfter`) or before it.
        start_after: bool,
        /// Selector of the element where the range ends.
        end: String,
        /// Whether the range ends after that element (`endAfter`) or before it.
        end_after: bool,
    },
}

impl Part {
    /// Whether its selectors are selectors.
    ///
    /// # Errors
    /// With the first one that is none.
    pub fn check(&self) -> Result<(), ReadError> {
        html::check_part(self)
    }
}

/// Why an input could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing in it.
    #[error("the input is empty")]
    Empty,
    /// It is not a text in any format that can be read.
    #[error("the input is not a readable document: {0}")]
    NotText(String),
    /// The container is damaged or cut off.
    #[error("the {format} is damaged: {detail}")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// It holds pages but no text, as a scan does.
    #[error("the {0} holds no text; a scanned document must go through text recognition first")]
    NoText(&'static str),
    /// A password protects it.
    #[error("the {0} is protected by a password; save a copy without one")]
    Protected(&'static str),
    /// Reading it would take more memory or time than is allowed.
    #[error("the input is too large or too deeply nested: {0}")]
    TooLarge(String),
    /// A hand-written selector is not valid CSS.
    #[error("`{selector}` is not a valid CSS selector: {detail}")]
    Selector {
        /// The selector.
        selector: String,
        /// What the parser says.
        detail: String,
    },
}

/// Reads a document.
///
/// # Errors
/// When the input is empty, binary, damaged or too large; oddities that can be dealt with become
/// [`Document::warnings`].
pub fn read(input: &Input<'_>) -> Result<Document, ReadError> {
    let format = format::tell(input);
    if input.bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let converted = match format {
        Format::Html => return light(input)?.read(input),
        Format::Docx => docx::convert(input.bytes)?,
        #[cfg(feature = "pdf")]
        Format::Pdf => pdf::convert(input.bytes)?,
        #[cfg(not(feature = "pdf"))]
        Format::Pdf => {
            return Err(ReadError::NotText(
                "this program was built without PDF".to_owned(),
            ));
        }
        _ => {
            let decoded = encoding::decode(input)?;
            if decoded.text.trim().is_empty() {
                return Err(ReadError::Empty);
            }
            let mut document = text(format, decoded.text.into_owned());
            document.warnings.extend(decoded.warnings);
            return Ok(document);
        }
    };
    Ok(finish(format, converted))
}

/// A page without what no reading looks at, such as scripts and the attributes of looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Light {
    page: String,
    warnings: Vec<Warning>,
}

/// Makes a page light, as [`read`] does first; nothing for other formats.
///
/// # Errors
/// As for [`read`].
pub fn lighten(input: &Input<'_>) -> Result<Option<Light>, ReadError> {
    match format::tell(input) {
        Format::Html if !input.bytes.is_empty() => light(input).map(Some),
        _ => Ok(None),
    }
}

fn light(input: &Input<'_>) -> Result<Light, ReadError> {
    let decoded = encoding::decode(input)?;
    Ok(Light {
        page: html::lighten(input, &decoded.text)?,
        warnings: decoded.warnings,
    })
}

impl Light {
    /// Reads the page: what [`read`] gives for the same input.
    ///
    /// # Errors
    /// As for [`read`].
    pub fn read(self, input: &Input<'_>) -> Result<Document, ReadError> {
        let mut converted = html::convert(input, &self.page)?;
        converted.warnings.extend(self.warnings);
        Ok(finish(Format::Html, converted))
    }

    /// All that the reading depends on but the selectors: two inputs with the same selectors and
    /// imprints read alike.
    pub fn imprint<'a>(&'a self, input: &Input<'a>) -> (&'a str, String) {
        let rest = format!("{:?}\0{:?}", html::address(input), self.warnings);
        (&self.page, rest)
    }
}

/// Reads a document from bytes that nobody else needs: a text in UTF-8 is taken over as it is. The
/// bytes of `input` itself are not looked at.
///
/// # Errors
/// As for [`read`].
pub fn read_owned(bytes: Vec<u8>, input: &Input<'_>) -> Result<Document, ReadError> {
    let whole = match String::from_utf8(bytes) {
        Ok(whole) => whole,
        Err(other) => {
            return read(&Input {
                bytes: other.as_bytes(),
                ..input.clone()
            });
        }
    };
    let input = Input {
        bytes: whole.as_bytes(),
        ..input.clone()
    };
    let format = format::tell(&input);
    if whole.is_empty() || !matches!(format, Format::Text | Format::Markdown) {
        return read(&input);
    }
    let decoded = encoding::decode_known(&input, Some(&whole))?;
    if decoded.text.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    let warnings = decoded.warnings;
    let other = match decoded.text {
        Cow::Borrowed(same) if same.len() == whole.len() => None,
        other => Some(other.into_owned()),
    };
    let mut document = text(format, other.unwrap_or(whole));
    document.warnings.extend(warnings);
    Ok(document)
}

/// Makes the document of what a reader handed on.
fn finish(format: Format, converted: converted::Converted) -> Document {
    let mut document = text(format, converted.markdown);
    if document.title.is_none() {
        document.title = converted.title;
    }
    if document.language.is_none() {
        document.language = converted.language.map(|tag| primary(&tag));
    }
    document.warnings.extend(converted.warnings);
    document.suspect = converted.suspect;
    document
}

/// The primary language of a tag: `en` of `en-GB`.
fn primary(tag: &str) -> String {
    tag.split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Reads a text whose encoding is settled.
fn text(format: Format, text: String) -> Document {
    let leaves = match format {
        Format::Text => plain::leaves(&text),
        _ => markdown::leaves(&text),
    };
    let pieces = assemble::pieces(&text, leaves);
    let findings = headings::find(&text, format, &pieces);
    let mut document = assemble::document(format, text, pieces, findings);
    document.language = language::tell(&document);
    let (dates, odd) = dates::find(&document);
    document.dates = dates;
    document.warnings.extend(odd);
    document.warnings.extend(policy::doubt(&document));
    document
}

/// The sentences of a block, as spans of the document's text, in order, surrounding white space
/// left out. Markup inside a sentence belongs to it.
pub fn sentences(document: &Document, block: &Block) -> Vec<Span> {
    sentence::of(document, block)
}

/// The canonical text: Markdown that holds every word of the policy and reads back into the same
/// document; `canonical(read(canonical(d))) == canonical(d)`.
pub fn canonical(document: &Document) -> String {
    canonical::of(document)
}

/// The canonical text of a document that [`read`] gave, and the document that this text reads into:
/// what [`read`] gives for it as Markdown, without reading it where it has been read already.
pub fn canonical_read(document: Document) -> (String, Result<Document, ReadError>) {
    let (canonical, known) = canonical::settled(&document);
    let read = read_known(document, known, &canonical);
    (canonical, read)
}

fn read_known(
    document: Document,
    known: canonical::Read,
    canonical: &str,
) -> Result<Document, ReadError> {
    if canonical.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    // What reading it from a file would refuse is refused here.
    let decoded = encoding::decode(&Input {
        bytes: canonical.as_bytes(),
        ..Input::default()
    })?;
    let plain = decoded.warnings.is_empty() && decoded.text == canonical;
    Ok(match known {
        canonical::Read::Itself if plain => Document {
            suspect: None,
            ..document
        },
        canonical::Read::Again(read) if plain => *read,
        _ => {
            let mut read = text(Format::Markdown, decoded.text.into_owned());
            read.warnings.extend(decoded.warnings);
            read
        }
    })
}
