//! Plain text within the width of a mail.

/// Columns of a line of plain text (RFC 5322 wants at most 78).
pub(crate) const WIDTH: usize = 76;

/// Wraps lines that are too long; what is indented or an item of a list hangs. Words are never
/// broken, so a link stays whole; Chinese and Japanese may break between characters, but not
/// before a closing mark or behind an opening one. Several empty lines become one.
pub(crate) fn wrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 60);
    let mut empty = true;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            if !empty {
                out.push('\n');
            }
            empty = true;
            continue;
        }
        empty = false;
        wrap_line(line, &mut out);
    }
    let end = out.trim_end().len();
    out.truncate(end);
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn wrap_line(line: &str, out: &mut String) {
    let indent = line.len() - line.trim_start().len();
    let hang = indent + marker(line.trim_start());
    let mut column = 0;
    let mut is_first = true;
    for word in pieces(line.get(indent..).unwrap_or(line)) {
        let bare = word.trim_end();
        let wide = columns(bare);
        if is_first {
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column + wide > WIDTH && column > hang {
            let end = out.trim_end_matches(' ').len();
            out.truncate(end);
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hang));
            column = hang;
        }
        is_first = false;
        out.push_str(word);
        column += columns(word);
    }
    let end = out.trim_end_matches(' ').len();
    out.truncate(end);
    out.push('\n');
}

/// Width of a list marker with its space.
fn marker(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    if digits > 0 && rest.starts_with(". ") {
        digits + 2
    } else if line.starts_with("- ") || line.starts_with("* ") {
        2
    } else {
        0
    }
}

/// Splits where a line may break, each piece with the spaces behind it.
fn pieces(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in line.char_indices() {
        let may = before.is_some_and(|b| {
            if b == ' ' {
                c != ' '
            } else {
                (is_wide(b) || is_wide(c)) && c != ' ' && !closes(c) && !opens(b)
            }
        });
        if may {
            found.extend(line.get(start..at));
            start = at;
        }
        before = Some(c);
    }
    found.extend(line.get(start..));
    found
}

fn closes(c: char) -> bool {
    "，。、；：？！）】」』》〉”’…,.;:?!)]}".contains(c)
}

fn opens(c: char) -> bool {
    "（【「『《〈“‘([{".contains(c)
}

/// Columns on a screen: two for wide characters.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

pub(crate) fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn items_hang_and_links_stay_whole() {
        let link = format!("https://maps.example/{}", "a".repeat(90));
        let text = format!(
            "1. One two three four five six seven eight nine ten eleven twelve thirteen fourteen\n\n\n\n  {link}\n"
        );
        assert_eq!(
            wrap(&text),
            format!(
                "1. One two three four five six seven eight nine ten eleven twelve thirteen\n   fourteen\n\n  {link}\n"
            )
        );
    }

    #[test]
    fn chinese_lines_break_but_not_before_a_stop() {
        let text = "我们".repeat(19) + "。" + &"您".repeat(10);
        let wrapped = wrap(&text);
        assert!(
            wrapped.lines().all(|line| columns(line) <= WIDTH),
            "{wrapped}"
        );
        assert!(wrapped.lines().all(|line| !line.starts_with('。')));
        assert_eq!(wrapped.replace('\n', ""), text);
    }

    proptest! {
        #[test]
        fn no_word_is_lost(text in "[a-z.]{1,12}( [a-z“”我们，]{1,12}){0,60}") {
            let wrapped = wrap(&text);
            let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&wrapped), bare(&text));
            prop_assert!(wrapped.lines().all(|line| columns(line) <= WIDTH));
        }
    }
}
