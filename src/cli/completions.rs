//! `fairnotice completions SHELL` and `fairnotice man DIR`

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::{Cli, CliError, Exit, Outcome, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Folder for the pages, one for each command.
    dir: PathBuf,
}

pub(crate) fn completions(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fairnotice", &mut script);
    print_text(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(args: &Man) -> Outcome {
    let error = |e: std::io::Error| {
        CliError::failed(
            "write",
            format!("cannot write to {}: {e}", args.dir.display()),
        )
    };
    std::fs::create_dir_all(&args.dir).map_err(error)?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(error)?;
    Ok(Exit::Done)
}
