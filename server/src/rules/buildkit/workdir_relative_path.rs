//! `WorkdirRelativePath`: the first WORKDIR of a stage begins where the base image happens to stand.

use crate::facts::stage::value;
use crate::images::environment;
use crate::model::{Base, InstructionKind, Placed, Stage, Word};
use crate::rules::buildkit::edits::is_exact;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "WorkdirRelativePath",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["workdir-relative-path", "DL3000"],
    doc: r##"
The first WORKDIR of a stage is relative, so that it lies wherever the base image starts.

`WORKDIR app` is `/app` on one image and `/go/app` on another. When the base changes its directory, the files move with it and
every absolute path further down points past them.

```dockerfile
FROM debian:12-slim
WORKDIR app
CMD ["bash"]
```

From the root on:

```dockerfile
FROM debian:12-slim
WORKDIR /app
CMD ["bash"]
```

Later ones may be relative: they begin at the first. So may the first of a stage that is built on another with a WORKDIR. A
path whose beginning is a variable without a known value is not reported.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    // Whether each stage or one it is built on has a WORKDIR.
    let mut is_set: Vec<bool> = Vec::with_capacity(ctx.file.stages.len());
    for stage in &ctx.file.stages {
        let inherited = match stage.base {
            Base::Stage(parent) => is_set.get(parent).copied().unwrap_or(false),
            Base::Image(_) | Base::Scratch | Base::Unknown(_) => false,
        };
        let first = stage.instructions.iter().find_map(|placed| match &placed.instruction.kind {
            InstructionKind::Workdir(word) => Some((placed, word)),
            _ => None,
        });
        is_set.push(inherited || first.is_some());
        let Some((placed, word)) = first.filter(|_| !inherited) else { continue };
        let Some(path) = value(stage, placed, &word.text, placed.instruction.frame.escape) else { continue };
        if is_absolute(&path) {
            continue;
        }
        let message = format!("relative workdir \"{path}\" can have unexpected results if the base image changes");
        let mut finding = Finding::new(&RULE, placed.range(word.range), message);
        finding.cause = placed.whole();
        finding.fix = fix(ctx, stage, placed, word, &path);
        acc.push(finding);
    }
}

/// Whether a path begins at the root of Linux or at one of Windows.
fn is_absolute(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|char: char| char.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || drive
}

fn fix(ctx: &Context, stage: &Stage, placed: &Placed, word: &Word, path: &str) -> Option<Fix> {
    let plain = word.text == path && is_exact(&placed.instruction, word.range, path) && !path.starts_with('.');
    if !plain || path.is_empty() {
        return None;
    }
    let stage_idx = ctx.file.stages.iter().position(|it| std::ptr::eq(it, stage))?;
    // Where an unknown image starts nobody can say, and any other place would be a guess.
    let directory = match ctx.facts.image(ctx.file, stage_idx) {
        Some(image) => environment::directory(image)?,
        None if stage.base == Base::Scratch => "/",
        None => return None,
    };
    let absolute = format!("{}/{path}", directory.trim_end_matches('/'));
    Some(Fix {
        title: format!("Write `{absolute}`"),
        safety: Safety::Review,
        edit: TextEdit::replace(placed.range(word.range), absolute),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_path_is_to_blame() {
        check(&RULE, "FROM a\nWORKDIR app/src\n#       ^^^^^^^ relative workdir \"app/src\" can have\n");
        check(&RULE, "FROM a\nENV D=app\nWORKDIR $D\n#       ^^ \"app\"\n");
    }

    #[test]
    fn only_the_first_of_a_stage_counts() {
        check(&RULE, "FROM a\nWORKDIR /a\nWORKDIR b\nFROM c\nWORKDIR d\n#       ^ \"d\"\nWORKDIR e\n");
    }

    #[test]
    fn a_parent_stage_has_set_one() {
        check(&RULE, "FROM a AS b\nWORKDIR /a\nFROM b AS c\nFROM c\nWORKDIR d\n");
    }

    #[test]
    fn what_a_variable_holds_may_begin_with_a_slash() {
        check(&RULE, "FROM a\nENV D=/app\nWORKDIR $D/b\nFROM a\nWORKDIR $HOME\nFROM a\nARG D\nWORKDIR $D\n");
    }

    #[test]
    fn windows_has_other_roots() {
        check(&RULE, "FROM a\nWORKDIR C:\\\\app\nFROM a\nWORKDIR C:/app\n");
    }

    #[test]
    fn quotes_are_no_part_of_the_path() {
        check(&RULE, "FROM a\nWORKDIR \"/app\"\n");
    }

    #[test]
    fn the_path_begins_where_the_image_starts() {
        check_fix(&RULE, Safety::Review, "FROM golang:1.25\nWORKDIR app\n", "FROM golang:1.25\nWORKDIR /go/app\n");
        check_fix(&RULE, Safety::Review, "FROM node:22\nWORKDIR app\n", "FROM node:22\nWORKDIR /app\n");
        check_fix(&RULE, Safety::Review, "FROM scratch\nWORKDIR app\n", "FROM scratch\nWORKDIR /app\n");
        check_no_fix(&RULE, "FROM acme/b\nWORKDIR app\n");
        check_no_fix(&RULE, "FROM a\nWORKDIR ./app\n");
    }
}
