//! Replies of mail servers name people, and addresses of pages hold passwords; what is kept and
//! shown is without them.

/// A server's reply in one line, without control characters and addresses, at most 300 characters.
///
/// `known` are words to leave out, such as the recipient's address and its local part.
pub fn redact(reply: &str, known: &[&str]) -> String {
    let mut line: String = reply
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(1000)
        .collect();
    for word in known.iter().filter(|word| word.chars().count() >= 3) {
        line = replace_ignoring_case(&line, word, "<recipient>");
    }
    let mut out = String::with_capacity(line.len());
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        match word.find('@') {
            Some(at) if at > 0 && at + 1 < word.len() => out.push_str("<address>"),
            _ => out.push_str(word),
        }
    }
    out.chars().take(300).collect()
}

/// A text that may be a URL, or was meant as one, without its password.
pub fn hidden(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority
        .rsplit_once('@')
        .map(|(user, host)| (user.split_once(':'), host))
    {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:***@{host}{path}"),
        _ => text.to_owned(),
    }
}

fn replace_ignoring_case(text: &str, word: &str, with: &str) -> String {
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find(&word)) {
        out.push_str(text.get(from..from + at).unwrap_or_default());
        out.push_str(with);
        from += at + word.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_left_out_of_replies() {
        for (reply, kept) in [
            (
                "550 5.1.1 <Ann@x.example>: no such user",
                "550 5.1.1 <<recipient>>: no such user",
            ),
            ("550 user ann unknown", "550 user <recipient> unknown"),
            ("450 try bob@y.example\r\nlater", "450 try <address>  later"),
            ("250 2.0.0 Ok: queued as 4F2", "250 2.0.0 Ok: queued as 4F2"),
        ] {
            assert_eq!(redact(reply, &["ann@x.example", "ann"]), kept);
        }
        assert!(redact(&"x".repeat(5000), &[]).len() == 300);
    }
}
