//! Pairs of versions of policies of services that don't exist.

use proptest::prelude::*;

/// A section that moved behind its neighbour, with an edit inside, and a split paragraph.
pub const MOVED: (&str, &str) = (
    "# Lanternfish Privacy Notice\n\n\
     ## 1. Data we collect\n\n\
     We collect the name and the postal address that you enter when you order a lamp from our shop.\n\n\
     ## 2. Sharing with couriers\n\n\
     We hand your postal address to the courier who brings the parcel to your door. The courier deletes it after ten days.\n\n\
     ## 3. Your rights\n\n\
     You may ask us at any time to see, correct or erase the data that we hold about you.\n",
    "# Lanternfish Privacy Notice\n\n\
     ## 1. Data we collect\n\n\
     We collect the name, the telephone number and the postal address that you enter when you order a lamp from our shop.\n\n\
     ## 2. Your rights\n\n\
     You may ask us at any time to see, correct or erase the data that we hold about you.\n\n\
     ## 3. Sharing with couriers\n\n\
     We hand your postal address to the courier who brings the parcel to your door. The courier deletes it after thirty days.\n",
);

/// Pairs with every kind of change.
pub const PAIRS: &[(&str, &str)] = &[
    MOVED,
    (
        "# Terms of Tidepool\n\nEffective January 1, 2026\n\n1. You must be sixteen.\n2. You must not sell your account.\n3. You must pay on time.\n",
        "# Terms of Tidepool\n\nEffective March 1, 2026\n\n1. You must be eighteen.\n2. You must keep your password secret.\n3. You must not sell your account.\n4. You must pay on time.\n",
    ),
    (
        "## Fees\n\n| Plan | Price |\n| --- | --- |\n| Small | 5 EUR |\n| Large | 9 EUR |\n\nPrices hold for a year.\n",
        "## Fees\n\n| Plan | Price |\n| --- | --- |\n| Small | 6 EUR |\n| Medium | 8 EUR |\n\nPrices hold for a month.\n",
    ),
    (
        "## Cookies\n\nWe set one cookie. It keeps you signed in. It lasts a day.\n",
        "## Cookies\n\nWe set one cookie.\n\nIt keeps you signed in. It lasts a week.\n",
    ),
    (
        "## Contact\n\nWrite to <post@harbour.example> or see [our page](https://harbour.example/a).\n\n- **Post:** Quay 1 & 2\n- Phone: 555\n",
        "## Contact us\n\nWrite to <post@harbour.example> or see [our page](https://harbour.example/b).\n\n- Post: Quay 1 &amp; 2\n- Phone: 556 <script>alert(1)</script>\n",
    ),
    (
        "Nothing here but words.\n",
        "All of this was written anew, by somebody else.\n",
    ),
    (
        "# Only title\n",
        "# Only title\n\nAnd a paragraph.\n\n> And a quotation.\n",
    ),
];

/// Random policies of few words, so that much is the same, moved or repeated.
pub fn any_policy() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "we",
        "share",
        "data",
        "with",
        "partners",
        "30",
        "days",
        "may",
        "not",
        "you",
        "§",
        "1.2",
        "R&D",
        "<b>",
        "日本",
        "naïve",
        "e.g.",
        "Section 3",
        "…",
    ]);
    let sentence = prop::collection::vec(word, 1..9).prop_map(|words| words.join(" ") + ".");
    let block = (0..7_u8, prop::collection::vec(sentence, 1..4)).prop_map(|(kind, sentences)| {
        let text = sentences.join(" ");
        match kind {
            0 => format!("## {text}"),
            1 => format!("1. {text}"),
            2 => format!("- {text}"),
            3 => format!("**4.1** {text}"),
            4 => format!(
                "| {} | b |\n| --- | --- |\n| c | d |",
                text.replace('|', "")
            ),
            _ => text,
        }
    });
    prop::collection::vec(block, 1..8).prop_map(|blocks| blocks.join("\n\n") + "\n")
}
