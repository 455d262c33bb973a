//! References to variables in the words that BuildKit expands.

use std::cell::RefCell;

use crate::expand::Lexer;
use crate::model::{Instruction, InstructionKind, Word};
use crate::rules::buildkit::edits::is_exact;
use crate::text::Local;

/// `$name` or `${name…}` in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The name.
    pub(super) name: String,
    /// From the `$` to the end of the name, or to the `}` right behind it; the whole word where that is not known.
    pub(super) range: Local,
    /// The name alone, where its place is known.
    pub(super) name_range: Option<Local>,
    /// Whether it says what stands for an unset name: `${name:-x}`, `${name+x}`.
    pub(super) is_prepared: bool,
}

/// The names in a word that are not set, each once, as BuildKit's lexer meets them.
pub(super) fn unset(text: &str, escape: char, is_set: &dyn Fn(&str) -> bool) -> Vec<String> {
    if !text.contains('$') {
        return Vec::new();
    }
    let names: RefCell<Vec<String>> = RefCell::default();
    let look_up = |name: &str, _: bool| {
        if is_set(name) {
            return Some("set".to_owned());
        }
        let mut names = names.borrow_mut();
        if !names.iter().any(|it| it == name) {
            names.push(name.to_owned());
        }
        None
    };
    // A text that is no sound word fails the build.
    match Lexer::values(escape).word(text, &look_up) {
        Ok(_) => names.into_inner(),
        Err(_) => Vec::new(),
    }
}

/// The same with their places, for a word of an instruction.
pub(super) fn unset_in(instruction: &Instruction, word: &Word, is_set: &dyn Fn(&str) -> bool) -> Vec<Reference> {
    let names = unset(&word.text, instruction.frame.escape, is_set);
    names.into_iter().map(|name| placed(instruction, word, name)).collect()
}

fn placed(instruction: &Instruction, word: &Word, name: String) -> Reference {
    let found = find(&word.text, &name).filter(|_| is_exact(instruction, word.range, &word.text));
    let Some((from, to)) = found else {
        return Reference { name, range: word.range, name_range: None, is_prepared: false };
    };
    let base = word.range.start as usize;
    let behind = word.text.get(to..).unwrap_or_default();
    let braced = word.text.get(..from).is_some_and(|it| it.ends_with('{'));
    let is_prepared = braced && behind.trim_start_matches(':').starts_with(['-', '+']);
    let start = from - if braced { 2 } else { 1 };
    let end = to + usize::from(braced && behind.starts_with('}'));
    Reference {
        name,
        range: Local::new(base + start, base + end),
        name_range: Some(Local::new(base + from, base + to)),
        is_prepared,
    }
}

/// Where the name stands behind a `$` or `${`.
fn find(text: &str, name: &str) -> Option<(usize, usize)> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices('$').find_map(|(at, _)| {
        let behind = text.get(at + 1..)?;
        let from = at + 1 + usize::from(behind.starts_with('{'));
        let rest = text.get(from..)?.strip_prefix(name)?;
        (!rest.starts_with(is_part)).then_some((from, from + name.len()))
    })
}

/// The words of an instruction in which BuildKit puts variables in and reports those that are not set: not those of RUN
/// beside its mounts, CMD, ENTRYPOINT, HEALTHCHECK and EXPOSE.
pub(super) fn expanded(instruction: &Instruction) -> Vec<&Word> {
    match &instruction.kind {
        InstructionKind::Env(pairs) | InstructionKind::Label(pairs) => {
            pairs.iter().flat_map(|pair| std::iter::once(&pair.name).chain(&pair.value)).collect()
        }
        InstructionKind::Arg(pairs) => pairs.iter().filter_map(|pair| pair.value.as_ref()).collect(),
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            let flags = ["chown", "chmod", "checksum"].into_iter().filter_map(|name| instruction.flag(name));
            let values = flags.filter_map(|flag| flag.value.as_ref());
            values.chain(&copy.sources).chain(&copy.destination).collect()
        }
        InstructionKind::User(word) | InstructionKind::Workdir(word) | InstructionKind::Stopsignal(word) => vec![word],
        InstructionKind::Volume(words) => words.iter().collect(),
        InstructionKind::Run(run) => {
            let options = run.mounts.iter().flat_map(|mount| &mount.options);
            options.filter_map(|option| option.value.as_ref()).collect()
        }
        InstructionKind::From(_)
        | InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Expose(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Maintainer(_)
        | InstructionKind::Unknown => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{find, unset};

    #[test]
    fn a_quoted_reference_is_none() {
        let names = |text: &str| unset(text, '\\', &|name| name == "a");
        assert_eq!(names("$a/$b/${c}/${a:-$d}"), ["b", "c", "d"]);
        assert_eq!(names("'$b' \\$b \"$c\""), ["c"]);
        assert_eq!(names("${b:-x}$b"), ["b"]);
        assert_eq!(names("${"), [] as [&str; 0]);
    }

    #[test]
    fn a_name_is_found_as_a_whole() {
        assert_eq!(find("$ab ${a}", "a"), Some((6, 7)));
        assert_eq!(find("$ab", "a"), None);
        assert_eq!(find("\u{e4}$a", "a"), Some((3, 4)));
    }
}
