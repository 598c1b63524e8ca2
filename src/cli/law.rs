//! `fairnotice law list | show ID`

use fairnotice::{
    duty::law::{self, Entry, NO_ADVICE},
    run::{self, Workspace},
};
use serde::Serialize;

use super::{CliError, Globals, Outcome, duties::word, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the law packs' entries.
    List {
        /// Only these jurisdictions (eu, us-ca, …).
        #[arg(long, short)]
        jurisdiction: Vec<String>,
        /// Only those for this kind of document (privacy, payment, …).
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show one entry, or all of a jurisdiction.
    Show {
        /// The entry's id, or a jurisdiction's (eu, us-ca, …).
        id: String,
    },
}

#[derive(Serialize)]
struct Listed<'a> {
    schema: &'static str,
    remark: &'static str,
    entries: Vec<&'a Entry>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    // A workspace may bring packs of its own; without one the built-in packs are listed.
    let entries = if globals.workspace.join(fairnotice::config::FILE).exists() {
        run::plan::packs(&Workspace::read(&globals.workspace)?)?
    } else {
        law::packs().to_vec()
    };
    let chosen: Vec<&Entry> = match &args.what {
        What::List { jurisdiction, kind } => entries
            .iter()
            .filter(|entry| {
                jurisdiction.is_empty()
                    || jurisdiction.iter().any(|name| {
                        *name == entry.jurisdiction
                            || name.starts_with(&format!("{}-", entry.jurisdiction))
                    })
            })
            .filter(|entry| kind.as_ref().is_none_or(|kind| entry.kinds.contains(kind)))
            .collect(),
        What::Show { id } => {
            let of = |field: fn(&Entry) -> &str| -> Vec<&Entry> {
                entries.iter().filter(|entry| field(entry) == id).collect()
            };
            let mut found = of(|entry| &entry.id);
            if found.is_empty() {
                found = of(|entry| &entry.jurisdiction);
            }
            if found.is_empty() {
                return Err(CliError::usage(
                    "unknown-law",
                    format!("there is no law pack and no entry `{id}`"),
                )
                .hint("`fairnotice law list` lists all"));
            }
            found
        }
    };
    if globals.json() {
        return print_json(&Listed {
            schema: "fairnotice/law/1",
            remark: NO_ADVICE,
            entries: chosen,
        });
    }
    let mut text = String::new();
    for (number, entry) in chosen.iter().enumerate() {
        text += &match args.what {
            What::List { .. } => line(entry),
            What::Show { .. } if number > 0 => format!("\n{}", page(entry)),
            What::Show { .. } => page(entry),
        };
    }
    if chosen.is_empty() {
        text += "No entry fits.\n";
    }
    print_text(&format!("{text}\n{NO_ADVICE}\n"))
}

fn line(entry: &Entry) -> String {
    let lead = entry.lead.map_or_else(
        || word(&entry.timing),
        |lead| format!("{} {lead}", word(&entry.timing)),
    );
    format!(
        "{:<28} {:<16} {:<24} {:<10} {}\n",
        entry.id,
        word(&entry.trigger),
        lead,
        entry.standing(),
        entry.provision
    )
}

fn page(entry: &Entry) -> String {
    let mut rows = vec![
        ("provision", entry.provision.clone()),
        (
            "standing",
            format!("{} (checked {})", entry.standing(), entry.checked),
        ),
        ("jurisdiction", entry.jurisdiction.clone()),
        ("documents", entry.kinds.join(", ")),
        ("due on", word(&entry.trigger)),
        ("when", word(&entry.timing)),
        ("medium", word(&entry.medium)),
        ("consent", word(&entry.consent)),
    ];
    if let Some(lead) = entry.lead {
        rows.push(("lead", fairnotice::duty::calendar::rule(lead)));
    }
    let joined = |words: Vec<String>| words.join(", ");
    if !entry.topics.is_empty() {
        rows.push(("topics", joined(entry.topics.iter().map(word).collect())));
    }
    if !entry.directions.is_empty() {
        rows.push((
            "directions",
            joined(entry.directions.iter().map(word).collect()),
        ));
    }
    if !entry.contents.is_empty() {
        rows.push((
            "must say",
            joined(entry.contents.iter().map(word).collect()),
        ));
    }
    if !entry.exceptions.is_empty() {
        rows.push(("not where", entry.exceptions.join("; ")));
    }
    if let Some(condition) = &entry.applies_if {
        rows.push(("only if", condition.clone()));
    }
    if let Some(note) = &entry.note {
        rows.push(("note", note.clone()));
    }
    rows.push(("source", entry.link.clone()));
    let mut text = format!("{}\n  {}\n\n", entry.id, entry.summary);
    for (name, value) in rows {
        text += &format!("  {name:<13} {value}\n");
    }
    text
}
