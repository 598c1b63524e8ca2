//! At most one request at a time to a host, with a pause in between.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

/// When the next request may be made to a host: after the pause that follows the last one, and
/// not before the host said (`Retry-After`).
#[derive(Debug, Default)]
struct Gate {
    last: Option<Instant>,
    not_before: Option<Instant>,
}

/// The gates of all hosts of a run.
#[derive(Debug)]
pub(super) struct Gates {
    delay: Duration,
    hosts: Mutex<BTreeMap<String, Arc<Mutex<Gate>>>>,
}

/// A turn at a host; the next one waits until it is dropped, and the pause after it.
#[derive(Debug)]
pub(super) struct Turn(OwnedMutexGuard<Gate>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.last = Some(Instant::now());
    }
}

impl Turn {
    /// The host asked to be left alone for so long: that holds for all its pages.
    pub(super) fn hold(&mut self, pause: Duration) {
        self.0.not_before = Some(Instant::now() + pause);
    }
}

impl Gates {
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            delay,
            hosts: Mutex::default(),
        }
    }

    /// Waits for a turn at a host; gives the time that is left, without waiting, where the host
    /// asked for more than `patience`.
    pub(super) async fn turn(&self, host: &str, patience: Duration) -> Result<Turn, Duration> {
        let gate = Arc::clone(self.hosts.lock().await.entry(host.to_owned()).or_default());
        let turn = gate.lock_owned().await;
        let now = Instant::now();
        if let Some(until) = turn.not_before {
            let left = until.saturating_duration_since(now);
            if left > patience {
                return Err(left);
            }
            tokio::time::sleep_until(until).await;
        }
        if let Some(last) = turn.last {
            tokio::time::sleep_until(last + self.delay).await;
        }
        Ok(Turn(turn))
    }
}
