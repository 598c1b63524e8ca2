//! Which attributes the reader looks at. The others, most of a page's bytes, are left out before it
//! is parsed: what a build or a visit writes into them is no reason to read a page anew.

/// Names of the attributes that say something here, or to the tree builder.
pub(super) const READ: &[&str] = &[
    "aria-controls",
    "aria-expanded",
    "aria-hidden",
    "class",
    "colspan",
    "data-bs-target",
    "data-bs-toggle",
    "data-cfemail",
    "data-target",
    "data-toggle",
    "hidden",
    "href",
    "id",
    "lang",
    "reversed",
    "role",
    "start",
    "style",
    "type",
    "value",
    "xml:lang",
    // An input that is hidden stays within its table; a font that has one of these ends a formula,
    // and a formula's annotation may hold markup (WHATWG HTML, 13.2.6).
    "encoding",
    "color",
    "face",
    "size",
];

/// Elements of which attributes are read only where they hold a word, with the word.
const RARELY: &[(&str, &str)] = &[("link", "canonical"), ("meta", "refresh")];
/// What is read of those.
const THEN: &[&str] = &["rel", "href", "http-equiv", "content"];

/// Writes a start tag with the attributes that are read: `tag` is all of it, `<` and the name in
/// `name_end` bytes, and `name` the name in lower case.
pub(super) fn push(out: &mut String, tag: &str, name_end: usize, name: &str) {
    let rare = RARELY.iter().find(|(element, _)| *element == name);
    let read: &[&str] = match rare {
        Some((_, word)) if holds(tag, word) => THEN,
        Some(_) => &[],
        None => READ,
    };
    let start = out.len();
    out.push_str(tag.get(..name_end).unwrap_or_default());
    let mut at = name_end;
    loop {
        match next(tag.as_bytes(), at) {
            Next::Attribute { name, end } => {
                let word = tag.get(name.clone()).unwrap_or_default();
                if read.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                    out.push(' ');
                    out.push_str(tag.get(name.start..end).unwrap_or_default());
                }
                at = end;
            }
            // Apart from an attribute without quotes, of which the slash would become a part.
            Next::End { closes: true, .. } => return out.push_str(" />"),
            Next::End { .. } => return out.push('>'),
            // The page breaks off within the tag.
            Next::Broken => {
                out.truncate(start);
                return out.push_str(tag);
            }
        }
    }
}

fn holds(tag: &str, word: &str) -> bool {
    let (tag, word) = (tag.as_bytes(), word.as_bytes());
    tag.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

/// What comes next in a tag.
pub(super) enum Next {
    /// An attribute: where its name stands, and where all of it ends.
    Attribute {
        name: std::ops::Range<usize>,
        end: usize,
    },
    /// The end of the tag, and whether a slash stands before it.
    End { after: usize, closes: bool },
    /// The page breaks off.
    Broken,
}

/// What comes next in a tag at `at`, behind its name or an attribute, as browsers cut it (WHATWG
/// HTML, 13.2.5.32 to 13.2.5.39).
pub(super) fn next(bytes: &[u8], at: usize) -> Next {
    let is_space = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
    let gap = at;
    let mut at = at;
    while is_space(at) || bytes.get(at) == Some(&b'/') {
        at += 1;
    }
    match bytes.get(at) {
        None => return Next::Broken,
        Some(b'>') => {
            return Next::End {
                after: at + 1,
                closes: at > gap && bytes.get(at - 1) == Some(&b'/'),
            };
        }
        Some(_) => {}
    }
    let from = at;
    // The first character is one of the name, whatever it is.
    at += 1;
    while bytes
        .get(at)
        .is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>' | b'='))
    {
        at += 1;
    }
    let name = from..at;
    while is_space(at) {
        at += 1;
    }
    if bytes.get(at) != Some(&b'=') {
        return Next::Attribute {
            end: name.end,
            name,
        };
    }
    at += 1;
    while is_space(at) {
        at += 1;
    }
    let end = match bytes.get(at) {
        None => return Next::Broken,
        Some(b'>') => at,
        Some(quote @ (b'"' | b'\'')) => {
            let tail = bytes.get(at + 1..).unwrap_or_default();
            match memchr::memchr(*quote, tail) {
                Some(length) => at + 1 + length + 1,
                None => return Next::Broken,
            }
        }
        Some(_) => {
            while bytes
                .get(at)
                .is_some_and(|b| !b.is_ascii_whitespace() && *b != b'>')
            {
                at += 1;
            }
            at
        }
    };
    Next::Attribute { name, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(tag: &str) -> String {
        let end = tag
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .unwrap();
        let mut out = String::new();
        push(&mut out, tag, end, &tag[1..end].to_ascii_lowercase());
        out
    }

    #[test]
    fn what_nobody_reads_is_left_out() {
        assert_eq!(
            kept("<A data-x='1' HREF = \"/a>b\" onclick=go() nonce class=b/>"),
            "<A HREF = \"/a>b\" class=b/>"
        );
        assert_eq!(kept("<img src=a alt='x' />"), "<img />");
        assert_eq!(kept("<p  hidden\n title='x'\tid=q>"), "<p hidden id=q>");
        assert_eq!(kept("<p title=x/ class='a'id='b'>"), "<p class='a' id='b'>");
        assert_eq!(kept("<p class=a hidden>"), "<p class=a hidden>");
    }

    #[test]
    fn what_is_put_oddly_is_cut_as_browsers_do() {
        for (tag, left) in [
            ("<p title==x id=a>", "<p id=a>"),
            ("<p =x id=a>", "<p id=a>"),
            ("<p title=a\"b id=a>", "<p id=a>"),
            ("<p a<b id=a>", "<p id=a>"),
            ("<p id=>", "<p id=>"),
            ("<p id = 'a'class=b>", "<p id = 'a' class=b>"),
            ("<p id=\"x>", "<p id=\"x>"),
            ("<p title=x", "<p title=x"),
        ] {
            assert_eq!(kept(tag), left);
        }
    }

    #[test]
    fn links_and_facts_of_the_head_stay_where_they_are_read() {
        assert_eq!(kept("<link rel=stylesheet href='/a.css'>"), "<link>");
        assert_eq!(
            kept("<link id=x rel=\"Canonical\" href='/a'>"),
            "<link rel=\"Canonical\" href='/a'>"
        );
        assert_eq!(kept("<meta name=csrf content=x>"), "<meta>");
        assert_eq!(
            kept("<meta x http-equiv=refresh content='0; url=/b'>"),
            "<meta http-equiv=refresh content='0; url=/b'>"
        );
    }

    #[test]
    fn every_attribute_that_is_asked_for_is_read() {
        let mut asked = 0;
        for source in [
            include_str!("furniture.rs"),
            include_str!("leftovers.rs"),
            include_str!("link.rs"),
            include_str!("main_part.rs"),
            include_str!("mod.rs"),
            include_str!("page.rs"),
            include_str!("select.rs"),
            include_str!("table.rs"),
            include_str!("write.rs"),
        ] {
            for part in source.split("attr(").skip(1) {
                let part = part.trim_start();
                let Some(name) = part.strip_prefix('"').and_then(|p| p.split('"').next()) else {
                    continue;
                };
                asked += 1;
                assert!(READ.contains(&name) || THEN.contains(&name), "{name}");
            }
        }
        assert!(asked > 20, "{asked}");
    }
}
