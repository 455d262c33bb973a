//! Shell text and script heredocs, parsed where the shell is a POSIX one.

use std::ops::Range;

use crate::lower::words::{Reader, masked};
use crate::model::{Form, Frame, Heredoc, ShellText, Word};
use crate::shell;
use crate::text::Local;

/// A command in shell form.
pub(super) fn shell(reader: &Reader<'_>, arguments: Range<usize>, frame: Frame) -> Form {
    let range = reader.place(arguments.clone());
    let script = frame.shell.is_posix().then(|| {
        let (text, torn) = masked(reader);
        let mut script = shell::parse(&text, range);
        script.broken |= torn;
        script
    });
    Form::Shell(ShellText { range, text: reader.line.text[arguments].to_owned(), script })
}

/// A RUN that is nothing but a heredoc: its body is the script, or a file that its shebang runs.
pub(super) fn heredoc(reader: &Reader<'_>, heredoc: &Heredoc, frame: Frame) -> Form {
    let body = heredoc.body.of(reader.source);
    let shebang = body.strip_prefix("#!").map(|rest| {
        let text = rest.lines().next().unwrap_or_default();
        let start = heredoc.body.start as usize + 2;
        Word { range: Local::new(start, start + text.len()), text: text.trim().to_owned() }
    });
    let posix = match &shebang {
        Some(word) => is_posix_shebang(&word.text),
        None => frame.shell.is_posix(),
    };
    let script = posix.then(|| shell::parse(reader.source, heredoc.body));
    Form::Heredoc { script, shebang }
}

/// `/bin/sh -e`, `/usr/bin/env bash`.
fn is_posix_shebang(line: &str) -> bool {
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('-'));
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let program = match words.next().map(name) {
        Some(program) if program == "env" => words.next().map(name),
        program => program,
    };
    program.is_some_and(|program| matches!(program.as_str(), "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh"))
}
