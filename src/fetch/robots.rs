//! robots.txt, as RFC 9309 has it: the group of the most specific user agent, the longest matching
//! rule, `allow` before `disallow` at equal length, `*` and `$` in paths, 500 KiB at most.

/// Bytes of a robots.txt that are read (RFC 9309, 2.5).
pub(super) const LIMIT: usize = 500 << 10;

/// The rules of one host for one user agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<(bool, String)>,
}

impl Rules {
    /// Reads the rules for a product token (`fairnotice`), case-insensitively; without a group of
    /// its own, those for `*`.
    pub fn parse(text: &str, product: &str) -> Self {
        let product = product.to_lowercase();
        let (mut own, mut any) = (None::<Vec<_>>, Vec::new());
        let (mut agents, mut in_rules) = (Vec::<String>::new(), false);
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key.trim().to_lowercase().as_str() {
                "user-agent" => {
                    if std::mem::take(&mut in_rules) {
                        agents.clear();
                    }
                    agents.push(value.to_lowercase());
                }
                kind @ ("allow" | "disallow") => {
                    in_rules = true;
                    let rule = (kind == "allow", settled(value));
                    for agent in &agents {
                        if agent == "*" {
                            any.push(rule.clone());
                        } else if token(agent) == product {
                            own.get_or_insert_with(Vec::new).push(rule.clone());
                        }
                    }
                }
                _ => {}
            }
            if agents.iter().any(|agent| token(agent) == product) {
                own.get_or_insert_with(Vec::new);
            }
        }
        Self {
            rules: own.unwrap_or(any),
        }
    }

    /// Whether a path (with its query) may be fetched.
    pub fn allow(&self, path: &str) -> bool {
        let path = settled(path);
        self.rules
            .iter()
            .filter(|(_, pattern)| !pattern.is_empty() && matches(pattern, &path))
            .max_by_key(|(allow, pattern)| (pattern.len(), *allow))
            .is_none_or(|(allow, _)| *allow)
    }
}

/// The product token of a user agent line: letters, `_` and `-` (RFC 9309, 2.2.1).
fn token(agent: &str) -> &str {
    let end = agent.find(|c: char| !c.is_ascii_alphabetic() && !matches!(c, '_' | '-'));
    agent.get(..end.unwrap_or(agent.len())).unwrap_or_default()
}

/// A path or pattern as it is compared (RFC 9309, 2.2.2): what is not ASCII as percent and two
/// digits, and unreserved characters as themselves.
fn settled(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let coded = after
            .first_chunk::<2>()
            .filter(|digits| *byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match coded {
            Some(code) => {
                rest = after.get(2..).unwrap_or_default();
                if code.is_ascii_alphanumeric() || b"-._~".contains(&code) {
                    out.push(char::from(code));
                } else {
                    out += &format!("%{code:02X}");
                }
            }
            None if byte.is_ascii() => out.push(char::from(*byte)),
            None => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// Whether a pattern with `*` and a closing `$` matches the start of a path.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return !to_end || rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    if to_end {
        rest.ends_with(last)
    } else {
        rest.contains(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str, path: &str) -> bool {
        Rules::parse(text, "fairnotice").allow(path)
    }

    #[test]
    fn the_longest_rule_wins_and_allow_wins_a_tie() {
        let text =
            "User-agent: *\nDisallow: /legal\nAllow: /legal/privacy\nDisallow: /a\nAllow: /a";
        assert!(!allowed(text, "/legal/terms"));
        assert!(allowed(text, "/legal/privacy?x=1"));
        assert!(allowed(text, "/a"));
        assert!(allowed(text, "/elsewhere"));
    }

    #[test]
    fn an_own_group_replaces_the_general_one() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: FairNotice\nDisallow: /x\n";
        assert!(allowed(text, "/privacy"));
        assert!(!allowed(text, "/x"));
        assert!(!Rules::parse(text, "somebody").allow("/privacy"));
    }

    #[test]
    fn a_group_is_ours_by_its_whole_token() {
        let text = "User-agent: fair\nUser-agent: fairnoticebot\nUser-agent:\nDisallow: /\n";
        assert!(allowed(text, "/privacy"));
        assert!(!allowed(
            "User-agent: FairNotice/1.0\nDisallow: /\n",
            "/privacy"
        ));
    }

    #[test]
    fn paths_are_compared_as_octets() {
        let text = "User-agent: *\nDisallow: /données\nDisallow: /a%7eb\nDisallow: /c%2fd\n";
        assert!(!allowed(text, "/donn%c3%a9es/x"));
        assert!(!allowed(text, "/a~b"));
        assert!(!allowed(text, "/c%2Fd"));
        assert!(allowed(text, "/c/d"));
        assert!(allowed("User-agent: *\nDisallow: /50%\n", "/50"));
    }

    #[test]
    fn stars_and_dollars() {
        let text = "User-agent: *\nDisallow: /*.pdf$\nDisallow: /p/*/private\n";
        assert!(!allowed(text, "/a/b.pdf"));
        assert!(allowed(text, "/a/b.pdf?x"));
        assert!(!allowed(text, "/p/1/private/2"));
        assert!(allowed(text, "/p/private"));
    }

    #[test]
    fn nothing_and_nonsense_allow_everything() {
        for text in [
            "",
            "User-agent: *\nDisallow:\n",
            "<html>not found</html>",
            "\u{feff}x: y",
        ] {
            assert!(allowed(text, "/privacy"), "{text}");
        }
    }
}
