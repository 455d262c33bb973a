//! How a command is put behind the last one of a RUN, so that the build succeeds exactly when it did.
//!
//! By SPEC-merge-run §5, §6, §9: in the list style of `set -e` as one more statement, else joined by `&&`; on a line of
//! its own where the RUN has several; never behind a comment, never where the end of the script is not surely reached.

use crate::facts::run::RunFacts;
use crate::model::{Form, Placed, Run, ShellKind};
use crate::shell::{AndOr, CommandKind, Pipeline, Script, SeparatorKind};
use crate::text::{Indel, Local, TextEdit};

/// The edit that appends `command` to a RUN; `None` where it cannot be done soundly. `file` is the whole text, for its
/// style.
pub fn append(file: &str, placed: &Placed, run: &Run, facts: &RunFacts, command: &str) -> Option<TextEdit> {
    let source = &*placed.instruction.text;
    let (script, is_heredoc) = match &run.form {
        Form::Shell(text) if placed.instruction.heredocs.is_empty() => (text.script.as_ref()?, false),
        Form::Heredoc { script, .. } if placed.instruction.heredocs.len() == 1 => (script.as_ref()?, true),
        Form::Shell(_) | Form::Heredoc { .. } | Form::Exec(_) | Form::Empty => return None,
    };
    let last = script.list.items.last()?;
    let background = last.separator.is_some_and(|it| it.kind == SeparatorKind::Background);
    let documents = script.calls.iter().any(|call| call.redirects.iter().any(|it| it.operator.starts_with("<<")));
    if script.broken || background || documents || leaves(script, facts) {
        return None;
    }
    let list = &last.and_or;
    let joint = joint(script, placed.instruction.frame.shell, list)?;
    let mut indels = Vec::new();
    let mut end = list.range;
    // A `;` at the very end gives way to the joint.
    if let Some(separator) = last.separator.filter(|it| it.kind == SeparatorKind::Semicolon) {
        end = end.cover(separator.range);
    }
    let several_lines = !is_heredoc && source.contains('\n');
    let style = several_lines.then(|| Style::of(file, source, placed.instruction.frame.escape));
    let close = if joint == Joint::Wrapped { "; }" } else { "" };
    let operator = if joint == Joint::Statement { ";" } else { "&&" };
    let insert = match &style {
        None if joint == Joint::Statement => format!("; {command}"),
        None => format!("{close} && {command}"),
        Some(style) => style.on_a_line(close, operator, command),
    };
    if joint == Joint::Wrapped {
        indels.push(Indel {
            delete: placed.range(Local { start: list.range.start, end: list.range.start }),
            insert: "{ ".to_owned(),
        });
    }
    indels.push(Indel { delete: placed.range(Local { start: list.range.end, end: end.end }), insert });
    TextEdit::new(indels)
}

/// How the command is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    /// ` && command`
    And,
    /// `{ …; } && command`, so that nobody reads `a || b && command` wrongly.
    Wrapped,
    /// `; command`, in a list under `set -e`.
    Statement,
}

/// Whether the script may end before its last command: `exit`, `exec`, `return`.
fn leaves(script: &Script, facts: &RunFacts) -> bool {
    let words = script.list.commands().filter_map(|command| match &command.kind {
        CommandKind::Simple(simple) => simple.words.first()?.literal(),
        _ => None,
    });
    let ends = |name: &str| matches!(name, "exit" | "exec" | "return");
    { words }.any(|name| ends(&name)) || facts.commands.iter().any(|it| ends(&it.program))
}

fn joint(script: &Script, shell: ShellKind, list: &AndOr) -> Option<Joint> {
    let defines = |pipeline: &Pipeline| {
        pipeline.commands.iter().any(|command| matches!(command.kind, CommandKind::Function { .. }))
    };
    if list.pipelines().any(defines) {
        return None;
    }
    let has_or = list.rest.iter().any(|(joint, _)| !joint.and);
    let and = if has_or { Joint::Wrapped } else { Joint::And };
    let (switched_on, switched_off) = errexit(script);
    if shell != ShellKind::PosixErrexit && !switched_on {
        return Some(and);
    }
    // Under `set -e`, what stands to the left of `&&` loses it inside: only plain commands may be put there.
    let functions = script.list.commands().any(|it| matches!(it.kind, CommandKind::Function { .. }));
    let plain = |pipeline: &Pipeline| {
        pipeline.negated.is_none()
            && pipeline.commands.iter().all(|command| match &command.kind {
                CommandKind::Simple(simple) => simple
                    .words
                    .first()
                    .and_then(crate::shell::Word::literal)
                    .is_some_and(|name| !matches!(name.as_str(), "eval" | "." | "source")),
                _ => false,
            })
    };
    if functions || !list.pipelines().all(plain) {
        return None;
    }
    let is_list = script.list.items.len() > 1;
    let statement = is_list && list.rest.is_empty() && !switched_off;
    Some(if statement { Joint::Statement } else { and })
}

/// Whether `set -e` and whether `set +e` stands anywhere in the script.
fn errexit(script: &Script) -> (bool, bool) {
    let mut res = (false, false);
    for call in script.calls.iter().filter(|call| call.program == "set") {
        let words: Vec<String> = call.arguments.iter().filter_map(crate::shell::Word::literal).collect();
        let long = words.windows(2).find(|pair| pair[1] == "errexit").map(|pair| pair[0].as_str());
        let short =
            |sign: char| words.iter().any(|it| it.starts_with(sign) && !it.starts_with("--") && it.contains('e'));
        res.0 |= long == Some("-o") || short('-') && long != Some("+o");
        res.1 |= long == Some("+o") || short('+') && long != Some("-o");
    }
    res
}

/// How a file breaks its commands into lines.
struct Style {
    /// Whether `&&` stands at the end of a line, before the continuation.
    trailing: bool,
    indent: String,
    line_end: &'static str,
    escape: char,
}

impl Style {
    /// The style of this RUN, else the one most used in the file, else `&&` first with four blanks (SPEC-merge-run §6).
    fn of(file: &str, source: &str, escape: char) -> Style {
        let (mut leading, mut trailing, mut indent) = counted(source, escape);
        if leading + trailing == 0 {
            (leading, trailing, _) = counted(file, escape);
            indent = source.lines().skip(1).filter(|it| !it.trim().is_empty()).map(blanks).last();
        }
        Style {
            trailing: trailing > leading,
            indent: indent.map_or_else(|| "    ".to_owned(), str::to_owned),
            line_end: if source.contains("\r\n") { "\r\n" } else { "\n" },
            escape,
        }
    }

    fn on_a_line(&self, close: &str, operator: &str, command: &str) -> String {
        let Style { indent, line_end, escape, .. } = self;
        match operator {
            "&&" if !self.trailing => format!("{close} {escape}{line_end}{indent}&& {command}"),
            "&&" => format!("{close} && {escape}{line_end}{indent}{command}"),
            _ => format!("{close}{operator} {escape}{line_end}{indent}{command}"),
        }
    }
}

/// How many lines begin and how many end with `&&`, and the indentation of the last command that does or follows.
fn counted(text: &str, escape: char) -> (usize, usize, Option<&str>) {
    let mut res = (0, 0, None);
    let mut after = false;
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let leads = content.starts_with("&&");
        let kept = content.trim_end_matches(escape).trim_end();
        if leads {
            res.0 += 1;
        }
        if leads || after {
            res.2 = Some(blanks(line));
        }
        after = kept.len() < content.len() && (kept.ends_with("&&") || kept.ends_with(';'));
        if after && kept.ends_with("&&") {
            res.1 += 1;
        }
    }
    res
}

fn blanks(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::append;
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;

    /// Appends `clean` to the last RUN of a text.
    fn appended(text: &str) -> Option<String> {
        let file = lower::file(text.into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let stage = file.stages.last().expect("a stage");
        let (idx, placed, run) = stage.runs().last().expect("a RUN");
        let facts = facts.stages.last().and_then(|facts| facts.run(idx)).expect("its facts");
        append(text, placed, run, facts, "clean").map(|edit| edit.apply(text))
    }

    fn check(run: &str, expected: &str) {
        let text = |run: &str| format!("FROM a\n{run}\nCMD x\n");
        assert_eq!(appended(&text(run)), Some(text(expected)), "{run}");
    }

    fn check_refused(run: &str) {
        assert_eq!(appended(&format!("FROM a\n{run}\nCMD x\n")), None, "{run}");
    }

    #[test]
    fn it_stands_behind_the_last_command() {
        check("RUN a", "RUN a && clean");
        check("RUN a && b", "RUN a && b && clean");
        check("RUN a; b", "RUN a; b && clean");
        check("RUN a;", "RUN a && clean");
        check("RUN if a; then b; fi", "RUN if a; then b; fi && clean");
    }

    #[test]
    fn a_list_with_or_is_held_together() {
        check("RUN a && b || true", "RUN { a && b || true; } && clean");
    }

    #[test]
    fn a_list_under_errexit_gets_one_more_statement() {
        check("RUN set -ex; a; b", "RUN set -ex; a; b; clean");
        check("RUN set -e; a && b", "RUN set -e; a && b && clean");
        check("RUN set -eux; \\\n\ta; \\\n\tb", "RUN set -eux; \\\n\ta; \\\n\tb; \\\n\tclean");
        check("RUN set -e; a; b || c", "RUN set -e; a; { b || c; } && clean");
    }

    #[test]
    fn under_errexit_only_plain_commands_stand_before_and() {
        check_refused("RUN set -e; for x in a b; do c $x; d; done");
        check_refused("RUN set -e; f() { a; b; }; f");
        check_refused("SHELL [\"/bin/bash\", \"-ec\"]\nRUN { a; b; }");
    }

    #[test]
    fn it_gets_a_line_of_its_own_where_the_run_has_several() {
        check("RUN a \\\n && b", "RUN a \\\n && b \\\n && clean");
        check("RUN a && \\\n    b", "RUN a && \\\n    b && \\\n    clean");
        check("RUN a -y \\\n      b \\\n      c", "RUN a -y \\\n      b \\\n      c \\\n      && clean");
        check("RUN a \\\r\n    && b", "RUN a \\\r\n    && b \\\r\n    && clean");
    }

    #[test]
    fn a_comment_of_the_shell_stays_behind_it() {
        check("RUN a # why", "RUN a && clean # why");
    }

    #[test]
    fn a_script_in_a_heredoc_keeps_its_last_line() {
        check("RUN <<EOF\na\nb\nEOF", "RUN <<EOF\na\nb && clean\nEOF");
        check("RUN <<EOF\na # why\nEOF", "RUN <<EOF\na && clean # why\nEOF");
    }

    #[test]
    fn what_may_end_early_is_left_alone() {
        check_refused("RUN a && exit 0");
        check_refused("RUN a && exec b");
        check_refused("RUN a &");
        check_refused("RUN [\"a\"]");
        check_refused("RUN cat <<EOF > x\na\nEOF");
        check_refused("RUN a && (");
    }
}
