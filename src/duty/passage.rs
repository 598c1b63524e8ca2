//! The sentences of a document as the search for promises sees them: cleaned text, place, and the
//! words around that a sentence leans on.

use std::sync::Arc;

use super::{
    phrases::{Lexicon, clean},
    signs::Signs,
};
use crate::read::{self, Block, BlockKind, Document, Span};

/// A sentence that may have to do with telling users.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    /// Index of its block.
    pub(super) block: usize,
    /// Its place in the document's text.
    pub(super) span: Span,
    /// What it says, with the list items that it introduces.
    pub(super) signs: Arc<Signs>,
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

/// What is found in a block for itself, wherever it stands.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Whether it is a row about what data is used for, which promises nothing.
    purpose: bool,
    /// Its cleaned words.
    plain: String,
    pub(super) sentences: Vec<Cut>,
}

/// A sentence cut from its block.
#[derive(Debug)]
pub(super) struct Cut {
    /// Its place, from the start of the block.
    place: Span,
    /// Its cleaned words.
    text: String,
    /// What it says, where it may have to do with telling users.
    signs: Option<Arc<Signs>>,
    /// Whether it makes another document a part of this one.
    pub(super) incorporates: bool,
    /// Whether it lets the document change without a word to anybody.
    pub(super) silent: bool,
}

impl Cut {
    /// Its place in the document's text.
    pub(super) fn span(&self, block: &Block) -> Span {
        block.span.start + self.place.start..block.span.start + self.place.end
    }
}

/// The facts about one block.
pub(super) fn facts(document: &Document, lexicon: &Lexicon, block: &Block) -> Facts {
    match block.kind {
        BlockKind::Paragraph | BlockKind::Quote | BlockKind::TableRow | BlockKind::ListItem => {}
        BlockKind::Heading if run_on(document, block) => {}
        _ => return Facts::default(),
    }
    let plain = clean(&document.plain(block), lexicon.language());
    if block.kind == BlockKind::TableRow && lexicon.has("purpose-item", &plain) {
        return Facts {
            purpose: true,
            ..Facts::default()
        };
    }
    let remarkable = matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem);
    let sentences = read::sentences(document, block)
        .into_iter()
        .map(|span| {
            let words = words(document, block, &span);
            let text = clean(&words, lexicon.language());
            let raw = document.slice(&span);
            // What is said of other documents may stand in the target of a link.
            let marked = (remarkable && words != raw).then(|| clean(raw, lexicon.language()));
            let whole = marked.as_deref().unwrap_or(&text);
            Cut {
                place: span.start - block.span.start..span.end - block.span.start,
                signs: lexicon
                    .has("triage", &text)
                    .then(|| Arc::new(Signs::of(lexicon, &text))),
                incorporates: remarkable && lexicon.has("incorporated", whole),
                silent: remarkable && silent(lexicon, whole),
                text,
            }
        })
        .collect();
    Facts {
        purpose: false,
        plain,
        sentences,
    }
}

fn silent(lexicon: &Lexicon, text: &str) -> bool {
    lexicon.has("no-notice", text)
        && (lexicon.has("document-change", text)
            || lexicon.has("change-word", text)
                && lexicon.has("agreed-terms", text)
                && !lexicon.has("own-exception", text))
}

/// All sentences that pass the triage of the lexicon, in document order.
pub(super) fn sentences(
    document: &Document,
    lexicon: &Lexicon,
    facts: &[Arc<Facts>],
) -> Vec<Sentence> {
    let change_sections = change_sections(document, lexicon);
    let mut out = Vec::new();
    let mut lead_in = String::new();
    let mut before = String::new();
    for (index, (block, known)) in document.blocks.iter().zip(facts).enumerate() {
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
        if known.purpose {
            continue;
        }
        for (position, cut) in known.sentences.iter().enumerate() {
            let Some(signs) = &cut.signs else {
                before.clone_from(&cut.text);
                continue;
            };
            let Span { start, mut end } = cut.span(block);
            let mut signs = Arc::clone(signs);
            if cut.text.trim_end().ends_with([':', '：'])
                && position + 1 == known.sentences.len()
                && lexicon.has("notify", &lexicon.blank("no-notice", &signs.text))
            {
                let mut text = cut.text.clone();
                for (item, said) in document.blocks.iter().zip(facts).skip(index + 1).take(6) {
                    if item.kind != BlockKind::ListItem {
                        break;
                    }
                    text.push(' ');
                    text.push_str(&said.plain);
                    end = item.body.end;
                }
                signs = Arc::new(Signs::of(lexicon, &text));
            }
            out.push(Sentence {
                block: index,
                span: start..end,
                section: block.section,
                change_section: block
                    .section
                    .is_some_and(|section| change_sections.get(section) == Some(&true)),
                lead_in: lead_in.clone(),
                before: before.clone(),
                signs: Arc::clone(&signs),
            });
            before.clone_from(&signs.text);
        }
        // Lists lean on the paragraph above and on the items before.
        if lead_in.len() < 1_500 {
            lead_in.push_str(&known.plain);
            lead_in.push(' ');
        }
    }
    out
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
