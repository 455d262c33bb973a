//! Where each comment stands and what it stands above.

use crate::model::{File, Form, InstructionKind, Placed};
use crate::text::{Local, TextRange, TextSize};

/// What the instructions of a file are found by.
#[derive(Debug)]
pub(super) struct Places<'a> {
    file: &'a File,
    instructions: Vec<&'a Placed>,
}

/// A comment and what it stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The comment, from its `#` on.
    pub(super) range: TextRange,
    /// What it is about.
    pub(super) above: Above,
}

/// What a comment stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// No instruction: a blank line or the end of the file comes first.
    Nothing,
    /// The instruction of this number.
    Instruction(usize),
    /// A line inside the instruction of this number, and the commands that begin on it.
    Line(usize, TextRange),
}

impl<'a> Places<'a> {
    /// Those of a file.
    pub(super) fn of(file: &'a File) -> Places<'a> {
        Places { file, instructions: file.instructions().collect() }
    }

    /// The number of the instruction that an offset lies in or behind.
    pub(super) fn number(&self, offset: TextSize) -> Option<usize> {
        self.instructions.partition_point(|placed| placed.at <= offset).checked_sub(1)
    }

    /// The instruction of a number.
    pub(super) fn instruction(&self, number: usize) -> Option<&'a Placed> {
        self.instructions.get(number).copied()
    }

    /// Whether an offset lies behind the first FROM.
    pub(super) fn is_behind_from(&self, offset: TextSize) -> bool {
        self.file.stages.first().is_some_and(|stage| stage.from.at < offset)
    }

    /// All comments for which `is_wanted` holds.
    pub(super) fn comments(&self, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Standing> {
        let mut res = self.outside(is_wanted);
        for (number, placed) in self.instructions.iter().enumerate() {
            let text = &*placed.instruction.text;
            let inside = placed.instruction.comments.iter().copied().chain(in_heredoc(placed, is_wanted));
            for local in inside.filter(|local| is_wanted(local.of(text))) {
                let above = Above::Line(number, next_line(placed, local));
                res.push(Standing { range: placed.range(local), above });
            }
        }
        res
    }

    /// The first comment of the block directly above an instruction, or the instruction itself.
    pub(super) fn block_start(&self, placed: &Placed) -> TextSize {
        let mut res = placed.at;
        let before = self.file.comments.partition_point(|comment| comment.start() < placed.at);
        for comment in self.file.comments.get(..before).unwrap_or_default().iter().rev() {
            if !self.is_directly_above(comment.end(), res) {
                break;
            }
            res = comment.start();
        }
        res
    }

    /// Comments between instructions, read from the end so that each knows what the next one stands above.
    fn outside(&self, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Standing> {
        let mut res = Vec::new();
        let mut below: Option<(TextSize, Above)> = None;
        for comment in self.file.comments.iter().rev() {
            let number = self.instructions.partition_point(|placed| placed.at < comment.start());
            let instruction = self.instructions.get(number).map(|placed| (placed.at, Above::Instruction(number)));
            let next = match (below, instruction) {
                (Some(below), Some(instruction)) if below.0 > instruction.0 => Some(instruction),
                (Some(below), _) => Some(below),
                (None, instruction) => instruction,
            };
            let joined = next.filter(|(at, _)| self.is_directly_above(comment.end(), *at));
            let above = joined.map_or(Above::Nothing, |(_, above)| above);
            below = Some((comment.start(), above));
            if is_wanted(&self.file.text[*comment]) {
                res.push(Standing { range: *comment, above });
            }
        }
        res.reverse();
        res
    }

    /// Whether nothing but one line end and blanks stands between.
    fn is_directly_above(&self, end: TextSize, start: TextSize) -> bool {
        let between = self.file.text.get(usize::from(end)..usize::from(start)).unwrap_or_default();
        between.bytes().filter(|byte| *byte == b'\n').count() == 1 && between.trim().is_empty()
    }
}

/// Comment lines of a RUN's heredoc script.
fn in_heredoc(placed: &Placed, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Local> {
    let InstructionKind::Run(run) = &placed.instruction.kind else { return Vec::new() };
    let (Form::Heredoc { script: Some(_), .. }, Some(heredoc)) = (&run.form, placed.instruction.heredocs.first())
    else {
        return Vec::new();
    };
    let mut res = Vec::new();
    let mut at = heredoc.body.start as usize;
    for line in heredoc.body.of(&placed.instruction.text).split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('#') && is_wanted(trimmed) {
            let start = at + (line.len() - line.trim_start().len());
            res.push(Local::new(start, start + trimmed.len()));
        }
        at += line.len();
    }
    res
}

/// The next line that is no comment and not blank, and the commands that begin on it.
fn next_line(placed: &Placed, comment: Local) -> TextRange {
    let text = &*placed.instruction.text;
    let mut at = comment.end as usize;
    let mut line = Local::new(at, at);
    // The rest of the comment's own line is empty.
    for piece in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        let content = piece.trim();
        line = Local::new(at, at + piece.len());
        at += piece.len();
        if !content.is_empty() && !content.starts_with('#') {
            break;
        }
    }
    let script = match &placed.instruction.kind {
        InstructionKind::Run(run) => run.script(),
        _ => None,
    };
    let begins = |range: &Local| line.start <= range.start && range.start < line.end;
    let calls = script.into_iter().flat_map(|script| &script.calls).map(|call| call.range);
    placed.range(calls.filter(begins).fold(line, Local::cover))
}
