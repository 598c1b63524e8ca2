//! Pages that stand in a policy's place: a consent wall, a login, an error page, a bot check, a
//! redirect, a shell that scripts would fill. Short policies are policies.

use super::{Suspect, html::Vocabulary};

/// Below so many letters a text that says nothing of a policy is too little, whatever it is.
const LITTLE: usize = 60;
/// A page that stands in a policy's place holds little more than its message.
const MESSAGE: usize = 1800;

/// What the judgement rests on.
pub(super) struct Evidence<'a> {
    /// The text that would be the policy, as Markdown.
    pub text: &'a str,
    /// The title of the page.
    pub title: Option<&'a str>,
    /// The page sends the reader on at once.
    pub redirects: bool,
    /// It asks for a password.
    pub password: bool,
    /// All words of the page, also those that were left out.
    pub whole_page: &'a dyn Fn() -> String,
}

/// Why a text is probably not the policy; nothing when it may be one.
pub(super) fn judge(evidence: &Evidence<'_>) -> Option<Suspect> {
    let words = Vocabulary::get();
    let letters = letters(evidence.text);
    if letters > MESSAGE {
        // Long, and not a word that policies use: another page of the site.
        return (!words.any(evidence.text))
            .then(|| said("not-a-policy", "the text holds no word that policies use"));
    }
    let hits = words.hits(evidence.text);
    let lower = evidence.text.to_lowercase();
    let title = evidence.title.unwrap_or_default().to_lowercase();
    let found = |kind: &str| {
        let mut found = words.suspect(kind, &lower);
        found.extend(words.suspect(kind, &title));
        found.dedup();
        found
    };
    // A message needs fewer proofs the shorter the text and the fewer words of policies it holds.
    let dense = hits as usize * 150 >= letters.max(1) && hits >= 5;
    for (kind, code) in [
        ("bot-check", "bot-check"),
        ("login", "login"),
        ("consent-wall", "consent-wall"),
    ] {
        let phrases = found(kind);
        let proofs = phrases.len() + usize::from(kind == "login" && evidence.password);
        let needed = if dense || letters > 900 { 3 } else { 1 };
        // A wall that says so in its title may be as long as a message gets.
        let titled = !words.suspect(kind, &title).is_empty();
        let wall = kind != "consent-wall" || letters < 1200 || titled;
        if !phrases.is_empty() && proofs >= needed && wall {
            return Some(said(code, &quoted(&phrases)));
        }
    }
    if evidence.redirects && letters < 400 {
        return Some(said("redirect", "the page only sends the reader on"));
    }
    if !dense && letters < 500 {
        let phrases = found("redirect");
        if !phrases.is_empty() && letters < 250 {
            return Some(said("redirect", &quoted(&phrases)));
        }
        let phrases = found("error-page");
        let titled = !words.suspect("error-page", &title).is_empty();
        if !phrases.is_empty() && (phrases.len() > 1 || titled || letters < 200 || hits == 0) {
            return Some(said("error-page", &quoted(&phrases)));
        }
        let phrases = found("script-needed");
        if !phrases.is_empty() && letters < 250 {
            return Some(said("too-little-text", &quoted(&phrases)));
        }
    }
    if letters < LITTLE {
        // Walls are often dialogs, and those were left out.
        let whole = (evidence.whole_page)().to_lowercase();
        let short = whole.len() < 3000;
        for (kind, code) in [
            ("bot-check", "bot-check"),
            ("login", "login"),
            ("error-page", "error-page"),
            ("consent-wall", "consent-wall"),
        ] {
            let phrases = words.suspect(kind, &whole);
            if short && !phrases.is_empty() {
                return Some(said(code, &quoted(&phrases)));
            }
        }
        if hits == 0 || letters < LITTLE / 2 {
            return Some(said(
                "too-little-text",
                &format!("only {letters} letters are left of the page"),
            ));
        }
    }
    // The vocabulary does not know every language: only Latin text without any of it is no policy.
    let latin = evidence
        .text
        .chars()
        .filter(char::is_ascii_alphabetic)
        .count();
    (hits == 0 && letters >= LITTLE && latin * 10 > letters * 9 && !words.any(&title))
        .then(|| said("not-a-policy", "the text holds no word that policies use"))
}

/// Letters and digits of a text; of one that is longer than a message only so many that it shows.
fn letters(text: &str) -> usize {
    let mut sum = 0;
    for c in text.chars() {
        sum += match c {
            // A character of these scripts says as much as a few letters.
            '\u{2E80}'..='\u{FAFF}' => 3,
            c if c.is_alphanumeric() => 1,
            _ => 0,
        };
        if sum > MESSAGE {
            break;
        }
    }
    sum
}

fn said(code: &str, detail: &str) -> Suspect {
    Suspect {
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

fn quoted(phrases: &[&str]) -> String {
    let quoted: Vec<String> = phrases.iter().take(3).map(|p| format!("“{p}”")).collect();
    format!("the page says {}", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, title: &str) -> Option<String> {
        judge(&Evidence {
            text,
            title: Some(title),
            redirects: false,
            password: false,
            whole_page: &|| text.to_owned(),
        })
        .map(|s| s.code)
    }

    #[test]
    fn pages_in_a_policys_place_are_told() {
        assert_eq!(code("", "Lantern").as_deref(), Some("too-little-text"));
        assert_eq!(
            code("Loading…", "Lantern").as_deref(),
            Some("too-little-text")
        );
        assert_eq!(
            code(
                "404\n\nSorry, the page you are looking for was moved.",
                "Not found"
            )
            .as_deref(),
            Some("error-page")
        );
        assert_eq!(
            code(
                "Just a moment...\n\nChecking your browser before accessing lantern.example.",
                ""
            )
            .as_deref(),
            Some("bot-check")
        );
        assert_eq!(
            code(
                "Sign in to continue\n\nEmail\n\nForgot password?",
                "Lantern"
            )
            .as_deref(),
            Some("login")
        );
        assert_eq!(
            code(
                "Before you continue\n\nWe and our partners use cookies. Accept all",
                ""
            )
            .as_deref(),
            Some("consent-wall")
        );
        assert_eq!(
            code(
                &"Our lamps glow in many lovely colours all night long. ".repeat(20),
                "Lamps"
            )
            .as_deref(),
            Some("not-a-policy")
        );
    }

    #[test]
    fn short_policies_are_policies() {
        assert_eq!(
            code(
                "# Privacy\n\nWe collect no personal data. No cookies, no logs.",
                "Privacy"
            ),
            None
        );
        assert_eq!(
            code(
                "# Impressum\n\nLampe GmbH, Weg 1, Ort. Verantwortliche: A. Person",
                "Impressum"
            ),
            None
        );
        assert_eq!(
            code(
                "# Terms\n\nYou must sign in to your account to use it. We may suspend an account. If a page is not found, tell us. You agree to these terms, and we shall not be liable for any loss. The governing law is that of Norland, and its courts have jurisdiction over these terms. Personal data: see our privacy notice. You may not resell.",
                "Terms"
            ),
            None
        );
    }
}
