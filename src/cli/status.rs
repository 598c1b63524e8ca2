//! `fairnotice status`

use fairnotice::{
    run::Workspace,
    store::{AlertState, Table},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{Exit, Globals, Outcome, print_json, print_text};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Printed {
    schema: &'static str,
    documents: Vec<Line>,
    alerts_waiting: usize,
}

#[derive(Serialize)]
struct Line {
    id: String,
    state: &'static str,
    last_look: Option<Timestamp>,
    last_good: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    failed_looks: u32,
    problem: Option<String>,
    versions: u32,
    latest: Option<String>,
    in_force: Option<String>,
}

pub(crate) fn run(_args: &Args, globals: &Globals) -> Outcome {
    let workspace = Workspace::read(&globals.workspace)?;
    let mut lines = Vec::new();
    for document in &workspace.config.documents {
        let state = workspace.state(&document.id)?;
        let problem = state.failing.as_ref();
        let word = match problem {
            Some(failing) if failing.problem.suspect => "suspect",
            Some(_) => "failing",
            None if state.last_good.is_none() => "never seen",
            None if state.flapping => "flapping",
            None => "well",
        };
        lines.push(Line {
            id: document.id.clone(),
            state: word,
            last_look: state.last_look,
            last_good: state.last_good,
            failing_since: problem.map(|f| f.since),
            failed_looks: problem.map_or(0, |f| f.looks),
            problem: problem.map(|f| format!("{}: {}", f.problem.code, f.problem.detail)),
            versions: state.versions,
            latest: state.latest().map(|v| v.to_string()),
            in_force: state.in_force(globals.now()).map(|p| p.version.to_string()),
        });
    }
    let alerts: Vec<AlertState> = workspace.index().all(Table::Alerts, "")?;
    let waiting = alerts.iter().filter(|a| a.done.is_none()).count();
    let bad = lines
        .iter()
        .any(|line| matches!(line.state, "failing" | "suspect"))
        || waiting > 0;
    if globals.json() {
        print_json(&Printed {
            schema: "fairnotice/status/1",
            documents: lines,
            alerts_waiting: waiting,
        })?;
    } else {
        print_text(&table(&lines, waiting))?;
    }
    Ok(if bad { Exit::Partly } else { Exit::Done })
}

fn table(lines: &[Line], waiting: usize) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["document", "state", "last seen well", "versions", "problem"]);
    for line in lines {
        table.add_row([
            line.id.clone(),
            line.state.to_owned(),
            line.last_good
                .map_or("never".to_owned(), |t| t.strftime("%F %H:%MZ").to_string()),
            line.versions.to_string(),
            line.problem.clone().unwrap_or_default(),
        ]);
    }
    let mut text = format!("{table}\n");
    if waiting > 0 {
        text += &format!("{waiting} alert(s) wait to go out: they go with the next check\n");
    }
    text
}
