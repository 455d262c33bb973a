//! The exec form as words for a shell (X3 of SPEC-merge-run.md §4): quoted so that the shell gives the same to the program.
//!
//! Only where a word can be quoted without doubt and the program is none that the shell has of its own.

use crate::model::{Base, Form, Instruction, InstructionKind, Placed, ShellKind, Stage, Word};
use crate::text::Local;

/// What a shell carries out itself and the exec form would look for as a program.
const BUILTINS: &[&str] = &[
    ".",
    ":",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "continue",
    "declare",
    "dirs",
    "disown",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "times",
    "trap",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];

/// The place of the array in the instruction and its words for a shell. `None` where SHELL was changed before, the image
/// may have no shell, a word holds a backslash, a line break or NUL, or comments stand between the words.
pub(super) fn as_shell(words: &[Word], idx: usize, stage: &Stage) -> Option<(Local, String)> {
    let (before, from) = stage.instructions.split_at_checked(idx)?;
    let instruction = &*from.first()?.instruction;
    let is_shell = |placed: &Placed| matches!(placed.instruction.kind, InstructionKind::Shell(_));
    let usual = instruction.frame.shell == ShellKind::Posix && instruction.frame.escape == '\\';
    if !usual || before.iter().any(is_shell) || !instruction.faults.is_empty() || !has_shell(stage) {
        return None;
    }
    let program = words.first().map(|word| word.text.as_str())?;
    if program.is_empty() || BUILTINS.contains(&program) {
        return None;
    }
    let core = array(instruction)?;
    let quoted: Option<Vec<String>> = words.iter().enumerate().map(|(idx, word)| quote(&word.text, idx == 0)).collect();
    Some((core, quoted?.join(" ")))
}

/// Whether there is a shell: a RUN uses it, or the image is one of those that have it.
fn has_shell(stage: &Stage) -> bool {
    let usual = match &stage.base {
        Base::Image(image) => !["distroless", "static", "scratch"].iter().any(|it| image.text.contains(it)),
        Base::Stage(_) | Base::Scratch | Base::Unknown(_) => false,
    };
    usual || stage.runs().any(|(_, _, run)| matches!(run.form, Form::Shell(_)))
}

/// From the bracket to the other.
fn array(instruction: &Instruction) -> Option<Local> {
    let text = &*instruction.text;
    let flags = instruction.flags.last().map_or(instruction.keyword, |flag| flag.range);
    let start = flags.end as usize + text.get(flags.end as usize..)?.find('[')?;
    let end = text.rfind(']')? + 1;
    let core = Local::new(start, end);
    let is_blank = |text: &str| text.chars().all(|it| it.is_ascii_whitespace() || it == '\\');
    let plain = is_blank(text.get(flags.end as usize..start)?) && is_blank(text.get(end..)?);
    (plain && instruction.comments.is_empty()).then_some(core)
}

/// A word as the shell must be given it: single quotes where something in it could mean more.
fn quote(word: &str, is_program: bool) -> Option<String> {
    if word.contains(['\\', '\n', '\r', '\0']) {
        return None;
    }
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "_@%+:,./-".contains(it) || (it == '=' && !is_program);
    if !word.is_empty() && word.chars().all(is_plain) && !is_reserved(word) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r#"'"'"'"#)))
}

fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "case"
            | "coproc"
            | "do"
            | "done"
            | "elif"
            | "else"
            | "esac"
            | "fi"
            | "for"
            | "function"
            | "if"
            | "in"
            | "select"
            | "then"
            | "time"
            | "until"
            | "while"
    )
}
