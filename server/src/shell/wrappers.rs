//! The programs that only run another program: which words of theirs stand before it.
//!
//! From the manuals of coreutils, util-linux, sudo, gosu and su-exec, and the POSIX chapter on built-in commands.

use crate::shell::Word;

/// A program that runs the program named by its arguments.
struct Wrapper {
    name: &'static str,
    /// Letters of its options that take a value.
    letters: &'static str,
    /// Its long options that take a value as the next word.
    long: &'static [&'static str],
    /// Options with which it runs nothing.
    idle: &'static [&'static str],
    /// How many words stand between its options and the program.
    operands: usize,
    /// Whether `A=1` may stand before the program.
    assignments: bool,
    /// Whether the program runs as another user.
    user: bool,
}

const PLAIN: Wrapper =
    Wrapper { name: "", letters: "", long: &[], idle: &[], operands: 0, assignments: false, user: false };

static WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "env", letters: "uC", long: &["--unset", "--chdir"], assignments: true, ..PLAIN },
    Wrapper {
        name: "sudo",
        letters: "ugpCrtTUDR",
        long: &["--user", "--group", "--prompt", "--chdir", "--close-from", "--host", "--role", "--type", "--chroot"],
        idle: &["-l", "-v", "-K", "-e", "--list", "--validate", "--edit"],
        assignments: true,
        user: true,
        ..PLAIN
    },
    Wrapper { name: "exec", letters: "a", ..PLAIN },
    Wrapper { name: "time", letters: "fo", long: &["--format", "--output"], ..PLAIN },
    Wrapper { name: "nice", letters: "n", long: &["--adjustment"], ..PLAIN },
    Wrapper { name: "nohup", ..PLAIN },
    Wrapper { name: "command", idle: &["-v", "-V", "-pv", "-pV"], ..PLAIN },
    Wrapper { name: "builtin", ..PLAIN },
    Wrapper { name: "ionice", letters: "cnpPu", long: &["--class", "--classdata"], idle: &["-p"], ..PLAIN },
    Wrapper { name: "timeout", letters: "sk", long: &["--signal", "--kill-after"], operands: 1, ..PLAIN },
    Wrapper { name: "stdbuf", letters: "ioe", long: &["--input", "--output", "--error"], ..PLAIN },
    Wrapper { name: "gosu", operands: 1, user: true, ..PLAIN },
    Wrapper { name: "su-exec", operands: 1, user: true, ..PLAIN },
];

/// The words before the program that a command runs in the end.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    /// Where the program stands among the words.
    pub(super) program: usize,
    /// Which words are assignments for it alone.
    pub(super) assignments: Vec<usize>,
    /// The wrapper that changes the user.
    pub(super) wrapper: Option<String>,
    /// Which word is the text of `env -S`: the program stands in it.
    pub(super) split: Option<usize>,
}

/// A program's name without the folder of an absolute path; a relative path stays as it is.
pub(super) fn program_name(word: &Word) -> Option<String> {
    let text = word.literal()?;
    match text.rsplit_once('/') {
        Some((_, name)) if text.starts_with('/') && !name.is_empty() => Some(name.to_owned()),
        _ => Some(text),
    }
}

/// Looks through the wrappers at the front of the words.
pub(super) fn unwrap(words: &[Word]) -> Unwrapped {
    let mut res = Unwrapped::default();
    loop {
        let Some(name) = words.get(res.program).and_then(program_name) else { return res };
        let Some(wrapper) = WRAPPERS.iter().find(|it| it.name == name) else { return res };
        if !step(wrapper, words, &mut res) {
            return res;
        }
    }
}

/// Steps over one wrapper; `false` where it runs no program.
fn step(wrapper: &Wrapper, words: &[Word], res: &mut Unwrapped) -> bool {
    let mut idx = res.program + 1;
    let mut assignments = Vec::new();
    while let Some(text) = words.get(idx).and_then(Word::literal) {
        if text == "--" {
            idx += 1;
            break;
        }
        if wrapper.idle.contains(&text.as_str()) {
            return false;
        }
        if wrapper.name == "env" && matches!(text.as_str(), "-S" | "--split-string") && idx + 1 < words.len() {
            res.split = Some(idx + 1);
            res.assignments.append(&mut assignments);
            return false;
        }
        let Some(width) = option_width(wrapper, &text) else { break };
        idx += width;
    }
    if wrapper.assignments {
        while words.get(idx).is_some_and(|it| it.assigned_name().is_some()) {
            assignments.push(idx);
            idx += 1;
        }
    }
    idx += wrapper.operands;
    if idx >= words.len() {
        return false;
    }
    res.program = idx;
    res.assignments.append(&mut assignments);
    if wrapper.user {
        res.wrapper.get_or_insert_with(|| wrapper.name.to_owned());
    }
    true
}

/// How many words an option takes; `None` for what is no option.
fn option_width(wrapper: &Wrapper, text: &str) -> Option<usize> {
    if text.starts_with("--") {
        return Some(if wrapper.long.contains(&text) { 2 } else { 1 });
    }
    let letters = text.strip_prefix('-')?;
    let value = letters.find(|it| wrapper.letters.contains(it));
    Some(if value.is_some_and(|idx| idx + 1 == letters.len()) { 2 } else { 1 })
}
