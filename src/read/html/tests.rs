use super::super::{Format, Input, Part, Selectors, canonical, equivalence_key, read};

fn markdown(page: &str) -> String {
    with(page, Selectors::default())
}

fn with(page: &str, selectors: Selectors) -> String {
    let input = Input {
        bytes: page.as_bytes(),
        format: Some(Format::Html),
        url: Some("https://lantern.example/legal/privacy"),
        selectors,
        ..Input::default()
    };
    let light = super::lighten(&input, page).unwrap();
    super::convert(&input, &light).unwrap().markdown
}

/// A page of a fictional service, with everything around the policy that sites put there.
fn page(policy: &str, token: &str, menu: &str) -> String {
    format!(
        r##"<!DOCTYPE html><html lang="en"><head><title>Privacy | Lantern</title>
<meta name="csrf" content="{token}"><script>window.x="{token} <p>not text</p>"</script>
<noscript><iframe src="https://tags.example/ns.html?id={token}" /></noscript></head>
<body class="page p-{token}"><a class="skip-link" href="#main">Skip to content</a>
<header><div class="logo"><a href="/">Lantern</a></div><nav>{menu}</nav>
<form role="search"><label>Search</label><input><button>Go</button></form></header>
<div class="layout"><aside class="sidebar"><h3>Related</h3><ul><li><a href="/terms">Terms</a></li><li><a href="/imprint">Imprint</a></li></ul></aside>
<main id="main"><ol class="breadcrumbs"><li><a href="/">Home</a></li><li><a href="/legal">Legal</a></li></ol>
{policy}
<div class="share-buttons"><a href="https://social.example/share?u={token}">Share</a> <a href="#">Tweet</a></div>
<div class="feedback"><p>Was this page helpful?</p><button>Yes</button><button>No</button></div>
</main></div>
<footer><p>© 2031 Lantern {token}</p><ul><li><a href="/jobs">Jobs</a></li></ul></footer>
<div id="cookie-banner" class="cookie-consent"><p>We use cookies to improve your experience and need your consent.</p><button>Accept all</button></div>
<div role="dialog" aria-hidden="true"><h2>Join our newsletter</h2><p>News once a month, consent needed.</p></div>
</body></html>"##
    )
}

const POLICY: &str = r##"<h1>Privacy Policy</h1><p><em>Last updated: 3 May 2031</em></p>
<p>Lantern Ltd (“we”) runs lantern.example. This policy says which <b>personal data</b> we process and why. We keep it short, and you may ask us anything.</p>
<h2 id="data"><a class="anchor" href="#data">#</a>1. Data we collect</h2>
<p>We collect your <a href="/account?utm_source=policy&amp;tab=mail">account</a> data, and <span>te</span><span>xt split</span> over spans.</p>
<ul><li>Name and e-mail<ul><li>also earlier ones</li></ul></li><li><p>Payment data</p><p>kept by our processor.</p></li></ul>
<details><summary>How long do we keep data?</summary><p>Thirty days after you close your account.</p></details>
<div class="accordion"><button aria-expanded="false" aria-controls="rights">Your rights</button>
<div id="rights" hidden><p>You may ask for access, and withdraw consent.</p></div></div>
<table><thead><tr><th>Data</th><th>Purpose</th></tr></thead><tbody><tr><td>Name</td><td>Contract | billing</td></tr><tr><td>Logs</td><td>Security</td></tr></tbody></table>
<dl><dt>Controller</dt><dd>Lantern Ltd</dd><dt>Processor</dt><dd>A company that works for us.</dd></dl>
<p><strong>Contact</strong></p><p>Lantern Ltd<br>1 Wick Road<br>Norland</p>"##;

const MENU: &str =
    r#"<ul><li><a href="/a">Products</a></li><li><a href="/b">Pricing</a></li></ul>"#;

#[test]
fn the_policy_is_found_and_nothing_else() {
    insta::assert_snapshot!(markdown(&page(POLICY, "t0", MENU)), @r"
    # Privacy Policy

    Last updated: 3 May 2031

    Lantern Ltd (“we”) runs lantern.example. This policy says which **personal data** we process and why. We keep it short, and you may ask us anything.

    ## 1. Data we collect

    We collect your [account](https://lantern.example/account?tab=mail) data, and text split over spans.

    - Name and e-mail
      - also earlier ones
    - Payment data

      kept by our processor.

    ### How long do we keep data?

    Thirty days after you close your account.

    ### Your rights

    You may ask for access, and withdraw consent.

    | Data | Purpose |
    | --- | --- |
    | Name | Contract \| billing |
    | Logs | Security |

    - **Controller**

      Lantern Ltd

    - **Processor**

      A company that works for us.

    **Contact**

    Lantern Ltd

    1 Wick Road

    Norland
    ");
}

#[test]
fn the_same_words_make_the_same_text_whatever_is_around() {
    let first = page(POLICY, "t0", MENU);
    let second = page(
        &POLICY
            .replace("<p>", "\n  <P  class='x y'>")
            .replace("</p>", " </P>\n")
            .replace("utm_source=policy", "utm_source=other&gclid=77"),
        "t1-99",
        r#"<ul><li><a href="/c">New: lamps</a></li><li><a>Sale!</a></li><li><button>Menu</button></li></ul>"#,
    );
    assert_eq!(markdown(&first), markdown(&second));
    let third = page(&POLICY.replace(['“', '”'], "\""), "t2", MENU);
    let key = |page: &str| {
        equivalence_key(
            &read(&Input {
                bytes: page.as_bytes(),
                ..Input::default()
            })
            .unwrap(),
        )
    };
    assert_eq!(key(&first), key(&third));
    assert_ne!(
        key(&first),
        key(&page(&POLICY.replace("Thirty", "Ninety"), "t0", MENU))
    );
}

#[test]
fn canonical_text_reads_back() {
    let page = page(POLICY, "t0", MENU);
    let document = read(&Input {
        bytes: page.as_bytes(),
        ..Input::default()
    })
    .unwrap();
    let first = canonical(&document);
    let again = read(&Input {
        bytes: first.as_bytes(),
        format: Some(Format::Markdown),
        ..Input::default()
    })
    .unwrap();
    assert_eq!(canonical(&again), first);
    assert_eq!(document.suspect, None);
}

#[test]
fn numbers_are_written_as_they_are_printed() {
    let list = r#"<h1>Terms</h1><ol start="3"><li>You agree to these terms.</li><li value="7">We may amend this agreement.
<ol type="a"><li>with notice</li><li>by e-mail</li></ol></li></ol><ol><li>1.1 Own number</li><li>(a) own letter</li></ol>
<ol><li><h2>Liability</h2><p>We are liable for intent.</p></li><li><h2>Law</h2><p>Norland's.</p></li></ol>"#;
    insta::assert_snapshot!(markdown(list), @r"
    # Terms

    3. You agree to these terms.
    7. We may amend this agreement.
       - a. with notice
       - b. by e-mail
    - 1.1 Own number
    - (a) own letter

    ## 1. Liability

    We are liable for intent.

    ## 2. Law

    Norland's.
    ");
}

#[test]
fn tables_that_lay_out_a_page_are_no_tables() {
    let layout = r"<h1>Terms</h1><table><tr><td><h2>Use</h2><p>You may use the service under these terms and must not misuse it.</p></td><td>In short: be kind, and do not disclose personal data.</td></tr>
<tr><td><h2>End</h2><p>We may terminate this agreement with notice of a month.</p></td><td>In short: we tell you.</td></tr></table>";
    let text = markdown(layout);
    assert!(!text.contains('|'), "{text}");
    assert!(text.contains("## Use\n\nYou may use"), "{text}");
    assert!(text.contains("In short: be kind"), "{text}");
}

#[test]
fn a_policy_without_main_and_with_parts_beside_it() {
    let section = |n: u32| {
        format!(
            "<div class='block'><h2>{n}. Part</h2><p>We process personal data under this policy, part {n}, and disclose it to no third party without your consent.</p></div>"
        )
    };
    let page = format!(
        "<body><div class=top><a href=/>Home</a> <a href=/x>Shop</a></div><div class=hero><h1>Privacy</h1><p>Effective 1 June 2031</p></div><div id=c>{}</div><div class=offer><h2>Try Lantern today</h2><p>Bright lamps for every home. Start now.</p><a href=/go>Start</a></div></body>",
        (1..6).map(section).collect::<String>()
    );
    let text = markdown(&page);
    assert!(
        text.starts_with("# Privacy\n\nEffective 1 June 2031\n\n## 1. Part"),
        "{text}"
    );
    assert!(text.ends_with("without your consent.\n"), "{text}");
    assert!(
        !text.contains("Shop") && !text.contains("Bright lamps"),
        "{text}"
    );
}

#[test]
fn selectors_overrule() {
    let page = "<body><h1 id=a>A</h1><p id=b>one</p><div class=c><p>two</p><p class=x>three</p></div><p id=d>four</p></body>";
    let css = |s: &str| Part::Css(s.to_owned());
    let of = |include: Vec<Part>, remove: Vec<Part>| with(page, Selectors { include, remove });
    assert_eq!(
        of(vec![css(".c"), css("h1")], vec![css(".x")]),
        "two\n\n# A\n"
    );
    let range = |start: &str, start_after, end: &str, end_after| Part::Range {
        start: start.into(),
        start_after,
        end: end.into(),
        end_after,
    };
    assert_eq!(of(vec![range("#a", true, ".c", false)], vec![]), "one\n");
    assert_eq!(
        of(vec![range("#b", false, ".c", true)], vec![]),
        "one\n\ntwo\n\nthree\n"
    );
    assert_eq!(
        of(vec![css("body")], vec![range("#b", false, "#d", false)]),
        "# A\n\nfour\n"
    );
    let bad = Input {
        selectors: Selectors {
            include: vec![css("p[")],
            remove: vec![],
        },
        ..Input::default()
    };
    assert!(super::convert(&bad, page).is_err());
}

#[test]
fn masked_addresses_contents_boxes_and_breaks() {
    let page = r##"<main><h1>Privacy policy</h1><div class="box"><h3>On this page</h3><ul><li><a href="#a">Data</a></li><li><a href="#b">Rights</a></li></ul></div>
<p>We process personal data. Write to <a href="/cdn-cgi/l/email-protection#5a3b1a38743f223b372a363f">[email&#160;protected]</a>.</p>
<p>This sentence is long enough to go on after the<br>line break without a new paragraph.<br><br>Another one.</p>
<h2 id=a>Data</h2><p>Data we collect.</p></main>"##;
    insta::assert_snapshot!(markdown(page), @r"
    # Privacy policy

    We process personal data. Write to [a@b.example](mailto:a@b.example).

    This sentence is long enough to go on after the line break without a new paragraph.

    Another one.

    ## Data

    Data we collect.
    ");
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!(
        "<main><h1>Privacy policy</h1>{}We process personal data.{}<p>Your rights stay.</p></main>",
        "<div><ul><li>".repeat(50_000),
        "</div>".repeat(50_000)
    );
    let text = markdown(&deep);
    assert!(text.contains("We process personal data."), "{text}");
    assert!(text.contains("Your rights stay."));
    let wide = "<p>".repeat(super::super::html::flatten::MAX_TAGS + 1);
    assert!(super::lighten(&Input::default(), &wide).is_err());
}

#[test]
fn what_was_taken_is_explained() {
    let page = page(POLICY, "t0", MENU);
    let input = Input {
        bytes: page.as_bytes(),
        ..Input::default()
    };
    let said = super::explain(&input).unwrap().unwrap();
    assert_eq!(said.taken[0].0, "main#main");
    assert!(said.words.0 > 80 && said.words.1 > said.words.0, "{said:?}");
    assert!(
        said.left_out
            .iter()
            .any(|l| l.reason == super::Reason::Navigation && l.start == "Home Legal"),
        "{said:?}"
    );
}

proptest::proptest! {
    #[test]
    fn no_page_panics(page in "(<(/?(div|p|ul|li|ol|table|tr|td|b|a href=x|h2|pre|br|dl|dt|dd|details|summary|svg|script|title)|!--|!)>?|[a-z .\\n&;*_#|\\[\\]]{0,9}){0,60}") {
        let _ = markdown(&page);
    }

    /// Attributes that nobody reads are left out before a page is parsed; a selector that may ask
    /// for them keeps them all, and here it names nothing.
    #[test]
    fn attributes_that_are_left_out_change_nothing(page in "(<(/?(div|p|ul|li|ol|table|tr|td|b|a|h2|pre|input|math|mi|font|details|button|nav|svg|img|link|meta|br)(( |/|\n)(href=x|href='#i'|id=i|class=\"menu a\"|class=b'|hidden|title='>'|src=a/b|onclick=\"x<b>\"|data-toggle=y|aria-controls=i|style=display:none|=|==>|type=hidden|value=3|color=red|\"|x=|lang = en)){0,4})( ?/)?>?|[a-zA-Z .\n&;*_#]{0,9}){0,60}") {
        let nothing = Selectors {
            remove: vec![Part::Css("#nothing-is-named-so".to_owned())],
            ..Selectors::default()
        };
        proptest::prop_assert_eq!(markdown(&page), with(&page, nothing));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = read(&Input { bytes: &bytes, format: Some(Format::Html), ..Input::default() });
    }
}

#[test]
fn a_last_section_without_words_of_policies_is_one_of_its_own() {
    let sections: String = (1..9)
        .map(|n| {
            format!(
                "<section class=c><h2>{n}. Clause</h2><p>We process personal data under the law \
                 and share it with nobody without your consent.</p></section>"
            )
        })
        .collect();
    let last = "<section class=c><h2>9. Opening hours</h2><p>The shop opens at nine and closes at \
                six. On Sundays the garden is closed.</p></section>";
    let others = "<section class=cards><h3>You may also like</h3><p>Ten lamps for the garden, and \
                  how to hang them in a tree.</p></section>";
    let text = markdown(&page(
        &format!("<h1>Privacy Policy</h1>{sections}{last}{others}"),
        "t",
        "",
    ));
    assert!(text.contains("On Sundays the garden is closed"), "{text}");
    assert!(!text.contains("Ten lamps"), "{text}");
}

#[test]
fn what_ends_a_policy_stays_and_what_leads_elsewhere_goes() {
    let page = "<body><div class=page><div class=a><h1>Terms of Moss</h1><p>You agree to these terms when you use the service.</p></div>\
        <div class=b><h2>Law</h2><p>The law of Norland governs these terms, and its courts have jurisdiction over all disputes.</p></div>\
        <div class=c><h2>Data</h2><p>We process personal data as our privacy policy says, and you consent to it.</p></div>\
        <div class=d><p>The office is open from nine to five.</p></div>\
        <div class=e><p>Moss Ltd, 4 Fern Street, Norland</p></div>\
        <div class=f><p>More to read</p><p><a href=/x>Ten lamps that glow</a></p></div>\
        <div class=g><p>© Moss Ltd 2031</p></div></div></body>";
    let text = canonical(
        &read(&Input {
            bytes: page.as_bytes(),
            format: Some(Format::Html),
            ..Input::default()
        })
        .unwrap(),
    );
    assert!(
        text.contains("nine to five.\n\nMoss Ltd, 4 Fern Street"),
        "{text}"
    );
    assert!(!text.contains("lamps") && !text.contains('©'), "{text}");
}
