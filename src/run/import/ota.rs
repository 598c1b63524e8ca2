//! Open Terms Archive: a folder of declarations (one JSON file a service), and its repositories of
//! versions (`Service/Terms Type.md`).

use std::{fs, path::Path};

use serde_json::{Map, Value};

use super::{Declared, ImportError, keep_apart, slug, tracked};
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
    keep_apart(&mut found, |one| one.history.clone().unwrap_or_default());
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
    let pages: Vec<Map<String, Value>> = match terms.get("combine") {
        None => vec![terms.clone()],
        Some(Value::Array(pages)) => pages
            .iter()
            .map(|page| {
                let page = page
                    .as_object()
                    .ok_or_else(|| format!("`{kind}`: each entry of `combine` is an object"))?;
                // What a page does not say, the terms say for all.
                let mut whole = terms.clone();
                whole.remove("combine");
                whole.extend(page.clone());
                Ok(whole)
            })
            .collect::<Result<_, String>>()?,
        Some(_) => return Err(format!("`{kind}`: `combine` is not a list")),
    };
    let mut source = Vec::new();
    let mut include: Vec<Part> = Vec::new();
    let mut remove: Vec<Part> = Vec::new();
    let (mut selections, mut removals) = (Vec::new(), Vec::new());
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
        let removed = parts(page.get("remove"), kind)?;
        for part in &removed {
            if !remove.contains(part) {
                remove.push(part.clone());
            }
        }
        removals.push(removed);
        browser |= page.get("executeClientScripts") == Some(&Value::Bool(true));
        let filters = match page.get("filter") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(filters)) => filters.iter().collect(),
            Some(one) => vec![one],
        };
        for filter in filters {
            let line = filter_words(filter);
            if !left_out.contains(&line) {
                left_out.push(line);
            }
        }
    }
    for (what, of_pages) in [("select", &selections), ("remove", &removals)] {
        if of_pages
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a != b))
        {
            left_out.push(format!(
                "the pages have selectors of their own (`{what}`); here all selectors apply to all \
                 pages: see with `fairnotice show` that nothing is missing"
            ));
        }
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
    let part = unchecked(value, kind)?;
    part.check().map_err(|error| format!("`{kind}`: {error}"))?;
    Ok(part)
}

fn unchecked(value: &Value, kind: &str) -> Result<Part, String> {
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
    let mut found = Vec::new();
    for file in files {
        let Some((service, kind)) = file.strip_suffix(".md").and_then(|f| f.split_once('/')) else {
            continue;
        };
        if kind.contains('/') {
            continue;
        }
        let id = slug(&format!("{service}-{kind}"));
        let mut document = tracked(id, vec![file.clone()]);
        document.title = Some(format!("{service} {kind}"));
        found.push(Declared {
            document,
            left_out: Vec::new(),
            history: Some(file.clone()),
        });
    }
    keep_apart(&mut found, |one| one.history.clone().unwrap_or_default());
    found
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
        assert!(terms.left_out[0].contains("selectors of their own (`select`)"));
        assert_eq!(terms.history.as_deref(), Some("Kelp/Terms of Service.md"));
    }

    #[test]
    fn names_that_look_alike_or_are_of_another_script_keep_apart() {
        let files: Vec<String> = [
            "A.b/Terms.md",
            "A b/Terms.md",
            "Сервис/Terms.md",
            "Услуга/Terms.md",
        ]
        .map(str::to_owned)
        .to_vec();
        let ids = |files: &[String]| -> Vec<String> {
            let found = histories(files).into_iter();
            found.map(|one| one.document.id).collect()
        };
        let all = ids(&files);
        assert_eq!(all[0], "a-b-terms");
        assert!(all[1].starts_with("a-b-terms-"), "{all:?}");
        assert!(
            all[2].starts_with("terms-") && all[3].starts_with("terms-"),
            "{all:?}"
        );
        assert_ne!(all[2], all[3]);
        assert_eq!(all, ids(&files));
        assert_eq!(ids(&files[3..]), all[3..]);
        assert_eq!(slug("Café Élan"), "cafe-elan");
    }

    #[test]
    fn pages_of_their_own_removals_are_said() {
        let text = r#"{"terms": {"T": {"combine": [
            {"fetch": "https://a.example/1", "select": "main", "remove": ".note"},
            {"fetch": "https://a.example/2", "select": "main"}], "filter": "tidy"}}}"#;
        let found = service_of("x", text).unwrap();
        let left_out = found[0].left_out.join("\n");
        assert!(
            left_out.contains("`remove`") && left_out.contains("tidy"),
            "{left_out}"
        );
        assert!(!left_out.contains("`select`"), "{left_out}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = service_of(
            "x",
            r#"{"terms": {"P": {"fetch": "https://a.example", "select": "main["}}}"#,
        )
        .unwrap_err();
        assert!(error.contains("`P`") && error.contains("main["), "{error}");
        let error = service_of(
            "x",
            r#"{"terms": {"P": {"combine": ["https://a.example"]}}}"#,
        )
        .unwrap_err();
        assert!(error.contains("combine"), "{error}");
        assert!(service_of("x", "{}").unwrap_err().contains("terms"));
        let error = service_of("x", r#"{"terms": {"P": {"select": "a"}}}"#).unwrap_err();
        assert!(error.contains("fetch"), "{error}");
    }
}
