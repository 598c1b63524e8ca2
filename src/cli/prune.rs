//! `fairnotice prune`

use std::time::Duration;

use fairnotice::run::{
    Workspace, history,
    prune::{self, Keep, Prunable, What},
    recipients,
};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, campaign, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Days for which lists are kept after a campaign ended; `[mail] keep_lists_days` otherwise.
    #[arg(long, value_name = "NUMBER")]
    days: Option<u32>,
    /// Instead of lists: erase the bytes of pages that could not be read, older than so many days.
    #[arg(long, value_name = "DAYS", conflicts_with = "days")]
    unread: Option<u32>,
    /// Instead of lists: erase the fetched bytes of versions but the last one, older than so many
    /// days; their texts stay.
    #[arg(long, value_name = "DAYS", conflicts_with = "days")]
    raw: Option<u32>,
    /// Only say what would be erased.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Files {
    schema: &'static str,
    dry_run: bool,
    files: Vec<Prunable>,
    bytes: u64,
    /// Why what is left is not committed, where it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_committed: Option<String>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    if args.unread.is_some() || args.raw.is_some() {
        return snapshots(args, globals);
    }
    let days = match args.days {
        Some(days) => days,
        None => campaign::config(root)?
            .mail
            .keep_lists_days
            .ok_or_else(|| {
                CliError::usage("no-retention", "nobody said how long lists are kept").hint(
                    "set `keep_lists_days` in [mail] of fairnotice.toml, or say --days; \
                     --unread and --raw are for snapshots",
                )
            })?,
    };
    let pruned = recipients::prune(root, days, globals.now(), args.dry_run)?;
    if globals.json() {
        return print_json(&pruned);
    }
    print_text(&format!(
        "the lists of {} campaigns {} erased\n",
        pruned.campaigns.len(),
        if args.dry_run { "would be" } else { "were" }
    ))
}

fn snapshots(args: &Args, globals: &Globals) -> Outcome {
    let (root, now) = (&globals.workspace, globals.now());
    let keep = Keep {
        unread: args.unread,
        raw: args.raw,
    };
    let mut not_committed = None;
    let files = if args.dry_run {
        prune::list(&Workspace::read(root)?, keep, now)?
    } else {
        let mut workspace = Workspace::write(root, "prune", now, Duration::ZERO)?;
        let files = prune::list(&workspace, keep, now)?;
        prune::remove(&mut workspace, &files, now)?;
        let messages = history::Message::of_pruned(&files);
        let committed = history::commit(&workspace, messages.iter());
        not_committed = super::committed(committed, globals);
        files
    };
    let bytes = files.iter().map(|file| file.bytes).sum();
    let exit = match not_committed {
        Some(_) => Exit::Partly,
        None => Exit::Done,
    };
    if globals.json() {
        print_json(&Files {
            schema: "fairnotice/pruned-snapshots/1",
            dry_run: args.dry_run,
            files,
            bytes,
            not_committed,
        })?;
        return Ok(exit);
    }
    let mut text = String::new();
    for file in &files {
        let what = match file.what {
            What::Unread => "could not be read",
            What::Raw => "bytes of an earlier version",
            What::Unfinished => "left by a killed run",
        };
        text += &format!("{}  {} bytes, {what}\n", file.file, file.bytes);
    }
    let done = if args.dry_run { "would be" } else { "were" };
    text += &format!("{} file(s), {bytes} bytes {done} erased\n", files.len());
    print_text(&text)?;
    Ok(exit)
}
