//! `fairnotice duties FILE`

use fairnotice::{duty, read::Warning};
use serde::Serialize;

use super::{Globals, Outcome, input, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The document: a path, or - for standard input.
    file: String,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    duties: &'a [duty::Duty],
    warnings: &'a [Warning],
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let document = input::document(&args.file, args.input_format, globals)?;
    let found = duty::find(&document);
    if globals.json() {
        return print_json(&Report {
            schema: "fairnotice/duties/1",
            duties: &found.duties,
            warnings: &found.warnings,
        });
    }
    let mut text = String::new();
    for duty in &found.duties {
        text += &for_people(duty);
    }
    if found.duties.is_empty() {
        text += "No promise about telling users was found.\n";
    }
    for warning in &found.warnings {
        text += &format!("note ({}): {}\n", warning.code, warning.detail);
    }
    print_text(&text)
}

fn for_people(duty: &duty::Duty) -> String {
    let channels: Vec<String> = duty.channels.iter().map(word).collect();
    let joined = channels.join(if duty.mode == duty::Mode::Any {
        " or "
    } else {
        " and "
    });
    let mut facts = vec![joined];
    facts.push(match (duty.timing, duty.lead) {
        (duty::Timing::Before, Some(lead)) => format!("at least {lead} before"),
        (duty::Timing::Before, None) => "before it takes effect".to_owned(),
        (duty::Timing::At, _) => "when it takes effect".to_owned(),
        (duty::Timing::After, Some(lead)) => format!("afterwards, within {lead}"),
        (duty::Timing::After, None) => "afterwards".to_owned(),
        (duty::Timing::Unspecified, _) => "no time said".to_owned(),
    });
    match duty.acceptance {
        duty::Acceptance::ContinuedUse => {
            facts.push("continued use counts as agreement".to_owned())
        }
        duty::Acceptance::Explicit => facts.push("consent is asked for".to_owned()),
        duty::Acceptance::None => {}
    }
    if duty.hedged {
        facts.push("not a firm promise".to_owned());
    }
    if duty.judge.is_some() {
        facts.push("the company decides what is material".to_owned());
    }
    if !duty.must_state.is_empty() {
        let says: Vec<String> = duty.must_state.iter().map(word).collect();
        facts.push(format!("says {}", says.join(", ")));
    }
    facts.extend(further(duty));
    let lines = if duty.lines.0 == duty.lines.1 {
        format!("line {}", duty.lines.0)
    } else {
        format!("lines {}-{}", duty.lines.0, duty.lines.1)
    };
    let quote: String = duty.quote.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        "{} {} ({lines}): {}\n    \u{201c}{quote}\u{201d}\n",
        duty.id,
        word(&duty.trigger),
        facts.join("; ")
    )
}

/// The richer fields, where they say something.
fn further(duty: &duty::Duty) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(who) = duty.addressee.as_deref().filter(|who| *who != "users") {
        facts.push(format!("to {}", who.replace('-', " ")));
    }
    if !duty.fallback.is_empty() {
        let ways: Vec<String> = duty.fallback.iter().map(word).collect();
        facts.push(format!("where that cannot be done: {}", ways.join(", ")));
    }
    if let Some(then) = &duty.follow_up {
        facts.push(format!("then: {}", then.replace('-', " ")));
    }
    if duty.opt_out == Some(false) {
        facts.push("cannot be declined".to_owned());
    }
    for exception in &duty.exceptions {
        facts.push(format!("exception: \u{201c}{exception}\u{201d}"));
    }
    if !duty.conflicts.is_empty() {
        facts.push(format!("contradicted by {}", duty.conflicts.join(", ")));
    }
    facts
}

/// The word of a value of the vocabulary, as it is in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
