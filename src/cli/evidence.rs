//! `fairnotice evidence …`

use std::path::PathBuf;

use fairnotice::{
    evidence::{Expect, Hash, Opened},
    run::{
        binding::{self, Post},
        evidence::{self, EvidenceError, Export},
    },
};

use super::{CliError, Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write a bundle that proves a campaign: texts, approvals, list, ledger.
    Export {
        /// The campaign.
        campaign: String,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// A file that goes along, such as the redline; may be said several times.
        #[arg(long = "attach", value_name = "FILE")]
        attached: Vec<PathBuf>,
        /// Sign with this minisign secret key.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        #[arg(
            long,
            env = "FAIRNOTICE_SIGN_PASSWORD",
            hide = true,
            hide_env_values = true
        )]
        sign_password: Option<String>,
    },
    /// Check a bundle; exit code 0 only when everything proves true.
    Verify {
        /// The bundle.
        bundle: PathBuf,
        /// The minisign public key whose signature must be there: its line of Base64, or its file.
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
        /// A head known from elsewhere, which must stand in the ledger.
        #[arg(long = "head", value_name = "HASH")]
        heads: Vec<Hash>,
        /// Commitments that were opened by `evidence open`.
        #[arg(long, value_name = "FILE")]
        opened: Vec<PathBuf>,
    },
    /// Print the head of a campaign's chain, to be given out of the house.
    Head {
        /// The campaign.
        campaign: String,
        /// Where the head goes; the ledger remembers it.
        #[arg(long, value_name = "WHERE")]
        to: Option<String>,
    },
    /// Give the heads of all ledgers that changed to those whom `[evidence]` of fairnotice.toml
    /// names: by mail, webhook, time stamp. Meant for once a day.
    Bind {
        #[command(flatten)]
        relay: super::campaign::RelayArgs,
    },
    /// Print what shows which commitment of a bundle is a person's.
    Open {
        /// The campaign.
        campaign: String,
        /// Address or user id.
        person: String,
    },
}

impl From<EvidenceError> for CliError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Campaign(error) => error.into(),
            other => Self::failed("evidence", other.to_string()),
        }
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    match &args.command {
        Command::Export {
            campaign,
            output,
            attached,
            key,
            sign_password,
        } => {
            let export = Export {
                output,
                attached,
                key: key.as_deref(),
                password: sign_password.clone(),
            };
            let manifest = evidence::export(root, campaign, &export, globals.now())?;
            if globals.json() {
                return print_json(&manifest);
            }
            print_text(&format!(
                "{}: campaign {}, {} entries, head {}\n",
                output.display(),
                manifest.campaign,
                manifest.entries,
                manifest.head
            ))
        }
        Command::Verify {
            bundle,
            public_key,
            heads,
            opened,
        } => {
            let public_key = public_key.as_deref().map(public_key_line).transpose()?;
            let opened = opened
                .iter()
                .map(read_opened)
                .collect::<Result<Vec<_>, _>>()?
                .concat();
            let expect = Expect {
                public_key: public_key.as_deref(),
                heads,
                opened: &opened,
            };
            show(bundle, &expect, globals)
        }
        Command::Head { campaign, to } => {
            let (id, entries, head) = evidence::head(root, campaign, to.as_deref(), globals.now())?;
            if globals.json() {
                return print_json(&serde_json::json!({
                    "schema": "fairnotice/head/1", "campaign": id, "entries": entries, "head": head,
                }));
            }
            print_text(&format!("{id} {entries} {head}\n"))
        }
        Command::Bind { relay } => bind(relay, globals),
        Command::Open { campaign, person } => print_json(&evidence::open(root, campaign, person)?),
    }
}

fn bind(args: &super::campaign::RelayArgs, globals: &Globals) -> Outcome {
    let config = super::campaign::config(&globals.workspace)?;
    let wishes = &config.evidence;
    if wishes.heads_to.is_empty() && wishes.time_stamp.is_none() {
        return Err(
            CliError::usage("no-one", "nobody is named to whom the heads go")
                .hint("set `heads_to` or `time_stamp` in [evidence] of fairnotice.toml"),
        );
    }
    let by_mail = wishes.heads_to.iter().any(|to| !to.contains("://"));
    let relay = if by_mail {
        Some(super::campaign::relay(args, globals)?)
    } else {
        None
    };
    let post = relay.as_ref().zip(config.mail.from.as_deref());
    let post = post.map(|(relay, from)| Post { relay, from });
    let bound = binding::bind(&globals.workspace, wishes, post.as_ref(), globals.now())?;
    let exit = if bound.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    };
    if globals.json() {
        print_json(&bound)?;
        return Ok(exit);
    }
    let mut text = String::new();
    for head in &bound.heads {
        text += &format!("{} {} {}\n", head.campaign, head.entries, head.head);
    }
    text += &match (bound.heads.len(), bound.went.join(", ")) {
        (0, _) => "nothing changed since the last time\n".to_owned(),
        (_, went) if went.is_empty() => String::new(),
        (_, went) => format!("given to {went}\n"),
    };
    for why in &bound.failed {
        text += &format!("not given: {why}\n");
    }
    print_text(&text)?;
    Ok(exit)
}

fn show(bundle: &std::path::Path, expect: &Expect<'_>, globals: &Globals) -> Outcome {
    let found = evidence::check(bundle, expect)?;
    let exit = if found.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    };
    if globals.json() {
        print_json(&serde_json::json!({
            "schema": "fairnotice/verification/1",
            "true": found.problems.is_empty(),
            "manifest": found.manifest, "proven": found.proven, "problems": found.problems,
        }))?;
        return Ok(exit);
    }
    let mut text = String::new();
    for claim in &found.proven {
        text += &format!("true   {claim}\n");
    }
    for problem in &found.problems {
        let line = problem
            .line
            .map(|n| format!(", line {n}"))
            .unwrap_or_default();
        text += &format!("FALSE  {}{line}: {}\n", problem.file, problem.what);
    }
    text += if found.problems.is_empty() {
        "everything proves true\n"
    } else {
        "the bundle does not prove what it says\n"
    };
    print_text(&text)?;
    Ok(exit)
}

/// The line of a minisign public key, also from its file.
fn public_key_line(key: &str) -> Result<String, CliError> {
    let text = match std::fs::read_to_string(key) {
        Ok(text) => text,
        Err(_) => key.to_owned(),
    };
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| CliError::usage("public-key", "the public key is empty"))
}

fn read_opened(path: &PathBuf) -> Result<Vec<Opened>, CliError> {
    let wrong =
        |why: String| CliError::usage("opened", format!("cannot read {}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
}
