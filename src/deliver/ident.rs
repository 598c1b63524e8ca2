//! Names of messages that stay the same at each attempt and tell nobody who was written to.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::evidence::Hash;

/// Makes Message-IDs and envelope senders of one campaign.
#[derive(Clone)]
pub struct Identities {
    key: [u8; 32],
    campaign: String,
    domain: String,
    feedback: String,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities")
            .field("campaign", &self.campaign)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl Identities {
    /// With the campaign's secret key, its id, and the domain for Message-IDs.
    pub fn new(key: [u8; 32], campaign: &str, domain: &str) -> Self {
        Self {
            key,
            campaign: campaign.to_owned(),
            domain: domain.to_owned(),
            feedback: format!(
                "{campaign}:notice:mail:{}",
                Hash::of(domain.to_ascii_lowercase().as_bytes()).short()
            ),
        }
    }

    /// The Message-ID of a recipient's copy, without angle brackets.
    pub fn message_id(&self, n: u32) -> String {
        format!("{}@{}", self.code("message", n, 16), self.domain)
    }

    /// `Feedback-ID` of all copies, by which Gmail's tools for senders tell campaigns apart; its
    /// last part stays the same for a sender.
    pub fn feedback_id(&self) -> &str {
        &self.feedback
    }

    /// The envelope sender of a recipient's copy: `bounce+CAMPAIGN-N-MAC@domain`.
    pub fn envelope_sender(&self, bounce: &str, n: u32) -> String {
        let Some((local, domain)) = bounce.rsplit_once('@') else {
            return bounce.to_owned();
        };
        format!("{local}+{}@{domain}", self.token(n))
    }

    /// The token in the envelope sender, also its ENVID.
    pub fn token(&self, n: u32) -> String {
        format!("{}-{n}-{}", self.campaign, self.code("bounce", n, 8))
    }

    /// The recipient whose token stands in an address or another text; `None` where the code is
    /// not ours.
    pub fn find_token(&self, text: &str) -> Option<u32> {
        let mark = format!("{}-", self.campaign);
        text.match_indices(&mark).find_map(|(at, _)| {
            let rest = text.get(at + mark.len()..)?;
            let (n, rest) = rest.split_once('-')?;
            let n: u32 = n.parse().ok()?;
            let code = self.code("bounce", n, 8);
            rest.to_ascii_lowercase().starts_with(&code).then_some(n)
        })
    }

    fn code(&self, what: &str, n: u32, bytes: usize) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length");
        for part in [what.as_bytes(), b"|", self.campaign.as_bytes(), b"|"] {
            mac.update(part);
        }
        mac.update(&n.to_be_bytes());
        let code = mac.finalize().into_bytes();
        code.iter()
            .take(bytes)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_distinct_and_cannot_be_forged() {
        let ids = Identities::new([7; 32], "c-1a2b", "mail.example");
        assert_eq!(ids.message_id(3), ids.message_id(3));
        assert_ne!(ids.message_id(3), ids.message_id(4));
        let sender = ids.envelope_sender("bounce@mail.example", 12);
        assert_eq!(ids.find_token(&sender), Some(12));
        assert_eq!(
            ids.find_token(&sender.to_uppercase().replace("C-1A2B", "c-1a2b")),
            Some(12)
        );
        assert_eq!(ids.find_token(&sender.replace("-12-", "-13-")), None);
        assert_eq!(
            Identities::new([8; 32], "c-1a2b", "mail.example").find_token(&sender),
            None
        );
        assert!(sender.split('@').next().unwrap().len() <= 64);
    }
}
