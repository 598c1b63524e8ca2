//! The rules that judge in a workspace: the built-in ones, those of its `rules` folder, without
//! those that its configuration silences.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::WorkspaceError;
use crate::{assess::RuleSet, config::RulesConfig};

/// Reads the rules. Files of judging are `rules/judging*.toml` and all below `rules/judging/`;
/// other files of that folder belong to other steps.
///
/// # Errors
/// When a file cannot be read or holds a wrong rule.
pub fn rules(root: &Path, config: &RulesConfig) -> Result<Arc<RuleSet>, WorkspaceError> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("rules")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            if !name.starts_with("rules/judging") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "toml") {
                let text = fs::read_to_string(&path).map_err(|error| {
                    WorkspaceError::Rules(format!("cannot read {name}: {error}"))
                })?;
                files.push((name, text));
            }
        }
    }
    files.sort();
    if !config.silence.is_empty() {
        let ids: Vec<String> = config.silence.iter().map(|id| format!("{id:?}")).collect();
        files.push((
            "fairnotice.toml".to_owned(),
            format!("silence = [{}]", ids.join(", ")),
        ));
    }
    // A run judges many changes by the same rules, and they compile slowly.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, rules)) = last.as_ref().filter(|(of, _)| *of == files) {
        return Ok(Arc::clone(rules));
    }
    let rules = RuleSet::with(&files).map_err(|error| WorkspaceError::Rules(error.to_string()))?;
    let rules = Arc::new(rules);
    *last = Some((files, Arc::clone(&rules)));
    Ok(rules)
}

/// Files of rules, name and text.
type Files = Vec<(String, String)>;

/// The rules that were made last, and the files they were made of.
static LAST: Mutex<Option<(Files, Arc<RuleSet>)>> = Mutex::new(None);
