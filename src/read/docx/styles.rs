//! Paragraph styles: which are headings, which carry numbers.

use std::collections::BTreeMap;

use super::{
    super::ReadError,
    xml::{Step, walk},
};

/// How long a chain of styles may be.
const MAX_CHAIN: usize = 32;

/// What a style says.
#[derive(Debug, Clone, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    list: Option<String>,
    level: Option<usize>,
    bold: bool,
}

/// All paragraph styles, by id.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: BTreeMap<String, Style>,
    default: Option<String>,
}

/// What a style amounts to, with the styles that it builds on.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    /// The document's title.
    pub(super) title: bool,
    /// Level of a heading; 0 is the outermost.
    pub(super) outline: Option<u8>,
    /// An entry of a list of contents.
    pub(super) contents: bool,
    pub(super) list: Option<String>,
    pub(super) level: Option<usize>,
    pub(super) bold: bool,
}

impl Styles {
    pub(super) fn read(part: &str) -> Result<Self, ReadError> {
        let mut styles = Self::default();
        let mut open: Option<(String, Style)> = None;
        walk(part, |step| match step {
            Step::Start(element) => match (element.name, &mut open) {
                ("style", _) => {
                    let id = element.attr("styleId").unwrap_or_default();
                    let paragraph = element.attr("type").is_none_or(|t| t == "paragraph");
                    if paragraph && element.attr("default").as_deref() == Some("1") {
                        styles.default = Some(id.clone());
                    }
                    open = Some((id, Style::default()));
                }
                (_, None) => {}
                (name, Some((_, style))) => {
                    let value = || element.attr("val");
                    match name {
                        "name" => style.name = value().unwrap_or_default().to_lowercase(),
                        "basedOn" => style.based_on = value(),
                        "outlineLvl" => style.outline = value().and_then(|v| v.parse().ok()),
                        "numId" => style.list = value(),
                        "ilvl" => style.level = value().and_then(|v| v.parse().ok()),
                        "b" => style.bold = element.on(),
                        _ => {}
                    }
                }
            },
            Step::End("style") => {
                if let Some((id, style)) = open.take() {
                    styles.styles.insert(id, style);
                }
            }
            _ => {}
        })?;
        Ok(styles)
    }

    /// What the style of an id amounts to; without an id the default style.
    pub(super) fn resolve(&self, id: Option<&str>) -> Resolved {
        let mut resolved = Resolved::default();
        let mut next = id.map(str::to_owned).or_else(|| self.default.clone());
        for _ in 0..MAX_CHAIN {
            let Some(id) = next else { break };
            let Some(style) = self.styles.get(&id) else {
                // Styles that the file does not define still have their usual names.
                resolved.read_name(&id.to_lowercase());
                break;
            };
            resolved.read_name(&style.name);
            resolved.outline = resolved.outline.or(style.outline);
            resolved.list = resolved.list.or_else(|| style.list.clone());
            resolved.level = resolved.level.or(style.level);
            resolved.bold |= style.bold;
            next = style.based_on.clone();
        }
        // Level 9 is running text.
        resolved.outline = resolved.outline.filter(|level| *level < 9);
        resolved
    }
}

impl Resolved {
    fn read_name(&mut self, name: &str) {
        if name == "title" {
            self.title = true;
        }
        let number = |prefix: &str| {
            name.strip_prefix(prefix)
                .map(str::trim)
                .and_then(|n| n.parse::<u8>().ok())
        };
        if let Some(level) = number("heading")
            && (1..=9).contains(&level)
        {
            self.outline = self.outline.or(Some(level - 1));
        }
        self.contents |=
            number("toc").is_some() || name == "contents" || number("contents").is_some();
    }
}
