//! Open Terms Archive: a folder of declarations (one JSON file a service), and its repositories of
//! versions (`Service/Terms Type.md`).

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};

use super::{Declared, ImportError, slug, tracked};
use crate::{
    config::{Render, Selector},
    read::Part,
};

/// Reads all declarations of a folder (or of `declarations` in it), in the order of their names.
///
/// # Errors
/// When the folder or one of its files cannot be read.
pub fn declarations(folder: &Path) -> Result<Vec<Declared>, ImportError> {
    let inner = folder.join("declarations");
    let folder = if inner.is_dir() { &inner } else { folder };
    let unreadable = |path: &Path, detail: String| ImportError::Unreadable {
        path: path.display().to_string(),
        detail,
    };
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, e.to_string()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Histories describe how old captures were read, not what is tracked now.
            name.ends_with(".json") && !name.ends_with(".history.json")
        })
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|e| unreadable(&file, e.to_string()))?;
        let service = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.extend(service_of(&service, &text).map_err(|detail| unreadable(&file, detail))?);
    }
    Ok(found)
}

/// The documents of one service.
fn service_of(service: &str, text: &str) -> Result<Vec<Declared>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let name = value.get("name").and_then(Value::as_str).unwrap_or(service);
    let terms = value
        .get("terms")
        .or_else(|| value.get("documents"))
        .and_then(Value::as_object)
        .ok_or("it has no `terms`")?;
    terms
        .iter()
        .map(|(kind, terms)| {
            let terms = terms
                .as_object()
                .ok_or_else(|| format!("`{kind}` is not an object"))?;
            declared(service, name, kind, terms)
        })
        .collect()
}

fn declared(
    service: &str,
    name: &str,
    kind: &str,
    terms: &Map<String, Value>,
) -> Result<Declared, String> {
    let mut left_out = Vec::new();
    let pages: Vec<Map<String, Value>> = match terms.get("combine").and_then(Value::as_array) {
        None => vec![terms.clone()],
        Some(pages) => pages
            .iter()
            .filter_map(Value::as_object)
            .map(|page| {
                // What a page does not say, the terms say for all.
                let mut whole = terms.clone();
                whole.remove("combine");
                whole.extend(page.clone());
                whole
            })
            .collect(),
    };
    let mut source = Vec::new();
    let mut include: Vec<Part> = Vec::new();
    let mut remove: Vec<Part> = Vec::new();
    let mut selections = Vec::new();
    let mut browser = false;
    for page in &pages {
        let url = page
            .get("fetch")
            .and_then(Value::as_str)
            .ok_or_else(|| format!("`{kind}` has no `fetch`"))?;
        source.push(url.to_owned());
        let selected = parts(page.get("select"), kind)?;
        for part in &selected {
            if !include.contains(part) {
                include.push(part.clone());
            }
        }
        selections.push(selected);
        for part in parts(page.get("remove"), kind)? {
            if !remove.contains(&part) {
                remove.push(part);
            }
        }
        browser |= page.get("executeClientScripts") == Some(&Value::Bool(true));
        for filter in page
            .get("filter")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let line = filter_words(filter);
            if !left_out.contains(&line) {
                left_out.push(line);
            }
        }
    }
    if selections
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a != b))
    {
        left_out.push(
            "the pages have selectors of their own; here all selectors apply to all pages"
                .to_owned(),
        );
    }
    let mut document = tracked(slug(&format!("{service}-{kind}")), source);
    document.title = Some(format!("{name} {kind}"));
    document.include = include.into_iter().map(Selector).collect();
    document.remove = remove.into_iter().map(Selector).collect();
    if browser {
        document.render = Render::Browser;
    }
    Ok(Declared {
        document,
        left_out,
        history: Some(format!("{service}/{kind}.md")),
    })
}

/// Filters are code that the service's declaration brings along; it is not run here.
fn filter_words(filter: &Value) -> String {
    let name = match filter {
        Value::String(name) => name.clone(),
        Value::Object(map) => map.keys().cloned().collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    if name == "removeQueryParams" {
        "the filter removeQueryParams is not needed: parameters of links are no change of the text"
            .to_owned()
    } else {
        format!("the filter {name} is code and was not taken over")
    }
}

fn parts(value: Option<&Value>, kind: &str) -> Result<Vec<Part>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(|one| part(one, kind)).collect(),
        Some(one) => Ok(vec![part(one, kind)?]),
    }
}

fn part(value: &Value, kind: &str) -> Result<Part, String> {
    if let Some(css) = value.as_str() {
        return Ok(Part::Css(css.to_owned()));
    }
    let get = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let end_of = |before: Option<String>, after: Option<String>| match (before, after) {
        (Some(css), _) => Some((css, false)),
        (None, Some(css)) => Some((css, true)),
        (None, None) => None,
    };
    let start = end_of(get("startBefore"), get("startAfter"));
    let end = end_of(get("endBefore"), get("endAfter"));
    match (start, end) {
        (Some((start, start_after)), Some((end, end_after))) => Ok(Part::Range {
            start,
            start_after,
            end,
            end_after,
        }),
        _ => Err(format!(
            "`{kind}` has a selector that is neither CSS nor a range"
        )),
    }
}

/// The documents of a versions repository, from the names of its files: `Service/Terms Type.md`,
/// or `Service/Terms Type #page.md` where a document has several.
pub fn histories(files: &[String]) -> Vec<Declared> {
    let mut by_id: BTreeMap<String, Declared> = BTreeMap::new();
    for file in files {
        let Some((service, kind)) = file.strip_suffix(".md").and_then(|f| f.split_once('/')) else {
            continue;
        };
        if kind.contains('/') {
            continue;
        }
        let id = slug(&format!("{service}-{kind}"));
        let mut document = tracked(id.clone(), vec![file.clone()]);
        document.title = Some(format!("{service} {kind}"));
        by_id.entry(id).or_insert(Declared {
            document,
            left_out: Vec::new(),
            history: Some(file.clone()),
        });
    }
    by_id.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = r##"{
      "name": "Kelp & Co",
      "terms": {
        "Privacy Policy": {
          "fetch": "https://kelp.example/privacy",
          "select": ["main", {"startBefore": "#a", "endAfter": ".z"}],
          "remove": ".banner",
          "filter": ["dropAds", {"removeQueryParams": ["utm"]}],
          "executeClientScripts": true
        },
        "Terms of Service": {
          "select": "article",
          "combine": [
            {"fetch": "https://kelp.example/terms/1"},
            {"fetch": "https://kelp.example/terms/2", "select": "#two"}
          ]
        }
      }
    }"##;

    #[test]
    fn a_service_becomes_documents() {
        let found = service_of("Kelp", SERVICE).unwrap();
        let [privacy, terms] = found.as_slice() else {
            panic!("two documents: {found:?}");
        };
        assert_eq!(privacy.document.id, "kelp-privacy-policy");
        assert_eq!(
            privacy.document.title.as_deref(),
            Some("Kelp & Co Privacy Policy")
        );
        assert_eq!(privacy.document.include.len(), 2);
        assert_eq!(privacy.document.render, Render::Browser);
        assert_eq!(privacy.left_out.len(), 2);
        assert!(privacy.left_out[0].contains("dropAds is code"));
        assert_eq!(terms.document.source.len(), 2);
        assert_eq!(terms.document.include.len(), 2);
        assert!(terms.left_out[0].contains("selectors of their own"));
        assert_eq!(terms.history.as_deref(), Some("Kelp/Terms of Service.md"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(service_of("x", "{}").unwrap_err().contains("terms"));
        let error = service_of("x", r#"{"terms": {"P": {"select": "a"}}}"#).unwrap_err();
        assert!(error.contains("fetch"), "{error}");
    }
}
