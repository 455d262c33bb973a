//! What the author sees with the pointer on a word: what an image weighs, what a variable is worth, what an instruction
//! or flag does.

mod image;
mod manual;
mod variable;

use crate::model::{Instruction, InstructionKind, Placed, Word};
use crate::rules::Context;
use crate::text::{Local, TextRange, TextSize};

/// What a hover shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The thing it is about.
    pub range: TextRange,
    /// Markdown. Tables are padded and hold no inline markup, so that they read well where they are not rendered.
    pub markdown: String,
}

/// The hover at an offset: a variable before the word it stands in, a flag or image before the instruction.
pub fn hover(ctx: &Context, offset: TextSize) -> Option<Hover> {
    let placed = ctx.file.instruction_at(offset)?;
    let at = placed.local(offset)?;
    let (local, markdown) = variable::at(ctx, placed, at)
        .or_else(|| base_image(ctx, placed, at))
        .or_else(|| source(ctx, placed, at))
        .or_else(|| manual(&placed.instruction, at))?;
    Some(Hover { range: placed.range(local), markdown })
}

/// Whether a place holds an offset, its end included.
fn holds(local: Local, at: u32) -> bool {
    local.start <= at && at <= local.end && !local.is_empty()
}

fn base_image(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let InstructionKind::From(from) = &placed.instruction.kind else { return None };
    if !holds(from.image.range, at) {
        return None;
    }
    let stage = ctx.file.stages.iter().position(|stage| stage.from.at == placed.at)?;
    Some((from.image.range, image::of_base(ctx, stage)?))
}

/// The image or stage that `--from=` or `--mount=from=` names.
fn source(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let instruction = &placed.instruction;
    let flag = instruction.flag("from").and_then(|flag| flag.value.as_ref());
    let mounts = match &instruction.kind {
        InstructionKind::Run(run) => &run.mounts[..],
        _ => &[],
    };
    let mut words = flag.into_iter().chain(mounts.iter().filter_map(|mount| mount.value(&["from"])));
    let word: &Word = words.find(|word| holds(word.range, at))?;
    Some((word.range, image::of_source(ctx, placed, &word.text)?))
}

/// What the keyword or flag under the pointer does.
fn manual(instruction: &Instruction, at: u32) -> Option<(Local, String)> {
    if let InstructionKind::Onbuild(inner) = &instruction.kind
        && let Some(found) = manual(inner, at)
    {
        return Some(found);
    }
    if holds(instruction.keyword, at) {
        return Some((instruction.keyword, manual::instruction(&instruction.name)?));
    }
    let flag = instruction.flags.iter().find(|flag| {
        let name = Local { start: flag.range.start, ..flag.name_range };
        holds(name, at)
    })?;
    Some((flag.range, manual::flag(&instruction.name, &flag.name)?))
}
