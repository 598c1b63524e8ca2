//! `fairnotice recipients …`

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
};

use fairnotice::run::recipients;

use super::{CliError, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read a list and say what would be used and what not, without making a campaign.
    Check {
        /// CSV or JSON Lines, - for standard input, or postgres://… (with --query).
        recipients: String,
        /// The SQL query that gives the recipients.
        #[arg(long, value_name = "SQL")]
        query: Option<String>,
    },
    /// Make a person unreadable in all campaigns; the chains still verify.
    Erase {
        /// Address or user id.
        person: String,
    },
    /// Addresses that do not work and are not mailed.
    #[command(subcommand)]
    Suppressed(Suppressed),
}

#[derive(Debug, clap::Subcommand)]
enum Suppressed {
    /// Write them as CSV on standard output, or into a file.
    Export {
        /// Where to.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take addresses from a CSV with the column `address`.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Take an address off the list: it works again.
    Remove {
        /// The address.
        address: String,
    },
}

/// A list of recipients: a file, standard input, or a query.
pub(crate) fn source(name: &str, query: Option<&str>) -> Result<Box<dyn BufRead>, CliError> {
    if name.starts_with("postgres://") || name.starts_with("postgresql://") {
        #[cfg(feature = "postgres")]
        return Ok(Box::new(fairnotice::deliver::query(name, query).map_err(
            |error| CliError::usage("database", error.to_string()),
        )?));
        #[cfg(not(feature = "postgres"))]
        return Err(CliError::usage(
            "database",
            "this build has no PostgreSQL; it lacks the feature `postgres`",
        ));
    }
    if query.is_some() {
        return Err(CliError::usage(
            "asked",
            "--query needs a database: postgres://…",
        ));
    }
    if name == "-" {
        return Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            std::io::stdin(),
        )));
    }
    let file = std::fs::File::open(name).map_err(|error| {
        CliError::failed("unreadable", format!("cannot read {name}: {error}"))
            .hint("give a CSV file with a header line, or JSON Lines")
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    match &args.command {
        Command::Check { recipients, query } => check(recipients, query.as_deref(), globals),
        Command::Erase { person } => {
            let erased = recipients::erase_person(root, person, globals.now())?;
            if globals.json() {
                return print_json(&erased);
            }
            if erased.campaigns.is_empty() && !erased.suppressed {
                return Err(CliError::failed(
                    "unknown-person",
                    format!("`{person}` is in no campaign's list"),
                ));
            }
            print_text(&format!(
                "erased from {} campaigns: {}\n",
                erased.campaigns.len(),
                erased.campaigns.join(", ")
            ))
        }
        Command::Suppressed(command) => suppressed(command, globals),
    }
}

fn check(name: &str, query: Option<&str>, globals: &Globals) -> Outcome {
    use fairnotice::deliver::{Row, read_recipients};
    let mut usable = 0u64;
    let mut rejected = Vec::new();
    let mut total = 0u64;
    read_recipients(source(name, query)?, None, |line, row| {
        match row {
            Row::Usable(_) => usable += 1,
            Row::Rejected(reason) => {
                total += 1;
                if rejected.len() < 10_000 {
                    rejected.push(serde_json::json!({"line": line, "reason": reason}));
                }
            }
        }
        Ok(())
    })
    .map_err(|error| CliError::failed("recipients", format!("{name}: {error}")))?;
    if globals.json() {
        return print_json(&serde_json::json!({
            "schema": "fairnotice/recipients/1",
            "usable": usable, "rejected": rejected, "rejected_total": total,
        }));
    }
    let mut text = format!("{usable} lines can be used, {total} not\n");
    for line in &rejected {
        text += &format!(
            "  line {}: {}\n",
            line["line"],
            line["reason"].as_str().unwrap_or_default()
        );
    }
    print_text(&text)
}

fn suppressed(command: &Suppressed, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let mut all = recipients::suppression(root)?;
    let failed = |error: &dyn std::fmt::Display| CliError::failed("suppression", error.to_string());
    match command {
        Suppressed::Export { output } => {
            let mut csv = Vec::new();
            all.export(&mut csv).map_err(|error| failed(&error))?;
            match output {
                Some(path) => {
                    fairnotice::store::write_whole(path, &csv).map_err(|error| failed(&error))?;
                    print_text(&format!(
                        "{} addresses were written to {}\n",
                        all.len(),
                        path.display()
                    ))
                }
                None => print_text(&String::from_utf8_lossy(&csv)),
            }
        }
        Suppressed::Import { file } => {
            let input = std::fs::File::open(file)
                .map_err(|error| failed(&format!("cannot read {}: {error}", file.display())))?;
            let fresh = all
                .import(input, globals.now())
                .map_err(|error| failed(&format!("{}: {error}", file.display())))?;
            recipients::keep_suppression(root, &all)?;
            print_text(&format!(
                "{fresh} addresses are new, {} in all\n",
                all.len()
            ))
        }
        Suppressed::Remove { address } => {
            let normalised = fairnotice::deliver::Address::parse(address)
                .map_err(|error| failed(&format!("`{address}`: {error}")))?
                .normalised();
            if !all.remove(&normalised) {
                return Err(failed(&format!("`{normalised}` is not on the list")));
            }
            recipients::keep_suppression(root, &all)?;
            print_text(&format!("{normalised} will be mailed again\n"))
        }
    }
}
