//! `fairnotice duties FILE`

use fairnotice::{duty, read::Warning};
use serde::Serialize;

use super::{Globals, Outcome, input, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document: a path, or - for standard input.
    file: String,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    duties: &'a [duty::Duty],
    warnings: &'a [Warning],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let document = input::document(&args.file, args.input_format, globals)?;
    let found = duty::find(&document);
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/duties/1",
            duties: &found.duties,
            warnings: &found.warnings,
        });
    }
    let mut text = String::new();
    for duty in &found.duties {
        text += &format!(
            "{} {:?} lines {}-{}\n    {}\n",
            duty.id, duty.trigger, duty.lines.0, duty.lines.1, duty.quote
        );
    }
    print_text(&text)
}
