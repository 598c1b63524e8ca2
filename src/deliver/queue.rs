//! Who is next: the list in its order, those to be tried again when they are due, within the
//! limits, and the canary before everybody else.

use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::{SignedDuration, Timestamp};

use super::{Budget, BudgetOutcome, Limits};

/// Delays before further attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// After each 4xx for one recipient; the last one repeats.
    pub recipient: Vec<SignedDuration>,
    /// After each failure of the relay itself; the last one repeats.
    pub relay: Vec<SignedDuration>,
}

impl Default for Retry {
    fn default() -> Self {
        let minutes = |m: i64| SignedDuration::from_mins(m);
        let seconds = SignedDuration::from_secs;
        Self {
            recipient: vec![
                seconds(30),
                minutes(2),
                minutes(5),
                minutes(15),
                minutes(30),
                minutes(60),
                minutes(120),
                minutes(240),
            ],
            relay: vec![seconds(1), seconds(5), seconds(15), minutes(1), minutes(5)],
        }
    }
}

impl Retry {
    /// The delay after attempt number `attempt` (from 1), spread by up to a fifth, differently
    /// for each recipient and always alike.
    pub fn recipient_delay(&self, n: u32, attempt: u32) -> SignedDuration {
        let at = (attempt.max(1) as usize - 1).min(self.recipient.len().saturating_sub(1));
        let delay = self.recipient.get(at).copied().unwrap_or_default();
        let spread = i64::from(n.wrapping_mul(2_654_435_761) % 200);
        let millis = delay.as_millis() as i64;
        SignedDuration::from_millis(millis + millis / 1000 * spread)
    }

    /// The delay after failure number `failures` (from 1) of the relay.
    pub fn relay_delay(&self, failures: u32) -> SignedDuration {
        let at = (failures.max(1) as usize - 1).min(self.relay.len().saturating_sub(1));
        self.relay.get(at).copied().unwrap_or_default()
    }
}

/// One attempt to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// Not before this.
    pub due: Timestamp,
    /// The recipient.
    pub n: u32,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// When the first attempt was made; the message's Date.
    pub first: Option<Timestamp>,
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This attempt.
    Turn(Turn),
    /// Nothing before that time.
    At(Timestamp),
    /// Nothing until others have their results.
    Wait,
    /// Nothing any more.
    Nothing,
}

/// The canary: so many go first, and the rest only when most of them were accepted.
#[derive(Debug)]
enum Canary {
    Out {
        left: u32,
        waiting: u32,
        accepted: u32,
        refused: u32,
    },
    Alive,
}

/// The queue of a run.
#[derive(Debug)]
pub(super) struct Queue {
    later: BinaryHeap<Reverse<Turn>>,
    in_flight: u32,
    list_done: bool,
    canary: Canary,
    pub limits: Limits,
    pub budget: Budget,
    relay_failures: u32,
    relay_until: Option<Timestamp>,
    ever_connected: bool,
}

impl Queue {
    pub(super) fn new(later: Vec<Turn>, canary: u32, limits: Limits, budget: Budget) -> Self {
        Self {
            later: later.into_iter().map(Reverse).collect(),
            in_flight: 0,
            list_done: false,
            canary: if canary == 0 {
                Canary::Alive
            } else {
                Canary::Out {
                    left: canary,
                    waiting: 0,
                    accepted: 0,
                    refused: 0,
                }
            },
            limits,
            budget,
            relay_failures: 0,
            relay_until: None,
            ever_connected: false,
        }
    }

    /// The next attempt; `fresh` gives the next recipient of the list who was never tried.
    pub(super) fn next(&mut self, now: Timestamp, fresh: impl FnOnce() -> Option<u32>) -> Next {
        if let Some(until) = self.relay_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        if let Canary::Out {
            left: 0, waiting, ..
        } = self.canary
        {
            if waiting > 0 {
                // Those that were put off for now may come again.
                return match self.later.peek() {
                    Some(Reverse(turn)) if turn.due <= now => self.pop(),
                    Some(Reverse(turn)) if self.in_flight == 0 => Next::At(turn.due),
                    _ => Next::Wait,
                };
            }
            self.canary = Canary::Alive;
        }
        if self
            .later
            .peek()
            .is_some_and(|Reverse(turn)| turn.due <= now)
        {
            return self.pop();
        }
        // Too many held back by their domains' limits: the list waits.
        if !self.list_done && self.later.len() < 100_000 {
            match fresh() {
                Some(n) => {
                    if let Canary::Out { left, waiting, .. } = &mut self.canary {
                        *left -= 1;
                        *waiting += 1;
                    }
                    self.in_flight += 1;
                    return Next::Turn(Turn {
                        due: now,
                        n,
                        attempt: 1,
                        first: None,
                    });
                }
                None => {
                    self.list_done = true;
                    self.canary = Canary::Alive;
                }
            }
        }
        match self.later.peek() {
            Some(Reverse(turn)) => Next::At(turn.due),
            None if self.in_flight > 0 => Next::Wait,
            None => Next::Nothing,
        }
    }

    fn pop(&mut self) -> Next {
        match self.later.pop() {
            Some(Reverse(turn)) => {
                self.in_flight += 1;
                Next::Turn(turn)
            }
            None => Next::Wait,
        }
    }

    /// Gives an attempt back that was not made.
    pub(super) fn put_back(&mut self, turn: Turn) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.later.push(Reverse(turn));
    }

    /// Takes the result of an attempt; gives the reason to stop, where there is one.
    pub(super) fn result(&mut self, outcome: BudgetOutcome, again: Option<Turn>) -> Option<String> {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(turn) = again {
            self.later.push(Reverse(turn));
        }
        let mut stop = None;
        if let Canary::Out {
            left,
            waiting,
            accepted,
            refused,
        } = &mut self.canary
            && outcome != BudgetOutcome::Transient
        {
            *waiting = waiting.saturating_sub(1);
            match outcome {
                BudgetOutcome::Accepted => *accepted += 1,
                _ => *refused += 1,
            }
            if *left == 0 && *waiting == 0 && *refused > *accepted {
                stop = Some(format!(
                    "of the first {}, {refused} were refused",
                    *accepted + *refused
                ));
            }
        }
        self.budget.take(outcome).or(stop)
    }

    /// The relay took a session: its failures are forgotten.
    pub(super) fn connected(&mut self) {
        self.relay_failures = 0;
        self.relay_until = None;
        self.ever_connected = true;
    }

    /// The relay failed: nobody tries before that time. `Err` after too many failures without
    /// ever a session.
    pub(super) fn relay_failed(
        &mut self,
        now: Timestamp,
        retry: &Retry,
    ) -> Result<Option<SignedDuration>, ()> {
        // Sessions that fail together are one failure.
        if self.relay_until.is_some_and(|until| until > now) {
            return Ok(None);
        }
        self.relay_failures += 1;
        let delay = retry.relay_delay(self.relay_failures);
        self.relay_until = Some(now + delay);
        if !self.ever_connected && self.relay_failures > 3 {
            return Err(());
        }
        Ok(Some(delay))
    }

    /// Attempts under way.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn queue(canary: u32) -> Queue {
        Queue::new(Vec::new(), canary, Limits::default(), Budget::new(5, 50))
    }

    fn turn(next: Next) -> Turn {
        match next {
            Next::Turn(turn) => turn,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_canary_goes_first_and_alone() {
        let mut queue = queue(2);
        let mut list = 0..5u32;
        turn(queue.next(at(0), || list.next()));
        let second = turn(queue.next(at(0), || list.next()));
        assert_eq!(queue.next(at(0), || list.next()), Next::Wait);
        assert_eq!(queue.result(BudgetOutcome::Accepted, None), None);
        let again = Turn {
            due: at(30),
            attempt: 2,
            ..second
        };
        assert_eq!(queue.result(BudgetOutcome::Transient, Some(again)), None);
        assert_eq!(queue.next(at(1), || list.next()), Next::At(at(30)));
        assert_eq!(turn(queue.next(at(30), || list.next())).attempt, 2);
        assert_eq!(queue.result(BudgetOutcome::Accepted, None), None);
        assert_eq!(turn(queue.next(at(31), || list.next())).n, 2);
    }

    #[test]
    fn a_dead_canary_stops() {
        let mut queue = queue(2);
        let mut list = 0..5u32;
        turn(queue.next(at(0), || list.next()));
        turn(queue.next(at(0), || list.next()));
        assert_eq!(queue.result(BudgetOutcome::Refused, None), None);
        assert!(queue.result(BudgetOutcome::Refused, None).is_some());
    }

    #[test]
    fn the_end_comes_when_nobody_is_left() {
        let mut queue = queue(0);
        let mut list = 0..1u32;
        let first = turn(queue.next(at(0), || list.next()));
        assert_eq!(queue.next(at(0), || list.next()), Next::Wait);
        queue.put_back(first);
        assert_eq!(turn(queue.next(at(0), || list.next())).n, 0);
        queue.result(BudgetOutcome::Accepted, None);
        assert_eq!(queue.next(at(0), || list.next()), Next::Nothing);
    }

    #[test]
    fn delays_grow_and_a_dead_relay_is_left_alone() {
        let retry = Retry::default();
        let delays: Vec<i64> = (1..12)
            .map(|attempt| retry.recipient_delay(0, attempt).as_secs())
            .collect();
        assert!(delays.is_sorted() && delays[0] == 30 && delays[10] == 14_400);
        let mut queue = queue(0);
        assert!(matches!(queue.relay_failed(at(0), &retry), Ok(Some(_))));
        assert_eq!(
            queue.relay_failed(at(0), &retry),
            Ok(None),
            "sessions that fail together are one failure"
        );
        assert_eq!(queue.next(at(0), || Some(1)), Next::At(at(1)));
        assert!(matches!(queue.relay_failed(at(1), &retry), Ok(Some(_))));
        assert!(matches!(queue.relay_failed(at(6), &retry), Ok(Some(_))));
        assert_eq!(queue.relay_failed(at(21), &retry), Err(()));
    }
}
