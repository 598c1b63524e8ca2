//! Words, numbers, ideographs and punctuation of a block; all else (spaces, markup, link targets)
//! is the gap between two tokens.

use crate::read::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    /// Digits with their separators, currency sign and per cent sign.
    Number,
    /// One character of a script that is written without spaces.
    Ideograph,
    Punctuation,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Where it starts in the document's text.
    pub start: usize,
    /// Its length in bytes: as many tokens as words are held at once, so each is kept small.
    len: u32,
    /// Hash of the folded characters: equal for tokens that differ in letter case, quote style or
    /// markup only. Bytes are compared again where it matters, so a collision hides nothing.
    pub id: u64,
    pub kind: TokenKind,
}

impl Token {
    fn new(span: Span, id: u64, kind: TokenKind) -> Self {
        Self {
            start: span.start,
            // No text that is read is longer than the number is large.
            len: u32::try_from(span.len()).unwrap_or(u32::MAX),
            id,
            kind,
        }
    }

    /// Where it ends in the document's text.
    pub(super) fn end(&self) -> usize {
        self.start + self.len as usize
    }

    /// Whether it is something that is read as a word.
    pub(super) fn is_word(&self) -> bool {
        self.kind != TokenKind::Punctuation
    }
}

/// One more character in a running hash.
fn add(hash: u64, c: u32) -> u64 {
    (hash.rotate_left(5) ^ u64::from(c)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// The id of a word that stands alone.
pub(super) fn word_id(word: &str) -> u64 {
    word.chars().fold(SEED, add_folded)
}

fn add_folded(hash: u64, c: char) -> u64 {
    if c.is_ascii() {
        return add(hash, u32::from(c.to_ascii_lowercase()));
    }
    match fold_sign(c) {
        Some(sign) => add(hash, u32::from(sign)),
        None => c
            .to_lowercase()
            .fold(hash, |hash, c| add(hash, u32::from(c))),
    }
}

/// Typographic variants of one sign.
fn fold_sign(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{00b4}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' | '\u{00ab}'
        | '\u{00bb}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2026}' => '.',
        _ => return None,
    })
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}')
}

/// Letters, digits and the marks that are written on them.
fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c.is_alphanumeric()
        || matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x487 | 0x591..=0x5c7 | 0x610..=0x61a
            | 0x64b..=0x65f | 0x900..=0xdff | 0x200c..=0x200d | 0x20d0..=0x20ff)
}

/// Scripts that are written without spaces between words.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x2fdf
        | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9d | 0x20000..=0x3ffff)
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}')
}

/// Appends the tokens of `runs` (readable ranges of `text`, in order) to `out`.
pub(super) fn tokenise(text: &str, runs: &[Span], out: &mut Vec<Token>) {
    let first = out.len();
    let mut previous_end = usize::MAX;
    for run in runs {
        let Some(readable) = text.get(run.clone()) else {
            continue;
        };
        let between = text
            .get(previous_end.min(run.start)..run.start)
            .unwrap_or("x");
        let joined = out.len() > first && between.bytes().all(|b| b"*_~`\\".contains(&b));
        scan(
            readable,
            run.start,
            joined && previous_end != usize::MAX,
            out,
        );
        previous_end = run.end;
    }
}

/// Tokens of one run; `join` lets its first word continue the last token of the run before.
fn scan(run: &str, offset: usize, join: bool, out: &mut Vec<Token>) {
    let has_at = run.contains('@');
    let mut rest = run;
    let mut join = join;
    loop {
        let pos = run.len() - rest.len();
        if !join {
            let next = plain(run.as_bytes(), pos, offset, has_at, out);
            rest = run.get(next..).unwrap_or_default();
            if next > pos {
                continue;
            }
        }
        let Some(c) = rest.chars().next() else {
            return;
        };
        let at = offset + pos;
        let continues = join;
        join = false;
        if c.is_whitespace() || c == '\\' || c == '\u{feff}' || c == '\u{200b}' || c == '\u{ad}' {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        }
        if c == '&' && rest.starts_with("&nbsp;") {
            rest = rest.get(6..).unwrap_or_default();
            continue;
        }
        let (len, kind) = if is_ideograph(c) {
            (c.len_utf8(), TokenKind::Ideograph)
        } else if let Some(len) = address(rest, has_at) {
            (len, TokenKind::Word)
        } else if c.is_ascii_digit()
            || (is_currency(c) && rest[c.len_utf8()..].starts_with(|d: char| d.is_ascii_digit()))
        {
            (number(rest), TokenKind::Number)
        } else if is_word_char(c) {
            (word(rest), TokenKind::Word)
        } else {
            (c.len_utf8(), TokenKind::Punctuation)
        };
        let (token, after) = rest.split_at_checked(len.max(1)).unwrap_or((rest, ""));
        let end = at + token.len();
        rest = after;
        if continues
            && matches!(kind, TokenKind::Word | TokenKind::Number)
            && let Some(last) = out.last_mut()
            && last.kind == TokenKind::Word
        {
            *last = Token::new(last.start..end, last.id, last.kind);
            last.id = token.chars().fold(last.id, add_folded);
            continue;
        }
        let id = token.chars().fold(SEED, add_folded);
        out.push(Token::new(at..end, id, kind));
    }
}

/// The common case, byte by byte: spaces, marks and words of ASCII from `pos` on. Gives the place
/// of the first byte that needs a closer look.
fn plain(bytes: &[u8], mut pos: usize, offset: usize, has_at: bool, out: &mut Vec<Token>) -> usize {
    while let Some(&first) = bytes.get(pos) {
        if first.is_ascii_whitespace() {
            pos += 1;
            continue;
        }
        if first.is_ascii_punctuation() && !matches!(first, b'\\' | b'&' | b'$') {
            let place = offset + pos..offset + pos + 1;
            let id = add(SEED, u32::from(first));
            out.push(Token::new(place, id, TokenKind::Punctuation));
            pos += 1;
            continue;
        }
        if !first.is_ascii_alphabetic() || has_at {
            return pos;
        }
        if matches!(first, b'h' | b'w' | b'H' | b'W')
            && bytes.get(pos..pos + 4).is_some_and(|head| {
                head.eq_ignore_ascii_case(b"http") || head.eq_ignore_ascii_case(b"www.")
            })
        {
            return pos;
        }
        let mut hash = SEED;
        let mut end = pos;
        while let Some(&byte) = bytes.get(end)
            && byte.is_ascii_alphanumeric()
        {
            hash = add(hash, u32::from(byte.to_ascii_lowercase()));
            end += 1;
        }
        if bytes.get(end).is_some_and(|b| *b == b'\'' || !b.is_ascii()) {
            return pos;
        }
        let place = offset + pos..offset + end;
        out.push(Token::new(place, hash, TokenKind::Word));
        pos = end;
    }
    pos
}

/// Length of the word at the start: letters, digits and inner apostrophes.
fn word(rest: &str) -> usize {
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_ideograph(c) {
            return at;
        }
        let inner = is_apostrophe(c)
            && at > 0
            && chars
                .peek()
                .is_some_and(|(_, next)| is_word_char(*next) && !is_ideograph(*next));
        if !is_word_char(c) && !inner {
            return at;
        }
    }
    rest.len()
}

/// Length of the number at the start: digits with separators between them, letters that follow
/// without a space (`3rd`, `12b`), a per cent sign.
fn number(rest: &str) -> usize {
    let mut chars = rest.char_indices().peekable();
    let mut digits_only = true;
    while let Some((at, c)) = chars.next() {
        if c.is_ascii_digit() || (at == 0 && is_currency(c)) {
            continue;
        }
        let next_is_digit = chars.peek().is_some_and(|(_, d)| d.is_ascii_digit());
        if digits_only && next_is_digit && matches!(c, '.' | ',' | ':' | '/' | '\u{2019}' | '-') {
            continue;
        }
        if is_word_char(c) && !is_ideograph(c) {
            digits_only = false;
            continue;
        }
        if c == '%' {
            return at + 1;
        }
        return at + possessive(rest.get(at..).unwrap_or_default());
    }
    rest.len()
}

/// Length of the `'s` at the start ("Section 13.6's other terms").
fn possessive(rest: &str) -> usize {
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(sign), Some('s'), after)
            if is_apostrophe(sign) && !after.is_some_and(is_word_char) =>
        {
            sign.len_utf8() + 1
        }
        _ => 0,
    }
}

/// Where the number ends and its `'s` begins.
pub(super) fn without_possessive(number: &str) -> (&str, &str) {
    let tail = number
        .char_indices()
        .rev()
        .nth(1)
        .filter(|(_, sign)| is_apostrophe(*sign) && number.ends_with('s'))
        .map_or(number.len(), |(at, _)| at);
    number.split_at_checked(tail).unwrap_or((number, ""))
}

/// Length of the visible web or mail address at the start, if one stands there.
fn address(rest: &str, has_at: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let starts = |prefix: &[u8]| {
        bytes
            .get(..prefix.len())
            .is_some_and(|b| b.eq_ignore_ascii_case(prefix))
    };
    let first = bytes.first()?.to_ascii_lowercase();
    if (first == b'h' && (starts(b"http://") || starts(b"https://")))
        || (first == b'w' && starts(b"www."))
    {
        let end = rest
            .find(|c: char| {
                c.is_whitespace()
                    || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '|')
                    || is_ideograph(c)
            })
            .unwrap_or(rest.len());
        let address = rest.get(..end)?;
        return Some(
            address
                .trim_end_matches(|c: char| !is_word_char(c) && c != '/')
                .len(),
        );
    }
    if !has_at || !first.is_ascii_alphanumeric() {
        return None;
    }
    let mailbox =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    let at = bytes.iter().position(|b| !mailbox(b))?;
    if bytes.get(at) != Some(&b'@') || !bytes.get(at + 1)?.is_ascii_alphanumeric() {
        return None;
    }
    let host = bytes
        .get(at + 1..)?
        .iter()
        .take_while(|b| mailbox(b))
        .count();
    let address = rest.get(..at + 1 + host)?;
    Some(address.trim_end_matches(['.', '-', '_']).len())
}

/// The folded characters of a token without anything but letters and digits, for telling words
/// that were only glued or split.
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|c| is_word_char(*c))
        .flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        tokenise(text, std::slice::from_ref(&(0..text.len())), &mut tokens);
        tokens.iter().map(|t| &text[t.start..t.end()]).collect()
    }

    #[test]
    fn numbers_stay_whole() {
        assert_eq!(
            words("pay $1,200.50 or 12.5% by 2020-11-03, see 5.2."),
            [
                "pay",
                "$1,200.50",
                "or",
                "12.5%",
                "by",
                "2020-11-03",
                ",",
                "see",
                "5.2",
                "."
            ]
        );
    }

    #[test]
    fn a_number_keeps_what_it_owns() {
        assert_eq!(
            words("Section 13.6\u{2019}s terms, 5's '4' 3'so"),
            [
                "Section",
                "13.6\u{2019}s",
                "terms",
                ",",
                "5's",
                "'",
                "4",
                "'",
                "3",
                "'",
                "so"
            ]
        );
        assert_eq!(without_possessive("13.6\u{2019}s"), ("13.6", "\u{2019}s"));
        assert_eq!(without_possessive("13.6"), ("13.6", ""));
    }

    #[test]
    fn addresses_stay_whole() {
        assert_eq!(
            words("Write to help.me@example.org. See https://example.org/a?b=c)."),
            [
                "Write",
                "to",
                "help.me@example.org",
                ".",
                "See",
                "https://example.org/a?b=c",
                ")",
                "."
            ]
        );
    }

    #[test]
    fn words_fold_but_keep_their_bytes() {
        assert_eq!(word_id("Don\u{2019}t"), word_id("don't"));
        assert_eq!(
            words("don't \u{201c}stop\u{201d}"),
            ["don't", "\u{201c}", "stop", "\u{201d}"]
        );
    }

    #[test]
    fn ideographs_stand_alone() {
        assert_eq!(words("第5条 data"), ["第", "5", "条", "data"]);
    }

    #[test]
    fn a_word_goes_on_over_emphasis() {
        let text = "**E**ffective";
        let mut tokens = Vec::new();
        tokenise(text, &[2..3, 5..13], &mut tokens);
        assert_eq!(tokens.len(), 1);
        assert_eq!(tokens[0].id, word_id("effective"));
    }
}
