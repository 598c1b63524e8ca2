//! `fairnotice import git|ota|urlwatch`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fairnotice::{
    config,
    run::{
        Workspace, add,
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
        /// Where the document is published, for later checks (default: the file itself).
        #[arg(long, value_name = "URL")]
        source: Option<String>,
        /// It is our own document: notices are drafted for later changes.
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
    skipped: Vec<String>,
    imported: Vec<Imported>,
}

#[derive(Serialize)]
struct Added {
    id: String,
    source: Vec<String>,
    left_out: Vec<String>,
}

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
            let listed = git::list(repository, path)?;
            let source = source.clone().unwrap_or_else(|| absolute(repository, path));
            let mut document = import::tracked(id.clone(), vec![source]);
            if *owner {
                document.side = config::Side::Owner;
            }
            declare(globals, vec![plain(document)], &mut report)?;
            history(globals, repository, vec![(id.clone(), listed)], &mut report)?;
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
            declare(globals, jobs, &mut report)?;
            report.skipped.extend(refused);
        }
    }
    if globals.json() {
        print_json(&report)?;
    } else {
        print_text(&words(&report))?;
    }
    let partly = report.imported.iter().any(|i| !i.unreadable.is_empty());
    Ok(if partly { Exit::Partly } else { Exit::Done })
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

/// Adds the documents that the workspace does not have yet.
fn declare(
    globals: &Globals,
    declared: Vec<Declared>,
    report: &mut Report,
) -> Result<(), CliError> {
    let config = config::load(&globals.workspace)?;
    let mut fresh = Vec::new();
    for declared in declared {
        let id = &declared.document.id;
        if config.document(id).is_some() {
            report
                .skipped
                .push(format!("{id}: is in the workspace already"));
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
fn history(
    globals: &Globals,
    repository: &Path,
    documents: Vec<(String, Vec<git::Listed>)>,
    report: &mut Report,
) -> Result<(), CliError> {
    let now = globals.now();
    let mut workspace =
        Workspace::write(&globals.workspace, "import", now, Duration::from_secs(5))?;
    for (id, listed) in documents {
        let document = workspace.document(&id)?.clone();
        let versions = git::versions(repository, listed)?;
        let imported = import::keep(&mut workspace, &document, versions, now)?;
        report.imported.push(imported);
    }
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
    let histories: Vec<(String, String)> = declared
        .iter()
        .filter_map(|d| Some((d.document.id.clone(), d.history.clone()?)))
        .filter(|(_, file)| files.contains(file))
        .collect();
    declare(globals, declared, report)?;
    let Some(repository) = versions else {
        return Ok(());
    };
    let listed = histories
        .into_iter()
        .map(|(id, file)| Ok((id, git::list(repository, &file)?)))
        .collect::<Result<Vec<_>, ImportError>>()?;
    history(globals, repository, listed, report)
}

fn words(report: &Report) -> String {
    let mut out = String::new();
    for added in &report.added {
        out += &format!("added {} ({})\n", added.id, added.source.join(", "));
        for left_out in &added.left_out {
            out += &format!("  note: {left_out}\n");
        }
    }
    for skipped in &report.skipped {
        out += &format!("skipped: {skipped}\n");
    }
    for done in &report.imported {
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
            ImportError::Unwritable { .. } => Self::failed("unwritable", message),
            ImportError::SamePath { .. } => Self::failed("same-path", message).hint(
                "give each a `title` of its own in fairnotice.toml, or export one by one with \
                 --id; nothing was written",
            ),
            _ => Self::failed("import", message),
        }
    }
}
