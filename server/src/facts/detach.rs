//! How a command is taken out of its RUN, or an instruction out of its file, leaving every other byte where it was.
//!
//! **Invariant:** a comment is never taken along: where one stands in what would go, nothing is offered.

use crate::model::{Form, Placed, Run};
use crate::shell::{CommandKind, SeparatorKind};
use crate::text::{Indel, Local, TextRange, TextSize};

/// What has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detached {
    /// The whole RUN: the command was all it had.
    Whole(Indel),
    /// The command and what joined it to its neighbour.
    Part(Indel),
}

impl Detached {
    /// The change itself.
    pub fn into_indel(self) -> Indel {
        match self {
            Detached::Whole(indel) | Detached::Part(indel) => indel,
        }
    }
}

/// Takes the top-level command at `command` (of the instruction) out of a RUN. `None` where another depends on it: an
/// alternative, a pipe, a subshell, the last statement of a list, which gives the RUN its exit code.
pub fn command(file: &str, placed: &Placed, run: &Run, command: Local) -> Option<Detached> {
    let Form::Shell(shell) = &run.form else { return None };
    let script = shell.script.as_ref().filter(|script| !script.broken && placed.instruction.heredocs.is_empty())?;
    let items = &script.list.items;
    let at = items.iter().position(|item| item.and_or.range.contains_range(command))?;
    let item = items.get(at)?;
    let is_background = item.separator.is_some_and(|it| it.kind == SeparatorKind::Background);
    if is_background || item.and_or.rest.iter().any(|(joint, _)| !joint.and) {
        return None;
    }
    let pipelines: Vec<_> = item.and_or.pipelines().collect();
    let own = pipelines.iter().position(|it| it.range.contains_range(command))?;
    let pipeline = pipelines.get(own)?;
    let is_plain = matches!(&pipeline.commands[..], [only] if matches!(only.kind, CommandKind::Simple(_)));
    if pipeline.negated.is_some() || !is_plain {
        return None;
    }
    let range = match (pipelines.get(own + 1), own.checked_sub(1).and_then(|it| pipelines.get(it))) {
        (_, Some(before)) => Local { start: before.range.end, end: pipeline.range.end },
        (Some(behind), None) => Local { start: pipeline.range.start, end: behind.range.start },
        (None, None) if items.len() == 1 => return instruction(file, placed).map(Detached::Whole),
        (None, None) => {
            let next = items.get(at + 1)?;
            Local { start: item.and_or.range.start, end: next.and_or.range.start }
        }
    };
    let kept = |comment: &Local| comment.start >= range.end || comment.end <= range.start;
    let comments = placed.instruction.comments.iter().chain(&script.comments);
    { comments }.all(kept).then(|| Detached::Part(Indel { delete: placed.range(range), insert: String::new() }))
}

/// Takes an instruction out with its lines. `None` where a comment in it would be lost, or one above would then speak of
/// the next instruction.
pub fn instruction(file: &str, placed: &Placed) -> Option<Indel> {
    if !placed.instruction.comments.is_empty() {
        return None;
    }
    let whole = placed.whole();
    let (at, behind) = (usize::from(whole.start()), usize::from(whole.end()));
    let start = file.get(..at)?.rfind('\n').map_or(0, |it| it + 1);
    let above = file.get(..start)?.lines().next_back().unwrap_or_default().trim();
    let is_pragma = ["hadolint", "check=", "plimsoll:", "syntax=", "escape="].iter().any(|it| above.contains(it));
    if above.starts_with('#') && is_pragma {
        return None;
    }
    let rest = file.get(behind..)?;
    let mut end = behind + rest.find('\n').map_or(rest.len(), |it| it + 1);
    // Of two blank lines that would meet one is enough.
    let next = file.get(end..).and_then(|rest| rest.split_inclusive('\n').next()).unwrap_or_default();
    if above.is_empty() && start > 0 && !next.is_empty() && next.trim().is_empty() {
        end += next.len();
    }
    let size = |at: usize| u32::try_from(at).ok().map(TextSize::new);
    Some(Indel { delete: TextRange::new(size(start)?, size(end)?), insert: String::new() })
}

#[cfg(test)]
mod tests {
    use super::{Detached, command};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;
    use crate::text::TextEdit;

    /// The text without the first `chown` of the last RUN.
    fn check(text: &str, expected: Option<&str>) {
        let file = lower::file(text.into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let stage = file.stages.last().expect("a stage");
        let (idx, placed, run) = stage.runs().last().expect("a RUN");
        let run_facts = facts.stages.last().and_then(|facts| facts.run(idx)).expect("its facts");
        let own = run_facts.commands.iter().find(|it| it.program == "chown").expect("a chown");
        let found = command(text, placed, run, own.range).map(Detached::into_indel);
        let after = found.map(|indel| TextEdit::replace(indel.delete, indel.insert).apply(text));
        assert_eq!(after.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_run_of_one_command_goes_with_its_line() {
        check("FROM a\nRUN chown b c\nCMD d\n", Some("FROM a\nCMD d\n"));
        check("FROM a\n\nRUN chown b c\n\nCMD d\n", Some("FROM a\n\nCMD d\n"));
        check("FROM a\nRUN chown b c", Some("FROM a\n"));
    }

    #[test]
    fn a_command_goes_with_what_joined_it() {
        check("FROM a\nRUN x && chown b c && y\n", Some("FROM a\nRUN x && y\n"));
        check("FROM a\nRUN chown b c && y\n", Some("FROM a\nRUN y\n"));
        check("FROM a\nRUN x \\\n && chown b c\n", Some("FROM a\nRUN x\n"));
        check("FROM a\nRUN x && \\\n  chown b c && \\\n  y\n", Some("FROM a\nRUN x && \\\n  y\n"));
        check("FROM a\nRUN set -e; chown b c; y\n", Some("FROM a\nRUN set -e; y\n"));
    }

    #[test]
    fn what_others_depend_on_stays() {
        check("FROM a\nRUN x || chown b c\n", None);
        check("FROM a\nRUN x; chown b c\n", None);
        check("FROM a\nRUN (x && chown b c)\n", None);
        check("FROM a\nRUN x && ! chown b c\n", None);
    }

    #[test]
    fn a_comment_is_not_taken_along() {
        check("FROM a\nRUN x \\\n # why\n && chown b c\n", None);
        check(
            "FROM a\n# hadolint ignore=DL3059\nRUN chown b c\nRUN y && chown b c\n",
            Some("FROM a\n# hadolint ignore=DL3059\nRUN chown b c\nRUN y\n"),
        );
        check("FROM a\n# hadolint ignore=DL3059\nRUN chown b c\n", None);
    }
}
