//! `ConsistentInstructionCasing`: an instruction in another letter case than most of the file.

use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "ConsistentInstructionCasing",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["consistent-instruction-casing"],
    doc: r##"
An instruction is written in another letter case than most instructions of the file.

Docker reads `run` and `RUN` alike. One case throughout lets the eye find the instructions; by habit they are in capitals,
and capitals win where both are as frequent.

```dockerfile
FROM debian:12-slim
run useradd app
USER app
CMD ["bash"]
```

In the case of the others:

```dockerfile
FROM debian:12-slim
RUN useradd app
USER app
CMD ["bash"]
```

`ARG`s before the first `FROM` are neither counted nor reported, as BuildKit has it.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let (mut n_lower, mut n_upper) = (0, 0);
    for placed in instructions(ctx) {
        let keyword = keyword(placed);
        if keyword == keyword.to_ascii_lowercase() {
            n_lower += 1;
        } else if keyword == keyword.to_ascii_uppercase() {
            n_upper += 1;
        }
    }
    let lower = n_lower > n_upper;
    for placed in instructions(ctx) {
        let keyword = keyword(placed);
        let (wanted, case) = if lower {
            (keyword.to_ascii_lowercase(), "lowercase")
        } else {
            (keyword.to_ascii_uppercase(), "uppercase")
        };
        if wanted == keyword {
            continue;
        }
        let range = placed.range(placed.instruction.keyword);
        let message = format!("command '{keyword}' should match the case of the command majority ({case})");
        let mut finding = Finding::new(&RULE, range, message);
        finding.fix = Some(Fix {
            title: format!("Write `{wanted}`"),
            safety: Safety::Safe,
            edit: TextEdit::replace(range, wanted),
        });
        acc.push(finding);
    }
}

/// What Docker knows as an instruction: lines of a template (`<% end -%>`) are in no letter case.
fn instructions<'a>(ctx: &'a Context) -> impl Iterator<Item = &'a Placed> {
    let all = ctx.file.stages.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
    all.filter(|placed| placed.instruction.kind != InstructionKind::Unknown)
}

fn keyword(placed: &Placed) -> &str {
    placed.instruction.keyword.of(&placed.instruction.text)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    #[test]
    fn the_fewer_are_to_blame() {
        check(
            &RULE,
            "FROM a\n  run b\n# ^^^ command 'run' should match the case of the command majority (uppercase)\nCMD c\n",
        );
        let text = "from a\n    run b\n    CMD c\n#   ^^^ (lowercase)\n";
        check(&RULE, text);
    }

    #[test]
    fn mixed_letters_are_in_neither_case() {
        check(&RULE, "FROM a\n  Run b\n# ^^^ (uppercase)\n");
        check(&RULE, "from a\n  Run b\n# ^^^ (lowercase)\n");
    }

    #[test]
    fn capitals_win_a_tie() {
        check(&RULE, "  FROM a\n  run b\n# ^^^ (uppercase)\n");
    }

    #[test]
    fn an_arg_before_from_and_what_onbuild_holds_do_not_count() {
        check(&RULE, "arg a\nFROM b\nONBUILD run c\n");
    }

    #[test]
    fn lines_of_a_template_are_no_instructions() {
        let text = "FROM a\n<% if b -%>\nRUN c\n<% else -%>\nRUN d\n<% end -%>\n<% if e -%>\nCMD f\n<% end -%>\n";
        let analysis = analyse(&parse(text));
        assert!(findings(&analysis, &RULE).is_empty());
    }

    #[test]
    fn the_word_is_changed() {
        check_fix(&RULE, Safety::Safe, "FROM a\ncopy b c\nCMD d\n", "FROM a\nCOPY b c\nCMD d\n");
    }
}
