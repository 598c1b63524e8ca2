//! At most one request at a time to a host, with a pause in between.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

/// The gates of all hosts of a run.
#[derive(Debug)]
pub(super) struct Gates {
    delay: Duration,
    hosts: Mutex<BTreeMap<String, Arc<Mutex<Option<Instant>>>>>,
}

/// A turn at a host; the next one waits until it is dropped, and the pause after it.
#[derive(Debug)]
pub(super) struct Turn(OwnedMutexGuard<Option<Instant>>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

impl Gates {
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            delay,
            hosts: Mutex::default(),
        }
    }

    /// Waits for a turn at a host.
    pub(super) async fn turn(&self, host: &str) -> Turn {
        let gate = Arc::clone(self.hosts.lock().await.entry(host.to_owned()).or_default());
        let turn = gate.lock_owned().await;
        if let Some(last) = *turn {
            tokio::time::sleep_until(last + self.delay).await;
        }
        Turn(turn)
    }
}
