//! Texts without case, labels, marks and white space: by these keys lists of contents and headings
//! are compared.

use super::{BlockKind, Span, assemble::Piece};

/// Longest text of which a key is made, in bytes.
const LONGEST: usize = 200;

/// The keys of all pieces of a text.
pub(super) struct Keys {
    /// All keys in a row: there are as many as lines, and most are short.
    letters: String,
    places: Vec<Span>,
}

impl Keys {
    /// Makes the key of each short piece; that of a long one, or of markup, is empty.
    pub(super) fn new(text: &str, pieces: &[Piece]) -> Self {
        let mut letters = Vec::with_capacity(text.len() / 2);
        let places = pieces
            .iter()
            .map(|piece| {
                let start = letters.len();
                if piece.body.len() <= LONGEST && piece.leaf.kind != BlockKind::Markup {
                    fold(
                        text.get(piece.body.clone()).unwrap_or_default(),
                        &mut letters,
                    );
                }
                start..letters.len()
            })
            .collect();
        Self {
            letters: String::from_utf8(letters).unwrap_or_default(),
            places,
        }
    }

    /// The key of a piece.
    pub(super) fn of(&self, piece: usize) -> &str {
        self.places
            .get(piece)
            .and_then(|place| self.letters.get(place.clone()))
            .unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|piece| self.of(piece))
    }
}

/// Appends the key of a text.
fn fold(text: &str, out: &mut Vec<u8>) {
    if text.is_ascii() {
        return fold_ascii(text.as_bytes(), out);
    }
    let mut buffer = [0; 4];
    for part in text.split_inclusive(|c: char| !c.is_ascii()) {
        let last = part.chars().next_back().filter(|c| !c.is_ascii());
        let plain = part.len() - last.map_or(0, char::len_utf8);
        fold_ascii(part.as_bytes().get(..plain).unwrap_or_default(), out);
        for c in last
            .into_iter()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
        {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

fn fold_ascii(text: &[u8], out: &mut Vec<u8>) {
    // Without a branch for each byte: half of a document goes through here.
    for part in text.chunks(PART) {
        let mut folded = [0; PART];
        let mut length = 0;
        for byte in part {
            let small = FOLDED[usize::from(*byte)];
            // As many bytes at most as there are in the part.
            folded[length % PART] = small;
            length += usize::from(small != 0);
        }
        out.extend_from_slice(folded.get(..length).unwrap_or_default());
    }
}

/// Bytes that are folded at once; a power of two.
const PART: usize = 256;

/// The key of one text.
#[cfg(test)]
pub(super) fn key(text: &str) -> String {
    let mut key = Vec::new();
    fold(text, &mut key);
    String::from_utf8(key).unwrap_or_default()
}

/// Letters and digits of ASCII in small letters, 0 for all else.
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::key;

    proptest! {
        #[test]
        fn a_key_is_the_letters_and_digits_in_small_letters(text in ".{0,300}|[a-zA-Z .’é中]{0,600}") {
            let plain: String = text
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect();
            prop_assert_eq!(key(&text), plain);
        }
    }
}
