//! Where an instruction reads a variable: as BuildKit expands its words, or as the shell of a RUN does.

use std::cell::Cell;

use crate::expand::Lexer;
use crate::model::{Copy, Instruction, InstructionKind, Pair, Run, Word};
use crate::shell::{Part, Script};
use crate::text::Local;

/// The first place where an instruction reads this variable, so that an empty value matters.
pub(super) fn find(instruction: &Instruction, name: &str) -> Option<Local> {
    let of = |words: &[Word]| words.iter().find_map(|word| in_word(instruction, word, name));
    let of_pairs = |pairs: &[Pair]| pairs.iter().find_map(|pair| in_word(instruction, pair.value.as_ref()?, name));
    match &instruction.kind {
        InstructionKind::Run(run) => in_run(instruction, run, name),
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => in_copy(instruction, copy, name),
        InstructionKind::Env(pairs) | InstructionKind::Arg(pairs) | InstructionKind::Label(pairs) => of_pairs(pairs),
        InstructionKind::Expose(words) | InstructionKind::Volume(words) => of(words),
        InstructionKind::User(word) | InstructionKind::Workdir(word) | InstructionKind::Stopsignal(word) => {
            in_word(instruction, word, name)
        }
        InstructionKind::From(_)
        | InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Maintainer(_)
        | InstructionKind::Unknown => None,
    }
}

fn in_copy(instruction: &Instruction, copy: &Copy, name: &str) -> Option<Local> {
    let mut words = copy.sources.iter().chain(&copy.destination);
    words.find_map(|word| in_word(instruction, word, name))
}

/// Where BuildKit puts the variable into a word; not as `${name:-default}`.
pub(super) fn in_word(instruction: &Instruction, word: &Word, name: &str) -> Option<Local> {
    if !word.text.contains('$') {
        return None;
    }
    let read = Cell::new(false);
    let look_up = |asked: &str, has_operator: bool| {
        read.set(read.get() || (asked == name && !has_operator));
        None
    };
    Lexer::values(instruction.frame.escape).word(&word.text, &look_up).ok()?;
    read.get().then(|| place(instruction, word.range, name))
}

/// The reference itself where it is found in the text, else the whole word.
fn place(instruction: &Instruction, range: Local, name: &str) -> Local {
    let text = range.of(&instruction.text);
    let start = range.start as usize;
    for (at, _) in text.match_indices(name) {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + name.len()..).unwrap_or_default();
        if behind.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_') {
            continue;
        }
        if before.ends_with("${") {
            let end = behind.find('}').map_or(text.len(), |close| at + name.len() + close + 1);
            return Local::new(start + at - 2, start + end);
        }
        if before.ends_with('$') {
            return Local::new(start + at - 1, start + at + name.len());
        }
    }
    range
}

/// Where the shell of a RUN puts it in; not where the RUN may set it itself.
fn in_run(instruction: &Instruction, run: &Run, name: &str) -> Option<Local> {
    let script = run.script().filter(|script| !script.broken)?;
    if may_set(script, &instruction.text, name) {
        return None;
    }
    for (command, _) in script.commands() {
        for word in command.words() {
            let reads = |part: &Part| match part {
                Part::Variable { name: read, operator, .. } => read == name && !has_default(operator),
                Part::Bare(_) | Part::Quoted(_) | Part::Substitution(_) | Part::Other => false,
            };
            if word.parts.iter().any(reads) {
                return Some(place(instruction, word.range, name));
            }
        }
    }
    None
}

/// Whether the operator of `${name…}` says what an empty one means.
fn has_default(operator: &str) -> bool {
    operator.trim_start_matches(':').starts_with(['-', '+', '=', '?'])
}

/// Whether a script may set the variable: by assignment, `for`, `read`, `export`, or by a file that it reads.
fn may_set(script: &Script, source: &str, name: &str) -> bool {
    if script.calls.iter().any(|call| matches!(call.program.as_str(), "." | "source" | "eval")) {
        return true;
    }
    let text = script.range.of(source);
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + name.len()..).unwrap_or_default();
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
        if before.ends_with(is_word) || behind.starts_with(is_word) || before.ends_with(['$', '{']) {
            return false;
        }
        let keyword = before.trim_end().rsplit(|it: char| it.is_whitespace() || it == ';').next().unwrap_or_default();
        behind.starts_with('=')
            || behind.starts_with("+=")
            || matches!(keyword, "for" | "read" | "export" | "readonly" | "local" | "declare" | "select" | "getopts")
            || before.contains("read ")
    })
}
