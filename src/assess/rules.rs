//! The rules that judge, as data: topics, signals, classes of clauses and what else is to be known
//! of a language. Built in; a workspace adds to them or silences some.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    Direction, Topic,
    language::{LanguageRules, Marks},
    phrase::Phrase,
};

/// Built-in files: name, text.
const BUILTIN: &[(&str, &str)] = &[
    (
        "rules/lang/en/judging.toml",
        include_str!("../../rules/lang/en/judging.toml"),
    ),
    (
        "rules/lang/en/topics.toml",
        include_str!("../../rules/lang/en/topics.toml"),
    ),
    (
        "rules/lang/en/signals.toml",
        include_str!("../../rules/lang/en/signals.toml"),
    ),
    (
        "rules/lang/en/summaries.toml",
        include_str!("../../rules/lang/en/summaries.toml"),
    ),
    (
        "rules/lang/zh/judging.toml",
        include_str!("../../rules/lang/zh/judging.toml"),
    ),
    (
        "rules/lang/zh/topics.toml",
        include_str!("../../rules/lang/zh/topics.toml"),
    ),
    (
        "rules/lang/zh/signals.toml",
        include_str!("../../rules/lang/zh/signals.toml"),
    ),
    (
        "rules/weights.toml",
        include_str!("../../rules/weights.toml"),
    ),
];

/// Why rules could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The file is not valid TOML, or has a key that is not known.
    #[error("{file}: {message}")]
    Syntax {
        /// The file's name.
        file: String,
        /// What the parser says, with line and column.
        message: String,
    },
    /// A rule says something that cannot be.
    #[error("{file}: rule `{id}`: {message}")]
    Rule {
        /// The file's name.
        file: String,
        /// Id of the rule.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// An id stands twice.
    #[error("{file}: the id `{id}` is already taken; ids are never reused")]
    Taken {
        /// The file's name.
        file: String,
        /// The id.
        id: String,
    },
    /// A rule that does not exist is to be silenced.
    #[error("{file}: there is no rule `{id}` to silence; `fairnotice rules list` shows all")]
    Unknown {
        /// The file's name.
        file: String,
        /// The id.
        id: String,
    },
}

/// One file of rules.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// Language of the rules; needed once per file where the folder does not say it.
    #[serde(default)]
    pub(super) language: Option<String>,
    #[serde(default)]
    pub(super) topic: Vec<TopicRule>,
    #[serde(default)]
    pub(super) signal: Vec<SignalRule>,
    #[serde(default)]
    pub(super) class: Vec<ClassRule>,
    #[serde(default)]
    pub(super) synonym: Vec<SynonymRule>,
    #[serde(default)]
    pub(super) provider: Vec<String>,
    #[serde(default)]
    pub(super) user: Vec<String>,
    #[serde(default)]
    pub(super) numbers: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) units: BTreeMap<String, (String, f64)>,
    #[serde(default)]
    pub(super) marks: Option<Marks>,
    /// Templates of summaries, by id of a signal, or `added`, `removed`, `changed`.
    #[serde(default)]
    pub(super) say: BTreeMap<String, String>,
    /// Ids of rules that shall not speak.
    #[serde(default)]
    pub(super) silence: Vec<String>,
    /// Weights of the model (only in `rules/weights.toml`).
    #[serde(default)]
    pub(super) weights: Option<Weights>,
}

/// Words that tell what a clause is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TopicRule {
    pub(super) id: String,
    pub(super) topic: Topic,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) headings: Vec<String>,
    #[serde(default)]
    pub(super) strong: Vec<String>,
    #[serde(default)]
    pub(super) weak: Vec<String>,
    pub(super) hit: Vec<String>,
    pub(super) miss: Vec<String>,
}

/// What a signal says of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Effect {
    /// Bad for users, whoever bears the clause.
    Adverse,
    /// Good for users.
    Favourable,
    /// Neither, or to be told from elsewhere.
    Neutral,
    /// The clause holds less: good or bad as its bearer is.
    Weakened,
    /// The clause holds more.
    Strengthened,
}

/// How much a signal weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Gravity {
    /// Speaks against anything that users would want to be told of.
    None,
    /// A nuance.
    Slight,
    /// Ordinary.
    Plain,
    /// Material in itself.
    Grave,
}

/// Signals that phrases alone cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Detector {
    /// A negation was added that covers the verb.
    NegationGained,
    /// A negation was dropped that covered the verb.
    NegationLost,
    /// A quantity with a unit has another value.
    Quantity,
    /// A number is gone and a vague word is there.
    Vaguer,
    /// A company name was replaced.
    Entity,
    /// A name (written with a capital) was replaced.
    NameChanged,
    /// Nothing but addresses, numbers of streets or telephones, mail addresses changed.
    Contact,
    /// A mail address or a postal address gave way to another.
    Reach,
    /// A named company, product or person gave way to another, and little else changed.
    NameReplaced,
}

/// A change of words and what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalRule {
    pub(super) id: String,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) topics: Vec<Topic>,
    #[serde(default)]
    pub(super) class: Vec<Class>,
    #[serde(default)]
    pub(super) gained: Vec<String>,
    #[serde(default)]
    pub(super) lost: Vec<String>,
    #[serde(default)]
    pub(super) within: Vec<String>,
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Each phrase counts on its own, for rules that list items.
    #[serde(default)]
    pub(super) each: bool,
    #[serde(default)]
    pub(super) detect: Option<Detector>,
    /// A change on which the rule speaks is reported whatever the weights say.
    #[serde(default)]
    pub(super) always: bool,
    /// For quantities: `period`, `money`, `share` or `age`; none: any.
    #[serde(default)]
    pub(super) family: Option<String>,
    /// For quantities: what it says when the value goes up; down says the opposite.
    #[serde(default)]
    pub(super) up: Option<Effect>,
    pub(super) effect: Effect,
    pub(super) gravity: Gravity,
    pub(super) hit: Vec<(String, String)>,
    pub(super) miss: Vec<(String, String)>,
}

/// Who bears a clause, and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Class {
    /// The provider must.
    ProviderDuty,
    /// The provider may, or does as it wishes.
    ProviderPower,
    /// The provider must not.
    Prohibition,
    /// Users may, or can claim.
    UserRight,
    /// Users must, must not, or give something up.
    UserDuty,
    /// None of these.
    Fact,
}

impl Class {
    /// Name in rules and weights.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ProviderDuty => "provider-duty",
            Self::ProviderPower => "provider-power",
            Self::Prohibition => "prohibition",
            Self::UserRight => "user-right",
            Self::UserDuty => "user-duty",
            Self::Fact => "fact",
        }
    }

    /// For whom more of such a clause is good.
    pub(super) fn when_stronger(self) -> Direction {
        match self {
            Self::ProviderDuty | Self::Prohibition | Self::UserRight => Direction::Favourable,
            Self::ProviderPower | Self::UserDuty => Direction::Adverse,
            Self::Fact => Direction::Neutral,
        }
    }
}

/// Words that tell who bears a clause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassRule {
    pub(super) id: String,
    pub(super) class: Class,
    pub(super) reason: String,
    pub(super) phrases: Vec<String>,
    pub(super) hit: Vec<String>,
    pub(super) miss: Vec<String>,
}

/// Words of which one may stand for the other without a change of meaning.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SynonymRule {
    pub(super) id: String,
    pub(super) reason: String,
    /// Sets of words; those of one set mean the same.
    pub(super) sets: Vec<Vec<String>>,
    pub(super) hit: Vec<(String, String)>,
    pub(super) miss: Vec<(String, String)>,
}

/// Integer weights of the three linear models, hundredths.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weights {
    /// Sum that at least one candidate must reach for a pair not to be quiet.
    pub(super) speak_at: i64,
    /// Sum at or above which a candidate is reported, in a pair that is not quiet.
    pub(super) report_at: i64,
    /// Sum at or above which a finding is material.
    pub(super) material_at: i64,
    pub(super) report: BTreeMap<String, i64>,
    pub(super) material: BTreeMap<String, i64>,
    pub(super) direction: BTreeMap<String, i64>,
}

/// What a rule is, for lists and explanations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleInfo {
    /// Its id, never reused.
    pub id: String,
    /// `topic`, `signal`, `class` or `synonym`.
    pub kind: &'static str,
    /// BCP 47 language it is for.
    pub language: String,
    /// Topics it speaks for; empty: all.
    pub topics: Vec<Topic>,
    /// Why it is there, in plain words.
    pub reason: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// What it looks for.
    pub looks_for: Vec<(String, Vec<String>)>,
    /// Examples that match: one text, or before and after.
    pub hits: Vec<Vec<String>>,
    /// Examples that do not.
    pub misses: Vec<Vec<String>>,
    /// Whether the workspace silenced it.
    pub silenced: bool,
}

/// An example that did not come out as the rule says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FailedExample {
    /// Id of the rule.
    pub rule: String,
    /// The example.
    pub example: Vec<String>,
    /// What was expected.
    pub expected: &'static str,
}

/// All rules that judge.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(super) languages: BTreeMap<String, LanguageRules>,
    pub(super) weights: Weights,
    pub(super) silenced: BTreeSet<String>,
    hash: String,
}

static STANDARD: LazyLock<Result<RuleSet, RuleError>> = LazyLock::new(|| RuleSet::load(&[]));

impl RuleSet {
    /// The built-in rules.
    #[expect(
        clippy::expect_used,
        reason = "the built-in files are constants that a test reads"
    )]
    pub fn standard() -> &'static Self {
        STANDARD.as_ref().expect("the built-in rules are valid")
    }

    /// The built-in rules with those of a workspace: pairs of file name and text. The language of
    /// a file is its `language`, else the folder it stands in (`…/zh/mine.toml`), else English.
    ///
    /// # Errors
    /// When a file is no valid TOML, has an unknown key, an id that is taken, a rule without
    /// examples, or silences a rule that does not exist.
    pub fn with(files: &[(String, String)]) -> Result<Self, RuleError> {
        Self::load(files)
    }

    fn load(added: &[(String, String)]) -> Result<Self, RuleError> {
        let builtin = BUILTIN.iter().map(|(name, text)| (*name, *text, true));
        let own = added
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str(), false));
        let mut digest = Sha256::new();
        let mut taken = BTreeSet::new();
        let mut silence = Vec::new();
        let mut weights = Weights::default();
        let mut files: BTreeMap<String, Vec<(String, RuleFile)>> = BTreeMap::new();
        for (name, text, standard) in builtin.chain(own) {
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update(text.as_bytes());
            digest.update([0]);
            let mut file: RuleFile = toml::from_str(text).map_err(|error| RuleError::Syntax {
                file: name.to_owned(),
                message: error.to_string(),
            })?;
            check(name, &file, standard, &mut taken)?;
            silence.extend(file.silence.drain(..).map(|id| (name.to_owned(), id)));
            if let Some(own) = file.weights.take() {
                weights = own;
            }
            let language = file.language.clone().unwrap_or_else(|| folder(name));
            files
                .entry(language)
                .or_default()
                .push((name.to_owned(), file));
        }
        let mut silenced = BTreeSet::new();
        for (file, id) in silence {
            if !taken.contains(&id) {
                return Err(RuleError::Unknown { file, id });
            }
            silenced.insert(id);
        }
        let mut languages = BTreeMap::new();
        for (language, files) in files {
            let rules = LanguageRules::build(&language, files)?;
            languages.insert(language, rules);
        }
        Ok(Self {
            languages,
            weights,
            silenced,
            hash: digest
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })
    }

    /// SHA-256 of all files of rules, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Languages that have rules.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages
            .iter()
            .filter(|(_, rules)| !rules.signals.is_empty())
            .map(|(language, _)| language.as_str())
    }

    /// The rules for a language, when there are any.
    pub(super) fn language(&self, language: Option<&str>) -> Option<&LanguageRules> {
        let primary = language?.split(['-', '_']).next()?;
        self.languages
            .get(primary)
            .filter(|rules| !rules.signals.is_empty())
    }

    /// Every rule, by language, then kind, then in the order of the files.
    pub fn list(&self) -> Vec<RuleInfo> {
        self.languages
            .values()
            .flat_map(|rules| rules.infos(&self.silenced))
            .collect()
    }

    /// Runs the examples of every rule; empty when all come out as they should.
    pub fn test(&self) -> Vec<FailedExample> {
        self.languages
            .values()
            .flat_map(LanguageRules::test)
            .collect()
    }
}

/// Name of the folder a file stands in, where it looks like a language; else English.
fn folder(name: &str) -> String {
    name.rsplit('/')
        .nth(1)
        .filter(|folder| folder.len() == 2 && folder.bytes().all(|b| b.is_ascii_lowercase()))
        .unwrap_or("en")
        .to_owned()
}

fn check(
    file: &str,
    rules: &RuleFile,
    standard: bool,
    taken: &mut BTreeSet<String>,
) -> Result<(), RuleError> {
    let wrong = |id: &str, message: &str| RuleError::Rule {
        file: file.to_owned(),
        id: id.to_owned(),
        message: message.to_owned(),
    };
    let examples = rules
        .topic
        .iter()
        .map(|r| (&r.id, &r.reason, r.hit.len(), r.miss.len()))
        .chain(
            rules
                .signal
                .iter()
                .map(|r| (&r.id, &r.reason, r.hit.len(), r.miss.len())),
        )
        .chain(
            rules
                .class
                .iter()
                .map(|r| (&r.id, &r.reason, r.hit.len(), r.miss.len())),
        )
        .chain(
            rules
                .synonym
                .iter()
                .map(|r| (&r.id, &r.reason, r.hit.len(), r.miss.len())),
        );
    for (id, reason, hits, misses) in examples {
        if !taken.insert(id.clone()) {
            return Err(RuleError::Taken {
                file: file.to_owned(),
                id: id.clone(),
            });
        }
        if reason.trim().is_empty() {
            return Err(wrong(id, "it needs a `reason`"));
        }
        if hits < 2 || misses < 2 {
            return Err(wrong(
                id,
                "it needs at least two `hit` and two `miss` examples",
            ));
        }
    }
    for rule in &rules.signal {
        if rule.gained.is_empty() && rule.lost.is_empty() && rule.detect.is_none() {
            return Err(wrong(&rule.id, "it needs `gained`, `lost` or `detect`"));
        }
    }
    if rules.weights.is_some() && !standard {
        return Err(wrong(
            "weights",
            "weights are fitted for all users, not set by a workspace",
        ));
    }
    Ok(())
}

/// Reads the phrases of a rule.
pub(super) fn phrases(file: &str, id: &str, sources: &[String]) -> Result<Vec<Phrase>, RuleError> {
    sources
        .iter()
        .map(|source| {
            Phrase::parse(source).map_err(|message| RuleError::Rule {
                file: file.to_owned(),
                id: id.to_owned(),
                message,
            })
        })
        .collect()
}
