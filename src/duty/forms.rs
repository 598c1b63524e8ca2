//! Promises in many forms: a table of sentences and what they promise.

use super::{Acceptance, Duty, find};
use crate::read;

/// A channel, trigger or timing as the table and the JSON name it.
fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn row(duty: &Duty) -> String {
    let channels: Vec<String> = duty.channels.iter().map(name).collect();
    [
        name(duty.trigger),
        channels.join(","),
        name(duty.timing),
        duty.lead_days
            .map_or_else(|| "-".to_owned(), |days| days.to_string()),
        match duty.acceptance {
            Acceptance::None => "none".to_owned(),
            other => name(other),
        },
        if duty.hedged { "hedged" } else { "firm" }.to_owned(),
    ]
    .join("/")
}

#[test]
fn promises_in_many_forms() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in include_str!("forms.tsv").lines() {
        let mut columns = line.split('\t');
        let (Some(place), Some(wanted), Some(text)) =
            (columns.next(), columns.next(), columns.next())
        else {
            assert!(line.starts_with('#'), "not a row: {line}");
            continue;
        };
        rows += 1;
        let heading = if place == "C" {
            "Changes to these terms"
        } else {
            "The service"
        };
        // A neutral paragraph, so that the language of a single sentence needs no guessing.
        let document = format!(
            "# Terms\n\nThese are the rules of the service that we run for you and your family. They are written in plain words, so that you and all who are in your house can read them with ease.\n\n## {heading}\n\n{text}\n"
        );
        let duties = find(
            &read::read(&read::Input {
                bytes: document.as_bytes(),
                format: Some(read::Format::Markdown),
                ..read::Input::default()
            })
            .unwrap(),
        );
        let mut found: Vec<String> = duties.duties.iter().map(row).collect();
        if found.is_empty() {
            found.push("none".to_owned());
        }
        let mut wanted: Vec<String> = wanted.split(" + ").map(str::to_owned).collect();
        found.sort();
        wanted.sort();
        if found != wanted {
            wrong.push(format!("{text}\n  wanted {wanted:?}\n  found  {found:?}"));
        }
    }
    assert!(rows > 200, "{rows} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_chinese_policy_promises_too() {
    let document = "# 服务条款\n\n本条款说明我们如何提供服务，请您在使用前仔细阅读。\n\n## 条款的变更\n\n我们可能适时修改本条款。如发生重大变更，我们会提前三十日通过电子邮件通知您。您继续使用服务的，视为接受修改后的条款。\n\n## 终止\n\n如我们停止运营，我们将提前六十日以公告的方式通知您。\n";
    let duties = find(
        &read::read(&read::Input {
            bytes: document.as_bytes(),
            format: Some(read::Format::Markdown),
            ..read::Input::default()
        })
        .unwrap(),
    );
    let found: Vec<String> = duties.duties.iter().map(row).collect();
    assert_eq!(
        found,
        [
            "material-change/email/before/30/continued-use/firm",
            "service-ends/website/before/60/none/firm",
        ]
    );
    for duty in &duties.duties {
        assert!(document.contains(&duty.quote), "{}", duty.quote);
    }
}
