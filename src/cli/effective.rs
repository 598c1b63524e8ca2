//! `fairnotice effective DOC VERSION DATE|withdrawn`

use std::time::Duration;

use fairnotice::{run::Workspace, store::Event};
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
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/effective/1",
            document: &args.document,
            version: version.id.to_string(),
            effective: date,
            withdrawn: date.is_none(),
        });
    }
    print_text(&match date {
        Some(day) => format!(
            "{}@{} takes effect on {day}. `fairnotice plan {}` shows what that asks for; notices that name another day must be corrected.\n",
            args.document,
            version.id.short(),
            args.document
        ),
        None => format!(
            "{}@{} is withdrawn: the text in force before it stays in force. Notices already sent must be recalled.\n",
            args.document,
            version.id.short()
        ),
    })
}
