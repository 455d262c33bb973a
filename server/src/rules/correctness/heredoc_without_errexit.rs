//! `heredoc-without-errexit`: a script in a heredoc goes on behind a command that failed.

use crate::model::{Form, ShellKind};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::shell::state::{ShellOption, set_options};
use crate::shell::{Command, CommandKind, Item, List, Pipeline, Script, Word};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "heredoc-without-errexit",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A failure in the middle of this script goes unnoticed: the shell takes the next line, and the build succeeds.

The lines of a heredoc are no `&&` list. Only the last command decides whether the `RUN` failed, unless the script says
`set -e`.

```dockerfile
FROM debian:bookworm-slim
RUN <<EOF
make test
make install
EOF
CMD ["app"]
```

Stopped at the first failure:

```dockerfile
FROM debian:bookworm-slim
RUN <<EOF
set -e
make test
make install
EOF
CMD ["app"]
```

Failures that were ignored until now will end the build.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            acc.extend(finding(&at));
        }
    }
}

fn finding(at: &RunAt) -> Option<Finding> {
    let Form::Heredoc { script, shebang } = &at.run.form else { return None };
    let script = script.as_ref().filter(|script| !script.broken)?;
    let has_errexit =
        |word: &str| word == "errexit" || word.starts_with('-') && !word.starts_with("--") && word.contains('e');
    let errexit = match shebang {
        Some(line) => line.text.split_whitespace().skip(1).any(has_errexit),
        None => at.placed.instruction.frame.shell != ShellKind::Posix,
    };
    if errexit || traps_errors(script) {
        return None;
    }
    let range = ignored(&script.list)?;
    let message = "when this fails, the script goes on: it has no `set -e`";
    let mut finding = Finding::new(&RULE, at.placed.range(range), message);
    finding.cause = at.placed.whole();
    finding.fix = fix(at, script);
    Some(finding)
}

fn traps_errors(script: &Script) -> bool {
    let names_errors = |word: &Word| word.literal().is_some_and(|it| it == "ERR" || it == "ZERR");
    script.calls.iter().any(|call| call.program == "trap" && call.arguments.iter().any(names_errors))
}

/// The first command, not the last, that can fail and has nobody to notice.
fn ignored(list: &List) -> Option<Local> {
    let (_, before) = list.items.split_last()?;
    for item in before {
        if switches_errexit(item) {
            return None;
        }
        if !is_minded(item) && item.and_or.pipelines().any(can_fail) {
            return Some(item.and_or.range);
        }
    }
    None
}

fn switches_errexit(item: &Item) -> bool {
    let mut commands = item.and_or.pipelines().flat_map(|pipeline| &pipeline.commands);
    commands.any(|command| set_options(command).is_some_and(|(on, _)| on.contains(&ShellOption::Errexit)))
}

/// Whether `|| …` says what happens on failure.
fn is_minded(item: &Item) -> bool {
    item.and_or.rest.iter().any(|(joint, _)| !joint.and)
}

fn can_fail(pipeline: &Pipeline) -> bool {
    pipeline.commands.last().is_some_and(command_can_fail)
}

fn command_can_fail(command: &Command) -> bool {
    let list_can_fail =
        |list: &List| list.items.iter().any(|item| !is_minded(item) && item.and_or.pipelines().any(can_fail));
    match &command.kind {
        CommandKind::Simple(simple) => {
            let substitutes = simple.assignments.iter().any(|it| it.value.substitutions().next().is_some());
            match simple.words.first() {
                None => substitutes,
                Some(word) => word.literal().is_none_or(|name| !is_harmless(&name)),
            }
        }
        CommandKind::Subshell(list) | CommandKind::Group(list) => list_can_fail(list),
        CommandKind::Compound { keyword, lists, .. } => {
            let skipped = usize::from(matches!(keyword.as_str(), "if" | "while" | "until"));
            lists.iter().skip(skipped).any(list_can_fail)
        }
        CommandKind::Function { .. } => false,
        CommandKind::Test => true,
    }
}

/// Commands that hardly ever fail.
fn is_harmless(name: &str) -> bool {
    const NAMES: [&str; 19] = [
        ":", "alias", "echo", "env", "exit", "export", "hash", "local", "printf", "pwd", "readonly", "set", "shopt",
        "sleep", "trap", "true", "ulimit", "umask", "unset",
    ];
    NAMES.contains(&name)
}

/// `set -e` on the first line of the script, behind its shebang.
fn fix(at: &RunAt, script: &Script) -> Option<Fix> {
    let text = &*at.placed.instruction.text;
    let [heredoc] = at.placed.instruction.heredocs.as_slice() else { return None };
    let body = heredoc.body.of(text);
    let first = script.list.items.first()?.and_or.range.start as usize;
    let mut start = heredoc.body.start as usize;
    if body.starts_with("#!") {
        start += body.find('\n')? + 1;
    }
    let line = text.get(..first)?.rsplit('\n').next().unwrap_or_default();
    let indent = line.get(..line.len() - line.trim_start().len())?;
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edit = TextEdit::insert(at.placed.range(Local::new(start, start)).start(), format!("{indent}set -e{line_end}"));
    Some(Fix { title: "Stop at the first failure".to_owned(), safety: Safety::Review, edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\n"));
    }

    #[test]
    fn the_shell_takes_the_next_line() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN <<-EOF\n\techo x\n\tmake; make install\nEOF\n",
            "FROM debian:12\nRUN <<-EOF\n\tset -e\n\techo x\n\tmake; make install\nEOF\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN <<EOF\n#!/bin/bash\ncd /x\nset -e\nmake\nEOF\n",
            "FROM debian:12\nRUN <<EOF\n#!/bin/bash\nset -e\ncd /x\nset -e\nmake\nEOF\n",
        );
    }

    #[test]
    fn errexit_stops_at_the_first_failure() {
        check_silent("RUN <<EOF\nset -eux\na\nb\nEOF");
        check_silent("RUN <<EOF\nexport A=b\nset -o errexit\na\nb\nEOF");
        check_silent("SHELL [\"/bin/bash\", \"-ec\"]\nRUN <<EOF\na\nb\nEOF");
        check_silent("RUN <<EOF\n#!/bin/bash -eu\na\nb\nEOF");
        check_silent("RUN <<EOF\ntrap 'exit 1' ERR\na\nb\nEOF");
    }

    #[test]
    fn another_language_has_its_own_rules() {
        check_silent("RUN <<EOF\n#!/usr/bin/env python3\na\nb\nEOF");
        check_silent("RUN python3 <<EOF\na\nb\nEOF");
        check_silent("RUN cat <<EOF > /x\na\nb\nEOF");
    }

    #[test]
    fn the_last_command_decides() {
        check_silent("RUN <<EOF\nmake\nEOF");
        check_silent("RUN <<EOF\nA=1\necho x\nexport B=2\n: y\nmake\nEOF");
    }

    #[test]
    fn who_minds_a_failure_is_left_alone() {
        check_silent("RUN <<EOF\na &&\nb && c\nEOF");
        check_silent("RUN <<EOF\na || exit 1\nb || exit\nc\nEOF");
        check_silent("RUN <<EOF\nf() { a; b; }\nf\nEOF");
    }
}
