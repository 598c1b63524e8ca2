//! Placeholders for what differs from recipient to recipient, the only code in a finished text.
//!
//! ```text
//! Hello {{ recipient.name | default("there") }},      a field, with words for those who lack it
//! we write to {{ recipient.email }}.                  a field that every recipient must have
//! The macro {{ "{{" }} name }} is not a placeholder.  two literal braces
//! ```

use std::borrow::Cow;

/// A piece of a finished text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Words that are the same for everybody.
    Literal(String),
    /// A recipient's field.
    Recipient {
        /// Name of the field: `email`, `name`, `locale`, … or any column of the list.
        field: String,
        /// The words for those who lack it; without them such a recipient cannot be written to.
        default: Option<String>,
    },
}

/// A text that cannot be split into segments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// `{{` without its `}}`.
    #[error("line {line}: `{{{{` is never closed by `}}}}`")]
    Open {
        /// 1-based line.
        line: usize,
    },
    /// Something else than a recipient's field between the braces.
    #[error(
        "line {line}: `{{{{{found}}}}}` is no placeholder; write {{{{ recipient.FIELD }}}} or \
         {{{{ recipient.FIELD | default(\"words\") }}}}, or {{{{ \"{{{{\" }}}} for two braces"
    )]
    Unknown {
        /// 1-based line.
        line: usize,
        /// What stands between the braces.
        found: String,
    },
    /// `{%` or `{#`: statements and comments are not part of a finished text.
    #[error("line {line}: `{found}` starts a template statement; a finished text has none")]
    Statement {
        /// 1-based line.
        line: usize,
        /// The two characters.
        found: String,
    },
    /// A recipient lacks a field that has no default.
    #[error("the recipient has no `{field}`, and the text gives no default for it")]
    Missing {
        /// Name of the field.
        field: String,
    },
}

/// Splits a finished text at its placeholders. Literal segments next to each other are one.
///
/// # Errors
/// When something between braces is neither a placeholder nor an escaped brace.
pub fn segments(text: &str) -> Result<Vec<Segment>, PlaceholderError> {
    let mut found: Vec<Segment> = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    let line = |rest: &str| {
        let read = text.len() - rest.len();
        1 + text.bytes().take(read).filter(|b| *b == b'\n').count()
    };
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        if from.starts_with("{%") || from.starts_with("{#") {
            return Err(PlaceholderError::Statement {
                line: line(from),
                found: from.chars().take(2).collect(),
            });
        }
        let Some(inside) = from.strip_prefix("{{") else {
            literal.push('{');
            rest = from.strip_prefix('{').unwrap_or_default();
            continue;
        };
        let Some((expression, after)) = split_at_close(inside) else {
            return Err(PlaceholderError::Open { line: line(from) });
        };
        match parse(expression) {
            Some(Segment::Literal(words)) => literal.push_str(&words),
            Some(field) => {
                if !literal.is_empty() {
                    found.push(Segment::Literal(std::mem::take(&mut literal)));
                }
                found.push(field);
            }
            None => {
                return Err(PlaceholderError::Unknown {
                    line: line(from),
                    found: expression.chars().take(80).collect(),
                });
            }
        }
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        found.push(Segment::Literal(literal));
    }
    Ok(found)
}

/// Writes a text so that [`segments`] gives it back as one literal: what opens a placeholder, a
/// statement or a comment is escaped.
pub fn literal(text: &str) -> Cow<'_, str> {
    if !["{{", "{%", "{#"]
        .iter()
        .any(|opener| text.contains(opener))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match from.get(..2) {
            Some(opener @ ("{{" | "{%" | "{#")) => {
                out.push_str(&format!("{{{{ \"{opener}\" }}}}"));
                rest = from.get(2..).unwrap_or_default();
            }
            _ => {
                out.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Fills in a recipient's fields. In HTML the values are escaped; the text around them is not.
/// Line breaks in values become spaces, so that no value can break a line or a header.
///
/// # Errors
/// When the text cannot be split, or a field is missing and has no default.
pub fn fill(
    text: &str,
    html: bool,
    field_of: impl Fn(&str) -> Option<String>,
) -> Result<String, PlaceholderError> {
    let mut out = String::with_capacity(text.len());
    for segment in segments(text)? {
        match segment {
            Segment::Literal(words) => out.push_str(&words),
            Segment::Recipient { field, default } => {
                let value = field_of(&field)
                    .filter(|value| !value.trim().is_empty())
                    .or(default)
                    .ok_or(PlaceholderError::Missing { field })?;
                let value: String = value
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .collect();
                if html {
                    out.push_str(&escape_html(&value));
                } else {
                    out.push_str(&value);
                }
            }
        }
    }
    Ok(out)
}

/// Escapes what means something in HTML, in text and in quoted attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
    out
}

/// Splits at the first `}}` outside a quoted string.
fn split_at_close(inside: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            '}' if !quoted && inside.get(at..at + 2) == Some("}}") => {
                return Some((inside.get(..at)?, inside.get(at + 2..)?));
            }
            _ => {}
        }
        escaped = false;
    }
    None
}

fn parse(expression: &str) -> Option<Segment> {
    let expression = expression.trim();
    if expression.starts_with('"') {
        return string(expression).map(Segment::Literal);
    }
    let (path, filter) = match expression.split_once('|') {
        Some((path, filter)) => (path.trim(), Some(filter.trim())),
        None => (expression, None),
    };
    let field = path.strip_prefix("recipient.")?;
    let is_name = !field.is_empty()
        && field
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !is_name {
        return None;
    }
    let default = match filter {
        None => None,
        Some(filter) => {
            let inside = filter.strip_prefix("default")?.trim_start();
            let inside = inside.strip_prefix('(')?.strip_suffix(')')?;
            Some(string(inside.trim())?)
        }
    };
    Some(Segment::Recipient {
        field: field.to_owned(),
        default,
    })
}

/// Reads a quoted string with `\"` and `\\`.
fn string(quoted: &str) -> Option<String> {
    let inside = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            '"' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_and_words_are_told_apart() {
        let text = "Dear {{ recipient.name | default(\"reader\") }}, {a} {{recipient.user_id}}!";
        assert_eq!(
            segments(text).unwrap(),
            [
                Segment::Literal("Dear ".into()),
                Segment::Recipient {
                    field: "name".into(),
                    default: Some("reader".into())
                },
                Segment::Literal(", {a} ".into()),
                Segment::Recipient {
                    field: "user_id".into(),
                    default: None
                },
                Segment::Literal("!".into()),
            ]
        );
    }

    #[test]
    fn anything_else_is_refused_with_its_line() {
        for (text, message) in [
            ("a\n{{ 7 * 7 }}", "line 2"),
            ("{{ config.secret }}", "line 1"),
            ("{{ recipient.name", "never closed"),
            ("{% for x in y %}", "statement"),
            ("{# hidden #}", "statement"),
            ("{{ recipient.name | upper }}", "is no placeholder"),
            ("{{ recipient.a.b }}", "is no placeholder"),
        ] {
            let error = segments(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_cannot_break_out() {
        let text = "<p>{{ recipient.name }}</p>";
        let value = |_: &str| Some("<b>\r\nBcc: x@y {{ recipient.email }}".to_owned());
        assert_eq!(
            fill(text, true, value).unwrap(),
            "<p>&lt;b&gt;  Bcc: x@y {{ recipient.email }}</p>"
        );
        assert!(matches!(
            fill(text, true, |_| None),
            Err(PlaceholderError::Missing { .. })
        ));
    }

    proptest! {
        #[test]
        fn a_quote_never_becomes_code(text in "[a-z{}%#\" |.\\\\]{0,40}") {
            let found = segments(&literal(&text)).unwrap();
            let back: String = found.iter().map(|segment| match segment {
                Segment::Literal(words) => words.as_str(),
                Segment::Recipient { .. } => "CODE",
            }).collect();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn splitting_never_panics(text in "\\PC{0,60}") {
            let _ = segments(&text);
        }
    }
}
