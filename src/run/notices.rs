//! Notices in a workspace: drafted with a change, filled in, edited, approved, put up.
//!
//! Every step goes through the state machine of [`crate::notice`], the checklist is run again
//! whenever a text changes, and each record that results goes into the journal.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};

use super::{Judged, Workspace, WorkspaceError, gather, judge_reviewed, plan};
use crate::{
    config::{self, Config},
    duty::Plan,
    evidence::{Hash, HashError},
    fetch::FetchError,
    notice::{
        self, Basis, Channel, Correction, Effect, Ground, House, LifecycleError, Notice, Part,
        Publication, TemplateError, Templates, Versions,
    },
    read::Document,
    store::Event,
};

/// Why a step with a notice failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticesError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A template is wrong or missing.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The step is not possible.
    #[error(transparent)]
    Step(#[from] LifecycleError),
    /// There is no such notice.
    #[error("there is no notice `{id}`")]
    Unknown {
        /// What was asked for.
        id: String,
        /// Ids that there are.
        known: Vec<String>,
    },
    /// A version's hash in the record is damaged.
    #[error("notice {id} does not name its versions: {source}")]
    Version {
        /// The notice.
        id: String,
        /// What is wrong.
        source: HashError,
    },
    /// A file of the workspace's templates cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A campaign cannot be read.
    #[error(transparent)]
    Campaign(#[from] Box<super::campaign::CampaignError>),
    /// The address where it was put up does not show it.
    #[error("{url} could not be fetched, so nothing proves that the notice stands there: {source}")]
    NotThere {
        /// The address.
        url: String,
        /// What went wrong.
        source: FetchError,
    },
    /// The page shows another text.
    #[error("{url} answers, but its page does not say: {missing}")]
    NotShown {
        /// The address.
        url: String,
        /// Words of the notice that are not there.
        missing: String,
    },
}

/// What a step did.
#[derive(Debug)]
pub struct Done {
    /// The notice after it.
    pub notice: Notice,
    /// What followed from it, for people.
    pub effects: Vec<Effect>,
}

/// The built-in templates with the workspace's own in their place.
///
/// # Errors
/// When a file below `templates/` cannot be read.
pub fn templates(root: &Path) -> Result<Templates, NoticesError> {
    let folder = root.join("templates");
    let mut own = BTreeMap::new();
    if folder.is_dir() {
        collect(&folder, &folder, &mut own)?;
    }
    Ok(Templates::with_overrides(&own))
}

fn collect(
    top: &Path,
    folder: &Path,
    own: &mut BTreeMap<String, String>,
) -> Result<(), NoticesError> {
    let failed = |path: &Path, source| NoticesError::File {
        action: "read",
        path: path.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(|e| failed(folder, e))? {
        let path = entry.map_err(|e| failed(folder, e))?.path();
        let name = path
            .strip_prefix(top)
            .unwrap_or(&path)
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        if path.is_dir() {
            // Redlines have templates of their own.
            if name != "redline" {
                collect(top, &path, own)?;
            }
            continue;
        }
        // The last three are what other programs' templates end in: nothing uses them here, and
        // `notice template check` says so.
        let is_template = [
            ".txt", ".md", ".html", ".css", ".toml", ".j2", ".jinja", ".jinja2",
        ]
        .iter()
        .any(|ending| name.ends_with(ending));
        if is_template {
            let text = std::fs::read_to_string(&path).map_err(|e| failed(&path, e))?;
            own.insert(name, text);
        }
    }
    Ok(())
}

/// Who tells it, and the house's rules for one document.
pub fn house(config: &Config, document: &config::Document) -> House {
    let mut fields = BTreeMap::new();
    for source in [&config.notice.defaults, &document.notice] {
        let given = [
            ("reason", &source.reason),
            ("contact", &source.contact),
            ("choices", &source.choices),
            ("old_data", &source.old_data),
            ("new_url", &source.new_url),
            ("old_url", &source.old_url),
            ("redline_url", &source.redline_url),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }
    let organisation = &config.organisation;
    House {
        company: organisation
            .service
            .clone()
            .unwrap_or_else(|| organisation.name.clone()),
        address: organisation
            .address
            .as_ref()
            .map(|address| match &organisation.service {
                Some(service) if *service != organisation.name => {
                    format!("{}, {address}", organisation.name)
                }
                _ => address.clone(),
            }),
        languages: config.notice.languages.clone(),
        authentic: config.notice.authentic_language.clone(),
        fields,
        channels: Vec::new(),
        approvals: usize::from(config.notice.approvals.unwrap_or(1)),
    }
}

/// A change with everything that its notices rest on.
pub struct Material {
    document: config::Document,
    versions: Versions,
    old: Document,
    new: Document,
    judged: Judged,
    plan: Plan,
    title: Option<String>,
}

impl Material {
    /// Loads and judges the way from one stored version to another.
    ///
    /// # Errors
    /// When a version is unknown or cannot be read.
    pub fn load(
        workspace: &Workspace,
        document: &str,
        from: Hash,
        to: Hash,
        effective: Option<Date>,
        now: Timestamp,
    ) -> Result<Self, WorkspaceError> {
        let document = workspace.document(document)?.clone();
        let old = workspace.text_of(&document.id, from)?;
        let new = workspace.text_of(&document.id, to)?;
        let judged = judge_reviewed(workspace, &document.id, &old, &new)?;
        let effective = effective.or(new.dates.effective);
        let plan = plan::of_judged(workspace, &document, &judged, effective, &[], now)?;
        Ok(Self {
            title: document.title.clone(),
            versions: Versions {
                old: from.to_string(),
                new: to.to_string(),
            },
            document,
            old,
            new,
            judged,
            plan,
        })
    }

    /// A change that is judged already.
    ///
    /// # Errors
    /// When a law pack of the workspace is wrong.
    pub fn of_change(
        workspace: &Workspace,
        document: &config::Document,
        from: Hash,
        to: Hash,
        effective: Option<Date>,
        change: &super::check::Change,
        now: Timestamp,
    ) -> Result<Self, WorkspaceError> {
        let effective = effective.or(change.new.dates.effective);
        let plan = plan::of_judged(workspace, document, &change.judged, effective, &[], now)?;
        Ok(Self {
            title: document.title.clone(),
            versions: Versions {
                old: from.to_string(),
                new: to.to_string(),
            },
            document: document.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            judged: change.judged.clone(),
            plan,
        })
    }

    /// What must happen.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan alone.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            document: &self.document.id,
            title: self.title.as_deref(),
            versions: &self.versions,
            old: &self.old,
            new: &self.new,
            comparison: &self.judged.comparison,
            assessment: &self.judged.assessment,
            plan: &self.plan,
            variants: &[],
        }
    }
}

/// Drafts the notices of a change that are not there yet, each with its checklist.
///
/// # Errors
/// When a template is wrong, or the workspace cannot be read.
pub fn drafts(
    workspace: &Workspace,
    material: &Material,
    now: Timestamp,
) -> Result<Vec<Notice>, NoticesError> {
    let templates = templates(workspace.root())?;
    let house = house(&workspace.config, &material.document);
    let mut notices = notice::draft(&material.ground(), &house, &templates, now)?;
    let siblings: Vec<Channel> = notices.iter().map(|n| n.channel).collect();
    for notice in &mut notices {
        notice.checks = checks(notice, material, &templates, &siblings, now)?;
    }
    let mut fresh = Vec::new();
    for notice in notices {
        if load(workspace, &notice.id)?.is_none() {
            fresh.push(notice);
        }
    }
    Ok(fresh)
}

fn load(workspace: &Workspace, id: &str) -> Result<Option<Notice>, WorkspaceError> {
    Ok(workspace.index().notice(id)?)
}

fn checks(
    notice: &Notice,
    material: &Material,
    templates: &Templates,
    siblings: &[Channel],
    now: Timestamp,
) -> Result<Vec<notice::CheckResult>, TemplateError> {
    notice::check(
        notice,
        &Basis {
            ground: material.ground(),
            templates,
            siblings,
            now,
        },
    )
}

/// A notice by its id, or by the start of it where that is clear.
///
/// # Errors
/// When there is none.
pub fn get(workspace: &Workspace, id: &str) -> Result<Notice, NoticesError> {
    if let Some(notice) = load(workspace, id)? {
        return Ok(notice);
    }
    let mut all = list(workspace, None)?;
    let fitting: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, notice)| !id.is_empty() && notice.id.starts_with(id))
        .map(|(at, _)| at)
        .collect();
    match fitting.as_slice() {
        [one] => Ok(all.swap_remove(*one)),
        _ => Err(NoticesError::Unknown {
            id: id.to_owned(),
            known: all.into_iter().map(|notice| notice.id).collect(),
        }),
    }
}

/// All notices, of one document where one is named, by id.
///
/// # Errors
/// When the index is damaged.
pub fn list(workspace: &Workspace, document: Option<&str>) -> Result<Vec<Notice>, NoticesError> {
    let mut notices = workspace.index().notices().map_err(WorkspaceError::from)?;
    notices.retain(|notice| document.is_none_or(|id| notice.document == id));
    Ok(notices)
}

/// The day of effect that the company set on a notice.
pub(super) fn set_day(notice: &Notice) -> Option<Date> {
    notice.fields.get("effective")?.parse().ok()
}

/// A notice with what it rests on.
pub(super) struct Desk {
    pub(super) notice: Notice,
    material: Material,
    templates: Templates,
    house: House,
    siblings: Vec<Channel>,
}

impl Desk {
    fn open(workspace: &Workspace, id: &str, now: Timestamp) -> Result<Self, NoticesError> {
        let notice = get(workspace, id)?;
        let state = workspace.state(&notice.document)?;
        let published = state
            .published
            .iter()
            .rfind(|p| p.version.to_string() == notice.versions.new);
        // The company's word on this notice, else its word on the version; a version that was
        // never put up keeps the day of its draft.
        let day = set_day(&notice).or(match published {
            Some(publication) => publication.effective,
            None => notice.effective,
        });
        Self::at(workspace, notice, day, now)
    }

    /// A notice as it is for a day of effect; without one the new text's own counts.
    pub(super) fn at(
        workspace: &Workspace,
        notice: Notice,
        day: Option<Date>,
        now: Timestamp,
    ) -> Result<Self, NoticesError> {
        let hash = |text: &str| {
            text.parse::<Hash>()
                .map_err(|source| NoticesError::Version {
                    id: notice.id.clone(),
                    source,
                })
        };
        let (from, to) = (hash(&notice.versions.old)?, hash(&notice.versions.new)?);
        let material = Material::load(workspace, &notice.document, from, to, day, now)?;
        let siblings = list(workspace, Some(&notice.document))?
            .into_iter()
            .filter(|other| other.versions == notice.versions && other.id != notice.id)
            .filter(|other| other.state != notice::State::Cancelled)
            .map(|other| other.channel)
            .collect();
        Ok(Self {
            templates: templates(workspace.root())?,
            house: house(&workspace.config, &material.document),
            siblings,
            notice,
            material,
        })
    }

    /// Lets the templates write it anew; what people edited is kept.
    pub(super) fn anew(&mut self, now: Timestamp) -> Result<Vec<Effect>, NoticesError> {
        let written = self.write()?;
        self.step(written, now)
    }

    fn write(&self) -> Result<notice::Event, NoticesError> {
        Ok(notice::write(
            &self.notice,
            &self.material.ground(),
            &self.house,
            &self.templates,
        )?)
    }

    /// Takes a step and does what follows from it.
    pub(super) fn step(
        &mut self,
        event: notice::Event,
        now: Timestamp,
    ) -> Result<Vec<Effect>, NoticesError> {
        let (next, mut effects) = notice::step(&self.notice, event, self.house.approvals, now)?;
        self.notice = next;
        if effects.contains(&Effect::Write) {
            let written = self.write()?;
            let (next, more) = notice::step(&self.notice, written, self.house.approvals, now)?;
            self.notice = next;
            effects.extend(more);
        }
        if effects.contains(&Effect::Check) {
            let checked = notice::Event::Checked(self.checks(now)?);
            let (next, more) = notice::step(&self.notice, checked, self.house.approvals, now)?;
            self.notice = next;
            effects.extend(more);
        }
        Ok(effects)
    }

    fn checks(&self, now: Timestamp) -> Result<Vec<notice::CheckResult>, NoticesError> {
        Ok(checks(
            &self.notice,
            &self.material,
            &self.templates,
            &self.siblings,
            now,
        )?)
    }

    pub(super) fn save(
        self,
        workspace: &mut Workspace,
        action: &str,
        by: &str,
        effects: Vec<Effect>,
        now: Timestamp,
    ) -> Result<Done, NoticesError> {
        workspace.record(
            now,
            vec![Event::NoticeSaved {
                action: action.to_owned(),
                by: by.to_owned(),
                notice: Box::new(self.notice.clone()),
            }],
        )?;
        Ok(Done {
            notice: self.notice,
            effects,
        })
    }
}

/// Fills in what only the company can say, and writes the texts anew; what people edited is kept.
///
/// # Errors
/// When a field is unknown or its value does not fit, or the notice cannot change any more.
pub fn set(
    workspace: &mut Workspace,
    id: &str,
    fields: &[(String, String)],
    by: &str,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let mut effects = Vec::new();
    for (name, value) in fields {
        let event = notice::Event::SetField {
            name: name.clone(),
            value: value.clone(),
        };
        let (next, more) = notice::step(&desk.notice, event, desk.house.approvals, now)?;
        desk.notice = next;
        effects.extend(more);
    }
    if fields.iter().any(|(name, _)| name == "effective") {
        // Another day has other deadlines.
        let day = set_day(&desk.notice).or(desk.material.new.dates.effective);
        let plan = plan::of_judged(
            workspace,
            &desk.material.document,
            &desk.material.judged,
            day,
            &[],
            now,
        )?;
        desk.material.plan = plan;
    }
    effects.extend(desk.anew(now)?);
    effects.retain(|effect| !matches!(effect, Effect::Write | Effect::Check));
    desk.save(workspace, "set", by, effects, now)
}

/// Takes a person's edit of one part of one text.
///
/// # Errors
/// When there is no text in that language, or the notice cannot change any more.
pub fn edit(
    workspace: &mut Workspace,
    id: &str,
    language: &str,
    part: Part,
    words: String,
    by: &str,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let event = notice::Event::Edit {
        language: language.to_owned(),
        part,
        words,
        by: by.to_owned(),
    };
    let mut effects = desk.step(event, now)?;
    let is_page = matches!(
        desk.notice.channel,
        Channel::Announcement | Channel::Changelog | Channel::Letter | Channel::Memo
    );
    if is_page && part == Part::Text {
        // The page and the letter follow the edited text.
        effects.extend(desk.anew(now)?);
    }
    effects.retain(|effect| !matches!(effect, Effect::Write | Effect::Check));
    desk.save(workspace, "edited", by, effects, now)
}

/// Runs the checklist again, as of now.
///
/// # Errors
/// When the notice or its versions cannot be read.
pub fn recheck(workspace: &Workspace, id: &str, now: Timestamp) -> Result<Notice, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let event = notice::Event::Checked(desk.checks(now)?);
    let _effects = desk.step(event, now)?;
    Ok(desk.notice)
}

/// Approves a notice as it is now.
///
/// # Errors
/// When a check fails that is not overruled, or the same person approved already.
pub fn approve(
    workspace: &mut Workspace,
    id: &str,
    by: &str,
    overrule: BTreeMap<String, String>,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let event = notice::Event::Approve {
        by: by.to_owned(),
        checks: desk.checks(now)?,
        overrule,
    };
    let effects = desk.step(event, now)?;
    desk.save(workspace, "approved", by, effects, now)
}

/// Records that a text was put up. Where `at` is an address, it is fetched: the page must show
/// the document's name and the day of effect, and its hash is kept as proof.
///
/// # Errors
/// When the notice is a mail or not approved, or the address does not show it.
pub fn publish(
    workspace: &mut Workspace,
    id: &str,
    at: &str,
    from: Timestamp,
    by: &str,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let event = |proof: Option<String>| notice::Event::Publish {
        publication: Publication {
            at: at.to_owned(),
            from,
            by: Some(by.to_owned()),
            proof,
        },
    };
    // Whether it may be put up at all, before anything is fetched.
    notice::step(&desk.notice, event(None), desk.house.approvals, now)?;
    let proof = if gather::is_page(at) {
        Some(prove(workspace, &desk, at)?)
    } else {
        None
    };
    let effects = desk.step(event(proof), now)?;
    desk.save(workspace, "published", by, effects, now)
}

fn prove(workspace: &Workspace, desk: &Desk, url: &str) -> Result<String, NoticesError> {
    let there = |source| NoticesError::NotThere {
        url: url.to_owned(),
        source,
    };
    let bytes = super::confirm::page(&workspace.config, url).map_err(there)?;
    let shown = super::confirm::shows(&desk.notice, &desk.templates, &bytes)?;
    if !shown {
        let day = desk.notice.effective.map(|d| d.to_string());
        return Err(NoticesError::NotShown {
            url: url.to_owned(),
            missing: format!(
                "{} and the day of effect{}",
                desk.notice.document_title,
                day.map(|d| format!(" ({d})")).unwrap_or_default()
            ),
        });
    }
    Ok(Hash::of(&bytes).to_string())
}

/// Writes the open notices of a document anew after people spoke on its findings. Gives those
/// that changed: an approval of the old words has fallen.
///
/// # Errors
/// When a notice or its versions cannot be read, or the journal cannot be written.
pub fn after_review(
    workspace: &mut Workspace,
    document: &str,
    by: &str,
    now: Timestamp,
) -> Result<Vec<Done>, NoticesError> {
    let mut changed = Vec::new();
    for notice in list(workspace, Some(document))? {
        if !matches!(
            notice.state,
            notice::State::Drafted | notice::State::Approved
        ) {
            continue;
        }
        let mut desk = Desk::open(workspace, &notice.id, now)?;
        let mut effects = desk.anew(now)?;
        if desk.notice.hash() == notice.hash() {
            continue;
        }
        effects.retain(|effect| !matches!(effect, Effect::Write | Effect::Check));
        changed.push(desk.save(workspace, "reviewed", by, effects, now)?);
    }
    Ok(changed)
}

/// Gives a notice up.
///
/// # Errors
/// When it was put up already, or given up before.
pub fn cancel(
    workspace: &mut Workspace,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let mut desk = Desk::open(workspace, id, now)?;
    let effects = desk.step(notice::Event::Cancel, now)?;
    desk.save(workspace, "cancelled", by, effects, now)
}

/// Drafts a notice that corrects or recalls another one, which went out.
///
/// # Errors
/// When the first notice is unknown, or a template is wrong.
pub fn correct(
    workspace: &mut Workspace,
    id: &str,
    what: &str,
    sent: Option<Date>,
    recall: bool,
    by: &str,
    now: Timestamp,
) -> Result<Done, NoticesError> {
    let desk = Desk::open(workspace, id, now)?;
    let first = &desk.notice;
    let subject = first
        .language_for(Some(&first.fallback))
        .and_then(|language| first.texts.get(language))
        .and_then(|text| text.subject.clone())
        .unwrap_or_else(|| first.document_title.clone());
    let correction = Correction {
        notice: first.id.clone(),
        subject,
        sent,
        what: what.trim().to_owned(),
        recall,
    };
    let mut house = desk.house.clone();
    house.fields.extend(first.fields.clone());
    let notice = notice::draft_one(
        &desk.material.ground(),
        &house,
        &desk.templates,
        first.channel,
        Some(correction),
        now,
    )?;
    let mut desk = Desk { notice, ..desk };
    if let Some(known) = load(workspace, &desk.notice.id)? {
        return Err(LifecycleError::State {
            notice: known.id,
            state: known.state,
            what: "a second draft of the correction",
            hint: "edit or cancel the one that is there",
        }
        .into());
    }
    let event = notice::Event::Checked(desk.checks(now)?);
    let _effects = desk.step(event, now)?;
    desk.save(workspace, "drafted", by, Vec::new(), now)
}
