//! The check at the end: does the merged text say what its parts said, to a shell and to BuildKit?

use crate::facts::merging::{Element, HeredocPlan, Link, Plan, Wrapper};
use crate::lower::instruction::instruction;
use crate::model::{Frame, Instruction, InstructionKind, Stage};
use crate::segment;
use crate::shell::{self, AndOr, Command, CommandKind, List, Pipeline, Script};
use crate::text::Local;

/// Whether a merged instruction is one RUN with the same words and operators in the same order as its parts, joined and
/// wrapped as planned.
pub(super) fn is_same(merged: &str, frame: Frame, stage: &Stage, elements: &[Element], plan: &Plan) -> bool {
    reads_as(merged, frame, false, expected(stage, elements, plan))
}

/// The same for a merged RUN that is a script in a heredoc.
pub(super) fn is_same_script(
    merged: &str,
    frame: Frame,
    stage: &Stage,
    elements: &[Element],
    plan: &HeredocPlan,
) -> bool {
    reads_as(merged, frame, true, expected_script(stage, elements, plan))
}

fn reads_as(merged: &str, frame: Frame, is_script: bool, expected: Option<Vec<String>>) -> bool {
    if segment::segment(merged).segments.len() != 1 {
        return false;
    }
    let merged = instruction(merged.into(), frame);
    let sound = merged.faults.is_empty() && merged.heredocs.is_empty() != is_script;
    let Some(script) = script(&merged).filter(|script| sound && !script.broken) else { return false };
    let mut found = Words { source: &merged.text, acc: Vec::new() };
    found.list(&script.list, script.range);
    expected.is_some_and(|expected| expected == found.acc)
}

fn expected_script(stage: &Stage, elements: &[Element], plan: &HeredocPlan) -> Option<Vec<String>> {
    let mut res = match plan.set {
        Some(set) => words(stage, elements.first()?, Some(set))?,
        None => vec!["set".to_owned(), "-e".to_owned()],
    };
    for (element, statements) in elements.iter().zip(&plan.statements) {
        for statement in statements {
            res.push(";".to_owned());
            wrapped(statement.wrapper, words(stage, element, Some(statement.range))?, &mut res);
        }
    }
    Some(res)
}

fn script(instruction: &Instruction) -> Option<&Script> {
    match &instruction.kind {
        InstructionKind::Run(run) => run.script(),
        _ => None,
    }
}

/// The words that the plan asks for.
fn expected(stage: &Stage, elements: &[Element], plan: &Plan) -> Option<Vec<String>> {
    let mut res: Vec<String> = Vec::new();
    let mut elements = elements.iter();
    for (idx, link) in plan.links.iter().enumerate() {
        if idx > 0 {
            res.push("&&".to_owned());
        }
        match link {
            Link::Whole(wrapper) => {
                let words = words(stage, elements.next()?, None)?;
                wrapped(*wrapper, words, &mut res);
            }
            Link::Errexit { wrapper, set, statements } => {
                let mut list = Vec::new();
                for statements in statements {
                    let element = elements.next()?;
                    if list.is_empty() {
                        list.extend(words(stage, element, Some(*set))?);
                    }
                    for statement in statements {
                        list.push(";".to_owned());
                        wrapped(statement.wrapper, words(stage, element, Some(statement.range))?, &mut list);
                    }
                }
                wrapped(*wrapper, list, &mut res);
            }
        }
    }
    elements.next().is_none().then_some(res)
}

/// The words of an element, or of a part of it.
fn words(stage: &Stage, element: &Element, within: Option<Local>) -> Option<Vec<String>> {
    if let Some(text) = &element.exec {
        let script = shell::parse(text, Local::new(0, text.len()));
        let mut res = Words { source: text, acc: Vec::new() };
        res.list(&script.list, script.range);
        return Some(res.acc);
    }
    let instruction = &stage.instructions.get(element.instruction)?.instruction;
    let script = script(instruction)?;
    let mut res = Words { source: &instruction.text, acc: Vec::new() };
    res.list(&script.list, within.unwrap_or(script.range));
    Some(res.acc)
}

fn wrapped(wrapper: Wrapper, words: Vec<String>, acc: &mut Vec<String>) {
    let (open, close) = match wrapper {
        Wrapper::None => return acc.extend(words),
        Wrapper::Braces => ("{", "}"),
        Wrapper::Subshell => ("(", ")"),
    };
    acc.push(open.to_owned());
    acc.extend(words);
    acc.push(close.to_owned());
}

/// Words and operators in order, blanks and continuations taken out of them.
struct Words<'a> {
    source: &'a str,
    acc: Vec<String>,
}

impl Words<'_> {
    fn push(&mut self, text: &str) {
        self.acc.push(text.to_owned());
    }

    fn raw(&mut self, range: Local) {
        let text = range.of(self.source).chars().filter(|it| !it.is_whitespace() && *it != '\\').collect();
        self.acc.push(text);
    }

    /// What of a list lies in the range.
    fn list(&mut self, list: &List, within: Local) {
        let mut is_first = true;
        for item in &list.items {
            let and_or = item.and_or.range;
            if and_or.end <= within.start || and_or.start >= within.end {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                self.push(";");
            }
            self.and_or(&item.and_or, within);
        }
    }

    fn and_or(&mut self, and_or: &AndOr, within: Local) {
        let joints = std::iter::once(None).chain(and_or.rest.iter().map(|(joint, _)| Some(joint)));
        let mut is_first = true;
        for (pipeline, joint) in and_or.pipelines().zip(joints) {
            if !within.contains_range(pipeline.range) {
                continue;
            }
            if let (false, Some(joint)) = (std::mem::take(&mut is_first), joint) {
                self.push(if joint.and { "&&" } else { "||" });
            }
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        if pipeline.negated.is_some() {
            self.push("!");
        }
        for (idx, command) in pipeline.commands.iter().enumerate() {
            if idx > 0 {
                self.push("|");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        let everything = Local { start: 0, end: u32::MAX };
        match &command.kind {
            CommandKind::Simple(simple) => {
                simple.assignments.iter().for_each(|it| self.raw(it.range));
                simple.words.iter().for_each(|it| self.raw(it.range));
            }
            CommandKind::Subshell(list) => self.bracketed("(", list, ")"),
            CommandKind::Group(list) => self.bracketed("{", list, "}"),
            CommandKind::Compound { keyword, words, lists } => {
                self.push(keyword);
                words.iter().for_each(|it| self.raw(it.range));
                for list in lists {
                    self.push("then");
                    self.list(list, everything);
                }
                self.push("end");
            }
            CommandKind::Function { name, body } => {
                self.push(name);
                self.bracketed("(){", body, "}");
            }
            CommandKind::Test => self.raw(command.range),
        }
        command.redirects.iter().for_each(|it| self.raw(it.range));
    }

    fn bracketed(&mut self, open: &str, list: &List, close: &str) {
        self.push(open);
        self.list(list, Local { start: 0, end: u32::MAX });
        self.push(close);
    }
}
