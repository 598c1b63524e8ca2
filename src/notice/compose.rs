//! Several notices in one mail: documents that change together for the same people make one
//! message, not three.

use super::{
    Channel, Notice, State, TemplateError, Templates, Text, Versions,
    context::primary,
    draft::pick_subject,
    model::sha256,
    placeholder::escape_html,
    templates::{finish, unfinish},
    wrap::wrap,
};

/// Where the part of a mail that is this notice's own begins and ends in its HTML.
const BEGIN: &str = "<!-- notice -->";
const END: &str = "<!-- /notice -->";

/// Makes one mail of several notices for the same people. Each keeps its own texts, word for word,
/// also what people edited; what all begin or end with (the greeting, why the reader gets it) is
/// said once. The result is approved by nobody: its parts are.
///
/// # Errors
/// When there is no notice, one is no mail, or a language has no words for the introduction.
pub fn compose(notices: &[Notice], templates: &Templates) -> Result<Notice, TemplateError> {
    let wrong = |detail: &str| TemplateError::Template {
        name: "email".to_owned(),
        line: None,
        detail: detail.to_owned(),
    };
    let [first, others @ ..] = notices else {
        return Err(wrong("there is no notice to make a mail of"));
    };
    if notices.iter().any(|n| n.channel != Channel::Email) {
        return Err(wrong("only notices for e-mail go into one mail"));
    }
    if others.is_empty() {
        return Ok(first.clone());
    }
    let mut mail = first.clone();
    let join =
        |of: &dyn Fn(&Notice) -> String| notices.iter().map(of).collect::<Vec<_>>().join("+");
    mail.id = join(&|n| n.id.clone());
    mail.document = join(&|n| n.document.clone());
    mail.document_title = notices
        .iter()
        .map(|n| n.document_title.clone())
        .collect::<Vec<_>>()
        .join(", ");
    mail.versions = Versions {
        old: sha256(join(&|n| n.versions.old.clone()).as_bytes()),
        new: sha256(join(&|n| n.versions.new.clone()).as_bytes()),
    };
    mail.effective = notices.iter().filter_map(|n| n.effective).min();
    mail.send_by = notices.iter().filter_map(|n| n.send_by).min();
    mail.consent_needed = notices.iter().any(|n| n.consent_needed);
    mail.state = State::Drafted;
    mail.approvals.clear();
    mail.checks.clear();
    mail.edits.clear();
    mail.attachments = notices.iter().flat_map(|n| n.attachments.clone()).collect();
    mail.findings = ids(notices, |n| &n.findings);
    mail.duties = ids(notices, |n| &n.duties);
    let languages: Vec<String> = first
        .texts
        .keys()
        .filter(|l| others.iter().all(|n| n.texts.contains_key(*l)))
        .cloned()
        .collect();
    if languages.is_empty() {
        return Err(wrong("the notices have no language in common"));
    }
    if !languages.contains(&mail.fallback) {
        mail.fallback = languages.first().cloned().unwrap_or_default();
    }
    mail.texts = languages
        .into_iter()
        .map(|language| {
            let text = text(notices, templates, &language)?;
            Ok((language, text))
        })
        .collect::<Result<_, TemplateError>>()?;
    Ok(mail)
}

fn ids(notices: &[Notice], of: impl Fn(&Notice) -> &Vec<String>) -> Vec<String> {
    notices
        .iter()
        .flat_map(|n| of(n).iter().map(|id| format!("{}/{id}", n.document)))
        .collect()
}

fn text(notices: &[Notice], templates: &Templates, language: &str) -> Result<Text, TemplateError> {
    let words = templates.words(language)?;
    let titles: Vec<String> = notices
        .iter()
        .map(|n| {
            if primary(language) == "zh" {
                format!("《{}》", n.document_title)
            } else {
                n.document_title.clone()
            }
        })
        .collect();
    let day = notices.first().and_then(|n| n.effective);
    let same_day = day.filter(|_| notices.iter().all(|n| n.effective == day));
    let context = serde_json::json!({
        "company": notices.first().map_or("", |n| n.company.as_str()),
        "titles": words.list(&titles),
        "count": notices.len(),
        "effective": same_day.map(|day| words.date(day)),
    });
    let name = format!("email/{language}/several.txt");
    let rendered = templates.render_raw(&name, &context)?;
    let (subjects, introduction) = rendered
        .split_once("\n\n")
        .unwrap_or((rendered.as_str(), ""));
    let subject = pick_subject(subjects);
    let introduction = introduction.trim();

    let texts: Vec<&Text> = notices
        .iter()
        .filter_map(|n| n.texts.get(language))
        .collect();
    let plain: Vec<String> = texts
        .iter()
        .map(|t| unfinish(&t.text).unwrap_or_else(|_| t.text.clone()))
        .collect();
    let plain = plain_parts(&plain, &titles, introduction);
    let html: Option<Vec<&str>> = texts.iter().map(|t| t.html.as_deref()).collect();
    Ok(Text {
        html: html.map(|pages| page(&pages, &subject, introduction)),
        subject: Some(finish(&subject)),
        text: finish(&plain),
    })
}

/// The plain text: what all begin with, the introduction, each part under its title, what all end
/// with.
fn plain_parts(texts: &[String], titles: &[String], introduction: &str) -> String {
    let mut parts: Vec<Vec<&str>> = texts
        .iter()
        .map(|text| text.trim().split("\n\n").collect())
        .collect();
    let mut before = Vec::new();
    while let Some(shared) = shared(&parts, |part| part.first().copied()) {
        before.push(shared);
        for part in &mut parts {
            part.remove(0);
        }
    }
    let mut after = Vec::new();
    while let Some(shared) = shared(&parts, |part| part.last().copied()) {
        after.insert(0, shared);
        for part in &mut parts {
            part.pop();
        }
    }
    let mut out = before.join("\n\n");
    out.push_str("\n\n");
    out.push_str(&wrap(introduction));
    for (part, title) in parts.iter().zip(titles) {
        let line = "=".repeat(super::wrap::columns(title).clamp(8, 70));
        out.push_str(&format!(
            "\n{line}\n{title}\n{line}\n\n{}\n",
            part.join("\n\n")
        ));
    }
    if !after.is_empty() {
        let line = "=".repeat(70);
        out.push_str(&format!("\n{line}\n\n{}\n", after.join("\n\n")));
    }
    out
}

/// The paragraph that all parts have at one end; each keeps at least one of its own, and its
/// passages in full, which are indented.
fn shared<'t>(
    parts: &[Vec<&'t str>],
    end: impl Fn(&Vec<&'t str>) -> Option<&'t str>,
) -> Option<&'t str> {
    let first = parts
        .first()
        .and_then(&end)
        .filter(|paragraph| !paragraph.lines().any(|line| line.starts_with("    ")))?;
    parts
        .iter()
        .all(|part| part.len() > 1 && end(part) == Some(first))
        .then_some(first)
}

/// The HTML: the first one's page around the parts of all, their headings one level deeper.
fn page(pages: &[&str], subject: &str, introduction: &str) -> String {
    let Some(first) = pages.first() else {
        return String::new();
    };
    let mut parts: Vec<&str> = pages.iter().map(|page| own(page)).collect();
    let feet: Vec<&str> = parts.iter().map(|part| foot(part)).collect();
    let same_foot = feet
        .first()
        .copied()
        .filter(|foot| !foot.is_empty() && feet.iter().all(|other| other == foot));
    if let Some(foot) = same_foot {
        for part in &mut parts {
            *part = part.strip_suffix(foot).unwrap_or(part);
        }
    }
    let body: String = parts.iter().map(|part| deeper(part)).collect();
    let inner = format!(
        "\n<h1 style=\"font-size: 24px; line-height: 1.3; margin: 0 0 16px 0;\">{}</h1>\n<p>{}</p>\n{body}{}",
        escape_html(subject),
        escape_html(introduction),
        same_foot.unwrap_or_default()
    );
    let Some((head, rest)) = first.split_once(BEGIN) else {
        return inner;
    };
    let tail = rest.split_once(END).map_or("", |(_, tail)| tail);
    let head = retitled(head, subject, introduction);
    format!("{head}{BEGIN}{inner}{END}{tail}")
}

/// The notice's own part of a page; of an edited page without marks, its whole body.
fn own(page: &str) -> &str {
    if let Some((_, rest)) = page.split_once(BEGIN) {
        return rest.split_once(END).map_or(rest, |(own, _)| own);
    }
    let body = page
        .split_once("<body")
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(page, |(_, rest)| rest);
    body.split_once("</body>").map_or(body, |(body, _)| body)
}

/// From the foot to the end of a part; empty where it has none.
fn foot(part: &str) -> &str {
    part.rfind("<div class=\"foot\"")
        .and_then(|at| part.get(at..))
        .unwrap_or_default()
}

/// Headings one level deeper, so that the page keeps one `h1`.
fn deeper(part: &str) -> String {
    let mut out = part.to_owned();
    for level in (1..=5).rev() {
        let next = level + 1;
        out = out
            .replace(&format!("<h{level} "), &format!("<h{next} "))
            .replace(&format!("<h{level}>"), &format!("<h{next}>"))
            .replace(&format!("</h{level}>"), &format!("</h{next}>"));
    }
    out
}

/// The head of the page with the subject as its title, and the introduction as its first words.
fn retitled(head: &str, subject: &str, introduction: &str) -> String {
    let mut out = head.to_owned();
    for (open, close, words) in [
        ("<title>", "</title>", subject),
        ("mso-hide:all\">", "</div>", introduction),
    ] {
        if let Some((before, rest)) = out.split_once(open)
            && let Some((_, after)) = rest.split_once(close)
        {
            out = format!("{before}{open}{}{close}{after}", escape_html(words));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::{
        draft_one,
        sample::{Sample, house, now},
        segments,
    };

    #[test]
    fn several_documents_make_one_mail() {
        let sample = Sample::new();
        let templates = Templates::built_in();
        let mut notices = Vec::new();
        for (id, title) in [("privacy", "Privacy Policy"), ("terms", "Terms of Service")] {
            let ground = super::super::Ground {
                document: id,
                title: Some(title),
                ..sample.ground()
            };
            let email = draft_one(&ground, &house(), &templates, Channel::Email, None, now());
            notices.push(email.unwrap());
        }
        let mail = compose(&notices, &templates).unwrap();
        let text = &mail.texts["en"];
        assert_eq!(
            text.subject.as_deref().unwrap(),
            "Lindenfels Maps: 2 documents change on 1 March 2027"
        );
        assert_eq!(text.text.matches("Hello {{ recipient.name").count(), 1);
        assert_eq!(text.text.matches("WHY YOU GET THIS MESSAGE").count(), 1);
        assert!(text.text.contains("Terms of Service\n================"));
        for notice in &notices {
            let own = &notice.texts["en"].text;
            assert!(own.contains("so-called"));
        }
        assert_eq!(text.text.matches("so-called").count(), 4);
        let html = text.html.as_deref().unwrap();
        assert_eq!(html.matches("<h1").count(), 1);
        assert_eq!(html.matches("<html").count(), 1);
        assert_eq!(html.matches("class=\"foot\"").count(), 1);
        for part in [text.subject.as_deref().unwrap(), &text.text, html] {
            segments(part).unwrap();
        }
        assert!(mail.texts["zh"].subject.as_deref().unwrap().chars().count() <= 78);
        assert!(!mail.is_approved(1));
    }
}
