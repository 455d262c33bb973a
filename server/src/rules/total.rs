//! What all findings of a file would save together, each byte counted once (RULES.md §5, *Overlap of bytes*).

use std::collections::BTreeMap;

use crate::rules::{Finding, Group, Source};
use crate::text::TextSize;
use crate::weight::Estimate;

/// The rule whose action replaces the whole stage: what the smaller findings save is part of it.
const WHOLE_STAGE: &str = "single-stage-build";

/// The sum over the causes of size findings that are shown, of one cause the largest; `None` where nothing is known.
pub fn saving(findings: &[Finding]) -> Option<Estimate> {
    let mut whole: Option<Estimate> = None;
    let mut causes: BTreeMap<(TextSize, TextSize), &Estimate> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.speaks()) {
        let Source::Rule(rule) = finding.source else { continue };
        let Some(saves) = finding.saves.as_ref().filter(|_| rule.group == Group::Size) else { continue };
        if rule.name == WHOLE_STAGE {
            whole = Some(larger(whole, saves.clone()));
            continue;
        }
        let largest = causes.entry((finding.cause.start(), finding.cause.end())).or_insert(saves);
        if largest.likely < saves.likely {
            *largest = saves;
        }
    }
    let parts = causes.into_values().cloned().reduce(|mut sum, saves| {
        sum += &saves;
        sum
    });
    match (whole, parts) {
        (Some(whole), parts) => Some(larger(parts, whole)),
        (None, parts) => parts,
    }
}

fn larger(one: Option<Estimate>, other: Estimate) -> Estimate {
    one.filter(|one| one.likely > other.likely).unwrap_or(other)
}

#[cfg(test)]
mod tests {
    use super::saving;
    use crate::rules::{Context, Finding, Group, Rule, Severity};
    use crate::text::TextRange;
    use crate::weight::{Basis, Estimate};

    const fn rule(name: &'static str, group: Group) -> Rule {
        let check = |_: &Context, _: &mut Vec<Finding>| {};
        Rule { name, group, severity: Severity::Warning, on: true, also: &[], doc: "", check }
    }

    static LISTS: Rule = rule("apt-lists-left", Group::Size);
    static STAGE: Rule = rule("single-stage-build", Group::Size);
    static ROOT: Rule = rule("runs-as-root", Group::Security);

    fn finding(rule: &'static Rule, at: u32, bytes: u64) -> Finding {
        let mut res = Finding::new(rule, TextRange::at(at.into(), 3.into()), "");
        res.saves = Some(Estimate::exact(bytes, Basis::Recipe, ""));
        res
    }

    fn check(findings: &[Finding], expected: Option<u64>) {
        assert_eq!(saving(findings).map(|sum| sum.likely.0), expected);
    }

    #[test]
    fn bytes_of_one_cause_count_once() {
        check(&[], None);
        check(&[finding(&LISTS, 0, 5), finding(&LISTS, 0, 7), finding(&LISTS, 9, 10)], Some(17));
    }

    #[test]
    fn a_smaller_runtime_stage_has_the_small_savings_in_it() {
        check(&[finding(&STAGE, 0, 500), finding(&LISTS, 9, 10)], Some(500));
    }

    #[test]
    fn only_size_findings_that_speak_count() {
        let mut replaced = finding(&LISTS, 0, 5);
        replaced.replaced = true;
        check(&[replaced, finding(&ROOT, 9, 10)], None);
    }
}
