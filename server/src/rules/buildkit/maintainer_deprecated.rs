//! `MaintainerDeprecated`: MAINTAINER instead of a label.

use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Indel, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "MaintainerDeprecated",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["maintainer-deprecated", "DL4000"],
    doc: r##"
The author is named by MAINTAINER, which is deprecated in favour of a label.

MAINTAINER fills a field of the image that few tools show. A label of the name that the OCI image specification gives is found
by `docker inspect`, by registries and by scanners.

```dockerfile
FROM debian:12-slim
MAINTAINER Ada <ada@example.org>
CMD ["bash"]
```

As a label:

```dockerfile
FROM debian:12-slim
LABEL org.opencontainers.image.authors="Ada <ada@example.org>"
CMD ["bash"]
```

The image's configuration changes: the field `Author` becomes empty.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.instructions() {
        let instruction = &*placed.instruction;
        let InstructionKind::Maintainer(author) = &instruction.kind else { continue };
        let range = placed.range(instruction.keyword);
        let mut finding =
            Finding::new(&RULE, range, "the MAINTAINER instruction is deprecated in favor of using label");
        finding.cause = placed.whole();
        let keyword = instruction.keyword.of(&instruction.text);
        let label = if keyword == keyword.to_ascii_lowercase() { "label" } else { "LABEL" };
        let value = quoted(&author.text, instruction.frame.escape);
        let edit = TextEdit::new(vec![
            Indel { delete: range, insert: label.to_owned() },
            Indel { delete: placed.range(author.range), insert: format!("org.opencontainers.image.authors={value}") },
        ]);
        finding.fix = edit.filter(|_| instruction.comments.is_empty()).map(|edit| Fix {
            title: "Name the author in a label".to_owned(),
            safety: Safety::Review,
            edit,
        });
        acc.push(finding);
    }
}

/// A text in double quotes, nothing in it to be expanded. Quotes that stand around the whole of it are not doubled.
fn quoted(text: &str, escape: char) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|inner| !inner.contains('"'));
    let mut res = String::from("\"");
    for char in inner.unwrap_or(text).chars() {
        if matches!(char, '"' | '$') || char == escape {
            res.push(escape);
        }
        res.push(char);
    }
    res.push('"');
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    #[test]
    fn the_instruction_is_to_blame() {
        check(&RULE, "FROM a\n  MAINTAINER b\n# ^^^^^^^^^^ deprecated in favor of using label\n");
    }

    #[test]
    fn a_label_is_what_is_asked_for() {
        check(&RULE, "FROM a\nLABEL maintainer=\"b\"\n");
    }

    #[test]
    fn the_author_moves_into_a_label() {
        let fixed = |before: &str, after: &str| {
            check_fix(&RULE, Safety::Review, &format!("FROM a\n{before}\n"), &format!("FROM a\n{after}\n"));
        };
        fixed("MAINTAINER Ada <a@b.c>", "LABEL org.opencontainers.image.authors=\"Ada <a@b.c>\"");
        fixed("MAINTAINER \"Ada, \"", "LABEL org.opencontainers.image.authors=\"Ada, \"");
        fixed("MAINTAINER Ada \"$x\" b", "LABEL org.opencontainers.image.authors=\"Ada \\\"\\$x\\\" b\"");
        check_fix(
            &RULE,
            Safety::Review,
            "from a\nmaintainer b\n",
            "from a\nlabel org.opencontainers.image.authors=\"b\"\n",
        );
    }
}
