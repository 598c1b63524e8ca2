//! `fairnotice bounces MAILBOX`

use std::path::{Path, PathBuf};

use fairnotice::{
    deliver::ImapPlace,
    run::bounces::{self, Mailbox},
};

use super::{CliError, Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A Maildir folder, an mbox file, a file with one message, - for standard input, or
    /// imaps://user@host/INBOX.
    mailbox: String,
    /// File that holds the password of the IMAP mailbox.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[arg(
        long,
        env = "FAIRNOTICE_IMAP_PASSWORD",
        hide = true,
        hide_env_values = true
    )]
    imap_password: Option<String>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let place = imap(args)?;
    let mailbox = match &place {
        Some(place) => Mailbox::Imap(place),
        None => Mailbox::Path(Path::new(&args.mailbox)),
    };
    let found = bounces::read(&globals.workspace, &mailbox, globals.now())?;
    let exit = if found.busy.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    };
    if globals.json() {
        print_json(&found)?;
        return Ok(exit);
    }
    let mut text = format!(
        "{} messages: {} hard, {} soft, {} delayed, {} known already, {} matched to no delivery, \
         {} automatic replies, {} complaints\n{} addresses are newly on the list of those that do not work\n",
        found.messages,
        found.hard,
        found.soft,
        found.delayed,
        found.known,
        found.unmatched,
        found.auto_replies,
        found.complaints,
        found.suppressed
    );
    for name in &found.others {
        text += &format!("to be read by somebody: {name}\n");
    }
    for id in &found.busy {
        text += &format!("campaign {id} is being sent: read the mailbox again later\n");
    }
    print_text(&text)?;
    Ok(exit)
}

/// The IMAP mailbox, where the address is one.
fn imap(args: &Args) -> Result<Option<ImapPlace>, CliError> {
    if !ImapPlace::is_one(&args.mailbox) {
        return Ok(None);
    }
    let password = match (&args.imap_password, &args.password_file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                CliError::failed(
                    "unreadable",
                    format!("cannot read {}: {error}", file.display()),
                )
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    ImapPlace::parse(&args.mailbox, password)
        .map(Some)
        .map_err(|error| CliError::usage("mailbox", error.to_string()))
}
