//! The text of a merged RUN (SPEC-merge-run.md §6): the user's own lines with the least between them.

use crate::assists::merge_runs::gaps::Gaps;
use crate::assists::merge_runs::style::Style;
use crate::assists::merge_runs::words;
use crate::facts::merging::{self, Element, Link, Plan, Statement, Wrapper};
use crate::model::{File, Form, Instruction, InstructionKind, Placed, Stage};
use crate::text::{Indel, Local, TextRange};

/// A merged RUN.
pub(super) struct Merged {
    /// From the first RUN to the end of the last.
    pub(super) target: TextRange,
    /// The changes.
    pub(super) indels: Vec<Indel>,
}

/// Commands that begin a line of their own.
struct Piece {
    /// What joins them with the ones before: `&&` or `;`.
    joint: &'static str,
    /// Comment lines before it, indentation included, line ends not.
    comments: Vec<String>,
    indent: String,
    text: String,
}

/// The merged text of these elements, neighbours of one group; `None` when it would not read as they do.
pub(super) fn compose(file: &File, style: &Style, stage: &Stage, elements: &[Element]) -> Option<Merged> {
    let plan = merging::plan(elements).ok()?;
    let first = stage.instructions.get(elements.first()?.instruction)?;
    let last = stage.instructions.get(elements.last()?.instruction)?;
    let target = first.whole().cover(last.whole());

    let mut gaps = Gaps::of(file, stage, style, false);
    let mut pieces = pieces(stage, elements, &plan, style)?;
    let mut waiting: Vec<String> = Vec::new();
    let mut end = String::new();
    for (idx, (element, own)) in elements.iter().zip(&mut pieces).enumerate() {
        let instruction = &*stage.instructions.get(element.instruction)?.instruction;
        let line = |comment: &str| style.indent.clone() + comment;
        if let Some(before) = idx.checked_sub(1).and_then(|it| elements.get(it)) {
            waiting.extend(gaps.between(before.instruction, element.instruction)?);
            waiting.extend(comments_before(instruction, element.core).map(line));
        }
        if let Some(piece) = own.first_mut() {
            waiting.append(&mut piece.comments);
            piece.comments = std::mem::take(&mut waiting);
        }
        if idx + 1 < elements.len() {
            waiting.extend(trailing_comment(instruction).map(line));
            waiting.extend(comments_behind(instruction, element.core).map(line));
            continue;
        }
        end = trailing_comment(instruction).map(|it| format!(" {it}")).unwrap_or_default();
        if let Some(piece) = own.last_mut() {
            piece.comments.extend(comments_behind(instruction, element.core).map(line));
        }
    }

    let run = run_text(first, elements.first()?, pieces.iter().flatten(), style) + &end;
    if !words::is_same(&run, first.instruction.frame, stage, elements, &plan) {
        return None;
    }
    let indels = gaps.finish(first, target, run)?;
    Some(Merged { target, indels })
}

/// The pieces of each element.
fn pieces(stage: &Stage, elements: &[Element], plan: &Plan, style: &Style) -> Option<Vec<Vec<Piece>>> {
    let mut res: Vec<Vec<Piece>> = Vec::new();
    for link in &plan.links {
        let start = res.len();
        match link {
            Link::Whole(wrapper) => {
                let element = elements.get(start)?;
                let instruction = &stage.instructions.get(element.instruction)?.instruction;
                let commands = element.exec.as_deref().unwrap_or_else(|| element.core.of(&instruction.text));
                let text = wrap(*wrapper, without_blank_lines(commands));
                res.push(vec![Piece { joint: "&&", comments: Vec::new(), indent: style.indent.clone(), text }]);
            }
            Link::Errexit { wrapper, set, statements } => {
                for statements in statements {
                    let element = elements.get(res.len())?;
                    let instruction = &stage.instructions.get(element.instruction)?.instruction;
                    res.push(statement_pieces(instruction, element.core, statements, style));
                }
                let first = &stage.instructions.get(elements.get(start)?.instruction)?.instruction;
                let text = opening(*wrapper).to_owned() + &without_blank_lines(set.of(&first.text));
                let indent = style.indent.clone();
                res.get_mut(start)?.insert(0, Piece { joint: "&&", comments: Vec::new(), indent, text });
                res.last_mut()?.last_mut()?.text.push_str(closing(*wrapper));
            }
        }
    }
    Some(res)
}

/// From the keyword to the last command.
fn run_text<'a>(first: &Placed, element: &Element, pieces: impl Iterator<Item = &'a Piece>, style: &Style) -> String {
    let mut res = without_blank_lines(first.instruction.text.get(..element.core.start as usize).unwrap_or_default());
    for (idx, piece) in pieces.enumerate() {
        if idx > 0 {
            let (behind, before) = match piece.joint {
                "&&" if style.trailing => (" && \\", ""),
                "&&" => (" \\", "&& "),
                _ => ("; \\", ""),
            };
            res.push_str(behind);
            res.push_str(style.newline);
            for comment in &piece.comments {
                res.push_str(comment);
                res.push_str(style.newline);
            }
            res.push_str(&piece.indent);
            res.push_str(before);
        }
        res.push_str(&piece.text);
    }
    res
}

/// The statements behind `set -e`, each with the comment lines before it.
fn statement_pieces(instruction: &Instruction, core: Local, statements: &[Statement], style: &Style) -> Vec<Piece> {
    let mut at = core.start;
    let mut res = Vec::new();
    for statement in statements {
        let gap = Local { start: at, end: statement.range.start };
        let own_line = |range: Local| indentation(&instruction.text, range.start as usize);
        let comments = instruction.comments.iter().filter(|it| gap.contains_range(**it));
        let comments = comments.map(|it| own_line(*it).unwrap_or_default().to_owned() + it.of(&instruction.text));
        res.push(Piece {
            joint: ";",
            comments: comments.collect(),
            indent: own_line(statement.range).unwrap_or(&style.indent).to_owned(),
            text: wrap(statement.wrapper, without_blank_lines(statement.range.of(&instruction.text))),
        });
        at = statement.range.end;
    }
    res
}

/// The blanks before an offset, if there is nothing else before it on its line and it is not the first line.
pub(super) fn indentation(text: &str, offset: usize) -> Option<&str> {
    let line = text.get(..offset)?.rsplit_once('\n')?.1;
    line.trim().is_empty().then_some(line)
}

fn wrap(wrapper: Wrapper, text: String) -> String {
    opening(wrapper).to_owned() + &text + closing(wrapper)
}

pub(super) fn opening(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::None => "",
        Wrapper::Braces => "{ ",
        Wrapper::Subshell => "( ",
    }
}

pub(super) fn closing(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::None => "",
        Wrapper::Braces => "; }",
        Wrapper::Subshell => " )",
    }
}

/// BuildKit warns about empty lines in a continuation.
pub(super) fn without_blank_lines(text: &str) -> String {
    let n_lines = text.split_inclusive('\n').count();
    let is_kept = |(idx, line): &(usize, &str)| *idx == 0 || idx + 1 == n_lines || !line.trim().is_empty();
    text.split_inclusive('\n').enumerate().filter(is_kept).map(|(_, line)| line).collect()
}

pub(super) fn comments_before(instruction: &Instruction, core: Local) -> impl Iterator<Item = &str> {
    let comments = instruction.comments.iter().filter(move |it| it.end <= core.start);
    comments.map(|it| it.of(&instruction.text).trim_end())
}

/// Comment lines of a continuation that leads nowhere.
pub(super) fn comments_behind(instruction: &Instruction, core: Local) -> impl Iterator<Item = &str> {
    let comments = instruction.comments.iter().filter(move |it| it.start >= core.end);
    comments.map(|it| it.of(&instruction.text).trim_end())
}

/// The shell's own comment behind the last command.
pub(super) fn trailing_comment(instruction: &Instruction) -> Option<&str> {
    let InstructionKind::Run(run) = &instruction.kind else { return None };
    let Form::Shell(text) = &run.form else { return None };
    let comment = text.script.as_ref()?.comments.first()?;
    Some(comment.of(&instruction.text).trim_end())
}
