//! `eol-base-image`: the base image gets no fixes any more.

use crate::images::LongSupport;
use crate::model::{Base, InstructionKind, Stage};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::text::{Local, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "eol-base-image",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The base image's runtime or distribution is past its end of life: nobody mends its flaws any more.

The tag can still be pulled, but it is not built anew, so known flaws stay in it for good.

```dockerfile
FROM node:18-slim
CMD ["node", "server.js"]
#- today 2026-11-21
```

A version that is still served:

```dockerfile
FROM node:22-slim
CMD ["node", "server.js"]
#- today 2026-11-21
```

The dates are those of the projects themselves; vendors that serve a version longer keep their own and are not counted.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(today) = ctx.today else { return };
    for (stage_idx, stage) in ctx.reaching() {
        let Base::Image(image) = &stage.base else { continue };
        let Some(ended) = ctx.images.ended(image, today) else { continue };
        // `openjdk:8-alpine` names no version of Alpine; the table knows which one it holds.
        let tag = image.tag.as_deref().unwrap_or_default();
        let is_named = ended.name.split(['(', ')', ' ']).any(|word| !word.is_empty() && tag.contains(word));
        let who = if is_named { ended.name } else { format!("`{image}` holds {}, which", ended.name) };
        let mut message = match (ended.date, ended.lts) {
            (Some(date), LongSupport::None) => format!("{who} got its last fixes on {date}"),
            (Some(date), LongSupport::GoesOn) => {
                format!("{who} left regular support on {date}, and only LTS still serves it")
            }
            (Some(date), LongSupport::Over) => format!("{who} left regular support on {date}, and LTS is over too"),
            (None, _) => format!("{who} gets no fixes any more"),
        };
        if let Some(supported) = &ended.supported {
            message.push_str(&format!("; {supported} is still supported"));
        }
        let Some((range, cause)) = places(stage, image.tag.as_deref(), ended.in_tag) else { continue };
        let mut finding = Finding::new(&RULE, range, message);
        finding.cause = cause;
        if ended.lts == LongSupport::GoesOn || !ctx.facts.is_final(stage_idx) {
            finding.severity = Severity::Information;
        }
        acc.push(finding);
    }
}

/// The version in the tag, and the image's word; the word twice where the tag is not written out in it.
fn places(stage: &Stage, tag: Option<&str>, in_tag: std::ops::Range<usize>) -> Option<(TextRange, TextRange)> {
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return None };
    let word = &from.image;
    let whole = stage.from.range(word.range);
    let name = word.text.split('@').next().unwrap_or(&word.text);
    let is_plain = word.range.len() == word.text.len();
    let tag_start = tag.filter(|_| is_plain).and_then(|tag| name.strip_suffix(tag)).map(str::len);
    let range = tag_start.map(|start| {
        let start = word.range.start as usize + start;
        stage.from.range(Local::new(start + in_tag.start, start + in_tag.end))
    });
    Some((range.unwrap_or(whole), whole))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    #[test]
    fn the_version_in_the_tag_is_over() {
        check(
            &RULE,
            "FROM --platform=linux/amd64 node:18-slim\n\
             #                                ^^ got its last fixes on 2025-04-30\n\
             CMD [\"a\"]\n\
             #- today 2026-11-21\n",
        );
    }

    #[test]
    fn a_variable_is_blamed_as_a_whole() {
        check(
            &RULE,
            "ARG VERSION=18\n\
             FROM node:${VERSION}-slim\n\
             #    ^^^^^^^^^^^^^^^^^^^^ 18\n\
             #- today 2026-11-21\n",
        );
    }

    #[test]
    fn a_distribution_may_lie_behind_the_tag() {
        check(
            &RULE,
            "FROM openjdk:8-alpine\n\
             #            ^^^^^^^^ `openjdk:8-alpine` holds Alpine 3.9, which got its last fixes\n\
             #- today 2026-11-21\n\
             #- plimsoll.toml\n\
             rules.deprecated-base-repository = \"off\"\n",
        );
    }

    #[test]
    fn debian_gets_fixes_for_years_after_its_regular_support() {
        check(
            &RULE,
            "FROM debian:10-slim\n\
             #           ^^ Debian 10 (buster) left regular support on 2022-09-10, and LTS is over too; 13 is still\n\
             #- today 2026-11-21\n",
        );
        check(
            &RULE,
            "FROM debian:12-slim\n\
             #           ^^ left regular support on 2026-07-11, and only LTS still serves it\n\
             #- today 2026-11-21\n",
        );
    }

    #[test]
    fn ubuntu_serves_until_the_day_that_canonical_names() {
        check(
            &RULE,
            "FROM ubuntu:trusty\n\
             #           ^^^^^^ Ubuntu 14.04 (trusty) got its last fixes on 2019-04-25\n\
             #- today 2026-11-21\n",
        );
    }

    #[test]
    fn before_its_day_nothing_is_over() {
        check(&RULE, "FROM node:18\n#- today 2025-04-01\n");
    }

    #[test]
    fn without_a_day_nothing_is_said() {
        check(&RULE, "FROM node:18\n");
    }

    #[test]
    fn a_tag_without_a_version_is_another_matter() {
        check(&RULE, "FROM node\n#- today 2026-11-21\n");
        check(&RULE, "FROM node:latest\n#- today 2026-11-21\n");
        check(&RULE, "FROM node:lts-slim\n#- today 2026-11-21\n");
    }

    #[test]
    fn an_image_that_no_table_knows_is_not_over() {
        check(&RULE, "FROM example.com/node:12\n#- today 2026-11-21\n");
        check(&RULE, "FROM registry.access.redhat.com/ubi7/ubi:7.9\n#- today 2026-11-21\n");
    }

    #[test]
    fn a_builder_and_long_support_are_information() {
        let text = "FROM node:18 AS b\nFROM debian:12\nCOPY --from=b /a /a\nCMD /a\n#- today 2026-11-21\n";
        let analysis = analyse(&parse(text));
        let found: Vec<_> = findings(&analysis, &RULE).iter().map(|it| it.severity).collect();
        assert_eq!(found, [Severity::Information, Severity::Information]);
    }

    #[test]
    fn an_unused_stage_is_not_counted() {
        check(&RULE, "FROM node:18 AS a\nFROM node:24\n#- today 2026-11-21\n");
    }
}
