//! Proving a campaign to others.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::campaign::{Campaign, CampaignError, find_person};
use crate::{
    evidence::{
        BounceClass, Bound, BundleError, BundleWriter, Event, Expect, Hash, MANIFEST_SCHEMA,
        Manifest, Opened, Summary, Verification, summary, verify,
    },
    store::{StoreError, owner_only},
};

/// How a bundle is made.
pub struct Export<'a> {
    /// Where to.
    pub output: &'a Path,
    /// Files that go along, such as the redline.
    pub attached: &'a [PathBuf],
    /// Secret minisign key.
    pub key: Option<&'a Path>,
    /// Its password, where it has one.
    pub password: Option<String>,
}

/// Why evidence cannot be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The campaign.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key.
    #[error("the signing key {} cannot be used: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nobody.
    #[error("nobody in the list of campaign {campaign} has the address or user id `{person}`")]
    Nobody {
        /// The campaign.
        campaign: String,
        /// Who was sought.
        person: String,
    },
}

/// Writes the bundle of a campaign, for its owner only; gives its manifest.
///
/// # Errors
/// When the campaign's files are damaged or the disk refuses.
pub fn export(
    root: &Path,
    id: &str,
    export: &Export<'_>,
    now: Timestamp,
) -> Result<Manifest, EvidenceError> {
    let campaign = Campaign::find(root, id)?;
    campaign.check_frozen()?;
    let standing = campaign.standing()?;
    let replay = &standing.replay;
    let texts = campaign.texts()?;
    let signer = export
        .key
        .map(|path| signing_key(path, export.password.clone()))
        .transpose()?;
    let io = |e| StoreError::io("write", export.output, e);
    let part = with_part(export.output);
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    owner_only(&mut options);
    let mut bundle = BundleWriter::new(BufWriter::new(options.open(&part).map_err(io)?));
    let open = |path: &Path| {
        File::open(path)
            .map(BufReader::new)
            .map_err(|e| StoreError::io("read", path, e))
    };
    bundle.add(
        "campaign.json",
        open(&campaign.folder.file("campaign.json"))?,
    )?;
    bundle.add("texts.json", open(&campaign.folder.file("texts.json"))?)?;
    for (language, text) in &texts.mail.texts {
        let name = language.replace(['/', '\\', '.'], "_");
        let subject = text.subject.as_deref().unwrap_or_default();
        let plain = format!("{subject}\n\n{}", text.text);
        bundle.add(&format!("texts/{name}.txt"), plain.as_bytes())?;
        if let Some(html) = &text.html {
            bundle.add(&format!("texts/{name}.html"), html.as_bytes())?;
        }
    }
    let plan: Vec<_> = texts
        .notices
        .iter()
        .map(|notice| {
            serde_json::json!({
                "notice": notice.id, "document": notice.document, "title": notice.document_title,
                "versions": notice.versions, "effective": notice.effective, "send_by": notice.send_by,
                "duties": notice.duties, "findings": notice.findings, "checks": notice.checks,
                "approvals": notice.approvals,
            })
        })
        .collect();
    let plan = serde_json::to_vec_pretty(&plan).unwrap_or_default();
    bundle.add("plan.json", plan.as_slice())?;
    bundle.add("commitments.txt", Commitments::new(&campaign)?)?;
    let file = open(&campaign.folder.ledger())?;
    bundle.add("ledger.jsonl", std::io::Read::take(file, standing.length))?;
    let (began, ended) = replay.span();
    let time = |at: Option<Timestamp>| at.map_or_else(|| "—".to_owned(), |at| at.to_string());
    let page = summary(&Summary {
        campaign: campaign.folder.id(),
        subjects: texts
            .mail
            .texts
            .iter()
            .map(|(language, text)| (language.clone(), text.subject.clone().unwrap_or_default()))
            .collect(),
        state: replay.state(),
        counts: replay.counts(),
        bounced: replay
            .bounced()
            .values()
            .filter(|class| **class == BounceClass::Hard)
            .count(),
        approvals: replay.approvals(),
        span: (time(began), time(ended)),
        latest: time(campaign.definition.window.latest),
        definition: campaign.definition.hash(),
        head: standing.head,
    });
    bundle.add("summary.html", page.as_bytes())?;
    for stamp in stamps(&campaign.folder)? {
        let name = stamp.file_name().unwrap_or_default().to_string_lossy();
        bundle.add(&format!("timestamps/{name}"), open(&stamp)?)?;
    }
    for path in export.attached {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        bundle.add(&format!("attached/{name}"), open(path)?)?;
    }
    let manifest = Manifest {
        schema: MANIFEST_SCHEMA.to_owned(),
        campaign: campaign.folder.id().to_owned(),
        made: now,
        notices: campaign.definition.notices.clone(),
        definition: campaign.definition.hash(),
        texts: campaign.definition.texts,
        list: campaign.definition.list.hash,
        entries: replay.next(),
        head: standing.head,
        state: replay.state(),
        counts: replay.counts(),
        approvals: replay.approvals().to_vec(),
        bound: replay
            .bound()
            .iter()
            .map(|(head, to, at)| Bound {
                head: *head,
                to: to.clone(),
                at: *at,
            })
            .chain(super::binding::waiting(&campaign.folder)?)
            .collect(),
        files: Vec::new(),
    };
    let comment = format!("campaign {} head {}", manifest.campaign, manifest.head);
    let sign = signer.map(|(public, secret)| {
        move |bytes: &[u8]| {
            minisign::sign(
                Some(&public),
                &secret,
                bytes,
                Some(&comment),
                Some("signature of a fairnotice evidence bundle"),
            )
            .map(minisign::SignatureBox::into_string)
            .map_err(|error| error.to_string())
        }
    });
    let sign = sign
        .as_ref()
        .map(|sign| sign as &dyn Fn(&[u8]) -> Result<String, String>);
    let (mut out, manifest) = bundle.finish(manifest, sign)?;
    out.flush().map_err(io)?;
    out.get_ref().sync_data().map_err(io)?;
    std::fs::rename(&part, export.output).map_err(io)?;
    Ok(manifest)
}

/// The time stamps that a campaign has, by name.
fn stamps(folder: &crate::store::CampaignFolder) -> Result<Vec<PathBuf>, StoreError> {
    let path = folder.file(super::binding::STAMPS);
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut all: Vec<PathBuf> = std::fs::read_dir(&path)
        .map_err(|e| StoreError::io("read", &path, e))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|e| e == "tsr"))
        .collect();
    all.sort();
    Ok(all)
}

fn with_part(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

fn signing_key(
    path: &Path,
    password: Option<String>,
) -> Result<(minisign::PublicKey, minisign::SecretKey), EvidenceError> {
    let wrong = |why: String| EvidenceError::Key {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let boxed =
        minisign::SecretKeyBox::from_string(&text).map_err(|error| wrong(error.to_string()))?;
    let secret = match password {
        Some(password) => boxed.into_secret_key(Some(password)),
        None => boxed.into_unencrypted_secret_key(),
    }
    .map_err(|error| {
        wrong(format!(
            "{error}; an encrypted key needs FAIRNOTICE_SIGN_PASSWORD"
        ))
    })?;
    let public =
        minisign::PublicKey::from_secret_key(&secret).map_err(|error| wrong(error.to_string()))?;
    Ok((public, secret))
}

/// The commitments of a list as text, made while they are read.
struct Commitments {
    list: crate::store::List,
    next: u32,
    line: Vec<u8>,
    text: Vec<u8>,
    at: usize,
}

impl Commitments {
    fn new(campaign: &Campaign) -> Result<Self, CampaignError> {
        Ok(Self {
            list: campaign.list()?,
            next: 0,
            line: Vec::new(),
            text: Vec::new(),
            at: 0,
        })
    }
}

impl std::io::Read for Commitments {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.text.len() {
            self.text.clear();
            self.at = 0;
            while self.text.len() < 1 << 15 && self.next < self.list.recipients() {
                let hash = self
                    .list
                    .commitment(self.next, &mut self.line)
                    .map_err(|error| std::io::Error::other(error.to_string()))?;
                writeln!(self.text, "{hash}")?;
                self.next += 1;
            }
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

/// Checks a bundle.
///
/// # Errors
/// When it cannot be read at all.
pub fn check(bundle: &Path, expect: &Expect<'_>) -> Result<Verification, EvidenceError> {
    let file = File::open(bundle).map_err(|e| StoreError::io("read", bundle, e))?;
    Ok(verify(BufReader::new(file), expect)?)
}

/// The head of a campaign's chain, to be given out of the house. With `to`, the ledger remembers
/// where it went.
///
/// # Errors
/// When the ledger is damaged, or somebody is sending.
pub fn head(
    root: &Path,
    id: &str,
    to: Option<&str>,
    now: Timestamp,
) -> Result<(String, u64, Hash), EvidenceError> {
    let campaign = Campaign::find(root, id)?;
    let standing = campaign.standing()?;
    let (head, entries) = (standing.head, standing.replay.next());
    if let Some(to) = to {
        let lock = campaign
            .folder
            .lock("bind", now, std::time::Duration::from_secs(2))?;
        let ledger = campaign.ledger(now)?;
        let (head, entries) = ledger.with(|replay, head| (head, replay.next()));
        ledger
            .append(
                now,
                Event::Bound {
                    head,
                    to: to.to_owned(),
                },
            )
            .map_err(CampaignError::from)?;
        drop(ledger);
        drop(lock);
        return Ok((campaign.folder.id().to_owned(), entries, head));
    }
    Ok((campaign.folder.id().to_owned(), entries, head))
}

/// Opens the commitments of a person: with this, others can see in a bundle who a number is.
///
/// # Errors
/// When there is no such person, or they were erased.
pub fn open(root: &Path, id: &str, person: &str) -> Result<Vec<Opened>, EvidenceError> {
    let campaign = Campaign::find(root, id)?;
    let numbers = find_person(&campaign, person)?;
    if numbers.is_empty() {
        return Err(EvidenceError::Nobody {
            campaign: campaign.folder.id().to_owned(),
            person: person.to_owned(),
        });
    }
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    numbers
        .into_iter()
        .map(|n| {
            let salt = list.line(n, &mut line)?;
            Ok(Opened {
                campaign: campaign.folder.id().to_owned(),
                n,
                salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
                line: String::from_utf8_lossy(&line).into_owned(),
            })
        })
        .collect()
}
