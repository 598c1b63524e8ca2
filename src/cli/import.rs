//! `fairnotice import git|ota|urlwatch`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fairnotice::{
    config,
    run::{
        Workspace, add, history,
        import::{self, Declared, ImportError, Imported, git, ota, urlwatch},
    },
};
use serde::Serialize;

use super::{CliError, Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The history of one file in a Git repository.
    Git {
        /// The repository.
        repository: PathBuf,
        /// The file, relative to the repository.
        path: String,
        /// Id of the document; it is added to the workspace when it is not there.
        #[arg(long)]
        id: String,
        /// Where the document is published, for later checks (default: the file itself); only for a
        /// document that is not there yet.
        #[arg(long, value_name = "URL")]
        source: Option<String>,
        /// It is our own document: notices are drafted for later changes; only for a document that
        /// is not there yet.
        #[arg(long)]
        owner: bool,
    },
    /// Declarations and versions of Open Terms Archive.
    Ota {
        /// Folder of declarations.
        #[arg(long, value_name = "DIR", required_unless_present = "versions")]
        declarations: Option<PathBuf>,
        /// Repository of versions.
        #[arg(long, value_name = "REPO")]
        versions: Option<PathBuf>,
        /// Only services whose name or id begins so; may be repeated.
        #[arg(long, value_name = "NAME")]
        service: Vec<String>,
    },
    /// A job file of urlwatch or webchanges.
    Urlwatch {
        /// The file (urls.yaml, jobs.yaml).
        file: PathBuf,
    },
}

#[derive(Default, Serialize)]
struct Report {
    schema: &'static str,
    added: Vec<Added>,
    /// Documents that were there before, whose history is added.
    tracked: Vec<String>,
    skipped: Vec<String>,
    imported: Vec<Done>,
    warnings: Vec<String>,
    /// Why what was stored is not committed, where it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_committed: Option<String>,
}

#[derive(Serialize)]
struct Added {
    id: String,
    source: Vec<String>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    imported: Imported,
    /// Versions whose date could not be and was replaced.
    redated: usize,
}

/// The histories to import, by document.
type Histories = Vec<(String, git::History)>;

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let mut report = Report {
        schema: "fairnotice/import/1",
        ..Report::default()
    };
    match &args.what {
        What::Git {
            repository,
            path,
            id,
            source,
            owner,
        } => {
            let tracked = config::load(&globals.workspace)?.document(id).is_some();
            if tracked && (source.is_some() || *owner) {
                return Err(CliError::usage(
                    "tracked",
                    format!("`{id}` is tracked already, as fairnotice.toml says: --source and --owner are for new documents"),
                )
                .hint("leave them out to add the history, or change the document in fairnotice.toml; nothing was changed"));
            }
            let listed = git::list(repository, path, globals.now())?;
            if !tracked {
                let source = source_of(repository, path, source.as_deref())?;
                let mut document = import::tracked(id.clone(), vec![source]);
                if *owner {
                    document.side = config::Side::Owner;
                }
                declare(globals, vec![plain(document)], &[], &mut report)?;
            } else {
                report.tracked.push(id.clone());
            }
            take(globals, repository, vec![(id.clone(), listed)], &mut report)?;
        }
        What::Ota {
            declarations,
            versions,
            service,
        } => ota(
            globals,
            declarations.as_deref(),
            versions.as_deref(),
            service,
            &mut report,
        )?,
        What::Urlwatch { file } => {
            let (jobs, refused) = urlwatch::jobs(file)?;
            declare(globals, jobs, &[], &mut report)?;
            report.skipped.extend(refused);
        }
    }
    for warning in &report.warnings {
        super::check::warn(globals, warning);
    }
    if globals.json() {
        print_json(&report)?;
    } else {
        print_text(&words(&report))?;
    }
    Ok(exit(&report))
}

fn exit(report: &Report) -> Exit {
    let unreadable = |done: &Done| !done.imported.unreadable.is_empty();
    let taken = |done: &Done| done.imported.read > done.imported.unreadable.len();
    let failed = report.imported.iter().any(unreadable);
    match report.not_committed {
        _ if failed && !report.imported.iter().any(taken) => Exit::Failed,
        None if !failed => Exit::Done,
        _ => Exit::Partly,
    }
}

/// Where a new document is looked at from now on: where its user says, else in the repository.
fn source_of(repository: &Path, path: &str, said: Option<&str>) -> Result<String, CliError> {
    if let Some(source) = said {
        return Ok(source.to_owned());
    }
    let file = absolute(repository, path);
    if Path::new(&file).is_file() {
        return Ok(file);
    }
    let why = if git::is_bare(repository)? {
        format!(
            "{} is a bare repository: it holds no file that could be watched",
            repository.display()
        )
    } else {
        format!("{file} is not there: it cannot be watched")
    };
    Err(CliError::usage("no-source", why)
        .hint("say with --source URL where the document is published; nothing was changed"))
}

fn plain(document: config::Document) -> Declared {
    Declared {
        document,
        left_out: Vec::new(),
        history: None,
    }
}

fn absolute(repository: &Path, path: &str) -> String {
    let file = repository.join(path);
    std::path::absolute(&file)
        .unwrap_or(file)
        .display()
        .to_string()
}

/// Adds the documents that the workspace does not have yet. Of those it has, `continued` get more
/// history.
fn declare(
    globals: &Globals,
    declared: Vec<Declared>,
    continued: &[&str],
    report: &mut Report,
) -> Result<(), CliError> {
    let config = config::load(&globals.workspace)?;
    let mut fresh = Vec::new();
    for declared in declared {
        let id = &declared.document.id;
        if config.document(id).is_some() {
            if continued.contains(&id.as_str()) {
                report.tracked.push(id.clone());
            } else {
                report
                    .skipped
                    .push(format!("{id}: is in the workspace already"));
            }
            continue;
        }
        report.added.push(Added {
            id: id.clone(),
            source: declared.document.source.clone(),
            left_out: declared.left_out,
        });
        fresh.push(declared.document);
    }
    add::append_all(&globals.workspace, &fresh).map_err(|error| {
        CliError::failed("config", error.to_string())
            .hint("nothing was added; `fairnotice config check` lists what is wrong")
    })
}

/// Stores and judges histories.
fn take(
    globals: &Globals,
    repository: &Path,
    documents: Histories,
    report: &mut Report,
) -> Result<(), CliError> {
    let now = globals.now();
    let mut workspace =
        Workspace::write(&globals.workspace, "import", now, Duration::from_secs(5))?;
    if documents.iter().any(|(_, history)| history.shallow) {
        report.warnings.push(format!(
            "{} is a shallow clone: what is older is not in it; run `git fetch --unshallow` there \
             and import under another id, because versions older than those that are stored are \
             left out",
            repository.display()
        ));
    }
    for (id, history) in documents {
        if let Some(commit) = &history.unsought {
            report.warnings.push(format!(
                "{id}: whether commit {commit} gave the file another name cannot be told, because \
                 contents are missing in {}; versions under earlier names may be left out; `git \
                 fsck` there says more",
                repository.display()
            ));
        }
        let document = workspace.document(&id)?.clone();
        let newest = workspace.state(&id)?.published.last().map(|last| last.at);
        let versions = git::Versions::new(repository, history.versions);
        let missing = versions.missing();
        let mut imported = import::keep(&mut workspace, &document, versions, now)?;
        missing.count(&mut imported, newest);
        report.imported.push(Done {
            imported,
            redated: history.redated,
        });
    }
    let imported: Vec<&Imported> = report.imported.iter().map(|done| &done.imported).collect();
    let committed = history::commit_imported(&workspace, &imported);
    report.not_committed = super::committed(committed, globals);
    Ok(())
}

fn ota(
    globals: &Globals,
    declarations: Option<&Path>,
    versions: Option<&Path>,
    services: &[String],
    report: &mut Report,
) -> Result<(), CliError> {
    let files = match versions {
        Some(repository) => git::files(repository)?,
        None => Vec::new(),
    };
    let wanted = |declared: &Declared| {
        let title = declared.document.title.as_deref().unwrap_or_default();
        services.is_empty()
            || services.iter().any(|service| {
                title.starts_with(service.as_str())
                    || declared.document.id.starts_with(service.as_str())
            })
    };
    let mut declared = match declarations {
        Some(folder) => ota::declarations(folder)?,
        None => {
            let mut all = ota::histories(&files);
            for one in &mut all {
                // Without a declaration nobody knows the address: the file itself is tracked.
                if let Some(repository) = versions {
                    let source = &mut one.document.source;
                    *source = source.iter().map(|s| absolute(repository, s)).collect();
                }
            }
            all
        }
    };
    declared.retain(wanted);
    if declared.is_empty() {
        return Err(CliError::usage("nothing", "no service fits")
            .hint("say the service's name as its file or folder has it"));
    }
    let config = config::load(&globals.workspace)?;
    if let (Some(repository), None) = (versions, declarations)
        && declared
            .iter()
            .any(|one| config.document(&one.document.id).is_none())
        && git::is_bare(repository)?
    {
        return Err(CliError::usage(
            "no-source",
            format!(
                "{} is a bare repository: it holds no files that could be watched",
                repository.display()
            ),
        )
        .hint(
            "say with --declarations DIR where the documents are published, or clone it with its \
             files; nothing was changed",
        ));
    }
    let histories: Vec<(String, String)> = declared
        .iter()
        .filter_map(|d| Some((d.document.id.clone(), d.history.clone()?)))
        .filter(|(_, file)| files.contains(file))
        .collect();
    // A history that cannot be listed refuses everything, before anything is written.
    let listed: Histories = match versions {
        None => Vec::new(),
        Some(repository) => histories
            .into_iter()
            .map(|(id, file)| Ok((id, git::list(repository, &file, globals.now())?)))
            .collect::<Result<_, ImportError>>()?,
    };
    let continued: Vec<&str> = listed.iter().map(|(id, _)| id.as_str()).collect();
    declare(globals, declared, &continued, report)?;
    match versions {
        Some(repository) => take(globals, repository, listed, report),
        None => Ok(()),
    }
}

fn words(report: &Report) -> String {
    let mut out = String::new();
    for added in &report.added {
        out += &format!("added {} ({})\n", added.id, added.source.join(", "));
        for left_out in &added.left_out {
            out += &format!("  note: {left_out}\n");
        }
    }
    for id in &report.tracked {
        out += &format!("{id} is tracked already; its history is added\n");
    }
    for skipped in &report.skipped {
        out += &format!("skipped: {skipped}\n");
    }
    for Done {
        imported: done,
        redated,
    } in &report.imported
    {
        let span = match (done.from, done.until) {
            (Some(from), Some(until)) => format!(
                ", {} to {}",
                from.strftime("%Y-%m-%d"),
                until.strftime("%Y-%m-%d")
            ),
            _ => String::new(),
        };
        out += &format!(
            "imported {}: {} versions read, {} texts stored, {} known already, {} not newer than the workspace's{span}\n",
            done.id, done.read, done.stored, done.known, done.older
        );
        let verdicts: Vec<String> = done
            .verdicts
            .iter()
            .map(|(verdict, count)| {
                format!("{count} {}", fairnotice::render::wording::code(verdict))
            })
            .collect();
        if !verdicts.is_empty() {
            out += &format!("  changes: {}\n", verdicts.join(", "));
        }
        if *redated > 0 {
            out += &format!(
                "  dates: {redated} version(s) have a commit date that is out of order or still to come; each is \
                 dated as the version beside it\n"
            );
        }
        for line in &done.unreadable {
            out += &format!("  not readable: {line}\n");
        }
    }
    out
}

impl From<ImportError> for CliError {
    fn from(error: ImportError) -> Self {
        let message = error.to_string();
        match error {
            ImportError::Workspace(error) => error.into(),
            ImportError::Check(error) => error.into(),
            ImportError::NoGit(_) => {
                Self::failed("no-git", message).hint("install git; histories are read through it")
            }
            ImportError::Git { .. } => Self::failed("git", message)
                .hint("name the folder of a repository that git can read"),
            ImportError::NoHistory { .. } => Self::failed("no-history", message)
                .hint("give the file's path relative to the repository"),
            ImportError::NotEmpty(_) => {
                Self::failed("not-empty", message).hint("name a folder that does not exist yet")
            }
            ImportError::NotAFile { .. } => Self::failed("not-a-file", message)
                .hint("name one file, relative to the repository; nothing was changed"),
            ImportError::Unwritable { .. } => Self::failed("unwritable", message),
            ImportError::SamePath { .. } => Self::failed("same-path", message).hint(
                "give each a `title` of its own in fairnotice.toml, or export one by one with \
                 --id; nothing was written",
            ),
            _ => Self::failed("import", message),
        }
    }
}
