//! What notices are made from: the change and what is owed because of it, and the house that
//! tells it.

use std::collections::BTreeMap;

use crate::{
    assess::Assessment, compare::Comparison, duty::Plan, notice::Versions, read::Document,
};

/// A change of one document, and what is owed because of it.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Id of the document.
    pub document: &'a str,
    /// Its name for people; the new text's title where there is none.
    pub title: Option<&'a str>,
    /// Hashes of the two versions.
    pub versions: &'a Versions,
    /// The text in force.
    pub old: &'a Document,
    /// The text that takes effect.
    pub new: &'a Document,
    /// How they differ.
    pub comparison: &'a Comparison,
    /// What that means.
    pub assessment: &'a Assessment,
    /// What is owed.
    pub plan: &'a Plan,
    /// The same change in the document's other languages, by language: a notice quotes the text in
    /// its reader's language where there is one.
    pub variants: &'a [Variant<'a>],
}

/// The two texts of a change in another language of the document.
#[derive(Debug, Clone, Copy)]
pub struct Variant<'a> {
    /// BCP 47 tag, such as `zh`.
    pub language: &'a str,
    /// The text in force.
    pub old: &'a Document,
    /// The text that takes effect.
    pub new: &'a Document,
    /// How they differ.
    pub comparison: &'a Comparison,
    /// What that means.
    pub assessment: &'a Assessment,
}

impl<'a> Ground<'a> {
    /// The name of the document for people.
    pub fn title(&self) -> &'a str {
        self.title
            .or(self.new.title.as_deref())
            .or(self.old.title.as_deref())
            .unwrap_or(self.document)
    }

    /// The language of the document's text, as far as it is known.
    pub fn language(&self) -> &'a str {
        self.new
            .language
            .as_deref()
            .or(self.old.language.as_deref())
            .unwrap_or("en")
    }

    /// The texts to quote for a reader of a language: its own variant, else the main text.
    pub fn for_language(&self, language: &'a str) -> Variant<'a> {
        let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
        let main = Variant {
            language: self.language(),
            old: self.old,
            new: self.new,
            comparison: self.comparison,
            assessment: self.assessment,
        };
        if primary(language) == primary(self.language()) {
            return main;
        }
        self.variants
            .iter()
            .find(|variant| primary(variant.language) == primary(language))
            .copied()
            .unwrap_or(main)
    }
}

/// Who tells it, and the house's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct House {
    /// Name of the company or service, as users know it.
    pub company: String,
    /// Postal address for letters and the foot of mails, where wanted.
    pub address: Option<String>,
    /// Languages to write in; the first is the fallback. Empty: the document's own, where there
    /// are templates for it, else English.
    pub languages: Vec<String>,
    /// Language of the authentic text; the document's own where not said.
    pub authentic: Option<String>,
    /// Defaults of the fields that only the company can fill in.
    pub fields: BTreeMap<String, String>,
    /// Channels to write for besides those that the plan needs.
    pub channels: Vec<crate::notice::Channel>,
    /// How many different people must approve a notice; 0 counts as 1.
    pub approvals: usize,
}
