//! How far a session enters its messages in the ledger before their turn.
//!
//! Waiting for the disk at each message would cost two thirds of the speed, and entering many
//! ahead leaves many in doubt after a power cut. So the number follows the disk: it grows with
//! each wait, and shrinks while nothing has to be waited for.

use std::{collections::VecDeque, future::Future, pin::Pin};

use futures_util::FutureExt as _;

/// Ready when an entry is durable; `false` when it never will be.
pub(super) type Durable = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Messages in memory for all sessions together, about.
const ALL_SESSIONS: usize = 256;

/// So many in a row without a wait, and one fewer is entered ahead.
const PROMPT: u32 = 64;

/// A session's messages that are entered and have not had their turn.
#[derive(Debug)]
pub(super) struct Ahead<T> {
    entered: VecDeque<T>,
    depth: usize,
    most: usize,
    prompt: u32,
}

impl<T> Ahead<T> {
    pub(super) fn new(sessions: usize) -> Self {
        Self {
            entered: VecDeque::new(),
            depth: 2,
            most: (ALL_SESSIONS / sessions.max(1)).clamp(4, 16),
            prompt: 0,
        }
    }

    pub(super) fn push(&mut self, message: T) {
        self.entered.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.entered.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.entered.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entered.is_empty()
    }

    /// Whether another one should be entered now.
    pub(super) fn wants_more(&self) -> bool {
        self.entered.len() < self.depth
    }

    /// Waits until an entry is durable, and learns from the wait.
    pub(super) async fn wait(&mut self, mut durable: Durable) -> bool {
        if let Some(durable) = (&mut durable).now_or_never() {
            self.prompt += 1;
            if self.prompt >= PROMPT {
                self.prompt = 0;
                self.depth = (self.depth - 1).max(1);
            }
            return durable;
        }
        self.prompt = 0;
        self.depth = (self.depth + 1).min(self.most);
        durable.await
    }
}

impl<T> IntoIterator for Ahead<T> {
    type Item = T;
    type IntoIter = std::collections::vec_deque::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.entered.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_depth_follows_the_disk() {
        let mut ahead = Ahead::<u32>::new(16);
        for _ in 0..40 {
            let slow = Box::pin(async {
                tokio::task::yield_now().await;
                true
            });
            assert!(ahead.wait(slow).await);
        }
        assert_eq!(ahead.depth, 16);
        for _ in 0..64 * 40 {
            assert!(ahead.wait(Box::pin(async { true })).await);
        }
        assert_eq!(ahead.depth, 1);
        assert!(!ahead.wait(Box::pin(async { false })).await);
        assert_eq!(Ahead::<u32>::new(1000).most, 4);
    }
}
