//! A run: a fixed number of sessions that empty the queue, each attempt written to the ledger
//! before its content leaves and after its reply came.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Budget, BudgetOutcome, Connection, Limits, Relay, Reply, Retry,
    ahead::{Ahead, Durable},
    queue::{Next, Queue, Turn},
    smtp::{Broken, Mail},
};
use crate::evidence::{Event, Hash, redact};

/// A message and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Envelope sender.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// Whether only a server with SMTPUTF8 can take it.
    pub utf8: bool,
    /// Stable name of the delivery.
    pub token: String,
    /// Header and body; CRLF line ends, no line begins with a dot.
    pub bytes: Vec<u8>,
    /// What the ledger keeps of the message.
    pub hash: Hash,
}

/// What a run needs from outside: the list, the messages, the ledger, the clock.
pub trait Outbox: Send + Sync + 'static {
    /// The next recipient of the list who was never tried.
    fn fresh(&self) -> Option<u32>;
    /// The receiving domain of a recipient; empty where it cannot be read.
    fn domain(&self, n: u32) -> String;
    /// A recipient's message, with the date of the first attempt.
    ///
    /// # Errors
    /// Why there can be none; the recipient is then refused.
    fn envelope(&self, n: u32, date: Timestamp) -> Result<Envelope, String>;
    /// Writes to the ledger; ready when the entry is durable. `false` when the ledger failed.
    fn record(&self, event: Event) -> impl Future<Output = bool> + Send + 'static;
    /// Writes to the ledger; durable with the next entry that is waited for.
    fn note(&self, event: Event);
    /// Keeps in mind that the content of an attempt, durably entered, is about to leave. `false`
    /// when that is not possible; then it must not leave.
    fn begin(&self, n: u32, attempt: u32) -> bool;
    /// The clock.
    fn now(&self) -> Timestamp;
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to.
    pub relay: Relay,
    /// Sessions at once.
    pub connections: usize,
    /// Messages after which a session is renewed.
    pub per_connection: usize,
    /// Most messages a second.
    pub rate: Option<f64>,
    /// Most messages a second to one receiving domain.
    pub domain_rate: Option<f64>,
    /// Delays before further attempts.
    pub retry: Retry,
    /// So many go first, alone.
    pub canary: u32,
    /// Share of permanent refusals that is too much, in percent.
    pub refused_percent: usize,
    /// Transient failures in a row that are too many.
    pub transient_streak: usize,
    /// No content leaves after this.
    pub latest: Option<Timestamp>,
    /// Leave when there is nothing to do before this many seconds have passed.
    pub patience: Option<Duration>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Nobody is left to be tried.
    Done,
    /// The error budget is used up, or a login was refused.
    Budget(String),
    /// Somebody asked for a pause.
    Paused(String),
    /// Somebody gave the campaign up.
    Cancelled(String),
    /// The window ended.
    Expired,
    /// The process is to end.
    Interrupted,
    /// The relay was never reached.
    Unreachable(String),
    /// What is left is due later, and the patience is used up.
    Later(Timestamp),
    /// The ledger cannot be written: nothing may be sent.
    Ledger,
}

/// Numbers of a run, as they grow.
#[derive(Debug, Default)]
pub struct Progress {
    /// Accepted by the relay.
    pub accepted: AtomicU64,
    /// Refused for good.
    pub refused: AtomicU64,
    /// Put off.
    pub deferred: AtomicU64,
    /// Without a reply.
    pub uncertain: AtomicU64,
}

impl Progress {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Locks that are held for moments; a panic elsewhere leaves the numbers usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Run<O> {
    outbox: Arc<O>,
    settings: Settings,
    queue: Mutex<Queue>,
    stop: Mutex<Option<Stop>>,
    progress: Arc<Progress>,
}

/// One attempt with its message.
struct Job {
    turn: Turn,
    first: Timestamp,
    /// Its place within the limits.
    at: Timestamp,
    envelope: Envelope,
}

/// A message whose `sending` entry was handed to the ledger; its content leaves once that is
/// durable.
struct Marked {
    job: Job,
    durable: Durable,
}

impl Job {
    fn mail(&self) -> Mail<'_> {
        Mail {
            from: &self.envelope.from,
            to: &self.envelope.to,
            token: &self.envelope.token,
            utf8: self.envelope.utf8,
            size: self.envelope.bytes.len(),
        }
    }

    fn sending(&self) -> Event {
        Event::Sending {
            n: self.turn.n,
            attempt: self.turn.attempt,
            date: self.first,
            message: self.envelope.hash,
        }
    }

    fn redacted(&self, reply: &str) -> String {
        let local = self
            .envelope
            .to
            .rsplit_once('@')
            .map_or("", |(local, _)| local);
        redact(reply, &[&self.envelope.to, local])
    }
}

/// Empties the queue: everybody `outbox` gives as fresh, and those to be tried again (number,
/// attempts made, date of the first, not before).
///
/// `asked` is looked at often; what it gives ends the run after the messages in the air.
pub async fn send<O: Outbox>(
    outbox: Arc<O>,
    again: Vec<(u32, u32, Option<Timestamp>, Timestamp)>,
    settings: Settings,
    progress: Arc<Progress>,
    asked: impl Fn() -> Option<Stop> + Send + 'static,
) -> Stop {
    let later = again
        .into_iter()
        .map(|(n, made, first, due)| Turn {
            due,
            n,
            attempt: made + 1,
            first,
        })
        .collect();
    let queue = Queue::new(
        later,
        settings.canary,
        Limits::new(settings.rate, settings.domain_rate),
        Budget::new(settings.refused_percent, settings.transient_streak),
    );
    let connections = settings.connections.max(1);
    let run = Arc::new(Run {
        outbox,
        settings,
        queue: Mutex::new(queue),
        stop: Mutex::new(None),
        progress,
    });
    let watcher = tokio::spawn({
        let run = Arc::clone(&run);
        async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            loop {
                ticks.tick().await;
                if let Some(stop) = asked() {
                    run.stop(stop);
                }
                if run.is_late() {
                    run.stop(Stop::Expired);
                }
            }
        }
    });
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let run = Arc::clone(&run);
        sessions.spawn(async move { run.work().await });
    }
    while sessions.join_next().await.is_some() {}
    watcher.abort();
    lock(&run.stop).take().unwrap_or(Stop::Done)
}

/// What became of an envelope.
enum Answer {
    /// The relay waits for the content.
    Go,
    /// This recipient failed; the session can go on after taking the transaction back.
    Failed(Reply),
    /// The sender itself is refused: nobody else need be tried.
    Account(Reply),
    /// The relay ends the session.
    Closing(Reply),
}

fn answer([mail, rcpt, data]: [Reply; 3]) -> (Answer, bool) {
    // After a refused recipient the relay may still wait for a content.
    let waits = data.code == 354;
    if let Some(closing) = [&mail, &rcpt, &data].into_iter().find(|r| r.closes()) {
        return (Answer::Closing(closing.clone()), waits);
    }
    if !mail.is_positive() {
        let answer = if mail.is_transient() {
            Answer::Failed(mail)
        } else {
            Answer::Account(mail)
        };
        return (answer, waits);
    }
    if !rcpt.is_positive() {
        return (Answer::Failed(rcpt), waits);
    }
    if waits {
        (Answer::Go, true)
    } else {
        (Answer::Failed(data), false)
    }
}

/// A session that waits longer than this for something to do says goodbye.
const IDLE: Duration = Duration::from_secs(10);

impl<O: Outbox> Run<O> {
    fn stop(&self, stop: Stop) {
        lock(&self.stop).get_or_insert(stop);
    }

    fn stopped(&self) -> bool {
        lock(&self.stop).is_some()
    }

    fn is_late(&self) -> bool {
        self.settings
            .latest
            .is_some_and(|latest| self.outbox.now() >= latest)
    }

    async fn work(&self) {
        while let Some(job) = self.job(None).await {
            match Connection::open(&self.settings.relay).await {
                Ok(connection) => {
                    lock(&self.queue).connected();
                    self.session(connection, job).await;
                }
                Err(error) => {
                    lock(&self.queue).put_back(job.turn);
                    if error.is_transient() {
                        match self.relay_failed() {
                            Ok(Some(delay)) => {
                                tracing::warn!("{error}; the next attempt is in {delay:#}");
                            }
                            Ok(None) => tracing::debug!("{error}"),
                            Err(()) => self.stop(Stop::Unreachable(error.to_string())),
                        }
                    } else {
                        self.stop(Stop::Budget(error.to_string()));
                    }
                }
            }
        }
    }

    fn relay_failed(&self) -> Result<Option<SignedDuration>, ()> {
        let now = self.outbox.now();
        lock(&self.queue).relay_failed(now, &self.settings.retry)
    }

    /// Waits for the next message to send; `None` when the run ends, or `idle` has passed.
    async fn job(&self, idle: Option<Duration>) -> Option<Job> {
        let since = tokio::time::Instant::now();
        loop {
            if self.stopped() || idle.is_some_and(|idle| since.elapsed() > idle) {
                return None;
            }
            let now = self.outbox.now();
            let pause = match self.next(now) {
                Found::Job(job) => return self.hold(job).await,
                Found::At(at) => {
                    self.check_patience(now, at);
                    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                    wait.min(Duration::from_millis(100))
                }
                Found::Wait => Duration::from_millis(5),
                Found::Nothing => return None,
            };
            tokio::time::sleep(pause.max(Duration::from_millis(1))).await;
        }
    }

    fn check_patience(&self, now: Timestamp, at: Timestamp) {
        if lock(&self.queue).in_flight() > 0 {
            return;
        }
        if self.settings.latest.is_some_and(|latest| at >= latest) {
            self.stop(Stop::Expired);
        }
        let wait = at.duration_since(now);
        let patience = self
            .settings
            .patience
            .and_then(|patience| SignedDuration::try_from(patience).ok());
        if patience.is_some_and(|patience| wait > patience) {
            self.stop(Stop::Later(at));
        }
    }

    /// Keeps a message until its place within the limits comes.
    async fn hold(&self, job: Job) -> Option<Job> {
        loop {
            let wait = job.at.duration_since(self.outbox.now());
            if wait <= SignedDuration::ZERO {
                return Some(job);
            }
            if self.stopped() {
                lock(&self.queue).put_back(job.turn);
                return None;
            }
            let wait = Duration::try_from(wait).unwrap_or_default();
            tokio::time::sleep(wait.min(Duration::from_millis(100))).await;
        }
    }

    /// The next message, as soon as its recipient's turn and domain allow.
    fn next(&self, now: Timestamp) -> Found {
        loop {
            let (turn, at) = {
                let mut queue = lock(&self.queue);
                let turn = match queue.next(now, || self.outbox.fresh()) {
                    Next::Turn(turn) => turn,
                    Next::At(at) => return Found::At(at),
                    Next::Wait => return Found::Wait,
                    Next::Nothing => return Found::Nothing,
                };
                let domain = if queue.limits.by_domain() {
                    self.outbox.domain(turn.n)
                } else {
                    String::new()
                };
                match queue.limits.take(&domain, now) {
                    Ok(at) => (turn, at),
                    Err(due) => {
                        queue.put_back(Turn { due, ..turn });
                        continue;
                    }
                }
            };
            // Mail headers know seconds only; so does what the ledger keeps of it.
            let first = turn.first.unwrap_or(now);
            let first = Timestamp::from_second(first.as_second()).unwrap_or(first);
            match self.outbox.envelope(turn.n, first) {
                Ok(envelope) => {
                    return Found::Job(Job {
                        turn,
                        first,
                        at,
                        envelope,
                    });
                }
                Err(why) => {
                    let reply = redact(&why, &[]);
                    self.outbox.note(Event::Refused { n: turn.n, reply });
                    Progress::add(&self.progress.refused);
                    self.result(BudgetOutcome::Refused, None);
                }
            }
        }
    }

    /// Sends messages over one connection until it breaks, is worn out, or nothing is to do.
    async fn session(&self, mut connection: Connection, job: Job) {
        let mut sent = 0;
        let mut ahead = Ahead::new(self.settings.connections);
        let mut next = Some(job);
        loop {
            let marked = match ahead.pop() {
                Some(marked) => marked,
                None => {
                    let Some(job) = next.take() else { break };
                    // Its place within the limits may not have come yet.
                    let Some(job) = self.hold(job).await else {
                        break;
                    };
                    if !self.can_take(&connection, &job) {
                        next = self.job(Some(IDLE)).await;
                        continue;
                    }
                    self.mark(job)
                }
            };
            if next.is_none() {
                next = self.look_ahead(&connection, &mut ahead, sent + 1);
            }
            let replies = connection.envelope(&marked.job.mail()).await;
            let Some(go) = self.judge(&mut connection, &marked.job, replies).await else {
                return self.give_back(ahead, next);
            };
            if !ahead.wait(marked.durable).await {
                self.stop(Stop::Ledger);
                return;
            }
            if go {
                let held = self
                    .stream(
                        &mut connection,
                        marked.job,
                        &mut ahead,
                        &mut next,
                        &mut sent,
                    )
                    .await;
                if held.is_none() {
                    return self.give_back(ahead, next);
                }
            }
            if sent >= self.settings.per_connection || self.stopped() {
                break;
            }
            if next.is_none() && ahead.is_empty() {
                next = self.job(Some(IDLE)).await;
            }
        }
        self.give_back(ahead, next);
        connection.quit().await;
    }

    /// Sends the content of a message whose envelope was taken, and with it, where that is
    /// possible, the envelope of the next, on and on. `None` when the connection is of no more
    /// use.
    async fn stream(
        &self,
        connection: &mut Connection,
        job: Job,
        ahead: &mut Ahead<Marked>,
        held: &mut Option<Job>,
        sent: &mut usize,
    ) -> Option<()> {
        let mut ready = job;
        let mut buffer = Vec::new();
        loop {
            if self.is_late() {
                self.put_off(&ready, "the window ended before the content was sent");
                return None;
            }
            let may_follow = connection.pipelines()
                && *sent + 1 < self.settings.per_connection
                && !self.stopped();
            if may_follow && held.is_none() {
                *held = self.look_ahead(connection, ahead, *sent + 1);
            }
            let together = if may_follow { ahead.pop() } else { None };
            buffer.clear();
            buffer.extend_from_slice(&ready.envelope.bytes);
            buffer.extend_from_slice(b".\r\n");
            let content = buffer.len();
            if let Some(marked) = &together {
                connection.put_envelope(&marked.job.mail(), &mut buffer);
            }
            *sent += 1;
            if !self.outbox.begin(ready.turn.n, ready.turn.attempt) {
                self.stop(Stop::Ledger);
                return None;
            }
            let answer = match connection.write(&buffer).await {
                Ok(()) => connection.done_reply().await,
                Err(broken) => Err(broken),
            };
            let closing = match answer {
                Ok(reply) => {
                    self.finish(&ready, &reply);
                    reply.closes().then(|| reply.to_string())
                }
                Err(broken) if broken.written < content => {
                    self.put_off(&ready, &broken.why);
                    Some(broken.why)
                }
                Err(broken) => {
                    self.uncertain(&ready, &broken.why);
                    Some(broken.why)
                }
            };
            if let Some(why) = closing {
                let _no_matter = self.relay_failed();
                if let Some(marked) = together {
                    self.put_off(&marked.job, &why);
                }
                return None;
            }
            let Some(marked) = together else {
                return Some(());
            };
            let replies = connection.envelope_replies().await;
            let go = self.judge(connection, &marked.job, replies).await?;
            if !ahead.wait(marked.durable).await {
                self.stop(Stop::Ledger);
                return None;
            }
            if !go {
                return Some(());
            }
            ready = marked.job;
        }
    }

    /// Whether this relay can take the message; one that it cannot is refused.
    fn can_take(&self, connection: &Connection, job: &Job) -> bool {
        let can = !job.envelope.utf8 || connection.takes_utf8();
        if !can {
            self.refuse(
                job,
                "the relay does not offer SMTPUTF8, which this address needs",
            );
        }
        can
    }

    fn mark(&self, job: Job) -> Marked {
        let durable = Box::pin(self.outbox.record(job.sending()));
        Marked { job, durable }
    }

    /// Marks some messages before their turn, so that the disk works while others are sent. Gives
    /// back one whose place within the limits has not come yet; it is not marked.
    fn look_ahead(
        &self,
        connection: &Connection,
        ahead: &mut Ahead<Marked>,
        sent: usize,
    ) -> Option<Job> {
        while ahead.wants_more()
            && sent + ahead.len() < self.settings.per_connection
            && !self.stopped()
        {
            let now = self.outbox.now();
            let job = self.follow(now)?;
            if job.at > now {
                return Some(job);
            }
            if self.can_take(connection, &job) {
                ahead.push(self.mark(job));
            }
        }
        None
    }

    /// Returns what a session did not come to: messages that were marked, and one that was not.
    fn give_back(&self, ahead: Ahead<Marked>, held: Option<Job>) {
        let now = self.outbox.now();
        let mut queue = lock(&self.queue);
        for Marked { job, .. } in ahead {
            self.outbox.note(Event::Deferred {
                n: job.turn.n,
                until: now,
                reply: "nothing was said to the relay yet".to_owned(),
            });
            queue.put_back(Turn {
                due: now,
                attempt: job.turn.attempt + 1,
                first: Some(job.first),
                ..job.turn
            });
        }
        if let Some(job) = held {
            queue.put_back(job.turn);
        }
    }

    fn follow(&self, now: Timestamp) -> Option<Job> {
        match self.next(now) {
            Found::Job(job) => Some(job),
            Found::At(_) | Found::Wait | Found::Nothing => None,
        }
    }

    /// Weighs the replies to an envelope: `Some(true)` to send the content, `Some(false)` when
    /// the recipient failed and the session goes on, `None` when the session is over.
    async fn judge(
        &self,
        connection: &mut Connection,
        job: &Job,
        replies: Result<[Reply; 3], Broken>,
    ) -> Option<bool> {
        let (answer, waits) = match replies {
            Ok(replies) => answer(replies),
            Err(broken) => {
                self.put_off(job, &broken.why);
                let _no_matter = self.relay_failed();
                return None;
            }
        };
        match answer {
            Answer::Go => return Some(true),
            Answer::Failed(reply) => self.finish(job, &reply),
            Answer::Account(reply) => {
                self.put_off(job, &reply.to_string());
                self.stop(Stop::Budget(format!(
                    "the relay refuses the sender: {reply}"
                )));
                return None;
            }
            Answer::Closing(reply) => {
                self.put_off(job, &reply.to_string());
                let _no_matter = self.relay_failed();
                return None;
            }
        }
        let cleared = if waits {
            // An empty content to nobody; whatever it answers, the transaction is over.
            match connection.write(b".\r\n").await {
                Ok(()) => connection.done_reply().await.map(|_| ()),
                Err(broken) => Err(broken),
            }
        } else {
            connection.reset().await
        };
        cleared.is_ok().then_some(false)
    }

    /// Takes the relay's last word on a message.
    fn finish(&self, job: &Job, reply: &Reply) {
        if reply.is_positive() {
            self.outbox.note(Event::Accepted {
                n: job.turn.n,
                reply: job.redacted(&reply.to_string()),
            });
            Progress::add(&self.progress.accepted);
            self.result(BudgetOutcome::Accepted, None);
        } else if reply.is_transient() {
            let delay = self
                .settings
                .retry
                .recipient_delay(job.turn.n, job.turn.attempt);
            self.defer(job, delay, &reply.to_string());
        } else {
            self.refuse(job, &reply.to_string());
        }
    }

    fn refuse(&self, job: &Job, why: &str) {
        self.outbox.note(Event::Refused {
            n: job.turn.n,
            reply: job.redacted(why),
        });
        Progress::add(&self.progress.refused);
        self.result(BudgetOutcome::Refused, None);
    }

    /// The connection failed before the content was sent: the recipient is not to blame.
    fn put_off(&self, job: &Job, why: &str) {
        let delay = self.settings.retry.relay_delay(1);
        self.defer(job, delay, why);
    }

    fn defer(&self, job: &Job, delay: SignedDuration, why: &str) {
        let due = self.outbox.now() + delay;
        self.outbox.note(Event::Deferred {
            n: job.turn.n,
            until: due,
            reply: job.redacted(why),
        });
        Progress::add(&self.progress.deferred);
        let again = Turn {
            due,
            attempt: job.turn.attempt + 1,
            first: Some(job.first),
            ..job.turn
        };
        self.result(BudgetOutcome::Transient, Some(again));
    }

    fn uncertain(&self, job: &Job, why: &str) {
        self.outbox.note(Event::Uncertain {
            n: job.turn.n,
            reply: job.redacted(why),
        });
        Progress::add(&self.progress.uncertain);
        self.result(BudgetOutcome::Transient, None);
    }

    fn result(&self, outcome: BudgetOutcome, again: Option<Turn>) {
        let stop = lock(&self.queue).result(outcome, again);
        if let Some(why) = stop {
            self.stop(Stop::Budget(why));
        }
    }
}

enum Found {
    Job(Job),
    At(Timestamp),
    Wait,
    Nothing,
}
