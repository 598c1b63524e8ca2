//! What the configuration says of mail, checked by more than its form: addresses, relay, keys.

use std::path::Path;

use jiff::Timestamp;

use super::CampaignError;
use crate::{
    config::{self, Config, Mail},
    deliver::{DkimError, Relay, Sender, Signer},
};

/// The signer that `[mail.dkim]` names; none where there is no such table, or no configuration.
///
/// # Errors
/// When the configuration is wrong, or the key cannot be used.
pub fn signer(root: &Path) -> Result<Option<Signer>, CampaignError> {
    if !root.join(config::FILE).exists() {
        return Ok(None);
    }
    let config = config::load(root).map_err(|error| CampaignError::Asked(error.to_string()))?;
    Ok(open(root, &config.mail)?)
}

/// A message with its signature before it, where there is a key. The ledger's hash is that of the
/// message below the signature, which a change of keys does not touch.
pub(super) fn signed(
    signer: Option<&Signer>,
    bytes: Vec<u8>,
    date: Timestamp,
) -> Result<Vec<u8>, DkimError> {
    let Some(signer) = signer else {
        return Ok(bytes);
    };
    let mut whole = signer.header(&bytes, date)?;
    whole.extend_from_slice(&bytes);
    Ok(whole)
}

fn open(root: &Path, mail: &Mail) -> Result<Option<Signer>, DkimError> {
    mail.dkim
        .as_ref()
        .map(|dkim| Signer::open(&dkim.domain, &dkim.selector, &root.join(&dkim.key_file)))
        .transpose()
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
    if let Some(dkim) = &mail.dkim {
        match open(root, mail) {
            Err(error @ DkimError::Name(_)) => say("[mail.dkim]", error.to_string()),
            Err(error) => say(&dkim.key_file, error.to_string()),
            Ok(Some(signer)) => {
                let from = mail.from.as_ref().and_then(|from| {
                    let sender = Sender {
                        from: from.clone(),
                        reply_to: None,
                        bounce: None,
                    };
                    sender.domain().ok()
                });
                if let Some(domain) = from.filter(|domain| !signer.aligned(domain)) {
                    say(
                        &dkim.domain,
                        format!(
                            "a signature of {} does not count for mail from {domain}",
                            signer.domain()
                        ),
                    );
                }
            }
            Ok(None) => {}
        }
    }
    problems
}
