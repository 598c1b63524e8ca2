//! Job files of urlwatch and webchanges: YAML documents, one a job.

use std::path::Path;

use serde_json::Value;

use super::{Declared, ImportError, slug, tracked};
use crate::{
    config::{Render, Selector},
    read::Part,
};

/// Reads a job file.
///
/// # Errors
/// When it cannot be read or is not YAML. Jobs that are no pages are listed in the second part.
pub fn jobs(path: &Path) -> Result<(Vec<Declared>, Vec<String>), ImportError> {
    let unreadable = |detail: String| ImportError::Unreadable {
        path: path.display().to_string(),
        detail,
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(&text).map_err(unreadable)
}

/// Reads the text of a job file.
fn parse(text: &str) -> Result<(Vec<Declared>, Vec<String>), String> {
    let jobs: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| error.to_string())?;
    let (mut found, mut refused): (Vec<Declared>, Vec<String>) = (Vec::new(), Vec::new());
    for (index, job) in jobs.iter().enumerate() {
        if job.is_null() {
            continue;
        }
        let get = |key: &str| job.get(key).and_then(Value::as_str);
        let address = get("url").or_else(|| get("navigate"));
        let name = get("name").or(address).unwrap_or_default();
        let Some(address) = address else {
            refused.push(format!(
                "job {}{}: only pages can be tracked, no commands",
                index + 1,
                if name.is_empty() {
                    String::new()
                } else {
                    format!(" ({name})")
                }
            ));
            continue;
        };
        let mut declared = declare(job, name, address);
        let base = declared.document.id.clone();
        let mut number = 2;
        while found.iter().any(|d| d.document.id == declared.document.id) {
            declared.document.id = format!("{base}-{number}");
            number += 1;
        }
        found.push(declared);
    }
    Ok((found, refused))
}

fn declare(job: &Value, name: &str, address: &str) -> Declared {
    let mut left_out = Vec::new();
    let id = slug(
        name.trim_start_matches("https://")
            .trim_start_matches("http://"),
    );
    let mut document = tracked(id, vec![address.to_owned()]);
    if name != address {
        document.title = Some(name.to_owned());
    }
    let on = |key: &str| job.get(key).and_then(Value::as_bool) == Some(true);
    if job.get("navigate").is_some() || on("use_browser") {
        document.render = Render::Browser;
    }
    if let Some(css) = job.get("wait_for").and_then(Value::as_str) {
        document.wait_for = Some(css.to_owned());
    }
    for (key, value) in job
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(value) = value.as_str() {
            document.headers.insert(key.clone(), value.to_owned());
        }
    }
    for filter in filters(job) {
        match filter {
            Filter::Take(css) => document.include.push(Selector(Part::Css(css))),
            Filter::Drop(css) => document.remove.push(Selector(Part::Css(css))),
            Filter::Needless => {}
            Filter::Unknown(name) => {
                left_out.push(format!("the filter {name} was not taken over"));
            }
        }
    }
    if let Some(cookies) = job.get("cookies").and_then(Value::as_object) {
        let pairs: Vec<String> = cookies
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
            .collect();
        document
            .headers
            .insert("Cookie".to_owned(), pairs.join("; "));
    }
    for key in job.as_object().into_iter().flat_map(|job| job.keys()) {
        if !TAKEN.contains(&key.as_str()) && !NEEDLESS.contains(&key.as_str()) {
            left_out.push(format!("`{key}` was not taken over"));
        }
    }
    Declared {
        document,
        left_out,
        history: None,
    }
}

/// Keys of a job that are taken over.
const TAKEN: [&str; 10] = [
    "name",
    "url",
    "navigate",
    "use_browser",
    "wait_for",
    "headers",
    "cookies",
    "filter",
    "filters",
    "index_number",
];
/// Keys that say what is done here for every document, or what only concerns their reports.
const NEEDLESS: [&str; 6] = [
    "max_tries",
    "retries",
    "timeout",
    "note",
    "kind",
    "compared_versions",
];

enum Filter {
    Take(String),
    Drop(String),
    Needless,
    Unknown(String),
}

/// Filters are names, or a name with a value, or (in old files) one string of both.
fn filters(job: &Value) -> Vec<Filter> {
    let mut found = Vec::new();
    let list = match job.get("filter").or_else(|| job.get("filters")) {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::String(text)) => text
            .split(',')
            .map(|one| match one.split_once(':') {
                Some((name, value)) => serde_json::json!({ name: value }),
                None => Value::String(one.to_owned()),
            })
            .collect(),
        Some(other) => vec![other.clone()],
        None => Vec::new(),
    };
    for filter in list {
        match filter {
            Value::String(name) => found.push(named(&name, &Value::Null)),
            Value::Object(map) => {
                for (name, value) in &map {
                    found.push(named(name, value));
                    if name == "css"
                        && let Some(css) = value.get("exclude").and_then(Value::as_str)
                    {
                        found.push(Filter::Drop(css.to_owned()));
                    }
                }
            }
            other => found.push(Filter::Unknown(other.to_string())),
        }
    }
    found
}

fn named(name: &str, value: &Value) -> Filter {
    let text = value
        .as_str()
        .or_else(|| value.get("selector").and_then(Value::as_str));
    match (name, text) {
        ("css", Some(css)) => Filter::Take(css.to_owned()),
        ("element-by-id", Some(id)) => {
            Filter::Take(format!("[id=\"{}\"]", id.replace('"', "\\\"")))
        }
        ("element-by-class", Some(class)) => {
            Filter::Take(format!("[class~=\"{}\"]", class.replace('"', "\\\"")))
        }
        ("element-by-tag", Some(tag)) => Filter::Take(tag.to_owned()),
        // Reading, white space and layout are looked after for every document.
        (
            "html2text"
            | "strip"
            | "striplines"
            | "strip_each_line"
            | "remove_empty_lines"
            | "pdf2text"
            | "beautify"
            | "remove-duplicate-lines"
            | "absolute_links",
            _,
        ) => Filter::Needless,
        _ => Filter::Unknown(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOBS: &str = "\
name: Heron privacy
url: https://heron.example/privacy
filter:
  - css:
      selector: main
      exclude: .ads
  - html2text
  - keep_lines_containing: x
headers:
  X-Team: legal
cookies:
  consent: all
data: a=b
---
url: https://heron.example/terms
filter: element-by-id:text,strip
---
name: disk
command: df -h
---
navigate: https://heron.example/terms
";

    #[test]
    fn jobs_become_documents() {
        let (found, refused) = parse(JOBS).unwrap();
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("disk"), "{refused:?}");
        let ids: Vec<&str> = found.iter().map(|d| d.document.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "heron-privacy",
                "heron-example-terms",
                "heron-example-terms-2"
            ]
        );
        let first = &found[0];
        assert_eq!(first.document.include.len(), 1);
        assert_eq!(first.document.remove.len(), 1);
        assert_eq!(
            first.left_out,
            [
                "the filter keep_lines_containing was not taken over",
                "`data` was not taken over"
            ]
        );
        assert_eq!(first.document.headers["Cookie"], "consent=all");
        assert_eq!(first.document.headers["X-Team"], "legal");
        assert_eq!(found[2].document.render, Render::Browser);
    }

    #[test]
    fn broken_yaml_is_an_error() {
        assert!(parse("a: [1, 2").is_err());
    }
}
