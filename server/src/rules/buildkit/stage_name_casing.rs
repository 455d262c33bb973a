//! `StageNameCasing`: a stage's name has capital letters.

use crate::model::{InstructionKind, Placed, Word};
use crate::rules::buildkit::edits::is_exact;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Indel, Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "StageNameCasing",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["stage-name-casing"],
    doc: r##"
The name of a stage is written with capital letters.

BuildKit puts names of stages into lower case before it compares them, so that `Build` and `build` are one stage.
A name in lower case looks like what it is, and cannot be taken for an image or a variable.

```dockerfile
FROM golang:1.25 AS Build
RUN go build -o /app ./cmd/app
FROM scratch
COPY --from=Build /app /app
CMD ["/app"]
```

In lower case, wherever it is named:

```dockerfile
FROM golang:1.25 AS build
RUN go build -o /app ./cmd/app
FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (idx, stage) in ctx.file.stages.iter().enumerate() {
        let Some(name) = stage.name.as_ref().filter(|name| name.text != name.text.to_lowercase()) else { continue };
        let range = stage.from.range(name.range);
        let mut finding = Finding::new(&RULE, range, format!("stage name '{}' should be lowercase", name.text));
        let lower = name.text.to_lowercase();
        let renamed = |place| Indel { delete: place, insert: lower.clone() };
        let later = ctx.file.stages.get(idx + 1..).unwrap_or_default();
        // A FROM finds the stage by its name in lower case alone: it builds only after the renaming.
        let builds = later.iter().all(|stage| references(&stage.from, &name.text).is_empty());
        let places = later.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
        let places = places.flat_map(|placed| references(placed, &name.text).into_iter().map(|it| placed.range(it)));
        let edit = TextEdit::new(std::iter::once(range).chain(places).map(renamed).collect());
        finding.fix = edit.map(|edit| Fix {
            title: format!("Rename the stage to `{lower}`"),
            safety: if builds { Safety::Safe } else { Safety::Review },
            edit,
        });
        acc.push(finding);
    }
}

/// Where an instruction names this stage in letters that are not all small.
fn references(placed: &Placed, name: &str) -> Vec<Local> {
    let instruction = &*placed.instruction;
    let mut words: Vec<&Word> = match &instruction.kind {
        InstructionKind::From(from) => vec![&from.image],
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            instruction.flag("from").and_then(|flag| flag.value.as_ref()).into_iter().collect()
        }
        InstructionKind::Run(run) => run.mounts.iter().filter_map(|mount| mount.value(&["from"])).collect(),
        _ => Vec::new(),
    };
    words.retain(|word| {
        let is_named = word.text.eq_ignore_ascii_case(name) && word.text != word.text.to_lowercase();
        is_named && is_exact(instruction, word.range, &word.text)
    });
    words.into_iter().map(|word| word.range).collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    #[test]
    fn the_name_is_to_blame() {
        check(&RULE, "FROM debian:12 as Base\n#                 ^^^^ stage name 'Base' should be lowercase\n");
    }

    #[test]
    fn small_letters_digits_and_dashes_are_fine() {
        check(&RULE, "FROM debian:12 AS base-1.2_a\nFROM base-1.2_a\n");
    }

    #[test]
    fn the_stage_is_renamed_wherever_it_is_named() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM a AS Base\nFROM b AS x\nCOPY --from=Base /a /BASE\nRUN --mount=type=bind,from=BASE,target=/x Base\n",
            "FROM a AS base\nFROM b AS x\nCOPY --from=base /a /BASE\nRUN --mount=type=bind,from=base,target=/x Base\n",
        );
    }

    #[test]
    fn a_from_does_not_find_the_stage_before() {
        check_fix(&RULE, Safety::Review, "FROM a AS Base\nFROM Base\n", "FROM a AS base\nFROM base\n");
    }

    #[test]
    fn an_image_of_that_name_before_the_stage_is_left_alone() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM a\nCOPY --from=Base /a /b\nFROM b AS Base\n",
            "FROM a\nCOPY --from=Base /a /b\nFROM b AS base\n",
        );
    }
}
