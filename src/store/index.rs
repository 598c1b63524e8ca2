//! The index: what the journal amounts to, folded into records.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    AlertRecord, Entry, Event, Observation, ProblemSeen, Review, Store, StoreError, Table,
    Validators, Version, Write,
};
use crate::{evidence::Hash, notice::Notice};

/// Format of the index; another number makes it to be rebuilt.
pub const INDEX_FORMAT: u32 = 2;

/// Hours for which a page must show its last text before it no longer counts as flapping.
const CALM_HOURS: i32 = 28 * 24;

/// How far the journal was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Format of the index.
    pub format: u32,
    /// Number of the last entry applied.
    pub n: u64,
    /// Offset after it, in bytes.
    pub offset: u64,
}

/// What is known of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentState {
    /// When it was last looked at.
    pub last_look: Option<Timestamp>,
    /// When it was last seen well.
    pub last_good: Option<Timestamp>,
    /// The version seen then.
    pub seen: Option<Hash>,
    /// Since when every look has failed.
    pub failing: Option<Failing>,
    /// Publications, in order.
    pub published: Vec<Publication>,
    /// Number of versions stored.
    pub versions: u32,
    /// For the next conditional requests.
    pub validators: Vec<Validators>,
    /// Whether it was last seen to alternate between known versions, and that was said.
    #[serde(default)]
    pub flapping: bool,
    /// Since when `seen` has been seen at every look.
    #[serde(default)]
    pub seen_since: Option<Timestamp>,
    /// SHA-256 of the bytes that showed `seen` last: the same bytes need no reading.
    #[serde(default)]
    pub capture: Option<Hash>,
    /// What the first reading of captures that showed `seen` came to; other bytes that come to the
    /// same need no closer reading.
    #[serde(default)]
    pub glance: Option<Hash>,
    /// What tells before a page is read that it reads as the one that showed `seen` last.
    #[serde(default)]
    pub imprint: Option<Hash>,
    /// Publications that were not judged yet, with the version before each: a run was cut off.
    #[serde(default)]
    pub unjudged: Vec<(Hash, Hash)>,
}

/// A row of failed looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The first failed look.
    pub since: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many.
    pub looks: u32,
    /// What was wrong at the last one.
    pub problem: ProblemSeen,
}

/// A version was put up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The version.
    pub version: Hash,
    /// When it was first seen there.
    pub at: Timestamp,
    /// The day on which it takes effect; `None`: when it was put up.
    pub effective: Option<Date>,
    /// Somebody said that it never takes effect.
    #[serde(default)]
    pub withdrawn: bool,
}

impl Publication {
    /// The instant at which it takes effect: the start of its day (UTC), not before it was put up.
    pub fn effect(&self) -> Timestamp {
        let day = self
            .effective
            .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
            .map(|zoned| zoned.timestamp());
        day.map_or(self.at, |day| day.max(self.at))
    }
}

impl DocumentState {
    /// The version that was last put up.
    pub fn latest(&self) -> Option<Hash> {
        self.published.last().map(|publication| publication.version)
    }

    /// The version in force at an instant: of those that have taken effect by then, the one that
    /// was put up last. An old text governs until the next one takes effect, also when a third is
    /// put up in between.
    pub fn in_force(&self, at: Timestamp) -> Option<&Publication> {
        self.published
            .iter()
            .rev()
            .find(|publication| !publication.withdrawn && publication.effect() <= at)
            .or_else(|| {
                self.published
                    .iter()
                    .find(|publication| !publication.withdrawn)
            })
    }
}

/// What is known of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// What has to go out.
    pub alert: AlertRecord,
    /// When it went out, to all its targets.
    pub done: Option<Timestamp>,
    /// Until then: SHA-256 of the targets that it reached.
    #[serde(default)]
    pub reached: Vec<Hash>,
}

/// What the workspace knows of a campaign; its own ledger has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignState {
    /// Its notices.
    pub notices: Vec<String>,
    /// The last thing that happened.
    pub action: String,
    /// When.
    pub at: Timestamp,
}

/// Reads typed records of a store.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a dyn Store);

impl Reader<'_> {
    /// The record under a key.
    ///
    /// # Errors
    /// When the store or the record is damaged.
    pub fn get<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        self.0
            .get(table, key)?
            .map(|bytes| decode(key, &bytes))
            .transpose()
    }

    /// All records whose key starts with a prefix, in key order.
    ///
    /// # Errors
    /// When the store or a record is damaged.
    pub fn all<T: DeserializeOwned>(
        &self,
        table: Table,
        prefix: &str,
    ) -> Result<Vec<T>, StoreError> {
        self.0
            .scan(table, prefix)?
            .iter()
            .map(|(key, bytes)| decode(key, bytes))
            .collect()
    }

    /// What is known of a document.
    ///
    /// # Errors
    /// When the store or the record is damaged.
    pub fn document(&self, id: &str) -> Result<DocumentState, StoreError> {
        Ok(self.get(Table::Documents, id)?.unwrap_or_default())
    }

    /// All versions of a document, oldest first.
    ///
    /// # Errors
    /// When the store or a record is damaged.
    pub fn versions(&self, document: &str) -> Result<Vec<Version>, StoreError> {
        let ids: Vec<Hash> = self.all(Table::Versions, &format!("{document}\0n"))?;
        let found = ids.into_iter().map(|id| self.version(document, id));
        found.filter_map(Result::transpose).collect()
    }

    /// One version of a document.
    ///
    /// # Errors
    /// When the store or the record is damaged.
    pub fn version(&self, document: &str, id: Hash) -> Result<Option<Version>, StoreError> {
        self.get(Table::Versions, &format!("{document}\0h{id}"))
    }

    /// The version that shows an equivalence key.
    ///
    /// # Errors
    /// When the store or the record is damaged.
    pub fn by_key(
        &self,
        document: &str,
        rule: u32,
        key: Hash,
    ) -> Result<Option<Version>, StoreError> {
        match self.get::<Hash>(Table::Keys, &format!("{document}\0{rule}\0{key}"))? {
            Some(id) => self.version(document, id),
            None => Ok(None),
        }
    }

    /// A notice.
    ///
    /// # Errors
    /// When the store or the record is damaged.
    pub fn notice(&self, id: &str) -> Result<Option<Notice>, StoreError> {
        self.get(Table::Notices, id)
    }

    /// What the journal last said of a campaign.
    ///
    /// # Errors
    /// When the record is damaged.
    pub fn campaign(&self, id: &str) -> Result<Option<CampaignState>, StoreError> {
        self.get(Table::Campaigns, id)
    }

    /// All notices, by id.
    ///
    /// # Errors
    /// When the store or a record is damaged.
    pub fn notices(&self) -> Result<Vec<Notice>, StoreError> {
        self.all(Table::Notices, "")
    }

    /// People's words on the findings of a document.
    ///
    /// # Errors
    /// When the store or a record is damaged.
    pub fn reviews(&self, document: &str) -> Result<Vec<Review>, StoreError> {
        self.all(Table::Reviews, &format!("{document}\0"))
    }
}

fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Record {
        key: key.replace('\0', "/"),
        detail: e.to_string(),
    })
}

/// A fold of journal entries into writes, over what a store already holds.
pub struct Fold<'a> {
    store: &'a dyn Store,
    pending: BTreeMap<(Table, String), Option<Vec<u8>>>,
    /// States that were touched: written out once at the end, however often they were.
    documents: BTreeMap<String, DocumentState>,
    applied: Option<Applied>,
}

impl<'a> Fold<'a> {
    /// Starts a fold over a store.
    pub fn over(store: &'a dyn Store) -> Self {
        Self {
            store,
            pending: BTreeMap::new(),
            documents: BTreeMap::new(),
            applied: None,
        }
    }

    /// The writes that bring the store up to date.
    ///
    /// # Errors
    /// When a record cannot be written as JSON.
    pub fn writes(mut self) -> Result<Vec<Write>, StoreError> {
        for (id, state) in std::mem::take(&mut self.documents) {
            self.put(Table::Documents, id, &state)?;
        }
        if let Some(applied) = self.applied.take() {
            self.put(Table::Meta, "applied".to_owned(), &applied)?;
        }
        Ok(self
            .pending
            .into_iter()
            .map(|((table, key), value)| (table, key, value))
            .collect())
    }

    fn get<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>, StoreError> {
        match self.pending.get(&(table, key.to_owned())) {
            Some(Some(bytes)) => decode(key, bytes).map(Some),
            Some(None) => Ok(None),
            None => Reader(self.store).get(table, key),
        }
    }

    fn has(&self, table: Table, key: &str) -> Result<bool, StoreError> {
        match self.pending.get(&(table, key.to_owned())) {
            Some(value) => Ok(value.is_some()),
            None => Ok(self.store.get(table, key)?.is_some()),
        }
    }

    fn put(&mut self, table: Table, key: String, value: &impl Serialize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(value).map_err(|e| StoreError::Record {
            key: key.clone(),
            detail: e.to_string(),
        })?;
        self.pending.insert((table, key), Some(bytes));
        Ok(())
    }

    /// Applies one entry; `offset` is where the journal goes on after it.
    ///
    /// # Errors
    /// When the store or a record is damaged.
    pub fn apply(&mut self, entry: &Entry, offset: u64) -> Result<(), StoreError> {
        match &entry.event {
            Event::Observed(observation) => self.observed(observation, entry.time)?,
            Event::VersionStored(version) => self.version_stored(version)?,
            Event::Published {
                document,
                version,
                at,
            } => {
                self.published(document, *version, at.unwrap_or(entry.time))?;
            }
            Event::EffectSet {
                document,
                version,
                date,
                ..
            } => {
                let state = self.document(document)?;
                for publication in state.published.iter_mut().filter(|p| p.version == *version) {
                    publication.withdrawn = date.is_none();
                    publication.effective = *date;
                }
            }
            Event::Reread {
                document, from, to, ..
            } => self.reread(document, *from, *to)?,
            Event::NoticeSaved { notice, .. } => {
                self.put(Table::Notices, notice.id.clone(), notice.as_ref())?;
            }
            Event::Reviewed(review) => {
                let key = format!("{}\0{}", review.document, review.finding);
                self.put(Table::Reviews, key, review)?;
            }
            Event::AlertDue(alert) => {
                let state = AlertState {
                    alert: alert.clone(),
                    done: None,
                    reached: Vec::new(),
                };
                if self.get::<AlertState>(Table::Alerts, &alert.id)?.is_none() {
                    self.put(Table::Alerts, alert.id.clone(), &state)?;
                }
            }
            Event::AlertDone { id } => {
                if let Some(mut state) = self.get::<AlertState>(Table::Alerts, id)? {
                    state.done = Some(entry.time);
                    state.reached.clear();
                    self.put(Table::Alerts, id.clone(), &state)?;
                }
            }
            Event::AlertReached { id, target } => {
                if let Some(mut state) = self.get::<AlertState>(Table::Alerts, id)? {
                    state.reached.push(*target);
                    self.put(Table::Alerts, id.clone(), &state)?;
                }
            }
            Event::Campaign {
                id,
                action,
                notices,
                ..
            } => {
                let state = CampaignState {
                    notices: notices.clone(),
                    action: action.clone(),
                    at: entry.time,
                };
                self.put(Table::Campaigns, id.clone(), &state)?;
            }
            Event::Judged(judgement) => {
                let state = self.document(&judgement.document)?;
                state
                    .unjudged
                    .retain(|(version, _)| *version != judgement.version);
            }
            Event::Noted { .. } => {}
        }
        let applied = Applied {
            format: INDEX_FORMAT,
            n: entry.n,
            offset,
        };
        self.applied = Some(applied);
        Ok(())
    }

    fn document(&mut self, id: &str) -> Result<&mut DocumentState, StoreError> {
        if !self.documents.contains_key(id) {
            let state = Reader(self.store).document(id)?;
            self.documents.insert(id.to_owned(), state);
        }
        Ok(self.documents.entry(id.to_owned()).or_default())
    }

    fn observed(&mut self, seen: &Observation, time: Timestamp) -> Result<(), StoreError> {
        let state = self.document(&seen.document)?;
        state.last_look = Some(time);
        match (&seen.problem, seen.version) {
            (Some(problem), _) => {
                let failing = state.failing.get_or_insert(Failing {
                    since: time,
                    last: time,
                    looks: 0,
                    problem: problem.clone(),
                });
                failing.last = time;
                failing.looks += 1;
                failing.problem = problem.clone();
            }
            (None, version) => {
                state.last_good = Some(time);
                state.failing = None;
                if state.seen != version || state.seen_since.is_none() {
                    state.seen_since = Some(time);
                }
                if state.seen != version {
                    (state.capture, state.glance, state.imprint) = (None, None, None);
                }
                state.seen = version;
                if seen.capture.is_some() {
                    state.capture = seen.capture;
                    state.validators.clone_from(&seen.validators);
                }
                state.glance = seen.glance.or(state.glance);
                state.imprint = seen.imprint.or(state.imprint);
                let calm = |since: Timestamp| {
                    time.since((jiff::Unit::Hour, since))
                        .is_ok_and(|span| span.get_hours() >= CALM_HOURS)
                };
                if state.seen == state.latest() && state.seen_since.is_some_and(calm) {
                    state.flapping = false;
                }
                state.flapping |= seen.flapping;
            }
        }
        Ok(())
    }

    fn version_stored(&mut self, version: &Version) -> Result<(), StoreError> {
        let document = &version.document;
        let by_id = format!("{document}\0h{}", version.id);
        let key = format!("{document}\0{}\0{}", version.key_rule, version.key);
        self.put(Table::Keys, key, &version.id)?;
        // The same text, read by a newer reader, keeps its place among the versions.
        if !self.has(Table::Versions, &by_id)? {
            let state = self.document(document)?;
            state.versions += 1;
            let number = format!("{document}\0n{:08}", state.versions);
            self.put(Table::Versions, number, &version.id)?;
        }
        self.put(Table::Versions, by_id, version)
    }

    fn published(
        &mut self,
        document: &str,
        version: Hash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let stored: Option<Version> =
            self.get(Table::Versions, &format!("{document}\0h{version}"))?;
        // A date on the page that lies before the day it was put up says nothing about effect.
        let day = at.to_zoned(TimeZone::UTC).date();
        let effective = stored
            .and_then(|v| v.dates.effective)
            .filter(|date| *date > day);
        let state = self.document(document)?;
        if let Some(before) = state.latest() {
            state.unjudged.push((version, before));
        }
        state.published.push(Publication {
            version,
            at,
            effective,
            withdrawn: false,
        });
        if state.seen != Some(version) {
            // What was captured last showed another text.
            (state.capture, state.glance, state.imprint) = (None, None, None);
            state.validators.clear();
        }
        state.seen = Some(version);
        state.flapping = false;
        Ok(())
    }

    fn reread(&mut self, document: &str, from: Hash, to: Hash) -> Result<(), StoreError> {
        let state = self.document(document)?;
        for publication in state.published.iter_mut().filter(|p| p.version == from) {
            publication.version = to;
        }
        if state.seen == Some(from) {
            state.seen = Some(to);
        }
        for (version, before) in &mut state.unjudged {
            for id in [version, before] {
                if *id == from {
                    *id = to;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn publication(name: &str, put_up: &str, effective: Option<&str>) -> Publication {
        Publication {
            version: Hash::of(name.as_bytes()),
            at: at(put_up),
            effective: effective.map(|date| date.parse().unwrap()),
            withdrawn: false,
        }
    }

    fn governing(state: &DocumentState, when: &str) -> Hash {
        state.in_force(at(when)).unwrap().version
    }

    #[test]
    fn the_old_text_governs_until_the_new_one_takes_effect_also_with_a_third_in_between() {
        let mut state = DocumentState {
            published: vec![
                publication("one", "2027-01-01T00:00:00Z", None),
                publication("two", "2027-02-01T00:00:00Z", Some("2027-03-01")),
                publication("three", "2027-02-10T00:00:00Z", Some("2027-04-01")),
            ],
            ..DocumentState::default()
        };
        assert_eq!(governing(&state, "2027-02-20T00:00:00Z"), Hash::of(b"one"));
        assert_eq!(governing(&state, "2027-03-01T00:00:00Z"), Hash::of(b"two"));
        assert_eq!(
            governing(&state, "2027-04-02T00:00:00Z"),
            Hash::of(b"three")
        );
        state.published[2].withdrawn = true;
        assert_eq!(governing(&state, "2027-04-02T00:00:00Z"), Hash::of(b"two"));
        state.published[2] = publication("three", "2027-02-10T00:00:00Z", None);
        assert_eq!(
            governing(&state, "2027-03-05T00:00:00Z"),
            Hash::of(b"three")
        );
    }

    #[test]
    fn what_was_captured_says_nothing_of_a_version_that_came_another_way() {
        let store = crate::store::MemoryStore::default();
        let mut fold = Fold::over(&store);
        let (fetched, imported) = (Hash::of(b"fetched"), Hash::of(b"imported"));
        fold.published("p", fetched, at("2027-01-01T00:00:00Z"))
            .unwrap();
        let seen = Observation {
            document: "p".to_owned(),
            version: Some(fetched),
            problem: None,
            capture: Some(Hash::of(b"bytes")),
            glance: Some(Hash::of(b"words")),
            imprint: Some(Hash::of(b"page")),
            raw: None,
            flapping: false,
            validators: Vec::new(),
        };
        fold.observed(&seen, at("2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(fold.document("p").unwrap().glance, seen.glance);
        fold.published("p", imported, at("2027-01-02T00:00:00Z"))
            .unwrap();
        let state = fold.document("p").unwrap();
        assert_eq!(
            (state.capture, state.glance, state.imprint),
            (None, None, None)
        );
    }

    #[test]
    fn the_first_text_governs_even_before_its_own_date() {
        let state = DocumentState {
            published: vec![publication(
                "one",
                "2027-01-01T00:00:00Z",
                Some("2027-06-01"),
            )],
            ..DocumentState::default()
        };
        assert_eq!(governing(&state, "2027-01-02T00:00:00Z"), Hash::of(b"one"));
    }
}
