//! The vocabulary of notices, as they are kept on disk.

use std::collections::BTreeMap;

use base64::Engine as _;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Number of the format in which notices are kept; readers refuse a higher one.
pub const FORMAT: u32 = 1;

/// What a notice is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Channel {
    /// Electronic mail; the only channel that campaigns send.
    Email,
    /// A banner on the site.
    Website,
    /// A message inside the service.
    InProduct,
    /// A push notification.
    Push,
    /// A text message.
    Sms,
    /// An announcement page.
    Announcement,
    /// An entry of the public list of changes.
    Changelog,
    /// A letter on paper.
    Letter,
    /// A memo for the company's own people, with all evidence; never published.
    Memo,
}

impl Channel {
    /// All channels, in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Website,
        Self::InProduct,
        Self::Push,
        Self::Sms,
        Self::Announcement,
        Self::Changelog,
        Self::Letter,
        Self::Memo,
    ];

    /// The name in files, ids and JSON, which is also the name of the folder of its templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Website => "website",
            Self::InProduct => "in-product",
            Self::Push => "push",
            Self::Sms => "sms",
            Self::Announcement => "announcement",
            Self::Changelog => "changelog",
            Self::Letter => "letter",
            Self::Memo => "memo",
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a notice stands in its life. The steps are functions of this room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Being written; also after an approval fell.
    Drafted,
    /// Approved over the present hash by as many people as the configuration asks for.
    Approved,
    /// Put up (for channels that are not mailed).
    Published,
    /// Given up; nothing can be done with it any more.
    Cancelled,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Drafted => "drafted",
            Self::Approved => "approved",
            Self::Published => "published",
            Self::Cancelled => "cancelled",
        })
    }
}

/// The text of a notice in one language.
///
/// Final but for the recipient's placeholders, see [`segments`](super::segments).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Subject of a mail, title of a page or push; at most 78 characters in a mail.
    #[serde(default)]
    pub subject: Option<String>,
    /// The plain text; Markdown for announcements, changelogs and memos.
    pub text: String,
    /// The HTML form, a whole document; for the website channel a banner that stands alone.
    #[serde(default)]
    pub html: Option<String>,
}

/// A part of a [`Text`] that a person can edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// [`Text::subject`].
    Subject,
    /// [`Text::text`].
    Text,
    /// [`Text::html`].
    Html,
}

/// A file that goes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Media type, with its charset where it is text.
    pub media_type: String,
    /// The content; Base64 where `base64` is set.
    pub text: String,
    /// Whether `text` is Base64 of bytes that are no text.
    #[serde(default)]
    pub base64: bool,
    /// The language it belongs to; with every text where there is none.
    #[serde(default)]
    pub language: Option<String>,
}

impl Attachment {
    /// An attachment of bytes that are no text.
    pub fn of_bytes(name: &str, media_type: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            text: base64::engine::general_purpose::STANDARD.encode(bytes),
            base64: true,
            language: None,
        }
    }

    /// The bytes of the file; empty where the Base64 is damaged.
    pub fn bytes(&self) -> Vec<u8> {
        if self.base64 {
            base64::engine::general_purpose::STANDARD
                .decode(&self.text)
                .unwrap_or_default()
        } else {
            self.text.clone().into_bytes()
        }
    }
}

/// The outcome of one check of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Stable id, such as `quotes-exact`.
    pub id: String,
    /// Whether it is met.
    pub met: bool,
    /// What was seen, for people.
    pub detail: String,
    /// Only advice: it is reported, but does not stop an approval.
    #[serde(default)]
    pub advice: bool,
    /// Who accepted the failure, and why.
    #[serde(default)]
    pub overruled: Option<Overrule>,
}

impl CheckResult {
    /// Whether it stops an approval.
    pub fn blocks(&self) -> bool {
        !self.met && !self.advice && self.overruled.is_none()
    }
}

/// A person's decision to approve although a check fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrule {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A person's edit of a text; the edited part is never written over by the templates again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Language of the text.
    pub language: String,
    /// Which part.
    pub part: Part,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the part before the edit, in hexadecimal.
    pub before: String,
    /// SHA-256 of the part after it.
    pub after: String,
}

/// A person's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// [`Notice::hash`] at that moment: the approval counts for these bytes only.
    pub hash: String,
}

/// A record that the text was put up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Where: an address, or words.
    pub at: String,
    /// Since when.
    pub from: Timestamp,
    /// Who recorded it, where known.
    #[serde(default)]
    pub by: Option<String>,
    /// SHA-256 of what was fetched from the address, where it was fetched.
    #[serde(default)]
    pub proof: Option<String>,
}

/// The two versions between which the document changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// SHA-256 of the stored bytes of the text in force.
    pub old: String,
    /// SHA-256 of the stored bytes of the text that takes effect.
    pub new: String,
}

/// Names of the fields that only the company can fill in. A field may be given for one language
/// by `.LANG` behind its name (`reason.zh`); without it, it holds for all languages.
pub const FIELDS: [&str; 8] = [
    "reason",
    "contact",
    "effective",
    "choices",
    "old_data",
    "new_url",
    "old_url",
    "redline_url",
];

/// A text for one channel, about one change of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Number of the format of this record, see [`FORMAT`].
    pub format: u32,
    /// Id, made of the document, the new version and the channel.
    pub id: String,
    /// Id of the document.
    pub document: String,
    /// Title of the document, for people.
    pub document_title: String,
    /// Name of the company or service that sends it.
    pub company: String,
    /// The versions it is about.
    pub versions: Versions,
    /// What it is written for.
    pub channel: Channel,
    /// Where it stands.
    pub state: State,
    /// The texts by language (BCP 47, such as `en`, `zh`).
    pub texts: BTreeMap<String, Text>,
    /// Language whose document text is authentic.
    #[serde(default)]
    pub authentic: Option<String>,
    /// Language of the text for a recipient whose own is not there.
    pub fallback: String,
    /// Files that go along.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The day on which the change takes effect.
    pub effective: Option<Date>,
    /// The instant by which the last message must be out, in the earliest zone concerned.
    pub send_by: Option<Timestamp>,
    /// What the company said, by the names of [`FIELDS`].
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Ids of the findings that it tells.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Ids of the duties that it serves.
    #[serde(default)]
    pub duties: Vec<String>,
    /// Whether consent must be asked for.
    #[serde(default)]
    pub consent_needed: bool,
    /// The checklist, as it stood after the last change of the text.
    #[serde(default)]
    pub checks: Vec<CheckResult>,
    /// What people changed, oldest first.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Approvals over any hash, oldest first; only those over the present hash count.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// Where it was put up.
    #[serde(default)]
    pub publications: Vec<Publication>,
    /// The notice that this one corrects or recalls.
    #[serde(default)]
    pub corrects: Option<Correction>,
    /// When it was drafted.
    pub created: Timestamp,
}

/// What a correction says of the notice before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Id of the first notice.
    pub notice: String,
    /// Its subject, as the readers know it.
    pub subject: String,
    /// When it went out, where known.
    #[serde(default)]
    pub sent: Option<Date>,
    /// What was wrong, in the company's words.
    pub what: String,
    /// Whether the change is given up altogether.
    #[serde(default)]
    pub recall: bool,
}

/// How a Chinese locale is written, by its script or region; nothing for other languages.
fn chinese_script(locale: &str) -> Option<&'static str> {
    let locale = locale.to_ascii_lowercase();
    let mut parts = locale.split(['-', '.', '@']);
    (parts.next() == Some("zh")).then(|| {
        let traditional = parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo"));
        if traditional { "Hant" } else { "Hans" }
    })
}

impl Notice {
    /// SHA-256, in hexadecimal, over everything that is sent and promised: id, document, versions,
    /// channel, texts, attachments, dates, findings told. Any change of these changes it; approvals, checks and
    /// the history of edits are not part of it.
    pub fn hash(&self) -> String {
        #[derive(Serialize)]
        struct Sent<'a> {
            format: u32,
            id: &'a str,
            document: &'a str,
            document_title: &'a str,
            company: &'a str,
            versions: &'a Versions,
            channel: Channel,
            texts: &'a BTreeMap<String, Text>,
            authentic: &'a Option<String>,
            fallback: &'a str,
            attachments: &'a [Attachment],
            effective: Option<Date>,
            send_by: Option<Timestamp>,
            corrects: &'a Option<Correction>,
            findings: &'a [String],
        }
        let sent = Sent {
            format: self.format,
            id: &self.id,
            document: &self.document,
            document_title: &self.document_title,
            company: &self.company,
            versions: &self.versions,
            channel: self.channel,
            texts: &self.texts,
            authentic: &self.authentic,
            fallback: &self.fallback,
            attachments: &self.attachments,
            effective: self.effective,
            send_by: self.send_by,
            corrects: &self.corrects,
            findings: &self.findings,
        };
        // Strings, dates and ordered maps with string keys: nothing here can fail to serialise.
        let bytes = serde_json::to_vec(&sent).unwrap_or_default();
        sha256(&bytes)
    }

    /// Ids of the checks that stop an approval.
    pub fn unmet(&self) -> Vec<&str> {
        self.checks
            .iter()
            .filter(|check| check.blocks())
            .map(|check| check.id.as_str())
            .collect()
    }

    /// Names of the people whose approval is over the present hash, each once.
    pub fn approved_by(&self) -> Vec<&str> {
        let hash = self.hash();
        let mut people: Vec<&str> = Vec::new();
        for approval in self.approvals.iter().filter(|a| a.hash == hash) {
            if !people.iter().any(|p| same_person(p, &approval.by)) {
                people.push(&approval.by);
            }
        }
        people
    }

    /// Whether it may be sent or put up as it is now, where `needed` people must have approved.
    pub fn is_approved(&self, needed: usize) -> bool {
        self.state == State::Approved && self.approved_by().len() >= needed.max(1)
    }

    /// The language in which a recipient with this locale is written to: the locale itself
    /// (`zh-Hant-TW`), then each shorter form (`zh-Hant`, `zh`), then a text of the same primary
    /// language, then the fallback. `None` only when there is no text at all.
    pub fn language_for(&self, locale: Option<&str>) -> Option<&str> {
        let wanted = locale.unwrap_or_default().trim().replace('_', "-");
        // `zh_CN.UTF-8@stroke`, as operating systems write it.
        let mut tag = wanted.split(['.', '@']).next().unwrap_or_default();
        while !tag.is_empty() {
            if let Some((found, _)) = self.texts.iter().find(|(l, _)| l.eq_ignore_ascii_case(tag)) {
                return Some(found);
            }
            tag = tag.rsplit_once('-').map_or("", |(shorter, _)| shorter);
        }
        let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
        let near = |l: &&String| !wanted.is_empty() && primary(l) == primary(&wanted);
        self.texts
            .keys()
            .find(|l| near(l) && chinese_script(l) == chinese_script(&wanted))
            .or_else(|| self.texts.keys().find(near))
            .or_else(|| self.texts.keys().find(|l| **l == self.fallback))
            .or_else(|| self.texts.keys().next())
            .map(String::as_str)
    }

    /// The attachments that go with the text of a language.
    pub fn attachments_for<'a>(
        &'a self,
        language: &'a str,
    ) -> impl Iterator<Item = &'a Attachment> + 'a {
        self.attachments
            .iter()
            .filter(move |a| a.language.as_deref().is_none_or(|l| l == language))
    }

    /// What the company said in a field, for a language: `reason.zh` before `reason`; blank is
    /// nothing.
    pub fn field(&self, name: &str, language: &str) -> Option<&str> {
        self.fields
            .get(&format!("{name}.{language}"))
            .or_else(|| self.fields.get(name))
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Whether a person edited this part of this language's text.
    pub fn is_edited(&self, language: &str, part: Part) -> bool {
        self.edits
            .iter()
            .any(|edit| edit.language == language && edit.part == part)
    }
}

/// Whether two names are the same person's: letter case and white space don't make another.
pub(crate) fn same_person(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        name.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    plain(a) == plain(b)
}

/// SHA-256 in hexadecimal, as `sha256sum` writes it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Notice {
        Notice {
            format: FORMAT,
            id: "terms-1a2b3c4d-email".into(),
            document: "terms".into(),
            document_title: "Terms of Service".into(),
            company: "Lindenfels Maps".into(),
            versions: Versions::default(),
            channel: Channel::Email,
            state: State::Drafted,
            texts: BTreeMap::from([
                ("en".to_owned(), Text::default()),
                ("zh".to_owned(), Text::default()),
            ]),
            authentic: None,
            fallback: "en".into(),
            attachments: Vec::new(),
            effective: None,
            send_by: None,
            fields: BTreeMap::new(),
            findings: Vec::new(),
            duties: Vec::new(),
            consent_needed: false,
            checks: Vec::new(),
            edits: Vec::new(),
            approvals: Vec::new(),
            publications: Vec::new(),
            corrects: None,
            created: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_hash_is_over_what_is_sent_and_over_nothing_else() {
        let first = sample();
        let mut noted = first.clone();
        noted.approvals.push(Approval {
            by: "Ada".into(),
            at: Timestamp::UNIX_EPOCH,
            hash: first.hash(),
        });
        assert_eq!(first.hash(), noted.hash());
        let mut edited = first.clone();
        edited.texts.get_mut("en").unwrap().text.push('.');
        assert_ne!(first.hash(), edited.hash());
        let mut later = first.clone();
        later.effective = Some(jiff::civil::date(2027, 2, 1));
        assert_ne!(first.hash(), later.hash());
    }

    #[test]
    fn a_locale_finds_the_nearest_text() {
        let notice = sample();
        for (locale, language) in [
            (Some("zh-Hans-CN"), "zh"),
            (Some("zh_CN.UTF-8"), "zh"),
            (Some("zh-TW"), "zh"),
            (Some("zh-Hant-HK"), "zh"),
            (Some("EN"), "en"),
            (Some("fr"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(notice.language_for(locale), Some(language), "{locale:?}");
        }
    }

    #[test]
    fn a_chinese_locale_finds_the_text_in_its_script() {
        let mut notice = sample();
        let text = notice.texts["zh"].clone();
        notice.texts.remove("zh");
        notice.texts.insert("zh-Hans".into(), text.clone());
        notice.texts.insert("zh-Hant".into(), text);
        for (locale, language) in [
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh_SG.UTF-8@pinyin", "zh-Hans"),
            ("zh-TW", "zh-Hant"),
            ("zh-hant-mo", "zh-Hant"),
            ("ZH_HK", "zh-Hant"),
            ("xx-TW", "en"),
        ] {
            assert_eq!(
                notice.language_for(Some(locale)),
                Some(language),
                "{locale}"
            );
        }
    }

    #[test]
    fn one_person_approves_once() {
        let mut notice = sample();
        for by in ["Ada Byron", "ada  byron"] {
            notice.approvals.push(Approval {
                by: by.into(),
                at: Timestamp::UNIX_EPOCH,
                hash: notice.hash(),
            });
        }
        assert_eq!(notice.approved_by(), ["Ada Byron"]);
    }

    #[test]
    fn a_field_for_a_language_wins() {
        let mut notice = sample();
        notice.fields.insert("reason".into(), "A new law.".into());
        notice.fields.insert("reason.zh".into(), "新法律。".into());
        notice.fields.insert("contact".into(), "  ".into());
        assert_eq!(notice.field("reason", "en"), Some("A new law."));
        assert_eq!(notice.field("reason", "zh"), Some("新法律。"));
        assert_eq!(notice.field("contact", "en"), None);
    }

    #[test]
    fn bytes_survive_an_attachment() {
        let attachment = Attachment::of_bytes("a.docx", "application/zip", &[0, 159, 146, 150]);
        assert_eq!(attachment.bytes(), [0, 159, 146, 150]);
    }
}
