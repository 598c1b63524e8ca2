//! The command line: one file per command, each a thin layer over `fairnotice::run`.

mod add;
mod audit;
mod blame;
mod bounces;
mod campaign;
mod check;
mod completions;
mod config;
mod diff;
mod duties;
mod effective;
mod error;
mod evidence;
mod exit;
mod export;
mod from;
mod import;
mod init;
mod input;
mod interrupt;
mod law;
mod log;
mod logging;
mod meter;
mod notice;
mod outline;
mod page;
mod plan;
mod progress;
mod prune;
mod recipients;
mod redlines;
mod reindex;
mod report;
mod review;
mod rules;
mod show;
mod status;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use error::CliError;
pub(crate) use exit::Exit;

/// What every command answers: how it ended, or an error for people.
pub(crate) type Outcome = Result<Exit, CliError>;

/// Keeps policy documents honest: tracks them, redlines them, flags what changes for users, finds
/// the notice that was promised, and sends it, provably.
#[derive(Debug, Parser)]
#[command(name = "fairnotice", version, max_term_width = 100, after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// Folder of the workspace (where fairnotice.toml is).
    #[arg(
        long,
        short = 'C',
        global = true,
        value_name = "DIR",
        default_value = "."
    )]
    pub(crate) workspace: PathBuf,
    /// Output for people or for programs.
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// The instant to take for now, for rehearsals and tests (RFC 3339).
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "FAIRNOTICE_NOW",
        hide_env_values = true
    )]
    pub(crate) now: Option<jiff::Timestamp>,
    /// Say more on standard error; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing on standard error but errors.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

impl Globals {
    /// Whether exactly one JSON document is wanted on standard output.
    pub(crate) fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// The clock: the given instant, else the workspace's fixed one, else the machine's.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        let fixed = || {
            fairnotice::config::load(&self.workspace)
                .ok()
                .and_then(|c| c.clock)
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the clock is read"
        )]
        self.now.or_else(fixed).unwrap_or_else(jiff::Timestamp::now)
    }
}

/// Forms of output. Not every command has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Coloured text on a terminal, plain text in a pipe.
    Terminal,
    /// One JSON document.
    Json,
    /// Markdown.
    Markdown,
    /// A self-contained web page.
    Html,
    /// A word processing document with tracked changes.
    Docx,
    /// The web page, printed by an installed browser.
    Pdf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a workspace.
    Init(init::Args),
    /// Track a document: fetch it, show what it reads as, write it into the workspace.
    Add(add::Args),
    /// Look at the documents of the workspace: store what is new, judge what changed.
    Check(check::Args),
    /// Show when each document was last seen well.
    Status(status::Args),
    /// List the versions of a document.
    Log(log::Args),
    /// Print a document's canonical text.
    Show(show::Args),
    /// Show a document's sections, dates and oddities.
    Outline(outline::Args),
    /// Say for each sentence of a document since which version it stands there.
    Blame(blame::Args),
    /// Compare documents: redline, findings, duties.
    Diff(diff::Args),
    /// List the findings of a change; confirm, overrule or annotate them.
    Review(review::Args),
    /// List what a document promises about telling its users.
    Duties(duties::Args),
    /// Plan the notices that a document's newest text owes: how, by when, and why.
    Plan(plan::Args),
    /// Say when a version takes effect, or that it was withdrawn.
    Effective(effective::Args),
    /// Hold a document's history against its promises.
    Audit(audit::Args),
    /// Show, fill in, edit, approve and put up the notices of a change.
    Notice(notice::Args),
    /// Send approved e-mail notices to a list of people, provably.
    Campaign(campaign::Args),
    /// Read returned mail and match it to deliveries.
    Bounces(bounces::Args),
    /// Check lists of recipients, erase people, keep addresses that do not work.
    Recipients(recipients::Args),
    /// Prove a campaign to others, and check such proofs.
    Evidence(evidence::Args),
    /// List or show law packs.
    Law(law::Args),
    /// Show and test the rules that judge changes.
    Rules(rules::Args),
    /// Take over histories and declarations of other programs.
    Import(import::Args),
    /// Give histories to other programs.
    Export(export::Args),
    /// Check the workspace's configuration.
    Config(config::Args),
    /// Verify the journal and build the index anew.
    Reindex(reindex::Args),
    /// Erase the lists of campaigns that ended long ago.
    Prune(prune::Args),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
    /// Write the manual pages.
    Man(completions::Man),
}

/// The command line of `fairnotice diff`, without all other commands.
#[derive(Debug, Parser)]
struct DiffAlone {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    args: diff::Args,
}

/// Two files are compared in less time than it takes to describe all commands to the parser, and
/// scripts compare thousands: a plain `fairnotice diff …` is parsed by itself. Whatever is not
/// plain (help, mistakes) goes to the whole parser, which has the words for it.
fn plain_diff() -> Option<DiffAlone> {
    let mut words = std::env::args_os();
    let program = words.next()?;
    words.next().filter(|command| command == "diff")?;
    DiffAlone::try_parse_from(std::iter::once(program).chain(words)).ok()
}

/// Parses the command line, runs the command, reports how it ended.
pub(crate) fn main() -> ExitCode {
    if let Some(DiffAlone { globals, args }) = plain_diff() {
        return ended(diff::run(&args, &globals), &globals);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // A closed pipe is no reason to fail: the reader has seen enough.
            let _closed = error.print();
            return code.into();
        }
    };
    logging::start(&cli.globals);
    let outcome = match &cli.command {
        Command::Init(args) => init::run(args, &cli.globals),
        Command::Add(args) => add::run(args, &cli.globals),
        Command::Log(args) => log::run(args, &cli.globals),
        Command::Status(args) => status::run(args, &cli.globals),
        Command::Check(args) => check::run(args, &cli.globals),
        Command::Config(args) => config::run(args, &cli.globals),
        Command::Reindex(args) => reindex::run(args, &cli.globals),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
        Command::Outline(args) => outline::run(args, &cli.globals),
        Command::Show(args) => show::run(args, &cli.globals),
        Command::Import(args) => import::run(args, &cli.globals),
        Command::Export(args) => export::run(args, &cli.globals),
        Command::Blame(args) => blame::run(args, &cli.globals),
        Command::Diff(args) => diff::run(args, &cli.globals),
        Command::Duties(args) => duties::run(args, &cli.globals),
        Command::Plan(args) => plan::run(args, &cli.globals),
        Command::Law(args) => law::run(args, &cli.globals),
        Command::Audit(args) => audit::run(args, &cli.globals),
        Command::Effective(args) => effective::run(args, &cli.globals),
        Command::Notice(args) => notice::run(args, &cli.globals),
        Command::Campaign(args) => campaign::run(args, &cli.globals),
        Command::Recipients(args) => recipients::run(args, &cli.globals),
        Command::Review(args) => review::run(args, &cli.globals),
        Command::Rules(args) => rules::run(args, &cli.globals),
        Command::Evidence(args) => evidence::run(args, &cli.globals),
        Command::Bounces(args) => bounces::run(args, &cli.globals),
        Command::Prune(args) => prune::run(args, &cli.globals),
    };
    ended(outcome, &cli.globals)
}

fn ended(outcome: Outcome, globals: &Globals) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => error.report(globals.json()),
    }
}

/// A variable of the environment; empty is as good as absent.
pub(crate) fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the environment is read"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Says what became of committing new snapshots, and gives why it failed. A failure is said even
/// when nothing but errors is wanted: every run tells of it until it works.
pub(crate) fn committed(
    outcome: Result<fairnotice::run::history::Committed, String>,
    globals: &Globals,
) -> Option<String> {
    use std::io::Write as _;
    match outcome {
        Ok(committed) => {
            if let Some(first) = committed.ignored.first() {
                check::warn(
                    globals,
                    &format!(
                        "Git is told to ignore {} file(s) of fetched bytes, such as {first}: their texts are committed, \
                         they are not",
                        committed.ignored.len()
                    ),
                );
            }
            None
        }
        Err(said) => {
            // Nobody can be told that standard error is closed.
            let _closed = writeln!(
                anstream::stderr(),
                "error: the snapshots are stored but not committed: {said}\n  hint: the next run tries \
                 again; `[snapshots] git = false` in fairnotice.toml does without"
            );
            Some(said)
        }
    }
}

/// Writes one JSON document and a line end on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Outcome {
    use std::io::Write as _;
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| CliError::failed("json", format!("cannot write JSON: {error}")))?;
    text.push(b'\n');
    // JSON has no escape sequences that a terminal would act on: no need to look for them.
    printed(std::io::stdout().lock().write_all(&text))
}

/// Writes one JSON document on one line, for programs.
pub(crate) fn print_json_line(value: &impl serde::Serialize) -> Outcome {
    use std::io::Write as _;
    let mut out = Portions {
        held: Vec::with_capacity(2 * PORTION),
        to: std::io::stdout().lock(),
    };
    printed(
        serde_json::to_writer(&mut out, value)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush()),
    )
}

/// Holds what is written until it is worth passing on: a document in JSON comes word by word, and
/// may be longer than both texts that it compares.
struct Portions<W> {
    held: Vec<u8>,
    to: W,
}

impl<W: std::io::Write> std::io::Write for Portions<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.held.extend_from_slice(bytes);
        if self.held.len() > PORTION {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.write_all(&self.held)?;
        self.held.clear();
        self.to.flush()
    }
}

/// Bytes that are passed on at once.
const PORTION: usize = 1 << 14;

/// Writes text on standard output; a closed pipe is success.
pub(crate) fn print_text(text: &str) -> Outcome {
    use std::io::Write as _;
    printed(anstream::stdout().write_all(text.as_bytes()))
}

fn printed(written: std::io::Result<()>) -> Outcome {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::failed(
            "output",
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(Exit::Done),
    }
}
