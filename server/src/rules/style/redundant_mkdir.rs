//! `redundant-mkdir`: a RUN makes a directory that the next WORKDIR makes anyway.

use crate::facts::lines;
use crate::facts::run::{Argument, Command};
use crate::facts::stage::{User, join, value};
use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "redundant-mkdir",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &[],
    doc: r##"
`WORKDIR` makes its directory itself, and all above it.

The `RUN` before it costs a layer and a shell that starts.

```dockerfile
FROM node:22-slim
RUN mkdir -p /app
WORKDIR /app
CMD ["node", "server.js"]
```

The same:

```dockerfile
FROM node:22-slim
WORKDIR /app
CMD ["node", "server.js"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            acc.extend(finding(ctx, &at));
        }
    }
}

fn finding(ctx: &Context, at: &RunAt) -> Option<Finding> {
    let [command] = at.facts.commands.as_slice() else { return None };
    let (_, next) = next_workdir(at)?;
    let directories = made(at, command)?;
    let covered: Vec<&Argument> = directories.iter().filter(|it| is_covered(ctx, at, it, next)).copied().collect();
    if covered.is_empty() {
        return None;
    }
    let whole = covered.len() == directories.len();
    let range = if whole { at.placed.whole() } else { at.placed.range(covered.first()?.range) };
    let mut finding = Finding::new(&RULE, range, "the WORKDIR below makes this directory itself");
    finding.cause = at.placed.whole();
    finding.fix = if whole {
        let safety = if is_root(ctx, at) { ctx.safety() } else { Safety::Review };
        let edit = lines::without(ctx.file, at.placed)?;
        Some(Fix { title: "Leave it to WORKDIR".to_owned(), safety, edit })
    } else {
        without_words(at, &covered)
    };
    Some(finding)
}

/// The WORKDIR that follows, nothing but metadata between.
fn next_workdir<'a>(at: &RunAt<'a>) -> Option<(usize, &'a Placed)> {
    for (idx, placed) in at.stage.instructions.iter().enumerate().skip(at.idx + 1) {
        match &placed.instruction.kind {
            InstructionKind::Workdir(_) => return Some((idx, placed)),
            InstructionKind::Label(_)
            | InstructionKind::Expose(_)
            | InstructionKind::Cmd(_)
            | InstructionKind::Entrypoint(_)
            | InstructionKind::Stopsignal(_)
            | InstructionKind::Healthcheck(_)
            | InstructionKind::Maintainer(_) => {}
            _ => return None,
        }
    }
    None
}

/// The directories that a plain `mkdir`, alone in its RUN, makes.
fn made<'a>(at: &RunAt, command: &'a Command) -> Option<Vec<&'a Argument>> {
    let call = at.call(command)?;
    let script = at.run.script()?;
    let [item] = script.list.items.as_slice() else { return None };
    let alone = item.and_or.rest.is_empty() && item.and_or.first.range == call.whole && item.separator.is_none();
    if command.program != "mkdir"
        || !alone
        || !at.is_plain(command)
        || !call.environment.is_empty()
        || !call.redirects.is_empty()
        || !at.placed.instruction.flags.is_empty()
        || !script.comments.is_empty()
    {
        return None;
    }
    let mut res = Vec::new();
    for (argument, word) in command.arguments.iter().zip(&call.arguments) {
        let text = argument.value.as_deref()?;
        if matches!(text, "-p" | "--parents" | "-v" | "-pv" | "-vp") {
            continue;
        }
        if text.starts_with(['-', '~']) || text.contains(['{', ' ']) || word.is_pattern() {
            return None;
        }
        res.push(argument);
    }
    Some(res)
}

/// Whether the WORKDIR is this directory or lies below it.
fn is_covered(ctx: &Context, at: &RunAt, argument: &Argument, workdir: &Placed) -> bool {
    let InstructionKind::Workdir(word) = &workdir.instruction.kind else { return false };
    let known = ctx.facts.stages.get(at.stage_idx).and_then(|facts| facts.directories.get(at.idx)).cloned().flatten();
    let here = known.as_deref();
    let to = value(at.stage, workdir, &word.text, ctx.file.directives.escape).and_then(|it| join(here, &it));
    let made = argument.value.as_deref().and_then(|it| join(here, it));
    match (made, to) {
        (Some(made), Some(to)) => to == made || to.strip_prefix(&made).is_some_and(|rest| rest.starts_with('/')),
        _ => false,
    }
}

/// Whether root makes it: else WORKDIR may give it to another owner.
fn is_root(ctx: &Context, at: &RunAt) -> bool {
    match ctx.facts.stages.get(at.stage_idx).and_then(|facts| facts.users.get(at.idx)) {
        Some(User::OfImage) => {
            let traits = ctx.facts.image(ctx.file, at.stage_idx).and_then(|image| ctx.images.traits(image));
            traits.is_some_and(|it| it.default_user.as_deref() == Some("root"))
        }
        Some(User::Named(name)) => matches!(name.as_str(), "root" | "0"),
        Some(User::Unknown) | None => false,
    }
}

/// Takes single words out of the command, each with the blanks before it.
fn without_words(at: &RunAt, covered: &[&Argument]) -> Option<Fix> {
    let text = &*at.placed.instruction.text;
    let [argument] = covered else { return None };
    let before = text.get(..argument.range.start as usize)?;
    let start = before.trim_end_matches([' ', '\t']).len();
    let delete = at.placed.range(Local::new(start, argument.range.end as usize));
    let title = "Leave this directory to WORKDIR".to_owned();
    (start < before.len()).then(|| Fix { title, safety: Safety::Review, edit: TextEdit::replace(delete, "") })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn workdir_makes_its_directory() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\n# why\nRUN mkdir -p /srv/\nLABEL a=b\nWORKDIR /srv/app\nCMD c\n",
            "FROM debian:12\n# why\nLABEL a=b\nWORKDIR /srv/app\nCMD c\n",
        );
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nWORKDIR /srv\nRUN mkdir app\nWORKDIR ./app\nCMD c\n",
            "FROM debian:12\nWORKDIR /srv\nWORKDIR ./app\nCMD c\n",
        );
        check(
            &RULE,
            "FROM debian:12\nARG D=/a\n  RUN mkdir $D\n# ^^^^^^^^^^^^ makes this directory itself\nWORKDIR /a\n",
        );
    }

    #[test]
    fn other_commands_need_the_run() {
        check_silent("RUN mkdir /app && chown 1 /app\nWORKDIR /app");
        check_silent("RUN mkdir /app || true\nWORKDIR /app");
        check_silent("RUN cd /x; mkdir /app\nWORKDIR /app");
        check_silent("RUN --mount=type=cache,target=/x mkdir /app\nWORKDIR /app");
    }

    #[test]
    fn a_mode_is_not_what_workdir_gives() {
        check_silent("RUN mkdir -m 700 /app\nWORKDIR /app");
        check_silent("RUN mkdir --mode=700 -p /app\nWORKDIR /app");
        check_silent("RUN umask 077; mkdir /app\nWORKDIR /app");
    }

    #[test]
    fn of_several_directories_only_the_covered_one_goes() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN mkdir -p /app /data\nWORKDIR /app\nCMD c\n",
            "FROM debian:12\nRUN mkdir -p /data\nWORKDIR /app\nCMD c\n",
        );
        check_silent("RUN mkdir -p /app/{a,b}\nWORKDIR /app/a");
        check_silent("RUN mkdir -p /app/a\nWORKDIR /app");
    }

    #[test]
    fn another_user_is_another_owner() {
        check_silent("RUN mkdir /app\nUSER node\nWORKDIR /app");
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nUSER node\nRUN mkdir /tmp/app\nWORKDIR /tmp/app\nCMD c\n",
            "FROM debian:12\nUSER node\nWORKDIR /tmp/app\nCMD c\n",
        );
    }

    #[test]
    fn what_stands_between_may_change_the_path() {
        check_silent("RUN mkdir /app\nENV D=/app\nWORKDIR /app");
        check_silent("RUN mkdir $UNKNOWN\nWORKDIR $UNKNOWN");
        check_silent("RUN mkdir app\nWORKDIR app");
        check_silent("RUN mkdir /app\nCOPY a /app\nWORKDIR /app");
        check_silent("RUN mkdir /app\nWORKDIR /apple");
    }

    #[test]
    fn a_word_on_a_line_of_its_own_stays() {
        check_no_fix(&RULE, "FROM debian:12\nRUN mkdir -p \\\n/app \\\n/data\nWORKDIR /app\nCMD c\n");
    }
}
