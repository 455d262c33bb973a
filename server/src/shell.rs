//! The shell text of `RUN`, `CMD`, `ENTRYPOINT`, `HEALTHCHECK` and heredocs as typed commands.
//!
//! Parsed with tree-sitter-bash over a same-length copy of the instruction's text, in which [`crate::lower`] has
//! overwritten what the shell never sees (line continuations, comment lines) by blanks: so every range here counts
//! from the first byte of the instruction and needs no map.
//!
//! **Invariant:** no tree node leaves this module; `parse` never fails, a text that is no shell has `broken` set.

mod builder;
mod calls;
mod compound;
mod kind;
#[cfg(test)]
mod laws;
mod parse;
mod pieces;
mod scan;
mod simple;
pub mod state;
#[cfg(test)]
mod tests;
mod tree;
pub mod words;
mod wrappers;

use crate::text::Local;

pub use parse::{parse, parses};

/// Shell text: its top-level list, and the same commands once more as a flat list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Script {
    /// The whole text.
    pub range: Local,
    /// The commands at nesting depth 0 with their separators.
    pub list: List,
    /// Every simple command in the order of the text, looked through to the program that runs (RULES.md §1,
    /// *Command*), those inside `sh -c '…'` with literal text included.
    pub calls: Vec<Call>,
    /// Comments of the shell itself (`# …` behind a command on its last line, or on lines of a heredoc body).
    pub comments: Vec<Local>,
    /// The text does not parse as shell, or holds a template placeholder: rules are silent, actions decline.
    pub broken: bool,
}

/// Commands with what separates them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct List {
    /// In order.
    pub items: Vec<Item>,
}

/// One and-or list and the separator behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `a && b || c`.
    pub and_or: AndOr,
    /// What stands behind it; `None` at the end of the text.
    pub separator: Option<Separator>,
}

/// `;`, a newline or `&` behind an and-or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator {
    /// Which.
    pub kind: SeparatorKind,
    /// Where.
    pub range: Local,
}

/// The kinds of separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeparatorKind {
    /// `;`
    Semicolon,
    /// A newline (of a heredoc body: a `RUN` line has none).
    Newline,
    /// `&`
    Background,
}

/// Pipelines joined by `&&` and `||`, which bind alike and to the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndOr {
    /// The whole list.
    pub range: Local,
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with the operator before it.
    pub rest: Vec<(Joint, Pipeline)>,
}

impl AndOr {
    /// All pipelines in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, pipeline)| pipeline))
    }
}

/// `&&` or `||` and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joint {
    /// Whether it is `&&`.
    pub and: bool,
    /// Where.
    pub range: Local,
}

/// `! a | b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// From the `!` or first command to the end of the last.
    pub range: Local,
    /// Where the `!` stands.
    pub negated: Option<Local>,
    /// One command, or several with `|` between them.
    pub commands: Vec<Command>,
}

/// A command with its redirections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The whole command, redirections included.
    pub range: Local,
    /// What it is.
    pub kind: CommandKind,
    /// `> file`, `<<EOF`, `2>&1`.
    pub redirects: Vec<Redirect>,
}

/// What a command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// A program with arguments, or assignments alone.
    Simple(Simple),
    /// `( … )`
    Subshell(List),
    /// `{ …; }`
    Group(List),
    /// `if`, `for`, `while`, `until`, `case`, `select`: its lists in the order of the text.
    Compound {
        /// The reserved word it begins with.
        keyword: String,
        /// Words outside the lists: what `for` runs over, what `case` looks at.
        words: Vec<Word>,
        /// Conditions and bodies.
        lists: Vec<List>,
    },
    /// `name() { … }`
    Function {
        /// Its name.
        name: String,
        /// Its body.
        body: List,
    },
    /// `[[ … ]]` or `(( … ))`: a test without lists. (`[ … ]` is a simple command named `[`.)
    Test,
}

/// A simple command as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// `A=1` in front (before a program they hold for it alone; without one they are the shell's own).
    pub assignments: Vec<Assignment>,
    /// Program and arguments, as written; empty when there are assignments only.
    pub words: Vec<Word>,
}

/// `NAME=value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The whole assignment.
    pub range: Local,
    /// Left of the `=` (or `+=`).
    pub name: String,
    /// Right of it.
    pub value: Word,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The whole redirection.
    pub range: Local,
    /// `>`, `>>`, `<`, `<<`, `<<-`, `<<<`, `>&`, `&>` …
    pub operator: String,
    /// The file descriptor in front, if written.
    pub descriptor: Option<String>,
    /// The file, or the delimiter of a heredoc.
    pub target: Word,
}

/// A word with what is quoted and what is expanded in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Word {
    /// Where it stands.
    pub range: Local,
    /// Its pieces in order.
    pub parts: Vec<Part>,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Unquoted text, backslash escapes resolved. Globs (`*`, `?`, `[`), braces and `~` stand in it as written.
    Bare(String),
    /// The text of `'…'`, `$'…'`, or the literal text inside `"…"`, or an escaped character: never split, never a pattern.
    Quoted(String),
    /// `$name`, `${name…}`, with the operator as written (`:-x`), inside quotes or not.
    Variable {
        /// The name (`?`, `@`, `1` too).
        name: String,
        /// What follows the name in `${…}`, as written; empty for a plain reference.
        operator: String,
        /// Whether it stands in double quotes.
        quoted: bool,
    },
    /// `$( … )` or a backquoted command.
    Substitution(List),
    /// `$(( … ))`, `<( … )` and what else cannot be known here.
    Other,
}

impl Word {
    /// The text of the word if nothing in it is expanded: `None` with a variable, a substitution or arithmetic.
    ///
    /// Globs are left as they are.
    pub fn literal(&self) -> Option<String> {
        let mut res = String::new();
        for part in &self.parts {
            match part {
                Part::Bare(text) | Part::Quoted(text) => res.push_str(text),
                Part::Variable { .. } | Part::Substitution(_) | Part::Other => return None,
            }
        }
        Some(res)
    }

    /// The text of the word with its plain variable references looked up, `${x:-y}` taking its default where the
    /// name is not known to have a value; `None` where a part cannot be known.
    pub fn resolve(&self, look_up: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut res = String::new();
        for part in &self.parts {
            match part {
                Part::Bare(text) | Part::Quoted(text) => res.push_str(text),
                Part::Variable { name, operator, .. } => res.push_str(&expanded(look_up(name), operator)?),
                Part::Substitution(_) | Part::Other => return None,
            }
        }
        Some(res)
    }

    /// Whether a glob character stands unquoted in it.
    pub fn is_pattern(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Bare(text) if text.contains(['*', '?', '['])))
    }
}

/// What `${name}` with this operator gives: the value itself, or a plain default by `-` and `:-`.
fn expanded(value: Option<String>, operator: &str) -> Option<String> {
    if operator.is_empty() {
        return value;
    }
    let (default, empty_counts) = match operator.strip_prefix(":-") {
        Some(default) => (default, false),
        None => (operator.strip_prefix('-')?, true),
    };
    match value {
        Some(value) if empty_counts || !value.is_empty() => Some(value),
        _ if default.contains(['$', '`', '"', '\'', '\\']) => None,
        _ => Some(default.to_owned()),
    }
}

/// How surely a command of a script is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Inside `if`, a loop, a function, or behind `||`: maybe.
    Maybe,
    /// Whenever the script succeeds.
    Always,
}

/// A simple command, looked through to the program that does the work (RULES.md §1).
///
/// Assignments, `env`, `sudo`, `exec`, `time`, `nice`, `nohup`, `command`, a leading `\` and the folder of an absolute
/// path are taken off, with their options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// From the program to its last argument.
    pub range: Local,
    /// From the first assignment or wrapper to the end of the last redirection.
    pub whole: Local,
    /// The program's name without its folder (`apt-get`); empty where it is not literal.
    pub program: String,
    /// The program's own word.
    pub program_range: Local,
    /// Its arguments.
    pub arguments: Vec<Word>,
    /// Variables set for this command alone (`A=1 cmd`, `env A=1 cmd`).
    pub environment: Vec<Assignment>,
    /// Redirections of this command.
    pub redirects: Vec<Redirect>,
    /// Whether it surely runs when the script succeeds.
    pub reach: Reach,
    /// Which list it stands in: 0 is the script's own shell, everything in `( )`, `$( )`, a pipeline of several or
    /// `sh -c` is deeper.
    pub subshell: u32,
    /// The program of the wrapper it runs under, when one changes the user (`sudo`, `gosu`, `su-exec`).
    pub wrapper: Option<String>,
}
