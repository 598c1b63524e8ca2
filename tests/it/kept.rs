//! What was kept stays what it was: texts that are read again, copies without a journal, files that
//! were altered, bytes that were pruned.

use super::bench::{Answer, Bench, Server};

const POLICY: &str = "<main><h1>Terms of Service</h1><p>We collect your name and your e-mail address \
     to run the service for a fee of 5 € each month.</p><p class=ad>Advert only for our readers of this \
     week.</p><p class=tip>Tip of the day for all of our readers.</p><h2>Payment</h2><p>We charge 5 € for \
     late payment, and keep your data for one year. Žižek and œuvre.</p></main>";

/// As in ISO 8859-15, whose signs are not those of ISO 8859-1.
fn latin9(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| match c {
            '€' => 0xA4,
            'Ž' => 0xB4,
            'ž' => 0xB8,
            'œ' => 0xBD,
            c => u8::try_from(c).unwrap(),
        })
        .collect()
}

fn configured(source: &str, remove: &[&str]) -> String {
    format!(
        "[fetch]\nallow_addresses = [\"127.0.0.0/8\"]\ndelay_milliseconds = 0\nretries = 0\n\
         [[document]]\nid = \"p\"\nsource = \"{source}\"\nremove = {remove:?}\n"
    )
}

fn shown(bench: &Bench) -> String {
    bench.run(&["show", "p@latest"]).exits(0).out
}

#[test]
fn a_text_that_is_read_again_and_again_keeps_its_encoding_and_is_no_change() {
    let server = Server::start();
    let page =
        |body: Vec<u8>| Answer::page(body).header("Content-Type", "text/html; charset=iso-8859-15");
    server.answer("/p", page(latin9(POLICY)));
    let source = server.url("/p");
    let bench = Bench::with(&configured(&source, &[]));
    bench.check("2026-01-01T00:00:00Z");
    let first = shown(&bench);
    assert!(
        first.contains("5 €") && first.contains("Žižek and œuvre"),
        "{first}"
    );
    for (day, remove) in [("01", &[".ad"][..]), ("02", &[".ad", ".tip"])] {
        bench.write("fairnotice.toml", configured(&source, remove));
        let looked = bench.check(&format!("2026-02-{day}T00:00:00Z"));
        assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
    }
    let last = shown(&bench);
    assert!(
        last.contains("5 €") && last.contains("Žižek and œuvre"),
        "{last}"
    );
    assert!(!last.contains("Advert") && !last.contains("Tip"), "{last}");
    // Other bytes around the same words are no change either.
    server.answer("/p", page(latin9(&format!("<nav>Menu</nav>{POLICY}"))));
    let looked = bench.check("2026-02-03T00:00:00Z");
    assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
}

#[test]
fn a_copy_without_a_journal_knows_which_text_took_the_place_of_which() {
    let page = |days: u32| POLICY.replace("one year", &format!("{days} days"));
    let bench = Bench::with(&configured("p.html", &[]));
    bench.write("p.html", page(9));
    bench.check("2026-01-01T00:00:00Z");
    bench.write("p.html", page(14));
    bench.check("2026-02-01T00:00:00Z");
    bench.write("fairnotice.toml", configured("p.html", &[".ad"]));
    bench.check("2026-03-01T00:00:00Z");
    let log = |bench: &Bench| {
        let log = bench.run(&["log", "p", "--format", "json"]).exits(0).json();
        let mut published: Vec<(String, String)> = log["versions"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|version| {
                let id = version["version"].as_str().unwrap().to_owned();
                let times = version["published"].as_array().unwrap().iter();
                times
                    .map(|at| (at["at"].as_str().unwrap().to_owned(), id.clone()))
                    .collect::<Vec<_>>()
            })
            .collect();
        published.sort();
        published
    };
    let verdicts = bench.run(&["log", "p", "--format", "json"]).exits(0).json();
    let told = verdicts["versions"].as_array().unwrap().iter();
    let judged: Vec<_> = told
        .filter(|v| v["verdict"] == "material")
        .map(|v| v["published"].as_array().unwrap().len())
        .collect();
    assert_eq!(
        judged,
        [1],
        "the verdict goes with the text that took the place: {verdicts}"
    );
    let before = log(&bench);
    assert_eq!(before.len(), 2);
    std::fs::remove_dir_all(bench.file(".fairnotice")).unwrap();
    assert_eq!(log(&bench), before);
    let looked = bench.check("2026-03-02T00:00:00Z");
    assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
    // Back to the selectors of before: the texts of before stand there again, also in a copy.
    bench.write("fairnotice.toml", configured("p.html", &[]));
    let looked = bench.check("2026-03-03T00:00:00Z");
    assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
    std::fs::remove_dir_all(bench.file(".fairnotice")).unwrap();
    let looked = bench.check("2026-03-04T00:00:00Z");
    assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
    assert!(shown(&bench).contains("Advert"));
}

#[test]
fn an_altered_snapshot_is_never_taken_for_the_text_and_keeps_nobody_else_from_being_checked() {
    let bench = Bench::with(
        "[[document]]\nid = \"p\"\nsource = \"p.html\"\n[[document]]\nid = \"q\"\nsource = \"q.html\"\n",
    );
    bench.write("p.html", POLICY);
    bench.write("q.html", POLICY);
    bench.check("2026-01-01T00:00:00Z");
    let name = |ending: &str| {
        let entries = std::fs::read_dir(bench.file("snapshots/p")).unwrap();
        let mut names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        format!(
            "snapshots/p/{}",
            names.find(|n| n.ends_with(ending)).unwrap()
        )
    };
    let (text, raw) = (name(".md"), name(".raw.gz"));
    let sound = bench.read(&text);
    bench.write(&text, sound.replace("late payment", "early payment"));
    let ran = bench.run(&["show", "p@latest"]).exits(1);
    assert!(
        ran.err.contains("was altered") && ran.err.contains(&text),
        "{}",
        ran.err
    );
    for file in ["p.html", "q.html"] {
        bench.write(file, POLICY.replace("one year", "two years"));
    }
    let looked = bench.check("2026-02-01T00:00:00Z");
    assert_eq!(looked["p"]["state"], "failed", "{looked:?}");
    let error = looked["p"]["error"].to_string();
    assert!(
        error.contains("was altered") && error.contains("restore"),
        "{error}"
    );
    assert_eq!(looked["q"]["state"], "changed", "{looked:?}");
    bench.run(&["status"]).exits(3);
    let ran = bench.run(&["reindex"]).exits(1);
    assert!(ran.err.contains(&text), "{}", ran.err);
    // Restored, all is well, and the change is told.
    bench.write(&text, &sound);
    let looked = bench.check("2026-02-02T00:00:00Z");
    assert_eq!(looked["p"]["verdict"], "material", "{looked:?}");
    bench.run(&["reindex"]).exits(0);
    let other = bench.file("snapshots/q");
    let theirs = std::fs::read_dir(other)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let bytes = std::fs::read(path).unwrap();
            path.to_string_lossy().ends_with(".raw.gz")
                && bytes != std::fs::read(bench.file(&raw)).unwrap()
        })
        .unwrap();
    std::fs::copy(theirs, bench.file(&raw)).unwrap();
    let ran = bench.run(&["reindex"]).exits(1);
    assert!(ran.err.contains(&raw), "{}", ran.err);
}

#[test]
fn what_nobody_can_name_is_not_pruned_and_a_text_that_comes_back_has_its_bytes() {
    let bench = Bench::with(&configured("p.html", &[]));
    let page = |days: u32| POLICY.replace("one year", &format!("{days} days"));
    let raw = |bench: &Bench| {
        let entries = std::fs::read_dir(bench.file("snapshots/p")).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|n| n.ends_with(".raw.gz")).count()
    };
    bench.write("p.html", page(9));
    bench.check("2026-01-01T00:00:00Z");
    bench.write("p.html", page(14));
    bench.check("2026-02-01T00:00:00Z");
    assert_eq!(raw(&bench), 2);
    bench
        .run_at("2026-03-01T00:00:00Z", &["prune", "--raw", "0"])
        .exits(0);
    assert_eq!(raw(&bench), 1);
    bench.write("p.html", page(9));
    bench.check("2026-04-01T00:00:00Z");
    assert_eq!(raw(&bench), 2, "the last version's bytes are there again");
    bench.write("fairnotice.toml", configured("p.html", &[".ad"]));
    let looked = bench.check("2026-05-01T00:00:00Z");
    assert_eq!(looked["p"]["state"], "unchanged", "{looked:?}");
    // Without a journal and out of the configuration, nothing tells what the bytes are of.
    std::fs::remove_dir_all(bench.file(".fairnotice")).unwrap();
    bench.write("fairnotice.toml", "");
    bench
        .run_at("2026-06-01T00:00:00Z", &["prune", "--unread", "0"])
        .exits(0);
    assert_eq!(raw(&bench), 2);
}
