//! `deprecated-base-repository`: the base comes from a repository that nobody maintains any more.

use crate::facts::given_up::successor;
use crate::model::{Base, ImageRef, InstructionKind, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "deprecated-base-repository",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The base image comes from a repository that is no longer maintained.

Its images can still be pulled, but none of them is built anew: known holes in them stay open.

```dockerfile
FROM openjdk:17-jdk-slim
CMD ["java", "-jar", "app.jar"]
```

From its successor:

```dockerfile
FROM eclipse-temurin:17-jdk
CMD ["java", "-jar", "app.jar"]
```

Early-access images of `openjdk` are still built, and the same name in another registry or namespace is another repository.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        let Base::Image(image) = &stage.base else { continue };
        let Some(successor) = successor(image) else { continue };
        let Some((range, whole)) = places(stage, image) else { continue };
        let name = image.text.split([':', '@']).next().unwrap_or(&image.text);
        let mut message = format!("`{name}` is no longer maintained");
        if !successor.is_empty() {
            message.push_str(&format!("; `{successor}` took its place"));
        }
        let mut finding = Finding::new(&RULE, range, message);
        finding.cause = whole;
        if !ctx.facts.is_final(stage_idx) {
            finding.severity = Severity::Information;
        }
        finding.fix = fix(ctx, stage, image, successor, whole);
        acc.push(finding);
    }
}

/// The repository's name, and the image's word; the word twice where the name is not written out in it.
fn places(stage: &Stage, image: &ImageRef) -> Option<(TextRange, TextRange)> {
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return None };
    let word = &from.image;
    let whole = stage.from.range(word.range);
    let name = image.text.split(['@']).next().unwrap_or_default();
    let name =
        image.tag.as_ref().and_then(|tag| name.strip_suffix(tag.as_str())).map_or(name, |it| it.trim_end_matches(':'));
    let is_written = word.range.len() == word.text.len() && word.text.starts_with(name);
    let start = word.range.start as usize;
    let range = if is_written { stage.from.range(Local::new(start, start + name.len())) } else { whole };
    Some((range, whole))
}

/// The same version of Java from Eclipse Temurin, where that tag is known.
fn fix(ctx: &Context, stage: &Stage, image: &ImageRef, successor: String, whole: TextRange) -> Option<Fix> {
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return None };
    if successor != "eclipse-temurin" || from.image.text.contains('$') || image.digest.is_some() {
        return None;
    }
    let tag = image.tag.as_deref()?;
    let version: String = tag.chars().take_while(char::is_ascii_digit).collect();
    let kind = if tag.contains("jre") { "jre" } else { "jdk" };
    let (end, distribution) = if tag.contains("alpine") { ("-alpine", "Alpine") } else { ("", "Ubuntu") };
    let windows = ["windows", "nanoserver"].iter().any(|it| tag.contains(it));
    let text = format!("eclipse-temurin:{version}-{kind}{end}");
    if version.is_empty() || windows || !ctx.images.has_tag(&ImageRef::parse(&text)?) {
        return None;
    }
    let title = format!("Replace by `{text}` (on {distribution})");
    Some(Fix { title, safety: Safety::Review, edit: TextEdit::replace(whole, text) })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    #[test]
    fn the_repository_is_to_blame() {
        check(
            &RULE,
            "FROM openjdk:17-jdk-slim\n\
             #    ^^^^^^^ `openjdk` is no longer maintained; `eclipse-temurin` took its place\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM mcr.microsoft.com/dotnet/core/sdk:3.1\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `mcr.microsoft.com/dotnet/sdk` took its place\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM gcr.io/distroless/base-debian10\n#    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no longer\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_builder_is_not_shipped() {
        let text = "FROM java:8 AS b\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"a\"]\n";
        let analysis = analyse(&parse(text));
        assert_eq!(findings(&analysis, &RULE)[0].severity, Severity::Information);
    }

    #[test]
    fn early_access_is_still_built() {
        check(&RULE, "FROM openjdk:25-ea-jdk-slim\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_same_name_elsewhere_is_another_repository() {
        check(&RULE, "FROM quay.io/centos/centos:stream9\nCMD [\"a\"]\n");
        check(&RULE, "FROM example.com/openjdk:17\nCMD [\"a\"]\n");
        check(&RULE, "FROM jenkins/jenkins:lts\nCMD [\"a\"]\n");
        check(&RULE, "FROM gcr.io/distroless/base-debian12\nCMD [\"a\"]\n");
    }

    #[test]
    fn what_is_not_known_is_left_alone() {
        check(&RULE, "ARG BASE\nFROM $BASE\nCMD [\"a\"]\n");
        check(&RULE, "FROM debian:12\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_kind_of_java_is_kept() {
        check_fix(&RULE, Safety::Review, "FROM openjdk:17-slim\n", "FROM eclipse-temurin:17-jdk\n");
        check_fix(&RULE, Safety::Review, "FROM openjdk:11-jre-slim\n", "FROM eclipse-temurin:11-jre\n");
        check_fix(&RULE, Safety::Review, "FROM java:8-alpine AS a\n", "FROM eclipse-temurin:8-jdk-alpine AS a\n");
    }

    #[test]
    fn a_successor_without_this_version_is_only_named() {
        check_no_fix(&RULE, "FROM openjdk:9\nCMD [\"a\"]\n");
        check_no_fix(&RULE, "FROM centos:7\nCMD [\"a\"]\n");
    }
}
