//! Cuts a RUN in two at the cursor: the reverse of merging (SPEC-merge-run.md §5), at a `&&` between its commands.
//!
//! Only where the two parts, merged again, would be joined by the same bare `&&`: then nothing that the first leaves in its
//! shell reaches the second, and both succeed exactly when the whole did.

use crate::assists::{Assist, Offer, Refusal};
use crate::facts::Facts;
use crate::facts::merging::{self, Link, Obstacle, Wrapper};
use crate::lower::{self, Build};
use crate::model::{File, Form, InstructionKind, Placed};
use crate::rules::Context;
use crate::shell::Pipeline;
use crate::text::{Local, TextEdit, TextRange};

/// The id of the action (CLI.md, *Actions*).
pub const ID: &str = "split-run";

/// The cut at the cursor, or why it is not possible; nothing with the cursor before the first `&&` of a RUN.
pub fn offer(ctx: &Context, range: TextRange) -> Option<Offer> {
    let mut all = ctx.file.stages.iter().flat_map(|stage| &stage.instructions);
    let placed = all.find(|placed| placed.whole().contains_range(range))?;
    let cut = Cut::at(placed, placed.local(range.start())?)?;
    let target = placed.whole();
    let refusal = |(code, reason): (&'static str, &str)| {
        Offer::Refusal(Refusal { id: ID, variant: None, code, reason: reason.to_owned(), target })
    };
    if cut.before_or {
        return Some(refusal((
            "split-run/or",
            "what stands behind `||` answers for the commands before the cursor too",
        )));
    }
    let edit = edit(ctx.file, placed, &cut);
    if let Err(reason) = check(ctx, placed, &edit.apply(&ctx.file.text)) {
        return Some(refusal(reason));
    }
    Some(Offer::Assist(Assist {
        id: ID,
        variant: None,
        label: format!("Split this RUN before `{}`", cut.begins),
        target,
        preferred: false,
        edit,
        other: None,
        doubts: Vec::new(),
        before: None,
        after: None,
    }))
}

/// Where a RUN is cut.
struct Cut {
    /// From the end of the command before to the begin of the one behind.
    gap: Local,
    /// Whether a `||` stands behind it.
    before_or: bool,
    /// How the second part begins.
    begins: String,
}

impl Cut {
    /// The last place for a cut before the cursor.
    fn at(placed: &Placed, cursor: u32) -> Option<Cut> {
        let instruction = &placed.instruction;
        let InstructionKind::Run(run) = &instruction.kind else { return None };
        let Form::Shell(text) = &run.form else { return None };
        let script = text.script.as_ref().filter(|it| !it.broken && instruction.heredocs.is_empty())?;
        let [item] = script.list.items.as_slice() else { return None };
        let pipelines: Vec<&Pipeline> = item.and_or.pipelines().collect();
        let first_behind = pipelines.iter().take(pipelines.len() - 1).rposition(|it| it.range.end <= cursor)?;
        let (before, behind) = (pipelines.get(first_behind)?, pipelines.get(first_behind + 1)?);
        let written = behind.range.of(&instruction.text).lines().next()?.trim_end_matches(['\\', ' ', '\t']);
        let shown: String = written.chars().take(30).collect();
        let begins = if shown.len() < written.len() { shown + "…" } else { shown };
        let gap = Local { start: before.range.end, end: behind.range.start };
        let before_or = item.and_or.rest.iter().skip(first_behind).any(|(joint, _)| !joint.and);
        Some(Cut { gap, before_or, begins })
    }
}

fn edit(file: &File, placed: &Placed, cut: &Cut) -> TextEdit {
    let instruction = &placed.instruction;
    let text = &*instruction.text;
    let start = usize::from(placed.at);
    let line = file.text.get(..start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let indent = if line.trim().is_empty() { line } else { "" };
    let newline = if file.text.get(start..).is_some_and(|it| it.lines().count() > 0) && file.text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let line_end = format!("{newline}{indent}");
    let mut insert = line_end.clone();
    for comment in instruction.comments.iter().filter(|it| cut.gap.contains_range(**it)) {
        insert.push_str(comment.of(text).trim_end());
        insert.push_str(&line_end);
    }
    insert.push_str(instruction.keyword.of(text));
    for flag in &instruction.flags {
        insert.push(' ');
        insert.push_str(flag.range.of(text));
    }
    insert.push(' ');
    TextEdit::replace(placed.range(cut.gap), insert)
}

/// Whether the two parts, merged, are what they were.
fn check(ctx: &Context, placed: &Placed, text: &str) -> Result<(), (&'static str, &'static str)> {
    const UNKNOWN: (&str, &str) = ("split-run/unknown", "it cannot be shown that both parts would do the same");
    const STATE: (&str, &str) =
        ("split-run/state", "the commands behind it would lose what the ones before leave in the shell");
    let build = Build { arguments: Some(&ctx.config.build_args), platform: ctx.config.platform.clone() };
    let file = lower::file(text.into(), &build, Some(ctx.file));
    let facts = Facts::of(&file, ctx.config);
    let is_first = |it: &Placed| it.at == placed.at;
    let stages = file.stages.iter().zip(&facts.stages);
    let found =
        stages.filter_map(|(stage, facts)| Some((stage, facts, stage.instructions.iter().position(is_first)?))).next();
    let Some((stage, stage_facts, idx)) = found else { return Err(UNKNOWN) };
    let groups = merging::groups(stage, &stage_facts.users);
    let place = groups.iter().find_map(|group| Some((group, group.position(idx)?)));
    let Some(parts) = place.and_then(|(group, at)| group.elements.get(at..at + 2)) else { return Err(UNKNOWN) };
    if parts.iter().any(|part| part.exec.is_some()) || parts.get(1).is_some_and(|part| part.instruction != idx + 1) {
        return Err(UNKNOWN);
    }
    match merging::plan(parts) {
        Ok(plan) => match plan.links.as_slice() {
            [Link::Whole(Wrapper::None | Wrapper::Braces), Link::Whole(Wrapper::None)] => Ok(()),
            _ => Err(STATE),
        },
        Err(Obstacle::NoEffect) => Err(STATE),
        Err(Obstacle::Background | Obstacle::Daemon) => {
            Err(("split-run/process", "a process that is left running would end with the first part"))
        }
        Err(Obstacle::PassingMount) => {
            Err(("split-run/mount", "what the first part writes to the mount is gone before the second"))
        }
        Err(_) => Err(UNKNOWN),
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::{Analysis, Inputs};
    use crate::assists::Offer;
    use crate::assists::split_run::ID;
    use crate::text::{TextRange, TextSize};

    /// What is said with the cursor at the mark, and the text without it.
    fn offer(text: &str) -> (Option<Offer>, String) {
        let at = text.find("<|>").expect("a cursor");
        let text = text.replace("<|>", "");
        let analysis = Analysis::of(Inputs { text: text.as_str().into(), ..Inputs::default() }, None);
        let offers = analysis.assists(TextRange::empty(TextSize::new(at as u32)));
        let is_meant = |offer: &Offer| match offer {
            Offer::Assist(assist) => assist.id == ID,
            Offer::Refusal(refusal) => refusal.id == ID,
        };
        (offers.into_iter().find(is_meant), text)
    }

    fn check(before: &str, after: &str) {
        match offer(&format!("FROM a\n{before}\nCMD x\n")) {
            (Some(Offer::Assist(assist)), text) => {
                assert_eq!(assist.edit.apply(&text), format!("FROM a\n{after}\nCMD x\n"));
            }
            other => panic!("{before}: {other:?}"),
        }
    }

    fn refused(run: &str, code: &str) {
        match offer(&format!("FROM a\n{run}\nCMD x\n")) {
            (Some(Offer::Refusal(refusal)), _) => assert_eq!(refusal.code, code, "{run}"),
            other => panic!("{run}: {other:?}"),
        }
    }

    fn silent(run: &str) {
        assert_eq!(offer(&format!("FROM a\n{run}\nCMD x\n")).0, None, "{run}");
    }

    #[test]
    fn the_command_at_the_cursor_begins_the_second() {
        check("RUN a && <|>b && c", "RUN a\nRUN b && c");
        check("RUN a <|>&& b && c", "RUN a\nRUN b && c");
        check("RUN a && b && c<|>", "RUN a && b\nRUN c");
        check("RUN a \\\n    && b \\\n<|>    && c \\\n    && d", "RUN a \\\n    && b\nRUN c \\\n    && d");
        check("RUN a && \\\n    b && \\\n    <|>c", "RUN a && \\\n    b\nRUN c");
        check("run a \\\r\n && <|>b\r\nLABEL x=y", "run a\r\nrun b\r\nLABEL x=y");
    }

    #[test]
    fn flags_hold_for_both_and_comments_go_with_their_command() {
        check(
            "RUN --mount=type=cache,target=/c \\\n  --network=none \\\n  a \\\n  # why b\n  && <|>b # so",
            "RUN --mount=type=cache,target=/c \\\n  --network=none \\\n  a\n# why b\nRUN --mount=type=cache,target=/c --network=none b # so",
        );
    }

    #[test]
    fn an_or_before_the_cut_answers_for_the_first_part() {
        check("RUN a || b && <|>c", "RUN a || b\nRUN c");
        refused("RUN a && <|>b || c", "split-run/or");
    }

    #[test]
    fn state_that_crosses_keeps_a_run_together() {
        for before in ["cd /x", "export A=1", "A=1", "umask 077", "set -u", "trap x EXIT", ". /env", "f() { a; }"] {
            refused(&format!("RUN {before} && b && <|>c"), "split-run/state");
            refused(&format!("RUN {before} && <|>c"), "split-run/state");
        }
        check("RUN ( cd /x && a ) && <|>b", "RUN ( cd /x && a )\nRUN b");
        check("RUN a && <|>cd /x && b", "RUN a\nRUN cd /x && b");
        refused("RUN for f in a b; do c; done && <|>d $f", "split-run/state");
    }

    #[test]
    fn what_lives_in_one_run_alone_keeps_it_together() {
        refused("RUN service x start && <|>b", "split-run/process");
        refused("RUN --mount=type=tmpfs,target=/t a && <|>b", "split-run/mount");
        refused("RUN usermod -aG docker root && <|>id", "split-run/unknown");
    }

    #[test]
    fn where_there_is_no_such_place_nothing_is_said() {
        for run in
            ["RUN <|>a && b", "RUN a<|>", "RUN a; b<|>", "RUN ( a && b<|> )", "RUN [\"a\", \"&&\"<|>]", "CMD a && b<|>"]
        {
            silent(run);
        }
        silent("RUN <<EOF\na && b<|>\nEOF");
    }
}
