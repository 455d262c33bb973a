//! `UndefinedArgInFrom`: FROM uses a variable that no ARG before it declares.

use crate::model::InstructionKind;
use crate::rules::buildkit::defaults::declared;
use crate::rules::buildkit::near::nearest;
use crate::rules::buildkit::references::unset_in;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "UndefinedArgInFrom",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["undefined-arg-in-from"],
    doc: r##"
FROM uses a variable that no `ARG` before the first FROM declares.

It is worth nothing there, whatever `--build-arg` says: `FROM node:$VERSION` becomes `FROM node:`, and the build ends.
Variables that a stage declares do not count either; FROM only sees those above the first stage.

```dockerfile
FROM node:${NODE_VERSION}
CMD ["node", "server.js"]
```

Declared:

```dockerfile
ARG NODE_VERSION=22
FROM node:${NODE_VERSION}
CMD ["node", "server.js"]
```

What BuildKit declares itself is there without an `ARG`: `BUILDPLATFORM`, `TARGETARCH` and their like.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let is_declared = |name: &str| declared(ctx.file).any(|it| it == name);
    for stage in &ctx.file.stages {
        let instruction = &*stage.from.instruction;
        let InstructionKind::From(from) = &instruction.kind else { continue };
        let platform = instruction.flag("platform").and_then(|flag| flag.value.as_ref());
        for word in std::iter::once(&from.image).chain(platform) {
            for reference in unset_in(instruction, word, &is_declared) {
                let near = nearest(&reference.name, declared(ctx.file));
                let mut message = format!("FROM argument '{}' is not declared", reference.name);
                if let Some(near) = near {
                    message.push_str(&format!(" (did you mean {near}?)"));
                }
                let mut finding = Finding::new(&RULE, stage.from.range(reference.range), message);
                finding.fix = near.zip(reference.name_range).map(|(near, place)| Fix {
                    title: format!("Use `{near}`"),
                    safety: Safety::Review,
                    edit: TextEdit::replace(stage.from.range(place), near),
                });
                acc.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_reference_is_to_blame() {
        check(&RULE, "FROM a:$B\n#      ^^ FROM argument 'B' is not declared\n");
        check(&RULE, "FROM --platform=$P a\n#               ^^ 'P'\n");
        check(&RULE, "FROM a:${B:-c}\n#      ^^^ 'B'\n");
    }

    #[test]
    fn a_stages_own_arguments_do_not_reach_a_from() {
        check(&RULE, "FROM a\nARG B=c\nFROM d:$B\n#      ^^ 'B'\n");
    }

    #[test]
    fn a_declared_argument_needs_no_value() {
        check(&RULE, "ARG B\nARG C=d\nFROM a:$B\nFROM $C\n");
    }

    #[test]
    fn buildkit_declares_some_itself() {
        check(&RULE, "FROM --platform=$BUILDPLATFORM a:$TARGETARCH-$TARGETOSVERSION-${TARGETSTAGE}\n");
    }

    #[test]
    fn the_nearest_name_is_offered() {
        check_fix(&RULE, Safety::Review, "ARG VERSION=1\nFROM a:${VERSON}\n", "ARG VERSION=1\nFROM a:${VERSION}\n");
        check_no_fix(&RULE, "ARG OTHER=1\nFROM a:$VERSION\n");
    }
}
