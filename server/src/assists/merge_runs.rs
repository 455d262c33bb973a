//! Merges adjacent RUNs into one (SPEC-merge-run.md §3 to §6): fewer layers, the same image.
//!
//! Whether that may be done is [`crate::facts::merging`]'s matter; here the text is made from the user's own lines.
//! What comes out is read again, and it is offered only when it says what the parts said.

mod compose;
mod pragmas;
mod style;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use crate::assists::merge_runs::style::Style;
use crate::assists::{Assist, Offer, Refusal};
use crate::facts::Facts;
use crate::facts::merging::{self, Group, Obstacle};
use crate::model::{File, Stage};
use crate::text::{TextEdit, TextRange};

/// The id of the action (CLI.md, *Actions*).
pub const ID: &str = "merge-runs";
/// The form with `&&`.
const PLAIN: &str = "plain";

/// What can be merged at a place: with a cursor in a RUN the longest sequence around it, with several RUNs selected
/// exactly those, cut where they cannot be joined. A refusal where there are neighbours and nothing can be joined.
pub fn offer(file: &File, facts: &Facts, range: TextRange) -> Vec<Offer> {
    let style = style::of(file);
    let mut res = Vec::new();
    for (stage_idx, stage) in file.stages.iter().enumerate() {
        if stage.range.intersect(range).is_none() {
            continue;
        }
        let Some(stage_facts) = facts.stages.get(stage_idx) else { continue };
        for group in merging::groups(stage, &stage_facts.users) {
            let touched = touched(stage, &group, range);
            if touched.is_empty() {
                continue;
            }
            let parts = if touched.len() == 1 { vec![group.around(touched.start)] } else { group.cut(touched.clone()) };
            let assists: Vec<_> =
                parts.iter().filter_map(|part| assist(file, &style, stage, &group, part.clone())).collect();
            if assists.is_empty() {
                res.push(Offer::Refusal(refusal(stage, &group, touched)));
            }
            res.extend(assists.into_iter().map(Offer::Assist));
        }
    }
    res
}

/// Everything in the file that can be merged, each sequence once.
pub fn all(file: &File, facts: &Facts) -> Vec<Assist> {
    let style = style::of(file);
    let mut res = Vec::new();
    for (stage, stage_facts) in file.stages.iter().zip(&facts.stages) {
        for group in merging::groups(stage, &stage_facts.users) {
            let assists = group.parts.iter().filter_map(|part| assist(file, &style, stage, &group, part.clone()));
            res.extend(assists);
        }
    }
    res
}

/// The elements of a group that a range touches.
fn touched(stage: &Stage, group: &Group, range: TextRange) -> Range<usize> {
    let is_touched = |idx: &usize| {
        let placed = group.elements.get(*idx).and_then(|element| stage.instructions.get(element.instruction));
        placed.and_then(|placed| placed.whole().intersect(range)).is_some()
    };
    let mut elements = (0..group.elements.len()).filter(is_touched);
    let Some(first) = elements.next() else { return 0..0 };
    first..elements.next_back().unwrap_or(first) + 1
}

fn assist(file: &File, style: &Style, stage: &Stage, group: &Group, part: Range<usize>) -> Option<Assist> {
    let elements = group.elements.get(part).filter(|elements| elements.len() > 1)?;
    let merged = compose::compose(file, style, stage, elements)?;
    Some(Assist {
        id: ID,
        variant: Some(PLAIN),
        label: format!("Merge {} RUN layers", elements.len()),
        target: merged.target,
        preferred: true,
        edit: TextEdit::new(merged.indels)?,
        other: None,
        doubts: Vec::new(),
        before: None,
        after: None,
    })
}

/// Why nothing can be joined here: of a single RUN what is against the next one, or else the one before it.
fn refusal(stage: &Stage, group: &Group, touched: Range<usize>) -> Refusal {
    let pairs = touched.start..(touched.end - 1).max(touched.start + 1);
    let behind = group.verdicts.get(pairs).unwrap_or_default().iter().flatten().next();
    let before = || touched.start.checked_sub(1).and_then(|pair| group.verdicts.get(pair).copied().flatten());
    // A text that did not read the same again is the only other cause.
    let obstacle = behind.copied().or_else(before).unwrap_or(Obstacle::Unparsed);
    let placed = group.elements.get(touched.start).and_then(|element| stage.instructions.get(element.instruction));
    Refusal {
        id: ID,
        variant: Some(PLAIN),
        code: obstacle.code(),
        reason: obstacle.reason().to_owned(),
        target: placed.map_or(stage.range, |placed| placed.whole()),
    }
}
