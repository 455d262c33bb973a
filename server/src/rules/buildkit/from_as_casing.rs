//! `FromAsCasing`: FROM and AS in different letter case.

use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "FromAsCasing",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["from-as-casing"],
    doc: r##"
`FROM` and `AS` of one line are written in different letter case.

Both are keywords of the same instruction. Written alike, they stand out from the image and the stage's name between them.

```dockerfile
FROM debian:12-slim as base
CMD ["bash"]
```

Alike:

```dockerfile
FROM debian:12-slim AS base
CMD ["bash"]
```

Where `From` itself is in neither case, `ConsistentInstructionCasing` speaks.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let instruction = &*stage.from.instruction;
        let InstructionKind::From(from) = &instruction.kind else { continue };
        let (Some(word), Some(_)) = (&from.keyword_as, &from.name) else { continue };
        let keyword = instruction.keyword.of(&instruction.text);
        let wanted = if keyword == keyword.to_lowercase() {
            word.text.to_lowercase()
        } else if keyword == keyword.to_uppercase() {
            word.text.to_uppercase()
        } else {
            continue;
        };
        if wanted == word.text {
            continue;
        }
        let range = stage.from.range(word.range);
        let message = format!("'{}' and '{keyword}' keywords' casing do not match", word.text);
        let mut finding = Finding::new(&RULE, range, message);
        finding.fix = Some(Fix {
            title: format!("Write `{wanted}`"),
            safety: Safety::Safe,
            edit: TextEdit::replace(range, wanted),
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
    fn the_word_as_is_to_blame() {
        check(&RULE, "FROM a as b\n#      ^^ 'as' and 'FROM' keywords' casing do not match\n");
        check(&RULE, "from a AS b\n#      ^^ 'AS' and 'from'\n");
        check(&RULE, "FROM a As b\n#      ^^ 'As'\n");
    }

    #[test]
    fn a_from_of_mixed_case_is_another_checks_matter() {
        check(&RULE, "From a as b\n");
    }

    #[test]
    fn as_follows_from() {
        check(&RULE, "FROM a AS b\nFROM c\n");
        check(&RULE, "from a as b\n");
        check_fix(&RULE, Safety::Safe, "from a AS b\n", "from a as b\n");
    }
}
