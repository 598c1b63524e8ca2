//! What a workspace says.

use std::{collections::BTreeMap, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _},
};

/// A whole `fairnotice.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who keeps this workspace.
    pub organisation: Organisation,
    /// How sources are fetched.
    pub fetch: Fetch,
    /// How snapshots are kept.
    pub snapshots: Snapshots,
    /// Where the index lives.
    pub store: StoreConfig,
    /// Notices to users.
    pub notice: NoticeConfig,
    /// How mail goes out.
    pub mail: Mail,
    /// What is given out of the house to prove the ledgers.
    pub evidence: Evidence,
    /// Rules that a workspace silences or adds.
    pub rules: RulesConfig,
    /// A command of the user's own that may propose better wording.
    pub assist: Assist,
    /// Alerts to the team, by name.
    pub alerts: BTreeMap<String, Alert>,
    /// Called after each run in which nothing failed.
    pub heartbeat: Option<String>,
    /// The instant to take for now, for samples and rehearsals; `--now` goes before it.
    #[serde(deserialize_with = "instant")]
    pub clock: Option<jiff::Timestamp>,
    /// The documents, in order.
    #[serde(rename = "document")]
    pub documents: Vec<Document>,
}

impl Config {
    /// The document with this id.
    pub fn document(&self, id: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.id == id)
    }
}

/// Who keeps this workspace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organisation {
    /// The name users know, put into notices.
    pub name: String,
    /// The service users know, where it is not the organisation's name.
    pub service: Option<String>,
    /// Postal address, for letters.
    pub address: Option<String>,
}

/// How sources are fetched.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// Address or page named in the User-Agent, so that the site's owner can reach you.
    pub contact: Option<String>,
    /// Private or local networks that may be fetched from, in CIDR notation.
    pub allow_addresses: Vec<Network>,
    /// Longest time for one document, in seconds.
    pub timeout_seconds: u64,
    /// Largest body, in megabytes.
    pub max_megabytes: u64,
    /// Most redirects followed.
    pub max_redirects: u32,
    /// Least time between two requests to one host, in milliseconds.
    pub delay_milliseconds: u64,
    /// Hosts fetched from at once.
    pub concurrency: usize,
    /// Further attempts within a run after a transient error.
    pub retries: u32,
    /// Whether robots.txt is obeyed; a document may say otherwise.
    pub robots: Robots,
    /// Proxy for all requests; without it those of the environment are used.
    pub proxy: Option<String>,
    /// Whether a page without text may be drawn by an installed browser.
    pub browser_fallback: bool,
    /// The browser's program; found by its usual names when absent.
    pub browser: Option<String>,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            contact: None,
            allow_addresses: Vec::new(),
            timeout_seconds: 60,
            max_megabytes: 50,
            max_redirects: 10,
            delay_milliseconds: 1000,
            concurrency: 16,
            retries: 2,
            robots: Robots::Obey,
            proxy: None,
            browser_fallback: false,
            browser: None,
        }
    }
}

/// Whether robots.txt is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Robots {
    /// A page that it forbids is not fetched, and that is reported.
    Obey,
    /// The owner of the site allows it.
    Ignore,
}

/// How snapshots are kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Snapshots {
    /// Commit each version to the Git repository that holds the workspace.
    pub git: bool,
}

#[expect(
    clippy::derivable_impls,
    reason = "the defaults stand together, each in the open"
)]
impl Default for Snapshots {
    fn default() -> Self {
        Self { git: false }
    }
}

/// Where the index lives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `sled:.fairnotice/store`, or `memory:` to rebuild the index at each start.
    pub url: String,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: "sled:.fairnotice/store".to_owned(),
        }
    }
}

/// Notices to users.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeConfig {
    /// Least days between notice and effect where a promise says "in advance" without a number.
    pub house_lead_days: Option<u32>,
    /// How many different people must approve; 1 when absent.
    pub approvals: Option<u8>,
    /// Languages that notices are written in; English when absent.
    pub languages: Vec<String>,
    /// The language that is authentic.
    pub authentic_language: Option<String>,
    /// Earliest and latest time zone of the recipients, as IANA names.
    pub time_zones: Vec<String>,
    /// Days that are no business days, beside Saturdays and Sundays; for promises that count in
    /// business days.
    pub holidays: Vec<jiff::civil::Date>,
    /// What only the company can say: `reason`, `contact`, `choices`, `old_data`, `new_url`,
    /// `old_url`, `redline_url`.
    pub defaults: NoticeFields,
}

/// What only the company can say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeFields {
    /// Why the document changes.
    pub reason: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// What the reader can do, and what happens if nothing is done.
    pub choices: Option<String>,
    /// Whether data already collected is concerned.
    pub old_data: Option<String>,
    /// Address of the new text.
    pub new_url: Option<String>,
    /// Address of the old text.
    pub old_url: Option<String>,
    /// Address of the comparison.
    pub redline_url: Option<String>,
}

/// How mail goes out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The From address, with a name: `Acme Notices <notices@acme.example>`.
    pub from: Option<String>,
    /// Where replies go.
    pub reply_to: Option<String>,
    /// Envelope sender for bounces; a token is added to its local part (VERP).
    pub bounce_address: Option<String>,
    /// The relay: `smtps://…` or `smtp://…`, the user in it, never the password.
    pub smtp: Option<String>,
    /// File that holds the password, where the environment does not.
    pub password_file: Option<String>,
    /// Connections at once.
    pub connections: Option<usize>,
    /// Most messages a second.
    pub rate_per_second: Option<f64>,
    /// Most messages a second to one receiving domain.
    pub rate_per_domain: Option<f64>,
    /// DKIM signing by this program, with each of these keys; usually the relay signs.
    #[serde(deserialize_with = "one_or_several")]
    pub dkim: Vec<Dkim>,
    /// Days for which recipient lists are kept after a campaign ends.
    pub keep_lists_days: Option<u32>,
}

/// What is given out of the house by `fairnotice evidence bind`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Mail addresses and webhooks (`https://…`) that get the heads of the ledgers.
    pub heads_to: Vec<String>,
    /// A time stamping service (RFC 3161) that stamps them.
    pub time_stamp: Option<String>,
}

/// DKIM signing by this program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// Signing domain.
    pub domain: String,
    /// Selector.
    pub selector: String,
    /// PEM file of the private key (PKCS#8, Ed25519 or RSA).
    pub key_file: String,
}

/// `[mail.dkim]` for one key, `[[mail.dkim]]` for several.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Dkim>, D::Error> {
    struct Keys;
    impl<'de> de::Visitor<'de> for Keys {
        type Value = Vec<Dkim>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a table with domain, selector and key_file, or several of them")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Dkim::deserialize(de::value::MapAccessDeserializer::new(map)).map(|key| vec![key])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, keys: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(keys))
        }
    }
    from.deserialize_any(Keys)
}

/// Rules that a workspace silences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// Ids of rules that must not speak; named in each report.
    pub silence: Vec<String>,
}

/// A command of the user's own that may propose better wording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assist {
    /// Program and arguments; findings go in as JSON, sentences come out.
    pub command: Vec<String>,
    /// Longest time, in seconds; 60 when absent.
    pub timeout_seconds: Option<u64>,
}

/// An alert to the team.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// How it goes out.
    pub kind: AlertKind,
    /// Address: mail addresses, a webhook's URL, or a file for feeds and Markdown.
    #[serde(default)]
    pub to: Vec<String>,
    /// Program and arguments for `command`.
    #[serde(default)]
    pub command: Vec<String>,
    /// File that holds the secret with which webhooks are signed.
    #[serde(default)]
    pub secret_file: Option<String>,
    /// Least verdict: `editorial`, `substantive` (the default) or `material`.
    #[serde(default)]
    pub at_least: Option<Threshold>,
    /// Only findings on these topics; all when empty.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Whether failing and suspect fetches are alerted too; they are unless this says no.
    #[serde(default)]
    pub failures: Option<bool>,
}

/// How an alert goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// A mail with the redline inside.
    Email,
    /// JSON, signed with HMAC-SHA256.
    Webhook,
    /// A Slack incoming webhook.
    Slack,
    /// A Microsoft Teams webhook.
    Teams,
    /// An Atom feed file.
    Atom,
    /// A JSON feed file.
    Jsonfeed,
    /// A Markdown file, added to.
    Markdown,
    /// A program; the alert comes in as JSON on its standard input.
    Command,
}

/// Least verdict that is alerted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Threshold {
    /// Every change of the words.
    Editorial,
    /// New or different content.
    Substantive,
    /// What users would want to be told of.
    Material,
}

/// A tracked document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Short name, unique: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// URL or path (relative to the workspace), or several that make one document, in order.
    #[serde(deserialize_with = "one_or_many")]
    pub source: Vec<String>,
    /// The title in reports and notices; else what the document calls itself.
    #[serde(default)]
    pub title: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub side: Side,
    /// What it is; law packs depend on it.
    #[serde(default)]
    pub kind: Kind,
    /// Whom it concerns, for the reader of a report: `customers`, `merchants`, `guardians`, ….
    #[serde(default)]
    pub audience: Option<String>,
    /// Law packs that add duties.
    #[serde(default)]
    pub jurisdictions: Vec<String>,
    /// Names of alerts; all when absent.
    #[serde(default)]
    pub alerts: Option<Vec<String>>,
    /// CSS selectors of the parts to take.
    #[serde(default)]
    pub include: Vec<Selector>,
    /// CSS selectors of the parts to leave out.
    #[serde(default)]
    pub remove: Vec<Selector>,
    /// Whether an installed browser draws the page first.
    #[serde(default)]
    pub render: Render,
    /// Selector that must hold text before a drawn page is taken.
    #[serde(default)]
    pub wait_for: Option<String>,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether robots.txt is obeyed for this document.
    #[serde(default)]
    pub robots: Option<Robots>,
    /// Notice texts that differ from `[notice.defaults]`.
    #[serde(default)]
    pub notice: NoticeFields,
}

/// Whose document it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Our own: notices are drafted.
    Owner,
    /// Others': the team is alerted.
    #[default]
    Watcher,
}

/// What a document is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A privacy policy or notice.
    #[default]
    Privacy,
    /// Terms with consumers.
    ConsumerTerms,
    /// Terms of a platform with businesses.
    PlatformTerms,
    /// Payment services.
    Payment,
    /// Telecommunication.
    Telecom,
    /// Health data.
    Health,
    /// A service for children.
    Children,
    /// Anything else.
    Other,
}

impl Kind {
    /// The word used in law packs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::ConsumerTerms => "consumer-terms",
            Self::PlatformTerms => "platform-terms",
            Self::Payment => "payment",
            Self::Telecom => "telecom",
            Self::Health => "health",
            Self::Children => "children",
            Self::Other => "other",
        }
    }
}

/// How a page is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Render {
    /// As served.
    #[default]
    No,
    /// By an installed browser.
    Browser,
}

/// A selected part of a page: a CSS selector, or a range between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(pub crate::read::Part);

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let part = match &value {
            toml::Value::String(css) => crate::read::Part::Css(css.clone()),
            toml::Value::Table(table) => range(table).map_err(D::Error::custom)?,
            _ => return Err(D::Error::custom("a selector is a CSS selector or a range")),
        };
        part.check().map_err(D::Error::custom)?;
        Ok(Self(part))
    }
}

fn range(table: &toml::Table) -> Result<crate::read::Part, String> {
    let mut ends: [Option<(String, bool)>; 2] = [None, None];
    for (key, value) in table {
        let (end, after) = match key.as_str() {
            "startBefore" => (0, false),
            "startAfter" => (0, true),
            "endBefore" => (1, false),
            "endAfter" => (1, true),
            _ => {
                return Err(format!(
                    "unknown key `{key}` in a range; it has startBefore or startAfter, and \
                     endBefore or endAfter"
                ));
            }
        };
        let css = value
            .as_str()
            .ok_or_else(|| format!("`{key}` must be a CSS selector"))?;
        if let Some(slot) = ends.get_mut(end) {
            *slot = Some((css.to_owned(), after));
        }
    }
    match ends {
        [Some((start, start_after)), Some((end, end_after))] => Ok(crate::read::Part::Range {
            start,
            start_after,
            end,
            end_after,
        }),
        _ => Err("a range needs a start and an end".to_owned()),
    }
}

fn instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<jiff::Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format!(
            "`{text}` is not an instant such as 2027-01-15T09:00:00Z"
        ))
    })
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(one) => Ok(vec![one]),
        toml::Value::Array(many) if !many.is_empty() => many
            .into_iter()
            .map(|value| match value {
                toml::Value::String(one) => Ok(one),
                _ => Err(D::Error::custom("`source` holds URLs or paths, as strings")),
            })
            .collect(),
        _ => Err(D::Error::custom(
            "`source` is a URL or path, or a list of them",
        )),
    }
}

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: std::net::IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address lies in this network. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn holds(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.address.to_canonical(), address.to_canonical()) {
            (V4(a), V4(b)) => {
                let shift = 32 - u32::from(self.bits.min(32));
                u64::from(a.to_bits()) >> shift == u64::from(b.to_bits()) >> shift
            }
            (V6(a), V6(b)) if self.bits == 0 => {
                let _any = (a, b);
                true
            }
            (V6(a), V6(b)) => {
                let shift = 128 - u32::from(self.bits.min(128));
                a.to_bits() >> shift == b.to_bits() >> shift
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a network such as 127.0.0.0/8 or fd00::/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: std::net::IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            Err(wrong())
        } else {
            Ok(Self { address, bits })
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let network: Network = "127.0.0.0/8".parse().unwrap();
        assert!(network.holds("127.1.2.3".parse().unwrap()));
        assert!(network.holds("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!network.holds("128.0.0.1".parse().unwrap()));
        assert!(!network.holds("::1".parse().unwrap()));
        let one: Network = "10.0.0.7".parse().unwrap();
        assert!(one.holds("10.0.0.7".parse().unwrap()) && !one.holds("10.0.0.8".parse().unwrap()));
        assert!(
            "0.0.0.0/0"
                .parse::<Network>()
                .unwrap()
                .holds("9.9.9.9".parse().unwrap())
        );
        assert!(
            "::/0"
                .parse::<Network>()
                .unwrap()
                .holds("fe80::1".parse().unwrap())
        );
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "localhost", "::1/129", "1.2.3/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
