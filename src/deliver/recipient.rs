//! One person of a list.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{Address, AddressError, address::unprintable};
use crate::evidence::Hash;

/// One person of a list, as frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address, checked, its domain in ASCII.
    pub email: String,
    /// How the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language and region, such as `de-AT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whose law applies, such as `EU` or `US-CA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// The company's own name for the person; who shares it is one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Everything else, for the template.
    #[serde(flatten)]
    pub extra: BTreeMap<String, String>,
}

/// Longest value of a field, in bytes.
pub(super) const LONGEST_FIELD: usize = 4096;

impl Recipient {
    /// Makes a recipient of the named values of one line.
    ///
    /// # Errors
    /// A reason for people, when the line cannot be used.
    pub fn from_fields<'a>(
        fields: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
    ) -> Result<Self, String> {
        let mut recipient = Self::default();
        for (name, value) in fields {
            if value.len() > LONGEST_FIELD {
                return Err(format!(
                    "`{name}` has {} bytes; at most {LONGEST_FIELD} are allowed",
                    value.len()
                ));
            }
            if value.chars().any(unprintable) && name != "email" {
                return Err(format!(
                    "`{name}` holds a line break or another control character"
                ));
            }
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let value = value.to_owned();
            match name {
                "email" => recipient.email = value,
                "name" => recipient.name = Some(value),
                "locale" => recipient.locale = Some(value),
                "time_zone" => recipient.time_zone = Some(value),
                "jurisdiction" => recipient.jurisdiction = Some(value),
                "user_id" => recipient.user_id = Some(value),
                _ => {
                    recipient.extra.insert(name.to_owned(), value);
                }
            }
        }
        let address = Address::parse(&recipient.email).map_err(|error| match error {
            AddressError::Empty => "no address".to_owned(),
            other => other.to_string(),
        })?;
        recipient.email = address.to_string();
        Ok(recipient)
    }

    /// The value of a field, known or not.
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "email" => Some(&self.email),
            "name" => self.name.as_deref(),
            "locale" => self.locale.as_deref(),
            "time_zone" => self.time_zone.as_deref(),
            "jurisdiction" => self.jurisdiction.as_deref(),
            "user_id" => self.user_id.as_deref(),
            other => self.extra.get(other).map(String::as_str),
        }
    }

    /// What makes this person the same as another: the user id where there is one, else the
    /// normalised address.
    pub fn person(&self) -> String {
        match &self.user_id {
            Some(id) => format!("user:{id}"),
            None => format!("mail:{}", self.normalised()),
        }
    }

    /// The address by which suppression and erasure find the person.
    pub fn normalised(&self) -> String {
        Address::parse(&self.email).map_or_else(
            |_| self.email.to_lowercase(),
            |address| address.normalised(),
        )
    }

    /// Hash of [`Recipient::person`], for sorting people without holding their names in memory.
    pub fn person_hash(&self) -> u128 {
        let hash = Hash::of(self.person().as_bytes());
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(hash.0) {
            *to = from;
        }
        u128::from_be_bytes(first)
    }
}
