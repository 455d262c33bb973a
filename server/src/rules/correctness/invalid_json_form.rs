//! `invalid-json-form`: arguments that look like a JSON array and are none, so that they are read as something else.

mod words;

use crate::model::{Copy, Form, Healthcheck, Instruction, InstructionKind, Word};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "invalid-json-form",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
What stands in brackets is no JSON array, so Docker takes it for something else.

Docker does not complain: `CMD ['node', 'app.js']` is handed to the shell as it stands, which looks for a program named
`[node,`; the words of a `COPY` or a `VOLUME` are taken for paths, brackets and all.
JSON wants straight double quotes, a comma between two words and none behind the last, and `\\` for a backslash.

```dockerfile
FROM node:22-slim
CMD ['node', 'app.js']
```

As JSON:

```dockerfile
FROM node:22-slim
CMD ["node", "app.js"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.instructions() {
        let instruction = &*placed.instruction;
        if !instruction.text.contains('[') {
            continue;
        }
        let inner = match &instruction.kind {
            InstructionKind::Onbuild(inner) => inner,
            _ => instruction,
        };
        let Some((range, taken)) = bracketed(inner, &instruction.text) else { continue };
        let text = range.of(&instruction.text);
        let continued = text.contains('\n');
        if !is_meant(text, taken) || ["{{", "<%"].iter().any(|placeholder| text.contains(placeholder)) {
            continue;
        }
        let message = format!("no valid JSON ({}), so {}", words::reason(text), taken.told());
        let mut finding = Finding::new(&RULE, placed.range(range), message);
        finding.cause = placed.whole();
        finding.fix = words::recovered(text).filter(|_| !continued).map(|json| Fix {
            title: "Write the same words as JSON".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(placed.range(range), json),
        });
        acc.push(finding);
    }
}

/// What Docker makes of the brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// A command of the shell.
    Shell,
    /// Paths of a COPY or ADD.
    Paths,
    /// Volumes.
    Volumes,
}

impl Taken {
    fn told(self) -> &'static str {
        match self {
            Taken::Shell => "the shell gets it as it stands",
            Taken::Paths => "its words are paths, brackets and all",
            Taken::Volumes => "its words name volumes, brackets and all",
        }
    }
}

/// The arguments that begin with a bracket and were not read as JSON.
fn bracketed(instruction: &Instruction, text: &str) -> Option<(Local, Taken)> {
    let (range, taken) = match &instruction.kind {
        InstructionKind::Run(run) => (of_form(&run.form)?, Taken::Shell),
        InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) => (of_form(form)?, Taken::Shell),
        InstructionKind::Healthcheck(Healthcheck::Cmd(form)) => (of_form(form)?, Taken::Shell),
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => (of_copy(copy)?, Taken::Paths),
        InstructionKind::Volume(words) => (of_words(words)?, Taken::Volumes),
        _ => return None,
    };
    range.of(text).starts_with('[').then_some((range, taken))
}

fn of_form(form: &Form) -> Option<Local> {
    match form {
        Form::Shell(shell) => Some(shell.range),
        Form::Exec(_) | Form::Heredoc { .. } | Form::Empty => None,
    }
}

fn of_copy(copy: &Copy) -> Option<Local> {
    if copy.json {
        return None;
    }
    Some(copy.sources.first()?.range.cover(copy.destination.as_ref()?.range))
}

/// The words of a VOLUME. Those of an array are without brackets, and quotes stand around each of them.
fn of_words(words: &[Word]) -> Option<Local> {
    let first = words.first().filter(|word| word.text.starts_with('['))?;
    Some(first.range.cover(words.last()?.range))
}

/// Whether a JSON array was meant: a quote or `]` comes first, or it ends in `]` and has commas. `[ "$x" = y ]` and
/// `[ -f x ]` are tests of the shell, `[ab].txt` is a pattern.
fn is_meant(text: &str, taken: Taken) -> bool {
    let Some(rest) = text.strip_prefix('[') else { return false };
    let content = rest.trim_start();
    let apart = content.len() < rest.len();
    if rest.starts_with('[') {
        return false;
    }
    if words::quote(content).is_some() {
        // A word glued to the bracket, or a comma behind the first one, is no test.
        return taken != Taken::Shell
            || !apart
            || words::has_comma_behind_first(content)
            || words::is_one_word(content);
    }
    let is_list = text.trim_end().ends_with(']') && content.contains(',');
    let is_test = apart && taken == Taken::Shell && (content.starts_with(['-', '!']) || content.contains(" = "));
    is_list && !is_test && content.matches(']').count() == 1
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn what_is_no_json_is_taken_for_something_else() {
        check(
            &RULE,
            "FROM a\n\
             VOLUME ['/data']\n\
             #      ^^^^^^^^^ no valid JSON (single quotes), so its words name volumes\n\
             COPY ['a b', '/c/']\n\
             #    ^^^^^^^^^^^^^^ its words are paths\n\
             RUN [“a”, “b”]\n\
             #   ^^^^^^^^^^^^^^^^^^ typographic quotes\n\
             HEALTHCHECK CMD [\"curl\", \"x\",]\n\
             #               ^^^^^^^^^^^^^^ a comma behind the last word\n\
             ENTRYPOINT [\"tini\" \"--\"]\n\
             #          ^^^^^^^^^^^^^ a comma is missing\n\
             CMD [\"C:\\app\\x.exe\"]\n\
             #   ^^^^^^^^^^^^^^^^ a backslash must be doubled\n",
        );
        check(&RULE, "FROM a\nCMD [node, app.js]\n#   ^^^^^^^^^^^^^^ no quotes\n");
        check(&RULE, "FROM a\nCMD [\"node\", \"app.js\"\n#   ^^^^^^^^^^^^^^^^^ the `]` is missing\n");
        check(&RULE, "FROM a\nCMD [\"node\"] --flag\n#   ^^^^^^^^^^^^^^^ words behind the `]`\n");
        check(&RULE, "FROM a\nONBUILD CMD ['node']\n#           ^^^^^^^^ single quotes\n");
    }

    #[test]
    fn a_test_of_the_shell_is_no_array() {
        check(
            &RULE,
            "FROM a\nRUN [ -f x ] || touch x\nRUN [[ \"$a\" == b, ]]\nRUN [ \"$x\" = \"a,b\" ] && c\nRUN [ \"$x\" ] && b\n\
             RUN [ ! -f a,b ]\nRUN [ '1' -eq \"$x\" ]\n",
        );
    }

    #[test]
    fn a_pattern_is_no_array() {
        check(&RULE, "FROM a\nCOPY [ab].txt /\nCOPY [a,b].txt x /y/\nADD [a-c]* [d,e]*/\n");
    }

    #[test]
    fn what_is_json_is_read_as_json() {
        check(&RULE, "FROM a\nCMD [ ]\nCMD []\nRUN [\"a\"]\nCOPY [\"a\", \"/b\"]\nVOLUME [\"/a\", \\\n \"/b\"]\n");
    }

    #[test]
    fn a_variable_or_a_template_in_front_may_be_anything() {
        check(&RULE, "FROM a\nCMD $A[\"x\"]\nCMD [\"{{ command }}\" x]\n");
    }

    #[test]
    fn what_buildkit_rejects_is_its_fault_alone() {
        check(&RULE, "FROM a\nSHELL ['sh', '-c']\nCMD [\"a\", 1]\n");
    }

    #[test]
    fn the_words_are_written_as_json() {
        let check_cmd = |before: &str, after: &str| {
            let text = |words: &str| format!("FROM a\nCMD {words}\n");
            check_fix(&RULE, Safety::Review, &text(before), &text(after));
        };
        check_cmd("['a','b c', ]", "[\"a\", \"b c\"]");
        check_cmd("[“a”, ‘b’,, \"c\"]", "[\"a\", \"b\", \"c\"]");
        check_cmd("[node, app.js]", "[\"node\", \"app.js\"]");
        check_cmd("[\"a\" \"b\"", "[\"a\", \"b\"]");
        check_cmd("[\"C:\\app\\x.exe\"]", "[\"C:\\\\app\\\\x.exe\"]");
        check_cmd("['sh', '-c', 'echo \"a\"']", "[\"sh\", \"-c\", \"echo \\\"a\\\"\"]");
    }

    #[test]
    fn words_that_cannot_be_told_apart_are_left() {
        check_no_fix(&RULE, "FROM a\nCMD [npm run, start]\n");
        check_no_fix(&RULE, "FROM a\nCMD [$PROGRAM, \"start\"]\n");
        check_no_fix(&RULE, "FROM a\nCMD [\"a\", \"b] \n");
        check_no_fix(&RULE, "FROM a\nCMD [\"a\"] && b\n");
        check_no_fix(&RULE, "FROM a\nCMD ['a', \\\n  'b']\n");
    }
}
