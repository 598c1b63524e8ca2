//! Redlines on standard output or in a file: of two documents, or of several in a row.

use std::{
    ffi::{OsStr, OsString},
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use fairnotice::{
    assess::Verdict,
    compare::{self, Comparison},
    render::{self, Head, Redline, TerminalStyle, TriggeredDuty, VersionHead},
    run::{
        self, Workspace,
        judge::{self, Judged},
        print,
    },
};
use serde::Serialize;

use super::{CliError, Format, Globals, Outcome, input::Source, page, print_json, print_json_line};

/// Options of every command that prints redlines.
#[derive(Debug, clap::Args)]
pub(crate) struct Form {
    /// Write to this file; its ending chooses the format where --format does not.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show technical changes and renumberings on the terminal too.
    #[arg(long)]
    all: bool,
    /// Name on tracked changes.
    #[arg(long, value_name = "NAME", default_value = "fairnotice")]
    author: String,
    /// Add the partition of both texts to the JSON document.
    #[arg(long)]
    segments: bool,
    #[command(flatten)]
    pager: page::Pager,
    /// Browser that prints PDF.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "FAIRNOTICE_BROWSER",
        hide_env_values = true
    )]
    browser: Option<OsString>,
}

/// A document with the name under which it is shown.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) source: &'a Source,
}

/// Two documents, compared.
pub(crate) struct Pair<'a> {
    old: &'a Source,
    new: &'a Source,
    judged: Option<ManuallyDrop<Judged>>,
    compared: ManuallyDrop<Comparison>,
    duties: Vec<TriggeredDuty>,
    head: Head,
}

/// Several redlines as one JSON document.
#[derive(Serialize)]
struct Row<R> {
    schema: &'static str,
    redlines: Vec<R>,
}

impl Form {
    /// The format asked for, else that of the output's ending, else the terminal's.
    pub(crate) fn format(&self, globals: &Globals) -> Result<Format, CliError> {
        if let Some(format) = globals.format {
            return Ok(format);
        }
        let Some(output) = self.output.as_deref().filter(|o| *o != Path::new("-")) else {
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

    /// Writes one redline, or several in a row where the format has room for them.
    pub(crate) fn write(&self, format: Format, pairs: &[Pair<'_>]) -> Outcome {
        if let [pair] = pairs {
            return self.one(format, &pair.redline());
        }
        let all = || pairs.iter().map(Pair::redline);
        match format {
            Format::Json => self.json(&Row {
                schema: "fairnotice/diffs/1",
                redlines: all().map(|r| render::json(&r, self.segments)).collect(),
            }),
            Format::Markdown => {
                let texts: Vec<String> = all().map(|r| render::markdown(&r)).collect();
                page::write(self.output.as_deref(), texts.join("\n---\n\n").as_bytes())
            }
            Format::Terminal => {
                let screen = page::Screen::of_stdout();
                let texts: Vec<String> = all().map(|r| self.terminal(screen, &r)).collect();
                self.text(screen, &texts.join("\n"))
            }
            Format::Html | Format::Docx | Format::Pdf => Err(CliError::usage(
                "one-pair",
                "this format holds one redline, of two documents",
            )
            .hint("give two documents, or say --format terminal, markdown or json")),
        }
    }

    fn one(&self, format: Format, redline: &Redline<'_>) -> Outcome {
        let output = self.output.as_deref();
        let screen = page::Screen::of_stdout();
        match format {
            Format::Json => self.json(&render::json(redline, self.segments)),
            Format::Markdown => page::write(output, render::markdown(redline).as_bytes()),
            Format::Html => page::write(output, html(redline)?.as_bytes()),
            Format::Docx => {
                self.binary(screen, "docx")?;
                page::write(output, &render::docx(redline).map_err(|e| failed(&e))?)
            }
            Format::Pdf => {
                self.binary(screen, "pdf")?;
                page::write(output, &pdf(redline, self.browser.as_deref())?)
            }
            Format::Terminal => self.text(screen, &self.terminal(screen, redline)),
        }
    }

    fn to_file(&self) -> bool {
        self.output.as_deref().is_some_and(|o| o != Path::new("-"))
    }

    fn json(&self, value: &impl Serialize) -> Outcome {
        if !self.to_file() {
            return if page::Screen::of_stdout().terminal {
                print_json(value)
            } else {
                print_json_line(value)
            };
        }
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| failed(&error))?;
        text.push(b'\n');
        page::write(self.output.as_deref(), &text)
    }

    fn terminal(&self, screen: page::Screen, redline: &Redline<'_>) -> String {
        let to_file = self.to_file();
        let style = TerminalStyle {
            colour: screen.colour && !to_file,
            width: if to_file { 80 } else { screen.width },
            everything: self.all,
        };
        render::terminal(redline, &style)
    }

    fn text(&self, screen: page::Screen, text: &str) -> Outcome {
        if self.to_file() {
            return page::write(self.output.as_deref(), text.as_bytes());
        }
        page::show(text, screen, &self.pager)
    }

    /// Bytes that are no text must not be poured into a terminal.
    fn binary(&self, screen: page::Screen, ending: &str) -> Result<(), CliError> {
        if self.output.is_none() && screen.terminal {
            return Err(CliError::usage(
                "output",
                format!("a {ending} file is not for a terminal"),
            )
            .hint(format!("say --output redline.{ending}")));
        }
        Ok(())
    }
}

impl<'a> Pair<'a> {
    /// Compares two documents and, where asked for, judges the change: by the rules of the
    /// workspace and with what people said of the same findings when either is a stored version,
    /// by the built-in rules when both are loose files.
    pub(crate) fn new(
        old: &Named<'a>,
        new: &Named<'a>,
        form: &Form,
        judge: bool,
        made: Option<jiff::Timestamp>,
        globals: &Globals,
    ) -> Result<Self, CliError> {
        let (old_text, new_text) = (&old.source.document, &new.source.document);
        let tracked = new
            .source
            .tracked
            .as_deref()
            .or(old.source.tracked.as_deref());
        let judged = match (judge, tracked) {
            (false, _) => None,
            (true, None) => Some(judge::judge(old_text, new_text)),
            (true, Some(document)) => {
                let workspace = Workspace::read(&globals.workspace)?;
                let mut judged = run::judge_reviewed(&workspace, document, old_text, new_text)?;
                let assist = &workspace.config.assist;
                let root = workspace.root();
                for warning in run::assist::propose(assist, root, document, &mut judged) {
                    super::check::warn(globals, &warning);
                }
                Some(judged)
            }
        };
        let compared = if judged.is_some() {
            Comparison::default()
        } else {
            compare::compare(old_text, new_text)
        };
        Ok(Self {
            old: old.source,
            new: new.source,
            duties: judged.as_ref().map(Judged::triggered).unwrap_or_default(),
            // The process ends after this: giving memory back piece by piece would gain nothing.
            judged: judged.map(ManuallyDrop::new),
            compared: ManuallyDrop::new(compared),
            head: Head {
                old: version(old),
                new: version(new),
                author: form.author.clone(),
                made,
            },
        })
    }

    /// The verdict, when the change was judged.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.judged.as_ref().map(|j| j.assessment.verdict)
    }

    fn redline(&self) -> Redline<'_> {
        let judged = self.judged.as_deref();
        Redline {
            old: &self.old.document,
            new: &self.new.document,
            comparison: judged.map_or(&self.compared, |j| &j.comparison),
            assessment: judged.map(|j| &j.assessment),
            duties: &self.duties,
            promises: judged.map_or(&[], |j| &j.promises),
            head: &self.head,
        }
    }
}

/// The time goes into documents, where people expect it; not into text that is compared.
pub(crate) fn made(format: Format, globals: &Globals) -> Option<jiff::Timestamp> {
    matches!(format, Format::Html | Format::Docx | Format::Pdf).then(|| globals.now())
}

fn version(named: &Named<'_>) -> VersionHead {
    let source = named.source;
    VersionHead {
        name: if named.name == "-" {
            "standard input".to_owned()
        } else {
            named.name.to_owned()
        },
        version: source.version.clone(),
        sha256: source.sha256.clone(),
        seen: source.seen,
    }
}

fn html(redline: &Redline<'_>) -> Result<String, CliError> {
    render::html(redline).map_err(|error| failed(&error))
}

fn pdf(redline: &Redline<'_>, browser: Option<&OsStr>) -> Result<Vec<u8>, CliError> {
    print::pdf(&html(redline)?, browser, print::TIME_LIMIT).map_err(|error| {
        CliError::failed("no-pdf", error.to_string()).hint(
            "install Chromium or Chrome, or name one with --browser; or write .html and print it \
             from any browser, or .docx",
        )
    })
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::failed("redline", error.to_string())
}
