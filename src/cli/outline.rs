//! `fairnotice outline FILE`

use fairnotice::read::{Dates, Document, Warning};
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
struct Outline<'a> {
    schema: &'static str,
    title: Option<&'a str>,
    language: Option<&'a str>,
    dates: &'a Dates,
    sections: Vec<Section<'a>>,
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct Section<'a> {
    level: u8,
    label: Option<&'a str>,
    title: &'a str,
    path: &'a [String],
    lines: (usize, usize),
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let document = input::document(&args.file, args.input_format, globals)?;
    if globals.json() {
        return print_json(&outline(&document));
    }
    let mut text = format!("{}\n", document.title.as_deref().unwrap_or("(no title)"));
    for section in &document.sections {
        let indent = "  ".repeat(usize::from(section.level));
        let label = section
            .label
            .as_ref()
            .map(|l| format!("{l} "))
            .unwrap_or_default();
        text += &format!(
            "{indent}{label}{} [line {}]\n",
            section.title, section.lines.0
        );
    }
    for warning in &document.warnings {
        text += &format!("warning: {}: {}\n", warning.code, warning.detail);
    }
    print_text(&text)
}

fn outline(document: &Document) -> Outline<'_> {
    Outline {
        schema: "fairnotice/outline/1",
        title: document.title.as_deref(),
        language: document.language.as_deref(),
        dates: &document.dates,
        sections: document
            .sections
            .iter()
            .map(|section| Section {
                level: section.level,
                label: section.label.as_deref(),
                title: &section.title,
                path: &section.path,
                lines: section.lines,
            })
            .collect(),
        warnings: &document.warnings,
    }
}
