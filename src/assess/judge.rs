//! The whole of judging: from a comparison to findings and a verdict.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Assessment, Direction, Finding, Quote, Reason, SectionRef, Severity, Topic, Verdict,
    group::{self, Group, Told},
    language::LanguageRules,
    passage::{self, Act, Passage, Place},
    quiet::{self, Quiet},
    rules::{Detector, Gravity, RuleSet},
    summary,
    vocabulary::{self, Memory, Vocabulary},
    weigh, words,
};
use crate::{
    compare::{Comparison, Kind},
    read::{Document, Span},
};

/// Judges a comparison by given rules, with what is remembered of versions before.
pub fn assess_with(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    rules: &RuleSet,
    memory: &Memory,
) -> Assessment {
    let mut assessment = Assessment {
        rules: rules.hash().to_owned(),
        ..Assessment::default()
    };
    if comparison.changes.is_empty() {
        return assessment;
    }
    assessment.verdict = Verdict::Technical;
    if let Some(remark) = other_page(old, new) {
        assessment.remarks.push(remark);
        return assessment;
    }
    let language = new.language.as_deref().or(old.language.as_deref());
    let Some(own) = rules.language(language.or(Some("en"))) else {
        unknown_language(&mut assessment, comparison, language);
        return assessment;
    };
    let judged = judge(old, new, comparison, rules, own, memory);
    assessment.verdict = judged.quiet;
    assessment.remarks.extend(judged.remarks);
    assessment.silenced.extend(judged.silenced);
    let (material_at, report_at, speak_at) = (
        rules.weights.material_at as f64,
        rules.weights.report_at as f64,
        rules.weights.speak_at as f64,
    );
    let speaks = judged
        .groups
        .iter()
        .any(|one| one.always || one.report >= speak_at || one.material >= material_at);
    for weighed in &judged.groups {
        let worth = weighed.report >= report_at || weighed.material >= material_at;
        if !weighed.always && !(speaks && worth) {
            assessment.verdict = assessment.verdict.max(Verdict::Editorial);
            continue;
        }
        assessment
            .findings
            .push(finding(old, new, comparison, weighed, rules, own));
    }
    finish(&mut assessment);
    assessment
}

/// Sorts, numbers, and draws the verdict.
fn finish(assessment: &mut Assessment) {
    assessment.findings.sort_by_key(|finding| {
        let grave = match finding.severity {
            Severity::Material => 0,
            Severity::Substantive => 1,
        };
        let good = match finding.direction {
            Direction::Adverse => 0,
            Direction::Neutral => 1,
            Direction::Favourable => 2,
        };
        (grave, good)
    });
    for (number, finding) in assessment.findings.iter_mut().enumerate() {
        finding.id = format!("f{}", number + 1);
        assessment.verdict = assessment.verdict.max(match finding.severity {
            Severity::Material => Verdict::Material,
            Severity::Substantive => Verdict::Substantive,
        });
    }
}

/// Why the two texts are not two versions of one policy.
fn other_page(old: &Document, new: &Document) -> Option<String> {
    if let (Some(before), Some(after)) = (&old.language, &new.language)
        && before != after
    {
        return Some(format!(
            "another-language: the page was in `{before}` before and is in `{after}` now; the texts were not judged against each other"
        ));
    }
    for (side, document) in [("old", old), ("new", new)] {
        if let Some(suspect) = &document.suspect {
            return Some(format!(
                "not-the-policy: the {side} text is probably not the policy ({}: {})",
                suspect.code, suspect.detail
            ));
        }
    }
    None
}

fn unknown_language(assessment: &mut Assessment, comparison: &Comparison, language: Option<&str>) {
    let words = comparison
        .changes
        .iter()
        .any(|change| !matches!(change.kind, Kind::Technical | Kind::Renumbered));
    if words && comparison.counts.words.added + comparison.counts.words.removed > 0 {
        assessment.verdict = Verdict::Substantive;
    } else if words {
        assessment.verdict = Verdict::Editorial;
    }
    assessment.remarks.push(format!(
        "no-rules-for-language: there are no rules for `{}`; the texts were compared, but what the changes mean was not judged",
        language.unwrap_or("an unknown language")
    ));
}

/// A group with its sums.
struct Weighed {
    group: Group,
    features: weigh::Features,
    /// Hundredths; the higher, the more is it worth reporting.
    report: f64,
    /// Hundredths; the higher, the graver.
    material: f64,
    direction: Direction,
    /// Whether a rule speaks that is always reported.
    always: bool,
}

struct Judged {
    groups: Vec<Weighed>,
    /// What the quiet passages amount to.
    quiet: Verdict,
    remarks: Vec<String>,
    silenced: BTreeSet<String>,
}

fn judge(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    rules: &RuleSet,
    own: &LanguageRules,
    memory: &Memory,
) -> Judged {
    let mut judged = Judged {
        groups: Vec::new(),
        quiet: Verdict::Technical,
        remarks: Vec::new(),
        silenced: BTreeSet::new(),
    };
    if comparison.changes.iter().any(|change| {
        change.kind == Kind::Renumbered
            || change.kind == Kind::Moved
            || change.kind == Kind::Technical
                && change
                    .details
                    .iter()
                    .any(|d| *d != "link-target" && *d != "white-space")
    }) {
        judged.quiet = Verdict::Editorial;
    }
    let broken = quiet::broken_off(old, new);
    if broken.is_some() {
        judged.remarks.push(
            "broken-off: one of the texts ends in the middle of a sentence that goes on in the other; what follows was not judged".to_owned(),
        );
    }
    let mut loud: Vec<Passage> = Vec::new();
    let passages = passage::passages(old, new, comparison, own);
    let hidden_mail = passages.iter().any(|p| quiet::obfuscated(&p.texts));
    // The last line of a consent widget that is being passed, and what happened to it.
    let mut widget: Option<(Act, usize)> = None;
    for passage in passages {
        if hidden_mail && quiet::mail_line(&passage) {
            continue;
        }
        let lines = passage
            .new
            .as_ref()
            .or(passage.old.as_ref())
            .map(|p| p.lines);
        if let (Some((act, last)), Some((first, end))) = (widget, lines)
            && act == passage.act
            && passage.whole
            && first.saturating_sub(last) <= 3
        {
            widget = Some((act, end));
            continue;
        }
        if quiet::opens_widget(&passage) {
            widget = lines.map(|(_, end)| (passage.act, end));
            continue;
        }
        if broken.is_some_and(|broken| behind(broken, &passage)) {
            continue;
        }
        match quiet::quiet(&passage, old, new, own) {
            Some(Quiet::Technical) => {}
            Some(Quiet::Editorial) => judged.quiet = Verdict::Editorial,
            None => loud.push(passage),
        }
    }
    if loud.is_empty() {
        return judged;
    }
    let (old_words, new_words) = (Vocabulary::new(old, memory), Vocabulary::new(new, memory));
    let mut told = Vec::new();
    for passage in loud {
        let novelty = match passage.act {
            Act::Added => old_words.novelty(&passage.texts.new.words),
            Act::Removed => new_words.novelty(&passage.texts.old.words),
            Act::Changed => 1.0,
        };
        if passage.act != Act::Changed && novelty < 0.15 {
            // The words stand elsewhere in the other text: moved, or said twice.
            judged.quiet = Verdict::Editorial;
            continue;
        }
        let mut one = group::tell(passage, novelty, own);
        one.signals.retain(|signal| {
            let Some(rule) = own.signals.get(signal.rule) else {
                return false;
            };
            let speaks = !rules.silenced.contains(&rule.id);
            if !speaks {
                judged.silenced.insert(rule.id.clone());
            }
            speaks
        });
        told.push(one);
    }
    know(&mut told, old, new, own, memory);
    let groups = group::groups(told, own);
    let total = groups.len();
    for group in groups {
        let features = weigh::features(&group, total, &old_words, &new_words, own);
        let mut material = weigh::sum(&features, &rules.weights.material);
        if weigh::decisive(&group, own) {
            material = material.max(rules.weights.material_at as f64);
        }
        judged.groups.push(Weighed {
            always: always(old, new, &group, (&old_words, &new_words), own)
                || plainly_new(&group, own),
            report: weigh::sum(&features, &rules.weights.report),
            material,
            direction: weigh::direction(&group, &features, &rules.weights),
            features,
            group,
        });
    }
    judged
}

/// Marks the signals whose items the other document names elsewhere, and lets the others rest on an
/// item that it does not: another example of a category already named is no new category.
fn know(told: &mut [Told], old: &Document, new: &Document, own: &LanguageRules, memory: &Memory) {
    let before = LazyCell::new(|| vocabulary::items(old, own, memory));
    let after = LazyCell::new(|| vocabulary::items(new, own, memory));
    for signal in told.iter_mut().flat_map(|told| &mut told.signals) {
        if signal.items.is_empty() {
            continue;
        }
        let gained = signal.new.is_some();
        let named: &BTreeSet<usize> = if gained { &before } else { &after };
        match signal.items.iter().find(|(item, _)| !named.contains(item)) {
            None => signal.known = true,
            Some((_, span)) if gained => signal.new = Some(span.clone()),
            Some((_, span)) => signal.old = Some(span.clone()),
        }
    }
}

/// Whether a rule speaks on a group that is always reported. A name that gave way to another counts
/// only when the new one stood nowhere before, or the old one stands nowhere now.
fn always(
    old: &Document,
    new: &Document,
    group: &Group,
    (old_words, new_words): (&Vocabulary, &Vocabulary),
    own: &LanguageRules,
) -> bool {
    let known = |words: &Vocabulary, document: &Document, span: &Option<Span>| {
        span.as_ref().is_none_or(|span| {
            words::words(document.slice(span))
                .iter()
                .all(|word| words.has(&word.text))
        })
    };
    group
        .told
        .iter()
        .flat_map(|told| &told.signals)
        .any(|signal| {
            own.signals.get(signal.rule).is_some_and(|rule| {
                rule.always
                    && (rule.detect != Some(Detector::NameReplaced)
                        || !known(old_words, new, &signal.new)
                        || !known(new_words, old, &signal.old))
            })
        })
}

/// Whether a clause that stands nowhere in the old text says what a rule knows as better or worse
/// for users: however few words it has, it is no rewording.
fn plainly_new(group: &Group, own: &LanguageRules) -> bool {
    group.told.iter().any(|told| {
        told.passage.act == Act::Added
            && told.passage.whole
            && told.novelty >= NOVEL
            && told.signals.iter().any(|signal| {
                own.signals.get(signal.rule).is_some_and(|rule| {
                    rule.gravity >= Gravity::Plain
                        && !signal.known
                        && weigh::effect(told, signal.effect) != Direction::Neutral
                })
            })
    })
}

/// Share of a clause's words that the other text must lack for it to be new there.
const NOVEL: f64 = 0.5;

/// Whether a passage stands where one text had already broken off.
fn behind(broken: (bool, usize), passage: &Passage) -> bool {
    let (old_is_short, block) = broken;
    let side = |place: &Option<Place>| place.as_ref().is_some_and(|p| p.block >= block);
    if old_is_short {
        side(&passage.new)
    } else {
        side(&passage.old)
    }
}

/// The bytes of a side that a group covers.
fn cover(group: &Group, side: impl Fn(&Passage) -> Option<&Place>) -> Option<(Span, &Place)> {
    let places: Vec<&Place> = group.told.iter().filter_map(|t| side(&t.passage)).collect();
    let first = places.iter().min_by_key(|p| p.span.start)?;
    let end = places.iter().map(|p| p.span.end).max()?;
    Some((first.span.start..end, first))
}

fn quote(document: &Document, span: Span) -> Quote {
    Quote {
        lines: document.lines_of(&span),
        text: document.slice(&span).to_owned(),
        span,
    }
}

fn finding(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    weighed: &Weighed,
    rules: &RuleSet,
    own: &LanguageRules,
) -> Finding {
    let group = &weighed.group;
    let before = cover(group, |p| p.old.as_ref());
    let after = cover(group, |p| p.new.as_ref());
    let section = |document: &Document, place: Option<&Place>| {
        place
            .and_then(|p| p.section)
            .and_then(|index| document.sections.get(index))
            .map(|section| (section.path.clone(), section.title.clone()))
    };
    let old_section = section(old, before.as_ref().map(|b| b.1));
    let new_section = section(new, after.as_ref().map(|a| a.1));
    let title = new_section
        .as_ref()
        .or(old_section.as_ref())
        .map(|s| s.1.clone());
    let margin = weighed.material - rules.weights.material_at as f64;
    let severity = if margin >= 0.0 {
        Severity::Material
    } else {
        Severity::Substantive
    };
    let id = |index: usize| comparison.changes.get(index).map(|c| c.id.clone());
    let change = group
        .told
        .first()
        .and_then(|t| id(t.passage.change))
        .unwrap_or_default();
    let mut also: Vec<String> = Vec::new();
    for index in group
        .told
        .iter()
        .map(|t| t.passage.change)
        .chain(group.also.iter().copied())
    {
        if let Some(id) = id(index)
            && id != change
            && !also.contains(&id)
        {
            also.push(id);
        }
    }
    Finding {
        proposed: None,
        id: String::new(),
        change,
        also,
        topic: group.topic,
        direction: weighed.direction,
        severity,
        section: SectionRef {
            old: old_section.map(|s| s.0).unwrap_or_default(),
            new: new_section.map(|s| s.0).unwrap_or_default(),
            title: title.unwrap_or_default(),
        },
        reasons: reasons(old, new, group, own),
        confidence: confidence(margin, group.margin),
        summary: summary::summary(old, new, group, own),
        old: before.map(|(span, _)| quote(old, span)),
        new: after.map(|(span, _)| quote(new, span)),
    }
}

/// How sure: far from the threshold and with one clear topic is sure.
fn confidence(margin: f64, topic: f64) -> f64 {
    let severity = 1.0 / (1.0 + (-margin.abs() / 100.0).exp());
    let sure = severity * (0.75 + 0.25 * topic);
    (sure * 100.0).round() / 100.0
}

/// The rules that spoke, gravest first, each once, with the words each rests on.
fn reasons(old: &Document, new: &Document, group: &Group, own: &LanguageRules) -> Vec<Reason> {
    let mut found: Vec<(Gravity, Reason)> = Vec::new();
    for told in &group.told {
        for signal in &told.signals {
            let Some(rule) = own.signals.get(signal.rule) else {
                continue;
            };
            if found.iter().any(|(_, reason)| reason.code == rule.id) {
                continue;
            }
            let evidence = match (&signal.new, &signal.old) {
                (Some(span), _) => new.slice(span),
                (None, Some(span)) => old.slice(span),
                (None, None) => continue,
            };
            found.push((
                rule.gravity,
                Reason {
                    code: rule.id.clone(),
                    evidence: evidence.to_owned(),
                },
            ));
        }
    }
    found.sort_by_key(|(gravity, _)| std::cmp::Reverse(*gravity));
    let mut reasons: Vec<Reason> = found.into_iter().map(|(_, reason)| reason).collect();
    if reasons.is_empty()
        && let Some(reason) = group.told.first().and_then(|told| bare(old, new, told))
    {
        reasons.push(reason);
    }
    reasons
}

/// The reason where no rule speaks: what happened, and the first words of it.
fn bare(old: &Document, new: &Document, told: &Told) -> Option<Reason> {
    let (code, document, half) = match told.passage.act {
        Act::Added => ("clause-added", new, &told.passage.texts.new),
        Act::Removed => ("clause-removed", old, &told.passage.texts.old),
        Act::Changed if told.passage.texts.new.fresh().next().is_some() => {
            ("words-changed", new, &told.passage.texts.new)
        }
        Act::Changed => ("words-removed", old, &told.passage.texts.old),
    };
    let first = half.fresh().next()?;
    let last = half.fresh().take(12).last()?;
    let span = first.span.start..last.span.end.max(first.span.end);
    Some(Reason {
        code: code.to_owned(),
        evidence: document.slice(&span).to_owned(),
    })
}

/// A group as the fitting of weights sees it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Lines in the old text.
    pub old: Option<(usize, usize)>,
    /// Lines in the new text.
    pub new: Option<(usize, usize)>,
    /// What it is about.
    pub topic: Topic,
    /// What is seen in it, by name.
    pub features: BTreeMap<String, f64>,
    /// Reported whatever the weights say.
    pub always: bool,
    /// Material whatever the weights say.
    pub decisive: bool,
}

/// Everything that could become a finding, with what the weights are applied to; for fitting them.
pub fn candidates(
    old: &Document,
    new: &Document,
    comparison: &Comparison,
    rules: &RuleSet,
) -> Vec<Candidate> {
    if comparison.changes.is_empty() || other_page(old, new).is_some() {
        return Vec::new();
    }
    let language = new.language.as_deref().or(old.language.as_deref());
    let Some(own) = rules.language(language.or(Some("en"))) else {
        return Vec::new();
    };
    judge(old, new, comparison, rules, own, &Memory::default())
        .groups
        .into_iter()
        .map(|weighed| Candidate {
            old: cover(&weighed.group, |p| p.old.as_ref()).map(|(span, _)| old.lines_of(&span)),
            new: cover(&weighed.group, |p| p.new.as_ref()).map(|(span, _)| new.lines_of(&span)),
            topic: weighed.group.topic,
            always: weighed.always,
            decisive: weigh::decisive(&weighed.group, own),
            features: weighed.features,
        })
        .collect()
}
