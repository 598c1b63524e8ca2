//! Bytes into text: byte order mark, the server's word, the page's word, then a guess; and a
//! declaration that the bytes contradict is overruled, with a warning.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Input, ReadError, Warning};

/// How far into a page its declaration is searched, in bytes. Standards say 1024; pages don't obey.
const PRESCAN: usize = 8 * 1024;

/// A decoded input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    /// The text; the bytes themselves, where they are UTF-8.
    pub text: Cow<'a, str>,
    pub warnings: Vec<Warning>,
}

/// Decodes an input.
///
/// # Errors
/// When the bytes are no text in any encoding.
pub(super) fn decode<'a>(input: &Input<'a>) -> Result<Decoded<'a>, ReadError> {
    decode_known(input, std::str::from_utf8(input.bytes).ok())
}

/// The same, where it is known whether the bytes are UTF-8.
///
/// # Errors
/// When the bytes are no text in any encoding.
pub(super) fn decode_known<'a>(
    input: &Input<'a>,
    utf8: Option<&'a str>,
) -> Result<Decoded<'a>, ReadError> {
    let bytes = input.bytes;
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or_default();
        let (text, damaged) = encoding.decode_without_bom_handling(rest);
        refuse_binary(&text, rest.len())?;
        return Ok(decoded(text, damaged, encoding));
    }
    if let Some(encoding) = wide(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(bytes);
        refuse_binary(&text, bytes.len())?;
        return Ok(decoded(text, damaged, encoding));
    }
    if binary(bytes) {
        return Err(ReadError::NotText("it holds binary data".to_owned()));
    }
    let declared = input
        .media_type
        .and_then(charset_of_media_type)
        .or_else(|| charset_of_page(bytes));
    if let Some(text) = utf8 {
        let plain = bytes.is_ascii();
        let mut warnings = Vec::new();
        if let Some(declared) = declared
            && declared != UTF_8
            && !plain
            // A declaration that a page in UTF-8 contradicts, unless two letters of the old
            // encoding happen to look like one of UTF-8.
            && convincing(text)
        {
            warnings.push(wrong_declaration(declared, UTF_8));
        } else if let Some(declared) = declared
            && declared != UTF_8
            && (!plain || declared == encoding_rs::ISO_2022_JP)
        {
            let (text, damaged) = declared.decode_without_bom_handling(bytes);
            return Ok(decoded(text, damaged, declared));
        }
        refuse_binary(text, bytes.len())?;
        return Ok(Decoded {
            text: Cow::Borrowed(text),
            warnings,
        });
    }
    // Not UTF-8 throughout. A text that is UTF-8 but for a few bytes stays UTF-8.
    let (lossy, broken, sound) = lossy(bytes);
    if sound > 0 && broken * 20 <= sound {
        return Ok(decoded(Cow::Owned(lossy), true, UTF_8));
    }
    let (encoding, mut warnings) = match declared {
        Some(declared) if declared != UTF_8 => (declared, Vec::new()),
        declared => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
            detector.feed(bytes, true);
            let guess = detector.guess(None, Utf8Detection::Deny);
            let warning = match declared {
                Some(declared) => wrong_declaration(declared, guess),
                None => Warning {
                    code: "encoding-guessed".to_owned(),
                    detail: format!("no encoding is declared; read as {}", guess.name()),
                },
            };
            (guess, vec![warning])
        }
    };
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    refuse_binary(&text, bytes.len())?;
    let mut decoded = decoded(text, damaged, encoding);
    warnings.append(&mut decoded.warnings);
    decoded.warnings = warnings;
    Ok(decoded)
}

fn decoded<'a>(text: Cow<'a, str>, damaged: bool, encoding: &'static Encoding) -> Decoded<'a> {
    let mut warnings = Vec::new();
    if damaged {
        warnings.push(Warning {
            code: "encoding-damaged".to_owned(),
            detail: format!(
                "some bytes are no {}; they show as {}",
                encoding.name(),
                char::REPLACEMENT_CHARACTER
            ),
        });
    }
    Decoded { text, warnings }
}

fn wrong_declaration(declared: &'static Encoding, found: &'static Encoding) -> Warning {
    Warning {
        code: "encoding-declared-wrong".to_owned(),
        detail: format!(
            "declared as {}, but the bytes are {}",
            declared.name(),
            found.name()
        ),
    }
}

/// UTF-16 without a mark: every other byte of Latin text is zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(512))?;
    if head.len() < 8 {
        return None;
    }
    let zeros = |odd: usize| {
        head.iter()
            .skip(odd)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if odd * 10 > half * 7 && even * 10 < half {
        Some(UTF_16LE)
    } else if even * 10 > half * 7 && odd * 10 < half {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Zero bytes and many control characters are no text.
fn binary(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let zeros = count(head, |b| b == 0);
    let controls = count(head, |b| matches!(b, 1..=8 | 14..=26 | 28..=31 | 127));
    zeros * 1000 > head.len() || controls * 50 > head.len()
}

/// How many bytes are of a kind, in portions whose number fits a byte: many are looked at at once.
fn count(bytes: &[u8], kind: impl Fn(u8) -> bool) -> usize {
    bytes
        .chunks(255)
        .map(|chunk| usize::from(chunk.iter().map(|b| u8::from(kind(*b))).sum::<u8>()))
        .sum()
}

fn refuse_binary(text: &str, bytes: usize) -> Result<(), ReadError> {
    // Each of the characters that count has one of these bytes: where few have, none need counting.
    // Without a branch, so that many are looked at at once.
    let suspicious = count(text.as_bytes(), |b| {
        let control = (b < 0x20) & !(9..=13).contains(&b);
        control | (b == 0x7f) | (b == 0xc2) | (b == 0xef)
    });
    if suspicious * 10 <= bytes.max(1) {
        return Ok(());
    }
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
    let controls = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{b}'))
        .count();
    // C1 controls come from mislabelled text; many of all are no text.
    if (replaced + controls) * 10 > bytes.max(1) {
        return Err(ReadError::NotText(
            "its bytes are no text in any known encoding".to_owned(),
        ));
    }
    Ok(())
}

/// Whether the characters beyond ASCII look meant: sequences of two bytes that are letters in an
/// old encoding too are no proof when they are one or two.
fn convincing(text: &str) -> bool {
    let beyond: Vec<char> = text.chars().filter(|c| !c.is_ascii()).take(4000).collect();
    let odd = beyond
        .iter()
        .filter(|c| c.is_control() || matches!(c, '\u{80}'..='\u{9f}'))
        .count();
    odd * 4 <= beyond.len()
}

/// Bytes read as UTF-8: the text, how many places were broken, how many characters beyond ASCII
/// were sound.
fn lossy(bytes: &[u8]) -> (String, usize, usize) {
    let mut text = String::with_capacity(bytes.len());
    let (mut broken, mut sound) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            broken += 1;
        }
    }
    (text, broken, sound)
}

/// The encoding that a media type names.
fn charset_of_media_type(media_type: &str) -> Option<&'static Encoding> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(())?;
        Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())
    })
}

/// The encoding that a page names in a `meta` element or an XML declaration near its start.
fn charset_of_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(PRESCAN))?;
    let first = head
        .iter()
        .find(|b| !b.is_ascii_whitespace() && **b != 0x0b);
    if first.is_none_or(|b| *b != b'<' && b.is_ascii()) {
        return None;
    }
    let lower: String = head
        .iter()
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    if !lower.trim_start().starts_with('<') {
        return None;
    }
    if lower.trim_start().starts_with("<?xml")
        && let Some(end) = lower.find("?>")
        && let Some(found) = lower.get(..end).and_then(|d| value_after(d, "encoding"))
    {
        return page_encoding(found);
    }
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("<meta") {
        rest = rest.get(at + 5..).unwrap_or_default();
        let end = rest.find('>').unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default();
        if let Some(found) = value_after(tag, "charset") {
            return page_encoding(found);
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    None
}

/// A page that can be read far enough to see the declaration is not UTF-16, whatever it says.
fn page_encoding(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.as_bytes())?;
    if encoding == UTF_16BE || encoding == UTF_16LE {
        Some(UTF_8)
    } else if encoding == encoding_rs::X_USER_DEFINED {
        Some(WINDOWS_1252)
    } else {
        Some(encoding)
    }
}

fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(name)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '>' | '/'))
        .unwrap_or(value.len());
    value.get(..end).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], media_type: Option<&str>) -> (String, Vec<String>) {
        let decoded = decode(&Input {
            bytes,
            media_type,
            ..Input::default()
        })
        .unwrap();
        let codes = decoded.warnings.into_iter().map(|w| w.code).collect();
        (decoded.text.into_owned(), codes)
    }

    #[test]
    fn marks_and_declarations() {
        assert_eq!(read(b"\xEF\xBB\xBFcaf\xC3\xA9", None).0, "café");
        assert_eq!(read(b"\xFF\xFEh\0i\0", None).0, "hi");
        assert_eq!(read(b"P\0o\0l\0i\0c\0y\0 \0A\0", None).0, "Policy A");
        assert_eq!(
            read(b"caf\xE9", Some("text/html; charset=\"ISO-8859-1\"")),
            ("café".into(), vec![])
        );
        let page = b"<!doctype html><meta http-equiv=content-type content='text/html; charset=windows-1251'><p>\xcf\xf0\xe8\xe2\xe5\xf2";
        assert!(read(page, None).0.ends_with("Привет"));
    }

    #[test]
    fn wrong_declarations_are_overruled() {
        let utf8 = "Wir schätzen Ihre Privatsphäre – überall.".as_bytes();
        assert_eq!(
            read(utf8, Some("text/html; charset=iso-8859-1")),
            (
                "Wir schätzen Ihre Privatsphäre – überall.".into(),
                vec!["encoding-declared-wrong".into()]
            )
        );
        let latin = b"Wir sch\xe4tzen Ihre Privatsph\xe4re, \xfcberall und f\xfcr immer.";
        assert_eq!(
            read(latin, Some("text/html; charset=utf-8")),
            (
                "Wir schätzen Ihre Privatsphäre, überall und für immer.".into(),
                vec!["encoding-declared-wrong".into()]
            )
        );
        assert_eq!(read(latin, None).1, ["encoding-guessed"]);
    }

    #[test]
    fn a_few_broken_bytes_do_not_change_the_encoding() {
        let mut bytes = "Größe ändern, überall, schön, möglich, für, "
            .repeat(10)
            .into_bytes();
        bytes.push(0xff);
        let (text, codes) = read(&bytes, None);
        assert!(text.starts_with("Größe") && text.ends_with('\u{fffd}'));
        assert_eq!(codes, ["encoding-damaged"]);
    }

    #[test]
    fn binary_is_refused() {
        let bytes: Vec<u8> = (0..4096_u32).map(|i| (i * 7 % 256) as u8).collect();
        let input = Input {
            bytes: &bytes,
            ..Input::default()
        };
        assert!(matches!(decode(&input), Err(ReadError::NotText(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_text_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(&Input { bytes: &bytes, ..Input::default() });
        }
    }
}
