//! `MultipleInstructionsDisallowed`: several CMD, ENTRYPOINT or HEALTHCHECK in one stage.

use crate::model::{InstructionKind, Placed};
use crate::rules::buildkit::edits::without_lines;
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "MultipleInstructionsDisallowed",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["multiple-instructions-disallowed", "DL3012", "DL4003", "DL4004"],
    doc: r##"
A stage has several CMD, ENTRYPOINT or HEALTHCHECK, of which only the last has an effect.

They fill one field of the image each. The earlier one is what is reported: it says something that never happens.

```dockerfile
FROM debian:12-slim
CMD ["bash"]
CMD ["sleep", "infinity"]
```

The one that counts:

```dockerfile
FROM debian:12-slim
CMD ["sleep", "infinity"]
```

Two services in one container need a program that starts both, or two containers.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let mut last: [Option<&Placed>; 3] = [None; 3];
        for placed in &stage.instructions {
            let slot = match placed.instruction.kind {
                InstructionKind::Cmd(_) => 0,
                InstructionKind::Entrypoint(_) => 1,
                InstructionKind::Healthcheck(_) => 2,
                _ => continue,
            };
            let Some(slot) = last.get_mut(slot) else { continue };
            if let Some(earlier) = slot.replace(placed) {
                acc.push(finding(ctx, earlier, placed));
            }
        }
    }
}

fn finding(ctx: &Context, earlier: &Placed, later: &Placed) -> Finding {
    let name = &later.instruction.name;
    let message = format!(
        "multiple {name} instructions should not be used in the same stage because only the last one will be used"
    );
    let mut finding = Finding::new(&RULE, earlier.whole(), message);
    finding.related.push(Related {
        range: later.range(later.instruction.keyword),
        message: format!("this {name} takes its place"),
    });
    finding.fix = earlier.instruction.comments.is_empty().then(|| Fix {
        title: format!("Delete this {name}"),
        safety: Safety::Safe,
        edit: without_lines(&ctx.file.text, earlier),
    });
    finding
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_earlier_ones_are_to_blame() {
        check(
            &RULE,
            "FROM a\n CMD b\n#^^^^^ multiple CMD instructions should not be used in the same stage\n CMD c\n#^^^^^ CMD\nCMD d\n",
        );
        check(&RULE, "FROM a\n ENTRYPOINT b\n#^^^^^^^^^^^^ ENTRYPOINT\nCMD c\nENTRYPOINT d\n");
        check(&RULE, "FROM a\n HEALTHCHECK NONE\n#^^^^^^^^^^^^^^^^ HEALTHCHECK\nHEALTHCHECK CMD b\n");
    }

    #[test]
    fn each_stage_has_its_own() {
        check(&RULE, "FROM a AS b\nCMD c\nENTRYPOINT d\nFROM b\nCMD e\nENTRYPOINT f\n");
    }

    #[test]
    fn the_earlier_one_goes_with_its_lines() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM a\n# why\n  CMD b \\\n    c\n\nRUN d\nCMD e\n",
            "FROM a\n# why\n\nRUN d\nCMD e\n",
        );
        check_no_fix(&RULE, "FROM a\nCMD b \\\n# why\n c\nCMD e\n");
    }
}
