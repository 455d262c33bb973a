//! The order of findings where the most important come first: the summary, the hover of the document, `size --suggest`.
//!
//! In text and JSON they stand in the order of the text instead.

use std::cmp::Reverse;

use crate::rules::{Finding, Group, Severity, Source};
use crate::text::TextSize;

/// Bytes that are not known stand behind these.
const UNKNOWN: u64 = 10_000_000;

/// What findings are sorted by (RULES.md §5): errors; then bytes, the most first, unknown ones behind 10 MB; then
/// warnings without bytes by group; then information and hints.
pub fn rank(finding: &Finding) -> impl Ord + use<> {
    let group = match finding.source {
        Source::Rule(rule) => Some(rule.group),
        Source::Fault | Source::Note(_) => None,
    };
    let bytes = match &finding.saves {
        Some(saves) => Some(saves.likely.0),
        None => (group == Some(Group::Size)).then_some(UNKNOWN),
    };
    let class = match (finding.severity, bytes) {
        (Severity::Error, _) => 0,
        (_, Some(_)) => 1,
        (Severity::Warning, None) => 2,
        (Severity::Information, None) => 3,
        (Severity::Hint, None) => 4,
    };
    let by_bytes = if class == 1 { bytes.unwrap_or_default() } else { 0 };
    let place: (TextSize, &'static str) = (finding.range.start(), finding.id());
    (class, Reverse((by_bytes, finding.saves.is_some())), weight(group), place)
}

/// Security first, style last.
fn weight(group: Option<Group>) -> u8 {
    match group {
        None => 0,
        Some(Group::Security) => 1,
        Some(Group::Cache) => 2,
        Some(Group::Correctness) => 3,
        Some(Group::Size) => 4,
        Some(Group::Style) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::rank;
    use crate::rules::{Context, Finding, Group, Rule, Severity};
    use crate::text::TextRange;
    use crate::weight::{Basis, Estimate};

    const fn rule(name: &'static str, group: Group, severity: Severity) -> Rule {
        let check = |_: &Context, _: &mut Vec<Finding>| {};
        Rule { name, group, severity, on: true, also: &[], doc: "", check }
    }

    static SIZE: Rule = rule("size", Group::Size, Severity::Warning);
    static STYLE: Rule = rule("style", Group::Style, Severity::Hint);
    static SECURITY: Rule = rule("security", Group::Security, Severity::Warning);
    static CACHE: Rule = rule("cache", Group::Cache, Severity::Warning);
    static BROKEN: Rule = rule("broken", Group::Correctness, Severity::Error);

    #[test]
    fn errors_come_first_then_bytes_then_groups() {
        let finding = |rule, at: u32, bytes: Option<u64>| {
            let mut res = Finding::new(rule, TextRange::at(at.into(), 1.into()), "");
            res.saves = bytes.map(|bytes| Estimate::exact(bytes, Basis::Recipe, ""));
            res
        };
        let mut all = [
            finding(&STYLE, 0, None),
            finding(&CACHE, 1, None),
            finding(&SECURITY, 2, None),
            finding(&SIZE, 3, Some(2_000_000)),
            finding(&SIZE, 4, None),
            finding(&SIZE, 5, Some(10_000_000)),
            finding(&SIZE, 6, Some(90_000_000)),
            finding(&BROKEN, 7, None),
        ];
        all.sort_by_key(rank);
        let places: Vec<u32> = all.iter().map(|it| it.range.start().into()).collect();
        assert_eq!(places, [7, 6, 5, 4, 3, 2, 1, 0]);
    }
}
