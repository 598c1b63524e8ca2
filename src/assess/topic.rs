//! What a clause is about: phrases in its titles and words, each giving points to a topic.

use super::{
    Topic,
    language::{LanguageRules, Owner, Tier},
    texts::{Half, Texts},
    words::Word,
};

/// All topics, in the order in which points are kept.
pub(super) const TOPICS: [Topic; 20] = Topic::ALL;

/// Name of a topic as in the rules.
pub(super) fn name(topic: Topic) -> &'static str {
    match topic {
        Topic::Collection => "collection",
        Topic::Use => "use",
        Topic::Sharing => "sharing",
        Topic::Choice => "choice",
        Topic::Rights => "rights",
        Topic::Retention => "retention",
        Topic::Security => "security",
        Topic::Transfer => "transfer",
        Topic::Minors => "minors",
        Topic::Tracking => "tracking",
        Topic::Automation => "automation",
        Topic::Notice => "notice",
        Topic::Dispute => "dispute",
        Topic::Liability => "liability",
        Topic::Content => "content",
        Topic::Termination => "termination",
        Topic::Payment => "payment",
        Topic::Conduct => "conduct",
        Topic::Scope => "scope",
        Topic::Identity => "identity",
    }
}

/// Points of each topic.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Scores([f64; 20]);

impl Scores {
    /// Points of one topic.
    pub(super) fn of(&self, topic: Topic) -> f64 {
        TOPICS
            .iter()
            .position(|t| *t == topic)
            .and_then(|index| self.0.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// Gives points.
    pub(super) fn give(&mut self, topic: Topic, points: f64) {
        if let Some(index) = TOPICS.iter().position(|t| *t == topic)
            && let Some(score) = self.0.get_mut(index)
        {
            *score += points;
        }
    }

    /// Adds all points of another, times a factor.
    pub(super) fn add(&mut self, other: &Self, factor: f64) {
        for (score, more) in self.0.iter_mut().zip(other.0) {
            *score += more * factor;
        }
    }

    /// The topic with the most points; the more specific one wins ties.
    pub(super) fn best(&self) -> Option<Topic> {
        TOPICS
            .iter()
            .zip(self.0)
            .map(|(topic, score)| (*topic, score * specific(*topic)))
            .filter(|(_, score)| *score > 0.5)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(topic, _)| topic)
    }
}

/// An advantage, as a factor, for topics that win over the more general ones they overlap with.
fn specific(topic: Topic) -> f64 {
    match topic {
        Topic::Automation => 1.3,
        Topic::Minors | Topic::Dispute | Topic::Liability => 1.15,
        Topic::Transfer | Topic::Tracking | Topic::Retention => 1.1,
        Topic::Scope => 0.8,
        _ => 1.0,
    }
}

/// Points for what stands in the titles above, in the changed words, in the rest of the clause
/// and in the words that introduce it.
pub(super) fn scores(
    texts: &Texts,
    titles: &[Vec<Word>],
    intro: &[Word],
    rules: &LanguageRules,
) -> Scores {
    let mut scores = Scores::default();
    let (old, new) = (half(&texts.old, rules), half(&texts.new, rules));
    scores.add(&old, 1.0);
    scores.add(&new, 1.0);
    for (depth, title) in titles.iter().rev().enumerate() {
        let factor = if depth == 0 { 1.0 } else { 0.4 };
        let mut one = Scores::default();
        for (owner, length) in rules.find(title) {
            if let Owner::Topic(index, Tier::Heading) = owner
                && let Some(rule) = rules.topics.get(index)
            {
                one.give(rule.topic, 2.0 + 0.5 * length as f64);
            }
        }
        scores.add(&one.capped(4.0), factor);
    }
    let mut lead = Scores::default();
    for (owner, _) in rules.find(intro) {
        if let Owner::Topic(index, Tier::Strong) = owner
            && let Some(rule) = rules.topics.get(index)
        {
            lead.give(rule.topic, 1.0);
        }
    }
    scores.add(&lead.capped(2.0), 1.0);
    scores
}

impl Scores {
    fn capped(mut self, most: f64) -> Self {
        for score in &mut self.0 {
            *score = score.min(most);
        }
        self
    }
}

/// Points from one side: changed words count in full, the rest of the clause a little.
fn half(text: &Half, rules: &LanguageRules) -> Scores {
    let (mut fresh, mut rest) = (Scores::default(), Scores::default());
    let mut seen: Vec<(usize, bool)> = Vec::new();
    for found in &text.found {
        let Some(Owner::Topic(index, tier)) = rules.owner(found.owner) else {
            continue;
        };
        let points = match tier {
            Tier::Heading => continue,
            Tier::Strong => 1.5 + 0.25 * found.length as f64,
            Tier::Weak => 0.6,
        };
        let touched = text.touches(found);
        let again = seen
            .iter()
            .filter(|s| **s == (found.phrase, touched))
            .count();
        seen.push((found.phrase, touched));
        // The same phrase again says little more.
        let points = points / (1.0 + again as f64);
        if let Some(rule) = rules.topics.get(index) {
            if touched {
                fresh.give(rule.topic, points);
            } else {
                rest.give(rule.topic, points);
            }
        }
    }
    let mut scores = Scores::default();
    scores.add(&fresh, 1.0);
    scores.add(&rest.capped(6.0), 0.35);
    scores
}
