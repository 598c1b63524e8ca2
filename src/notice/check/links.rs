//! Links.

use std::collections::BTreeSet;

use super::{Channel, Outcome, seen::Seen};

/// Parameters by which senders follow readers.
const TRACKING: &[&str] = &[
    "utm_",
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "mc_eid",
    "mc_cid",
    "_hsenc",
    "_hsmi",
    "mkt_tok",
    "vero_id",
    "oly_enc_id",
    "oly_anon_id",
    "igshid",
    "yclid",
    "trk",
];
/// Services that hide where a link leads.
const SHORTENERS: &[&str] = &[
    "bit.ly",
    "t.co",
    "goo.gl",
    "tinyurl.com",
    "ow.ly",
    "is.gd",
    "buff.ly",
    "rb.gy",
    "cutt.ly",
    "t.cn",
    "dwz.cn",
    "url.cn",
];

pub(super) fn given(seen: &Seen<'_>) -> Outcome {
    if seen.is_recall() {
        return Ok("a recall changes no text".to_owned());
    }
    let all = ["new_url", "old_url", "redline_url"];
    let is_whole = matches!(
        seen.notice.channel,
        Channel::Email | Channel::Announcement | Channel::Letter | Channel::Changelog
    );
    let shown = |field: &&&str| {
        seen.field(field).is_some_and(|address| {
            let html = seen.text.html.as_deref();
            seen.plain_squashed.contains(address)
                && html.is_none_or(|html| {
                    html.contains(address) || html.contains(&address.replace('&', "&amp;"))
                })
        })
    };
    if is_whole {
        let missing: Vec<&str> = all.iter().filter(|field| !shown(field)).copied().collect();
        if missing.is_empty() {
            return Ok(String::new());
        }
        return Err(format!(
            "missing: {}; set these fields, and keep the links in the text",
            missing.join(", ")
        ));
    }
    if all.iter().any(|field| shown(&field)) {
        Ok(String::new())
    } else {
        Err("the text leads nowhere: set new_url or redline_url".to_owned())
    }
}

pub(super) fn clean(seen: &Seen<'_>) -> Outcome {
    let mut links: BTreeSet<String> = BTreeSet::new();
    for part in [Some(&seen.text.text), seen.text.html.as_ref()]
        .into_iter()
        .flatten()
    {
        links.extend(addresses(part));
    }
    let wrong: Vec<String> = links.iter().filter_map(|link| fault(link)).collect();
    if wrong.is_empty() {
        Ok(format!("{} links", links.len()))
    } else {
        Err(wrong.join("; "))
    }
}

/// Everything that starts like a web address.
fn addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("https://").or_else(|| rest.find("http://")) {
        // The nearest of the two kinds.
        let at = rest.find("http://").map_or(at, |plain| plain.min(at));
        let from = rest.get(at..).unwrap_or_default();
        let end = from
            .find(|c: char| c.is_whitespace() || "<>\"“”‘’，。；、（）《》【】".contains(c))
            .unwrap_or(from.len());
        let link = from
            .get(..end)
            .unwrap_or_default()
            .trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        found.push(link.replace("&amp;", "&"));
        rest = from.get(end.max(7)..).unwrap_or_default();
    }
    found
}

fn fault(link: &str) -> Option<String> {
    if link.contains("{{") {
        return Some(format!(
            "`{link}` differs from reader to reader: it could track them"
        ));
    }
    let Ok(address) = url::Url::parse(link) else {
        return Some(format!("`{link}` is no address"));
    };
    let host = address.host_str().unwrap_or_default();
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if address.scheme() != "https" && !is_local {
        return Some(format!("`{link}` is not encrypted: use https"));
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Some(format!("`{link}` has a user name in it"));
    }
    if SHORTENERS.contains(&host) {
        return Some(format!("`{link}` hides where it leads"));
    }
    let tracks = address.query_pairs().find(|(name, _)| {
        TRACKING.iter().any(|known| match known.strip_suffix('_') {
            Some(_) => name.starts_with(known),
            None => name == known,
        })
    });
    tracks.map(|(name, _)| format!("`{link}` tracks readers by `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        for (link, word) in [
            ("https://maps.example/terms?utm_source=mail", "tracks"),
            ("http://maps.example/terms", "encrypted"),
            ("https://bit.ly/x", "hides"),
            ("https://maps.example/{{ recipient.user_id }}", "differs"),
            ("https://ada@maps.example/", "user name"),
        ] {
            let fault = fault(link).unwrap();
            assert!(fault.contains(word), "{fault}");
        }
        for link in [
            "https://maps.example/terms?version=2",
            "http://127.0.0.1:8080/terms",
        ] {
            assert_eq!(fault(link), None);
        }
    }

    #[test]
    fn addresses_are_found_in_text_and_in_markup() {
        let text = "See https://a.example/x, or <a href=\"http://b.example/?q=1&amp;r=2\">b</a>。";
        assert_eq!(
            addresses(text),
            ["https://a.example/x", "http://b.example/?q=1&r=2"]
        );
    }
}
