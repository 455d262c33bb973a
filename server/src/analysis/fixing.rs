//! The fixes of findings, applied in rounds until there are none.
//!
//! In a round all fixes that do not touch each other, the leftmost first; the others wait for the next. The file is
//! analysed anew after each. A text that would parse worse, or that still changes after ten rounds, stays as it was.

use std::sync::Arc;

use crate::analysis::{Analysis, Inputs};
use crate::rules::{Finding, Fix, Safety};
use crate::text::{TextEdit, TextRange, TextSize};

/// A file whose fixes do not come to an end within so many rounds shows a bug.
pub const MOST_ROUNDS: usize = 10;

/// Which fixes are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Those that are at least so safe.
    pub safety: Safety,
    /// Of these ids alone; of all if `None`.
    pub ids: Option<Vec<&'static str>>,
}

/// A fix that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The id of its finding.
    pub id: &'static str,
    /// What it did.
    pub title: String,
    /// The line of the finding in the text it was applied to, from 1.
    pub line: usize,
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The text after all fixes; the one before where something went wrong.
    pub text: Arc<str>,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// The edits of the rounds, in order.
    pub rounds: Vec<TextEdit>,
    /// Why the text must stay as it was: a bug of ours.
    pub fault: Option<String>,
}

/// Applies what is wanted, in `region` alone if there is one; `again` analyses a text that has changed.
pub fn apply(
    analysis: &Analysis,
    wanted: &Wanted,
    region: Option<TextRange>,
    again: &dyn Fn(Inputs, &Analysis) -> Analysis,
) -> Fixed {
    let before = &analysis.inputs.text;
    let n_faults = analysis.file.faults.len();
    let mut res = Fixed { text: Arc::clone(before), steps: Vec::new(), rounds: Vec::new(), fault: None };
    let mut newer: Option<Analysis> = None;
    let mut region = region;
    loop {
        let now = newer.as_ref().unwrap_or(analysis);
        if now.file.faults.len() > n_faults {
            let ids: Vec<&str> = res.steps.iter().map(|step| step.id).collect();
            return stays(before, &format!("the file would not parse after the fix of {}", joined(&ids)));
        }
        let round = round(now, wanted, region);
        let Some(edit) = union(&round) else { return res };
        let ids: Vec<&str> = round.iter().map(|(finding, _)| finding.id()).collect();
        if res.rounds.len() == MOST_ROUNDS {
            let ids = joined(&ids);
            return stays(before, &format!("the fixes of {ids} do not come to an end after {MOST_ROUNDS} rounds"));
        }
        steps(&round, &now.inputs.text, &mut res.steps);
        region = region.map(|region| edit.moved(region));
        res.text = edit.apply(&now.inputs.text).into();
        let inputs = Inputs { text: Arc::clone(&res.text), ..now.inputs.clone() };
        let next = again(inputs, now);
        res.rounds.push(edit);
        newer = Some(next);
    }
}

/// The fixes of one round, in the order of the text; no two touch each other.
pub fn round<'a>(analysis: &'a Analysis, wanted: &Wanted, region: Option<TextRange>) -> Vec<(&'a Finding, &'a Fix)> {
    let is_wanted = |finding: &&Finding| {
        wanted.ids.as_ref().is_none_or(|ids| ids.contains(&finding.id()))
            && region.is_none_or(|region| region.intersect(finding.range).is_some())
    };
    let mut all: Vec<(TextRange, &Finding, &Fix)> = analysis
        .shown()
        .filter(is_wanted)
        .filter_map(|finding| {
            let fix = finding.fix.as_ref().filter(|fix| fix.safety >= wanted.safety)?;
            Some((fix.edit.range().filter(|_| fix.edit.changes(&analysis.inputs.text))?, finding, fix))
        })
        .collect();
    all.sort_by_key(|(range, finding, _)| (range.start(), range.end(), finding.id()));
    let mut res: Vec<(&Finding, &Fix)> = Vec::new();
    let mut last: Option<TextRange> = None;
    for (range, finding, fix) in all {
        if last.is_none_or(|last| last.intersect(range).is_none()) {
            last = Some(range);
            res.push((finding, fix));
        }
    }
    res
}

/// All edits of a round as one; `None` for an empty round.
fn union(round: &[(&Finding, &Fix)]) -> Option<TextEdit> {
    let indels: Vec<_> = round.iter().flat_map(|(_, fix)| fix.edit.indels().iter().cloned()).collect();
    TextEdit::new(indels).filter(|edit| !edit.indels().is_empty())
}

fn steps(round: &[(&Finding, &Fix)], text: &str, acc: &mut Vec<Step>) {
    let line = |at: TextSize| {
        let before = text.get(..usize::from(at)).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    };
    acc.extend(round.iter().map(|(finding, fix)| Step {
        id: finding.id(),
        title: fix.title.clone(),
        line: line(finding.range.start()),
    }));
}

fn joined(ids: &[&str]) -> String {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids.join(", ")
}

/// Nothing is done, and the reason is a bug of ours.
fn stays(before: &Arc<str>, reason: &str) -> Fixed {
    let fault = Some(format!("{reason}; please report it. The file stays as it was"));
    Fixed { text: Arc::clone(before), steps: Vec::new(), rounds: Vec::new(), fault }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Fixed, Wanted, apply};
    use crate::analysis::{Analysis, Inputs};
    use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
    use crate::text::{TextEdit, TextRange, TextSize};

    static RULE: Rule = Rule {
        name: "made-up",
        group: Group::Size,
        severity: Severity::Warning,
        on: true,
        also: &[],
        doc: "",
        check: |_: &Context, _| {},
    };

    /// An analysis in which a rule finds every `from` and puts `to` in its place.
    fn analysis(text: &str, from: &str, to: &str, safety: Safety) -> Analysis {
        let mut res = Analysis::of(Inputs { text: text.into(), ..Inputs::default() }, None);
        let findings = text.match_indices(from).map(|(at, _)| {
            let range = TextRange::at(TextSize::new(at as u32), TextSize::of(from));
            let fix = Fix { title: "Mend it".to_owned(), safety, edit: TextEdit::replace(range, to) };
            Finding { fix: Some(fix), ..Finding::new(&RULE, range, "is so") }
        });
        res.findings = findings.collect();
        res
    }

    fn fixed(text: &str, from: &str, to: &str, safety: Safety, region: Option<TextRange>) -> Fixed {
        let again = |inputs: Inputs, _: &Analysis| analysis(&inputs.text, from, to, safety);
        let wanted = Wanted { safety: Safety::Safe, ids: None };
        apply(&analysis(text, from, to, safety), &wanted, region, &again)
    }

    #[test]
    fn fixes_that_touch_each_other_wait_for_the_next_round() {
        let res = fixed("FROM a\nRUN xxx\n", "x", "yy", Safety::Safe, None);
        assert_eq!((&*res.text, res.steps.len(), res.rounds.len()), ("FROM a\nRUN yyyyyy\n", 3, 2));
        assert_eq!(res.fault, None);
        assert!(res.steps.iter().all(|step| step.line == 2));
    }

    #[test]
    fn fixes_that_never_end_leave_the_file_as_it_was() {
        let res = fixed("FROM a\nRUN x\n", "x", "xx", Safety::Safe, None);
        assert_eq!((&*res.text, res.steps.len()), ("FROM a\nRUN x\n", 0));
        assert!(res.fault.is_some_and(|fault| fault.contains("made-up do not come to an end after 10 rounds")));
    }

    #[test]
    fn a_fix_that_breaks_the_file_is_not_applied() {
        let res = fixed("FROM a\nRUN x\n", "RUN", "RAN", Safety::Safe, None);
        assert_eq!((&*res.text, res.steps.len()), ("FROM a\nRUN x\n", 0));
        assert!(res.fault.is_some_and(|fault| fault.contains("would not parse after the fix of made-up")));
    }

    #[test]
    fn a_fix_to_be_looked_at_is_not_applied_unasked() {
        let res = fixed("FROM a\nRUN x\n", "x", "y", Safety::Review, None);
        assert_eq!((&*res.text, res.steps.len()), ("FROM a\nRUN x\n", 0));
    }

    #[test]
    fn a_region_moves_with_the_text() {
        let text = "FROM a\nRUN x\nRUN xx\nRUN x\n";
        let third = TextRange::new(13.into(), 19.into());
        let res = fixed(text, "x", "yyyyyy", Safety::Safe, Some(third));
        assert_eq!(&*res.text, "FROM a\nRUN x\nRUN yyyyyyyyyyyy\nRUN x\n");
    }

    #[test]
    fn what_is_allowed_or_replaced_is_not_mended() {
        let mut found = analysis("FROM a\nRUN x x\n", "x", "y", Safety::Safe);
        found.findings[0].suppressed = true;
        found.findings[1].replaced = true;
        let again = |inputs: Inputs, _: &Analysis| Analysis::of(inputs, None);
        let res = apply(&found, &Wanted { safety: Safety::Review, ids: None }, None, &again);
        assert_eq!(res.text, Arc::clone(&found.inputs.text));
    }
}
