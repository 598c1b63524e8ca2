//! Making a campaign: texts and list are frozen and hashed.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write as _},
    path::Path,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{CampaignError, DEFINITION_SCHEMA, Definition, Texts, Window, state_folder};
use crate::{
    deliver::{Dedupe, ListFormat, Row, Sender, Suppression, Template, read_recipients},
    evidence::{CampaignState, Event, Hash, LEDGER_FORMAT},
    notice::{Channel, Notice},
    store::{CampaignFolder, Ledger, ListWriter, StoreError},
};

/// What a new campaign is made of.
pub struct Create<'a> {
    /// Approved e-mail notices; the first names the campaign's mail.
    pub notices: Vec<Notice>,
    /// One mail of several notices.
    pub compose: &'a dyn Fn(&[Notice]) -> Result<Notice, String>,
    /// The recipients.
    pub recipients: Box<dyn BufRead + 'a>,
    /// Their format, where it is not to be guessed.
    pub format: Option<ListFormat>,
    /// Name of the list, for messages.
    pub list_name: String,
    /// When it may send; without a latest time the notices' own.
    pub window: Window,
    /// Who sends.
    pub sender: Sender,
    /// Most messages a second.
    pub rate: Option<f64>,
    /// Most messages a second to one receiving domain.
    pub domain_rate: Option<f64>,
    /// How many different people must approve notices and the campaign.
    pub approvals: u8,
    /// The campaign that this one corrects or recalls.
    pub corrects: Option<String>,
    /// For people who joined after an earlier list was frozen: the hashes of those who are on one
    /// already. They are left out, and the latest instant is the window's alone: who joins after
    /// the notice's last day cannot have the promised lead, only be told before the effect.
    pub told: Option<BTreeSet<u128>>,
}

/// A line that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The line in the source, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// `fairnotice/campaign/1`: a campaign that was made.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    /// `fairnotice/campaign/1`.
    pub schema: &'static str,
    /// Its id.
    pub id: String,
    /// People who get the mail.
    pub recipients: u32,
    /// Lines that were not used; the first ten thousand of them.
    pub rejected: Vec<Rejected>,
    /// How many lines were not used; all are in `rejected.jsonl` of the campaign's folder.
    pub rejected_total: u64,
    /// Of these, people who cannot be reached by mail and need another channel.
    pub other_channel: u64,
    /// People of the list who were on an earlier one already and are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub already_told: u64,
    /// Always `draft`.
    pub state: CampaignState,
    /// When it may send.
    pub window: Window,
    /// Hash of texts, list and window: what people approve.
    pub definition: Hash,
    /// When the last message would be out at the allowed rate.
    pub finish: Option<Timestamp>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Most rejected lines that are listed in the answer.
const LISTED: usize = 10_000;

/// Makes a campaign.
///
/// # Errors
/// When a notice may not be sent, the list's structure is broken, nobody is left in it, or the
/// window is too short for the allowed rate. Nothing is left behind then.
pub fn create(
    root: &Path,
    create: Create<'_>,
    suppression: &Suppression,
    now: Timestamp,
) -> Result<Created, CampaignError> {
    for notice in &create.notices {
        check_notice(notice, create.approvals)?;
    }
    let mail = match create.notices.as_slice() {
        [] => {
            return Err(CampaignError::Asked(
                "a campaign needs at least one notice".to_owned(),
            ));
        }
        [one] => one.clone(),
        several => (create.compose)(several).map_err(|why| CampaignError::Notice {
            id: several.first().map(|n| n.id.clone()).unwrap_or_default(),
            why: format!("cannot share a mail with the others: {why}"),
        })?,
    };
    create.sender.check()?;
    let template = Template::new(&mail, &create.sender)?;
    let folder = CampaignFolder::create(&state_folder(root))?;
    let made = freeze(&folder, create, mail, &template, suppression, now);
    if made.is_err() {
        // Half a campaign helps nobody; what cannot be removed is not a campaign either.
        let _left = std::fs::remove_dir_all(folder.path());
    }
    made
}

fn check_notice(notice: &Notice, approvals: u8) -> Result<(), CampaignError> {
    let refuse = |why: &str| {
        Err(CampaignError::Notice {
            id: notice.id.clone(),
            why: why.to_owned(),
        })
    };
    if notice.channel != Channel::Email {
        return refuse("is not for e-mail; only e-mail notices are sent by campaigns");
    }
    if !notice.is_approved(usize::from(approvals)) {
        return refuse("is not approved as it is now");
    }
    Ok(())
}

fn freeze(
    folder: &CampaignFolder,
    create: Create<'_>,
    mail: Notice,
    template: &Template,
    suppression: &Suppression,
    now: Timestamp,
) -> Result<Created, CampaignError> {
    let mut rejects = Rejects::new(folder)?;
    let spool = spool(
        folder,
        create.recipients,
        create.format,
        &create.list_name,
        template,
        suppression,
        create.told.as_ref(),
        &mut rejects,
    )?;
    let already_told = spool.already_told;
    let mut writer = ListWriter::new(folder)?;
    let io = |e| CampaignError::from(StoreError::io("read", &folder.file("spool.tmp"), e));
    let duplicates = spool.dedupe.finish().map_err(io)?;
    let mut next_duplicate = duplicates.iter().peekable();
    let rows = BufReader::new(File::open(folder.file("spool.tmp")).map_err(io)?);
    for (row, line) in (0u32..).zip(rows.split(b'\n')) {
        let line = line.map_err(io)?;
        if let Some(duplicate) = next_duplicate.next_if(|duplicate| duplicate.row == row) {
            rejects.add(
                duplicate.line,
                format!("the same person as in line {}", duplicate.first_line),
                false,
            )?;
            continue;
        }
        writer.push(&line)?;
    }
    std::fs::remove_file(folder.file("spool.tmp")).map_err(io)?;
    let list = writer.finish()?;
    let (rejected, rejected_total, other_channel) = rejects.finish()?;
    if list.recipients == 0 && already_told > 0 && rejected_total == 0 {
        return Err(CampaignError::NobodyJoined { told: already_told });
    }
    if list.recipients == 0 {
        return Err(CampaignError::Nobody {
            rejected: rejected_total,
            first: rejected.first().map_or_else(
                || "none".to_owned(),
                |r| format!("line {}: {}", r.line, r.reason),
            ),
        });
    }
    let send_by = create
        .notices
        .iter()
        .filter_map(|n| n.send_by)
        .min()
        .filter(|_| create.told.is_none());
    let window = Window {
        earliest: create.window.earliest,
        latest: match (create.window.latest, send_by) {
            (Some(asked), Some(promised)) => Some(asked.min(promised)),
            (asked, promised) => asked.or(promised),
        },
    };
    let texts = Texts {
        mail,
        notices: create.notices,
    };
    let text_bytes = serde_json::to_vec_pretty(&texts).map_err(|error| {
        CampaignError::Internal(format!("the texts cannot be written: {error}"))
    })?;
    folder.write("texts.json", &text_bytes)?;
    folder.make_key()?;
    let definition = Definition {
        schema: DEFINITION_SCHEMA.to_owned(),
        id: folder.id().to_owned(),
        notices: texts.notices.iter().map(|n| n.id.clone()).collect(),
        texts: Hash::of(&text_bytes),
        list,
        window,
        sender: create.sender,
        rate: create.rate,
        domain_rate: create.domain_rate,
        approvals: create.approvals.max(1),
        corrects: create.corrects,
        created: now,
    };
    definition.check_schedule(now, list.recipients, None)?;
    folder.write("campaign.json", &definition.bytes())?;
    let hash = definition.hash();
    Ledger::create(
        &folder.ledger(),
        now,
        Event::Created {
            campaign: folder.id().to_owned(),
            format: LEDGER_FORMAT,
            definition: hash,
            recipients: list.recipients,
        },
    )?;
    Ok(Created {
        schema: "fairnotice/campaign/1",
        id: folder.id().to_owned(),
        recipients: list.recipients,
        rejected,
        rejected_total,
        other_channel,
        already_told,
        state: CampaignState::Draft,
        window,
        definition: hash,
        finish: definition
            .rate
            .map(|_| definition.finish(now, list.recipients, None)),
    })
}

struct Spool {
    dedupe: Dedupe,
    already_told: u64,
}

/// Writes all usable rows into one file and collects their people.
#[expect(clippy::too_many_arguments, reason = "one call, each of another kind")]
fn spool(
    folder: &CampaignFolder,
    recipients: Box<dyn BufRead + '_>,
    format: Option<ListFormat>,
    name: &str,
    template: &Template,
    suppression: &Suppression,
    told: Option<&BTreeSet<u128>>,
    rejects: &mut Rejects,
) -> Result<Spool, CampaignError> {
    let path = folder.file("spool.tmp");
    let io = |e| CampaignError::from(StoreError::io("write", &path, e));
    let mut options = File::options();
    options.write(true).create_new(true);
    crate::store::owner_only(&mut options);
    let mut out = BufWriter::with_capacity(1 << 16, options.open(&path).map_err(io)?);
    let mut dedupe = Dedupe::new(folder.path());
    let needed = template.needed();
    let mut already_told = 0;
    let result = read_recipients(recipients, format, |line, row| {
        let recipient = match row {
            Row::Rejected(reason) => {
                return rejects.add(line, reason, true).map_err(|e| e.to_string());
            }
            Row::Usable(recipient) => recipient,
        };
        if told.is_some_and(|told| told.contains(&recipient.person_hash())) {
            already_told += 1;
            return Ok(());
        }
        if let Some(missing) = needed.iter().find(|name| recipient.field(name).is_none()) {
            let reason = format!("the text needs `{missing}`, which this person has not");
            return rejects.add(line, reason, true).map_err(|e| e.to_string());
        }
        if let Some(entry) = suppression.get(&recipient.normalised()) {
            let reason = format!(
                "the address does not work ({}, since {}): another channel is needed",
                entry.reason, entry.since
            );
            return rejects.add(line, reason, true).map_err(|e| e.to_string());
        }
        dedupe
            .add(recipient.person_hash(), line)
            .and_then(|()| {
                serde_json::to_writer(&mut out, &recipient)?;
                out.write_all(b"\n")
            })
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    });
    result.map_err(|error| CampaignError::Source {
        name: name.to_owned(),
        error,
    })?;
    out.flush().map_err(io)?;
    Ok(Spool {
        dedupe,
        already_told,
    })
}

/// Rejected lines: all of them in a file, the first ones in memory.
struct Rejects {
    out: BufWriter<File>,
    first: Vec<Rejected>,
    total: u64,
    other_channel: u64,
}

impl Rejects {
    fn new(folder: &CampaignFolder) -> Result<Self, CampaignError> {
        let path = folder.file("rejected.jsonl");
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        crate::store::owner_only(&mut options);
        let file = options
            .open(&path)
            .map_err(|e| StoreError::io("make", &path, e))?;
        Ok(Self {
            out: BufWriter::new(file),
            first: Vec::new(),
            total: 0,
            other_channel: 0,
        })
    }

    fn add(&mut self, line: u64, reason: String, unreached: bool) -> Result<(), CampaignError> {
        let rejected = Rejected { line, reason };
        serde_json::to_writer(&mut self.out, &rejected)
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|e| StoreError::io("write", Path::new("rejected.jsonl"), e))?;
        self.total += 1;
        self.other_channel += u64::from(unreached);
        if self.first.len() < LISTED {
            self.first.push(rejected);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<Rejected>, u64, u64), CampaignError> {
        self.out
            .flush()
            .map_err(|e| StoreError::io("write", Path::new("rejected.jsonl"), e))?;
        self.first.sort_by_key(|rejected| rejected.line);
        Ok((self.first, self.total, self.other_channel))
    }
}
