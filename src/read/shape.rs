//! What a line looks like, and how much that speaks for or against its being a heading.

use std::collections::BTreeMap;

use super::{
    BlockKind,
    assemble::Piece,
    label::{Delimiter, Style},
    series::AllSeries,
};

macro_rules! features {
    ($($(#[$meta:meta])* $name:ident = $first:literal, $second:literal;)*) => {
        /// Traits of a line, each with the weight that it has for being a heading.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Feature { $($(#[$meta])* $name,)* }
        /// Weights of all traits at the first look, in hundredths of a logit.
        const FIRST: &[i32] = &[$($first,)*];
        /// Weights of all traits at the second look, when the company is known.
        const SECOND: &[i32] = &[$($second,)*];
        /// Names of all traits.
        #[cfg(test)]
        pub(super) const FEATURES: &[&str] = &[$(stringify!($name),)*];
    };
}

features! {
    /// Every line.
    Any = -224, -243;
    /// At most 3 characters.
    Tiny = 7, -16;
    /// 4 to 25 characters.
    Short = 71, 72;
    /// 26 to 60 characters.
    Medium = 74, 78;
    /// 61 to 100 characters.
    Long = 7, 16;
    /// 101 to 160 characters.
    Longer = -135, -138;
    /// More than 160 characters.
    Endless = -248, -254;
    /// Ends with a full stop.
    EndsStop = -148, -138;
    /// Ends with a colon.
    EndsColon = -167, -138;
    /// Ends with a question mark.
    EndsQuestion = 182, 121;
    /// Ends with comma, semicolon, "and" or "or".
    EndsOpen = -161, -128;
    /// Ends with another mark.
    EndsOther = 15, 8;
    /// Starts with a small letter.
    StartsLower = -57, -70;
    /// All letters are capitals.
    AllCaps = 99, 59;
    /// Most words start with a capital.
    TitleCase = 28, 3;
    /// One word.
    OneWord = 68, 67;
    /// Starts with neither letter nor number.
    StartsMark = -42, -45;
    /// A label `1.`
    LabelNumber = 107, 59;
    /// A label `1.2`
    LabelDeep = -112, -157;
    /// A label `IV.`
    LabelRoman = 54, 43;
    /// A label `A.`
    LabelUpper = 104, 65;
    /// A label `a.` or `i.`
    LabelLower = 142, 152;
    /// A label `1)`
    LabelClose = -53, -40;
    /// A label `(1)`
    LabelBoth = -132, -80;
    /// A label `Article 5`
    LabelWord = 142, 84;
    /// A label without any mark after it.
    LabelBare = 89, 44;
    /// A bullet.
    Bullet = -379, -324;
    /// Indented.
    Indented = -48, -51;
    /// Blank before, in a text with few blank lines.
    RareBlankBefore = 425, 364;
    /// No blank before, in a text with few blank lines.
    RareNoBlankBefore = -21, -7;
    /// Blank after, in a text with few blank lines.
    RareBlankAfter = -291, -306;
    /// No blank before, in a text with many.
    DenseNoBlankBefore = 0, 0;
    /// The next line is running text.
    NextRunning = 32, 21;
    /// The next line is as short and as open.
    NextShort = -57, -66;
    /// The next line is a bullet.
    NextBullet = -117, -116;
    /// The next line has a deeper label.
    NextDeeper = 46, 48;
    /// There is no next line.
    NextNone = -132, -124;
    /// The line before ends with a colon.
    AfterColon = -94, -82;
    /// The line before is running text.
    AfterRunning = 107, 124;
    /// The line before is as short and as open.
    AfterShort = -51, -56;
    /// The line before is a bullet.
    AfterBullet = 63, 74;
    /// Among the first three lines.
    Top = 72, 41;
    /// Its series of labels looks like headings.
    SeriesHeads = 99, 15;
    /// Its series of labels has no text in between.
    SeriesTight = -164, -64;
    /// Its series of labels is running text.
    SeriesRunning = 118, 53;
    /// A list of contents names it.
    Announced = 26, 57;
    /// The same line stands three times or more.
    Repeated = -76, -82;
    /// An address of a page or a mailbox.
    Address = -114, -101;
    /// A year.
    Year = -88, -104;
    /// A phone number, a postal code: many digits.
    Digits = -127, -113;
    /// Starts with "we", "you", "it".
    StartsPronoun = 3, 8;
    /// Starts with "how", "what", "who".
    StartsQuestion = 45, 30;
    /// Holds "is", "are", "will", "may".
    Verb = -53, -57;
    /// In the last twentieth.
    Bottom = 6, 15;
    /// A colon inside, then more words.
    ColonInside = -61, -60;
    /// The next line starts with a small letter.
    NextLower = -175, -167;
    /// Short and open, and running text follows.
    ShortThenRunning = 112, 101;
    /// Short and open between two lines that are so too.
    ShortAmongShort = 9, 34;
    /// Short and open after a rare blank line, and running text follows.
    RareShortThenRunning = 101, 106;
    /// Set in bold.
    Bold = 0, 0;
    /// An ordinal label, short and open, with running text after it.
    LabelThenRunning = -187, -189;
    /// A word that names kinds of documents.
    Name = 40, 41;
    /// Words that headings of policies are made of.
    Subject = 63, 56;
    /// Short and open, in a text with many blank lines.
    DenseOpen = 41, 14;
    /// The same, and running text follows.
    DenseOpenThenRunning = 40, 25;
    /// The same, and a bullet follows.
    DenseOpenThenBullet = 136, 124;
    /// The same, and a line that is so too follows.
    DenseOpenThenOpen = 45, 53;
    /// Short and open after a rare blank line.
    RareOpenBlank = 43, 0;
    /// Short and open without a blank line before, and running text follows.
    RareOpenThenRunning = -29, -30;
    /// The same, and a bullet follows.
    RareOpenThenBullet = 158, 105;
    /// Most words capitalised, and running text follows.
    TitleThenRunning = -23, -2;
    /// Only the first word capitalised, several words, and running text follows.
    SentenceThenRunning = -10, 3;
    /// Short and open, but starts as a sentence does.
    PronounOpen = -88, -82;
    /// Short and open, but holds a verb and asks nothing.
    VerbOpen = -47, -48;
    /// A label `1.`, short and open.
    NumberOpen = -47, -27;
    /// A label `1.` and running text.
    NumberRunning = -63, -36;
    /// A label `1.2`, short and open.
    DeepOpen = 194, 202;
    /// Ends with a colon, and a bullet follows.
    ColonThenBullet = -56, -45;
    /// Ends with a colon, short, most words capitalised.
    ColonTitle = 27, 35;
    /// A short line with a full stop, most words capitalised.
    ShortSentence = 24, 18;
    /// Short and open between two lines of running text.
    ShortAfterRunning = -71, -73;
    /// The first line.
    First = -46, -52;
    /// Short and open, and a line with a colon at its end follows.
    OpenThenColon = 105, 105;
    /// The same, and then a bullet.
    OpenThenColonBullet = 41, 36;
    /// Among the first three lines, and named as policies are.
    TopName = 120, 110;
    /// At least five of the six lines around are short.
    Crowd = -66, -59;
    /// At least three of the four lines around are running text.
    Island = 30, 28;
    /// In a crowd of short lines, with a label of a series of headings.
    CrowdLabelled = 58, 45;
    /// Short and open, and a line with a colon inside follows.
    OpenThenDefinition = -5, -2;
    /// Most words in small letters, no label.
    LowerInside = -39, -29;
    /// Further in than the text's own margin, without a bullet.
    Inset = -250, -175;
    /// A label, further in than the text's own margin.
    InsetLabel = -259, -183;
    /// A label at the margin, in a text whose lists stand further in.
    FlushLabel = 88, 45;
    /// No blank line before, directly under running text, in a text whose blank lines set off headings.
    UnderText = -290, -240;
    /// No blank line before, directly under an item, in such a text.
    UnderItem = 163, 164;
    /// No blank line before, directly under a line that is set off, in such a text.
    UnderSetOff = 217, 147;
    /// Starts with "see", "learn", "back": a link elsewhere.
    Pointer = -159, -144;
    /// One word that no dictionary holds: capitals inside, digits, underscores.
    Token = 2, -4;
    /// Speaks of the day of the text.
    Dated = -24, -26;
    /// No label, in a text that a long series of labelled headings divides.
    PlainAmongLabelled = -83, -58;
    /// Not in capitals, in a text with many short lines in capitals.
    PlainAmongCaps = -76, -95;
    /// Two lines of the six around stand in the text again and again.
    NearRepeated = -69, -25;
    /// Hardly a line of the sixteen around is running text.
    Desert = -90, -78;
    /// Hardly a line of the sixteen around is running text, and running text follows.
    DesertRunning = 9, 18;
    /// A label, and hardly a line of the sixteen around is running text.
    DesertLabel = 56, 33;
    /// A short line with a full stop, after running text and before running text.
    ShortSentenceBetween = -12, -20;
    /// Two to five words.
    FewWords = 37, 35;
    /// More than nine words.
    ManyWords = -25, -23;
    /// Most lines that look the same are headings.
    KindLikely = 0, 84;
    /// Some lines that look the same are headings.
    KindMixed = 0, -16;
    /// Hardly a line that looks the same is a heading.
    KindUnlikely = 0, -70;
    /// Lines that look the same stand side by side.
    KindClustered = 0, -28;
    /// Lines that look the same stand apart.
    KindApart = 0, 41;
    /// Most lines of its series of labels are headings.
    SeriesLikely = 0, 126;
    /// Hardly a line of its series of labels is a heading.
    SeriesUnlikely = 0, -29;
    /// The next line looks like a heading.
    BeforeHeading = 0, 30;
    /// The line before looks like a heading.
    AfterHeading = 0, 96;
    /// No line before looks like a heading.
    AfterLikelyTitle = 0, 83;
}

/// The traits that are known at the first look.
#[cfg(test)]
pub(super) const FIRST_ONLY: u128 = (1 << Feature::KindLikely as u32) - 1;

#[cfg(test)]
thread_local! {
    static TRIED: std::cell::RefCell<Option<(Vec<i32>, Vec<i32>)>> =
        const { std::cell::RefCell::new(None) };
}

/// Tries other weights for both looks on this thread; none: those that are built in.
#[cfg(test)]
pub(super) fn set_weights(weights: Option<(Vec<i32>, Vec<i32>)>) {
    TRIED.set(weights);
}

/// The traits of one line, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape(pub u128);

impl Shape {
    /// Whether it has a trait.
    pub fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    fn set(&mut self, feature: Feature, on: bool) {
        if on {
            self.0 |= 1 << feature as u32;
        } else {
            self.0 &= !(1 << feature as u32);
        }
    }

    /// How much speaks for a heading at the first look, in hundredths of a logit.
    pub fn first(self) -> i32 {
        #[cfg(test)]
        if let Some(sum) = TRIED.with_borrow(|t| t.as_ref().map(|t| self.sum(&t.0))) {
            return sum;
        }
        self.sum(FIRST)
    }

    /// How much speaks for a heading when its company is known; above 0 more than against it.
    pub fn second(self) -> i32 {
        #[cfg(test)]
        if let Some(sum) = TRIED.with_borrow(|t| t.as_ref().map(|t| self.sum(&t.1))) {
            return sum;
        }
        self.sum(SECOND)
    }

    fn sum(self, weights: &[i32]) -> i32 {
        let mut bits = self.0;
        let mut sum = 0;
        while bits != 0 {
            sum += weights
                .get(bits.trailing_zeros() as usize)
                .copied()
                .unwrap_or(0);
            bits &= bits - 1;
        }
        sum
    }
}

/// What is seen of a line without its neighbours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    shape: Shape,
    /// Short and ends like no sentence.
    pub open: bool,
    /// Ends like a sentence, or is long.
    pub running: bool,
    /// A bullet.
    bullet: bool,
    lower: bool,
    colon: bool,
    depth: usize,
    after_blank: bool,
    words: bool,
    /// Columns of white space before it.
    indent: u8,
}

impl Line {
    /// Belongs to a list: a bullet, or further in than the margin.
    fn item(&self, margin: u8) -> bool {
        self.bullet || self.indent > margin
    }
}

/// Longest body of which more than its ends is looked at.
const LOOKED_AT: usize = 240;

/// Looks at a line.
pub(super) fn line(text: &str, piece: &Piece, closely: bool) -> Line {
    use Feature as F;
    let mut line = Line {
        after_blank: piece.leaf.after_blank,
        bullet: piece.bullet,
        depth: piece.label.as_ref().map_or(0, |l| l.values.len()),
        words: piece.leaf.kind != BlockKind::Markup,
        indent: piece.leaf.indent,
        ..Line::default()
    };
    let whole = text.get(piece.body.clone()).unwrap_or_default().trim();
    let closing =
        |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '"' | '”' | '’' | ')' | ']' | '\'');
    let bare = whole.trim_end_matches(closing);
    let end = if whole.ends_with([')', '"', '”']) && !bare.ends_with(['.', ';', ',', ':']) {
        None
    } else {
        bare.chars().next_back()
    };
    let long = whole.len() > LOOKED_AT;
    let length = if long {
        LOOKED_AT
    } else if whole.is_ascii() {
        whole.len()
    } else {
        // Signs of scripts without spaces weigh as three letters.
        whole
            .chars()
            .map(|c| if c > '\u{2E80}' { 3 } else { 1 })
            .sum()
    };
    let s = &mut line.shape;
    s.set(F::Any, true);
    s.set(
        match length {
            0..=3 => F::Tiny,
            4..=25 => F::Short,
            26..=60 => F::Medium,
            61..=100 => F::Long,
            101..=160 => F::Longer,
            _ => F::Endless,
        },
        true,
    );
    let stop = matches!(end, Some('.' | '。' | '!' | '！'));
    let colon = matches!(end, Some(':' | '：'));
    let comma = matches!(end, Some(',' | ';' | '；' | '、' | '，'))
        || bare.ends_with(" and")
        || bare.ends_with(" or")
        || bare.eq_ignore_ascii_case("or")
        || bare.eq_ignore_ascii_case("and");
    line.colon = colon;
    s.set(F::EndsStop, stop);
    s.set(F::EndsColon, colon);
    s.set(F::EndsQuestion, matches!(end, Some('?' | '？')));
    s.set(F::EndsOpen, comma);
    s.set(
        F::EndsOther,
        end.is_some_and(|c| !c.is_alphanumeric() && !matches!(c, '?' | '？' | '%'))
            && !stop
            && !colon
            && !comma,
    );
    let start = whole.trim_start_matches(['*', '_', '"', '“', '‘', '[', '(']);
    let first = start.chars().next();
    line.lower = first.is_some_and(char::is_lowercase);
    s.set(F::StartsLower, line.lower);
    s.set(
        F::StartsMark,
        whole
            .chars()
            .next()
            .is_some_and(|c| !c.is_alphanumeric() && !matches!(c, '*' | '_' | '“' | '"')),
    );
    if closely && !long {
        words(s, whole);
    }
    s.set(F::Bullet, piece.bullet);
    s.set(F::Bold, piece.leaf.bold);
    s.set(F::Indented, piece.leaf.depth > 0 || piece.leaf.listed);
    if let Some(label) = &piece.label {
        s.set(F::LabelWord, label.word.is_some());
        let feature = match (label.style, label.delimiter) {
            (_, Delimiter::Both) => F::LabelBoth,
            (_, Delimiter::Close) => F::LabelClose,
            (Style::Decimal | Style::Cjk | Style::Circled, _) if label.values.len() > 1 => {
                F::LabelDeep
            }
            (_, Delimiter::None) => F::LabelBare,
            (Style::Decimal | Style::Cjk | Style::Circled, _) => F::LabelNumber,
            (Style::UpperRoman, _) => F::LabelRoman,
            (Style::UpperLetter, _) => F::LabelUpper,
            (Style::LowerLetter | Style::LowerRoman, _) => F::LabelLower,
        };
        s.set(feature, true);
    }
    line.running = length > 100 || stop && length > 40;
    line.open = length <= 100 && !stop && !comma && !piece.bullet && length > 0 && !line.lower;
    line
}

/// Whether a word, in small letters, says what a section of a policy is about.
fn is_subject(word: &str) -> bool {
    matches!(
        word,
        "introduction"
            | "overview"
            | "definitions"
            | "contact"
            | "security"
            | "cookies"
            | "children"
            | "changes"
            | "rights"
            | "retention"
            | "sharing"
            | "disclosure"
            | "collection"
            | "transfers"
            | "transfer"
            | "liability"
            | "warranty"
            | "warranties"
            | "disclaimer"
            | "disclaimers"
            | "indemnification"
            | "indemnity"
            | "termination"
            | "law"
            | "disputes"
            | "arbitration"
            | "miscellaneous"
            | "privacy"
            | "information"
            | "data"
            | "use"
            | "payment"
            | "fees"
            | "license"
            | "content"
            | "property"
            | "notice"
            | "policy"
            | "terms"
            | "scope"
            | "consent"
            | "marketing"
            | "advertising"
            | "general"
            | "amendments"
            | "modifications"
            | "eligibility"
            | "account"
            | "services"
            | "confidentiality"
            | "severability"
            | "assignment"
            | "access"
            | "choices"
    )
}

/// The letters of a word.
#[derive(Default)]
struct Cased {
    ascii: bool,
    letters: usize,
    upper: usize,
    lower: bool,
    /// A capital that is not the first character.
    upper_inside: bool,
}

impl Cased {
    fn of(word: &str) -> Self {
        let mut cased = Self {
            ascii: word.is_ascii(),
            ..Self::default()
        };
        if cased.ascii {
            for (at, byte) in word.bytes().enumerate() {
                let (upper, lower) = (byte.is_ascii_uppercase(), byte.is_ascii_lowercase());
                cased.add(at, upper || lower, upper, lower);
            }
        } else {
            for (at, c) in word.chars().enumerate() {
                cased.add(at, c.is_alphabetic(), c.is_uppercase(), c.is_lowercase());
            }
        }
        cased
    }

    fn add(&mut self, at: usize, letter: bool, upper: bool, lower: bool) {
        self.letters += usize::from(letter);
        self.upper += usize::from(upper);
        self.lower |= lower;
        self.upper_inside |= upper && at > 0;
    }
}

fn words(s: &mut Shape, whole: &str) {
    use Feature as F;
    let (mut count, mut capital, mut content, mut upper, mut letters, mut digits) =
        (0, 0, 0, 0, 0_usize, 0_usize);
    let mut token = false;
    let mut dated = false;
    let mut verb = false;
    let mut subject = false;
    let mut name = false;
    let mut year = false;
    let mut first = String::new();
    for word in whole.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’') {
        let Some(c) = word.chars().next() else {
            continue;
        };
        count += 1;
        if c.is_alphabetic() {
            let small = word.len() <= 3 && count > 1 && c.is_lowercase();
            if !small {
                content += 1;
                capital += usize::from(c.is_uppercase());
            }
        }
        let figures = word.bytes().filter(u8::is_ascii_digit).count();
        let cased = Cased::of(word);
        letters += cased.letters;
        upper += cased.upper;
        digits += figures;
        token |= figures > 0 || cased.upper_inside && cased.lower;
        year |= figures == 4 && (word.starts_with("19") || word.starts_with("20"));
        if word.len() <= 16 {
            let folded: String;
            let lower = if !cased.ascii {
                folded = word.to_lowercase();
                folded.as_str()
            } else if cased.upper > 0 {
                folded = word.to_ascii_lowercase();
                folded.as_str()
            } else {
                word
            };
            verb |= count > 1
                && matches!(
                    lower,
                    "is" | "are"
                        | "will"
                        | "may"
                        | "must"
                        | "can"
                        | "have"
                        | "has"
                        | "shall"
                        | "was"
                        | "were"
                        | "agree"
                        | "should"
                        | "be"
                );
            subject |= is_subject(lower);
            name |= matches!(
                lower,
                "policy"
                    | "policies"
                    | "terms"
                    | "agreement"
                    | "notice"
                    | "conditions"
                    | "statement"
                    | "guidelines"
                    | "contract"
                    | "rules"
            );
            dated |= count <= 3
                && matches!(
                    lower,
                    "updated" | "effective" | "revised" | "modified" | "version" | "versions"
                );
            if count == 1 {
                lower.clone_into(&mut first);
            }
        }
    }
    s.set(F::OneWord, count == 1);
    s.set(F::FewWords, (2..=5).contains(&count));
    s.set(F::ManyWords, count > 9);
    s.set(
        F::Token,
        count <= 2 && (token || whole.contains('_') || upper == 0),
    );
    s.set(F::Dated, dated);
    s.set(
        F::Pointer,
        matches!(
            first.as_str(),
            "see"
                | "learn"
                | "read"
                | "click"
                | "visit"
                | "go"
                | "back"
                | "return"
                | "next"
                | "previous"
                | "view"
                | "download"
                | "skip"
                | "more"
                | "find"
                | "get"
                | "show"
                | "hide"
                | "print"
                | "example"
                | "examples"
        ),
    );
    s.set(F::AllCaps, letters >= 4 && upper * 10 >= letters * 9);
    s.set(
        F::TitleCase,
        content >= 2 && capital * 10 >= content * 8 && upper * 10 < letters * 9,
    );
    s.set(F::Verb, verb);
    s.set(F::Subject, subject);
    s.set(F::Name, name);
    s.set(F::Year, year);
    s.set(F::Digits, digits * 4 > letters && digits > 2);
    s.set(
        F::StartsPronoun,
        matches!(
            first.as_str(),
            "we" | "you"
                | "i"
                | "it"
                | "they"
                | "this"
                | "these"
                | "if"
                | "for"
                | "by"
                | "in"
                | "please"
                | "see"
                | "such"
                | "any"
                | "to"
        ),
    );
    s.set(
        F::StartsQuestion,
        matches!(
            first.as_str(),
            "how"
                | "what"
                | "why"
                | "who"
                | "when"
                | "where"
                | "which"
                | "do"
                | "does"
                | "can"
                | "is"
                | "are"
                | "whom"
                | "with"
        ),
    );
    s.set(
        F::Address,
        whole.contains('@') || whole.contains("http") || whole.contains("www."),
    );
    s.set(
        F::ColonInside,
        whole
            .find(": ")
            .is_some_and(|at| at > 0 && at + 2 < whole.trim_end().len()),
    );
}

/// What is known of the whole text.
pub(super) struct Surroundings<'a> {
    /// Lines without their neighbours.
    pub lines: &'a [Line],
    /// Series of labels.
    pub series: &'a AllSeries,
    /// Whether a list of contents names the piece.
    pub announced: &'a dyn Fn(usize) -> bool,
    /// Whether the same line stands three times or more.
    pub repeated: &'a dyn Fn(usize) -> bool,
    /// Most lines have a blank line before them.
    pub dense: bool,
    /// What holds for the whole text.
    pub habits: Habits,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits {
    /// Least columns of white space before a line with words.
    margin: u8,
    /// Blank lines are few, but there are some: they set off headings.
    sets_off: bool,
    /// Lists stand further in.
    insets: bool,
    /// A long series of labelled headings divides it.
    labelled: bool,
    /// Many short lines are in capitals.
    capitals: bool,
}

impl Habits {
    /// Looks at all lines.
    pub fn of(lines: &[Line], series: &AllSeries, dense: bool) -> Self {
        let with_words = || lines.iter().filter(|l| l.words);
        let margin = with_words().map(|l| l.indent).min().unwrap_or(0);
        let count = with_words().count();
        let blanks = with_words().filter(|l| l.after_blank).count();
        let open = with_words().filter(|l| l.open).count();
        let capitals = with_words()
            .filter(|l| l.open && l.shape.has(Feature::AllCaps))
            .count();
        Self {
            margin,
            sets_off: !dense && blanks > 3 && blanks * 2 < count,
            insets: with_words().filter(|l| l.indent > margin).count() > 3,
            labelled: series.series.iter().any(|s| {
                let ends = s.members.first().zip(s.members.last());
                s.members.len() > 3
                    && s.heads()
                    && ends.is_some_and(|(first, last)| (last - first) * 2 > lines.len())
            }),
            capitals: capitals > 3 && capitals * 5 > open,
        }
    }
}

/// All traits of a line, with those that its neighbours give it.
pub(super) fn shape(around: &Surroundings<'_>, i: usize) -> Shape {
    use Feature as F;
    let Some(line) = around.lines.get(i) else {
        return Shape::default();
    };
    let mut s = line.shape;
    let count = around.lines.len();
    let next = around.lines.iter().skip(i + 1).take(3).find(|l| l.words);
    let before = around
        .lines
        .get(i.saturating_sub(3)..i)
        .and_then(|l| l.iter().rev().find(|l| l.words));
    let rare = !around.dense;
    s.set(F::RareBlankBefore, rare && line.after_blank);
    s.set(F::RareNoBlankBefore, rare && !line.after_blank);
    s.set(F::DenseNoBlankBefore, !rare && !line.after_blank);
    s.set(F::NextNone, next.is_none());
    if let Some(next) = next {
        s.set(F::RareBlankAfter, rare && next.after_blank);
        s.set(F::NextRunning, next.running && !next.bullet);
        s.set(F::NextShort, next.open);
        s.set(F::NextBullet, next.bullet);
        s.set(F::NextDeeper, line.depth > 0 && next.depth > line.depth);
        s.set(F::NextLower, next.lower && !next.bullet);
        s.set(
            F::ShortThenRunning,
            line.open && next.running && !next.bullet,
        );
        s.set(
            F::RareShortThenRunning,
            line.open && rare && line.after_blank && next.running && !next.bullet,
        );
        s.set(
            F::LabelThenRunning,
            line.open && line.depth > 0 && next.running,
        );
    }
    if let Some(before) = before {
        s.set(F::AfterColon, before.colon);
        s.set(F::AfterRunning, before.running && !before.bullet);
        s.set(F::AfterShort, before.open);
        s.set(F::AfterBullet, before.bullet);
        s.set(
            F::ShortAmongShort,
            line.open && before.open && next.is_some_and(|n| n.open),
        );
    }
    combine(&mut s, line, next, before, rare);
    setting(&mut s, line, before, &around.habits);
    let near = |range: std::ops::Range<usize>| {
        around
            .lines
            .get(range.start.min(count)..range.end.min(count))
            .unwrap_or_default()
            .iter()
    };
    let beside = |reach: usize| near(i.saturating_sub(reach)..i).chain(near(i + 1..i + 1 + reach));
    let crowd = beside(3)
        .filter(|l| l.open || l.bullet && !l.running)
        .count()
        >= 5;
    s.set(F::Crowd, crowd);
    s.set(F::Island, beside(2).filter(|l| l.running).count() >= 3);
    s.set(F::OpenThenColon, line.open && next.is_some_and(|n| n.colon));
    s.set(
        F::OpenThenColonBullet,
        line.open
            && next.is_some_and(|n| n.colon)
            && around.lines.get(i + 2).is_some_and(|l| l.bullet),
    );
    let wide = beside(8).filter(|l| l.words).count();
    let desert = wide > 8 && beside(8).filter(|l| l.running).count() * 6 <= wide;
    s.set(F::Desert, desert && line.open);
    s.set(
        F::DesertRunning,
        desert && line.open && next.is_some_and(|n| n.running && !n.bullet),
    );
    s.set(F::DesertLabel, desert && line.open && line.depth > 0);
    let again = (i.saturating_sub(3)..i)
        .chain(i + 1..(i + 4).min(count))
        .filter(|k| (around.repeated)(*k))
        .count();
    s.set(F::NearRepeated, again > 1);
    s.set(F::TopName, i < 3 && line.open && s.has(F::Name));
    s.set(
        F::OpenThenDefinition,
        line.open && next.is_some_and(|n| n.shape.has(F::ColonInside)),
    );
    s.set(
        F::LowerInside,
        line.open
            && line.depth == 0
            && !s.has(F::TitleCase)
            && !s.has(F::AllCaps)
            && !s.has(F::OneWord),
    );
    s.set(F::First, i == 0);
    s.set(F::Top, i < 3);
    s.set(F::Bottom, i * 20 > count * 19);
    if let Some(series) = around.series.get(i) {
        s.set(F::SeriesHeads, series.heads());
        s.set(F::CrowdLabelled, crowd && series.heads());
        s.set(F::SeriesTight, series.tight());
        s.set(
            F::SeriesRunning,
            series.members.len() > 1 && series.titles * 3 < series.members.len(),
        );
    }
    s.set(F::Announced, (around.announced)(i));
    s.set(F::Repeated, (around.repeated)(i));
    s
}

/// Traits that follow from how the whole text is set.
fn setting(s: &mut Shape, line: &Line, before: Option<&Line>, habits: &Habits) {
    use Feature as F;
    let inset = line.indent > habits.margin;
    let label = line.depth > 0;
    s.set(F::Inset, inset && !line.bullet);
    s.set(F::InsetLabel, inset && label);
    s.set(F::FlushLabel, habits.insets && !inset && label);
    if let Some(before) = before.filter(|_| habits.sets_off && !line.after_blank) {
        let item = before.item(habits.margin);
        s.set(F::UnderText, !item && before.running);
        s.set(F::UnderItem, item && !line.item(habits.margin));
        s.set(
            F::UnderSetOff,
            !item && before.open && before.after_blank && line.open,
        );
    }
    s.set(
        F::PlainAmongLabelled,
        habits.labelled && line.open && !label,
    );
    s.set(
        F::PlainAmongCaps,
        habits.capitals && line.open && !s.has(F::AllCaps),
    );
}

/// Traits that only mean something together.
fn combine(s: &mut Shape, line: &Line, next: Option<&Line>, before: Option<&Line>, rare: bool) {
    use Feature as F;
    let running = next.is_some_and(|n| n.running && !n.bullet);
    let bullet = next.is_some_and(|n| n.bullet);
    let open = line.open;
    s.set(F::DenseOpen, !rare && open);
    s.set(F::DenseOpenThenRunning, !rare && open && running);
    s.set(F::DenseOpenThenBullet, !rare && open && bullet);
    s.set(
        F::DenseOpenThenOpen,
        !rare && open && next.is_some_and(|n| n.open),
    );
    s.set(F::RareOpenBlank, rare && open && line.after_blank);
    let flush = rare && open && !line.after_blank;
    s.set(F::RareOpenThenRunning, flush && running);
    s.set(F::RareOpenThenBullet, flush && bullet);
    let title = s.has(F::TitleCase) || s.has(F::AllCaps);
    s.set(F::TitleThenRunning, title && running);
    s.set(
        F::SentenceThenRunning,
        open && !title && !s.has(F::OneWord) && running,
    );
    let asks = s.has(F::EndsQuestion) || s.has(F::StartsQuestion);
    s.set(F::PronounOpen, open && !asks && s.has(F::StartsPronoun));
    s.set(F::VerbOpen, open && !asks && s.has(F::Verb));
    s.set(F::NumberOpen, open && s.has(F::LabelNumber));
    s.set(F::NumberRunning, line.running && s.has(F::LabelNumber));
    s.set(F::DeepOpen, open && s.has(F::LabelDeep));
    s.set(F::ColonThenBullet, line.colon && bullet);
    let short = s.has(F::Short) || s.has(F::Medium);
    s.set(F::ColonTitle, line.colon && title && short);
    let sentence = s.has(F::EndsStop) && title && short;
    s.set(F::ShortSentence, sentence);
    s.set(
        F::ShortSentenceBetween,
        s.has(F::EndsStop)
            && short
            && !line.bullet
            && running
            && before.is_some_and(|b| b.running || b.bullet),
    );
    s.set(
        F::ShortAfterRunning,
        open && running && before.is_some_and(|b| b.running),
    );
}

/// Lines that look the same: what must be equal for two lines to be of one kind.
fn kind(shape: Shape) -> Option<u128> {
    use Feature as F;
    if shape.has(F::Endless) || shape.has(F::Longer) {
        return None;
    }
    let mut mask = 0_u128;
    for feature in [
        F::AllCaps,
        F::TitleCase,
        F::EndsStop,
        F::EndsColon,
        F::EndsQuestion,
        F::EndsOpen,
        F::StartsLower,
        F::Bullet,
        F::Indented,
        F::Bold,
        F::RareBlankBefore,
        F::LabelNumber,
        F::LabelDeep,
        F::LabelRoman,
        F::LabelUpper,
        F::LabelLower,
        F::LabelClose,
        F::LabelBoth,
        F::LabelWord,
        F::LabelBare,
    ] {
        mask |= 1 << feature as u32;
    }
    Some(shape.0 & mask)
}

/// How many lines of each kind directly follow one of their own kind.
fn clusters(shapes: &[Shape]) -> BTreeMap<u128, u32> {
    let mut beside: BTreeMap<u128, u32> = BTreeMap::new();
    let mut before = None;
    for shape in shapes {
        let kind = kind(*shape);
        if let Some(kind) = kind.filter(|_| kind == before) {
            *beside.entry(kind).or_default() += 1;
        }
        before = kind;
    }
    beside
}

/// The second look: adds what the company of each line says.
pub(super) fn company(shapes: &mut [Shape], series: &AllSeries) {
    let likely: Vec<bool> = shapes.iter().map(|s| s.first() > -50).collect();
    among(shapes, series, &likely);
    // Once more, now that the company of each line has been heard.
    let likely: Vec<bool> = shapes.iter().map(|s| s.second() > -50).collect();
    among(shapes, series, &likely);
}

/// Adds what the company of each line says, when the lines that are `likely` headings are known.
fn among(shapes: &mut [Shape], series: &AllSeries, likely: &[bool]) {
    use Feature as F;
    let mut kinds: BTreeMap<u128, (u32, u32)> = BTreeMap::new();
    for (shape, likely) in shapes.iter().zip(likely) {
        if let Some(kind) = kind(*shape) {
            let entry = kinds.entry(kind).or_default();
            entry.0 += 1;
            entry.1 += u32::from(*likely);
        }
    }
    let clusters = clusters(shapes);
    let shares: Vec<(usize, usize)> = series
        .series
        .iter()
        .map(|s| {
            let yes = s.members.iter().filter(|m| likely.get(**m) == Some(&true));
            (s.members.len(), yes.count())
        })
        .collect();
    let mut any = false;
    for (i, shape) in shapes.iter_mut().enumerate() {
        if let Some((all, yes)) = kind(*shape).and_then(|k| kinds.get(&k)).copied()
            && all > 1
        {
            let beside = kind(*shape)
                .and_then(|k| clusters.get(&k))
                .copied()
                .unwrap_or(0);
            shape.set(F::KindClustered, all > 2 && beside * 2 > all);
            shape.set(F::KindApart, all > 2 && beside * 8 <= all);
            shape.set(F::KindLikely, yes * 10 >= all * 7);
            shape.set(F::KindMixed, yes * 10 < all * 7 && yes * 10 >= all * 3);
            shape.set(F::KindUnlikely, yes * 10 < all * 3);
        }
        if let Some((all, yes)) = series
            .of
            .get(i)
            .copied()
            .flatten()
            .and_then(|s| shares.get(s))
            && *all > 1
        {
            shape.set(F::SeriesLikely, yes * 10 >= all * 6);
            shape.set(F::SeriesUnlikely, yes * 10 < all * 3);
        }
        shape.set(F::BeforeHeading, likely.get(i + 1) == Some(&true));
        shape.set(F::AfterHeading, i > 0 && likely.get(i - 1) == Some(&true));
        shape.set(F::AfterLikelyTitle, !any);
        any |= likely.get(i) == Some(&true);
    }
}
