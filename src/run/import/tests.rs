//! An import on all processors beside one that takes the versions one by one.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Dated, Imported, keep, tracked};
use crate::{
    run::Workspace,
    store::{Event, Journal},
};

fn workspace(folder: &Path, now: Timestamp) -> Workspace {
    std::fs::write(folder.join("fairnotice.toml"), "").unwrap();
    Workspace::write(folder, "test", now, Duration::ZERO).unwrap()
}

/// More than two groups of versions: new ones, one that comes again, the same words with another
/// link, one that is no text.
fn versions() -> Vec<Dated> {
    let start: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    (0..130_i64)
        .map(|n| {
            let days = if n % 11 == 3 { 10 } else { n * 7 % 365 };
            let who = if n % 5 == 0 { "advertisers" } else { "our partners" };
            let mut text = format!(
                "# Meadow Privacy Policy\n\n## 1. Logs\n\nWe keep logs of your visits for {days} days and \
                 then erase them.\n\n## 2. Sharing\n\nWe share your [e-mail address](https://meadow.example/?t={n}) \
                 with {who}.\n\n## 3. Changes\n\nWe tell you by e-mail {} days before a material change of \
                 this policy takes effect.\n",
                30 + n / 40
            )
            .into_bytes();
            if n == 70 {
                text = [0, 1, 2, 3, 0, 0, 255].repeat(50);
            }
            Dated {
                time: start + jiff::SignedDuration::from_hours(24 * n),
                bytes: text,
                reference: format!("git:c{n}:privacy.md"),
            }
        })
        .collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder.join("snapshots/meadow"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

fn events(folder: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    Journal::replay(&folder.join(".fairnotice/journal.jsonl"), 0, |entry, _| {
        events.push(entry.event);
        Ok(())
    })
    .unwrap();
    events
}

/// The same policies as pages, each with another menu around it and seen three times, the last time
/// with nothing but another token.
fn pages() -> Vec<Dated> {
    let page = |version: &Dated, hour: i64, look: i64| {
        let text = String::from_utf8_lossy(&version.bytes);
        let blocks: String = text
            .split("\n\n")
            .map(|block| match block.split_once("# ") {
                Some((_, title)) => format!("<h2>{title}</h2>"),
                None => format!("<p>{}</p>", block.replace('[', "<b>").replace(']', "</b>")),
            })
            .collect();
        Dated {
            time: version.time + jiff::SignedDuration::from_hours(hour),
            bytes: format!(
                "<html><script nonce={hour}>t={hour}</script><body data-t={hour}><nav><a href=/{look}>Menu {}</a></nav>\
                 <main>{blocks}</main></body></html>",
                version.time
            )
            .into_bytes(),
            reference: version.reference.replace(".md", ".html"),
        }
    };
    versions()
        .iter()
        .filter(|version| version.bytes.is_ascii())
        .flat_map(|version| {
            [
                page(version, 0, 0),
                page(version, 5, 1),
                page(version, 6, 1),
            ]
        })
        .collect()
}

/// Gives what became of all, once at once, once in turn.
fn both_ways(source: &str, versions: &[Dated]) -> (Imported, Vec<Imported>) {
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let document = tracked("meadow".to_owned(), vec![source.to_owned()]);
    let (whole, single) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut at_once = workspace(whole.path(), now);
    let sum = keep(
        &mut at_once,
        &document,
        versions.iter().cloned().map(Ok),
        now,
    )
    .unwrap();
    let mut in_turn = workspace(single.path(), now);
    let sums: Vec<Imported> = versions
        .iter()
        .map(|version| keep(&mut in_turn, &document, [Ok(version.clone())], now).unwrap())
        .collect();
    assert_eq!(files(whole.path()), files(single.path()));
    let (left, right) = (events(whole.path()), events(single.path()));
    assert_eq!(left.len(), right.len());
    assert_eq!(left, right);
    (sum, sums)
}

#[test]
fn groups_on_all_processors_leave_the_same_bytes_as_one_by_one() {
    let (sum, sums) = both_ways("privacy.md", &versions());
    let total = |field: fn(&Imported) -> usize| sums.iter().map(field).sum::<usize>();
    assert_eq!(sum.read, 130);
    assert_eq!(sum.unreadable.len(), 1);
    assert!(sum.known > 5 && sum.stored > 50, "{sum:?}");
    assert_eq!(sum.stored, total(|s| s.stored));
    assert_eq!(
        sum.verdicts.iter().map(|(_, n)| n).sum::<usize>(),
        total(|s| s.verdicts.iter().map(|(_, n)| n).sum())
    );
}

#[test]
fn pages_that_show_a_known_text_at_a_glance_leave_the_same_bytes_as_ones_read_closely() {
    let (sum, sums) = both_ways("privacy.html", &pages());
    assert_eq!(sum.read, 387);
    assert!(sum.known >= 258 && sum.stored > 50, "{sum:?}");
    assert_eq!(sum.known, sums.iter().map(|s| s.known).sum::<usize>());
}

#[test]
fn what_came_before_a_source_broke_off_is_kept() {
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let document = tracked("meadow".to_owned(), vec!["privacy.md".to_owned()]);
    let folder = tempfile::tempdir().unwrap();
    let mut workspace = workspace(folder.path(), now);
    let broken = || super::ImportError::NotEmpty("the pipe".to_owned());
    let source = versions()
        .into_iter()
        .take(60)
        .map(Ok)
        .chain([Err(broken())]);
    let error = keep(&mut workspace, &document, source, now).unwrap_err();
    assert_eq!(error.to_string(), broken().to_string());
    assert_eq!(workspace.state("meadow").unwrap().published.len(), {
        let published = |event: &Event| matches!(event, Event::Published { .. });
        events(folder.path())
            .iter()
            .filter(|e| published(e))
            .count()
    });
    assert!(workspace.state("meadow").unwrap().published.len() > 40);
}

/// Versions that all have the date of the last.
fn of_one_second() -> Vec<Dated> {
    let mut all = versions();
    let time = all.last().unwrap().time;
    all.retain(|version| version.bytes.is_ascii());
    for version in &mut all {
        version.time = time;
    }
    all
}

fn publications(workspace: &Workspace) -> Vec<crate::evidence::Hash> {
    let state = workspace.state("meadow").unwrap();
    state.published.iter().map(|p| p.version).collect()
}

#[test]
fn versions_of_one_second_are_carried_on_and_a_copy_without_a_journal_has_their_order() {
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let document = tracked("meadow".to_owned(), vec!["privacy.md".to_owned()]);
    let all = of_one_second();
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut at_once = workspace(whole.path(), now);
    let sum = keep(&mut at_once, &document, all.iter().cloned().map(Ok), now).unwrap();
    assert!(sum.stored > 50, "{sum:?}");
    let mut resumed = workspace(parts.path(), now);
    for end in [17, 18, 90, all.len(), all.len()] {
        let some = all.iter().take(end).cloned().map(Ok);
        keep(&mut resumed, &document, some, now).unwrap();
    }
    assert_eq!(publications(&resumed), publications(&at_once));
    assert_eq!(files(whole.path()), files(parts.path()));
    drop(at_once);
    std::fs::remove_dir_all(whole.path().join(".fairnotice")).unwrap();
    std::fs::write(
        whole.path().join("fairnotice.toml"),
        "[[document]]\nid = \"meadow\"\nsource = \"privacy.md\"\n",
    )
    .unwrap();
    let copy = Workspace::read(whole.path()).unwrap();
    // What came again left no file of its own.
    let mut first = Vec::new();
    for id in publications(&resumed) {
        if !first.contains(&id) {
            first.push(id);
        }
    }
    assert_eq!(publications(&copy), first);
}

#[test]
fn what_a_run_that_was_cut_off_did_not_judge_is_judged_by_the_next() {
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let document = tracked("meadow".to_owned(), vec!["privacy.md".to_owned()]);
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join(".fairnotice/journal.jsonl");
    let import = |count: usize| {
        let mut workspace = workspace(folder.path(), now);
        let some = versions().into_iter().take(count).map(Ok);
        keep(&mut workspace, &document, some, now).unwrap();
        workspace.state("meadow").unwrap().unjudged
    };
    import(40);
    let lines = std::fs::read_to_string(&journal).unwrap();
    let verdicts = |folder: &Path| -> Vec<_> {
        let judged = events(folder).into_iter().filter_map(|event| match event {
            Event::Judged(judgement) => {
                Some((judgement.version, judgement.against, judgement.verdict))
            }
            _ => None,
        });
        judged.collect()
    };
    let wanted = verdicts(folder.path());
    let cut: Vec<&str> = lines.lines().collect();
    let at = cut
        .iter()
        .rposition(|line| line.contains("\"published\""))
        .unwrap();
    std::fs::write(&journal, cut[..=at].join("\n") + "\n").unwrap();
    std::fs::remove_dir_all(folder.path().join(".fairnotice/store")).unwrap();
    let _gone = std::fs::remove_file(folder.path().join(".fairnotice/checkpoint"));
    assert_eq!(
        workspace(folder.path(), now)
            .state("meadow")
            .unwrap()
            .unjudged
            .len(),
        1
    );
    assert_eq!(import(40), []);
    assert_eq!(verdicts(folder.path()), wanted);
}

#[test]
fn what_cannot_be_read_or_is_not_the_policy_is_no_version_and_its_bytes_are_kept() {
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let document = tracked("meadow".to_owned(), vec!["privacy.html".to_owned()]);
    let folder = tempfile::tempdir().unwrap();
    let mut workspace = workspace(folder.path(), now);
    let mut all: Vec<Dated> = pages().into_iter().step_by(3).take(3).collect();
    all[1].bytes = b"<html><head><title>Just a moment...</title></head><body><h1>Checking your browser \
        before accessing meadow.example</h1><p>Please enable JavaScript and cookies to continue.</p></body></html>"
        .to_vec();
    let sum = keep(&mut workspace, &document, all.into_iter().map(Ok), now).unwrap();
    assert_eq!((sum.stored, sum.unreadable.len()), (2, 1), "{sum:?}");
    let noted = events(folder.path())
        .into_iter()
        .find_map(|event| match event {
            Event::Noted { what, data, .. } if what == super::UNREADABLE => Some(data),
            _ => None,
        });
    let raw = noted.unwrap()["raw"].as_str().unwrap().to_owned();
    let bytes = workspace.archive.raw(&raw).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("Just a moment"));
}
