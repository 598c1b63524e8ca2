//! Pages into documents: `cargo bench --bench read`.
//!
//! The page is made here, of a fictional service: a hundred sections with menus, scripts and a
//! consent banner around them, about the size of a real one.

#![expect(
    clippy::expect_used,
    reason = "a bench may stop where its input is wrong"
)]

use fairnotice::read::{Format, Input, canonical, read};

fn main() {
    divan::main();
}

fn page() -> String {
    let mut page = String::from(
        "<!doctype html><html lang=en><head><title>Lantern privacy</title></head><body><header><nav><ul>",
    );
    for i in 0..300 {
        page += &format!(
            "<li class='menu-item menu-item-{i}'><a href='/p/{i}?utm_source=menu'>Product {i}</a></li>"
        );
    }
    page += "</ul></nav></header><main><h1>Privacy policy</h1><p>Last updated: 3 May 2031</p>";
    for i in 1..100 {
        page += &format!(
            "<section class='clause c{i}'><h2 id='s{i}'>{i}. Data of kind {i}</h2><p>We process <b>personal data</b> of kind {i} under <a href='/law/{i}'>the law</a>, and disclose it to no third party without your consent, unless we must. You may object at any time, and we answer within thirty days.</p><ul><li>to provide the service</li><li>to keep it safe</li></ul></section>"
        );
    }
    page += "</main><footer>Lantern Ltd</footer><div class='cookie-banner'>We use cookies with your consent.</div><script>";
    page += &"var data = {\"a\": [1, 2, 3], \"b\": \"<p>no text</p>\"};".repeat(2000);
    page + "</script></body></html>"
}

#[divan::bench]
fn html(bencher: divan::Bencher<'_, '_>) {
    let page = page();
    bencher
        .counter(divan::counter::BytesCount::of_str(&page))
        .bench(|| {
            read(&Input {
                bytes: page.as_bytes(),
                format: Some(Format::Html),
                ..Input::default()
            })
        });
}

#[divan::bench]
fn markdown(bencher: divan::Bencher<'_, '_>) {
    let page = page();
    let document = read(&Input {
        bytes: page.as_bytes(),
        ..Input::default()
    })
    .expect("the page is readable");
    let text = canonical(&document);
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| {
            read(&Input {
                bytes: text.as_bytes(),
                format: Some(Format::Markdown),
                ..Input::default()
            })
        });
}
