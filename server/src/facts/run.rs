//! What a RUN does: its commands with variables known, what it has mounted.

use crate::facts::caches::{self, Left};
use crate::facts::removes;
use crate::facts::stage::value;
use crate::model::{Placed, Run, Stage};
use crate::shell::{Assignment, Call, CommandKind, Script};
use crate::text::Local;

/// Facts about one RUN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFacts {
    /// Its index in `Stage::instructions`.
    pub instruction: usize,
    /// Targets of `--mount`s of type cache, tmpfs and bind, with variables resolved: what lies below them is not in the layer.
    pub mounted: Vec<String>,
    /// Its commands; empty where the shell text is not understood (RULES.md S2, S3).
    pub commands: Vec<Command>,
    /// The directory in which each of them runs, `cd` followed; `None` where not known.
    pub directories: Vec<Option<String>>,
    /// What package managers leave in its layer beside what was asked for.
    pub left: Vec<Left>,
}

/// A command of a RUN with its words as far as their values are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    /// Its index in `Script::calls`.
    pub call: usize,
    /// The program's name without its folder.
    pub program: String,
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
    /// From the program to its last argument.
    pub range: Local,
    /// Whether it surely runs when the RUN succeeds.
    pub certain: bool,
}

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Where it stands.
    pub range: Local,
    /// Its value with variables of the shell, ENV and ARG resolved; `None` where not known.
    pub value: Option<String>,
}

impl RunFacts {
    pub(super) fn of(
        stage: &Stage,
        idx: usize,
        placed: &Placed,
        run: &Run,
        directory: Option<&str>,
        escape: char,
    ) -> RunFacts {
        let mounted = run
            .mounts
            .iter()
            .filter(|mount| matches!(mount.kind(), "cache" | "tmpfs" | "bind"))
            .filter_map(|mount| value(stage, placed, &mount.target()?.text, escape))
            .collect();
        let script = run.script().filter(|script| !script.broken);
        let commands = script.map_or_else(Vec::new, |script| commands(stage, placed, script));
        let mut res = RunFacts { instruction: idx, mounted, commands, directories: Vec::new(), left: Vec::new() };
        if let Some(script) = script {
            res.directories = removes::directories(&res, script, directory);
            res.left = caches::left(stage, placed, &res, script);
        }
        res
    }

    /// Whether a mount covers this path.
    pub fn is_mounted(&self, path: &str) -> bool {
        self.mounted.iter().any(|target| is_below(path, target))
    }
}

/// Whether `path` is `folder` or lies below it.
pub fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Command {
    /// The arguments whose value is known.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().filter_map(|argument| argument.value.as_deref())
    }

    /// Whether one of these words stands among the arguments, also as `word=value`.
    pub fn has(&self, flags: &[&str]) -> bool {
        self.values().any(|value| {
            flags
                .iter()
                .any(|flag| value.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
        })
    }

    /// The arguments that are no options, in order.
    pub fn operands(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.value.as_deref().is_none_or(|value| !value.starts_with('-')))
    }

    /// The first argument that is no option.
    pub fn subcommand(&self) -> Option<&str> {
        self.operands().next()?.value.as_deref()
    }
}

fn commands(stage: &Stage, placed: &Placed, script: &Script) -> Vec<Command> {
    let mut shell_variables: Vec<(String, Option<String>)> = Vec::new();
    let mut assignments = assignments(script).into_iter().peekable();
    let mut res = Vec::with_capacity(script.calls.len());
    for (idx, call) in script.calls.iter().enumerate() {
        while let Some((assignment, certain)) = assignments.next_if(|(it, _)| it.range.start < call.range.start) {
            let value = assignment.value.resolve(&|name| known(stage, placed, &shell_variables, name));
            shell_variables.push((assignment.name.clone(), value.filter(|_| certain)));
        }
        let look_up = |name: &str| known(stage, placed, &shell_variables, name);
        let arguments =
            call.arguments.iter().map(|word| Argument { range: word.range, value: word.resolve(&look_up) }).collect();
        res.push(Command {
            call: idx,
            program: call.program.clone(),
            arguments,
            range: call.range,
            certain: call.reach == crate::shell::Reach::Always,
        });
        let assigned = assigned(call, &look_up);
        shell_variables.extend(assigned);
    }
    res
}

/// The value of a variable in a shell where these were set, the last one of a name holding.
fn known(stage: &Stage, placed: &Placed, set: &[(String, Option<String>)], name: &str) -> Option<String> {
    if let Some((_, value)) = set.iter().rev().find(|(known, _)| known == name) {
        return value.clone();
    }
    stage.scope.get_at(name, placed.at)?.value.clone()
}

/// The assignments without a program (`A=1; …`) in the order of the text, and whether each surely holds behind it.
fn assignments(script: &Script) -> Vec<(&Assignment, bool)> {
    let mut res = Vec::new();
    for (command, depth) in script.commands() {
        match &command.kind {
            CommandKind::Simple(simple) if simple.words.is_empty() => {
                res.extend(simple.assignments.iter().map(|it| (it, depth == 0)));
            }
            // What `for` and `read` set differs from round to round: such a name is found nowhere, so not known.
            _ => {}
        }
    }
    res.sort_by_key(|(it, _)| it.range.start);
    res
}

/// The variables that a command sets in its shell: `export A=1`.
fn assigned(call: &Call, look_up: &dyn Fn(&str) -> Option<String>) -> Vec<(String, Option<String>)> {
    if !matches!(call.program.as_str(), "export" | "readonly" | "declare" | "local" | "typeset") {
        return Vec::new();
    }
    let pair = |word: &crate::shell::Word| {
        let text = word.resolve(look_up)?;
        let (name, value) = text.split_once('=')?;
        Some((name.to_owned(), Some(value.to_owned())))
    };
    call.arguments.iter().filter_map(pair).collect()
}
