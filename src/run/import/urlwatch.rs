//! Job files of urlwatch and webchanges: YAML documents, one a job.

use std::path::Path;

use serde_json::Value;

use super::{Declared, ImportError, keep_apart, slug, tracked};
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
        match declare(job, name, address) {
            Ok(declared) => found.push(declared),
            Err(detail) => refused.push(format!("job {} ({name}): {detail}", index + 1)),
        }
    }
    keep_apart(&mut found, |one| one.document.source.join(" "));
    Ok((found, refused))
}

fn declare(job: &Value, name: &str, address: &str) -> Result<Declared, String> {
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
    match job.get("wait_for") {
        None | Some(Value::Null) => {}
        Some(Value::String(css)) => document.wait_for = Some(css.clone()),
        Some(other) => left_out.push(format!("`wait_for: {other}` was not taken over")),
    }
    for (name, value) in pairs(job, "headers", &mut left_out) {
        document.headers.insert(name, value);
    }
    let cookies: Vec<String> = pairs(job, "cookies", &mut left_out)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !cookies.is_empty() {
        let header = cookies.join("; ");
        document.headers.insert("Cookie".to_owned(), header);
    }
    let mut take: Option<String> = None;
    for filter in filters(job) {
        match filter {
            // Each filter works on what the one before it left.
            Filter::Take(css) => {
                checked(&css)?;
                take = Some(match take {
                    None => css,
                    Some(outer) => format!(":is({outer}) :is({css}), :is({outer}):is({css})"),
                });
            }
            Filter::Drop(css) => document.remove.push(checked(&css)?),
            Filter::Needless => {}
            Filter::Unknown(name) => {
                left_out.push(format!("the filter {name} was not taken over"));
            }
        }
    }
    if let Some(css) = take {
        document.include.push(checked(&css)?);
    }
    for key in job.as_object().into_iter().flat_map(|job| job.keys()) {
        if !TAKEN.contains(&key.as_str()) && !NEEDLESS.contains(&key.as_str()) {
            left_out.push(format!("`{key}` was not taken over"));
        }
    }
    Ok(Declared {
        document,
        left_out,
        history: None,
    })
}

/// A selector, seen to be one.
fn checked(css: &str) -> Result<Selector, String> {
    let part = Part::Css(css.to_owned());
    part.check().map_err(|error| error.to_string())?;
    Ok(Selector(part))
}

/// Names with values, of a map: texts, numbers, yes and no. What else stands there is listed.
fn pairs(job: &Value, key: &str, left_out: &mut Vec<String>) -> Vec<(String, String)> {
    let map = match job.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Object(map)) => map,
        Some(_) => {
            left_out.push(format!("`{key}` is no map and was not taken over"));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (name, value) in map {
        match value {
            Value::String(text) => found.push((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) => found.push((name.clone(), value.to_string())),
            _ => left_out.push(format!("`{key}`: `{name}` was not taken over")),
        }
    }
    found
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
                    if name == "css" {
                        found.extend(settings(value));
                    }
                }
            }
            other => found.push(Filter::Unknown(other.to_string())),
        }
    }
    found
}

/// What the filter `css` says besides its selector.
fn settings(value: &Value) -> Vec<Filter> {
    let mut found = Vec::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            // With `html` the pages are read as they are here.
            ("selector", _) | (_, Value::Null) => {}
            ("method", Value::String(method)) if method == "html" => {}
            ("exclude", Value::String(css)) => found.push(Filter::Drop(css.clone())),
            ("exclude", Value::Array(all)) if all.iter().all(Value::is_string) => {
                let each = all.iter().filter_map(Value::as_str);
                found.extend(each.map(|css| Filter::Drop(css.to_owned())));
            }
            _ => found.push(Filter::Unknown(format!("setting `{key}: {value}` of css"))),
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
                found[2].document.id.as_str(),
            ]
        );
        assert!(ids[2].starts_with("heron-example-terms-"), "{ids:?}");
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
    fn nothing_is_left_out_in_silence() {
        let text = "\
url: https://heron.example/a
headers:
  DNT: 1
  X-List: [a]
cookies:
  consent: 1
  plain: true
wait_for: 3
filter:
  - element-by-id: text
  - element-by-class: legal
  - css:
      selector: p
      exclude: [.ads, .tips]
      skip: 1
      maxitems: 2
---
url: https://heron.example/b
headers: \"X-A: 1\"
cookies: [a]
---
url: https://heron.example/c
filter:
  - css: main[
";
        let (found, refused) = parse(text).unwrap();
        let [first, second] = found.as_slice() else {
            panic!("two documents: {found:?}");
        };
        let document = &first.document;
        assert_eq!(document.headers["DNT"], "1");
        assert_eq!(document.headers["Cookie"], "consent=1; plain=true");
        assert_eq!((document.include.len(), document.remove.len()), (1, 2));
        let left_out = first.left_out.join("\n");
        for words in [
            "wait_for",
            "X-List",
            "`skip: 1` of css",
            "`maxitems: 2` of css",
        ] {
            assert!(left_out.contains(words), "{words}: {left_out}");
        }
        let left_out = second.left_out.join("\n");
        for words in ["`headers`", "`cookies`"] {
            assert!(left_out.contains(words), "{words}: {left_out}");
        }
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("main["), "{refused:?}");
    }

    #[test]
    fn chained_filters_select_inside_each_other() {
        let text =
            "url: https://heron.example\nfilter:\n  - element-by-id: text\n  - element-by-tag: p\n";
        let (found, _) = parse(text).unwrap();
        let page = "<html><body><p>Menu that is not wanted here.</p><div id=text><p>We keep logs of your \
            visits for ten days and then erase them.</p><div>An advert for our readers.</div></div></body></html>";
        let read = crate::read::read(&crate::read::Input {
            bytes: page.as_bytes(),
            media_type: Some("text/html"),
            selectors: crate::run::capture::selectors(&found[0].document),
            ..crate::read::Input::default()
        })
        .unwrap();
        let text = crate::read::canonical(&read);
        assert!(text.contains("We keep logs"), "{text}");
        assert!(!text.contains("Menu") && !text.contains("advert"), "{text}");
    }

    #[test]
    fn broken_yaml_is_an_error() {
        assert!(parse("a: [1, 2").is_err());
    }
}
