//! `JSONArgsRecommended`: CMD or ENTRYPOINT as text for a shell that nobody chose.

use crate::model::{Base, Form, InstructionKind, Placed, ShellKind, ShellText};
use crate::rules::buildkit::edits::json;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::shell::{CommandKind, Part, Script, Word};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "JSONArgsRecommended",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &["json-args-recommended", "DL3025"],
    doc: r##"
CMD or ENTRYPOINT is text for a shell, which then gets the container's signals in place of the program.

Docker starts such text with `/bin/sh -c`. The shell is the first process: it does not pass `docker stop`'s SIGTERM on, so that
the program is killed after ten seconds instead of ending in order. In an image without a shell the container does not
start at all.

```dockerfile
FROM debian:12-slim
CMD sleep infinity
```

As a list, the program is started directly:

```dockerfile
FROM debian:12-slim
CMD ["sleep", "infinity"]
```

A list knows no variables, `&&` or `>`: what needs a shell says so with `["sh", "-c", "…"]`, and `exec` before its last command.
With a `SHELL` instruction the shell was chosen, and nothing is said; nor of the command in HEALTHCHECK.
"##,
    check,
};

/// What only a shell can do, and what a list therefore cannot start.
const OF_THE_SHELL: &[&str] = &[
    ".", ":", "alias", "bg", "cd", "command", "eval", "exec", "exit", "export", "fg", "hash", "jobs", "read", "return",
    "set", "shift", "source", "trap", "type", "ulimit", "umask", "unset", "wait",
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    // Whether each stage has a SHELL in force behind its last instruction.
    let mut shells: Vec<bool> = Vec::with_capacity(ctx.file.stages.len());
    for stage in &ctx.file.stages {
        let mut has_shell = match stage.base {
            Base::Stage(parent) => shells.get(parent).copied().unwrap_or(false),
            // Windows images bring a shell of their own, and who uses them knows about it.
            Base::Image(_) | Base::Unknown(_) => stage.instructions.first().is_some_and(is_windows),
            Base::Scratch => false,
        };
        for placed in &stage.instructions {
            match &placed.instruction.kind {
                InstructionKind::Shell(words) => has_shell |= !words.is_empty(),
                InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) if !has_shell => {
                    acc.extend(finding(placed, form));
                }
                _ => {}
            }
        }
        shells.push(has_shell);
    }
}

fn is_windows(placed: &Placed) -> bool {
    placed.instruction.frame.shell == ShellKind::Cmd
}

fn finding(placed: &Placed, form: &Form) -> Option<Finding> {
    let instruction = &*placed.instruction;
    let range = match form {
        Form::Shell(text) => text.range,
        Form::Empty => instruction.keyword,
        Form::Exec(_) | Form::Heredoc { .. } => return None,
    };
    let keyword = instruction.keyword.of(&instruction.text);
    let message =
        format!("JSON arguments recommended for {keyword} to prevent unintended behavior related to OS signals");
    let mut finding = Finding::new(&RULE, placed.range(range), message);
    finding.cause = placed.whole();
    if let Form::Shell(text) = form
        && instruction.comments.is_empty()
        && let Some(list) = list(text)
    {
        finding.fix = Some(Fix {
            title: "Start the program without a shell".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(placed.range(text.range), list),
        });
    }
    Some(finding)
}

/// The text as a list, where it is one simple command that needs no shell.
fn list(text: &ShellText) -> Option<String> {
    let mut words = simple(text.script.as_ref()?)?;
    if words.first().is_some_and(|first| first == "exec") {
        words.remove(0);
    }
    let program = words.first()?;
    if program.is_empty() || program.starts_with('-') || OF_THE_SHELL.contains(&program.as_str()) {
        return None;
    }
    let words: Vec<String> = words.iter().map(|word| json(word)).collect();
    Some(format!("[{}]", words.join(", ")))
}

/// The words of a script of one simple command, nothing in them left to expand.
fn simple(script: &Script) -> Option<Vec<String>> {
    let [item] = &script.list.items[..] else { return None };
    let [command] = &item.and_or.first.commands[..] else { return None };
    let plain = !script.broken
        && script.comments.is_empty()
        && item.separator.is_none()
        && item.and_or.rest.is_empty()
        && item.and_or.first.negated.is_none()
        && command.redirects.is_empty();
    let CommandKind::Simple(simple) = &command.kind else { return None };
    if !plain || !simple.assignments.is_empty() || simple.words.iter().any(is_expanded) {
        return None;
    }
    simple.words.iter().map(Word::literal).collect()
}

/// Whether the shell would make something else of a word without a variable: a pattern, `~`, braces.
fn is_expanded(word: &Word) -> bool {
    word.parts.iter().any(|part| matches!(part, Part::Bare(text) if text.contains(['*', '?', '[', '{', '~'])))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_text_is_to_blame() {
        check(&RULE, "FROM a\nCMD node a.js\n#   ^^^^^^^^^ JSON arguments recommended for CMD\n");
        check(&RULE, "FROM a\nENTRYPOINT exec a $B\n#          ^^^^^^^^^ for ENTRYPOINT\n");
        check(&RULE, "FROM a\n    CMD\n#   ^^^ for CMD\n");
    }

    #[test]
    fn every_stage_is_looked_at() {
        check(&RULE, "FROM a\nCMD b\n#   ^ JSON\nFROM c\nCMD [\"d\"]\n");
    }

    #[test]
    fn a_shell_that_was_chosen_is_meant() {
        check(&RULE, "FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nCMD b\n");
        check(&RULE, "FROM a AS b\nSHELL [\"/bin/bash\", \"-c\"]\nFROM b\nCMD c\n");
        check(&RULE, "FROM a\nCMD b\n#   ^ JSON\nSHELL [\"/bin/bash\", \"-c\"]\n");
    }

    #[test]
    fn windows_has_other_shells() {
        check(&RULE, "FROM mcr.microsoft.com/windows/servercore:ltsc2022\nCMD a\n");
    }

    #[test]
    fn a_health_check_gets_no_signals() {
        check(&RULE, "FROM a\nHEALTHCHECK CMD curl localhost\n");
    }

    #[test]
    fn a_simple_command_becomes_a_list() {
        let fixed = |before: &str, after: &str| {
            check_fix(&RULE, Safety::Review, &format!("FROM a\n{before}\n"), &format!("FROM a\n{after}\n"));
        };
        fixed("CMD node a.js", "CMD [\"node\", \"a.js\"]");
        fixed("CMD exec node 'a b.js' \"c\"", "CMD [\"node\", \"a b.js\", \"c\"]");
        fixed("ENTRYPOINT  ./a \\\n  --b", "ENTRYPOINT  [\"./a\", \"--b\"]");
    }

    #[test]
    fn what_needs_a_shell_stays() {
        for command in [
            "a && b", "a | b", "a $B", "a > b", "B=c a", "a *.js", "cd b", "a; b", "a &", "$B", "a `b`", "a ~/b",
            "! a", "a {b,c}",
        ] {
            check_no_fix(&RULE, &format!("FROM a\nCMD {command}\n"));
        }
        check_no_fix(&RULE, "FROM a\nCMD a \\\n# why\n b\n");
        check_no_fix(&RULE, "FROM a\nCMD [\"a\", 'b']\n");
    }
}
