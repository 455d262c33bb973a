//! The text of a merged RUN (SPEC-merge-run.md §6): the user's own lines with the least between them.

use crate::assists::merge_runs::pragmas::{self, Comment, Ignores};
use crate::assists::merge_runs::style::Style;
use crate::assists::merge_runs::words;
use crate::facts::merging::{self, Element, Link, Plan, Statement, Wrapper};
use crate::model::{File, Form, Instruction, InstructionKind, Placed, Stage};
use crate::segment;
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

    let mut gaps =
        Gaps { file, stage, style, moved: String::new(), n_moved: 0, ignores: Ignores::default(), raised: Vec::new() };
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
    let Gaps { moved, n_moved, ignores, raised, .. } = gaps;
    let mut indels = Vec::new();
    let insert = raise(file, first, ignores, &raised, style, &mut indels) + &run + &moved;
    // BuildKit must find the moved instructions as they were.
    if segment::segment(&insert).segments.len() != n_moved + 1 {
        return None;
    }
    indels.push(Indel { delete: target, insert });
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
                let text = wrap(*wrapper, without_blank_lines(element.core.of(&instruction.text)));
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
fn indentation(text: &str, offset: usize) -> Option<&str> {
    let line = text.get(..offset)?.rsplit_once('\n')?.1;
    line.trim().is_empty().then_some(line)
}

fn wrap(wrapper: Wrapper, text: String) -> String {
    opening(wrapper).to_owned() + &text + closing(wrapper)
}

fn opening(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::None => "",
        Wrapper::Braces => "{ ",
        Wrapper::Subshell => "( ",
    }
}

fn closing(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::None => "",
        Wrapper::Braces => "; }",
        Wrapper::Subshell => " )",
    }
}

/// BuildKit warns about empty lines in a continuation.
fn without_blank_lines(text: &str) -> String {
    let n_lines = text.split_inclusive('\n').count();
    let is_kept = |(idx, line): &(usize, &str)| *idx == 0 || idx + 1 == n_lines || !line.trim().is_empty();
    text.split_inclusive('\n').enumerate().filter(is_kept).map(|(_, line)| line).collect()
}

fn comments_before(instruction: &Instruction, core: Local) -> impl Iterator<Item = &str> {
    let comments = instruction.comments.iter().filter(move |it| it.end <= core.start);
    comments.map(|it| it.of(&instruction.text).trim_end())
}

/// Comment lines of a continuation that leads nowhere.
fn comments_behind(instruction: &Instruction, core: Local) -> impl Iterator<Item = &str> {
    let comments = instruction.comments.iter().filter(move |it| it.start >= core.end);
    comments.map(|it| it.of(&instruction.text).trim_end())
}

/// The shell's own comment behind the last command.
fn trailing_comment(instruction: &Instruction) -> Option<&str> {
    let InstructionKind::Run(run) = &instruction.kind else { return None };
    let Form::Shell(text) = &run.form else { return None };
    let comment = text.script.as_ref()?.comments.first()?;
    Some(comment.of(&instruction.text).trim_end())
}

/// What stands between the elements.
struct Gaps<'a> {
    file: &'a File,
    stage: &'a Stage,
    style: &'a Style,
    /// Instructions that go behind the merged RUN, line ends before them included.
    moved: String,
    /// How many these are.
    n_moved: usize,
    /// What hadolint is told above the second and later elements.
    ignores: Ignores,
    /// Comments there that other linters read.
    raised: Vec<String>,
}

impl Gaps<'_> {
    /// Takes up what stands between two RUNs; the comment lines that stay before the second.
    fn between(&mut self, first: usize, second: usize) -> Option<Vec<String>> {
        let mut res = Vec::new();
        for idx in first + 1..=second {
            let before = self.stage.instructions.get(idx - 1)?.whole();
            let placed = self.stage.instructions.get(idx)?;
            let comments = comments_of(self.file, TextRange::new(before.end(), placed.at));
            if idx < second {
                let start = comments.first().map_or(placed.at, |comment| comment.start());
                let whole = TextRange::new(start, placed.whole().end());
                self.n_moved += 1;
                self.moved.push_str(self.style.newline);
                self.moved.push_str(indentation(&self.file.text, usize::from(start)).unwrap_or_default());
                self.moved.push_str(&without_blank_lines(self.file.text.get(std::ops::Range::from(whole))?));
                continue;
            }
            let one_line = !placed.instruction.text.contains('\n');
            for comment in comments {
                let text = self.file.text.get(std::ops::Range::from(*comment))?;
                match pragmas::read(text) {
                    Comment::Hadolint(ignores) => self.ignores.unite(ignores),
                    Comment::Foreign => self.raised.push(text.to_owned()),
                    Comment::Allow if !one_line => self.raised.push(text.to_owned()),
                    Comment::Allow | Comment::Plain => res.push(self.style.indent.clone() + text),
                }
            }
        }
        Some(res)
    }
}

/// The comments that lie in a range.
fn comments_of(file: &File, range: TextRange) -> &[TextRange] {
    let start = file.comments.partition_point(|comment| comment.start() < range.start());
    let end = file.comments.partition_point(|comment| comment.start() < range.end());
    file.comments.get(start..end).unwrap_or_default()
}

/// Puts the linters' comments above the merged RUN: before and into hadolint's own that stands there, which must stay
/// the nearest, or as what is returned.
fn raise(
    file: &File,
    first: &Placed,
    ignores: Ignores,
    raised: &[String],
    style: &Style,
    acc: &mut Vec<Indel>,
) -> String {
    let line_end = format!("{}{}", style.newline, indentation(&file.text, usize::from(first.at)).unwrap_or_default());
    let mut above: String = raised.iter().map(|it| format!("{it}{line_end}")).collect();
    let known = directly_above(file, first).find_map(|comment| {
        match pragmas::read(file.text.get(std::ops::Range::from(comment))?) {
            Comment::Hadolint(known) => Some((comment, known)),
            Comment::Plain | Comment::Allow | Comment::Foreign => None,
        }
    });
    let Some((comment, known)) = known else {
        if !ignores.is_empty() {
            above.push_str(&ignores.comment());
            above.push_str(&line_end);
        }
        return above;
    };
    let mut united = known.clone();
    united.unite(ignores);
    if united != known {
        acc.push(Indel { delete: comment, insert: above + &united.comment() });
    } else if !above.is_empty() {
        acc.push(Indel { delete: TextRange::empty(comment.start()), insert: above });
    }
    String::new()
}

/// The comment lines above an instruction with no blank line between, the nearest first.
fn directly_above<'a>(file: &'a File, placed: &Placed) -> impl Iterator<Item = TextRange> + 'a {
    let mut below = placed.at;
    let end = file.comments.partition_point(|comment| comment.start() < below);
    let comments = file.comments.get(..end).unwrap_or_default().iter().rev().copied();
    comments.take_while(move |comment| {
        let between = file.text.get(usize::from(comment.end())..usize::from(below)).unwrap_or_default();
        below = comment.start();
        between.matches('\n').count() == 1 && between.trim().is_empty()
    })
}
