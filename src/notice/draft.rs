//! Writing notices: one for each channel that the plan needs, in every language.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{
    Attachment, Channel, Correction, Event, FORMAT, Notice, Part, State, TemplateError, Templates,
    Text,
    context::{Context, Extent, attachment_name, context},
    docx, feed,
    ground::{Ground, House},
    lifecycle::part_of,
    markdown,
    templates::{finish, page, unfinish},
    wrap::wrap,
};
use crate::duty::Channel as Way;

/// Bytes of a mail's two bodies, encoded, beyond which passages go into an attachment: under
/// 100 KB with room for headers and recipients' words, since mail programs clip what is longer.
pub(crate) const MAIL_ROOM: usize = 92_000;
/// Characters of a message inside the service.
pub(crate) const IN_PRODUCT_ROOM: usize = 900;
/// Characters of a push notification that the usual systems show.
pub(crate) const PUSH_ROOM: usize = 178;
/// Characters of the title of a push notification.
pub(crate) const PUSH_TITLE_ROOM: usize = 50;
/// Longest subject, and the length to aim at.
pub(crate) const SUBJECT_ROOM: usize = 78;
pub(crate) const SUBJECT_AIM: usize = 60;

/// The channels of notices that serve a way of telling.
pub fn channels_for(way: Way) -> &'static [Channel] {
    match way {
        Way::Email | Way::Direct => &[Channel::Email],
        Way::Website => &[Channel::Website, Channel::Announcement],
        Way::InProduct => &[Channel::InProduct],
        Way::Push => &[Channel::Push],
        Way::Sms => &[Channel::Sms],
        Way::Post => &[Channel::Letter],
        Way::Posting => &[Channel::Changelog],
        Way::Other => &[Channel::Announcement],
        // A call is a task for people; the plan lists it.
        Way::Phone => &[],
    }
}

/// Drafts the notices of a change: one for each channel that the plan needs or the house wants,
/// an announcement beside every mail (for those whom no mail reaches), and the memo. Nothing when
/// nothing is owed and nothing was found.
///
/// The checklist is not run here; see [`check`](super::check).
///
/// # Errors
/// When a template is wrong or missing.
pub fn draft(
    ground: &Ground<'_>,
    house: &House,
    templates: &Templates,
    now: Timestamp,
) -> Result<Vec<Notice>, TemplateError> {
    let mut channels: BTreeSet<Channel> = house.channels.iter().copied().collect();
    for way in &ground.plan.channels {
        channels.extend(channels_for(*way));
    }
    if channels.is_empty() && ground.assessment.findings.is_empty() {
        return Ok(Vec::new());
    }
    if channels.contains(&Channel::Email) {
        channels.insert(Channel::Announcement);
    }
    channels.insert(Channel::Memo);
    channels
        .into_iter()
        .map(|channel| draft_one(ground, house, templates, channel, None, now))
        .collect()
}

/// Drafts the notice for one channel; with `corrects`, one that corrects or recalls another.
///
/// # Errors
/// When a template is wrong or missing.
pub fn draft_one(
    ground: &Ground<'_>,
    house: &House,
    templates: &Templates,
    channel: Channel,
    corrects: Option<Correction>,
    now: Timestamp,
) -> Result<Notice, TemplateError> {
    let version: String = ground.versions.new.chars().take(8).collect();
    let mut id = format!("{}-{version}-{channel}", ground.document);
    if let Some(correction) = &corrects {
        let kind = if correction.recall {
            "recall"
        } else {
            "correction"
        };
        id = format!("{}-{kind}", correction.notice);
    }
    let languages = languages(ground, house, templates);
    let fallback = languages
        .first()
        .cloned()
        .unwrap_or_else(|| "en".to_owned());
    let mut notice = Notice {
        format: FORMAT,
        id,
        document: ground.document.to_owned(),
        document_title: one_line(ground.title()),
        company: one_line(&house.company),
        versions: ground.versions.clone(),
        channel,
        state: State::Drafted,
        texts: languages
            .iter()
            .map(|l| (l.clone(), Text::default()))
            .collect(),
        authentic: house
            .authentic
            .clone()
            .or_else(|| Some(ground.language().to_owned())),
        fallback,
        attachments: Vec::new(),
        effective: None,
        send_by: None,
        fields: house.fields.clone(),
        findings: Vec::new(),
        duties: ground
            .plan
            .duties
            .iter()
            .filter(|planned| {
                planned
                    .fulfilled_by
                    .iter()
                    .chain(&planned.duty.channels)
                    .any(|way| channels_for(*way).contains(&channel))
            })
            .map(|planned| planned.duty.id.clone())
            .collect(),
        consent_needed: ground.plan.consent_needed,
        checks: Vec::new(),
        edits: Vec::new(),
        approvals: Vec::new(),
        publications: Vec::new(),
        corrects,
        created: now,
    };
    let event = write(&notice, ground, house, templates)?;
    if let Event::Written {
        texts,
        attachments,
        effective,
        send_by,
        consent_needed,
        findings,
    } = event
    {
        notice.findings = findings;
        notice.texts = texts;
        notice.attachments = attachments;
        notice.effective = effective;
        notice.send_by = send_by;
        notice.consent_needed = consent_needed;
    }
    Ok(notice)
}

/// The day of effect that a notice tells: what the company said, else the plan's, else the one
/// that the new text states.
pub fn effective_day(fields: &BTreeMap<String, String>, ground: &Ground<'_>) -> Option<Date> {
    fields
        .get("effective")
        .and_then(|day| day.trim().parse().ok())
        .or(ground.plan.effective)
        .or(ground.new.dates.effective)
}

/// Writes the texts of a notice from the templates, and gives them as the [`Event`] for its life.
/// Parts that a person edited are kept as they are.
///
/// # Errors
/// When a template is wrong or missing.
pub fn write(
    notice: &Notice,
    ground: &Ground<'_>,
    house: &House,
    templates: &Templates,
) -> Result<Event, TemplateError> {
    let mut dated = notice.clone();
    dated.effective = effective_day(&notice.fields, ground);
    dated.send_by = ground.plan.send_by;
    dated.consent_needed = ground.plan.consent_needed;
    let mut texts = BTreeMap::new();
    let mut attachments = Vec::new();
    for language in notice.texts.keys() {
        let writer = Writer {
            notice: &dated,
            ground,
            house,
            templates,
            language,
        };
        let (mut text, files) = writer.write()?;
        keep_edits(notice, language, &mut text);
        if notice.is_edited(language, Part::Text)
            && !notice.is_edited(language, Part::Html)
            && let Some(page) = writer.page_of_edited(&text)?
        {
            text.html = Some(page);
        }
        texts.insert(language.clone(), text);
        attachments.extend(files);
    }
    Ok(Event::Written {
        texts,
        attachments,
        effective: dated.effective,
        send_by: dated.send_by,
        consent_needed: dated.consent_needed,
        findings: ground
            .assessment
            .findings
            .iter()
            .map(|f| f.id.clone())
            .collect(),
    })
}

fn keep_edits(notice: &Notice, language: &str, text: &mut Text) {
    let Some(kept) = notice.texts.get(language) else {
        return;
    };
    for part in [Part::Subject, Part::Text, Part::Html] {
        if !notice.is_edited(language, part) {
            continue;
        }
        let words = part_of(kept, part).map(str::to_owned);
        match part {
            Part::Subject => text.subject = words,
            Part::Text => text.text = words.unwrap_or_default(),
            Part::Html => text.html = words,
        }
    }
}

fn languages(ground: &Ground<'_>, house: &House, templates: &Templates) -> Vec<String> {
    let mut languages: Vec<String> = Vec::new();
    for language in &house.languages {
        if !languages.contains(language) {
            languages.push(language.clone());
        }
    }
    if languages.is_empty() {
        let own = super::context::primary(ground.language());
        let known = templates.languages();
        languages.push(if known.contains(&own) {
            own
        } else {
            "en".to_owned()
        });
    }
    languages
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes one notice in one language.
struct Writer<'a> {
    notice: &'a Notice,
    ground: &'a Ground<'a>,
    house: &'a House,
    templates: &'a Templates,
    language: &'a str,
}

impl Writer<'_> {
    fn write(&self) -> Result<(Text, Vec<Attachment>), TemplateError> {
        let channel = self.notice.channel;
        if !self.templates.has(channel, self.language) {
            return Err(TemplateError::Missing {
                name: format!("{channel}/{}/", self.language),
                channel,
                language: self.language.to_owned(),
            });
        }
        match channel {
            Channel::Email => self.mail(),
            Channel::Website => self.banner().map(|text| (text, Vec::new())),
            Channel::InProduct => self
                .short("text.txt", |text| text.chars().count() <= IN_PRODUCT_ROOM)
                .map(|text| (text, Vec::new())),
            Channel::Push => self
                .short("text.txt", |text| text.chars().count() <= PUSH_ROOM)
                .map(|text| (text, Vec::new())),
            Channel::Sms => self
                .short("text.txt", |text| sms_segments(text) <= 2)
                .map(|text| (text, Vec::new())),
            Channel::Announcement => self.page("page.md").map(|text| (text, Vec::new())),
            Channel::Memo => self.page("memo.md").map(|text| (text, Vec::new())),
            Channel::Changelog => {
                let text = self.page("entry.md")?;
                let feed = feed::entry(self.notice, self.language, &text);
                Ok((text, vec![feed]))
            }
            Channel::Letter => self.letter(),
        }
    }

    fn context(&self, extent: Extent) -> Result<Context, TemplateError> {
        let words = self.templates.words(self.language)?;
        Ok(context(
            self.notice,
            self.ground,
            self.house,
            &words,
            self.language,
            extent,
        ))
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.notice.channel, self.language)
    }

    fn raw(&self, name: &str, context: &Context) -> Result<String, TemplateError> {
        self.templates.render_raw(&self.file(name), context)
    }

    fn mail(&self) -> Result<(Text, Vec<Attachment>), TemplateError> {
        let mut smallest = None;
        for extent in [Extent::Full, Extent::Quotes, Extent::Brief] {
            let context = self.context(extent)?;
            let lines = self.raw("subject.txt", &context)?;
            let subject = pick_subject(&lines);
            let plain = finish(&wrap(&self.raw("text.txt", &context)?));
            let mut with_subject = serde_json::to_value(&context).unwrap_or_default();
            if let Some(map) = with_subject.as_object_mut() {
                map.insert("subject".to_owned(), subject.clone().into());
            }
            let name = self.file("html.html");
            let rendered = self.templates.render_raw(&name, &with_subject)?;
            let html = finish(&inlined(&name, &squeeze_html(&rendered))?);
            let text = Text {
                subject: Some(subject),
                text: plain,
                html: Some(html),
            };
            let fits = mail_size(&text) <= MAIL_ROOM;
            smallest = Some((text, extent));
            if fits {
                break;
            }
        }
        let Some((text, extent)) = smallest else {
            return Ok((Text::default(), Vec::new()));
        };
        if extent == Extent::Full {
            return Ok((text, Vec::new()));
        }
        let full = self.context(Extent::Full)?;
        let attachment = Attachment {
            name: attachment_name(self.notice, self.language),
            media_type: "text/plain; charset=utf-8".to_owned(),
            text: wrap(&self.raw("attachment.txt", &full)?),
            base64: false,
            language: Some(self.language.to_owned()),
        };
        Ok((text, vec![attachment]))
    }

    fn banner(&self) -> Result<Text, TemplateError> {
        let context = self.context(Extent::Quotes)?;
        Ok(Text {
            subject: None,
            text: finish(&wrap(&self.raw("text.txt", &context)?)),
            html: Some(finish(&squeeze_html(&self.raw("banner.html", &context)?))),
        })
    }

    fn short(&self, name: &str, fits: impl Fn(&str) -> bool) -> Result<Text, TemplateError> {
        let context = self.context(Extent::Brief)?;
        let rendered = self.raw(name, &context)?;
        let ways: Vec<String> = rendered
            .split("\n===")
            .map(squeeze)
            .filter(|way| !way.is_empty())
            .collect();
        let chosen = ways
            .iter()
            .find(|way| fits(way))
            .or_else(|| ways.last())
            .cloned()
            .unwrap_or_default();
        let title = self.file("title.txt");
        let subject = if self.templates.source(&title).is_some() {
            Some(one_line(&self.raw("title.txt", &context)?))
        } else {
            None
        };
        Ok(Text {
            subject: subject.map(|s| finish(&s)),
            text: finish(&chosen),
            html: None,
        })
    }

    fn page(&self, name: &str) -> Result<Text, TemplateError> {
        let context = self.context(Extent::Full)?;
        let title = one_line(&self.raw("title.txt", &context)?);
        let raw = squeeze(&self.raw(name, &context)?) + "\n";
        let html = page(self.templates, self.language, &title, &markdown::html(&raw))?;
        Ok(Text {
            subject: Some(finish(&title)),
            text: finish(&raw),
            html: Some(finish(&html)),
        })
    }

    fn letter(&self) -> Result<(Text, Vec<Attachment>), TemplateError> {
        let text = self.page("letter.md")?;
        let edited = self
            .notice
            .is_edited(self.language, Part::Text)
            .then(|| self.notice.texts.get(self.language))
            .flatten()
            .and_then(|kept| unfinish(&kept.text).ok());
        let raw = match edited {
            Some(raw) => raw,
            None => unfinish(&text.text).unwrap_or_default(),
        };
        let mut attachment = Attachment::of_bytes(
            &format!("{}-letter-{}.docx", self.notice.document, self.language),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            &docx::letter(&raw, self.language),
        );
        attachment.language = Some(self.language.to_owned());
        Ok((text, vec![attachment]))
    }

    /// The page of a Markdown text that a person edited.
    fn page_of_edited(&self, text: &Text) -> Result<Option<String>, TemplateError> {
        let is_page = matches!(
            self.notice.channel,
            Channel::Announcement | Channel::Changelog | Channel::Letter | Channel::Memo
        );
        // A text with a wrong placeholder keeps its old page; the checklist says what is wrong.
        let Some(raw) = is_page.then(|| unfinish(&text.text).ok()).flatten() else {
            return Ok(None);
        };
        let title = text.subject.clone().unwrap_or_default();
        let html = page(self.templates, self.language, &title, &markdown::html(&raw))?;
        Ok(Some(finish(&html)))
    }
}

/// The first line that has the length to aim at, else the first that is allowed, else the
/// shortest.
pub(crate) fn pick_subject(lines: &str) -> String {
    let lines: Vec<String> = lines
        .lines()
        .map(one_line)
        .filter(|line| !line.is_empty())
        .collect();
    let within = |room: usize| lines.iter().find(|line| line.chars().count() <= room);
    within(SUBJECT_AIM)
        .or_else(|| within(SUBJECT_ROOM))
        .or_else(|| lines.iter().min_by_key(|line| line.chars().count()))
        .cloned()
        .unwrap_or_default()
}

/// Bytes of the bodies of a mail as they go over the wire: quoted-printable writes three bytes
/// for each that is not plain ASCII, and a soft line break every 75.
pub(crate) fn mail_size(text: &Text) -> usize {
    let encoded = |part: &str| {
        let bytes: usize = part
            .bytes()
            .map(|b| if b == b'=' || b > 126 { 3 } else { 1 })
            .sum();
        bytes + bytes / 24
    };
    encoded(&text.text) + text.html.as_deref().map_or(0, encoded)
}

/// How many parts a text message takes: 160 characters of the GSM alphabet in one (153 in each of
/// several), 70 and 67 of any other.
pub(crate) fn sms_segments(text: &str) -> usize {
    const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const TWICE: &str = "^{}\\[~]|€";
    let septets: Option<usize> = text
        .chars()
        .map(|c| match c {
            c if GSM.contains(c) => Some(1),
            c if TWICE.contains(c) => Some(2),
            _ => None,
        })
        .sum();
    let (length, one, several) = match septets {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if length <= one {
        1
    } else {
        length.div_ceil(several)
    }
}

fn inlined(name: &str, html: &str) -> Result<String, TemplateError> {
    css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .build()
        .inline(html)
        .map_err(|error| TemplateError::Style {
            name: name.to_owned(),
            detail: error.to_string(),
        })
}

/// Takes out empty lines beyond one, and white space at the ends.
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

/// Takes out empty lines.
fn squeeze_html(html: &str) -> String {
    html.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .fold(String::with_capacity(html.len()), |mut out, line| {
            out.push_str(line);
            out.push('\n');
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::sample::{Sample, house, now};

    fn notices() -> Vec<Notice> {
        let sample = Sample::new();
        draft(&sample.ground(), &house(), &Templates::built_in(), now()).unwrap()
    }

    /// Each channel and language as one snapshot file, as it is sent.
    #[test]
    fn every_channel_in_every_language_reads_as_it_did() {
        for notice in notices() {
            for (language, text) in &notice.texts {
                let name = format!("{}-{language}", notice.channel);
                let subject = text.subject.as_deref().unwrap_or("(none)");
                insta::assert_snapshot!(
                    name.clone(),
                    format!("subject: {subject}\n\n{}", text.text)
                );
                if let Some(html) = &text.html
                    && matches!(notice.channel, Channel::Email | Channel::Website)
                {
                    insta::assert_snapshot!(format!("{name}-html"), html);
                }
            }
        }
    }

    #[test]
    fn subjects_aim_at_sixty_characters() {
        let long = "x".repeat(90);
        let middle = "y".repeat(70);
        let short = "z".repeat(50);
        assert_eq!(pick_subject(&format!("{long}\n{middle}\n{short}")), short);
        assert_eq!(pick_subject(&format!("{long}\n{middle}")), middle);
        assert_eq!(pick_subject(&long), long);
    }

    #[test]
    fn text_messages_are_counted_as_networks_count() {
        assert_eq!(sms_segments(&"a".repeat(160)), 1);
        assert_eq!(sms_segments(&"a".repeat(161)), 2);
        assert_eq!(sms_segments(&"我".repeat(70)), 1);
        assert_eq!(sms_segments(&"我".repeat(71)), 2);
        assert_eq!(sms_segments(&"€".repeat(81)), 2);
    }
}
