//! `unused-arg`: an ARG that nothing reads.

use crate::facts::lines;
use crate::model::{Base, InstructionKind, Pair, Placed, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "unused-arg",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &[],
    doc: r##"
Nothing reads this `ARG`, and `--build-arg` of it is accepted without effect.

An `ARG` before the first `FROM` is seen by the `FROM`s alone, unless a stage declares it again; one in a stage is seen by
what follows it there.

```dockerfile
ARG OLD=1
FROM alpine:3.20
CMD ["true"]
```

Without it:

```dockerfile
FROM alpine:3.20
CMD ["true"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let text = &*ctx.file.text;
    // What is still to be written may read it.
    if ctx.file.stages.is_empty() {
        return;
    }
    for placed in &ctx.file.preamble {
        let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
        for pair in pairs.iter().filter(|pair| !is_read_outside(&pair.name.text)) {
            let name = &pair.name.text;
            if !refers(text, name) && !is_declared_in_a_stage(ctx, name) {
                acc.push(finding(ctx, placed, pairs, pair, "no FROM reads this ARG and no stage declares it again"));
            }
        }
    }
    for (stage_idx, stage) in ctx.file.stages.iter().enumerate() {
        let is_parent =
            ctx.file.stages.iter().any(|it| it.base == Base::Stage(stage_idx) || may_be_built_on(it, stage));
        for (idx, placed) in stage.instructions.iter().enumerate() {
            let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
            let behind = stage.instructions.get(idx + 1..).unwrap_or_default();
            // Who writes the ARG of a FROM too far down has another fault.
            let froms = ctx.file.stages.iter().skip(stage_idx + 1).map(|it| &it.from.instruction.text);
            let for_from = |name: &str| froms.clone().any(|text| refers(text, name));
            let runs =
                |it: &Placed| matches!(it.instruction.kind, InstructionKind::Run(_) | InstructionKind::Onbuild(_));
            if is_parent || behind.iter().any(runs) {
                continue;
            }
            for pair in pairs.iter().filter(|pair| !is_read_outside(&pair.name.text) && !is_for_the_cache(pair)) {
                let name = &pair.name.text;
                let same = pairs.iter().any(|it| it.value.as_ref().is_some_and(|it| refers(&it.text, name)));
                if !same && !for_from(name) && !behind.iter().any(|it| refers(&it.instruction.text, name)) {
                    acc.push(finding(ctx, placed, pairs, pair, "nothing behind this ARG reads it"));
                }
            }
        }
    }
}

fn finding(ctx: &Context, placed: &Placed, pairs: &[Pair], pair: &Pair, message: &str) -> Finding {
    let mut finding = Finding::new(&RULE, placed.range(pair.name.range), message);
    finding.cause = placed.range(pair.range);
    let edit = if pairs.len() == 1 { lines::without(ctx.file, placed) } else { None };
    finding.fix = edit.map(|edit| Fix { title: "Delete it".to_owned(), safety: Safety::Review, edit });
    finding
}

/// Names that BuildKit or a tool reads without a reference to them.
fn is_read_outside(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    // What is no name is no variable: a template, most likely.
    let is_name = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    !is_name
        || upper.starts_with("BUILDKIT_")
        || upper == "SOURCE_DATE_EPOCH"
        || upper.ends_with("_PROXY")
        || upper.is_empty()
}

/// Whether a stage may be built on another, by a variable in its FROM: `FROM base-$TARGETARCH`.
fn may_be_built_on(child: &Stage, parent: &Stage) -> bool {
    let (InstructionKind::From(from), Some(name)) = (&child.from.instruction.kind, &parent.name) else { return false };
    let known = from.image.text.split_once('$').map(|(known, _)| known.to_ascii_lowercase());
    known.is_some_and(|known| name.text.to_ascii_lowercase().starts_with(&known))
}

/// Whether the name says that it is there for the cache alone.
fn is_for_the_cache(pair: &Pair) -> bool {
    let upper = pair.name.text.to_ascii_uppercase();
    ["CACHE", "BUST", "INVALIDATE"].iter().any(|word| upper.contains(word))
}

fn is_declared_in_a_stage(ctx: &Context, name: &str) -> bool {
    ctx.file.stages.iter().flat_map(|stage| &stage.instructions).any(|placed| {
        let kind = match &placed.instruction.kind {
            InstructionKind::Onbuild(inner) => &inner.kind,
            kind => kind,
        };
        matches!(kind, InstructionKind::Arg(pairs) if pairs.iter().any(|pair| pair.name.text == name))
    })
}

/// Whether `$name` or `${name…` stands in a text, comments and heredocs included.
fn refers(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let braced = before.ends_with("${") || before.ends_with("${!") || before.ends_with("${#");
        let behind = text.get(at + name.len()..).and_then(|rest| rest.chars().next());
        (braced || before.ends_with('$') || before.ends_with("%"))
            && !behind.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn a_global_arg_is_for_the_froms() {
        check(
            &RULE,
            "ARG A=1\nARG B=$A\n\
             ARG C=2\n\
             #   ^ no FROM reads this ARG\n\
             ARG D=3\nFROM a:${B} AS b\nARG D\nRUN x\n",
        );
    }

    #[test]
    fn a_stage_that_uses_it_undeclared_has_another_fault() {
        check(&RULE, "ARG V=1\nFROM a\nRUN echo $V\n");
        check(&RULE, "FROM a\nARG V=1\nFROM b:$V\n");
    }

    #[test]
    fn in_a_stage_it_is_for_what_follows() {
        check(
            &RULE,
            "FROM a\nARG A\nRUN b\n\
             ARG C\n\
             #   ^ nothing behind this ARG reads it\n\
             ARG D\nLABEL d=${D:-x}\nARG E F\nCOPY $F /x\nCMD $E\n",
        );
    }

    #[test]
    fn every_run_has_it_in_its_environment() {
        check(&RULE, "FROM a\nARG NODE_ENV\nRUN b\n");
        check(&RULE, "FROM a AS b\nARG NODE_ENV\nFROM b\nRUN c\n");
        check(&RULE, "FROM a\nARG X\nONBUILD RUN b\n");
        check(&RULE, "FROM a AS b-arm64\nARG X\nFROM a AS b-amd64\nARG X\nFROM b-$TARGETARCH\nRUN c\n");
    }

    #[test]
    fn names_that_are_read_from_outside_stay() {
        check(&RULE, "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nARG SOURCE_DATE_EPOCH\nARG http_proxy\nFROM a\n");
        check(&RULE, "FROM a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nARG HTTP_PROXY\nCOPY . /x\n");
    }

    #[test]
    fn a_file_that_has_no_from_yet_is_not_finished() {
        check(&RULE, "ARG V=1\n");
    }

    #[test]
    fn a_template_is_no_name() {
        check(&RULE, "FROM a\nARG <%=name%>\n");
    }

    #[test]
    fn a_name_that_breaks_the_cache_stays() {
        check(&RULE, "FROM a\nARG CACHEBUST=1\nCOPY . /x\n");
    }

    #[test]
    fn it_goes_with_its_line() {
        check_fix(&RULE, Safety::Review, "ARG A=1\n# b\nFROM a\nARG C\n", "# b\nFROM a\n");
        check_no_fix(&RULE, "ARG A=1 B=2\nFROM a:$A\n");
    }
}
