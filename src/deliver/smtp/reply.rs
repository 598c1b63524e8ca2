//! What a server answers.

/// A reply of one or several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The code, 200 to 599.
    pub code: u16,
    /// The lines without their codes.
    pub lines: Vec<String>,
}

impl Reply {
    /// 2xx.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// 4xx: may work later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// 421: the server closes the connection.
    pub fn closes(&self) -> bool {
        self.code == 421
    }

    /// Takes one line of a reply; gives whether more follow.
    ///
    /// # Errors
    /// When it is no line of a reply.
    pub(super) fn parse_line(line: &[u8]) -> Result<(u16, String, bool), String> {
        let text = String::from_utf8_lossy(line);
        let wrong = || format!("the server's answer is no SMTP: {:?}", shorten(&text));
        let code = text.get(..3).ok_or_else(wrong)?;
        let code: u16 = code.parse().map_err(|_| wrong())?;
        if !(200..600).contains(&code) {
            return Err(wrong());
        }
        let rest = text.get(3..).unwrap_or_default();
        let more = rest.starts_with('-');
        if !(more || rest.is_empty() || rest.starts_with(' ')) {
            return Err(wrong());
        }
        let words = rest.get(1..).unwrap_or_default().trim_end().to_owned();
        Ok((code, words, more))
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" "))
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_rubbish_is_refused() {
        assert_eq!(
            Reply::parse_line(b"250-PIPELINING"),
            Ok((250, "PIPELINING".to_owned(), true))
        );
        assert_eq!(Reply::parse_line(b"250"), Ok((250, String::new(), false)));
        for line in [
            &b"HTTP/1.1 400"[..],
            b"99 x",
            b"2500 x",
            b"",
            b"25",
            "2é0".as_bytes(),
        ] {
            assert!(Reply::parse_line(line).is_err());
        }
    }
}
