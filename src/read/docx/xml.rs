//! XML of the parts, one event at a time: names without prefix, attributes, text.

use std::collections::BTreeMap;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{ReadError, damaged};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 4096;

/// What happens in a part.
pub(super) enum Step<'a> {
    /// An element begins.
    Start(&'a Element<'a>),
    /// An element ends; for one without content right after its start.
    End(&'a str),
    /// Text between tags.
    Text(&'a str),
}

/// The start of an element.
pub(super) struct Element<'a> {
    /// Local name.
    pub(super) name: &'a str,
    start: &'a BytesStart<'a>,
}

impl Element<'_> {
    /// Value of an attribute, by local name.
    pub(super) fn attr(&self, name: &str) -> Option<String> {
        self.start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| {
                let key: &str = attribute.key.as_ref();
                key.rsplit(':').next() == Some(name)
            })
            .map(|attribute| {
                let value: &str = attribute.value.as_ref();
                quick_xml::escape::unescape(value)
                    .map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned)
            })
    }

    /// Whether a switch such as `w:b` is on.
    pub(super) fn on(&self) -> bool {
        !matches!(
            self.attr("val").as_deref(),
            Some("0" | "false" | "off" | "none")
        )
    }
}

/// Walks through a part.
///
/// # Errors
/// When the XML is not well-formed or nested too deep.
pub(super) fn walk(part: &str, mut step: impl FnMut(Step<'_>)) -> Result<(), ReadError> {
    let mut reader = Reader::from_str(part);
    reader.config_mut().check_end_names = false;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| {
            damaged(&format!(
                "its XML breaks at byte {} ({error})",
                reader.error_position()
            ))
        })?;
        match event {
            Event::Start(start) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ReadError::TooLarge(
                        "the Word document nests too deep".to_owned(),
                    ));
                }
                let name = start.local_name();
                step(Step::Start(&Element {
                    name: name.as_ref(),
                    start: &start,
                }));
            }
            Event::Empty(start) => {
                let name = start.local_name();
                step(Step::Start(&Element {
                    name: name.as_ref(),
                    start: &start,
                }));
                step(Step::End(name.as_ref()));
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                step(Step::End(end.local_name().as_ref()));
            }
            Event::Text(text) => step(Step::Text(&text.xml10_content())),
            Event::CData(text) => step(Step::Text(&text.xml10_content())),
            Event::GeneralRef(reference) => {
                // Entities of a DTD are not expanded: none of them is needed, and they can explode.
                if let Ok(Some(c)) = reference.resolve_char_ref() {
                    step(Step::Text(c.encode_utf8(&mut [0; 4])));
                } else {
                    let c = match reference.xml10_content().as_ref() {
                        "amp" => "&",
                        "lt" => "<",
                        "gt" => ">",
                        "quot" => "\"",
                        "apos" => "'",
                        _ => "",
                    };
                    step(Step::Text(c));
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The targets of a part's relations, by id; only those outside of the file.
pub(super) fn relations(part: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let mut found = BTreeMap::new();
    walk(part, |step| {
        if let Step::Start(element) = step
            && element.name == "Relationship"
            && element.attr("TargetMode").as_deref() == Some("External")
            && let (Some(id), Some(target)) = (element.attr("Id"), element.attr("Target"))
        {
            found.insert(id, target);
        }
    })?;
    Ok(found)
}

/// The part that the package names as its main document.
pub(super) fn main_part(relations: &str) -> Result<Option<String>, ReadError> {
    let mut found = None;
    walk(relations, |step| {
        if let Step::Start(element) = step
            && element.name == "Relationship"
            && element
                .attr("Type")
                .is_some_and(|kind| kind.ends_with("/officeDocument"))
        {
            found = found.take().or_else(|| element.attr("Target"));
        }
    })?;
    Ok(found)
}

/// The text of the first element of a name.
pub(super) fn text_of(part: &str, name: &str) -> Result<Option<String>, ReadError> {
    let mut text: Option<String> = None;
    let mut open = false;
    walk(part, |step| match step {
        Step::Start(element) if element.name == name && text.is_none() => {
            open = true;
            text = Some(String::new());
        }
        Step::End(end) if end == name => open = false,
        Step::Text(more) if open => {
            if let Some(text) = &mut text {
                *text += more;
            }
        }
        _ => {}
    })?;
    Ok(text.map(|text| text.trim().to_owned()))
}
