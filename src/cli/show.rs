//! `fairnotice show FILE`

use fairnotice::read;

use super::{Globals, Outcome, input, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document: a path, or - for standard input.
    file: String,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let document = input::document(&args.file, args.input_format, globals)?;
    let text = read::canonical(&document);
    if globals.json() {
        return print_json(&serde_json::json!({
            "schema": "fairnotice/show/1",
            "title": document.title,
            "language": document.language,
            "dates": document.dates,
            "text": text,
        }));
    }
    print_text(&text)
}
