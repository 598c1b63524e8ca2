//! `fairnotice outline FILE…`

use std::{fmt::Write as _, path::Path};

use fairnotice::read::{Dates, Document, Suspect, Warning};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, input, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The documents: paths, folders of documents, DOC@VERSION, or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
}

#[derive(Serialize)]
struct Outline<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    title: Option<&'a str>,
    language: Option<&'a str>,
    dates: &'a Dates,
    words: usize,
    sections: Vec<Section<'a>>,
    warnings: &'a [Warning],
    suspect: Option<&'a Suspect>,
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
    let mut files = Vec::new();
    for file in &args.files {
        if file != "-" && Path::new(file).is_dir() {
            folder(Path::new(file), &mut files)?;
        } else {
            files.push(file.clone());
        }
    }
    let mut documents = Vec::with_capacity(files.len());
    let mut failed = Vec::new();
    let several = files.len() > 1;
    for file in &files {
        match input::document(file, args.input_format, globals) {
            Ok(document) => documents.push((file.as_str(), document)),
            Err(error) if several => failed.push(error),
            Err(error) => return Err(error),
        }
    }
    if documents.is_empty() {
        return Err(failed.into_iter().next().unwrap_or_else(|| {
            CliError::failed("no-documents", "there are no documents in that folder")
        }));
    }
    if globals.json() {
        let outlines: Vec<Outline<'_>> = documents
            .iter()
            .map(|(file, document)| outline(document, several.then_some(*file)))
            .collect();
        match outlines.as_slice() {
            [one] if !several => print_json(one)?,
            all => print_json(&all)?,
        };
    } else {
        let mut text = String::new();
        for (file, document) in &documents {
            if several {
                let _ = writeln!(text, "{file}");
            }
            tree(document, &mut text);
            if several {
                text.push('\n');
            }
        }
        print_text(&text)?;
    }
    if failed.is_empty() {
        return Ok(Exit::Done);
    }
    for error in failed {
        error.report(globals.json());
    }
    Ok(Exit::Partly)
}

/// All files in a folder and below, in the order of their names.
fn folder(path: &Path, files: &mut Vec<String>) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::failed(
            "unreadable",
            format!("cannot read {}: {error}", path.display()),
        )
    };
    let mut entries = std::fs::read_dir(path)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type().map_err(unreadable)?;
        if hidden {
            continue;
        }
        if kind.is_dir() {
            folder(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path().to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// The outline for people: title, dates, sections with their lines, oddities.
fn tree(document: &Document, text: &mut String) {
    let _ = writeln!(
        text,
        "{}",
        document.title.as_deref().unwrap_or("(no title)")
    );
    let mut facts = Vec::new();
    if let Some(date) = document.dates.effective {
        facts.push(format!("effective {date}"));
    }
    if let Some(date) = document.dates.updated {
        facts.push(format!("updated {date}"));
    }
    if let Some(language) = &document.language {
        facts.push(language.clone());
    }
    facts.push(format!("{} words", document.word_count()));
    facts.push(match document.sections.len() {
        0 => "no sections".to_owned(),
        1 => "1 section".to_owned(),
        n => format!("{n} sections"),
    });
    let _ = writeln!(text, "{}\n", facts.join(" · "));
    let digits = document.line_starts.len().to_string().len();
    for section in &document.sections {
        let indent = "  ".repeat(usize::from(section.level.saturating_sub(1)));
        let label = section
            .label
            .as_ref()
            .map(|l| format!("{l}  "))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>digits$}  {indent}{label}{}",
            section.lines.0, section.title
        );
    }
    if let Some(suspect) = &document.suspect {
        let _ = writeln!(text, "\nsuspect: {}: {}", suspect.code, suspect.detail);
    }
    if !document.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &document.warnings {
        let _ = writeln!(text, "warning: {}: {}", warning.code, warning.detail);
    }
}

fn outline<'a>(document: &'a Document, file: Option<&'a str>) -> Outline<'a> {
    Outline {
        schema: "fairnotice/outline/1",
        file,
        title: document.title.as_deref(),
        language: document.language.as_deref(),
        dates: &document.dates,
        words: document.word_count(),
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
        suspect: document.suspect.as_ref(),
    }
}
