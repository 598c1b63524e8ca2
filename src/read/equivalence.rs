//! What makes two captures the same version: the words, whatever their markup.

use super::{Block, BlockKind, Document};

/// Number of the normalisation; raised whenever [`equivalence_key`] answers differently.
pub const EQUIVALENCE: u32 = 1;

/// The text after normalisation: two documents with the same key are the same version.
///
/// Left out are link targets, emphasis, list markers, kinds of quotation marks and dashes, white
/// space, soft hyphens and zero-width characters. Letter case, numbers, labels and punctuation
/// count. One line for every block that has words.
pub fn equivalence_key(document: &Document) -> String {
    let mut key = String::with_capacity(document.text.len());
    for block in &document.blocks {
        let start = key.len();
        if let Some(label) = &block.label {
            push(&mut key, start, &label.text);
            key.push(' ');
        }
        words(&mut key, start, document, block);
        while key.len() > start && key.ends_with(' ') {
            key.pop();
        }
        if key.len() > start {
            key.push('\n');
        }
    }
    key
}

fn words(key: &mut String, start: usize, document: &Document, block: &Block) {
    if block.kind == BlockKind::Markup {
        return;
    }
    for run in &block.runs {
        push(key, start, document.slice(run));
    }
}

/// Adds text, normalised; `start` is where the line starts.
fn push(key: &mut String, start: usize, text: &str) {
    let mut rest = text;
    loop {
        // Most of a text is ASCII that stays as it is.
        let plain = rest
            .bytes()
            .position(|b| !b.is_ascii_graphic() || matches!(b, b'&' | b'`'))
            .unwrap_or(rest.len());
        let (same, after) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        key.push_str(same);
        rest = after;
        let Some(c) = rest.chars().next() else {
            return;
        };
        let mut length = c.len_utf8();
        let folded = match c {
            '&' => {
                let (decoded, used) = entity(rest);
                length = used;
                fold(decoded)
            }
            c => fold(c),
        };
        match folded {
            Folded::Nothing => {}
            Folded::Space => {
                if key.len() > start && !key.ends_with(' ') {
                    key.push(' ');
                }
            }
            Folded::Char(c) => key.push(c),
            Folded::Ellipsis => *key += "...",
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

enum Folded {
    Nothing,
    Space,
    Char(char),
    Ellipsis,
}

fn fold(c: char) -> Folded {
    match c {
        '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}'
        | '\u{FE0E}'
        | '\u{FE0F}' => Folded::Nothing,
        '‘' | '’' | '‚' | '‛' | 'ʼ' | '′' | '`' | '´' => Folded::Char('\''),
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => Folded::Char('"'),
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => Folded::Char('-'),
        '…' => Folded::Ellipsis,
        c if c.is_whitespace() => Folded::Space,
        c => Folded::Char(c),
    }
}

/// The character that an HTML entity at the start of `text` stands for, and the entity's length.
fn entity(text: &str) -> (char, usize) {
    let plain = ('&', 1);
    let Some(end) = text.bytes().take(10).position(|b| b == b';') else {
        return plain;
    };
    let name = text.get(1..end).unwrap_or_default();
    let decoded = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" | "rsquo" | "lsquo" => Some('\''),
        "ldquo" | "rdquo" => Some('"'),
        "nbsp" => Some(' '),
        "ndash" | "mdash" => Some('-'),
        _ => name.strip_prefix('#').and_then(|number| {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }),
    };
    decoded.map_or(plain, |c| (c, end + 1))
}
