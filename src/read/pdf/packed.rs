//! How large the streams of a PDF become when they are unpacked: counted here, never held, before
//! anything else unpacks them.
//!
//! The library that reads the file unpacks some streams as soon as it opens it (those that hold
//! other objects), so the bytes of the file are looked through first, without it following any
//! reference. What is encrypted or named by reference is counted again when the file is open.

use std::{borrow::Cow, io::Read as _};

use aho_corasick::AhoCorasick;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use hayro_syntax::{
    Filter, Pdf,
    object::{Array, Dict, FromBytes as _, MaybeRef, Name, Object, Stream},
};

use super::ReadError;

/// Most bytes that all streams but images may unpack to.
const MAX_TEXT: u64 = 256 * 1024 * 1024;
/// Most bytes that images may unpack to. Nobody looks at them here, but a file can make its reader
/// take one for a stream of objects.
const MAX_IMAGES: u64 = 1024 * 1024 * 1024;
/// Most bytes of streams that cannot be unpacked while the file is closed, in an encrypted file.
const MAX_SEALED: u64 = 4 * 1024 * 1024;
/// What a byte of DEFLATE can become.
const MOST_PER_BYTE: u64 = 1032;
/// Most bytes that looking for the ends of streams may take, all together.
const MAX_SEARCHED: u64 = 4_000_000_000;

/// Most dictionaries that may say where the document begins; each change of a file adds one.
const MAX_ROOTS: u32 = 50_000;

/// Within how many bytes an object other than a stream nearly always ends.
const NEAR: usize = 64 * 1024;

/// Refuses a file whose streams unpack to more than any policy holds, from its bytes alone; and
/// one that is built so that looking for the ends of its objects takes for ever.
///
/// # Errors
/// [`ReadError::TooLarge`].
pub(super) fn check_closed(bytes: &[u8]) -> Result<(), ReadError> {
    const OBJ: usize = 0;
    const STREAM: usize = 1;
    const END: usize = 2;
    const ENCRYPT: usize = 4;
    const ROOT: usize = 5;
    let words = [
        "obj",
        "stream",
        "endstream",
        "endobj",
        "Encrypt",
        // Also as names may be written: `/R#6fot`.
        "/Root",
        "/Roo#",
        "/Ro#",
        "/R#",
        "/#5",
    ];
    let Ok(words) = AhoCorasick::builder()
        .match_kind(aho_corasick::MatchKind::LeftmostLongest)
        .build(words)
    else {
        return Ok(());
    };
    let after = |at: usize| bytes.get(at..).unwrap_or_default();
    // What has no end is searched for one, by this program or the library, through the rest.
    let mut endless = 0_u64;
    let mut search = |count: u64| {
        endless += count;
        if endless.saturating_mul(bytes.len() as u64) > MAX_SEARCHED {
            return Err(ReadError::TooLarge(
                "the PDF begins more objects than it ends".to_owned(),
            ));
        }
        Ok(())
    };
    let (mut in_stream, mut encrypted, mut roots) = (false, false, 0);
    for word in words.find_iter(bytes) {
        match word.pattern().as_usize() {
            STREAM if !matches!(after(word.end()), [b'\n' | b'\r', ..]) => {}
            STREAM if in_stream => search(1)?,
            STREAM => in_stream = true,
            END => in_stream = false,
            ENCRYPT => encrypted = true,
            ROOT.. => roots += 1,
            _ => {}
        }
    }
    // Each dictionary with one is kept while a damaged file is put together again.
    if roots > MAX_ROOTS {
        return Err(ReadError::TooLarge(
            "the PDF has more ends than any that was written in parts".to_owned(),
        ));
    }
    let mut budget = Budget::new();
    budget.sealed = encrypted.then_some(MAX_SEALED);
    for word in words.find_iter(bytes) {
        if word.pattern().as_usize() != OBJ {
            continue;
        }
        let rest = after_space(after(word.end()));
        let near = rest.get(..NEAR).unwrap_or(rest);
        let ends = match rest {
            [b'<', b'<', ..] => Dict::from_bytes(near).is_some(),
            [b'<' | b'(' | b'[', ..] => Object::from_bytes(near).is_some(),
            _ => continue,
        };
        if !ends {
            search(1)?;
        }
        if rest.starts_with(b"<<")
            && let Some(stream) = Stream::from_bytes(rest)
        {
            budget.spend(&stream)?;
        }
    }
    Ok(())
}

/// The same for a file that is open: its encrypted streams, and filters that are named by
/// reference. The size of its largest form.
///
/// # Errors
/// [`ReadError::TooLarge`].
pub(super) fn check_open(pdf: &Pdf) -> Result<u64, ReadError> {
    let mut budget = Budget::new();
    let mut heaviest = 0;
    for object in pdf.objects() {
        let Object::Stream(stream) = object else {
            continue;
        };
        if is(&stream, b"Image") {
            continue;
        }
        let bytes = budget.spend(&stream)?;
        if is(&stream, b"Form") {
            heaviest = bytes.max(heaviest);
        }
    }
    Ok(heaviest)
}

/// The size of a page's content, unpacked; at most a little over what is allowed.
pub(super) fn content(page: &hayro_syntax::page::Page<'_>) -> u64 {
    let raw = page.raw();
    if let Some(stream) = raw.get::<Stream<'_>>("Contents") {
        return Size::of(&stream, MAX_TEXT + 1).bytes;
    }
    let mut sum = 0_u64;
    if let Some(parts) = raw.get::<Array<'_>>("Contents") {
        for part in parts.iter::<Stream<'_>>() {
            sum += Size::of(&part, MAX_TEXT + 1).bytes;
            if sum > MAX_TEXT {
                break;
            }
        }
    }
    sum
}

/// What the pages' contents may unpack to, one after the other: several pages may share a stream.
pub(super) const MAX_CONTENT: u64 = MAX_TEXT;

/// The refusal.
pub(super) fn too_large() -> ReadError {
    ReadError::TooLarge(format!(
        "the text of the PDF unpacks to more than {} MB",
        MAX_TEXT / 1024 / 1024
    ))
}

/// Whether a stream says that it is of a kind.
fn is(stream: &Stream<'_>, kind: &[u8]) -> bool {
    stream
        .dict()
        .get::<Name<'_>>("Subtype")
        .is_some_and(|name| *name == *kind)
}

/// What is left of the bytes that streams may unpack to.
struct Budget {
    text: u64,
    images: u64,
    /// For streams that cannot be unpacked yet; where nothing is encrypted they are damaged.
    sealed: Option<u64>,
}

impl Budget {
    fn new() -> Self {
        Self {
            text: MAX_TEXT,
            images: MAX_IMAGES,
            sealed: None,
        }
    }

    /// Takes the size of a stream off; what is said is that size.
    fn spend(&mut self, stream: &Stream<'_>) -> Result<u64, ReadError> {
        let left = if is(stream, b"Image") {
            &mut self.images
        } else {
            &mut self.text
        };
        let size = Size::of(stream, *left + 1);
        let mut bytes = size.bytes;
        // A damaged stream is read further than here, as far as it goes.
        let unread = match &mut self.sealed {
            Some(sealed) => match sealed.checked_sub(size.unread) {
                Some(rest) => {
                    *sealed = rest;
                    0
                }
                None => return Err(too_large()),
            },
            None => size.unread,
        };
        bytes = bytes.saturating_add(unread.saturating_mul(MOST_PER_BYTE));
        *left = left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(bytes)
    }
}

/// What follows white space and comments.
fn after_space(mut bytes: &[u8]) -> &[u8] {
    loop {
        match bytes {
            [b'\0' | b'\t' | b'\n' | b'\x0C' | b'\r' | b' ', rest @ ..] => bytes = rest,
            [b'%', rest @ ..] => {
                let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
                bytes = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
            }
            _ => return bytes,
        }
    }
}

/// What a stream unpacks to.
struct Size {
    /// Bytes that came out.
    bytes: u64,
    /// Packed bytes that were left when it broke.
    unread: u64,
}

impl Size {
    /// Counts no further than `most`.
    fn of(stream: &Stream<'_>, most: u64) -> Self {
        let raw = stream.raw_data();
        let mut filters = stream.filters().to_vec();
        filters.retain(|filter| !matches!(filter, Filter::Crypt));
        let by_name = ["F", "Filter"].iter().any(|key| {
            matches!(
                stream.dict().get_raw::<Object<'_>>(*key),
                Some(MaybeRef::NotRef(Object::Name(_)))
            )
        });
        if filters.is_empty() && !by_name && stream.dict().contains_key("Filter") {
            // Named by a reference that cannot be followed yet: whichever makes most of it.
            return [
                Filter::FlateDecode,
                Filter::LzwDecode,
                Filter::RunLengthDecode,
            ]
            .into_iter()
            .map(|filter| Self::through(&raw, &[filter], most))
            .max_by_key(|size| size.bytes)
            .map_or(Self::plain(&raw), |size| Self { unread: 0, ..size });
        }
        Self::through(&raw, &filters, most)
    }

    fn plain(raw: &[u8]) -> Self {
        Self {
            bytes: raw.len() as u64,
            unread: 0,
        }
    }

    fn through(raw: &[u8], filters: &[Filter], most: u64) -> Self {
        let mut raw = Cow::Borrowed(raw);
        for (i, filter) in filters.iter().enumerate() {
            match filter {
                Filter::AsciiHexDecode => raw = Cow::Owned(unhex(&raw)),
                Filter::Ascii85Decode => raw = Cow::Owned(unascii85(&raw)),
                Filter::FlateDecode | Filter::LzwDecode | Filter::RunLengthDecode => {
                    let size = match filter {
                        Filter::FlateDecode => flate(&raw, most),
                        Filter::LzwDecode => {
                            lzw(&raw, true, most).max(lzw(&raw, false, most)).into()
                        }
                        _ => run_length(&raw).into(),
                    };
                    // Packed twice: what the first makes of it, each byte as much as can be.
                    let packed_again = filters
                        .get(i + 1..)
                        .unwrap_or_default()
                        .iter()
                        .any(|f| !matches!(f, Filter::AsciiHexDecode | Filter::Ascii85Decode));
                    return if packed_again {
                        Self {
                            bytes: size.bytes.saturating_mul(MOST_PER_BYTE).min(most),
                            unread: size.unread,
                        }
                    } else {
                        size
                    };
                }
                // A picture: not unpacked by anything that reads text.
                _ => {
                    return Self {
                        bytes: 0,
                        unread: 0,
                    };
                }
            }
        }
        Self::plain(&raw)
    }
}

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self { bytes, unread: 0 }
    }
}

fn flate(raw: &[u8], most: u64) -> Size {
    let mut zlib = ZlibDecoder::new(raw);
    let (bytes, whole) = count(&mut zlib, most);
    if whole || bytes > 0 {
        let unread = if whole {
            0
        } else {
            (raw.len() as u64).saturating_sub(zlib.total_in())
        };
        return Size { bytes, unread };
    }
    let mut bare = DeflateDecoder::new(raw);
    let (bytes, whole) = count(&mut bare, most);
    let unread = if whole {
        0
    } else {
        (raw.len() as u64).saturating_sub(bare.total_in())
    };
    Size { bytes, unread }
}

/// How many bytes come out, no more than `most`, and whether they end as they should.
fn count(from: &mut impl std::io::Read, most: u64) -> (u64, bool) {
    let mut buffer = [0; 16 * 1024];
    let mut bytes = 0;
    let mut from = from.take(most);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return (bytes, true),
            Ok(read) => bytes += read as u64,
            Err(_) => return (bytes, false),
        }
    }
}

fn run_length(raw: &[u8]) -> u64 {
    let mut bytes = 0;
    let mut rest = raw;
    while let [length, after @ ..] = rest {
        let (run, packed) = match length {
            128 => break,
            0..=127 => (u64::from(*length) + 1, usize::from(*length) + 1),
            _ => (257 - u64::from(*length), 1),
        };
        bytes += run;
        rest = after.get(packed..).unwrap_or_default();
    }
    bytes
}

/// Counts what the codes of an LZW stream stand for; `early` as its parameters say.
fn lzw(raw: &[u8], early: bool, most: u64) -> u64 {
    let mut lengths: Vec<u64> = vec![1; 258];
    let mut previous: Option<u64> = None;
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = 0;
    for byte in raw {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        let width = match lengths.len() + usize::from(early) {
            2048.. => 12,
            1024.. => 11,
            512.. => 10,
            _ => 9,
        };
        if held < width {
            continue;
        }
        held -= width;
        let code = (bits >> held & ((1 << width) - 1)) as usize;
        match code {
            256 => {
                lengths.truncate(258);
                previous = None;
            }
            257 => break,
            _ => {
                let next = previous.map(|length| length + 1);
                let Some(length) = lengths.get(code).copied().or(next) else {
                    break;
                };
                bytes += length;
                if let Some(next) = next
                    && lengths.len() < 4096
                {
                    lengths.push(next);
                }
                previous = Some(length);
            }
        }
        if bytes > most {
            return most;
        }
    }
    bytes
}

fn unhex(raw: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = raw
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0))
        .collect()
}

fn unascii85(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len() / 5 * 4 + 4);
    let (mut value, mut held) = (0_u32, 0);
    for byte in raw {
        match byte {
            b'z' if held == 0 => bytes.extend([0; 4]),
            b'!'..=b'u' => {
                value = value.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                held += 1;
                if held == 5 {
                    bytes.extend(value.to_be_bytes());
                    (value, held) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if held > 1 {
        for _ in held..5 {
            value = value.wrapping_mul(85).wrapping_add(84);
        }
        bytes.extend(value.to_be_bytes().iter().take(held - 1));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn object(dict: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = format!("1 0 obj <</Length {} {dict}>> stream\n", data.len()).into_bytes();
        bytes.extend(data);
        bytes.extend(b"\nendstream endobj");
        bytes
    }

    fn size(dict: &str, data: &[u8]) -> u64 {
        let bytes = object(dict, data);
        let stream = Stream::from_bytes(&bytes[8..]).unwrap();
        Size::of(&stream, MAX_TEXT).bytes
    }

    #[test]
    fn sizes_are_those_of_the_unpacked_bytes() {
        let plain = b"BT (We keep it) Tj ET ".repeat(500);
        let long = plain.len() as u64;
        assert_eq!(size("", &plain), long);
        assert_eq!(size("/Filter /FlateDecode", &zlib(&plain)), long);
        assert_eq!(size("/Filter [/FlateDecode]", &zlib(&plain)), long);
        // Bare, as some writers leave it.
        assert_eq!(size("/Filter /Fl", &zlib(&plain)[2..]), long);
        assert_eq!(
            size("/Filter /RunLengthDecode", &[2, 65, 66, 67, 200, 65, 128]),
            60
        );
        let hex: String = zlib(&plain).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(size("/Filter [/AHx /Fl]", hex.as_bytes()), long);
        assert_eq!(size("/Filter /ASCII85Decode", b"87cURD_*#TDfTZ)+T~>"), 13);
        // 80 0B 60 50 22 0C 0C 85 01 is the example of the PDF standard.
        let lzw = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        assert_eq!(size("/Filter /LZWDecode", &lzw), 10);
        assert_eq!(size("/Filter /DCTDecode", &plain), 0);
        // By a reference that nobody can follow yet.
        assert_eq!(size("/Filter 7 0 R", &zlib(&plain)), long);
    }

    #[test]
    fn objects_that_unpack_without_end_are_seen_before_the_file_is_opened() {
        let bomb = zlib(&vec![b' '; 300 * 1024 * 1024]);
        let check = |dict: &str, data: &[u8]| check_closed(&object(dict, data)).is_err();
        assert!(check(
            "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode",
            &bomb
        ));
        assert!(check("/Type /XRef /W [1 4 1] /Filter 9 0 R", &bomb));
        // The end of the checksum is wrong: read on elsewhere, counted here.
        assert!(check(
            "/Type /ObjStm /Filter /FlateDecode",
            &bomb[..bomb.len() - 3]
        ));
        assert!(!check("/Subtype /Image /Filter /FlateDecode", &bomb));
        assert!(!check("/Filter /FlateDecode", &zlib(b"q Q")));
        assert!(check_closed(&b"1 0 obj <<>> stream\n".repeat(100_000)).is_err());
        assert!(check_closed(&b"1 0 obj <</A (endobj ".repeat(100_000)).is_err());
        assert!(check_closed(&b"1 0 obj [( endobj ".repeat(100_000)).is_err());
        assert!(check_closed(&b"1 0 obj <</A (b)>> endobj ".repeat(100_000)).is_ok());
        assert!(check_closed(&b"<</R#6fot 1 0 R>> ".repeat(100_000)).is_err());
        // Names and comments where one would not look for them.
        let hidden = b"1 0 %\nobj <</object 1 /Filter/Fl>>stream\n".to_vec();
        assert!(check_closed(&[hidden, bomb, b"\nendstream".to_vec()].concat()).is_err());
    }
}
