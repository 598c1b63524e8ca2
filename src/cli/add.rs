//! `fairnotice add SOURCE…`

use std::io::{BufRead as _, IsTerminal as _};

use fairnotice::{
    config::{self, Kind, Side},
    read,
    run::{
        add::{self, AddError, Preview},
        capture,
    },
};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, interrupt, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// URL or path; several make one document, in order.
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// Short name; made from the title when absent.
    #[arg(long)]
    id: Option<String>,
    /// The title in reports and notices.
    #[arg(long)]
    title: Option<String>,
    /// It is our own document: notices are drafted.
    #[arg(long)]
    owner: bool,
    /// What it is: privacy, consumer-terms, platform-terms, payment, telecom, health, children, other.
    #[arg(long, default_value = "privacy")]
    kind: String,
    /// Write without asking.
    #[arg(long, short)]
    yes: bool,
    /// Say which part of the page was taken and why; write nothing. SOURCE may also be the id of a
    /// document that is tracked already: then with its selectors.
    #[arg(long)]
    explain: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    id: &'a str,
    title: Option<&'a str>,
    language: Option<&'a str>,
    dates: &'a fairnotice::read::Dates,
    sections: usize,
    words: usize,
    warnings: &'a [fairnotice::read::Warning],
    suspect: Option<&'a fairnotice::read::Suspect>,
    added: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    interrupt::end_with_browsers();
    let config = config::load(&globals.workspace)?;
    let sources = relative_to(&globals.workspace, &args.sources);
    let mut document = config::Document {
        id: args.id.clone().unwrap_or_default(),
        source: sources,
        title: args.title.clone(),
        side: if args.owner {
            Side::Owner
        } else {
            Side::Watcher
        },
        kind: kind(&args.kind)?,
        audience: None,
        jurisdictions: Vec::new(),
        alerts: None,
        include: Vec::new(),
        remove: Vec::new(),
        render: config::Render::No,
        wait_for: None,
        headers: std::collections::BTreeMap::new(),
        robots: None,
        notice: config::NoticeFields::default(),
    };
    if args.explain {
        tracked(&config, args, &mut document);
        let preview = add::preview(&globals.workspace, &config, &document)?;
        return explain(&preview, &document);
    }
    if config.document(&document.id).is_some() {
        return Err(CliError::usage(
            "exists",
            format!("there is a document `{}` already", document.id),
        )
        .hint("give another --id"));
    }
    let preview = add::preview(&globals.workspace, &config, &document)?;
    if document.id.is_empty() {
        let title = args
            .title
            .as_deref()
            .or(preview.text.document.title.as_deref());
        document.id = add::free_id(
            &config,
            title,
            args.sources.first().map_or("", String::as_str),
        );
    }
    if !globals.json() {
        print_text(&shown(&document.id, &preview))?;
    }
    let yes = args.yes || (!globals.json() && asked()?);
    if yes {
        add::append(&globals.workspace, &document)?;
    }
    let read = &preview.text.document;
    if globals.json() {
        print_json(&Shown {
            schema: "fairnotice/add/1",
            id: &document.id,
            title: read.title.as_deref(),
            language: read.language.as_deref(),
            dates: &read.dates,
            sections: read.sections.len(),
            words: read.word_count(),
            warnings: &read.warnings,
            suspect: read.suspect.as_ref(),
            added: yes,
        })?;
    } else if yes {
        print_text(&format!(
            "Added `{}`. Next: fairnotice check {}\n",
            document.id, document.id
        ))?;
    } else {
        print_text("Nothing was written.\n")?;
    }
    Ok(Exit::Done)
}

/// Paths are given from where the user stands, and kept from where the workspace is.
fn relative_to(workspace: &std::path::Path, sources: &[String]) -> Vec<String> {
    sources
        .iter()
        .map(|source| {
            if source.contains("://") {
                return source.clone();
            }
            let (Ok(root), Ok(file)) = (workspace.canonicalize(), std::fs::canonicalize(source))
            else {
                return source.clone();
            };
            file.strip_prefix(&root)
                .unwrap_or(&file)
                .display()
                .to_string()
        })
        .collect()
}

fn kind(text: &str) -> Result<Kind, CliError> {
    use serde::{Deserialize as _, de::IntoDeserializer as _};
    let text = text.to_owned();
    Kind::deserialize(text.into_deserializer())
        .map_err(|e: serde::de::value::Error| CliError::usage("kind", e.to_string()))
}

fn shown(id: &str, preview: &Preview) -> String {
    let document = &preview.text.document;
    let date = |d: Option<jiff::civil::Date>| d.map_or("none stated".to_owned(), |d| d.to_string());
    let mut text = format!(
        "{}\n  id:        {id}\n  language:  {}\n  effective: {}\n  updated:   {}\n  words:     {}\n  sections:  {}\n",
        document.title.as_deref().unwrap_or("(no title)"),
        document.language.as_deref().unwrap_or("not known"),
        date(document.dates.effective),
        date(document.dates.updated),
        document.word_count(),
        document.sections.len(),
    );
    let outermost = document.sections.iter().map(|s| s.level).min();
    for section in document
        .sections
        .iter()
        .filter(|s| Some(s.level) == outermost)
        .take(30)
    {
        let label = section
            .label
            .as_ref()
            .map(|l| format!("{l} "))
            .unwrap_or_default();
        text += &format!("    {label}{}\n", section.title);
    }
    for warning in &document.warnings {
        text += &format!("  ! {}\n", warning.detail);
    }
    if let Some(suspect) = &document.suspect {
        text += &format!("  ! this does not look like a policy: {}\n", suspect.detail);
    }
    text
}

/// Takes over how a document is fetched and read that is tracked already: one that is named, or
/// that has the same sources.
fn tracked(config: &config::Config, args: &Args, document: &mut config::Document) {
    let named = match (&args.id, args.sources.as_slice()) {
        (Some(id), _) => config.document(id),
        (None, [id]) => config.document(id),
        _ => None,
    };
    let same = |known: &&config::Document| known.source == document.source;
    let Some(known) = named.or_else(|| config.documents.iter().find(same)) else {
        return;
    };
    let mut known = known.clone();
    if args.sources.as_slice() != [known.id.clone()] {
        known.source.clone_from(&document.source);
    }
    *document = known;
}

fn explain(preview: &Preview, document: &config::Document) -> Outcome {
    let selectors = capture::selectors(document);
    let mut text = String::new();
    for capture in &preview.captures {
        text += &format!("{}\n", capture.url);
        for hop in &capture.hops {
            text += &format!("  request: {} {}\n", hop.status, hop.url);
        }
        let input = read::Input {
            bytes: &capture.bytes,
            media_type: capture.media_type.as_deref(),
            url: Some(&capture.url),
            selectors: selectors.clone(),
            ..read::Input::default()
        };
        text += &match read::explain(&input) {
            Ok(Some(said)) => explanation(&said),
            _ => "  no web page: all of its text is taken\n".to_owned(),
        };
    }
    let read = &preview.text.document;
    text += &format!("words taken: {}\n", read.word_count());
    for (what, parts) in [
        ("include", &selectors.include),
        ("remove", &selectors.remove),
    ] {
        if !parts.is_empty() {
            text += &format!(
                "`{what}` of `{}` names {} part{}\n",
                document.id,
                parts.len(),
                if parts.len() == 1 { "" } else { "s" }
            );
        }
    }
    for warning in &read.warnings {
        text += &format!("warning: {}\n", warning.detail);
    }
    if let Some(suspect) = &read.suspect {
        text += &format!(
            "suspect ({}): {}; it would be kept as a capture, not as a version\n",
            suspect.code, suspect.detail
        );
    }
    print_text(&text)
}

/// Which part of a page was taken, and what was left out and why.
fn explanation(said: &read::Explanation) -> String {
    let (kept, all) = said.words;
    let mut text = format!("  of the page's {all} words {kept} were kept\n");
    for (path, words) in &said.taken {
        text += &format!("  taken: {path} ({words} words): {}\n", said.why);
    }
    for left in &said.left_out {
        text += &format!(
            "  left out: {} ({} words, “{}”): {}\n",
            left.path,
            left.words,
            left.start,
            left.reason.text()
        );
    }
    text
}

/// Asks at a terminal; anything else must say --yes.
fn asked() -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print_text("Add it? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|e| CliError::failed("input", format!("cannot read the answer: {e}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl From<AddError> for CliError {
    fn from(error: AddError) -> Self {
        let message = error.to_string();
        match error {
            AddError::Fetch(error) => error.into(),
            AddError::Read { .. } => Self::failed("unreadable", message),
            _ => Self::failed("write", message),
        }
    }
}
