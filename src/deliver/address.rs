//! Mail addresses: checked, and normalised for comparing people.

use unicode_normalization::UnicodeNormalization as _;

/// A checked mail address. The domain is in its ASCII form and in small letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a text is no usable address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing there.
    #[error("the address is empty")]
    Empty,
    /// A line break, a null or another control character.
    #[error("the address holds a control character")]
    Control,
    /// No `@`.
    #[error("the address has no @")]
    NoAt,
    /// Something other than a plain address, such as `Ann <ann@example.org>` or two addresses.
    #[error("the address must stand alone, without name, brackets, spaces or commas")]
    NotAlone,
    /// The part before the `@`.
    #[error("the part before the @ is not valid")]
    Local,
    /// Longer than a server must accept.
    #[error("the address is too long")]
    Long,
    /// The part after the `@`.
    #[error("`{0}` is no mail domain")]
    Domain(String),
}

impl Address {
    /// Checks an address. International domains are brought to their ASCII form; a local part
    /// outside ASCII is allowed, and needs a server with SMTPUTF8.
    ///
    /// # Errors
    /// When it is no plain, deliverable-looking address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim_matches([' ', '\u{a0}', '\t']);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(unprintable) {
            return Err(AddressError::Control);
        }
        if text.len() > 320 {
            return Err(AddressError::Long);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if text.contains(['<', '>', ',', ';', ' ', '\u{a0}']) {
            return Err(AddressError::NotAlone);
        }
        if local.len() > 64 {
            return Err(AddressError::Long);
        }
        if !valid_local(local) {
            return Err(AddressError::Local);
        }
        let domain = ascii_domain(domain).ok_or_else(|| AddressError::Domain(domain.to_owned()))?;
        if local.len() + domain.len() + 1 > 254 {
            return Err(AddressError::Long);
        }
        Ok(Self {
            local: local.nfc().collect(),
            domain,
        })
    }

    /// The part before the `@`, as it was written.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`: ASCII, small letters.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The form by which two addresses are the same person: small letters throughout.
    pub fn normalised(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// Whether only a server with SMTPUTF8 can take it.
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// Control characters, line separators, and those that turn the direction of what follows.
pub(super) fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

fn valid_local(local: &str) -> bool {
    let atom =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii());
    !local.is_empty()
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
}

fn ascii_domain(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let ascii = if domain.is_ascii() {
        domain.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_strict(domain).ok()?
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let named = ascii == "localhost" || ascii.contains('.');
    (named
        && ascii.len() <= 253
        && ascii.split('.').all(label)
        && !last.bytes().all(|b| b.is_ascii_digit()))
    .then_some(ascii)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usable_addresses_are_normalised() {
        for (text, normalised) in [
            ("Ann@Example.ORG", "ann@example.org"),
            (" ann+x@example.org ", "ann+x@example.org"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("用户@例子.example", "用户@xn--fsqu00a.example"),
            ("o'neil@a-b.example.", "o'neil@a-b.example"),
        ] {
            assert_eq!(Address::parse(text).unwrap().normalised(), normalised);
        }
        assert!(Address::parse("用户@example.org").unwrap().needs_utf8());
    }

    #[test]
    fn unusable_addresses_are_refused() {
        for text in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "ann@example",
            "ann@1.2.3.4",
            "ann@[1.2.3.4]",
            "ann@exa_mple.org",
            "ann@-a.org",
            "ann..b@example.org",
            ".ann@example.org",
            "Ann <ann@example.org>",
            "ann@example.org,bob@example.org",
            "ann@example.org\r\nBcc: all@example.org",
            "ann\u{0}@example.org",
            "ann\u{202e}@example.org",
            "a b@example.org",
            "\"a b\"@example.org",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert!(Address::parse(&format!("{}@example.org", "a".repeat(65))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_reads_back_as_itself(text in "\\PC{0,12}@\\PC{0,20}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()).unwrap(), address.clone());
                prop_assert!(!address.to_string().contains(['\r', '\n', '<', '>', ' ']));
            }
        }
    }
}
