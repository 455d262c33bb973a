//! `cmd-ignored-by-entrypoint`: what CMD says does not reach the program that ENTRYPOINT starts.

use crate::facts::start::wraps;
use crate::model::{Base, Form, InstructionKind, Placed, ShellText};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::shell::{CommandKind, Part};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "cmd-ignored-by-entrypoint",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["DL3025"],
    doc: r##"
What `CMD` says does not reach the program that `ENTRYPOINT` starts as it is written.

Docker puts the words of `CMD` behind those of `ENTRYPOINT`.
Of an `ENTRYPOINT` without brackets it makes `/bin/sh -c "…"`, and what stands behind that is lost to the program; of a `CMD`
without brackets it makes the words `/bin/sh`, `-c`, `…`, which the program gets as its arguments.

```dockerfile
FROM debian:bookworm-slim
COPY run /app/run
ENTRYPOINT /app/run
CMD ["--port", "80"]
```

With both in brackets:

```dockerfile
FROM debian:bookworm-slim
COPY run /app/run
ENTRYPOINT ["/app/run"]
CMD ["--port", "80"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    let Some((entrypoint, command)) = start(ctx, target) else { return };
    let (InstructionKind::Entrypoint(entry), InstructionKind::Cmd(words)) =
        (&entrypoint.instruction.kind, &command.instruction.kind)
    else {
        return;
    };
    // A template may become anything.
    if ["{{", "<%"].iter().any(|it| command.instruction.text.contains(it) || entrypoint.instruction.text.contains(it)) {
        return;
    }
    let (message, cause, told) = match (entry, words) {
        (_, Form::Empty) => return,
        (_, Form::Exec(words)) if words.is_empty() => return,
        (Form::Shell(text), _) if loses(entrypoint, text) => (
            "these words never reach the program: ENTRYPOINT is in shell form, which takes no arguments",
            entrypoint,
            "in shell form",
        ),
        (Form::Exec(entry), Form::Shell(text)) if command.instruction.frame.shell.is_posix() => {
            let mut entry = entry.iter().map(|word| word.text.as_str());
            let Some(program) = entry.next() else { return };
            let arguments: Vec<&str> = entry.collect();
            if !is_given_words(program, &arguments, &text.text) {
                return;
            }
            (
                "this CMD is in shell form, so ENTRYPOINT gets the arguments `/bin/sh`, `-c` and its text",
                command,
                "it takes them as they are",
            )
        }
        _ => return,
    };
    let mut finding = Finding::new(&RULE, command.whole(), message);
    finding.cause = cause.whole();
    finding.related.push(Related { range: entrypoint.whole(), message: told.to_owned() });
    if let (Form::Shell(text), Form::Exec(_)) = (entry, words) {
        finding.fix = exec_form(text).map(|json| Fix {
            title: "Write ENTRYPOINT as a JSON array".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(entrypoint.range(text.range), json),
        });
    }
    acc.push(finding);
}

/// The ENTRYPOINT and the CMD that hold together at the end of a stage. An ENTRYPOINT takes away the CMD of the stages
/// below.
fn start<'a>(ctx: &Context<'a>, target: usize) -> Option<(&'a Placed, &'a Placed)> {
    let mut command = None;
    let mut at = target;
    loop {
        let stage = ctx.file.stages.get(at)?;
        let last = |is: fn(&InstructionKind) -> bool| {
            stage.instructions.iter().rev().find(|placed| is(&placed.instruction.kind))
        };
        command = command.or(last(|kind| matches!(kind, InstructionKind::Cmd(_))));
        if let Some(entrypoint) = last(|kind| matches!(kind, InstructionKind::Entrypoint(_))) {
            return Some((entrypoint, command?));
        }
        let Base::Stage(parent) = stage.base else { return None };
        at = parent;
    }
}

/// Whether shell text has no use for the words behind it: it reads neither `$@` nor `$0`, `$1`.
fn loses(entrypoint: &Placed, text: &ShellText) -> bool {
    let reads = text.text.split('$').skip(1).any(|rest| {
        let name = rest.trim_start_matches('{').trim_start_matches('#');
        name.starts_with(['@', '*']) || name.starts_with(|it: char| it.is_ascii_digit())
    });
    entrypoint.instruction.frame.shell.is_posix() && !reads
}

/// Whether a program surely takes `/bin/sh -c …` for arguments of its own: one that is known to be no wrapper, or any
/// when the text is nothing a shell could run.
fn is_given_words(program: &str, arguments: &[&str], text: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    if wraps(name) || matches!(name, "sh" | "bash" | "ash" | "dash" | "zsh" | "xvfb-run" | "s6-setuidgid") {
        return false;
    }
    if text.starts_with('-') {
        return true;
    }
    let names_file = arguments.iter().any(|it| !it.starts_with('-'));
    match name {
        "java" => arguments.contains(&"-jar"),
        "node" | "perl" | "php" | "python" | "python2" | "python3" | "ruby" => !names_file,
        "apache2ctl" | "curl" | "dotnet" | "ffmpeg" | "git" | "gunicorn" | "haproxy" | "hugo" | "jekyll" | "jq"
        | "mongod" | "mvn" | "mysqld" | "nginx" | "npm" | "pip" | "postgres" | "pytest" | "redis-server"
        | "supervisord" | "uvicorn" | "wget" | "yarn" => true,
        _ => false,
    }
}

/// Shell text as a JSON array: one simple command whose words mean the same without a shell.
fn exec_form(text: &ShellText) -> Option<String> {
    let script = text.script.as_ref().filter(|script| !script.broken && script.comments.is_empty())?;
    let [item] = script.list.items.as_slice() else { return None };
    let [command] = item.and_or.first.commands.as_slice() else { return None };
    let CommandKind::Simple(simple) = &command.kind else { return None };
    let plain = item.and_or.rest.is_empty()
        && item.separator.is_none()
        && item.and_or.first.negated.is_none()
        && command.redirects.is_empty()
        && simple.assignments.is_empty();
    if !plain {
        return None;
    }
    let mut words = Vec::with_capacity(simple.words.len());
    for word in &simple.words {
        let expanded = word.is_pattern()
            || word
                .parts
                .iter()
                .any(|part| matches!(part, Part::Bare(text) if text.contains('{') || text.starts_with('~')));
        if expanded {
            return None;
        }
        words.push(word.literal()?);
    }
    if words.first().is_some_and(|word| word == "exec") {
        words.remove(0);
    }
    const BUILTINS: [&str; 8] = [".", "source", "cd", "eval", "export", "ulimit", "umask", "set"];
    let first = words.first()?;
    if BUILTINS.contains(&first.as_str()) || first.starts_with('-') {
        return None;
    }
    let words: Option<Vec<String>> = words.iter().map(|word| serde_json::to_string(word).ok()).collect();
    Some(format!("[{}]", words?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\n"));
    }

    #[test]
    fn a_shell_form_takes_no_arguments() {
        let text = "FROM a AS b\nENTRYPOINT exec /run --x\nFROM b\n  CMD [\"--port\", \"80\"]\n# ^^^^^^^^^^^^^^^^^^^^ never reach the program\n";
        check(&RULE, text);
        check(&RULE, "FROM a\n  CMD -p 80\n# ^^^^^^^^^ never reach the program\nENTRYPOINT /run\n");
    }

    #[test]
    fn a_program_gets_the_shell_as_its_arguments() {
        check(
            &RULE,
            "FROM a\nENTRYPOINT [\"python3\", \"-u\"]\n  CMD app.py\n# ^^^^^^^^^^ gets the arguments `/bin/sh`\n",
        );
        check(&RULE, "FROM a\nENTRYPOINT [\"/app\"]\n  CMD -p 80\n# ^^^^^^^^^ gets the arguments `/bin/sh`\n");
    }

    #[test]
    fn a_text_that_reads_its_arguments_gets_them() {
        check_silent("ENTRYPOINT /run \"$@\"\nCMD [\"a\"]");
        check_silent("ENTRYPOINT exec /run $0 $*\nCMD [\"a\"]");
        check_silent("ENTRYPOINT /run ${1}\nCMD [\"a\"]");
    }

    #[test]
    fn a_wrapper_runs_its_arguments() {
        for entry in
            ["tini\", \"--", "/usr/bin/dumb-init", "docker-entrypoint.sh", "gosu\", \"app", "env", "sh\", \"-c"]
        {
            check_silent(&format!("ENTRYPOINT [\"{entry}\"]\nCMD app --x"));
        }
        check_silent("ENTRYPOINT [\"/entrypoint.sh\"]\nCMD app");
        check_silent("ENTRYPOINT [\"/unknown\"]\nCMD app");
        check_silent("CMD app");
    }

    #[test]
    fn an_entrypoint_takes_the_command_of_its_parent_away() {
        check(&RULE, "FROM a AS b\nCMD [\"x\"]\nFROM b\nENTRYPOINT /run\n");
    }

    #[test]
    fn empty_ones_say_nothing() {
        check_silent("ENTRYPOINT /run\nCMD []");
        check_silent("ENTRYPOINT []\nCMD a");
        check_silent("ENTRYPOINT /run\nCMD <%- command %>");
    }

    #[test]
    fn a_stage_that_is_not_shipped_starts_nothing() {
        check(&RULE, "FROM a AS b\nENTRYPOINT /run\nCMD [\"x\"]\nFROM c\nCOPY --from=b /x /x\n");
    }

    #[test]
    fn one_command_is_written_as_json() {
        let check_entry = |before: &str, after: &str| {
            let text = |entry: &str| format!("FROM a\nENTRYPOINT {entry}\nCMD [\"x\"]\n");
            check_fix(&RULE, Safety::Review, &text(before), &text(after));
        };
        check_entry("exec python 'a b.py' \\\n  -u", "[\"python\", \"a b.py\", \"-u\"]");
        for entry in ["a && b", "a $B", "A=1 b", "a > b", "a *.py", "cd /x", "a &"] {
            check_no_fix(&RULE, &format!("FROM a\nENTRYPOINT {entry}\nCMD [\"x\"]\n"));
        }
        check_no_fix(&RULE, "FROM a\nENTRYPOINT a\nCMD x\n");
    }
}
