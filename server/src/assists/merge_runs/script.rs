//! The text of a merged RUN as a script in a heredoc (SPEC-merge-run.md §7): a statement a line under `set -e`.

use std::collections::HashSet;

use crate::assists::merge_runs::compose::{
    Merged, closing, comments_before, comments_behind, opening, trailing_comment,
};
use crate::assists::merge_runs::gaps::Gaps;
use crate::assists::merge_runs::style::Style;
use crate::assists::merge_runs::words;
use crate::facts::merging::{self, Element, Statement, Wrapper};
use crate::model::{File, Instruction, Stage};
use crate::text::Local;

/// The merged text of these elements, neighbours of one group; `None` when it would not read as they do.
pub(super) fn compose(file: &File, style: &Style, stage: &Stage, elements: &[Element]) -> Option<Merged> {
    let plan = merging::heredoc_plan(elements).ok()?;
    if style.newline != "\n" {
        return None;
    }
    let first = stage.instructions.get(elements.first()?.instruction)?;
    let last = stage.instructions.get(elements.last()?.instruction)?;
    let target = first.whole().cover(last.whole());

    let mut gaps = Gaps::of(file, stage, style, true);
    let mut lines: Vec<String> = Vec::new();
    // What stands behind the last command of an element and before the next.
    let mut waiting: Vec<String> = Vec::new();
    for (idx, (element, statements)) in elements.iter().zip(&plan.statements).enumerate() {
        let instruction = &*stage.instructions.get(element.instruction)?.instruction;
        if let Some(before) = idx.checked_sub(1).and_then(|it| elements.get(it)) {
            let comments = gaps.between(before.instruction, element.instruction)?;
            waiting.extend(comments.iter().map(|it| it.trim_start().to_owned()));
        }
        lines.append(&mut waiting);
        if let Some(body) = element.body {
            if idx == 0 && plan.set.is_none() {
                lines.push("set -e".to_owned());
            }
            script_lines(instruction, body, element.set_of_list(), idx == 0, statements, &mut lines)?;
            continue;
        }
        if idx == 0 {
            lines.push(plan.set.map_or("set -e", |set| set.of(&instruction.text)).to_owned());
        }
        lines.extend(comments_before(instruction, element.core).map(str::to_owned));
        let mut from = element.core.start;
        for statement in statements {
            statement_lines(instruction, from, statement, &mut lines)?;
            from = statement.range.end;
        }
        let comment = trailing_comment(instruction);
        if idx + 1 == elements.len() {
            if let (Some(line), Some(comment)) = (lines.last_mut(), comment) {
                *line = format!("{line} {comment}");
            }
        } else {
            waiting.extend(comment.map(str::to_owned));
        }
        waiting.extend(comments_behind(instruction, element.core).map(str::to_owned));
    }
    lines.append(&mut waiting);

    let known: HashSet<&str> = lines.iter().flat_map(|it| it.lines()).collect();
    let instruction = &*first.instruction;
    let heredoc = instruction.heredocs.first();
    let wanted = heredoc.map_or("EOF", |heredoc| heredoc.name.as_str());
    let mut name = wanted.to_owned();
    for number in 2..=lines.len() + 2 {
        if !known.contains(name.as_str()) {
            break;
        }
        name = format!("{wanted}{number}");
    }
    let marker = match heredoc {
        Some(heredoc) if name == wanted => heredoc.marker.of(&instruction.text).to_owned(),
        _ => format!("<<{name}"),
    };
    let head = instruction.flags.last().map_or(instruction.keyword, |flag| flag.range).end;
    let head = instruction.text.get(..head as usize)?;
    let run = format!("{head} {marker}\n{}\n{name}", lines.join("\n"));
    if !words::is_same_script(&run, instruction.frame, stage, elements, &plan) {
        return None;
    }
    let indels = gaps.finish(first, target, run)?;
    Some(Merged { target, indels })
}

/// A statement of a continued RUN; blank lines go, and the comments since `from`, where the one before ends, go before it.
fn statement_lines(instruction: &Instruction, from: u32, statement: &Statement, acc: &mut Vec<String>) -> Option<()> {
    let text = statement.range.of(&instruction.text);
    let gap = Local { start: from, end: statement.range.end };
    let comments = instruction.comments.iter().filter(|it| gap.contains_range(**it));
    acc.extend(comments.map(|it| it.of(&instruction.text).trim_end().to_owned()));
    let mut written = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || (trimmed.starts_with('#') && !written.is_empty()) {
            continue;
        }
        // Inside quotes a shell keeps what BuildKit takes out.
        if text.contains('\n') && line.matches('\'').count() % 2 == 1 {
            return None;
        }
        written.push(line.trim_end());
    }
    acc.push(format!("{}{}{}", opening(statement.wrapper), written.join("\n"), closing(statement.wrapper)));
    Some(())
}

/// The lines of a script that is there already: as they are, but for its `set` where it is not the first, and brackets.
fn script_lines(
    instruction: &Instruction,
    body: Local,
    set: Option<Local>,
    is_first: bool,
    statements: &[Statement],
    acc: &mut Vec<String>,
) -> Option<()> {
    let text = &*instruction.text;
    let start = statements.first()?.range.start;
    let before = Local { start: body.start, end: start };
    if is_first {
        acc.push(before.of(text).to_owned());
    } else {
        let between = set.map_or(before, |set| Local { start: body.start, end: set.start });
        let comments = |range: Local| {
            let lines = range.of(text).lines().map(str::trim).filter(|line| line.starts_with('#'));
            lines.map(|line| format!("{line}\n")).collect::<String>()
        };
        let behind = set.map_or_else(String::new, |set| {
            let rest = Local { start: set.end, end: start }.of(text);
            let lines = rest.lines().filter_map(|line| Some(line.get(line.find('#')?..)?.trim_end().to_owned() + "\n"));
            lines.collect()
        });
        acc.push(comments(between) + &behind);
    }
    let mut at = start;
    let mut res = acc.pop().unwrap_or_default();
    for statement in statements.iter().filter(|statement| statement.wrapper != Wrapper::None) {
        let before = Local { start: at, end: statement.range.start };
        res.push_str(before.of(text));
        res.push_str(opening(statement.wrapper));
        res.push_str(statement.range.of(text));
        res.push_str(closing(statement.wrapper));
        at = statement.range.end;
    }
    res.push_str(Local { start: at, end: body.end }.of(text));
    acc.push(res.trim_end_matches('\n').to_owned());
    Some(())
}
