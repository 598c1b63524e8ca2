//! Lists of recipients as people keep them: CSV with a header line, or JSON Lines.
//!
//! A line that cannot be used is reported and left out. A list whose structure is broken (cut in
//! the middle, no header, no `email`) is refused whole: nobody knows who is missing from it.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{BufRead, Read},
    rc::Rc,
};

use super::Recipient;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// Comma, semicolon or tab separated, with a header line.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl ListFormat {
    /// By the first bytes of the content.
    pub fn guess(start: &[u8]) -> Self {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        match start.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{') => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A person who can be written to.
    Usable(Recipient),
    /// Why this line cannot be used.
    Rejected(String),
}

/// Why a whole list is refused.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("cannot read the list: {0}")]
    Read(#[from] std::io::Error),
    /// Nothing in it.
    #[error("the list is empty: a header line with `email` is needed")]
    Empty,
    /// The header lacks what is needed.
    #[error("the header has no column `email`; it has {0}")]
    NoEmail(String),
    /// Two columns of one name.
    #[error("the header has the column `{0}` twice")]
    Twice(String),
    /// The end is missing.
    #[error("the list is cut off at line {line}: {what}")]
    Cut {
        /// The last line.
        line: u64,
        /// What is missing.
        what: String,
    },
    /// A record without an end.
    #[error("line {line}: a record of more than {megabytes} MB; is a quotation mark not closed?")]
    Endless {
        /// Where it starts.
        line: u64,
        /// The limit.
        megabytes: usize,
    },
    /// What the caller does with a row failed.
    #[error("{0}")]
    Stopped(String),
}

/// Largest record that is read into memory, in megabytes.
const LARGEST_RECORD: usize = 32;

/// Reads a list, row by row, with the number of each row's first line.
///
/// # Errors
/// When the list's structure is broken, it cannot be read, or `each` gives an error.
pub fn read(
    input: impl BufRead,
    format: Option<ListFormat>,
    each: impl FnMut(u64, Row) -> Result<(), String>,
) -> Result<(), SourceError> {
    let mut input = input;
    let start = input.fill_buf()?;
    let format = format.unwrap_or_else(|| ListFormat::guess(start));
    if start.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    match format {
        ListFormat::Csv => read_csv(input, each),
        ListFormat::JsonLines => read_json_lines(input, each),
    }
}

/// What the reader under the CSV parser has seen, shared with the loop over it.
#[derive(Default)]
struct Watch {
    read: u64,
    record_start: u64,
    tail: Vec<u8>,
    endless: bool,
}

struct Watched<R> {
    inner: R,
    watch: Rc<RefCell<Watch>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut watch = self.watch.borrow_mut();
        watch.read += count as u64;
        if watch.read - watch.record_start > (LARGEST_RECORD as u64) << 20 {
            watch.endless = true;
            return Err(std::io::Error::other("a record without an end"));
        }
        let seen = buffer.get(..count).unwrap_or_default();
        watch.tail.extend_from_slice(seen);
        let surplus = watch.tail.len().saturating_sub(1 << 17);
        if surplus > 1 << 17 {
            watch.tail.drain(..surplus);
        }
        Ok(count)
    }
}

fn read_csv(
    input: impl BufRead,
    mut each: impl FnMut(u64, Row) -> Result<(), String>,
) -> Result<(), SourceError> {
    let mut input = input;
    let delimiter = delimiter(input.fill_buf()?);
    let watch = Rc::new(RefCell::new(Watch::default()));
    let watched = Watched {
        inner: input,
        watch: Rc::clone(&watch),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(watched);
    let failed = |error: csv::Error, line: u64| match error.into_kind() {
        csv::ErrorKind::Io(_) if watch.borrow().endless => SourceError::Endless {
            line,
            megabytes: LARGEST_RECORD,
        },
        csv::ErrorKind::Io(error) => SourceError::Read(error),
        other => SourceError::Read(std::io::Error::other(format!("{other:?}"))),
    };
    let mut record = csv::ByteRecord::new();
    if !reader
        .read_byte_record(&mut record)
        .map_err(|e| failed(e, 1))?
    {
        return Err(SourceError::Empty);
    }
    let header = header(&record)?;
    let mut last: Option<(u64, u64, usize)> = None;
    loop {
        let start = reader.position().clone();
        watch.borrow_mut().record_start = start.byte();
        if !reader
            .read_byte_record(&mut record)
            .map_err(|e| failed(e, start.line()))?
        {
            break;
        }
        let (line, byte) = record
            .position()
            .map_or((start.line(), start.byte()), |p| (p.line(), p.byte()));
        let line = line + blank_lines(&watch.borrow(), byte);
        // Only the end of the file tells whether its last record is whole.
        last = Some((line, byte, record.len()));
        let row = csv_row(&header, &record);
        each(line, row).map_err(SourceError::Stopped)?;
    }
    if let Some((line, byte, fields)) = last {
        let tail = tail_from(&watch.borrow(), byte);
        if is_cut(&tail, delimiter, fields < header.len()) {
            let what = if fields < header.len() {
                format!("it has {fields} fields, the header has {}", header.len())
            } else {
                "a quotation mark is never closed".to_owned()
            };
            return Err(SourceError::Cut { line, what });
        }
    }
    Ok(())
}

/// Blank lines before a record: the parser counts them as its beginning.
fn blank_lines(watch: &Watch, byte: u64) -> u64 {
    let from = usize::try_from(watch.read.saturating_sub(byte)).unwrap_or(usize::MAX);
    let at = watch.tail.len().saturating_sub(from);
    watch
        .tail
        .iter()
        .skip(at)
        .take_while(|b| matches!(b, b'\r' | b'\n'))
        .filter(|b| **b == b'\n')
        .count() as u64
}

fn tail_from(watch: &Watch, byte: u64) -> Vec<u8> {
    let from = usize::try_from(watch.read.saturating_sub(byte)).unwrap_or(usize::MAX);
    let at = watch.tail.len().saturating_sub(from);
    watch.tail.get(at..).unwrap_or_default().to_vec()
}

/// Whether the last record of a file is not whole: a quotation mark is open, or fields are
/// missing and no line end follows.
fn is_cut(tail: &[u8], delimiter: u8, short: bool) -> bool {
    let (mut quoted, mut field_start) = (false, true);
    for byte in tail {
        match byte {
            b'"' if quoted => quoted = false,
            b'"' if field_start => quoted = true,
            // A doubled mark inside quotes closes and opens again.
            b'"' => quoted = true,
            _ => {}
        }
        field_start = !quoted && (*byte == delimiter || *byte == b'\n' || *byte == b'"');
    }
    quoted || (short && !tail.ends_with(b"\n"))
}

fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|b| *b == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t']
        .into_iter()
        .find(|d| line.contains(d))
        .unwrap_or(b',')
}

fn header(record: &csv::ByteRecord) -> Result<Vec<String>, SourceError> {
    let mut names: Vec<String> = Vec::new();
    for name in record {
        let name = String::from_utf8_lossy(name).trim().to_owned();
        let known = name.to_ascii_lowercase();
        let known_names = [
            "email",
            "name",
            "locale",
            "time_zone",
            "jurisdiction",
            "user_id",
        ];
        let name = if known_names.contains(&known.as_str()) {
            known
        } else {
            name
        };
        if names.contains(&name) {
            return Err(SourceError::Twice(name));
        }
        names.push(name);
    }
    if !names.iter().any(|name| name == "email") {
        return Err(SourceError::NoEmail(names.join(", ")));
    }
    Ok(names)
}

fn csv_row(header: &[String], record: &csv::ByteRecord) -> Row {
    if record.len() != header.len() {
        return Row::Rejected(format!(
            "it has {} fields, the header has {}",
            record.len(),
            header.len()
        ));
    }
    let mut fields = Vec::with_capacity(header.len());
    for (name, value) in header.iter().zip(record) {
        match std::str::from_utf8(value) {
            Ok(value) => fields.push((name.as_str(), Cow::Borrowed(value))),
            Err(_) => return Row::Rejected(format!("`{name}` is not UTF-8")),
        }
    }
    Recipient::from_fields(fields.into_iter()).map_or_else(Row::Rejected, Row::Usable)
}

fn read_json_lines(
    mut input: impl BufRead,
    mut each: impl FnMut(u64, Row) -> Result<(), String>,
) -> Result<(), SourceError> {
    let limit = (LARGEST_RECORD as u64) << 20;
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let count = (&mut input).take(limit).read_until(b'\n', &mut line)?;
        if count == 0 {
            return if number == 1 {
                Err(SourceError::Empty)
            } else {
                Ok(())
            };
        }
        if count as u64 == limit {
            return Err(SourceError::Endless {
                line: number,
                megabytes: LARGEST_RECORD,
            });
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = match serde_json::from_slice::<serde_json::Value>(&line) {
            Ok(value) => json_row(&value),
            Err(error) if !line.ends_with(b"\n") => {
                return Err(SourceError::Cut {
                    line: number,
                    what: format!("{error}"),
                });
            }
            Err(error) => Row::Rejected(format!("is no JSON: {error}")),
        };
        each(number, row).map_err(SourceError::Stopped)?;
    }
}

fn json_row(value: &serde_json::Value) -> Row {
    use serde_json::Value;
    let Value::Object(object) = value else {
        return Row::Rejected("is no JSON object".to_owned());
    };
    let mut fields = Vec::with_capacity(object.len());
    for (name, value) in object {
        let value = match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Bool(flag) => Cow::Owned(flag.to_string()),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                return Row::Rejected(format!("`{name}` is neither text nor a number"));
            }
        };
        fields.push((name.as_str(), value));
    }
    Recipient::from_fields(fields.into_iter()).map_or_else(Row::Rejected, Row::Usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Vec<(u64, Result<String, String>)>;

    fn all(text: &[u8]) -> Result<Rows, SourceError> {
        let mut rows = Vec::new();
        read(text, None, |line, row| {
            rows.push((
                line,
                match row {
                    Row::Usable(recipient) => Ok(recipient.email),
                    Row::Rejected(reason) => Err(reason),
                },
            ));
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn each_line_is_used_or_reported() {
        let rows = all(b"email,name,plan\nann@example.org,\"Ann, B\",gold\nnobody,x,y\nbob@example.org,Bob\n\n\"eve@example.org\nBcc: all@example.org\",Eve,z\nzoe@example.org,Zoe,last").unwrap();
        let lines: Vec<_> = rows
            .iter()
            .map(|(line, row)| (*line, row.is_ok()))
            .collect();
        assert_eq!(
            lines,
            [(2, true), (3, false), (4, false), (6, false), (8, true)]
        );
        assert!(rows[3].1.clone().unwrap_err().contains("control"));
    }

    #[test]
    fn json_lines_and_other_separators() {
        let rows = all(b"{\"email\":\"a@example.org\",\"user_id\":7}\n{\"email\":1}\nnot json\n");
        let rows = rows.unwrap();
        assert!(rows[0].1.is_ok() && rows[1].1.is_err() && rows[2].1.is_err());
        assert!(
            all(b"\xef\xbb\xbfEmail;name\na@example.org;A\n").unwrap()[0]
                .1
                .is_ok()
        );
    }

    #[test]
    fn a_broken_list_is_refused_whole() {
        for (text, part) in [
            (&b""[..], "empty"),
            (b"name,mail\nx,y\n", "no column `email`"),
            (b"email,email\n", "twice"),
            (b"email,name\na@example.org,A\nb@exam", "cut off at line 3"),
            (
                b"email,name\na@example.org,\"A\nb@example.org,B\n",
                "cut off at line 2",
            ),
            (b"email,name\na@example.org,\"A", "cut off at line 2"),
            (
                b"{\"email\":\"a@example.org\"}\n{\"email\":\"b@ex",
                "cut off at line 2",
            ),
        ] {
            let error = all(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_huge_field_is_reported_and_a_huge_record_refused() {
        let mut text = b"email,name\na@example.org,".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10 << 20));
        text.extend_from_slice(b"\nb@example.org,B\n");
        let rows = all(&text).unwrap();
        assert!(rows[0].1.clone().unwrap_err().contains("bytes"));
        assert!(rows[1].1.is_ok());
        let mut text = b"email,name\na@example.org,\"".to_vec();
        text.extend(std::iter::repeat_n(b'x', 40 << 20));
        assert!(all(&text).unwrap_err().to_string().contains("line 2"));
    }
}
