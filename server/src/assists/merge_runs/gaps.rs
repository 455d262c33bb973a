//! What stands between the RUNs that become one: comments, linters' comments, instructions that move.

use crate::assists::merge_runs::compose::{indentation, without_blank_lines};
use crate::assists::merge_runs::pragmas::{self, Comment, Ignores};
use crate::assists::merge_runs::style::Style;
use crate::model::{File, InstructionKind, Placed, Stage};
use crate::segment;
use crate::text::{Indel, TextRange};

/// What stands between the elements.
pub(super) struct Gaps<'a> {
    file: &'a File,
    stage: &'a Stage,
    style: &'a Style,
    /// Instructions that go behind the merged RUN, line ends before them included.
    moved: String,
    /// How many these are.
    n_moved: usize,
    /// ENV and ARG that go above it, line ends behind them included.
    hoisted: String,
    /// How many these are.
    n_hoisted: usize,
    /// What hadolint is told above the second and later elements.
    ignores: Ignores,
    /// Comments there that other linters read.
    raised: Vec<String>,
    /// Whether what comes of it is a script: a comment in it allows nothing.
    is_script: bool,
}

impl<'a> Gaps<'a> {
    /// Nothing taken up yet.
    pub(super) fn of(file: &'a File, stage: &'a Stage, style: &'a Style, is_script: bool) -> Gaps<'a> {
        Gaps {
            file,
            stage,
            style,
            moved: String::new(),
            n_moved: 0,
            hoisted: String::new(),
            n_hoisted: 0,
            ignores: Ignores::default(),
            raised: Vec::new(),
            is_script,
        }
    }

    /// Takes up what stands between two RUNs; the comment lines that stay before the second.
    pub(super) fn between(&mut self, first: usize, second: usize) -> Option<Vec<String>> {
        let mut res = Vec::new();
        for idx in first + 1..=second {
            let before = self.stage.instructions.get(idx - 1)?.whole();
            let placed = self.stage.instructions.get(idx)?;
            let comments = comments_of(self.file, TextRange::new(before.end(), placed.at));
            if idx < second {
                let start = comments.first().map_or(placed.at, |comment| comment.start());
                let whole = TextRange::new(start, placed.whole().end());
                let text = without_blank_lines(self.file.text.get(std::ops::Range::from(whole))?);
                let indent = indentation(&self.file.text, usize::from(start)).unwrap_or_default();
                if matches!(placed.instruction.kind, InstructionKind::Env(_) | InstructionKind::Arg(_)) {
                    self.n_hoisted += 1;
                    self.hoisted.push_str(&text);
                    self.hoisted.push_str(self.style.newline);
                    self.hoisted.push_str(indent);
                } else {
                    self.n_moved += 1;
                    self.moved.push_str(self.style.newline);
                    self.moved.push_str(indent);
                    self.moved.push_str(&text);
                }
                continue;
            }
            let one_line = !placed.instruction.text.contains('\n');
            for comment in comments {
                let text = self.file.text.get(std::ops::Range::from(*comment))?;
                match pragmas::read(text) {
                    Comment::Hadolint(ignores) => self.ignores.unite(ignores),
                    Comment::Foreign => self.raised.push(text.to_owned()),
                    Comment::Allow if !one_line || self.is_script => self.raised.push(text.to_owned()),
                    Comment::Allow | Comment::Plain => res.push(self.style.indent.clone() + text),
                }
            }
        }
        Some(res)
    }

    /// The changes that put `run` in the place of the elements and the rest around it; `None` when BuildKit would not find
    /// the moved instructions as they were.
    pub(super) fn finish(self, first: &Placed, target: TextRange, run: String) -> Option<Vec<Indel>> {
        let Gaps { file, style, moved, n_moved, hoisted, n_hoisted, ignores, raised, .. } = self;
        let mut indels = Vec::new();
        if n_hoisted > 0 {
            if segment::segment(&hoisted).segments.len() != n_hoisted {
                return None;
            }
            // Above the comments on the RUN.
            let at = directly_above(file, first).last().map_or(first.at, |comment| comment.start());
            indels.push(Indel { delete: TextRange::empty(at), insert: hoisted });
        }
        let insert = raise(file, first, ignores, &raised, style, &mut indels) + &run + &moved;
        if segment::segment(&insert).segments.len() != n_moved + 1 {
            return None;
        }
        indels.push(Indel { delete: target, insert });
        Some(indels)
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
