//! What servers answer that is odd, and what is refused before anything is fetched.

use super::bench::{Answer, Bench, Server};

const PAGE: &str = "<main><h1>Terms of Service</h1><p>We collect your name and your e-mail address to run \
     the service.</p><h2>Payment</h2><p>We charge five euros a month and keep your data for one year.</p></main>";
const REST: &str =
    "<main><h2>Sharing</h2><p>We share your personal data with nobody but our host.</p></main>";

fn configured(sources: &[String], retries: u32) -> String {
    format!(
        "[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\nretries = {retries}\n\
         [[document]]\nid = \"p\"\nsource = {sources:?}\n"
    )
}

fn local(server: &Server, paths: &[&str], retries: u32) -> Bench {
    let sources: Vec<String> = paths.iter().map(|path| server.url(path)).collect();
    Bench::with(&configured(&sources, retries))
}

#[test]
fn not_modified_counts_only_where_it_was_asked_for() {
    let server = Server::start();
    server.answer("/a", Answer::page(PAGE));
    server.answer("/b", Answer::status(304));
    let bench = local(&server, &["/b"], 0);
    let looked = bench.check("2027-01-01T00:00:00Z");
    assert_eq!(looked["p"]["state"], "failed", "{looked:?}");
    // One part that says so without being asked does not hide a change of another.
    server.answer("/b", Answer::page(REST).header("ETag", "\"1\""));
    let bench = local(&server, &["/a", "/b"], 0);
    bench.check("2027-01-01T00:00:00Z");
    server.answer("/a", Answer::page(PAGE.replace("five", "nine")));
    server.answer("/b", Answer::status(304));
    let looked = bench.check("2027-01-02T00:00:00Z");
    assert_eq!(looked["p"]["state"], "failed", "{looked:?}");
}

#[test]
fn other_sources_are_asked_for_anew() {
    let server = Server::start();
    server.answer("/a", Answer::page(PAGE).header("ETag", "\"1\""));
    server.answer("/b", Answer::page(REST));
    let bench = local(&server, &["/a", "/b"], 0);
    bench.check("2027-01-01T00:00:00Z");
    bench.write("fairnotice.toml", configured(&[server.url("/a")], 0));
    let looked = bench.check("2027-01-02T00:00:00Z");
    assert_eq!(looked["p"]["state"], "changed", "{looked:?}");
    let asked = |header: &str| {
        let all = server.asked("/a");
        all.last().unwrap().headers.get(header).cloned()
    };
    assert_eq!(asked("if-none-match"), None);
    bench.check("2027-01-03T00:00:00Z");
    assert_eq!(asked("if-none-match").as_deref(), Some("\"1\""));
}

#[test]
fn robots_txt_is_read_behind_a_redirect_and_asked_for_again() {
    let server = Server::start();
    server.answer("/a", Answer::page(PAGE));
    server.answer(
        "/robots.txt",
        Answer::status(301).header("Location", "/rules"),
    );
    server.answer(
        "/rules",
        Answer::page("User-agent: *\nDisallow: /\n").header("Content-Type", "text/plain"),
    );
    let bench = local(&server, &["/a"], 0);
    let looked = bench.check("2027-01-01T00:00:00Z");
    assert!(
        looked["p"]["error"]
            .to_string()
            .contains("forbidden to robots"),
        "{looked:?}"
    );
    server.answer("/robots.txt", Answer::status(503));
    let bench = local(&server, &["/a"], 1);
    let looked = bench.check("2027-01-01T00:00:00Z");
    assert!(
        looked["p"]["error"]
            .to_string()
            .contains("robots.txt answered 503"),
        "{looked:?}"
    );
    let robots = server.asked("/robots.txt").len();
    assert_eq!(robots, 3, "once in the first run, twice in the second");
}

#[test]
fn redirects_are_followed_as_written_and_named_where_they_are_refused() {
    let server = Server::start();
    let bench = local(&server, &["/a"], 0);
    server.answer("/confidentialit%C3%A9", Answer::page(PAGE));
    server.answer(
        "/a",
        Answer::status(302).header("Location", "/confidentialité"),
    );
    let looked = bench.check("2027-01-01T00:00:00Z");
    assert_eq!(looked["p"]["state"], "new", "{looked:?}");
    for (to, named) in [
        ("file:///etc/passwd", "neither an http or https URL"),
        ("http://169.254.169.254/latest", "169.254.169.254"),
    ] {
        server.answer("/a", Answer::status(302).header("Location", to));
        let looked = bench.check("2027-01-02T00:00:00Z");
        let error = looked["p"]["error"].to_string();
        assert!(
            error.contains(&server.url("/a"))
                && error.contains("redirects")
                && error.contains(named),
            "{error}"
        );
    }
}

#[test]
fn mistakes_of_the_configuration_are_told_before_anything_is_looked_at_and_show_no_password() {
    for (fetch, source, named) in [
        ("proxy = \"ftp://127.0.0.1:1\"", "a.md", "proxy"),
        ("proxy = \"nonsense:::\"", "a.md", "proxy"),
        ("contact = \"a\\nb\"", "a.md", "contact"),
        (
            "",
            "ftp://ada:s3cr3t@host.example/a",
            "neither an http or https URL",
        ),
        ("", "http://ada:s3cr3t@host.example:99999/", "is not a URL"),
    ] {
        let bench = Bench::with(&format!(
            "[fetch]\n{fetch}\n[[document]]\nid = \"p\"\nsource = \"{source}\"\n"
        ));
        bench.write("a.md", "# Terms\n\nWe keep your data for one year.\n");
        for command in [&["config", "check"][..], &["check"]] {
            let ran = bench.run(command);
            assert_eq!(ran.code, 2, "{command:?} {fetch} {source}: {}", ran.err);
            let said = format!("{}{}", ran.err, ran.out);
            assert!(said.contains(named), "{command:?}: {said}");
            // The line of the user's own file may be shown below.
            let told = said.lines().filter(|line| line.contains(named));
            assert!(
                told.filter(|line| line.contains("s3cr3t")).count() == 0,
                "{said}"
            );
        }
        assert!(!bench.file("snapshots/p").exists());
    }
}

#[test]
fn a_scheme_may_be_written_in_capitals_and_a_file_as_a_url() {
    let server = Server::start();
    server.answer("/a", Answer::page(PAGE));
    let bench = Bench::with(&configured(&[server.url("/a").replace("http", "HTTP")], 0));
    assert_eq!(bench.check("2027-01-01T00:00:00Z")["p"]["state"], "new");
    let bench = Bench::new();
    bench.write("our terms.html", PAGE);
    let path = bench.file("our terms.html").display().to_string();
    let source = format!("file://localhost{}", path.replace(' ', "%20"));
    bench.write("fairnotice.toml", configured(&[source], 0));
    assert_eq!(bench.check("2027-01-01T00:00:00Z")["p"]["state"], "new");
}
