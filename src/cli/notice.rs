//! `fairnotice notice …`

use std::{collections::BTreeMap, io::Read as _, path::PathBuf, time::Duration};

use clap::{Subcommand, ValueEnum};
use fairnotice::{
    notice::{BUILT_IN, CHECKLIST, Effect, LifecycleError, Notice, Part},
    run::{
        Workspace,
        notices::{self, Done, NoticesError},
    },
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List notices with what is still unmet.
    List(List),
    /// Print a notice: its state, checks and texts.
    Show(Show),
    /// Fill in what only the company can say; the texts are written anew.
    Set(Set),
    /// Put your own words in place of a text; they are kept.
    Edit(Edit),
    /// Run the checklist again, as of now; --list prints what it demands.
    Check(Check),
    /// Approve a notice as it is now.
    Approve(Approve),
    /// Record that a text that is not mailed was put up.
    Publish(Publish),
    /// Give a notice up.
    Cancel(Cancel),
    /// Draft a notice that corrects or recalls one that went out.
    Correct(Correct),
    /// List, copy or check the templates.
    Template(Template),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only of this document.
    #[arg(long, value_name = "ID")]
    document: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The notice.
    notice: String,
    /// Print only this text, as it is.
    #[arg(long, value_enum)]
    part: Option<PartArg>,
    /// Language of the text; the fallback when absent.
    #[arg(long, value_name = "LANG")]
    language: Option<String>,
    /// Write every text and attachment into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "part")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PartArg {
    /// The subject or title.
    Subject,
    /// The plain text or Markdown.
    Text,
    /// The HTML.
    Html,
}

impl From<PartArg> for Part {
    fn from(part: PartArg) -> Self {
        match part {
            PartArg::Subject => Self::Subject,
            PartArg::Text => Self::Text,
            PartArg::Html => Self::Html,
        }
    }
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The notice.
    notice: String,
    /// FIELD=VALUE: reason, contact, effective, choices, old_data, new_url, old_url, redline_url;
    /// with .LANG behind the field for one language. An empty value takes it back.
    #[arg(required = true, value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct Edit {
    /// The notice.
    notice: String,
    /// Language of the text.
    #[arg(long, value_name = "LANG")]
    language: Option<String>,
    /// Which text.
    #[arg(long, value_enum, default_value = "text")]
    part: PartArg,
    /// File with the new words, or - for standard input.
    #[arg(long, value_name = "FILE")]
    file: String,
    /// Who edits.
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The notice.
    #[arg(required_unless_present = "list")]
    notice: Option<String>,
    /// Print every check and what it demands.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, clap::Args)]
struct Approve {
    /// The notice.
    notice: String,
    /// Who approves.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Accept a failing check, with the reason; may be given several times.
    #[arg(long, value_name = "CHECK=REASON")]
    overrule: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Publish {
    /// The notice.
    notice: String,
    /// Address of the page, which is fetched as proof; or where else it was put up.
    #[arg(long, value_name = "URL|WHERE")]
    at: String,
    /// Since when (RFC 3339).
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// Who records it.
    #[arg(long, value_name = "NAME", default_value = "")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct Cancel {
    /// The notice.
    notice: String,
    /// Who gives it up.
    #[arg(long, value_name = "NAME", default_value = "")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct Correct {
    /// The notice that went out.
    notice: String,
    /// What was wrong, in the company's words.
    #[arg(long, value_name = "WORDS")]
    what: String,
    /// The day on which the first notice went out.
    #[arg(long, value_name = "DATE")]
    sent: Option<Date>,
    /// The change is given up altogether.
    #[arg(long)]
    recall: bool,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct Template {
    #[command(subcommand)]
    command: TemplateCommand,
}

#[derive(Debug, Subcommand)]
enum TemplateCommand {
    /// List all templates and which of them are the workspace's own.
    List,
    /// Copy built-in templates into the workspace, to be changed there.
    Eject {
        /// Paths or folders below templates/, such as email/en; all when absent.
        names: Vec<String>,
        /// Write over files that are there.
        #[arg(long)]
        force: bool,
    },
    /// Check every template and the words of every language.
    Check,
}

#[derive(Serialize)]
struct Listed {
    schema: &'static str,
    notices: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    document: String,
    channel: String,
    state: String,
    send_by: Option<Timestamp>,
    effective: Option<Date>,
    unmet: Vec<String>,
    languages: Vec<String>,
    hash: String,
    approved_by: Vec<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    unmet: Vec<&'a str>,
    hash: String,
    notice: &'a Notice,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    match &args.command {
        Command::List(args) => list(args, globals),
        Command::Show(args) => show(args, globals),
        Command::Set(args) => set(args, globals),
        Command::Edit(args) => edit(args, globals),
        Command::Check(args) => check(args, globals),
        Command::Approve(args) => approve(args, globals),
        Command::Publish(args) => {
            let mut workspace = open(globals)?;
            let done = notices::publish(
                &mut workspace,
                &args.notice,
                &args.at,
                args.from,
                &args.by,
                globals.now(),
            )?;
            answer(&done, globals)
        }
        Command::Cancel(args) => {
            let mut workspace = open(globals)?;
            let done = notices::cancel(&mut workspace, &args.notice, &args.by, globals.now())?;
            answer(&done, globals)
        }
        Command::Correct(args) => {
            let mut workspace = open(globals)?;
            let done = notices::correct(
                &mut workspace,
                &args.notice,
                &args.what,
                args.sent,
                args.recall,
                &args.by,
                globals.now(),
            )?;
            answer(&done, globals)
        }
        Command::Template(args) => template(&args.command, globals),
    }
}

fn open(globals: &Globals) -> Result<Workspace, CliError> {
    Ok(Workspace::write(
        &globals.workspace,
        "notice",
        globals.now(),
        Duration::from_secs(10),
    )?)
}

fn line(notice: &Notice) -> Line {
    Line {
        id: notice.id.clone(),
        document: notice.document.clone(),
        channel: notice.channel.to_string(),
        state: notice.state.to_string(),
        send_by: notice.send_by,
        effective: notice.effective,
        unmet: notice.unmet().into_iter().map(str::to_owned).collect(),
        languages: notice.texts.keys().cloned().collect(),
        hash: notice.hash(),
        approved_by: notice
            .approved_by()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    }
}

fn list(args: &List, globals: &Globals) -> Outcome {
    let workspace = Workspace::read(&globals.workspace)?;
    if let Some(document) = &args.document {
        workspace.document(document)?;
    }
    let all = notices::list(&workspace, args.document.as_deref())?;
    if globals.json() {
        return print_json(&Listed {
            schema: "fairnotice/notices/1",
            notices: all.iter().map(line).collect(),
        });
    }
    if all.is_empty() {
        return print_text(
            "There are no notices: `fairnotice check` drafts them for changes of your own documents.\n",
        );
    }
    let mut text = String::new();
    for notice in &all {
        text += &summary(notice);
    }
    print_text(&text)
}

fn summary(notice: &Notice) -> String {
    let mut text = format!("{}  {}", notice.id, notice.state);
    if let Some(day) = notice.effective {
        text += &format!(", takes effect {day}");
    }
    if let Some(send_by) = notice.send_by {
        text += &format!(", out by {send_by}");
    }
    text.push('\n');
    for check in notice.checks.iter().filter(|check| check.blocks()) {
        text += &format!("    unmet {}: {}\n", check.id, check.detail);
    }
    text
}

/// What a step did: one JSON document, or words.
fn answer(done: &Done, globals: &Globals) -> Outcome {
    if globals.json() {
        return print_json(&Listed {
            schema: "fairnotice/notices/1",
            notices: vec![line(&done.notice)],
        });
    }
    let mut text = summary(&done.notice);
    for effect in &done.effects {
        match effect {
            Effect::ApprovalsFell(people) => {
                text += &format!(
                    "    the text changed: the approval of {} does not count any more\n",
                    people.join(" and ")
                );
            }
            Effect::ApprovalsMissing(n) => {
                text += &format!("    {n} more, different, people must approve\n");
            }
            Effect::Approved | Effect::Write | Effect::Check => {}
        }
    }
    print_text(&text)
}

fn show(args: &Show, globals: &Globals) -> Outcome {
    let workspace = Workspace::read(&globals.workspace)?;
    let notice = notices::get(&workspace, &args.notice)?;
    if let Some(folder) = &args.output {
        return write_files(&notice, folder);
    }
    let language = args.language.as_deref();
    if let Some(part) = args.part {
        let (_, text) = text_of(&notice, language)?;
        let words = fairnotice::notice::part_of(text, part.into())
            .ok_or_else(|| CliError::usage("no-part", format!("{} has no such part", notice.id)))?;
        let end = if words.ends_with('\n') { "" } else { "\n" };
        return print_text(&format!("{words}{end}"));
    }
    if globals.json() {
        return print_json(&Shown {
            schema: "fairnotice/notice/1",
            unmet: notice.unmet(),
            hash: notice.hash(),
            notice: &notice,
        });
    }
    let mut text = summary(&notice);
    for check in &notice.checks {
        let mark = match (&check.overruled, check.met, check.advice) {
            (Some(_), _, _) => "overruled",
            (None, true, _) => "met",
            (None, false, true) => "advice",
            (None, false, false) => "UNMET",
        };
        text += &format!("  {mark:9} {}: {}\n", check.id, check.detail);
        if let Some(overrule) = &check.overruled {
            text += &format!("            {}: {}\n", overrule.by, overrule.reason);
        }
    }
    let (language, body) = text_of(&notice, language)?;
    text += &format!("\n--- {language} ---\n");
    if let Some(subject) = &body.subject {
        text += &format!("Subject: {subject}\n\n");
    }
    text += &body.text;
    for attachment in notice.attachments_for(language) {
        text += &format!(
            "\nAttached: {} ({})\n",
            attachment.name, attachment.media_type
        );
    }
    print_text(&text)
}

fn text_of<'n>(
    notice: &'n Notice,
    language: Option<&str>,
) -> Result<(&'n str, &'n fairnotice::notice::Text), CliError> {
    let language = language.unwrap_or(&notice.fallback);
    notice
        .texts
        .get_key_value(language)
        .map(|(language, text)| (language.as_str(), text))
        .ok_or_else(|| {
            let known: Vec<&str> = notice.texts.keys().map(String::as_str).collect();
            CliError::usage(
                "no-language",
                format!("{} has no text in `{language}`", notice.id),
            )
            .hint(format!("it has {}", known.join(", ")))
        })
}

fn write_files(notice: &Notice, folder: &std::path::Path) -> Outcome {
    let failed = |path: &std::path::Path, error: &std::io::Error| {
        CliError::failed(
            "output",
            format!("cannot write {}: {error}", path.display()),
        )
    };
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (language, text) in &notice.texts {
        files.push((
            format!("{}-{language}.txt", notice.id),
            text.text.clone().into_bytes(),
        ));
        if let Some(html) = &text.html {
            files.push((
                format!("{}-{language}.html", notice.id),
                html.clone().into_bytes(),
            ));
        }
    }
    for attachment in &notice.attachments {
        files.push((attachment.name.clone(), attachment.bytes()));
    }
    let mut printed = String::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|e| failed(&path, &e))?;
        printed += &format!("{}\n", path.display());
    }
    print_text(&printed)
}

fn set(args: &Set, globals: &Globals) -> Outcome {
    let fields = pairs(&args.fields, "FIELD=VALUE")?;
    let mut workspace = open(globals)?;
    let done = notices::set(
        &mut workspace,
        &args.notice,
        &fields,
        &args.by,
        globals.now(),
    )?;
    answer(&done, globals)
}

fn pairs(given: &[String], form: &str) -> Result<Vec<(String, String)>, CliError> {
    given
        .iter()
        .map(|pair| {
            pair.split_once('=')
                .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
                .ok_or_else(|| CliError::usage("pair", format!("`{pair}` is not {form}")))
        })
        .collect()
}

fn edit(args: &Edit, globals: &Globals) -> Outcome {
    let unreadable = |error: std::io::Error| {
        CliError::failed("unreadable", format!("cannot read {}: {error}", args.file))
    };
    let mut words = String::new();
    if args.file == "-" {
        std::io::stdin()
            .read_to_string(&mut words)
            .map_err(unreadable)?;
    } else {
        words = std::fs::read_to_string(&args.file).map_err(unreadable)?;
    }
    if matches!(args.part, PartArg::Subject) {
        words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let mut workspace = open(globals)?;
    let notice = notices::get(&workspace, &args.notice)?;
    let language = args.language.clone().unwrap_or(notice.fallback);
    let done = notices::edit(
        &mut workspace,
        &notice.id,
        &language,
        args.part.into(),
        words,
        &args.by,
        globals.now(),
    )?;
    answer(&done, globals)
}

fn check(args: &Check, globals: &Globals) -> Outcome {
    let Some(id) = args.notice.as_deref().filter(|_| !args.list) else {
        let mut text = String::new();
        for check in CHECKLIST {
            let channels: Vec<&str> = check.channels.iter().map(|c| c.name()).collect();
            let kind = if check.advice { " (advice)" } else { "" };
            text += &format!(
                "{}{kind}: {}\n    {}\n",
                check.id,
                check.demand,
                channels.join(", ")
            );
        }
        return print_text(&text);
    };
    let workspace = Workspace::read(&globals.workspace)?;
    let notice = notices::recheck(&workspace, id, globals.now())?;
    if globals.json() {
        return print_json(&Listed {
            schema: "fairnotice/notices/1",
            notices: vec![line(&notice)],
        });
    }
    let mut text = String::new();
    for check in &notice.checks {
        let mark = if check.met {
            "met"
        } else if check.advice {
            "advice"
        } else {
            "UNMET"
        };
        text += &format!("{mark:7} {}: {}\n", check.id, check.detail);
    }
    print_text(&text)
}

fn approve(args: &Approve, globals: &Globals) -> Outcome {
    let overrule: BTreeMap<String, String> =
        pairs(&args.overrule, "CHECK=REASON")?.into_iter().collect();
    let mut workspace = open(globals)?;
    let done = notices::approve(
        &mut workspace,
        &args.notice,
        &args.by,
        overrule,
        globals.now(),
    )?;
    answer(&done, globals)
}

fn template(command: &TemplateCommand, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    match command {
        TemplateCommand::List => {
            let templates = notices::templates(root)?;
            let of = |name: &str| match BUILT_IN.iter().find(|(known, _)| *known == name) {
                None => "workspace",
                Some((_, source)) if templates.source(name) != Some(*source) => {
                    "workspace (takes the place of the built-in one)"
                }
                Some(_) => "built in",
            };
            if globals.json() {
                let all: Vec<_> = templates
                    .names()
                    .map(|name| serde_json::json!({"name": name, "origin": of(name)}))
                    .collect();
                return print_json(&serde_json::json!({
                    "schema": "fairnotice/templates/1", "templates": all,
                }));
            }
            let lines: Vec<String> = templates
                .names()
                .map(|name| format!("{name}  {}\n", of(name)))
                .collect();
            print_text(&lines.concat())
        }
        TemplateCommand::Eject { names, force } => eject(root, names, *force),
        TemplateCommand::Check => {
            let wrong = notices::templates(root)?.check();
            if wrong.is_empty() && globals.json() {
                return print_json(&serde_json::json!({
                    "schema": "fairnotice/templates/1", "wrong": [],
                }));
            }
            if wrong.is_empty() {
                return print_text("All templates are right.\n");
            }
            let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            Err(CliError::usage("template", lines.join("\n"))
                .hint("docs/notices.md lists what a template can use"))
        }
    }
}

fn eject(root: &std::path::Path, names: &[String], force: bool) -> Outcome {
    let wanted = |name: &str| {
        names.is_empty()
            || names.iter().any(|n| {
                let n = n.trim_start_matches("templates/").trim_end_matches('/');
                name == n || name.starts_with(&format!("{n}/"))
            })
    };
    let chosen: Vec<&(&str, &str)> = BUILT_IN.iter().filter(|(name, _)| wanted(name)).collect();
    if chosen.is_empty() {
        return Err(CliError::usage(
            "template",
            format!("there is no built-in template {}", names.join(", ")),
        )
        .hint("`fairnotice notice template list` names them"));
    }
    let mut text = String::new();
    let mut kept = false;
    for (name, source) in chosen {
        let path = root.join("templates").join(name);
        let is_own = std::fs::read_to_string(&path).is_ok_and(|known| known != *source);
        if is_own && !force {
            text += &format!(
                "kept    {} (it differs; --force writes over it)\n",
                path.display()
            );
            kept = true;
            continue;
        }
        let failed = |e: std::io::Error| {
            CliError::failed("output", format!("cannot write {}: {e}", path.display()))
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&path, source).map_err(failed)?;
        text += &format!("written {}\n", path.display());
    }
    print_text(&text)?;
    Ok(if kept { Exit::Partly } else { Exit::Done })
}

impl From<NoticesError> for CliError {
    fn from(error: NoticesError) -> Self {
        let message = error.to_string();
        match error {
            NoticesError::Workspace(error) => error.into(),
            NoticesError::Unknown { known, .. } => {
                let hint = if known.is_empty() {
                    "`fairnotice check` drafts notices for changes of your own documents".to_owned()
                } else {
                    format!("there are: {}", known.join(", "))
                };
                Self::usage("unknown-notice", message).hint(hint)
            }
            NoticesError::Template(_) => Self::usage("template", message)
                .hint("`fairnotice notice template check` checks all of them"),
            NoticesError::Step(step) => match step {
                LifecycleError::Unmet { .. } => Self::failed("unmet", message).hint(
                    "fill in what is missing with `fairnotice notice set`, or accept a failure \
                     with --overrule CHECK=REASON",
                ),
                LifecycleError::Field(_)
                | LifecycleError::Value { .. }
                | LifecycleError::Language { .. }
                | LifecycleError::Overrule { .. } => Self::usage("notice", message),
                _ => Self::failed("notice", message),
            },
            _ => Self::failed("notice", message),
        }
    }
}
