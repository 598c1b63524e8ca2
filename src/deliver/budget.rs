//! The error budget: what must stop a campaign before it does harm.

use std::collections::VecDeque;

/// How one attempt ended, for the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The relay took it over.
    Accepted,
    /// Refused for good.
    Refused,
    /// A 4xx reply, or a broken connection.
    Transient,
}

/// Watches the outcomes of a run.
#[derive(Debug)]
pub struct Budget {
    recent: VecDeque<bool>,
    refused: usize,
    streak: usize,
    /// Share of permanent refusals among the last 1,000 that is too much, in percent.
    percent: usize,
    /// So many transient failures in a row are too many.
    longest_streak: usize,
}

/// Fewer refusals than this never stop a campaign, whatever their share.
const LEAST_REFUSALS: usize = 20;
const WINDOW: usize = 1000;

impl Budget {
    /// With the share of refusals, in percent, and the streak of transient failures allowed.
    pub fn new(percent: usize, longest_streak: usize) -> Self {
        Self {
            recent: VecDeque::new(),
            refused: 0,
            streak: 0,
            percent,
            longest_streak,
        }
    }

    /// Takes an outcome; gives the reason to stop, where the budget is used up.
    pub fn take(&mut self, outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Transient => {
                self.streak += 1;
                return (self.streak >= self.longest_streak).then(|| {
                    format!(
                        "{} attempts in a row failed for now: the relay is in trouble, or refuses us",
                        self.streak
                    )
                });
            }
            Outcome::Accepted => self.streak = 0,
            Outcome::Refused => {
                self.streak = 0;
                self.refused += 1;
            }
        }
        self.recent.push_back(outcome == Outcome::Refused);
        if self.recent.len() > WINDOW && self.recent.pop_front() == Some(true) {
            self.refused -= 1;
        }
        let share = self.refused * 100;
        (self.refused >= LEAST_REFUSALS && share > self.percent * self.recent.len()).then(|| {
            format!(
                "{} of the last {} were refused for good: more than {} %",
                self.refused,
                self.recent.len(),
                self.percent
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_refusals_are_life_and_many_are_a_reason_to_stop() {
        let mut budget = Budget::new(5, 50);
        for n in 0..2000 {
            let outcome = if n % 25 == 0 {
                Outcome::Refused
            } else {
                Outcome::Accepted
            };
            assert_eq!(budget.take(outcome), None, "{n}");
        }
        let stopped = (0..60).find(|_| budget.take(Outcome::Refused).is_some());
        assert!(stopped.is_some_and(|n| n < 40));
        let mut budget = Budget::new(5, 50);
        assert!((0..19).all(|_| budget.take(Outcome::Refused).is_none()));
        assert!(budget.take(Outcome::Refused).is_some());
    }

    #[test]
    fn a_streak_of_transient_failures_stops() {
        let mut budget = Budget::new(5, 50);
        assert!((0..49).all(|_| budget.take(Outcome::Transient).is_none()));
        budget.take(Outcome::Accepted);
        assert!((0..49).all(|_| budget.take(Outcome::Transient).is_none()));
        assert!(budget.take(Outcome::Transient).is_some());
    }
}
