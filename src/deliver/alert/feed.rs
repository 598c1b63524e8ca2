//! Feeds and files: each alert once, the newest first, known by its id.

use std::path::Path;

use atom_syndication::{Content, Entry, Feed, Generator, Link, Text};
use serde_json::{Value, json};

use super::{AlertError, AlertMessage};

/// Entries kept in a feed.
const KEPT: usize = 200;

fn failed(path: &Path, detail: impl ToString) -> AlertError {
    AlertError::File {
        path: path.display().to_string(),
        detail: detail.to_string(),
    }
}

fn read(path: &Path) -> Result<String, AlertError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failed(path, error)),
    }
}

/// Written beside and renamed, so that a reader never sees half a feed.
fn write(path: &Path, text: &str) -> Result<(), AlertError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(path, e))?;
    }
    let beside = path.with_extension("part");
    std::fs::write(&beside, text).map_err(|e| failed(path, e))?;
    std::fs::rename(&beside, path).map_err(|e| failed(path, e))
}

fn urn(message: &AlertMessage) -> String {
    format!("urn:fairnotice:alert:{}", message.id)
}

fn time(message: &AlertMessage) -> atom_syndication::FixedDateTime {
    let seconds = message.due.as_second();
    atom_syndication::FixedDateTime::parse_from_rfc3339(
        &jiff::Timestamp::from_second(seconds)
            .unwrap_or_default()
            .to_string(),
    )
    .unwrap_or_default()
}

/// Adds alerts to an Atom feed.
///
/// # Errors
/// When the file is no feed or cannot be written.
pub fn atom(path: &Path, title: &str, messages: &[AlertMessage]) -> Result<(), AlertError> {
    let present = read(path)?;
    let mut feed: Feed = if present.is_empty() {
        Feed {
            title: Text::plain(title),
            id: format!("urn:fairnotice:feed:{}", title.replace(' ', "-")),
            generator: Some(Generator {
                value: "fairnotice".to_owned(),
                ..Generator::default()
            }),
            ..Feed::default()
        }
    } else {
        present
            .parse()
            .map_err(|e| failed(path, format!("it is no Atom feed: {e}")))?
    };
    for message in messages {
        if feed.entries.iter().any(|entry| entry.id == urn(message)) {
            continue;
        }
        let updated = time(message);
        feed.updated = updated;
        let link = Link {
            href: message.source.clone(),
            rel: "alternate".to_owned(),
            ..Link::default()
        };
        feed.entries.insert(
            0,
            Entry {
                title: Text::plain(message.headline()),
                id: urn(message),
                updated,
                published: Some(updated),
                links: vec![link],
                content: Some(Content {
                    value: Some(message.html()),
                    content_type: Some("html".to_owned()),
                    ..Content::default()
                }),
                ..Entry::default()
            },
        );
    }
    feed.entries.truncate(KEPT);
    write(path, &feed.to_string())
}

/// Adds alerts to a JSON feed (version 1.1).
///
/// # Errors
/// When the file is no JSON feed or cannot be written.
pub fn json_feed(path: &Path, title: &str, messages: &[AlertMessage]) -> Result<(), AlertError> {
    let present = read(path)?;
    let mut items: Vec<Value> = if present.is_empty() {
        Vec::new()
    } else {
        let feed: Value = serde_json::from_str(&present)
            .map_err(|e| failed(path, format!("it is no JSON feed: {e}")))?;
        feed.get("items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    for message in messages {
        let id = urn(message);
        if items
            .iter()
            .any(|item| item.get("id").and_then(Value::as_str) == Some(&id))
        {
            continue;
        }
        items.insert(
            0,
            json!({
                "id": id,
                "url": message.source,
                "title": message.headline(),
                "content_html": message.html(),
                "content_text": message.text(),
                "date_published": message.due.to_string(),
                "_fairnotice": message,
            }),
        );
    }
    items.truncate(KEPT);
    let feed =
        json!({ "version": "https://jsonfeed.org/version/1.1", "title": title, "items": items });
    let text = serde_json::to_string_pretty(&feed).map_err(|e| failed(path, e))?;
    write(path, &(text + "\n"))
}

/// Adds alerts at the end of a Markdown file.
///
/// # Errors
/// When the file cannot be written.
pub fn markdown_file(path: &Path, messages: &[AlertMessage]) -> Result<(), AlertError> {
    let mut text = read(path)?;
    for message in messages {
        let mark = format!("<!-- {} -->", urn(message));
        if !text.contains(&mark) {
            text += &format!("{mark}\n{}\n", message.markdown());
        }
    }
    write(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::alert::message::sample;

    #[test]
    fn each_alert_stands_once_in_each_kind_of_file() {
        let folder = tempfile::tempdir().unwrap();
        let second = AlertMessage {
            id: "other".to_owned(),
            ..sample()
        };
        for round in 0..2 {
            let messages = if round == 0 {
                vec![sample()]
            } else {
                vec![sample(), second.clone()]
            };
            atom(&folder.path().join("feed.xml"), "Team", &messages).unwrap();
            json_feed(&folder.path().join("feed.json"), "Team", &messages).unwrap();
            markdown_file(&folder.path().join("alerts.md"), &messages).unwrap();
        }
        for (file, needle) in [
            ("feed.xml", "<id>urn:fairnotice:alert:"),
            ("feed.json", "\"id\": \"urn:fairnotice:alert:"),
            ("alerts.md", "<!-- urn:fairnotice:alert:"),
        ] {
            let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
            assert_eq!(text.matches(needle).count(), 2, "{file}: {text}");
            assert!(
                !text.contains("<script>") || file == "feed.json",
                "{file}: {text}"
            );
        }
    }

    #[test]
    fn a_file_that_is_something_else_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious.txt");
        std::fs::write(&path, "precious").unwrap();
        assert!(atom(&path, "t", &[sample()]).is_err());
        assert!(json_feed(&path, "t", &[sample()]).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
