//! `fairnotice reindex`

use std::time::Duration;

use fairnotice::{run::Workspace, store::Journal};

use super::{CliError, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Wait for another run for so many seconds.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "600")]
    wait: Option<u64>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let wait = Duration::from_secs(args.wait.unwrap_or_default());
    let mut workspace = Workspace::write(&globals.workspace, "reindex", globals.now(), wait)?;
    let report = Journal::verify(&workspace.journal_file())?;
    let entries = workspace.reindex()?;
    let damaged = workspace.damaged_snapshots()?;
    if !damaged.is_empty() {
        let message = format!(
            "the index was built anew from {entries} entries, but snapshot files are missing or \
             were altered:\n  {}",
            damaged.join("\n  ")
        );
        return Err(CliError::failed("snapshot-damaged", message)
            .hint("restore them from a copy, such as the Git repository they are in"));
    }
    if globals.json() {
        return print_json(&serde_json::json!({
            "schema": "fairnotice/reindex/1", "entries": entries, "head": report.head,
        }));
    }
    print_text(&format!(
        "The journal verifies: {} entries, head {}\nThe index was built anew from {entries} entries\n",
        report.entries, report.head
    ))
}
