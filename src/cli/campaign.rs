//! `fairnotice campaign …`

use std::{
    io::{BufRead, BufReader, IsTerminal as _},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use fairnotice::{
    config::Config,
    deliver::{ListFormat, Progress, Relay, Retry, Sender, Stop, Timeouts},
    evidence::{CampaignState, Delivery},
    notice::Notice,
    run::campaign::{
        self, CampaignError, Clock, Create, DeliveryReport, SendOptions, Settlement, Window,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    CliError, Exit, Globals, Outcome,
    interrupt::listen,
    meter::{Meter, Showing, eprint_line},
    print_json, print_text,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Freeze approved e-mail notices and a list of recipients into a campaign.
    Create(CreateArgs),
    /// Make a follow-up campaign for people who joined after a campaign's list was frozen.
    Joiners(JoinersArgs),
    /// Approve a campaign: its texts, list and window as they are now.
    Approve(Decision),
    /// Send, or go on where it was.
    Send(Box<SendArgs>),
    /// Stop for now, also while another process is sending.
    Pause(Decision),
    /// Let a paused campaign go on; `send` sends.
    Resume(Decision),
    /// Give a campaign up for good.
    Cancel(CancelArgs),
    /// Give a campaign another window or rate; approvals fall.
    Reschedule(RescheduleArgs),
    /// Say where campaigns stand.
    Status(StatusArgs),
    /// Show the very bytes for chosen people: the longest name and each locale by default.
    Preview(PreviewArgs),
    /// Send one person's message to an address of yours.
    Test(TestArgs),
    /// Settle uncertain messages by the relay's log.
    Reconcile(ReconcileArgs),
    /// Send uncertain messages again; a person may get a second copy.
    Resend(Decision),
}

#[derive(Debug, clap::Args)]
struct Decision {
    /// The campaign.
    campaign: String,
    /// Who decides.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    by: String,
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// Approved e-mail notices: ids, or files with a notice's record (JSON).
    #[arg(required = true, value_name = "NOTICE")]
    notices: Vec<String>,
    /// CSV or JSON Lines, - for standard input, or postgres://… (with --query).
    #[arg(long, value_name = "FILE")]
    recipients: String,
    /// The SQL query that gives the recipients, one row a person.
    #[arg(long, value_name = "SQL")]
    query: Option<String>,
    /// Format of the list; told by its content otherwise.
    #[arg(long, value_name = "FORMAT")]
    list_format: Option<Listing>,
    /// Nothing is sent before this instant (RFC 3339).
    #[arg(long, value_name = "TIME")]
    earliest: Option<Timestamp>,
    /// Nothing is sent after this instant; the notices' own latest time where it is earlier.
    #[arg(long, value_name = "TIME")]
    latest: Option<Timestamp>,
    /// Sender, `Name <address>`; `[mail] from` of the configuration otherwise.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Where replies go.
    #[arg(long, value_name = "ADDRESS")]
    reply_to: Option<String>,
    /// Envelope sender for bounces; a token is added to its local part.
    #[arg(long, value_name = "ADDRESS")]
    bounce_address: Option<String>,
    /// Most messages a second.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// Most messages a second to one receiving domain.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    domain_rate: Option<f64>,
    /// The campaign that this one corrects or recalls.
    #[arg(long, value_name = "CAMPAIGN")]
    corrects: Option<String>,
}

#[derive(Debug, clap::Args)]
struct JoinersArgs {
    /// The campaign whose notices they get.
    campaign: String,
    /// The list as it is now: CSV or JSON Lines, - for standard input, or postgres://… (with
    /// --query). Whoever is on an earlier list of these notices is left out.
    #[arg(long, value_name = "FILE")]
    recipients: String,
    /// The SQL query that gives the recipients, one row a person.
    #[arg(long, value_name = "SQL")]
    query: Option<String>,
    /// Format of the list; told by its content otherwise.
    #[arg(long, value_name = "FORMAT")]
    list_format: Option<Listing>,
    /// Nothing is sent after this instant; the end of the day before the effect otherwise.
    #[arg(long, value_name = "TIME")]
    latest: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Listing {
    /// Comma, semicolon or tab separated, with a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RelayArgs {
    /// The relay: smtps://[user@]host or smtp://…; `[mail] smtp` of the configuration otherwise.
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// File that holds the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[arg(
        long,
        env = "FAIRNOTICE_SMTP_PASSWORD",
        hide = true,
        hide_env_values = true
    )]
    smtp_password: Option<String>,
    /// Seconds to wait for the relay's answers, where the standard's ten minutes are too long.
    #[arg(long, value_name = "SECONDS")]
    reply_timeout: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct SendArgs {
    /// The campaign.
    campaign: String,
    #[command(flatten)]
    relay: RelayArgs,
    /// Send without asking.
    #[arg(long)]
    yes: bool,
    /// Write messages as files instead of sending them.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: so many, spread over the list.
    #[arg(long, value_name = "NUMBER", requires = "dry_run")]
    sample: Option<u32>,
    /// With --dry-run: where to.
    #[arg(long, value_name = "DIR", requires = "dry_run")]
    output: Option<PathBuf>,
    /// Sessions at once.
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,
    /// Messages after which a session is renewed.
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    per_connection: usize,
    /// Most messages a second.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// Most messages a second to one receiving domain.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    domain_rate: Option<f64>,
    /// So many go first, and the rest only when most of them were accepted; 0 for none.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    canary: u32,
    /// Share of permanent refusals that pauses the campaign, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    max_refused: usize,
    /// Transient failures in a row that pause the campaign.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    max_transient: usize,
    /// Delays before further attempts for one recipient, in seconds: 30,120,300,….
    #[arg(long, value_name = "SECONDS", value_delimiter = ',')]
    retry: Vec<i64>,
    /// End when there is nothing to do for longer than this many seconds; go on with `send` later.
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
    /// What becomes of messages that a crash left uncertain.
    #[arg(long, value_name = "POLICY", default_value = "resend")]
    uncertain: Policy,
    /// The relay's log, for --uncertain reconcile.
    #[arg(long, value_name = "FILE", required_if_eq("uncertain", "reconcile"))]
    log: Option<PathBuf>,
    /// The campaign was moved to this machine on purpose, and the other does not send any more.
    #[arg(long)]
    moved: bool,
    /// Progress on standard error: a bar, JSON lines, or none.
    #[arg(long, value_name = "FORM", default_value = "auto")]
    progress: Showing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Policy {
    /// Send again: a second copy is better than none.
    Resend,
    /// Look them up in the relay's log.
    Reconcile,
    /// Leave them.
    Hold,
}

#[derive(Debug, clap::Args)]
struct CancelArgs {
    #[command(flatten)]
    decision: Decision,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "asked for")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct RescheduleArgs {
    #[command(flatten)]
    decision: Decision,
    /// Nothing is sent before this instant.
    #[arg(long, value_name = "TIME")]
    earliest: Option<Timestamp>,
    /// Nothing is sent after this instant.
    #[arg(long, value_name = "TIME")]
    latest: Option<Timestamp>,
    /// Most messages a second.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
}

#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// The campaign; all of them without it.
    campaign: Option<String>,
    /// List the people in a state, with their Message-IDs: refused also names those whose mail
    /// came back.
    #[arg(long, value_name = "STATE")]
    list: Option<State>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum State {
    /// Not tried yet.
    Pending,
    /// To be tried again.
    Deferred,
    /// Accepted by the relay.
    Accepted,
    /// Refused for good, or returned: another channel is needed.
    Refused,
    /// Sent without a reply seen.
    Uncertain,
}

#[derive(Debug, clap::Args)]
struct PreviewArgs {
    /// The campaign.
    campaign: String,
    /// People, by number in the list, address or user id.
    people: Vec<String>,
    /// Write each message to a file in this folder.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct TestArgs {
    /// The campaign.
    campaign: String,
    /// Where the test goes.
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// Whose message, by number, address or user id.
    #[arg(long, value_name = "PERSON")]
    of: Option<String>,
    #[command(flatten)]
    relay: RelayArgs,
}

#[derive(Debug, clap::Args)]
struct ReconcileArgs {
    #[command(flatten)]
    decision: Decision,
    /// The relay's log: Postfix, or any text that names the Message-IDs it took over.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("a number above 0 is needed".to_owned()),
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let now = globals.now();
    match &args.command {
        Command::Create(args) => create(args, globals),
        Command::Joiners(args) => joiners(args, globals),
        Command::Approve(d) => {
            campaign::check_notices(root, &d.campaign)?;
            let report = campaign::approve(root, &d.campaign, &d.by, now);
            decided(report, "approved", &d.by, globals)
        }
        Command::Send(args) => send(args, globals),
        Command::Pause(d) => {
            let report = campaign::pause(root, &d.campaign, &d.by, now);
            decided(report, "paused", &d.by, globals)
        }
        Command::Resume(d) => {
            let report = campaign::resume(root, &d.campaign, &d.by, now);
            decided(report, "resumed", &d.by, globals)
        }
        Command::Cancel(args) => {
            let d = &args.decision;
            let report = campaign::cancel(root, &d.campaign, &d.by, &args.reason, now);
            decided(report, "cancelled", &d.by, globals)
        }
        Command::Reschedule(args) => {
            let d = &args.decision;
            let window = Window {
                earliest: args.earliest,
                latest: args.latest,
            };
            let report = campaign::reschedule(root, &d.campaign, &d.by, window, args.rate, now);
            decided(report, "rescheduled", &d.by, globals)
        }
        Command::Status(args) => status(args, globals),
        Command::Preview(args) => preview(args, globals),
        Command::Test(args) => {
            let relay = relay(&args.relay, globals)?;
            let reply = campaign::test_mail(
                root,
                &args.campaign,
                &args.to,
                args.of.as_deref(),
                &relay,
                now,
            )?;
            print_text(&format!("accepted by the relay {relay}: {reply}\n"))
        }
        Command::Reconcile(args) => {
            let d = &args.decision;
            let log = open(&args.log)?;
            let name = args.log.display().to_string();
            let how = Settlement::Reconcile { log, name };
            settled(&d.campaign, how, &d.by, globals)
        }
        Command::Resend(d) => settled(&d.campaign, Settlement::Resend, &d.by, globals),
    }
}

/// The configuration; a workspace without one has the defaults.
pub(crate) fn config(root: &Path) -> Result<Config, CliError> {
    if !root.join("fairnotice.toml").exists() {
        return Ok(Config::default());
    }
    fairnotice::config::load(root).map_err(|error| CliError::usage("config", error.to_string()))
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, CliError> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = std::fs::File::open(path).map_err(|error| {
        CliError::failed(
            "unreadable",
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

fn create(args: &CreateArgs, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let config = config(root)?;
    let from = args.from.clone().or_else(|| config.mail.from.clone());
    let from = from.ok_or_else(|| {
        CliError::usage("no-sender", "nobody is named as the sender")
            .hint("set `from` in [mail] of fairnotice.toml, or say --from")
    })?;
    let notices = args
        .notices
        .iter()
        .map(|id| notice(root, id))
        .collect::<Result<Vec<_>, _>>()?;
    let recipients = super::recipients::source(&args.recipients, args.query.as_deref())?;
    let suppression = fairnotice::run::recipients::suppression(root)?;
    let create = Create {
        notices,
        compose: &|several| compose(root, several),
        recipients,
        format: args.list_format.map(format_of),
        list_name: list_name(&args.recipients),
        window: Window {
            earliest: args.earliest,
            latest: args.latest,
        },
        sender: Sender {
            from,
            reply_to: args.reply_to.clone().or(config.mail.reply_to),
            bounce: args.bounce_address.clone().or(config.mail.bounce_address),
        },
        rate: args.rate.or(config.mail.rate_per_second),
        domain_rate: args.domain_rate.or(config.mail.rate_per_domain),
        approvals: config.notice.approvals.unwrap_or(1),
        corrects: args.corrects.clone(),
        told: None,
    };
    let created = campaign::create(root, create, &suppression, globals.now())?;
    made(&created, globals)
}

/// A follow-up campaign for those who are on no list yet.
fn joiners(args: &JoinersArgs, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let config = config(root)?;
    let start = campaign::joiners(root, &args.campaign, globals.now())?;
    let latest = match (args.latest, start.latest) {
        (Some(asked), Some(effect)) => Some(asked.min(effect)),
        (asked, effect) => asked.or(effect),
    };
    let create = Create {
        notices: start.notices,
        compose: &|several| compose(root, several),
        recipients: super::recipients::source(&args.recipients, args.query.as_deref())?,
        format: args.list_format.map(format_of),
        list_name: list_name(&args.recipients),
        window: Window {
            earliest: None,
            latest,
        },
        sender: start.sender,
        rate: config.mail.rate_per_second,
        domain_rate: config.mail.rate_per_domain,
        approvals: config.notice.approvals.unwrap_or(1),
        corrects: None,
        told: Some(start.told),
    };
    let suppression = fairnotice::run::recipients::suppression(root)?;
    let created = campaign::create(root, create, &suppression, globals.now())?;
    made(&created, globals)
}

fn format_of(format: Listing) -> ListFormat {
    match format {
        Listing::Csv => ListFormat::Csv,
        Listing::Jsonl => ListFormat::JsonLines,
    }
}

fn list_name(source: &str) -> String {
    match source {
        "-" => "standard input".to_owned(),
        url if url.starts_with("postgres") => "the database".to_owned(),
        file => file.to_owned(),
    }
}

fn made(created: &campaign::Created, globals: &Globals) -> Outcome {
    tell(&created.id, "created", "operator", globals);
    if globals.json() {
        return print_json(created);
    }
    let mut text = format!(
        "campaign {} (draft): {} recipients\n",
        created.id, created.recipients
    );
    if created.already_told > 0 {
        text += &format!(
            "{} people of this list are on an earlier one and are left out\n",
            created.already_told
        );
    }
    if let Some(latest) = created.window.latest {
        text += &format!("the last message must be out by {latest}\n");
    }
    if let Some(finish) = created.finish {
        text += &format!("at the allowed rate it would be out by {finish}\n");
    }
    if created.rejected_total > 0 {
        text += &format!(
            "{} lines were not used, {} of them people who need another channel:\n",
            created.rejected_total, created.other_channel
        );
        for rejected in created.rejected.iter().take(20) {
            text += &format!("  line {}: {}\n", rejected.line, rejected.reason);
        }
        if created.rejected_total > 20 {
            text += "  … all of them are in rejected.jsonl of the campaign's folder\n";
        }
    }
    text += &format!(
        "next: fairnotice campaign preview {0}; fairnotice campaign approve {0} --by NAME\n",
        created.id
    );
    print_text(&text)
}

/// One mail of several notices, by the workspace's templates.
fn compose(root: &Path, notices: &[Notice]) -> Result<Notice, String> {
    let templates = fairnotice::run::notices::templates(root).map_err(|e| e.to_string())?;
    fairnotice::notice::compose(notices, &templates).map_err(|e| e.to_string())
}

/// A notice by its id in the workspace, or from a file with its record.
fn notice(root: &Path, id: &str) -> Result<Notice, CliError> {
    if Path::new(id).extension().is_some_and(|e| e == "json") {
        let bytes = std::fs::read(id).map_err(|error| {
            CliError::failed("unreadable", format!("cannot read {id}: {error}"))
        })?;
        return serde_json::from_slice(&bytes).map_err(|error| {
            CliError::failed("unreadable", format!("{id} is no notice: {error}"))
        });
    }
    let workspace = fairnotice::run::Workspace::read(root)
        .map_err(|error| CliError::failed("workspace", error.to_string()))?;
    workspace
        .index()
        .notice(id)
        .map_err(|error| CliError::failed("store", error.to_string()))?
        .ok_or_else(|| {
            CliError::failed("unknown-notice", format!("there is no notice `{id}`"))
                .hint("`fairnotice notice list` names them")
        })
}

pub(crate) fn relay(args: &RelayArgs, globals: &Globals) -> Result<Relay, CliError> {
    let config = config(&globals.workspace)?;
    let url = args.smtp.clone().or(config.mail.smtp).ok_or_else(|| {
        CliError::usage("no-relay", "no relay is named")
            .hint("say --smtp smtps://host, or set `smtp` in [mail] of fairnotice.toml")
    })?;
    let mut relay =
        Relay::parse(&url).map_err(|error| CliError::usage("smtp-url", error.to_string()))?;
    let file = args
        .password_file
        .clone()
        .or(config.mail.password_file.map(|f| globals.workspace.join(f)));
    relay.password = match (&args.smtp_password, file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                CliError::failed(
                    "unreadable",
                    format!("cannot read {}: {error}", file.display()),
                )
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    relay.hello = lettre::transport::smtp::extension::ClientId::default().to_string();
    if let Some(seconds) = args.reply_timeout {
        let limit = Duration::from_secs(seconds.max(1));
        let standard = Timeouts::default();
        relay.timeouts = Timeouts {
            connect: standard.connect.min(limit),
            command: standard.command.min(limit),
            content: standard.content.min(limit),
            done: standard.done.min(limit),
        };
    }
    Ok(relay)
}

fn send(args: &SendArgs, globals: &Globals) -> Outcome {
    let root = &globals.workspace;
    let now = globals.now();
    if args.dry_run {
        let before = campaign::status(root, &args.campaign, now)?;
        let folder = args
            .output
            .clone()
            .unwrap_or_else(|| root.join("out").join(&before.campaign));
        let files = campaign::dry_run(root, &args.campaign, args.sample, &folder, now)?;
        if globals.json() {
            return print_json(&serde_json::json!({
                "schema": "fairnotice/rehearsal/1",
                "campaign": before.campaign,
                "recipients": before.counts.recipients,
                "files": files,
            }));
        }
        return print_text(&format!(
            "{} messages were written to {}; nothing was sent\n",
            files.len(),
            folder.display()
        ));
    }
    campaign::check_notices(root, &args.campaign)?;
    let before = campaign::status(root, &args.campaign, now)?;
    let relay = relay(&args.relay, globals)?;
    if !args.yes {
        confirm(&before, &relay)?;
    }
    let config = config(root)?;
    let progress = Arc::new(Progress::default());
    let interrupted = Arc::new(AtomicBool::new(false));
    listen(&interrupted);
    let mut retry = Retry::default();
    if !args.retry.is_empty() {
        retry.recipient = args
            .retry
            .iter()
            .map(|seconds| SignedDuration::from_secs(*seconds))
            .collect();
    }
    let uncertain = match (args.uncertain, &args.log) {
        (Policy::Reconcile, Some(log)) => Settlement::Reconcile {
            log: open(log)?,
            name: log.display().to_string(),
        },
        (Policy::Hold, _) => Settlement::Hold,
        _ => Settlement::Resend,
    };
    let meter = Meter::new(args.progress, globals, Arc::clone(&progress));
    let mut begin = |all: u32, left: u32| meter.begin(all, left);
    let options = SendOptions {
        relay,
        connections: args.connections.or(config.mail.connections).unwrap_or(16),
        per_connection: args.per_connection.max(1),
        rate: args.rate,
        domain_rate: args.domain_rate,
        retry,
        canary: args.canary,
        refused_percent: args.max_refused,
        transient_streak: args.max_transient.max(1),
        uncertain,
        patience: args.patience.map(Duration::from_secs),
        moved: args.moved,
        interrupted,
        progress,
        begin: &mut begin,
    };
    let sent = campaign::send(root, &args.campaign, options, Clock::from(now));
    meter.end();
    let sent = sent?;
    let why = match &sent.stop {
        Stop::Done | Stop::Paused(_) | Stop::Cancelled(_) => None,
        Stop::Budget(why) => Some(format!("paused: {why}")),
        Stop::Expired => Some("the window ended before everybody was served".to_owned()),
        Stop::Interrupted => Some("interrupted; `send` goes on where it was".to_owned()),
        Stop::Unreachable(why) => Some(why.clone()),
        Stop::Later(at) => Some(format!("what is left is due at {at}; `send` goes on then")),
        Stop::Ledger => Some("the ledger cannot be written: nothing more was sent".to_owned()),
    };
    let counts = &sent.report.counts;
    if let Some(why) = &why
        && !globals.quiet
    {
        eprint_line(why);
    }
    let exit = if counts.accepted == counts.recipients {
        Exit::Done
    } else if counts.accepted == 0 {
        Exit::Failed
    } else {
        Exit::Partly
    };
    let state = sent.report.state.to_string();
    tell(&sent.report.campaign, &state, "fairnotice", globals);
    show(&sent.report, globals)?;
    Ok(exit)
}

fn confirm(before: &DeliveryReport, relay: &Relay) -> Result<(), CliError> {
    let left = before.counts.pending + before.counts.deferred;
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            "not-confirmed",
            format!(
                "{left} messages of campaign {} would be sent, and nobody confirmed it",
                before.campaign
            ),
        )
        .hint("say --yes, or --dry-run to write them as files"));
    }
    eprint_line(&format!(
        "Campaign {}: {left} of {} messages will be sent through {relay}.\nType the number of messages to confirm:",
        before.campaign, before.counts.recipients
    ));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_err() || answer.trim() != left.to_string() {
        return Err(CliError::usage("not-confirmed", "nothing was sent"));
    }
    Ok(())
}

/// Shows where a campaign stands after somebody's decision, which the journal notes.
fn decided(
    report: Result<DeliveryReport, CampaignError>,
    action: &str,
    by: &str,
    globals: &Globals,
) -> Outcome {
    let report = report?;
    tell(&report.campaign, action, by, globals);
    show(&report, globals)
}

/// Notes in the workspace's journal what happened; where that is not possible now, the campaign's
/// own ledger has it.
fn tell(id: &str, action: &str, by: &str, globals: &Globals) {
    if let Err(error) = campaign::tell(&globals.workspace, id, action, by, globals.now()) {
        tracing::warn!("the journal does not say that campaign {id} was {action}: {error}");
    }
}

fn shown(report: Result<DeliveryReport, CampaignError>, globals: &Globals) -> Outcome {
    show(&report?, globals)
}

fn show(report: &DeliveryReport, globals: &Globals) -> Outcome {
    if globals.json() {
        return print_json(report);
    }
    print_text(&lines(report))
}

fn lines(report: &DeliveryReport) -> String {
    let c = &report.counts;
    let mut text = format!(
        "campaign {}: {}{}\n  {} recipients: {} accepted by the relay, {} refused, {} uncertain, {} put off, {} to be sent\n",
        report.campaign,
        report.state,
        report
            .why
            .as_ref()
            .map(|why| format!(" ({why})"))
            .unwrap_or_default(),
        c.recipients,
        c.accepted,
        c.refused,
        c.uncertain,
        c.deferred,
        c.pending,
    );
    if c.ever_uncertain > 0 {
        text += &format!("  {} were uncertain at some time\n", c.ever_uncertain);
    }
    if report.bounced > 0 {
        text += &format!("  {} came back for good after that\n", report.bounced);
    }
    if let Some(finish) = report.finish {
        text += &format!("  at the allowed rate the last is out by {finish}\n");
    }
    if let Some(latest) = report.window.latest {
        text += &format!("  the last must be out by {latest}\n");
    }
    if report.state == CampaignState::Draft {
        text += "  it waits for approval\n";
    }
    text
}

fn status(args: &StatusArgs, globals: &Globals) -> Outcome {
    let (root, now) = (&globals.workspace, globals.now());
    let Some(id) = &args.campaign else {
        let all = campaign::all(root, now)?;
        if globals.json() {
            return print_json(&serde_json::json!({
                "schema": "fairnotice/campaigns/1", "campaigns": all,
            }));
        }
        if all.is_empty() {
            return print_text("there are no campaigns\n");
        }
        return print_text(&all.iter().map(lines).collect::<String>());
    };
    let Some(state) = args.list else {
        return shown(campaign::status(root, id, now), globals);
    };
    let state = match state {
        State::Pending => Delivery::Pending,
        State::Deferred => Delivery::Deferred,
        State::Accepted => Delivery::Accepted,
        State::Refused => Delivery::Refused,
        State::Uncertain => Delivery::Uncertain,
    };
    let people = campaign::people(root, id, state)?;
    if globals.json() {
        return print_json(&serde_json::json!({
            "schema": "fairnotice/people/1", "campaign": id, "people": people,
        }));
    }
    let mut text = String::new();
    for person in people {
        text += &format!(
            "{}\t{}\t{}{}{}\n",
            person.n,
            person.email.as_deref().unwrap_or("(erased)"),
            person.message_id,
            if person.bounced { "\tcame back" } else { "" },
            if person.possibly_twice {
                "\tpossibly twice"
            } else {
                ""
            },
        );
    }
    print_text(&text)
}

fn preview(args: &PreviewArgs, globals: &Globals) -> Outcome {
    let picked = campaign::preview(
        &globals.workspace,
        &args.campaign,
        &args.people,
        globals.now(),
    )?;
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| {
            CliError::failed(
                "output",
                format!("cannot make {}: {error}", folder.display()),
            )
        })?;
        for letter in &picked {
            let path = folder.join(format!("{:08}.eml", letter.n));
            fairnotice::store::write_whole(&path, &letter.bytes)
                .map_err(|error| CliError::failed("output", error.to_string()))?;
        }
        return print_text(&format!(
            "{} messages were written to {}\n",
            picked.len(),
            folder.display()
        ));
    }
    if globals.json() {
        let letters: Vec<_> = picked
            .iter()
            .map(|letter| {
                serde_json::json!({
                    "n": letter.n, "email": letter.email, "language": letter.language,
                    "bytes": letter.bytes.len(), "proven": letter.proven,
                    "message": String::from_utf8_lossy(&letter.bytes),
                })
            })
            .collect();
        return print_json(&serde_json::json!({
            "schema": "fairnotice/preview/1", "campaign": args.campaign, "messages": letters,
        }));
    }
    let mut text = String::new();
    for letter in &picked {
        text += &format!(
            "──── person {}, language {}, {} bytes{} ────\n{}\n",
            letter.n,
            letter.language,
            letter.bytes.len(),
            match letter.proven {
                Some(true) => ", as sent (by the ledger's hash)",
                Some(false) => ", NOT what the ledger says was sent",
                None => "",
            },
            String::from_utf8_lossy(&letter.bytes)
        );
    }
    print_text(&text)
}

fn settled(id: &str, how: Settlement<'_>, by: &str, globals: &Globals) -> Outcome {
    let settled = campaign::settle(&globals.workspace, id, how, by, globals.now())?;
    if globals.json() {
        return print_json(&settled);
    }
    print_text(&format!(
        "campaign {}: {} were accepted by the relay, {} were not, {} will be sent again on your word, {} stay uncertain\n",
        settled.campaign, settled.found, settled.not_found, settled.resend, settled.held
    ))
}

impl From<CampaignError> for CliError {
    fn from(error: CampaignError) -> Self {
        let message = error.to_string();
        match error {
            CampaignError::Unknown { known, .. } => {
                let hint = if known.is_empty() {
                    "there are none yet; `fairnotice campaign create` makes one".to_owned()
                } else {
                    format!("there are: {}", known.join(", "))
                };
                Self::failed("unknown-campaign", message).hint(hint)
            }
            CampaignError::Source { .. } => Self::failed("recipients", message)
                .hint("nothing was made; repair the list and try again"),
            CampaignError::Nobody { .. } => Self::failed("recipients", message),
            CampaignError::NobodyJoined { .. } => Self::failed("nobody-joined", message),
            CampaignError::Notice { .. } => Self::failed("notice", message)
                .hint("`fairnotice notice approve` approves it as it is now"),
            CampaignError::Altered { .. } => Self::failed("altered", message)
                .hint("make a new campaign; what was approved is not what is there"),
            CampaignError::State { state, .. } => {
                let error = Self::failed("state", message);
                match state {
                    CampaignState::Draft => error.hint("`fairnotice campaign approve` approves it"),
                    _ => error,
                }
            }
            CampaignError::TooSlow { .. } => Self::failed("too-slow", message)
                .hint("raise the rate, or choose another window with `campaign reschedule`"),
            CampaignError::TooLate { .. } => Self::failed("too-late", message),
            CampaignError::TooEarly { .. } => Self::failed("too-early", message),
            CampaignError::Moved { .. } => Self::failed("moved", message)
                .hint("say --moved when the other machine does not send any more"),
            CampaignError::Url(_) | CampaignError::Asked(_) => Self::usage("asked", message),
            CampaignError::Message(_) => Self::failed("message", message),
            _ => Self::failed("campaign", message),
        }
    }
}
