//! A policy in parts becomes one document.

use super::{Document, Format, canonical, text};

/// Joins documents in the order given, as one policy: its text is that of the parts one after the
/// other, and all spans and lines refer to the joined text.
///
/// Title, language and dates are those of the first part that states them; warnings name their
/// part; one suspect part makes the whole suspect, since a version without it would be half a
/// policy. A single document is given back as it is.
pub fn combine(documents: Vec<Document>) -> Document {
    let mut documents = documents;
    if documents.len() == 1
        && let Some(only) = documents.pop()
    {
        return only;
    }
    let joined = documents
        .iter()
        .map(|document| canonical(document).trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n");
    let mut whole = text(
        Format::Markdown,
        if joined.is_empty() {
            joined
        } else {
            joined + "\n"
        },
    );
    if let Some(first) = documents.first() {
        whole.format = match first.format {
            // Spans of these refer to the input itself, which the joined text is not.
            Format::Text => Format::Markdown,
            format => format,
        };
    }
    for (i, document) in documents.into_iter().enumerate() {
        whole.dates.effective = whole.dates.effective.or(document.dates.effective);
        whole.dates.updated = whole.dates.updated.or(document.dates.updated);
        if i == 0 {
            whole.title = document.title.or(whole.title);
            whole.language = document.language.or(whole.language);
        }
        let part = i + 1;
        whole
            .warnings
            .extend(document.warnings.into_iter().filter_map(|mut warning| {
                // What was said of the structure is said again of the whole.
                let known = ["encoding", "pages", "characters", "selector"];
                warning.detail = format!("part {part}: {}", warning.detail);
                known
                    .iter()
                    .any(|start| warning.code.starts_with(start))
                    .then_some(warning)
            }));
        if whole.suspect.is_none() {
            whole.suspect = document.suspect.map(|mut suspect| {
                suspect.detail = format!("part {part}: {}", suspect.detail);
                suspect
            });
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::super::{Input, read};
    use super::*;

    fn document(text: &str) -> Document {
        read(&Input {
            bytes: text.as_bytes(),
            format: Some(Format::Markdown),
            ..Input::default()
        })
        .unwrap()
    }

    #[test]
    fn parts_become_one_in_order() {
        let whole = combine(vec![
            document("# Terms\n\nEffective 1 June 2031\n\n## 1. Scope\n\nThese terms apply."),
            document("# Annex\n\n## 2. Data\n\nWe process personal data."),
        ]);
        assert_eq!(whole.title.as_deref(), Some("Terms"));
        assert!(whole.text.find("Scope") < whole.text.find("Annex"));
        assert_eq!(
            whole.dates.effective.map(|d| d.to_string()).as_deref(),
            Some("2031-06-01")
        );
        let titles: Vec<&str> = whole.sections.iter().map(|s| s.title.as_str()).collect();
        assert!(
            titles.contains(&"Scope") && titles.contains(&"Data"),
            "{titles:?}"
        );
        let last = whole.sections.last().unwrap();
        assert!(whole.slice(&last.span).contains("We process"));
    }

    #[test]
    fn nothing_and_one() {
        assert!(combine(Vec::new()).text.is_empty());
        let one = document("# Terms\n\nText.");
        assert_eq!(combine(vec![one.clone()]), one);
    }
}
