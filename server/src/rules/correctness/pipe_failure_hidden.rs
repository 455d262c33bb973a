//! `pipe-failure-hidden`: a pipe ends well though what fed it failed.

mod fix;
mod programs;

use crate::model::{Base, InstructionKind, ShellKind, Word as DockerWord};
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};
use crate::shell::{Call, Command, CommandKind, List, Pipeline, Script, Word};
use crate::text::Local;

/// The rule.
pub static RULE: Rule = Rule {
    name: "pipe-failure-hidden",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["DL4006"],
    doc: r##"
A pipe ends well though what fed it failed: the download is missing, and the layer is kept in the cache.

A shell asks only the last command of a pipe whether it failed. `tar`, `gunzip` and `gpg` fail by themselves on an empty
stream; `sh`, `tee`, `sed` and `jq` take it for an empty file.

```dockerfile
FROM alpine:3.20
RUN wget -qO- https://example.com/hosts | sed s/a/b/ > /etc/blocked
CMD ["true"]
```

With a failure of the first command counted:

```dockerfile
FROM alpine:3.20
RUN set -o pipefail && wget -qO- https://example.com/hosts | sed s/a/b/ > /etc/blocked
CMD ["true"]
```

The `sh` of Debian and Ubuntu has no `pipefail`: there `SHELL ["/bin/bash", "-o", "pipefail", "-c"]` stands above the `RUN`.
Where there is no `bash` either, fetch to a file first, and use it by a second command.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            let text = &*at.placed.instruction.text;
            let Some(script) = at.run.script().filter(|script| !script.broken) else { continue };
            if !text.contains('|') || text.contains("pipefail") {
                continue;
            }
            let mut search = Search { at: &at, script, found: Vec::new() };
            search.list(&script.list, &Taken::No);
            let found = search.found;
            if found.is_empty() || !is_plain_shell(ctx, &at) {
                continue;
            }
            for Found { range, programs, left, right } in found {
                let message =
                    format!("a failure of `{left}` goes unnoticed: only `{right}`, the last of the pipe, counts");
                let mut finding = Finding::new(&RULE, at.placed.range(range), message);
                finding.cause = at.placed.range(programs);
                finding.fix = fix::fix(ctx, &at, script);
                acc.push(finding);
            }
        }
    }
}

/// The words of the SHELL that holds at a RUN, if one is set in its chain.
fn shell<'a>(ctx: &Context<'a>, at: &RunAt) -> Option<&'a [DockerWord]> {
    let mut stage_idx = at.stage_idx;
    let mut n_instructions = at.idx;
    loop {
        let stage = ctx.file.stages.get(stage_idx)?;
        let before = stage.instructions.get(..n_instructions.min(stage.instructions.len()))?;
        let words = before.iter().rev().find_map(|placed| match &placed.instruction.kind {
            InstructionKind::Shell(words) => Some(words.as_slice()),
            _ => None,
        });
        if words.is_some() {
            return words;
        }
        let Base::Stage(parent) = stage.base else { return None };
        stage_idx = parent;
        n_instructions = usize::MAX;
    }
}

/// Whether the RUN's shell is of the family of `sh`, and asks the last command alone.
fn is_plain_shell(ctx: &Context, at: &RunAt) -> bool {
    let Some(words) = shell(ctx, at) else {
        return at.placed.instruction.frame.shell != ShellKind::Other;
    };
    let name = words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default());
    matches!(name, "sh" | "bash" | "ash" | "dash") && !words.iter().any(|word| word.text.contains("pipefail"))
}

/// What becomes of a pipe's output.
enum Taken<'a> {
    /// It is shown, or redirected.
    No,
    /// It is the value of this variable.
    Variable(&'a str),
    /// It is part of a word of this program.
    Word(&'a str),
}

/// A pipe that hides a failure.
struct Found {
    range: Local,
    /// From its first program to the last argument of its last, the wrappers before them left out.
    programs: Local,
    left: String,
    right: String,
}

/// The pipes of a script whose failure nobody sees.
struct Search<'a> {
    at: &'a RunAt<'a>,
    script: &'a Script,
    found: Vec<Found>,
}

impl Search<'_> {
    fn list(&mut self, list: &List, taken: &Taken) {
        for item in &list.items {
            let joints = item.and_or.rest.iter().map(|(joint, _)| Some(joint.and)).chain([None]);
            for (pipeline, next) in item.and_or.pipelines().zip(joints) {
                // `a | b || c` says what happens.
                if next != Some(false) {
                    self.pipeline(pipeline, taken);
                }
                for command in &pipeline.commands {
                    self.inside(command);
                }
            }
        }
    }

    fn inside(&mut self, command: &Command) {
        match &command.kind {
            CommandKind::Simple(simple) => {
                for assignment in &simple.assignments {
                    for list in assignment.value.substitutions() {
                        self.list(list, &Taken::Variable(&assignment.name));
                    }
                }
                let substitutes = |word: &&Word| word.substitutions().next().is_some();
                for word in simple.words.iter().filter(substitutes) {
                    let program = self.call(command).map(|call| call.program.clone()).unwrap_or_default();
                    let name = word.assigned_name();
                    for list in word.substitutions() {
                        self.list(list, &name.map_or(Taken::Word(&program), Taken::Variable));
                    }
                }
            }
            CommandKind::Subshell(list) | CommandKind::Group(list) => self.list(list, &Taken::No),
            CommandKind::Compound { keyword, lists, .. } => {
                let conditional = matches!(keyword.as_str(), "if" | "while" | "until");
                for (idx, list) in lists.iter().enumerate() {
                    let is_condition = conditional && idx % 2 == 0 && (idx + 1 < lists.len() || idx == 0);
                    if !is_condition {
                        self.list(list, &Taken::No);
                    }
                }
            }
            CommandKind::Function { body, .. } => self.list(body, &Taken::No),
            CommandKind::Test => {}
        }
    }

    fn call(&self, command: &Command) -> Option<&Call> {
        self.script.calls.iter().find(|call| call.whole == command.range)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, taken: &Taken) {
        let (Some(first), Some(last)) = (pipeline.commands.first(), pipeline.commands.last()) else { return };
        if pipeline.commands.len() < 2 || pipeline.negated.is_some() {
            return;
        }
        let (Some(left), Some(right)) = (self.call(first), self.call(last)) else { return };
        let is_build = || {
            let command = self.at.facts.commands.iter().find(|it| it.range == left.range);
            right.program == "tee" && command.is_some_and(programs::is_built_or_tested)
        };
        if !(programs::produces(left) || is_build()) || !self.takes_anything(right, taken) {
            return;
        }
        self.found.push(Found {
            range: pipeline.range,
            programs: left.range.cover(right.range),
            left: left.program.clone(),
            right: right.program.clone(),
        });
    }

    /// Whether the end of a pipe is content with an empty stream, and the image changes by what it makes.
    fn takes_anything(&self, right: &Call, taken: &Taken) -> bool {
        if programs::acts_on_anything(right) {
            return true;
        }
        if !programs::filters_anything(right) {
            return false;
        }
        let checks = |name: &str| {
            let text = &*self.at.placed.instruction.text;
            ["-z", "-n", "test"].iter().any(|test| text.contains(&format!("{test} \"${name}\"")))
        };
        match taken {
            Taken::No => programs::writes_file(right),
            Taken::Variable(name) => programs::names_version(name) && !checks(name),
            Taken::Word(program) => matches!(*program, "curl" | "wget") || programs::writes_file(right),
        }
    }
}

/// Whether a word is an option of one dash with this letter.
fn has_letter(word: &Word, letter: char) -> bool {
    word.literal().is_some_and(|text| {
        text.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
    })
}

#[cfg(test)]
mod tests;
