//! `fairnotice effective DOC VERSION DATE|withdrawn`

use std::time::Duration;

use fairnotice::{
    notice::Notice,
    run::{
        Workspace,
        rewrite::{Rewritten, rewrite},
    },
    store::Event,
};
use jiff::civil::Date;
use serde::Serialize;

use super::{CliError, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document.
    document: String,
    /// The version: latest, a day, or the start of its id.
    version: String,
    /// The day on which it takes effect, or `withdrawn`: it never does.
    date: String,
    /// Who says so.
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        hide_env_values = true,
        default_value = "unknown"
    )]
    by: String,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    document: &'a str,
    version: String,
    effective: Option<Date>,
    withdrawn: bool,
    /// Notices that were written anew for that day.
    written_anew: Vec<&'a str>,
    /// Of those, the ones whose approval fell.
    approvals_fell: Vec<&'a str>,
    /// Notices that are out already and name another day: they need a correction.
    to_correct: Vec<&'a str>,
    /// Notices on which a person set another day.
    set_by_hand: Vec<&'a str>,
    /// Campaigns that have sent nothing and carry an old text.
    stale_campaigns: &'a [String],
}

fn ids(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.id.as_str()).collect()
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let date = match args.date.as_str() {
        "withdrawn" => None,
        day => Some(day.parse::<Date>().map_err(|error| {
            CliError::usage("date", format!("`{day}` is no day: {error}"))
                .hint("write 2027-03-01, or withdrawn")
        })?),
    };
    let now = globals.now();
    let mut workspace = Workspace::write(
        &globals.workspace,
        "effective",
        now,
        Duration::from_secs(10),
    )?;
    let version = workspace.resolve(&args.document, &args.version)?;
    workspace.record(
        now,
        vec![Event::EffectSet {
            document: args.document.clone(),
            version: version.id,
            date,
            by: args.by.clone(),
        }],
    )?;
    let rewritten = rewrite(&mut workspace, &args.document, version.id, date, now)?;
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/effective/1",
            document: &args.document,
            version: version.id.to_string(),
            effective: date,
            withdrawn: date.is_none(),
            written_anew: ids(&rewritten.anew),
            approvals_fell: rewritten.fallen.iter().map(String::as_str).collect(),
            to_correct: ids(&rewritten.out),
            set_by_hand: ids(&rewritten.by_hand),
            stale_campaigns: &rewritten.campaigns,
        });
    }
    let name = format!("{}@{}", args.document, version.id.short());
    let mut text = match date {
        Some(day) => format!(
            "{name} takes effect on {day}. `fairnotice plan {}` shows what that asks for.\n",
            args.document
        ),
        None => format!("{name} is withdrawn: the text in force before it stays in force.\n"),
    };
    text += &followed(&rewritten, date);
    print_text(&text)
}

/// What became of the notices, a line each.
fn followed(rewritten: &Rewritten, date: Option<Date>) -> String {
    let mut text = String::new();
    for notice in &rewritten.anew {
        text += &format!("  written anew: {}", notice.id);
        if rewritten.fallen.contains(&notice.id) {
            text += " (its approval fell: approve it again)";
        }
        text.push('\n');
    }
    for notice in &rewritten.by_hand {
        text += &format!(
            "  ! {} names another day that was set by hand: fairnotice notice set {} effective={}\n",
            notice.id,
            notice.id,
            date.map(|day| day.to_string()).unwrap_or_default()
        );
    }
    for campaign in &rewritten.campaigns {
        text += &format!(
            "  ! campaign {campaign} carries the old text and cannot be sent: fairnotice campaign \
             cancel {campaign}, then make a new one\n"
        );
    }
    for notice in &rewritten.out {
        text += &format!(
            "  ! {} is out and names another day: draft a correction (fairnotice notice correct {})\n",
            notice.id, notice.id
        );
    }
    text
}
