//! `fairnotice rules list | explain ID | test`

use fairnotice::{
    assess::{FailedExample, RuleInfo, RuleSet},
    config::RulesConfig,
    run,
};
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

/// The rules of the workspace; where there is none, the built-in ones with those of a `rules`
/// folder.
fn load(globals: &Globals) -> Result<std::sync::Arc<RuleSet>, CliError> {
    let root = &globals.workspace;
    let config = match fairnotice::config::load(root) {
        Ok(config) => config.rules,
        Err(_) if !root.join("fairnotice.toml").exists() => RulesConfig::default(),
        Err(error) => return Err(error.into()),
    };
    Ok(run::rules::rules(root, &config)?)
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
        return print_json(&Listed {
            schema: "fairnotice/rules/1",
            hash: rules.hash(),
            rules: &infos,
        });
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
