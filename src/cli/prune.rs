//! `fairnotice prune`

use fairnotice::run::recipients;

use super::{CliError, Globals, Outcome, campaign, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Days for which lists are kept after a campaign ended; `[mail] keep_lists_days` otherwise.
    #[arg(long, value_name = "NUMBER")]
    days: Option<u32>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let days = match args.days {
        Some(days) => days,
        None => campaign::config(root)?
            .mail
            .keep_lists_days
            .ok_or_else(|| {
                CliError::usage("no-retention", "nobody said how long lists are kept")
                    .hint("set `keep_lists_days` in [mail] of fairnotice.toml, or say --days")
            })?,
    };
    let pruned = recipients::prune(root, days, globals.now())?;
    if globals.json() {
        return print_json(&pruned);
    }
    print_text(&format!(
        "the lists of {} campaigns were erased\n",
        pruned.campaigns.len()
    ))
}
