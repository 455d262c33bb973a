//! `ReservedStageName`: a stage called `scratch` or `context`.

use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "ReservedStageName",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["reserved-stage-name", "DL3063"],
    doc: r##"
A stage is called `scratch` or `context`, which mean something else to BuildKit.

`FROM scratch` is the empty image and `context` the build context. A stage of such a name hides one behind the other, and
which of them is meant depends on the place where the name is used.

```dockerfile
FROM debian:12-slim AS scratch
CMD ["bash"]
```

Another name:

```dockerfile
FROM debian:12-slim AS tools
CMD ["bash"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let Some(name) = &stage.name else { continue };
        let lower = name.text.to_lowercase();
        if matches!(lower.as_str(), "scratch" | "context") {
            let message = format!("stage name should not use the same name as reserved stage \"{lower}\"");
            acc.push(Finding::new(&RULE, stage.from.range(name.range), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    #[test]
    fn the_name_is_to_blame() {
        check(&RULE, "FROM a AS scratch\n#         ^^^^^^^ same name as reserved stage \"scratch\"\n");
        check(&RULE, "FROM a AS Context\n#         ^^^^^^^ \"context\"\n");
        check_no_fix(&RULE, "FROM a AS scratch\n");
    }

    #[test]
    fn building_from_scratch_is_fine() {
        check(&RULE, "FROM scratch AS contexts\nCOPY --from=context a b\n");
    }
}
