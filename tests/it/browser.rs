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
