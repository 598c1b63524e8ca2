//! Wording and plain language of our own words.

use super::{Outcome, seen::Seen};

/// Words of a sentence in the mean; for Chinese, characters.
const SENTENCE: f64 = 20.0;
const SENTENCE_CHINESE: f64 = 45.0;
/// Flesch-Kincaid grade to stay at or below.
const GRADE: f64 = 9.0;

pub(super) fn neutral(seen: &Seen<'_>) -> Outcome {
    let adverse = seen.items.iter().any(|item| item.direction == "adverse");
    if !adverse {
        return Ok("no change is worse for the reader".to_owned());
    }
    none_of(seen, "praise", "the text praises")
}

pub(super) fn no_advertising(seen: &Seen<'_>) -> Outcome {
    none_of(seen, "advertising", "the text advertises")
}

pub(super) fn no_unsubscribe(seen: &Seen<'_>) -> Outcome {
    none_of(seen, "unsubscribe", "the text offers to unsubscribe")
}

fn none_of(seen: &Seen<'_>, list: &str, what: &str) -> Outcome {
    match seen
        .wording
        .and_then(|wording| wording.find(list, &seen.own))
    {
        Some(found) => Err(format!("{what}: `{found}`")),
        None => Ok(String::new()),
    }
}

pub(super) fn why_received(seen: &Seen<'_>) -> Outcome {
    match seen.wording {
        Some(wording) if wording.find("why_received", &seen.own).is_none() => {
            Err("the mail does not say why the reader gets it".to_owned())
        }
        _ => Ok(String::new()),
    }
}

pub(super) fn sentences(seen: &Seen<'_>) -> Outcome {
    let figures = Figures::of(&seen.own);
    let is_chinese = super::super::context::primary(seen.language) == "zh";
    let (mean, bar, unit) = if is_chinese {
        (
            figures.letters_per_sentence(),
            SENTENCE_CHINESE,
            "characters",
        )
    } else {
        (figures.words_per_sentence(), SENTENCE, "words")
    };
    let said = format!("{mean:.1} {unit} a sentence in the mean");
    if mean > bar {
        Err(format!("{said}, at most {bar} are wanted"))
    } else {
        Ok(said)
    }
}

pub(super) fn grade(seen: &Seen<'_>) -> Outcome {
    if super::super::context::primary(seen.language) != "en" {
        return Ok("there is no grade for this language".to_owned());
    }
    let grade = Figures::of(&seen.own).grade();
    let said = format!("grade {grade:.1}");
    if grade > GRADE {
        Err(format!("{said}, at most {GRADE} is wanted"))
    } else {
        Ok(said)
    }
}

/// Counts of a text.
#[derive(Debug, Default)]
pub(super) struct Figures {
    sentences: usize,
    words: usize,
    syllables: usize,
    letters: usize,
}

impl Figures {
    pub(super) fn of(text: &str) -> Self {
        let mut figures = Self::default();
        let mut open = false;
        for token in text.split_whitespace() {
            if token.contains("://") || token.contains('@') {
                continue;
            }
            let word: String = token.chars().filter(|c| c.is_alphanumeric()).collect();
            if !word.is_empty() {
                figures.words += 1;
                figures.syllables += syllables(&word);
                figures.letters += word.chars().count();
                open = true;
            }
            let wide = token
                .matches(['。', '！', '？', '；', '【', '】', '：'])
                .count();
            if wide > 0 {
                figures.sentences += wide;
                open = false;
            } else if open && token.ends_with(['.', '!', '?', ':', ';', ')']) {
                figures.sentences += 1;
                open = false;
            }
        }
        if open || figures.sentences == 0 {
            figures.sentences += 1;
        }
        figures
    }

    pub(super) fn words_per_sentence(&self) -> f64 {
        ratio(self.words, self.sentences)
    }

    pub(super) fn letters_per_sentence(&self) -> f64 {
        ratio(self.letters, self.sentences)
    }

    /// Flesch-Kincaid grade level: 0.39 words a sentence + 11.8 syllables a word - 15.59.
    pub(super) fn grade(&self) -> f64 {
        0.39 * self.words_per_sentence() + 11.8 * ratio(self.syllables, self.words) - 15.59
    }
}

fn ratio(a: usize, b: usize) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

/// Syllables of an English word: groups of vowels, without a silent end.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    let is_vowel = |c: char| "aeiouy".contains(c);
    let mut count = 0;
    let mut before = false;
    for c in word.chars() {
        let vowel = is_vowel(c);
        if vowel && !before {
            count += 1;
        }
        before = vowel;
    }
    let silent = (word.ends_with('e') && !word.ends_with("le"))
        || (word.ends_with("es") || word.ends_with("ed"))
            && !word.ends_with("ted")
            && !word.ends_with("ded")
            && !word.ends_with("ses")
            && !word.ends_with("ces")
            && !word.ends_with("ges");
    if silent && count > 1 {
        count -= 1;
    }
    count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted_as_people_speak() {
        for (word, count) in [
            ("change", 1),
            ("changes", 2),
            ("policy", 3),
            ("document", 3),
            ("advertising", 4),
            ("take", 1),
            ("kept", 1),
            ("title", 2),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }

    #[test]
    fn short_sentences_have_a_low_grade() {
        let figures = Figures::of("We change this text. You can say no. It starts in May.");
        assert_eq!((figures.sentences, figures.words), (3, 12));
        assert!(figures.grade() < 2.0, "{}", figures.grade());
    }
}
