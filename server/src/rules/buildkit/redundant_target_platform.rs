//! `RedundantTargetPlatform`: FROM asks for the platform that it gets anyway.

use std::cell::RefCell;

use crate::expand::Lexer;
use crate::rules::buildkit::edits::without_flag;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "RedundantTargetPlatform",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["redundant-target-platform", "DL3065"],
    doc: r##"
FROM sets its platform to `$TARGETPLATFORM`, which is what it is without the flag.

The flag makes a reader look for a difference where there is none. `$BUILDPLATFORM` is another matter: it keeps a stage on the
machine that builds.

```dockerfile
FROM --platform=$TARGETPLATFORM debian:12-slim
CMD ["bash"]
```

Without the flag:

```dockerfile
FROM debian:12-slim
CMD ["bash"]
```
"##,
    check,
};

const TARGET: &str = "TARGETPLATFORM";

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let Some(flag) = stage.from.instruction.flag("platform") else { continue };
        let Some(word) = flag.value.as_ref().filter(|word| word.text.contains(TARGET)) else { continue };
        // The word holds this one variable, and nothing else comes of it.
        let names: RefCell<Vec<String>> = RefCell::default();
        let look_up = |name: &str, _: bool| {
            names.borrow_mut().push(name.to_owned());
            (name == TARGET).then(|| "platform".to_owned())
        };
        let res = Lexer::values(stage.from.instruction.frame.escape).word(&word.text, &look_up);
        if res.as_deref() != Ok("platform") || names.borrow().iter().any(|name| name != TARGET) {
            continue;
        }
        let message = format!(
            "setting platform to predefined {} in FROM is redundant as this is the default behavior",
            word.text
        );
        let mut finding = Finding::new(&RULE, stage.from.range(flag.range), message);
        finding.fix = Some(Fix {
            title: "Delete the flag".to_owned(),
            safety: Safety::Safe,
            edit: without_flag(&stage.from, flag),
        });
        acc.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    #[test]
    fn the_flag_is_to_blame() {
        check(
            &RULE,
            "FROM --platform=$TARGETPLATFORM a AS b\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^^^^^ setting platform to predefined $TARGETPLATFORM in FROM is redundant\n",
        );
        check(&RULE, "FROM --platform=${TARGETPLATFORM} a\n#    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ redundant\n");
    }

    #[test]
    fn another_platform_is_meant() {
        check(
            &RULE,
            "FROM --platform=$BUILDPLATFORM a\nFROM --platform=linux/$TARGETARCH b\nFROM --platform=${X:-$TARGETPLATFORM} c\n",
        );
        check(&RULE, "FROM --platform=${TARGETPLATFORM}/v8 a\nFROM b\n");
    }

    #[test]
    fn the_flag_goes_with_its_blank() {
        check_fix(&RULE, Safety::Safe, "FROM --platform=$TARGETPLATFORM  a AS b\n", "FROM a AS b\n");
    }
}
