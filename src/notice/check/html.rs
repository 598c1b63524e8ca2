//! Accessibility of the HTML, as far as a machine can see it.

use std::collections::BTreeMap;

use scraper::{ElementRef, Html, Node, Selector};

use super::{Channel, Outcome, seen::Seen};

/// Contrast of text and background (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;

/// The readable words of a page; blocks are parted by line breaks.
pub(super) fn words(html: &str) -> String {
    let page = Html::parse_document(html);
    let mut out = String::new();
    for node in page.tree.nodes() {
        match node.value() {
            Node::Text(text) => {
                let hidden = node.ancestors().any(|ancestor| {
                    ancestor
                        .value()
                        .as_element()
                        .is_some_and(|e| matches!(e.name(), "style" | "script" | "title" | "head"))
                });
                if !hidden {
                    out.push_str(text);
                }
            }
            Node::Element(element)
                if matches!(
                    element.name(),
                    "p" | "div" | "h1" | "h2" | "h3" | "li" | "tr" | "br" | "blockquote"
                ) =>
            {
                out.push('\n');
            }
            _ => {}
        }
    }
    out
}

pub(super) fn accessible(seen: &Seen<'_>) -> Outcome {
    let Some(source) = &seen.text.html else {
        return Ok("there is no HTML".to_owned());
    };
    let is_part = seen.notice.channel == Channel::Website;
    let page = Html::parse_document(source);
    let mut wrong = Vec::new();
    let language = if is_part {
        first(&page, "section")
    } else {
        first(&page, "html")
    }
    .and_then(|element| element.value().attr("lang"))
    .unwrap_or_default();
    if language != seen.language {
        wrong.push(format!("lang is `{language}`, not `{}`", seen.language));
    }
    if !is_part {
        let title: String = first(&page, "title").map_or(String::new(), |t| t.text().collect());
        if title.trim().is_empty() {
            wrong.push("there is no title".to_owned());
        }
        if all(&page, "h1").len() != 1 {
            wrong.push(format!("there are {} h1, not one", all(&page, "h1").len()));
        }
    }
    let mut level = if is_part { 1 } else { 0 };
    for heading in all(&page, "h1, h2, h3, h4, h5, h6") {
        let this = heading
            .value()
            .name()
            .trim_start_matches('h')
            .parse::<u8>()
            .unwrap_or(level);
        if this > level + 1 {
            wrong.push(format!("a heading jumps from level {level} to {this}"));
        }
        if heading.text().collect::<String>().trim().is_empty() {
            wrong.push("a heading is empty".to_owned());
        }
        level = this;
    }
    for image in all(&page, "img") {
        if image.value().attr("alt").is_none() {
            wrong.push("an image has no alt text".to_owned());
        }
    }
    for table in all(&page, "table") {
        let is_layout = table.value().attr("role") == Some("presentation");
        let has_heads = !select(&table, "th").is_empty();
        if !is_layout && !has_heads {
            wrong.push("a table has neither headers nor role=presentation".to_owned());
        }
    }
    for link in all(&page, "a") {
        let words: String = link.text().collect();
        let words = words.trim().to_lowercase();
        let vague = [
            "here",
            "click here",
            "link",
            "more",
            "this",
            "点击",
            "这里",
            "点击这里",
        ];
        if words.is_empty() || vague.contains(&words.as_str()) {
            wrong.push(format!("a link says only `{words}`"));
        }
    }
    if !is_part && source.contains("user-scalable=no") {
        wrong.push("the page cannot be enlarged".to_owned());
    }
    summed(wrong)
}

pub(super) fn self_contained(seen: &Seen<'_>) -> Outcome {
    let Some(source) = &seen.text.html else {
        return Ok("there is no HTML".to_owned());
    };
    let page = Html::parse_document(source);
    let mut wrong = Vec::new();
    for name in [
        "script", "form", "input", "iframe", "frame", "object", "embed", "video", "audio", "link",
        "base", "svg",
    ] {
        if !all(&page, name).is_empty() {
            wrong.push(format!("it has a {name}"));
        }
    }
    for element in all(&page, "*") {
        for (name, value) in element.value().attrs() {
            let loads = matches!(name, "src" | "srcset" | "background" | "poster")
                && !value.starts_with("data:image/")
                && !value.starts_with("cid:");
            if loads {
                wrong.push(format!("it loads `{value}`"));
            }
            if name.starts_with("on") {
                wrong.push(format!("it runs code in {name}"));
            }
            if name == "href" && value.trim_start().to_lowercase().starts_with("javascript:") {
                wrong.push("a link runs code".to_owned());
            }
        }
    }
    let lower = source.to_lowercase();
    if lower.contains("@import") || lower.contains("@font-face") || lower.contains("url(") {
        wrong.push("a style sheet loads something".to_owned());
    }
    if lower.contains("http-equiv") && lower.contains("refresh") {
        wrong.push("the page leads elsewhere by itself".to_owned());
    }
    summed(wrong)
}

pub(super) fn contrast(seen: &Seen<'_>) -> Outcome {
    let Some(source) = &seen.text.html else {
        return Ok("there is no HTML".to_owned());
    };
    let page = Html::parse_document(source);
    let sheets: String = all(&page, "style")
        .iter()
        .flat_map(|style| style.text())
        .collect();
    let (light, dark) = rules(&sheets);
    let mut lowest: Option<f64> = None;
    let mut wrong = Vec::new();
    for (name, dark_on) in [("light", false), ("dark", true)] {
        if dark_on && dark.is_empty() {
            continue;
        }
        let extra = if dark_on { dark.as_slice() } else { &[] };
        for (ratio, sample) in ratios(&page, &light, extra) {
            lowest = Some(lowest.map_or(ratio, |low| low.min(ratio)));
            if ratio < CONTRAST {
                wrong.push(format!("{ratio:.1} to 1 in {name} at `{sample}`"));
            }
        }
    }
    wrong.dedup();
    wrong.truncate(5);
    match (wrong.is_empty(), lowest) {
        (true, Some(low)) => Ok(format!("at least {low:.1} to 1")),
        (true, None) => Ok(String::new()),
        (false, _) => Err(wrong.join("; ")),
    }
}

fn summed(mut wrong: Vec<String>) -> Outcome {
    wrong.dedup();
    if wrong.is_empty() {
        Ok(String::new())
    } else {
        Err(wrong.join("; "))
    }
}

fn all<'p>(page: &'p Html, selector: &str) -> Vec<ElementRef<'p>> {
    Selector::parse(selector)
        .map_or_else(|_| Vec::new(), |selector| page.select(&selector).collect())
}

fn first<'p>(page: &'p Html, selector: &str) -> Option<ElementRef<'p>> {
    all(page, selector).into_iter().next()
}

fn select<'p>(element: &ElementRef<'p>, selector: &str) -> Vec<ElementRef<'p>> {
    Selector::parse(selector).map_or_else(
        |_| Vec::new(),
        |selector| element.select(&selector).collect(),
    )
}

/// A style rule that sets colours.
struct Rule {
    selector: Selector,
    declarations: BTreeMap<String, String>,
}

/// The rules of a style sheet: those that always hold, and those for dark screens.
fn rules(sheet: &str) -> (Vec<Rule>, Vec<Rule>) {
    let (mut light, mut dark) = (Vec::new(), Vec::new());
    let mut rest = sheet;
    while let Some((head, body)) = rest.split_once('{') {
        let head = head.trim();
        if head.starts_with("@media") {
            // To the brace that closes the block.
            let mut depth = 1;
            let end = body
                .char_indices()
                .find(|(_, c)| {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    depth == 0
                })
                .map_or(body.len(), |(at, _)| at);
            let (inner, after) = body.split_at(end);
            if head.contains("dark") {
                dark.extend(rules(inner).0);
            }
            rest = after.strip_prefix('}').unwrap_or(after);
            continue;
        }
        let (inner, after) = body.split_once('}').unwrap_or((body, ""));
        if let Ok(selector) = Selector::parse(head) {
            light.push(Rule {
                selector,
                declarations: declarations(inner),
            });
        }
        rest = after;
    }
    (light, dark)
}

fn declarations(style: &str) -> BTreeMap<String, String> {
    style
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'))
        .map(|(name, value)| {
            let value = value.replace("!important", "");
            (name.trim().to_lowercase(), value.trim().to_lowercase())
        })
        .collect()
}

/// The contrast of every piece of text, with a sample of it.
fn ratios(page: &Html, always: &[Rule], over: &[Rule]) -> Vec<(f64, String)> {
    let mut found = Vec::new();
    for node in page.tree.nodes() {
        let Node::Text(text) = node.value() else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let chain: Vec<ElementRef<'_>> = node.ancestors().filter_map(ElementRef::wrap).collect();
        let hidden = chain.iter().any(|element| {
            matches!(element.value().name(), "style" | "script" | "head")
                || element
                    .value()
                    .attr("style")
                    .is_some_and(|style| style.replace(' ', "").contains("display:none"))
        });
        if hidden {
            continue;
        }
        let color = chain
            .iter()
            .find_map(|element| value(element, "color", always, over))
            .unwrap_or((0, 0, 0));
        let background = chain
            .iter()
            .find_map(|element| value(element, "background-color", always, over))
            .unwrap_or((255, 255, 255));
        let sample: String = text.trim().chars().take(24).collect();
        found.push((ratio(color, background), sample));
    }
    found
}

/// The colour that an element itself sets: `over` before its own style before `always`.
fn value(
    element: &ElementRef<'_>,
    property: &str,
    always: &[Rule],
    over: &[Rule],
) -> Option<(u8, u8, u8)> {
    let of = |rules: &[Rule]| {
        rules
            .iter()
            .rev()
            .filter(|rule| rule.selector.matches(element))
            .find_map(|rule| color(rule.declarations.get(property)?))
    };
    of(over)
        .or_else(|| color(declarations(element.value().attr("style")?).get(property)?))
        .or_else(|| of(always))
}

/// `#rgb`, `#rrggbb`, `black`, `white`; `inherit` and others are none.
fn color(value: &str) -> Option<(u8, u8, u8)> {
    match value {
        "black" => return Some((0, 0, 0)),
        "white" => return Some((255, 255, 255)),
        _ => {}
    }
    let digits = value.strip_prefix('#')?;
    let digits: Vec<u8> = digits
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    match digits.as_slice() {
        [r, g, b] => Some((r * 17, g * 17, b * 17)),
        [a, b, c, d, e, f] => Some((a * 16 + b, c * 16 + d, e * 16 + f)),
        _ => None,
    }
}

/// Contrast of two colours (WCAG 2.2).
fn ratio(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    let channel = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_as_the_standard_counts_it() {
        assert!((ratio((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
        assert!((ratio((119, 119, 119), (255, 255, 255)) - 4.48).abs() < 0.01);
    }

    #[test]
    fn dark_rules_win_on_dark_screens() {
        let page = Html::parse_document(
            "<style>@media (prefers-color-scheme: dark) { .a { color: #222 !important; } }</style>\
             <body style=\"background-color: #000\"><p class=\"a\" style=\"color: #fff\">x</p>",
        );
        let sheet = "@media (prefers-color-scheme: dark) { .a { color: #222 !important; } }";
        let (light, dark) = rules(sheet);
        assert!(ratios(&page, &light, &[])[0].0 > 20.0);
        assert!(ratios(&page, &light, &dark)[0].0 < 2.0);
    }
}
