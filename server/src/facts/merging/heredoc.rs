//! The form of a joined RUN as a script in a heredoc (SPEC-merge-run.md §7).
//!
//! Under `set -e` every statement counts, on a line of its own; without it a failure in the middle would be ignored.

use std::ops::Range;

use crate::facts::merging::element::{Element, ErrexitList};
use crate::facts::merging::obstacle::Obstacle;
use crate::facts::merging::plan::{self, Statement, Wrapper};
use crate::model::{Form, Instruction, Run};
use crate::shell::Script;
use crate::shell::state::ShellOption;
use crate::text::Local;

/// How elements become one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeredocPlan {
    /// The `set` command in the first element, where it has one that holds for all; else `set -e` is written.
    pub set: Option<Local>,
    /// For each element its statements in order.
    pub statements: Vec<Vec<Statement>>,
}

/// How these elements, neighbours in this order, become one script.
///
/// # Errors
/// What is against it.
pub fn heredoc_plan(elements: &[Element]) -> Result<HeredocPlan, Obstacle> {
    for element in elements {
        let is_body = element.body.is_some();
        if let Some(obstacle) = element.obstacle.filter(|it| !(is_body && *it == Obstacle::Heredoc)) {
            return Err(obstacle);
        }
        if element.exec.is_some() {
            return Err(Obstacle::ExecForm);
        }
        // In a body the shell would read it as part of a line's end.
        if element.text.contains('\r') {
            return Err(Obstacle::OddText);
        }
    }
    plan::check_frame(elements)?;
    let Some(first) = elements.first() else { return Ok(HeredocPlan { set: None, statements: Vec::new() }) };
    let options = |element: &Element| element.list.as_ref().map(|list| list.options.clone());
    let shared = options(first).filter(|first| elements.iter().all(|it| options(it).as_ref() == Some(first)));
    let is_errexit = |list: &ErrexitList| list.options.iter().eq([&ShellOption::Errexit]);
    if shared.is_none() && !elements.iter().filter_map(|element| element.list.as_ref()).all(is_errexit) {
        return Err(Obstacle::Errexit);
    }
    let isolating = plan::isolating(elements);
    let n_last = elements.len() - 1;
    let mut statements = Vec::new();
    for (idx, (element, isolating)) in elements.iter().zip(isolating).enumerate() {
        let list = match (&element.list, &element.plain) {
            (Some(list), _) => list,
            (None, Some(plain)) if !plain.own_shell => plain,
            (None, _) if element.body.is_some() => return Err(Obstacle::Heredoc),
            (None, _) => return Err(Obstacle::Errexit),
        };
        if element.error_trap && idx < n_last {
            return Err(Obstacle::Errexit);
        }
        statements.push(in_lines(list, element.body.is_some(), idx == n_last, isolating));
    }
    Ok(HeredocPlan { set: first.list.as_ref().map(|list| list.set), statements })
}

/// The statements of an element. Those of a script that is there already stay where they are.
fn in_lines(list: &ErrexitList, is_body: bool, is_last: bool, isolating: bool) -> Vec<Statement> {
    let plain = |range: &Local| Statement { range: *range, wrapper: Wrapper::None };
    let Some((end, before)) = list.rest.split_last() else { return Vec::new() };
    if isolating && !is_last {
        let range = before.first().unwrap_or(end).cover(*end);
        return vec![Statement { range, wrapper: Wrapper::Subshell }];
    }
    let mut res: Vec<Statement> = before.iter().map(plain).collect();
    match &list.last {
        Some(pieces) if !is_body || pieces.len() == 1 => res.extend(pieces.iter().map(plain)),
        Some(_) | None if is_last => res.push(plain(end)),
        Some(_) | None => res.push(Statement { range: *end, wrapper: Wrapper::Subshell }),
    }
    res
}

/// The script of a RUN that is nothing but one heredoc for the shell, and the lines it stands on.
pub(super) fn body<'a>(instruction: &Instruction, run: &'a Run) -> Option<(&'a Script, Local)> {
    let Form::Heredoc { script: Some(script), shebang: None } = &run.form else { return None };
    let [heredoc] = instruction.heredocs.as_slice() else { return None };
    heredoc.terminator?;
    let text = &*instruction.text;
    let head = instruction.flags.last().map_or(instruction.keyword, |flag| flag.range);
    let is_blank = |range: Range<u32>| {
        let text = text.get(range.start as usize..range.end as usize);
        text.is_some_and(|it| it.chars().all(|it| it.is_ascii_whitespace()))
    };
    let alone = is_blank(head.end..heredoc.marker.start) && is_blank(heredoc.marker.end..heredoc.body.start);
    (alone && !heredoc.chomp && !script.broken).then_some((script, heredoc.body))
}
