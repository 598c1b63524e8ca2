//! Link targets: absolute, without what tells visitors apart.

use url::Url;

/// Parameters that follow the visitor, not the document.
const TRACKING: &[&str] = &[
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "__hssc",
    "__hstc",
    "__hsfp",
    "hsctatracking",
    "ref",
    "ref_src",
    "ref_url",
    "referrer",
    "source",
    "src",
    "spm",
    "scm",
    "trk",
    "trkinfo",
    "cid",
    "icid",
    "s_cid",
    "cmpid",
    "sid",
    "session",
    "sessionid",
    "session_id",
    "phpsessid",
    "jsessionid",
    "aspsessionid",
    "token",
    "csrf",
    "csrf_token",
    "_csrf",
    "nonce",
    "visit_id",
    "visitor_id",
    "rid",
    "cb",
    "cachebuster",
    "cache_buster",
    "_t",
    "ts",
    "timestamp",
    "rand",
    "random",
];

/// The target of a link as it is written into the canonical text; nothing for places on the same
/// page and for scripts.
pub(super) fn target(href: &str, base: Option<&Url>) -> Option<String> {
    let href = href.trim();
    if href.is_empty() || href.starts_with('#') {
        return None;
    }
    let absolute = match base {
        Some(base) => base.join(href),
        None => Url::parse(href),
    };
    let Ok(mut url) = absolute else {
        // Relative, and nobody said to what.
        let path = href.split(['?', '#']).next().unwrap_or_default();
        return (!path.is_empty() && !path.contains(':')).then(|| escape(path));
    };
    match url.scheme() {
        "http" | "https" => {}
        // No address ends so: the mark belongs to the sentence.
        "mailto" | "tel" => {
            return Some(escape(url.as_str().trim_end_matches(['.', ',', ';'])));
        }
        _ => return None,
    }
    if let Some(base) = base
        && url.fragment().is_some()
        && url.path() == base.path()
        && url.host_str() == base.host_str()
    {
        return None;
    }
    clean(&mut url);
    Some(escape(url.as_str()))
}

/// Drops parameters that follow the visitor, and session ids in paths.
fn clean(url: &mut Url) {
    if let Some(at) = url.path().to_ascii_lowercase().find(";jsessionid=") {
        let path = url.path().get(..at).unwrap_or_default().to_owned();
        url.set_path(&path);
    }
    let Some(query) = url.query() else { return };
    let kept: Vec<&str> = query.split('&').filter(|pair| !tracks(pair)).collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
}

fn tracks(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    name.is_empty() || name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

/// Characters that would end a link target in Markdown.
fn escape(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' => out += "%28",
            ')' => out += "%29",
            '<' => out += "%3C",
            '>' => out += "%3E",
            '\\' => out += "%5C",
            '|' => out += "%7C",
            c if c.is_whitespace() => out += "%20",
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The address behind a link that a content network has masked against collectors of addresses:
/// hexadecimal, the first byte is the key of all others.
pub(super) fn unmask_email(masked: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = (0..masked.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(masked.get(i..i + 2)?, 16).ok())
        .collect();
    let bytes = bytes?;
    let (key, rest) = bytes.split_first()?;
    let plain: Vec<u8> = rest.iter().map(|b| b ^ key).collect();
    String::from_utf8(plain)
        .ok()
        .filter(|address| address.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_absolute_and_clean() {
        let base = Url::parse("https://lamp.example/legal/terms").unwrap();
        let of = |href: &str| target(href, Some(&base));
        assert_eq!(
            of("/privacy?utm_source=x&lang=en&gclid=1#data").as_deref(),
            Some("https://lamp.example/privacy?lang=en#data")
        );
        assert_eq!(
            of("privacy;jsessionid=AB12?sid=9").as_deref(),
            Some("https://lamp.example/legal/privacy")
        );
        assert_eq!(of("#top"), None);
        assert_eq!(of("https://lamp.example/legal/terms#top"), None);
        assert_eq!(of("javascript:void(0)"), None);
        assert_eq!(
            of("mailto:law@lamp.example.").as_deref(),
            Some("mailto:law@lamp.example")
        );
        assert_eq!(target("/privacy?sid=1", None).as_deref(), Some("/privacy"));
        assert_eq!(
            of("/a (b)").as_deref(),
            Some("https://lamp.example/legal/../a%20%28b%29")
                .map(|_| "https://lamp.example/a%20%28b%29")
        );
    }

    #[test]
    fn masked_addresses_are_read() {
        let mask = |text: &str| {
            let key = 0x5a_u8;
            text.bytes().fold(format!("{key:02x}"), |hex, b| {
                hex + &format!("{:02x}", b ^ key)
            })
        };
        assert_eq!(
            unmask_email(&mask("a@b.example")).as_deref(),
            Some("a@b.example")
        );
        assert_eq!(unmask_email("zz"), None);
        assert_eq!(unmask_email("5"), None);
        assert_eq!(unmask_email("éé"), None);
    }
}
