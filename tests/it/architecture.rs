//! The rooms of `ARCHITECTURE.md` and who may know whom.

use std::{fs, path::Path};

/// Each room and the rooms it may use. A room that is not listed fails the test.
const ALLOWED: &[(&str, &[&str])] = &[
    ("read", &[]),
    ("compare", &["read"]),
    ("assess", &["read", "compare"]),
    ("duty", &["read", "compare", "assess"]),
    ("render", &["read", "compare", "assess", "duty"]),
    ("notice", &["read", "compare", "assess", "duty", "render"]),
    (
        "evidence",
        &["read", "compare", "assess", "duty", "render", "notice"],
    ),
    ("config", CORE),
    ("fetch", CORE),
    ("store", CORE),
    ("deliver", CORE),
    ("run", EVERYTHING),
];

const CORE: &[&str] = &[
    "read", "compare", "assess", "duty", "render", "notice", "evidence",
];
const EVERYTHING: &[&str] = &[
    "read", "compare", "assess", "duty", "render", "notice", "evidence", "config", "fetch",
    "store", "deliver",
];

/// What the core must not touch: the world comes to it as arguments.
const WORLD: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::time::SystemTime",
    "std::time::Instant",
    "tokio::",
    "reqwest::",
    "sled::",
    "lettre::",
];

#[test]
fn rooms_know_only_the_rooms_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (file, text) in sources(&root) {
        let relative = file.strip_prefix(&root).unwrap().to_path_buf();
        let room = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        if room.ends_with(".rs") || room == "cli" || room == "serve" {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room}: a room that is not in the table"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            for used in crate_paths(line) {
                if used != room
                    && !allowed.contains(&used.as_str())
                    && ALLOWED.iter().any(|(n, _)| *n == used)
                {
                    wrong.push(format!(
                        "{}:{}: {room} may not know {used}",
                        relative.display(),
                        number + 1
                    ));
                }
            }
            if CORE.contains(&room.as_str()) {
                for world in WORLD.iter().filter(|world| line.contains(*world)) {
                    wrong.push(format!(
                        "{}:{}: the core may not touch {world}",
                        relative.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rooms that a line names as `crate::room`, also in a `use crate::{a, b::C}` on one line.
fn crate_paths(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + 7..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level_names(group),
            None => vec![rest],
        };
        found.extend(names.iter().map(|name| {
            name.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        }));
    }
    found
}

fn top_level_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&group[start..at]);
                return names;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    names.push(&group[start..]);
    names
}

fn sources(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}
