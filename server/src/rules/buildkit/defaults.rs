//! What the variables of FROM are worth without `--build-arg`.

use crate::expand::Lexer;
use crate::model::{File, InstructionKind, Origin};

/// What BuildKit sets besides the variables that have a place in the model, all without a value that would matter here.
const FURTHER: &[&str] = &["BUILDOSVERSION", "TARGETOSVERSION", "TARGETSTAGE"];

/// Names with values, later ones hiding earlier ones.
pub(super) struct Defaults(Vec<(String, String)>);

impl Defaults {
    /// Reads the `ARG`s before the first FROM; `None` where one of them is no sound text.
    pub(super) fn of(file: &File) -> Option<Defaults> {
        let predefined = file.globals.variables.iter().filter(|it| it.origin == Origin::Predefined);
        let values = predefined.map(|it| (it.name.clone(), it.value.clone().unwrap_or_default()));
        let mut res = Defaults(values.collect());
        res.0.extend(FURTHER.iter().map(|name| ((*name).to_owned(), String::new())));
        for placed in &file.preamble {
            let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
            for pair in pairs {
                let Some(word) = &pair.value else { continue };
                let value = res.word(&word.text, file.directives.escape)?;
                res.0.push((pair.name.text.clone(), value));
            }
        }
        Some(res)
    }

    /// A word with its variables put in, those without a value left empty.
    pub(super) fn word(&self, text: &str, escape: char) -> Option<String> {
        Lexer::values(escape).word(text, &|name, _| self.get(name)).ok()
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().rev().find(|(it, _)| it == name).map(|(_, value)| value.clone())
    }
}

/// Whether FROM may use a variable: BuildKit sets it, or an `ARG` before the first FROM declares it, with or without a
/// value.
pub(super) fn declared(file: &File) -> impl Iterator<Item = &str> {
    file.globals.variables.iter().map(|it| it.name.as_str()).chain(FURTHER.iter().copied())
}
