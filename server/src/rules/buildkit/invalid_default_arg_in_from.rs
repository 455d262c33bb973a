//! `InvalidDefaultArgInFrom`: without `--build-arg`, FROM names no image.

use crate::model::{ImageRef, InstructionKind};
use crate::rules::buildkit::defaults::Defaults;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "InvalidDefaultArgInFrom",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["invalid-default-arg-in-from"],
    doc: r##"
With the defaults of its variables alone, FROM names no image.

The file only builds for whoever knows which `--build-arg` it wants. A default makes `docker build .` work, and tells the
others what is expected.

```dockerfile
ARG VERSION
FROM debian:${VERSION}
CMD ["bash"]
```

With a default:

```dockerfile
ARG VERSION=12-slim
FROM debian:${VERSION}
CMD ["bash"]
```

Narrower than BuildKit's: a FROM without a variable is not looked at, nor one that a template has yet to fill in.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let has_variable = |text: &str| text.contains('$') && !text.contains("{{") && !text.contains("<%");
    let mut defaults = None;
    for stage in &ctx.file.stages {
        let InstructionKind::From(from) = &stage.from.instruction.kind else { continue };
        if !has_variable(&from.image.text) {
            continue;
        }
        let Some(defaults) = defaults.get_or_insert_with(|| Defaults::of(ctx.file)) else { return };
        let Some(name) = defaults.word(&from.image.text, ctx.file.directives.escape) else { return };
        if ImageRef::parse(&name).is_none() {
            let text = &from.image.text;
            let message = format!("default value for ARG {text} results in empty or invalid base image name");
            acc.push(Finding::new(&RULE, stage.from.range(from.image.range), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    #[test]
    fn the_image_is_to_blame() {
        check(
            &RULE,
            "ARG A\nFROM b:$A\n#    ^^^^ default value for ARG b:$A results in empty or invalid base image name\n",
        );
        check(&RULE, "ARG A=Upper\nFROM $A\n#    ^^ $A results\n");
        check_no_fix(&RULE, "ARG A\nFROM $A\n");
    }

    #[test]
    fn a_default_that_names_an_image_is_fine() {
        check(&RULE, "ARG A=12\nARG B=$A-slim\nFROM debian:$B\nFROM debian:${C:-12}\nFROM debian${C}\n");
    }

    #[test]
    fn what_the_settings_give_is_no_default() {
        let given = "#- plimsoll.toml\nbuild-args = { A = \"12\" }\n";
        check(&RULE, &format!("ARG A\nFROM b:$A\n#    ^^^^ empty or invalid\n{given}"));
    }

    #[test]
    fn a_constant_and_a_template_are_left_alone() {
        check(&RULE, "FROM Upper\nFROM ${A}{{b}}\n");
    }
}
