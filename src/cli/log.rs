//! `fairnotice log DOC`

use fairnotice::{
    render::wording,
    run::Workspace,
    store::{Event, Journal, Version},
};
use serde::Serialize;

use super::{
    CliError, Globals, Outcome, input, print_json, print_text,
    redlines::{self, Form, Named, Pair},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document.
    document: String,
    /// Print the redline between each version and the one before it.
    #[arg(long)]
    redline: bool,
    #[command(flatten)]
    form: Form,
}

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    document: String,
    versions: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    version: String,
    fetched: jiff::Timestamp,
    origin: fairnotice::store::Origin,
    published: Vec<Published>,
    title: Option<String>,
    words: usize,
    file: String,
    verdict: Option<fairnotice::assess::Verdict>,
    findings: Option<usize>,
    redline: Option<String>,
    in_force: bool,
}

#[derive(Serialize)]
struct Published {
    at: jiff::Timestamp,
    effective: Option<jiff::civil::Date>,
    withdrawn: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let workspace = Workspace::read(&globals.workspace)?;
    workspace.document(&args.document)?;
    let state = workspace.state(&args.document)?;
    let versions = workspace.index().versions(&args.document)?;
    if args.redline {
        return redlines(args, &workspace, &versions, globals);
    }
    let in_force = state.in_force(globals.now()).map(|p| p.version);
    let mut judged = std::collections::BTreeMap::new();
    Journal::replay(&workspace.journal_file(), 0, |entry, _| {
        match entry.event {
            Event::Judged(judgement) if judgement.document == args.document => {
                judged.insert(judgement.version, judgement);
            }
            // What was said of a text holds for the one that takes its place.
            Event::Reread {
                document, from, to, ..
            } if document == args.document => {
                if let Some(judgement) = judged.remove(&from) {
                    judged.entry(to).or_insert(judgement);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let lines: Vec<Line> = versions
        .into_iter()
        .map(|version| {
            let judgement = judged.get(&version.id);
            Line {
                version: version.id.to_string(),
                fetched: version.fetched,
                origin: version.origin,
                published: state
                    .published
                    .iter()
                    .filter(|p| p.version == version.id)
                    .map(|p| Published {
                        at: p.at,
                        effective: p.effective,
                        withdrawn: p.withdrawn,
                    })
                    .collect(),
                title: version.title,
                words: version.words,
                file: version.file,
                verdict: judgement.map(|j| j.verdict),
                findings: judgement.map(|j| j.findings),
                redline: judgement.and_then(|j| j.redline.clone()),
                in_force: Some(version.id) == in_force,
            }
        })
        .collect();
    if globals.json() {
        return print_json(&Printed {
            schema: "fairnotice/log/1",
            document: args.document.clone(),
            versions: lines,
        });
    }
    let mut text = String::new();
    for line in lines.iter().rev() {
        text += &entry(line);
    }
    if lines.is_empty() {
        text = format!(
            "Nothing is stored yet: fairnotice check {}\n",
            args.document
        );
    }
    print_text(&text)
}

fn entry(line: &Line) -> String {
    let short: String = line.version.chars().take(12).collect();
    let mark = if line.in_force { " (in force)" } else { "" };
    let mut text = format!("{short}{mark}  {} words\n", line.words);
    for published in &line.published {
        let effect = match (published.withdrawn, published.effective) {
            (true, _) => ", withdrawn".to_owned(),
            (false, Some(date)) => format!(", takes effect {date}"),
            (false, None) => String::new(),
        };
        text += &format!("    published {}{effect}\n", published.at);
    }
    if line.published.is_empty() {
        text +=
            &format!("    not published ({:?}, {})\n", line.origin, line.fetched).to_lowercase();
    }
    if let Some(verdict) = line.verdict {
        let found = wording::count(line.findings.unwrap_or_default(), "finding");
        text += &format!("    {}, {found}\n", wording::verdict(verdict).0);
    }
    if let Some(redline) = &line.redline {
        text += &format!("    {redline}\n");
    }
    text + &format!("    {}\n", line.file)
}

/// Each version compared with the one before it, in the order of time.
fn redlines(
    args: &Args,
    workspace: &Workspace,
    versions: &[Version],
    globals: &Globals,
) -> Outcome {
    let form = &args.form;
    let format = form.format(globals)?;
    let mut sources = Vec::with_capacity(versions.len());
    for version in versions {
        let name = format!("{}@{}", args.document, version.id.short());
        sources.push((name, input::of_version(workspace, &args.document, version)?));
    }
    if sources.len() < 2 {
        return Err(CliError::failed(
            "one-version",
            format!("fewer than two versions of {} are stored", args.document),
        )
        .hint(format!(
            "look for a new one: fairnotice check {}",
            args.document
        )));
    }
    let made = redlines::made(format, globals);
    let mut pairs = Vec::with_capacity(sources.len());
    for pair in sources.windows(2) {
        if let [(old_name, old), (new_name, new)] = pair {
            let old = Named {
                name: old_name,
                source: old,
            };
            let new = Named {
                name: new_name,
                source: new,
            };
            pairs.push(Pair::new(&old, &new, form, true, made, globals)?);
        }
    }
    form.write(format, &pairs)
}
