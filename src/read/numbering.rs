//! Labels that restart, repeat, skip or contradict their children: said, and put right in the path.
//! The label itself stays as printed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Document, Section, Warning, label};

/// Most warnings of one kind; more say nothing new.
const MOST: usize = 40;

/// Checks the labels of all sections and writes the paths.
pub(super) fn check(document: &mut Document) {
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (i, section) in document.sections.iter().enumerate() {
        children.entry(section.parent).or_default().push(i);
    }
    let mut true_labels: Vec<Option<String>> =
        document.sections.iter().map(|s| s.label.clone()).collect();
    let values: Vec<Option<Reading>> = document
        .sections
        .iter()
        .map(|s| s.label.as_deref().and_then(value))
        .collect();
    let mut warnings = Vec::new();
    let mut say = |code: &str, detail: String| {
        if warnings
            .iter()
            .filter(|w: &&Warning| w.code == code)
            .count()
            < MOST
        {
            warnings.push(Warning {
                code: code.to_owned(),
                detail,
            });
        }
    };
    for siblings in children.values() {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut last: Option<(label::Style, u32, &str)> = None;
        for i in siblings {
            let Some(section) = document.sections.get(*i) else {
                continue;
            };
            let Some(printed) = section.label.as_deref() else {
                continue;
            };
            let Some(Some((style, own_values))) = values.get(*i) else {
                continue;
            };
            let style = *style;
            let own = own_values.last().copied().unwrap_or(0);
            let line = section.lines.0;
            let from_children = announced_by(&values, children.get(&Some(*i)), own_values.len());
            let repeated = !seen.insert(printed);
            if let Some(number) =
                from_children.filter(|n| *n != own && style == label::Style::Decimal)
            {
                let parent = printed
                    .rsplit_once('.')
                    .map_or(String::new(), |(p, _)| format!("{p}."));
                let put_right = format!("{parent}{number}");
                say(
                    "numbering-contradicts",
                    format!(
                        "line {line}: section {printed} has children that are numbered {put_right}.x; it is taken for {put_right}"
                    ),
                );
                if let Some(label) = true_labels.get_mut(*i) {
                    *label = Some(put_right);
                }
                last = Some((style, number, printed));
                continue;
            }
            match last {
                Some((old, before, name)) if old == style => {
                    if repeated {
                        say(
                            "numbering-repeats",
                            format!("line {line}: the label {printed} stands twice"),
                        );
                    } else if own <= before {
                        say(
                            "numbering-restarts",
                            format!("line {line}: {printed} follows {name}"),
                        );
                    } else if own > before + 1 {
                        say(
                            "numbering-skips",
                            format!("line {line}: {printed} follows {name}"),
                        );
                    }
                }
                _ => {}
            }
            last = Some((style, own, printed));
        }
    }
    // A section that is numbered under another parent than the one it stands in.
    for (section, read) in document.sections.iter().zip(&values) {
        let Some((printed, (_, values))) = section.label.as_deref().zip(read.as_ref()) else {
            continue;
        };
        let parent = section
            .parent
            .and_then(|p| Some((p, document.sections.get(p)?)));
        if values.len() > 1
            && let Some((p, parent)) = parent
            && let Some(label) = true_labels.get(p).and_then(Option::as_deref)
            && let Some((_, above)) = value(label)
            && (above.len() >= values.len() || values.get(..above.len()) != Some(&above[..]))
        {
            let _ = parent;
            say(
                "numbering-contradicts",
                format!("line {}: {printed} stands under {label}", section.lines.0),
            );
        }
    }
    document.warnings.extend(warnings);
    paths(&mut document.sections, &true_labels);
}

/// Style and values of a label.
type Reading = (label::Style, Vec<u32>);

/// Style and values of a printed label.
fn value(printed: &str) -> Option<Reading> {
    let parsed =
        label::parse(&format!("({printed})")).or_else(|| label::parse(&format!("{printed}. A")))?;
    Some((parsed.style, parsed.values))
}

/// The number that most children give their parent in their own labels.
fn announced_by(
    values: &[Option<Reading>],
    children: Option<&Vec<usize>>,
    depth: usize,
) -> Option<u32> {
    let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
    let mut all = 0;
    for child in children? {
        if let Some((_, values)) = values.get(*child)?
            && values.len() == depth + 1
        {
            all += 1;
            *votes.entry(*values.get(depth - 1)?).or_default() += 1;
        }
    }
    let (number, count) = votes.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > all).then_some(number)
}

fn paths(sections: &mut [Section], labels: &[Option<String>]) {
    for i in 0..sections.len() {
        let Some(section) = sections.get(i) else {
            continue;
        };
        let name = labels
            .get(i)
            .cloned()
            .flatten()
            .unwrap_or_else(|| section.title.clone());
        let mut path = section
            .parent
            .and_then(|p| sections.get(p))
            .map(|p| p.path.clone())
            .unwrap_or_default();
        path.push(name);
        if let Some(section) = sections.get_mut(i) {
            section.path = path;
        }
    }
}
