//! `fairnotice diff OLD NEW`

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use fairnotice::{
    assess, compare,
    render::{self, Head, Redline, TerminalStyle, VersionHead},
    run::{judge, print},
};

use super::{CliError, Exit, Format, Globals, Outcome, input, page, print_json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old document: a path, - for standard input, or DOC@VERSION.
    old: String,
    /// The new document.
    new: String,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
    /// Stop after this step.
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Write to this file; its ending chooses the format where --format does not.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show technical changes and renumberings on the terminal too.
    #[arg(long)]
    all: bool,
    /// Name on tracked changes.
    #[arg(long, value_name = "NAME", default_value = "fairnotice")]
    author: String,
    /// Add the partition of both texts to the JSON document.
    #[arg(long)]
    segments: bool,
    /// Exit with 10 when something substantive changed, 20 when something material did.
    #[arg(long)]
    exit_code: bool,
    /// Pager for long output on a terminal.
    #[arg(long, value_name = "COMMAND", env = "PAGER", hide_env_values = true)]
    pager: Option<String>,
    /// Use no pager.
    #[arg(long)]
    no_pager: bool,
    /// Browser that prints PDF.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "FAIRNOTICE_BROWSER",
        hide_env_values = true
    )]
    browser: Option<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// The comparison: no verdict, findings, duties or promises.
    Compare,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let format = format(args, globals)?;
    let old = input::source(&args.old, args.input_format, globals)?;
    let new = input::source(&args.new, args.input_format, globals)?;
    let judged = match args.only {
        Some(Only::Compare) => None,
        None => Some(judge::judge(&old.document, &new.document)),
    };
    let compared;
    let comparison = match &judged {
        Some(judged) => &judged.comparison,
        None => {
            compared = compare::compare(&old.document, &new.document);
            &compared
        }
    };
    let duties = judged
        .as_ref()
        .map(judge::Judged::triggered)
        .unwrap_or_default();
    let head = Head {
        old: version(&args.old, &old),
        new: version(&args.new, &new),
        author: args.author.clone(),
        made: made(format, globals),
    };
    let redline = Redline {
        old: &old.document,
        new: &new.document,
        comparison,
        assessment: judged.as_ref().map(|j| &j.assessment),
        duties: &duties,
        promises: judged.as_ref().map_or(&[], |j| &j.promises),
        head: &head,
    };
    write(args, format, &redline)?;
    Ok(match judged.map(|j| j.assessment.verdict) {
        Some(assess::Verdict::Material) if args.exit_code => Exit::Material,
        Some(assess::Verdict::Substantive) if args.exit_code => Exit::Substantive,
        _ => Exit::Done,
    })
}

/// The format asked for, else that of the output's ending, else the terminal's.
fn format(args: &Args, globals: &Globals) -> Result<Format, CliError> {
    if let Some(format) = globals.format {
        return Ok(format);
    }
    let Some(output) = args.output.as_deref().filter(|o| *o != Path::new("-")) else {
        return Ok(Format::Terminal);
    };
    let ending = output
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    Ok(match ending.as_str() {
        "html" | "htm" => Format::Html,
        "docx" => Format::Docx,
        "pdf" => Format::Pdf,
        "md" | "markdown" => Format::Markdown,
        "json" => Format::Json,
        "txt" => Format::Terminal,
        _ => {
            return Err(CliError::usage(
                "output-format",
                format!("{} does not tell which format is wanted", output.display()),
            )
            .hint("end it in .html, .docx, .pdf, .md, .txt or .json, or say --format"));
        }
    })
}

/// The time goes into documents, where people expect it; not into text that is compared.
fn made(format: Format, globals: &Globals) -> Option<jiff::Timestamp> {
    matches!(format, Format::Html | Format::Docx | Format::Pdf).then(|| globals.now())
}

fn version(name: &str, source: &input::Source) -> VersionHead {
    VersionHead {
        name: if name == "-" {
            "standard input".to_owned()
        } else {
            name.to_owned()
        },
        version: source.version.clone(),
        sha256: Some(source.sha256.clone()),
        seen: source.seen,
    }
}

fn write(args: &Args, format: Format, redline: &Redline<'_>) -> Outcome {
    let output = args.output.as_deref();
    let to_file = output.is_some_and(|path| path != Path::new("-"));
    let screen = page::Screen::of_stdout();
    match format {
        Format::Json if to_file => {
            let text = serde_json::to_string_pretty(&render::json(redline, args.segments))
                .map_err(|error| failed(&error))?;
            page::write(output, (text + "\n").as_bytes())
        }
        Format::Json => print_json(&render::json(redline, args.segments)),
        Format::Markdown => page::write(output, render::markdown(redline).as_bytes()),
        Format::Html => page::write(output, html(redline)?.as_bytes()),
        Format::Docx => {
            binary(args, screen, "docx")?;
            page::write(output, &render::docx(redline).map_err(|e| failed(&e))?)
        }
        Format::Pdf => {
            binary(args, screen, "pdf")?;
            let bytes = print::pdf(&html(redline)?, args.browser.as_deref(), print::TIME_LIMIT)
                .map_err(|error| {
                    CliError::failed("no-pdf", error.to_string()).hint(
                    "install Chromium or Chrome, or name one with --browser; or write .html and \
                     print it from any browser, or .docx",
                )
                })?;
            page::write(output, &bytes)
        }
        Format::Terminal => {
            let style = TerminalStyle {
                colour: screen.colour && !to_file,
                width: if to_file { 80 } else { screen.width },
                everything: args.all,
            };
            let text = render::terminal(redline, &style);
            if to_file {
                return page::write(output, text.as_bytes());
            }
            let pager = if args.no_pager {
                Some("")
            } else {
                args.pager.as_deref()
            };
            page::show(&text, screen, pager)
        }
    }
}

fn html(redline: &Redline<'_>) -> Result<String, CliError> {
    render::html(redline).map_err(|error| failed(&error))
}

/// Bytes that are no text must not be poured into a terminal.
fn binary(args: &Args, screen: page::Screen, ending: &str) -> Result<(), CliError> {
    if args.output.is_none() && screen.terminal {
        return Err(
            CliError::usage("output", format!("a {ending} file is not for a terminal"))
                .hint(format!("say --output redline.{ending}")),
        );
    }
    Ok(())
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::failed("redline", error.to_string())
}
