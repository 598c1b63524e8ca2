//! Pages drawn by scripts, with an installed Chromium; skipped where there is none.

use super::bench::{Answer, Bench, NOW, Server};

fn absent() -> bool {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .any(|program| {
            std::process::Command::new(program)
                .arg("--version")
                .output()
                .is_ok()
        });
    if !found {
        println!("skipped: no Chromium is installed");
    }
    !found
}

const DRAWN: &str = "<!doctype html><html lang=en><head><title>Pond</title></head><body>\
    <div id=root></div><img src=/pixel.png><script>\
    fetch('/part').then(r => r.text()).then(t => { document.getElementById('root').innerHTML = t; });\
    fetch('http://169.254.169.254/latest/meta-data').catch(() => {});\
    </script></body></html>";
const PART: &str = "<main><h1>Pond Privacy Policy</h1><h2>1. Data</h2><p>We collect personal data \
    such as your name and your e-mail address when you open an account.</p><h2>2. Sharing</h2>\
    <p>We will not share your personal data with third parties.</p></main>";

fn server() -> Server {
    let server = Server::start();
    server.answer("/privacy", Answer::page(DRAWN));
    server.answer("/part", Answer::page(PART));
    server
}

fn bench(server: &Server, fetch: &str, document: &str) -> Bench {
    Bench::with(&format!(
        "[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\nretries = 0\n\
         timeout_seconds = 45\n{fetch}\n\
         [[document]]\nid = \"pond\"\nsource = \"{}\"\n{document}\n",
        server.url("/privacy")
    ))
}

#[test]
fn a_page_that_a_script_builds_is_read_as_people_see_it() {
    if absent() {
        return;
    }
    let server = server();
    let bench = bench(&server, "", "render = \"browser\"\nwait_for = \"main\"");
    assert_eq!(bench.check(NOW)["pond"]["state"], "new");
    let text = bench.run(&["show", "pond"]).exits(0).out;
    assert!(
        text.contains("We will not share your personal data"),
        "{text}"
    );
    assert!(
        server.asked("/pixel.png").is_empty(),
        "pictures are not needed"
    );
    let left = std::fs::read_dir(bench.file(".fairnotice")).unwrap();
    let left: Vec<_> = left.map(|e| e.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|n| n.to_string_lossy().starts_with("browser")),
        "{left:?}"
    );
}

#[test]
fn the_documents_headers_go_to_its_own_host_and_nothing_private_is_reached() {
    if absent() {
        return;
    }
    let (own, other) = (server(), Server::start());
    // Another loopback address, which the configuration does not name.
    let elsewhere = other.url("/part").replace("127.0.0.1", "127.0.0.2");
    own.answer(
        "/privacy",
        Answer::page(DRAWN.replace("http://169.254.169.254/latest/meta-data", &elsewhere)),
    );
    let bench = Bench::with(&format!(
        "[fetch]\nallow_addresses = [\"127.0.0.1\"]\ndelay_milliseconds = 0\nretries = 0\n\
         timeout_seconds = 45\ncontact = \"legal@pond.example\"\n\
         [[document]]\nid = \"pond\"\nsource = \"{}\"\nrender = \"browser\"\n\
         headers = {{ X-Team = \"legal\" }}\n",
        own.url("/privacy")
    ));
    assert_eq!(bench.check(NOW)["pond"]["state"], "new");
    let part = &own.asked("/part")[0].headers;
    assert_eq!(part["x-team"], "legal");
    assert!(
        part["user-agent"].contains("fairnotice/")
            && part["user-agent"].contains("legal@pond.example"),
        "{part:?}"
    );
    assert!(other.asked("/part").is_empty());
}

#[test]
fn a_page_without_text_is_drawn_where_that_is_allowed() {
    if absent() {
        return;
    }
    let server = server();
    let plain = bench(&server, "", "");
    plain.run(&["check"]).exits(1);
    let allowed = bench(&server, "browser_fallback = true", "");
    assert_eq!(allowed.check(NOW)["pond"]["state"], "new");
}

#[test]
fn a_browser_that_is_not_there_is_said() {
    let server = server();
    let bench = bench(
        &server,
        "browser = \"/nowhere/chromium\"",
        "render = \"browser\"",
    );
    let ran = bench.run(&["check"]).exits(1);
    assert!(ran.out.contains("no browser was found"), "{}", ran.out);
}

/// A page drawn without waiting for a selector, in three seconds at most of a request that stays open.
fn drawn(server: &Server, more: &str) -> Bench {
    bench(server, more, "render = \"browser\"")
}

#[test]
fn only_the_page_itself_says_how_it_was_answered() {
    if absent() {
        return;
    }
    let server = server();
    // An error page with a frame that is well is an error page.
    let frame = |path: &str| format!("{PART}<iframe src=\"{path}\"></iframe>");
    let mut gone = Answer::page(frame("/part"));
    gone.status = 404;
    server.answer("/privacy", gone);
    let error_page = drawn(&server, "");
    let looked = error_page.check(NOW);
    assert_eq!(looked["pond"]["state"], "failed", "{looked:?}");
    assert!(
        looked["pond"]["error"].to_string().contains("http-404"),
        "{looked:?}"
    );
    // A page with frames that fail, or are refused, is a page.
    for inner in ["/nothing", "http://169.254.169.254/"] {
        server.answer("/privacy", Answer::page(frame(inner)));
        let looked = drawn(&server, "").check(NOW);
        assert_eq!(looked["pond"]["state"], "new", "{inner}: {looked:?}");
    }
}

#[test]
fn redirects_of_a_drawn_page_are_followed_and_recorded() {
    if absent() {
        return;
    }
    let server = server();
    server.answer("/privacy", Answer::status(302).header("Location", "/moved"));
    server.answer(
        "/moved",
        Answer::page(format!("{PART}<script src=/old.js></script>")),
    );
    server.answer("/old.js", Answer::status(302).header("Location", "/new.js"));
    server.answer("/new.js", Answer::page("1"));
    let bench = drawn(&server, "");
    let looked = bench.check(NOW);
    assert_eq!(looked["pond"]["state"], "new", "{looked:?}");
    let log = bench
        .run(&["log", "pond", "--format", "json"])
        .exits(0)
        .json();
    let snapshot = bench.read(log["versions"][0]["file"].as_str().unwrap());
    assert!(
        snapshot.contains(&format!(
            "requests: \"302 {}, 200 {}\"",
            server.url("/privacy"),
            server.url("/moved")
        )),
        "{snapshot}"
    );
    // A page that goes round and round ends.
    server.answer(
        "/moved",
        Answer::page("<script>location.href = '/moved?' + Math.random()</script>"),
    );
    let looked = drawn(&server, "max_redirects = 3").check(NOW);
    assert_eq!(looked["pond"]["state"], "failed", "{looked:?}");
}

#[test]
fn dialogs_downloads_and_passwords_of_a_drawn_page_do_no_harm() {
    if absent() {
        return;
    }
    let server = server();
    server.answer(
        "/file",
        Answer::page("x").header("Content-Disposition", "attachment; filename=evil.bin"),
    );
    server.answer(
        "/privacy",
        Answer::page(format!(
            "{PART}<a id=a download=evil.bin href=/file>x</a><script>alert(1); a.click();</script>"
        )),
    );
    let bench = drawn(&server, "");
    let home = bench.file("home");
    std::fs::create_dir_all(home.join("Downloads")).unwrap();
    let source = server
        .url("/privacy")
        .replace("http://", "http://ada:s3cr3t@");
    let configuration = bench
        .read("fairnotice.toml")
        .replace(&server.url("/privacy"), &source);
    bench.write("fairnotice.toml", configuration);
    let ran = super::bench::ran(
        bench
            .command(&["check"])
            .env("HOME", &home)
            .output()
            .unwrap(),
    )
    .exits(0);
    assert!(!ran.out.contains("s3cr3t"), "{}", ran.out);
    assert_eq!(
        std::fs::read_dir(home.join("Downloads")).unwrap().count(),
        0
    );
    let log = bench
        .run(&["log", "pond", "--format", "json"])
        .exits(0)
        .json();
    let snapshot = bench.read(log["versions"][0]["file"].as_str().unwrap());
    assert!(!snapshot.contains("s3cr3t"), "{snapshot}");
    assert!(!bench.read(".fairnotice/journal.jsonl").contains("s3cr3t"));
}

#[test]
fn a_selector_that_never_holds_text_is_named() {
    if absent() {
        return;
    }
    let server = server();
    for (selector, named) in [
        ("#never", "held no text"),
        ("[[", "wait_for `[[` cannot be used"),
    ] {
        let document = format!("render = \"browser\"\nwait_for = \"{selector}\"");
        let bench = bench(&server, "", &document);
        let shorter = bench
            .read("fairnotice.toml")
            .replace("timeout_seconds = 45", "timeout_seconds = 6");
        bench.write("fairnotice.toml", shorter);
        let looked = bench.check(NOW);
        let error = looked["pond"]["error"].to_string();
        assert!(error.contains(named) && error.contains(selector), "{error}");
    }
}

#[test]
fn documents_of_the_same_address_are_drawn_side_by_side() {
    if absent() {
        return;
    }
    let server = server();
    let mut configuration =
        "[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\nretries = 0\n\
         timeout_seconds = 45\n"
            .to_owned();
    for id in ["a", "b", "c"] {
        configuration += &format!(
            "[[document]]\nid = \"{id}\"\nsource = \"{}\"\nrender = \"browser\"\nwait_for = \"main\"\n",
            server.url("/privacy")
        );
    }
    let looked = Bench::with(&configuration).check(NOW);
    for id in ["a", "b", "c"] {
        assert_eq!(looked[id]["state"], "new", "{looked:?}");
    }
}
