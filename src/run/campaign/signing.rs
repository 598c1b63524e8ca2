//! What the configuration says of mail, checked by more than its form: addresses, relay, keys.

use std::path::Path;

use jiff::Timestamp;

use super::CampaignError;
use crate::{
    config::{self, Config, Dkim},
    deliver::{DkimError, Relay, Sender, Signer},
};

/// The signers that `[mail.dkim]` names; none where there is no such table, or no configuration.
///
/// # Errors
/// When the configuration is wrong, or a key cannot be used.
pub fn signers(root: &Path) -> Result<Vec<Signer>, CampaignError> {
    if !root.join(config::FILE).exists() {
        return Ok(Vec::new());
    }
    let config = config::load(root).map_err(|error| CampaignError::Asked(error.to_string()))?;
    let open = |dkim| open(root, dkim);
    Ok(config
        .mail
        .dkim
        .iter()
        .map(open)
        .collect::<Result<_, _>>()?)
}

/// A message with its signatures before it, in the order of the keys. The ledger's hash is that of
/// the message below the signatures, which a change of keys does not touch.
pub(super) fn signed(
    signers: &[Signer],
    bytes: Vec<u8>,
    date: Timestamp,
) -> Result<Vec<u8>, DkimError> {
    if signers.is_empty() {
        return Ok(bytes);
    }
    let mut whole = Vec::with_capacity(bytes.len() + 1024);
    for signer in signers {
        whole.extend(signer.header(&bytes, date)?);
    }
    whole.extend_from_slice(&bytes);
    Ok(whole)
}

fn open(root: &Path, dkim: &Dkim) -> Result<Signer, DkimError> {
    Signer::open(&dkim.domain, &dkim.selector, &root.join(&dkim.key_file))
}

/// What of `[mail]` cannot work: the key with its value, and why.
pub fn mail_problems(root: &Path, config: &Config) -> Vec<(String, String)> {
    let mail = &config.mail;
    let mut problems = Vec::new();
    let mut say = |needle: &str, why: String| problems.push((needle.to_owned(), why));
    if let Some(from) = &mail.from {
        let sender = |from: &str| Sender {
            from: from.to_owned(),
            reply_to: None,
            bounce: None,
        };
        for address in [
            Some(from),
            mail.reply_to.as_ref(),
            mail.bounce_address.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            if let Err(error) = sender(address).check() {
                say(address, error.to_string());
            }
        }
    }
    if let Some(Err(error)) = mail.smtp.as_deref().map(Relay::parse) {
        say(mail.smtp.as_deref().unwrap_or_default(), error.to_string());
    }
    let from = mail.from.as_ref().and_then(|from| {
        let sender = Sender {
            from: from.clone(),
            reply_to: None,
            bounce: None,
        };
        sender.domain().ok()
    });
    for (at, dkim) in mail.dkim.iter().enumerate() {
        let same = |other: &Dkim| other.domain == dkim.domain && other.selector == dkim.selector;
        if mail.dkim.iter().take(at).any(same) {
            let why = format!("the selector `{}` is there twice", dkim.selector);
            say(&dkim.selector, why);
        }
        match open(root, dkim) {
            Err(error @ DkimError::Name(_)) => say("mail.dkim]", error.to_string()),
            Err(error) => say(&dkim.key_file, error.to_string()),
            Ok(signer) => {
                if let Some(domain) = from.as_ref().filter(|domain| !signer.aligned(domain)) {
                    say(
                        &dkim.domain,
                        format!(
                            "a signature of {} does not count for mail from {domain}",
                            signer.domain()
                        ),
                    );
                }
            }
        }
    }
    problems
}
