//! `fairnotice blame DOC`: since when each sentence stands there.

use std::collections::BTreeMap;

use fairnotice::{compare, read::Document, run::Workspace, store::Publication};
use jiff::civil::Date;
use serde::Serialize;

use super::{CliError, Globals, Outcome, input, page, print_json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A tracked document (DOC, or DOC@VERSION for an older text), or its versions as files, oldest
    /// first.
    #[arg(required = true, value_name = "DOC")]
    names: Vec<String>,
    #[command(flatten)]
    pager: page::Pager,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    document: &'a str,
    versions: Vec<&'a Told>,
    sentences: Vec<Sentence<'a>>,
}

/// One version, as the answer names it.
#[derive(Debug, Serialize)]
struct Told {
    /// Id of the stored version, or the file.
    version: String,
    /// The day on which it was put up (UTC); for files, the day that the text states.
    date: Option<Date>,
    /// When it was put up.
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<jiff::Timestamp>,
    /// The day on which it took or takes effect, where one is known.
    effective: Option<Date>,
}

#[derive(Serialize)]
struct Sentence<'a> {
    lines: (usize, usize),
    section: &'a [String],
    text: &'a str,
    since: usize,
    version: &'a str,
    date: Option<Date>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (told, documents, subject) = match args.names.as_slice() {
        [name] => tracked(name, globals)?,
        files => loose(files, globals)?,
    };
    let borrowed: Vec<&Document> = documents.iter().collect();
    let lines = compare::blame(&borrowed);
    let Some(last) = documents.last() else {
        return Ok(super::Exit::Done);
    };
    let sentences: Vec<Sentence<'_>> = lines
        .iter()
        .filter_map(|line| {
            let version = told.get(line.since)?;
            Some(Sentence {
                lines: last.lines_of(&line.span),
                section: path(last, line.span.start),
                text: last.slice(&line.span),
                since: line.since,
                version: &version.version,
                date: version.date,
            })
        })
        .collect();
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/blame/1",
            document: &subject,
            versions: told.iter().collect(),
            sentences,
        });
    }
    page::show(
        &for_people(&sentences),
        page::Screen::of_stdout(),
        &args.pager,
    )
}

type Versions = (Vec<Told>, Vec<Document>, String);

/// All publications of a tracked document, up to the version that is asked about.
fn tracked(name: &str, globals: &Globals) -> Result<Versions, CliError> {
    let (id, spec) = name.split_once('@').unwrap_or((name, "latest"));
    let workspace = Workspace::read(&globals.workspace)?;
    workspace.document(id)?;
    let state = workspace.state(id)?;
    let wanted = workspace.resolve(id, spec)?;
    let until = state
        .published
        .iter()
        .rposition(|p| p.version == wanted.id)
        .ok_or_else(|| {
            CliError::failed(
                "not-published",
                format!("version {} of {id} was never put up", wanted.id.short()),
            )
            .hint("only texts that were public have an age; see `fairnotice log`")
        })?;
    let published = state.published.get(..=until).unwrap_or_default();
    let mut told = Vec::with_capacity(published.len());
    let mut documents = Vec::with_capacity(published.len());
    for publication in published {
        documents.push(workspace.text_of(id, publication.version)?);
        told.push(of_publication(publication));
    }
    Ok((told, documents, id.to_owned()))
}

fn of_publication(publication: &Publication) -> Told {
    Told {
        version: publication.version.to_string(),
        date: Some(publication.at.to_zoned(jiff::tz::TimeZone::UTC).date()),
        published: Some(publication.at),
        effective: publication.effective,
    }
}

/// Files in the order in which they are given.
fn loose(files: &[String], globals: &Globals) -> Result<Versions, CliError> {
    let mut told = Vec::with_capacity(files.len());
    let mut documents = Vec::with_capacity(files.len());
    for file in files {
        let document = input::document(file, None, globals)?;
        told.push(Told {
            version: file.clone(),
            date: document.dates.updated.or(document.dates.effective),
            published: None,
            effective: document.dates.effective,
        });
        documents.push(document);
    }
    let subject = files.last().cloned().unwrap_or_default();
    Ok((told, documents, subject))
}

/// The path of the section in which a byte stands.
fn path(document: &Document, at: usize) -> &[String] {
    document
        .sections
        .iter()
        .rev()
        .find(|section| section.span.contains(&at))
        .map_or(&[], |section| section.path.as_slice())
}

/// One line for each sentence: version, day, line, words.
fn for_people(sentences: &[Sentence<'_>]) -> String {
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for sentence in sentences {
        names
            .entry(sentence.since)
            .or_insert_with(|| short(sentence.version));
    }
    let name_width = names.values().map(|n| n.chars().count()).max().unwrap_or(0);
    let line_width = sentences.last().map_or(1, |s| s.lines.0.to_string().len());
    let mut text = String::new();
    for sentence in sentences {
        let name = names.get(&sentence.since).map_or("", String::as_str);
        let date = sentence
            .date
            .map_or_else(|| "-".to_owned(), |date| date.to_string());
        let words: Vec<&str> = sentence.text.split_whitespace().collect();
        text += &format!(
            "{name:<name_width$} {date:<10} {:>line_width$}  {}\n",
            sentence.lines.0,
            words.join(" ")
        );
    }
    text
}

/// The first twelve digits of an id, the last part of a path.
fn short(version: &str) -> String {
    if version.len() == 64 && version.bytes().all(|b| b.is_ascii_hexdigit()) {
        return version.chars().take(12).collect();
    }
    version
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(version)
        .to_owned()
}
