//! The sentences of a document as the search for promises sees them: cleaned text, place, and the
//! words around that a sentence leans on.

use super::phrases::{Lexicon, clean};
use crate::read::{self, Block, BlockKind, Document, Span};

/// A sentence that may have to do with telling users.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    /// Index of its block.
    pub(super) block: usize,
    /// Its place in the document's text.
    pub(super) span: Span,
    /// Cleaned text, with the list items that it introduces, what is no notice blanked out.
    pub(super) text: String,
    /// Whether it speaks of a change of this document.
    pub(super) document_change: bool,
    /// Innermost section.
    pub(super) section: Option<usize>,
    /// Whether a heading above it announces changes of the document.
    pub(super) change_section: bool,
    /// For a list item: the sentence that introduces the list and the items before it.
    pub(super) lead_in: String,
    /// The cleaned sentence before it, of the same block or the paragraph above.
    pub(super) before: String,
}

/// A heading longer than this many bytes has its clause in it.
const RUN_ON_HEADING: usize = 200;

/// All sentences that pass the triage of the lexicon, in document order.
pub(super) fn sentences(document: &Document, lexicon: &Lexicon) -> Vec<Sentence> {
    let change_sections = change_sections(document, lexicon);
    let mut out = Vec::new();
    let mut lead_in = String::new();
    let mut before = String::new();
    for (index, block) in document.blocks.iter().enumerate() {
        match block.kind {
            BlockKind::Paragraph | BlockKind::Quote | BlockKind::TableRow => lead_in.clear(),
            BlockKind::ListItem => {}
            // A heading with the whole clause run on in the same paragraph.
            BlockKind::Heading if run_on(document, block) => lead_in.clear(),
            _ => {
                if block.kind == BlockKind::Heading {
                    before.clear();
                    lead_in.clear();
                }
                continue;
            }
        }
        // A row about what data is used for promises nothing.
        if block.kind == BlockKind::TableRow
            && lexicon.has(
                "purpose-item",
                &clean(&document.plain(block), lexicon.language()),
            )
        {
            continue;
        }
        let spans = read::sentences(document, block);
        for (position, span) in spans.iter().enumerate() {
            let mut end = span.end;
            let mut text = clean(&words(document, block, span), lexicon.language());
            if !lexicon.has("triage", &text) {
                before = text;
                continue;
            }
            if text.trim_end().ends_with([':', '：'])
                && position + 1 == spans.len()
                && lexicon.has(
                    "notify",
                    &lexicon.blank("no-notice", &lexicon.blank("ignore", &text)),
                )
            {
                for item in document.blocks.iter().skip(index + 1).take(6) {
                    if item.kind != BlockKind::ListItem {
                        break;
                    }
                    text.push(' ');
                    text.push_str(&clean(&document.plain(item), lexicon.language()));
                    end = item.body.end;
                }
            }
            let text = lexicon.blank("ignore", &text);
            out.push(Sentence {
                document_change: changes_document(lexicon, &text),
                block: index,
                span: span.start..end,
                section: block.section,
                change_section: block
                    .section
                    .is_some_and(|section| change_sections.get(section) == Some(&true)),
                lead_in: lead_in.clone(),
                before: before.clone(),
                text: text.clone(),
            });
            before = text;
        }
        // Lists lean on the paragraph above and on the items before.
        if lead_in.len() < 1_500 {
            lead_in.push_str(&clean(&document.plain(block), lexicon.language()));
            lead_in.push(' ');
        }
    }
    out
}

/// Whether a cleaned sentence speaks of a change of this document: not of what is described in it,
/// and not of a change of something else, with this document in the clause after.
fn changes_document(lexicon: &Lexicon, text: &str) -> bool {
    let text = lexicon.blank("own-reference", text);
    lexicon
        .find("document-change", &text)
        .into_iter()
        .any(|range| {
            text.get(range)
                .is_none_or(|words| !lexicon.has("new-clause", words))
        })
}

/// Whether a heading has its clause in the same line.
fn run_on(document: &Document, block: &Block) -> bool {
    block.body.len() > RUN_ON_HEADING && !document.slice(&block.body).trim().contains('\n')
}

/// For each section, whether its heading or one above it announces changes of the document.
fn change_sections(document: &Document, lexicon: &Lexicon) -> Vec<bool> {
    let mut out: Vec<bool> = Vec::with_capacity(document.sections.len());
    for section in &document.sections {
        let inherited = section
            .parent
            .is_some_and(|parent| out.get(parent) == Some(&true));
        let own = section.title.len() < 160
            && lexicon.has("change-heading", &clean(&section.title, lexicon.language()));
        out.push(own || inherited);
    }
    out
}

/// The readable words of a span of a block.
pub(super) fn words(document: &Document, block: &Block, span: &Span) -> String {
    let mut out = String::new();
    for run in &block.runs {
        let start = run.start.max(span.start);
        let end = run.end.min(span.end);
        if start < end {
            out.push_str(document.slice(&(start..end)));
        }
    }
    if out.is_empty() {
        document.slice(span).to_owned()
    } else {
        out
    }
}
