//! What never alarms: the page around the policy, failed captures, reformatting, slips of the pen,
//! the date line.

use super::{
    language::{LanguageRules, Owner},
    passage::{Act, Passage},
    quantity,
    texts::{Half, Texts},
    words::Word,
};
use crate::read::{Block, BlockKind, Document};

/// Why a passage is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// No change of the policy at all.
    Technical,
    /// The same content.
    Editorial,
}

/// Whether a passage is quiet, told from its words alone.
pub(super) fn quiet(
    passage: &Passage,
    old: &Document,
    new: &Document,
    rules: &LanguageRules,
) -> Option<Quiet> {
    let texts = &passage.texts;
    if obfuscated(texts) {
        return Some(Quiet::Technical);
    }
    if texts.changed() == 0 || texts.same_letters() {
        return Some(Quiet::Editorial);
    }
    if date_only(texts, rules) {
        return Some(Quiet::Editorial);
    }
    if banner(passage, old, new) {
        return Some(Quiet::Technical);
    }
    match passage.act {
        Act::Changed if menu(passage, old, new) => Some(Quiet::Technical),
        Act::Changed => (idle(texts, rules)
            || slip(texts, rules)
            || addresses_of_pages(texts, rules)
            || labels_only(texts, rules))
        .then_some(Quiet::Editorial),
        Act::Added => chrome(passage, &texts.new, new, rules).then_some(Quiet::Technical),
        Act::Removed => chrome(passage, &texts.old, old, rules).then_some(Quiet::Technical),
    }
}

/// Mail addresses hidden from robots (`[email protected]`), or shown again.
pub(super) fn obfuscated(texts: &Texts) -> bool {
    let hidden = |half: &Half| {
        half.words
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.text == "email" && b.text == "protected"))
    };
    (hidden(&texts.old) || hidden(&texts.new))
        && texts.old.fresh().chain(texts.new.fresh()).all(|word| {
            word.text.contains('@')
                || word.text.contains('.')
                || word.text == "email"
                || word.text == "protected"
                || word.text.len() <= 12 && !word.capital && texts.changed() <= 4
        })
}

/// Only words without content differ, and none in which a slip would change the law.
fn idle(texts: &Texts, rules: &LanguageRules) -> bool {
    texts.old.fresh().chain(texts.new.fresh()).all(|word| {
        !rules.marks.is_content(&word.text)
            && !rules.marks.is_protected(&word.text)
            && !rules.user.contains(&word.text)
            && !rules.provider.contains(&word.text)
    })
}

/// Words were spelt or inflected otherwise, or replaced by others that mean the same.
pub(super) fn slip(texts: &Texts, rules: &LanguageRules) -> bool {
    let olds: Vec<&Word> = texts.old.fresh().collect();
    let news: Vec<&Word> = texts.new.fresh().collect();
    let open = |words: &[&Word]| {
        words
            .iter()
            .filter(|w| rules.marks.is_content(&w.text) || rules.marks.is_protected(&w.text))
            .count()
    };
    if open(&olds) > 4 || open(&news) > 4 || open(&olds) != open(&news) || open(&olds) == 0 {
        return false;
    }
    let content = |words: &[&Word]| -> Vec<String> {
        words
            .iter()
            .filter(|w| rules.marks.is_content(&w.text) || rules.marks.is_protected(&w.text))
            .map(|w| w.text.clone())
            .collect()
    };
    content(&olds).iter().zip(content(&news)).all(|(a, b)| {
        rules.synonyms(a, &b)
            || !rules.marks.is_protected(a)
                && !rules.marks.is_protected(&b)
                && a.chars().all(char::is_alphabetic)
                && b.chars().all(char::is_alphabetic)
                && a.chars().next() == b.chars().next()
                && a.chars().count().min(b.chars().count()) >= 4
                && distance(a, &b) <= if a.chars().count() > 6 { 2 } else { 1 }
    })
}

/// Edit distance.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let (Some(&above), Some(&left)) = (row.get(j + 1), row.get(j)) else {
                continue;
            };
            let best = (diagonal + usize::from(x != y))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Only addresses of pages that are printed differ.
fn addresses_of_pages(texts: &Texts, rules: &LanguageRules) -> bool {
    let all = || texts.old.fresh().chain(texts.new.fresh());
    all().any(is_address_of_page)
        && all().all(|word| {
            is_address_of_page(word)
                || !rules.marks.is_content(&word.text) && !rules.marks.is_protected(&word.text)
        })
}

/// `a.example/terms`, `https://a.example`; no mail address, and no name such as `Kite.com`.
fn is_address_of_page(word: &Word) -> bool {
    let text = word.text.as_str();
    !text.contains('@')
        && !word.capital
        && (text.contains('.') && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            || matches!(text, "http" | "https" | "www" | "html" | "pdf" | "htm"))
}

/// Whether a passage opens a consent widget that was captured with the page.
pub(super) fn opens_widget(passage: &Passage) -> bool {
    let half = match passage.act {
        Act::Added => &passage.texts.new,
        Act::Removed => &passage.texts.old,
        Act::Changed => return false,
    };
    let said: Vec<&str> = half.words.iter().map(|w| w.text.as_str()).collect();
    passage.whole
        && said.len() <= 5
        && (said.iter().any(|w| w.starts_with("cookie"))
            && said.iter().any(|w| {
                matches!(
                    *w,
                    "manage" | "settings" | "preferences" | "preference" | "accept"
                )
            })
            || said == ["always", "active"])
}

/// A line that holds a mail address and little else.
pub(super) fn mail_line(passage: &Passage) -> bool {
    passage.act != Act::Changed
        && [&passage.texts.old, &passage.texts.new].iter().all(|half| {
            half.words.len() <= 4
                && (half.words.is_empty() || half.words.iter().any(|w| w.text.contains('@')))
        })
}

/// Only numbers of sections or items differ: `(iii)` and `(iv)`, `4.2` and `4.3` where a section is
/// named. A price or a share is no such number, however it looks.
fn labels_only(texts: &Texts, rules: &LanguageRules) -> bool {
    let labels = |half: &Half| {
        half.words
            .iter()
            .enumerate()
            .filter(|(at, _)| half.changed.get(*at) == Some(&true))
            .all(|(at, word)| {
                let text = word.text.as_str();
                let roman = text.len() <= 5 && text.chars().all(|c| matches!(c, 'i' | 'v' | 'x'));
                let dotted = text.contains('.')
                    && text.chars().all(|c| c.is_ascii_digit() || c == '.')
                    && text.len() <= 6
                    && texts.changed() <= 2;
                roman || dotted && after_a_section(half, at)
            })
    };
    labels(&texts.old) && labels(&texts.new) && quantity::changed(texts, rules).is_none()
}

/// Whether the word before says that a number is that of a section, or there is none.
fn after_a_section(half: &Half, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| half.words.get(i));
    before.is_none_or(|word| {
        matches!(
            word.text.as_str(),
            "section"
                | "sections"
                | "clause"
                | "clauses"
                | "article"
                | "articles"
                | "paragraph"
                | "paragraphs"
                | "part"
                | "parts"
                | "chapter"
                | "annex"
                | "appendix"
                | "schedule"
                | "item"
                | "point"
                | "term"
                | "terms"
                | "rule"
                | "version"
                | "§"
                | "and"
                | "or"
                | "to"
                | "through"
                | ","
                | "("
                | "第"
        )
    })
}

/// Whether a block is nothing but links, as menus are: little text for each.
fn links_only(document: &Document, block: &Block, words: usize) -> bool {
    if block.targets.is_empty() {
        return false;
    }
    let body = document.slice(&block.body).trim();
    let anchors = block.targets.iter().all(|target| {
        document
            .slice(target)
            .trim_start_matches('<')
            .starts_with('#')
    });
    let framed = (body.starts_with('[') || body.starts_with("![")) && body.ends_with(')');
    words
        <= if framed && anchors {
            16
        } else if framed {
            14
        } else {
            6
        } * block.targets.len()
        && !(ends_like_a_sentence(body) && !framed)
}

/// Whether both sides of a change are lines of links.
fn menu(passage: &Passage, old: &Document, new: &Document) -> bool {
    let line = |place: &Option<super::passage::Place>, document: &Document, half: &Half| {
        place
            .as_ref()
            .and_then(|p| document.blocks.get(p.block))
            .is_some_and(|block| links_only(document, block, half.words.len()))
    };
    line(&passage.old, old, &passage.texts.old) && line(&passage.new, new, &passage.texts.new)
}

/// What stands before the document's title or first heading, where that comes within the first
/// blocks; and the title itself.
fn banner(passage: &Passage, old: &Document, new: &Document) -> bool {
    let above = |place: &Option<super::passage::Place>, document: &Document| {
        place.as_ref().is_none_or(|place| {
            place.kind == BlockKind::Title
                || place.kind != BlockKind::Heading
                    && document
                        .blocks
                        .iter()
                        .position(|b| matches!(b.kind, BlockKind::Title | BlockKind::Heading))
                        .is_some_and(|first| place.block < first && first < 12)
        })
    };
    above(&passage.old, old) && above(&passage.new, new)
}

/// Only a date of the document itself differs.
fn date_only(texts: &Texts, rules: &LanguageRules) -> bool {
    let dated = |half: &Half| {
        half.words
            .iter()
            .zip(&half.changed)
            .enumerate()
            .all(|(at, (word, changed))| {
                let text = word.text.as_str();
                let counted = half.words.get(at + 1).is_some_and(|next| {
                    rules.units.contains_key(&next.text) && !next.text.starts_with('年')
                });
                if !changed {
                    return true;
                }
                if counted && !quantity::of_a_date(half, at) {
                    return false;
                }
                rules.marks.is_month(text)
                    || text.bytes().next().is_some_and(|b| b.is_ascii_digit()) && text.len() <= 12
                    || matches!(
                        text,
                        "年" | "月" | "日" | "st" | "nd" | "rd" | "th" | "v" | "version"
                    )
                    || !rules.marks.is_content(text)
                    || stamped(text)
            })
    };
    let line = |half: &Half| {
        half.found
            .iter()
            .any(|f| rules.owner(f.owner) == Some(Owner::DateLine) && f.first < 12)
            && half.words.len() <= 30
            || half.words.len() <= 5
                && half.words.iter().all(|w| {
                    rules.marks.is_month(&w.text) || w.text.bytes().any(|b| b.is_ascii_digit())
                })
    };
    let (old, new) = (!texts.old.words.is_empty(), !texts.new.words.is_empty());
    match (old, new) {
        (true, true) => {
            dated(&texts.old)
                && dated(&texts.new)
                && (line(&texts.old) || line(&texts.new) || calendar(texts, rules))
        }
        (true, false) => texts.old.words.len() <= 14 && line(&texts.old) && digits(&texts.old),
        (false, true) => texts.new.words.len() <= 14 && line(&texts.new) && digits(&texts.new),
        (false, false) => true,
    }
}

/// Print codes such as `stnd0424` or `16-oct-2023`.
fn stamped(text: &str) -> bool {
    text.len() <= 12
        && text.bytes().filter(u8::is_ascii_digit).count() >= 4
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn digits(half: &Half) -> bool {
    half.words
        .iter()
        .any(|w| w.text.bytes().any(|b| b.is_ascii_digit()))
}

/// A short line that is nothing but a date.
fn calendar(texts: &Texts, rules: &LanguageRules) -> bool {
    [&texts.old, &texts.new].iter().all(|half| {
        half.words.len() <= 10
            && half.words.iter().any(|w| {
                rules.marks.is_month(&w.text)
                    || w.text.len() == 4 && w.text.starts_with("20")
                    || stamped(&w.text)
            })
    })
}

/// Whether an added or removed block belongs to the page and not to the policy.
fn chrome(passage: &Passage, half: &Half, document: &Document, rules: &LanguageRules) -> bool {
    let Some(place) = passage.new.as_ref().or(passage.old.as_ref()) else {
        return false;
    };
    let Some(block) = document.blocks.get(place.block) else {
        return false;
    };
    if !passage.whole {
        return false;
    }
    let count = half.words.len();
    let sentence = ends_like_a_sentence(document.slice(&place.span));
    let known = half
        .found
        .iter()
        .any(|f| rules.owner(f.owner) == Some(Owner::Chrome));
    if known && count <= 12 {
        return true;
    }
    let introduced = !passage.intro.is_empty() && lead(document, place.block);
    if links_only(document, block, count) && !introduced {
        return true;
    }
    if half.words.iter().all(is_address_of_page) {
        return true;
    }
    let tells = half
        .found
        .iter()
        .any(|f| matches!(rules.owner(f.owner), Some(Owner::Class(_))));
    !sentence
        && count
            <= if place.kind == BlockKind::ListItem {
                6
            } else {
                12
            }
        && !introduced
        && !tells
        && !matches!(place.kind, BlockKind::TableRow | BlockKind::TableHead)
}

/// Whether the words before a list open it.
fn lead(document: &Document, block: usize) -> bool {
    document
        .blocks
        .get(..block)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(40)
        .find(|b: &&Block| matches!(b.kind, BlockKind::Paragraph))
        .is_some_and(|b| document.plain(b).trim_end().ends_with([':', '：']))
}

/// Whether a text ends as sentences do.
pub(super) fn ends_like_a_sentence(text: &str) -> bool {
    text.trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '_' | ')' | '"' | '”' | '’' | '\'' | '|' | '`')
    })
    .ends_with([
        '.', '!', '?', ':', ';', ',', '。', '；', '：', '！', '？', '，',
    ])
}

/// From which block on one side holds what the other lost because its capture broke off in the
/// middle of a sentence: (old is the broken one, first block of the rest).
pub(super) fn broken_off(old: &Document, new: &Document) -> Option<(bool, usize)> {
    if let Some(at) = broken(old, new) {
        return Some((true, at));
    }
    broken(new, old).map(|at| (false, at))
}

/// `short` ends in the middle of a sentence that goes on in `long`: the block of `long`.
fn broken(short: &Document, long: &Document) -> Option<usize> {
    let last = short
        .blocks
        .iter()
        .rev()
        .find(|block| !short.plain(block).trim().is_empty())?;
    let text = short.plain(last);
    let text = text.trim();
    if ends_like_a_sentence(text) || text.chars().count() < 8 {
        return None;
    }
    let (at, whole) = long.blocks.iter().enumerate().find_map(|(at, block)| {
        let whole = long.plain(block);
        let whole = whole.trim().to_owned();
        (whole.len() > text.len() && whole.starts_with(text)).then_some((at, whole))
    })?;
    let more = long.blocks.len().saturating_sub(at + 1) > 3;
    (more && whole.len() > text.len() + 8).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::rules::RuleSet;

    fn texts(old: &str, new: &str) -> Texts {
        RuleSet::standard()
            .language(Some("en"))
            .unwrap()
            .texts(old, new)
    }

    #[test]
    fn slips_are_quiet_but_not_in_words_that_make_law() {
        let rules = RuleSet::standard().language(Some("en")).unwrap();
        assert!(slip(&texts("We detaining it.", "We detailing it."), rules));
        assert!(slip(&texts("our servers", "our server"), rules));
        assert!(!slip(&texts("we may not", "we may now"), rules));
        assert!(!slip(&texts("you must include", "you must exclude"), rules));
    }

    #[test]
    fn numbers_of_sections_are_quiet_but_not_prices_and_shares() {
        let rules = RuleSet::standard().language(Some("en")).unwrap();
        for (old, new, quiet) in [
            (
                "See Section 4.2 for more.",
                "See Section 4.3 for more.",
                true,
            ),
            ("as in (iii) above", "as in (iv) above", true),
            (
                "The plan costs $9.99 a month.",
                "The plan costs $19.99 a month.",
                false,
            ),
            (
                "The plan costs $9.99 a month.",
                "The plan costs $10.09 a month.",
                false,
            ),
            (
                "We take 2.5% of each sale.",
                "We take 3.5% of each sale.",
                false,
            ),
            (
                "a fee of EUR 4.50 for each",
                "a fee of EUR 5.50 for each",
                false,
            ),
        ] {
            assert_eq!(labels_only(&texts(old, new), rules), quiet, "{old} {new}");
        }
    }

    #[test]
    fn quantities_change_by_little_too_but_not_by_their_unit() {
        let rules = RuleSet::standard().language(Some("en")).unwrap();
        for (old, new, changed) in [
            ("We keep it for 49 years.", "We keep it for 50 years.", true),
            ("It costs $100 a year.", "It costs $101 a year.", true),
            (
                "We keep it for 12 months.",
                "We keep it for one year.",
                false,
            ),
        ] {
            let found = quantity::changed(&texts(old, new), rules).is_some();
            assert_eq!(found, changed, "{old} {new}");
        }
    }

    #[test]
    fn a_date_line_is_quiet_but_not_a_deadline() {
        let rules = RuleSet::standard().language(Some("en")).unwrap();
        assert!(date_only(
            &texts("Last updated: May 1, 2024", "Last updated: June 2, 2025"),
            rules
        ));
        assert!(!date_only(
            &texts(
                "We delete your data within 30 days after you close your account and tell you so.",
                "We delete your data within 90 days after you close your account and tell you so."
            ),
            rules
        ));
    }
}
