//! `fairnotice rules list | explain ID | test`

use std::fs;

use fairnotice::assess::{FailedExample, RuleError, RuleInfo, RuleSet};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the rules that judge changes.
    List {
        /// Only rules for this language (en, zh, …).
        #[arg(long)]
        language: Option<String>,
    },
    /// Show what a rule looks for, why, and its examples.
    Explain {
        /// The rule's id.
        id: String,
    },
    /// Run the examples of every rule, those of the workspace too.
    Test,
}

#[derive(Serialize)]
struct Listed<'a> {
    schema: &'static str,
    hash: &'a str,
    rules: &'a [RuleInfo],
}

#[derive(Serialize)]
struct Tested<'a> {
    schema: &'static str,
    hash: &'a str,
    rules: usize,
    examples: usize,
    failed: &'a [FailedExample],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let rules = load(globals)?;
    match &args.what {
        What::List { language } => list(&rules, language.as_deref(), globals),
        What::Explain { id } => explain(&rules, id, globals),
        What::Test => test(&rules, globals),
    }
}

/// The built-in rules with those in the workspace's `rules` folder.
pub(crate) fn load(globals: &Globals) -> Result<RuleSet, CliError> {
    let folder = globals.workspace.join("rules");
    let mut files = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "toml") && is_judging(&folder, &path) {
                let text = fs::read_to_string(&path).map_err(|error| {
                    CliError::failed("rules", format!("cannot read {}: {error}", path.display()))
                })?;
                files.push((path.display().to_string(), text));
            }
        }
    }
    files.sort();
    RuleSet::with(&files).map_err(|error| wrong(&error))
}

/// Rules of judging stand in `rules/judging*.toml` and in `rules/judging/`; other files of the
/// folder belong to other steps.
fn is_judging(folder: &std::path::Path, path: &std::path::Path) -> bool {
    path.strip_prefix(folder)
        .ok()
        .and_then(|rest| rest.components().next())
        .is_some_and(|first| first.as_os_str().to_string_lossy().starts_with("judging"))
}

fn wrong(error: &RuleError) -> CliError {
    CliError::usage("rules", error.to_string())
        .hint("docs/rules.md tells how rules are written; `fairnotice rules list` shows all ids")
}

fn list(rules: &RuleSet, language: Option<&str>, globals: &Globals) -> Outcome {
    let mut infos = rules.list();
    infos.retain(|info| language.is_none_or(|wanted| info.language == wanted));
    if globals.json() {
        return print_json(&Listed {
            schema: "fairnotice/rules/1",
            hash: rules.hash(),
            rules: &infos,
        });
    }
    let mut text = String::new();
    for info in &infos {
        let state = if info.silenced { " (silenced)" } else { "" };
        text += &format!(
            "{:<3} {:<7} {:<30} {}{state}\n",
            info.language, info.kind, info.id, info.reason
        );
    }
    print_text(&text)
}

fn explain(rules: &RuleSet, id: &str, globals: &Globals) -> Outcome {
    let infos: Vec<RuleInfo> = rules
        .list()
        .into_iter()
        .filter(|info| info.id == id)
        .collect();
    let Some(info) = infos.first() else {
        return Err(
            CliError::usage("unknown-rule", format!("there is no rule `{id}`"))
                .hint("`fairnotice rules list` shows all ids"),
        );
    };
    if globals.json() {
        return print_json(info);
    }
    let mut text = format!(
        "{} ({}, {})\n{}\n",
        info.id, info.kind, info.language, info.reason
    );
    if let Some(source) = &info.source {
        text += &format!("Source: {source}\n");
    }
    if info.silenced {
        text += "Silenced by the workspace.\n";
    }
    for (list, phrases) in &info.looks_for {
        text += &format!("{list}: {}\n", phrases.join("; "));
    }
    for (title, examples) in [("matches", &info.hits), ("does not match", &info.misses)] {
        for example in examples {
            text += &format!("{title}: {}\n", example.join("  ->  "));
        }
    }
    print_text(&text)
}

fn test(rules: &RuleSet, globals: &Globals) -> Outcome {
    let failed = rules.test();
    let infos = rules.list();
    let examples = infos
        .iter()
        .map(|info| info.hits.len() + info.misses.len())
        .sum();
    if globals.json() {
        print_json(&Tested {
            schema: "fairnotice/rules-test/1",
            hash: rules.hash(),
            rules: infos.len(),
            examples,
            failed: &failed,
        })?;
    } else {
        let mut text = String::new();
        for one in &failed {
            text += &format!(
                "{}: expected {}: {}\n",
                one.rule,
                one.expected,
                one.example.join("  ->  ")
            );
        }
        text += &format!(
            "{} rules, {examples} examples, {} failed\n",
            infos.len(),
            failed.len()
        );
        print_text(&text)?;
    }
    Ok(if failed.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}
