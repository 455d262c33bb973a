//! The environment that a command of a RUN sees: its own variables, those the script exported, ENV and ARG.

use crate::facts::run::RunFacts;
use crate::model::{Placed, Stage};
use crate::shell::{self, CommandKind, Script};

/// The value of the first of these variables that is set for the command of index `idx`; `Some(None)` where one is set and
/// its value is not known.
pub fn variable(
    stage: &Stage,
    placed: &Placed,
    run: &RunFacts,
    script: &Script,
    idx: usize,
    names: &[&str],
) -> Option<Option<String>> {
    let call = script.calls.get(run.commands.get(idx)?.call)?;
    if let Some(own) = call.environment.iter().find(|it| names.contains(&it.name.as_str())) {
        return Some(own.value.literal());
    }
    for earlier in run.commands.get(..idx)?.iter().rev() {
        for value in earlier.values().filter(|_| earlier.program == "export") {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            if names.contains(&name) {
                return Some(Some(value.to_owned()));
            }
        }
    }
    // `A=1` without `export` reaches the program only if the name was exported before: not known.
    let assigned = script.list.commands().filter(|it| it.range.end <= call.range.start);
    let sets = |command: &shell::Command| match &command.kind {
        CommandKind::Simple(it) => {
            it.words.is_empty() && it.assignments.iter().any(|it| names.contains(&it.name.as_str()))
        }
        _ => false,
    };
    if { assigned }.any(sets) {
        return Some(None);
    }
    let set = names.iter().find_map(|name| stage.scope.get_at(name, placed.at))?;
    Some(set.value.clone())
}
