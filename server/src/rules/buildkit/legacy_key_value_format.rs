//! `LegacyKeyValueFormat`: `ENV name value` with a blank in place of `=`.

use crate::model::{InstructionKind, Pair, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Indel, Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "LegacyKeyValueFormat",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["legacy-key-value-format"],
    doc: r##"
ENV or LABEL parts the name from its value by a blank, the form of Docker's first years.

It takes everything up to the end of the line for the value, so that one line sets one name, and `ENV A=1 B=2` beside it
means something else.

```dockerfile
FROM debian:12-slim
ENV APP_NAME the app
CMD ["bash"]
```

With `=` and quotes:

```dockerfile
FROM debian:12-slim
ENV APP_NAME="the app"
CMD ["bash"]
```

The fix is safe where the value is on one line without quotes or backslashes of its own.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.stages.iter().flat_map(|stage| &stage.instructions) {
        let instruction = &*placed.instruction;
        let (InstructionKind::Env(pairs) | InstructionKind::Label(pairs)) = &instruction.kind else { continue };
        for pair in pairs.iter().filter(|pair| pair.legacy) {
            let keyword = instruction.keyword.of(&instruction.text);
            let message =
                format!("\"{keyword} key=value\" should be used instead of legacy \"{keyword} key value\" format");
            let mut finding = Finding::new(&RULE, placed.range(pair.range), message);
            finding.cause = placed.whole();
            finding.fix = fix(placed, pair);
            acc.push(finding);
        }
    }
}

fn fix(placed: &Placed, pair: &Pair) -> Option<Fix> {
    let value = pair.value.as_ref()?;
    let instruction = &*placed.instruction;
    let gap = Local::new(pair.name.range.end as usize, value.range.start as usize);
    let (written, blank) = (value.range.of(&instruction.text), gap.of(&instruction.text));
    let is_special = |char: char| matches!(char, '"' | '\'' | '\\' | '`');
    if pair.name.text.contains(is_special) || blank.contains('#') {
        return None;
    }
    if !value.text.contains(is_special) {
        // Continued lines: the new form joins them as the old one did.
        let one_line = value.text == written && !blank.contains('\n');
        return insert(placed, gap, value.range, "\"", if one_line { Safety::Safe } else { Safety::Review });
    }
    if !is_quoted(written) {
        return None;
    }
    insert(placed, gap, value.range, "", Safety::Review)
}

/// `=` in place of the blank, and quotes around the value.
fn insert(placed: &Placed, gap: Local, value: Local, quote: &str, safety: Safety) -> Option<Fix> {
    let end = Local::new(value.end as usize, value.end as usize);
    let edit = TextEdit::new(vec![
        Indel { delete: placed.range(gap), insert: format!("={quote}") },
        Indel { delete: placed.range(end), insert: quote.to_owned() },
    ])?;
    Some(Fix { title: "Write it with `=`".to_owned(), safety, edit })
}

/// Whether a value is one quoted text and nothing else.
fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.contains(['"', '\'', '\\', '`']))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_pair_is_to_blame() {
        check(
            &RULE,
            "FROM a\nENV b c d\n#   ^^^^^ \"ENV key=value\" should be used instead of legacy \"ENV key value\" format\n",
        );
        check(&RULE, "FROM a\nLABEL b c\n#     ^^^ \"LABEL key=value\"\n");
    }

    #[test]
    fn the_new_form_is_fine_and_arg_never_had_the_old_one() {
        check(&RULE, "FROM a\nENV b=c d=e\nLABEL f=\"g h\"\nARG i j\n");
    }

    #[test]
    fn the_blank_becomes_an_equals_sign() {
        let fixed = |safety: Safety, before: &str, after: &str| {
            check_fix(&RULE, safety, &format!("FROM a\n{before}\n"), &format!("FROM a\n{after}\n"));
        };
        fixed(Safety::Safe, "ENV b c", "ENV b=\"c\"");
        fixed(Safety::Safe, "ENV  b\t c $d e=f ", "ENV  b=\"c $d e=f\" ");
        fixed(Safety::Review, "ENV b \"c d\"", "ENV b=\"c d\"");
        fixed(Safety::Review, "ENV b 'c $d'", "ENV b='c $d'");
        fixed(Safety::Review, "ENV b c \\\n   d", "ENV b=\"c \\\n   d\"");
        fixed(Safety::Review, "ENV b \\\n   d", "ENV b=\"d\"");
    }

    #[test]
    fn quotes_inside_are_left_to_a_person() {
        for pair in ["b -D=\"c d\"", "b c\\ d", "b it's", "b \"c\" \"d\""] {
            check_no_fix(&RULE, &format!("FROM a\nENV {pair}\n"));
        }
    }
}
