//! `fairnotice bounces MAILBOX`

use std::path::PathBuf;

use fairnotice::run::bounces;

use super::{Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A Maildir folder, an mbox file, a file with one message, or - for standard input.
    mailbox: PathBuf,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let found = bounces::read(&globals.workspace, &args.mailbox, globals.now())?;
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
