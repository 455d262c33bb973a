//! All rules over a file: settings, faults, comments and precedence applied.

use crate::config::{Builder, Level};
use crate::model::{Fault, Placed};
use crate::rules::allow::directive;
use crate::rules::{ALL, Context, Finding, Group, Rule, Safety, Severity, Source, allow, precedence, size};
use crate::text::TextRange;

/// Every finding of a file in the order of the text: BuildKit's faults, then what the rules found where no fault
/// stands, with the settings' severities, comments and precedence applied. What a comment allows stays, marked
/// `suppressed`, and so do weaker findings of one cause, marked `replaced`.
pub fn check(ctx: &Context) -> Vec<Finding> {
    let mut res: Vec<Finding> = Vec::new();
    for rule in ALL {
        if level(ctx, rule).is_some() {
            (rule.check)(ctx, &mut res);
        }
    }
    // Comments look at the severity that the rule itself gave; and what they allow is allowed also where it is small.
    allow::apply(ctx, &mut res, &|rule| level(ctx, rule).is_some());
    let is_strict = directive::is_error(ctx.file);
    for finding in &mut res {
        let Source::Rule(rule) = finding.source else { continue };
        finding.severity = match level(ctx, rule) {
            _ if is_strict && rule.is_check() => Severity::Error,
            level => level.flatten().unwrap_or(finding.severity),
        };
    }
    let faulty: Vec<TextRange> =
        ctx.file.instructions().filter(|it| !it.instruction.faults.is_empty()).map(Placed::whole).collect();
    res.retain(|finding| !is_in_one(&faulty, finding) && !is_small(ctx, finding));
    soften(ctx, &mut res);
    precedence::apply(ctx.file, &mut res);
    size::image_over_budget::name_savings(&mut res);
    res.extend(ctx.file.faults.iter().map(fault));
    res.sort_by_key(|finding| (finding.range.start(), finding.range.end(), finding.id()));
    res
}

fn fault(fault: &Fault) -> Finding {
    Finding::of(Source::Fault, Severity::Error, fault.range, fault.message.clone())
}

/// Whether a finding lies in one of these ranges, which are in order and apart. Notes are about comments, and stay.
fn is_in_one(ranges: &[TextRange], finding: &Finding) -> bool {
    let before = ranges.partition_point(|range| range.start() <= finding.range.start());
    let range = before.checked_sub(1).and_then(|idx| ranges.get(idx));
    matches!(finding.source, Source::Rule(_)) && range.is_some_and(|range| range.contains_range(finding.range))
}

/// What is said of a rule: `None` where it is off, `Some(None)` where its own severity holds.
fn level(ctx: &Context, rule: &Rule) -> Option<Option<Severity>> {
    if rule.is_check() && ctx.config.buildkit == Some(false) {
        return None;
    }
    match ctx.config.level(rule.name, rule.group.name()) {
        None => (is_on(ctx, rule) || directive::is_tried(ctx.file, rule)).then_some(None),
        Some(Level::Off) => None,
        Some(Level::Hint) => Some(Some(Severity::Hint)),
        Some(Level::Information) => Some(Some(Severity::Information)),
        Some(Level::Warning) => Some(Some(Severity::Warning)),
        Some(Level::Error) => Some(Some(Severity::Error)),
    }
}

/// Whether a rule speaks by default: what concerns the classic builder alone does where that is used.
fn is_on(ctx: &Context, rule: &Rule) -> bool {
    rule.on || rule.name == "write-after-volume" && ctx.config.builder == Builder::Classic
}

/// Whether a size finding saves less than the settings ask for (RULES.md S8). An unknown saving is not small.
fn is_small(ctx: &Context, finding: &Finding) -> bool {
    let Source::Rule(rule) = finding.source else { return false };
    let saves = finding.saves.as_ref();
    rule.group == Group::Size && saves.is_some_and(|saves| saves.likely.0 < ctx.config.minimum_saving)
}

/// Makes safe fixes such as a person should look at: inside ONBUILD, and where the image starts nothing of its own, so
/// that others are probably built upon it and may rely on what is taken away.
fn soften(ctx: &Context, findings: &mut [Finding]) {
    let is_started = ctx.facts.is_started();
    let triggers: Vec<TextRange> =
        ctx.file.instructions().filter(|it| it.instruction.name == "ONBUILD").map(Placed::whole).collect();
    for finding in findings {
        let Source::Rule(rule) = finding.source else { continue };
        let Some(fix) = &mut finding.fix else { continue };
        let Some(range) = fix.edit.range() else { continue };
        let takes_away = !rule.is_check() && matches!(rule.group, Group::Size | Group::Cache | Group::Security);
        let before = triggers.partition_point(|trigger| trigger.end() < range.start());
        let in_trigger = triggers.get(before).is_some_and(|trigger| trigger.intersect(range).is_some());
        if takes_away && !is_started || in_trigger {
            fix.safety = Safety::Review;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{analyse, parse};
    use crate::rules::Safety;

    fn safety(text: &str) -> Vec<Safety> {
        analyse(&parse(text)).shown().filter_map(|finding| Some(finding.fix.as_ref()?.safety)).collect()
    }

    #[test]
    fn what_is_taken_from_an_image_that_starts_nothing_is_looked_at_by_a_person() {
        let update = "FROM debian:12-slim\nRUN apt-get update && apt-get install -y curl\nUSER 1000\n";
        let select = "#- plimsoll.toml\n[groups]\nsecurity = \"off\"\n[rules]\napt-recommends-installed = \"off\"\n";
        assert_eq!(safety(&format!("{update}{select}")), [Safety::Review]);
        assert_eq!(safety(&format!("{update}CMD [\"curl\"]\n{select}")), [Safety::Safe]);
    }
}
