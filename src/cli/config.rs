//! `fairnotice config check`

use fairnotice::config::{self, ConfigError, Problem};
use serde::Serialize;

use super::{Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read fairnotice.toml and name every mistake with its place.
    Check,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    file: String,
    documents: usize,
    problems: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    line: usize,
    column: usize,
    message: &'a str,
    hint: Option<&'a str>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let Command::Check = args.command;
    let (path, documents, problems) = match config::load(&globals.workspace) {
        Ok(config) => {
            let path = globals.workspace.join(config::FILE);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let problems = fairnotice::run::campaign::mail_problems(&globals.workspace, &config)
                .into_iter()
                .map(|(needle, why)| config::problem_at(&text, &needle, why))
                .collect();
            (path, config.documents.len(), problems)
        }
        Err(ConfigError::Wrong { path, problems }) => (path, 0, problems),
        Err(error) => return Err(error.into()),
    };
    let exit = if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    };
    if globals.json() {
        print_json(&Report {
            schema: "fairnotice/config/1",
            file: path.display().to_string(),
            documents,
            problems: problems
                .iter()
                .map(|p| Line {
                    line: p.line,
                    column: p.column,
                    message: &p.message,
                    hint: p.hint.as_deref(),
                })
                .collect(),
        })?;
        return Ok(exit);
    }
    if problems.is_empty() {
        print_text(&format!(
            "{} is right: {documents} document(s)\n",
            path.display()
        ))?;
        return Ok(exit);
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    for problem in &problems {
        print_text(&pointed(&path.display().to_string(), &text, problem))?;
    }
    Ok(exit)
}

/// The mistake with the line it stands on and an arrow under the place.
fn pointed(file: &str, text: &str, problem: &Problem) -> String {
    let diagnostic = miette::MietteDiagnostic::new(format!(
        "{} ({file}:{}:{})",
        problem.message, problem.line, problem.column
    ))
    .with_label(miette::LabeledSpan::at(
        problem.span.clone(),
        problem.hint.as_deref().unwrap_or("here"),
    ));
    let report = miette::Report::new(diagnostic)
        .with_source_code(miette::NamedSource::new(file, text.to_owned()));
    let handler =
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    let mut shown = String::new();
    match handler.render_report(&mut shown, report.as_ref()) {
        Ok(()) => shown,
        Err(_) => format!(
            "{file}:{}:{}: {}\n",
            problem.line, problem.column, problem.message
        ),
    }
}
