//! The language of a document, from a bounded sample of its words.

use whatlang::Lang;

use super::{BlockKind, Document};

/// Bytes of text that are looked at: more make no difference.
const SAMPLE: usize = 1800;
/// Fewer letters than this say nothing.
const FEWEST: usize = 12;

/// Primary BCP 47 language subtag of a document.
pub(super) fn tell(document: &Document) -> Option<String> {
    let mut sample = String::with_capacity(SAMPLE + 256);
    // Running text first; headings, lists and the rest only where there is little of it.
    for running in [true, false] {
        for block in &document.blocks {
            if (block.kind == BlockKind::Paragraph) != running
                || matches!(block.kind, BlockKind::Markup | BlockKind::Code)
            {
                continue;
            }
            for run in &block.runs {
                sample.push_str(document.slice(run));
            }
            sample.push(' ');
            if sample.len() >= SAMPLE {
                break;
            }
        }
        if sample.len() >= SAMPLE / 4 {
            break;
        }
    }
    if sample.len() > SAMPLE {
        let cut = (0..=SAMPLE).rev().find(|i| sample.is_char_boundary(*i));
        sample.truncate(cut.unwrap_or(0));
    }
    of_text(&sample).map(str::to_owned)
}

/// Language of a text.
fn of_text(text: &str) -> Option<&'static str> {
    let (mut han, mut kana, mut hangul) = (0_usize, 0_usize, 0_usize);
    let mut letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    for c in text.chars().filter(|c| !c.is_ascii()) {
        match c {
            '\u{3041}'..='\u{30FF}' => kana += 1,
            '\u{AC00}'..='\u{D7AF}' | '\u{1100}'..='\u{11FF}' => hangul += 1,
            '\u{3400}'..='\u{9FFF}' => han += 1,
            c if c.is_alphabetic() => letters += 1,
            _ => {}
        }
    }
    let cjk = han + kana + hangul;
    // A sign of these scripts says about as much as a short word of an alphabet.
    if cjk * 3 > letters {
        return Some(if hangul > han + kana {
            "ko"
        } else if kana * 8 > cjk {
            "ja"
        } else {
            "zh"
        });
    }
    if letters < FEWEST {
        return None;
    }
    if surely_english(text) {
        return Some("en");
    }
    let info = whatlang::detect(text)?;
    if !info.is_reliable()
        && letters < 400
        && english_words(text) * 6 >= text.split_whitespace().count()
    {
        return Some("en");
    }
    if letters < 40 && !info.is_reliable() {
        return None;
    }
    code(info.lang())
}

/// Whether a text is so full of the small words of English that nothing else can come of a closer
/// look, which takes longer than reading the document: at least 60 words, one in six of them.
fn surely_english(text: &str) -> bool {
    let (mut all, mut english) = (0_usize, 0_usize);
    for word in text.split(|c: char| !c.is_alphabetic()) {
        if word.is_empty() {
            continue;
        }
        all += 1;
        if word.len() > 7 {
            continue;
        }
        english += usize::from(matches!(
            word,
            "the"
                | "of"
                | "and"
                | "we"
                | "you"
                | "your"
                | "our"
                | "with"
                | "this"
                | "that"
                | "We"
                | "The"
                | "You"
                | "Your"
                | "Our"
                | "This"
                | "which"
                | "have"
                | "any"
                | "are"
                | "from"
                | "their"
                | "they"
                | "these"
                | "those"
                | "other"
                | "when"
                | "what"
                | "how"
                | "who"
                | "about"
                | "not"
                | "may"
                | "will"
                | "has"
                | "been"
                | "such"
                | "through"
        ));
    }
    all >= 60 && english * 6 >= all
}

/// How many of the words are the small ones that only English has.
fn english_words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| {
            matches!(
                word.to_ascii_lowercase().as_str(),
                "the"
                    | "of"
                    | "and"
                    | "we"
                    | "you"
                    | "your"
                    | "our"
                    | "to"
                    | "with"
                    | "this"
                    | "is"
                    | "policy"
                    | "how"
            )
        })
        .count()
}

fn code(lang: Lang) -> Option<&'static str> {
    Some(match lang {
        Lang::Eng => "en",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Por => "pt",
        Lang::Nld => "nl",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Ron => "ro",
        Lang::Hun => "hu",
        Lang::Fin => "fi",
        Lang::Est => "et",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "nb",
        Lang::Tur => "tr",
        Lang::Ell => "el",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Pes => "fa",
        Lang::Urd => "ur",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Mar => "mr",
        Lang::Guj => "gu",
        Lang::Pan => "pa",
        Lang::Mal => "ml",
        Lang::Kan => "kn",
        Lang::Sin => "si",
        Lang::Nep => "ne",
        Lang::Tha => "th",
        Lang::Khm => "km",
        Lang::Mya => "my",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Jav => "jv",
        Lang::Tgl => "tl",
        Lang::Cat => "ca",
        Lang::Afr => "af",
        Lang::Epo => "eo",
        Lang::Lat => "la",
        Lang::Kat => "ka",
        Lang::Hye => "hy",
        Lang::Aze => "az",
        Lang::Uzb => "uz",
        Lang::Tuk => "tk",
        Lang::Amh => "am",
        Lang::Yid => "yi",
        Lang::Ori => "or",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn languages_of_short_and_mixed_texts() {
        for (text, language) in [
            ("We collect your name and your address.", Some("en")),
            ("Privacy Policy. How we use the data of you.", Some("en")),
            ("我们会收集您的姓名和地址，并且使用 cookies。", Some("zh")),
            ("当社はお客様の氏名と住所を収集します。", Some("ja")),
            ("우리는 귀하의 이름과 주소를 수집합니다.", Some("ko")),
            (
                "Wir erheben personenbezogene Daten, wenn Sie unsere Dienste nutzen und ein Konto anlegen.",
                Some("de"),
            ),
            (
                "Nous recueillons vos données lorsque vous utilisez nos services et créez un compte.",
                Some("fr"),
            ),
            (
                "We keep the data that you give us for as long as you have an account with us, and \
                 we erase it when you ask us to. Any of our partners that process your data for us \
                 are bound by this policy and by the terms which we agreed with them. You may ask \
                 us for a list of the partners and of the data that we have about you.",
                Some("en"),
            ),
            ("12345", None),
            ("", None),
        ] {
            assert_eq!(of_text(text), language, "{text}");
        }
    }
}
