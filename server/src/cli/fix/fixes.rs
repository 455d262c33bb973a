//! The fixes of findings, applied in rounds until there are none.

use std::sync::Arc;

use crate::analysis::{Analysis, Inputs};
use crate::cli::fix::region::moved;
use crate::cli::fix::{Applied, Fixed, MOST_ROUNDS, Wanted};
use crate::cli::render::places::Lines;
use crate::disk::analyse;
use crate::rules::{Finding, Fix, Source};
use crate::text::{TextEdit, TextRange};

/// Applies what is wanted: in a round all fixes that do not touch each other, the leftmost first; the others wait for the
/// next. A text that would parse worse, or that still changes after ten rounds, stays as it was.
pub(super) fn apply(analysis: Analysis, wanted: &Wanted, region: Option<TextRange>) -> Fixed {
    in_rounds(analysis, wanted, region, &|inputs, before| analyse::in_rounds(inputs, Some(before)))
}

fn in_rounds(
    analysis: Analysis,
    wanted: &Wanted,
    region: Option<TextRange>,
    analyse: &dyn Fn(Inputs, &Analysis) -> Analysis,
) -> Fixed {
    let before = Arc::clone(&analysis.inputs.text);
    let n_faults = analysis.file.faults.len();
    let mut applied = Vec::new();
    let mut analysis = analysis;
    let mut region = region;
    for _ in 0..MOST_ROUNDS {
        let round = round(&analysis, wanted, region);
        let Some(edit) = union(&round) else {
            let text = analysis.inputs.text.to_string();
            return Fixed { text, applied, others: Vec::new(), refused: Vec::new(), fault: None };
        };
        applied.extend(described(&round, &analysis));
        let ids = ids(&round);
        region = region.map(|region| moved(region, &edit));
        let text: Arc<str> = edit.apply(&analysis.inputs.text).into();
        analysis = analyse(Inputs { text, ..analysis.inputs.clone() }, &analysis);
        if analysis.file.faults.len() > n_faults {
            return stays(&before, format!("the file would not parse after the fix of {ids}"));
        }
    }
    let ids = ids(&round(&analysis, wanted, region));
    if ids.is_empty() {
        let text = analysis.inputs.text.to_string();
        return Fixed { text, applied, others: Vec::new(), refused: Vec::new(), fault: None };
    }
    stays(&before, format!("the fixes of {ids} do not come to an end after {MOST_ROUNDS} rounds"))
}

fn ids(round: &[(&Finding, &Fix)]) -> String {
    let mut res: Vec<&str> = round.iter().map(|(finding, _)| finding.id()).collect();
    res.dedup();
    res.join(", ")
}

/// Nothing is done, and the reason is a bug of ours.
fn stays(before: &str, reason: String) -> Fixed {
    let fault = Some(format!("{reason}; please report it. The file stays as it was"));
    Fixed { text: before.to_owned(), applied: Vec::new(), others: Vec::new(), refused: Vec::new(), fault }
}

/// The fixes of one round.
fn round<'a>(analysis: &'a Analysis, wanted: &Wanted, region: Option<TextRange>) -> Vec<(&'a Finding, &'a Fix)> {
    let mut all: Vec<(TextRange, &Finding, &Fix)> = analysis
        .shown()
        .filter(|finding| is_wanted(finding, wanted) && region.is_none_or(|it| it.intersect(finding.range).is_some()))
        .filter_map(|finding| {
            let fix = finding.fix.as_ref().filter(|fix| fix.safety >= wanted.safety)?;
            let changes = fix.edit.apply(&analysis.inputs.text) != *analysis.inputs.text;
            Some((fix.edit.range().filter(|_| changes)?, finding, fix))
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

fn is_wanted(finding: &Finding, wanted: &Wanted) -> bool {
    let Some(rules) = &wanted.rules else { return true };
    match finding.source {
        Source::Rule(rule) => rules.contains(&rule),
        Source::Fault => false,
    }
}

/// All edits of a round as one; `None` for an empty round.
fn union(round: &[(&Finding, &Fix)]) -> Option<TextEdit> {
    let indels: Vec<_> = round.iter().flat_map(|(_, fix)| fix.edit.indels().iter().cloned()).collect();
    TextEdit::new(indels).filter(|edit| !edit.indels().is_empty())
}

fn described(round: &[(&Finding, &Fix)], analysis: &Analysis) -> Vec<Applied> {
    let lines = Lines::of(&analysis.inputs.text);
    let one = |(finding, fix): &(&Finding, &Fix)| Applied {
        id: finding.id(),
        variant: None,
        title: fix.title.clone(),
        line: lines.line(finding.range.start()),
        doubts: Vec::new(),
        before: None,
        after: None,
    };
    round.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::in_rounds;
    use crate::analysis::{Analysis, Inputs};
    use crate::cli::fix::{Fixed, Wanted};
    use crate::config::Config;
    use crate::context::BuildContext;
    use crate::images::ImageBook;
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
        let inputs = Inputs {
            text: text.into(),
            config: Arc::new(Config::default()),
            context: Arc::new(BuildContext::default()),
            images: Arc::new(ImageBook::default()),
            today: None,
            ..Inputs::default()
        };
        let mut res = Analysis::of(inputs, None);
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
        let wanted = Wanted { safety: Safety::Safe, rules: None };
        in_rounds(analysis(text, from, to, safety), &wanted, region, &again)
    }

    #[test]
    fn fixes_that_touch_each_other_wait_for_the_next_round() {
        let res = fixed("FROM a\nRUN xxx\n", "x", "yy", Safety::Safe, None);
        assert_eq!((res.text.as_str(), res.applied.len()), ("FROM a\nRUN yyyyyy\n", 3));
        assert_eq!(res.fault, None);
    }

    #[test]
    fn fixes_that_never_end_leave_the_file_as_it_was() {
        let res = fixed("FROM a\nRUN x\n", "x", "xx", Safety::Safe, None);
        assert_eq!((res.text.as_str(), res.applied.len()), ("FROM a\nRUN x\n", 0));
        assert!(res.fault.is_some_and(|fault| fault.contains("made-up do not come to an end after 10 rounds")));
    }

    #[test]
    fn a_fix_that_breaks_the_file_is_not_applied() {
        let res = fixed("FROM a\nRUN x\n", "RUN", "RAN", Safety::Safe, None);
        assert_eq!((res.text.as_str(), res.applied.len()), ("FROM a\nRUN x\n", 0));
        assert!(res.fault.is_some_and(|fault| fault.contains("would not parse after the fix of made-up")));
    }

    #[test]
    fn a_fix_to_be_looked_at_is_not_applied_unasked() {
        let res = fixed("FROM a\nRUN x\n", "x", "y", Safety::Review, None);
        assert_eq!((res.text.as_str(), res.applied.len()), ("FROM a\nRUN x\n", 0));
    }

    #[test]
    fn a_region_moves_with_the_text() {
        let text = "FROM a\nRUN x\nRUN xx\nRUN x\n";
        let third = TextRange::new(13.into(), 19.into());
        let res = fixed(text, "x", "yyyyyy", Safety::Safe, Some(third));
        assert_eq!(res.text, "FROM a\nRUN x\nRUN yyyyyyyyyyyy\nRUN x\n");
    }
}
