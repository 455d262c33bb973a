//! What a builder writes into an image's history, and whether an instruction wrote it.
//!
//! BuildKit (`commitToHistory` in `frontend/dockerfile/dockerfile2llb/convert.go` and `convert_copy.go`) writes keyword and
//! arguments with variables put in, for RUN the command with its shell and build arguments: `RUN |1 A=b /bin/sh -c make #
//! buildkit`, a heredoc as its text, `COPY --chown=1 a <<name /b # buildkit`.
//! The classic builder and Buildah write `/bin/sh -c #(nop) COPY file:… in /b`, and a RUN without keyword.
//!
//! Blanks are compared as one, since tools differ in them. Where a variable is, anything may stand: a build argument may
//! have given it another value.

use crate::lower::instruction::KEYWORDS;
use crate::model::{Copy, Form, Instruction, InstructionKind, Pair, Run, Word};

/// What an entry says that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Maker<'a> {
    /// The instruction, in upper case.
    pub(super) keyword: &'a str,
    /// What it was given.
    arguments: &'a str,
    /// Whether it has the form of the classic builder.
    classic: bool,
}

impl<'a> Maker<'a> {
    /// Reads what a builder wrote.
    pub(super) fn of(created_by: &'a str) -> Maker<'a> {
        let text = created_by.trim();
        let text = text.strip_suffix("# buildkit").unwrap_or(text).trim();
        let split = |text: &'a str| {
            let (keyword, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            (KEYWORDS.contains(&keyword) && keyword != "FROM").then_some((keyword, arguments.trim()))
        };
        if let Some((keyword, arguments)) = split(text) {
            return Maker { keyword, arguments, classic: false };
        }
        let marked = text.split_once("#(nop)").filter(|(shell, _)| !shell.contains('\n'));
        match marked.and_then(|(_, rest)| split(rest.trim_start())) {
            Some((keyword, arguments)) => Maker { keyword, arguments, classic: true },
            None => Maker { keyword: "RUN", arguments: text, classic: true },
        }
    }
}

/// How far an instruction and an entry of the history go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// This instruction made it.
    Same,
    /// An instruction of this kind with another text made it.
    Kind,
    /// Another kind of instruction made it.
    None,
}

/// Whether an instruction made what the entry says. `shells` are those that may have run it, as they are written.
pub(super) fn likeness(instruction: &Instruction, maker: &Maker<'_>, shells: &[String]) -> Likeness {
    if instruction.name != maker.keyword {
        return Likeness::None;
    }
    let arguments = maker.arguments;
    let is_same = match &instruction.kind {
        InstructionKind::Run(run) => is_run(instruction, run, arguments, shells),
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => is_copy(instruction, copy, maker),
        InstructionKind::Env(pairs) => has_names(pairs, arguments, "="),
        InstructionKind::Label(pairs) => has_names(pairs, arguments, ""),
        InstructionKind::Arg(pairs) => has_names(pairs, arguments, ""),
        InstructionKind::Workdir(path) => is_folder(path, arguments),
        // They make no files, and are written in as many ways as there are builders.
        InstructionKind::From(_)
        | InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Expose(_)
        | InstructionKind::Volume(_)
        | InstructionKind::User(_)
        | InstructionKind::Stopsignal(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Maintainer(_)
        | InstructionKind::Unknown => true,
    };
    if is_same { Likeness::Same } else { Likeness::Kind }
}

/// The text with every run of blanks as one.
fn blanks_as_one(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !res.is_empty() {
            res.push(' ');
        }
        res.push_str(word);
    }
    res
}

fn is_run(instruction: &Instruction, run: &Run, arguments: &str, shells: &[String]) -> bool {
    let (command, in_shell) = match &run.form {
        Form::Exec(words) => (joined(words), false),
        Form::Empty => return false,
        Form::Shell(text) => {
            // Heredocs behind a command are handed to the shell with it.
            let mut res = text.text.clone();
            for heredoc in &instruction.heredocs {
                res.push('\n');
                res.push_str(heredoc.body.of(&instruction.text));
                res.push_str(&heredoc.name);
            }
            (res, true)
        }
        Form::Heredoc { .. } => {
            let Some(heredoc) = instruction.heredocs.first() else { return false };
            let body = heredoc.body.of(&instruction.text);
            // A script with a shebang is a file of its own, and the history does not show it.
            let is_file = body.starts_with("#!");
            (if is_file { format!("/dev/pipes/{}", heredoc.name) } else { body.to_owned() }, true)
        }
    };
    let (command, written) = (blanks_as_one(&command), blanks_as_one(arguments));
    let Some(before) = written.strip_suffix(command.as_str()) else { return false };
    let before = before.trim_end();
    let is_arguments = |text: &str| text.is_empty() || text.starts_with('|');
    if !in_shell {
        return is_arguments(before);
    }
    before.is_empty() || shells.iter().any(|shell| before.strip_suffix(shell.as_str()).is_some_and(is_arguments))
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn is_copy(instruction: &Instruction, copy: &Copy, maker: &Maker<'_>) -> bool {
    let Some(destination) = &copy.destination else { return false };
    if maker.classic {
        // `file:`, `dir:` or `multi:` with a checksum, and where it went.
        let Some((_, written)) = maker.arguments.rsplit_once(" in ") else { return true };
        let tail = |path: &str| path.trim_end_matches('/').trim_start_matches("./").to_owned();
        return value(destination, instruction.frame.escape).is_none_or(|path| tail(written).ends_with(&tail(&path)));
    }
    let mut written = maker.arguments;
    while let Some(flag) = written.strip_prefix("--") {
        let Some((_, rest)) = flag.split_once(' ') else { break };
        written = rest.trim_start();
    }
    let escape = instruction.frame.escape;
    let mut parts: Vec<Option<String>> = copy.sources.iter().map(|word| value(word, escape)).collect();
    parts.extend(instruction.heredocs.iter().map(|heredoc| Some(format!("<<{}", heredoc.name))));
    parts.push(value(destination, escape));
    is_made_of(&parts, &blanks_as_one(written))
}

/// Whether a text is these parts in a row with blanks between, `None` being anything.
fn is_made_of(parts: &[Option<String>], text: &str) -> bool {
    let mut rest = text;
    let mut is_anything = false;
    for part in parts {
        let Some(part) = part.as_deref().map(blanks_as_one) else {
            is_anything = true;
            continue;
        };
        let found = if is_anything { rest.find(part.as_str()) } else { rest.starts_with(&*part).then_some(0) };
        let Some(behind) = found.and_then(|at| rest.get(at + part.len()..)) else { return false };
        is_anything = false;
        rest = behind.trim_start();
    }
    is_anything || rest.is_empty()
}

/// What a word is when it has no variable.
fn value(word: &Word, escape: char) -> Option<String> {
    if word.text.contains('$') {
        return None;
    }
    Some(word.text.chars().filter(|it| !matches!(it, '\'' | '"') && *it != escape).collect())
}

fn has_names(pairs: &[Pair], arguments: &str, behind: &str) -> bool {
    let is_there = |pair: &Pair| {
        let name: String = pair.name.text.chars().filter(|it| !matches!(it, '\'' | '"')).collect();
        name.contains('$') || arguments.contains(&format!("{name}{behind}"))
    };
    pairs.iter().all(is_there)
}

/// BuildKit writes the whole path, others what was written: the last part is in both.
fn is_folder(path: &Word, arguments: &str) -> bool {
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let Some(value) = value(path, '\\') else { return true };
    value.contains("..") || matches!(&*last(&value), "" | ".") || last(&value) == last(arguments.trim())
}

#[cfg(test)]
mod tests {
    use super::{Likeness, Maker, likeness};
    use crate::lower::{self, Build};

    fn check(instruction: &str, created_by: &str, expected: Likeness) {
        let file = lower::file(format!("FROM a\n{instruction}\n").into(), &Build::default(), None);
        let placed = &file.stages[0].instructions[0];
        let shells = ["/bin/sh -c".to_owned(), "/bin/bash -o pipefail -c".to_owned()];
        let found = likeness(&placed.instruction, &Maker::of(created_by), &shells);
        assert_eq!(found, expected, "{instruction} and {created_by}");
    }

    #[test]
    fn a_run_is_known_by_its_command() {
        for created_by in [
            "RUN /bin/sh -c make install # buildkit",
            "RUN |2 A=b C=d e /bin/sh -c make install # buildkit",
            "RUN /bin/bash -o pipefail -c make   install # buildkit",
            "/bin/sh -c make install",
            "|1 A=b /bin/sh -c make install",
            "RUN make install",
        ] {
            check("RUN make \\\n  # why\n install", created_by, Likeness::Same);
        }
        check("RUN make install", "RUN /bin/sh -c make # buildkit", Likeness::Kind);
        check("RUN install", "RUN /bin/sh -c make install # buildkit", Likeness::Kind);
        check("RUN make install", "COPY make install # buildkit", Likeness::None);
    }

    #[test]
    fn a_run_without_shell_is_known_by_its_words() {
        check("RUN [\"make\", \"a b\"]", "RUN make a b # buildkit", Likeness::Same);
        check("RUN [\"make\", \"a b\"]", "RUN |1 A=b make a b # buildkit", Likeness::Same);
        check("RUN [\"make\", \"a\"]", "RUN remake a # buildkit", Likeness::Kind);
    }

    #[test]
    fn a_heredoc_is_the_script_itself() {
        check("RUN <<EOF\necho a\necho b\nEOF", "RUN /bin/sh -c echo a\necho b\n # buildkit", Likeness::Same);
        check("RUN <<-EOF\n\techo a\nEOF", "RUN /bin/sh -c echo a\n # buildkit", Likeness::Same);
        check("RUN <<EOF\n#!/usr/bin/python3\nEOF", "RUN /bin/sh -c /dev/pipes/EOF # buildkit", Likeness::Same);
        check("RUN cat <<EOF > /a\nx\nEOF", "RUN /bin/sh -c cat <<EOF > /a\nx\nEOF # buildkit", Likeness::Same);
        check("RUN <<EOF\necho a\nEOF", "RUN /bin/sh -c echo b\n # buildkit", Likeness::Kind);
    }

    #[test]
    fn a_copy_is_known_by_its_paths() {
        check("COPY --link --from=b a \"b\" /c/", "COPY a b /c/ # buildkit", Likeness::Same);
        check("COPY --chown=1:1 a /c", "COPY --chown=1:1 a /c # buildkit", Likeness::Same);
        check("COPY <<one <<two /c/\n1\none\n2\ntwo", "COPY <<one <<two /c/ # buildkit", Likeness::Same);
        check("COPY $A b $C/d", "COPY x y b /z/d # buildkit", Likeness::Same);
        check("COPY a /c", "COPY a /d # buildkit", Likeness::Kind);
        check("COPY $A /c", "COPY a /d # buildkit", Likeness::Kind);
        check("COPY a /c", "ADD a /c # buildkit", Likeness::None);
    }

    #[test]
    fn the_classic_builder_names_only_where_a_copy_went() {
        check("COPY a ./c/", "/bin/sh -c #(nop) COPY file:0123 in /w/c/ ", Likeness::Same);
        check("ADD a /d", "/bin/sh -c #(nop) ADD dir:0123 in /c ", Likeness::Kind);
        check("ENV A=b", "/bin/sh -c #(nop)  ENV A=b", Likeness::Same);
        check("CMD a", "/bin/bash -o pipefail -c #(nop)  CMD [\"a\"]", Likeness::Same);
    }

    #[test]
    fn a_folder_is_known_by_its_last_part() {
        check("WORKDIR app/", "WORKDIR /srv/app # buildkit", Likeness::Same);
        check("WORKDIR /", "WORKDIR / # buildkit", Likeness::Same);
        check("WORKDIR /app", "WORKDIR /srv # buildkit", Likeness::Kind);
    }
}
