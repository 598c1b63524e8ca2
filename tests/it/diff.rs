//! `fairnotice diff`, as scripts and people use it.

use std::{fs, path::PathBuf, process::Output};

use assert_cmd::Command;
use tempfile::TempDir;

use super::samples;

struct Pair {
    _folder: TempDir,
    folder: PathBuf,
}

impl Pair {
    fn new(old: &str, new: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("old.md"), old).unwrap();
        fs::write(path.join("new.md"), new).unwrap();
        Self {
            _folder: folder,
            folder: path,
        }
    }

    fn moved() -> Self {
        Self::new(samples::MOVED.0, samples::MOVED.1)
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        Command::cargo_bin("fairnotice")
            .unwrap()
            .current_dir(&self.folder)
            .env_remove("PAGER")
            .args(["--now", "2026-03-01T09:00:00Z", "diff", "old.md", "new.md"])
            .args(arguments)
            .output()
            .unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.diff(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        let output = self.diff(&["--output", name]);
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.is_empty(), "nothing on standard output");
        fs::read(self.folder.join(name)).unwrap()
    }
}

#[test]
fn the_terminal_form_marks_words_and_shows_a_move_once() {
    let text = Pair::moved().text(&["--only", "compare"]);
    assert!(text.starts_with("Lanternfish Privacy Notice\n"), "{text}");
    for words in [
        "We collect the name{+, the telephone number+} and the postal address",
        " · moved · 3 → 2 Your rights · line 11 → 7",
        "and 1 passage behind it",
        "The courier deletes it after [-ten-]{+thirty+} days.",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text}");
}

#[test]
fn a_narrow_file_keeps_its_width() {
    let text = Pair::moved().text(&[]);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn the_same_text_has_no_changes() {
    let pair = Pair::new(samples::MOVED.0, samples::MOVED.0);
    assert!(pair.text(&[]).contains("The two texts do not differ."));
    let json: serde_json::Value = serde_json::from_str(&pair.text(&["--format", "json"])).unwrap();
    assert_eq!(json["changes"].as_array().unwrap().len(), 0);
    assert_eq!(json["verdict"], "none");
}

#[test]
fn json_gives_back_both_texts() {
    let pair = Pair::moved();
    let json: serde_json::Value =
        serde_json::from_str(&pair.text(&["--format", "json", "--segments"])).unwrap();
    assert_eq!(json["schema"], "fairnotice/diff/1");
    for change in json["changes"].as_array().unwrap() {
        for (side, gone) in [("old", "insert"), ("new", "delete")] {
            let text: String = change["edits"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|edit| edit["op"] != gone)
                .map(|edit| edit["text"].as_str().unwrap())
                .collect();
            let expected = change[side]["text"].as_str().unwrap_or_default();
            assert_eq!(text, expected, "{change}");
        }
    }
    assert!(json["segments"].as_array().unwrap().len() > 3);
    assert!(json["duties"].is_array());
}

#[test]
fn only_compare_leaves_judgement_out() {
    let json: serde_json::Value =
        serde_json::from_str(&Pair::moved().text(&["--format", "json", "--only", "compare"]))
            .unwrap();
    for key in ["verdict", "findings", "duties", "promises", "segments"] {
        assert!(json.get(key).is_none(), "{key}");
    }
}

#[test]
fn the_ending_of_the_output_chooses_the_format() {
    let pair = Pair::moved();
    assert!(pair.file("redline.html").starts_with(b"<!DOCTYPE html>"));
    assert!(pair.file("redline.docx").starts_with(b"PK"));
    assert!(pair.file("redline.md").starts_with(b"# Redline: "));
    assert!(pair.file("redline.json").starts_with(b"{"));
    assert!(pair.file("redline.txt").starts_with(b"Lanternfish"));
    let output = pair.diff(&["--output", "redline.xyz"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--format"));
}

#[test]
fn the_same_input_gives_the_same_files() {
    let pair = Pair::moved();
    for name in ["a.html", "a.docx", "a.md"] {
        assert_eq!(pair.file(name), pair.file(name), "{name}");
    }
}

#[test]
fn a_folder_that_does_not_exist_is_an_error() {
    let output = Pair::moved().diff(&["--output", "nowhere/redline.html"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere/redline.html"));
}

#[test]
fn a_missing_file_is_an_error_in_json_too() {
    let pair = Pair::moved();
    fs::remove_file(pair.folder.join("new.md")).unwrap();
    let output = pair.diff(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["schema"], "fairnotice/error/1");
}

/// What a browser would show and run is judged here by the page's source.
#[test]
fn foreign_text_is_no_markup_and_no_script() {
    let evil = "# Terms <script>alert(1)</script>\n\n## A \"quoted\" <img src=x onerror=alert(2)>\n\n\
        See [here](javascript:alert(3)) & <b onclick='x'>there</b>. `</script><script>alert(4)</script>`\n\n\
        1. A rule \u{1b}[31mred\u{7}.\n";
    let pair = Pair::new(
        evil,
        &evil.replace("rule", "<i>rule</i> </title><script>alert(5)</script>"),
    );
    let page = String::from_utf8(pair.file("a.html")).unwrap();
    assert_eq!(
        page.matches("<script>").count(),
        1,
        "only the page's own script"
    );
    assert_eq!(page.matches("</title>").count(), 1);
    assert!(
        !page.contains("<img")
            && !page.contains("<b onclick")
            && !page.contains("href=\"javascript")
    );
    assert!(page.contains("default-src 'none'"));
    let plain = pair.text(&[]);
    assert!(
        !plain.contains('\u{1b}') && !plain.contains('\u{7}'),
        "{plain:?}"
    );
    let markdown = String::from_utf8(pair.file("a.md")).unwrap();
    assert!(!markdown.contains("<script"), "{markdown}");
}

#[test]
fn the_page_can_be_read_without_colour_and_without_script() {
    let page = String::from_utf8(Pair::moved().file("a.html")).unwrap();
    for words in [
        "<span class=\"vh\">deleted: </span>",
        "<span class=\"vh\">inserted: </span>",
        "<span class=\"vh\">moved here: </span>",
        "SHA-256",
        "substantive only <span class=\"count\">(hides ",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for link in page.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap();
        assert!(
            page.contains(&format!("id=\"{id}\"")),
            "#{id} leads nowhere"
        );
    }
}

#[test]
fn a_pdf_is_printed_by_a_browser_or_the_reason_is_said() {
    let pair = Pair::moved();
    let output = pair.diff(&["--output", "a.pdf"]);
    if output.status.success() {
        assert!(
            fs::read(pair.folder.join("a.pdf"))
                .unwrap()
                .starts_with(b"%PDF")
        );
    } else {
        println!(
            "no browser printed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(1));
    }
    let output = pair.diff(&["--output", "b.pdf", "--browser", "/nonexistent/browser"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("/nonexistent/browser") && said.contains("--browser"),
        "{said}"
    );
    assert!(!pair.folder.join("b.pdf").exists());
}
