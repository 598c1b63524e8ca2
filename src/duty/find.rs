//! Finding promises: sentences → passages about changes → duties.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Acceptance, Channel, Duty, Mode, MustState, Source, Timing, Trigger, attributes,
    passage::{self, Facts, Sentence},
    phrases::Lexicon,
    settle,
    signs::Tells,
};
use crate::read::{Document, Span};

/// A duty on its way: where it was seen and what it says so far.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) duty: Duty,
    pub(super) span: Span,
    pub(super) block: usize,
    /// How much the passage is about changes; the better of two equal promises stays.
    pub(super) weight: u32,
    /// Whether it is about one part of the document only, such as the arbitration clause.
    pub(super) part: bool,
    /// A bare right to change, without a word about telling anybody.
    pub(super) bare: bool,
    /// How many different things a passage says about a document that is put up: of two that
    /// say the same, the one that says more of them is the clause, the other its summary.
    pub(super) says: usize,
}

/// Finds all duties of a document, in document order, without ids.
pub(super) fn duties(document: &Document, lexicon: &Lexicon, facts: &[Arc<Facts>]) -> Vec<Duty> {
    let sentences = passage::sentences(document, lexicon, facts);
    let mut drafts = Vec::new();
    let mut used = BTreeSet::new();
    for cluster in clusters(lexicon, &sentences) {
        from_cluster(lexicon, &sentences, &cluster, &mut drafts, &mut used);
    }
    for (index, sentence) in sentences.iter().enumerate() {
        if !used.contains(&index) {
            from_sentence(lexicon, &sentences, index, sentence, &mut drafts);
        }
    }
    drafts.sort_by_key(|draft| (draft.span.start, draft.duty.trigger));
    settle::settle(document, lexicon, drafts)
}

/// Ranges of sentences that speak of changes of this document.
fn clusters(lexicon: &Lexicon, sentences: &[Sentence]) -> Vec<Vec<usize>> {
    let anchor = |s: &Sentence| s.signs.opens || s.change_section && s.signs.opens_there;
    let goes_on = |s: &Sentence| {
        lexicon.has("review", &s.signs.text)
            || lexicon.has("posting", &s.signs.text)
            || lexicon.has("date-line", &s.signs.text)
            || (lexicon.has("change-word", &s.signs.text)
                && (lexicon.has("notify", &s.signs.text) || lexicon.has("explicit", &s.signs.text)))
            || (lexicon.has("continued-use", &s.signs.text))
    };
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut index = 0;
    while index < sentences.len() {
        if !anchor(&sentences[index]) {
            index += 1;
            continue;
        }
        let mut members = vec![index];
        // Words before the anchor in its own block belong to it.
        for back in (0..index).rev() {
            if sentences[back].block != sentences[index].block
                || out.last().is_some_and(|last| last.contains(&back))
            {
                break;
            }
            members.insert(0, back);
        }
        let mut last = index;
        for next in index + 1..sentences.len() {
            let (here, s) = (&sentences[last], &sentences[next]);
            let near = s.block <= here.block + 3 && s.section == here.section;
            let same_block = s.block == here.block;
            if !(same_block || near && (s.change_section || goes_on(s) || anchor(s))) {
                break;
            }
            members.push(next);
            last = next;
        }
        index = last + 1;
        out.push(members);
    }
    out
}

/// What one clause of a sentence does.
struct Clause {
    sentence: usize,
    text: String,
    trigger: Option<Trigger>,
    notify: bool,
    /// "Not without notice": a promise of notice before.
    never_without: bool,
    explicit: bool,
    posting: bool,
    date_line: bool,
    review: bool,
    no_notice: bool,
    continued: bool,
}

fn clauses(lexicon: &Lexicon, sentences: &[Sentence], members: &[usize]) -> Vec<Clause> {
    let mut out: Vec<Clause> = Vec::new();
    for &index in members {
        let text = &sentences[index].signs.text;
        let mut cuts: Vec<usize> = lexicon
            .find("clause-break", text)
            .into_iter()
            .map(|range| range.start)
            .filter(|&at| at > 0)
            .collect();
        cuts.push(text.len());
        let mut start = 0;
        let mut inherited = None;
        for cut in cuts {
            let Some(piece) = text.get(start..cut) else {
                continue;
            };
            start = cut;
            if piece.trim().len() < 8 {
                continue;
            }
            let never_without = lexicon.has("never-without", piece);
            let no_notice = !never_without && lexicon.has("no-notice", piece);
            let piece = if never_without {
                piece.to_owned()
            } else {
                lexicon.blank("no-notice", piece)
            };
            let mut trigger = change_trigger(lexicon, &piece);
            if trigger.is_none() && !lexicon.has("change-word", &piece) {
                trigger = inherited;
            }
            if trigger.is_none() && inherited.is_none() && lexicon.has("connector", &piece) {
                // "In such a case we will …": of the sentence before, in the same block.
                trigger = out
                    .last()
                    .filter(|c| {
                        sentences[c.sentence].block == sentences[index].block
                            && c.sentence + 1 == index
                            && !c.posting
                            && !lexicon.has("own-change", &piece)
                    })
                    .and_then(|c| c.trigger);
            }
            inherited = trigger.or(inherited);
            out.push(Clause {
                sentence: index,
                trigger,
                notify: never_without
                    || lexicon.has("notify", &lexicon.blank("document-name", &piece)),
                never_without,
                explicit: lexicon.has("explicit", &piece),
                posting: lexicon.has("posting", &piece),
                date_line: lexicon.has("date-line", &lexicon.blank("effective-day", &piece)),
                review: lexicon.has("review", &piece),
                no_notice,
                continued: lexicon.has("continued-use", &piece),
                text: piece,
            });
        }
    }
    out
}

/// The trigger that a clause about a change of the document names, if it narrows it down.
fn change_trigger(lexicon: &Lexicon, clause: &str) -> Option<Trigger> {
    if lexicon.has("trigger:new-purpose", clause) {
        Some(Trigger::NewPurpose)
    } else if lexicon.has("trigger:rights-reduced", clause) {
        Some(Trigger::RightsReduced)
    } else if lexicon.has("trigger:material-change", clause) {
        Some(Trigger::MaterialChange)
    } else if lexicon.has("trigger:price-change", clause)
        && (!lexicon.has("document-change", clause)
            || lexicon.has("price-object", &lexicon.blank("example", clause)))
    {
        Some(Trigger::PriceChange)
    } else {
        None
    }
}

fn from_cluster(
    lexicon: &Lexicon,
    sentences: &[Sentence],
    members: &[usize],
    drafts: &mut Vec<Draft>,
    used: &mut BTreeSet<usize>,
) {
    let clauses = clauses(lexicon, sentences, members);
    let whole: String = members
        .iter()
        .map(|&index| sentences[index].signs.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let continued = clauses.iter().any(|c| c.continued);
    let weight = members
        .iter()
        .map(|&i| if sentences[i].change_section { 6 } else { 1 })
        .sum::<u32>()
        .min(40);
    let part = lexicon.has("own-scope", &whole)
        && members.iter().any(|&i| {
            sentences[i].signs.document_change && lexicon.has("own-scope", &sentences[i].signs.text)
        });
    let base = |trigger, sentence: usize| Draft {
        duty: blank(trigger),
        span: sentences[sentence].span.clone(),
        block: sentences[sentence].block,
        weight,
        part,
        bare: false,
        says: 0,
    };

    // Promises to tell.
    let mut told: Vec<Draft> = Vec::new();
    let mut posted_notices: Vec<usize> = Vec::new();
    for clause in &clauses {
        let sentence = &sentences[clause.sentence];
        let about_change = sentence.change_section
            || lexicon.has("change-word", &sentence.signs.text)
            || lexicon.has("document-change", &sentence.before);
        let asked = clause.explicit
            && (clause.trigger.is_some_and(|t| t != Trigger::PriceChange)
                || lexicon.has("asked-anew", &clause.text)
                || clauses
                    .iter()
                    .any(|c| c.sentence == clause.sentence && c.notify));
        let promised = clause.never_without
            || asked
            || sentence.change_section
            || lexicon.has("promise", &sentence.signs.text)
            || attributes::lead(lexicon, &clause.text, false).is_some();
        if !(clause.notify || asked) || !about_change || !promised {
            continue;
        }
        if clause.continued && !lexicon.has("notify-strong", &clause.text) && !clause.explicit {
            // "By continuing after we have notified you you agree" promises no notice of its own.
            continue;
        }
        if lexicon.has("urgent-exception", &clause.text)
            && attributes::lead(lexicon, &clause.text, false).is_none()
            && attributes::timing(lexicon, &clause.text) != Timing::Before
        {
            used.insert(clause.sentence);
            continue;
        }
        if elsewhere(lexicon, sentence) || lexicon.has("software-update", &sentence.signs.text) {
            continue;
        }
        used.insert(clause.sentence);
        let mut channels = attributes::channels(lexicon, &clause.text);
        if lexicon.has("posting-notice", &clause.text) {
            channels.retain(|c| *c != Channel::Website);
        }
        if (clause.posting || clause.date_line) && !channels.contains(&Channel::Website)
            || clause.date_line && channels.len() > 1
        {
            channels.push(Channel::Posting);
        }
        let trigger = clause.trigger.unwrap_or(Trigger::AnyChange);
        if channels == [Channel::Posting] && trigger == Trigger::AnyChange {
            // The posting is the notice; the posting duty below says it.
            posted_notices.push(clause.sentence);
            continue;
        }
        if channels == [Channel::Other] && !lexicon.has("channel-other-alone", &clause.text) {
            channels.clear();
        }
        if channels.is_empty() {
            channels.push(Channel::Direct);
        }
        channels.sort_unstable();
        let mut draft = base(trigger, clause.sentence);
        let duty = &mut draft.duty;
        duty.mode = attributes::mode(&clause.text, &channels);
        duty.channels = channels;
        duty.lead = attributes::lead(lexicon, &clause.text, false);
        duty.timing = attributes::timing(lexicon, &clause.text);
        if duty.lead.is_some()
            || clause.never_without
            || clause.explicit && lexicon.has("not-without-consent", &clause.text)
        {
            duty.timing = Timing::Before;
        }
        duty.acceptance = if clause.explicit {
            Acceptance::Explicit
        } else if continued {
            Acceptance::ContinuedUse
        } else {
            Acceptance::None
        };
        duty.must_state = attributes::must_state(lexicon, &clause.text);
        duty.hedged = lexicon.has("hedged", &clause.text);
        enrich(lexicon, &sentence.signs.text, duty);
        match told.iter_mut().find(|other| {
            other.duty.trigger == trigger
                && (other.duty.lead == draft.duty.lead
                    || other.duty.lead.is_none()
                    || draft.duty.lead.is_none())
        }) {
            Some(other) => merge(other, &draft),
            None => told.push(draft),
        }
    }

    lead_of_effect(lexicon, &clauses, &mut told);

    // "If we use data differently, we post the change for thirty days": a posting with a trigger
    // and a period of its own.
    for clause in &clauses {
        let Some(trigger) = clause.trigger.filter(|_| clause.posting && !clause.notify) else {
            continue;
        };
        let lead = attributes::lead(lexicon, &clause.text, false);
        if lead.is_none() || clause.continued {
            continue;
        }
        used.insert(clause.sentence);
        match told.iter_mut().find(|draft| draft.duty.trigger == trigger) {
            Some(draft) => draft.duty.lead = draft.duty.lead.or(lead),
            None => {
                let mut draft = base(trigger, clause.sentence);
                draft.duty.channels = vec![Channel::Posting];
                draft.duty.lead = lead;
                draft.duty.timing = Timing::Before;
                enrich(lexicon, &clause.text, &mut draft.duty);
                told.push(draft);
            }
        }
    }

    // The document put up, its date changed, the reader told to look.
    let any_told = told.iter().any(|d| d.duty.trigger == Trigger::AnyChange);
    let any_posted = told.iter().any(|d| {
        d.duty.trigger == Trigger::AnyChange && d.duty.channels.contains(&Channel::Posting)
    });
    let evidence: Vec<&Clause> = clauses
        .iter()
        .filter(|c| {
            let sentence = &sentences[c.sentence];
            let shown = c.posting
                && !(c.trigger.is_some()
                    && (c.notify || attributes::lead(lexicon, &c.text, false).is_some()))
                && !elsewhere(lexicon, sentence);
            if any_told {
                let alone = !c.notify || posted_notices.contains(&c.sentence);
                (shown && !c.continued && alone || c.date_line) && !any_posted
            } else {
                shown
                    || c.date_line
                    || c.review
                    || c.no_notice
                        && (sentence.signs.document_change
                            || !lexicon.has("own-exception", &sentence.signs.text))
            }
        })
        .collect();
    if let Some(first) = evidence.first() {
        let mut draft = base(Trigger::AnyChange, first.sentence);
        for clause in &evidence {
            used.insert(clause.sentence);
            let sentence = &sentences[clause.sentence];
            if sentence.block == draft.block {
                draft.span.end = draft.span.end.max(sentence.span.end);
            }
        }
        let seen = |what: fn(&&Clause) -> bool| usize::from(evidence.iter().any(what));
        draft.says = seen(|c| c.posting)
            + seen(|c| c.date_line)
            + seen(|c| c.review)
            + seen(|c| c.no_notice)
            + usize::from(continued);
        let duty = &mut draft.duty;
        duty.channels = vec![Channel::Posting];
        duty.lead = evidence
            .iter()
            .filter(|c| c.posting)
            .find_map(|c| attributes::lead(lexicon, &c.text, false))
            .or_else(|| {
                clauses
                    .iter()
                    .filter(|c| {
                        !c.notify && c.trigger.is_none() && lexicon.has("effect-of-change", &c.text)
                    })
                    .find_map(|c| attributes::lead(lexicon, &c.text, false))
            });
        duty.timing = if duty.lead.is_some()
            || evidence
                .iter()
                .any(|c| c.posting && lexicon.has("timing:before", &c.text) && !c.continued)
        {
            Timing::Before
        } else if clauses.iter().any(|c| lexicon.has("timing:at", &c.text)) {
            Timing::At
        } else {
            Timing::Unspecified
        };
        duty.acceptance = if continued {
            Acceptance::ContinuedUse
        } else {
            Acceptance::None
        };
        let said: String = evidence
            .iter()
            .map(|c| c.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        if evidence.iter().any(|c| c.date_line) {
            duty.must_state.push(MustState::DateLine);
        }
        duty.must_state
            .extend(attributes::must_state(lexicon, &said));
        duty.must_state.sort_unstable();
        duty.must_state.dedup();
        duty.hedged = lexicon.has("hedged-posting", &said);
        enrich(lexicon, &said, duty);
        told.push(draft);
    } else if told.is_empty() {
        // A bare right to change the document.
        let bare = members.iter().copied().find(|&i| {
            sentences[i].signs.document_change && lexicon.has("reserve", &sentences[i].signs.text)
        });
        if let Some(index) = bare {
            let mut draft = base(Trigger::AnyChange, index);
            draft.bare = true;
            draft.duty.channels = vec![Channel::Posting];
            draft.duty.timing = if lexicon.has("timing:at", &whole) {
                Timing::At
            } else {
                Timing::Unspecified
            };
            draft.duty.acceptance = if continued {
                Acceptance::ContinuedUse
            } else {
                Acceptance::None
            };
            told.push(draft);
        }
    }
    drafts.extend(told);
}

/// Gives the promises that stand without a period the one that a clause of effect beside them
/// states: "We will e-mail you. The changes take effect thirty days after that."
fn lead_of_effect(lexicon: &Lexicon, clauses: &[Clause], told: &mut [Draft]) {
    for clause in clauses {
        if clause.notify || clause.explicit || !lexicon.has("effect-of-change", &clause.text) {
            continue;
        }
        let Some(lead) = attributes::lead(lexicon, &clause.text, false) else {
            continue;
        };
        // Counted from the posting, it belongs to the posting.
        let posted = clause.posting && !lexicon.has("told-word", &clause.text);
        for draft in told.iter_mut() {
            let on_the_page = |c: &Channel| matches!(c, Channel::Posting | Channel::Website);
            if draft.duty.lead.is_none()
                && (!posted || draft.duty.channels.iter().any(on_the_page))
                && clause
                    .trigger
                    .is_none_or(|trigger| trigger == draft.duty.trigger)
            {
                draft.duty.lead = Some(lead);
                draft.duty.timing = Timing::Before;
            }
        }
    }
}

/// Whether a sentence is rather about another event than a change of the document.
fn elsewhere(lexicon: &Lexicon, sentence: &Sentence) -> bool {
    lexicon.has("sub-processors", &sentence.signs.text)
        || !sentence.signs.document_change
            && [
                "trigger:transfer",
                "trigger:incident",
                "trigger:service-ends",
                "trigger:other",
            ]
            .iter()
            .any(|role| lexicon.has(role, &sentence.signs.text))
}

/// Promises outside the clauses about changes: one sentence and what it leans on.
fn from_sentence(
    lexicon: &Lexicon,
    sentences: &[Sentence],
    index: usize,
    sentence: &Sentence,
    drafts: &mut Vec<Draft>,
) {
    let Some(tells) = &sentence.signs.tells else {
        return;
    };
    let Tells {
        never_without,
        posted,
        listed,
        notify,
        explicit,
        ..
    } = *tells;
    let text = tells.text.as_str();
    let leaning = if lexicon.has("connector", text) {
        format!("{} {} {text}", sentence.lead_in, sentence.before)
    } else {
        text.to_owned()
    };
    let leaned = || {
        event(lexicon, &leaning, notify, explicit).filter(|trigger| {
            (*trigger != Trigger::Other
                || lexicon.has("such-changes", text)
                || lexicon.has("trigger:other-interruption", &sentence.before))
                && (*trigger != Trigger::NewPurpose || lexicon.has("leans-on-purpose", text))
                && (*trigger != Trigger::ServiceEnds || sentence.lead_in.is_empty())
        })
    };
    let price = || {
        let far = format!("{} {leaning}", earlier(sentences, index));
        event(lexicon, &far, notify, explicit)
            .filter(|trigger| *trigger == Trigger::PriceChange && leaning != text)
    };
    let Some(mut trigger) = event(lexicon, text, notify, explicit)
        .or_else(leaned)
        .or_else(price)
    else {
        return;
    };
    if trigger == Trigger::NewPurpose && lexicon.has("use-restriction", text)
        || trigger == Trigger::Transfer && lexicon.has("insolvency-end", text)
    {
        return;
    }
    let for_cause = lexicon.has("for-cause", &lexicon.blank("at-once", text));
    if trigger == Trigger::ServiceEnds
        && (for_cause
            || !lexicon.has("end-notice", text)
            || !(lexicon.has("timing:before", text)
                || lexicon.has("end-discontinue", &leaning)
                || attributes::lead(lexicon, text, false).is_some()))
    {
        // Nothing ends: the service changes.
        if for_cause || !lexicon.has("other-service-told", text) {
            return;
        }
        trigger = Trigger::Other;
    }
    let mut channels = attributes::channels(lexicon, text);
    if trigger == Trigger::PriceChange
        && (lexicon.has("posting-notice", text) || posted && !lexicon.has("end-notice", text))
    {
        channels.retain(|c| *c != Channel::Website);
        channels.push(Channel::Posting);
        channels.sort_unstable();
        channels.dedup();
    }
    if matches!(trigger, Trigger::Other | Trigger::PriceChange)
        && ((listed || lexicon.has("posting", text)) && trigger == Trigger::Other
            || lexicon.has("posting-notice", text))
        && channels.is_empty()
    {
        channels.push(Channel::Posting);
    }
    if channels == [Channel::Other] && !lexicon.has("channel-other-alone", text) {
        channels.clear();
    }
    if channels.is_empty() {
        channels.push(Channel::Direct);
    }
    let mut duty = blank(trigger);
    duty.mode = attributes::mode(text, &channels);
    duty.channels = channels;
    duty.lead = attributes::lead(lexicon, text, trigger == Trigger::Incident);
    // What another clause of the sentence asks for, such as consent, is not this event's.
    let clause = if notify
        && matches!(
            trigger,
            Trigger::Transfer | Trigger::Incident | Trigger::ServiceEnds
        ) {
        telling(lexicon, text)
    } else {
        text
    };
    let explicit = explicit && lexicon.has("explicit", clause);
    duty.timing = attributes::timing(lexicon, &lexicon.blank("follow-clause", clause));
    // "Notifications are made within three days": the next sentence says by when.
    if let Some(next) = sentences.get(index + 1)
        && duty.lead.is_none()
        && next.block == sentence.block
        && lexicon.has("on-the-notice", &next.signs.text)
    {
        duty.lead = attributes::lead(lexicon, &next.signs.text, trigger == Trigger::Incident);
    }
    if duty.timing == Timing::Unspecified
        && trigger != Trigger::Incident
        && (duty.lead.is_some()
            || never_without
            || explicit && lexicon.has("not-without-consent", text))
    {
        duty.timing = Timing::Before;
    }
    if trigger == Trigger::Incident && duty.lead.is_some() && duty.timing == Timing::Unspecified {
        duty.timing = Timing::After;
    }
    duty.acceptance = if explicit {
        Acceptance::Explicit
    } else if matches!(trigger, Trigger::Transfer | Trigger::Incident) {
        Acceptance::None
    } else if lexicon.has("continued-use", text)
        || sentences.get(index + 1).is_some_and(|next| {
            next.block == sentence.block && lexicon.has("continued-use", &next.signs.text)
        })
    {
        Acceptance::ContinuedUse
    } else {
        Acceptance::None
    };
    duty.must_state = attributes::must_state(lexicon, text);
    duty.hedged = lexicon.has("hedged", telling(lexicon, text));
    enrich(lexicon, &leaning, &mut duty);
    let draft = Draft {
        duty,
        span: sentence.span.clone(),
        block: sentence.block,
        weight: 1,
        part: false,
        bare: false,
        says: 0,
    };
    // Sentences that go on about the same event in the same passage are one promise.
    match drafts.iter_mut().rev().find(|other| {
        let leads = (other.duty.lead, draft.duty.lead);
        other.duty.trigger == trigger
            && draft.block.abs_diff(other.block) <= 1
            && other.weight == 1
            && (leads.0 == leads.1 || leads.0.is_none() || leads.1.is_none())
    }) {
        Some(other) => merge(other, &draft),
        None => drafts.push(draft),
    }
}

/// The sentence before the one before, of the same block: "We may change prices. This happens
/// rarely. We will tell you."
fn earlier(sentences: &[Sentence], index: usize) -> &str {
    let same_block = |back: usize| {
        index
            .checked_sub(back)
            .and_then(|at| sentences.get(at))
            .filter(|s| {
                sentences
                    .get(index)
                    .is_some_and(|here| here.block == s.block)
            })
    };
    same_block(2)
        .or_else(|| same_block(1))
        .map_or("", |s| &s.signs.text)
}

/// The part of a sentence from the clause that tells on: in "we may change fees at our discretion,
/// but we will notify you" the discretion is not the notice's.
fn telling<'t>(lexicon: &Lexicon, text: &'t str) -> &'t str {
    lexicon
        .find("clause-break", text)
        .into_iter()
        .filter_map(|range| text.get(range.start..))
        .rfind(|rest| lexicon.has("notify", rest))
        .unwrap_or(text)
}

/// The event that a sentence outside the change clauses is about.
fn event(lexicon: &Lexicon, text: &str, notify: bool, explicit: bool) -> Option<Trigger> {
    let has = |role: &str| lexicon.has(role, text);
    if has("trigger:incident") && notify && !has("user-incident") {
        Some(Trigger::Incident)
    } else if has("trigger:transfer") && (notify || has("asks-you")) {
        Some(Trigger::Transfer)
    } else if has("trigger:new-purpose") && (notify || explicit) {
        Some(Trigger::NewPurpose)
    } else if has("trigger:rights-reduced") && explicit && has("not-without-consent") {
        Some(Trigger::RightsReduced)
    } else if has("trigger:price-change")
        && (notify || explicit && has("not-without-consent"))
        && !has("at-purchase")
    {
        Some(Trigger::PriceChange)
    } else if notify
        && (has("trigger:other")
            || has("trigger:other-interruption") && !has("end-discontinue") && has("end-notice"))
    {
        Some(Trigger::Other)
    } else if has("trigger:service-ends") && notify {
        Some(Trigger::ServiceEnds)
    } else if notify
        && has("end-notice")
        && !has("software-update")
        && (has("other-service-told")
            || lexicon
                .find("trigger:other-service", text)
                .into_iter()
                .any(|range| {
                    text.get(range)
                        .is_some_and(|words| !lexicon.has("notify", words))
                }))
    {
        Some(Trigger::Other)
    } else {
        None
    }
}

fn blank(trigger: Trigger) -> Duty {
    Duty {
        id: String::new(),
        source: Source::Policy,
        trigger,
        channels: Vec::new(),
        mode: Mode::All,
        timing: Timing::Unspecified,
        lead_days: None,
        lead: None,
        acceptance: Acceptance::None,
        must_state: Vec::new(),
        hedged: false,
        lines: (0, 0),
        quote: String::new(),
        section: Vec::new(),
        addressee: None,
        judge: None,
        fallback: Vec::new(),
        follow_up: None,
        opt_out: None,
        exceptions: Vec::new(),
        conflicts: Vec::new(),
    }
}

/// The richer fields.
fn enrich(lexicon: &Lexicon, text: &str, duty: &mut Duty) {
    let one = |attribute: &str| {
        lexicon
            .values(attribute, text)
            .first()
            .map(|v| (*v).to_owned())
    };
    duty.addressee = one("addressee").or_else(|| Some("users".to_owned()));
    duty.judge = one("judge");
    duty.follow_up = one("follow-up");
    if !lexicon.values("opt-out", text).is_empty() {
        duty.opt_out = Some(false);
    }
    for range in lexicon.find("fallback", text) {
        let rest = text.get(range.start..).unwrap_or_default();
        duty.fallback.extend(attributes::channels(lexicon, rest));
    }
    duty.fallback.dedup();
}

fn merge(into: &mut Draft, from: &Draft) {
    let (a, b) = (&mut into.duty, &from.duty);
    if a.channels == [Channel::Direct] && b.channels != [Channel::Direct] {
        a.channels.clear();
        a.mode = b.mode;
    }
    if b.channels != [Channel::Direct] {
        if b.mode == Mode::Any {
            a.mode = Mode::Any;
        }
        a.channels.extend(&b.channels);
    }
    a.channels.sort_unstable();
    a.channels.dedup();
    a.lead = a.lead.or(b.lead);
    if a.timing == Timing::Unspecified {
        a.timing = b.timing;
    }
    if b.acceptance == Acceptance::Explicit || a.acceptance == Acceptance::None {
        a.acceptance = b.acceptance;
    }
    a.must_state.extend(&b.must_state);
    a.must_state.sort_unstable();
    a.must_state.dedup();
    a.judge = a.judge.take().or_else(|| b.judge.clone());
    a.follow_up = a.follow_up.take().or_else(|| b.follow_up.clone());
    a.opt_out = a.opt_out.or(b.opt_out);
    a.fallback.extend(&b.fallback);
    if from.block.abs_diff(into.block) <= 4 {
        into.span.end = into.span.end.max(from.span.end);
        into.span.start = into.span.start.min(from.span.start);
    }
}
