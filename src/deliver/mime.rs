//! Encodings of mail: quoted-printable, encoded words, Base64 lines, folded headers.

use base64::Engine as _;

/// Longest line of quoted-printable text, without its line end.
const WIDTH: usize = 76;

/// Writes quoted-printable text from a known column on.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    column: usize,
}

impl QuotedPrintable {
    /// Encodes text; line ends of any kind become CRLF. The text counts as a whole: a space or
    /// tab at its very end is encoded, since a line end may follow.
    pub(super) fn write(&mut self, text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied();
            match byte {
                b'\r' if next == Some(b'\n') => {}
                b'\n' | b'\r' => {
                    out.extend_from_slice(b"\r\n");
                    self.column = 0;
                }
                b' ' | b'\t' => {
                    let ends = matches!(next, None | Some(b'\n' | b'\r'));
                    if ends {
                        self.escape(byte, out);
                    } else {
                        self.plain(byte, out);
                    }
                }
                // Never a dot at the start of a line: no transport needs to stuff it.
                b'.' if self.column == 0 => self.escape(byte, out),
                // "From " at the start of a line is changed by some old mailboxes.
                b'F' if self.column == 0 && bytes.get(at..at + 5) == Some(b"From ") => {
                    self.escape(byte, out);
                }
                b'=' => self.escape(byte, out),
                33..=126 => self.plain(byte, out),
                _ => self.escape(byte, out),
            }
            at += 1;
        }
    }

    /// Ends the line for the eye of the encoder only; the text goes on.
    pub(super) fn soft_break(&mut self, out: &mut Vec<u8>) {
        if self.column > 0 {
            out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.column + 1 >= WIDTH {
            self.soft_break(out);
            if byte == b'.' {
                self.escape(byte, out);
                return;
            }
        }
        out.push(byte);
        self.column += 1;
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        if self.column + 3 >= WIDTH {
            self.soft_break(out);
        }
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
        self.column += 3;
    }
}

/// Writes a header of free text (such as a subject), folded, with encoded words where needed.
pub(super) fn header(name: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    words(text, name.len() + 2, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes free text into a header whose line is already `column` long.
pub(super) fn words(text: &str, column: usize, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|b| (32..127).contains(&b))
        && !text.contains("=?")
        && text
            .split(' ')
            .all(|word| word.len() < 70 && !word.is_empty());
    if plain {
        let mut column = column;
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                if column + 1 + word.len() > 76 {
                    out.extend_from_slice(b"\r\n");
                    column = 0;
                }
                out.push(b' ');
                column += 1;
            }
            out.extend_from_slice(word.as_bytes());
            column += word.len();
        }
        return;
    }
    encoded_words(text, column, out);
}

fn encoded_words(text: &str, column: usize, out: &mut Vec<u8>) {
    // 75 for a word, 12 of them for the frame; Base64 makes four of three.
    let mut room = (75usize.saturating_sub(column.max(1)).saturating_sub(12) / 4 * 3).clamp(3, 45);
    let mut chunk = String::new();
    let mut first = true;
    let mut put = |chunk: &mut String, out: &mut Vec<u8>| {
        if !first {
            out.extend_from_slice(b"\r\n ");
        }
        first = false;
        out.extend_from_slice(b"=?utf-8?b?");
        let code = base64::engine::general_purpose::STANDARD.encode(chunk.as_bytes());
        out.extend_from_slice(code.as_bytes());
        out.extend_from_slice(b"?=");
        chunk.clear();
    };
    for c in text.chars() {
        if !chunk.is_empty() && chunk.len() + c.len_utf8() > room {
            put(&mut chunk, out);
            room = 45;
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        put(&mut chunk, out);
    }
}

/// Writes a `To` header: a name, where there is one, and an address.
pub(super) fn mailbox(name: &str, person: Option<&str>, address: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let column = name.len() + 2;
    if let Some(person) = person.filter(|p| !p.trim().is_empty()) {
        let start = out.len();
        let atoms = person
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" !#$%&'*+-/?^_`{|}~".contains(&b))
            && !person.contains("  ");
        let quotable = person.bytes().all(|b| (32..127).contains(&b)) && person.len() < 60;
        if atoms && person.len() < 60 {
            out.extend_from_slice(person.as_bytes());
        } else if quotable && !person.contains("=?") {
            out.push(b'"');
            for byte in person.bytes() {
                if byte == b'"' || byte == b'\\' {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        } else {
            encoded_words(person, column, out);
        }
        let line = out
            .get(start..)
            .unwrap_or_default()
            .rsplit(|b| *b == b'\n')
            .next();
        let width = line.map_or(0, <[u8]>::len) + column;
        if width + address.len() + 3 > 76 {
            out.extend_from_slice(b"\r\n ");
        } else {
            out.push(b' ');
        }
    }
    out.push(b'<');
    out.extend_from_slice(address.as_bytes());
    out.extend_from_slice(b">\r\n");
}

/// Writes Base64 in lines of 76.
pub(super) fn base64_lines(bytes: &[u8], out: &mut Vec<u8>) {
    for line in bytes.chunks(57) {
        let code = base64::engine::general_purpose::STANDARD.encode(line);
        out.extend_from_slice(code.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// A parameter such as `filename`, in RFC 2231 form where it is not plain.
pub(super) fn parameter(name: &str, value: &str) -> String {
    let plain = value
        .bytes()
        .all(|b| (32..127).contains(&b) && b != b'"' && b != b'\\');
    if plain {
        return format!("{name}=\"{value}\"");
    }
    let code: String = value
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    format!("{name}*=utf-8''{code}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        QuotedPrintable::default().write(text, &mut out);
        out
    }

    /// A decoder of its own, so that the encoder is not its own judge.
    fn decode(code: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < code.len() {
            if code[at] != b'=' {
                out.push(code[at]);
                at += 1;
            } else if code[at + 1] == b'\r' {
                at += 3;
            } else {
                let hex = std::str::from_utf8(&code[at + 1..at + 3]).unwrap();
                out.push(u8::from_str_radix(hex, 16).unwrap());
                at += 3;
            }
        }
        out
    }

    proptest! {
        #[test]
        fn quoted_printable_reads_back(text in "(\\PC|[ .=\n\t]|From ){0,300}") {
            let code = encode(&text);
            let wanted = text.replace('\n', "\r\n");
            prop_assert_eq!(decode(&code), wanted.as_bytes());
            for line in code.split(|b| *b == b'\n') {
                prop_assert!(line.len() <= 77, "{}", line.len());
                prop_assert!(!line.starts_with(b"."));
                prop_assert!(line.is_ascii());
            }
        }

        #[test]
        fn headers_read_back_and_stay_narrow(text in "\\PC{1,200}") {
            let mut out = Vec::new();
            header("Subject", text.trim(), &mut out);
            for line in out.split(|b| *b == b'\n') {
                prop_assert!(line.len() <= 78, "{}", String::from_utf8_lossy(line));
            }
            out.extend_from_slice(b"\r\nx");
            let parsed = mail_parser::MessageParser::default().parse(&out).unwrap();
            if !text.contains("=?") && !text.trim().is_empty() {
                prop_assert_eq!(parsed.subject().unwrap_or_default(), text.trim());
            }
        }
    }

    #[test]
    fn names_are_quoted_or_encoded() {
        for (person, line) in [
            (None, "To: <a@b.example>\r\n"),
            (Some("Ann Lee"), "To: Ann Lee <a@b.example>\r\n"),
            (
                Some("Lee, Ann \"Al\""),
                "To: \"Lee, Ann \\\"Al\\\"\" <a@b.example>\r\n",
            ),
            (Some("Ängla"), "To: =?utf-8?b?w4RuZ2xh?= <a@b.example>\r\n"),
        ] {
            let mut out = Vec::new();
            mailbox("To", person, "a@b.example", &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), line);
        }
    }
}
