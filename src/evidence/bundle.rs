//! The bundle that proves a campaign to others, and its verification, which needs nothing else.
//!
//! ```text
//! manifest.json           what is in it, with hashes; what the numbers are
//! manifest.json.minisig   a minisign signature over it, where a key was given
//! campaign.json           the definition that people approved
//! texts.json              the mail and its notices, word for word
//! texts/en.txt, en.html   the same, readable
//! plan.json               dates, duties and findings that the notices serve
//! commitments.txt         one line a person: SHA-256 of a secret salt and the person's line
//! ledger.jsonl            what happened, hash-chained
//! summary.html            for people
//! timestamps/HASH.tsr     time stamps (RFC 3161) of heads of the ledger's chain
//! attached/…              redline and whatever else was added
//! ```
//! Nobody is named in it. The company can open single commitments (`evidence open`).

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read, Seek, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{
    Approved, CampaignState, Counts, Entry, Hash, LineError, Replay, Stamp, read_stamp, split_line,
};

/// Schema of the manifest.
pub const MANIFEST_SCHEMA: &str = "fairnotice/evidence/1";

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// Id of the campaign.
    pub campaign: String,
    /// When the bundle was made.
    pub made: Timestamp,
    /// Ids of the notices.
    pub notices: Vec<String>,
    /// Hash of `campaign.json`.
    pub definition: Hash,
    /// Hash of `texts.json`.
    pub texts: Hash,
    /// Hash over the commitments.
    pub list: Hash,
    /// Entries in the ledger.
    pub entries: u64,
    /// Hash of the ledger's last line.
    pub head: Hash,
    /// Where the campaign stands.
    pub state: CampaignState,
    /// The numbers.
    pub counts: Counts,
    /// Approvals of the definition.
    pub approvals: Vec<Approved>,
    /// Heads that were given out of the house: a tail cut off behind one of them is found.
    pub bound: Vec<Bound>,
    /// The other files.
    pub files: Vec<FileFact>,
}

/// A head that was given out of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The head.
    pub head: Hash,
    /// Where it went.
    pub to: String,
    /// When.
    pub at: Timestamp,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFact {
    /// Its path in the bundle.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: Hash,
}

/// Why a bundle cannot be made or read at all.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Reading or writing.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The ZIP archive.
    #[error("the bundle is no readable ZIP archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The manifest.
    #[error("the bundle's manifest cannot be read: {0}")]
    Manifest(String),
    /// Signing.
    #[error("the bundle cannot be signed: {0}")]
    Signature(String),
}

/// Writes a bundle, file by file.
pub struct BundleWriter<W: Write + Seek> {
    zip: ZipWriter<W>,
    files: Vec<FileFact>,
    options: SimpleFileOptions,
}

impl<W: Write + Seek> BundleWriter<W> {
    /// Begins a bundle. All files carry the same date, so that the same content makes the same
    /// bytes.
    pub fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new(out),
            files: Vec::new(),
            options: SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Deflated)
                .last_modified_time(zip::DateTime::default())
                .large_file(true),
        }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub fn add(&mut self, path: &str, mut content: impl Read) -> Result<(), BundleError> {
        self.zip.start_file(path, self.options)?;
        let mut digest = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = content.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let part = buffer.get(..count).unwrap_or_default();
            digest.update(part);
            self.zip.write_all(part)?;
            bytes += count as u64;
        }
        self.files.push(FileFact {
            path: path.to_owned(),
            bytes,
            sha256: Hash(digest.finalize().into()),
        });
        Ok(())
    }

    /// Ends the bundle with its manifest, signed where `sign` is given.
    ///
    /// # Errors
    /// When writing or signing fails.
    pub fn finish(
        mut self,
        mut manifest: Manifest,
        sign: Option<&dyn Fn(&[u8]) -> Result<String, String>>,
    ) -> Result<(W, Manifest), BundleError> {
        manifest.files = self.files;
        let mut bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| BundleError::Manifest(error.to_string()))?;
        bytes.push(b'\n');
        self.zip.start_file("manifest.json", self.options)?;
        self.zip.write_all(&bytes)?;
        if let Some(sign) = sign {
            let signature = sign(&bytes).map_err(BundleError::Signature)?;
            self.zip.start_file("manifest.json.minisig", self.options)?;
            self.zip.write_all(signature.as_bytes())?;
        }
        Ok((self.zip.finish()?, manifest))
    }
}

/// What a bundle is checked against, beyond itself.
#[derive(Debug, Clone, Default)]
pub struct Expect<'a> {
    /// The minisign public key (the line of Base64) whose signature must be there.
    pub public_key: Option<&'a str>,
    /// Heads known from elsewhere, which must stand in the ledger.
    pub heads: &'a [Hash],
    /// Commitments that were opened.
    pub opened: &'a [Opened],
}

/// A commitment opened by the company: who a number of the list is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The campaign.
    pub campaign: String,
    /// Number in the list.
    pub n: u32,
    /// The salt, in hexadecimal.
    pub salt: String,
    /// The person's line in the list.
    pub line: String,
}

/// Something that does not prove true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// Its line, where there is one.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The manifest.
    pub manifest: Manifest,
    /// What was proven, for people.
    pub proven: Vec<String>,
    /// What was not; empty when everything proves true.
    pub problems: Vec<Problem>,
}

/// More problems than this are not listed.
const MOST_PROBLEMS: usize = 100;

struct Check {
    proven: Vec<String>,
    problems: Vec<Problem>,
}

impl Check {
    fn problem(&mut self, file: &str, line: Option<u64>, what: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem {
                file: file.to_owned(),
                line,
                what: what.into(),
            });
        }
    }

    fn claim(&mut self, file: &str, holds: bool, what: &str) {
        if holds {
            self.proven.push(what.to_owned());
        } else {
            self.problem(file, None, format!("not true: {what}"));
        }
    }
}

/// Checks a bundle: each file against the manifest, the ledger entry by entry, the numbers, the
/// approvals, and what is known from elsewhere.
///
/// # Errors
/// When it is no ZIP archive, or has no readable manifest. What does not prove true is no error,
/// but in the answer.
pub fn verify<R: Read + Seek>(bundle: R, expect: &Expect<'_>) -> Result<Verification, BundleError> {
    let mut zip = ZipArchive::new(bundle)?;
    let manifest_bytes = read_file(&mut zip, "manifest.json")?;
    let manifest: Manifest = serde_json::from_slice(&manifest_bytes)
        .map_err(|error| BundleError::Manifest(error.to_string()))?;
    let mut check = Check {
        proven: Vec::new(),
        problems: Vec::new(),
    };
    if manifest.schema != MANIFEST_SCHEMA {
        check.problem(
            "manifest.json",
            None,
            format!("the schema is {}", manifest.schema),
        );
    }
    signature(&mut zip, &manifest_bytes, expect, &mut check);
    files(&mut zip, &manifest, &mut check)?;
    let stamps = stamps(&mut zip, &manifest, &mut check);
    let replay = ledger(&mut zip, &manifest, expect, &stamps, &mut check)?;
    definition(&mut zip, &manifest, &replay, &mut check);
    commitments(&mut zip, &manifest, expect, &mut check)?;
    Ok(Verification {
        manifest,
        proven: check.proven,
        problems: check.problems,
    })
}

fn read_file<R: Read + Seek>(zip: &mut ZipArchive<R>, path: &str) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    // A manifest or definition of more than this is not one of ours.
    zip.by_name(path)?.take(64 << 20).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn signature<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &[u8],
    expect: &Expect<'_>,
    check: &mut Check,
) {
    const FILE: &str = "manifest.json.minisig";
    let signature = read_file(zip, FILE).ok();
    let (key, signature) = match (expect.public_key, signature) {
        (None, None) => return,
        (None, Some(_)) => {
            check.proven.push(
                "there is a signature; it was not checked, since no public key was given"
                    .to_owned(),
            );
            return;
        }
        (Some(_), None) => return check.problem(FILE, None, "there is no signature"),
        (Some(key), Some(signature)) => (key, signature),
    };
    let verified = (|| {
        let key = minisign::PublicKey::from_base64(key.trim()).map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&signature);
        let signature = minisign::SignatureBox::from_string(&text).map_err(|e| e.to_string())?;
        minisign::verify(
            &key,
            &signature,
            std::io::Cursor::new(manifest),
            true,
            false,
            false,
        )
        .map_err(|e| e.to_string())
    })();
    match verified {
        Ok(()) => check
            .proven
            .push("the manifest carries a valid signature of the given key".to_owned()),
        Err(why) => check.problem(FILE, None, format!("the signature is not valid: {why}")),
    }
}

fn files<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    check: &mut Check,
) -> Result<(), BundleError> {
    let mut known: BTreeMap<&str, &FileFact> = manifest
        .files
        .iter()
        .map(|fact| (fact.path.as_str(), fact))
        .collect();
    let before = check.problems.len();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at)?;
        let name = file.name()?.into_owned();
        if name == "manifest.json" || name == "manifest.json.minisig" {
            continue;
        }
        let Some(fact) = known.remove(name.as_str()) else {
            check.problem(&name, None, "is not in the manifest, or is there twice");
            continue;
        };
        let mut digest = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    check.problem(&name, None, format!("cannot be read: {error}"));
                    break;
                }
            };
            digest.update(buffer.get(..count).unwrap_or_default());
            bytes += count as u64;
        }
        if Hash(digest.finalize().into()) != fact.sha256 || bytes != fact.bytes {
            check.problem(
                &name,
                None,
                "was altered: its hash is not that of the manifest",
            );
        }
    }
    for path in known.keys() {
        check.problem(path, None, "is missing");
    }
    if check.problems.len() == before {
        check.proven.push(format!(
            "all {} files are as the manifest says",
            manifest.files.len()
        ));
    }
    Ok(())
}

/// The heads that were stamped, with the times that the stamps give. The signature of the
/// stamping service is not checked here.
fn stamps<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    check: &mut Check,
) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    for fact in &manifest.files {
        let Some(name) = fact.path.strip_prefix("timestamps/") else {
            continue;
        };
        let head = name.strip_suffix(".tsr").and_then(|head| head.parse().ok());
        let (Some(head), Ok(answer)) = (head, read_file(zip, &fact.path)) else {
            check.problem(&fact.path, None, "is no time stamp, or is missing");
            continue;
        };
        match read_stamp(&answer, head, None) {
            Ok(stamp) => stamps.push(stamp),
            Err(error) => check.problem(&fact.path, None, error.to_string()),
        }
    }
    stamps
}

const LEDGER: &str = "ledger.jsonl";

fn ledger<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    expect: &Expect<'_>,
    stamps: &[Stamp],
    check: &mut Check,
) -> Result<Replay, BundleError> {
    let mut replay = Replay::default();
    let mut head = Hash::default();
    let mut expected = 0u64;
    let mut heads_seen = vec![false; expect.heads.len()];
    let mut bound_seen = vec![false; manifest.bound.len()];
    let mut stamp_seen = vec![false; stamps.len()];
    let mut number = 0;
    let before = check.problems.len();
    let mut intact = true;
    {
        let Ok(file) = zip.by_name(LEDGER) else {
            check.problem(LEDGER, None, "is missing");
            return Ok(replay);
        };
        let mut reader = BufReader::with_capacity(1 << 17, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            number += 1;
            let Some(whole) = line.strip_suffix(b"\n") else {
                check.problem(LEDGER, Some(number), "the last line is cut off");
                intact = false;
                break;
            };
            let (hash, entry, fits) = match split_line(whole) {
                Ok((hash, body)) => match serde_json::from_slice::<Entry>(body) {
                    Ok(entry) => (hash, entry, head.link(body) == hash),
                    Err(error) => {
                        let error = LineError::Entry(error.to_string());
                        check.problem(LEDGER, Some(number), error.to_string());
                        (head, intact) = (hash, false);
                        expected += 1;
                        continue;
                    }
                },
                Err(error) => {
                    check.problem(LEDGER, Some(number), error.to_string());
                    intact = false;
                    expected += 1;
                    continue;
                }
            };
            let seq = entry.seq;
            if seq > expected {
                let missing = if seq == expected + 1 {
                    format!("entry {expected} is")
                } else {
                    format!("entries {expected} to {} are", seq - 1)
                };
                check.problem(
                    LEDGER,
                    Some(number),
                    format!("{missing} missing, or stand elsewhere: entry {seq} follows at once"),
                );
                intact = false;
            } else if seq < expected {
                check.problem(
                    LEDGER,
                    Some(number),
                    format!("entry {seq} stands out of order"),
                );
                intact = false;
            } else if !fits {
                check.problem(LEDGER, Some(number), format!("entry {seq} was altered"));
                intact = false;
            }
            if intact && let Err(error) = replay.apply(&entry) {
                check.problem(LEDGER, Some(number), error.to_string());
                intact = false;
            }
            head = hash;
            expected = seq + 1;
            for (seen, wanted) in heads_seen.iter_mut().zip(expect.heads) {
                *seen |= hash == *wanted;
            }
            for (seen, stamp) in stamp_seen.iter_mut().zip(stamps) {
                *seen |= hash == stamp.hash;
            }
            for (seen, bound) in bound_seen.iter_mut().zip(&manifest.bound) {
                *seen |= hash == bound.head;
            }
        }
    }
    for (seen, wanted) in heads_seen.iter().zip(expect.heads) {
        if *seen {
            check.proven.push(format!(
                "the head {} that is known from elsewhere stands in the ledger",
                wanted.short()
            ));
        } else {
            check.problem(
                LEDGER,
                None,
                format!("the head {wanted} that is known from elsewhere is not in it: entries were cut off or altered"),
            );
        }
    }
    for (seen, stamp) in stamp_seen.iter().zip(stamps) {
        if *seen {
            check.proven.push(format!(
                "the head {} carries a time stamp of {} (its service's signature: openssl ts -verify)",
                stamp.hash.short(),
                stamp.time
            ));
        } else {
            check.problem(
                LEDGER,
                None,
                format!(
                    "the head {} that was stamped at {} is not in it",
                    stamp.hash, stamp.time
                ),
            );
        }
    }
    for (seen, bound) in bound_seen.iter().zip(&manifest.bound) {
        if !seen {
            check.problem(
                LEDGER,
                None,
                format!(
                    "the head {} that was given to {} is not in it",
                    bound.head, bound.to
                ),
            );
        }
    }
    if number != manifest.entries || head != manifest.head {
        check.problem(
            LEDGER,
            None,
            format!(
                "its end is not that of the manifest: {number} entries and head {}, where the manifest has {} and {}",
                head.short(), manifest.entries, manifest.head.short()
            ),
        );
    }
    if intact {
        let counts = replay.counts();
        let equal = counts == manifest.counts && replay.state() == manifest.state;
        check.claim(
            LEDGER,
            equal,
            "the numbers of the manifest are what the ledger's entries add up to",
        );
        check.claim(
            LEDGER,
            replay.adds_up(),
            "every recipient is in exactly one state",
        );
    }
    if check.problems.len() == before {
        check.proven.push(format!(
            "the chain of {number} entries is whole and in order"
        ));
    }
    Ok(replay)
}

fn definition<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    replay: &Replay,
    check: &mut Check,
) {
    const FILE: &str = "campaign.json";
    let Ok(bytes) = read_file(zip, FILE) else {
        return check.problem(FILE, None, "is missing");
    };
    let Ok(texts) = read_file(zip, "texts.json") else {
        return check.problem("texts.json", None, "is missing");
    };
    let hash = Hash::of(&bytes);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let field = |path: &str| {
        value
            .pointer(path)
            .and_then(|v| v.as_str())
            .and_then(|text| text.parse::<Hash>().ok())
    };
    let texts_hash = Hash::of(&texts);
    let texts_fit = field("/texts") == Some(texts_hash) && texts_hash == manifest.texts;
    check.claim(
        "texts.json",
        texts_fit,
        "the texts are those of the definition",
    );
    let list_fits = field("/list/hash") == Some(manifest.list);
    check.claim(FILE, list_fits, "the list is that of the definition");
    let fits = hash == manifest.definition && hash == replay.definition();
    check.claim(FILE, fits, "the ledger speaks of this definition");
    let approved = replay
        .approvals()
        .iter()
        .any(|approval| approval.definition == hash);
    let started = replay.span().0.is_some();
    if started || approved {
        check.claim(FILE, approved, "exactly this definition was approved");
    }
}

fn commitments<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    manifest: &Manifest,
    expect: &Expect<'_>,
    check: &mut Check,
) -> Result<(), BundleError> {
    const FILE: &str = "commitments.txt";
    let Ok(file) = zip.by_name(FILE) else {
        check.problem(FILE, None, "is missing");
        return Ok(());
    };
    let mut digest = Sha256::new();
    let mut count = 0u32;
    let mut wanted: BTreeMap<u32, Option<Hash>> = expect
        .opened
        .iter()
        .map(|opened| (opened.n, None))
        .collect();
    for line in BufReader::new(file).lines() {
        let line = line?;
        let Ok(hash) = line.parse::<Hash>() else {
            check.problem(FILE, Some(u64::from(count) + 1), "is no commitment");
            return Ok(());
        };
        digest.update(hash.0);
        if let Some(place) = wanted.get_mut(&count) {
            *place = Some(hash);
        }
        count += 1;
    }
    let fits =
        Hash(digest.finalize().into()) == manifest.list && count == manifest.counts.recipients;
    check.claim(
        FILE,
        fits,
        "the commitments are the frozen list, one for each recipient",
    );
    for opened in expect.opened {
        let salt: Option<Vec<u8>> = (0..opened.salt.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(opened.salt.get(at..at + 2)?, 16).ok())
            .collect();
        let computed = salt.map(|salt| {
            let mut digest = Sha256::new();
            digest.update(&salt);
            digest.update(opened.line.as_bytes());
            Hash(digest.finalize().into())
        });
        let right = opened.campaign == manifest.campaign
            && computed.is_some()
            && wanted.get(&opened.n).copied().flatten() == computed;
        if right {
            check
                .proven
                .push(format!("recipient {} is {}", opened.n, opened.line));
        } else {
            check.problem(
                FILE,
                Some(u64::from(opened.n) + 1),
                format!("the opened line is not that of recipient {}", opened.n),
            );
        }
    }
    Ok(())
}
