//! `unused-stage`: a stage that the target does not need and that is no target of its own.

use crate::model::{Base, InstructionKind, Placed, Source, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange, TextSize};

/// The rule.
pub static RULE: Rule = Rule {
    name: "unused-stage",
    group: Group::Cache,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
No other stage needs this one, and nothing says that it is built for itself.

BuildKit leaves it out; the classic builder builds it each time. Whoever reads the file has to find out that it does nothing.

```dockerfile
FROM alpine:3.20 AS old
RUN apk add --no-cache git
FROM alpine:3.20
CMD ["sh"]
```

Without it:

```dockerfile
FROM alpine:3.20
CMD ["sh"]
```

Nothing is said of stages that are named like targets (`test`, `dev`, `release`), that start something of their own, or that
a Bake, Compose or CI file of the workspace names.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let stages = &ctx.file.stages;
    if ctx.config.target.is_some() || ctx.facts.reaching.iter().all(|it| *it) || stages.iter().any(is_by_variable) {
        return;
    }
    let needed = needed(ctx);
    let several = has_several_targets(ctx, &needed);
    for (idx, stage) in stages.iter().enumerate() {
        if needed.get(idx).copied().unwrap_or(true) || several && stage.name.is_some() {
            continue;
        }
        let (range, message) = match &stage.name {
            Some(name) => (stage.from.range(name.range), format!("no stage needs `{}`", name.text)),
            None => (stage.from.whole(), "no stage needs this one, and it has no name to be built by".to_owned()),
        };
        let mut finding = Finding::new(&RULE, range, message);
        finding.cause = stage.from.whole();
        finding.fix = fix(ctx, idx, stage);
        acc.push(finding);
    }
}

/// Whether a stage names another one, or may, by a variable: then any stage may be meant.
fn is_by_variable(stage: &Stage) -> bool {
    let in_name = |text: &str| text.split(':').next().is_some_and(|name| name.contains('$') && !name.contains('/'));
    let by_from = match &stage.from.instruction.kind {
        InstructionKind::From(from) => in_name(&from.image.text),
        _ => false,
    };
    let by_flag = |placed: &Placed| {
        let flag = placed.instruction.flag("from").and_then(|flag| flag.value.as_ref());
        let mounts = match &placed.instruction.kind {
            InstructionKind::Run(run) => {
                run.mounts.iter().filter_map(|mount| mount.value(&["from"])).any(|it| in_name(&it.text))
            }
            _ => false,
        };
        mounts || flag.is_some_and(|word| in_name(&word.text))
    };
    by_from
        || matches!(stage.base, Base::Unknown(_))
        || stage.sources.iter().any(|(_, source)| matches!(source, Source::Unknown(_)))
        || stage.instructions.iter().any(by_flag)
}

/// Whether the file is built for several targets: a plausible one beside the last, or two that nothing needs.
fn has_several_targets(ctx: &Context, needed: &[bool]) -> bool {
    if needed.iter().zip(&ctx.facts.reaching).any(|(needed, reaching)| *needed && !reaching) {
        return true;
    }
    let stages = &ctx.file.stages;
    let is_leaf = |idx: usize| {
        !stages.iter().any(|stage| {
            stage.base == Base::Stage(idx) || stage.sources.iter().any(|(_, source)| *source == Source::Stage(idx))
        })
    };
    let mut leaves = stages
        .iter()
        .enumerate()
        .zip(needed)
        .filter(|((idx, stage), needed)| !**needed && stage.name.is_some() && is_leaf(*idx));
    leaves.nth(1).is_some()
}

/// Which stages the target or a plausible target needs.
fn needed(ctx: &Context) -> Vec<bool> {
    let stages = &ctx.file.stages;
    let mut res = ctx.facts.reaching.clone();
    let mut waiting: Vec<usize> =
        (0..stages.len()).filter(|idx| !res.get(*idx).copied().unwrap_or(true) && is_plausible(ctx, *idx)).collect();
    while let Some(idx) = waiting.pop() {
        let (Some(slot), Some(stage)) = (res.get_mut(idx), stages.get(idx)) else { continue };
        if std::mem::replace(slot, true) {
            continue;
        }
        if let Base::Stage(parent) = stage.base {
            waiting.push(parent);
        }
        waiting.extend(stage.sources.iter().filter_map(|(_, source)| match source {
            Source::Stage(idx) => Some(*idx),
            Source::Image(_) | Source::Unknown(_) => None,
        }));
    }
    res
}

/// Words in names and comments of stages that are built for themselves.
#[rustfmt::skip]
const TARGETS: [&str; 48] = [
    "artifact", "artifacts", "audit", "bench", "benchmark", "bin", "binaries", "binary", "check", "ci", "cli",
    "coverage", "cross", "debug", "deploy", "dev", "devcontainer", "develop", "development", "docs", "e2e", "export",
    "final", "fmt", "format", "gen", "generate", "image", "license", "lint", "local", "output", "package", "prod",
    "production", "release", "run", "runner", "runtime", "server", "shell", "test", "tests", "unit", "update",
    "validate", "vendor", "vendored",
];

/// Whether a stage is probably built for itself: by its name, by the comment above it, by what it starts, or because a file
/// of the workspace names it.
fn is_plausible(ctx: &Context, idx: usize) -> bool {
    let (Some(stage), Some(facts)) = (ctx.file.stages.get(idx), ctx.facts.stages.get(idx)) else { return true };
    let says = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let mut words = lower.split(|it: char| !it.is_ascii_alphanumeric());
        words.any(|word| {
            TARGETS.contains(&word) || word.ends_with("test") || word.ends_with("tests") || word == "target"
        })
    };
    let by_name = stage.name.as_ref().is_some_and(|name| says(&name.text));
    let comments = ctx.file.comments.iter().filter(|comment| belongs(&ctx.file.text, **comment, stage));
    let by_comment = { comments }.any(|range| ctx.file.text.get(range_of(*range)).is_some_and(says));
    // Who starts nothing of his own can only be a part; without a name it cannot be built but by its number.
    let starts = stage.name.is_some() && (facts.cmd.is_some() || facts.entrypoint.is_some());
    // `FROM scratch AS update`: what `--output` writes.
    let exports = stage.name.is_some() && stage.base == Base::Scratch;
    by_name
        || by_comment
        || starts
        || exports
        || stage.name.as_ref().is_some_and(|name| is_named_beside(ctx, &name.text))
}

/// Whether a text of the workspace names the stage as a target.
fn is_named_beside(ctx: &Context, name: &str) -> bool {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
    ctx.context.texts.iter().filter(|(path, _)| is_build_file(path)).any(|(_, text)| {
        text.lines().filter(|line| line.contains("target")).any(|line| {
            line.match_indices(name).any(|(at, _)| {
                let bytes = line.as_bytes();
                !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) && !is_word(bytes.get(at + name.len()))
            })
        })
    })
}

/// Files that say what is built: Compose, Bake, make, CI.
pub(in crate::rules) fn is_build_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let compose = (name.contains("compose")) && (name.ends_with(".yml") || name.ends_with(".yaml"));
    let workflow = path.starts_with(".github/workflows/") && (name.ends_with(".yml") || name.ends_with(".yaml"));
    compose
        || workflow
        || matches!(name, "docker-bake.hcl" | "docker-bake.json" | "Makefile" | "justfile" | ".gitlab-ci.yml")
}

fn range_of(range: TextRange) -> std::ops::Range<usize> {
    usize::from(range.start())..usize::from(range.end())
}

/// Whether a comment stands directly above a stage: nothing but comments and line ends are between.
fn belongs(text: &str, comment: TextRange, stage: &Stage) -> bool {
    if comment.end() > stage.range.start() {
        return false;
    }
    let between = text.get(usize::from(comment.end())..usize::from(stage.range.start())).unwrap_or("x");
    let mut lines = between.split('\n').skip(1);
    lines.all(|line| line.trim_start().starts_with('#') || line.trim().is_empty()) && !between.contains("\n\n")
}

/// Deletes the stage and the comments above it, up to the comments of the next one.
fn fix(ctx: &Context, idx: usize, stage: &Stage) -> Option<Fix> {
    let next = ctx.file.stages.get(idx + 1)?;
    let (start, end) = (first_of(ctx, stage), first_of(ctx, next));
    // The stage's comments may be those of the whole file.
    let start = if idx == 0 { stage.range.start() } else { start };
    (start < end).then(|| Fix {
        title: "Delete the stage".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(TextRange::new(start, end), ""),
    })
}

/// Where the comments above a stage begin.
fn first_of(ctx: &Context, stage: &Stage) -> TextSize {
    let comments = ctx.file.comments.iter().filter(|comment| belongs(&ctx.file.text, **comment, stage));
    comments.map(|comment| comment.start()).min().unwrap_or(stage.range.start())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    #[test]
    fn nobody_needs_the_stage() {
        check(
            &RULE,
            "FROM alpine:3.20 AS old\n\
             #                   ^^^ no stage needs `old`\n\
             RUN a\n\
             FROM alpine:3.20\n\
             CMD [\"a\"]\n",
        );
        let analysis = analyse(&parse("FROM a\nRUN b\nCMD [\"a\"]\nFROM a\nCMD [\"a\"]\n"));
        assert_eq!(findings(&analysis, &RULE).len(), 1, "a stage without a name");
    }

    #[test]
    fn what_the_target_needs_is_used() {
        check(&RULE, "FROM a AS b\nFROM b AS c\nFROM a\nCOPY --from=c /x /x\nRUN --mount=from=d a\n");
    }

    #[test]
    fn a_target_of_its_own_is_known_by_its_name_or_comment() {
        for name in
            ["test", "lint", "dev", "debug", "docs", "ci", "export", "artifacts", "bin", "release", "unit-tests"]
        {
            check(&RULE, &format!("FROM a AS {name}\nRUN b\nFROM a\nCMD [\"a\"]\n"));
        }
        check(&RULE, "FROM b AS z\n# Run the test suite.\nFROM a AS x\nRUN b\nFROM z\nCMD [\"a\"]\n");
        check(&RULE, "FROM a AS base\nFROM base AS test\nRUN b\nFROM a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_stage_that_starts_something_is_one() {
        check(&RULE, "FROM a AS worker\nCMD [\"w\"]\nFROM a AS api\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_file_of_several_targets_is_not_built_for_the_last_alone() {
        check(&RULE, "FROM a AS x\nRUN b\nFROM a AS y\nRUN b\nFROM a\nCMD [\"a\"]\n");
        check(&RULE, "FROM a AS x\nRUN b\nFROM a AS y\nCMD [\"y\"]\nFROM a\nCMD [\"a\"]\n");
        check(&RULE, "FROM a AS x\nRUN b\nFROM scratch AS out\nCOPY --from=x /a /a\nFROM a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_variable_may_name_any_stage() {
        check(
            &RULE,
            "FROM a AS base-arm64\nFROM a AS base-amd64\nARG TARGETARCH\nFROM base-${TARGETARCH}\nCMD [\"a\"]\n",
        );
        check(&RULE, "ARG S=x\nFROM a AS x\nFROM a AS y\nFROM $S\nCMD [\"a\"]\n");
        check(&RULE, "FROM a AS x\nFROM a AS y\nFROM a\nCOPY --from=$S /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_file_of_the_workspace_names_it() {
        let text =
            "FROM a AS old\nFROM a\nCMD [\"a\"]\n#- compose.yaml\nservices:\n  x:\n    build:\n      target: old\n";
        check(&RULE, text);
        check(&RULE, "FROM a AS old\nFROM a\nCMD [\"a\"]\n#- docker-bake.hcl\ntarget \"x\" { target = \"old\" }\n");
    }

    #[test]
    fn the_last_stage_is_the_target() {
        check(&RULE, "FROM a AS old\n");
    }

    #[test]
    fn the_settings_name_a_target() {
        check(&RULE, "FROM a AS x\nFROM a AS y\n#- plimsoll.toml\ntarget = \"x\"\n");
    }

    #[test]
    fn the_stage_goes_with_its_comments() {
        check_fix(
            &RULE,
            Safety::Review,
            "# About the file.\nFROM a AS b\nRUN c\n\n# Old.\nFROM a AS old\nRUN d\n\n# The app.\nFROM b\nCMD [\"a\"]\n",
            "# About the file.\nFROM a AS b\nRUN c\n\n# The app.\nFROM b\nCMD [\"a\"]\n",
        );
    }
}
