//! Looking at the very bytes before they go: previews, rehearsals, a test mail.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Campaign, CampaignError, signing::signed};
use crate::{
    deliver::{Address, Recipient, Relay, Security},
    evidence::{Entry, Event, Hash, split_line},
    store::{StoreError, commitment, write_whole},
};

/// A message of a campaign, as it would go out or went out.
#[derive(Debug, Clone)]
pub struct Picked {
    /// Number in the list.
    pub n: u32,
    /// The address.
    pub email: String,
    /// The language it is written in.
    pub language: String,
    /// The very bytes.
    pub bytes: Vec<u8>,
    /// For a message that was sent: whether these are, by the ledger's hash, the bytes that were.
    pub proven: Option<bool>,
}

/// Messages of chosen people: by number, address or user id; without any, the one with the
/// longest name and the first of each locale.
///
/// # Errors
/// When there is no such person, or the files are damaged.
pub fn preview(
    root: &Path,
    id: &str,
    who: &[String],
    now: Timestamp,
) -> Result<Vec<Picked>, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    campaign.check_frozen()?;
    let numbers = if who.is_empty() {
        samples(&campaign)?
    } else {
        chosen(&campaign, who)?
    };
    let first = first_attempts(&campaign, &numbers)?;
    let template = campaign.template()?;
    let ids = campaign.identities()?;
    let signers = super::signers(root)?;
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    numbers
        .into_iter()
        .map(|n| {
            let salt = list.line(n, &mut line)?;
            let recipient = parse(&line, n)?;
            let sent = first.get(&n);
            let date = sent.map_or(now, |(date, _)| *date);
            let message = template.message(&recipient, &ids, n, date)?;
            let hash = commitment(&salt, &message.bytes);
            Ok(Picked {
                n,
                email: recipient.email,
                language: message.language,
                proven: sent.map(|(_, sent)| *sent == hash),
                bytes: signed(&signers, message.bytes, date)?,
            })
        })
        .collect()
}

/// The date and the hash of the message that was sent to each of these.
fn first_attempts(
    campaign: &Campaign,
    numbers: &[u32],
) -> Result<BTreeMap<u32, (Timestamp, Hash)>, CampaignError> {
    let path = campaign.folder.ledger();
    let io = |e| StoreError::io("read", &path, e);
    let file = BufReader::new(File::open(&path).map_err(io)?);
    let mut found = BTreeMap::new();
    for line in file.split(b'\n') {
        let line = line.map_err(io)?;
        let Ok((_, body)) = split_line(&line) else {
            continue;
        };
        let Ok(entry) = serde_json::from_slice::<Entry>(body) else {
            continue;
        };
        if let Event::Sending {
            n, date, message, ..
        } = entry.event
            && numbers.contains(&n)
        {
            found.insert(n, (date, message));
        }
    }
    Ok(found)
}

fn parse(line: &[u8], n: u32) -> Result<Recipient, CampaignError> {
    serde_json::from_slice(line)
        .map_err(|_| CampaignError::Asked(format!("person {n} was erased, or the list is damaged")))
}

/// The numbers of the people with the longest name and the first of each locale.
fn samples(campaign: &Campaign) -> Result<Vec<u32>, CampaignError> {
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    let mut locales = BTreeMap::new();
    let mut longest = (0, 0);
    for n in 0..list.recipients() {
        if list.is_erased(n) {
            continue;
        }
        list.line(n, &mut line)?;
        let recipient = parse(&line, n)?;
        let length = recipient
            .name
            .as_deref()
            .map_or(0, |name| name.chars().count());
        if length > longest.0 {
            longest = (length, n);
        }
        if locales.len() < 20 {
            locales.entry(recipient.locale).or_insert(n);
        }
    }
    let mut numbers: Vec<u32> = locales.into_values().chain([longest.1]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn chosen(campaign: &Campaign, who: &[String]) -> Result<Vec<u32>, CampaignError> {
    let mut numbers = Vec::new();
    let mut sought: Vec<&str> = Vec::new();
    for who in who {
        match who.parse::<u32>() {
            Ok(n) if n < campaign.definition.list.recipients => numbers.push(n),
            _ => sought.push(who),
        }
    }
    for person in sought {
        let found = find(campaign, person)?;
        if found.is_empty() {
            return Err(CampaignError::Asked(format!(
                "nobody in the list has the address or user id `{person}`"
            )));
        }
        numbers.extend(found);
    }
    Ok(numbers)
}

/// The numbers of a person in a campaign's list, by address or user id.
pub(crate) fn find(campaign: &Campaign, person: &str) -> Result<Vec<u32>, CampaignError> {
    let address = Address::parse(person).ok().map(|a| a.normalised());
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    let mut found = Vec::new();
    for n in 0..list.recipients() {
        if list.is_erased(n) {
            continue;
        }
        list.line(n, &mut line)?;
        let recipient = parse(&line, n)?;
        if recipient.user_id.as_deref() == Some(person)
            || address.as_deref() == Some(&recipient.normalised())
        {
            found.push(n);
        }
    }
    Ok(found)
}

/// Writes messages as `.eml` files for their owner only, a sample spread over the list or all of
/// it; nothing is sent. Gives the files.
///
/// # Errors
/// When a message cannot be made, or the disk refuses.
pub fn dry_run(
    root: &Path,
    id: &str,
    sample: Option<u32>,
    folder: &Path,
    now: Timestamp,
) -> Result<Vec<PathBuf>, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    campaign.check_frozen()?;
    let all = campaign.definition.list.recipients;
    let count = sample.unwrap_or(all).min(all);
    let template = campaign.template()?;
    let ids = campaign.identities()?;
    let signers = super::signers(root)?;
    let mut list = campaign.list()?;
    let mut line = Vec::new();
    let mut files = Vec::new();
    std::fs::create_dir_all(folder).map_err(|e| StoreError::io("make", folder, e))?;
    for at in 0..count {
        let n =
            u32::try_from(u64::from(at) * u64::from(all) / u64::from(count.max(1))).unwrap_or(at);
        if list.is_erased(n) {
            continue;
        }
        list.line(n, &mut line)?;
        let message = template.message(&parse(&line, n)?, &ids, n, now)?;
        let path = folder.join(format!("{n:08}.eml"));
        write_whole(&path, &signed(&signers, message.bytes, now)?)?;
        files.push(path);
    }
    Ok(files)
}

/// Sends the message of one person of the list to another address, marked as a test. Nothing is
/// written to the ledger. Gives the relay's answer.
///
/// # Errors
/// When the message cannot be made or the relay does not take it.
pub fn test_mail(
    root: &Path,
    id: &str,
    to: &str,
    of: Option<&str>,
    relay: &Relay,
    now: Timestamp,
) -> Result<String, CampaignError> {
    let campaign = Campaign::find(root, id)?;
    let address =
        Address::parse(to).map_err(|error| CampaignError::Asked(format!("`{to}`: {error}")))?;
    let who: Vec<String> = of.map(str::to_owned).into_iter().collect();
    let picked = preview(root, id, &who, now)?;
    let picked = picked
        .first()
        .ok_or_else(|| CampaignError::Asked("the list is empty".to_owned()))?;
    let mut bytes = b"X-Fairnotice-Test: yes\r\n".to_vec();
    bytes.extend_from_slice(&picked.bytes);
    let failed = |error: &dyn std::fmt::Display| CampaignError::Relay(format!("{relay}: {error}"));
    let parse = |text: &str| {
        text.parse::<lettre::Address>()
            .map_err(|error| CampaignError::Asked(format!("`{text}`: {error}")))
    };
    let from = parse(&campaign.definition.sender.bounce()?)?;
    let envelope = lettre::address::Envelope::new(Some(from), vec![parse(&address.to_string())?])
        .map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CampaignError::Internal(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let transport = transport(relay)?;
        let response = transport
            .send_raw(&envelope, &bytes)
            .await
            .map_err(|error| failed(&error))?;
        let words: Vec<&str> = response.message().collect();
        Ok(format!("{} {}", response.code(), words.join(" ")))
    })
}

/// lettre's own transport: for a single message its way is as good as ours.
pub(crate) fn transport(
    relay: &Relay,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, CampaignError> {
    use lettre::transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    };
    let failed = |error: &dyn std::fmt::Display| CampaignError::Relay(format!("{relay}: {error}"));
    let parameters = || {
        let mut builder = TlsParameters::builder(relay.host.clone());
        if let Some(path) = &relay.ca {
            let pem = std::fs::read(path).map_err(|e| StoreError::io("read", path, e))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| failed(&error))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| failed(&error))
    };
    let tls = match relay.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.host.as_str())
        .port(relay.port)
        .tls(tls)
        .timeout(Some(relay.timeouts.command));
    if let (Some(user), Some(password)) = (&relay.user, &relay.password) {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}
