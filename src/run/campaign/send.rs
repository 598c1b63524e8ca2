//! Sending: the list, the messages and the ledger, tied to the sessions.

use std::{
    future::Future,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Campaign, CampaignError, Clock, DeliveryReport, Settlement,
    change::{MOMENT, state_error},
    report,
    settle::settle_open,
    signing::signed,
};
use crate::{
    deliver::{
        self, Address, Envelope, Identities, Outbox, Progress, Recipient, Relay, Retry, Settings,
        Signer, Stop, Template,
    },
    evidence::{CampaignState, Delivery, Event, Hash, Replay},
    store::{CampaignFolder, Ledger, List, Request, commitment},
};

/// How to send.
pub struct SendOptions<'a> {
    /// Where to.
    pub relay: Relay,
    /// Sessions at once.
    pub connections: usize,
    /// Messages after which a session is renewed.
    pub per_connection: usize,
    /// Most messages a second, where it differs from the campaign's.
    pub rate: Option<f64>,
    /// Most messages a second to one receiving domain, where it differs from the campaign's.
    pub domain_rate: Option<f64>,
    /// Delays before further attempts.
    pub retry: Retry,
    /// So many go first, alone.
    pub canary: u32,
    /// Share of permanent refusals that is too much, in percent.
    pub refused_percent: usize,
    /// Transient failures in a row that are too many.
    pub transient_streak: usize,
    /// What becomes of messages that a crash left uncertain.
    pub uncertain: Settlement<'a>,
    /// End when nothing is to be done for longer than this.
    pub patience: Option<Duration>,
    /// The campaign was moved to this machine on purpose.
    pub moved: bool,
    /// Set to end the run after the messages in the air.
    pub interrupted: Arc<AtomicBool>,
    /// The numbers as they grow.
    pub progress: Arc<Progress>,
    /// Told once, before the first message: list length, messages left.
    pub begin: &'a mut dyn FnMut(u32, u32),
}

/// How a run of `send` ended.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Where the campaign stands.
    pub report: DeliveryReport,
    /// Why the run ended.
    pub stop: Stop,
    /// Messages that were uncertain at the start and were settled.
    pub settled: u32,
}

/// Sends, or goes on where it was.
///
/// # Errors
/// When the campaign is not approved, is paused or at its end, its files changed, the schedule
/// cannot be kept, or another process is sending.
pub fn send(
    root: &Path,
    id: &str,
    options: SendOptions<'_>,
    clock: Clock,
) -> Result<Sent, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    // Keys that cannot be used are told before anything begins.
    let signers = super::signers(root)?;
    let now = clock.now();
    let lock = campaign.folder.lock("send", now, MOMENT)?;
    let mut ledger = campaign.ledger(now)?;
    let machine = machine();
    ledger.with(|replay, _| may_send(&campaign, replay, machine, options.moved, now))?;
    campaign.check_frozen()?;
    let settled = settle_open(&campaign, &ledger, options.uncertain, "fairnotice", now)?;
    let settled = settled.found + settled.not_found + settled.resend;
    let (counts, again, fresh) =
        ledger.with(|replay, _| (replay.counts(), again(replay, now), Fresh::of(replay)));
    let left = counts.pending + counts.deferred;
    if left > 0 {
        campaign
            .definition
            .check_schedule(now, left, options.rate)?;
    }
    (options.begin)(counts.recipients, left);
    let stop = if left == 0 {
        Stop::Done
    } else {
        campaign.folder.answered();
        ledger.append(
            now,
            Event::Started {
                relay: options.relay.to_string(),
                connections: u32::try_from(options.connections).unwrap_or(u32::MAX),
                machine,
            },
        )?;
        ledger.prepare_to_send()?;
        let settings = Settings {
            relay: options.relay,
            connections: options.connections,
            per_connection: options.per_connection,
            rate: options.rate.or(campaign.definition.rate),
            domain_rate: options.domain_rate.or(campaign.definition.domain_rate),
            retry: options.retry,
            canary: options.canary,
            refused_percent: options.refused_percent,
            transient_streak: options.transient_streak,
            latest: campaign.definition.window.latest,
            patience: options.patience,
        };
        let desk = Arc::new(Desk::new(&campaign, ledger, fresh, clock, signers)?);
        let stop = sessions(
            Arc::clone(&desk),
            again,
            settings,
            options.progress,
            campaign.folder.clone(),
            options.interrupted,
        )?;
        let report = desk.close(&campaign, &stop)?;
        drop(desk);
        drop(lock);
        return Ok(Sent {
            report,
            stop,
            settled,
        });
    };
    let report = conclude(&campaign, &ledger, &stop, clock.now())?;
    drop(ledger);
    drop(lock);
    Ok(Sent {
        report,
        stop,
        settled,
    })
}

fn may_send(
    campaign: &Campaign,
    replay: &Replay,
    machine: Hash,
    moved: bool,
    now: Timestamp,
) -> Result<(), CampaignError> {
    let state = campaign.state(replay, now);
    let refuse = |why: &str| Err(state_error(campaign, state, why));
    match state {
        CampaignState::Approved | CampaignState::Sending | CampaignState::Finished => {}
        CampaignState::Draft => {
            let missing =
                usize::from(campaign.definition.approvals).saturating_sub(replay.approvers().len());
            return refuse(&format!("{missing} more approval(s) needed"));
        }
        CampaignState::Scheduled => {
            return Err(CampaignError::TooEarly {
                earliest: campaign.definition.window.earliest.unwrap_or(now),
            });
        }
        CampaignState::Paused => {
            let why = replay.why().unwrap_or("asked for").to_owned();
            return refuse(&format!("{why}; `campaign resume` lets it go on"));
        }
        CampaignState::Expired => return refuse("its window is over"),
        CampaignState::Cancelled => return refuse("it was given up"),
    }
    if !replay.is_approved() {
        return refuse("it is not approved as it is now");
    }
    if replay.machine().is_some_and(|before| before != machine) && !moved {
        return Err(CampaignError::Moved {
            id: campaign.folder.id().to_owned(),
        });
    }
    Ok(())
}

/// Those without a final state who were tried before: number, attempts, first date, due time.
fn again(replay: &Replay, now: Timestamp) -> Vec<(u32, u32, Option<Timestamp>, Timestamp)> {
    let mut all = Vec::new();
    for (state, due_now) in [(Delivery::Pending, true), (Delivery::Deferred, false)] {
        for n in replay.numbers(state) {
            if let Some(attempts) = replay.attempts(n) {
                let due = if due_now { now } else { attempts.until };
                all.push((n, attempts.count, Some(attempts.first), due));
            }
        }
    }
    all
}

/// Who was never tried, one bit each.
struct Fresh {
    bits: Vec<u64>,
    next: u32,
    length: u32,
}

impl Fresh {
    fn of(replay: &Replay) -> Self {
        let length = replay.counts().recipients;
        let mut bits = vec![0u64; length.div_ceil(64) as usize];
        for n in replay.numbers(Delivery::Pending) {
            if replay.attempts(n).is_none()
                && let Some(word) = bits.get_mut((n / 64) as usize)
            {
                *word |= 1 << (n % 64);
            }
        }
        Self {
            bits,
            next: 0,
            length,
        }
    }

    fn next(&mut self) -> Option<u32> {
        while self.next < self.length {
            let n = self.next;
            self.next += 1;
            let word = self.bits.get((n / 64) as usize).copied().unwrap_or(0);
            if word & (1 << (n % 64)) != 0 {
                return Some(n);
            }
        }
        None
    }
}

/// List, texts and ledger of a run.
struct Desk {
    ledger: Ledger,
    fresh: Mutex<Fresh>,
    lists: Mutex<Lists>,
    template: Template,
    ids: Identities,
    bounce: String,
    signers: Vec<Signer>,
    clock: Clock,
}

/// The list twice: read in order, and here and there.
struct Lists {
    forward: List,
    anywhere: List,
    next: u32,
    line: Vec<u8>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn new(
        campaign: &Campaign,
        ledger: Ledger,
        fresh: Fresh,
        clock: Clock,
        signers: Vec<Signer>,
    ) -> Result<Self, CampaignError> {
        Ok(Self {
            ledger,
            fresh: Mutex::new(fresh),
            lists: Mutex::new(Lists {
                forward: campaign.list()?,
                anywhere: campaign.list()?,
                next: 0,
                line: Vec::new(),
            }),
            template: campaign.template()?,
            ids: campaign.identities()?,
            bounce: campaign.definition.sender.bounce()?,
            signers,
            clock,
        })
    }

    fn person(&self, n: u32) -> Result<(Recipient, Vec<u8>, [u8; 16]), String> {
        let mut lists = lock(&self.lists);
        let lists = &mut *lists;
        let list = if n >= lists.next {
            lists.next = n + 1;
            &mut lists.forward
        } else {
            &mut lists.anywhere
        };
        if list.is_erased(n) {
            return Err("the person was erased".to_owned());
        }
        let salt = list
            .line(n, &mut lists.line)
            .map_err(|error| error.to_string())?;
        let recipient = serde_json::from_slice(&lists.line)
            .map_err(|_| "the person's line in the list cannot be read".to_owned())?;
        Ok((recipient, std::mem::take(&mut lists.line), salt))
    }

    fn close(&self, campaign: &Campaign, stop: &Stop) -> Result<DeliveryReport, CampaignError> {
        conclude(campaign, &self.ledger, stop, self.clock.now())
    }
}

/// Writes how a run ended, and looks whether everything adds up.
fn conclude(
    campaign: &Campaign,
    ledger: &Ledger,
    stop: &Stop,
    now: Timestamp,
) -> Result<DeliveryReport, CampaignError> {
    ledger.flush()?;
    let (counts, adds_up, state) =
        ledger.with(|replay, _| (replay.counts(), replay.adds_up(), replay.state()));
    if !adds_up {
        return Err(CampaignError::Invariant {
            id: campaign.folder.id().to_owned(),
            detail: format!("{counts:?}"),
        });
    }
    let open = counts.pending + counts.deferred + counts.uncertain;
    let event = match stop {
        _ if open == 0 => (state != CampaignState::Finished).then_some(Event::Finished),
        Stop::Budget(why) => Some(Event::Paused {
            why: why.clone(),
            by: "fairnotice".to_owned(),
        }),
        Stop::Paused(by) => Some(Event::Paused {
            why: "asked for".to_owned(),
            by: by.clone(),
        }),
        Stop::Cancelled(by) => Some(Event::Cancelled {
            why: "asked for".to_owned(),
            by: by.clone(),
        }),
        Stop::Expired => Some(Event::Expired),
        Stop::Done | Stop::Interrupted | Stop::Unreachable(_) | Stop::Later(_) | Stop::Ledger => {
            None
        }
    };
    if let Some(event) = event {
        ledger.append(now, event)?;
    }
    if open == 0 {
        ledger.end_of_sending();
    }
    Ok(ledger.with(|replay, head| report(campaign, replay, head, now)))
}

impl Outbox for Desk {
    fn fresh(&self) -> Option<u32> {
        lock(&self.fresh).next()
    }

    fn domain(&self, n: u32) -> String {
        // A list that cannot be read is told by `envelope`.
        let Ok((recipient, _, _)) = self.person(n) else {
            return String::new();
        };
        recipient
            .email
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_owned())
            .unwrap_or_default()
    }

    fn envelope(&self, n: u32, date: Timestamp) -> Result<Envelope, String> {
        let (recipient, line, salt) = self.person(n)?;
        let message = self
            .template
            .message(&recipient, &self.ids, n, date)
            .map_err(|error| error.to_string())?;
        let utf8 = Address::parse(&recipient.email).is_ok_and(|address| address.needs_utf8());
        lock(&self.lists).line = line;
        Ok(Envelope {
            from: self.ids.envelope_sender(&self.bounce, n),
            to: recipient.email,
            utf8,
            token: self.ids.token(n),
            hash: commitment(&salt, &message.bytes),
            bytes: signed(&self.signers, message.bytes, date).map_err(|error| error.to_string())?,
        })
    }

    fn record(&self, event: Event) -> impl Future<Output = bool> + Send + 'static {
        let done = self.ledger.record(self.clock.now(), event);
        async move { done.await.is_ok() }
    }

    fn note(&self, event: Event) {
        self.ledger.note(self.clock.now(), event);
    }

    fn begin(&self, n: u32, attempt: u32) -> bool {
        self.ledger.begin(n, attempt)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn sessions(
    desk: Arc<Desk>,
    again: Vec<(u32, u32, Option<Timestamp>, Timestamp)>,
    settings: Settings,
    progress: Arc<Progress>,
    folder: CampaignFolder,
    interrupted: Arc<AtomicBool>,
) -> Result<Stop, CampaignError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).clamp(1, 8))
        .enable_all()
        .build()
        .map_err(|error| CampaignError::Internal(format!("no runtime: {error}")))?;
    let asked = move || {
        if interrupted.load(Ordering::Relaxed) {
            return Some(Stop::Interrupted);
        }
        match folder.asked() {
            Some(Request::Pause { by }) => Some(Stop::Paused(by)),
            Some(Request::Cancel { by, .. }) => Some(Stop::Cancelled(by)),
            None => None,
        }
    };
    Ok(runtime.block_on(deliver::send(desk, again, settings, progress, asked)))
}

/// What tells this machine from others, so that a copied ledger does not send twice.
fn machine() -> Hash {
    let id = [
        "/etc/machine-id",
        "/var/lib/dbus/machine-id",
        "/etc/hostname",
    ]
    .iter()
    .find_map(|path| std::fs::read(path).ok().filter(|id| !id.is_empty()));
    Hash::of(&id.unwrap_or_default())
}
