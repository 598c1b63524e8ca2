//! `fairnotice init [DIR]`

use std::path::PathBuf;

use fairnotice::config;

use super::{CliError, Globals, Outcome, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; made when it is not there.
    dir: Option<PathBuf>,
}

/// What is people's data or can be made again stays out of Git.
const IGNORED: [&str; 2] = ["/.fairnotice/", "/out/"];

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let dir = args
        .dir
        .clone()
        .unwrap_or_else(|| globals.workspace.clone());
    let file = dir.join(config::FILE);
    if file.exists() {
        return Err(
            CliError::failed("exists", format!("{} is there already", file.display()))
                .hint("nothing was changed"),
        );
    }
    let error = |path: &std::path::Path, e: std::io::Error| {
        CliError::failed("write", format!("cannot write {}: {e}", path.display()))
    };
    for folder in ["snapshots", "templates", "rules"] {
        let folder = dir.join(folder);
        std::fs::create_dir_all(&folder).map_err(|e| error(&folder, e))?;
    }
    let ignore = dir.join(".gitignore");
    let present = std::fs::read_to_string(&ignore).unwrap_or_default();
    let missing: String = IGNORED
        .iter()
        .filter(|line| !present.lines().any(|l| l.trim() == **line))
        .map(|line| format!("{line}\n"))
        .collect();
    if !missing.is_empty() {
        let gap = if present.is_empty() || present.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        std::fs::write(&ignore, format!("{present}{gap}{missing}"))
            .map_err(|e| error(&ignore, e))?;
    }
    std::fs::write(&file, config::STARTER).map_err(|e| error(&file, e))?;
    print_text(&format!(
        "Made a workspace: {}\nNext: fairnotice -C {} add https://example.com/privacy --id privacy\n",
        file.display(),
        dir.display(),
    ))
}
