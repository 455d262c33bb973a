//! `image-over-budget`: a stage weighs more than the settings allow.

use crate::facts;
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Group, Related, Rule, Severity};
use crate::size::budget;
use crate::text::TextRange;
use crate::weight::{Estimate, Size};

/// How many layers and savings are named.
const MOST: usize = 3;

/// The rule.
pub static RULE: Rule = Rule {
    name: "image-over-budget",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The image weighs more, unpacked, than `size.budget` allows.

Nothing is said without that setting: what is too much is known to the team alone, and an image with a JVM or CUDA can
never be as small as one with a static program.
The budget is for the target, or in a table for stages by their names.
Where only the likely weight is above it and the lower end is not, a hint says that the image may exceed it; where the
weight of the base is not known, only what is put on it counts.

```dockerfile
FROM node:22-slim
CMD ["node", "server.js"]
#- plimsoll.toml
size.budget = "200MB"
```

On a base that leaves room:

```dockerfile
FROM node:22-alpine
CMD ["node", "server.js"]
#- plimsoll.toml
size.budget = "200MB"
```

`plimsoll size` ends with exit code 1 when a budget is exceeded.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for excess in budget::excesses(ctx.file, ctx.facts, ctx.size, ctx.config) {
        let Some(stage) = ctx.file.stages.get(excess.stage) else { continue };
        let name = stage.name.as_ref().filter(|_| ctx.facts.target != Some(excess.stage));
        let what = name.map_or_else(|| "the image".to_owned(), |name| format!("the stage {}", name.text));
        let range = match &stage.from.instruction.kind {
            InstructionKind::From(from) => stage.from.range(from.image.range),
            _ => stage.from.whole(),
        };
        let mut finding = Finding::new(&RULE, range, format!("{what} {}", excess.words()));
        if !excess.certain {
            finding.severity = Severity::Hint;
        }
        finding.related = heaviest(ctx, excess.stage);
        acc.push(finding);
    }
}

/// The heaviest instructions of a stage and of those it is built on.
fn heaviest(ctx: &Context, stage: usize) -> Vec<Related> {
    let mut layers: Vec<(Size, Related)> = Vec::new();
    for idx in facts::chain(ctx.file, stage) {
        let (Some(stage), Some(size)) = (ctx.file.stages.get(idx), ctx.size.stages.get(idx)) else { continue };
        for layer in &size.layers {
            let Some((placed, adds)) = stage.instructions.get(layer.instruction).zip(layer.adds.as_ref()) else {
                continue;
            };
            if adds.likely > Size(0) {
                let message = format!("this {} adds {}", placed.instruction.name, adds.words());
                layers.push((adds.likely, Related { range: placed.whole(), message }));
            }
        }
    }
    layers.sort_by_key(|(bytes, related)| (std::cmp::Reverse(*bytes), related.range.start()));
    layers.into_iter().map(|(_, related)| related).take(MOST).collect()
}

/// Puts into the findings of this rule what the other findings would save most: it is the sum of them, and so is
/// completed when all are there.
pub fn name_savings(findings: &mut [Finding]) {
    let is_ours = |finding: &Finding| finding.id() == RULE.name;
    if !findings.iter().any(is_ours) {
        return;
    }
    let mut savings: Vec<(Estimate, TextRange, String)> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.speaks()) {
        let Some(saves) = &finding.saves else { continue };
        let action = finding.assists.first().map(|id| format!("the action {id}"));
        let Some(title) = finding.fix.as_ref().map(|fix| fix.title.clone()).or(action) else { continue };
        savings.push((saves.clone(), finding.range, title));
    }
    savings.sort_by_key(|(saves, range, _)| (std::cmp::Reverse(saves.likely), range.start()));
    let named = savings.iter().take(MOST).map(|(saves, _, title)| format!("{title} ({})", saves.words()));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|finding| is_ours(finding)) {
        finding.message.push_str(&format!("\nwhat would save most: {}", named.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    fn budget(text: &str, budget: &str) -> String {
        format!("{text}#- plimsoll.toml\n{budget}\n")
    }

    #[test]
    fn the_from_of_the_target_is_to_blame() {
        check(
            &RULE,
            &budget(
                "FROM golang:1.26 AS build\nRUN go build\nFROM node:22-slim\n#    ^^^^^^^^^^^^ the image weighs 227 MB unpacked, more than its budget of 200 MB\nCMD a\n",
                "size.budget = \"200MB\"",
            ),
        );
    }

    #[test]
    fn without_a_budget_nothing_is_too_heavy() {
        check(&RULE, "FROM golang:1.26\nRUN apt-get update\nCMD a\n");
    }

    #[test]
    fn a_stage_has_a_budget_by_its_name_which_is_stronger_than_that_of_the_file() {
        let text = "FROM node:22-slim AS Build\n#    ^^^^^^^^^^^^ the stage Build weighs 227 MB\nFROM scratch AS web\nCOPY --from=build /a /\nCMD a\n";
        check(&RULE, &budget(text, "size.budget = { build = 1000, web = 10 }"));
        check(&RULE, &budget("FROM node:22-slim AS web\nCMD a\n", "[size.budget]\nweb = \"1GB\""));
    }

    #[test]
    fn a_stage_that_the_target_does_not_need_is_not_looked_at() {
        check(&RULE, &budget("FROM node:22-slim AS other\nFROM scratch\nCMD a\n", "size.budget = { other = 10 }"));
    }

    #[test]
    fn where_the_base_is_not_known_what_is_put_on_it_counts() {
        let text = "FROM registry.example/base\nCOPY a /\nCMD a\n#- a\n0123456789\n";
        check(&RULE, &budget(text, "size.budget = 20"));
        let over =
            text.replacen("base\n", "base\n#    ^^^^^^^^^^^^^^^^^^^^^ the image weighs at least 11 B unpacked\n", 1);
        check(&RULE, &budget(&over, "size.budget = 10"));
    }

    #[test]
    fn where_only_the_likely_weight_is_above_a_hint_says_so() {
        let shown = |bytes: u64| {
            let text =
                budget("FROM debian:bookworm-slim\nRUN apt-get update\nCMD a\n", &format!("size.budget = {bytes}"));
            let analysis = analyse(&parse(&text));
            findings(&analysis, &RULE).first().map(|it| (it.severity, it.message.clone()))
        };
        let weighs = analyse(&parse("FROM debian:bookworm-slim\nRUN apt-get update\n")).size.stages[0].unpacked().0;
        let weighs = weighs.expect("both are known");
        assert_eq!(shown(weighs.likely.0), None);
        let (severity, message) = shown(weighs.likely.0 - 1).expect("the likely weight is above");
        assert_eq!(severity, Severity::Hint);
        assert!(message.starts_with("the image may exceed its budget of "), "{message}");
        assert_eq!(shown(weighs.low.0 - 1).map(|(severity, _)| severity), Some(Severity::Warning));
    }

    #[test]
    fn the_heaviest_layers_and_the_largest_savings_are_named() {
        let text = budget(
            "FROM node:22 AS base\nRUN apt-get update\nFROM base\nCOPY a /\nCOPY b /\nCOPY c /\nCMD a\n#- a\n1\n#- b\n12\n#- c\n123\n",
            "size.budget = \"1MB\"",
        );
        let analysis = analyse(&parse(&text));
        let found = findings(&analysis, &RULE);
        let [finding] = found[..] else { panic!("one finding, not {found:?}") };
        let related: Vec<&str> = finding.related.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(related, ["this RUN adds about 20 MB", "this COPY adds 4 B", "this COPY adds 3 B"]);
        let (_, savings) = finding.message.split_once('\n').expect("a second line");
        assert!(savings.starts_with("what would save most: Use `node:22-slim` (about "), "{savings}");
        assert!(savings.contains(", Remove the lists in the same layer (about 20 MB)"), "{savings}");
        assert_eq!(finding.saves, None);
    }
}
