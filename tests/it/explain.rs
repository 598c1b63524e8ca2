//! `add --explain`: which part of a page was taken for the policy, and why the rest was not.

use super::bench::Bench;

const PAGE: &str = "<!doctype html><html lang=en><head><title>Kelp terms</title></head><body>\
    <nav class=menu><a href=/>Home</a> <a href=/shop>Shop</a></nav>\
    <main><h1>Terms of Kelp</h1><p>You agree to these terms when you use the service.</p>\
    <h2 id=old>Archive</h2><p class=old>These are the terms of the year before.</p>\
    <h2 id=law>Law</h2><p>The law of Norland governs these terms, and its courts decide.</p>\
    <p class=ad>Try our new lamps.</p></main>\
    <div class=cookie-banner>We use cookies with your consent.</div></body></html>";

#[test]
fn what_is_left_out_is_shown_with_its_reason() {
    let bench = Bench::new();
    bench.write("kelp.html", PAGE);
    let said = bench.run(&["add", "kelp.html", "--explain"]).exits(0).out;
    for words in ["kelp.html\n", "taken: ", "main", "left out: ", "Home Shop"] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert!(!bench.read("fairnotice.toml").contains("kelp"));
    assert!(!said.contains("suspect"), "{said}");
}

#[test]
fn a_tracked_document_is_explained_with_its_selectors() {
    let bench = Bench::with(
        "[[document]]\nid = \"kelp\"\nsource = \"kelp.html\"\ninclude = [\"main\"]\n\
         remove = [\".ad\", { startBefore = \"#old\", endBefore = \"#law\" }]\n",
    );
    bench.write("kelp.html", PAGE);
    for args in [
        &["add", "kelp", "--explain"][..],
        &["add", "kelp.html", "--explain"],
        &["add", "kelp.html", "--id", "kelp", "--explain"],
    ] {
        let said = bench.run(args).exits(0).out;
        for words in [
            "`include` of `kelp` names 1 part\n",
            "`remove` of `kelp` names 2 parts\n",
            "taken: html > body > main",
            "“Try our new lamps.”",
            "“These are the terms of the year before.”",
        ] {
            assert!(said.contains(words), "{words} is not in:\n{said}");
        }
    }
    bench.check(super::bench::NOW);
    let text = bench.run(&["show", "kelp@latest"]).exits(0).out;
    assert!(
        text.contains("Norland") && text.contains("You agree"),
        "{text}"
    );
    assert!(
        !text.contains("lamps") && !text.contains("Archive"),
        "{text}"
    );
}

#[test]
fn a_selector_that_matches_nothing_or_is_none_is_said() {
    let document = |include: &str| {
        format!("[[document]]\nid = \"kelp\"\nsource = \"kelp.html\"\ninclude = [\"{include}\"]\n")
    };
    let bench = Bench::with(&document("#absent"));
    bench.write("kelp.html", PAGE);
    let said = bench.run(&["add", "kelp", "--explain"]).exits(0).out;
    assert!(said.contains("match nothing with words"), "{said}");
    let bench = Bench::with(&document("p >> > q"));
    bench.write("kelp.html", PAGE);
    let ran = bench.run(&["add", "kelp", "--explain"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert!(ran.err.contains("p >> > q"), "{}", ran.err);
}

#[test]
fn each_page_of_a_policy_in_parts_is_explained() {
    let bench = Bench::new();
    bench.write("kelp.html", PAGE);
    bench.write("fees.html", PAGE.replace("Terms of Kelp", "Fees of Kelp"));
    bench.write("notes.md", "# Notes\n\nYou agree to these notes too.\n");
    let said = bench
        .run(&["add", "fees.html", "kelp.html", "notes.md", "--explain"])
        .exits(0)
        .out;
    let at = |words: &str| {
        said.find(words)
            .unwrap_or_else(|| panic!("{words}:\n{said}"))
    };
    assert!(at("fees.html") < at("kelp.html") && at("kelp.html") < at("notes.md"));
    assert_eq!(said.matches("taken: ").count(), 3, "{said}");
    assert!(said.contains("no web page"), "{said}");
    bench
        .run(&["add", "fees.html", "kelp.html", "--id", "both", "--yes"])
        .exits(0);
    bench.check(super::bench::NOW);
    let text = bench.run(&["show", "both@latest"]).exits(0).out;
    assert!(
        text.find("Fees of Kelp") < text.find("Terms of Kelp"),
        "{text}"
    );
}

#[test]
fn each_kind_of_page_in_a_policys_place_is_named() {
    let bench = Bench::new();
    let cases = [
        (
            "too-little-text",
            "<div id=root></div><script>boot()</script>",
        ),
        (
            "consent-wall",
            "<h1>Before you continue</h1><p>We and our partners use cookies.</p><button>Accept all</button>",
        ),
        (
            "login",
            "<h1>Sign in to continue</h1><form><input name=user><input type=password></form><p>Forgot password?</p>",
        ),
        (
            "error-page",
            "<h1>404</h1><p>Sorry, the page you are looking for was moved.</p>",
        ),
        (
            "bot-check",
            "<h1>Just a moment...</h1><p>Checking your browser before accessing kelp.example.</p>",
        ),
        (
            "redirect",
            "<p>You are being redirected to <a href=/terms>the new place</a>.</p>",
        ),
        (
            "not-a-policy",
            "<h1>Lamps</h1><p>Our lamps glow in many lovely colours all night long, and each is made by hand in a small town.</p>",
        ),
    ];
    for (code, body) in cases {
        let title = if code == "error-page" {
            "Not found"
        } else {
            "Kelp"
        };
        bench.write(
            "page.html",
            format!(
                "<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
            ),
        );
        let said = bench.run(&["add", "page.html", "--explain"]).exits(0).out;
        assert!(
            said.contains(&format!("suspect ({code})")),
            "{code}:\n{said}"
        );
    }
}
