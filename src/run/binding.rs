//! The heads of the campaigns' chains go out of the house: by mail, to a webhook, to a time
//! stamping service. What others keep of them shows whether a ledger was cut or rewritten later.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use lettre::{AsyncTransport as _, Message, message::Mailbox};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::campaign::{Campaign, CampaignError, state_folder, transport};
use crate::{
    config::Evidence,
    deliver::{Relay, alert},
    evidence::{Bound, Event, Hash, read_stamp, stamp_request},
    store::{CampaignFolder, StoreError},
};

/// The head of a campaign's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The campaign.
    pub campaign: String,
    /// Entries up to it.
    pub entries: u64,
    /// Hash of the last of them.
    pub head: Hash,
}

/// What went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// `fairnotice/heads/1`.
    pub schema: &'static str,
    /// Heads that are new since the last time.
    pub heads: Vec<Head>,
    /// Where they went.
    pub went: Vec<String>,
    /// What failed, and why.
    pub failed: Vec<String>,
}

/// Where the mail with the heads comes from.
pub struct Post<'a> {
    /// The relay.
    pub relay: &'a Relay,
    /// The From address.
    pub from: &'a str,
}

/// How far a campaign's chain was given out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Given {
    /// Entries at the last time, those that say so included.
    entries: u64,
    /// Heads that are not in the ledger yet, since somebody was sending.
    waiting: Vec<Bound>,
}

const GIVEN: &str = "bound.json";

/// Folder of a campaign's time stamps.
pub(super) const STAMPS: &str = "timestamps";

fn given(folder: &CampaignFolder) -> Result<Given, StoreError> {
    if folder.file(GIVEN).exists() {
        folder.read_json(GIVEN)
    } else {
        Ok(Given::default())
    }
}

/// Heads that were given out while somebody was sending, and are not in the ledger yet.
///
/// # Errors
/// When their file is damaged.
pub(super) fn waiting(folder: &CampaignFolder) -> Result<Vec<Bound>, StoreError> {
    Ok(given(folder)?.waiting)
}

/// Gives out the heads of all campaigns that changed since the last time, and remembers where
/// they went. What fails is said and tried again the next time.
///
/// # Errors
/// When a ledger is damaged or the disk refuses.
pub fn bind(
    root: &Path,
    wishes: &Evidence,
    post: Option<&Post<'_>>,
    now: Timestamp,
) -> Result<Binding, CampaignError> {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CampaignError::Internal(format!("no runtime: {error}")))?;
    let mut binding = Binding {
        schema: "fairnotice/heads/1",
        heads: Vec::new(),
        went: Vec::new(),
        failed: Vec::new(),
    };
    let mut folders = Vec::new();
    for folder in CampaignFolder::all(&state_folder(root)) {
        let standing = Campaign::find(root, folder.id())?.standing()?;
        let entries = standing.replay.next();
        if entries == given(&folder)?.entries {
            continue;
        }
        binding.heads.push(Head {
            campaign: folder.id().to_owned(),
            entries,
            head: standing.head,
        });
        folders.push(folder);
    }
    if binding.heads.is_empty() {
        return Ok(binding);
    }
    for to in &wishes.heads_to {
        let result = if to.starts_with("https://") || to.starts_with("http://") {
            runtime.block_on(webhook(to, &binding.heads, now))
        } else {
            runtime.block_on(mail(to, post, &binding.heads, now))
        };
        match result {
            Ok(name) => binding.went.push(name),
            Err(why) => binding.failed.push(why),
        }
    }
    for (folder, head) in folders.iter().zip(&binding.heads) {
        let mut places = binding.went.clone();
        if let Some(service) = &wishes.time_stamp {
            match runtime.block_on(stamp(service, folder, head.head)) {
                Ok((name, time)) => places.push(format!("{name}, stamped {time}")),
                Err(why) => binding.failed.push(why),
            }
        }
        remember(root, folder, head, &places, binding.failed.is_empty(), now)?;
    }
    if wishes.time_stamp.is_some() && binding.failed.is_empty() {
        binding.went.extend(wishes.time_stamp.as_deref().map(host));
    }
    Ok(binding)
}

/// Writes where a head went into the ledger, or beside it while somebody is sending.
fn remember(
    root: &Path,
    folder: &CampaignFolder,
    head: &Head,
    places: &[String],
    whole: bool,
    now: Timestamp,
) -> Result<(), CampaignError> {
    let mut given = given(folder)?;
    given.waiting.extend(places.iter().map(|to| Bound {
        head: head.head,
        to: to.clone(),
        at: now,
    }));
    if let Ok(lock) = folder.lock("bind", now, Duration::from_millis(500)) {
        let ledger = Campaign::find(root, folder.id())?.ledger(now)?;
        for bound in given.waiting.drain(..) {
            ledger.note(
                bound.at,
                Event::Bound {
                    head: bound.head,
                    to: bound.to,
                },
            );
        }
        ledger.flush()?;
        if whole {
            given.entries = ledger.with(|replay, _| replay.next());
        }
        drop(ledger);
        drop(lock);
    } else if whole {
        given.entries = head.entries;
    }
    let bytes = serde_json::to_vec(&given).unwrap_or_default();
    Ok(folder.write(GIVEN, &bytes)?)
}

fn host(address: &str) -> String {
    url::Url::parse(address)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "an address that is none".to_owned())
}

async fn webhook(to: &str, heads: &[Head], now: Timestamp) -> Result<String, String> {
    let body = serde_json::to_vec(&serde_json::json!({
        "schema": "fairnotice/heads/1", "at": now, "heads": heads,
    }))
    .unwrap_or_default();
    let id = Hash::of(&body).short();
    alert::post(to, body, &id, None)
        .await
        .map(|()| host(to))
        .map_err(|error| error.to_string())
}

async fn mail(
    to: &str,
    post: Option<&Post<'_>>,
    heads: &[Head],
    now: Timestamp,
) -> Result<String, String> {
    let post = post.ok_or_else(|| {
        format!("{to}: no mail can go out; set `smtp` and `from` in [mail] of fairnotice.toml")
    })?;
    let address = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|error| format!("`{text}` is no mail address: {error}"))
    };
    let from = address(post.from)?;
    let mut text = "Heads of the ledgers of campaigns: campaign, entries, SHA-256.\n\
        Keep this mail: it shows later that nothing before these entries was altered or cut off\n\
        (fairnotice evidence verify BUNDLE --head HASH).\n\n"
        .to_owned();
    for head in heads {
        text += &format!("{} {} {}\n", head.campaign, head.entries, head.head);
    }
    let id = Hash::of(text.as_bytes()).short();
    let message = Message::builder()
        .message_id(Some(format!("<heads-{id}@{}>", from.email.domain())))
        .from(from)
        .to(address(to)?)
        .subject(format!(
            "Heads of {} ledger(s), {}",
            heads.len(),
            now.strftime("%Y-%m-%d")
        ))
        .body(text)
        .map_err(|error| format!("{to}: {error}"))?;
    let transport = transport(post.relay).map_err(|error| error.to_string())?;
    match transport.send(message).await {
        Ok(_) => Ok(to.to_owned()),
        Err(error) => Err(format!("{}: {error}", post.relay)),
    }
}

/// Asks for a time stamp of a head and keeps the answer in the campaign's folder.
async fn stamp(
    service: &str,
    folder: &CampaignFolder,
    head: Hash,
) -> Result<(String, Timestamp), String> {
    let name = host(service);
    let failed = |why: String| format!("{name}: {why}");
    let mut nonce = [0; 8];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(|_| failed("no random number".to_owned()))?;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let response = client
        .post(service)
        .header("Content-Type", "application/timestamp-query")
        .body(stamp_request(head, nonce))
        .send()
        .await
        .map_err(|error| failed(error.without_url().to_string()))?;
    if !response.status().is_success() {
        return Err(failed(format!("it answered {}", response.status())));
    }
    if response
        .content_length()
        .is_some_and(|length| length > MOST)
    {
        return Err(failed("its answer is too long".to_owned()));
    }
    let answer = response
        .bytes()
        .await
        .map_err(|error| failed(error.without_url().to_string()))?;
    let stamp =
        read_stamp(&answer, head, Some(nonce)).map_err(|error| failed(error.to_string()))?;
    let path = folder.file(STAMPS);
    std::fs::create_dir_all(&path).map_err(|error| failed(error.to_string()))?;
    folder
        .write(&format!("{STAMPS}/{head}.tsr"), &answer)
        .map_err(|error| failed(error.to_string()))?;
    Ok((name, stamp.time))
}

/// A time stamp has some thousand bytes.
const MOST: u64 = 1 << 20;
