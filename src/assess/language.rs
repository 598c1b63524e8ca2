//! The rules of one language, ready to be used.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    Topic,
    phrase::Phrases,
    quiet,
    rules::{
        Class, ClassRule, FailedExample, RuleError, RuleFile, RuleInfo, SignalRule, SynonymRule,
        TopicRule, phrases,
    },
    signal,
    texts::Texts,
    topic,
    words::{Word, words},
};

/// What else is to be known of a language.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    /// Words that carry no content.
    #[serde(default)]
    stop: BTreeSet<String>,
    /// Words in which a slip of the pen is none.
    #[serde(default)]
    protected: BTreeSet<String>,
    /// Names of months.
    #[serde(default)]
    month: BTreeSet<String>,
    /// Words of companies' names.
    #[serde(default)]
    company: BTreeSet<String>,
    /// Words of addresses.
    #[serde(default)]
    address: BTreeSet<String>,
    /// Phrases of lines that hold a date.
    #[serde(default)]
    date_line: Vec<String>,
    /// Phrases of menus, banners and footers.
    #[serde(default)]
    chrome: Vec<String>,
    /// Phrases that open a list of examples.
    #[serde(default)]
    illustrative: Vec<String>,
}

/// Whose phrase it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A topic's phrase.
    Topic(usize, Tier),
    /// A signal's phrase.
    Signal(usize, Slot),
    /// A class's phrase.
    Class(usize),
    /// Menus, banners, footers.
    Chrome,
    /// Lines that hold a date.
    DateLine,
    /// Openers of examples.
    Illustrative,
}

/// How much a topic's phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// In the titles above.
    Heading,
    /// In the words, tells it.
    Strong,
    /// In the words, hints at it.
    Weak,
}

/// Which list of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Stands in the new text.
    Gained,
    /// Stood in the old text.
    Lost,
    /// Must stand in the clause.
    Within,
    /// Must not.
    Unless,
}

/// The rules of one language.
#[derive(Debug, Clone, Default)]
pub(super) struct LanguageRules {
    language: String,
    pub(super) topics: Vec<TopicRule>,
    pub(super) signals: Vec<SignalRule>,
    pub(super) classes: Vec<ClassRule>,
    pub(super) synonyms: Vec<SynonymRule>,
    /// Each word of a set of synonyms, with the first of its set.
    same: BTreeMap<String, String>,
    pub(super) provider: BTreeSet<String>,
    pub(super) user: BTreeSet<String>,
    pub(super) numbers: BTreeMap<String, f64>,
    pub(super) units: BTreeMap<String, (String, f64)>,
    pub(super) marks: Marks,
    pub(super) say: BTreeMap<String, String>,
    pub(super) phrases: Phrases,
    /// The phrases of rules that list items; each owned by its number among all phrases.
    pub(super) items: Phrases,
    owners: Vec<Owner>,
}

impl Marks {
    /// Whether a word carries content.
    pub(super) fn is_content(&self, word: &str) -> bool {
        !self.stop.contains(word)
    }

    pub(super) fn is_protected(&self, word: &str) -> bool {
        self.protected.contains(word)
    }

    pub(super) fn is_month(&self, word: &str) -> bool {
        self.month.contains(word)
    }

    pub(super) fn is_company(&self, word: &str) -> bool {
        self.company.contains(word)
    }

    pub(super) fn is_address(&self, word: &str) -> bool {
        self.address.contains(word)
    }

    fn add(&mut self, other: Self) {
        self.stop.extend(other.stop);
        self.protected.extend(other.protected);
        self.month.extend(other.month);
        self.company.extend(other.company);
        self.address.extend(other.address);
        self.date_line.extend(other.date_line);
        self.chrome.extend(other.chrome);
        self.illustrative.extend(other.illustrative);
    }
}

impl LanguageRules {
    /// Joins the files of a language.
    pub(super) fn build(language: &str, files: Vec<(String, RuleFile)>) -> Result<Self, RuleError> {
        let mut rules = Self {
            language: language.to_owned(),
            ..Self::default()
        };
        for (name, file) in files {
            rules.add(&name, file)?;
        }
        Ok(rules)
    }

    fn add(&mut self, name: &str, file: RuleFile) -> Result<(), RuleError> {
        for rule in file.topic {
            let index = self.topics.len();
            for (tier, list) in [
                (Tier::Heading, &rule.headings),
                (Tier::Strong, &rule.strong),
                (Tier::Weak, &rule.weak),
            ] {
                self.own(name, &rule.id, (Owner::Topic(index, tier), false), list)?;
            }
            self.topics.push(rule);
        }
        for rule in file.signal {
            let index = self.signals.len();
            for (slot, list) in [
                (Slot::Gained, &rule.gained),
                (Slot::Lost, &rule.lost),
                (Slot::Within, &rule.within),
                (Slot::Unless, &rule.unless),
            ] {
                let listed = rule.each && matches!(slot, Slot::Gained | Slot::Lost);
                self.own(name, &rule.id, (Owner::Signal(index, slot), listed), list)?;
            }
            self.signals.push(rule);
        }
        for rule in file.class {
            let index = self.classes.len();
            self.own(name, &rule.id, (Owner::Class(index), false), &rule.phrases)?;
            self.classes.push(rule);
        }
        for rule in file.synonym {
            for set in &rule.sets {
                if let Some(first) = set.first() {
                    let pairs = set.iter().map(|word| (word.clone(), first.clone()));
                    self.same.extend(pairs);
                }
            }
            self.synonyms.push(rule);
        }
        self.provider.extend(file.provider);
        self.user.extend(file.user);
        self.numbers.extend(file.numbers);
        self.units.extend(file.units);
        self.say.extend(file.say);
        if let Some(marks) = file.marks {
            for (owner, list) in [
                (Owner::Chrome, &marks.chrome),
                (Owner::DateLine, &marks.date_line),
                (Owner::Illustrative, &marks.illustrative),
            ] {
                self.own(name, "marks", (owner, false), list)?;
            }
            self.marks.add(marks);
        }
        Ok(())
    }

    fn own(
        &mut self,
        file: &str,
        id: &str,
        (owner, listed): (Owner, bool),
        sources: &[String],
    ) -> Result<(), RuleError> {
        let number = self.owners.len();
        self.owners.push(owner);
        for phrase in phrases(file, id, sources)? {
            if listed {
                self.items.add(phrase.clone(), self.phrases.len());
            }
            self.phrases.add(phrase, number);
        }
        Ok(())
    }

    /// Whose phrase a number is.
    pub(super) fn owner(&self, number: usize) -> Option<Owner> {
        self.owners.get(number).copied()
    }

    /// Who bears a clause: the class whose phrase stands first, the earlier rule winning ties.
    pub(super) fn class_of(&self, text: &super::texts::Half) -> Class {
        text.found
            .iter()
            .filter_map(|found| match self.owner(found.owner) {
                Some(Owner::Class(index)) => Some((found.first, index)),
                _ => None,
            })
            .min()
            .and_then(|(_, index)| self.classes.get(index))
            .map_or(Class::Fact, |rule| rule.class)
    }

    /// Whether two words mean the same.
    pub(super) fn synonyms(&self, a: &str, b: &str) -> bool {
        a == b || matches!((self.same.get(a), self.same.get(b)), (Some(a), Some(b)) if a == b)
    }

    /// Words aligned and searched, of two strings.
    pub(super) fn texts(&self, old: &str, new: &str) -> Texts {
        Texts::new(words(old), words(new), self)
    }

    pub(super) fn infos(&self, silenced: &BTreeSet<String>) -> Vec<RuleInfo> {
        let one = |text: &String| vec![text.clone()];
        let two = |(old, new): &(String, String)| vec![old.clone(), new.clone()];
        let info = |id: &str, kind, reason: &str| RuleInfo {
            id: id.to_owned(),
            kind,
            language: self.language.clone(),
            topics: Vec::new(),
            reason: reason.to_owned(),
            source: None,
            looks_for: Vec::new(),
            hits: Vec::new(),
            misses: Vec::new(),
            silenced: silenced.contains(id),
        };
        let topics = self.topics.iter().map(|rule| RuleInfo {
            topics: vec![rule.topic],
            source: rule.source.clone(),
            looks_for: lists(&[
                ("headings", &rule.headings),
                ("strong", &rule.strong),
                ("weak", &rule.weak),
            ]),
            hits: rule.hit.iter().map(one).collect(),
            misses: rule.miss.iter().map(one).collect(),
            ..info(&rule.id, "topic", &rule.reason)
        });
        let signals = self.signals.iter().map(|rule| RuleInfo {
            topics: rule.topics.clone(),
            source: rule.source.clone(),
            looks_for: lists(&[
                ("gained", &rule.gained),
                ("lost", &rule.lost),
                ("within", &rule.within),
                ("unless", &rule.unless),
            ]),
            hits: rule.hit.iter().map(two).collect(),
            misses: rule.miss.iter().map(two).collect(),
            ..info(&rule.id, "signal", &rule.reason)
        });
        let classes = self.classes.iter().map(|rule| RuleInfo {
            looks_for: lists(&[("phrases", &rule.phrases)]),
            hits: rule.hit.iter().map(one).collect(),
            misses: rule.miss.iter().map(one).collect(),
            ..info(&rule.id, "class", &rule.reason)
        });
        let synonyms = self.synonyms.iter().map(|rule| RuleInfo {
            looks_for: rule
                .sets
                .iter()
                .map(|set| ("the same".to_owned(), set.clone()))
                .collect(),
            hits: rule.hit.iter().map(two).collect(),
            misses: rule.miss.iter().map(two).collect(),
            ..info(&rule.id, "synonym", &rule.reason)
        });
        topics
            .chain(signals)
            .chain(classes)
            .chain(synonyms)
            .collect()
    }

    /// Runs all examples.
    pub(super) fn test(&self) -> Vec<FailedExample> {
        let mut failed = Vec::new();
        let mut expect = |rule: &str, example: Vec<String>, said: bool, wanted: bool| {
            if said != wanted {
                failed.push(FailedExample {
                    rule: rule.to_owned(),
                    example,
                    expected: if wanted { "to match" } else { "not to match" },
                });
            }
        };
        for rule in &self.topics {
            for (examples, wanted) in [(&rule.hit, true), (&rule.miss, false)] {
                for example in examples {
                    let said = self.topic_of(example) == Some(rule.topic);
                    expect(&rule.id, vec![example.clone()], said, wanted);
                }
            }
        }
        for (index, rule) in self.signals.iter().enumerate() {
            for (examples, wanted) in [(&rule.hit, true), (&rule.miss, false)] {
                for (old, new) in examples {
                    let texts = self.texts(old, new);
                    let said = signal::find(&texts, self)
                        .iter()
                        .any(|signal| signal.rule == index);
                    expect(&rule.id, vec![old.clone(), new.clone()], said, wanted);
                }
            }
        }
        for rule in &self.classes {
            for (examples, wanted) in [(&rule.hit, true), (&rule.miss, false)] {
                for example in examples {
                    let said = self.class_of(&self.texts("", example).new) == rule.class;
                    expect(&rule.id, vec![example.clone()], said, wanted);
                }
            }
        }
        for rule in &self.synonyms {
            for (examples, wanted) in [(&rule.hit, true), (&rule.miss, false)] {
                for (old, new) in examples {
                    let said = quiet::slip(&self.texts(old, new), self);
                    expect(&rule.id, vec![old.clone(), new.clone()], said, wanted);
                }
            }
        }
        failed
    }

    fn topic_of(&self, text: &str) -> Option<Topic> {
        let scores = topic::scores(&self.texts("", text), &[], &[], self);
        scores.best()
    }

    /// Headings' and contexts' phrases in words that are no part of the change.
    pub(super) fn find(&self, words: &[Word]) -> Vec<(Owner, usize)> {
        self.phrases
            .find(words)
            .into_iter()
            .filter_map(|found| self.owner(found.owner).map(|owner| (owner, found.length)))
            .collect()
    }
}

fn lists(lists: &[(&str, &Vec<String>)]) -> Vec<(String, Vec<String>)> {
    lists
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| ((*name).to_owned(), (*list).clone()))
        .collect()
}
