//! Mails, banners, pages and letters in a real browser: nothing runs out of the page to the side
//! at 320, 600 and 1,200 pixels, nor at 200 % zoom; skipped, and said, where there is no Chromium.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::notice::{COMPLETE, NOW, approvable, fairnotice, notices, out};

/// Width of the view in pixels, and zoom.
const VIEWS: [(u32, u32); 5] = [(320, 1), (600, 1), (1200, 1), (640, 2), (1280, 4)];

/// Each page in a frame of each width: a frame is a view of its own, and can be narrower than
/// the narrowest window of a browser.
fn frames(pages: &[(String, String)]) -> String {
    let mut out = "<!doctype html><meta charset=utf-8><body>".to_owned();
    for (name, page) in pages {
        for (width, zoom) in VIEWS {
            let zoomed = format!("<style>html {{ zoom: {zoom} }}</style>{page}");
            let code = zoomed.replace('&', "&amp;").replace('"', "&quot;");
            out += &format!(
                "<iframe title=\"{name} at {width} pixels, {zoom} times as large\" \
                 style=\"width:{width}px;height:900px\" srcdoc=\"{code}\"></iframe>"
            );
        }
    }
    out + r#"<script>onload = () => {
        const out = [];
        for (const frame of document.querySelectorAll('iframe')) {
            const d = frame.contentDocument, page = d.scrollingElement;
            if (!d.body.innerText.trim()) out.push(frame.title + ': empty');
            if (page.scrollWidth > page.clientWidth)
                out.push(frame.title + ': ' + page.scrollWidth + ' wide');
            for (const e of d.body.querySelectorAll('*')) {
                const box = e.getBoundingClientRect();
                if (box.width > 0 && box.right > page.clientWidth + 1)
                    out.push(frame.title + ': <' + e.tagName + '> ends at ' + box.right);
            }
        }
        const result = document.createElement('pre');
        result.id = 'result';
        result.textContent = out.length ? out.slice(0, 12).join('\n') : 'all fit';
        document.body.replaceChildren(result);
    }</script>"#
}

/// What the browser says of a page; `None` where there is no browser.
fn drawn(folder: &Path, page: &str) -> Option<String> {
    let file = folder.join("frames.html");
    fs::write(&file, page).unwrap();
    let output = fairnotice::run::print::BROWSERS
        .iter()
        .find_map(|program| {
            Command::new(program)
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                ])
                .args([
                    "--disable-background-networking",
                    "--disable-component-update",
                ])
                .arg(format!(
                    "--user-data-dir={}",
                    folder.join("profile").display()
                ))
                .args(["--virtual-time-budget=20000", "--dump-dom"])
                .arg(format!("file://{}", file.display()))
                .output()
                .ok()
        })?;
    Some(out(&output))
}

#[test]
fn no_text_runs_out_of_a_narrow_or_enlarged_page() {
    let root =
        approvable("notify you by email, by a prominent notice on our website and by letter");
    let root = root.path();
    let long = format!(
        "new_url=https://brackwater.example/{}",
        "privacy".repeat(24)
    );
    let word = format!("contact={}@brackwater.example", "privacyofficer".repeat(8));
    let mut pages = Vec::new();
    for listed in notices(root) {
        let id = listed["id"].as_str().unwrap();
        let mut arguments = vec!["notice", "set", id];
        arguments.extend(COMPLETE);
        arguments.extend([long.as_str(), word.as_str()]);
        fairnotice(root, NOW, &arguments);
        let shown = fairnotice(root, NOW, &["notice", "show", id, "--format", "json"]);
        let shown: Value = serde_json::from_str(&out(&shown)).unwrap();
        for (language, text) in shown["notice"]["texts"].as_object().unwrap() {
            if let Some(html) = text["html"].as_str() {
                let name = format!("{} in {language}", listed["channel"].as_str().unwrap());
                pages.push((name, html.to_owned()));
            }
        }
    }
    for channel in ["email", "website", "letter", "announcement", "memo"] {
        for language in ["en", "zh"] {
            let name = format!("{channel} in {language}");
            assert!(
                pages.iter().any(|(has, _)| *has == name),
                "{name} is missing"
            );
        }
    }
    let Some(result) = drawn(root, &frames(&pages)) else {
        println!("skipped: no Chromium is installed");
        return;
    };
    assert!(
        result.contains("<pre id=\"result\">all fit</pre>"),
        "{}",
        &result
    );
    let wide = [(
        "a wide page".to_owned(),
        format!("<p>{}</p>", "w".repeat(400)),
    )];
    let result = drawn(root, &frames(&wide)).unwrap();
    assert!(
        result.contains("at 320 pixels, 1 times as large: "),
        "{result}"
    );
}
